"""A mongita engine on SQLite: documents survive a power cut and threads see the documents they asked for.

One table holds the documents of every collection, one the entries of their indexes, one mongita's metadata (which holds
the definitions of the indexes). The engine keeps the entries in step with the documents itself, in the same
transaction, so an index cannot disagree with its collection.

Writers take turns on one connection; readers have their own and never wait for a writer (WAL). Nothing is cached, so
every document handed out is the caller's own. Must not import Flask.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bson
from bson import ObjectId
from mongita.collection import _get_item_from_doc
from mongita.common import MetaStorageObject
from mongita.engines.engine_common import Engine
from mongita.errors import DuplicateKeyError, MongitaError

from backend.storage import sqlite_schema
from backend.storage.index_keys import EVERYTHING, after, decode_id, encode

Document = dict[str, Any]
Entries = set[tuple[str, bytes]]
Indexes = dict[str, tuple[str, bool]]  # name → (field, whether its values are unique)

BATCH = 256


class SqliteEngine(Engine):  # type: ignore[misc]
    """Keeps mongita's documents in one SQLite database.

    Attributes:
        mutex: Held by the one thread that may write; re-entrant.
        lock: mongita's name for the lock around a change. Here it also is the transaction: leaving the outermost
            ``with engine.lock`` commits durably, an exception undoes what its block did.
        commit_in_doubt: A commit failed. It may or may not be found after a restart.
    """

    def __init__(self, path: Path) -> None:
        """Open the database, made by :func:`sqlite_schema.prepare` before. Raises sqlite3.Error."""
        self._path = path
        self.mutex = threading.RLock()
        self.lock = _Transaction(self)
        self.commit_in_doubt = False
        self._writer = sqlite_schema.connect(path)
        self._owner: int | None = None  # the thread in a transaction
        self._readers: list[sqlite3.Connection] = []
        self._readers_guard = threading.Lock()
        self._closed = False
        # Committed metadata only. The dictionaries are replaced, never emptied, when it changes: a thread still filling
        # an old one does no harm.
        self._metadata: dict[str, bytes | None] = {}
        self._indexes: dict[str, Indexes] = {}
        self._metadata_changed = False  # by the transaction under way

    # -- documents --

    def put_doc(self, collection: str, doc: Document, no_overwrite: bool = False) -> bool:
        """Store the document; False when ``no_overwrite`` and it exists. Raises DuplicateKeyError for a taken unique
        value, before anything is changed."""
        key = _key(doc["_id"])
        body = bson.encode(doc)
        with self._writing() as connection:
            indexes = self.indexes(collection)
            row = _one(connection, "SELECT id, body FROM documents WHERE collection=? AND key=?", collection, key)
            if row and no_overwrite:
                return False
            old = _entries(bson.decode(row[1]), indexes) if row and indexes else set()
            # Of the document as it will be read: BSON shortens dates to milliseconds.
            new = _entries(bson.decode(body), indexes) if indexes else set()
            self._refuse_duplicates(connection, collection, key, new - old)
            if row:
                number = row[0]
                connection.execute("UPDATE documents SET body=? WHERE id=?", (body, number))
            else:
                number = connection.execute(
                    "INSERT INTO documents (collection, key, body) VALUES (?, ?, ?)", (collection, key, body)
                ).lastrowid
            _remove_entries(connection, collection, key, old - new)
            _add_entries(connection, collection, key, number, new - old)
        return True

    def get_doc(self, collection: str, doc_id: str | ObjectId) -> Document | None:
        with self._reading() as connection:
            row = _one(
                connection, "SELECT body FROM documents WHERE collection=? AND key=?", collection, _key(doc_id)
            )
        return bson.decode(row[0]) if row else None

    def doc_exists(self, collection: str, doc_id: str | ObjectId) -> bool:
        with self._reading() as connection:
            return bool(
                _one(connection, "SELECT 1 FROM documents WHERE collection=? AND key=?", collection, _key(doc_id))
            )

    def list_ids(self, collection: str, limit: int | None = None) -> list[str | ObjectId]:
        """Return ids in the order in which their documents were inserted."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT key FROM documents WHERE collection=? ORDER BY id LIMIT ?",
                (collection, -1 if limit is None else limit),
            ).fetchall()
        return [decode_id(key) for (key,) in rows]

    def delete_doc(self, collection: str, doc_id: str | ObjectId) -> bool:
        key = _key(doc_id)
        with self._writing() as connection:
            row = _one(connection, "SELECT id, body FROM documents WHERE collection=? AND key=?", collection, key)
            if not row:
                return False
            _remove_entries(connection, collection, key, _entries(bson.decode(row[1]), self.indexes(collection)))
            connection.execute("DELETE FROM documents WHERE id=?", (row[0],))
        return True

    # -- reading in order, in batches: no statement and no snapshot stays open between two documents --

    def scan_inserted(self, collection: str, batch: int = BATCH) -> Iterator[Document]:
        """Yield all documents in the order of their insertion."""
        last = 0
        while True:
            rows = self._rows(
                "SELECT id, body FROM documents WHERE collection=? AND id>? ORDER BY id LIMIT ?",
                (collection, last, batch),
            )
            yield from (bson.decode(body) for _, body in rows)
            if len(rows) < batch:
                return
            last = rows[-1][0]

    def scan_keys(
        self, collection: str, low: bytes, high: bytes, *, descending: bool = False, batch: int = BATCH
    ) -> Iterator[Document]:
        """Yield the documents with ``low <= key < high``, in order of key."""
        order = "DESC" if descending else "ASC"
        query = f"SELECT key, body FROM documents WHERE collection=? AND key>=? AND key<? ORDER BY key {order} LIMIT ?"  # noqa: S608
        yield from self._paged(query, (collection,), low, high, descending, batch)

    def scan_equal(
        self,
        collection: str,
        index: str,
        value: bytes,
        low: bytes,
        high: bytes,
        *,
        descending: bool = False,
        batch: int = BATCH,
    ) -> Iterator[Document]:
        """Yield the documents with this value in an index and ``low <= key < high``, in order of key."""
        order = "DESC" if descending else "ASC"
        query = (
            "SELECT entries.key, body FROM entries JOIN documents ON documents.id = entries.document"  # noqa: S608
            " WHERE entries.collection=? AND name=? AND value=? AND entries.key>=? AND entries.key<?"
            f" ORDER BY entries.key {order} LIMIT ?"
        )
        yield from self._paged(query, (collection, index, value), low, high, descending, batch)

    def scan_values(
        self, collection: str, index: str, low: bytes, high: bytes, batch: int = BATCH
    ) -> Iterator[Document]:
        """Yield the documents with ``low <= value < high`` in an index, in order of value, then of key. A document
        with several such values comes once for each."""
        value, key = low, b""
        while True:
            rows = self._rows(
                "SELECT value, entries.key, body FROM entries JOIN documents ON documents.id = entries.document"
                " WHERE entries.collection=? AND name=? AND (value, entries.key) >= (?, ?) AND value<?"
                " ORDER BY value, entries.key LIMIT ?",
                (collection, index, value, key, high, batch),
            )
            yield from (bson.decode(body) for _, _, body in rows)
            if len(rows) < batch:
                return
            value, key = rows[-1][0], after(rows[-1][1])

    def count(self, collection: str, index: str | None = None, value: bytes | None = None) -> int:
        """Return how many documents there are, or how many have a value in an index."""
        if index is None:
            return int(self._rows("SELECT count(*) FROM documents WHERE collection=?", (collection,))[0][0])
        query = "SELECT count(*) FROM entries WHERE collection=? AND name=? AND value=?"
        return int(self._rows(query, (collection, index, value))[0][0])

    # -- metadata and indexes --

    def indexes(self, collection: str) -> Indexes:
        """Return the collection's indexes."""
        cache = {} if self._sees_own_metadata() else self._indexes
        if collection not in cache:
            defined = (self.get_metadata(collection) or {}).get("indexes", {})
            cache[collection] = {n: (index["key_str"], bool(index.get("unique"))) for n, index in defined.items()}
        return cache[collection]

    def get_metadata(self, collection: str) -> MetaStorageObject | None:
        cache = {} if self._sees_own_metadata() else self._metadata
        if collection not in cache:
            rows = self._rows("SELECT body FROM metadata WHERE location=?", (collection,))
            cache[collection] = rows[0][0] if rows else None
        body = cache[collection]
        return MetaStorageObject.from_storage(body, from_bson=True) if body else None

    def put_metadata(self, collection: str, doc: MetaStorageObject) -> bool:
        """Store metadata. Indexes that are new in it are built, those gone from it are dropped, all in one
        transaction. Raises DuplicateKeyError when a new unique index finds a value twice."""
        with self._writing() as connection:
            before = self.indexes(collection)
            body = MetaStorageObject(doc).to_storage(as_bson=True)
            connection.execute("INSERT OR REPLACE INTO metadata (location, body) VALUES (?, ?)", (collection, body))
            self._metadata_changed = True
            now = self.indexes(collection)
            for name in [name for name in before if now.get(name) != before[name]]:
                connection.execute("DELETE FROM entries WHERE collection=? AND name=?", (collection, name))
            self._build(connection, collection, {n: d for n, d in now.items() if before.get(n) != d})
        return True

    def delete_dir(self, collection: str) -> bool:
        with self._writing() as connection:
            existed = self.get_metadata(collection) is not None
            connection.execute("DELETE FROM documents WHERE collection=?", (collection,))
            connection.execute("DELETE FROM entries WHERE collection=?", (collection,))
            connection.execute("DELETE FROM metadata WHERE location=?", (collection,))
            self._metadata_changed = True
        return existed

    def create_path(self, collection: str) -> bool:
        """Do nothing: a collection needs no place of its own."""
        return True

    def close(self) -> None:
        """Close the connections; idempotent. Waits for the writer, not for readers."""
        with self.mutex:
            if self._closed:
                return
            with self._readers_guard:
                self._closed = True
                readers, self._readers = self._readers, []
            for connection in [*readers, self._writer]:
                connection.close()

    # -- the transaction, used by _Transaction --

    def begin(self, depth: int) -> None:
        self._writer.execute(f"SAVEPOINT level{depth}" if depth else "BEGIN IMMEDIATE")
        self._owner = threading.get_ident()

    def end(self, depth: int, *, keep: bool) -> None:
        """Commit or undo the block at this depth."""
        if depth:
            if not keep and self._writer.in_transaction:
                self._writer.execute(f"ROLLBACK TO level{depth}")
            if self._writer.in_transaction:
                self._writer.execute(f"RELEASE level{depth}")
            return
        self._owner = None
        try:
            if keep:
                self._writer.execute("COMMIT")
        except sqlite3.Error:
            # Frames written to the log before the error may come back to life at the next start.
            self.commit_in_doubt = True
            raise
        finally:
            if self._writer.in_transaction:  # SQLite undoes some failures (a full disk) by itself
                self._writer.execute("ROLLBACK")
            if self._metadata_changed:
                self._metadata_changed, self._metadata, self._indexes = False, {}, {}

    def _sees_own_metadata(self) -> bool:
        return self._metadata_changed and self._owner == threading.get_ident()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if self._owner == threading.get_ident():
            yield self._writer
        else:
            with self.lock:
                yield self._writer

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if self._owner == threading.get_ident():
            yield self._writer  # a transaction sees its own changes
            return
        with self._readers_guard:
            if self._closed:
                raise sqlite3.ProgrammingError("the storage is closed")
            connection = self._readers.pop() if self._readers else None
        if connection is None:
            connection = sqlite_schema.connect(self._path)
        try:
            yield connection
        finally:
            with self._readers_guard:
                if self._closed:
                    connection.close()
                else:
                    self._readers.append(connection)

    def _rows(self, query: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        with self._reading() as connection:
            return connection.execute(query, parameters).fetchall()

    def _paged(
        self, query: str, fixed: tuple[Any, ...], low: bytes, high: bytes, descending: bool, batch: int
    ) -> Iterator[Document]:
        while low < high:
            rows = self._rows(query, (*fixed, low, high, batch))
            yield from (bson.decode(body) for _, body in rows)
            if len(rows) < batch:
                return
            batch = min(2 * batch, BATCH)  # the first one is small for who wants few
            if descending:
                high = rows[-1][0]
            else:
                low = after(rows[-1][0])

    def _build(self, connection: sqlite3.Connection, collection: str, indexes: Indexes) -> None:
        if not indexes:
            return
        for doc in self.scan_keys(collection, *EVERYTHING):
            key = _key(doc["_id"])
            row = _one(connection, "SELECT id FROM documents WHERE collection=? AND key=?", collection, key)
            entries = _entries(doc, indexes)
            self._refuse_duplicates(connection, collection, key, entries)
            _add_entries(connection, collection, key, row[0] if row else None, entries)

    def _refuse_duplicates(self, connection: sqlite3.Connection, collection: str, key: bytes, new: Entries) -> None:
        indexes = self.indexes(collection)
        for name, value in new:
            if indexes[name][1] and _one(
                connection,
                "SELECT 1 FROM entries WHERE collection=? AND name=? AND value=? AND key<>? LIMIT 1",
                collection,
                name,
                value,
                key,
            ):
                raise DuplicateKeyError(f"A document with this {indexes[name][0]!r} already exists")


class _Transaction:
    """``engine.lock``: takes the mutex and opens a transaction, or a savepoint inside one."""

    def __init__(self, engine: SqliteEngine) -> None:
        self._engine = engine
        self._depth = 0

    def __enter__(self) -> None:
        self._engine.mutex.acquire()
        try:
            self._engine.begin(self._depth)
        except BaseException:
            self._engine.mutex.release()
            raise
        self._depth += 1

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            self._depth -= 1
            self._engine.end(self._depth, keep=error is None)
        finally:
            self._engine.mutex.release()


def _key(doc_id: Any) -> bytes:
    if not isinstance(doc_id, str | ObjectId):
        raise MongitaError("A document's _id must be a string or a bson ObjectId")
    key = encode(doc_id)
    assert key is not None  # strings and ObjectIds always have one  # noqa: S101
    return key


def _one(connection: sqlite3.Connection, query: str, *parameters: Any) -> tuple[Any, ...] | None:
    # fetchall, not fetchone: it finishes the statement, which would otherwise pin the log.
    rows = connection.execute(query, parameters).fetchall()
    return rows[0] if rows else None


def _entries(doc: Document, indexes: Indexes) -> Entries:
    """Return (index name, value) of the document; a list is entered once for each of its items."""
    entries = set()
    for name, (field, _) in indexes.items():
        value = _get_item_from_doc(doc, field)
        for item in value if isinstance(value, list) else [value]:
            encoded = encode(item)
            if encoded is not None:
                entries.add((name, encoded))
    return entries


def _add_entries(
    connection: sqlite3.Connection, collection: str, key: bytes, document: int | None, entries: Entries
) -> None:
    connection.executemany(
        "INSERT INTO entries (collection, name, value, key, document) VALUES (?, ?, ?, ?, ?)",
        [(collection, name, value, key, document) for name, value in entries],
    )


def _remove_entries(connection: sqlite3.Connection, collection: str, key: bytes, entries: Entries) -> None:
    connection.executemany(
        "DELETE FROM entries WHERE collection=? AND name=? AND value=? AND key=?",
        [(collection, name, value, key) for name, value in entries],
    )
