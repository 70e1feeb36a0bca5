"""What every storage engine promises: many callers at once."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from backend.storage.protocol import (
    Document,
    DuplicateRecord,
    Permission,
    PictureRecord,
    PublishedFile,
    RemovedPicture,
    Revision,
    Session,
)

CREATED = datetime(2024, 5, 17, 11, 22, 33, 444000)
OWNER = "0123456789abcdef01234567"
OTHER = "0123456789abcdef01234568"
THREADS = 8


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """Run ``work(0)`` … ``work(7)`` in threads that start together, and return what they returned."""
    barrier = threading.Barrier(THREADS)

    def start(number: int) -> Any:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(start, range(THREADS)))


def added(add: Callable[[], None]) -> bool:
    try:
        add()
    except DuplicateRecord:
        return False
    return True


def test_every_thread_finds_the_picture_it_asks_for_on_a_cold_cache(reopen, make, rounds):
    storage = reopen()
    pictures = [
        make.picture(storage, OWNER, f"{n}.png", size=n, content_blob="", thumbnail_blob="") for n in range(200)
    ]
    users = [make.user(storage, f"user {n}") for n in range(20)]
    for picture in pictures:
        storage.add_picture(picture)
    for user in users:
        storage.add_user(user)
    for _ in range(3):
        storage = reopen()

        def look_up(number: int, storage: Any = storage) -> int:
            wrong = 0
            for step in range(rounds(200)):
                picture = pictures[(step * (2 * number + 1) + number * 25) % 200]
                wrong += storage.picture(OWNER, picture.name) != picture
                user = users[(step + number) % 20]
                wrong += storage.user(user.id) != user
            return wrong

        assert at_once(look_up) == [0] * THREADS


def test_of_writers_racing_for_one_name_exactly_one_wins(storage, make):
    for round_number in range(10):
        name = f"{round_number}.png"
        pictures = [make.picture(storage, OWNER, name, size=n, thumbnail_blob="") for n in range(THREADS)]
        won = at_once(lambda n, pictures=pictures: added(lambda: storage.add_picture(pictures[n])))
        assert won.count(True) == 1
        assert storage.picture(OWNER, name) == pictures[won.index(True)]
    users = [make.user(storage, "ada") for _ in range(THREADS)]
    won = at_once(lambda n: added(lambda: storage.add_user(users[n])))
    assert storage.users() == [users[won.index(True)]]
    assert won.count(True) == 1
    shared = storage.picture(OWNER, "0.png").id
    won = at_once(lambda n: added(lambda: storage.add_permission(Permission(shared, OTHER, f"role {n}"))))
    assert storage.permissions(shared) == [Permission(shared, OTHER, f"role {won.index(True)}")]
    assert won.count(True) == 1


def test_of_callers_removing_one_picture_exactly_one_gets_it(storage, make):
    for round_number in range(10):
        name = f"{round_number}.png"
        storage.add_picture(picture := make.picture(storage, OWNER, name))
        got = at_once(lambda _, picture=picture: storage.remove_picture(picture.id))
        assert sorted(got, key=bool) == [None] * (THREADS - 1) + [RemovedPicture(picture, 0)]
    assert storage.count_pictures(OWNER) == 0


def test_each_grant_that_goes_is_told_to_one_caller(storage, make, rounds):
    for _ in range(rounds(10)):
        pictures = [make.picture(storage, OWNER, f"{n}", content_blob="", thumbnail_blob="") for n in range(6)]
        for picture in pictures:
            storage.add_picture(picture)
            storage.add_permission(Permission(picture.id, OTHER, "read", "g" * 7))

        def work(number: int, pictures: list[PictureRecord] = pictures) -> int:
            if number % 2:
                return sum(storage.remove_permissions_of(OTHER).values())
            taken = [storage.remove_permission(each.id, OTHER) for each in reversed(pictures)]
            return sum(len(each.grant) for each in taken if each is not None)

        assert sum(at_once(work)) == 7 * len(pictures)
        for picture in pictures:
            storage.remove_picture(picture.id)


def test_of_callers_changing_one_password_exactly_one_succeeds(storage, make):
    user = make.user(storage)
    storage.add_user(user)
    changed = at_once(
        lambda n: storage.change_user(user.id, {"password_hash": user.password_hash}, {"password_hash": f"new {n}"})
    )
    assert changed.count(True) == 1
    assert storage.user(user.id).password_hash == f"new {changed.index(True)}"


def test_ids_made_by_many_threads_differ(storage):
    ids = [i for made in at_once(lambda _: [storage.new_id() for _ in range(500)]) for i in made]
    assert len(set(ids)) == 500 * THREADS


def test_a_secret_first_used_by_many_threads_is_one(storage):
    assert len(set(at_once(lambda _: storage.secret("jwt")))) == 1


def test_pictures_stored_removed_and_listed_at_once_stay_whole(storage, make, rounds):
    def work(number: int) -> None:
        for step in range(12):
            data = bytes([number, step]) * 500
            digest = hashlib.sha256(data).hexdigest()
            name = f"{number}-{step}"
            content = make.blob(storage, data)
            mine = make.picture(storage, OWNER, name, content_blob=content, content_sha256=digest)
            storage.add_picture(mine)
            for picture in storage.pictures(OWNER, limit=rounds(20)):
                with storage.open_blob(picture.content_blob) as blob:
                    assert hashlib.sha256(blob.read()).hexdigest() == picture.content_sha256
            if step % 3 == 2:
                # Removed only by its maker, and the blobs stay until all are done: others may be reading them.
                assert storage.remove_picture(mine.id).picture == mine

    at_once(work)
    expected = {f"{n}-{step}" for n in range(THREADS) for step in range(12) if step % 3 != 2}
    assert {picture.name for picture in storage.pictures(OWNER)} == expected
    assert storage.count_pictures(OWNER) == len(expected)


# -- one winner --


def test_of_people_with_one_email_exactly_one_is_added(storage, make):
    for round_number in range(5):
        email = f"{round_number}@example.org"
        users = [make.user(storage, f"{round_number} {n}", email=email) for n in range(THREADS)]
        won = at_once(lambda n, users=users: added(lambda: storage.add_user(users[n])))
        assert won.count(True) == 1
        assert storage.user_by_email(email) == users[won.index(True)]
        assert [storage.user(user.id) is not None for user in users] == won


def test_of_names_racing_in_each_kind_one_wins(storage, make):
    users = [make.user(storage, "ada", kind=("client", "ops")[n % 2]) for n in range(THREADS)]
    won = at_once(lambda n: added(lambda: storage.add_user(users[n])))
    assert (won[::2].count(True), won[1::2].count(True)) == (1, 1)


def test_of_revisions_of_one_header_exactly_one_is_stored(storage, make):
    picture = make.picture(storage, OWNER, header_hash="0" * 64)
    storage.add_picture(picture)
    for round_number in range(6):
        new = [
            dataclasses.replace(
                picture, content_blob=make.blob(storage), header_hash=f"{round_number}{n}" * 32, envelope=f"{n}"
            )
            for n in range(THREADS)
        ]
        earlier = Revision(picture.id, picture.header_hash, picture.envelope, picture.created)

        def replace(n: int, new: Any = new, earlier: Any = earlier) -> bool:
            return storage.replace_picture(new[n], earlier, [Permission(new[n].id, OTHER, f"role {n}")])

        won = at_once(replace)
        assert won.count(True) == 1
        assert storage.history(picture.id)[-1] == earlier
        assert len(storage.history(picture.id)) == round_number + 1
        assert storage.permissions(picture.id) == [Permission(picture.id, OTHER, f"role {won.index(True)}")]
        picture = new[won.index(True)]
        assert storage.pictures(OWNER) == [picture]
    assert storage.count_pictures(OWNER) == 1


def test_of_callers_moving_one_picture_exactly_one_does(storage, make):
    picture = make.picture(storage, OWNER)
    storage.add_picture(picture)
    binned = dataclasses.replace(picture, deleted=CREATED)
    for _ in range(6):
        got = at_once(lambda _: storage.move_to_bin(OWNER, picture.name, CREATED))
        assert sorted(got, key=bool) == [None] * (THREADS - 1) + [binned]
        assert storage.bin(OWNER) == [binned]
        assert storage.count_pictures(OWNER) == 0
        got = at_once(lambda n: storage.restore_picture(picture.id, f"{n}"))
        [restored] = filter(None, got)
        assert storage.pictures(OWNER) == [restored]
        assert restored == dataclasses.replace(picture, name=f"{got.index(restored)}")
        assert storage.count_pictures(OWNER) == 1
        assert storage.move_to_bin(OWNER, restored.name, CREATED)
        assert storage.restore_picture(picture.id, picture.name) == picture


def test_one_name_goes_to_one_of_several_from_the_bin(storage, make):
    pictures = [make.picture(storage, OWNER, f"{n}") for n in range(THREADS)]
    for picture in pictures:
        storage.add_picture(picture)
        storage.move_to_bin(OWNER, picture.name, CREATED)
    won = at_once(lambda n: added(lambda: storage.restore_picture(pictures[n].id, "p.png")))
    assert won.count(True) == 1
    assert storage.picture(OWNER, "p.png").id == pictures[won.index(True)].id
    assert len(storage.bin(OWNER)) == THREADS - 1


def test_a_picture_is_moved_to_the_bin_or_removed_and_never_both(storage, make):
    for round_number in range(6):
        storage.add_picture(picture := make.picture(storage, OWNER, f"{round_number}"))
        got = at_once(
            lambda n, picture=picture: (
                storage.remove_picture(picture.id) if n % 2 else storage.move_to_bin(OWNER, picture.name, CREATED)
            )
        )
        assert sum(each is not None for each in got[1::2]) == 1
        assert sum(each is not None for each in got[::2]) <= 1
        assert storage.picture_by_id(picture.id) is None
    assert (storage.count_pictures(OWNER), storage.bin(OWNER), storage.pictures(OWNER)) == (0, [], [])


def test_each_version_of_a_document_has_one_writer(storage):
    versions = 6

    def write(number: int) -> set[int]:
        won = set()
        for version in range(1, versions + 1):
            document = Document(OWNER, "ledger", "", version, bytes([number]), CREATED)
            while True:
                if storage.put_document(document):
                    won.add(version)
                there = storage.document(OWNER, "ledger")
                if there is not None and there.version >= version:
                    break
        return won

    won = at_once(write)
    assert sorted(version for each in won for version in each) == list(range(1, versions + 1))
    last = storage.document(OWNER, "ledger")
    assert last.version == versions
    assert versions in won[last.value[0]]


def test_of_callers_revoking_or_ending_exactly_one_is_told_so(storage):
    expires = datetime(2199, 1, 1)
    for round_number in range(5):
        token = f"{round_number}"
        assert at_once(lambda _, token=token: storage.revoke_token(token, expires)).count(True) == 1
        storage.add_session(Session(token, OWNER, CREATED))
        assert at_once(lambda _, token=token: storage.remove_session(token)).count(True) == 1
    won = at_once(lambda n: added(lambda: storage.add_session(Session("s", f"{n}", CREATED))))
    assert storage.session("s").user_id == f"{won.index(True)}"
    assert won.count(True) == 1


def test_of_callers_removing_an_account_or_a_file_exactly_one_does(storage, make):
    storage.add_user(user := make.user(storage))
    assert at_once(lambda _: storage.remove_user(user.id)).count(True) == 1
    storage.put_file(file := PublishedFile(storage.new_id(), OWNER, "f", 5, CREATED, make.blob(storage)))
    got = at_once(lambda _: storage.remove_file(file.id))
    assert sorted(got, key=bool) == [None] * (THREADS - 1) + [file]


def test_files_of_one_name_follow_each_other(storage, make):
    files = [PublishedFile(storage.new_id(), OWNER, "f", n, CREATED, make.blob(storage)) for n in range(THREADS)]
    replaced = at_once(lambda n: storage.put_file(files[n]))
    [last] = storage.files(OWNER)
    assert sorted([*filter(None, replaced), last], key=lambda file: file.size) == files


# -- sums --


def test_bytes_reserved_at_once_never_exceed_the_limit(storage, make):
    storage.add_user(user := make.user(storage))
    given = at_once(lambda _: sum(storage.reserve_bytes(user.id, 3, 100) for _ in range(10)))
    assert sum(given) == 33
    assert storage.user(user.id).used_bytes == 99
    at_once(lambda _: [storage.release_bytes(user.id, 1) for _ in range(10)])
    assert storage.user(user.id).used_bytes == 19
    at_once(lambda _: storage.release_bytes(user.id, 10))
    assert storage.user(user.id).used_bytes == 0
    at_once(lambda _: [storage.reserve_bytes(user.id, 2, 0) for _ in range(5)])
    assert storage.user(user.id).used_bytes == 2 * 5 * THREADS


def test_changes_of_one_account_do_not_undo_each_other(storage, make):
    storage.add_user(user := make.user(storage))

    def work(number: int) -> int:
        raised = 0
        while raised < 3:
            if number % 2:
                raised += storage.reserve_bytes(user.id, 1, 0)
            else:
                now = storage.user(user.id).generation
                raised += storage.change_user(user.id, {"generation": now}, {"generation": now + 1})
        return raised

    at_once(work)
    there = storage.user(user.id)
    assert (there.generation, there.used_bytes) == (3 * THREADS // 2, 3 * THREADS // 2)


# -- orphans --


def test_collecting_while_others_store_takes_nothing_they_need(storage, make):
    """Fresh blobs are left alone by their age, and named ones wherever their record is just now."""
    moving = [make.picture(storage, OWNER, f"moving {n}") for n in range(3)]
    for picture in moving:
        storage.add_picture(picture)
    named = {blob_id for picture in moving for blob_id in picture.blobs}
    yesterday = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=1)

    def work(number: int) -> list[PictureRecord]:
        mine = []
        for step in range(8):
            if number < 2:
                assert storage.collect_orphans(yesterday) == 0
            elif number < 2 + len(moving):
                picture = moving[number - 2]
                assert storage.move_to_bin(OWNER, picture.name, CREATED)
                assert storage.restore_picture(picture.id, picture.name)
            else:
                mine.append(make.picture(storage, OWNER, f"{number} {step}"))
                storage.add_picture(mine[-1])
        return mine

    stored = [picture for mine in at_once(work) for picture in mine]
    assert set(storage.blob_ids()) == named | {blob_id for picture in stored for blob_id in picture.blobs}
    assert len(storage.pictures(OWNER)) == len(moving) + len(stored)


def test_collecting_everything_old_keeps_what_moves_to_the_bin_and_back(storage, make):
    moving = [make.picture(storage, OWNER, f"{n}") for n in range(THREADS - 2)]
    for picture in moving:
        storage.add_picture(picture)

    def work(number: int) -> int:
        if number < 2:
            return sum(storage.collect_orphans(datetime(2200, 1, 1)) for _ in range(10))
        picture = moving[number - 2]
        for _ in range(8):
            assert storage.move_to_bin(OWNER, picture.name, CREATED)
            assert storage.picture_by_id(picture.id) is not None
            assert storage.restore_picture(picture.id, picture.name)
            assert storage.picture_by_id(picture.id) is not None
        return 0

    assert at_once(work) == [0] * THREADS
    assert set(storage.blob_ids()) == {blob_id for picture in moving for blob_id in picture.blobs}
