"""From rows of a server to pictures: signatures checked, metadata opened, oddities named.

What a row says is not believed before ``desktop.client.vault_trust`` has measured it against the memory. A bad
envelope becomes a picture that says what is wrong with it, never an exception: one bad row must not hide ten thousand
good ones. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from desktop import errors
from desktop.client.judging import Listed, read_listed
from desktop.client.memory_model import CLASSIC_OWNER, Snapshot
from desktop.models import Picture, PictureState, Scheme

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.client.answers import Row
    from desktop.crypto.keys import PrivateKey, PublicKey
    from desktop.crypto.opened import ThumbnailKey
    from desktop.crypto.sealed import Metadata, OpenedEnvelope

Authors: TypeAlias = "Callable[[str], PublicKey | None]"

_SEALED_NAME = re.compile(r"p-([0-9a-f]{32})")
_SEALED_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Known:
    """A picture of the listing, with what is needed to open it.

    Attributes:
        picture: As the gallery knows it.
        envelope: The sealed header, verified; empty unless ready: nobody fills the memory with what is refused.
        header_hash: Names the revision; empty unless ready.
        b3: BLAKE3 of the plaintext; empty unless ready.
        refusal: What is wrong with the envelope, to be said again when somebody opens the picture.
        row_id: The server's id of the row, 24 hex digits; empty when it is missing there.
        thumbnail_key: Opens the thumbnail; None unless ready, or missing and seen before. As secret as the thumbnail.
    """

    picture: Picture
    envelope: str = ""
    header_hash: str = ""
    b3: str = ""
    refusal: errors.GlassineError | None = None
    row_id: str = ""
    thumbnail_key: ThumbnailKey | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """A row that was looked at by itself.

    Attributes:
        known: What it would be known as.
        listed: What is to be measured against the memory; None when there is nothing that it could remember.
        opened: The opened envelope; None when it is refused, and for a classic picture.
    """

    known: Known
    listed: Listed | None = None
    opened: OpenedEnvelope | None = None


class Catalog:
    """The pictures known in this session. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Known] = {}
        self._by_b3: dict[str, str] = {}
        self._by_size: dict[int, set[str]] = {}

    def add(self, known: Known) -> None:
        """Add a picture or replace what was known of it."""
        picture_id = known.picture.id
        with self._lock:
            self._forget(picture_id)
            self._known[picture_id] = known
            if known.b3:
                self._by_b3[known.b3] = picture_id
                self._by_size.setdefault(known.picture.size, set()).add(known.b3)

    def remove(self, picture_id: str) -> None:
        """Forget a picture."""
        with self._lock:
            self._forget(picture_id)

    def ids(self) -> set[str]:
        """Return the ids of all known pictures."""
        with self._lock:
            return set(self._known)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._known.clear()
            self._by_b3.clear()
            self._by_size.clear()

    def find(self, picture_id: str) -> Known | None:
        """Return what is known of a picture."""
        with self._lock:
            return self._known.get(picture_id)

    def get(self, picture_id: str) -> Known:
        """Return what is known of a picture; raises NotFound."""
        known = self.find(picture_id)
        if known is None:
            raise errors.NotFound("This picture is not in the vault any more.")
        return known

    def with_b3(self, b3: str) -> str | None:
        """Return the id of the picture with this content."""
        with self._lock:
            return self._by_b3.get(b3)

    def with_size(self, size: int) -> dict[str, str]:
        """Return the pictures of this size: BLAKE3 → id."""
        with self._lock:
            return {b3: self._by_b3[b3] for b3 in self._by_size.get(size, ()) if b3 in self._by_b3}

    def _forget(self, picture_id: str) -> None:
        old = self._known.pop(picture_id, None)
        if old is not None and old.b3 and self._by_b3.get(old.b3) == picture_id:
            del self._by_b3[old.b3]
            sizes = self._by_size.get(old.picture.size)
            if sizes is not None:
                sizes.discard(old.b3)
                if not sizes:
                    del self._by_size[old.picture.size]


def read_row(row: Row, owner_id: str, key: PrivateKey | None) -> Known:
    """Turn an untrusted row into a picture, without any memory; see :func:`examine`."""
    return examine(row, owner_id, key, Snapshot()).known


def examine(
    row: Row, owner_id: str, key: PrivateKey | None, memory: Snapshot, authors: Authors | None = None
) -> Examined:
    """Look at an untrusted row by itself; what is wrong with it is in the result, never raised.

    Args:
        row: As the server listed it.
        owner_id: The account it was listed for.
        key: The person's key; None for an account of the classic scheme.
        memory: Texts verified before cost no RSA operation.
        authors: Gives the pinned key of a writer by fingerprint.
    """
    sealed_name = _SEALED_NAME.fullmatch(row.stored_name)
    picture_id = sealed_name[1] if sealed_name else row.stored_name
    if not sealed_name and _SEALED_ID.fullmatch(picture_id):
        picture_id = "/" + picture_id  # else a server could put it in the place of the sealed picture of this id
    if row.scheme is Scheme.CLASSIC and (key is None or not sealed_name):
        known = Known(_plain_picture(row, picture_id, owner_id, Scheme.CLASSIC), row_id=row.id)
        return Examined(known, Listed(CLASSIC_OWNER, picture_id, Scheme.CLASSIC))
    if key is None or not sealed_name:
        return Examined(
            _refused(row, picture_id, owner_id, errors.KeyMissing() if sealed_name else errors.WrongPicture())
        )
    if row.scheme is Scheme.CLASSIC:
        known = _refused(row, picture_id, owner_id, errors.SchemeChanged())
        return Examined(known, Listed(key.fingerprint, picture_id, Scheme.CLASSIC))
    return _examine_sealed(row, picture_id, owner_id, key, memory, authors)


