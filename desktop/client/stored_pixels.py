"""A corner of a stored PNG as its own pixels, for showing people what is stored. Nothing is decided by it.

What is read comes from whoever keeps the picture: only eight-bit RGB without interlacing and with unfiltered rows, as
Glassine writes it, is drawn. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from desktop.errors import Cancelled, Damaged, TooLarge
from desktop.image_formats import MAX_FILE_BYTES
from desktop.models import IsCancelled, never_cancelled

if TYPE_CHECKING:
    from desktop.client.api import Api

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
MAX_SIDE: Final = 65_535
_READ: Final = 65_536
_FORMAT: Final = bytes((8, 2, 0, 0, 0))


@dataclass(frozen=True, slots=True)
class StoredPixels:
    """The beginning of a stored picture.

    Attributes:
        width: Of ``pixels``.
        height: Of ``pixels``.
        pixels: Rows of RGB, three bytes a pixel, without padding.
        full: Width and height of the stored picture.
    """

    width: int
    height: int
    pixels: bytes
    full: tuple[int, int]


def fetch_corner(
    api: Api, owner_id: str, stored_name: str, columns: int, rows: int, cancelled: IsCancelled = never_cancelled
) -> StoredPixels:
    """Fetch as much of a stored picture as its first rows need.

    Raises:
        NotFound: The server does not have it.
        Damaged: It is not a PNG as Glassine writes it.
    """
    with api.content(owner_id, stored_name, cancelled) as untrusted:
        return read_corner(untrusted, columns, rows, cancelled)


def fetch_whole(api: Api, owner_id: str, stored_name: str, cancelled: IsCancelled = never_cancelled) -> bytearray:
    """Fetch a stored picture as it is.

    Raises:
        NotFound: The server does not have it.
        TooLarge: It is longer than any picture that Glassine shows.
    """
    whole = bytearray()
    with api.content(owner_id, stored_name, cancelled) as untrusted:
        while piece := untrusted.read(_READ):
            whole += piece
            if len(whole) > MAX_FILE_BYTES:
                raise TooLarge
    return whole


def read_corner(untrusted: BinaryIO, columns: int, rows: int, cancelled: IsCancelled = never_cancelled) -> StoredPixels:
    """Read the first pixels of the first rows of a PNG; the rest is left unread."""
    if _exactly(untrusted, 8) != SIGNATURE:
        raise Damaged(details="not a PNG")
    length, kind = struct.unpack(">I4s", _exactly(untrusted, 8))
    if (length, kind) != (13, b"IHDR"):
        raise Damaged(details="no IHDR")
    width, height = struct.unpack(">II", _exactly(untrusted, 8))
    if _exactly(untrusted, 5) != _FORMAT or not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise Damaged(details="another kind of PNG")
    _exactly(untrusted, 4)
    columns, rows = min(columns, width), min(rows, height)
    row_bytes = 3 * width + 1
    raw = _inflate(untrusted, rows * row_bytes, cancelled)
    parts = []
    for row in range(rows):
        start = row * row_bytes
        if raw[start] != 0:
            raise Damaged(details="a filtered row")
        parts.append(raw[start + 1 : start + 1 + 3 * columns])
    return StoredPixels(columns, rows, b"".join(parts), (width, height))


def _inflate(untrusted: BinaryIO, wanted: int, cancelled: IsCancelled) -> bytes:
    """Return the first bytes of what the IDAT chunks hold."""
    inflate, out = zlib.decompressobj(), bytearray()
    while len(out) < wanted:
        length, kind = struct.unpack(">I4s", _exactly(untrusted, 8))
        if kind != b"IDAT":
            raise Damaged(details="chunk")
        left = length
        while left and len(out) < wanted:
            if cancelled():
                raise Cancelled
            piece = _exactly(untrusted, min(left, _READ))
            left -= len(piece)
            try:
                out += inflate.decompress(piece, wanted - len(out))
                while inflate.unconsumed_tail and len(out) < wanted:
                    out += inflate.decompress(inflate.unconsumed_tail, wanted - len(out))
            except zlib.error as error:
                raise Damaged(details=str(error)) from error
        if len(out) < wanted:
            _exactly(untrusted, 4)
    return bytes(out)


def _exactly(untrusted: BinaryIO, size: int) -> bytes:
    parts: list[bytes] = []
    while size:
        piece = untrusted.read(size)
        if not piece:
            raise Damaged(details="it ends too early")
        parts.append(piece)
        size -= len(piece)
    return b"".join(parts)
