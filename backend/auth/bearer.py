"""JSON Web Tokens in the ``Authorization`` header: signed, with an end, and revocable."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app, request
from flask_jwt_extended import JWTManager, create_access_token, decode_token, verify_jwt_in_request
from flask_jwt_extended.exceptions import (
    InvalidHeaderError,
    JWTExtendedException,
    NoAuthorizationError,
    RevokedTokenError,
    UserLookupError,
)
from jwt.exceptions import ExpiredSignatureError, PyJWTError

from backend.auth.scheme import Identity
from backend.errors import BackendError, BadAuthorizationHeader, Invalid, NotAuthorized, TokenExpired, TokenRevoked

if TYPE_CHECKING:
    from backend.config import Config
    from backend.services import Services
    from backend.storage.protocol import Storage


LEEWAY_SECONDS = 30
_REMEMBERED_SECONDS = 86400
"""How long a revoked token is remembered beyond its end; longer than any leeway."""


class BearerScheme:
    """Access tokens as flask-jwt-extended makes and checks them."""

    def prepare(self, app: Flask, config: Config, storage: Storage, services: Services) -> None:
        """Set an application up; the signing key is the storage's secret and never a setting."""
        app.config.update(
            JWT_SECRET_KEY=storage.secret("jwt"),
            JWT_ALGORITHM="HS256",
            JWT_DECODE_ALGORITHMS=["HS256"],
            JWT_TOKEN_LOCATION=["headers"],
            JWT_ACCESS_TOKEN_EXPIRES=timedelta(seconds=config.token_seconds),
            JWT_ENCODE_NBF=False,
            JWT_DECODE_LEEWAY=LEEWAY_SECONDS,  # a clock that is set back a little must not sign anybody out
            JWT_COOKIE_CSRF_PROTECT=False,  # tokens never travel in cookies
        )
        manager = JWTManager(app)

        @manager.token_in_blocklist_loader
        def is_revoked(_header: dict[str, Any], claims: dict[str, Any]) -> bool:
            return services.accounts.is_revoked(str(claims["jti"]))

        @manager.user_lookup_loader
        def user(_header: dict[str, Any], claims: dict[str, Any]) -> object:
            return storage.user(claims["sub"])

    def authenticate(self) -> Identity | None:
        """Return the token's user, or None when there is no ``Authorization`` header."""
        if not request.headers.get("Authorization"):
            return None
        try:
            verified = verify_jwt_in_request()
        except (PyJWTError, JWTExtendedException) as error:
            raise _refusal(error) from None
        if verified is None:  # the library lets some methods through unchecked; the gate does not
            raise BadAuthorizationHeader
        claims = verified[1]
        # A revoked token is forgotten from then on: not before nobody can use it, nor when a clock is put right.
        expires = datetime.fromtimestamp(claims["exp"] + _REMEMBERED_SECONDS, UTC).replace(tzinfo=None)
        return Identity(claims["sub"], str(claims["jti"]), expires)

    @staticmethod
    def refuse_early(app: Flask, untrusted_header: str) -> BackendError | None:
        """What is wrong with the header's value itself: its form, the token's signature or its end."""
        kind, _, token = untrusted_header.partition(" ")
        if kind != "Bearer" or not token or " " in token:
            return BadAuthorizationHeader()
        try:
            with app.app_context():
                decode_token(token)
        except (PyJWTError, JWTExtendedException) as error:
            return _refusal(error)
        return None

    @staticmethod
    def issue(app: Flask, user_id: str) -> str:
        """Return a new access token, inside or outside a request."""
        with nullcontext() if current_app else app.app_context():
            token: str = create_access_token(identity=user_id)
        return token


def _refusal(error: Exception) -> BackendError:
    if isinstance(error, NoAuthorizationError | InvalidHeaderError):
        return BadAuthorizationHeader()
    if isinstance(error, RevokedTokenError):
        return TokenRevoked()
    if isinstance(error, ExpiredSignatureError):
        return TokenExpired()
    if isinstance(error, UserLookupError):
        return NotAuthorized()  # signed by us, but the account is gone
    return Invalid(str(error))
