"""The log: a file of bounded size that only this person can read. Keys, passphrases, tokens and pictures never go in.

Hand-made rotation, because ``logging.handlers`` costs several milliseconds of the start. Must not import PySide6.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final, TextIO

MAX_BYTES: Final = 1_000_000
KEPT: Final = 3
"""Older files beside the present one: glassine.log.1 is the youngest."""

FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_UNPRINTABLE: Final = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
QUIET: Final = ("urllib3", "PIL", "werkzeug", "waitress", "mongita")


class OneLineFormatter(logging.Formatter):
    """Keeps every message on its line: what comes from files or servers must not look like other records."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Write control characters as escapes."""
        record.message = record.message.translate(_UNPRINTABLE)
        return super().formatMessage(record)


class PrivateLogFile(logging.FileHandler):
    """Appends to a file of mode 0600 and starts a new one when it grows too large."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", delay=True)
        self.path = path

    def _open(self) -> TextIO:  # type: ignore[override]
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a full disk loses log lines and nothing else."""
        try:
            if self.path.exists() and self.path.stat().st_size > MAX_BYTES:
                self._rotate()
        except OSError:
            return
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Never let logging break the program."""

    def _rotate(self) -> None:
        if self.stream is not None:
            self.stream.close()
            self.stream = None
        for number in range(KEPT - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))
        self.path.replace(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")


def start_log(folder: Path) -> logging.Handler | None:
    """Log to ``folder/glassine.log``; return the handler, or None where no file can be written."""
    try:
        for part in (folder.parent, folder):  # the mode counts only for the last part of a path
            part.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler = PrivateLogFile(folder / "glassine.log")
        descriptor = os.open(handler.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.close(descriptor)
    except OSError:
        return None
    handler.setFormatter(OneLineFormatter(FORMAT))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    return handler
