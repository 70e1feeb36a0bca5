"""The page of the recovery kit on paper: drawn once, for a printer, a PDF or a look at it."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPageLayout, QPageSize, QPainter, QPdfWriter, QPen
from PySide6.QtWidgets import QApplication, QWidget

from desktop.viewmodels.wording import day_text

if TYPE_CHECKING:
    from desktop.client.kit_page import KitPage

MARGIN_PT: Final = 54.0
"""Inside what any printer leaves white; the content fits A4 and US Letter."""
INK: Final = QColor("#000000")
GREY: Final = QColor("#444444")
WORD_COLUMNS: Final = 4
_COLUMN_GAP: Final = 8.0


def save_pdf(page: KitPage, target: Path, size: QPageSize.PageSizeId = QPageSize.PageSizeId.A4) -> None:
    """Write the page as a PDF that is not there yet.

    Raises:
        NameTaken, StorageFull, StorageReadOnly, FileUnreadable: It cannot be written; nothing is left behind.
    """
    from desktop.crypto.safe_write import new_file

    content = pdf(page, size)
    with new_file(target) as file:
        file.write(content)


def pdf(page: KitPage, size: QPageSize.PageSizeId = QPageSize.PageSizeId.A4) -> bytes:
    """Return the page as a PDF, made in memory."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setTitle(page.title)
    writer.setCreator("Glassine")
    writer.setResolution(72 * 4)
    writer.setPageLayout(QPageLayout(QPageSize(size), QPageLayout.Orientation.Portrait, QMarginsF()))
    painter = QPainter(writer)
    painter.scale(4, 4)
    draw(painter, writer.pageLayout().fullRectPoints().toRectF(), page)
    painter.end()
    buffer.close()
    return bytes(buffer.data().data())


def print_page(page: KitPage, parent: QWidget) -> bool | None:
    """Ask for a printer and print; return whether it was sent, or nothing when the person chose no printer."""
    from PySide6.QtPrintSupport import QPrintDialog, QPrinter

    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setDocName(page.title)
    printer.setFullPage(True)
    dialog = QPrintDialog(printer, parent)
    if dialog.exec() != QPrintDialog.DialogCode.Accepted:
        return None
    painter = QPainter(printer)
    if not painter.isActive():
        return False
    scale = printer.resolution() / 72
    painter.scale(scale, scale)
    draw(painter, printer.pageLayout().fullRectPoints().toRectF(), page)
    return painter.end()


def draw(painter: QPainter, paper: QRectF, page: KitPage) -> float:
    """Draw the page; the painter's unit is the point. Returns where the content ends."""
    area = paper.adjusted(MARGIN_PT, MARGIN_PT, -MARGIN_PT, -MARGIN_PT)
    pen = _Pen(painter, area)
    pen.text(page.title, 20, bold=True, after=4)
    made = QApplication.translate("KitPage", "%1 · made on %2")
    pen.text(
        made.replace("%1", page.key_name).replace("%2", day_text(datetime.combine(page.created, time()))),
        10,
        grey=True,
        after=2,
    )
    if page.address:
        where = QApplication.translate("KitPage", "Server %1 · user name %2")
        pen.text(where.replace("%1", page.address).replace("%2", page.user_name), 10, grey=True)
    pen.gap(12)
    pen.rule()
    pen.gap(14)
    _draw_words(pen, page)
    pen.gap(14)
    pen.rule()
    pen.gap(12)
    pen.text(QApplication.translate("KitPage", "Digits of the key, to compare"), 10, bold=True, after=4)
    half = len(page.groups) // 2
    for row in (page.groups[:half], page.groups[half:]):
        pen.text("  ".join(row), 11, mono=True, after=2)
    pen.gap(14)
    for paragraph in page.instructions:
        pen.text(paragraph, 10, after=6)
    return pen.y


def _draw_words(pen: _Pen, page: KitPage) -> None:
    rows = -(-len(page.words) // WORD_COLUMNS)
    width = (pen.area.width() - (WORD_COLUMNS - 1) * _COLUMN_GAP) / WORD_COLUMNS
    top = pen.y
    for at, (number, word) in enumerate(page.words):
        column, row = divmod(at, rows)
        spot = QRectF(pen.area.left() + column * (width + _COLUMN_GAP), top + row * 24, width, 22)
        pen.number_and_word(spot, number, word)
    pen.y = top + rows * 24


class _Pen:
    """Writes down a column; ``y`` is where the next line begins."""

    def __init__(self, painter: QPainter, area: QRectF) -> None:
        self.painter, self.area, self.y = painter, area, area.top()

    def gap(self, points: float) -> None:
        self.y += points

    def rule(self) -> None:
        self.painter.setPen(QPen(GREY, 0.5))
        self.painter.drawLine(QPointF(self.area.left(), self.y), QPointF(self.area.right(), self.y))

    def text(
        self, text: str, size: float, *, bold: bool = False, grey: bool = False, mono: bool = False, after: float = 0
    ) -> None:
        self.painter.setFont(_font(size, bold=bold, mono=mono))
        self.painter.setPen(GREY if grey else INK)
        flags = int(Qt.TextFlag.TextWrapAnywhere if _unbroken(text) else Qt.TextFlag.TextWordWrap)
        room = QRectF(self.area.left(), self.y, self.area.width(), 2000)
        used = self.painter.boundingRect(room, flags, text)
        self.painter.drawText(QRectF(room.topLeft(), used.size()), flags, text)
        self.y += used.height() + after

    def number_and_word(self, spot: QRectF, number: int, word: str) -> None:
        self.painter.setFont(_font(9))
        self.painter.setPen(GREY)
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        end = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignAbsolute)
        self.painter.drawText(QRectF(spot.left(), spot.top(), 18, spot.height()), middle | end, str(number))
        self.painter.setFont(_font(13, bold=True))
        self.painter.setPen(INK)
        self.painter.drawText(spot.adjusted(26, 0, 0, 0), middle, word)


def _unbroken(text: str) -> bool:
    """Whether a word is too long for any line, such as a name without spaces."""
    return any(len(word) > 60 for word in text.split())


def _font(size: float, *, bold: bool = False, mono: bool = False) -> QFont:
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont) if mono else QApplication.font()
    font = QFont(font)
    # pixels of a painter whose unit is the point: the same on any printer
    font.setPixelSize(max(1, round(size)))
    font.setBold(bold)
    return font
