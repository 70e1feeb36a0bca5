"""The storage engines, each held to the same contract: the ``storage`` fixture runs a test once for each of ENGINES."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from backend.storage.embedded import open_storage
from backend.storage.mongo import open_mongo
from backend.storage.protocol import PictureRecord, Storage, User
from tests.mongodb import MongoDatabases


def _embedded(_: pytest.FixtureRequest) -> Callable[[Path], Storage]:
    return open_storage


def _mongo(request: pytest.FixtureRequest) -> Callable[[Path], Storage]:
    uri_of = request.getfixturevalue("mongo_of_folder")
    return lambda folder: open_mongo(uri_of(folder))


# Name and how a test opens (again) the storage that a folder stands for. A new engine adds its line here.
ENGINES: tuple[tuple[str, Callable[[pytest.FixtureRequest], Callable[[Path], Storage]]], ...] = (
    ("embedded", _embedded),
    ("mongo", _mongo),
)

CREATED = datetime(2024, 5, 17, 11, 22, 33, 444000)


class Opener:
    """Opens and re-opens one storage; what is still open at the end of the test is closed."""

    def __init__(self, open_folder: Callable[[Path], Storage], folder: Path) -> None:
        self._open_folder = open_folder
        self.folder = folder
        self._current: Storage | None = None

    def __call__(self) -> Storage:
        self.close()
        self._current = self._open_folder(self.folder)
        return self._current

    def close(self) -> None:
        if self._current is not None:
            self._current.close()
            self._current = None


@pytest.fixture(params=[opener for _, opener in ENGINES], ids=[name for name, _ in ENGINES])
def open_engine(request: pytest.FixtureRequest) -> Callable[[Path], Storage]:
    return request.param(request)


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> Callable[[int], int]:
    """How often to repeat what is repeated so many times on an engine in this process: a round trip costs time."""
    return lambda wanted: wanted // 5 if request.node.callspec.params["open_engine"] is _mongo else wanted


@pytest.fixture
def mongo_of_folder(mongo_databases: MongoDatabases) -> Iterator[Callable[[Path], str]]:
    """The address of the database that stands for a folder; empty at first."""
    taken: dict[Path, str] = {}

    def uri_of(folder: Path) -> str:
        if folder not in taken:
            taken[folder] = mongo_databases.take()
        return taken[folder]

    yield uri_of
    for uri in taken.values():
        mongo_databases.give_back(uri)


@pytest.fixture
def reopen(open_engine: Callable[[Path], Storage], tmp_path: Path) -> Iterator[Opener]:
    """Call it for the storage, freshly opened."""
    opener = Opener(open_engine, tmp_path / "storage")
    yield opener
    opener.close()


@pytest.fixture
def storage(reopen: Opener) -> Storage:
    return reopen()


class Make:
    """Makes records with plausible values; keyword arguments replace them."""

    @staticmethod
    def user(storage: Storage, name: str = "ada", **values: Any) -> User:
        fields: dict[str, Any] = {"password_hash": "$argon2id$x", "public_key": "3233 17", "created": CREATED}
        return User(id=storage.new_id(), name=name, **{**fields, **values})

    @staticmethod
    def blob(storage: Storage, data: bytes = b"noise") -> str:
        with storage.write_blob() as blob:
            blob.write(data)
            return blob.commit()

    @classmethod
    def picture(cls, storage: Storage, owner_id: str, name: str = "p.png", **values: Any) -> PictureRecord:
        fields: dict[str, Any] = {
            "scheme": "sealed",
            "size": 5,
            "created": CREATED,
            "content_sha256": "ab" * 32,
            "envelope": '{"v":1}',
            "header_hash": "cd" * 32,
        }
        fields.update(values)
        for field in ("content_blob", "thumbnail_blob"):
            if field not in fields:
                fields[field] = cls.blob(storage)
        return PictureRecord(id=storage.new_id(), owner_id=owner_id, name=name, **fields)


@pytest.fixture
def make() -> type[Make]:
    return Make
