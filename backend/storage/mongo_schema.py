"""Indexes of the MongoDB engine, and the version of its layout."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from pymongo import IndexModel
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from backend.storage.protocol import StorageError

VERSION = 1

NEWER = "This database was written by a newer version of Glassine. Use that version, or another database."


def _index(*fields: str, **options: Any) -> IndexModel:
    return IndexModel([(field, 1) for field in fields], **options)


INDEXES: dict[str, tuple[IndexModel, ...]] = {
    "users": (
        _index("kind", "name", unique=True),
        _index("kind", "_id"),
        _index("address", unique=True, sparse=True),  # the email of a person who has one
        _index("closing", partialFilterExpression={"closing": True}),
    ),
    "pictures": (
        _index("slot", unique=True),
        _index("owner_id", "in_bin", "_id"),
        _index("permissions.user_id", "in_bin", "_id"),
        _index("owner_id", "name", "_id", partialFilterExpression={"in_bin": True}),
        _index("deleted", partialFilterExpression={"in_bin": True}),
        _index("blobs"),
    ),
    "revisions": (_index("picture_id"),),
    "documents": (_index("owner_id", "kind", "key", unique=True),),
    "revoked_tokens": (_index("expires", expireAfterSeconds=0),),
    "sessions": (_index("expires", expireAfterSeconds=0), _index("user_id")),
    "files": (_index("id", unique=True), _index("owner_id", "name"), _index("blob")),
    "blobs.files": (_index("filename", "uploadDate"),),  # these two as every program that knows GridFS makes them
    "blobs.chunks": (_index("files_id", "n", unique=True),),
    "installation": (),
}


def prepare(database: Database[dict[str, Any]]) -> None:
    """Make what is missing; several processes may do so at once.

    Raises:
        StorageError: A newer version wrote this database; nothing was changed.
    """
    version = made_once(database["installation"], {"_id": "layout", "version": VERSION}).get("version")
    if not isinstance(version, int) or version > VERSION:
        raise StorageError("other", NEWER)
    for name, indexes in INDEXES.items():
        if indexes:
            database[name].create_indexes(list(indexes))


def made_once(collection: Collection[dict[str, Any]], document: dict[str, Any]) -> dict[str, Any]:
    """The document of this ``_id``: the one that is there, or else this one; of several callers all get the same."""
    wanted = {"_id": document["_id"]}
    if (found := collection.find_one(wanted)) is not None:
        return found
    with suppress(DuplicateKeyError):
        collection.insert_one(document)
    return collection.find_one(wanted) or {}
