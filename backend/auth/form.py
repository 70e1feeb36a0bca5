"""E-mail address and password as fields of the form itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Flask, current_app, request

from backend.auth.scheme import Credentials, Identity
from backend.errors import BadAuthorizationHeader

if TYPE_CHECKING:
    from backend.config import Config
    from backend.errors import BackendError
    from backend.services import Services
    from backend.services.accounts import Accounts
    from backend.storage.protocol import Storage

_EXTENSION = "glassine.form"


class FormScheme:
    """The form fields ``email`` and ``password``."""

    name = "form"

    def prepare(self, app: Flask, config: Config, storage: Storage, services: Services) -> None:
        """Set an application up."""
        app.extensions[_EXTENSION] = services.accounts

    def authenticate(self) -> Identity | None:
        """Return whom address and password belong to, or None when the form has not both."""
        email, password = request.form.get("email", ""), request.form.get("password", "")
        if not email.strip() or not password.strip():
            return None
        accounts = cast("Accounts", current_app.extensions[_EXTENSION])
        user = accounts.sign_in(email, password, by_email=True, address=request.remote_addr or "")
        return Identity(user.id, scheme=self.name)

    def refuse_early(self, app: Flask, untrusted: Credentials) -> BackendError | None:
        """Whatever is large enough to be asked about is no such form."""
        return BadAuthorizationHeader()
