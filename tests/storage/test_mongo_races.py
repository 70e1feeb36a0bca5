"""Processes that race on one database: exactly one gets what only one can have, and nothing is half there."""

from __future__ import annotations

import dataclasses
import multiprocessing
from collections.abc import Callable, Iterator
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

import pytest

from backend.storage.mongo import open_mongo
from backend.storage.protocol import (
    Document,
    DuplicateRecord,
    Permission,
    PictureRecord,
    PublishedFile,
    Revision,
    Storage,
)
from tests.mongodb import MongoDatabases

OWNER = "0123456789abcdef01234567"
CREATED = datetime(2024, 5, 17, 11, 22, 33, 444000)
ROUNDS = 8
PROCESSES = 2


# -- what runs in the other processes --


def _add_picture(storage: Storage, number: int, picture: PictureRecord) -> bool:
    return _added(lambda: storage.add_picture(dataclasses.replace(picture, id=storage.new_id(), size=number)))


def _add_user(storage: Storage, number: int, user: Any) -> bool:
    return _added(lambda: storage.add_user(dataclasses.replace(user, id=storage.new_id(), first_name=f"{number}")))


def _add_address(storage: Storage, number: int, user: Any) -> bool:
    new = dataclasses.replace(user, id=storage.new_id(), name=f"{user.name} {number}")
    return _added(lambda: storage.add_user(new))


def _replace(storage: Storage, number: int, picture: PictureRecord) -> bool:
    new = dataclasses.replace(picture, size=number, header_hash=f"{number:064x}", envelope=f"envelope {number}")
    given = [Permission(picture.id, f"{n:024x}", "read", f"by {number}") for n in range(3)]
    earlier = Revision(picture.id, picture.header_hash, picture.envelope, CREATED.replace(year=2030 + number))
    return storage.replace_picture(new, earlier, given)


def _replace_or_bin(storage: Storage, number: int, picture: PictureRecord) -> bool:
    if number:
        return storage.move_to_bin(picture.owner_id, picture.name, CREATED) is not None
    return _replace(storage, number, picture)


def _revoke(storage: Storage, number: int, token: str) -> bool:
    return storage.revoke_token(token, datetime(2200, 1, 1))


def _reserve(storage: Storage, number: int, user_id: str) -> int:
    return sum(storage.reserve_bytes(user_id, 3, 100) for _ in range(20))


def _permit(storage: Storage, number: int, picture_id: str) -> bool:
    return _added(lambda: storage.add_permission(Permission(picture_id, OWNER, f"role {number}")))


def _remove(storage: Storage, number: int, picture_id: str) -> bool:
    return storage.remove_picture(picture_id) is not None


def _put_document(storage: Storage, number: int, document: Document) -> bool:
    return storage.put_document(dataclasses.replace(document, value=b"%d" % number))


def _put_file(storage: Storage, number: int, file: PublishedFile) -> PublishedFile | None:
    return storage.put_file(dataclasses.replace(file, id=storage.new_id(), size=number))


def _secret(storage: Storage, number: int, name: str) -> bytes:
    return storage.secret(name)


def _added(add: Callable[[], None]) -> bool:
    try:
        add()
    except DuplicateRecord:
        return False
    return True


def _serve(number: int, uri: str, orders: Connection, barrier: Any) -> None:
    storage: Storage = open_mongo(uri)
    orders.send("open")
    while (order := orders.recv()) is not None:
        do, what = order
        barrier.wait(60)
        orders.send(do(storage, number, what))
    storage.close()


class Racers:
    """Processes, each with a client of its own, that do something at the same moment."""

    def __init__(self, context: Any) -> None:
        self._barrier = context.Barrier(PROCESSES)
        pipes = [context.Pipe() for _ in range(PROCESSES)]
        self._orders = [ours for ours, _ in pipes]
        self._theirs = [theirs for _, theirs in pipes]
        self._context = context
        self._processes: list[Any] = []

    def start(self, uri: str) -> None:
        """All open one new database at once, too."""
        for number, theirs in enumerate(self._theirs):
            process = self._context.Process(target=_serve, args=(number, uri, theirs, self._barrier), daemon=True)
            process.start()
            self._processes.append(process)
            theirs.close()
        assert [orders.recv() for orders in self._orders] == ["open"] * PROCESSES

    def __call__(self, do: Callable[[Storage, int, Any], Any], what: Any) -> list[Any]:
        for orders in self._orders:
            orders.send((do, what))
        return [orders.recv() for orders in self._orders]

    def stop(self) -> None:
        for orders in self._orders:
            orders.send(None)
            orders.close()
        for process in self._processes:
            process.join(30)
            assert process.exitcode == 0


@pytest.fixture(scope="module")
def racing(mongo_databases: MongoDatabases) -> Iterator[tuple[Racers, str]]:
    uri = mongo_databases.make()
    racers = Racers(multiprocessing.get_context("spawn"))
    racers.start(uri)
    yield racers, uri
    racers.stop()


