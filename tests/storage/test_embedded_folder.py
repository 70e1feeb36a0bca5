"""The embedded engine's folder: who may read it, who may use it, and what happens when something is wrong with it."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from backend.storage import blobs as blobs_module
from backend.storage import embedded_base, embedded_pictures, embedded_storage, files, sqlite_schema
from backend.storage.embedded import open_storage
from backend.storage.failures import storage_error
from backend.storage.protocol import Document, Permission, PublishedFile, Revision, Session, StorageError, User

ROOT = Path(__file__).resolve().parents[2]
OWNER = "0123456789abcdef01234567"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vault" / "backend"


@pytest.fixture
def stored(folder, make):
    """A closed storage with three pictures; their records."""
    storage = open_storage(folder)
    pictures = [make.picture(storage, OWNER, f"{n}.png", envelope="e" * 3000) for n in range(3)]
    for picture in pictures:
        storage.add_picture(picture)
    storage.close()
    return pictures


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def crashed(folder: Path) -> None:
    """Make the folder look as if its last process had died."""
    (folder / "lock").write_bytes(b"open\n")


def run(script: str, *arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False, **options)


# -- permissions --


def test_only_the_owner_may_read_anything(folder, make):
    before = os.umask(0)
    try:
        storage = open_storage(folder)
        storage.add_picture(make.picture(storage, OWNER))
        writer = storage.write_blob()
        for path in [folder.parent, folder, *folder.rglob("*")]:
            wanted = 0o700 if path.is_dir() else 0o600
            assert stat.S_IMODE(path.stat().st_mode) == wanted, path
        assert {"records.sqlite3", "records.sqlite3-wal", "records.sqlite3-shm", "lock"} <= {
            p.name for p in folder.iterdir()
        }
        writer.__exit__(None, None, None)
        storage.close()
    finally:
        os.umask(before)


def test_a_folder_that_is_there_keeps_its_mode(folder):
    folder.mkdir(parents=True)
    folder.chmod(0o750)
    open_storage(folder).close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750


# -- one process --


def test_a_second_opening_is_refused_and_the_first_goes_on(folder, make):
    storage = open_storage(folder)
    with pytest.raises(StorageError, match="Another program") as refused:
        open_storage(folder)
    assert refused.value.reason == "in-use"
    storage.add_user(make.user(storage))
    storage.close()
    reopened = open_storage(folder)
    assert len(reopened.users()) == 1
    reopened.close()


def test_another_process_is_refused_until_the_first_is_killed(folder):
    script = """
