"""Opening sessions: the one thing the sign-in page's view-model talks to.

Must not import PySide6, ``requests`` or ``backend``: the backend in this process is started by a function handed in.
"""

from __future__ import annotations

import logging
import threading
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from desktop import errors
from desktop.client.api import Api
from desktop.client.key_store import KeyStore
from desktop.client.open_session import Session
from desktop.client.transport import EMBEDDED_URL, Transport, normalise_address
from desktop.config import BACKEND, KEYS, vault_exists
from desktop.models import IsCancelled, Place, PlaceKind, Report, never_cancelled, no_report

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from desktop.client.keychain import Keychain
    from desktop.client.kit_restore import Found
    from desktop.config import Config
    from desktop.crypto.classic_keys import ClassicPublicKey
    from desktop.crypto.keys import PrivateKey, PublicKey

__all__ = ["EmbeddedBackend", "Session", "Sessions"]

log = logging.getLogger(__name__)

LOCAL_USER = "me"


class EmbeddedBackend(Protocol):
    """A backend in this process, as ``desktop.embedded.start`` returns it."""

    @property
    def app(self) -> WSGIApplication: ...

    def account(self, name: str, public_key: str) -> str:
        """Return the id of the vault's one account; it is made at first use."""
        ...

    def replace_key(self, user_id: str, public_key: str) -> None:
        """Put another public key in the place of the account's."""
        ...

    def token(self, user_id: str) -> str:
        """Return a token to call the application with."""
        ...

    def close(self) -> None:
        """Release the folder."""
        ...


