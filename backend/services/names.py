"""Rules for names that people choose: pictures and accounts. Names are data, never paths. Must not import Flask.

A picture is stored as ``<stem>.png`` and addressed as ``<stem>``. The stem is kept as it was given, blanks included;
only what could never be addressed or would deceive the eye is refused (docs/adr/0041).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime

from backend.errors import Invalid

NAME_LIMIT = 255
"""Bytes of a name in UTF-8, extension included: what every file system takes."""

EXTENSION = ".png"
RESERVED_STEMS = frozenset({"download-all", "thumbnails"})
"""Stems that the API itself uses at the place of a picture's name."""

_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_JOINERS = frozenset("\u200c\u200d")  # Persian, Hindi and emoji are written with them
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def picture_stem(untrusted_filename: str) -> str:
    """Return the stem under which an uploaded file is stored.

    Raises:
        Invalid: The name has not the extension of a PNG, or cannot be used as a name.
    """
    last = re.split(r"[/\\]", untrusted_filename)[-1]
    if not last.lower().endswith(EXTENSION) or len(last) == len(EXTENSION):
        raise Invalid("PNG images only!")
    stem = last[: -len(EXTENSION)]
    if len(_utf8(last)) > NAME_LIMIT:
        raise Invalid("File name is too long")
    if stem in {".", ".."} or not stem.strip() or has_deceptive_characters(stem):
        raise Invalid("File name is not allowed")
    return stem


def published_name(untrusted_filename: str) -> str:
    """Return the name under which an operator's file is published: any last step of a path that can be an address.

    Raises:
        Invalid: The name cannot be used.
    """
    last = re.split(r"[/\\]", untrusted_filename)[-1]
    if len(_utf8(last)) > NAME_LIMIT:
        raise Invalid("File name is too long")
    if last in {".", ".."} or not last.strip() or has_deceptive_characters(last):
        raise Invalid("File name is not allowed")
    return last


def has_deceptive_characters(text: str) -> bool:
    """Whether a text has control, line separating, bidirectional, unassigned-for-ever or surrogate characters."""
    return any(
        character in _BIDI
        or unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
        or (ord(character) & 0xFFFE) == 0xFFFE
        for character in text
    )


def candidates(stem: str, now: datetime) -> Iterator[str]:
    """Yield stored names to try in turn: the name itself, then with the time, then with the time and a counter."""
    if stem not in RESERVED_STEMS:
        yield stem + EXTENSION
    stamp = now.strftime("_%Y%m%d%H%M%S")
    yield _fit(stem, stamp)
    counter = 2
    while True:
        yield _fit(stem, f"{stamp}_{counter}")
        counter += 1


def stored_name(stem: str) -> str:
    """The stored name of a picture addressed by its stem."""
    return stem + EXTENSION


def check_user_name(untrusted_name: str) -> str:
    """Return an account's name if it can be one.

    Raises:
        Invalid: Too long, or with characters that cannot be seen.
    """
    if len(_utf8(untrusted_name)) > NAME_LIMIT:
        raise Invalid("Username is too long")
    if has_deceptive_characters(untrusted_name) or any(map(_shows_nothing, untrusted_name)):
        raise Invalid("Username is not allowed")
    return untrusted_name


def _shows_nothing(character: str) -> bool:
    """Whether two names that differ in this character only look the same."""
    return character in _FILLERS or (unicodedata.category(character) == "Cf" and character not in _JOINERS)


def _fit(stem: str, suffix: str) -> str:
    room = NAME_LIMIT - len(suffix) - len(EXTENSION)
    return _utf8(stem)[:room].decode("utf-8", "ignore") + suffix + EXTENSION


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
