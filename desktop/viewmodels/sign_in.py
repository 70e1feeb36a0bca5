"""Signing in, creating an account, opening and creating a vault on this computer. Must not import widgets."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QCoreApplication, QObject, Signal

from desktop.errors import BadAddress, GlassineError, PassphraseRefused, UserNameTaken, WrongKey
from desktop.place_kind import PlaceKind
from desktop.viewmodels.passphrases import not_the_same, passphrase_problem, too_short

if TYPE_CHECKING:
    from desktop.models import IsCancelled, Report
    from desktop.tasks import Runner, Task
    from desktop.viewmodels.session_port import SessionPort, SessionsPort

translate = QCoreApplication.translate


OWN_FOLDER: Final = "Glassine"


def is_open_to_listeners(address: str) -> bool:
    """Whether what is sent to this address can be read on the way: plain HTTP to another computer."""
    text = address.strip().lower()
    if not text.startswith("http://"):
        return False
    from urllib.parse import urlsplit  # only here: the first paint does not wait for it

    try:
        host = urlsplit(text).hostname or ""
    except ValueError:
        return False
    return bool(host) and host not in ("localhost", "::1") and not host.startswith("127.")


class Form(StrEnum):
    """What is asked for just now."""

    SIGN_IN = "sign-in"
    REGISTER = "register"
    OPEN_VAULT = "open-vault"
    CREATE_VAULT = "create-vault"


class SignInViewModel(QObject):
    """Which form is shown, whether it is busy, and what came of it.

    Signals:
        form_changed(): another form, place or folder.
        busy_changed(bool)
        field_failed(str field, str sentence): fields are address, user_name, password,
            password_repeat, passphrase, repeat.
        failed(GlassineError): anything that is no single field's fault.
        signed_in(session): locked if the passphrase of the key is still needed.

    Attributes:
        folder: Where the vault on this computer is or will be.
        in_own_folder: Whether that is a new folder inside the one that was chosen, which holds other things.
    """

    form_changed = Signal()
    busy_changed = Signal(bool)
    field_failed = Signal(str, str)
    failed = Signal(object)
    signed_in = Signal(object)

    def __init__(
        self,
        runner: Runner,
        sessions: SessionsPort,
        default_folder: Path,
        parent: QObject | None = None,
        *,
        keychain: Callable[[], Any] | None = None,
    ) -> None:
        super().__init__(parent)
        self._runner, self._sessions = runner, sessions
        self._keychain = keychain or _system_keychain
        self._entered = False
        self._task: Task | None = None
        self._registering = False
        self._asked: Form | None = None
        self.folder = default_folder
        self.in_own_folder = False
        self.kind = PlaceKind.THIS_COMPUTER
        self.address = ""
        self.user_name = ""
        self._recall()

    def _recall(self) -> None:
        """Begin where the person was last."""
        places = self._sessions.places()
        for place in places:
            if place.kind is PlaceKind.SERVER:
                self.address, self.user_name = place.address, place.user_name
                break
        for place in places:
            if place.kind is PlaceKind.THIS_COMPUTER:
                self.folder = place.folder
                break
        if places:
            self.kind = places[0].kind

    @property
    def form(self) -> Form:
        """What is asked for."""
        if self.kind is PlaceKind.SERVER:
            return Form.REGISTER if self._registering else Form.SIGN_IN
        return Form.OPEN_VAULT if self._sessions.vault_exists(self.folder) else Form.CREATE_VAULT

    @property
    def busy(self) -> bool:
        """Whether an attempt is under way."""
        return self._task is not None

    def choose(self, kind: PlaceKind) -> None:
        """Choose where the pictures are kept."""
        if kind is not self.kind:
            self.kind = kind
            self.form_changed.emit()

    def choose_folder(self, folder: Path) -> None:
        """Choose another vault folder on this computer. Among other things a vault gets a folder of its own."""
        self.folder = self._place_in(folder)
        self.in_own_folder = self.folder != folder
        self.form_changed.emit()

    def _place_in(self, folder: Path) -> Path:
        number, place = 1, folder
        while not self._sessions.vault_exists(place) and _holds_something(place):
            place = folder / (OWN_FOLDER if number == 1 else f"{OWN_FOLDER} {number}")
            number += 1
        return place

    def set_registering(self, registering: bool) -> None:
        """Ask for a new account, or go back to signing in."""
        if registering != self._registering:
            self._registering = registering
            self.form_changed.emit()

    def sign_in(self, address: str, user_name: str, password: str) -> None:
        """Sign in to a server; the session comes back locked."""
        if self.busy or not self._filled(address=address, user_name=user_name, password=password):
            return
        self._start(Form.SIGN_IN, self._sessions.sign_in, address.strip(), user_name.strip(), password)

    def register(
        self, address: str, user_name: str, password: str, password_repeated: str, passphrase: str, repeated: str
    ) -> None:
        """Create an account on a server, with a new key."""
        if self.busy or not self._filled(address=address, user_name=user_name, password=password):
            return
        if short := too_short(password):  # whoever guesses it can delete pictures, if not open them
            self.field_failed.emit("password", short)
        elif password != password_repeated:
            self.field_failed.emit("password_repeat", not_the_same())
        elif self._passphrase_fits(passphrase, repeated, password):
            self._start(
                Form.REGISTER, self._sessions.register, address.strip(), user_name.strip(), password, passphrase
            )

    def open_vault(self, passphrase: str) -> None:
        """Open the vault in the chosen folder."""
        if self.busy or not self._filled(passphrase=passphrase):
            return
        self._start(Form.OPEN_VAULT, self._sessions.open_vault, self.folder, passphrase)

    def open_from_keychain(self) -> None:
        """At the start of the program: let this computer's keyring open the vault, if the person wanted that."""
        if self.busy or self._entered or self.form is not Form.OPEN_VAULT:
            return
        folder = self.folder
        task = self._runner.submit(_remembered_key, self._sessions, folder, self._keychain, pool="view")
        found: list[Any] = []

        def is_wanted() -> bool:
            # nobody waits for this one: the passphrase may be typed, or another vault be chosen, meanwhile
            return not self.busy and not self._entered and self.form is Form.OPEN_VAULT and self.folder == folder

        def finished() -> None:
            if found and found[0] is not None and is_wanted():
                self._start(Form.OPEN_VAULT, self._sessions.open_vault_with, folder, found[0])
            found.clear()

        task.succeeded.connect(found.append)
        task.failed.connect(lambda error: self.failed.emit(error) if is_wanted() else None)
        task.finished.connect(finished)

    def create_vault(self, passphrase: str, repeated: str) -> None:
        """Create a vault in the chosen folder, with a new key."""
        if not self.busy and self._passphrase_fits(passphrase, repeated, None):
            self._start(Form.CREATE_VAULT, self._sessions.create_vault, self.folder, passphrase)

    def cancel(self) -> None:
        """Give the attempt under way up."""
        if self._task is not None:
            self._task.cancel()

    def _filled(self, **fields: str) -> bool:
        sentences = {
            "address": translate("SignIn", "Write the address of the server, such as pictures.example.org."),
            "user_name": translate("SignIn", "Write your user name."),
            "password": translate("SignIn", "Write your password."),
            "passphrase": translate("SignIn", "Write the passphrase of your key."),
        }
        for name, text in fields.items():
            if not text.strip():
                self.field_failed.emit(name, sentences[name])
                return False
        return True

    def _passphrase_fits(self, passphrase: str, repeated: str, password: str | None) -> bool:
        field, sentence = passphrase_problem(passphrase, repeated, password=password)
        if field:
            self.field_failed.emit(field, sentence)
        return not field

    def _start(self, asked: Form, work: Callable[..., Any], *arguments: Any) -> None:
        task = self._runner.submit(work, *arguments, pool="network")
        task.succeeded.connect(self._on_session)
        task.failed.connect(self._on_failed)
        task.finished.connect(self._on_finished)
        self._task, self._asked = task, asked
        self.busy_changed.emit(True)

    def _on_session(self, session: SessionPort) -> None:
        self._entered = True
        if self._asked is Form.REGISTER:  # there is an account now
            self._registering = False
        self.signed_in.emit(session)

    def _on_failed(self, error: GlassineError) -> None:
        if self.form is not self._asked:  # a vault that was made and could not be opened is there to be opened
            self.form_changed.emit()
        if isinstance(error, BadAddress):
            self.field_failed.emit("address", error.message)
        elif isinstance(error, UserNameTaken):
            self.field_failed.emit("user_name", error.message)
        elif isinstance(error, PassphraseRefused):
            self.field_failed.emit("passphrase", error.message)
        elif isinstance(error, WrongKey) and self.form is Form.OPEN_VAULT:
            sentence = translate("SignIn", "That is not the passphrase of this key. Check Caps Lock.")
            self.field_failed.emit("passphrase", sentence)
        else:
            self.failed.emit(error)

    def _on_finished(self) -> None:
        self._task = None
        self.busy_changed.emit(False)


def _system_keychain() -> Any:
    from desktop.client.keychain import Keychain

    return Keychain()


def _remembered_key(
    sessions: SessionsPort, folder: Path, keychain: Callable[[], Any], report: Report, cancelled: IsCancelled
) -> Any:
    return sessions.remembered_key(folder, keychain())


def _holds_something(folder: Path) -> bool:
    """Whether a person keeps things in this folder. One that cannot be read is said to be empty: making tells more."""
    try:
        return any(not entry.name.startswith(".") for entry in folder.iterdir())
    except OSError:
        return False
