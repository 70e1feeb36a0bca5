"""What one check of the memory alone refuses, of pictures, people and decisions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from desktop import errors
from desktop.client import ledger, ledger_text
from desktop.client.judging import Listed, Standing, judge, read_listed
from desktop.client.memory import Memory
from desktop.client.memory_model import Entry, Intent, IntentKind, Pin, PinState, Snapshot
from desktop.client.ties import Tie, TieKind, is_value, merged
from desktop.crypto.envelope import text_hash
from desktop.crypto.keys import PrivateKey
from desktop.crypto.order import Known, accept
from desktop.crypto.records import make_succession
from desktop.models import Scheme
from tests.crypto import forge
from tests.fuzz.parsers import key

OWNER, FRIEND, STRANGER = key("owner"), key("friend"), key("stranger")
PIC = "ab" * 16


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    memory = Memory(tmp_path, OWNER.fingerprint)
    yield memory
    memory.close()


def knowing(*made: forge.Made, gone: bool = False, **more: object) -> Snapshot:
    """A memory that has accepted these pictures."""
    entries = {}
    for one in made:
        known = accept(None, one.read())
        entry = Entry(known.owner, known.picture_id, Scheme.SEALED, known, text_hash(one.envelope), gone)
        entries[entry.key] = entry
    return Snapshot(entries, {}, **more)  # type: ignore[arg-type]


# -- listings ---------------------------------------------------------------------------------------------------------


def written_by_friend() -> forge.Made:
    """A revision of the owner's picture by a writer."""
    first = forge.picture(OWNER)
    return forge.picture(
        OWNER,
        picture_id=first.picture_id,
        picture_key=first.picture_key,
        deed_object=first.deed,
        author=FRIEND,
        grant_object=forge.grant(OWNER, FRIEND.public, first.deed, first.picture_key),
        revision=2,
        previous=first.hash,
    )


def test_a_former_key_counts_for_what_is_remembered_only() -> None:
    made = written_by_friend()
    former = {FRIEND.fingerprint: FRIEND.public.pem}
    nothing = Entry(OWNER.fingerprint, made.picture_id)
    for entries in ({}, {nothing.key: nothing}):
        memory = Snapshot(entries, {}, former)
        listed = read_listed(made.envelope, made.picture_id, OWNER.public, memory)
        assert listed.envelope is None
        assert type(listed.error) is errors.AuthorUnknown
    accepted = replace(knowing(made), former=former)
    assert read_listed(made.envelope, made.picture_id, OWNER.public, accepted).envelope is not None
    for other in ({}, {STRANGER.fingerprint: STRANGER.public.pem}, {FRIEND.fingerprint: "no key"}):
        unknown = replace(accepted, former=other, entries={})
        assert read_listed(made.envelope, made.picture_id, OWNER.public, unknown).envelope is None


def test_a_row_of_another_scheme_is_refused_whatever_comes_with_it() -> None:
    made = forge.picture(OWNER)
    own = OWNER.fingerprint
    called = Listed(own, made.picture_id, Scheme.CLASSIC, made.read())
    bare = Listed("", made.picture_id, Scheme.SEALED)
    for listed, memory in ((called, knowing(made)), (bare, Snapshot())):
        (verdict,) = judge([listed], memory, own=own).verdicts.values()
        assert type(verdict.error) is errors.SchemeChanged


def test_a_picture_that_is_gone_does_not_come_back_under_the_next_key() -> None:
    first = forge.picture(FRIEND)
    link = make_succession(FRIEND, STRANGER, 5)
    anew = forge.picture(STRANGER, picture_id=first.picture_id, epoch=2, previous=first.hash)
    memory = knowing(first, gone=True)
    listed = read_listed(anew.envelope, anew.picture_id, STRANGER.public, memory)
    judgement = judge([listed], memory, own=OWNER.fingerprint, succession=link)
    assert type(judgement.verdicts[listed.key].error) is errors.Resurrected
    assert judgement.entries == ()


