"""Requests that pretend: two in one, foreign pages, planted cookies, names and methods made for the log."""

from __future__ import annotations

import io
import json
import logging
import secrets
import socket
from collections.abc import Iterator

import pytest
import requests

from backend.log_format import JsonFormatter, OneLineFormatter
from tests.backend import samples
from tests.backend.conftest import Person, Running, serving

COOKIE = "_my_session_id"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that no test breaks."""
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server


def raw(server: Running, data: bytes) -> bytes:
    """Send bytes as they are and return what comes back until the server closes."""
    host, port = server.base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


# -- two requests in one ----------------------------------------------------------------------------------------------

INNER = b"GET /api/v1/server HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 4\r\nContent-Length: 5",
        b"Content-Length: 4, 5",
        b"Content-Length: +5",
        b"Content-Length: 5_0",
        b"Content-Length: 0x5",
        b"Content-Length: -1",
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding: identity, chunked",
        b"Transfer-Encoding : chunked",
        b"Transfer-Encoding\t: chunked",
        b"X: y\nTransfer-Encoding: chunked",
        b"X: y\rTransfer-Encoding: chunked",
        b"Transfer-Encoding: \x0bchunked",
    ],
)
def test_a_length_that_can_be_read_in_two_ways_is_refused(running: Running, framing: bytes) -> None:
    answer = raw(running, b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n0\r\n\r\n" + INNER)
    assert answer[:12] in {b"HTTP/1.1 400", b"HTTP/1.1 501", b"HTTP/1.0 400", b"HTTP/1.0 501"}, answer
    assert answer.count(b"HTTP/1.") == 1 and b'"name":"glassine"' not in answer


@pytest.mark.parametrize("order", [1, -1])
def test_chunks_with_a_length_are_one_request(running: Running, order: int) -> None:
    """Where both are sent the chunks count (RFC 9112, section 6.3), and nothing of them is a request of its own."""
    lines = [b"Content-Length: 5", b"Transfer-Encoding: chunked"][::order]
    head = b"\r\n".join([b"POST /api/v1/auth/login HTTP/1.1", b"Host: x", *lines, b"", b""])
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(INNER), INNER)
    answer = raw(running, head + body)
    assert answer.count(b"HTTP/1.") == 1 and b'"name":"glassine"' not in answer


@pytest.mark.parametrize("size", [b"-1", b"0x29", b"+29", b"2_9", b" 29", b"29 ", b"fffffffffffffffff", b"", b"zz"])
def test_sizes_of_chunks_that_can_be_read_in_two_ways(running: Running, size: bytes) -> None:
    head = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = raw(running, head + size + b"\r\n" + INNER + b"\r\n0\r\n\r\n")
    assert b'"name":"glassine"' not in answer and answer.count(b"HTTP/1.") <= 1
    assert not answer or answer[9:10] in {b"4", b"5"}


# -- sessions ---------------------------------------------------------------------------------------------------------


def sign_in(server: Running, cookies: dict[str, str] | None = None) -> tuple[str, str]:
    """Account's id and cookie of somebody new who signs in with a session."""
    form = {"email": f"{secrets.token_hex(5)}@mail.example", "password": "a long passphrase"}
    made = server.call("POST", "/users", json=form).json()
    answer = requests.post(f"{server.base}/api/v1/auth_session/login", json=form, cookies=cookies, timeout=20)
    assert answer.status_code == 200
    return made["id"], answer.cookies[COOKIE]


def test_a_planted_cookie_does_not_become_a_session(running: Running) -> None:
    _, stolen = sign_in(running)
    for planted in ("0" * 48, stolen, stolen[:-1], "a.0.b", ""):
        user_id, cookie = sign_in(running, {COOKIE: planted})
        assert cookie != planted
        me = requests.get(f"{running.base}/api/v1/users/me", cookies={COOKIE: cookie}, timeout=20).json()
        assert me["id"] == user_id
        if planted != stolen:
            answer = requests.get(f"{running.base}/api/v1/users/me", cookies={COOKIE: planted}, timeout=20)
            assert answer.status_code == 401
    # of two cookies of the same name none is tried after the other
    user_id, cookie = sign_in(running)
    for both in (f"{COOKIE}=x; {COOKIE}={cookie}", f"{COOKIE}={cookie}; {COOKIE}=x"):
        answer = requests.get(f"{running.base}/api/v1/users/me", headers={"Cookie": both}, timeout=20)
        assert answer.status_code == 401 or answer.json()["id"] == user_id


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1", "file://", "https://"])
def test_pages_of_other_sites_change_nothing(running: Running, origin: str) -> None:
    user_id, cookie = sign_in(running)
    base = f"{running.base}/api/v1/users/{user_id}"
    foreign = {"Origin": origin, "Cookie": f"{COOKIE}={cookie}"}
    for method, path, body in (
        ("PUT", "", {"json": {"first_name": "Mallory"}}),
        ("DELETE", "", {}),
        ("POST", "/images", samples.classic("a.png")),
        ("PUT", "/ledger", {"data": b"x"}),
        ("DELETE", "/bin", {}),
    ):
        answer = requests.request(method, base + path, headers=foreign, timeout=20, **body)
        assert answer.status_code == 401, (method, path)
        assert answer.headers.get("Access-Control-Allow-Credentials") is None
    own = foreign | {"Origin": running.base}
    assert requests.put(base, headers=own, json={"first_name": "Anna"}, timeout=20).status_code == 200
    read = requests.get(f"{running.base}/api/v1/users/me", headers=foreign, timeout=20)
    assert read.headers["Access-Control-Allow-Origin"] == "*", "with which a browser shows nothing that took a cookie"
    assert read.json()["first_name"] == "Anna"


