"""What the parts of the embedded storage share: its collections, its blobs, and how changes are made.

Must not import Flask.
"""

from __future__ import annotations

import functools
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, TypeVar

from backend.storage.blobs import BlobFolder
from backend.storage.failures import CLOSED, raises_storage_error
from backend.storage.mongita_collection import SqliteClient
from backend.storage.protocol import StorageError
from backend.storage.reserve import Reserve

P = ParamSpec("P")
R = TypeVar("R")
Part = TypeVar("Part", bound="EmbeddedBase")


def call(method: Callable[Concatenate[Part, P], R]) -> Callable[Concatenate[Part, P], R]:
    """A method of the protocol: refused when closed, errors converted."""

    @functools.wraps(method)
    def guarded(self: Part, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if self.closed:
            raise StorageError("other", CLOSED)
        return method(self, *args, **kwargs)

    return raises_storage_error(guarded)


class EmbeddedBase:
    """The collections of one storage folder.

    Attributes:
        closed: Whether it was closed; nothing works any more then.
    """

    def __init__(self, client: SqliteClient, blobs: BlobFolder, reserve: Reserve) -> None:
        self.closed = False
        self._engine = client.engine
        self._mutex = client.engine.connections.mutex
        self._blobs = blobs
        self._reserve = reserve
        database = client["glassine"]
        self._users = database["users"]
        self._pictures = database["pictures"]
        self._bin = database["bin"]
        self._revisions = database["revisions"]
        self._permissions = database["permissions"]
        self._documents = database["documents"]
        self._revoked = database["revoked_tokens"]
        self._sessions = database["sessions"]
        self._files = database["files"]
        self._secrets = database["secrets"]
        self._picture_counts: dict[str, int] = {}
        self._last_id = 0
        self._id_middle = secrets.randbits(40) << 24
        self._id_guard = threading.Lock()

    @call
    def new_id(self) -> str:
        # As MongoDB makes ObjectIds: seconds, five random bytes of the process, a counter.
        with self._id_guard:
            self._last_id = max(self._last_id + 1, (int(time.time()) << 64) | self._id_middle)
            return f"{self._last_id:024x}"

    def _go_on_after_stored_ids(self) -> None:
        # Ids go on after the greatest stored one even when the clock was set back.
        with_ids = (self._users, self._pictures, self._bin, self._revisions, self._permissions, self._files)
        newest = (collection.find_one(sort=[("_id", -1)]) for collection in with_ids)
        self._last_id = max((int(document["_id"], 16) for document in newest if document), default=0)

    def _grant_bytes(self, picture_id: str) -> int:
        return sum(len(each.get("grant", "")) for each in self._permissions.find({"picture_id": picture_id}))

    def _shrink(self, change: Callable[[], R]) -> R:
        """Make a change that leaves less than there was, as one transaction; on a full disk with the reserve, and with
        what the log takes."""
        try:
            with self._engine.lock:
                return change()
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_FULL:
                raise
        self._reserve.give_up()
        self._engine.connections.empty_log()
        with self._engine.lock:
            return change()

    @contextmanager
    def _renaming(self, before: Iterable[str], after: Iterable[str]) -> Iterator[None]:
        """Around a change to records: which blobs they name before it, and which after it."""
        connections = self._engine.connections
        old, new = set(before), set(after)

        def undone() -> bool:
            return not connections.commit_in_doubt

        with (
            self._blobs.renaming(new - old, named_after=True, undone=undone),
            self._blobs.renaming(old - new, named_after=False, undone=undone),
        ):
            yield
