"""Stores what an export holds, keeping ids, names, passwords and permissions. Runs again without adding anything twice.

A picture with permissions appears with all of them or not at all: until it is complete it lies in the bin since 1970,
which no person can do; a later run finds it there and begins it anew. Must not import Flask or an engine.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from backend.errors import Invalid
from backend.import_dump_layout import KNOWN_HASH, OldFile, OldPicture, OldUser
from backend.import_dump_spool import Spool
from backend.services.account_rules import check_public_key
from backend.services.names import candidates, check_user_name, picture_stem
from backend.services.uploads import PNG_SIGNATURE
from backend.storage.protocol import DuplicateRecord, Permission, PictureRecord, User

if TYPE_CHECKING:
    from backend.storage.protocol import Storage

UNFINISHED = datetime(1970, 1, 1)  # noqa: DTZ001 -- naive UTC, as everywhere in the storage
ROLES = ("read", "write")


class Skipped(Exception):
    """Something is not imported; the text says why."""


@dataclass
class Report:
    """What an import did. ``skipped`` and ``notes`` are one text for each thing, ``counts`` the numbers by name."""

    counts: Counter[str] = field(default_factory=Counter)
    skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Importer:
    """Stores accounts, then pictures. With ``dry`` nothing is written."""

    def __init__(self, storage: Storage, report: Report, *, dry: bool) -> None:
        self._storage = storage
        self._report = report
        self._dry = dry
        self._users: set[str] = set()
        self._names: set[str] = set()
        self._pictures: set[str] = set()

    # -- accounts --

    def user(self, old: OldUser) -> None:
        """Add an account unless it is there."""
        try:
            self._add_user(old)
        except Skipped as reason:
            self._report.skipped.append(f"account {old.name or old.id or 'without a name'}: {reason}")

    def _add_user(self, old: OldUser) -> None:
        if old.id is None:
            raise Skipped("its id is not 24 hex digits")
        present = self._storage.user(old.id)
        if present is not None and (present.name, present.kind) != (old.name, ""):
            raise Skipped("there is another account with its id")
        if present is not None:
            self._users.add(old.id)
            self._report.counts["users_present"] += 1
            return
        try:
            if not old.name.strip():
                raise Skipped("it has no name")
            check_user_name(old.name)
        except Invalid as problem:
            raise Skipped(f"its name cannot be used ({problem.message})") from None
        if old.name in self._names or self._storage.user_by_name(old.name) is not None:
            raise Skipped("there is another account of this name")
        user = User(old.id, old.name, self._password_of(old), self._key_of(old), old.created)
        if not self._dry:
            try:
                self._storage.add_user(user)
            except DuplicateRecord:
                raise Skipped("there is another account of this name or id") from None
        self._users.add(old.id)
        self._names.add(old.name)
        self._report.counts["users_added"] += 1

    def _password_of(self, old: OldUser) -> str:
        if KNOWN_HASH.fullmatch(old.password_hash):
            return old.password_hash
        self._report.notes.append(
            f"account {old.name}: its password hash has a form that is not known; give it a password with "
            "glassine admin reset-password"
        )
        return ""

    def _key_of(self, old: OldUser) -> str:
        try:
            return check_public_key(old.public_key) if old.public_key else ""
        except Invalid:
            self._report.notes.append(f"account {old.name}: its public key cannot be read and is left out")
            return ""

    # -- pictures --

    def is_needed(self, old: OldPicture) -> bool:
        """Whether a picture's bytes are needed: it is not there yet, or not complete."""
        present = self._storage.picture_by_id(old.id) if old.id else None
        return present is None or present.deleted == UNFINISHED

    def picture(self, old: OldPicture, file: OldFile | None, spool: Spool) -> None:
        """Add a picture unless it is there."""
        try:
            self._add_picture(old, file, spool)
        except Skipped as reason:
            self._report.skipped.append(f"picture {old.file_name or old.id or 'without a name'}: {reason}")

    def finish(self) -> None:
        """Account for what everybody stores."""
        if not self._dry:
            for user_id in self._users:
                self._storage.recount_bytes(user_id)

    def _add_picture(self, old: OldPicture, file: OldFile | None, spool: Spool) -> None:
        if old.id is None or old.id in self._pictures:
            raise Skipped("its id is not 24 hex digits" if old.id is None else "another picture has its id")
        self._pictures.add(old.id)
        if not self.is_needed(old):
            self._report.counts["pictures_present"] += 1
            return
        if old.owner_id not in self._users or old.owner_id is None:
            raise Skipped("its owner is not there")
        try:
            stem = picture_stem(old.file_name)
        except Invalid as problem:
            raise Skipped(f"its name cannot be used ({problem.message})") from None
        if not old.quotient.strip():
            raise Skipped("it has no quotient, so nobody can decrypt it")
        if file is None or not spool.is_whole(file):
            raise Skipped("its bytes are not in the export" if file is None else "a part of its bytes is missing")
        if spool.head(file) != PNG_SIGNATURE:
            raise Skipped("it is not a PNG")
        permissions = self._permissions_of(old)
        if not self._dry:
            self._store(old.id, old.owner_id, stem, old, file, spool, permissions)
        self._report.counts["pictures_added"] += 1
        self._report.counts["permissions_added"] += len(permissions)

    def _permissions_of(self, old: OldPicture) -> list[Permission]:
        found: dict[str, Permission] = {}
        for user_id, role in old.permissions:
            if user_id is None or user_id not in self._users:
                reason = "their account is not there"
            elif user_id == old.owner_id or user_id in found:
                reason = "they have another already"
            elif role not in ROLES:
                reason = "the role is neither read nor write"
            else:
                found[user_id] = Permission(old.id or "", user_id, role)
                continue
            self._report.skipped.append(f"permission of {user_id} on picture {old.file_name}: {reason}")
        return list(found.values())

    def _store(
        self, picture_id: str, owner_id: str, stem: str, old: OldPicture, file: OldFile, spool: Spool,
        permissions: list[Permission],
    ) -> None:  # fmt: skip
        unfinished = self._storage.remove_picture(picture_id, deleted=UNFINISHED)
        for blob_id in unfinished.picture.blobs if unfinished else ():
            self._storage.remove_blob(blob_id)
        created = file.stored or old.created or UNFINISHED
        digest = hashlib.sha256()
        with self._storage.write_blob() as content, spool.pieces(file) as pieces:
            for data in pieces:
                digest.update(data)
                content.write(data)
            content_blob = content.commit()
        quotient = old.quotient.encode("utf-8", "replace")
        with self._storage.write_blob() as text:
            text.write(quotient)
            quotient_blob = text.commit()
        record = PictureRecord(
            id=picture_id, owner_id=owner_id, name="", scheme="classic", size=file.length, created=created,
            content_blob=content_blob, content_sha256=digest.hexdigest(), quotient_blob=quotient_blob,
            stored_bytes=file.length + len(quotient),
        )  # fmt: skip
        name = self._add(record, stem, permissions)
        if name != f"{stem}.png":
            self._report.notes.append(f"picture {old.file_name}: the name was taken, it is called {name} here")

    def _add(self, record: PictureRecord, stem: str, permissions: list[Permission]) -> str:
        """Add under the first free name, which is returned."""
        if permissions:
            self._storage.add_picture(replace(record, name=f"{stem}.png", deleted=UNFINISHED))
            for permission in permissions:
                self._storage.add_permission(permission)
        for name in candidates(stem, record.created):
            try:
                if not permissions:
                    self._storage.add_picture(replace(record, name=name))
                elif self._storage.restore_picture(record.id, name) is None:  # the server has just emptied bins
                    raise Skipped("it was removed before it was complete; run the import again")
            except DuplicateRecord:
                continue
            return name
        raise AssertionError("there is always another name")
