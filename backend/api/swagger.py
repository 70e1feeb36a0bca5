"""The OpenAPI document and a page to read and try it with: Swagger UI, served from here without the internet.

The page is the only one with scripts that this server has. Its policy allows files of this server and nothing that
stands in the page itself.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flask import Blueprint, Response, current_app, request, url_for

from backend.api.operation import NOTHING, Answer, operation
from backend.api.responses import config
from backend.api.schemas import TEXT
from backend.errors import NotFound

blueprint = Blueprint("documentation", __name__)

ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "start.js": "text/javascript",
}

TAG = ("ETag",)
IF_CHANGED = ("If-None-Match",)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Glassine: the HTTP API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{root}swagger-ui/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="{root}swagger-ui/swagger-ui-bundle.js"></script>
<script src="{root}swagger-ui/start.js"></script>
</body>
</html>
"""

START = """\
SwaggerUIBundle({
  url: new URL("../openapi.json", document.currentScript.src).href,
  dom_id: "#api",
  validatorUrl: null,
  queryConfigEnabled: false,
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true
});
"""


@blueprint.get("/")
@operation({200: Answer(TEXT, ("text/html",), TAG), 304: NOTHING}, parameters=IF_CHANGED)
def page() -> Response:
    """This page."""
    return _file(PAGE.format(root=url_for("documentation.page")).encode("ascii"), "text/html")


@blueprint.get("/openapi.json")
@operation({200: Answer({"type": "object"}, headers=TAG), 304: NOTHING}, parameters=IF_CHANGED)
def description() -> Response:
    """This description of the server, as OpenAPI."""
    from backend.api.openapi import document_text

    # the application itself, not the stand-in that belongs to the request: it is kept
    text = document_text(current_app._get_current_object(), config())  # type: ignore[attr-defined]
    return _file(text.encode("ascii"), "application/json")


@blueprint.get("/swagger-ui/<asset>")
@operation(
    {200: Answer(TEXT, ("text/css", "text/javascript"), TAG), 304: NOTHING},
    {404: "Not found, Swagger UI is not installed"},
    parameters=IF_CHANGED,
)
def asset(asset: str) -> Response:
    """A file of the page."""
    if asset not in ASSETS:
        raise NotFound
    return _file(_read(asset), ASSETS[asset])


@cache
def _read(name: str) -> bytes:
    if name == "start.js":
        return START.encode("ascii")
    from swagger_ui_bundle import swagger_ui_path

    try:
        return (Path(str(swagger_ui_path)) / name).read_bytes()
    except OSError:  # left out of what is installed here
        raise NotFound("Swagger UI is not installed") from None


def _file(data: bytes, kind: str) -> Response:
    response = Response(data, content_type=f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = POLICY
    response.add_etag()
    response.make_conditional(request)
    return response
