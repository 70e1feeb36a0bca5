"""Sign-ins that the server remembers, so that a client holds no more than a name for one. Must not import Flask.

What a client holds is a random text with a mark of this server; what is stored is its hash. Whoever reads the
storage cannot take a session over, and whoever makes a cookie up is told apart without asking the storage.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from backend.services.clock import utc_now
from backend.storage.protocol import Session, Storage

if TYPE_CHECKING:
    from backend.config import Config
    from backend.storage.protocol import User

_RANDOM_BYTES = 24
_MARK_DIGITS = 32


class Sessions:
    """Sessions of people. Every method may be called from several threads and survives a restart."""

    def __init__(self, storage: Storage, config: Config, key: bytes, now: Callable[[], datetime] = utc_now) -> None:
        """``key`` marks what this server made; the same for every worker."""
        self._storage = storage
        self._seconds = config.session_seconds
        self._key = key
        self._now = now

    def start(self, user: User) -> str:
        """Begin a session and return what the client shall send: letters, digits and dots.

        Args:
            user: The account as it was when it was found to be the caller's: a password change in between ends this
                session too.
        """
        text = f"{secrets.token_hex(_RANDOM_BYTES)}.{user.generation}"
        cookie = f"{text}.{self._mark(text)}"
        created = self._now()
        expires = created + timedelta(seconds=self._seconds) if self._seconds else None
        self._storage.add_session(Session(_stored(cookie), user.id, created, expires))
        return cookie

    def is_genuine(self, untrusted_cookie: str) -> bool:
        """Whether this server made a cookie; the session may have ended. Asks nobody."""
        text, _, mark = untrusted_cookie.rpartition(".")
        return hmac.compare_digest(mark.encode("utf-8", "surrogatepass"), self._mark(text).encode())

    def user_id(self, untrusted_cookie: str) -> str | None:
        """Whose session a cookie names; None when there is none, when it is over, or when the account is."""
        session = self._storage.session(_stored(untrusted_cookie)) if self.is_genuine(untrusted_cookie) else None
        if session is None:
            return None
        if session.expires is not None and session.expires <= self._now():
            self._storage.remove_session(session.id)
            return None
        user = self._storage.user(session.user_id)
        if user is None or user.closing or str(user.generation) != untrusted_cookie.split(".")[1]:
            return None
        return user.id

    def end(self, untrusted_cookie: str) -> bool:
        """End a session; False when there was none."""
        return self._storage.remove_session(_stored(untrusted_cookie))

    def end_all(self, user_id: str) -> None:
        """End every session of an account."""
        self._storage.remove_sessions(user_id)

    def _mark(self, text: str) -> str:
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:_MARK_DIGITS]


def _stored(cookie: str) -> str:
    return "c-" + hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).hexdigest()
