"""Looking accounts up, and changing or deleting one's own."""

from __future__ import annotations

import re
from typing import Any

import pytest

from backend.errors import Conflict, Invalid, UserNotFound
from backend.services.accounts import Accounts
from tests.backend import samples
from tests.backend.conftest import Person, Running

PEM = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----\n"
MEMBERS = {
    "user_id",
    "user_name",
    "public_key",
    "id",
    "email",
    "first_name",
    "last_name",
    "created_at",
    "updated_at",
}
REVOKED = (401, {"message": "Token has been revoked"})


def accounts(server: Running) -> Accounts:
    found: Accounts = server.app.extensions["glassine"].services.accounts
    return found


def said(answer: Any) -> tuple[int, Any]:
    """Status and body; where clients of two kinds share an address, an error has a member for each of them."""
    body = answer.json()
    return answer.status_code, {"message": body["message"]} if "message" in body else body


def sign_in(server: Running, person: Person, password: str | None = None) -> Any:
    form = {"username": person.name, "password": password or person.password}
    return server.call("POST", "/auth/login", data=form)


# -- looking up --
def test_pages_of_users(server: Running, person: Person) -> None:
    everybody = person.call("GET", "/users").json()
    assert len(everybody) > 1
    paged: list[Any] = []
    while page := person.call(
        "GET", "/users", params={"limit": 2} | ({"after": paged[-1]["id"]} if paged else {})
    ).json():
        assert len(page) <= 2
        paged += page
    assert paged[: len(everybody)] == everybody
    assert said(person.call("GET", "/users?limit=0")) == (422, {"message": "limit must be a number from 1 to 1000"})
    assert said(person.call("GET", f"/users?after={'0' * 24}")) == (422, {"message": "after needs limit"})


def test_a_user_is_found_by_exactly_the_name(server: Running, person: Person) -> None:
    found = person.call("GET", "/users", params={"name": person.name}).json()
    assert [user["user_id"] for user in found] == [person.user_id]
    assert set(found[0]) == MEMBERS
    for name in (person.name.upper(), person.name + " ", "nobody", "", "\u0000"):
        assert person.call("GET", "/users", params={"name": name}).json() == []


def test_only_people_are_listed(server: Running, person: Person) -> None:
    operator = accounts(server).register("only for files", "secret", "", kind="ops", key_required=False)
    assert operator.id not in {user["id"] for user in person.call("GET", "/users").json()}
    assert person.call("GET", "/users", params={"name": operator.name}).json() == []
    assert said(person.call("GET", f"/users/{operator.id}")) == (404, {"message": "User not found"})
    assert accounts(server).get(operator.id, "ops") == operator
    assert accounts(server).find(operator.name, "ops") == operator


def test_what_is_said_of_an_account(server: Running, person: Person) -> None:
    plain = person.call("GET", f"/users/{person.user_id}").json()
    assert set(plain) == MEMBERS
    assert (plain["email"], plain["first_name"], plain["last_name"]) == (None, None, None)
    assert plain["id"] == plain["user_id"] == person.user_id
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", plain["created_at"])
    assert plain["updated_at"] == plain["created_at"]
    full = accounts(server).register(
        "full", "secret", "", email="full@mail.example", first_name="Fu", last_name="Ll", key_required=False
    )
    shown = person.call("GET", f"/users/{full.id}").json()
    assert (shown["email"], shown["first_name"], shown["last_name"]) == ("full@mail.example", "Fu", "Ll")
    assert shown["public_key"] == ""
    changed = accounts(server).set_names(full.id, "", "Lll")
    assert (changed.first_name, changed.last_name) == ("", "Lll")
    assert changed.updated is not None
    assert person.call("GET", f"/users/{full.id}").json()["first_name"] is None


