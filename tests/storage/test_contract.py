"""What every storage engine promises: one caller at a time."""

from __future__ import annotations

import dataclasses
import io
import random
from datetime import UTC, datetime, timedelta

import pytest

from backend.storage.protocol import (
    Document,
    DuplicateRecord,
    Permission,
    PublishedFile,
    RemovedPicture,
    Revision,
    Session,
    StorageError,
)

CREATED = datetime(2024, 5, 17, 11, 22, 33, 444000)
OWNER = "0123456789abcdef01234567"
OTHER = "0123456789abcdef01234568"

HARD_NAMES = [
    "a", "A", "a ", " a", "ä", "a\u0308", "a/b", "a'b", 'a"b', "a\\b", "%", "a*", "$gt", "a.b", "名前", "🖼", "x" * 300,
    "null", "0", "-1", "a\nb", "a\x00b",
]  # fmt: skip


# -- ids --


def test_ids_are_24_hex_digits_and_ascend(storage):
    ids = [storage.new_id() for _ in range(2000)]
    assert ids == sorted(set(ids))
    assert all(len(i) == 24 and set(i) <= set("0123456789abcdef") for i in ids)


def test_ids_after_reopening_are_greater_than_stored_ones(reopen, make):
    storage = reopen()
    user = make.user(storage)
    picture = make.picture(storage, user.id)
    storage.add_user(user)
    storage.add_picture(picture)
    assert reopen().new_id() > picture.id


# -- users --


def test_a_user_is_found_by_id_and_by_name(storage, make):
    user = make.user(storage)
    storage.add_user(user)
    assert storage.user(user.id) == user
    assert storage.user_by_name(user.name) == user
    assert storage.user(OTHER) is None
    assert storage.user_by_name("somebody") is None


def test_names_are_compared_exactly(storage, make):
    users = [make.user(storage, name) for name in HARD_NAMES]
    for user in users:
        storage.add_user(user)
    for user in users:
        assert storage.user_by_name(user.name) == user


def test_a_taken_name_is_refused_and_changes_nothing(storage, make):
    first = make.user(storage)
    storage.add_user(first)
    with pytest.raises(DuplicateRecord):
        storage.add_user(make.user(storage, password_hash="other"))
    assert storage.users() == [first]


def test_a_taken_id_is_refused(storage, make):
    first = make.user(storage)
    storage.add_user(first)
    with pytest.raises(DuplicateRecord):
        storage.add_user(dataclasses.replace(first, name="other"))
    assert storage.users() == [first]


def test_users_come_in_order_of_id(storage, make):
    users = [make.user(storage, name) for name in ("c", "a", "b")]
    for user in reversed(users):
        storage.add_user(user)
    assert storage.users() == users


def test_a_password_hash_is_replaced_only_if_it_is_the_expected_one(storage, make):
    user, other = make.user(storage), make.user(storage, "other")
    storage.add_user(user)
    storage.add_user(other)
    new = {"password_hash": "new"}
    assert not storage.change_user(user.id, {"password_hash": "not it"}, new)
    assert not storage.change_user(OTHER, {"password_hash": user.password_hash}, new)
    assert storage.user(user.id) == user
    assert storage.change_user(user.id, {"password_hash": user.password_hash}, new)
    assert storage.user(user.id) == dataclasses.replace(user, password_hash="new")
    assert storage.user_by_name(user.name) == dataclasses.replace(user, password_hash="new")
    assert storage.user(other.id) == other


# -- pictures --


@pytest.mark.parametrize("name", ["p-00112233445566778899aabbccddeeff.png", *HARD_NAMES])
def test_a_picture_comes_back_as_it_was_given(storage, make, name):
    picture = make.picture(storage, OWNER, name, quotient_blob="", size=2**40, envelope="e" * 32768)
    storage.add_picture(picture)
    assert storage.picture(OWNER, name) == picture
    assert storage.pictures(OWNER) == [picture]
    assert storage.picture(OTHER, name) is None


def test_a_name_is_unique_for_its_owner_only(storage, make):
    first = make.picture(storage, OWNER)
    storage.add_picture(first)
    with pytest.raises(DuplicateRecord):
        storage.add_picture(make.picture(storage, OWNER, size=6))
    storage.add_picture(second := make.picture(storage, OTHER))
    assert storage.pictures(OWNER) == [first]
    assert storage.pictures(OTHER) == [second]