class Sessions:
    """Opens sessions, remembers where."""

    def __init__(self, config: Config, start_embedded: Callable[[Path], EmbeddedBackend]) -> None:
        """Prepare.

        Args:
            config: Folders and recent places.
            start_embedded: Starts a backend in this process over a folder (``desktop.embedded.start``).
        """
        self._config = config
        self._start_embedded = start_embedded

    def places(self) -> list[Place]:
        """Return places used before, the latest first."""
        return list(self._config.preferences.places)

    # -- this computer --------------------------------------------------------------------------------------------

    @staticmethod
    def vault_exists(folder: Path) -> bool:
        """Whether there is a vault, or what is left of one, in this folder."""
        return vault_exists(folder)

    def create_vault(
        self, folder: Path, passphrase: str, report: Report = no_report, cancelled: IsCancelled = never_cancelled
    ) -> Session:
        """Make a vault on this computer and open it; reported in four steps.

        A crash after the key file was written leaves a vault without pictures, which :meth:`open_vault` opens.

        Raises:
            NameTaken: There is a vault in this folder.
            PassphraseRefused: The passphrase is empty.
            StorageFull, StorageReadOnly, FileUnreadable, VaultInUse: The folder cannot be used.
        """
        _refuse_empty(passphrase)
        if self.vault_exists(folder):
            raise errors.NameTaken("There is a vault in this folder already. Open it, or choose another folder.")
        report(0, 4)
        store = KeyStore(folder / KEYS)
        entry = store.create(
            folder.name or "vault", passphrase, report=lambda done, _: report(done, 4), cancelled=cancelled
        )
        key = store.open(entry.fingerprint, passphrase)
        report(3, 4)
        session = self._open_embedded(folder, store, key)
        report(4, 4)
        return session

    def open_vault(
        self, folder: Path, passphrase: str, report: Report = no_report, cancelled: IsCancelled = never_cancelled
    ) -> Session:
        """Open a vault on this computer; reported in two steps.

        Raises:
            WrongKey: The passphrase is not right.
            VaultUnreadable: There is no vault, or its key file is gone, or its database cannot be read.
            KeyFileUnreadable, KeyFileDamaged: Its key file cannot be used.
            VaultInUse: Another window has it open.
            StorageFull, StorageReadOnly: The folder cannot be written.
        """
        report(0, 2)
        store = KeyStore(folder / KEYS)
        key = self._open_local_key(folder, store, passphrase)
        if cancelled():
            raise errors.Cancelled
        report(1, 2)
        session = self._open_embedded(folder, store, key)
        report(2, 2)
        return session

    def remembered_key(self, folder: Path, keychain: Keychain) -> PrivateKey | None:
        """Return the key of a vault on this computer if the system's keyring opens it; None when that is not wanted.

        It is not after locking or signing out, until the passphrase was typed. The call may wait for the person.

        Raises:
            KeychainMissing, KeychainLocked: It is wanted, and the keyring cannot be asked.
        """
        store = KeyStore(folder / KEYS)
        for entry in store.list():
            notes = store.notes(entry.fingerprint)
            if notes.get("ask") or notes.get("retired"):
                continue
            try:
                key = keychain.open(store, entry.fingerprint)
                if key is not None:
                    return key
            except (errors.KeyFileUnreadable, errors.KeyFileDamaged) as error:  # the passphrase brings it up
                log.warning("the keyring opens no vault: %s", error.code)
        return None

    def open_vault_with(
        self, folder: Path, key: PrivateKey, report: Report = no_report, cancelled: IsCancelled = never_cancelled
    ) -> Session:
        """Open a vault on this computer with what :meth:`remembered_key` gave; raises as :meth:`open_vault`."""
        report(0, 1)
        session = self._open_embedded(folder, KeyStore(folder / KEYS), key)
        report(1, 1)
        return session

    def recover_vault(
        self,
        folder: Path,
        words: Sequence[str],
        path: Path | None,
        printed: str,
        passphrase: str,
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
    ) -> Session:
        """Open a vault on this computer with its recovery kit, under a new passphrase.

        Args:
            folder: The vault's.
            words: Of the kit.
            path: A copy of the key file; None for the one that is in the vault's folder.
            printed: The fingerprint as it is on the kit.
            passphrase: The new one.
            report: In two steps.
            cancelled: Asked before anything is written.

        Raises:
            KitWordsWrong, WrongKey: The words do not open the key file, or it is not the one of the kit.
            VaultUnreadable: There is no vault here, or it is of another key.
        """
        from desktop.client import kit_restore

        report(0, 2)
        found = self.find_vault_key(folder, words, path)
        if cancelled():
            raise errors.Cancelled
        report(1, 2)
        store = KeyStore(folder / KEYS)
        known = any(entry.fingerprint == found.fingerprint for entry in store.list())
        kit_restore.keep(found, store, printed=printed, passphrase=passphrase, name=folder.name or "vault")
        try:
            session = self._open_embedded(folder, store, store.open(found.fingerprint, passphrase))
        except errors.KeyChanged:
            if not known:  # another vault's: it must not stay among the keys of this one
                store.remove_unused(found.fingerprint)
            raise
        report(2, 2)
        return session

    def find_vault_key(self, folder: Path, words: Sequence[str], path: Path | None) -> Found:
        """Open a copy of the key file of a vault on this computer; the first half of :meth:`recover_vault`."""
        from desktop.client import kit_restore

        if path is not None:
            return kit_restore.open_with_words(kit_restore.read_copy(path), words)
        store = KeyStore(folder / KEYS)
        failure: errors.GlassineError | None = None
        for entry in store.list():
            try:
                return kit_restore.open_with_words(store.read(entry.fingerprint), words)
            except errors.WrongKey as error:
                failure = failure or error
        for problem in store.unreadable().values():
            raise failure or problem
        raise failure or errors.KeyMissing("There is no key file in this vault. Choose the copy that you exported.")

    # -- servers --------------------------------------------------------------------------------------------------

    def register(
        self,
        address: str,
        user_name: str,
        password: str,
        passphrase: str,
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
    ) -> Session:
        """Make an account on a server, with a new key pair, and sign in; reported in four steps.

        The key file is written, synced and opened again before the server learns the public key. If the server
        refuses, the key is removed; if it does not answer, the key is kept, because the account may exist.

        Raises:
            PassphraseRefused: The passphrase is empty, or is the password: the server would learn it.
            UserNameTaken, NotAllowed, NetworkError: The server refused.
        """
        _refuse_empty(passphrase)
        if unicodedata.normalize("NFC", passphrase) == unicodedata.normalize("NFC", password):
            raise errors.PassphraseRefused(
                "The passphrase must differ from the password: the server sees the password, and must never "
                "be able to open your key."
            )
        report(0, 4)
        api = Api(Transport(normalise_address(address)))
        try:
            if not api.server().registration:
                raise errors.NotAllowed("This server takes no new accounts. Ask the person who runs it.")
            store = KeyStore(self._config.keys_folder)
            entry = store.create(
                f"{user_name} @ {_host(api.address)}",
                passphrase,
                report=lambda done, _: report(done, 4),
                cancelled=cancelled,
            )
            key = store.open(entry.fingerprint, passphrase)
            try:
                api.register(user_name, password, key.public.pem)
            except (errors.ServerSilent, errors.ServerFailed):
                raise
            except errors.GlassineError:
                store.remove_unused(entry.fingerprint)
                raise
            report(3, 4)
            session = self._signed_in(api, store, user_name, password)
        except BaseException:
            api.close()
            raise
        return self._unlocked(session, key, report, 4)

    def sign_in(
        self,
        address: str,
        user_name: str,
        password: str,
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
    ) -> Session:
        """Sign in to a server's account. The session is locked; its ``key_missing`` tells whether to import a key.

        Raises:
            WrongPassword: User name or password is not right.
            KeyChanged, SchemeChanged: The server names another key than this computer knows of the account.
            VaultInUse: Another window is signed in to this account.
            BadAddress, NotAGlassineServer, NetworkError: The server cannot be used.
        """
        report(0, 2)
        api = Api(Transport(normalise_address(address)))
        try:
            api.server()
            if cancelled():
                raise errors.Cancelled
            report(1, 2)
            session = self._signed_in(api, KeyStore(self._config.keys_folder), user_name, password)
        except BaseException:
            api.close()
            raise
        self._remember(session.place)
        self._tidy()
        report(2, 2)
        return session

    # -- inside ---------------------------------------------------------------------------------------------------

    def _signed_in(self, api: Api, store: KeyStore, user_name: str, password: str) -> Session:
        login = api.login(user_name, password)
        user = api.user(login.user_id)
        if user.user_id != login.user_id:
            raise errors.NotAGlassineServer("The server answered for another account.")
        public_key, classic_key = _read_public_key(user.public_key)
        from desktop.client.password_check import PasswordCheck

        return Session(
            self._config.server_place(api.address, user_name),
            api,
            store,
            user_id=login.user_id,
            user_name=user_name,
            public_key=public_key,
            classic_key=classic_key,
            password=PasswordCheck(password),
        )

    def _open_embedded(self, folder: Path, store: KeyStore, key: PrivateKey) -> Session:
        backend = self._start_embedded(folder / BACKEND)
        try:
            user_id = backend.account(LOCAL_USER, key.public.pem)
            api = Api(Transport(EMBEDDED_URL, backend.app))
            api.use_token(backend.token(user_id))
            session = Session(
                Place(PlaceKind.THIS_COMPUTER, folder),
                api,
                store,
                user_id=user_id,
                user_name=LOCAL_USER,
                public_key=_recorded_key(api, user_id),
                on_close=backend.close,
                replace_key=lambda public_key: backend.replace_key(user_id, public_key),
            )
        except BaseException:
            backend.close()
            raise
        return self._unlocked(session, key)

    def _unlocked(self, session: Session, key: PrivateKey, report: Report = no_report, steps: int = 0) -> Session:
        try:
            session.accept(key)
        except BaseException:
            session.close()
            raise
        self._remember(session.place)
        self._tidy()
        report(steps, steps)
        return session

    def _tidy(self) -> None:
        """Remove what an export left half-written when the program was killed; a folder far away holds nobody up."""
        from desktop.crypto.safe_write import remove_stale

        folder = self._config.preferences.export_folder
        if folder:
            threading.Thread(target=remove_stale, args=(Path(folder),), name="tidying", daemon=True).start()

    def _open_local_key(self, folder: Path, store: KeyStore, passphrase: str) -> PrivateKey:
        """Open the vault's key; with several key files in it, the one that the passphrase opens."""
        entries = sorted(store.list(), key=lambda entry: not entry.is_default)
        if not entries:
            for problem in store.unreadable().values():
                raise problem
            if not self.vault_exists(folder):
                raise errors.VaultUnreadable("There is no vault in this folder.")
            raise errors.VaultUnreadable(
                "The vault's key file is gone from its “keys” folder. Put a copy of it there; the pictures are safe."
            )
        failure: errors.GlassineError | None = None
        for entry in entries:
            try:
                return store.open(entry.fingerprint, passphrase)
            except errors.GlassineError as error:
                failure = failure or error
        raise failure or errors.WrongKey

    def _remember(self, place: Place) -> None:
        self._config.preferences.remember(place)
        try:
            self._config.save()
        except errors.GlassineError as error:
            log.warning("the recent places cannot be written: %s", error.code)


