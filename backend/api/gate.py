"""The gate before every route: denied unless the route is listed as public. And the headers behind every answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from backend.auth import FILE_TOKEN, FORM, SCHEMES, Credentials, Identity, Scheme, accepted, authenticate, refuse_early
from backend.config import Config
from backend.errors import (
    BackendError,
    BadAuthorizationHeader,
    BasicRequired,
    Forbidden,
    NotAuthorized,
    TooLarge,
    Unauthorized,
)
from backend.services.accounts import check_id

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

PUBLIC = frozenset(
    {
        "accounts.login", "accounts.register", "server.info", "health.alive", "health.ready", "health.metrics",
        "documentation.page", "documentation.description", "documentation.asset",
        "earlier_api.login", "earlier_api.login_form", "earlier_api.register", "earlier_api.register_form",
        "token_api.register", "token_api.user",
        "file_server.ops_signup", "file_server.ops_login", "file_server.client_signup", "file_server.client_login",
        "session_api.status", "session_api.unauthorized", "session_api.forbidden", "session_api.register",
        "session_api.login",
    }
)  # fmt: skip
"""Endpoints that answer without credentials. Everything else refuses."""

SMALL_BODY = 256 * 1024
"""Largest body of every route but the upload of pictures."""

UPLOADS = frozenset(
    {"pictures.upload", "revisions.replace", "documents.put_ledger", "earlier_api.upload", "file_server.upload"}
)
"""Endpoints that take larger ones."""


@dataclass(frozen=True, slots=True)
class Realm:
    """How some routes ask who is there, and how they refuse.

    Attributes:
        schemes: What they take, as far as it is one of their own or the server accepts it.
        refusal: What they say to everybody else; None: what exactly is wrong.
        nobody: What they say where there are no credentials, unless ``refusal`` is said to all.
    """

    schemes: tuple[Scheme, ...] = SCHEMES
    refusal: type[BackendError] | None = None
    nobody: type[BackendError] = BadAuthorizationHeader

    def accepted(self, app: Flask) -> tuple[Scheme, ...]:
        """The schemes in an application."""
        chosen = app.extensions[_ACCEPTED]
        return tuple(scheme for scheme in self.schemes if scheme in chosen or scheme not in SCHEMES)

    def refused(self, error: BackendError) -> BackendError:
        """The realm's own word for bad credentials or none; too many attempts remain too many attempts."""
        return error if self.refusal is None or error.status not in {401, 403, 422} else self.refusal()


API = Realm()
REALMS: dict[str, Realm] = {
    "token_api": Realm(tuple(scheme for scheme in SCHEMES if scheme.name == "basic"), BasicRequired),
    "file_server": Realm((FILE_TOKEN,), Forbidden),
    "session_api": Realm(SCHEMES, Unauthorized),
    "session_api.logout": Realm((*SCHEMES, FORM), Unauthorized),
    "accounts.delete": Realm(nobody=Unauthorized),  # an address that two kinds of clients know
}
"""By endpoint, or else by blueprint; all others are of ``API``."""

_ACCEPTED = "glassine.accepted"

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

OVER_TLS = {"Strict-Transport-Security": "max-age=31536000"}
"""Besides, when the request came by TLS, as far as the server knows."""


def install(app: Flask, config: Config) -> None:
    """Put the gate before every route."""
    app.extensions[_ACCEPTED] = accepted(config)
    app.before_request(_check)
    app.after_request(_harden)


def identity() -> Identity:
    """Who the current request comes from; the gate has made sure that there is somebody."""
    return cast(Identity, g.identity)


def owner(untrusted_user_id: str) -> str:
    """The user id of the address, which must be the signed-in user's own.

    Raises:
        BadId: It is not 24 hex digits.
        NotAuthorized: It is somebody else's.
    """
    user_id = check_id(untrusted_user_id)
    if user_id != identity().user_id:
        raise NotAuthorized
    return user_id


def realm_of(endpoint: str) -> Realm:
    """The realm of an endpoint."""
    return REALMS.get(endpoint) or REALMS.get(endpoint.rpartition(".")[0], API)


def refuse_body(app: Flask, method: str, path: str, untrusted: Credentials) -> tuple[BackendError, str] | None:
    """Return why a body above ``SMALL_BODY`` will not be taken and the endpoint that says so, or None when it may be.

    Asked by the server at the headers, in the one thread that serves all connections.
    """
    try:
        endpoint, _ = app.url_map.bind("").match(path, method)
    except HTTPException:
        return TooLarge(), ""
    if endpoint not in UPLOADS:
        return TooLarge(), endpoint
    realm = realm_of(endpoint)
    refusal = refuse_early(realm.accepted(app), app, untrusted)
    return None if refusal is None else (realm.refused(refusal), endpoint)


def refuse_stranger(app: Flask, environ: WSGIEnvironment) -> tuple[BackendError, str] | None:
    """Return why a request will not be taken and the endpoint that says so, or None when it may be: what
    :func:`refuse_body` does not ask, for this asks the storage and looks at a password."""
    with app.request_context(environ):
        try:
            _check()
        except BackendError as error:
            return error, request.endpoint or ""
    return None


def _check() -> None:
    if request.endpoint not in UPLOADS:
        request.max_content_length = SMALL_BODY
    if request.url_rule is None or request.endpoint in PUBLIC:
        return  # no such route: there is nothing to protect, Flask answers 404 or 405
    realm = realm_of(request.endpoint or "")
    try:
        found = authenticate(realm.accepted(current_app))
        if found is None:
            raise realm.nobody
    except BackendError as error:
        raise realm.refused(error) from None
    g.identity = found


def _harden(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.update(OVER_TLS)
    return response
