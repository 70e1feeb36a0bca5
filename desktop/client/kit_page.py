"""What the page of a recovery kit says, as data; drawing and printing it is somebody else's work.

The fingerprint is printed in digits: words of a fingerprint and words of a kit are never on one page. Must not import
PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

TITLE = "Glassine recovery kit"
_SERVER = (
    "These 24 words and a copy of your key file open every picture of this account. Keep this page where you keep "
    "your passport. Show it to nobody, photograph it never, type it into nothing but Glassine.",
    "To recover: install Glassine, sign in at the address above, choose “Use the recovery kit” and type the words in "
    "their order. If the server has no copy of your key file, use the second copy of it.",
)
_THIS_COMPUTER = (
    "These 24 words and a copy of your key file open every picture of this vault. Keep this page where you keep your "
    "passport. Show it to nobody, photograph it never, type it into nothing but Glassine.",
    "To recover: install Glassine, choose “This computer” and the vault's folder or its backup, then “Use the recovery "
    "kit”, and type the words in their order. If the key file is gone from the folder, use the second copy of it.",
)
_ALWAYS = (
    "Glassine then shows the digits above. If it shows others, stop: the key file is not yours.",
    "A new kit makes this one useless. Without any copy of the key file, or without this page, nobody can help.",
)


@dataclass(frozen=True, slots=True)
class KitPage:
    """The content of the page, in the order it is printed.

    Attributes:
        title: Heading.
        key_name: What the person calls the key.
        words: The 24 words, each with its number from 1.
        groups: The fingerprint in sixteen groups of five digits.
        fingerprint: The same as 64 hexadecimal digits, to be checked on recovery.
        created: The day the kit was made.
        address: Of the server, or empty for a vault on this computer.
        user_name: Account name, or empty.
        instructions: Paragraphs.
    """

    title: str
    key_name: str
    words: tuple[tuple[int, str], ...]
    groups: tuple[str, ...]
    fingerprint: str
    created: date
    address: str
    user_name: str
    instructions: tuple[str, ...]


def kit_page(
    words: Sequence[str], fingerprint: str, *, key_name: str, created: date, address: str = "", user_name: str = ""
) -> KitPage:
    """Return the page of a kit.

    Args:
        words: From ``desktop.crypto.kit.words_of``.
        fingerprint: Of the key that the kit opens, 64 hexadecimal digits.
        key_name: What the person calls the key.
        created: Today.
        address: Of the server, or empty.
        user_name: Account name, or empty.
    """
    from desktop.crypto.words import fingerprint_groups

    return KitPage(
        title=TITLE,
        key_name=key_name,
        words=tuple(enumerate(words, 1)),
        groups=fingerprint_groups(fingerprint),
        fingerprint=fingerprint,
        created=created,
        address=address,
        user_name=user_name,
        instructions=(*(_SERVER if address else _THIS_COMPUTER), *_ALWAYS),
    )
