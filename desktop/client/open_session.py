"""Signing in: a server's account, or a vault folder on this computer. The result is a :class:`Session`.

The person's own public key is always derived from the private one; what a server says it is only counts as a claim.
Must not import PySide6, ``requests`` or ``backend`` (the backend in this process is handed in).
"""

from __future__ import annotations

import json
import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from desktop import errors
from desktop.client.key_uses import PIN, pinned_key
from desktop.client.memory import Memory, set_aside
from desktop.client.place_lock import PlaceLock
from desktop.client.session_keys import SessionKeys
from desktop.client.vault import Vault
from desktop.models import Place, PlaceKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desktop.client.api import Api
    from desktop.client.key_store import KeyStore
    from desktop.client.locked_uploads import LockedUploads
    from desktop.client.password_check import PasswordCheck
    from desktop.crypto.classic_keys import ClassicPublicKey
    from desktop.crypto.keys import PrivateKey, PublicKey

log = logging.getLogger(__name__)


class Session(SessionKeys):
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
        replace_key: Callable[[str], None] | None = None,
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
        self._uploads: LockedUploads | None = None
        self._memory: Memory | None = None  # stays open while locked: it holds no secret
        self._on_close = on_close
        self._password = password
        self._replace_key = replace_key
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
            MemoryUnreadable: What is remembered here is damaged; :meth:`begin_memory_anew` is the way out.
            NotSignedIn: The session was closed.
        """
        if key.public != self.public_key and self.public_key is not None:
            key = self._other_key(key, self.public_key.fingerprint)
        if key.public != self.public_key:
            holder = "The vault names" if self.api.embedded else "The server has"
            raise errors.KeyChanged(
                f"{holder} another public key for this account than your key. Nothing is stored or shown."
            )
        self._end_locked_uploads()
        with self._mutex:
            if self._closed:
                raise errors.NotSignedIn
            memory = self._remembered(key.fingerprint)
            self._pin(key.public.fingerprint)
            self.key = key
            self._asked(key.fingerprint)
            self._vault = Vault(self.api, self.place, self.user_id, key, self._classic_private_key, memory=memory)

    def locked_uploads(self) -> LockedUploads | None:
        """Return what sends waiting pictures while this session is locked; None where there is nothing to send to."""
        with self._mutex:
            if self._closed or self.key is not None or self.public_key is None or self._memory is None:
                return None
            from desktop.client.locked_uploads import LockedUploads

            if self._uploads is None:
                self._uploads = LockedUploads(self.api, self.user_id, self.place.folder, self.public_key, self._memory)
            return self._uploads

    def _end_locked_uploads(self) -> None:
        with self._mutex:
            uploads, self._uploads = self._uploads, None
        if uploads is not None:
            uploads.stop()

    def begin_memory_anew(self) -> Path | None:
        """Set a damaged memory aside and return where it is now; unlocking then begins another.

        What was remembered no longer protects: an older picture could not be told from the newest. Say so before.
        """
        self.lock()
        self._forget_memory()
        return set_aside(self.place.folder)

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
        self._end_locked_uploads()
        if self._vault is not None:
            self._vault.farewell()
        self.lock()
        self._forget_memory()
        if not self.api.embedded:
            with suppress(errors.GlassineError):
                self.api.logout()
        self._release()

    # -- inside ---------------------------------------------------------------------------------------------------

    def _remembered(self, fingerprint: str) -> Memory:
        """Return the account's memory, opened once for each key."""
        if self._memory is not None and self._memory.people.own != fingerprint:
            self._forget_memory()
        if self._memory is None:
            self._memory = Memory(self.place.folder, fingerprint)
        return self._memory

    def _forget_memory(self) -> None:
        with self._mutex:
            memory, self._memory = self._memory, None
        if memory is not None:
            memory.close()

    def _release(self) -> None:
        self.api.close()
        if self._lock is not None:
            self._lock.release()
        if self._on_close is not None:
            self._on_close()

    def _check_pin(self) -> None:
        pinned = pinned_key(self.place.folder)
        if pinned is None:
            return
        if self.public_key is None:
            raise errors.SchemeChanged("The server says this account has no sealed key any more. Nothing is shown.")
        if pinned != self.public_key.fingerprint and not self._follows(pinned, self.public_key):
            raise errors.KeyChanged(
                "The server has another public key for this account than before. Nothing is stored or shown."
            )

    def _follows(self, pinned: str, offered: PublicKey) -> bool:
        """Whether the owner of the known key has signed that the offered one follows it: only they could."""
        from desktop.crypto.records import read_succession

        try:
            old = self.key_store.get(pinned).public
            records = [found for found in self.api.successions(self.user_id) if found.about == pinned]
        except errors.NetworkError:
            raise
        except errors.GlassineError:
            return False
        for record in records:
            with suppress(errors.GlassineError):
                read_succession(record.text, old=old, new=offered)
                return True
        return False

    def _pin(self, fingerprint: str) -> None:
        """Remember the account's key: proved by its owner, who has just opened the private one."""
        if self.place.kind is not PlaceKind.SERVER or pinned_key(self.place.folder) == fingerprint:
            return
        from desktop.crypto.safe_write import new_file

        with new_file(self.place.folder / PIN, replace=True) as file:
            file.write(json.dumps({"fingerprint": fingerprint}).encode())
