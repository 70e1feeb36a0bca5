"""What accounts may store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from backend.services.quota import OVERHEAD
from backend.storage.protocol import StorageError
from tests.backend import samples
from tests.backend.conftest import FAST, Person, Running, serving
from tests.backend.samples import SealedUpload
from tests.backend.test_failures import Failing

FULL = (507, {"message": "Your storage on this server is full"})
LIMIT = 200_000


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Failing]]:
    """A server on which accounts may store little, over a storage that can be made to fail."""
    made: list[Failing] = []

    def wrap(storage: Any) -> Failing:
        made.append(Failing(storage))
        return made[0]

    with serving(tmp_path_factory.mktemp("small"), replace(FAST, quota_bytes=LIMIT), wrap) as running:
        yield running, made[0]


@pytest.fixture
def someone(small: tuple[Running, Failing]) -> Person:
    """Somebody new there."""
    return small[0].person()


def of_size(size: int, sent: SealedUpload | None = None, *earlier: SealedUpload) -> SealedUpload:
    """An upload that takes so many bytes in all, with the envelopes of earlier revisions."""
    sent = sent or samples.sealed()
    kept = sum(len(one.envelope) for one in (sent, *earlier))
    sent.image += bytes(size - len(sent.image) - len(sent.thumbnail) - kept)
    return sent


def store(person: Person, sent: SealedUpload) -> requests.Response:
    return person.call("POST", person.images, **sent.form())


def usage(person: Person) -> dict[str, Any]:
    found: dict[str, Any] = person.call("GET", f"/users/{person.user_id}/usage").json()
    return found


def answer(response: requests.Response) -> tuple[int, Any]:
    return response.status_code, response.json()


def test_usage(someone: Person) -> None:
    assert usage(someone) == {"used": 0, "limit": LIMIT, "pictures": 0, "bin": {"pictures": 0, "bytes": 0}}
    sent = of_size(50_000)
    store(someone, sent)
    image = samples.png()
    someone.call("POST", someone.images, **samples.classic("a.png", image, "1 2 3 "))
    used = 50_000 + len(image) + len("1 2 3 ")
    assert usage(someone) == {"used": used, "limit": LIMIT, "pictures": 2, "bin": {"pictures": 0, "bytes": 0}}
    someone.call("DELETE", f"{someone.images}/{sent.stem}")
    assert usage(someone) == {"used": used, "limit": LIMIT, "pictures": 1, "bin": {"pictures": 1, "bytes": 50_000}}
    someone.call("DELETE", f"/users/{someone.user_id}/bin")
    assert usage(someone)["used"] == used - 50_000


def test_nobody_else_sees_it(small: tuple[Running, Failing], someone: Person) -> None:
    assert small[0].person().call("GET", f"/users/{someone.user_id}/usage").status_code == 401


def test_full_to_the_byte_and_not_one_more(small: tuple[Running, Failing], someone: Person) -> None:
    first = of_size(150_000)
    assert store(someone, first).status_code == 201
    blobs = set(small[0].storage.blob_ids())
    assert answer(store(someone, of_size(50_001))) == FULL
    assert set(small[0].storage.blob_ids()) == blobs
    assert usage(someone)["used"] == 150_000
    assert store(someone, of_size(50_000)).status_code == 201
    assert usage(someone)["used"] == LIMIT
    assert answer(someone.call("POST", someone.images, **samples.classic("a.png"))) == FULL
    assert answer(store(someone, first))[0] == 200  # the same once more needs no room
    someone.call("DELETE", f"{someone.images}/{first.stem}")
    assert answer(store(someone, of_size(10_000))) == FULL  # the bin counts
    assert store(someone, first).status_code == 200
    someone.call("DELETE", f"{someone.images}/{first.stem}")
    someone.call("DELETE", f"/users/{someone.user_id}/bin")
    assert store(someone, of_size(150_000)).status_code == 201


def test_revisions_need_room_for_what_they_are_larger(small: tuple[Running, Failing], someone: Person) -> None:
    first = of_size(150_000)
    store(someone, first)

    def put(sent: SealedUpload, replaces: SealedUpload) -> requests.Response:
        headers = {"If-Match": f'"{replaces.header_hash}"'}
        return someone.call("PUT", f"{someone.images}/{sent.stem}", headers=headers, **sent.form())

    assert answer(put(of_size(LIMIT + 1, samples.next_revision(first)), first)) == FULL
    assert usage(someone)["used"] == 150_000
    assert answer(put(of_size(LIMIT + 1, samples.next_revision(first), first), first)) == FULL
    second = of_size(LIMIT, samples.next_revision(first), first)
    assert put(second, first).status_code == 200
    assert usage(someone)["used"] == LIMIT
    third = of_size(20_000, samples.next_revision(second), first, second)
    assert put(third, second).status_code == 200
    assert usage(someone)["used"] == 20_000
    assert put(third, second).status_code == 200
    assert usage(someone)["used"] == 20_000
    assert small[0].storage.recount_bytes(someone.user_id) == 20_000
    someone.call("DELETE", f"{someone.images}/{first.stem}")
    assert usage(someone)["bin"] == {"pictures": 1, "bytes": 20_000}
    someone.call("DELETE", f"/users/{someone.user_id}/bin")
    assert usage(someone)["used"] == 0


def test_a_picture_from_when_envelopes_did_not_count(small: tuple[Running, Failing], someone: Person) -> None:
    storage, first = small[0].storage, samples.sealed()
    store(someone, first)
    record = storage.picture(someone.user_id, f"{first.stem}.png")
    assert record is not None
    storage.remove_picture(record.id)
    storage.add_picture(replace(record, stored_bytes=len(first.image) + len(first.thumbnail), **_blobs(storage, first)))
    storage.recount_bytes(someone.user_id)
    second = of_size(20_000, samples.next_revision(first), first)
    headers = {"If-Match": f'"{first.header_hash}"'}
    assert someone.call("PUT", f"{someone.images}/{first.stem}", headers=headers, **second.form()).status_code == 200
    assert usage(someone)["used"] == 20_000


def _blobs(storage: Any, sent: SealedUpload) -> dict[str, str]:
    made = {}
    for field, data in (("content_blob", sent.image), ("thumbnail_blob", sent.thumbnail)):
        with storage.write_blob() as blob:
            blob.write(data)
            made[field] = blob.commit()
    return made


def test_an_account_of_its_own_limit(small: tuple[Running, Failing], someone: Person) -> None:
    storage = small[1]
    assert storage.change_user(someone.user_id, {}, {"quota_bytes": 10_000})
    assert usage(someone)["limit"] == 10_000
    assert answer(store(someone, of_size(10_001))) == FULL
    assert storage.change_user(someone.user_id, {}, {"quota_bytes": 0})
    assert store(someone, of_size(LIMIT + 50_000)).status_code == 201
    assert usage(someone)["limit"] == 0


def test_what_is_no_envelope_is_called_so_also_without_room(someone: Person) -> None:
    sent = of_size(LIMIT + OVERHEAD)
    sent.envelope = "{}"
    assert answer(store(someone, sent)) == (422, {"message": "Envelope is invalid"})


def test_what_cannot_fit_is_refused_before_it_is_read(small: tuple[Running, Failing], someone: Person) -> None:
    written: list[int] = []
    disk = small[1]
    begin = disk.write_blob

    def watched() -> Any:
        written.append(1)
        return begin()

    disk.write_blob = watched  # type: ignore[method-assign]
    try:
        assert answer(store(someone, of_size(LIMIT + OVERHEAD))) == FULL
        large = samples.classic("a.png", quotient="1 " * LIMIT)
        assert answer(someone.call("POST", someone.images, **large)) == FULL
    finally:
        del disk.write_blob
    # requests puts the fields before the files, so that the server knows what comes
    assert written == []


def test_eight_at_once_never_exceed_it(small: tuple[Running, Failing], someone: Person) -> None:
    start, codes = threading.Barrier(8), []

    def run() -> None:
        session = requests.Session()
        session.trust_env = False
        uploader = replace(someone, session=session)
        start.wait(20)
        codes.extend(store(uploader, of_size(30_000)).status_code for _ in range(3))
        session.close()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(codes) == [201] * 6 + [507] * 18
    assert usage(someone) == {"used": 180_000, "limit": LIMIT, "pictures": 6, "bin": {"pictures": 0, "bytes": 0}}
    assert small[0].storage.recount_bytes(someone.user_id) == 180_000


def test_what_fails_gives_its_room_back(small: tuple[Running, Failing], someone: Person) -> None:
    disk = small[1]
    for name in ("commit", "add_picture"):
        disk.failures[name] = StorageError("full", "no room")
        assert store(someone, of_size(50_000)).status_code == 507
        disk.failures.clear()
        assert usage(someone)["used"] == 0
    first = of_size(50_000)
    store(someone, first)
    second = of_size(90_000, samples.next_revision(first))
    headers = {"If-Match": f'"{first.header_hash}"'}
    for name in ("commit", "replace_picture"):
        disk.failures[name] = StorageError("full", "no room")
        refused = someone.call("PUT", f"{someone.images}/{first.stem}", headers=headers, **second.form())
        assert refused.status_code == 507
        disk.failures.clear()
        assert usage(someone)["used"] == 50_000
        assert someone.call("GET", f"{someone.images}/{first.stem}/content").content == first.image


def test_a_revision_that_is_there_although_it_failed(small: tuple[Running, Failing], someone: Person) -> None:
    disk, first = small[1], of_size(50_000)
    store(someone, first)
    second = of_size(90_000, samples.next_revision(first), first)
    headers = {"If-Match": f'"{first.header_hash}"'}
    disk.after["replace_picture"] = StorageError("other", "lost connection")
    path = f"{someone.images}/{first.stem}"
    assert someone.call("PUT", path, headers=headers, **second.form()).status_code == 500
    disk.after.clear()
    assert someone.call("GET", path + "/content").content == second.image
    assert someone.call("PUT", path, headers=headers, **second.form()).status_code == 200
    assert usage(someone)["used"] == 90_000


def test_a_picture_that_arrives_while_the_account_is_deleted(small: tuple[Running, Failing], someone: Person) -> None:
    disk, storage = small[1], small[0].storage
    blobs = set(storage.blob_ids())

    def late(record: Any) -> None:
        # whoever deletes the account has just looked for pictures
        assert storage.change_user(someone.user_id, {}, {"closing": True})
        storage.add_picture(record)

    disk.add_picture = late  # type: ignore[attr-defined]
    try:
        refused = store(someone, of_size(50_000))
    finally:
        del disk.add_picture  # type: ignore[attr-defined]
    assert answer(refused) == (401, {"message": "User is not authorized"})
    assert storage.pictures(someone.user_id) == []
    assert set(storage.blob_ids()) == blobs
    assert storage.user(someone.user_id).used_bytes == 0
