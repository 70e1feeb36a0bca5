"""Turns the errors of the operating system and of SQLite into :class:`StorageError`, in one place.

Must not import Flask or mongita.
"""

from __future__ import annotations

import errno
import functools
import sqlite3
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from backend.storage.protocol import StorageError

P = ParamSpec("P")
R = TypeVar("R")

FULL = "There is no room left on the disk. Nothing was changed; free some space and try again."
READ_ONLY = "The storage folder cannot be written to. Check its permissions, or that the disk is not mounted read-only."
IN_USE = "Another program is using this storage folder. Close it first, then try again."
CLOSED = "The storage is closed."
DAMAGED = "The record database is damaged. Nothing was changed; restore the storage folder from a backup."

# EFBIG: the file size limit of the process or file system; EDQUOT: the person's quota.
_REASON_BY_ERRNO = {
    errno.ENOSPC: ("full", FULL),
    errno.EDQUOT: ("full", FULL),
    errno.EFBIG: ("full", FULL),
    errno.EROFS: ("read-only", READ_ONLY),
    errno.EACCES: ("read-only", READ_ONLY),
    errno.EPERM: ("read-only", READ_ONLY),
}

# Primary result codes, https://www.sqlite.org/rescode.html; the extended ones keep them in the low byte.
_REASON_BY_SQLITE = {
    sqlite3.SQLITE_FULL: ("full", FULL),
    sqlite3.SQLITE_READONLY: ("read-only", READ_ONLY),
    sqlite3.SQLITE_PERM: ("read-only", READ_ONLY),
    sqlite3.SQLITE_BUSY: ("in-use", IN_USE),
    sqlite3.SQLITE_LOCKED: ("in-use", IN_USE),
    sqlite3.SQLITE_CORRUPT: ("damaged", DAMAGED),
    sqlite3.SQLITE_NOTADB: ("damaged", DAMAGED),
    sqlite3.SQLITE_CONSTRAINT: ("damaged", DAMAGED),  # what must be unique is checked before; the index is wrong
}


def storage_error(error: BaseException) -> StorageError | None:
    """Return what the error means for a caller of the storage, or None when it is not an error of storing."""
    if isinstance(error, StorageError):
        return error
    if isinstance(error, sqlite3.Error):
        # Errors that Python's module raises itself (a closed connection) carry no code.
        code = getattr(error, "sqlite_errorcode", None)
        if code == sqlite3.SQLITE_IOERR_SHMSIZE:  # no room for the shared memory file of the write-ahead log
            return StorageError("full", FULL)
        reason, text = _REASON_BY_SQLITE.get((code or 0) & 0xFF, ("other", f"The record database failed: {error}."))
        return StorageError(reason, text)
    if isinstance(error, OSError):
        reason, text = _REASON_BY_ERRNO.get(
            error.errno or 0, ("other", f"The storage folder failed: {error.strerror or error}.")
        )
        return StorageError(reason, text)
    # Not by an import of bson: this module stays light for those who only check errors. SQLite's own words may hold
    # a piece of a damaged schema, which Python then cannot decode.
    if type(error).__name__ == "InvalidBSON" or isinstance(error, UnicodeDecodeError):
        return StorageError("damaged", DAMAGED)
    return None


def raises_storage_error(function: Callable[P, R]) -> Callable[P, R]:
    """Convert every error of storing that leaves the function; others pass."""

    @functools.wraps(function)
    def converted(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            failure = storage_error(error)
            if failure is None or failure is error:
                raise
            raise failure from error

    return converted
