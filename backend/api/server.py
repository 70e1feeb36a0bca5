"""What a client may know before it signs in."""

from __future__ import annotations

from flask import Blueprint, Response

from backend import __version__
from backend.api.operation import one, operation
from backend.api.responses import config, json_response

blueprint = Blueprint("server", __name__)


@blueprint.get("/server")
@operation({200: one("Server")})
def info() -> Response:
    """Name and version of the server, and what it takes."""
    settings = config()
    return json_response(
        {
            "name": "glassine",
            "version": __version__,
            "max_upload_bytes": settings.max_upload_bytes,
            "registration": settings.registration,
            "bin_days": settings.bin_days,
        }
    )
