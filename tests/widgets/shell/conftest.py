"""Sessions and keys in memory, and a themed application, for the tests of the shell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from desktop import errors
from desktop.client.recovery_kit import KitState, KitStatus
from desktop.config import Config
from desktop.models import Place, PlaceKind
from desktop.tasks import InlineRunner

FINGERPRINT = "9f2c41b7e08a5d1377c01ae4b9620f5e03d8c4a16e2b97f058bd2c16d07ae349"
PASSPHRASE = "a long passphrase"


@dataclass(frozen=True)
class FakePublicKey:
    fingerprint: str = FINGERPRINT
    bits: int = 3072


@dataclass(frozen=True)
class FakeKeyEntry:
    fingerprint: str = FINGERPRINT
    name: str = "Mara Lindqvist"
    created: datetime = datetime(2026, 3, 2, 12, tzinfo=UTC)
    public: FakePublicKey = FakePublicKey()
    is_default: bool = True
    path: Path = Path("/keys/key")


@dataclass
class FakeKeyStore:
    entries: list[FakeKeyEntry] = field(default_factory=lambda: [FakeKeyEntry()])
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    failure: errors.GlassineError | None = None

    def _did(self, *call: Any) -> None:
        if self.failure is not None:
            raise self.failure
        self.calls.append(call)

    def list(self) -> list[FakeKeyEntry]:
        return list(self.entries)

    def create(self, name: str, passphrase: str, bits: int, report: Any, cancelled: Any) -> FakeKeyEntry:
        report(1, 2)
        if cancelled():
            raise errors.Cancelled
        self._did("create", name, passphrase, bits)
        entry = FakeKeyEntry(f"{len(self.entries):064x}", name)
        self.entries.append(entry)
        return entry

    def read(self, fingerprint: str) -> bytes:
        raise errors.KeyMissing

    def delete(self, fingerprint: str) -> None:
        self._did("delete", fingerprint)
        self.entries = [entry for entry in self.entries if entry.fingerprint != fingerprint]

    def set_default(self, fingerprint: str) -> None:
        self._did("default", fingerprint)
        self.entries = [replace(entry, is_default=entry.fingerprint == fingerprint) for entry in self.entries]

    def import_classic(self, path: Path) -> None:
        self._did("import-classic", path)

    def open(self, fingerprint: str, passphrase: str) -> object:
        if passphrase != PASSPHRASE:
            raise errors.WrongKey
        return object()

    def import_file(self, path: Path, passphrase: str | None, name: str, new_passphrase: str) -> None:
        self._did("import", path, passphrase, name, new_passphrase)

    def change_passphrase(self, fingerprint: str, old: str, new: str) -> None:
        if old != PASSPHRASE:
            raise errors.WrongKey
        self._did("change", fingerprint, old, new)

    def rename(self, fingerprint: str, name: str) -> None:
        self._did("rename", fingerprint, name)

    def export_key_file(self, fingerprint: str, target: Path) -> None:
        self._did("key-file", fingerprint, target)

    def export_public(self, fingerprint: str, target: Path) -> None:
        self._did("public", fingerprint, target)

    def export_private(
        self, fingerprint: str, passphrase: str, format: str, new_passphrase: str | None, target: Path
    ) -> None:
        if passphrase != PASSPHRASE:
            raise errors.WrongKey
        self._did("private", fingerprint, format, new_passphrase, target)


@dataclass
class FakeKit:
    """A recovery kit that counts."""

    state: KitState = KitState.PROVEN
    has_server: bool = True

    def status(self) -> KitStatus:
        return KitStatus(self.state, datetime(2026, 3, 2, 12, tzinfo=UTC), "server")


@dataclass
class FakeSession:
    place: Place
    user_id: str = "5f0c0a0b0c0d0e0f01020304"
    user_name: str = "mara"
    locked: bool = True
    key_missing: bool = False
    closed: bool = False
    key_store: FakeKeyStore = field(default_factory=FakeKeyStore)
    public_key: FakePublicKey | None = field(default_factory=FakePublicKey)
    happened: list[str] = field(default_factory=list)
    key_change: Any = None
    moving_classic: bool = False
    the_kit: Any = field(default_factory=FakeKit)
    uploads: Any = None
    refused: str = ""
    in_keychain: Any = None
    asks_again: bool = False

    def kit(self) -> Any:
        return self.the_kit

    def refuse_passphrase(self, passphrase: str) -> None:
        if passphrase == self.refused:
            raise errors.PassphraseRefused

    def unlock_from(self, keychain: Any) -> bool:
        if self.in_keychain is None:
            return False
        if isinstance(self.in_keychain, Exception):
            raise self.in_keychain
        self.locked = False
        return True

    def locked_uploads(self) -> Any:
        return self.uploads

    def unlock(self, passphrase: str) -> None:
        if passphrase != PASSPHRASE:
            raise errors.WrongKey
        self.locked = False

    def ask_again(self) -> None:
        self.asks_again = True

    def lock(self) -> None:
        self.locked = True
        self.happened.append("locked")

    def close(self) -> None:
        self.closed = True
        self.happened.append("closed")

    def vault(self) -> str:
        if self.locked:
            raise errors.KeyMissing
        return "vault"


@dataclass
class FakeSessions:
    folder: Path
    existing: set[Path] = field(default_factory=set)
    failure: Exception | None = None
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    recent: list[Place] = field(default_factory=list)
    key_missing: bool = False
    in_keychain: Any = None

    def remembered_key(self, folder: Path, keychain: Any) -> Any:
        if isinstance(self.in_keychain, Exception):
            raise self.in_keychain
        return self.in_keychain

    def open_vault_with(self, folder: Path, key: Any, report: Any, cancelled: Any) -> FakeSession:
        return self._session(PlaceKind.THIS_COMPUTER, "open-with", folder, key, locked=False)

    def vault_exists(self, folder: Path) -> bool:
        return folder in self.existing

    def places(self) -> list[Place]:
        return self.recent

    def _session(self, kind: PlaceKind, *call: Any, locked: bool) -> FakeSession:
        if self.failure is not None:
            raise self.failure
        self.calls.append(call)
        server = kind is PlaceKind.SERVER
        place = Place(kind, self.folder, "https://pictures.example.org" if server else "", "mara" if server else "")
        return FakeSession(place, locked=locked, key_missing=self.key_missing)

    def create_vault(self, folder: Path, passphrase: str, report: Any, cancelled: Any) -> FakeSession:
        return self._session(PlaceKind.THIS_COMPUTER, "create", folder, passphrase, locked=False)

    def open_vault(self, folder: Path, passphrase: str, report: Any, cancelled: Any) -> FakeSession:
        return self._session(PlaceKind.THIS_COMPUTER, "open", folder, passphrase, locked=False)

    def register(self, *arguments: Any) -> FakeSession:
        return self._session(PlaceKind.SERVER, "register", *arguments[:4], locked=False)

    def sign_in(self, *arguments: Any) -> FakeSession:
        return self._session(PlaceKind.SERVER, "sign-in", *arguments[:3], locked=True)


@pytest.fixture
def runner() -> InlineRunner:
    return InlineRunner()


@pytest.fixture
def sessions(tmp_path: Path) -> FakeSessions:
    return FakeSessions(tmp_path / "vault")


@pytest.fixture
def make_session(tmp_path: Path) -> Callable[..., FakeSession]:
    def make(*, server: bool = True, **changes: Any) -> FakeSession:
        kind = PlaceKind.SERVER if server else PlaceKind.THIS_COMPUTER
        address = "https://pictures.example.org" if server else ""
        return FakeSession(Place(kind, tmp_path / "place", address, "mara" if server else ""), **changes)

    return make


@pytest.fixture
def make_key() -> Callable[..., FakeKeyEntry]:
    return FakeKeyEntry


@pytest.fixture
def passphrase() -> str:
    return PASSPHRASE


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path / "data")


@pytest.fixture
def dressed(qapp: Any) -> Iterator[Any]:
    """Makes themes that dress the application; it is undressed afterwards."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QPalette

    from desktop.widgets.theme import Theme

    font = qapp.font()

    def dress(preference: str = "light") -> Theme:
        theme = Theme(preference)
        theme.apply(qapp)
        return theme

    yield dress
    qapp.setStyleSheet("")
    qapp.setPalette(QPalette())
    qapp.setFont(font)
    qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def small_keys() -> tuple[Any, Any]:
    """Two private keys of the smallest size allowed."""
    from desktop.crypto.keys import PrivateKey

    return PrivateKey.generate(2048), PrivateKey.generate(2048)
