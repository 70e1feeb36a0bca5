"""Tokens of the file server: a JSON Web Token that names a session which the server remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Flask, current_app, request

from backend.auth.scheme import Credentials, Identity
from backend.errors import BadAuthorizationHeader, Forbidden

if TYPE_CHECKING:
    from backend.config import Config
    from backend.errors import BackendError
    from backend.services import Services
    from backend.services.files import Files
    from backend.storage.protocol import Storage

_EXTENSION = "glassine.file_token"


class FileTokenScheme:
    """``Authorization: Bearer <JWT>`` with a token of ``/ops/login`` or ``/client/login``."""

    name = "file_token"

    def prepare(self, app: Flask, config: Config, storage: Storage, services: Services) -> None:
        """Set an application up."""
        app.extensions[_EXTENSION] = services.files

    def authenticate(self) -> Identity | None:
        """Return whose session the token names, or None when there is no ``Authorization`` header of this kind."""
        token = _token(request.headers.get("Authorization", ""))
        if token is None:
            return None
        user = _files(current_app).user_of(token)
        if user is None:
            raise Forbidden
        return Identity(user.id, token, scheme=self.name, by_token=True)

    def refuse_early(self, app: Flask, untrusted: Credentials) -> BackendError | None:
        """The token's signature and end."""
        token = _token(untrusted.authorization)
        if token is None:
            return BadAuthorizationHeader()
        return None if _files(app).is_genuine(token) else Forbidden()


def _token(header: str) -> str | None:
    kind, _, token = header.partition(" ")
    return token.strip() if kind == "Bearer" and token.strip() else None


def _files(app: Flask) -> Files:
    return cast("Files", app.extensions[_EXTENSION])
