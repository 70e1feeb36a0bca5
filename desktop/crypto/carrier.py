"""Writing carriers and reading them back, as streams (FORMAT.md section 9).

Only our own layout is read here: every byte outside the stream is computed and compared, so no picture decoder sees
what came from a server. Must not import anything of the project but ``desktop.crypto`` and ``desktop.errors``.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, Final

from desktop.crypto.carrier_layout import BLOCK_HEADER, END, HEAD_BYTES, ZLIB_HEADER, Layout
from desktop.crypto.chunks import Buffer
from desktop.errors import Damaged

BUFFER_BYTES: Final = 524_288
"""Blocks are gathered up to this length, so that hashing and writing are few large calls."""
BUFFERS: Final = 6
"""How far the helper thread may be behind."""
HELPER_FROM_BYTES: Final = 8_000_000
"""From this length on there is a helper thread; most photographs are smaller, and the window wants its processor."""


class _Group:
    """A few stored blocks, laid out: their headers and filter bytes, and views of where rows go.

    Attributes:
        buffer: The bytes as they go to the file.
        blocks: The contents of each block, what Adler-32 is over.
        rows: Where the data of each row goes.
    """

    def __init__(self, layout: Layout, first_row: int, count: int) -> None:
        last = min(layout.size[1], first_row + count * layout.block_rows)
        starts = range(first_row, last, layout.block_rows)
        self.buffer = bytearray(len(starts) * BLOCK_HEADER + (last - first_row) * (layout.row + 1))
        self.blocks: list[memoryview] = []
        self.rows: list[memoryview] = []
        view = memoryview(self.buffer)
        at = 0
        for start in starts:
            view[at : at + BLOCK_HEADER] = layout.block_header(start)
            at += BLOCK_HEADER
            begin = at
            for _ in range(start, min(start + layout.block_rows, last)):
                self.rows.append(view[at + 1 : at + 1 + layout.row])
                at += 1 + layout.row
            self.blocks.append(view[begin:at])


class CarrierWriter:
    """Writes a carrier; the stream goes in piece by piece. A context manager.

    Checksums and writing of a large carrier are done by one helper thread while the caller encrypts the next piece.
    """

    def __init__(self, write: Callable[[Buffer], object], layout: Layout) -> None:
        """Write the head and the prefix at once."""
        self._write = write
        self._layout = layout
        self._count = max(1, BUFFER_BYTES // (BLOCK_HEADER + layout.block_rows * (layout.row + 1)))
        self._group = _Group(layout, 0, self._count)
        self._next_row = self._count * layout.block_rows
        self._row = 0
        self._column = 0
        self._left = layout.row * layout.size[1]
        self._adler = 1
        self._crc = zlib.crc32(b"IDAT" + ZLIB_HEADER)
        self._pending: deque[tuple[Future[None], _Group]] = deque()
        self._helper = ThreadPoolExecutor(1, "carrier") if layout.file_size >= HELPER_FROM_BYTES else None
        write(layout.head)
        self.write(layout.prefix)

    def __enter__(self) -> CarrierWriter:
        return self

    def __exit__(self, *_: object) -> None:
        if self._helper is not None:
            self._helper.shutdown(cancel_futures=True)

    def write(self, data: Buffer) -> None:
        """Add the next piece of the stream; raises ValueError when it is longer than the layout says."""
        view = memoryview(data)
        self._left -= len(view)
        if self._left < 0:
            raise ValueError("the stream is longer than its layout")
        while view:
            room = self._layout.row - self._column
            piece = view[:room]
            self._group.rows[self._row][self._column : self._column + len(piece)] = piece
            view = view[room:]
            self._column += len(piece)
            if self._column == self._layout.row:
                self._column = 0
                self._row += 1
                if self._row == len(self._group.rows):
                    self._hand_over()

    def _hand_over(self) -> None:
        group = self._group
        used: _Group | None = group
        if self._helper is None:
            self._emit(group)
        else:
            self._pending.append((self._helper.submit(self._emit, group), group))
            used = self._oldest() if len(self._pending) == BUFFERS else None
        first, self._row = self._next_row, 0
        if first >= self._layout.size[1]:
            return
        self._next_row = first + self._count * self._layout.block_rows
        # all but the last group look alike, so their buffers are used again
        if used is not None and self._next_row < self._layout.size[1]:
            self._group = used
        else:
            self._group = _Group(self._layout, first, self._count)

    def _oldest(self) -> _Group:
        future, group = self._pending.popleft()
        future.result()
        return group

    def _emit(self, group: _Group) -> None:
        for block in group.blocks:
            self._adler = zlib.adler32(block, self._adler)
        self._crc = zlib.crc32(group.buffer, self._crc)
        self._write(group.buffer)

    def finish(self) -> None:
        """Write filler, checksums and the end; raises ValueError when something of the stream is missing."""
        if self._left != self._layout.filler:
            raise ValueError("the stream is shorter than its layout")
        self.write(os.urandom(self._layout.filler))
        while self._pending:
            self._oldest()
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
