"""Canonical JSON as signed objects travel in: parsed strictly to index a copy, never serialised anew.

No signature is verified here: that is for those who hold keys. Must not import Flask.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

OBJECT_LIMIT = 32 * 1024
"""Bytes of any signed object."""

COUNTER_LIMIT = 2**31 - 1
"""Greatest epoch and revision."""

_TEXT = re.compile(r"[A-Za-z0-9+/=]*")
_HEX = re.compile(r"[0-9a-f]*")
_DEPTH_LIMIT = 5
_INTEGER_LIMIT = 2**53 - 1


class NotCanonical(ValueError):
    """A text is not a signed object of the kind that was expected."""


def parse_object(
    untrusted_text: str, kind: str, *, second_signature: bool = False, limit: int = OBJECT_LIMIT
) -> dict[str, Any]:
    """Return the body of a signed object of type ``kind`` and at most ``limit`` bytes.

    Raises:
        NotCanonical: It is too long, not in the canonical encoding, or of another kind.
    """
    if len(untrusted_text) > limit or not untrusted_text.isascii():
        raise NotCanonical
    try:
        value = json.loads(
            untrusted_text,
            parse_int=_integer,
            parse_float=_refuse,
            parse_constant=_refuse,
            object_pairs_hook=_unique,
        )
    except (ValueError, RecursionError):
        raise NotCanonical from None
    _check(value, 1)
    if canonical(value) != untrusted_text:
        raise NotCanonical
    member(value, "sig", str)
    if second_signature:
        member(value, "sig2", str)
    return body_of(value, kind)


def body_of(untrusted_object: object, kind: str) -> dict[str, Any]:
    """Return the body of an object that was parsed already; raises NotCanonical."""
    body: dict[str, Any] = member(untrusted_object, "body", dict)
    if body.get("t") != kind:
        raise NotCanonical
    return body


def canonical(value: object) -> str:
    """The one encoding of an object that is signed: sorted keys, no blanks, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def object_hash(body: Mapping[str, Any]) -> str:
    """The hash of an object by its body; 64 hex digits."""
    return hashlib.sha256(f"glassine/1 id {body['t']}\0{canonical(body)}".encode("ascii")).hexdigest()


def member(container: object, key: str, kind: type) -> Any:
    """A member of an object that must be of a type; raises NotCanonical."""
    value = container.get(key) if isinstance(container, dict) else None
    if not isinstance(value, kind):
        raise NotCanonical
    return value


def hex_member(container: object, key: str, digits: int) -> str:
    """A member that must be so many lower-case hex digits; raises NotCanonical."""
    value: str = member(container, key, str)
    if not is_hex(value, digits):
        raise NotCanonical
    return value


def is_hex(untrusted_text: str, digits: int) -> bool:
    """Whether a text is so many lower-case hex digits."""
    return len(untrusted_text) == digits and _HEX.fullmatch(untrusted_text) is not None


def counter_member(container: object, key: str) -> int:
    """A member that must count from 1; raises NotCanonical."""
    value: int = member(container, key, int)
    if not 1 <= value <= COUNTER_LIMIT:
        raise NotCanonical
    return value


def _check(value: object, depth: int) -> None:
    if isinstance(value, dict) and depth <= _DEPTH_LIMIT:
        for key, inner in value.items():
            _check(key, depth)
            _check(inner, depth + 1)
    elif isinstance(value, str):
        if not _TEXT.fullmatch(value):
            raise NotCanonical
    elif isinstance(value, bool) or not isinstance(value, int):
        raise NotCanonical


def _integer(text: str) -> int:
    if len(text) > 16 or not 0 <= int(text) <= _INTEGER_LIMIT:
        raise NotCanonical
    return int(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotCanonical
    return members


def _refuse(*_: object) -> Any:
    raise NotCanonical
