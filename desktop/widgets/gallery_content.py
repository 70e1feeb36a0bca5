"""What stands below the gallery's header: the grid, the invitation to add pictures, or why there is nothing."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.image_formats import MAX_FILE_BYTES
from desktop.viewmodels.gallery import GalleryState, GalleryViewModel
from desktop.widgets.buttons import link_button
from desktop.widgets.first_run import FirstRun
from desktop.widgets.gallery_view import GalleryView
from desktop.widgets.icons import Icons
from desktop.widgets.page_parts import EmptyState
from desktop.widgets.place_content import PlaceContent
from desktop.widgets.theme import Space, Theme

translate = QCoreApplication.translate


class GalleryContent(PlaceContent):
    """The parts of the gallery.

    Attributes:
        first_run: Stands here while the vault is empty.

    Signals:
        search_left(), filter_left(): everything is to be shown again.
    """

    search_left = Signal()
    filter_left = Signal()

    def __init__(self, theme: Theme, icons: Icons, view: GalleryView) -> None:
        super().__init__(icons, view, translate("GalleryContent", "Opening your pictures…"))
        self.first_run = FirstRun(theme, icons, MAX_FILE_BYTES)
        self._invitation = QWidget()
        holder = QVBoxLayout(self._invitation)
        holder.setContentsMargins(Space.LARGE, Space.MEDIUM, Space.LARGE, Space.LARGE)
        holder.addWidget(self.first_run)
        clear = link_button(self.tr("Clear search"))
        clear.clicked.connect(self.search_left)
        self._nothing_found = EmptyState(icons, "search", "", action=clear)
        self._nothing_shared = EmptyState(
            icons, "shared-out", self.tr("You share nothing"), self.tr("Select pictures and choose Share.")
        )
        show_all = link_button(self.tr("Show all pictures"))
        show_all.clicked.connect(self.filter_left)
        self._nothing_kept = EmptyState(icons, "filter", self.tr("No such pictures"), action=show_all)
        for part in (self._invitation, self._nothing_found, self._nothing_shared, self._nothing_kept):
            self.addWidget(part)

    @property
    def inviting(self) -> bool:
        """Whether the vault is empty and the invitation stands here."""
        return self.currentWidget() is self._invitation

    def focus(self, reason: Qt.FocusReason) -> None:
        """Begin with the pictures, or with adding some."""
        (self.first_run.add_files if self.inviting else self.view).setFocus(reason)

    def show_gallery(self, gallery: GalleryViewModel, *, typed: str, shared: bool) -> None:
        """Show what there is.

        Args:
            gallery: The pictures.
            typed: What is searched for, as it was typed.
            shared: Whether nothing but "what you share" leaves pictures out.
        """
        if gallery.model.rowCount():
            self.show_part(self.view)
        elif gallery.state is GalleryState.STOPPED:
            self._nothing_found.set_words("")  # what was searched for is nobody's business any more
            self.show_part(self.blank)
        elif gallery.query:
            self._nothing_found.set_words(self.tr("Nothing matches “%1”").replace("%1", typed))
            self.show_part(self._nothing_found)
        elif gallery.state is GalleryState.READY:
            self.show_part(self._why_empty(gallery, shared=shared))
        else:
            self.show_part(self.while_loading() if gallery.state is GalleryState.LOADING else self.blank)

    def _why_empty(self, gallery: GalleryViewModel, *, shared: bool) -> QWidget:
        if shared:
            return self._nothing_shared
        if gallery.filter:
            return self._nothing_kept
        return self._invitation if gallery.count == 0 else self.blank
