"""TLS without a proxy: real handshakes, real uploads, clients that misbehave, certificates that change."""

from __future__ import annotations

import json
import re
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from backend import tls
from backend.__main__ import _noting_hangups, _stopping
from tests.backend import samples
from tests.backend.certificates import Authority
from tests.backend.conftest import FAST, Person, Running, serving
from tests.backend.test_serve import command, refused, wait_until_refused

HSTS = "Strict-Transport-Security"
LARGE = 20 << 20


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("certificates"))
    made.issue()
    return made


@contextmanager
def serving_tls(folder: Path, authority: Authority, **settings: Any) -> Iterator[Running]:
    config = replace(FAST, tls_certificate=authority.certificate, tls_key=authority.key, **settings)
    with serving(folder, config) as running:
        running.session.verify = str(authority.file)
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Running]:
    with serving_tls(tmp_path_factory.mktemp("server"), authority, max_upload_bytes=LARGE + (1 << 20)) as running:
        yield running


def connect(base: str, authority: Authority, timeout: float = 20) -> ssl.SSLSocket:
    host, port = base.removeprefix("https://").split(":")
    context = ssl.create_default_context(cafile=str(authority.file))
    plain = socket.create_connection((host, int(port)), timeout=timeout)
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise


def tcp(base: str) -> socket.socket:
    host, port = base.removeprefix("https://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def works(server: Running) -> bool:
    return server.call("GET", "/server").status_code == 200


def test_a_large_picture_comes_back_as_it_went(server: Running) -> None:
    person = server.person()
    image = samples.png() + bytes(range(256)) * (LARGE // 256)
    files = {"imageFile": ("large.png", image, "image/png")}
    assert person.call("POST", person.images, files=files, data={"quotient": "1 "}).status_code == 201
    assert person.call("GET", f"{person.images}/large/content").content == image


def test_the_application_sees_the_peer_and_the_scheme(
    server: Running, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    inner = server.app.wsgi_app

    def spy(environ: dict[str, Any], start_response: Any) -> Any:
        seen.append((environ["REMOTE_ADDR"], int(environ["REMOTE_PORT"]), environ["wsgi.url_scheme"]))
        return inner(environ, start_response)

    monkeypatch.setattr(server.app, "wsgi_app", spy)
    with connect(server.base, authority) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        assert seen == [(*connection.getsockname(), "https")]
        while connection.recv(1000):
            pass  # until the server says good-bye, as TLS wants it


def test_every_answer_asks_for_tls_from_now_on(server: Running) -> None:
    person = server.person()
    for answer in (
        server.call("GET", "/server"),
        server.call("GET", "/nothing"),
        server.call("GET", "/users"),
        person.call("POST", person.images, data=b"x" * (LARGE + (2 << 20))),
    ):
        assert answer.headers[HSTS] == "max-age=31536000", answer.status_code


def test_nothing_older_than_tls_1_2_is_spoken(authority: Authority) -> None:
    context = tls.load((authority.certificate, authority.key))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_plain_http_gets_no_answer_and_does_no_harm(server: Running) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get(server.base.replace("https", "http") + "/healthz", timeout=20)
    assert works(server)


def test_bytes_that_are_no_handshake(server: Running) -> None:
    with tcp(server.base) as connection:
        connection.sendall(bytes(100_000))
        with suppress(ConnectionError):
            while connection.recv(1000):
                pass
    assert works(server)


def test_a_client_that_never_finishes_the_handshake_is_dropped(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "HANDSHAKE_SECONDS", 0.2)
    with tcp(server.base) as silent, tcp(server.base) as half:
        half.sendall(b"\x16\x03\x01\x02\x00\x01")  # how a handshake begins
        assert works(server)
        for connection in (silent, half):
            with suppress(ConnectionError):
                assert connection.recv(1) == b""


def test_a_connection_for_which_there_is_no_descriptor_is_dropped(
    server: Running, authority: Authority, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def none_left() -> None:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as full:
        full.setattr("backend.tls.socket.socketpair", none_left)
        connection = connect(server.base, authority)
        with connection, suppress(OSError):
            assert connection.recv(1) == b""  # and does not wait for good
    assert works(server)
    assert "A connection was dropped: Too many open files" in caplog.text and "Traceback" not in caplog.text


def test_only_so_many_connections_at_once(tmp_path: Path, authority: Authority) -> None:
    with serving_tls(tmp_path, authority, connections=8) as server:
        silent = [tcp(server.base) for _ in range(8)]
        with pytest.raises(TimeoutError):
            connect(server.base, authority, 0.3)
        silent.pop().close()
        with connect(server.base, authority) as connection:
            assert connection.version() in ("TLSv1.2", "TLSv1.3")
        for connection in silent:
            connection.close()
        assert works(server)


def head(person: Person, size: int, *more: str) -> bytes:
    lines = [f"POST /api/v1{person.images} HTTP/1.1", "Host: x", f"Authorization: Bearer {person.token}",
             "Content-Type: multipart/form-data; boundary=x", f"Content-Length: {size}", *more]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode()


def test_a_refused_client_that_goes_on_sending_gets_to_read_why(server: Running, authority: Authority) -> None:
    person = server.person()
    with connect(server.base, authority) as connection:
        connection.sendall(head(person, 1 << 30) + bytes(500_000))
        for _ in range(20):
            connection.sendall(bytes(200_000))
        received = b""
        while b"\r\n\r\n" not in received or not received.endswith(b"}"):
            received += connection.recv(1000)
    assert json.loads(received.partition(b"\r\n\r\n")[2]) == {"message": "The request is larger than this server takes"}


def test_a_client_that_leaves_in_the_middle(tmp_path: Path, authority: Authority) -> None:
    with serving_tls(tmp_path, authority, max_upload_bytes=LARGE) as server:
        person = server.person()
        image = samples.png() + bytes(LARGE // 2)
        files = {"imageFile": ("large.png", image, "image/png")}
        assert person.call("POST", person.images, files=files, data={"quotient": "1 "}).status_code == 201
        path = f"/api/v1{person.images}/large/content"
        with connect(server.base, authority) as connection:
            request = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}\r\n\r\n"
            connection.sendall(request.encode())
            assert connection.recv(12) == b"HTTP/1.1 200"
        with connect(server.base, authority) as connection:
            connection.sendall(head(person, 1_000_000) + bytes(300_000))
        assert works(server)
    # leaving the block ends the server within its time


@contextmanager
def process_with_tls(folder: Path, authority: Authority) -> Iterator[tuple[subprocess.Popen[str], str]]:
    options = ("--tls-certificate", authority.certificate, "--tls-key", authority.key)
    process = command("--port", "0", "--data", folder, *options)
    try:
        assert process.stdout
        found = re.search(r"https://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found
        yield process, found[0]
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=20)


def test_an_upload_under_way_is_finished_before_the_end(tmp_path: Path, authority: Authority) -> None:
    with process_with_tls(tmp_path, authority) as (process, base), requests.Session() as session:
        session.verify, session.trust_env = str(authority.file), False
        form = {"username": "anna", "password": "secret", "publicKey": "7 5"}
        session.post(f"{base}/api/v1/auth/register", data=form, timeout=20)
        answer = session.post(f"{base}/api/v1/auth/login", data=form, timeout=20).json()
        person = Person(base, "anna", "secret", answer["user_id"], answer["access_token"], session)
        url = f"{base}/api/v1{person.images}"
        prepared = session.prepare_request(requests.Request("POST", url, **samples.classic("slow.png")))
        body = prepared.body
        assert isinstance(body, bytes)
        with connect(base, authority) as connection, tcp(base) as silent:
            lines = head(person, len(body), "Expect: 100-continue").decode()
            lines = lines.replace("multipart/form-data; boundary=x", prepared.headers["Content-Type"])
            connection.sendall(lines.encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 100")
            connection.sendall(body[:50])
            process.terminate()
            wait_until_refused(base.replace("https", "http"))
            assert process.poll() is None
            connection.sendall(body[50:])
            assert connection.recv(1000).startswith(b"HTTP/1.1 201")
            assert silent.fileno() >= 0  # has not said a word, and nobody waits for it
        assert process.wait(20) == 0


def test_certificates_are_loaded_anew(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    serials = [authority.issue()]

    def serial(connection: ssl.SSLSocket) -> int:
        peer = connection.getpeercert()
        assert peer
        return int(str(peer["serialNumber"]), 16)

    def until(text: str) -> None:
        assert process.stderr
        while text not in process.stderr.readline():
            assert process.poll() is None

    with process_with_tls(tmp_path / "data", authority) as (process, base), connect(base, authority) as lasting:
        assert serial(lasting) == serials[0]
        serials.append(authority.issue())
        process.send_signal(signal.SIGHUP)
        until("The certificate was loaded anew")
        with connect(base, authority) as connection:
            assert serial(connection) == serials[1]
        authority.key.write_text("nonsense", encoding="ascii")
        process.send_signal(signal.SIGHUP)
        until("the certificate that was loaded before stays in use")
        with connect(base, authority) as connection:
            assert serial(connection) == serials[1]
        lasting.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert lasting.recv(1000).startswith(b"HTTP/1.1 200")
        process.terminate()
        assert process.wait(20) == 0


def test_reloading_before_it_is_ready(tmp_path: Path, authority: Authority) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(f'secret_key = "{"k" * 32}"\n', encoding="utf-8")
    file.chmod(0o600)
    certificates = ("--tls-certificate", authority.certificate, "--tls-key", authority.key)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        address = f"mongodb://127.0.0.1:{silent.getsockname()[1]}/x?serverSelectionTimeoutMS=500"
        process = command("--port", "0", "--config", file, "--mongodb", address, *certificates)
        with silent.accept()[0]:  # now it is starting
            process.send_signal(signal.SIGHUP)
            out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (1, "")
    assert "cannot use mongodb://127.0.0.1" in err


def test_what_was_to_be_reloaded_before_is_reloaded_once_it_can_be(authority: Authority) -> None:
    config = replace(FAST, tls_certificate=authority.certificate, tls_key=authority.key)
    before = signal.getsignal(signal.SIGHUP)
    reloaded: list[int] = []
    server = SimpleNamespace(reload_certificates=lambda: reloaded.append(1), stop=lambda: None)
    with _noting_hangups(config) as hangups:
        signal.raise_signal(signal.SIGHUP)
        assert reloaded == []
        with _stopping(server, config, hangups):
            assert reloaded == [1]
            signal.raise_signal(signal.SIGHUP)
            assert reloaded == [1, 1]
    assert signal.getsignal(signal.SIGHUP) == before


def test_certificates_that_cannot_be_used(tmp_path: Path, authority: Authority) -> None:
    missing = tmp_path / "none.pem"
    data = tmp_path / "data"
    common = ("--port", "0", "--data", data, "--tls-certificate")
    assert refused(*common, missing, "--tls-key", authority.key) == (
        1,
        f"cannot read {missing}: No such file or directory",
    )
    other = Authority(tmp_path)
    other.issue()
    assert refused(*common, authority.certificate, "--tls-key", other.key) == (
        1,
        f"{authority.certificate} and {other.key} are not a PEM certificate and its unencrypted key",
    )
    assert refused(*common, authority.certificate) == (
        2,
        "set both GLASSINE_TLS_CERTIFICATE and GLASSINE_TLS_KEY, or neither",
    )
    assert not data.exists()
