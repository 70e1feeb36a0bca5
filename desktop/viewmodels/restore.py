"""Coming back to one's pictures with the recovery kit. Must not import widgets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, QObject, Signal

from desktop.errors import GlassineError, KeyMissing, KitWordsWrong, PassphraseRefused, WrongKey
from desktop.models import IsCancelled, PlaceKind, Report
from desktop.viewmodels.passphrases import passphrase_problem

if TYPE_CHECKING:
    from desktop.tasks import Runner, Task
    from desktop.viewmodels.session_port import SessionPort, SessionsPort

translate = QCoreApplication.translate


class RestoreViewModel(QObject):
    """Opens a copy of the key file with the words, then keeps it under a new passphrase.

    Signals:
        busy_changed(bool)
        found(): the words open the key; ``groups`` are to be compared with the printed ones.
        field_failed(str field, str sentence): fields are words, file, passphrase, repeat.
        failed(GlassineError)
        restored(session): unlocked.
        unlocked_too_late(): the session was unlocked when this had been given up already; it is to be locked again.
    """

    busy_changed = Signal(bool)
    found = Signal()
    field_failed = Signal(str, str)
    failed = Signal(object)
    restored = Signal(object)
    unlocked_too_late = Signal()

    def __init__(
        self,
        runner: Runner,
        *,
        session: SessionPort | None = None,
        sessions: SessionsPort | None = None,
        folder: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        """Make it for a signed-in session, or for a vault folder on this computer."""
        super().__init__(parent)
        self._runner, self._session = runner, session
        self._sessions, self._folder = sessions, folder
        self._task: Task | None = None
        self._found: Any = None
        self._words: tuple[str, ...] = ()
        self._path: Path | None = None

    @property
    def groups(self) -> tuple[str, ...]:
        """The fingerprint of the key that was found, as it is printed on the kit."""
        return tuple(self._found.groups) if self._found is not None else ()

    @property
    def asks_server(self) -> bool:
        """Whether a server may have a copy of the key file; a vault on this computer has its own at most."""
        return self._session is not None and self._session.place.kind is PlaceKind.SERVER

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self._task is not None

    def find(self, text: str, path: Path | None) -> None:
        """Open a copy of the key file with these words: an exported one, or what is on the server or here."""
        from desktop.crypto.kit import split_words

        self._words, self._path = split_words(text), path

        def took(found: Any) -> None:
            self._found = found
            self.found.emit()

        if self._session is not None:
            self._start(took, _find, self._session, self._words, path)
        else:
            self._start(took, _find_vault, self._sessions, self._folder, self._words, path)

    def keep(self, passphrase: str, repeated: str) -> None:
        """The printed digits are the same: keep the key under this passphrase, and open the pictures."""
        field, sentence = passphrase_problem(passphrase, repeated)
        if field:
            self.field_failed.emit(field, sentence)
            return
        if self._found is None:
            return
        printed = self._found.fingerprint
        if self._session is not None:
            session = self._session
            arguments: tuple[Any, ...] = (session, self._found, printed, passphrase)
            self._start(lambda _: self._end(session), _keep, *arguments, too_late=self._on_kept_too_late)
        else:
            arguments = (self._folder, self._words, self._path, printed, passphrase)
            self._start(self._end, _recover, self._sessions, *arguments, too_late=self._close)

    def forget(self) -> None:
        """Drop the words and the key that was found."""
        if self._task is not None:
            self._task.cancel()
        self._found, self._words = None, ()

    def _end(self, session: Any) -> None:
        self.forget()
        self.restored.emit(session)

    def _on_kept_too_late(self, _: None) -> None:
        self.unlocked_too_late.emit()

    def _close(self, session: Any) -> None:
        self._runner.submit(_close, session, pool="network")

    def _start(
        self, took: Any, work: Callable[..., Any], *arguments: Any, too_late: Callable[[Any], None] | None = None
    ) -> None:
        """Start the work and pass on what it gave; to ``too_late`` when it was given up and ended well all the same."""
        if self.busy:
            return
        task = self._runner.submit(work, *arguments, pool="network")
        self._task = task
        results: list[Any] = []

        def failed(error: GlassineError) -> None:
            if isinstance(error, KitWordsWrong | WrongKey):
                self.field_failed.emit("words", error.message)
            elif isinstance(error, PassphraseRefused):
                self.field_failed.emit("passphrase", error.message)
            elif isinstance(error, KeyMissing):
                self.field_failed.emit("file", error.message)
            else:
                self.failed.emit(error)

        def finished() -> None:
            given_up = self._task is not None and self._task.is_cancelled()
            self._task = None
            self.busy_changed.emit(False)
            if results and not given_up:
                took(results[0])
            elif results and too_late is not None:
                too_late(results[0])

        task.succeeded.connect(results.append)
        task.failed.connect(failed)
        task.finished.connect(finished)
        self.busy_changed.emit(True)


def _find(session: Any, words: tuple[str, ...], path: Path | None, report: Report, cancelled: IsCancelled) -> Any:
    return session.find_key(words, path)


def _find_vault(
    sessions: Any, folder: Path, words: tuple[str, ...], path: Path | None, report: Report, cancelled: IsCancelled
) -> Any:
    return sessions.find_vault_key(folder, words, path)


def _keep(session: Any, found: Any, printed: str, passphrase: str, report: Report, cancelled: IsCancelled) -> None:
    session.keep_key(found, printed, passphrase)


def _recover(sessions: Any, *arguments: Any) -> Any:
    return sessions.recover_vault(*arguments)


def _close(session: Any, report: Report, cancelled: IsCancelled) -> None:
    session.close()
