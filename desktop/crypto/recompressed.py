"""Reading a local carrier that was compressed again (FORMAT.md section 9.4).

Pillow decodes it, after the chunks were walked, everything but IHDR, IDAT and IEND was hidden, and the first pixels
said how large the picture must be. Noise does not compress: a file shorter than its ciphertext is a bomb. Must not
import anything of the project but ``desktop.crypto`` and ``desktop.errors``.
"""

from __future__ import annotations

import bisect
import io
import struct
import zlib
from typing import TYPE_CHECKING, BinaryIO, Final

from desktop.crypto.carrier_layout import MAX_SIDE, PREFIX_BYTES, SIGNATURE, Layout
from desktop.errors import Damaged, TooLarge

if TYPE_CHECKING:
    from PIL.Image import Image

_CHUNK_OVERHEAD: Final = 12
_PROBE_BYTES: Final = 1 << 20
_STRIP_BYTES: Final = 1 << 20
_NOT_SEALED: Final = "This PNG is not a sealed picture, or it is damaged."


class RecompressedReader:
    """Gives the stream of such a file.

    Attributes:
        layout: What the prefix inside says, found consistent with the file.
    """

    def __init__(self, untrusted_file: BinaryIO, size: int) -> None:
        """Check what bounds the work; decodes nothing but the prefix. Raises Damaged or TooLarge."""
        self._file = untrusted_file
        width, height, self._chunks = _walk(untrusted_file, size)
        self.layout = Layout.from_prefix(_read_prefix(untrusted_file, self._chunks, width))
        if self.layout.size != (width, height):
            raise Damaged(_NOT_SEALED, details="dimensions")
        data = sum(length - _CHUNK_OVERHEAD for _, length in self._chunks[1:-1])
        if data < self.layout.payload or data > self.layout.raw * 1.01 + (1 << 20):
            raise Damaged(_NOT_SEALED, details="amount of compressed data")
        self._picture: Image | None = None
        self._strip = memoryview(b"")
        self._next_row = 0

    def envelope(self) -> bytes:
        """Return the envelope inside."""
        layout = self.layout
        first, skip = divmod(PREFIX_BYTES + layout.payload, layout.row)
        rows = self._rows(first, layout.size[1])
        return rows[skip : skip + layout.envelope]

    def _rows(self, first: int, last: int) -> bytes:
        if self._picture is None:
            self._picture = _decode(_Chunks(self._file, self._chunks), self.layout.size)
        return self._picture.crop((0, first, self.layout.size[0], last)).tobytes()

    def _read(self, target: memoryview) -> None:
        while target:
            if not self._strip:
                last = min(self.layout.size[1], self._next_row + max(1, _STRIP_BYTES // self.layout.row))
                if last == self._next_row:
                    raise Damaged(details="carrier ends")
                self._strip = memoryview(self._rows(self._next_row, last))
                self._next_row = last
            count = min(len(target), len(self._strip))
            target[:count] = self._strip[:count]
            target = target[count:]
            self._strip = self._strip[count:]

    def read_into(self, target: memoryview) -> None:
        """Fill ``target`` with the next bytes after the prefix; raises Damaged."""
        if not self._next_row:
            self._read(memoryview(bytearray(PREFIX_BYTES)))
        self._read(target)

    def finish(self, envelope: bytes) -> None:
        """Compare the envelope inside with the one at hand; raises Damaged."""
        inside = bytearray(len(envelope))
        self._read(memoryview(inside))
        if inside != envelope:
            raise Damaged(details="envelope in the carrier")


def _walk(file: BinaryIO, size: int) -> tuple[int, int, list[tuple[int, int]]]:
    """Return width, height and the (offset, length) of IHDR, every IDAT and IEND."""
    chunks: list[tuple[int, int]] = []
    width = height = 0
    at = len(SIGNATURE)
    # an optimiser's chunks have kilobytes; a flood of empty ones would take hours and gigabytes
    for _ in range(1024 + size // 1024):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            break
        length, kind = struct.unpack(">I4s", head)
        end = at + length + _CHUNK_OVERHEAD
        if end > size:
            break
        if not chunks:
            width, height = _check_header(kind, head[4:] + file.read(length + 4) if length == 13 else head)
        elif kind == b"IEND":
            if length or end != size:
                break
            return width, height, [*chunks, (at, end - at)]
        if not chunks or kind == b"IDAT":
            chunks.append((at, end - at))
        at = end
    raise Damaged(_NOT_SEALED, details="chunks")


def _check_header(kind: bytes, data: bytes) -> tuple[int, int]:
    if kind != b"IHDR" or len(data) != 21 or zlib.crc32(data[:17]) != int.from_bytes(data[17:]):
        raise Damaged(_NOT_SEALED, details="IHDR")
    width, height, *rest = struct.unpack(">IIBBBBB", data[4:17])
    if max(width, height) > MAX_SIDE:
        raise TooLarge("This PNG is larger than any sealed picture.")
    if rest != [8, 2, 0, 0, 0] or not min(width, height):
        raise Damaged(_NOT_SEALED, details="kind of PNG")
    return width, height


def _read_prefix(file: BinaryIO, chunks: list[tuple[int, int]], width: int) -> bytes:
    """Inflate the first bytes of the first row and undo its filter."""
    inflate = zlib.decompressobj()
    first = b""
    budget = _PROBE_BYTES
    if 3 * width < PREFIX_BYTES:
        raise Damaged(_NOT_SEALED, details="narrow")
    for offset, length in chunks[1:-1]:
        file.seek(offset + 8)
        data = file.read(min(length - _CHUNK_OVERHEAD, budget))
        budget -= len(data)
        try:
            first += inflate.decompress(data, 1 + PREFIX_BYTES - len(first))
        except zlib.error:
            raise Damaged(_NOT_SEALED, details="deflate") from None
        if len(first) > PREFIX_BYTES or not budget:
            break
    if len(first) != 1 + PREFIX_BYTES or first[0] > 4:
        raise Damaged(_NOT_SEALED, details="first row")
    # in the first row there is nothing above: Up is None, and Paeth is Sub (ISO/IEC 15948, 9.2)
    row = bytearray(first[1:])
    if first[0] in (1, 3, 4):
        for at in range(3, PREFIX_BYTES):
            left = row[at - 3] // 2 if first[0] == 3 else row[at - 3]
            row[at] = (row[at] + left) & 0xFF
    return bytes(row)


def _decode(source: io.RawIOBase, size: tuple[int, int]) -> Image:
    from PIL.PngImagePlugin import PngImageFile

    try:
        # not Image.open: its limit on pixels is a global of the program, and ours is checked already
        picture = PngImageFile(io.BufferedReader(source))
        if (picture.mode, picture.size) != ("RGB", size):
            raise ValueError("not the picture that its header announced")
        picture.load()
    except Exception as error:
        raise Damaged(_NOT_SEALED, details=f"decoder: {type(error).__name__}") from None
    return picture


class _Chunks(io.RawIOBase):
    """A PNG file that has only the given chunks of another file."""

    def __init__(self, file: BinaryIO, chunks: list[tuple[int, int]]) -> None:
        self._file = file
        self._chunks = [(0, len(SIGNATURE)), *chunks]
        self._starts = []
        self._size = 0
        for _, length in self._chunks:
            self._starts.append(self._size)
            self._size += length
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        if self._at >= self._size:
            return 0
        index = bisect.bisect_right(self._starts, self._at) - 1
        offset, length = self._chunks[index]
        skip = self._at - self._starts[index]
        self._file.seek(offset + skip)
        data = self._file.read(min(len(target), length - skip))
        target[: len(data)] = data
        self._at += len(data)
        return len(data)
