"""Two gunicorn workers on one MongoDB, from settings alone; and what happens when two share a folder."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote_plus, urlsplit

import pytest
import requests

from backend.storage.mongo import open_mongo
from tests.backend import samples
from tests.backend.test_serve import QUICK, sign_in, upload_under_way
from tests.mongodb import mongo_server, with_database

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "resources" / "server" / "gunicorn.conf.py"
TOKEN = "figures for friends only"

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the workers in /proc")


def command(settings: dict[str, str], *options: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GLASSINE_", "GUNICORN"))}
    return subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--workers", "2", *options, "backend:create_app()"],
        cwd=ROOT,
        env=environment | QUICK | {"GLASSINE_PORT": "0"} | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Gunicorn:
    """A running gunicorn with two workers. Attributes: ``base``, ``log`` (grows), ``process``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.log: list[str] = []
        self.base = ""
        self._grown = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.base = re.findall(r"http://127\.0\.0\.1:\d+", self.wait_for("Listening at: "))[0]
        self.wait_for("Booting worker", 2)

    def wait_for(self, text: str, times: int = 1) -> str:
        """Wait until the log has so many lines with a text and return the last of them."""

        def found() -> list[str]:
            return [line for line in self.log if text in line][:times]

        with self._grown:
            assert self._grown.wait_for(lambda: len(found()) == times, 60), self.log
            return found()[-1]

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            with self._grown:
                self.log.append(line)
                self._grown.notify_all()

    @property
    def workers(self) -> list[int]:
        """Process ids."""
        number = self.process.pid
        return [int(child) for child in Path(f"/proc/{number}/task/{number}/children").read_text().split()]

    @contextmanager
    def only(self, worker: int) -> Iterator[requests.Session]:
        """A session whose requests this worker serves, because the others stand still."""
        others = [other for other in self.workers if other != worker]
        for other in others:
            os.kill(other, signal.SIGSTOP)
        try:
            with requests.Session() as session:
                session.trust_env = False
                yield session
        finally:
            for other in others:
                os.kill(other, signal.SIGCONT)

    def close(self) -> None:
        if self.process.poll() is None:
            for worker in self.workers:
                os.kill(worker, signal.SIGKILL)
            self.process.kill()
        self.process.wait(20)
        self._reader.join(20)
        assert self.process.stdout and self.process.stderr
        self.process.stdout.close()
        self.process.stderr.close()


@pytest.fixture
def gunicorn(mongo_uri: str, tmp_path: Path) -> Iterator[Gunicorn]:
    settings = {
        "GLASSINE_MONGODB": mongo_uri, "GLASSINE_SECRET_KEY": "the same for both of the workers",
        "GLASSINE_METRICS_TOKEN": TOKEN, "GLASSINE_LOG_FORMAT": "json",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "figures"),
    }  # fmt: skip
    running = Gunicorn(command(settings, "--config", str(CONF)))
    try:
        yield running
    finally:
        running.close()


def test_two_workers_are_one_server(gunicorn: Gunicorn, mongo_uri: str) -> None:
    one, two = gunicorn.workers
    with gunicorn.only(one) as session:
        images = sign_in(session, gunicorn.base)
        image = samples.png()
        assert session.post(images, timeout=20, **samples.classic("a.png", image)).status_code == 201
        token = session.headers["Authorization"]
        form = requests.Request("POST", images, **samples.classic("b.png", image)).prepare()
        assert isinstance(form.body, bytes)
        in_chunks = {"data": iter([form.body]), "headers": {"Content-Type": form.headers["Content-Type"]}}
        assert session.post(images, timeout=20, **in_chunks).status_code == 201
    with gunicorn.only(two) as session:
        session.headers["Authorization"] = token
        assert session.get(f"{images}/a/content", timeout=20).content == image
        assert session.post(f"{gunicorn.base}/api/v1/auth/logout", timeout=20).status_code == 200
    with gunicorn.only(one) as session:
        session.headers["Authorization"] = token
        answer = session.get(images, timeout=20)
        assert (answer.status_code, answer.json()) == (401, {"message": "Token has been revoked"})
        assert session.get(f"{gunicorn.base}/readyz", timeout=20).status_code == 200
        headers = {"Authorization": f"Bearer {TOKEN}"}
        text = session.get(f"{gunicorn.base}/metrics", headers=headers, timeout=20).text
    counted = re.findall(
        r'^glassine_requests_total\{.*route="/api/v1/users/<user_id>/images([^"]*)".*\} (.*)$', text, re.M
    )
    assert sorted(counted) == [("", "1.0"), ("", "2.0"), ("/<name>/content", "1.0")]  # of both workers
    gunicorn.process.terminate()
    assert gunicorn.process.wait(30) == 0
    gunicorn.close()
    log = "".join(gunicorn.log)
    records = [json.loads(line) for line in gunicorn.log]
    assert [record for record in records if (record.get("method"), record.get("bytes_in")) == ("POST", len(form.body))]
    assert str(urlsplit(mongo_uri).password) not in log and "the same for both" not in log
    assert str(token).split()[1] not in log


