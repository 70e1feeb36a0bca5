"""What the server reads in a sealed picture's envelope: which picture, which header, which place in the order.

The envelope travels as one opaque string. It is kept exactly as it was given and never serialised anew; this module
only parses a copy, strictly, to index it. It verifies no signature: that is for those who hold keys.

Must not import Flask.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend.errors import Conflict, Invalid, StoredDataMissing
from backend.services.signed import (
    OBJECT_LIMIT,
    NotCanonical,
    body_of,
    counter_member,
    hex_member,
    member,
    object_hash,
    parse_object,
)

ENVELOPE_LIMIT = OBJECT_LIMIT
GRANT_LIMIT = 8 * 1024
"""Bytes of a grant: twice what one takes with keys of 8192 bits. A picture's grants lie in one record."""
THUMBNAIL_LIMIT = 262_144 + 16
"""Bytes of an encrypted thumbnail: one chunk of at most 262,144 bytes and its authentication tag."""


@dataclass(frozen=True, slots=True)
class EnvelopeIndex:
    """What is indexed.

    Attributes:
        picture_id: 32 hex digits, from the deed.
        header_hash: SHA-256 over ``"glassine/1 id header\\0"`` and the canonical body; 64 hex digits.
    """

    picture_id: str
    header_hash: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a header stands in the order of a picture's revisions.

    Attributes:
        picture_id: 32 hex digits.
        deed_hash: 64 hex digits.
        epoch: From 1.
        revision: From 1 in each epoch.
        previous: Hash of the header before.
        by_owner: Whether the author is the deed's owner and no grant was needed.
    """

    picture_id: str
    deed_hash: str
    epoch: int
    revision: int
    previous: str
    by_owner: bool


def index_envelope(untrusted_envelope: str) -> EnvelopeIndex:
    """Check the form of an envelope and return what the server indexes.

    Raises:
        Invalid: It is not a header object in canonical encoding.
    """
    try:
        body = parse_object(untrusted_envelope, "header")
        deed = body_of(member(body, "deed", dict), "deed")
        hex_member(body, "author", 64)
        return EnvelopeIndex(hex_member(deed, "pic", 32), object_hash(body))
    except NotCanonical:
        raise Invalid("Envelope is invalid") from None


def place_of(untrusted_envelope: str) -> Place:
    """Return the place of a header.

    Raises:
        Invalid: It is not a header object in canonical encoding, or does not say.
    """
    try:
        body = parse_object(untrusted_envelope, "header")
        deed = body_of(member(body, "deed", dict), "deed")
        by_owner = hex_member(body, "author", 64) == hex_member(deed, "owner", 64) and "grant" not in body
        return Place(
            hex_member(deed, "pic", 32),
            object_hash(deed),
            counter_member(deed, "epoch"),
            counter_member(body, "rev"),
            hex_member(body, "prev", 64),
            by_owner,
        )
    except NotCanonical:
        raise Invalid("Envelope is invalid") from None


def stored_place(envelope: str) -> Place:
    """The place of a header that is stored; raises StoredDataMissing when it has none."""
    try:
        return place_of(envelope)
    except Invalid:
        raise StoredDataMissing from None


def check_grant(untrusted_grant: str, place: Place, role: str) -> str:
    """Return a grant if it can be one for this picture's present deed; empty stays empty.

    Raises:
        Invalid: It is no grant, or one of another picture or for another role.
        Conflict: It is for another deed: the picture began a new epoch.
    """
    if not untrusted_grant:
        return ""
    try:
        body = parse_object(untrusted_grant, "grant", limit=GRANT_LIMIT)
        fits = hex_member(body, "pic", 32) == place.picture_id and body.get("role") == role
        deed_hash = hex_member(body, "deed", 64)
    except NotCanonical:
        fits, deed_hash = False, ""
    if not fits:
        raise Invalid("Grant is invalid")
    if deed_hash != place.deed_hash:
        raise Conflict("The grant is for another epoch of this picture")
    return untrusted_grant
