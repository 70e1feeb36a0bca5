"""What the server reads in a sealed picture's envelope: the picture's id and the hash of the header, nothing more.

The envelope travels as one opaque string. It is kept exactly as it was given and never serialised anew; this module
only parses a copy, strictly, to index it. It verifies no signature: that is for those who hold keys.

Must not import Flask.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from backend.errors import Invalid

ENVELOPE_LIMIT = 32 * 1024
THUMBNAIL_LIMIT = 262_144 + 16
"""Bytes of an encrypted thumbnail: one chunk of at most 262,144 bytes and its authentication tag."""

_TEXT = re.compile(r"[A-Za-z0-9+/=]*")
_HEX = {32: re.compile(r"[0-9a-f]{32}"), 64: re.compile(r"[0-9a-f]{64}")}
_DEPTH_LIMIT = 5
_INTEGER_LIMIT = 2**53 - 1


@dataclass(frozen=True, slots=True)
class EnvelopeIndex:
    """What is indexed.

    Attributes:
        picture_id: 32 hex digits, from the deed.
        header_hash: SHA-256 over ``"glassine/1 id header\\0"`` and the canonical body; 64 hex digits.
    """

    picture_id: str
    header_hash: str


def index_envelope(untrusted_envelope: str) -> EnvelopeIndex:
    """Check the form of an envelope and return what the server indexes.

    Raises:
        Invalid: It is not a header object in canonical encoding.
    """
    if len(untrusted_envelope) > ENVELOPE_LIMIT or not untrusted_envelope.isascii():
        _refuse()
    try:
        header = json.loads(
            untrusted_envelope,
            parse_int=_integer,
            parse_float=_refuse,
            parse_constant=_refuse,
            object_pairs_hook=_unique,
        )
    except (ValueError, RecursionError):
        _refuse()
    _check(header, 1)
    if canonical(header) != untrusted_envelope:
        _refuse()
    body = _member(header, "body", dict)
    deed = _member(_member(body, "deed", dict), "body", dict)
    _member(header, "sig", str)
    if body.get("t") != "header" or deed.get("t") != "deed":
        _refuse()
    picture_id = _member(deed, "pic", str)
    if not _HEX[32].fullmatch(picture_id) or not _HEX[64].fullmatch(_member(body, "author", str)):
        _refuse()
    digest = hashlib.sha256(b"glassine/1 id header\0" + canonical(body).encode("ascii")).hexdigest()
    return EnvelopeIndex(picture_id, digest)


def canonical(value: object) -> str:
    """The one encoding of an object that is signed: sorted keys, no blanks, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _check(value: object, depth: int) -> None:
    if isinstance(value, dict) and depth <= _DEPTH_LIMIT:
        for key, member in value.items():
            _check(key, depth)
            _check(member, depth + 1)
    elif isinstance(value, str):
        if not _TEXT.fullmatch(value):
            _refuse()
    elif isinstance(value, bool) or not isinstance(value, int):
        _refuse()


def _integer(text: str) -> int:
    if len(text) > 16 or not 0 <= int(text) <= _INTEGER_LIMIT:
        _refuse()
    return int(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        _refuse()
    return members


def _member(container: object, key: str, kind: type) -> Any:
    value = container.get(key) if isinstance(container, dict) else None
    if not isinstance(value, kind):
        _refuse()
    return value


def _refuse(*_: object) -> NoReturn:
    raise Invalid("Envelope is invalid")
