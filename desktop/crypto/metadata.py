"""Metadata of a picture and the rule for file names (FORMAT.md section 7).

Must not import PySide6, the network or anything of the project but ``desktop.errors`` and ``desktop.crypto``.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Final

from desktop.crypto import canonical
from desktop.crypto.sizes import MAX_PAYLOAD
from desktop.errors import Damaged, TooLarge

BLOCK: Final = 256
MAX_META: Final = 4096
MAX_NAME: Final = 255
MAX_TYPE: Final = 100
MAX_PIXELS: Final = (1 << 31) - 1
FALLBACK_NAME: Final = "picture"

_MEMBERS = frozenset({"name", "type", "size", "b3", "w", "h", "taken"})
_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*", re.ASCII)
_TAKEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}", re.ASCII)
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?:\..*)?", re.IGNORECASE | re.DOTALL)
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"
"""Persian and Indian scripts are not spelt right without them, and composed emoji fall apart."""


@dataclass(frozen=True)
class Metadata:
    """What only people who can open a picture know about it.

    Attributes:
        name: File name, safe by :func:`safe_name`.
        type: Media type.
        size: Length of the original in bytes.
        b3: BLAKE3 of the original, 64 hex digits.
        w: Width after orientation, 0 if unknown.
        h: Height after orientation, 0 if unknown.
        taken: ``YYYY-MM-DDTHH:MM:SS`` or empty.
    """

    name: str
    type: str
    size: int
    b3: str
    w: int
    h: int
    taken: str

    def encode(self) -> bytes:
        """Return the padded canonical encoding.

        Raises:
            ValueError: A field breaks the format; a mistake of the caller.
            TooLarge: It does not fit.
        """
        try:
            _check(asdict(self))
        except Damaged as error:
            raise ValueError(f"metadata: {error.details}") from None
        if self.name != safe_name(self.name):
            raise ValueError("metadata: the name is not a safe one")
        text = canonical.encode(asdict(self))
        padded = text.ljust(-(-len(text) // BLOCK) * BLOCK)
        if len(padded) > MAX_META:
            raise TooLarge("The file name is too long.")
        return padded

    @classmethod
    def parse(cls, untrusted: bytes) -> Metadata:
        """Read decrypted metadata; the name is made safe. Raises Damaged."""
        text = untrusted.rstrip(b" ")
        if not 0 < len(untrusted) <= MAX_META or len(untrusted) != -(-len(text) // BLOCK) * BLOCK:
            raise Damaged(details="metadata padding")
        fields = canonical.parse(text, limit=MAX_META, free_strings=True)
        _check(fields)
        metadata = cls(**fields)
        return replace(metadata, name=safe_name(metadata.name))


def _check(fields: canonical.Object) -> None:
    canonical.require_members(fields, _MEMBERS)
    canonical.get_text(fields, "name")
    canonical.get_hex(fields, "b3", 32)
    canonical.get_integer(fields, "size", 0, MAX_PAYLOAD)
    canonical.get_integer(fields, "w", 0, MAX_PIXELS)
    canonical.get_integer(fields, "h", 0, MAX_PIXELS)
    media_type = canonical.get_text(fields, "type")
    taken = canonical.get_text(fields, "taken")
    if len(media_type) > MAX_TYPE or not _TYPE.fullmatch(media_type) or not (taken == "" or _is_time(taken)):
        raise Damaged(details="metadata field")


def _is_time(text: str) -> bool:
    # the pattern fixes the form, the library knows that there is no 30th of February
    try:
        return _TAKEN.fullmatch(text) is not None and datetime.fromisoformat(text) is not None
    except ValueError:
        return False


def safe_name(untrusted_name: str) -> str:
    """Return the name as it may be used for a file on any system: never empty, never a path, at most 255 bytes.

    Applying it twice changes nothing more.
    """
    visible = "".join(c for c in untrusted_name if c in _JOINERS or unicodedata.category(c) not in _HIDDEN_CATEGORIES)
    name = _trim(re.sub(r'[:*?"<>|]', "_", re.split(r"[/\\]", visible)[-1]))
    if _DEVICE.fullmatch(name):
        name = "_" + name
    return _trim(_shorten(name)) or FALLBACK_NAME


def _trim(name: str) -> str:
    # Windows drops full stops and spaces at the end, so two names would become one
    return re.sub(rf"^[\s{_JOINERS}]+|[\s.{_JOINERS}]+$", "", name)


def _shorten(name: str) -> str:
    if len(name.encode("utf-8")) <= MAX_NAME:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension.encode("utf-8")) > 16:
        stem, dot, extension = name, "", ""
    room = MAX_NAME - len((dot + extension).encode("utf-8"))
    return stem.encode("utf-8")[:room].decode("utf-8", "ignore").rstrip(". " + _JOINERS) + dot + extension
