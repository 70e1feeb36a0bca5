"""Makes the troubles of the bad-day tests: flipped bits, full disks, folders that cannot be written, dying servers."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from desktop.client.key_store import KeyStore
from desktop.crypto.carrier_layout import BLOCK_HEADER, HEAD_BYTES, PREFIX_BYTES, Layout
from desktop.crypto.sealed import read_carrier_envelope, read_envelope
from desktop.errors import GlassineError

ROOT = Path(__file__).resolve().parents[2]
MiB = 1 << 20

# -- flipped bits ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def flipped(path: Path, position: int, bit: int) -> Iterator[None]:
    """One bit of a file is wrong within the block."""
    _flip(path, position, bit)
    try:
        yield
    finally:
        _flip(path, position, bit)


def _flip(path: Path, position: int, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(position)
        (byte,) = file.read(1)
        file.seek(position)
        file.write(bytes([byte ^ 1 << bit]))


@dataclass(frozen=True)
class Blobs:
    """What the backend keeps of one picture, relative to the vault's folder."""

    carrier: Path
    thumbnail: Path


def blobs_by_name(vault: Path, passphrase: str) -> dict[str, Blobs]:
    """Find out which stored files belong to which picture: by opening them, for names say nothing."""
    store = KeyStore(vault / "keys")
    key = store.open(store.list()[0].fingerprint, passphrase)
    files = [path for path in (vault / "backend" / "blobs").rglob("*") if path.is_file()]
    carriers = [path for path in files if path.read_bytes()[:4] == b"\x89PNG"]
    thumbnails = [path for path in files if path not in carriers]
    found = {}
    for carrier in carriers:
        opened = read_envelope(read_carrier_envelope(carrier), owner=key.public).open(key)

        def fits(path: Path, open_thumbnail: Callable[[bytes], bytes] = opened.open_thumbnail) -> bool:
            with contextlib.suppress(GlassineError):
                return bool(open_thumbnail(path.read_bytes()))
            return False

        [thumbnail] = [path for path in thumbnails if fits(path)]
        found[opened.metadata.name] = Blobs(carrier.relative_to(vault), thumbnail.relative_to(vault))
    return found


def regions(carrier: Path) -> dict[str, range]:
    """The parts of a stored PNG, as positions in the file."""
    size = carrier.stat().st_size
    start = HEAD_BYTES + BLOCK_HEADER + 1  # a row is longer than the prefix
    layout = Layout.from_prefix(carrier.read_bytes()[start : start + PREFIX_BYTES])
    assert layout.file_size == size
    at = layout.offset
    header = PREFIX_BYTES + layout.payload
    return {
        "PNG head": range(HEAD_BYTES),
        "prefix": range(at(0), at(PREFIX_BYTES - 1) + 1),
        "payload": range(at(PREFIX_BYTES), at(header - 1) + 1),
        "header": range(at(header), at(layout.total - 1) + 1),
        "filler": range(at(layout.total), at(layout.total + layout.filler - 1) + 1),
        "PNG end": range(size - 20, size),
    }


# -- disks and folders -------------------------------------------------------------------------------------------------


class Disk:
    """A disk of its own to fill up: a file system in memory where the tests may mount one."""

    SIZE = 24 * MiB
    ROOM_TO_ENCRYPT = int(2.2 * MiB)
    """Room for 1.5 MiB encrypted to be sent, and none to store them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"
        folder.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={self.SIZE},mode=700", "glassine-test", str(folder)]
        subprocess.run(command, check=True)

    def fill(self, room: int) -> None:
        """Leave only so many bytes."""
        free = os.statvfs(self.folder)
        with self._ballast.open("ab") as file:
            file.write(bytes(max(0, free.f_bavail * free.f_bsize - room)))

    def free(self) -> None:
        """Make room again."""
        self._ballast.unlink(missing_ok=True)

    def remove(self) -> None:
        """Take the disk away."""
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


class FileSizeLimit(Disk):
    """For those who may not mount anything: the process may write no file beyond a size."""

    ROOM_TO_ENCRYPT = MiB  # one limit for both

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self, room: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, self._before[1]))

    def free(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)

    def remove(self) -> None:
        self.free()


def capabilities() -> int:
    """The effective capabilities of this process; 0 where there is no such thing."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0


