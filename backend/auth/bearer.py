"""JSON Web Tokens in the ``Authorization`` header: signed, with an end, and revocable.

A sign-in has a family of tokens: access tokens go with every request, and a refresh token is exchanged, once, for the
next two. Claims of our own: ``fam`` names the family, ``gen`` is the account's generation and ``end`` from when on the
sign-in cannot be renewed. Tokens without them are older: each is its own family, of generation 0 (docs/adr/0044).
"""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    decode_token,
    get_current_user,
    get_jwt,
    verify_jwt_in_request,
)
from flask_jwt_extended.exceptions import (
    InvalidHeaderError,
    JWTExtendedException,
    NoAuthorizationError,
    RevokedTokenError,
    UserLookupError,
)
from jwt.exceptions import ExpiredSignatureError, PyJWTError

from backend.auth.scheme import Credentials, Identity
from backend.auth.signing import signing_key
from backend.errors import BackendError, BadAuthorizationHeader, Invalid, NotAuthorized, TokenExpired, TokenRevoked
from backend.services.tokens import SignIn, Tokens

if TYPE_CHECKING:
    from backend.config import Config
    from backend.services import Services
    from backend.storage.protocol import Storage, User


LEEWAY_SECONDS = 30
REFRESH = "accounts.refresh"
"""The one endpoint that takes a refresh token, and no access token."""

_REMEMBERED_SECONDS = 86400
"""How long a revoked token is remembered beyond its end; longer than any leeway."""


class BearerScheme:
    """Access tokens as flask-jwt-extended makes and checks them."""

    name = "bearer"

    def prepare(self, app: Flask, config: Config, storage: Storage, services: Services) -> None:
        """Set an application up."""
        app.config.update(
            JWT_SECRET_KEY=signing_key(config, storage, "jwt"),
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
            return services.accounts.is_revoked(_sign_in(claims).family)

        @manager.user_lookup_loader
        def user(_header: dict[str, Any], claims: dict[str, Any]) -> object:
            return storage.user(claims["sub"])

    def authenticate(self) -> Identity | None:
        """Return the token's user, or None when there is no ``Authorization`` header or one of Basic."""
        header = request.headers.get("Authorization", "")
        if not header or header[:6].lower() == "basic ":
            return None
        if _token(header) is None:  # the library would take more than this
            raise BadAuthorizationHeader
        try:
            verified = verify_jwt_in_request(refresh=request.endpoint == REFRESH)
        except (PyJWTError, JWTExtendedException) as error:
            raise _refusal(error) from None
        if verified is None:  # the library lets some methods through unchecked; the gate does not
            raise BadAuthorizationHeader
        sign_in = _sign_in(verified[1])
        _check_account(get_current_user(), sign_in)
        token_id = str(verified[1]["jti"])
        return Identity(sign_in.user_id, token_id, _forgotten(verified[1]), self.name, sign_in.family, by_token=True)

    @staticmethod
    def refresh_token() -> tuple[SignIn, str, datetime]:
        """What the refresh token of this request says: the sign-in, the token's id, and from when on nothing of the
        sign-in can be used (naive UTC).

        Raises:
            BadAuthorizationHeader: The request was let in by something else than a token.
        """
        try:
            claims = get_jwt()
        except RuntimeError:  # the library's word for a request that it has not verified
            raise BadAuthorizationHeader from None
        return _sign_in(claims), str(claims["jti"]), _forgotten(claims)

    @staticmethod
    def refuse_early(app: Flask, untrusted: Credentials) -> BackendError | None:
        """What is wrong with the header's value itself: its form, the token's signature or its end."""
        token = _token(untrusted.authorization)
        if token is None:
            return BadAuthorizationHeader()
        try:
            with app.app_context():
                decode_token(token)
        except (PyJWTError, JWTExtendedException) as error:
            return _refusal(error)
        return None

    @staticmethod
    def issue(app: Flask, sign_in: SignIn) -> Tokens:
        """Return new tokens of a sign-in, inside or outside a request."""
        claims = {"gen": sign_in.generation, "fam": sign_in.family, "end": sign_in.ends}
        left = timedelta(seconds=sign_in.ends - int(datetime.now(UTC).timestamp()))
        with nullcontext() if current_app else app.app_context():
            return Tokens(
                access=create_access_token(sign_in.user_id, additional_claims=claims),
                refresh=create_refresh_token(sign_in.user_id, expires_delta=left, additional_claims=claims),
            )


def _token(header: str) -> str | None:
    """The token of a header that has the form of one."""
    parts = header.split(" ")
    return parts[1] if len(parts) == 2 and parts[0] == "Bearer" and parts[1] and "," not in parts[1] else None


def _sign_in(claims: dict[str, Any]) -> SignIn:
    family = str(claims.get("fam", claims["jti"]))
    return SignIn(claims["sub"], int(claims.get("gen", 0)), family, int(claims.get("end", claims["exp"])))


def _forgotten(claims: dict[str, Any]) -> datetime:
    # A revoked sign-in is forgotten from then on: not before nobody can use any token of it, nor when a clock is put
    # right. The last access token may have been made just before the sign-in could not be renewed any more.
    lasts = int(current_app.config["JWT_ACCESS_TOKEN_EXPIRES"].total_seconds())
    last = max(claims["exp"], claims.get("end", claims["exp"]) + lasts)
    return datetime.fromtimestamp(last + _REMEMBERED_SECONDS, UTC).replace(tzinfo=None)


def _check_account(user: User, sign_in: SignIn) -> None:
    if user.closing or user.kind:
        raise NotAuthorized  # accounts of another kind have other ways in
    if user.generation != sign_in.generation:
        raise TokenRevoked


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
