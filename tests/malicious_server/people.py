"""The real backend behind the malicious layer, on a real socket, and people with the real client objects."""

from __future__ import annotations

import functools
import itertools
import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend import create_app
from backend.config import Config as BackendConfig
from backend.server import Server as HttpServer
from backend.server import listen
from backend.storage.embedded import open_storage
from desktop import embedded
from desktop.client.revising import Revising
from desktop.client.session import Session, Sessions
from desktop.client.shared import SharedPictures
from desktop.client.sharing import Sharing
from desktop.client.vault import Vault
from desktop.config import Config
from desktop.crypto import key_file
from desktop.crypto.key_slots import LEAST_COST
from desktop.crypto.keys import PrivateKey
from tests import sample_pictures
from tests.fuzz.parsers import key as published_key
from tests.malicious_server.proxy import Server

if TYPE_CHECKING:
    from desktop.models import Picture

PASSPHRASE = "correct horse battery staple"
PASSWORD = "an ordinary password"

_numbers = itertools.count(1)


@functools.cache
def key_of(role: str) -> PrivateKey:
    """The key pair of a part in the play: published ones for the people, a drawn one for the server."""
    published = {"alice": "owner", "bob": "friend", "carol": "stranger"}
    return published_key(published[role]) if role in published else PrivateKey.generate(2048)


@functools.cache
def key_file_of(role: str) -> bytes:
    """The key file of a part, at the least cost that is accepted."""
    return key_file.create(key_of(role), PASSPHRASE, _cost=LEAST_COST)


@dataclass
class Running:
    """The server of all plays: its address, its tongue and the application behind."""

    address: str
    evil: Server
    app: Any
    folder: Path


@contextmanager
def running_server(folder: Path) -> Iterator[Running]:
    """Run the real backend behind the malicious layer on 127.0.0.1."""
    unlimited = {"login_attempts": 0, "login_attempts_address": 0, "registrations": 0}
    config = BackendConfig(data=folder, argon2_memory_kib=8192, argon2_passes=1, drain_seconds=2, **unlimited)  # type: ignore[arg-type]
    storage = open_storage(folder)
    app = create_app(config, storage)
    evil = Server(app)
    listening = listen("127.0.0.1", 0)
    server = HttpServer(evil, config, listening)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run, name="malicious server")
    thread.start()
    try:
        yield Running(server.address, evil, app, folder)
    finally:
        server.stop()
        thread.join(10)
        listening.close()
        storage.close()
    if thread.is_alive():
        raise RuntimeError("the server did not stop")


