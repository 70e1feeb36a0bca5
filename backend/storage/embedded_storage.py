"""The embedded engine's records and blobs behind the Storage protocol.

Records are documents in mongita's collections, shaped as MongoDB would hold them. Must not import Flask.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import BinaryIO

from mongita.errors import DuplicateKeyError

from backend.storage import sqlite_schema
from backend.storage.blobs import BlobFolder, FileBlobWriter
from backend.storage.embedded_base import call
from backend.storage.embedded_extras import EmbeddedExtras
from backend.storage.embedded_pictures import EmbeddedPictures
from backend.storage.embedded_records import records
from backend.storage.embedded_upgrade import upgrade_permissions, upgrade_users
from backend.storage.embedded_users import EmbeddedUsers
from backend.storage.failures import DAMAGED, raises_storage_error
from backend.storage.folder_lock import FolderLock
from backend.storage.mongita_collection import SqliteClient
from backend.storage.protocol import PictureRecord, PublishedFile, StorageError
from backend.storage.reserve import Reserve

logger = logging.getLogger(__name__)


class EmbeddedStorage(EmbeddedUsers, EmbeddedPictures, EmbeddedExtras):
    """Implements :class:`backend.storage.protocol.Storage`; made by :func:`backend.storage.embedded.open_storage`."""

    def __init__(self, client: SqliteClient, blobs: BlobFolder, lock: FolderLock, reserve: Reserve) -> None:
        super().__init__(client, blobs, reserve)
        self._lock = lock
        try:
            self._mend_indexes()
            self._prepare_collections()
            self._go_on_after_stored_ids()
        except (KeyError, TypeError, ValueError, AttributeError, DuplicateKeyError) as error:
            raise StorageError("damaged", DAMAGED) from error  # nothing that this module wrote

    def _mend_indexes(self) -> None:
        owners = {document["_id"] for document in self._users.find({})}
        indexed = (self._users, self._revisions, self._permissions, self._sessions, self._files, self._documents)
        expected: dict[str, dict[str, set[str]]] = {collection.location: {} for collection in indexed}
        for collection in (self._pictures, self._bin):
            expected[collection.location] = {"owner_id_1": owners} if owners else {}
        if self._engine.mend_indexes(expected):
            logger.error("The indexes were damaged and have been made anew from the records")

    def _prepare_collections(self) -> None:
        connections = self._engine.connections
        with self._engine.lock:
            if connections.rows("PRAGMA user_version") != [(sqlite_schema.FORMAT_VERSION,)]:
                upgrade_users(self._users)
                upgrade_permissions(self._permissions, self._pictures)
                with connections.writing() as connection:
                    # An older version does not know which blobs newer records name, and would remove them.
                    connection.execute(f"PRAGMA user_version={sqlite_schema.FORMAT_VERSION}")
            for collection, unique, others in (
                (self._users, ("slot", "email_slot"), ("kind", "closing")),
                (self._pictures, ("slot",), ("owner_id",)),
                (self._bin, (), ("slot", "owner_id", "deleted")),
                (self._revisions, ("slot",), ("picture_id",)),
                (self._permissions, ("slot", "shared"), ("picture_id",)),
                (self._revoked, (), ("expires",)),
                (self._sessions, (), ("user_id", "expires")),
                (self._files, ("slot",), ("owner_id",)),
            ):
                for field in unique:
                    collection.create_index(field, unique=True)
                for field in others:
                    collection.create_index(field)

    # -- blobs --

    @call
    def write_blob(self) -> FileBlobWriter:
        return self._blobs.writer()

    @call
    def open_blob(self, blob_id: str) -> BinaryIO | None:
        return self._blobs.open(blob_id)

    @call
    def remove_blob(self, blob_id: str) -> None:
        self._blobs.remove(blob_id)
        self._reserve.hold()  # if it was given up and there is room again

    @call
    def blob_ids(self) -> Iterator[str]:
        return iter(list(self._blobs.ids()))

    @call
    def collect_orphans(self, before: datetime) -> int:
        old = self._blobs.older_than(before)
        # First without keeping anybody from storing: mostly there is nothing to remove.
        if not old or not old - self._referenced() or not self._engine.connections.is_sound():
            return 0
        with self._mutex:
            referenced = self._referenced()
            if self._miss_blobs(referenced):
                return 0
            return self._blobs.collect(old - referenced)

    def recover(self) -> int:
        """After a crash: remove the blobs that no record names, count anew what accounts store, and return how many
        blobs went. Only while nobody else uses the storage."""
        referenced = self._referenced()
        orphans = set(self._blobs.ids()) - referenced
        removed = 0
        if orphans and not self._miss_blobs(referenced) and self._records_are_sound():
            removed = self._blobs.collect(orphans)
        with self._engine.lock:
            for document in list(self._users.find({})):
                self.recount_bytes(document["_id"])
        return removed

    def _referenced(self) -> set[str]:
        """The blobs that records name. What moves from one collection to another meanwhile may be missed, unless the
        mutex is held."""
        named: set[str] = set()
        for picture in records(PictureRecord, self._all_pictures({})):
            named.update(picture.blobs)
        named.update(file.blob for file in records(PublishedFile, self._files.find({})))
        return named

    def _miss_blobs(self, referenced: set[str]) -> bool:
        # A blob becomes durable before its record, and goes after it: no crash leaves a record without its blob.
        # Damaged records must not decide which pictures nobody needs.
        if referenced <= set(self._blobs.ids()):
            return False
        logger.error("The records are damaged: blobs that none of them names are kept")
        return True

    def _records_are_sound(self) -> bool:
        if self._engine.connections.is_sound():
            return True
        logger.error("The records are damaged: blobs that none of them names are kept")
        return False

    # -- the installation --

    @call
    def check(self) -> None:
        self._engine.connections.rows("SELECT 1 FROM metadata LIMIT 1")
        self._blobs.check()

    @call
    def totals(self) -> dict[str, int]:
        return {
            "users": self._users.count_documents({"kind": ""}),
            "pictures": self._pictures.count_documents({}),
            "files": self._files.count_documents({}),
            "sessions": self._sessions.count_documents({}),
        }

    @call
    def secret(self, name: str) -> bytes:
        with suppress(DuplicateKeyError):
            if (kept := self._secrets.find_one({"_id": name})) is None:
                # Made for a new folder or a new kind; where the index has lost one, nothing may be written into it.
                if not self._engine.connections.is_sound():
                    raise StorageError("damaged", DAMAGED)
                self._secrets.insert_one({"_id": name, "value": secrets.token_bytes(32)})
        kept = kept or self._secrets.find_one({"_id": name})
        if not isinstance((kept or {}).get("value"), bytes):
            raise StorageError("damaged", DAMAGED)
        return bytes(kept["value"])

    @raises_storage_error
    def close(self) -> None:
        """Wait for the change under way, then release everything; idempotent."""
        with self._mutex:
            if self.closed:
                return
            self.closed = True
            in_order = False
            try:
                self._engine.close()
                in_order = self._blobs.close() and not self._engine.connections.commit_in_doubt
            finally:
                self._lock.release(in_order=in_order)
