"""Backup and restore: both engines, there and back; damaged, hostile and interrupted."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend import backup_format, backup_marker, backup_restore, create_app
from backend.admin_console import CommandParser
from backend.admin_console import run as run_parser
from backend.backup_read import Verifier, read_backup
from backend.backup_write import DOCUMENT_KINDS, Backup
from backend.services import documents as document_service
from backend.storage.embedded import open_storage
from backend.storage.protocol import Permission, Storage, StorageError
from tests.backend.conftest import FAST
from tests.backend.two_storages import (
    ENGINES,
    NOW,
    Command,
    Place,
    add_picture,
    add_user,
    database,
    described,
    fill,
    folder,
    runner,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Command:
    return runner(capsys)


@pytest.fixture
def place_of(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Place]]:
    """Gives a new, empty storage of an engine."""
    taken: list[str] = []
    numbers = count()

    def make(engine: str) -> Place:
        if engine == "embedded":
            return folder(tmp_path / f"storage {next(numbers)}")
        taken.append(request.getfixturevalue("mongo_databases").take())
        return database(taken[-1])

    yield make
    for uri in taken:
        request.getfixturevalue("mongo_databases").give_back(uri)


@pytest.fixture
def backup(tmp_path: Path, run: Command) -> Path:
    """A backup with something of everything."""
    source = folder(tmp_path / "source")
    with source.open() as storage:
        fill(storage)
    assert run("backup", tmp_path / "backup.tar", *source.options).code == 0
    return tmp_path / "backup.tar"


def manifest_of(path: Path) -> dict[str, Any]:
    with tarfile.open(path) as tar:
        member = tar.extractfile("manifest.json")
        assert member is not None
        manifest = json.loads(member.read())
    del manifest["created"], manifest["manifest_sha256"]
    return manifest


# -- there and back ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ENGINES)
@pytest.mark.parametrize("source", ENGINES)
def test_everything_comes_back(
    source: str, to: str, tmp_path: Path, run: Command, place_of: Callable[[str], Place]
) -> None:
    old, new = place_of(source), place_of(to)
    with old.open() as storage:
        fill(storage)
        before = described(storage)
    first, second = tmp_path / "first.tar", tmp_path / "second.tar"
    assert run("backup", first, *old.options).code == 0
    restored = run("restore", first, *new.options, "--json")
    assert restored.code == 0
    assert {"users": 4, "pictures": 6, "documents": 3, "files": 1}.items() <= json.loads(restored.out).items()
    with new.open() as storage:
        assert described(storage) == before
        assert not backup_marker.is_unfinished(storage)
        # nobody who was signed in is: tokens carry the generation they were made in
        assert all(user.generation > 1_700_000_000 for user in storage.users())
    assert run("backup", second, *new.options).code == 0
    assert manifest_of(first) == manifest_of(second)


def test_a_backup_is_a_tar_that_other_tools_read(backup: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run(["tar", "-xf", backup, "-C", out], check=True, capture_output=True)
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=out, check=True)
    members = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    listed = {line.split("  ", 1)[1] for line in (out / "SHA256SUMS").read_text().splitlines()}
    assert members == listed | {"manifest.json", "SHA256SUMS"}
    assert backup.stat().st_mode & 0o777 == 0o600


def test_no_secret_of_the_server_is_in_it(tmp_path: Path, run: Command) -> None:
    source = folder(tmp_path / "source")
    with source.open() as storage:
        fill(storage)
        secret = storage.secret("jwt")
    assert run("backup", tmp_path / "b.tar", *source.options).code == 0
    assert secret not in (tmp_path / "b.tar").read_bytes()
    assert secret.hex().encode() not in (tmp_path / "b.tar").read_bytes()


def test_every_kind_of_document_is_backed_up() -> None:
    known = {"LEDGER", "KEYFILE", "GONE", "SUCCESSION"}
    kinds = {name for name, value in vars(document_service).items() if name.isupper() and isinstance(value, str)}
    assert kinds == known, "a new kind of document must be in DOCUMENT_KINDS, or it is lost with a restore"
    assert set(DOCUMENT_KINDS) == {getattr(document_service, name) for name in known}


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=st.dictionaries(names, st.lists(st.binary(max_size=3000), max_size=3), max_size=3),
    binned=st.sets(st.integers(0, 8)),
    shared=st.sets(st.integers(0, 8)),
)
def test_restoring_and_backing_up_again_gives_the_same(
    people: dict[str, list[bytes]], binned: set[int], shared: set[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    work = tmp_path_factory.mktemp("round trip")
    with closing(open_storage(work / "a")) as storage:
        users = [add_user(storage, name) for name in people]
        number = 0
        for user in users:
            for data in people[user.name]:
                picture = add_picture(storage, user, f"p-{number}.png", data, b"t")
                if number in shared and user != users[0]:
                    storage.add_permission(Permission(picture.id, users[0].id, "read"))
                if number in binned:
                    storage.move_to_bin(user.id, picture.name, NOW)
                number += 1
            storage.recount_bytes(user.id)
        before = described(storage)
        first = write_to(storage, work / "a.tar")
    with closing(open_storage(work / "b")) as storage:
        verified = read_backup(work / "a.tar", Verifier(), lambda *_: None)
        backup_restore.restore(storage, work / "a.tar", verified, lambda *_: None)
        assert described(storage) == before
        assert write_to(storage, work / "b.tar") == first
    assert (work / "a.tar").read_bytes() == (work / "b.tar").read_bytes()


def write_to(storage: Storage, path: Path) -> dict[str, Any]:
    with path.open("w+b") as file, BytesIO() as sums:
        return Backup(storage, backup_format.ArchiveWriter(file, sums), lambda *_: None).write(NOW)


# -- what is not backed up --------------------------------------------------------------------------------------------


def test_an_account_that_is_being_deleted_is_left_out(tmp_path: Path, run: Command) -> None:
    source, to = folder(tmp_path / "source"), folder(tmp_path / "to")
    with source.open() as storage:
        ada, bob = add_user(storage, "ada"), add_user(storage, "bob")
        picture = add_picture(storage, ada, "p-1.png", b"one", b"t")
        storage.add_permission(Permission(picture.id, bob.id, "read"))
        add_picture(storage, bob, "p-2.png", b"two", b"t")
        storage.change_user(bob.id, {}, {"closing": True})
    assert run("backup", tmp_path / "b.tar", *source.options).code == 0
    assert run("restore", tmp_path / "b.tar", *to.options).code == 0
    with to.open() as storage:
        assert [user.name for user in storage.users()] == ["ada"]
        assert storage.permissions(picture.id) == []
        assert len(list(storage.blob_ids())) == 2


def test_a_picture_whose_bytes_are_damaged_is_left_out_and_named(tmp_path: Path, run: Command) -> None:
    source, to = folder(tmp_path / "source"), folder(tmp_path / "to")
    with source.open() as storage:
        ada = add_user(storage, "ada")
        add_picture(storage, ada, "p-1.png", b"one" * 100, b"t")
        flipped = add_picture(storage, ada, "p-2.png", b"two" * 100, b"t")
        missing = add_picture(storage, ada, "p-3.png", b"tri" * 100, b"t")
        shorter = add_picture(storage, ada, "p-4.png", b"fou" * 100, b"t")
        add_picture(storage, ada, "p-5.png", b"fiv" * 100, b"t")
    blobs = tmp_path / "source" / "blobs"
    for picture, change in (
        (flipped, lambda path: path.write_bytes(b"X" * 300)),
        (missing, lambda path: path.unlink()),
        (shorter, lambda path: path.write_bytes(b"short")),
    ):
        change(blobs / picture.content_blob[:2] / picture.content_blob)
    result = run("backup", tmp_path / "b.tar", *source.options, "--json")
    assert result.code == 4
    assert len(result.err.splitlines()) == 3
    assert all(name in result.err for name in ("p-2.png", "p-3.png", "p-4.png"))
    report = json.loads(result.out)
    assert report["damaged"] == 3 and datetime.fromisoformat(report["created"]).tzinfo == UTC
    assert run("restore", tmp_path / "b.tar", *to.options).code == 0
    with to.open() as storage:
        assert [picture.name for picture in storage.pictures(ada.id)] == ["p-1.png", "p-5.png"]


class Busy:
    """A storage in which something else happens between two calls."""

    def __init__(self, storage: Storage, before: dict[str, Callable[[], object]]) -> None:
        self._storage = storage
        self._before = before

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._storage, name)
        happens = self._before.pop(name, None)
        if happens is None:
            return method

        def call(*arguments: Any, **more: Any) -> Any:
            happens()
            return method(*arguments, **more)

        return call


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_deleted_revised_or_made_meanwhile(
    engine: str, tmp_path: Path, place_of: Callable[[str], Place]
) -> None:
    from tests.backend.two_storages import revise

    with place_of(engine).open() as storage, place_of(engine).open() as to:
        ada = add_user(storage, "ada")
        revised = add_picture(storage, ada, "p-1.png", b"one", b"t")
        gone = add_picture(storage, ada, "p-2.png", b"two", b"t")

        def happens() -> None:
            revise(storage, revised, b"another")
            storage.remove_picture(gone.id)
            for blob in gone.blobs:
                storage.remove_blob(blob)
            add_picture(storage, add_user(storage, "newcomer"), "p-9.png", b"nine", b"t")

        # after the first picture's record was read and before its bytes are
        manifest = write_to(Busy(storage, {"open_blob": happens}), tmp_path / "b.tar")
        assert manifest["counts"] == {"users": 1, "pictures": 1, "documents": 0, "files": 0}
        assert manifest["left_out"] == {"vanished": 1, "damaged": 0} or manifest["left_out"]["vanished"] == 0
        verified = read_backup(tmp_path / "b.tar", Verifier(), lambda *_: None)
        backup_restore.restore(to, tmp_path / "b.tar", verified, lambda *_: None)
        assert [len(to.history(picture.id)) for picture in to.pictures(ada.id)] == [1]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_goes_while_its_bytes_are_read_stops_nothing(
    engine: str, tmp_path: Path, place_of: Callable[[str], Place]
) -> None:
    with place_of(engine).open() as storage:
        ada = add_user(storage, "ada")
        large = bytes(3 << 20)
        gone = add_picture(storage, ada, "p-1.png", large, b"t")
        add_picture(storage, ada, "p-2.png", large, b"t")

        def opened(blob_id: str) -> Any:
            blob = open_blob(blob_id)
            if blob_id == gone.thumbnail_blob:  # its content is open already
                storage.remove_picture(gone.id)
                for each in gone.blobs:
                    storage.remove_blob(each)
            return blob

        open_blob = storage.open_blob
        with pytest.MonkeyPatch.context() as busy:
            busy.setattr(storage, "open_blob", opened)
            manifest = write_to(storage, tmp_path / "b.tar")
        assert manifest["counts"]["pictures"] == 1
        assert manifest["left_out"] == {"vanished": 1, "damaged": 0}


# -- refusals ---------------------------------------------------------------------------------------------------------


def test_nothing_is_overwritten(backup: Path, tmp_path: Path, run: Command) -> None:
    before = backup.read_bytes()
    result = run("backup", backup, "--data", tmp_path / "source")
    assert result.code == 1
    assert "already there" in result.err
    assert backup.read_bytes() == before
    assert not list(tmp_path.glob(".glassine-*"))
    nowhere = run("backup", tmp_path / "none" / "b.tar", "--data", tmp_path / "source")
    assert nowhere.code == 1
    assert "There is no folder" in nowhere.err


@pytest.mark.parametrize("engine", ENGINES)
def test_only_an_empty_storage_takes_a_backup(
    engine: str, backup: Path, run: Command, place_of: Callable[[str], Place]
) -> None:
    place = place_of(engine)
    with place.open() as storage:
        add_user(storage, "somebody", kind="client")
        before = described(storage)
    result = run("restore", backup, *place.options)
    assert result.code == 1
    assert "empty" in result.err
    with place.open() as storage:
        assert described(storage) == before


def test_a_folder_in_use_and_a_folder_that_is_not_there(tmp_path: Path, run: Command) -> None:
    with closing(open_storage(tmp_path / "used")):
        result = run("backup", tmp_path / "b.tar", "--data", tmp_path / "used")
        assert result.code == 1
        assert "Stop the server" in result.err
    result = run("backup", tmp_path / "b.tar", "--data", tmp_path / "mistyped")
    assert result.code == 1
    assert not (tmp_path / "mistyped").exists()
    assert not (tmp_path / "b.tar").exists()


def test_what_root_restores_is_the_folders_owners(backup: Path, tmp_path: Path, run: Command) -> None:
    target = tmp_path / "service"
    target.mkdir()
    outside = tmp_path / "outside"
    outside.write_text("root's")
    if os.geteuid() == 0:  # anybody else makes what is their own
        os.chown(target, 12345, 12346)
    (target / "planted").symlink_to(outside)
    os.link(outside, target / "linked")
    owner, before = target.stat(), outside.stat()
    assert run("restore", backup, "--data", target).code == 0
    made = [path for path in target.rglob("*") if path.name not in ("planted", "linked")]
    assert len(made) > 10
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(owner.st_uid, owner.st_gid)}
    assert (outside.stat().st_uid, outside.stat().st_gid) == (before.st_uid, before.st_gid)


def test_who_may_not_use_the_folder_is_told(tmp_path: Path, run: Command) -> None:
    with folder(tmp_path / "storage").open() as storage:
        fill(storage)
    (tmp_path / "storage").chmod(0)
    if os.geteuid() == 0:
        os.seteuid(65534)
    try:
        refused = run("backup", tmp_path / "one.tar", "--data", tmp_path / "storage")
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
        (tmp_path / "storage").chmod(0o700)
    assert refused.code == 1
    assert "may not be used by whoever runs this command. Run it as root, or as the user that" in refused.err


def test_a_full_disk_is_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    def write(_: argparse.Namespace) -> None:
        Path("/dev/full").write_bytes(b"x")

    parser = CommandParser()
    parser.set_defaults(work=write)
    assert run_parser(parser, []) == 1
    assert capsys.readouterr().err == "glassine: There is no space left. Free some and try again.\n"


def test_usage(tmp_path: Path, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GLASSINE_DATA", "GLASSINE_MONGODB", "GLASSINE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    assert run("backup", tmp_path / "b.tar").code == 2
    assert run("restore").code == 2
    assert run("backup", tmp_path / "b.tar", "--data", tmp_path, "--mongodb", "mongodb://h/d").code == 2
    monkeypatch.setenv("GLASSINE_DATA", str(tmp_path / "none"))
    assert run("backup", tmp_path / "b.tar").code == 1


# -- damaged and hostile ----------------------------------------------------------------------------------------------


def refused(backup: Path, tmp_path: Path, run: Command) -> str:
    """Restore and check that nothing stays; returns what was said."""
    to = tmp_path / "to"
    result = run("restore", backup, "--data", to)
    assert result.code == 4
    assert len(result.err.splitlines()) == 1
    assert not to.exists()
    assert run("restore", backup, "--verify").code == 4
    return result.err


def test_no_truncated_backup_is_restored(backup: Path, tmp_path: Path, run: Command) -> None:
    whole = backup.read_bytes()
    for size in {0, 1, 511, 512, 4607, 4608, 5000, len(whole) // 2, len(whole) - 1024, len(whole) - 1}:
        backup.write_bytes(whole[:size])
        refused(backup, tmp_path, run)
    backup.write_bytes(whole + b"\0")
    refused(backup, tmp_path, run)


def test_every_changed_byte_is_noticed(backup: Path) -> None:
    whole = backup.read_bytes()
    changed = bytearray(whole)
    for at in range(0, len(whole), 61):  # every byte would take minutes; 61 meets every part of the form
        changed[at] ^= 0x41
        backup.write_bytes(changed)
        with pytest.raises(backup_format.BackupDamaged):
            read_backup(backup, Verifier(), lambda *_: None)
        changed[at] ^= 0x41
    backup.write_bytes(changed)
    read_backup(backup, Verifier(), lambda *_: None)


class Forger:
    """Writes a backup that is right in form, with hashes that fit, and says what its maker wants."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("w+b")
        self._sums = BytesIO()
        self.archive = backup_format.ArchiveWriter(self._file, self._sums)

    def add(self, name: str, content: object) -> None:
        data = content if isinstance(content, bytes) else backup_format.canonical(content)  # type: ignore[arg-type]
        self.archive.begin()
        self.archive.write(name, data)
        self.archive.keep()

    def finish(self, **counts: int) -> None:
        every = {"users": 0, "pictures": 0, "documents": 0, "files": 0, **counts}
        left_out = {"vanished": 0, "damaged": 0}
        self.archive.finish({"created": "2024-01-01T00:00:00.000", "counts": every, "left_out": left_out})
        self._file.close()


