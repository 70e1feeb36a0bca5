"""Decisions between pictures and people: durable, and merged so that the more careful one counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop import errors
from desktop.client import ledger_text
from desktop.client.memory import Memory
from desktop.client.ties import Tie, TieKind, is_value, merged

PICTURE, PERSON, HASH = "a" * 32, "b" * 24, "c" * 64


def tie(value: str, count: int = 1, kind: TieKind = TieKind.SHARED) -> Tie:
    return Tie(kind, PICTURE, PERSON, value, count)


def test_decisions_are_durable_and_counted(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    changes = memory.changes
    ties = memory.ties
    assert not ties.known(TieKind.SHARED, PICTURE, PERSON)
    for value in ("read", "read", "write", ""):
        ties.set(TieKind.SHARED, PICTURE, PERSON, value)
        assert ties.get(TieKind.SHARED, PICTURE, PERSON) == value
    assert ties.all() == [tie("", 3)]
    assert ties.of(TieKind.SHARED, PICTURE) == {}
    assert ties.known(TieKind.SHARED, PICTURE, PERSON)
    assert memory.changes == changes + 3
    # that nothing waits says nothing; that somebody is to have nothing does
    ties.set_all([(TieKind.WAITING, PICTURE, PERSON, ""), (TieKind.SHARED, PICTURE, "other", "")])
    assert not ties.known(TieKind.WAITING, PICTURE, PERSON)
    assert ties.known(TieKind.SHARED, PICTURE, "other")
    with pytest.raises(ValueError, match="no value"):
        ties.set_all([(TieKind.RESEAL, PICTURE, "", "due"), (TieKind.SHARED, PICTURE, PERSON, "admin")])
    assert ties.every(TieKind.RESEAL) == []
    memory.close()
    again = Memory(tmp_path)
    assert set(again.ties.all()) == {tie("", 3), Tie(TieKind.SHARED, PICTURE, "other", "", 1)}
    again.close()


@pytest.mark.parametrize(
    ("kind", "here", "there", "counts"),
    [
        (TieKind.SHARED, ("read", 1), ("", 2), ""),
        (TieKind.SHARED, ("", 3), ("write", 2), ""),
        (TieKind.SHARED, ("read", 2), ("write", 2), "read"),
        (TieKind.SHARED, ("read", 2), ("", 2), ""),
        (TieKind.WAITING, ("write", 1), ("", 1), ""),
        (TieKind.RESEAL, ("", 2), ("due", 2), "due"),
        (TieKind.SENDER, ("yes", 1), ("no", 1), "no"),
        (TieKind.DIFFERS, ("", 2), ("yes", 2), "yes"),
        (TieKind.COPY, (HASH, 1), ("d" * 64, 1), HASH),
    ],
)
def test_of_two_decisions_one_counts(kind: TieKind, here: tuple[str, int], there: tuple[str, int], counts: str) -> None:
    one, two = tie(*here, kind), tie(*there, kind)
    assert merged(one, two).value == merged(two, one).value == counts
    assert merged(None, two) == two


VALUES = {
    kind: [value for value in ("", "read", "write", "due", "yes", "no", HASH) if is_value(kind, value)]
    for kind in TieKind
}
SOME_TIES = st.lists(
    st.sampled_from(list(TieKind)).flatmap(
        lambda kind: st.builds(
            Tie,
            st.just(kind),
            st.sampled_from(["p", "q"]),
            st.sampled_from(["x", "y"]),
            st.sampled_from(VALUES[kind]),
            st.integers(1, 3),
        )
    ),
    unique_by=lambda one: one.pair,
)


@given(SOME_TIES)
def test_the_ledger_carries_them(ties: list[Tie]) -> None:
    document = ledger_text.write([], [], None, ties)
    assert ledger_text.read(document) == ([], [])
    assert sorted(ledger_text.ties_of(document), key=str) == sorted(ties, key=str)
    assert ledger_text.write([], [], None, reversed(ties)) == document


@given(SOME_TIES, SOME_TIES)
def test_merging_does_not_depend_on_the_order(first: list[Tie], second: list[Tie]) -> None:
    def both(some: list[Tie], others: list[Tie]) -> dict[object, Tie]:
        known = {one.pair: one for one in some}
        return known | {one.pair: merged(known.get(one.pair), one) for one in others}

    assert both(first, second) == both(second, first)


def test_two_computers_agree(tmp_path: Path) -> None:
    here, there = Memory(tmp_path / "here"), Memory(tmp_path / "there")
    try:
        here.ties.set(TieKind.SHARED, PICTURE, PERSON, "write")
        there.merge(here.export())
        assert there.ties.get(TieKind.SHARED, PICTURE, PERSON) == "write"
        there.ties.set(TieKind.SHARED, PICTURE, PERSON, "")
        here.merge(there.export())
        there.merge(here.export())
        assert here.ties.all() == there.ties.all() == [tie("", 2)]
    finally:
        here.close()
        there.close()


@pytest.mark.parametrize(
    "change",
    [
        lambda row: [["unknown", *row[1:]]],
        lambda row: [[*row[:3], "admin", 1]],
        lambda row: [[*row[:4], 0]],
        lambda row: [[*row[:4], True]],
        lambda row: [[*row[:4], 1.0]],
        lambda row: [row[:4]],
        lambda row: [[*row, 1]],
        lambda row: [row, row],
        lambda row: {"0": row},
        lambda row: [None],
        lambda row: [[row[0], 5, *row[2:]]],
    ],
)
def test_a_malformed_list_is_refused(change: Callable[[list[object]], object]) -> None:
    document = json.loads(ledger_text.write([], [], None, [tie("read")]))
    document["ties"] = change(document["ties"][0])
    with pytest.raises(errors.Damaged):
        ledger_text.read(json.dumps(document).encode())
