"""Tokens that a form must be sent with: only who could read an earlier answer has one.

A cookie holds a signed random text, the token is the same text signed for another purpose; both must come back.
"""

from __future__ import annotations

import secrets
from typing import Any, cast

from flask import Flask, Response, current_app, request
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from backend.api.responses import json_response
from backend.auth.session import read_cookie
from backend.errors import Invalid

COOKIE = "csrf"
SECONDS = 3600
"""How long a form may be left open."""

_EXTENSION = "glassine.csrf"


def install(app: Flask, key: bytes) -> None:
    """Set an application up; ``key`` signs, the same for every worker."""
    app.extensions[_EXTENSION] = (
        URLSafeTimedSerializer(key, salt="csrf cookie"),
        URLSafeTimedSerializer(key, salt="csrf token"),
    )


def csrf_response(value: dict[str, Any], within: str = "") -> Response:
    """A JSON answer with a new token, besides also within one of its members, and the cookie that belongs to it."""
    for_cookie, for_token = _serializers()
    random = secrets.token_urlsafe(16)
    token = for_token.dumps(random)
    if within:
        value[within] |= {"csrf_token": token}
    response = json_response(value | {"csrf_token": token})
    response.set_cookie(COOKIE, for_cookie.dumps(random), secure=request.is_secure, httponly=True, samesite="Lax")
    return response


def check_csrf() -> None:
    """Refuse a form without the token and the cookie that were given out for it.

    Raises:
        Invalid: Saying what is wrong with them.
    """
    for_cookie, for_token = _serializers()
    token, cookie = request.headers.get("X-CSRFToken"), read_cookie(request.headers.get("Cookie", ""), COOKIE)
    if not token:
        raise Invalid("The CSRF token is missing.")
    if not cookie:
        raise Invalid("The CSRF session token is missing.")
    try:
        kept = for_cookie.loads(cookie, max_age=SECONDS)
        sent = for_token.loads(token, max_age=SECONDS)
    except SignatureExpired:
        raise Invalid("The CSRF token has expired.") from None
    except BadSignature:
        raise Invalid("The CSRF token is invalid.") from None
    if kept != sent:
        raise Invalid("The CSRF tokens do not match.")


def _serializers() -> tuple[URLSafeTimedSerializer, URLSafeTimedSerializer]:
    return cast("tuple[URLSafeTimedSerializer, URLSafeTimedSerializer]", current_app.extensions[_EXTENSION])