def a_user(**changes: object) -> dict[str, object]:
    return {
        "id": "a" * 24, "kind": "", "name": "ada", "password_hash": "", "public_key": "",
        "created": "2024-01-01T00:00:00.000", "email": "", "first_name": "", "last_name": "", "updated": None,
        "quota_bytes": -1,
    } | changes  # fmt: skip


def a_picture(data: bytes, **changes: object) -> dict[str, object]:
    return {
        "id": "b" * 24, "owner_id": "a" * 24, "name": "p.png", "scheme": "sealed", "size": len(data),
        "created": "2024-01-01T00:00:00.000", "content_sha256": hashlib.sha256(data).hexdigest(), "envelope": "{}",
        "header_hash": "c" * 64, "stored_bytes": len(data), "updated": None, "deleted": None,
        "blobs": {"content": len(data)}, "history": [], "permissions": [],
    } | changes  # fmt: skip


def test_what_the_forger_writes_is_taken_when_nothing_is_wrong(tmp_path: Path, run: Command) -> None:
    forger = Forger(tmp_path / "b.tar")
    forger.add("users/0000000001.json", a_user())
    forger.add("pictures/0000000002.json", a_picture(b"x"))
    forger.add("pictures/0000000002.content", b"x")
    forger.finish(users=1, pictures=1)
    assert run("restore", tmp_path / "b.tar", "--data", tmp_path / "to").code == 0


