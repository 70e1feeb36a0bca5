"""The file of a backup: an uncompressed tar (compressing noise gains nothing) in one exact form.

Members, in this order::

    manifest.json             format, version, counts, size, hashes; padded with blanks to 4096 bytes
    users/0000000001.json     one record each, numbered through all kinds
    pictures/0000000002.json  a picture with its history and permissions, and right after it its blobs:
    pictures/0000000002.content   .quotient   .thumbnail
    documents/….json  .value      files/….json  .content
    SHA256SUMS                a line for each member above but the manifest, as sha256sum(1) reads it

Every byte is determined by the records, so a reader accepts exactly one spelling: headers are compared whole, names are
the expected ones, no member is read for its name. Sizes are bounded before memory is taken. Must not import Flask or an
engine.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO, Final

from backend.storage.protocol import StorageError

FORMAT: Final = "glassine-backup"
VERSION: Final = 1
BLOCK: Final = 512
MANIFEST: Final = "manifest.json"
MANIFEST_BYTES: Final = 4096
SUMS: Final = "SHA256SUMS"
RECORD_LIMIT: Final = 64 << 20
"""Bytes of a record as JSON: more than the longest history and the grants of a picture, every quote escaped."""
CHUNK: Final = 1 << 20
_END: Final = bytes(2 * BLOCK)


class BackupDamaged(Exception):
    """The file is no complete backup of this form; the text says what is wrong."""


class SourceChanged(Exception):
    """What is being backed up has another size than it had, or is gone."""


def canonical(record: Mapping[str, Any]) -> bytes:
    """The one encoding of a record."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "surrogatepass")


def from_canonical(untrusted_data: bytes) -> dict[str, Any]:
    """Read a record.

    Raises:
        BackupDamaged: It is not what :func:`canonical` would write.
    """
    try:
        record = json.loads(untrusted_data.decode("utf-8", "surrogatepass"))
        if isinstance(record, dict) and canonical(record) == untrusted_data:
            return record
    except (ValueError, RecursionError):
        pass
    raise BackupDamaged("a record cannot be read")


def member_header(name: str, size: int) -> bytes:
    """The tar header of a member: nothing in it but name and size depends on anything."""
    about = tarfile.TarInfo(name)
    about.size = size
    about.mode = 0o600
    return about.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> int:
    return -size % BLOCK


def _seal(manifest: Mapping[str, Any]) -> bytes:
    return canonical({**manifest, "manifest_sha256": hashlib.sha256(canonical(manifest)).hexdigest()})


class ArchiveWriter:
    """Writes a backup into a seekable file that is still empty."""

    def __init__(self, file: BinaryIO, sums: BinaryIO) -> None:
        """``sums`` is an empty file of its own for the list of hashes, which may become long."""
        self._file = file
        self._sums = sums
        self._digest = hashlib.sha256()
        self._pending: list[bytes] = []
        self.members = 0
        self._place = BLOCK + MANIFEST_BYTES
        file.seek(self._place)
        self._mark = self._place

    def begin(self) -> None:
        """Begin an entry: a record with its blobs, which is kept whole or dropped whole."""
        self._pending.clear()
        self._mark = self._place

    def keep(self) -> None:
        """Keep the entry."""
        for line in self._pending:
            self._sums.write(line)
            self._digest.update(line)
        self.members += len(self._pending)
        self.begin()

    def drop(self) -> None:
        """Forget the entry as if it had never begun."""
        self._file.seek(self._mark)
        self._file.truncate()
        self._place = self._mark
        self.begin()

    def write(self, name: str, data: bytes) -> None:
        """Add a member."""
        self._put(member_header(name, len(data)))
        self._put(data + bytes(_padding(len(data))))
        self._pending.append(_sum_line(hashlib.sha256(data).hexdigest(), name))

    def copy(self, name: str, source: BinaryIO, size: int) -> str:
        """Add a member from a file and return its SHA-256. Raises SourceChanged when it is shorter or longer, or goes
        while it is read."""
        self._put(member_header(name, size))
        digest = hashlib.sha256()
        rest = size
        while rest:
            try:
                data = source.read(min(CHUNK, rest))
            except StorageError as error:
                if error.reason != "damaged":
                    raise
                raise SourceChanged from error
            if not data:
                raise SourceChanged
            digest.update(data)
            self._put(data)
            rest -= len(data)
        if source.read(1):
            raise SourceChanged
        self._put(bytes(_padding(size)))
        self._pending.append(_sum_line(digest.hexdigest(), name))
        return digest.hexdigest()

    def finish(self, about: Mapping[str, Any]) -> dict[str, Any]:
        """Write the list of hashes and the manifest, and return the manifest."""
        size = self._sums.tell()
        self._sums.seek(0)
        self._put(member_header(SUMS, size))
        while data := self._sums.read(CHUNK):
            self._put(data)
        self._put(bytes(_padding(size)) + _END)
        manifest = {
            **about,
            "format": FORMAT,
            "version": VERSION,
            "members": self.members,
            "bytes": self._place,
            "sums_sha256": self._digest.hexdigest(),
        }
        sealed = _seal(manifest)
        self._file.seek(0)
        self._file.write(member_header(MANIFEST, MANIFEST_BYTES) + sealed.ljust(MANIFEST_BYTES))
        return manifest

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self._place += len(data)


