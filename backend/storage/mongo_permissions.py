"""Permissions in MongoDB; each lies in its picture's document, where one change is atomic."""

from __future__ import annotations

from backend.storage.mongo_base import MongoBase, call, page, to_record
from backend.storage.mongo_pictures import RECORD, permission_document
from backend.storage.protocol import DuplicateRecord, Permission, PictureRecord


class MongoPermissions(MongoBase):
    """The methods of the protocol about permissions."""

    @call
    def add_permission(self, permission: Permission) -> bool:
        wanted = {"_id": permission.picture_id, "permissions.user_id": {"$ne": permission.user_id}}
        change = {"$push": {"permissions": permission_document(permission)}}
        if self._pictures.update_one(wanted, change).matched_count:
            return True
        if self._pictures.find_one({"_id": permission.picture_id}, {"_id": 1}) is None:
            return False
        raise DuplicateRecord  # pictures do not come back, so it was there, with the permission

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
    def set_permission(self, permission: Permission) -> bool:
        change = {"permissions.$.role": permission.role, "permissions.$.grant": permission.grant}
        wanted = _holding(permission.picture_id, permission.user_id)
        return bool(self._pictures.update_one(wanted, {"$set": change}).matched_count)

    @call
    def remove_permission(self, picture_id: str, user_id: str) -> bool:
        change = {"$pull": {"permissions": {"user_id": user_id}}}
        return bool(self._pictures.update_one(_holding(picture_id, user_id), change).matched_count)

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
    def remove_permissions_of(self, user_id: str) -> None:
        change = {"$pull": {"permissions": {"user_id": user_id}}}
        self._pictures.update_many({"permissions.user_id": user_id}, change)


def _holding(picture_id: str, user_id: str) -> dict[str, object]:
    return {"_id": picture_id, "permissions.user_id": user_id}


def _only(user_id: str) -> dict[str, object]:
    return {"$elemMatch": {"user_id": user_id}}