def test_a_refused_picture_keeps_the_blobs_of_the_stored_one(reopen, make):
    storage = reopen()
    picture = make.picture(storage, OWNER)
    storage.add_picture(picture)
    with pytest.raises(DuplicateRecord):
        storage.add_picture(picture)
    assert set(reopen().blob_ids()) == {picture.content_blob, picture.thumbnail_blob}


def test_pictures_come_in_order_of_id_and_in_pages(storage, make):
    pictures = [make.picture(storage, OWNER, f"{n}.png", content_blob="", thumbnail_blob="") for n in range(60)]
    for picture in [*pictures[1::2], *pictures[::2]]:
        storage.add_picture(picture)
        storage.add_picture(dataclasses.replace(picture, id=storage.new_id(), owner_id=OTHER))
    assert storage.pictures(OWNER) == pictures
    for limit in (1, 7, 59, 60, 61):
        pages, after = [], ""
        while page := storage.pictures(OWNER, after=after, limit=limit):
            assert len(page) <= limit
            pages += page
            after = page[-1].id
        assert pages == pictures
    assert storage.pictures(OWNER, limit=0) == []
    assert storage.pictures(OWNER, after=pictures[-1].id) == []
    assert storage.pictures(OWNER, after=pictures[9].id, limit=2) == pictures[10:12]


def test_a_page_goes_on_after_a_picture_that_is_gone(storage, make):
    pictures = [make.picture(storage, OWNER, f"{n}.png", content_blob="", thumbnail_blob="") for n in range(3)]
    for picture in pictures:
        storage.add_picture(picture)
    storage.remove_picture(pictures[1].id)
    assert storage.pictures(OWNER, after=pictures[1].id) == pictures[2:]


def test_many_names_are_answered_in_the_order_asked(storage, make):
    pictures = {name: make.picture(storage, OWNER, name) for name in ("a", "b", "c")}
    for picture in pictures.values():
        storage.add_picture(picture)
    storage.add_picture(make.picture(storage, OTHER, "d"))
    assert storage.pictures_named(OWNER, ["c", "d", "a", "missing"]) == [pictures["c"], pictures["a"]]
    assert storage.pictures_named(OWNER, []) == []


def test_pictures_are_counted_through_adding_removing_and_reopening(reopen, make):
    storage = reopen()
    assert storage.count_pictures(OWNER) == 0
    pictures = [make.picture(storage, OWNER, f"{n}") for n in range(5)]
    for picture in pictures:
        storage.add_picture(picture)
    with pytest.raises(DuplicateRecord):
        storage.add_picture(make.picture(storage, OWNER, "0"))
    storage.add_picture(make.picture(storage, OTHER))
    storage.remove_picture(pictures[3].id)
    storage.remove_picture(pictures[3].id)
    assert (storage.count_pictures(OWNER), storage.count_pictures(OTHER)) == (4, 1)
    storage = reopen()
    assert (storage.count_pictures(OWNER), storage.count_pictures(OTHER)) == (4, 1)


def test_a_removed_picture_is_returned_once_and_its_permissions_go_with_it(storage, make):
    picture, kept = make.picture(storage, OWNER, "a"), make.picture(storage, OWNER, "b")
    for each in (picture, kept):
        storage.add_picture(each)
        storage.add_permission(Permission(each.id, OTHER, "read"))
    assert storage.remove_picture(OTHER) is None
    assert storage.remove_picture(picture.id) == RemovedPicture(picture, 0)
    assert storage.remove_picture(picture.id) is None
    assert storage.picture(OWNER, "a") is None
    assert storage.pictures(OWNER) == [kept]
    assert storage.permissions(picture.id) == []
    assert storage.permissions(kept.id) == [Permission(kept.id, OTHER, "read")]
    storage.add_picture(again := make.picture(storage, OWNER, "a"))
    assert storage.picture(OWNER, "a") == again


# -- permissions --


def test_permissions_come_in_the_order_they_were_given(reopen, make):
    storage = reopen()
    picture, other = make.picture(storage, OWNER, "a"), make.picture(storage, OWNER, "b")
    storage.add_picture(picture)
    storage.add_picture(other)
    given = [Permission(picture.id, f"{n:024x}", "read") for n in (5, 1, 9, 3)]
    for permission in given:
        assert storage.add_permission(permission)
    storage.add_permission(Permission(other.id, f"{1:024x}", "write"))
    assert storage.permissions(picture.id) == given
    storage = reopen()
    storage.add_permission(last := Permission(picture.id, f"{2:024x}", "write"))
    assert storage.permissions(picture.id) == [*given, last]
    assert [storage.count_permissions(one) for one in (picture.id, other.id, OTHER)] == [5, 1, 0]


