"""An upload on its way in: its parts stream into blobs that become durable only when everything is right.

Must not import Flask.
"""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, ClassVar

from backend.errors import Invalid, TooLarge
from backend.services.envelope import ENVELOPE_LIMIT, THUMBNAIL_LIMIT
from backend.services.removal import remove_blobs

if TYPE_CHECKING:
    from backend.storage.protocol import BlobWriter, Storage

PERMISSIONS_LIMIT = 4 << 20
"""Bytes of everybody's new permissions: more than 1,000 grants for keys of 4096 bits."""

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class BlobPart:
    """A part that streams into a blob.

    Attributes:
        filename: As the client named it; None when the part came without.
        size: Bytes so far.
        head: The first bytes, for the signature.
    """

    def __init__(self, writer: BlobWriter, *, filename: str | None = None, limit: int | None = None) -> None:
        self.filename = filename
        self.size = 0
        self.head = b""
        self._limit = limit
        self._digest = hashlib.sha256()
        self._writer = writer

    def write(self, data: bytes) -> None:
        """Append bytes; raises TooLarge above the part's limit, StorageError when there is no room."""
        self.size += len(data)
        if self._limit is not None and self.size > self._limit:
            raise TooLarge
        if len(self.head) < len(PNG_SIGNATURE):
            self.head += data[: len(PNG_SIGNATURE) - len(self.head)]
        self._digest.update(data)
        self._writer.write(data)

    def finish(self) -> None:
        """The part is complete."""

    @property
    def sha256(self) -> str:
        """Lower-case hex SHA-256 of the bytes so far."""
        return self._digest.hexdigest()

    def commit(self) -> str:
        """Make the blob durable and return its id."""
        return self._writer.commit()


class TextBlobPart(BlobPart):
    """A part that must be UTF-8 text: the quotient of a classic picture.

    Attributes:
        blank: Whether there was nothing but white space so far.
    """

    def __init__(self, writer: BlobWriter) -> None:
        super().__init__(writer)
        self.blank = True
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def write(self, data: bytes) -> None:
        """Append bytes; raises Invalid when they are not text."""
        text = self._decode(data, final=False)
        self.blank = self.blank and not text.strip()
        super().write(data)

    def finish(self) -> None:
        """The part is complete; raises Invalid when it ends within a character."""
        self._decode(b"", final=True)

    def _decode(self, data: bytes, *, final: bool) -> str:
        try:
            return self._decoder.decode(data, final)
        except UnicodeDecodeError:
            raise Invalid("Quotient data must be text") from None


class TextPart:
    """A short text kept in memory."""

    def __init__(self, limit: int, refusal: str) -> None:
        self._limit = limit
        self._refusal = refusal
        self._data = bytearray()

    def write(self, data: bytes) -> None:
        """Append bytes; raises Invalid above the limit."""
        if len(self._data) + len(data) > self._limit:
            raise Invalid(self._refusal)
        self._data += data

    def finish(self) -> None:
        """The part is complete."""

    @property
    def text(self) -> str:
        """The text; bytes that are no UTF-8 become a sign that no envelope may contain."""
        return self._data.decode("utf-8", "replace")


class IgnoredPart:
    """A field that this server does not know; read past, not kept."""

    def write(self, data: bytes) -> None:
        """Drop bytes."""

    def finish(self) -> None:
        """The part is complete."""


Part = BlobPart | TextPart | IgnoredPart


class Upload:
    """The parts of one upload. Leaving the ``with`` block discards every blob that was not committed by then."""

    FIELDS: ClassVar[frozenset[str]] = frozenset({"imageFile", "quotient", "envelope", "thumbnail"})
    REVISION_FIELDS: ClassVar[frozenset[str]] = frozenset({"imageFile", "envelope", "thumbnail", "permissions"})

    def __init__(
        self, storage: Storage, *, revision: bool = False, admit: Callable[[Upload], None] | None = None
    ) -> None:
        """Prepare.

        Args:
            storage: Where the blobs go.
            revision: Whether the parts are those of a new revision.
            admit: Called before bytes are written as soon as it is known what arrives; raises to refuse it.
        """
        self._storage = storage
        self._fields = self.REVISION_FIELDS if revision else self.FIELDS
        self._admit = admit
        self._open = ExitStack()
        self._seen: set[str] = set()
        self._committed: list[str] = []
        self.image: BlobPart | None = None
        self.quotient: TextBlobPart | None = None
        self.thumbnail: BlobPart | None = None
        self.envelope: TextPart | None = None
        self.permissions: TextPart | None = None

    def __enter__(self) -> Upload:
        return self

    def __exit__(self, *exc: object) -> None:
        self._open.close()

    def begin(self, field: str | None, filename: str | None) -> Part:
        """Begin a part. A picture without a file name is no file, so it is read past like an unknown field.

        Raises:
            Invalid: The field came before.
            StorageError: No blob can be begun.
            BackendError: From ``admit``.
        """
        if field not in self._fields or (field == "imageFile" and not filename):
            return IgnoredPart()
        if field in self._seen:
            raise Invalid(f"{field} was sent twice")
        self._seen.add(field)
        if field == "envelope":
            self.envelope = TextPart(ENVELOPE_LIMIT, "Envelope is invalid")
            return self.envelope
        if field == "permissions":
            self.permissions = TextPart(PERMISSIONS_LIMIT, "Permissions are invalid")
            return self.permissions
        if self._admit is not None and (self.envelope is not None or field == "quotient"):
            self._admit(self)
            self._admit = None
        writer = self._open.enter_context(self._storage.write_blob())
        if field == "quotient":
            self.quotient = TextBlobPart(writer)
            return self.quotient
        if field == "thumbnail":
            self.thumbnail = BlobPart(writer, limit=THUMBNAIL_LIMIT)
            return self.thumbnail
        self.image = BlobPart(writer, filename=filename)
        return self.image

    def commit(self, part: BlobPart | None) -> str:
        """Make a part durable and return its blob id; an absent part has none."""
        if part is None:
            return ""
        blob_id = part.commit()
        self._committed.append(blob_id)
        return blob_id

    def withdraw(self) -> None:
        """Remove what was committed, because no record will name it. A blob that cannot be removed now is an orphan,
        collected at the next start."""
        remove_blobs(self._storage, self._committed)
        self._committed.clear()
