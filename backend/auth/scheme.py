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
        token_id: What ending this sign-in needs; empty when there is nothing to end.
        expires: From when on this sign-in has certainly ended by itself; naive UTC. None: it does not.
        scheme: The name of the scheme that found out.
        family: Shared by all tokens of one sign-in; empty: there is no such thing.
        by_token: Whether nothing but a token says so, which somebody may have got hold of.
    """

    user_id: str
    token_id: str = ""
    expires: datetime | None = None
    scheme: str = "bearer"
    family: str = ""
    by_token: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """The headers of a request that credentials are in, before anybody has looked at them; empty: not sent."""

    authorization: str = ""
    cookie: str = ""


class Scheme(Protocol):
    """One way to authenticate a request.

    Attributes:
        name: As the setting ``auth_schemes`` names it.
    """

    @property
    def name(self) -> str: ...

    def prepare(self, app: Flask, config: Config, storage: Storage, services: Services) -> None:
        """Set an application up for this scheme, once, before it serves."""
        ...

    def authenticate(self) -> Identity | None:
        """Return who the current request comes from, or None when it carries no credentials of this kind.

        Raises:
            BackendError: It carries such credentials and they are not good.
        """
        ...

    def refuse_early(self, app: Flask, untrusted: Credentials) -> BackendError | None:
        """Return what is wrong with a request's credentials, as far as it shows without asking the storage;
        BadAuthorizationHeader when there are none of this kind.

        The server asks before it takes a large body in, in the one thread that serves all connections; whoever passes
        is asked everything by :meth:`authenticate`. Never refuses what :meth:`authenticate` would take.
        """
        ...
