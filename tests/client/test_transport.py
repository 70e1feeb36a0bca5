"""The way to a backend: bad servers, bad addresses, limits, and the adapter that needs no socket."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from desktop import errors
from desktop.client import transport as transport_module
from desktop.client.multipart import Multipart, Part
from desktop.client.transport import EMBEDDED_URL, Transport, normalise_address
from tests.backend.certificates import Authority

JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def answering(answer: Callable[[socket.socket, bytes], None], *, peek: bool = False) -> Iterator[str]:
    """A server that reads a request's head (or only looks at it) and does what ``answer`` does; any number of times."""
    listening = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            answer(connection, connection.recv(65536, socket.MSG_PEEK if peek else 0))

    def accept() -> None:
        threads = []
        while not stopped.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                break
            threads.append(threading.Thread(target=serve, args=(connection,)))
            threads[-1].start()
        for thread in threads:
            thread.join(10)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        stopped.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)


def ask(address: str, limit: int = 1000, app: Any = None) -> Any:
    """Get a JSON answer."""
    way = Transport(address, app)
    try:
        with way.send("GET", "/x") as answer:
            return answer.json(limit)
    finally:
        way.close()


def send_all(data: bytes) -> Callable[[socket.socket, bytes], None]:
    return lambda connection, request: connection.sendall(data)


def endless(connection: socket.socket, request: bytes) -> None:
    connection.sendall(JSON + b"\r\n[")
    while True:
        connection.sendall(b"1," * 30_000)


def test_an_answer() -> None:
    with answering(send_all(JSON + b'Content-Length: 8\r\n\r\n{"a": 1}')) as address:
        assert ask(address) == {"a": 1}


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (send_all(b"SSH-2.0-OpenSSH_9.2\r\n"), errors.NotAGlassineServer, "not a Glassine server"),
        (send_all(b"\x15\x03\x01\x00\x02\x02\x46" * 9), errors.NotAGlassineServer, "not a Glassine server"),
        (send_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"), errors.NotAGlassineServer, "not a"),
        (send_all(JSON + b"\r\n{broken"), errors.NotAGlassineServer, "not a Glassine server"),
        (send_all(JSON + b"\r\n" + b"[" * 900), errors.NotAGlassineServer, "not a Glassine server"),
        (send_all(JSON + b"\r\n\xff\xfe"), errors.NotAGlassineServer, "not a Glassine server"),
        (send_all(JSON + b"Content-Length: 5000\r\n\r\n" + b" " * 5000), errors.NotAGlassineServer, "far longer"),
        (send_all(JSON + b"Content-Length: 500\r\n\r\n{"), errors.ServerSilent, "did not answer"),
        (send_all(JSON + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), errors.ServerSilent, "did not answer"),
        (endless, errors.NotAGlassineServer, "far longer"),
        (lambda connection, request: None, errors.ServerSilent, "did not answer"),
        (send_all(b"HTTP/1.1 302 Found\r\nLocation: http://localhost/\r\n\r\n"), errors.NotAGlassineServer, "another"),
    ],
    ids=[
        "ssh", "tls", "html", "broken", "deep", "not-utf8", "long", "cut", "chunks", "endless", "closed", "redirect",
    ],
)  # fmt: skip
def test_bad_servers(answer: Callable[[socket.socket, bytes], None], error: type[Exception], words: str) -> None:
    with answering(answer) as address, pytest.raises(error, match=words) as raised:
        ask(address)
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (send_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), errors.NotAGlassineServer, "https"),
        (lambda connection, request: None, errors.ServerSilent, "broke off"),
        (send_all(b"\x15\x03\x03\x00\x02\x02\x28"), errors.ServerSilent, "broke off"),
    ],
    ids=["plain-http", "closed", "refused"],
)
def test_encrypted_connections_that_fail_say_nothing_of_certificates(
    answer: Callable[[socket.socket, bytes], None], error: type[Exception], words: str
) -> None:
    with answering(answer) as address, pytest.raises(error, match=words) as raised:
        ask(address.replace("http://", "https://"))
    assert type(raised.value) is error


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with pytest.raises(errors.ServerSilent, match="Nothing answers"):
        ask(address)


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(errors.ServerSilent, match=r"no server of this name|did not answer"):
        ask("http://nobody.invalid")


