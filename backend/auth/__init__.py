"""How a request says who it comes from: one scheme per file, one explicit list.

A new scheme is one file with a class of the shape of :class:`Scheme`, and its name in :data:`SCHEMES`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.auth.bearer import BearerScheme
from backend.auth.scheme import Identity, Scheme

if TYPE_CHECKING:
    from flask import Flask

    from backend.errors import BackendError

SCHEMES: tuple[Scheme, ...] = (BearerScheme(),)
"""Tried in this order; the first that finds credentials of its kind decides."""


def refuse_early(app: Flask, untrusted_header: str) -> BackendError | None:
    """Return why no scheme will take an ``Authorization`` header, or None when one may (see ``Scheme``)."""
    refusals = [scheme.refuse_early(app, untrusted_header) for scheme in SCHEMES]
    return None if None in refusals else refusals[0]


__all__ = ["SCHEMES", "Identity", "Scheme", "refuse_early"]
