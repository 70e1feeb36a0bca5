"""What people store is accounted for, whatever way it comes, and ends where their room ends."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from backend.storage.mongo import open_mongo
from backend.storage.protocol import StorageError
from tests.backend import samples
from tests.backend.conftest import FAST, Person, Running, serving, serving_storage


@pytest.fixture(params=["embedded", "mongo"])
def small(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    """A server on which nobody may store much."""
    config = replace(FAST, quota_bytes=100_000)
    if request.param == "embedded":
        with serving(tmp_path, config) as server:
            yield server
    else:
        with serving_storage(open_mongo(request.getfixturevalue("mongo_uri")), config) as server:
            yield server


def used(person: Person) -> int:
    used: int = person.call("GET", f"/users/{person.user_id}/usage").json()["used"]
    return used


def stored(server: Running, person: Person | None = None) -> int:
    """Bytes of all blobs and of a person's envelopes."""
    kept = [*server.storage.pictures(person.user_id), *server.storage.bin(person.user_id)] if person else []
    earlier = [revision for picture in kept for revision in server.storage.history(picture.id)]
    size = sum(len(record.envelope) for record in (*kept, *earlier))
    for blob_id in server.storage.blob_ids():
        with server.storage.open_blob(blob_id) as blob:
            size += blob.seek(0, 2)
    return size


def in_chunks(form: dict[str, Any]) -> dict[str, Any]:
    """The same form without a length."""
    prepared = requests.Request("POST", "http://x", **form).prepare()
    body = prepared.body
    assert isinstance(body, bytes)
    return {"data": iter([body]), "headers": {"Content-Type": prepared.headers["Content-Type"]}}


def test_there_is_no_way_around_the_quota(small: Running) -> None:
    person = small.person()
    large = samples.sealed()
    large.image += secrets.token_bytes(120_000)
    quotient = samples.classic("a.png", quotient="9 " * 60_000)
    for form in (large.form(), in_chunks(large.form()), quotient, in_chunks(quotient)):
        answer = person.call("POST", person.images, **form)
        assert (answer.status_code, used(person), stored(small, person)) == (507, 0, 0), answer.text
    first = samples.sealed()
    assert person.call("POST", person.images, **first.form()).status_code == 201
    second = samples.next_revision(first)
    second.image += secrets.token_bytes(120_000)
    path, match = f"{person.images}/{first.stem}", {"If-Match": f'"{first.header_hash}"'}
    chunked = in_chunks(second.form())
    for form in (second.form(), chunked):
        headers = match | form.pop("headers", {})
        assert person.call("PUT", path, headers=headers, **form).status_code == 507
    # what is in the bin takes room as well
    filling = samples.sealed()
    filling.image += secrets.token_bytes(80_000)
    assert person.call("POST", person.images, **filling.form()).status_code == 201
    assert person.call("DELETE", f"{person.images}/{filling.stem}").status_code == 204
    other = samples.sealed()
    other.image += secrets.token_bytes(30_000)
    assert person.call("POST", person.images, **other.form()).status_code == 507
    assert used(person) == stored(small, person) <= 100_000


def test_many_at_once_do_not_get_more_room(small: Running) -> None:
    person = small.person()
    codes: list[int] = []

    def send() -> None:
        sent = samples.sealed()
        sent.image += secrets.token_bytes(30_000)
        codes.append(person.call("POST", person.images, **in_chunks(sent.form())).status_code)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [201] * 2 + [507] * 6
    assert used(person) == stored(small, person) <= 100_000


def test_published_files_are_counted(small: Running) -> None:
    form = {"username": f"ops-{secrets.token_hex(4)}", "password": "a long passphrase", "email": ""}
    assert requests.post(f"{small.base}/ops/signup", data=form, timeout=20).status_code == 201
    token = requests.post(f"{small.base}/ops/login", data=form, timeout=20).text
    headers = {"Authorization": f"Bearer {token}"}
    codes = [
        requests.post(
            f"{small.base}/ops/upload", headers=headers, files={"request_file": (name, bytes(60_000))}, timeout=20
        ).status_code
        for name in ("a", "b", "a")
    ]
    assert codes == [201, 507, 201]
    assert stored(small) == 60_000


