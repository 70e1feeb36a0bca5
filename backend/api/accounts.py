"""Routes of accounts: register, login, refresh, logout, users, one's own password, key and account."""

from __future__ import annotations

from flask import Blueprint, Response, request

from backend.api.fields import page_parameters, read_fields
from backend.api.gate import identity, owner
from backend.api.openapi_parts import PAGE
from backend.api.operation import EMPTY_TEXT, NOTHING, fields, many, one, operation
from backend.api.responses import created, json_response, no_content, services, user_json
from backend.api.schemas import NAME, PASSWORD, PUBLIC_KEY
from backend.auth.bearer import BearerScheme
from backend.services.tokens import Tokens

blueprint = Blueprint("accounts", __name__)


@blueprint.post("/auth/register")
@operation(
    {201: EMPTY_TEXT},
    {403: "Registration is closed", 409: "Username already exists", 429: ""},
    body=fields(
        username=NAME,
        password=PASSWORD,
        publicKey=PUBLIC_KEY,
        example={"username": "anna", "password": "a long passphrase", "publicKey": "27977 9431"},
    ),
)
def register() -> Response:
    """Add an account."""
    services().accounts.register(*read_fields("username", "password", "publicKey"), address=_address())
    return created()


@blueprint.post("/auth/login")
@operation(
    {200: one("Tokens")},
    {422: "Username or password is invalid", 429: ""},
    body=fields(username=NAME, password=PASSWORD, example={"username": "anna", "password": "a long passphrase"}),
)
def login() -> Response:
    """Exchange name and password for tokens."""
    accounts = services().accounts
    user = accounts.sign_in(*read_fields("username", "password"), address=_address())
    return _tokens(user.id, accounts.issue_tokens(user))


@blueprint.post("/auth/refresh")
@operation(
    {200: one("Tokens")},
    note="Send the refresh token; it is good once. One that is used again ends the whole sign-in.",
    security="refresh",
)
def refresh() -> Response:
    """Exchange a refresh token for new tokens."""
    sign_in, token_id, expires = BearerScheme.refresh_token()
    return _tokens(sign_in.user_id, services().accounts.refresh(sign_in, token_id, expires))


@blueprint.post("/auth/logout")
@operation({200: one("Message")})
def logout() -> Response:
    """End the sign-in of this request: its tokens or its session. With a password in every request there is none."""
    who = identity()
    if who.scheme == "session":
        services().sessions.end(who.token_id)
    elif who.expires is not None:
        services().accounts.revoke_token(who.family or who.token_id, who.expires)
    return json_response({"message": "User logged out"})


@blueprint.get("/users")
@operation({200: many("User")}, parameters=("name", *PAGE))
def users() -> Response:
    """All people, a page of them, or the one of a name."""
    accounts = services().accounts
    if "name" in request.args:
        found = accounts.find(request.args["name"])
        return json_response([] if found is None else [user_json(found)])
    limit, after = page_parameters()
    return json_response([user_json(user) for user in accounts.users(after=after, limit=limit)])


@blueprint.get("/users/<user_id>")
@operation({200: one("User")}, {404: "User not found"})
def user(user_id: str) -> Response:
    """One account."""
    return json_response(user_json(services().accounts.get(user_id)))


@blueprint.put("/users/<user_id>/password")
@operation(
    {200: one("Tokens")},
    {409: "The account was changed at the same time"},
    body=fields(
        old_password=PASSWORD,
        new_password=PASSWORD,
        example={"old_password": "a long passphrase", "new_password": "a longer passphrase"},
    ),
)
def change_password(user_id: str) -> Response:
    """Change one's own password; every sign-in ends, and the caller gets new tokens."""
    accounts = services().accounts
    old, new = read_fields("old_password", "new_password")
    changed = accounts.change_password(owner(user_id), old, new, _address())
    return _tokens(changed.id, accounts.issue_tokens(changed))


@blueprint.put("/users/<user_id>/key")
@operation(
    {204: NOTHING},
    {409: "The account was changed at the same time"},
    body=fields(
        publicKey=PUBLIC_KEY,
        password=PASSWORD,
        example={"publicKey": "27977 9431", "password": "a long passphrase"},
    ),
)
def change_key(user_id: str) -> Response:
    """Change one's own public key."""
    public_key, password = read_fields("publicKey", "password")
    services().accounts.change_key(owner(user_id), public_key, password, _address())
    return no_content()


@blueprint.delete("/users/<user_id>")
@operation(
    {200: one("Nothing")},
    {401: "Not authorized: no sign-in, or this is somebody else's account"},
    body=fields("password", password=PASSWORD, example={"password": "a long passphrase"}),
    note="With a token the password is required.",
)
def delete(user_id: str) -> Response:
    """Delete one's own account with everything that belongs to it."""
    accounts, own = services().accounts, owner(user_id)
    if identity().by_token:  # one that somebody got hold of must not be enough
        (password,) = read_fields("password")
        accounts.confirm(own, password, _address())
    accounts.delete(own)
    return json_response({})


def _tokens(user_id: str, tokens: Tokens) -> Response:
    return json_response({"user_id": user_id, "access_token": tokens.access, "refresh_token": tokens.refresh})


def _address() -> str:
    return request.remote_addr or ""
