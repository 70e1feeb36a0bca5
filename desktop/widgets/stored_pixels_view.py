"""The stored file's own pixels: whole multiples, no smoothing, which would turn noise to grey."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.widgets.theme import Radius, Theme

SIZE: Final = QSize(332, 200)


def drawn_pixels(image: QImage, width: int, height: int, dpr: float) -> tuple[QImage, int]:
    """The part of an image that fills so many device pixels, and by how much each of its pixels is multiplied."""
    step = max(1, round(2 * dpr))
    return image.copy(0, 0, min(image.width(), -(-width // step)), min(image.height(), -(-height // step))), step


class StoredPixelsView(QWidget):
    """332 × 200. Noise is drawn at 200 % of the screen's own pixels; a classic picture is shown whole, scaled."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._image: QImage | None = None
        self._whole = False
        self.setFixedHeight(SIZE.height())
        self.setMaximumWidth(SIZE.width())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    @property
    def image(self) -> QImage | None:
        """What is shown."""
        return self._image

    def show_image(self, image: QImage | None, *, whole: bool = False) -> None:
        """Show pixels; ``whole`` scales the image into the widget."""
        self._image, self._whole = image, whole
        self.update()

    def sizeHint(self) -> QSize:
        """As in the panel."""
        return SIZE

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the pixels, or the ground they come on."""
        painter = QPainter(self)
        clip = QPainterPath()
        clip.addRoundedRect(self.rect(), Radius.CONTROL, Radius.CONTROL)
        painter.setClipPath(clip)
        painter.fillRect(self.rect(), self._theme.tokens.skeleton)
        if self._image is None:
            return
        if self._whole:
            size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(0, 0, size.width(), size.height())
            place.moveCenter(self.rect().center())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(place, self._image)
            return
        dpr = self.devicePixelRatioF()
        painter.scale(1 / dpr, 1 / dpr)
        part, step = drawn_pixels(self._image, round(self.width() * dpr), round(self.height() * dpr), dpr)
        painter.drawImage(QRect(0, 0, part.width() * step, part.height() * step), part)
