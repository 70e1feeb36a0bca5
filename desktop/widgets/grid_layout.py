"""Where each tile of the gallery lies: rows of squares under date headings. Plain arithmetic, no Qt."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from desktop.viewmodels.picture_list import Section

GAP: Final = 8
HEADING: Final = 44
MARGIN: Final = 24
NARROW_MARGIN: Final = 16
NARROW_FACTOR: Final = 0.81
"""In a narrow window tiles are aimed to be smaller, so that 720 pixels hold four columns."""


class Move(Enum):
    """Where the cursor goes, as it is seen in a left-to-right layout."""

    PREVIOUS = auto()
    NEXT = auto()
    UP = auto()
    DOWN = auto()
    ROW_START = auto()
    ROW_END = auto()
    FIRST = auto()
    LAST = auto()


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in the coordinates of the whole content, before mirroring."""

    x: int
    y: int
    width: int
    height: int


class GridLayout:
    """Lays sections of square tiles out in columns that fill the width.

    Building takes one step a section; every question afterwards is one bisect over the sections' tops.
    """

    def __init__(self, sections: Sequence[Section], width: int, target: int, margin: int = MARGIN) -> None:
        """Lay out for a viewport ``width`` wide; ``target`` is about the side of a tile."""
        self.sections = sections
        self.width = width
        self.margin = margin
        inner = max(1, width - 2 * margin)
        self.columns = max(1, (inner + GAP) // (target + GAP))
        self._pitch = (inner + GAP) / self.columns
        self.side = max(1, int(self._pitch) - GAP)
        self.row_pitch = self.side + GAP
        self._tops: list[int] = []
        self._starts: list[int] = []
        top = 0
        for section in sections:
            self._tops.append(top)
            self._starts.append(section.start)
            top += HEADING + -(-section.count // self.columns) * self.row_pitch
        self.count = sections[-1].start + sections[-1].count if sections else 0
        self.height = top + (margin - GAP if sections else 0)

    def box(self, row: int) -> Box:
        """The tile of a row of the model."""
        at = bisect_right(self._starts, row) - 1
        line, column = divmod(row - self._starts[at], self.columns)
        return Box(self._x(column), self._tops[at] + HEADING + line * self.row_pitch, self.side, self.side)

    def heading(self, number: int) -> Box:
        """The heading of a section."""
        return Box(self.margin, self._tops[number], max(1, self.width - 2 * self.margin), HEADING)

    def row_at(self, x: int, y: int) -> int:
        """The row whose tile contains a point, -1 if none does."""
        if y < 0 or not self.sections:
            return -1
        at = bisect_right(self._tops, y) - 1
        line, into = divmod(y - self._tops[at] - HEADING, self.row_pitch)
        if line < 0 or into >= self.side:
            return -1
        column = min(self.columns - 1, max(0, int((x - self.margin + 0.51) / self._pitch)))
        if not self._x(column) <= x < self._x(column) + self.side:
            return -1
        place = line * self.columns + column
        return self._starts[at] + place if place < self.sections[at].count else -1

    def sections_between(self, top: int, bottom: int) -> range:
        """The sections any part of which lies in ``top`` to ``bottom`` (not included)."""
        if not self.sections or bottom <= 0 or bottom <= top:
            return range(0)
        first = max(0, bisect_right(self._tops, top) - 1)
        return range(first, max(first, bisect_right(self._tops, bottom - 1)))

    def rows_between(self, top: int, bottom: int) -> range:
        """The rows of all tiles any part of which lies in ``top`` to ``bottom`` (not included)."""
        first = last = -1
        for at in self.sections_between(top, bottom):
            section = self.sections[at]
            lines = -(-section.count // self.columns)
            above = top - self._tops[at] - HEADING
            start_line = max(0, -(-(above - self.side + 1) // self.row_pitch))
            below = bottom - self._tops[at] - HEADING
            end_line = min(lines, -(-below // self.row_pitch))
            if start_line < end_line:
                if first < 0:
                    first = section.start + start_line * self.columns
                last = min(section.start + section.count, section.start + end_line * self.columns)
        return range(max(0, first), max(0, last))

    def rows_in(self, x: int, y: int, width: int, height: int) -> list[range]:
        """The rows of all tiles that a rectangle touches, as runs."""
        left = [
            column for column in range(self.columns) if self._x(column) < x + width and x < self._x(column) + self.side
        ]
        if not left:
            return []
        runs: list[range] = []
        row = 0
        rows = self.rows_between(y, y + height)
        row = rows.start
        while row < rows.stop:
            at = bisect_right(self._starts, row) - 1
            section = self.sections[at]
            line_start = section.start + (row - section.start) // self.columns * self.columns
            end = min(line_start + left[-1] + 1, section.start + section.count)
            start = line_start + left[0]
            if start < end:
                if runs and runs[-1].stop == start:
                    runs[-1] = range(runs[-1].start, end)
                else:
                    runs.append(range(start, end))
            row = min(line_start + self.columns, section.start + section.count)
        return runs

    def move(self, row: int, move: Move, lines: int = 1) -> int:
        """The row the cursor comes to, going by what is seen; ``lines`` counts for up and down."""
        if not self.count:
            return -1
        row = min(max(row, 0), self.count - 1)
        match move:
            case Move.FIRST:
                row = 0
            case Move.LAST:
                row = self.count - 1
            case Move.PREVIOUS:
                row = max(0, row - 1)
            case Move.NEXT:
                row = min(self.count - 1, row + 1)
            case Move.ROW_START | Move.ROW_END:
                start, end = self._line_of(row)
                row = start if move is Move.ROW_START else end - 1
            case Move.UP | Move.DOWN:
                for _ in range(lines):
                    row = self._vertical(row, -1 if move is Move.UP else 1)
        return row

    def _vertical(self, row: int, step: int) -> int:
        start, end = self._line_of(row)
        column = row - start
        neighbour = start - 1 if step < 0 else end
        if not 0 <= neighbour < self.count:
            return row
        start, end = self._line_of(neighbour)
        return min(start + column, end - 1)

    def _line_of(self, row: int) -> tuple[int, int]:
        """First row and end of the line of tiles that holds ``row``."""
        at = bisect_right(self._starts, row) - 1
        section = self.sections[at]
        start = section.start + (row - section.start) // self.columns * self.columns
        return start, min(start + self.columns, section.start + section.count)

    def _x(self, column: int) -> int:
        return self.margin + round(column * self._pitch)


def as_runs(rows: list[int]) -> list[range]:
    """Sorted rows as runs."""
    runs: list[range] = []
    for row in rows:
        if runs and runs[-1].stop == row:
            runs[-1] = range(runs[-1].start, row + 1)
        else:
            runs.append(range(row, row + 1))
    return runs
