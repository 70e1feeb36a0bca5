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

from backend.storage.protocol import (
    Document,
    DuplicateRecord,
    Permission,
    PictureRecord,
    PublishedFile,
    RemovedPicture,
    Revision,
    Session,
    Storage,
    User,
)

OWNER_IDS = [f"{n:024x}" for n in range(1, 4)]
OWNERS = st.sampled_from(OWNER_IDS)
SOME_NAMES = ["a", "b", "A", "a/b", "ä", "p-1.png"]
NAMES = st.sampled_from(SOME_NAMES)
KINDS = st.sampled_from(["", "", "client"])
EMAILS = st.sampled_from(["", "a@x", "A@x"])
ROLES = st.sampled_from(["read", "write"])
HASHES = st.sampled_from(["0" * 64, "1" * 64, "2" * 64])
WHICH = st.integers(0, 5)
NOBODY = "f" * 24
FUTURE = datetime(2250, 1, 1)
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
            self.users: dict[str, User] = {}
            self.pictures: dict[str, PictureRecord] = {}  # in the bin or not
            self.history: dict[str, list[Revision]] = {}
            self.permissions: dict[tuple[str, str], Permission] = {}  # in the order given
            self.documents: dict[tuple[str, str, str], Document] = {}
            self.files: dict[tuple[str, str], PublishedFile] = {}
            self.sessions: dict[str, Session] = {}
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
            self.storage.collect_orphans(FUTURE)
            self.forget(self.loose)

        @rule()
        def collect(self) -> None:
            assert self.storage.collect_orphans(FUTURE) == len(self.loose)
            self.forget(self.loose)

        def forget(self, blob_ids: set[str]) -> None:
            for blob_id in list(blob_ids):
                del self.blobs[blob_id]
            self.loose -= set(blob_ids)

        def blob(self, data: bytes) -> str:
            with self.storage.write_blob() as writer:
                writer.write(data)
                blob_id = writer.commit()
            assert blob_id not in self.blobs
            self.blobs[blob_id] = data
            self.loose.add(blob_id)
            return blob_id

        # -- users --

        def user(self, which: int) -> User | None:
            users = sorted(self.users.values(), key=lambda user: user.id)
            return users[which] if which < len(users) else None

        @rule(
            name=NAMES, kind=KINDS, email=EMAILS, created=DATES, key=st.text(st.characters(codec="utf-8"), max_size=9)
        )
        def add_user(self, name: str, kind: str, email: str, created: datetime, key: str) -> None:
            user = User(self.storage.new_id(), name, "hash", key, created, kind, email)
            taken = any(
                (u.kind, u.name) == (kind, name) or (email and u.email == email and not u.kind and not kind)
                for u in self.users.values()
            )
            if taken:
                with pytest.raises(DuplicateRecord):
                    self.storage.add_user(user)
            else:
                self.storage.add_user(user)
                self.users[user.id] = user

        @rule(which=WHICH, old=st.sampled_from(["hash", "hash2"]), new=st.sampled_from(["hash", "hash2"]), up=DATES)
        def change_user(self, which: int, old: str, new: str, up: datetime) -> None:
            user = self.user(which)
            changes = {"password_hash": new, "updated": up, "closing": new == "hash2"}
            changed = self.storage.change_user(user.id if user else NOBODY, {"password_hash": old}, changes)
            assert changed == (user is not None and user.password_hash == old)
            if changed:
                self.users[user.id] = dataclasses.replace(user, **changes)

        @rule(which=WHICH)
        def remove_user(self, which: int) -> None:
            user = self.user(which)
            assert self.storage.remove_user(user.id if user else NOBODY) == (user is not None)
            if user:
                del self.users[user.id]

        @rule(which=WHICH, size=st.integers(0, 60), limit=st.sampled_from([0, 100]))
        def reserve_bytes(self, which: int, size: int, limit: int) -> None:
            user = self.user(which)
            given = self.storage.reserve_bytes(user.id if user else NOBODY, size, limit)
            assert given == (user is not None and (not limit or user.used_bytes + size <= limit))
            if given:
                self.users[user.id] = dataclasses.replace(user, used_bytes=user.used_bytes + size)

        @rule(which=WHICH, size=st.integers(0, 60))
        def release_bytes(self, which: int, size: int) -> None:
            user = self.user(which)
            self.storage.release_bytes(user.id if user else NOBODY, size)
            if user:
                self.users[user.id] = dataclasses.replace(user, used_bytes=max(user.used_bytes - size, 0))

        @rule(owner=OWNERS)
        def recount_bytes(self, owner: str) -> None:
            expected = sum(p.stored_bytes for p in self.pictures.values() if p.owner_id == owner)
            expected += sum(f.size for f in self.files.values() if f.owner_id == owner)
            assert self.storage.recount_bytes(owner) == expected

        # -- pictures --

        def outside(self, owner: str, name: str | None = None) -> list[PictureRecord]:
            mine = (p for p in self.pictures.values() if p.owner_id == owner and p.deleted is None)
            return sorted((p for p in mine if name in (None, p.name)), key=lambda p: p.id)

        def binned(self, owner: str) -> list[PictureRecord]:
            mine = (p for p in self.pictures.values() if p.owner_id == owner and p.deleted is not None)
            return sorted(mine, key=lambda p: p.id)

        def any_of(self, owner: str, which: int) -> PictureRecord | None:
            mine = sorted((p for p in self.pictures.values() if p.owner_id == owner), key=lambda p: p.id)
            return mine[which] if which < len(mine) else None

        @rule(owner=OWNERS, name=NAMES, data=st.binary(max_size=100), created=DATES, size=st.integers(0, 2**40))
        def add_picture(self, owner: str, name: str, data: bytes, created: datetime, size: int) -> None:
            content = self.blob(data)
            picture = PictureRecord(
                self.storage.new_id(), owner, name, "sealed", size, created, content, "", envelope=name,
                header_hash="0" * 64, stored_bytes=size,
            )  # fmt: skip
            if self.outside(owner, name):
                with pytest.raises(DuplicateRecord):
                    self.storage.add_picture(picture)
            else:
                self.storage.add_picture(picture)
                self.pictures[picture.id] = picture
                self.history[picture.id] = []
                self.loose.discard(content)

        @rule(
            owner=OWNERS, which=WHICH, old=HASHES, new=HASHES, shared=st.none() | st.lists(OWNERS, max_size=3), at=DATES
        )
        def replace_picture(
            self, owner: str, which: int, old: str, new: str, shared: list[str] | None, at: datetime
        ) -> None:
            now = self.any_of(owner, which)
            if now is None:
                return
            picture = dataclasses.replace(now, content_blob=self.blob(b"new"), header_hash=new, updated=at)
            earlier = Revision(now.id, old, now.envelope, at)
            given = None if shared is None else [Permission(now.id, user, "read", new) for user in shared]
            if now.deleted is not None or now.header_hash != old:
                assert not self.storage.replace_picture(picture, earlier, given)
            elif any(r.header_hash == old for r in self.history[now.id]) or len(set(shared or ())) < len(shared or ()):
                with pytest.raises(DuplicateRecord):
                    self.storage.replace_picture(picture, earlier, given)
            else:
                assert self.storage.replace_picture(picture, earlier, given)
                self.pictures[now.id] = picture
                self.history[now.id].append(earlier)
                self.loose.discard(picture.content_blob)
                self.loose.add(now.content_blob)
                if given is not None:
                    self.permissions = {k: p for k, p in self.permissions.items() if p.picture_id != now.id}
                    self.permissions.update({(now.id, p.user_id): p for p in given})

        @rule(owner=OWNERS, name=NAMES, at=DATES)
        def move_to_bin(self, owner: str, name: str, at: datetime) -> None:
            [now] = self.outside(owner, name) or [None]
            expected = dataclasses.replace(now, deleted=at) if now else None
            assert self.storage.move_to_bin(owner, name, at) == expected
            if expected:
                self.pictures[expected.id] = expected

        @rule(owner=OWNERS, which=WHICH, name=NAMES)
        def restore_picture(self, owner: str, which: int, name: str) -> None:
            now = self.any_of(owner, which)
            if now is None or now.deleted is None:
                assert self.storage.restore_picture(now.id if now else NOBODY, name) is None
            elif self.outside(owner, name):
                with pytest.raises(DuplicateRecord):
                    self.storage.restore_picture(now.id, name)
            else:
                self.pictures[now.id] = dataclasses.replace(now, name=name, deleted=None)
                assert self.storage.restore_picture(now.id, name) == self.pictures[now.id]

        @rule(owner=OWNERS, which=WHICH, removes_blobs=st.booleans())
        def remove_picture(self, owner: str, which: int, removes_blobs: bool) -> None:
            expected = self.any_of(owner, which)
            removed = self.storage.remove_picture(expected.id if expected else NOBODY)
            if expected is None:
                assert removed is None
                return
            grants = sum(len(p.grant) for p in self.permissions.values() if p.picture_id == expected.id)
            assert removed == RemovedPicture(expected, grants)
            del self.pictures[expected.id], self.history[expected.id]
            self.permissions = {k: p for k, p in self.permissions.items() if p.picture_id != expected.id}
            self.loose.add(expected.content_blob)
            if removes_blobs:
                self.storage.remove_blob(expected.content_blob)
                self.forget({expected.content_blob})

        @rule(owner=OWNERS, after=WHICH, limit=st.integers(0, 4), before=DATES)
        def page(self, owner: str, after: int, limit: int, before: datetime) -> None:
            for listed, mine in ((self.storage.pictures, self.outside(owner)), (self.storage.bin, self.binned(owner))):
                start = mine[after].id if after < len(mine) else ""
                assert listed(owner, after=start, limit=limit) == [p for p in mine if p.id > start][:limit]
            assert self.storage.count_pictures(owner) == len(self.outside(owner))
            expired = {p.id for p in self.pictures.values() if p.deleted is not None and p.deleted < before}
            assert {p.id for p in self.storage.expired_in_bin(before, 1000)} == expired

        # -- permissions --

        @rule(owner=OWNERS, which=WHICH, user=OWNERS, role=ROLES)
        def add_permission(self, owner: str, which: int, user: str, role: str) -> None:
            picture = self.any_of(owner, which)
            permission = Permission(picture.id if picture else NOBODY, user, role)
            if (permission.picture_id, user) in self.permissions:
                with pytest.raises(DuplicateRecord):
                    self.storage.add_permission(permission)
            else:
                assert self.storage.add_permission(permission) == (picture is not None)
                if picture:
                    self.permissions[picture.id, user] = permission

        @rule(owner=OWNERS, which=WHICH, user=OWNERS, role=ROLES)
        def set_permission(self, owner: str, which: int, user: str, role: str) -> None:
            picture = self.any_of(owner, which)
            permission = Permission(picture.id if picture else NOBODY, user, role, "signed")
            key = (permission.picture_id, user)
            assert self.storage.set_permission(permission) == self.permissions.get(key)
            if key in self.permissions:
                self.permissions[key] = permission

        @rule(owner=OWNERS, which=WHICH, user=OWNERS)
        def remove_permission(self, owner: str, which: int, user: str) -> None:
            picture = self.any_of(owner, which)
            picture_id = picture.id if picture else NOBODY
            expected = self.permissions.pop((picture_id, user), None)
            assert self.storage.remove_permission(picture_id, user) == expected

        @rule(user=OWNERS)
        def remove_permissions_of(self, user: str) -> None:
            self.storage.remove_permissions_of(user)
            self.permissions = {k: p for k, p in self.permissions.items() if p.user_id != user}

        @rule(user=OWNERS, after=WHICH, limit=st.none() | st.integers(0, 4))
        def shared_with(self, user: str, after: int, limit: int | None) -> None:
            mine = [(self.pictures[p.picture_id], p) for p in self.permissions.values() if p.user_id == user]
            mine = sorted((pair for pair in mine if pair[0].deleted is None), key=lambda pair: pair[0].id)
            start = mine[after][0].id if after < len(mine) else ""
            expected = [pair for pair in mine if pair[0].id > start][:limit]
            assert self.storage.shared_with(user, after=start, limit=limit) == expected

        # -- documents, files, sessions, tokens --

        @rule(owner=OWNERS, kind=NAMES, key=NAMES, version=st.integers(0, 4), value=st.binary(max_size=9), at=DATES)
        def put_document(self, owner: str, kind: str, key: str, version: int, value: bytes, at: datetime) -> None:
            document = Document(owner, kind, key, version, value, at)
            there = self.documents.get((owner, kind, key))
            kept = self.storage.put_document(document)
            assert kept == (version == (there.version if there else 0) + 1)
            if kept:
                self.documents[owner, kind, key] = document

        @rule(owner=OWNERS, kind=st.none() | NAMES, key=st.none() | NAMES)
        def remove_documents(self, owner: str, kind: str | None, key: str | None) -> None:
            gone = [k for k in self.documents if k[0] == owner and kind in (None, k[1]) and key in (None, k[2])]
            assert self.storage.remove_documents(owner, kind, key) == len(gone)
            for each in gone:
                del self.documents[each]

        @rule(owner=OWNERS, name=NAMES, size=st.integers(0, 2**40), created=DATES)
        def put_file(self, owner: str, name: str, size: int, created: datetime) -> None:
            file = PublishedFile(self.storage.new_id(), owner, name, size, created, self.blob(b"file"))
            earlier = self.files.get((owner, name))
            assert self.storage.put_file(file) == earlier
            self.files[owner, name] = file
            self.loose.discard(file.blob)
            if earlier:
                self.loose.add(earlier.blob)

        @rule(owner=OWNERS, name=NAMES)
        def remove_file(self, owner: str, name: str) -> None:
            file = self.files.pop((owner, name), None)
            assert self.storage.remove_file(file.id if file else NOBODY) == file
            if file:
                self.loose.add(file.blob)

        @rule(name=NAMES, user=OWNERS, created=DATES)
        def add_session(self, name: str, user: str, created: datetime) -> None:
            session = Session(name, user, created, FUTURE)
            if name in self.sessions:
                with pytest.raises(DuplicateRecord):
                    self.storage.add_session(session)
            else:
                self.storage.add_session(session)
                self.sessions[name] = session

        @rule(name=NAMES)
        def remove_session(self, name: str) -> None:
            assert self.storage.remove_session(name) == (self.sessions.pop(name, None) is not None)

        @rule(user=OWNERS)
        def remove_sessions(self, user: str) -> None:
            self.storage.remove_sessions(user)
            self.sessions = {k: s for k, s in self.sessions.items() if s.user_id != user}

        @rule(token=NAMES, hours=st.integers(1, 48))
        def revoke(self, token: str, hours: int) -> None:
            expires = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=hours)
            assert self.storage.revoke_token(token, expires) == (token not in self.revoked)
            self.revoked.add(token)

        @rule(name=NAMES)
        def secret(self, name: str) -> None:
            value = self.storage.secret(name)
            assert self.secrets.setdefault(name, value) == value

        # -- after every step --

        @invariant()
        def agrees_on_users(self) -> None:
            users = sorted(self.users.values(), key=lambda user: user.id)
            for kind in ("", "client"):
                assert self.storage.users(kind=kind) == [user for user in users if user.kind == kind]
                for name in SOME_NAMES:
                    [expected] = [u for u in users if (u.kind, u.name) == (kind, name)] or [None]
                    assert self.storage.user_by_name(name, kind) == expected
            for email in ("a@x", "A@x"):
                [expected] = [u for u in users if u.email == email and not u.kind] or [None]
                assert self.storage.user_by_email(email) == expected
            assert sorted(u.id for u in self.storage.closing_users()) == [u.id for u in users if u.closing]
            for name in SOME_NAMES:
                assert self.storage.is_revoked(name) == (name in self.revoked)
                assert self.storage.session(name) == self.sessions.get(name)

        @invariant()
        def agrees_on_pictures(self) -> None:
            for owner in OWNER_IDS:
                assert self.storage.pictures(owner) == self.outside(owner)
                assert self.storage.bin(owner) == self.binned(owner)
            for picture in self.pictures.values():
                assert self.storage.picture_by_id(picture.id) == picture
                if picture.deleted is None:
                    assert self.storage.picture(picture.owner_id, picture.name) == picture
                else:
                    assert self.storage.binned(picture.owner_id, picture.name).deleted is not None
                expected = [p for p in self.permissions.values() if p.picture_id == picture.id]
                assert self.storage.permissions(picture.id) == expected
                assert self.storage.history(picture.id) == self.history[picture.id]

        @invariant()
        def agrees_on_the_rest(self) -> None:
            for owner in OWNER_IDS:
                files = sorted((f for f in self.files.values() if f.owner_id == owner), key=lambda f: f.name)
                assert self.storage.files(owner) == files
            for owner, kind in {key[:2] for key in self.documents}:
                mine = [d for d in self.documents.values() if (d.owner_id, d.kind) == (owner, kind)]
                assert self.storage.documents(owner, kind) == sorted(mine, key=lambda d: d.key)
            assert set(self.storage.blob_ids()) == set(self.blobs)
            for blob_id, data in self.blobs.items():
                with self.storage.open_blob(blob_id) as blob:
                    assert blob.read() == data
            assert self.storage.totals() == {
                "users": sum(not user.kind for user in self.users.values()),
                "pictures": sum(picture.deleted is None for picture in self.pictures.values()),
                "files": len(self.files),
                "sessions": len(self.sessions),
            }

    return AgainstModel


def test_an_engine_does_what_dictionaries_do(open_engine, rounds):
    run_state_machine_as_test(
        machine(open_engine),
        settings=settings(
            max_examples=rounds(20),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
