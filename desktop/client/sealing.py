"""One file from its source to complete, synced ciphertext in the staging folder, or to nothing at all.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import stat
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from desktop import errors, image_formats
from desktop.client.preflight import IN_BIN, check_size, hash_file
from desktop.client.staging import CARRIER, MAX_THUMBNAIL, THUMBNAIL, Staged, Staging, Waiting
from desktop.client.vault_listing import Catalog, Known, at_revision, ready, sealed_picture
from desktop.models import IsCancelled, Picture, Report

if TYPE_CHECKING:
    from desktop.client.answers import Row
    from desktop.crypto.keys import PrivateKey
    from desktop.crypto.sealed import OpenedEnvelope, Sealed


class InHand:
    """Content that is being sealed or is staged: BLAKE3 → picture id. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: dict[str, str] = {}

    def claim(self, b3: str, picture_id: str) -> str:
        """Take hold of a content; return the id of the picture that has it, which may be another."""
        with self._lock:
            return self._ids.setdefault(b3, picture_id)

    def forget(self, picture_id: str) -> None:
        """Let go of a picture's content."""
        with self._lock:
            self._ids = {b3: other for b3, other in self._ids.items() if other != picture_id}

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._ids.clear()


def seal(
    source: Path,
    staging: Staging,
    key: PrivateKey,
    owner_id: str,
    *,
    catalog: Catalog,
    binned: Catalog,
    in_hand: InHand,
    report: Report,
    cancelled: IsCancelled,
) -> Staged:
    """Seal a picture file; see ``Vault.seal``. Progress is in bytes, each counted once hashed and once sealed."""
    from desktop.crypto import sealed

    size = _check_file(source)
    info = image_formats.read_info(source)
    b3 = hash_file(source, cancelled, lambda done, _: report(done, 2 * size))
    picture_id = sealed.new_picture_id()
    stored = catalog.with_b3(b3)
    if stored is None and (in_bin := binned.with_b3(b3)) is not None:
        raise errors.AlreadyStored(IN_BIN, picture_id=in_bin, in_bin=True)
    stored = stored or in_hand.claim(b3, picture_id)
    if stored != picture_id:
        raise errors.AlreadyStored(picture_id=stored)
    try:
        thumbnail = image_formats.make_thumbnail(source)
        if cancelled():
            raise errors.Cancelled
        made = sealed.seal(
            source,
            staging.begin(picture_id) / CARRIER,
            key,
            name=source.name,
            media_type=info.media_type,
            width=info.width,
            height=info.height,
            taken=info.taken,
            thumbnail=thumbnail,
            picture_id=picture_id,
            report=lambda done, _: report(size + done, 2 * size),
            cancelled=cancelled,
        )
        if made.metadata.b3 != b3:
            raise errors.SourceChanged
        carrier_b3 = hash_file(made.carrier, cancelled)
        folder = staging.complete(made, carrier_b3)
    except BaseException as error:
        staging.remove(picture_id)
        in_hand.forget(picture_id)
        # names of files in there say nothing to people
        if isinstance(error, errors.StorageFull):
            raise errors.StorageFull(details=error.message) from error
        if isinstance(error, errors.StorageReadOnly):
            folder = staging.folder.parent
            raise errors.StorageReadOnly(
                f"Glassine may not write to {folder}. Change its permissions, or make its disk writable.",
                details=error.message,
            ) from error
        raise
    picture = sealed_picture(picture_id, made.metadata, owner_id, made.carrier_size, datetime.now(UTC))
    return Staged(picture, thumbnail, folder, made.envelope, _upload_size(made), b3, carrier_b3)


def reopen(waiting: Waiting, key: PrivateKey, owner_id: str) -> Staged:
    """Verify and open a staged picture that an earlier run left.

    Raises:
        GlassineError: It is damaged, or of another key.
    """
    from desktop.crypto.safe_write import read_own
    from desktop.crypto.sealed import read_envelope

    envelope = read_envelope(waiting.untrusted_envelope, owner=key.public, picture_id=waiting.picture_id)
    opened = envelope.open(key)
    untrusted = read_own(waiting.folder / THUMBNAIL, MAX_THUMBNAIL)
    thumbnail = opened.open_thumbnail(untrusted)
    carrier = waiting.folder / CARRIER
    try:
        status = carrier.stat()
    except OSError as problem:
        raise errors.FileUnreadable(details=str(problem)) from problem
    if status.st_size != envelope.carrier_size:
        raise errors.Damaged(details="staged carrier has another size")
    added = datetime.fromtimestamp(status.st_mtime, UTC)
    picture = sealed_picture(waiting.picture_id, opened.metadata, owner_id, status.st_size, added)
    size = status.st_size + len(untrusted)
    return Staged(
        picture,
        thumbnail,
        waiting.folder,
        waiting.untrusted_envelope,
        size,
        opened.metadata.b3,
        waiting.carrier_b3,
    )


def stored(staged: Staged, row: Row, opened: OpenedEnvelope) -> Known:
    """Return what is known of a staged picture once the server has it; our own envelope counts, not its answer."""
    picture: Picture = replace(staged.picture, stored_size=row.size, added=row.created, deleted=None)
    return ready(at_revision(picture, opened), staged.envelope, opened, row.id)


def _upload_size(made: Sealed) -> int:
    return made.carrier_size + len(made.thumbnail)


def _check_file(source: Path) -> int:
    """Return the size of a source; raises FileUnreadable, Unsupported or TooLarge."""
    from desktop.crypto.safe_write import reading_error

    try:
        status = source.stat()
    except OSError as problem:
        raise reading_error(problem, source) from problem
    if not stat.S_ISREG(status.st_mode):
        raise errors.FileUnreadable(f"“{source.name}” is not a file.")
    check_size(status.st_size)
    return status.st_size