def _refuse_empty(passphrase: str) -> None:
    if not passphrase.strip():
        raise errors.PassphraseRefused("A passphrase is needed: it is what keeps your pictures yours.")


def _recorded_key(api: Api, user_id: str) -> PublicKey | None:
    """Read the public key that the records of a vault on this computer name.

    Raises:
        VaultUnreadable: They are damaged: nobody but this program has written them.
    """
    try:
        return _read_public_key(api.user(user_id).public_key)[0]
    except (errors.KeyRefused, errors.NetworkError) as error:
        raise errors.VaultUnreadable(errors.VAULT_DAMAGED, details=f"{error.code} {error.message}") from error


def _host(address: str) -> str:
    return address.split("://", 1)[-1]


def _read_public_key(untrusted_key: str) -> tuple[PublicKey | None, ClassicPublicKey | None]:
    """Read what a server says is an account's key: of the sealed scheme, or of the classic one, which is two numbers.

    Raises:
        KeyRefused: It is neither, or too weak.
    """
    from desktop.crypto.classic_keys import ClassicPublicKey
    from desktop.crypto.keys import PublicKey

    if untrusted_key[:1].isdigit():
        return None, ClassicPublicKey.from_text(untrusted_key)
    return PublicKey.from_pem(untrusted_key), None
