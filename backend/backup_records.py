"""Records as a backup holds them, and strictly back. Blobs are not part of them: they follow as members of their own.

What an archive says is checked field by field before a record is made of it. Must not import Flask or an engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from backend.backup_format import BackupDamaged
from backend.storage.protocol import Document, Permission, PictureRecord, PublishedFile, Revision, User

_ID = re.compile(r"[0-9a-f]{24}", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LONGEST_NUMBER = 1 << 60
_LONGEST_NAME = 1024
_MOST_VERSIONS = 1_000_000
"""Of a document: a restore goes through all of them."""

BLOBS = {"content": "content_blob", "quotient": "quotient_blob", "thumbnail": "thumbnail_blob"}
"""The parts of a picture, in the order in which they follow it, and the fields that name them."""


@dataclass(frozen=True, slots=True)
class PictureEntry:
    """A picture with everything that belongs to it; ``sizes`` are the bytes of each of its blobs, by part."""

    picture: PictureRecord
    history: list[Revision]
    permissions: list[Permission]
    sizes: Mapping[str, int]


# -- to a backup ------------------------------------------------------------------------------------------------------


def user_to(user: User) -> dict[str, Any]:
    """What is backed up of an account. Not its generation (a restore makes a new one) nor what it uses (counted)."""
    return {
        "id": user.id, "kind": user.kind, "name": user.name, "password_hash": user.password_hash,
        "public_key": user.public_key, "created": _from_time(user.created), "email": user.email,
        "first_name": user.first_name, "last_name": user.last_name, "updated": _from_time(user.updated),
        "quota_bytes": user.quota_bytes,
    }  # fmt: skip


def picture_to(entry: PictureEntry) -> dict[str, Any]:
    """A picture without its blobs' ids, which are other ones wherever it is restored."""
    picture = entry.picture
    return {
        "id": picture.id, "owner_id": picture.owner_id, "name": picture.name, "scheme": picture.scheme,
        "size": picture.size, "created": _from_time(picture.created), "content_sha256": picture.content_sha256,
        "envelope": picture.envelope, "header_hash": picture.header_hash, "stored_bytes": picture.stored_bytes,
        "updated": _from_time(picture.updated), "deleted": _from_time(picture.deleted),
        "blobs": dict(entry.sizes),
        "history": [
            {"header_hash": one.header_hash, "envelope": one.envelope, "replaced": _from_time(one.replaced)}
            for one in entry.history
        ],
        "permissions": [{"user_id": one.user_id, "role": one.role, "grant": one.grant} for one in entry.permissions],
    }  # fmt: skip


def document_to(document: Document) -> dict[str, Any]:
    """A document without its value."""
    return {
        "owner_id": document.owner_id, "kind": document.kind, "key": document.key, "version": document.version,
        "updated": _from_time(document.updated), "size": len(document.value),
    }  # fmt: skip


def file_to(file: PublishedFile) -> dict[str, Any]:
    """A published file without its bytes."""
    return {
        "id": file.id, "owner_id": file.owner_id, "name": file.name, "size": file.size,
        "created": _from_time(file.created),
    }  # fmt: skip


# -- from a backup ----------------------------------------------------------------------------------------------------


class _Fields:
    """The fields of an untrusted object, each taken once and in its type."""

    def __init__(self, untrusted: object, what: str) -> None:
        if not isinstance(untrusted, dict):
            raise BackupDamaged(f"{what} is not a record")
        self._values = dict(untrusted)
        self._what = what

    def text(self, name: str, *, limit: int | None = None, allowed: tuple[str, ...] | None = None) -> str:
        value = self._take(name)
        if not isinstance(value, str) or (limit is not None and len(value) > limit):
            self._refuse(name)
        if "\0" in value or (allowed is not None and value not in allowed):
            self._refuse(name)
        return str(value)

    def matching(self, name: str, form: re.Pattern[str], *, may_be_empty: bool = False) -> str:
        value = self._take(name)
        if not isinstance(value, str) or not (form.fullmatch(value) or (may_be_empty and value == "")):
            self._refuse(name)
        return str(value)

    def number(self, name: str, low: int = 0, high: int = _LONGEST_NUMBER) -> int:
        value = self._take(name)
        if type(value) is not int or not low <= value <= high:
            self._refuse(name)
        return int(value)

    def time(self, name: str) -> datetime:
        value = self.optional_time(name)
        if value is None:
            self._refuse(name)
        return value  # type: ignore[return-value]

    def optional_time(self, name: str) -> datetime | None:
        value = self._take(name)
        if value is None:
            return None
        try:
            time = datetime.fromisoformat(value)
            if time.tzinfo is None and _from_time(time) == value:
                return time
        except (TypeError, ValueError):
            pass
        self._refuse(name)
        return None

    def list_of(self, name: str, make: Callable[[object], Any]) -> list[Any]:
        value = self._take(name)
        if not isinstance(value, list):
            self._refuse(name)
        return [make(one) for one in value]

    def sizes(self, name: str) -> dict[str, int]:
        parts = _Fields(self._take(name), f"{self._what}'s {name}")
        found = {part: parts.number(part) for part in list(parts._values) if part in BLOBS}
        parts.end()
        return found

    def end(self) -> None:
        if self._values:
            raise BackupDamaged(f"{self._what} has fields that are not known")

    def _take(self, name: str) -> Any:
        if name not in self._values:
            self._refuse(name)
        return self._values.pop(name)

    def _refuse(self, name: str) -> None:
        raise BackupDamaged(f"{self._what} has a {name} that cannot be")


