"""Dropping files anywhere on the window: the overlay that shows, and the paths that come out."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Final

from PySide6.QtCore import QEvent, QMimeData, QObject, QPointF, QPropertyAnimation, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QDropEvent, QFontMetrics, QLinearGradient, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QGraphicsOpacityEffect, QWidget

from desktop.widgets.icons import Icons
from desktop.widgets.theme import Radius, Theme

_DRAGS: Final = frozenset(
    {QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.DragLeave, QEvent.Type.Drop, QEvent.Type.Resize}
)

PRINTS: Final = (
    (-8.0, -32.0, ("#7A4B4B", "#D98E63"), ("#6E4250", "#4A2A3C", "#2F1B2A")),
    (7.0, 34.0, ("#2E5B4E", "#86B59A"), ("#3F6B5C", "#2C5146", "#1F3B33")),
    (-2.0, 0.0, ("#3E5C8C", "#F0C79A"), ("#7C84A0", "#4F5B78", "#2E3A50")),
)
"""Three drawn prints, the last on top: turn in degrees, offset, sky, hills. Never the files: nothing is read."""


def dropped_paths(data: QMimeData) -> list[Path]:
    """The local files and folders of a drag; none for anything else."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile() and url.toLocalFile()]


def may_hold_pictures(paths: list[Path]) -> bool:
    """Whether any of these could be a picture or a folder, going by names alone: the disk is not asked."""
    for path in paths:
        kind = mimetypes.guess_type(path.name)[0]
        if kind is None or kind.startswith("image/"):
            return True
    return False


