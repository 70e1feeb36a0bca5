"""Revisions of sealed pictures: replacing, looking at the present one, the history. Must not import Flask."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from backend.errors import (
    Conflict,
    ImageNotFound,
    Invalid,
    NotAuthorized,
    PictureReplaced,
    PreconditionFailed,
    PreconditionRequired,
)
from backend.services.clock import utc_now
from backend.services.envelope import Place, index_envelope, place_of, stored_place
from backend.services.names import stored_name
from backend.services.permissions_anew import permissions_anew
from backend.services.removal import remove_blobs
from backend.services.storing import SEALED, Stored, Storing, check_parts, check_stem
from backend.services.uploads import PERMISSIONS_LIMIT, Upload
from backend.storage.protocol import PictureRecord, Revision, StorageError

if TYPE_CHECKING:
    from backend.services.quota import Quota
    from backend.storage.protocol import Storage

HISTORY_LIMIT = 16 << 20
"""Bytes of the envelopes of a picture's history: 500 at their largest, some thousands of the usual ones."""

EPOCHS_LIMIT = 8 << 20
"""Bytes more for new epochs: whoever writes cannot keep the owner from taking that back."""

OWNER = "owner"
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Present:
    """The present revision as somebody may see it.

    Attributes:
        picture: The record.
        role: ``owner``, ``read`` or ``write``.
        grant: The owner's grant for this reader; empty for the owner, and for a permission that came without.
    """

    picture: PictureRecord
    role: str
    grant: str