REVISION = {"header_hash": "d" * 64, "envelope": "{}", "replaced": "2024-01-01T00:00:00.000"}
PERMISSION = {"user_id": "a" * 24, "role": "read", "grant": ""}


@pytest.mark.parametrize(
    "members",
    [
        [("../../etc/passwd", b"root")],
        [("/etc/passwd", b"root")],
        [("users/0000000002.json", a_user())],
        [("users/0000000001.json", a_user()), ("users/0000000001.json", a_user())],
        [("users/0000000001.json", a_user()), ("users/0000000002.json", a_user(name="bob"))],
        [("users/0000000001.json", b'{"id": "a"}')],
        [("users/0000000001.json", b"[" * 200_000)],
        [("users/0000000001.json", a_user(id="../" * 8))],
        [("users/0000000001.json", a_user(kind="admin"))],
        [("users/0000000001.json", a_user(generation=0))],
        [("users/0000000001.json", a_user(created="2024-01-01T00:00:00.000Z"))],
        [("users/0000000001.json", a_user(quota_bytes=True))],
        [("users/0000000001.json", a_user(name="a\0b"))],
        *(
            [("users/0000000001.json", a_user()), ("pictures/0000000002.json", a_picture(b"x", **changes)),
             ("pictures/0000000002.content", b"x")]
            for changes in (
                {"owner_id": "f" * 24},
                {"content_sha256": "0" * 64},
                {"size": 1 << 61, "blobs": {"content": 1 << 61}},
                {"size": 2, "blobs": {"content": 2}},
                {"blobs": {}},
                {"blobs": {"content": 1, "other": 1}},
                {"blobs": {"content": 1, "thumbnail": 1}},
                {"history": [REVISION, REVISION]},
                {"permissions": [PERMISSION, PERMISSION]},
                {"permissions": [PERMISSION | {"role": "owner"}]},
                {"permissions": [PERMISSION | {"user_id": "f" * 24}]},
                {"name": ""},
            )
        ),
        [("users/0000000001.json", a_user()),
         ("documents/0000000002.json", {"owner_id": "a" * 24, "kind": "ledger", "key": "", "version": 1 << 40,
                                        "updated": "2024-01-01T00:00:00.000", "size": 0}),
         ("documents/0000000002.value", b"")],
    ],
)  # fmt: skip
def test_a_hostile_backup_is_refused(members: list[tuple[str, object]], tmp_path: Path, run: Command) -> None:
    forger = Forger(tmp_path / "b.tar")
    for name, content in members:
        forger.add(name, content)
    kinds = [name.partition("/")[0] for name, _ in members if name.endswith(".json")]
    forger.finish(**{kind: kinds.count(kind) for kind in ("users", "pictures", "documents")})
    refused(tmp_path / "b.tar", tmp_path, run)


