"""Settings. Each takes effect at once; there is no Save."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QResizeEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from desktop.models import PlaceKind
from desktop.viewmodels.settings import SettingsViewModel
from desktop.widgets.buttons import default_button
from desktop.widgets.cards import Card, CardRow
from desktop.widgets.icons import Icons
from desktop.widgets.labels import Label, StyledWidget
from desktop.widgets.page_parts import PageHeader, page_margin
from desktop.widgets.scroll_page import ScrollPage
from desktop.widgets.sidebar import SidebarRow
from desktop.widgets.theme import Space

CARD_WIDTH: Final = 640
LIST_WIDTH: Final = 176
LIST_BELOW: Final = 960
COMBO_WIDTH: Final = 200


class SettingsPage(StyledWidget):
    """Draws a :class:`SettingsViewModel`."""

    def __init__(self, icons: Icons, view_model: SettingsViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icons, self._vm = icons, view_model
        self.header = PageHeader(icons, self.tr("Settings"))
        self.banner_slot = QVBoxLayout()
        self._scroll = ScrollPage()
        self._sections: list[tuple[SidebarRow, QWidget]] = []

        self._list = QWidget()
        self._list.setFixedWidth(LIST_WIDTH)
        self._list_layout = QVBoxLayout(self._list)
        self._list_layout.setContentsMargins(0, 0, 0, 0)
        self._list_layout.setSpacing(Space.HAIR)

        self._column = QVBoxLayout(self._scroll.content)
        self._column.setContentsMargins(Space.PAGE, Space.LARGE, Space.LARGE, Space.PAGE)
        self._column.setSpacing(Space.SMALL)
        self._add_sections()
        self._list_layout.addStretch(1)
        self._column.addStretch(1)

        body = QHBoxLayout()
        body.setContentsMargins(Space.PAGE, 0, 0, 0)
        body.setSpacing(0)
        side = QVBoxLayout()
        side.setContentsMargins(0, Space.LARGE, 0, 0)
        side.addWidget(self._list, 1)
        body.addLayout(side)
        body.addWidget(self._scroll, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addLayout(self.banner_slot)
        layout.addLayout(body, 1)
        self._body = body
        view_model.place_changed.connect(self._show_place)
        self._show_place()

    def _add_sections(self) -> None:
        vm = self._vm
        self._add_locking()
        adding = self._section("shared-in", self.tr("Adding pictures"))
        self.preflight = self._combo(
            [(self.tr("Always"), False), (self.tr("Only for 100 or more"), True)],
            vm.skip_preflight,
            vm.set_skip_preflight,
        )
        vm.skip_preflight_changed.connect(lambda skip: _show(self.preflight, skip))
        adding.add_row(
            CardRow(
                self.tr("Look over before sending"),
                self.tr("Shows how many, how big and what is already there"),
                control=self.preflight,
            )
        )

        appearance = self._section("eye", self.tr("Appearance"))
        self.theme_combo = self._combo(
            [(self.tr("As the system"), "system"), (self.tr("Light"), "light"), (self.tr("Dark"), "dark")],
            vm.theme,
            vm.set_theme,
        )
        appearance.add_row(CardRow(self.tr("Colours"), self.tr("Follows the system at once"), control=self.theme_combo))
        self.tile_combo = self._combo(
            [(self.tr("Small"), 120), (self.tr("Medium"), 168), (self.tr("Large"), 240)], vm.tile_size, vm.set_tile_size
        )
        vm.tile_size_changed.connect(lambda size: _show(self.tile_combo, size))
        appearance.add_row(CardRow(self.tr("Tile size"), control=self.tile_combo))

        storage = self._section("computer", self.tr("Storage"))
        self._place = CardRow(self.tr("Pictures of this vault"), "-", elide_caption=True)
        storage.add_row(self._place)
        storage.add_row(self._folder_row(self.tr("Keys, caches and preferences"), vm.data_folder))

        diagnostics = self._section("help", self.tr("Diagnostics"))
        diagnostics.add_row(self._folder_row(self.tr("Log"), vm.log_folder))

    def _add_locking(self) -> None:
        vm = self._vm
        locking = self._section("lock", self.tr("Locking"))
        minutes = {0, 1, 5, 15, 30, 60} | {vm.lock_after_minutes}
        self.lock_after = self._combo(
            [(self.tr("Never") if not count else self.tr("%n minutes", "", count), count) for count in sorted(minutes)],
            vm.lock_after_minutes,
            vm.set_lock_after_minutes,
        )
        locking.add_row(
            CardRow(
                self.tr("Lock when nothing happens"),
                self.tr("Key and decrypted pictures are dropped from memory"),
                control=self.lock_after,
            )
        )
        self.lock_with_screen = self._box(vm.lock_with_screen, vm.set_lock_with_screen)
        locking.add_row(
            CardRow(
                self.tr("Lock with the screen"),
                self.tr("And before the computer sleeps, where the system tells"),
                control=self.lock_with_screen,
            )
        )
        self.lock_minimised = self._box(vm.lock_minimised, vm.set_lock_minimised)
        locking.add_row(CardRow(self.tr("Lock when the window is minimised"), control=self.lock_minimised))

    def _section(self, icon: str, title: str) -> Card:
        heading = Label(title, "lead")
        if self._sections:
            heading.setContentsMargins(0, Space.MEDIUM, 0, 0)
        card = Card()
        card.setMaximumWidth(CARD_WIDTH)
        self._column.addWidget(heading)
        self._column.addWidget(card)
        row = SidebarRow(self._icons, icon, title)
        row.setChecked(not self._sections)
        row.clicked.connect(lambda: self._go_to(row, heading))
        self._list_layout.addWidget(row)
        self._sections.append((row, heading))
        return card

    def _go_to(self, row: SidebarRow, heading: QWidget) -> None:
        for other, _ in self._sections:
            other.setChecked(other is row)
        bar = self._scroll.verticalScrollBar()
        bar.setValue(heading.y() - Space.SMALL)

    def _combo(self, choices: list[tuple[str, Any]], current: Any, chosen: Callable[[Any], None]) -> QComboBox:
        combo = QComboBox()
        combo.setMinimumWidth(COMBO_WIDTH)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for text, value in choices:
            combo.addItem(text, value)
        combo.setCurrentIndex(max(0, combo.findData(current)))
        combo.currentIndexChanged.connect(lambda index: chosen(combo.itemData(index)))
        return combo

    @staticmethod
    def _box(current: bool, chosen: Callable[[bool], None]) -> QCheckBox:
        box = QCheckBox()
        box.setChecked(current)
        box.toggled.connect(chosen)
        return box

    def _folder_row(self, title: str, folder: Path) -> CardRow:
        button = default_button(self.tr("Open the folder"))
        button.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))))
        button.setAccessibleDescription(title)
        return CardRow(title, str(folder), control=button, elide_caption=True)

    def _show_place(self) -> None:
        place = self._vm.place
        if place is None:
            self._place.set_caption("-")
        elif place.kind is PlaceKind.SERVER:
            words = self.tr("On the server %1, as noise").replace("%1", place.address)
            self._place.set_caption(words)
        else:
            self._place.set_caption(str(place.folder))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the list of sections out where there is no room."""
        super().resizeEvent(event)
        listed = self.width() >= LIST_BELOW - 216
        self._list.setVisible(listed)
        self._body.setContentsMargins(Space.PAGE if listed else 0, 0, 0, 0)
        margin = Space.PAGE if listed else page_margin(self)
        self._column.setContentsMargins(margin, Space.LARGE, Space.LARGE, Space.PAGE)


def _show(combo: QComboBox, value: Any) -> None:
    """Show a value that was changed elsewhere."""
    index = combo.findData(value)
    if index >= 0 and index != combo.currentIndex():
        combo.setCurrentIndex(index)
