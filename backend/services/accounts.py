"""Accounts: registering, signing in, tokens. Must not import Flask."""

from __future__ import annotations

import base64
import binascii
import os
import re
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from backend.errors import BadCredentials, BadId, Conflict, Invalid, RegistrationClosed, UserNotFound
from backend.services.names import check_user_name
from backend.storage.protocol import DuplicateRecord, Storage, User

if TYPE_CHECKING:
    from argon2 import PasswordHasher

    from backend.config import Config

PASSWORD_LIMIT = 1024
PUBLIC_KEY_LIMIT = 8192

_ID = re.compile(r"[0-9a-f]{24}")
_CLASSIC_KEY = re.compile(r"[1-9][0-9]{0,2499} [1-9][0-9]{0,2499}")
_PEM_KEY = re.compile(r"-----BEGIN PUBLIC KEY-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END PUBLIC KEY-----\r?\n?")


class TokenIssuer(Protocol):
    """Makes an access token for a user; provided by the authentication scheme."""

    def __call__(self, user_id: str) -> str: ...


class Accounts:
    """Everything about accounts. Every method may be called from several threads."""

    def __init__(self, storage: Storage, config: Config, issuer: TokenIssuer) -> None:
        self._storage = storage
        self._config = config
        self._issuer = issuer
        # One check takes 64 MiB by default: a burst of sign-ins waits instead of taking all memory.
        self._checks = threading.BoundedSemaphore(2)

    def register(self, name: str, password: str, public_key: str) -> User:
        """Add an account that signs in with a password.

        Raises:
            RegistrationClosed: The server takes no new accounts.
            Invalid: A value is missing or not allowed; all that is missing is named.
            Conflict: The name is taken.
        """
        if not self._config.registration:
            raise RegistrationClosed
        _require(("Username", name), ("Password", password), ("Public key", public_key))
        check_user_name(name)
        secret = _password_bytes(password)
        if secret is None:
            raise Invalid("Password is not allowed")
        check_public_key(public_key)
        if self._storage.user_by_name(name) is not None:
            raise Conflict("Username already exists")
        with self._checks:
            password_hash = self._hasher().hash(secret)
        return self._add(name, password_hash, public_key)

    def create_local_account(self, name: str, public_key: str) -> User:
        """Add the account of a vault on this computer: no password opens it, the desktop asks for tokens itself.

        Raises:
            Invalid: A value is not allowed.
            Conflict: The name is taken.
        """
        _require(("Username", name), ("Public key", public_key))
        return self._add(check_user_name(name), "", check_public_key(public_key))

    def sign_in(self, name: str, password: str) -> User:
        """Return the account that name and password open.

        An unknown name costs the same work and gives the same error as a wrong password.

        Raises:
            Invalid: Name or password is missing.
            BadCredentials: They open no account.
        """
        _require(("Username", name), ("Password", password))
        user = self._storage.user_by_name(name)
        secret = _password_bytes(password)
        known = user is not None and user.password_hash != "" and secret is not None
        stored = user.password_hash if user is not None and known else self._decoy()
        opened = self._verify(stored, secret or b"")
        if user is None or not known or not opened:
            raise BadCredentials
        if secret is not None and self._hasher().check_needs_rehash(stored):
            with self._checks:
                renewed = self._hasher().hash(secret)
            self._storage.change_user(user.id, {"password_hash": stored}, {"password_hash": renewed})
        return user

    def issue_token(self, user_id: str) -> str:
        """Return a new access token for a user."""
        return self._issuer(user_id)

    def revoke_token(self, token_id: str, expires: datetime) -> None:
        """Refuse a token from now on; ``expires`` is naive UTC."""
        self._storage.revoke_token(token_id, expires)

    def is_revoked(self, token_id: str) -> bool:
        """Whether a token was revoked."""
        return self._storage.is_revoked(token_id)

    def get(self, user_id: str) -> User:
        """Return an account.

        Raises:
            BadId: The id is not 24 hex digits.
            UserNotFound: There is no such account.
        """
        user = self._storage.user(check_id(user_id))
        if user is None:
            raise UserNotFound
        return user

    def find(self, name: str) -> User | None:
        """Return the account of this name, or None."""
        return self._storage.user_by_name(name)

    def all(self) -> list[User]:
        """All accounts in order of id."""
        return self._storage.users()

    def _add(self, name: str, password_hash: str, public_key: str) -> User:
        now = datetime.now(UTC).replace(tzinfo=None)
        created = now.replace(microsecond=now.microsecond // 1000 * 1000)
        user = User(self._storage.new_id(), name, password_hash, public_key, created)
        try:
            self._storage.add_user(user)
        except DuplicateRecord:
            raise Conflict("Username already exists") from None
        return user

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


def check_id(untrusted_id: str) -> str:
    """Return an id in the form it is stored in.

    Raises:
        BadId: It is not 24 hex digits.
    """
    lowered = untrusted_id.lower()
    if not _ID.fullmatch(lowered):
        raise BadId
    return lowered


def check_public_key(untrusted_key: str) -> str:
    """Return a public key that has the form of one: ``"<n> <e>"`` or one PEM block.

    Whether it is a good key is for those to judge who encrypt to it; the server only keeps it.

    Raises:
        Invalid: It has neither form.
    """
    pem = _PEM_KEY.fullmatch(untrusted_key) if len(untrusted_key) <= PUBLIC_KEY_LIMIT else None
    if pem is not None:
        try:
            base64.b64decode(pem[1].replace("\r", "").replace("\n", ""), validate=True)
        except binascii.Error:
            pem = None
    if pem is None and not _CLASSIC_KEY.fullmatch(untrusted_key):
        raise Invalid("Public key is invalid")
    return untrusted_key


def _require(*values: tuple[str, str]) -> None:
    missing = [f"{label} is required" for label, value in values if not value.strip()]
    if missing:
        raise Invalid(", ".join(missing))


def _password_bytes(password: str) -> bytes | None:
    """The password's bytes, or None for one that no account can have."""
    try:
        secret = password.encode("utf-8")
    except UnicodeEncodeError:
        return None
    return secret if len(secret) <= PASSWORD_LIMIT else None
