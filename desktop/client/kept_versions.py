"""New versions of stored pictures that are not stored yet: complete, synced ciphertext, by owner and picture.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from desktop import errors, image_formats
from desktop.client.staging import CARRIER, MAX_THUMBNAIL, THUMBNAIL, Staging
from desktop.models import IsCancelled, Report

if TYPE_CHECKING:
    from desktop.client.memory_model import Key
    from desktop.client.vault_context import VaultContext
    from desktop.crypto.keys import PublicKey
    from desktop.crypto.opened import OpenedEnvelope
    from desktop.crypto.plans import Plan
    from desktop.crypto.sealed import Envelope

log = logging.getLogger(__name__)

FOLDER = "revisions"
_FINGERPRINT = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Target:
    """The picture that a version is for.

    Attributes:
        owner_id: The owner's account.
        owner: The owner's own or pinned key.
        picture_id: 32 hex digits.
        is_own: It is the account's own.
    """

    owner_id: str
    owner: PublicKey
    picture_id: str
    is_own: bool

    @property
    def key(self) -> Key:
        """What it is remembered by."""
        return self.owner.fingerprint, self.picture_id

    @property
    def gallery_id(self) -> str:
        """What the gallery calls it."""
        return self.picture_id if self.is_own else f"{self.owner_id}.{self.picture_id}"


@dataclass(frozen=True, slots=True)
class Kept:
    """A version that is kept, verified and open.

    Attributes:
        target: What it is for.
        folder: Where its ciphertext is.
        envelope: Its header.
        opened: Open.
        sealed: When, by this computer's clock (aware).
    """

    target: Target
    folder: Path
    envelope: Envelope
    opened: OpenedEnvelope
    sealed: datetime

    @property
    def carrier(self) -> Path:
        """The sealed PNG."""
        return self.folder / CARRIER

    @property
    def copy_id(self) -> str:
        """The id that this version gets as a picture of its own; always the same."""
        return hashlib.sha256(b"glassine copy\0" + bytes.fromhex(self.envelope.header_hash)).hexdigest()[:32]

    def sealed_thumbnail(self) -> bytes:
        """Read the sealed thumbnail; raises FileUnreadable."""
        from desktop.crypto.safe_write import read_own

        return read_own(self.folder / THUMBNAIL, MAX_THUMBNAIL)

    def open_carrier(self) -> BinaryIO:
        """Open the carrier for reading; raises FileUnreadable."""
        from desktop.crypto.safe_write import open_own, reading_error

        try:
            return open_own(self.carrier)
        except OSError as problem:
            raise reading_error(problem, self.carrier) from problem


class KeptVersions:
    """The kept versions of one account at one place; used by one program at a time."""

    def __init__(self, context: VaultContext) -> None:
        """Prepare; nothing is read yet."""
        self._context = context
        self._folder = context.folder / FOLDER

    def target(self, picture_id: str) -> Target:
        """Return what the gallery means by an id; raises PersonNotFound when its owner has no pinned key."""
        owner_id, dot, shared = picture_id.partition(".")
        if not dot:
            return Target(self._context.user_id, self._context.key.public, picture_id, is_own=True)
        pin = self._context.memory.people.get(owner_id)
        if pin is None or pin.public is None:
            raise errors.PersonNotFound("This picture's owner is not known here.")
        return Target(owner_id, pin.public, shared, is_own=False)

    def has(self, target: Target) -> bool:
        """Whether a version is kept."""
        return any(waiting.picture_id == target.picture_id for waiting in self._staging(target.owner).waiting())

    def seal(self, target: Target, source: Path, plan: Plan, report: Report, cancelled: IsCancelled) -> Kept:
        """Seal a file as it is planned and keep it, complete and synced, or leave nothing.

        Raises:
            Unsupported, TooLarge, FileUnreadable, SourceChanged: It cannot be taken.
            StorageFull, StorageReadOnly: The folder cannot be written.
        """
        from desktop.client.preflight import hash_file
        from desktop.crypto import sealed

        info = image_formats.read_info(source)
        thumbnail = image_formats.make_thumbnail(source)
        staging = self._staging(target.owner)
        staging.remove(target.picture_id)  # the rest of a crash
        try:
            made = sealed.seal(
                source,
                staging.begin(target.picture_id) / CARRIER,
                self._context.key,
                name=source.name,
                media_type=info.media_type,
                width=info.width,
                height=info.height,
                taken=info.taken,
                thumbnail=thumbnail,
                plan=plan,
                report=report,
                cancelled=cancelled,
            )
            staging.complete(made, hash_file(made.carrier, cancelled))
        except BaseException:
            staging.remove(target.picture_id)
            raise
        return self.get(target)

    def get(self, target: Target) -> Kept:
        """Return what is kept of a picture.

        Raises:
            NotFound: Nothing is.
            Damaged, NotAuthentic: It is not what was kept.
        """
        staging = self._staging(target.owner)
        for waiting in staging.waiting():
            if waiting.picture_id == target.picture_id:
                envelope = self.read(target, waiting.untrusted_envelope)
                changed = datetime.fromtimestamp(waiting.folder.stat().st_mtime, UTC)
                return Kept(target, waiting.folder, envelope, envelope.open(self._context.key), changed)
        raise errors.NotFound("No version of this picture is kept here.")

    def all(self) -> list[Kept]:
        """Return everything that is kept; what does not open is left alone."""
        found: list[Kept] = []
        for owner_id, owner in self._owners():
            own = owner == self._context.key.public
            for waiting in self._staging(owner).waiting():
                try:
                    found.append(self.get(Target(owner_id, owner, waiting.picture_id, is_own=own)))
                except errors.GlassineError as error:
                    log.warning("a kept version does not open and is left alone: %s %s", error.code, error.details)
        return found

    def remove(self, target: Target) -> None:
        """Remove what is kept of a picture."""
        self._staging(target.owner).remove(target.picture_id)

    def read(self, target: Target, envelope: str) -> Envelope:
        """Read an envelope that this account wrote; raises as ``desktop.crypto`` does."""
        from desktop.crypto.sealed import read_envelope

        return read_envelope(
            envelope, owner=target.owner, picture_id=target.picture_id, author=self._context.key.public
        )

    def _staging(self, owner: PublicKey) -> Staging:
        return Staging(self._folder / owner.fingerprint)

    def _owners(self) -> list[tuple[str, PublicKey]]:
        try:
            names = sorted(path.name for path in self._folder.iterdir())
        except OSError:
            return []
        own, people = self._context.key.public, self._context.memory.people
        found: list[tuple[str, PublicKey]] = []
        for name in names:
            pin = people.by_fingerprint(name) if _FINGERPRINT.fullmatch(name) else None
            if name == own.fingerprint:
                found.append((self._context.user_id, own))
            elif pin is not None and pin.public is not None:
                found.append((pin.user_id, pin.public))
        return found


def clean(place: Path) -> None:
    """Remove what killed programs left incomplete, before anything is sealed; one program at a time uses a place."""
    for folder in (place / FOLDER).glob("*/"):
        Staging(folder).clean()
