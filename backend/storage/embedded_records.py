"""Between documents of mongita's collections and the records of the protocol.

Uniqueness and order over several fields rest on a string that joins them, for mongita indexes one field at a time. Must
not import Flask.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_type_hints

from mongita.errors import DuplicateKeyError

from backend.storage.failures import DAMAGED
from backend.storage.protocol import (
    Document,
    DuplicateRecord,
    Permission,
    PictureRecord,
    PublishedFile,
    Revision,
    Session,
    StorageError,
    User,
)

Record = TypeVar("Record", User, PictureRecord, Revision, Permission, Document, Session, PublishedFile)

_KINDS = (User, PictureRecord, Revision, Permission, Document, Session, PublishedFile)
_TYPES = {kind: get_type_hints(kind) for kind in _KINDS}
# What a record has that was written before there was such a field. No field that names a blob is among them: it is
# missing from damaged records only, and whoever took those for whole would take its blob for nobody's.
_WRITTEN_ALWAYS = {"quotient_blob", "thumbnail_blob", "envelope", "header_hash"}
_DEFAULTS = {
    kind: {f.name: f.default for f in fields(kind) if f.default is not MISSING and f.name not in _WRITTEN_ALWAYS}
    for kind in _KINDS
}


def slot(first: str, second: str) -> str:
    """Join two fields. Unambiguous when the first is an id, 24 hex digits."""
    return f"{first}/{second}"


def kind_slot(kind: str, rest: str) -> str:
    """Join a kind, which may be any text, and something else, unambiguously."""
    return f"{len(kind)}/{kind}/{rest}"


def email_slot(user_id: str, kind: str, email: str) -> str:
    """What is unique for the sake of a person's email; an account without one, or of another kind, has its id here."""
    return f"@{email}" if email and not kind else user_id


def shared_slot(permission: Permission, *, binned: bool) -> str:
    """By which the pictures shared with somebody are found in order; those in the bin lie apart."""
    joined = slot(permission.user_id, permission.picture_id)
    return f"-{joined}" if binned else joined


def starting_with(prefix: str, after: str = "") -> dict[str, str]:
    """A filter for strings ``<prefix>/<rest>`` with a rest greater than ``after``, or with any when that is empty."""
    above = {"$gt": f"{prefix}/{after}"} if after else {"$gte": f"{prefix}/"}
    return {**above, "$lt": f"{prefix}0"}  # 0 is the character after the slash


def insert(collection: Any, document: dict[str, Any], **more: str) -> None:
    """Insert a record's fields, whose ``id`` becomes the document's. Raises DuplicateRecord."""
    document.update(more)
    document["_id"] = document.pop("id")
    try:
        collection.insert_one(document)
    except DuplicateKeyError as error:
        raise DuplicateRecord(str(error)) from error


def record(kind: type[Record], document: dict[str, Any] | None) -> Record | None:
    """Turn a document into a record; raises StorageError when it is damaged."""
    return None if document is None else records(kind, [document])[0]


def records(kind: type[Record], documents: Iterable[dict[str, Any]]) -> list[Record]:
    """Turn documents into records; raises StorageError for one that is damaged."""
    types, defaults = _TYPES[kind], _DEFAULTS[kind]
    made = []
    for document in documents:
        values = {**defaults, **{name: document[name] for name in types if name in document}}
        if "id" in types:
            values["id"] = document.get("_id")
        if len(values) < len(types) or not all(_fits(values[name], known) for name, known in types.items()):
            raise StorageError("damaged", DAMAGED)
        made.append(kind(**values))
    return made


def _fits(value: object, known: Any) -> bool:
    return isinstance(value, known) and not (known is int and isinstance(value, bool))
