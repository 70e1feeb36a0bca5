"""Opening thumbnail and payload of an envelope (FORMAT.md section 10.1, step 10).

Nothing that is decrypted leaves here before the signed hash matched. Must not import PySide6, the network or anything
of the project but ``desktop.crypto``, ``desktop.errors`` and ``desktop.models``.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from blake3 import blake3

from desktop.crypto.carrier import CarrierReader
from desktop.crypto.carrier_layout import Layout
from desktop.crypto.chunks import Opener, open_bytes
from desktop.crypto.keys import PrivateKey
from desktop.crypto.metadata import Metadata
from desktop.crypto.objects import Header
from desktop.crypto.picture_keys import Revision, check_commitment, wrap_label
from desktop.crypto.safe_write import new_file
from desktop.crypto.sizes import CHUNK, TAG, ciphertext_size, padded_thumbnail
from desktop.crypto.writeback import WritebackFile
from desktop.errors import Cancelled, Damaged, TooLarge
from desktop.models import IsCancelled, Report, never_cancelled, no_report

MEMORY_LIMIT: Final = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ThumbnailKey:
    """What opens one revision's thumbnail and nothing else. A secret like the thumbnail itself.

    Attributes:
        key: 32 bytes.
        aad: What is authenticated with it.
        size: Padded length in bytes.
        b3: BLAKE3 of the ciphertext, as the header says.
    """

    key: bytes = field(repr=False)
    aad: bytes
    size: int
    b3: str

    def open(self, untrusted_thumbnail: bytes) -> bytes:
        """Return the thumbnail (a JPEG; empty when there is none); raises Damaged."""
        thumbnail = open_bytes(self.key, self.aad, untrusted_thumbnail, self.size, self.b3).rstrip(b"\0")
        if padded_thumbnail(len(thumbnail)) != self.size:
            raise Damaged(details="thumbnail padding")
        return thumbnail


class StreamReader(Protocol):
    """What gives the stream of a carrier, whatever file it is in."""

    def read_into(self, target: memoryview) -> None:
        """Fill ``target`` with the next bytes; raises Damaged."""
        ...

    def finish(self, envelope: bytes) -> None:
        """Check that this envelope follows and the rest of the file; raises Damaged."""
        ...


class OpenedEnvelope:
    """An envelope whose picture key is known. Made by ``Envelope.open``.

    Attributes:
        header: What the author signed.
        metadata: The decrypted metadata.
    """

    def __init__(
        self,
        header: Header,
        text: str,
        metadata: Metadata,
        revision: Revision,
        picture_key: bytes,
        owner_key: PrivateKey | None,
    ) -> None:
        """Use ``Envelope.open``."""
        self.header = header
        self.metadata = metadata
        self._text = text
        self._revision = revision
        self._picture_key = picture_key
        self._owner_key = owner_key

    @property
    def picture_key(self) -> bytes:
        """The epoch's picture key, for grants and further revisions; never leaves this program unwrapped."""
        return self._picture_key

    @property
    def thumbnail_key(self) -> ThumbnailKey:
        """What opens the thumbnail alone."""
        part = self.header.thumbnail
        key, aad = self._revision.key(self._picture_key, "thumb"), self._revision.aad("thumb", part.size)
        return ThumbnailKey(key, aad, part.size, part.b3)

    def open_thumbnail(self, untrusted_thumbnail: bytes) -> bytes:
        """Return the thumbnail (a JPEG; empty when there is none); raises Damaged."""
        return self.thumbnail_key.open(untrusted_thumbnail)

    def open_payload(
        self,
        untrusted_carrier: BinaryIO,
        target: Path,
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
    ) -> None:
        """Open a carrier in our own layout into a new file, as a stream.

        Args:
            untrusted_carrier: Binary stream of exactly the carrier. A network stream must raise errors of
                ``desktop.errors`` from ``read``.
            target: Gets its name only when everything matched; nothing is overwritten.
            report: Bytes of plaintext done and in all.
            cancelled: Asked before every chunk.

        Raises:
            Damaged: The carrier is not what the author sealed.
            NameTaken, StorageFull, StorageReadOnly, FileUnreadable: The target cannot be written.
            Cancelled: As asked.
        """
        self.open_stream(lambda: CarrierReader(untrusted_carrier, self._layout()), target, report, cancelled)

    def open_stream(
        self, start: Callable[[], StreamReader], target: Path, report: Report, cancelled: IsCancelled
    ) -> None:
        """Open what a reader gives, as :meth:`open_payload`; ``start`` makes the reader."""
        buffer = memoryview(bytearray(min(CHUNK, self.header.payload.size)))
        with new_file(target) as file:
            self._decrypt(start(), lambda _, length: buffer[:length], WritebackFile(file).write, report, cancelled)

    def open_payload_to_memory(
        self,
        untrusted_carrier: BinaryIO,
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
        *,
        limit: int = MEMORY_LIMIT,
    ) -> bytearray:
        """Open a carrier in our own layout in memory; as :meth:`open_payload`, and raises TooLarge above ``limit``."""
        if self.metadata.size > limit:
            raise TooLarge("This picture is too large to be shown. Export it to open it in another program.")
        # chunks are decrypted right to where they belong, padding included
        data = bytearray(self.header.payload.size)
        with memoryview(data) as view:
            reader = CarrierReader(untrusted_carrier, self._layout())
            self._decrypt(reader, lambda at, length: view[at : at + length], len, report, cancelled)
        del data[self.metadata.size :]
        return data

    def decrypt(
        self,
        untrusted_carrier: BinaryIO,
        emit: Callable[[memoryview], object],
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
    ) -> None:
        """Hand the plaintext on in pieces of 262,144 bytes; as :meth:`open_payload`.

        What ``emit`` gets MUST stay private until this returns: only then did the hashes match.
        """
        buffer = memoryview(bytearray(min(CHUNK, self.header.payload.size)))
        reader = CarrierReader(untrusted_carrier, self._layout())
        self._decrypt(reader, lambda _, length: buffer[:length], emit, report, cancelled)

    def _layout(self) -> Layout:
        return Layout(ciphertext_size(self.header.payload.size), len(self._text))

    def _decrypt(
        self,
        reader: StreamReader,
        place: Callable[[int, int], memoryview],
        emit: Callable[[memoryview], object],
        report: Report,
        cancelled: IsCancelled,
    ) -> None:
        """Decrypt chunk by chunk to where ``place(offset, length)`` says; ``emit`` gets each without padding.

        Whatever ``emit`` did is private until this returns.
        """
        self.check_wrap()
        part, size = self.header.payload, self.metadata.size
        opener = Opener(
            self._revision.key(self._picture_key, "payload"),
            self._revision.aad("payload", part.size),
            part.size,
            part.b3,
        )
        sealed = memoryview(bytearray(min(CHUNK, part.size) + TAG))
        hasher = blake3()
        done = 0
        while opener.remaining:
            if cancelled():
                raise Cancelled
            chunk = sealed[: opener.next_size]
            reader.read_into(chunk)
            plain = place(done, len(chunk) - TAG)
            opener.open_into(chunk, plain)
            real = plain[: max(0, size - done)]
            if len(real) < len(plain) and plain[len(real) :].tobytes().strip(b"\0"):
                raise Damaged(details="payload padding")
            hasher.update(real)
            emit(real)
            done += len(plain)
            report(min(done, size), size)
        opener.finish()
        reader.finish(self._text.encode("ascii"))
        if not hmac.compare_digest(hasher.hexdigest(), self.metadata.b3):
            raise Damaged(details="plaintext hash")

    def check_wrap(self) -> None:
        """Check that the owner's RSA wrap holds the same key as the vault wrap that opened; raises Damaged.

        Otherwise the deed opens for nobody but this program. Nothing to check for anybody but the owner.
        """
        if self._owner_key is not None:
            deed = self.header.deed
            label = wrap_label(deed.picture_id, deed.epoch, deed.owner, deed.owner)
            wrapped = self._owner_key.unwrap(label, deed.wrap)
            check_commitment(wrapped, deed.kc, deed.picture_id, deed.epoch, deed.owner)
