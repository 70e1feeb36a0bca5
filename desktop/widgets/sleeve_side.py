"""The leading side of the sign-in page."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.widgets.labels import Label, StyledWidget
from desktop.widgets.sleeve import Sleeve
from desktop.widgets.theme import Space, Theme


class SleeveSide(StyledWidget):
    """The leading side: the sleeve and what it means. 520 wide, 400 in a window below 1100."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("sidebar", True)
        centre = Qt.AlignmentFlag.AlignHCenter
        title = Label(self.tr("Your pictures, in their own envelope"), "lead", wrap=True)
        sentence = Label(
            self.tr(
                "Glassine encrypts each picture on this computer. "
                "Whoever stores it, a server or a disk, gets noise instead."
            ),
            "secondary",
            wrap=True,
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.WIDE, Space.PAGE, Space.WIDE, Space.PAGE)
        layout.setSpacing(Space.SMALL)
        layout.addStretch(1)
        layout.addWidget(Sleeve(theme, QSize(312, 360)), 0, centre)
        layout.addSpacing(Space.LARGE)
        self._labels = (title, sentence)
        for label in self._labels:
            label.setAlignment(centre)
            layout.addWidget(label, 0, centre)
        layout.addStretch(1)

    def set_width(self, width: int) -> None:
        """Take a width; the words keep a margin on both sides."""
        self.setFixedWidth(width)
        for label in self._labels:
            label.setFixedWidth(min(400, width - 2 * Space.WIDE))
