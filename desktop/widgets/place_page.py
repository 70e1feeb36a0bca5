"""A place besides the gallery, such as the bin: header, grid, and what stands there when it is empty."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QPoint, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from desktop.errors import GlassineError
from desktop.models import Picture
from desktop.viewmodels.batches import BatchOutcome
from desktop.viewmodels.gallery import GalleryState, GalleryViewModel, SelectionSummary
from desktop.viewmodels.wording import number_text, size_text
from desktop.widgets.banner_area import BannerArea
from desktop.widgets.batch_notices import FailuresDialog, batch_notice, open_folder
from desktop.widgets.buttons import ghost_button
from desktop.widgets.gallery_view import GalleryView
from desktop.widgets.icons import Icons
from desktop.widgets.labels import Label
from desktop.widgets.notices import Notice, error_words
from desktop.widgets.page_parts import EmptyState, PageHeader
from desktop.widgets.place_batch import BatchStrip
from desktop.widgets.place_content import PlaceContent
from desktop.widgets.place_selection import PlaceSelection
from desktop.widgets.theme import Space, Theme

translate = QCoreApplication.translate


class ChosenBar(QWidget):
    """How many are chosen and how large they are; ``add`` puts what can be done with them at the end.

    Signals:
        cleared()
    """

    cleared = Signal()

    def __init__(self, icons: Icons) -> None:
        super().__init__()
        self.close_button = ghost_button(icons, "close", self.tr("Clear the selection"))
        self.close_button.clicked.connect(self.cleared)
        self._count, self._size = Label("", "lead"), Label("", "secondary")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(Space.LARGE, 0, Space.LARGE, 0)
        self._row.setSpacing(Space.MEDIUM)
        for widget in (self.close_button, self._count, self._size):
            self._row.addWidget(widget)
        self._row.addStretch(1)

    def add(self, widget: QWidget) -> None:
        """Add a control at the end."""
        self._row.addWidget(widget)

    def set_summary(self, summary: SelectionSummary) -> None:
        """Say what is chosen."""
        self._count.setText(self.tr("%n selected", "", summary.count))
        self._size.setText(size_text(summary.size))


class PlacePage(QWidget):
    """A grid of pictures of one place.

    Subclasses add to ``header``, ``above`` (a layout between banners and grid) and ``chosen``, say what the menu of a
    tile offers, and call ``refresh`` when they are made.

    Attributes:
        header: The page's header.
        content: Where the grid stands, or what is said instead.
        selection: What is chosen.
        batch: The strip that shows a batch at work.
        banner_slot: Layout below the header for banners.

    Signals:
        open_requested(str picture_id)
    """

    open_requested = Signal(str)

    def __init__(self, theme: Theme, icons: Icons, gallery: GalleryViewModel, title: str, empty: EmptyState) -> None:
        super().__init__()
        self.theme, self.icons, self.gallery = theme, icons, gallery
        self.header = PageHeader(icons, title)
        self.chosen = ChosenBar(icons)
        self.header.set_selection_bar(self.chosen)
        self.banners = BannerArea(icons)
        self.banner_slot = QVBoxLayout()
        self.banner_slot.addWidget(self.banners)
        self.above = QVBoxLayout()
        self.above.setContentsMargins(Space.LARGE, 0, Space.LARGE, 0)
        self.above.setSpacing(Space.SMALL)
        self.batch = BatchStrip(theme, gallery)
        self.batch.busy_changed.connect(self.set_busy)
        self.view = GalleryView(theme, icons, gallery.model, gallery.thumbnails)
        self.empty = empty
        self.content = PlaceContent(icons, self.view, translate("PlacePage", "Looking…"))
        self.content.addWidget(empty)
        self.content.setCurrentWidget(self.content.blank)
        self.content.waited.connect(self.refresh)
        self.content.focus_lost.connect(self.setFocus)
        self.selection = PlaceSelection(gallery, self.view, self.header, self.chosen)
        self.chosen.cleared.connect(self.selection.clear)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addLayout(self.banner_slot)
        layout.addLayout(self.above)
        layout.addWidget(self.batch)
        layout.addWidget(self.content, 1)
        gallery.state_changed.connect(self._on_state)
        gallery.count_changed.connect(self._on_count)
        gallery.shown_changed.connect(self.refresh)
        gallery.model.sections_changed.connect(self.refresh)
        gallery.load_failed.connect(self._on_load_failed)
        gallery.batch_finished.connect(self._on_batch_finished)
        gallery.left_at.connect(self.view.go_to)
        self.view.open_requested.connect(self.open_requested)
        self.view.menu_requested.connect(self._show_menu)

    # -- the menu of a tile ----------------------------------------------------------------------------------------

    def fill_menu(self, menu: QMenu, pictures: list[Picture]) -> None:
        """Add what can be done with these pictures."""

    def _show_menu(self, position: QPoint) -> None:
        pictures = self.selection.meant
        if pictures:
            menu = QMenu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            self.fill_menu(menu, pictures)
            menu.popup(position)

    # -- news ------------------------------------------------------------------------------------------------------

    def use_banners(self, area: BannerArea) -> None:
        """Show notices in the window's area instead of the page's own."""
        self.banners.hide()
        self.banners = area

    def _key(self, name: str) -> str:
        """Notices of several places share one area."""
        return f"{type(self).__name__} {name}"

    def _on_state(self, state: GalleryState) -> None:
        if state is GalleryState.LOADING:
            self.content.waiting.start()
            self.banners.remove(self._key("load"))
        self.refresh()

    def _on_count(self, count: int) -> None:
        self.header.set_count(number_text(count) if count else "")

    def refresh(self) -> None:
        """Show the grid, or what stands there if it is empty."""
        if self.gallery.model.rowCount():
            self.content.show_part(self.view)
        elif self.gallery.state is GalleryState.READY:
            self.content.show_part(self.empty)
        elif self.gallery.state is GalleryState.LOADING:
            self.content.show_part(self.content.while_loading())
        else:
            self.content.show_part(self.content.blank)
        self.refreshed()

    def refreshed(self) -> None:
        """Other pictures are shown; subclasses dress what depends on it."""

    def setFocus(self, reason: Qt.FocusReason = Qt.FocusReason.OtherFocusReason) -> None:
        """Begin with the pictures."""
        self.view.setFocus(reason)

    def _on_load_failed(self, error: GlassineError) -> None:
        title, text, details = error_words(error)
        again, retry = self.tr("Try again"), self.gallery.retry
        notice = Notice(self._key("load"), "danger", title, text, action=again, on_action=retry, details=details)
        self.banners.show_notice(notice)

    def set_busy(self, busy: bool) -> None:
        """One batch at a time."""

    def _on_batch_finished(self, outcome: BatchOutcome) -> None:
        notice = batch_notice(outcome, self._show_failures, open_folder)
        if notice is not None and (self.isVisible() or not outcome.complete):
            self.banners.show_notice(notice)

    def _show_failures(self, outcome: BatchOutcome) -> None:
        FailuresDialog(self.icons, self, outcome).open()
