"""kill -9 of the program again and again while it stores pictures: ``python -m benchmarks.kill_vault [--rounds 100]``.

A process opens a vault on this computer and does what the window does: finishes what is staged, seals, uploads, moves
some pictures to the bin and back, deletes some for good, and prints a line for each thing that the backend has
acknowledged. It is killed at a random moment, and what it left is examined: the vault opens, every acknowledged picture
is listed, or in the bin, and opens to identical bytes, what was staged completes, no picture is there twice, what was
deleted for good is gone, and nothing is called missing, older or refused. ``--uploads server`` runs the same against a
server on a socket.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from desktop import embedded, errors
from desktop.client.session import Session, Sessions
from desktop.client.vault import Vault
from desktop.config import Config

PASSPHRASE = "a passphrase for killing"
USER, PASSWORD = "somebody", "a password for killing"
ROOT = Path(__file__).resolve().parent.parent


def open_session(folder: Path, address: str) -> Session:
    """Sign in as the program does."""
    sessions = Sessions(Config(folder / "data"), embedded.start)
    if not address:
        return sessions.open_vault(folder / "vault", PASSPHRASE)
    session = sessions.sign_in(address, USER, PASSWORD)
    session.unlock(PASSPHRASE)
    return session


def make_picture(number: int, size: int) -> bytes:
    """A small BMP of random pixels: every one is different, and decoding costs nothing."""
    side = max(4, int((size / 3) ** 0.5) // 4 * 4)
    head = b"BM" + (54 + 3 * side * side).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    head += (40).to_bytes(4, "little") + side.to_bytes(4, "little") * 2 + (1).to_bytes(2, "little")
    head += (24).to_bytes(2, "little") + bytes(24)
    return head + number.to_bytes(8, "little") + os.urandom(3 * side * side - 8)


def work(folder: Path, address: str) -> None:
    """Store pictures until killed; two threads seal, two upload. Runs in the process that is killed."""
    session = open_session(folder, address)
    vault = session.vault()
    printing = threading.Lock()

    def say(*words: str) -> None:
        with printing:
            print(*words, flush=True)

    def upload(staged: object) -> None:
        picture = vault.upload(staged)  # type: ignore[arg-type]
        say(
            "stored",
            picture.id,
            hashlib.sha256(bytes(sources[picture.name])).hexdigest() if picture.name in sources else "",
        )
        if picture.name in sources and not secrets.randbelow(3):
            move(picture.id)

    def move(picture_id: str) -> None:
        say("deleting", picture_id)
        vault.delete(picture_id)
        if secrets.randbelow(2):
            vault.restore(picture_id)
        elif secrets.randbelow(2):
            say("purging", picture_id)
            vault.purge([picture_id])
            say("purged", picture_id)

    sources: dict[str, bytes] = {}
    for left in vault.staged():
        upload(left)
    vault.list_pictures()
    say("ready")

    def one(number: int) -> None:
        content = make_picture(number, 20_000 + secrets.randbelow(400_000))
        path = folder / "sources" / f"{os.getpid()}-{number}.bmp"
        path.write_bytes(content)
        sources[path.name] = content
        staged = vault.seal(path)
        path.unlink()
        say("staged", staged.picture.id, hashlib.sha256(content).hexdigest())
        uploads.submit(upload, staged)

    with ThreadPoolExecutor(2) as seals, ThreadPoolExecutor(2) as uploads:
        for start in range(0, 1 << 30, 8):
            list(seals.map(one, range(start, start + 8)))


@dataclass
class Ledger:
    """What was promised.

    Attributes:
        staged: SHA-256 of what was reported as staged, by picture id.
        stored: Ids that were acknowledged.
        moved: Ids of pictures that may be in the bin.
        doomed: Ids of pictures that were being deleted for good.
        purged: Ids whose deletion for good was acknowledged.
        rounds: How many kills.
        leftovers: How many pictures were found staged after a kill.
    """

    staged: dict[str, str] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)
    doomed: set[str] = field(default_factory=set)
    purged: set[str] = field(default_factory=set)
    rounds: int = 0
    leftovers: int = 0

    def read(self, lines: list[str]) -> None:
        """Take in what a killed process had printed."""
        for line in lines:
            words = line.split()
            if words[:1] == ["staged"] and len(words) == 3:
                self.staged[words[1]] = words[2]
            elif words[:1] == ["stored"] and len(words) >= 2 and len(words[1]) == 32:
                self.stored.add(words[1])
            elif len(words) == 2 and len(words[1]) == 32:
                kinds = {"deleting": self.moved, "purging": self.doomed, "purged": self.purged}
                kinds.get(words[0], set()).add(words[1])


def kill_once(folder: Path, address: str, ledger: Ledger) -> None:
    """Start the process, kill it at a random moment, examine what it left."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "benchmarks.kill_vault", "--work", str(folder), "--address", address]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
    assert process.stdout is not None
    lines: list[str] = []
    busy = threading.Event()

    def read() -> None:
        for line in process.stdout or ():
            lines.append(line)
            if line.startswith("staged"):
                busy.set()
        busy.set()

    reader = threading.Thread(target=read)
    reader.start()
    # one kill in four comes while the program still starts and finishes what the last one left
    if secrets.randbelow(4):
        busy.wait(60)
    time.sleep(secrets.randbelow(500) / 1000)
    process.send_signal(signal.SIGKILL)
    code = process.wait(30)
    reader.join(30)
    process.stdout.close()
    if code != -signal.SIGKILL:
        raise AssertionError(f"the program ended by itself with {code}")
    ledger.read(lines)
    ledger.rounds += 1
    examine(folder, address, ledger)