def test_wrong_counts_are_refused(tmp_path: Path, run: Command) -> None:
    forger = Forger(tmp_path / "b.tar")
    forger.add("users/0000000001.json", a_user())
    forger.finish(users=2)
    assert "another number of records" in refused(tmp_path / "b.tar", tmp_path, run)


def test_a_record_of_a_huge_size_takes_no_memory(tmp_path: Path, run: Command) -> None:
    forger = Forger(tmp_path / "b.tar")
    forger.add("users/0000000001.json", a_user())
    forger.finish(users=1)
    whole = bytearray((tmp_path / "b.tar").read_bytes())
    whole[4608:5120] = backup_format.member_header("users/0000000001.json", 1 << 62)
    (tmp_path / "b.tar").write_bytes(whole)
    assert "too large" in refused(tmp_path / "b.tar", tmp_path, run)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (a_user(), a_user(id="b" * 24)),
        (a_user(email="a@x.example"), a_user(id="b" * 24, name="bob", email="a@x.example")),
    ],
)
def test_records_that_exclude_each_other_leave_nothing(
    engine: str, first: object, second: object, tmp_path: Path, run: Command, place_of: Callable[[str], Place]
) -> None:
    forger = Forger(tmp_path / "b.tar")
    forger.add("users/0000000001.json", first)
    forger.add("users/0000000002.json", second)
    forger.finish(users=2)
    place = place_of(engine)
    result = run("restore", tmp_path / "b.tar", *place.options)
    assert result.code == 4
    assert "Nothing of it was kept" in result.err
    with place.open() as storage:
        assert backup_restore.is_empty(storage)
        assert not backup_marker.is_unfinished(storage)


