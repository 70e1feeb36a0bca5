"""One process per storage folder, and the memory of whether the last one closed it in order.

Must not import Flask or mongita.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from backend.storage.failures import IN_USE
from backend.storage.files import PRIVATE_FILE, sync_file
from backend.storage.protocol import StorageError

_OPEN = b"open\n"
_CLOSED = b"closed\n"

# Windows locks byte ranges, and a locked byte cannot be read by others; so the byte lies behind the text.
_WINDOWS_LOCK_OFFSET = 4096


def _lock(descriptor: int) -> None:
    """Take the lock without waiting; OSError when somebody else has it."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, _WINDOWS_LOCK_OFFSET, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _unlock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, _WINDOWS_LOCK_OFFSET, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        # Unlocked by name: a forked child would otherwise keep the lock alive.
        fcntl.flock(descriptor, fcntl.LOCK_UN)


class FolderLock:
    """Holds a folder's lock file from construction to :meth:`release`; the system frees it when the process dies.

    Attributes:
        was_closed: Whether the folder was last closed in order (or never used); otherwise what a crash left behind
            has to be collected.
    """

    def __init__(self, path: Path) -> None:
        """Take the lock. Raises StorageError ``in-use``, or OSError when the file cannot be made."""
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), PRIVATE_FILE)
        try:
            try:
                _lock(self._descriptor)
            except OSError as error:
                if error.errno in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK):
                    raise StorageError("in-use", IN_USE) from error
                raise
            state = self._read()
            self.was_closed = state in (b"", _CLOSED)
            self._write(_OPEN)
        except BaseException:
            os.close(self._descriptor)
            raise

    def release(self, *, in_order: bool) -> None:
        """Free the folder. ``in_order`` says that nothing is left to collect."""
        if in_order:
            self._write(_CLOSED)
        _unlock(self._descriptor)
        os.close(self._descriptor)

    def _read(self) -> bytes:
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        return os.read(self._descriptor, 64)

    def _write(self, state: bytes) -> None:
        # Torn by a power cut it reads as neither word, which counts as not closed in order.
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, state)
        os.ftruncate(self._descriptor, len(state))
        sync_file(self._descriptor)
