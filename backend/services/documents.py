"""Small things that people's programs keep on the server: ledger, key file, records of pictures and keys that are over.

The server cannot read the first two and does not judge the others: it looks at their form and keeps them as they were
sent. Must not import Flask.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from backend.errors import Conflict, DocumentNotFound, Invalid, NotAuthorized, PreconditionFailed, TooLarge
from backend.services.clock import utc_now
from backend.services.names import stored_name
from backend.services.signed import NotCanonical, hex_member, is_hex, member, parse_object
from backend.storage.protocol import Document

if TYPE_CHECKING:
    from backend.storage.protocol import Storage

LEDGER = "ledger"
KEYFILE = "keyfile"
GONE = "gone"
SUCCESSION = "succession"

LIMITS = {LEDGER: 8 << 20, KEYFILE: 64 << 10}
"""Bytes of what is kept sealed, by kind."""

SUCCESSIONS_LIMIT = 100
"""Key changes of one account."""

GONE_LIMIT = 4 << 10
"""Bytes of the record of a picture; with keys of 8192 bits it takes 1.7 KB."""

GONE_RECORDS_LIMIT = 100_000
"""Such records of one account; of pictures that are still there more are kept."""


class Documents:
    """Everybody's documents; the caller has made sure of who asks. May be called from several threads."""

    def __init__(
        self,
        storage: Storage,
        now: Callable[[], datetime] = utc_now,
        *,
        gone_records: int = GONE_RECORDS_LIMIT,
    ) -> None:
        """Prepare; ``gone_records``: how many an account may keep of pictures that are not there."""
        self._storage = storage
        self._now = now
        self._gone_records = gone_records

    # -- sealed by their owner's programs --

    def get(self, owner_id: str, kind: str) -> Document:
        """Return a document; raises DocumentNotFound."""
        found = self._storage.document(owner_id, kind)
        if found is None:
            raise DocumentNotFound
        return found

    def put(self, owner_id: str, kind: str, data: bytes, replaces: str) -> tuple[Document, bool]:
        """Keep a document in the place of the one whose tag is ``replaces``; empty: of none.

        Returns:
            The document, and whether it is the first.

        Raises:
            Invalid: It is empty.
            TooLarge: It is above the limit of its kind.
            PreconditionFailed: Another one is there; its tag is told.
            NotAuthorized: The account is being deleted.
        """
        if not data:
            raise Invalid("The document is empty")
        if len(data) > LIMITS[kind]:
            raise TooLarge
        present = self._storage.document(owner_id, kind)
        if (tag(present) if present is not None else "") == replaces:
            version = present.version + 1 if present is not None else 1
            document = Document(owner_id, kind, "", version, data, self._now())
            if self._storage.put_document(document):
                self._check_still_wanted(owner_id)
                return document, version == 1
            present = self._storage.document(owner_id, kind)
        if present is not None and present.value == data:
            return present, False  # the same once more: the first answer was lost
        raise PreconditionFailed(tag(present) if present is not None else "")

    def remove(self, owner_id: str, kind: str) -> None:
        """Remove a document; raises DocumentNotFound."""
        if not self._storage.remove_documents(owner_id, kind):
            raise DocumentNotFound

    # -- signed by their owner's programs, kept for good --

    def record_gone(self, owner_id: str, picture_id: str, untrusted_record: str) -> bool:
        """Record that a sealed picture was deleted for good; final.

        Returns:
            False when the very same was recorded already.

        Raises:
            Invalid: It is not such a record, or of another picture.
            Conflict: Another one is there, or there are too many.
        """
        try:
            body = parse_object(untrusted_record, "gone", limit=GONE_LIMIT)
            hex_member(body, "owner", 64)
            fits = is_hex(picture_id, 32) and body.get("pic") == picture_id
        except NotCanonical:
            fits = False
        if not fits:
            raise Invalid("The record is invalid")
        if not self._has_room(owner_id, picture_id):
            raise Conflict(f"No more than {self._gone_records} records are kept")
        return self._record(owner_id, GONE, picture_id, untrusted_record)

    def record_succession(self, owner_id: str, old_fingerprint: str, untrusted_record: str) -> bool:
        """Record that a key pair was replaced; otherwise like :meth:`record_gone`."""
        try:
            body = parse_object(untrusted_record, "succ", second_signature=True)
            hex_member(body, "new", 64)
            fits = is_hex(old_fingerprint, 64) and member(body, "old", str) == old_fingerprint
        except NotCanonical:
            fits = False
        if not fits:
            raise Invalid("The record is invalid")
        known = self._storage.documents(owner_id, SUCCESSION, limit=SUCCESSIONS_LIMIT)
        if len(known) >= SUCCESSIONS_LIMIT and old_fingerprint not in {document.key for document in known}:
            raise Conflict(f"No more than {SUCCESSIONS_LIMIT} records are kept")
        return self._record(owner_id, SUCCESSION, old_fingerprint, untrusted_record)

    def record(self, owner_id: str, kind: str, key: str) -> Document:
        """Return a record; raises DocumentNotFound."""
        found = self._storage.document(owner_id, kind, key)
        if found is None:
            raise DocumentNotFound
        return found

    def records(self, owner_id: str, kind: str, *, after: str = "", limit: int | None = None) -> list[Document]:
        """One page of an owner's records in order of their keys."""
        return self._storage.documents(owner_id, kind, after=after, limit=limit)

    def _has_room(self, owner_id: str, picture_id: str) -> bool:
        """Whether the record of a picture may be kept: always when the picture is there, as it is while a program
        deletes it; counting is for the others."""
        name = stored_name(f"p-{picture_id}")
        return (
            self._storage.picture(owner_id, name) is not None
            or self._storage.binned(owner_id, name) is not None
            or self._storage.document(owner_id, GONE, picture_id) is not None
            or self._storage.count_documents(owner_id, GONE) < self._gone_records
        )

    def _record(self, owner_id: str, kind: str, key: str, record: str) -> bool:
        value = record.encode("ascii")
        if self._storage.put_document(Document(owner_id, kind, key, 1, value, self._now())):
            self._check_still_wanted(owner_id)
            return True
        known = self._storage.document(owner_id, kind, key)
        if known is None or known.value != value:
            raise Conflict("Another record is stored already")
        return False

    def _check_still_wanted(self, owner_id: str) -> None:
        """Whoever deletes the account has either not yet looked for documents, or is seen here."""
        owner = self._storage.user(owner_id)
        if owner is None or owner.closing:
            self._storage.remove_documents(owner_id)
            raise NotAuthorized


def tag(document: Document) -> str:
    """What a version of a document is known by; another one even when counting began anew after removing."""
    return f"{document.version}-{hashlib.sha256(document.value).hexdigest()[:32]}"
