"""Telling the sign-in password from a passphrase without keeping the password.

The server sees the password whenever somebody signs in; a passphrase that is the same would open the key for it. Must
not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import unicodedata

from desktop import errors

_COST = 1 << 14
"""scrypt's N: 16 MiB and some 40 ms, in case the memory of the program is written to a disk."""


class PasswordCheck:
    """Knows whether a text is the password, in memory only and not as the password."""

    def __init__(self, password: str) -> None:
        """Take the password that was just used to sign in."""
        self._salt = os.urandom(16)
        self._digest = self._stretch(password)

    def refuse(self, passphrase: str) -> None:
        """Raise PassphraseRefused for the password, in whatever Unicode form it was typed."""
        if hmac.compare_digest(self._stretch(passphrase), self._digest):
            raise errors.PassphraseRefused(
                "Choose a passphrase that is not your sign-in password. The server must never see it."
            )

    def _stretch(self, text: str) -> bytes:
        secret = unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")
        return hashlib.scrypt(secret, salt=self._salt, n=_COST, r=8, p=1, dklen=32)
