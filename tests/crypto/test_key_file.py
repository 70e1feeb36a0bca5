"""The key file: what opens it, what is refused, and that it is written only when it opens again."""

from __future__ import annotations

import base64
import json
import os
import threading
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from desktop.crypto import key_file, key_slots
from desktop.crypto.key_file import SlotKind
from desktop.crypto.key_slots import Cost
from desktop.crypto.keys import PrivateKey
from desktop.errors import (
    GlassineError,
    KeyFileDamaged,
    KeyFileUnreadable,
    KeyRefused,
    NameTaken,
    TooLarge,
    WrongKey,
)

CHEAP = Cost(19456, 2, 1)  # the least that is accepted
ROOT = bytes(range(32))


@pytest.fixture(scope="module")
def key() -> PrivateKey:
    return PrivateKey.generate(2048)


@pytest.fixture(scope="module")
def other() -> PrivateKey:
    return PrivateKey.generate(2048)


@pytest.fixture(scope="module")
def data(key: PrivateKey) -> bytes:
    return key_file.create(key, "correct horse", _cost=CHEAP)


def altered(data: bytes, **changes: Any) -> bytes:
    """Re-encode canonically with members of the file, or of its first slot (``slot_m=8``), replaced."""
    document = json.loads(data)
    for name, value in changes.items():
        holder = document["slots"][0] if name.startswith("slot_") else document
        holder[name.removeprefix("slot_")] = value
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def flip_base64(text: str, at: int = 0) -> str:
    raw = bytearray(base64.b64decode(text))
    raw[at] ^= 1
    return base64.b64encode(raw).decode()


def refusal(data: bytes, passphrase: str = "correct horse") -> type[GlassineError]:
    with pytest.raises(GlassineError) as caught:
        key_file.open_with_passphrase(data, passphrase)
    return type(caught.value)


def test_opens_with_its_passphrase_only(key: PrivateKey, data: bytes) -> None:
    opened = key_file.open_with_passphrase(data, "correct horse")
    assert opened.fingerprint == key.fingerprint
    assert opened.to_pkcs8() == key.to_pkcs8()
    assert key_file.read_public(data) == key.public
    assert refusal(data, "correct horsf") is WrongKey
    assert refusal(data, "") is WrongKey
    assert refusal(data, "\ud800") is WrongKey
    assert refusal(data, "x" * 5000) is WrongKey


def test_the_format_is_the_documented_one(key: PrivateKey) -> None:
    """Opens a file step by step with library calls only."""
    import hashlib

    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    data = key_file.create(key, "pässword")
    document = json.loads(data)
    assert document.keys() == {"t", "pub", "key", "slots"}
    assert data == json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")
    (slot,) = document["slots"]
    assert (document["t"], slot["kind"], slot["m"], slot["t"], slot["p"]) == ("keyfile", "pass", 65536, 3, 4)
    salt, check, wrap = (base64.b64decode(slot[name]) for name in ("salt", "check", "wrap"))
    fp = hashlib.sha256(base64.b64decode(document["pub"])).digest()
    root = Argon2id(salt=salt, length=32, iterations=3, lanes=4, memory_cost=65536).derive("pässword".encode())
    info = b"glassine/1 slot pass\0" + fp + (65536).to_bytes(4) + (3).to_bytes(4) + (4).to_bytes(4) + salt
    derived = HKDF(algorithm=hashes.SHA256(), length=64, salt=salt, info=info).derive(root)
    assert derived[32:] == check
    main_key = AESGCM(derived[:32]).decrypt(wrap[:12], wrap[12:], info)
    sealed = base64.b64decode(document["key"])
    assert AESGCM(main_key).decrypt(sealed[:12], sealed[12:], b"glassine/1 keyfile\0" + fp) == key.to_pkcs8()


def test_nfc_nfd_same_key(key: PrivateKey) -> None:
    composed = unicodedata.normalize("NFC", "Straße Ångström é")
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    data = key_file.create(key, decomposed, _cost=CHEAP)
    assert key_file.open_with_passphrase(data, composed).fingerprint == key.fingerprint


