"""Room kept for the worst moment: removing pictures from a full disk, or opening a storage on it, takes some itself.

Must not import Flask or mongita.
"""

from __future__ import annotations

import os
from pathlib import Path

from backend.storage.files import create_private_file

_SIZE = 512 * 1024  # a few dozen pages of the log, its shared memory, a checkpoint


class Reserve:
    """A file that is given up when there is no room for a change that makes room."""

    def __init__(self, path: Path) -> None:
        """Name the file; :meth:`hold` makes it."""
        self._path = path
        self._held = False

    def hold(self) -> None:
        """Make the file if it is missing and there is room for it; no error when there is not."""
        if self._held:
            return
        try:
            if self._path.exists() and self._path.stat().st_size == _SIZE:
                self._held = True
                return
            self._path.unlink(missing_ok=True)
            descriptor = create_private_file(self._path)
            try:
                # Random, for a compressing file system would keep no room for zeros.
                self._held = os.write(descriptor, os.urandom(_SIZE)) == _SIZE
            finally:
                os.close(descriptor)
        except OSError:
            self._held = False
        if not self._held:
            self.give_up()

    def give_up(self) -> bool:
        """Remove the file; return whether that made room, so that trying again is worth it."""
        self._held = False
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
