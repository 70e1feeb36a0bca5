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

    Signals:
        withdrawn(str picture_id)
        stayed(Picture): it could not be deleted, so it is there.
    """

    withdrawn = Signal(str)
    stayed = Signal(object)

    def __init__(self, runner: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._vault: VaultPort | None = None
        self._going: dict[str, Any] = {}
        """Staged pictures, by id, whose senders have not stopped yet."""

    def start(self, vault: VaultPort) -> None:
        """Work for this vault."""
        self._vault = vault

    def stop(self) -> None:
        """The vault is left: what a sender still holds is thrown away all the same, or it would be sent later."""
        for staged in self._going.values():
            self.discard(staged)
        self._going.clear()
        self._vault = None

    def withdraw(self, transfer: Transfer) -> None:
        """Take back the staged picture of a file, also while it is being sent."""
        staged, transfer.staged = transfer.staged, None
        task, picture_id = transfer.task, transfer.picture_id
        if task is None:
            self.discard(staged)
        else:  # the sender still reads the file; it may also arrive too late to be stopped
            self._going[picture_id] = staged
            task.cancelled.connect(lambda: self._on_stopped(picture_id))
            task.failed.connect(lambda error: self._on_stopped(picture_id))
            task.succeeded.connect(self._take_back)
        self.withdrawn.emit(picture_id)

    def discard(self, staged: Any) -> None:
        """Throw a staged picture away."""
        if self._vault is not None:
            self._runner.submit(work.discard, self._vault, staged, pool="view")

    def _on_stopped(self, picture_id: str) -> None:
        if picture_id in self._going:
            self.discard(self._going.pop(picture_id))

    def _take_back(self, picture: Picture) -> None:
        """Delete a picture that was cancelled before the server had acknowledged it."""
        vault = self._vault
        if self._going.pop(picture.id, None) is not None:
            task = self._runner.submit(work.take_back, vault, picture.id, pool="network")
            task.failed.connect(lambda error: self.stayed.emit(picture) if self._vault is vault else None)
