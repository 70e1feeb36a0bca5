"""The pictures of one signed-in person: list, seal, upload, open, export, delete, restore.

Blocking and safe to use from several threads; what takes long reports and can be cancelled. Errors are those of
``desktop.errors``. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from desktop import errors
from desktop.client import attempts, exporting, kept_versions, preflight, queue_file, sealing, uploading, vault_opening
from desktop.client.memory_model import IntentKind
from desktop.client.notes import Notes
from desktop.client.preflight import Preflight, SourceFile, Verdict
from desktop.client.shared_catalog import SharedCatalog
from desktop.client.staging import Staged, Staging
from desktop.client.vault_bin import Bin
from desktop.client.vault_ledger import LedgerSync
from desktop.client.vault_listing import Catalog
from desktop.client.vault_opening import OpenedPicture
from desktop.client.vault_reading import Reading, ignore_page
from desktop.client.vault_thumbnails import VaultThumbnails
from desktop.models import IsCancelled, Picture, Place, Report, Scheme, Trust, never_cancelled, no_report

if TYPE_CHECKING:
    from desktop.client.api import Api
    from desktop.client.memory import Memory
    from desktop.client.stored_pixels import StoredPixels
    from desktop.client.vault_context import VaultContext
    from desktop.crypto.classic_keys import ClassicPrivateKey
    from desktop.crypto.keys import PrivateKey

__all__ = ["OpenedPicture", "Preflight", "SourceFile", "Staged", "Vault", "Verdict"]

log = logging.getLogger(__name__)

FAREWELL_PATIENCE_S = 3.0
"""A program that ends waits only briefly for the ledger to be taken."""


def _no_classic_key() -> None:
    """There is none."""


class Vault:
    """One person's pictures at one place."""

    def __init__(
        self,
        api: Api,
        place: Place,
        user_id: str,
        key: PrivateKey | None,
        classic_key: Callable[[], ClassicPrivateKey | None] = _no_classic_key,
        *,
        memory: Memory | None = None,
    ) -> None:
        """Prepare, and remove what a crash left incomplete.

        Args:
            api: Signed in.
            place: Its folder holds staged and cached ciphertext and is used by this process only.
            user_id: The account.
            key: The person's key; None for an account of the classic scheme: its pictures can be listed and opened.
            classic_key: Gives the classic private key of such an account, if it was imported.
            memory: What is remembered of the account here; needed with a key, and closed by who opened it.
        """
        if key is not None and memory is None:
            raise ValueError("an account of the sealed scheme has a memory")
        self._api = api
        self._place = place
        self._user_id = user_id
        self._key = key
        self._classic = key is None
        self._classic_key = classic_key
        self._memory = memory
        self._catalog = Catalog()
        self._shared = SharedCatalog()
        self._staging = Staging(place.folder / "staging")
        self._thumbnails = VaultThumbnails(api, user_id, place.folder / "cache" / "thumbnails")
        self._in_hand = sealing.InHand()
        self._bin = Bin(api, user_id, self._catalog, self._thumbnails)
        self._ledger = LedgerSync(api, user_id, memory) if memory is not None and not api.embedded else None
        self._reading = Reading(api, user_id, self._catalog, self._bin, self._ledger)
        self._staging.clean()
        attempts.clean(place.folder)
        kept_versions.clean(place.folder)

    @property
    def place(self) -> Place:
        """Where the pictures are kept."""
        return self._place

    def close(self) -> None:
        """Forget the key and what is known; later calls raise KeyMissing."""
        self._key = None
        self._catalog.clear()
        self._bin.catalog.clear()
        self._shared.clear()
        self._in_hand.clear()

    # -- looking --------------------------------------------------------------------------------------------------

    def list_pictures(
        self,
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
        on_page: Callable[[list[Picture]], None] = ignore_page,
    ) -> list[Picture]:
        """Return all pictures in the order of storing; what cannot be believed says so in its ``state``.

        Args:
            report: Pictures read and, as the server says, in all.
            cancelled: Asked between pages and now and then within one.
            on_page: Called in this thread with the pictures of each page, as it arrives.

        Raises:
            PicturesMissing: There are more than were listed; ``on_page`` has had the others.
        """
        with self._reading.lock:
            try:
                return self._reading.list_all(self._trusting(), report, cancelled, on_page)
            except errors.NotAGlassineServer as error:
                if not self._api.embedded:
                    raise
                raise errors.VaultUnreadable(errors.VAULT_DAMAGED, details=error.details) from error

    def trust(self) -> Trust:
        """Return what the last complete listing found."""
        return self._reading.trust

    @property
    def bin_days(self) -> int:
        """How many days the bin keeps pictures, as known since the last listing; 0: there is none."""
        return self._reading.bin_days

    def context(self) -> VaultContext:
        """Return what the parts of a vault share; raises KeyMissing while locked and for a classic account."""
        from desktop.client.vault_context import VaultContext

        key = self._require_key()
        if self._memory is None:
            raise errors.KeyMissing
        return VaultContext(
            self._api,
            self._user_id,
            key,
            self._memory,
            self._place.folder,
            self._catalog,
            self._thumbnails,
            self._staging,
            self._shared,
        )

    def thumbnails(
        self,
        picture_ids: Sequence[str],
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
    ) -> dict[str, bytes]:
        """Return JPEG thumbnails by picture id; without those that there are not or that do not open.

        One request fetches up to 100; on a server's place they come from the disk the second time.
        """
        if self._classic:
            return {}
        self._require_key()
        ids = dict.fromkeys(picture_ids)
        known = (self._catalog.find(picture_id) or self._bin.catalog.find(picture_id) for picture_id in ids)
        return self._thumbnails.get([item for item in known if item and item.thumbnail_key], report, cancelled)

    def inspect_sources(
        self, paths: Iterable[Path], report: Report = no_report, cancelled: IsCancelled = never_cancelled
    ) -> Preflight:
        """Look at what was dropped, folders included, without sealing anything."""
        return preflight.inspect(paths, self._catalog.with_size, self._bin.catalog.with_size, report, cancelled)

    # -- adding ---------------------------------------------------------------------------------------------------

    def seal(self, source: Path, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> Staged:
        """Encrypt a picture file into the staging folder, complete and synced, or leave nothing there.

        Raises:
            AlreadyStored: The same content is in the vault, staged or in the bin; ``picture_id`` names it, and
                ``in_bin`` says where it is.
            Unsupported, TooLarge, FileUnreadable, SourceChanged: It cannot be taken.
            StorageFull, StorageReadOnly: The staging folder cannot be written.
        """
        key = self._require_key()
        self._reading.list_once(self._trusting(), cancelled)
        self._reading.list_bin_once(self._trusting(), cancelled)
        return sealing.seal(
            source,
            self._staging,
            key,
            self._user_id,
            catalog=self._catalog,
            binned=self._bin.catalog,
            in_hand=self._in_hand,
            report=report,
            cancelled=cancelled,
        )

    def upload(self, staged: Staged, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> Picture:
        """Store a staged picture and remove its staged copy. Repeating it is harmless.

        Raises:
            NetworkError: Of any kind; the staged copy stays.
            TooLarge, StorageFull, DeletedForGood: The server does not take it; the staged copy stays.
            Damaged: The staged copy has changed on the disk; it is useless and removed.
        """
        key = self._require_key()
        memory = self.context().memory
        try:
            uploading.check(staged.waiting, cancelled)
        except errors.Damaged:
            self.discard(staged)
            raise
        envelope, thumbnail, row = uploading.send(
            self._api, self._user_id, memory, key.public, staged.waiting, report, cancelled
        )
        opened = envelope.open(key)
        known = sealing.stored(staged, row, opened)
        memory.stored(envelope, Notes(key).seal(known.picture, opened))
        self._thumbnails.keep(known, thumbnail)
        self._catalog.add(known)
        self._in_hand.forget(staged.picture.id)
        self._staging.remove(staged.picture.id)
        return known.picture

    def staged(self) -> list[Staged]:
        """Return the complete pictures that earlier runs left to be uploaded, in the order they were sealed."""
        if self._classic:
            return []
        key = self._require_key()
        found = []
        for waiting in self._staging.waiting():
            try:
                staged = sealing.reopen(waiting, key, self._user_id)
            except errors.GlassineError as error:
                log.warning("a staged picture does not open and is left alone: %s %s", error.code, error.details)
                continue
            self._in_hand.claim(staged.b3, staged.picture.id)
            found.append(staged)
        return found

    def discard(self, staged: Staged) -> None:
        """Remove a staged picture that is not to be uploaded."""
        self._staging.remove(staged.picture.id)
        self._in_hand.forget(staged.picture.id)
        if self._key is not None and self._memory is not None:
            self._memory.drop(self._key.fingerprint, staged.picture.id, IntentKind.HEADER)

    def save_queue(self, paths: Iterable[Path]) -> None:
        """Keep the list of files that still wait to be sealed, encrypted; an empty one removes it."""
        queue_file.save(self._queue_path, self._require_key(), paths)

    def load_queue(self) -> list[Path]:
        """Return the files that an earlier run left waiting."""
        if self._classic:
            return []
        return queue_file.load(self._queue_path, self._require_key())

    # -- opening --------------------------------------------------------------------------------------------------

    def open(
        self, picture_id: str, report: Report = no_report, cancelled: IsCancelled = never_cancelled
    ) -> OpenedPicture:
        """Fetch and decrypt a picture into memory; nothing is returned before all of it is verified.

        Raises:
            NotAuthentic, Damaged, WrongKey: It is not what was stored, or cannot be opened.
            NotFound: It is not there any more.
            TooLarge: It does not fit into memory.
            KeyMissing: It is a classic picture, and there is no classic key here.
        """
        known = self._catalog.get(picture_id)
        if known.picture.scheme is Scheme.CLASSIC and not known.picture.problem_code:
            return OpenedPicture(known.picture, self._open_classic(known.picture, report, cancelled))
        return vault_opening.open_picture(self.context(), picture_id, report, cancelled)

    def export(
        self, picture_id: str, folder: Path, report: Report = no_report, cancelled: IsCancelled = never_cancelled
    ) -> Path:
        """Decrypt a picture into a folder under its own name and return its path; nothing is overwritten.

        Raises:
            NotAuthentic, Damaged, WrongKey, NotFound, KeyMissing: As :meth:`open`; no file is left behind.
            StorageFull, StorageReadOnly, FileUnreadable: The folder cannot be written; no file is left behind.
        """
        known = self._catalog.get(picture_id)
        if known.picture.scheme is Scheme.CLASSIC and not known.picture.problem_code:
            return exporting.write(self._open_classic(known.picture, report, cancelled), folder, known.picture.name)
        return vault_opening.export_picture(self.context(), picture_id, folder, report, cancelled)

    def stored_pixels(
        self,
        picture: Picture,
        columns: int,
        rows: int,
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
    ) -> StoredPixels:
        """Return the first pixels of what is stored of a picture, one's own or a shared one; for showing only."""
        from desktop.client.stored_pixels import fetch_corner

        return fetch_corner(self._api, picture.owner_id, picture.stored_name, columns, rows, cancelled)

    def stored_file(
        self, picture: Picture, report: Report = no_report, cancelled: IsCancelled = never_cancelled
    ) -> bytearray:
        """Return the stored PNG of a classic picture as it is; for showing only."""
        from desktop.client.stored_pixels import fetch_whole

        return fetch_whole(self._api, picture.owner_id, picture.stored_name, cancelled)

    # -- the bin --------------------------------------------------------------------------------------------------

    def delete(self, picture_id: str) -> None:
        """Move a picture to the bin; :meth:`restore` takes it back as long as the server keeps it there.

        Raises:
            NotFound: It is not there any more.
        """
        self._bin.delete(self._trusting(), picture_id)

    def list_bin(self, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> list[Picture]:
        """Return what is in the bin in the order of storing, ``deleted`` set; :meth:`thumbnails` has theirs too."""
        pictures = self._reading.list_bin(self._trusting(), cancelled)
        report(len(pictures), len(pictures))
        return pictures

    def restore(self, picture_id: str, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> Picture:
        """Take a picture out of the bin and return it as it is in the vault again.

        Raises:
            NotFound: It is not in the bin any more.
            Conflict: Another version of it is stored.
            DeletedForGood: It was deleted for good.
        """
        picture = self._bin.restore(self._trusting(), picture_id, cancelled)
        report(1, 1)
        return picture

    def purge(
        self, picture_ids: Sequence[str], report: Report = no_report, cancelled: IsCancelled = never_cancelled
    ) -> list[str]:
        """Delete pictures for good, in the bin or not; one that is missing is not missed any more.

        Returns:
            Those it is done for. What a crash or a silent server interrupts is finished by the next listing.

        Raises:
            NetworkError: The server does not answer, or refused every one of them.
        """
        return self._bin.purge(self._trusting(), picture_ids, report, cancelled)

    def empty_bin(self, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> list[str]:
        """Delete everything in the bin for good; as :meth:`purge`."""
        return self.purge([picture.id for picture in self.list_bin(cancelled=cancelled)], report, cancelled)

    # -- other computers ------------------------------------------------------------------------------------------

    def sync_ledger(self, patience_s: float | None = None) -> bool:
        """Exchange memories with the person's other computers over the server; return whether anything was exchanged.

        Not for a vault on this computer: its memory is in its folder. Raises as ``LedgerSync.sync``.
        """
        if self._ledger is None:
            return False
        return self._ledger.sync(self._require_key(), patience_s=patience_s)

    def farewell(self) -> None:
        """Tell the ledger what has changed, before signing out; a silent server is told next time."""
        if self._ledger is None or self._key is None or not self._ledger.is_due:
            return
        try:
            self.sync_ledger(patience_s=FAREWELL_PATIENCE_S)
        except errors.GlassineError as error:
            log.warning("the ledger was not written: %s %s", error.code, error.details)

    # -- inside ---------------------------------------------------------------------------------------------------

    @property
    def _queue_path(self) -> Path:
        return self._place.folder / "queue"

    def _require_key(self) -> PrivateKey:
        if self._key is None:
            if self._classic:
                raise errors.KeyMissing(
                    "This account has a key of the classic scheme, which protects nothing. Nothing is added with it."
                )
            raise errors.KeyMissing("Glassine is locked. Unlock it with your passphrase.")
        return self._key

    def _open_classic(self, picture: Picture, report: Report, cancelled: IsCancelled) -> bytearray:
        from desktop.client.classic_pictures import open_picture

        key = self._classic_key()
        if key is None:
            raise errors.KeyMissing("This is a picture of the classic scheme. Import the account's rsa.txt to open it.")
        return open_picture(self._api, picture, key, self._place.folder / "cache", report, cancelled)

    def _trusting(self) -> VaultContext | None:
        """Return the context of an account that has a memory."""
        return None if self._classic else self.context()
