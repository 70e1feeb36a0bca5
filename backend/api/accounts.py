"""Routes of accounts: register, login, logout, users."""

from __future__ import annotations

from flask import Blueprint, Response

from backend.api.fields import read_fields
from backend.api.gate import identity
from backend.api.responses import created, json_response, services, user_json

blueprint = Blueprint("accounts", __name__)


@blueprint.post("/auth/register")
def register() -> Response:
    """Add an account."""
    services().accounts.register(*read_fields("username", "password", "publicKey"))
    return created()


@blueprint.post("/auth/login")
def login() -> Response:
    """Exchange name and password for a token."""
    accounts = services().accounts
    user = accounts.sign_in(*read_fields("username", "password"))
    return json_response({"user_id": user.id, "access_token": accounts.issue_token(user.id)})


@blueprint.post("/auth/logout")
def logout() -> Response:
    """Revoke the token of this request."""
    who = identity()
    services().accounts.revoke_token(who.token_id, who.expires)
    return json_response({"message": "User logged out"})


@blueprint.get("/users")
def users() -> Response:
    """All accounts."""
    return json_response([user_json(user) for user in services().accounts.all()])


@blueprint.get("/users/<user_id>")
def user(user_id: str) -> Response:
    """One account."""
    return json_response(user_json(services().accounts.get(user_id)))
