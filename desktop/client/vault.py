"""The pictures of one signed-in person: list, seal, upload, open, export, delete.

Blocking and safe to use from several threads; what takes long reports and can be cancelled. Errors are those of
``desktop.errors``. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from desktop import errors, image_formats
from desktop.client import exporting, preflight, queue_file, sealing
from desktop.client.preflight import Preflight, SourceFile, Verdict
from desktop.client.staging import Staged, Staging
from desktop.client.vault_listing import Catalog, Known, open_envelope, read_row
from desktop.client.vault_thumbnails import VaultThumbnails
from desktop.models import IsCancelled, Picture, Place, Report, Scheme, Trust, never_cancelled, no_report

if TYPE_CHECKING:
    from desktop.client.api import Api
    from desktop.client.vault_context import VaultContext
    from desktop.crypto.classic_keys import ClassicPrivateKey
    from desktop.crypto.keys import PrivateKey
    from desktop.crypto.sealed import OpenedEnvelope

__all__ = ["OpenedPicture", "Preflight", "SourceFile", "Staged", "Vault", "Verdict"]

log = logging.getLogger(__name__)

MAX_ROWS = 5_000_000
"""A server that lists more than this is not believed."""


@dataclass(frozen=True, slots=True)
class OpenedPicture:
    """A picture's original file, whole and verified, in memory only."""

    picture: Picture
    data: bytearray


def _no_classic_key() -> None:
    """There is none."""


def _ignore_page(pictures: list[Picture]) -> None:
    """Show pages to nobody."""


