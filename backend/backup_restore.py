"""Restoring a backup into an empty storage: all of it or nothing.

The whole file is verified before anything is written. While it is written the storage bears a mark
(``backend/backup_marker.py``), so that a restore that was killed is never taken for a finished one; the next one
removes what is there. Must not import Flask or an engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.admin_console import KINDS, CommandError
from backend.backup_format import BackupDamaged
from backend.backup_marker import is_unfinished, mark, unmark
from backend.backup_read import read_backup
from backend.services.closing import close_account
from backend.storage.protocol import (
    Document,
    DuplicateRecord,
    Permission,
    PictureRecord,
    PublishedFile,
    Revision,
    StorageError,
    User,
)

if TYPE_CHECKING:
    from backend.storage.protocol import Storage

_PAGE = 100


def is_empty(storage: Storage) -> bool:
    """Whether nobody has an account and no bytes are kept."""
    accounts = any(storage.users(kind=kind, limit=1) for kind in KINDS) or storage.closing_users()
    return not accounts and next(storage.blob_ids(), None) is None


def restore(storage: Storage, path: Path, verified: dict[str, Any], progress: Callable[[int, int], None]) -> None:
    """Put everything of a backup into an empty storage.

    Args:
        storage: Where to.
        path: The backup.
        verified: Its manifest, as it was when the whole file was verified.
        progress: Told how many bytes of how many were read.

    Raises:
        CommandError: The storage is not empty; it was left as it is.
        BackupDamaged: The backup contradicts itself; nothing of it stays.
        StorageError: It could not be kept; nothing of it stays, unless removing failed as well.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    if is_unfinished(storage):
        clear(storage)
    if not is_empty(storage):
        raise CommandError("There are accounts or pictures already. A backup is restored into an empty storage only.")
    if not mark(storage, now):
        raise CommandError("Another restore has just begun here.")
    try:
        sink = _Restorer(storage, now)
        if read_backup(path, sink, progress) != verified:
            raise BackupDamaged("it was changed while it was read")
        sink.finish()
    except DuplicateRecord:
        _undo(storage)
        raise BackupDamaged("it has two records where there can be one only") from None
    except BaseException:
        _undo(storage)
        raise
    unmark(storage)


def _undo(storage: Storage) -> None:
    try:
        clear(storage)
    except StorageError as error:
        raise CommandError(
            f"The restore failed, and what it brought could not be removed: {error} Run glassine restore again later: "
            "it removes what is there and begins anew."
        ) from error


def clear(storage: Storage) -> None:
    """Remove everything that a restore which did not come to its end has brought; the mark goes last."""
    for kind in KINDS:
        while page := storage.users(kind=kind, limit=_PAGE):
            for user in page:
                close_account(storage, user.id)
    # Blobs that no record names yet. Nobody else stores: no server serves a storage with the mark.
    storage.collect_orphans(datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1))
    unmark(storage)


class _Restorer:
    """The sink that keeps."""

    def __init__(self, storage: Storage, now: datetime) -> None:
        self._storage = storage
        # Above every generation that any token may carry: it counts sign-outs, and there is less than one a second.
        self._generation = int(now.replace(tzinfo=UTC).timestamp())
        self._users: list[str] = []

    def blob(self, pieces: Iterator[bytes]) -> str:
        with self._storage.write_blob() as blob:
            for data in pieces:
                blob.write(data)
            return blob.commit()

    def user(self, user: User) -> None:
        self._storage.add_user(replace(user, generation=self._generation))
        self._users.append(user.id)

    def picture(self, picture: PictureRecord, history: Sequence[Revision], permissions: Sequence[Permission]) -> None:
        # As it came to be: stored, revised, shared, deleted.
        first = history[0] if history else picture
        stored = replace(picture, header_hash=first.header_hash, envelope=first.envelope, deleted=None)
        self._storage.add_picture(stored)
        for index, earlier in enumerate(history):
            later = history[index + 1] if index + 1 < len(history) else picture
            revised = replace(stored, header_hash=later.header_hash, envelope=later.envelope)
            if not self._storage.replace_picture(revised, earlier):
                raise BackupDamaged(f"the history of picture {picture.id} does not fit")
        for permission in permissions:
            self._storage.add_permission(permission)
        if picture.deleted is not None:
            self._storage.move_to_bin(picture.owner_id, picture.name, picture.deleted)

    def document(self, document: Document) -> None:
        # A document's version counts its changes, and clients compare it: it must be the same again.
        for version in range(1, document.version):
            self._storage.put_document(replace(document, version=version, value=b""))
        if not self._storage.put_document(document):
            raise DuplicateRecord

    def file(self, file: PublishedFile) -> None:
        if self._storage.put_file(file) is not None:
            raise DuplicateRecord

    def finish(self) -> None:
        """Account for what everybody stores."""
        for user_id in self._users:
            self._storage.recount_bytes(user_id)
