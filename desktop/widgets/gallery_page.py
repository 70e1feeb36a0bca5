"""The gallery: header, banners, the grid, and what stands there when it is empty.

It stands for two places: all pictures, and those that are shared by the person.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QStandardPaths, Qt, QTimer, Signal
from PySide6.QtGui import QActionGroup, QResizeEvent
from PySide6.QtWidgets import QMenu, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from desktop.errors import GlassineError, NetworkError
from desktop.image_formats import MAX_FILE_BYTES
from desktop.models import Person, Picture, PictureState, PlaceKind, Scheme, Trust
from desktop.viewmodels.batches import BatchOutcome, Interrupted
from desktop.viewmodels.gallery import GalleryState, GalleryViewModel
from desktop.viewmodels.gallery_search import Keep
from desktop.viewmodels.trust import FILTERS, MISSING, Finding
from desktop.viewmodels.wording import number_text
from desktop.widgets.batch_notices import FailuresDialog, batch_notice, interrupted_notice, open_folder
from desktop.widgets.buttons import ghost_button, link_button, primary_button
from desktop.widgets.dialogs import ConfirmDialog
from desktop.widgets.explanation_dialog import ExplanationDialog
from desktop.widgets.file_dialogs import choose_folder
from desktop.widgets.filter_bar import FilterBar
from desktop.widgets.first_run import FirstRun
from desktop.widgets.gallery_view import TILE_SIZES, GalleryView
from desktop.widgets.icons import Icons
from desktop.widgets.notices import BannerArea, Notice
from desktop.widgets.page_parts import EmptyState, PageHeader
from desktop.widgets.selection_bar import BatchBar, SelectionBar
from desktop.widgets.theme import Space, Theme
from desktop.widgets.trust_notices import TrustNotices

translate = QCoreApplication.translate

NARROW_BELOW: Final = 880
SEARCH_DELAY_MS: Final = 150
LOADING_DELAY_MS: Final = 300

EXPLAINED: Final = (PictureState.REFUSED, PictureState.MISSING, PictureState.UNREADABLE)
"""Pictures that are explained instead of opened."""


class GalleryPage(QWidget):
    """All pictures, or those that somebody else has too.

    Attributes:
        header: The page's header.
        banner_slot: Layout below the header for banners; ``use_banners`` puts the window's own area there.
        export_folder: Where the last copies were saved.

    Signals:
        open_requested(str picture_id)
        add_files_requested(), add_folder_requested()
        tile_size_changed(int), export_folder_changed(str): to be remembered.
        share_requested(list[Picture])
        compare_requested(str user_id): a banner about a changed key was answered.
    """

    open_requested = Signal(str)
    add_files_requested = Signal()
    add_folder_requested = Signal()
    tile_size_changed = Signal(int)
    export_folder_changed = Signal(str)
    share_requested = Signal(list)
    compare_requested = Signal(str)

    def __init__(self, theme: Theme, icons: Icons, gallery: GalleryViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._icons, self._gallery = theme, icons, gallery
        self.export_folder = ""
        self.place = "pictures"
        self.sharing = False
        self._make_header()
        self.banners = BannerArea(icons)
        self.batch_bar = BatchBar(theme)
        self.batch_bar.cancelled.connect(self._stop_batch)
        self._batch_slot = QVBoxLayout()
        self._batch_slot.setContentsMargins(Space.LARGE, Space.MEDIUM, Space.LARGE, 0)
        self._batch_slot.addWidget(self.batch_bar)
        self._batch_holder = QWidget()
        self._batch_holder.setLayout(self._batch_slot)
        self._batch_holder.hide()

        self.view = GalleryView(theme, icons, gallery.model, gallery.thumbnails)
        self.first_run = FirstRun(theme, icons, MAX_FILE_BYTES)
        clear = link_button(self.tr("Clear search"))
        clear.clicked.connect(self.clear_search)
        self._nothing_found = EmptyState(icons, "search", "", action=clear)
        self._loading = EmptyState(icons, "pictures", self.tr("Opening your pictures…"))
        self._nothing_shared = EmptyState(
            icons, "shared-out", self.tr("You share nothing"), self.tr("Select pictures and choose Share.")
        )
        show_all = link_button(self.tr("Show all pictures"))
        show_all.clicked.connect(lambda: self.set_filter(""))
        self._nothing_kept = EmptyState(icons, "filter", self.tr("No such pictures"), action=show_all)
        self._blank = QWidget()
        self._stack = QStackedWidget()
        self._first_run_holder = QWidget()
        holder = QVBoxLayout(self._first_run_holder)
        holder.setContentsMargins(Space.LARGE, Space.MEDIUM, Space.LARGE, Space.LARGE)
        holder.addWidget(self.first_run)
        for widget in (
            self.view,
            self._first_run_holder,
            self._nothing_found,
            self._loading,
            self._blank,
            self._nothing_shared,
            self._nothing_kept,
        ):
            self._stack.addWidget(widget)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(LOADING_DELAY_MS)
        self._later.timeout.connect(self._refresh)

        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        self.banner_slot = QVBoxLayout()
        self.banner_slot.addWidget(self.banners)
        layout.addLayout(self.banner_slot)
        layout.addWidget(self.filter_bar)
        layout.addWidget(self._batch_holder)
        layout.addWidget(self._stack, 1)
        self._trust_notices = TrustNotices(self._on_finding)
        self._connect()
        self._refresh()

    def _make_header(self) -> None:
        icons = self._icons
        self.header = PageHeader(icons, self.tr("All pictures"))
        search = self.header.add_search(self.tr("Search names and dates"))
        search.setAcceptDrops(False)  # files dropped here are meant for the window
        self.more = ghost_button(icons, "more", self.tr("More"))
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.more.setMenu(self._menu)
        self.add_button = primary_button(self.tr("Add pictures"), icons, "plus")
        self.filter_bar = FilterBar(icons)
        self.filter_bar.filter_chosen.connect(self.set_filter)
        self.header.add_action(self.filter_bar.button)
        self.header.add_action(self.more)
        self.header.add_action(self.add_button)
        self.selection_bar = SelectionBar(icons)
        self.header.set_selection_bar(self.selection_bar)
        self._search_timer = QTimer(self)
        self._search_timer.setSingleShot(True)
        self._search_timer.setInterval(SEARCH_DELAY_MS)
        self._search_timer.timeout.connect(lambda: self._gallery.search(search.text()))
        search.textChanged.connect(lambda text: self._search_timer.start())
        search.returnPressed.connect(self._to_results)

    def _connect(self) -> None:
        gallery, view, bar = self._gallery, self.view, self.selection_bar
        gallery.state_changed.connect(self._on_state)
        gallery.count_changed.connect(self._on_count)
        gallery.shown_changed.connect(self._refresh)
        gallery.model.sections_changed.connect(self._refresh)
        gallery.load_failed.connect(self._on_load_failed)
        gallery.thumbnails.slow.connect(self._on_slow)
        gallery.thumbnails.failed.connect(self._on_thumbnails_failed)
        gallery.thumbnails.answered.connect(lambda: self.banners.remove("thumbnails"))
        gallery.batch_started.connect(self._on_batch_started)
        gallery.batch_progressed.connect(self.batch_bar.progress)
        gallery.batch_finished.connect(self._on_batch_finished)
        gallery.batch_interrupted.connect(self._on_batch_interrupted)
        gallery.not_added.connect(self._on_not_added)
        gallery.trust_changed.connect(self._on_trust)
        gallery.filter_changed.connect(self._on_filter)
        gallery.left_at.connect(view.go_to)
        view.open_requested.connect(self.open_or_explain)
        view.selection_changed.connect(self._on_selection)
        view.delete_requested.connect(lambda: self.ask_to_delete(self._meant_pictures()))
        view.menu_requested.connect(self._show_tile_menu)
        view.tile_size_changed.connect(self.tile_size_changed)
        bar.cleared.connect(self.clear_selection)
        bar.export_requested.connect(self.export_selected)
        bar.delete_requested.connect(self.delete_selected)
        bar.share_requested.connect(lambda: self.share_requested.emit(self.shareable(self.selected_pictures())))
        self.header.compact_changed.connect(bar.set_compact)
        self.add_button.clicked.connect(self.add_files_requested)
        self.first_run.add_files_requested.connect(self.add_files_requested)
        self.first_run.add_folder_requested.connect(self.add_folder_requested)

    # -- what the window asks --------------------------------------------------------------------------------------

    def use_banners(self, area: BannerArea) -> None:
        """Show notices in the window's area instead of the page's own."""
        self.banners.hide()
        self.banners = area

    def set_tile_size(self, side: int, *, tell: bool = False) -> None:
        """Aim at tiles of this side."""
        self.view.set_tile_size(side)
        if tell:
            self.tile_size_changed.emit(side)

    def focus_search(self) -> None:
        """Go to the search field."""
        self.clear_selection()
        self.header.open_search()

    def clear_search(self) -> None:
        """Show all pictures again."""
        if self.header.search is not None:
            self.header.search.clear()
        self._search_timer.stop()
        self._gallery.search("")
        self.header.close_search()
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def clear_selection(self) -> bool:
        """Choose nothing; whether anything had been chosen."""
        if not self.view.selectionModel().hasSelection():
            return False
        had_focus = self.selection_bar.isAncestorOf(self.focusWidget()) if self.focusWidget() else False
        self.view.clearSelection()
        if had_focus:
            self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        return True

    def reveal(self, picture_id: str) -> None:
        """Show one picture in the grid, chosen."""
        if self._gallery.model.row_of(picture_id) < 0:
            self.clear_search()
        row = self._gallery.model.row_of(picture_id)
        if row < 0:
            return
        index = self._gallery.model.index(row)
        self.view.setCurrentIndex(index)
        self.view.scrollTo(index, GalleryView.ScrollHint.PositionAtCenter)
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def selected_pictures(self) -> list[Picture]:
        """The chosen pictures."""
        return self._gallery.pictures(self.view.selected_rows())

    def _meant_pictures(self) -> list[Picture]:
        """The chosen pictures, or else the one the keyboard is at."""
        current = self.view.currentIndex()
        if not self.view.selectionModel().hasSelection() and current.isValid():
            return [self._gallery.model.picture(current.row())]
        return self.selected_pictures()

    # -- places and filters ----------------------------------------------------------------------------------------

    def show_place(self, name: str) -> None:
        """Be the page of all pictures, or of those that are shared."""
        if name == self.place:
            return
        self.place = name
        shared = name == "shared-by-me"
        self.header.set_title(self.tr("Shared by me") if shared else self.tr("All pictures"))
        self.clear_selection()
        self.set_filter("")
        self._on_count(self._gallery.count)
        self._refresh()

    def set_filter(self, name: str) -> None:
        """Show only some of the place's pictures; an empty name shows all of them."""
        keep = FILTERS.get(name)
        if self.place == "shared-by-me":
            wanted = f"{self.place} {name}" if name else self.place
            self._gallery.set_filter(wanted, partial(_kept_of_shared, keep))
        else:
            self._gallery.set_filter(name, keep)
        self.filter_bar.show_filter(name)

    def _on_filter(self, name: str) -> None:
        if not name:
            self.filter_bar.show_filter("")
        self._refresh()

    def set_sharing(self, possible: bool) -> None:
        """Offer to share where there are other people."""
        self.sharing = possible
        self.selection_bar.set_sharing(possible)
        self.filter_bar.set_sharing(possible)

    def shareable(self, pictures: list[Picture]) -> list[Picture]:
        """Those that can be shared: stored, sealed, and as they should be."""
        sending = self._gallery.model.sending
        return [
            picture
            for picture in pictures
            if picture.state is PictureState.READY and picture.scheme is Scheme.SEALED and sending(picture.id) is None
        ]

    # -- trust -----------------------------------------------------------------------------------------------------

    @property
    def _here(self) -> bool:
        place = self._gallery.place
        return place is not None and place.kind is PlaceKind.THIS_COMPUTER

    def _on_trust(self, trust: Trust) -> None:
        self.selection_bar.set_bin(self._gallery.bin_days > 0)
        self._trust_notices.show_trust(self.banners, trust, here=self._here)

    def show_changed(self, people: Sequence[Person]) -> None:
        """Say whose keys have changed."""
        self._trust_notices.show_changed(self.banners, people)

    def _on_finding(self, finding: Finding) -> None:
        if finding.user_id:
            self.compare_requested.emit(finding.user_id)
        elif finding.key == MISSING:
            self.show_place("pictures")
            self.set_filter(MISSING)
        elif finding.pictures:
            self.reveal(finding.pictures[0])
            self.explain(finding.pictures[0])

    def open_or_explain(self, picture_id: str) -> None:
        """Open a picture; of one that is not shown, say why."""
        picture = self._gallery.find(picture_id)
        if picture is not None and picture.state in EXPLAINED:
            self.explain(picture_id)
        else:
            self.open_requested.emit(picture_id)

    def explain(self, picture_id: str) -> None:
        """Say why a picture is not shown and what to do."""
        picture = self._gallery.find(picture_id)
        if picture is None:
            return
        dialog = ExplanationDialog(self._icons, self, picture, here=self._here)
        dialog.again_requested.connect(self._gallery.reload)
        dialog.forget_requested.connect(lambda picture: self._gallery.purge([picture]))
        dialog.open()

    # -- saving copies ---------------------------------------------------------------------------------------------

    def export_selected(self) -> None:
        """Ask for a folder and save copies of the chosen pictures there."""
        self._ask_folder(self.selected_pictures())

    def export_all(self) -> None:
        """Ask for a folder and save copies of all pictures there."""
        self._ask_folder(self._gallery.all_pictures())

    def export_pictures(self, pictures: list[Picture], folder: Path) -> None:
        """Save copies in a folder."""
        if str(folder) != self.export_folder:
            self.export_folder = str(folder)
            self.export_folder_changed.emit(self.export_folder)
        self._gallery.export(pictures, folder)

    def _ask_folder(self, pictures: list[Picture]) -> None:
        if not pictures or self._gallery.busy:
            return
        start = Path(self.export_folder) if self.export_folder else pictures_folder()
        title = self.tr("Save %n copies in…", "", len(pictures))
        choose_folder(self, title, start, lambda folder: self.export_pictures(pictures, folder))

    # -- deleting --------------------------------------------------------------------------------------------------

    def delete_selected(self) -> None:
        """Move the chosen pictures to the bin, or ask and delete them where there is none."""
        self.ask_to_delete(self.selected_pictures())

    def ask_to_delete(self, pictures: list[Picture]) -> None:
        """Move these pictures to the bin, from which they come back; where there is none, ask and delete them."""
        if not pictures or self._gallery.busy:
            return
        if self._gallery.bin_days:
            self._gallery.delete(pictures)
            return
        question = delete_question(self._icons, self, len(pictures), here=self._here)
        question.accepted.connect(lambda: self._gallery.delete(pictures))
        question.open()

    # -- news ------------------------------------------------------------------------------------------------------

    def _on_state(self, state: GalleryState) -> None:
        if state is GalleryState.LOADING:
            self._later.start()
            self.banners.remove("load")
        elif state is GalleryState.STOPPED:
            if self.header.search is not None:
                self.header.search.clear()
            self._search_timer.stop()
            for key in ("load", "batch", "refused", "thumbnails", "not-added"):
                self.banners.remove(key)
            self._trust_notices.clear(self.banners)
            self._end_batch()
        elif state is GalleryState.READY:
            self._tell_refused()
        self._refresh()

    def _on_count(self, count: int) -> None:
        shown = self._gallery.model.rowCount() if self._gallery.filter else count
        self.header.set_count(number_text(shown) if shown else "")

    def _refresh(self) -> None:
        gallery = self._gallery
        shown = gallery.model.rowCount()
        if shown:
            widget: QWidget = self.view
        elif gallery.query and gallery.state is not GalleryState.STOPPED:
            self._nothing_found.set_words(self.tr("Nothing matches “%1”").replace("%1", self._typed()))
            widget = self._nothing_found
        elif gallery.state is GalleryState.READY and self.place == "shared-by-me" and not self.filter_bar.chosen:
            widget = self._nothing_shared
        elif gallery.state is GalleryState.READY and gallery.filter:
            widget = self._nothing_kept
        elif gallery.state is GalleryState.READY and gallery.count == 0:
            widget = self._first_run_holder
        elif gallery.state is GalleryState.LOADING and not self._later.isActive():
            widget = self._loading
        else:
            widget = self._blank
        empty = widget is self._first_run_holder
        self.more.setVisible(not empty)
        self.add_button.setVisible(not empty)
        self.filter_bar.button.setVisible(not empty)
        self.header.set_search_shown(not empty)
        if gallery.filter:
            self._on_count(gallery.count)
        had_focus = self._stack.currentWidget() is not widget and self._stack.isAncestorOf(self.focusWidget())
        self._stack.setCurrentWidget(widget)
        if had_focus:
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    def setFocus(self, reason: Qt.FocusReason = Qt.FocusReason.OtherFocusReason) -> None:
        """Begin with the pictures, or with adding some. A focus proxy would take the whole page out of Tab's way."""
        empty = self._stack.currentWidget() is self._first_run_holder
        (self.first_run.add_files if empty else self.view).setFocus(reason)

    def _typed(self) -> str:
        return self.header.search.text().strip() if self.header.search is not None else ""

    def _to_results(self) -> None:
        self._search_timer.stop()
        self._gallery.search(self._typed())
        self.view.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _choose_all(self) -> None:
        self.view.selectAll()
        self.view.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _on_selection(self) -> None:
        rows = self.view.selected_rows()
        if rows:
            self.selection_bar.set_summary(self._gallery.summary(rows))
        self.header.show_selection(bool(rows))

    def _on_load_failed(self, error: GlassineError) -> None:
        self.banners.show_notice(
            Notice(
                "load",
                "danger",
                f"{error.title} ({error.code})",
                error.message,
                action=self.tr("Try again"),
                on_action=self._gallery.retry,
                details=f"{error.code} {error.title}\n{error.details}".strip(),
            )
        )

    def _on_slow(self) -> None:
        if not any(notice.key == "thumbnails" for notice in self.banners.notices):
            title = self.tr("The server has not answered yet")
            self.banners.show_notice(
                Notice("thumbnails", "warn", title, self.tr("Pictures appear as soon as it does."))
            )

    def _on_thumbnails_failed(self, error: GlassineError) -> None:
        if not isinstance(error, NetworkError):
            return
        title = f"{error.title} ({error.code})"
        if any((notice.key, notice.title) == ("thumbnails", title) for notice in self.banners.notices):
            return  # said already; it is not announced at each try
        self.banners.show_notice(
            Notice(
                "thumbnails",
                "warn",
                title,
                self.tr("It is asked again by itself, and the pictures appear then."),
                action=self.tr("Try again"),
                on_action=self._gallery.thumbnails.retry_now,
                details=f"{error.code} {error.title}\n{error.details}".strip(),
            )
        )

    def _tell_refused(self) -> None:
        said = set(self._trust_notices.pictures)
        refused = [picture for picture in self._gallery.refused if picture.id not in said]
        if not refused:
            self.banners.remove("refused")
            return
        codes = ", ".join(sorted({picture.problem_code for picture in refused if picture.problem_code}))
        self.banners.show_notice(
            Notice(
                "refused",
                "danger",
                self.tr("%n pictures are not what you stored", "", len(refused)),
                self.tr("They are not shown. Nothing of yours was overwritten. (%1)").replace("%1", codes or "V-110"),
                icon="shield-alert",
                action=self.tr("Show"),
                on_action=lambda: self.reveal(refused[0].id),
            )
        )

    def _on_batch_started(self, kind: str, count: int) -> None:
        self.banners.remove("batch")
        self._batch_holder.show()
        self.batch_bar.begin(kind, count)
        self.selection_bar.set_busy(True)

    def _stop_batch(self) -> None:
        self.batch_bar.stop.setEnabled(False)
        self._gallery.cancel_batch()

    def _end_batch(self) -> None:
        self.batch_bar.hide()
        self._batch_holder.hide()
        self.selection_bar.set_busy(False)

    def _on_batch_finished(self, outcome: BatchOutcome) -> None:
        self._end_batch()
        notice = batch_notice(outcome, self._show_failures, open_folder)
        if notice is not None and (self.isVisible() or not outcome.complete):
            self.banners.show_notice(notice)

    def _on_batch_interrupted(self, interrupted: Interrupted) -> None:
        self.banners.show_notice(interrupted_notice(interrupted, open_folder))

    def _on_not_added(self, count: int) -> None:
        title = self.tr("%n files were not added", "", count)
        text = self.tr("Listed under Transfers, with the reason.")
        self.banners.show_notice(Notice("not-added", "warn", title, text))

    def _show_failures(self, outcome: BatchOutcome) -> None:
        FailuresDialog(self._icons, self, outcome).open()

    # -- menus -----------------------------------------------------------------------------------------------------

    def _fill_menu(self) -> None:
        """Offer what concerns all pictures; made anew each time, because PySide loses entries that are kept."""
        menu, icons = self._menu, self._icons
        menu.clear()
        for old in menu.findChildren(QActionGroup):
            old.deleteLater()
        shown = self._gallery.model.rowCount() > 0
        menu.addAction(icons.icon("folder", "text2", 18), self.tr("Add a folder"), self.add_folder_requested.emit)
        menu.addSeparator()
        menu.addAction(self.tr("Select all"), self._choose_all).setEnabled(shown)
        export = menu.addAction(icons.icon("save", "text2", 18), self.tr("Save copies of all"), self.export_all)
        export.setEnabled(shown and not self._gallery.busy)
        menu.addSeparator()
        group = QActionGroup(menu)
        nearest = min(TILE_SIZES, key=lambda side: abs(side - self.view.tile_size))
        names = (self.tr("Small tiles"), self.tr("Medium tiles"), self.tr("Large tiles"))
        for side, name in zip(TILE_SIZES, names, strict=True):
            action = menu.addAction(name, partial(self.set_tile_size, side, tell=True))
            action.setCheckable(True)
            action.setChecked(side == nearest)
            group.addAction(action)

    def _show_tile_menu(self, position: QPoint) -> None:
        pictures = self._meant_pictures()
        if not pictures:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        ready = any(picture.state is PictureState.READY for picture in pictures)
        if len(pictures) == 1:
            menu.addAction(self.tr("Open"), lambda: self.open_or_explain(pictures[0].id))
        save = menu.addAction(self.tr("Save a copy"), lambda: self._ask_folder(pictures))
        save.setIcon(self._icons.icon("save", "text2", 18))
        save.setEnabled(ready and not self._gallery.busy)
        if self.sharing:
            share = menu.addAction(self.tr("Share"), lambda: self.share_requested.emit(self.shareable(pictures)))
            share.setIcon(self._icons.icon("person-plus", "text2", 18))
            share.setEnabled(bool(self.shareable(pictures)) and not self._gallery.busy)
        menu.addSeparator()
        words = self.tr("Move to bin") if self._gallery.bin_days else self.tr("Delete")
        delete = menu.addAction(words, lambda: self.ask_to_delete(pictures))
        delete.setIcon(self._icons.icon("bin", "text2", 18))
        delete.setEnabled(not self._gallery.busy)
        menu.popup(position)

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
        """Window less the open panel: this page and the sidebar before it."""
        window, left = self.window(), self.mapTo(self.window(), QPoint(0, 0)).x()
        before = window.width() - left - self.width() if self.isRightToLeft() else left
        self.view.set_narrow(self.width() + before < NARROW_BELOW)


