"""Pictures on their way into the vault: encrypt, then send, a bounded number at a time. Must not import widgets."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from desktop.errors import (
    AlreadyStored,
    GlassineError,
    NetworkError,
    NotSignedIn,
    ServerSilent,
    StorageFull,
    StorageReadOnly,
)
from desktop.models import Picture, Place
from desktop.viewmodels import transfer_work as work
from desktop.viewmodels.queue_keeper import QueueKeeper
from desktop.viewmodels.transfer import PER_FILE, Outcome, Stage, Transfer, TransfersSummary, outcome_of, problem_of
from desktop.viewmodels.transfer_board import OPEN, TransferBoard
from desktop.viewmodels.transfer_intake import Intake
from desktop.viewmodels.transfer_news import TransferNews
from desktop.viewmodels.transfer_pipeline import Pipeline
from desktop.viewmodels.transfer_silence import Silence
from desktop.viewmodels.transfer_withdrawal import Withdrawal

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from desktop.client.preflight import Preflight, SourceFile
    from desktop.tasks import Runner
    from desktop.viewmodels.vault_port import VaultPort

_CONCERNS_ALL = (StorageFull, StorageReadOnly, NotSignedIn)
"""Troubles after which every other file would fail too: the queue stops and the rest keeps waiting."""


class TransfersViewModel(QObject):
    """The queue of files to add, in two stages, so that one file is encrypted while another is sent.

    One stuck file never stops the rest: work that shows no sign of life for ``STUCK_S`` gives its place to others.
    What waits is kept on the disk (paths encrypted, pictures as ciphertext) and goes on at the next start.

    Signals:
        picture_waiting(Picture, bytes thumbnail): encrypted, not sent yet.
        picture_sending(str picture_id, float share): how much of it is sent.
        picture_added(Picture, QImage or None): stored.
        picture_withdrawn(str picture_id): was waiting, is not any more.
        listed(): files came, went, or moved to another section; at most ten times a second.
        moved(int number): a file's progress.
        summary_changed(TransfersSummary): at most ten times a second.
        looked_over(Preflight): the result of :meth:`look_over`.
        not_added(int): so many more files than before are unsupported or too large, now that all are over.
        found_in_bin(str picture_id): a file's picture is in the bin; it is to be taken out, not stored twice.
        failed(GlassineError): looking over, or resuming an earlier queue, failed.
    """

    picture_waiting = Signal(object, object)
    picture_sending = Signal(str, float)
    picture_added = Signal(object, object)
    picture_withdrawn = Signal(str)
    listed = Signal()
    moved = Signal(int)
    summary_changed = Signal(object)
    looked_over = Signal(object)
    not_added = Signal(int)
    found_in_bin = Signal(str)
    failed = Signal(object)

    def __init__(
        self, runner: Runner, parent: QObject | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(parent)
        self._runner, self._clock = runner, clock
        self._vault: VaultPort | None = None
        self._board = TransferBoard(clock)
        self._silence = Silence(clock)
        self.pipeline = Pipeline(runner, self._board, self._silence, clock, lambda: self._stopped, self)
        self.news = TransferNews(lambda: self.summary, self)
        self._intake = Intake(runner, self)
        self._withdrawal = Withdrawal(runner, self)
        self._keeper = QueueKeeper(runner, self._board.sources, self)
        self._name_of: Callable[[str], str] = lambda picture_id: ""
        self._image_of: Callable[[str], QImage | None] = lambda picture_id: None
        self._held: list[Preflight] = []
        self.paused = False
        self.halted_by: GlassineError | None = None
        self._connect()

    def _connect(self) -> None:
        intake, pipeline, news = self._intake, self.pipeline, self.news
        intake.resumed.connect(self._on_resumed)
        intake.looked_over.connect(self.looked_over)
        intake.found.connect(self.add_looked_over)
        intake.failed.connect(self.failed)
        pipeline.moved.connect(news.note)
        pipeline.sending.connect(lambda picture_id: self.picture_sending.emit(picture_id, 0.0))
        pipeline.progressed.connect(self._on_progress)
        pipeline.succeeded.connect(self._on_succeeded)
        pipeline.failed.connect(self._on_failed)
        self._withdrawal.withdrawn.connect(self.picture_withdrawn)
        self._withdrawal.stayed.connect(lambda picture: self.picture_added.emit(picture, None))
        news.listed.connect(self.listed)
        news.summary_changed.connect(self.summary_changed)
        news.not_added.connect(self.not_added)

    # -- life ------------------------------------------------------------------------------------------------------

    def start(self, vault: VaultPort) -> None:
        """Work for this vault, first with what an earlier run left."""
        self.stop()
        self._vault = vault
        self._withdrawal.start(vault)
        self._keeper.start(vault)
        self.pipeline.start(vault)
        self._intake.start(vault)

    def stop(self) -> None:
        """Stop working and forget everything; what waits stays on the disk for the next start."""
        self.pipeline.stop()
        self._intake.stop()
        self._keeper.stop()
        self._withdrawal.stop()
        self._vault = None
        self._held.clear()
        self._board.clear()
        self.paused, self.halted_by = False, None
        self._silence.end()
        self.news.start_over()

    def set_library(self, name_of: Callable[[str], str], image_of: Callable[[str], QImage | None]) -> None:
        """Say how to find name and small image of a stored picture, for "Same picture as …"."""
        self._name_of, self._image_of = name_of, image_of

    @property
    def resuming(self) -> bool:
        """Whether it is not known yet what an earlier run left."""
        return self._intake.resuming

    @property
    def place(self) -> Place | None:
        """Where pictures go; None while nothing is open."""
        return None if self._vault is None else self._vault.place

    def expected_seconds(self, sizes: Iterable[int]) -> float | None:
        """How long files of these sizes would take at the speed of late; None if nothing was sent yet."""
        rate = self._board.estimate.rate
        return sum(size + PER_FILE for size in sizes) / rate if rate else None

    def name_of(self, picture_id: str) -> str:
        """The name of a stored picture, or an empty text."""
        return self._name_of(picture_id)

    def image_of(self, picture_id: str) -> QImage | None:
        """The image of a stored picture if it is at hand."""
        return self._image_of(picture_id)

    def _on_resumed(self, left: work.Left) -> None:
        staged, sources = left
        for item, thumbnail in staged:
            transfer = self._board.new(item.picture.name, item.picture.size, None)
            transfer.staged, transfer.picture_id, transfer.thumbnail = item, item.picture.id, thumbnail
            transfer.stage, transfer.encrypted = Stage.STAGED, 1.0
            self._enlist(transfer)
            self.picture_waiting.emit(item.picture, item.thumbnail)
        for path, size in sources:
            self._enlist(self._board.new(path.name, size, path))
        self.pipeline.advance()
        held, self._held = self._held, []
        for preflight in held:
            self.add_looked_over(preflight)

    # -- adding ----------------------------------------------------------------------------------------------------

    def look_over(self, paths: Sequence[Path]) -> None:
        """Find out what these files and folders hold; answered by ``looked_over``. A later call replaces this one."""
        self._intake.look_over(paths)

    def cancel_look_over(self) -> None:
        """The answer is not wanted any more."""
        self._intake.cancel_look_over()

    def add(self, paths: Sequence[Path]) -> None:
        """Add files and everything in folders, without asking."""
        self._intake.add(paths)

    def add_looked_over(self, preflight: Preflight) -> None:
        """Add what was looked over. What cannot be added is listed with its reason."""
        if self._vault is None:
            return
        if self._intake.resuming:
            # what an earlier run left is read first: the list on the disk is about to be written anew
            self._held.append(preflight)
            return
        under_way = {transfer.source for transfer in self._board.of(*OPEN)}
        for file in preflight.files:
            if file.path not in under_way:
                self._enlist_file(file)
        self._keeper.save_now()
        self.pipeline.advance()

    def _enlist_file(self, file: SourceFile) -> None:
        transfer = self._board.new(file.path.name, file.size, file.path)
        problem = problem_of(file)
        if problem is not None:
            transfer.error, transfer.outcome = problem, outcome_of(problem)
            transfer.stage, transfer.picture_id = Stage.OVER, file.picture_id
            self._tell_of_bin(problem)
        self._enlist(transfer)

    def _tell_of_bin(self, error: GlassineError) -> None:
        if isinstance(error, AlreadyStored) and error.in_bin:
            self.found_in_bin.emit(error.picture_id)

    def _enlist(self, transfer: Transfer) -> None:
        self._board.enlist(transfer)
        self.news.note()

    # -- how work went ---------------------------------------------------------------------------------------------

    @property
    def _stopped(self) -> bool:
        """Whether the person or a trouble that concerns all files has stopped the queue."""
        return self.paused or self.halted_by is not None

    def _on_progress(self, number: int, done: int, total: int) -> None:
        transfer = self._board.get(number)
        if transfer is None or transfer.stage not in (Stage.ENCRYPTING, Stage.SENDING):
            return
        transfer.moved_at = self._clock()
        share = min(1.0, done / total) if total > 0 else 0.0
        before = transfer.share, transfer.sent
        if transfer.stage is Stage.SENDING:
            if transfer.outcome is Outcome.WAITING:
                if not share:
                    return
                self._move(transfer, Outcome.IN_PROGRESS, Stage.SENDING)
            transfer.sent = share
            self.picture_sending.emit(transfer.picture_id, share)
        else:
            transfer.encrypted = share
        self._progressed(transfer, *before)
        self.moved.emit(number)

    def _on_succeeded(self, number: int, result: Any) -> None:
        transfer = self._board.get(number)
        if transfer is None:  # cancelled, but too late to stop it
            if isinstance(result, tuple):
                self._withdrawal.discard(result[0])
            return
        transfer.task = None
        before = transfer.share, transfer.sent
        if transfer.stage is Stage.ENCRYPTING:
            transfer.staged, transfer.thumbnail = result
            picture: Picture = transfer.staged.picture
            self._board.resize(transfer, picture.size)
            transfer.picture_id, transfer.encrypted = picture.id, 1.0
            self._move(transfer, Outcome.WAITING, Stage.STAGED, first=True)
            self._progressed(transfer, *before)
            self._keeper.save_soon()
            self.picture_waiting.emit(picture, transfer.staged.thumbnail)
        else:
            transfer.staged, transfer.sent, transfer.tries = None, 1.0, 0
            if self._silence.error is not None:
                self._silence.end()
                self._board.estimate.restart()
            self._finish(transfer, Outcome.DONE, *before)
            self.picture_added.emit(result, transfer.thumbnail)
        self.pipeline.advance()

    def _on_failed(self, number: int, error: GlassineError) -> None:
        transfer = self._board.get(number)
        if transfer is None:
            return
        transfer.task = None
        before = transfer.share, transfer.sent
        transfer.sent = 0.0
        self._silence.forget_probe(transfer)
        if isinstance(error, ServerSilent) and transfer.staged and self._silence.bears(transfer):
            self._silence.met(error)
            transfer.tries += 1
            self._move(transfer, Outcome.WAITING, Stage.STAGED)
            self._progressed(transfer, *before)
            self.picture_sending.emit(transfer.picture_id, -1.0)
            self.pipeline.advance()
            return
        if isinstance(error, NetworkError) and not isinstance(error, ServerSilent) and self._silence.error is not None:
            self._silence.end()
        transfer.error = error
        if isinstance(error, _CONCERNS_ALL):
            self.halted_by = error
        self._tell_of_bin(error)
        outcome = outcome_of(error)
        if transfer.staged is not None:
            if outcome is Outcome.FAILED:
                self.picture_sending.emit(transfer.picture_id, -1.0)
            else:
                self._withdrawal.withdraw(transfer)
        transfer.picture_id = getattr(error, "picture_id", "") or transfer.picture_id
        self._finish(transfer, outcome, *before)
        self.pipeline.advance()

    # -- what people do --------------------------------------------------------------------------------------------

    def ask_now(self) -> None:
        """Ask the silent server now, not later."""
        self._silence.ask_now()
        self.pipeline.advance()

    def cancel(self, number: int) -> None:
        """Take a file out of the queue, whatever it is at. Done files are only taken off the list."""
        transfer = self._board.get(number)
        if transfer is not None:
            self._drop(transfer)
            self._keeper.save_soon()
            self.pipeline.advance()

    def cancel_picture(self, picture_id: str) -> None:
        """Withdraw a picture that is encrypted but not stored yet."""
        for transfer in self._board.of(*OPEN, Outcome.FAILED):
            if transfer.picture_id == picture_id and transfer.staged is not None:
                self.cancel(transfer.number)

    def cancel_all(self) -> None:
        """Take everything out that is not over."""
        for transfer in self._board.of(*OPEN):
            self._drop(transfer)
        self.paused = False
        self._keeper.save_soon()
        self.pipeline.advance()

    def retry(self, number: int) -> None:
        """Try a failed file again."""
        transfer = self._board.get(number)
        if transfer is not None and transfer.outcome is Outcome.FAILED:
            self._requeue([transfer])

    def retry_failed(self) -> None:
        """Try all failed files again."""
        self._requeue(self._board.of(Outcome.FAILED))

    def pause(self) -> None:
        """Begin nothing new. What is at work is finished."""
        self.paused = True
        self.news.note()

    def resume(self) -> None:
        """Go on, also with those files that failed because of what stopped all of them."""
        if self.halted_by is not None:
            for transfer in self._board.of(Outcome.FAILED):
                if isinstance(transfer.error, _CONCERNS_ALL):
                    self._board.requeue(transfer)
        self.paused, self.halted_by = False, None
        self._silence.ask_now()
        self._board.estimate.restart()
        self.news.note()
        self.pipeline.advance()

    def clear(self, outcome: Outcome) -> None:
        """Take a section that is over off the list."""
        if outcome in OPEN:
            return
        for transfer in self._board.of(outcome):
            self._drop(transfer, leave_run=False)
        self.news.cleared()
        self._keeper.save_soon()

    def _requeue(self, transfers: Iterable[Transfer]) -> None:
        self.halted_by = None
        self._silence.ask_now()
        unmeasured: list[tuple[int, Path]] = []
        for transfer in transfers:
            self._board.requeue(transfer)
            if not transfer.size and transfer.source is not None:
                unmeasured.append((transfer.number, transfer.source))
        if unmeasured:
            self._runner.submit(work.measure, unmeasured, pool="view").succeeded.connect(self._on_measured)
        self.news.note()
        self._keeper.save_soon()
        self.pipeline.advance()

    def _on_measured(self, sizes: list[tuple[int, int]]) -> None:
        """Files that were missing when the queue was taken up had no size."""
        for number, size in sizes:
            transfer = self._board.get(number)
            if transfer is not None and not transfer.size:
                self._board.resize(transfer, size)
        self.news.note()

    def _drop(self, transfer: Transfer, *, leave_run: bool = True) -> None:
        self._silence.forget_probe(transfer)
        if transfer.task is not None:
            transfer.task.cancel()
        if transfer.staged is not None:
            self._withdrawal.withdraw(transfer)
        self._board.drop(transfer, leave_run=leave_run)
        self.news.note()

    # -- lists and figures -----------------------------------------------------------------------------------------

    def count(self, outcome: Outcome) -> int:
        """Number of files in a section."""
        return self._board.count(outcome)

    def transfers(self, outcome: Outcome, limit: int) -> list[Transfer]:
        """The first files of a section; of the done ones the latest."""
        board = self._board
        return list(itertools.islice(board.latest(outcome) if outcome is Outcome.DONE else board.each(outcome), limit))

    def transfer(self, number: int) -> Transfer | None:
        """A file, if it is still listed."""
        return self._board.get(number)

    @property
    def summary(self) -> TransfersSummary:
        """How things stand."""
        return self._board.summary(
            stopped=self._stopped,
            silent=self._silence.error,
            asking=self._silence.probe is not None,
            halted_by=self.halted_by,
        )

    def _finish(self, transfer: Transfer, outcome: Outcome, share_before: float, sent_before: float) -> None:
        self._board.finish(transfer, outcome, share_before, sent_before)
        self._keeper.save_soon()
        self.news.note()

    def _move(self, transfer: Transfer, outcome: Outcome, stage: Stage, *, first: bool = False) -> None:
        self._board.move(transfer, outcome, stage, first=first)
        self.news.note()

    def _progressed(self, transfer: Transfer, share_before: float, sent_before: float) -> None:
        self._board.progressed(transfer, share_before, sent_before)
        self.news.note(moved_only=True)
