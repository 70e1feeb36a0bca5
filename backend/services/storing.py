"""Keeping what arrived: a new picture, or a new revision of a sealed one. Must not import Flask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from backend.errors import Conflict, Gone, Invalid, NotAuthorized, PictureReplaced, QuotaExceeded
from backend.services.clock import utc_now
from backend.services.documents import GONE
from backend.services.envelope import EnvelopeIndex, index_envelope
from backend.services.names import candidates, picture_stem, stored_name
from backend.services.removal import remove_for_good
from backend.services.uploads import PNG_SIGNATURE, BlobPart, Upload
from backend.storage.protocol import DuplicateRecord, PictureRecord, Storage, StorageError

if TYPE_CHECKING:
    from backend.services.quota import Quota

SEALED = "sealed"
CLASSIC = "classic"


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of an upload.

    Attributes:
        picture: The record.
        created: False when the very same sealed picture was there already.
    """

    picture: PictureRecord
    created: bool


class Storing:
    """Keeps new pictures. Every method may be called from several threads."""

    def __init__(self, storage: Storage, quota: Quota, now: Callable[[], datetime] = utc_now) -> None:
        self._storage = storage
        self._quota = quota
        self._now = now

    def begin(self, owner_id: str, body_length: int | None) -> Upload:
        """Begin to take a picture in; its parts stream to storage.

        Raises:
            QuotaExceeded: From reading it: so many bytes (None: not known) have no room.
        """

        def admit(upload: Upload) -> None:
            try:
                self._quota.check_room(owner_id, body_length)
            except QuotaExceeded:
                if not self._perhaps_known(owner_id, upload):
                    raise

        return Upload(self._storage, admit=admit)

    def store(self, owner_id: str, upload: Upload) -> Stored:
        """Keep a complete upload.

        Raises:
            Invalid: Something is missing or not allowed; all that is missing is named.
            Conflict: Another version of this sealed picture, or another picture of its name, is there.
            Gone: The owner's programs recorded that this sealed picture was deleted for good.
            QuotaExceeded: The account has no room for it.
            NotAuthorized: The account is being deleted.
            StorageError: It could not be kept; nothing of it stays.
        """
        image, stem = check_parts(upload)
        if upload.envelope is not None:
            envelope = upload.envelope.text
            index = index_envelope(envelope)
            check_stem(stem, index)
            return self._store_sealed(owner_id, upload, image, envelope, index)
        draft = self._draft(owner_id, image, CLASSIC)
        return Stored(self._add(draft, upload, image, candidates(stem, self._now())), created=True)

    def refuse_gone(self, owner_id: str, picture_id: str) -> None:
        """Raise Gone when a sealed picture was deleted for good."""
        if self._storage.document(owner_id, GONE, picture_id) is not None:
            raise Gone

    def _perhaps_known(self, owner_id: str, upload: Upload) -> bool:
        """Whether this may be what is stored already, which needs no room. What is no envelope is refused as that."""
        if upload.envelope is None:
            return False
        try:
            name = stored_name(f"p-{index_envelope(upload.envelope.text).picture_id}")
        except Invalid:
            return True
        return bool(self._storage.picture(owner_id, name) or self._storage.binned(owner_id, name))

    def _store_sealed(
        self, owner_id: str, upload: Upload, image: BlobPart, envelope: str, index: EnvelopeIndex
    ) -> Stored:
        self.refuse_gone(owner_id, index.picture_id)
        name = stored_name(f"p-{index.picture_id}")
        known = self._known(owner_id, name, index)
        if known is not None:
            return known
        draft = self._draft(owner_id, image, SEALED)
        draft = replace(draft, name=name, envelope=envelope, header_hash=index.header_hash)
        try:
            added = self._add(draft, upload, image, [name])
        except DuplicateRecord:
            # Somebody else stored it in between. If it was deleted again already, the upload may simply be repeated.
            known = self._known(owner_id, name, index)
            if known is None:
                raise PictureReplaced from None
            return known
        try:
            self.refuse_gone(owner_id, index.picture_id)
        except Gone:  # recorded meanwhile
            remove_for_good(self._storage, self._quota, added.id)
            raise
        return Stored(added, created=True)

    def _known(self, owner_id: str, name: str, index: EnvelopeIndex) -> Stored | None:
        existing = self._storage.picture(owner_id, name)
        if existing is None:
            existing = self._from_bin(owner_id, name, index)
        if existing is None:
            return None
        if existing.header_hash != index.header_hash:
            raise Conflict("Another version of this picture is already stored")
        return Stored(existing, created=False)

    def _from_bin(self, owner_id: str, name: str, index: EnvelopeIndex) -> PictureRecord | None:
        binned = self._storage.binned(owner_id, name)
        if binned is None or binned.header_hash != index.header_hash:
            return None
        try:
            return self._storage.restore_picture(binned.id, name)
        except DuplicateRecord:
            return self._storage.picture(owner_id, name)

    def _draft(self, owner_id: str, image: BlobPart, scheme: str) -> PictureRecord:
        return PictureRecord(
            id="", owner_id=owner_id, name="", scheme=scheme, size=image.size, created=self._now(), content_blob="",
            content_sha256=image.sha256,
        )  # fmt: skip

    def _add(
        self, draft: PictureRecord, upload: Upload, image: BlobPart, names: Sequence[str] | Iterator[str]
    ) -> PictureRecord:
        """Make the blobs durable, then add the record under the first free name; on failure nothing stays."""
        second = upload.thumbnail if draft.scheme == SEALED else upload.quotient
        record = draft = replace(
            draft, stored_bytes=image.size + (second.size if second is not None else 0) + len(draft.envelope)
        )
        self._quota.reserve(draft.owner_id, draft.stored_bytes)
        try:
            second_blob = upload.commit(second)
            draft = replace(
                draft,
                content_blob=upload.commit(image),
                quotient_blob=second_blob if draft.scheme == CLASSIC else "",
                thumbnail_blob=second_blob if draft.scheme == SEALED else "",
            )
            for name in names:
                record = replace(draft, id=self._storage.new_id(), name=name)
                try:
                    self._storage.add_picture(record)
                except DuplicateRecord:
                    continue
                return self._still_wanted(record)
            raise DuplicateRecord
        except NotAuthorized:
            raise
        except BaseException:
            if not self._may_be_there(record):
                upload.withdraw()
                self._quota.release(draft.owner_id, draft.stored_bytes)
            raise

    def _still_wanted(self, record: PictureRecord) -> PictureRecord:
        """Whoever deletes the account has either not yet looked for pictures, or is seen here."""
        owner = self._storage.user(record.owner_id)
        if owner is None or owner.closing:
            remove_for_good(self._storage, self._quota, record.id)
            raise NotAuthorized
        return record

    def _may_be_there(self, record: PictureRecord) -> bool:
        """Whether a failed attempt to add may have added. If even that cannot be read, the blobs stay: an orphan is
        collected later, a record without its bytes would be a lost picture."""
        if not record.name:
            return False
        try:
            found = self._storage.picture(record.owner_id, record.name)
        except StorageError:
            return True
        return found is not None and found.content_blob == record.content_blob


