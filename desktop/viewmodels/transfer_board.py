"""The books of the queue: which file stands in which section, and the figures of the present run. Qt-free."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from desktop.errors import GlassineError
from desktop.viewmodels.transfer import Estimate, Outcome, Run, Stage, Transfer, TransfersSummary

OPEN: Final = (Outcome.WAITING, Outcome.IN_PROGRESS)
"""Sections of files that are not over."""

KEPT_THUMBNAILS: Final = 100


class TransferBoard:
    """Keeps every listed file in exactly one section; all moves go through here, so that the figures stay right."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self._all: dict[int, Transfer] = {}
        self._lists: dict[Outcome, OrderedDict[int, Transfer]] = {outcome: OrderedDict() for outcome in Outcome}
        self._run = Run()
        self.estimate = Estimate(clock)

    # -- reading ---------------------------------------------------------------------------------------------------

    def get(self, number: int) -> Transfer | None:
        """A file, if it is listed."""
        return self._all.get(number)

    def all(self) -> list[Transfer]:
        """Every file."""
        return list(self._all.values())

    def of(self, *outcomes: Outcome) -> list[Transfer]:
        """The files of some sections."""
        return [transfer for outcome in outcomes for transfer in self._lists[outcome].values()]

    def each(self, outcome: Outcome) -> Iterator[Transfer]:
        """The files of a section, without making a list; nothing may be moved meanwhile."""
        return iter(self._lists[outcome].values())

    def latest(self, outcome: Outcome) -> Iterator[Transfer]:
        """The files of a section, the last one first."""
        return reversed(self._lists[outcome].values())

    def count(self, outcome: Outcome) -> int:
        """Number of files in a section."""
        return len(self._lists[outcome])

    @property
    def idle(self) -> bool:
        """Whether nothing is open."""
        return not any(self._lists[outcome] for outcome in OPEN)

    def sources(self) -> list[Path]:
        """Files that an interrupted program must take up again."""
        kept = self.of(Outcome.IN_PROGRESS, Outcome.WAITING, Outcome.FAILED)
        return [transfer.source for transfer in kept if transfer.source is not None and transfer.staged is None]

    def summary(
        self,
        *,
        stopped: bool = False,
        silent: GlassineError | None = None,
        asking: bool = False,
        halted_by: GlassineError | None = None,
    ) -> TransfersSummary:
        """How things stand."""
        run, active = self._run, not self.idle
        return TransfersSummary(
            total=run.total,
            finished=run.finished,
            failed=self.count(Outcome.FAILED),
            waiting=self.count(Outcome.WAITING),
            active=active,
            paused=active and stopped,
            silent=silent if active else None,
            asking=active and asking,
            not_added=self.count(Outcome.UNSUPPORTED) + self.count(Outcome.TOO_LARGE),
            bytes_total=run.bytes_total,
            bytes_done=round(run.done_bytes),
            fraction=min(1.0, max(0.0, run.way_done / run.way_total)) if run.way_total else 0.0,
            seconds_left=self.estimate.seconds_left(run.way_done, run.way_total) if active else None,
            halted_by=halted_by,
        )

    # -- changing --------------------------------------------------------------------------------------------------

    def clear(self) -> None:
        """Forget every file."""
        self._all.clear()
        for transfers in self._lists.values():
            transfers.clear()
        self._run = Run()
        self.estimate.restart()

    def new(self, name: str, size: int, source: Path | None) -> Transfer:
        """Make a file with a number of its own; it is not listed yet."""
        return Transfer(next(self._numbers), name, size, source, moved_at=self._clock())

    def enlist(self, transfer: Transfer) -> None:
        """List a file; adding to an idle queue begins a new run."""
        if self.idle:
            self._new_run()
        self._all[transfer.number] = transfer
        self._lists[transfer.outcome][transfer.number] = transfer
        self._run.join(transfer)
        self._run.finished += transfer.stage is Stage.OVER

    def move(self, transfer: Transfer, outcome: Outcome, stage: Stage, *, first: bool = False) -> None:
        """Put a file into another section, at its end or at its beginning."""
        del self._lists[transfer.outcome][transfer.number]
        transfer.outcome, transfer.stage = outcome, stage
        self._lists[outcome][transfer.number] = transfer
        if first:
            self._lists[outcome].move_to_end(transfer.number, last=False)

    def progressed(self, transfer: Transfer, share_before: float, sent_before: float) -> None:
        """Take a file's progress into the figures."""
        self._run.moved(transfer, share_before, sent_before)
        self.estimate.note(self._run.way_done)

    def finish(self, transfer: Transfer, outcome: Outcome, share_before: float, sent_before: float) -> None:
        """A file is over, in whatever way."""
        self.move(transfer, outcome, Stage.OVER)
        self._run.finished += transfer.number in self._run.members
        self.progressed(transfer, share_before, sent_before)
        done = self._lists[Outcome.DONE]
        if len(done) > KEPT_THUMBNAILS:
            next(itertools.islice(reversed(done.values()), KEPT_THUMBNAILS, None)).thumbnail = None

    def resize(self, transfer: Transfer, size: int) -> None:
        """The size of a file is known better now."""
        counted = transfer.number in self._run.members
        if counted:
            self._run.leave(transfer)
        transfer.size = size
        if counted:
            self._run.join(transfer)

    def requeue(self, transfer: Transfer) -> None:
        """Let a file wait again that had failed."""
        if self.idle:
            self._new_run()
        transfer.error, transfer.tries = None, 0
        before = transfer.share
        self.move(transfer, Outcome.WAITING, Stage.STAGED if transfer.staged is not None else Stage.QUEUED)
        if transfer.number in self._run.members:
            self._run.finished -= 1
            self._run.moved(transfer, before, transfer.sent)
        else:
            self._run.join(transfer)

    def drop(self, transfer: Transfer, *, leave_run: bool = True) -> None:
        """List a file no longer; with ``leave_run`` as if it had never been added."""
        del self._all[transfer.number]
        del self._lists[transfer.outcome][transfer.number]
        if leave_run:
            self._run.finished -= transfer.stage is Stage.OVER and transfer.number in self._run.members
            self._run.leave(transfer)

    def _new_run(self) -> None:
        self._run = Run()
        self.estimate.restart()
