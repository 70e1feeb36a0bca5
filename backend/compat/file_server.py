"""A server of files that operators publish and clients download: ``/ops/…``, ``/client/…``, ``/logout``.

Its forms come with GET as well as with POST.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request

from backend.api.blobs import blob_response
from backend.api.fields import read_fields
from backend.api.gate import identity
from backend.api.multipart import read_upload
from backend.api.responses import json_response, services
from backend.errors import BackendError, BadCredentials, Forbidden, Invalid, UnsupportedContentType, UserNotFound
from backend.services.files import CLIENT, KINDS, OPS

blueprint = Blueprint("file_server", __name__)


class _BadRequest(BackendError):
    status = 400


def _signup(kind: str) -> Response:
    try:
        name, password, full_name, email = read_fields("username", "password", "name", "email")
        services().files.sign_up(kind, name, password, full_name, email, request.remote_addr or "")
    except (Invalid, UnsupportedContentType) as error:
        raise _BadRequest(error.message) from None
    return _text("Signed up", 201)


def _login(kind: str) -> Response:
    try:
        name, password = read_fields("username", "password")
        return _text(services().files.sign_in(kind, name, password, request.remote_addr or ""))
    except BadCredentials:
        raise UserNotFound from None  # the same for a wrong password
    except (Invalid, UnsupportedContentType) as error:
        raise _BadRequest(error.message) from None


def _for_kind(view: Callable[[str], Response], kind: str) -> Callable[[], Response]:
    return lambda: view(kind)


for _kind in KINDS:
    for _step, _view in (("signup", _signup), ("login", _login)):
        blueprint.add_url_rule(
            f"/{_kind}/{_step}", f"{_kind}_{_step}", _for_kind(_view, _kind), methods=["GET", "POST"]
        )


@blueprint.get("/logout")
def logout() -> Response:
    """End the session that the token names."""
    services().files.sign_out(identity().token_id)
    return _text("Logged out")


@blueprint.post("/ops/upload")
def upload() -> Response:
    """Publish a file."""
    owner_id, files = _only(OPS), services().files
    files.check_room(owner_id, request.content_length)
    try:
        with files.begin_upload() as arriving:
            if request.mimetype == "multipart/form-data":
                boundary = request.mimetype_params.get("boundary", "")
                read_upload(request.stream, request.content_length, boundary, arriving)
            files.publish(owner_id, arriving)
    except Invalid as error:
        raise _BadRequest(error.message) from None
    return _text("File uploaded", 201)


@blueprint.get("/client/files/<ops_username>")
def files(ops_username: str) -> Response:
    """The names of an operator's files."""
    _only(CLIENT)
    return json_response([file.name for file in services().files.list(ops_username)])


@blueprint.get("/client/files/<ops_username>/<file_name>")
def download(ops_username: str, file_name: str) -> Response:
    """One of an operator's files."""
    _only(CLIENT)
    published = services().files
    file = published.find(ops_username, file_name)
    return blob_response(
        lambda: published.open(file),
        size=file.size,
        etag=file.id,
        mimetype="application/octet-stream",
        filename=file.name,
    )


def _only(kind: str) -> str:
    """The id of the signed-in account, which must be of a kind; raises Forbidden."""
    user_id = identity().user_id
    if services().files.kind_of(user_id) != kind:
        raise Forbidden
    return user_id


def _text(text: str, status: int = 200) -> Response:
    return Response(text, status, mimetype="text/plain")
