"""The recovery kit: 32 random bytes as 24 words, and the slot of the key file that they open (FORMAT.md section 12).

The words are those of BIP-39, English: 256 bits and a check of 8. Must not import PySide6, the network or anything of
the project but its crypto and ``desktop.errors``.
"""

from __future__ import annotations

import bisect
import difflib
import functools
import hmac
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from desktop.crypto.key_file import (
    SlotKind,
    add_root_slot,
    open_with_root,
    read_public,
    slot_kinds,
    with_slots_only,
)
from desktop.crypto.keys import SECRET_BYTES, PrivateKey
from desktop.errors import KitWordsWrong, WrongKey

if TYPE_CHECKING:
    from mnemonic import Mnemonic

WORDS: Final = 24
PREFIX: Final = 4
"""So many letters tell every word of the list from the others."""


class Typed(StrEnum):
    """What can be said of a word while it is typed."""

    EMPTY = "empty"
    PREFIX = "prefix"  # so far so good: words of the list begin so
    WORD = "word"
    UNKNOWN = "unknown"  # no word of the list begins so


@dataclass(frozen=True)
class WordVerdict:
    """What can be said of one typed word.

    Attributes:
        state: See :class:`Typed`.
        word: The word it is or must become, when there is only one; else empty.
        suggestions: Words that begin so, or the nearest ones to one that is not on the list; at most six.
    """

    state: Typed
    word: str = ""
    suggestions: tuple[str, ...] = ()


@functools.cache
def word_list() -> tuple[str, ...]:
    """Return the 2,048 words, sorted."""
    return tuple(_mnemonic().wordlist)


def new_root() -> bytes:
    """Return the 32 random bytes of a new kit."""
    return os.urandom(SECRET_BYTES)


def words_of(root: bytes) -> tuple[str, ...]:
    """Return the 24 words of a kit."""
    if len(root) != SECRET_BYTES:
        raise ValueError("a kit is 32 bytes")
    return tuple(_mnemonic().to_mnemonic(root).split(" "))


def judge_word(typed: str) -> WordVerdict:
    """Say what a typed word is; capitals and spaces around it do not matter."""
    text = _plain(typed)
    if not text:
        return WordVerdict(Typed.EMPTY)
    words = word_list()
    if text in _known():
        # "add" begins "addict" too: it is a word all the same
        return WordVerdict(Typed.WORD, text)
    longer = [word for word in words if word.startswith(text)]
    if longer:
        return WordVerdict(Typed.PREFIX, longer[0] if len(longer) == 1 else "", tuple(longer[:6]))
    near = difflib.get_close_matches(text[:16], words, n=3, cutoff=0.6)
    return WordVerdict(Typed.UNKNOWN, "", tuple(near))


def split_words(typed: str) -> tuple[str, ...]:
    """Return the words of pasted text, without the numbers a kit is printed with."""
    return tuple(word for word in _plain(typed).replace(".", " ").split() if not word.isdecimal())


def read_words(typed: Sequence[str]) -> bytes:
    """Return the 32 bytes of a kit from its words; four letters of a word are enough.

    Raises:
        KitWordsWrong: There are not 24, some are impossible (``positions`` names them), or they do not belong together.
    """
    if len(typed) > 2 * WORDS:
        raise KitWordsWrong(f"A kit has {WORDS} words. There are {len(typed)} here.")
    words = [_resolved(word) for word in typed]
    wrong = tuple(at for at, word in enumerate(words, 1) if not word)
    if wrong:
        first = typed[wrong[0] - 1].strip()[:20]
        near = judge_word(first).suggestions  # for one word only: looking for near ones takes milliseconds
        hint = f" Did you mean “{near[0]}”?" if near else ""
        raise KitWordsWrong(f"Word {wrong[0]}, “{first}”, is not a word of any kit.{hint}", positions=wrong)
    if len(words) != WORDS:
        raise KitWordsWrong(f"A kit has {WORDS} words. There are {len(words)} here.")
    try:
        return bytes(_mnemonic().to_entropy(words))
    except ValueError:
        raise KitWordsWrong from None


def compare_words(root: bytes, typed: Sequence[str]) -> tuple[bool, ...]:
    """Say of each typed word whether it is the kit's: for proving a kit that this program has just shown."""
    pairs = zip(words_of(root), list(typed)[:WORDS] + [""] * (WORDS - len(typed)), strict=True)
    return tuple(hmac.compare_digest(word.encode(), _resolved(text).encode()) for word, text in pairs)


def add_kit(untrusted_key_file: bytes, passphrase: str, root: bytes) -> bytes:
    """Return the key file with a slot that the kit opens, in place of an older kit's.

    Raises:
        WrongKey: The passphrase is not right.
        KeyFileDamaged, TooLarge: It is not a key file.
    """
    return add_root_slot(untrusted_key_file, passphrase, SlotKind.KIT, root)


def has_kit(untrusted_key_file: bytes) -> bool:
    """Whether a copy of the key file has a kit's slot; raises KeyFileDamaged or TooLarge."""
    return SlotKind.KIT in slot_kinds(untrusted_key_file)


def open_with_kit(untrusted_key_file: bytes, root: bytes, *, printed: str | None = None) -> PrivateKey:
    """Open a key file, wherever it came from, with a kit.

    Args:
        untrusted_key_file: Such as the server's copy.
        root: The kit's bytes.
        printed: The fingerprint printed on the kit, if the person gave it.

    Raises:
        WrongKey: It is not the key file of this kit, or not of the key the kit names.
        KeyFileDamaged, TooLarge: It is not what was written.
    """
    if printed is not None and read_public(untrusted_key_file).fingerprint != printed:
        raise WrongKey("This key file is not the one your recovery kit was made for. Use another copy of it.")
    return open_with_root(untrusted_key_file, SlotKind.KIT, root)


def server_copy(key_file: bytes) -> bytes:
    """Return the copy of a key file that a server may keep: it opens with the kit only.

    Raises:
        WrongKey: It has no kit's slot.
    """
    return with_slots_only(key_file, {SlotKind.KIT})


def _resolved(typed: str) -> str:
    """Return the word that typed text is or can only become, or an empty string."""
    text = _plain(typed)
    if text in _known():
        return text
    at = bisect.bisect_left(word_list(), text)
    longer = [word for word in word_list()[at : at + 2] if word.startswith(text)]
    return longer[0] if len(longer) == 1 else ""


@functools.cache
def _known() -> frozenset[str]:
    return frozenset(word_list())


@functools.cache
def _mnemonic() -> Mnemonic:
    from mnemonic import Mnemonic

    return Mnemonic("english")


def _plain(typed: str) -> str:
    return unicodedata.normalize("NFKC", typed[:4096]).strip().lower()