# -- interrupted ------------------------------------------------------------------------------------------------------


class Failing:
    """A storage whose room ends after some blobs."""

    def __init__(self, storage: Storage, blobs: int) -> None:
        self._storage = storage
        self._left = blobs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def write_blob(self) -> Any:
        self._left -= 1
        if self._left < 0:
            raise StorageError("full", "There is no room left.")
        return self._storage.write_blob()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_full_disk_leaves_nothing(engine: str, backup: Path, place_of: Callable[[str], Place]) -> None:
    place = place_of(engine)
    verified = read_backup(backup, Verifier(), lambda *_: None)
    with place.open() as storage:
        with pytest.raises(StorageError, match="no room"):
            backup_restore.restore(Failing(storage, 5), backup, verified, lambda *_: None)
        assert backup_restore.is_empty(storage)
        assert not backup_marker.is_unfinished(storage)
        backup_restore.restore(storage, backup, verified, lambda *_: None)


def test_an_unfinished_restore_is_not_served_either_when_the_database_answers_later(tmp_path: Path) -> None:
    class Away:
        """A storage that does not answer yet, and holds half a restore."""

        def __init__(self, storage: Storage) -> None:
            self._storage = storage
            self.answers = False

        def __getattr__(self, name: str) -> Any:
            return getattr(self._storage, name)

        def document(self, *wanted: Any) -> Any:
            if not self.answers:
                raise StorageError("unreachable", "It is away.")
            return self._storage.document(*wanted)

    with folder(tmp_path / "storage").open() as storage:
        backup_marker.mark(storage, datetime(2024, 1, 1))
        client = create_app(FAST, away := Away(storage)).test_client()

        def statuses() -> list[int]:
            return [client.get(path).status_code for path in ("/api/v1/server", "/readyz", "/healthz")]

        assert statuses() == [503, 503, 200]
        away.answers = True
        assert statuses() == statuses() == [500, 503, 200]
        backup_marker.unmark(storage)
        assert statuses() == [200, 200, 200]


