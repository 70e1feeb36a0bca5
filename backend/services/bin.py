"""The bin: deleted pictures that can be taken back for a while. Must not import Flask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from backend.errors import Conflict, ImageNotFound
from backend.services.clock import utc_now
from backend.services.names import EXTENSION, candidates
from backend.services.paging import PAGE, walk
from backend.services.removal import remove_for_good
from backend.services.storing import SEALED, Storing
from backend.storage.protocol import DuplicateRecord

if TYPE_CHECKING:
    from backend.services.quota import Quota
    from backend.storage.protocol import PictureRecord, Storage


class Bin:
    """Everybody's bins; the caller has made sure that it is the owner who asks.

    A picture in the bin is there for its owner only, and only by its id. Every method may be called from several
    threads.
    """

    def __init__(
        self, storage: Storage, quota: Quota, storing: Storing, days: int, now: Callable[[], datetime] = utc_now
    ) -> None:
        """Prepare; ``days`` is how long pictures stay, 0: there is no bin."""
        self._storage = storage
        self._quota = quota
        self._storing = storing
        self._days = days
        self._now = now

    def put(self, picture: PictureRecord) -> None:
        """Delete a picture: into the bin, or for good where there is none.

        Raises:
            ImageNotFound: Somebody else deleted it at the same moment.
        """
        if self._days:
            gone = self._storage.move_to_bin(picture.owner_id, picture.name, self._now())
        else:
            gone = remove_for_good(self._storage, self._quota, picture.id)
        if gone is None:
            raise ImageNotFound

    def page(self, owner_id: str, *, after: str = "", limit: int | None = None) -> list[PictureRecord]:
        """One page of the bin in the order in which the pictures were first stored."""
        return self._storage.bin(owner_id, after=after, limit=limit)

    def walk(self, owner_id: str) -> Iterator[PictureRecord]:
        """All of the bin, a page at a time."""
        return walk(lambda after: self._storage.bin(owner_id, after=after, limit=PAGE))

    def usage(self, owner_id: str) -> tuple[int, int]:
        """How many pictures are in the bin, and how many bytes they take in the account."""
        return self._storage.bin_usage(owner_id)

    def get(self, owner_id: str, picture_id: str) -> PictureRecord:
        """A picture in the bin; raises ImageNotFound."""
        picture = self._storage.picture_by_id(picture_id)
        if picture is None or picture.owner_id != owner_id or picture.deleted is None:
            raise ImageNotFound
        return picture

    def restore(self, owner_id: str, picture_id: str) -> PictureRecord:
        """Take a picture out of the bin and return it.

        A classic picture whose name is taken meanwhile gets another, as when it is stored.

        Raises:
            ImageNotFound: It is not in the bin.
            Conflict: The sealed picture is stored again already.
            Gone: The owner's programs recorded that it was deleted for good.
        """
        picture = self.get(owner_id, picture_id)
        stem = picture.name[: -len(EXTENSION)]
        if picture.scheme == SEALED:
            self._storing.refuse_gone(owner_id, stem.removeprefix("p-"))
        for name in [picture.name] if picture.scheme == SEALED else candidates(stem, self._now()):
            try:
                restored = self._storage.restore_picture(picture_id, name)
            except DuplicateRecord:
                continue
            if restored is None:
                raise ImageNotFound
            return restored
        raise Conflict("Another version of this picture is already stored")

    def remove(self, owner_id: str, picture_id: str) -> None:
        """Delete a picture in the bin for good; raises ImageNotFound."""
        if not self._remove_if_binned(self.get(owner_id, picture_id)):
            raise ImageNotFound

    def empty(self, owner_id: str) -> None:
        """Delete everything for good that is in the bin now."""
        for picture in self.walk(owner_id):
            self._remove_if_binned(picture)

    def purge(self, stopped: Callable[[], bool] = lambda: False) -> int:
        """Delete everybody's pictures for good that were in the bin for long enough, and return how many; ends early
        when ``stopped``."""
        count = 0
        before = self._now() - timedelta(days=self._days)
        while not stopped() and (expired := self._storage.expired_in_bin(before, PAGE)):
            for picture in expired:
                if stopped():
                    break
                count += self._remove_if_binned(picture)
        return count

    def _remove_if_binned(self, picture: PictureRecord) -> bool:
        # What was taken out of the bin since it was listed shall stay, even if it was deleted again.
        return remove_for_good(self._storage, self._quota, picture.id, deleted=picture.deleted) is not None
