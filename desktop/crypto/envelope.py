"""Reading and verifying an envelope (FORMAT.md section 10.1, steps 1 to 8).

Must not import PySide6, the network or anything of the project but ``desktop.crypto`` and ``desktop.errors``.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from desktop.crypto import canonical
from desktop.crypto.carrier_layout import Layout
from desktop.crypto.chunks import open_bytes
from desktop.crypto.keys import VAULT_WRAP_INFO, PrivateKey, PublicKey
from desktop.crypto.metadata import Metadata
from desktop.crypto.objects import Deed, Grant, Header, verify_object
from desktop.crypto.opened import OpenedEnvelope
from desktop.crypto.picture_keys import SUITE, Revision, check_commitment, wrap_label
from desktop.crypto.sizes import TAG, ciphertext_size, padded_payload, padded_thumbnail
from desktop.errors import (
    AuthorUnknown,
    Damaged,
    GlassineError,
    NoGrant,
    NotAuthentic,
    Unsupported,
    WrongKey,
    WrongPicture,
)


def read_envelope(
    untrusted_envelope: str,
    *,
    owner: PublicKey,
    picture_id: str | None = None,
    author: PublicKey | Callable[[str], PublicKey | None] | None = None,
    verified: str = "",
) -> Envelope:
    """Read and verify an envelope: steps 1 to 5 of accepting.

    Args:
        untrusted_envelope: Its text.
        owner: The key of the owner that was asked for.
        picture_id: The picture that was asked for; None accepts any of the owner's.
        author: The pinned key of the author, needed when that is not the owner; or what gives it by fingerprint.
        verified: What ``text_hash`` gave for an envelope that these keys verified before. The very same text needs no
            RSA operation again; any other is verified as usual.

    Raises:
        Damaged: It is not an envelope.
        WrongPicture: It is the envelope of another owner or picture.
        NotAuthentic: Deed or header is not signed by who must have signed.
        NoGrant: The author is not allowed to write.
        AuthorUnknown: The author is, and their key is not the one that was given.
        Unsupported: An authentic envelope of a newer suite.
    """
    value = canonical.parse(untrusted_envelope)
    _refuse_other_suites(value, owner)
    header = Header.parse(value)
    deed = header.deed
    if deed.owner != owner.fingerprint or picture_id not in (None, deed.picture_id):
        raise WrongPicture
    before = hmac.compare_digest(text_hash(untrusted_envelope), verified)
    if not before:
        verify_object(owner, deed.source)
    if header.author == owner.fingerprint:
        if header.grant is not None:
            raise Damaged(details="the owner needs no grant")
        signer = owner
    else:
        check_grant(header.grant, deed, owner, header.author, write=True, verified=before)
        pinned = author if author is None or isinstance(author, PublicKey) else author(header.author)
        if pinned is None or pinned.fingerprint != header.author:
            raise AuthorUnknown
        signer = pinned
    if not before:
        verify_object(signer, header.source)
    if header.revision == 1 and signer != owner:
        raise NotAuthentic
    return Envelope(header, untrusted_envelope, owner, signer)


def text_hash(envelope: str) -> str:
    """Return the SHA-256 of an envelope's whole text, signature included, as hex: for :func:`read_envelope`."""
    return hashlib.sha256(envelope.encode("utf-8", "surrogatepass")).hexdigest()


def check_grant(
    grant: Grant | None, deed: Deed, owner: PublicKey, to: str, *, write: bool = False, verified: bool = False
) -> None:
    """Check a grant before it is used for anything; raises NoGrant. ``verified``: its signature was checked before."""
    if grant is None or (grant.picture_id, grant.owner, grant.deed, grant.to) != (
        deed.picture_id,
        deed.owner,
        deed.hash,
        to,
    ):
        raise NoGrant
    if write and grant.role != "write":
        raise NoGrant
    if verified:
        return
    try:
        verify_object(owner, grant.source)
    except GlassineError:
        raise NoGrant from None


def parse_grant(untrusted_grant: str) -> Grant:
    """Read the text of a grant; raises Damaged. Its signature is checked where it is used."""
    return Grant.parse(canonical.parse(untrusted_grant))


