"""Ledger, key file, and the signed records of pictures and key pairs that are over."""

from __future__ import annotations

import json
import secrets
import threading
from typing import Any

import pytest

from backend.errors import Conflict
from backend.services.documents import Documents
from tests.backend import samples
from tests.backend.conftest import Person, Running, serving

NOTHING = (404, {"message": "Nothing is stored here"})
NOT_AUTHORIZED = (401, {"message": "User is not authorized"})
FIRST = {"If-None-Match": "*"}
GONE = (410, {"message": "This picture was deleted for good"})
INVALID = (422, {"message": "The record is invalid"})


def answer(response: Any) -> tuple[int, Any]:
    return response.status_code, response.json() if response.content else None


@pytest.mark.parametrize("kind", ["ledger", "keyfile"])
def test_a_document_is_replaced_only_by_who_knows_it(server: Running, person: Person, kind: str) -> None:
    path = f"/users/{person.user_id}/{kind}"
    assert answer(person.call("GET", path)) == NOTHING
    assert answer(person.call("DELETE", path)) == NOTHING
    assert answer(person.call("PUT", path, data=b"one")) == (428, {"message": "If-Match is required"})
    first = person.call("PUT", path, data=b"\0one\xff", headers=FIRST)
    assert answer(first) == (201, "")
    got = person.call("GET", path)
    assert (got.content, got.headers["ETag"]) == (b"\0one\xff", first.headers["ETag"])
    assert got.headers["Content-Type"] == "application/octet-stream"
    refused = person.call("PUT", path, data=b"two", headers=FIRST)
    assert answer(refused) == (412, {"message": "Another revision is stored"})
    assert refused.headers["ETag"] == first.headers["ETag"]
    second = person.call("PUT", path, data=b"two", headers={"If-Match": first.headers["ETag"]})
    assert second.status_code == 204
    assert second.headers["ETag"] != first.headers["ETag"]
    assert person.call("PUT", path, data=b"three", headers={"If-Match": first.headers["ETag"]}).status_code == 412
    # the same once more, because the first answer was lost
    again = person.call("PUT", path, data=b"two", headers={"If-Match": first.headers["ETag"]})
    assert (again.status_code, again.headers["ETag"]) == (204, second.headers["ETag"])
    assert person.call("GET", path).content == b"two"

    other = server.person()
    for method in ("GET", "PUT", "DELETE"):
        assert answer(other.call(method, path, headers=FIRST)) == NOT_AUTHORIZED
    assert person.call("DELETE", path).status_code == 204
    assert answer(person.call("GET", path)) == NOTHING
    # who knew the one before knows nothing of the one that is put in its place
    assert person.call("PUT", path, data=b"new", headers={"If-Match": second.headers["ETag"]}).status_code == 412
    assert person.call("PUT", path, data=b"new", headers=FIRST).status_code == 201
    assert person.call("PUT", path, data=b"old", headers={"If-Match": first.headers["ETag"]}).status_code == 412


@pytest.mark.parametrize("header", ["*", "x", '"1', 'W/"1"', '"1","2"', '""', '"\u00e4"', '"' + "1" * 200 + '"'])
def test_conditions_that_say_nothing(person: Person, header: str) -> None:
    path = f"/users/{person.user_id}/ledger"
    refused = person.call("PUT", path, data=b"one", headers={"If-Match": header.encode()})
    assert answer(refused) == (422, {"message": "If-Match must hold one tag in quotes"})
    assert answer(person.call("GET", path)) == NOTHING


def test_both_conditions_at_once(person: Person) -> None:
    headers = FIRST | {"If-Match": '"1"'}
    refused = person.call("PUT", f"/users/{person.user_id}/ledger", data=b"one", headers=headers)
    assert answer(refused) == (422, {"message": "Send either If-Match or If-None-Match"})


def test_sizes(tmp_path_factory: pytest.TempPathFactory, person: Person) -> None:
    path = f"/users/{person.user_id}"
    assert answer(person.call("PUT", path + "/ledger", data=b"", headers=FIRST))[0] == 422
    assert person.call("PUT", path + "/keyfile", data=bytes(64 << 10), headers=FIRST).status_code == 201
    tag = person.call("GET", path + "/keyfile").headers["ETag"]
    too_large = person.call("PUT", path + "/keyfile", data=bytes((64 << 10) + 1), headers={"If-Match": tag})
    assert too_large.status_code == 413
    with serving(tmp_path_factory.mktemp("ledgers"), _roomy()) as server:
        somebody = server.person()
        ledger = f"/users/{somebody.user_id}/ledger"
        data = secrets.token_bytes(8 << 20)
        assert somebody.call("PUT", ledger, data=data + b"x", headers=FIRST).status_code == 413
        assert somebody.call("PUT", ledger, data=data, headers=FIRST).status_code == 201
        assert somebody.call("GET", ledger).content == data


