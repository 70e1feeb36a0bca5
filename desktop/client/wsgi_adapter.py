"""A ``requests`` adapter that calls a WSGI application in this process: no socket, streaming both ways.

No other local user can reach what is served like this. Imports ``requests``, so it is itself imported only when a
vault on this computer is opened. Must not import PySide6 or ``backend``.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from http.client import responses
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPHeaderDict, HTTPResponse

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class WsgiAdapter(BaseAdapter):
    """Sends requests to a WSGI application by calling it in the calling thread."""

    def __init__(self, app: WSGIApplication) -> None:
        super().__init__()
        self._app = app

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        """Call the application and return its answer as soon as its head and first bytes are there.

        An error raised while the request's body is produced (a cancelled upload) ends the body early, so that the
        application sees a lost connection, and is raised again once the application has cleaned up.
        """
        body = _RequestBody(request.body)
        head = _Head()
        answer: _AnswerBody | None = None
        try:
            answer = _AnswerBody(self._app(_environ(request, body), head.start), head)
        finally:
            if body.error is not None:
                if answer is not None:
                    answer.close()
                raise body.error
        return _response(request, head, answer)

    def close(self) -> None:
        """Nothing is kept open between requests."""


def _environ(request: PreparedRequest, body: _RequestBody) -> WSGIEnvironment:
    url = urlsplit(request.url or "")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method or "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(url.path).decode("latin-1"),
        "QUERY_STRING": url.query,
        "SERVER_NAME": url.hostname or "localhost",
        "SERVER_PORT": str(url.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": body,
        "wsgi.errors": sys.stderr or io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        # our bodies end by themselves, also those without a length
        "wsgi.input_terminated": True,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    environ.setdefault("HTTP_HOST", url.netloc)
    return environ


def _response(request: PreparedRequest, head: _Head, body: _AnswerBody) -> Response:
    status = int(head.status[:3])
    raw = HTTPResponse(
        body=body,
        headers=head.headers,
        status=status,
        reason=head.status[4:] or responses.get(status, ""),
        preload_content=False,
        decode_content=False,
        request_method=request.method,
    )
    response = Response()
    response.status_code = status
    response.headers = CaseInsensitiveDict(head.headers)
    response.raw = raw
    response.reason = raw.reason or ""
    response.url = request.url or ""
    response.request = request
    return response


class _RequestBody:
    """The request's body as ``wsgi.input``; pulls from a generator only as fast as the application reads."""

    def __init__(self, body: Any) -> None:
        if body is None:
            body = b""
        elif isinstance(body, str):
            body = body.encode()
        self._pieces: Iterator[bytes] = iter([body] if isinstance(body, bytes) else body)
        self._rest = memoryview(b"")
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes, all if negative; fewer than asked is not the end, nothing is."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(1 << 20), b""))
        while not self._rest:
            try:
                self._rest = memoryview(next(self._pieces))
            except StopIteration:
                return b""
            except BaseException as error:
                self.error = error
                self._pieces = iter(())
                return b""
        piece = self._rest[:size]
        self._rest = self._rest[size:]
        return bytes(piece)

    def readline(self, size: int = -1) -> bytes:
        """Read one line; only here because PEP 3333 asks for it."""
        line = bytearray()
        while not line.endswith(b"\n") and (size < 0 or len(line) < size):
            byte = self.read(1)
            if not byte:
                break
            line += byte
        return bytes(line)

    def readlines(self, hint: int = -1) -> list[bytes]:
        """Read all lines; only here because PEP 3333 asks for it."""
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")


class _Head:
    """What the application passed to ``start_response``."""

    def __init__(self) -> None:
        self.status = "500 Internal Server Error"
        self.headers = HTTPHeaderDict()
        self.written: list[bytes] = []

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        self.status = status
        self.headers = HTTPHeaderDict()
        for name, value in headers:
            self.headers.add(name, value)
        return self.written.append


class _AnswerBody(io.RawIOBase):
    """The application's answer as a file; pulls from the application only as fast as it is read."""

    def __init__(self, pieces: Iterable[bytes], head: _Head) -> None:
        super().__init__()
        self._source = pieces
        self._pieces = iter(pieces)
        try:
            # an application written as a generator calls start_response only when its first piece is asked for
            first = next(self._pieces, b"")
        except BaseException:
            self.close()
            raise
        self._rest = memoryview(b"".join([*head.written, first]))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        """End the answer; the application closes its files."""
        if not self.closed:
            super().close()
            close = getattr(self._source, "close", None)
            if close is not None:
                close()
