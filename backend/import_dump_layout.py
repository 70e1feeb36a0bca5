"""What an exported collection of Image-N-crypt means: which fields are read, under which names.

Names that differ between its versions are tried in turn; docs/server.md lists them. Must not import Flask or an engine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from backend.import_dump_json import a_date, a_number, an_id, made_at, some_bytes

COLLECTIONS = ("users", "images", "images.files", "images.chunks")

USER_NAME = ("username", "name", "user_name")
PASSWORD = ("password", "password_hash")
PUBLIC_KEY = ("publicKey", "public_key")
OWNER = ("userId", "user_id", "owner")
PICTURE_NAME = ("nameImg", "name", "img_name", "filename")
EXTENSION = ("extImg", "ext")
QUOTIENT = ("quotientImg", "quotient")
FILE = ("dataImg", "file_id", "image_id")
CREATED = ("created", "created_at", "createdAt")

KNOWN_HASH = re.compile(r"sha256\$[^$]+\$[0-9a-f]{64}|\$argon2id\$[\x21-\x7e]+", re.ASCII)
"""Password hashes that can be checked here."""
DEFAULT_CHUNK = 255 * 1024
MOST_CHUNKS = 1_000_000
"""Of one file: 243 GiB in pieces of the usual size."""


@dataclass(frozen=True, slots=True)
class OldUser:
    """An account; empty texts where there is nothing that can be read."""

    id: str | None
    name: str
    password_hash: str
    public_key: str
    created: datetime


@dataclass(frozen=True, slots=True)
class OldPicture:
    """A picture without its bytes; ``permissions`` are pairs of user id and role as they stand there."""

    id: str | None
    owner_id: str | None
    file_name: str
    file_id: str | None
    quotient: str
    permissions: list[tuple[str | None, str]]
    created: datetime | None


@dataclass(frozen=True, slots=True)
class OldFile:
    """An entry of GridFS; sizes in bytes."""

    id: str
    length: int
    chunk_size: int
    name: str
    stored: datetime | None


@dataclass(frozen=True, slots=True)
class OldChunk:
    """A piece of a file of GridFS."""

    file_id: str
    number: int
    data: bytes


def file_of(folder: Path, collection: str) -> Path | None:
    """The export of a collection: ``users.json``, or with the name of the database before it; None: not there."""
    exact = folder / f"{collection}.json"
    if exact.is_file():
        return exact
    form = re.compile(rf"[^.]+\.{re.escape(collection)}\.json")
    found = sorted(path for path in folder.iterdir() if form.fullmatch(path.name) and path.is_file())
    return found[0] if len(found) == 1 else None


def user(document: dict[str, Any]) -> OldUser:
    """Read an account."""
    user_id = an_id(document.get("_id"))
    return OldUser(
        user_id,
        _text(document, USER_NAME),
        _text(document, PASSWORD),
        _text(document, PUBLIC_KEY).strip(),
        _created(document, user_id) or datetime(1970, 1, 1),  # noqa: DTZ001 -- naive UTC
    )


def picture(document: dict[str, Any]) -> OldPicture:
    """Read a picture."""
    picture_id = an_id(document.get("_id"))
    name, extension = _text(document, PICTURE_NAME), _text(document, EXTENSION)
    listed = document.get("permissions")
    permissions = [
        (next((an_id(one[key]) for key in OWNER if key in one), None), _text(one, ("role",)))
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict)
    ]
    return OldPicture(
        picture_id,
        next((an_id(document[key]) for key in OWNER if key in document), None),
        name if not extension or name.lower().endswith(extension.lower()) else name + extension,
        next((an_id(document[key]) for key in FILE if key in document), None),
        _text(document, QUOTIENT),
        permissions,
        _created(document, picture_id),
    )


def file(document: dict[str, Any]) -> OldFile | None:
    """Read an entry of GridFS; None when it cannot be one."""
    file_id, length = an_id(document.get("_id")), a_number(document.get("length"))
    chunk_size = a_number(document.get("chunkSize", DEFAULT_CHUNK))
    if file_id is None or length is None or length < 0 or not chunk_size or chunk_size < 0:
        return None
    if length > chunk_size * MOST_CHUNKS:
        return None
    return OldFile(file_id, length, chunk_size, _text(document, ("filename",)), a_date(document.get("uploadDate")))


def chunk(document: dict[str, Any]) -> OldChunk | None:
    """Read a piece of a file; None when it cannot be one."""
    file_id, number = an_id(document.get("files_id")), a_number(document.get("n"))
    data = some_bytes(document.get("data"))
    if file_id is None or number is None or number < 0 or data is None:
        return None
    return OldChunk(file_id, number, data)


def _text(document: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((document[name] for name in names if isinstance(document.get(name), str)), "")


def _created(document: dict[str, Any], document_id: str | None) -> datetime | None:
    given = next((time for name in CREATED if (time := a_date(document.get(name))) is not None), None)
    return given or (made_at(document_id) if document_id else None)
