"""Gone, succession and the ledger (FORMAT.md sections 11.2 to 11.4): records that stand beside the pictures.

Must not import PySide6, the network or anything of the project but ``desktop.crypto`` and ``desktop.errors``.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from desktop.crypto import canonical
from desktop.crypto.canonical import get_base64, get_hex, get_integer, get_object, get_text, require_members
from desktop.crypto.keys import LEDGER_INFO, PrivateKey, PublicKey
from desktop.crypto.objects import MAX_RSA_BYTES, object_hash, sign_object, verify_object
from desktop.crypto.sizes import TAG
from desktop.errors import Damaged, KeyRefused, RolledBack, TooLarge, WrongPicture

MAX_LEDGER: Final = 64 * 1024 * 1024
"""Bytes; 10,000 pictures take about 3 MB."""
_NONCE: Final = 12
_SERIAL: Final = 8
_OBJECT: Final = frozenset({"body", "sig"})
_TWICE: Final = frozenset({"body", "sig", "sig2"})
_GONE: Final = frozenset({"t", "pic", "owner", "prev", "time"})
_SUCCESSION: Final = frozenset({"t", "old", "new", "time"})


@dataclass(frozen=True)
class Gone:
    """The owner's word that a picture was deleted for good; final for its owner and id.

    Attributes:
        picture_id: 32 hex digits.
        owner: Owner's fingerprint.
        previous: Hash of the last header.
        time: Seconds since 1970; for display only.
        text: The record as it is stored.
        hash: H(gone), hex.
    """

    picture_id: str
    owner: str
    previous: str
    time: int
    text: str
    hash: str


def make_gone(owner: PrivateKey, picture_id: str, previous: str, time: int) -> Gone:
    """Say that a picture is deleted for good.

    Args:
        owner: The owner's key.
        picture_id: 32 hex digits.
        previous: Hash of the header accepted last.
        time: Seconds since 1970; for display only.
    """
    body = {"t": "gone", "pic": picture_id, "owner": owner.fingerprint, "prev": previous, "time": time}
    text = canonical.encode(sign_object(owner, body)).decode("ascii")
    return Gone(picture_id, owner.fingerprint, previous, time, text, object_hash(body))


def read_gone(untrusted_gone: str, *, owner: PublicKey, picture_id: str | None = None) -> Gone:
    """Read and verify such a record.

    Args:
        untrusted_gone: Its text.
        owner: The owner's own or pinned key.
        picture_id: The picture that was asked for; None accepts any of the owner's.

    Raises:
        Damaged: It is no such record.
        WrongPicture: It is about another owner's or another picture.
        NotAuthentic: The owner did not sign it.
    """
    value = canonical.parse(untrusted_gone)
    body = _body(value, "gone", _OBJECT, _GONE)
    found = get_hex(body, "pic", 16)
    claimed, previous = get_hex(body, "owner", 32), get_hex(body, "prev", 32)
    time = get_integer(body, "time", 0, canonical.MAX_INTEGER)
    if claimed != owner.fingerprint or picture_id not in (None, found):
        raise WrongPicture
    verify_object(owner, value)
    return Gone(found, claimed, previous, time, untrusted_gone, object_hash(body))


@dataclass(frozen=True)
class Succession:
    """A key pair's word, and its successor's, that one follows the other. Shown, never followed without a comparison.

    Attributes:
        old: Fingerprint of the key that ends.
        new: Fingerprint of the key that follows.
        time: Seconds since 1970; for display only.
        text: The record as it is stored.
    """

    old: str
    new: str
    time: int
    text: str


def make_succession(old: PrivateKey, new: PrivateKey, time: int) -> Succession:
    """Link a new key pair to an old one; raises KeyRefused if they are the same."""
    if old.fingerprint == new.fingerprint:
        raise KeyRefused("The new key is the old one. Create another key.")
    body = {"t": "succ", "old": old.fingerprint, "new": new.fingerprint, "time": time}
    value = sign_object(old, body) | {"sig2": sign_object(new, body)["sig"]}
    return Succession(old.fingerprint, new.fingerprint, time, canonical.encode(value).decode("ascii"))


def read_succession(untrusted_succession: str, *, old: PublicKey, new: PublicKey) -> Succession:
    """Read and verify such a record.

    Args:
        untrusted_succession: Its text.
        old: The own or pinned key.
        new: The key that is offered instead.

    Raises:
        Damaged: It is no such record.
        WrongPicture: It is about other keys.
        NotAuthentic: One of the two did not sign it.
    """
    value = canonical.parse(untrusted_succession)
    body = _body(value, "succ", _TWICE, _SUCCESSION)
    pair = get_hex(body, "old", 32), get_hex(body, "new", 32)
    time = get_integer(body, "time", 0, canonical.MAX_INTEGER)
    get_base64(value, "sig2", low=1, high=MAX_RSA_BYTES)
    if pair[0] == pair[1]:
        raise Damaged(details="a key does not follow itself")
    if pair != (old.fingerprint, new.fingerprint):
        raise WrongPicture("This record is about other keys than the ones at hand. It is not used.")
    verify_object(old, {"body": body, "sig": value["sig"]})
    verify_object(new, {"body": body, "sig": value["sig2"]})
    return Succession(*pair, time, untrusted_succession)


def _body(value: canonical.Object, kind: str, around: frozenset[str], members: frozenset[str]) -> canonical.Object:
    require_members(value, around)
    get_base64(value, "sig", low=1, high=MAX_RSA_BYTES)
    body = get_object(value, "body")
    require_members(body, members)
    if get_text(body, "t") != kind:
        raise Damaged(details="wrong type of object")
    return body


def seal_ledger(key: PrivateKey, serial: int, document: bytes) -> bytes:
    """Encrypt what a person's programs remember.

    Args:
        key: The person's key.
        serial: Greater than that of every ledger seen before.
        document: JSON text.

    Raises:
        TooLarge: It is longer than a reader takes.
    """
    if len(document) > MAX_LEDGER:
        raise TooLarge("What this account remembers has become too large to be stored on the server.")
    nonce = secrets.token_bytes(_NONCE)
    sealed = AESGCM(key.vault_key(LEDGER_INFO)).encrypt(nonce, document, _ledger_aad(key, serial))
    return serial.to_bytes(_SERIAL) + nonce + sealed


def open_ledger(key: PrivateKey, untrusted_ledger: bytes, *, known_serial: int = 0) -> tuple[int, bytes]:
    """Decrypt a ledger; return its serial and its JSON text.

    Args:
        key: The person's key.
        untrusted_ledger: What the server gave.
        known_serial: The greatest serial seen or written here.

    Raises:
        Damaged: This key did not write it.
        RolledBack: It is authentic, but older than one known here.
        TooLarge: It is longer than any ledger.
    """
    if len(untrusted_ledger) > _SERIAL + _NONCE + MAX_LEDGER + TAG:
        raise TooLarge("The server handed out a ledger that is larger than any.")
    serial = int.from_bytes(untrusted_ledger[:_SERIAL])
    nonce, sealed = untrusted_ledger[_SERIAL : _SERIAL + _NONCE], untrusted_ledger[_SERIAL + _NONCE :]
    if len(sealed) < TAG:
        raise Damaged("The ledger on the server is damaged. What this computer remembers is not concerned.")
    try:
        document = AESGCM(key.vault_key(LEDGER_INFO)).decrypt(nonce, sealed, _ledger_aad(key, serial))
    except InvalidTag:
        raise Damaged("The ledger on the server is damaged. What this computer remembers is not concerned.") from None
    if serial < known_serial:
        raise RolledBack("The server handed out an older ledger than one seen before. It is not used.")
    return serial, document


def _ledger_aad(key: PrivateKey, serial: int) -> bytes:
    return b"glassine/1 ledger\0" + key.public.fingerprint_bytes + serial.to_bytes(_SERIAL)