def test_no_two_files_share_salt_nonce_or_main_key(key: PrivateKey) -> None:
    files = [json.loads(key_file.create(key, "same", _cost=CHEAP)) for _ in range(3)]
    for pick in (lambda f: f["key"][:16], lambda f: f["slots"][0]["salt"], lambda f: f["slots"][0]["wrap"]):
        assert len({pick(file) for file in files}) == 3


@pytest.mark.parametrize("passphrase", ["", "\udcff", "x" * 5000])
def test_impossible_passphrases_are_refused_on_writing(key: PrivateKey, data: bytes, passphrase: str) -> None:
    with pytest.raises(KeyRefused):
        key_file.create(key, passphrase)
    with pytest.raises(KeyRefused):
        key_file.change_passphrase(data, "correct horse", passphrase)


# -- attacks on the file ----------------------------------------------------------------------------------------------


def test_keyfile_swap(data: bytes, other: PrivateKey) -> None:
    """Somebody puts his own key file, or parts of it, in the place of ours."""
    theirs = key_file.create(other, "their passphrase", _cost=CHEAP)
    assert refusal(theirs) is WrongKey
    parts = json.loads(theirs)
    assert refusal(altered(data, pub=parts["pub"])) is WrongKey
    assert refusal(altered(data, key=parts["key"])) is KeyFileDamaged
    assert refusal(altered(data, slots=parts["slots"])) is WrongKey
    # even with the same passphrase their slot fits their public key only
    parts = json.loads(key_file.create(other, "correct horse", _cost=CHEAP))
    assert refusal(altered(data, slots=parts["slots"])) is WrongKey
    assert refusal(altered(data, slots=parts["slots"], pub=parts["pub"])) is KeyFileDamaged


def test_old_keyfile(data: bytes) -> None:
    changed = key_file.change_passphrase(data, "correct horse", "new words", _cost=CHEAP)
    assert refusal(changed) is WrongKey
    assert refusal(data, "new words") is WrongKey
    assert key_file.open_with_passphrase(changed, "new words").fingerprint == key_file.read_public(data).fingerprint


def test_slot_removed(data: bytes) -> None:
    with_kit = key_file.add_root_slot(data, "correct horse", SlotKind.KIT, ROOT)
    server_copy = key_file.with_slots_only(with_kit, {SlotKind.KIT})
    assert refusal(server_copy) is WrongKey
    assert refusal(altered(data, slots=[])) is KeyFileDamaged


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"slot_m": 8}, KeyFileDamaged),
        ({"slot_m": 19455}, KeyFileDamaged),
        ({"slot_t": 1}, KeyFileDamaged),
        ({"slot_p": 0}, KeyFileDamaged),
        ({"slot_m": 0, "slot_t": 0, "slot_p": 0}, KeyFileDamaged),
        ({"slot_m": 19457}, WrongKey),
        ({"slot_t": 3}, WrongKey),
        ({"slot_p": 2}, WrongKey),
        ({"slot_m": 1048577}, TooLarge),
        ({"slot_m": 2**32}, TooLarge),
        ({"slot_t": 11}, TooLarge),
        ({"slot_p": 9}, TooLarge),
        ({"slot_m": 2**53}, KeyFileDamaged),
        ({"slot_m": -65536}, KeyFileDamaged),
        ({"slot_m": True}, KeyFileDamaged),
        ({"slot_m": 65536.0}, KeyFileDamaged),
        ({"slot_m": "65536"}, KeyFileDamaged),
        ({"slot_kind": "kit"}, KeyFileDamaged),
        ({"slot_kind": "PASS"}, KeyFileDamaged),
        ({"slot_kind": None}, KeyFileDamaged),
        ({"slot_more": "x"}, KeyFileDamaged),
        ({"slot_salt": ""}, KeyFileDamaged),
        ({"t": "header"}, KeyFileDamaged),
        ({"slots": {}}, KeyFileDamaged),
        ({"slots": [[]]}, KeyFileDamaged),
        ({"slots": None}, KeyFileDamaged),
        ({"pub": ""}, KeyFileDamaged),
        ({"key": ""}, KeyFileDamaged),
        ({"more": 1}, KeyFileDamaged),
    ],
)
def test_params_lowered_and_other_edits(data: bytes, changes: dict[str, Any], expected: type) -> None:
    assert refusal(altered(data, **changes)) is expected