@dataclass
class Person:
    """Somebody signed in and unlocked.

    Attributes:
        role: Whose key it is: ``alice``, ``bob`` or ``carol``.
        name: The account's name.
        user_id: The account.
        data: Everything Glassine keeps on this person's computer.
        outside: Sources and exports.
    """

    running: Running
    role: str
    name: str
    user_id: str
    data: Path
    outside: Path
    session: Session = field(init=False)
    sharing: Sharing = field(init=False)
    shared: SharedPictures = field(init=False)
    _sources: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        keys = self.data / "keys"
        keys.mkdir(parents=True)
        (keys / f"{self.key.fingerprint}.glassine-key").write_bytes(key_file_of(self.role))
        self.outside.mkdir()
        self.sign_in()

    @property
    def key(self) -> PrivateKey:
        """The key pair."""
        return key_of(self.role)

    @property
    def vault(self) -> Vault:
        """The pictures."""
        return self.session.vault()

    @property
    def revising(self) -> Revising:
        """New versions."""
        return Revising(self.vault.context())

    def sign_in(self) -> None:
        """Open the program and sign in."""
        sessions = Sessions(Config(self.data), embedded.start)
        self.session = sessions.sign_in(self.running.address, self.name, PASSWORD)
        try:
            self.session.accept(self.key)  # as unlocking does, without the work that a passphrase costs
        except BaseException:
            self.session.close()
            raise
        self.sharing = Sharing(self.vault.context())
        self.shared = SharedPictures(self.vault.context())

    def restart(self) -> None:
        """Close the program and open it again."""
        self.session.close()
        self.sign_in()

    def other_computer(self) -> Person:
        """The same person on a computer that knows nothing yet."""
        number = next(_numbers)
        return Person(
            self.running,
            self.role,
            self.name,
            self.user_id,
            self.data.with_name(f"other data {number}"),
            self.outside.with_name(f"other outside {number}"),
        )

    def source(self, content: bytes, name: str = "picture.png") -> Path:
        """Write a file to be added."""
        folder = self.outside / f"source {next(self._sources)}"
        folder.mkdir()
        (folder / name).write_bytes(content)
        return folder / name

    def add(self, seed: int = 1, name: str = "picture.png") -> str:
        """Store a picture and return its id."""
        content = sample_pictures.png(40, 30, seed=seed)
        return self.vault.upload(self.vault.seal(self.source(content, name))).id

    def revise(self, picture_id: str, seed: int) -> str:
        """Store another picture as the next revision; return its header hash."""
        return self.revising.replace(picture_id, self.source(sample_pictures.png(40, 30, seed=seed)))

    def delete_for_good(self, picture_id: str) -> None:
        """Delete a picture, from the bin too."""
        self.vault.delete(picture_id)
        self.vault.list_bin()
        self.vault.purge([picture_id])

    def listed(self) -> dict[str, Picture]:
        """List one's own pictures."""
        return {picture.id: picture for picture in self.vault.list_pictures()}

    def listed_shared(self) -> dict[str, Picture]:
        """List what others share."""
        return {picture.id: picture for picture in self.shared.list()}

    def remembered(self) -> str:
        """What this computer remembers of pictures and people, to be compared."""
        document = json.loads(self.vault.context().memory.export())
        return json.dumps(document, sort_keys=True)

    def forget_thumbnails(self) -> None:
        """Empty the cache on the disk."""
        for path in self.data.rglob("thumbnails/??/*"):
            path.unlink()


@dataclass
class Stage:
    """One play: people who have never met before, at the server of all plays."""

    running: Running
    folder: Path
    _people: dict[str, Person] = field(default_factory=dict)
    _others: list[Person] = field(default_factory=list)

    @property
    def evil(self) -> Server:
        """The server's tongue."""
        return self.running.evil

    def person(self, role: str) -> Person:
        """Return somebody, who gets an account at the first call."""
        if role not in self._people:
            number = next(_numbers)
            name = f"{role} {number}"
            user = self.services.accounts.register(name, PASSWORD, key_of(role).public.pem)
            folder = self.folder / role
            folder.mkdir()
            self._people[role] = Person(self.running, role, name, user.id, folder / "data", folder / "outside")
        return self._people[role]

    @property
    def services(self) -> Any:
        """The backend's inside, which a malicious server holds in its hands."""
        return self.running.app.extensions["glassine"].services

    @property
    def alice(self) -> Person:
        """The owner in most plays."""
        return self.person("alice")

    @property
    def bob(self) -> Person:
        """Somebody she shares with."""
        return self.person("bob")

    @property
    def carol(self) -> Person:
        """Somebody else."""
        return self.person("carol")

    def other_computer_of(self, person: Person) -> Person:
        """Another computer of somebody, closed with the play."""
        other = person.other_computer()
        self._others.append(other)
        return other

    def end(self) -> None:
        """Everybody signs out, from a server that is honest again."""
        self.evil.repent()
        for person in [*self._people.values(), *self._others]:
            person.session.close()


@contextmanager
def stage(running: Running) -> Iterator[Stage]:
    """Play on an empty stage."""
    with tempfile.TemporaryDirectory(prefix="glassine-play-") as folder:
        play = Stage(running, Path(folder))
        try:
            yield play
        finally:
            play.end()
