"""The stage: one picture, fitted or zoomed and moved about."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QEnterEvent, QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from desktop.widgets.theme import Theme

MARGIN: Final = 28
LARGEST: Final = 8.0
STEP: Final = 1.25
DETAIL_DELAY_MS: Final = 120


class Stage(QWidget):
    """Paints a picture; 100 % is one pixel of the picture to one physical pixel of the screen.

    Images of the same picture may come one after another with more pixels each; the one that suits the zoom is drawn,
    so a picture sharpens in place.

    Signals:
        zoom_changed(float): the scale, 1.0 being 100 %.
        detail_wanted(float): more pixels would be seen at this scale.
        stirred(): the pointer moved, so controls should show.
        double_clicked(): fit or 100 % was toggled.
    """

    zoom_changed = Signal(float)
    detail_wanted = Signal(float)
    stirred = Signal()
    double_clicked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._preview: QImage | None = None
        self._images: list[QImage] = []
        self._full = QSize()
        self._zoom: float | None = None  # None: fitted
        self._centre = QPointF(0.5, 0.5)  # the part of the picture in the middle of the stage
        self._drag: QPoint | None = None
        self._detail = QTimer(self)
        self._detail.setSingleShot(True)
        self._detail.setInterval(DETAIL_DELAY_MS)
        self._detail.timeout.connect(self._ask_for_detail)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setProperty("ring", False)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Picture"))
        theme.changed.connect(self.update)

    # -- what is shown ---------------------------------------------------------------------------------------------

    def clear(self, full: QSize) -> None:
        """Show nothing yet of a picture that will be ``full`` large (an empty size: not known)."""
        self._preview, self._images, self._full = None, [], QSize(full)
        self._zoom, self._centre = None, QPointF(0.5, 0.5)
        self._drag = None
        self._changed()

    def show_preview(self, image: QImage) -> None:
        """Show the thumbnail, scaled up, until the picture is there."""
        if not self._images:
            self._preview = image
            if self._full.isEmpty():
                self._full = image.size()
            self._changed()

    def show_image(self, image: QImage, full: QSize) -> None:
        """Show the picture, or more pixels of it."""
        self._full = QSize(full)
        self._images = sorted(
            [known for known in self._images if known.width() != image.width()] + [image],
            key=lambda known: known.width(),
        )
        self._preview = None
        self._changed()

    @property
    def has_image(self) -> bool:
        """Whether the picture itself is shown, not only its thumbnail."""
        return bool(self._images)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is shown."""
        return not self._images and self._preview is None

    # -- zoom ------------------------------------------------------------------------------------------------------

    @property
    def scale(self) -> float:
        """The present scale, 1.0 being 100 %."""
        return self.fit_scale if self._zoom is None else self._zoom

    @property
    def fitted(self) -> bool:
        """Whether the whole picture is shown."""
        return self._zoom is None

    @property
    def fit_scale(self) -> float:
        """The scale at which all of it is seen; small pictures are not enlarged."""
        if self._full.isEmpty():
            return 1.0
        room = self.room()
        return min(1.0, room.width() / self._full.width(), room.height() / self._full.height())

    def room(self) -> QSize:
        """Physical pixels for a fitted picture."""
        dpr = self.devicePixelRatioF()
        return QSize(
            max(1, round((self.width() - 2 * MARGIN) * dpr)), max(1, round((self.height() - 2 * MARGIN) * dpr))
        )

    def fit(self) -> None:
        """Show all of it."""
        self._zoom, self._centre = None, QPointF(0.5, 0.5)
        self._changed()

    def zoom_to(self, scale: float, about: QPointF | None = None) -> None:
        """Zoom, keeping what is under ``about`` (the middle by default) where it is."""
        if self._full.isEmpty():
            return
        scale = min(LARGEST, max(min(self.fit_scale, 0.05), scale))
        about = QPointF(self.rect().center()) if about is None else about
        before = self.picture_rect()
        share = QPointF(
            (about.x() - before.x()) / max(1.0, before.width()), (about.y() - before.y()) / max(1.0, before.height())
        )
        self._zoom = scale
        width, height = self._shown_size()
        middle = QPointF(self.rect().center())
        self._centre = QPointF(
            share.x() + (middle.x() - about.x()) / width, share.y() + (middle.y() - about.y()) / height
        )
        self._hold()
        self._changed()

    def zoom_in(self) -> None:
        """A step closer."""
        self.zoom_to(self.scale * STEP)

    def zoom_out(self) -> None:
        """A step away; from the fitted size on it stays fitted."""
        scale = self.scale / STEP
        if scale <= self.fit_scale:
            self.fit()
        else:
            self.zoom_to(scale)

    def toggle(self, about: QPointF | None = None) -> None:
        """All of it, or 100 %."""
        if self.fitted and self.fit_scale < 1.0:
            self.zoom_to(1.0, about)
        else:
            self.fit()

    def pan(self, dx: float, dy: float) -> None:
        """Move the picture by so many device-independent pixels."""
        if self._zoom is None:
            return
        width, height = self._shown_size()
        self._centre -= QPointF(dx / width, dy / height)
        self._hold()
        self.update()

    # -- geometry --------------------------------------------------------------------------------------------------

    def picture_rect(self) -> QRectF:
        """Where the picture lies on the stage."""
        width, height = self._shown_size()
        middle = QRectF(self.rect()).center()
        dpr = self.devicePixelRatioF()
        left, top = middle.x() - self._centre.x() * width, middle.y() - self._centre.y() * height
        return QRectF(round(left * dpr) / dpr, round(top * dpr) / dpr, width, height)

    def _shown_size(self) -> tuple[float, float]:
        factor = self.scale / self.devicePixelRatioF()
        return max(1.0, self._full.width() * factor), max(1.0, self._full.height() * factor)

    def _hold(self) -> None:
        """Keep the picture on the stage: centred where it is smaller, without gaps where it is larger."""
        width, height = self._shown_size()

        def held(centre: float, size: float, room: int) -> float:
            if size <= room:
                return 0.5
            edge = room / 2 / size
            return min(1 - edge, max(edge, centre))

        self._centre = QPointF(
            held(self._centre.x(), width, self.width()), held(self._centre.y(), height, self.height())
        )

    def _pannable(self) -> bool:
        width, height = self._shown_size()
        return self._zoom is not None and (width > self.width() or height > self.height())

    def _changed(self) -> None:
        self.update()
        shape = Qt.CursorShape.OpenHandCursor if self._pannable() else Qt.CursorShape.ArrowCursor
        self.setCursor(shape)
        self.zoom_changed.emit(self.scale)
        if self._images:
            self._detail.start()

    def _ask_for_detail(self) -> None:
        if self._images and self._images[-1].width() < self._full.width() * min(1.0, self.scale) * 0.99:
            self.detail_wanted.emit(self.scale)

    # -- events ----------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture from the image that suits the zoom."""
        painter = QPainter(self)
        painter.fillRect(event.rect(), self._theme.tokens.stage)
        target = self.picture_rect()
        image = self._suited(target.width() * self.devicePixelRatioF())
        if image is None:
            return
        seen = target.intersected(QRectF(self.rect()))
        if seen.isEmpty():
            return
        across, down = image.width() / target.width(), image.height() / target.height()
        source = QRectF(
            (seen.x() - target.x()) * across,
            (seen.y() - target.y()) * down,
            seen.width() * across,
            seen.height() * down,
        )
        # above 200 % pixels are meant to be seen
        smooth = image is self._preview or self.scale <= 2.0
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(seen, image, source)

    def _suited(self, width: float) -> QImage | None:
        for image in self._images:
            if image.width() >= width * 0.99:
                return image
        return self._images[-1] if self._images else self._preview

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stay fitted, or keep the middle."""
        super().resizeEvent(event)
        self._hold()
        self._changed()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the pointer."""
        turn = event.angleDelta().y()
        if turn and not self.is_empty:
            scale = self.scale * STEP ** (turn / 120)
            if turn < 0 and scale <= self.fit_scale:
                self.fit()
            else:
                self.zoom_to(scale, event.position())
        self.stirred.emit()
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the picture."""
        if event.button() == Qt.MouseButton.LeftButton and self._pannable():
            self._drag = event.position().toPoint()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the picture along."""
        self.stirred.emit()
        if self._drag is not None:
            point = event.position().toPoint()
            self.pan(point.x() - self._drag.x(), point.y() - self._drag.y())
            self._drag = point

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        if self._drag is not None:
            self._drag = None
            self.setCursor(Qt.CursorShape.OpenHandCursor)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """All of it, or 100 % where the pointer is."""
        if event.button() == Qt.MouseButton.LeftButton and not self.is_empty:
            self.toggle(event.position())
            self.double_clicked.emit()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show the controls."""
        self.stirred.emit()
