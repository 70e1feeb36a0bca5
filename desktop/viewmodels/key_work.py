"""Work that goes through all pictures for a key: another key pair, away from the classic scheme.

The vault is closed meanwhile: what is half done would look like an attack. Must not import widgets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, QObject, Signal

from desktop.errors import Cancelled, GlassineError, PassphraseRefused, WrongPassword
from desktop.models import IsCancelled, PlaceKind, Report
from desktop.viewmodels.passphrases import passphrase_problem

if TYPE_CHECKING:
    from desktop.tasks import Runner, Task
    from desktop.viewmodels.session_port import SessionPort
    from desktop.viewmodels.shell import ShellViewModel

translate = QCoreApplication.translate


class KeyWorkViewModel(QObject):
    """Changes the key of the open session, or moves its classic pictures.

    Signals:
        busy_changed(bool)
        progressed(int done, int total): pictures.
        field_failed(str field, str sentence): fields are passphrase, repeat, password.
        failed(GlassineError): it goes on when it is begun again.
        finished(object): ``Changed`` or ``Moved``.
        stopped(): it was cancelled; it goes on when it is begun again.
    """

    busy_changed = Signal(bool)
    progressed = Signal(object, object)
    field_failed = Signal(str, str)
    failed = Signal(object)
    finished = Signal(object)
    stopped = Signal()

    def __init__(self, runner: Runner, shell: ShellViewModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner, self._shell = runner, shell
        self._task: Task | None = None

    @property
    def busy(self) -> bool:
        """Whether it is under way."""
        return self._task is not None

    @property
    def locked(self) -> bool:
        """Whether the key is no longer in memory: it was locked meanwhile."""
        return self._session is None or self._session.locked

    @property
    def _session(self) -> SessionPort | None:
        return self._shell.session

    @property
    def unfinished(self) -> str:
        """``change`` or ``move`` when that was begun and is not finished, else empty."""
        session = self._session
        try:
            if session is not None and session.key_change is not None:
                return "change"
            return "move" if session is not None and session.moving_classic else ""
        except GlassineError:
            return ""

    @property
    def is_classic(self) -> bool:
        """Whether the account has no sealed key yet."""
        return self._session is not None and self._session.public_key is None

    @property
    def needs_password(self) -> bool:
        """Whether a server asks for the password before it takes another key."""
        session = self._session
        if session is None or session.place.kind is not PlaceKind.SERVER:
            return False
        change = session.key_change
        return change is None or session.public_key is None or session.public_key.fingerprint != change.new

    def change(self, name: str, passphrase: str, repeated: str, password: str) -> None:
        """Make another key pair and go over to it."""
        if self._fits(passphrase, repeated, password):
            self._start(_change, name.strip(), passphrase, password)

    def move(self, name: str, passphrase: str, repeated: str, password: str) -> None:
        """Make a sealed key for a classic account and store its pictures again."""
        if self._fits(passphrase, repeated, password):
            self._start(_move, name.strip(), passphrase, password)

    def go_on(self, password: str) -> None:
        """Go on with what was begun."""
        if self.unfinished == "change":
            if self.needs_password and not password:
                self.field_failed.emit("password", translate("KeyWork", "Write the password you sign in with."))
                return
            self._start(_change, "", "", password)
        else:
            self._start(_move, "", "", password)

    def cancel(self) -> None:
        """Stop after the picture at hand; what is done stays done."""
        if self._task is not None:
            self._task.cancel()

    def _fits(self, passphrase: str, repeated: str, password: str) -> bool:
        field, sentence = passphrase_problem(passphrase, repeated, password=password or None)
        if not field and self.needs_password and not password:
            field, sentence = "password", translate("KeyWork", "Write the password you sign in with.")
        if field:
            self.field_failed.emit(field, sentence)
        return not field

    def _start(self, work: Any, *arguments: Any) -> None:
        session = self._session
        if session is None or self.busy:
            return
        self._shell.suspend()
        task = self._runner.submit(work, session, *arguments, pool="network")
        self._task = task
        results: list[Any] = []
        failures: list[GlassineError] = []

        def finished() -> None:
            self._task = None
            self.busy_changed.emit(False)
            if results:
                self._shell.resume()
                self.finished.emit(results[0])
            elif failures:
                self._tell(failures[0])
            else:
                self.stopped.emit()

        task.progressed.connect(self.progressed)
        task.succeeded.connect(results.append)
        task.failed.connect(failures.append)
        task.finished.connect(finished)
        self.busy_changed.emit(True)

    def _tell(self, error: GlassineError) -> None:
        if isinstance(error, WrongPassword):
            self.field_failed.emit("password", translate("KeyWork", "That is not the password. Nothing was changed."))
        elif isinstance(error, PassphraseRefused):
            self.field_failed.emit("passphrase", error.message)
        else:
            self.failed.emit(error)

    def leave(self) -> None:
        """The dialog is closed: the pictures are shown again, or the lock while a change is half done."""
        if self.unfinished == "change":
            self._shell.abandon()
        else:
            self._shell.resume()


def _change(
    session: SessionPort, name: str, passphrase: str, password: str, report: Report, cancelled: IsCancelled
) -> Any:
    """Make the new key, unless a change is under way, then go over to it."""
    if session.key_change is not None:
        return session.change_key(None, password, report, cancelled)
    session.refuse_passphrase(passphrase)
    return session.change_key(_new_key(session, name, passphrase, cancelled), password, report, cancelled)


def _move(
    session: SessionPort, name: str, passphrase: str, password: str, report: Report, cancelled: IsCancelled
) -> Any:
    """Make the sealed key of a classic account, unless it has one, then move its pictures."""
    if session.public_key is not None:
        return session.move_classic(None, "", report, cancelled)
    session.refuse_passphrase(passphrase)
    return session.move_classic(_new_key(session, name, passphrase, cancelled), password, report, cancelled)


def _new_key(session: SessionPort, name: str, passphrase: str, cancelled: IsCancelled) -> Any:
    def nobody(done: int, total: int) -> None:
        """Making the key is no part of the progress."""

    for entry in session.key_store.list():  # one that an attempt before this made, and did not come to use
        if session.key_store.notes(entry.fingerprint).get("for_change"):
            try:
                return session.key_store.open(entry.fingerprint, passphrase)
            except GlassineError:
                continue
    entry = session.key_store.create(name or session.user_name, passphrase, 3072, nobody, cancelled)
    session.key_store.note(entry.fingerprint, for_change=True)
    if cancelled():
        raise Cancelled
    return session.key_store.open(entry.fingerprint, passphrase)
