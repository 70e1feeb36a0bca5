"""The viewer's keys, without modifiers where nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QToolButton

from desktop.viewmodels.viewer import ViewerViewModel

if TYPE_CHECKING:
    from desktop.widgets.viewer_page import ViewerPage

PAN_STEP: Final = 80
_PANS: Final = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_Modifier = Qt.KeyboardModifier


def command_of(event: QKeyEvent, viewer: ViewerViewModel, page: ViewerPage) -> Callable[[], object] | None:
    """What a key does on this page; None when it is none of the viewer's."""
    key, modifiers = Qt.Key(event.key()), event.modifiers() & ~_Modifier.KeypadModifier
    if modifiers == _Modifier.ShiftModifier and key in _PANS:
        dx, dy = _PANS[key]
        return lambda: page.stage.pan(-dx * PAN_STEP, -dy * PAN_STEP)
    if modifiers == _Modifier.ShiftModifier and key == Qt.Key.Key_Space:
        return viewer.previous
    if modifiers == _Modifier.ControlModifier and key == Qt.Key.Key_S:
        return page.ask_to_save
    if modifiers & ~_Modifier.ShiftModifier:
        return None
    if key == Qt.Key.Key_Space and not isinstance(page.focusWidget(), QToolButton):
        return viewer.next
    return _plain(viewer, page).get(key)


def _plain(viewer: ViewerViewModel, page: ViewerPage) -> dict[Qt.Key, Callable[[], object]]:
    stage, mirrored = page.stage, page.isRightToLeft()
    return {
        Qt.Key.Key_Left: viewer.next if mirrored else viewer.previous,
        Qt.Key.Key_Right: viewer.previous if mirrored else viewer.next,
        Qt.Key.Key_PageUp: viewer.previous,
        Qt.Key.Key_PageDown: viewer.next,
        Qt.Key.Key_Backspace: viewer.previous,
        Qt.Key.Key_Home: viewer.first,
        Qt.Key.Key_End: viewer.last,
        Qt.Key.Key_1: stage.fit,
        Qt.Key.Key_2: lambda: stage.zoom_to(1.0),
        Qt.Key.Key_3: lambda: stage.zoom_to(2.0),
        Qt.Key.Key_Plus: stage.zoom_in,
        Qt.Key.Key_Equal: stage.zoom_in,
        Qt.Key.Key_Minus: stage.zoom_out,
        Qt.Key.Key_I: page.toggle_info,
        Qt.Key.Key_S: page.toggle_stored,
        Qt.Key.Key_F11: page.toggle_full_screen,
        Qt.Key.Key_Delete: page.ask_to_delete,
        Qt.Key.Key_Escape: page.escape,
    }
