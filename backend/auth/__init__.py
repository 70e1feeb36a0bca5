"""How a request says who it comes from: one scheme per file, one explicit list.

A new scheme is one file with a class of the shape of :class:`Scheme`, and its name in :data:`SCHEMES`.
"""

from __future__ import annotations

from backend.auth.bearer import BearerScheme
from backend.auth.scheme import Identity, Scheme

SCHEMES: tuple[Scheme, ...] = (BearerScheme(),)
"""Tried in this order; the first that finds credentials of its kind decides."""

__all__ = ["SCHEMES", "Identity", "Scheme"]
