"""Shapes of what the API answers, by name, for its OpenAPI document (version 3.0). Only plain values."""

from __future__ import annotations

from backend.api.operation import Schema, members, named

ID_EXAMPLE = "628385eb1dc6fa1a0cd84c38"

ID: Schema = {"type": "string", "pattern": "^[0-9a-fA-F]{24}$", "example": ID_EXAMPLE}
TEXT: Schema = {"type": "string"}
FILE: Schema = {"type": "string", "format": "binary"}
HASH: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "example": "anna"}
PASSWORD: Schema = {"type": "string", "format": "password", "minLength": 1, "maxLength": 1024}
EMAIL: Schema = {"type": "string", "maxLength": 254, "example": "anna@mail.example"}
PUBLIC_KEY: Schema = {
    "type": "string",
    "description": 'An RSA public key as PEM, or `"<n> <e>"` in decimal.',
    "maxLength": 8192,
    "example": "27977 9431",
}
ROLE: Schema = {"type": "string", "enum": ["read", "write"], "example": "read"}
GRANT: Schema = {
    "type": "string",
    "description": "The owner's signed grant for a sealed picture's present epoch, canonical JSON.",
    "maxLength": 8192,
}
ENVELOPE: Schema = {"type": "string", "description": "The signed header of a sealed picture, canonical JSON."}
PICTURE_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
TIME: Schema = {"type": "string", "format": "date-time", "example": "2026-11-27T03:41:09.120Z"}
PLAIN_TIME: Schema = {
    "type": "string",
    "pattern": r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$",
    "example": "2026-11-27 03:41:09",
}
LATIN1: Schema = {
    "type": "string",
    "description": "The PNG's bytes read as ISO-8859-1.",
    "example": "\x89PNG\r\n\x1a\n…",
}


def _nullable(schema: Schema) -> Schema:
    return {**schema, "nullable": True}


_ROW: dict[str, Schema] = {
    "img_name": {"type": "string", "example": "bicycle.png"},
    "id": ID,
    "scheme": {"type": "string", "enum": ["classic", "sealed"]},
    "size": {**COUNT, "description": "Bytes of the PNG.", "example": 118034},
    "created": TIME,
    "envelope": ENVELOPE,
}
_MORE: dict[str, Schema] = {
    "header_hash": HASH,
    "updated": {**TIME, "description": "Since there is a second revision."},
}
_FULL_ROW = _ROW | _MORE
_OWNER: dict[str, Schema] = {"owner_id": ID, "owner_name": NAME}

_ACCOUNT: dict[str, Schema] = {
    "created_at": PLAIN_TIME,
    "email": _nullable(EMAIL),
    "first_name": _nullable({"type": "string", "example": "Anna"}),
    "id": ID,
    "last_name": _nullable(TEXT),
    "updated_at": PLAIN_TIME,
}
_EARLIER_USER: dict[str, Schema] = {
    "user_id": ID,
    "user_name": NAME,
    "public_key": {"type": "string", "description": "Empty for an account without a key.", "example": "27977 9431"},
}
_PICTURE = members(
    "envelope",
    img_content=LATIN1,
    img_name=_ROW["img_name"],
    quotient={"type": "string", "description": "Empty for a sealed picture.", "example": "98 98 77 2 "},
    envelope=ENVELOPE,
)


def _wrapped(data: Schema, *optional: str, **more: Schema) -> Schema:
    """An answer of the earlier dialect."""
    success: Schema = {"type": "string", "enum": ["success"]}
    return members(*optional, status=success, code={"type": "string", "enum": ["200"]}, data=data, **more)


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


SCHEMAS: dict[str, Schema] = {
    "Server": members(
        name={"type": "string", "enum": ["glassine"]},
        version={"type": "string", "example": "0.1.0"},
        max_upload_bytes={**COUNT, "example": 1073741824},
        registration={"type": "boolean", "description": "Whether anybody may register."},
        bin_days={**COUNT, "description": "How long deleted pictures stay in the bin; 0: not at all.", "example": 30},
    ),
    "Tokens": members(user_id=ID, access_token=TEXT, refresh_token=TEXT),
    "Message": members(message={"type": "string", "example": "User logged out"}),
    "Nothing": {"type": "object", "properties": {}, "additionalProperties": False},
    "User": members(**_EARLIER_USER, **_ACCOUNT),
    "PictureRow": members("envelope", **_ROW),
    "FullPictureRow": members("envelope", "header_hash", "updated", **_FULL_ROW),
    "PresentRevision": members(
        "updated", **_FULL_ROW, role={"type": "string", "enum": ["owner", "read", "write"]}, grant=GRANT
    ),
    "BinRow": members("envelope", "header_hash", "updated", **_FULL_ROW, deleted=TIME),
    "SharedRow": members("envelope", "header_hash", "updated", "grant", **_FULL_ROW, **_OWNER, role=ROLE, grant=GRANT),
    "Picture": _PICTURE,
    "EarlierRevision": members(header_hash=HASH, envelope=ENVELOPE, replaced=TIME),
    "Permission": members("grant", userId=ID, role=ROLE, grant=GRANT),
    "Usage": members(
        used={**COUNT, "example": 4183211},
        limit={**COUNT, "description": "0: none."},
        pictures=COUNT,
        bin=members(pictures=COUNT, bytes=COUNT),
    ),
    "GoneRecord": members(picture_id=PICTURE_ID, record=TEXT, stored=TIME),
    "SuccessionRecord": members(old=HASH, record=TEXT, stored=TIME),
    "Status": members(status={"type": "string", "example": "ok"}),
    # of other systems
    "UserName": members(username=NAME),
    "BasicToken": members(duration={**COUNT, "example": 600}, token=TEXT),
    "Greeting": members(data={"type": "string", "example": "Hello, anna!"}),
    "Account": members(**_ACCOUNT),
    "Totals": members(files=COUNT, pictures=COUNT, sessions=COUNT, users=COUNT),
    # of the earlier dialect
    "FormToken": members(csrf_token=TEXT),
    "EarlierSignIn": members(access_token=TEXT, user_id=ID),
    "EarlierText": _wrapped({"type": "string", "example": "User logged out"}),
    "EarlierUser": _wrapped(members(**_EARLIER_USER)),
    "EarlierUsers": _wrapped(_list(members(**_EARLIER_USER))),
    "EarlierNames": _wrapped(_list(_ROW["img_name"])),
    "EarlierStored": _wrapped(members(img_name=_ROW["img_name"])),
    "EarlierPicture": _wrapped(named("Picture")),
    "EarlierPictures": _wrapped(_list(named("Picture"))),
    "EarlierPermission": _wrapped(named("Permission")),
    "EarlierPermissions": _wrapped(members(permissions=_list(named("Permission")), csrf_token=TEXT), csrf_token=TEXT),
    # errors
    "Error": members(message=TEXT),
    "EarlierError": members(
        status={"type": "string", "enum": ["error"]}, code={"type": "string", "pattern": r"^\d{3}$"}, message=TEXT
    ),
    "SessionError": members(error=TEXT),
    "SharedError": members(error=TEXT, message=TEXT),
}

ERRORS = ("Error", "EarlierError", "SessionError", "SharedError")
"""The shapes of errors; which one an address uses is found out by its members."""
