"""Accounts by e-mail address, HTTP Basic and session cookies: ``/api/v1/status``, ``/api/v1/auth_session``.

It shares its list of people with the API itself. What is only here can be read by pages of every web site, but never
with a browser's own credentials.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from backend.api.fields import optional_fields, read_fields
from backend.api.gate import identity
from backend.api.operation import fields, one, operation
from backend.api.responses import config, services, storage, user_json
from backend.api.schemas import EMAIL, PASSWORD, TEXT
from backend.auth.session import give_cookie, take_cookie
from backend.compat import BadRequest, bad_requests, pretty_response, pretty_text
from backend.config import listed
from backend.errors import BadCredentials, BadId, Conflict, Forbidden, NotFound, Unauthorized
from backend.storage.protocol import User

blueprint = Blueprint("session_api", __name__)

FIELDS = ("created_at", "email", "first_name", "id", "last_name", "updated_at")


def error_text(_status: int, message: str) -> tuple[str, str]:
    """Errors are called so."""
    return pretty_text({"error": message}) + "\n", "application/json"


def shared_error_text(_status: int, message: str) -> tuple[str, str]:
    """Errors at an address that clients of the API itself know too."""
    return pretty_text({"error": message, "message": message}) + "\n", "application/json"


@blueprint.get("/status")
@operation({200: one("Status")})
def status() -> Response:
    """Whether the server answers."""
    return _answer({"status": "OK"})


@blueprint.get("/stats")
@operation({200: one("Totals")})
def stats() -> Response:
    """How many of everything there are."""
    return _answer(storage().totals())


@blueprint.get("/unauthorized")
@operation({}, {401: "Always"})
def unauthorized() -> Response:
    """What those get who are not signed in."""
    raise Unauthorized


@blueprint.get("/forbidden")
@operation({}, {403: "Always"})
def forbidden() -> Response:
    """What those get who are, and may not."""
    raise Forbidden


@blueprint.post("/users")
@operation(
    {201: one("Account")},
    {
        400: "email missing, password missing, Email already exists, or not allowed",
        403: "Registration is closed",
        429: "",
    },
    body=fields(
        "first_name",
        "last_name",
        email=EMAIL,
        password=PASSWORD,
        first_name=TEXT,
        last_name=TEXT,
        example={"email": "bob@mail.example", "password": "a long passphrase"},
    ),
)
def register() -> Response:
    """Add an account whose name is its e-mail address."""
    try:
        with bad_requests():
            sent = optional_fields("email", "password", "first_name", "last_name")
            email, password, first, last = (value or "" for value in sent)
            _require(email, password)
            user = services().accounts.register(
                email, password, "", email=email, first_name=first, last_name=last, key_required=False,
                address=request.remote_addr or "",
            )  # fmt: skip
    except Conflict:
        raise BadRequest("Email already exists") from None
    return _answer(_user(user), 201)


@blueprint.get("/users/me")
@operation({200: one("Account")})
def me() -> Response:
    """One's own account."""
    return _answer(_user(services().accounts.get(identity().user_id)))


@blueprint.put("/users/<user_id>")
@operation(
    {200: one("Account")},
    {400: "Something is not allowed", 403: "Forbidden"},
    body=fields("first_name", "last_name", first_name=TEXT, last_name=TEXT, example={"first_name": "Bob"}),
)
def change(user_id: str) -> Response:
    """Change one's own first and last name; what is not sent stays."""
    own = _own(user_id)
    with bad_requests():
        first, last = optional_fields("first_name", "last_name")
        user = services().accounts.set_names(
            own.id, own.first_name if first is None else first, own.last_name if last is None else last
        )
    return _answer(_user(user))


@operation(
    {200: one("Nothing")},
    {403: "Forbidden"},
    body=fields("password", password=PASSWORD, example={"password": "a long passphrase"}),
    note="With a token the password is required.",
)
def delete(user_id: str) -> Response:
    """Delete one's own account with all that belongs to it. Where the API itself is spoken, it does this."""
    accounts, own = services().accounts, _own(user_id)
    if identity().by_token:  # one that somebody got hold of must not be enough
        (password,) = read_fields("password")
        accounts.confirm(own.id, password, request.remote_addr or "")
    accounts.delete(own.id)
    return _answer({})


@blueprint.post("/auth_session")
@blueprint.post("/auth_session/login")
@operation(
    {200: one("Account", "Set-Cookie")},
    {400: "email missing, password missing", 401: "Unauthorized", 404: "Sessions are not accepted", 429: ""},
    body=fields(email=EMAIL, password=PASSWORD, example={"email": "bob@mail.example", "password": "a long passphrase"}),
)
def login() -> Response:
    """Begin a session."""
    if "session" not in listed(config().auth_schemes):
        raise NotFound
    with bad_requests():
        email, password = read_fields("email", "password")
    _require(email, password)
    try:
        user = services().accounts.sign_in(email, password, by_email=True, address=request.remote_addr or "")
    except BadCredentials:
        raise Unauthorized from None
    response = _answer(_user(user))
    give_cookie(response, services().sessions.start(user))
    return response


@blueprint.delete("/auth_session")
@blueprint.delete("/auth_session/logout")
@operation(
    {200: one("Nothing", "Set-Cookie")},
    {404: "There is no session to end"},
    body=fields(
        "email",
        "password",
        email=EMAIL,
        password=PASSWORD,
        example={"email": "bob@mail.example", "password": "a long passphrase"},
    ),
    note="With e-mail address and password in place of the cookie every session of the account ends.",
)
def logout() -> Response:
    """End the session of the cookie; with a password instead of one, every session of the account."""
    who, sessions = identity(), services().sessions
    if who.scheme == "session":
        sessions.end(who.token_id)
    elif who.by_token:
        raise NotFound
    else:
        sessions.end_all(who.user_id)
    response = _answer({})
    take_cookie(response)
    return response


@blueprint.after_request
def _let_every_page_read(response: Response) -> Response:
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _require(email: str, password: str) -> None:
    for label, value in (("email", email), ("password", password)):
        if not value.strip():
            raise BadRequest(f"{label} missing")


def _own(untrusted_user_id: str) -> User:
    """One's own account, which must be the one of the address; raises NotFound, Forbidden."""
    try:
        user = services().accounts.get(untrusted_user_id)
    except BadId:
        raise NotFound from None
    if user.id != identity().user_id:
        raise Forbidden
    return user


def _user(user: User) -> dict[str, str | None]:
    known = user_json(user)
    return {name: known[name] for name in FIELDS}


def _answer(value: object, status: int = 200) -> Response:
    return pretty_response(value, status, end="\n")
