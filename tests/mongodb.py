"""A MongoDB for tests: one server for each test process, an empty database for each test.

With ``GLASSINE_TEST_MONGODB_URI`` (an address without a database, of a user who may make and drop databases) tests use
that server instead, but for those that stop theirs.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit, urlunsplit

import pytest

ADDRESS = "GLASSINE_TEST_MONGODB_URI"


class MongoServer:
    """A MongoDB server; ``start`` and ``kill`` may alternate, address and data stay."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._password = secrets.token_urlsafe(12) + "@:/%"  # signs that an address must escape
        self._process: subprocess.Popen[str] | None = None
        self._port = 0

    @property
    def uri(self) -> str:
        """Address without a database."""
        return f"mongodb://glassine:{quote_plus(self._password)}@127.0.0.1:{self._port}/?authSource=admin"

    @property
    def process_id(self) -> int:
        """Of the running server."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start and wait until it answers."""
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("mongodb_server.py"), self._folder, str(self._port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "GLASSINE_TEST_PASSWORD": self._password},
        )
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline())

    def kill(self) -> None:
        """Stop without a warning, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@contextmanager
def mongo_server(folder: Path) -> Iterator[MongoServer]:
    """A running server of one's own."""
    server = MongoServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def with_database(uri: str, database: str, **options: object) -> str:
    """The address of a database of the server."""
    parts = urlsplit(uri)
    query = "&".join(filter(None, (parts.query, *(f"{name}={value}" for name, value in options.items()))))
    return urlunsplit(parts._replace(path=f"/{database}", query=query))


class MongoDatabases:
    """Hands out empty databases of a server, and uses them again: making one costs ten times as much as emptying it."""

    def __init__(self, uri: str) -> None:
        from pymongo import MongoClient

        self._uri = uri
        self._client: MongoClient[Any] = MongoClient(uri)
        self._made: list[str] = []
        self._empty: list[str] = []

    def take(self) -> str:
        """The address of an empty database."""
        return self._empty.pop() if self._empty else self.make()

    def make(self) -> str:
        """The address of a database that does not exist yet; removed in the end."""
        self._made.append(with_database(self._uri, f"glassine_test_{secrets.token_hex(6)}"))
        return self._made[-1]

    def give_back(self, uri: str) -> None:
        """Empty a database that nobody uses any more."""
        database = self._client[urlsplit(uri).path[1:]]
        for name in database.list_collection_names():
            database[name].delete_many({})
        self._empty.append(uri)

    def close(self) -> None:
        """Remove all of them."""
        for uri in self._made:
            self._client.drop_database(urlsplit(uri).path[1:])
        self._client.close()


@pytest.fixture(scope="session")
def mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address (without a database) of a MongoDB, started at first use."""
    given = os.environ.get(ADDRESS)
    if given:
        yield given
        return
    with mongo_server(tmp_path_factory.mktemp("mongodb")) as server:
        yield server.uri


@pytest.fixture(scope="session")
def mongo_databases(mongodb: str) -> Iterator[MongoDatabases]:
    """Databases for tests that need several, or for longer than a test."""
    databases = MongoDatabases(mongodb)
    yield databases
    databases.close()


@pytest.fixture
def mongo_uri(mongo_databases: MongoDatabases) -> Iterator[str]:
    """Address of an empty database."""
    uri = mongo_databases.take()
    yield uri
    mongo_databases.give_back(uri)