def test_a_permission_is_unique_and_its_role_and_grant_can_change(storage, make):
    storage.add_picture(picture := make.picture(storage, OWNER))
    first = Permission(picture.id, OTHER, "read", "signed")
    assert storage.add_permission(first)
    with pytest.raises(DuplicateRecord):
        storage.add_permission(Permission(picture.id, OTHER, "write"))
    assert storage.permission(picture.id, OTHER) == first
    assert storage.set_permission(changed := Permission(picture.id, OTHER, "write", "signed anew"))
    assert storage.permission(picture.id, OTHER) == changed
    assert storage.permissions(picture.id) == [changed]
    assert not storage.set_permission(Permission(picture.id, OWNER, "write"))
    assert storage.permissions(picture.id) == [changed]
    assert storage.permission(picture.id, OWNER) is None


def test_a_permission_may_be_for_one_revision(storage, make):
    storage.add_picture(picture := make.picture(storage, OWNER, header_hash="a" * 64))
    given = Permission(picture.id, OTHER, "read", "signed")
    assert not storage.add_permission(given, revision="b" * 64)
    assert storage.permissions(picture.id) == []
    assert storage.add_permission(given, revision="a" * 64)
    with pytest.raises(DuplicateRecord):
        storage.add_permission(given, revision="a" * 64)
    assert storage.set_permission(Permission(picture.id, OTHER, "write"), revision="b" * 64) is None
    assert storage.permissions(picture.id) == [given]
    assert storage.set_permission(Permission(picture.id, OTHER, "write", "new"), revision="a" * 64) == given
    assert storage.permissions(picture.id) == [Permission(picture.id, OTHER, "write", "new")]


def test_grants_take_room(storage, make):
    storage.add_user(owner := make.user(storage))
    first, second = (make.picture(storage, owner.id, f"{n}", stored_bytes=100) for n in range(2))
    for picture in (first, second):
        storage.add_picture(picture)
        storage.add_permission(Permission(picture.id, OTHER, "read", "g" * 10))
        storage.add_permission(Permission(picture.id, OWNER, "read", "g" * 7))
    storage.move_to_bin(owner.id, second.name, CREATED)
    assert [storage.grant_bytes(one) for one in (first.id, second.id, OTHER)] == [17, 17, 0]
    assert storage.recount_bytes(owner.id) == storage.user(owner.id).used_bytes == 234
    assert storage.remove_permissions_of(OTHER) == {owner.id: 20}
    assert storage.remove_permissions_of(OTHER) == {}
    assert storage.remove_permission(first.id, OWNER) == Permission(first.id, OWNER, "read", "g" * 7)
    assert storage.recount_bytes(owner.id) == 207
    assert [storage.remove_picture(each.id).grant_bytes for each in (first, second)] == [0, 7]


def test_only_what_is_in_the_bin_since_then_is_removed(storage, make):
    storage.add_picture(picture := make.picture(storage, OWNER))
    assert storage.remove_picture(picture.id, deleted=CREATED) is None
    storage.move_to_bin(OWNER, picture.name, CREATED)
    assert storage.remove_picture(picture.id, deleted=CREATED.replace(year=2001)) is None
    assert storage.picture_by_id(picture.id).deleted == CREATED
    assert storage.remove_picture(picture.id, deleted=CREATED).picture.id == picture.id
    assert storage.picture_by_id(picture.id) is None


def test_a_permission_needs_a_picture_which_may_be_in_the_bin(storage, make):
    assert not storage.add_permission(Permission(OWNER, OTHER, "read"))
    assert storage.permission(OWNER, OTHER) is None
    storage.add_picture(picture := make.picture(storage, OWNER))
    storage.move_to_bin(OWNER, picture.name, CREATED)
    assert storage.add_permission(permission := Permission(picture.id, OTHER, "read"))
    assert storage.permissions(picture.id) == [permission]
    assert storage.shared_with(OTHER) == []
    restored = storage.restore_picture(picture.id, picture.name)
    assert storage.shared_with(OTHER) == [(restored, permission)]
    storage.remove_picture(picture.id)
    assert not storage.add_permission(permission)


