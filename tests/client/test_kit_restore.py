"""The recovery kit from making it to coming back with it, over real key files and a real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from desktop import embedded, errors
from desktop.client import kit_restore
from desktop.client.recovery_kit import Kit, KitState
from desktop.client.session import Sessions
from desktop.config import Config
from desktop.crypto import key_file, kit
from desktop.crypto.keys import PrivateKey
from tests.client.conftest import PASSPHRASE, PASSWORD, Somewhere, put_key_file
from tests.sample_pictures import png

NEW = "another passphrase entirely"

pytestmark = pytest.mark.usefixtures("cheap_key_files")


@pytest.fixture
def picture() -> bytes:
    return png(12, 9)


def proven(place: Somewhere) -> tuple[Kit, bytes, tuple[str, ...]]:
    made = place.session.kit()
    new = made.draw(PASSPHRASE)
    made.keep(new, PASSPHRASE)
    return made, made.prove(new.words), new.words


def empty_computer(tmp_path: Path) -> Sessions:
    return Sessions(Config(tmp_path / "a new computer"), embedded.start)


def sign_in_elsewhere(there: Somewhere, tmp_path: Path) -> Any:
    """Sign in to the same account from a computer that has nothing."""
    address, name = there.session.api.address, there.session.user_name
    there.session.close()
    return empty_computer(tmp_path).sign_in(address, name, PASSWORD)


def test_a_kit_counts_when_it_was_typed_back_and_a_second_copy_exists(there: Somewhere) -> None:
    made = there.session.kit()
    assert made.status().state is KitState.NONE
    new = made.draw(PASSPHRASE)
    assert made.status().state is KitState.NONE
    made.keep(new, PASSPHRASE)
    assert made.status().state is KitState.UNPROVEN
    root = made.prove(new.words)
    assert made.status().state is KitState.ONE_COPY
    made.copy_to_server(root)
    status = made.status()
    assert status.state is KitState.PROVEN
    assert (status.copy, status.proven is not None) == ("server", True)


def test_an_exported_copy_counts_as_the_second_one(here: Somewhere) -> None:
    made, root, _ = proven(here)
    target = here.outside / "copy.glassine-key"
    made.copy_to_file(root, target)
    assert made.status().state is KitState.PROVEN
    assert kit.open_with_kit(target.read_bytes(), root).fingerprint == here.session.kit()._fingerprint
    with pytest.raises(errors.NameTaken):
        made.copy_to_file(root, target)


def test_another_kit_has_to_be_proven_anew(there: Somewhere) -> None:
    made, root, old_words = proven(there)
    made.copy_to_server(root)
    newer = made.draw(PASSPHRASE)
    assert made.status().state is KitState.PROVEN  # only drawn
    made.keep(newer, PASSPHRASE)
    assert made.status().state is KitState.UNPROVEN
    with pytest.raises(errors.WrongKey, match="another kit"):
        made.prove(old_words)
    made.copy_to_server(made.prove(newer.words))
    assert made.status().state is KitState.PROVEN


def test_the_copy_on_the_server_opens_with_the_kit_only(there: Somewhere) -> None:
    made, root, _ = proven(there)
    made.copy_to_server(root)
    kept = there.session.api.keyfile(there.session.user_id)
    assert kept is not None
    assert key_file.slot_kinds(kept.content) == (key_file.SlotKind.KIT,)
    with pytest.raises(errors.WrongKey):
        key_file.open_with_passphrase(kept.content, PASSPHRASE)


def test_a_server_that_gives_back_another_copy_does_not_make_the_kit_count(
    there: Somewhere, monkeypatch: pytest.MonkeyPatch, other_key: PrivateKey
) -> None:
    made, root, _ = proven(there)
    swapped = kit.server_copy(kit.add_kit(key_file.create(other_key, PASSPHRASE), PASSPHRASE, root))
    api = there.session.api
    real = api.keyfile

    def keyfile(user_id: str) -> Any:
        kept = real(user_id)
        return kept if kept is None else type(kept)(swapped, kept.tag)

    monkeypatch.setattr(api, "keyfile", keyfile)
    with pytest.raises(errors.WrongKey):
        made.copy_to_server(root)
    assert made.status().state is KitState.ONE_COPY


def test_wrong_words_are_named(here: Somewhere) -> None:
    made = here.session.kit()
    new = made.draw(PASSPHRASE)
    made.keep(new, PASSPHRASE)
    words = list(new.words)
    words[8] = "sadle"
    with pytest.raises(errors.KitWordsWrong, match="Word 9") as caught:
        made.prove(words)
    assert caught.value.positions == (9,)
    assert made.status().state is KitState.UNPROVEN


def test_a_wrong_passphrase_makes_no_kit(here: Somewhere) -> None:
    with pytest.raises(errors.WrongKey):
        here.session.kit().draw("not the passphrase")


def test_recovery_on_an_empty_computer_from_the_server(there: Somewhere, picture: bytes, tmp_path: Path) -> None:
    picture_id = there.add(picture)
    made, root, words = proven(there)
    made.copy_to_server(root)
    session = sign_in_elsewhere(there, tmp_path)
    try:
        assert session.key_missing
        found = session.find_key(words)
        session.keep_key(found, " ".join(found.groups[:8]), NEW)
        assert [item.id for item in session.vault().list_pictures()] == [picture_id]
        assert bytes(session.vault().open(picture_id).data) == picture
        assert session.kit().status().state is KitState.PROVEN  # typed just now, and the copy is there
        session.lock()
        session.unlock(NEW)
        assert not session.locked
    finally:
        session.close()


def test_recovery_from_an_exported_copy(there: Somewhere, picture: bytes, tmp_path: Path) -> None:
    picture_id = there.add(picture)
    made, root, words = proven(there)
    copy = there.outside / "copy.glassine-key"
    made.copy_to_file(root, copy)
    session = sign_in_elsewhere(there, tmp_path)
    try:
        with pytest.raises(errors.KeyMissing, match="no copy"):
            session.find_key(words)
        found = session.find_key(words, copy)
        session.keep_key(found, found.fingerprint, NEW)
        session.vault().list_pictures()
        assert bytes(session.vault().open(picture_id).data) == picture
    finally:
        session.close()


def test_recovery_names_the_word_that_cannot_be(there: Somewhere, tmp_path: Path) -> None:
    made, root, words = proven(there)
    made.copy_to_server(root)
    session = sign_in_elsewhere(there, tmp_path)
    try:
        with pytest.raises(errors.KitWordsWrong, match="Word 3, “zzzz”") as caught:
            session.find_key([*words[:2], "zzzz", *words[3:]])
        assert caught.value.positions == (3,)
        assert session.key_missing
    finally:
        session.close()


def test_a_key_file_swapped_by_the_server_is_refused(
    there: Somewhere, other_key: PrivateKey, tmp_path: Path, key: PrivateKey
) -> None:
    _, root, words = proven(there)
    api, user_id = there.session.api, there.session.user_id
    foreign = kit.server_copy(kit.add_kit(key_file.create(other_key, PASSPHRASE), PASSPHRASE, kit.new_root()))
    api.put_keyfile(user_id, foreign, "")
    session = sign_in_elsewhere(there, tmp_path)
    try:
        with pytest.raises(errors.WrongKey):
            session.find_key(words)
        assert session.key_missing
    finally:
        session.close()
    # even one that these words open
    same_words = kit.add_kit(key_file.create(other_key, PASSPHRASE), PASSPHRASE, root)
    found = kit_restore.open_with_words(same_words, words)
    with pytest.raises(errors.WrongKey, match="printed"):
        kit_restore.check_printed(found.fingerprint, key.fingerprint)


@pytest.mark.parametrize("groups", [0, 1, 7])
def test_too_few_groups_are_no_comparison(groups: int, key: PrivateKey) -> None:
    from desktop.crypto.words import fingerprint_groups

    with pytest.raises(errors.WrongKey):
        kit_restore.check_printed(key.fingerprint, " ".join(fingerprint_groups(key.fingerprint)[:groups]))


def test_a_passphrase_that_is_the_password_is_refused(there: Somewhere, tmp_path: Path) -> None:
    made, root, words = proven(there)
    made.copy_to_server(root)
    session = sign_in_elsewhere(there, tmp_path)
    try:
        found = session.find_key(words)
        with pytest.raises(errors.PassphraseRefused):
            session.keep_key(found, found.fingerprint, PASSWORD)
        assert session.key_missing
    finally:
        session.close()


def test_a_forgotten_passphrase_is_replaced(here: Somewhere, sessions: Sessions, picture: bytes) -> None:
    picture_id = here.add(picture)
    made, root, words = proven(here)
    made.copy_to_file(root, here.outside / "copy.glassine-key")
    folder = here.session.place.folder
    here.session.close()
    found = sessions.find_vault_key(folder, words, None)
    here.session = sessions.recover_vault(folder, words, None, " ".join(found.groups), NEW)
    here.vault.list_pictures()
    assert bytes(here.vault.open(picture_id).data) == picture
    assert here.session.kit().status().state is KitState.PROVEN
    here.session.close()
    with pytest.raises(errors.WrongKey):
        sessions.open_vault(folder, PASSPHRASE)
    here.session = sessions.open_vault(folder, NEW)


def test_a_lost_key_file_of_a_vault_comes_back_from_its_copy(
    here: Somewhere, sessions: Sessions, picture: bytes, other_key: PrivateKey
) -> None:
    picture_id = here.add(picture)
    made, root, words = proven(here)
    copy = here.outside / "copy.glassine-key"
    made.copy_to_file(root, copy)
    folder = here.session.place.folder
    here.session.close()
    for path in (folder / "keys").iterdir():
        path.unlink()
    with pytest.raises(errors.VaultUnreadable):
        sessions.open_vault(folder, PASSPHRASE)
    # the copy of another vault's key is not taken for it
    foreign = here.outside / "foreign.glassine-key"
    foreign.write_bytes(kit.add_kit(key_file.create(other_key, PASSPHRASE), PASSPHRASE, root))
    with pytest.raises(errors.KeyChanged):
        sessions.recover_vault(folder, words, foreign, other_key.fingerprint, NEW)
    assert not list((folder / "keys").glob("*.glassine-key"))
    fingerprint = sessions.find_vault_key(folder, words, copy).fingerprint
    here.session = sessions.recover_vault(folder, words, copy, fingerprint, NEW)
    here.vault.list_pictures()
    assert bytes(here.vault.open(picture_id).data) == picture


def test_a_copy_opens_with_its_passphrase_too(tmp_path: Path, key: PrivateKey, key_file_bytes: bytes) -> None:
    from desktop.client.key_store import KeyStore

    found = kit_restore.open_with_passphrase(key_file_bytes, PASSPHRASE)
    store = KeyStore(tmp_path / "keys")
    kit_restore.keep(found, store, printed=key.fingerprint, passphrase=NEW, name="again", old_passphrase=PASSPHRASE)
    assert store.open(key.fingerprint, NEW).fingerprint == key.fingerprint
    assert store.get(key.fingerprint).name == "again"


def test_what_another_computer_keeps_in_its_keyring_does_not_come_along(
    tmp_path: Path, key: PrivateKey, key_file_bytes: bytes
) -> None:
    from desktop.client.key_store import KeyStore

    root, device = kit.new_root(), kit.new_root()
    content = kit.add_kit(key_file_bytes, PASSPHRASE, root)
    content = key_file.add_root_slot(content, PASSPHRASE, key_file.SlotKind.DEVICE, device)
    store = KeyStore(tmp_path / "keys")
    found = kit_restore.open_with_words(content, kit.words_of(root))
    kit_restore.keep(found, store, printed=key.fingerprint, passphrase=NEW, name="key")
    assert key_file.slot_kinds(store.read(key.fingerprint)) == (key_file.SlotKind.KIT, key_file.SlotKind.PASS)


def test_a_store_keeps_no_key_file_that_does_not_open(
    tmp_path: Path, key: PrivateKey, other_key: PrivateKey, key_file_bytes: bytes
) -> None:
    from desktop.client.key_store import KeyStore

    path = put_key_file(tmp_path / "keys", key, key_file_bytes)
    store = KeyStore(tmp_path / "keys")
    with pytest.raises(errors.WrongKey):
        store.write(key.fingerprint, key_file_bytes, "not the passphrase")
    with pytest.raises(errors.WrongKey):
        store.write(other_key.fingerprint, key_file_bytes, PASSPHRASE)
    assert path.read_bytes() == key_file_bytes
    assert len(store.list()) == 1
