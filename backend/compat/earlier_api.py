"""The API's earlier dialect, spoken in the place of the API itself when the setting ``api_dialect`` says ``2022-01``.

Answers are wrapped, forms need a token that was fetched before (``backend/compat/csrf.py``), and some addresses differ.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request

from backend.api import accounts as api_accounts
from backend.api.fields import read_fields
from backend.api.gate import identity, owner
from backend.api.operation import NOTHING, Answer, fields, one, operation
from backend.api.picture_json import picture_json_response, pictures_json_response
from backend.api.pictures import UPLOAD, UPLOAD_REFUSED, read_request
from backend.api.responses import json_response, no_content, permission_json, services
from backend.api.schemas import ID, ID_EXAMPLE, NAME, PASSWORD, PUBLIC_KEY, ROLE
from backend.compat.csrf import check_csrf, csrf_response
from backend.services.accounts import check_id
from backend.services.clock import utc_now
from backend.storage.protocol import User

blueprint = Blueprint("earlier_api", __name__)

USER = "/api/v1/users/<user_id>"
IMAGES = USER + "/images"
PERMISSIONS = IMAGES + "/<name>/permissions"
PERMISSION = PERMISSIONS + "/<reader_id>"

_RESERVED = frozenset({"upload", "data"})
"""What the addresses here have at the place of a picture's name."""

CSRF = ("X-CSRFToken",)
FORM_TOKEN = one("FormToken", "Set-Cookie")
NO_IMAGE = {404: "Image not found"}
NO_PERMISSION = {404: "Image not found, Permission for User id not found"}
NO_TEXT = Answer(text="Stored; there is nothing to say")

_HEAD = b'{"status":"success","code":"200","data":'


def error_text(status: int, message: str) -> tuple[str, str]:
    """Errors carry their status as text."""
    value = {"status": "error", "code": str(status), "message": message}
    return json.dumps(value, separators=(",", ":")), "application/json"


# -- accounts --
@blueprint.get("/login", endpoint="login_form")
@blueprint.get("/register", endpoint="register_form")
@operation({200: FORM_TOKEN})
def form() -> Response:
    """The token that the form must be sent with."""
    return csrf_response({})


@blueprint.post("/login")
@operation(
    {200: one("EarlierSignIn")},
    {429: ""},
    body=fields(username=NAME, password=PASSWORD, example={"username": "anna", "password": "a long passphrase"}),
    parameters=CSRF,
)
def login() -> Response:
    """Exchange name and password for a token; the answer is not wrapped."""
    check_csrf()
    name, password = read_fields("username", "password")
    accounts = services().accounts
    user = accounts.sign_in(name, password, address=request.remote_addr or "")
    return json_response({"access_token": accounts.issue_tokens(user).access, "user_id": user.id})


@blueprint.post("/register")
@operation(
    {201: NO_TEXT},
    {403: "Registration is closed", 409: "Username already exists", 429: ""},
    body=fields(
        username=NAME,
        password=PASSWORD,
        publicKey=PUBLIC_KEY,
        example={"username": "anna", "password": "a long passphrase", "publicKey": "27977 9431"},
    ),
    parameters=CSRF,
)
def register() -> Response:
    """Add an account."""
    check_csrf()
    fields = read_fields("username", "password", "publicKey")
    services().accounts.register(*fields, address=request.remote_addr or "")
    return _created()


@blueprint.post("/logout")
@operation({200: one("EarlierText")})
def logout() -> Response:
    """End the sign-in of this request; the one form that needs no token."""
    api_accounts.logout()
    return _success("User logged out")


@blueprint.get("/api/v1/users")
@operation({200: one("EarlierUsers")})
def users() -> Response:
    """All accounts."""
    return _success([_user(user) for user in services().accounts.all()])


@blueprint.get(USER)
@operation({200: one("EarlierUser")}, {404: "User not found"})
def user(user_id: str) -> Response:
    """One account."""
    return _success(_user(services().accounts.get(user_id)))


# -- pictures --
@blueprint.get(IMAGES)
@operation({200: one("EarlierNames")})
def list_pictures(user_id: str) -> Response:
    """The names of one's own pictures."""
    return _success([picture.name for picture in services().pictures.walk(owner(user_id))])


@blueprint.get(IMAGES + "/upload")
@operation({200: FORM_TOKEN})
def upload_form(user_id: str) -> Response:
    """The token that a picture must be sent with."""
    owner(user_id)
    return csrf_response({})


@blueprint.post(IMAGES + "/upload")
@operation(
    {200: one("EarlierStored")},
    {
        409: "Another version of this picture is already stored",
        410: "This picture was deleted for good",
        **UPLOAD_REFUSED,
    },
    body=UPLOAD,
    parameters=CSRF,
)
def upload(user_id: str) -> Response:
    """Take a picture in."""
    user_id = owner(user_id)
    check_csrf()
    store = services().pictures
    with store.begin_upload(user_id, request.content_length) as arriving:
        read_request(arriving)
        if arriving.image is not None and arriving.image.filename is not None:
            arriving.image.filename = _addressable(arriving.image.filename)
        stored = store.store(user_id, arriving)
    return _success({"img_name": stored.picture.name})


