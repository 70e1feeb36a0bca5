"""The arithmetic of the grid, on any sections, widths and tile sizes."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from desktop.viewmodels.picture_list import Section
from desktop.widgets.grid_layout import Box, GridLayout, Move


def sections_of(counts: list[int]) -> list[Section]:
    return [
        Section(sum(counts[:place]), count, date(2026, 3, 14) - timedelta(days=place), False)
        for place, count in enumerate(counts)
    ]


layouts = st.builds(
    lambda counts, width, target, margin: GridLayout(sections_of(counts), width, target, margin),
    st.lists(st.integers(1, 40), max_size=12),
    st.integers(1, 1600),
    st.sampled_from([97, 120, 136, 168, 194, 240]),
    st.sampled_from([16, 24]),
)


def overlap(one: Box, two: Box) -> bool:
    return (
        one.x < two.x + two.width
        and two.x < one.x + one.width
        and one.y < two.y + two.height
        and two.y < one.y + one.height
    )


@given(layouts)
def test_every_tile_is_found_where_it_is(layout: GridLayout) -> None:
    for row in range(layout.count):
        box = layout.box(row)
        corners = [(x, y) for x in (box.x, box.x + box.width - 1) for y in (box.y, box.y + box.height - 1)]
        assert {layout.row_at(x, y) for x, y in corners} == {row}
        assert box.y + box.height <= layout.height


@given(layouts)
def test_no_two_things_overlap(layout: GridLayout) -> None:
    boxes = [layout.box(row) for row in range(layout.count)]
    boxes += [layout.heading(number) for number in range(len(layout.sections))]
    ordered = sorted(boxes, key=lambda box: (box.y, box.x))
    for place, one in enumerate(ordered):
        for two in ordered[place + 1 :]:
            if two.y >= one.y + one.height:
                break
            assert not overlap(one, two)


@given(layouts, st.integers(-500, 9000), st.integers(-10, 2000))
def test_what_is_between_two_heights_is_exactly_what_lies_there(layout: GridLayout, top: int, height: int) -> None:
    bottom = top + height
    expected = [
        row
        for row in range(layout.count)
        if height > 0 and layout.box(row).y < bottom and layout.box(row).y + layout.side > top
    ]
    assert list(layout.rows_between(top, bottom)) == expected


@given(layouts, st.integers(-50, 1700), st.integers(-50, 3000), st.integers(1, 900), st.integers(1, 900))
def test_a_rectangle_catches_exactly_what_it_touches(
    layout: GridLayout, x: int, y: int, width: int, height: int
) -> None:
    caught = [row for run in layout.rows_in(x, y, width, height) for row in run]
    frame = Box(x, y, width, height)
    assert caught == [row for row in range(layout.count) if overlap(layout.box(row), frame)]


@given(layouts, st.sampled_from(list(Move)), st.data())
def test_moves_go_by_what_is_seen(layout: GridLayout, move: Move, data: st.DataObject) -> None:
    if not layout.count:
        assert layout.move(0, move) == -1
        return
    row = data.draw(st.integers(0, layout.count - 1))
    here, there = layout.box(row), layout.box(layout.move(row, move))
    if move is Move.UP:
        assert there.y < here.y or row < layout.columns
        assert there.x <= here.x
    elif move is Move.DOWN:
        assert there.y > here.y or layout.box(layout.count - 1).y == here.y
        assert there.x <= here.x
    elif move in (Move.ROW_START, Move.ROW_END):
        assert there.y == here.y
        wanted = min if move is Move.ROW_START else max
        assert there.x == wanted(layout.box(other).x for other in range(layout.count) if layout.box(other).y == here.y)
    elif move is Move.FIRST:
        assert layout.move(row, move) == 0
    elif move is Move.LAST:
        assert layout.move(row, move) == layout.count - 1


def test_the_columns_of_the_design() -> None:
    wide = GridLayout(sections_of([9, 11]), 1051, 168)
    assert (wide.columns, wide.side) == (5, 194)
    assert [wide.box(row).x for row in range(5)] == [24, 226, 428, 631, 833]
    assert (wide.box(0).y, wide.box(5).y, wide.heading(1).y, wide.box(9).y) == (44, 246, 448, 492)
    narrow = GridLayout(sections_of([9]), 652, int(168 * 0.81), 16)
    assert narrow.columns == 4
