"""``glassine serve`` as a process: start, end, and every way in which it cannot start."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from backend.__main__ import _is_in_the_clear
from backend.config import Config
from tests.backend import samples

ROOT = Path(__file__).resolve().parents[2]
QUICK = {"GLASSINE_ARGON2_MEMORY_KIB": "8192", "GLASSINE_ARGON2_PASSES": "1"}


def command(*arguments: str | Path) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GLASSINE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "backend", *map(str, arguments)],
        cwd=ROOT,
        env=environment | QUICK,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def serving(*arguments: str | Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server process and its address."""
    process = command("--port", "0", *arguments)
    try:
        assert process.stdout
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, (line, process.communicate(timeout=20))
        yield process, found[0]
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=20)


def refused(*arguments: str | Path) -> tuple[int, str]:
    """Exit code and the one line of a server that cannot start."""
    process = command(*arguments)
    out, err = process.communicate(timeout=30)
    assert out == ""
    assert err.count("\n") == 1, err
    return process.returncode, err.removeprefix("glassine serve: ").rstrip()


def sign_in(session: requests.Session, base: str, name: str = "anna") -> str:
    """Register, sign in, and return the path of the pictures."""
    form = {"username": name, "password": "secret", "publicKey": "7 5"}
    session.post(f"{base}/api/v1/auth/register", data=form, timeout=20)
    answer = session.post(f"{base}/api/v1/auth/login", data=form, timeout=20).json()
    session.headers["Authorization"] = f"Bearer {answer['access_token']}"
    return f"{base}/api/v1/users/{answer['user_id']}/images"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_ends_in_order(tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "new" / "data"
    with serving("--data", folder, "--max-upload-mb", "3") as (process, base), requests.Session() as session:
        assert session.get(f"{base}/api/v1/server", timeout=20).json()["max_upload_bytes"] == 3 << 20
        images = sign_in(session, base)
        assert session.post(images, timeout=20, **samples.classic("a.png")).status_code == 201
        assert folder.stat().st_mode & 0o777 == 0o700
        process.send_signal(number)
        assert process.wait(20) == 0
    with serving("--data", folder) as (process, base), requests.Session() as session:
        assert session.get(sign_in(session, base), timeout=20).json()[0]["img_name"] == "a.png"


def test_tokens_and_revocations_outlive_a_restart(tmp_path: Path) -> None:
    with requests.Session() as session, requests.Session() as left:
        with serving("--data", tmp_path) as (process, base):
            path = sign_in(session, base).removeprefix(base)
            sign_in(left, base)
            left.post(f"{base}/api/v1/auth/logout", timeout=20)
            process.terminate()
            assert process.wait(20) == 0
        with serving("--data", tmp_path) as (process, base):
            assert session.get(base + path, timeout=20).status_code == 200
            assert left.get(base + path, timeout=20).json() == {"message": "Token has been revoked"}


@contextmanager
def upload_under_way(session: requests.Session, base: str) -> Iterator[tuple[socket.socket, bytes]]:
    """An upload whose head the server has taken and whose body it waits for; with the body that is to be sent."""
    prepared = session.prepare_request(
        requests.Request(
            "POST", sign_in(session, base), **samples.classic("slow.png"), headers={"Expect": "100-continue"}
        )
    )
    host, port = base.removeprefix("http://").split(":")
    lines = [f"{name}: {value}" for name, value in prepared.headers.items()]
    assert isinstance(prepared.body, bytes)
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        head = "\r\n".join([f"POST {prepared.path_url} HTTP/1.1", f"Host: {host}", *lines, "", ""])
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 100")
        yield connection, prepared.body


def wait_until_refused(base: str) -> None:
    """Wait until the server takes no new connections."""
    host, port = base.removeprefix("http://").split(":")
    for _ in range(2000):
        try:
            socket.create_connection((host, int(port)), timeout=20).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:
            pass  # it was in the queue of the listening socket when that was closed
        time.sleep(0.01)
    raise AssertionError("the server still takes connections")


def test_an_upload_under_way_is_finished_before_the_end(tmp_path: Path) -> None:
    with serving("--data", tmp_path) as (process, base), requests.Session() as session:
        with upload_under_way(session, base) as (connection, body):
            connection.sendall(body[:50])
            process.terminate()
            wait_until_refused(base)
            assert process.poll() is None
            connection.sendall(body[50:])
            assert connection.recv(1000).startswith(b"HTTP/1.1 201")
        assert process.wait(20) == 0
    with serving("--data", tmp_path) as (_, base), requests.Session() as session:
        assert session.get(sign_in(session, base), timeout=20).json()[0]["img_name"] == "slow.png"


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    with (
        serving("--data", tmp_path) as (process, base),
        requests.Session() as session,
        upload_under_way(session, base),
    ):
        process.terminate()
        wait_until_refused(base)
        assert process.poll() is None
        process.terminate()
        assert process.wait(20) == 0


def test_a_large_upload_is_never_whole_in_memory(tmp_path: Path) -> None:
    size = 96 << 20

    def peak() -> int:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found
        return int(found[1]) << 10

    image = samples.png()
    frame = (
        b'--x\r\nContent-Disposition: form-data; name="imageFile"; filename="large.png"\r\n\r\n' + image,
        b'\r\n--x\r\nContent-Disposition: form-data; name="quotient"\r\n\r\n1 2 \r\n--x--\r\n',
    )

    class Body:
        def __len__(self) -> int:
            return len(frame[0]) + size + len(frame[1])

        def __iter__(self) -> Iterator[bytes]:
            yield frame[0]
            for _ in range(size >> 20):
                yield bytes(1 << 20)
            # What has arrived waits in the data folder, not where temporary files usually go (often memory).
            files = [str(link.readlink()) for link in Path(f"/proc/{process.pid}/fd").iterdir() if link.is_symlink()]
            assert [file for file in files if file.startswith(str(tmp_path / "receiving"))], files
            yield frame[1]

    with serving("--data", tmp_path) as (process, base), requests.Session() as session:
        images = sign_in(session, base)
        session.post(images, timeout=20, **samples.classic("warm.png"))
        session.get(f"{images}/warm/content", timeout=20)
        before = peak()
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        assert session.post(images, data=Body(), headers=headers, timeout=60).status_code == 201
        received = 0
        with session.get(f"{images}/large/content", stream=True, timeout=60) as answer:
            for chunk in answer.iter_content(1 << 20):
                received += len(chunk)
        assert received == len(image) + size
        assert peak() - before < 40 << 20
        assert list((tmp_path / "receiving").iterdir()) == []


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, line = refused("--port", str(port), "--data", tmp_path / "data")
    assert (code, line) == (1, f"cannot listen on 127.0.0.1 port {port}: Address already in use")
    assert not (tmp_path / "data").exists()


def test_a_host_that_is_not_ours(tmp_path: Path) -> None:
    code, line = refused("--host", "192.0.2.1", "--port", "0", "--data", tmp_path)
    assert (code, line.partition(":")[0]) == (1, "cannot listen on 192.0.2.1 port 0")


def test_a_folder_in_use_by_another_process(tmp_path: Path) -> None:
    with serving("--data", tmp_path):
        code, line = refused("--port", "0", "--data", tmp_path)
    assert code == 1
    assert line.startswith(f"cannot use {tmp_path}: ")


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="ascii")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        code, line = refused("--port", "0", "--data", folder)
        assert code == 1
        assert line.startswith(f"cannot use {folder}: ")
    assert (tmp_path / "file").read_text(encoding="ascii") == "x"


