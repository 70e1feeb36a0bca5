"""A gallery: which pictures there are and which are shown, saving copies, the bin. Must not import widgets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.errors import Cancelled, GlassineError
from desktop.models import IsCancelled, Person, Picture, PictureState, Place, Report, Trust
from desktop.viewmodels.batches import (
    BatchOutcome,
    ExportOrder,
    Interrupted,
    delete_pictures,
    export_pictures,
    purge_pictures,
    restore_found,
    restore_pictures,
)
from desktop.collector import let_go, many_lasting_objects
from desktop.viewmodels.picture_list import PictureList
from desktop.viewmodels.picture_model import WAITING, PictureModel
from desktop.viewmodels.thumbnails import Thumbnails
from desktop.viewmodels.wording import search_text

if TYPE_CHECKING:
    from desktop.tasks import Runner, Task
    from desktop.viewmodels.transfers import TransfersViewModel
    from desktop.viewmodels.vault_port import VaultPort


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


Keep = Callable[[Picture], bool]
"""Whether a picture is to be shown."""

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
    _page_arrived = Signal(int, object)

    def __init__(self, runner: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._vault: VaultPort | None = None
        self._transfers: TransfersViewModel | None = None
        self.model = PictureModel(self)
        self.thumbnails = Thumbnails(runner, self)
        self.state = GalleryState.STOPPED
        self.query = ""
        self.filter = ""
        self.trust = Trust()
        self.bin_days = 0
        self._keep: Keep = _anything
        self._all = PictureList()
        self._late: dict[str, Picture] = {}
        self._gone: set[str] = set()
        self._load: Task | None = None
        self._load_number = 0
        self._search: Task | None = None
        self._search_again = False
        self._batch: Task | None = None
        self._batch_kind, self._batch_total, self._batch_done = "", 0, 0
        self._batch_folder: Path | None = None
        self._interrupted: Interrupted | None = None
        self._interrupted_task: Task | None = None
        self.thumbnails.loaded.connect(self.model.touch)
        self._page_arrived.connect(self._on_page)

    # -- life ------------------------------------------------------------------------------------------------------

    def start(self, vault: VaultPort) -> None:
        """Show the pictures of a vault."""
        interrupted = self._interrupted
        self.stop()
        self._vault = vault
        self.thumbnails.start(vault)
        self.reload()
        if interrupted is not None and interrupted.place == vault.place:
            self.batch_interrupted.emit(interrupted)

    def stop(self) -> None:
        """Forget everything, for locking and signing out."""
        self._note_interruption()
        for task in (self._load, self._search, self._batch):
            if task is not None:
                task.cancel()
        self._load = self._search = self._batch = None
        self._search_again = False
        self._vault = None
        self.query, self.filter, self._keep = "", "", _anything
        self.trust = Trust()
        self.thumbnails.stop()
        self._all = PictureList()
        self._late.clear()
        self._gone.clear()
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
        if self._vault is None or self._load is not None:
            return
        self._late.clear()
        self._gone.clear()
        self._set_state(GalleryState.LOADING)
        self._load_number += 1
        hand_over = partial(self._page_arrived.emit, self._load_number)
        task = self._load = self._runner.submit(_list, self._vault, hand_over, pool="view")
        task.succeeded.connect(self._on_loaded)
        task.failed.connect(self._on_load_failed)

    def retry(self) -> None:
        """Try again what failed."""
        self.reload()

    def _on_page(self, number: int, pictures: PictureList) -> None:
        if number == self._load_number and self._load is not None:
            self._take_over(pictures)

    def _on_loaded(self, pictures: PictureList) -> None:
        if self.sender() is not self._load:
            return
        self._load = None
        self._take_over(pictures)
        self._late.clear()
        self._gone.clear()
        if self._vault is not None:
            self.trust, self.bin_days = self._vault.trust(), self._vault.bin_days
        self.trust_changed.emit(self.trust)
        self._set_state(GalleryState.READY)

    def _on_load_failed(self, error: GlassineError) -> None:
        if self.sender() is not self._load:
            return
        self._load = None
        self._set_state(GalleryState.FAILED)
        self.load_failed.emit(error)

    def _take_over(self, pictures: PictureList) -> None:
        for picture_id in self._gone:
            pictures.discard(picture_id)
        pictures.add(self._late.values())
        self._all = pictures
        if self.narrowed:
            self._start_search()
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
            self._late.pop(picture_id, None)
            if self._load is not None:
                self._gone.add(picture_id)
        self.thumbnails.forget(gone)
        self.model.remove(gone)
        self._count_changed()

    def _put(self, picture: Picture) -> None:
        if self._vault is None:
            return
        if self._load is not None:
            self._late[picture.id] = picture
            self._gone.discard(picture.id)
        if picture.id in self._all:
            if self._all.replace(picture) < 0:
                self._all.discard(picture.id)
                self._all.add([picture])
            if self._keep(picture):
                self.model.replace(picture)
            else:
                self.model.remove([picture.id])
        else:
            self._all.add([picture])
        if self.model.find(picture.id) is None and self._keep(picture) and _matches(picture, self.query.split(), {}):
            self.model.insert([picture])
        self._count_changed()

    def mark(
        self,
        counts: Mapping[str, tuple[int, bool]],
        conflicts: Collection[str],
        waiting: Mapping[str, Sequence[Person]] = MappingProxyType({}),
    ) -> None:
        """Say what is known of pictures besides the listing.

        Args:
            counts: With how many people each shared one is shared, and whether one of them was never compared.
            conflicts: Of which pictures two versions wait for a choice.
            waiting: Who is to have which pictures and cannot open them yet.
        """
        changed = False
        for picture in list(self._all):
            number, unverified = counts.get(picture.id, (0, False))
            conflict = picture.id in conflicts
            names = tuple(person.name for person in waiting.get(picture.id, ()))
            now = (number, unverified, conflict, names)
            if (picture.shared_with, picture.unverified, picture.conflict, picture.waiting_for) == now:
                continue
            newer = replace(picture, shared_with=number, unverified=unverified, conflict=conflict, waiting_for=names)
            changed = True
            self._all.replace(newer)
            self.model.replace(newer)
        if changed and self.narrowed:
            self._start_search()
        elif changed:
            self.shown_changed.emit()

    # -- searching -------------------------------------------------------------------------------------------------

    def search(self, query: str) -> None:
        """Show only pictures whose name and date contain every word of the query; an empty one shows all."""
        query = " ".join(query.casefold().split())
        if query == self.query:
            return
        self.query = query
        self._narrow()

    def set_filter(self, name: str, keep: Keep | None = None) -> None:
        """Show only some pictures, such as those that are shared; an empty name shows all again."""
        if name == self.filter and not name:
            return
        self.filter, self._keep = name, keep if name and keep is not None else _anything
        self._narrow()
        self.filter_changed.emit(name)

    @property
    def narrowed(self) -> bool:
        """Whether not all pictures are meant to be shown."""
        return bool(self.query or self.filter)

    def _narrow(self) -> None:
        if self.narrowed:
            self._start_search()
        else:
            self.model.reset(self._all.copy())
            self.shown_changed.emit()

    def _start_search(self) -> None:
        if self._search is not None:  # look again when the running one is over
            self._search.cancel()
            self._search_again = True
            return
        sought = Sought(self.query, self.filter, self._keep)
        task = self._search = self._runner.submit(_find, self._all.copy(), sought, pool="view")
        task.succeeded.connect(self._on_found)
        task.finished.connect(self._on_search_over)

    def _on_found(self, found: tuple[Sought, PictureList]) -> None:
        sought, pictures = found
        meant = (sought.query, sought.filter) == (self.query, self.filter)
        if self.sender() is self._search and meant and not self._search_again:
            self.model.reset(pictures)
            self.shown_changed.emit()

    def _on_search_over(self) -> None:
        if self.sender() is not self._search:
            return
        self._search = None
        if self._search_again:
            self._search_again = False
            if self.narrowed:
                self._start_search()

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
    def vault(self) -> VaultPort | None:
        """Where the pictures come from; None while nothing is open."""
        return self._vault

    # -- saving copies and deleting --------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether copies are being saved or pictures deleted."""
        return self._batch is not None

    def export(self, pictures: Sequence[Picture], folder: Path) -> None:
        """Save copies under the real names. Nothing is overwritten; a failure does not stop the rest.

        Pictures that are not sent yet are not fetched from anywhere; they end up among the failures with that reason.
        """
        self._start_batch("export", pictures, folder)

    def delete(self, pictures: Sequence[Picture]) -> None:
        """Move pictures to the bin, or delete them for good where there is none; the person has confirmed that.

        Those not sent yet are withdrawn instead.
        """
        waiting = [picture.id for picture in pictures if self.model.sending(picture.id) is not None]
        if self._transfers is not None:
            for picture_id in waiting:
                self._transfers.cancel_picture(picture_id)
        stored = [picture for picture in pictures if picture.id not in set(waiting)]
        self._start_batch("bin" if self.bin_days else "delete", stored, None)

    def restore(self, pictures: Sequence[Picture]) -> None:
        """Take pictures out of the bin."""
        self._start_batch("restore", pictures, None)

    def restore_found(self, picture_ids: Sequence[str]) -> None:
        """Take pictures out of the bin of which only the ids are known, whether it was listed yet or not."""
        if self._vault is not None and self._batch is None and picture_ids:
            task = self._runner.submit(restore_found, self._vault, list(picture_ids), pool="network")
            self._follow_batch(task, "restore", len(picture_ids), None)

    def purge(self, pictures: Sequence[Picture]) -> None:
        """Delete pictures for good; the person has confirmed it."""
        self._start_batch("purge", pictures, None)

    def cancel_batch(self) -> None:
        """Stop after the picture at hand. What is done stays done."""
        if self._batch is not None:
            self._batch.cancel()

    @property
    def place(self) -> Place | None:
        """Where the pictures are kept; None while nothing is open."""
        return None if self._vault is None else self._vault.place

    def _note_interruption(self) -> None:
        """Keep in mind what leaving the vault stops."""
        task = self._interrupted_task = self._batch
        self._interrupted = None
        if task is not None and self._vault is not None:
            self._interrupted = Interrupted(
                self._batch_kind, self._vault.place, self._batch_total, self._batch_done, self._batch_folder
            )
            task.succeeded.connect(self._on_interrupted_over)

    def _on_interrupted_over(self, outcome: BatchOutcome) -> None:
        """Now it is known how far it came."""
        if self.sender() is self._interrupted_task and self._interrupted is not None:
            self._interrupted = replace(self._interrupted, done=len(outcome.done))

    def _start_batch(self, kind: str, pictures: Sequence[Picture], folder: Path | None) -> None:
        if self._vault is None or self._batch is not None or not pictures:
            return
        vault, chosen = self._vault, list(pictures)
        if folder is not None:
            unsent = {picture.id for picture in pictures if self.model.sending(picture.id) is not None}
            task = self._runner.submit(export_pictures, vault, ExportOrder(chosen, unsent, folder), pool="network")
        elif kind == "restore":
            task = self._runner.submit(restore_pictures, vault, chosen, pool="network")
        elif kind == "purge":
            task = self._runner.submit(purge_pictures, vault, chosen, pool="network")
        else:
            task = self._runner.submit(delete_pictures, vault, chosen, kind, pool="network")
        self._follow_batch(task, kind, len(chosen), folder)

    def _follow_batch(self, task: Task, kind: str, total: int, folder: Path | None) -> None:
        self._batch_kind, self._batch_total, self._batch_done = kind, total, 0
        self._batch_folder = folder
        self._batch = task
        task.progressed.connect(self._on_batch_progressed)
        task.succeeded.connect(self._on_batch_over)
        task.failed.connect(self._on_batch_failed)
        task.cancelled.connect(self._on_batch_cancelled)
        self.batch_started.emit(kind, total)

    def _on_batch_progressed(self, done: int, total: int) -> None:
        if self.sender() is self._batch:
            self._batch_done = done // 1000
            self.batch_progressed.emit(done, total)

    def _on_batch_over(self, outcome: BatchOutcome) -> None:
        if self.sender() is not self._batch:
            return
        self._batch = None
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

    def _on_batch_failed(self, error: GlassineError) -> None:
        if self.sender() is self._batch:
            self._batch = None
            self.batch_finished.emit(self._outcome(stopped_by=error))

    def _on_batch_cancelled(self) -> None:
        if self.sender() is self._batch:
            self._batch = None
            self.batch_finished.emit(self._outcome(cancelled=True))

    def _outcome(self, *, cancelled: bool = False, stopped_by: GlassineError | None = None) -> BatchOutcome:
        """The end of a batch that brought no outcome of its own."""
        return BatchOutcome(
            self._batch_kind,
            self._batch_total,
            cancelled=cancelled,
            stopped_by=stopped_by,
            folder=self._batch_folder,
        )

    # -- small helpers ---------------------------------------------------------------------------------------------

    def _count_changed(self) -> None:
        self.count_changed.emit(len(self._all))
        self.shown_changed.emit()

    def _set_state(self, state: GalleryState) -> None:
        if state is not self.state:
            self.state = state
            self.state_changed.emit(state)


