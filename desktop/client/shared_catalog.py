"""What others share with the account, as it was listed or opened last. Safe to use from several threads.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from desktop.client.vault_listing import at_revision, sealed_picture
from desktop.models import Picture

if TYPE_CHECKING:
    from desktop.client.answers import Row
    from desktop.crypto.opened import OpenedEnvelope


@dataclass(frozen=True, slots=True)
class Item:
    """One picture that is shared.

    Attributes:
        picture: As the gallery knows it.
        owner_id: Whose it is.
        picture_id: 32 hex digits; the stored name of a classic picture.
        declined: Its sender was declined: not to be listed.
        opened: Open, when ready.
        grant: The text of the grant that opened it.
    """

    picture: Picture
    owner_id: str
    picture_id: str
    declined: bool = False
    opened: OpenedEnvelope | None = None
    grant: str = ""

    def with_revision(self, opened: OpenedEnvelope, row: Row) -> Item:
        """Return the same picture as it is at another revision, which was accepted and opened."""
        before = self.picture
        now = sealed_picture(self.picture_id, opened.metadata, self.owner_id, row.size, row.created)
        picture = replace(
            now,
            id=before.id,
            owner_name=before.owner_name,
            role=before.role,
            unverified=before.unverified,
        )
        return replace(self, picture=at_revision(picture, opened), opened=opened)


class SharedCatalog:
    """The shared pictures known in this session, by the gallery's id."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._items: dict[str, Item] | None = None

    def all(self) -> Mapping[str, Item] | None:
        """Return everything that was listed last; None before the first listing. Does not change."""
        with self._lock:
            return self._items

    def find(self, picture_id: str) -> Item | None:
        """Return what is known of a picture."""
        with self._lock:
            return (self._items or {}).get(picture_id)

    def listed(self, items: dict[str, Item]) -> None:
        """Take over a listing."""
        with self._lock:
            self._items = items

    def exchange(self, before: Item, now: Item) -> None:
        """Put what is known of a picture in the place of what was, unless a listing was faster."""
        with self._lock:
            if self._items is not None and self._items.get(before.picture.id) is before:
                self._items = {**self._items, before.picture.id: now}

    def remove(self, picture_id: str) -> None:
        """Forget a picture."""
        with self._lock:
            if self._items is not None:
                self._items = {known: item for known, item in self._items.items() if known != picture_id}

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._items = None
