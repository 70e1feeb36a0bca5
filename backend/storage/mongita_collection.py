"""mongita's client, database and collection on the SQLite engine.

What mongita 1.2.0's own collection does differently from MongoDB and would lose or mix up documents is put right here:
``_id`` no longer hides the other fields of a filter, an update starts from a copy, a value taken under a unique index
raises DuplicateKeyError, and filters on ``_id`` and on indexed fields are answered by SQLite instead of by reading every
document. The methods named ``_Collection__…`` replace mongita's private ones; mongita is pinned, and a test checks that
they are still there. Writes that mongita wraps in ``assert`` are replaced too, for ``python -O`` drops those.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from bson import ObjectId
from mongita.collection import (
    Collection,
    _doc_matches_slow_filters,
    _sort_docs,
    _update_item_in_doc,
    _validate_doc,
    _validate_filter,
)
from mongita.common import ASCENDING, MetaStorageObject
from mongita.database import Database
from mongita.errors import InvalidName, MongitaError, MongitaNotImplementedError
from mongita.mongita_client import MongitaClient, ok_name
from mongita.results import UpdateResult

from backend.storage.index_keys import EVERYTHING, after, encode, range_of
from backend.storage.mongita_engine import BATCH, Document, SqliteEngine

Filter = dict[str, Any]
Sort = list[tuple[str, int]]


class SqliteClient(MongitaClient):  # type: ignore[misc]
    """A MongitaClient whose databases live in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self.engine = SqliteEngine(path)
        self.is_primary = True
        super().__init__()

    def __repr__(self) -> str:
        return "SqliteClient()"

    def __getitem__(self, name: str) -> SqliteDatabase:
        if name not in self._cache:
            if not ok_name(name):
                raise InvalidName(f"A database cannot be named {name!r}")
            self._cache[name] = SqliteDatabase(name, self)
        database: SqliteDatabase = self._cache[name]
        return database


class SqliteDatabase(Database):  # type: ignore[misc]
    """A mongita database of :class:`SqliteCollection`."""

    def __getitem__(self, name: str) -> SqliteCollection:
        if name not in self._cache:
            if not ok_name(name):
                raise InvalidName(f"A collection cannot be named {name!r}")
            self._cache[name] = SqliteCollection(name, self)
        collection: SqliteCollection = self._cache[name]
        return collection


