"""Routes that list, store and delete pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import parse_qs

from flask import Blueprint, Response, request

from backend.api.fields import page_parameters
from backend.api.gate import SMALL_BODY, owner
from backend.api.multipart import read_upload
from backend.api.responses import created, json_response, no_content, row_json, services
from backend.errors import Invalid, Malformed, UnsupportedContentType
from backend.services.pictures import SEALED

blueprint = Blueprint("pictures", __name__)

IMAGES = "/users/<user_id>/images"


@blueprint.get(IMAGES)
def list_pictures(user_id: str) -> Response:
    """The rows of all pictures, or of one page of them."""
    user_id = owner(user_id)
    limit, after = page_parameters()
    pictures = services().pictures
    total = str(pictures.count(user_id))
    if limit is None:
        walk = pictures.walk(user_id)
        response = Response(
            _json_list(row_json(picture, envelope=False) for picture in walk), mimetype="application/json"
        )
    else:
        page = pictures.page(user_id, after=after, limit=limit)
        response = json_response([row_json(picture, envelope=True) for picture in page])
    response.headers["X-Total-Count"] = total
    return response


@blueprint.post(IMAGES)
def upload(user_id: str) -> Response:
    """Take a picture in: a classic one with its quotient, or a sealed one with envelope and thumbnail."""
    user_id = owner(user_id)
    pictures = services().pictures
    with pictures.begin_upload() as arriving:
        if request.mimetype == "multipart/form-data":
            boundary = request.mimetype_params.get("boundary", "")
            read_upload(request.stream, request.content_length, boundary, arriving)
        else:
            _refuse_without_file()
        stored = pictures.store(user_id, arriving)
    if stored.picture.scheme == SEALED:
        return json_response(row_json(stored.picture, envelope=True), 201 if stored.created else 200)
    return created()


@blueprint.delete(IMAGES + "/<name>")
def delete(user_id: str, name: str) -> Response:
    """Delete a picture and its permissions."""
    services().pictures.delete(owner(user_id), name)
    return no_content()


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


def _json_list(rows: Iterator[object]) -> Iterator[str]:
    separator = "["
    for row in rows:
        yield separator + json.dumps(row, separators=(",", ":"))
        separator = ","
    yield "]" if separator == "," else "[]"
