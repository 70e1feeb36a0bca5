"""kill -9 of the program while an account goes over to another key: ``python -m benchmarks.kill_key_change``.

A vault on this computer with many pictures (``--pictures 2000``, one in twenty in the bin) changes its key pair in a
process of its own, which is killed ``--kills 10`` times on the way, at moments spread over the work. Then it is left to
finish, and everything is examined: each picture and each one in the bin opens with the new key to identical bytes, none
opens with the old one, nothing is missing or there twice, and no note of the change is left.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from desktop import embedded, errors
from desktop.client import key_change_state
from desktop.client.key_store import KeyStore
from desktop.client.session import Session, Sessions
from desktop.config import KEYS, Config
from desktop.crypto import sealed
from desktop.crypto.sealed import read_envelope

OLD, NEW = "the passphrase of the old key", "the passphrase of the new key"
ROOT = Path(__file__).resolve().parent.parent
BINNED = 20
"""One in so many is in the bin."""
THUMBNAIL = b"a small picture"


def open_session(folder: Path) -> Session:
    """Open the vault with whichever passphrase its account has now, as a person would."""
    sessions = Sessions(Config(folder / "data"), embedded.start)
    for _ in range(100):  # the operating system needs a moment to let go of a killed process's locks
        for passphrase in (NEW, OLD):
            with contextlib.suppress(errors.VaultInUse, errors.KeyChanged, errors.WrongKey):
                return sessions.open_vault(folder / "vault", passphrase)
        time.sleep(0.05)
    raise AssertionError("the vault does not open after the program was killed")


def prepare(folder: Path, pictures: int, bits: int) -> None:
    """Make the vault, its pictures and the key that is to follow."""
    sessions = Sessions(Config(folder / "data"), embedded.start)
    session = sessions.create_vault(folder / "vault", OLD)
    store = KeyStore(folder / "vault" / KEYS)
    new = store.create("the next key", NEW, bits)
    context = session.vault().context()
    originals: dict[str, str] = {}
    for number in range(pictures):
        content = secrets.token_bytes(500 + secrets.randbelow(20_000))
        carrier = folder / "carrier.png"
        made = sealed.seal(
            content,
            carrier,
            context.key,
            name=f"{number}.bin",
            media_type="image/png",
            width=1,
            height=1,
            taken="",
            thumbnail=THUMBNAIL,
        )
        context.api.upload_sealed(
            context.user_id, made.picture_id, carrier=carrier, envelope=made.envelope, thumbnail=made.thumbnail
        )
        context.memory.stored(read_envelope(made.envelope, owner=context.key.public, picture_id=made.picture_id))
        carrier.unlink()
        if number % BINNED == BINNED - 1:
            context.api.delete(context.user_id, f"p-{made.picture_id}")
        originals[made.picture_id] = hashlib.sha256(content).hexdigest()
    (folder / "originals.json").write_text(json.dumps({"new": new.fingerprint, "pictures": originals}))
    session.close()


def work(folder: Path) -> None:
    """Begin the change or go on with it. Runs in the process that is killed."""
    session = open_session(folder)
    new = json.loads((folder / "originals.json").read_text())["new"]
    key = session.key_store.open(new, NEW)
    print("ready", flush=True)
    done = -1

    def report(now: int, total: int) -> None:
        nonlocal done
        if now != done:
            done = now
            print(now, total, flush=True)

    if session.key_change is not None or session.public_key != key.public:
        session.change_key(key, report=report)
    session.close()
    print("finished", flush=True)


def round_of(folder: Path, stop_after: int | None) -> tuple[int, bool]:
    """Run the process; kill it after so many pictures, or never; return how many it did and whether it finished."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "benchmarks.kill_key_change", "--work", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
    assert process.stdout is not None
    done, finished = 0, False
    for line in process.stdout:
        words = line.split()
        if words == ["finished"]:
            finished = True
        elif len(words) == 2:
            done = int(words[0])
        if stop_after is not None and words != ["ready"] and done >= stop_after:
            time.sleep(secrets.randbelow(40) / 1000)  # anywhere within the next picture or two
            process.send_signal(signal.SIGKILL)
            break
    process.stdout.close()
    code = process.wait(60)
    if stop_after is None and code != 0:
        raise AssertionError(f"the program ended with {code}")
    return done, finished


def examine(folder: Path) -> None:
    """Compare what is there with what was stored."""
    document = json.loads((folder / "originals.json").read_text())
    originals: dict[str, str] = document["pictures"]
    session = open_session(folder)
    try:
        new = session.key
        if new is None or new.fingerprint != document["new"]:
            raise AssertionError("the vault does not open with the new key")
        if key_change_state.load(session.place.folder) is not None:
            raise AssertionError("the change is not finished")
        former = key_change_state.former_keys(session.place.folder, new)
        if len(former) != 1:
            raise AssertionError("the old key is not at hand")
        vault = session.vault()
        listed = {picture.id for picture in vault.list_pictures()}
        binned = {picture.id for picture in vault.list_bin()}
        if listed & binned or listed | binned != set(originals) or len(binned) != len(originals) // BINNED:
            raise AssertionError("pictures are missing, there twice, or not where they were")
        if not vault.trust().quiet:
            raise AssertionError(f"the program warns: {vault.trust()}")
        for picture_id in sorted(binned):
            vault.restore(picture_id)
        for picture_id, digest in originals.items():
            data = bytes(vault.open(picture_id).data)
            if hashlib.sha256(data).hexdigest() != digest:
                raise AssertionError("a picture opens to other bytes")
            row = session.api.present(session.user_id, f"p-{picture_id}").row
            envelope = read_envelope(row.envelope, owner=new.public, picture_id=picture_id)
            with contextlib.suppress(errors.GlassineError):
                envelope.open(former[0])
                raise AssertionError("the old key still opens a picture")
        left = [path for path in (session.place.folder / "attempts").glob("*/*") if path.is_file()]
        if left:
            raise AssertionError("half-written pictures are left behind")
    finally:
        session.close()


@contextlib.contextmanager
def prepared(pictures: int, bits: int = 3072) -> Iterator[Path]:
    """A folder with a vault of so many pictures and a key that is to follow."""
    folder = Path(tempfile.mkdtemp(prefix="glassine-kill-"))
    try:
        prepare(folder, pictures, bits)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(pictures: int, kills: int, bits: int = 3072, *, say: bool = False) -> int:
    """Kill so often on the way, let it finish, examine; return how many kills met it at work."""
    with prepared(pictures, bits) as folder:
        if say:
            print(f"{pictures} pictures are stored", flush=True)
        share = max(1, pictures // (kills + 1))
        met = 0
        for number in range(kills):
            # the first one comes before the first picture is done
            done, finished = round_of(folder, 0 if number == 0 else share)
            met += not finished
            if say:
                print(f"kill {number + 1} after {done} pictures of this run", flush=True)
        round_of(folder, None)
        examine(folder)
        return met


def main(argv: list[str]) -> int:
    """Run as a program."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kill_key_change", description=__doc__)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.work:
        work(arguments.work)
        return 0
    started = time.monotonic()
    try:
        met = run(arguments.pictures, arguments.kills, say=True)
    except AssertionError as error:
        print(f"BROKEN: {error}", file=sys.stderr)
        return 1
    print(
        f"{arguments.pictures} pictures, killed {met} times on the way, {time.monotonic() - started:.0f} s: "
        "every picture opens with the new key to the same bytes, none with the old one"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
