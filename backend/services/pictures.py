"""Pictures: storing, listing, finding, deleting. The server never decodes one. Must not import Flask."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from os import SEEK_END
from typing import BinaryIO

from backend.errors import Conflict, ImageNotFound, Invalid, NotAuthorized, StoredDataMissing
from backend.services.envelope import EnvelopeIndex, index_envelope
from backend.services.names import candidates, picture_stem, stored_name
from backend.services.uploads import PNG_SIGNATURE, BlobPart, Upload
from backend.storage.protocol import DuplicateRecord, PictureRecord, Storage, StorageError

logger = logging.getLogger(__name__)

PAGE = 500
"""Records fetched at once when all of somebody's pictures are walked."""

SEALED = "sealed"
CLASSIC = "classic"


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of an upload.

    Attributes:
        picture: The record.
        created: False when the very same sealed picture was there already.
    """

    picture: PictureRecord
    created: bool


def utc_now() -> datetime:
    """The time as records keep it: naive UTC in whole milliseconds."""
    now = datetime.now(UTC).replace(tzinfo=None)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


class Pictures:
    """Everybody's pictures. Every method may be called from several threads."""

    def __init__(self, storage: Storage, now: Callable[[], datetime] = utc_now) -> None:
        self._storage = storage
        self._now = now

    # -- storing --

    def begin_upload(self) -> Upload:
        """Begin to take an upload in; its parts stream to storage."""
        return Upload(self._storage)

    def store(self, owner_id: str, upload: Upload) -> Stored:
        """Keep a complete upload.

        Raises:
            Invalid: Something is missing or not allowed; all that is missing is named.
            Conflict: Another version of this sealed picture, or another picture of its name, is there.
            StorageError: It could not be kept; nothing of it stays.
        """
        image, stem = self._check(upload)
        if upload.envelope is not None:
            envelope = upload.envelope.text
            index = index_envelope(envelope)
            if stem != f"p-{index.picture_id}":
                raise Invalid("Image file must be named p-<picture id>.png as in the envelope")
            return self._store_sealed(owner_id, upload, image, envelope, index)
        return Stored(self._store_classic(owner_id, upload, image, stem), created=True)

    def _check(self, upload: Upload) -> tuple[BlobPart, str]:
        problems, stem = [], ""
        if upload.image is None:
            problems.append("Image file is required")
        elif upload.image.head != PNG_SIGNATURE:
            problems.append("PNG images only!")
        else:
            try:
                stem = picture_stem(upload.image.filename or "")
            except Invalid as problem:
                problems.append(problem.message)
        if upload.envelope is None:
            if upload.quotient is None or upload.quotient.blank:
                problems.append("Quotient data is required")
        elif upload.quotient is not None:
            problems.append("Send either a quotient or an envelope")
        elif upload.thumbnail is None or not upload.thumbnail.size:
            problems.append("Thumbnail is required")
        if problems or upload.image is None:
            raise Invalid(", ".join(problems))
        return upload.image, stem

    def _store_sealed(
        self, owner_id: str, upload: Upload, image: BlobPart, envelope: str, index: EnvelopeIndex
    ) -> Stored:
        name = stored_name(f"p-{index.picture_id}")
        known = self._known(owner_id, name, index)
        if known is not None:
            return known
        draft = self._draft(owner_id, image, SEALED)
        draft = replace(draft, name=name, envelope=envelope, header_hash=index.header_hash)
        try:
            return Stored(self._add(draft, upload, image, [name]), created=True)
        except DuplicateRecord:
            pass
        # Somebody else stored it in between. If it was deleted again already, the upload may simply be repeated.
        known = self._known(owner_id, name, index)
        if known is None:
            raise Conflict("This picture was changed at the same time")
        return known

    def _known(self, owner_id: str, name: str, index: EnvelopeIndex) -> Stored | None:
        existing = self._storage.picture(owner_id, name)
        if existing is None:
            return None
        if existing.header_hash != index.header_hash:
            raise Conflict("Another version of this picture is already stored")
        return Stored(existing, created=False)

    def _store_classic(self, owner_id: str, upload: Upload, image: BlobPart, stem: str) -> PictureRecord:
        return self._add(self._draft(owner_id, image, CLASSIC), upload, image, candidates(stem, self._now()))

    def _draft(self, owner_id: str, image: BlobPart, scheme: str) -> PictureRecord:
        return PictureRecord(
            id="", owner_id=owner_id, name="", scheme=scheme, size=image.size, created=self._now(), content_blob="",
            content_sha256=image.sha256,
        )  # fmt: skip

    def _add(
        self, draft: PictureRecord, upload: Upload, image: BlobPart, names: Sequence[str] | Iterator[str]
    ) -> PictureRecord:
        """Make the blobs durable, then add the record under the first free name; on failure nothing stays."""
        record = draft
        try:
            draft = replace(
                draft,
                content_blob=upload.commit(image),
                quotient_blob=upload.commit(upload.quotient),
                thumbnail_blob=upload.commit(upload.thumbnail) if draft.scheme == SEALED else "",
            )
            for name in names:
                record = replace(draft, id=self._storage.new_id(), name=name)
                try:
                    self._storage.add_picture(record)
                except DuplicateRecord:
                    continue
                return record
        except BaseException:
            if not self._may_be_there(record):
                upload.withdraw()
            raise
        upload.withdraw()
        raise DuplicateRecord

    def _may_be_there(self, record: PictureRecord) -> bool:
        """Whether a failed attempt to add may have added. If even that cannot be read, the blobs stay: an orphan is
        collected at the next start, a record without its bytes would be a lost picture."""
        if not record.name:
            return False
        try:
            found = self._storage.picture(record.owner_id, record.name)
        except StorageError:
            return True
        return found is not None and found.content_blob == record.content_blob

    # -- reading --

    def page(self, owner_id: str, *, after: str = "", limit: int | None = None) -> list[PictureRecord]:
        """One page of an owner's pictures in the order they were stored."""
        return self._storage.pictures(owner_id, after=after, limit=limit)

    def walk(self, owner_id: str) -> Iterator[PictureRecord]:
        """All of an owner's pictures in the order they were stored, a page at a time."""
        after = ""
        while True:
            page = self._storage.pictures(owner_id, after=after, limit=PAGE)
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].id

    def count(self, owner_id: str) -> int:
        """How many pictures an owner has."""
        return self._storage.count_pictures(owner_id)

    def get(self, reader_id: str, owner_id: str, stem: str) -> PictureRecord:
        """A picture that somebody may read.

        Raises:
            ImageNotFound: The owner has no such picture.
            NotAuthorized: The picture is not shared with the reader.
        """
        picture = self._storage.picture(owner_id, stored_name(stem))
        if picture is None:
            raise ImageNotFound
        if not self._may_read(reader_id, picture):
            raise NotAuthorized
        return picture

    def thumbnails(self, reader_id: str, owner_id: str, stems: Sequence[str]) -> list[bytes | None]:
        """The encrypted thumbnails of many pictures in the order asked; None for what is not there for this reader."""
        names = [stored_name(stem) for stem in stems]
        found = {picture.name: picture for picture in self._storage.pictures_named(owner_id, names)}
        return [self._thumbnail(reader_id, found.get(name)) for name in names]

    def open(self, blob_id: str) -> BinaryIO:
        """Open a blob that a record names.

        Raises:
            ImageNotFound: The record has no such blob, or the picture was deleted a moment ago.
        """
        blob = self._storage.open_blob(blob_id) if blob_id else None
        if blob is None:
            raise ImageNotFound
        return blob

    def open_stored(self, picture: PictureRecord) -> BinaryIO:
        """Open a picture's PNG.

        Raises:
            ImageNotFound: It was deleted a moment ago.
            StoredDataMissing: The record is there and its bytes are not, or not as many.
        """
        blob = self._storage.open_blob(picture.content_blob)
        if blob is not None:
            if blob.seek(0, SEEK_END) == picture.size:
                blob.seek(0)
                return blob
            blob.close()
        elif self._storage.picture(picture.owner_id, picture.name) is None:
            raise ImageNotFound
        logger.error("Picture %s names a blob that is not there, or is of another size", picture.id)
        raise StoredDataMissing

    def _may_read(self, reader_id: str, picture: PictureRecord) -> bool:
        return reader_id == picture.owner_id or self._storage.permission(picture.id, reader_id) is not None

    def _thumbnail(self, reader_id: str, picture: PictureRecord | None) -> bytes | None:
        if picture is None or not picture.thumbnail_blob or not self._may_read(reader_id, picture):
            return None
        blob = self._storage.open_blob(picture.thumbnail_blob)
        if blob is None:
            return None
        with blob:
            return blob.read()

    # -- deleting --

    def delete(self, owner_id: str, stem: str) -> None:
        """Delete a picture with its permissions.

        The record goes first: from then on the picture is gone, and bytes that cannot be removed are orphans which the
        next start collects.

        Raises:
            ImageNotFound: The owner has no such picture, or somebody else deleted it at the same moment.
        """
        found = self._storage.picture(owner_id, stored_name(stem))
        picture = None if found is None else self._storage.remove_picture(found.id)
        if picture is None:
            raise ImageNotFound
        for blob_id in picture.blobs:
            try:
                self._storage.remove_blob(blob_id)
            except StorageError as error:
                logger.warning("A deleted picture's bytes stay until the next start: %s", error)