def _kept_of_shared(keep: Keep | None, picture: Picture) -> bool:
    return picture.shared_with > 0 and (keep is None or keep(picture))


def delete_question(icons: Icons, parent: QWidget, count: int, *, here: bool) -> ConfirmDialog:
    """The confirmation before pictures are deleted; ``here`` for a vault on this computer."""
    return ConfirmDialog(
        icons,
        parent,
        title=QCoreApplication.translate("Deleting", "Delete %n pictures?", "", count),
        text=_delete_words(here=here, one=count == 1),
        confirm=QCoreApplication.translate("Deleting", "Delete %n pictures", "", count),
        safe=QCoreApplication.translate("Deleting", "Cancel"),
        icon="bin",
        danger=True,
    )


def _delete_words(*, here: bool, one: bool) -> str:
    if here and one:
        return QCoreApplication.translate(
            "Deleting", "It leaves this vault. Its file is removed after 30 days. Copies saved elsewhere stay."
        )
    if here:
        return QCoreApplication.translate(
            "Deleting", "They leave this vault. Their files are removed after 30 days. Copies saved elsewhere stay."
        )
    if one:
        return QCoreApplication.translate(
            "Deleting",
            "It leaves this vault. The server removes its file at once, or keeps it for some time in its bin. "
            "Copies other people have saved stay with them.",
        )
    return QCoreApplication.translate(
        "Deleting",
        "They leave this vault. The server removes their files at once, or keeps them for some time in its bin. "
        "Copies other people have saved stay with them.",
    )


def pictures_folder() -> Path:
    """The person's folder for pictures, or their home."""
    places = QStandardPaths.standardLocations(QStandardPaths.StandardLocation.PicturesLocation)
    found = next((Path(place) for place in places if Path(place).is_dir()), None)
    return found or Path.home()
