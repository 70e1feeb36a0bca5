"""A large answer that survives broken connections: it goes on where it was cut off, or says that it is another one now.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, cast

from desktop import errors
from desktop.client import answers

if TYPE_CHECKING:
    from desktop.client.transport import Answer

MAX_BREAKS = 5
"""So often in a row a connection may break before a mebibyte more has arrived."""
_PROGRESS = 1 << 20
_SKIPPED_AT_ONCE = 1 << 16
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,15})-[0-9]{1,15}/[0-9]{1,15}", re.ASCII)

Ask: TypeAlias = "Callable[[dict[str, str]], AbstractContextManager[Answer]]"
"""Sends the request with these headers more, again and again until an answer's head is there."""


@contextmanager
def download(ask: Ask, media_type: str, *, embedded: bool) -> Iterator[BinaryIO]:
    """Open a large answer; within the ``with`` block it can be read once from start to end.

    Args:
        ask: See :data:`Ask`.
        media_type: What it must be.
        embedded: Nothing can break on the way from a backend in this process, so nothing is asked for twice.

    Raises:
        MovedOn: From the reads: something else is stored there meanwhile.
        ServerSilent: From the reads: it broke off, and the server does not answer any more.
    """
    body = _Body(ask, media_type, embedded=embedded)
    try:
        yield cast(BinaryIO, body)
    finally:
        body.close()


class _Body(io.RawIOBase):
    """The body of an answer, over as many connections as it takes."""

    def __init__(self, ask: Ask, media_type: str, *, embedded: bool) -> None:
        super().__init__()
        self._ask, self._media_type = ask, media_type
        self._sent = ExitStack()
        self._at = 0
        self._breaks, self._good_from = 0, 0
        answer = self._send({})
        self._tag = "" if embedded else answer.header("ETag")
        self._stream = answer.stream()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while True:
            try:
                data = self._stream.read(size)
            except errors.ServerSilent as broken:
                self._go_on(broken)
                continue
            self._at += len(data)
            return data

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._sent.close()

    def _send(self, headers: dict[str, str]) -> Answer:
        answer = self._sent.enter_context(self._ask(headers))
        try:
            answers.check(answer, 200, *([206, 416] if headers else []))
            if answer.status != 416 and answer.media_type != self._media_type:
                raise answers.strange(f"content type {answer.media_type!r}")
        except BaseException:
            self._sent.close()
            raise
        return answer

    def _go_on(self, broken: errors.ServerSilent) -> None:
        """Ask for the rest, unless that is no use."""
        if self._at - self._good_from >= _PROGRESS:
            self._breaks, self._good_from = 0, self._at
        self._breaks += 1
        strong = self._tag.startswith('"') and len(self._tag) > 2
        if not strong or self._breaks > MAX_BREAKS:
            raise broken
        self._sent.close()
        answer = self._send({"Range": f"bytes={self._at}-", "If-Range": self._tag})
        if answer.status == 416 or answer.header("ETag") != self._tag:
            raise errors.MovedOn("Another version was stored while this one was fetched. Try again.")
        self._stream = answer.stream()
        if answer.status == 206:
            found = _CONTENT_RANGE.fullmatch(answer.header("Content-Range"))
            if found is None or int(found[1]) != self._at:
                raise answers.strange("another range than the one asked for")
            return
        skipped = 0  # a server, or a proxy, that knows no ranges
        while skipped < self._at:
            data = self._stream.read(min(_SKIPPED_AT_ONCE, self._at - skipped))
            if not data:
                raise answers.strange("the same version is shorter than before")
            skipped += len(data)
