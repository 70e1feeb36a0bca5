"""Routes of sealed pictures' revisions."""

from __future__ import annotations

from flask import Blueprint, Response, request
from werkzeug.http import quote_etag

from backend.api.fields import if_match, page_parameters
from backend.api.gate import identity
from backend.api.pictures import read_request
from backend.api.responses import full_row_json, json_response, services, timestamp
from backend.errors import Invalid, PreconditionRequired
from backend.services.accounts import check_id
from backend.services.signed import is_hex

blueprint = Blueprint("revisions", __name__)

IMAGE = "/users/<user_id>/images/<name>"


@blueprint.put(IMAGE)
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
def envelope(user_id: str, name: str) -> Response:
    """The present revision's envelope, with one's role and grant."""
    present = services().pictures.revisions.present(identity().user_id, check_id(user_id), name)
    header_hash = present.picture.header_hash
    response = json_response(full_row_json(present.picture) | {"role": present.role, "grant": present.grant})
    response.headers["ETag"] = quote_etag(header_hash)
    return response


@blueprint.get(IMAGE + "/history")
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