def check_parts(upload: Upload, *, sealed: bool = False) -> tuple[BlobPart, str]:
    """Return a complete upload's picture and the stem of its name.

    Raises:
        Invalid: It is not complete, or not a sealed picture where only one can be; all that is missing is named.
    """
    problems, stem = [], ""
    if upload.image is None:
        problems.append("Image file is required")
    elif upload.image.head != PNG_SIGNATURE:
        problems.append("PNG images only!")
    else:
        try:
            stem = picture_stem(upload.image.filename or "")
        except Invalid as problem:
            problems.append(problem.message)
    if upload.envelope is None and sealed:
        problems.append("Envelope is required")
    elif upload.envelope is None:
        if upload.quotient is None or upload.quotient.blank:
            problems.append("Quotient data is required")
    elif upload.quotient is not None:
        problems.append("Send either a quotient or an envelope")
    elif upload.thumbnail is None or not upload.thumbnail.size:
        problems.append("Thumbnail is required")
    if problems or upload.image is None:
        raise Invalid(", ".join(problems))
    return upload.image, stem


def check_stem(stem: str, index: EnvelopeIndex) -> None:
    """Raise Invalid when a file is not named after the picture that its envelope names."""
    if stem != f"p-{index.picture_id}":
        raise Invalid("Image file must be named p-<picture id>.png as in the envelope")
