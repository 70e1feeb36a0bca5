"""What the gallery's view paints besides tiles: date headings and the rubber band."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle

from desktop.viewmodels.picture_model import local_today
from desktop.viewmodels.wording import section_text
from desktop.widgets.grid_layout import Box, GridLayout
from desktop.widgets.theme import Theme

COUNT_GAP = 12


def paint_headings(
    painter: QPainter,
    theme: Theme,
    grid: GridLayout,
    between: tuple[int, int],
    on_screen: Callable[[Box], QRect],
    words: str = "%1",
) -> None:
    """Paint the headings that lie between two heights of the content; ``words`` stand around the date, ``%1``."""
    numbers = grid.sections_between(*between)
    if not numbers:
        return
    today, single = local_today(), int(Qt.TextFlag.TextSingleLine)
    lead, caption = theme.font("lead"), theme.font("caption")
    lead_metrics, caption_metrics = QFontMetrics(lead), QFontMetrics(caption)
    align = QStyle.visualAlignment(painter.layoutDirection(), Qt.AlignmentFlag.AlignLeading)
    for number in numbers:
        box = grid.heading(number)
        if box.y + box.height <= between[0] or box.y >= between[1]:
            continue
        title = words.replace("%1", section_text(grid.sections[number], today))
        title = lead_metrics.elidedText(title, Qt.TextElideMode.ElideRight, box.width)
        used = lead_metrics.horizontalAdvance(title)
        baseline = box.y + (box.height + lead_metrics.ascent() - lead_metrics.descent()) // 2
        painter.setFont(lead)
        painter.setPen(theme.tokens.text)
        place = Box(box.x, baseline - lead_metrics.ascent(), used + 2, lead_metrics.height())
        painter.drawText(on_screen(place), int(align) | single, title)
        many = grid.sections[number].count
        count = QCoreApplication.translate("GalleryView", "%n pictures", None, many)
        rest = box.width - used - COUNT_GAP
        if rest > caption_metrics.horizontalAdvance(count):
            painter.setFont(caption)
            painter.setPen(theme.tokens.text2)
            place = Box(box.x + used + COUNT_GAP, baseline - caption_metrics.ascent(), rest, caption_metrics.height())
            painter.drawText(on_screen(place), int(align) | single, count)


def paint_band(painter: QPainter, theme: Theme, band: QRect | None) -> None:
    """Paint the rubber band, if there is one."""
    if band is None:
        return
    fill = theme.tokens.focus.toRgb()
    fill.setAlphaF(0.14)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(fill)
    painter.setPen(QPen(theme.tokens.focus, 1))
    painter.drawRoundedRect(QRectF(band).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
