"""HTTP connections on which no server holds a thread for long: answers must arrive at a pace, and be mostly answer.

A socket's time limit counts anew for every byte, so a server that drips a header, a chunk's head or a body would never
meet it; and one that sends "100 Continue" or trailers without end would be read for ever. The checks sit below
``http.client``, where every byte passes. Imports ``urllib3`` and ``requests``, so it is itself imported only when a
server is asked. Must not import PySide6 or ``backend``.
"""

from __future__ import annotations

import io
import time
from http.client import HTTPResponse, LineTooLong
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from socket import socket

HEAD_DEADLINE_S = 120.0
"""The head of an answer must be there by then, or after twice the socket's own time limit if that is sooner."""
MAX_HEAD_BYTES = 1 << 20
SLOW_S = 60.0
SLOW_BYTES = 16 << 10
"""While a body is read, fewer bytes than these in so many seconds of waiting are too few."""
FRAMING_BYTES = 4 << 20
"""What a body may take on the wire beyond twice its length: heads of chunks, trailers, and what is read ahead."""


class TooSlow(TimeoutError):
    """The answer does not arrive at the pace it must."""


class Pace:
    """Watches one answer arrive.

    Attributes:
        deadline: The answer must be complete by then, on the monotonic clock; whoever reads may set it.
        delivered: Bytes of the body that the reader has had.
    """

    def __init__(self, socket_limit_s: float | None) -> None:
        self.deadline = time.monotonic() + min(HEAD_DEADLINE_S, 2 * (socket_limit_s or HEAD_DEADLINE_S))
        self.delivered = 0
        self._in_head = True
        self._received = 0
        self._waited_s = 0.0
        self._arrived = 0

    def end_of_head(self) -> None:
        """The body begins, which may take as long as it is large."""
        self._in_head = False
        self._received = 0
        self.deadline = float("inf")

    def check(self) -> None:
        """Raise if nothing more is to be waited for.

        Raises:
            TooSlow: It takes too long.
            LineTooLong: It is endless, and not the body that was asked for.
        """
        if time.monotonic() > self.deadline:
            raise TooSlow("the answer takes too long")
        if self._in_head:
            if self._received > MAX_HEAD_BYTES:
                raise LineTooLong("head")
        elif self._received > 2 * self.delivered + FRAMING_BYTES:
            raise LineTooLong("framing")
        elif self._waited_s > SLOW_S:
            if self._arrived < SLOW_BYTES:
                raise TooSlow("the answer arrives too slowly")
            self._waited_s, self._arrived = 0.0, 0

    def arrived(self, count: int, waited_s: float) -> None:
        """Count bytes, and how long they were waited for; what the reader does between does not count."""
        self._received += count
        self._arrived += count
        self._waited_s += waited_s


class _PacedSocket(io.RawIOBase):
    """The socket's bytes under the eyes of a pace."""

    def __init__(self, raw: io.RawIOBase, pace: Pace) -> None:
        super().__init__()
        self._raw = raw
        self._pace = pace

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._pace.check()
        began = time.monotonic()
        count: int | None = self._raw.readinto(buffer)
        self._pace.arrived(count or 0, time.monotonic() - began)
        return count

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._raw.close()


class PacedResponse(HTTPResponse):
    """An answer with a pace."""

    def __init__(self, sock: socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.pace = Pace(sock.gettimeout())
        self.fp: Any = io.BufferedReader(_PacedSocket(self.fp.detach(), self.pace))

    def begin(self) -> None:
        """Read the head."""
        super().begin()
        self.pace.end_of_head()


class _Connection(HTTPConnection):
    response_class = PacedResponse


class _SecureConnection(HTTPSConnection):
    response_class = PacedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class PacedAdapter(HTTPAdapter):
    """The usual adapter of ``requests``, over such connections."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make connections of our kind."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Make connections of our kind through a proxy, too."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return manager
