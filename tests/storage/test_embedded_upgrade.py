"""A folder as version 0.1.0 wrote it, made by that version: ``folder-0.1.0.zip`` with ``expected.json``."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from backend.storage import sqlite_schema
from backend.storage.embedded import open_storage
from backend.storage.protocol import DuplicateRecord, Permission, PictureRecord, StorageError, User

BLOB_SIZES = {"p-0.png": 5 + 5, "p-1.png": 6 + 8, "p-2.png": 7 + 5, "p-3.png": 8 + 8}
NOW = datetime(2026, 1, 2, 3, 4, 5, 678000)


class Old:
    """The folder and what was stored in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with zipfile.ZipFile(Path(__file__).with_name("folder-0.1.0.zip")) as archive:
            archive.extractall(folder)
        expected = json.loads((folder / "expected.json").read_text())
        self.users = [User(**_dated(user)) for user in expected["users"]]
        self.pictures = [PictureRecord(**_dated(picture)) for picture in expected["pictures"]]
        *self.permissions, self.lost = [Permission(**permission) for permission in expected["permissions"]]
        self.secret = bytes.fromhex(expected["secret"])

    def version(self) -> int:
        with contextlib.closing(sqlite3.connect(self.folder / "records.sqlite3")) as database:
            return database.execute("PRAGMA user_version").fetchone()[0]


def _dated(values: dict) -> dict:
    return {**values, "created": datetime.fromisoformat(values["created"])}


@pytest.fixture
def old(tmp_path):
    return Old(tmp_path / "storage")


@pytest.mark.parametrize("crashed", [False, True])
def test_everything_of_an_old_folder_is_there_with_the_defaults(old, crashed):
    if crashed:
        (old.folder / "lock").write_bytes(b"open\n")
    users, pictures = old.users, old.pictures
    if crashed:  # then what accounts store was counted
        pictures = [replace(picture, stored_bytes=BLOB_SIZES[picture.name]) for picture in pictures]
        users = [replace(users[0], used_bytes=sum(BLOB_SIZES.values())), *users[1:]]
    blobs = {blob_id for picture in pictures for blob_id in picture.blobs}
    for _ in range(2):
        storage = open_storage(old.folder)
        assert storage.users() == users
        assert [storage.user_by_name(user.name) for user in users] == users
        assert storage.users(kind="client") == []
        assert storage.closing_users() == []
        assert storage.pictures(users[0].id) == pictures
        assert storage.bin(users[0].id) == []
        assert storage.count_pictures(users[0].id) == 4
        assert storage.permissions(pictures[0].id) == old.permissions[:2]
        assert storage.shared_with(users[1].id) == [
            (pictures[0], old.permissions[0]),
            (pictures[3], old.permissions[2]),
        ]
        assert storage.shared_with(users[2].id) == [(pictures[0], old.permissions[1])]
        assert storage.history(pictures[0].id) == []
        assert storage.is_revoked("token")
        assert storage.revoke_token("token", datetime(2199, 1, 1)) is False
        assert storage.secret("jwt") == old.secret
        assert set(storage.blob_ids()) == blobs
        assert storage.totals() == {"users": 3, "pictures": 4, "files": 0, "sessions": 0}
        assert storage.new_id() > pictures[-1].id
        storage.close()
    assert old.version() == sqlite_schema.FORMAT_VERSION


def test_old_records_take_part_in_everything_new(old):
    storage = open_storage(old.folder)
    ada, bob, _ = old.users
    with pytest.raises(DuplicateRecord):
        storage.add_user(User(storage.new_id(), "ada", "", "", NOW))
    for kind in ("client", "ops"):
        storage.add_user(User(storage.new_id(), "ada", "", "", NOW, kind=kind))
    assert storage.change_user(bob.id, {"generation": 0, "closing": False}, {"closing": True})
    assert [user.id for user in storage.closing_users()] == [bob.id]
    first = old.pictures[0]
    assert storage.move_to_bin(ada.id, first.name, NOW) == replace(first, deleted=NOW)
    assert storage.recount_bytes(ada.id) == sum(BLOB_SIZES.values())
    # … from then on the record says what a removal releases
    kept = replace(first, stored_bytes=BLOB_SIZES[first.name])
    assert storage.bin(ada.id) == [replace(kept, deleted=NOW)]
    assert storage.shared_with(bob.id) == [(storage.picture_by_id(old.pictures[3].id), old.permissions[2])]
    assert storage.restore_picture(first.id, first.name) == kept
    assert storage.shared_with(bob.id)[0] == (kept, old.permissions[0])
    storage.remove_permissions_of(bob.id)
    assert storage.permissions(first.id) == [old.permissions[1]]
    assert storage.permission(old.lost.picture_id, bob.id) is None
    storage.close()
    storage = open_storage(old.folder)
    assert storage.pictures(ada.id)[0] == kept
    storage.close()


def test_the_old_version_refuses_the_folder_from_then_on(old):
    """It knows format 1, and says of a higher one that a newer Glassine wrote it; it would take blobs for orphans."""
    assert old.version() == 1
    open_storage(old.folder).close()
    assert old.version() == 2


def test_an_upgrade_cut_short_leaves_the_old_folder(old, monkeypatch):
    from backend.storage import embedded_storage

    def failing(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(StorageError):
        patched.setattr(embedded_storage, "upgrade_permissions", failing)
        open_storage(old.folder)
    assert old.version() == 1
    storage = open_storage(old.folder)
    # The lock says that the folder was not closed in order, so the accounts have been counted.
    assert [replace(user, used_bytes=0) for user in storage.users()] == old.users
    assert [replace(picture, stored_bytes=0) for picture in storage.pictures(old.users[0].id)] == old.pictures
    storage.close()


@pytest.mark.parametrize(
    ("field", "damaged"),
    [
        # BSON: type, name, value; 2 is a string, 8 a bool, 10 null, 16 a 32 bit number.
        (b"\x08closing\0\0", b"\x10closing\0\0\0\0\0"),
        (b"\x10generation\0\0\0\0\0", b"\x08generation\0\0"),
        (b"\x0aupdated\0", b"\x10updated\0\0\0\0\0"),
        (b"\x02first_name\0\1\0\0\0\0", b"\x0afirst_name\0"),
    ],
)
def test_an_optional_field_of_another_kind_is_damage(old, field, damaged):
    open_storage(old.folder).close()
    folder = old.folder
    with contextlib.closing(sqlite3.connect(folder / "records.sqlite3")) as database, database:
        [(number, body)] = database.execute(
            "SELECT id, body FROM documents WHERE collection='glassine.users' AND instr(body, CAST('ada' AS BLOB))"
        )
        assert body.count(field) == 1
        new = body.replace(field, damaged)
        new = len(new).to_bytes(4, "little") + new[4:]
        database.execute("UPDATE documents SET body=? WHERE id=?", (new, number))
    storage = open_storage(folder)
    with pytest.raises(StorageError) as refused:
        storage.user(old.users[0].id)
    assert refused.value.reason == "damaged"
    assert storage.user(old.users[1].id) == old.users[1]
    storage.close()
