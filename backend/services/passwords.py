"""Passwords: what is kept of them and how one is checked. Must not import Flask.

New ones are kept as argon2id. ``sha256$salt$hex`` (HMAC-SHA256 of the password, keyed by the salt) comes with imported
accounts and is replaced at the next sign-in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

    from backend.config import Config

PASSWORD_LIMIT = 1024
"""Bytes of a password in UTF-8."""

_IMPORTED = re.compile(r"sha256\$([^$]+)\$([0-9a-f]{64})")


class Passwords:
    """Hashing and checking at the cost that the settings name. Every method may be called from several threads."""

    def __init__(self, config: Config) -> None:
        self._config = config
        # One check takes 64 MiB by default: a burst of sign-ins waits instead of taking all memory.
        self._checks = threading.BoundedSemaphore(2)

    def hash(self, secret: bytes) -> str:
        """Return what is kept of a password."""
        with self._checks:
            return self._hasher().hash(secret)

    def opens(self, stored: str | None, password: str) -> bool:
        """Whether a password is the one that ``stored`` was made of.

        Costs the same work whatever the answer is, also when no password can be right: ``stored`` is None or empty, or
        the password is one that no account can have.
        """
        secret = password_bytes(password)
        imported = _IMPORTED.fullmatch(stored or "")
        possible = bool(stored) and secret is not None and imported is None
        opened = self._verify(stored if stored and possible else self._decoy(), secret or b"")
        if imported is not None and secret is not None:
            digest = hmac.new(imported[1].encode(), secret, hashlib.sha256).hexdigest()
            return hmac.compare_digest(digest, imported[2])
        return possible and opened

    def renewed(self, stored: str, password: str) -> str | None:
        """What to keep instead for a password that was right, or None when ``stored`` is as the settings want it."""
        secret = password_bytes(password)
        if secret is None or not (_IMPORTED.fullmatch(stored) or self._hasher().check_needs_rehash(stored)):
            return None
        return self.hash(secret)

    def _hasher(self) -> PasswordHasher:
        from argon2 import PasswordHasher

        return PasswordHasher(time_cost=self._config.argon2_passes, memory_cost=self._config.argon2_memory_kib)

    def _decoy(self) -> str:
        # Well-formed with today's cost, so that checking it takes as long as checking a real one; nothing opens it.
        salt, digest = (base64.b64encode(os.urandom(n)).rstrip(b"=").decode() for n in (16, 32))
        cost = f"m={self._config.argon2_memory_kib},t={self._config.argon2_passes},p={self._hasher().parallelism}"
        return f"$argon2id$v=19${cost}${salt}${digest}"

    def _verify(self, stored: str, secret: bytes) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError

        with self._checks:
            try:
                return self._hasher().verify(stored, secret)
            except (VerificationError, InvalidHashError):
                return False


def password_bytes(password: str) -> bytes | None:
    """The password's bytes, or None for one that no account can have."""
    try:
        secret = password.encode("utf-8")
    except UnicodeEncodeError:
        return None
    return secret if len(secret) <= PASSWORD_LIMIT else None
