"""The bin, what is shared, and the people around an open vault: their pages, and how these hang together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast

from PySide6.QtCore import QObject, QTimer

from desktop.errors import GlassineError
from desktop.models import Person, PersonState, Picture
from desktop.viewmodels.batches import BatchOutcome
from desktop.viewmodels.gallery import GalleryState
from desktop.viewmodels.share import Outcome, ShareViewModel
from desktop.viewmodels.wording import number_text, short_text
from desktop.widgets.banner_area import BannerArea
from desktop.widgets.bin_page import BinPage
from desktop.widgets.conflict_page import ConflictPage
from desktop.widgets.dialogs import ConfirmDialog
from desktop.widgets.file_dialogs import choose_folder, open_file, pictures_folder
from desktop.widgets.notices import Notice, error_notice
from desktop.widgets.people_marks import chip_words
from desktop.widgets.shared_page import SharedPage
from desktop.widgets.toast import Toast

if TYPE_CHECKING:
    from desktop.client.sharing_model import ShareResult
    from desktop.viewmodels.bin import BinViewModel
    from desktop.viewmodels.conflict import VersionsViewModel
    from desktop.viewmodels.gallery import GalleryViewModel
    from desktop.viewmodels.people import PeopleViewModel
    from desktop.viewmodels.shared import SharedViewModel
    from desktop.viewmodels.viewer import ViewerViewModel
    from desktop.widgets.gallery_page import GalleryPage
    from desktop.widgets.main_window import MainWindow
    from desktop.widgets.shell_page import ShellPage
    from desktop.widgets.viewer_page import ViewerPage

COMPLETE_EVERY_MS: Final = 5 * 60 * 1000
"""How often it is looked whether people who are waited for have a key meanwhile."""


@dataclass(frozen=True)
class CircleModels:
    """The view-models behind these pages."""

    gallery: GalleryViewModel
    viewer: ViewerViewModel
    people: PeopleViewModel
    bin: BinViewModel
    shared: SharedViewModel
    versions: VersionsViewModel


class CirclePages(QObject):
    """Makes the pages and connects them.

    Attributes:
        bin_page, shared_page, conflict_page: The pages.
    """

    def __init__(self, window: MainWindow, models: CircleModels) -> None:
        super().__init__(window)
        theme, icons = window.theme, window.icons
        self._window, self._models = window, models
        self.bin_page = BinPage(theme, icons, models.bin)
        self.shared_page = SharedPage(theme, icons, models.shared)
        self.conflict_page = ConflictPage(theme, icons)
        self._toasts: list[Toast] = []
        self._undo: list[Picture] = []
        self._found: list[str] = []
        self._again = QTimer(self)
        self._again.setInterval(COMPLETE_EVERY_MS)
        self._again.timeout.connect(models.people.complete_waiting)

    def attach(self, shell: ShellPage, gallery_page: GalleryPage, viewer_page: ViewerPage) -> None:
        """Tie the pages to those of the vault."""
        self._shell, self._gallery_page, self._viewer_page = shell, gallery_page, viewer_page
        models = self._models
        for page in (self.bin_page, self.shared_page):
            page.use_banners(shell.banners)
            page.view.set_tile_size(gallery_page.view.tile_size)
            gallery_page.view.tile_size_changed.connect(page.view.set_tile_size)
        for toast_parent in (shell.content, viewer_page.stage):
            toast = Toast(self._window.icons, toast_parent)
            toast.undone.connect(self._on_undo)
            self._toasts.append(toast)
        viewer_page.header.chip_of = self._chip_of
        gallery_page.share_requested.connect(self.share)
        gallery_page.compare_requested.connect(self._compare_by_id)
        viewer_page.share_requested.connect(lambda picture: self.share([picture]))
        viewer_page.replace_requested.connect(self.ask_for_replacement)
        viewer_page.choose_requested.connect(self.show_conflict)
        self.bin_page.open_requested.connect(self._offer_to_restore)
        self.shared_page.compare_requested.connect(self.compare)
        self.shared_page.open_requested.connect(self.open_shared)
        self.shared_page.replace_requested.connect(self.ask_for_replacement)
        self.shared_page.export_requested.connect(self._export_shared)
        self.conflict_page.closed.connect(self.leave_conflict)
        self.conflict_page.chosen.connect(self._on_chosen)
        shell.page_changed.connect(self._on_page)
        models.gallery.trust_changed.connect(lambda _: self._show_places())
        models.gallery.batch_finished.connect(self._on_gallery_batch)
        models.gallery.state_changed.connect(self._on_gallery_state)
        models.gallery.shown_changed.connect(self._show_counts)
        models.bin.count_changed.connect(self._show_counts)
        models.shared.count_changed.connect(self._show_counts)
        models.people.opened.connect(self._on_opened)
        models.people.changed.connect(self._on_people)
        models.people.completed.connect(self._on_completed)
        models.shared.batch_finished.connect(lambda _: models.shared.reload())
        versions = models.versions
        versions.loaded.connect(self.conflict_page.show_versions)
        versions.busy_changed.connect(self.conflict_page.set_busy)
        versions.progressed.connect(self.conflict_page.bar.set_progress)
        versions.settled.connect(self._on_settled)
        versions.replaced.connect(self._on_replaced)
        versions.conflict_kept.connect(self._on_conflict_kept)
        versions.failed.connect(self._on_versions_failed)

    # -- places ----------------------------------------------------------------------------------------------------

    def _on_page(self, name: str) -> None:
        if name in ("pictures", "shared-by-me"):
            self._gallery_page.show_place(name)
        elif name == "bin" and self._models.bin.state is not GalleryState.LOADING:
            self._models.bin.reload()
        elif name == "shared-with-me":
            self._models.shared.reload()
        self._show_counts()

    def _show_places(self) -> None:
        gallery, people = self._models.gallery, self._models.people
        there = gallery.bin_days > 0
        self._viewer_page.set_bin(there)
        self._shell.sidebar.set_places(sharing=people.circle is not None, bin_there=there)

    def _show_counts(self) -> None:
        models, rows = self._models, self._shell.sidebar.pages
        counts = {
            "shared-with-me": models.shared.count,
            "shared-by-me": len(models.people.known.holders),
            "bin": models.bin.count,
        }
        for name, count in counts.items():
            rows[name].set_count(number_text(count) if count else "")

    def _on_gallery_state(self, state: GalleryState) -> None:
        if state is GalleryState.STOPPED:
            self._again.stop()
            self._undo, self._found = [], []
            for toast in self._toasts:
                toast.dismiss()
            self._shell.sidebar.set_places(sharing=False, bin_there=False)
            self.conflict_page.show_picture(None)

    # -- people ----------------------------------------------------------------------------------------------------

    def _on_opened(self, there: bool) -> None:
        self._gallery_page.set_sharing(there)
        self._viewer_page.set_sharing(there)
        if there:
            self._again.start()
        self._show_places()

    def _on_people(self) -> None:
        known = self._models.people.known
        self._gallery_page.show_changed(known.changed)
        self._show_counts()

    def _on_completed(self, result: ShareResult) -> None:
        title = self.tr("%n pictures are shared that had waited", "", len(result.shared))
        self._shell.banners.show_notice(Notice("completed", "info", title, "", icon="check"))

    def _chip_of(self, user_id: str) -> str:
        person = self._person(user_id)
        return chip_words(person)[0] if person is not None else "plain"

    def _person(self, user_id: str) -> Person | None:
        return next((person for person in self._models.people.known.people if person.user_id == user_id), None)

    def share(self, pictures: list[Picture]) -> None:
        """Open the share dialog."""
        people = self._models.people
        vault = self._models.gallery.vault
        if people.circle is None or vault is None or not pictures:
            return
        from desktop.viewmodels.strip import StripViewModel
        from desktop.widgets.share_dialog import ShareDialog

        model = ShareViewModel(people.runner, people.circle, pictures)
        model.people_changed.connect(people.refresh)
        dialog = ShareDialog(self._window.icons, self._window, model, lambda: StripViewModel(people.runner, vault))
        dialog.finished_sharing.connect(lambda outcome: self._on_shared(outcome, len(pictures)))
        dialog.open()

    def _on_shared(self, outcome: Outcome, count: int) -> None:
        from desktop.widgets.share_dialog import shared_words

        if outcome.copied:
            self._models.gallery.reload()
        self._models.people.refresh()
        self._gallery_page.selection.clear()
        notice = Notice("shared", "info", shared_words(outcome, count), "", icon="people")
        area = self._viewer_page.banners if self._viewer_page.isVisible() else self._shell.banners
        area.show_notice(notice)

    def _compare_by_id(self, user_id: str) -> None:
        person = self._person(user_id)
        if person is not None:
            self.compare(person)

    def compare(self, person: Person) -> None:
        """Open the comparison of somebody; of a changed person, of the key that is offered instead."""
        people = self._models.people
        if people.circle is None:
            return
        from desktop.widgets.compare_card import CompareDialog

        shown = people.known.offered.get(person.user_id, person) if person.state is PersonState.CHANGED else person
        if not shown.fingerprint:
            return
        model = ShareViewModel(people.runner, people.circle, [])
        dialog = CompareDialog(self._window.icons, self._window, model, shown)
        dialog.decided.connect(self._on_decided)
        dialog.open()

    def _on_decided(self) -> None:
        self._models.people.refresh()
        self._models.people.complete_waiting()
        self._models.shared.reload()

    # -- what others share -----------------------------------------------------------------------------------------

    def open_shared(self, picture_id: str) -> None:
        """Show a picture of somebody else in full."""
        picture = self._models.shared.find(picture_id)
        if picture is not None and picture.conflict:
            self.show_conflict(picture)
            return
        self._models.viewer.open(picture_id, self._models.shared)
        self._window.show_viewer()

    def _export_shared(self, pictures: list[Picture]) -> None:
        start = Path(self._gallery_page.export_folder) if self._gallery_page.export_folder else pictures_folder()
        title = self.tr("Save %n copies in…", "", len(pictures))
        choose_folder(self._window, title, start, lambda folder: self._models.shared.export(pictures, folder))

    # -- the bin ---------------------------------------------------------------------------------------------------

    def _on_gallery_batch(self, outcome: BatchOutcome) -> None:
        QTimer.singleShot(0, self, self._restore_found)
        if outcome.kind != "bin" or not outcome.done:
            return
        self._undo = list(outcome.done)
        words = self.tr("Moved %n pictures to the bin", "", len(outcome.done))
        on_stage = self._window.stack.currentWidget() is self._viewer_page
        self._toasts[1 if on_stage else 0].show_message(words)

    def restore_found(self, picture_id: str) -> None:
        """Take a picture out of the bin whose file was added again; as soon as nothing else is under way."""
        self._found.append(picture_id)
        QTimer.singleShot(0, self, self._restore_found)

    def _restore_found(self) -> None:
        gallery = self._models.gallery
        if self._found and not gallery.busy and gallery.vault is not None:
            found, self._found = dict.fromkeys(self._found), []
            gallery.restore_found(list(found))

    def _on_undo(self) -> None:
        pictures, self._undo = self._undo, []
        self._models.gallery.restore(pictures)

    def _offer_to_restore(self, picture_id: str) -> None:
        """A picture in the bin is not opened; Enter offers to take it out."""
        picture = self._models.bin.find(picture_id)
        if picture is None:
            return
        question = ConfirmDialog(
            self._window.icons,
            self._window,
            title=self.tr("Restore “%1”?").replace("%1", short_text(picture.name, 24)),
            text=self.tr("It is in the bin. Restored, it is back where it was and can be opened."),
            confirm=self.tr("Restore"),
            safe=self.tr("Cancel"),
            icon="restore",
        )
        question.accepted.connect(lambda: self._models.bin.restore([picture]))
        question.open()

    # -- new versions ----------------------------------------------------------------------------------------------

    def ask_for_replacement(self, picture: Picture) -> None:
        """Ask for a file that takes the place of a picture."""
        title = self.tr("Replace “%1” with…").replace("%1", picture.name)
        open_file(self._window, title, lambda path: self.ask_to_replace(picture, path))

    def ask_to_replace(self, picture: Picture, path: Path) -> None:
        """Ask, then put a file in the place of a picture."""
        words = self.tr("Everybody who can open it gets the new version. Earlier versions are not kept for viewing.")
        question = ConfirmDialog(
            self._window.icons,
            self._window,
            title=self.tr("Replace “%1” with “%2”?")
            .replace("%1", short_text(picture.name, 24))
            .replace("%2", short_text(path.name, 24)),
            text=words,
            confirm=self.tr("Replace"),
            safe=self.tr("Cancel"),
            icon="edit",
        )
        question.accepted.connect(lambda: self._replace(picture, path))
        question.open()

    def _replace(self, picture: Picture, path: Path) -> None:
        circle = self._models.people.circle
        if circle is not None:
            title = self.tr("Replacing “%1”…").replace("%1", short_text(picture.name))
            self._area().show_notice(Notice("replace", "info", title, "", icon="edit", closable=False))
            self._models.versions.replace(circle, picture.id, path)

    def _area(self) -> BannerArea:
        """Where the person looks."""
        on_stage = self._window.stack.currentWidget() is self._viewer_page
        return self._viewer_page.banners if on_stage else self._shell.banners

    def _on_replaced(self, picture_id: str) -> None:
        self._end_replacing()
        notice = Notice("replace", "info", self.tr("The new version is stored"), "", icon="check")
        if self._window.stack.currentWidget() is self._viewer_page:
            self._window.leave_viewer()
        self._shell.banners.show_notice(notice)
        self._list_again(picture_id)

    def _end_replacing(self) -> None:
        for area in (self._viewer_page.banners, self._shell.banners):
            area.remove("replace")

    def _list_again(self, picture_id: str) -> None:
        models = self._models
        for gallery in (models.gallery, models.shared):
            gallery.thumbnails.forget([picture_id])
        if models.gallery.find(picture_id) is not None:
            models.gallery.reload()
        else:
            models.shared.reload()
        models.people.refresh()

    def _on_conflict_kept(self, picture_id: str) -> None:
        self._end_replacing()
        self._models.people.refresh()
        picture = self._models.gallery.find(picture_id) or self._models.shared.find(picture_id)
        if picture is not None:
            self.show_conflict(picture)

    def _on_versions_failed(self, error: GlassineError) -> None:
        self._end_replacing()
        if self.conflict_page.isVisible():
            self.conflict_page.show_error(error)
        else:
            self._area().show_notice(error_notice(error, "replace"))

    def show_conflict(self, picture: Picture) -> None:
        """Show both versions of a picture."""
        people = self._models.people
        shared = bool(picture.owner_name)
        vault = self._models.shared.vault if shared else self._models.gallery.vault
        if people.circle is None or vault is None:
            return
        self.conflict_page.show_picture(picture)
        self._window.stack.setCurrentWidget(self.conflict_page)
        self.conflict_page.setFocus()
        self._models.versions.load(people.circle, vault, picture)

    def leave_conflict(self) -> None:
        """Go back to the pages; both versions stay kept."""
        self._models.versions.cancel()
        if self._window.stack.currentWidget() is self.conflict_page:
            self._models.viewer.close()
            self._window.stack.setCurrentWidget(self._shell)
            page = self._shell.content.currentWidget()
            if page is not None:
                page.setFocus()
        self.conflict_page.show_picture(None)

    def _on_chosen(self, picture: Picture, choice: str) -> None:
        circle = self._models.people.circle
        if circle is not None:
            wanted = cast("Literal['mine', 'theirs', 'both']", choice)
            self._models.versions.resolve(circle, picture.id, wanted)

    def _on_settled(self, picture_id: str, choice: str, new_id: str) -> None:
        self.leave_conflict()
        words = {
            "mine": self.tr("Your version is stored"),
            "theirs": self.tr("The other version stays"),
            "both": self.tr("Both are stored; yours is a picture of its own"),
        }
        self._shell.banners.show_notice(Notice("conflict", "info", words.get(choice, ""), "", icon="check"))
        self._list_again(picture_id)
        if choice == "both" and self._models.gallery.find(picture_id) is None:
            self._models.gallery.reload()

    # -- dropping --------------------------------------------------------------------------------------------------

    def takes_drop(self, paths: list[Path]) -> bool:
        """Whether a drop is meant as the new version of the picture that is looked at, which may be replaced."""
        picture = self._models.viewer.picture
        on_stage = self._window.stack.currentWidget() is self._viewer_page
        if not on_stage or picture is None or picture.role != "write" or len(paths) != 1 or paths[0].is_dir():
            return False
        self.ask_to_replace(picture, paths[0])
        return True
