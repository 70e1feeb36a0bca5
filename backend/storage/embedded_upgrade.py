"""Brings the records of an older version up to date. Must not import Flask.

Format 1 (version 0.1.0) had users with a unique name and without the fields added since, permissions without a place in
the list of what is shared with somebody, and pictures that did not say what they take.
"""

from __future__ import annotations

from typing import Any

from backend.storage.embedded_records import email_slot, kind_slot, records, shared_slot
from backend.storage.mongita_collection import SqliteCollection
from backend.storage.protocol import Permission, User


def upgrade_users(users: SqliteCollection) -> None:
    """Give every account all fields; in the caller's transaction. Raises StorageError for a damaged one."""
    _drop_index(users, "name_1")
    for document in list(users.find({})):
        [user] = records(User, [document])
        added: dict[str, Any] = {name: getattr(user, name) for name in User.__slots__ if name != "id"}
        added["slot"] = kind_slot(user.kind, user.name)
        added["email_slot"] = email_slot(user.id, user.kind, user.email)
        users.update_one({"_id": user.id}, {"$set": added})


def upgrade_permissions(permissions: SqliteCollection, pictures: SqliteCollection) -> None:
    """Give every permission its place in the list of what is shared; in the caller's transaction."""
    for document in list(permissions.find({})):
        [permission] = records(Permission, [document])
        # That version could give a permission on a picture that was just being removed: such a one is not listed.
        gone = pictures.find_one({"_id": permission.picture_id}) is None
        added = {"grant": permission.grant, "shared": shared_slot(permission, binned=gone)}
        permissions.update_one({"_id": document["_id"]}, {"$set": added})


def _drop_index(collection: SqliteCollection, name: str) -> None:
    # Not mongita's own method, whose write is inside an assertion.
    metadata = collection._Collection__get_metadata()
    if metadata and metadata["indexes"].pop(name, None):
        collection._engine.put_metadata(collection.location, metadata)
