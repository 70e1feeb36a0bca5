"""Banners: one at a time, none out of reach, for eyes, keyboard and screen reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow, QPushButton, QVBoxLayout, QWidget

from desktop.widgets import banner_area
from desktop.widgets.banner_area import BannerArea
from desktop.widgets.notices import Banner, Notice

Key = Qt.Key


@pytest.fixture
def window(qtbot: Any, icons: Any) -> Iterator[QMainWindow]:
    made = QMainWindow()
    body = QWidget()
    made.setCentralWidget(body)
    layout = QVBoxLayout(body)
    layout.addWidget(BannerArea(icons))
    layout.addWidget(QPushButton("the page"))
    layout.addStretch(1)
    qtbot.addWidget(made)
    made.resize(720, 480)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is made)
    yield made


@pytest.fixture
def area(window: QMainWindow) -> BannerArea:
    return window.findChild(BannerArea)


def keys(area: BannerArea) -> list[str]:
    seen = [banner for banner in area.findChildren(Banner) if banner.isVisible()]
    assert {id(banner) for banner in seen} == {id(banner) for banner in area.shown}
    return [banner.notice.key for banner in area.shown]


def button(banner: QWidget, words: str) -> QWidget:
    return next(b for b in banner.findChildren(QWidget) if words in (b.accessibleName(), getattr(b, "text", str)()))


def test_of_equal_ones_the_newest_is_seen_and_the_older_one_click_away(area: BannerArea) -> None:
    area.show_notice(Notice("old", "warn", "Old", ""))
    area.show_notice(Notice("new", "warn", "New", ""))
    assert keys(area) == ["new"]
    assert area.more.isVisible()
    assert "1" in area.more.text()
    area.more.click()
    assert keys(area) == ["new", "old"]
    area.more.click()
    assert keys(area) == ["new"]
    area.remove("new")
    assert keys(area) == ["old"]
    assert not area.more.isVisible()


def test_what_a_graver_one_hides_is_read_out_all_the_same(area: BannerArea, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(banner_area, "announce", lambda widget, words: said.append(words))
    area.show_notice(Notice("grave", "danger", "Grave", "It is."))
    area.show_notice(Notice("light", "info", "Light", ""))
    assert keys(area) == ["grave"]
    assert said == ["Grave. It is.", "Light."]
    area.remove("grave")
    assert said == ["Grave. It is.", "Light."]  # not a second time
    assert area.shown[0].accessibleName() == "Light."


def test_the_keyboard_keeps_its_place_while_others_come_and_go(area: BannerArea) -> None:
    called: list[str] = []
    area.show_notice(Notice("a", "danger", "A", "", action="Try again", on_action=lambda: called.append("first")))
    again = button(area.shown[0], "Try again")
    again.setFocus()
    area.show_notice(Notice("b", "info", "B", ""))
    area.show_notice(Notice("a", "danger", "A", "", action="Try again", on_action=lambda: called.append("second")))
    assert QApplication.focusWidget() is again
    QTest.keyClick(again, Key.Key_Return)
    assert called == ["second"]
    area.remove("b")
    assert QApplication.focusWidget() is again


def test_the_rest_opens_and_closes_by_keys(window: QMainWindow, area: BannerArea) -> None:
    window_escaped: list[bool] = []
    QShortcut(QKeySequence(Key.Key_Escape), window).activated.connect(lambda: window_escaped.append(True))
    for kind in ("danger", "warn", "info"):
        area.show_notice(Notice(kind, kind, kind, "", action="Do it", on_action=lambda: None))
    area.more.setFocus()
    QTest.keyClick(area.more, Key.Key_Return)
    assert keys(area) == ["danger", "warn", "info"]
    assert QApplication.focusWidget() is area.more
    assert area.more.text() == "Show less"
    third = button(area.shown[2], "Do it")
    third.setFocus()
    QTest.keyClick(third, Key.Key_Escape)
    assert keys(area) == ["danger"]
    assert QApplication.focusWidget() is area.more
    assert window_escaped == []
    QTest.keyClick(area.more, Key.Key_Escape)
    assert window_escaped == [True]


def test_closing_one_leads_to_the_next_and_the_last_to_the_page(window: QMainWindow, area: BannerArea) -> None:
    page = next(b for b in window.findChildren(QPushButton) if b.text() == "the page")
    area.focus_lost.connect(page.setFocus)
    area.show_notice(Notice("a", "info", "A", ""))
    area.show_notice(Notice("b", "warn", "B", ""))
    for key in ("b", "a"):
        assert keys(area) == [key]
        close = button(area.shown[0], "Close")
        close.setFocus()
        QTest.keyClick(close, Key.Key_Return)
    assert QApplication.focusWidget() is page
    assert area.isHidden()


def test_one_that_is_alone_does_not_open_those_that_come_later(area: BannerArea) -> None:
    area.show_notice(Notice("a", "info", "A", ""))
    area.show_notice(Notice("b", "info", "B", ""))
    area.more.click()
    area.remove("b")
    area.show_notice(Notice("c", "info", "C", ""))
    assert keys(area) == ["c"]


def test_many_leave_room_for_the_page(window: QMainWindow, area: BannerArea, qtbot: Any) -> None:
    for number in range(12):
        area.show_notice(Notice(str(number), "warn", f"Trouble {number}", "A sentence " * 20))
    area.more.click()
    assert len(keys(area)) == 12
    qtbot.waitUntil(lambda: area._others.verticalScrollBar().maximum() > 0)
    assert area._others.height() <= 0.25 * window.height()
    assert area.geometry().bottom() < window.height()


def test_nothing_is_kept_of_what_went(area: BannerArea, qtbot: Any) -> None:
    for number in range(5):
        area.show_notice(Notice("same", "info", f"Step {number}", ""))
        area.show_notice(Notice(str(number), "warn", "Trouble", ""))
    area.clear()
    gone: list[QObject] = area.findChildren(Banner)
    qtbot.waitUntil(lambda: not area.findChildren(Banner))
    assert area.notices == []
    assert area.isHidden()
    assert gone
    area.show_notice(Notice("x", "info", "X", ""))
    area.show_notice(Notice("y", "info", "Y", ""))
    assert area.more.isVisible()


def test_the_rest_is_as_high_as_its_words_need(window: QMainWindow, area: BannerArea, qtbot: Any) -> None:
    window.resize(720, 1200)
    area.show_notice(Notice("first", "danger", "First", ""))
    for number in range(3):
        area.show_notice(Notice(str(number), "warn", "Trouble", "A sentence that takes two lines, not one. " * 4))
    area.more.click()
    qtbot.waitUntil(lambda: area._others.content.height() == area._others.height())
    last = area.shown[-1]
    assert last.geometry().bottom() < area._others.height()
    assert last.height() >= last.heightForWidth(last.width())
