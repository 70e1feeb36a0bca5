"""Whose key is whose: first contact, comparison, change, and names that a server exchanges."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop import errors
from desktop.client.memory import Memory
from desktop.client.memory_model import PinState
from desktop.client.people import People
from desktop.crypto.keys import PrivateKey, PublicKey
from tests.crypto import forge

NOW = 1_700_000_000


@pytest.fixture(scope="module")
def keys() -> list[PublicKey]:
    """Three public keys that are nobody's own."""
    return [PrivateKey.generate(2048).public for _ in range(3)]


@pytest.fixture
def memory(tmp_path: Path, key: PrivateKey) -> Iterator[Memory]:
    memory = Memory(tmp_path, key.fingerprint)
    yield memory
    memory.close()


@pytest.fixture
def people(memory: Memory) -> People:
    return memory.people


def reopened(memory: Memory, tmp_path: Path) -> People:
    memory.close()
    again = Memory(tmp_path)
    again.close()
    return again.people


def test_first_contact_is_not_verified(people: People, keys: list[PublicKey]) -> None:
    assert people.get("u1") is None
    pin = people.see("u1", "tom", keys[0], NOW)
    assert (pin.name, pin.state, pin.fingerprint, pin.seen, pin.compared) == (
        "tom",
        PinState.UNVERIFIED,
        keys[0].fingerprint,
        NOW,
        0,
    )
    assert people.see("u1", "tom", keys[0], NOW + 5) == pin
    assert people.usable("u1") == keys[0]
    assert people.all() == [pin]
    assert people.by_fingerprint(keys[0].fingerprint) == pin
    assert people.by_fingerprint("") is None
    assert people.key_of(keys[0].fingerprint) == keys[0]
    assert people.key_of(keys[1].fingerprint) is None


def test_comparing_verifies(people: People, memory: Memory, tmp_path: Path, keys: list[PublicKey]) -> None:
    people.see("u1", "tom", keys[0], NOW)
    for wrong in (keys[1].fingerprint, "", keys[0].fingerprint[:-1]):
        with pytest.raises(errors.KeyChanged):
            people.compared("u1", wrong, NOW)
    pin = people.compared("u1", keys[0].fingerprint, NOW + 1)
    assert (pin.state, pin.compared) == (PinState.VERIFIED, NOW + 1)
    assert people.see("u1", "tom", keys[0], NOW + 2) == pin
    with pytest.raises(errors.KeyMissing):
        people.compared("u2", keys[0].fingerprint, NOW)
    assert reopened(memory, tmp_path).all() == [pin]


