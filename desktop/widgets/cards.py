"""Cards of rows: label, caption, control at the end. Settings and keys are made of them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.widgets.icons import Icons
from desktop.widgets.labels import ElidedLabel, Hairline, IconLabel, Label
from desktop.widgets.theme import Space


class CardRow(QWidget):
    """One row: maybe an icon, a label, maybe a caption below it, controls at the end."""

    def __init__(
        self,
        title: str,
        caption: str = "",
        *,
        icons: Icons | None = None,
        icon: str = "",
        control: QWidget | None = None,
        elide_caption: bool = False,
    ) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(Space.LARGE + 2, Space.MEDIUM, Space.LARGE, Space.MEDIUM)
        row.setSpacing(Space.MEDIUM)
        if icons is not None and icon:
            row.addWidget(IconLabel(icons, icon), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(Space.HAIR)
        role = "strong" if icon else "body"
        self.title = ElidedLabel(title, role) if elide_caption else Label(title, role, wrap=True)
        self.caption = ElidedLabel(caption, "caption") if elide_caption else Label(caption, "caption", wrap=True)
        self._head = QHBoxLayout()
        self._head.setSpacing(Space.SMALL)
        self._head.addWidget(self.title)
        words.addLayout(self._head)
        words.addWidget(self.caption)
        row.addLayout(words, 1)
        self.caption.setVisible(bool(caption))  # only now: without a parent it would open as a window
        self._row = row
        if control is not None:
            self.add_control(control)

    def add_chip(self, chip: QWidget) -> None:
        """Say a state beside the label."""
        self.title.setWordWrap(False)
        self._head.addWidget(chip)
        self._head.addStretch(1)

    def add_control(self, control: QWidget) -> None:
        """Add a control at the end; it is named by the row's label."""
        self._row.addWidget(control)
        if not control.accessibleName() and not getattr(control, "text", str)():
            control.setAccessibleName(self.title.text())
            if isinstance(control, QAbstractButton):
                control.setToolTip(self.title.text())

    def set_caption(self, caption: str) -> None:
        """Change the line below the label."""
        self.caption.setText(caption)
        self.caption.setVisible(bool(caption))


class Card(QFrame):
    """Rows with hairlines between them."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("card", True)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(1, 1, 1, 1)
        self._layout.setSpacing(0)
        self._widgets: list[QWidget] = []

    def add_row(self, row: QWidget) -> None:
        """Add a row at the end."""
        for widget in (Hairline(), row) if self._widgets else (row,):
            self._layout.addWidget(widget)
            self._widgets.append(widget)

    def clear(self) -> None:
        """Take all rows away."""
        for widget in self._widgets:
            self._layout.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self._widgets = []
