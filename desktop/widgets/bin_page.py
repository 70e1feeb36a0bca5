"""The bin: what was moved there, back again or gone for good."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMenu

from desktop.models import Picture, PlaceKind
from desktop.viewmodels.bin import BinViewModel
from desktop.widgets.buttons import GhostButton, default_button
from desktop.widgets.deleting import purge_question
from desktop.widgets.icons import Icons
from desktop.widgets.page_parts import EmptyState
from desktop.widgets.place_page import PlacePage
from desktop.widgets.theme import Theme

translate = QCoreApplication.translate


class BinPage(PlacePage):
    """Draws a :class:`BinViewModel`."""

    def __init__(self, theme: Theme, icons: Icons, bin_: BinViewModel) -> None:
        title = translate("BinPage", "The bin is empty")
        super().__init__(theme, icons, bin_, translate("BinPage", "Bin"), EmptyState(icons, "bin", title))
        self.view.heading_words = self.tr("Deleted on %1")
        self.view.setAccessibleName(self.tr("Pictures in the bin"))
        self.empty_button = default_button(self.tr("Empty bin"), icons, "bin")
        self.empty_button.clicked.connect(self.ask_to_empty)
        self.header.add_action(self.empty_button)
        self.purge_button = GhostButton(
            icons,
            "bin",
            self.tr("Delete for good"),
            labelled=True,
            token="text",  # noqa: S106
        )
        self.purge_button.clicked.connect(lambda: self.ask_to_purge(self.selection.pictures))
        self.restore_button = default_button(self.tr("Restore"), icons, "restore")
        self.restore_button.clicked.connect(lambda: bin_.restore(self.selection.pictures))
        self.chosen.add(self.purge_button)
        self.chosen.add(self.restore_button)
        self.header.compact_changed.connect(lambda compact: self.purge_button.set_labelled(not compact))
        self.view.delete_requested.connect(lambda: self.ask_to_purge(self.selection.meant))
        self.refresh()

    def fill_menu(self, menu: QMenu, pictures: list[Picture]) -> None:
        """Back, or gone."""
        free = not self.gallery.busy
        restore = menu.addAction(self.tr("Restore"), lambda: self.gallery.restore(pictures))
        restore.setIcon(self.icons.icon("restore", "text2", 18))
        purge = menu.addAction(self.tr("Delete for good"), lambda: self.ask_to_purge(pictures))
        purge.setIcon(self.icons.icon("bin", "text2", 18))
        for action in (restore, purge):
            action.setEnabled(free)

    def ask_to_purge(self, pictures: list[Picture]) -> None:
        """Ask, then delete these pictures for good."""
        if pictures and not self.gallery.busy:
            place = self.gallery.place
            here = place is not None and place.kind is PlaceKind.THIS_COMPUTER
            question = purge_question(self.icons, self, len(pictures), here=here)
            question.accepted.connect(lambda: self.gallery.purge(pictures))
            question.open()

    def ask_to_empty(self) -> None:
        """Ask, then delete everything in the bin for good."""
        self.ask_to_purge(self.gallery.all_pictures())

    def set_busy(self, busy: bool) -> None:
        """One batch at a time."""
        for button in (self.empty_button, self.purge_button, self.restore_button):
            button.setEnabled(not busy)

    def refreshed(self) -> None:
        """Say how long the bin keeps pictures, and offer to empty it if there is something in it."""
        self.empty_button.setVisible(self.gallery.count > 0)
        days = self.gallery.bin_days
        self.empty.set_words(
            self.tr("The bin is empty"),
            self.tr("Pictures you move here are kept for %n days.", "", days) if days else "",
        )
