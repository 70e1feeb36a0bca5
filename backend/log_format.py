"""The log of the server: one line for each record, as text or as JSON.

What is logged never holds tokens, passwords, cookies, query strings, or the names of people and pictures: requests are
logged by the pattern of their address. Must not import Flask.
"""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final

FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_UNPRINTABLE: Final = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The request that is being worked on; empty outside of one."""


class OneLineFormatter(logging.Formatter):
    """Keeps every message on its line, and what follows it indented: addresses and names come from clients and must not
    look like other records."""

    def __init__(self) -> None:
        super().__init__(FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Write control characters as escapes, and the request's id behind the message."""
        record.message = record.message.translate(_UNPRINTABLE)
        current = request_id.get()
        return super().formatMessage(record) + (f" [{current}]" if current else "")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line or lines; those of an error are made anew, for another formatter may have left its own."""
        record.exc_text = None
        return super().format(record)

    def formatException(self, ei: Any) -> str:
        """Indent every line: what an error says may hold what a client sent, with line breaks in it."""
        return "\n".join("  " + line.translate(_UNPRINTABLE) for line in super().formatException(ei).split("\n"))


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON; ``record.fields``, where there are any, become members of it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id.get():
            line["request_id"] = request_id.get()
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class WithoutAddresses(logging.Filter):
    """Takes raw addresses out of what the WSGI servers log when an answer fails half-way."""

    _BEGINNINGS = ("Exception while serving ", "Client disconnected while serving ", "Error handling request ")

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the message; every record passes."""
        text = str(record.msg)
        for beginning in self._BEGINNINGS:
            if text.startswith(beginning):
                record.msg, record.args = f"{beginning}(address withheld)", None
        return True


def formatter(log_format: str) -> logging.Formatter:
    """The formatter of the setting ``log_format``."""
    return JsonFormatter() if log_format == "json" else OneLineFormatter()


def start_log(log_format: str = "text") -> None:
    """Log to standard error, unless logging is set up already."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(log_format))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    withhold = WithoutAddresses()
    for name in ("waitress", "gunicorn.error"):
        logger = logging.getLogger(name)
        if not any(isinstance(present, WithoutAddresses) for present in logger.filters):
            logger.addFilter(withhold)
