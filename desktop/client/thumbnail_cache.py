"""Sealed thumbnails kept on disk, so that a gallery on a server opens without fetching them again.

Only ciphertext is written: the cache is as unreadable as the server's copy. What does not open is fetched again.
Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
from contextlib import suppress
from pathlib import Path

from desktop import errors
from desktop.config import make_private_folder

log = logging.getLogger(__name__)

LIMIT_BYTES = 512 << 20
_MAX_ENTRY = 262_144 + 16
_LOOK_EVERY = 500
"""The size of the cache is looked at after so many new entries."""


class ThumbnailCache:
    """A bounded folder of sealed thumbnails, the longest unused going first. Safe to use from several threads."""

    def __init__(self, folder: Path, limit: int = LIMIT_BYTES) -> None:
        """Nothing is read or created yet."""
        self._folder = folder
        self._limit = limit
        self._lock = threading.Lock()
        self._new = 0
        self._broken = False

    def get(self, picture_id: str, header_hash: str) -> bytes | None:
        """Return the entry, or None."""
        from desktop.crypto.safe_write import open_own

        path = self._path(picture_id, header_hash)
        try:
            with open_own(path) as file:
                data = file.read(_MAX_ENTRY + 1)
            os.utime(path)
        except OSError:
            return None
        return data if len(data) <= _MAX_ENTRY else None

    def put(self, picture_id: str, header_hash: str, sealed: bytes) -> None:
        """Keep an entry; a cache that cannot be written is only slower, not an error."""
        if self._broken:
            return
        path = self._path(picture_id, header_hash)
        temporary = path.with_name(f".{secrets.token_hex(8)}.part")
        try:
            make_private_folder(path.parent)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(sealed)
            temporary.replace(path)  # not synced: what a power cut damages does not open and is fetched again
        except (OSError, errors.GlassineError):
            log.warning("the thumbnail cache cannot be written and is not used")
            self._broken = True
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            return
        with self._lock:
            self._new += 1
            look = self._new % _LOOK_EVERY == 1
        if look:
            self.trim()

    def drop(self, picture_id: str, header_hash: str) -> None:
        """Remove an entry if it is there."""
        try:
            self._path(picture_id, header_hash).unlink(missing_ok=True)
        except OSError:
            self._broken = True

    def trim(self) -> None:
        """Remove the longest unused entries until three quarters of the limit are left, if it is exceeded."""
        with self._lock:
            entries: list[tuple[float, int, Path]] = []
            for path in self._folder.glob("??/*"):
                try:
                    status = path.stat()
                except OSError:
                    continue
                entries.append((status.st_mtime, status.st_size, path))
            total = sum(size for _, size, _ in entries)
            if total <= self._limit:
                return
            for _, size, path in sorted(entries, key=lambda entry: entry[0]):
                try:
                    path.unlink(missing_ok=True)
                except OSError:
                    continue
                total -= size
                if total <= self._limit * 3 // 4:
                    return

    def _path(self, picture_id: str, header_hash: str) -> Path:
        return self._folder / picture_id[:2] / f"{picture_id}-{header_hash[:16]}"
