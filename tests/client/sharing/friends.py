"""Several people with real clients at one real server, for the tests of sharing."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from desktop import image_formats
from desktop.client import attempts, kept_versions
from desktop.client.api import Api
from desktop.client.key_change import KeyChange
from desktop.client.memory import Memory
from desktop.client.resealing import now_stored, own_envelope
from desktop.client.revising import Revising
from desktop.client.shared import SharedPictures
from desktop.client.sharing import Sharing
from desktop.client.staging import Staging
from desktop.client.transport import Transport
from desktop.client.vault_context import VaultContext
from desktop.client.vault_listing import Catalog
from desktop.client.vault_thumbnails import VaultThumbnails
from desktop.crypto import sealed
from desktop.crypto.keys import PrivateKey

PASSWORD = "an ordinary password"

_numbers = itertools.count(1)

Make: TypeAlias = "Callable[[], Friend]"


@dataclass
class Friend:
    """Somebody with an account, a key and a computer.

    Attributes:
        context: What their vault would hand to sharing.
        folder: Everything Glassine keeps for them.
        outside: A folder that Glassine does not own.
    """

    name: str
    address: str
    key: PrivateKey
    folder: Path
    outside: Path
    context: VaultContext = field(repr=False)

    @property
    def sharing(self) -> Sharing:
        return Sharing(self.context)

    @property
    def shared(self) -> SharedPictures:
        """A new one, listed."""
        shared = SharedPictures(self.context)
        shared.list()
        return shared

    @property
    def revising(self) -> Revising:
        return Revising(self.context)

    @property
    def memory(self) -> Memory:
        return self.context.memory

    @property
    def api(self) -> Api:
        return self.context.api

    @property
    def user_id(self) -> str:
        return self.context.user_id

    def close(self) -> None:
        self.memory.close()
        self.api.close()

    def restart(self) -> None:
        """End the program and start it again."""
        self.close()
        self.context = sign_in(self.address, self.name, self.key, self.folder)

    def change_key(self, new: PrivateKey) -> None:
        """Go over to another key pair, and start the program again."""

        def change_account(pem: str) -> None:
            self.api.change_key(self.user_id, pem, PASSWORD)

        KeyChange(self.context, self.key, new, change_account).run()
        self.key = new
        self.restart()

    def elsewhere(self) -> Friend:
        """The same person at another computer, where nothing is remembered."""
        number = next(_numbers)
        folder, outside = self.folder.with_name(f"{self.folder.name}-{number}"), self.outside / str(number)
        outside.mkdir()
        context = sign_in(self.address, self.name, self.key, folder)
        return Friend(self.name, self.address, self.key, folder, outside, context)

    def meet(self, other: Friend, *, compare: bool = True) -> str:
        """Find somebody, perhaps compare their key, and return their id."""
        person = self.sharing.find(other.name)
        if compare:
            self.sharing.compared(person.user_id, other.key.fingerprint)
        return person.user_id

    def file(self, content: bytes, name: str = "ladybird.jpg") -> Path:
        """Write a file to be added."""
        folder = self.outside / f"sources {next(_numbers)}"
        folder.mkdir()
        (folder / name).write_bytes(content)
        return folder / name

    def add(self, content: bytes, name: str = "ladybird.jpg") -> str:
        """Store a picture and return its id."""
        source = self.file(content, name)
        info = image_formats.read_info(source)
        with attempts.attempt(self.folder) as folder:
            made = sealed.seal(
                source,
                folder / "carrier.png",
                self.key,
                name=name,
                media_type=info.media_type,
                width=info.width,
                height=info.height,
                taken=info.taken,
                thumbnail=image_formats.make_thumbnail(source),
            )
            row = self.api.upload_sealed(
                self.user_id,
                made.picture_id,
                carrier=made.carrier,
                envelope=made.envelope,
                thumbnail=made.thumbnail,
            )
        now_stored(self.context, *own_envelope(self.context, made), row, made.thumbnail)
        return made.picture_id

    def theirs(self, other: Friend, picture_id: str) -> str:
        """What the gallery calls a picture that somebody else shares."""
        return f"{other.user_id}.{picture_id}"

    def content(self, other: Friend, picture_id: str) -> bytes:
        """Open a picture that somebody shares."""
        return bytes(self.shared.open(self.theirs(other, picture_id)).data)


def sign_in(address: str, name: str, key: PrivateKey, folder: Path) -> VaultContext:
    """Open somebody's account at their computer, as ``Vault`` does."""
    attempts.clean(folder)
    kept_versions.clean(folder)
    api = Api(Transport(address), wait=lambda seconds: None)
    user_id = api.login(name, PASSWORD).user_id
    return VaultContext(
        api,
        user_id,
        key,
        Memory(folder, key.fingerprint),
        folder,
        Catalog(),
        VaultThumbnails(api, user_id, folder / "cache"),
        Staging(folder / "staging"),
    )


def make_friend(address: str, register: Callable[[str, str], object], key: PrivateKey, folder: Path) -> Friend:
    """Make an account and sign in.

    Args:
        address: Of the server.
        register: Registers a name with a public key.
        key: Theirs.
        folder: For everything of this person.
    """
    name = f"friend {next(_numbers)}"
    register(name, key.public.pem)
    outside = folder / "outside"
    outside.mkdir(parents=True)
    return Friend(name, address, key, folder / "glassine", outside, sign_in(address, name, key, folder / "glassine"))
