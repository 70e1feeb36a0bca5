"""Registering, signing in and tokens."""

from __future__ import annotations

import base64
import json
import statistics
import time
from datetime import timedelta
from typing import Any

import jwt
import pytest
from flask_jwt_extended import create_access_token, create_refresh_token

from backend.config import Config
from backend.errors import BadCredentials, Conflict, Invalid
from backend.services.accounts import Accounts, Tokens
from tests.backend.conftest import Person, Running

PEM = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----\n"


def register(server: Running, **form: str) -> tuple[int, str]:
    answer = server.call("POST", "/auth/register", data=form)
    value = answer.json()
    return answer.status_code, value["message"] if isinstance(value, dict) else value


def test_register_answers_an_empty_text_in_json(server: Running) -> None:
    form = {"username": "wanda", "password": "secret", "publicKey": "27977 9431"}
    answer = server.call("POST", "/auth/register", data=form)
    assert (answer.status_code, answer.text) == (201, '""')
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ({"username"}, "Username is required"),
        ({"password"}, "Password is required"),
        ({"publicKey"}, "Public key is required"),
        ({"username", "publicKey"}, "Username is required, Public key is required"),
        ({"username", "password", "publicKey"}, "Username is required, Password is required, Public key is required"),
    ],
)
def test_register_names_all_that_is_missing(server: Running, missing: set[str], message: str) -> None:
    form = {"username": "xaver", "password": "secret", "publicKey": "27977 9431"}
    assert register(server, **{k: v for k, v in form.items() if k not in missing}) == (422, message)
    assert register(server, **{k: " " if k in missing else v for k, v in form.items()}) == (422, message)


@pytest.mark.parametrize("key", ["27977 9431", "27977 9431".replace("9", "9" * 400), PEM, PEM.strip()])
def test_public_keys_are_kept_as_given(server: Running, key: str) -> None:
    person = server.person(key)
    assert person.call("GET", f"/users/{person.user_id}").json()["public_key"] == key


@pytest.mark.parametrize(
    "key",
    [
        "27977",
        "27977  9431",
        "-1 5",
        "0 5",
        "a b",
        "1 2 3",
        "\u0661 3",
        "9" * 9000 + " 3",
        PEM + PEM,
        PEM.replace("MII", "M=I"),
    ],
)
def test_what_is_no_public_key_is_refused(server: Running, key: str) -> None:
    assert register(server, username="yan", password="x", publicKey=key) == (422, "Public key is invalid")


@pytest.mark.parametrize(
    "name", ["a\nb", "a\x00b", "\u202egnp", "a\u2028b", "adm\u200bin", "\ufeffadmin", "adm\u00adin", "\u3164"]
)
def test_deceptive_user_names_are_refused(server: Running, name: str) -> None:
    assert register(server, username=name, password="x", publicKey="7 5") == (422, "Username is not allowed")


def test_long_names_and_passwords_are_refused(server: Running) -> None:
    assert register(server, username="n" * 256, password="x", publicKey="7 5") == (422, "Username is too long")
    assert register(server, username="long", password="x" * 1025, publicKey="7 5") == (422, "Password is not allowed")
    assert register(server, username="n" * 255, password="x" * 1024, publicKey="7 5")[0] == 201


def test_names_and_passwords_are_compared_exactly(server: Running) -> None:
    for name in ("Zoe", "zoe", "zoe ", "zo\u00eb", "zoe\u0308"):
        assert register(server, username=name, password=f" {name} \U0001f511", publicKey="7 5") == (201, "")
    form = {"username": "zoe", "password": " zoe \U0001f511"}
    assert server.call("POST", "/auth/login", data=form).status_code == 200
    assert server.call("POST", "/auth/login", data=form | {"username": "zoe "}).status_code == 422
    assert server.call("POST", "/auth/login", data=form | {"password": "zoe \U0001f511"}).status_code == 422


def test_json_bodies_are_taken_too(server: Running) -> None:
    form = {"username": "json", "password": "secret", "publicKey": "27977 9431"}
    assert server.call("POST", "/auth/register", json=form).status_code == 201
    assert set(server.call("POST", "/auth/login", json=form).json()) == {"user_id", "access_token", "refresh_token"}
    multipart = {name: (None, value) for name, value in form.items()}
    assert server.call("POST", "/auth/login", files=multipart).status_code == 200


