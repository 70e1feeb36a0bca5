"""The SQLite file under the embedded storage: how it is opened, made and recognised.

Must not import Flask or mongita.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from backend.storage.failures import DAMAGED
from backend.storage.files import create_private_file, sync_folder
from backend.storage.protocol import StorageError

FORMAT_VERSION = 2  # raised when an older version must not open the folder; see embedded_upgrade

# "Glas"; tells `file` and us that a database is ours.
_APPLICATION_ID = 0x476C6173

# A document's row number is its place in the order of insertion. Entries carry it, so that finding documents through
# an index needs no search for their keys.
_SCHEMA = (
    "CREATE TABLE documents (id INTEGER PRIMARY KEY, collection TEXT NOT NULL, key BLOB NOT NULL, body BLOB NOT NULL,"
    " UNIQUE (collection, key))",
    "CREATE TABLE entries (collection TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, key BLOB NOT NULL,"
    " document INTEGER NOT NULL, PRIMARY KEY (collection, name, value, key)) WITHOUT ROWID",
    "CREATE TABLE metadata (location TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID",
)


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection for any one thread at a time. Raises sqlite3.Error."""
    connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA synchronous=FULL")  # in WAL mode: one fsync for each commit, before it returns
        connection.execute("PRAGMA fullfsync=ON")  # macOS: through the drive's cache; elsewhere without effect
        connection.execute("PRAGMA checkpoint_fullfsync=ON")
        connection.execute("PRAGMA cache_size=-8000")
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA cell_size_check=ON")
    except BaseException:
        connection.close()
        raise
    return connection


def prepare(path: Path, *, may_create: bool) -> None:
    """Check the database, or make it when there is none and ``may_create``.

    Raises:
        StorageError: ``damaged`` when it is not ours or is missing though there are blobs, ``other`` when a newer
            Glassine wrote it.
        sqlite3.Error: It cannot be read or made.
    """
    existed = path.exists()
    if not existed:
        if not may_create:
            raise StorageError("damaged", f"{path.name} is missing, but there are stored pictures. {DAMAGED}")
        # Made here for its mode; SQLite gives the log the mode of the database.
        os.close(create_private_file(path))
        sync_folder(path.parent)
    connection = connect(path)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if version == 0 and application == 0 and tables == 0 and may_create:
            _create(connection)
        elif application != _APPLICATION_ID or version == 0 or tables == 0:
            raise StorageError("damaged", f"{path.name} is not Glassine's record database. {DAMAGED}")
        elif version > FORMAT_VERSION:
            raise StorageError(
                "other",
                f"This storage folder was written by a newer Glassine (format {version}; this one knows"
                f" {FORMAT_VERSION}). Install the newer version to open it; nothing was changed.",
            )
    finally:
        connection.close()


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode=WAL").fetchall()
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id={_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={FORMAT_VERSION}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