@pytest.fixture
def racers(racing: tuple[Racers, str]) -> Racers:
    return racing[0]


@pytest.fixture
def storage(racing: tuple[Racers, str]) -> Iterator[Storage]:
    """The same database, seen from here."""
    storage = open_mongo(racing[1])
    yield storage
    storage.close()


def _picture(storage: Storage, make: Any, name: str, **values: Any) -> PictureRecord:
    return make.picture(storage, OWNER, name, **{"content_blob": "", "thumbnail_blob": "", **values})


def test_one_name(racers, storage, make):
    for n in range(ROUNDS):
        picture = _picture(storage, make, f"name {n}")
        won = racers(_add_picture, picture)
        assert sorted(won) == [False, True]
        assert storage.picture(OWNER, picture.name).size == won.index(True)
    assert len([p for p in storage.pictures(OWNER) if p.name.startswith("name ")]) == ROUNDS


def test_one_user_and_one_address(racers, storage, make):
    for n in range(ROUNDS):
        user = make.user(storage, f"racer {n}", email=f"racer{n}@example.org")
        won = racers(_add_user, user)
        assert sorted(won) == [False, True]
        assert storage.user_by_name(user.name).first_name == f"{won.index(True)}"
        other = dataclasses.replace(user, name=f"address {n}", email=f"address{n}@example.org")
        won = racers(_add_address, other)
        assert sorted(won) == [False, True]
        assert storage.user_by_email(other.email).name == f"{other.name} {won.index(True)}"


def test_one_revision(racers, storage, make):
    for n in range(ROUNDS):
        storage.add_picture(picture := _picture(storage, make, f"revision {n}", header_hash="f" * 64))
        storage.add_permission(Permission(picture.id, OWNER, "write"))
        won = racers(_replace, picture)
        assert sorted(won) == [False, True]
        winner = won.index(True)
        now = storage.picture_by_id(picture.id)
        assert (now.size, now.header_hash, now.envelope) == (winner, f"{winner:064x}", f"envelope {winner}")
        assert [p.grant for p in storage.permissions(picture.id)] == [f"by {winner}"] * 3
        replaced = CREATED.replace(year=2030 + winner)
        assert storage.history(picture.id) == [Revision(picture.id, "f" * 64, picture.envelope, replaced)]


def test_a_revision_and_the_bin(racers, storage, make):
    for n in range(ROUNDS):
        storage.add_picture(picture := _picture(storage, make, f"bin {n}", header_hash="f" * 64))
        replaced, binned = racers(_replace_or_bin, picture)
        assert binned
        assert storage.picture(OWNER, picture.name) is None
        now = storage.picture_by_id(picture.id)
        assert now.deleted == CREATED
        assert (now.header_hash != "f" * 64, len(storage.history(picture.id)) == 1) == (replaced, replaced)


def test_one_revocation(racers, storage):
    for n in range(ROUNDS):
        assert sorted(racers(_revoke, f"token {n}")) == [False, True]
        assert storage.is_revoked(f"token {n}")


def test_one_quota(racers, storage, make):
    for n in range(ROUNDS // 2):
        storage.add_user(user := make.user(storage, f"quota {n}"))
        assert sum(racers(_reserve, user.id)) == 33
        assert storage.user(user.id).used_bytes == 99


def test_one_permission_and_one_removal(racers, storage, make):
    for n in range(ROUNDS):
        storage.add_picture(picture := _picture(storage, make, f"shared {n}"))
        won = racers(_permit, picture.id)
        assert sorted(won) == [False, True]
        assert storage.permissions(picture.id) == [Permission(picture.id, OWNER, f"role {won.index(True)}")]
        assert sorted(racers(_remove, picture.id)) == [False, True]
        assert storage.picture_by_id(picture.id) is None


def test_one_version_of_a_document(racers, storage):
    for version in range(1, ROUNDS):
        won = racers(_put_document, Document(OWNER, "ledger", "", version, b"", CREATED))
        assert sorted(won) == [False, True]
        document = storage.document(OWNER, "ledger")
        assert (document.version, document.value) == (version, b"%d" % won.index(True))


def test_files_of_one_name_follow_each_other(racers, storage):
    for n in range(ROUNDS):
        replaced = racers(_put_file, PublishedFile("", OWNER, f"file {n}", 0, CREATED, ""))
        last = storage.file(OWNER, f"file {n}")
        assert sorted([file is None for file in replaced]) == [False, True]
        assert sorted(file.size for file in [*filter(None, replaced), last]) == [0, 1]


def test_one_secret(racers, storage):
    for n in range(ROUNDS):
        assert len({*racers(_secret, f"secret {n}"), storage.secret(f"secret {n}")}) == 1
