"""Signing in: a server's account, or a vault folder on this computer. The result is a :class:`Session`.

The person's own public key is always derived from the private one; what a server says it is only counts as a claim.
Must not import PySide6, ``requests`` or ``backend`` (the backend in this process is handed in).
"""

from __future__ import annotations

import json
import logging
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from desktop import errors
from desktop.client.place_lock import PlaceLock
from desktop.client.vault import Vault
from desktop.models import Place, PlaceKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from desktop.client.api import Api
    from desktop.client.key_store import KeyStore
    from desktop.client.kit_restore import Found
    from desktop.client.password_check import PasswordCheck
    from desktop.client.recovery_kit import Kit
    from desktop.crypto.classic_keys import ClassicPrivateKey, ClassicPublicKey
    from desktop.crypto.keys import PrivateKey, PublicKey

log = logging.getLogger(__name__)

_PIN = "account.json"
_MAX_PIN = 4096


class Session:
    """One person signed in at one place.

    Attributes:
        place: Where the pictures are.
        user_id: The account's id.
        user_name: The account's name.
        public_key: The account's public key: a server's claim until unlocked; None for a classic account.
        classic_key: The public key of a classic account, else None.
        key: The private key while unlocked.
        key_store: Where the key file is, or must be imported to.
        api: The signed-in calls.
    """

    def __init__(
        self,
        place: Place,
        api: Api,
        key_store: KeyStore,
        *,
        user_id: str,
        user_name: str,
        public_key: PublicKey | None,
        classic_key: ClassicPublicKey | None = None,
        on_close: Callable[[], None] | None = None,
        password: PasswordCheck | None = None,
    ) -> None:
        """Use :class:`desktop.client.session.Sessions`.

        Raises:
            VaultInUse: Another window is signed in to this account.
            KeyChanged, SchemeChanged: The server names another key than the one this computer knows of the account.
        """
        self.place = place
        self.user_id = user_id
        self.user_name = user_name
        self.public_key = public_key
        self.classic_key = classic_key
        self.key: PrivateKey | None = None
        self.key_store = key_store
        self.api = api
        self._vault: Vault | None = None
        self._on_close = on_close
        self._password = password
        self._mutex = threading.RLock()
        self._closed = False
        # the backend in this process has locked its folder itself
        self._lock = None if api.embedded else PlaceLock(place.folder)
        try:
            self._check_pin()
        except BaseException:
            self._release()
            raise

    @property
    def classic(self) -> bool:
        """Whether the account has a key of the classic scheme: its pictures can be seen, nothing is protected."""
        return self.public_key is None

    @property
    def locked(self) -> bool:
        """Whether the private key is needed and not there."""
        return self._closed or (self.key is None and not self.classic)

    @property
    def key_missing(self) -> bool:
        """Whether the account's key file is not on this computer."""
        if self.public_key is None:
            return False
        try:
            self.key_store.get(self.public_key.fingerprint)
        except errors.KeyMissing:
            return True
        except errors.GlassineError:
            return False  # it is there, and unlocking says what is wrong with it
        return False

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

    def unlock(self, passphrase: str, fingerprint: str | None = None) -> None:
        """Open the key file.

        Args:
            passphrase: The key file's.
            fingerprint: The key to open; the account's by default.

        Raises:
            WrongKey: The passphrase is not right.
            KeyMissing: The account's key file is not on this computer.
            KeyChanged: The key is not the one the server has for this account.
            KeyFileUnreadable, KeyFileDamaged: The key file cannot be used.
        """
        if self.public_key is None:
            return
        key = self.key_store.open(fingerprint or self.public_key.fingerprint, passphrase)
        self.accept(key)

    def accept(self, key: PrivateKey) -> None:
        """Use an opened key, if it is the account's.

        Raises:
            KeyChanged: The key is not the one the server has for this account.
            NotSignedIn: The session was closed.
        """
        if key.public != self.public_key:
            holder = "The vault names" if self.api.embedded else "The server has"
            raise errors.KeyChanged(
                f"{holder} another public key for this account than your key. Nothing is stored or shown."
            )
        with self._mutex:
            if self._closed:
                raise errors.NotSignedIn
            self._pin(key.public.fingerprint)
            self.key = key
            self._vault = Vault(self.api, self.place, self.user_id, key)

    def vault(self) -> Vault:
        """Return the pictures; raises KeyMissing while locked."""
        with self._mutex:
            if self._closed:
                raise errors.NotSignedIn
            if self._vault is None:
                if not self.classic:
                    raise errors.KeyMissing("Glassine is locked. Unlock it with your passphrase.")
                self._vault = Vault(self.api, self.place, self.user_id, None, self._classic_private_key)
            return self._vault

    def lock(self) -> None:
        """Forget the private key and everything decrypted."""
        with self._mutex:
            vault, self._vault, self.key = self._vault, None, None
        if vault is not None:
            vault.close()

    def close(self) -> None:
        """Sign out, forget everything and release the folder. Idempotent; never raises for a silent server."""
        with self._mutex:
            if self._closed:
                return
            self._closed = True
        self.lock()
        if not self.api.embedded:
            with suppress(errors.GlassineError):
                self.api.logout()
        self._release()

    # -- inside ---------------------------------------------------------------------------------------------------

    def _classic_private_key(self) -> ClassicPrivateKey | None:
        return None if self.classic_key is None else self.key_store.classic_key(self.classic_key)

    def _release(self) -> None:
        self.api.close()
        if self._lock is not None:
            self._lock.release()
        if self._on_close is not None:
            self._on_close()

    def _check_pin(self) -> None:
        pinned = self._pinned()
        if pinned is None:
            return
        if self.public_key is None:
            raise errors.SchemeChanged("The server says this account has no sealed key any more. Nothing is shown.")
        if pinned != self.public_key.fingerprint:
            raise errors.KeyChanged(
                "The server has another public key for this account than before. Nothing is stored or shown."
            )

    def _pinned(self) -> str | None:
        from desktop.crypto.safe_write import open_own

        try:
            with open_own(self.place.folder / _PIN) as file:
                document = json.loads(file.read(_MAX_PIN))
            fingerprint = document["fingerprint"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            log.warning("what was known of the account cannot be read")
            return None
        return fingerprint if isinstance(fingerprint, str) else None

    def _pin(self, fingerprint: str) -> None:
        """Remember the account's key: proved by its owner, who has just opened the private one."""
        if self.place.kind is not PlaceKind.SERVER or self._pinned() == fingerprint:
            return
        from desktop.crypto.safe_write import new_file

        with new_file(self.place.folder / _PIN, replace=True) as file:
            file.write(json.dumps({"fingerprint": fingerprint}).encode())
