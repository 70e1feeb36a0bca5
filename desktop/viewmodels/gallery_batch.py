"""The one batch a gallery has at work: saving copies, deleting, restoring. Must not import widgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from desktop.errors import GlassineError
from desktop.models import Place
from desktop.viewmodels.batches import BatchOutcome, Interrupted

if TYPE_CHECKING:
    from desktop.tasks import Runner, Task


class GalleryBatch(QObject):
    """Runs one batch at a time and remembers how far one came that leaving the vault has stopped.

    Attributes:
        interrupted: The batch that was stopped by the last :meth:`leave`, if there was one.

    Signals:
        started(str kind, int count)
        progressed(int done, int total): in thousandths of a picture.
        over(BatchOutcome): done, failed or cancelled.
    """

    started = Signal(str, int)
    progressed = Signal(object, object)
    over = Signal(object)

    def __init__(self, runner: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._task: Task | None = None
        self._kind, self._total, self._done = "", 0, 0
        self._folder: Path | None = None
        self.interrupted: Interrupted | None = None
        self._left: Task | None = None

    @property
    def kind(self) -> str:
        """What is at work: ``export``, ``bin``, ``delete``, ``restore`` or ``purge``; empty for nothing."""
        return self._kind if self._task is not None else ""

    @property
    def busy(self) -> bool:
        """Whether one is at work."""
        return self._task is not None

    def start(
        self, kind: str, total: int, work: Callable[..., Any], *arguments: Any, folder: Path | None = None
    ) -> None:
        """Begin; ``folder`` is where copies are saved."""
        self._kind, self._total, self._done, self._folder = kind, total, 0, folder
        task = self._task = self._runner.submit(work, *arguments, pool="network")
        task.progressed.connect(self._on_progressed)
        task.succeeded.connect(self._on_succeeded)
        task.failed.connect(self._on_failed)
        task.cancelled.connect(self._on_cancelled)
        self.started.emit(kind, total)

    def cancel(self) -> None:
        """Stop after the picture at hand. What is done stays done."""
        if self._task is not None:
            self._task.cancel()

    def leave(self, place: Place | None) -> None:
        """Stop because the vault at this place is left, and keep in mind what that stops."""
        task, self._task = self._task, None
        self._left, self.interrupted = task, None
        if task is None:
            return
        if place is not None:
            self.interrupted = Interrupted(self._kind, place, self._total, self._done, self._folder)
            task.succeeded.connect(self._on_left_over)
        task.cancel()

    def _on_left_over(self, outcome: BatchOutcome) -> None:
        """Now it is known how far it came."""
        if self.sender() is self._left and self.interrupted is not None:
            self.interrupted = replace(self.interrupted, done=len(outcome.done))

    def _on_progressed(self, done: int, total: int) -> None:
        if self.sender() is self._task:
            self._done = done // 1000
            self.progressed.emit(done, total)

    def _on_succeeded(self, outcome: BatchOutcome) -> None:
        self._end(outcome)

    def _on_failed(self, error: GlassineError) -> None:
        self._end(BatchOutcome(self._kind, self._total, stopped_by=error, folder=self._folder))

    def _on_cancelled(self) -> None:
        self._end(BatchOutcome(self._kind, self._total, cancelled=True, folder=self._folder))

    def _end(self, outcome: BatchOutcome) -> None:
        if self.sender() is self._task:
            self._task = None
            self.over.emit(outcome)
