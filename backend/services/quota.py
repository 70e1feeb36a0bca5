"""What accounts may store. Must not import Flask."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.errors import NotAuthorized, QuotaExceeded
from backend.storage.protocol import StorageError

if TYPE_CHECKING:
    from backend.config import Config
    from backend.storage.protocol import Storage, User

logger = logging.getLogger(__name__)

OVERHEAD = 64 * 1024
"""Bytes of a request that may not be accounted for: the form around everything."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an account stores.

    Attributes:
        used: Bytes accounted for, bin included.
        limit: Bytes; 0: without limit.
    """

    used: int
    limit: int


class Quota:
    """Accounts for the bytes of pictures. Every method may be called from several threads."""

    def __init__(self, storage: Storage, config: Config) -> None:
        self._storage = storage
        self._config = config

    def usage(self, user_id: str) -> Usage:
        """What an account stores; raises NotAuthorized when there is no such account."""
        user = self._user(user_id)
        return Usage(user.used_bytes, self._limit(user))

    def check_room(self, user_id: str, body_length: int | None, spare: int = 0) -> None:
        """Refuse what certainly has no room before it is taken in.

        Args:
            user_id: Whose account.
            body_length: Bytes of the request; None when it is not known.
            spare: Bytes that need no room: what is replaced, and more of the request that is not accounted for.

        Raises:
            QuotaExceeded: There is no room.
        """
        if body_length is None:
            return
        usage = self.usage(user_id)
        if usage.limit and usage.used + body_length - OVERHEAD - spare > usage.limit:
            raise QuotaExceeded

    def reserve(self, user_id: str, size: int) -> None:
        """Account for bytes that are about to be kept; nothing for none or fewer.

        Raises:
            QuotaExceeded: They have no room.
            NotAuthorized: There is no such account any more.
        """
        if size <= 0:
            return
        limit = self._limit(self._user(user_id))
        if not self._storage.reserve_bytes(user_id, size, limit):
            self._user(user_id)
            raise QuotaExceeded

    def release(self, user_id: str, size: int) -> None:
        """Account for bytes no longer; nothing for none or fewer. Never fails, for what they were reserved for is gone:
        the account may show more than it stores until it is recounted."""
        if size > 0:
            try:
                self._storage.release_bytes(user_id, size)
            except StorageError as error:
                logger.warning("What is gone stays accounted for: %s", error)

    def settle(self, user_id: str, size: int) -> None:
        """Account for what was stored or removed otherwise than it looked when room was reserved: so many bytes more,
        whatever the limit, or fewer."""
        if size > 0:
            self._storage.reserve_bytes(user_id, size, 0)
        else:
            self.release(user_id, -size)

    def _user(self, user_id: str) -> User:
        user = self._storage.user(user_id)
        if user is None or user.closing:
            raise NotAuthorized
        return user

    def _limit(self, user: User) -> int:
        return self._config.quota_bytes if user.quota_bytes < 0 else user.quota_bytes
