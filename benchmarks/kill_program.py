"""kill -9 of the whole program while it stores pictures: ``python -m benchmarks.kill_program [--rounds 100]``.

A process opens the real window (without a display) on a vault on this computer, signs in, says which pictures it lists,
drops others on it in a loop and prints a line for each that the window says is stored. It is killed at a random moment,
also while it starts and finishes what the last one left. After each kill the vault must open and list every picture
that was acknowledged, and none twice; every other time it is the program itself, started again, that has to do so. In
the end what still waits is let through, and every picture opens to identical bytes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from desktop import embedded, errors
from desktop.client.session import Session, Sessions
from desktop.config import Config
from desktop.models import PictureState

PASSPHRASE = "a passphrase for killing"
ROOT = Path(__file__).resolve().parent.parent
BATCH = 6


def content(name: str) -> bytes:
    """The BMP of random pixels that belongs to a name; 20 to 400 kB."""
    rng = random.Random(name)
    side = rng.randrange(84, 368, 4)
    head = b"BM" + (54 + 3 * side * side).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    head += (40).to_bytes(4, "little") + side.to_bytes(4, "little") * 2 + (1).to_bytes(2, "little")
    return head + (24).to_bytes(2, "little") + bytes(24) + rng.randbytes(3 * side * side)


# -- the process that is killed ----------------------------------------------------------------------------------------


def work(folder: Path, *, finish: bool) -> None:
    """Drop pictures on the window until killed, or only see to what waits."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from PySide6.QtWidgets import QApplication

    from desktop.app import name_application
    from desktop.logs import start_log
    from tests.end_to_end.driver import Driver

    def say(*words: str) -> None:
        print(*words, flush=True)

    application = QApplication(["glassine"])
    name_application(application)
    start_log(folder / "data" / "log")
    glassine = Driver(folder / "data")
    transfers = glassine.window.open_vault._models.transfers
    transfers.picture_added.connect(lambda picture, _: say("stored", picture.id, picture.name))
    glassine.open_vault(PASSPHRASE)
    glassine.until(glassine.is_open, "the vault")
    glassine.until(lambda: not glassine.listing(), "the list")
    for row in range(glassine.shown()):
        say("listed", glassine.picture_id(row))
    say("open")
    if finish:
        glassine.until(lambda: not transfers.resuming and not glassine.busy(), "what was waiting")
        glassine.close()
        say("done")
        return
    for number in range(1 << 30):
        paths = [folder / "sources" / f"{os.getpid()}-{number}-{place}.bmp" for place in range(BATCH)]
        for path in paths:
            path.write_bytes(content(path.name))
        glassine.add(paths)
        say("added")
        glassine.until(lambda: transfers.summary.waiting < 2, "room in the queue")


# -- what is promised --------------------------------------------------------------------------------------------------


@dataclass
class Ledger:
    """What the program has said, and what went wrong.

    Attributes:
        acknowledged: Ids of the pictures that the window said are stored.
        rounds: How many kills.
        storing: How many of them while pictures were on their way.
        examined: Whether the last kill was examined here; otherwise the program's next run has to say what it finds.
        opened: How many pictures opened to identical bytes in the end.
        lost: Acknowledged and not listed.
        damaged: Listed and not what was dropped.
        duplicates: Listed twice, or the same file under two ids.
        troubles: Anything else that should not be.
    """

    acknowledged: set[str] = field(default_factory=set)
    rounds: int = 0
    storing: int = 0
    examined: bool = False
    opened: int = 0
    lost: set[str] = field(default_factory=set)
    damaged: set[str] = field(default_factory=set)
    duplicates: set[str] = field(default_factory=set)
    troubles: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.damaged or self.duplicates or self.troubles)

    def read(self, folder: Path, lines: list[str]) -> None:
        """Take in what a killed process had printed; files it has stored are not needed any more."""
        if "open\n" in lines:
            listed = Counter(line.split()[1] for line in lines[: lines.index("open\n")] if line.startswith("listed"))
            self.lost |= self.acknowledged - listed.keys()
            self.duplicates |= {picture_id for picture_id, count in listed.items() if count > 1}
        for line in lines:
            words = line.split()
            if words[:1] == ["stored"] and len(words) == 3 and line.endswith("\n"):
                self.acknowledged.add(words[1])
                (folder / "sources" / words[2]).unlink(missing_ok=True)

    def check(self, folder: Path, *, open_all: bool = False) -> None:
        """Open the vault and compare it with what was promised."""
        session = _open_patiently(folder)
        try:
            vault = session.vault()
            pictures = vault.list_pictures()
            if not vault.trust().quiet:
                self.troubles.append(f"a false alarm: {vault.trust()}")
            self.lost |= self.acknowledged - {picture.id for picture in pictures}
            for key in ("id", "name"):
                counted = Counter(getattr(picture, key) for picture in pictures)
                self.duplicates |= {value for value, count in counted.items() if count > 1}
            self.damaged |= {picture.id for picture in pictures if picture.state is not PictureState.READY}
            self.troubles += [f"{path} is half-written" for path in _half_written(folder)]
            for picture in pictures if open_all else ():
                if bytes(vault.open(picture.id).data) == content(picture.name):
                    self.opened += 1
                else:
                    self.damaged.add(picture.id)
        finally:
            session.close()


