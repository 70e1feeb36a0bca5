"""Thumbnails of a vault: from the disk if they are there, else many in one request, opened and checked.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from desktop import errors, image_formats
from desktop.client.api import THUMBNAILS_AT_ONCE
from desktop.client.thumbnail_cache import ThumbnailCache
from desktop.client.vault_listing import Known
from desktop.models import IsCancelled, PictureState, Report

if TYPE_CHECKING:
    from desktop.client.api import Api

log = logging.getLogger(__name__)


class VaultThumbnails:
    """Fetches, keeps and opens the sealed thumbnails of one account. Safe to use from several threads."""

    def __init__(self, api: Api, user_id: str, folder: Path) -> None:
        """Nothing is read or created yet; for a backend in this process nothing is kept in ``folder``."""
        self._api = api
        self._user_id = user_id
        # for a vault on this computer a second copy on the same disk would gain nothing
        self._cache = None if api.embedded else ThumbnailCache(folder)

    def get(self, pictures: Iterable[Known], report: Report, cancelled: IsCancelled) -> dict[str, bytes]:
        """Return JPEG thumbnails by picture id; without those that there are not or that do not open."""
        found: dict[str, bytes] = {}
        listed: dict[str, Known] = {}
        binned: dict[str, Known] = {}
        for known in pictures:
            jpeg = self._kept(known)
            if jpeg is not None:
                found[known.picture.id] = jpeg
            elif known.picture.state is PictureState.MISSING:
                continue  # the server does not have it
            elif known.picture.deleted is not None:
                binned[known.row_id] = known
            else:
                listed[known.picture.stored_name] = known
        total = len(found) + len(listed) + len(binned)
        for fetch, wanted in ((self._api.thumbnails, listed), (self._api.bin_thumbnails, binned)):
            names = list(wanted)
            for start in range(0, len(names), THUMBNAILS_AT_ONCE):
                batch = fetch(self._user_id, names[start : start + THUMBNAILS_AT_ONCE], cancelled)
                found |= self._opened({wanted[name].picture.id: (wanted[name], batch[name]) for name in batch})
                report(len(found), total)
        return found

    def _opened(self, fetched: dict[str, tuple[Known, bytes]]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for picture_id, (known, untrusted) in fetched.items():
            try:
                found[picture_id] = _open(known, untrusted)
            except errors.GlassineError as error:
                log.warning("a thumbnail does not open: %s %s", error.code, error.details)
                continue
            self.keep(known, untrusted)
        return found

    def keep(self, known: Known, sealed: bytes) -> None:
        """Keep a sealed thumbnail on the disk, if that gains anything."""
        if self._cache is not None:
            self._cache.put(known.picture.id, known.header_hash, sealed)

    def drop(self, known: Known) -> None:
        """Forget a picture's thumbnail."""
        if self._cache is not None and known.header_hash:
            self._cache.drop(known.picture.id, known.header_hash)

    def _kept(self, known: Known) -> bytes | None:
        if self._cache is None:
            return None
        untrusted = self._cache.get(known.picture.id, known.header_hash)
        if untrusted is None:
            return None
        try:
            return _open(known, untrusted)
        except errors.GlassineError:
            self.drop(known)
            return None


def _open(known: Known, untrusted: bytes) -> bytes:
    if known.thumbnail_key is None:
        raise errors.Damaged(details="no thumbnail is known")
    jpeg = known.thumbnail_key.open(untrusted)
    image_formats.check_thumbnail(jpeg)
    return jpeg