import sys, time
from pathlib import Path
from backend.storage.embedded import open_storage
storage = open_storage(Path(sys.argv[1]))
print("open", flush=True)
time.sleep(120)
"""
    with subprocess.Popen([sys.executable, "-c", script, str(folder)], cwd=ROOT, stdout=subprocess.PIPE) as first:
        try:
            assert first.stdout.readline() == b"open\n"
            with pytest.raises(StorageError) as refused:
                open_storage(folder)
            assert refused.value.reason == "in-use"
        finally:
            first.send_signal(signal.SIGKILL)
    open_storage(folder).close()


# -- what a crash leaves behind --


def test_only_blobs_without_a_record_are_collected_after_a_crash(folder, stored):
    named = {blob_id for p in stored for blob_id in (p.content_blob, p.thumbnail_blob)}
    orphan = "0f" * 16
    (folder / "blobs" / "0f" / orphan).write_bytes(b"no record")
    (folder / "incoming" / ("ab" * 16)).write_bytes(b"half")
    strange = folder / "blobs" / "0f" / "notes.txt"
    strange.write_text("not ours")
    crashed(folder)
    storage = open_storage(folder)
    assert set(storage.blob_ids()) == named
    assert not (folder / "blobs" / "0f" / orphan).exists()
    assert list((folder / "incoming").iterdir()) == []
    assert strange.read_text() == "not ours"
    assert storage.pictures(OWNER) == stored
    storage.close()


def changed(folder: Path, old: bytes, new: bytes) -> None:
    """Change the first such bytes in the record database, as a failing disk does."""
    database = folder / "records.sqlite3"
    data = database.read_bytes()
    assert data.count(old) >= 1
    database.write_bytes(data.replace(old, new, 1))


def test_damaged_records_do_not_decide_which_blobs_nobody_needs(folder, stored):
    blob_id = stored[1].content_blob
    other = blob_id[:-1] + ("0" if blob_id[-1] != "0" else "1")
    changed(folder, blob_id.encode(), other.encode())
    crashed(folder)
    open_storage(folder).close()
    changed(folder, other.encode(), blob_id.encode())
    storage = open_storage(folder)
    assert storage.pictures(OWNER) == stored
    with storage.open_blob(blob_id) as blob:
        assert blob.read() == b"noise"
    storage.close()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"content_sha256\0", b"content_sha257\0"),  # a field is missing
        (b"thumbnail_blob\0", b"thumbnail_bloc\0"),  # one that names a blob: nobody may take it for an orphan
        (b"\x10size\0", b"\x13size\0"),  # a field is of another kind, and the rest out of step
    ],
)
@pytest.mark.parametrize("crash", [False, True])
def test_a_damaged_record_is_said_to_be_damaged(folder, stored, old, new, crash):
    def read():
        storage = open_storage(folder)
        try:
            return storage.pictures(OWNER)
        finally:
            storage.close()

    changed(folder, old, new)
    if crash:  # then every record is read when the storage is opened
        crashed(folder)
    before = set((folder / "blobs").rglob("*"))
    with pytest.raises(StorageError) as refused:
        read()
    assert refused.value.reason == "damaged"
    changed(folder, new, old)
    assert read() == stored
    assert set((folder / "blobs").rglob("*")) == before


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM entries",
        "DELETE FROM entries WHERE name='slot_1' AND document=2",
        "UPDATE entries SET document=document+1 WHERE name='owner_id_1'",
        "UPDATE entries SET value=x'00' WHERE name='owner_id_1' AND document=2",
    ],
)
def test_damaged_entries_are_made_anew_from_the_records(folder, stored, harm):
    storage = open_storage(folder)
    storage.add_user(User(OWNER, "mara", "", "key", datetime(2026, 1, 2)))
    storage.close()
    with contextlib.closing(sqlite3.connect(folder / "records.sqlite3")) as connection, connection:
        assert connection.execute(harm).rowcount > 0
    storage = open_storage(folder)
    assert storage.pictures(OWNER) == stored
    assert storage.picture(OWNER, "1.png") == stored[1]
    assert storage.count_pictures(OWNER) == 3
    storage.close()


def test_a_secret_that_an_index_has_lost_is_not_made_anew(folder):
    """Written into a damaged index, another one could do more harm; and it would sign everybody out."""
    names = ("session", "file-server", "jwt", "basic", "csrf")
    storage = open_storage(folder)
    storage.add_user(User(OWNER, "mara", "", "key", datetime(2026, 1, 2)))
    kept = {name: storage.secret(name) for name in names}
    storage.close()
    database = folder / "records.sqlite3"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        [(root,)] = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name='sqlite_autoindex_documents_1'")
        [(size,)] = connection.execute("PRAGMA page_size")
    data = database.read_bytes()
    refusals = 0
    for cell in range(len(names) + 1):
        position = (root - 1) * size + 8 + 2 * cell + 1  # where the page says that the cell begins
        wrong = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        database.write_bytes(wrong)
        try:
            storage = open_storage(folder)
            try:
                assert {name: storage.secret(name) for name in names} == kept
            finally:
                storage.close()
        except StorageError as error:
            refusals += 1
            assert error.reason == "damaged"
            assert database.read_bytes() == wrong
    assert refusals
    database.write_bytes(data)
    storage = open_storage(folder)
    assert {name: storage.secret(name) for name in names} == kept
    storage.close()


def test_new_entries_do_not_hide_that_a_record_is_missing(folder, stored):
    """The table has lost a row that the indexes still know: nothing is mended, and no blob is collected."""
    database = folder / "records.sqlite3"
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        [(body,)] = connection.execute("SELECT body FROM documents WHERE instr(body, CAST('1.png' AS BLOB))")
    # the collection's name stands before key and body in the row; with another one it is a row of no collection
    data = bytearray(database.read_bytes())
    name = b"glassine.pictures"
    position = data.rindex(name, 0, data.index(bytes(body)[:40]))
    data[position] ^= 1
    before = set((folder / "blobs").rglob("*"))
    database.write_bytes(data)
    crashed(folder)
    with pytest.raises(StorageError) as refused:
        open_storage(folder).close()
    assert refused.value.reason == "damaged"
    data[position] ^= 1
    database.write_bytes(data)
    storage = open_storage(folder)
    assert storage.pictures(OWNER) == stored
    assert set((folder / "blobs").rglob("*")) == before
    storage.close()


def test_closing_removes_what_no_record_names(folder, make):
    storage = open_storage(folder)
    storage.add_picture(kept := make.picture(storage, OWNER, "kept"))
    storage.add_picture(removed := make.picture(storage, OWNER, "removed"))
    storage.remove_picture(removed.id)  # the caller forgets the blobs
    make.blob(storage)  # … or the record
    storage.close()
    storage = open_storage(folder)
    assert set(storage.blob_ids()) == set(kept.blobs)
    storage.close()


def test_after_a_crash_the_blobs_of_bin_and_files_stay_and_accounts_are_counted(folder, make):
    storage = open_storage(folder)
    users = [make.user(storage, name) for name in ("ada", "bob")]
    for user in users:
        storage.add_user(user)
        storage.reserve_bytes(user.id, 1000, 0)  # the upload it was for was cut short
    picture, binned = (make.picture(storage, users[0].id, name, stored_bytes=10) for name in ("a", "b"))
    storage.add_picture(picture)
    storage.add_picture(binned)
    storage.move_to_bin(users[0].id, "b", picture.created)
    file = PublishedFile(storage.new_id(), users[0].id, "f", 5, picture.created, make.blob(storage))
    storage.put_file(file)
    named = {*picture.blobs, *binned.blobs, file.blob}
    storage.close()
    orphan = folder / "blobs" / "0f" / ("0f" * 16)
    orphan.write_bytes(b"no record")
    crashed(folder)
    storage = open_storage(folder)
    assert set(storage.blob_ids()) == named
    assert [user.used_bytes for user in storage.users()] == [25, 0]
    storage.close()


@pytest.mark.parametrize("in_doubt", [False, True])
def test_a_failed_revision_keeps_the_blobs_that_may_be_named(folder, make, monkeypatch, in_doubt):
    """When nobody knows whether the commit counts, the blobs of both revisions stay; else those of the earlier one."""
    storage = open_storage(folder)
    first = make.picture(storage, OWNER, header_hash="1" * 64)
    storage.add_picture(first)
    second = dataclasses.replace(first, content_blob=make.blob(storage, b"second"), header_hash="2" * 64)
    connections = storage._engine.connections

    def failing() -> None:
        if in_doubt:
            connections._writer.execute("COMMIT")
            connections.commit_in_doubt = True
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(connections, "_commit", failing)
    with pytest.raises(StorageError):
        storage.replace_picture(second, Revision(first.id, first.header_hash, "", first.created), [])
    monkeypatch.undo()
    storage.remove_blob(second.content_blob)  # what a caller does whose revision was not stored
    if in_doubt:
        storage.remove_blob(first.content_blob)
    there = second if in_doubt else first
    assert set(storage.blob_ids()) == {*first.blobs, *(second.blobs if in_doubt else ())}
    storage.close()
    storage = open_storage(folder)
    assert storage.pictures(OWNER) == [there]
    assert len(storage.history(first.id)) == in_doubt
    assert set(storage.blob_ids()) == set(there.blobs)
    storage.close()


def test_damage_keeps_every_blob_from_a_collection_while_running(folder, stored):
    storage = open_storage(folder)
    storage.add_picture(dataclasses.replace(stored[0], id=storage.new_id(), name="n", content_blob="0f" * 16))
    orphan = folder / "blobs" / "00" / ("00" * 16)
    orphan.write_bytes(b"no record")
    assert storage.collect_orphans(datetime(2200, 1, 1)) == 0
    assert orphan.exists()
    storage.close()


def test_a_check_notices_that_nothing_can_be_written(folder, monkeypatch):
    storage = open_storage(folder)
    storage.check()
    monkeypatch.setattr(os, "access", lambda *_: False)  # whoever runs the tests as root may write anywhere
    with pytest.raises(StorageError) as error:
        storage.check()
    assert error.value.reason == "read-only"
    storage.close()


def test_a_closed_storage_is_opened_without_reading_every_record(folder, stored, monkeypatch):
    asked = []
    monkeypatch.setattr(embedded_storage.EmbeddedStorage, "recover", lambda _: asked.append(1))
    open_storage(folder).close()
    assert asked == []
    crashed(folder)
    open_storage(folder).close()
    assert len(asked) == 1


@pytest.mark.parametrize("state", [b"open\n", b"closed", b"clo", b"\x00" * 7, b"closed\n\n"])
def test_any_other_word_in_the_lock_file_counts_as_a_crash(folder, stored, state):
    orphan = folder / "blobs" / "0f" / ("0f" * 16)
    orphan.write_bytes(b"no record")
    (folder / "lock").write_bytes(state)
    open_storage(folder).close()
    assert not orphan.exists()
    assert (folder / "lock").read_bytes() == b"closed\n"


def test_a_log_torn_anywhere_gives_a_prefix_of_what_was_stored(folder, tmp_path, make):
    storage = open_storage(folder)
    pictures = [make.picture(storage, OWNER, f"{n}.png", envelope="e" * 2000) for n in range(12)]
    for picture in pictures:
        storage.add_picture(picture)
    live = tmp_path / "live"
    shutil.copytree(folder, live)
    storage.close()
    size = (live / "records.sqlite3-wal").stat().st_size
    lengths = set()
    for cut in [*range(0, size, 8209), size]:
        torn = tmp_path / "torn"
        shutil.copytree(live, torn)
        (torn / "records.sqlite3-shm").unlink()  # rebuilt after a power cut
        os.truncate(torn / "records.sqlite3-wal", cut)
        try:
            reopened = open_storage(torn)
        except StorageError as error:
            # Before the log held the tables there was no database; with blobs there, nothing may be made anew.
            assert error.reason == "damaged"
            assert len([p for p in (torn / "blobs").rglob("*") if p.is_file()]) == 24
        else:
            found = reopened.pictures(OWNER)
            assert found == pictures[: len(found)]
            assert set(reopened.blob_ids()) == {b for p in found for b in (p.content_blob, p.thumbnail_blob)}
            lengths.add(len(found))
            reopened.close()
        shutil.rmtree(torn)
    assert lengths == set(range(13))


def test_a_change_cut_short_by_an_interrupt_keeps_its_blobs(folder, make, monkeypatch):
    """Ctrl-C between the commit and our knowing of it: the record is there, so the blobs must be too."""
    storage = open_storage(folder)
    picture = make.picture(storage, OWNER)
    insert = embedded_pictures.insert

    def interrupted(*args: object, **kwargs: object) -> None:
        insert(*args, **kwargs)
        raise KeyboardInterrupt

    monkeypatch.setattr(embedded_pictures, "insert", interrupted)
    with pytest.raises(KeyboardInterrupt):
        storage.add_picture(picture)
    storage.remove_blob(picture.content_blob)  # what a caller does whose picture was not stored
    storage.remove_blob(picture.thumbnail_blob)
    storage.close()
    storage = open_storage(folder)
    assert storage.pictures(OWNER) == [picture]
    assert set(storage.blob_ids()) == {picture.content_blob, picture.thumbnail_blob}
    storage.close()


def test_a_commit_that_may_have_happened_keeps_its_blobs(folder, make, monkeypatch):
    storage = open_storage(folder)
    picture = make.picture(storage, OWNER)
    connections = storage._engine.connections

    def failing() -> None:
        connections._writer.execute("COMMIT")
        connections.commit_in_doubt = True
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(connections, "_commit", failing)
    with pytest.raises(StorageError):
        storage.add_picture(picture)
    storage.remove_blob(picture.content_blob)
    storage.close()
    storage = open_storage(folder)
    assert storage.pictures(OWNER) == [picture]
    assert set(storage.blob_ids()) == {picture.content_blob, picture.thumbnail_blob}
    storage.close()


def test_a_picture_is_removed_with_its_permissions_or_not_at_all(folder, stored, monkeypatch):
    storage = open_storage(folder)
    storage.add_permission(permission := Permission(stored[0].id, OWNER, "read"))

    def failing(_filter: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched, pytest.raises(StorageError):
        patched.setattr(storage._permissions, "delete_many", failing)
        storage.remove_picture(stored[0].id)
    assert storage.pictures(OWNER) == stored
    assert storage.count_pictures(OWNER) == 3
    assert storage.permissions(stored[0].id) == [permission]
    storage.close()
    storage = open_storage(folder)
    with storage.open_blob(stored[0].content_blob) as blob:
        assert blob.read() == b"noise"
    storage.close()


def test_ids_go_on_upwards_when_the_clock_is_set_back(folder, stored, monkeypatch):
    monkeypatch.setattr(embedded_base.time, "time", lambda: 1_000_000_000.0)
    storage = open_storage(folder)
    assert storage.new_id() > stored[-1].id
    storage.close()


def test_a_blob_is_synced_then_moved_then_its_folder_is_synced(folder, monkeypatch):
    storage = open_storage(folder)
    events = []
    rename = Path.rename
    monkeypatch.setattr(blobs_module, "sync_file", lambda fd: events.append("file") or os.fsync(fd))
    monkeypatch.setattr(blobs_module, "sync_folder", lambda path: events.append(f"folder {path.name}"))
    monkeypatch.setattr(Path, "rename", lambda self, target: events.append("rename") or rename(self, target))
    with storage.write_blob() as blob:
        blob.write(b"x")
        blob_id = blob.commit()
    assert events == ["file", "rename", f"folder {blob_id[:2]}"]
    storage.close()


def test_new_folders_are_synced_into_their_parents(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(files, "sync_folder", synced.append)
    files.make_private_folder(tmp_path / "a" / "b")
    assert synced == [tmp_path, tmp_path / "a"]


# -- damage --


def refused(folder: Path) -> StorageError:
    with pytest.raises(StorageError) as error:
        open_storage(folder)
    return error.value


@pytest.mark.parametrize("damage", ["noise", "empty", "missing", "half", "other database", "broken page"])
def test_a_damaged_database_is_refused_and_nothing_is_touched(folder, stored, damage):
    path = folder / "records.sqlite3"
    whole = path.read_bytes()
    if damage == "noise":
        path.write_bytes(bytes(b ^ 0x5A for b in whole))
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "missing":
        path.unlink()
    elif damage == "half":
        path.write_bytes(whole[:1000])
    elif damage == "other database":
        path.unlink()
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE theirs (x)")
        other.close()
    elif damage == "broken page":
        path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    crashed(folder)
    before = contents(folder / "blobs")
    for _ in range(2):
        error = refused(folder)
        assert error.reason == "damaged"
        assert "backup" in str(error)
    assert contents(folder / "blobs") == before
    if damage == "missing":
        assert not path.exists()
    path.write_bytes(whole)
    storage = open_storage(folder)  # restored from a backup, everything is there
    assert storage.pictures(OWNER) == stored
    assert contents(folder / "blobs") == before
    storage.close()


def test_damage_found_while_reading_is_said_and_nothing_is_collected(folder, stored):
    path = folder / "records.sqlite3"
    whole = bytearray(path.read_bytes())
    position = whole.index(b"content_sha256\x00")
    whole[position - 5 : position + 20] = b"\xff" * 25  # a field's type, name and length inside a document
    path.write_bytes(whole)
    before = contents(folder / "blobs")
    storage = open_storage(folder)
    with pytest.raises(StorageError) as error:
        storage.pictures(OWNER)
    assert error.value.reason == "damaged"
    storage.close()
    crashed(folder)
    assert refused(folder).reason == "damaged"  # the collection cannot know what is named
    assert contents(folder / "blobs") == before


def test_a_newer_format_is_refused_with_a_way_out(folder, stored):
    database = sqlite3.connect(folder / "records.sqlite3")
    database.execute(f"PRAGMA user_version={sqlite_schema.FORMAT_VERSION + 1}")
    database.close()
    before = contents(folder / "blobs")
    error = refused(folder)
    assert error.reason == "other"
    assert "newer" in str(error)
    assert contents(folder / "blobs") == before


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    assert refused(tmp_path / "file").reason == "other"
    assert refused(tmp_path / "file" / "below").reason == "other"
    assert (tmp_path / "file").read_text() == "x"


# -- read-only --

READ_ONLY_SCRIPT = """
import os, sys
from pathlib import Path
from backend.storage.embedded import open_storage
from backend.storage.protocol import Document, Permission, PublishedFile, Revision, Session, StorageError, User
import backend.storage.embedded_storage
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
for folder in sys.argv[1:]:
    try:
        open_storage(Path(folder))
    except StorageError as error:
        print(error.reason, "permissions" in str(error))
    else:
        print("opened")
