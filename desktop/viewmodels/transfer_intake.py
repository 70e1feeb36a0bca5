"""What comes into the queue: what an earlier run left, and files that are looked over. Must not import widgets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.errors import GlassineError
from desktop.viewmodels import transfer_work as work

if TYPE_CHECKING:
    from desktop.client.preflight import Preflight
    from desktop.tasks import Runner, Task
    from desktop.viewmodels.vault_port import VaultPort


class Intake(QObject):
    """Finds out off the GUI thread what there is to be added.

    Signals:
        resumed(Left): staged pictures and files of an earlier run; none when that failed.
        looked_over(Preflight): the result of :meth:`look_over`.
        found(Preflight): the result of :meth:`add`, to be enlisted.
        failed(GlassineError)
    """

    resumed = Signal(object)
    looked_over = Signal(object)
    found = Signal(object)
    failed = Signal(object)

    def __init__(self, runner: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._vault: VaultPort | None = None
        self._resuming: Task | None = None
        self._looking: Task | None = None
        self._adding: set[Task] = set()

    @property
    def resuming(self) -> bool:
        """Whether it is not known yet what an earlier run left."""
        return self._resuming is not None

    def start(self, vault: VaultPort) -> None:
        """Work for this vault, first with what an earlier run left."""
        self._vault = vault
        task = self._resuming = self._runner.submit(work.resume, vault, pool="view")
        task.succeeded.connect(self._on_resumed)
        task.failed.connect(self._on_resume_failed)

    def stop(self) -> None:
        """Give up what is under way."""
        for task in (*self._adding, self._resuming, self._looking):
            if task is not None:
                task.cancel()
        self._vault = self._resuming = self._looking = None
        self._adding.clear()

    def look_over(self, paths: Sequence[Path]) -> None:
        """Find out what these files and folders hold. A later call replaces this one."""
        if self._vault is None:
            return
        self.cancel_look_over()
        task = self._looking = self._runner.submit(work.look_over, self._vault, list(paths), pool="view")
        task.succeeded.connect(self._on_looked_over)
        task.failed.connect(self._on_look_over_failed)

    def cancel_look_over(self) -> None:
        """The answer is not wanted any more."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def add(self, paths: Sequence[Path]) -> None:
        """Look over files and everything in folders, to add them without asking."""
        if self._vault is None or not paths:
            return
        task = self._runner.submit(work.look_over, self._vault, list(paths), pool="view")
        self._adding.add(task)
        task.succeeded.connect(self._on_found)
        task.failed.connect(self._on_add_failed)

    def _on_resumed(self, left: work.Left) -> None:
        if self.sender() is self._resuming:
            self._resuming = None
            self.resumed.emit(left)

    def _on_resume_failed(self, error: GlassineError) -> None:
        if self.sender() is self._resuming:
            self._resuming = None
            self.failed.emit(error)
            self.resumed.emit(([], []))

    def _on_looked_over(self, preflight: Preflight) -> None:
        if self.sender() is self._looking:
            self._looking = None
            self.looked_over.emit(preflight)

    def _on_look_over_failed(self, error: GlassineError) -> None:
        if self.sender() is self._looking:
            self._looking = None
            self.failed.emit(error)

    def _on_found(self, preflight: Preflight) -> None:
        task = self.sender()
        if task in self._adding:
            self._adding.discard(task)
            self.found.emit(preflight)

    def _on_add_failed(self, error: GlassineError) -> None:
        task = self.sender()
        if task in self._adding:
            self._adding.discard(task)
            self.failed.emit(error)