def put(person: Person, sent: samples.SealedUpload, replaces: str, **more: Any) -> int:
    path, headers = f"{person.images}/{sent.stem}", {"If-Match": f'"{replaces}"'}
    form = sent.form()
    form["data"] |= more
    return person.call("PUT", path, headers=headers, **form).status_code


def test_grants_take_room(small: Running) -> None:
    person, ben, eve = (small.person() for _ in range(3))
    sent = samples.sealed()
    assert person.call("POST", person.images, **sent.form()).status_code == 201
    before = used(person)
    path = f"{person.images}/{sent.stem}/permissions"

    def give(to: Person, grant: str, method: str = "POST") -> int:
        place = path if method == "POST" else f"{path}/{to.user_id}"
        form = {"user_id": to.user_id, "role": "read", "grant": grant}
        return person.call(method, place, data=form).status_code

    def granted() -> int:
        return small.storage.grant_bytes(small.storage.pictures(person.user_id)[0].id)

    small_grant, large_grant = (samples.grant(sent, note="A" * size) for size in (4, 4000))
    assert [give(ben, small_grant), give(ben, small_grant), give(eve, large_grant)] == [201, 409, 201]
    assert used(person) - before == granted() == len(small_grant) + len(large_grant)
    assert [give(ben, large_grant, "PUT"), give(eve, small_grant, "PUT")] == [204, 204]
    assert used(person) - before == granted() == len(small_grant) + len(large_grant)
    # a full account gives no more, and can take back and make smaller what it gave
    assert small.storage.change_user(person.user_id, {}, {"quota_bytes": used(person)})
    assert give(small.person(), small_grant) == give(eve, large_grant, "PUT") == 507
    assert [give(ben, small_grant, "PUT"), give(ben, "", "PUT")] == [204, 204]
    assert person.call("DELETE", f"{path}/{eve.user_id}").status_code == 204
    assert (used(person), granted()) == (before, 0)
    # an epoch brings all of them anew, and who leaves takes what they were given along
    assert small.storage.change_user(person.user_id, {}, {"quota_bytes": 0})
    second = samples.next_epoch(sent)
    grant = samples.grant(second)
    anew = json.dumps([{"user_id": ben.user_id, "role": "read", "grant": grant}])
    assert put(person, second, sent.header_hash, permissions=anew) == 200
    assert granted() == len(grant)
    assert used(person) == stored(small, person) + granted()
    assert ben.call("DELETE", f"/users/{ben.user_id}", data={"password": ben.password}).status_code == 200
    assert granted() == 0 and used(person) == stored(small, person)
    picture = small.storage.pictures(person.user_id)[0]
    small.storage.recount_bytes(person.user_id)
    assert used(person) == stored(small, person)
    assert give(eve, samples.grant(second)) == 201
    person.call("DELETE", f"{person.images}/{sent.stem}")
    assert person.call("DELETE", f"/users/{person.user_id}/bin/{picture.id}").status_code == 204
    assert used(person) == 0


def test_a_grant_that_is_taken_back_while_its_picture_goes_is_released_once(small: Running) -> None:
    person, ben = small.person(), small.person()
    gone, kept = samples.sealed(), samples.sealed()
    for sent in (gone, kept):
        assert person.call("POST", person.images, **sent.form()).status_code == 201
    form = {"user_id": ben.user_id, "role": "read", "grant": samples.grant(gone)}
    assert person.call("POST", f"{person.images}/{gone.stem}/permissions", data=form).status_code == 201
    person.call("DELETE", f"{person.images}/{gone.stem}")
    (picture,) = small.storage.bin(person.user_id)
    remove = small.storage.remove_picture

    def late(picture_id: str, **more: Any) -> Any:
        taken = small.storage.remove_permission(picture_id, ben.user_id)  # at the last moment, by another worker
        small.storage.release_bytes(person.user_id, len(taken.grant))
        return remove(picture_id, **more)

    with pytest.MonkeyPatch.context() as racing:
        racing.setattr(small.storage, "remove_picture", late)
        assert person.call("DELETE", f"/users/{person.user_id}/bin/{picture.id}").status_code == 204
    shown = used(person)
    assert shown == small.storage.recount_bytes(person.user_id)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_grant_that_could_not_be_stored_takes_no_room(small: Running, method: str) -> None:
    person, ben, sent = small.person(), small.person(), samples.sealed()
    assert person.call("POST", person.images, **sent.form()).status_code == 201
    path = f"{person.images}/{sent.stem}/permissions"
    form = {"user_id": ben.user_id, "role": "read", "grant": samples.grant(sent)}
    name = "add_permission" if method == "POST" else "set_permission"
    if method == "PUT":
        assert person.call("POST", path, data={"user_id": ben.user_id, "role": "read"}).status_code == 201
        path = f"{path}/{ben.user_id}"
    before, change = used(person), getattr(small.storage, name)

    def fails(*arguments: Any, **more: Any) -> Any:
        raise StorageError("full", "planted")

    def fails_late(*arguments: Any, **more: Any) -> Any:
        change(*arguments, **more)
        raise StorageError("unreachable", "planted")  # the answer is lost

    for failing, status, more in ((fails, 507, 0), (fails_late, 503, len(form["grant"]))):
        with pytest.MonkeyPatch.context() as broken:
            broken.setattr(small.storage, name, failing)
            assert person.call(method, path, data=form).status_code == status
        assert used(person) == before + more
    shown = used(person)
    assert shown == small.storage.recount_bytes(person.user_id)


