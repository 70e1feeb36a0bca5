"""What every storage engine promises about accounts, sessions and revoked tokens: one caller at a time."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from backend.storage.protocol import DuplicateRecord, PublishedFile, Revision, Session

CREATED = datetime(2024, 5, 17, 11, 22, 33, 444000)
OWNER = "0123456789abcdef01234567"
OTHER = "0123456789abcdef01234568"


def test_every_field_of_an_account_comes_back(reopen, make):
    storage = reopen()
    user = make.user(
        storage, email="ada@example.org", first_name="Ada", last_name="ä 名", updated=CREATED, generation=3,
        quota_bytes=2**40, used_bytes=2**41, closing=True, password_hash="", public_key="",
    )  # fmt: skip
    storage.add_user(user)
    storage = reopen()
    assert storage.user(user.id) == user
    assert storage.user_by_name("ada") == user
    assert storage.user_by_email("ada@example.org") == user


def test_a_name_is_unique_among_the_accounts_of_one_kind(storage, make):
    person, client, ops = (make.user(storage, kind=kind) for kind in ("", "client", "ops"))
    for user in (person, client, ops):
        storage.add_user(user)
    for kind in ("", "client", "ops"):
        with pytest.raises(DuplicateRecord):
            storage.add_user(make.user(storage, kind=kind))
    assert storage.user_by_name("ada") == person
    assert storage.user_by_name("ada", "client") == client
    assert storage.user_by_name("ada", kind="ops") == ops
    assert storage.user_by_name("ada", "other") is None
    assert [storage.users(kind=kind) for kind in ("", "client", "ops", "other")] == [[person], [client], [ops], []]


def test_kind_and_name_are_not_run_together(storage, make):
    users = [make.user(storage, name, kind=kind) for kind, name in (("a", "b/c"), ("a/b", "c"), ("", "a/b/c"))]
    for user in users:
        storage.add_user(user)
    assert [storage.user_by_name(user.name, user.kind) for user in users] == users


def test_an_email_is_unique_among_people_and_only_there(storage, make):
    storage.add_user(person := make.user(storage, "ada", email="a@example.org"))
    with pytest.raises(DuplicateRecord):
        storage.add_user(make.user(storage, "bob", email="a@example.org"))
    assert storage.user_by_name("bob") is None
    for name in ("one", "two"):
        storage.add_user(make.user(storage, name, kind="client", email="a@example.org"))
        storage.add_user(make.user(storage, name, email=""))
    storage.add_user(upper := make.user(storage, "upper", email="A@example.org"))
    assert storage.user_by_email("a@example.org") == person
    assert storage.user_by_email("A@example.org") == upper
    assert storage.user_by_email("b@example.org") is None
    assert storage.user_by_email("") is None
    assert storage.user_by_email(person.id) is None


def test_an_address_that_only_another_kind_has_is_nobodys(storage, make):
    storage.add_user(make.user(storage, kind="client", email="a@example.org"))
    assert storage.user_by_email("a@example.org") is None
    storage.add_user(person := make.user(storage, email="a@example.org"))
    assert storage.user_by_email("a@example.org") == person


def test_name_and_email_of_a_removed_account_are_free(storage, make):
    storage.add_user(first := make.user(storage, email="a@example.org"))
    assert storage.remove_user(first.id)
    assert not storage.remove_user(first.id)
    assert storage.user(first.id) is None
    assert storage.user_by_name("ada") is None
    assert storage.user_by_email("a@example.org") is None
    storage.add_user(second := make.user(storage, email="a@example.org"))
    assert storage.user_by_email("a@example.org") == second


def test_accounts_come_in_pages(storage, make):
    users = [make.user(storage, f"{n}") for n in range(7)]
    for user in [*users[1::2], *users[::2]]:
        storage.add_user(user)
        storage.add_user(dataclasses.replace(user, id=storage.new_id(), kind="client"))
    assert storage.users(limit=3) == users[:3]
    assert storage.users(after=users[2].id, limit=3) == users[3:6]
    assert storage.users(after=users[5].id) == users[6:]
    assert storage.users(after=users[6].id) == []
    assert storage.users(limit=0) == []
    assert len(storage.users(kind="client", limit=100)) == 7


def test_fields_change_only_when_all_expected_ones_fit(storage, make):
    user, other = make.user(storage, generation=2), make.user(storage, "other")
    storage.add_user(user)
    storage.add_user(other)
    changes = {"first_name": "A", "updated": CREATED, "generation": 3, "quota_bytes": 0, "public_key": "k"}
    assert not storage.change_user(user.id, {"generation": 2, "closing": True}, changes)
    assert not storage.change_user(user.id, {"generation": 1}, changes)
    assert not storage.change_user(user.id, {"updated": CREATED}, changes)
    assert storage.user(user.id) == user
    assert storage.change_user(user.id, {"generation": 2, "updated": None, "closing": False}, changes)
    assert storage.user(user.id) == dataclasses.replace(user, **changes)
    assert storage.change_user(user.id, {"updated": CREATED}, {"updated": None})
    assert storage.user(user.id) == dataclasses.replace(user, **{**changes, "updated": None})
    assert storage.user(other.id) == other
    assert not storage.change_user(OTHER, {}, changes)
    assert storage.user(OTHER) is None


def test_closing_accounts_of_every_kind_are_found(reopen, make):
    storage = reopen()
    person, client, stays = make.user(storage), make.user(storage, kind="client"), make.user(storage, "stays")
    for user in (person, client, stays):
        storage.add_user(user)
    assert storage.closing_users() == []
    for user in (person, client):
        assert storage.change_user(user.id, {"closing": False}, {"closing": True})
    storage = reopen()
    assert sorted(user.id for user in storage.closing_users()) == [person.id, client.id]
    assert all(user.closing for user in storage.closing_users())
    storage.remove_user(person.id)
    assert storage.closing_users() == [dataclasses.replace(client, closing=True)]


# -- bytes --


def test_bytes_are_reserved_up_to_the_limit_and_released(reopen, make):
    storage = reopen()
    storage.add_user(user := make.user(storage))

    def used() -> int:
        return storage.user(user.id).used_bytes

    assert storage.reserve_bytes(user.id, 60, 100)
    assert not storage.reserve_bytes(user.id, 41, 100)
    assert used() == 60
    assert storage.reserve_bytes(user.id, 40, 100)
    assert not storage.reserve_bytes(user.id, 1, 100)
    assert storage.reserve_bytes(user.id, 2**40, 0)
    storage = reopen()
    assert used() == 2**40 + 100
    storage.release_bytes(user.id, 2**40 + 30)
    assert used() == 70
    storage.release_bytes(user.id, 71)
    assert used() == 0
    assert not storage.reserve_bytes(OTHER, 1, 0)
    storage.release_bytes(OTHER, 1)
    assert storage.user(OTHER) is None


def test_bytes_are_recounted_from_pictures_bin_and_files(storage, make):
    storage.add_user(user := make.user(storage))
    storage.add_user(other := make.user(storage, "other"))
    storage.reserve_bytes(user.id, 5, 0)
    storage.reserve_bytes(other.id, 5, 0)
    assert storage.recount_bytes(user.id) == 0
    for n, size in enumerate((1, 10, 100)):
        storage.add_picture(make.picture(storage, user.id, f"{n}.png", stored_bytes=size))
    storage.move_to_bin(user.id, "1.png", CREATED)
    storage.put_file(PublishedFile(storage.new_id(), user.id, "f", 1000, CREATED, make.blob(storage)))
    storage.add_picture(make.picture(storage, other.id, stored_bytes=7))
    assert storage.recount_bytes(user.id) == 1111
    assert storage.user(user.id).used_bytes == 1111
    assert storage.user(other.id).used_bytes == 5
    assert storage.recount_bytes(OTHER) == 0
    assert storage.user(OTHER) is None


def test_bytes_are_recounted_after_a_revision_as_its_record_says(storage, make):
    storage.add_user(user := make.user(storage))
    first = make.picture(storage, user.id, header_hash="1" * 64, stored_bytes=20)
    storage.add_picture(first)
    second = dataclasses.replace(first, header_hash="2" * 64, envelope="e2", stored_bytes=31)
    assert storage.replace_picture(second, Revision(first.id, "1" * 64, first.envelope, CREATED))
    assert storage.recount_bytes(user.id) == 31
    assert storage.user(user.id).used_bytes == 31


# -- sessions and tokens --


def test_a_session_lasts_until_it_is_removed(reopen):
    storage = reopen()
    endless = Session("s/1", OWNER, CREATED)
    ending = Session("s2", OWNER, CREATED, datetime(2199, 1, 1, 0, 0, 0, 1000))
    for session in (endless, ending):
        storage.add_session(session)
    with pytest.raises(DuplicateRecord):
        storage.add_session(Session("s2", OTHER, CREATED))
    storage = reopen()
    assert storage.session("s/1") == endless
    assert storage.session("s2") == ending
    assert storage.session("s3") is None
    assert storage.remove_session("s2")
    assert not storage.remove_session("s2")
    assert storage.session("s2") is None
    assert storage.session("s/1") == endless


def test_all_sessions_of_a_user_are_removed_and_no_other(storage):
    for n in range(5):
        storage.add_session(Session(f"mine {n}", OWNER, CREATED))
    storage.add_session(theirs := Session("theirs", OTHER, CREATED))
    storage.remove_sessions(OWNER)
    storage.remove_sessions(OWNER)
    assert [storage.session(f"mine {n}") for n in range(5)] == [None] * 5
    assert storage.session("theirs") == theirs


def test_expired_sessions_take_none_of_the_others_with_them(storage, rounds):
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    storage.add_session(endless := Session("endless", OWNER, CREATED))
    storage.add_session(ending := Session("ending", OWNER, CREATED, now + timedelta(hours=1)))
    for n in range(rounds(250)):
        storage.add_session(Session(f"old {n}", OWNER, CREATED, now - timedelta(seconds=n + 1)))
    assert storage.session("endless") == endless
    assert storage.session("ending") == ending


def test_only_the_first_to_revoke_a_token_is_told_so(reopen):
    storage = reopen()
    expires = datetime(2199, 1, 1)
    assert storage.revoke_token("t", expires) is True
    assert storage.revoke_token("t", expires) is False
    assert storage.revoke_token("u", expires) is True
    storage = reopen()
    assert storage.revoke_token("t", expires) is False
    assert storage.is_revoked("t")
