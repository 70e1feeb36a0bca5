"""Clients that are slow, many, or guess passwords: others are served meanwhile, and what is limited stays limited."""

from __future__ import annotations

import base64
import logging
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from backend.channel import Channel
from backend.services.passwords import Passwords
from backend.storage.protocol import StorageError
from tests.backend import samples
from tests.backend.certificates import Authority
from tests.backend.conftest import FAST, Person, Running, serving

IMPATIENT = replace(FAST, idle_seconds=1, threads=2, max_upload_bytes=40_000_000)


@contextmanager
def connections(server: Running, count: int, data: bytes) -> Iterator[list[socket.socket]]:
    """Connections that have sent so much, and wait."""
    host, port = server.base.split("://")[1].split(":")
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
            connection.settimeout(30)
            connection.connect((host, int(port)))
            connection.sendall(data)
            opened.append(connection)
        yield opened


def ended(connection: socket.socket) -> bool:
    """Whether the server has closed a connection; waits for it."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_who_does_not_read_holds_no_thread(tmp_path: Path) -> None:
    """As many as there are threads ask for a large picture and read nothing of it."""
    with serving(tmp_path, IMPATIENT) as server:
        person = server.person()
        large = samples.sealed()
        large.image += secrets.token_bytes(20_000_000)
        assert person.call("POST", person.images, **large.form()).status_code == 201
        head = (
            f"GET /api/v1{person.images}/{large.stem}/content HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {person.token}\r\n\r\n"
        )
        with connections(server, IMPATIENT.threads, head.encode()):
            assert requests.get(f"{server.base}/healthz", timeout=30).status_code == 200
        assert person.call("GET", f"{person.images}/{large.stem}/envelope").status_code == 200


def test_an_answer_that_took_long_is_not_taken_for_one_that_nobody_reads() -> None:
    channel = SimpleNamespace(
        total_outbufs_len=15,
        last_activity=0.0,
        adj=SimpleNamespace(channel_timeout=1),
        _waits_since=None,
        _head_since=None,
    )

    def stalled(now: float) -> bool:
        return Channel.stalled(channel, now)  # type: ignore[arg-type]

    assert [stalled(100.0), stalled(100.9), stalled(101.1)] == [False, False, True]
    channel.last_activity = 101.0  # some bytes went out
    assert [stalled(101.2), stalled(102.1), stalled(102.3)] == [False, False, True]
    channel.total_outbufs_len = 0
    assert not stalled(200.0)
    channel.total_outbufs_len = 15
    assert not stalled(201.0)


def test_a_hundred_heads_that_never_end(tmp_path: Path) -> None:
    """Each sends a little from time to time, so that there is never silence; it may not last longer than a silence."""
    with serving(tmp_path, IMPATIENT) as server:
        stop = threading.Event()
        with connections(server, 100, b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ") as slow:

            def drip() -> None:
                while not stop.wait(0.2):
                    for connection in slow:
                        with suppress(OSError):  # closed, as it should be
                            connection.send(b"a")

            thread = threading.Thread(target=drip)
            thread.start()
            try:
                for _ in range(5):
                    assert requests.get(f"{server.base}/healthz", timeout=20).status_code == 200
                assert all(ended(connection) for connection in slow)
            finally:
                stop.set()
                thread.join()


def test_a_hundred_bodies_that_never_end(tmp_path: Path) -> None:
    with serving(tmp_path, IMPATIENT) as server:
        person = server.person()
        head = (
            f"POST /api/v1{person.images} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n--x\r\n"
        )
        with connections(server, 100, head.encode()) as slow:
            assert person.call("GET", person.images).status_code == 200
            assert all(ended(connection) for connection in slow)
        assert list(server.storage.blob_ids()) == []


def test_handshakes_that_never_end(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.issue()
    config = replace(FAST, tls_certificate=authority.certificate, tls_key=authority.key)
    with serving(tmp_path / "data", config) as server, connections(server, 100, b"\x16\x03\x01"):
        assert requests.get(f"{server.base}/healthz", verify=str(authority.file), timeout=20).status_code == 200


# -- passwords --------------------------------------------------------------------------------------------------------


def test_an_unknown_name_costs_what_a_wrong_password_costs(running_server: Running, monkeypatch: Any) -> None:
    """Counted, not timed: each way to sign in looks at exactly one password, or the time would tell who is there."""
    person = running_server.person()
    mail = f"{secrets.token_hex(4)}@mail.example"
    account = {"email": mail, "password": "a long passphrase"}
    assert running_server.call("POST", "/users", json=account).status_code == 201
    operator = {"username": f"ops-{secrets.token_hex(4)}", "password": "a long passphrase", "email": ""}
    assert requests.post(f"{running_server.base}/ops/signup", data=operator, timeout=20).status_code == 201
    checks: list[str] = []
    verify = Passwords._verify

    def counted(self: Passwords, kept: str, secret: bytes) -> bool:
        checks.append(kept)
        return verify(self, kept, secret)

    monkeypatch.setattr(Passwords, "_verify", counted)

    def costs(method: str, path: str, **more: Any) -> tuple[int, int, str]:
        checks.clear()
        answer = requests.request(method, running_server.base + path, timeout=20, **more)
        assert answer.status_code >= 400
        assert len({len(stored) for stored in checks}) == 1 and checks[0].split("$")[3] == "m=8192,t=1,p=4"
        return len(checks), answer.status_code, answer.text

    for known, way in (
        (person.name, lambda name: costs("POST", "/api/v1/auth/login", data={"username": name, "password": "x"})),
        (person.name, lambda name: costs("GET", "/api/v1/users", auth=(name, "x"))),
        (mail, lambda name: costs("GET", "/api/v1/users", auth=(name, "x"))),
        (person.name, lambda name: costs("GET", "/api/token", auth=(name, "x"))),
        (mail, lambda name: costs("POST", "/api/v1/auth_session", json={"email": name, "password": "x"})),
        (mail, lambda name: costs("DELETE", "/api/v1/auth_session", data={"email": name, "password": "x"})),
        (operator["username"], lambda name: costs("POST", "/ops/login", data={"username": name, "password": "x"})),
    ):
        assert way(known) == way("nobody@mail.example") and way(known)[0] == 1


@pytest.fixture(scope="module")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that no test breaks."""
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


