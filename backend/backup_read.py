"""Reading a backup: every entry is checked and handed to a sink; the sink decides whether anything is kept.

Must not import Flask or an engine.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from backend import backup_records as records
from backend.backup_format import SUMS, ArchiveReader, BackupDamaged, from_canonical
from backend.backup_write import numbered
from backend.storage.protocol import Document, Permission, PictureRecord, PublishedFile, Revision, User

COUNTED = ("users", "pictures", "documents", "files")


class Sink(Protocol):
    """Takes what a backup holds. Whatever it raises ends the reading."""

    def blob(self, pieces: Iterator[bytes]) -> str:
        """Take the bytes of a blob, all of them, and return an id for it."""
        ...

    def user(self, user: User) -> None: ...

    def picture(self, picture: PictureRecord, history: Sequence[Revision], permissions: Sequence[Permission]) -> None:
        """Take a picture that names the ids of its blobs; ``deleted`` says whether it was in the bin."""
        ...

    def document(self, document: Document) -> None: ...

    def file(self, file: PublishedFile) -> None: ...


class Verifier:
    """A sink that keeps nothing."""

    def blob(self, pieces: Iterator[bytes]) -> str:
        for _ in pieces:
            pass
        return ""

    def user(self, user: User) -> None: ...

    def picture(
        self, picture: PictureRecord, history: Sequence[Revision], permissions: Sequence[Permission]
    ) -> None: ...

    def document(self, document: Document) -> None: ...

    def file(self, file: PublishedFile) -> None: ...


def read_backup(path: Path, sink: Sink, progress: Callable[[int, int], None]) -> dict[str, Any]:
    """Read a whole backup into a sink and return its manifest.

    Raises:
        BackupDamaged: At the first thing that is not as it should be; the sink has seen what came before.
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        return _Reading(file, os.fstat(file.fileno()).st_size, sink, progress).run()


class _Reading:
    def __init__(self, file: BinaryIO, size: int, sink: Sink, progress: Callable[[int, int], None]) -> None:
        self._archive = ArchiveReader(file, size, progress)
        self._sink = sink
        self._users: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._number = 0

    def run(self) -> dict[str, Any]:
        kinds = {"users": self._user, "pictures": self._picture, "documents": self._document, "files": self._file}
        while self._archive.name != SUMS:
            kind = self._archive.name.partition("/")[0]
            if kind not in kinds:
                raise BackupDamaged("it has a member that is not known")
            self._number += 1
            base = f"{kind}/{numbered(self._number)}"
            kinds[kind](base, from_canonical(self._archive.read(f"{base}.json")))
            self._counts[kind] += 1
        self._archive.finish()
        if self._archive.manifest.get("counts") != {kind: self._counts[kind] for kind in COUNTED}:
            raise BackupDamaged("it has another number of records than it says")
        return self._archive.manifest

    def _user(self, base: str, untrusted: dict[str, Any]) -> None:
        if self._counts.keys() - {"users"}:
            raise BackupDamaged(f"{base} comes too late")
        user = records.user_from(untrusted, base)
        if user.id in self._users:
            raise BackupDamaged(f"{base} is an account that came before")
        self._users.add(user.id)
        self._sink.user(user)

    def _picture(self, base: str, untrusted: dict[str, Any]) -> None:
        entry = records.picture_from(untrusted, base)
        self._known(base, entry.picture.owner_id, *(one.user_id for one in entry.permissions))
        ids = {}
        for part in records.BLOBS:
            if part in entry.sizes:
                expected = entry.picture.content_sha256 if part == "content" else None
                ids[part] = self._blob(f"{base}.{part}", entry.sizes[part], expected)
        self._sink.picture(records.with_blobs(entry.picture, ids), entry.history, entry.permissions)

    def _document(self, base: str, untrusted: dict[str, Any]) -> None:
        document, size = records.document_from(untrusted, base)
        self._known(base, document.owner_id)
        value = b"".join(self._archive.stream(f"{base}.value", size))
        self._sink.document(replace(document, value=value))

    def _file(self, base: str, untrusted: dict[str, Any]) -> None:
        file = records.file_from(untrusted, base)
        self._known(base, file.owner_id)
        self._sink.file(replace(file, blob=self._blob(f"{base}.content", file.size)))

    def _blob(self, name: str, size: int, expected: str | None = None) -> str:
        digest = hashlib.sha256()

        def pieces() -> Iterator[bytes]:
            for data in self._archive.stream(name, size):
                digest.update(data)
                yield data

        blob_id = self._sink.blob(pieces())
        if expected not in (None, digest.hexdigest()):
            raise BackupDamaged(f"{name} has another hash than its record says")
        return blob_id

    def _known(self, base: str, *user_ids: str) -> None:
        if not self._users.issuperset(user_ids):
            raise BackupDamaged(f"{base} belongs to an account that is not in it")
