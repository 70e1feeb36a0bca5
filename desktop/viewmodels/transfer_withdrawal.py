"""Taking back pictures that are encrypted but not wanted any more. Must not import widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from desktop.models import Picture
from desktop.viewmodels import transfer_work as work

if TYPE_CHECKING:
    from desktop.tasks import Runner
    from desktop.viewmodels.transfer import Transfer
    from desktop.viewmodels.vault_port import VaultPort


class Withdrawal(QObject):
    """Throws staged pictures away; one that arrives too late to be stopped is deleted where it arrived.

    Attributes:
        vault: Whose pictures they are; None while nothing is open.

    Signals:
        withdrawn(str picture_id)
        stayed(Picture): it could not be deleted, so it is there.
    """

    withdrawn = Signal(str)
    stayed = Signal(object)

    def __init__(self, runner: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self.vault: VaultPort | None = None

    def withdraw(self, transfer: Transfer) -> None:
        """Take back the staged picture of a file, also while it is being sent."""
        staged, transfer.staged = transfer.staged, None
        task = transfer.task
        if task is None:
            self.discard(staged)
        else:  # the sender still reads the file; it may also arrive too late to be stopped
            task.cancelled.connect(lambda: self.discard(staged))
            task.failed.connect(lambda error: self.discard(staged))
            task.succeeded.connect(self._take_back)
        self.withdrawn.emit(transfer.picture_id)

    def discard(self, staged: Any) -> None:
        """Throw a staged picture away."""
        if self.vault is not None:
            self._runner.submit(work.discard, self.vault, staged, pool="view")

    def _take_back(self, picture: Picture) -> None:
        """Delete a picture that was cancelled before the server had acknowledged it."""
        if self.vault is not None:
            task = self._runner.submit(work.take_back, self.vault, picture.id, pool="network")
            task.failed.connect(lambda error: self.stayed.emit(picture))