def test_a_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "READ_TIMEOUT_S", 0.2)
    done = threading.Event()
    with answering(lambda *_: done.wait(10)) as address:  # type: ignore[arg-type,return-value]
        try:
            with pytest.raises(errors.ServerSilent, match="in time"):
                ask(address)
        finally:
            done.set()


def test_signing_out_of_a_silent_server_is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    from desktop.client import api as api_module

    monkeypatch.setattr(api_module, "LOGOUT_PATIENCE_S", 0.2)
    done = threading.Event()
    with answering(lambda *_: done.wait(10)) as address:  # type: ignore[arg-type,return-value]
        api = api_module.Api(Transport(address))
        api.use_token("secret")
        try:
            with pytest.raises(errors.ServerSilent):
                api.logout()
        finally:
            done.set()
        assert api._tokens.access == ""
        api.close()


def test_a_server_that_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "ANSWER_DEADLINE_S", 0.3)
    monkeypatch.setattr(transport_module, "_PIECE", 1)
    done = threading.Event()

    def drip(connection: socket.socket, request: bytes) -> None:
        connection.sendall(JSON + b"\r\n")
        while not done.wait(0.02):
            connection.sendall(b" ")

    with answering(drip) as address:
        try:
            with pytest.raises(errors.ServerSilent, match="too slowly"):
                ask(address)
        finally:
            done.set()


def test_a_body_that_breaks_off_while_it_is_streamed() -> None:
    with answering(send_all(JSON + b"Content-Length: 500000\r\n\r\n" + b"x" * 100_000)) as address:
        way = Transport(address)
        with way.send("GET", "/x") as answer, pytest.raises(errors.ServerSilent):
            while answer.stream().read(65536):
                pass
        way.close()


def test_credentials_stay_at_the_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Neither a redirect nor ~/.netrc nor a cookie changes what is sent where."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    heads: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for _ in range(2):
            connection, _ = listening.accept()
            with connection:
                heads.append(connection.recv(65536))
                connection.sendall(JSON + b"Set-Cookie: spy=1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    thread = threading.Thread(target=serve)
    thread.start()
    way = Transport(f"http://127.0.0.1:{listening.getsockname()[1]}")
    for token in ("the-token", ""):
        with way.send("GET", "/x", token=token) as answer:
            assert answer.json(100) == {}
    way.close()
    thread.join(10)
    listening.close()

    assert b"Authorization: Bearer the-token\r\n" in heads[0]
    assert b"Authorization" not in heads[1]
    assert b"Cookie" not in heads[1]


def test_the_environment_is_heard_for_the_network_only() -> None:
    near, far = Transport("http://localhost:5000"), Transport("https://pictures.example.org")
    assert (near._session.trust_env, far._session.trust_env) == (False, True)
    near.close()
    far.close()


@pytest.fixture
def behind_tls(tmp_path: Path) -> Iterator[tuple[str, Authority]]:
    """A server with a certificate of a family's own authority."""
    authority = Authority(tmp_path)
    authority.issue()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate, authority.key)

    def answer(connection: socket.socket, _: bytes) -> None:
        with suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65536)
            secured.sendall(JSON + b"Content-Length: 2\r\n\r\n{}")

    with answering(answer, peek=True) as address:
        yield address.replace("http://", "https://"), authority


def test_an_authority_of_ones_own_is_trusted_on_this_computer_too(
    behind_tls: tuple[str, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, authority = behind_tls
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(errors.NetworkError, match="not trusted"):
        ask(address)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    assert ask(address) == {}
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file.with_name("elsewhere.pem")))
    with pytest.raises(errors.NetworkError, match="REQUESTS_CA_BUNDLE names is not there"):
        ask(address)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("pictures.example.org", "https://pictures.example.org"),
        (" https://Pictures.Example.org/ ", "https://pictures.example.org"),
        ("localhost:5000", "http://localhost:5000"),
        ("127.0.0.1", "http://127.0.0.1"),
        ("[::1]:5000", "http://[::1]:5000"),
        ("http://nas.local/glassine/", "http://nas.local/glassine"),
    ],
)
def test_addresses(typed: str, address: str) -> None:
    assert normalise_address(typed) == address
    assert normalise_address(address) == address


