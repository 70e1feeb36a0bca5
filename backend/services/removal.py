"""Removing pictures for good: the record first, then its bytes. Must not import Flask."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from backend.storage.protocol import StorageError

if TYPE_CHECKING:
    from backend.services.quota import Quota
    from backend.storage.protocol import PictureRecord, Storage

logger = logging.getLogger(__name__)


def remove_for_good(
    storage: Storage, quota: Quota, picture_id: str, *, deleted: datetime | None = None
) -> PictureRecord | None:
    """Remove a picture with its permissions and history and return it; None when somebody else did, or, unless
    ``deleted`` is None, when it is not in the bin since exactly then.

    From the moment the record is gone the picture is gone; bytes that cannot be removed are orphans, collected later.
    """
    removed = storage.remove_picture(picture_id, deleted=deleted)
    if removed is None:
        return None
    picture = removed.picture
    remove_blobs(storage, picture.blobs)
    quota.release(picture.owner_id, picture.stored_bytes + removed.grant_bytes)
    return picture


def remove_blobs(storage: Storage, blob_ids: Iterable[str]) -> None:
    """Remove bytes that no record names any more. Never fails: what cannot be removed now is an orphan."""
    for blob_id in blob_ids:
        try:
            storage.remove_blob(blob_id)
        except StorageError as error:
            logger.warning("A deleted picture's bytes stay until the next start: %s", error)
