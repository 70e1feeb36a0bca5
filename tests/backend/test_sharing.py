"""Sharing: grants, what is shared with one, giving a permission back."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from tests.backend import samples
from tests.backend.conftest import Person, Running
from tests.backend.samples import SealedUpload

NOT_AUTHORIZED = (401, {"message": "User is not authorized"})


@pytest.fixture
def sent(person: Person) -> SealedUpload:
    """A picture that is stored."""
    upload = samples.sealed()
    assert person.call("POST", person.images, **upload.form()).status_code == 201
    return upload


@pytest.fixture
def reader(server: Running) -> Person:
    """Somebody else."""
    return server.person()


def permissions(person: Person, sent: SealedUpload) -> str:
    return f"{person.images}/{sent.stem}/permissions"


def give(person: Person, sent: SealedUpload, reader: Person, role: str = "read", grant: str = "") -> Any:
    form = {"user_id": reader.user_id, "role": role, "grant": grant}
    return answer(person.call("POST", permissions(person, sent), data=form))


def answer(response: Any) -> tuple[int, Any]:
    return response.status_code, response.json() if response.content else None


def test_a_grant_is_kept_as_it_was_sent(person: Person, sent: SealedUpload, reader: Person) -> None:
    grant = samples.grant(sent)
    assert give(person, sent, reader, "read", grant) == (201, "")
    expected = {"userId": reader.user_id, "role": "read", "grant": grant}
    path = permissions(person, sent)
    assert person.call("GET", path).json() == [expected]
    for who in (person, reader):
        assert who.call("GET", f"{path}/{reader.user_id}").json() == expected
    present = reader.call("GET", f"{person.images}/{sent.stem}/envelope").json()
    assert (present["role"], present["grant"], present["envelope"]) == ("read", grant, sent.envelope)

    higher = samples.grant(sent, "write")
    body = {"role": "write", "grant": higher}
    assert person.call("PUT", f"{path}/{reader.user_id}", json=body).status_code == 204
    assert reader.call("GET", f"{path}/{reader.user_id}").json() == expected | body
    # a role alone takes the grant along, which is for another role
    assert person.call("PUT", f"{path}/{reader.user_id}", data={"role": "read"}).status_code == 204
    assert reader.call("GET", f"{path}/{reader.user_id}").json() == {"userId": reader.user_id, "role": "read"}


def bad_grants(sent: SealedUpload) -> list[str]:
    return [
        "x",
        "{}",
        samples.sealed().envelope,
        samples.grant(sent, "write"),
        samples.grant(samples.sealed()),
        samples.grant(sent, t="header"),
        samples.grant(sent, deed="x"),
        samples.grant(sent, time=True),
        samples.grant(sent, time=-1),
        samples.grant(sent, wrap="A" * 33_000),
        samples.grant(sent).replace(":", ": ", 1),
        samples.grant(sent)[:-1] + ',"sig":"AA=="}',
        json.dumps(json.loads(samples.grant(sent)) | {"sig": 1}, separators=(",", ":"), sort_keys=True),
        "[" * 10_000,
        "\u00e4",
    ]


def test_what_is_no_grant_for_this_picture_and_role(person: Person, sent: SealedUpload, reader: Person) -> None:
    invalid = (422, {"message": "Grant is invalid"})
    for grant in bad_grants(sent):
        assert give(person, sent, reader, "read", grant) == invalid, grant[:80]
    assert person.call("GET", permissions(person, sent)).json() == []
    give(person, sent, reader)
    for grant in bad_grants(sent):
        body = {"role": "read", "grant": grant}
        changed = person.call("PUT", f"{permissions(person, sent)}/{reader.user_id}", data=body)
        assert answer(changed) == invalid, grant[:80]
    not_a_text = {"user_id": reader.user_id, "role": "read", "grant": {"body": {}}}
    assert answer(person.call("POST", permissions(person, sent), json=not_a_text)) == (
        422,
        {"message": "grant must be a text"},
    )


def test_a_grant_for_an_epoch_that_is_over(person: Person, sent: SealedUpload, reader: Person) -> None:
    epoch = samples.next_epoch(sent)
    form = epoch.form()
    form["data"]["permissions"] = "[]"
    headers = {"If-Match": f'"{sent.header_hash}"'}
    assert person.call("PUT", f"{person.images}/{sent.stem}", headers=headers, **form).status_code == 200
    stale = (409, {"message": "The grant is for another epoch of this picture"})
    assert give(person, sent, reader, "read", samples.grant(sent)) == stale
    assert give(person, sent, reader, "read", samples.grant(epoch)) == (201, "")
    later = samples.next_revision(epoch)
    headers = {"If-Match": f'"{epoch.header_hash}"'}
    assert person.call("PUT", f"{person.images}/{sent.stem}", headers=headers, **later.form()).status_code == 200
    body = {"role": "write", "grant": samples.grant(epoch, "write")}  # of the same epoch still
    assert person.call("PUT", f"{permissions(person, sent)}/{reader.user_id}", data=body).status_code == 204


def test_classic_pictures_have_no_grants(person: Person, sent: SealedUpload, reader: Person) -> None:
    person.call("POST", person.images, **samples.classic("bicycle.png"))
    form = {"user_id": reader.user_id, "role": "read", "grant": samples.grant(sent)}
    path = f"{person.images}/bicycle/permissions"
    assert answer(person.call("POST", path, data=form)) == (422, {"message": "Grant is invalid"})
    assert person.call("POST", path, data=form | {"grant": ""}).status_code == 201
    (row,) = reader.call("GET", f"/users/{reader.user_id}/shared?limit=5").json()
    assert (row["img_name"], row["scheme"], row["role"]) == ("bicycle.png", "classic", "read")
    assert not row.keys() & {"envelope", "header_hash", "grant"}


def test_what_others_shared(server: Running, person: Person, reader: Person) -> None:
    other = server.person()
    expected = []
    for owner, role in ((person, "read"), (other, "write"), (person, "write")):
        sent = samples.sealed()
        row = owner.call("POST", owner.images, **sent.form()).json()
        grant = samples.grant(sent, role)
        give(owner, sent, reader, role, grant)
        expected.append(
            row
            | {"header_hash": sent.header_hash, "owner_id": owner.user_id, "owner_name": owner.name}
            | {"role": role, "grant": grant}
        )
    path = f"/users/{reader.user_id}/shared"
    assert reader.call("GET", path + "?limit=10").json() == expected
    assert reader.call("GET", path).json() == [
        {key: value for key, value in row.items() if key not in {"envelope", "grant"}} for row in expected
    ]
    seen: list[Any] = []
    while page := reader.call("GET", path + "?limit=2" + (f"&after={seen[-1]['id']}" if seen else "")).json():
        assert len(page) <= 2
        seen += page
    assert seen == expected
    assert answer(person.call("GET", path)) == NOT_AUTHORIZED
    assert person.call("GET", f"/users/{person.user_id}/shared").json() == []


def test_readers_may_ask_for_their_own_and_give_it_back(
    server: Running, person: Person, sent: SealedUpload, reader: Person
) -> None:
    other = server.person()
    give(person, sent, reader)
    give(person, sent, other)
    path = permissions(person, sent)
    assert answer(reader.call("GET", f"{path}/{other.user_id}")) == NOT_AUTHORIZED
    assert answer(reader.call("DELETE", f"{path}/{other.user_id}")) == NOT_AUTHORIZED
    assert answer(reader.call("PUT", f"{path}/{reader.user_id}", data={"role": "write"})) == NOT_AUTHORIZED
    assert reader.call("DELETE", f"{path}/{reader.user_id}").status_code == 204
    assert answer(reader.call("DELETE", f"{path}/{reader.user_id}"))[0] == 404
    assert reader.call("GET", f"{person.images}/{sent.stem}/content").status_code == 401
    assert reader.call("GET", f"/users/{reader.user_id}/shared").json() == []
    assert [one["userId"] for one in person.call("GET", path).json()] == [other.user_id]
    stranger = server.person()
    assert answer(stranger.call("GET", f"{path}/{stranger.user_id}")) == (
        404,
        {"message": "Permission for User id not found"},
    )


def test_permissions_by_pages(server: Running, person: Person, sent: SealedUpload) -> None:
    readers = [server.person() for _ in range(5)]
    for one in readers:
        give(person, sent, one)
    path = permissions(person, sent)
    everybody = [one["userId"] for one in person.call("GET", path).json()]
    assert everybody == [one.user_id for one in readers]
    seen: list[str] = []
    while page := person.call("GET", path + "?limit=2" + (f"&after={seen[-1]}" if seen else "")).json():
        assert len(page) <= 2
        seen += [one["userId"] for one in page]
    assert seen == everybody


def test_sharing_and_a_new_epoch_at_once_leave_no_stale_grant(server: Running, person: Person) -> None:
    reader = server.person()
    for _ in range(6):
        sent = samples.sealed()
        person.call("POST", person.images, **sent.form())
        epoch = samples.next_epoch(sent)
        form = epoch.form()
        form["data"]["permissions"] = "[]"
        start, results = threading.Barrier(2), {}

        def share(sent: SealedUpload = sent, start: Any = start, results: Any = results) -> None:
            start.wait(20)
            results["share"] = give(person, sent, reader, "read", samples.grant(sent))[0]

        def revise(sent: SealedUpload = sent, form: Any = form, start: Any = start, results: Any = results) -> None:
            start.wait(20)
            headers = {"If-Match": f'"{sent.header_hash}"'}
            results["put"] = person.call("PUT", f"{person.images}/{sent.stem}", headers=headers, **form).status_code

        threads = [threading.Thread(target=share), threading.Thread(target=revise)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert results["put"] == 200
        assert results["share"] in {201, 409}
        assert person.call("GET", permissions(person, sent)).json() == []


def test_deleting_and_sharing_at_once(server: Running, person: Person) -> None:
    reader = server.person()
    for _ in range(6):
        sent = samples.sealed()
        row = person.call("POST", person.images, **sent.form()).json()
        start, results = threading.Barrier(2), {}

        def share(sent: SealedUpload = sent, start: Any = start, results: Any = results) -> None:
            start.wait(20)
            results["share"] = give(person, sent, reader)[0]

        def delete(row: Any = row, sent: SealedUpload = sent, start: Any = start) -> None:
            start.wait(20)
            person.call("DELETE", f"{person.images}/{sent.stem}")
            person.call("DELETE", f"/users/{person.user_id}/bin/{row['id']}")

        threads = [threading.Thread(target=share), threading.Thread(target=delete)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert results["share"] in {201, 404}
        assert server.storage.permissions(row["id"]) == []
        assert reader.call("GET", f"/users/{reader.user_id}/shared").json() == []
