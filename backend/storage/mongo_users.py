"""Accounts in MongoDB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.storage.mongo_base import MongoBase, call, insert, page, to_document, to_record, to_records
from backend.storage.mongo_pictures import grant_bytes
from backend.storage.protocol import User


class MongoUsers(MongoBase):
    """The methods of the protocol about accounts."""

    @call
    def add_user(self, user: User) -> None:
        # The unique index on "address" holds only those documents that have one.
        unique = {"address": user.email} if user.email and not user.kind else {}
        insert(self._users, to_document(user, **unique))

    @call
    def user(self, user_id: str) -> User | None:
        return to_record(User, self._users.find_one({"_id": user_id}))

    @call
    def user_by_name(self, name: str, kind: str = "") -> User | None:
        return to_record(User, self._users.find_one({"kind": kind, "name": name}))

    @call
    def user_by_email(self, email: str) -> User | None:
        return to_record(User, self._users.find_one({"address": email})) if email else None

    @call
    def users(self, *, kind: str = "", after: str = "", limit: int | None = None) -> list[User]:
        return to_records(User, page(self._users, {"kind": kind}, after=after, limit=limit))

    @call
    def closing_users(self) -> list[User]:
        return to_records(User, self._users.find({"closing": True}, sort=[("_id", 1)]))

    @call
    def change_user(self, user_id: str, expected: Mapping[str, object], changes: Mapping[str, object]) -> bool:
        wanted: dict[str, Any] = {"_id": user_id, **{field: {"$eq": value} for field, value in expected.items()}}
        if not changes:
            return self._users.find_one(wanted, {"_id": 1}) is not None
        return bool(self._users.update_one(wanted, {"$set": dict(changes)}).matched_count)

    @call
    def remove_user(self, user_id: str) -> bool:
        return bool(self._users.delete_one({"_id": user_id}).deleted_count)

    # -- what an account stores --

    @call
    def reserve_bytes(self, user_id: str, size: int, limit: int) -> bool:
        wanted: dict[str, Any] = {"_id": user_id}
        if limit:
            wanted["used_bytes"] = {"$lte": limit - size}
        return bool(self._users.update_one(wanted, {"$inc": {"used_bytes": size}}).matched_count)

    @call
    def release_bytes(self, user_id: str, size: int) -> None:
        left = {"$max": [0, {"$subtract": ["$used_bytes", size]}]}
        self._users.update_one({"_id": user_id}, [{"$set": {"used_bytes": left}}])

    @call
    def recount_bytes(self, user_id: str) -> int:
        used = 0
        for collection, size in ((self._pictures, "$stored_bytes"), (self._files, "$size")):
            sums = collection.aggregate(
                [{"$match": {"owner_id": user_id}}, {"$group": {"_id": None, "bytes": {"$sum": size}}}]
            )
            used += sum(found["bytes"] for found in sums)
        for found in self._pictures.find({"owner_id": user_id}, {"permissions.grant": 1}):
            used += grant_bytes(found["permissions"])
        self._users.update_one({"_id": user_id}, {"$set": {"used_bytes": used}})
        return used
