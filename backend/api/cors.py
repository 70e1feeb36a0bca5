"""Pages of other web sites that may call the API: none, unless the setting ``cors_origins`` names them.

Never with credentials: cookies of this server stay out of it whoever is named.
"""

from __future__ import annotations

from flask import Flask, Response, request

EXPOSED = "Content-Disposition, Content-Range, ETag, Location, Retry-After, X-Total-Count"
ALLOWED = "Authorization, Content-Type, If-Match, If-None-Match, If-Range, Range, X-CSRFToken"
METHODS = "GET, HEAD, POST, PUT, DELETE"
_ALLOW_ORIGIN = "Access-Control-Allow-Origin"


def answer_headers(origins: frozenset[str], origin: str | None) -> dict[str, str]:
    """What an answer says to a page of an origin, which may be None. Without any ``origins`` nothing."""
    if origin is None or origin not in origins:
        return {"Vary": "Origin"} if origins else {}
    return {"Vary": "Origin", _ALLOW_ORIGIN: origin, "Access-Control-Expose-Headers": EXPOSED}


def install(app: Flask, origins: frozenset[str]) -> None:
    """Let pages of these origins read answers. Without any, answers do not mention other sites at all."""
    if not origins:
        return

    def is_allowed() -> bool:
        return request.headers.get("Origin") in origins

    def preflight() -> Response | None:
        if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers or not is_allowed():
            return None
        response = Response(status=204)
        response.headers["Access-Control-Allow-Methods"] = METHODS
        response.headers["Access-Control-Allow-Headers"] = ALLOWED
        response.headers["Access-Control-Max-Age"] = "600"
        return response

    def name_origin(response: Response) -> Response:
        if response.headers.get(_ALLOW_ORIGIN) == "*":
            return response  # everybody may read it
        headers = answer_headers(origins, request.headers.get("Origin"))
        response.vary.add(headers.pop("Vary"))
        response.headers.update(headers)
        return response

    app.before_request(preflight)
    app.after_request(name_origin)