KILLED = """
import os, signal, sys
from backend.storage.{module} import {name} as writer
begin, blobs = writer.commit, 0
def commit(self):
    global blobs
    blobs += 1
    if blobs == {after}:
        os.kill(os.getpid(), signal.SIGKILL)
    return begin(self)
writer.commit = commit
from backend.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("after", [1, 4, 9])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_killed_restore_is_noticed_and_begun_anew(
    engine: str, after: int, backup: Path, tmp_path: Path, run: Command, place_of: Callable[[str], Place]
) -> None:
    place, other = place_of(engine), folder(tmp_path / "other")
    module, name = {"embedded": ("blobs", "FileBlobWriter"), "mongo": ("mongo_blobs", "MongoBlobWriter")}[engine]
    program = KILLED.format(module=module, name=name, after=after)
    environ = {key: value for key, value in os.environ.items() if not key.startswith("GLASSINE_")}
    killed = subprocess.run(
        [sys.executable, "-c", program, "restore", backup, *place.options],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    # nobody takes half of it for the whole
    with place.open() as storage, pytest.raises(StorageError, match="interrupted"):
        create_app(replace(FAST, secret_key="s" * 32), storage)
    half = run("backup", tmp_path / "half.tar", *place.options)
    assert half.code == 1
    assert "Run glassine restore again" in half.err
    again = run("restore", backup, *place.options)
    assert again.code == 0
    assert "removed first" in again.err
    assert run("restore", backup, *other.options).code == 0
    with place.open() as storage, other.open() as expected:
        assert described(storage) == described(expected)
        assert len(list(storage.blob_ids())) == len(list(expected.blob_ids()))


def test_a_restore_ended_with_kill_leaves_nothing(backup: Path, tmp_path: Path) -> None:
    program = KILLED.format(module="blobs", name="FileBlobWriter", after=4).replace("SIGKILL", "SIGTERM")
    to = tmp_path / "to"
    ended = subprocess.run(
        [sys.executable, "-c", program, "restore", backup, "--data", to],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 143
    assert "Nothing of it was kept" in ended.stderr
    assert not to.exists()


def test_memory_stays_bounded(tmp_path: Path) -> None:
    """A picture of 200 MB: neither writing nor restoring has more than a few pieces of it in memory."""
    with closing(open_storage(tmp_path / "a")) as storage:
        ada = add_user(storage, "ada")
        digest, piece = hashlib.sha256(), os.urandom(1 << 20)
        with storage.write_blob() as blob:
            for _ in range(200):
                digest.update(piece)
                blob.write(piece)
            content = blob.commit()
        small = add_picture(storage, ada, "small.png", b"s", b"t")
        storage.remove_picture(small.id)
        storage.add_picture(
            replace(small, size=200 << 20, content_blob=content, content_sha256=digest.hexdigest(), name="large.png")
        )
    program = (
        "import resource, sys; from backend.__main__ import main\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "main(['admin', 'stats', *sys.argv[2:4]]); before = peak()\n"
        "code = main(['backup', sys.argv[1], *sys.argv[2:4]]) or main(['restore', sys.argv[1], *sys.argv[4:]])\n"
        "print(peak() - before); sys.exit(code)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "b.tar", "--data", tmp_path / "a", "--data", tmp_path / "b"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(ran.stdout.splitlines()[-1]) < 40_000  # KiB
