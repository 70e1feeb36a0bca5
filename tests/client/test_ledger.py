"""Two devices of one person: what they remember becomes one, and what contradicts is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop import errors
from desktop.client import ledger_text
from desktop.client.ledger import Merged, merge
from desktop.client.memory import Memory
from desktop.client.memory_model import Entry, Pin, PinState
from desktop.crypto.keys import PrivateKey, PublicKey
from desktop.crypto.order import Known
from desktop.crypto.records import open_ledger, seal_ledger
from desktop.models import Scheme

OWNER, PIC = "0f" * 32, "ab" * 16
CLASSIC = Entry("", "holiday", Scheme.CLASSIC)


def h(number: int) -> str:
    return f"{number:064x}"


def entry(epoch: int, revision: int, header: int, *accepted: int, deed: int | None = None, **more: Any) -> Entry:
    """An entry whose header is a small number; accepted headers are such numbers too."""
    known = Known(
        OWNER,
        PIC,
        epoch,
        revision,
        h(header),
        h(100 + epoch if deed is None else deed),
        frozenset(map(h, {header, *accepted})),
    )
    return Entry(OWNER, PIC, Scheme.SEALED, known, **more)


def merged(here: Entry, there: Entry) -> Merged:
    return merge({here.key: here}, [], [there], [])


FIRST = entry(1, 1, 1, text_hash=h(9))
SECOND = entry(1, 2, 2, 1)


def test_what_is_new_is_taken_over() -> None:
    result = merge({}, [], [FIRST, CLASSIC], [])
    assert result.entries == (FIRST, CLASSIC)
    assert (result.pictures, result.people, result.pins) == ((), (), ())


def test_the_higher_revision_wins_if_it_continues() -> None:
    assert merged(FIRST, SECOND).entries == (SECOND,)
    assert merged(SECOND, replace(FIRST, text_hash="")).entries == ()
    # the text verified here stays verified when the header is the same
    same = entry(1, 1, 1, 7)
    assert merged(FIRST, same).entries == (replace(same, text_hash=h(9)),)
    assert merged(FIRST, FIRST) == Merged((), (), (), ())


def test_new_epochs_continue_when_they_have_met() -> None:
    assert merged(SECOND, entry(2, 1, 5, 1)).entries == (entry(2, 1, 5, 1, 2),)
    assert merged(entry(2, 1, 5, 1), SECOND).entries == (entry(2, 1, 5, 1, 2),)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (SECOND, entry(1, 2, 3, 1)),
        (FIRST, entry(1, 2, 3)),
        (SECOND, entry(1, 1, 3)),
        (FIRST, entry(2, 1, 3)),
        (FIRST, entry(1, 2, 3, 1, deed=55)),
    ],
    ids=["same revision", "does not continue", "lower and unknown", "epoch never met", "another deed"],
)
def test_forks_are_reported_and_nothing_moves(here: Entry, there: Entry) -> None:
    for mine, theirs in ((here, there), (there, here)):
        result = merged(mine, theirs)
        assert result.entries == ()
        (contradiction,) = result.pictures
        assert (contradiction.here, contradiction.there) == (mine, theirs)
        assert isinstance(contradiction.error, errors.Forked)


def test_gone_is_final() -> None:
    gone = replace(SECOND, gone=True)
    assert merged(FIRST, gone).entries == (replace(FIRST, gone=True),)
    assert merged(gone, FIRST).entries == ()
    assert merged(gone, entry(2, 1, 3)).pictures == ()
    never_seen = Entry(OWNER, PIC, gone=True)
    assert merged(FIRST, never_seen).entries == (replace(FIRST, gone=True),)


def test_schemes_do_not_change() -> None:
    (contradiction,) = merged(replace(CLASSIC, owner=OWNER, picture_id=PIC), FIRST).pictures
    assert isinstance(contradiction.error, errors.SchemeChanged)


@given(st.permutations([FIRST, SECOND, entry(1, 3, 3, 1, 2), entry(2, 1, 4, 3, 2, 1), entry(2, 2, 5, 4, 3, 2, 1)]))
def test_the_order_of_merging_does_not_matter(entries: list[Entry]) -> None:
    current = entries[0]
    for other in entries[1:]:
        result = merged(current, other)
        assert result.pictures == ()
        current = result.entries[0] if result.entries else current
    assert current.known == entry(2, 2, 5, 4, 3, 2, 1).known


# -- people -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keys() -> list[PublicKey]:
    return [PrivateKey.generate(2048).public for _ in range(2)]


@pytest.fixture
def tom(keys: list[PublicKey]) -> Pin:
    return Pin("u1", "tom", keys[0], PinState.UNVERIFIED, 5)


def merged_pins(here: list[Pin], *there: Pin, own: str = "") -> Merged:
    return merge({}, here, [], there, own=own)


def test_verified_wins_over_not_verified(tom: Pin) -> None:
    verified = replace(tom, state=PinState.VERIFIED, compared=7)
    assert merged_pins([tom], verified).pins == (verified,)
    assert merged_pins([verified], tom) == Merged((), (), (), ())
    assert merged_pins([], verified).pins == (verified,)


def test_another_key_is_shown_and_gets_nothing(tom: Pin, keys: list[PublicKey]) -> None:
    other = replace(tom, public=keys[1], state=PinState.VERIFIED)
    for here in (tom, replace(tom, state=PinState.VERIFIED)):
        result = merged_pins([here], other)
        (pin,) = result.pins
        assert (pin.state, pin.public, pin.offered) == (PinState.CHANGED, keys[0], keys[1])
        (contradiction,) = result.people
        assert isinstance(contradiction.error, errors.KeyChanged)


def test_a_change_seen_on_one_device_is_seen_on_all(tom: Pin, keys: list[PublicKey]) -> None:
    changed = replace(tom, state=PinState.CHANGED, offered=keys[1], offered_user_id="u1")
    assert merged_pins([replace(tom, state=PinState.VERIFIED)], changed).pins == (changed,)
    assert merged_pins([changed], replace(tom, state=PinState.VERIFIED)).pins == ()


def test_one_key_and_one_name_belong_to_one_person(tom: Pin, keys: list[PublicKey]) -> None:
    for other in (replace(tom, user_id="u2", name="lina"), replace(tom, user_id="u2", public=keys[1])):
        result = merged_pins([tom], other)
        assert result.pins == ()
        assert isinstance(result.people[0].error, errors.KeyRefused)
    renamed = merged_pins([tom], replace(tom, name="lina"))
    assert renamed.pins == ()
    assert isinstance(renamed.people[0].error, errors.KeyRefused)
    # two that contradict each other in the very ledger
    twice = merged_pins([], tom, replace(tom, user_id="u2", name="lina"))
    assert twice.pins == (tom,)
    assert len(twice.people) == 1
    assert merged_pins([], tom, own=tom.fingerprint).pins == ()


def test_a_proper_key_replaces_none(tom: Pin) -> None:
    without = replace(tom, public=None)
    assert merged_pins([without], tom).pins == (tom,)
    assert merged_pins([tom], without) == Merged((), (), (), ())


# -- the text -----------------------------------------------------------------------------------------------------


def test_the_text_makes_a_round_trip(tom: Pin, keys: list[PublicKey]) -> None:
    entries = [
        replace(SECOND, text_hash=""),
        Entry(OWNER, "cd" * 16, gone=True),
        replace(FIRST, owner="1e" * 32, known=replace(FIRST.known, owner="1e" * 32), text_hash=""),  # type: ignore[type-var]
        CLASSIC,
    ]
    pins = [
        tom,
        replace(tom, user_id="u2", name="Linä \u202e", public=keys[1], state=PinState.VERIFIED, compared=9),
        Pin("u3", "x", None, PinState.UNVERIFIED, 0),
        Pin("u4", "y", keys[0], PinState.CHANGED, 1, 2, keys[1], "u5"),
    ]
    text = ledger_text.write(entries, pins)
    read_entries, read_pins = ledger_text.read(text)
    assert sorted(read_entries, key=str) == sorted(entries, key=str)
    assert read_pins == pins
    assert ledger_text.write(reversed(read_entries), reversed(read_pins)) == text


def changed(path: str, value: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        *parents, last = path.split(".")
        for parent in parents:
            document = document[parent]
        if value is None:
            del document[last]
        else:
            document[last] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        changed("v", None),
        changed("v", "1"),
        changed("pictures", []),
        changed("people", None),
        changed(f"pictures.{OWNER}", 5),
        changed(f"pictures.{OWNER}.{PIC}", "x"),
        changed(f"pictures.{OWNER}.{PIC}.e", 0),
        changed(f"pictures.{OWNER}.{PIC}.e", 1 << 31),
        changed(f"pictures.{OWNER}.{PIC}.r", True),
        changed(f"pictures.{OWNER}.{PIC}.a", ""),
        changed(f"pictures.{OWNER}.{PIC}.a", "AAAA"),
        changed(f"pictures.{OWNER}.{PIC}.a", "é"),
        changed(f"pictures.{OWNER}.{PIC}.d", None),
        changed(f"pictures.{OWNER}.{PIC}.s", "plain"),
        changed(f"pictures.{OWNER}.{PIC}.s", "classic"),
        changed(f"pictures.{OWNER}.{PIC}.g", 2),
        changed(f"pictures.{OWNER}.{PIC}.more", 1),
        changed(f"pictures.{OWNER}.short", {}),
        changed("pictures.short", {PIC: {}}),
        changed("people.u1", []),
        changed("people.u1.name", 5),
        changed("people.u1.name", "x" * 5000),
        changed("people.u1.state", "trusted"),
        changed("people.u1.state", "changed"),
        changed("people.u1.key", "AAAA"),
        changed("people.u1.seen", -1),
        changed("people.u1.seen", 1.5),
        changed("people.u1.more", 1),
        changed("people.u1.offered_by", 1),
    ],
)
def test_nonsense_is_damaged_and_changes_nothing(tmp_path: Path, tom: Pin, change: Callable[[Any], None]) -> None:
    document = json.loads(ledger_text.write([SECOND], [tom]))
    change(document)
    memory = Memory(tmp_path)
    with pytest.raises(errors.LedgerDamaged):
        memory.merge(json.dumps(document).encode())
    assert memory.snapshot().entries == {}
    assert memory.people.all() == []
    memory.close()


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_damaged(data: bytes) -> None:
    with pytest.raises(errors.LedgerDamaged):
        ledger_text.read(data)


def test_deep_and_newer_texts() -> None:
    for data in (b"[" * 100_000, b'{"v":' * 50_000, b'{"v":1,"people":{},"pictures":{}}' + b" x"):
        with pytest.raises(errors.LedgerDamaged):
            ledger_text.read(data)
    with pytest.raises(errors.LedgerTooNew):
        ledger_text.read(b'{"v":2}')


# -- two devices --------------------------------------------------------------------------------------------------


def test_two_devices_through_a_sealed_ledger(tmp_path: Path, key: PrivateKey, tom: Pin) -> None:
    one, two = Memory(tmp_path / "one", key.fingerprint), Memory(tmp_path / "two", key.fingerprint)
    assert tom.public is not None
    one.put([SECOND, CLASSIC])
    one.people.see("u1", "tom", tom.public, 5)
    one.people.compared("u1", tom.fingerprint, 6)
    sealed = seal_ledger(key, one.ledger_serial + 1, one.export())
    one.saw_serial(1)

    serial, document = open_ledger(key, sealed, known_serial=two.ledger_serial)
    result = two.merge(document)
    two.saw_serial(serial)
    assert len(result.entries) == 2
    assert (result.pictures, result.people) == ((), ())
    two.put([replace(SECOND, gone=True)])
    back = seal_ledger(key, two.ledger_serial + 1, two.export())
    two.close()

    one.merge(open_ledger(key, back, known_serial=one.ledger_serial)[1])
    one.saw_serial(2)
    kept = one.entry(OWNER, PIC)
    assert kept is not None
    assert kept.gone
    with pytest.raises(errors.RolledBack):
        open_ledger(key, sealed, known_serial=one.ledger_serial)
    one.close()
    again = Memory(tmp_path / "two")
    assert (again.people.all()[0].state, again.ledger_serial) == (PinState.VERIFIED, 1)
    again.close()


def test_a_ledger_of_ten_thousand_pictures_is_small(key: PrivateKey) -> None:
    pictures = [
        replace(FIRST, picture_id=f"{at:032x}", known=replace(FIRST.known, picture_id=f"{at:032x}"))  # type: ignore[type-var]
        for at in range(10_000)
    ]
    text = ledger_text.write(pictures, [])
    assert len(text) < 2_000_000
    assert open_ledger(key, seal_ledger(key, 1, text)) == (1, text)
    assert len(ledger_text.read(text)[0]) == 10_000
