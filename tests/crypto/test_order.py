"""Which header may follow which."""

from __future__ import annotations

import os

import pytest

from desktop.crypto.envelope import Envelope
from desktop.crypto.keys import PrivateKey
from desktop.crypto.objects import MAX_COUNTER
from desktop.crypto.order import Known, accept
from desktop.errors import Forked, HistoryMissing, RolledBack, WrongPicture
from tests.crypto import forge


class History:
    """Headers of one picture, each knowing how to follow another."""

    def __init__(self, owner: PrivateKey) -> None:
        self.owner = owner
        self.picture_id = os.urandom(16).hex()
        self.deeds: dict[int, tuple[forge.Object, bytes]] = {}

    def header(
        self, epoch: int, revision: int, previous: Envelope | str | None = None, *, new_deed: bool = False
    ) -> Envelope:
        if epoch not in self.deeds or new_deed:
            key = os.urandom(32)
            self.deeds[epoch] = forge.deed(self.owner, key, self.picture_id, epoch=epoch), key
        deed, key = self.deeds[epoch]
        return forge.picture(
            self.owner,
            picture_id=self.picture_id,
            picture_key=key,
            deed_object=deed,
            epoch=epoch,
            revision=revision,
            previous=previous.header_hash if isinstance(previous, Envelope) else previous,
        ).read()


@pytest.fixture
def history(owner: PrivateKey) -> History:
    return History(owner)


def known_after(*headers: Envelope) -> Known:
    known: Known | None = None
    for header in headers:
        known = accept(known, header)
    assert known is not None
    return known


def test_the_usual_way(history: History) -> None:
    first = history.header(1, 1)
    second = history.header(1, 2, first)
    new_epoch = history.header(2, 1, second)
    third = history.header(2, 2, new_epoch)
    known = known_after(first, first, second, second, new_epoch, third, third)
    assert (known.epoch, known.revision, known.header_hash) == (2, 2, third.header_hash)
    assert len(known.accepted) == 4


def test_first_contact_takes_any_header(history: History) -> None:
    assert known_after(history.header(7, 9)).revision == 9


def test_rollback(history: History) -> None:
    first = history.header(1, 1)
    second = history.header(1, 2, first)
    epoch = history.header(2, 1, second)
    for old in (first, second, history.header(1, 3, second), history.header(1, MAX_COUNTER)):
        with pytest.raises(RolledBack):
            accept(known_after(first, second, epoch), old)
    with pytest.raises(RolledBack):
        accept(known_after(first, second), first)
    with pytest.raises(RolledBack):
        accept(known_after(first, second), history.header(1, 1))


def test_same_rev_other_hash(history: History) -> None:
    first = history.header(1, 1)
    with pytest.raises(Forked):
        accept(known_after(first), history.header(1, 1))
    epoch = history.header(2, 1, first)
    with pytest.raises(Forked):
        accept(known_after(first, epoch), history.header(2, 1, first))


def test_two_devices_rev5(history: History) -> None:
    four = history.header(1, 4)
    mine, theirs = history.header(1, 5, four), history.header(1, 5, four)
    with pytest.raises(Forked):
        accept(known_after(four, mine), theirs)
    with pytest.raises(Forked):
        accept(known_after(four, mine), history.header(1, 6, theirs))
    assert accept(known_after(four, theirs), history.header(1, 6, theirs)).revision == 6


def test_another_deed_of_the_same_epoch_is_a_fork(history: History) -> None:
    first = history.header(1, 1)
    with pytest.raises(Forked):
        accept(known_after(first), history.header(1, 2, first, new_deed=True))


def test_rev_jump_without_history(history: History) -> None:
    first = history.header(1, 1)
    second = history.header(1, 2, first)
    third = history.header(1, 3, second)
    known = known_after(first)
    with pytest.raises(HistoryMissing):
        accept(known, third)
    assert accept(known, third, [second]).revision == 3
    assert accept(known, third, [first, second]).revision == 3
    with pytest.raises(HistoryMissing):
        accept(known, history.header(1, 4, third), [second])
    with pytest.raises(Forked):
        accept(known, third, [history.header(1, 2, history.header(1, 1))])
    assert known.revision == 1


def test_the_greatest_revision_does_not_lock_the_owner_out(history: History) -> None:
    first = history.header(1, 1)
    known = known_after(first)
    with pytest.raises(HistoryMissing):
        accept(known, history.header(1, MAX_COUNTER))
    assert accept(known, history.header(2, 1, first)).epoch == 2


def test_new_epochs_follow_something_accepted(history: History) -> None:
    first = history.header(1, 1)
    second = history.header(1, 2, first)
    known = known_after(first, second)
    for strange in (history.header(2, 1, "cd" * 32), history.header(3, 1, second), history.header(2, 2, second)):
        with pytest.raises(HistoryMissing):
            accept(known, strange)
    # the owner had not yet seen the second
    assert accept(known, history.header(2, 1, first)).epoch == 2


def test_another_picture_has_another_memory(history: History, owner: PrivateKey) -> None:
    with pytest.raises(WrongPicture):
        accept(known_after(history.header(1, 1)), History(owner).header(1, 1))
