"""Permissions: every text and code, and who may ask."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
import requests

from backend.storage.protocol import Permission, Revision
from tests.backend import samples
from tests.backend.conftest import Person, Running


@pytest.fixture
def sharing(person: Person) -> str:
    """Path of the permissions of a picture that is there."""
    person.call("POST", person.images, **samples.classic("my pic.png"))
    return f"{person.images}/my pic/permissions"


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({}, "User id is required, Role is required"),
        ({"user_id": " ", "role": " "}, "User id is required, Role is required"),
        ({"role": "read"}, "User id is required"),
        ({"user_id": "0" * 24}, "Role is required"),
        ({"user_id": "0" * 24, "role": "owner"}, "Role must be read or write"),
        ({"user_id": "0" * 24, "role": "READ"}, "Role must be read or write"),
        (
            {"user_id": "5", "role": "read"},
            "Not a valid ObjectId, it must be a 12-byte input or a 24-character hex string",
        ),
    ],
)
def test_giving_wrongly(person: Person, sharing: str, form: dict[str, str], message: str) -> None:
    answer = person.call("POST", sharing, data=form)
    assert (answer.status_code, answer.json()) == (422, {"message": message})
    assert person.call("GET", sharing).json() == []


def test_giving_to_nobody_and_to_oneself(person: Person, sharing: str) -> None:
    answer = person.call("POST", sharing, data={"user_id": "0" * 24, "role": "read"})
    assert (answer.status_code, answer.json()) == (404, {"message": "User not found"})
    answer = person.call("POST", sharing, data={"user_id": person.user_id.upper(), "role": "read"})
    assert (answer.status_code, answer.json()) == (422, {"message": "A picture cannot be shared with its owner"})


def test_accounts_of_the_file_server_read_no_pictures(server: Running, person: Person, sharing: str) -> None:
    accounts = server.app.extensions["glassine"].services.accounts
    other = accounts.register(f"ops of {person.name}", "a long passphrase", "", kind="ops", key_required=False)
    answer = person.call("POST", sharing, data={"user_id": other.id, "role": "read"})
    assert (answer.status_code, answer.json()) == (404, {"message": "User not found"})
    first = samples.sealed()
    person.call("POST", person.images, **first.form())
    second = samples.next_epoch(first)
    form = second.form()
    given = {"user_id": other.id, "role": "read", "grant": samples.grant(second)}
    form["data"]["permissions"] = json.dumps([given])
    path, match = f"{person.images}/{first.stem}", {"If-Match": f'"{first.header_hash}"'}
    assert person.call("PUT", path, headers=match, **form).status_code == 200
    assert person.call("GET", f"{path}/permissions").json() == []


def test_to_no_more_than_a_thousand(server: Running, person: Person, sharing: str) -> None:
    (picture,) = server.storage.pictures(person.user_id)
    first, last, more = (server.person() for _ in range(3))
    assert person.call("POST", sharing, data={"user_id": first.user_id, "role": "read"}).status_code == 201
    others = [Permission(picture.id, f"{number:024x}", "read") for number in range(998)]
    given = [*others, *server.storage.permissions(picture.id)]
    assert server.storage.replace_picture(picture, Revision(picture.id, "", "", picture.created), given)
    assert person.call("POST", sharing, data={"user_id": last.user_id, "role": "read"}).status_code == 201
    refused = person.call("POST", sharing, data={"user_id": more.user_id, "role": "read"})
    assert (refused.status_code, refused.json()) == (
        422,
        {"message": "A picture can be shared with at most 1000 people"},
    )
    assert person.call("POST", sharing, data={"user_id": last.user_id, "role": "read"}).status_code == 409
    assert person.call("DELETE", f"{sharing}/{first.user_id}").status_code == 204
    assert person.call("POST", sharing, data={"user_id": more.user_id, "role": "read"}).status_code == 201


def test_they_are_listed_in_the_order_given(server: Running, person: Person, sharing: str) -> None:
    readers = [server.person() for _ in range(3)]
    for reader, role in zip(reversed(readers), ("read", "write", "read"), strict=True):
        answer = person.call("POST", sharing, json={"user_id": reader.user_id, "role": role})
        assert (answer.status_code, answer.json()) == (201, "")
    listed = person.call("GET", sharing).json()
    assert [one["userId"] for one in listed] == [reader.user_id for reader in reversed(readers)]
    assert [one["role"] for one in listed] == ["read", "write", "read"]


def test_changing_wrongly(server: Running, person: Person, sharing: str) -> None:
    reader = server.person()
    person.call("POST", sharing, data={"user_id": reader.user_id, "role": "read"})
    one = f"{sharing}/{reader.user_id}"
    for form, message in (({}, "Role is required"), ({"role": "admin"}, "Role must be read or write")):
        answer = person.call("PUT", one, data=form)
        assert (answer.status_code, answer.json()) == (422, {"message": message})
    assert person.call("GET", one).json()["role"] == "read"
    answer = person.call("PUT", one, json={"role": "write"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert person.call("PUT", one, json={"role": "write"}).status_code == 204
    assert person.call("GET", one).json() == {"userId": reader.user_id, "role": "write"}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_one_that_is_not_there(person: Person, sharing: str, method: str) -> None:
    answer = person.call(method, f"{sharing}/{'0' * 24}", data={"role": "read"})
    assert (answer.status_code, answer.json()) == (404, {"message": "Permission for User id not found"})
    answer = person.call(method, f"{sharing}/nobody", data={"role": "read"})
    assert answer.status_code == 422
    assert answer.json()["message"].startswith("Not a valid ObjectId")


def test_giving_to_one_person_at_the_same_moment(server: Running, person: Person, sharing: str) -> None:
    reader, count, codes = server.person(), 6, []
    barrier = threading.Barrier(count)

    def give() -> None:
        with requests.Session() as session:
            barrier.wait()
            more: dict[str, Any] = {"data": {"user_id": reader.user_id, "role": "read"}}
            headers = {"Authorization": f"Bearer {person.token}"}
            codes.append(
                session.post(f"{server.base}/api/v1{sharing}", headers=headers, timeout=20, **more).status_code
            )

    threads = [threading.Thread(target=give) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [201] + [409] * (count - 1)
    assert len(person.call("GET", sharing).json()) == 1