def _examine_sealed(
    row: Row, picture_id: str, owner_id: str, key: PrivateKey, memory: Snapshot, authors: Authors | None
) -> Examined:
    listed = read_listed(row.envelope, picture_id, key.public, memory, authors)
    opened = None
    if listed.envelope is not None:
        try:
            opened = listed.envelope.open(key)
        except errors.GlassineError as error:
            listed = replace(listed, envelope=None, error=type(error)(error.message, details=error.details))
    if opened is None:
        return Examined(_refused(row, picture_id, owner_id, listed.error or errors.Damaged()), listed)
    picture = sealed_picture(picture_id, opened.metadata, owner_id, row.size, row.created)
    picture = replace(at_revision(picture, opened), deleted=row.deleted)
    return Examined(ready(picture, row.envelope, opened, row.id), listed, opened)


def ready(picture: Picture, envelope: str, opened: OpenedEnvelope, row_id: str) -> Known:
    """Return what is known of a sealed picture whose envelope was verified and opened."""
    b3, thumbnail = opened.metadata.b3, opened.thumbnail_key
    return Known(picture, envelope, opened.header.hash, b3, row_id=row_id, thumbnail_key=thumbnail)


def _refused(row: Row, picture_id: str, owner_id: str, error: errors.GlassineError) -> Known:
    picture = _plain_picture(row, picture_id, owner_id, row.scheme)
    return refused(Known(picture, row_id=row.id), error)


def refused(known: Known, error: errors.GlassineError, shown: Picture | None = None) -> Known:
    """Return what is known of a picture that is not believed, or not there.

    Args:
        known: As its row would have it.
        error: What is wrong.
        shown: What it is to be shown as, if this computer has seen it before.
    """
    if isinstance(error, errors.Missing):
        state = PictureState.MISSING
    elif isinstance(error, errors.NotAuthentic):
        state = PictureState.REFUSED
    else:
        state = PictureState.UNREADABLE
    picture = replace(
        shown or known.picture,
        deleted=known.picture.deleted,
        state=state,
        problem=f"{error.title}. {error.message}",
        problem_code=error.code,
    )
    plain = type(error)(error.message, details=error.details)  # without what the traceback holds
    return Known(picture, refusal=plain, row_id=known.row_id)


def open_envelope(
    untrusted_envelope: str,
    picture_id: str,
    key: PrivateKey,
    *,
    authors: Authors | None = None,
    verified: str = "",
) -> OpenedEnvelope:
    """Verify an envelope of one's own picture and open its metadata; raises as ``desktop.crypto`` does.

    Args:
        untrusted_envelope: Its text.
        picture_id: 32 hex digits.
        key: The person's key.
        authors: Gives the pinned key of a writer by fingerprint.
        verified: ``text_hash`` of a text that was verified before.
    """
    from desktop.crypto.sealed import read_envelope

    envelope = read_envelope(
        untrusted_envelope, owner=key.public, picture_id=picture_id, author=authors, verified=verified
    )
    return envelope.open(key)


def sealed_picture(picture_id: str, metadata: Metadata, owner_id: str, stored_size: int, added: datetime) -> Picture:
    """Describe a sealed picture by its opened metadata."""
    return Picture(
        id=picture_id,
        stored_name=f"p-{picture_id}",
        owner_id=owner_id,
        scheme=Scheme.SEALED,
        name=metadata.name,
        media_type=metadata.type,
        size=metadata.size,
        stored_size=stored_size,
        width=metadata.w,
        height=metadata.h,
        taken=_taken(metadata.taken),
        added=added,
    )


def at_revision(picture: Picture, opened: OpenedEnvelope) -> Picture:
    """Say which revision a picture is at."""
    header = opened.header
    return replace(picture, revision=header.hash, revision_number=header.revision, epoch=header.deed.epoch)


def _plain_picture(
    row: Row,
    picture_id: str,
    owner_id: str,
    scheme: Scheme,
) -> Picture:
    from desktop.crypto.metadata import safe_name

    return Picture(
        id=picture_id,
        stored_name=row.stored_name,
        owner_id=owner_id,
        scheme=scheme,
        name=safe_name(f"{row.stored_name}.png"),
        media_type="image/png",
        size=0,
        stored_size=row.size,
        width=0,
        height=0,
        taken=None,
        added=row.created,
        deleted=row.deleted,
    )


def _taken(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
