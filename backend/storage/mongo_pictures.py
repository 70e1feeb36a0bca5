"""Pictures in MongoDB: records, revisions, the bin.

A picture's document has these fields beside the record's::

    slot         "<owner>/<name>", or "bin/<id>" in the bin; unique
    in_bin       whether it is in the bin
    blobs        ids of its blobs
    permissions  [{user_id, role, grant}], in the order given
    earlier      [{header_hash, replaced, revision}], oldest first; "revision" is the id of the envelope's document
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

from bson import ObjectId

from backend.storage.mongo_base import MongoBase, MongoDocument, call, insert, page, to_document, to_record, to_records
from backend.storage.protocol import DuplicateRecord, Permission, PictureRecord, RemovedPicture, Revision

RECORD: MongoDocument = {field.name: 1 for field in fields(PictureRecord) if field.name != "id"}
"""Projection on the record alone: a picture may be shared with thousands."""


class MongoPictures(MongoBase):
    """The methods of the protocol about pictures."""

    @call
    def add_picture(self, picture: PictureRecord) -> None:
        document = {**_to_document(picture), "permissions": [], "earlier": []}
        self._doubting(picture.blobs, lambda: insert(self._pictures, document))

    @call
    def picture(self, owner_id: str, name: str) -> PictureRecord | None:
        return to_record(PictureRecord, self._pictures.find_one({"slot": _slot(owner_id, name)}, RECORD))

    @call
    def picture_by_id(self, picture_id: str) -> PictureRecord | None:
        return to_record(PictureRecord, self._pictures.find_one({"_id": picture_id}, RECORD))

    @call
    def pictures_named(self, owner_id: str, names: Sequence[str]) -> list[PictureRecord]:
        slots = {"$in": [_slot(owner_id, name) for name in names]}
        found = {each.name: each for each in to_records(PictureRecord, self._pictures.find({"slot": slots}, RECORD))}
        return [found[name] for name in names if name in found]

    @call
    def pictures(self, owner_id: str, *, after: str = "", limit: int | None = None) -> list[PictureRecord]:
        return self._page(owner_id, in_bin=False, after=after, limit=limit)

    def _page(self, owner_id: str, *, in_bin: bool, after: str, limit: int | None) -> list[PictureRecord]:
        wanted = {"owner_id": owner_id, "in_bin": in_bin}
        return to_records(PictureRecord, page(self._pictures, wanted, after=after, limit=limit, projection=RECORD))

    @call
    def count_pictures(self, owner_id: str) -> int:
        return self._pictures.count_documents({"owner_id": owner_id, "in_bin": False})

    @call
    def bin_usage(self, owner_id: str) -> tuple[int, int]:
        group = {"_id": None, "pictures": {"$sum": 1}, "bytes": {"$sum": "$stored_bytes"}}
        for found in self._pictures.aggregate([{"$match": {"owner_id": owner_id, "in_bin": True}}, {"$group": group}]):
            return found["pictures"], found["bytes"]
        return 0, 0

    # -- revisions --

    @call
    def replace_picture(
        self, picture: PictureRecord, earlier: Revision, permissions: Sequence[Permission] | None = None
    ) -> bool:
        if permissions is not None and len({each.user_id for each in permissions}) < len(permissions):
            raise DuplicateRecord
        document = _to_document(picture)
        wanted = {"_id": document.pop("_id"), "in_bin": False, "header_hash": earlier.header_hash}
        if permissions is not None:
            document["permissions"] = [permission_document(each) for each in permissions]
        # The envelope goes first and counts from the moment the picture lists it. Each attempt has its own, so one
        # that comes to nothing can take it away without asking whether another needs it. After an error other than a
        # taken name nobody knows whether the picture lists it.
        revision = ObjectId()
        insert(self._revisions, {"_id": revision, "picture_id": picture.id, "envelope": earlier.envelope})
        listed = {"header_hash": earlier.header_hash, "replaced": earlier.replaced, "revision": revision}
        new = {"earlier.header_hash": {"$ne": earlier.header_hash}}
        change = {"$set": document, "$push": {"earlier": listed}}
        try:
            replaced = self._doubting(
                picture.blobs, lambda: self._pictures.update_one({**wanted, **new}, change).matched_count
            )
        except DuplicateRecord:
            self._revisions.delete_one({"_id": revision})
            raise
        if replaced:
            return True
        self._revisions.delete_one({"_id": revision})
        if self._pictures.find_one({**wanted, "earlier.header_hash": earlier.header_hash}, {"_id": 1}) is not None:
            raise DuplicateRecord
        return False

    @call
    def history(self, picture_id: str) -> list[Revision]:
        found = self._pictures.find_one({"_id": picture_id}, {"earlier": 1})
        listed = found["earlier"] if found else []
        wanted = {"_id": {"$in": [each["revision"] for each in listed]}}
        envelopes = {each["_id"]: each["envelope"] for each in self._revisions.find(wanted)} if listed else {}
        return [
            Revision(picture_id, each["header_hash"], envelopes[each["revision"]], each["replaced"])
            for each in listed
            if each["revision"] in envelopes  # the picture was removed in between
        ]

    # -- the bin --

    @call
    def move_to_bin(self, owner_id: str, name: str, deleted: datetime) -> PictureRecord | None:
        change = {"slot": {"$concat": ["bin/", "$_id"]}, "in_bin": True, "deleted": deleted}
        return self._changed({"slot": _slot(owner_id, name)}, change)

    @call
    def restore_picture(self, picture_id: str, name: str) -> PictureRecord | None:
        literal = {"$literal": name}
        slot = {"$concat": ["$owner_id", "/", literal]}
        change = {"slot": slot, "name": literal, "in_bin": False, "deleted": None}
        return self._changed({"_id": picture_id, "in_bin": True}, change)

    def _changed(self, wanted: MongoDocument, change: MongoDocument) -> PictureRecord | None:
        found = self._pictures.find_one_and_update(wanted, [{"$set": change}], RECORD, return_document=True)
        return to_record(PictureRecord, found)

    @call
    def bin(self, owner_id: str, *, after: str = "", limit: int | None = None) -> list[PictureRecord]:
        return self._page(owner_id, in_bin=True, after=after, limit=limit)

    @call
    def binned(self, owner_id: str, name: str) -> PictureRecord | None:
        wanted = {"owner_id": owner_id, "name": name, "in_bin": True}
        return to_record(PictureRecord, self._pictures.find_one(wanted, RECORD, sort=[("_id", -1)]))

    @call
    def expired_in_bin(self, before: datetime, limit: int) -> list[PictureRecord]:
        if limit <= 0:
            return []
        wanted = {"in_bin": True, "deleted": {"$lt": before}}
        return to_records(PictureRecord, self._pictures.find(wanted, RECORD, sort=[("deleted", 1)], limit=limit))

    @call
    def remove_picture(self, picture_id: str, *, deleted: datetime | None = None) -> RemovedPicture | None:
        wanted = {"_id": picture_id} if deleted is None else {"_id": picture_id, "in_bin": True, "deleted": deleted}
        removed = self._pictures.find_one_and_delete(wanted, RECORD | {"permissions.grant": 1})
        if removed is None:
            return None
        self._revisions.delete_many({"picture_id": picture_id})
        (picture,) = to_records(PictureRecord, [removed])
        return RemovedPicture(picture, grant_bytes(removed["permissions"]))


def grant_bytes(permissions: Sequence[MongoDocument]) -> int:
    """What the grants of permissions in a picture's document take."""
    return sum(len(each["grant"]) for each in permissions)


def permission_document(permission: Permission) -> MongoDocument:
    """A permission as the picture's document holds it."""
    return {"user_id": permission.user_id, "role": permission.role, "grant": permission.grant}


def _to_document(picture: PictureRecord) -> MongoDocument:
    in_bin = picture.deleted is not None
    slot = f"bin/{picture.id}" if in_bin else _slot(picture.owner_id, picture.name)
    return to_document(picture, slot=slot, in_bin=in_bin, blobs=list(picture.blobs))


def _slot(owner_id: str, name: str) -> str:
    return f"{owner_id}/{name}"
