"""What is too large is refused before it is read, in words that arrive."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend import create_app
from backend.config import Config
from backend.storage.embedded import open_storage
from tests.backend import samples
from tests.backend.conftest import FAST, Person, Running, serving

TOO_LARGE = {"message": "The request is larger than this server takes"}
LIMIT = FAST.max_upload_bytes


def connect(server: Running) -> socket.socket:
    host, port = server.base.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def head(person: Person, path: str, *more: str) -> bytes:
    lines = [f"POST /api/v1{path} HTTP/1.1", "Host: x", f"Authorization: Bearer {person.token}",
             "Content-Type: multipart/form-data; boundary=x", *more]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode()


def answer_of(connection: socket.socket) -> tuple[int, dict[str, str]]:
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    first, _, body = received.partition(b"\r\n\r\n")
    assert b"Content-Type: application/json" in first
    return int(first.split()[1]), json.loads(body)


def test_the_length_alone_is_enough_to_refuse(server: Running, person: Person) -> None:
    with connect(server) as connection:
        connection.sendall(head(person, person.images, f"Content-Length: {LIMIT + 1}"))
        assert answer_of(connection) == (413, TOO_LARGE)  # not a byte of the body was sent


def test_nobody_is_asked_to_go_on_with_what_is_refused(server: Running, person: Person) -> None:
    with connect(server) as connection:
        connection.sendall(head(person, person.images, f"Content-Length: {LIMIT + 1}", "Expect: 100-continue"))
        assert answer_of(connection) == (413, TOO_LARGE)
    with connect(server) as connection:
        connection.sendall(head(person, person.images, "Content-Length: 10", "Expect: 100-continue"))
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue")


def test_a_client_that_is_gone_before_it_can_read_why_is_no_failure(
    server: Running, person: Person, caplog: pytest.LogCaptureFixture
) -> None:
    gone = struct.pack("ii", 1, 0)  # close with a reset
    for _ in range(60):
        with connect(server) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, gone)
            connection.sendall(head(person, person.images, f"Content-Length: {LIMIT + 1}"))
    assert person.call("GET", person.images).status_code == 200  # what was sent before it is over
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_client_that_goes_on_sending_gets_to_read_why(person: Person) -> None:
    def body() -> Iterator[bytes]:
        for _ in range(LIMIT // 1000 * 20):
            yield bytes(1000)

    size = LIMIT // 1000 * 20 * 1000
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(size)}
    answer = person.call("POST", person.images, data=Sized(body(), size), headers=headers)
    assert (answer.status_code, answer.json()) == (413, TOO_LARGE)


class Sized:
    """An iterable of a known length, which ``requests`` sends as it comes."""

    def __init__(self, parts: Iterator[bytes], size: int) -> None:
        self._parts, self._size = parts, size

    def __iter__(self) -> Iterator[bytes]:
        return self._parts

    def __len__(self) -> int:
        return self._size


def test_a_refused_body_may_be_sent_to_its_end(server: Running, person: Person) -> None:
    # Closing with unread bytes would make the kernel reset the connection under the client's hands.
    with connect(server) as connection:
        connection.sendall(head(person, person.images, f"Content-Length: {LIMIT + 1}") + bytes(500_000))
        for _ in range(10):
            time.sleep(0.05)
            connection.sendall(bytes(200_000))
        assert answer_of(connection) == (413, TOO_LARGE)


def test_chunks_are_counted(person: Person) -> None:
    def body() -> Iterator[bytes]:
        for _ in range(LIMIT // 50_000 + 1):
            yield bytes(50_000)

    answer = person.call(
        "POST", person.images, data=body(), headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert (answer.status_code, answer.json()) == (413, TOO_LARGE)


def test_chunks_below_the_limit_are_taken(person: Person) -> None:
    sent = samples.sealed()
    prepared = person.session.prepare_request(_request(person, sent))
    whole = prepared.body
    headers = {"Content-Type": prepared.headers["Content-Type"]}
    parts = (whole[start : start + 1000] for start in range(0, len(whole), 1000))
    answer = person.call("POST", person.images, data=parts, headers=headers)
    assert answer.status_code == 201
    assert person.call("GET", f"{person.images}/{sent.stem}/content").content == sent.image


def _request(person: Person, sent: samples.SealedUpload):
    from requests import Request

    return Request("POST", f"{person.base}/api/v1{person.images}", **sent.form())


def test_exactly_the_limit_is_taken(person: Person) -> None:
    form = samples.classic("full.png", quotient="")
    form["data"]["quotient"] = "1"
    from requests import Request

    empty = person.session.prepare_request(Request("POST", person.base, **form))
    form["data"]["quotient"] = "1" * (LIMIT - len(empty.body) + 1)
    full = person.session.prepare_request(Request("POST", person.base, **form))
    assert len(full.body) == LIMIT
    headers = {"Content-Type": full.headers["Content-Type"]}
    assert person.call("POST", person.images, data=full.body, headers=headers).status_code == 201
    form["data"]["quotient"] += "1"
    over = person.session.prepare_request(Request("POST", person.base, **form))
    assert len(over.body) == LIMIT + 1
    headers = {"Content-Type": over.headers["Content-Type"]}
    assert person.call("POST", person.images, data=over.body, headers=headers).json() == TOO_LARGE


@pytest.mark.parametrize("path", ["/auth/login", "/auth/register", "/auth/logout", "/nothing"])
def test_no_other_route_takes_much(server: Running, person: Person, path: str) -> None:
    with connect(server) as connection:
        connection.sendall(head(person, path, "Content-Length: 300000"))
        assert answer_of(connection) == (413, TOO_LARGE)


def test_a_stranger_cannot_make_the_server_take_a_picture_in(server: Running, person: Person) -> None:
    stranger = head(person, person.images, "Content-Length: 1500000").replace(b"Authorization", b"X-Other")
    with connect(server) as connection:
        connection.sendall(stranger)
        status, answer = answer_of(connection)
    assert status == 422
    assert answer["message"].startswith("Bad Authorization header")


def test_a_refused_client_that_stays_is_dropped_in_the_end(
    server: Running, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.channel.LINGER_SECONDS", 0.5)
    with connect(server) as connection:
        connection.sendall(head(person, person.images, f"Content-Length: {LIMIT + 1}"))
        assert answer_of(connection)[0] == 413
        begun = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - begun < 15:
                connection.sendall(bytes(1000))
                time.sleep(0.05)
        assert time.monotonic() - begun < 15


def test_without_a_socket_the_application_itself_refuses(tmp_path: Path) -> None:
    storage = open_storage(tmp_path / "vault")
    try:
        app = create_app(FAST, storage)
        accounts = app.extensions["glassine"].services.accounts
        user = accounts.create_local_account("me", "7 5")
        headers = {"Authorization": f"Bearer {accounts.issue_token(user.id)}"}
        with app.test_client() as client:
            path = f"/api/v1/users/{user.id}/images"
            large = client.post(
                path, data=b"x" * (LIMIT + 1), headers=headers, content_type="multipart/form-data; boundary=x"
            )
            assert (large.status_code, large.json) == (413, TOO_LARGE)
            assert client.post("/api/v1/auth/login", data=b"x" * 300_000).status_code == 413
    finally:
        storage.close()


def test_the_limit_is_a_setting(tmp_path: Path) -> None:
    config = Config(argon2_memory_kib=8192, argon2_passes=1, max_upload_bytes=100_000, registration=True)
    with serving(tmp_path, config) as server:
        person = server.person()
        assert server.call("GET", "/server").json()["max_upload_bytes"] == 100_000
        answer = person.call("POST", person.images, **samples.classic("a.png", quotient="1 " * 60_000))
        assert (answer.status_code, answer.json()) == (413, TOO_LARGE)
        assert person.call("POST", person.images, **samples.classic("a.png")).status_code == 201