"""


def test_a_folder_that_may_not_be_written_is_refused():
    # Not pytest's own directory: as root, the test gives up its rights and could not enter that.
    with tempfile.TemporaryDirectory() as directory:
        parent = Path(directory)
        parent.chmod(0o755)
        vault = parent / "vault"
        open_storage(vault).close()
        for path in [vault, *vault.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        parent.chmod(0o555)
        ran = run(READ_ONLY_SCRIPT, vault, parent / "new")
        parent.chmod(0o755)
        for path in [vault, *vault.rglob("*")]:
            path.chmod(0o755)
        assert (ran.stdout, ran.stderr) == ("read-only True\nread-only True\n", "")
        assert not (parent / "new").exists()


# -- a full disk --


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB; where none may be mounted, files of at most 1 MB."""
    import resource

    place = tmp_path / "disk"
    place.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], capture_output=True, check=False)
    mounted = mount.returncode == 0
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    if not mounted:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, limits[1]))
    yield place
    if mounted:
        subprocess.run(["umount", "--lazy", place], check=True)
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_blob_that_does_not_fit_leaves_nothing_and_the_storage_goes_on(small_disk, make):
    storage = open_storage(small_disk / "vault")
    kept = make.picture(storage, OWNER)
    storage.add_picture(kept)
    with pytest.raises(StorageError) as error, storage.write_blob() as blob:
        for _ in range(64):
            blob.write(bytes(65536))
        blob.commit()
    assert error.value.reason == "full"
    assert "room" in str(error.value)
    assert list((small_disk / "vault" / "incoming").iterdir()) == []
    storage.add_picture(make.picture(storage, OWNER, "next"))
    storage.close()
    storage = open_storage(small_disk / "vault")
    assert [p.name for p in storage.pictures(OWNER)] == [kept.name, "next"]
    storage.close()


