"""Permissions in MongoDB; each lies in its picture's document, where one change is atomic."""

from __future__ import annotations

from collections import Counter

from backend.storage.mongo_base import MongoBase, MongoDocument, call, page, to_record
from backend.storage.mongo_pictures import RECORD, grant_bytes, permission_document
from backend.storage.protocol import DuplicateRecord, Permission, PictureRecord


class MongoPermissions(MongoBase):
    """The methods of the protocol about permissions."""

    @call
    def add_permission(self, permission: Permission, *, revision: str | None = None) -> bool:
        picture = _of_revision(permission.picture_id, revision)
        wanted = {**picture, "permissions.user_id": {"$ne": permission.user_id}}
        change = {"$push": {"permissions": permission_document(permission)}}
        if self._pictures.update_one(wanted, change).matched_count:
            return True
        if self._pictures.find_one(_holding(permission.picture_id, permission.user_id), {"_id": 1}) is not None:
            raise DuplicateRecord
        return False

    @call
    def permission(self, picture_id: str, user_id: str) -> Permission | None:
        found = self._pictures.find_one(_holding(picture_id, user_id), {"permissions": _only(user_id)})
        return Permission(picture_id, **found["permissions"][0]) if found else None

    @call
    def permissions(self, picture_id: str) -> list[Permission]:
        found = self._pictures.find_one({"_id": picture_id}, {"permissions": 1})
        return [Permission(picture_id, **each) for each in found["permissions"]] if found else []

    @call
    def count_permissions(self, picture_id: str) -> int:
        count = {"count": {"$size": "$permissions"}}
        found = list(self._pictures.aggregate([{"$match": {"_id": picture_id}}, {"$project": count}]))
        return int(found[0]["count"]) if found else 0

    @call
    def grant_bytes(self, picture_id: str) -> int:
        found = self._pictures.find_one({"_id": picture_id}, {"permissions.grant": 1})
        return grant_bytes(found["permissions"]) if found else 0

    @call
    def set_permission(self, permission: Permission, *, revision: str | None = None) -> Permission | None:
        change = {"permissions.$[one].role": permission.role, "permissions.$[one].grant": permission.grant}
        wanted = _of_revision(permission.picture_id, revision) | {"permissions.user_id": permission.user_id}
        return self._before(wanted, {"$set": change}, permission.user_id, [{"one.user_id": permission.user_id}])

    @call
    def remove_permission(self, picture_id: str, user_id: str) -> Permission | None:
        return self._pull(picture_id, user_id)

    def _pull(self, picture_id: str, user_id: str) -> Permission | None:
        change = {"$pull": {"permissions": {"user_id": user_id}}}
        return self._before(_holding(picture_id, user_id), change, user_id)

    def _before(
        self, wanted: MongoDocument, change: MongoDocument, user_id: str, filters: list[MongoDocument] | None = None
    ) -> Permission | None:
        projection = {"permissions": _only(user_id)}
        found = self._pictures.find_one_and_update(wanted, change, projection, array_filters=filters)
        return Permission(found["_id"], **found["permissions"][0]) if found else None

    @call
    def shared_with(
        self, user_id: str, *, after: str = "", limit: int | None = None
    ) -> list[tuple[PictureRecord, Permission]]:
        wanted = {"permissions.user_id": user_id, "in_bin": False}
        projection = {**RECORD, "permissions": _only(user_id)}
        shared = []
        for found in page(self._pictures, wanted, after=after, limit=limit, projection=projection):
            picture = to_record(PictureRecord, found)
            if picture is not None:
                shared.append((picture, Permission(picture.id, **found["permissions"][0])))
        return shared

    @call
    def remove_permissions_of(self, user_id: str) -> dict[str, int]:
        removed: Counter[str] = Counter()
        for found in self._pictures.find({"permissions.user_id": user_id}, {"owner_id": 1}):
            permission = self._pull(found["_id"], user_id)  # one by one: the owner may take it back at the same time
            if permission is not None:
                removed[found["owner_id"]] += len(permission.grant)
        return dict(removed)


def _of_revision(picture_id: str, revision: str | None) -> MongoDocument:
    return {"_id": picture_id} if revision is None else {"_id": picture_id, "header_hash": revision}


def _holding(picture_id: str, user_id: str) -> MongoDocument:
    return {"_id": picture_id, "permissions.user_id": user_id}


def _only(user_id: str) -> MongoDocument:
    return {"$elemMatch": {"user_id": user_id}}
