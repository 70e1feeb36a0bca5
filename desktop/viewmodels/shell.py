"""Which part of the program is open, and whose session it is. Must not import widgets."""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QCoreApplication, QObject, Signal

from desktop.errors import GlassineError
from desktop.place_kind import PlaceKind

if TYPE_CHECKING:
    from desktop.models import IsCancelled, Report
    from desktop.tasks import Runner
    from desktop.viewmodels.session_port import SessionPort

log = logging.getLogger(__name__)


class Stage(StrEnum):
    """What the window shows."""

    SIGN_IN = "sign-in"
    LOCKED = "locked"
    OPEN = "open"


class SessionPart(Protocol):
    """A view-model that works with an unlocked session."""

    def start(self, session: Any, /) -> None:
        """Begin."""
        ...

    def stop(self) -> None:
        """Drop everything of the session: keys, decoded pictures, lists."""
        ...


class VaultPart(Protocol):
    """A view-model that works with the vault of an unlocked session."""

    def start(self, vault: Any, /) -> None:
        """Begin."""
        ...

    def stop(self) -> None:
        """Drop everything of the vault: keys, decoded pictures, lists."""
        ...


class ShellViewModel(QObject):
    """Takes a session from sign-in through locking and unlocking to signing out.

    Parts are stopped before the stage changes to ``LOCKED``, so that nothing of the person is left when it shows.

    Signals:
        stage_changed(Stage)
        account_changed(): another person or place.
        change_unfinished(): the session is unlocked, and its key is half changed; nothing is shown before that is over.
        leaving(): the vault is about to be left; the parts still know everything.
        failed(GlassineError)
    """

    stage_changed = Signal(object)
    account_changed = Signal()
    leaving = Signal()
    change_unfinished = Signal()
    failed = Signal(object)

    def __init__(self, runner: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._session_parts: list[SessionPart] = []
        self._vault_parts: list[VaultPart] = []
        self.stage = Stage.SIGN_IN
        self.session: SessionPort | None = None
        self._locking = False

    def add_session_part(self, part: SessionPart) -> None:
        """Start and stop this view-model with the session; in the order of adding."""
        self._session_parts.append(part)

    def add_vault_part(self, part: VaultPart) -> None:
        """Start and stop this view-model with the session's vault; in the order of adding."""
        self._vault_parts.append(part)

    @property
    def user_name(self) -> str:
        """Whose account it is; a vault on this computer has no user name."""
        if self.session is None:
            return ""
        if self.session.place.kind is PlaceKind.SERVER:
            return self.session.user_name
        return QCoreApplication.translate("Shell", "My vault")

    @property
    def place_title(self) -> str:
        """Where the pictures are kept."""
        if self.session is None:
            return ""
        if self.session.place.kind is PlaceKind.SERVER:
            return self.session.place.title
        return QCoreApplication.translate("Shell", "This computer")

    def enter(self, session: SessionPort) -> None:
        """Take a new session, locked or not."""
        self.session = session
        self.account_changed.emit()
        if session.locked:
            self._set_stage(Stage.LOCKED)
        else:
            self.resume()

    def resume(self) -> None:
        """Open the vault of the unlocked session."""
        session = self.session
        if session is None or session.locked:
            return
        if self._is_half_changed(session):
            self.change_unfinished.emit()
            return
        try:
            vault = session.vault()
            for part in self._session_parts:
                part.start(session)
            for vault_part in self._vault_parts:
                vault_part.start(vault)
        except GlassineError as error:
            self._stop_parts()
            self.failed.emit(error)
            return
        self._set_stage(Stage.OPEN)

    @staticmethod
    def _is_half_changed(session: SessionPort) -> bool:
        """Whether a change of the key is not finished: half of the pictures would look like forgeries."""
        try:
            return session.key_change is not None
        except GlassineError:
            return False

    def suspend(self) -> None:
        """Let go of the pictures but not of the key: something goes through all of them. :meth:`resume` undoes it."""
        self._stop_parts()

    def abandon(self) -> None:
        """Leave an unlocked session whose pictures are not shown: lock it, or end it where it has just begun."""
        session = self.session
        if self.stage is Stage.OPEN:
            self.lock()
        elif self.stage is Stage.LOCKED and session is not None:
            self._runner.submit(_lock, session, pool="view")
        else:
            self.sign_out()

    def lock(self) -> None:
        """Drop pictures and keys, then show the lock.

        The key is dropped in a worker, behind what the parts have just asked to be written with it.
        """
        session = self.session
        if session is None or self.stage is Stage.SIGN_IN or session.locked or self._locking:
            return
        self._locking = True
        self._stop_parts()
        task = self._runner.submit(_lock, session, pool="view")
        task.failed.connect(self.failed)
        task.finished.connect(self._on_locked)

    def _on_locked(self) -> None:
        self._locking = False
        if self.session is not None and self.stage is Stage.LOCKED:  # a change of the key was asked about before it
            self.stage_changed.emit(Stage.LOCKED)
        elif self.session is not None:
            self._set_stage(Stage.LOCKED)

    def sign_out(self) -> None:
        """End the session."""
        session = self.session
        self._stop_parts()
        self.session = None
        if session is not None:
            self._runner.submit(_sign_out, session, pool="network")
        self.account_changed.emit()
        self._set_stage(Stage.SIGN_IN)

    def stop(self) -> SessionPort | None:
        """Stop every part at the end of the program and hand the session over to be closed."""
        session, self.session = self.session, None
        self._stop_parts()
        return session

    def _stop_parts(self) -> None:
        self.leaving.emit()
        for part in (*reversed(self._vault_parts), *reversed(self._session_parts)):
            try:
                part.stop()
            except Exception:  # one part that cannot stop must not keep the keys of the others in memory
                log.exception("a part could not stop")

    def _set_stage(self, stage: Stage) -> None:
        if stage is not self.stage:
            self.stage = stage
            self.stage_changed.emit(stage)


def _lock(session: SessionPort, report: Report, cancelled: IsCancelled) -> None:
    session.lock()
    session.ask_again()


def _sign_out(session: SessionPort, report: Report, cancelled: IsCancelled) -> None:
    try:
        session.ask_again()
    finally:
        session.close()
