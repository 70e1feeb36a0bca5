"""The shape of an authentication scheme."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from flask import Flask

    from backend.config import Config
    from backend.errors import BackendError
    from backend.services import Services
    from backend.storage.protocol import Storage


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a request comes from.

    Attributes:
        user_id: The account.
        token_id: What revoking this sign-in needs.
        expires: From when on this sign-in has certainly ended by itself; naive UTC.
    """

    user_id: str
    token_id: str
    expires: datetime


class Scheme(Protocol):
    """One way to authenticate a request."""

    def prepare(self, app: Flask, config: Config, storage: Storage, services: Services) -> None:
        """Set an application up for this scheme, once, before it serves."""
        ...

    def authenticate(self) -> Identity | None:
        """Return who the current request comes from, or None when it carries no credentials of this kind.

        Raises:
            BackendError: It carries such credentials and they are not good.
        """
        ...

    def refuse_early(self, app: Flask, untrusted_header: str) -> BackendError | None:
        """Return what is wrong with an ``Authorization`` header, as far as it shows without asking the storage.

        The server asks before it takes a large body in, in the one thread that serves all connections; whoever passes
        is asked everything by :meth:`authenticate`.
        """
        ...
