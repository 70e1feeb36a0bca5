"""Other systems that the server speaks besides its own API, one thin file each over the same services (docs/compat.md).

Each module has a ``blueprint`` and, where its errors have a shape of their own, ``error_text`` (``ErrorText``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response

from backend.errors import BackendError, Invalid, UnsupportedContentType


class BadRequest(BackendError):
    """What these systems say to everything that is wrong with a request."""

    status = 400


@contextmanager
def bad_requests(*more: type[BackendError]) -> Iterator[None]:
    """Refuse with 400 what the API has statuses of its own for: fields, content types, and ``more``."""
    kinds: tuple[type[BackendError], ...] = (Invalid, UnsupportedContentType, *more)
    try:
        yield
    except kinds as error:
        raise BadRequest(error.message) from None


def pretty_response(value: Any, status: int = 200, end: str = "") -> Response:
    """A JSON answer set in lines, members in order, as these systems write it."""
    return Response(pretty_text(value) + end, status, mimetype="application/json")


def pretty_text(value: Any) -> str:
    """JSON in lines, members in order."""
    return json.dumps(value, indent=2, sort_keys=True)
