"""What a server answered: status codes turned into errors, JSON checked and turned into values.

Everything is untrusted here. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from desktop import errors
from desktop.models import Scheme

if TYPE_CHECKING:
    from desktop.client.transport import Answer

SMALL = 1 << 16
"""Limit in bytes of an answer about one thing."""
MAX_ENVELOPE = 32 * 1024
MAX_ROW = MAX_ENVELOPE + 2048
"""Limit in bytes of one row of a listing."""
MAX_TOKEN = 8192
MAX_PUBLIC_KEY = 16 * 1024
MAX_NAME = 4096

# words of ``backend.errors``, by which failures of the same status differ
_READ_ONLY = "The server's storage is read-only"
_STORAGE_DAMAGED = "The server's storage is damaged"
_BYTES_MISSING = "The stored data cannot be read"
_EXPIRED = "Token has expired"

_USER_ID = re.compile(r"[0-9a-f]{24}")
_HEAD_VALUE = re.compile(r"[\x21-\x7e]+")
_HALVES = re.compile("[\ud800-\udfff]")
"""Halves of characters: JSON can spell them, no address, file name or file can."""


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a server says about itself without signing in."""

    version: str
    max_upload_bytes: int
    registration: bool


@dataclass(frozen=True, slots=True)
class Login:
    """A session at the server. ``token`` and ``refresh`` are secrets: they are never logged or stored. ``refresh`` gets
    the next token, once; empty from servers that know no such thing."""

    user_id: str
    token: str
    refresh: str = ""

    def __repr__(self) -> str:
        return f"Login({self.user_id})"


@dataclass(frozen=True, slots=True)
class UserInfo:
    """An account as the server describes it; ``public_key`` is a claim, not a fact."""

    user_id: str
    user_name: str
    public_key: str


@dataclass(frozen=True, slots=True)
class Row:
    """One stored picture as the server lists it.

    Attributes:
        id: The server's row id, 24 hex digits; pages go on after it.
        stored_name: Without extension.
        scheme: As the server says; the envelope decides.
        size: Bytes of the stored PNG, as the server says.
        created: Aware, UTC.
        envelope: The sealed header, untrusted; empty for classic pictures.
    """

    id: str
    stored_name: str
    scheme: Scheme
    size: int
    created: datetime
    envelope: str = ""


@dataclass(frozen=True, slots=True)
class Shared:
    """Who else has access to a picture, as the server says."""

    user_id: str
    role: str


def check(answer: Answer, *expected: int) -> None:
    """Do nothing if the status is one of the expected, else raise the error it stands for."""
    if answer.status not in expected:
        raise failure(answer)


def failure(answer: Answer) -> errors.GlassineError:
    """Return the error that a status and its message stand for."""
    status = answer.status
    message = _message(answer)
    details = f"status {status}: {message}" if message else f"status {status}"
    if status >= 500:
        return (_vault_failure if answer.embedded else _server_failure)(status, message, details)
    if status == 413:
        return errors.TooLarge("This is larger than the server takes.", details=details)
    if not message:
        return errors.NotAGlassineServer(details=details)
    if status == 404 and answer.embedded:
        return errors.NotFound("The vault does not have this any more.", details=details)
    return _refusal(status, message, details)


def has_expired(failure: errors.GlassineError) -> bool:
    """Whether a request was refused only because its token is past its time: nothing of it was done."""
    return isinstance(failure, errors.NotSignedIn) and failure.details == f"status 401: {_EXPIRED}"


def _server_failure(status: int, message: str, details: str) -> errors.GlassineError:
    if status == 507:
        return errors.StorageFull("The server has no space left. What is already stored is safe.", details=details)
    if message == _BYTES_MISSING:
        return errors.Damaged(
            "The server has lost the stored file, or cannot read it. Your key is right.", details=details
        )
    if message == _READ_ONLY:
        return errors.ServerFailed(
            "The server cannot store anything at present. Your pictures are safe here; try again later.",
            details=details,
        )
    return errors.ServerFailed(details=details)


def _vault_failure(status: int, message: str, details: str) -> errors.GlassineError:
    """What the backend in this process means: there is no server that a person could do anything about."""
    if status == 507:
        return errors.StorageFull(details=details)
    if message == _READ_ONLY:
        return errors.StorageReadOnly(
            "Glassine may not write to the vault's folder. Change its permissions, or make its disk writable.",
            details=details,
        )
    if message == _BYTES_MISSING:
        return errors.Damaged("The stored file is gone, or cannot be read. Your key is right.", details=details)
    if message == _STORAGE_DAMAGED:
        return errors.VaultUnreadable(errors.VAULT_DAMAGED, details=details)
    return errors.VaultUnreadable("The vault's files cannot be used as they are. Nothing was changed.", details=details)


