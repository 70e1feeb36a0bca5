"""Small painted pieces: chips, avatars, progress bars."""

from __future__ import annotations

import hashlib
from typing import Final

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QProgressBar, QSizePolicy, QWidget

from desktop.widgets.icons import Icons
from desktop.widgets.theme import Radius, Theme
from desktop.widgets.tokens import AVATARS

CHIP_STYLES: Final = {
    "verified": ("shield-check", "ok", "ok_soft"),
    "not-verified": ("shield-question", "warn", "warn_soft"),
    "key-changed": ("shield-alert", "danger", "danger_soft"),
    "proven": ("check", "ok", "ok_soft"),
    "not-proven": ("warning", "warn", "warn_soft"),
    "unprotected": ("warning", "danger", "danger_soft"),
    "offline": ("offline", "text2", "sunken"),
    "your-key": ("", "on_accent_soft", "accent_soft"),
    "plain": ("", "text2", "sunken"),
}
"""Kind of chip: icon, token of icon and text, token of the fill."""


class Chip(QWidget):
    """A state as a word with an icon of its own. Kinds are the keys of ``CHIP_STYLES``."""

    HEIGHT: Final = 22
    _ICON: Final = 15
    _PADDING: Final = 9

    def __init__(self, icons: Icons, kind: str, text: str, *, icon: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icons, self._theme = icons, icons.theme
        self._override = icon
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        icons.changed.connect(self.update)
        self.set_state(kind, text)

    def set_state(self, kind: str, text: str, *, icon: str | None = None) -> None:
        """Say something else; ``icon`` stands in for that of the kind."""
        if icon is not None:
            self._override = icon
        self._name, self._front, self._back = CHIP_STYLES[kind]
        self._name = self._override or self._name
        self.text = text
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as the words need."""
        metrics = QFontMetrics(self._theme.font("chip"))
        icon = self._ICON + 5 if self._name else 0
        width = 2 * self._PADDING + icon + metrics.horizontalAdvance(self.text) + 1
        return QSize(width, max(self.HEIGHT, metrics.height() + 6))

    def minimumSizeHint(self) -> QSize:
        """Never cut the word."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw fill, icon and word, following the reading direction."""
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(getattr(tokens, self._back))
        radius = min(float(Radius.CHIP), self.height() / 2)
        painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
        inner = self.rect().adjusted(self._PADDING, 0, -self._PADDING, 0)
        if self._name:
            spot = QRect(inner.x(), (self.height() - self._ICON) // 2, self._ICON, self._ICON)
            pixmap = self._icons.pixmap(self._name, self._front, self._ICON)
            painter.drawPixmap(_visual(self, inner, spot).topLeft(), pixmap)
            inner = _visual(self, inner, inner.adjusted(self._ICON + 5, 0, 0, 0))
        painter.setFont(self._theme.font("chip"))
        painter.setPen(getattr(tokens, self._front))
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignCenter), self.text)


class ChipButton(Chip):
    """A chip that can be pressed, by Space and Enter too.

    Signals:
        pressed()
    """

    pressed = Signal()

    def __init__(self, icons: Icons, kind: str, text: str, *, icon: str = "", parent: QWidget | None = None) -> None:
        super().__init__(icons, kind, text, icon=icon, parent=parent)
        self.setProperty("ring_radius", Radius.CHIP)
        self.set_usable(True)

    def set_usable(self, usable: bool) -> None:
        """Take presses, or be a plain chip."""
        self.usable = usable
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if usable else Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor if usable else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Be pressed."""
        if (
            self.usable
            and event.button() == Qt.MouseButton.LeftButton
            and self.rect().contains(event.position().toPoint())
        ):
            self.pressed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Be pressed by keyboard."""
        if self.usable and event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.pressed.emit()
        else:
            super().keyPressEvent(event)


def _visual(widget: QWidget, bounds: QRect, rect: QRect) -> QRect:
    from PySide6.QtWidgets import QStyle

    return QStyle.visualRect(widget.layoutDirection(), bounds, rect)


class Avatar(QWidget):
    """A coloured disc with initials."""

    def __init__(self, theme: Theme, size: int = 30, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._initials, self._colour = theme, "", QColor(AVATARS[0])
        self.setFixedSize(size, size)

    def set_person(self, user_id: str, name: str) -> None:
        """Show the initials of a name on the colour that belongs to the id."""
        self._initials, self._colour = initials(name), avatar_colour(user_id)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the disc."""
        painter = QPainter(self)
        paint_avatar(painter, self._theme, self.rect(), self._colour, self._initials)


def initials(name: str) -> str:
    """Up to two letters for a name."""
    words = [word for word in name.replace(".", " ").replace("_", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else words[0][1:2])).upper()


def avatar_colour(user_id: str) -> QColor:
    """The colour of a person, the same on every computer."""
    digest = hashlib.sha256(user_id.encode()).digest()
    return QColor(AVATARS[digest[0] % len(AVATARS)])


def paint_avatar(painter: QPainter, theme: Theme, rect: QRect, colour: QColor, text: str) -> None:
    """Draw an avatar disc."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawEllipse(rect)
    font = theme.font("strong")
    font.setPixelSize(max(9, round(rect.height() * 0.37)))
    painter.setFont(font)
    painter.setPen(Qt.GlobalColor.white)
    painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), text)


class ProgressBar4(QProgressBar):
    """A thin bar. ``set_progress(done, 0)`` shows an empty track: nothing is known yet."""

    def __init__(self, theme: Theme, height: int = 4, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setTextVisible(False)
        self.setFixedHeight(height)
        self.setRange(0, 1000)
        theme.changed.connect(self.update)

    def set_progress(self, done: int, total: int) -> None:
        """Show how far the work is."""
        self.setValue(min(1000, done * 1000 // total) if total > 0 else 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw groove and bar, growing along the reading direction."""
        painter = QPainter(self)
        share = self.value() / max(1, self.maximum())
        paint_bar(painter, self._theme, self.rect(), share, self.layoutDirection())


def paint_bar(painter: QPainter, theme: Theme, rect: QRect, share: float, direction: Qt.LayoutDirection) -> None:
    """Draw a progress bar of any height: ``bar`` on ``track``."""
    from PySide6.QtWidgets import QStyle

    radius = rect.height() / 2
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.tokens.track)
    painter.drawRoundedRect(QRectF(rect), radius, radius)
    if share > 0:
        done = QRect(rect.x(), rect.y(), max(rect.height(), round(rect.width() * min(1.0, share))), rect.height())
        painter.setBrush(theme.tokens.bar)
        painter.drawRoundedRect(QRectF(QStyle.visualRect(direction, rect, done)), radius, radius)
