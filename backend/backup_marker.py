"""The mark that a storage bears while a backup is restored into it, so that nobody takes half of it for the whole.

It is a document of an account that cannot exist. It is made before anything else and removed after everything else;
where it is found, a restore was interrupted. Must not import Flask or an engine.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from backend.storage.protocol import Document, StorageError

if TYPE_CHECKING:
    from backend.storage.protocol import Storage

_NOBODY = "0" * 24
_KIND = "unfinished-restore"
UNFINISHED = (
    "A restore into this storage was interrupted, so a part is missing. Run glassine restore again: it removes what is "
    "there and begins anew."
)


def is_unfinished(storage: Storage) -> bool:
    """Whether a restore was begun and not finished."""
    return storage.document(_NOBODY, _KIND) is not None


def check_finished(storage: Storage) -> None:
    """Raise StorageError where a restore was begun and not finished."""
    if is_unfinished(storage):
        raise StorageError("other", UNFINISHED)


def mark(storage: Storage, now: datetime) -> bool:
    """Begin a restore; False when somebody else has."""
    return storage.put_document(Document(_NOBODY, _KIND, "", 1, b"", now))


def unmark(storage: Storage) -> None:
    """End a restore."""
    storage.remove_documents(_NOBODY, _KIND)
