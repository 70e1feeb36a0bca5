"""One process per local folder of a server's account: two would remove each other's half-staged pictures.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import os
from pathlib import Path

from desktop import errors
from desktop.config import make_private_folder


class PlaceLock:
    """An advisory lock on a folder, released by the operating system when the process ends in whatever way."""

    def __init__(self, folder: Path) -> None:
        """Take the lock.

        Raises:
            VaultInUse: Another process, or another session of this one, has it.
            StorageFull, StorageReadOnly, FileUnreadable: The folder cannot be written.
        """
        import fcntl

        from desktop.crypto.safe_write import writing_error

        make_private_folder(folder)
        path = folder / "lock"
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise writing_error(problem, path) from problem
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            os.close(self._descriptor)
            raise errors.VaultInUse(
                "Another Glassine window or command is signed in to this account. Close it, or wait for it, first."
            ) from problem

    def release(self) -> None:
        """Release the lock; idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
