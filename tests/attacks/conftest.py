"""A server that is the real one except where it lies, on a real socket, and a person who is signed in to it."""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backend import create_app
from backend.config import Config as BackendConfig
from backend.server import Server, listen
from backend.storage.embedded import open_storage
from desktop import embedded
from desktop.client.session import Session, Sessions
from desktop.client.vault import Vault
from desktop.config import Config
from desktop.crypto import key_file
from desktop.crypto.key_slots import LEAST_COST
from desktop.crypto.keys import PrivateKey

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PASSPHRASE = "correct horse battery staple"
PASSWORD = "an ordinary password"

_numbers = itertools.count(1)


@dataclass
class Reply:
    """What the honest server would answer; a lie changes it."""

    status: str
    headers: dict[str, str]
    body: bytes

    def json(self, change: Callable[[Any], Any]) -> None:
        """Replace the JSON in the body by what ``change`` returns for it."""
        self.body = json.dumps(change(json.loads(self.body))).encode()
        self.headers["Content-Length"] = str(len(self.body))


Lie = Callable[[Reply], object]


class Liar:
    """A WSGI application before the real one."""

    def __init__(self, honest: WSGIApplication) -> None:
        self._honest = honest
        self._lies: list[tuple[re.Pattern[str], Lie]] = []

    def about(self, path: str, lie: Lie) -> None:
        """From now on change the answers to requests whose method, path and query match ``path``."""
        self._lies.append((re.compile(path), lie))

    def repent(self) -> None:
        """Be honest again."""
        self._lies.clear()

    def __getattr__(self, name: str) -> Any:
        """The server asks its application more than WSGI does."""
        return getattr(self._honest, name)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}"
        lies = [lie for pattern, lie in self._lies if pattern.search(request)]
        if not lies:
            return self._honest(environ, start_response)
        reply = self._ask(environ)
        for lie in lies:
            lie(reply)
        start_response(reply.status, list(reply.headers.items()))
        return [reply.body]

    def _ask(self, environ: WSGIEnvironment) -> Reply:
        reply = Reply("", {}, b"")

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            reply.status, reply.headers = status, dict(headers)
            return lambda data: None

        pieces = self._honest(environ, start)
        try:
            reply.body = b"".join(pieces)
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
        return reply


@dataclass
class Victim:
    """Somebody signed in to a server that may lie.

    Attributes:
        liar: The server's tongue.
        session: Open and unlocked.
        outside: A folder for sources and exports.
        data: Everything Glassine keeps on this computer.
    """

    address: str
    liar: Liar
    name: str
    key: PrivateKey
    sessions: Sessions
    session: Session
    outside: Path
    data: Path
    _sources: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def vault(self) -> Vault:
        """The pictures."""
        return self.session.vault()

    def add(self, content: bytes, name: str = "picture.png") -> str:
        """Store a picture and return its id."""
        folder = self.outside / f"source {next(self._sources)}"
        folder.mkdir()
        (folder / name).write_bytes(content)
        return self.vault.upload(self.vault.seal(folder / name)).id

    def sign_in(self) -> Session:
        """Sign out and in again."""
        self.session.close()
        self.session = self.sessions.sign_in(self.address, self.name, PASSWORD)
        self.session.unlock(PASSPHRASE)
        return self.session


@pytest.fixture(scope="session")
def key() -> PrivateKey:
    """Somebody's key pair; short, so that it is made quickly."""
    return PrivateKey.generate(2048)


@pytest.fixture(scope="session")
def other_key() -> PrivateKey:
    """Somebody else's key pair."""
    return PrivateKey.generate(2048)


@pytest.fixture(scope="session")
def lying_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Liar, Any]]:
    """The one server of all these tests: its address, its tongue and the application behind."""
    folder = tmp_path_factory.mktemp("server")
    config = BackendConfig(
        data=folder, argon2_memory_kib=8192, argon2_passes=1, drain_seconds=2, login_attempts=0, registrations=0
    )
    storage = open_storage(folder)
    app = create_app(config, storage)
    liar = Liar(app)
    listening = listen("127.0.0.1", 0)
    server = Server(liar, config, listening)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run, name="server that lies")
    thread.start()
    yield server.address, liar, app
    server.stop()
    thread.join(10)
    listening.close()
    storage.close()
    assert not thread.is_alive()


@pytest.fixture(scope="session")
def key_file_bytes(key: PrivateKey) -> bytes:
    """The key file of ``key`` at the least cost that is accepted."""
    return key_file.create(key, PASSPHRASE, _cost=LEAST_COST)


@pytest.fixture
def victim(
    lying_server: tuple[str, Liar, Any], tmp_path: Path, key: PrivateKey, key_file_bytes: bytes
) -> Iterator[Victim]:
    """Somebody new, signed in; the server is honest so far."""
    address, liar, app = lying_server
    data, outside = tmp_path / "data", tmp_path / "outside"
    (data / "keys").mkdir(parents=True)
    (data / "keys" / f"{key.fingerprint}.glassine-key").write_bytes(key_file_bytes)
    outside.mkdir()
    name = f"victim {next(_numbers)}"
    app.extensions["glassine"].services.accounts.register(name, PASSWORD, key.public.pem)
    sessions = Sessions(Config(data), embedded.start)
    session = sessions.sign_in(address, name, PASSWORD)
    session.accept(key)  # as unlocking does, without the work that a passphrase costs
    somebody = Victim(address, liar, name, key, sessions, session, outside, data)
    yield somebody
    liar.repent()
    somebody.session.close()
