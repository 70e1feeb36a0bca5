"""mongita's client, database and collection on the SQLite engine.

What mongita 1.2.0's own collection does differently from MongoDB and would lose or mix up documents is put right here:
``_id`` no longer hides the other fields of a filter, an update starts from a copy, a value taken under a unique index
raises DuplicateKeyError, and filters on ``_id`` and on indexed fields are answered by SQLite instead of by reading
every document. The methods named ``_Collection__…`` replace mongita's private ones; mongita is pinned, and a test
checks that they are still there. Writes that mongita wraps in ``assert`` are replaced too: ``python -O`` drops those.
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
from mongita.common import ASCENDING, MetaStorageObject, ok_name
from mongita.database import Database
from mongita.errors import InvalidName, MongitaError, MongitaNotImplementedError
from mongita.mongita_client import MongitaClient
from mongita.results import UpdateResult

from backend.storage.index_keys import EVERYTHING, encode, is_string_range, range_of
from backend.storage.mongita_engine import Document, SqliteEngine
from backend.storage.query_plan import Plan, plan

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

    def _MongitaClient__create(self, name: str) -> None:
        _add_name(self.engine, self._base_location, "database_names", name)


class SqliteDatabase(Database):  # type: ignore[misc]
    """A mongita database of :class:`SqliteCollection`."""

    def __getitem__(self, name: str) -> SqliteCollection:
        if name not in self._cache:
            if not ok_name(name):
                raise InvalidName(f"A collection cannot be named {name!r}")
            self._cache[name] = SqliteCollection(name, self)
        collection: SqliteCollection = self._cache[name]
        return collection

    def create(self, collection: str) -> None:
        """List a collection, and this database, among those that exist."""
        _add_name(self._engine, self._base_location, "collection_names", collection)
        self.client._MongitaClient__create(self.name)


class SqliteCollection(Collection):  # type: ignore[misc]
    """A mongita collection that leaves finding, counting and indexes to :class:`SqliteEngine`."""

    _engine: SqliteEngine

    def create_index(self, keys: str | Sort, background: bool = False, unique: bool = False) -> str:
        """Index one field and return the index's name. Making an index again is harmless.

        Raises:
            DuplicateKeyError: ``unique``, and a value is there twice.
            MongitaError: Not one field with a direction.
        """
        if background:
            raise MongitaNotImplementedError("background index creation is not supported")
        pairs = [(keys, ASCENDING)] if isinstance(keys, str) else keys
        if not isinstance(pairs, list) or not pairs:
            raise MongitaError(f"Unsupported keys parameter format {keys!r}")
        if len(pairs) > 1:
            raise MongitaNotImplementedError("Mongita does not support multi-key indexes yet")
        field, direction = pairs[0]
        if not isinstance(field, str) or not field or direction not in (1, -1):
            raise MongitaError(f"An index needs a field name and a direction of 1 or -1, not {keys!r}")
        name = f"{field}_{direction}"
        with self._engine.lock:
            self._Collection__create()
            metadata = self._Collection__get_metadata()
            wanted: Document = {"_id": name, "key_str": field, "direction": direction, "unique": unique, "idx": {}}
            if metadata["indexes"].get(name) != wanted:
                metadata["indexes"][name] = wanted
                self._engine.put_metadata(self._base_location, metadata)
        return name

    @property
    def location(self) -> str:
        """What the engine calls this collection."""
        return str(self._base_location)

    def count_documents(self, filter: Filter) -> int:
        _validate_filter(filter)
        if not filter:
            return self._engine.count(self._base_location)
        keys = filter.get("_id")
        if len(filter) == 1 and isinstance(keys, dict) and is_string_range(keys):
            return self._engine.count_keys(self._base_location, range_of(keys) or EVERYTHING)
        [value, *others] = filter.values()
        index = self._plan(filter).index
        if index and isinstance(value, str) and not others:
            return self._engine.count(self._base_location, index, encode(value))
        return sum(1 for _ in self._Collection__find(filter))

    def replace_one(self, filter: Filter, replacement: Document, upsert: bool = False) -> UpdateResult:
        filter = filter or {}
        _validate_filter(filter)
        _validate_doc(replacement)
        replacement = copy.deepcopy(replacement)
        with self._engine.lock:
            self._Collection__create()
            found = self._Collection__find_one_id(filter)
            if found is not None:
                self._engine.put_doc(self._base_location, {**replacement, "_id": found})
                return UpdateResult(1, 1)
            if not upsert:
                return UpdateResult(0, 0)
            named = filter.get("_id")
            replacement.setdefault("_id", named if isinstance(named, str | ObjectId) else ObjectId())
            self._Collection__insert_one(replacement)
            return UpdateResult(0, 1, replacement["_id"])

    def with_options(self, **kwargs: Any) -> SqliteCollection:
        plain = super().with_options(**kwargs)  # checks the arguments
        return SqliteCollection(self.name, self.database, plain.write_concern, plain.read_concern)

    def __getattr__(self, name: str) -> SqliteCollection:
        if name in self.DEPRECATED or name in self.UNIMPLEMENTED:
            super().__getattr__(name)  # raises
        return SqliteCollection(f"{self.name}.{name}", self.database)

    # -- in place of mongita's private methods --

    def _Collection__create(self) -> None:
        # Asked each time instead of remembered: a transaction that made the collection may have been undone.
        if self._engine.get_metadata(self._base_location) is None:
            with self._engine.lock:
                empty = {"options": {}, "indexes": {}, "_id": str(ObjectId())}
                self._engine.put_metadata(self._base_location, MetaStorageObject(empty))
                self.database.create(self.name)

    def _Collection__find(
        self,
        filter: Filter,
        sort: Sort | None = None,
        limit: int | None = None,
        skip: int | None = None,
        **_unused: object,
    ) -> Iterator[Document]:
        # Every document is freshly decoded, so none needs copying.
        skip = skip or 0
        chosen = self._plan(filter or {}, sort, None if limit is None else skip + limit)
        found = (doc for doc in chosen.candidates if _doc_matches_slow_filters(doc, filter or {}))
        if sort and not chosen.sorted:
            docs = list(found)
            _sort_docs(docs, sort)
            return iter(docs[skip : None if limit is None else skip + limit])
        return islice(found, skip, None if limit is None else skip + limit)

    def _Collection__find_ids(self, *args: Any, **kwargs: Any) -> Iterator[str | ObjectId]:
        return (doc["_id"] for doc in self._Collection__find(*args, **kwargs))

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

    def _plan(self, filter: Filter, sort: Sort | None = None, limit: int | None = None) -> Plan:
        return plan(self._engine, self._base_location, filter, sort or [], limit)


def _add_name(engine: SqliteEngine, location: str, field: str, name: str) -> None:
    """Add a name to the list in the metadata of a database or of the client, which is made if need be."""
    with engine.lock:
        metadata = engine.get_metadata(location) or MetaStorageObject(
            {"options": {}, field: [], "uuid": str(ObjectId())}
        )
        if name not in metadata[field]:
            metadata[field].append(name)
            engine.put_metadata(location, metadata)
