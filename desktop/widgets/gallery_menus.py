"""The gallery's menus: what concerns all pictures, and what can be done with those that are meant."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

from desktop.models import PictureState
from desktop.viewmodels.gallery import GalleryViewModel
from desktop.widgets.gallery_view import TILE_SIZES
from desktop.widgets.icons import Icons

if TYPE_CHECKING:
    from desktop.widgets.gallery_page import GalleryPage


class GalleryMenus(QObject):
    """Fills the menus of a gallery page with its commands."""

    def __init__(self, icons: Icons, gallery: GalleryViewModel, page: GalleryPage) -> None:
        super().__init__(page)
        self._icons, self._gallery, self._page = icons, gallery, page
        page.header.menu.aboutToShow.connect(self._fill)
        page.view.menu_requested.connect(self._show_tile_menu)

    def _fill(self) -> None:
        """Offer what concerns all pictures; made anew each time, because PySide loses entries that are kept."""
        page, menu, icons = self._page, self._page.header.menu, self._icons
        menu.clear()
        for old in menu.findChildren(QActionGroup):
            old.deleteLater()
        shown = self._gallery.model.rowCount() > 0
        menu.addAction(icons.icon("folder", "text2", 18), self.tr("Add a folder"), page.add_folder_requested.emit)
        menu.addSeparator()
        menu.addAction(self.tr("Select all"), self._choose_all).setEnabled(shown)
        export = menu.addAction(icons.icon("save", "text2", 18), self.tr("Save copies of all"), page.export_all)
        export.setEnabled(shown and not self._gallery.busy)
        menu.addSeparator()
        group = QActionGroup(menu)
        nearest = min(TILE_SIZES, key=lambda side: abs(side - page.view.tile_size))
        names = (self.tr("Small tiles"), self.tr("Medium tiles"), self.tr("Large tiles"))
        for side, name in zip(TILE_SIZES, names, strict=True):
            action = menu.addAction(name, partial(page.set_tile_size, side, tell=True))
            action.setCheckable(True)
            action.setChecked(side == nearest)
            group.addAction(action)

    def _choose_all(self) -> None:
        self._page.view.selectAll()
        self._page.view.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _show_tile_menu(self, position: QPoint) -> None:
        page, gallery, icons = self._page, self._gallery, self._icons
        pictures = page.selection.meant
        if not pictures:
            return
        menu = QMenu(page)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        ready = any(picture.state is PictureState.READY for picture in pictures)
        if len(pictures) == 1:
            menu.addAction(self.tr("Open"), lambda: page.open_or_explain(pictures[0].id))
        save = menu.addAction(self.tr("Save a copy"), lambda: page.ask_to_export(pictures))
        save.setIcon(icons.icon("save", "text2", 18))
        save.setEnabled(ready and not gallery.busy)
        if page.sharing:
            shareable = page.shareable(pictures)
            share = menu.addAction(self.tr("Share"), lambda: page.share_requested.emit(shareable))
            share.setIcon(icons.icon("person-plus", "text2", 18))
            share.setEnabled(bool(shareable) and not gallery.busy)
        menu.addSeparator()
        words = self.tr("Move to bin") if gallery.bin_days else self.tr("Delete")
        delete = menu.addAction(words, lambda: page.ask_to_delete(pictures))
        delete.setIcon(icons.icon("bin", "text2", 18))
        delete.setEnabled(not gallery.busy)
        menu.popup(position)
