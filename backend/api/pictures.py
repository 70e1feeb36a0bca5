"""Routes that list, store and delete pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from flask import Blueprint, Response, request

from backend.api.fields import page_parameters
from backend.api.gate import SMALL_BODY, owner
from backend.api.multipart import read_upload
from backend.api.openapi_parts import PAGE
from backend.api.operation import EMPTY_TEXT, MULTIPART, NOTHING, Answer, Body, many, members, named, one, operation
from backend.api.responses import created, json_list_response, json_response, no_content, row_json, services
from backend.api.schemas import ENVELOPE, FILE, TEXT
from backend.errors import Invalid, Malformed, UnsupportedContentType
from backend.services.pictures import SEALED

if TYPE_CHECKING:
    from backend.services.uploads import Upload

blueprint = Blueprint("pictures", __name__)

UPLOAD = Body(
    members("quotient", "envelope", "thumbnail", imageFile=FILE, quotient=TEXT, envelope=ENVELOPE, thumbnail=FILE),
    (MULTIPART,),
    example={"quotient": "98 98 77 2 "},
)
UPLOAD_REFUSED = {
    415: "Send the picture as multipart/form-data",
    422: "No credentials, or something in the request is missing or not allowed",
    507: "Your storage on this server is full, or the server's is",
}

IMAGES = "/users/<user_id>/images"


@blueprint.get(IMAGES)
@operation({200: many("PictureRow", "X-Total-Count")}, parameters=PAGE)
def list_pictures(user_id: str) -> Response:
    """The rows of all pictures, or of one page of them."""
    user_id = owner(user_id)
    limit, after = page_parameters()
    pictures = services().pictures
    if limit is None:
        total = pictures.count(user_id)
        response = json_list_response(row_json(picture, envelope=False) for picture in pictures.walk(user_id))
    else:
        page, total = pictures.page(user_id, after=after, limit=limit)
        response = json_response([row_json(picture, envelope=True) for picture in page])
    response.headers["X-Total-Count"] = str(total)
    return response


@blueprint.post(IMAGES)
@operation(
    {200: one("PictureRow"), 201: Answer({"anyOf": [EMPTY_TEXT.schema, named("PictureRow")]})},
    {
        409: "Another version of this picture is already stored",
        410: "This picture was deleted for good",
        **UPLOAD_REFUSED,
    },
    body=UPLOAD,
    note="Classic: `imageFile`, a PNG, with `quotient`; answered with an empty text. Sealed: `imageFile` with "
    "`envelope` and `thumbnail`; answered with its row, `200` when the very same is there already.",
)
def upload(user_id: str) -> Response:
    """Take a picture in: a classic one with its quotient, or a sealed one with envelope and thumbnail."""
    user_id = owner(user_id)
    pictures = services().pictures
    with pictures.begin_upload(user_id, request.content_length) as arriving:
        read_request(arriving)
        stored = pictures.store(user_id, arriving)
    if stored.picture.scheme == SEALED:
        return json_response(row_json(stored.picture, envelope=True), 201 if stored.created else 200)
    return created()


@blueprint.delete(IMAGES + "/<name>")
@operation({204: NOTHING}, {404: "Image not found"})
def delete(user_id: str, name: str) -> Response:
    """Delete a picture: into the bin, or for good where there is none."""
    services().pictures.delete(owner(user_id), name)
    return no_content()


@blueprint.get("/users/<user_id>/usage")
@operation({200: one("Usage")})
def usage(user_id: str) -> Response:
    """What one stores, and how much one may."""
    user_id = owner(user_id)
    pictures = services().pictures
    found = pictures.quota.usage(user_id)
    count = pictures.count(user_id)
    binned, binned_bytes = pictures.bin.usage(user_id)
    return json_response(
        {
            "used": found.used,
            "limit": found.limit,
            "pictures": count,
            "bin": {"pictures": binned, "bytes": binned_bytes},
        }
    )


def read_request(arriving: Upload) -> None:
    """Read the current request's parts into an upload."""
    if request.mimetype == "multipart/form-data":
        boundary = request.mimetype_params.get("boundary", "")
        read_upload(request.stream, request.content_length, boundary, arriving)
    else:
        _refuse_without_file()


def _refuse_without_file() -> None:
    """Say what is missing in a body that can hold no file; falls through when nothing is there at all."""
    if request.mimetype == "application/x-www-form-urlencoded":
        body = request.stream.read(SMALL_BODY)
        try:
            fields = parse_qs(body.decode("ascii"), max_num_fields=100)
        except ValueError:
            raise Malformed from None
        if fields.get("quotient", [""])[0].strip() or fields.get("envelope"):
            raise Invalid("Image file is required")
    elif request.stream.read(1):
        raise UnsupportedContentType("Send the picture as multipart/form-data")
