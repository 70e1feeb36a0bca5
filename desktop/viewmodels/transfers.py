"""Pictures on their way into the vault: encrypt, then send, a bounded number at a time. Must not import widgets."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QObject, QTimer, Signal

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

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from desktop.client.preflight import Preflight, SourceFile
    from desktop.tasks import Runner, Task
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

    ENCRYPTING: Final = 1
    SENDING: Final = 2
    AHEAD: Final = 4
    """So many pictures may be encrypted and wait for sending; more would only fill the disk."""
    STUCK_S: Final = 20.0
    COALESCE_MS: Final = 100
    SILENCE_RETRY_S: Final = (5.0, 20.0, 60.0)
    """When the server does not answer it is asked again by itself after these times, the last one over and over.

    One picture is sent to ask; a picture that meets silence so often while the server takes others has failed.
    """

    def __init__(
        self, runner: Runner, parent: QObject | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(parent)
        self._runner = runner
        self._clock = clock
        self._vault: VaultPort | None = None
        self._board = TransferBoard(clock)
        self._keeper = QueueKeeper(runner, self._board.sources, self)
        self._session = 0
        self._name_of: Callable[[str], str] = lambda picture_id: ""
        self._image_of: Callable[[str], QImage | None] = lambda picture_id: None
        self._resuming: Task | None = None
        self._looking: Task | None = None
        self._adding: set[Task] = set()
        self._silent: ServerSilent | None = None
        self._silent_until, self._silences = 0.0, 0
        self._probe: Transfer | None = None
        self._not_added = 0
        self.paused = False
        self.halted_by: GlassineError | None = None
        self._notice = self._timer(self.COALESCE_MS, self._tell)
        self._watch = self._timer(5000, self._look_after, repeat=True)
        self._again = self._timer(1000, self._advance)

    def _timer(self, milliseconds: int, called: Callable[[], None], *, repeat: bool = False) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(not repeat)
        timer.setInterval(milliseconds)
        timer.timeout.connect(called)
        return timer

    # -- life ------------------------------------------------------------------------------------------------------

    def start(self, vault: VaultPort) -> None:
        """Work for this vault, first with what an earlier run left."""
        self.stop()
        self._vault = vault
        self._keeper.start(vault)
        task = self._resuming = self._runner.submit(work.resume, vault, pool="view")
        task.succeeded.connect(self._on_resumed)
        task.failed.connect(self._on_resume_failed)

    def stop(self) -> None:
        """Stop working and forget everything; what waits stays on the disk for the next start."""
        tasks = [transfer.task for transfer in self._board.all()]
        for task in (*tasks, *self._adding, self._resuming, self._looking):
            if task is not None:
                task.cancel()
        self._resuming = self._looking = None
        self._adding.clear()
        self._keeper.stop()
        self._vault = None
        self._session += 1
        self._board.clear()
        self.paused, self.halted_by = False, None
        self._answered()
        self._not_added = 0
        self._watch.stop()
        self._again.stop()
        self._tell()

    def set_library(self, name_of: Callable[[str], str], image_of: Callable[[str], QImage | None]) -> None:
        """Say how to find name and small image of a stored picture, for "Same picture as …"."""
        self._name_of, self._image_of = name_of, image_of

    @property
    def resuming(self) -> bool:
        """Whether it is not known yet what an earlier run left."""
        return self._resuming is not None

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
        if self.sender() is not self._resuming:
            return
        self._resuming = None
        staged, sources = left
        for item, thumbnail in staged:
            transfer = self._board.new(item.picture.name, item.picture.size, None)
            transfer.staged, transfer.picture_id, transfer.thumbnail = item, item.picture.id, thumbnail
            transfer.stage, transfer.encrypted = Stage.STAGED, 1.0
            self._enlist(transfer)
            self.picture_waiting.emit(item.picture, item.thumbnail)
        for path, size in sources:
            self._enlist(self._board.new(path.name, size, path))
        self._advance()

    def _on_resume_failed(self, error: GlassineError) -> None:
        if self.sender() is self._resuming:
            self._resuming = None
            self.failed.emit(error)

    # -- adding ----------------------------------------------------------------------------------------------------

    def look_over(self, paths: Sequence[Path]) -> None:
        """Find out what these files and folders hold; answered by ``looked_over``. A later call replaces this one."""
        if self._vault is None:
            return
        self.cancel_look_over()
        task = self._looking = self._runner.submit(work.look_over, self._vault, list(paths), pool="view")
        task.succeeded.connect(self._on_looked_over)
        task.failed.connect(self._on_look_over_failed)

    def cancel_look_over(self) -> None:
        """The answer is not wanted any more."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _on_looked_over(self, preflight: Preflight) -> None:
        if self.sender() is self._looking:
            self._looking = None
            self.looked_over.emit(preflight)

    def _on_look_over_failed(self, error: GlassineError) -> None:
        if self.sender() is self._looking:
            self._looking = None
            self.failed.emit(error)

    def add(self, paths: Sequence[Path]) -> None:
        """Add files and everything in folders, without asking."""
        if self._vault is None or not paths:
            return
        task = self._runner.submit(work.look_over, self._vault, list(paths), pool="view")
        self._adding.add(task)
        task.succeeded.connect(self._on_found)
        task.failed.connect(self._on_add_failed)

    def _on_found(self, preflight: Preflight) -> None:
        task = self.sender()
        if task in self._adding:
            self._adding.discard(task)
            self.add_looked_over(preflight)

    def _on_add_failed(self, error: GlassineError) -> None:
        task = self.sender()
        if task in self._adding:
            self._adding.discard(task)
            self.failed.emit(error)

    def add_looked_over(self, preflight: Preflight) -> None:
        """Add what was looked over. What cannot be added is listed with its reason."""
        if self._vault is None:
            return
        under_way = {transfer.source for transfer in self._board.of(*OPEN)}
        for file in preflight.files:
            if file.path not in under_way:
                self._enlist_file(file)
        self._keeper.save_now()
        self._advance()

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
        self._news()

    # -- the two stages --------------------------------------------------------------------------------------------

    def _advance(self) -> None:
        """Begin whatever may begin now."""
        if self._vault is None or self.paused or self.halted_by is not None:
            return
        board = self._board
        active = [transfer for transfer in board.each(Outcome.IN_PROGRESS) if not transfer.slow]
        encrypting = sum(transfer.stage is Stage.ENCRYPTING for transfer in active)
        sending = len(active) - encrypting
        first = itertools.islice(board.each(Outcome.WAITING), 64)
        staged = [transfer for transfer in first if transfer.stage is Stage.STAGED]
        if (wait := self._silent_until - self._clock()) > 0:
            self._again.start(int(wait * 1000) + 50)
        elif self._silent is not None:
            if staged and not sending and self._probe is None:
                self._ask(staged[0])
        else:
            for transfer in staged[: max(0, self.SENDING - sending)]:
                self._send(transfer)
        ahead = len(staged) + encrypting
        queued = (transfer for transfer in board.each(Outcome.WAITING) if transfer.stage is Stage.QUEUED)
        for transfer in list(itertools.islice(queued, self.ENCRYPTING)):
            if encrypting < self.ENCRYPTING and ahead < self.AHEAD:
                encrypting, ahead = encrypting + 1, ahead + 1
                self._encrypt(transfer)
        if board.count(Outcome.IN_PROGRESS) and not self._watch.isActive():
            self._watch.start()

    def _encrypt(self, transfer: Transfer) -> None:
        self._move(transfer, Outcome.IN_PROGRESS, Stage.ENCRYPTING)
        self._begin(transfer, work.seal, transfer.source, pool="crypto")

    def _send(self, transfer: Transfer) -> None:
        self._move(transfer, Outcome.IN_PROGRESS, Stage.SENDING)
        self.picture_sending.emit(transfer.picture_id, 0.0)
        self._begin(transfer, work.upload, transfer.staged, pool="network")

    def _ask(self, transfer: Transfer) -> None:
        """Send one picture to see whether the server answers again; it is listed as waiting until it does."""
        self._probe, transfer.stage = transfer, Stage.SENDING
        self._begin(transfer, work.upload, transfer.staged, pool="network")
        self._news()

    def _answered(self) -> None:
        """The server is not silent, or that is forgotten."""
        self._silent, self._silent_until, self._silences, self._probe = None, 0.0, 0, None

    def _begin(self, transfer: Transfer, what: Callable[..., Any], argument: Any, *, pool: str) -> None:
        task = self._runner.submit(what, self._vault, argument, pool=pool)
        transfer.task, transfer.moved_at, transfer.slow = task, self._clock(), False
        number, session = transfer.number, self._session

        def of_now() -> bool:
            """Whether it is news of this session; files of the one before wait on the disk for its next start."""
            return session == self._session

        task.progressed.connect(lambda done, total: self._on_progress(number, done, total) if of_now() else None)
        task.succeeded.connect(lambda result: self._on_succeeded(number, result) if of_now() else None)
        task.failed.connect(lambda error: self._on_failed(number, error) if of_now() else None)

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
                self._discard(result[0])
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
            if self._silent is not None:
                self._answered()
                self._board.estimate.restart()
            self._finish(transfer, Outcome.DONE, *before)
            self.picture_added.emit(result, transfer.thumbnail)
        self._advance()

    def _on_failed(self, number: int, error: GlassineError) -> None:
        transfer = self._board.get(number)
        if transfer is None:
            return
        transfer.task = None
        before = transfer.share, transfer.sent
        transfer.sent = 0.0
        if self._probe is transfer:
            self._probe = None
        if isinstance(error, ServerSilent) and transfer.staged and self._may_wait(transfer):
            self._wait_for_server(error)
            transfer.tries += 1
            self._move(transfer, Outcome.WAITING, Stage.STAGED)
            self._progressed(transfer, *before)
            self.picture_sending.emit(transfer.picture_id, -1.0)
            self._advance()
            return
        if self._silent is not None and isinstance(error, NetworkError) and not isinstance(error, ServerSilent):
            self._answered()
        transfer.error = error
        if isinstance(error, _CONCERNS_ALL):
            self.halted_by = error
        self._tell_of_bin(error)
        outcome = outcome_of(error)
        if transfer.staged is not None:
            if outcome is Outcome.FAILED:
                self.picture_sending.emit(transfer.picture_id, -1.0)
            else:
                self._withdraw(transfer)
        transfer.picture_id = getattr(error, "picture_id", "") or transfer.picture_id
        self._finish(transfer, outcome, *before)
        self._advance()

    def _may_wait(self, transfer: Transfer) -> bool:
        return self._silent is not None or transfer.tries < len(self.SILENCE_RETRY_S)

    def _wait_for_server(self, error: ServerSilent) -> None:
        """Ask again later, each time a little later; two pictures that meet the same silence count once."""
        now = self._clock()
        if self._silent is None or now >= self._silent_until:
            pause = self.SILENCE_RETRY_S[min(self._silences, len(self.SILENCE_RETRY_S) - 1)]
            self._silences += 1
            self._silent_until = now + pause
        self._silent = error

    # -- what people do --------------------------------------------------------------------------------------------

    def ask_now(self) -> None:
        """Ask the silent server now, not later."""
        self._silent_until = 0.0
        self._advance()

    def cancel(self, number: int) -> None:
        """Take a file out of the queue, whatever it is at. Done files are only taken off the list."""
        transfer = self._board.get(number)
        if transfer is not None:
            self._drop(transfer)
            self._keeper.save_soon()
            self._advance()

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
        self._advance()

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
        self._news()

    def resume(self) -> None:
        """Go on, also with those files that failed because of what stopped all of them."""
        if self.halted_by is not None:
            for transfer in self._board.of(Outcome.FAILED):
                if isinstance(transfer.error, _CONCERNS_ALL):
                    self._board.requeue(transfer)
        self.paused, self.halted_by, self._silent_until = False, None, 0.0
        self._board.estimate.restart()
        self._news()
        self._advance()

    def clear(self, outcome: Outcome) -> None:
        """Take a section that is over off the list."""
        if outcome in OPEN:
            return
        for transfer in self._board.of(outcome):
            self._drop(transfer, leave_run=False)
        self._not_added = min(self._not_added, self.summary.not_added)
        self._keeper.save_soon()

    def _requeue(self, transfers: Iterable[Transfer]) -> None:
        self.halted_by, self._silent_until = None, 0.0
        unmeasured: list[tuple[int, Path]] = []
        for transfer in transfers:
            self._board.requeue(transfer)
            if not transfer.size and transfer.source is not None:
                unmeasured.append((transfer.number, transfer.source))
        if unmeasured:
            self._runner.submit(work.measure, unmeasured, pool="view").succeeded.connect(self._on_measured)
        self._news()
        self._keeper.save_soon()
        self._advance()

    def _on_measured(self, sizes: list[tuple[int, int]]) -> None:
        """Files that were missing when the queue was taken up had no size."""
        for number, size in sizes:
            transfer = self._board.get(number)
            if transfer is not None and not transfer.size:
                self._board.resize(transfer, size)
        self._news()

    def _drop(self, transfer: Transfer, *, leave_run: bool = True) -> None:
        if self._probe is transfer:
            self._probe = None
        if transfer.task is not None:
            transfer.task.cancel()
        if transfer.staged is not None:
            self._withdraw(transfer)
        self._board.drop(transfer, leave_run=leave_run)
        self._news()

    def _withdraw(self, transfer: Transfer) -> None:
        staged, transfer.staged = transfer.staged, None
        task = transfer.task
        if task is None:
            self._discard(staged)
        else:  # the sender still reads the file; it may also arrive too late to be stopped
            task.cancelled.connect(lambda: self._discard(staged))
            task.failed.connect(lambda error: self._discard(staged))
            task.succeeded.connect(self._take_back)
        self.picture_withdrawn.emit(transfer.picture_id)

    def _take_back(self, picture: Picture) -> None:
        """Delete a picture that was cancelled before the server had acknowledged it; if that fails, it is there."""
        if self._vault is not None:
            task = self._runner.submit(work.take_back, self._vault, picture.id, pool="network")
            task.failed.connect(lambda error: self.picture_added.emit(picture, None))

    def _discard(self, staged: Any) -> None:
        if self._vault is not None:
            self._runner.submit(work.discard, self._vault, staged, pool="view")

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
            stopped=self.paused or self.halted_by is not None,
            silent=self._silent,
            asking=self._probe is not None,
            halted_by=self.halted_by,
        )

    def _finish(self, transfer: Transfer, outcome: Outcome, share_before: float, sent_before: float) -> None:
        self._board.finish(transfer, outcome, share_before, sent_before)
        self._keeper.save_soon()
        self._news()

    def _move(self, transfer: Transfer, outcome: Outcome, stage: Stage, *, first: bool = False) -> None:
        self._board.move(transfer, outcome, stage, first=first)
        self._news()

    def _progressed(self, transfer: Transfer, share_before: float, sent_before: float) -> None:
        self._board.progressed(transfer, share_before, sent_before)
        self._news(moved_only=True)

    def _look_after(self) -> None:
        """Give the place of work that shows no sign of life to others."""
        at_work = self._board.of(Outcome.IN_PROGRESS)
        now = self._clock()
        for transfer in at_work:
            transfer.slow = now - transfer.moved_at > self.STUCK_S
        if not at_work:
            self._watch.stop()
        self._advance()

    def _news(self, *, moved_only: bool = False) -> None:
        if not moved_only:
            self._list_is_new = True
        if not self._notice.isActive():
            self._notice.start()

    _list_is_new = False

    def _tell(self) -> None:
        if self._list_is_new:
            self._list_is_new = False
            self.listed.emit()
        summary = self.summary
        self.summary_changed.emit(summary)
        if not summary.active and summary.not_added != self._not_added:
            more, self._not_added = summary.not_added - self._not_added, summary.not_added
            if more > 0:
                self.not_added.emit(more)