class ArchiveReader:
    """Reads a backup from its beginning to its end, once. Every method raises BackupDamaged."""

    def __init__(self, untrusted_file: BinaryIO, size: int, progress: Callable[[int, int], None]) -> None:
        """Read the manifest. ``size`` is that of the file in bytes."""
        self._file = untrusted_file
        self._left = size
        self._size = size
        self._progress = progress
        self._digest = hashlib.sha256()
        self._sums_size = 0
        self.members = 0
        self._next = self._read_header() if size else None
        if self._next != (MANIFEST, MANIFEST_BYTES):
            raise BackupDamaged("it is not a backup of Glassine")
        self.manifest = self._read_manifest()
        self._next = self._read_header()

    @property
    def name(self) -> str:
        """The next member's name."""
        return self._next[0] if self._next else ""

    def read(self, name: str) -> bytes:
        """Return the next member, which must have this name."""
        size = self._expect(name)
        if size > RECORD_LIMIT:
            raise BackupDamaged("a record is too large")
        return b"".join(self._content(name, size))

    def stream(self, name: str, size: int | None = None) -> Iterator[bytes]:
        """Yield the pieces of the next member, which must have this name and, unless None, this size in bytes."""
        found = self._expect(name)
        if size not in (None, found):
            raise BackupDamaged(f"{name} has another size than its record says")
        return self._content(name, found)

    def finish(self) -> None:
        """Read the end: the hashes and the counts agree with what was read, and nothing follows."""
        if self._expect(SUMS) != self._sums_size:
            raise BackupDamaged("its list of hashes does not fit")
        listed = hashlib.sha256()
        for data in self._pieces(self._sums_size):
            listed.update(data)
        if not listed.digest() == self._digest.digest() == bytes.fromhex(self.manifest["sums_sha256"]):
            raise BackupDamaged("its contents do not match their hashes")
        if self.members != self.manifest["members"]:
            raise BackupDamaged("it has another number of members than it says")
        if self._left != len(_END) or self._take(len(_END)) != _END:
            raise BackupDamaged("it does not end where it should")

    def _read_manifest(self) -> dict[str, Any]:
        sealed = from_canonical(self._take(MANIFEST_BYTES).rstrip(b" "))
        claimed = sealed.pop("manifest_sha256", None)
        if sealed.get("format") != FORMAT:
            raise BackupDamaged("it is not a backup of Glassine")
        if sealed.get("version") != VERSION:
            raise BackupDamaged("it was written by a newer version of Glassine")
        if claimed != hashlib.sha256(canonical(sealed)).hexdigest():
            raise BackupDamaged("its manifest does not match its hash")
        if not isinstance(sealed.get("sums_sha256"), str) or len(sealed["sums_sha256"]) != 64:
            raise BackupDamaged("its manifest is not complete")
        if sealed.get("bytes") != self._size:
            shorter = isinstance(sealed.get("bytes"), int) and self._size < sealed["bytes"]
            raise BackupDamaged("its end is missing" if shorter else "it is longer than it says")
        return sealed

    def _read_header(self) -> tuple[str, int]:
        block = self._take(BLOCK)
        try:
            about = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
            name, size = about.name, about.size
            exact = size >= 0 and member_header(name, size) == block
        except (tarfile.HeaderError, ValueError):
            exact = False
        if not exact:
            raise BackupDamaged("a member's header is not as it should be")
        return name, size

    def _expect(self, name: str) -> int:
        if self._next is None or self._next[0] != name:
            raise BackupDamaged(f"{name} is not where it should be")
        return self._next[1]

    def _content(self, name: str, size: int) -> Iterator[bytes]:
        digest = hashlib.sha256()
        for data in self._pieces(size):
            digest.update(data)
            yield data
        line = _sum_line(digest.hexdigest(), name)
        self._digest.update(line)
        self._sums_size += len(line)
        self.members += 1
        self._next = self._read_header()

    def _pieces(self, size: int) -> Iterator[bytes]:
        if size > self._left:
            raise BackupDamaged("its end is missing")
        rest = size
        while rest:
            data = self._take(min(CHUNK, rest))
            rest -= len(data)
            yield data
        if any(self._take(_padding(size))):
            raise BackupDamaged("there is something between two members")

    def _take(self, size: int) -> bytes:
        data = self._file.read(size) if size <= self._left else b""
        if len(data) != size:
            raise BackupDamaged("its end is missing")
        self._left -= size
        self._progress(self._size - self._left, self._size)
        return data


def _sum_line(digest: str, name: str) -> bytes:
    return f"{digest}  {name}\n".encode()