class SqliteCollection(Collection):  # type: ignore[misc]
    """A mongita collection that leaves finding, counting and indexes to :class:`SqliteEngine`."""

    _engine: SqliteEngine

    def create_index(self, keys: str | Sort, background: bool = False, unique: bool = False) -> str:
        """Index one field and return the index's name. Raises DuplicateKeyError when ``unique`` and a value is there
        twice. Making an index again is harmless."""
        if background:
            raise MongitaNotImplementedError("background index creation is not supported")
        [(field, direction)] = [(keys, ASCENDING)] if isinstance(keys, str) else keys
        name = f"{field}_{direction}"
        self._Collection__create()
        with self._engine.lock:
            metadata = self._engine.get_metadata(self._base_location)
            wanted = {"_id": name, "key_str": field, "direction": direction, "unique": unique, "idx": {}}
            if metadata["indexes"].get(name) != wanted:
                metadata["indexes"][name] = wanted
                self._engine.put_metadata(self._base_location, metadata)
        return name

    def count_documents(self, filter: Filter) -> int:
        _validate_filter(filter)
        if not filter:
            return self._engine.count(self._base_location)
        if len(filter) == 1:
            [(field, value)] = filter.items()
            index = self._index_on(field)
            if index and isinstance(value, str):
                return self._engine.count(self._base_location, index, encode(value))
        return sum(1 for _ in self._matching(filter))

    def replace_one(self, filter: Filter, replacement: Document, upsert: bool = False) -> UpdateResult:
        filter = filter or {}
        _validate_filter(filter)
        _validate_doc(replacement)
        self._Collection__create()
        replacement = copy.deepcopy(replacement)
        with self._engine.lock:
            found = self._Collection__find_one_id(filter)
            if found is None and not upsert:
                return UpdateResult(0, 0)
            if found is not None:
                replacement["_id"] = found
                self._engine.put_doc(self._base_location, replacement)
                return UpdateResult(1, 1)
            named = filter.get("_id")
            replacement.setdefault("_id", named if isinstance(named, str | ObjectId) else ObjectId())
            self._Collection__insert_one(replacement)
            return UpdateResult(0, 1, replacement["_id"])

    def with_options(self, **kwargs: Any) -> SqliteCollection:
        return SqliteCollection(self.name, self.database, **kwargs)

    def __getattr__(self, name: str) -> SqliteCollection:
        if name in self.DEPRECATED or name in self.UNIMPLEMENTED:
            super().__getattr__(name)  # raises
        return SqliteCollection(f"{self.name}.{name}", self.database)

    # -- in place of mongita's private methods --

    def _Collection__create(self) -> None:
        # Asked each time instead of remembered: a transaction that made the collection may have been undone.
        if self._engine.get_metadata(self._base_location) is not None:
            return
        with self._engine.lock:
            empty = MetaStorageObject({"options": {}, "indexes": {}, "_id": str(ObjectId())})
            self._engine.put_metadata(self._base_location, empty)
            self.database._Collection__create(self.name)

    def _Collection__find(
        self,
        filter: Filter,
        sort: Sort | None = None,
        limit: int | None = None,
        skip: int | None = None,
        metadata: object = None,
        shallow: bool = False,
    ) -> Iterator[Document]:
        # Every document is freshly decoded, so none needs copying.
        last = None if limit is None else limit + (skip or 0)
        return islice(self._matching(filter or {}, sort, last), skip or 0, None)

    def _Collection__find_ids(
        self,
        filter: Filter,
        sort: Sort | None = None,
        limit: int | None = None,
        skip: int | None = None,
        metadata: object = None,
    ) -> Iterator[str | ObjectId]:
        return (doc["_id"] for doc in self._Collection__find(filter, sort, limit, skip))

    def _Collection__find_one(self, filter: Filter, sort: Sort | None, skip: int | None) -> Document | None:
        return next(self._Collection__find(filter, sort, 1, skip), None)

    def _Collection__find_one_id(
        self, filter: Filter, sort: Sort | None = None, skip: int | None = None, upsert: bool = False
    ) -> str | ObjectId | None:
        return next(self._Collection__find_ids(filter, sort, 1, skip), None)

    def _Collection__update_doc(self, doc_id: str | ObjectId, update: dict[str, Document]) -> Document:
        doc = self._engine.get_doc(self._base_location, doc_id)
        if doc is None:
            raise MongitaError(f"Document {doc_id!r} is gone")
        for operator, fields in update.items():
            _update_item_in_doc(operator, copy.deepcopy(fields), doc)
        if doc["_id"] != doc_id:
            raise MongitaError("An update cannot change a document's _id")
        self._engine.put_doc(self._base_location, doc)
        return doc

    def _Collection__update_indicies(self, documents: object, metadata: object) -> object:
        return metadata  # the engine did it, in the same transaction

    def _Collection__update_indicies_deletes(self, doc_ids: object, metadata: object) -> object:
        return metadata

    # -- finding --

    def _matching(self, filter: Filter, sort: Sort | None = None, limit: int | None = None) -> Iterator[Document]:
        """Yield the documents that fit, sorted, at most ``limit``."""
        by_id = bool(sort) and len(sort or []) == 1 and (sort or [])[0][0] == "_id"
        descending = by_id and (sort or [])[0][1] < 0
        candidates, in_order = self._candidates(filter, by_id, descending, min(limit or BATCH, BATCH))
        found = (doc for doc in candidates if _doc_matches_slow_filters(doc, filter))
        if sort and not (by_id and in_order):
            docs = list(found)
            _sort_docs(docs, sort)
            found = iter(docs)
        return islice(found, limit)

    def _candidates(
        self, filter: Filter, by_id: bool, descending: bool, batch: int
    ) -> tuple[Iterator[Document], bool]:
        """Return the fewest documents, each once, that include all which fit, and whether they come in the order of
        their ``_id``."""
        engine, name = self._engine, self._base_location
        if isinstance(filter.get("_id"), str | ObjectId):
            doc = engine.get_doc(name, filter["_id"])
            return iter([doc] if doc else []), True
        keys = EVERYTHING
        if isinstance(filter.get("_id"), dict):
            operators = filter["_id"]
            if isinstance(operators.get("$in"), list | tuple | set):
                some = (engine.get_doc(name, i) for i in operators["$in"] if isinstance(i, str | ObjectId))
                return _once(doc for doc in some if doc), False
            keys = range_of(operators) or EVERYTHING
        indexed = [(index, filter[field]) for field in filter if (index := self._index_on(field))]
        for index, wanted in indexed:
            value = None if isinstance(wanted, dict) else encode(wanted)
            if value is not None:
                return engine.scan_equal(name, index, value, *keys, descending=descending, batch=batch), True
        if keys != EVERYTHING or by_id:
            return engine.scan_keys(name, *keys, descending=descending, batch=batch), True
        for index, wanted in indexed:
            if not isinstance(wanted, dict):
                continue
            if isinstance(wanted.get("$in"), list | tuple | set):
                values = [encode(item) for item in wanted["$in"]]
                if None not in values:
                    return _once(
                        doc for value in values if value for doc in engine.scan_values(name, index, value, after(value))
                    ), False
            limits = range_of(wanted)
            if limits:
                return _once(engine.scan_values(name, index, *limits, batch=batch)), False
        return engine.scan_inserted(name, batch), False

    def _index_on(self, field: str) -> str | None:
        indexes = self._engine.indexes(self._base_location)
        return next((name for name in (f"{field}_1", f"{field}_-1") if name in indexes), None)


def _once(docs: Iterator[Document]) -> Iterator[Document]:
    """Leave out documents that come again (``$in`` with a value twice, lists with several fitting items)."""
    seen: set[str | ObjectId] = set()
    for doc in docs:
        if doc["_id"] not in seen:
            seen.add(doc["_id"])
            yield doc
