"""The one way to do work off the GUI thread.

Work is a plain function taking ``report(done, total)`` and ``cancelled()`` as its last two arguments; it returns a
value or raises. Tests inject :class:`InlineRunner`, which has the same interface and runs the work at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from PySide6.QtCore import QObject, Qt, QThreadPool, QTimer, Signal, Slot

from desktop import collector
from desktop.errors import Cancelled, GlassineError

log = logging.getLogger(__name__)

REPORT_INTERVAL_S = 0.05
"""Progress is passed on at most this often per task; the last report always arrives."""

COLLECT_INTERVAL_MS = 2000
"""How often the GUI thread asks whether a pass of the cycle collector is due."""


class Task(QObject):
    """One piece of work in hand.

    The signals are emitted in the thread that submitted the work, never before that thread is back in its event loop:
    whoever submits can connect at leisure.

    Signals:
        progressed(object done, object total): at most every 50 ms (objects, because a C int ends at 2 GB).
        succeeded(object result), failed(GlassineError), cancelled(): exactly one of these.
        finished(): after it, always.
    """

    progressed = Signal(object, object)
    succeeded = Signal(object)
    failed = Signal(object)
    cancelled = Signal()
    finished = Signal()
    _posted = Signal(str, object)

    def __init__(self, work: Callable[..., Any], arguments: tuple[Any, ...], *, queued: bool) -> None:
        super().__init__()
        self._work = work
        self._arguments = arguments
        self._stop = threading.Event()
        self._last_report = 0.0
        kind = Qt.ConnectionType.QueuedConnection if queued else Qt.ConnectionType.DirectConnection
        self._posted.connect(self._deliver, kind)

    def cancel(self) -> None:
        """Ask the work to stop; it ends with ``cancelled`` as soon as it notices."""
        self._stop.set()

    def is_cancelled(self) -> bool:
        """Whether cancelling was asked for."""
        return self._stop.is_set()

    def run(self) -> None:
        """Do the work in the calling thread and post how it ended."""
        try:
            if self.is_cancelled():
                raise Cancelled
            result = self._work(*self._arguments, self._report, self.is_cancelled)
        except Cancelled:
            self._posted.emit("cancelled", None)
        except GlassineError as error:
            self._posted.emit("failed", error)
        except Exception as error:
            log.exception("unexpected error in %s", getattr(self._work, "__qualname__", self._work))
            self._posted.emit("failed", GlassineError(details=f"{type(error).__name__}: {error}"))
        else:
            self._posted.emit("succeeded", result)
        finally:
            self._work = _nothing  # closures may hold keys
            self._arguments = ()

    def _report(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done == total or now - self._last_report >= REPORT_INTERVAL_S:
            self._last_report = now
            self._posted.emit("progressed", (done, total))

    @Slot(str, object)
    def _deliver(self, event: str, value: Any) -> None:
        if event == "progressed":
            self.progressed.emit(*value)
            return
        if event == "cancelled":
            self.cancelled.emit()
        elif event == "failed":
            self.failed.emit(value)
        else:
            self.succeeded.emit(value)
        self.finished.emit()


def _nothing(*_: Any) -> None:
    """Stand in for work that is over."""


class Runner(Protocol):
    """What view-models need of a runner."""

    def submit(self, work: Callable[..., Any], *arguments: Any, pool: str = "crypto") -> Task:
        """Start ``work(*arguments, report, cancelled)`` and return its task."""
        ...


def _run(held: list[Task], ended: Callable[[], None]) -> None:
    """Run the task that is held, in a worker."""
    task = held.pop()
    try:
        task.run()
    finally:
        # Tasks, and what their signals are connected to, die in the GUI thread: its reference is the last one.
        del task
        ended()


class TaskRunner(QObject):
    """Runs tasks on bounded thread pools: ``crypto`` (CPU), ``network`` (waiting) and ``view``.

    ``view`` is for what somebody is looking at (thumbnails, the open picture, a search), which must not queue behind
    transfers. More than two busy Python threads hurt the window's response, so each pool has two.

    As long as there are workers, Python's cycle collector runs in the GUI thread only (see desktop/collector.py).
    """

    _ended = Signal(int)

    def __init__(self, parent: QObject | None = None, *, threads: int = 2) -> None:
        super().__init__(parent)
        self._pools = {name: QThreadPool(self) for name in ("crypto", "network", "view")}
        for pool in self._pools.values():
            pool.setMaxThreadCount(threads)
        self._lock = threading.Lock()
        self._tasks: dict[int, Task] = {}
        self._submitted = 0
        self._ended.connect(self._forget, Qt.ConnectionType.QueuedConnection)
        self._open = True
        collector.hold()
        collecting = QTimer(self, interval=COLLECT_INTERVAL_MS)
        collecting.timeout.connect(collector.collect_due)
        collecting.start()

    def submit(self, work: Callable[..., Any], *arguments: Any, pool: str = "crypto") -> Task:
        """Start the work and return its task."""
        task = Task(work, arguments, queued=True)
        with self._lock:
            self._submitted += 1
            number = self._submitted
            self._tasks[number] = task
        # a function, no QRunnable of Python: PySide never frees one in three of those
        self._pools[pool].start(partial(_run, [task], partial(self._ended.emit, number)))
        return task

    @Slot(int)
    def _forget(self, number: int) -> None:
        # in the submitting thread, so that the QObject dies there, after its last signal
        with self._lock:
            self._tasks.pop(number, None)

    @property
    def busy(self) -> int:
        """Number of tasks not yet over."""
        with self._lock:
            return len(self._tasks)

    def cancel_all(self) -> None:
        """Ask every task to stop."""
        with self._lock:
            tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()

    def drain(self, deadline_ms: int) -> bool:
        """Wait, without cancelling anything, for what was submitted; return whether it ended in time."""
        ended = [pool.waitForDone(deadline_ms) for pool in self._pools.values()]
        return all(ended)

    def close(self, deadline_ms: int = 5000) -> bool:
        """Cancel everything, wait for the pools; return whether all work ended within the deadline."""
        self.cancel_all()
        for pool in self._pools.values():
            pool.clear()
        ended = [pool.waitForDone(deadline_ms) for pool in self._pools.values()]
        if all(ended):
            with self._lock:
                self._tasks.clear()
            if self._open:
                self._open = False
                collector.release()
        return all(ended)


class InlineRunner:
    """Runs work at once in the calling thread, when :meth:`run_pending` is called. For tests.

    Deferring until ``run_pending`` lets the caller connect to the task's signals first, as with the real runner.
    """

    def __init__(self) -> None:
        self._pending: list[Task] = []

    def submit(self, work: Callable[..., Any], *arguments: Any, pool: str = "crypto") -> Task:
        """Queue the work for :meth:`run_pending`."""
        task = Task(work, arguments, queued=False)
        self._pending.append(task)
        return task

    def run_pending(self) -> None:
        """Run what was submitted, and what that submits, until nothing is left."""
        while self._pending:
            self._pending.pop(0).run()
