"""What one check about people alone refuses, whatever a server answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from desktop import errors
from desktop.client.acquaintances import Acquaintances
from desktop.client.answers import SignedRecord, UserInfo
from desktop.client.memory import Memory
from desktop.crypto.records import make_succession
from desktop.crypto.words import fingerprint_words
from desktop.models import PersonState
from tests.fuzz.parsers import key

OWN, TOM, NEXT = key("owner"), key("friend"), key("stranger")
ME, HIM, OTHER = "0" * 24, "1" * 24, "2" * 24


class Answers:
    """A server that answers what it is told to, and counts what it is asked."""

    def __init__(self) -> None:
        self.users = {ME: UserInfo(ME, "me", OWN.public.pem), HIM: UserInfo(HIM, "tom", TOM.public.pem)}
        self.records: dict[str, list[SignedRecord]] = {}
        self.asked: list[str] = []

    def user(self, user_id: str) -> UserInfo:
        self.asked.append(user_id)
        return self.users[user_id]

    def user_named(self, name: str) -> UserInfo | None:
        return next((user for user in self.users.values() if user.user_name == name), None)

    def successions(self, user_id: str) -> list[SignedRecord]:
        self.asked.append(user_id)
        return self.records.get(user_id, [])


@pytest.fixture
def server() -> Answers:
    return Answers()


@pytest.fixture
def people(server: Answers, tmp_path: Path) -> Iterator[Acquaintances]:
    memory = Memory(tmp_path, OWN.fingerprint)
    context: Any = SimpleNamespace(memory=memory, api=server, user_id=ME, key=OWN)
    yield Acquaintances(context)
    memory.close()


def offered(server: Answers, people: Acquaintances, by: str = HIM) -> None:
    """Somebody known, of whom another key is offered."""
    people.find("tom")
    server.users[by] = UserInfo(by, "tom", NEXT.public.pem)
    with pytest.raises(errors.KeyChanged):
        people.look_again(by)


def test_nobody_meets_themselves(server: Answers, people: Acquaintances) -> None:
    with pytest.raises(errors.ThatIsYou):
        people.look_again(ME)
    assert server.asked == []
    with pytest.raises(errors.ThatIsYou):
        people.find("me")


def test_an_answer_about_another_account(server: Answers, people: Acquaintances) -> None:
    server.users[OTHER] = server.users[HIM]
    with pytest.raises(errors.NotAGlassineServer):
        people.look_again(OTHER)
    assert people.people() == []


@pytest.mark.parametrize("said", [TOM.public.pem, "", "27977 9431", "no key"])
def test_what_others_are_told_of_ones_own_key(server: Answers, people: Acquaintances, said: str) -> None:
    server.users[ME] = UserInfo(ME, "me", said)
    with pytest.raises(errors.KeyChanged):
        people.check_own_key()
    with pytest.raises(errors.KeyChanged):
        people.find("tom")
    assert people.people() == []


def test_classic_keys_are_told_from_none(server: Answers, people: Acquaintances) -> None:
    server.users[HIM] = UserInfo(HIM, "tom", "27977 9431")
    server.users[OTHER] = UserInfo(OTHER, "eve", " ")
    assert people.find("tom").state is PersonState.CLASSIC
    assert people.find("eve").state is PersonState.NO_KEY


def test_a_record_is_shown_only_of_who_has_another_key(server: Answers, people: Acquaintances) -> None:
    link = SignedRecord(TOM.fingerprint, make_succession(TOM, NEXT, 5).text)
    server.records = {HIM: [link], OTHER: [SignedRecord(NEXT.fingerprint, link.text), link]}
    server.users[OTHER] = UserInfo(OTHER, "eve", "")
    people.find("tom")
    people.find("eve")
    for user_id in (HIM, OTHER, "3" * 24):
        assert people.succession(user_id) is None
    offered(server, people)
    found = people.succession(HIM)
    assert found is not None
    assert (found.old, found.new) == (TOM.fingerprint, NEXT.fingerprint)


def test_the_record_is_asked_for_at_the_account_that_offers_the_key(server: Answers, people: Acquaintances) -> None:
    link = SignedRecord(TOM.fingerprint, make_succession(TOM, NEXT, 5).text)
    offered(server, people, by=OTHER)
    assert people.succession(HIM) is None
    server.records = {OTHER: [link]}
    assert people.succession(HIM) is not None


def test_a_changed_key_gives_no_key_and_no_right(server: Answers, people: Acquaintances) -> None:
    people.find("tom")
    people.compare(HIM, " ".join(fingerprint_words(TOM.fingerprint)))
    assert people.key_for(HIM, TOM.fingerprint) == TOM.public
    with pytest.raises(errors.KeyChanged):
        people.key_for(HIM, NEXT.fingerprint)  # what was shown is not what is pinned
    assert people.is_verified(HIM)
    people.differ(HIM)
    assert not people.is_verified(HIM)
    assert people.person(HIM).state is PersonState.CHANGED
    with pytest.raises(errors.KeyChanged):
        people.key_for(HIM)
    people.compared(HIM, TOM.fingerprint)
    offered(server, people)
    assert people.person(HIM).state is PersonState.CHANGED
    assert not people.is_verified(HIM)
    with pytest.raises(errors.KeyChanged):
        people.key_for(HIM)


def test_eleven_words_or_words_of_another_key_verify_nothing(server: Answers, people: Acquaintances) -> None:
    people.find("tom")
    words = fingerprint_words(TOM.fingerprint)
    with pytest.raises(errors.Unsupported):
        people.compare(HIM, " ".join(words[:11]))
    with pytest.raises(errors.Unsupported):
        people.compare(HIM, " ".join([*words[:11], "xyzzy"]))
    assert people.person(HIM).state is PersonState.UNVERIFIED
    with pytest.raises(errors.KeyChanged):
        people.compare(HIM, " ".join([*words[:11], words[0]]))
    assert people.person(HIM).state is PersonState.CHANGED
