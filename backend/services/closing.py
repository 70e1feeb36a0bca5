"""Deleting an account with all that belongs to it. Must not import Flask.

It speaks to the storage alone and not to the other services: nothing here is decided, everything goes, and it must
work again from any point at which it was cut off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.services.removal import remove_blobs

if TYPE_CHECKING:
    from backend.storage.protocol import Storage

PAGE = 200
"""Records that are read at once."""


def close_account(storage: Storage, user_id: str) -> bool:
    """Remove an account that is marked as closing, and everything of it; idempotent.

    The record goes last, so that whatever is cut off in between is found again through it.

    Returns:
        Whether this call removed the record.
    """
    remove_belongings(storage, user_id)
    removed = storage.remove_user(user_id)
    # What a request that had begun before has still added meanwhile; from now on nothing more can begin.
    remove_belongings(storage, user_id)
    return removed


def remove_belongings(storage: Storage, user_id: str) -> None:
    """Remove all that a user owns or was given: sessions first, so that nobody goes on adding."""
    storage.remove_sessions(user_id)
    for owner_id, size in storage.remove_permissions_of(user_id).items():
        storage.release_bytes(owner_id, size)
    storage.remove_documents(user_id)
    for listed in (storage.pictures, storage.bin):
        while pictures := listed(user_id, limit=PAGE):
            for picture in pictures:
                gone = storage.remove_picture(picture.id)
                remove_blobs(storage, gone.picture.blobs if gone is not None else ())
    while files := storage.files(user_id, limit=PAGE):
        for file in files:
            published = storage.remove_file(file.id)
            remove_blobs(storage, [published.blob] if published is not None else [])
