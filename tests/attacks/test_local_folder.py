"""Somebody who can write Glassine's folders, or kill it: nothing foreign is believed, nothing decrypted stays."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from desktop import errors
from desktop.client import queue_file
from desktop.crypto import safe_write
from desktop.crypto.keys import PrivateKey
from tests import sample_pictures
from tests.attacks.conftest import PASSPHRASE, PASSWORD, Victim
from tests.crypto import forge

LONG_AGO = (1_000_000_000, 1_000_000_000)

EXPORT_AND_DIE = """
import os, sys, pathlib
from desktop import embedded
from desktop.client.session import Sessions
from desktop.config import Config
address, name, password, passphrase, picture, data, folder = sys.argv[1:]
session = Sessions(Config(pathlib.Path(data)), embedded.start).sign_in(address, name, password)
session.unlock(passphrase)
vault = session.vault()
vault.list_pictures()
vault.export(picture, pathlib.Path(folder), lambda done, total: done and os.kill(os.getpid(), 9))
"""


def kill_while_exporting(victim: Victim, picture_id: str, folder: Path) -> Path:
    """Let another process die in the middle of an export; return what it left."""
    victim.session.close()
    arguments = (victim.address, victim.name, PASSWORD, PASSPHRASE, picture_id, str(victim.data), str(folder))
    died = subprocess.run([sys.executable, "-c", EXPORT_AND_DIE, *arguments], check=False, timeout=60)
    assert died.returncode == -9
    (left,) = folder.iterdir()
    assert left.stat().st_size > 0
    assert left.stat().st_mode & 0o777 == 0o600
    return left


def test_what_a_killed_export_left_is_removed(victim: Victim) -> None:
    picture_id = victim.add(sample_pictures.png(600, 500))
    folder = victim.outside / "export"
    folder.mkdir()
    left = kill_while_exporting(victim, picture_id, folder)
    victim.sign_in().vault().list_pictures()
    victim.vault.export(picture_id, folder)
    assert left.exists(), "fresh: its writer may live, on another computer perhaps"
    os.utime(left, LONG_AGO)
    safe_write._swept.clear()
    victim.vault.export(picture_id, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["picture (2).png", "picture.png"]


def test_signing_in_tidies_the_folder_of_the_last_export(victim: Victim) -> None:
    folder = victim.outside / "export"
    folder.mkdir()
    left = folder / f".glassine-{'0' * 16}.part"
    left.write_bytes(b"decrypted")
    os.utime(left, LONG_AGO)
    config = victim.sessions._config
    config.preferences.export_folder = str(folder)
    victim.sign_in()
    for thread in threading.enumerate():
        if thread.name == "tidying":
            thread.join(10)
    assert not left.exists()


def test_only_what_nobody_uses_is_removed(tmp_path: Path) -> None:
    held, fresh, linked, foreign, folder = (
        tmp_path / name
        for name in (
            *(f".glassine-{digit * 16}.part" for digit in "abc"),
            ".glassine-x.part",
            f".glassine-{'d' * 16}.part",
        )
    )
    precious = tmp_path / "precious"
    for path in (held, fresh, foreign, precious):
        path.write_bytes(b"x")
        os.utime(path, LONG_AGO)
    os.utime(fresh)
    linked.symlink_to(precious)
    folder.mkdir()
    with held.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert safe_write.remove_stale(tmp_path) == 0
    assert safe_write.remove_stale(tmp_path) == 1
    assert not held.exists()
    assert {fresh, linked, foreign, folder, precious} <= set(tmp_path.iterdir())


def test_a_file_being_written_is_held(tmp_path: Path) -> None:
    with safe_write.new_file(tmp_path / "a") as file:
        file.write(b"x")
        file.flush()
        (part,) = tmp_path.iterdir()
        os.utime(part, LONG_AGO)
        assert safe_write.remove_stale(tmp_path) == 0
    assert (tmp_path / "a").read_bytes() == b"x"


# -- what waits for its upload ----------------------------------------------------------------------------------------


def staged(victim: Victim) -> Path:
    source = victim.outside / "waiting.png"
    source.write_bytes(sample_pictures.png(50, 40, seed=9))
    return victim.vault.seal(source).folder


def test_someone_elses_picture_put_into_staging_is_not_uploaded(victim: Victim, other_key: PrivateKey) -> None:
    folder = staged(victim)
    theirs = forge.picture(other_key, picture_id=folder.name)
    (folder / "carrier.png").write_bytes(theirs.carrier)
    (folder / "thumbnail").write_bytes(theirs.thumbnail)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= {
        "envelope": theirs.envelope,
        "carrier_size": len(theirs.carrier),
        "thumbnail_size": len(theirs.thumbnail),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    victim.sign_in()
    assert victim.vault.staged() == []
    assert folder.is_dir(), "left alone, not lost"


def test_a_carrier_exchanged_behind_its_manifest(victim: Victim) -> None:
    folder = staged(victim)
    carrier = folder / "carrier.png"
    secret = victim.outside / "secret"
    secret.write_bytes(os.urandom(carrier.stat().st_size))
    carrier.unlink()
    carrier.symlink_to(secret)
    (waiting,) = victim.sign_in().vault().staged()
    with pytest.raises(errors.Damaged):
        victim.vault.upload(waiting)
    assert victim.session.api.page(victim.session.user_id)[0] == []
    assert secret.exists()


def test_links_in_the_place_of_folders_are_not_followed(victim: Victim) -> None:
    folder = staged(victim)
    outside = victim.outside / "moved"
    shutil.move(folder, outside)
    folder.symlink_to(outside)
    (folder.parent / ("0" * 32)).symlink_to(victim.outside)
    victim.sign_in()
    assert victim.vault.staged() == []
    assert (outside / "carrier.png").exists()
    assert (victim.outside / "waiting.png").exists()


@pytest.mark.parametrize(
    "manifest", [b"[" * 60_000, b"{}", b"null", b'{"format":1e999}', b"\xff", b'{"envelope":7}', b'"' + b"x" * 70_000]
)
def test_manifests_that_make_no_sense(victim: Victim, manifest: bytes) -> None:
    folder = staged(victim)
    (folder / "manifest.json").write_bytes(manifest)
    victim.sign_in()
    assert victim.vault.staged() == []


def everything(victim: Victim) -> None:
    victim.sign_in()
    victim.session.key_store.list()
    victim.vault.list_pictures()
    victim.vault.staged()
    victim.vault.load_queue()
    victim.vault.thumbnails([picture.id for picture in victim.vault.list_pictures()])


@pytest.mark.parametrize(
    "what", ["manifest.json", "thumbnail", "queue", "account.json", "names.json", "another key", "cache"]
)
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(victim: Victim, what: str) -> None:
    victim.add(sample_pictures.png(40, 30))
    place, staging, keys = victim.session.place.folder, staged(victim), victim.data / "keys"
    path = {
        "manifest.json": staging / "manifest.json",
        "thumbnail": staging / "thumbnail",
        "another key": keys / f"{'0' * 64}.glassine-key",
        "names.json": keys / "names.json",
        "cache": next(place.rglob("thumbnails/??/*")),
    }.get(what, place / what)
    if what == "thumbnail":
        manifest = json.loads((staging / "manifest.json").read_text())
        (staging / "manifest.json").write_text(json.dumps(manifest | {"thumbnail_size": 0}))
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    worker = threading.Thread(target=everything, args=(victim,), daemon=True)
    worker.start()
    worker.join(10)
    waits = worker.is_alive()
    if waits:  # let it go on
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
    assert not waits


def test_a_queue_exchanged_for_a_link(victim: Victim) -> None:
    queue = victim.session.place.folder / "queue"
    precious = victim.outside / "precious"
    precious.write_bytes(b"precious")
    queue.symlink_to(precious)
    assert victim.vault.load_queue() == []
    queue_file.save(queue, victim.key, [precious])
    assert precious.read_bytes() == b"precious"
    assert not queue.is_symlink()
    assert victim.vault.load_queue() == [precious]
