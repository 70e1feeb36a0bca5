"""A server that answers without end, byte by byte or in floods: no worker thread is held for long."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from desktop import errors
from desktop.client import api as api_module
from desktop.client import paced_http
from desktop.client import transport as transport_module
from desktop.client.api import Api
from desktop.client.transport import Transport

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
PAUSE_S = 0.02


@contextmanager
def answering(first: bytes, then: bytes, pause_s: float) -> Iterator[str]:
    """A server that sends ``first``, then ``then`` again and again until its client is gone."""
    listening = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    connection.sendall(first)
                    while not stop.is_set():
                        connection.sendall(then)
                        time.sleep(pause_s)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, name="slow server")
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        stop.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)


def ask(address: str) -> object:
    way = Transport(address)
    try:
        with way.send("GET", "/x") as answer:
            return answer.json(100_000)
    finally:
        way.close()


def fetch(address: str) -> bytes:
    """As pictures are fetched: as a stream that may be long."""
    way = Transport(address)
    try:
        with way.send("GET", "/x") as answer:
            stream = answer.stream()
            return b"".join(iter(lambda: stream.read(1 << 18), b""))
    finally:
        way.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An eighth of a second is long here. The socket's own time limit stays above every pause."""
    monkeypatch.setattr(transport_module, "ANSWER_DEADLINE_S", 0.12)
    monkeypatch.setattr(paced_http, "HEAD_DEADLINE_S", 0.12)
    monkeypatch.setattr(paced_http, "SLOW_S", 0.12)


@pytest.mark.parametrize("how", [ask, fetch])
@pytest.mark.parametrize(
    ("first", "then"),
    [
        (HEAD + b"\r\n[", b" "),
        (HEAD + b"X: ", b"a"),
        (HEAD, b"X: a\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (CHUNKED + b"1\r\n[\r\n1;", b"a"),
        (CHUNKED, b"1\r\n \r\n"),
        (CHUNKED + b"2\r\n[]\r\n0\r\n", b"a: b\r\n"),
    ],
    ids=["body", "header", "headers", "continue", "chunk head", "chunks", "trailers"],
)
def test_a_server_that_drips(first: bytes, then: bytes, how: Callable[[str], object]) -> None:
    began = time.monotonic()
    with answering(first, then, PAUSE_S) as address, pytest.raises(errors.NetworkError):
        how(address)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("how", [ask, fetch])
@pytest.mark.parametrize(
    ("first", "then"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000),
        (CHUNKED + b"2\r\n[]\r\n0\r\n", b"a: b\r\n" * 10_000),
        (CHUNKED, b"1;" + b"x" * 60_000 + b"\r\n \r\n"),
    ],
    ids=["continue", "trailers", "chunk heads"],
)
def test_a_server_that_floods(first: bytes, then: bytes, how: Callable[[str], object]) -> None:
    began = time.monotonic()
    with answering(first, then, 0) as address, pytest.raises(errors.NetworkError):
        how(address)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "first", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 500 Oh\r\nContent-Type: application/json\r\n\r\n"]
)
def test_signing_out_of_a_server_that_drips_is_quick(first: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The window is closing: nobody waits for two minutes."""
    monkeypatch.undo()
    monkeypatch.setattr(api_module, "LOGOUT_PATIENCE_S", 0.15)
    began = time.monotonic()
    with answering(first, b" ", PAUSE_S) as address:
        api = Api(Transport(address))
        api.use_token("token")
        with pytest.raises(errors.GlassineError):
            api.logout()
        api.close()
    assert time.monotonic() - began < 5


def test_a_long_answer_at_a_good_pace_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Far longer than the time limits: 60 pieces of 8 kB, one every 10 ms."""
    monkeypatch.setattr(paced_http, "SLOW_S", 0.05)
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(HEAD + b"Content-Length: 491520\r\n\r\n")
            for _ in range(60):
                connection.sendall(b"x" * 8192)
                time.sleep(0.01)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        assert len(fetch(f"http://127.0.0.1:{listening.getsockname()[1]}")) == 491_520
    finally:
        thread.join(10)
        listening.close()
