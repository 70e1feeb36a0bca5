"""Writing a backup: every account with what belongs to it, one entry after the other, never a blob whole in memory.

Accounts come first and as they are then. What changes while it goes on is either in or not, but never half: a picture
is read again when it was revised meanwhile, and left out when it is gone. Must not import Flask or an engine.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from os import SEEK_END
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from backend import backup_records as records
from backend.admin_console import KINDS, PAGE, CommandError
from backend.backup_format import RECORD_LIMIT, ArchiveWriter, SourceChanged, canonical
from backend.services.documents import GONE, KEYFILE, LEDGER, SUCCESSION
from backend.storage.files import create_private_file, sync_file, sync_folder

if TYPE_CHECKING:
    from backend.storage.protocol import PictureRecord, Storage, User

DOCUMENT_KINDS = (LEDGER, KEYFILE, GONE, SUCCESSION)
"""Every kind of document that services keep."""

_TRIES = 3


@dataclass
class Outcome:
    """What a backup holds, and what it does not.

    Attributes:
        counts: How many of each kind of record are in it.
        vanished: Pictures and files that were deleted or moved while it was written.
        damaged: What the storage names and does not have, or not as it was stored: one text for each.
    """

    counts: Counter[str] = field(default_factory=Counter)
    vanished: int = 0
    damaged: list[str] = field(default_factory=list)


@contextmanager
def new_archive(target: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Give a file for a backup and one for its list of hashes; it gets its name, durably, when the block ends.

    Raises:
        CommandError: There is something of that name, or no such folder.
        OSError: It cannot be written; nothing is left behind.
    """
    if os.path.lexists(target):
        raise CommandError(f"{target} is already there. Nothing was overwritten.")
    if not target.parent.is_dir():
        raise CommandError(f"There is no folder {target.parent}. Create it or choose another one.")
    temporary = target.parent / f".glassine-{secrets.token_hex(8)}.part"
    descriptor = create_private_file(temporary)
    try:
        with os.fdopen(descriptor, "w+b") as file, tempfile.TemporaryFile(dir=target.parent) as sums:
            yield file, sums
            file.flush()
            sync_file(file.fileno())
        _give_name(temporary, target)
        sync_folder(target.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _give_name(temporary: Path, target: Path) -> None:
    try:
        os.link(temporary, target)  # unlike a rename it never replaces what somebody put there meanwhile
    except FileExistsError:
        raise CommandError(f"{target} is already there. Nothing was overwritten.") from None
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise CommandError(f"{target} is already there. Nothing was overwritten.") from None
        temporary.rename(target)


class Backup:
    """One backup being written."""

    def __init__(self, storage: Storage, archive: ArchiveWriter, progress: Callable[[int, int], None]) -> None:
        self._storage = storage
        self._archive = archive
        self._progress = progress
        self._total = storage.totals().get("pictures", 0)
        self._number = 0
        self._users: set[str] = set()
        self.outcome = Outcome()

    def write(self, now: datetime) -> dict[str, Any]:
        """Write everything and return the manifest."""
        for user in self._accounts():
            self._entry("users", records.user_to(user))
            self._users.add(user.id)
        for user in self._accounts():
            if user.id in self._users:  # others came while this goes on
                self._pictures(user.id)
                self._documents(user.id)
                self._files(user.id)
        counts = {name: self.outcome.counts[name] for name in ("users", "pictures", "documents", "files")}
        about = {"created": now.isoformat(timespec="milliseconds"), "counts": counts}
        left_out = {"vanished": self.outcome.vanished, "damaged": len(self.outcome.damaged)}
        return self._archive.finish({**about, "left_out": left_out})

    def _accounts(self) -> Iterator[User]:
        """All accounts but those that are being deleted."""
        for kind in KINDS:
            after = ""
            while page := self._storage.users(kind=kind, after=after, limit=PAGE):
                yield from (user for user in page if not user.closing)
                after = page[-1].id

    # -- pictures --

    def _pictures(self, owner_id: str) -> None:
        binned: set[str] = set()  # whose pictures may be taken out of the bin before the others are listed
        names: set[str] = set()  # a name may be given anew while they are listed
        after = ""
        while page := self._storage.bin(owner_id, after=after, limit=PAGE):
            binned.update(picture.id for picture in page if self._picture(picture.id, in_bin=True, names=names))
            after = page[-1].id
        after = ""
        while page := self._storage.pictures(owner_id, after=after, limit=PAGE):
            for picture in page:
                if picture.id not in binned:
                    self._picture(picture.id, in_bin=False, names=names)
            after = page[-1].id

    def _picture(self, picture_id: str, *, in_bin: bool, names: set[str]) -> bool:
        """Add one picture; whether it is in."""
        for _ in range(_TRIES):
            picture = self._storage.picture_by_id(picture_id)
            if picture is None or (picture.deleted is not None) != in_bin or (not in_bin and picture.name in names):
                break
            entry = self._entry_of(picture)
            if self._is_current(picture):
                number = self._begin()
                problem = self._copied(entry, number)
                if problem == "" and self._is_current(picture):
                    self._keep("pictures")
                    if not in_bin:
                        names.add(picture.name)
                    return True
                self._archive.drop()
                self._number -= 1
                if self._is_current(picture):
                    self.outcome.damaged.append(f"picture {picture.name} of account {picture.owner_id}: {problem}")
                    return False
        self.outcome.vanished += 1
        return False

    def _entry_of(self, picture: PictureRecord) -> records.PictureEntry:
        permissions = [one for one in self._storage.permissions(picture.id) if one.user_id in self._users]
        return records.PictureEntry(picture, self._storage.history(picture.id), permissions, {})

    def _is_current(self, picture: PictureRecord) -> bool:
        """Whether a picture is still the revision that was read, and where it was."""
        return self._storage.picture_by_id(picture.id) == picture

    def _copied(self, entry: records.PictureEntry, number: str) -> str:
        """Add the members of a picture; returns what is wrong with its bytes, or nothing."""
        picture = entry.picture
        with ExitStack() as opened:
            blobs: dict[str, tuple[BinaryIO, int]] = {}
            for part, named in records.BLOBS.items():
                if blob_id := getattr(picture, named):
                    blob = self._storage.open_blob(blob_id)
                    if blob is None:
                        return f"its {part} is missing"
                    blobs[part] = (opened.enter_context(blob), blob.seek(0, SEEK_END))
                    blob.seek(0)
            sizes = {part: size for part, (_, size) in blobs.items()}
            if sizes.get("content") != picture.size:
                return "its content has another size"
            record = records.PictureEntry(picture, entry.history, entry.permissions, sizes)
            self._archive.write(f"pictures/{number}.json", _bounded(records.picture_to(record)))
            for part, (blob, size) in blobs.items():
                try:
                    digest = self._archive.copy(f"pictures/{number}.{part}", blob, size)
                except SourceChanged:
                    return f"its {part} ends too early"
                if part == "content" and digest != picture.content_sha256:
                    return "its content has another hash"
        return ""

    # -- the rest --

    def _documents(self, owner_id: str) -> None:
        for kind in DOCUMENT_KINDS:
            after = None
            while page := self._storage.documents(owner_id, kind, after=after or "", limit=PAGE):
                for document in page:
                    self._entry("documents", records.document_to(document), value=document.value)
                after = page[-1].key
                if len(page) < PAGE:
                    break

    def _files(self, owner_id: str) -> None:
        after = ""
        while page := self._storage.files(owner_id, after=after, limit=PAGE):
            for file in page:
                blob = self._storage.open_blob(file.blob)
                if blob is None:
                    self._missing_file(owner_id, file.name, file.blob)
                    continue
                with blob:
                    number = self._begin()
                    self._archive.write(f"files/{number}.json", _bounded(records.file_to(file)))
                    try:
                        self._archive.copy(f"files/{number}.content", blob, file.size)
                    except SourceChanged:
                        self._archive.drop()
                        self._number -= 1
                        self._missing_file(owner_id, file.name, file.blob)
                    else:
                        self._keep("files")
            after = page[-1].name

    def _missing_file(self, owner_id: str, name: str, blob: str) -> None:
        now = self._storage.file(owner_id, name)
        if now is None or now.blob != blob:
            self.outcome.vanished += 1
        else:
            self.outcome.damaged.append(f"file {name} of account {owner_id}: its bytes are missing")

    def _entry(self, kind: str, record: dict[str, Any], **blobs: bytes) -> None:
        number = self._begin()
        self._archive.write(f"{kind}/{number}.json", _bounded(record))
        for part, data in blobs.items():
            self._archive.write(f"{kind}/{number}.{part}", data)
        self._keep(kind)

    def _begin(self) -> str:
        self._archive.begin()
        self._number += 1
        return numbered(self._number)

    def _keep(self, kind: str) -> None:
        self._archive.keep()
        self.outcome.counts[kind] += 1
        if kind == "pictures":
            self._progress(self.outcome.counts[kind], self._total)


def numbered(number: int) -> str:
    """How an entry's number stands in the names of its members."""
    return f"{number:010d}"


def _bounded(record: dict[str, Any]) -> bytes:
    data = canonical(record)
    if len(data) > RECORD_LIMIT:
        raise CommandError(f"A picture ({record.get('id')}) has more revisions and permissions than a backup takes.")
    return data