# -- registering --
def test_names_are_unique_per_kind_and_addresses_among_people(server: Running) -> None:
    known = accounts(server)
    more: dict[str, Any] = {"key_required": False}
    known.register("twin", "one", "", kind="ops", email="twin@mail.example", **more)
    known.register("twin", "two", "", kind="client", email="twin@mail.example", **more)
    person = known.register("twin", "three", "", email="twin@mail.example", **more)
    with pytest.raises(Conflict, match="Username already exists"):
        known.register("twin", "four", "", **more)
    with pytest.raises(Conflict, match="Email already exists"):
        known.register("another twin", "five", "", email="twin@mail.example", **more)
    assert known.sign_in("twin", "one", kind="ops").kind == "ops"
    assert known.sign_in("twin@mail.example", "three", by_email=True) == person
    for kind, password in (("", "one"), ("ops", "two"), ("client", "three")):
        with pytest.raises(Invalid, match="Username or password is invalid"):
            known.sign_in("twin", password, kind=kind)
    with pytest.raises(Invalid, match="Username or password is invalid"):
        known.sign_in("twin@mail.example", "one", by_email=True)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"email": "no address"}, "Email is not allowed"),
        ({"email": "@mail.example"}, "Email is not allowed"),
        ({"email": "a@"}, "Email is not allowed"),
        ({"email": "a\n@mail.example"}, "Email is not allowed"),
        ({"email": "a" * 250 + "@b.cd"}, "Email is not allowed"),
        ({"first_name": "n" * 256}, "Name is not allowed"),
        ({"last_name": "a\u202eb"}, "Name is not allowed"),
    ],
)
def test_what_is_no_address_or_name_is_refused(server: Running, more: dict[str, str], message: str) -> None:
    with pytest.raises(Invalid, match=message):
        accounts(server).register("refused", "secret", "", key_required=False, **more)
    assert accounts(server).find("refused") is None


# -- changing the password --
def test_a_new_password_ends_every_sign_in_but_the_one_it_answers(server: Running, person: Person) -> None:
    other = sign_in(server, person).json()
    answer = person.call(
        "PUT", f"/users/{person.user_id}/password", json={"old_password": person.password, "new_password": "another"}
    )
    assert answer.status_code == 200
    assert set(answer.json()) == {"user_id", "access_token", "refresh_token"}
    for token, path in (
        (person.token, "/auth/logout"),
        (other["access_token"], "/auth/logout"),
        (other["refresh_token"], "/auth/refresh"),
    ):
        refused = server.call("POST", path, headers={"Authorization": f"Bearer {token}"})
        assert said(refused) == REVOKED
    person.token = answer.json()["access_token"]
    assert person.call("GET", "/users").status_code == 200
    renewed = {"Authorization": f"Bearer {answer.json()['refresh_token']}"}
    assert server.call("POST", "/auth/refresh", headers=renewed).status_code == 200
    assert sign_in(server, person).status_code == 422
    assert sign_in(server, person, "another").status_code == 200


def test_a_sign_in_that_was_found_good_before_a_change_is_over_after_it(server: Running, person: Person) -> None:
    user = accounts(server).sign_in(person.name, person.password)
    accounts(server).change_password(user.id, person.password, "another")
    late = accounts(server).issue_tokens(user)
    answer = server.call("GET", "/users", headers={"Authorization": f"Bearer {late.access}"})
    assert said(answer) == REVOKED


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({}, "Old password is required, New password is required"),
        ({"old_password": "a long passphrase"}, "New password is required"),
        ({"old_password": "wrong", "new_password": "x"}, "Password is wrong"),
        ({"old_password": "a long passphrase", "new_password": "x" * 1025}, "Password is not allowed"),
    ],
)
def test_passwords_that_are_not_changed(server: Running, person: Person, form: dict[str, str], message: str) -> None:
    answer = person.call("PUT", f"/users/{person.user_id}/password", data=form)
    assert said(answer) == (422, {"message": message})
    assert person.call("GET", "/users").status_code == 200
    assert sign_in(server, person).status_code == 200


def test_of_two_changes_at_once_one_is_refused(server: Running, person: Person) -> None:
    known = accounts(server)
    user = known.confirm(person.user_id, person.password)
    known.confirm = lambda *_: user  # type: ignore[method-assign]  # both have looked before one of them changes
    try:
        known.change_password(person.user_id, person.password, "first")
        with pytest.raises(Conflict):
            known.change_password(person.user_id, person.password, "second")
    finally:
        del known.confirm  # type: ignore[method-assign]
    assert sign_in(server, person, "first").status_code == 200


