"""What goes on while the window is locked: sending what is encrypted already. Must not import widgets."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.errors import GlassineError, ServerSilent
from desktop.models import IsCancelled, Report

if TYPE_CHECKING:
    from desktop.tasks import Runner, Task
    from desktop.viewmodels.session_port import SessionPort

log = logging.getLogger(__name__)


class LockedTransfers(QObject):
    """Sends one waiting picture after the other, without any key.

    Signals:
        count_changed(int): so many are on their way.
    """

    count_changed = Signal(int)

    RETRY_MS: Final = 20_000

    def __init__(self, runner: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._uploads: Any = None
        self._task: Task | None = None
        self._waiting: list[Any] = []
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(self.RETRY_MS)
        self._again.timeout.connect(self._next)
        self.count = 0

    def start(self, session: SessionPort) -> None:
        """Send what this locked session has waiting."""
        self.stop()
        uploads = session.locked_uploads()
        if uploads is None:
            return
        self._uploads = uploads
        task = self._task = self._runner.submit(_list, uploads, pool="network")
        task.succeeded.connect(lambda waiting: self._take(uploads, waiting))

    def stop(self) -> None:
        """Stop; whoever unlocks the session waits for the one that is being sent."""
        if self._task is not None:
            self._task.cancel()
        self._again.stop()
        self._uploads, self._task, self._waiting = None, None, []
        self._tell()

    def _take(self, uploads: Any, waiting: list[Any]) -> None:
        if uploads is self._uploads:
            self._waiting = waiting
            self._tell()
            self._next()

    def _next(self) -> None:
        uploads = self._uploads
        if uploads is None or not self._waiting:
            return
        item = self._waiting[0]
        task = self._task = self._runner.submit(_send, uploads, item, pool="network")

        def over() -> None:
            if uploads is self._uploads:
                self._waiting.remove(item)
                self._tell()
                self._next()

        def failed(error: GlassineError) -> None:
            if uploads is not self._uploads:
                return
            if isinstance(error, ServerSilent):
                self._again.start()
                return
            log.warning("a waiting picture was not sent while locked: %s", error.code)
            over()  # the unlocked program names what is wrong with it

        task.succeeded.connect(lambda _: over())
        task.failed.connect(failed)

    def _tell(self) -> None:
        if self.count != len(self._waiting):
            self.count = len(self._waiting)
            self.count_changed.emit(self.count)


def _list(uploads: Any, report: Report, cancelled: IsCancelled) -> list[Any]:
    return list(uploads.waiting())


def _send(uploads: Any, item: Any, report: Report, cancelled: IsCancelled) -> None:
    uploads.send(item, report, cancelled)
