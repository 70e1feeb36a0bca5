"""Routes of sealed pictures' revisions."""

from __future__ import annotations

from flask import Blueprint, Response, request
from werkzeug.http import quote_etag

from backend.api.fields import if_match, page_parameters
from backend.api.gate import identity
from backend.api.operation import MULTIPART, Body, many, members, one, operation
from backend.api.pictures import UPLOAD_REFUSED, read_request
from backend.api.responses import full_row_json, json_response, services, timestamp
from backend.api.schemas import ENVELOPE, FILE, TEXT
from backend.errors import Invalid, PreconditionRequired
from backend.services.accounts import check_id
from backend.services.signed import is_hex

blueprint = Blueprint("revisions", __name__)

IMAGE = "/users/<user_id>/images/<name>"


@blueprint.put(IMAGE)
@operation(
    {200: one("FullPictureRow", "ETag")},
    {
        404: "Image not found, This picture has no envelope",
        409: "The grant is for another epoch of this picture, This picture was changed at the same time, "
        "This picture was changed too often",
        410: "This picture was deleted for good",
        412: "Another revision is stored",
        428: "If-Match is required",
        **UPLOAD_REFUSED,
    },
    body=Body(
        members("permissions", imageFile=FILE, envelope=ENVELOPE, thumbnail=FILE, permissions=TEXT), (MULTIPART,)
    ),
    parameters=("If-Match",),
    note="`If-Match` holds the header hash of the present revision. `permissions`, a JSON list, belongs to the first "
    "revision of an epoch and replaces all of them in the same step.",
)
def replace(user_id: str, name: str) -> Response:
    """Put a new revision in the place of the present one."""
    user_id, author_id = check_id(user_id), identity().user_id
    revisions = services().pictures.revisions
    replaces = if_match()
    with revisions.begin(author_id, user_id, name, replaces, request.content_length) as arriving:
        if replaces is None:
            raise PreconditionRequired
        read_request(arriving)
        stored = revisions.replace(author_id, user_id, name, replaces, arriving)
    response = json_response(full_row_json(stored.picture), 200)
    response.headers["ETag"] = quote_etag(stored.picture.header_hash)
    return response


@blueprint.get(IMAGE + "/envelope")
@operation(
    {200: one("PresentRevision", "ETag")},
    {404: "Image not found, This picture has no envelope", 409: "This picture was changed at the same time"},
)
def envelope(user_id: str, name: str) -> Response:
    """The present revision's envelope, with one's role and grant."""
    present = services().pictures.revisions.present(identity().user_id, check_id(user_id), name)
    header_hash = present.picture.header_hash
    response = json_response(full_row_json(present.picture) | {"role": present.role, "grant": present.grant})
    response.headers["ETag"] = quote_etag(header_hash)
    return response


@blueprint.get(IMAGE + "/history")
@operation(
    {200: many("EarlierRevision")},
    {404: "Image not found, This picture has no envelope"},
    parameters=("limit", "after hash"),
)
def history(user_id: str, name: str) -> Response:
    """The envelopes of earlier revisions, oldest first."""
    limit, after = page_parameters(_check_hash)
    revisions = services().pictures.revisions
    found = revisions.history(identity().user_id, check_id(user_id), name, after=after, limit=limit)
    return json_response(
        [
            {"header_hash": one.header_hash, "envelope": one.envelope, "replaced": timestamp(one.replaced)}
            for one in found
        ]
    )


def _check_hash(untrusted_hash: str) -> str:
    if not is_hex(untrusted_hash, 64):
        raise Invalid("after must be the header hash of an earlier revision")
    return untrusted_hash
