"""Routes that hand pictures out: raw with ranges, as JSON for the API's first clients, thumbnails in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from flask import Blueprint, Response

from backend.api.blobs import blob_response
from backend.api.fields import names_parameter
from backend.api.gate import identity, owner
from backend.api.openapi_parts import CONDITIONS
from backend.api.operation import NOTHING, Answer, binary, many, one, operation
from backend.api.picture_json import picture_json_response, pictures_json_response
from backend.api.responses import services
from backend.api.schemas import TEXT
from backend.errors import ImageNotFound, PictureReplaced
from backend.services.accounts import check_id

if TYPE_CHECKING:
    from backend.storage.protocol import PictureRecord

blueprint = Blueprint("downloads", __name__)

IMAGES = "/users/<user_id>/images"
THUMBNAILS_TYPE = "application/vnd.glassine.thumbnails"
RANGES = "ETag", "Content-Range"
ABSENT = b"\xff\xff\xff\xff"
TRIES = 5
CHANGED = PictureReplaced.default_message


@blueprint.get(IMAGES + "/download-all")
@operation({200: many("Picture")})
def download_all(user_id: str) -> Response:
    """All of one's own pictures as one JSON list."""
    return pictures_json_response(services().pictures, owner(user_id))


@blueprint.get(IMAGES + "/thumbnails")
@operation(
    {200: binary(THUMBNAILS_TYPE)},
    parameters=("names",),
    note="For each name a length (32 bits, big-endian) and so many bytes; `0xFFFFFFFF` and none for what is not there.",
)
def thumbnails(user_id: str) -> Response:
    """Encrypted thumbnails of many pictures in the order asked."""
    user_id = check_id(user_id)
    return thumbnails_response(services().pictures.thumbnails(identity().user_id, user_id, names_parameter()))


def thumbnails_response(thumbnails: Iterable[bytes | None]) -> Response:
    """Answer with thumbnails: for each a length as u32 big-endian, then the bytes."""
    # At most 100 thumbnails of at most 256 KiB; their total length is sent ahead, so that the connection lives on.
    frames: list[bytes] = []
    for thumbnail in thumbnails:
        frames += [ABSENT] if thumbnail is None else [len(thumbnail).to_bytes(4, "big"), thumbnail]
    response = Response(frames, mimetype=THUMBNAILS_TYPE)
    response.content_length = sum(map(len, frames))
    return response


@blueprint.get(IMAGES + "/<name>")
@operation({200: one("Picture")}, {404: "Image not found", 409: CHANGED})
def download(user_id: str, name: str) -> Response:
    """A picture as JSON."""
    user_id = check_id(user_id)
    return _of_one_revision(user_id, name, lambda picture: picture_json_response(services().pictures, picture))


@blueprint.get(IMAGES + "/<name>/content")
@operation(
    {200: binary("image/png", "ETag"), 206: binary("image/png", *RANGES), 304: NOTHING},
    {404: "Image not found", 409: CHANGED, 416: ""},
    parameters=CONDITIONS,
)
def content(user_id: str, name: str) -> Response:
    """A picture's PNG as it was stored."""
    return _of_one_revision(check_id(user_id), name, _content)


def _content(picture: PictureRecord) -> Response:
    pictures = services().pictures
    return blob_response(
        lambda: pictures.open_stored(picture),
        size=picture.size,
        etag=picture.content_sha256,
        mimetype="image/png",
        filename=picture.name,
    )


def _of_one_revision(owner_id: str, name: str, answer: Callable[[PictureRecord], Response]) -> Response:
    """Answer with a picture; again when another revision took its place between the record and its bytes."""
    for _ in range(TRIES):
        picture = services().pictures.get(identity().user_id, owner_id, name)
        try:
            return answer(picture)
        except PictureReplaced:
            continue
    raise PictureReplaced


@blueprint.get(IMAGES + "/<name>/quotient")
@operation(
    {200: Answer(TEXT, ("text/plain",), ("ETag",)), 206: Answer(TEXT, ("text/plain",), RANGES), 304: NOTHING},
    {404: "Image not found, This picture has no quotient", 416: ""},
    parameters=CONDITIONS,
)
def quotient(user_id: str, name: str) -> Response:
    """A classic picture's quotient text."""
    pictures = services().pictures
    picture = pictures.get(identity().user_id, check_id(user_id), name)
    if not picture.quotient_blob:
        raise ImageNotFound("This picture has no quotient")
    with pictures.open(picture.quotient_blob) as blob:
        size = blob.seek(0, 2)
    return blob_response(
        lambda: pictures.open(picture.quotient_blob),
        size=size,
        etag=f"q-{picture.id}",  # two uploads of one PNG may come with different quotients
        mimetype="text/plain",
        filename=f"{picture.name}.txt",
    )
