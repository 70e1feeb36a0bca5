"""JSON Web Tokens in the ``Authorization`` header: signed, with an end, and revocable."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app, request
from flask_jwt_extended import JWTManager, create_access_token, verify_jwt_in_request
from flask_jwt_extended.exceptions import (
    InvalidHeaderError,
    JWTExtendedException,
    NoAuthorizationError,
    RevokedTokenError,
    UserLookupError,
)
from jwt.exceptions import ExpiredSignatureError, PyJWTError

from backend.auth.scheme import Identity
from backend.errors import BadAuthorizationHeader, Invalid, NotAuthorized, TokenExpired, TokenRevoked

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
        except (NoAuthorizationError, InvalidHeaderError):
            raise BadAuthorizationHeader from None
        except RevokedTokenError:
            raise TokenRevoked from None
        except ExpiredSignatureError:
            raise TokenExpired from None
        except UserLookupError:
            raise NotAuthorized from None  # signed by us, but the account is gone
        except (PyJWTError, JWTExtendedException) as error:
            raise Invalid(str(error)) from None
        if verified is None:  # the library lets some methods through unchecked; the gate does not
            raise BadAuthorizationHeader
        claims = verified[1]
        # A revoked token is forgotten from then on: not before nobody can use it, nor when a clock is put right.
        expires = datetime.fromtimestamp(claims["exp"] + _REMEMBERED_SECONDS, UTC).replace(tzinfo=None)
        return Identity(claims["sub"], str(claims["jti"]), expires)

    @staticmethod
    def issue(app: Flask, user_id: str) -> str:
        """Return a new access token, inside or outside a request."""
        with nullcontext() if current_app else app.app_context():
            token: str = create_access_token(identity=user_id)
        return token
