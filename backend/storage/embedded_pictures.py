"""Pictures in the embedded storage, their history and the bin.

A picture in the bin is a document of another collection, so that neither list has to skip what belongs to the other.
Must not import Flask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from backend.storage.embedded_base import call
from backend.storage.embedded_permissions import EmbeddedPermissions
from backend.storage.embedded_records import insert, record, records, slot
from backend.storage.protocol import Permission, PictureRecord, RemovedPicture, Revision


class EmbeddedPictures(EmbeddedPermissions):
    """The methods about pictures, as :class:`~backend.storage.protocol.Storage` promises them."""

    @call
    def add_picture(self, picture: PictureRecord) -> None:
        with self._mutex, self._renaming((), picture.blobs):
            if picture.deleted is None:
                insert(self._pictures, asdict(picture), slot=slot(picture.owner_id, picture.name))
                self._count_changed(picture.owner_id, 1)
            else:
                insert(self._bin, asdict(picture), slot=slot(picture.owner_id, picture.name))

    @call
    def picture(self, owner_id: str, name: str) -> PictureRecord | None:
        return record(PictureRecord, self._pictures.find_one({"slot": slot(owner_id, name)}))

    @call
    def picture_by_id(self, picture_id: str) -> PictureRecord | None:
        found = self._find(picture_id)
        if found is None:
            with self._engine.lock:  # it may have moved from one to the other while they were asked
                found = self._find(picture_id)
        return record(PictureRecord, found)

    @call
    def pictures_named(self, owner_id: str, names: Sequence[str]) -> list[PictureRecord]:
        found = (self._pictures.find_one({"slot": slot(owner_id, name)}) for name in names)
        return records(PictureRecord, (document for document in found if document))

    @call
    def pictures(self, owner_id: str, *, after: str = "", limit: int | None = None) -> list[PictureRecord]:
        return self._page(self._pictures, owner_id, after, limit)

    @call
    def count_pictures(self, owner_id: str) -> int:
        # Counted once for each owner: counting takes time in proportion to the pictures.
        known = self._picture_counts.get(owner_id)
        if known is None:
            with self._mutex:  # nobody adds one between counting and remembering
                known = int(self._pictures.count_documents({"owner_id": owner_id}))
                self._picture_counts[owner_id] = known
        return known

    @call
    def bin_usage(self, owner_id: str) -> tuple[int, int]:
        sizes = [int(document.get("stored_bytes", 0)) for document in self._bin.find({"owner_id": owner_id})]
        return len(sizes), sum(sizes)

    @call
    def replace_picture(
        self, picture: PictureRecord, earlier: Revision, permissions: Sequence[Permission] | None = None
    ) -> bool:
        with self._mutex:
            now = record(PictureRecord, self._pictures.find_one({"_id": picture.id}))
            if now is None or now.header_hash != earlier.header_hash:
                return False
            with self._renaming(now.blobs, picture.blobs), self._engine.lock:
                joined = slot(earlier.picture_id, earlier.header_hash)
                insert(self._revisions, asdict(earlier), slot=joined, id=self.new_id())
                self._pictures.delete_one({"_id": picture.id})
                insert(self._pictures, asdict(picture), slot=slot(picture.owner_id, picture.name))
                if permissions is not None:
                    self._permissions.delete_many({"picture_id": picture.id})
                    for permission in permissions:
                        self._insert_permission(permission, binned=False)
            return True

    @call
    def history(self, picture_id: str) -> list[Revision]:
        return records(Revision, self._revisions.find({"picture_id": picture_id}, sort=[("_id", 1)]))

    @call
    def move_to_bin(self, owner_id: str, name: str, deleted: datetime) -> PictureRecord | None:
        with self._mutex:
            document = self._pictures.find_one({"slot": slot(owner_id, name)})
            if document is None:
                return None
            picture_id = document["_id"]
            moved = {**document, "deleted": deleted}

            def move() -> PictureRecord | None:
                self._pictures.delete_one({"_id": picture_id})
                self._bin.insert_one(moved)
                self._mark_permissions(picture_id, binned=True)
                return record(PictureRecord, moved)

            picture = self._shrink(move)
            self._count_changed(owner_id, -1)
            return picture

    @call
    def restore_picture(self, picture_id: str, name: str) -> PictureRecord | None:
        with self._mutex:
            document = self._bin.find_one({"_id": picture_id})
            if document is None:
                return None
            restored = {**document, "id": picture_id, "name": name, "deleted": None}
            picture = record(PictureRecord, restored)
            with self._engine.lock:
                self._bin.delete_one({"_id": picture_id})
                insert(self._pictures, restored, slot=slot(document["owner_id"], name))
                self._mark_permissions(picture_id, binned=False)
            self._count_changed(document["owner_id"], 1)
            return picture

    @call
    def bin(self, owner_id: str, *, after: str = "", limit: int | None = None) -> list[PictureRecord]:
        return self._page(self._bin, owner_id, after, limit)

    @call
    def binned(self, owner_id: str, name: str) -> PictureRecord | None:
        return record(PictureRecord, self._bin.find_one({"slot": slot(owner_id, name)}, sort=[("_id", -1)]))

    @call
    def expired_in_bin(self, before: datetime, limit: int) -> list[PictureRecord]:
        if limit <= 0:
            return []
        return records(PictureRecord, self._bin.find({"deleted": {"$lt": before}}, limit=limit))

    @call
    def remove_picture(self, picture_id: str, *, deleted: datetime | None = None) -> RemovedPicture | None:
        with self._mutex:
            picture = record(PictureRecord, self._find(picture_id))
            if picture is None or (deleted is not None and picture.deleted != deleted):
                return None
            with self._renaming(picture.blobs, ()):
                removed = self._shrink(lambda: self._remove_records(picture))
                if picture.deleted is None:
                    self._count_changed(picture.owner_id, -1)
            return removed

    def _remove_records(self, picture: PictureRecord) -> RemovedPicture:
        removed = RemovedPicture(picture, self._grant_bytes(picture.id))
        (self._pictures if picture.deleted is None else self._bin).delete_one({"_id": picture.id})
        self._permissions.delete_many({"picture_id": picture.id})
        self._revisions.delete_many({"picture_id": picture.id})
        return removed

    def _page(self, collection: Any, owner_id: str, after: str, limit: int | None) -> list[PictureRecord]:
        if limit is not None and limit <= 0:
            return []  # mongita takes 0 for no limit
        wanted = {"owner_id": owner_id, "_id": {"$gt": after}}
        return records(PictureRecord, collection.find(wanted, sort=[("_id", 1)], limit=limit))

    def _count_changed(self, owner_id: str, difference: int) -> None:
        if owner_id in self._picture_counts:
            self._picture_counts[owner_id] += difference
