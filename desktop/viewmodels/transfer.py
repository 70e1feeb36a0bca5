"""One transfer, and figures about many. Must not import PySide6 widgets."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from desktop.errors import AlreadyStored, FileUnreadable, GlassineError, TooLarge, Unsupported

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from desktop.client.preflight import SourceFile
    from desktop.tasks import Task


class Outcome(StrEnum):
    """The sections of the panel, in the order of need."""

    IN_PROGRESS = "in-progress"
    FAILED = "failed"
    WAITING = "waiting"
    ALREADY_THERE = "already-there"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too-large"
    DONE = "done"


class Stage(StrEnum):
    """Where a transfer is on its way."""

    QUEUED = "queued"
    ENCRYPTING = "encrypting"
    STAGED = "staged"  # encrypted on the disk, waits to be sent
    SENDING = "sending"
    OVER = "over"


@dataclass(eq=False, slots=True)
class Transfer:
    """One file on its way into the vault.

    Attributes:
        number: Names it within the program.
        name: File name, for people.
        size: Bytes; 0 if unknown.
        source: The file; None when it was encrypted by an earlier run and only its ciphertext is known.
        stage: Where it is.
        outcome: The section it is listed in.
        encrypted: Share that is encrypted, 0 to 1.
        sent: Share that is sent, 0 to 1.
        error: Why it did not work.
        staged: Its staged ciphertext.
        picture_id: The picture it became, or is the same as.
        thumbnail: Small square image for the list.
        task: The work at hand.
        tries: How often sending was tried again by itself.
        moved_at: Clock time of the last sign of life.
        slow: Gave no sign of life for long; its place was given to others.
    """

    number: int
    name: str
    size: int = 0
    source: Path | None = None
    stage: Stage = Stage.QUEUED
    outcome: Outcome = Outcome.WAITING
    encrypted: float = 0.0
    sent: float = 0.0
    error: GlassineError | None = None
    staged: Any = None
    picture_id: str = ""
    thumbnail: QImage | None = None
    task: Task | None = None
    tries: int = 0
    moved_at: float = 0.0
    slow: bool = False

    @property
    def share(self) -> float:
        """How much of the whole way is done, 0 to 1. Encrypting is half of it."""
        return 1.0 if self.stage is Stage.OVER else (self.encrypted + self.sent) / 2


def outcome_of(error: GlassineError) -> Outcome:
    """The section for a file that did not go in."""
    if isinstance(error, AlreadyStored):
        return Outcome.ALREADY_THERE
    if isinstance(error, TooLarge):
        return Outcome.TOO_LARGE
    if isinstance(error, Unsupported):
        return Outcome.UNSUPPORTED
    return Outcome.FAILED


def problem_of(file: SourceFile) -> GlassineError | None:
    """Why a file that was looked over cannot be added; None when it can."""
    match str(file.verdict):
        case "already-stored":
            return AlreadyStored(file.reason, picture_id=file.picture_id)
        case "in-bin":
            return AlreadyStored(file.reason, picture_id=file.picture_id, in_bin=True)
        case "unsupported":
            return Unsupported(file.reason)
        case "too-large":
            return TooLarge(file.reason)
        case "unreadable":
            return FileUnreadable(file.reason)
        case _:
            return None


@dataclass(frozen=True, slots=True)
class TransfersSummary:
    """What the sidebar row and the head of the panel say.

    Attributes:
        total: Files of the present run; it starts when something is added to an idle queue.
        finished: Those of them that are over, in whatever way.
        failed: Files listed as failed.
        waiting: Files not begun, or encrypted and not sent.
        active: Whether something is going on or would be if it were not paused.
        paused: Whether the person, or a trouble that concerns all files, has stopped the queue.
        silent: The server's silence, from the first time until it takes a picture again; it is asked by and by.
        asking: Whether the silent server is being asked just now.
        not_added: Files listed as unsupported or too large.
        bytes_total: Size of the files of the run.
        bytes_done: How much of them is stored.
        fraction: For the bar, 0 to 1.
        seconds_left: Estimate; None while there is none yet ("Calculating…").
        halted_by: The trouble that stopped the queue, if any.
    """

    total: int = 0
    finished: int = 0
    failed: int = 0
    waiting: int = 0
    active: bool = False
    paused: bool = False
    silent: GlassineError | None = None
    asking: bool = False
    not_added: int = 0
    bytes_total: int = 0
    bytes_done: int = 0
    fraction: float = 0.0
    seconds_left: float | None = None
    halted_by: GlassineError | None = None

    @property
    def waiting_for_server(self) -> bool:
        """Whether the server does not answer."""
        return self.silent is not None


PER_FILE: Final = 200_000.0
"""A file counts in bars and estimates as its size and this, for being a file at all."""


class Estimate:
    """Guesses the time left from how it went in the last half minute.

    Attributes:
        rate: The latest known speed, units a second; 0 before there is one. It outlives ``restart``.
    """

    SETTLE_S: Final = 3.0
    WINDOW_S: Final = 30.0
    SPACING_S: Final = 0.5

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._samples: deque[tuple[float, float]] = deque()
        self.rate = 0.0

    def restart(self) -> None:
        """Forget how it went so far."""
        self._samples.clear()

    def note(self, done: float) -> None:
        """Note that so much is done by now; the unit is the caller's."""
        now = self._clock()
        if self._samples and now - self._samples[-1][0] < self.SPACING_S:
            return
        self._samples.append((now, done))
        while now - self._samples[0][0] > self.WINDOW_S:
            self._samples.popleft()
        since, before = self._samples[0]
        if now - since >= self.SETTLE_S and done > before:
            self.rate = (done - before) / (now - since)

    def seconds_left(self, done: float, total: float) -> float | None:
        """The time for the rest; None in the first seconds or while nothing moves."""
        if not self._samples:
            return None
        since, before = self._samples[0]
        elapsed = self._clock() - since
        if elapsed < self.SETTLE_S or done <= before:
            return None
        return max(0.0, (total - done) * elapsed / (done - before))


@dataclass
class Run:
    """Figures of the present run: everything since the queue was last idle."""

    total: int = 0
    finished: int = 0
    members: set[int] = field(default_factory=set)
    bytes_total: int = 0
    done_bytes: float = 0.0
    way_done: float = 0.0
    way_total: float = 0.0

    def join(self, transfer: Transfer) -> None:
        """Count a file."""
        if transfer.number not in self.members:
            self.members.add(transfer.number)
            self.total += 1
            self.bytes_total += transfer.size
            self.way_total += weight(transfer)
            self.moved(transfer, 0.0, 0.0)

    def leave(self, transfer: Transfer) -> None:
        """Count a file no longer; it was cancelled."""
        if transfer.number in self.members:
            self.members.discard(transfer.number)
            self.total -= 1
            self.bytes_total -= transfer.size
            self.way_total -= weight(transfer)
            self.way_done -= weight(transfer) * transfer.share
            self.done_bytes -= transfer.size * transfer.sent

    def moved(self, transfer: Transfer, share_before: float, sent_before: float) -> None:
        """Take a file's progress into account."""
        if transfer.number in self.members:
            self.way_done += weight(transfer) * (transfer.share - share_before)
            self.done_bytes += transfer.size * (transfer.sent - sent_before)


def weight(transfer: Transfer) -> float:
    """How much a file counts in the bar."""
    return transfer.size + PER_FILE
