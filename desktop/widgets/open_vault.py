"""The widgets of an open vault and what they have to do with each other. Made by ``desktop/app.py`` when needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialog

from desktop.models import Picture
from desktop.viewmodels.shell import Stage
from desktop.viewmodels.transfer import Outcome
from desktop.viewmodels.wording import number_text, short_time_left_text
from desktop.widgets.circle_pages import CircleModels, CirclePages
from desktop.widgets.drop_overlay import DropOverlay
from desktop.widgets.file_dialogs import choose_folder, open_pictures, pictures_folder
from desktop.widgets.gallery_page import GalleryPage
from desktop.widgets.keys_page import KeysPage
from desktop.widgets.notices import Notice, error_words
from desktop.widgets.place_page import PlacePage
from desktop.widgets.preflight_dialog import SKIP_BELOW, PreflightDialog
from desktop.widgets.settings_page import SettingsPage
from desktop.widgets.shell_page import ShellPage
from desktop.widgets.transfers_panel import TransfersPanel
from desktop.widgets.viewer_page import ViewerPage

if TYPE_CHECKING:
    from desktop.client.preflight import Preflight
    from desktop.errors import GlassineError
    from desktop.viewmodels.bin import BinViewModel
    from desktop.viewmodels.conflict import VersionsViewModel
    from desktop.viewmodels.gallery import GalleryViewModel
    from desktop.viewmodels.key_work import KeyWorkViewModel
    from desktop.viewmodels.keys import KeysViewModel
    from desktop.viewmodels.people import PeopleViewModel
    from desktop.viewmodels.recovery_kit import KitViewModel
    from desktop.viewmodels.settings import SettingsViewModel
    from desktop.viewmodels.shared import SharedViewModel
    from desktop.viewmodels.shell import ShellViewModel
    from desktop.viewmodels.stored import StoredViewModel
    from desktop.viewmodels.transfer import TransfersSummary
    from desktop.viewmodels.transfers import TransfersViewModel
    from desktop.viewmodels.viewer import ViewerViewModel
    from desktop.widgets.main_window import MainWindow

NO_KIT: Final = "no-kit"
HALTED: Final = "transfers-halted"
ON_THEIR_WAY: Final = (Outcome.WAITING, Outcome.IN_PROGRESS)


@dataclass(frozen=True)
class WorkInHand:
    """What would be interrupted now.

    Attributes:
        encrypted: Pictures that are kept here, encrypted, until they are sent.
        untouched: Pictures on their way of which there is nothing here yet.
        batch: The batch at work: ``export``, ``bin``, ``restore``, ``delete``, ``purge`` or ``give-back``, or empty.
    """

    encrypted: int = 0
    untouched: int = 0
    batch: str = ""

    @property
    def waiting(self) -> int:
        """Pictures on their way."""
        return self.encrypted + self.untouched

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.waiting or self.batch)


@dataclass(frozen=True)
class VaultModels:
    """The view-models of an open vault."""

    shell: ShellViewModel
    gallery: GalleryViewModel
    transfers: TransfersViewModel
    viewer: ViewerViewModel
    keys: KeysViewModel
    settings: SettingsViewModel
    people: PeopleViewModel
    bin: BinViewModel
    shared: SharedViewModel
    versions: VersionsViewModel
    stored: StoredViewModel
    kit: KitViewModel
    key_work: KeyWorkViewModel


class OpenVault(QObject):
    """The pages, the panel, the viewer and the drop overlay of one open vault.

    Attributes:
        shell_page: Sidebar, pages and panel.
        viewer_page: The viewer, which fills the window.
        work_before_stop: What was interrupted when the vault was left.
    """

    def __init__(self, window: MainWindow, models: VaultModels) -> None:
        super().__init__(window)
        theme, icons = window.theme, window.icons
        self._window, self._models = window, models
        self.work_before_stop = WorkInHand()
        self._kit_said: set[str] = set()
        self._summary: TransfersSummary = models.transfers.summary
        self._seen_failed = 0
        self._unasked: list[Path] = []
        self._preflight: PreflightDialog | None = None
        self.gallery_page = GalleryPage(theme, icons, models.gallery)
        self.keys_page = KeysPage(icons, models.keys, kit=models.kit, key_work=models.key_work, people=models.people)
        self.settings_page = SettingsPage(icons, models.settings)
        self.panel = TransfersPanel(theme, icons, models.transfers)
        self.viewer_page = ViewerPage(theme, icons, models.viewer, stored=models.stored)
        circle = CircleModels(models.gallery, models.viewer, models.people, models.bin, models.shared, models.versions)
        self.circle = CirclePages(window, circle)
        pages = {
            "pictures": self.gallery_page,
            "shared-with-me": self.circle.shared_page,
            "shared-by-me": self.gallery_page,
            "bin": self.circle.bin_page,
            "keys": self.keys_page,
            "settings": self.settings_page,
        }
        self.shell_page = ShellPage(icons, pages, self.panel)
        self.drop_overlay = DropOverlay(window, theme, icons)
        self.gallery_page.use_banners(self.shell_page.banners)
        self.circle.attach(self.shell_page, self.gallery_page, self.viewer_page)
        self._connect_pages()
        self._connect_models()
        self._show_account()
        self._show_summary(self._summary)

    def _connect_pages(self) -> None:
        window, models = self._window, self._models
        gallery, viewer, settings = self.gallery_page, self.viewer_page, models.settings
        gallery.add_files_requested.connect(self.add_pictures)
        gallery.add_folder_requested.connect(self.add_folder)
        gallery.open_requested.connect(self.open_picture)
        gallery.set_tile_size(settings.tile_size)
        gallery.tile_size_changed.connect(settings.set_tile_size)
        settings.tile_size_changed.connect(gallery.set_tile_size)
        for page in (gallery, viewer):
            page.export_folder = settings.export_folder
        gallery.export_folder_changed.connect(self._on_export_folder)
        viewer.closed.connect(window.leave_viewer)
        viewer.export_requested.connect(lambda picture, folder: gallery.export_pictures([picture], folder))
        viewer.delete_requested.connect(self._delete_picture)
        self.keys_page.notice_raised.connect(window.show_notice)
        self.keys_page.compare_requested.connect(self.circle.compare)
        self.keys_page.message_raised.connect(lambda message: window.show_notice(Notice("keys", "info", message, "")))
        self.panel.show_requested.connect(self._show_picture)
        self.drop_overlay.dropped.connect(self.add_paths)
        self.shell_page.panel_toggled.connect(self._on_panel)

    def _connect_models(self) -> None:
        window, models = self._window, self._models
        models.transfers.summary_changed.connect(self._show_summary)
        models.transfers.looked_over.connect(self._on_looked_over)
        models.transfers.failed.connect(self._on_transfers_failed)
        models.transfers.found_in_bin.connect(self.circle.restore_found)
        models.gallery.count_changed.connect(self._show_count)
        models.settings.failed.connect(window.show_error)
        models.shell.account_changed.connect(self._show_account)
        models.kit.status_changed.connect(self._show_kit)
        models.shell.leaving.connect(self._about_to_leave)
        models.shell.stage_changed.connect(lambda stage: self.drop_overlay.set_active(stage is Stage.OPEN))

    # -- keys ------------------------------------------------------------------------------------------------------

    def finish_key_change(self) -> None:
        """Go on with a change of the key that was cut off."""
        from desktop.widgets.key_work_dialog import ChangeKeyDialog

        ChangeKeyDialog(self._window.icons, self._window, self._models.key_work, going_on=True).open()

    def _show_kit(self) -> None:
        """Say that there is no kit that counts, until there is one; closed it comes back at the next start."""
        state, banners = self._models.kit.state, self.shell_page.banners
        if state in ("", "proven"):
            banners.remove(NO_KIT)
            return
        if state in self._kit_said:
            return
        self._kit_said.add(state)
        if state == "none":
            title, action = self.tr("You have no recovery kit yet"), self.tr("Make the kit")
        else:
            title, action = self.tr("Your recovery kit does not count yet"), self.tr("Prove the kit")
        text = self.tr("Without it, a forgotten passphrase means these pictures cannot be opened again, by anybody.")
        if state == "one-copy":
            action = self.tr("Keep a second copy")
            text = self.tr("Only this computer has the key file. If it breaks, the words of the kit open nothing.")
        banners.show_notice(
            Notice(NO_KIT, "warn", title, text, icon="kit", action=action, on_action=self.keys_page.open_kit)
        )

    # -- what the window asks --------------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """How many pictures are on their way."""
        transfers = self._models.transfers
        return sum(transfers.count(outcome) for outcome in ON_THEIR_WAY)

    @property
    def work_in_hand(self) -> WorkInHand:
        """What would be interrupted by leaving."""
        transfers = self._models.transfers
        listed = [transfers.transfers(outcome, transfers.count(outcome)) for outcome in ON_THEIR_WAY]
        encrypted = sum(transfer.staged is not None for part in listed for transfer in part)
        return WorkInHand(encrypted, self.waiting - encrypted, self._batch)

    @property
    def _batch(self) -> str:
        """The batch at work, of the gallery, the bin, or what others share."""
        models = self._models
        given_back = {"delete": "give-back"}.get(models.shared.batch_kind, models.shared.batch_kind)
        return models.gallery.batch_kind or models.bin.batch_kind or given_back

    def forget(self) -> None:
        """Close what belongs to the vault that was left: panel, viewer, banners, dialogs, what was searched for."""
        self.work_before_stop = WorkInHand()
        self.shell_page.set_panel_open(False)
        self.shell_page.banners.clear()
        self._kit_said.clear()
        for dialog in self._window.findChildren(QDialog):
            dialog.reject()
        self.gallery_page.clear_search()

    def _about_to_leave(self) -> None:
        self.work_before_stop = self.work_in_hand

    def add_pictures(self) -> None:
        """Ask for files and add them."""
        open_pictures(self._window, self.tr("Add pictures"), self._add_from(), self._add_chosen)

    def add_folder(self) -> None:
        """Ask for a folder and add what is in it."""
        title = self.tr("Add a folder")
        choose_folder(self._window, title, self._add_from(), lambda folder: self._add_chosen([folder]))

    def _add_from(self) -> Path:
        """Where choosing begins: where it ended the last time, else with the person's pictures."""
        last = self._models.settings.add_folder
        return Path(last) if last and Path(last).is_dir() else pictures_folder()

    def _add_chosen(self, paths: list[Path]) -> None:
        self._models.settings.set_add_folder(str(paths[0].parent))
        self.add_paths(paths)

    def search(self) -> None:
        """Go to the search field."""
        self.shell_page.show_page("pictures")
        self.gallery_page.focus_search()

    def escape(self) -> None:
        """Close the panel, else clear the selection."""
        if self.shell_page.panel_open:
            self.shell_page.set_panel_open(False)
        else:
            page = self.shell_page.content.currentWidget()
            if isinstance(page, GalleryPage | PlacePage):
                page.selection.clear()

    # -- looking ---------------------------------------------------------------------------------------------------

    def open_picture(self, picture_id: str) -> None:
        """Show one picture in full, or the two versions of it that wait for a choice."""
        picture = self._models.gallery.find(picture_id)
        if picture is not None and picture.conflict:
            self.circle.show_conflict(picture)
            return
        self._models.viewer.open(picture_id, self._models.gallery)
        self._window.show_viewer()

    def _show_picture(self, picture_id: str) -> None:
        self._window.leave_viewer()
        self.shell_page.show_page("pictures")
        self.gallery_page.reveal(picture_id)

    def _delete_picture(self, picture: Picture) -> None:
        self._models.gallery.delete([picture])

    def _on_export_folder(self, folder: str) -> None:
        self.viewer_page.export_folder = folder
        self._models.settings.set_export_folder(folder)

    # -- adding ----------------------------------------------------------------------------------------------------

    def add_paths(self, paths: list[Path]) -> None:
        """Add files and folders; they are looked over first, unless the person said that few need not be."""
        if not paths or self._models.shell.stage is not Stage.OPEN or self.circle.takes_drop(paths):
            return
        if self._models.settings.skip_preflight:
            self._unasked = paths
            self._models.transfers.look_over(paths)
        else:
            self._open_preflight(paths)

    def _open_preflight(self, paths: list[Path]) -> None:
        settings = self._models.settings
        if self._preflight is not None:
            self._preflight.reject()
        dialog = PreflightDialog(
            self._window.theme,
            self._window.icons,
            self._models.transfers,
            paths,
            self._window,
            skip=settings.skip_preflight,
        )
        dialog.skip_changed.connect(settings.set_skip_preflight)
        dialog.finished.connect(self._on_preflight_over)
        self._preflight = dialog
        dialog.open()

    def _on_preflight_over(self) -> None:
        if self.sender() is self._preflight:
            self._preflight = None

    def _on_looked_over(self, preflight: Preflight) -> None:
        """Add what the person need not be asked about; an open sheet sees to its own files."""
        if self._preflight is not None or not self._unasked:
            return
        paths, self._unasked = self._unasked, []
        if 0 < len(preflight.ready) < SKIP_BELOW:
            self._models.transfers.add_looked_over(preflight)
        else:
            self._open_preflight(paths)

    def _on_transfers_failed(self, error: GlassineError) -> None:
        self._unasked = []
        if self._preflight is None:  # an open sheet says it itself
            self._window.show_error(error)

    # -- news ------------------------------------------------------------------------------------------------------

    def _show_account(self) -> None:
        shell = self._models.shell
        session = shell.session
        if session is not None:
            self.shell_page.sidebar.account.set_account(session.user_id, shell.user_name, shell.place_title)
            self.viewer_page.panel.account_name = session.user_name
            self.viewer_page.set_place(session.place.kind)

    def _show_count(self, count: int) -> None:
        self.shell_page.sidebar.pages["pictures"].set_count(number_text(count) if count else "")

    def _on_panel(self, shown: bool) -> None:
        self._seen_failed = self._summary.failed
        self._show_summary(self._summary)

    def _show_summary(self, summary: TransfersSummary) -> None:
        """Say in the sidebar how the transfers are, and in a banner when a trouble has stopped them all."""
        self._summary = summary
        row = self.shell_page.sidebar.transfers
        known = summary.seconds_left is not None or summary.paused or summary.waiting_for_server
        share = (summary.fraction if known else 0.0) if summary.active else -1.0
        if self.shell_page.panel_open or summary.failed < self._seen_failed:
            self._seen_failed = summary.failed
        if summary.failed > self._seen_failed:
            row.set_second_line(self.tr("%n failed", "", summary.failed), share, failed=True)
        elif summary.active:
            words, pace = self.tr("%1 of %2 · %3"), self._pace(summary)
            for mark, value in (
                ("%1", number_text(summary.finished)),
                ("%2", number_text(summary.total)),
                ("%3", pace),
            ):
                words = words.replace(mark, value)
            row.set_second_line(words, share, shorter=pace)
        else:
            row.set_second_line("")
        self._show_halt(summary)

    def _pace(self, summary: TransfersSummary) -> str:
        if summary.paused:
            return self.tr("paused")
        if summary.waiting_for_server:
            return self.tr("no answer yet")
        if summary.seconds_left is None:
            return self.tr("calculating…")
        return short_time_left_text(summary.seconds_left)

    def _show_halt(self, summary: TransfersSummary) -> None:
        error, banners = summary.halted_by, self.shell_page.banners
        if error is None:
            banners.remove(HALTED)
        elif not any(notice.key == HALTED for notice in banners.notices):
            title, text, details = error_words(error)
            banners.show_notice(
                Notice(
                    HALTED,
                    "danger",
                    title,
                    text,
                    action=self.tr("Try again"),
                    on_action=self._models.transfers.resume,
                    details=details,
                )
            )
