"""Session cookies: the server remembers the sign-in, the browser sends it along.

A browser sends cookies whoever makes it send the request. That is why the cookie is ``SameSite=Lax`` and out of reach
of scripts, and why a request that changes something must come from this server's own pages where its origin is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Flask, Response, current_app, request
from werkzeug.http import parse_cookie

from backend.auth.origin import is_foreign_change
from backend.auth.scheme import Credentials, Identity
from backend.errors import BadAuthorizationHeader, NotAuthorized, SessionEnded

if TYPE_CHECKING:
    from backend.config import Config
    from backend.errors import BackendError
    from backend.services import Services
    from backend.services.sessions import Sessions
    from backend.storage.protocol import Storage

_EXTENSION = "glassine.session"


class SessionScheme:
    """A cookie that names a session."""

    name = "session"

    def prepare(self, app: Flask, config: Config, storage: Storage, services: Services) -> None:
        """Set an application up."""
        app.extensions[_EXTENSION] = (config, services.sessions)

    def authenticate(self) -> Identity | None:
        """Return whose session the cookie names, or None when there is no such cookie."""
        config, sessions = _settings(current_app)
        cookie = read_cookie(request.headers.get("Cookie", ""), config.session_cookie)
        if not cookie:
            return None
        user_id = sessions.user_id(cookie)
        if user_id is None:
            raise SessionEnded
        if is_foreign_change():
            raise NotAuthorized
        return Identity(user_id, cookie, scheme=self.name)

    def refuse_early(self, app: Flask, untrusted: Credentials) -> BackendError | None:
        """A cookie that this server never gave out; whether the session goes on only the storage knows."""
        config, sessions = _settings(app)
        cookie = read_cookie(untrusted.cookie, config.session_cookie)
        if not cookie:
            return BadAuthorizationHeader()
        return None if sessions.is_genuine(cookie) else SessionEnded()


def read_cookie(untrusted_header: str, name: str) -> str | None:
    """The value of a cookie in a ``Cookie`` header; None when it is not there, or the header cannot be read."""
    try:
        return parse_cookie(untrusted_header).get(name)
    except UnicodeDecodeError:  # the library's answer to bytes that are no UTF-8
        return None


def give_cookie(response: Response, cookie: str) -> None:
    """Have the browser keep a session's cookie."""
    config, _ = _settings(current_app)
    response.set_cookie(
        config.session_cookie,
        cookie,
        max_age=config.session_seconds or None,
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )


def take_cookie(response: Response) -> None:
    """Have the browser forget the cookie."""
    config, _ = _settings(current_app)
    response.delete_cookie(config.session_cookie, secure=request.is_secure, httponly=True, samesite="Lax")


def _settings(app: Flask) -> tuple[Config, Sessions]:
    return cast("tuple[Config, Sessions]", app.extensions[_EXTENSION])