# -- what is written down ---------------------------------------------------------------------------------------------

FORGED = "2026-01-01 00:00:00,000 INFO backend.access: forged"


def test_nothing_that_is_sent_writes_lines_into_the_log(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    person = running.person()
    lines, objects = io.StringIO(), io.StringIO()
    handlers = [logging.StreamHandler(lines), logging.StreamHandler(objects)]
    handlers[0].setFormatter(OneLineFormatter())
    handlers[1].setFormatter(JsonFormatter())

    def fail(*arguments: object) -> None:
        raise ValueError(f"cannot find\n{FORGED}\n{arguments[-1]}")  # as a library might say it

    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.INFO)
    for handler in handlers:
        root.addHandler(handler)
    try:
        monkeypatch.setattr(type(running.storage), "picture", fail)
        answer = person.call("GET", f"{person.images}/x%0A{FORGED.replace(' ', '%20')}")
        assert (answer.status_code, answer.json()) == (500, {"message": "Internal server error"})
        raw(running, f"GET /\x85{FORGED} HTTP/1.1\r\nHost: x\r\nX-Request-ID: {FORGED}\r\n\r\n".encode("latin-1"))
        raw(running, f"{FORGED} / HTTP/1.1\r\n\r\n".encode())
    finally:
        root.setLevel(level)
        for handler in handlers:
            root.removeHandler(handler)
    assert "cannot find" in lines.getvalue()
    assert not [line for line in lines.getvalue().splitlines() if line.startswith("2026-01-01")]
    assert all(isinstance(json.loads(line), dict) for line in objects.getvalue().splitlines())


def test_names_of_files_write_no_headers(running: Running) -> None:
    form = {"username": f"ops-{secrets.token_hex(4)}", "password": "a long passphrase", "email": ""}
    headers = {}
    for kind in ("ops", "client"):
        assert requests.post(f"{running.base}/{kind}/signup", data=form, timeout=20).status_code == 201
        token = requests.post(f"{running.base}/{kind}/login", data=form, timeout=20).text
        headers[kind] = {"Authorization": f"Bearer {token}"}
    for number, name in enumerate(
        ('a"; filename="b.exe', "a\u00e4\u4e2d\U0001f6b2", "a%0d%0aX-Evil: 1", "a;b=c\\d", "'")
    ):
        boundary = b'--x\r\nContent-Disposition: form-data; name="request_file"; filename="%s"\r\n\r\n' % (
            name.replace('"', "%22").encode()
        )
        answer = requests.post(
            f"{running.base}/ops/upload", headers=headers["ops"] | {"Content-Type": "multipart/form-data; boundary=x"},
            data=boundary + b"%d\r\n--x--\r\n" % number, timeout=20,
        )  # fmt: skip
        assert answer.status_code == 201, answer.text
    listing = f"{running.base}/client/files/{form['username']}"
    for name in requests.get(listing, headers=headers["client"], timeout=20).json():
        found = requests.get(f"{listing}/{requests.utils.quote(name, safe='')}", headers=headers["client"], timeout=20)
        assert found.status_code == 200
        assert "X-Evil" not in found.headers and found.headers["Content-Disposition"].startswith("attachment; ")
        assert found.headers["Content-Disposition"].count('"') == 2
        assert found.headers["Content-Type"] == "application/octet-stream"


def test_a_foreign_host_is_led_nowhere(running: Running, person: Person) -> None:
    """The only address that an answer names is that of a new account; it is the caller who said the host."""
    for path in ("/api/v1/auth/login", "/nowhere", "//evil.example", "/api/v1//users", "/api/v1/users/"):
        answer = requests.get(running.base + path, headers={"Host": "evil.example"}, timeout=20, allow_redirects=False)
        assert answer.status_code not in {301, 302, 307, 308}, path
        assert "evil.example" not in answer.text


@pytest.fixture
def person(running: Running) -> Person:
    """Somebody new."""
    return running.person()
