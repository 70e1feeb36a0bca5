"""Where every byte of a carrier lies (FORMAT.md sections 9.1 to 9.3).

A carrier is an ordinary PNG whose pixels are noise. Its layout follows from two lengths alone, so nothing about a file
needs to be believed. Must not import anything of the project but ``desktop.crypto`` and ``desktop.errors``.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from desktop.crypto.canonical import MAX_TEXT
from desktop.crypto.sizes import MAX_PAYLOAD, TAG, ciphertext_size
from desktop.errors import Damaged, TooLarge

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
MAX_SIDE: Final = 16_000
PREFIX_BYTES: Final = 32
MAX_STORED_BLOCK: Final = 65_535
BLOCK_HEADER: Final = 5
ZLIB_HEADER: Final = b"\x78\x01"
END: Final = struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))
HEAD_BYTES: Final = len(SIGNATURE) + 25 + 8 + len(ZLIB_HEADER)
"""Signature, IHDR, length and type of IDAT, zlib header."""

_PREFIX = struct.Struct(">8sB3xIQ8x")
_MAGIC = b"GLASSINE"
_VERSION = 1
_CANDIDATES = 64


def dimensions(total: int) -> tuple[int, int]:
    """Return width and height for a stream of ``total`` bytes: near square, with the least waste.

    Raises:
        TooLarge: A side would exceed 16,000 pixels.
    """
    pixels = -(-total // 3)
    side = math.isqrt(pixels - 1) + 1
    lowest = max(1, side - _CANDIDATES + 1, (side + 1) // 2)
    # min() keeps the first of equals, which is the greatest height
    height = min(range(side, lowest - 1, -1), key=lambda h: -(-pixels // h) * h)
    width = -(-pixels // height)
    if max(width, height) > MAX_SIDE:
        raise TooLarge
    return width, height


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a PNG chunk."""
    return struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", zlib.crc32(kind + data))


@dataclass(frozen=True)
class Layout:
    """The layout of a carrier.

    Attributes:
        payload: Length of the payload ciphertext.
        envelope: Length of the envelope.
    """

    payload: int
    envelope: int

    @classmethod
    def from_prefix(cls, untrusted_prefix: bytes) -> Layout:
        """Read the prefix of a loose file; raises Damaged."""
        if len(untrusted_prefix) != PREFIX_BYTES:
            raise Damaged(details="prefix length")
        _, _, envelope, payload = _PREFIX.unpack(untrusted_prefix)
        layout = cls(payload, envelope)
        if layout.prefix != untrusted_prefix:
            raise Damaged("This PNG is not a sealed picture, or it is damaged.", details="prefix")
        if not 0 < envelope <= MAX_TEXT or not TAG < payload <= ciphertext_size(MAX_PAYLOAD):
            raise Damaged(details="lengths in the prefix")
        return layout

    @cached_property
    def prefix(self) -> bytes:
        """The first 32 bytes of the stream."""
        return _PREFIX.pack(_MAGIC, _VERSION, self.envelope, self.payload)

    @property
    def total(self) -> int:
        """Length of the stream without filler."""
        return PREFIX_BYTES + self.payload + self.envelope

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return dimensions(self.total)

    @cached_property
    def row(self) -> int:
        """Bytes of a row without its filter byte."""
        return 3 * self.size[0]

    @property
    def filler(self) -> int:
        """Number of random bytes at the end of the stream."""
        return self.row * self.size[1] - self.total

    @cached_property
    def block_rows(self) -> int:
        """Rows per stored block."""
        return MAX_STORED_BLOCK // (self.row + 1)

    @cached_property
    def raw(self) -> int:
        """Length of all rows with their filter bytes: what deflate compresses."""
        return (self.row + 1) * self.size[1]

    @cached_property
    def idat(self) -> int:
        """Length of the data of IDAT."""
        blocks = -(-self.size[1] // self.block_rows)
        return len(ZLIB_HEADER) + blocks * BLOCK_HEADER + self.raw + 4

    @property
    def file_size(self) -> int:
        """Length of the file."""
        return HEAD_BYTES - len(ZLIB_HEADER) + self.idat + 4 + len(END)

    @cached_property
    def head(self) -> bytes:
        """The file up to the first stored block."""
        header = struct.pack(">IIBBBBB", *self.size, 8, 2, 0, 0, 0)
        return SIGNATURE + chunk(b"IHDR", header) + struct.pack(">I4s", self.idat, b"IDAT") + ZLIB_HEADER

    def block_header(self, first_row: int) -> bytes:
        """Return the deflate header of the stored block that starts with a row (RFC 1951, 3.2.4)."""
        rows = min(self.block_rows, self.size[1] - first_row)
        length = rows * (self.row + 1)
        return struct.pack("<BHH", first_row + rows == self.size[1], length, length ^ 0xFFFF)

    def offset(self, position: int) -> int:
        """Return where in the file a byte of the stream lies."""
        row, column = divmod(position, self.row)
        blocks = row // self.block_rows + 1
        return HEAD_BYTES + blocks * BLOCK_HEADER + row * (self.row + 1) + 1 + column