@pytest.mark.parametrize(
    ("body", "kind", "status", "message"),
    [
        (b'{"username": 5, "password": "x"}', "application/json", 422, "username must be a text"),
        (b'{"username": null, "password": "x"}', "application/json", 422, "username must be a text"),
        (b'{"username": "\\ud800", "password": "\\ud800"}', "application/json", 422, "username must be a text"),
        (b'["username"]', "application/json", 400, "The body must be a JSON object"),
        (b'{"username": ', "application/json", 400, "The body is not valid JSON"),
        (b'{"username": NaN}', "application/json", 400, "The body is not valid JSON"),
        (b'{"username": "\xff"}', "application/json", 400, "The body is not valid JSON"),
        (b'{"username": ' + b"[" * 100_000, "application/json", 400, "The body is not valid JSON"),
        (b'{"username": ' + b"9" * 100_000 + b"}", "application/json", 400, "The body is not valid JSON"),
        (b"username=a", "text/plain", 415, "Send form fields or JSON"),
        (b"<xml/>", "application/xml", 415, "Send form fields or JSON"),
        (b"", "", 422, "Username is required, Password is required"),
        (b"username=%ff%fe&password=%ff", "application/x-www-form-urlencoded", 422, "Username or password is invalid"),
        (b"\xff=\xff", "application/x-www-form-urlencoded", 400, "The request is malformed"),
        (
            b'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\n\xe9\r\n--x--\r\n',
            "multipart/form-data; boundary=x", 422, "password must be a text",
        ),
        (b"--x\r\nno", "multipart/form-data; boundary=x", 400, "The request is malformed"),
        (b"--x\r\nno", "multipart/form-data", 400, "The request is malformed"),
        (b"a" * 300_000, "application/x-www-form-urlencoded", 413, "The request is larger than this server takes"),
    ],
)  # fmt: skip
def test_bodies_that_are_not_what_they_say(server: Running, body: bytes, kind: str, status: int, message: str) -> None:
    answer = server.call("POST", "/auth/login", data=body, headers={"Content-Type": kind} if kind else {})
    assert (answer.status_code, answer.json()) == (status, {"message": message})


def test_an_unknown_user_costs_as_much_as_a_wrong_password(server: Running, person: Person) -> None:
    times: dict[str, list[float]] = {person.name: [], "nobody of this name": []}
    for _ in range(15):
        for name, taken in times.items():  # in turn, so that a busy machine slows both alike
            begun = time.perf_counter()
            answer = server.call("POST", "/auth/login", data={"username": name, "password": "wrong"})
            taken.append(time.perf_counter() - begun)
            assert answer.json() == {"message": "Username or password is invalid"}
    known, unknown = map(statistics.median, times.values())
    assert 0.5 < known / unknown < 2


def test_tokens_that_are_not_good(server: Running, person: Person) -> None:
    with server.app.app_context():
        old = create_access_token(person.user_id, expires_delta=timedelta(seconds=-35))
        refresh = create_refresh_token(person.user_id)
        of_nobody = create_access_token("0" * 24)
    claims = jwt.decode(person.token, options={"verify_signature": False})
    head, body, signature = person.token.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    unsigned = f"{none}.{body}."
    by_another_key = jwt.encode(claims, "k" * 32, "HS256")
    bad = "Bad Authorization header. Expected 'Authorization: Bearer <JWT>'"
    expected: dict[str, tuple[int, str | None]] = {
        "": (422, bad),
        person.token: (422, bad),
        "Bearer": (422, bad),
        "Bearer ": (422, bad),
        "Basic YTpi": (422, "Username or password is invalid"),
        f"Bearer {person.token} more": (422, bad),
        "Bearer x": (422, None),
        "Bearer a.b.c": (422, None),
        f"Bearer {head}.{body}.{signature[:-4]}AAAA": (422, "Signature verification failed"),
        f"Bearer {unsigned}": (422, None),
        f"Bearer {by_another_key}": (422, "Signature verification failed"),
        f"Bearer {refresh}": (422, "Only non-refresh tokens are allowed"),
        f"Bearer {old}": (401, "Token has expired"),
        f"Bearer {of_nobody}": (401, "User is not authorized"),
    }
    for value, (status, message) in expected.items():
        answer = server.call("GET", "/users", headers={"Authorization": value} if value else {})
        assert answer.status_code == status, value
        assert set(answer.json()) == {"message"}
        if message is not None:
            assert answer.json()["message"] == message, value


