"""The log of the server: one line for each record."""

from __future__ import annotations

import logging
import sys
from typing import Final

FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_UNPRINTABLE: Final = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}


class OneLineFormatter(logging.Formatter):
    """Keeps every message on its line: addresses and names come from clients and must not look like other records."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Write control characters as escapes."""
        record.message = record.message.translate(_UNPRINTABLE)
        return super().formatMessage(record)


def start_log() -> None:
    """Log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLineFormatter(FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
