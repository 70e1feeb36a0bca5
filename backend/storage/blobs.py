"""Blobs as files: written aside, synced, then moved to their place.

``blobs/<2 hex>/<32 hex>`` holds the committed ones; ``incoming/`` those being written, which nobody can miss after a
crash. A blob that no record names is an orphan. Which ones may be orphans is remembered while the folder is open, so
that only a crash makes it necessary to compare all of them with the records. Must not import Flask or mongita.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from backend.storage.failures import CLOSED, READ_ONLY, raises_storage_error
from backend.storage.files import PRIVATE_FOLDER, create_private_file, make_private_folder, sync_file, sync_folder
from backend.storage.protocol import StorageError

_BLOB_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


class BlobFolder:
    """The blobs of one storage folder. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        """Name the folders; :meth:`prepare` makes them."""
        self._blobs = folder / "blobs"
        self._incoming = folder / "incoming"
        self._guard = threading.Lock()
        self._unreferenced: set[str] = set()
        self._in_doubt: set[str] = set()
        self._closed = False

    def prepare(self) -> None:
        """Make the folders and remove what was being written when the last process died. Raises OSError."""
        make_private_folder(self._incoming)
        make_private_folder(self._blobs)
        # All of them now: made by the first of two writers, one might not be durable yet when the second uses it.
        there = {entry.name for entry in self._blobs.iterdir()}
        for name in (f"{number:02x}" for number in range(256)):
            if name not in there:
                (self._blobs / name).mkdir(mode=PRIVATE_FOLDER)
        sync_folder(self._blobs)
        for entry in self._incoming.iterdir():
            if _BLOB_ID.fullmatch(entry.name):
                entry.unlink()

    def is_empty(self) -> bool:
        """Whether there is no committed blob."""
        return next(self.ids(), None) is None

    def writer(self) -> FileBlobWriter:
        """Begin a blob."""
        return FileBlobWriter(self, self._incoming)

    def open(self, blob_id: str) -> BinaryIO | None:
        """Open a blob to read; None when there is none."""
        if not _BLOB_ID.fullmatch(blob_id):
            return None
        try:
            return self._place(blob_id).open("rb")
        except FileNotFoundError:
            return None

    def remove(self, blob_id: str) -> None:
        """Remove a blob if it is there and its fate is not in doubt."""
        with self._guard:
            if blob_id in self._in_doubt or not _BLOB_ID.fullmatch(blob_id):
                return
            try:
                self._place(blob_id).unlink(missing_ok=True)
            except PermissionError:
                if sys.platform == "win32":
                    # Windows does not remove a file somebody reads: it goes when the storage is closed.
                    self._unreferenced.add(blob_id)
                    return
                raise
            self._unreferenced.discard(blob_id)

    def ids(self) -> Iterator[str]:
        """Yield the ids of all committed blobs."""
        if self._blobs.exists():
            for part in sorted(self._blobs.iterdir()):
                yield from sorted(entry.name for entry in os.scandir(part) if _BLOB_ID.fullmatch(entry.name))

    @contextmanager
    def renaming(self, blob_ids: Iterable[str], *, named_after: bool, undone: Callable[[], bool]) -> Iterator[None]:
        """Around a change to the record that names these blobs.

        While it runs, and for good when it is interrupted, nobody knows whether a record names them: they are kept,
        whatever happens, until the next start asks the records.

        Args:
            blob_ids: The blobs.
            named_after: Whether the record names them after the change, or before it.
            undone: Asked after an Exception: whether the change certainly did not happen.
        """
        with self._guard:
            concerned = set(blob_ids)
            doubted = concerned - self._in_doubt
            self._in_doubt |= doubted
        try:
            yield
        except Exception:
            if undone():
                with self._guard:
                    self._in_doubt -= doubted
            raise
        with self._guard:
            self._in_doubt -= doubted
            if named_after:
                self._unreferenced -= concerned
            else:
                self._unreferenced |= concerned

    def size(self, blob_id: str) -> int:
        """Return how many bytes a blob has; 0 when there is none."""
        try:
            return self._place(blob_id).stat().st_size if _BLOB_ID.fullmatch(blob_id) else 0
        except FileNotFoundError:
            return 0

    def older_than(self, time: datetime) -> set[str]:
        """Return the committed blobs whose last byte was written before that time (naive UTC)."""
        limit = time.replace(tzinfo=UTC).timestamp()
        found = set()
        for blob_id in self.ids():
            with suppress(FileNotFoundError):  # removed meanwhile
                if self._place(blob_id).stat().st_mtime < limit:
                    found.add(blob_id)
        return found

    def check(self) -> None:
        """Raise StorageError when blobs cannot be written; whether there is room is not asked."""
        if not os.access(self._incoming, os.W_OK | os.X_OK):
            raise StorageError("read-only", READ_ONLY)

    def collect(self, orphans: set[str]) -> int:
        """Remove these blobs, unless their fate is in doubt, and return how many went."""
        removed = 0
        with self._guard:
            for blob_id in orphans - self._in_doubt:
                try:
                    self._place(blob_id).unlink(missing_ok=True)
                except OSError:
                    self._in_doubt.add(blob_id)  # no reason to refuse the whole vault; the next start tries again
                    continue
                self._unreferenced.discard(blob_id)
                removed += 1
        return removed

    def close(self) -> bool:
        """Remove the blobs nobody names, refuse new ones, and return whether nothing is left for a collection."""
        with self._guard:
            if not self._closed:
                self._closed = True
                for blob_id in self._unreferenced - self._in_doubt:
                    try:
                        self._place(blob_id).unlink(missing_ok=True)
                    except OSError:
                        self._in_doubt.add(blob_id)
            return not self._in_doubt

    def accept(self, written: Path) -> str:
        """Move a synced file to its place, durably, and return its id. Raises OSError or StorageError."""
        blob_id = secrets.token_hex(16)
        place = self._place(blob_id)
        with self._guard:
            if self._closed:
                raise StorageError("other", CLOSED)
            self._unreferenced.add(blob_id)
            written.rename(place)
        sync_folder(place.parent)
        return blob_id

    def _place(self, blob_id: str) -> Path:
        return self._blobs / blob_id[:2] / blob_id


class FileBlobWriter:
    """A blob being written to a file that has no place yet (see :class:`~backend.storage.protocol.BlobWriter`)."""

    def __init__(self, folder: BlobFolder, incoming: Path) -> None:
        self._folder = folder
        self._path = incoming / secrets.token_hex(16)
        self._descriptor = create_private_file(self._path)

    def __enter__(self) -> FileBlobWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        self._discard()

    @raises_storage_error
    def write(self, data: bytes | memoryview) -> int:
        """Append all of the bytes. Raises StorageError when there is no room."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        return size

    @raises_storage_error
    def commit(self) -> str:
        """Make the blob durable and return its id."""
        sync_file(self._descriptor)
        try:
            self._close()
            return self._folder.accept(self._path)
        except BaseException:
            self._path.unlink(missing_ok=True)
            raise

    def _discard(self) -> None:
        if self._descriptor >= 0:
            try:
                self._close()
            finally:
                self._path.unlink(missing_ok=True)

    def _close(self) -> None:
        # Once, whatever comes of it: the number may be another file's from then on.
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)