CAP_DAC_OVERRIDE, CAP_SYS_ADMIN = 1, 21
DISKS: dict[str, type[Disk]] = {"a limit for files": FileSizeLimit}
if capabilities() >> CAP_SYS_ADMIN & 1:
    DISKS["a disk of its own"] = Disk


@contextlib.contextmanager
def obeying_permissions() -> Iterator[None]:
    """Make this thread, and those it starts, heed that a file may not be written, even if it runs as root."""
    if not capabilities() >> CAP_DAC_OVERRIDE & 1:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    before, after = (ctypes.c_uint32 * 6)(), (ctypes.c_uint32 * 6)()
    for data in (before, after):
        assert libc.capget(header, data) == 0
    after[0] &= ~(1 << CAP_DAC_OVERRIDE)  # only the effective set: it comes back
    assert libc.capset(header, after) == 0
    try:
        yield
    finally:
        assert libc.capset(header, before) == 0


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nothing in the folder may be changed within the block."""
    before = {path: path.stat().st_mode for path in (folder, *folder.rglob("*"))}
    for path, mode in before.items():
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in before.items():
            if path.exists():
                path.chmod(mode)


@contextlib.contextmanager
def read_only_disk(folder: Path) -> Iterator[None]:
    """The folder is on a disk mounted read-only within the block. Files that are open already stay writable."""
    subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


READ_ONLY: dict[str, Callable[[Path], contextlib.AbstractContextManager[None]]] = {"permissions": read_only}
if capabilities() >> CAP_SYS_ADMIN & 1:
    READ_ONLY["a read-only disk"] = read_only_disk


# -- other processes ---------------------------------------------------------------------------------------------------


class ServerProcess:
    """``glassine serve``, to be killed and started again on the same port.

    Attributes:
        address: Its address, once it was started.
        data: Its folder.
    """

    def __init__(self, data: Path, log: Path) -> None:
        self.address = ""
        self.data, self._log = data, log
        self._port = 0
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        command = [sys.executable, "main.py", "serve", "--port", str(self._port), "--data", str(self.data)]
        with self._log.open("a") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert "http://" in line, f"glassine serve said {line!r} and {self._log.read_text()}"
        self.address = line.split()[-1]
        self._port = int(self.address.rsplit(":", 1)[1])

    def die_at_work(self) -> None:
        """Stand still for a moment, so that uploads are under way, then end as by a power cut."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        time.sleep(0.2)
        self.end(signal.SIGKILL)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it, if it runs."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(30)
            assert process.stdout is not None
            process.stdout.close()

    @property
    def log(self) -> str:
        """What it has complained about."""
        return self._log.read_text()


class OtherWindow:
    """A second process that has a vault open in a window of its own."""

    def __init__(self, data: Path, passphrase: str) -> None:
        command = [sys.executable, "-m", "tests.end_to_end.trouble", str(data), passphrase]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "open\n"

    def quit(self) -> None:
        """Close its window."""
        self._process.communicate(timeout=30)
        assert self._process.returncode == 0


def _other_window(data: Path, passphrase: str) -> None:
    from PySide6.QtWidgets import QApplication

    from tests.end_to_end.driver import Driver

    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    application = QApplication(["glassine"])
    glassine = Driver(data)
    glassine.open_vault(passphrase)
    glassine.until(lambda: glassine.shown() > 0, "the pictures")
    print("open", flush=True)
    sys.stdin.read()
    glassine.close()
    del application


if __name__ == "__main__":
    _other_window(Path(sys.argv[1]), sys.argv[2])
