"""What the parts of the MongoDB engine share: its collections, and how records become documents."""

from __future__ import annotations

import functools
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.read_concern import ReadConcern

from backend.storage.failures import CLOSED
from backend.storage.mongo_failures import DAMAGED, UNREACHABLE, raises_storage_error
from backend.storage.mongo_schema import prepare
from backend.storage.protocol import DuplicateRecord, StorageError

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="MongoBase")

MongoDocument: TypeAlias = dict[str, Any]


def call(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """A method of the protocol: refused when closed, errors converted; the first one prepares the database."""

    @functools.wraps(method)
    def guarded(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if self.closed:
            raise StorageError("other", CLOSED)
        self.get_ready()
        return method(self, *args, **kwargs)

    return raises_storage_error(guarded)


class MongoBase:
    """The open database."""

    def __init__(self, client: MongoClient[MongoDocument], database: str) -> None:
        self.closed = False
        self._client = client
        self._in_doubt: set[str] = set()
        self._id_guard = threading.Lock()
        self._id_middle = secrets.randbits(40) << 24
        self._last_id = 0
        self._ready = False
        self._getting_ready = threading.Lock()
        self._use(client.get_database(database))

    def _use(self, database: Database[MongoDocument]) -> None:
        self._database = database
        self._users = database["users"]
        self._pictures = database["pictures"]
        self._revisions = database["revisions"]
        self._documents = database["documents"]
        self._revoked = database["revoked_tokens"]
        self._sessions = database["sessions"]
        self._files = database["files"]
        self._blobs = database["blobs.files"]
        self._chunks = database["blobs.chunks"]
        self._installation = database["installation"]

    @raises_storage_error
    def get_ready(self) -> None:
        """Prepare the database, unless that was done. While a thread waits for its answer, others do not.

        Raises:
            StorageError: ``unreachable``, or ``other``: no rights, written by a newer version, …
        """
        if self._ready:
            return
        if not self._getting_ready.acquire(blocking=False):
            raise StorageError("unreachable", UNREACHABLE.format("it has not answered yet"))
        try:
            # A stand-alone server knows no majority to read from.
            hello = self._database.command("hello")
            level = "majority" if "setName" in hello or hello.get("msg") == "isdbgrid" else "local"
            prepare(self._database)
            self._use(self._database.with_options(read_concern=ReadConcern(level)))
            self._last_id = self._greatest_stored_id()
            self._ready = True
        finally:
            self._getting_ready.release()

    def _greatest_stored_id(self) -> int:
        """Where this process's ids begin when the clock is not ahead of what is stored."""
        newest = (c.find_one({}, {"_id": 1}, sort=[("_id", -1)]) for c in (self._users, self._pictures))
        try:
            seconds = max((int(found["_id"], 16) >> 64 for found in newest if found), default=0)
        except (TypeError, ValueError) as error:
            raise StorageError("damaged", DAMAGED) from error
        # A second of its own: other processes' ids of the same second may be greater.
        return (seconds + 1) << 64 | self._id_middle if seconds >= int(time.time()) else 0

    @call
    def new_id(self) -> str:
        # As an ObjectId: seconds, five random bytes of the process, a counter; but never backwards.
        with self._id_guard:
            self._last_id = max(self._last_id + 1, (int(time.time()) << 64) | self._id_middle)
            return f"{self._last_id:024x}"

    @call
    def check(self) -> None:
        self._client.admin.command("ping")

    def close(self) -> None:
        self.closed = True
        self._client.close()

    def _doubting(self, blob_ids: Iterable[str], change: Callable[[], R]) -> R:
        """Run a change after which a record names these blobs.

        When it fails otherwise than by a taken name, the database may have made it all the same, for instance when the
        connection broke before the answer: then the blobs are kept, whoever removes them, until a collection finds
        that no record names them.
        """
        try:
            return raises_storage_error(change)()
        except DuplicateRecord:
            raise
        except BaseException:
            self._in_doubt.update(blob_ids)
            raise


def insert(collection: Collection[MongoDocument], document: MongoDocument) -> None:
    """Insert a document with its own ``_id``. Raises DuplicateKeyError."""
    collection.insert_one(document)


def to_document(record: Any, **more: Any) -> MongoDocument:
    """A record's fields, its ``id`` as ``_id``."""
    document = asdict(record)
    return {"_id": document.pop("id"), **document, **more}


def to_record(kind: type[R], document: Mapping[str, Any] | None, *, own_id: bool = True) -> R | None:
    """The record of a document; None for None. Fields that it lacks have their default values.

    Raises:
        StorageError: ``damaged``: it lacks one that has none.
    """
    if document is None:
        return None
    values = {**document, "id": document.get("_id")} if own_id else document
    try:
        return kind(**{field.name: values[field.name] for field in fields(kind) if field.name in values})  # type: ignore[arg-type]
    except TypeError as error:
        raise StorageError("damaged", DAMAGED) from error


def to_records(kind: type[R], documents: Iterable[Mapping[str, Any]], *, own_id: bool = True) -> list[R]:
    """The records of several documents."""
    return [record for each in documents if (record := to_record(kind, each, own_id=own_id)) is not None]


def page(
    collection: Collection[MongoDocument],
    wanted: MongoDocument,
    *,
    order: str = "_id",
    after: str = "",
    limit: int | None = None,
    projection: MongoDocument | None = None,
) -> Iterable[MongoDocument]:
    """Documents in ascending order of a field, those after a value of it; no more than ``limit``."""
    if limit is not None and limit <= 0:
        return ()  # 0 is no limit for the database
    if after:
        wanted = {**wanted, order: {"$gt": after}}
    return collection.find(wanted, projection, sort=[(order, 1)], limit=limit or 0)
