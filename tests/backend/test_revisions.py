"""New revisions of sealed pictures: order, who may, races, history."""

from __future__ import annotations

import hashlib
import json
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import RawIOBase
from pathlib import Path
from typing import Any

import pytest
import requests
from werkzeug.test import EnvironBuilder, run_wsgi_app

from backend import create_app
from tests.backend import samples
from tests.backend.conftest import FAST, Person, Running
from tests.backend.samples import SealedUpload

ANOTHER = {"message": "Another revision is stored"}
NOT_AUTHORIZED = {"message": "User is not authorized"}


@pytest.fixture
def first(person: Person) -> SealedUpload:
    """A picture that is stored."""
    sent = samples.sealed()
    assert person.call("POST", person.images, **sent.form()).status_code == 201
    return sent


def put(
    who: Person, owner: Person, sent: SealedUpload, replaces: str | None, permissions: Any = None, stem: str = ""
) -> requests.Response:
    form = sent.form()
    if permissions is not None:
        form["data"]["permissions"] = permissions if isinstance(permissions, str) else json.dumps(permissions)
    headers = {} if replaces is None else {"If-Match": f'"{replaces}"'}
    return who.call("PUT", f"{owner.images}/{stem or sent.stem}", headers=headers, **form)


def answer(response: requests.Response) -> tuple[int, Any]:
    return response.status_code, response.json()


def share(owner: Person, sent: SealedUpload, reader: Person, role: str) -> None:
    form = {"user_id": reader.user_id, "role": role, "grant": samples.grant(sent, role)}
    assert owner.call("POST", f"{owner.images}/{sent.stem}/permissions", data=form).status_code == 201


def test_a_revision_takes_the_place_of_the_one_before(server: Running, person: Person, first: SealedUpload) -> None:
    (row,) = person.call("GET", f"{person.images}?limit=1").json()
    blobs = set(server.storage.blob_ids())
    second = samples.next_revision(first)
    response = put(person, person, second, first.header_hash)
    assert response.status_code == 200
    assert response.headers["ETag"] == f'"{second.header_hash}"'
    revised = response.json()
    assert (revised["id"], revised["created"]) == (row["id"], row["created"])
    assert (revised["envelope"], revised["header_hash"]) == (second.envelope, second.header_hash)
    assert revised["updated"] >= revised["created"]
    content = person.call("GET", f"{person.images}/{first.stem}/content")
    assert content.content == second.image
    assert content.headers["ETag"] == f'"{hashlib.sha256(second.image).hexdigest()}"'
    assert len(set(server.storage.blob_ids()) - blobs) == 2
    assert len(set(server.storage.blob_ids())) == len(blobs)  # those of the first are gone
    (listed,) = person.call("GET", f"{person.images}?limit=1").json()
    assert (listed["envelope"], listed["size"]) == (second.envelope, len(second.image))
    whole = person.call("GET", f"{person.images}/{first.stem}").json()
    assert whole["img_content"].encode("iso-8859-1") == second.image


def test_the_present_one_and_the_earlier_ones_can_be_asked_for(person: Person, first: SealedUpload) -> None:
    chain = [first]
    for _ in range(4):
        chain.append(samples.next_revision(chain[-1]))
        assert put(person, person, chain[-1], chain[-2].header_hash).status_code == 200
    path = f"{person.images}/{first.stem}"
    present = person.call("GET", path + "/envelope")
    assert present.headers["ETag"] == f'"{chain[-1].header_hash}"'
    found = {key: present.json()[key] for key in ("envelope", "header_hash", "role", "grant")}
    assert found == {
        "envelope": chain[-1].envelope, "header_hash": chain[-1].header_hash, "role": "owner", "grant": "",
    }  # fmt: skip
    history = person.call("GET", path + "/history").json()
    assert [one["envelope"] for one in history] == [one.envelope for one in chain[:-1]]
    assert [one["header_hash"] for one in history] == [one.header_hash for one in chain[:-1]]
    assert sorted(one["replaced"] for one in history) == [one["replaced"] for one in history]
    seen: list[Any] = []
    while page := person.call(
        "GET", path + "/history?limit=3" + (f"&after={seen[-1]['header_hash']}" if seen else "")
    ).json():
        assert len(page) <= 3
        seen += page
    assert seen == history
    for after in ("f" * 64, "x", "F" * 64):
        refused = person.call("GET", f"{path}/history?limit=3&after={after}")
        assert answer(refused) == (422, {"message": "after must be the header hash of an earlier revision"})


