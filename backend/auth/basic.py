"""HTTP Basic: a name or an e-mail address with its password, or a short-lived token in the place of the name.

A browser that was given them in its own window sends them whoever makes it send a request, as it sends cookies; pages
that the setting ``cors_origins`` names may send their own.
"""

from __future__ import annotations

import base64
import binascii
import time
from typing import TYPE_CHECKING, cast

import jwt
from flask import Flask, current_app, request

from backend.auth.origin import is_foreign_change
from backend.auth.scheme import Credentials, Identity
from backend.auth.signing import signing_key
from backend.config import listed
from backend.errors import BadAuthorizationHeader, BadCredentials, Invalid, NotAuthorized

if TYPE_CHECKING:
    from backend.config import Config
    from backend.errors import BackendError
    from backend.services import Services
    from backend.storage.protocol import Storage, User

TOKEN_SECONDS = 600
"""How long a token is good that is sent in the place of the name; from one that is, the next can be made."""

_EXTENSION = "glassine.basic"
_KIND = "basic"


class _Settings:
    """What an application needs to check this scheme's credentials."""

    def __init__(self, storage: Storage, services: Services, key: bytes, origins: frozenset[str]) -> None:
        self.storage = storage
        self.services = services
        self.key = key
        self.origins = origins


class BasicScheme:
    """User name and password with every request. Each check costs what a sign-in costs."""

    name = "basic"

    def prepare(self, app: Flask, config: Config, storage: Storage, services: Services) -> None:
        """Set an application up; the key of the tokens is not that of other tokens."""
        key, origins = signing_key(config, storage, "basic"), frozenset(listed(config.cors_origins))
        app.extensions[_EXTENSION] = _Settings(storage, services, key, origins)

    def authenticate(self) -> Identity | None:
        """Return whom the header's credentials belong to, or None when there is no such header."""
        sent = request.headers.get("Authorization", "")
        if not _is_basic(sent):
            return None
        name, password = _decode(sent)
        settings = cast(_Settings, current_app.extensions[_EXTENSION])
        if is_foreign_change(settings.origins):
            raise NotAuthorized
        user = _of_token(settings, name)
        if user is not None:
            return Identity(user.id, scheme=self.name, by_token=True)
        return Identity(_of_password(settings, name, password).id, scheme=self.name)

    def refuse_early(self, app: Flask, untrusted: Credentials) -> BackendError | None:
        """Only what has not the form of credentials: a password cannot be checked in passing."""
        try:
            if not _is_basic(untrusted.authorization):
                raise BadAuthorizationHeader
            _decode(untrusted.authorization)
        except BadAuthorizationHeader as error:
            return error
        return None

    @staticmethod
    def issue(app: Flask, user: User) -> str:
        """Return a token that is good for ``TOKEN_SECONDS`` in the place of the user's name."""
        settings = cast(_Settings, app.extensions[_EXTENSION])
        now = int(time.time())
        claims = {"id": user.id, "gen": user.generation, "kind": _KIND, "iat": now, "exp": now + TOKEN_SECONDS}
        return jwt.encode(claims, settings.key, "HS256")


def _is_basic(header: str) -> bool:
    return header.partition(" ")[0].lower() == "basic"


def _decode(header: str) -> tuple[str, str]:
    """Name and password of a header; raises BadAuthorizationHeader."""
    encoded = header.partition(" ")[2].strip()
    try:
        sent = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise BadAuthorizationHeader from None
    try:
        text = sent.decode("utf-8")
    except UnicodeDecodeError:
        text = sent.decode("latin-1")  # which some HTTP libraries send (RFC 7617 leaves it open)
    name, colon, password = text.partition(":")
    if not colon:
        raise BadAuthorizationHeader
    return name, password


def _of_token(settings: _Settings, untrusted_token: str) -> User | None:
    if untrusted_token.count(".") != 2:
        return None
    try:
        claims = jwt.decode(untrusted_token, settings.key, ["HS256"], options={"require": ["exp", "id", "gen", "kind"]})
    except jwt.PyJWTError:
        return None
    user = settings.storage.user(str(claims["id"]))
    if claims["kind"] != _KIND or user is None or user.closing or user.generation != claims["gen"]:
        return None
    return user


def _of_password(settings: _Settings, name: str, password: str) -> User:
    """The account that a name or an e-mail address opens. When one account has it for a name and another for an
    address, each opens with its own password: neither can lock the other out."""
    accounts, address = settings.services.accounts, request.remote_addr or ""
    by_email = settings.storage.user_by_email(name)
    by_name = settings.storage.user_by_name(name)
    try:
        if by_email is not None and by_name is not None and by_email.id != by_name.id:
            try:
                return accounts.sign_in(name, password, address=address)
            except BadCredentials:
                pass
        return accounts.sign_in(name, password, by_email=by_email is not None, address=address)
    except BadCredentials:
        raise
    except Invalid:
        raise BadCredentials from None  # an empty name or password