def user_from(untrusted: object, what: str) -> User:
    """An account as it was, open to nobody who was signed in; raises BackupDamaged."""
    fields = _Fields(untrusted, what)
    user = User(
        id=fields.matching("id", _ID),
        kind=fields.text("kind", allowed=("", "ops", "client")),
        name=fields.text("name", limit=_LONGEST_NAME),
        password_hash=fields.text("password_hash", limit=_LONGEST_NAME),
        public_key=fields.text("public_key", limit=16384),
        created=fields.time("created"),
        email=fields.text("email", limit=_LONGEST_NAME),
        first_name=fields.text("first_name", limit=_LONGEST_NAME),
        last_name=fields.text("last_name", limit=_LONGEST_NAME),
        updated=fields.optional_time("updated"),
        quota_bytes=fields.number("quota_bytes", low=-1),
    )
    fields.end()
    if not user.name:
        raise BackupDamaged(f"{what} has a name that cannot be")
    return user


def picture_from(untrusted: object, what: str) -> PictureEntry:
    """A picture whose blobs have no ids yet; raises BackupDamaged."""
    fields = _Fields(untrusted, what)
    picture = PictureRecord(
        id=fields.matching("id", _ID),
        owner_id=fields.matching("owner_id", _ID),
        name=fields.text("name", limit=_LONGEST_NAME),
        scheme=fields.text("scheme", allowed=("sealed", "classic")),
        size=fields.number("size"),
        created=fields.time("created"),
        content_blob="",
        content_sha256=fields.matching("content_sha256", _HASH),
        envelope=fields.text("envelope"),
        header_hash=fields.matching("header_hash", _HASH, may_be_empty=True),
        stored_bytes=fields.number("stored_bytes"),
        updated=fields.optional_time("updated"),
        deleted=fields.optional_time("deleted"),
    )
    sizes = fields.sizes("blobs")
    history = fields.list_of("history", lambda one: _revision_from(one, picture.id, what))
    permissions = fields.list_of("permissions", lambda one: _permission_from(one, picture.id, what))
    fields.end()
    if sizes.get("content") != picture.size or not picture.name:
        raise BackupDamaged(f"{what} has a name or a size that cannot be")
    hashes = [one.header_hash for one in history]
    if len({*hashes, picture.header_hash}) != len(hashes) + 1:
        raise BackupDamaged(f"{what} has the same revision twice")
    if len({one.user_id for one in permissions}) != len(permissions):
        raise BackupDamaged(f"{what} is shared twice with the same account")
    return PictureEntry(picture, history, permissions, sizes)


def document_from(untrusted: object, what: str) -> tuple[Document, int]:
    """A document without its value, and the value's size in bytes; raises BackupDamaged."""
    fields = _Fields(untrusted, what)
    document = Document(
        owner_id=fields.matching("owner_id", _ID),
        kind=fields.text("kind", limit=_LONGEST_NAME),
        key=fields.text("key", limit=_LONGEST_NAME),
        version=fields.number("version", low=1, high=_MOST_VERSIONS),
        value=b"",
        updated=fields.time("updated"),
    )
    size = fields.number("size", high=8 << 20)
    fields.end()
    return document, size


def file_from(untrusted: object, what: str) -> PublishedFile:
    """A published file whose bytes have no id yet; raises BackupDamaged."""
    fields = _Fields(untrusted, what)
    file = PublishedFile(
        id=fields.matching("id", _ID),
        owner_id=fields.matching("owner_id", _ID),
        name=fields.text("name", limit=_LONGEST_NAME),
        size=fields.number("size"),
        created=fields.time("created"),
        blob="",
    )
    fields.end()
    return file


def with_blobs(picture: PictureRecord, ids: Mapping[str, str]) -> PictureRecord:
    """The picture naming its blobs."""
    return replace(
        picture,
        content_blob=ids["content"],
        quotient_blob=ids.get("quotient", ""),
        thumbnail_blob=ids.get("thumbnail", ""),
    )


def _revision_from(untrusted: object, picture_id: str, what: str) -> Revision:
    fields = _Fields(untrusted, what)
    revision = Revision(
        picture_id, fields.matching("header_hash", _HASH), fields.text("envelope"), fields.time("replaced")
    )
    fields.end()
    return revision


def _permission_from(untrusted: object, picture_id: str, what: str) -> Permission:
    fields = _Fields(untrusted, what)
    permission = Permission(
        picture_id,
        fields.matching("user_id", _ID),
        fields.text("role", allowed=("read", "write")),
        fields.text("grant"),
    )
    fields.end()
    return permission


def _from_time(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="milliseconds")