class Vault:
    """One person's pictures at one place."""

    def __init__(
        self,
        api: Api,
        place: Place,
        user_id: str,
        key: PrivateKey | None,
        classic_key: Callable[[], ClassicPrivateKey | None] = _no_classic_key,
    ) -> None:
        """Prepare, and remove what a crash left incomplete.

        Args:
            api: Signed in.
            place: Its folder holds staged and cached ciphertext and is used by this process only.
            user_id: The account.
            key: The person's key; None for an account of the classic scheme: its pictures can be listed and opened.
            classic_key: Gives the classic private key of such an account, if it was imported.
        """
        self._api = api
        self._place = place
        self._user_id = user_id
        self._key = key
        self._classic = key is None
        self._classic_key = classic_key
        self._catalog = Catalog()
        self._staging = Staging(place.folder / "staging")
        self._thumbnails = VaultThumbnails(api, user_id, place.folder / "cache" / "thumbnails")
        self._listing = threading.Lock()
        self._listed = threading.Event()
        self._deleted: set[str] = set()
        self._in_hand = sealing.InHand()
        self._trust = Trust()
        self._staging.clean()

    @property
    def place(self) -> Place:
        """Where the pictures are kept."""
        return self._place

    def close(self) -> None:
        """Forget the key and what is known; later calls raise KeyMissing."""
        self._key = None
        self._catalog.clear()
        self._in_hand.clear()

    # -- looking --------------------------------------------------------------------------------------------------

    def list_pictures(
        self,
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
        on_page: Callable[[list[Picture]], None] = _ignore_page,
    ) -> list[Picture]:
        """Return all pictures in the order of storing; what cannot be believed says so in its ``state``.

        Args:
            report: Pictures read and, as the server says, in all.
            cancelled: Asked between pages and now and then within one.
            on_page: Called in this thread with the pictures of each page, as it arrives.

        Raises:
            PicturesMissing: There are more than were listed; ``on_page`` has had the others.
        """
        with self._listing:
            try:
                return self._list(report, cancelled, on_page, complete=True)
            except errors.NotAGlassineServer as error:
                if not self._api.embedded:
                    raise
                raise errors.VaultUnreadable(errors.VAULT_DAMAGED, details=error.details) from error

    def trust(self) -> Trust:
        """Return what the last complete listing found."""
        return self._trust

    def context(self) -> VaultContext:
        """Return what the parts of a vault share; raises KeyMissing while locked and for a classic account."""
        raise NotImplementedError

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
        key = self._require_key()
        known = (self._catalog.find(picture_id) for picture_id in dict.fromkeys(picture_ids))
        return self._thumbnails.get([item for item in known if item and item.header_hash], key, report, cancelled)

    def inspect_sources(
        self, paths: Iterable[Path], report: Report = no_report, cancelled: IsCancelled = never_cancelled
    ) -> Preflight:
        """Look at what was dropped, folders included, without sealing anything."""
        return preflight.inspect(paths, self._catalog.with_size, report, cancelled)

    # -- adding ---------------------------------------------------------------------------------------------------

    def seal(self, source: Path, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> Staged:
        """Encrypt a picture file into the staging folder, complete and synced, or leave nothing there.

        Raises:
            AlreadyStored: The same content is in the vault or staged; ``picture_id`` names it.
            Unsupported, TooLarge, FileUnreadable, SourceChanged: It cannot be taken.
            StorageFull, StorageReadOnly: The staging folder cannot be written.
        """
        key = self._require_key()
        self._list_once(cancelled)
        return sealing.seal(
            source,
            self._staging,
            key,
            self._user_id,
            catalog=self._catalog,
            in_hand=self._in_hand,
            report=report,
            cancelled=cancelled,
        )

    def upload(self, staged: Staged, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> Picture:
        """Store a staged picture and remove its staged copy. Repeating it is harmless.

        Raises:
            NetworkError: Of any kind; the staged copy stays.
            TooLarge, StorageFull: The server does not take it; the staged copy stays.
            Damaged: The staged copy has changed on the disk; it is useless and removed.
        """
        key = self._require_key()
        picture_id = staged.picture.id
        try:
            sealing.check_carrier(staged, cancelled)
        except errors.Damaged:
            self.discard(staged)
            raise
        thumbnail = staged.sealed_thumbnail()
        row = self._api.upload_sealed(
            self._user_id,
            picture_id,
            carrier=staged.carrier,
            envelope=staged.envelope,
            thumbnail=thumbnail,
            report=report,
            cancelled=cancelled,
        )
        if row.stored_name != staged.picture.stored_name or row.scheme is not Scheme.SEALED:
            raise errors.WrongPicture("The server stored something else than what it was given.")
        known = sealing.stored(staged, row.size, row.created, key)
        self._thumbnails.keep(known, thumbnail)
        self._catalog.add(known)
        self._in_hand.forget(picture_id)
        self._staging.remove(picture_id)
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
        opened = self._opened(known)
        with self._api.content(self._user_id, known.picture.stored_name, cancelled) as untrusted:
            try:
                data = opened.open_payload_to_memory(untrusted, report, cancelled, limit=image_formats.MAX_FILE_BYTES)
            except MemoryError as error:
                raise errors.TooLarge("There is not enough memory to show this picture. Export it instead.") from error
        return OpenedPicture(known.picture, data)

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
        opened = self._opened(known)
        with self._api.content(self._user_id, known.picture.stored_name, cancelled) as untrusted:
            return exporting.export(opened, untrusted, folder, report, cancelled)

    def list_bin(self, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> list[Picture]:
        """Return what is in the bin, ``deleted`` set."""
        raise NotImplementedError

    def restore(self, picture_id: str) -> Picture:
        """Take a picture out of the bin."""
        raise NotImplementedError

    def purge(
        self, picture_ids: Sequence[str], report: Report = no_report, cancelled: IsCancelled = never_cancelled
    ) -> list[str]:
        """Delete pictures of the bin for good; return those it is done for."""
        raise NotImplementedError

    def empty_bin(self, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> list[str]:
        """Delete everything in the bin for good."""
        raise NotImplementedError

    def sync_ledger(self) -> bool:
        """Exchange memories with the person's other computers; return whether something was exchanged."""
        raise NotImplementedError

    def delete(self, picture_id: str) -> None:
        """Move a picture to the bin.

        Raises:
            NotFound: It is not there any more.
        """
        known = self._catalog.get(picture_id)
        gone: errors.NotFound | None = None
        try:
            self._api.delete(self._user_id, known.picture.stored_name)
        except errors.NotFound as error:
            gone = error
        if known.picture.scheme is Scheme.SEALED:  # its id is never used again
            self._deleted.add(picture_id)
        self._catalog.remove(picture_id)
        self._thumbnails.drop(known)
        if gone is not None:
            raise gone

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

    def _opened(self, known: Known) -> OpenedEnvelope:
        key = self._require_key()
        if (refusal := known.refusal) is not None:  # here again, with its own error
            raise type(refusal)(refusal.message, details=refusal.details)
        return open_envelope(known.envelope, known.picture.id, key)

    def _open_classic(self, picture: Picture, report: Report, cancelled: IsCancelled) -> bytearray:
        from desktop.client.classic_pictures import open_picture

        key = self._classic_key()
        if key is None:
            raise errors.KeyMissing("This is a picture of the classic scheme. Import the account's rsa.txt to open it.")
        return open_picture(self._api, picture, key, self._place.folder / "cache", report, cancelled)

    def _list(
        self,
        report: Report,
        cancelled: IsCancelled,
        on_page: Callable[[list[Picture]], None],
        *,
        complete: bool = False,
    ) -> list[Picture]:
        before = self._catalog.ids()
        pictures: list[Picture] = []
        after = ""
        listed = 0
        while True:
            rows, total = self._api.page(self._user_id, after, cancelled)
            page: list[Picture] = []
            for row in rows:
                if row.id <= after or len(pictures) + len(page) >= MAX_ROWS:
                    raise errors.NotAGlassineServer("The server's list of pictures goes in circles.")
                after = row.id
                if len(page) % 20 == 0 and cancelled():
                    raise errors.Cancelled
                known = read_row(row, self._user_id, self._key)
                if known.picture.id not in self._deleted:  # while the page was on its way
                    self._catalog.add(known)
                    page.append(known.picture)
            if not rows:
                break
            listed += len(rows)
            pictures += page
            on_page(page)
            report(len(pictures), max(total, len(pictures)))
        # what was uploaded meanwhile is not in the list, and stays known
        for picture_id in before.difference(picture.id for picture in pictures):
            self._catalog.remove(picture_id)
        self._listed.set()
        # the last page came without rows: what was counted then had been listed, or was uploaded from here meanwhile
        missing = total - max(listed, len(self._catalog.ids()))
        if complete and missing > 0:
            raise self._missing(missing)
        return pictures

    def _missing(self, count: int) -> errors.PicturesMissing:
        if self._api.embedded:
            advice = "The vault's database is damaged: restore the whole folder of the vault from a backup."
        else:
            advice = "Something is wrong at the server: tell who runs it."
        return errors.PicturesMissing(
            f"There are {count} more than could be listed. Those that are shown are not concerned. {advice}"
        )

    def _list_once(self, cancelled: IsCancelled) -> None:
        """Know what is stored before the first seal, so that duplicates are told; offline goes without."""
        if self._listed.is_set():
            return
        with self._listing:
            if self._listed.is_set():  # by the thread that was waited for
                return
            try:
                self._list(no_report, cancelled, _ignore_page)
            except errors.NetworkError as error:
                log.warning("sealing without knowing what is stored: %s", error.code)
                self._listed.set()
