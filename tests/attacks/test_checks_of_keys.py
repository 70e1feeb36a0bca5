"""What one check of coming back with a kit, or of a change of the key, alone refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktop import errors
from desktop.client import key_change_state, kit_restore
from desktop.client.key_change_state import ChangeState
from desktop.client.key_store import KeyStore
from desktop.crypto import key_file, kit
from desktop.crypto.key_slots import LEAST_COST
from desktop.crypto.words import fingerprint_groups
from tests.fuzz.parsers import key

OWN, NEXT = key("owner"), key("friend")
ROOT = bytes(range(32))


@pytest.fixture(scope="module")
def copy() -> bytes:
    """What a server keeps."""
    return kit.server_copy(kit.add_kit(key_file.create(OWN, "correct horse", _cost=LEAST_COST), "correct horse", ROOT))


@pytest.mark.parametrize("passphrase", ["", "   ", "\t\n"])
def test_a_key_is_not_kept_under_a_passphrase_of_nothing(copy: bytes, tmp_path: Path, passphrase: str) -> None:
    found, store = kit_restore.open_with_words(copy, kit.words_of(ROOT)), KeyStore(tmp_path)
    with pytest.raises(errors.PassphraseRefused):
        kit_restore.keep(found, store, printed=OWN.fingerprint, passphrase=passphrase, name="mine")
    assert store.list() == []


def test_eight_groups_are_a_comparison_and_less_is_none() -> None:
    groups = fingerprint_groups(OWN.fingerprint)
    kit_restore.check_printed(OWN.fingerprint, " ".join(groups[:8]))
    for printed in ("".join(groups[:8])[:-1], "".join(fingerprint_groups(NEXT.fingerprint)[:8]), OWN.fingerprint[:40]):
        with pytest.raises(errors.WrongKey):
            kit_restore.check_printed(OWN.fingerprint, printed)


def test_an_exported_copy_that_is_too_long(copy: bytes, tmp_path: Path) -> None:
    path = tmp_path / "copy"
    path.write_bytes(copy.ljust(key_file.MAX_KEY_FILE + 1))
    with pytest.raises(errors.TooLarge):
        kit_restore.read_copy(path)


@pytest.mark.parametrize(
    "change",
    [
        {"old": "../x"},
        {"new": NEXT.fingerprint.upper()},
        {"binned": ["ab"]},
        {"binned": [5]},
        {"record": 5},
        {"format": 2},
        {"old": None},
    ],
    ids=str,
)
def test_a_note_of_a_change_that_makes_no_sense(tmp_path: Path, change: dict[str, object]) -> None:
    state = ChangeState(OWN.fingerprint, NEXT.fingerprint, "a record", ["ab" * 16])
    key_change_state.save(tmp_path, state)
    assert key_change_state.load(tmp_path) == state
    path = tmp_path / key_change_state.FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(errors.VaultUnreadable):
        key_change_state.load(tmp_path)


def test_the_other_key_is_nowhere_else(tmp_path: Path) -> None:
    key_change_state.keep_key(tmp_path, OWN, NEXT)
    assert key_change_state.open_key(tmp_path, OWN, NEXT.fingerprint).fingerprint == NEXT.fingerprint
    kept = tmp_path / key_change_state.FOLDER / NEXT.fingerprint
    kept.with_name("x").write_bytes(kept.read_bytes())
    for name in ("x", "../" + key_change_state.FOLDER + "/" + NEXT.fingerprint, "", OWN.fingerprint):
        with pytest.raises(errors.KeyMissing):
            key_change_state.open_key(tmp_path, OWN, name)
    kept.with_name(OWN.fingerprint).write_bytes(kept.read_bytes())
    with pytest.raises(errors.KeyFileDamaged):
        key_change_state.open_key(tmp_path, OWN, OWN.fingerprint)
