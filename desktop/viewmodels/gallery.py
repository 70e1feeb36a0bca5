"""A gallery: which pictures there are and which are shown, saving copies, the bin. Must not import widgets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from desktop.collector import let_go
from desktop.errors import GlassineError
from desktop.models import Person, Picture, PictureState, Place, Trust
from desktop.viewmodels.batches import (
    BatchOutcome,
    ExportOrder,
    delete_pictures,
    export_pictures,
    purge_pictures,
    restore_found,
    restore_pictures,
)
from desktop.viewmodels.gallery_batch import GalleryBatch
from desktop.viewmodels.gallery_listing import PictureListing
from desktop.viewmodels.gallery_search import Keep, PictureSearch, Sought
from desktop.viewmodels.picture_list import PictureList
from desktop.viewmodels.picture_model import WAITING, PictureModel
from desktop.viewmodels.thumbnails import Thumbnails

if TYPE_CHECKING:
    from desktop.tasks import Runner
    from desktop.viewmodels.transfers import TransfersViewModel
    from desktop.viewmodels.vault_port import PicturesPort


class GalleryState(StrEnum):
    """What the page shows."""

    STOPPED = "stopped"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SelectionSummary:
    """What the selection bar says: how many pictures and their size in bytes."""

    count: int
    size: int


_GONE_AFTERWARDS = ("delete", "bin", "purge")
"""Batches after which the pictures are not in this gallery any more."""


class GalleryViewModel(QObject):
    """All pictures of a vault (or of its bin, or what is shared with it), newest first.

    Attributes:
        trust: What the last complete listing found.
        bin_days: How long the bin keeps pictures; 0: there is none, and deleting is for good.

    Signals:
        state_changed(GalleryState)
        count_changed(int): how many pictures there are, whatever is searched for.
        load_failed(GlassineError): the list could not be fetched; what is shown stays.
        shown_changed(): other pictures are shown now (loaded, searched, inserted, removed).
        not_added(int): so many files could not be added, now that the others are.
        left_at(str picture_id): the viewer was closed at this picture.
        batch_started(str kind, int count), batch_progressed(int done, int total), batch_finished(BatchOutcome): saving
            copies, deleting or restoring; one batch at a time.
        trust_changed(Trust): a complete listing was measured against what is remembered.
        filter_changed(str): other pictures are kept from being shown; see :meth:`set_filter`.
        batch_interrupted(Interrupted): said at the next start, when leaving the same vault stopped a batch.
    """

    state_changed = Signal(object)
    count_changed = Signal(int)
    load_failed = Signal(object)
    shown_changed = Signal()
    not_added = Signal(int)
    left_at = Signal(str)
    batch_started = Signal(str, int)
    batch_progressed = Signal(object, object)
    batch_finished = Signal(object)
    batch_interrupted = Signal(object)
    trust_changed = Signal(object)
    filter_changed = Signal(str)

    def __init__(self, runner: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._vault: PicturesPort | None = None
        self._transfers: TransfersViewModel | None = None
        self.model = PictureModel(self)
        self.thumbnails = Thumbnails(runner, self)
        self.state = GalleryState.STOPPED
        self.trust = Trust()
        self.bin_days = 0
        self._all = PictureList()
        self._listing = PictureListing(runner, self)
        self._search = PictureSearch(runner, lambda: self._all, self)
        self._batch = GalleryBatch(runner, self)
        self.thumbnails.loaded.connect(self.model.touch)
        self._listing.arrived.connect(self._take_over)
        self._listing.completed.connect(self._on_loaded)
        self._listing.failed.connect(self._on_load_failed)
        self._search.found.connect(self._on_found)
        self._batch.started.connect(self.batch_started)
        self._batch.progressed.connect(self.batch_progressed)
        self._batch.over.connect(self._on_batch_over)

    # -- life ------------------------------------------------------------------------------------------------------

    def start(self, vault: PicturesPort) -> None:
        """Show the pictures of a vault."""
        interrupted = self._batch.interrupted
        self.stop()
        self._vault = vault
        self.thumbnails.start(vault)
        self.reload()
        if interrupted is not None and interrupted.place == vault.place:
            self.batch_interrupted.emit(interrupted)

    def stop(self) -> None:
        """Forget everything, for locking and signing out."""
        self._batch.leave(self.place)
        self._listing.stop()
        self._search.stop()
        self._vault = None
        self.trust = Trust()
        self.thumbnails.stop()
        self._all = PictureList()
        self.model.clear()
        let_go()
        self._set_state(GalleryState.STOPPED)
        self.count_changed.emit(0)

    def follow(self, transfers: TransfersViewModel) -> None:
        """Show pictures as soon as they are encrypted, and how far they are on their way."""
        self._transfers = transfers
        transfers.set_library(self.name_of, self.thumbnails.image)
        transfers.not_added.connect(self.not_added)
        transfers.picture_waiting.connect(self.insert_waiting)
        transfers.picture_sending.connect(self.model.set_sending)
        transfers.picture_added.connect(self.insert)
        transfers.picture_withdrawn.connect(lambda picture_id: self.remove([picture_id]))

    # -- loading ---------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Fetch the list, also after a failure. What is shown stays until the new list is there."""
        if self._vault is None or self._listing.running:
            return
        self._set_state(GalleryState.LOADING)
        self._listing.start(self._vault)

    def retry(self) -> None:
        """Try again what failed."""
        self.reload()

    def _on_loaded(self, pictures: PictureList) -> None:
        self._take_over(pictures)
        if self._vault is not None:
            self.trust, self.bin_days = self._vault.trust(), self._vault.bin_days
        self.trust_changed.emit(self.trust)
        self._set_state(GalleryState.READY)

    def _on_load_failed(self, error: GlassineError) -> None:
        self._set_state(GalleryState.FAILED)
        self.load_failed.emit(error)

    def _take_over(self, pictures: PictureList) -> None:
        self._all = pictures
        if self.narrowed:
            self._search.start()
        else:
            self.model.reset(self._all.copy())
        self._count_changed()

    # -- pictures come and go --------------------------------------------------------------------------------------

    def insert(self, picture: Picture, image: object = None) -> None:
        """Show a picture that is stored; one that was waiting is no longer."""
        self._put(picture)
        self.model.set_sending(picture.id, None)

    def insert_waiting(self, picture: Picture, thumbnail: bytes) -> None:
        """Show a picture that is encrypted but not sent yet."""
        self.thumbnails.seed(picture.id, thumbnail)
        self.model.set_sending(picture.id, WAITING)
        self._put(picture)

    def remove(self, picture_ids: Iterable[str]) -> None:
        """Show these pictures no longer."""
        gone = list(picture_ids)
        for picture_id in gone:
            self._all.discard(picture_id)
            self._listing.note_gone(picture_id)
        self.thumbnails.forget(gone)
        self.model.remove(gone)
        self._count_changed()

    def _put(self, picture: Picture) -> None:
        if self._vault is None:
            return
        self._listing.note_there(picture)
        if picture.id in self._all:
            if self._all.replace(picture) < 0:
                self._all.discard(picture.id)
                self._all.add([picture])
            if self._search.sought.keep(picture):
                self.model.replace(picture)
            else:
                self.model.remove([picture.id])
        else:
            self._all.add([picture])
        if self.model.find(picture.id) is None and self._search.sought.shows(picture):
            self.model.insert([picture])
        self._count_changed()

    def mark(
        self,
        holders: Mapping[str, tuple[tuple[str, ...], bool]],
        conflicts: Collection[str],
        waiting: Mapping[str, Sequence[Person]] = MappingProxyType({}),
    ) -> None:
        """Say what is known of pictures besides the listing.

        Args:
            holders: Names of those with whom each shared one is shared, and whether one was never compared.
            conflicts: Of which pictures two versions wait for a choice.
            waiting: Who is to have which pictures and cannot open them yet.
        """
        changed = False
        for picture in list(self._all):
            names, unverified = holders.get(picture.id, ((), False))
            conflict = picture.id in conflicts
            later = tuple(person.name for person in waiting.get(picture.id, ()))
            now = (names, unverified, conflict, later)
            if (picture.shared_with, picture.unverified, picture.conflict, picture.waiting_for) == now:
                continue
            newer = replace(picture, shared_with=names, unverified=unverified, conflict=conflict, waiting_for=later)
            changed = True
            self._all.replace(newer)
            self.model.replace(newer)
        if changed and self.narrowed:
            self._search.start()
        elif changed:
            self.shown_changed.emit()

    # -- searching -------------------------------------------------------------------------------------------------

    def search(self, query: str) -> None:
        """Show only pictures whose name and date contain every word of the query; an empty one shows all."""
        query = " ".join(query.casefold().split())
        if query != self.query:
            self._narrow(replace(self._search.sought, query=query))

    def set_filter(self, name: str, keep: Keep | None = None) -> None:
        """Show only some pictures, such as those that are shared; an empty name shows all again."""
        if name == self.filter and not name:
            return
        unfiltered = Sought(self.query)
        self._narrow(replace(unfiltered, filter=name, keep=keep or unfiltered.keep) if name else unfiltered)
        self.filter_changed.emit(name)

    @property
    def query(self) -> str:
        """What is searched for."""
        return self._search.sought.query

    @property
    def filter(self) -> str:
        """The name of the filter; empty without one."""
        return self._search.sought.filter

    @property
    def narrowed(self) -> bool:
        """Whether not all pictures are meant to be shown."""
        return self._search.sought.narrows

    def _narrow(self, sought: Sought) -> None:
        self._search.sought = sought
        if sought.narrows:
            self._search.start()
        else:
            self.model.reset(self._all.copy())
            self.shown_changed.emit()

    def _on_found(self, pictures: PictureList) -> None:
        self.model.reset(pictures)
        self.shown_changed.emit()

    # -- what the page asks ----------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return len(self._all)

    @property
    def refused(self) -> list[Picture]:
        """Pictures that are not what was stored."""
        return [picture for picture in self._all if picture.state is PictureState.REFUSED]

    def name_of(self, picture_id: str) -> str:
        """The name of a picture, an empty text if there is none of that id."""
        picture = self._all.get(picture_id)
        return "" if picture is None else picture.name

    def summary(self, rows: Iterable[range]) -> SelectionSummary:
        """How many pictures these rows hold, and how large they are together."""
        count = size = 0
        for part in rows:
            count += len(part)
            size += sum(self.model.picture(row).size for row in part)
        return SelectionSummary(count, size)

    def pictures(self, rows: Iterable[range]) -> list[Picture]:
        """The pictures in these rows."""
        return [self.model.picture(row) for part in rows for row in part]

    def all_pictures(self) -> list[Picture]:
        """All pictures, whatever is searched for."""
        return list(self._all)

    def find(self, picture_id: str) -> Picture | None:
        """The picture of that id, shown or not."""
        return self._all.get(picture_id)

    @property
    def vault(self) -> PicturesPort | None:
        """Where the pictures come from; None while nothing is open."""
        return self._vault

    # -- saving copies and deleting --------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether copies are being saved or pictures deleted."""
        return self._batch.busy

    @property
    def batch_kind(self) -> str:
        """What is under way: ``export``, ``bin``, ``delete``, ``restore`` or ``purge``; empty for nothing."""
        return self._batch.kind

    def export(self, pictures: Sequence[Picture], folder: Path) -> None:
        """Save copies under the real names. Nothing is overwritten; a failure does not stop the rest.

        Pictures that are not sent yet are not fetched from anywhere; they end up among the failures with that reason.
        """
        unsent = {picture.id for picture in pictures if self.model.sending(picture.id) is not None}
        order = ExportOrder(list(pictures), unsent, folder)
        self._start_batch("export", len(pictures), export_pictures, order, folder=folder)

    def delete(self, pictures: Sequence[Picture]) -> None:
        """Move pictures to the bin, or delete them for good where there is none; the person has confirmed that.

        Those not sent yet are withdrawn instead.
        """
        waiting = [picture.id for picture in pictures if self.model.sending(picture.id) is not None]
        if self._transfers is not None:
            for picture_id in waiting:
                self._transfers.cancel_picture(picture_id)
        stored = [picture for picture in pictures if picture.id not in set(waiting)]
        kind = "bin" if self.bin_days else "delete"
        self._start_batch(kind, len(stored), delete_pictures, stored, kind)

    def restore(self, pictures: Sequence[Picture]) -> None:
        """Take pictures out of the bin."""
        self._start_batch("restore", len(pictures), restore_pictures, list(pictures))

    def restore_found(self, picture_ids: Sequence[str]) -> None:
        """Take pictures out of the bin of which only the ids are known, whether it was listed yet or not."""
        self._start_batch("restore", len(picture_ids), restore_found, list(picture_ids))

    def purge(self, pictures: Sequence[Picture]) -> None:
        """Delete pictures for good; the person has confirmed it."""
        self._start_batch("purge", len(pictures), purge_pictures, list(pictures))

    def cancel_batch(self) -> None:
        """Stop after the picture at hand. What is done stays done."""
        self._batch.cancel()

    @property
    def place(self) -> Place | None:
        """Where the pictures are kept; None while nothing is open."""
        return None if self._vault is None else self._vault.place

    def _start_batch(
        self, kind: str, count: int, work: Callable[..., Any], *arguments: Any, folder: Path | None = None
    ) -> None:
        if self._vault is not None and not self.busy and count:
            self._batch.start(kind, count, work, self._vault, *arguments, folder=folder)

    def _on_batch_over(self, outcome: BatchOutcome) -> None:
        if outcome.kind in _GONE_AFTERWARDS:
            self.remove(picture.id for picture in outcome.done)
        elif outcome.kind == "restore":
            self._on_restored(outcome.done)
        self.batch_finished.emit(outcome)

    def take_back(self, pictures: Sequence[Picture]) -> None:
        """Show what came back from the bin."""
        for picture in pictures:
            self.insert(picture)

    def _on_restored(self, pictures: Sequence[Picture]) -> None:
        self.take_back(pictures)

    # -- small helpers ---------------------------------------------------------------------------------------------

    def _count_changed(self) -> None:
        self.count_changed.emit(len(self._all))
        self.shown_changed.emit()

    def _set_state(self, state: GalleryState) -> None:
        if state is not self.state:
            self.state = state
            self.state_changed.emit(state)