def test_what_it_replaces_must_be_said_and_true(person: Person, first: SealedUpload) -> None:
    second, rival = samples.next_revision(first), samples.next_revision(first)
    assert answer(put(person, person, second, None)) == (428, {"message": "If-Match is required"})
    for bad in ("*", "abc", '"a", "b"', 'W/"abc"', '""', f'"{"a" * 200}"'):
        refused = person.call("PUT", f"{person.images}/{first.stem}", headers={"If-Match": bad}, **second.form())
        assert answer(refused) == (422, {"message": "If-Match must hold one tag in quotes"})
    assert put(person, person, second, first.header_hash).status_code == 200
    late = put(person, person, rival, first.header_hash)
    assert answer(late) == (412, ANOTHER)
    assert late.headers["ETag"] == f'"{second.header_hash}"'
    assert person.call("GET", f"{person.images}/{first.stem}/content").content == second.image


def test_the_same_once_more_is_harmless(server: Running, person: Person, first: SealedUpload) -> None:
    second = samples.next_revision(first)
    assert put(person, person, second, first.header_hash).status_code == 200
    blobs = set(server.storage.blob_ids())
    used = server.storage.user(person.user_id).used_bytes
    for replaces in (first.header_hash, second.header_hash, "a" * 64):
        again = put(person, person, second, replaces)
        assert (again.status_code, again.json()["header_hash"]) == (200, second.header_hash)
    assert set(server.storage.blob_ids()) == blobs
    assert server.storage.user(person.user_id).used_bytes == used
    assert len(person.call("GET", f"{person.images}/{first.stem}/history").json()) == 1


ORDER: dict[str, tuple[Callable[[SealedUpload], SealedUpload], str]] = {
    "another prev": (
        lambda one: samples.next_revision(one, prev="e" * 64),
        "The envelope does not name the revision that it replaces",
    ),
    "a jump": (lambda one: samples.next_revision(one, rev=3), "The revision must be the next one of its epoch"),
    "the same number": (
        lambda one: samples.next_revision(one, rev=1),
        "The revision must be the next one of its epoch",
    ),
    "an epoch too far": (
        lambda one: samples.next_epoch(one, deed={"epoch": 3}),
        "A new deed must begin the next epoch with revision 1",
    ),
    "another deed of the epoch": (
        lambda one: samples.next_epoch(one, deed={"epoch": 1}, rev=2),
        "A new deed must begin the next epoch with revision 1",
    ),
    "an epoch that begins late": (
        lambda one: samples.next_epoch(one, rev=2),
        "A new deed must begin the next epoch with revision 1",
    ),
    "an epoch by somebody else": (
        lambda one: samples.next_epoch(one, author="e" * 64),
        "Only the owner begins an epoch",
    ),
    "no number": (lambda one: samples.next_revision(one, rev="2"), "Envelope is invalid"),
    "nought": (lambda one: samples.next_revision(one, rev=0), "Envelope is invalid"),
    "2^31": (lambda one: samples.next_revision(one, rev=2**31), "Envelope is invalid"),
    "no prev": (lambda one: samples.next_revision(one, prev=""), "Envelope is invalid"),
    "no epoch": (lambda one: samples.next_epoch(one, deed={"epoch": 0}), "Envelope is invalid"),
    "no owner": (lambda one: samples.next_epoch(one, deed={"owner": "x"}), "Envelope is invalid"),
}


@pytest.mark.parametrize(("make", "message"), ORDER.values(), ids=ORDER.keys())
def test_only_the_next_one_is_taken(
    server: Running,
    person: Person,
    first: SealedUpload,
    make: Callable[[SealedUpload], SealedUpload],
    message: str,
) -> None:
    blobs, used = set(server.storage.blob_ids()), server.storage.user(person.user_id).used_bytes
    refused = put(person, person, make(first), first.header_hash, permissions=[])
    assert answer(refused) == (422, {"message": message})
    assert person.call("GET", f"{person.images}/{first.stem}/envelope").json()["envelope"] == first.envelope
    assert set(server.storage.blob_ids()) == blobs
    assert server.storage.user(person.user_id).used_bytes == used