def test_a_damaged_folder(tmp_path: Path) -> None:
    (tmp_path / "records.sqlite3").write_bytes(b"this is no database" * 1000)
    code, line = refused("--port", "0", "--data", tmp_path)
    assert code == 4
    assert line.startswith(f"cannot use {tmp_path}: ")


def test_a_service_manager_hears_when_it_is_ready_and_when_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(20)
        monkeypatch.chdir(tmp_path)  # such an address has room for 107 bytes
        manager.bind("notify")
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with serving("--data", tmp_path / "data") as (process, base):
            assert manager.recv(100) == b"READY=1"
            assert requests.get(f"{base}/readyz", timeout=20).status_code == 200
            process.send_signal(signal.SIGHUP)  # reloading, where there is nothing to load anew
            assert requests.get(f"{base}/readyz", timeout=20).status_code == 200
            process.terminate()
            assert manager.recv(100) == b"STOPPING=1"
            assert process.wait(20) == 0
            assert "There is no certificate to load anew" in process.communicate(timeout=20)[1]


def test_settings_from_a_file_and_from_mongodb(tmp_path: Path, mongo_uri: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(f'mongodb = "{mongo_uri}"\nsecret_key = "{"k" * 32}"\nlog_format = "json"\n', encoding="utf-8")
    file.chmod(0o644)
    code, line = refused("--port", "0", "--config", file)
    assert code == 2 and line.endswith(f"run: chmod o-rwx {file}")
    file.chmod(0o600)
    with serving("--config", file) as (process, base), requests.Session() as session:
        images = sign_in(session, base)
        assert session.post(images, timeout=20, **samples.classic("a.png")).status_code == 201
        process.terminate()
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert str(urlsplit(mongo_uri).password) not in out + err
    with serving("--config", file) as (process, base), requests.Session() as session:
        assert session.get(sign_in(session, base), timeout=20).json()[0]["img_name"] == "a.png"


def test_an_address_with_a_password_does_not_stay_among_the_arguments(mongo_uri: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(f'secret_key = "{"k" * 32}"\n', encoding="utf-8")
    file.chmod(0o600)
    with serving("--config", file, "--mongodb", mongo_uri) as (process, base):
        assert requests.get(f"{base}/readyz", timeout=20).status_code == 200
        arguments = Path(f"/proc/{process.pid}/cmdline").read_text(encoding="utf-8").split("\0")
        assert arguments[1:-1] == ["-m", "backend", "--port", "0", "--config", str(file)]


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(f'secret_key = "{"k" * 32}"\n', encoding="utf-8")
    file.chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"mongodb://u:planted@127.0.0.1:{port}/x?serverSelectionTimeoutMS=200"
    code, line = refused("--port", "0", "--config", file, f"--mongodb={address}")
    assert code == 1
    assert line.startswith(f"cannot use mongodb://127.0.0.1:{port}/x: ") and "planted" not in line


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        ({"host": "0.0.0.0"}, True),
        ({"host": "::"}, True),
        ({"host": "pictures.home"}, True),
        ({"host": "0.0.0.0", "trusted_proxies": 1}, False),
        ({"host": "::", "tls_certificate": Path("c.pem"), "tls_key": Path("k.pem")}, False),
        ({"host": "127.0.0.2"}, False),
        ({"host": "::1"}, False),
        ({"host": "localhost"}, False),
        ({}, False),
    ],
)
def test_passwords_in_the_clear_are_warned_of(settings: dict[str, Any], warned: bool) -> None:
    assert _is_in_the_clear(Config(**settings)) is warned


def test_variables_that_are_no_settings_are_mentioned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(QUICK, "GLASSINE_REGISTRATON", "false")
    with serving("--data", tmp_path) as (process, _):
        process.terminate()
        assert "GLASSINE_REGISTRATON is not a setting and is ignored" in process.communicate(timeout=20)[1]


def test_usage(tmp_path: Path) -> None:
    wanted = "--data DIR or --mongodb URI (or set GLASSINE_DATA or GLASSINE_MONGODB)"
    assert refused("--port", "0") == (2, f"say where to keep the pictures: {wanted}")
    both = refused("--port", "0", "--data", tmp_path, "--mongodb", "mongodb://db.example/pictures")
    assert both == (2, "set either GLASSINE_DATA or GLASSINE_MONGODB, not both")
    code, line = refused("--port", "70000", "--data", tmp_path)
    assert (code, line) == (
        2,
        "argument --port: must be a whole number from 0 to 65535, not '70000' (see glassine serve --help)",
    )
    process = command("--port", "http")
    assert "argument --port: must be a whole number" in process.communicate(timeout=20)[1]
    assert process.returncode == 2
    process = command("--help")
    assert "--max-upload-mb" in process.communicate(timeout=20)[0]
    assert process.returncode == 0
