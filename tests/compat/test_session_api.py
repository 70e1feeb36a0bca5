"""Accounts by e-mail address, HTTP Basic and session cookies, beyond what the printed calls show."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from backend.services.clock import utc_now
from tests.backend.conftest import FAST, Running, serving
from tests.compat.conftest import EARLIER, OpenServer, new_name

PASSWORD = "a long passphrase"
FIELDS = {"created_at", "email", "first_name", "id", "last_name", "updated_at"}


def call(server: Running, method: str, path: str, **more: object) -> requests.Response:
    """A call without any memory of earlier ones."""
    return requests.request(method, f"{server.base}/api/v1{path}", timeout=20, **more)


def somebody(server: Running, **more: str) -> dict[str, str]:
    """A new account."""
    email = f"{new_name().replace(' ', '')}@mail.example"
    answer = call(server, "POST", "/users", json={"email": email, "password": PASSWORD} | more)
    assert answer.status_code == 201
    return answer.json()


def signed_in(server: Running, email: str) -> dict[str, str]:
    """The header with the cookie of a new session."""
    answer = call(server, "POST", "/auth_session/login", data={"email": email, "password": PASSWORD})
    assert answer.status_code == 200
    return {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}


def test_an_account_from_first_to_last(server: Running) -> None:
    user = somebody(server, first_name="Bob", last_name="Dylan")
    assert set(user) == FIELDS
    assert (user["first_name"], user["last_name"]) == ("Bob", "Dylan")
    auth = (user["email"], PASSWORD)
    assert call(server, "GET", "/users/me", auth=auth).json() == user
    assert user.items() <= call(server, "GET", f"/users/{user['id']}", auth=auth).json().items()

    changed = call(server, "PUT", f"/users/{user['id']}", json={"last_name": "Zimmerman"}, auth=auth).json()
    assert (changed["first_name"], changed["last_name"]) == ("Bob", "Zimmerman")
    changed = call(server, "PUT", f"/users/{user['id']}", json={"first_name": ""}, auth=auth).json()
    assert (changed["first_name"], changed["last_name"]) == (None, "Zimmerman")
    sent_back = call(server, "PUT", f"/users/{user['id']}", json=changed, auth=auth).json()
    assert sent_back | {"updated_at": ""} == changed | {"updated_at": ""}
    answer = call(server, "PUT", f"/users/{user['id']}", json={"first_name": 1}, auth=auth)
    assert (answer.status_code, answer.json()) == (400, {"error": "first_name must be a text"})

    deleted = call(server, "DELETE", f"/users/{user['id']}", auth=auth)
    assert (deleted.status_code, deleted.json()) == (200, {})
    assert call(server, "GET", "/users/me", auth=auth).status_code == 401


def test_nobody_changes_or_deletes_another(server: Running) -> None:
    one, other = somebody(server), somebody(server)
    auth = (one["email"], PASSWORD)
    answer = call(server, "PUT", f"/users/{other['id']}", json={"first_name": "x"}, auth=auth)
    assert (answer.status_code, answer.json()) == (403, {"error": "Forbidden"})
    assert call(server, "DELETE", f"/users/{other['id']}", auth=auth).status_code in {401, 403}
    for unknown in ("0" * 24, "nobody"):
        answer = call(server, "PUT", f"/users/{unknown}", json={"first_name": "x"}, auth=auth)
        assert answer.status_code == 404
        assert set(answer.json()) == {"error"}
    assert call(server, "GET", "/users/me", auth=(other["email"], PASSWORD)).json() == other


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "email missing"),
        ({"email": "a@b.example"}, "password missing"),
        ({"password": "x"}, "email missing"),
        ({"email": " ", "password": "x"}, "email missing"),
        ({"email": "no address", "password": "x"}, "Email is not allowed"),
        ({"email": "a@b.example", "password": "x" * 1025}, "Password is not allowed"),
        ({"email": ["a@b.example"], "password": "x"}, "email must be a text"),
    ],
)
def test_what_is_no_account(server: Running, fields: dict[str, object], message: str) -> None:
    answer = call(server, "POST", "/users", json=fields)
    assert (answer.status_code, answer.json()) == (400, {"error": message})


def test_an_address_is_taken_once(server: Running) -> None:
    user = somebody(server)
    answer = call(server, "POST", "/users", json={"email": user["email"], "password": "other"})
    assert (answer.status_code, answer.json()) == (400, {"error": "Email already exists"})
    answer = call(server, "POST", "/users", data=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()) == (400, {"error": "The body is not valid JSON"})


def test_signing_in_wrongly(server: Running) -> None:
    email = somebody(server)["email"]
    for path in ("/auth_session", "/auth_session/login"):
        for fields, status, message in (
            ({"password": PASSWORD}, 400, "email missing"),
            ({"email": email}, 400, "password missing"),
            ({"email": email, "password": "wrong"}, 401, "Unauthorized"),
            ({"email": "nobody@mail.example", "password": PASSWORD}, 401, "Unauthorized"),
        ):
            answer = call(server, "POST", path, data=fields)
            assert (answer.status_code, answer.json()) == (status, {"error": message})
            assert "Set-Cookie" not in answer.headers
        for body, message in (
            ({"json": {"email": 5, "password": "x"}}, "email must be a text"),
            ({"json": []}, "The body must be a JSON object"),
            ({"data": "email", "headers": {"Content-Type": "text/plain"}}, "Send form fields or JSON"),
        ):
            answer = call(server, "POST", path, **body)
            assert (answer.status_code, answer.json()) == (400, {"error": message})


def test_the_cookie(server: Running) -> None:
    email = somebody(server)["email"]
    answer = call(server, "POST", "/auth_session", data={"email": email, "password": PASSWORD})
    parts = answer.headers["Set-Cookie"].split("; ")
    assert parts[0].startswith("_my_session_id=")
    assert set(parts[1:]) == {"HttpOnly", "Path=/", "SameSite=Lax"}


def test_the_cookie_of_a_request_that_came_by_https(open_server: OpenServer) -> None:
    with open_server(replace(FAST, trusted_proxies=1, session_seconds=60)) as server:
        email = somebody(server)["email"]
        fields = {"email": email, "password": PASSWORD}
        answer = call(server, "POST", "/auth_session", data=fields, headers={"X-Forwarded-Proto": "https"})
        assert {"HttpOnly", "Secure", "SameSite=Lax", "Max-Age=60"} <= set(answer.headers["Set-Cookie"].split("; "))


@pytest.mark.parametrize("path", ["/auth_session", "/auth_session/logout"])
def test_signing_out(server: Running, path: str) -> None:
    email = somebody(server)["email"]
    one, other, third = (signed_in(server, email) for _ in range(3))
    answer = call(server, "DELETE", path, headers=one)
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["Set-Cookie"].startswith("_my_session_id=;")
    assert [call(server, "GET", "/users/me", headers=cookie).status_code for cookie in (one, other)] == [401, 200]
    again = call(server, "DELETE", path, headers=one)
    assert (again.status_code, again.json()) == (401, {"error": "Unauthorized"})

    for fields in ({"email": email, "password": "wrong"}, {"email": email}):
        assert call(server, "DELETE", path, data=fields).status_code == 401
    assert call(server, "GET", "/users/me", headers=other).status_code == 200
    assert call(server, "DELETE", path, data={"email": email, "password": PASSWORD}).json() == {}
    assert [call(server, "GET", "/users/me", headers=cookie).status_code for cookie in (other, third)] == [401, 401]


def test_sessions_survive_a_restart(open_server: OpenServer) -> None:
    with open_server() as server:
        cookie = signed_in(server, somebody(server)["email"])
    with open_server() as server:
        assert call(server, "GET", "/users/me", headers=cookie).status_code == 200
        assert call(server, "DELETE", "/auth_session", headers=cookie).status_code == 200
    with open_server() as server:
        assert call(server, "GET", "/users/me", headers=cookie).status_code == 401


def test_sessions_end(open_server: OpenServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_server(replace(FAST, session_seconds=60)) as server:
        cookie = signed_in(server, somebody(server)["email"])
        assert call(server, "GET", "/users/me", headers=cookie).status_code == 200
        sessions = server.app.extensions["glassine"].services.sessions
        later = utc_now() + timedelta(seconds=61)
        monkeypatch.setattr(sessions, "_now", lambda: later)
        assert call(server, "GET", "/users/me", headers=cookie).status_code == 401


def test_what_is_stored_opens_nothing(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        cookie = signed_in(server, somebody(server)["email"])["Cookie"].split("=")[1]
        assert call(server, "GET", "/users/me", headers={"Cookie": f"_my_session_id={cookie}"}).status_code == 200
        assert server.storage.session(cookie) is None
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"@mail.example" in stored
    assert cookie.split(".")[0].encode() not in stored


def test_a_session_opens_the_api_itself(server: Running) -> None:
    user = somebody(server)
    cookie = signed_in(server, user["email"])
    assert call(server, "GET", f"/users/{user['id']}/images", headers=cookie).json() == []
    answer = call(server, "POST", "/auth/logout", headers=cookie)
    assert answer.json() == {"message": "User logged out"}
    answer = call(server, "GET", f"/users/{user['id']}/images", headers=cookie)
    assert (answer.status_code, answer.json()) == (401, {"message": "Session has ended"})


def test_a_page_of_another_site_deletes_nothing(server: Running) -> None:
    user = somebody(server)
    cookie = signed_in(server, user["email"])
    for path in (f"/users/{user['id']}", "/auth_session"):
        answer = call(server, "DELETE", path, headers=cookie | {"Origin": "https://evil.example"})
        assert answer.status_code == 401
    assert call(server, "GET", "/users/me", headers=cookie).json() == user


def test_counts(server: Running) -> None:
    user = somebody(server)
    before = call(server, "GET", "/stats", auth=(user["email"], PASSWORD)).json()
    somebody(server)
    after = call(server, "GET", "/stats", auth=(user["email"], PASSWORD)).json()
    assert after["users"] == before["users"] + 1
    assert set(after) == {"users", "pictures", "files", "sessions"}


def test_nothing_about_a_password_is_ever_shown(server: Running) -> None:
    user = somebody(server)
    for path in ("/users", "/users/me", f"/users/{user['id']}"):
        text = call(server, "GET", path, auth=(user["email"], PASSWORD)).text
        assert "password" not in text
        assert "argon2" not in text


@pytest.mark.parametrize("dialect", ["server", "earlier"])
def test_a_token_in_the_place_of_the_name_deletes_nothing(request: pytest.FixtureRequest, dialect: str) -> None:
    running = request.getfixturevalue(dialect)
    user = somebody(running)
    cookie = signed_in(running, user["email"])
    auth = (user["email"], PASSWORD)
    token = (requests.get(f"{running.base}/api/token", auth=auth, timeout=20).json()["token"], "anything")
    path = f"/users/{user['id']}"
    answer = call(running, "DELETE", path, auth=token)
    assert (answer.status_code, answer.json()["error"]) == (422, "Password is required")
    assert call(running, "DELETE", "/auth_session", auth=token).status_code == 404
    assert call(running, "GET", "/users/me", headers=cookie).json() == user
    assert call(running, "DELETE", path, auth=token, data={"password": PASSWORD}).json() == {}


def test_beside_the_earlier_dialect(earlier: Running) -> None:
    assert EARLIER.api_dialect
    user = somebody(earlier)
    cookie = signed_in(earlier, user["email"])
    assert call(earlier, "GET", "/users/me", headers=cookie).json() == user
    other = somebody(earlier)
    answer = call(earlier, "DELETE", f"/users/{other['id']}", headers=cookie)
    assert (answer.status_code, answer.json()) == (403, {"error": "Forbidden"})
    answer = call(earlier, "DELETE", f"/users/{user['id']}", headers=cookie)
    assert (answer.status_code, answer.json()) == (200, {})
    assert call(earlier, "GET", "/users/me", headers=cookie).status_code == 401


def test_beside_the_earlier_dialect_a_token_alone_deletes_nothing(earlier: Running) -> None:
    known = earlier.app.extensions["glassine"].services.accounts
    user = known.register("only a token", "secret", "", key_required=False)
    headers = {"Authorization": f"Bearer {known.issue_tokens(user).access}"}
    path = f"/users/{user.id}"
    assert call(earlier, "DELETE", path, headers=headers).status_code == 422
    assert call(earlier, "DELETE", path, headers=headers, data={"password": "wrong"}).status_code == 422
    assert known.get(user.id) == user
    deleted = call(earlier, "DELETE", path, headers=headers, data={"password": "secret"})
    assert (deleted.status_code, deleted.json()) == (200, {})
