"""The gate before every route: denied unless the route is listed as public. And the headers behind every answer."""

from __future__ import annotations

from typing import cast

from flask import Flask, Response, g, request

from backend.auth import SCHEMES, Identity
from backend.errors import BadAuthorizationHeader, NotAuthorized
from backend.services.accounts import check_id

PUBLIC = frozenset({"accounts.login", "accounts.register", "server.info"})
"""Endpoints that answer without a token. Everything else refuses."""

SMALL_BODY = 256 * 1024
"""Largest body of every route but the upload of pictures."""

UPLOAD = "pictures.upload"

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def install(app: Flask) -> None:
    """Put the gate before every route."""
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


def _check() -> None:
    if request.endpoint != UPLOAD:
        request.max_content_length = SMALL_BODY
    if request.url_rule is None or request.endpoint in PUBLIC:
        return  # no such route: there is nothing to protect, Flask answers 404 or 405
    for scheme in SCHEMES:
        found = scheme.authenticate()
        if found is not None:
            g.identity = found
            return
    raise BadAuthorizationHeader


def _harden(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
