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
from backend.api.openapi_parts import CONDITIONS
from backend.api.operation import MULTIPART, NOTHING, OCTETS, Answer, Body, binary, fields, members, operation, plain
from backend.api.responses import json_response, services
from backend.api.schemas import EMAIL, FILE, NAME, PASSWORD, TEXT
from backend.compat import bad_requests
from backend.errors import BadCredentials, Forbidden, UserNotFound
from backend.services.files import CLIENT, KINDS, OPS

blueprint = Blueprint("file_server", __name__)


def _signup(kind: str) -> Response:
    with bad_requests():
        name, password, full_name, email = read_fields("username", "password", "name", "email")
        services().files.sign_up(kind, name, password, full_name, email, request.remote_addr or "")
    return _text("Signed up", 201)


def _login(kind: str) -> Response:
    with bad_requests():
        name, password = read_fields("username", "password")
        try:
            token = services().files.sign_in(kind, name, password, request.remote_addr or "")
        except BadCredentials:
            raise UserNotFound from None  # the same for a wrong password
    return _text(token)


FORM_NOTE = "With GET too the form is in the body; there it has to be a form, and this page cannot send it."

_signed_up = operation(
    {201: plain("Signed up")},
    {
        400: "Something is missing or not allowed",
        403: "Registration is closed",
        409: "Username already exists",
        429: "",
    },
    body=fields(
        "name",
        "email",
        username=NAME,
        password=PASSWORD,
        name=TEXT,
        email=EMAIL,
        example={"username": "olga", "password": "a long passphrase"},
    ),
    note=FORM_NOTE,
)
_logged_in = operation(
    {200: plain("eyJhbGciOiJIUzI1NiIs…")},
    {400: "Something is missing", 404: "User not found", 429: ""},
    body=fields(username=NAME, password=PASSWORD, example={"username": "olga", "password": "a long passphrase"}),
    note=FORM_NOTE,
)


def _for_kind(view: Callable[[str], Response], kind: str, summary: str) -> Callable[[], Response]:
    def for_kind() -> Response:
        return view(kind)

    for_kind.__doc__ = summary
    return for_kind


for _kind in KINDS:
    for _step, _view, _described, _summary in (
        ("signup", _signup, _signed_up, "Add an account"),
        ("login", _login, _logged_in, "Exchange name and password for a token"),
    ):
        _for_one_kind = _described(_for_kind(_view, _kind, _summary))
        blueprint.add_url_rule(f"/{_kind}/{_step}", f"{_kind}_{_step}", _for_one_kind, methods=["GET", "POST"])


@blueprint.get("/logout")
@operation({200: plain("Logged out")})
def logout() -> Response:
    """End the session that the token names."""
    services().files.sign_out(identity().token_id)
    return _text("Logged out")


@blueprint.post("/ops/upload")
@operation(
    {201: plain("File uploaded")},
    {400: "File is required, or its name is not allowed", 507: "The account's quota or the server's storage is full"},
    body=Body(members(request_file=FILE), (MULTIPART,)),
)
def upload() -> Response:
    """Publish a file."""
    owner_id, files = _only(OPS), services().files
    files.check_room(owner_id, request.content_length)
    with bad_requests(), files.begin_upload() as arriving:
        if request.mimetype == "multipart/form-data":
            boundary = request.mimetype_params.get("boundary", "")
            read_upload(request.stream, request.content_length, boundary, arriving)
        files.publish(owner_id, arriving)
    return _text("File uploaded", 201)


@blueprint.get("/client/files/<ops_username>")
@operation({200: Answer({"type": "array", "items": TEXT})}, {404: "User not found"})
def files(ops_username: str) -> Response:
    """The names of an operator's files."""
    _only(CLIENT)
    return json_response([file.name for file in services().files.list(ops_username)])


@blueprint.get("/client/files/<ops_username>/<file_name>")
@operation(
    {200: binary(OCTETS, "ETag"), 206: binary(OCTETS, "ETag", "Content-Range"), 304: NOTHING},
    {404: "User not found, File not found", 416: ""},
    parameters=CONDITIONS,
)
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
