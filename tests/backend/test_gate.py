"""Every route is closed unless it is listed as public, and every answer carries the same protection."""

from __future__ import annotations

import re

import backend
from backend.api.gate import HEADERS, PUBLIC
from tests.backend.conftest import Person, Running

PUBLIC_ROUTES = {
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/register"),
    ("GET", "/api/v1/server"),
    ("HEAD", "/api/v1/server"),
}


def routes(server: Running) -> list[tuple[str, str]]:
    """Method and path of every route, with plausible values for its variables."""
    found = []
    for rule in server.app.url_map.iter_rules():
        path = re.sub(r"<(user_id|reader_id|picture_id)>", "0" * 24, rule.rule)
        path = re.sub(r"<name>", "bicycle", path)
        path = re.sub(r"<fingerprint>", "0" * 64, path)
        assert "<" not in path, f"the walk knows no value for {rule.rule}"
        found += [(method, path) for method in sorted(rule.methods or ())]
    return found


def test_every_route_refuses_strangers_unless_listed(server: Running) -> None:
    walked = routes(server)
    assert len(walked) > 20
    for method, path in walked:
        answer = server.session.request(method, server.base + path, timeout=20)
        if (method, path) in PUBLIC_ROUTES:
            assert "Authorization" not in answer.text
        else:
            assert answer.status_code == 422, f"{method} {path} answers strangers"
            if method != "HEAD":
                assert "Bad Authorization header" in answer.json()["message"]


def test_the_public_list_has_no_surprises(server: Running) -> None:
    assert set(server.app.view_functions) >= PUBLIC
    assert set(routes(server)) >= PUBLIC_ROUTES
    assert len(PUBLIC) == 3


def test_no_route_of_another_person_is_open(server: Running, person: Person) -> None:
    other = server.person()
    for method, path in routes(server):
        if "/users/" in path and "/images" in path and not path.endswith("/thumbnails"):
            answer = person.call(method, path.removeprefix("/api/v1").replace("0" * 24, other.user_id, 1))
            assert answer.status_code in {401, 404}, f"{method} {path}"


def test_answers_are_protected(server: Running, person: Person) -> None:
    answers = [
        server.call("GET", "/server"),
        server.call("GET", "/users"),
        server.call("GET", "/nothing/here"),
        server.call("PATCH", "/users"),
        person.call("GET", "/users"),
    ]
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        assert "Server" not in answer.headers


def test_other_sites_get_nothing(server: Running, person: Person) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    answers = [
        server.call("OPTIONS", "/users", headers=headers),
        server.call("GET", "/server", headers=headers),
        person.call("GET", "/users", headers=headers),
    ]
    assert answers[0].status_code == 405
    for answer in answers:
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_unknown_addresses_and_methods(server: Running) -> None:
    answer = server.call("GET", "/nothing")
    assert (answer.status_code, answer.json()) == (404, {"message": "Not found"})
    answer = server.call("DELETE", "/users")
    assert (answer.status_code, answer.json()) == (405, {"message": "Method Not Allowed"})
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD"}


def test_server_info(server: Running) -> None:
    info = server.call("GET", "/server").json()
    assert info == {
        "name": "glassine",
        "version": backend.__version__,
        "max_upload_bytes": 2_000_000,
        "registration": True,
    }
