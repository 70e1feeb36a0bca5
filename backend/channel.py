"""Connections of the HTTP server: waitress's, with refusals in the API's own words (docs/adr/0043)."""

from __future__ import annotations

import io
import logging
import socket
import time
from typing import TYPE_CHECKING, Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import Error

from backend import errors
from backend.api.gate import HEADERS, OVER_TLS, SMALL_BODY
from backend.auth import Credentials
from backend.storage.failures import storage_error
from backend.storage.protocol import StorageError

if TYPE_CHECKING:
    from backend.tls import TlsConnection

logger = logging.getLogger(__name__)

LINGER_SECONDS = 5.0

_REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    413: "Content Too Large",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    507: "Insufficient Storage",
}


class _Refused(Error):  # type: ignore[misc]
    """A request that never reaches the application."""

    def __init__(self, code: int, message: str, endpoint: str = "", seconds: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.endpoint = endpoint
        self.seconds = seconds  # after which to try again; 0: not said

    @classmethod
    def of(cls, error: errors.BackendError, endpoint: str = "") -> _Refused:
        return cls(error.status, error.message, endpoint, getattr(error, "seconds", 0))


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Refuses a body that will not be taken at its headers, or as soon as it has grown too large."""

    error: Any
    unproven = False
    """Whether a large body is to come for which a password was sent that nobody has looked at yet."""
    awaited = False
    """Whether the client asked to be told when to send it."""
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
        if not self._admitted:  # strangers do not fill the disk
            credentials = Credentials(self.headers.get("AUTHORIZATION", ""), self.headers.get("COOKIE", ""))
            refusal = self.adj.refuse_body(self.command, self.path, credentials)
            if refusal is not None:
                return _Refused.of(*refusal)
            if credentials.authorization[:5].lower() == "basic" and not self.completed:
                self.unproven = True  # a password takes too long to look at here
                self.awaited, self.expect_continue = self.expect_continue, False
            self._admitted = True
        if size >= self.adj.max_request_body_size:
            return _Refused.of(errors.TooLarge())
        return None


class _Proof:
    """Looks at the password of a request in a thread of its own, before the body is taken in."""

    def __init__(self, channel: Channel, request: _Parser) -> None:
        self._channel = channel
        self._request = request
        self._environ = WSGITask(channel, request).get_environment()
        self._environ["wsgi.input"] = io.BytesIO()

    def service(self) -> None:
        """Ask, and let the channel go on; called by waitress's dispatcher."""
        try:
            refusal = self._channel.adj.refuse_stranger(self._environ)
            refused = None if refusal is None else _Refused.of(*refusal)
        except StorageError as error:
            logger.error("Storage (%s) at a password: %s", error.reason, error)
            refused = _Refused(*errors.STORAGE_ANSWERS[error.reason])
        except Exception as error:
            logger.error("Looking at a password failed", exc_info=error)
            refused = _Refused.of(errors.BackendError())
        self._channel.proven(self._request, refused)

    def cancel(self) -> None:
        """The server ends."""


class _RefusalTask(ErrorTask):  # type: ignore[misc]
    """Answers a request that never reached the application, in the words of its address."""

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
        text, content_type = self.channel.adj.error_text(getattr(error, "endpoint", ""), code, message)
        body = text.encode("utf-8")
        self.status = f"{code} {_REASONS.get(code, 'Error')}"
        self.response_headers += [("Content-Type", content_type), *HEADERS.items()]
        if self.channel.adj.url_scheme == "https":
            self.response_headers += OVER_TLS.items()
        self.response_headers += self.channel.adj.site_headers(self.request.headers.get("ORIGIN")).items()
        received = int(self.request.body_bytes_received)
        method = str(getattr(self.request, "command", "-"))  # what could not be read has none
        identifier = self.channel.adj.observer.refused(method, code, received, len(body))
        self.response_headers.append(("X-Request-ID", identifier))
        if getattr(error, "seconds", 0):
            self.response_headers.append(("Retry-After", str(error.seconds)))
        self.set_close_on_finish()
        self.channel.linger = True
        self.content_length = len(body)
        self.write(body)


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that, having refused a body unread, stays open until the client has had time to read why.

    Closing at once would make the kernel answer the rest of the body with a reset, which may destroy the answer.
    """

    parser_class = _Parser
    error_task_class = _RefusalTask
    request: Any
    linger = False
    tls: TlsConnection | None = None  # what the bytes come through, unless they come from the network
    _linger_until: float | None = None
    _waits_since: tuple[float, float] | None = None  # the last movement, and when output was seen to wait after it
    _head_since: float | None = None  # the first byte of a head that is not complete; seconds of the clock

    @property
    def idle(self) -> bool:
        """Whether nothing has begun that is not finished."""
        with self.requests_lock:
            return not (self.requests or self.request or self.total_outbufs_len)

    def stalled(self, now: float) -> bool:
        """Whether the client lets the server wait for too long: it takes no bytes that wait for it, or it has not sent
        a request's head in the time that a whole silence may last. Asked from time to time."""
        if self.total_outbufs_len:
            # The last movement may be long ago because the answer took long: what counts is since when it waits here.
            if self._waits_since is None or self._waits_since[0] != self.last_activity:
                self._waits_since = (self.last_activity, now)
            return bool(now - self._waits_since[1] > self.adj.channel_timeout)
        self._waits_since = None
        begun = self._head_since
        return begun is not None and now - begun > self.adj.channel_timeout

    def received(self, data: bytes) -> bool:
        """Take bytes in; as waitress's own."""
        more = bool(super().received(data))
        with self.requests_lock:
            waiting = self.request is not None and not self.request.headers_finished
            if self.request is not None and self.request.unproven:
                self.server.task_dispatcher.add_task(_Proof(self, self.request))
        if not waiting:
            self._head_since = None
        elif self._head_since is None:
            self._head_since = time.time()
        return more

    def proven(self, request: _Parser, refused: _Refused | None) -> None:
        """Go on with a request whose password was looked at; called from another thread."""
        with self.requests_lock:
            if not self.connected or self.request is not request or self.will_close or self.close_when_flushed:
                return
            if refused is not None:
                request.error, request.completed = refused, True
                self.request = None
                self.requests.append(request)
                if len(self.requests) == 1:
                    self.server.add_task(self)
            else:
                request.unproven = False  # from here on its body is read
                if request.awaited:
                    request.expect_continue = True
                    if not self.requests and not self.sent_continue:  # else it is said when those are answered
                        self.send_continue()
        self.server.pull_trigger()

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
            if self.connected and not self.total_outbufs_len and not self.will_close:
                self._begin_to_linger()
        else:
            super().handle_write()

    def readable(self) -> bool:
        """Whether waitress's loop shall call :meth:`handle_read`."""
        if self._linger_until is not None:
            return True
        request = self.request
        return bool(super().readable()) and not (request is not None and request.unproven)

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
        if self.tls is not None:
            self.tls.lingers = True
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.handle_close()
        else:
            self._linger_until = time.monotonic() + LINGER_SECONDS
