"""When the storage fails: a clear answer, no traceback, nothing half-kept."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.storage.protocol import DuplicateRecord, StorageError
from tests.backend import samples
from tests.backend.conftest import Person, Running, serving


class Failing:
    """A storage that fails where a test tells it to."""

    def __init__(self, storage: Any) -> None:
        self._storage = storage
        self.failures: dict[str, BaseException] = {}
        self.bytes_left: int | None = None
        self.after: dict[str, BaseException] = {}
        self.then: dict[str, BaseException] = {}

    def __getattr__(self, name: str) -> Any:
        if name in self.failures:
            raise self.failures[name]
        method = getattr(self._storage, name)
        if name not in self.after:
            return method

        def late(*args: Any, **more: Any) -> Any:
            method(*args, **more)
            self.failures |= self.then
            raise self.after[name]

        return late

    def write_blob(self) -> Any:
        if "write_blob" in self.failures:
            raise self.failures["write_blob"]
        return Writer(self, self._storage.write_blob())


class Writer:
    """A blob writer of a disk with so many bytes left."""

    def __init__(self, disk: Failing, writer: Any) -> None:
        self._disk, self._writer = disk, writer

    def __enter__(self) -> Writer:
        self._writer.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._writer.__exit__(*exc)

    def write(self, data: bytes) -> int:
        if self._disk.bytes_left is not None:
            self._disk.bytes_left -= len(data)
            if self._disk.bytes_left < 0:
                raise StorageError("full", "no room at /secret/place")
        return int(self._writer.write(data))

    def commit(self) -> str:
        if "commit" in self._disk.failures:
            raise self._disk.failures["commit"]
        return str(self._writer.commit())


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Failing]]:
    """A server over a storage that can be made to fail."""
    made: list[Failing] = []

    def wrap(storage: Any) -> Failing:
        made.append(Failing(storage))
        return made[0]

    with serving(tmp_path_factory.mktemp("broken"), wrap=wrap) as running:
        yield running, made[0]


@pytest.fixture
def disk(broken: tuple[Running, Failing]) -> Iterator[Failing]:
    """The storage, whole again afterwards."""
    yield broken[1]
    broken[1].failures.clear()
    broken[1].after.clear()
    broken[1].then.clear()
    broken[1].bytes_left = None


@pytest.fixture
def someone(broken: tuple[Running, Failing], disk: Failing) -> Person:
    """Somebody new on the failing server."""
    return broken[0].person()


def incoming(running: Running) -> list[Path]:
    """What is being written at the moment."""
    return list(running.storage._blobs._incoming.iterdir())


REASONS = [
    ("full", 507, "The server's storage is full"),
    ("read-only", 503, "The server's storage is read-only"),
    ("in-use", 503, "The server's storage is in use by another process"),
    ("damaged", 500, "The server's storage is damaged"),
    ("other", 500, "The server's storage failed"),
    ("new kind", 500, "The server's storage failed"),
]


@pytest.mark.parametrize(("reason", "status", "message"), REASONS)
def test_a_failure_has_a_status_and_a_text_of_its_own(
    someone: Person, disk: Failing, caplog: pytest.LogCaptureFixture, reason: str, status: int, message: str
) -> None:
    disk.failures["count_pictures"] = StorageError(reason, "disk /dev/sda at /secret/place")
    with caplog.at_level(logging.ERROR):
        answer = someone.call("GET", someone.images)
    assert (answer.status_code, answer.json()) == (status, {"message": message})
    assert "/secret/place" in caplog.text


@pytest.mark.parametrize("bytes_left", [0, 3, 100, 3000])
@pytest.mark.parametrize("scheme", ["classic", "sealed"])
def test_a_full_disk_in_the_middle_of_an_upload(
    broken: tuple[Running, Failing], someone: Person, disk: Failing, bytes_left: int, scheme: str
) -> None:
    running, form = broken[0], samples.sealed().form() if scheme == "sealed" else samples.classic(quotient="1 " * 5000)
    blobs = set(running.storage.blob_ids())
    disk.bytes_left = bytes_left
    answer = someone.call("POST", someone.images, **form)
    assert (answer.status_code, answer.json()) == (507, {"message": "The server's storage is full"})
    assert set(running.storage.blob_ids()) == blobs
    assert incoming(running) == []
    disk.bytes_left = None
    assert someone.call("GET", someone.images).json() == []
    assert someone.call("POST", someone.images, **form).status_code == 201


@pytest.mark.parametrize("where", ["write_blob", "commit", "add_picture"])
@pytest.mark.parametrize("error", [StorageError("full", "no room"), MemoryError()])
def test_a_failure_at_each_step_of_an_upload(
    broken: tuple[Running, Failing], someone: Person, disk: Failing, where: str, error: BaseException
) -> None:
    running, sent = broken[0], samples.sealed()
    blobs = set(running.storage.blob_ids())
    disk.failures[where] = error
    answer = someone.call("POST", someone.images, **sent.form())
    assert answer.status_code == (507 if isinstance(error, StorageError) else 500)
    disk.failures.clear()
    assert set(running.storage.blob_ids()) == blobs
    assert incoming(running) == []
    assert someone.call("GET", someone.images).json() == []
    assert someone.call("POST", someone.images, **sent.form()).status_code == 201


def test_a_record_that_was_added_after_all_keeps_its_bytes(someone: Person, disk: Failing) -> None:
    # As when the disk fails while the engine confirms: the record is there, the engine says it failed.
    sent = samples.sealed()
    disk.after["add_picture"] = StorageError("other", "lost connection")
    assert someone.call("POST", someone.images, **sent.form()).status_code == 500
    disk.after.clear()
    assert someone.call("GET", f"{someone.images}/{sent.stem}/content").content == sent.image
    assert someone.call("POST", someone.images, **sent.form()).status_code == 200


def test_doubt_keeps_the_bytes(someone: Person, disk: Failing) -> None:
    # From then on nothing can be read either, so whether the record is there cannot be found out.
    sent = samples.sealed()
    disk.after["add_picture"] = disk.then["picture"] = StorageError("other", "lost connection")
    assert someone.call("POST", someone.images, **sent.form()).status_code == 500
    disk.after.clear()
    disk.failures.clear()
    assert someone.call("GET", f"{someone.images}/{sent.stem}/content").content == sent.image


def test_deleting_is_done_when_the_record_is_gone(
    broken: tuple[Running, Failing], someone: Person, disk: Failing, caplog: pytest.LogCaptureFixture
) -> None:
    sent = samples.sealed()
    row = someone.call("POST", someone.images, **sent.form()).json()
    disk.failures["remove_blob"] = StorageError("read-only", "cannot remove")
    assert someone.call("DELETE", f"{someone.images}/{sent.stem}").status_code == 204
    assert someone.call("DELETE", f"/users/{someone.user_id}/bin/{row['id']}").status_code == 204
    assert someone.call("GET", f"/users/{someone.user_id}/bin").json() == []
    assert "stay until the next start" in caplog.text


def test_bytes_that_are_gone_are_said_to_be(
    broken: tuple[Running, Failing], someone: Person, caplog: pytest.LogCaptureFixture
) -> None:
    running, sent = broken[0], samples.sealed()
    someone.call("POST", someone.images, **sent.form())
    record = running.storage.picture(someone.user_id, f"{sent.stem}.png")
    running.storage.remove_blob(record.content_blob)
    for suffix in ("", "/content"):
        answer = someone.call("GET", f"{someone.images}/{sent.stem}{suffix}")
        assert (answer.status_code, answer.json()) == (500, {"message": "The stored data cannot be read"})
    assert record.id in caplog.text


def test_what_nobody_foresaw_is_one_line_of_json(
    someone: Person, disk: Failing, caplog: pytest.LogCaptureFixture
) -> None:
    disk.failures["users"] = RuntimeError("the secret inside")
    answer = someone.call("GET", "/users")
    assert (answer.status_code, answer.text) == (500, '{"message":"Internal server error"}')
    assert "the secret inside" in caplog.text
    assert someone.token not in caplog.text


def test_a_name_that_is_always_taken_is_no_endless_loop(
    broken: tuple[Running, Failing], someone: Person, disk: Failing
) -> None:
    sent, blobs = samples.sealed(), set(broken[0].storage.blob_ids())
    disk.failures["add_picture"] = DuplicateRecord("taken")
    answer = someone.call("POST", someone.images, **sent.form())
    assert (answer.status_code, answer.json()) == (409, {"message": "This picture was changed at the same time"})
    assert set(broken[0].storage.blob_ids()) == blobs
