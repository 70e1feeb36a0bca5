"""How a request says who it comes from: one scheme per file, one explicit list.

A new scheme is one file with a class of the shape of :class:`Scheme`, and its name in :data:`SCHEMES`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from backend.auth.basic import BasicScheme
from backend.auth.bearer import BearerScheme
from backend.auth.file_token import FileTokenScheme
from backend.auth.form import FormScheme
from backend.auth.scheme import Credentials, Identity, Scheme
from backend.auth.session import SessionScheme
from backend.config import listed
from backend.errors import BadAuthorizationHeader

if TYPE_CHECKING:
    from flask import Flask

    from backend.config import Config
    from backend.errors import BackendError
    from backend.services import Services
    from backend.storage.protocol import Storage

SCHEMES: tuple[Scheme, ...] = (BearerScheme(), BasicScheme(), SessionScheme())
"""Tried in this order; the first that finds credentials of its kind decides. ``auth_schemes`` chooses among them."""

FILE_TOKEN: Scheme = FileTokenScheme()
"""The file server's own; it is no way into anything else."""

FORM: Scheme = FormScheme()
"""Only for signing out."""


def accepted(config: Config) -> tuple[Scheme, ...]:
    """The schemes that a server accepts."""
    wanted = listed(config.auth_schemes)
    return tuple(scheme for scheme in SCHEMES if scheme.name in wanted)


def authenticate(schemes: Iterable[Scheme]) -> Identity | None:
    """Return who the current request comes from, or None without credentials; raises what the scheme raises."""
    return next(filter(None, (scheme.authenticate() for scheme in schemes)), None)


def refuse_early(schemes: Iterable[Scheme], app: Flask, untrusted: Credentials) -> BackendError | None:
    """Return why no scheme will take these credentials, or None when one may (see ``Scheme``)."""
    refusals = [scheme.refuse_early(app, untrusted) for scheme in schemes]
    if None in refusals:
        return None
    telling = (refusal for refusal in refusals if refusal and not isinstance(refusal, BadAuthorizationHeader))
    return next(telling, None) or BadAuthorizationHeader()


def prepare(app: Flask, config: Config, storage: Storage, services: Services) -> None:
    """Set an application up for every scheme, accepted or not: some make what others are asked for."""
    for scheme in (*SCHEMES, FILE_TOKEN, FORM):
        scheme.prepare(app, config, storage, services)


__all__ = [
    "FILE_TOKEN",
    "FORM",
    "SCHEMES",
    "Credentials",
    "Identity",
    "Scheme",
    "accepted",
    "authenticate",
    "prepare",
    "refuse_early",
]
