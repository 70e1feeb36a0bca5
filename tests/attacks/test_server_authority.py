"""Somebody with an account goes for what belongs to somebody else, through every address there is."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from backend.storage.mongo import open_mongo
from tests.backend import samples
from tests.backend.conftest import FAST, Person, Running, serving, serving_storage
from tests.backend.test_revisions import put
from tests.backend.two_storages import described
from tests.mongodb import MongoDatabases

FOR_EVERYBODY = {
    # endpoints that name a person and are for all who are signed in, or for all
    "accounts.user", "documents.list_successions", "documents.get_gone", "token_api.user",
}  # fmt: skip
MISSING = b"\xff\xff\xff\xff"


@pytest.fixture(scope="module", params=["embedded", "mongo"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server of each kind of storage."""
    if request.param == "embedded":
        with serving(tmp_path_factory.mktemp("server")) as server:
            yield server
    else:
        databases: MongoDatabases = request.getfixturevalue("mongo_databases")
        with serving_storage(open_mongo(databases.make()), FAST) as server:
            yield server


@pytest.fixture
def victim(running: Running) -> Person:
    """Somebody who has something of everything."""
    return running.person()


@pytest.fixture
def thief(running: Running) -> Person:
    """Somebody else with an account."""
    return running.person()


def store(owner: Person) -> samples.SealedUpload:
    sent = samples.sealed()
    assert owner.call("POST", owner.images, **sent.form()).status_code == 201
    return sent


def share(owner: Person, sent: samples.SealedUpload, reader: Person, role: str = "read") -> None:
    form = {"user_id": reader.user_id, "role": role, "grant": samples.grant(sent, role)}
    assert owner.call("POST", f"{owner.images}/{sent.stem}/permissions", data=form).status_code == 201


def test_every_address_of_somebody_else_refuses(running: Running, victim: Person, thief: Person) -> None:
    sent, binned, third = store(victim), store(victim), running.person()
    share(victim, sent, third)
    assert victim.call("DELETE", f"{victim.images}/{binned.stem}").status_code == 204
    binned_id = victim.call("GET", f"/users/{victim.user_id}/bin").json()[0]["id"]
    gone, old = secrets.token_hex(16), secrets.token_hex(32)
    for kind in ("ledger", "keyfile"):
        made = victim.call("PUT", f"/users/{victim.user_id}/{kind}", data=b"mine", headers={"If-None-Match": "*"})
        assert made.status_code == 201
    assert victim.call("PUT", f"/users/{victim.user_id}/gone/{gone}", data=samples.gone(gone)).status_code == 201
    record = samples.succession(old)
    assert victim.call("PUT", f"/users/{victim.user_id}/successions/{old}", data=record).status_code == 201
    before = described(running.storage)

    bodies: dict[str, dict[str, Any]] = {
        "pictures.upload": samples.sealed().form(),
        "revisions.replace": samples.next_revision(sent).form(),
        "permissions.give": {"data": {"user_id": thief.user_id, "role": "write"}},
        "permissions.change": {"data": {"role": "write"}},
        "documents.put_gone": {"data": samples.gone(gone, time=2)},
        "documents.put_succession": {"data": samples.succession(old, time=2)},
        "accounts.change_password": {"data": {"old_password": thief.password, "new_password": "x"}},
        "accounts.change_key": {"data": {"publicKey": "7 5", "password": thief.password}},
        "accounts.delete": {"data": {"password": thief.password}},
    }
    walked = set()
    for rule in running.app.url_map.iter_rules():
        if not {"user_id", "reader_id"} & rule.arguments or rule.endpoint in FOR_EVERYBODY:
            continue
        walked.add(rule.endpoint)
        picture_id = gone if "gone" in rule.rule else binned_id
        for reader_id in {thief.user_id, third.user_id} if "reader_id" in rule.arguments else {""}:
            for owner_id in (victim.user_id, victim.user_id.upper()):
                path = rule.rule.removeprefix("/api/v1").replace("<name>", sent.stem).replace("<fingerprint>", old)
                path = path.replace("<user_id>", owner_id).replace("<reader_id>", reader_id)
                path = path.replace("<picture_id>", picture_id)
                assert "<" not in path, f"the walk knows no value for {rule.rule}"
                path += f"?names={sent.stem}&ids={binned_id}" if path.endswith("thumbnails") else ""
                for method in rule.methods or ():
                    body = bodies.get(rule.endpoint, {"data": b"taken over"} if method == "PUT" else {})
                    headers = {"If-Match": f'"{sent.header_hash}"'} if method == "PUT" else {}
                    answer = thief.call(method, path, headers=headers, **body)
                    told = (rule.endpoint, method, answer.status_code, answer.text[:200])
                    if rule.endpoint == "downloads.thumbnails":
                        assert answer.status_code == 200 and answer.content in {MISSING, b""}, told
                    elif rule.endpoint.startswith("permissions.") and reader_id == thief.user_id and method != "PUT":
                        assert answer.status_code == 404, told  # one may ask for one's own, and there is none
                    else:
                        assert answer.status_code in {401, 403}, told
    assert len(walked) > 25
    assert described(running.storage) == before