def test_what_is_missing_is_named(person: Person, first: SealedUpload) -> None:
    path, headers = f"{person.images}/{first.stem}", {"If-Match": f'"{first.header_hash}"'}
    second = samples.next_revision(first)
    refused = person.call("PUT", path, headers=headers, files={"x": ("x", b"y")})
    assert answer(refused) == (422, {"message": "Image file is required, Envelope is required"})
    form = second.form()
    del form["files"]["thumbnail"]
    assert answer(person.call("PUT", path, headers=headers, **form)) == (422, {"message": "Thumbnail is required"})
    form = second.form()
    form["files"]["imageFile"] = ("else.png", second.image)
    message = "Image file must be named p-<picture id>.png as in the envelope"
    assert answer(person.call("PUT", path, headers=headers, **form)) == (422, {"message": message})
    other = samples.sealed()
    refused = put(person, person, other, first.header_hash, stem=first.stem)
    assert answer(refused) == (422, {"message": "The envelope is of another picture"})
    form = second.form()
    form["data"]["envelope"] = "{}"
    assert answer(person.call("PUT", path, headers=headers, **form)) == (422, {"message": "Envelope is invalid"})


def test_only_sealed_pictures_that_are_there(person: Person) -> None:
    sent = samples.sealed()
    missing = {"message": "Image not found"}
    assert answer(put(person, person, sent, "a" * 64)) == (404, missing)
    person.call("POST", person.images, **samples.classic("bicycle.png"))
    none = {"message": "This picture has no envelope"}
    assert answer(put(person, person, sent, "a" * 64, stem="bicycle")) == (404, none)
    for what in ("envelope", "history"):
        assert answer(person.call("GET", f"{person.images}/bicycle/{what}")) == (404, none)
        assert answer(person.call("GET", f"{person.images}/nothing/{what}")) == (404, missing)


def test_a_writer_revises_and_a_reader_looks(server: Running, person: Person, first: SealedUpload) -> None:
    writer, reader, stranger = server.person(), server.person(), server.person()
    share(person, first, writer, "write")
    share(person, first, reader, "read")
    second = samples.next_revision(first)
    for nobody in (reader, stranger):
        assert answer(put(nobody, person, second, first.header_hash)) == (401, NOT_AUTHORIZED)
    assert put(writer, person, second, first.header_hash).status_code == 200
    for who, role in ((writer, "write"), (reader, "read")):
        present = who.call("GET", f"{person.images}/{first.stem}/envelope").json()
        assert (present["header_hash"], present["role"]) == (second.header_hash, role)
        assert json.loads(present["grant"])["body"]["role"] == role
        (earlier,) = who.call("GET", f"{person.images}/{first.stem}/history").json()
        assert earlier["envelope"] == first.envelope
        assert who.call("GET", f"{person.images}/{first.stem}/content").content == second.image
    for what in ("envelope", "history"):
        assert answer(stranger.call("GET", f"{person.images}/{first.stem}/{what}")) == (401, NOT_AUTHORIZED)
    epoch = samples.next_epoch(second)
    assert answer(put(writer, person, epoch, second.header_hash, [])) == (401, NOT_AUTHORIZED)
    assert server.storage.user(writer.user_id).used_bytes == 0


def test_a_new_epoch_gives_everybody_new_grants_or_none(server: Running, person: Person, first: SealedUpload) -> None:
    kept, lost, new = server.person(), server.person(), server.person()
    share(person, first, kept, "write")
    share(person, first, lost, "write")
    second = samples.next_epoch(first)
    entries = [
        {"user_id": new.user_id.upper(), "role": "read", "grant": samples.grant(second)},
        {"user_id": kept.user_id, "role": "read", "grant": samples.grant(second)},
        {"user_id": "f" * 24, "role": "read", "grant": samples.grant(second)},  # whose account is gone
    ]
    required = {"message": "Permissions are required for a new epoch"}
    assert answer(put(person, person, second, first.header_hash)) == (422, required)
    assert put(person, person, second, first.header_hash, entries).status_code == 200
    permissions = person.call("GET", f"{person.images}/{first.stem}/permissions").json()
    assert permissions == [
        {"userId": new.user_id, "role": "read", "grant": entries[0]["grant"]},
        {"userId": kept.user_id, "role": "read", "grant": entries[1]["grant"]},
    ]
    assert lost.call("GET", f"{person.images}/{first.stem}/content").status_code == 401
    third = samples.next_revision(second)
    not_now = {"message": "Permissions belong to a new epoch only"}
    assert answer(put(person, person, third, second.header_hash, [])) == (422, not_now)
    alone = samples.next_epoch(second)
    assert put(person, person, alone, second.header_hash, []).status_code == 200
    assert person.call("GET", f"{person.images}/{first.stem}/permissions").json() == []