def examine(folder: Path, address: str, ledger: Ledger) -> None:
    """Open the vault and compare it with what was promised; finish what is staged as the window would."""
    session = _open_patiently(folder, address)
    try:
        vault = session.vault()
        _check(vault, ledger.stored, ledger)
        left = vault.staged()
        ledger.leftovers += len(left)
        promised = set(ledger.staged) - {staged.picture.id for staged in left}
        for staged in left[: len(left) // 2]:  # the others are left to the next process
            ledger.stored.add(vault.upload(staged).id)
        _check(vault, ledger.stored | promised, ledger)
        rest = vault.staged()
        if len(rest) != len(left) - len(left) // 2:
            raise AssertionError("a staged picture was lost or came back")
        if len(list(session.place.folder.glob("staging/*"))) != len(rest):
            raise AssertionError("something half-written stayed in the staging folder")
    finally:
        session.close()


def _open_patiently(folder: Path, address: str) -> Session:
    """Open, giving the operating system a moment to let go of a killed process's locks."""
    for _ in range(50):
        with contextlib.suppress(errors.VaultInUse):
            return open_session(folder, address)
        time.sleep(0.1)
    raise AssertionError("the vault stays locked after the program was killed")


def _check(vault: Vault, expected: set[str], ledger: Ledger) -> None:
    pictures = vault.list_pictures()
    if not vault.trust().quiet:
        raise AssertionError(f"a false alarm: {vault.trust()}")
    listed = {picture.id for picture in pictures}
    binned = vault.list_bin()
    if stray := {picture.id for picture in binned} - ledger.moved:
        raise AssertionError(f"{len(stray)} pictures are in the bin that nobody moved there")
    pictures += binned
    ids = [picture.id for picture in pictures]
    if back := ledger.purged & set(ids):
        raise AssertionError(f"{len(back)} pictures that were deleted for good are still there")
    if len(ids) != len(set(ids)):
        raise AssertionError("a picture is listed twice")
    names = [picture.name for picture in pictures]
    if len(names) != len(set(names)):
        raise AssertionError("a picture was stored twice under two ids")
    missing = expected - set(ids) - ledger.doomed
    if missing:
        raise AssertionError(f"{len(missing)} acknowledged pictures are gone")
    for picture in pictures:
        if picture.state.value != "ready":
            raise AssertionError(f"a picture is {picture.state}: {picture.problem}")
    thumbnails = vault.thumbnails(ids[-100:])
    if len(thumbnails) != len(ids[-100:]):
        raise AssertionError("thumbnails are missing")
    ids = [picture_id for picture_id in ids if picture_id in listed]
    for picture_id in ids[-40:] if len(ids) > 60 else ids:
        data = bytes(vault.open(picture_id).data)
        if hashlib.sha256(data).hexdigest() != ledger.staged.get(picture_id, hashlib.sha256(data).hexdigest()):
            raise AssertionError("a picture opens to other bytes")


@contextlib.contextmanager
def prepared(uploads: str) -> Iterator[tuple[Path, str]]:
    """A folder with a new vault in it, or with an account on a server that runs meanwhile; yields folder, address."""
    folder = Path(tempfile.mkdtemp(prefix="glassine-kill-"))
    server: subprocess.Popen[str] | None = None
    address = ""
    try:
        (folder / "sources").mkdir()
        sessions = Sessions(Config(folder / "data"), embedded.start)
        if uploads == "server":
            command = [sys.executable, str(ROOT / "main.py"), "serve", "--port", "0", "--data", str(folder / "server")]
            server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
            assert server.stdout is not None
            address = next(word for word in server.stdout.readline().split() if word.startswith("http")).rstrip(".,")
            sessions.register(address, USER, PASSWORD, PASSPHRASE).close()
        else:
            sessions.create_vault(folder / "vault", PASSPHRASE).close()
        yield folder, address
    finally:
        if server is not None:
            server.terminate()
            server.wait(30)
            assert server.stdout is not None
            server.stdout.close()
        shutil.rmtree(folder, ignore_errors=True)


def run(rounds: int, uploads: str = "embedded") -> Ledger:
    """Kill so many times; raises AssertionError on the first broken promise."""
    ledger = Ledger()
    with prepared(uploads) as (folder, address):
        for number in range(rounds):
            kill_once(folder, address, ledger)
            if rounds > 20 and (number + 1) % 10 == 0:
                print(f"{number + 1} kills, {len(ledger.stored)} pictures acknowledged, all there", flush=True)
        session = open_session(folder, address)
        try:
            for staged in session.vault().staged():
                ledger.stored.add(session.vault().upload(staged).id)
            _check(session.vault(), ledger.stored | set(ledger.staged), ledger)
        finally:
            session.close()
    return ledger


def main(argv: list[str]) -> int:
    """Run as a program."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kill_vault", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--uploads", choices=("embedded", "server"), default="embedded")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--address", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.work:
        work(arguments.work, arguments.address)
        return 0
    started = time.monotonic()
    try:
        ledger = run(arguments.rounds, arguments.uploads)
    except AssertionError as error:
        print(f"BROKEN: {error}", file=sys.stderr)
        return 1
    print(
        f"{ledger.rounds} kills in {time.monotonic() - started:.0f} s: {len(ledger.stored)} pictures acknowledged, "
        f"{ledger.leftovers} found staged; nothing lost, nothing twice, opened every time"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
