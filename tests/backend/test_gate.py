"""Every route is closed unless it is listed as public, and every answer carries the same protection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

import backend
from backend.api.gate import HEADERS, PUBLIC
from tests.backend.conftest import FAST, Person, Running, serving

ALWAYS_PUBLIC = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),  # there only for those with its own token
    ("GET", "/api/v1/server"),
    ("GET", "/api/v1/"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/api/v1/swagger-ui/start.js"),
    ("GET", "/api/v1/status"),
    ("GET", "/api/v1/unauthorized"),
    ("GET", "/api/v1/forbidden"),
    ("POST", "/api/v1/users"),
    ("POST", "/api/v1/auth_session"),
    ("POST", "/api/v1/auth_session/login"),
    *(
        (method, f"/{kind}/{step}")
        for method in ("GET", "POST")
        for kind in ("ops", "client")
        for step in ("signup", "login")
    ),
    *(("POST", f"/api/{word}") for word in ("users", "user", "usr")),
    *(("GET", f"/api/{word}/{'0' * 24}") for word in ("users", "user", "usr")),
}
PUBLIC_ROUTES = {
    "": ALWAYS_PUBLIC | {("POST", "/api/v1/auth/login"), ("POST", "/api/v1/auth/register")},
    "2022-01": ALWAYS_PUBLIC | {(method, path) for method in ("GET", "POST") for path in ("/login", "/register")},
}

NO_TOKEN = "Bad Authorization header. Expected 'Authorization: Bearer <JWT>'"
UNAUTHORIZED = (401, {"error": "Unauthorized"})
OWN_WORDS = {
    # by what the address begins with
    "/api/token": (401, "Unauthorized Access"),
    "/api/resource": (401, "Unauthorized Access"),
    "/ops/": (403, {"message": "Forbidden"}),
    "/client/": (403, {"message": "Forbidden"}),
    "/api/v1/stats": UNAUTHORIZED,
    "/api/v1/auth_session": UNAUTHORIZED,
    "/api/v1/users/me": UNAUTHORIZED,
}
OF_ONE_METHOD = {
    ("GET", "/logout"): (403, {"message": "Forbidden"}),
    ("PUT", f"/api/v1/users/{'0' * 24}"): UNAUTHORIZED,
    ("DELETE", f"/api/v1/users/{'0' * 24}"): UNAUTHORIZED,
}
WRAPPED = {"status": "error", "code": "422", "message": NO_TOKEN}


@pytest.fixture(scope="module", params=["", "2022-01"], ids=["present", "earlier"])
def either(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Running]]:
    """The dialect and a server of it."""
    with serving(tmp_path_factory.mktemp("either"), replace(FAST, api_dialect=request.param)) as running:
        yield request.param, running


def routes(server: Running) -> list[tuple[str, str]]:
    """Method and path of every route, with plausible values for its variables."""
    found = []
    for rule in server.app.url_map.iter_rules():
        path = re.sub(r"<(user_id|reader_id|picture_id)>", "0" * 24, rule.rule)
        path = re.sub(r"<(name|ops_username|file_name)>", "bicycle", path)
        path = re.sub(r"<fingerprint>", "0" * 64, path)
        path = re.sub(r"<asset>", "start.js", path)
        assert "<" not in path, f"the walk knows no value for {rule.rule}"
        found += [(method, path) for method in sorted(rule.methods or ())]
    return found


def refusal(dialect: str, method: str, path: str) -> tuple[int, object]:
    """What a stranger must be told."""
    known = OF_ONE_METHOD.get(("GET" if method == "HEAD" else method, path))
    known = known or next((words for start, words in OWN_WORDS.items() if path.startswith(start)), None)
    return known or (422, WRAPPED if dialect else {"message": NO_TOKEN})


def test_every_route_refuses_strangers_unless_listed(either: tuple[str, Running]) -> None:
    dialect, server = either
    walked = routes(server)
    assert len(walked) > 60
    refused = 0
    for method, path in walked:
        if ("GET" if method == "HEAD" else method, path) in PUBLIC_ROUTES[dialect]:
            continue
        answer = server.session.request(method, server.base + path, timeout=20)
        status, words = refusal(dialect, method, path)
        assert answer.status_code == status, f"{method} {path} answers strangers"
        refused += 1
        if method != "HEAD":
            told = answer.text if isinstance(words, str) else answer.json()
            if isinstance(told, dict) and isinstance(words, dict):  # one address says it in the words of both
                told = {name: told[name] for name in words}
            assert told == words, f"{method} {path}"
    assert refused > 25


def test_every_route_refuses_bad_credentials(either: tuple[str, Running]) -> None:
    dialect, server = either
    for method, path in routes(server):
        if ("GET" if method == "HEAD" else method, path) in PUBLIC_ROUTES[dialect]:
            continue
        for headers in (
            {"Authorization": "Bearer x.y.z"},
            {"Authorization": "Basic eDp5"},
            {"Cookie": "_my_session_id=x"},
        ):
            answer = requests.request(method, server.base + path, headers=headers, timeout=20)
            assert answer.status_code in {401, 403, 422}, f"{method} {path} takes {headers}"


def test_public_routes_answer_strangers(either: tuple[str, Running]) -> None:
    dialect, server = either
    assert set(routes(server)) >= PUBLIC_ROUTES[dialect]
    refusals = {NO_TOKEN, "Unauthorized Access", '{"message":"Forbidden"}'}
    for method, path in PUBLIC_ROUTES[dialect]:
        answer = server.session.request(method, server.base + path, timeout=20)
        assert not any(words in answer.text for words in refusals), f"{method} {path}"


def test_the_public_list_has_no_surprises(either: tuple[str, Running]) -> None:
    dialect, server = either
    listed = {
        (method, path)
        for rule in server.app.url_map.iter_rules()
        if rule.endpoint in PUBLIC
        for path in [re.sub("<user_id>", "0" * 24, rule.rule).replace("<asset>", "start.js")]
        for method in (rule.methods or set()) - {"HEAD"}
    }
    assert listed == PUBLIC_ROUTES[dialect]


def test_nothing_is_listed_that_is_not_there(either: tuple[str, Running], server: Running) -> None:
    _, one = either
    assert set(one.app.view_functions) | set(server.app.view_functions) | _EARLIER >= PUBLIC


_EARLIER = {f"earlier_api.{name}" for name in ("login", "login_form", "register", "register_form")}


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
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_server_info(server: Running) -> None:
    info = server.call("GET", "/server").json()
    assert info == {
        "name": "glassine",
        "version": backend.__version__,
        "max_upload_bytes": 2_000_000,
        "registration": True,
        "bin_days": 30,
    }
