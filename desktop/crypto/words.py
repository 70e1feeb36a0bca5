"""Fingerprints as people compare them: words, groups of digits, the text of a QR code.

Never fewer than 128 bits, and never a word that a recovery kit can hold (resources/words/README.md). Must not import
PySide6, the network or anything of the project but ``desktop.errors``.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Final

from desktop.errors import Unsupported

WORDS: Final = 12
WORD_BITS: Final = 12
"""4,096 words; twelve of them show 144 bits of the fingerprint."""
GROUPS: Final = 16
GROUP_DIGITS: Final = 5
"""Eighty digits show the whole fingerprint."""
QR_PREFIX: Final = "glassine:"

_LIST: Final = Path(__file__).resolve().parents[2] / "resources" / "words" / "fingerprint.txt"
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


@functools.cache
def word_list() -> tuple[str, ...]:
    """Return the 4,096 words, in the order that counts."""
    words = tuple(_LIST.read_text(encoding="ascii").split())
    if len(words) != 1 << WORD_BITS:
        raise RuntimeError("the list of words is not complete")
    return words


def fingerprint_words(fingerprint: str) -> tuple[str, ...]:
    """Return the first 144 bits of a fingerprint as twelve words."""
    words = word_list()
    number = int(_checked(fingerprint), 16) >> (256 - WORDS * WORD_BITS)
    mask = (1 << WORD_BITS) - 1
    return tuple(words[number >> WORD_BITS * (WORDS - 1 - at) & mask] for at in range(WORDS))


def fingerprint_groups(fingerprint: str) -> tuple[str, ...]:
    """Return the whole fingerprint as sixteen groups of five decimal digits."""
    digits = f"{int(_checked(fingerprint), 16):0{GROUPS * GROUP_DIGITS}d}"
    return tuple(digits[at : at + GROUP_DIGITS] for at in range(0, len(digits), GROUP_DIGITS))


def qr_text(fingerprint: str) -> str:
    """Return what a QR code of a fingerprint holds: ``glassine:`` and 64 hexadecimal digits."""
    return QR_PREFIX + _checked(fingerprint)


def read_comparison(untrusted_text: str) -> str:
    """Return the fingerprint that a QR code, sixteen groups of digits or hexadecimal text hold.

    White space and, in digits and plain hexadecimal, the case do not matter. Words are for eyes and ears only: they
    hold too little to give the fingerprint back.

    Raises:
        Unsupported: It is none of these.
    """
    text = "".join(untrusted_text.split())[:256]
    if text.isascii() and text.isdigit() and len(text) == GROUPS * GROUP_DIGITS:
        number = int(text)
        if number >> 256 == 0:
            return f"{number:064x}"
    text = text.removeprefix(QR_PREFIX).lower() if text.startswith(QR_PREFIX) else text.lower()
    if not _FINGERPRINT.fullmatch(text):
        raise Unsupported("This is not the fingerprint of a key.")
    return text


def _checked(fingerprint: str) -> str:
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise ValueError("not a fingerprint")
    return fingerprint