class Revisions:
    """The revisions of sealed pictures. Every method may be called from several threads."""

    def __init__(self, storage: Storage, quota: Quota, storing: Storing, now: Callable[[], datetime] = utc_now) -> None:
        self._storage = storage
        self._quota = quota
        self._storing = storing
        self._now = now

    def present(self, reader_id: str, owner_id: str, stem: str) -> Present:
        """The present revision of a picture with what its reader may do.

        Raises:
            ImageNotFound: The owner has no such picture, or it is a classic one.
            NotAuthorized: It is not shared with the reader.
        """
        for _ in range(_TRIES):
            picture = self._storage.picture(owner_id, stored_name(stem))
            if picture is None:
                raise ImageNotFound
            found = Present(picture, *self._role(reader_id, picture))
            if picture.scheme != SEALED:
                raise ImageNotFound("This picture has no envelope")
            if reader_id == owner_id:
                return found
            # envelope and grant are to be of the same epoch
            again = self._storage.picture_by_id(picture.id)
            if again is not None and again.header_hash == picture.header_hash:
                return found
        raise PictureReplaced

    def history(self, reader_id: str, owner_id: str, stem: str, *, after: str, limit: int | None) -> list[Revision]:
        """One page of the earlier revisions, oldest first, those behind the one with header hash ``after``.

        Raises:
            ImageNotFound, NotAuthorized: As :meth:`present`.
            Invalid: There is no revision ``after``.
        """
        revisions = self._storage.history(self.present(reader_id, owner_id, stem).picture.id)
        start = 0
        if after:
            start = next((n for n, one in enumerate(revisions, 1) if one.header_hash == after), -1)
            if start < 0:
                raise Invalid("after must be the header hash of an earlier revision")
        return revisions[start:] if limit is None else revisions[start : start + limit]

    def begin(self, author_id: str, owner_id: str, stem: str, replaces: str | None, body_length: int | None) -> Upload:
        """Begin to take a new revision in.

        Args:
            author_id: Who sends it.
            owner_id: Whose picture it is.
            stem: Which one.
            replaces: Header hash of the revision that it shall replace; None when the request does not say.
            body_length: Bytes of the request; None when it is not known.

        Raises:
            ImageNotFound, NotAuthorized: As :meth:`present`; the author may not write.
            PreconditionRequired: ``replaces`` is None.
            QuotaExceeded: So many bytes have no room.
        """
        present = self._writable(author_id, owner_id, stem)
        if replaces is None:
            raise PreconditionRequired
        if present.picture.header_hash == replaces:  # otherwise it may be the same once more, which needs no room
            self._quota.check_room(owner_id, body_length, present.picture.stored_bytes + PERMISSIONS_LIMIT)
        return Upload(self._storage, revision=True)

    def replace(self, author_id: str, owner_id: str, stem: str, replaces: str, upload: Upload) -> Stored:
        """Keep a complete upload as the new revision of a picture.

        Raises:
            ImageNotFound, NotAuthorized: As :meth:`begin`; only the owner begins an epoch.
            Invalid: Something is missing, or it is not the revision that comes next.
            PreconditionFailed: Another revision is stored than the one it shall replace.
            Conflict: A grant is for another epoch, or the history is full.
            Gone: The owner's programs recorded that this picture was deleted for good.
            QuotaExceeded: The owner has no room for it.
            StorageError: It could not be kept; nothing of it stays.
        """
        image, image_stem = check_parts(upload, sealed=True)
        if upload.envelope is None or upload.thumbnail is None:
            raise AssertionError("check_parts lets nothing else through")
        envelope = upload.envelope.text
        index = index_envelope(envelope)
        check_stem(image_stem, index)
        present = self._writable(author_id, owner_id, stem)
        earlier = present.picture
        if earlier.name != stored_name(image_stem):
            raise Invalid("The envelope is of another picture")
        if earlier.header_hash == index.header_hash:
            return Stored(earlier, created=False)
        self._storing.refuse_gone(owner_id, index.picture_id)
        if earlier.header_hash != replaces:
            raise PreconditionFailed(earlier.header_hash)
        place = place_of(envelope)
        new_epoch = _check_order(stored_place(earlier.envelope), place, replaces)
        if new_epoch and present.role != OWNER:
            raise NotAuthorized
        permissions = None
        if new_epoch:
            if upload.permissions is None:
                raise Invalid("Permissions are required for a new epoch")
            permissions = permissions_anew(self._storage, earlier, place, upload.permissions.text)
        elif upload.permissions is not None:
            raise Invalid("Permissions belong to a new epoch only")
        history = self._history_bytes(earlier, HISTORY_LIMIT + EPOCHS_LIMIT if new_epoch else HISTORY_LIMIT)
        stored_bytes = image.size + upload.thumbnail.size + len(envelope) + history
        grown = stored_bytes - earlier.stored_bytes
        if permissions is not None:
            grown += sum(len(each.grant) for each in permissions) - self._storage.grant_bytes(earlier.id)
        self._quota.reserve(owner_id, grown)
        replaced = False
        try:
            record = replace(
                earlier,
                size=image.size,
                content_sha256=image.sha256,
                content_blob=upload.commit(image),
                thumbnail_blob=upload.commit(upload.thumbnail),
                envelope=envelope,
                header_hash=index.header_hash,
                stored_bytes=stored_bytes,
                updated=self._now(),
            )
            revision = Revision(earlier.id, earlier.header_hash, earlier.envelope, record.updated or earlier.created)
            replaced = self._storage.replace_picture(record, revision, permissions)
        except BaseException:
            if not self._may_be_there(earlier.id, index.header_hash):
                self._undo(upload, owner_id, grown)
            raise
        if not replaced:
            self._undo(upload, owner_id, grown)
            return self._overtaken(earlier.id, index.header_hash)
        remove_blobs(self._storage, earlier.blobs)
        self._quota.release(owner_id, -grown)
        return Stored(record, created=True)

    def _history_bytes(self, picture: PictureRecord, limit: int) -> int:
        """What the envelopes of a picture take, the present one included; they all stay when it is replaced. Raises
        Conflict above the limit."""
        blobs = picture.size
        thumbnail = self._storage.open_blob(picture.thumbnail_blob)
        if thumbnail is not None:
            with thumbnail:
                blobs += thumbnail.seek(0, os.SEEK_END)
        # version 0.1.0 did not count envelopes
        size = max(picture.stored_bytes - blobs, len(picture.envelope))
        if size > limit:
            raise Conflict("This picture was changed too often")
        return size

    def _overtaken(self, picture_id: str, header_hash: str) -> Stored:
        now = self._storage.picture_by_id(picture_id)
        if now is None or now.deleted is not None:
            raise ImageNotFound
        if now.header_hash == header_hash:
            return Stored(now, created=False)
        raise PreconditionFailed(now.header_hash)

    def _undo(self, upload: Upload, owner_id: str, reserved: int) -> None:
        upload.withdraw()
        self._quota.release(owner_id, reserved)

    def _may_be_there(self, picture_id: str, header_hash: str) -> bool:
        """Whether a failed attempt to replace may have replaced (see ``Storing``)."""
        try:
            found = self._storage.picture_by_id(picture_id)
        except StorageError:
            return True
        return found is not None and found.header_hash == header_hash

    def _role(self, reader_id: str, picture: PictureRecord) -> tuple[str, str]:
        if reader_id == picture.owner_id:
            return OWNER, ""
        permission = self._storage.permission(picture.id, reader_id)
        if permission is None:
            raise NotAuthorized
        return permission.role, permission.grant

    def _writable(self, author_id: str, owner_id: str, stem: str) -> Present:
        present = self.present(author_id, owner_id, stem)
        if present.role not in {OWNER, "write"}:
            raise NotAuthorized
        return present


def _check_order(before: Place, place: Place, replaces: str) -> bool:
    """Whether a new epoch begins; raises Invalid when a header does not come next."""
    if place.previous != replaces:
        raise Invalid("The envelope does not name the revision that it replaces")
    if place.deed_hash == before.deed_hash:
        if place.revision != before.revision + 1:
            raise Invalid("The revision must be the next one of its epoch")
        return False
    if (place.epoch, place.revision) != (before.epoch + 1, 1):
        raise Invalid("A new deed must begin the next epoch with revision 1")
    if not place.by_owner:
        raise Invalid("Only the owner begins an epoch")
    return True
