"""What every storage engine promises about revisions, the bin and what is shared: one caller at a time."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import pytest

from backend.storage.protocol import DuplicateRecord, Permission, PictureRecord, RemovedPicture, Revision

CREATED = datetime(2024, 5, 17, 11, 22, 33, 444000)
LATER = datetime(2024, 6, 1, 0, 0, 0, 1000)
OWNER = "0123456789abcdef01234567"
OTHER = "0123456789abcdef01234568"
THIRD = "0123456789abcdef01234569"
FUTURE = datetime(2200, 1, 1)


def revised(storage, make, picture: PictureRecord, **values) -> PictureRecord:
    """The next revision of a picture, with blobs of its own."""
    new = {"content_blob": make.blob(storage, b"new"), "thumbnail_blob": make.blob(storage), "updated": LATER, **values}
    return dataclasses.replace(picture, **new)


def earlier(picture: PictureRecord) -> Revision:
    return Revision(picture.id, picture.header_hash, picture.envelope, LATER)


def test_what_the_bin_takes(reopen, make):
    storage = reopen()
    assert storage.bin_usage(OWNER) == (0, 0)
    for n, size in enumerate((1, 10, 100)):
        storage.add_picture(make.picture(storage, OWNER, f"{n}.png", stored_bytes=size))
    storage.add_picture(make.picture(storage, OTHER, "0.png", stored_bytes=1000))
    for owner, name in ((OWNER, "0.png"), (OWNER, "2.png"), (OTHER, "0.png")):
        storage.move_to_bin(owner, name, CREATED)
    assert reopen().bin_usage(OWNER) == (2, 101)


# -- revisions --


def test_a_revision_takes_the_place_of_the_one_it_names(reopen, make):
    storage = reopen()
    first = make.picture(storage, OWNER, header_hash="1" * 64, stored_bytes=10)
    others = [make.picture(storage, OWNER, name) for name in ("a", "z")]
    for picture in (others[0], first, others[1]):
        storage.add_picture(picture)
    storage.add_permission(kept := Permission(first.id, OTHER, "read", "signed"))
    second = revised(storage, make, first, header_hash="2" * 64, envelope="e2", size=7, stored_bytes=11)
    third = revised(storage, make, second, header_hash="3" * 64, envelope="e3")
    assert storage.replace_picture(second, earlier(first))
    assert storage.picture(OWNER, first.name) == second
    assert storage.history(first.id) == [earlier(first)]
    assert storage.permissions(first.id) == [kept]
    assert not storage.replace_picture(third, earlier(first))
    assert storage.replace_picture(third, earlier(second))
    storage = reopen()
    assert storage.picture_by_id(first.id) == third
    assert sorted(storage.pictures(OWNER), key=lambda p: p.id) == sorted([*others, third], key=lambda p: p.id)
    assert storage.count_pictures(OWNER) == 3
    assert storage.history(first.id) == [earlier(first), earlier(second)]
    assert storage.history(others[0].id) == []


def test_a_refused_revision_changes_nothing(storage, make):
    first = make.picture(storage, OWNER, header_hash="1" * 64)
    storage.add_picture(first)
    storage.add_permission(kept := Permission(first.id, OTHER, "read"))
    new = revised(storage, make, first, header_hash="2" * 64)
    wrong = dataclasses.replace(earlier(first), header_hash="9" * 64)
    assert not storage.replace_picture(new, wrong, [Permission(first.id, THIRD, "write")])
    gone = dataclasses.replace(new, id=OTHER)
    assert not storage.replace_picture(gone, dataclasses.replace(earlier(first), picture_id=OTHER), [])
    assert storage.pictures(OWNER) == [first]
    assert storage.history(first.id) == []
    assert storage.permissions(first.id) == [kept]
    assert storage.picture_by_id(OTHER) is None
    binned = storage.move_to_bin(OWNER, first.name, CREATED)
    assert not storage.replace_picture(new, earlier(first), [])
    assert storage.picture_by_id(first.id) == binned
    assert storage.history(first.id) == []


def test_permissions_replaced_with_a_revision_come_in_the_order_given(storage, make):
    first = make.picture(storage, OWNER, header_hash="1" * 64)
    other = make.picture(storage, OWNER, "other")
    storage.add_picture(first)
    storage.add_picture(other)
    for user in (OTHER, THIRD):
        storage.add_permission(Permission(first.id, user, "read"))
    storage.add_permission(elsewhere := Permission(other.id, OTHER, "read"))
    given = [Permission(first.id, user, "write", f"for {user}") for user in (THIRD, OWNER)]
    second = revised(storage, make, first, header_hash="2" * 64)
    assert storage.replace_picture(second, earlier(first), given)
    assert storage.permissions(first.id) == given
    assert storage.permission(first.id, OTHER) is None
    assert storage.shared_with(OTHER) == [(other, elsewhere)]
    assert storage.shared_with(THIRD) == [(second, given[0])]
    assert storage.replace_picture(revised(storage, make, second, header_hash="3" * 64), earlier(second), [])
    assert storage.permissions(first.id) == []
    assert storage.shared_with(THIRD) == []


def test_a_revision_is_stored_whole_or_not_at_all(storage, make):
    """Each of the three reasons for DuplicateRecord, and nothing of the change remains."""
    first = make.picture(storage, OWNER, header_hash="1" * 64)
    taken = make.picture(storage, OWNER, "taken")
    storage.add_picture(first)
    storage.add_picture(taken)
    second = revised(storage, make, first, header_hash="2" * 64)
    storage.replace_picture(second, earlier(first))
    back = revised(storage, make, second, header_hash="1" * 64)
    storage.add_permission(kept := Permission(first.id, OTHER, "read"))
    assert storage.replace_picture(back, earlier(second))
    twice = [Permission(first.id, THIRD, "read"), Permission(first.id, THIRD, "write")]
    new = revised(storage, make, back, header_hash="4" * 64)
    with pytest.raises(DuplicateRecord):
        storage.replace_picture(new, earlier(back))  # its header hash is in the history
    storage.add_picture(plain := make.picture(storage, OWNER, "plain", header_hash="5" * 64))
    new = revised(storage, make, plain, header_hash="6" * 64)
    with pytest.raises(DuplicateRecord):
        storage.replace_picture(dataclasses.replace(new, name="taken"), earlier(plain), [])
    with pytest.raises(DuplicateRecord):
        storage.replace_picture(new, earlier(plain), twice)
    assert storage.pictures(OWNER) == [back, taken, plain]
    assert storage.history(plain.id) == []
    assert storage.history(first.id) == [earlier(first), earlier(second)]
    assert storage.permissions(first.id) == [kept]
    assert storage.permissions(plain.id) == []


def test_history_goes_with_the_picture(storage, make):
    pictures = [make.picture(storage, OWNER, name, header_hash="1" * 64) for name in ("a", "b")]
    for picture in pictures:
        storage.add_picture(picture)
        new = revised(storage, make, picture, header_hash="2" * 64)
        storage.replace_picture(new, earlier(picture))
    storage.move_to_bin(OWNER, "a", CREATED)
    assert storage.history(pictures[0].id) == [earlier(pictures[0])]
    storage.remove_picture(pictures[0].id)
    assert storage.history(pictures[0].id) == []
    assert storage.history(pictures[1].id) == [earlier(pictures[1])]


# -- the bin --


def test_a_picture_in_the_bin_is_found_there_alone(reopen, make):
    storage = reopen()
    picture = make.picture(storage, OWNER, "p.png", stored_bytes=10)
    storage.add_picture(picture)
    assert storage.move_to_bin(OTHER, "p.png", LATER) is None
    assert storage.move_to_bin(OWNER, "q.png", LATER) is None
    binned = dataclasses.replace(picture, deleted=LATER)
    assert storage.move_to_bin(OWNER, "p.png", LATER) == binned
    assert storage.move_to_bin(OWNER, "p.png", LATER) is None
    storage = reopen()
    assert storage.picture(OWNER, "p.png") is None
    assert storage.pictures(OWNER) == []
    assert storage.pictures_named(OWNER, ["p.png"]) == []
    assert storage.count_pictures(OWNER) == 0
    assert storage.picture_by_id(picture.id) == binned
    assert storage.bin(OWNER) == [binned]
    assert storage.binned(OWNER, "p.png") == binned
    assert storage.bin(OTHER) == []
    assert storage.binned(OTHER, "p.png") is None
    assert storage.binned(OWNER, "q.png") is None
    assert set(storage.blob_ids()) == set(picture.blobs)


def test_a_binned_name_is_free_and_several_may_have_had_it(storage, make):
    pictures = [make.picture(storage, OWNER) for _ in range(3)]
    for picture in pictures[:2]:
        storage.add_picture(picture)
        storage.move_to_bin(OWNER, picture.name, CREATED)
    storage.add_picture(pictures[2])
    binned = [dataclasses.replace(picture, deleted=CREATED) for picture in pictures[:2]]
    assert storage.bin(OWNER) == binned
    assert storage.binned(OWNER, "p.png") == binned[1]
    assert storage.picture(OWNER, "p.png") == pictures[2]
    with pytest.raises(DuplicateRecord):
        storage.restore_picture(pictures[0].id, "p.png")
    assert storage.bin(OWNER) == binned
    assert storage.count_pictures(OWNER) == 1
    restored = dataclasses.replace(pictures[0], name="other.png")
    assert storage.restore_picture(pictures[0].id, "other.png") == restored
    assert storage.restore_picture(pictures[0].id, "third.png") is None
    assert storage.restore_picture(OTHER, "third.png") is None
    assert storage.picture(OWNER, "other.png") == restored
    assert storage.pictures(OWNER) == [restored, pictures[2]]
    assert storage.bin(OWNER) == binned[1:]
    assert storage.count_pictures(OWNER) == 2


def test_permissions_wait_in_the_bin(storage, make):
    picture = make.picture(storage, OWNER)
    storage.add_picture(picture)
    storage.add_permission(given := Permission(picture.id, OTHER, "read", "signed"))
    storage.move_to_bin(OWNER, picture.name, CREATED)
    assert storage.permissions(picture.id) == [given]
    assert storage.permission(picture.id, OTHER) == given
    assert storage.shared_with(OTHER) == []
    assert storage.set_permission(changed := Permission(picture.id, OTHER, "write"))
    assert storage.shared_with(OTHER) == []
    storage.restore_picture(picture.id, picture.name)
    assert storage.shared_with(OTHER) == [(picture, changed)]
    storage.move_to_bin(OWNER, picture.name, CREATED)
    assert storage.remove_permission(picture.id, OTHER)
    storage.restore_picture(picture.id, picture.name)
    assert storage.shared_with(OTHER) == []


def test_the_bin_comes_in_pages(storage, make):
    pictures = [make.picture(storage, OWNER, f"{n}", content_blob="", thumbnail_blob="") for n in range(7)]
    for picture in pictures:
        storage.add_picture(picture)
    for picture in [*pictures[1::2], *pictures[::2]]:
        storage.move_to_bin(OWNER, picture.name, CREATED)
    binned = [dataclasses.replace(picture, deleted=CREATED) for picture in pictures]
    assert storage.bin(OWNER) == binned
    assert storage.bin(OWNER, limit=3) == binned[:3]
    assert storage.bin(OWNER, after=binned[2].id, limit=3) == binned[3:6]
    assert storage.bin(OWNER, after=binned[6].id) == []
    assert storage.bin(OWNER, limit=0) == []


def test_what_is_in_the_bin_for_long_is_found_for_everybody(storage, make):
    for n, owner in enumerate((OWNER, OTHER, OWNER, OTHER)):
        storage.add_picture(make.picture(storage, owner, f"{n}", content_blob="", thumbnail_blob=""))
        if n < 3:
            storage.move_to_bin(owner, f"{n}", CREATED + timedelta(days=n))

    def expired(before: datetime, limit: int = 10) -> set[str]:
        return {picture.name for picture in storage.expired_in_bin(before, limit)}

    assert expired(CREATED) == set()
    assert expired(CREATED + timedelta(milliseconds=1)) == {"0"}
    assert expired(CREATED + timedelta(days=2)) == {"0", "1"}
    assert expired(FUTURE) == {"0", "1", "2"}
    assert len(expired(FUTURE, 2)) == 2
    assert expired(FUTURE, 0) == set()


def test_a_picture_is_removed_from_the_bin_once(storage, make):
    picture = make.picture(storage, OWNER)
    storage.add_picture(picture)
    storage.add_permission(Permission(picture.id, OTHER, "read"))
    binned = storage.move_to_bin(OWNER, picture.name, CREATED)
    assert storage.remove_picture(picture.id) == RemovedPicture(binned, 0)
    assert storage.remove_picture(picture.id) is None
    assert storage.bin(OWNER) == []
    assert storage.binned(OWNER, picture.name) is None
    assert storage.picture_by_id(picture.id) is None
    assert storage.permissions(picture.id) == []
    assert storage.restore_picture(picture.id, "back") is None
    assert storage.expired_in_bin(FUTURE, 10) == []
    assert storage.count_pictures(OWNER) == 0


# -- what is shared with somebody --


def test_what_is_shared_comes_in_pages_in_order_of_the_pictures(reopen, make):
    storage = reopen()
    pictures = [
        make.picture(storage, (OWNER, THIRD)[n % 2], f"{n}", content_blob="", thumbnail_blob="") for n in range(9)
    ]
    for picture in pictures:
        storage.add_picture(picture)
    given = {picture.id: Permission(picture.id, OTHER, "read", f"for {picture.name}") for picture in pictures}
    for picture in [*pictures[4:], *pictures[:4]]:
        storage.add_permission(given[picture.id])
        storage.add_permission(Permission(picture.id, OWNER, "write"))
    storage.move_to_bin(OWNER, "2", CREATED)
    storage.move_to_bin(THIRD, "5", CREATED)
    expected = [(picture, given[picture.id]) for picture in pictures if picture.name not in ("2", "5")]
    storage = reopen()
    assert storage.shared_with(OTHER) == expected
    for limit in (1, 2, 3, 7, 8):
        pages, after = [], ""
        while page := storage.shared_with(OTHER, after=after, limit=limit):
            assert len(page) == min(limit, len(expected) - len(pages))
            pages += page
            after = page[-1][0].id
        assert pages == expected
    assert storage.shared_with(OTHER, limit=0) == []
    assert storage.shared_with(OTHER, after=pictures[2].id, limit=1) == [expected[2]]
    assert storage.shared_with(THIRD) == []


def test_all_that_somebody_was_given_is_taken_back(storage, make):
    pictures = [make.picture(storage, OWNER, f"{n}") for n in range(3)]
    for picture in pictures:
        storage.add_picture(picture)
        for user in (OTHER, THIRD):
            storage.add_permission(Permission(picture.id, user, "read"))
    storage.move_to_bin(OWNER, "1", CREATED)
    storage.remove_permissions_of(OTHER)
    storage.remove_permissions_of(OTHER)
    assert storage.shared_with(OTHER) == []
    for picture in pictures:
        assert storage.permissions(picture.id) == [Permission(picture.id, THIRD, "read")]
    storage.restore_picture(pictures[1].id, "1")
    assert storage.shared_with(OTHER) == []
    assert [picture.name for picture, _ in storage.shared_with(THIRD)] == ["0", "1", "2"]
