"""Writing carriers and reading them back, as streams (FORMAT.md section 9).

Only our own layout is read here: every byte outside the stream is computed and compared, so no picture decoder sees
what came from a server. Must not import anything of the project but ``desktop.crypto`` and ``desktop.errors``.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from typing import BinaryIO

from desktop.crypto.carrier_layout import BLOCK_HEADER, END, HEAD_BYTES, ZLIB_HEADER, Layout
from desktop.crypto.chunks import Buffer
from desktop.errors import Damaged

BUFFER_BYTES = 262_144
"""Blocks are gathered up to this length, so that hashing and writing are few large calls."""


class CarrierWriter:
    """Writes a carrier; the stream goes in piece by piece."""

    def __init__(self, write: Callable[[Buffer], object], layout: Layout) -> None:
        """Write the head and the prefix at once."""
        self._write = write
        self._layout = layout
        self._blocks = max(1, BUFFER_BYTES // (BLOCK_HEADER + layout.block_rows * (layout.row + 1)))
        self._buffer = bytearray()
        self._rows: list[memoryview] = []
        self._adlers: list[memoryview] = []
        self._next_row = 0
        self._row = 0
        self._column = 0
        self._left = layout.row * layout.size[1]
        self._adler = 1
        self._crc = zlib.crc32(b"IDAT" + ZLIB_HEADER)
        write(layout.head)
        self._prepare()
        self.write(layout.prefix)

    def _prepare(self) -> None:
        """Lay out the next few blocks: their headers, filter bytes, and views of where rows go."""
        layout = self._layout
        per_block, height = layout.block_rows, layout.size[1]
        first = self._next_row
        if self._rows and first + self._blocks * per_block < height:
            # neither these blocks nor those written before hold the last one: headers and filter bytes stay
            self._next_row += self._blocks * per_block
            return
        last = min(height, first + self._blocks * per_block)
        self._rows, self._adlers = [], []
        starts = range(first, last, per_block)
        size = len(starts) * BLOCK_HEADER + (last - first) * (layout.row + 1)
        self._buffer = bytearray(size)
        view = memoryview(self._buffer)
        at = 0
        for start in starts:
            view[at : at + BLOCK_HEADER] = layout.block_header(start)
            at += BLOCK_HEADER
            begin = at
            for _ in range(start, min(start + per_block, last)):
                self._rows.append(view[at + 1 : at + 1 + layout.row])
                at += 1 + layout.row
            self._adlers.append(view[begin:at])
        self._next_row = last

    def write(self, data: Buffer) -> None:
        """Add the next piece of the stream; raises ValueError when it is longer than the layout says."""
        view = memoryview(data)
        self._left -= len(view)
        if self._left < 0:
            raise ValueError("the stream is longer than its layout")
        while view:
            room = self._layout.row - self._column
            piece = view[:room]
            self._rows[self._row][self._column : self._column + len(piece)] = piece
            view = view[room:]
            self._column += len(piece)
            if self._column == self._layout.row:
                self._column = 0
                self._row += 1
                if self._row == len(self._rows):
                    self._flush()

    def _flush(self) -> None:
        for block in self._adlers:
            self._adler = zlib.adler32(block, self._adler)
        self._crc = zlib.crc32(self._buffer, self._crc)
        self._write(self._buffer)
        self._row = 0
        if self._left or self._next_row < self._layout.size[1]:
            self._prepare()

    def finish(self) -> None:
        """Write filler, checksums and the end; raises ValueError when something of the stream is missing."""
        if self._left != self._layout.filler:
            raise ValueError("the stream is shorter than its layout")
        self.write(os.urandom(self._layout.filler))
        adler = struct.pack(">I", self._adler)
        self._write(adler + struct.pack(">I", zlib.crc32(adler, self._crc)) + END)


class CarrierReader:
    """Reads the stream of a carrier that must be exactly in our layout."""

    def __init__(self, untrusted_file: BinaryIO, layout: Layout) -> None:
        """Read and check the head and the prefix; raises Damaged."""
        self._file = untrusted_file
        self._layout = layout
        block = BLOCK_HEADER + layout.block_rows * (layout.row + 1)
        self._buffer = memoryview(bytearray(block))
        self._block = self._buffer[:0]
        self._at = 0
        self._column = layout.row
        self._rows_left = 0
        self._next_row = 0
        self._crc = zlib.crc32(b"IDAT" + ZLIB_HEADER)
        if self._exactly(HEAD_BYTES) != layout.head:
            raise Damaged(details="carrier head")
        prefix = bytearray(len(layout.prefix))
        self.read_into(memoryview(prefix))
        if prefix != layout.prefix:
            raise Damaged(details="carrier prefix")

    def _exactly(self, size: int) -> bytes:
        return bytes(self._fill(memoryview(bytearray(size))))

    def _fill(self, target: memoryview) -> memoryview:
        left = target
        while left:
            data = self._file.read(len(left))
            if not data or len(data) > len(left):
                raise Damaged("The stored file is shorter than it was and cannot be opened. Your key is right.")
            left[: len(data)] = data
            left = left[len(data) :]
        return target

    def _next_block(self) -> None:
        layout = self._layout
        height = layout.size[1]
        if self._next_row >= height:
            raise Damaged(details="carrier ends")
        self._rows_left = min(layout.block_rows, height - self._next_row)
        self._block = self._fill(self._buffer[: BLOCK_HEADER + self._rows_left * (layout.row + 1)])
        self._crc = zlib.crc32(self._block, self._crc)
        if self._block[:BLOCK_HEADER] != layout.block_header(self._next_row):
            raise Damaged(details="carrier block")
        self._next_row += self._rows_left
        self._at = BLOCK_HEADER

    def read_into(self, target: memoryview) -> None:
        """Fill ``target`` with the next bytes of the stream; raises Damaged."""
        row = self._layout.row
        while target:
            if self._column == row:
                if not self._rows_left:
                    self._next_block()
                if self._block[self._at]:
                    raise Damaged(details="carrier filter")
                self._at += 1
                self._column = 0
                self._rows_left -= 1
            count = min(row - self._column, len(target))
            target[:count] = self._block[self._at : self._at + count]
            target = target[count:]
            self._at += count
            self._column += count

    def finish(self, envelope: bytes) -> None:
        """Compare the envelope inside with the one at hand and read to the end of the file; raises Damaged."""
        inside = bytearray(len(envelope))
        self.read_into(memoryview(inside))
        if inside != envelope:
            raise Damaged(details="envelope in the carrier")
        self.read_into(memoryview(bytearray(self._layout.filler)))
        adler, crc = self._exactly(4), self._exactly(4)
        if struct.pack(">I", zlib.crc32(adler, self._crc)) != crc:
            raise Damaged(details="carrier checksum")
        if self._exactly(len(END)) != END or self._file.read(1):
            raise Damaged(details="carrier end")