def hostile(second: SealedUpload, user_id: str, owner_id: str) -> dict[str, Any]:
    good = {"user_id": user_id, "role": "read", "grant": samples.grant(second)}
    return {
        "nothing": "",
        "no JSON": "[",
        "an object": "{}",
        "a number": "1",
        "not a number": "[NaN]",
        "a list of lists": "[[]]",
        "deep": "[" * 100_000,
        "a missing role": [{"user_id": user_id}],
        "an unknown role": [good | {"role": "owner"}],
        "a number as role": '[{"user_id": "' + user_id + '", "role": 1}]',
        "nothing as grant": '[{"user_id": "' + user_id + '", "role": "read", "grant": null}]',
        "more members": [good | {"more": "x"}],
        "twice": [good, good],
        "the owner": [good | {"user_id": owner_id}],
        "too many": [good | {"user_id": f"{n:024x}", "grant": ""} for n in range(1001)],
    }


HOSTILE = list(hostile(samples.sealed(), "", ""))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_permissions(server: Running, person: Person, first: SealedUpload, name: str) -> None:
    second = samples.next_epoch(first)
    value = hostile(second, server.person().user_id, person.user_id)[name]
    refused = put(person, person, second, first.header_hash, value)
    assert answer(refused) == (422, {"message": "Permissions are invalid"})
    assert person.call("GET", f"{person.images}/{first.stem}/envelope").json()["envelope"] == first.envelope


def test_grants_must_fit(server: Running, person: Person, first: SealedUpload) -> None:
    second, reader = samples.next_epoch(first), server.person().user_id
    other = samples.sealed()
    bad = [
        samples.grant(second, "write"),
        samples.grant(second, pic=other.picture_id),
        samples.grant(other),
        samples.grant(second, t="deed"),
        samples.grant(second) + " ",
        "{}",
        "\u00e4",
        "\ud800",
        samples.grant(second, wrap="A" * 40_000),
    ]
    for grant in bad:
        entries = [{"user_id": reader, "role": "read", "grant": grant}]
        refused = put(person, person, second, first.header_hash, entries)
        assert answer(refused) == (422, {"message": "Grant is invalid"})
    stale = [{"user_id": reader, "role": "read", "grant": samples.grant(first)}]
    epoch = {"message": "The grant is for another epoch of this picture"}
    assert answer(put(person, person, second, first.header_hash, stale)) == (409, epoch)
    bad_id = [{"user_id": "x", "role": "read"}]
    assert put(person, person, second, first.header_hash, bad_id).status_code == 422


# -- at the same time --


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Run works in threads that begin together, and return what they returned."""
    start, results = threading.Barrier(len(works)), [None] * len(works)

    def run(number: int, work: Callable[[], Any]) -> None:
        start.wait(20)
        results[number] = work()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_of_two_that_replace_the_same_one_wins(server: Running, person: Person, first: SealedUpload) -> None:
    writer, present = server.person(), first
    share(person, first, writer, "write")
    blobs = len(set(server.storage.blob_ids()))
    for _ in range(8):
        rivals = [samples.next_revision(present), samples.next_revision(present)]
        found = at_once(
            lambda rivals=rivals, present=present: put(person, person, rivals[0], present.header_hash),
            lambda rivals=rivals, present=present: put(writer, person, rivals[1], present.header_hash),
        )
        assert sorted(one.status_code for one in found) == [200, 412]
        present = rivals[0 if found[0].status_code == 200 else 1]
        loser = next(one for one in found if one.status_code == 412)
        assert loser.headers["ETag"] == f'"{present.header_hash}"'
    assert person.call("GET", f"{person.images}/{first.stem}/content").content == present.image
    assert len(set(server.storage.blob_ids())) == blobs
    envelopes = sum(len(one["envelope"]) for one in person.call("GET", f"{person.images}/{first.stem}/history").json())
    expected = len(present.image) + len(present.thumbnail) + len(present.envelope) + envelopes
    expected += server.storage.grant_bytes(server.storage.picture(person.user_id, f"{first.stem}.png").id)
    assert server.storage.user(person.user_id).used_bytes == expected
    history = person.call("GET", f"{person.images}/{first.stem}/history").json()
    assert len({one["header_hash"] for one in history}) == 8


def test_the_same_revision_from_two_places_at_once(person: Person, first: SealedUpload) -> None:
    second = samples.next_revision(first)
    found = at_once(*[lambda: put(person, person, second, first.header_hash)] * 2)
    assert [one.status_code for one in found] == [200, 200]
    assert len(person.call("GET", f"{person.images}/{first.stem}/history").json()) == 1


def test_who_reads_meanwhile_gets_one_revision_whole(person: Person, first: SealedUpload) -> None:
    done = threading.Event()

    def revise() -> None:
        present = first
        try:
            for _ in range(15):
                following = samples.next_revision(present)
                assert put(person, person, following, present.header_hash).status_code == 200
                present = following
        finally:
            done.set()

    def read() -> list[str]:
        wrong = []
        while not done.is_set():
            got = person.call("GET", f"{person.images}/{first.stem}/content")
            tag = hashlib.sha256(got.content).hexdigest()
            if got.status_code != 200 or got.headers["ETag"] != f'"{tag}"':
                wrong.append(f"{got.status_code} {got.text[:100]}")
            everything = person.call("GET", f"{person.images}/download-all")
            if everything.status_code != 200 or len(everything.json()) != 1:
                wrong.append(f"download-all: {everything.status_code}")
        return wrong

    assert at_once(revise, read)[1] == []


def test_deleting_and_revising_at_once(server: Running, person: Person) -> None:
    for _ in range(6):
        sent = samples.sealed()
        row = person.call("POST", person.images, **sent.form()).json()
        second = samples.next_revision(sent)
        revised, deleted = at_once(
            lambda sent=sent, second=second: put(person, person, second, sent.header_hash),
            lambda sent=sent: person.call("DELETE", f"{person.images}/{sent.stem}"),
        )
        assert deleted.status_code == 204
        assert revised.status_code in {200, 404}
        (binned,) = person.call("GET", f"/users/{person.user_id}/bin?limit=10").json()
        assert binned["header_hash"] == (second if revised.status_code == 200 else sent).header_hash
        assert person.call("DELETE", f"/users/{person.user_id}/bin/{row['id']}").status_code == 204
    assert server.storage.user(person.user_id).used_bytes == 0


# -- large ones --


class Body(RawIOBase):
    """A large upload that is made while it is read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._rest = parts, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = next(self._parts, b"")
        given, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)


