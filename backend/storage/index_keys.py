"""Byte strings that sort as the values they stand for.

SQLite compares BLOBs byte by byte; encoded this way, it can find and sort the values of documents. The first byte is
the place of the type in MongoDB's comparison order, so types never mix in a range.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId

_NONE = b"\x01"
_NUMBER = b"\x02"
_STRING = b"\x03"
_BYTES = b"\x06"
_OBJECT_ID = b"\x07"
_BOOL = b"\x08"
_DATE = b"\x09"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

KeyRange = tuple[bytes, bytes]  # half open: low <= key < high

EVERYTHING: KeyRange = (b"", b"\xff")


def encode(value: Any) -> bytes | None:
    """Encode a value; None when values of its type (documents, lists, …) are not indexed.

    Numbers beyond 2^53 may share an encoding with a neighbour, dates within a millisecond do: whoever reads an index
    checks the documents themselves.
    """
    encoded: bytes | None = None
    if value is None:
        encoded = _NONE
    elif isinstance(value, str):
        encoded = _STRING + value.encode("utf-8")
    elif isinstance(value, bool):
        encoded = _BOOL + (b"\x01" if value else b"\x00")
    elif isinstance(value, int | float):
        encoded = _NUMBER + _encode_number(float(value))
    elif isinstance(value, ObjectId):
        encoded = _OBJECT_ID + value.binary
    elif isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        encoded = _DATE + struct.pack(">Q", (aware - _EPOCH) // _MILLISECOND + (1 << 63))
    elif isinstance(value, bytes):
        encoded = _BYTES + value
    return encoded


def decode_id(key: bytes) -> str | ObjectId:
    """Return the document id that was encoded."""
    if key[:1] == _OBJECT_ID:
        return ObjectId(key[1:])
    return key[1:].decode("utf-8")


def after(key: bytes) -> bytes:
    """Return the smallest byte string greater than ``key``."""
    return key + b"\x00"


def range_of(operators: dict[str, Any]) -> KeyRange | None:
    """Return the half-open range that holds every value which fits the operators, or None when they give no range.

    It may hold more: the caller checks. Like mongita, a comparison only fits values of the operand's type.
    """
    low, high = EVERYTHING
    found = False
    for operator, operand in operators.items():
        if operator not in ("$gt", "$gte", "$lt", "$lte", "$eq"):
            continue
        key = encode(operand)
        if key is None:
            continue
        found = True
        low, high = max(low, key[:1]), min(high, bytes([key[0] + 1]))
        if operator in ("$gt", "$gte", "$eq"):
            low = max(low, after(key) if operator == "$gt" and key[:1] == _STRING else key)
        if operator in ("$lt", "$lte", "$eq"):
            high = min(high, key if operator == "$lt" and key[:1] == _STRING else after(key))
    return (low, high) if found else None


def is_string_range(operators: dict[str, Any]) -> bool:
    """Whether :func:`range_of` holds exactly what fits: nothing but comparisons with strings."""
    return bool(operators) and all(
        operator in ("$gt", "$gte", "$lt", "$lte") and isinstance(operand, str)
        for operator, operand in operators.items()
    )


def _encode_number(number: float) -> bytes:
    bits = int.from_bytes(struct.pack(">d", number + 0.0), "big")  # + 0.0 turns -0.0 into 0.0
    bits = bits ^ 0xFFFFFFFFFFFFFFFF if bits >> 63 else bits | 1 << 63
    return bits.to_bytes(8, "big")
