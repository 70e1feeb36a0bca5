"""The search field of a page header."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop.widgets.icons import Icons
from desktop.widgets.theme import Space


class SearchField(QLineEdit):
    """A search field: lens, placeholder, and a cross once there is text.

    Signals:
        cancelled(): Esc was pressed while the field was empty.
    """

    cancelled = Signal()

    WIDTH = 250

    def __init__(self, icons: Icons, placeholder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icons = icons
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(placeholder)
        self.setFixedWidth(self.WIDTH)
        self._lens = QAction(self)
        self._lens.setToolTip(placeholder)  # of the action: Qt takes the button's from it again at every change
        self.addAction(self._lens, QLineEdit.ActionPosition.LeadingPosition)
        self._cross = QAction(self.tr("Clear search"), self)
        self._cross.triggered.connect(self.clear)
        self._cross.setVisible(False)
        self.addAction(self._cross, QLineEdit.ActionPosition.TrailingPosition)
        for widget in self._lens.associatedObjects():
            if isinstance(widget, QWidget) and widget is not self:
                widget.setEnabled(False)
                widget.setAccessibleName(placeholder)
        for widget in self._cross.associatedObjects():
            if isinstance(widget, QWidget) and widget is not self:
                widget.setAccessibleName(self._cross.text())
        self.textChanged.connect(lambda text: self._cross.setVisible(bool(text)))
        icons.changed.connect(self._dress)
        self._dress()

    def sizeHint(self) -> QSize:
        """Be as wide as the design says, however long the placeholder is."""
        return QSize(self.WIDTH + Space.SMALL, super().sizeHint().height())

    def event(self, event: QEvent) -> bool:
        """Let Esc empty the field first, then leave it."""
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                if self.text():
                    self.clear()
                else:
                    self.cancelled.emit()
                return True
        return super().event(event)

    def _dress(self) -> None:
        self._lens.setIcon(self._icons.icon("search", "text2", 18))
        self._cross.setIcon(self._icons.icon("close", "text2", 16))
