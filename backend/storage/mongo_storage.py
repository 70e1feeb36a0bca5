"""The MongoDB engine, put together from its parts; made by :func:`backend.storage.mongo.open_mongo`."""

from __future__ import annotations

import secrets

from backend.storage.mongo_base import call
from backend.storage.mongo_blobs import MongoBlobs
from backend.storage.mongo_documents import MongoDocuments
from backend.storage.mongo_failures import DAMAGED
from backend.storage.mongo_permissions import MongoPermissions
from backend.storage.mongo_pictures import MongoPictures
from backend.storage.mongo_schema import made_once
from backend.storage.mongo_users import MongoUsers
from backend.storage.protocol import Storage, StorageError


class MongoStorage(MongoUsers, MongoPictures, MongoPermissions, MongoDocuments, MongoBlobs):
    """Implements :class:`backend.storage.protocol.Storage`."""

    @call
    def totals(self) -> dict[str, int]:
        return {
            "users": self._users.count_documents({"kind": ""}),
            "pictures": self._pictures.count_documents({"in_bin": False}),
            "files": self._files.count_documents({}),
            "sessions": self._sessions.count_documents({}),
        }

    @call
    def secret(self, name: str) -> bytes:
        found = made_once(self._installation, {"_id": f"secret/{name}", "value": secrets.token_bytes(32)})
        value = found.get("value")
        if not isinstance(value, bytes):
            raise StorageError("damaged", DAMAGED)
        return value


_: type[Storage] = MongoStorage