def test_records_that_do_not_fit_are_refused_and_removing_makes_room(folder, make):
    storage = open_storage(folder)
    storage._engine.connections._writer.execute("PRAGMA max_page_count=80").fetchall()
    pictures = []
    with pytest.raises(StorageError) as error:
        for n in range(100):
            picture = make.picture(storage, OWNER, f"{n}", envelope="e" * 8000)
            storage.add_picture(picture)
            pictures.append(picture)
    assert error.value.reason == "full"
    assert len(pictures) > 5
    assert storage.pictures(OWNER) == pictures
    assert storage.count_pictures(OWNER) == len(pictures)
    storage.remove_blob(picture.content_blob)  # what a caller does whose picture was refused
    storage.remove_blob(picture.thumbnail_blob)
    assert len(list(storage.blob_ids())) == 2 * len(pictures)
    assert storage.remove_picture(pictures[0].id).picture == pictures[0]
    storage.add_picture(again := make.picture(storage, OWNER, "again", envelope="e" * 8000))
    storage.close()
    storage = open_storage(folder)
    assert storage.pictures(OWNER) == [*pictures[1:], again]
    storage.close()


def test_a_full_disk_can_be_emptied_in_every_way(folder, make):
    """The bin, the removal of what is in it, of files, sessions, documents and of an account, with no page to spare."""
    storage = open_storage(folder)
    storage.add_user(user := make.user(storage))
    storage.reserve_bytes(user.id, 50, 0)
    pictures = [make.picture(storage, user.id, f"{n}", envelope="e" * 8000) for n in range(3)]
    for picture in pictures:
        storage.add_picture(picture)
        storage.add_permission(Permission(picture.id, user.id, "read"))
    storage.put_file(file := PublishedFile(storage.new_id(), user.id, "f", 5, picture.created, make.blob(storage)))
    storage.add_session(Session("s", user.id, picture.created))
    storage.put_document(Document(user.id, "ledger", "", 1, b"v", picture.created))
    writer = storage._engine.connections._writer
    gave_up = []
    storage._reserve.give_up = lambda: gave_up.append(1) or writer.execute("PRAGMA max_page_count=100000").fetchall()

    def full() -> None:
        # SQLite takes the number of pages that there are for the smallest limit; what fits into those still fits.
        writer.execute("PRAGMA max_page_count=1").fetchall()
        with pytest.raises(StorageError) as error:
            for n in range(100):
                storage.put_document(Document(user.id, "filler", f"{n}{len(gave_up)}", 1, bytes(3000), picture.created))
        assert error.value.reason == "full"

    for change, wanted in (
        (lambda: storage.change_user(user.id, {}, {"closing": True, "first_name": "x" * 20_000}), True),
        (lambda: storage.move_to_bin(user.id, "0", picture.created).id, pictures[0].id),
        (lambda: storage.remove_picture(pictures[0].id).picture.id, pictures[0].id),
        (lambda: storage.remove_picture(pictures[1].id).picture, pictures[1]),
        (lambda: storage.remove_permissions_of(user.id), {user.id: 0}),
        (lambda: storage.release_bytes(user.id, 50), None),
        (lambda: storage.remove_file(file.id), file),
        (lambda: storage.remove_sessions(user.id), None),
        (lambda: storage.remove_documents(user.id, "ledger"), 1),
        (lambda: storage.remove_user(user.id), True),
    ):
        full()
        assert change() == wanted
    assert gave_up  # the first one did not fit
    assert storage.users() == []
    assert storage.pictures(user.id) == [pictures[2]]
    assert storage.bin(user.id) == []
    storage.close()


