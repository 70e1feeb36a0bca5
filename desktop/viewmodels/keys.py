"""The keys of the place that is open: list, create, import, export, rename, change the passphrase.

Must not import widgets.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, QObject, Signal

from desktop.errors import GlassineError, KeyRefused, PassphraseRefused, WrongKey
from desktop.models import IsCancelled, Place, Report
from desktop.viewmodels.passphrases import passphrase_problem

if TYPE_CHECKING:
    from desktop.client.key_store import KeyEntry
    from desktop.tasks import Runner, Task
    from desktop.viewmodels.session_port import KeyStorePort, SessionPort

translate = QCoreApplication.translate

StoreWork = Callable[["KeyStorePort", Report, IsCancelled], Any]


class ExportFormat(StrEnum):
    """What a key can be written as."""

    KEY_FILE = "key-file"
    PUBLIC = "public"
    PKCS8 = "pkcs8"
    PKCS1 = "pkcs1"
    OPENSSH = "openssh"


class KeysViewModel(QObject):
    """The key pairs of one place.

    Signals:
        keys_changed(): ``entries`` are different.
        busy_changed(bool): something that takes a while is under way.
        progressed(int done, int total)
        field_failed(str field, str sentence): fields are passphrase, old, file_passphrase, repeat.
        failed(GlassineError)
        done(str message): it is done, in words.
        passphrase_right(): the answer to :meth:`check_passphrase`; a wrong one is said by ``field_failed``.
    """

    keys_changed = Signal()
    busy_changed = Signal(bool)
    progressed = Signal(object, object)
    field_failed = Signal(str, str)
    failed = Signal(object)
    done = Signal(str)
    passphrase_right = Signal()

    def __init__(
        self,
        runner: Runner,
        parent: QObject | None = None,
        *,
        keychain: Callable[[], Any] | None = None,
        places: Callable[[], list[Place]] = list,
    ) -> None:
        super().__init__(parent)
        self._places = places
        self._accounts: dict[str, list[Place]] = {}
        self._runner = runner
        self._keychain = keychain or _system_keychain
        self._remembered = False
        self._store: KeyStorePort | None = None
        self._task: Task | None = None
        self._session: SessionPort | None = None
        self.own_fingerprint = ""
        self.entries: list[KeyEntry] = []

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self._task is not None

    def start(self, session: SessionPort) -> None:
        """Show the keys of this session's place; the session's own key comes first."""
        self._session, self._store = session, session.key_store
        public = session.public_key
        self.own_fingerprint = public.fingerprint if public is not None else ""
        self.reload()

    def stop(self) -> None:
        """Forget them."""
        if self._task is not None:
            self._task.cancel()
        self._session, self._store = None, None
        self.own_fingerprint = ""
        self.entries = []
        self.keys_changed.emit()

    def reload(self) -> None:
        """Read the list again."""
        store = self._store
        if store is not None:
            task = self._runner.submit(_list, store, self.own_fingerprint, self._places(), pool="view")
            task.succeeded.connect(lambda found: self._take(store, *found))
            task.failed.connect(self.failed)

    def create(self, name: str, passphrase: str, repeated: str, bits: int = 3072) -> None:
        """Make a new key pair."""
        if self._new_passphrase_fits(passphrase, repeated):
            self._start(
                translate("Keys", "The new key is made"),
                lambda store, report, cancelled: store.create(name.strip(), passphrase, bits, report, cancelled),
                new_passphrase=passphrase,
            )

    def import_file(self, path: Path, file_passphrase: str, name: str, passphrase: str, repeated: str) -> None:
        """Import a private key of any known format and keep it under a new passphrase."""
        if self._new_passphrase_fits(passphrase, repeated):
            self._start(
                translate("Keys", "The key is imported"),
                lambda store, report, cancelled: store.import_file(
                    path, file_passphrase or None, name.strip(), passphrase
                ),
                wrong_key_field="file_passphrase",
                new_passphrase=passphrase,
            )

    def change_passphrase(self, fingerprint: str, old: str, new: str, repeated: str) -> None:
        """Replace the passphrase of a key."""
        if not old:
            self.field_failed.emit("old", translate("Keys", "Write the present passphrase."))
        elif self._new_passphrase_fits(new, repeated):
            self._start(
                translate("Keys", "The passphrase is changed"),
                lambda store, report, cancelled: store.change_passphrase(fingerprint, old, new),
                new_passphrase=new,
            )

    def import_classic(self, path: Path) -> None:
        """Keep a classic ``rsa.txt``; it opens old pictures and protects nothing."""
        self._start(
            translate("Keys", "The classic key is here; it opens classic pictures only"),
            lambda store, report, cancelled: store.import_classic(path),
        )

    def delete(self, fingerprint: str) -> None:
        """Delete a key file for good; not one that is in use here."""
        refusal = self.refusal_to_delete(fingerprint)
        if refusal:
            self.failed.emit(KeyRefused(refusal))
            return
        self._start(translate("Keys", "The key is deleted"), lambda store, report, cancelled: store.delete(fingerprint))

    def refusal_to_delete(self, fingerprint: str) -> str:
        """Return why a key is not to be deleted; empty when it may be."""
        if fingerprint == self.own_fingerprint:
            return translate(
                "Keys", "Everything stored here opens with this key only. Change your key first, then delete this one."
            )
        session = self._session
        try:
            change = session.key_change if session is not None else None
        except GlassineError as error:
            return error.message
        if change is not None and fingerprint in (change.old, change.new):
            return translate("Keys", "A change of your key is not finished. It needs this key.")
        return ""

    def accounts_of(self, fingerprint: str) -> list[str]:
        """Return the accounts on servers that use a key on this computer, such as "mara on pictures.example.org"."""
        template = translate("Lock", "%1 on %2")
        return [
            template.replace("%1", place.user_name).replace("%2", place.title)
            for place in self._accounts.get(fingerprint, ())
        ]

    def set_default(self, fingerprint: str) -> None:
        """Use this key unless another one is asked for."""
        self._start(
            translate("Keys", "This key is tried first now"),
            lambda store, report, cancelled: store.set_default(fingerprint),
        )

    def rename(self, fingerprint: str, name: str) -> None:
        """Give a key another name."""
        if name.strip():
            self._start(
                translate("Keys", "The key has a new name"),
                lambda store, report, cancelled: store.rename(fingerprint, name.strip()),
            )

    def export(
        self, fingerprint: str, kind: ExportFormat, target: Path, *, passphrase: str = "", new_passphrase: str = ""
    ) -> None:
        """Write a key to a file that is not there yet; private formats need the passphrase of the key."""
        message = translate("Keys", "Saved as %1").replace("%1", target.name)
        if kind is ExportFormat.KEY_FILE:
            self._start(message, lambda store, report, cancelled: store.export_key_file(fingerprint, target))
        elif kind is ExportFormat.PUBLIC:
            self._start(message, lambda store, report, cancelled: store.export_public(fingerprint, target))
        elif not passphrase:
            self.field_failed.emit("old", translate("Keys", "Write the passphrase of the key."))
        else:
            self._start(
                message,
                lambda store, report, cancelled: store.export_private(
                    fingerprint, passphrase, kind.value, new_passphrase or None, target
                ),
            )

    @property
    def remembered(self) -> bool:
        """Whether this computer's keyring opens the account's key."""
        return self._remembered

    def remember(self, passphrase: str) -> None:
        """Let this computer's keyring open the account's key from now on."""
        fingerprint = self.own_fingerprint
        if not passphrase:
            self.field_failed.emit("old", translate("Keys", "Write the passphrase of the key."))
            return
        self._start(
            translate("Keys", "This computer opens your key by itself now"),
            lambda store, report, cancelled: self._keychain().remember(store, fingerprint, passphrase),
        )

    def forget(self) -> None:
        """Ask for the passphrase each time again."""
        fingerprint = self.own_fingerprint
        self._start(
            translate("Keys", "The passphrase is asked for each time again"),
            lambda store, report, cancelled: self._keychain().forget(store, fingerprint),
        )

    def check_passphrase(self, fingerprint: str, passphrase: str) -> None:
        """Find out whether this is the passphrase of a key."""
        if not passphrase:
            self.field_failed.emit("old", translate("Keys", "Write the passphrase of the key."))
            return
        self._start("", lambda store, report, cancelled: _try(store, fingerprint, passphrase))

    def cancel(self) -> None:
        """Give up what is under way."""
        if self._task is not None:
            self._task.cancel()

    def _new_passphrase_fits(self, passphrase: str, repeated: str) -> bool:
        field, sentence = passphrase_problem(passphrase, repeated)
        if field:
            self.field_failed.emit(field, sentence)
        return not field

    def _take(
        self, store: KeyStorePort, entries: list[KeyEntry], remembered: bool, accounts: dict[str, list[Place]]
    ) -> None:
        if store is self._store:
            self._remembered, self._accounts = remembered, accounts
            self.entries = sorted(entries, key=lambda entry: entry.fingerprint != self.own_fingerprint)
            self.keys_changed.emit()

    def _start(self, message: str, work: StoreWork, *, wrong_key_field: str = "old", new_passphrase: str = "") -> None:
        """Run ``work(store, report, cancelled)``; a wrong passphrase is the fault of the field ``wrong_key_field``.

        Without a ``message`` nothing is done, only a passphrase tried. A ``new_passphrase`` may not be the password,
        which the server sees.
        """
        store = self._store
        if store is None or self.busy:
            return
        task = self._runner.submit(_refusing, self._session, new_passphrase, work, store)
        self._task = task

        def succeeded(_: object) -> None:
            if message:
                self.done.emit(message)
                self.reload()
            else:  # told when nothing is under way any more
                task.finished.connect(self.passphrase_right)

        def failed(error: GlassineError) -> None:
            if isinstance(error, PassphraseRefused):
                self.field_failed.emit("passphrase", error.message)
            elif not isinstance(error, WrongKey):
                self.failed.emit(error)
            elif wrong_key_field == "old":
                sentence = translate("Keys", "That is not the passphrase of this key. Check Caps Lock.")
                self.field_failed.emit(wrong_key_field, sentence)
            else:
                self.field_failed.emit(wrong_key_field, translate("Keys", "This file opens with another passphrase."))

        def finished() -> None:
            self._task = None
            self.busy_changed.emit(False)

        task.progressed.connect(self.progressed)
        task.succeeded.connect(succeeded)
        task.failed.connect(failed)
        task.finished.connect(finished)
        self.busy_changed.emit(True)


def _list(
    store: KeyStorePort, own: str, places: list[Place], report: Report, cancelled: IsCancelled
) -> tuple[list[KeyEntry], bool, dict[str, list[Place]]]:
    """The keys, whether the keyring opens the account's, and which accounts use which."""
    from desktop.client.key_uses import accounts_by_key
    from desktop.client.keychain import Keychain

    entries, accounts = store.list(), accounts_by_key(places)
    try:
        return entries, bool(own) and Keychain.remembers(store, own), accounts  # type: ignore[arg-type]
    except GlassineError:  # not here, or not to be read, which the list itself says
        return entries, False, accounts


def _system_keychain() -> Any:
    from desktop.client.keychain import Keychain

    return Keychain()


def _try(store: KeyStorePort, fingerprint: str, passphrase: str) -> None:
    """Open the key and forget it again."""
    store.open(fingerprint, passphrase)


def _refusing(
    session: SessionPort | None,
    new_passphrase: str,
    work: StoreWork,
    store: KeyStorePort,
    report: Report,
    cancelled: IsCancelled,
) -> Any:
    if session is not None and new_passphrase:
        session.refuse_passphrase(new_passphrase)
    return work(store, report, cancelled)
