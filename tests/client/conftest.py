"""A place to keep pictures, once in this process and once behind a socket, with the same tests for both."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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

PASSPHRASE = "correct horse battery staple"
PASSWORD = "an ordinary password"

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def key() -> PrivateKey:
    """Somebody's key pair; short, so that it is made quickly."""
    return PrivateKey.generate(2048)


@pytest.fixture(scope="session")
def other_key() -> PrivateKey:
    """Somebody else's key pair."""
    return PrivateKey.generate(2048)


@pytest.fixture(scope="session")
def key_file_bytes(key: PrivateKey) -> bytes:
    """The key file of ``key``, opened by ``PASSPHRASE`` at the least cost that is accepted."""
    return key_file.create(key, PASSPHRASE, _cost=LEAST_COST)


@pytest.fixture
def cheap_key_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let key files cost the least that is accepted, for tests that write many."""
    for function in (key_file.create, key_file.change_passphrase, key_file.set_passphrase):
        defaults: dict[str, Any] = function.__kwdefaults__  # type: ignore[attr-defined]
        monkeypatch.setitem(defaults, "_cost", LEAST_COST)


@dataclass
class RunningServer:
    """A real server on a real socket."""

    address: str
    folder: Path
    storage: Any
    app: Any
    stop: Callable[[], None]


def run_server(folder: Path, **settings: Any) -> RunningServer:
    """Start a server over a folder; passwords cost next to nothing."""
    unlimited = {"login_attempts": 0, "login_attempts_address": 0, "registrations": 0}
    config = BackendConfig(
        data=folder, argon2_memory_kib=8192, argon2_passes=1, drain_seconds=2, **(unlimited | settings)
    )
    storage = open_storage(folder)
    app = create_app(config, storage)
    listening = listen("127.0.0.1", settings.get("port", 0))
    server = Server(app, config, listening)
    thread = threading.Thread(target=server.run, name="server of the client tests")
    thread.start()

    def stop() -> None:
        server.stop()
        thread.join(10)
        listening.close()
        storage.close()
        assert not thread.is_alive()

    return RunningServer(server.address, folder, storage, app, stop)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for all tests; each registers a person of its own."""
    running = run_server(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    """Sessions over an empty data folder."""
    return Sessions(Config(tmp_path / "data"), embedded.start)


def put_key_file(folder: Path, key: PrivateKey, content: bytes) -> Path:
    """Put a key file where the key store looks for it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{key.fingerprint}.glassine-key"
    path.write_bytes(content)
    return path


@dataclass
class Somewhere:
    """A signed-in person and where their things are.

    Attributes:
        kind: ``embedded`` or ``server``.
        session: Open and unlocked.
        outside: A folder that Glassine does not own: sources, exports.
        data: Everything Glassine keeps for this person on this computer.
        store: Where the backend keeps its things.
        sign_in: Opens a new session, unlocked.
    """

    kind: str
    session: Session
    outside: Path
    data: Path
    store: Path
    sign_in: Callable[[], Session]
    _names: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def vault(self) -> Vault:
        """The pictures."""
        return self.session.vault()

    def source(self, content: bytes, name: str = "") -> Path:
        """Write a file to be added."""
        folder = self.outside / f"sources {next(self._names)}"
        folder.mkdir(parents=True)
        path = folder / (name or "picture.png")
        path.write_bytes(content)
        return path

    def add(self, content: bytes, name: str = "") -> str:
        """Store a picture and return its id."""
        return self.vault.upload(self.vault.seal(self.source(content, name))).id

    def restart(self) -> None:
        """Close the program and start it again."""
        self.session.close()
        self.session = self.sign_in()


def make_embedded(sessions: Sessions, tmp_path: Path, key: PrivateKey, content: bytes) -> Somewhere:
    """A vault on this computer."""
    folder = tmp_path / "data" / "vault"
    put_key_file(folder / "keys", key, content)
    outside = tmp_path / "outside"
    outside.mkdir(exist_ok=True)

    def sign_in() -> Session:
        return sessions.open_vault(folder, PASSPHRASE)

    return Somewhere("embedded", sign_in(), outside, tmp_path / "data", folder / "backend", sign_in)


def make_on_server(
    sessions: Sessions, tmp_path: Path, key: PrivateKey, content: bytes, server: RunningServer
) -> Somewhere:
    """A new account on the server."""
    put_key_file(tmp_path / "data" / "keys", key, content)
    name = f"person-{next(_numbers)}"
    server.app.extensions["glassine"].services.accounts.register(name, PASSWORD, key.public.pem)
    outside = tmp_path / "outside"
    outside.mkdir(exist_ok=True)

    def sign_in() -> Session:
        session = sessions.sign_in(server.address, name, PASSWORD)
        session.unlock(PASSPHRASE)
        return session

    return Somewhere("server", sign_in(), outside, tmp_path / "data", server.folder, sign_in)


@pytest.fixture(params=["embedded", "server"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, sessions: Sessions, key: PrivateKey, key_file_bytes: bytes
) -> Iterator[Somewhere]:
    """A signed-in person, once at a vault on this computer and once at a server."""
    if request.param == "embedded":
        somewhere = make_embedded(sessions, tmp_path, key, key_file_bytes)
    else:
        somewhere = make_on_server(sessions, tmp_path, key, key_file_bytes, request.getfixturevalue("server"))
    yield somewhere
    somewhere.session.close()


@pytest.fixture
def here(tmp_path: Path, sessions: Sessions, key: PrivateKey, key_file_bytes: bytes) -> Iterator[Somewhere]:
    """A signed-in person at a vault on this computer."""
    somewhere = make_embedded(sessions, tmp_path, key, key_file_bytes)
    yield somewhere
    somewhere.session.close()


@pytest.fixture
def there(
    tmp_path: Path, sessions: Sessions, key: PrivateKey, key_file_bytes: bytes, server: RunningServer
) -> Iterator[Somewhere]:
    """A signed-in person at a server."""
    somewhere = make_on_server(sessions, tmp_path, key, key_file_bytes, server)
    yield somewhere
    somewhere.session.close()
