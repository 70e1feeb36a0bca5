"""The banners of the gallery: what a listing found, what the server does not answer, how a batch went."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from desktop.errors import GlassineError, NetworkError
from desktop.models import Person, PlaceKind, Trust
from desktop.viewmodels.batches import BatchOutcome, Interrupted
from desktop.viewmodels.gallery import GalleryState, GalleryViewModel
from desktop.widgets.banner_area import BannerArea
from desktop.widgets.batch_notices import FailuresDialog, batch_notice, interrupted_notice, open_folder
from desktop.widgets.icons import Icons
from desktop.widgets.notices import Notice, error_words
from desktop.widgets.trust_notices import TrustNotices

_KEYS = ("load", "batch", "refused", "thumbnails", "not-added")


class GalleryNotices(QObject):
    """Says in banners what the gallery's view-model tells.

    Attributes:
        banners: Where they stand.

    Signals:
        reveal_requested(str picture_id)
        finding_chosen(Finding): the button of a banner about a finding was pressed.
    """

    reveal_requested = Signal(str)
    finding_chosen = Signal(object)

    def __init__(self, icons: Icons, gallery: GalleryViewModel, page: QWidget) -> None:
        super().__init__(page)
        self._icons, self._gallery, self._page = icons, gallery, page
        self.banners = BannerArea(icons)
        self._trust = TrustNotices(self.finding_chosen.emit)
        gallery.state_changed.connect(self._on_state)
        gallery.load_failed.connect(self._on_load_failed)
        gallery.thumbnails.slow.connect(self._on_slow)
        gallery.thumbnails.failed.connect(self._on_thumbnails_failed)
        gallery.thumbnails.answered.connect(lambda: self.banners.remove("thumbnails"))
        gallery.batch_started.connect(lambda kind, count: self.banners.remove("batch"))
        gallery.batch_finished.connect(self._on_batch_finished)
        gallery.batch_interrupted.connect(self._on_batch_interrupted)
        gallery.not_added.connect(self._on_not_added)
        gallery.trust_changed.connect(self._on_trust)

    def show_changed(self, people: Sequence[Person]) -> None:
        """Say whose keys have changed."""
        self._trust.show_changed(self.banners, people)

    def _on_trust(self, trust: Trust) -> None:
        place = self._gallery.place
        here = place is not None and place.kind is PlaceKind.THIS_COMPUTER
        self._trust.show_trust(self.banners, trust, here=here)

    def _on_state(self, state: GalleryState) -> None:
        if state is GalleryState.LOADING:
            self.banners.remove("load")
        elif state is GalleryState.STOPPED:
            for key in _KEYS:
                self.banners.remove(key)
            self._trust.clear(self.banners)
        elif state is GalleryState.READY:
            self._tell_refused()

    def _on_load_failed(self, error: GlassineError) -> None:
        title, text, details = error_words(error)
        again, retry = self.tr("Try again"), self._gallery.retry
        self.banners.show_notice(Notice("load", "danger", title, text, action=again, on_action=retry, details=details))

    def _on_slow(self) -> None:
        if not any(notice.key == "thumbnails" for notice in self.banners.notices):
            title = self.tr("The server has not answered yet")
            self.banners.show_notice(
                Notice("thumbnails", "warn", title, self.tr("Pictures appear as soon as it does."))
            )

    def _on_thumbnails_failed(self, error: GlassineError) -> None:
        if not isinstance(error, NetworkError):
            return
        title, _, details = error_words(error)
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
                details=details,
            )
        )

    def _tell_refused(self) -> None:
        said = set(self._trust.pictures)
        refused = [picture for picture in self._gallery.refused if picture.id not in said]
        if not refused:
            self.banners.remove("refused")
            return
        codes = ", ".join(sorted({picture.problem_code for picture in refused if picture.problem_code}))
        if len(refused) == 1:
            words = self.tr("It is not shown. Nothing of yours was overwritten. (%1)")
        else:
            words = self.tr("They are not shown. Nothing of yours was overwritten. (%1)")
        self.banners.show_notice(
            Notice(
                "refused",
                "danger",
                self.tr("%n pictures are not what you stored", "", len(refused)),
                words.replace("%1", codes or "V-110"),
                icon="shield-alert",
                action=self.tr("Show"),
                on_action=lambda: self.reveal_requested.emit(refused[0].id),
            )
        )

    def _on_batch_finished(self, outcome: BatchOutcome) -> None:
        notice = batch_notice(outcome, self._show_failures, open_folder)
        if notice is not None and (self._page.isVisible() or not outcome.complete):
            self.banners.show_notice(notice)

    def _on_batch_interrupted(self, interrupted: Interrupted) -> None:
        self.banners.show_notice(interrupted_notice(interrupted, open_folder))

    def _on_not_added(self, count: int) -> None:
        title = self.tr("%n files were not added", "", count)
        text = self.tr("Listed under Transfers, with the reason.")
        self.banners.show_notice(Notice("not-added", "warn", title, text))

    def _show_failures(self, outcome: BatchOutcome) -> None:
        FailuresDialog(self._icons, self._page, outcome).open()
