"""Keeps the list of files still to be encrypted on the disk (encrypted by the vault). Must not import widgets."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer

from desktop.errors import GlassineError
from desktop.models import IsCancelled, Report

if TYPE_CHECKING:
    from desktop.tasks import Runner, Task
    from desktop.viewmodels.vault_port import VaultPort

log = logging.getLogger(__name__)


class QueueKeeper(QObject):
    """Writes the list at once when files are added, else at most every two seconds; one write at a time."""

    INTERVAL_MS: Final = 2000

    def __init__(self, runner: Runner, sources: Callable[[], list[Path]], parent: QObject | None = None) -> None:
        """Make it; ``sources`` gives the list when it is about to be written."""
        super().__init__(parent)
        self._runner, self._sources = runner, sources
        self._vault: VaultPort | None = None
        self._wanted = False
        self._task: Task | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(self.INTERVAL_MS)
        self._timer.timeout.connect(self._write)

    def start(self, vault: VaultPort) -> None:
        """Keep the list of this vault."""
        self._vault, self._wanted = vault, False

    def stop(self) -> None:
        """Write what is not written yet and let go of the vault."""
        if self._vault is not None and self._wanted:
            self._submit()
        self._timer.stop()
        self._vault, self._wanted, self._task = None, False, None

    def save_now(self) -> None:
        """Write the list as soon as the write at hand is over."""
        self._wanted = True
        self._timer.stop()
        self._write()

    def save_soon(self) -> None:
        """Write the list within two seconds."""
        self._wanted = True
        if not self._timer.isActive():
            self._timer.start()

    def _write(self) -> None:
        if self._vault is None or not self._wanted or self._task is not None:
            return
        self._submit()

    def _submit(self) -> None:
        task = self._task = self._runner.submit(_save, self._vault, self._sources(), pool="view")
        self._wanted = False
        task.failed.connect(self._on_failed)
        task.finished.connect(self._on_written)

    def _on_failed(self, error: GlassineError) -> None:
        # nothing is lost: sources are untouched, and the list is written again at the next change
        log.warning("the queue could not be kept: %s %s", error.code, error.title)

    def _on_written(self) -> None:
        if self.sender() is self._task:
            self._task = None
            if self._wanted and not self._timer.isActive():
                self._write()


def _save(vault: VaultPort, paths: list[Path], report: Report, cancelled: IsCancelled) -> None:
    vault.save_queue(paths)
