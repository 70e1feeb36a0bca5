"""Other systems that the server speaks besides its own API, one thin file each over the same services (docs/compat.md).

Each module has a ``blueprint`` and, where its errors have a shape of their own, ``error_text`` (``ErrorText``).
"""

from __future__ import annotations

import json
from typing import Any

from flask import Response


def pretty_response(value: Any, status: int = 200, end: str = "") -> Response:
    """A JSON answer set in lines, members in order, as these systems write it."""
    return Response(pretty_text(value) + end, status, mimetype="application/json")


def pretty_text(value: Any) -> str:
    """JSON in lines, members in order."""
    return json.dumps(value, indent=2, sort_keys=True)
