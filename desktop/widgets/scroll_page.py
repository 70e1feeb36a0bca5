"""A page body that scrolls."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


class ScrollPage(QScrollArea):
    """A page body that scrolls up and down and keeps what has the focus in view."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.content = QWidget()
        self.content.setProperty("plain", True)
        self.setWidget(self.content)
        # the style sheet makes both transparent; viewport() is not asked for, because wrapping it costs 13 ms
        self.content.setAutoFillBackground(False)

    def reveal(self, widget: QWidget) -> None:
        """Scroll to what has just come up or got an error."""
        widget.show()  # a new child is shown only later, and what is hidden has no place
        QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)  # measured now, not at the next turn
        self.ensureWidgetVisible(widget)
