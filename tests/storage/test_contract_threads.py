"""What every storage engine promises: many callers at once."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from backend.storage.protocol import DuplicateRecord, Permission

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


def test_every_thread_finds_the_picture_it_asks_for_on_a_cold_cache(reopen, make):
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
            for step in range(200):
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
        assert sorted(got, key=bool) == [None] * (THREADS - 1) + [picture]
    assert storage.count_pictures(OWNER) == 0


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


def test_pictures_stored_removed_and_listed_at_once_stay_whole(storage, make):
    def work(number: int) -> None:
        for step in range(12):
            data = bytes([number, step]) * 500
            digest = hashlib.sha256(data).hexdigest()
            name = f"{number}-{step}"
            content = make.blob(storage, data)
            mine = make.picture(storage, OWNER, name, content_blob=content, content_sha256=digest)
            storage.add_picture(mine)
            for picture in storage.pictures(OWNER, limit=20):
                with storage.open_blob(picture.content_blob) as blob:
                    assert hashlib.sha256(blob.read()).hexdigest() == picture.content_sha256
            if step % 3 == 2:
                # Removed only by its maker, and the blobs stay until all are done: others may be reading them.
                assert storage.remove_picture(mine.id) == mine

    at_once(work)
    expected = {f"{n}-{step}" for n in range(THREADS) for step in range(12) if step % 3 != 2}
    assert {picture.name for picture in storage.pictures(OWNER)} == expected
    assert storage.count_pictures(OWNER) == len(expected)
