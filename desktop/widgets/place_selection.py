"""What is chosen on a page of pictures, in the grid and in the bar that takes the header's place."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from desktop.models import Picture
from desktop.viewmodels.gallery import GalleryViewModel, SelectionSummary
from desktop.widgets.gallery_view import GalleryView
from desktop.widgets.page_parts import PageHeader


class SummaryBar(Protocol):
    """The part of a selection bar that is the same for all pages."""

    def set_summary(self, summary: SelectionSummary) -> None:
        """Say what is chosen."""
        ...

    def isAncestorOf(self, child: QWidget, /) -> bool:
        """Whether a widget lies in it."""
        ...


class PlaceSelection(QObject):
    """Shows the bar while something is chosen, and knows which pictures a command means."""

    def __init__(self, gallery: GalleryViewModel, view: GalleryView, header: PageHeader, bar: SummaryBar) -> None:
        super().__init__(view)
        self._gallery, self._view, self._header, self._bar = gallery, view, header, bar
        view.selection_changed.connect(self._on_selection)

    @property
    def pictures(self) -> list[Picture]:
        """The chosen pictures."""
        return self._gallery.pictures(self._view.selected_rows())

    @property
    def meant(self) -> list[Picture]:
        """The chosen pictures, or else the one the keyboard is at."""
        current = self._view.currentIndex()
        if not self._view.selectionModel().hasSelection() and current.isValid():
            return [self._gallery.model.picture(current.row())]
        return self.pictures

    def clear(self) -> bool:
        """Choose nothing; whether anything had been chosen."""
        if not self._view.selectionModel().hasSelection():
            return False
        focused = self._view.window().focusWidget()
        had_focus = focused is not None and self._bar.isAncestorOf(focused)
        self._view.clearSelection()
        if had_focus:
            self._view.setFocus(Qt.FocusReason.OtherFocusReason)
        return True

    def _on_selection(self) -> None:
        rows = self._view.selected_rows()
        if rows:
            self._bar.set_summary(self._gallery.summary(rows))
        self._header.show_selection(bool(rows))
