"""Routes of permissions: all of a picture for its owner, their own for readers, and what is shared with one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response

from backend.api.fields import page_parameters, read_fields
from backend.api.gate import identity, owner
from backend.api.responses import (
    created,
    full_row_json,
    json_list_response,
    json_response,
    no_content,
    permission_json,
    services,
)
from backend.errors import NotAuthorized
from backend.services.accounts import check_id

if TYPE_CHECKING:
    from backend.services.permissions import SharedPicture

blueprint = Blueprint("permissions", __name__)

LIST = "/users/<user_id>/images/<name>/permissions"
ONE = LIST + "/<reader_id>"


@blueprint.get(LIST)
def all_of_picture(user_id: str, name: str) -> Response:
    """Who may open a picture."""
    own = owner(user_id)
    limit, after = page_parameters()
    found = services().permissions.all(own, name)
    if after:
        found = found[next((n for n, one in enumerate(found, 1) if one.user_id == after), len(found)) :]
    return json_response([permission_json(permission) for permission in found[:limit]])


@blueprint.post(LIST)
def give(user_id: str, name: str) -> Response:
    """Give somebody a role."""
    services().permissions.give(owner(user_id), name, *read_fields("user_id", "role", "grant"))
    return created()


@blueprint.get(ONE)
def one(user_id: str, name: str, reader_id: str) -> Response:
    """Somebody's role and grant; readers may ask for their own."""
    return json_response(permission_json(services().permissions.one(_concerned(user_id, reader_id), name, reader_id)))


@blueprint.put(ONE)
def change(user_id: str, name: str, reader_id: str) -> Response:
    """Change somebody's role and grant."""
    services().permissions.change(owner(user_id), name, reader_id, *read_fields("role", "grant"))
    return no_content()


@blueprint.delete(ONE)
def take(user_id: str, name: str, reader_id: str) -> Response:
    """Take somebody's permission away, or give one's own back."""
    services().permissions.take(_concerned(user_id, reader_id), name, reader_id)
    return no_content()


@blueprint.get("/users/<user_id>/shared")
def shared(user_id: str) -> Response:
    """What others shared with one."""
    own = owner(user_id)
    limit, after = page_parameters()
    permissions = services().permissions
    if limit is None:
        return json_list_response(_shared_json(one, full=False) for one in permissions.walk_shared_with(own))
    page = permissions.shared_with(own, after=after, limit=limit)
    return json_response([_shared_json(one, full=True) for one in page])


def _concerned(user_id: str, reader_id: str) -> str:
    """The owner's id, if it is the owner who asks or the reader whom the permission concerns."""
    owner_id = check_id(user_id)
    if identity().user_id not in {owner_id, reader_id.lower()}:
        raise NotAuthorized
    return owner_id


def _shared_json(shared_picture: SharedPicture, *, full: bool) -> dict[str, Any]:
    permission = permission_json(shared_picture.permission)
    row = full_row_json(shared_picture.picture, envelope=full)
    row |= {
        "owner_id": shared_picture.picture.owner_id,
        "owner_name": shared_picture.owner_name,
        "role": permission["role"],
    }
    if full and "grant" in permission:
        row["grant"] = permission["grant"]
    return row
