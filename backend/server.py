"""The HTTP server: waitress, with refusals in the API's own words and an orderly end (docs/adr/0043).

Waitress takes a whole request in before the application sees it, so that slow clients hold no thread. What is larger
than ``SPOOL`` goes to an unnamed temporary file, never whole to memory. Here is added: a body that cannot be taken is
refused at its headers, as JSON, in a way that the client gets to read; and stopping finishes what has begun.
"""

from __future__ import annotations

import json
import logging
import socket
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher
from waitress.utilities import Error

from backend import errors
from backend.api.gate import HEADERS, SMALL_BODY
from backend.auth import refuse_early
from backend.storage.failures import storage_error

if TYPE_CHECKING:
    from flask import Flask

    from backend.config import Config

logger = logging.getLogger(__name__)

SPOOL = 1 << 20
LINGER_SECONDS = 5.0

_REASONS = {
    400: "Bad Request",
    413: "Content Too Large",
    422: "Unprocessable Content",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    507: "Insufficient Storage",
}


class _Refused(Error):  # type: ignore[misc]
    """A request that never reaches the application."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code

    @classmethod
    def of(cls, error: errors.BackendError) -> _Refused:
        return cls(error.status, error.message)


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Refuses a body that will not be taken at its headers, or as soon as it has grown too large."""

    error: Any
    _admitted = False

    def received(self, data: bytes) -> int:
        """Take bytes in; as waitress's own."""
        try:
            consumed: int = super().received(data)
        except OSError as error:  # no room for the temporary file
            failure = storage_error(error)
            reason = failure.reason if failure else "other"
            logger.error("Receiving a request failed: %s", error)
            self.error = _Refused(*errors.STORAGE_ANSWERS[reason])
            consumed = len(data)
        if self.error is None:
            self.error = self._refusal()
        if self.error is not None:
            self.completed = True
            self.expect_continue = False  # else a client is asked for the very body that is refused
        return consumed

    def _refusal(self) -> _Refused | None:
        size = max(self.content_length, self.body_bytes_received)
        if not self.headers_finished or size <= SMALL_BODY:
            return None
        if self.command != "POST" or not self.path.rstrip("/").endswith("/images"):
            return _Refused.of(errors.TooLarge())
        if not self._admitted:
            # strangers do not fill the disk; an empty header is none
            refusal = self.adj.refuse_early(self.headers.get("AUTHORIZATION", ""))
            if refusal is not None:
                return _Refused.of(refusal)
            self._admitted = True
        if size >= self.adj.max_request_body_size:
            return _Refused.of(errors.TooLarge())
        return None


class _RefusalTask(ErrorTask):  # type: ignore[misc]
    """Answers a request that never reached the application, in the API's one error shape."""

    def execute(self) -> None:
        """Write the answer."""
        error = self.request.error
        code = int(error.code)
        if isinstance(error, _Refused):
            message = error.body
        elif code == 413:
            message = errors.TooLarge.default_message
        elif code == 500:
            message = errors.BackendError.default_message
        else:
            message = _REASONS.get(code, errors.Malformed.default_message)
        body = json.dumps({"message": message}, separators=(",", ":")).encode("ascii")
        self.status = f"{code} {_REASONS.get(code, 'Error')}"
        self.response_headers += [("Content-Type", "application/json"), *HEADERS.items()]
        self.set_close_on_finish()
        self.channel.linger = True
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that, having refused a body unread, stays open until the client has had time to read why.

    Closing at once would make the kernel answer the rest of the body with a reset, which may destroy the answer.
    """

    parser_class = _Parser
    error_task_class = _RefusalTask
    linger = False
    _linger_until: float | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing has begun that is not finished."""
        with self.requests_lock:
            return not (self.requests or self.request or self.total_outbufs_len)

    def writable(self) -> bool:
        """Whether waitress's loop shall call :meth:`handle_write`."""
        if self._linger_until is not None:
            return self.will_close or time.monotonic() > self._linger_until
        return bool(super().writable())

    def handle_write(self) -> None:
        """Send; close when there is nothing left to send and the connection shall end."""
        if self._linger_until is not None:
            self.handle_close()
        elif self.linger and self.close_when_flushed and not self.will_close:
            self._flush_exception(self._flush_some)
            if not self.total_outbufs_len and not self.will_close:
                self._begin_to_linger()
        else:
            super().handle_write()

    def readable(self) -> bool:
        """Whether waitress's loop shall call :meth:`handle_read`."""
        return self._linger_until is not None or bool(super().readable())

    def handle_read(self) -> None:
        """Take bytes in; those of a refused body are dropped."""
        if self._linger_until is None:
            super().handle_read()
            return
        try:
            self.recv(self.adj.recv_bytes)  # closes the connection when the client has
        except OSError:
            self.handle_close()

    def _begin_to_linger(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.handle_close()
        else:
            self._linger_until = time.monotonic() + LINGER_SECONDS


class _Listener(TcpWSGIServer):  # type: ignore[misc]
    channel_class = _Channel


class Server:
    """Serves an application on a listening socket until it is stopped."""

    def __init__(self, app: Flask, config: Config, listening: socket.socket) -> None:
        adjustments = Adjustments(
            sockets=[listening],
            ident=None,
            threads=config.threads,
            connection_limit=config.connections,
            channel_timeout=config.idle_seconds,
            cleanup_interval=min(30, config.idle_seconds),
            max_request_header_size=64 * 1024,
            max_request_body_size=config.max_upload_bytes + 1,
            recv_bytes=256 * 1024,
            inbuf_overflow=SPOOL,
            outbuf_overflow=SPOOL,
            outbuf_high_watermark=4 * SPOOL,
            asyncore_use_poll=True,
            log_socket_errors=False,
        )
        adjustments.refuse_early = partial(refuse_early, app)
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a full queue is no news
        self._sockets: dict[int, Any] = {}
        self._dispatcher = ThreadedTaskDispatcher()
        self._dispatcher.set_thread_count(adjustments.threads)
        self._listener = _Listener(
            app,
            self._sockets,
            True,
            listening,
            dispatcher=self._dispatcher,
            adj=adjustments,
            sockinfo=(listening.family, listening.type, listening.proto, listening.getsockname()),
            bind_socket=False,
        )
        self._drain_seconds = config.drain_seconds
        self._stops = 0
        host, port = listening.getsockname()[:2]
        self.address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def run(self) -> None:
        """Serve until :meth:`stop` is called, then finish what has begun and release everything but the storage."""
        try:
            while not self._stops:
                self._turn(1.0)
            self._drain()
        finally:
            self._dispatcher.shutdown(cancel_pending=True, timeout=5)
            wasyncore.close_all(self._sockets)

    def stop(self) -> None:
        """Stop serving; may be called from a signal handler and from any thread. A second call stops at once."""
        self._stops += 1
        self._listener.pull_trigger()

    def _drain(self) -> None:
        wasyncore.dispatcher.close(self._listener)  # its trigger lives on: threads that finish need it
        deadline = time.monotonic() + self._drain_seconds
        while self._listener.active_channels and time.monotonic() < deadline and self._stops < 2:
            for channel in list(self._listener.active_channels.values()):
                if channel.idle:
                    channel.handle_close()
            self._turn(0.1)
        if self._listener.active_channels:
            logger.warning("%d connections were cut off", len(self._listener.active_channels))

    def _turn(self, seconds: float) -> None:
        wasyncore.loop(timeout=seconds, use_poll=True, map=self._sockets, count=1)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address; raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if host == "::" else 1)
        listening.bind(address)
    except BaseException:
        listening.close()
        raise
    return listening
