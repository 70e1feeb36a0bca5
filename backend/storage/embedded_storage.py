"""The embedded engine's records and blobs behind the Storage protocol.

Records are documents in mongita's collections, shaped as MongoDB would hold them. Uniqueness over two fields rests on a
``slot`` field that joins them, for mongita indexes one field at a time. Must not import Flask.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, BinaryIO, Concatenate, ParamSpec, TypeVar, get_type_hints

from mongita.errors import DuplicateKeyError

from backend.storage.blobs import BlobFolder, FileBlobWriter
from backend.storage.failures import CLOSED, DAMAGED, raises_storage_error
from backend.storage.folder_lock import FolderLock
from backend.storage.mongita_collection import SqliteClient
from backend.storage.protocol import DuplicateRecord, Permission, PictureRecord, StorageError, User
from backend.storage.reserve import Reserve

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger(__name__)

_PURGED_AT_ONCE = 100


def _call(method: Callable[Concatenate[EmbeddedStorage, P], R]) -> Callable[Concatenate[EmbeddedStorage, P], R]:
    """A method of the protocol: refused when closed, errors converted."""

    def guarded(self: EmbeddedStorage, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if self.closed:
            raise StorageError("other", CLOSED)
        return method(self, *args, **kwargs)

    guarded.__name__, guarded.__doc__ = method.__name__, method.__doc__
    return raises_storage_error(guarded)


class EmbeddedStorage:
    """Implements :class:`backend.storage.protocol.Storage`; made by :func:`backend.storage.embedded.open_storage`."""

    def __init__(self, client: SqliteClient, blobs: BlobFolder, lock: FolderLock, reserve: Reserve) -> None:
        self.closed = False
        self._engine = client.engine
        self._mutex = client.engine.connections.mutex
        self._blobs = blobs
        self._lock = lock
        self._reserve = reserve
        database = client["glassine"]
        self._users = database["users"]
        self._pictures = database["pictures"]
        self._permissions = database["permissions"]
        self._revoked = database["revoked_tokens"]
        self._secrets = database["secrets"]
        self._picture_counts: dict[str, int] = {}
        self._id_guard = threading.Lock()
        try:
            self._prepare_indexes()
            # Ids go on after the greatest stored one even when the clock was set back.
            newest = (c.find_one(sort=[("_id", -1)]) for c in (self._users, self._pictures, self._permissions))
            self._last_id = max((int(document["_id"], 16) for document in newest if document), default=0)
        except (KeyError, TypeError, ValueError, AttributeError, DuplicateKeyError) as error:
            raise StorageError("damaged", DAMAGED) from error  # nothing that this module wrote
        self._id_middle = secrets.randbits(40) << 24

    def _prepare_indexes(self) -> None:
        with self._engine.lock:
            self._users.create_index("name", unique=True)
            self._pictures.create_index("slot", unique=True)
            self._pictures.create_index("owner_id")
            self._permissions.create_index("slot", unique=True)
            self._permissions.create_index("picture_id")
            self._revoked.create_index("expires")
        owners = {document["_id"] for document in self._users.find({})}
        expected: dict[str, dict[str, set[str]]] = {c.location: {} for c in (self._users, self._permissions)}
        expected[self._pictures.location] = {"owner_id_1": owners} if owners else {}
        if self._engine.mend_indexes(expected):
            logger.error("The indexes were damaged and have been made anew from the records")

    @_call
    def new_id(self) -> str:
        # As MongoDB makes ObjectIds: seconds, five random bytes of the process, a counter.
        with self._id_guard:
            self._last_id = max(self._last_id + 1, (int(time.time()) << 64) | self._id_middle)
            return f"{self._last_id:024x}"

    # -- users --

    @_call
    def add_user(self, user: User) -> None:
        _insert(self._users, asdict(user))

    @_call
    def user(self, user_id: str) -> User | None:
        return _record(User, self._users.find_one({"_id": user_id}))

    @_call
    def user_by_name(self, name: str) -> User | None:
        return _record(User, self._users.find_one({"name": name}))

    @_call
    def users(self) -> list[User]:
        return _records(User, self._users.find(sort=[("_id", 1)]))

    @_call
    def set_password_hash(self, user_id: str, old_hash: str, new_hash: str) -> bool:
        expected = {"_id": user_id, "password_hash": old_hash}
        return bool(self._users.update_one(expected, {"$set": {"password_hash": new_hash}}).matched_count)

    # -- pictures --

    @_call
    def add_picture(self, picture: PictureRecord) -> None:
        document = asdict(picture)
        with self._mutex, self._changing_record_of(picture, named_after=True):
            _insert(self._pictures, document, slot=_slot(picture.owner_id, picture.name))
            self._count_changed(picture.owner_id, 1)

    @_call
    def picture(self, owner_id: str, name: str) -> PictureRecord | None:
        return _record(PictureRecord, self._pictures.find_one({"slot": _slot(owner_id, name)}))

    @_call
    def pictures_named(self, owner_id: str, names: Sequence[str]) -> list[PictureRecord]:
        found = (self._pictures.find_one({"slot": _slot(owner_id, name)}) for name in names)
        return _records(PictureRecord, (document for document in found if document))

    @_call
    def pictures(self, owner_id: str, *, after: str = "", limit: int | None = None) -> list[PictureRecord]:
        if limit is not None and limit <= 0:
            return []  # mongita takes 0 for no limit
        wanted = {"owner_id": owner_id, "_id": {"$gt": after}}
        return _records(PictureRecord, self._pictures.find(wanted, sort=[("_id", 1)], limit=limit))

    @_call
    def count_pictures(self, owner_id: str) -> int:
        # Counted once for each owner: counting takes time in proportion to the pictures.
        known = self._picture_counts.get(owner_id)
        if known is None:
            with self._mutex:  # nobody adds one between counting and remembering
                known = int(self._pictures.count_documents({"owner_id": owner_id}))
                self._picture_counts[owner_id] = known
        return known

    @_call
    def remove_picture(self, owner_id: str, name: str) -> PictureRecord | None:
        with self._mutex:
            picture = self.picture(owner_id, name)
            if picture is not None:
                with self._changing_record_of(picture, named_after=False):
                    self._remove_records(picture)
                    self._count_changed(owner_id, -1)
            return picture

    def _remove_records(self, picture: PictureRecord) -> None:
        for last_try in (False, True):
            try:
                with self._engine.lock:
                    self._pictures.delete_one({"_id": picture.id})
                    self._permissions.delete_many({"picture_id": picture.id})
                return
            except sqlite3.OperationalError as error:
                full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
                if last_try or not full or not self._reserve.give_up():
                    raise

    def _count_changed(self, owner_id: str, difference: int) -> None:
        if owner_id in self._picture_counts:
            self._picture_counts[owner_id] += difference

    def _changing_record_of(self, picture: PictureRecord, *, named_after: bool) -> AbstractContextManager[None]:
        blob_ids = [blob_id for field in _BLOB_FIELDS if (blob_id := getattr(picture, field))]
        connections = self._engine.connections
        return self._blobs.renaming(blob_ids, named_after=named_after, undone=lambda: not connections.commit_in_doubt)

    # -- permissions --

    @_call
    def add_permission(self, permission: Permission) -> None:
        # The id orders them as they were given.
        slot = _slot(permission.picture_id, permission.user_id)
        _insert(self._permissions, asdict(permission), slot=slot, id=self.new_id())

    @_call
    def permission(self, picture_id: str, user_id: str) -> Permission | None:
        return _record(Permission, self._permissions.find_one({"slot": _slot(picture_id, user_id)}))

    @_call
    def permissions(self, picture_id: str) -> list[Permission]:
        return _records(Permission, self._permissions.find({"picture_id": picture_id}, sort=[("_id", 1)]))

    @_call
    def set_role(self, picture_id: str, user_id: str, role: str) -> bool:
        slot = _slot(picture_id, user_id)
        return bool(self._permissions.update_one({"slot": slot}, {"$set": {"role": role}}).matched_count)

    @_call
    def remove_permission(self, picture_id: str, user_id: str) -> bool:
        return bool(self._permissions.delete_one({"slot": _slot(picture_id, user_id)}).deleted_count)

    # -- revoked tokens --

    @_call
    def revoke_token(self, token_id: str, expires: datetime) -> None:
        now = datetime.now(UTC).replace(tzinfo=None)
        with self._engine.lock:
            with suppress(DuplicateKeyError):
                self._revoked.insert_one({"_id": token_id, "expires": expires})
            # Expired ones go here, a few at a time, so that the collection stays small without a clock of its own.
            expired = self._revoked.find({"expires": {"$lt": now}}, limit=_PURGED_AT_ONCE)
            for document in list(expired):
                if document["_id"] != token_id:
                    self._revoked.delete_one({"_id": document["_id"]})

    @_call
    def is_revoked(self, token_id: str) -> bool:
        return self._revoked.find_one({"_id": token_id}) is not None

    # -- blobs --

    @_call
    def write_blob(self) -> FileBlobWriter:
        return self._blobs.writer()

    @_call
    def open_blob(self, blob_id: str) -> BinaryIO | None:
        return self._blobs.open(blob_id)

    @_call
    def remove_blob(self, blob_id: str) -> None:
        self._blobs.remove(blob_id)
        self._reserve.hold()  # if it was given up and there is room again

    @_call
    def blob_ids(self) -> Iterator[str]:
        return iter(list(self._blobs.ids()))

    def collect_orphans(self) -> int:
        """Remove the blobs that no record names, and return how many. Only while nobody else uses the storage."""
        referenced: set[str] = set()
        for picture in _records(PictureRecord, self._pictures.find({})):
            referenced.update(getattr(picture, field) for field in _BLOB_FIELDS)
        referenced.discard("")
        present = set(self._blobs.ids())
        if not present - referenced:
            return 0
        if referenced - present or not self._engine.connections.is_sound():
            # A blob becomes durable before its record, and goes after it: no crash leaves a record without its blob.
            # Damaged records must not decide which pictures nobody needs.
            logger.error("The records are damaged: blobs that none of them names are kept")
            return 0
        return self._blobs.collect(referenced)

    # -- settings of the installation --

    @_call
    def secret(self, name: str) -> bytes:
        with suppress(DuplicateKeyError):
            if (kept := self._secrets.find_one({"_id": name})) is None:
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


_TYPES = {kind: get_type_hints(kind) for kind in (User, PictureRecord, Permission)}
_BLOB_FIELDS = ("content_blob", "quotient_blob", "thumbnail_blob")


def _slot(first: str, second: str) -> str:
    # Unambiguous: the first is an id, 24 hex digits.
    return f"{first}/{second}"


def _insert(collection: Any, document: dict[str, Any], **more: str) -> None:
    document.update(more)
    document["_id"] = document.pop("id")
    try:
        collection.insert_one(document)
    except DuplicateKeyError as error:
        raise DuplicateRecord(str(error)) from error


Record = TypeVar("Record", User, PictureRecord, Permission)


def _record(kind: type[Record], document: dict[str, Any] | None) -> Record | None:
    if document is None:
        return None
    return _records(kind, [document])[0]


def _records(kind: type[Record], documents: Any) -> list[Record]:
    """Turn documents into records; raises StorageError for one that is damaged."""
    types = _TYPES[kind]
    records = []
    for document in documents:
        document["id"] = document.get("_id")
        values = {name: document.get(name) for name in types}
        if not all(isinstance(values[name], known) for name, known in types.items()):
            raise StorageError("damaged", DAMAGED)
        records.append(kind(**values))
    return records
