"""Pictures: storing, listing, finding, deleting. The server never decodes one. Must not import Flask."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from os import SEEK_END
from typing import TYPE_CHECKING, BinaryIO

from backend.errors import ImageNotFound, NotAuthorized, PictureReplaced, StoredDataMissing
from backend.services.bin import Bin
from backend.services.clock import utc_now
from backend.services.counts import Counts
from backend.services.names import EXTENSION, stored_name
from backend.services.paging import PAGE, walk
from backend.services.quota import Quota
from backend.services.revisions import Revisions
from backend.services.storing import CLASSIC, SEALED, Stored, Storing
from backend.storage.protocol import PictureRecord, Storage

if TYPE_CHECKING:
    from backend.config import Config
    from backend.services.uploads import Upload

__all__ = ["CLASSIC", "SEALED", "Pictures", "Stored", "utc_now"]

logger = logging.getLogger(__name__)


class Pictures:
    """Everybody's pictures. Every method may be called from several threads.

    Attributes:
        quota: What accounts may store.
        revisions: New revisions of sealed pictures.
        bin: Deleted pictures.
    """

    def __init__(self, storage: Storage, config: Config, now: Callable[[], datetime] = utc_now) -> None:
        self._storage = storage
        self.quota = Quota(storage, config)
        self._storing = Storing(storage, self.quota, now)
        self.revisions = Revisions(storage, self.quota, self._storing, now)
        self._counts = Counts(storage)
        self.bin = Bin(storage, self.quota, self._storing, config.bin_days, now)

    # -- storing --

    def begin_upload(self, owner_id: str = "", body_length: int | None = None) -> Upload:
        """Begin to take an upload of so many bytes (None: not known) in; its parts stream to storage."""
        return self._storing.begin(owner_id, body_length)

    def store(self, owner_id: str, upload: Upload) -> Stored:
        """Keep a complete upload (see :meth:`Storing.store`)."""
        return self._storing.store(owner_id, upload)

    # -- reading --

    def page(self, owner_id: str, *, after: str, limit: int) -> tuple[list[PictureRecord], int]:
        """One page of an owner's pictures in the order they were stored, and how many there are in all; between the
        first page and the last that number may be some seconds old."""
        total = self._counts.get(owner_id, within=bool(after))
        found = self._storage.pictures(owner_id, after=after, limit=limit)
        if after and len(found) < limit:  # the last page: counted before it is read, as the first
            total = self._counts.get(owner_id)
            found = self._storage.pictures(owner_id, after=after, limit=limit)
        return found, total

    def walk(self, owner_id: str) -> Iterator[PictureRecord]:
        """All of an owner's pictures in the order they were stored, a page at a time."""
        return walk(lambda after: self._storage.pictures(owner_id, after=after, limit=PAGE))

    def count(self, owner_id: str) -> int:
        """How many pictures an owner has."""
        return self._counts.get(owner_id)

    def get(self, reader_id: str, owner_id: str, stem: str) -> PictureRecord:
        """A picture that somebody may read.

        Raises:
            ImageNotFound: The owner has no such picture.
            NotAuthorized: The picture is not shared with the reader.
        """
        picture = self._picture(owner_id, stem)
        if not self._may_read(reader_id, picture):
            raise NotAuthorized
        return picture

    def again(self, picture: PictureRecord) -> PictureRecord:
        """The present record of a picture; raises ImageNotFound."""
        return self._picture(picture.owner_id, picture.name.removesuffix(EXTENSION))

    def thumbnails(self, reader_id: str, owner_id: str, stems: Sequence[str]) -> list[bytes | None]:
        """The encrypted thumbnails of many pictures in the order asked; None for what is not there for this reader."""
        names = [stored_name(stem) for stem in stems]
        found = {picture.name: picture for picture in self._storage.pictures_named(owner_id, names)}
        return [self._thumbnail(reader_id, found.get(name)) for name in names]

    def binned_thumbnails(self, owner_id: str, picture_ids: Sequence[str]) -> list[bytes | None]:
        """Likewise for pictures in the owner's own bin, by their ids."""
        found = [self._storage.picture_by_id(picture_id) for picture_id in picture_ids]
        binned = [one if one is not None and one.deleted is not None else None for one in found]
        return [self._thumbnail(owner_id, one if one and one.owner_id == owner_id else None) for one in binned]

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
            PictureReplaced: It was replaced a moment ago.
            StoredDataMissing: The record is there and its bytes are not, or not as many.
        """
        blob = self._storage.open_blob(picture.content_blob)
        if blob is not None:
            if blob.seek(0, SEEK_END) == picture.size:
                blob.seek(0)
                return blob
            blob.close()
        else:
            now = self._storage.picture(picture.owner_id, picture.name)
            if now is None:
                raise ImageNotFound
            if now.content_blob != picture.content_blob:
                raise PictureReplaced
        logger.error("Picture %s names a blob that is not there, or is of another size", picture.id)
        raise StoredDataMissing

    def _may_read(self, reader_id: str, picture: PictureRecord) -> bool:
        return reader_id == picture.owner_id or self._storage.permission(picture.id, reader_id) is not None

    def _thumbnail(self, reader_id: str, picture: PictureRecord | None) -> bytes | None:
        if picture is None or not picture.thumbnail_blob or not self._may_read(reader_id, picture):
            return None
        blob = self._storage.open_blob(picture.thumbnail_blob)
        if blob is None:
            now = self._storage.picture_by_id(picture.id)
            if now is None or now.thumbnail_blob == picture.thumbnail_blob:
                return None
            return self._thumbnail(reader_id, now)  # it was replaced a moment ago
        with blob:
            return blob.read()

    # -- deleting --

    def delete(self, owner_id: str, stem: str) -> None:
        """Delete a picture: into the bin, or for good where there is none.

        Raises:
            ImageNotFound: The owner has no such picture, or somebody else deleted it at the same moment.
        """
        self.bin.put(self._picture(owner_id, stem))

    def _picture(self, owner_id: str, stem: str) -> PictureRecord:
        picture = self._storage.picture(owner_id, stored_name(stem))
        if picture is None:
            raise ImageNotFound
        return picture