def test_an_upload_under_way_is_finished_before_the_end(gunicorn: Gunicorn, mongo_uri: str) -> None:
    with requests.Session() as session, upload_under_way(session, gunicorn.base) as (connection, body):
        connection.sendall(body[:50])
        gunicorn.process.terminate()
        gunicorn.wait_for("Handling signal: term")
        assert gunicorn.process.poll() is None
        connection.sendall(body[50:])
        assert connection.recv(1000).startswith(b"HTTP/1.1 201")
    assert gunicorn.process.wait(30) == 0
    storage = open_mongo(mongo_uri)
    try:
        (user,) = storage.users()
        assert [picture.name for picture in storage.pictures(user.id)] == ["slow.png"]
    finally:
        storage.close()


@pytest.mark.parametrize("options", [("--config", str(CONF)), ("--bind", "127.0.0.1:0", "--no-control-socket")])
def test_two_workers_cannot_share_a_folder(tmp_path: Path, options: tuple[str, ...]) -> None:
    process = command({"GLASSINE_DATA": str(tmp_path)}, *options)
    try:
        _, log = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode != 0
    assert [line for line in log.splitlines() if line.startswith("glassine: ")] == [
        f"glassine: cannot use {tmp_path}: another process uses it; a folder takes one (one worker), "
        "several need MongoDB"
    ]
    assert "Traceback" not in log


@pytest.mark.parametrize("options", [("--config", str(CONF)), ("--bind", "127.0.0.1:0", "--no-control-socket")])
def test_settings_that_cannot_be_used(options: tuple[str, ...]) -> None:
    process = command({"GLASSINE_MONGODB": "mongodb://u:planted@127.0.0.1:1/x"}, *options, "--workers", "1")
    _, log = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "glassine: GLASSINE_SECRET_KEY is required with GLASSINE_MONGODB, the same for every worker" in log
    assert "Traceback" not in log and "planted" not in log


@pytest.mark.skipif("GLASSINE_TEST_MONGODB_URI" in os.environ, reason="stops the database")
def test_a_database_that_does_not_answer_yet(tmp_path: Path) -> None:
    with mongo_server(tmp_path) as database:
        uri = with_database(database.uri, "glassine", serverSelectionTimeoutMS=200)
        database.kill()
        settings = {"GLASSINE_MONGODB": uri, "GLASSINE_SECRET_KEY": "k" * 32}
        running = Gunicorn(command(settings, "--config", str(CONF)))
        try:
            running.wait_for("The database cannot be reached: ", 2)
            before = running.workers
            with requests.Session() as session:
                session.trust_env = False
                assert session.get(f"{running.base}/healthz", timeout=20).status_code == 200
                unready = session.get(f"{running.base}/readyz", timeout=20)
                away = session.get(f"{running.base}/api/v1/server", timeout=20)
                form = {"username": "ada", "password": "secret", "publicKey": "7 5"}
                register = session.post(f"{running.base}/api/v1/auth/register", data=form, timeout=20)
                for answer in (unready, away, register):
                    expected = (503, {"message": "The server's database cannot be reached"})
                    assert (answer.status_code, answer.json()) == expected
            database.start()
            for worker in before:
                with running.only(worker) as session:
                    assert session.get(f"{running.base}/readyz", timeout=20).status_code == 200
                    images = sign_in(session, running.base, f"of {worker}")
                    answer = session.post(images, timeout=20, **samples.classic("a.png", samples.png()))
                    assert answer.status_code == 201
            assert running.workers == before
        finally:
            running.close()
        assert quote_plus(str(urlsplit(uri).password)) not in "".join(running.log)


def test_a_database_that_refuses_its_user(mongo_uri: str) -> None:
    parts = urlsplit(mongo_uri)
    address = parts._replace(netloc=f"{parts.username}:planted@{parts.netloc.rpartition('@')[2]}").geturl()
    settings = {"GLASSINE_MONGODB": address, "GLASSINE_SECRET_KEY": "k" * 32}
    _, log = (process := command(settings, "--config", str(CONF), "--workers", "1")).communicate(timeout=60)
    assert process.returncode != 0
    assert len(re.findall(r"glassine: cannot use mongodb://\S+: The database refuses its user: ", log)) == 1
    assert "Traceback" not in log and "planted" not in log