def _list(
    vault: VaultPort, hand_over: Callable[[PictureList], object], report: Report, cancelled: IsCancelled
) -> PictureList:
    """List everything, handing over the first page at once and then each time there is twice as much."""
    so_far: list[Picture] = []
    handed_over = 0

    def on_page(page: list[Picture]) -> None:
        nonlocal handed_over
        if cancelled():
            raise Cancelled
        so_far.extend(page)
        if len(so_far) >= max(1, 2 * handed_over):
            handed_over = len(so_far)
            hand_over(PictureList(so_far))

    with many_lasting_objects():
        return PictureList(vault.list_pictures(report, cancelled, on_page))


@dataclass(frozen=True, slots=True)
class Sought:
    """What is to be shown: words, the name of a filter, and what it keeps."""

    query: str
    filter: str
    keep: Keep


def _anything(picture: Picture) -> bool:
    return True


def _find(pictures: PictureList, sought: Sought, report: Report, cancelled: IsCancelled) -> tuple[Sought, PictureList]:
    words = sought.query.split()
    days: _Days = {}
    found: list[Picture] = []
    for number, picture in enumerate(pictures):
        if number % 512 == 0 and cancelled():
            raise Cancelled
        if sought.keep(picture) and _matches(picture, words, days):
            found.append(picture)
    return sought, PictureList(found)


_Days = dict[date, frozenset[str]]


def _matches(picture: Picture, words: Sequence[str], days: _Days) -> bool:
    name = picture.name.casefold()
    rest = [word for word in words if word not in name]
    if not rest:
        return True
    day = picture.when.date()
    if day not in days:
        days[day] = frozenset(search_text(day).split())
    return all(_in_date(word, days[day]) for word in rest)


def _in_date(word: str, day: frozenset[str]) -> bool:
    """Whether a word is one of the date's, or the beginning of one; a bare number must be the whole number."""
    return word in day or (not word.isdigit() and any(part.startswith(word) for part in day))
