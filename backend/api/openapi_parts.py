"""Parameters, headers and texts that many routes share, for the OpenAPI document. Only plain values."""

from __future__ import annotations

from typing import Any

from backend.api.operation import Schema
from backend.api.schemas import COUNT, HASH, ID, NAME, PICTURE_ID, TEXT

VERSION = "3.0.3"
"""Of OpenAPI: the newest that the bundled Swagger UI reads."""

DESCRIPTION = """\
Private pictures: they arrive encrypted, the server stores and hands out bytes it cannot read.

Every address may also answer `405` (`Method Not Allowed`, with `Allow`), `413` (`The request is larger than this
server takes`) and `431` to headers of more than 64 KiB. Answers to `HEAD` are those to `GET` without a body. Forms and
JSON objects carry the same members; those that an address does not know are read past."""

TAGS = {
    "documentation": ("Server", ""),
    "server": ("Server", "What a client may know before it signs in, and this description."),
    "accounts": ("Accounts", "Registering, signing in, people."),
    "pictures": ("Pictures", "Listing, storing, deleting."),
    "downloads": ("Pictures", ""),
    "revisions": ("Revisions", "Sealed pictures change from revision to revision; one takes the place of the other."),
    "permissions": ("Permissions", "Who may open a picture."),
    "bin": ("Bin", "Deleted pictures, for some days."),
    "documents": ("Documents", "What programs keep for a person."),
    "health": ("Watching", "For those who watch a server."),
    "token_api": ("Basic and tokens", "Another system: HTTP Basic, and tokens in the place of the name."),
    "file_server": ("File server", "Another system: operators publish files, clients download them."),
    "session_api": ("E-mail and sessions", "Another system: e-mail addresses, HTTP Basic and session cookies."),
    "earlier_api": ("Earlier dialect", "The API as its first clients knew it."),
}
"""By blueprint: the name of its tag and what it is about."""


def _path(schema: Schema, text: str) -> dict[str, Any]:
    return {"in": "path", "required": True, "schema": schema, "description": text}


def _query(schema: Schema, text: str, *, required: bool = False) -> dict[str, Any]:
    return {"in": "query", "required": required, "schema": schema, "description": text}


def _header(schema: Schema, text: str) -> dict[str, Any]:
    return {"in": "header", "required": False, "schema": schema, "description": text}


_STEP = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[^/]+$"}

VARIABLES: dict[str, dict[str, Any]] = {
    "user_id": _path(ID, "Whose it is: 24 hex digits, in most addresses one's own."),
    "reader_id": _path(ID, "Who may open it."),
    "name": _path({**_STEP, "example": "bicycle"}, "The picture's name without its extension."),
    "fingerprint": _path({**HASH, "example": "ab" * 32}, "Fingerprint of the old key."),
    "ops_username": _path({**_STEP, "example": "olga"}, "An operator."),
    "file_name": _path({**_STEP, "example": "file.pdf"}, "The file."),
    "asset": _path({"type": "string", "enum": ["swagger-ui.css", "swagger-ui-bundle.js", "start.js"]}, "The file."),
    "bin.picture_id": _path(ID, "The `id` of the picture's row."),
    "documents.picture_id": _path({**PICTURE_ID, "example": "cd" * 16}, "The id that the picture's deed names."),
}
"""Variables in addresses, by name, or by blueprint and name."""

PAGE = ("limit", "after")
CONDITIONS = ("If-None-Match", "Range", "If-Range")

PARAMETERS: dict[str, dict[str, Any]] = {
    "limit": _query({"type": "integer", "minimum": 1, "maximum": 1000}, "A page of that many; without it everything."),
    "after": _query(ID, "With `limit`: go on behind the one with this id."),
    "after hash": _query(HASH, "With `limit`: go on behind the one with this header hash or fingerprint."),
    "after picture": _query(PICTURE_ID, "With `limit`: go on behind the record of this picture."),
    "name": _query(NAME, "Only the account of exactly this name: a list of one or none."),
    "names": _query({**TEXT, "example": "bicycle"}, "1 to 100 names separated by commas.", required=True),
    "ids": _query({**TEXT, "example": ID["example"]}, "1 to 100 ids of rows separated by commas.", required=True),
    "If-Match": _header({"type": "string", "pattern": '^"[0-9a-f-]{1,128}"$'}, "`ETag` of what is to be replaced."),
    "If-None-Match": _header(TEXT, "`ETag` of what one has, for `304`; `*` stores for the first time."),
    "Range": _header({"type": "string", "example": "bytes=0-99"}, "One range of bytes."),
    "If-Range": _header(TEXT, "Heed `Range` only if this is still the `ETag`."),
    "X-CSRFToken": _header(TEXT, "The token that the form was given, together with the cookie that came with it."),
}
"""Query parameters and headers, by name; what stands behind a blank tells apart those of the same name."""

HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {"schema": TEXT, "description": "What is stored, in quotes."},
    "X-Total-Count": {
        "schema": COUNT,
        "description": "How many there are; within a walk some seconds old.",
    },
    "Content-Range": {"schema": TEXT, "description": "Which part of how many bytes."},
    "Location": {"schema": TEXT, "description": "Address of what was made."},
    "Set-Cookie": {"schema": TEXT, "description": "The session, or the text that belongs to the form's token."},
    "Retry-After": {"schema": COUNT, "description": "Seconds to wait."},
    "WWW-Authenticate": {"schema": TEXT, "description": "HTTP Basic."},
}

MEANINGS = {
    200: "Done",
    201: "Stored",
    204: "Done; there is nothing to say",
    206: "Part of it",
    304: "It is still what `If-None-Match` names",
    400: "The request is malformed",
    401: "Not authorized: the sign-in has ended, or this is somebody else's",
    403: "Forbidden",
    404: "Not found",
    409: "Something else is there",
    413: "The request is larger than this server takes",
    415: "Send form fields or JSON",
    416: "Requested range not satisfiable",
    422: "No credentials, or something in the request is missing or not allowed",
    429: "Too many attempts. Try again in N seconds",
    500: "Internal server error",
    503: "The storage cannot be used right now",
    507: "The storage is full; nothing of the request was kept",
}
"""What a status means where the view does not say more."""

SIGN_IN: dict[str, dict[str, Any]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The `access_token` of `POST /api/v1/auth/login`.",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "Name or e-mail address and password, or a token of `GET /api/token` in the place of the name.",
    },
    "session": {"type": "apiKey", "in": "cookie", "description": "The cookie of `POST /api/v1/auth_session/login`."},
    "file_token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The token of `/ops/login` or `/client/login`; good for the file server alone.",
    },
    "refresh": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The `refresh_token` of the last sign-in or exchange.",
    },
    "metrics": {"type": "http", "scheme": "bearer", "description": "The setting `metrics_token`."},
}
"""Ways to sign in, by name of the scheme (``backend/auth``) or as a view names its own."""
