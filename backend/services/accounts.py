"""Accounts: registering, signing in, tokens, changing and deleting. Must not import Flask."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from backend.errors import BadCredentials, Conflict, Invalid, RegistrationClosed, TokenRevoked, UserNotFound
from backend.services.account_rules import (
    check_email,
    check_id,
    check_password,
    check_person_name,
    check_public_key,
    require,
)
from backend.services.attempts import Attempts
from backend.services.clock import utc_now
from backend.services.closing import close_account
from backend.services.names import check_user_name
from backend.services.passwords import Passwords
from backend.services.tokens import SignIn, TokenIssuer, Tokens
from backend.storage.protocol import DuplicateRecord, Storage, User

if TYPE_CHECKING:
    from backend.config import Config

__all__ = ["Accounts", "Tokens", "check_id"]


class Accounts:
    """Everything about accounts. Every method may be called from several threads.

    ``address`` is where a request comes from; the limits on attempts count by it. All that come with the same one, the
    empty one too, share a limit.
    """

    def __init__(self, storage: Storage, config: Config, issuer: TokenIssuer) -> None:
        self._storage = storage
        self._config = config
        self._issuer = issuer
        self._passwords = Passwords(config)
        self._attempts = Attempts(config)

    def register(
        self,
        name: str,
        password: str,
        public_key: str,
        *,
        kind: str = "",
        email: str = "",
        first_name: str = "",
        last_name: str = "",
        key_required: bool = True,
        address: str = "",
    ) -> User:
        """Add an account that signs in with a password.

        Raises:
            RegistrationClosed: The server takes no new accounts.
            Invalid: A value is missing or not allowed; all that is missing is named.
            Conflict: The name or the e-mail address is taken.
            TooManyAttempts: Too many new accounts from this address.
        """
        if not self._config.registration:
            raise RegistrationClosed
        key = (("Public key", public_key),) if key_required else ()
        require(("Username", name), ("Password", password), *key)
        check_user_name(name)
        secret = check_password(password)
        if public_key or key_required:
            check_public_key(public_key)
        user = User(
            id=self._storage.new_id(),
            name=name,
            password_hash="",
            public_key=public_key,
            created=utc_now(),
            kind=kind,
            email=check_email(email),
            first_name=check_person_name(first_name),
            last_name=check_person_name(last_name),
        )
        with self._attempts.registration(address):
            self._check_free(user)
            return self._add(replace(user, password_hash=self._passwords.hash(secret)))

    def create_local_account(self, name: str, public_key: str) -> User:
        """Add the account of a vault on this computer: no password opens it, the desktop asks for tokens itself.

        Raises:
            Invalid: A value is not allowed.
            Conflict: The name is taken.
        """
        require(("Username", name), ("Public key", public_key))
        user = User(self._storage.new_id(), check_user_name(name), "", check_public_key(public_key), utc_now())
        return self._add(user)

    def sign_in(self, name: str, password: str, *, kind: str = "", by_email: bool = False, address: str = "") -> User:
        """Return the account that name (or e-mail address) and password open.

        An unknown name costs the same work and gives the same error as a wrong password.

        Raises:
            Invalid: Name or password is missing.
            BadCredentials: They open no account.
            TooManyAttempts: Too many failed; the password was not looked at.
        """
        require(("Email" if by_email else "Username", name), ("Password", password))
        with self._attempts.sign_in(address, kind, name):
            user = self._storage.user_by_email(name) if by_email else self._storage.user_by_name(name, kind)
            if not self._opens(user, password) or user is None:
                raise BadCredentials
        renewed = self._passwords.renewed(user.password_hash, password)
        if renewed is not None:
            self._storage.change_user(user.id, {"password_hash": user.password_hash}, {"password_hash": renewed})
        return user

    def confirm(self, user_id: str, password: str, address: str = "") -> User:
        """Return a signed-in person's account if the password is right that was asked for once more.

        Raises:
            Invalid: It is missing or wrong.
            TooManyAttempts: Too many were wrong; it was not looked at.
        """
        require(("Password", password))
        user = self._present(user_id)
        with self._attempts.sign_in(address, user.kind, user.name):
            if not self._opens(user, password):
                raise Invalid("Password is wrong")
        return user

    # -- tokens --
    def issue_tokens(self, user: User) -> Tokens:
        """Return the tokens of a new sign-in. ``user`` as it was when it was found to be the caller: a password change
        in between ends this sign-in too."""
        ends = int(datetime.now(UTC).timestamp()) + self._config.refresh_seconds
        return self._issuer(SignIn(user.id, user.generation, secrets.token_hex(16), ends))

    def issue_token(self, user_id: str) -> str:
        """Return a new access token for an account, for a caller that keeps no other.

        Raises:
            UserNotFound: There is no such account.
        """
        return self.issue_tokens(self._present(user_id)).access

    def refresh(self, sign_in: SignIn, token_id: str, expires: datetime) -> Tokens:
        """Return new tokens of a sign-in in exchange for a refresh token, which is spent with that.

        Whoever presents one a second time has it from somebody else, or was robbed of it: nobody can tell which of the
        two is which, so the sign-in ends for both (RFC 9700, section 4.14).

        Args:
            sign_in: What the refresh token says; it is genuine and its account is there and of its generation.
            token_id: The id of the refresh token.
            expires: From when on no token of this sign-in can be used; naive UTC.

        Raises:
            TokenRevoked: The refresh token was spent before.
        """
        if not self._storage.revoke_token(token_id, expires):
            self._storage.revoke_token(sign_in.family, expires)
            raise TokenRevoked
        return self._issuer(sign_in)

    def revoke_token(self, token_id: str, expires: datetime) -> None:
        """Refuse a token, or all of a family, from now on; ``expires`` is naive UTC."""
        self._storage.revoke_token(token_id, expires)

    def is_revoked(self, token_id: str) -> bool:
        """Whether a token or a family was revoked."""
        return self._storage.is_revoked(token_id)

    # -- looking up --
    def get(self, user_id: str, kind: str = "") -> User:
        """Return an account of a kind.

        Raises:
            BadId: The id is not 24 hex digits.
            UserNotFound: There is no such account.
        """
        user = self._present(check_id(user_id))
        if user.kind != kind:
            raise UserNotFound
        return user

    def find(self, name: str, kind: str = "") -> User | None:
        """Return the account of exactly this name, or None."""
        user = self._storage.user_by_name(name, kind)
        return None if user is None or user.closing else user

    def users(self, *, after: str = "", limit: int | None = None) -> list[User]:
        """People in order of id, those after an id; fewer than ``limit`` only at the end."""
        found: list[User] = []
        while True:
            wanted = None if limit is None else limit - len(found)
            rows = self._storage.users(after=after, limit=wanted)
            found += [user for user in rows if not user.closing]
            if wanted is None or len(rows) < wanted or len(found) == limit:
                return found
            after = rows[-1].id

    def all(self) -> list[User]:
        """All people in order of id."""
        return self.users()

    # -- changing --
    def set_names(self, user_id: str, first_name: str, last_name: str) -> User:
        """Change first and last name.

        Raises:
            Invalid: One of them is not allowed.
            UserNotFound: There is no such account.
        """
        names = {"first_name": check_person_name(first_name), "last_name": check_person_name(last_name)}
        self._storage.change_user(user_id, {"closing": False}, names | {"updated": utc_now()})
        return self._present(user_id)

    def change_password(self, user_id: str, old: str, new: str, address: str = "") -> User:
        """Change the password; every sign-in of the account ends with that. Returns the account as it is now.

        Raises:
            Invalid: The old one is wrong, or the new one is missing or not allowed.
            Conflict: The account was changed at the same moment.
            TooManyAttempts: Too many old ones were wrong.
        """
        require(("Old password", old), ("New password", new))
        secret = check_password(new)
        user = self.confirm(user_id, old, address)
        expected = {"password_hash": user.password_hash, "generation": user.generation, "closing": False}
        changes = {"password_hash": self._passwords.hash(secret), "generation": user.generation + 1}
        if not self._storage.change_user(user_id, expected, changes):
            raise Conflict("The account was changed at the same time")
        self._storage.remove_sessions(user_id)  # to tidy up: the generation has ended them already
        return self._present(user_id)

    def change_key(self, user_id: str, public_key: str, password: str, address: str = "") -> User:
        """Put another public key in the place of the one that is there, or the first one.

        Raises:
            Invalid: The password or the key is missing or wrong.
            Conflict: The key was changed at the same moment.
            TooManyAttempts: Too many passwords were wrong.
        """
        require(("Public key", public_key), ("Password", password))
        check_public_key(public_key)
        user = self.confirm(user_id, password, address)
        expected = {"public_key": user.public_key, "closing": False}
        if not self._storage.change_user(user_id, expected, {"public_key": public_key}):
            raise Conflict("The account was changed at the same time")
        return self._present(user_id)

    # -- deleting --
    def delete(self, user_id: str) -> None:
        """Delete an account with everything that belongs to it, or go on with that.

        Raises:
            UserNotFound: There is no such account.
        """
        self._storage.change_user(user_id, {"closing": False}, {"closing": True})
        if self._storage.user(user_id) is None:
            raise UserNotFound
        close_account(self._storage, user_id)

    def close(self) -> None:
        """Release what counting attempts holds. Idempotent."""
        self._attempts.close()

    def _present(self, user_id: str) -> User:
        user = self._storage.user(user_id)
        if user is None or user.closing:
            raise UserNotFound
        return user

    def _opens(self, user: User | None, password: str) -> bool:
        present = user is not None and not user.closing
        return self._passwords.opens(user.password_hash if user is not None and present else None, password)

    def _check_free(self, user: User) -> None:
        if self._storage.user_by_name(user.name, user.kind) is not None:
            raise Conflict("Username already exists")
        if user.kind == "" and self._storage.user_by_email(user.email) is not None:
            raise Conflict("Email already exists")

    def _add(self, user: User) -> User:
        try:
            self._storage.add_user(user)
        except DuplicateRecord:
            self._check_free(user)
            raise Conflict("Username already exists") from None
        return user
