"""Opening sealed pictures that are loose files (FORMAT.md section 9.4).

A file in our own layout is read as a stream. One that an optimiser compressed again is decoded by Pillow, but only
after everything that bounds the work was checked. Must not import PySide6, the network or anything of the project but
``desktop.crypto``, ``desktop.errors`` and ``desktop.models``.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from desktop.crypto import canonical
from desktop.crypto.carrier import CarrierReader
from desktop.crypto.carrier_layout import BLOCK_HEADER, HEAD_BYTES, PREFIX_BYTES, SIGNATURE, Layout
from desktop.crypto.envelope import parse_grant, read_envelope
from desktop.crypto.keys import PrivateKey, PublicKey
from desktop.crypto.metadata import Metadata
from desktop.crypto.opened import StreamReader
from desktop.crypto.recompressed import RecompressedReader
from desktop.crypto.safe_write import reading_error, release, sync_folder, temporary_name, writing_error
from desktop.errors import Damaged, FileUnreadable, NotAuthentic, TooLarge, Unsupported, WrongKey
from desktop.models import IsCancelled, Report, never_cancelled, no_report

MAX_FILE: Final = 820_000_000
NAMING_BYTES: Final = 64
"""How much of a picture's start is shown to who names its file."""


def _its_own_name(name: str, head: bytes) -> str:
    return name


@dataclass(frozen=True)
class OpenedFile:
    """What :func:`open_carrier` opened.

    Attributes:
        path: The file written.
        metadata: What was sealed with it.
        author: Fingerprint of who signed this revision.
    """

    path: Path
    metadata: Metadata
    author: str


def read_carrier_envelope(untrusted_path: Path) -> str:
    """Return the envelope inside a local sealed picture, not yet verified.

    Raises:
        Unsupported: The file is no PNG.
        Damaged: It is a PNG, but not a sealed picture, or a damaged one.
        TooLarge: It is larger than any sealed picture.
        FileUnreadable: It cannot be read.
    """
    with _carrier(untrusted_path) as (_, _, envelope):
        return envelope


def open_carrier(
    untrusted_path: Path,
    key: PrivateKey,
    out_folder: Path,
    *,
    owner: PublicKey | None = None,
    untrusted_grant: str = "",
    name_for: Callable[[str, bytes], str] = _its_own_name,
    report: Report = no_report,
    cancelled: IsCancelled = never_cancelled,
) -> OpenedFile:
    """Open a local sealed picture, however losslessly it was compressed again, into a new file under its own name.

    Args:
        untrusted_path: The carrier.
        key: The key to open it with.
        out_folder: Where the picture goes; nothing is overwritten.
        owner: Insist on this owner; None means the owner of ``key``.
        untrusted_grant: The owner's grant for ``key``; empty for one's own pictures, and those one has written.
        name_for: Gives the file's name, from the sealed one and the first bytes of the content.
        report: Bytes of plaintext done and in all.
        cancelled: Asked before every chunk.

    Raises:
        WrongKey: It was sealed for another key.
        NotAuthentic, Damaged, Unsupported, TooLarge: It is not what the owner sealed, or no sealed picture at all.
        NoGrant: The grant is not the owner's, or for another picture, epoch or key.
        NameTaken, StorageFull, StorageReadOnly, FileUnreadable: A file cannot be read or written.
        Cancelled: As asked.
    """
    with _carrier(untrusted_path) as (start, _, text):
        keys = {known.fingerprint: known for known in (key.public, owner) if known is not None}
        claimed_owner, claimed_author = _claims(text)
        if claimed_owner not in keys:
            if claimed_author in keys:
                raise Damaged(details="author and owner do not fit")
            raise WrongKey("This picture was sealed for another key. Choose the key it was sealed with.")
        if owner is not None and claimed_owner != owner.fingerprint:
            raise NotAuthentic("This picture is not signed by the person you named. It is not opened.")
        envelope = read_envelope(text, owner=keys[claimed_owner], author=keys.get(claimed_author))
        opened = envelope.open(key, parse_grant(untrusted_grant) if untrusted_grant else None)
        hidden = temporary_name(out_folder / "picture")
        try:
            opened.open_stream(start, hidden, report, cancelled)
            target = _release(hidden, opened.metadata.name, name_for)
        finally:
            with suppress(OSError):
                hidden.unlink(missing_ok=True)
    return OpenedFile(target, opened.metadata, envelope.author)


def _release(hidden: Path, name: str, name_for: Callable[[str, bytes], str]) -> Path:
    target = hidden.with_name(name)
    try:
        with hidden.open("rb") as file:
            target = hidden.with_name(name_for(name, file.read(NAMING_BYTES)))
        release(hidden, target)
    except OSError as problem:
        raise writing_error(problem, target) from None
    sync_folder(target.parent)
    return target


def _claims(untrusted_envelope: str) -> tuple[str, str]:
    """Return whose an envelope says it is (owner, author): only to choose the keys to verify it with."""
    body = canonical.get_object(canonical.parse(untrusted_envelope), "body")
    deed = canonical.get_object(canonical.get_object(body, "deed"), "body")
    return canonical.get_text(deed, "owner"), canonical.get_text(body, "author")


@contextmanager
def _carrier(untrusted_path: Path) -> Iterator[tuple[Callable[[], StreamReader], Layout, str]]:
    """Give a way to start reading, the layout and the envelope of a local file."""
    try:
        # a named pipe would hang the program
        if not stat.S_ISREG(untrusted_path.stat().st_mode):
            raise FileUnreadable(f"{untrusted_path.name} is not a file.")
        file = _LocalFile(untrusted_path)
    except OSError as problem:
        raise reading_error(problem, untrusted_path) from None
    with file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(HEAD_BYTES + BLOCK_HEADER + 1 + PREFIX_BYTES)
        if not head.startswith(SIGNATURE):
            raise Unsupported(f"{untrusted_path.name} is not a sealed picture.")
        if size > MAX_FILE:
            raise TooLarge(f"{untrusted_path.name} is larger than any sealed picture.")
        layout = _own_layout(head, size)
        if layout is not None:
            yield lambda: _from_start(file, layout), layout, _ascii(_envelope_at_its_place(file, layout))
            return
        reader = RecompressedReader(file, size)
        yield lambda: reader, reader.layout, _ascii(reader.envelope())


class _LocalFile(io.BufferedReader):
    """A local file whose read errors say that it could not be read, also while another one is written."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self._path = path

    def read(self, size: int | None = -1, /) -> bytes:
        try:
            return super().read(size)
        except OSError as problem:
            raise reading_error(problem, self._path) from None


def _own_layout(head: bytes, size: int) -> Layout | None:
    try:
        layout = Layout.from_prefix(head[-PREFIX_BYTES:])
    except Damaged:
        return None
    return layout if head.startswith(layout.head) and size == layout.file_size else None


def _from_start(file: BinaryIO, layout: Layout) -> CarrierReader:
    file.seek(0)
    return CarrierReader(file, layout)


def _envelope_at_its_place(file: BinaryIO, layout: Layout) -> bytes:
    position, left = PREFIX_BYTES + layout.payload, layout.envelope
    pieces = []
    while left:
        length = min(left, layout.row - position % layout.row)
        file.seek(layout.offset(position))
        pieces.append(file.read(length))
        position += length
        left -= length
    return b"".join(pieces)


def _ascii(envelope: bytes) -> str:
    try:
        return envelope.decode("ascii")
    except UnicodeDecodeError:
        raise Damaged(details="envelope is not ASCII") from None