@pytest.mark.parametrize("verified", [False, True])
def test_key_change(
    people: People,
    memory: Memory,
    tmp_path: Path,
    keys: list[PublicKey],
    verified: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    people.see("u1", "tom", keys[0], NOW)
    if verified:
        people.compared("u1", keys[0].fingerprint, NOW)
    wraps: list[int] = []
    monkeypatch.setattr(PublicKey, "wrap", lambda *_: wraps.append(1))
    with pytest.raises(errors.KeyChanged, match="tom"):
        people.see("u1", "tom", keys[1], NOW)
    pin = people.get("u1")
    assert pin is not None
    assert (pin.state, pin.public, pin.offered) == (PinState.CHANGED, keys[0], keys[1])
    # nothing is wrapped, for neither key, and the server cannot take it back
    for offered in (keys[1], keys[0]):
        with pytest.raises(errors.KeyChanged):
            people.see("u1", "tom", offered, NOW)
        with pytest.raises(errors.KeyChanged):
            people.usable("u1")
    assert wraps == []
    assert people.get("u1") == pin
    # what the old key signed is still believed
    assert people.key_of(keys[0].fingerprint) == keys[0]
    assert reopened(memory, tmp_path).all() == [pin]


def test_a_changed_key_is_compared(people: People, keys: list[PublicKey]) -> None:
    people.see("u1", "tom", keys[0], NOW)
    with pytest.raises(errors.KeyChanged):
        people.see("u1", "tom", keys[1], NOW)
    pin = people.compared("u1", keys[1].fingerprint, NOW + 9)
    assert (pin.state, pin.public, pin.offered, pin.compared) == (PinState.VERIFIED, keys[1], None, NOW + 9)
    assert people.usable("u1") == keys[1]
    # comparing the old one instead says that the offer was false
    with pytest.raises(errors.KeyChanged):
        people.see("u1", "tom", keys[2], NOW)
    pin = people.compared("u1", keys[1].fingerprint, NOW)
    assert (pin.state, pin.public, pin.offered) == (PinState.VERIFIED, keys[1], None)


def test_key_swap_between_dialog_and_wrap(people: People, keys: list[PublicKey], key: PrivateKey) -> None:
    from desktop.crypto.envelope import parse_grant
    from desktop.crypto.grants import grant_to

    shown = people.see("u1", "tom", keys[0], NOW)
    with pytest.raises(errors.KeyChanged):
        people.see("u1", "tom", keys[1], NOW)
    # the person says that the words shown match: it is about the shown key, and no other gets anything
    assert people.compared("u1", shown.fingerprint, NOW).public == keys[0]
    assert shown.public is not None
    made = forge.picture(key).open()
    assert parse_grant(grant_to(made, key, people.usable("u1"), "read", NOW)).to == keys[0].fingerprint


def test_an_offer_that_changes_while_it_is_compared(people: People, keys: list[PublicKey]) -> None:
    people.see("u1", "tom", keys[0], NOW)
    for offered in (keys[1], keys[2]):
        with pytest.raises(errors.KeyChanged):
            people.see("u1", "tom", offered, NOW)
    with pytest.raises(errors.KeyChanged):
        people.compared("u1", keys[1].fingerprint, NOW)
    assert people.compared("u1", keys[2].fingerprint, NOW).public == keys[2]


def test_same_fp_two_people(people: People, keys: list[PublicKey], key: PrivateKey) -> None:
    people.see("u1", "tom", keys[0], NOW)
    with pytest.raises(errors.KeyRefused, match="tom"):
        people.see("u2", "lina", keys[0], NOW)
    assert people.get("u2") is None
    people.see("u2", "lina", keys[1], NOW)
    # nor by a change of key
    with pytest.raises(errors.KeyRefused, match="tom"):
        people.see("u2", "lina", keys[0], NOW)
    with pytest.raises(errors.KeyRefused, match="your own"):
        people.see("u3", "robin", key.public, NOW)
    assert people.usable("u2") == keys[1]


def test_names_exchanged(people: People, keys: list[PublicKey]) -> None:
    people.see("u1", "tom", keys[0], NOW)
    people.see("u2", "lina", keys[1], NOW)
    for user_id, name, offered in (("u1", "lina", keys[0]), ("u2", "tom", keys[1]), ("u1", "lina", keys[1])):
        with pytest.raises(errors.KeyRefused):
            people.see(user_id, name, offered, NOW)
    assert [(pin.name, pin.public) for pin in people.all()] == [("lina", keys[1]), ("tom", keys[0])]


def test_another_account_under_a_known_name(people: People, keys: list[PublicKey]) -> None:
    people.see("u1", "tom", keys[0], NOW)
    people.compared("u1", keys[0].fingerprint, NOW)
    with pytest.raises(errors.KeyChanged):
        people.see("u9", "tom", keys[1], NOW)
    with pytest.raises(errors.KeyChanged):
        people.usable("u1")
    assert people.get("u9") is None
    with pytest.raises(errors.KeyRefused):
        people.see("u8", "tom", None, NOW)
    # compared: the person did come back with another account
    pin = people.compared("u1", keys[1].fingerprint, NOW)
    assert (pin.user_id, pin.name, pin.state) == ("u9", "tom", PinState.VERIFIED)
    assert people.all() == [pin]
    assert people.usable("u9") == keys[1]


def test_peer_key_becomes_classic(people: People, keys: list[PublicKey]) -> None:
    people.see("u1", "tom", keys[0], NOW)
    with pytest.raises(errors.SchemeChanged):
        people.see("u1", "tom", None, NOW)
    assert people.usable("u1") == keys[0]


def test_people_without_a_proper_key(people: People, keys: list[PublicKey]) -> None:
    pin = people.see("u1", "tom", None, NOW)
    assert (pin.public, pin.fingerprint) == (None, "")
    for user_id in ("u1", "u2"):
        with pytest.raises(errors.KeyRefused):
            people.usable(user_id)
    with pytest.raises(errors.KeyChanged):
        people.compared("u1", "", NOW)
    # a first meeting, not a change: nothing was ever protected with the old key
    assert people.see("u1", "tom", keys[0], NOW + 1).state is PinState.UNVERIFIED
    assert people.usable("u1") == keys[0]


def test_forgetting(people: People, memory: Memory, tmp_path: Path, keys: list[PublicKey]) -> None:
    people.see("u1", "tom", keys[0], NOW)
    people.forget("u1")
    people.forget("u1")
    assert people.see("u1", "tom", keys[1], NOW).state is PinState.UNVERIFIED
    people.forget("u1")
    assert reopened(memory, tmp_path).all() == []


def test_clocks_decide_nothing(people: People, keys: list[PublicKey]) -> None:
    years = 50 * 365 * 86_400
    pin = people.see("u1", "tom", keys[0], NOW)
    for now in (NOW - years, NOW + years, 0):
        assert people.see("u1", "tom", keys[0], now) == pin
        with pytest.raises(errors.KeyRefused):
            people.see("u2", "lina", keys[0], now)
