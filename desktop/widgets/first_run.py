"""The empty gallery: a dashed frame with the sleeve, and the two ways to add pictures."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop.viewmodels.wording import size_text
from desktop.widgets.buttons import default_button, primary_button
from desktop.widgets.icons import Icons
from desktop.widgets.labels import Label
from desktop.widgets.sleeve import Sleeve
from desktop.widgets.theme import Radius, Space, Theme


class FirstRun(QWidget):
    """What a vault without pictures shows.

    Signals:
        add_files_requested(), add_folder_requested()
    """

    add_files_requested = Signal()
    add_folder_requested = Signal()

    SLEEVE = QSize(190, 219)
    LOW_BELOW = 560
    """Below this height the drawing gives way to the words."""

    def __init__(self, theme: Theme, icons: Icons, largest: int, parent: QWidget | None = None) -> None:
        """Make it; ``largest`` is the largest file in bytes that can be added."""
        super().__init__(parent)
        self._theme = theme
        self.setAccessibleName(self.tr("No pictures yet"))
        theme.changed.connect(self.update)
        self._sleeve = Sleeve(theme, self.SLEEVE)
        title = Label(self.tr("Drop pictures here"), "display", wrap=True)
        sentence = Label(
            self.tr(
                "They are encrypted on this computer first. What is stored is noise, and comes back exactly as it was."
            ),
            "secondary",
            wrap=True,
        )
        limits = Label(
            self.tr("JPEG, PNG, WebP, TIFF and others, up to %1 each").replace("%1", size_text(largest)),
            "caption",
            wrap=True,
        )
        self.add_files = primary_button(self.tr("Add pictures"), icons, "plus")
        self.add_folder = default_button(self.tr("Add a folder"), icons, "folder")
        self.add_files.clicked.connect(self.add_files_requested)
        self.add_folder.clicked.connect(self.add_folder_requested)
        buttons = QHBoxLayout()
        buttons.setSpacing(Space.SMALL)
        buttons.addStretch(1)
        buttons.addWidget(self.add_files)
        buttons.addWidget(self.add_folder)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.PAGE, Space.PAGE, Space.PAGE, Space.PAGE)
        layout.setSpacing(Space.SMALL)
        layout.addStretch(1)
        layout.addWidget(self._sleeve, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(Space.MEDIUM)
        for label, width in ((title, 600), (sentence, 456)):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setMaximumWidth(width)
            label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
            row = QHBoxLayout()
            row.addStretch(1)
            row.addWidget(label, 1000)
            row.addStretch(1)
            layout.addLayout(row)
        layout.addSpacing(Space.SMALL)
        layout.addLayout(buttons)
        layout.addSpacing(Space.SMALL)
        limits.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(limits)
        layout.addStretch(1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the drawing out where there is no room for it."""
        super().resizeEvent(event)
        self._sleeve.setVisible(self.height() >= self.LOW_BELOW)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the dashed frame."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = self._theme.tokens.line_strong.toRgb()
        if not self._theme.high_contrast:
            colour.setAlphaF(0.7)
        pen = QPen(colour, 1.5)
        pen.setDashPattern([5, 4])
        painter.setPen(pen)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), Radius.FRAME, Radius.FRAME)
