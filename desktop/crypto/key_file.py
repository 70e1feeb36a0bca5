"""The key file: a private key that opens with a passphrase, a recovery kit or this device (FORMAT.md section 12).

A random main key encrypts the private key; each slot encrypts the main key under another secret. Must not import
PySide6, the network or anything of the project but its crypto and ``desktop.errors``.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from desktop.crypto.canonical import encode_base64, get_base64, require_members
from desktop.crypto.key_slots import NONCE_BYTES, SECRET_BYTES, TAG_BYTES, WRITE_COST, Cost, Slot, SlotKind
from desktop.crypto.keys import PrivateKey, PublicKey
from desktop.crypto.safe_write import new_file, read_bounded
from desktop.errors import Damaged, FileUnreadable, KeyFileDamaged, KeyFileUnreadable, KeyRefused, TooLarge, WrongKey

__all__ = [
    "MAX_KEY_FILE",
    "SlotKind",
    "add_root_slot",
    "change_passphrase",
    "create",
    "looks_like_key_file",
    "open_with_passphrase",
    "open_with_root",
    "read_key_file",
    "read_public",
    "set_passphrase",
    "slot_kinds",
    "slot_mark",
    "with_slots_only",
    "without_slot",
    "write_key_file",
]

MAX_KEY_FILE: Final = 65536
_MEMBERS: Final = frozenset({"t", "pub", "key", "slots"})
_TYPE: Final = "keyfile"


@dataclass(frozen=True, slots=True)
class _KeyFile:
    public: PublicKey
    sealed_key: bytes
    slots: tuple[Slot, ...]

    @classmethod
    def parse(cls, untrusted: bytes) -> _KeyFile:
        """Check everything that can be checked without a secret; raises KeyFileDamaged or TooLarge."""
        if len(untrusted) > MAX_KEY_FILE:
            raise TooLarge("This file is too large to be a key file.")
        try:
            document = json.loads(untrusted.decode("ascii"))
            if type(document) is not dict:
                raise Damaged(details="not an object")
            require_members(document, _MEMBERS)
            if type(document["slots"]) is not list:
                raise Damaged(details="slots are no list")
            slots = tuple(Slot.from_object(slot) for slot in document["slots"])
            kinds = [slot.kind for slot in slots]
            if not kinds or kinds != sorted(set(kinds)):
                raise Damaged(details="slots are not one per kind in order")
            public = PublicKey.from_spki(get_base64(document, "pub"))
            parsed = cls(public, get_base64(document, "key", low=NONCE_BYTES + TAG_BYTES), slots)
        except Damaged as error:
            raise KeyFileDamaged(details=error.details) from None
        except KeyRefused:
            raise KeyFileDamaged(details="public key refused") from None
        except (ValueError, RecursionError) as error:
            raise KeyFileDamaged(details=type(error).__name__) from None
        # another type, further members of slots, members given twice, other spellings and spaces do not survive this
        if parsed.encode() != untrusted:
            raise KeyFileDamaged(details="not canonical")
        return parsed

    def encode(self) -> bytes:
        document: dict[str, Any] = {
            "t": _TYPE,
            "pub": encode_base64(self.public.spki),
            "key": encode_base64(self.sealed_key),
            "slots": [slot.to_object() for slot in self.slots],
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")

    @property
    def fingerprint(self) -> bytes:
        return self.public.fingerprint_bytes

    def slot(self, kind: SlotKind) -> Slot:
        """Return the slot of a kind; raises WrongKey if this copy has none."""
        for slot in self.slots:
            if slot.kind is kind:
                return slot
        what = {"pass": "a passphrase", "kit": "the recovery kit", "device": "this computer's keychain"}[kind.value]
        raise WrongKey(f"This copy of the key file does not open with {what}. Use another copy or another way.")

    def with_slot(self, new: Slot) -> _KeyFile:
        """Return a copy in which the slot of that kind is this one."""
        others = [slot for slot in self.slots if slot.kind is not new.kind]
        return replace(self, slots=tuple(sorted([*others, new], key=lambda slot: slot.kind)))

    def private_key(self, main_key: bytes) -> PrivateKey:
        """Decrypt the private key; raises KeyFileDamaged."""
        try:
            nonce, sealed = self.sealed_key[:NONCE_BYTES], self.sealed_key[NONCE_BYTES:]
            der = AESGCM(main_key).decrypt(nonce, sealed, _key_aad(self.fingerprint))
            key = PrivateKey.from_pkcs8(der, authenticated=True)
        except (InvalidTag, ValueError, KeyRefused):
            raise KeyFileDamaged from None
        if key.fingerprint != self.public.fingerprint:
            raise KeyFileDamaged(details="private and public key differ")
        return key


def _key_aad(fingerprint: bytes) -> bytes:
    return b"glassine/1 keyfile\0" + fingerprint


def create(key: PrivateKey, passphrase: str, *, _cost: Cost = WRITE_COST) -> bytes:
    """Return a new key file that opens with a passphrase.

    Args:
        key: The private key.
        passphrase: Any non-empty text; its Unicode form does not matter.
        _cost: Argon2id parameters, for tests.

    Raises:
        KeyRefused: The passphrase is empty or cannot be used.
    """
    main_key, nonce = os.urandom(SECRET_BYTES), os.urandom(NONCE_BYTES)
    fingerprint = key.public.fingerprint_bytes
    slot = Slot.with_passphrase(main_key, fingerprint, passphrase, _cost)
    sealed = nonce + AESGCM(main_key).encrypt(nonce, key.to_pkcs8(), _key_aad(fingerprint))
    return _KeyFile(key.public, sealed, (slot,)).encode()


def looks_like_key_file(untrusted: bytes) -> bool:
    """Whether these bytes claim to be a key file; says nothing about whether they are one."""
    return untrusted.lstrip().startswith(b"{")


def read_public(untrusted: bytes) -> PublicKey:
    """Return the public key a key file claims; only opening the file proves it.

    Raises:
        KeyFileDamaged, TooLarge: It is not a key file.
    """
    return _KeyFile.parse(untrusted).public


def slot_kinds(untrusted: bytes) -> tuple[SlotKind, ...]:
    """Return what opens this copy of the key file; raises KeyFileDamaged or TooLarge."""
    return tuple(slot.kind for slot in _KeyFile.parse(untrusted).slots)


def open_with_passphrase(untrusted: bytes, passphrase: str) -> PrivateKey:
    """Open a key file with its passphrase.

    Raises:
        WrongKey: The passphrase is not right, or this copy opens in other ways only.
        KeyFileDamaged: It is not what was written.
        TooLarge: It would take more memory or time than is allowed.
    """
    parsed = _KeyFile.parse(untrusted)
    return parsed.private_key(parsed.slot(SlotKind.PASS).open_with_passphrase(parsed.fingerprint, passphrase))


def open_with_root(untrusted: bytes, kind: SlotKind, root: bytes) -> PrivateKey:
    """Open a key file with the 32 bytes of a recovery kit or of this device; raises as ``open_with_passphrase``."""
    parsed = _KeyFile.parse(untrusted)
    return parsed.private_key(parsed.slot(kind).open_with_root(parsed.fingerprint, root))


def change_passphrase(untrusted: bytes, old: str, new: str, *, _cost: Cost = WRITE_COST) -> bytes:
    """Return the key file with another passphrase; its other slots stay as they are.

    Old copies keep the old passphrase. Raises as ``open_with_passphrase``, and KeyRefused for an unusable new one.
    """
    parsed, main_key = _main_key(untrusted, old)
    return parsed.with_slot(Slot.with_passphrase(main_key, parsed.fingerprint, new, _cost)).encode()


def add_root_slot(untrusted: bytes, passphrase: str, kind: SlotKind, root: bytes) -> bytes:
    """Return the key file with a kit or device slot, in place of the one it may have; raises as opening."""
    parsed, main_key = _main_key(untrusted, passphrase)
    return parsed.with_slot(Slot.with_root(main_key, parsed.fingerprint, kind, root)).encode()


def set_passphrase(untrusted: bytes, kind: SlotKind, root: bytes, new: str, *, _cost: Cost = WRITE_COST) -> bytes:
    """Return the key file with a new passphrase, opened by the recovery kit or this device instead of the old one.

    Its other slots stay. Raises as ``open_with_root``, and KeyRefused for an unusable passphrase.
    """
    parsed = _KeyFile.parse(untrusted)
    main_key = parsed.slot(kind).open_with_root(parsed.fingerprint, root)
    parsed.private_key(main_key)
    return parsed.with_slot(Slot.with_passphrase(main_key, parsed.fingerprint, new, _cost)).encode()


def without_slot(untrusted: bytes, kind: SlotKind) -> bytes:
    """Return the key file without one of its slots; raises ValueError if nothing would open it any more."""
    return with_slots_only(untrusted, set(slot_kinds(untrusted)) - {kind})


def slot_mark(untrusted: bytes, kind: SlotKind) -> str:
    """Return what tells one slot of a kind from any later one, 32 hex digits; empty without such a slot.

    Raises:
        KeyFileDamaged, TooLarge: It is not a key file.
    """
    found = (slot for slot in _KeyFile.parse(untrusted).slots if slot.kind is kind)
    return next((hashlib.sha256(slot.salt + slot.check).hexdigest()[:32] for slot in found), "")


def _main_key(untrusted: bytes, passphrase: str) -> tuple[_KeyFile, bytes]:
    parsed = _KeyFile.parse(untrusted)
    main_key = parsed.slot(SlotKind.PASS).open_with_passphrase(parsed.fingerprint, passphrase)
    # a slot is only ever added to a file that opens
    parsed.private_key(main_key)
    return parsed, main_key


def with_slots_only(untrusted: bytes, kinds: Collection[SlotKind]) -> bytes:
    """Return a copy with only some of its slots: for a server, only the recovery kit's.

    Raises:
        WrongKey: One of these slots is not in the file.
        ValueError: No slot would be left.
    """
    parsed = _KeyFile.parse(untrusted)
    kept = tuple(parsed.slot(kind) for kind in sorted(set(kinds)))
    if not kept:
        raise ValueError("a key file without slots opens never again")
    return replace(parsed, slots=kept).encode()


def read_key_file(path: Path) -> bytes:
    """Read a key file of at most ``MAX_KEY_FILE`` bytes (one more shows that it is longer).

    Raises:
        KeyFileUnreadable: It cannot be read; no passphrase was tried.
    """
    try:
        return read_bounded(path, MAX_KEY_FILE)
    except FileUnreadable as error:
        raise KeyFileUnreadable(f"{error.message} The passphrase was not tried.") from None


def write_key_file(path: Path, data: bytes, passphrase: str, *, replace: bool = False) -> None:
    """Write a key file so that it certainly opens: written, synced, read back and decrypted before it gets its name.

    Args:
        path: The file; its folder must be there.
        data: What ``create`` or ``change_passphrase`` returned.
        passphrase: The passphrase it must open with.
        replace: Whether an existing file is replaced, at once and only after the new one has proved itself.

    Raises:
        NameTaken: The file is there already.
        StorageFull, StorageReadOnly, FileUnreadable: It cannot be written; nothing is left behind.
        WrongKey, KeyFileDamaged: It could not be read back; nothing was changed.
    """

    def prove(written: Path) -> None:
        if open_with_passphrase(read_key_file(written), passphrase).fingerprint != read_public(data).fingerprint:
            raise KeyFileDamaged("The key file could not be read back as it was written. Nothing was changed.")

    with new_file(path, replace=replace, before_release=prove) as file:
        file.write(data)
