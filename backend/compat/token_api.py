"""Accounts with HTTP Basic, where a short-lived token may stand for the name: ``/api/users``, ``/api/token``."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request, url_for

from backend.api.failures import plain_error_text
from backend.api.fields import read_fields
from backend.api.gate import identity
from backend.api.operation import fields, one, operation
from backend.api.responses import services
from backend.api.schemas import NAME, PASSWORD
from backend.auth.basic import TOKEN_SECONDS, BasicScheme
from backend.compat import bad_requests, pretty_response
from backend.errors import BasicRequired, Conflict, NotFound

blueprint = Blueprint("token_api", __name__)

NAMES = ("/api/users", "/api/user", "/api/usr")
"""The documentation names the first address in its examples and the others in its list."""


def error_text(status: int, message: str) -> tuple[str, str]:
    """Those without credentials get two words, everybody else JSON."""
    if status == BasicRequired.status:
        return message, "text/html; charset=utf-8"
    return plain_error_text(status, message)


@operation(
    {201: one("UserName", "Location")},
    {400: "Something is missing, not allowed, or taken", 403: "Registration is closed", 429: ""},
    body=fields(username=NAME, password=PASSWORD, example={"username": "miguel", "password": "a long passphrase"}),
)
def register() -> Response:
    """Add an account without a key."""
    with bad_requests(Conflict):
        name, password = read_fields("username", "password")
        user = services().accounts.register(name, password, "", key_required=False, address=request.remote_addr or "")
    response = pretty_response({"username": user.name}, 201)
    response.headers["Location"] = url_for("token_api.user", user_id=user.id, _external=True)
    return response


@operation({200: one("UserName")}, {400: "There is nobody of this id"})
def user(user_id: str) -> Response:
    """The name of an account."""
    with bad_requests(NotFound):
        found = services().accounts.get(user_id)
    return pretty_response({"username": found.name})


for _name in NAMES:
    blueprint.add_url_rule(_name, "register", register, methods=["POST"])
    blueprint.add_url_rule(f"{_name}/<user_id>", "user", user)


@blueprint.get("/api/token")
@operation({200: one("BasicToken")})
def token() -> Response:
    """A token that is good in the place of the user's name for a while."""
    who = services().accounts.get(identity().user_id)
    return pretty_response({"token": BasicScheme.issue(current_app, who), "duration": TOKEN_SECONDS})


@blueprint.get("/api/resource")
@operation({200: one("Greeting")})
def resource() -> Response:
    """Something that only those see who have an account."""
    return pretty_response({"data": f"Hello, {services().accounts.get(identity().user_id).name}!"})


@blueprint.after_request
def _ask_for_basic(response: Response) -> Response:
    if response.status_code == BasicRequired.status:
        response.headers["WWW-Authenticate"] = 'Basic realm="Authentication Required"'
    return response
