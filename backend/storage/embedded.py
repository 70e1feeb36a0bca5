"""The storage engine of a single process: records in mongita on SQLite, blobs as files, all in one folder.

Folder::

    lock              held while open; says whether the folder was closed in order
    records.sqlite3   every record (with its -wal and -shm while open)
    blobs/            committed blobs
    incoming/         blobs being written
    reserve           room for removing pictures from a full disk

A picture's blobs are committed before its record is added and removed after its record is, so a crash can leave blobs
without a record, never a record without its blobs. Must not import Flask; mongita is imported when a storage is opened.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from backend.storage import sqlite_schema
from backend.storage.blobs import BlobFolder
from backend.storage.failures import raises_storage_error, storage_error
from backend.storage.files import make_private_folder
from backend.storage.folder_lock import FolderLock
from backend.storage.reserve import Reserve

if TYPE_CHECKING:
    from backend.storage.embedded_storage import EmbeddedStorage

RECORDS = "records.sqlite3"


@raises_storage_error
def open_storage(folder: Path) -> EmbeddedStorage:
    """Open the storage in this folder, made (mode 0700) when it does not exist.

    Raises:
        StorageError: ``in-use`` by another process, ``read-only``, ``full``, ``damaged``, or ``other`` (written by a
            newer version, …). Nothing was changed then.
    """
    folder = Path(folder)
    make_private_folder(folder)
    lock = FolderLock(folder / "lock")
    try:
        reserve = Reserve(folder / "reserve")
        try:
            storage = _open_locked(folder, lock, reserve)
        except (OSError, sqlite3.Error) as error:
            # Opening takes a little room itself, and who opens it may be about to remove pictures.
            failure = storage_error(error)
            if failure is None or failure.reason != "full" or not reserve.give_up():
                raise
            storage = _open_locked(folder, lock, reserve)
        reserve.hold()
    except BaseException:
        lock.release(in_order=False)
        raise
    return storage


def _open_locked(folder: Path, lock: FolderLock, reserve: Reserve) -> EmbeddedStorage:
    from backend.storage.embedded_storage import EmbeddedStorage
    from backend.storage.mongita_collection import SqliteClient

    blobs = BlobFolder(folder)
    # Without its database a folder with blobs is damaged: a new, empty one would make orphans of all of them.
    sqlite_schema.prepare(folder / RECORDS, may_create=blobs.is_empty())
    blobs.prepare()
    client = SqliteClient(folder / RECORDS)
    try:
        storage = EmbeddedStorage(client, blobs, lock, reserve)
        if not lock.was_closed:
            storage.recover()
    except BaseException:
        client.engine.close()
        raise
    return storage
