"""The ledger on the server: what a person's computers remember, exchanged between them, sealed.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from desktop import errors

if TYPE_CHECKING:
    from desktop.client.api import Api
    from desktop.client.api_documents import Kept
    from desktop.client.memory import Memory
    from desktop.crypto.keys import PrivateKey

log = logging.getLogger(__name__)

TRIES = 4
"""So often another computer may be quicker."""


class LedgerSync:
    """Exchanges the memory of one account with the ledger on its server. Safe to use from several threads.

    Attributes:
        time: When the ledger that was taken over last was written; None if there was none, or it does not say.
        forked: Pictures of which two computers remember different revisions.
        found: Whether the server had a ledger.
    """

    def __init__(self, api: Api, user_id: str, memory: Memory) -> None:
        """Nothing is asked yet."""
        self._api = api
        self._user_id = user_id
        self._memory = memory
        self._lock = threading.Lock()
        self._tag = ""
        self._written = -1
        self.time: datetime | None = None
        self.forked: set[str] = set()
        self.found = False

    @property
    def is_due(self) -> bool:
        """Whether something has changed here that the server's ledger does not know."""
        return self._memory.changes != self._written

    def sync(self, key: PrivateKey, *, write: bool = True, patience_s: float | None = None) -> bool:
        """Take over the server's ledger and put the merged one in its place; return whether anything was exchanged.

        Args:
            key: The person's key.
            write: False only takes over.
            patience_s: Shortens the time limits.

        Raises:
            RolledBack: It is older than one seen before, or has disappeared. A newer one was put in its place: what is
                remembered here has all that any earlier one had.
            LedgerDamaged, LedgerTooNew: It was not written by this key, or by a newer Glassine. Nothing was changed.
            TooLarge: There is more to remember than a server takes.
            NetworkError: It is tried again next time.
        """
        with self._lock:
            return self._sync(key, write, patience_s)

    def _sync(self, key: PrivateKey, write: bool, patience_s: float | None) -> bool:
        lost: errors.RolledBack | None = None
        exchanged = False
        for _ in range(TRIES):
            kept = self._api.ledger(self._user_id, patience_s)
            self.found = kept is not None
            try:
                exchanged = self._take(key, kept) or exchanged
            except errors.RolledBack as error:
                lost = error
            if not write:
                break
            changes = self._memory.changes
            if kept is not None and lost is None and changes == self._written:
                break
            if self._write(key, kept, changes, patience_s):
                exchanged = True
                break
        if lost is not None:
            raise lost
        return exchanged

    def _take(self, key: PrivateKey, kept: Kept | None) -> bool:
        """Merge a ledger that was not seen before; return whether there was one."""
        from desktop.client import ledger_text
        from desktop.crypto.records import open_ledger

        if kept is None:
            if self._memory.ledger_serial:
                raise errors.RolledBack(
                    "The server has lost the ledger of this account. What is remembered here stays."
                )
            return False
        if kept.tag == self._tag:
            return False
        try:
            serial, document = open_ledger(key, kept.content, known_serial=self._memory.ledger_serial)
        except errors.Damaged as damaged:
            raise errors.LedgerDamaged(details=damaged.details) from damaged
        merged = self._memory.merge(document)
        self._memory.saw_serial(serial)
        self.forked.update(found.here.picture_id for found in merged.pictures)
        for error in [found.error for found in merged.pictures] + [found.error for found in merged.people]:
            log.warning("the ledger contradicts what is remembered here: %s", error.code)
        written = ledger_text.time_of(document)
        self.time = datetime.fromtimestamp(written, UTC) if 0 < written < 1 << 36 else None
        self._tag = kept.tag
        changes = self._memory.changes
        if ledger_text.write(*ledger_text.read(document)) == self._memory.export():
            self._written = changes
        return True

    def _write(self, key: PrivateKey, kept: Kept | None, changes: int, patience_s: float | None) -> bool:
        """Put the memory in the ledger's place; return False when another computer was quicker."""
        from desktop.crypto.records import seal_ledger

        serial = self._memory.ledger_serial + 1
        content = seal_ledger(key, serial, self._memory.export(int(time.time())))
        try:
            tag = self._api.put_ledger(self._user_id, content, kept.tag if kept is not None else "", patience_s)
        except errors.MovedOn:
            return False
        self._memory.saw_serial(serial)
        self._tag, self._written = tag, changes
        return True
