"""Everybody's permissions anew, as they come with a picture's new epoch. Must not import Flask."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from backend.errors import Invalid
from backend.services.accounts import check_id
from backend.services.envelope import Place, check_grant
from backend.services.permissions import ROLES, SHARING_LIMIT
from backend.storage.protocol import Permission

if TYPE_CHECKING:
    from backend.storage.protocol import PictureRecord, Storage


def permissions_anew(storage: Storage, picture: PictureRecord, place: Place, untrusted_text: str) -> list[Permission]:
    """Return the permissions that a text names for the epoch of ``place``.

    Who deleted their account meanwhile, or is nobody who reads pictures, is left out: no reason to refuse everybody
    else's new grants.

    Raises:
        Invalid: It is no such list, names somebody twice or the owner, or a grant does not fit.
        BadId: A user id is not 24 hex digits.
        Conflict: A grant is for another epoch.
    """
    permissions: dict[str, Permission] = {}
    for user_id, role, grant in read_permissions(untrusted_text):
        if user_id == picture.owner_id or user_id in permissions:
            raise Invalid("Permissions are invalid")
        permissions[user_id] = Permission(picture.id, user_id, role, check_grant(grant, place, role))
    users = ((user_id, storage.user(user_id)) for user_id in permissions)
    return [permissions[user_id] for user_id, user in users if user and not user.closing and not user.kind]


def read_permissions(untrusted_text: str) -> list[tuple[str, str, str]]:
    """Read a JSON list of ``{"user_id", "role", "grant"}`` into user id, role and grant (may be missing: empty).

    Raises:
        Invalid: It is anything else.
    """

    def refuse(*_: object) -> NoReturn:
        raise Invalid("Permissions are invalid")

    try:
        entries = json.loads(untrusted_text, parse_constant=refuse, parse_float=refuse, parse_int=refuse)
    except (ValueError, RecursionError):
        refuse()
    if not isinstance(entries, list) or len(entries) > SHARING_LIMIT:
        refuse()
    found = []
    for entry in entries:
        if not isinstance(entry, dict) or not entry.keys() <= {"user_id", "role", "grant"}:
            refuse()
        values: list[Any] = [entry.get("user_id"), entry.get("role"), entry.get("grant", "")]
        if not all(isinstance(value, str) for value in values) or values[1] not in ROLES:
            refuse()
        found.append((check_id(values[0]), values[1], values[2]))
    return found
