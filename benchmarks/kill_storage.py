"""kill -9 while pictures are stored: ``python -m benchmarks.kill_storage --rounds 100``.

A process opens the embedded storage and, in three threads, stores pictures, revises and shares them, moves some to the
bin and back, and removes some, reporting each change before it begins and after it was acknowledged. It is killed at a
random moment, the opening included. Then the storage must open, hold every acknowledged change and no half of any
other, and hold no blob that no record names.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OWNER = "0123456789abcdef01234567"
READER = "fedcba9876543210fedcba98"
CREATED = datetime.fromisoformat("2024-05-17T11:22:33")
THREADS = 3
ROUNDS_PER_FOLDER = 10  # then a new one, so that making a folder is cut short too


def content(name: str) -> bytes:
    """The bytes stored under a name; from empty to 200 kB."""
    rng = random.Random(name)
    return rng.randbytes(rng.choice([0, 1, 500, 4096, 30_000, 200_000]))


def store(folder: Path, seed: int) -> None:
    """The process that is killed."""
    import backend.storage.embedded_storage  # noqa: F401  # imported before "ready": the kill shall not hit imports only
    from backend.storage.embedded import open_storage
    from backend.storage.protocol import Permission, PictureRecord, Revision

    speaking = threading.Lock()

    def say(*words: Any) -> None:
        with speaking:
            print(json.dumps(words), flush=True)

    def give_up(failure: threading.ExceptHookArgs) -> None:
        traceback.print_exception(failure.exc_value)
        os._exit(70)  # not the kill: the round counts this as a problem

    threading.excepthook = give_up
    say("ready")
    storage = open_storage(folder)
    say("open")

    def blob(data: bytes) -> str:
        with storage.write_blob() as writer:
            for start in range(0, len(data), 65536):
                writer.write(data[start : start + 65536])
            return writer.commit()

    def work(number: int) -> None:
        rng = random.Random(seed * 10 + number)
        mine = [p.name for p in storage.pictures(OWNER) if p.name.startswith(f"{number}-")]
        while True:
            kind = rng.random()
            if kind < 0.7 or not mine:
                name = f"{number}-{rng.randbytes(6).hex()}"
                data = content(name)
                picture = PictureRecord(
                    storage.new_id(), OWNER, name, "sealed", len(data), CREATED, blob(data),
                    hashlib.sha256(data).hexdigest(), "", blob(name.encode()), "e" * 3000, "h" * 64,
                )  # fmt: skip
                say("adding", name)
                storage.add_picture(picture)
                say("added", name, picture.id)
                mine.append(name)
            elif kind < 0.75:
                # To the bin and back: whichever of the two the kill comes between, nothing of it may be lost.
                name = rng.choice(mine)
                binned = storage.move_to_bin(OWNER, name, CREATED)
                if binned is not None:
                    storage.restore_picture(binned.id, name)
            elif kind < 0.8:
                # The same bytes in a new blob: whichever revision the kill leaves, its blobs must be there.
                found = storage.picture(OWNER, rng.choice(mine))
                if found is not None:
                    revised = replace(
                        found, content_blob=blob(content(found.name)), header_hash=f"{rng.getrandbits(256):064x}"
                    )
                    storage.replace_picture(revised, Revision(found.id, found.header_hash, "", CREATED))
                    storage.remove_blob(found.content_blob)
                    say("revised", found.name, revised.header_hash)
            elif kind < 0.87:
                picture = storage.picture(OWNER, rng.choice(mine))
                if picture is not None and storage.permission(picture.id, READER) is None:
                    storage.add_permission(Permission(picture.id, READER, "read"))
                    say("shared", picture.name)
            else:
                name = mine.pop(rng.randrange(len(mine)))
                say("removing", name)
                found = storage.picture(OWNER, name)
                removed = storage.remove_picture(found.id) if found else None
                say("removed", name)
                for blob_id in (removed.picture.content_blob, removed.picture.thumbnail_blob) if removed else ():
                    storage.remove_blob(blob_id)

    for number in range(THREADS):
        threading.Thread(target=work, args=(number,), daemon=True).start()
    time.sleep(120)


@dataclass
class Expected:
    """What was acknowledged, and what may or may not have happened."""

    there: dict[str, str] = field(default_factory=dict)  # name → record id
    shared: set[str] = field(default_factory=set)
    revised: dict[str, str] = field(default_factory=dict)  # name → an acknowledged revision's header hash
    adding: set[str] = field(default_factory=set)
    removing: set[str] = field(default_factory=set)

    def hear(self, words: list[str]) -> None:
        kind, *rest = words
        name = rest[0] if rest else ""
        if kind == "adding":
            self.adding.add(name)
        elif kind == "added":
            self.adding.discard(name)
            self.there[name] = rest[1]
        elif kind == "shared":
            self.shared.add(name)
        elif kind == "revised":
            self.revised[name] = rest[1]
        elif kind == "removing":
            self.removing.add(name)
        elif kind == "removed":
            self.removing.discard(name)
            self.there.pop(name, None)
            self.shared.discard(name)
            self.revised.pop(name, None)


@dataclass
class Round:
    """What one kill hit."""

    opened: bool
    acknowledged: int
    in_flight: int
    problems: list[str]


def kill_once(folder: Path, expected: Expected, rng: random.Random) -> Round:
    """Start a storing process, kill it at a random moment, and look at what it left."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.kill_storage",
        "--store",
        str(folder),
        "--seed",
        str(rng.randrange(10**9)),
    ]
    heard: list[list[str]] = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first == '["ready"]\n', f"the storing process did not start: {first!r}"
        # Many kills come early: opening, making the folder and collecting orphans take only some milliseconds.
        timer = threading.Timer(rng.uniform(0, 0.01) if rng.random() < 0.3 else rng.uniform(0, 0.6), process.kill)
        timer.start()
        # Read to the end of the pipe: what was said before the kill counts. A last line may be torn.
        heard.extend(json.loads(line) for line in process.stdout if line.endswith("\n"))
        timer.join()
        if process.wait() != -signal.SIGKILL:
            return Round(False, 0, 0, [f"the storing process ended by itself with {process.returncode}"])
    for words in heard:
        expected.hear(words)
    found = Round(
        opened=["open"] in heard,
        acknowledged=sum(words[0] in ("added", "shared", "revised", "removed") for words in heard),
        in_flight=len(expected.adding) + len(expected.removing),
        problems=[],
    )
    found.problems = check(folder, expected)
    return found


