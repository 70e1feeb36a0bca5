"""Reads what mongoexport writes, one document at a time: a JSON array or one document after the other.

Extended JSON in both its forms and the one before: ``$oid``, ``$date`` (ISO text, number, ``$numberLong``), ``$binary``
(``{"base64", "subType"}`` or a text beside ``$type``), ``$numberInt``, ``$numberLong``, ``$numberDouble``. Memory is
bounded by the largest document. Must not import Flask or an engine.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NoReturn

DOCUMENT_LIMIT: Final = 96 << 20
"""Characters of one document: MongoDB keeps at most 16 MiB, of which JSON may make six times as much."""
_PIECE: Final = 1 << 20
_BLANK = " \t\r\n"
_DECODER = json.JSONDecoder()
_ISO = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_ID = re.compile(r"[0-9a-f]{24}", re.ASCII)


class DumpDamaged(Exception):
    """A file is not what mongoexport writes; the text says which and where."""


def documents(path: Path, progress: Callable[[int, int], None]) -> Iterator[dict[str, Any]]:
    """Yield the documents of one exported collection.

    Args:
        path: The file, UTF-8 with or without a byte order mark.
        progress: Told how many bytes of how many were read.

    Raises:
        DumpDamaged: It holds something else; what came before has been yielded.
        OSError: It cannot be read.
    """
    total = path.stat().st_size
    with path.open("rb") as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as file:
        source = _Source(path.name, file.read, lambda: progress(raw.tell(), total))
        yield from source.documents()


class _Source:
    def __init__(self, name: str, read: Callable[[int], str], told: Callable[[], None]) -> None:
        self._name = name
        self._read = read
        self._told = told
        self._text = ""
        self._at = 0
        self._ended = False
        self._count = 0

    def documents(self) -> Iterator[dict[str, Any]]:
        is_array = self._peek() == "["
        if is_array:
            self._at += 1
        while True:
            sign = self._peek()
            if sign == ",":
                if not is_array or not self._count:
                    self._refuse()
                self._at += 1
                sign = self._peek()
                if sign != "{":
                    self._refuse()
            elif sign == "{" and is_array and self._count:
                self._refuse()
            if sign == "{":
                yield self._document()
                self._count += 1
            elif is_array and sign == "]":
                self._at += 1
                if self._peek():
                    self._refuse()
                return
            elif not is_array and not sign:
                return
            else:
                self._refuse()

    def _document(self) -> dict[str, Any]:
        wanted = _PIECE
        while True:
            try:
                document: dict[str, Any]
                document, self._at = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if self._ended or len(self._text) - self._at > DOCUMENT_LIMIT or isinstance(error, RecursionError):
                    self._refuse()
                self._more(wanted)
                wanted *= 2  # a large document is not scanned from its beginning too often
            else:
                return document

    def _peek(self) -> str:
        """The next sign that is not blank, or nothing at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _BLANK:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._more(_PIECE)

    def _more(self, size: int) -> None:
        try:
            read = self._read(size)
        except UnicodeDecodeError:
            raise DumpDamaged(f"{self._name} is not UTF-8 text.") from None
        self._text = self._text[self._at :] + read
        self._at = 0
        self._ended = not read
        self._told()

    def _refuse(self) -> NoReturn:
        raise DumpDamaged(f"{self._name} is damaged or not written by mongoexport, after {self._count:,} documents.")


# -- extended JSON ----------------------------------------------------------------------------------------------------


def an_id(value: object) -> str | None:
    """24 hex digits, as ObjectId or as text; None for anything else."""
    if isinstance(value, dict):
        value = value.get("$oid")
    lowered = value.lower() if isinstance(value, str) else ""
    return lowered if _ID.fullmatch(lowered) else None


def a_number(value: object) -> int | None:
    """A whole number in any of its forms; None for anything else."""
    if isinstance(value, dict):
        value = next((value[key] for key in ("$numberInt", "$numberLong", "$numberDouble") if key in value), None)
    if isinstance(value, str) and len(value) <= 24:
        try:
            value = float(value) if "." in value or "e" in value.lower() else int(value)
        except ValueError:
            return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def a_date(value: object) -> datetime | None:
    """A time as naive UTC in whole milliseconds; None for anything else."""
    inner = value.get("$date") if isinstance(value, dict) and "$date" in value else value
    milliseconds = a_number(inner)
    if milliseconds is not None:
        try:
            return datetime(1970, 1, 1) + timedelta(milliseconds=milliseconds)  # noqa: DTZ001 -- naive UTC
        except OverflowError:
            return None
    found = _ISO.fullmatch(inner) if isinstance(inner, str) else None
    if found is None:
        return None
    try:
        time = datetime.fromisoformat(found[1] + (found[2] or ".0")[:4].ljust(4, "0") + (found[3] or "Z"))
        return time.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def some_bytes(value: object) -> bytes | None:
    """The bytes of a binary in either of its forms; None for anything else."""
    inner = value.get("$binary") if isinstance(value, dict) else None
    if isinstance(inner, dict):
        inner = inner.get("base64")
    if not isinstance(inner, str):
        return None
    try:
        return base64.b64decode(inner, validate=True)
    except (binascii.Error, ValueError):
        return None


def made_at(document_id: str) -> datetime:
    """When an ObjectId was made, as naive UTC."""
    return datetime(1970, 1, 1) + timedelta(seconds=int(document_id[:8], 16))  # noqa: DTZ001 -- naive UTC
