"""Listings against the memory: every way in which a server could show something else, and the quiet ways it may not."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from desktop import errors
from desktop.client.judging import Judgement, Listed, Standing, judge, read_listed
from desktop.client.memory_model import Entry, Intent, IntentKind, Key, Snapshot
from desktop.crypto import canonical
from desktop.crypto.canonical import Object
from desktop.crypto.envelope import Envelope, text_hash
from desktop.crypto.keys import PrivateKey, PublicKey
from desktop.crypto.objects import MAX_COUNTER, sign_object
from desktop.crypto.order import Known
from desktop.crypto.records import make_gone, make_succession
from desktop.models import Scheme
from tests.crypto import forge
from tests.crypto.forge import Made


@pytest.fixture
def owner(key: PrivateKey) -> PrivateKey:
    """Whose pictures they are."""
    return key


@pytest.fixture
def friend(other_key: PrivateKey) -> PrivateKey:
    """Somebody who shares with the owner, or is shared with."""
    return other_key


class Device:
    """Remembers, and judges what a server lists."""

    def __init__(self, owner: PrivateKey) -> None:
        self.own = owner.fingerprint
        self.owner = owner.public
        self.entries: dict[Key, Entry] = {}
        self.intents: list[Intent] = []

    @property
    def memory(self) -> Snapshot:
        return Snapshot(dict(self.entries), {(intent.key, intent.kind): intent for intent in self.intents})

    def row(self, made: Made | str, picture_id: str | None = None, authors: Any = None) -> Listed:
        text = made if isinstance(made, str) else made.envelope
        picture = picture_id or (made.picture_id if isinstance(made, Made) else "")
        return read_listed(text, picture, self.owner, self.memory, authors)

    def judge(self, rows: Iterable[Listed | Made], **more: Any) -> Judgement:
        listed = [self.row(row) if isinstance(row, Made) else row for row in rows]
        return judge(listed, self.memory, **({"own": self.own, "complete_for": {self.own}} | more))

    def look(self, *rows: Listed | Made, **more: Any) -> Judgement:
        """Judge, and remember what was learnt."""
        judged = self.judge(rows, **more)
        self.entries.update((entry.key, entry) for entry in judged.entries)
        self.intents = [intent for intent in self.intents if intent not in judged.settled]
        return judged


@pytest.fixture
def device(owner: PrivateKey) -> Device:
    return Device(owner)


def following(before: Made, **changes: Any) -> Made:
    """The next revision of a picture, in the same epoch unless a new one is asked for."""
    epoch = changes.get("epoch", before.revision.epoch)
    usual: dict[str, Any] = {"picture_id": before.picture_id, "previous": before.hash}
    if epoch == before.revision.epoch:
        usual |= {"picture_key": before.picture_key, "deed_object": before.deed, "epoch": epoch}
        usual["revision"] = before.revision.revision + 1
    return forge.picture(before.owner, os.urandom(9), **(usual | changes))


def only(judged: Judgement) -> tuple[str, type[errors.GlassineError] | None]:
    """The standing of the only picture, and its error."""
    (verdict,) = judged.verdicts.values()
    return verdict.standing.value, type(verdict.error) if verdict.error else None


def test_the_quiet_ways(device: Device, owner: PrivateKey) -> None:
    first = forge.picture(owner)
    assert only(device.look(first)) == ("new", None)
    judged = device.look(first)
    assert only(judged) == ("same", None)
    assert judged.entries == ()
    second = following(first)
    assert only(device.look(second)) == ("next", None)
    anew = following(second, epoch=2)
    assert only(device.look(anew)) == ("next", None)
    known = device.entries[owner.fingerprint, first.picture_id].known
    assert known is not None
    assert (known.epoch, known.revision, len(known.accepted)) == (2, 1, 3)


def test_rollback_and_forks_do_not_move_the_memory(device: Device, owner: PrivateKey) -> None:
    first = forge.picture(owner)
    second = following(first)
    device.look(first)
    device.look(second)
    before = dict(device.entries)
    other_first = forge.picture(owner, picture_id=first.picture_id)
    for offered, error in (
        (first, errors.RolledBack),
        (other_first, errors.RolledBack),
        (following(first), errors.Forked),
        (following(following(first)), errors.Forked),
        (following(second, revision=4), errors.HistoryMissing),
        (following(second, revision=MAX_COUNTER), errors.HistoryMissing),
        (following(second, epoch=2, previous="ab" * 32), errors.HistoryMissing),
    ):
        assert only(device.look(offered)) == ("refused", error)
        assert device.entries == before
    # whatever was tried, the owner's next epoch is accepted
    assert only(device.look(following(second, epoch=2))) == ("next", None)


def test_history_is_asked_for_and_walked(device: Device, owner: PrivateKey) -> None:
    first = forge.picture(owner)
    steps = [first]
    for _ in range(3):
        steps.append(following(steps[-1]))
    device.look(first)
    asked: list[tuple[str, str]] = []

    def history(offered: Envelope, known: Known) -> Sequence[Envelope]:
        asked.append((offered.header_hash, known.header_hash))
        return [step.read() for step in steps[1:3]]

    assert only(device.judge([steps[3]])) == ("refused", errors.HistoryMissing)
    assert only(device.look(steps[3], history=history)) == ("next", None)
    assert asked == [(steps[3].hash, first.hash)]
    known = device.entries[owner.fingerprint, first.picture_id].known
    assert known is not None
    assert known.accepted == {step.hash for step in steps}

    gap = following(following(steps[3]))
    assert only(device.look(gap, history=history)) == ("refused", errors.HistoryMissing)


def test_a_history_that_forks_is_refused(device: Device, owner: PrivateKey) -> None:
    first = forge.picture(owner)
    device.look(first)
    other = following(forge.picture(owner, picture_id=first.picture_id))
    offered = following(other)
    judged = device.look(offered, history=lambda *_: [other.read()])
    assert only(judged) == ("refused", errors.Forked)


def test_two_devices_rev5(device: Device, owner: PrivateKey) -> None:
    """Both sealed a revision after the same one; the one that lost is kept as a conflict, not sent."""
    first = forge.picture(owner)
    device.look(first)
    mine, theirs = following(first), following(first)
    intent = Intent(owner.fingerprint, first.picture_id, IntentKind.HEADER, mine.hash, first.hash)
    device.intents = [intent]
    waiting = device.look(first)
    assert (waiting.conflicts, waiting.settled) == ((), ())
    judged = device.look(theirs)
    assert only(judged) == ("next", None)
    assert (judged.conflicts, judged.settled) == ((intent,), ())


def test_an_upload_whose_answer_was_lost(device: Device, owner: PrivateKey) -> None:
    made = forge.picture(owner)
    intent = Intent(owner.fingerprint, made.picture_id, IntentKind.HEADER, made.hash, "00" * 32)
    device.intents = [intent]
    # it may not have arrived: nothing is missing
    assert device.look().verdicts == {}
    judged = device.look(made)
    assert only(judged) == ("new", None)
    assert judged.settled == (intent,)
    # and it is settled too when others have gone on from it meanwhile
    device.intents = [intent]
    assert device.look(following(made)).settled == (intent,)


# -- what disappears and what comes back --------------------------------------------------------------------------


def test_drop_picture(device: Device, owner: PrivateKey) -> None:
    a, b = forge.picture(owner), forge.picture(owner)
    device.look(a, b)
    judged = device.look(a)
    assert judged.with_standing(Standing.MISSING) == [(owner.fingerprint, b.picture_id)]
    assert isinstance(judged.verdicts[owner.fingerprint, b.picture_id].error, errors.Missing)
    # it is still remembered, and welcome when it is back
    assert {verdict.standing for verdict in device.look(a, b).verdicts.values()} == {Standing.SAME}


def test_only_complete_listings_miss_anything(device: Device, owner: PrivateKey, friend: PrivateKey) -> None:
    device.look(forge.picture(owner))
    device.entries[friend.fingerprint, "ab" * 16] = Entry(friend.fingerprint, "ab" * 16)
    device.entries["", "holiday"] = Entry("", "holiday", Scheme.CLASSIC)
    assert device.judge([], complete_for=()).verdicts == {}
    judged = device.judge([], complete_for={friend.fingerprint})
    assert judged.with_standing(Standing.MISSING) == [(friend.fingerprint, "ab" * 16)]
    assert device.judge([], complete_for={""}).with_standing(Standing.MISSING) == [("", "holiday")]
    assert len(device.judge([]).with_standing(Standing.MISSING)) == 1


def test_drop_after_gone_is_silent(device: Device, owner: PrivateKey) -> None:
    made = forge.picture(owner)
    device.look(made)
    record = make_gone(owner, made.picture_id, made.hash, 5)
    judged = device.look(gone=[record])
    assert only(judged) == ("gone", None)
    assert device.entries[owner.fingerprint, made.picture_id].gone
    # for good: neither missing nor new from now on
    assert device.look().verdicts == {}
    assert only(device.look(gone=[record])) == ("gone", None)


def test_header_after_gone(device: Device, owner: PrivateKey) -> None:
    made = forge.picture(owner)
    device.look(made)
    record = make_gone(owner, made.picture_id, made.hash, 5)
    # in the very listing that brings the record, and ever after, whatever the header
    assert only(device.look(made, gone=[record])) == ("refused", errors.Resurrected)
    for offered in (made, following(made), following(made, epoch=2), forge.picture(owner, picture_id=made.picture_id)):
        assert only(device.look(offered)) == ("refused", errors.Resurrected)
    assert device.entries[owner.fingerprint, made.picture_id].gone


def test_gone_before_it_was_ever_seen(device: Device, owner: PrivateKey) -> None:
    made = forge.picture(owner)
    device.look(gone=[make_gone(owner, made.picture_id, made.hash, 5)])
    assert only(device.look(made)) == ("refused", errors.Resurrected)


def test_a_deletion_whose_answer_was_lost(device: Device, owner: PrivateKey) -> None:
    made = forge.picture(owner)
    device.look(made)
    intent = Intent(owner.fingerprint, made.picture_id, IntentKind.GONE, made.hash)
    device.intents = [intent]
    # the request did not arrive: it is to be sent again
    judged = device.look(made)
    assert (only(judged), judged.settled) == (("same", None), ())
    # it did
    judged = device.look()
    assert (only(judged), judged.settled) == (("gone", None), (intent,))
    assert only(device.look(made)) == ("refused", errors.Resurrected)


# -- what was never there -----------------------------------------------------------------------------------------


def test_inject_own_named(device: Device, owner: PrivateKey, friend: PrivateKey) -> None:
    theirs = forge.picture(friend)
    signed_by_friend = forge.picture(owner, signer=friend)
    for row in (theirs, signed_by_friend):
        assert only(device.judge([row])) == ("refused", errors.Injected)
    swapped = device.row(forge.picture(owner).envelope, "ab" * 16)
    assert only(device.judge([swapped])) == ("refused", errors.Injected)
    assert device.entries == {}


def test_a_picture_of_ones_own_that_a_person_not_known_here_may_change(
    device: Device, owner: PrivateKey, friend: PrivateKey
) -> None:
    """One's own key signed deed and grant, so nobody calls it somebody else's; it is not believed either."""
    first = forge.picture(owner)
    write = forge.grant(owner, friend.public, first.deed, first.picture_key)
    for signer in (friend, owner):
        made = following(first, author=friend, signer=signer, grant_object=write)
        assert only(device.judge([made])) == ("refused", errors.AuthorUnknown)
    assert device.entries == {}


def test_swap_rows_of_known_pictures(device: Device, owner: PrivateKey) -> None:
    a, b = forge.picture(owner), forge.picture(owner)
    device.look(a, b)
    judged = device.look(device.row(b.envelope, a.picture_id), device.row(a.envelope, b.picture_id))
    found = [(verdict.standing, type(verdict.error)) for verdict in judged.verdicts.values()]
    assert found == [(Standing.REFUSED, errors.WrongPicture)] * 2


def test_a_verified_envelope_of_another_picture(device: Device, owner: PrivateKey) -> None:
    """Also a caller's mistake does not put one picture in another's place."""
    a, b = forge.picture(owner), forge.picture(owner)
    row = Listed(owner.fingerprint, a.picture_id, envelope=b.read())
    assert only(device.judge([row])) == ("refused", errors.WrongPicture)


def test_the_same_picture_twice(device: Device, owner: PrivateKey) -> None:
    first = forge.picture(owner)
    judged = device.look(first, following(first))
    assert only(judged) == ("refused", errors.WrongPicture)
    assert device.entries == {}


def test_damaged_rows_accuse_nobody(device: Device, owner: PrivateKey) -> None:
    known = forge.picture(owner)
    device.look(known)
    before = dict(device.entries)
    newer = forge.deed(owner, known.picture_key, "cd" * 16, change=lambda body: body.update(suite=2))
    suite_2 = forge.picture(owner, picture_id="cd" * 16, deed_object=newer)
    judged = device.look(
        device.row("no envelope", known.picture_id), device.row("", "ab" * 16), device.row(suite_2.envelope, "cd" * 16)
    )
    found = {key[1]: (verdict.standing, type(verdict.error)) for key, verdict in judged.verdicts.items()}
    assert found == {
        known.picture_id: (Standing.UNREADABLE, errors.Damaged),
        "ab" * 16: (Standing.UNREADABLE, errors.Damaged),
        "cd" * 16: (Standing.UNREADABLE, errors.Unsupported),
    }
    assert device.entries == before


def test_server_says_classic(device: Device, owner: PrivateKey) -> None:
    made = forge.picture(owner)
    device.look(made)
    claimed = Listed(owner.fingerprint, made.picture_id, Scheme.CLASSIC)
    assert only(device.judge([claimed])) == ("refused", errors.SchemeChanged)
    # also for a picture never seen: what is named as a sealed picture is one
    assert only(device.judge([replace(claimed, picture_id="ab" * 16)], complete_for=())) == (
        "refused",
        errors.SchemeChanged,
    )


def test_classic_pictures(device: Device) -> None:
    row = Listed("", "holiday", Scheme.CLASSIC)
    assert only(device.look(row)) == ("new", None)
    assert only(device.look(row)) == ("same", None)
    assert only(device.look(replace(row, scheme=Scheme.SEALED))) == ("refused", errors.SchemeChanged)


# -- pictures of others -------------------------------------------------------------------------------------------


def test_pictures_that_others_share(device: Device, owner: PrivateKey, friend: PrivateKey) -> None:
    first = forge.picture(friend)
    write = forge.grant(friend, owner.public, first.deed, first.picture_key)
    second = following(first, author=owner, grant_object=write)

    def row(made: Made, **more: Any) -> Listed:
        return read_listed(made.envelope, made.picture_id, friend.public, device.memory, **more)

    assert only(device.look(row(first))) == ("new", None)
    keys = {owner.fingerprint: owner.public}
    assert only(device.look(row(second, authors=keys.get))) == ("next", None)
    assert only(device.look(row(second, authors=keys.get))) == ("same", None)
    # the writer's key is not pinned any more: not believed, though the text was verified once
    assert only(device.look(row(second))) == ("refused", errors.AuthorUnknown)
    assert only(device.look(row(first))) == ("refused", errors.RolledBack)
    # another's picture that is not authentic is not called an injection into one's own
    forged = forge.picture(friend, signer=owner)
    assert only(device.judge([row(forged)])) == ("refused", errors.NotAuthentic)


def test_what_a_former_key_signed_counts_if_it_was_accepted(
    device: Device, owner: PrivateKey, friend: PrivateKey
) -> None:
    first = forge.picture(friend)
    write = forge.grant(friend, owner.public, first.deed, first.picture_key)
    second = following(first, author=owner, grant_object=write)
    third = following(second, author=owner, grant_object=write)

    def row(made: Made, memory: Snapshot, **more: Any) -> Listed:
        return read_listed(made.envelope, made.picture_id, friend.public, memory, **more)

    keys = {owner.fingerprint: owner.public}
    device.look(row(first, device.memory))
    device.look(row(second, device.memory, authors=keys.get))
    after = replace(device.memory, former={owner.fingerprint: owner.public.pem})
    assert only(judge([row(second, after)], after, own=friend.fingerprint)) == ("same", None)
    # whoever has the former key may have stolen it: nothing new is believed
    assert only(judge([row(third, after)], after, own=friend.fingerprint)) == ("refused", errors.AuthorUnknown)
    lying = replace(after, former={owner.fingerprint: friend.public.pem})
    assert only(judge([row(second, lying)], lying, own=friend.fingerprint)) == ("refused", errors.AuthorUnknown)


def test_a_person_with_a_new_key(device: Device, owner: PrivateKey, friend: PrivateKey) -> None:
    first = forge.picture(friend)
    device.look(read_listed(first.envelope, first.picture_id, friend.public, device.memory))
    link = make_succession(friend, owner, 5)
    anew = forge.picture(owner, picture_id=first.picture_id, epoch=2, previous=first.hash)
    elsewhere = forge.picture(owner, picture_id=first.picture_id, epoch=2, previous="ab" * 32)
    row, wrong = (
        read_listed(made.envelope, made.picture_id, owner.public, device.memory) for made in (anew, elsewhere)
    )
    others = {"own": "ff" * 32, "complete_for": {friend.fingerprint}}
    refused = device.judge([wrong], succession=link, **others)
    assert type(refused.verdicts[row.key].error) is errors.HistoryMissing
    assert refused.entries == ()
    judged = device.look(row, succession=link, **others)
    assert {key: verdict.standing for key, verdict in judged.verdicts.items()} == {row.key: Standing.NEXT}
    assert device.entries[friend.fingerprint, first.picture_id].gone
    # under the old key it does not come back
    again = device.judge([read_listed(first.envelope, first.picture_id, friend.public, device.memory)], **others)
    assert only(again) == ("refused", errors.Resurrected)


# -- what it costs ------------------------------------------------------------------------------------------------


@pytest.fixture
def rsa_operations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []

    def counted(owner: type, name: str) -> None:
        real = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *given: calls.append(name) or real(*given))

    for name in ("verify", "wrap"):
        counted(PublicKey, name)
    for name in ("sign", "unwrap"):
        counted(PrivateKey, name)
    return calls


def test_ten_thousand_own_pictures_cost_a_handful_of_rsa_operations(
    device: Device, owner: PrivateKey, rsa_operations: list[str]
) -> None:
    """Signatures and wraps are dummies: they would not verify, so nothing here can have looked at them unnoticed."""
    picture_key, dummy = os.urandom(32), canonical.encode_base64(bytes(256))
    template = forge.picture(owner, picture_key=picture_key)
    vault = forge.AESGCM(owner.vault_key(forge.VAULT_WRAP_INFO))
    rows: list[tuple[str, str]] = []
    metadata = template.open().metadata.encode()
    for number in range(10_000):
        picture_id = f"{number:032x}"
        label = forge.wrap_label(picture_id, 1, owner.fingerprint, owner.fingerprint)
        deed: Object = template.deed["body"] | {
            "pic": picture_id,
            "kc": forge.commitment(picture_key, picture_id, 1, owner.fingerprint),
            "vault": canonical.encode_base64(bytes(12) + vault.encrypt(bytes(12), picture_key, label)),
        }
        revision = replace(template.revision, picture_id=picture_id)
        meta, _ = forge.seal_bytes(revision.key(picture_key, "meta"), revision.aad("meta", len(metadata)), metadata)
        body = template.header["body"] | {
            "deed": {"body": deed, "sig": dummy},
            "meta": canonical.encode_base64(meta),
        }
        text = canonical.encode({"body": body, "sig": dummy}).decode()
        rows.append((picture_id, text))
        known = Known(
            owner.fingerprint,
            picture_id,
            1,
            1,
            forge.object_hash(body),
            forge.object_hash(deed),
            frozenset({forge.object_hash(body)}),
        )
        device.entries[owner.fingerprint, picture_id] = Entry(
            owner.fingerprint, picture_id, Scheme.SEALED, known, text_hash(text)
        )
    changed = [forge.picture(owner) for _ in range(2)]
    rsa_operations.clear()
    memory = device.memory
    listed = [read_listed(text, picture_id, owner.public, memory) for picture_id, text in rows]
    listed += [device.row(made) for made in changed]
    judged = judge(listed, memory, own=device.own, complete_for={device.own})
    assert len(judged.with_standing(Standing.SAME)) == 10_000
    assert len(judged.with_standing(Standing.NEW)) == len(judged.verdicts) - 10_000 == 2
    for row in listed:
        assert row.envelope is not None
        assert row.envelope.open(owner).metadata.name == "sea.jpg"
    # deed and header of the two that are new
    assert rsa_operations == ["verify"] * 4


def test_another_text_of_the_same_header_is_verified_again(
    device: Device, owner: PrivateKey, rsa_operations: list[str]
) -> None:
    made = forge.picture(owner)
    device.look(made)
    rsa_operations.clear()
    again = sign_object(owner, made.header["body"])
    text = canonical.encode(again).decode()
    assert text != made.envelope
    rsa_operations.clear()
    judged = device.look(device.row(text, made.picture_id))
    assert only(judged) == ("same", None)
    assert rsa_operations == ["verify", "verify"]
    assert device.entries[owner.fingerprint, made.picture_id].text_hash == text_hash(text)
    bogus = canonical.encode(made.header | {"sig": canonical.encode_base64(bytes(256))}).decode()
    assert only(device.look(device.row(bogus, made.picture_id))) == ("refused", errors.NotAuthentic)