def check(folder: Path, expected: Expected) -> list[str]:
    """Open the storage and return what is wrong with it; takes what it finds for the truth afterwards."""
    from backend.storage.embedded import open_storage
    from backend.storage.protocol import StorageError

    try:
        storage = open_storage(folder)
    except StorageError as error:
        return [f"does not open: {error.reason}: {error}"]
    problems: list[str] = []
    named: set[str] = set()
    try:
        for binned in storage.bin(OWNER):
            # Killed between moving it there and taking it back; who asks next finds it where it was.
            storage.restore_picture(binned.id, binned.name)
        pictures = {picture.name: picture for picture in storage.pictures(OWNER)}
        for name, record_id in expected.there.items():
            if name in pictures and pictures[name].id != record_id:
                problems.append(f"{name} has another record")
            if name not in pictures and name not in expected.removing:
                problems.append(f"{name} was acknowledged and is lost")
        for name, picture in pictures.items():
            if name not in expected.there and name not in expected.adding:
                problems.append(f"{name} is there but was removed or never stored")
            if storage.picture(OWNER, name) != picture:
                problems.append(f"{name} is listed but not found by its name")
            for blob_id, data in ((picture.content_blob, content(name)), (picture.thumbnail_blob, name.encode())):
                named.add(blob_id)
                blob = storage.open_blob(blob_id)
                if blob is None:
                    problems.append(f"{name} is listed without its blob")
                    continue
                with blob:
                    if blob.read() != data:
                        problems.append(f"a blob of {name} is damaged")
            hashes = {revision.header_hash for revision in storage.history(picture.id)} | {picture.header_hash}
            if name in expected.revised and expected.revised[name] not in hashes:
                problems.append(f"a revision of {name} is lost")
            if name in expected.shared and storage.permission(picture.id, READER) is None:
                problems.append(f"the permission on {name} is lost")
        if storage.count_pictures(OWNER) != len(pictures):
            problems.append(f"counts {storage.count_pictures(OWNER)} pictures and lists {len(pictures)}")
        if orphans := set(storage.blob_ids()) - named:
            problems.append(f"{len(orphans)} blobs without a record were not collected")
        if left := list((folder / "incoming").iterdir()):
            problems.append(f"{len(left)} files of unfinished blobs were left")
        expected.there = {name: picture.id for name, picture in pictures.items()}
        expected.shared &= set(pictures)
        expected.revised = {name: seen for name, seen in expected.revised.items() if name in pictures}
        expected.adding.clear()
        expected.removing.clear()
    except StorageError as error:
        problems.append(f"cannot be read: {error.reason}: {error}")
    finally:
        storage.close()
    return problems


def run(rounds: int, seed: int, *, quiet: bool = False) -> list[str]:
    """Kill ``rounds`` times and return every problem found."""
    rng = random.Random(seed)
    problems: list[str] = []
    results: list[Round] = []
    with tempfile.TemporaryDirectory(prefix="glassine-kill-") as directory:
        folder, expected = Path(directory) / "0", Expected()
        for number in range(rounds):
            if number % ROUNDS_PER_FOLDER == 0:
                shutil.rmtree(folder, ignore_errors=True)
                folder, expected = Path(directory) / str(number), Expected()
            result = kill_once(folder, expected, rng)
            results.append(result)
            problems += [f"round {number}: {problem}" for problem in result.problems]
            if not quiet and sys.stderr.isatty():
                print(f"\r{number + 1}/{rounds}", end="", file=sys.stderr, flush=True)
    if not quiet:
        opening = sum(not result.opened for result in results)
        busy = sum(result.in_flight > 0 for result in results)
        print(f"kills                     {rounds} (while opening: {opening}, with a change under way: {busy})")
        print(f"acknowledged changes      {sum(result.acknowledged for result in results)}")
        print(f"lost, damaged, left over  {len(problems)}")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kill_storage", description="kill -9 while storing")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None, help="repeat the kill moments of a run")
    parser.add_argument("--store", type=Path, help=argparse.SUPPRESS)  # the process that is killed
    arguments = parser.parse_args()
    seed = random.randrange(10**9) if arguments.seed is None else arguments.seed
    if arguments.store:
        store(arguments.store, seed)
        return 0
    problems = run(arguments.rounds, seed)
    for problem in problems:
        print(problem)
    if problems:
        print(f"repeat with --seed {seed}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
