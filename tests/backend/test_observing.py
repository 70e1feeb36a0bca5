"""Logs, health and figures: what is said about requests, and what never is."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from backend import create_app
from backend.api.blobs import BlobBody
from backend.log_format import JsonFormatter, OneLineFormatter, WithoutAddresses, request_id, start_log
from backend.storage.mongo import open_mongo
from backend.storage.protocol import StorageError
from tests.backend import samples
from tests.backend.conftest import FAST, Running, serving
from tests.backend.test_serve import command
from tests.mongodb import mongo_server, with_database

TOKEN = "figures for friends only"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("server"), replace(FAST, metrics_token=TOKEN)) as running:
        yield running


def get(server: Running, path: str, **headers: str) -> requests.Response:
    return server.session.get(server.base + path, headers=headers, timeout=20)


def figures(server: Running) -> dict[str, float]:
    text = get(server, "/metrics", Authorization=f"Bearer {TOKEN}").text
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


# -- health --


class Ailing:
    """A storage that can be made to fail its check."""

    def __init__(self, storage: Any) -> None:
        self._storage = storage
        self.error: StorageError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def check(self) -> None:
        if self.error is not None:
            raise self.error
        self._storage.check()


def test_alive_and_ready(tmp_path: Path) -> None:
    storages: list[Ailing] = []

    def wrap(storage: Any) -> Ailing:
        storages.append(Ailing(storage))
        return storages[0]

    with serving(tmp_path, wrap=wrap) as server:
        for path in ("/healthz", "/readyz"):
            answer = get(server, path)
            assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        storages[0].error = StorageError("full", "no room on /secret/place")
        answer = get(server, "/readyz")
        assert (answer.status_code, answer.json()) == (503, {"message": "The server's storage is full"})
        assert get(server, "/healthz").status_code == 200
        storages[0].error = StorageError("damaged", "x")
        answer = get(server, "/readyz")
        assert (answer.status_code, answer.json()) == (503, {"message": "The server's storage is damaged"})
        storages[0].error = None
        assert get(server, "/readyz").status_code == 200


def test_a_database_that_is_away_for_a_while(tmp_path: Path) -> None:
    with mongo_server(tmp_path) as database:
        uri = with_database(database.uri, "glassine", serverSelectionTimeoutMS=300, connectTimeoutMS=300)
        with closing(open_mongo(uri)) as storage, create_app(FAST, storage).test_client() as client:
            assert client.get("/readyz").status_code == 200
            database.kill()
            answer = client.get("/readyz")
            assert (answer.status_code, answer.json) == (503, {"message": "The server's database cannot be reached"})
            assert client.get("/healthz").status_code == 200
            database.start()
            assert client.get("/readyz").status_code == 200


# -- figures --


def test_figures_are_for_those_with_the_token(watched: Running, server: Running) -> None:
    answer = get(watched, "/metrics", Authorization=f"Bearer {TOKEN}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    nothing = get(watched, "/nothing")
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"},
                    {"Authorization": f"Bearer {TOKEN} "[:-2]}, {"Authorization": "Bearer "}):  # fmt: skip
        refused = get(watched, "/metrics", **headers)
        assert (refused.status_code, refused.content) == (nothing.status_code, nothing.content)
    # without the setting nothing opens it, not even nothing
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
        assert get(server, "/metrics", **headers).status_code == 404


def test_requests_are_counted_by_route(watched: Running) -> None:
    person = watched.person()
    before = figures(watched)
    for name in ("a", "b"):
        assert person.call("POST", person.images, **samples.classic(f"{name}.png")).status_code == 201
        assert person.call("GET", f"{person.images}/{name}/content").status_code == 200
    assert person.call("GET", "/nothing").status_code == 404
    after = figures(watched)

    def grown(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    route = "/api/v1/users/<user_id>/images"
    size = len(samples.png())
    assert grown(f'glassine_requests_total{{method="POST",route="{route}",status="201"}}') == 2
    assert grown(f'glassine_requests_total{{method="GET",route="{route}/<name>/content",status="200"}}') == 2
    assert grown('glassine_requests_total{method="GET",route="-",status="404"}') == 1
    assert grown(f'glassine_request_seconds_count{{method="POST",route="{route}"}}') == 2
    assert grown("glassine_received_bytes_total") >= 2 * size
    assert grown("glassine_sent_bytes_total") >= 2 * size
    assert after["glassine_requests_in_flight"] == 1  # the one that asks


def test_figures_do_not_grow_with_what_clients_invent(watched: Running) -> None:
    before = set(figures(watched))
    for number in range(20):
        watched.session.request(f"METHOD{number}", f"{watched.base}/invented/{number}", timeout=20)
    grown = set(figures(watched)) - before
    assert {re.sub(r".*method=\"(\w+)\".*", r"\1", name) for name in grown} <= {"OTHER", "GET"}


def test_what_is_refused_unread_is_counted(watched: Running) -> None:
    person = watched.person()
    name = 'glassine_requests_total{method="POST",route="-",status="413"}'
    before = figures(watched).get(name, 0)
    answer = person.call("POST", person.images, data=bytes(FAST.max_upload_bytes + 1))
    assert answer.status_code == 413
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-ID"])
    assert figures(watched)[name] == before + 1


# -- headers --


def test_every_answer_has_an_id_of_its_own(server: Running) -> None:
    person = server.person()
    answers = [get(server, path) for path in ("/healthz", "/nothing", "/api/v1/users", "/api/v1/server")]
    answers.append(person.call("DELETE", f"{person.images}/nothing"))
    ids = {answer.headers["X-Request-ID"] for answer in answers}
    assert len(ids) == len(answers) and all(re.fullmatch("[0-9a-f]{16}", one) for one in ids)
    assert get(server, "/healthz", **{"X-Request-ID": "chosen"}).headers["X-Request-ID"] != "chosen"


def test_every_kind_of_answer_is_hardened(server: Running) -> None:
    person = server.person()
    answers = [
        get(server, "/healthz"), get(server, "/nothing"), get(server, "/metrics"), get(server, "/api/v1/users"),
        get(server, "/api/v1/server"), get(server, "/api/v1/server/"), get(server, "/"), get(server, "/%00"),
        server.session.request("OPTIONS", server.base + "/api/v1/server", timeout=20),
        server.session.request("TRACE", server.base + "/healthz", timeout=20),
        server.session.post(server.base + "/healthz", timeout=20),
        person.call("GET", person.images), person.call("DELETE", f"{person.images}/nothing"),
        person.call("POST", "/auth/login", data=b"{", headers={"Content-Type": "application/json"}),
        person.call("POST", person.images, data=bytes(FAST.max_upload_bytes + 1)),
    ]  # fmt: skip
    for answer in answers:
        where = (answer.request.method, answer.url, answer.status_code)
        assert answer.headers["X-Content-Type-Options"] == "nosniff", where
        assert answer.headers["X-Frame-Options"] == "DENY", where
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], where
        assert answer.headers["Referrer-Policy"] == "no-referrer", where
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin", where
        assert answer.headers["Cache-Control"], where
        assert "Server" not in answer.headers and "Strict-Transport-Security" not in answer.headers, where
        assert answer.headers["Content-Type"].startswith("application/json") or not answer.content, where


# -- logs --


def a_session(base: str) -> tuple[list[str], list[str]]:
    """Do what people do, well and badly; return what must not be in any log, and the ids of the requests."""
    password, name, picture = "pass-planted-phrase", "planted-person", "planted-picture"
    planted = [password, name, picture, "planted-query", "planted-cookie", "planted-field", "planted-path"]
    planted.append(base64.b64encode(f"{name}:{password}".encode()).decode())
    form = {"username": name, "password": password, "publicKey": "7 5"}
    ids = []
    with requests.Session() as session:
        session.trust_env = False

        def call(method: str, path: str, **more: Any) -> requests.Response:
            answer = session.request(method, f"{base}{path}", timeout=20, **more)
            ids.append(answer.headers["X-Request-ID"])
            return answer

        call("POST", "/api/v1/auth/register", data=form)
        call("POST", "/api/v1/auth/register", data=form)
        call("POST", "/api/v1/auth/login", data=form | {"password": password + "x"})
        call("POST", "/api/v1/auth/login?q=planted-query", data=form)
        call("POST", "/api/v1/auth/login", json=form | {"password": ["planted-field"]})
        login = call("POST", "/api/v1/auth/login", data=form).json()
        token = login["access_token"]
        planted += [token, token.rpartition(".")[2], login["user_id"]]
        call("GET", "/api/v1/users", auth=(name, password))
        call("GET", "/planted-path%0a/%1b[31m")
        call("GET", "/api/v1/users", headers={"Cookie": "_my_session_id=planted-cookie"})
        call("GET", "/api/v1/users", headers={"Authorization": f"Bearer {token}x"})
        session.headers["Authorization"] = f"Bearer {token}"
        images = f"/api/v1/users/{login['user_id']}/images"
        assert call("POST", images, **samples.classic(f"{picture}.png")).status_code == 201
        assert call("GET", f"{images}/{picture}/content?q=planted-query").status_code == 200
        call("GET", f"{images}/{picture}")
        call("POST", f"{images}/{picture}/permissions", data={"user_id": "planted-field", "role": "planted-field"})
        call("POST", images, data=bytes((3 << 20) + 1))
        call("DELETE", f"{images}/{picture}")
        call("POST", "/api/v1/auth/logout")
        call("GET", "/healthz?q=planted-query")
    return planted, ids


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_secret_and_no_name_is_ever_logged(tmp_path: Path, log_format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.backend.test_serve.QUICK", {
        "GLASSINE_ARGON2_MEMORY_KIB": "8192", "GLASSINE_ARGON2_PASSES": "1", "GLASSINE_LOG_FORMAT": log_format,
        "GLASSINE_SECRET_KEY": "planted-key " * 4, "GLASSINE_METRICS_TOKEN": "planted-metrics-token",
    })  # fmt: skip
    process = command("--port", "0", "--data", tmp_path, "--max-upload-mb", "3")
    try:
        assert process.stdout
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found
        planted, ids = a_session(found[0])
        process.terminate()
        log = process.communicate(timeout=30)[1]
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0
    for secret in [*planted, "planted-key", "planted-metrics-token"]:
        assert secret not in log, secret
    access = [line for line in log.splitlines() if "backend.access" in line]
    assert len(access) == len(ids)
    if log_format == "json":
        records = [json.loads(line) for line in log.splitlines()]
        lines = {record["request_id"]: record for record in records if record["logger"] == "backend.access"}
        assert set(lines) == set(ids)
        upload = lines[ids[-8]]
        assert upload["route"] == "/api/v1/users/<user_id>/images"
        assert (upload["method"], upload["status"]) == ("POST", 201)
        assert upload["bytes_in"] > len(samples.png()) and upload["bytes_out"] == 2 and upload["ms"] > 0
    else:
        assert all(any(f"[{one}]" in line for line in access) for one in ids)
        assert [line for line in access if "POST /api/v1/users/<user_id>/images 201 " in line]


@pytest.mark.parametrize("error", [OSError, RuntimeError])
def test_an_answer_that_breaks_off_is_logged_without_its_address(
    error: type[Exception], server: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_self: BlobBody) -> Iterator[bytes]:
        yield b"half of it"
        raise error("the disk is gone")

    monkeypatch.setattr(BlobBody, "__iter__", broken)
    start_log()
    person = server.person()
    assert person.call("POST", person.images, **samples.classic("planted-picture.png")).status_code == 201
    with pytest.raises(requests.RequestException):
        person.call("GET", f"{person.images}/planted-picture/content?q=planted-query")
    assert "Failed in the middle of GET /api/v1/users/<user_id>/images/<name>/content" in caplog.text
    assert "the disk is gone" in caplog.text
    if error is RuntimeError:  # waitress has its word too
        assert "Exception while serving (address withheld)" in caplog.text
    assert "planted" not in caplog.text


def record(message: str, *arguments: object, exc_info: Any = None) -> logging.LogRecord:
    return logging.LogRecord("backend.x", logging.ERROR, __file__, 1, message, arguments, exc_info)


def test_a_record_stays_one_line() -> None:
    line = OneLineFormatter().format(record("a %s b", "x\n2026 INFO forged\x1b[0m"))
    assert "\n" not in line and "\x1b" not in line and "\\x0a" in line
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        text = JsonFormatter().format(record("failed %s", "\n", exc_info=(type(error), error, error.__traceback__)))
    assert "\n" not in text
    assert json.loads(text)["message"] == "failed \n"
    assert "ValueError: two\nlines" in json.loads(text)["exception"]


def test_a_record_carries_the_id_of_its_request() -> None:
    set_before = request_id.set("abc")
    try:
        assert OneLineFormatter().format(record("x")).endswith("x [abc]")
        assert json.loads(JsonFormatter().format(record("x")))["request_id"] == "abc"
        request_id.set("")
        assert OneLineFormatter().format(record("x")).endswith("x")
        assert "request_id" not in json.loads(JsonFormatter().format(record("x")))
    finally:
        request_id.reset(set_before)


@pytest.mark.parametrize(
    "message",
    [
        ("Exception while serving /api/v1/planted",),
        ("Client disconnected while serving /planted",),
        ("Error handling request %s %s", "GET", "/planted?planted"),
    ],
)
def test_what_wsgi_servers_log_is_shortened(message: tuple[str, ...]) -> None:
    written = record(*message)
    assert WithoutAddresses().filter(written)
    assert "planted" not in written.getMessage()
    assert "address withheld" in written.getMessage()
