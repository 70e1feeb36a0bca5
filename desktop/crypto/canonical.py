"""Canonical JSON (FORMAT.md section 2): one text per value, and a parser that refuses every other.

Must not import PySide6, the network or anything of the project but ``desktop.errors``.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from desktop.errors import Damaged

MAX_TEXT: Final = 32768
MAX_DEPTH: Final = 5
MAX_INTEGER: Final = (1 << 53) - 1

Object: TypeAlias = dict[str, Any]
"""A parsed JSON object: values are ``str``, ``int`` or further objects."""

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
_STRING = re.compile(r"[A-Za-z0-9+/=]*", re.ASCII)
_HEX = re.compile(r"(?:[0-9a-f]{2})*", re.ASCII)


def encode(value: Mapping[str, Any]) -> bytes:
    """Return the canonical encoding; for values the program made itself."""
    return _ENCODER.encode(value).encode("ascii")


def parse(untrusted_text: str | bytes, *, limit: int = MAX_TEXT, free_strings: bool = False) -> Object:
    """Parse text that must be the canonical encoding of an object.

    Args:
        untrusted_text: The text.
        limit: Greatest length in bytes, checked first.
        free_strings: Allow any Unicode text but lone surrogates as string values (metadata only).

    Raises:
        Damaged: It is anything else.
    """
    if len(untrusted_text) > limit:
        raise Damaged(details="text too long")
    try:
        data = untrusted_text.encode("ascii") if isinstance(untrusted_text, str) else bytes(untrusted_text)
        value = json.loads(data.decode("ascii"))
        if type(value) is not dict:
            raise ValueError("not an object")
        _check(value, 1, free_strings)
        # a member given twice does not survive this either
        if encode(value) != data:
            raise ValueError("not canonical")
    except (ValueError, RecursionError) as error:
        # never the text itself: it may be anything
        raise Damaged(details=f"JSON: {type(error).__name__}") from None
    return value


def _check(value: Object, depth: int, free_strings: bool) -> None:
    if depth > MAX_DEPTH:
        raise ValueError("too deep")
    for key, member in value.items():
        if not _STRING.fullmatch(key):
            raise ValueError("odd member name")
        if type(member) is dict:
            _check(member, depth + 1, free_strings)
        elif type(member) is int:
            if not 0 <= member <= MAX_INTEGER:
                raise ValueError("integer out of range")
        elif type(member) is str:
            if free_strings:
                member.encode("utf-8")  # a lone surrogate raises UnicodeEncodeError, a ValueError
            elif not _STRING.fullmatch(member):
                raise ValueError("odd string")
        else:
            # true, false, null, arrays, fractions: bool is no int here, because its type is compared exactly
            raise ValueError("odd value")


def require_members(value: Object, names: frozenset[str]) -> None:
    """Check that an object has exactly these members; raises Damaged."""
    if value.keys() != names:
        raise Damaged(details="wrong set of members")


def get_object(value: Object, name: str) -> Object:
    """Return a member that must be an object."""
    member = value.get(name)
    if type(member) is not dict:
        raise Damaged(details=f"{name} is no object")
    return member


def get_text(value: Object, name: str) -> str:
    """Return a member that must be a string."""
    member = value.get(name)
    if type(member) is not str:
        raise Damaged(details=f"{name} is no string")
    return member


def get_integer(value: Object, name: str, low: int, high: int) -> int:
    """Return a member that must be an integer of a range, both ends included."""
    member = value.get(name)
    if type(member) is not int or not low <= member <= high:
        raise Damaged(details=f"{name} is no integer in range")
    return member


def get_hex(value: Object, name: str, size: int) -> str:
    """Return a member that must be lower-case hexadecimal of ``size`` bytes."""
    member = get_text(value, name)
    if len(member) != 2 * size or not _HEX.fullmatch(member):
        raise Damaged(details=f"{name} is no hexadecimal of its length")
    return member


def get_base64(value: Object, name: str, *, low: int = 0, high: int = MAX_TEXT) -> bytes:
    """Return the bytes of a member that must be base64 re-encoding to itself, of a range of lengths."""
    member = get_text(value, name)
    try:
        data = base64.b64decode(member, validate=True)
    except (binascii.Error, ValueError):
        raise Damaged(details=f"{name} is no base64") from None
    if encode_base64(data) != member or not low <= len(data) <= high:
        raise Damaged(details=f"{name} is no base64 of its length")
    return data


def encode_base64(data: bytes) -> str:
    """Return base64 in the one allowed form."""
    return base64.b64encode(data).decode("ascii")