def _roomy() -> Any:
    from dataclasses import replace

    from tests.backend.conftest import FAST

    return replace(FAST, max_upload_bytes=32 << 20)


def test_of_many_that_replace_the_same_one_wins(person: Person) -> None:
    path = f"/users/{person.user_id}/ledger"
    for _ in range(5):
        present = person.call("GET", path)
        headers = {"If-Match": present.headers["ETag"]} if present.status_code == 200 else FIRST
        start, codes = threading.Barrier(4), []

        def run(headers: Any = headers, start: Any = start, codes: Any = codes) -> None:
            data = secrets.token_bytes(1000)
            start.wait(20)
            codes.append((person.call("PUT", path, data=data, headers=headers).status_code, data))

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        won = [data for code, data in codes if code in {201, 204}]
        assert len(won) == 1
        assert sorted(code for code, _ in codes)[1:] == [412] * 3
        assert person.call("GET", path).content == won[0]


# -- gone --


def test_a_picture_that_is_gone_does_not_come_back(server: Running, person: Person) -> None:
    sent = samples.sealed()
    row = person.call("POST", person.images, **sent.form()).json()
    record, path = samples.gone(sent.picture_id), f"/users/{person.user_id}/gone/{sent.picture_id}"
    assert answer(person.call("GET", path)) == NOTHING
    assert answer(person.call("PUT", path, data=record)) == (201, "")
    assert person.call("PUT", path, data=record).status_code == 204
    other_record = samples.gone(sent.picture_id, time=1)
    stored = (409, {"message": "Another record is stored already"})
    assert answer(person.call("PUT", path, data=other_record)) == stored
    assert person.call("DELETE", path).status_code == 405
    for who in (person, server.person()):
        found = who.call("GET", path).json()
        assert (found["picture_id"], found["record"]) == (sent.picture_id, record)

    second = samples.next_revision(sent)
    headers = {"If-Match": f'"{sent.header_hash}"'}
    assert answer(person.call("PUT", f"{person.images}/{sent.stem}", headers=headers, **second.form())) == GONE
    assert person.call("DELETE", f"{person.images}/{sent.stem}").status_code == 204
    assert answer(person.call("POST", f"/users/{person.user_id}/bin/{row['id']}/restore")) == GONE
    for upload in (sent, samples.sealed(sent.picture_id)):
        assert answer(person.call("POST", person.images, **upload.form())) == GONE
    other = server.person()  # whose picture of the same id is another one
    assert other.call("POST", other.images, **sent.form()).status_code == 201
    assert answer(other.call("PUT", path, data=record)) == NOT_AUTHORIZED


def bad_records(picture_id: str) -> dict[str, Any]:
    good = samples.gone(picture_id)
    return {
        "nothing": b"",
        "no JSON": b"x",
        "another picture": samples.gone("ab" * 16),
        "another kind": samples.gone(picture_id, t="succ"),
        "no owner": samples.gone(picture_id, owner="x"),
        "blanks": good + " ",
        "33 KiB": samples.gone(picture_id, prev="a" * 33_000),
        "above 4 KiB": samples.gone(picture_id, prev="a" * (4097 - len(good) + 64)),
        "no ASCII": good.encode() + b"\xff",
        "a list": f"[{good}]",
        "no signature": json.dumps({"body": json.loads(good)["body"]}, separators=(",", ":"), sort_keys=True),
        "deep": "[" * 20_000,
        "a key twice": good[:-1] + ',"sig":"AA=="}',
    }


@pytest.mark.parametrize("name", list(bad_records("")))
def test_what_is_no_record(person: Person, name: str) -> None:
    picture_id = secrets.token_hex(16)
    path = f"/users/{person.user_id}/gone/{picture_id}"
    refused = person.call("PUT", path, data=bad_records(picture_id)[name])
    assert refused.status_code == (413 if name == "33 KiB" else 422)
    assert name == "33 KiB" or answer(refused) == INVALID
    assert answer(person.call("GET", path)) == NOTHING


@pytest.mark.parametrize("picture_id", ["x", "A" * 32, "0" * 31, "0" * 33, "%C3%A4" * 32])
def test_records_of_what_is_no_picture(person: Person, picture_id: str) -> None:
    path = f"/users/{person.user_id}/gone/{picture_id}"
    assert answer(person.call("PUT", path, data=samples.gone("00" * 16))) == INVALID
    assert answer(person.call("GET", path)) == NOTHING


def test_a_record_of_4_kib(person: Person) -> None:
    picture_id = secrets.token_hex(16)
    record = samples.gone(picture_id, prev="a" * (4096 - len(samples.gone(picture_id)) + 64))
    assert len(record) == 4096
    assert person.call("PUT", f"/users/{person.user_id}/gone/{picture_id}", data=record).status_code == 201