def test_a_reader_reads_and_no_more(running: Running, victim: Person, thief: Person) -> None:
    sent, third = store(victim), running.person()
    share(victim, sent, thief)
    share(victim, sent, third)
    image = f"{victim.images}/{sent.stem}"
    assert thief.call("GET", f"{image}/content").content == sent.image
    second = samples.next_revision(sent)
    for upload in (second, samples.next_epoch(sent)):
        permissions = [] if upload is not second else None
        assert put(thief, victim, upload, sent.header_hash, permissions).status_code == 401
    own = {"role": "write", "grant": samples.grant(sent, "write")}
    assert thief.call("PUT", f"{image}/permissions/{thief.user_id}", data=own).status_code == 401
    assert thief.call("PUT", f"{image}/permissions/{thief.user_id.upper()}", data=own).status_code == 401
    assert thief.call("POST", f"{image}/permissions", data={"user_id": thief.user_id, **own}).status_code == 401
    assert thief.call("GET", f"{image}/permissions").status_code == 401
    for method in ("GET", "DELETE"):
        assert thief.call(method, f"{image}/permissions/{third.user_id}").status_code == 401
    assert thief.call("DELETE", image).status_code == 401
    assert "grant" not in thief.call("GET", f"/users/{thief.user_id}/shared").json()[0]
    (row,) = thief.call("GET", f"/users/{thief.user_id}/shared?limit=9").json()
    assert samples.grant(sent) != row["grant"] and third.user_id not in str(row)
    # a writer writes, and neither begins an epoch nor looks at whom else it is shared with
    assert victim.call("PUT", f"{image}/permissions/{thief.user_id}", data=own).status_code == 204
    assert put(thief, victim, samples.next_epoch(sent), sent.header_hash, []).status_code == 401
    assert thief.call("GET", f"{image}/permissions").status_code == 401
    assert put(thief, victim, second, sent.header_hash).status_code == 200
    # and when the permission ends, so does everything, the past too
    assert victim.call("DELETE", f"{image}/permissions/{thief.user_id}").status_code == 204
    for path in ("", "/content", "/envelope", "/history"):
        assert thief.call("GET", image + path).status_code == 401
    third_revision = samples.next_revision(second)
    assert put(thief, victim, third_revision, second.header_hash).status_code == 401
    assert thief.call("GET", f"{victim.images}/thumbnails?names={sent.stem}").content == MISSING


def test_what_is_in_the_bin_is_nobody_elses(victim: Person, thief: Person) -> None:
    sent = store(victim)
    share(victim, sent, thief, "write")
    image = f"{victim.images}/{sent.stem}"
    assert victim.call("DELETE", image).status_code == 204
    picture_id = victim.call("GET", f"/users/{victim.user_id}/bin").json()[0]["id"]
    for path in ("", "/content", "/envelope", "/history", f"/permissions/{thief.user_id}"):
        assert thief.call("GET", image + path).status_code == 404
    assert put(thief, victim, samples.next_revision(sent), sent.header_hash).status_code == 404
    assert thief.call("GET", f"{victim.images}/thumbnails?names={sent.stem},{picture_id}").content == MISSING * 2
    assert thief.call("GET", f"/users/{thief.user_id}/bin/thumbnails?ids={picture_id}").content == MISSING
    for method, path in (("POST", f"/{picture_id}/restore"), ("DELETE", f"/{picture_id}")):
        assert thief.call(method, f"/users/{thief.user_id}/bin{path}").status_code == 404
    assert thief.call("DELETE", f"/users/{thief.user_id}/bin").status_code == 204
    assert thief.call("GET", f"/users/{thief.user_id}/shared?limit=9").json() == []
    assert victim.call("POST", f"/users/{victim.user_id}/bin/{picture_id}/restore").status_code == 200


