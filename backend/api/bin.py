"""Routes of the bin; all for its owner only."""

from __future__ import annotations

from flask import Blueprint, Response

from backend.api.downloads import THUMBNAILS_TYPE, thumbnails_response
from backend.api.fields import names_parameter, page_parameters
from backend.api.gate import owner
from backend.api.openapi_parts import PAGE
from backend.api.operation import NOTHING, binary, many, one, operation
from backend.api.responses import full_row_json, json_list_response, json_response, no_content, services
from backend.services.accounts import check_id

blueprint = Blueprint("bin", __name__)

BIN = "/users/<user_id>/bin"


@blueprint.get(BIN)
@operation({200: many("BinRow")}, parameters=PAGE)
def list_bin(user_id: str) -> Response:
    """The rows of all pictures in the bin, or of one page of them."""
    own = owner(user_id)
    limit, after = page_parameters()
    pictures = services().pictures.bin
    if limit is None:
        return json_list_response(full_row_json(picture, envelope=False) for picture in pictures.walk(own))
    return json_response([full_row_json(picture) for picture in pictures.page(own, after=after, limit=limit)])


@blueprint.get(BIN + "/thumbnails")
@operation({200: binary(THUMBNAILS_TYPE)}, parameters=("ids",))
def thumbnails(user_id: str) -> Response:
    """Encrypted thumbnails of pictures in the bin, as those of others."""
    own = owner(user_id)
    ids = [check_id(picture_id) for picture_id in names_parameter("ids")]
    return thumbnails_response(services().pictures.binned_thumbnails(own, ids))


@blueprint.post(BIN + "/<picture_id>/restore")
@operation(
    {200: one("FullPictureRow")},
    {
        404: "Image not found",
        409: "Another version of this picture is already stored",
        410: "This picture was deleted for good",
    },
)
def restore(user_id: str, picture_id: str) -> Response:
    """Take a picture out of the bin."""
    own = owner(user_id)
    return json_response(full_row_json(services().pictures.bin.restore(own, check_id(picture_id))))


@blueprint.delete(BIN + "/<picture_id>")
@operation({204: NOTHING}, {404: "Image not found"})
def remove(user_id: str, picture_id: str) -> Response:
    """Delete a picture in the bin for good."""
    own = owner(user_id)
    services().pictures.bin.remove(own, check_id(picture_id))
    return no_content()


@blueprint.delete(BIN)
@operation({204: NOTHING})
def empty(user_id: str) -> Response:
    """Delete everything in the bin for good."""
    services().pictures.bin.empty(owner(user_id))
    return no_content()