def test_no_records_without_number_of_pictures_that_are_not_there(server: Running, person: Person) -> None:
    documents = Documents(server.storage, gone_records=2)
    first, *others = [secrets.token_hex(16) for _ in range(3)]
    record = samples.gone(first)
    assert documents.record_gone(person.user_id, first, record)
    assert documents.record_gone(person.user_id, others[0], samples.gone(others[0]))
    assert not documents.record_gone(person.user_id, first, record)
    with pytest.raises(Conflict) as refused:
        documents.record_gone(person.user_id, others[1], samples.gone(others[1]))
    assert refused.value.message == "No more than 2 records are kept"
    for binned in (False, True):
        there = samples.sealed()
        assert person.call("POST", person.images, **there.form()).status_code == 201
        if binned:
            assert person.call("DELETE", f"{person.images}/{there.stem}").status_code == 204
        assert documents.record_gone(person.user_id, there.picture_id, samples.gone(there.picture_id))
    assert documents.record_gone(server.person().user_id, first, samples.gone(first))


def test_records_by_pages(server: Running, person: Person) -> None:
    ids = sorted(secrets.token_hex(16) for _ in range(5))
    path = f"/users/{person.user_id}/gone"
    for picture_id in ids:
        person.call("PUT", f"{path}/{picture_id}", data=samples.gone(picture_id))
    assert [one["picture_id"] for one in person.call("GET", path).json()] == ids
    seen: list[str] = []
    while page := person.call("GET", path + "?limit=2" + (f"&after={seen[-1]}" if seen else "")).json():
        assert len(page) <= 2
        seen += [one["picture_id"] for one in page]
    assert seen == ids
    assert answer(server.person().call("GET", path)) == NOT_AUTHORIZED
    refused = person.call("GET", path + "?limit=2&after=x")
    assert answer(refused) == (422, {"message": "after must be 32 hex digits"})


def test_storing_and_recording_at_once(server: Running, person: Person) -> None:
    for _ in range(6):
        sent = samples.sealed()
        start, codes = threading.Barrier(2), {}

        def store(sent: Any = sent, start: Any = start, codes: Any = codes) -> None:
            start.wait(20)
            codes["store"] = person.call("POST", person.images, **sent.form()).status_code

        def record(sent: Any = sent, start: Any = start) -> None:
            start.wait(20)
            path = f"/users/{person.user_id}/gone/{sent.picture_id}"
            person.call("PUT", path, data=samples.gone(sent.picture_id))
            person.call("DELETE", f"{person.images}/{sent.stem}")

        threads = [threading.Thread(target=store), threading.Thread(target=record)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert codes["store"] in {201, 410}
        assert answer(person.call("GET", f"{person.images}/{sent.stem}"))[0] == 404


# -- successions --


def test_successions_are_for_everybody_to_see(server: Running, person: Person) -> None:
    olds = sorted(secrets.token_hex(32) for _ in range(3))
    path = f"/users/{person.user_id}/successions"
    records = [samples.succession(old) for old in olds]
    for old, record in zip(olds, records, strict=True):
        assert answer(person.call("PUT", f"{path}/{old}", data=record)) == (201, "")
        assert person.call("PUT", f"{path}/{old}", data=record).status_code == 204
    assert answer(person.call("PUT", f"{path}/{olds[0]}", data=samples.succession(olds[0])))[0] == 409
    other = server.person()
    assert [(one["old"], one["record"]) for one in other.call("GET", path).json()] == list(
        zip(olds, records, strict=True)
    )
    page = other.call("GET", f"{path}?limit=1&after={olds[0]}").json()
    assert [one["old"] for one in page] == [olds[1]]
    assert answer(other.call("PUT", f"{path}/{olds[0]}", data=records[0])) == NOT_AUTHORIZED


def test_what_is_no_succession(person: Person) -> None:
    old = secrets.token_hex(32)
    good = json.loads(samples.succession(old))
    once = json.dumps({key: good[key] for key in ("body", "sig")}, separators=(",", ":"), sort_keys=True)
    bad = [b"", b"x", samples.succession("ab" * 32), samples.succession(old, t="gone"), once,
           samples.succession(old, new="x")]  # fmt: skip
    for record in bad:
        path = f"/users/{person.user_id}/successions/{old}"
        assert answer(person.call("PUT", path, data=record)) == INVALID
    assert person.call("GET", f"/users/{person.user_id}/successions").json() == []


def test_there_is_an_end_to_successions(server: Running, person: Person) -> None:
    documents = server.app.extensions["glassine"].services.documents
    olds = [secrets.token_hex(32) for _ in range(100)]
    for old in olds:
        assert documents.record_succession(person.user_id, old, samples.succession(old))
    one_more = secrets.token_hex(32)
    path = f"/users/{person.user_id}/successions/{one_more}"
    refused = person.call("PUT", path, data=samples.succession(one_more))
    assert answer(refused) == (409, {"message": "No more than 100 records are kept"})