def test_a_succession_concerns_nobody_else() -> None:
    """Two owners may use the same id."""
    first, other = forge.picture(FRIEND), forge.picture(OWNER)
    same_id = forge.picture(OWNER, picture_id=first.picture_id)
    link = make_succession(FRIEND, STRANGER, 5)
    memory = knowing(first)
    for made in (same_id, other):
        listed = read_listed(made.envelope, made.picture_id, OWNER.public, memory)
        judgement = judge([listed], memory, own=OWNER.fingerprint, succession=link)
        assert judgement.verdicts[listed.key].standing is Standing.NEW


# -- two computers ----------------------------------------------------------------------------------------------------


def entry(epoch: int, revision: int, header: int, *accepted: int) -> Entry:
    hashes = frozenset(f"{number:064x}" for number in (header, *accepted))
    known = Known(OWNER.fingerprint, PIC, epoch, revision, f"{header:064x}", f"{100 + epoch:064x}", hashes)
    return Entry(OWNER.fingerprint, PIC, Scheme.SEALED, known)


def test_a_fork_within_an_epoch_that_began_together() -> None:
    mine, theirs = entry(1, 2, 2, 1), entry(1, 3, 4, 1, 3)
    for here, there in ((mine, theirs), (theirs, mine)):
        result = ledger.merge({here.key: here}, [], [there], [])
        assert result.entries == ()
        assert [type(found.error) for found in result.pictures] == [errors.Forked]


def test_what_only_one_of_two_has_accepted() -> None:
    known, unknown = entry(1, 1, 1), Entry(OWNER.fingerprint, PIC)
    for here, there in ((known, unknown), (unknown, known)):
        (kept,) = ledger.merge({here.key: here}, [], [there], []).entries or (here,)
        assert kept.known == known.known
    assert ledger.merge({unknown.key: unknown}, [], [unknown], []).entries == ()


def pin(user_id: str, name: str, of: PrivateKey | None, state: PinState = PinState.UNVERIFIED) -> Pin:
    return Pin(user_id, name, of.public if of is not None else None, state, 5)


def test_people_who_have_nothing_in_common_are_taken_over() -> None:
    here = [pin("u1", "tom", FRIEND), pin("u2", "eve", None)]
    there = [pin("u3", "ann", STRANGER), pin("u4", "bob", None)]
    result = ledger.merge({}, here, [], there)
    assert list(result.pins) == there
    assert result.people == ()


@pytest.mark.parametrize(
    ("kind", "here", "there", "counts"),
    [
        (TieKind.SHARED, ("", 1), ("write", 2), "write"),
        (TieKind.SENDER, ("no", 1), ("yes", 2), "yes"),
        (TieKind.DIFFERS, ("yes", 4), ("", 5), ""),
        (TieKind.RESEAL, ("due", 1), ("", 2), ""),
    ],
)
def test_the_later_decision_counts_also_where_it_gives_more(
    kind: TieKind, here: tuple[str, int], there: tuple[str, int], counts: str
) -> None:
    one, two = (Tie(kind, PIC, "other", value, count) for value, count in (here, there))
    assert merged(one, two).value == merged(two, one).value == counts


def test_values_that_are_none() -> None:
    pem = FRIEND.public.pem
    assert is_value(TieKind.COPY, "ab" * 32)
    assert is_value(TieKind.FORMER, pem)
    for kind, value in (
        (TieKind.COPY, "ab" * 31),
        (TieKind.COPY, "AB" * 32),
        (TieKind.FORMER, "a key"),
        (TieKind.FORMER, pem + "ä"),
        (TieKind.FORMER, pem.ljust(2001)),
    ):
        assert not is_value(kind, value)


def test_decisions_are_found_by_what_they_are_about(memory: Memory) -> None:
    memory.ties.set_all([(TieKind.SHARED, PIC, "tom", "read"), (TieKind.WAITING, PIC, "ann", "write")])
    memory.ties.set(TieKind.SHARED, "cd" * 16, "eve", "write")
    memory.ties.set(TieKind.SHARED, "cd" * 16, "bob", "")
    assert memory.ties.of(TieKind.SHARED, PIC) == {"tom": "read"}
    assert [tie.other for tie in memory.ties.every(TieKind.SHARED)] == ["tom", "eve"]
    assert memory.ties.of(TieKind.WAITING, PIC) == {"ann": "write"}


