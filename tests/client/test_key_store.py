"""Key files on the disk: made, proved, imported, exported, and what happens to damaged ones."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from desktop import errors
from desktop.client.key_store import SUFFIX, KeyStore
from desktop.crypto import key_formats
from desktop.crypto.keys import PrivateKey, PublicKey
from tests.client.conftest import PASSPHRASE, put_key_file


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "data" / "keys")


@pytest.fixture
def filled(store: KeyStore, key: PrivateKey, key_file_bytes: bytes) -> KeyStore:
    """A store with one key, opened by ``PASSPHRASE`` quickly."""
    put_key_file(store.folder, key, key_file_bytes)
    return store


def test_creating(store: KeyStore) -> None:
    steps: list[tuple[int, int]] = []
    assert store.list() == []

    entry = store.create("my key\n", PASSPHRASE, 2048, lambda done, total: steps.append((done, total)))

    assert store.list() == [entry]
    assert (entry.name, entry.is_default, entry.public.bits) == ("my key", True, 2048)
    assert steps == [(0, 2), (1, 2), (2, 2)]
    assert store.open(entry.fingerprint, PASSPHRASE).public == entry.public
    assert entry.path.stat().st_mode & 0o777 == 0o600
    assert store.folder.stat().st_mode & 0o777 == 0o700
    with pytest.raises(errors.WrongKey):
        store.open(entry.fingerprint, "wrong")


def test_creating_can_be_cancelled(store: KeyStore) -> None:
    with pytest.raises(errors.Cancelled):
        store.create("x", PASSPHRASE, 2048, cancelled=lambda: True)
    assert store.list() == []


def test_a_key_is_never_written_over(filled: KeyStore, key: PrivateKey) -> None:
    with pytest.raises(errors.NameTaken, match="passphrase was not changed"):
        filled.add(key, "again", "another passphrase")
    assert filled.open(key.fingerprint, PASSPHRASE).public == key.public


def test_changing_the_passphrase(filled: KeyStore, key: PrivateKey) -> None:
    with pytest.raises(errors.WrongKey):
        filled.change_passphrase(key.fingerprint, "wrong", "new")
    filled.change_passphrase(key.fingerprint, PASSPHRASE, "new")
    assert filled.open(key.fingerprint, "new").public == key.public
    with pytest.raises(errors.WrongKey):
        filled.open(key.fingerprint, PASSPHRASE)
    assert [path.name for path in filled.folder.iterdir()] == [key.fingerprint + SUFFIX]


def test_names_and_the_default(filled: KeyStore, key: PrivateKey, other_key: PrivateKey) -> None:
    filled.rename(key.fingerprint, "holidays")
    filled.add(other_key, "work", PASSPHRASE)
    assert [(entry.name, entry.is_default) for entry in filled.list()] == [("holidays", True), ("work", False)]

    filled.set_default(other_key.fingerprint)

    again = KeyStore(filled.folder)
    assert {entry.name: entry.is_default for entry in again.list()} == {"holidays": False, "work": True}
    with pytest.raises(errors.KeyMissing):
        filled.rename("0" * 64, "nobody")
    with pytest.raises(errors.KeyMissing):
        filled.get("../../etc/passwd")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 5}', b"\xff" * 100, b"[" * 100_000])
def test_a_broken_index_costs_names_only(filled: KeyStore, key: PrivateKey, content: bytes) -> None:
    (filled.folder / "names.json").write_bytes(content)
    [entry] = filled.list()
    assert entry.name == f"Key {key.fingerprint[:8]}"
    filled.rename(key.fingerprint, "again")
    assert filled.list()[0].name == "again"


def test_unreadable_key_files_are_named(filled: KeyStore, key: PrivateKey, key_file_bytes: bytes) -> None:
    swapped = filled.folder / ("0" * 64 + SUFFIX)
    swapped.write_bytes(key_file_bytes)
    noise = filled.folder / ("1" * 64 + SUFFIX)
    noise.write_bytes(b"noise")
    (filled.folder / ("2" * 64 + SUFFIX)).mkdir()

    assert [entry.fingerprint for entry in filled.list()] == [key.fingerprint]
    assert {path.name[:1]: type(error) for path, error in filled.unreadable().items()} == {
        "0": errors.KeyFileUnreadable,
        "1": errors.KeyFileDamaged,
        "2": errors.KeyFileUnreadable,
    }
    with pytest.raises(errors.KeyFileDamaged):
        filled.get("1" * 64)
    with pytest.raises(errors.KeyFileUnreadable):
        filled.open("0" * 64, PASSPHRASE)
    with pytest.raises(errors.KeyMissing):
        filled.open("3" * 64, PASSPHRASE)


@pytest.mark.parametrize("format", ["pkcs8", "pkcs1", "openssh"])
@pytest.mark.parametrize("passphrase", [None, "of the export"])
def test_exporting_and_importing(
    filled: KeyStore, key: PrivateKey, tmp_path: Path, format: str, passphrase: str | None
) -> None:
    target = tmp_path / "exported"
    try:
        filled.export_private(key.fingerprint, PASSPHRASE, format, passphrase, target)
    except errors.Unsupported:
        assert (format, bool(passphrase)) == ("pkcs1", True)
        assert not target.exists()
        return
    assert target.stat().st_mode & 0o777 == 0o600
    other = KeyStore(tmp_path / "other")
    if passphrase:
        with pytest.raises(errors.PassphraseNeeded):
            other.import_file(target, None, "x", "new")
        with pytest.raises(errors.WrongKey):
            other.import_file(target, "wrong", "x", "new")
        assert other.list() == []

    entry = other.import_file(target, passphrase, "", "new passphrase")

    assert (entry.fingerprint, entry.name) == (key.fingerprint, "exported")
    assert other.open(entry.fingerprint, "new passphrase").to_pkcs8() == key.to_pkcs8()
    with pytest.raises(errors.NameTaken):
        filled.export_private(key.fingerprint, PASSPHRASE, format, passphrase, target)


def test_exporting_needs_the_passphrase(filled: KeyStore, key: PrivateKey, tmp_path: Path) -> None:
    with pytest.raises(errors.WrongKey):
        filled.export_private(key.fingerprint, "wrong", "pkcs8", None, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_copies_of_the_key_file_and_the_public_key(filled: KeyStore, key: PrivateKey, tmp_path: Path) -> None:
    copy, public = tmp_path / "copy", tmp_path / "public.pem"
    filled.export_key_file(key.fingerprint, copy)
    filled.export_public(key.fingerprint, public)

    assert PublicKey.from_pem(public.read_text()) == key.public
    other = KeyStore(tmp_path / "other")
    assert other.import_file(copy, PASSPHRASE, "copy", "new").fingerprint == key.fingerprint
    with pytest.raises(errors.NameTaken):
        filled.export_key_file(key.fingerprint, copy)


def test_what_is_no_key_is_not_imported(store: KeyStore, tmp_path: Path) -> None:
    path = tmp_path / "x"
    for content, error in (
        (b"", errors.Unsupported),
        (b"hello", errors.Unsupported),
        (b"x" * 300_000, errors.TooLarge),
        (b"2753 27977", errors.Unsupported),
    ):
        path.write_bytes(content)
        with pytest.raises(error):
            store.import_file(path, None, "x", "new")
    with pytest.raises(errors.FileUnreadable):
        store.import_file(tmp_path / "gone", None, "x", "new")
    assert store.list() == []


def test_the_classic_key(store: KeyStore, tmp_path: Path) -> None:
    from desktop.crypto.classic_keys import ClassicPublicKey, generate

    public, private = generate()
    assert store.classic_key(public) is None
    path = tmp_path / "rsa.txt"
    path.write_text(private.to_text() + "\n")
    store.import_classic(path)
    assert store.classic_key(public) == private
    assert store.classic_key(ClassicPublicKey(public.n, public.e + 2)) is None
    path.write_text("not a key")
    with pytest.raises(errors.KeyRefused):
        store.import_classic(path)


def test_two_programs_take_no_notes_from_each_other(filled: KeyStore, key: PrivateKey) -> None:
    """Each has a store of its own, as two windows have."""
    together = threading.Barrier(2)

    def notes(name: str) -> None:
        store = KeyStore(filled.folder)
        together.wait(10)
        for number in range(20):
            store.note(key.fingerprint, **{f"{name}{number}": number})

    programs = [threading.Thread(target=notes, args=(name,)) for name in "ab"]
    for program in programs:
        program.start()
    for program in programs:
        program.join()
    assert len(filled.notes(key.fingerprint)) == 40


def test_nothing_secret_is_written_beside_the_key(filled: KeyStore, key: PrivateKey) -> None:
    filled.rename(key.fingerprint, "x")
    document = json.loads((filled.folder / "names.json").read_bytes())
    assert document == {key.fingerprint: {"name": "x"}}
    secret = key.to_pkcs8()
    for path in filled.folder.iterdir():
        assert secret[100:140] not in path.read_bytes()
    assert key_formats.fingerprint_groups(key.fingerprint).replace(" ", "").lower() == key.fingerprint
