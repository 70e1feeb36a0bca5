"""Servers to measure and to kill, each a process of its own on 127.0.0.1 that ends with its ``with`` block."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECONDS_TO_START = 60.0
TRIES_TO_START = 3
_QUICK = {
    "GLASSINE_ARGON2_MEMORY_KIB": "8192",
    "GLASSINE_ARGON2_PASSES": "1",
    "GLASSINE_LOGIN_ATTEMPTS": "0",
    "GLASSINE_LOGIN_ATTEMPTS_ADDRESS": "0",
    "GLASSINE_REGISTRATIONS": "0",
}
"""Passwords are not what is measured."""


def end_in_order() -> None:
    """Take SIGTERM for a wish to end: otherwise what was started here would go on."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def environment(**settings: str) -> dict[str, str]:
    """The environment of a server: nothing of this process's own settings."""
    foreign = ("GLASSINE_", "GUNICORN", "WEB_CONCURRENCY", "PROMETHEUS_")
    own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return own | _QUICK | settings


class Gunicorn:
    """gunicorn with so many workers, started from settings alone. Its port stays when it is started again.

    Attributes:
        address: Base URL.
    """

    def __init__(self, workers: int, log: Path, settings: dict[str, str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self._workers = workers
        self._log = log
        self._settings = environment(
            GLASSINE_SECRET_KEY="for benchmarks, the same for every worker", GLASSINE_PORT=str(port), **settings
        )  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it is ready and all workers are there. When it gives up, because a worker could not
        reach the database, it is started again, as a service manager would."""
        conf = ROOT / "resources" / "server" / "gunicorn.conf.py"
        command = [sys.executable, "-m", "gunicorn", "--config", str(conf), "--workers", str(self._workers)]
        for left in reversed(range(TRIES_TO_START)):
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    [*command, "backend:create_app()"],
                    cwd=ROOT, env=self._settings, stdout=log, stderr=log, start_new_session=True,
                )  # fmt: skip
            try:
                self.wait_until_ready()
                return
            except RuntimeError as error:
                self.kill()
                if not left:
                    raise RuntimeError(f"{error}: {self._log.read_text()[-2000:]}") from None

    def wait_until_ready(self, without: int = 0) -> None:
        """Wait until it answers and has all its workers, a certain one no longer among them."""
        wait_until_ready(self.address, self._process)
        deadline = time.monotonic() + SECONDS_TO_START
        while len(set(self.workers) - {without}) < self._workers:
            if time.monotonic() > deadline:
                raise RuntimeError("a worker is missing")
            time.sleep(0.02)

    @property
    def workers(self) -> list[int]:
        """Process ids, the longest-running first."""
        assert self._process is not None
        number = self._process.pid
        return sorted(int(child) for child in Path(f"/proc/{number}/task/{number}/children").read_text().split())

    def kill_worker(self) -> int:
        """kill -9 of one worker; wait until gunicorn has started another. Returns its process id."""
        worker = self.workers[0]
        os.kill(worker, signal.SIGKILL)
        self.wait_until_ready(without=worker)
        return worker

    def kill(self) -> None:
        """kill -9 of everything."""
        if self._process is not None:
            with suppress(ProcessLookupError):  # it has ended by itself
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(30)
            self._process = None


@contextmanager
def gunicorn(workers: int, folder: Path, *, mongodb: str = "", data: Path | None = None) -> Iterator[Gunicorn]:
    """A running gunicorn over one of the storages; its log is in the folder."""
    settings = {"GLASSINE_MONGODB": mongodb} if mongodb else {"GLASSINE_DATA": str(data)}
    server = Gunicorn(workers, folder / "gunicorn.log", settings)
    try:
        server.start()
        yield server
    finally:
        server.kill()


class Serve:
    """A running ``glassine serve``. Attributes: ``address`` and ``workers`` as :class:`Gunicorn` has them."""

    def __init__(self, address: str, process_id: int) -> None:
        self.address = address
        self.workers = [process_id]


Server = Gunicorn | Serve


@contextmanager
def serve(*, mongodb: str = "", data: Path | None = None) -> Iterator[Serve]:
    """``glassine serve`` over one of the storages."""
    settings = {"GLASSINE_SECRET_KEY": "for benchmarks, as long as it has to be"}
    settings |= {"GLASSINE_MONGODB": mongodb} if mongodb else {"GLASSINE_DATA": str(data)}
    process = subprocess.Popen(
        [sys.executable, "-m", "backend", "--port", "0"],
        cwd=ROOT, env=environment(**settings), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        found = re.search(r"https?://\S+:\d+", process.stdout.readline())
        if found is None:
            raise RuntimeError("glassine serve did not start")
        yield Serve(found[0], process.pid)
    finally:
        process.kill()
        process.communicate()


def wait_until_ready(address: str, process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait until a server says that it can serve."""
    deadline = time.monotonic() + SECONDS_TO_START
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise RuntimeError("the server ended by itself")
        try:
            with opener.open(f"{address}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server does not get ready")


def resident_kib(process_id: int) -> int:
    """Memory of a process that is its own: resident, in KiB."""
    for line in Path(f"/proc/{process_id}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def processor_ms(process_ids: list[int]) -> float:
    """Processor time of processes so far, in milliseconds; in steps of ten."""
    ticks = 0
    for process_id in process_ids:
        fields = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks * 1000 / os.sysconf("SC_CLK_TCK")


class PeakMemory:
    """Watches processes in a thread while the ``with`` block runs.

    Attributes:
        grown_kib: By how much the memory of that process grew at most which grew most.
    """

    def __init__(self, process_ids: list[int]) -> None:
        self._before = {process_id: resident_kib(process_id) for process_id in process_ids}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory")
        self.grown_kib = 0

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.01):
            for process_id, before in self._before.items():
                self.grown_kib = max(self.grown_kib, resident_kib(process_id) - before)
