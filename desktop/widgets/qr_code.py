"""A QR code, drawn in whole pixels so that a camera reads it at any scale."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

QUIET: Final = 4
"""Modules of empty ground around the code, as the standard asks for."""
DARK: Final = QColor(0, 0, 0)
LIGHT: Final = QColor(255, 255, 255)


class QrCode(QWidget):
    """Black on white in both schemes: that is what cameras expect."""

    def __init__(self, side: int = 148, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._side = side
        self._matrix: tuple[bytes, ...] = ()
        self.setFixedSize(side, side)

    def show_text(self, text: str, spoken: str) -> None:
        """Show the code of a text; ``spoken`` is said to screen readers."""
        import segno

        self._matrix = tuple(bytes(row) for row in segno.make(text, error="m", micro=False).matrix)
        self.setAccessibleName(spoken)
        self.setToolTip(spoken)
        self.update()

    @property
    def modules(self) -> int:
        """Modules along a side, the quiet ground included."""
        return len(self._matrix) + 2 * QUIET

    def sizeHint(self) -> QSize:
        """A square."""
        return QSize(self._side, self._side)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw each module as so many device pixels, all the same."""
        if not self._matrix:
            return
        painter = QPainter(self)
        dpr = self.devicePixelRatioF()
        painter.scale(1 / dpr, 1 / dpr)  # from here on in device pixels
        side = round(self._side * dpr)
        painter.fillRect(QRect(0, 0, side, side), LIGHT)
        step = max(1, side // self.modules)
        begin = (side - step * len(self._matrix)) // 2
        painter.setPen(Qt.PenStyle.NoPen)
        for y, row in enumerate(self._matrix):
            for x, dark in enumerate(row):
                if dark:
                    painter.fillRect(QRect(begin + x * step, begin + y * step, step, step), DARK)
