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
_QUOTA_EXCEEDED = "Your storage on this server is full"
_BYTES_MISSING = "The stored data cannot be read"
_TOO_OFTEN = "This picture was changed too often"
_EXPIRED = "Token has expired"

MAX_RECORD = 32 * 1024
"""Characters of a signed record."""

_USER_ID = re.compile(r"[0-9a-f]{24}")
_PICTURE_ID = re.compile(r"[0-9a-f]{32}")
_HASH = re.compile(r"[0-9a-f]{64}")
_HEAD_VALUE = re.compile(r"[\x21-\x7e]+")
_HALVES = re.compile("[\ud800-\udfff]")
"""Halves of characters: JSON can spell them, no address, file name or file can."""


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a server says about itself without signing in."""

    version: str
    max_upload_bytes: int
    registration: bool
    bin_days: int = 0
    """How long the bin keeps pictures; 0: deleting is for good."""


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
        header_hash: What the server says the revision is called; empty where it does not say.
        deleted: Since when it is in the bin, aware, UTC; None outside.
    """

    id: str
    stored_name: str
    scheme: Scheme
    size: int
    created: datetime
    envelope: str = ""
    header_hash: str = ""
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class Present:
    """The present revision of one picture.

    Attributes:
        row: With its envelope and header hash.
        role: Of who asks: ``owner``, ``read`` or ``write``.
        grant: Of who asks, untrusted; empty for the owner, and where there is none.
    """

    row: Row
    role: str
    grant: str


@dataclass(frozen=True, slots=True)
class EarlierRevision:
    """A revision that was replaced; ``envelope`` is untrusted."""

    header_hash: str
    envelope: str


@dataclass(frozen=True, slots=True)
class SignedRecord:
    """A signed record that stands beside the pictures: what it is about, and its untrusted text."""

    about: str
    text: str


@dataclass(frozen=True, slots=True)
class Shared:
    """Who else has access to a picture, as the server says; ``grant`` is untrusted, and empty where there is none."""

    user_id: str
    role: str
    grant: str = ""


@dataclass(frozen=True, slots=True)
class SharedRow:
    """One picture that somebody else shares.

    Attributes:
        row: As in other listings.
        owner_id: Whose it is.
        owner_name: What the server calls them; a claim.
        role: ``read`` or ``write``, as the server says; the grant decides.
        grant: Untrusted; empty where there is none.
    """

    row: Row
    owner_id: str
    owner_name: str
    role: str
    grant: str


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
    return _refusal(status, message, details, answer.header("ETag").strip('"')[:130])


def refuse_strangers(answer: Answer) -> None:
    """Raise NotAGlassineServer if a refusal is not one of a Glassine server."""
    refusal = failure(answer)
    if isinstance(refusal, errors.NotAGlassineServer):
        raise refusal


def has_expired(failure: errors.GlassineError) -> bool:
    """Whether a request was refused only because its token is past its time: nothing of it was done."""
    return isinstance(failure, errors.NotSignedIn) and failure.details == f"status 401: {_EXPIRED}"


def _server_failure(status: int, message: str, details: str) -> errors.GlassineError:
    if message == _QUOTA_EXCEEDED:
        return errors.StorageFull(
            "Your account has no room left on this server. What is already stored is safe; the bin counts too.",
            details=details,
        )
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


def _refusal(status: int, message: str, details: str, current: str) -> errors.GlassineError:
    lower = message.lower()
    if status in {401, 422} and ("token" in lower or "authorization header" in lower or "signature" in lower):
        return errors.NotSignedIn(details=details)
    if status == 409 and message == _TOO_OFTEN:
        return errors.ChangedTooOften(details=details)
    if status == 412:
        return errors.MovedOn(current=current, details=details)
    if status == 429:
        return errors.ServerSilent("The server asks to try again later.", details=details)
    kinds: dict[int, type[errors.NetworkError]] = {
        401: errors.NotAllowed,
        403: errors.NotAllowed,
        404: errors.NotFound,
        409: errors.Conflict,
        410: errors.DeletedForGood,
    }
    if status in kinds:
        return kinds[status](details=details)
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
    who, token = user_id(document, "user_id"), _token(document, "access_token")  # so it is an object
    return Login(who, token, _token(document, "refresh_token") if "refresh_token" in document else "")


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
    days = number(document, "bin_days") if "bin_days" in document else 0
    limit = number(document, "max_upload_bytes")
    return ServerInfo(text(document, "version", 100), limit, registration is not False, days)


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
        _hash(document, "header_hash") if "header_hash" in document else "",
        _time(text(document, "deleted", 40)) if "deleted" in document else None,
    )


def present(document: Any) -> Present:
    """Read the answer about one picture's present revision."""
    role, grant = text(document, "role", 20), text(document, "grant", MAX_RECORD)
    if role not in {"owner", "read", "write"}:
        raise strange("role is none")
    found = row(document)
    if not found.header_hash:
        raise strange("header_hash is missing")
    return Present(found, role, grant)


def earlier_revision(document: Any) -> EarlierRevision:
    """Read one step of a picture's history."""
    return EarlierRevision(_hash(document, "header_hash"), text(document, "envelope", MAX_ENVELOPE))


def gone_record(document: Any) -> SignedRecord:
    """Read a record of a picture that was deleted for good."""
    picture_id = text(document, "picture_id", 32)
    if not _PICTURE_ID.fullmatch(picture_id):
        raise strange("picture_id is not an id")
    return SignedRecord(picture_id, text(document, "record", MAX_RECORD))


def entity_tag(answer: Answer) -> str:
    """Return what an answer's ETag says, without its quotes; raises NotAGlassineServer if it has none."""
    value = answer.header("ETag")
    if not (3 <= len(value) <= 130 and value[0] == value[-1] == '"' and _HEAD_VALUE.fullmatch(value[1:-1])):
        raise strange("no ETag")
    return value[1:-1]


def _hash(document: Any, field: str) -> str:
    value = text(document, field, 64)
    if not _HASH.fullmatch(value):
        raise strange(f"{field} is not a hash")
    return value


def shared(document: Any) -> Shared:
    """Read one permission."""
    return Shared(user_id(document, "userId"), _role(document), _grant(document))


def shared_row(document: Any) -> SharedRow:
    """Read one row of what others share."""
    owner, name = user_id(document, "owner_id"), text(document, "owner_name")
    return SharedRow(row(document), owner, name, _role(document), _grant(document))


def succession_record(document: Any) -> SignedRecord:
    """Read a record of a key pair that was replaced."""
    return SignedRecord(_hash(document, "old"), text(document, "record", MAX_RECORD))


def _role(document: Any) -> str:
    role = text(document, "role", 20)
    if role not in {"read", "write"}:
        raise strange("role is none")
    return role


def _grant(document: Any) -> str:
    return text(document, "grant", MAX_RECORD) if "grant" in document else ""


def _time(iso: str) -> datetime:
    try:
        value = datetime.fromisoformat(iso)
        value = (value if value.tzinfo is not None else value.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise strange("created is not a time") from error
    if not 1900 <= value.year <= 9000:  # at the ends of the calendar no other time zone can show it
        raise strange("created is not a time")
    return value
