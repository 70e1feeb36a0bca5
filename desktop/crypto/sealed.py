"""Sealing pictures: a file becomes a carrier, an envelope and an encrypted thumbnail.

Together with what it re-exports this is what the rest of the program uses of the sealed scheme. Keys, nonces and salts
are made inside. Must not import PySide6, the network or anything of the project but ``desktop.crypto``,
``desktop.errors`` and ``desktop.models``.
"""

from __future__ import annotations

import io
import os
import secrets
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from blake3 import blake3

from desktop.crypto import canonical
from desktop.crypto.carrier import CarrierWriter
from desktop.crypto.draft import NO_HASH, Draft
from desktop.crypto.envelope import Envelope, parse_grant, read_envelope
from desktop.crypto.keys import PrivateKey
from desktop.crypto.local_carrier import OpenedFile, open_carrier, read_carrier_envelope
from desktop.crypto.metadata import Metadata, safe_name
from desktop.crypto.objects import object_hash
from desktop.crypto.opened import OpenedEnvelope
from desktop.crypto.plans import Plan, first_revision
from desktop.crypto.safe_write import new_file, reading_error
from desktop.crypto.sizes import CHUNK, MAX_PAYLOAD, MAX_THUMBNAIL, padded_payload
from desktop.crypto.writeback import WritebackFile
from desktop.errors import Cancelled, FileUnreadable, SourceChanged, TooLarge
from desktop.models import IsCancelled, Report, never_cancelled, no_report

__all__ = [
    "Envelope",
    "Metadata",
    "OpenedEnvelope",
    "OpenedFile",
    "Plan",
    "Sealed",
    "new_picture_id",
    "open_carrier",
    "parse_grant",
    "read_carrier_envelope",
    "read_envelope",
    "safe_name",
    "seal",
]


@dataclass(frozen=True)
class Sealed:
    """What sealing made.

    Attributes:
        picture_id: 32 hex digits.
        envelope: The canonical text to store beside the carrier.
        header_hash: 64 hex digits.
        carrier: The file of noise.
        carrier_size: Its length in bytes.
        thumbnail: The encrypted thumbnail.
        metadata: What was encrypted about the picture.
    """

    picture_id: str
    envelope: str
    header_hash: str
    carrier: Path
    carrier_size: int
    thumbnail: bytes
    metadata: Metadata


def new_picture_id() -> str:
    """Return 128 random bits as hex."""
    return secrets.token_hex(16)


def seal(
    source: Path | bytes | bytearray,
    carrier: Path,
    key: PrivateKey,
    *,
    name: str,
    media_type: str,
    width: int,
    height: int,
    taken: str,
    thumbnail: bytes,
    picture_id: str | None = None,
    plan: Plan | None = None,
    report: Report = no_report,
    cancelled: IsCancelled = never_cancelled,
) -> Sealed:
    """Seal a file as the first revision of a new picture, or as the revision of one that is planned, as a stream.

    Args:
        source: The file, read once; or its content, for what must not touch the disk, such as an edited picture.
        carrier: Gets its name only when it is complete and on the disk; nothing is overwritten.
        key: The author's key pair: the owner's, or a writer's when the plan says so.
        name: File name to remember; made safe first.
        media_type: Such as ``image/jpeg``.
        width: Pixels after orientation, 0 if unknown.
        height: Pixels after orientation, 0 if unknown.
        taken: ``YYYY-MM-DDTHH:MM:SS`` or empty.
        thumbnail: A JPEG of at most 262,144 bytes, or empty.
        picture_id: Of a new picture; made anew if None.
        plan: Where the revision stands, from ``desktop.crypto.plans``; None for a new picture.
        report: Bytes of the source done and in all.
        cancelled: Asked before every chunk.

    Raises:
        SourceChanged: The source changed meanwhile.
        TooLarge, FileUnreadable: The source or the thumbnail cannot be taken.
        NameTaken, StorageFull, StorageReadOnly: The carrier cannot be written.
        NoGrant: The plan is another author's.
        Cancelled: As asked.
    """
    check_thumbnail(thumbnail)
    with _open_source(source) as file:
        before = _state(file)
        if padded_payload(before[0]) > MAX_PAYLOAD:
            what = source.name if isinstance(source, Path) else "This picture"
            raise TooLarge(f"{what} is larger than {MAX_PAYLOAD // 10**6} MB, which is the most Glassine takes.")
        metadata = Metadata(safe_name(name), media_type, before[0], NO_HASH, width, height, taken)
        draft = Draft(key, plan or first_revision(key, picture_id or new_picture_id()), metadata, thumbnail)
        with new_file(carrier) as out, CarrierWriter(WritebackFile(out).write, draft.layout()) as writer:
            b3, payload = _seal_payload(file, writer, draft, report, cancelled)
            if _state(file) != before:
                raise SourceChanged
            return finish(draft, replace(metadata, b3=b3), payload, writer, carrier)


