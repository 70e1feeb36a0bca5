"""Permissions in the embedded storage. Must not import Flask."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from backend.storage.embedded_base import EmbeddedBase, call
from backend.storage.embedded_records import insert, record, records, shared_slot, slot, starting_with
from backend.storage.protocol import Permission, PictureRecord


class EmbeddedPermissions(EmbeddedBase):
    """The methods about permissions, as :class:`~backend.storage.protocol.Storage` promises them."""

    @call
    def add_permission(self, permission: Permission, *, revision: str | None = None) -> bool:
        with self._engine.lock:
            picture = self._find(permission.picture_id)
            if picture is None or not _is(revision, picture):
                return False
            self._insert_permission(permission, binned=picture.get("deleted") is not None)
            return True

    @call
    def permission(self, picture_id: str, user_id: str) -> Permission | None:
        return record(Permission, self._permissions.find_one({"slot": slot(picture_id, user_id)}))

    @call
    def permissions(self, picture_id: str) -> list[Permission]:
        return records(Permission, self._permissions.find({"picture_id": picture_id}, sort=[("_id", 1)]))

    @call
    def count_permissions(self, picture_id: str) -> int:
        return int(self._permissions.count_documents({"picture_id": picture_id}))

    @call
    def grant_bytes(self, picture_id: str) -> int:
        return self._grant_bytes(picture_id)

    @call
    def set_permission(self, permission: Permission, *, revision: str | None = None) -> Permission | None:
        wanted = {"slot": slot(permission.picture_id, permission.user_id)}
        changes = {"role": permission.role, "grant": permission.grant}
        with self._engine.lock:
            before = record(Permission, self._permissions.find_one(wanted))
            if before is None or not _is(revision, self._find(permission.picture_id) or {}):
                return None
            self._permissions.update_one(wanted, {"$set": changes})
            return before

    @call
    def remove_permission(self, picture_id: str, user_id: str) -> Permission | None:
        wanted = {"slot": slot(picture_id, user_id)}

        def remove() -> Permission | None:
            before = record(Permission, self._permissions.find_one(wanted))
            self._permissions.delete_one(wanted)
            return before

        return self._shrink(remove)

    @call
    def shared_with(
        self, user_id: str, *, after: str = "", limit: int | None = None
    ) -> list[tuple[PictureRecord, Permission]]:
        found: list[tuple[PictureRecord, Permission]] = []
        while limit is None or len(found) < limit:
            wanted = None if limit is None else limit - len(found)
            range_ = {"shared": starting_with(user_id, after)}
            page = records(Permission, self._permissions.find(range_, sort=[("shared", 1)], limit=wanted))
            for permission in page:
                picture = record(PictureRecord, self._pictures.find_one({"_id": permission.picture_id}))
                if picture is not None:  # else it went between the two questions
                    found.append((picture, permission))
            if wanted is None or len(page) < wanted:
                break
            after = page[-1].picture_id
        return found

    @call
    def remove_permissions_of(self, user_id: str) -> dict[str, int]:
        def remove() -> dict[str, int]:
            removed: Counter[str] = Counter()
            for prefix in (user_id, f"-{user_id}"):
                wanted = {"shared": starting_with(prefix)}
                for permission in records(Permission, self._permissions.find(wanted)):
                    picture = self._find(permission.picture_id)
                    if picture is not None:
                        removed[picture["owner_id"]] += len(permission.grant)
                self._permissions.delete_many(wanted)
            return dict(removed)

        return self._shrink(remove)

    def _insert_permission(self, permission: Permission, *, binned: bool) -> None:
        # The id orders them as they were given.
        slots = {
            "slot": slot(permission.picture_id, permission.user_id),
            "shared": shared_slot(permission, binned=binned),
        }
        insert(self._permissions, asdict(permission), id=self.new_id(), **slots)

    def _mark_permissions(self, picture_id: str, *, binned: bool) -> None:
        """Note on the permissions of a picture that it is in the bin, or no longer; in a transaction."""
        for document in list(self._permissions.find({"picture_id": picture_id})):
            shared = shared_slot(records(Permission, [document])[0], binned=binned)
            self._permissions.update_one({"_id": document["_id"]}, {"$set": {"shared": shared}})

    def _find(self, picture_id: str) -> dict[str, Any] | None:
        """A picture's document, in the bin or not."""
        found: dict[str, Any] | None = self._pictures.find_one({"_id": picture_id})
        return self._bin.find_one({"_id": picture_id}) if found is None else found


def _is(revision: str | None, picture: dict[str, Any]) -> bool:
    return revision is None or picture.get("header_hash") == revision
