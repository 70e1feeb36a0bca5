"""A place besides the gallery, such as the bin: header, grid, and what stands there when it is empty."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QStackedWidget, QVBoxLayout, QWidget

from desktop.errors import GlassineError
from desktop.models import Picture
from desktop.viewmodels.batches import BatchOutcome
from desktop.viewmodels.gallery import GalleryState, GalleryViewModel
from desktop.viewmodels.wording import number_text, size_text
from desktop.widgets.batch_notices import FailuresDialog, batch_notice, open_folder
from desktop.widgets.buttons import ghost_button
from desktop.widgets.gallery_view import GalleryView
from desktop.widgets.icons import Icons
from desktop.widgets.labels import Label
from desktop.widgets.notices import BannerArea, Notice, error_words
from desktop.widgets.page_parts import EmptyState, PageHeader
from desktop.widgets.selection_bar import BatchBar
from desktop.widgets.theme import Space, Theme

NARROW_BELOW: Final = 880
LOADING_DELAY_MS: Final = 300


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

    def set_summary(self, count: int, size: int) -> None:
        """Say what is chosen."""
        self._count.setText(self.tr("%n selected", "", count))
        self._size.setText(size_text(size))


class PlacePage(QWidget):
    """A grid of pictures of one place.

    Subclasses add to ``header``, ``above`` (a layout between banners and grid) and ``chosen``, say what the menu of a
    tile offers, and call ``refresh`` when they are made.

    Attributes:
        header: The page's header.
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
        self.chosen.cleared.connect(self.clear_selection)
        self.header.set_selection_bar(self.chosen)
        self.banners = BannerArea(icons)
        self.banner_slot = QVBoxLayout()
        self.banner_slot.addWidget(self.banners)
        self.above = QVBoxLayout()
        self.above.setContentsMargins(Space.LARGE, 0, Space.LARGE, 0)
        self.above.setSpacing(Space.SMALL)
        self.batch_bar = BatchBar(theme)
        self.batch_bar.cancelled.connect(self._stop_batch)
        self._batch_holder = QWidget()
        slot = QVBoxLayout(self._batch_holder)
        slot.setContentsMargins(Space.LARGE, Space.MEDIUM, Space.LARGE, 0)
        slot.addWidget(self.batch_bar)
        self._batch_holder.hide()
        self.view = GalleryView(theme, icons, gallery.model, gallery.thumbnails)
        self.empty = empty
        self._loading = EmptyState(icons, "pictures", self.tr("Looking…"))
        self._blank = QWidget()
        self._stack = QStackedWidget()
        for widget in (self._blank, self.view, self.empty, self._loading):
            self._stack.addWidget(widget)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(LOADING_DELAY_MS)
        self._later.timeout.connect(self.refresh)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addLayout(self.banner_slot)
        layout.addLayout(self.above)
        layout.addWidget(self._batch_holder)
        layout.addWidget(self._stack, 1)
        gallery.state_changed.connect(self._on_state)
        gallery.count_changed.connect(self._on_count)
        gallery.shown_changed.connect(self.refresh)
        gallery.model.sections_changed.connect(self.refresh)
        gallery.load_failed.connect(self._on_load_failed)
        gallery.batch_started.connect(self._on_batch_started)
        gallery.batch_progressed.connect(self.batch_bar.progress)
        gallery.batch_finished.connect(self._on_batch_finished)
        gallery.left_at.connect(self.view.go_to)
        self.view.open_requested.connect(self.open_requested)
        self.view.selection_changed.connect(self._on_selection)
        self.view.menu_requested.connect(self._show_menu)

    # -- what is chosen --------------------------------------------------------------------------------------------

    def selected_pictures(self) -> list[Picture]:
        """The chosen pictures."""
        return self.gallery.pictures(self.view.selected_rows())

    def meant_pictures(self) -> list[Picture]:
        """The chosen pictures, or else the one the keyboard is at."""
        current = self.view.currentIndex()
        if not self.view.selectionModel().hasSelection() and current.isValid():
            return [self.gallery.model.picture(current.row())]
        return self.selected_pictures()

    def clear_selection(self) -> bool:
        """Choose nothing; whether anything had been chosen."""
        if not self.view.selectionModel().hasSelection():
            return False
        had_focus = self.chosen.isAncestorOf(self.focusWidget()) if self.focusWidget() else False
        self.view.clearSelection()
        if had_focus:
            self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        return True

    def _on_selection(self) -> None:
        rows = self.view.selected_rows()
        if rows:
            summary = self.gallery.summary(rows)
            self.chosen.set_summary(summary.count, summary.size)
        self.header.show_selection(bool(rows))

    def fill_menu(self, menu: QMenu, pictures: list[Picture]) -> None:
        """Add what can be done with these pictures."""

    def _show_menu(self, position: QPoint) -> None:
        pictures = self.meant_pictures()
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
            self._later.start()
            self.banners.remove(self._key("load"))
        elif state is GalleryState.STOPPED:
            self._end_batch()
        self.refresh()

    def _on_count(self, count: int) -> None:
        self.header.set_count(number_text(count) if count else "")

    def refresh(self) -> None:
        """Show the grid, or what stands there if it is empty."""
        gallery = self.gallery
        if gallery.model.rowCount():
            widget: QWidget = self.view
        elif gallery.state is GalleryState.READY:
            widget = self.empty
        elif gallery.state is GalleryState.LOADING and not self._later.isActive():
            widget = self._loading
        else:
            widget = self._blank
        had_focus = self._stack.currentWidget() is not widget and self._stack.isAncestorOf(self.focusWidget())
        self._stack.setCurrentWidget(widget)
        if had_focus:
            self.setFocus(Qt.FocusReason.OtherFocusReason)
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

    def _on_batch_started(self, kind: str, count: int) -> None:
        self._batch_holder.show()
        self.batch_bar.begin(kind, count)
        self.set_busy(True)

    def _stop_batch(self) -> None:
        self.batch_bar.stop.setEnabled(False)
        self.gallery.cancel_batch()

    def _end_batch(self) -> None:
        self.batch_bar.hide()
        self._batch_holder.hide()
        self.set_busy(False)

    def set_busy(self, busy: bool) -> None:
        """One batch at a time."""

    def _on_batch_finished(self, outcome: BatchOutcome) -> None:
        self._end_batch()
        notice = batch_notice(outcome, self._show_failures, open_folder)
        if notice is not None and (self.isVisible() or not outcome.complete):
            self.banners.show_notice(notice)

    def _show_failures(self, outcome: BatchOutcome) -> None:
        FailuresDialog(self.icons, self, outcome).open()

    # -- width -----------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Use smaller tiles and margins in a narrow window."""
        super().resizeEvent(event)
        self._measure()

    def changeEvent(self, event: QEvent) -> None:
        """Measure again when the reading direction changes."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self._measure()

    def _measure(self) -> None:
        window, left = self.window(), self.mapTo(self.window(), QPoint(0, 0)).x()
        before = window.width() - left - self.width() if self.isRightToLeft() else left
        self.view.set_narrow(self.width() + before < NARROW_BELOW)
