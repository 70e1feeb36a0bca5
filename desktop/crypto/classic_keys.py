"""Key pairs of the classic scheme: two small numbers in a text file.

The classic scheme protects nothing: its moduli are factored at once and every channel value goes through one fixed
table of 256 entries. It exists so that old pictures open and so that new ones open in the programs that made them.
Must not import PySide6, numpy or the network.
"""

from __future__ import annotations

import math
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from desktop.crypto.safe_write import all_or_nothing, new_file, read_bounded
from desktop.errors import KeyRefused, NameTaken

MIN_ENCRYPTION_N: Final = 256
"""Below it not every channel value has a remainder of its own."""
MAX_N: Final = 1 << 31
NEW_KEY_MIN_N: Final = 1 << 16
NEW_KEY_PRIMES: Final = range(257, 504)
"""Primes of new keys: n stays between 2^16 and 256,000, so that every quotient has at most three digits."""
MANY_UNCHANGED: Final = 16
"""More unchanged values than this out of 256 leave shapes visible; people are warned."""
NEW_KEY_UNCHANGED: Final = 4
MAX_KEY_FILE: Final = 256
"""Bytes; two numbers below 2^31 take 21."""
PRIVATE_NAME: Final = "rsa"
PUBLIC_NAME: Final = "rsa_pub"
_MAX_COUNTER: Final = 1000