def test_invented_addresses_are_no_way_around_the_limit(tmp_path: Path) -> None:
    with serving(tmp_path, replace(FAST, login_attempts=3, login_attempts_address=5, registrations=2)) as server:
        form = {"username": "anna", "password": "wrong", "publicKey": "7 5"}

        def tries(path: str, form: dict[str, str]) -> int:
            forged = f"203.0.113.{secrets.randbelow(256)}"
            names = ("X-Forwarded-For", "X-Real-IP", "Client-IP", "True-Client-IP", "CF-Connecting-IP")
            headers = dict.fromkeys(names, forged)
            headers["Forwarded"] = f"for={forged}"
            return server.call("POST", path, data=form, headers=headers).status_code

        assert [tries("/auth/login", form) for _ in range(5)] == [422] * 3 + [429] * 2
        others = [form | {"username": secrets.token_hex(4)} for _ in range(5)]
        assert [tries("/auth/login", other) for other in others][-1] == 429
        assert [tries("/auth/register", other) for other in others[:3]] == [201, 201, 429]


HEAD = (
    "POST /api/v1{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {basic}\r\n"
    "Content-Type: multipart/form-data; boundary={boundary}\r\n{more}\r\n"
)


def basic(name: str, password: str) -> str:
    return base64.b64encode(f"{name}:{password}".encode()).decode()


def upload_head(person: Person, password: str, *more: str, name: str = "") -> bytes:
    """The head of a large upload by password; its body is ``large_form()``."""
    lines = "".join(f"{line}\r\n" for line in more)
    name = name or person.name
    return HEAD.format(path=person.images, basic=basic(name, password), boundary="x" * 32, more=lines).encode()


def large_form() -> bytes:
    large = samples.sealed()
    large.image += secrets.token_bytes(400_000)
    body = requests.Request("POST", "http://x", **large.form()).prepare()
    boundary = str(body.headers["Content-Type"]).partition("boundary=")[2]
    assert isinstance(body.body, bytes) and len(boundary) == 32
    return body.body.replace(boundary.encode(), b"x" * 32)