def test_a_permission_is_removed_once(storage, make):
    storage.add_picture(picture := make.picture(storage, OWNER))
    storage.add_permission(Permission(picture.id, OTHER, "read"))
    assert storage.remove_permission(picture.id, OTHER)
    assert not storage.remove_permission(picture.id, OTHER)
    assert storage.permissions(picture.id) == []
    assert storage.shared_with(OTHER) == []


# -- revoked tokens --


def test_a_revoked_token_stays_revoked_until_it_expires(reopen, rounds):
    storage = reopen()
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    for number in range(rounds(250)):
        storage.revoke_token(f"old {number}", now - timedelta(seconds=number + 1))
    storage.revoke_token("kept", now + timedelta(hours=12))
    storage.revoke_token("kept", now + timedelta(hours=12))
    storage = reopen()
    storage.revoke_token("more", now + timedelta(hours=1))
    assert storage.is_revoked("kept")
    assert storage.is_revoked("more")
    assert not storage.is_revoked("another")


# -- blobs --


@pytest.mark.parametrize("size", [0, 1, 65536, 3_000_001])
def test_a_blob_comes_back_to_the_byte(reopen, size):
    storage = reopen()
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    with storage.write_blob() as blob:
        for start in range(0, size, 100_000):
            piece = data[start : start + 100_000]
            assert blob.write(memoryview(piece)) == len(piece)
        blob_id = blob.commit()
    assert list(storage.blob_ids()) == [blob_id]
    with storage.open_blob(blob_id) as stored:
        assert stored.read() == data
        assert stored.seek(-1 if size else 0, io.SEEK_END) == max(size - 1, 0)
        assert stored.read() == data[-1:]


def test_an_uncommitted_blob_leaves_nothing(reopen):
    storage = reopen()
    with storage.write_blob() as blob:
        blob.write(b"half")
    with pytest.raises(ZeroDivisionError), storage.write_blob() as blob:
        blob.write(b"half")
        _ = 1 / 0
    assert list(storage.blob_ids()) == []
    assert list(reopen().blob_ids()) == []


def test_a_removed_blob_is_gone_and_may_be_removed_again(storage, make):
    blob_id, other = make.blob(storage), make.blob(storage)
    storage.remove_blob(blob_id)
    storage.remove_blob(blob_id)
    assert storage.open_blob(blob_id) is None
    assert list(storage.blob_ids()) == [other]


@pytest.mark.parametrize("size", [5, 2**16, 2**20, 3 * 2**20 + 1])
def test_a_blob_that_is_removed_while_it_is_read_gives_its_own_bytes_or_fails(storage, size):
    content = random.Random(size).randbytes(size)
    with storage.write_blob() as blob:
        blob.write(content)
        blob_id = blob.commit()
    with storage.open_blob(blob_id) as reading:
        begun = reading.read(3)
        storage.remove_blob(blob_id)
        try:
            assert begun + reading.read() == content
        except StorageError as error:
            assert error.reason == "damaged" and size > 2**20  # a small one is in hand from the start


@pytest.mark.parametrize(
    "blob_id", ["", ".", "..", "../records.sqlite3", "/etc/passwd", "a" * 32, "A" * 32, "00\x00", "lock"]
)
def test_what_is_not_a_blob_is_not_there(storage, blob_id):
    assert storage.open_blob(blob_id) is None
    storage.remove_blob(blob_id)


def test_blobs_of_records_outlive_reopening_and_collecting_and_others_do_not(reopen, make):
    storage = reopen()
    kept = make.picture(storage, OWNER, "kept", quotient_blob=make.blob(storage))
    storage.add_picture(kept)
    removed = make.picture(storage, OWNER, "removed")
    storage.add_picture(removed)
    storage.remove_picture(removed.id)  # the caller dies before it removes the blobs
    make.blob(storage)  # … or before it adds the record
    storage = reopen()
    storage.collect_orphans(datetime(2200, 1, 1))
    assert set(storage.blob_ids()) == {kept.content_blob, kept.quotient_blob, kept.thumbnail_blob}


# -- the installation --


def test_a_secret_is_made_once(reopen):
    storage = reopen()
    secret = storage.secret("jwt")
    assert len(secret) == 32
    assert storage.secret("jwt") == secret
    assert storage.secret("other") != secret
    assert reopen().secret("jwt") == secret