def _refuse_other_suites(value: canonical.Object, owner: PublicKey) -> None:
    """Say "unsupported" only about what the owner really signed; raises Damaged, NotAuthentic or Unsupported."""
    deed = canonical.get_object(canonical.get_object(value, "body"), "deed")
    body = canonical.get_object(deed, "body")
    if canonical.get_integer(body, "suite", 0, canonical.MAX_INTEGER) == SUITE:
        return
    if canonical.get_text(body, "t") != "deed":
        raise Damaged(details="no deed")
    if canonical.get_text(body, "owner") != owner.fingerprint:
        raise WrongPicture
    verify_object(owner, deed)
    raise Unsupported("This picture was stored by a newer Glassine. Update Glassine to open it.")


@dataclass(frozen=True)
class Envelope:
    """A verified envelope: authentic, but not yet opened.

    Attributes:
        header: What the author signed.
        text: The envelope as given.
        owner: The owner's key.
        author_key: The author's key.
    """

    header: Header
    text: str
    owner: PublicKey
    author_key: PublicKey

    @property
    def picture_id(self) -> str:
        """32 hex digits."""
        return self.header.deed.picture_id

    @property
    def epoch(self) -> int:
        """Epoch of the deed."""
        return self.header.deed.epoch

    @property
    def revision(self) -> int:
        """Revision within the epoch."""
        return self.header.revision

    @property
    def previous(self) -> str:
        """Hash of the header before; 64 zeros for none."""
        return self.header.previous

    @property
    def author(self) -> str:
        """The author's fingerprint."""
        return self.header.author

    @property
    def header_hash(self) -> str:
        """The header hash, 64 hex digits."""
        return self.header.hash

    @property
    def deed_hash(self) -> str:
        """Hash of the deed, 64 hex digits."""
        return self.header.deed.hash

    @property
    def payload_size(self) -> int:
        """Padded length of the payload."""
        return self.header.payload.size

    @property
    def thumbnail_size(self) -> int:
        """Length of the encrypted thumbnail."""
        return ciphertext_size(self.header.thumbnail.size)

    @property
    def layout(self) -> Layout:
        """Layout of the carrier; ``layout.file_size`` and ``layout.size`` follow from the envelope."""
        return Layout(ciphertext_size(self.payload_size), len(self.text))

    @property
    def carrier_size(self) -> int:
        """Length of the carrier file."""
        return self.layout.file_size

    def open(self, key: PrivateKey, grant: Grant | None = None) -> OpenedEnvelope:
        """Unwrap the picture key and open the metadata: steps 7 and 8 of accepting.

        Args:
            key: The owner's key, or that of the person a grant is for.
            grant: That person's grant; an author who is not the owner needs none, it is in the header.

        Raises:
            WrongKey: The key is not one that this picture was made for.
            NoGrant: The grant is not the owner's for this deed and key.
            Damaged: It does not open although the key is right.
        """
        deed = self.header.deed
        label = wrap_label(deed.picture_id, deed.epoch, deed.owner, key.fingerprint)
        if key.public == self.owner:
            try:
                picture_key = AESGCM(key.vault_key(VAULT_WRAP_INFO)).decrypt(deed.vault[:12], deed.vault[12:], label)
            except InvalidTag:
                raise Damaged(details="vault wrap") from None
        else:
            if grant is None and self.header.author == key.fingerprint:
                grant = self.header.grant
            if grant is None:
                raise WrongKey("This picture was sealed for another key. Choose the key it was sealed with.")
            check_grant(grant, deed, self.owner, key.fingerprint)
            picture_key = key.unwrap(label, grant.wrap)
        check_commitment(picture_key, deed.kc, deed.picture_id, deed.epoch, deed.owner)
        revision = Revision(
            deed.picture_id, deed.owner, deed.epoch, self.header.revision, self.header.author, self.header.salt
        )
        size = len(self.header.meta) - TAG
        meta = open_bytes(revision.key(picture_key, "meta"), revision.aad("meta", size), self.header.meta, size, None)
        metadata = Metadata.parse(meta)
        if padded_payload(metadata.size) != self.payload_size:
            raise Damaged(details="payload padding")
        if padded_thumbnail(self.header.thumbnail.size) != self.header.thumbnail.size:
            raise Damaged(details="thumbnail padding")
        is_owner = key.public == self.owner
        return OpenedEnvelope(self.header, self.text, metadata, revision, picture_key, key if is_owner else None)
