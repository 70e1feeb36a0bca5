"""Storing classic pictures again, sealed: each is decrypted, sealed, fetched back and compared before the old one goes.

An account of the classic scheme gets a sealed key first. Nothing decrypted touches the disk. Each picture's new id is
noted before it is used, so a picture is never stored twice, wherever the work was cut off. Must not import PySide6,
``requests`` or ``backend``.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from desktop import errors, image_formats
from desktop.config import make_private_folder
from desktop.models import IsCancelled, Picture, Report, Scheme, never_cancelled, no_report

if TYPE_CHECKING:
    from desktop.client.answers import Row
    from desktop.client.vault_context import VaultContext
    from desktop.crypto.classic_keys import ClassicPrivateKey
    from desktop.crypto.sealed import Envelope

log = logging.getLogger(__name__)

FILE: Final = "moving-classic.json"
MAX_STATE: Final = 16 * 1024 * 1024
_ROW_ID: Final = re.compile(r"[0-9a-f]{24}")
_PICTURE_ID: Final = re.compile(r"[0-9a-f]{32}")


@dataclass
class Moving:
    """A move that is under way.

    Attributes:
        classic_key: The account's former public key, as it was; empty for an account that was sealed before.
        planned: Row id of a classic picture → id of the sealed one that takes its place.
        binned: Those of the planned rows that came out of the bin; their sealed ones go back there.
    """

    classic_key: str = ""
    planned: dict[str, str] = field(default_factory=dict)
    binned: list[str] = field(default_factory=list)


@dataclass
class Moved:
    """What a finished move brought.

    Attributes:
        pictures: So many are sealed now.
        failed: Names of those that stay as they were, each with the reason.
    """

    pictures: int = 0
    failed: dict[str, errors.GlassineError] = field(default_factory=dict)


def load(folder: Path) -> Moving | None:
    """Return the move that is under way in a place; None without one, or when its note makes no sense.

    Without the note a picture may be stored twice; none is lost.
    """
    from desktop.crypto.safe_write import open_own

    try:
        with open_own(folder / FILE) as file:
            document = json.loads(file.read(MAX_STATE))
        moving = Moving(document["classic_key"], document["planned"], document["binned"])
        if not isinstance(moving.classic_key, str) or not isinstance(moving.planned, dict):
            raise TypeError("not a note")
        pairs = all(_ROW_ID.fullmatch(row) and _PICTURE_ID.fullmatch(new) for row, new in moving.planned.items())
        if not pairs or not all(_ROW_ID.fullmatch(row) for row in moving.binned):
            raise ValueError("not a note")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        log.warning("the note of what was moved cannot be read")
        return None
    return moving


def save(folder: Path, moving: Moving) -> None:
    """Write the note durably; raises StorageFull, StorageReadOnly or FileUnreadable."""
    from desktop.crypto.safe_write import new_file

    make_private_folder(folder)
    document = {"classic_key": moving.classic_key, "planned": moving.planned, "binned": moving.binned}
    with new_file(folder / FILE, replace=True) as file:
        file.write(json.dumps(document).encode("ascii"))


class MovingClassic:
    """Moves the classic pictures of one account, those in the bin too. Begun or gone on with by :meth:`run`."""

    def __init__(self, context: VaultContext, classic_key: Callable[[], ClassicPrivateKey | None]) -> None:
        """Prepare; nothing is changed yet.

        Args:
            context: Of the account, with its sealed key.
            classic_key: Gives the private key that opens the classic pictures.
        """
        self._context = context
        self._classic_key = classic_key
        self._result = Moved()

    def run(self, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> Moved:
        """Move everything; progress is in pictures.

        Raises:
            KeyMissing: The classic private key is not on this computer.
            Cancelled: As asked; the next run goes on.
            NetworkError, StorageFull, StorageReadOnly: The next run goes on.
        """
        key = self._classic_key()
        if key is None:
            raise errors.KeyMissing("Import the account's rsa.txt first: only it opens the classic pictures.")
        folder = self._context.folder
        moving = load(folder) or Moving()
        self._finish_deleted(moving)
        listed, binned = list(self._rows(cancelled)), list(self._bin(cancelled))
        total = len(listed) + len(binned)
        report(0, total)
        for done, row in enumerate(listed, 1):
            self._move(row, key, moving, cancelled, in_bin=row.id in moving.binned)
            report(done, total)
        for done, row in enumerate(binned, len(listed) + 1):
            if row.id not in moving.binned:
                moving.binned.append(row.id)
                save(folder, moving)
            restored = self._context.api.restore(self._context.user_id, row.id)
            self._move(restored, key, moving, cancelled, in_bin=True)
            report(done, total)
        if not self._result.failed:
            (folder / FILE).unlink(missing_ok=True)
        return self._result

    def _move(self, row: Row, key: ClassicPrivateKey, moving: Moving, cancelled: IsCancelled, *, in_bin: bool) -> None:
        if cancelled():
            raise errors.Cancelled
        try:
            content = self._decrypt(row, key, cancelled)
            picture_id = self._planned(row, moving)
            envelope = self._stored(picture_id, cancelled)
            if envelope is None:
                self._seal(row, picture_id, content, cancelled)
                envelope = self._stored(picture_id, cancelled)
            self._prove(picture_id, envelope, content, cancelled)
        except (errors.Damaged, errors.WrongKey, errors.Unsupported, errors.TooLarge, errors.NotAuthentic) as error:
            log.warning("a classic picture stays as it is: %s %s", error.code, error.details)
            self._result.failed[row.stored_name] = type(error)(error.message, details=error.details)
            if in_bin:
                self._context.api.delete(self._context.user_id, row.stored_name)
            return
        self._remove(row, picture_id, moving, in_bin=in_bin)
        self._result.pictures += 1

    def _decrypt(self, row: Row, key: ClassicPrivateKey, cancelled: IsCancelled) -> bytearray:
        from desktop.client.classic_pictures import open_picture
        from desktop.client.vault_listing import read_row

        picture: Picture = read_row(row, self._context.user_id, None).picture
        if picture.problem_code:
            raise errors.Damaged(picture.problem)
        return open_picture(self._context.api, picture, key, self._context.folder / "cache", no_report, cancelled)

    def _planned(self, row: Row, moving: Moving) -> str:
        from desktop.crypto.sealed import new_picture_id

        if row.id not in moving.planned:
            moving.planned[row.id] = new_picture_id()
            save(self._context.folder, moving)
        return moving.planned[row.id]

    def _stored(self, picture_id: str, cancelled: IsCancelled) -> Envelope | None:
        """Return the sealed picture as the server has it, verified; None before it is there."""
        from desktop.crypto.sealed import read_envelope

        context = self._context
        try:
            present = context.api.present(context.user_id, f"p-{picture_id}", cancelled)
        except errors.NotFound:
            return None
        return read_envelope(present.row.envelope, owner=context.key.public, picture_id=picture_id)

    def _seal(self, row: Row, picture_id: str, content: bytearray, cancelled: IsCancelled) -> None:
        from desktop.client import attempts
        from desktop.client.memory_model import Intent, IntentKind
        from desktop.crypto import sealed
        from desktop.crypto.objects import NO_HEADER

        context = self._context
        info = image_formats.read_info_of(content)
        with attempts.attempt(context.folder) as folder:
            made = sealed.seal(
                content,
                folder / "carrier.png",
                context.key,
                name=f"{row.stored_name}.png",
                media_type=info.media_type,
                width=info.width,
                height=info.height,
                taken=info.taken,
                thumbnail=image_formats.make_thumbnail_of(content),
                picture_id=picture_id,
                cancelled=cancelled,
            )
            fingerprint = context.key.fingerprint
            context.memory.begin(Intent(fingerprint, picture_id, IntentKind.HEADER, made.header_hash, NO_HEADER))
            context.api.upload_sealed(
                context.user_id,
                picture_id,
                carrier=made.carrier,
                envelope=made.envelope,
                thumbnail=made.thumbnail,
                cancelled=cancelled,
            )

    def _prove(self, picture_id: str, envelope: Envelope | None, content: bytearray, cancelled: IsCancelled) -> None:
        """Fetch the sealed picture back and compare it, to the byte; raises Damaged."""
        if envelope is None:
            raise errors.Damaged("The server did not keep the picture that it was given. The old one stays.")
        context = self._context
        opened = envelope.open(context.key)
        with context.api.content(context.user_id, f"p-{picture_id}", cancelled) as untrusted:
            back = opened.open_payload_to_memory(untrusted, cancelled=cancelled, limit=image_formats.MAX_FILE_BYTES)
        if back != content:
            raise errors.Damaged("The picture came back as another one. The old one stays.")
        context.memory.stored(envelope)

    def _remove(self, row: Row, picture_id: str, moving: Moving, *, in_bin: bool) -> None:
        """Delete the classic picture for good: in the bin it would lie as unprotected as before."""
        from desktop.client.memory_model import CLASSIC_OWNER

        context = self._context
        with suppress(errors.NotFound):
            context.api.delete(context.user_id, row.stored_name)
        with suppress(errors.NotFound):
            context.api.remove_from_bin(context.user_id, row.id)
        context.memory.forget(CLASSIC_OWNER, row.stored_name)
        if in_bin:
            self._put_back(picture_id)
            moving.binned.remove(row.id)
        moving.planned.pop(row.id, None)
        save(context.folder, moving)

    def _put_back(self, picture_id: str) -> None:
        with suppress(errors.NotFound):
            self._context.api.delete(self._context.user_id, f"p-{picture_id}")
        self._context.memory.moved(self._context.key.fingerprint, picture_id, to_bin=True)

    def _finish_deleted(self, moving: Moving) -> None:
        """Finish what was cut off between deleting a classic picture and noting that."""
        if not moving.planned:
            return
        context = self._context
        rows = {row.id: row for row in self._rows(never_cancelled)}
        binned = {row.id: row for row in self._bin(never_cancelled)}
        for row_id, picture_id in list(moving.planned.items()):
            if row_id in rows:
                continue
            row = binned.get(row_id)
            proven = context.memory.entry(context.key.fingerprint, picture_id) is not None
            if row is not None and not proven:
                continue  # of the bin, and not taken out of it yet
            if row is not None:
                with suppress(errors.NotFound):
                    context.api.remove_from_bin(context.user_id, row_id)
                context.memory.forget("", row.stored_name)
            if row_id in moving.binned:
                self._put_back(picture_id)
                moving.binned.remove(row_id)
            del moving.planned[row_id]
            save(context.folder, moving)

    def _rows(self, cancelled: IsCancelled) -> Iterator[Row]:
        after = ""
        while True:
            rows, _ = self._context.api.page(self._context.user_id, after, cancelled)
            if not rows:
                return
            yield from (row for row in rows if row.scheme is Scheme.CLASSIC)
            if rows[-1].id <= after:
                raise errors.NotAGlassineServer("The server's list of pictures goes in circles.")
            after = rows[-1].id

    def _bin(self, cancelled: IsCancelled) -> Iterator[Row]:
        after = ""
        while rows := self._context.api.bin_page(self._context.user_id, after, cancelled):
            yield from (row for row in rows if row.scheme is Scheme.CLASSIC)
            if rows[-1].id <= after:
                raise errors.NotAGlassineServer("The server's list of the bin goes in circles.")
            after = rows[-1].id