def test_a_token_in_cookie_query_or_body_is_no_token(server: Running, person: Person) -> None:
    cookie = {"access_token_cookie": person.token}
    assert server.call("GET", "/users", cookies=cookie).status_code == 422
    assert server.call("GET", f"/users?jwt={person.token}").status_code == 422
    assert server.call("POST", "/auth/logout", json={"access_token": person.token}).status_code == 422


def test_logout_revokes_this_token_only(server: Running, person: Person) -> None:
    form = {"username": person.name, "password": person.password}
    other = server.call("POST", "/auth/login", data=form).json()["access_token"]
    assert person.call("POST", "/auth/logout").json() == {"message": "User logged out"}
    assert person.call("GET", "/users").json() == {"message": "Token has been revoked"}
    person.token = other
    assert person.call("GET", "/users").status_code == 200


def test_a_token_says_only_who_and_until_when(person: Person) -> None:
    claims: dict[str, Any] = jwt.decode(person.token, options={"verify_signature": False})
    assert claims["sub"] == person.user_id
    assert claims["exp"] - claims["iat"] == 12 * 3600
    assert person.name not in json.dumps(claims)


def test_users(server: Running, person: Person) -> None:
    me = person.call("GET", f"/users/{person.user_id}").json()
    assert me.items() >= {"public_key": "27977 9431", "user_id": person.user_id, "user_name": person.name}.items()
    assert person.call("GET", f"/users/{person.user_id.upper()}").json() == me
    everybody = person.call("GET", "/users").json()
    assert me in everybody
    assert all(set(user) == set(me) for user in everybody)
    kept = server.storage.user(person.user_id).password_hash
    assert person.password not in json.dumps(everybody) and kept not in json.dumps(everybody)


@pytest.mark.parametrize("user_id", ["1", "z" * 24, "0" * 23, "0" * 25, "admin", "0" * 23 + "\u0661"])
def test_an_id_is_24_hex_digits(person: Person, user_id: str) -> None:
    answer = person.call("GET", f"/users/{user_id}")
    message = "Not a valid ObjectId, it must be a 12-byte input or a 24-character hex string"
    assert (answer.status_code, answer.json()) == (422, {"message": message})


def test_an_account_without_password_opens_with_none(server: Running) -> None:
    accounts: Accounts = server.app.extensions["glassine"].services.accounts
    user = accounts.create_local_account("this computer", PEM)
    assert accounts.find("this computer") == user
    for password in ("", " ", "x"):
        answer = server.call("POST", "/auth/login", data={"username": user.name, "password": password})
        assert answer.status_code == 422
    token = accounts.issue_token(user.id)
    answer = server.call("GET", f"/users/{user.id}/images", headers={"Authorization": f"Bearer {token}"})
    assert answer.json() == []
    with pytest.raises(Conflict):
        accounts.create_local_account("this computer", PEM)
    with pytest.raises(Invalid):
        accounts.create_local_account("another", "no key")


def test_a_password_hash_follows_the_settings(server: Running, person: Person) -> None:
    before = server.storage.user(person.user_id).password_hash
    assert before.startswith("$argon2id$v=19$m=8192,t=1,")
    stronger = Accounts(server.storage, Config(argon2_memory_kib=9000, argon2_passes=2), lambda _: Tokens("", ""))
    with pytest.raises(BadCredentials):
        stronger.sign_in(person.name, "wrong")
    assert server.storage.user(person.user_id).password_hash == before
    assert stronger.sign_in(person.name, person.password).id == person.user_id
    assert server.storage.user(person.user_id).password_hash.startswith("$argon2id$v=19$m=9000,t=2,")
    assert stronger.sign_in(person.name, person.password).id == person.user_id