# -- changing the key --
def test_a_key_is_changed_with_the_password(server: Running, person: Person) -> None:
    path = f"/users/{person.user_id}/key"
    answer = person.call("PUT", path, data={"publicKey": PEM, "password": person.password})
    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (204, b"", "application/json")
    assert person.call("GET", f"/users/{person.user_id}").json()["public_key"] == PEM
    refused = [
        ({"publicKey": "7 5"}, "Password is required"),
        ({"password": person.password}, "Public key is required"),
        ({"publicKey": "7 5", "password": "wrong"}, "Password is wrong"),
        ({"publicKey": "no key", "password": person.password}, "Public key is invalid"),
    ]
    for form, message in refused:
        assert said(person.call("PUT", path, json=form)) == (422, {"message": message})
    assert person.call("GET", f"/users/{person.user_id}").json()["public_key"] == PEM


def test_an_account_without_a_key_gets_one(server: Running, person: Person) -> None:
    user = accounts(server).register("keyless", "secret", "", key_required=False)
    token = accounts(server).issue_tokens(user).access
    answer = server.call(
        "PUT",
        f"/users/{user.id}/key",
        data={"publicKey": PEM, "password": "secret"},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 204
    assert person.call("GET", f"/users/{user.id}").json()["public_key"] == PEM


def test_of_two_keys_at_once_one_is_refused(server: Running, person: Person) -> None:
    known = accounts(server)
    user = known.confirm(person.user_id, person.password)
    known.confirm = lambda *_: user  # type: ignore[method-assign]
    try:
        known.change_key(person.user_id, "7 5", person.password)
        with pytest.raises(Conflict):
            known.change_key(person.user_id, PEM, person.password)
    finally:
        del known.confirm  # type: ignore[method-assign]
    assert known.get(person.user_id).public_key == "7 5"


# -- deleting --
def test_an_account_is_deleted_with_its_pictures(server: Running, person: Person) -> None:
    reader = server.person()
    assert person.call("POST", person.images, **samples.classic()).status_code == 201
    stem = person.call("GET", person.images).json()[0]["img_name"].removesuffix(".png")
    share = {"user_id": reader.user_id, "role": "read"}
    assert person.call("POST", f"{person.images}/{stem}/permissions", data=share).status_code == 201
    path = f"/users/{person.user_id}"
    assert said(person.call("DELETE", path)) == (422, {"message": "Password is required"})
    assert said(person.call("DELETE", path, data={"password": "wrong"})) == (422, {"message": "Password is wrong"})
    assert reader.call("GET", f"{person.images}/{stem}/content").status_code == 200
    assert said(person.call("DELETE", path, data={"password": person.password})) == (200, {})
    answer = person.call("GET", "/users")
    assert (answer.status_code, answer.json()["message"]) == (401, "User is not authorized")
    assert said(reader.call("GET", path)) == (404, {"message": "User not found"})
    assert reader.call("GET", f"{person.images}/{stem}/content").status_code == 404
    message = "Username or password is invalid"
    assert said(sign_in(server, person)) == (422, {"message": message})
    assert server.storage.pictures(person.user_id) == []
    form = {"username": person.name, "password": "anew", "publicKey": "7 5"}
    assert server.call("POST", "/auth/register", data=form).status_code == 201


def test_an_account_goes_once(server: Running, person: Person) -> None:
    accounts(server).delete(person.user_id)
    with pytest.raises(UserNotFound):
        accounts(server).delete(person.user_id)


def test_nobody_changes_another_account(server: Running, person: Person) -> None:
    other = server.person()
    forms = {
        ("PUT", "/password"): {"old_password": other.password, "new_password": "mine now"},
        ("PUT", "/key"): {"publicKey": "7 5", "password": other.password},
        ("DELETE", ""): {"password": other.password},
    }
    for (method, path), form in forms.items():
        answer = person.call(method, f"/users/{other.user_id}{path}", data=form)
        assert (answer.status_code, answer.json()["message"]) == (401, "User is not authorized")
    assert sign_in(server, other).status_code == 200
    assert other.call("GET", f"/users/{other.user_id}").json()["public_key"] == "27977 9431"