def _refusal(status: int, message: str, details: str) -> errors.GlassineError:
    lower = message.lower()
    if status in {401, 422} and ("token" in lower or "authorization header" in lower or "signature" in lower):
        return errors.NotSignedIn(details=details)
    if status in {401, 403}:
        return errors.NotAllowed(details=details)
    if status == 404:
        return errors.NotFound(details=details)
    if status == 409:
        return errors.Conflict(details=details)
    if status == 429:
        return errors.ServerSilent("The server asks to try again later.", details=details)
    return errors.NetworkError(f"The server refused: {message}", details=details)


def _message(answer: Answer) -> str:
    """The answer's own words, shortened; empty when it is not an error answer of a Glassine server."""
    try:
        document = answer.json(SMALL)
    except errors.NetworkError:
        return ""
    message = document.get("message") if isinstance(document, dict) else None
    if not isinstance(message, str):
        return ""
    return "".join(char for char in message[:300] if char.isprintable())


# -- values -------------------------------------------------------------------------------------------------------


def text(document: Any, field: str, limit: int = MAX_NAME) -> str:
    """Return a string field; raises NotAGlassineServer if it is not one."""
    value = document.get(field) if isinstance(document, dict) else None
    if not isinstance(value, str) or len(value) > limit:
        raise strange(f"{field} is not a string of at most {limit} characters")
    if not value.isascii() and _HALVES.search(value):
        raise strange(f"{field} is not a text")
    return value


def number(document: Any, field: str) -> int:
    """Return a field that is an integer from 0 to 2^53; raises NotAGlassineServer if it is not one."""
    value = document.get(field) if isinstance(document, dict) else None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:
        raise strange(f"{field} is not a whole number")
    return value


def strange(details: str) -> errors.NotAGlassineServer:
    """The error for an answer that is not shaped as agreed."""
    return errors.NotAGlassineServer("The server's answer is not one of a Glassine server.", details=details)


def user_id(document: Any, field: str) -> str:
    """Return a field that is a user or row id; raises NotAGlassineServer if it is not one."""
    value = text(document, field, 24)
    if not _USER_ID.fullmatch(value):
        raise strange(f"{field} is not an id")
    return value


def login(document: Any) -> Login:
    """Read the answer to a login."""
    refresh = _token(document, "refresh_token") if "refresh_token" in document else ""
    return Login(user_id(document, "user_id"), _token(document, "access_token"), refresh)


def _token(document: Any, field: str) -> str:
    value = text(document, field, MAX_TOKEN)
    if not _HEAD_VALUE.fullmatch(value):
        raise strange(f"{field} is not a token")
    return value


def server_info(document: Any) -> ServerInfo:
    """Read the answer to the question who answers there."""
    if text(document, "name", 100) != "glassine":
        raise errors.NotAGlassineServer
    registration = document.get("registration")
    return ServerInfo(text(document, "version", 100), number(document, "max_upload_bytes"), registration is not False)


def user_info(document: Any) -> UserInfo:
    """Read the description of an account."""
    name = text(document, "user_name")
    return UserInfo(user_id(document, "user_id"), name, text(document, "public_key", MAX_PUBLIC_KEY))


def row(document: Any) -> Row:
    """Read one row of a listing."""
    stored_name = text(document, "img_name").removesuffix(".png")
    scheme = Scheme.SEALED if text(document, "scheme", 20) == Scheme.SEALED.value else Scheme.CLASSIC
    envelope = text(document, "envelope", MAX_ENVELOPE) if scheme is Scheme.SEALED and "envelope" in document else ""
    return Row(
        user_id(document, "id"),
        stored_name,
        scheme,
        number(document, "size"),
        _time(text(document, "created", 40)),
        envelope,
    )


def shared(document: Any) -> Shared:
    """Read one permission."""
    return Shared(user_id(document, "userId"), text(document, "role", 20))


def _time(iso: str) -> datetime:
    try:
        value = datetime.fromisoformat(iso)
        value = (value if value.tzinfo is not None else value.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise strange("created is not a time") from error
    if not 1900 <= value.year <= 9000:  # at the ends of the calendar no other time zone can show it
        raise strange("created is not a time")
    return value