@pytest.mark.parametrize(
    "typed",
    ["", "   ", "ftp://x", "http://", "https://a b", "http://me:secret@x", "x?y=1", "x#y", "http://x:99999", "http://x:0",
     "http://x:port", "http://[::1", "javascript:alert(1)", "file:///etc/passwd", "x\ny"],
)  # fmt: skip
def test_bad_addresses(typed: str) -> None:
    with pytest.raises(errors.BadAddress):
        normalise_address(typed)


# -- in this process ----------------------------------------------------------------------------------------------


def echo(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    """A WSGI application that says what it got, in pieces."""
    length = 0
    while piece := environ["wsgi.input"].read(1000):
        length += len(piece)
    start_response("200 OK", [("Content-Type", "application/json"), ("X-Path", environ["PATH_INFO"])])
    yield b'{"length": %d, ' % length
    yield b'"query": "%s", "method": "%s"}' % (environ["QUERY_STRING"].encode(), environ["REQUEST_METHOD"].encode())


def test_requests_in_this_process() -> None:
    way = Transport(EMBEDDED_URL, echo)
    with way.send("POST", "/a%20b/%C3%A4", params={"x": "1"}, form={"k": "v" * 5000}) as answer:
        assert answer.json(1000) == {"length": 5002, "query": "x=1", "method": "POST"}
        assert answer.header("X-Path") == "/a b/Ã¤"  # WSGI passes bytes as Latin-1
    way.close()


def test_bodies_stream_in_both_directions() -> None:
    """The application answers while the request is still being produced: nothing is joined in between."""
    events: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "image/png")])
        while piece := environ["wsgi.input"].read(1 << 20):
            events.append("in")
            yield piece

    way = Transport(EMBEDDED_URL, app)
    body = Multipart([Part("a", b"x" * 300_000)], lambda done, total: events.append("sent"))
    with way.send("POST", "/", body=body) as answer:
        assert events.count("in") == 1
        stream = answer.stream()
        read = 0
        while piece := stream.read(50_000):
            read += len(piece)
        assert read == len(body)
    assert events.count("in") > 4
    way.close()


def test_an_answer_left_early_is_closed() -> None:
    closed: list[bool] = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b"x" * 1000

        def close(self) -> None:
            closed.append(True)

    def app(environ: dict[str, Any], start_response: Any) -> Body:
        start_response("200 OK", [("Content-Type", "image/png")])
        return Body()

    way = Transport(EMBEDDED_URL, app)
    with way.send("GET", "/") as answer:
        answer.stream().read(10)
        assert not closed
    assert closed == [True]
    way.close()


def test_an_answer_shorter_than_it_says_is_noticed() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", "100")])
        return [b"{}"]

    with pytest.raises(errors.ServerSilent):
        ask(EMBEDDED_URL, app=app)


def test_a_request_cancelled_half_way_looks_like_a_lost_connection() -> None:
    got: list[int] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        while piece := environ["wsgi.input"].read(10_000):
            got.append(len(piece))
        start_response("400 Bad Request", [("Content-Type", "application/json")])
        return [b"{}"]

    way = Transport(EMBEDDED_URL, app)
    body = Multipart([Part("a", b"x" * 1_000_000)], cancelled=lambda: sum(got) > 200_000)
    with pytest.raises(errors.Cancelled), way.send("POST", "/", body=body):
        raise AssertionError("there is no answer")
    assert 200_000 < sum(got) < 400_000
    way.close()


def test_an_embedded_transport_cannot_reach_the_network() -> None:
    way = Transport(EMBEDDED_URL, echo)
    way.base_url = "http://127.0.0.1:1"
    with pytest.raises(errors.GlassineError), way.send("GET", "/x"):
        raise AssertionError("sent")
    way.close()
