"""Accounts with HTTP Basic and short-lived tokens, beyond what the printed calls show."""

from __future__ import annotations

from dataclasses import replace

import pytest
import requests

from tests.backend.conftest import FAST, Running
from tests.compat.conftest import OpenServer, new_name

PASSWORD = "python"


def somebody(server: Running, path: str = "/api/users") -> tuple[str, requests.Response]:
    """A new account's name and the answer to it."""
    name = new_name("miguel")
    fields = {"username": name, "password": PASSWORD}
    return name, requests.post(f"{server.base}{path}", json=fields, timeout=20)


def get(server: Running, path: str, name: str = "", password: str = "") -> requests.Response:
    """A call with HTTP Basic."""
    return requests.get(f"{server.base}{path}", auth=(name, password) if name else None, timeout=20)


@pytest.mark.parametrize("path", ["/api/users", "/api/user", "/api/usr"])
def test_every_address_that_is_documented(server: Running, path: str) -> None:
    name, answer = somebody(server, path)
    assert (answer.status_code, answer.json()) == (201, {"username": name})
    where = answer.headers["Location"]
    assert where.startswith(f"{server.base}/api/users/")
    assert requests.get(where, timeout=20).json() == {"username": name}
    assert get(server, f"{path}/{where.rpartition('/')[2]}").json() == {"username": name}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Username is required, Password is required"),
        ({"username": "x"}, "Password is required"),
        ({"username": "x\n", "password": "x"}, "Username is not allowed"),
        ({"username": 1, "password": "x"}, "username must be a text"),
    ],
)
def test_what_is_no_account(server: Running, fields: dict[str, object], message: str) -> None:
    answer = requests.post(f"{server.base}/api/users", json=fields, timeout=20)
    assert (answer.status_code, answer.json()) == (400, {"message": message})


def test_other_bodies(server: Running) -> None:
    for body, kind in ((b"{", "application/json"), (b"[]", "application/json"), (b"<x/>", "text/xml")):
        answer = requests.post(f"{server.base}/api/users", data=body, headers={"Content-Type": kind}, timeout=20)
        assert answer.status_code == 400


def test_a_name_is_taken_once(server: Running) -> None:
    name, _ = somebody(server)
    answer = requests.post(f"{server.base}/api/users", json={"username": name, "password": "x"}, timeout=20)
    assert (answer.status_code, answer.json()) == (400, {"message": "Username already exists"})


@pytest.mark.parametrize("user_id", ["1", "0" * 24, "x" * 24])
def test_nobody_of_this_id(server: Running, user_id: str) -> None:
    assert get(server, f"/api/users/{user_id}").status_code == 400


def test_each_token_makes_the_next(server: Running) -> None:
    name, _ = somebody(server)
    token = get(server, "/api/token", name, PASSWORD).json()["token"]
    for password in ("x", ""):
        answer = get(server, "/api/token", token, password).json()
        assert answer["duration"] == 600
        token = answer["token"]
    assert get(server, "/api/resource", token, "x").json() == {"data": f"Hello, {name}!"}


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_libraries_encode_passwords_in_two_ways(server: Running, encoding: str) -> None:
    account = {"username": new_name(), "password": "clef d'\u00e9t\u00e9"}
    assert requests.post(f"{server.base}/api/users", json=account, timeout=20).status_code == 201
    auth = (account["username"].encode(encoding), account["password"].encode(encoding))
    answer = requests.get(f"{server.base}/api/resource", auth=auth, timeout=20)
    assert answer.json() == {"data": f"Hello, {account['username']}!"}


@pytest.mark.parametrize("path", ["/api/token", "/api/resource"])
def test_refusals_ask_for_basic(server: Running, path: str) -> None:
    name, _ = somebody(server)
    bearer = requests.get(f"{server.base}{path}", headers={"Authorization": "Bearer x"}, timeout=20)
    for answer in (get(server, path), get(server, path, name, "wrong"), get(server, path, "x.y.z", "x"), bearer):
        assert (answer.status_code, answer.text) == (401, "Unauthorized Access")
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="Authentication Required"'
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_names_are_text_and_not_markup(server: Running) -> None:
    name = new_name("<b>&")
    requests.post(f"{server.base}/api/users", json={"username": name, "password": PASSWORD}, timeout=20)
    answer = get(server, "/api/resource", name, PASSWORD)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {"data": f"Hello, {name}!"}


def test_who_tries_too_often_is_told_to_wait(open_server: OpenServer) -> None:
    with open_server(replace(FAST, login_attempts=2)) as server:
        name, _ = somebody(server)
        assert [get(server, "/api/token", name, "wrong").status_code for _ in range(3)] == [401, 401, 429]
        answer = get(server, "/api/token", name, PASSWORD)
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0


def test_a_closed_server(open_server: OpenServer) -> None:
    with open_server(replace(FAST, registration=False)) as server:
        _, answer = somebody(server)
        assert (answer.status_code, answer.json()) == (403, {"message": "Registration is closed"})
