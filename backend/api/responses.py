"""The few shapes of answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from flask import Response, current_app

if TYPE_CHECKING:
    from backend.app import Backend
    from backend.config import Config
    from backend.services import Services
    from backend.storage.protocol import Permission, PictureRecord, Storage, User


def services() -> Services:
    """The services of the application that handles the current request."""
    return _backend().services


def config() -> Config:
    """The settings of the application that handles the current request."""
    return _backend().config


def storage() -> Storage:
    """The storage of the application that handles the current request; for what needs no rules."""
    return _backend().storage


def _backend() -> Backend:
    return cast("Backend", current_app.extensions["glassine"])


def json_response(value: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(json.dumps(value, separators=(",", ":")), status, mimetype="application/json")


def created() -> Response:
    """201 without anything to say. The body is ``""`` in JSON: existing clients parse it and fail on no body at all."""
    return json_response("", 201)


def no_content() -> Response:
    """204."""
    return Response(status=204, mimetype="application/json")


def user_json(user: User) -> dict[str, str | None]:
    """An account as others see it, in the words of both kinds of clients: never its password, nor a hash of it."""
    return {
        "public_key": user.public_key,
        "user_id": user.id,
        "user_name": user.name,
        "id": user.id,
        "email": user.email or None,
        "first_name": user.first_name or None,
        "last_name": user.last_name or None,
        "created_at": _plain_time(user.created),
        "updated_at": _plain_time(user.updated or user.created),
    }


def permission_json(permission: Permission) -> dict[str, str]:
    """A permission; with its grant if it came with one."""
    grant = {"grant": permission.grant} if permission.grant else {}
    return {"userId": permission.user_id, "role": permission.role} | grant


def row_json(picture: PictureRecord, *, envelope: bool) -> dict[str, Any]:
    """A picture's row in a list; the envelope of sealed ones on request."""
    row: dict[str, Any] = {
        "img_name": picture.name,
        "id": picture.id,
        "scheme": picture.scheme,
        "size": picture.size,
        "created": timestamp(picture.created),
    }
    if envelope and picture.envelope:
        row["envelope"] = picture.envelope
    return row


def full_row_json(picture: PictureRecord, *, envelope: bool = True) -> dict[str, Any]:
    """A picture's row where more is told: which revision it is, since when, and since when it is in the bin."""
    row = row_json(picture, envelope=envelope)
    if picture.header_hash:
        row["header_hash"] = picture.header_hash
    if picture.updated is not None:
        row["updated"] = timestamp(picture.updated)
    if picture.deleted is not None:
        row["deleted"] = timestamp(picture.deleted)
    return row


def json_list_response(rows: Iterator[object]) -> Response:
    """A JSON list that is written as it is read from storage."""
    return Response(_json_list(rows), mimetype="application/json")


def _json_list(rows: Iterator[object]) -> Iterator[str]:
    separator = "["
    for row in rows:
        yield separator + json.dumps(row, separators=(",", ":"))
        separator = ","
    yield "]" if separator == "," else "[]"


def timestamp(when: datetime) -> str:
    """A naive UTC time in ISO 8601."""
    return when.isoformat(timespec="milliseconds") + "Z"


def _plain_time(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M:%S")
