"""Storages of both engines for the administration commands: named on a command line, opened in between by the test."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest

from backend.commands import run_command
from backend.storage.embedded import open_storage
from backend.storage.mongo import open_mongo
from backend.storage.protocol import (
    Document,
    Permission,
    PictureRecord,
    PublishedFile,
    Revision,
    Storage,
    User,
)

NOW = datetime(2024, 5, 17, 11, 22, 33, 444000)
ENGINES = ("embedded", "mongo")


@dataclass(frozen=True)
class Place:
    """Where a storage is."""

    options: tuple[str, str]
    open: Callable[[], AbstractContextManager[Storage]]


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Command = Callable[..., Result]


def folder(path: Path) -> Place:
    return Place(("--data", str(path)), lambda: closing(open_storage(path)))


def database(uri: str) -> Place:
    return Place(("--mongodb", uri), lambda: closing(open_mongo(uri)))


def runner(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command and checks what holds for every command."""

    def run(*arguments: object) -> Result:
        capsys.readouterr()
        code = run_command([str(argument) for argument in arguments])
        result = Result(code, *capsys.readouterr())
        assert code in {0, 1, 2, 4}
        assert all(line.startswith("glassine: ") for line in result.err.splitlines()), result.err
        assert code == 0 or result.err, "a failure must say why"
        assert "Traceback" not in result.err
        return result

    return run


# -- what is in them --------------------------------------------------------------------------------------------------


def add_blob(storage: Storage, data: bytes) -> str:
    with storage.write_blob() as blob:
        blob.write(data)
        return blob.commit()


def add_user(storage: Storage, name: str, **more: object) -> User:
    user = User(storage.new_id(), name, "$argon2id$x", "3233 17", NOW)
    user = replace(user, **more)  # type: ignore[arg-type]
    storage.add_user(user)
    return user


def add_picture(storage: Storage, owner: User, name: str, data: bytes, thumbnail: bytes = b"") -> PictureRecord:
    sealed = bool(thumbnail)
    record = PictureRecord(
        id=storage.new_id(),
        owner_id=owner.id,
        name=name,
        scheme="sealed" if sealed else "classic",
        size=len(data),
        created=NOW,
        content_blob=add_blob(storage, data),
        content_sha256=hashlib.sha256(data).hexdigest(),
        quotient_blob="" if sealed else add_blob(storage, b"98 98 2 "),
        thumbnail_blob=add_blob(storage, thumbnail) if sealed else "",
        envelope='{"rev":1,"name":"ü"}' if sealed else "",
        header_hash=hashlib.sha256(data).hexdigest() if sealed else "",
        stored_bytes=len(data) + (len(thumbnail) if sealed else 8),
    )
    storage.add_picture(record)
    return record


def revise(storage: Storage, record: PictureRecord, data: bytes) -> PictureRecord:
    revised = replace(
        record,
        size=len(data),
        content_blob=add_blob(storage, data),
        content_sha256=hashlib.sha256(data).hexdigest(),
        thumbnail_blob=add_blob(storage, b"t" + data[:9]),
        header_hash=hashlib.sha256(data).hexdigest(),
        envelope='{"rev":2}',
        updated=NOW,
        stored_bytes=len(data) + 10,
    )
    assert storage.replace_picture(revised, Revision(record.id, record.header_hash, record.envelope, NOW))
    for blob in record.blobs:
        storage.remove_blob(blob)
    return revised


def fill(storage: Storage) -> None:
    """Something of everything that a backup holds."""
    ada = add_user(storage, "ada", email="ada@x.example", first_name="Ada", quota_bytes=9_000_000, generation=3)
    bob = add_user(storage, "bob", public_key="", updated=NOW)
    operator = add_user(storage, "ada", kind="ops")
    add_user(storage, "ada", kind="client")
    shared = add_picture(storage, ada, "p-1.png", b"one" * 5000, b"thumbnail 1")
    storage.add_permission(Permission(shared.id, bob.id, "write", '{"grant":1}'))
    revised = add_picture(storage, ada, "p-2.png", b"two" * 500, b"thumbnail 2")
    for data in (b"three" * 100, b"four"):
        revised = revise(storage, revised, data)
    add_picture(storage, ada, "bicycle.png", b"\x89PNG" + bytes(700))
    for data in (b"a", b"b"):  # twice the same name in the bin, and once outside
        binned = add_picture(storage, bob, "p-3.png", data, b"thumbnail 3")
        storage.add_permission(Permission(binned.id, ada.id, "read"))
        storage.move_to_bin(bob.id, "p-3.png", NOW)
    add_picture(storage, bob, "p-3.png", b"", b"thumbnail 4")
    for version, value in enumerate((b"l1", b"l2", bytes(range(256))), 1):
        assert storage.put_document(Document(ada.id, "ledger", "", version, value, NOW))
    for key in ("x", "y"):
        assert storage.put_document(Document(bob.id, "gone", key, 1, b"{}", NOW))
    storage.put_file(PublishedFile(storage.new_id(), operator.id, "../ü.txt", 5, NOW, add_blob(storage, b"hello")))
    for user in (ada, bob, operator):
        storage.recount_bytes(user.id)


def described(storage: Storage) -> list[object]:
    """Everything that a storage holds but ids of blobs and what a restore makes anew, for comparing."""
    found: list[object] = []

    def content(blob_id: str) -> bytes:
        if not blob_id:
            return b""
        blob = storage.open_blob(blob_id)
        assert blob is not None
        with blob:
            return blob.read()

    for kind in ("", "ops", "client"):
        for user in storage.users(kind=kind):
            found.append(replace(user, generation=0))
            for picture in [*storage.bin(user.id), *storage.pictures(user.id)]:
                found.append(replace(picture, content_blob="", quotient_blob="", thumbnail_blob=""))
                found += [content(getattr(picture, f"{part}_blob")) for part in ("content", "quotient", "thumbnail")]
                found += [*storage.history(picture.id), *storage.permissions(picture.id)]
            for document_kind in ("ledger", "keyfile", "gone", "succession"):
                found += storage.documents(user.id, document_kind)
            for file in storage.files(user.id):
                found += [replace(file, blob=""), content(file.blob)]
            found += [(picture.id, one) for picture, one in storage.shared_with(user.id)]
    return found
