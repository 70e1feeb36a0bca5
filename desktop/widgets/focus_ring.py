"""The keyboard focus ring: one overlay for each window, drawn around whatever has the focus."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractScrollArea,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)
from shiboken6 import isValid

from desktop.widgets.theme import Radius, Theme

_OWN_FOCUS: Final = (QLineEdit, QPlainTextEdit, QComboBox, QAbstractItemView)
"""Widgets that show the focus themselves."""

_FOLLOWED: Final = frozenset({QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide})


class FocusRing(QWidget):
    """Draws the ring 2 away from the focused control; shown when the focus came by the keyboard.

    A widget sets the property ``ring`` to False to have none, to "always" to have one however the focus came, and
    ``ring_radius`` for another corner than 6.
    """

    GAP: Final = 2

    def __init__(self, window: QWidget, theme: Theme) -> None:
        super().__init__(window)
        self._theme = theme
        self._target: QWidget | None = None
        self._followed: list[QWidget] = []
        self._clip: QRect | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._on_focus)
        theme.changed.connect(self.update)

    @property
    def target(self) -> QWidget | None:
        """What the ring is drawn around now."""
        return self._target

    def _on_focus(self, old: QWidget | None, new: QWidget | None) -> None:
        window = self.parentWidget()
        if window is None:
            return
        by_keyboard = window.testAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)
        if new is None or new.window() is not window or not _wants_ring(new, by_keyboard=by_keyboard):
            self._follow(None)
        else:
            self._follow(new)

    def _follow(self, target: QWidget | None) -> None:
        for followed in self._followed:
            if isValid(followed):
                followed.removeEventFilter(self)
        self._followed = []
        self._target = target
        widget = target
        while widget is not None:
            widget.installEventFilter(self)
            self._followed.append(widget)
            if widget is self.parentWidget():
                break
            widget = widget.parentWidget()
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow scrolling, resizing and hiding."""
        if event.type() in _FOLLOWED:
            self._place()
        return False

    def _place(self) -> None:
        target, window = self._target, self.parentWidget()
        if target is None or window is None or not isValid(target) or not target.isVisible():
            self.hide()
            return
        margin = self.GAP + self._theme.ring_width
        rect = QRect(target.mapTo(window, QPoint(0, 0)), target.size()).adjusted(-margin, -margin, margin, margin)
        clip = _visible_part(target, window, margin)
        self._clip = clip.translated(-rect.topLeft()) if clip is not None else None
        self.setGeometry(rect)
        self.raise_()
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ring."""
        width = self._theme.ring_width
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._clip is not None:
            painter.setClipRect(self._clip)
        painter.setPen(QPen(self._theme.tokens.focus, width))
        radius = self._radius() + self.GAP + width / 2
        half = width / 2
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(half, half, -half, -half), radius, radius)

    def _radius(self) -> float:
        target = self._target
        radius = target.property("ring_radius") if target is not None and isValid(target) else None
        return float(radius) if radius is not None else float(Radius.CONTROL)


def _wants_ring(widget: QWidget, *, by_keyboard: bool) -> bool:
    wanted = widget.property("ring")
    if wanted is not None:
        return wanted == "always" or (by_keyboard and bool(wanted))
    return by_keyboard and not isinstance(widget, _OWN_FOCUS)


def _visible_part(target: QWidget, window: QWidget, margin: int) -> QRect | None:
    """The part of the window in which the ring may be drawn, where the target lies in a scroll area."""
    widget: QWidget | None = target.parentWidget()
    while widget is not None and widget is not window:
        if isinstance(widget, QAbstractScrollArea):
            viewport = widget.viewport()
            corner = viewport.mapTo(window, QPoint(0, 0))
            return QRect(corner, viewport.size()).adjusted(-margin, -margin, margin, margin)
        widget = widget.parentWidget()
    return None