def at_the_top(**members: object) -> dict[str, object]:
    """A ledger with other members at its top."""
    honest = json.loads(ledger_text.write([entry(1, 1, 1)], [pin("u1", "tom", FRIEND)]))
    return {name: value for name, value in (honest | members).items() if value is not None}


@pytest.mark.parametrize(
    "document",
    [
        at_the_top(v=0),
        at_the_top(more=1),
        at_the_top(people=None),
        at_the_top(ties={}),
        at_the_top(ties="AAAAA"),
        at_the_top(pictures={OWNER.fingerprint: {PIC: {"g": True}}}),
        at_the_top(pictures={"": {PIC: {}}}),
        at_the_top(pictures={OWNER.fingerprint: {"": {}}}),
        at_the_top(pictures={OWNER.fingerprint: {PIC: {"m": 1 << 53}}}),
        at_the_top(ties=[["sender", 5, "", "yes", 1]]),
        at_the_top(ties=[["sender", "u1", "x" * 4097, "yes", 1]]),
    ],
    ids=lambda document: json.dumps(document)[-60:],
)
def test_a_ledger_of_another_shape_is_damaged(document: dict[str, object]) -> None:
    with pytest.raises(errors.LedgerDamaged):
        ledger_text.read(json.dumps(document).encode())


def test_the_ends_of_what_a_ledger_may_say() -> None:
    far = at_the_top(
        ties=[["sender", "x" * 4096, "", "yes", (1 << 31) - 1]],
        pictures={OWNER.fingerprint: {PIC: {"m": (1 << 53) - 1}}},
    )
    ((found,), _) = ledger_text.read(json.dumps(far).encode())
    assert found.moves == (1 << 53) - 1


def test_what_was_deleted_or_forgotten_meanwhile_is_not_called_missing(memory: Memory) -> None:
    made, own = forge.picture(OWNER), OWNER.fingerprint
    memory.stored(made.read())
    memory.put([Entry("", "holiday", Scheme.CLASSIC)])
    judged = judge([], memory.snapshot(), own=own, complete_for={own, ""})
    assert {verdict.standing for verdict in judged.verdicts.values()} == {Standing.MISSING}
    memory.begin(Intent(own, made.picture_id, IntentKind.GONE, made.hash))
    memory.forget("", "holiday")
    assert {verdict.standing for verdict in memory.commit(judged).verdicts.values()} == {Standing.GONE}


def test_moves_to_the_bin_are_counted_so_that_the_last_one_shows(memory: Memory) -> None:
    made, own = forge.picture(OWNER), OWNER.fingerprint
    memory.moved(own, made.picture_id, to_bin=True)
    assert memory.entry(own, made.picture_id) is None
    memory.stored(made.read())
    counts = []
    for to_bin in (True, True, False, False, True):
        memory.moved(own, made.picture_id, to_bin=to_bin)
        found = memory.entry(own, made.picture_id)
        assert found is not None
        assert found.in_bin is to_bin
        counts.append(found.moves)
    assert counts == sorted(set(counts))


# -- people -----------------------------------------------------------------------------------------------------------


def test_who_has_no_key_is_seen_again(memory: Memory) -> None:
    first = memory.people.see("u1", "tom", None, 5)
    changes = memory.people.changes
    assert memory.people.see("u1", "tom", None, 9) == first
    assert memory.people.changes == changes


def test_the_account_that_offers_a_key_last_is_the_one_that_is_compared(memory: Memory) -> None:
    people = memory.people
    people.see("u1", "tom", FRIEND.public, 5)
    for user_id in ("u2", "u3"):
        with pytest.raises(errors.KeyChanged):
            people.see(user_id, "tom", STRANGER.public, 6)
    assert people.compared("u1", STRANGER.fingerprint, 7).user_id == "u3"
    assert [pin.user_id for pin in people.all()] == ["u3"]


def test_every_change_is_on_the_disk_when_it_returns(memory: Memory) -> None:
    """A power cut cannot be played; the database can be asked."""
    database = memory._open()._db
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
