"""What lies over a picture in the viewer: discs to the next and the previous, the zoom pill, the failure."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFocusEvent, QGuiApplication, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop.errors import GlassineError
from desktop.widgets.buttons import Button
from desktop.widgets.icons import Icons
from desktop.widgets.labels import IconLabel, Label
from desktop.widgets.theme import Space

GROUND: Final = QColor(0x14, 0x14, 0x14, round(0.75 * 255))
WHITE: Final = QColor(Qt.GlobalColor.white)
LINE: Final = QColor(255, 255, 255, 70)
HOVER: Final = QColor(255, 255, 255, 40)
GONE_AFTER_MS: Final = 2000


class OverlayButton(QAbstractButton):
    """A button over a photograph: white drawing, no colours of the scheme.

    Signals:
        focused(): the keyboard came here, so it must be seen.
    """

    focused = Signal()

    def __init__(self, icons: Icons, icon: str, words: str, *, side: int = 40, disc: bool = False) -> None:
        super().__init__()
        self._icons, self._icon, self._disc = icons, icon, disc
        self.veiled = False
        self.setFixedSize(side, side)
        self.setText("")
        self.setToolTip(words)
        self.setAccessibleName(words)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setProperty("ring_radius", side / 2)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def sizeHint(self) -> QSize:
        """Its fixed size."""
        return self.size()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw disc and icon."""
        if self.veiled or not self.isEnabled():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if self._disc:
            painter.setBrush(GROUND)
            painter.drawEllipse(self.rect())
        if self.underMouse() or self.isDown():
            painter.setBrush(HOVER)
            painter.drawEllipse(self.rect())
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        pixmap = self._icons.pixmap(self._icon, WHITE, 20, self.devicePixelRatioF(), stroke=1.8, mirrored=mirrored)
        painter.drawPixmap((self.width() - 20) // 2, (self.height() - 20) // 2, pixmap)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Be seen."""
        super().focusInEvent(event)
        self.focused.emit()


class ZoomPill(QWidget):
    """Zoom out, the zoom, zoom in, fit.

    Signals:
        zoom_out_requested(), zoom_in_requested(), fit_requested(), focused()
    """

    zoom_out_requested = Signal()
    zoom_in_requested = Signal()
    fit_requested = Signal()
    focused = Signal()

    HEIGHT: Final = 40

    def __init__(self, icons: Icons, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = icons.theme
        self.veiled = False
        self._words = ""
        self.out = OverlayButton(icons, "zoom-out", self.tr("Zoom out"), side=36)
        self.closer = OverlayButton(icons, "zoom-in", self.tr("Zoom in"), side=36)
        self.fit = OverlayButton(icons, "fit", self.tr("Fit"), side=36)
        self._gap, self._line = QWidget(), QWidget()
        self._gap.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._gap.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._line.setFixedWidth(9)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 8, 2)
        row.setSpacing(0)
        for widget in (self.out, self._gap, self.closer, self._line, self.fit):
            row.addWidget(widget)
        self.out.clicked.connect(self.zoom_out_requested)
        self.closer.clicked.connect(self.zoom_in_requested)
        self.fit.clicked.connect(self.fit_requested)
        for button in self.buttons():
            button.focused.connect(self.focused)
        self.setFixedSize(184, self.HEIGHT)

    def buttons(self) -> tuple[OverlayButton, OverlayButton, OverlayButton]:
        """Its buttons in order."""
        return self.out, self.closer, self.fit

    def set_scale(self, scale: float) -> None:
        """Show the zoom."""
        self._words = self.tr("%1 %").replace("%1", str(round(scale * 100)))
        self.setAccessibleName(self.tr("Zoom: %1").replace("%1", self._words))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the pill and the zoom in words."""
        if self.veiled:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(GROUND)
        painter.drawRoundedRect(QRectF(self.rect()), self.height() / 2, self.height() / 2)
        painter.setPen(WHITE)
        painter.setFont(self._theme.font("strong"))
        painter.drawText(self._gap.geometry(), Qt.AlignmentFlag.AlignCenter, self._words)
        painter.setPen(QPen(LINE, 1))
        x = self._line.geometry().center().x()
        painter.drawLine(x, 10, x, self.height() - 10)


class OverlayControls(QWidget):
    """Shows the controls over the stage when the pointer or the keyboard stirs, hides them after two seconds.

    They are veiled rather than hidden, so that Tab still reaches them.

    Signals:
        previous_requested(), next_requested()
    """

    previous_requested = Signal()
    next_requested = Signal()

    EDGE: Final = 40
    BOTTOM: Final = 24

    def __init__(self, icons: Icons, stage: QWidget) -> None:
        super().__init__(stage)
        self._stage = stage
        self.hide()
        self.previous = OverlayButton(icons, "chevron-left", self.tr("Previous picture"), disc=True)
        self.next = OverlayButton(icons, "chevron-right", self.tr("Next picture"), disc=True)
        for button in (self.previous, self.next):
            button.setParent(stage)
            button.show()
            button.focused.connect(self.stir)
        self.pill = ZoomPill(icons, stage)  # made last: Tab goes in the order of making
        self.pill.focused.connect(self.stir)
        self.previous.clicked.connect(self.previous_requested)
        self.next.clicked.connect(self.next_requested)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(GONE_AFTER_MS)
        self._timer.timeout.connect(self._rest)
        self._veil(True)

    def place(self) -> None:
        """Put them where they belong on a stage of this size."""
        stage, middle = self._stage.rect(), (self._stage.height() - self.previous.height()) // 2
        left, right = self.EDGE, stage.width() - self.EDGE - self.next.width()
        mirrored = self._stage.layoutDirection() == Qt.LayoutDirection.RightToLeft
        self.previous.move(right if mirrored else left, middle)
        self.next.move(left if mirrored else right, middle)
        self.pill.move((stage.width() - self.pill.width()) // 2, stage.height() - self.BOTTOM - self.pill.height())

    def stir(self) -> None:
        """Show them for two seconds, and for as long as they are used."""
        self._veil(False)
        self._timer.start()

    def set_usable(self, *, previous: bool, following: bool, zoom: bool) -> None:
        """Offer only what does something."""
        self.previous.setEnabled(previous)
        self.next.setEnabled(following)
        self.pill.setVisible(zoom)

    @property
    def shown(self) -> bool:
        """Whether they are seen."""
        return not self.pill.veiled

    def _rest(self) -> None:
        widgets = (self.previous, self.next, self.pill, *self.pill.buttons())
        if any(widget.underMouse() or widget.hasFocus() for widget in widgets):
            self._timer.start()
        else:
            self._veil(True)

    def _veil(self, veiled: bool) -> None:
        for widget in (self.previous, self.next, self.pill, *self.pill.buttons()):
            if widget.veiled != veiled:
                widget.veiled = veiled
                widget.update()


class ViewerFailure(QWidget):
    """What stands on the stage when a picture cannot be shown.

    Signals:
        retry_requested()
    """

    retry_requested = Signal()

    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._details = ""
        centre = Qt.AlignmentFlag.AlignHCenter
        self._icon = IconLabel(icons, "error", "text2", 32)
        self._title, self._text = Label("", "heading", wrap=True), Label("", "secondary", wrap=True)
        self.retry = Button(self.tr("Try again"), icons, "retry")
        self.copy = Button(self.tr("Copy details"), icons, "copy")
        self.retry.clicked.connect(self.retry_requested)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._details))
        buttons = QHBoxLayout()
        buttons.setSpacing(Space.SMALL)
        buttons.addStretch(1)
        buttons.addWidget(self.retry)
        buttons.addWidget(self.copy)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.PAGE, Space.PAGE, Space.PAGE, Space.PAGE)
        layout.setSpacing(Space.SMALL)
        layout.addWidget(self._icon, 0, centre)
        layout.addSpacing(Space.TIGHT)
        for label in (self._title, self._text):
            label.setAlignment(centre)
            layout.addWidget(label)
        layout.addSpacing(Space.SMALL)
        layout.addLayout(buttons)
        self.hide()

    def show_error(self, error: GlassineError, *, refused: bool, again: bool) -> None:
        """Say what is wrong."""
        self._icon.set_icon("shield-alert" if refused else "error", "danger" if refused else "text2")
        self._title.setText(error.title)
        self._text.setText(f"{error.message} ({error.code})")
        self._details = f"{error.code} {error.title}\n{error.message}\n{error.details}".strip()
        self.retry.setVisible(again)
        self.setAccessibleName(f"{error.title}. {error.message}")
        self.show()
        self.raise_()

    def place(self, stage: QWidget) -> None:
        """Stand in the middle."""
        width = min(520, stage.width())
        height = self.heightForWidth(width) if self.hasHeightForWidth() else self.sizeHint().height()
        self.setGeometry((stage.width() - width) // 2, (stage.height() - height) // 2, width, height)

    def changeEvent(self, event: QEvent) -> None:
        """Measure again with another font."""
        super().changeEvent(event)
        parent = self.parentWidget()
        if event.type() == QEvent.Type.FontChange and parent is not None:
            self.place(parent)
