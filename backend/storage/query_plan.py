"""How a filter is answered: which documents have to be looked at, and in which order they come.

The candidates of a plan include every document that fits, each once; the collection checks them with mongita's own
matcher. A plan only decides how few they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bson import ObjectId

from backend.storage.index_keys import EVERYTHING, KeyRange, after, encode, range_of
from backend.storage.mongita_engine import BATCH, Document, SqliteEngine


@dataclass(frozen=True)
class Plan:
    """A way to find documents.

    Attributes:
        candidates: The documents to check, read in batches as they are asked for.
        sorted: Whether they come in the order that was asked for.
        index: The index that a single equality is answered from.
    """

    candidates: Iterator[Document]
    sorted: bool = False
    index: str | None = None


def plan(
    engine: SqliteEngine, collection: str, filter: dict[str, Any], sort: list[tuple[str, int]], limit: int | None
) -> Plan:
    """Choose the way to find the documents that fit a filter."""
    by_id = len(sort) == 1 and sort[0][0] == "_id"
    descending = by_id and sort[0][1] < 0
    batch = min(limit or BATCH, BATCH)
    keys = EVERYTHING
    wanted = filter.get("_id")
    if isinstance(wanted, str | ObjectId):
        doc = engine.get_doc(collection, wanted)
        return Plan(iter([doc] if doc else []), sorted=True)
    if isinstance(wanted, dict):
        if _is_list(wanted.get("$in")):
            return Plan(_documents(engine, collection, wanted["$in"]))
        keys = range_of(wanted) or EVERYTHING

    indexed = [(index, filter[field]) for field in filter if (index := _index_on(engine, collection, field))]
    for index, operand in indexed:
        value = encode(operand)
        if value is not None:
            found = engine.scan_equal(collection, index, value, keys, descending=descending, batch=batch)
            return Plan(found, sorted=by_id, index=index)
    if keys != EVERYTHING or by_id:
        return Plan(engine.scan_keys(collection, keys, descending=descending, batch=batch), sorted=by_id)
    for index, operand in indexed:
        ranges = _ranges(operand)
        if ranges is not None:
            found = _once(
                doc for values in ranges for doc in engine.scan_values(collection, index, values, batch=batch)
            )
            return Plan(found, sorted=_comes_sorted(engine, collection, index, operand, sort))
    return Plan(engine.scan_inserted(collection))


def _index_on(engine: SqliteEngine, collection: str, field: str) -> str | None:
    indexes = engine.indexes(collection)
    return next((name for name in (f"{field}_1", f"{field}_-1") if name in indexes), None)


def _comes_sorted(engine: SqliteEngine, collection: str, index: str, operand: Any, sort: list[tuple[str, int]]) -> bool:
    """Whether a range of strings is read in the order asked: by that field alone, in which no two are equal."""
    field, unique = engine.indexes(collection)[index]
    in_order = unique and sort == [(field, 1)] and isinstance(operand, dict) and "$in" not in operand
    return in_order and any(isinstance(operand.get(operator), str) for operator in ("$gt", "$gte"))


def _ranges(operand: Any) -> list[KeyRange] | None:
    """Return the ranges of values that an indexed field's operators leave, or None when they leave all."""
    if not isinstance(operand, dict):
        return None
    if _is_list(operand.get("$in")):
        values = [encode(item) for item in operand["$in"]]
        known = [(value, after(value)) for value in values if value is not None]
        return known if len(known) == len(values) else None
    one = range_of(operand)
    return None if one is None else [one]


def _documents(engine: SqliteEngine, collection: str, doc_ids: Any) -> Iterator[Document]:
    some = (engine.get_doc(collection, doc_id) for doc_id in doc_ids if isinstance(doc_id, str | ObjectId))
    return _once(doc for doc in some if doc)


def _once(docs: Iterator[Document]) -> Iterator[Document]:
    """Leave out documents that come again (a value given twice, a list with several fitting items)."""
    seen: set[str | ObjectId] = set()
    for doc in docs:
        if doc["_id"] not in seen:
            seen.add(doc["_id"])
            yield doc


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple | set)
