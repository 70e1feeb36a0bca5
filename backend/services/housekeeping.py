"""What a server does by itself from time to time: empty bins, finish removing accounts, collect bytes without a record.

Must not import Flask.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from backend.services.clock import utc_now
from backend.services.closing import close_account

if TYPE_CHECKING:
    from backend.services.pictures import Pictures
    from backend.storage.protocol import Storage

logger = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0
FIRST_AFTER_SECONDS = 60.0
"""A program that starts has better things to do."""
ORPHANED_FOR = timedelta(days=1)
"""Bytes without a record younger than this may belong to an upload that is still under way."""


class Housekeeping:
    """Runs in a thread of its own, at most once an hour; several processes over one storage do no harm."""

    def __init__(
        self,
        storage: Storage,
        pictures: Pictures,
        *,
        now: Callable[[], datetime] = utc_now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare.

        Args:
            storage: What is kept in order.
            pictures: Whose bins expire.
            now: The time of records.
            clock: Seconds that only go forward.
        """
        self._storage = storage
        self._pictures = pictures
        self._now = now
        self._clock = clock
        self._due = clock() + FIRST_AFTER_SECONDS
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def run_if_due(self) -> None:
        """Begin in the background if it is time; costs nothing otherwise and never fails."""
        if self._clock() < self._due:
            return
        with self._lock:
            if self._stopped or self._clock() < self._due or (self._thread is not None and self._thread.is_alive()):
                return
            self._due = self._clock() + EVERY_SECONDS
            self._thread = threading.Thread(target=self.run, name="housekeeping", daemon=True)
            self._thread.start()

    def run(self) -> dict[str, int]:
        """Do everything that is to be done, and return how much of what was removed.

        Never fails: what goes wrong is logged and tried again next time.
        """
        removed = {}
        for what, task in (
            ("pictures from bins", self._empty_bins),
            ("accounts", self._finish_accounts),
            ("stored files without a record", self._collect_orphans),
        ):
            try:
                removed[what] = task()
            except Exception as error:
                if self._stopped:
                    break
                logger.warning("Housekeeping failed: %s", error, exc_info=error)
        if any(removed.values()):
            logger.info("Housekeeping removed %s", ", ".join(f"{count} {what}" for what, count in removed.items()))
        return removed

    def stop(self) -> None:
        """Begin nothing more and wait for what runs, for a moment. Idempotent."""
        with self._lock:
            self._stopped = True
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(5)

    def _empty_bins(self) -> int:
        return self._pictures.bin.purge(lambda: self._stopped)

    def _finish_accounts(self) -> int:
        count = 0
        for user in self._storage.closing_users():
            if self._stopped:
                break
            count += close_account(self._storage, user.id)
        return count

    def _collect_orphans(self) -> int:
        return 0 if self._stopped else self._storage.collect_orphans(self._now() - ORPHANED_FOR)
