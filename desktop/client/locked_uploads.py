"""Sending what is encrypted and waits, while the key is locked: sending ciphertext needs no key.

Nothing is opened and nothing can be: the public key alone verifies what is sent. What needs the key — encrypting more
files, showing what was sent — waits for unlocking. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from desktop import errors
from desktop.client import uploading
from desktop.client.staging import Staging, Waiting
from desktop.models import IsCancelled, Report, never_cancelled, no_report

if TYPE_CHECKING:
    from pathlib import Path

    from desktop.client.api import Api
    from desktop.client.memory import Memory
    from desktop.crypto.keys import PublicKey

log = logging.getLogger(__name__)


class LockedUploads:
    """The waiting pictures of one account, sent without its private key. Safe to use from several threads."""

    def __init__(self, api: Api, user_id: str, folder: Path, public: PublicKey, memory: Memory) -> None:
        """Nothing is read yet.

        Args:
            api: Signed in.
            user_id: The account.
            folder: Of the place.
            public: The account's public key, as the person's key file proved it.
            memory: Of the account; it holds no secret.
        """
        self._api, self._user_id, self._public, self._memory = api, user_id, public, memory
        self._staging = Staging(folder / "staging")
        self._sending = threading.Lock()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Send nothing more, and return when nothing is being sent: the vault is about to do it."""
        self._stopped.set()
        with self._sending:
            pass

    def waiting(self) -> list[Waiting]:
        """Return what waits, in the order it was encrypted."""
        return self._staging.waiting()

    def send(self, waiting: Waiting, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> None:
        """Send one picture and remove its waiting copy; repeating it is harmless.

        Raises:
            Cancelled: As asked, or stopped.
            NetworkError, TooLarge, StorageFull: It stays, for now or until somebody looks after it.
            Damaged, NotAuthentic: The waiting copy is not what was written; it stays for the unlocked program to name.
        """
        with self._sending:
            self._send(waiting, report, lambda: self._stopped.is_set() or cancelled())

    def _send(self, waiting: Waiting, report: Report, cancelled: IsCancelled) -> None:
        if cancelled():
            raise errors.Cancelled
        uploading.check(waiting, cancelled)
        envelope, _, _ = uploading.send(
            self._api, self._user_id, self._memory, self._public, waiting, report, cancelled
        )
        self._memory.stored(envelope)
        self._staging.remove(waiting.picture_id)
