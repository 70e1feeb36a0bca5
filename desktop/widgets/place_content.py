"""What stands below the header of a page of pictures: the grid, or what is said while there is nothing in it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from desktop.widgets.gallery_view import GalleryView
from desktop.widgets.icons import Icons
from desktop.widgets.page_parts import EmptyState

LOADING_DELAY_MS: Final = 300


class PlaceContent(QStackedWidget):
    """Shows one of its parts.

    Attributes:
        view: The grid.
        loading: Said when a listing takes long.
        blank: Nothing, while it is not known yet what is to be said.
        waiting: Runs while a listing is too young for anything to be said of it.

    Signals:
        waited(): a listing takes long.
        focus_lost(): the part that had the keyboard gave way to another.
    """

    waited = Signal()
    focus_lost = Signal()

    def __init__(self, icons: Icons, view: GalleryView, loading_words: str) -> None:
        super().__init__()
        self.view = view
        self.loading = EmptyState(icons, "pictures", loading_words)
        self.blank = QWidget()
        for part in (view, self.loading, self.blank):
            self.addWidget(part)
        self.currentChanged.connect(lambda at: self.updateGeometry())
        self.waiting = QTimer(self)
        self.waiting.setSingleShot(True)
        self.waiting.setInterval(LOADING_DELAY_MS)
        self.waiting.timeout.connect(self.waited)

    def minimumSizeHint(self) -> QSize:
        """As much room as the part that is seen needs; the others would take it from banners above."""
        part = self.currentWidget()
        return part.minimumSizeHint() if part is not None else super().minimumSizeHint()

    def while_loading(self) -> QWidget:
        """What stands here while a listing is under way."""
        return self.blank if self.waiting.isActive() else self.loading

    def show_part(self, part: QWidget) -> None:
        """Show this one."""
        had_focus = self.currentWidget() is not part and self.isAncestorOf(self.focusWidget())
        self.setCurrentWidget(part)
        if had_focus:
            self.focus_lost.emit()
