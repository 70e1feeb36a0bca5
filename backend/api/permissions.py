"""Routes of permissions: all of a picture for its owner, their own for readers, and what is shared with one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response

from backend.api.fields import page_parameters, read_fields
from backend.api.gate import identity, owner
from backend.api.openapi_parts import PAGE
from backend.api.operation import EMPTY_TEXT, NOTHING, fields, many, operation
from backend.api.operation import one as one_object
from backend.api.responses import (
    created,
    full_row_json,
    json_list_response,
    json_response,
    no_content,
    permission_json,
    services,
)
from backend.api.schemas import GRANT, ID, ID_EXAMPLE, ROLE
from backend.errors import NotAuthorized
from backend.services.accounts import check_id

if TYPE_CHECKING:
    from backend.services.permissions import SharedPicture

blueprint = Blueprint("permissions", __name__)

LIST = "/users/<user_id>/images/<name>/permissions"
ONE = LIST + "/<reader_id>"

NONE_GIVEN = {404: "Image not found, Permission for User id not found"}


@blueprint.get(LIST)
@operation({200: many("Permission")}, {404: "Image not found"}, parameters=PAGE)
def all_of_picture(user_id: str, name: str) -> Response:
    """Who may open a picture."""
    own = owner(user_id)
    limit, after = page_parameters()
    found = services().permissions.all(own, name)
    if after:
        found = found[next((n for n, one in enumerate(found, 1) if one.user_id == after), len(found)) :]
    return json_response([permission_json(permission) for permission in found[:limit]])


@blueprint.post(LIST)
@operation(
    {201: EMPTY_TEXT},
    {
        404: "Image not found, User not found",
        409: "Permission user id is already exists, The grant is for another epoch of this picture, "
        "This picture was changed at the same time",
    },
    body=fields("grant", user_id=ID, role=ROLE, grant=GRANT, example={"user_id": ID_EXAMPLE, "role": "read"}),
)
def give(user_id: str, name: str) -> Response:
    """Give somebody a role."""
    services().permissions.give(owner(user_id), name, *read_fields("user_id", "role", "grant"))
    return created()


@blueprint.get(ONE)
@operation({200: one_object("Permission")}, NONE_GIVEN)
def one(user_id: str, name: str, reader_id: str) -> Response:
    """Somebody's role and grant; readers may ask for their own."""
    return json_response(permission_json(services().permissions.one(_concerned(user_id, reader_id), name, reader_id)))


@blueprint.put(ONE)
@operation(
    {204: NOTHING},
    {**NONE_GIVEN, 409: "The grant is for another epoch of this picture, This picture was changed at the same time"},
    body=fields("grant", role=ROLE, grant=GRANT, example={"role": "write"}),
)
def change(user_id: str, name: str, reader_id: str) -> Response:
    """Change somebody's role and grant."""
    services().permissions.change(owner(user_id), name, reader_id, *read_fields("role", "grant"))
    return no_content()


@blueprint.delete(ONE)
@operation({204: NOTHING}, NONE_GIVEN)
def take(user_id: str, name: str, reader_id: str) -> Response:
    """Take somebody's permission away, or give one's own back."""
    services().permissions.take(_concerned(user_id, reader_id), name, reader_id)
    return no_content()


@blueprint.get("/users/<user_id>/shared")
@operation({200: many("SharedRow")}, parameters=PAGE)
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