@blueprint.get(IMAGES + "/data")
@operation({200: one("EarlierPictures")})
def download_all(user_id: str) -> Response:
    """All of one's own pictures."""
    return _wrapped(pictures_json_response(services().pictures, owner(user_id)))


@blueprint.get(IMAGES + "/<name>")
@operation({200: one("EarlierPicture")}, {**NO_IMAGE, 409: "This picture was changed at the same time"})
def download(user_id: str, name: str) -> Response:
    """A picture, one's own or one that is shared."""
    pictures = services().pictures
    return _wrapped(picture_json_response(pictures, pictures.get(identity().user_id, check_id(user_id), name)))


@blueprint.get(IMAGES + "/<name>/delete")
@operation({200: FORM_TOKEN}, NO_IMAGE)
def delete_form(user_id: str, name: str) -> Response:
    """The token that deleting needs."""
    services().pictures.get(identity().user_id, owner(user_id), name)
    return csrf_response({})


@blueprint.delete(IMAGES + "/<name>/delete")
@operation({204: NOTHING}, {**NO_IMAGE, 422: ""}, parameters=CSRF)
def delete(user_id: str, name: str) -> Response:
    """Delete a picture."""
    user_id = owner(user_id)
    check_csrf()
    services().pictures.delete(user_id, name)
    return no_content()


# -- permissions --
@blueprint.get(PERMISSIONS)
@operation({200: one("EarlierPermissions", "Set-Cookie")}, NO_IMAGE)
def permissions(user_id: str, name: str) -> Response:
    """Who may open a picture, and the token for changing that: where the text says it is, and where clients look."""
    found = [permission_json(permission) for permission in services().permissions.all(owner(user_id), name)]
    return csrf_response({"status": "success", "code": "200", "data": {"permissions": found}}, within="data")


@blueprint.post(PERMISSIONS)
@operation(
    {201: NO_TEXT},
    {
        404: "Image not found, User not found",
        409: "Permission user id is already exists, This picture was changed at the same time",
    },
    body=fields(user_id=ID, role=ROLE, example={"user_id": ID_EXAMPLE, "role": "read"}),
    parameters=CSRF,
)
def give(user_id: str, name: str) -> Response:
    """Give somebody a role."""
    user_id = owner(user_id)
    check_csrf()
    services().permissions.give(user_id, name, *read_fields("user_id", "role"))
    return _created()


@blueprint.get(PERMISSION)
@operation({200: one("EarlierPermission")}, NO_PERMISSION)
def permission(user_id: str, name: str, reader_id: str) -> Response:
    """Somebody's role."""
    return _success(permission_json(services().permissions.one(owner(user_id), name, reader_id)))


@blueprint.put(PERMISSION)
@operation(
    {204: NOTHING}, {**NO_PERMISSION, 409: ""}, body=fields(role=ROLE, example={"role": "write"}), parameters=CSRF
)
def change(user_id: str, name: str, reader_id: str) -> Response:
    """Change somebody's role."""
    user_id = owner(user_id)
    check_csrf()
    services().permissions.change(user_id, name, reader_id, *read_fields("role"))
    return no_content()


@blueprint.delete(PERMISSION)
@operation({204: NOTHING}, NO_PERMISSION, parameters=CSRF)
def take(user_id: str, name: str, reader_id: str) -> Response:
    """Take somebody's permission away."""
    user_id = owner(user_id)
    check_csrf()
    services().permissions.take(user_id, name, reader_id)
    return no_content()


def _addressable(untrusted_filename: str) -> str:
    """A name that no address here hides, as if the name were taken."""
    last = re.split(r"[/\\]", untrusted_filename)[-1]  # what is kept of a path
    stem, extension = last[:-4], last[-4:]
    return f"{stem}{utc_now():_%Y%m%d%H%M%S}{extension}" if stem in _RESERVED else untrusted_filename


def _user(user: User) -> dict[str, str]:
    return {"user_id": user.id, "user_name": user.name, "public_key": user.public_key}


def _success(data: Any) -> Response:
    return json_response({"status": "success", "code": "200", "data": data})


def _created() -> Response:
    """201 with nothing at all behind it."""
    return Response(status=201, mimetype="application/json")


class _WrappedBody:
    """A streamed answer within another; closes it whether or not it was read to the end."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        yield _HEAD
        yield from self._body
        yield b"}"

    def close(self) -> None:
        """Close the answer within; WSGI servers call this in any case."""
        self._body.close()


def _wrapped(response: Response) -> Response:
    if request.method != "HEAD":
        response.response = _WrappedBody(response.response)
    return response