class DropOverlay(QWidget):
    """Covers the window while files are dragged over it.

    Signals:
        dropped(list[Path]): files and folders; sent after the drop is over, so that it never keeps the file manager
            waiting.
    """

    dropped = Signal(list)
    _posted = Signal(list)

    def __init__(self, window: QWidget, theme: Theme, icons: Icons) -> None:
        super().__init__(window)
        self._window, self._theme, self._icons = window, theme, icons
        self.active = True
        self._count = 0
        self._usable = True
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        window.setAcceptDrops(True)
        window.installEventFilter(self)
        theme.changed.connect(self.update)
        # queued, so that the drop is over before anybody acts on it
        self._posted.connect(self.dropped, Qt.ConnectionType.QueuedConnection)

    def set_active(self, active: bool) -> None:
        """Take drops or not, for instance while locked."""
        self.active = active
        self._window.setAcceptDrops(active)
        if not active:
            self._leave()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Watch what is dragged over the window."""
        if watched is not self._window or event.type() not in _DRAGS:
            return False
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self._window.rect())
            return False
        if event.type() == QEvent.Type.DragLeave:
            self._leave()
            return True
        if not self._takes_now() or not isinstance(event, QDropEvent):
            return False
        if event.type() == QEvent.Type.DragEnter:
            self._enter(event)
        elif event.type() == QEvent.Type.DragMove:
            self._answer(event)
        else:
            self._drop(event)
        return True

    def _takes_now(self) -> bool:
        return self.active and QApplication.activeModalWidget() is None

    def _enter(self, event: QDropEvent) -> None:
        paths = dropped_paths(event.mimeData())
        if not paths:
            event.ignore()
            return
        self._count, self._usable = len(paths), may_hold_pictures(paths)
        self.setAccessibleName(f"{self._title()}. {self._sentence()}")
        self.setGeometry(self._window.rect())
        self.raise_()
        self.show()
        self._fade_in()
        self._answer(event)

    def _answer(self, event: QDropEvent) -> None:
        if self._count and self._usable:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
        elif self._count:
            # taken all the same, so that the overlay stays; nothing comes of it
            event.setDropAction(Qt.DropAction.IgnoreAction)
            event.accept()
        else:
            event.ignore()

    def _drop(self, event: QDropEvent) -> None:
        paths = dropped_paths(event.mimeData())
        usable = self._usable and bool(paths)
        self._leave()
        event.setDropAction(Qt.DropAction.CopyAction if usable else Qt.DropAction.IgnoreAction)
        event.accept()
        if usable:
            self._posted.emit(paths)

    def _leave(self) -> None:
        self._count = 0
        self.hide()

    # -- painting --------------------------------------------------------------------------------------------------

    def _title(self) -> str:
        return self.tr("Drop to encrypt and add") if self._usable else self.tr("Nothing here can be added")

    def _sentence(self) -> str:
        if not self._usable:
            return self.tr("Glassine takes pictures and folders of pictures.")
        return self.tr("%n files. You can look them over before anything is sent.", "", self._count)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw veil, frame, prints and words."""
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = tokens.canvas.toRgb()
        veil.setAlphaF(0.94)
        painter.fillRect(self.rect(), veil)
        painter.setPen(QPen(tokens.focus, 2))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(12, 12, -12, -12), Radius.FRAME, Radius.FRAME)
        heading, body = self._theme.font("heading"), self._theme.font("body")
        heading_height = QFontMetrics(heading).height()
        middle = QPointF(self.width() / 2, self.height() / 2 - 50)
        if self._usable:
            self._paint_prints(painter, middle)
        else:
            pixmap = self._icons.pixmap("error", tokens.text2, 48, self.devicePixelRatioF())
            painter.drawPixmap(round(middle.x()) - 24, round(middle.y()) + 16, pixmap)
        top = round(middle.y()) + 118
        centre = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)
        painter.setFont(heading)
        painter.setPen(tokens.text)
        painter.drawText(QRect(40, top, self.width() - 80, heading_height * 2), centre, self._title())
        painter.setFont(body)
        painter.setPen(tokens.text2)
        painter.drawText(QRect(40, top + heading_height + 6, self.width() - 80, 80), centre, self._sentence())

    def _paint_prints(self, painter: QPainter, middle: QPointF) -> None:
        for turn, offset, sky, hills in PRINTS:
            painter.save()
            painter.translate(middle + QPointF(offset, 0))
            painter.rotate(turn)
            _paint_print(painter, QRectF(-66, -84, 132, 168), sky, hills)
            painter.restore()
        words = f"+{self._count}"
        font = self._theme.font("primary")
        width = max(44, QFontMetrics(font).horizontalAdvance(words) + 24)
        pill = QRectF(middle.x() + 57, middle.y() - 102, width, 30)
        painter.setPen(QPen(self._theme.tokens.canvas, 3))
        painter.setBrush(self._theme.tokens.accent)
        painter.drawRoundedRect(pill, 15, 15)
        painter.setFont(font)
        painter.setPen(self._theme.tokens.on_accent)
        painter.drawText(pill, int(Qt.AlignmentFlag.AlignCenter), words)

    def _fade_in(self) -> None:
        duration = self._theme.duration(120)
        if not duration:
            return
        effect = QGraphicsOpacityEffect(self)
        self.setGraphicsEffect(effect)
        animation = QPropertyAnimation(effect, b"opacity", self)
        animation.setDuration(duration)
        animation.setStartValue(0.0)
        animation.setEndValue(1.0)
        animation.finished.connect(lambda: self.setGraphicsEffect(None))  # type: ignore[arg-type]
        animation.start(QPropertyAnimation.DeletionPolicy.DeleteWhenStopped)


def _paint_print(painter: QPainter, rect: QRectF, sky: tuple[str, str], hills: tuple[str, str, str]) -> None:
    painter.setPen(QPen(QColor(0, 0, 0, 60), 1))
    painter.setBrush(QColor("#FFFFFF"))
    painter.drawRoundedRect(rect, 4, 4)
    view = rect.adjusted(8, 8, -8, -8)
    gradient = QLinearGradient(view.topLeft(), view.bottomLeft())
    gradient.setColorAt(0, QColor(sky[0]))
    gradient.setColorAt(0.55, QColor(sky[1]))
    painter.fillRect(view, gradient)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor("#FFE7BF"))
    painter.drawEllipse(QPointF(view.x() + view.width() * 0.66, view.y() + view.height() * 0.36), 10, 10)
    for place, colour in enumerate(hills):
        top = view.y() + view.height() * (0.46 + 0.14 * place)
        swell = view.height() * 0.07 * (1 if place % 2 else -1)
        path = QPainterPath(QPointF(view.left(), top))
        path.cubicTo(
            QPointF(view.left() + view.width() * 0.3, top - swell * 2),
            QPointF(view.left() + view.width() * 0.6, top + swell * 2),
            QPointF(view.right(), top - swell),
        )
        path.lineTo(view.bottomRight())
        path.lineTo(view.bottomLeft())
        path.closeSubpath()
        painter.setBrush(QColor(colour))
        painter.drawPath(path)