def test_a_large_revision_is_never_whole_in_memory(tmp_path: Path) -> None:
    from backend.storage.embedded import open_storage

    size = 48 << 20
    storage = open_storage(tmp_path / "vault")
    try:
        app = create_app(replace(FAST, max_upload_bytes=1 << 30), storage)
        accounts = app.extensions["glassine"].services.accounts
        user = accounts.create_local_account("me", "7 5")
        headers = {"Authorization": f"Bearer {accounts.issue_token(user.id)}"}
        sent = samples.sealed()
        second = samples.next_revision(sent)
        with app.test_client() as client:
            path = f"/api/v1/users/{user.id}/images"
            prepared = requests.Request("POST", "http://x", **sent.form()).prepare()
            kind = prepared.headers["Content-Type"]
            assert client.post(path, data=prepared.body, content_type=kind, headers=headers).status_code == 201
            prepared = requests.Request("PUT", "http://x", **second.form()).prepare()
            body, kind = prepared.body, prepared.headers["Content-Type"]
            at = body.index(second.image) + len(second.image)

            def parts() -> Iterator[bytes]:
                yield body[:at]
                for _ in range(size >> 18):
                    yield bytes(1 << 18)
                yield body[at:]

            headers["If-Match"] = f'"{sent.header_hash}"'
            builder = EnvironBuilder(path=f"{path}/{sent.stem}", method="PUT", headers=headers)
            environ = builder.get_environ()
            length = str(len(body) + size)
            environ |= {"wsgi.input": Body(parts()), "CONTENT_LENGTH": length, "CONTENT_TYPE": kind}
            tracemalloc.start()
            answered, status, _ = run_wsgi_app(app, environ, buffered=True)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert status == "200 OK"
            assert json.loads(b"".join(answered))["size"] == len(second.image) + size
            assert peak < 8 << 20
    finally:
        storage.close()


def test_large_revisions_are_taken_by_the_server_and_other_large_bodies_are_not(
    person: Person, first: SealedUpload
) -> None:
    second = samples.next_revision(first)
    second.image += bytes(1_000_000)
    assert put(person, person, second, first.header_hash).status_code == 200
    too_large = samples.next_revision(second)
    too_large.image += bytes(2_000_000)
    assert put(person, person, too_large, second.header_hash).status_code == 413
    for path in (f"{person.images}/{first.stem}/permissions/{'0' * 24}", f"/users/{person.user_id}/keyfile"):
        assert person.call("PUT", path, data=bytes(300_000)).status_code == 413
