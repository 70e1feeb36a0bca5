"""A mongita engine on SQLite: documents survive a power cut and threads see the documents they asked for.

One table holds the documents of every collection, one the entries of their indexes, one mongita's metadata (which holds
the definitions of the indexes). The engine keeps the entries in step with the documents itself, in the same
transaction, so an index cannot disagree with its collection. No document is cached, so every one handed out is the
caller's own. Must not import Flask.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bson
from bson import ObjectId
from mongita.collection import _get_item_from_doc
from mongita.common import MetaStorageObject
from mongita.engines.engine_common import Engine
from mongita.errors import DuplicateKeyError, MongitaError

from backend.storage.failures import DAMAGED
from backend.storage.index_keys import EVERYTHING, KeyRange, after, decode_id, encode
from backend.storage.protocol import StorageError
from backend.storage.sqlite_connections import SqliteConnections

Document = dict[str, Any]
Indexes = dict[str, tuple[str, bool]]  # name → (field, whether its values are unique)
Entries = set[tuple[str, bytes]]  # (index name, value)

BATCH = 256

_COUNT_ROWS = "SELECT count(*) FROM documents NOT INDEXED WHERE collection=?"
_COUNT_ENTERED = "SELECT count(*) FROM entries WHERE collection=? GROUP BY name"
_FIND = "SELECT id, body FROM documents WHERE collection=? AND key=?"


class SqliteEngine(Engine):  # type: ignore[misc]
    """Keeps mongita's documents in one SQLite database.

    Attributes:
        connections: The database; its mutex serialises changes.
        lock: mongita's name for the lock around a change. Here it also is the transaction: leaving the outermost
            ``with engine.lock`` commits durably, an exception undoes what its block did.
    """

    def __init__(self, path: Path) -> None:
        """Open the database, made by :func:`sqlite_schema.prepare` before. Raises sqlite3.Error."""
        self.connections = SqliteConnections(path)
        self.lock = self.connections.transaction
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
        with self.connections.writing() as connection:
            indexes = self.indexes(collection)
            rows = connection.execute(_FIND, (collection, key)).fetchall()
            if rows and no_overwrite:
                return False
            old = _entries(bson.decode(rows[0][1]), indexes) if rows and indexes else set()
            # Of the document as it will be read: BSON shortens dates to milliseconds.
            new = _entries(bson.decode(body), indexes) if indexes else set()
            self._refuse_duplicates(collection, key, indexes, new - old)
            if rows:
                number = rows[0][0]
                connection.execute("UPDATE documents SET body=? WHERE id=?", (body, number))
            else:
                insert = "INSERT INTO documents (collection, key, body) VALUES (?, ?, ?)"
                number = connection.execute(insert, (collection, key, body)).lastrowid
            self._remove_entries(collection, key, old - new)
            self._add_entries(collection, key, number, new - old)
        return True

    def get_doc(self, collection: str, doc_id: str | ObjectId) -> Document | None:
        rows = self.connections.rows(_FIND, collection, _key(doc_id))
        return bson.decode(rows[0][1]) if rows else None

    def doc_exists(self, collection: str, doc_id: str | ObjectId) -> bool:
        return bool(self.connections.rows(_FIND, collection, _key(doc_id)))

    def list_ids(self, collection: str, limit: int | None = None) -> list[str | ObjectId]:
        """Return ids in the order in which their documents were inserted."""
        query = "SELECT key FROM documents WHERE collection=? ORDER BY id LIMIT ?"
        rows = self.connections.rows(query, collection, -1 if limit is None else limit)
        return [decode_id(key) for (key,) in rows]

    def delete_doc(self, collection: str, doc_id: str | ObjectId) -> bool:
        key = _key(doc_id)
        with self.connections.writing() as connection:
            rows = connection.execute(_FIND, (collection, key)).fetchall()
            if not rows:
                return False
            self._remove_entries(collection, key, _entries(bson.decode(rows[0][1]), self.indexes(collection)))
            connection.execute("DELETE FROM documents WHERE id=?", (rows[0][0],))
        return True

    # -- reading in order, in batches: no statement and no snapshot stays open between two documents --

    def scan_inserted(self, collection: str) -> Iterator[Document]:
        """Yield all documents in the order of their insertion."""
        numbers = self.connections.rows("SELECT id FROM documents WHERE collection=? ORDER BY id", collection)
        # The + keeps SQLite from the index on the collection: it would have to sort what it finds there, each time.
        query = "SELECT body FROM documents WHERE id BETWEEN ? AND ? AND +collection=? ORDER BY id"
        for start in range(0, len(numbers), BATCH):
            part = numbers[start : start + BATCH]
            yield from (bson.decode(body) for (body,) in self.connections.rows(query, *part[0], *part[-1], collection))

    def scan_keys(
        self, collection: str, keys: KeyRange, *, descending: bool = False, batch: int = BATCH
    ) -> Iterator[Document]:
        """Yield the documents with a key in the range, in order of key."""
        query = "SELECT key, body FROM documents WHERE collection=? AND key>=? AND key<? ORDER BY key"
        return self._paged(query, (collection,), keys, descending=descending, batch=batch)

    def scan_equal(
        self, collection: str, index: str, value: bytes, keys: KeyRange, *, descending: bool = False, batch: int = BATCH
    ) -> Iterator[Document]:
        """Yield the documents with this value in an index and a key in the range, in order of key."""
        query = (
            "SELECT entries.key, body FROM entries JOIN documents ON documents.id = entries.document"
            " WHERE entries.collection=? AND name=? AND value=? AND entries.key>=? AND entries.key<?"
            " ORDER BY entries.key"
        )
        return self._paged(query, (collection, index, value), keys, descending=descending, batch=batch)

    def scan_values(self, collection: str, index: str, values: KeyRange, *, batch: int = BATCH) -> Iterator[Document]:
        """Yield the documents with a value in the range, in order of value, then of key. A document with several such
        values (a list) comes once for each."""
        query = (
            "SELECT value, entries.key, body FROM entries JOIN documents ON documents.id = entries.document"
            " WHERE entries.collection=? AND name=? AND (value, entries.key) >= (?, ?) AND value<?"
            " ORDER BY value, entries.key LIMIT ?"
        )
        (value, end), key, rows = values, b"", None
        while rows is None or len(rows) == batch:
            if rows is not None:
                batch = min(2 * batch, BATCH)
            rows = self.connections.rows(query, collection, index, value, key, end, batch)
            yield from (bson.decode(body) for _, _, body in rows)
            if rows:
                value, key = rows[-1][0], after(rows[-1][1])

    def count(self, collection: str, index: str | None = None, value: bytes | None = None) -> int:
        """Return how many documents there are, or how many have a value in an index."""
        if index is None:
            rows = self.connections.rows("SELECT count(*) FROM documents WHERE collection=?", collection)
        else:
            query = "SELECT count(*) FROM entries WHERE collection=? AND name=? AND value=?"
            rows = self.connections.rows(query, collection, index, value)
        return int(rows[0][0])

    def count_keys(self, collection: str, keys: KeyRange) -> int:
        """Return how many documents have a key in the range."""
        query = "SELECT count(*) FROM documents WHERE collection=? AND key>=? AND key<?"
        return int(self.connections.rows(query, collection, *keys)[0][0])

    # -- metadata and indexes --

    def mend_indexes(self, expected: dict[str, dict[str, set[str]]]) -> bool:
        """Make all indexes anew if entries are missing or point elsewhere; return whether that was so.

        Entries follow from documents, so a page of them that was damaged unnoticed is no loss; documents that are
        missing are. Bodies are not read, unless there is something to mend.

        Args:
            expected: The collections to look at, whose documents have exactly one value in each index; for some of
                their indexes the values that are to be expected there.

        Raises:
            StorageError: It did not help; nothing was changed.
        """
        if all(self._are_right(collection, values) for collection, values in expected.items()):
            return False
        with self.connections.writing() as connection:
            for collection in expected:
                [(found,)] = connection.execute(_COUNT_ROWS, (collection,))
                entered = [count for (count,) in connection.execute(_COUNT_ENTERED, (collection,))]
                if found < max(self.count(collection), *entered, 0):
                    raise StorageError("damaged", DAMAGED)  # new indexes would hide that documents are missing
            connection.execute("REINDEX documents")
            connection.execute("DELETE FROM entries")  # all at once: what is out of order cannot be searched for
            for number, collection, body in connection.execute(
                "SELECT id, collection, body FROM documents NOT INDEXED"
            ):
                self._enter(collection, number, bson.decode(body), self.indexes(collection))
            if not all(self._are_right(collection, {}) for collection in expected):
                raise StorageError("damaged", DAMAGED)
        return True

    def _are_right(self, collection: str, expected: dict[str, set[str]]) -> bool:
        pointing = (
            "SELECT count(*) FROM entries AS e JOIN documents AS d ON d.collection=e.collection AND d.key=e.key"
            " WHERE e.collection=? AND name=? AND d.id=e.document"
        )
        values = "SELECT DISTINCT value FROM entries WHERE collection=? AND name=?"
        documents, rows = self.count(collection), self.connections.rows
        return all(rows(pointing, collection, name) == [(documents,)] for name in self.indexes(collection)) and all(
            {value for (value,) in rows(values, collection, name)} <= {encode(text) for text in allowed}
            for name, allowed in expected.items()
        )

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
            rows = self.connections.rows("SELECT body FROM metadata WHERE location=?", collection)
            cache[collection] = rows[0][0] if rows else None
        body = cache[collection]
        return MetaStorageObject.from_storage(body, from_bson=True) if body else None

    def put_metadata(self, collection: str, doc: MetaStorageObject) -> bool:
        """Store metadata. Indexes that are new in it are built, those gone from it are dropped, all in one
        transaction. Raises DuplicateKeyError when a new unique index finds a value twice."""
        with self.connections.writing() as connection:
            before = self.indexes(collection)
            self._change_metadata()
            body = MetaStorageObject(doc).to_storage(as_bson=True)
            connection.execute("INSERT OR REPLACE INTO metadata (location, body) VALUES (?, ?)", (collection, body))
            now = self.indexes(collection)
            for name in [name for name in before if now.get(name) != before[name]]:
                connection.execute("DELETE FROM entries WHERE collection=? AND name=?", (collection, name))
            self._build(collection, {name: index for name, index in now.items() if before.get(name) != index})
        return True

    def delete_dir(self, collection: str) -> bool:
        with self.connections.writing() as connection:
            existed = self.get_metadata(collection) is not None
            self._change_metadata()
            connection.execute("DELETE FROM documents WHERE collection=?", (collection,))
            connection.execute("DELETE FROM entries WHERE collection=?", (collection,))
            connection.execute("DELETE FROM metadata WHERE location=?", (collection,))
        return existed

    def create_path(self, collection: str) -> bool:
        """Do nothing: a collection needs no place of its own."""
        return True

    def close(self) -> None:
        """Close the database; idempotent."""
        self.connections.close()

    def _change_metadata(self) -> None:
        self._metadata_changed = True
        self.connections.after_transaction.append(self._forget_metadata)

    def _forget_metadata(self) -> None:
        self._metadata_changed, self._metadata, self._indexes = False, {}, {}

    def _sees_own_metadata(self) -> bool:
        return self._metadata_changed and self.connections.in_transaction

    def _paged(
        self, query: str, fixed: tuple[Any, ...], keys: KeyRange, *, descending: bool, batch: int
    ) -> Iterator[Document]:
        query += " DESC LIMIT ?" if descending else " LIMIT ?"
        low, high = keys
        while low < high:
            rows = self.connections.rows(query, *fixed, low, high, batch)
            yield from (bson.decode(body) for _, body in rows)
            if len(rows) < batch:
                return
            if descending:
                high = rows[-1][0]
            else:
                low = after(rows[-1][0])
            batch = min(2 * batch, BATCH)  # the first one is small for who wants few

    def _build(self, collection: str, indexes: Indexes) -> None:
        for doc in self.scan_keys(collection, EVERYTHING) if indexes else ():
            [(number, _)] = self.connections.rows(_FIND, collection, _key(doc["_id"]))
            self._enter(collection, number, doc, indexes)

    def _enter(self, collection: str, number: int, doc: Document, indexes: Indexes) -> None:
        key, entries = _key(doc["_id"]), _entries(doc, indexes)
        self._refuse_duplicates(collection, key, indexes, entries)
        self._add_entries(collection, key, number, entries)

    def _refuse_duplicates(self, collection: str, key: bytes, indexes: Indexes, new: Entries) -> None:
        query = "SELECT 1 FROM entries WHERE collection=? AND name=? AND value=? AND key<>? LIMIT 1"
        for name, value in new:
            field, unique = indexes[name]
            if unique and self.connections.rows(query, collection, name, value, key):
                raise DuplicateKeyError(f"A document with this {field!r} already exists")

    def _add_entries(self, collection: str, key: bytes, number: int | None, entries: Entries) -> None:
        with self.connections.writing() as connection:
            connection.executemany(
                "INSERT INTO entries (collection, name, value, key, document) VALUES (?, ?, ?, ?, ?)",
                [(collection, name, value, key, number) for name, value in entries],
            )

    def _remove_entries(self, collection: str, key: bytes, entries: Entries) -> None:
        with self.connections.writing() as connection:
            connection.executemany(
                "DELETE FROM entries WHERE collection=? AND name=? AND value=? AND key=?",
                [(collection, name, value, key) for name, value in entries],
            )


def _key(doc_id: Any) -> bytes:
    key = encode(doc_id) if isinstance(doc_id, str | ObjectId) else None
    if key is None:
        raise MongitaError("A document's _id must be a string or a bson ObjectId")
    return key


def _entries(doc: Document, indexes: Indexes) -> Entries:
    """Return the entries of the document; a list is entered once for each of its items."""
    entries = set()
    for name, (field, _) in indexes.items():
        value = _get_item_from_doc(doc, field)
        for item in value if isinstance(value, list) else [value]:
            encoded = encode(item)
            if encoded is not None:
                entries.add((name, encoded))
    return entries