def _half_written(folder: Path) -> Iterator[Path]:
    yield from (folder / "data" / "vault" / "backend" / "incoming").iterdir()
    for staged in (folder / "data" / "vault" / "staging").glob("*"):
        if not (staged / "manifest.json").is_file():
            yield staged


def _open_patiently(folder: Path) -> Session:
    """Open, giving the operating system a moment to let go of a killed process's locks."""
    for _ in range(50):
        with contextlib.suppress(errors.VaultInUse):
            return Sessions(Config(folder / "data"), embedded.start).open_vault(folder / "data" / "vault", PASSPHRASE)
        time.sleep(0.1)
    raise AssertionError("the vault stays locked after the program was killed")


# -- killing -----------------------------------------------------------------------------------------------------------


def kill_once(folder: Path, ledger: Ledger) -> None:
    """Start the program, kill it at a random moment, examine what it left."""
    process = _start(folder)
    assert process.stdout is not None
    lines: list[str] = []
    opened, added = threading.Event(), threading.Event()

    def read() -> None:
        for line in process.stdout or ():
            lines.append(line)
            if line == "open\n":
                opened.set()
            elif line == "added\n":
                added.set()
        opened.set()
        added.set()

    reader = threading.Thread(target=read)
    reader.start()
    if secrets.randbelow(4):
        added.wait(60)
        time.sleep(secrets.randbelow(700) / 1000)
    else:  # one kill in four comes while it still starts and finishes what the last one left
        if not ledger.examined:
            opened.wait(60)
        time.sleep(secrets.randbelow(2500 if ledger.examined else 300) / 1000)
    storing = added.is_set()
    process.send_signal(signal.SIGKILL)
    code = process.wait(30)
    reader.join(30)
    process.stdout.close()
    if code != -signal.SIGKILL:
        ledger.troubles.append(f"the program ended by itself with {code}")
    ledger.rounds += 1
    ledger.storing += storing
    ledger.read(folder, lines)
    ledger.examined = not ledger.examined
    if ledger.examined:
        ledger.check(folder)


def _start(folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.kill_program", "--work", str(folder), *more]
    environment = {**os.environ, "GLASSINE_DATA_DIR": str(folder / "data")}
    with (folder / "stderr").open("a") as stderr:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=ROOT, env=environment)


def finish(folder: Path, ledger: Ledger) -> None:
    """Let the program see to what waits and close it properly, then open every picture."""
    process = _start(folder, "--finish")
    output, _ = process.communicate(timeout=300)
    lines = output.splitlines(keepends=True)
    if process.returncode or lines[-1:] != ["done\n"]:
        ledger.troubles.append(
            f"the last run ended with {process.returncode}: {(folder / 'stderr').read_text()[-2000:]}"
        )
    ledger.read(folder, lines)
    ledger.check(folder, open_all=True)
    if list((folder / "data" / "vault" / "staging").glob("*")):
        ledger.troubles.append("something encrypted was never stored")
    if "Traceback" in (folder / "data" / "log" / "glassine.log").read_text():
        ledger.troubles.append("there is a traceback in the log")


@contextlib.contextmanager
def prepared() -> Iterator[Path]:
    """A folder with a new vault in it; its key is made once for all rounds."""
    folder = Path(tempfile.mkdtemp(prefix="glassine-kill-"))
    try:
        (folder / "sources").mkdir()
        Sessions(Config(folder / "data"), embedded.start).create_vault(folder / "data" / "vault", PASSPHRASE).close()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(rounds: int, *, quiet: bool = True) -> Ledger:
    """Kill so many times."""
    ledger = Ledger()
    with prepared() as folder:
        for number in range(rounds):
            kill_once(folder, ledger)
            if not quiet and (number + 1) % 10 == 0:
                print(f"{number + 1} kills, {len(ledger.acknowledged)} pictures acknowledged", flush=True)
        finish(folder, ledger)
    return ledger


def main(argv: list[str]) -> int:
    """Run as a program."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kill_program", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--finish", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.work:
        work(arguments.work, finish=arguments.finish)
        return 0
    started = time.monotonic()
    ledger = run(arguments.rounds, quiet=False)
    for trouble in ledger.troubles:
        print(f"BROKEN: {trouble}", file=sys.stderr)
    print(
        f"{ledger.rounds} kills of the program in {time.monotonic() - started:.0f} s, {ledger.storing} while storing: "
        f"{len(ledger.acknowledged)} pictures acknowledged, {len(ledger.lost)} lost, {len(ledger.damaged)} damaged, "
        f"{len(ledger.duplicates)} duplicates; {ledger.opened} opened to identical bytes"
    )
    return 0 if ledger.kept else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
