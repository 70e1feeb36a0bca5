"""Pages of other web sites: none by default, exactly those of the setting else, and never with credentials."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace

import pytest

from backend.api.cors import EXPOSED
from backend.config import ConfigError
from tests.backend.conftest import FAST, Running, serving

ORIGIN = "https://pictures.example"
OTHERS = (
    "https://evil.example",
    "https://pictures.example:444",
    "http://pictures.example",
    "null",
    f"{ORIGIN}.evil.example",
)


@pytest.fixture(scope="module")
def open_to_some(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    config = replace(FAST, cors_origins=f"{ORIGIN}, http://localhost:8080")
    with serving(tmp_path_factory.mktemp("cors"), config) as running:
        yield running


def allowed(headers: object) -> dict[str, str]:
    return {name.lower(): value for name, value in dict(headers).items() if name.lower().startswith("access-control")}


def test_a_named_site_may_read(open_to_some: Running) -> None:
    person = open_to_some.person()
    for origin in (ORIGIN, "http://localhost:8080"):
        for answer in (
            open_to_some.call("GET", "/server", headers={"Origin": origin}),
            person.call("GET", "/users", headers={"Origin": origin}),
            open_to_some.call("GET", "/users", headers={"Origin": origin}),
            open_to_some.call("GET", "/nothing", headers={"Origin": origin}),
        ):
            found = allowed(answer.headers)
            assert found["access-control-allow-origin"] == origin
            assert "access-control-allow-credentials" not in found
            assert "Origin" in answer.headers["Vary"]


def test_a_named_site_may_ask_before(open_to_some: Running) -> None:
    ask = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization"}
    answer = open_to_some.call("OPTIONS", "/users", headers=ask)
    found = allowed(answer.headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert found["access-control-allow-origin"] == ORIGIN
    assert {"PUT", "DELETE", "POST"} <= set(found["access-control-allow-methods"].split(", "))
    assert "Authorization" in found["access-control-allow-headers"]
    assert "Cookie" not in found["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in found


def test_a_named_site_may_change_what_a_password_opens_and_nothing_with_a_cookie(open_to_some: Running) -> None:
    form = {"email": f"{secrets.token_hex(4)}@mail.example", "password": "a long passphrase"}
    path = f"/users/{open_to_some.call('POST', '/users', json=form).json()['id']}"
    cookie = open_to_some.call("POST", "/auth_session", data=form).headers["Set-Cookie"].partition(";")[0]
    names = {"first_name": "Anna"}
    for origin, status in ((ORIGIN, 200), ("https://evil.example", 401)):
        sent = {"Origin": origin}
        assert open_to_some.call("PUT", path, auth=tuple(form.values()), json=names, headers=sent).status_code == status
        assert open_to_some.call("PUT", path, json=names, headers=sent | {"Cookie": cookie}).status_code == 401


def test_a_named_site_may_read_why_its_upload_was_not_taken_in(open_to_some: Running, server: Running) -> None:
    for running, origin, expected in (
        (open_to_some, ORIGIN, {"access-control-allow-origin": ORIGIN, "access-control-expose-headers": EXPOSED}),
        (open_to_some, "https://evil.example", {}),
        (server, ORIGIN, {}),
    ):
        for auth, path in ((None, "/users/1/images"), (("nobody", "wrong"), "/users/1/images"), (None, "/nothing")):
            answer = running.call("POST", path, auth=auth, data=bytes(300_000), headers={"Origin": origin})
            assert answer.status_code in (401, 413, 422) and allowed(answer.headers) == expected
            assert answer.headers.get("Vary") == ("Origin" if running is open_to_some else None)


@pytest.mark.parametrize("origin", OTHERS)
def test_any_other_site_gets_nothing(open_to_some: Running, origin: str) -> None:
    ask = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    answers = [open_to_some.call("OPTIONS", "/users", headers=ask), open_to_some.call("GET", "/server", headers=ask)]
    assert answers[0].status_code == 405
    for answer in answers:
        assert allowed(answer.headers) == {}
        assert "Origin" in answer.headers["Vary"]  # what one site gets must not be kept for another


def test_a_question_without_a_method_is_none(open_to_some: Running) -> None:
    assert open_to_some.call("OPTIONS", "/users", headers={"Origin": ORIGIN}).status_code == 405


def test_what_every_page_may_read(open_to_some: Running, server: Running) -> None:
    for running in (open_to_some, server):
        for path in ("/status", "/stats", "/users/me", "/forbidden"):
            for origin in (ORIGIN, "https://evil.example"):
                found = allowed(running.call("GET", path, headers={"Origin": origin}).headers)
                assert found == {"access-control-allow-origin": "*"}
        for path in ("/users", "/server"):
            answer = running.call("GET", path, headers={"Origin": "https://evil.example"})
            assert allowed(answer.headers) == {}


@pytest.mark.parametrize("origins", ["*", "pictures.example", "https://pictures.example/", "https://a.example/path"])
def test_what_is_no_origin_is_no_setting(origins: str) -> None:
    with pytest.raises(ConfigError, match="GLASSINE_CORS_ORIGINS"):
        replace(FAST, cors_origins=origins)
