"""The slots of a key file: each opens the file's main key with another secret (FORMAT.md section 12).

Must not import PySide6, the network or anything of the project but its crypto and ``desktop.errors``.
"""

from __future__ import annotations

import os
import threading
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import constant_time
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from desktop.crypto.canonical import MAX_INTEGER, encode_base64, get_base64, get_integer, get_text
from desktop.crypto.keys import hk
from desktop.errors import Damaged, KeyFileDamaged, KeyRefused, TooLarge, WrongKey

SECRET_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
SALT_BYTES: Final = 32
MAX_PASSPHRASE: Final = 4096
"""Characters; more is a mistake, such as a file given as a passphrase."""


class SlotKind(StrEnum):
    """What opens a slot, in the order slots are stored."""

    DEVICE = "device"  # a random secret in this computer's keychain
    KIT = "kit"  # the recovery kit's secret
    PASS = "pass"  # the passphrase  # noqa: S105


@dataclass(frozen=True, slots=True)
class Cost:
    """Argon2id parameters: memory in KiB, passes, lanes."""

    m: int
    t: int
    p: int


WRITE_COST: Final = Cost(65536, 3, 4)
LEAST_COST: Final = Cost(19456, 2, 1)
GREATEST_COST: Final = Cost(1048576, 10, 8)
NO_COST: Final = Cost(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot; ``wrap`` is the main key encrypted under what its secret derives."""

    kind: SlotKind
    cost: Cost
    salt: bytes
    check: bytes
    wrap: bytes

    @classmethod
    def from_object(cls, untrusted: Any) -> Slot:
        """Check a parsed slot; that it has no further members is seen when it is encoded again.

        Raises:
            Damaged: It is malformed, or its parameters are below what is safe.
            TooLarge: Its parameters would take more memory or time than is allowed.
        """
        if type(untrusted) is not dict:
            raise Damaged(details="slot is no object")
        try:
            kind = SlotKind(get_text(untrusted, "kind"))
        except ValueError:
            raise Damaged(details="unknown kind of slot") from None
        cost = Cost(*(get_integer(untrusted, name, 0, MAX_INTEGER) for name in ("m", "t", "p")))
        _check_cost(kind, cost)
        wrap_bytes = NONCE_BYTES + SECRET_BYTES + TAG_BYTES
        return cls(
            kind,
            cost,
            get_base64(untrusted, "salt", low=SALT_BYTES, high=SALT_BYTES),
            get_base64(untrusted, "check", low=SECRET_BYTES, high=SECRET_BYTES),
            get_base64(untrusted, "wrap", low=wrap_bytes, high=wrap_bytes),
        )

    def to_object(self) -> dict[str, Any]:
        """Return the members as the key file stores them."""
        return {
            "kind": self.kind.value,
            "m": self.cost.m,
            "t": self.cost.t,
            "p": self.cost.p,
            "salt": encode_base64(self.salt),
            "check": encode_base64(self.check),
            "wrap": encode_base64(self.wrap),
        }

    @classmethod
    def with_passphrase(cls, main_key: bytes, fingerprint: bytes, passphrase: str, cost: Cost = WRITE_COST) -> Slot:
        """Make the passphrase slot; raises KeyRefused for an empty or impossible passphrase."""
        if not passphrase:
            raise KeyRefused("A key file needs a passphrase.")
        try:
            secret = _passphrase_bytes(passphrase)
        except WrongKey:
            raise KeyRefused("This passphrase cannot be used: it is too long or not proper text.") from None
        salt = os.urandom(SALT_BYTES)
        root = _stretch(secret, salt, cost)
        return cls._make(SlotKind.PASS, cost, salt, root, main_key=main_key, fingerprint=fingerprint)

    @classmethod
    def with_root(cls, main_key: bytes, fingerprint: bytes, kind: SlotKind, root: bytes) -> Slot:
        """Make a kit or device slot from its 32 random bytes."""
        if kind is SlotKind.PASS or len(root) != SECRET_BYTES:
            raise ValueError("a kit or device slot takes 32 random bytes")
        salt = os.urandom(SALT_BYTES)
        return cls._make(kind, NO_COST, salt, root, main_key=main_key, fingerprint=fingerprint)

    @classmethod
    def _make(
        cls, kind: SlotKind, cost: Cost, salt: bytes, root: bytes, *, main_key: bytes, fingerprint: bytes
    ) -> Slot:
        info = _info(kind, fingerprint, cost, salt)
        derived = hk(root, salt, info, 2 * SECRET_BYTES)
        nonce = os.urandom(NONCE_BYTES)
        wrap = nonce + AESGCM(derived[:SECRET_BYTES]).encrypt(nonce, main_key, info)
        return cls(kind, cost, salt, derived[SECRET_BYTES:], wrap)

    def open_with_passphrase(self, fingerprint: bytes, passphrase: str) -> bytes:
        """Return the main key; raises WrongKey or KeyFileDamaged."""
        return self._open(fingerprint, _stretch(_passphrase_bytes(passphrase), self.salt, self.cost))

    def open_with_root(self, fingerprint: bytes, root: bytes) -> bytes:
        """Return the main key; raises WrongKey or KeyFileDamaged."""
        return self._open(fingerprint, root)

    def _open(self, fingerprint: bytes, root: bytes) -> bytes:
        info = _info(self.kind, fingerprint, self.cost, self.salt)
        derived = hk(root, self.salt, info, 2 * SECRET_BYTES)
        # first, in constant time: only a right secret goes on to the cipher, whose failure then means damage
        if not constant_time.bytes_eq(derived[SECRET_BYTES:], self.check):
            raise WrongKey
        try:
            nonce, sealed = self.wrap[:NONCE_BYTES], self.wrap[NONCE_BYTES:]
            return AESGCM(derived[:SECRET_BYTES]).decrypt(nonce, sealed, info)
        except InvalidTag:
            raise KeyFileDamaged from None


def _check_cost(kind: SlotKind, cost: Cost) -> None:
    if kind is not SlotKind.PASS:
        if cost != NO_COST:
            raise Damaged(details="only a passphrase slot has a cost")
        return
    low, high = LEAST_COST, GREATEST_COST
    if cost.m > high.m or cost.t > high.t or cost.p > high.p:
        raise TooLarge("This key file asks for more memory or time than Glassine allows. It was not tried.")
    if cost.m < low.m or cost.t < low.t or cost.p < low.p:
        raise Damaged(details="cost below what is safe")


def _info(kind: SlotKind, fingerprint: bytes, cost: Cost, salt: bytes) -> bytes:
    numbers = cost.m.to_bytes(4) + cost.t.to_bytes(4) + cost.p.to_bytes(4)
    return b"glassine/1 slot " + kind.value.encode("ascii") + b"\0" + fingerprint + numbers + salt


def _passphrase_bytes(passphrase: str) -> bytes:
    """Normalise: the same letters typed on another system are the same passphrase."""
    if len(passphrase) > MAX_PASSPHRASE:
        raise WrongKey
    try:
        return unicodedata.normalize("NFC", passphrase).encode("utf-8")
    except UnicodeEncodeError:
        raise WrongKey from None


_one_at_a_time: Final = threading.Lock()
"""OpenSSL allows the process as many lanes at once as there are processors. Two derivations side by side would take
them from each other: one fails as if memory were short, or both wait for ever."""


def _stretch(secret: bytes, salt: bytes, cost: Cost) -> bytes:
    argon2 = Argon2id(salt=salt, length=SECRET_BYTES, iterations=cost.t, lanes=cost.p, memory_cost=cost.m)
    try:
        with _one_at_a_time:
            return argon2.derive(secret)
    except MemoryError:
        raise TooLarge(
            "There is not enough memory to open this key file. Close other programs and try again."
        ) from None
