"""The two stages of the queue: one file is encrypted while others are sent. Must not import widgets."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.viewmodels import transfer_work as work
from desktop.viewmodels.transfer import Outcome, Stage, Transfer

if TYPE_CHECKING:
    from desktop.tasks import Runner
    from desktop.viewmodels.transfer_board import TransferBoard
    from desktop.viewmodels.transfer_silence import Silence
    from desktop.viewmodels.vault_port import VaultPort


class Pipeline(QObject):
    """Begins work on the files of the board, a bounded number at a time. What results mean is the queue's to say.

    Signals:
        moved(): a file was begun.
        sending(str picture_id): it is being sent.
        progressed(int number, int done, int total), succeeded(int number, object result),
            failed(int number, GlassineError): of work for the present vault.
    """

    moved = Signal()
    sending = Signal(str)
    progressed = Signal(int, object, object)
    succeeded = Signal(int, object)
    failed = Signal(int, object)

    ENCRYPTING: Final = 1
    SENDING: Final = 2
    AHEAD: Final = 4
    """So many pictures may be encrypted and wait for sending; more would only fill the disk."""
    STUCK_S: Final = 20.0
    WATCH_MS: Final = 5000

    def __init__(
        self,
        runner: Runner,
        board: TransferBoard,
        silence: Silence,
        clock: Callable[[], float],
        stopped: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        """Make it; nothing is begun while ``stopped``."""
        super().__init__(parent)
        self._runner, self._board, self._silence, self._clock = runner, board, silence, clock
        self._stopped = stopped
        self._vault: VaultPort | None = None
        self._session = 0
        self._watch = QTimer(self)
        self._watch.setInterval(self.WATCH_MS)
        self._watch.timeout.connect(self.look_after)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self.advance)

    def start(self, vault: VaultPort) -> None:
        """Work for this vault."""
        self._vault = vault

    def stop(self) -> None:
        """Begin nothing more; work at hand is cancelled and no more is heard of it."""
        for transfer in self._board.all():
            if transfer.task is not None:
                transfer.task.cancel()
        self._vault = None
        self._session += 1
        self._watch.stop()
        self._again.stop()

    def advance(self) -> None:
        """Begin whatever may begin now."""
        if self._vault is None or self._stopped():
            return
        board, silence = self._board, self._silence
        active = [transfer for transfer in board.each(Outcome.IN_PROGRESS) if not transfer.slow]
        encrypting = sum(transfer.stage is Stage.ENCRYPTING for transfer in active)
        sending = len(active) - encrypting
        first = itertools.islice(board.each(Outcome.WAITING), 64)
        staged = [transfer for transfer in first if transfer.stage is Stage.STAGED]
        if (wait := silence.wait) > 0:
            self._again.start(int(wait * 1000) + 50)
        elif silence.error is not None:
            if staged and not sending and silence.probe is None:
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

    def look_after(self) -> None:
        """Give the place of work that shows no sign of life to others."""
        at_work = self._board.of(Outcome.IN_PROGRESS)
        now = self._clock()
        for transfer in at_work:
            transfer.slow = now - transfer.moved_at > self.STUCK_S
        if not at_work:
            self._watch.stop()
        self.advance()

    def _encrypt(self, transfer: Transfer) -> None:
        self._board.move(transfer, Outcome.IN_PROGRESS, Stage.ENCRYPTING)
        self.moved.emit()
        self._begin(transfer, work.seal, transfer.source, pool="crypto")

    def _send(self, transfer: Transfer) -> None:
        self._board.move(transfer, Outcome.IN_PROGRESS, Stage.SENDING)
        self.moved.emit()
        self.sending.emit(transfer.picture_id)
        self._begin(transfer, work.upload, transfer.staged, pool="network")

    def _ask(self, transfer: Transfer) -> None:
        """Send one picture to see whether the server answers again; it is listed as waiting until it does."""
        self._silence.probe, transfer.stage = transfer, Stage.SENDING
        self._begin(transfer, work.upload, transfer.staged, pool="network")
        self.moved.emit()

    def _begin(self, transfer: Transfer, what: Callable[..., Any], argument: Any, *, pool: str) -> None:
        task = self._runner.submit(what, self._vault, argument, pool=pool)
        transfer.task, transfer.moved_at, transfer.slow = task, self._clock(), False
        number, session = transfer.number, self._session

        def of_now() -> bool:
            """Whether it is news of this session; files of the one before wait on the disk for its next start."""
            return session == self._session

        task.progressed.connect(lambda done, total: self.progressed.emit(number, done, total) if of_now() else None)
        task.succeeded.connect(lambda result: self.succeeded.emit(number, result) if of_now() else None)
        task.failed.connect(lambda error: self.failed.emit(number, error) if of_now() else None)
