"""Routes of a picture's permissions; all for its owner only."""

from __future__ import annotations

from flask import Blueprint, Response

from backend.api.fields import read_fields
from backend.api.gate import owner
from backend.api.responses import created, json_response, no_content, permission_json, services

blueprint = Blueprint("permissions", __name__)

LIST = "/users/<user_id>/images/<name>/permissions"
ONE = LIST + "/<reader_id>"


@blueprint.get(LIST)
def all_of_picture(user_id: str, name: str) -> Response:
    """Who may open a picture."""
    found = services().permissions.all(owner(user_id), name)
    return json_response([permission_json(permission) for permission in found])


@blueprint.post(LIST)
def give(user_id: str, name: str) -> Response:
    """Give somebody a role."""
    services().permissions.give(owner(user_id), name, *read_fields("user_id", "role"))
    return created()


@blueprint.get(ONE)
def one(user_id: str, name: str, reader_id: str) -> Response:
    """Somebody's role."""
    return json_response(permission_json(services().permissions.one(owner(user_id), name, reader_id)))


@blueprint.put(ONE)
def change(user_id: str, name: str, reader_id: str) -> Response:
    """Change somebody's role."""
    services().permissions.change(owner(user_id), name, reader_id, *read_fields("role"))
    return no_content()


@blueprint.delete(ONE)
def take(user_id: str, name: str, reader_id: str) -> Response:
    """Take somebody's permission away."""
    services().permissions.take(owner(user_id), name, reader_id)
    return no_content()
