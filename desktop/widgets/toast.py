"""A message with Undo at the bottom of a page. Never modal."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, QPropertyAnimation, QTimer, Signal
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QFrame, QGraphicsOpacityEffect, QHBoxLayout, QWidget

from desktop.widgets.buttons import Button
from desktop.widgets.icons import Icons
from desktop.widgets.labels import Label
from desktop.widgets.notices import announce
from desktop.widgets.theme import Space


class Toast(QFrame):
    """A message with Undo at the bottom of ``parent``, for 8 s, longer while hovered or focused.

    Signals:
        undone(): Undo was pressed. gone(): it went away in any way.
    """

    undone = Signal()
    gone = Signal()

    LIFETIME_MS: Final = 8000
    _EDGE: Final = 20

    def __init__(self, icons: Icons, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = icons.theme
        self.setProperty("toast", True)
        self._message = Label()
        self._undo = Button(self.tr("Undo"), kind="toast-link")
        self._undo.clicked.connect(self._on_undo)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.LARGE, Space.SMALL, Space.MEDIUM, Space.SMALL)
        layout.setSpacing(Space.LARGE)
        layout.addWidget(self._message)
        layout.addWidget(self._undo)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(self.LIFETIME_MS)
        self._timer.timeout.connect(self._on_timeout)
        parent.installEventFilter(self)
        self._undo.installEventFilter(self)
        self.hide()

    def show_message(self, message: str) -> None:
        """Show a message; it replaces the one before."""
        self._message.setText(message)
        self.adjustSize()
        self._place()
        self.show()
        self.raise_()
        self._fade_in()
        self._timer.start()
        announce(self, message)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in place while the parent changes size, and stay while Undo has the focus."""
        if event.type() == QEvent.Type.Resize and watched is self.parent():
            self._place()
        elif watched is self._undo and event.type() == QEvent.Type.FocusIn:
            self._timer.stop()
        elif watched is self._undo and event.type() == QEvent.Type.FocusOut and self.isVisible():
            self._timer.start()
        return False

    def enterEvent(self, event: QEnterEvent) -> None:
        """Stay while the pointer is here."""
        self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        """Go away later."""
        if self.isVisible() and not self._undo.hasFocus():
            self._timer.start()

    def dismiss(self) -> None:
        """Go away now."""
        self._timer.stop()
        if self.isVisible():
            self.hide()
            self.gone.emit()

    def _on_undo(self) -> None:
        self.undone.emit()
        self.dismiss()

    def _on_timeout(self) -> None:
        self.dismiss()

    def _place(self) -> None:
        parent = self.parentWidget()
        if parent is not None:
            size = self.sizeHint()
            self.setGeometry(
                (parent.width() - size.width()) // 2,
                parent.height() - size.height() - self._EDGE,
                size.width(),
                size.height(),
            )

    def _fade_in(self) -> None:
        duration = self._theme.duration(120)
        if not duration:
            return
        effect = QGraphicsOpacityEffect(self)
        self.setGraphicsEffect(effect)
        self._animation = QPropertyAnimation(effect, b"opacity", self)
        self._animation.setDuration(duration)
        self._animation.setStartValue(0.0)
        self._animation.setEndValue(1.0)
        self._animation.finished.connect(lambda: self.setGraphicsEffect(None))  # type: ignore[arg-type]
        self._animation.start()