def check_thumbnail(thumbnail: bytes) -> None:
    """Check a thumbnail that is to be sealed; raises TooLarge."""
    if len(thumbnail) > MAX_THUMBNAIL:
        raise TooLarge("The preview of this picture is too large.")
    if thumbnail.endswith(b"\0"):
        raise ValueError("a JPEG does not end in a zero byte")


def finish(draft: Draft, metadata: Metadata, payload_b3: str, writer: CarrierWriter, carrier: Path) -> Sealed:
    """Sign the header, write what follows the payload, and return what was made."""
    header = draft.header(metadata, payload_b3)
    envelope = canonical.encode(header)
    writer.write(envelope)
    writer.finish()
    return Sealed(
        picture_id=draft.revision.picture_id,
        envelope=envelope.decode("ascii"),
        header_hash=object_hash(header["body"]),
        carrier=carrier,
        carrier_size=draft.layout().file_size,
        thumbnail=draft.thumbnail,
        metadata=metadata,
    )


def _open_source(source: Path | bytes | bytearray) -> io.FileIO | io.BytesIO:
    if not isinstance(source, Path):
        return io.BytesIO(source)

    def opener(path: str, flags: int) -> int:
        # not blocking: a named pipe must not hang the program
        return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))

    try:
        return io.FileIO(source, "rb", opener=opener)
    except OSError as problem:
        raise reading_error(problem, source) from None


def _path(file: io.FileIO | io.BytesIO) -> Path:
    return Path("picture") if isinstance(file, io.BytesIO) else Path(file.name)


def _state(file: io.FileIO | io.BytesIO) -> tuple[int, int]:
    """Return size and time of the last change; raises FileUnreadable for what is no file."""
    if isinstance(file, io.BytesIO):
        return file.getbuffer().nbytes, 0
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise FileUnreadable(f"{_path(file).name} is not a file.")
    return status.st_size, status.st_mtime_ns


def _seal_payload(
    file: io.FileIO | io.BytesIO, writer: CarrierWriter, draft: Draft, report: Report, cancelled: IsCancelled
) -> tuple[str, str]:
    """Encrypt the source into the carrier; return the hashes of plaintext and ciphertext."""
    size = draft.metadata.size
    sealer = draft.sealer()
    buffer = memoryview(bytearray(min(CHUNK, draft.payload_size)))
    hasher = blake3()
    for at in range(0, draft.payload_size, CHUNK):
        if cancelled():
            raise Cancelled
        length = min(CHUNK, draft.payload_size - at)
        real = buffer[: max(0, min(length, size - at))]
        _fill(file, real)
        hasher.update(real)
        buffer[len(real) : length] = bytes(length - len(real))
        writer.write(sealer.seal(buffer[:length]))
        report(min(at + length, size), size)
    if file.read(1):
        raise SourceChanged
    return hasher.hexdigest(), sealer.hexdigest()


def _fill(file: io.FileIO | io.BytesIO, target: memoryview) -> None:
    while target:
        try:
            count = file.readinto(target)
        except OSError as problem:
            raise reading_error(problem, _path(file)) from None
        if not count:
            raise SourceChanged
        target = target[count:]