def test_a_closed_storage_refuses_everything(reopen, make):
    storage = reopen()
    user, picture = make.user(storage), make.picture(storage, OWNER)
    writer = storage.write_blob()
    writer.write(b"late")
    storage.close()
    storage.close()
    calls = [
        storage.new_id,
        lambda: storage.add_user(user),
        lambda: storage.user(user.id),
        lambda: storage.user_by_name("ada"),
        storage.users,
        lambda: storage.change_user(user.id, {}, {"password_hash": "b"}),
        storage.check,
        lambda: storage.user_by_email("a@example.org"),
        storage.closing_users,
        lambda: storage.remove_user(user.id),
        lambda: storage.reserve_bytes(user.id, 1, 0),
        lambda: storage.release_bytes(user.id, 1),
        lambda: storage.recount_bytes(user.id),
        lambda: storage.add_picture(picture),
        lambda: storage.picture(OWNER, "a"),
        lambda: storage.pictures_named(OWNER, ["a"]),
        lambda: storage.pictures(OWNER),
        lambda: storage.count_pictures(OWNER),
        lambda: storage.bin_usage(OWNER),
        lambda: storage.count_permissions(OWNER),
        lambda: storage.count_documents(OWNER, "ledger"),
        lambda: storage.picture_by_id(picture.id),
        lambda: storage.replace_picture(picture, Revision(picture.id, "0" * 64, "", CREATED)),
        lambda: storage.history(picture.id),
        lambda: storage.move_to_bin(OWNER, "a", CREATED),
        lambda: storage.restore_picture(picture.id, "a"),
        lambda: storage.bin(OWNER),
        lambda: storage.binned(OWNER, "a"),
        lambda: storage.expired_in_bin(CREATED, 1),
        lambda: storage.remove_picture(picture.id),
        lambda: storage.add_permission(Permission(OWNER, OTHER, "read")),
        lambda: storage.permission(OWNER, OTHER),
        lambda: storage.permissions(OWNER),
        lambda: storage.set_permission(Permission(OWNER, OTHER, "read")),
        lambda: storage.remove_permission(OWNER, OTHER),
        lambda: storage.shared_with(OTHER),
        lambda: storage.remove_permissions_of(OTHER),
        lambda: storage.put_document(Document(OWNER, "ledger", "", 1, b"", CREATED)),
        lambda: storage.document(OWNER, "ledger"),
        lambda: storage.documents(OWNER, "ledger"),
        lambda: storage.remove_documents(OWNER),
        lambda: storage.add_session(Session("s", OWNER, CREATED)),
        lambda: storage.session("s"),
        lambda: storage.remove_session("s"),
        lambda: storage.remove_sessions(OWNER),
        lambda: storage.put_file(PublishedFile(OTHER, OWNER, "f", 5, CREATED, picture.content_blob)),
        lambda: storage.file(OWNER, "f"),
        lambda: storage.files(OWNER),
        lambda: storage.remove_file(OTHER),
        lambda: storage.collect_orphans(CREATED),
        storage.totals,
        lambda: storage.revoke_token("t", datetime(2030, 1, 1)),
        lambda: storage.is_revoked("t"),
        storage.write_blob,
        lambda: storage.open_blob("a" * 32),
        lambda: storage.remove_blob("a" * 32),
        storage.blob_ids,
        lambda: storage.secret("jwt"),
        writer.commit,
    ]
    for call in calls:
        with pytest.raises(StorageError):
            call()
    writer.__exit__(None, None, None)
    storage = reopen()
    storage.collect_orphans(datetime(2200, 1, 1))
    assert list(storage.blob_ids()) == []


def test_everything_is_there_after_reopening(reopen, make):
    storage = reopen()
    user = make.user(storage)
    picture = make.picture(storage, user.id)
    storage.add_user(user)
    storage.add_picture(picture)
    storage.add_permission(Permission(picture.id, OTHER, "read"))
    storage.set_permission(Permission(picture.id, OTHER, "write"))
    storage.change_user(user.id, {}, {"password_hash": "new"})
    storage = reopen()
    assert storage.users() == [dataclasses.replace(user, password_hash="new")]
    assert storage.picture(user.id, picture.name) == picture
    assert storage.permissions(picture.id) == [Permission(picture.id, OTHER, "write")]
