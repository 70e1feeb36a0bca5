"""What a session does with the keys of its account: the recovery kit, coming back with it, another key pair.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from desktop import errors
from desktop.models import IsCancelled, Place, Report, never_cancelled, no_report

if TYPE_CHECKING:
    from desktop.client.api import Api
    from desktop.client.key_change import Changed
    from desktop.client.key_change_state import ChangeState
    from desktop.client.key_store import KeyStore
    from desktop.client.keychain import Keychain
    from desktop.client.kit_restore import Found
    from desktop.client.moving_classic import Moved
    from desktop.client.password_check import PasswordCheck
    from desktop.client.recovery_kit import Kit
    from desktop.client.vault import Vault
    from desktop.crypto.classic_keys import ClassicPrivateKey, ClassicPublicKey
    from desktop.crypto.keys import PrivateKey, PublicKey

log = logging.getLogger(__name__)


class SessionKeys(ABC):
    """The part of :class:`desktop.client.open_session.Session` that is about keys; has no state of its own."""

    place: Place
    user_id: str
    user_name: str
    public_key: PublicKey | None
    classic_key: ClassicPublicKey | None
    key: PrivateKey | None
    key_store: KeyStore
    api: Api
    _password: PasswordCheck | None
    _replace_key: Callable[[str], None] | None
    _mutex: threading.RLock

    @property
    @abstractmethod
    def key_missing(self) -> bool:
        """Whether the account's key file is not on this computer."""

    @abstractmethod
    def unlock(self, passphrase: str, fingerprint: str | None = None) -> None:
        """Open the key file."""

    @abstractmethod
    def accept(self, key: PrivateKey) -> None:
        """Use an opened key."""

    @abstractmethod
    def vault(self) -> Vault:
        """Return the pictures."""

    @abstractmethod
    def lock(self) -> None:
        """Forget the private key."""

    @abstractmethod
    def _pin(self, fingerprint: str) -> None:
        """Keep which key the account has."""

    def refuse_passphrase(self, passphrase: str) -> None:
        """Raise PassphraseRefused for a new passphrase that is the password this session was signed in with."""
        if self._password is not None:
            self._password.refuse(passphrase)

    def kit(self, fingerprint: str = "") -> Kit:
        """Return the recovery kit of a key of this account, by default of its own; raises KeyMissing without one."""
        from desktop.client.recovery_kit import Kit

        if not fingerprint and self.public_key is None:
            raise errors.KeyMissing
        fingerprint = fingerprint or self.public_key.fingerprint  # type: ignore[union-attr]
        own = self.public_key is not None and fingerprint == self.public_key.fingerprint
        if self.api.embedded or not own:  # a server keeps one key file: that of the account's key
            return Kit(self.key_store, fingerprint)
        return Kit(self.key_store, fingerprint, api=self.api, user_id=self.user_id, user_name=self.user_name)

    def find_key(self, words: Sequence[str], path: Path | None = None) -> Found:
        """Open a copy of this account's key file with the words of the kit: an exported one, that on the server, or
        the key file that is here and whose passphrase was forgotten.

        Raises:
            KitWordsWrong, WrongKey: The words do not open it.
            KeyMissing: There is no copy.
            KeyChanged: It is not the key that this account has.
            KeyFileUnreadable, KeyFileDamaged, TooLarge, NetworkError: There is no copy that can be read.
        """
        from desktop.client import kit_restore

        content, where = self._copy(path)
        found = replace(kit_restore.open_with_words(content, words), where=where)
        if self.public_key is None or found.fingerprint != self.public_key.fingerprint:
            raise errors.KeyChanged(
                "The key in this copy is not the one the server has for this account. Nothing was kept."
            )
        return found

    def keep_key(self, found: Found, printed: str, passphrase: str) -> None:
        """Keep a key that :meth:`find_key` found and unlock with it; raises as ``kit_restore.keep``."""
        from desktop.client import kit_restore

        kit_restore.keep(
            found,
            self.key_store,
            printed=printed,
            passphrase=passphrase,
            name=self.user_name,
            refuse=self.refuse_passphrase,
        )
        self.unlock(passphrase)

    def _copy(self, path: Path | None) -> tuple[bytes, str]:
        from desktop.client import kit_restore
        from desktop.crypto import kit

        if path is not None:
            return kit_restore.read_copy(path), "file"
        if self.public_key is not None and not self.key_missing:
            content = self.key_store.read(self.public_key.fingerprint)
            if self.api.embedded or kit.has_kit(content):
                return content, ""
        return kit_restore.fetch_copy(self.api, self.user_id), "server"

    def remember_here(self, passphrase: str, keychain: Keychain) -> None:
        """Let this computer open the account's key without its passphrase; raises as ``Keychain.remember``."""
        if self.public_key is not None:
            keychain.remember(self.key_store, self.public_key.fingerprint, passphrase)

    def unlock_from(self, keychain: Keychain) -> bool:
        """Unlock with what this computer's keychain keeps; return whether it had anything.

        Raises:
            KeychainMissing, KeychainLocked: It cannot be asked.
            KeyMissing, KeyFileUnreadable, KeyFileDamaged, KeyChanged: The key cannot be used.
        """
        if self.public_key is None:
            return False
        key = keychain.open(self.key_store, self.public_key.fingerprint)
        if key is None:
            return False
        self.accept(key)
        return True

    def ask_again(self) -> None:
        """Let the keyring open this vault no more until its passphrase was typed; a server asks for the password.

        Who finds the vault locked shall not get in by starting the program anew. Never raises.
        """
        if not self.api.embedded or self.public_key is None:
            return
        from desktop.client.keychain import Keychain

        try:
            if Keychain.remembers(self.key_store, self.public_key.fingerprint):
                self.key_store.note(self.public_key.fingerprint, ask=True)
        except errors.GlassineError as error:
            log.warning("that the vault was locked cannot be noted: %s", error.code)

    def _asked(self, fingerprint: str) -> None:
        """The key was opened: the keyring may do it the next time."""
        if not self.api.embedded or not self.key_store.notes(fingerprint).get("ask"):
            return
        with suppress(errors.GlassineError):
            self.key_store.note(fingerprint, ask=None)

    # -- another key pair -----------------------------------------------------------------------------------------

    @property
    def key_change(self) -> ChangeState | None:
        """The change of the key pair that is not finished yet; raises VaultUnreadable."""
        from desktop.client import key_change_state

        return key_change_state.load(self.place.folder)

    def change_key(
        self,
        new: PrivateKey | None = None,
        password: str = "",
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
    ) -> Changed:
        """Go over to another key pair, or go on with that; progress is in pictures. Afterwards the new one is in use.

        Args:
            new: The key that follows, its key file in the key store; None goes on with a change that was begun.
            password: Of the account; needed at a server until it has the new public key.
            report: Pictures sealed anew and in all.
            cancelled: Asked before each picture.

        Raises:
            KeyMissing: Locked, or there is no change to go on with.
            WrongPassword: The password is needed, or is another one.
            ConflictKept: New versions of pictures wait here; the person has to choose first.
            KeyRefused, NetworkError, StorageFull, StorageReadOnly: It goes on with the next call.
        """
        from desktop.client import key_change_state, queue_file
        from desktop.client.key_change import KeyChange

        key, state = self.key, self.key_change
        if key is None or (state is None and new is None):
            raise errors.KeyMissing("Glassine is locked. Unlock it with your passphrase.")
        if state is None:
            old, new = key, new or key
        elif key.fingerprint == state.new:
            old, new = key_change_state.open_key(self.place.folder, key, state.old), key
        else:
            old, new = key, key_change_state.open_key(self.place.folder, key, state.new)
        following = new
        vault = self.vault()
        if key is old:  # only this key opens what waits here to be sent
            self._send_waiting(vault, cancelled, begun=state is not None)
        context = vault.context()
        change = KeyChange(context, old, new, lambda pem: self._change_account(following, password))
        changed = change.run(report, cancelled)
        queue = self.place.folder / "queue"
        if waiting := queue_file.load(queue, old):
            queue_file.save(queue, new, waiting)
        with self._mutex:
            self.lock()
            self.accept(new)
        with suppress(errors.GlassineError):  # what the keys are called is not worth a failure now
            self.key_store.set_default(new.fingerprint)
            self.key_store.note(old.fingerprint, retired=datetime.now(UTC).isoformat())
        return changed

    @staticmethod
    def _send_waiting(vault: Vault, cancelled: IsCancelled, *, begun: bool) -> None:
        """Send what waits here to be sent; raises ConflictKept when the person has to choose first."""
        from desktop.client.revising import Revising

        for staged in vault.staged():
            vault.upload(staged, cancelled=cancelled)
        revising = Revising(vault.context())
        revising.send_kept(cancelled=cancelled)
        if revising.kept() and not begun:
            raise errors.ConflictKept(
                "New versions of pictures wait here that only your present key opens. Choose for each which version "
                "counts, then change your key. Nothing was changed."
            )

    # -- away from the classic scheme -----------------------------------------------------------------------------

    @property
    def moving_classic(self) -> bool:
        """Whether storing the classic pictures again, sealed, was begun and is not finished."""
        from desktop.client import moving_classic

        return moving_classic.load(self.place.folder) is not None

    def move_classic(
        self,
        new: PrivateKey | None = None,
        password: str = "",
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
    ) -> Moved:
        """Store every classic picture again, sealed, or go on with that; progress is in pictures.

        Args:
            new: The sealed key of an account that has none yet, its key file in the key store.
            password: Of such an account.
            report: Pictures done and in all.
            cancelled: Asked before each picture.

        Raises:
            KeyMissing: The account's rsa.txt was not imported, or the sealed key is locked.
            WrongPassword: The password is needed, or is another one.
            NetworkError, StorageFull, StorageReadOnly: It goes on with the next call.
        """
        from desktop.client import moving_classic
        from desktop.client.moving_classic import MovingClassic

        if self._classic_private_key() is None:
            raise errors.KeyMissing("Import the account's rsa.txt first: only it opens the classic pictures.")
        if self.public_key is None and new is not None:
            if self.classic_key is not None:  # noted first: afterwards nobody else says which key it was
                moving = moving_classic.load(self.place.folder) or moving_classic.Moving()
                moving.classic_key = self.classic_key.to_text()
                moving_classic.save(self.place.folder, moving)
            with self._mutex:
                self._change_account(new, password)
                self.lock()
                self.accept(new)
        return MovingClassic(self.vault().context(), self._classic_private_key).run(report, cancelled)

    def _classic_private_key(self) -> ClassicPrivateKey | None:
        from desktop.client import moving_classic
        from desktop.crypto.classic_keys import ClassicPublicKey

        public = self.classic_key
        if public is None:
            moving = moving_classic.load(self.place.folder)
            if moving is None or not moving.classic_key:
                return None
            try:
                public = ClassicPublicKey.from_text(moving.classic_key)
            except errors.KeyRefused:
                return None
        return self.key_store.classic_key(public)

    def _change_account(self, new: PrivateKey, password: str) -> None:
        """Give the account its new public key, if it has not got it yet."""
        pem = new.public.pem
        if self.api.user(self.user_id).public_key != pem:
            if self._replace_key is not None:
                self._replace_key(pem)
            elif password:
                self.api.change_key(self.user_id, pem, password)
            else:
                raise errors.WrongPassword("The server asks for your password before it takes another key.")
        self.public_key = new.public
        self._pin(new.fingerprint)

    def _other_key(self, key: PrivateKey, wanted: str) -> PrivateKey:
        """Return the key of the account when the other one of an unfinished change was opened, else the same."""
        from desktop.client import key_change_state

        try:
            return key_change_state.open_key(self.place.folder, key, wanted)
        except errors.GlassineError:
            return key