def test_a_full_disk_loses_nothing_and_a_removal_makes_room(small_disk, make):
    """Small blobs and records until nothing fits, whichever it is that does not."""
    storage = open_storage(small_disk / "vault")
    pictures = []
    with pytest.raises(StorageError) as error:
        for n in range(300):
            picture = make.picture(
                storage, OWNER, f"{n}", content_blob=make.blob(storage, bytes(4096)), envelope="e" * 4000
            )
            storage.add_picture(picture)
            pictures.append(picture)
    assert error.value.reason in ("full", "other")  # a file size limit in place of a disk looks like a failing one
    assert storage.pictures(OWNER) == pictures
    storage.close()
    storage = open_storage(small_disk / "vault")
    assert storage.pictures(OWNER) == pictures
    for picture in pictures:
        with storage.open_blob(picture.content_blob) as blob:
            assert blob.read() == bytes(4096)
    for number, picture in enumerate(pictures[:20]):
        if number % 2:
            assert storage.move_to_bin(OWNER, picture.name, picture.created).id == picture.id
        assert storage.remove_picture(picture.id).picture.id == picture.id
        storage.remove_blob(picture.content_blob)
        storage.remove_blob(picture.thumbnail_blob)
    storage.add_picture(again := make.picture(storage, OWNER, "again"))
    assert storage.pictures(OWNER) == [*pictures[20:], again]
    storage.close()


# -- the errors' names --


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ENOSPC, "x"), "full"),
        (OSError(errno.EDQUOT, "x"), "full"),
        (OSError(errno.EFBIG, "x"), "full"),
        (OSError(errno.EROFS, "x"), "read-only"),
        (PermissionError(errno.EACCES, "x"), "read-only"),
        (OSError(errno.EIO, "x"), "other"),
        (sqlite3.ProgrammingError("closed"), "other"),
    ],
)
def test_errors_of_the_system_get_their_reason(error, reason):
    assert storage_error(error).reason == reason


def test_other_errors_are_not_storage_errors():
    assert storage_error(ValueError("x")) is None
    assert storage_error(KeyError("x")) is None
