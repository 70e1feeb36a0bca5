"""A multipart/form-data body (RFC 7578) that is produced while it is sent: a picture is never whole in memory.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from desktop import errors
from desktop.models import IsCancelled, Report, never_cancelled, no_report

PIECE_BYTES = 1 << 16
"""Small enough that a slow line sends one within the socket's time limit, which counts for a whole piece."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the form.

    Attributes:
        field: Form field name; ASCII.
        content: The bytes themselves, or the file that holds them.
        file_name: Makes it a file part.
        media_type: Content type; empty for plain fields.
    """

    field: str
    content: bytes | Path
    file_name: str = ""
    media_type: str = ""


class Multipart:
    """The body: its length is known before, its bytes are read from disk while iterating."""

    def __init__(self, parts: list[Part], report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> None:
        """Take stock of the parts.

        Args:
            report: Called with the bytes handed over, the next piece included, and the bytes in all.
            cancelled: Asked before each piece; iterating then raises Cancelled.

        Raises:
            FileUnreadable: A file cannot be read.
        """
        self._boundary = secrets.token_hex(16)
        self._report = report
        self._cancelled = cancelled
        self._pieces: list[bytes | tuple[Path, int]] = []
        for part in parts:
            self._pieces.append(self._part_head(part))
            if isinstance(part.content, Path):
                try:
                    self._pieces.append((part.content, part.content.stat().st_size))
                except OSError as error:
                    raise errors.FileUnreadable(details=str(error)) from error
            else:
                self._pieces.append(part.content)
            self._pieces.append(b"\r\n")
        self._pieces.append(f"--{self._boundary}--\r\n".encode())
        self._length = sum(piece[1] if isinstance(piece, tuple) else len(piece) for piece in self._pieces)

    @property
    def content_type(self) -> str:
        """Value of the Content-Type header."""
        return f"multipart/form-data; boundary={self._boundary}"

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        for piece in self._pieces:
            for data in self._file(*piece) if isinstance(piece, tuple) else _slices(piece):
                if self._cancelled():
                    raise errors.Cancelled
                sent += len(data)
                self._report(sent, self._length)
                yield data

    def _part_head(self, part: Part) -> bytes:
        # RFC 7578 with the escapes of the HTML standard
        escaped = part.file_name.translate({0x0A: "%0A", 0x0D: "%0D", 0x22: "%22"})
        file_name = f'; filename="{escaped}"' if part.file_name else ""
        media_type = f"Content-Type: {part.media_type}\r\n" if part.media_type else ""
        disposition = f'Content-Disposition: form-data; name="{part.field}"{file_name}'
        return f"--{self._boundary}\r\n{disposition}\r\n{media_type}\r\n".encode()

    @staticmethod
    def _file(path: Path, size: int) -> Iterator[bytes]:
        left = size
        try:
            with path.open("rb") as file:
                while left:
                    data = file.read(min(PIECE_BYTES, left))
                    if not data:
                        raise errors.SourceChanged("A waiting file became shorter while it was sent.")
                    left -= len(data)
                    yield data
        except OSError as error:
            raise errors.FileUnreadable(details=str(error)) from error


def _slices(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), PIECE_BYTES):
        yield data[start : start + PIECE_BYTES]
