"""The sleeve: the one drawing of the program. Noise inside, a picture where it is pulled out."""

from __future__ import annotations

from itertools import pairwise
from math import asin, degrees, sqrt
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from desktop.widgets.theme import Theme

GRID: Final = QSize(260, 300)
OPENING: Final = 128
"""Below this line of the grid the picture is noise: here it goes into the sleeve."""
CELL: Final = 4
_PRINT: Final = QRectF(52, 22, 156, 206)
_CLOSED_PRINT: Final = _PRINT.translated(0, 44)
_BORDER: Final = 10
_SKY_ROWS: Final = 200


class _Paper:
    """The colours of the paper in one scheme."""

    def __init__(self, *, dark: bool) -> None:
        self.back = QColor("#45433E" if dark else "#E9E4D8")
        self.front = QColor("#787569" if dark else "#FAF7EF")
        self.front.setAlphaF(0.47 if dark else 0.59)
        self.flap = QColor("#5D5A52" if dark else "#F1ECE0")
        self.edge = QColor("#8B877D" if dark else "#A39C8D")
        self.seam = QColor(self.edge)
        self.seam.setAlphaF(0.5)


class Sleeve(QWidget):
    """The sleeve, open (a print half way in) or closed. Decoration: it has no name for screen readers."""

    def __init__(self, theme: Theme, size: QSize, *, closed: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._closed = theme, closed
        self._pixmap: QPixmap | None = None
        self.setFixedSize(size)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        theme.changed.connect(self._forget)

    def _forget(self) -> None:
        self._pixmap = None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw from a cache, because the noise alone is hundreds of squares."""
        dpr = self.devicePixelRatioF()
        if self._pixmap is None or self._pixmap.devicePixelRatio() != dpr:
            self._pixmap = render(self.size(), dpr, dark=self._theme.is_dark, closed=self._closed)
        QPainter(self).drawPixmap(0, 0, self._pixmap)


def render(size: QSize, dpr: float, *, dark: bool, closed: bool = False) -> QPixmap:
    """The sleeve as a picture on transparent ground."""
    pixmap = QPixmap(round(size.width() * dpr), round(size.height() * dpr))
    pixmap.setDevicePixelRatio(dpr)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    scale = min(size.width() / GRID.width(), size.height() / GRID.height())
    painter.scale(scale, scale)
    (_paint_closed if closed else _paint_open)(painter, _Paper(dark=dark), scale * dpr)
    painter.end()
    return pixmap


def _paint_open(painter: QPainter, paper: _Paper, pixels: float) -> None:
    front = QRectF(32, OPENING, 196, 156)
    _paint_sheet(painter, QRectF(32, 119, 196, 165), paper.back, paper.edge, pixels)
    _paint_print(painter, _PRINT, pixels)
    picture = _PRINT.adjusted(_BORDER, _BORDER, -_BORDER, -_BORDER)
    painter.save()
    painter.setClipRect(picture)
    _paint_view(painter, picture)
    painter.restore()
    _paint_noise(painter, QRectF(picture.left(), OPENING, picture.width(), picture.bottom() - OPENING), pixels)
    _paint_front(painter, _notched(front), front, paper, pixels)


def _notched(front: QRectF) -> QPainterPath:
    """The front sheet with its thumb notch; drawn in one go, because subtracting paths is slow."""
    a, b, rise = 26.0, 22.0, 9.0
    half = a * sqrt(1 - (rise / b) ** 2)
    centre, corner = front.center().x(), 5.0
    ellipse = QRectF(centre - a, front.top() - rise - b, 2 * a, 2 * b)
    begin = degrees(asin(rise / b))
    path = QPainterPath(QPointF(front.left() + corner, front.top()))
    path.lineTo(centre - half, front.top())
    path.arcTo(ellipse, 180 + begin, 180 - 2 * begin)
    path.lineTo(front.right() - corner, front.top())
    side = 2 * corner
    path.arcTo(front.right() - side, front.top(), side, side, 90, -90)
    path.arcTo(front.right() - side, front.bottom() - side, side, side, 0, -90)
    path.arcTo(front.left(), front.bottom() - side, side, side, 270, -90)
    path.arcTo(front.left(), front.top(), side, side, 180, -90)
    path.closeSubpath()
    return path


def _paint_closed(painter: QPainter, paper: _Paper, pixels: float) -> None:
    front = QRectF(32, 40, 196, 244)
    _paint_sheet(painter, front, paper.back, paper.edge, pixels)
    _paint_print(painter, _CLOSED_PRINT, pixels)
    _paint_noise(painter, _CLOSED_PRINT.adjusted(_BORDER, _BORDER, -_BORDER, -_BORDER), pixels)
    sheet = QPainterPath()
    sheet.addRoundedRect(front, 5, 5)
    _paint_front(painter, sheet, front, paper, pixels)
    flap = QPainterPath(QPointF(32, 86))
    flap.lineTo(32, 45)
    flap.quadTo(32, 40, 37, 40)
    flap.lineTo(223, 40)
    flap.quadTo(228, 40, 228, 45)
    flap.lineTo(228, 86)
    flap.cubicTo(190, 110, 160, 120, 130, 120)
    flap.cubicTo(100, 120, 70, 110, 32, 86)
    painter.setPen(_hairline(paper.edge, pixels))
    painter.setBrush(paper.flap)
    painter.drawPath(flap)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(QPointF(130, 105), 4, 4)


def _hairline(colour: QColor, pixels: float) -> QPen:
    """A pen of whole device pixels, about one device-independent pixel."""
    return QPen(colour, max(1.0, round(pixels)) / pixels if pixels < 1 else 1.0)


def _paint_sheet(painter: QPainter, rect: QRectF, fill: QColor, edge: QColor, pixels: float) -> None:
    painter.setPen(_hairline(edge, pixels))
    painter.setBrush(fill)
    painter.drawRoundedRect(rect, 5, 5)


def _paint_front(painter: QPainter, sheet: QPainterPath, front: QRectF, paper: _Paper, pixels: float) -> None:
    painter.setPen(_hairline(paper.edge, pixels))
    painter.setBrush(paper.front)
    painter.drawPath(sheet)
    painter.setPen(_hairline(paper.seam, pixels))
    for x in (front.left() + 8, front.right() - 8):
        painter.drawLine(QPointF(x, front.top() + 5), QPointF(x, front.bottom() - 5))


def _paint_print(painter: QPainter, rect: QRectF, pixels: float) -> None:
    painter.setPen(_hairline(QColor(0, 0, 0, 60), pixels))
    painter.setBrush(QColor("#FDFCF9"))
    painter.drawRoundedRect(rect, 3, 3)


def _paint_view(painter: QPainter, rect: QRectF) -> None:
    """Evening over three hills: what is in the hand."""
    painter.drawImage(rect, _sky())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor("#FFE7BF"))
    painter.drawEllipse(QPointF(154, 99), 13, 13)
    left, right, bottom = rect.left(), rect.right(), rect.bottom()
    for colour, points in (
        ("#7C84A0", ((left, 117), (82, 100), (104, 109), (132, 120), (166, 112), (176, 106), (right, 106))),
        ("#4F5B78", ((left, 128), (86, 113), (104, 115), (128, 124), (160, 120), (180, 117), (right, 121))),
        ("#2E3A50", ((left, 140), (92, 126), (120, 130), (146, 136), (170, 134), (186, 128), (right, 130))),
    ):
        hill = QPainterPath(QPointF(left, bottom))
        hill.lineTo(*points[0])
        hill.cubicTo(*points[1], *points[2], *points[3])
        hill.cubicTo(*points[4], *points[5], *points[6])
        hill.lineTo(right, bottom)
        painter.setBrush(QColor(colour))
        painter.drawPath(hill)


def _sky() -> QImage:
    """The colours of the sky from the top down, one pixel wide. QGradient would cost a millisecond of the start."""
    stops = (
        (0.0, (0x3E, 0x5C, 0x8C)),
        (0.34, (0x8F, 0xA6, 0xC4)),
        (0.52, (0xF0, 0xC7, 0x9A)),
        (1.0, (0xF0, 0xC7, 0x9A)),
    )
    rows = bytearray()
    for (start, above), (end, below) in pairwise(stops):
        count = round((end - start) * _SKY_ROWS)
        for row in range(count):
            rows += bytes(round(a + (b - a) * row / count) for a, b in zip(above, below, strict=True)) + b"\0"
    return QImage(bytes(rows), 1, len(rows) // 4, 4, QImage.Format.Format_RGB888).copy()


def noise(count: int) -> bytes:
    """So many bytes that look random, always the same ones for the same count.

    They are the digits of a power of 7 less the first and the last, which show patterns: the same on every computer,
    and nothing needs to be imported while the program starts.
    """
    number: int = pow(7, 3 * count + 300)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")[8 : 8 + count]


def _paint_noise(painter: QPainter, rect: QRectF, pixels: float) -> None:
    """Squares of whole device pixels, the same ones every time."""
    dpr = painter.device().devicePixelRatioF()
    device = QRectF(rect.topLeft() * pixels, rect.size() * pixels).toAlignedRect()
    side = max(1, round(CELL * pixels))
    columns, rows = -(-device.width() // side), -(-device.height() // side)
    colours = noise(columns * rows * 3)
    cells = QImage(colours, columns, rows, columns * 3, QImage.Format.Format_RGB888)
    painter.save()
    painter.resetTransform()
    painter.scale(1 / dpr, 1 / dpr)
    painter.setClipRect(device)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(device.topLeft(), cells.scaled(columns * side, rows * side))
    painter.restore()


def render_icon(side: int, *, dark: bool = False) -> QPixmap:
    """The application icon: the open sleeve; at 32 and below only sleeve, notch and a square of noise."""
    if side > 32:
        pixmap = QPixmap(side, side)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        # the drawing fills 16 to 290 of the grid's height, centred
        scale = side / 276
        drawing = render(QSize(round(260 * scale), round(300 * scale)), 1.0, dark=dark)
        painter.drawPixmap(
            round((side - drawing.width()) / 2), round((side - drawing.height()) / 2 - 3 * scale), drawing
        )
        painter.end()
        return pixmap
    return _small_icon(side)


def _small_icon(side: int) -> QPixmap:
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    unit = max(1, side // 16)
    painter = QPainter(pixmap)
    sleeve = QRectF(2 * unit, unit, side - 4 * unit, side - 2 * unit)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    path, notch = QPainterPath(), QPainterPath()
    path.addRoundedRect(sleeve, unit, unit)
    notch.addEllipse(QPointF(sleeve.center().x(), sleeve.top()), 2.5 * unit, 2.0 * unit)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor("#FAF7EF"))
    painter.drawPath(path.subtracted(notch))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor("#8B8474"), unit))
    half = unit / 2
    inner, hole = QPainterPath(), QPainterPath()
    inner.addRoundedRect(sleeve.adjusted(half, half, -half, -half), unit, unit)
    hole.addEllipse(QPointF(sleeve.center().x(), sleeve.top()), 2.5 * unit, 2.0 * unit)
    painter.drawPath(inner.subtracted(hole))
    count = 4
    cell = max(1, int(sleeve.width() - 4 * unit) // count)
    left = round(sleeve.center().x() - cell * count / 2)
    top = round(sleeve.bottom() - 2 * unit - cell * count)
    colours = noise(count * count * 3)
    cells = QImage(colours, count, count, count * 3, QImage.Format.Format_RGB888)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(left, top, cells.scaled(cell * count, cell * count))
    painter.end()
    return pixmap
