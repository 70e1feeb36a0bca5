"""The gallery: header, banners, the grid, and what stands there when it is empty.

It stands for two places: all pictures, and those that are shared by the person.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.models import Person, Picture, PictureState, PlaceKind, Scheme
from desktop.viewmodels.gallery import GalleryState, GalleryViewModel
from desktop.viewmodels.gallery_search import Keep
from desktop.viewmodels.trust import FILTERS, MISSING, Finding
from desktop.viewmodels.wording import number_text
from desktop.widgets.banner_area import BannerArea
from desktop.widgets.deleting import delete_question
from desktop.widgets.explanation_dialog import ExplanationDialog
from desktop.widgets.file_dialogs import choose_folder, pictures_folder
from desktop.widgets.gallery_content import GalleryContent
from desktop.widgets.gallery_header import GalleryHeader
from desktop.widgets.gallery_menus import GalleryMenus
from desktop.widgets.gallery_notices import GalleryNotices
from desktop.widgets.gallery_view import GalleryView
from desktop.widgets.icons import Icons
from desktop.widgets.place_batch import BatchStrip
from desktop.widgets.place_selection import PlaceSelection
from desktop.widgets.theme import Theme

EXPLAINED: Final = (PictureState.REFUSED, PictureState.MISSING, PictureState.UNREADABLE)
"""Pictures that are explained instead of opened."""


class GalleryPage(QWidget):
    """All pictures, or those that somebody else has too.

    Attributes:
        header: The page's header.
        view: The grid.
        content: Where the grid stands, or what is said instead.
        selection: What is chosen.
        notices: The banners about these pictures.
        batch: The strip that shows a batch at work.
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
        self._icons, self._gallery = icons, gallery
        self.export_folder = ""
        self.place = "pictures"
        self.sharing = False
        self.header = GalleryHeader(icons)
        self.filter_bar = self.header.filter_bar
        self.notices = GalleryNotices(icons, gallery, self)
        self.batch = BatchStrip(theme, gallery)
        self.view = GalleryView(theme, icons, gallery.model, gallery.thumbnails)
        self.content = GalleryContent(theme, icons, self.view)
        self.selection = PlaceSelection(gallery, self.view, self.header, self.header.selection_bar)
        self._menus = GalleryMenus(icons, gallery, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        self.banner_slot = QVBoxLayout()
        self.banner_slot.addWidget(self.banners)
        layout.addLayout(self.banner_slot)
        layout.addWidget(self.filter_bar)
        layout.addWidget(self.batch)
        layout.addWidget(self.content, 1)
        self._connect()
        self._refresh()

    def _connect(self) -> None:
        gallery, view, header, bar = self._gallery, self.view, self.header, self.header.selection_bar
        gallery.state_changed.connect(self._on_state)
        gallery.count_changed.connect(self._on_count)
        gallery.shown_changed.connect(self._refresh)
        gallery.model.sections_changed.connect(self._refresh)
        gallery.trust_changed.connect(lambda trust: bar.set_bin(gallery.bin_days > 0))
        gallery.filter_changed.connect(self._on_filter)
        gallery.left_at.connect(view.go_to)
        self.content.waited.connect(self._refresh)
        self.content.focus_lost.connect(self.setFocus)
        self.content.search_left.connect(self.clear_search)
        self.content.filter_left.connect(lambda: self.set_filter(""))
        self.content.first_run.add_files_requested.connect(self.add_files_requested)
        self.content.first_run.add_folder_requested.connect(self.add_folder_requested)
        self.batch.busy_changed.connect(bar.set_busy)
        self.notices.reveal_requested.connect(self.reveal)
        self.notices.finding_chosen.connect(self._on_finding)
        self.filter_bar.filter_chosen.connect(self.set_filter)
        view.open_requested.connect(self.open_or_explain)
        view.delete_requested.connect(lambda: self.ask_to_delete(self.selection.meant))
        view.tile_size_changed.connect(self.tile_size_changed)
        header.sought.connect(gallery.search)
        header.results_wanted.connect(lambda: view.setFocus(Qt.FocusReason.ShortcutFocusReason))
        header.add_button.clicked.connect(self.add_files_requested)
        bar.cleared.connect(self.selection.clear)
        bar.export_requested.connect(lambda: self.ask_to_export(self.selection.pictures))
        bar.delete_requested.connect(lambda: self.ask_to_delete(self.selection.pictures))
        bar.share_requested.connect(lambda: self.share_requested.emit(self.shareable(self.selection.pictures)))

    # -- what the window asks --------------------------------------------------------------------------------------

    @property
    def banners(self) -> BannerArea:
        """Where notices are shown."""
        return self.notices.banners

    def use_banners(self, area: BannerArea) -> None:
        """Show notices in the window's area instead of the page's own."""
        self.banners.hide()
        self.notices.banners = area

    def set_tile_size(self, side: int, *, tell: bool = False) -> None:
        """Aim at tiles of this side."""
        self.view.set_tile_size(side)
        if tell:
            self.tile_size_changed.emit(side)

    def focus_search(self) -> None:
        """Go to the search field."""
        self.selection.clear()
        self.header.open_search()

    def clear_search(self) -> None:
        """Show all pictures again."""
        self.header.forget_search()
        self._gallery.search("")
        self.header.close_search()
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)

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

    # -- places and filters ----------------------------------------------------------------------------------------

    def show_place(self, name: str) -> None:
        """Be the page of all pictures, or of those that are shared."""
        if name == self.place:
            return
        self.place = name
        shared = name == "shared-by-me"
        self.header.set_title(self.tr("Shared by me") if shared else self.tr("All pictures"))
        self.selection.clear()
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
        self.header.selection_bar.set_sharing(possible)
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

    def show_changed(self, people: Sequence[Person]) -> None:
        """Say whose keys have changed."""
        self.notices.show_changed(people)

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

    def export_all(self) -> None:
        """Ask for a folder and save copies of all pictures there."""
        self.ask_to_export(self._gallery.all_pictures())

    def export_pictures(self, pictures: list[Picture], folder: Path) -> None:
        """Save copies in a folder."""
        if str(folder) != self.export_folder:
            self.export_folder = str(folder)
            self.export_folder_changed.emit(self.export_folder)
        self._gallery.export(pictures, folder)

    def ask_to_export(self, pictures: list[Picture]) -> None:
        """Ask for a folder and save copies of these pictures there."""
        if not pictures or self._gallery.busy:
            return
        start = Path(self.export_folder) if self.export_folder else pictures_folder()
        title = self.tr("Save %n copies in…", "", len(pictures))
        choose_folder(self, title, start, lambda folder: self.export_pictures(pictures, folder))

    # -- deleting --------------------------------------------------------------------------------------------------

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
            self.content.waiting.start()
        elif state is GalleryState.STOPPED:
            self.header.forget_search()
            self.filter_bar.show_filter("")
        self._refresh()

    def _on_count(self, count: int) -> None:
        shown = self._gallery.model.rowCount() if self._gallery.filter else count
        self.header.set_count(number_text(shown) if shown else "")

    def _refresh(self) -> None:
        shared = self.place == "shared-by-me" and not self.filter_bar.chosen
        self.content.show_gallery(self._gallery, typed=self.header.typed, shared=shared)
        self.header.set_invitation_shown(self.content.inviting)
        if self._gallery.filter:
            self._on_count(self._gallery.count)

    def setFocus(self, reason: Qt.FocusReason = Qt.FocusReason.OtherFocusReason) -> None:
        """Begin with the pictures, or with adding some. A focus proxy would take the whole page out of Tab's way."""
        self.content.focus(reason)


def _kept_of_shared(keep: Keep | None, picture: Picture) -> bool:
    return bool(picture.shared_with) and (keep is None or keep(picture))
