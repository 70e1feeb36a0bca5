"""Listing the pictures of one account: pages, the bin, what is missing, and the ledger's say.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from desktop import errors
from desktop.client.vault_listing import Catalog, Known, read_row
from desktop.client.vault_trust import Measure
from desktop.models import IsCancelled, Picture, Report, Trust, no_report

if TYPE_CHECKING:
    from desktop.client.api import Api
    from desktop.client.vault_bin import Bin
    from desktop.client.vault_context import VaultContext
    from desktop.client.vault_ledger import LedgerSync

log = logging.getLogger(__name__)

MAX_ROWS = 5_000_000
"""A server that lists more than this is not believed."""


def ignore_page(pictures: list[Picture]) -> None:
    """Show pages to nobody."""


class Reading:
    """Lists for one account. One thread at a time lists: take ``lock``.

    Attributes:
        lock: Held while listing.
        listed: Set once everything was listed, or could not be.
        trust: What the last complete listing found.
        bin_days: How many days the bin keeps pictures, as known since the last listing; 0: there is none.
    """

    def __init__(self, api: Api, user_id: str, catalog: Catalog, binned: Bin, ledger: LedgerSync | None) -> None:
        """Nothing is listed yet."""
        self._api = api
        self._user_id = user_id
        self._catalog = catalog
        self._bin = binned
        self._ledger = ledger
        self._new_device: bool | None = None
        self.lock = threading.Lock()
        self.listed = threading.Event()
        self.trust = Trust()
        self.bin_days = 0

    def list_all(
        self,
        context: VaultContext | None,
        report: Report,
        cancelled: IsCancelled,
        on_page: Callable[[list[Picture]], None],
        *,
        complete: bool = True,
    ) -> list[Picture]:
        """List everything; see ``Vault.list_pictures``. ``complete``: say so when there is more than was listed."""
        if context is not None:
            self._meet_ledger(context)
        measure = Measure(context, cancelled) if context is not None else None
        before = self._catalog.ids()
        pictures: list[Picture] = []
        after = ""
        listed = 0
        while True:
            memory = context.memory.snapshot() if context is not None else None
            rows, total = self._api.page(self._user_id, after, cancelled)
            for row in rows:
                if row.id <= after or listed >= MAX_ROWS:
                    raise errors.NotAGlassineServer("The server's list of pictures goes in circles.")
                after, listed = row.id, listed + 1
            if not rows:
                break
            if measure is not None and memory is not None:
                page = measure.page(rows, memory)
            elif cancelled():
                raise errors.Cancelled
            else:
                page = [read_row(row, self._user_id, None) for row in rows]
            pictures += self._show(page, on_page)
            report(len(pictures), max(total, len(pictures)))
        binned = self._bin.read(context, measure, cancelled)
        # what was uploaded meanwhile is not in the list, and stays known
        for picture_id in before.difference(picture.id for picture in pictures):
            self._catalog.remove(picture_id)
        if measure is not None and context is not None:
            absent = measure.absent()
            self.finish(context, measure)
            if absent:
                pictures += self._show(absent, on_page)
            self._conclude(context, measure, any_listed=bool(pictures or binned))
        self.bin_days = self._api.server().bin_days
        self.listed.set()
        # the last page came without rows: what was counted then had been listed, or was uploaded from here meanwhile
        missing = total - max(listed, len(self._catalog.ids()))
        if complete and missing > 0:
            raise self._missing(missing)
        return pictures

    def _show(self, page: list[Known], on_page: Callable[[list[Picture]], None]) -> list[Picture]:
        for known in page:
            self._catalog.add(known)
        pictures = [known.picture for known in page]
        on_page(pictures)
        return pictures

    def finish(self, context: VaultContext | None, measure: Measure | None) -> None:
        """Delete for good what was to be deleted when an earlier run was interrupted."""
        for known in measure.unfinished if measure is not None else ():
            try:
                self._bin.purge_one(context, known)
            except errors.GlassineError as error:
                log.warning("a picture is still to be deleted for good: %s %s", error.code, error.details)

    def _meet_ledger(self, context: VaultContext) -> None:
        """Where nothing is remembered yet, take what the person's other computers remember, before judging anything."""
        if self._new_device is not None:
            return
        ledger, memory = self._ledger, context.memory
        self._new_device = ledger is not None and not memory.snapshot().entries and not memory.ledger_serial
        if ledger is not None and self._new_device:
            self._problem_of_ledger(lambda: ledger.sync(context.key, write=False))

    def _conclude(self, context: VaultContext, measure: Measure, *, any_listed: bool) -> None:
        """Say what the listing found, after the ledger had its say."""
        ledger = self._ledger
        if ledger is None:
            self.trust = measure.trust()
            return
        problem = self._problem_of_ledger(lambda: ledger.sync(context.key))
        measure.also("forked", ledger.forked)
        new_device = bool(self._new_device) and (any_listed or ledger.time is not None)
        self._new_device = new_device
        self.trust = replace(measure.trust(), new_device=new_device, ledger_time=ledger.time, ledger_problem=problem)

    @staticmethod
    def _problem_of_ledger(exchange: Callable[[], bool]) -> str:
        """Exchange; return the code of what is wrong with the ledger itself. A silent server is asked next time."""
        try:
            exchange()
        except errors.NetworkError as error:
            log.info("the ledger is exchanged later: %s %s", error.code, error.details)
        except errors.GlassineError as error:
            log.warning("the ledger was not exchanged: %s %s", error.code, error.details)
            return error.code
        return ""

    def _missing(self, count: int) -> errors.PicturesMissing:
        if self._api.embedded:
            advice = "The vault's database is damaged: restore the whole folder of the vault from a backup."
        else:
            advice = "Something is wrong at the server: tell who runs it."
        return errors.PicturesMissing(
            f"There are {count} more than could be listed. Those that are shown are not concerned. {advice}"
        )

    def list_once(self, context: VaultContext | None, cancelled: IsCancelled) -> None:
        """Know what is stored before the first seal, so that duplicates are told; offline goes without."""
        if self.listed.is_set():
            return
        with self.lock:
            if self.listed.is_set():  # by the thread that was waited for
                return
            try:
                self.list_all(context, no_report, cancelled, ignore_page, complete=False)
            except errors.NetworkError as error:
                log.warning("sealing without knowing what is stored: %s", error.code)
                self.listed.set()

    def list_bin(self, context: VaultContext | None, cancelled: IsCancelled) -> list[Picture]:
        """List the bin; see ``Vault.list_bin``."""
        measure = Measure(context, cancelled) if context is not None else None
        pictures = [known.picture for known in self._bin.read(context, measure, cancelled)]
        self.finish(context, measure)
        return pictures

    def list_bin_once(self, context: VaultContext | None, cancelled: IsCancelled) -> None:
        """Know what is in the bin before a file is stored that may be there; offline goes without."""
        if self._bin.is_current:
            return
        try:
            self.list_bin(context, cancelled)
        except errors.NetworkError as error:
            log.warning("sealing without knowing what is in the bin: %s", error.code)
