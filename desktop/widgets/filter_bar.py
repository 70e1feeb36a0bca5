"""What the gallery leaves out: a menu in the header, and a bar below it with the chosen filter and a cross."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from desktop.viewmodels.trust import MISSING, REFUSED
from desktop.widgets.buttons import GhostButton, ghost_button
from desktop.widgets.icons import Icons
from desktop.widgets.page_parts import page_margin
from desktop.widgets.theme import Space

NEEDS_PEOPLE = ("shared", "not-verified", "conflict")


class FilterBar(QWidget):
    """Hidden while nothing is left out.

    Attributes:
        button: Opens the menu; it belongs into the header.
        chosen: Name of the filter; empty without one.

    Signals:
        filter_chosen(str name): empty to show everything.
    """

    filter_chosen = Signal(str)

    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chosen = ""
        self._words = {
            "shared": self.tr("Shared"),
            "not-verified": self.tr("Not verified"),
            "unprotected": self.tr("Unprotected"),
            "conflict": self.tr("Two versions"),
            MISSING: self.tr("Missing on the server"),
            REFUSED: self.tr("Not what you stored"),
        }
        self.button = ghost_button(icons, "filter", self.tr("Filter"))
        self.button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self.button)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.button.setMenu(self._menu)
        self._sharing = False
        self.clear = GhostButton(
            icons,
            "close",
            self.tr("Show all pictures"),
            labelled=True,
            row=True,
            token="text",  # noqa: S106
            size=14,
        )
        self.clear.clicked.connect(lambda: self.filter_chosen.emit(""))
        self.clear.setProperty("chip", True)
        self.clear.setProperty("ring_radius", 12)
        self._row = QHBoxLayout(self)
        self._row.addWidget(self.clear)
        self._row.addStretch(1)
        self.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Begin where the tiles below begin."""
        super().resizeEvent(event)
        self._row.setContentsMargins(page_margin(self), Space.MEDIUM, Space.LARGE, 0)

    def set_sharing(self, possible: bool) -> None:
        """Offer what concerns other people only where there are some."""
        self._sharing = possible

    def _fill_menu(self) -> None:
        """Offer the filters; made anew each time, because PySide loses entries that are kept."""
        self._menu.clear()
        for name, words in self._words.items():
            if name in NEEDS_PEOPLE and not self._sharing:
                continue
            action = self._menu.addAction(words, partial(self.filter_chosen.emit, "" if name == self.chosen else name))
            action.setCheckable(True)
            action.setChecked(name == self.chosen)

    def show_filter(self, name: str) -> None:
        """Show what is chosen."""
        self.chosen = name
        self.setVisible(bool(name))
        if name:
            words = self._words[name]
            self.clear.set_text(words)
            self.clear.setToolTip(self.tr("Show all pictures"))
            self.clear.setAccessibleName(self.tr("%1: show all pictures").replace("%1", words))
