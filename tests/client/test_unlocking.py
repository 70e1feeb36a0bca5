"""The keychain's slot of a key file, and what goes on while the key is locked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from keyring import errors as keyring_errors

from desktop import errors
from desktop.client.key_store import KeyStore
from desktop.client.keychain import Keychain, KeychainLocked, KeychainMissing
from desktop.client.session import Sessions
from desktop.crypto import key_file
from desktop.crypto.keys import PrivateKey
from tests.client.conftest import PASSPHRASE, Somewhere, put_key_file
from tests.sample_pictures import png

pytestmark = pytest.mark.usefixtures("cheap_key_files")


class FakeKeyring:
    """A keychain in memory that can be locked, and missing."""

    name = "a keychain in memory"

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.failure: Exception | None = None

    def _ask(self) -> None:
        if self.failure is not None:
            raise self.failure

    def get_password(self, service: str, username: str) -> str | None:
        self._ask()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._ask()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._ask()
        if self.kept.pop((service, username), None) is None:
            raise keyring_errors.PasswordDeleteError("not there")


@pytest.fixture
def store(tmp_path: Path, key: PrivateKey, key_file_bytes: bytes) -> KeyStore:
    put_key_file(tmp_path / "keys", key, key_file_bytes)
    return KeyStore(tmp_path / "keys")


def test_the_keychain_opens_the_key_and_never_holds_the_passphrase(store: KeyStore, key: PrivateKey) -> None:
    ring = FakeKeyring()
    chain = Keychain(ring)
    assert chain.open(store, key.fingerprint) is None
    chain.remember(store, key.fingerprint, PASSPHRASE)
    opened = chain.open(store, key.fingerprint)
    assert opened is not None
    assert opened.fingerprint == key.fingerprint
    assert store.open(key.fingerprint, PASSPHRASE).fingerprint == key.fingerprint
    assert not any(PASSPHRASE in secret for secret in ring.kept.values())
    assert chain.where() == "a keychain in memory"
    # the secret is in no file
    (secret,) = ring.kept.values()
    assert not any(secret.encode() in path.read_bytes() for path in store.folder.iterdir())


def test_forgotten_it_asks_again(store: KeyStore, key: PrivateKey) -> None:
    ring = FakeKeyring()
    chain = Keychain(ring)
    chain.remember(store, key.fingerprint, PASSPHRASE)
    assert chain.remembers(store, key.fingerprint)
    chain.forget(store, key.fingerprint)
    assert (ring.kept, chain.remembers(store, key.fingerprint)) == ({}, False)
    assert chain.open(store, key.fingerprint) is None
    assert key_file.slot_kinds(store.read(key.fingerprint)) == (key_file.SlotKind.PASS,)


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (keyring_errors.KeyringLocked(), KeychainLocked),
        (keyring_errors.InitError(), KeychainLocked),
        (keyring_errors.NoKeyringError(), KeychainMissing),
        (keyring_errors.KeyringError(), KeychainMissing),
        (OSError("the bus is gone"), KeychainMissing),
    ],
)
def test_locked_is_told_from_missing(
    failure: Exception, told: type[errors.GlassineError], store: KeyStore, key: PrivateKey
) -> None:
    ring = FakeKeyring()
    chain = Keychain(ring)
    chain.remember(store, key.fingerprint, PASSPHRASE)
    before = store.read(key.fingerprint)
    ring.failure = failure
    with pytest.raises(told):
        chain.open(store, key.fingerprint)
    with pytest.raises(told):
        chain.remember(store, key.fingerprint, PASSPHRASE)
    assert store.read(key.fingerprint) == before
    # it can be forgotten all the same: what is left in the keychain opens nothing
    chain.forget(store, key.fingerprint)
    ring.failure = None
    assert chain.open(store, key.fingerprint) is None


def test_the_real_library_without_a_keychain_is_missing(
    store: KeyStore, key: PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keyring
    from keyring.backends import fail

    monkeypatch.setattr(keyring, "get_keyring", fail.Keyring)
    with pytest.raises(KeychainMissing):
        Keychain().remember(store, key.fingerprint, PASSPHRASE)


def test_a_keychain_that_writes_plain_files_is_not_used(
    store: KeyStore, key: PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keyring

    class PlaintextKeyring(FakeKeyring):
        pass

    monkeypatch.setattr(keyring, "get_keyring", PlaintextKeyring)
    with pytest.raises(KeychainMissing):
        Keychain().remember(store, key.fingerprint, PASSPHRASE)


@pytest.mark.parametrize("rubbish", ["", "no base64!", "AAAA", "A" * 44])
def test_rubbish_in_the_keychain_is_as_good_as_nothing(rubbish: str, store: KeyStore, key: PrivateKey) -> None:
    ring = FakeKeyring()
    chain = Keychain(ring)
    chain.remember(store, key.fingerprint, PASSPHRASE)
    ring.kept = dict.fromkeys(ring.kept, rubbish)
    assert chain.open(store, key.fingerprint) is None


def test_a_changed_passphrase_leaves_the_keychain_working(store: KeyStore, key: PrivateKey) -> None:
    chain = Keychain(FakeKeyring())
    chain.remember(store, key.fingerprint, PASSPHRASE)
    store.change_passphrase(key.fingerprint, PASSPHRASE, "another one entirely")
    assert chain.open(store, key.fingerprint) is not None


def test_a_session_is_unlocked_by_the_keychain(place: Somewhere) -> None:
    chain = Keychain(FakeKeyring())
    session = place.session
    session.lock()
    assert not session.unlock_from(chain)
    session.remember_here(PASSPHRASE, chain)
    assert session.locked
    assert session.unlock_from(chain)
    assert not session.locked


def test_a_vault_on_this_computer_is_opened_by_the_keychain_at_the_start(here: Somewhere, sessions: Sessions) -> None:
    ring = FakeKeyring()
    chain = Keychain(ring)
    folder = here.session.place.folder
    assert sessions.remembered_key(folder, chain) is None
    here.session.remember_here(PASSPHRASE, chain)
    picture_id = here.add(png(20, 10))
    here.session.close()
    found = sessions.remembered_key(folder, chain)
    assert found is not None
    here.session = sessions.open_vault_with(folder, found)
    here.vault.list_pictures()
    assert bytes(here.vault.open(picture_id).data) == png(20, 10)
    # nothing in the vault's folder is what the keychain holds
    (secret,) = ring.kept.values()
    assert not any(secret.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    ring.failure = keyring_errors.KeyringLocked()
    with pytest.raises(KeychainLocked):
        sessions.remembered_key(folder, chain)
    ring.failure = keyring_errors.NoKeyringError()
    with pytest.raises(KeychainMissing):
        sessions.remembered_key(folder, chain)


def test_what_was_locked_is_not_opened_by_starting_anew(here: Somewhere, sessions: Sessions) -> None:
    chain = Keychain(FakeKeyring())
    folder = here.session.place.folder
    here.session.remember_here(PASSPHRASE, chain)
    here.session.lock()
    here.session.ask_again()
    here.session.close()
    assert sessions.remembered_key(folder, chain) is None
    # typed once, it is as it was
    here.session = here.sign_in()
    here.session.close()
    assert sessions.remembered_key(folder, chain) is not None
    here.session = here.sign_in()


def test_a_file_can_only_lose_slots_without_a_passphrase(store: KeyStore, key: PrivateKey) -> None:
    before = store.read(key.fingerprint)
    with pytest.raises(errors.WrongKey):
        store.shrink(key.fingerprint, key_file.create(key, "somebody else's"))
    assert store.read(key.fingerprint) == before


# -- while locked -------------------------------------------------------------------------------------------------


def test_what_is_encrypted_is_sent_while_locked(place: Somewhere) -> None:
    contents = [png(20, 10, seed=seed) for seed in range(3)]
    ids = [place.vault.seal(place.source(content)).picture.id for content in contents]
    session = place.session
    assert session.locked_uploads() is None  # the vault does it
    session.lock()
    uploads = session.locked_uploads()
    assert uploads is not None
    waiting = uploads.waiting()
    assert [item.picture_id for item in waiting] == ids
    for item in waiting:
        uploads.send(item)
    assert uploads.waiting() == []
    assert session.locked
    session.unlock(PASSPHRASE)
    vault = session.vault()
    assert [picture.id for picture in vault.list_pictures()] == ids
    assert [bytes(vault.open(picture_id).data) for picture_id in ids] == contents
    assert vault.staged() == []
    assert vault.trust().quiet


def test_unlocking_stops_it_first(place: Somewhere) -> None:
    place.vault.seal(place.source(png(20, 10)))
    session = place.session
    session.lock()
    uploads = session.locked_uploads()
    assert uploads is not None
    (item,) = uploads.waiting()
    session.unlock(PASSPHRASE)
    with pytest.raises(errors.Cancelled):
        uploads.send(item)
    (staged,) = session.vault().staged()
    session.vault().upload(staged)


def test_a_waiting_copy_that_changed_is_not_sent(place: Somewhere) -> None:
    staged = place.vault.seal(place.source(png(20, 10)))
    place.session.lock()
    content = bytearray(staged.carrier.read_bytes())
    content[200] ^= 1
    staged.carrier.write_bytes(content)
    uploads: Any = place.session.locked_uploads()
    with pytest.raises(errors.Damaged):
        uploads.send(uploads.waiting()[0])
    rows, _ = place.session.api.page(place.session.user_id)
    assert rows == []


def test_no_key_is_in_memory_meanwhile(here: Somewhere) -> None:
    here.vault.seal(here.source(png(20, 10)))
    here.session.lock()
    uploads: Any = here.session.locked_uploads()
    assert here.session.key is None
    found = [value for value in vars(uploads).values() if isinstance(value, PrivateKey)]
    assert found == []