def heard(connection: socket.socket) -> bytes:
    """Everything up to the end of the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def test_no_body_is_taken_in_for_a_wrong_password(tmp_path: Path) -> None:
    """The password is looked at before the body, so strangers fill no disk and take nobody's place."""
    with serving(tmp_path, replace(FAST, max_upload_bytes=40_000_000, login_attempts=3)) as server:
        person = server.person()
        length = "Content-Length: 30000000"
        refused = b"HTTP/1.1 422 Unprocessable Content"
        for number in range(12):
            head = upload_head(person, "wrong", length, "Expect: 100-continue", name=f"stranger {number}")
            with connections(server, 1, head) as (stranger,):
                answer = heard(stranger)
                assert answer.startswith(refused) and b"Username or password is invalid" in answer
        with connections(server, 1, upload_head(person, "wrong", "Transfer-Encoding: chunked")) as (stranger,):
            chunk = b"10000\r\n" + bytes(1 << 16) + b"\r\n"
            stranger.sendall(5 * chunk)
            assert heard(stranger).startswith(refused)
        # guesses count as everywhere, and those that are not looked at take no place either
        answers = []
        for _ in range(4):
            with connections(server, 1, upload_head(person, "wrong", length)) as (stranger,):
                answers.append(heard(stranger))
        assert answers[0].startswith(refused)
        assert answers[-1].startswith(b"HTTP/1.1 429 Too Many Requests") and b"\r\nRetry-After: " in answers[-1]


def test_many_large_bodies_with_a_right_password(tmp_path: Path) -> None:
    with serving(tmp_path, FAST) as server:
        person, body = server.person(), large_form()
        head = upload_head(person, person.password, f"Content-Length: {len(body)}")
        with connections(server, 12, head + body[:1000]) as slow:
            chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
            in_chunks = upload_head(person, person.password, "Transfer-Encoding: chunked", "Connection: close")
            with connections(server, 1, in_chunks + chunked) as (another,):
                assert heard(another).startswith(b"HTTP/1.1 201 ")
            for connection in slow:
                connection.sendall(body[1000:])
                assert connection.recv(4096).startswith(b"HTTP/1.1 20")


@pytest.mark.parametrize("before", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_who_asks_whether_to_go_on_is_told_after_the_password(tmp_path: Path, before: bytes) -> None:
    with serving(tmp_path, FAST) as server:
        person, body = server.person(), large_form()
        more = (f"Content-Length: {len(body)}", "Expect: 100-continue", "Connection: close")
        with connections(server, 1, before + upload_head(person, person.password, *more)) as (connection,):
            received = b""
            while b"100 Continue\r\n\r\n" not in received:
                received += connection.recv(4096)
            connection.sendall(body)
            assert heard(connection).startswith(b"HTTP/1.1 201 ")
        with connections(server, 1, before + upload_head(person, "wrong", *more)) as (connection,):
            answer = heard(connection)
            assert b"HTTP/1.1 422 " in answer and b"100 Continue" not in answer


def test_who_is_gone_before_the_password_was_looked_at_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    went, proven = threading.Event(), Channel.proven

    def gone(channel: Channel, *arguments: Any) -> None:
        channel.handle_close()  # as after an answer to an earlier request that could not be sent
        try:
            proven(channel, *arguments)
        finally:
            went.set()

    monkeypatch.setattr(Channel, "proven", gone)
    with serving(tmp_path, FAST) as server:
        person = server.person()
        for password in (person.password, "wrong"):
            went.clear()
            head = upload_head(person, password, "Content-Length: 300000", "Expect: 100-continue")
            with connections(server, 1, head) as (connection,):
                assert went.wait(20) and heard(connection) == b""
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_guesses_count_by_the_address_that_the_proxy_says(tmp_path: Path) -> None:
    config = replace(FAST, max_upload_bytes=40_000_000, login_attempts_address=2, trusted_proxies=1)
    with serving(tmp_path, config) as server:
        person = server.person()

        def guess(address: str) -> bytes:
            head = upload_head(person, "wrong", "Content-Length: 30000000", f"X-Forwarded-For: {address}")
            with connections(server, 1, head) as (stranger,):
                return heard(stranger).split(b" ")[1]

        assert [guess("203.0.113.1") for _ in range(3)] == [b"422", b"422", b"429"]
        assert guess("203.0.113.2") == b"422"


def test_a_password_that_cannot_be_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tmp_path, FAST) as server:
        person = server.person()
        head = upload_head(person, person.password, "Content-Length: 300000")
        for failure, status in ((StorageError("unreachable", "away"), b"503"), (ValueError("planted"), b"500")):

            def fails(*_: object, failure: Exception = failure) -> None:
                raise failure

            monkeypatch.setattr(server.storage, "user_by_name", fails)
            with connections(server, 1, head) as (connection,):
                answer = heard(connection)
                assert answer.split(b" ")[1] == status and b"planted" not in answer
