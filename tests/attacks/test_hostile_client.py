"""A client that wants more than it may have: tokens, other people's pictures, traces in the log, bytes on the disk."""

from __future__ import annotations

import base64
import io
import logging
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jwt
import pytest

from backend.log_format import OneLineFormatter
from backend.storage.protocol import StorageError
from tests.backend.conftest import FAST, Person, Running, serving

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A real server."""
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server


def store(person: Person, name: str) -> None:
    files = {"imageFile": (f"{name}.png", PNG + name.encode())}
    assert person.call("POST", person.images, data={"quotient": "1 2"}, files=files).status_code == 201


def test_a_revoked_token_does_not_come_back(tmp_path: Path) -> None:
    """It was forgotten at its end, and the leeway for clocks took it once more."""
    with serving(tmp_path, replace(FAST, token_seconds=1)) as server:
        thief = server.person()
        assert thief.call("POST", "/auth/logout").status_code == 200
        assert thief.call("GET", "/users").status_code == 401
        time.sleep(1.2)
        assert server.person().call("POST", "/auth/logout").status_code == 200  # forgets those that have ended
        assert thief.call("GET", "/users").status_code == 401


def test_forged_tokens(running: Running) -> None:
    person = running.person()
    head, claims, signature = person.token.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    forged = jwt.encode({"sub": person.user_id, "jti": "x", "type": "access", "exp": 2**31}, "x" * 32)
    for token in (
        f"{none}.{claims}.",
        f"{none}.{claims}.{signature}",
        f"{head}.{claims}.",
        f"{person.token} x",
        forged,
    ):
        answer = running.call("GET", "/users", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 422, token
    answer = running.call("GET", f"/users?jwt={person.token}", cookies={"access_token_cookie": person.token})
    assert answer.status_code == 422


def test_nothing_of_another_person(running: Running) -> None:
    owner, thief = running.person(), running.person()
    store(owner, "a")
    reads = (
        "/a",
        "/a/content",
        "/a/quotient",
        "/a/permissions",
        "",
        "/download-all",
        f"/a/permissions/{owner.user_id}",
    )
    for owner_id in (owner.user_id, owner.user_id.upper()):
        images = f"/users/{owner_id}/images"
        for path in reads:
            for headers in ({}, {"Range": "bytes=0-3"}, {"If-None-Match": "*"}):
                assert thief.call("GET", images + path, headers=headers).status_code == 401, path
                assert thief.call("HEAD", images + path, headers=headers).status_code == 401, path
        form = {"user_id": thief.user_id, "role": "write"}
        for method, path in (
            ("DELETE", "/a"),
            ("POST", ""),
            ("POST", "/a/permissions"),
            ("PUT", f"/a/permissions/{thief.user_id}"),
            ("DELETE", f"/a/permissions/{owner.user_id}"),
        ):
            assert thief.call(method, images + path, data=form).status_code == 401, (method, path)
    answer = thief.call("GET", f"{owner.images}/thumbnails?names=a,zz")
    assert answer.content == b"\xff" * 8, "what is there and what is not look the same"


def test_a_permission_ends_with_its_picture(running: Running) -> None:
    """A picture stored anew under an old name is another picture."""
    owner, reader = running.person(), running.person()
    store(owner, "a")
    form = {"user_id": reader.user_id, "role": "read"}
    assert owner.call("POST", f"{owner.images}/a/permissions", data=form).status_code == 201
    assert reader.call("GET", f"{owner.images}/a/content").status_code == 200
    assert reader.call("DELETE", f"{owner.images}/a").status_code == 401
    assert owner.call("DELETE", f"{owner.images}/a").status_code == 204
    assert reader.call("GET", f"{owner.images}/a/content").status_code == 404
    store(owner, "a")
    assert reader.call("GET", f"{owner.images}/a/content").status_code == 401


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "forged", "tampered", ""])
@pytest.mark.parametrize("framing", ["Content-Length: 1900000", "Transfer-Encoding: chunked"])
def test_strangers_do_not_fill_the_disk(running: Running, token: str, framing: str) -> None:
    """Any token was enough to have a body taken in, whole, before somebody looked at it."""
    person = running.person()
    if token == "forged":
        token = jwt.encode({"sub": person.user_id, "jti": "x", "type": "access", "exp": 2**31}, "x" * 32)
    elif token == "tampered":
        token = person.token[:-4] + ("AAAA" if not person.token.endswith("AAAA") else "BBBB")
    host, port = running.base.removeprefix("http://").split(":")
    head = f"POST /api/v1{person.images} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{framing}\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head.encode())
        if "chunked" in framing:
            connection.sendall(b"60000\r\n" + bytes(0x60000) + b"\r\n")
        # the answer comes although nothing like the whole body was sent
        assert connection.recv(4096).startswith(b"HTTP/1.1 422 ")


def test_refused_uploads_leave_no_bytes(running: Running) -> None:
    person = running.person()
    before = len(list(running.storage.blob_ids()))
    picture = ("a.png", PNG + b"x")
    sealed = ("p-" + "0" * 32 + ".png", PNG + b"x")
    for data, files in (
        ({"quotient": "1"}, {"imageFile": ("a.png", b"no picture")}),
        ({"quotient": "1", "envelope": "{}"}, {"imageFile": picture}),
        ({"quotient": b"\xff"}, {"imageFile": picture}),
        ({"quotient": "1"}, {"imageFile": ("..png", PNG)}),
        ({"envelope": "{}"}, {"imageFile": sealed, "thumbnail": ("t", b"x")}),
        ({"envelope": "{}"}, {"imageFile": sealed, "thumbnail": ("t", b"x" * 300_000)}),
    ):
        answer = person.call("POST", person.images, data=data, files=files)
        assert answer.status_code in {413, 422}, answer.text
    assert len(list(running.storage.blob_ids())) == before
    assert list((running.storage._blobs._incoming).iterdir()) == []


def test_an_address_does_not_write_log_lines(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    person = running.person()
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(OneLineFormatter())

    def fail(*_: object) -> None:
        raise StorageError("other", "boom")

    failures = logging.getLogger("backend.api.failures")  # what other loggers write depends on their level
    failures.addHandler(handler)
    try:
        monkeypatch.setattr(type(running.storage), "picture", fail)
        path = f"{person.images}/x%0A2026-01-01 00:00:00 ERROR root: forged%1b[31m%c2%85"
        assert person.call("GET", path).status_code == 500
    finally:
        failures.removeHandler(handler)
    assert len(written.getvalue().splitlines()) == 1
    assert written.getvalue()[:-1].isprintable()
