"""Dropping on the window: what is taken, what is refused, and that the drop never waits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QPropertyAnimation, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QMainWindow

from desktop.widgets.drop_overlay import DropOverlay

COPY, LEFT, NONE = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
PLACE = QPoint(200, 150)


@pytest.fixture
def window(qtbot: Any) -> QMainWindow:
    made = QMainWindow()
    made.setCentralWidget(QLineEdit())
    made.centralWidget().setAcceptDrops(False)
    qtbot.addWidget(made)
    made.resize(800, 600)
    made.show()
    return made


@pytest.fixture
def overlay(window: QMainWindow, theme: Any, icons: Any) -> Iterator[DropOverlay]:
    yield DropOverlay(window, theme, icons)


def drag(*urls: str) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl(url) for url in urls])
    return data


def enter(window: QMainWindow, data: QMimeData) -> QDragEnterEvent:
    event = QDragEnterEvent(PLACE, COPY, data, LEFT, NONE)
    QApplication.sendEvent(window.centralWidget(), event)
    move = QDragMoveEvent(PLACE, COPY, data, LEFT, NONE)
    QApplication.sendEvent(window.centralWidget(), move)
    return event


def drop(window: QMainWindow, data: QMimeData) -> QDropEvent:
    event = QDropEvent(QPointF(PLACE), COPY, data, LEFT, NONE)
    QApplication.sendEvent(window.centralWidget(), event)
    return event


def test_files_and_folders_come_out_after_the_drop(window: QMainWindow, overlay: DropOverlay, qtbot: Any) -> None:
    data = drag("file:///a/one.jpg", "file:///a/folder", "file:///a/name%20with%20%C3%A4.png")
    assert enter(window, data).isAccepted()
    assert overlay.isVisible()
    assert overlay.geometry() == window.rect()
    received: list[list[Path]] = []
    overlay.dropped.connect(received.append)
    with qtbot.waitSignal(overlay.dropped):
        assert drop(window, data).isAccepted()
        assert received == []  # the file manager is not kept waiting
        assert not overlay.isVisible()
    assert received == [[Path("/a/one.jpg"), Path("/a/folder"), Path("/a/name with ä.png")]]


def test_only_unusable_files_are_shown_as_such_and_not_taken(window: QMainWindow, overlay: DropOverlay) -> None:
    received: list[list[Path]] = []
    overlay.dropped.connect(received.append)
    data = drag("file:///a/letter.pdf", "file:///a/song.mp3")
    enter(window, data)
    assert overlay.isVisible()
    assert "Nothing here can be added" in overlay.accessibleName()
    drop(window, data)
    QApplication.processEvents()
    assert received == []


def test_what_is_not_a_file_is_left_to_others(window: QMainWindow, overlay: DropOverlay) -> None:
    data = QMimeData()
    data.setText("words")
    assert not enter(window, data).isAccepted()
    assert not overlay.isVisible()
    assert not enter(window, drag("https://example.org/a.jpg")).isAccepted()


def test_leaving_takes_the_overlay_away(window: QMainWindow, overlay: DropOverlay) -> None:
    data = drag("file:///a/one.jpg")
    enter(window, data)
    QApplication.sendEvent(window, QDragLeaveEvent())
    assert not overlay.isVisible()


def test_nothing_is_taken_while_locked(window: QMainWindow, overlay: DropOverlay) -> None:
    overlay.set_active(False)
    data = drag("file:///a/one.jpg")
    assert not enter(window, data).isAccepted()
    assert not overlay.isVisible()


@pytest.mark.parametrize("name", ["one.jpg", "letter.pdf"])
def test_it_is_painted_in_both_schemes(
    window: QMainWindow, overlay: DropOverlay, theme: Any, name: str, qtbot: Any
) -> None:
    data = drag(f"file:///a/{name}")
    enter(window, data)
    qtbot.waitUntil(lambda: overlay.graphicsEffect() is None)  # faded in
    light = overlay.grab().toImage()
    theme.set_preference("dark")
    try:
        assert overlay.grab().toImage() != light
    finally:
        theme.set_preference("light")


def test_nothing_is_left_of_coming_up(
    window: QMainWindow, overlay: DropOverlay, theme: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(theme, "duration", lambda milliseconds: 1)
    data = drag("file:///a/one.jpg")
    for _ in range(3):
        enter(window, data)
        assert overlay.findChildren(QPropertyAnimation)
        QApplication.sendEvent(window.centralWidget(), QDragLeaveEvent())
        qtbot.waitUntil(lambda: not overlay.findChildren(QPropertyAnimation))
    assert overlay.graphicsEffect() is None