def test_refused_parameters_never_reach_the_derivation(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_slots, "Argon2id", lambda **_: pytest.fail("derived"))
    assert refusal(altered(data, slot_m=2**32)) is TooLarge
    assert refusal(altered(data, slot_m=8)) is KeyFileDamaged


def test_two_pass_slots(data: bytes) -> None:
    slot = json.loads(data)["slots"][0]
    again = json.loads(key_file.change_passphrase(data, "correct horse", "second", _cost=CHEAP))["slots"][0]
    assert refusal(altered(data, slots=[slot, again])) is KeyFileDamaged
    assert refusal(altered(data, slots=[slot, slot])) is KeyFileDamaged


def test_slots_out_of_order_are_refused(data: bytes) -> None:
    both = json.loads(key_file.add_root_slot(data, "correct horse", SlotKind.KIT, ROOT))["slots"]
    assert [slot["kind"] for slot in both] == ["kit", "pass"]
    assert refusal(altered(data, slots=both[::-1])) is KeyFileDamaged


def test_check_altered(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    check = json.loads(data)["slots"][0]["check"]
    # the comparison comes before any cipher
    monkeypatch.setattr(key_slots, "AESGCM", lambda _: pytest.fail("decrypted"))
    for at in (0, 31):
        assert refusal(altered(data, slot_check=flip_base64(check, at))) is WrongKey


def test_right_passphrase_and_altered_ciphertext_is_damage(data: bytes) -> None:
    document = json.loads(data)
    for at in (0, 12, 59):
        assert refusal(altered(data, slot_wrap=flip_base64(document["slots"][0]["wrap"], at))) is KeyFileDamaged
    for at in (0, 12, 500, -1):
        assert refusal(altered(data, key=flip_base64(document["key"], at))) is KeyFileDamaged


def test_a_private_key_under_another_public_key_is_damage(data: bytes, key: PrivateKey, other: PrivateKey) -> None:
    """Only someone who knows the main key could make this; it is noticed all the same."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from desktop.crypto.key_file import _key_aad, _KeyFile

    parsed, main_key = key_file._main_key(data, "correct horse")
    assert isinstance(parsed, _KeyFile)
    sealed = bytes(12) + AESGCM(main_key).encrypt(bytes(12), other.to_pkcs8(), _key_aad(parsed.fingerprint))
    assert refusal(altered(data, key=base64.b64encode(sealed).decode())) is KeyFileDamaged


def test_flip_each_byte(key: PrivateKey, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every byte, one bit each; the slow derivation is replaced by one that keeps all its inputs apart."""
    import hashlib

    class Fast:
        def __init__(self, **inputs: Any) -> None:
            self._inputs = inputs

        def derive(self, secret: bytes) -> bytes:
            return hashlib.sha256(repr(sorted(self._inputs.items())).encode() + secret).digest()

    monkeypatch.setattr(key_slots, "Argon2id", Fast)
    fast = key_file.create(key, "correct horse")
    assert key_file.open_with_passphrase(fast, "correct horse").fingerprint == key.fingerprint
    seen = set()
    for at in range(len(fast)):
        damaged = bytearray(fast)
        damaged[at] ^= 1 << (at % 7)
        seen.add(refusal(bytes(damaged)))
    assert seen <= {WrongKey, KeyFileDamaged, TooLarge}
    assert {WrongKey, KeyFileDamaged} <= seen


@pytest.mark.parametrize(
    "make",
    [
        lambda d: b"",
        lambda d: b"{",
        lambda d: b"{}",
        lambda d: b"[]",
        lambda d: b"null",
        lambda d: d[:-1],
        lambda d: d + b"\n",
        lambda d: b" " + d,
        lambda d: d.replace(b'"t":"keyfile"', b'"t":"keyfile","t":"keyfile"'),
        lambda d: d.replace(b'"t":2', b'"t":2.0'),
        lambda d: d.replace(b'"t":2', b'"t":NaN'),
        lambda d: d.replace(b'"m":19456', b'"m":' + b"9" * 5000),
        lambda d: d.replace(b'"keyfile"', b'"\\u006beyfile"'),
        lambda d: d.decode().encode("utf-16"),
        lambda d: b"\xff" + d,
        lambda d: b"[" * 60000,
        lambda d: b'{"t":' * 10000,
    ],
)
def test_other_spellings_are_damage(data: bytes, make: Any) -> None:
    assert make(data) != data
    assert refusal(make(data)) is KeyFileDamaged


def test_files_above_the_limit_are_too_large(data: bytes) -> None:
    assert refusal(data + b" " * (key_file.MAX_KEY_FILE + 1 - len(data))) is TooLarge
    assert refusal(data + b" " * (key_file.MAX_KEY_FILE - len(data))) is KeyFileDamaged


# -- the other slots --------------------------------------------------------------------------------------------------


def test_all_kinds_of_slot_open_the_same_key_and_survive_a_new_passphrase(key: PrivateKey, data: bytes) -> None:
    kit, device = os.urandom(32), os.urandom(32)
    full = key_file.add_root_slot(data, "correct horse", SlotKind.KIT, kit)
    full = key_file.add_root_slot(full, "correct horse", SlotKind.DEVICE, device)
    full = key_file.change_passphrase(full, "correct horse", "another", _cost=CHEAP)
    assert key_file.slot_kinds(full) == (SlotKind.DEVICE, SlotKind.KIT, SlotKind.PASS)
    assert key_file.open_with_root(full, SlotKind.KIT, kit).fingerprint == key.fingerprint
    assert key_file.open_with_root(full, SlotKind.DEVICE, device).fingerprint == key.fingerprint
    assert key_file.open_with_passphrase(full, "another").fingerprint == key.fingerprint
    for kind, root in ((SlotKind.KIT, device), (SlotKind.DEVICE, kit)):
        with pytest.raises(WrongKey):
            key_file.open_with_root(full, kind, root)


def test_a_new_kit_replaces_the_old_one(data: bytes) -> None:
    first = key_file.add_root_slot(data, "correct horse", SlotKind.KIT, bytes(32))
    second = key_file.add_root_slot(first, "correct horse", SlotKind.KIT, ROOT)
    key_file.open_with_root(second, SlotKind.KIT, ROOT)
    with pytest.raises(WrongKey):
        key_file.open_with_root(second, SlotKind.KIT, bytes(32))


def test_a_slot_moved_to_another_kind_does_not_open(data: bytes) -> None:
    with_kit = json.loads(key_file.add_root_slot(data, "correct horse", SlotKind.KIT, ROOT))
    moved = {**with_kit["slots"][0], "kind": "device"}
    with pytest.raises(WrongKey):
        key_file.open_with_root(altered(data, slots=[moved, with_kit["slots"][1]]), SlotKind.DEVICE, ROOT)


def test_server_copy_has_no_pass_slot(data: bytes) -> None:
    with_kit = key_file.add_root_slot(data, "correct horse", SlotKind.KIT, ROOT)
    copy = key_file.with_slots_only(with_kit, {SlotKind.KIT})
    assert key_file.slot_kinds(copy) == (SlotKind.KIT,)
    assert json.loads(with_kit)["slots"][1]["wrap"].encode() not in copy
    key_file.open_with_root(copy, SlotKind.KIT, ROOT)
    with pytest.raises(WrongKey):
        key_file.with_slots_only(data, {SlotKind.KIT})


def test_nothing_is_added_to_a_file_whose_key_does_not_open(data: bytes) -> None:
    """Its slots do: what is damaged is noticed now, and not when the old passphrase is forgotten."""
    whole = key_file.add_root_slot(data, "correct horse", SlotKind.KIT, ROOT)
    damaged = altered(whole, key=flip_base64(json.loads(whole)["key"], 20))
    for change in (
        lambda: key_file.change_passphrase(damaged, "correct horse", "another", _cost=CHEAP),
        lambda: key_file.add_root_slot(damaged, "correct horse", SlotKind.DEVICE, ROOT),
        lambda: key_file.set_passphrase(damaged, SlotKind.KIT, ROOT, "another", _cost=CHEAP),
    ):
        with pytest.raises(KeyFileDamaged):
            change()
    fresh = key_file.set_passphrase(whole, SlotKind.KIT, ROOT, "another", _cost=CHEAP)
    assert key_file.open_with_passphrase(fresh, "another") is not None


def test_a_key_file_keeps_a_slot(data: bytes) -> None:
    with pytest.raises(ValueError, match="without slots"):
        key_file.without_slot(data, SlotKind.PASS)


def test_adding_a_slot_needs_the_passphrase(data: bytes) -> None:
    with pytest.raises(WrongKey):
        key_file.add_root_slot(data, "guess", SlotKind.KIT, ROOT)
    with pytest.raises(ValueError, match="32 random bytes"):
        key_file.add_root_slot(data, "correct horse", SlotKind.KIT, b"short")
    with pytest.raises(ValueError, match="kit or device"):
        key_file.add_root_slot(data, "correct horse", SlotKind.PASS, ROOT)


# -- writing ----------------------------------------------------------------------------------------------------------


def test_a_written_file_opens_and_is_private(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "k.glassine-key"
    key_file.write_key_file(path, data, "correct horse")
    assert key_file.read_key_file(path) == data
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_an_existing_file_is_replaced_only_on_request(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "k.glassine-key"
    path.write_bytes(b"mine")
    with pytest.raises(NameTaken):
        key_file.write_key_file(path, data, "correct horse")
    assert path.read_bytes() == b"mine"
    key_file.write_key_file(path, data, "correct horse", replace=True)
    assert path.read_bytes() == data


def test_a_file_that_does_not_open_is_never_put_in_place(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "k.glassine-key"
    path.write_bytes(data)
    changed = key_file.change_passphrase(data, "correct horse", "new", _cost=CHEAP)
    with pytest.raises(WrongKey):
        key_file.write_key_file(path, changed, "correct horse", replace=True)
    with pytest.raises(KeyFileDamaged):
        key_file.write_key_file(path, data[:-1], "correct horse", replace=True)
    assert path.read_bytes() == data
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_what_comes_back_from_the_disk_is_what_is_tried(
    tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_file, "read_key_file", lambda path: path.read_bytes()[:-9])
    with pytest.raises(KeyFileDamaged):
        key_file.write_key_file(tmp_path / "k", data, "correct horse")
    assert list(tmp_path.iterdir()) == []


def test_an_unreadable_file_says_that_the_passphrase_was_not_tried(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(KeyFileUnreadable, match="not tried"):
            key_file.read_key_file(path)


def test_many_threads_open_key_files_at_once(key: PrivateKey) -> None:
    slot = key_slots.Slot.with_passphrase(bytes(32), key.public.fingerprint_bytes, "same", Cost(19456, 2, 4))
    opened = []

    def open_it() -> None:
        for _ in range(20):
            opened.append(slot.open_with_passphrase(key.public.fingerprint_bytes, "same"))

    # daemons: derivations that wait for each other never end
    threads = [threading.Thread(target=open_it, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert opened == [bytes(32)] * 60