def test_what_is_taken_back_is_gone_although_its_room_is_not_given_back_yet(
    small: Running, caplog: pytest.LogCaptureFixture
) -> None:
    person, ben, sent = small.person(), small.person(), samples.sealed()
    assert person.call("POST", person.images, **sent.form()).status_code == 201
    path = f"{person.images}/{sent.stem}/permissions"
    form = {"user_id": ben.user_id, "role": "read", "grant": samples.grant(sent)}
    assert person.call("POST", path, data=form).status_code == 201

    def fails(*_: object) -> None:
        raise StorageError("unreachable", "planted")

    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(small.storage, "release_bytes", fails)
        assert person.call("DELETE", f"{path}/{ben.user_id}").status_code == 204
    assert person.call("GET", path).json() == [] and "stays accounted for: planted" in caplog.text
    shown = used(person)
    assert shown == small.storage.recount_bytes(person.user_id) + len(form["grant"])


def test_a_history_ends_but_never_before_the_owner_can_take_back(
    small: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = samples.sealed()
    person, size = small.person(), len(first.envelope)
    monkeypatch.setattr("backend.services.revisions.HISTORY_LIMIT", 5 * size // 2)
    monkeypatch.setattr("backend.services.revisions.EPOCHS_LIMIT", 2 * size)
    assert person.call("POST", person.images, **first.form()).status_code == 201
    last = first
    for following, more in ((samples.next_revision, {}), (samples.next_epoch, {"permissions": "[]"})):
        for status in (200, 200, 409):
            sent = following(last)
            assert put(person, sent, last.header_hash, **more) == status
            last = sent if status == 200 else last
    assert used(person) == stored(small, person)
    assert person.call("DELETE", f"{person.images}/{first.stem}").status_code == 204


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_grant_of_an_epoch_that_is_over_is_not_given(small: Running, method: str) -> None:
    """Two workers: one shares, the other begins an epoch after the first has looked at the grant."""
    person, ben = small.person(), small.person()
    sent = samples.sealed()
    person.call("POST", person.images, **sent.form())
    second = samples.next_epoch(sent)
    new = samples.grant(second)
    anew = json.dumps([{"user_id": ben.user_id, "role": "read", "grant": new}])
    path = f"{person.images}/{sent.stem}/permissions"
    old = {"user_id": ben.user_id, "role": "read", "grant": samples.grant(sent)}
    name = "count_permissions" if method == "POST" else "permission"
    if method == "PUT":
        assert person.call("POST", path, data=old).status_code == 201
        path = f"{path}/{ben.user_id}"
    ask, begun = getattr(small.storage, name), []

    def late(*arguments: Any) -> Any:
        answer = ask(*arguments)
        if not begun:
            begun.append("now")
            begun.append(str(put(person, second, sent.header_hash, permissions=anew)))
        return answer

    with pytest.MonkeyPatch.context() as racing:
        racing.setattr(small.storage, name, late)
        assert person.call(method, path, data=old).status_code == 409
    assert begun == ["now", "200"]
    picture = small.storage.picture(person.user_id, f"{sent.stem}.png")
    assert [given.grant for given in small.storage.permissions(picture.id)] == [new]
    assert used(person) == stored(small, person) + len(new)