_TWO_NUMBERS: Final = re.compile(r"([0-9]{1,20})[ \t]+([0-9]{1,20})\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class ClassicPublicKey:
    """The public half, as the account's public key and ``rsa_pub.txt`` carry it: ``n e``."""

    n: int
    e: int

    @classmethod
    def from_text(cls, untrusted_text: str) -> ClassicPublicKey:
        """Read ``n e``; raises KeyRefused, also when it is a private key's ``d n``."""
        n, e = _two_numbers(untrusted_text)
        if e >= n:
            raise KeyRefused(
                "This is not a classic public key (n e), the first number must be the larger one. "
                "Encrypting needs rsa_pub.txt, decrypting needs rsa.txt."
            )
        _check_range(n, e)
        return cls(n, e)

    def to_text(self) -> str:
        """Return ``n e`` without a line end, as the original writes it."""
        return f"{self.n} {self.e}"

    def ciphertexts(self) -> list[int]:
        """Return ``m^e mod n`` for the 256 channel values, in order."""
        return [pow(m, self.e, self.n) for m in range(256)]

    def check_for_encryption(self) -> list[str]:
        """Make sure that every picture can be restored; return warnings about what stays visible.

        Raises:
            KeyRefused: n below 256 or above 2^31, or two channel values that become one.
        """
        if self.n < MIN_ENCRYPTION_N:
            raise KeyRefused(f"The key's n is {self.n}; below {MIN_ENCRYPTION_N} a picture cannot be restored.")
        if self.n > MAX_N:
            raise KeyRefused("The key's n is above 2^31, which the classic scheme does not use.")
        ciphertexts = self.ciphertexts()
        if len(set(ciphertexts)) < len(ciphertexts):
            raise KeyRefused("With this key different colours become one: no picture could be restored. Use another.")
        unchanged = sum(c == m for m, c in enumerate(ciphertexts))
        if unchanged > MANY_UNCHANGED:
            return [f"This key leaves {unchanged} of 256 colour values unchanged: parts of the picture stay visible."]
        return []


@dataclass(frozen=True, slots=True)
class ClassicPrivateKey:
    """The private half, as ``rsa.txt`` carries it: ``d n``, in that order."""

    d: int = field(repr=False)
    n: int

    @classmethod
    def from_text(cls, untrusted_text: str) -> ClassicPrivateKey:
        """Read ``d n``; raises KeyRefused, also when it is a public key's ``n e``."""
        d, n = _two_numbers(untrusted_text)
        if d >= n:
            raise KeyRefused(
                "This is not a classic private key (d n), the second number must be the larger one. "
                "Decrypting needs rsa.txt, encrypting needs rsa_pub.txt."
            )
        _check_range(n, d)
        return cls(d, n)

    def to_text(self) -> str:
        """Return ``d n`` without a line end, as the original writes it."""
        return f"{self.d} {self.n}"


def _two_numbers(untrusted_text: str) -> tuple[int, int]:
    match = _TWO_NUMBERS.fullmatch(untrusted_text) if len(untrusted_text) <= MAX_KEY_FILE else None
    if match is None:
        raise KeyRefused("This is not a classic key: two decimal numbers with a space between them.")
    return int(match[1]), int(match[2])


def _check_range(n: int, exponent: int) -> None:
    if n > MAX_N:
        raise KeyRefused("The key's n is above 2^31, which the classic scheme does not use.")
    if n < 2 or exponent < 1:
        raise KeyRefused("A classic key's numbers must be positive.")


def read_public_key(path: Path) -> ClassicPublicKey:
    """Read a public key file; raises FileUnreadable or KeyRefused."""
    return ClassicPublicKey.from_text(_read_text(path))


def read_private_key(path: Path) -> ClassicPrivateKey:
    """Read a private key file; raises FileUnreadable or KeyRefused."""
    return ClassicPrivateKey.from_text(_read_text(path))


def _read_text(path: Path) -> str:
    try:
        return read_bounded(path, MAX_KEY_FILE).decode("ascii")
    except UnicodeDecodeError:
        raise KeyRefused(f"{path.name} is not a classic key: two decimal numbers with a space between them.") from None


def generate() -> tuple[ClassicPublicKey, ClassicPrivateKey]:
    """Make a key pair that restores every picture and leaves few values unchanged (ADR 20)."""
    primes = [p for p in NEW_KEY_PRIMES if all(p % divisor for divisor in range(2, math.isqrt(p) + 1))]
    while True:
        p, q = secrets.choice(primes), secrets.choice(primes)
        n, phi = p * q, (p - 1) * (q - 1)
        e = 3 + secrets.randbelow(phi - 3)
        if p == q or n < NEW_KEY_MIN_N or math.gcd(e, phi) != 1:
            continue
        public = ClassicPublicKey(n, e)
        if sum(c == m for m, c in enumerate(public.ciphertexts())) <= NEW_KEY_UNCHANGED:
            return public, ClassicPrivateKey(pow(e, -1, phi), n)


def save_key_pair(
    folder: Path, public: ClassicPublicKey, private: ClassicPrivateKey, now: datetime | None = None
) -> tuple[Path, Path]:
    """Write a key pair and return the paths of the private and the public file.

    The names are ``rsa.txt`` and ``rsa_pub.txt``. If either is there, both get the local time
    (``rsa_20220112162809.txt``), and if that is there too, a counter. Nothing is ever overwritten.

    Raises:
        StorageFull, StorageReadOnly, FileUnreadable: They cannot be written; neither is left behind.
    """
    # the original stamps names with local time; nothing is decided by it
    stamp = (now or datetime.now()).strftime("%Y%m%d%H%M%S")  # noqa: DTZ005
    suffixes = ["", f"_{stamp}", *(f"_{stamp}_{counter}" for counter in range(1, _MAX_COUNTER))]
    for suffix in suffixes:
        private_path = folder / f"{PRIVATE_NAME}{suffix}.txt"
        public_path = folder / f"{PUBLIC_NAME}{suffix}.txt"
        if private_path.exists() or public_path.exists():
            continue
        try:
            # if the second cannot be written, the first goes again: a half pair must not stay
            with all_or_nothing() as written:
                for path, key in ((private_path, private), (public_path, public)):
                    with new_file(path) as file:
                        file.write(key.to_text().encode("ascii"))
                    written.append(path)
        except NameTaken:
            continue
        return private_path, public_path
    raise NameTaken(f"{folder} is full of classic keys of this second. Try again.")
