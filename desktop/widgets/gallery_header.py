"""The gallery's header: search, filter, menu, the button that adds pictures, and the selection bar."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QCoreApplication, QTimer, Signal
from PySide6.QtWidgets import QMenu, QToolButton

from desktop.widgets.buttons import ghost_button, primary_button
from desktop.widgets.filter_bar import FilterBar
from desktop.widgets.icons import Icons
from desktop.widgets.page_parts import PageHeader
from desktop.widgets.selection_bar import SelectionBar

SEARCH_DELAY_MS: Final = 150


class GalleryHeader(PageHeader):
    """Made for the page of all pictures.

    Attributes:
        menu: What concerns all pictures; it is filled when it opens.
        filter_bar: Belongs below the banners.

    Signals:
        sought(str): what is searched for, a moment after typing or at once.
        results_wanted(): Enter in the search field.
    """

    sought = Signal(str)
    results_wanted = Signal()

    def __init__(self, icons: Icons) -> None:
        super().__init__(icons, QCoreApplication.translate("GalleryHeader", "All pictures"))
        self._field = self.add_search(self.tr("Search names and dates"))
        self._field.setAcceptDrops(False)  # files dropped here are meant for the window
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SEARCH_DELAY_MS)
        self._soon.timeout.connect(self._seek)
        self._field.textChanged.connect(lambda text: self._soon.start())
        self._field.returnPressed.connect(self._on_return)
        self.filter_bar = FilterBar(icons)
        self.more = ghost_button(icons, "more", self.tr("More"))
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(self)
        self.more.setMenu(self.menu)
        self.add_button = primary_button(self.tr("Add pictures"), icons, "plus")
        for action in (self.filter_bar.button, self.more, self.add_button):
            self.add_action(action)
        self.selection_bar = SelectionBar(icons)
        self.set_selection_bar(self.selection_bar)
        self.compact_changed.connect(self.selection_bar.set_compact)

    @property
    def typed(self) -> str:
        """What stands in the search field."""
        return self._field.text().strip()

    def forget_search(self) -> None:
        """Empty the field without searching for anything."""
        self._field.clear()
        self._soon.stop()

    def set_invitation_shown(self, shown: bool) -> None:
        """Offer nothing here while the page itself invites to add pictures."""
        for action in (self.filter_bar.button, self.more, self.add_button):
            action.setVisible(not shown)
        self.set_search_shown(not shown)

    def _seek(self) -> None:
        self.sought.emit(self._field.text())

    def _on_return(self) -> None:
        self._soon.stop()
        self.sought.emit(self.typed)
        self.results_wanted.emit()
