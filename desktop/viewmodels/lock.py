"""Unlocking a session, and bringing a missing key to this computer. Must not import widgets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, Signal

from desktop.errors import Cancelled, GlassineError, KeyRefused, PassphraseRefused, Unsupported, WrongKey
from desktop.models import IsCancelled, PlaceKind, Report
from desktop.viewmodels.passphrases import passphrase_problem

if TYPE_CHECKING:
    from desktop.tasks import Runner, Task
    from desktop.viewmodels.session_port import SessionPort

translate = QCoreApplication.translate


class LockViewModel(QObject):
    """The lock of one session.

    Signals:
        session_changed(): another session, or its key arrived.
        busy_changed(bool)
        field_failed(str field, str sentence): fields are passphrase, file, file_passphrase, repeat.
        failed(GlassineError): anything that is no single field's fault.
        unlocked(session): the key is in memory.
    """

    session_changed = Signal()
    busy_changed = Signal(bool)
    field_failed = Signal(str, str)
    failed = Signal(object)
    unlocked = Signal(object)

    def __init__(self, runner: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._session: SessionPort | None = None
        self._task: Task | None = None

    @property
    def busy(self) -> bool:
        """Whether an attempt is under way."""
        return self._task is not None

    @property
    def account(self) -> str:
        """Whose vault is locked, such as "mara on pictures.example.org"."""
        session = self._session
        if session is None:
            return ""
        if session.place.kind is PlaceKind.SERVER:
            template = translate("Lock", "%1 on %2")
            return template.replace("%1", session.user_name).replace("%2", session.place.title)
        return translate("Lock", "The vault on this computer")

    @property
    def key_missing(self) -> bool:
        """Whether the key file of this account is not on this computer."""
        return self._session is not None and self._session.key_missing

    def start(self, session: SessionPort) -> None:
        """Stand before this session."""
        self._session = session
        self.session_changed.emit()

    def stop(self) -> None:
        """Forget the session."""
        if self._task is not None:
            self._task.cancel()
        self._session = None

    def unlock(self, passphrase: str) -> None:
        """Open the key with its passphrase."""
        session = self._session
        if session is None or self.busy:
            return
        if not passphrase:
            self.field_failed.emit("passphrase", translate("Lock", "Write the passphrase of your key."))
            return
        self._submit(self._runner.submit(_unlock, session, passphrase), "passphrase")

    def open_from_keychain(self) -> None:
        """Right after signing in: let this computer's keyring open the key, if the person wanted that."""
        session = self._session
        if session is None or self.busy or session.key_missing:
            return
        task = self._runner.submit(_open_from_keychain, session, pool="view")
        opened: list[bool] = []

        def finished() -> None:
            # nobody waits for this one: the passphrase may be typed, and be quicker, meanwhile
            if opened and opened[0] and self._session is session and not self.busy:
                self.unlocked.emit(session)

        task.succeeded.connect(opened.append)
        task.failed.connect(lambda error: self.failed.emit(error) if self._session is session else None)
        task.finished.connect(finished)

    def import_key(self, path: Path | None, file_passphrase: str, passphrase: str, repeated: str) -> None:
        """Bring the account's key to this computer, keep it under a passphrase and unlock with it.

        Without a new passphrase the key keeps that of the file.
        """
        session = self._session
        if session is None or self.busy:
            return
        if path is None:
            self.field_failed.emit("file", translate("Lock", "Choose the key file of this account."))
            return
        if not passphrase and not repeated:  # one passphrase for both is what most people have
            if not file_passphrase:
                self.field_failed.emit("passphrase", translate("Lock", "Write a passphrase for this computer."))
                return
            passphrase = repeated = file_passphrase
        field, sentence = passphrase_problem(passphrase, repeated)
        if field:
            self.field_failed.emit(field, sentence)
            return
        task = self._runner.submit(_import_and_unlock, session, path, file_passphrase or None, passphrase)
        self._submit(task, "file_passphrase")

    def _wrong_passphrase(self) -> str:
        """What is said of a passphrase that does not open the key; in the middle of a change another one holds."""
        session = self._session
        try:
            change = session.key_change if session is not None else None
        except GlassineError:
            change = None
        public = session.public_key if session is not None else None
        if change is not None and public is not None and public.fingerprint == change.new:
            return translate("Lock", "A change of your key is not finished. Type the passphrase of the new key.")
        return translate("Lock", "That is not the passphrase of this key. Check Caps Lock.")

    def _submit(self, task: Task, secret_field: str) -> None:
        self._task = task
        session = self._session

        def succeeded(_: object) -> None:
            if self._session is session:
                self.unlocked.emit(session)

        def failed(error: GlassineError) -> None:
            if self._session is not session:
                return
            if isinstance(error, WrongKey):
                sentences = {
                    "passphrase": self._wrong_passphrase(),
                    "file_passphrase": translate("Lock", "This file opens with another passphrase."),
                }
                self.field_failed.emit(secret_field, sentences[secret_field])
            elif isinstance(error, PassphraseRefused):
                self.field_failed.emit("passphrase", error.message)
            elif isinstance(error, KeyRefused | Unsupported):
                self.field_failed.emit("file", error.message)
            else:
                self.failed.emit(error)

        def finished() -> None:
            self._task = None
            self.busy_changed.emit(False)

        task.succeeded.connect(succeeded)
        task.failed.connect(failed)
        task.finished.connect(finished)
        self.busy_changed.emit(True)


def _unlock(session: SessionPort, passphrase: str, report: Report, cancelled: IsCancelled) -> None:
    session.unlock(passphrase)


def _open_from_keychain(session: SessionPort, report: Report, cancelled: IsCancelled) -> bool:
    from desktop.client.keychain import Keychain

    return session.locked and session.unlock_from(Keychain())


def _import_and_unlock(
    session: SessionPort,
    path: Path,
    file_passphrase: str | None,
    passphrase: str,
    report: Report,
    cancelled: IsCancelled,
) -> None:
    """Keep the key only if it is this account's; a stranger's key must not end up among the account's."""
    from desktop.client.key_store import MAX_IMPORT
    from desktop.crypto import key_formats, safe_write

    session.refuse_passphrase(passphrase)
    untrusted = safe_write.read_bounded(path, MAX_IMPORT)
    key = key_formats.import_private(untrusted, file_passphrase).key
    if getattr(key, "fingerprint", "") != session.public_key.fingerprint:
        raise KeyRefused(
            translate("Lock", "This is a key, but not the one of this account. Nothing was imported."),
        )
    if cancelled():
        raise Cancelled
    session.key_store.import_file(path, file_passphrase, session.user_name, passphrase)
    session.unlock(passphrase)
