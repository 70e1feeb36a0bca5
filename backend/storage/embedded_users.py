"""Accounts in the embedded storage. Must not import Flask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from typing import Any

from backend.storage.embedded_base import EmbeddedBase, call
from backend.storage.embedded_records import email_slot, insert, kind_slot, record, records
from backend.storage.protocol import User

_CHANGEABLE = {field.name for field in fields(User)} - {"id", "kind", "name", "email", "used_bytes"}


class EmbeddedUsers(EmbeddedBase):
    """The methods about accounts, as :class:`~backend.storage.protocol.Storage` promises them."""

    @call
    def add_user(self, user: User) -> None:
        slots = {"slot": kind_slot(user.kind, user.name), "email_slot": email_slot(user.id, user.kind, user.email)}
        insert(self._users, asdict(user), **slots)

    @call
    def user(self, user_id: str) -> User | None:
        return record(User, self._users.find_one({"_id": user_id}))

    @call
    def user_by_name(self, name: str, kind: str = "") -> User | None:
        return record(User, self._users.find_one({"slot": kind_slot(kind, name)}))

    @call
    def user_by_email(self, email: str) -> User | None:
        return record(User, self._users.find_one({"email_slot": email_slot("", "", email)})) if email else None

    @call
    def users(self, *, kind: str = "", after: str = "", limit: int | None = None) -> list[User]:
        if limit is not None and limit <= 0:
            return []  # mongita takes 0 for no limit
        wanted = {"kind": kind, "_id": {"$gt": after}}
        return records(User, self._users.find(wanted, sort=[("_id", 1)], limit=limit))

    @call
    def closing_users(self) -> list[User]:
        return records(User, self._users.find({"closing": True}, sort=[("_id", 1)]))

    @call
    def change_user(self, user_id: str, expected: Mapping[str, object], changes: Mapping[str, object]) -> bool:
        if unknown := changes.keys() - _CHANGEABLE:
            raise ValueError(f"These fields of an account never change: {', '.join(sorted(unknown))}")
        # With the reserve: on a full disk, too, an account can be closed.
        return self._shrink(lambda: self._change(user_id, expected, changes))

    def _change(self, user_id: str, expected: Mapping[str, object], changes: Mapping[str, object]) -> bool:
        wanted = {"_id": user_id, **{name: {"$eq": value} for name, value in expected.items()}}
        if not changes:
            return self._users.find_one(wanted) is not None
        return bool(self._users.update_one(wanted, {"$set": dict(changes)}).matched_count)

    @call
    def remove_user(self, user_id: str) -> bool:
        return self._shrink(lambda: bool(self._users.delete_one({"_id": user_id}).deleted_count))

    @call
    def reserve_bytes(self, user_id: str, size: int, limit: int) -> bool:
        with self._engine.lock:
            user = self.user(user_id)
            if user is None or (limit and user.used_bytes + size > limit):
                return False
            self._set_used(user_id, user.used_bytes + size)
            return True

    @call
    def release_bytes(self, user_id: str, size: int) -> None:
        def release() -> None:
            user = self.user(user_id)
            if user is not None:
                self._set_used(user_id, max(user.used_bytes - size, 0))

        self._shrink(release)

    @call
    def recount_bytes(self, user_id: str) -> int:
        with self._engine.lock:
            used = sum(
                self._stored_bytes(picture) + self._grant_bytes(picture["_id"])
                for picture in self._all_pictures({"owner_id": user_id})
            )
            used += sum(int(file["size"]) for file in self._files.find({"owner_id": user_id}))
            self._set_used(user_id, used)
        return used

    def _set_used(self, user_id: str, used: int) -> None:
        self._users.update_one({"_id": user_id}, {"$set": {"used_bytes": used}})

    def _all_pictures(self, wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield from self._pictures.find(wanted)
        yield from self._bin.find(wanted)

    def _stored_bytes(self, document: dict[str, Any]) -> int:
        """What a picture takes; noted in its record when version 0.1.0 wrote that, which did not count."""
        if "stored_bytes" in document:
            return int(document["stored_bytes"])
        names = (document.get(field) for field in ("content_blob", "quotient_blob", "thumbnail_blob"))
        size = sum(self._blobs.size(name) for name in names if isinstance(name, str))
        collection = self._pictures if document.get("deleted") is None else self._bin
        collection.update_one({"_id": document["_id"]}, {"$set": {"stored_bytes": size}})
        return size
