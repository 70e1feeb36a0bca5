"""The bin: pictures that were deleted and can be taken back, and deleting them for good.

The order of each step is what a crash may interrupt: what the person decided is on this computer's disk before the
server hears of it. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from desktop import errors
from desktop.client.memory_model import CLASSIC_OWNER, Intent, IntentKind
from desktop.client.vault_history import record_gone
from desktop.client.vault_listing import Catalog, Known, read_row
from desktop.client.vault_trust import Measure
from desktop.models import IsCancelled, Picture, PictureState, Report, Scheme

if TYPE_CHECKING:
    from desktop.client.answers import Row
    from desktop.client.api import Api
    from desktop.client.vault_context import VaultContext
    from desktop.client.vault_thumbnails import VaultThumbnails

log = logging.getLogger(__name__)

MAX_ROWS = 5_000_000
_HOPELESS = (errors.NotSignedIn, errors.ServerSilent, errors.ServerFailed, errors.StorageFull, errors.StorageReadOnly)
"""After one of these every further picture would fail the same way."""


class Bin:
    """The bin of one account. Safe to use from several threads.

    Attributes:
        catalog: What is in it, as far as it is known.
        is_current: Whether that was listed after the last deletion from here.
    """

    def __init__(self, api: Api, user_id: str, listed: Catalog, thumbnails: VaultThumbnails) -> None:
        """Nothing is known yet; ``listed`` are the pictures outside."""
        self._api = api
        self._user_id = user_id
        self._listed = listed
        self._thumbnails = thumbnails
        self._reading = threading.Lock()
        self.catalog = Catalog()
        self.is_current = False

    def read(self, context: VaultContext | None, measure: Measure | None, cancelled: IsCancelled) -> list[Known]:
        """List the bin, measured against the memory for an account that has one."""
        with self._reading:
            before_ids = self.catalog.ids()
            self.is_current = True
            found: list[Known] = []
            after = ""
            while True:
                before = context.memory.snapshot() if context is not None else None
                try:
                    rows = self._api.bin_page(self._user_id, after, cancelled)
                except errors.NotFound:  # a server that has no bin
                    rows = []
                if not rows:
                    break
                if [row.id for row in rows] != sorted({row.id for row in rows}) or rows[0].id <= after:
                    raise errors.NotAGlassineServer("The server's list of the bin goes in circles.")
                after = rows[-1].id
                if measure is not None and before is not None:
                    page = measure.page(rows, before, in_bin=True)
                else:
                    page = [read_row(row, self._user_id, None) for row in rows]
                for known in page:
                    self.catalog.add(known)
                found += page
                if len(found) > MAX_ROWS:
                    raise errors.NotAGlassineServer("The server's list of the bin has no end.")
            for picture_id in before_ids.difference(known.picture.id for known in found):
                self.catalog.remove(picture_id)
            return found

    def delete(self, context: VaultContext | None, picture_id: str) -> None:
        """Move a picture to the bin; see ``Vault.delete``."""
        known = self._listed.get(picture_id)
        picture = known.picture
        if picture.state is PictureState.MISSING:
            raise errors.NotFound("This picture is missing, so it cannot be moved to the bin.")
        _remember_move(context, picture, to_bin=True)
        try:
            self._api.delete(self._user_id, picture.stored_name)
        except errors.NotFound:
            self._listed.remove(picture_id)
            raise
        finally:
            # a listing that was on its way may have had the picture still, and must not count that as moved back
            _remember_move(context, picture, to_bin=True)
        self._listed.remove(picture_id)
        self.is_current = False
        self.catalog.add(replace(known, picture=replace(picture, deleted=datetime.now(UTC))))

    def restore(self, context: VaultContext | None, picture_id: str, cancelled: IsCancelled) -> Picture:
        """Take a picture back; see ``Vault.restore``."""
        known = self.catalog.get(picture_id)
        try:
            row = self._api.restore(self._user_id, known.row_id)
        except errors.NotFound:
            found = self._back_already(known, cancelled)
            if found is None:
                self.catalog.remove(picture_id)
                raise
            row = found
        self._check(known, row)
        _remember_move(context, known.picture, to_bin=False)
        if context is None:
            restored = read_row(row, self._user_id, None)
        else:
            page = Measure(context, cancelled).page([row], context.memory.snapshot())
            if not page:
                raise errors.DeletedForGood
            restored = page[0]
        self.catalog.remove(picture_id)
        self._listed.add(restored)
        return restored.picture

    def _back_already(self, known: Known, cancelled: IsCancelled) -> Row | None:
        """Return the row of a picture that an earlier try took back, whose answer was lost, or another computer."""
        if known.picture.scheme is not Scheme.SEALED:
            return None
        try:
            present = self._api.present(self._user_id, known.picture.stored_name, cancelled)
        except errors.NotFound:
            return None
        return present.row if present.role == "owner" else None

    def purge(
        self, context: VaultContext | None, picture_ids: Sequence[str], report: Report, cancelled: IsCancelled
    ) -> list[str]:
        """Delete pictures for good; see ``Vault.purge``."""
        done: list[str] = []
        failure: errors.GlassineError | None = None
        for number, picture_id in enumerate(picture_ids):
            if cancelled():
                raise errors.Cancelled
            try:
                known = self.catalog.find(picture_id) or self._listed.get(picture_id)
                self.purge_one(context, known)
            except _HOPELESS:
                raise
            except errors.GlassineError as error:
                log.warning("a picture was not deleted for good: %s %s", error.code, error.details)
                failure = failure or error
            else:
                done.append(picture_id)
            report(number + 1, len(picture_ids))
        if failure is not None and not done:
            raise failure
        return done

    def purge_one(self, context: VaultContext | None, known: Known) -> None:
        """Delete one picture for good: intent, the owner's record, then the picture."""
        picture = known.picture
        sealed = picture.scheme is Scheme.SEALED and context is not None
        if sealed and context is not None:
            owner = context.key.fingerprint
            entry = context.memory.entry(owner, picture.id)
            header = entry.known.header_hash if entry is not None and entry.known is not None else ""
            context.memory.begin(Intent(owner, picture.id, IntentKind.GONE, header))
            record_gone(context, picture.id)
        elif context is not None:
            context.memory.forget(CLASSIC_OWNER, picture.id)
        if known.row_id:
            self._remove(known)
        if sealed and context is not None:
            context.memory.gone(context.key.fingerprint, picture.id)
        self.catalog.remove(picture.id)
        self._listed.remove(picture.id)
        self._thumbnails.drop(known)

    def _remove(self, known: Known) -> None:
        """Remove a picture wherever it is; one that is not there any more is what was wanted."""
        if known.picture.deleted is None:
            with suppress(errors.NotFound):  # another computer may have moved it to the bin
                self._api.delete(self._user_id, known.picture.stored_name)
        with suppress(errors.NotFound):
            self._api.remove_from_bin(self._user_id, known.row_id)

    def _check(self, known: Known, row: Row) -> None:
        picture = known.picture
        if picture.scheme is Scheme.SEALED and row.stored_name != picture.stored_name:
            raise errors.WrongPicture("The server took another picture out of the bin than it was asked for.")


def _remember_move(context: VaultContext | None, picture: Picture, *, to_bin: bool) -> None:
    if context is None:
        return
    if picture.scheme is Scheme.SEALED:
        context.memory.moved(context.key.fingerprint, picture.id, to_bin=to_bin)
    elif to_bin:
        context.memory.forget(CLASSIC_OWNER, picture.id)  # first: what is forgotten cannot be missed
