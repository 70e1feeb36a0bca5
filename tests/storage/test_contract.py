"""What every storage engine promises: one caller at a time."""

from __future__ import annotations

import dataclasses
import io
from datetime import UTC, datetime, timedelta

import pytest

from backend.storage.protocol import DuplicateRecord, Permission, StorageError

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
    assert not storage.set_password_hash(user.id, "not it", "new")
    assert not storage.set_password_hash(OTHER, user.password_hash, "new")
    assert storage.user(user.id) == user
    assert storage.set_password_hash(user.id, user.password_hash, "new")
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
    storage.remove_picture(OWNER, "1.png")
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
    for n in range(5):
        storage.add_picture(make.picture(storage, OWNER, f"{n}"))
    with pytest.raises(DuplicateRecord):
        storage.add_picture(make.picture(storage, OWNER, "0"))
    storage.add_picture(make.picture(storage, OTHER))
    storage.remove_picture(OWNER, "3")
    storage.remove_picture(OWNER, "3")
    assert (storage.count_pictures(OWNER), storage.count_pictures(OTHER)) == (4, 1)
    storage = reopen()
    assert (storage.count_pictures(OWNER), storage.count_pictures(OTHER)) == (4, 1)


def test_a_removed_picture_is_returned_once_and_its_permissions_go_with_it(storage, make):
    picture, kept = make.picture(storage, OWNER, "a"), make.picture(storage, OWNER, "b")
    for each in (picture, kept):
        storage.add_picture(each)
        storage.add_permission(Permission(each.id, OTHER, "read"))
    assert storage.remove_picture(OTHER, "a") is None
    assert storage.remove_picture(OWNER, "a") == picture
    assert storage.remove_picture(OWNER, "a") is None
    assert storage.picture(OWNER, "a") is None
    assert storage.pictures(OWNER) == [kept]
    assert storage.permissions(picture.id) == []
    assert storage.permissions(kept.id) == [Permission(kept.id, OTHER, "read")]
    storage.add_picture(again := make.picture(storage, OWNER, "a"))
    assert storage.picture(OWNER, "a") == again


# -- permissions --


def test_permissions_come_in_the_order_they_were_given(reopen):
    storage = reopen()
    given = [Permission(OWNER, f"{n:024x}", "read") for n in (5, 1, 9, 3)]
    for permission in given:
        storage.add_permission(permission)
    storage.add_permission(Permission(OTHER, f"{1:024x}", "write"))
    assert storage.permissions(OWNER) == given
    storage = reopen()
    storage.add_permission(last := Permission(OWNER, f"{2:024x}", "write"))
    assert storage.permissions(OWNER) == [*given, last]


def test_a_permission_is_unique_and_its_role_can_change(storage):
    storage.add_permission(Permission(OWNER, OTHER, "read"))
    with pytest.raises(DuplicateRecord):
        storage.add_permission(Permission(OWNER, OTHER, "write"))
    assert storage.permission(OWNER, OTHER) == Permission(OWNER, OTHER, "read")
    assert storage.set_role(OWNER, OTHER, "write")
    assert storage.permission(OWNER, OTHER) == Permission(OWNER, OTHER, "write")
    assert not storage.set_role(OTHER, OWNER, "write")
    assert storage.permission(OTHER, OWNER) is None


def test_a_permission_is_removed_once(storage):
    storage.add_permission(Permission(OWNER, OTHER, "read"))
    assert storage.remove_permission(OWNER, OTHER)
    assert not storage.remove_permission(OWNER, OTHER)
    assert storage.permissions(OWNER) == []


# -- revoked tokens --


def test_a_revoked_token_stays_revoked_until_it_expires(reopen):
    storage = reopen()
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    for number in range(250):
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


@pytest.mark.parametrize(
    "blob_id", ["", ".", "..", "../records.sqlite3", "/etc/passwd", "a" * 32, "A" * 32, "00\x00", "lock"]
)
def test_what_is_not_a_blob_is_not_there(storage, blob_id):
    assert storage.open_blob(blob_id) is None
    storage.remove_blob(blob_id)


def test_blobs_of_records_outlive_reopening_and_others_do_not(reopen, make):
    storage = reopen()
    kept = make.picture(storage, OWNER, "kept", quotient_blob=make.blob(storage))
    storage.add_picture(kept)
    removed = make.picture(storage, OWNER, "removed")
    storage.add_picture(removed)
    storage.remove_picture(OWNER, "removed")  # the caller dies before it removes the blobs
    make.blob(storage)  # … or before it adds the record
    storage = reopen()
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
        lambda: storage.set_password_hash(user.id, "a", "b"),
        lambda: storage.add_picture(picture),
        lambda: storage.picture(OWNER, "a"),
        lambda: storage.pictures_named(OWNER, ["a"]),
        lambda: storage.pictures(OWNER),
        lambda: storage.count_pictures(OWNER),
        lambda: storage.remove_picture(OWNER, "a"),
        lambda: storage.add_permission(Permission(OWNER, OTHER, "read")),
        lambda: storage.permission(OWNER, OTHER),
        lambda: storage.permissions(OWNER),
        lambda: storage.set_role(OWNER, OTHER, "read"),
        lambda: storage.remove_permission(OWNER, OTHER),
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
    assert list(reopen().blob_ids()) == []


def test_everything_is_there_after_reopening(reopen, make):
    storage = reopen()
    user = make.user(storage)
    picture = make.picture(storage, user.id)
    storage.add_user(user)
    storage.add_picture(picture)
    storage.add_permission(Permission(picture.id, OTHER, "read"))
    storage.set_role(picture.id, OTHER, "write")
    storage.set_password_hash(user.id, user.password_hash, "new")
    storage = reopen()
    assert storage.users() == [dataclasses.replace(user, password_hash="new")]
    assert storage.picture(user.id, picture.name) == picture
    assert storage.permissions(picture.id) == [Permission(picture.id, OTHER, "write")]
