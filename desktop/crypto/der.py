"""The little DER (X.690) that the key formats need beside the library: a writer, and a reader of cost parameters.

Must not import anything of the project.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OBJECT_IDENTIFIER: Final = 0x06
SEQUENCE: Final = 0x30


def encode(tag: int, *contents: bytes) -> bytes:
    """Return one element."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def encode_integer(value: int) -> bytes:
    """Return a non-negative INTEGER."""
    return encode(INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def encode_oid(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    content = bytes([40 * first + second])
    for part in rest:
        groups = [part & 0x7F]
        while part := part >> 7:
            groups.insert(0, part & 0x7F | 0x80)
        content += bytes(groups)
    return encode(OBJECT_IDENTIFIER, content)


def elements(untrusted: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of each element in a row.

    Raises:
        ValueError: These bytes are not a row of DER elements.
    """
    at = 0
    while at < len(untrusted):
        if at + 2 > len(untrusted):
            raise ValueError("element without a length")
        tag, size = untrusted[at], untrusted[at + 1]
        at += 2
        if size >= 0x80:
            count = size & 0x7F
            if not 1 <= count <= 4 or at + count > len(untrusted):
                raise ValueError("odd length")
            size = int.from_bytes(untrusted[at : at + count])
            at += count
        if at + size > len(untrusted):
            raise ValueError("element longer than its surroundings")
        yield tag, untrusted[at : at + size]
        at += size


def leaves(untrusted: bytes, depth: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield all elements that are not sequences, at any depth up to eight; raises ValueError."""
    if depth > 8:
        raise ValueError("too deep")
    for tag, content in elements(untrusted):
        if tag == SEQUENCE:
            yield from leaves(content, depth + 1)
        else:
            yield tag, content
