"""Puts the pieces of GridFS files together on disk: an export holds them in any order, and more than fits in memory.

Must not import Flask or an engine.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from backend.import_dump_layout import OldChunk, OldFile

HEAD = 8
"""First bytes of a file that are remembered."""


class Spool:
    """A folder of files being put together; it goes when the ``with`` block ends.

    What a killed import left is removed by the next one that uses the same place.
    """

    def __init__(self, place: Path | None, *, keep_bytes: bool) -> None:
        """Use an existing folder (None: where temporary files go). Without ``keep_bytes`` pieces are only counted."""
        if place is None:
            self._folder = Path(tempfile.mkdtemp(prefix="glassine-import-"))
        else:
            self._folder = place / "importing"
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(mode=0o700)
        self._keep_bytes = keep_bytes
        self._had: dict[str, int] = {}
        self._received: dict[str, int] = {}
        self._heads: dict[str, bytes] = {}

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def take(self, chunk: OldChunk, file: OldFile) -> None:
        """Keep a piece; one that cannot be a piece of this file, or came before, is passed over."""
        start = chunk.number * file.chunk_size
        if not len(chunk.data) == min(file.chunk_size, file.length - start) > 0:
            return
        had = self._had.get(file.id, 0)
        if had >> chunk.number & 1:
            return
        self._had[file.id] = had | 1 << chunk.number
        self._received[file.id] = self._received.get(file.id, 0) + len(chunk.data)
        if start == 0:
            self._heads[file.id] = chunk.data[:HEAD]
        if self._keep_bytes:
            path = self._folder / file.id
            with path.open("r+b" if path.exists() else "xb") as target:
                target.seek(start)
                target.write(chunk.data)

    def is_whole(self, file: OldFile) -> bool:
        """Whether all pieces of a file came."""
        return self._received.get(file.id, 0) == file.length

    def head(self, file: OldFile) -> bytes:
        """The first bytes of a file."""
        return self._heads.get(file.id, b"")

    @contextmanager
    def pieces(self, file: OldFile) -> Iterator[Iterator[bytes]]:
        """Give the bytes of a file, one MiB at a time."""
        with (self._folder / file.id).open("rb") as source:
            yield iter(lambda: source.read(1 << 20), b"")

    def forget(self, file: OldFile) -> None:
        """Make room: this file is not needed any more."""
        (self._folder / file.id).unlink(missing_ok=True)
