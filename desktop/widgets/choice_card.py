"""A radio button as a card: icon, title, one sentence."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QRadioButton, QSizePolicy, QWidget

from desktop.widgets.icons import Icons
from desktop.widgets.theme import Radius

_PADDING: Final = 14
_ICON: Final = 22
_DOT: Final = 18


class ChoiceCard(QRadioButton):
    """One of two ways to go on. 190×112, higher when its words need it."""

    MIN_SIZE: Final = QSize(190, 112)

    def __init__(self, icons: Icons, icon: str, title: str, sentence: str, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._icons, self._theme, self._icon, self._sentence = icons, icons.theme, icon, sentence
        self.setAccessibleName(title)
        self.setAccessibleDescription(sentence)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setProperty("card", True)
        self.setProperty("ring_radius", int(Radius.BANNER))
        icons.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """High enough for the sentence on as many lines as it takes."""
        width = self.MIN_SIZE.width()
        title = QFontMetrics(self._theme.font("strong")).height()
        return QSize(width, max(self.MIN_SIZE.height(), 46 + title + self._sentence_height(width) + _PADDING))

    def minimumSizeHint(self) -> QSize:
        """As the size hint."""
        return self.sizeHint()

    def hitButton(self, position: QPoint) -> bool:
        """Be pressed anywhere on the card."""
        return self.rect().contains(position)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the card, following the reading direction."""
        tokens, chosen = self._theme.tokens, self.isChecked()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = 2 if chosen else 1
        edge = tokens.accent if chosen else (tokens.text2 if self.underMouse() else tokens.line_strong)
        painter.setPen(QPen(edge, width))
        painter.setBrush(tokens.accent_soft if chosen else tokens.surface)
        half = width / 2
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(half, half, -half, -half), Radius.BANNER, Radius.BANNER)

        icon = self._visual(QRect(_PADDING, 13, _ICON, _ICON))
        painter.drawPixmap(
            icon.topLeft(), self._icons.pixmap(self._icon, "on_accent_soft" if chosen else "text2", _ICON)
        )
        self._paint_dot(painter, self._visual(QRect(self.width() - _PADDING - _DOT, 17, _DOT, _DOT)), chosen=chosen)

        title = QRect(_PADDING, 42, self.width() - 2 * _PADDING, QFontMetrics(self._theme.font("strong")).height() + 2)
        self._words(painter, title, self.text(), self._theme.font("strong"), tokens.text)
        sentence = title.translated(0, title.height() + 2)
        sentence.setBottom(self.height() - 4)
        self._words(painter, sentence, self._sentence, self._theme.font("caption"), tokens.text2)

    def _paint_dot(self, painter: QPainter, spot: QRect, *, chosen: bool) -> None:
        tokens = self._theme.tokens
        if chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.accent)
            painter.drawEllipse(spot)
            painter.setBrush(tokens.on_accent)
            painter.drawEllipse(spot.adjusted(5, 5, -5, -5))
        else:
            painter.setPen(QPen(tokens.line_strong, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QRectF(spot).adjusted(0.5, 0.5, -0.5, -0.5))

    def _words(self, painter: QPainter, rect: QRect, text: str, font: QFont, colour: QColor) -> None:
        painter.setFont(font)
        painter.setPen(colour)
        # drawText follows the painter's direction for AlignLeft, which is the leading side
        flags = int(Qt.AlignmentFlag.AlignLeft) | int(Qt.AlignmentFlag.AlignTop) | int(Qt.TextFlag.TextWordWrap)
        painter.setLayoutDirection(self.layoutDirection())
        painter.drawText(self._visual(rect), flags, text)

    def _visual(self, rect: QRect) -> QRect:
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            return QRect(self.width() - rect.x() - rect.width(), rect.y(), rect.width(), rect.height())
        return rect

    def _sentence_height(self, width: int) -> int:
        metrics = QFontMetrics(self._theme.font("caption"))
        room = QRect(0, 0, width - 2 * _PADDING, 1000)
        return metrics.boundingRect(room, int(Qt.TextFlag.TextWordWrap), self._sentence).height()
