"""The item view: geometry, keyboard, pointer, screen readers, and what survives a reset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QItemSelectionModel, QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QImage
from PySide6.QtTest import QTest

from desktop.viewmodels.picture_list import PictureList
from desktop.viewmodels.picture_model import PictureModel
from desktop.viewmodels.thumbnails import Thumbnails
from desktop.widgets.gallery_view import GalleryView

Key, Button = Qt.Key, Qt.MouseButton
NONE, SHIFT, CONTROL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)
NOON = datetime(2026, 3, 14, 12, 0)


@pytest.fixture
def view(qtbot: Any, theme: Any, icons: Any, runner: Any) -> GalleryView:
    model = PictureModel(today=NOON.date)
    made = GalleryView(theme, icons, model, Thumbnails(runner))
    model.setParent(made)
    qtbot.addWidget(made)
    made.resize(1063, 700)
    made.show()
    return made


@pytest.fixture
def filled(view: GalleryView, pictures: Callable[..., Any]) -> GalleryView:
    """Nine of today, eleven of yesterday, forty of the day before; five columns."""
    days = [0] * 9 + [1] * 11 + [2] * 40
    view.model().reset(
        PictureList(
            pictures(number, taken=NOON - timedelta(days=day, minutes=number)) for number, day in enumerate(days)
        )
    )
    return view


def middle(view: GalleryView, row: int) -> QPoint:
    return view.visualRect(view.model().index(row)).center()


def click(view: GalleryView, row: int, modifiers: Any = NONE) -> None:
    QTest.mouseClick(view.viewport(), Button.LeftButton, modifiers, middle(view, row))


def press(view: GalleryView, key: Key, modifiers: Any = NONE) -> None:
    QTest.keyClick(view, key, modifiers)


def chosen(view: GalleryView) -> list[int]:
    return [row for part in view.selected_rows() for row in part]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    counts=st.lists(st.integers(1, 25), min_size=1, max_size=8),
    width=st.integers(220, 1500),
    side=st.sampled_from([120, 168, 240]),
    mirrored=st.booleans(),
    share=st.floats(0, 1),
)
def test_every_item_is_found_where_it_is_shown(
    view: GalleryView, pictures: Any, counts: list[int], width: int, side: int, mirrored: bool, share: float
) -> None:
    days = [day for day, count in enumerate(counts) for _ in range(count)]
    view.setLayoutDirection(Qt.LayoutDirection.RightToLeft if mirrored else Qt.LayoutDirection.LeftToRight)
    view.resize(width, 500)
    view.set_tile_size(side)
    view.model().reset(
        PictureList(
            pictures(number, taken=NOON - timedelta(days=day, seconds=number)) for number, day in enumerate(days)
        )
    )
    bar = view.verticalScrollBar()
    bar.setValue(round(bar.maximum() * share))
    rects = [view.visualRect(view.model().index(row)) for row in range(len(days))]
    for row, rect in enumerate(rects):
        assert view.indexAt(rect.topLeft()).row() == row
        assert view.indexAt(rect.bottomRight()).row() == row
    visible = {row for row, rect in enumerate(rects) if rect.intersects(view.viewport().rect())}
    assert set(view.visible_rows()) == visible
    assert not any(one.intersects(two) for place, one in enumerate(rects) for two in rects[place + 1 :])


def test_arrows_go_by_what_is_seen(filled: GalleryView) -> None:
    filled.setFocus(Qt.FocusReason.TabFocusReason)
    walked = []
    for key in (Key.Key_Right, Key.Key_Down, Key.Key_Down, Key.Key_Down, Key.Key_End, Key.Key_Up, Key.Key_Home):
        press(filled, key)
        walked.append(filled.currentIndex().row())
    # 1, below it 6, below that the second of the next day 10, 15, end of that line 18+..., and back
    assert walked == [1, 6, 10, 15, 18, 13, 9]
    press(filled, Key.Key_End, CONTROL)
    assert filled.currentIndex().row() == 59
    assert filled.visualRect(filled.currentIndex()).bottom() <= filled.viewport().height()
    press(filled, Key.Key_Home, CONTROL)
    assert filled.currentIndex().row() == 0
    assert filled.verticalScrollBar().value() == 0


def test_arrows_are_mirrored(filled: GalleryView) -> None:
    filled.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    filled.setFocus(Qt.FocusReason.TabFocusReason)
    press(filled, Key.Key_Left)
    assert filled.currentIndex().row() == 1
    assert middle(filled, 1).x() < middle(filled, 0).x()


def test_space_shift_and_all_by_keyboard(filled: GalleryView) -> None:
    filled.setFocus(Qt.FocusReason.TabFocusReason)
    press(filled, Key.Key_Space)
    assert chosen(filled) == [0]
    press(filled, Key.Key_Right, SHIFT)
    press(filled, Key.Key_Right, SHIFT)
    assert chosen(filled) == [0, 1, 2]
    press(filled, Key.Key_Left, SHIFT)
    assert chosen(filled) == [0, 1]
    press(filled, Key.Key_Right)
    assert chosen(filled) == [0, 1]
    press(filled, Key.Key_A, CONTROL)
    assert len(chosen(filled)) == 60


def test_enter_opens_and_delete_asks(filled: GalleryView, qtbot: Any, pictures: Any) -> None:
    filled.setFocus(Qt.FocusReason.TabFocusReason)
    press(filled, Key.Key_Right)
    with qtbot.waitSignal(filled.open_requested) as opened:
        press(filled, Key.Key_Return)
    assert opened.args == [pictures(1).id]
    with qtbot.waitSignal(filled.delete_requested):
        press(filled, Key.Key_Delete)


def test_control_plus_and_minus_change_the_tiles(filled: GalleryView, qtbot: Any) -> None:
    columns = filled.grid.columns
    with qtbot.waitSignal(filled.tile_size_changed) as changed:
        press(filled, Key.Key_Plus, CONTROL)
    assert changed.args == [240]
    assert filled.grid.columns < columns
    press(filled, Key.Key_Plus, CONTROL)
    assert filled.tile_size == 240
    press(filled, Key.Key_Minus, CONTROL)
    press(filled, Key.Key_Minus, CONTROL)
    assert filled.tile_size == 120


def test_clicks_choose_like_a_file_manager(filled: GalleryView, qtbot: Any, pictures: Any) -> None:
    click(filled, 2)
    assert chosen(filled) == [2]
    click(filled, 4, CONTROL)
    assert chosen(filled) == [2, 4]
    click(filled, 6, SHIFT)
    assert chosen(filled) == [4, 5, 6]
    click(filled, 0)
    assert chosen(filled) == [0]
    with qtbot.waitSignal(filled.open_requested) as opened:
        QTest.mouseDClick(filled.viewport(), Button.LeftButton, NONE, middle(filled, 3))
    assert opened.args == [pictures(3).id]


def test_the_circle_adds_to_the_selection(filled: GalleryView) -> None:
    for row in (1, 3):
        corner = filled.visualRect(filled.model().index(row)).topRight() + QPoint(-16, 16)
        QTest.mouseClick(filled.viewport(), Button.LeftButton, NONE, corner)
    assert chosen(filled) == [1, 3]


def test_a_rubber_band_chooses_what_it_touches(filled: GalleryView) -> None:
    viewport = filled.viewport()
    start = QPoint(2, filled.visualRect(filled.model().index(0)).top() + 10)
    end = middle(filled, 6)
    QTest.mousePress(viewport, Button.LeftButton, NONE, start)
    QTest.mouseMove(viewport, start + QPoint(40, 40))
    QTest.mouseMove(viewport, end)
    assert chosen(filled) == [0, 1, 5, 6]
    QTest.mouseRelease(viewport, Button.LeftButton, NONE, end)
    assert filled._pointer.band() is None
    QTest.mouseClick(viewport, Button.LeftButton, NONE, QPoint(2, 5))
    assert chosen(filled) == []


def test_a_reset_keeps_selection_cursor_and_place(filled: GalleryView, pictures: Any) -> None:
    filled.verticalScrollBar().setValue(600)
    filled.choose([range(20, 23)], QItemSelectionModel.SelectionFlag.Select)
    filled.selectionModel().setCurrentIndex(filled.model().index(21), QItemSelectionModel.SelectionFlag.NoUpdate)
    first = filled.visible_rows().start
    name, before = filled.model().picture(first).name, filled.visualRect(filled.model().index(first)).top()
    names = [filled.model().picture(row).name for row in chosen(filled)]
    more = filled.model().pictures()
    more.add(pictures(number, taken=NOON + timedelta(minutes=number)) for number in range(100, 130))
    filled.model().reset(more)
    assert [filled.model().picture(row).name for row in chosen(filled)] == names
    assert filled.model().picture(filled.currentIndex().row()).name == names[1]
    row = next(row for row in range(90) if filled.model().picture(row).name == name)
    assert filled.visualRect(filled.model().index(row)).top() == before


def old_to_new(pictures: Any, *counts: int) -> Iterator[PictureList]:
    """Lists as they arrive while a long one is fetched: the oldest pictures first."""
    for count in counts:
        yield PictureList(pictures(number, taken=NOON + timedelta(hours=number)) for number in range(count))


@pytest.mark.parametrize("first_focus", [True, False])
def test_a_long_list_begins_at_the_top(view: GalleryView, pictures: Any, first_focus: bool) -> None:
    if first_focus:
        view.setFocus()
    for listed in old_to_new(pictures, 100, 200, 500):
        view.model().reset(listed)
        view.setFocus()
    assert view.verticalScrollBar().value() == 0
    assert view.currentIndex().row() == 0
    press(view, Key.Key_Right)
    assert view.model().picture(view.currentIndex().row()).name == "Picture 498.jpg"


def test_who_has_gone_somewhere_stays_there_while_the_list_grows(view: GalleryView, pictures: Any) -> None:
    lists = old_to_new(pictures, 100, 200)
    view.model().reset(next(lists))
    view.setFocus()
    press(view, Key.Key_Right)
    view.model().reset(next(lists))
    assert view.model().picture(view.currentIndex().row()).name == "Picture 98.jpg"
    assert view.currentIndex().row() in view.visible_rows()


def test_the_tile_the_keyboard_comes_to_is_in_sight(filled: GalleryView) -> None:
    filled.setFocus()
    press(filled, Key.Key_Right)
    filled.clearFocus()
    filled.verticalScrollBar().setValue(filled.verticalScrollBar().maximum())
    filled.setFocus(Qt.FocusReason.MouseFocusReason)
    assert 1 not in filled.visible_rows()  # a click is meant for what it hits
    filled.clearFocus()
    filled.setFocus(Qt.FocusReason.ShortcutFocusReason)
    assert 1 in filled.visible_rows()


def test_the_scroll_bar_is_seen_only_when_it_is_of_use(view: GalleryView, pictures: Any) -> None:
    def colours() -> set[int]:
        image = view.verticalScrollBar().grab().toImage()
        return {image.pixel(x, y) for x in range(image.width()) for y in range(0, image.height(), 7)}

    width = view.viewport().width()
    view.model().reset(PictureList([pictures(1)]))
    assert len(colours()) == 1
    view.model().reset(PictureList(pictures(number) for number in range(200)))
    assert len(colours()) > 1
    assert view.viewport().width() == width


def test_what_is_seen_is_wanted_then_what_comes_next(filled: GalleryView, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[list[str], list[str], int]] = []
    monkeypatch.setattr(filled._thumbnails, "want", lambda *arguments: asked.append(arguments))
    filled.verticalScrollBar().setValue(300)
    visible, ahead, side = asked[-1]
    model = filled.model()
    assert visible == [model.picture(row).id for row in filled.visible_rows()]
    assert ahead[0] == model.picture(filled.visible_rows().stop).id
    assert side == filled.grid.side
    filled.verticalScrollBar().setValue(250)
    visible, ahead, _ = asked[-1]
    assert ahead[0] == model.picture(filled.visible_rows().start - 1).id


def test_screen_readers_get_every_item(filled: GalleryView) -> None:
    interface = QAccessible.queryAccessibleInterface(filled)
    assert interface.text(QAccessible.Text.Name) == "Pictures"
    cells = [interface.child(place) for place in range(interface.childCount())]
    assert len(cells) == 60
    assert cells[3].text(QAccessible.Text.Name) == "Picture 3.jpg, 14 March 2026"
    rect = filled.visualRect(filled.model().index(3))
    assert cells[3].rect().size() == rect.size()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state_of_a_tile_is_painted(
    filled: GalleryView, theme: Any, scheme: str, pictures: Any, refused: Any
) -> None:
    """Each state differs from the plain tile in the pixels of its tile."""
    from desktop.models import PictureState, Scheme

    theme.set_preference(scheme)
    try:
        model = filled.model()
        plain = filled.grab().toImage()
        model.replace(pictures(0, taken=model.picture(0).taken, scheme=Scheme.CLASSIC))
        model.replace(pictures(1, taken=model.picture(1).taken, state=PictureState.UNREADABLE))
        model.replace(pictures(2, taken=model.picture(2).taken, state=PictureState.REFUSED))
        model.set_sending(pictures(3).id, -1.0)
        model.set_sending(pictures(4).id, 0.5)
        changed = filled.grab().toImage()
        for row in range(5):
            rect = filled.visualRect(model.index(row))
            assert part(plain, rect) != part(changed, rect), row
        assert part(plain, filled.visualRect(model.index(5))) == part(changed, filled.visualRect(model.index(5)))
        filled.setFocus(Qt.FocusReason.TabFocusReason)
        filled.choose([range(1)], QItemSelectionModel.SelectionFlag.Select)
        selected = filled.grab().toImage()
        ring = theme.tokens.accent_text if theme.is_dark else theme.tokens.accent
        rect = filled.visualRect(model.index(0))
        assert selected.pixelColor(rect.left() + 1, rect.center().y()).name() == ring.name()
    finally:
        theme.set_preference("light")


def part(image: QImage, rect: QRect) -> bytes:
    return bytes(image.copy(rect).constBits())


def test_only_pictures_on_the_screen_are_painted(
    view: GalleryView, pictures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cost of a frame does not grow with the number of pictures."""
    view.model().reset(
        PictureList(pictures(number, taken=NOON - timedelta(minutes=7 * number)) for number in range(5000))
    )
    painted: list[int] = []
    monkeypatch.setattr(view.tiles, "paint", lambda painter, option, index: painted.append(index.row()))
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // 2)
    view.grab()
    assert set(painted) == set(view.visible_rows())
    assert len(painted) == len(set(painted)) < 60
