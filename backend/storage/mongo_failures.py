"""Turns the errors of pymongo into :class:`StorageError` and :class:`DuplicateRecord`, in one place."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from bson.errors import InvalidBSON, InvalidDocument
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidOperation,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)

from backend.storage.failures import CLOSED
from backend.storage.protocol import DuplicateRecord, StorageError

P = ParamSpec("P")
R = TypeVar("R")

UNREACHABLE = "The database cannot be reached: {}."
FULL = "There is no room left in the database. Nothing was changed; free some space and try again."
READ_ONLY = "The database takes no changes now."
DAMAGED = "The database holds something that Glassine did not write there."
ADDRESS = "The address of the database cannot be used: {}."
REFUSED = "The database refuses its user: {}."
FAILED = "The database failed: {}."

# https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
_FULL = frozenset({12501, 14031})  # QuotaExceeded, OutOfDiskSpace
_HOSTED = 8000  # any refusal of a hosted cluster; the text tells which
_READ_ONLY = frozenset({371})  # UserWritesBlocked
_REFUSED = frozenset({13, 18})  # Unauthorized, AuthenticationFailed
_UNREACHABLE = frozenset({6, 7, 50, 64, 89, 91, 133, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436})
# Host unreachable or unknown, out of time, write concern, shutting down, stepped down, not primary, …

_MEANINGS: tuple[tuple[tuple[type[Exception], ...], str, str], ...] = (
    ((ConnectionFailure, ExecutionTimeout, WTimeoutError), "unreachable", UNREACHABLE),
    ((InvalidBSON,), "damaged", DAMAGED),
    ((InvalidDocument,), "other", FAILED),  # among them: larger than a document may be
    ((InvalidURI, ConfigurationError), "other", ADDRESS),
    ((InvalidOperation,), "other", CLOSED),  # what pymongo says when another thread closed the client
)


def storage_error(error: BaseException) -> StorageError | DuplicateRecord | None:
    """Return what the error means for a caller of the storage, or None when it is not an error of storing."""
    if isinstance(error, StorageError | DuplicateRecord):
        return error
    if isinstance(error, DuplicateKeyError):
        return DuplicateRecord()
    for kinds, reason, text in _MEANINGS:
        if isinstance(error, kinds):
            return StorageError(reason, text.format(_first_line(error)))
    if isinstance(error, OperationFailure):
        return _refused(error)
    if isinstance(error, PyMongoError):
        return StorageError("other", FAILED.format(_first_line(error)))
    return None


def _refused(error: OperationFailure) -> StorageError:
    code = error.code or 0
    if code in _FULL or (code == _HOSTED and "space quota" in str(error)):
        return StorageError("full", FULL)
    if code in _READ_ONLY:
        return StorageError("read-only", READ_ONLY)
    if code in _UNREACHABLE or error.has_error_label("RetryableWriteError"):
        return StorageError("unreachable", UNREACHABLE.format(_first_line(error)))
    return StorageError("other", (REFUSED if code in _REFUSED else FAILED).format(_first_line(error)))


def _first_line(error: BaseException) -> str:
    """What pymongo says, without the topology and the raw answer it appends."""
    text = str(error).partition("\n")[0]
    for mark in (", full error:", ", Timeout:", " (configured timeouts:"):
        text = text.partition(mark)[0]
    return text.rstrip(". ")


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