def test_records_are_said_of_oneself_only(victim: Person, thief: Person) -> None:
    """Somebody says that another's picture is gone, in the only place where one may say things: one's own."""
    sent, old = store(victim), secrets.token_hex(32)
    share(victim, sent, thief, "write")
    record = samples.gone(sent.picture_id)
    for owner_id in (victim.user_id, victim.user_id.upper()):
        assert thief.call("PUT", f"/users/{owner_id}/gone/{sent.picture_id}", data=record).status_code == 401
        forged = samples.succession(old)
        assert thief.call("PUT", f"/users/{owner_id}/successions/{old}", data=forged).status_code == 401
    assert thief.call("PUT", f"/users/{thief.user_id}/gone/{sent.picture_id}", data=record).status_code == 201
    assert victim.call("GET", f"/users/{victim.user_id}/gone").json() == []
    assert victim.call("GET", f"/users/{victim.user_id}/gone/{sent.picture_id}").status_code == 404
    assert put(victim, victim, samples.next_revision(sent), sent.header_hash).status_code == 200
    # the thief's own copy under that id is what is gone
    assert thief.call("POST", thief.images, **samples.sealed(sent.picture_id).form()).status_code == 410
    for spelled in (sent.picture_id.upper(), f"{sent.picture_id}%20", "0" * 31, "0" * 33, "%24ne"):
        assert victim.call("PUT", f"/users/{victim.user_id}/gone/{spelled}", data=record).status_code == 422


OPERATORS: list[Any] = [{"$ne": ""}, {"$gt": ""}, {"$regex": ".*"}, ["a"], 1, True, {"$where": "1"}]


@pytest.mark.parametrize("operator", OPERATORS, ids=str)
def test_operators_of_the_database_are_no_values(running: Running, victim: Person, operator: Any) -> None:
    sent = store(victim)
    for body in (
        {"username": operator, "password": operator},
        {"username": victim.name, "password": operator},
        {"username": operator, "password": victim.password},
    ):
        answer = running.call("POST", "/auth/login", json=body)
        assert answer.status_code == 422 and "access_token" not in answer.text
        session = running.call("POST", "/auth_session/login", json={"email": operator, "password": operator})
        assert session.status_code in {400, 401, 422} and "Set-Cookie" not in session.headers
    for body in ({"username": operator, "password": "x", "publicKey": "7 5"}, {"email": operator, "password": "x"}):
        path = "/auth/register" if "username" in body else "/users"
        assert running.call("POST", path, json=body).status_code in {400, 422}
    permissions = f"{victim.images}/{sent.stem}/permissions"
    for body in ({"user_id": operator, "role": "read"}, {"user_id": victim.user_id, "role": operator}):
        assert victim.call("POST", permissions, json=body).status_code == 422
    path = f"/users/{victim.user_id}/password"
    body = {"old_password": operator, "new_password": operator}
    assert victim.call("PUT", path, json=body).status_code == 422
    assert victim.call("DELETE", f"/users/{victim.user_id}", json={"password": operator}).status_code == 422
    assert victim.call("GET", f"{victim.images}/{sent.stem}/content").content == sent.image


def test_operators_in_addresses_and_forms_are_texts(running: Running, victim: Person, thief: Person) -> None:
    sent = store(victim)
    for stem in ("%24ne", '{"$ne":null}', "$where", "..", f"{sent.stem}\0", ".*", f"{victim.user_id}/{sent.stem}"):
        path = f"{victim.images}/{re.sub('/', '%2F', stem)}/content"
        assert victim.call("GET", path).status_code == 404
        assert thief.call("GET", path).status_code == 404
    for form in ({"username[$ne]": "", "password[$ne]": ""}, {"username[]": victim.name, "password": "x"}):
        assert running.call("POST", "/auth/login", data=form).status_code == 422
    for query in ("limit[$gt]=0", "limit=5&after[$gt]=0", 'limit=5&after={"$gt":""}', "limit=$gt", "name[$ne]=x"):
        answer = thief.call("GET", f"{thief.images}?{query}")
        assert answer.status_code in {200, 422} and sent.stem not in answer.text
    # names that a pipeline of the database would read as those of fields
    names = {"first_name": "$password_hash", "last_name": "$$ROOT"}
    assert victim.call("PUT", f"/users/{victim.user_id}", json=names).json().items() >= names.items()
    for name in ("$owner_id.png", "$$ROOT.png"):
        assert victim.call("POST", victim.images, **samples.classic(name)).status_code == 201
        assert victim.call("DELETE", f"{victim.images}/{name[:-4]}").status_code == 204
    for row in victim.call("GET", f"/users/{victim.user_id}/bin").json():
        restored = victim.call("POST", f"/users/{victim.user_id}/bin/{row['id']}/restore").json()
        assert restored["img_name"] == row["img_name"]
