"""Random sequences of operations against a model of dictionaries, reopening included."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from backend.storage.protocol import DuplicateRecord, Permission, PictureRecord, Storage

OWNERS = st.sampled_from([f"{n:024x}" for n in range(1, 4)])
NAMES = st.sampled_from(["a", "b", "A", "a/b", "ä", "p-1.png"])
ROLES = st.sampled_from(["read", "write"])
DATES = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(
    lambda d: d.replace(microsecond=d.microsecond // 1000 * 1000)
)


def machine(open_engine: Callable[[Path], Storage]) -> type[RuleBasedStateMachine]:
    class AgainstModel(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.directory = tempfile.TemporaryDirectory()
            self.folder = Path(self.directory.name) / "storage"
            self.storage = open_engine(self.folder)
            self.users: dict[str, object] = {}
            self.pictures: dict[tuple[str, str], PictureRecord] = {}
            self.permissions: dict[tuple[str, str], Permission] = {}
            self.blobs: dict[str, bytes] = {}
            self.loose: set[str] = set()
            self.revoked: set[str] = set()
            self.secrets: dict[str, bytes] = {}

        def teardown(self) -> None:
            self.storage.close()
            self.directory.cleanup()

        @initialize()
        def start(self) -> None:
            assert self.storage.users() == []

        @rule()
        def reopen(self) -> None:
            self.storage.close()
            self.storage = open_engine(self.folder)
            self.storage.collect_orphans(datetime(2200, 1, 1))
            for blob_id in self.loose:
                del self.blobs[blob_id]
            self.loose.clear()

        @rule(name=NAMES, created=DATES, key=st.text(st.characters(codec="utf-8"), max_size=20))
        def add_user(self, name: str, created: datetime, key: str) -> None:
            from backend.storage.protocol import User

            user = User(self.storage.new_id(), name, "hash", key, created)
            if name in self.users:
                with pytest.raises(DuplicateRecord):
                    self.storage.add_user(user)
            else:
                self.storage.add_user(user)
                self.users[name] = user

        @rule(name=NAMES, old=st.sampled_from(["hash", "hash2"]), new=st.sampled_from(["hash", "hash2"]))
        def set_password_hash(self, name: str, old: str, new: str) -> None:
            user = self.users.get(name)
            changed = self.storage.change_user(
                user.id if user else "f" * 24, {"password_hash": old}, {"password_hash": new}
            )
            assert changed == (user is not None and user.password_hash == old)
            if changed:
                self.users[name] = dataclasses.replace(user, password_hash=new)

        def blob(self, data: bytes) -> str:
            with self.storage.write_blob() as writer:
                writer.write(data)
                blob_id = writer.commit()
            assert blob_id not in self.blobs
            self.blobs[blob_id] = data
            self.loose.add(blob_id)
            return blob_id

        @rule(owner=OWNERS, name=NAMES, data=st.binary(max_size=100), created=DATES, size=st.integers(0, 2**62))
        def add_picture(self, owner: str, name: str, data: bytes, created: datetime, size: int) -> None:
            content = self.blob(data)
            picture = PictureRecord(
                self.storage.new_id(), owner, name, "sealed", size, created, content, "", envelope=name
            )
            if (owner, name) in self.pictures:
                with pytest.raises(DuplicateRecord):
                    self.storage.add_picture(picture)
                assert self.storage.picture(owner, name) == self.pictures[owner, name]
            else:
                self.storage.add_picture(picture)
                self.pictures[owner, name] = picture
                self.loose.discard(content)

        @rule(owner=OWNERS, name=NAMES, removes_blobs=st.booleans())
        def remove_picture(self, owner: str, name: str, removes_blobs: bool) -> None:
            expected = self.pictures.pop((owner, name), None)
            assert self.storage.remove_picture(expected.id if expected else "f" * 24) == expected
            if expected is None:
                return
            self.permissions = {k: p for k, p in self.permissions.items() if p.picture_id != expected.id}
            self.loose.add(expected.content_blob)
            if removes_blobs:
                self.storage.remove_blob(expected.content_blob)
                self.loose.remove(expected.content_blob)
                del self.blobs[expected.content_blob]

        @rule(owner=OWNERS, name=NAMES, user=OWNERS, role=ROLES)
        def add_permission(self, owner: str, name: str, user: str, role: str) -> None:
            picture = self.pictures.get((owner, name))
            if picture is None:
                return
            permission = Permission(picture.id, user, role)
            if (picture.id, user) in self.permissions:
                with pytest.raises(DuplicateRecord):
                    self.storage.add_permission(permission)
            else:
                self.storage.add_permission(permission)
                self.permissions[picture.id, user] = permission

        @rule(owner=OWNERS, name=NAMES, user=OWNERS, role=ROLES)
        def set_permission(self, owner: str, name: str, user: str, role: str) -> None:
            picture_id = self.pictures[owner, name].id if (owner, name) in self.pictures else "f" * 24
            permission = Permission(picture_id, user, role)
            assert self.storage.set_permission(permission) == ((picture_id, user) in self.permissions)
            if (picture_id, user) in self.permissions:
                self.permissions[picture_id, user] = Permission(picture_id, user, role)

        @rule(owner=OWNERS, name=NAMES, user=OWNERS)
        def remove_permission(self, owner: str, name: str, user: str) -> None:
            picture_id = self.pictures[owner, name].id if (owner, name) in self.pictures else "f" * 24
            expected = self.permissions.pop((picture_id, user), None)
            assert self.storage.remove_permission(picture_id, user) == (expected is not None)

        @rule(token=NAMES, hours=st.integers(1, 48))
        def revoke(self, token: str, hours: int) -> None:
            self.storage.revoke_token(token, datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=hours))
            self.revoked.add(token)
            assert self.storage.is_revoked(token)

        @rule(name=NAMES)
        def secret(self, name: str) -> None:
            value = self.storage.secret(name)
            assert self.secrets.setdefault(name, value) == value

        @rule(owner=OWNERS, after=st.integers(0, 5), limit=st.integers(0, 4))
        def page(self, owner: str, after: int, limit: int) -> None:
            mine = sorted((p for (o, _), p in self.pictures.items() if o == owner), key=lambda p: p.id)
            start = mine[after].id if after < len(mine) else ""
            assert self.storage.pictures(owner, after=start, limit=limit) == [p for p in mine if p.id > start][:limit]
            assert self.storage.count_pictures(owner) == len(mine)

        @invariant()
        def agrees(self) -> None:
            assert self.storage.users() == sorted(self.users.values(), key=lambda user: user.id)
            for name in ("a", "b", "A", "a/b", "ä", "p-1.png"):
                assert self.storage.user_by_name(name) == self.users.get(name)
                assert self.storage.is_revoked(name) == (name in self.revoked)
            for owner, name in self.pictures:
                picture = self.pictures[owner, name]
                assert self.storage.picture(owner, name) == picture
                expected = [p for p in self.permissions.values() if p.picture_id == picture.id]
                assert self.storage.permissions(picture.id) == expected
            assert set(self.storage.blob_ids()) == set(self.blobs)
            for blob_id, data in self.blobs.items():
                with self.storage.open_blob(blob_id) as blob:
                    assert blob.read() == data

    return AgainstModel


def test_an_engine_does_what_dictionaries_do(open_engine):
    run_state_machine_as_test(
        machine(open_engine),
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
