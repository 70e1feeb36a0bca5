"""How many pictures accounts have, without counting them for every page of a walk. Must not import Flask."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.storage.protocol import Storage

RECENT_SECONDS = 10.0
"""For so long a count is good enough for a page within a walk."""

REMEMBERED = 1000
"""Accounts whose counts are remembered."""


class Counts:
    """Counts pictures. Every method may be called from several threads."""

    def __init__(self, storage: Storage, clock: Callable[[], float] = time.monotonic) -> None:
        self._storage = storage
        self._clock = clock
        self._known: dict[str, tuple[int, float]] = {}

    def get(self, owner_id: str, *, within: bool = False) -> int:
        """How many pictures an owner has.

        Args:
            owner_id: Whose.
            within: Whether it is asked for a page within a walk: the first and the last are always counted for, and
                between them the number may be some seconds old.
        """
        if within and (known := self._known.get(owner_id)) is not None and self._clock() - known[1] < RECENT_SECONDS:
            return known[0]
        count = self._storage.count_pictures(owner_id)
        if len(self._known) >= REMEMBERED:
            self._known = {}
        self._known[owner_id] = count, self._clock()
        return count
