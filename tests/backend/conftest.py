"""A real server on a real socket over the real embedded storage, and people with accounts on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask

from backend import create_app
from backend.config import Config
from backend.server import Server, listen
from backend.storage.embedded import open_storage
from backend.storage.protocol import Storage

FAST = Config(
    argon2_memory_kib=8192,
    argon2_passes=1,
    max_upload_bytes=2_000_000,
    drain_seconds=5,
    login_attempts=0,
    login_attempts_address=0,
    registrations=0,
)
"""Passwords cost next to nothing here and nobody is told to wait; everything else is as shipped, but for a limit that
tests can reach."""

_numbers = count(1)


@dataclass
class Person:
    """Somebody with an account, talking to the server."""

    base: str
    name: str
    password: str
    user_id: str
    token: str
    session: requests.Session = field(repr=False)

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        """Send a request with this person's token; ``path`` starts behind ``/api/v1``."""
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        return self.session.request(method, f"{self.base}/api/v1{path}", headers=headers, timeout=20, **more)

    @property
    def images(self) -> str:
        """Path of this person's pictures."""
        return f"/users/{self.user_id}/images"


@dataclass
class Running:
    """A running server."""

    base: str
    app: Flask
    storage: Any
    session: requests.Session = field(repr=False)

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        """Send a request without a token."""
        return self.session.request(method, f"{self.base}/api/v1{path}", timeout=20, **more)

    def person(self, public_key: str = "27977 9431") -> Person:
        """Register somebody new and sign in."""
        name, password = f"person {next(_numbers)}", "a long passphrase"
        form = {"username": name, "password": password, "publicKey": public_key}
        assert self.call("POST", "/auth/register", data=form).status_code == 201
        answer = self.call("POST", "/auth/login", data={"username": name, "password": password}).json()
        return Person(self.base, name, password, answer["user_id"], answer["access_token"], self.session)


@contextmanager
def serving(
    folder: Path, config: Config = FAST, wrap: Callable[[Any], Any] = lambda storage: storage
) -> Iterator[Running]:
    """Run a server over a folder in a thread of this process."""
    with serving_storage(open_storage(folder), config, wrap) as running:
        yield running


@contextmanager
def serving_storage(
    storage: Storage, config: Config = FAST, wrap: Callable[[Any], Any] = lambda storage: storage
) -> Iterator[Running]:
    """Run a server over a storage, which is closed in the end, in a thread of this process."""
    session = requests.Session()
    session.trust_env = False
    try:
        app = create_app(config, wrap(storage))
        with listen("127.0.0.1", 0) as listening:
            server = Server(app, config, listening)
            thread = threading.Thread(target=server.run, name="server under test")
            thread.start()
            try:
                yield Running(server.address, app, storage, session)
            finally:
                session.close()
                server.stop()
                thread.join(30)
                assert not thread.is_alive()
    finally:
        storage.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for all tests that do not break it."""
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def person(server: Running) -> Person:
    """Somebody new."""
    return server.person()
