"""What is written down about each request: one line in the log, and figures if somebody collects them.

Requests are told apart by method and the pattern of their address (``/users/<user_id>/images``), never by the address
itself: it holds the names of pictures.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from backend.log_format import request_id

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from flask import Flask

logger = logging.getLogger("backend.access")

ROUTE = "glassine.route"
_NO_ROUTE = "-"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FOREIGN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Figures(Protocol):
    """Collects figures about requests."""

    def begun(self) -> None:
        """A request is being worked on."""
        ...

    def finished(self, method: str, route: str, status: int, seconds: float, received: int, sent: int) -> None:
        """It no longer is; sizes are bytes of bodies."""
        ...


class Observer:
    """WSGI middleware around the whole application; also told of requests that never reach it."""

    def __init__(self, application: WSGIApplication, figures: Figures | None, *, trust_ids: bool) -> None:
        """``trust_ids``: take a request's id from ``X-Request-ID``, which a proxy has set."""
        self._application = application
        self._figures = figures
        self._trust_ids = trust_ids

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request; what is written down waits until the last byte has been handed to the server."""
        identifier = environ.get("HTTP_X_REQUEST_ID", "") if self._trust_ids else ""
        if not _FOREIGN_ID.fullmatch(identifier):
            identifier = secrets.token_hex(8)
        request_id.set(identifier)
        answer = _Answer(environ, self._begin(environ), start_response, identifier)
        try:
            answer.body = self._application(environ, answer.start)
        except BaseException:
            answer.close()
            raise
        return answer

    def refused(self, method: str, status: int, received: int, sent: int) -> str:
        """Write a request down that the server refused before the application saw it, and return its id."""
        identifier = secrets.token_hex(8)
        token = request_id.set(identifier)
        if self._figures is not None:
            self._figures.begun()
        self._finish(method, _NO_ROUTE, status, 0.0, received, sent)
        request_id.reset(token)
        return identifier

    def _begin(self, environ: WSGIEnvironment) -> Callable[[int, int], None]:
        begun = time.perf_counter()
        if self._figures is not None:
            self._figures.begun()

        length, counted = str(environ.get("CONTENT_LENGTH") or ""), None
        if not length and "wsgi.input" in environ:  # sent in chunks: so many bytes as the application reads
            counted = environ["wsgi.input"] = _Counted(environ["wsgi.input"])

        def finish(status: int, sent: int) -> None:
            received = int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0
            received += counted.size if counted is not None else 0
            route = environ.get(ROUTE, _NO_ROUTE)
            seconds = time.perf_counter() - begun
            self._finish(environ["REQUEST_METHOD"], route, status, seconds, received, sent)

        return finish

    def _finish(self, method: str, route: str, status: int, seconds: float, received: int, sent: int) -> None:
        method = method if method in _METHODS else "OTHER"  # clients may invent some, without end
        if self._figures is not None:
            self._figures.finished(method, route, status, seconds, received, sent)
        if logger.isEnabledFor(logging.INFO):
            fields = {
                "method": method, "route": route, "status": status, "ms": round(seconds * 1000, 1),
                "bytes_in": received, "bytes_out": sent,
            }  # fmt: skip
            logger.info(
                "%s %s %d %.1f ms, %d bytes in, %d out",
                method, route, status, seconds * 1000, received, sent, extra={"fields": fields},
            )  # fmt: skip


class _Counted:
    """A request's body that counts what is read of it; as WSGI wants one."""

    def __init__(self, body: Any) -> None:
        self.size = 0
        self._body = body

    def _count(self, data: bytes) -> bytes:
        self.size += len(data)
        return data

    def read(self, *size: int) -> bytes:
        return self._count(self._body.read(*size))

    def readline(self, *size: int) -> bytes:
        return self._count(self._body.readline(*size))

    def readlines(self, *hint: int) -> list[bytes]:
        return [self._count(line) for line in self._body.readlines(*hint)]

    def __iter__(self) -> Iterator[bytes]:
        return map(self._count, self._body)


class _Answer:
    """An answer on its way: counts its bytes and says when it ends."""

    def __init__(
        self,
        environ: WSGIEnvironment,
        finish: Callable[[int, int], None],
        start_response: StartResponse,
        identifier: str,
    ) -> None:
        self.body: Iterable[bytes] = ()
        self._environ = environ
        self._finish: Callable[[int, int], None] | None = finish
        self._start_response = start_response
        self._identifier = identifier
        self._status = 500
        self._sent = 0

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        """WSGI's ``start_response``."""
        self._status = int(status[:3])
        return self._start_response(status, [*headers, ("X-Request-ID", self._identifier)], exc_info)

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self.body:
                self._sent += len(chunk)
                yield chunk
        except Exception as error:  # too late to answer anything else; the server breaks the connection off
            method, route = self._environ["REQUEST_METHOD"], self._environ.get(ROUTE, _NO_ROUTE)
            logging.getLogger(__name__).error("Failed in the middle of %s %s", method, route, exc_info=error)
            raise

    def close(self) -> None:
        """End it; WSGI servers call this in any case."""
        finish, self._finish = self._finish, None
        try:
            close = getattr(self.body, "close", None)
            if close is not None:
                close()
        finally:
            if finish is not None:
                finish(self._status, self._sent)
                request_id.set("")


def install(app: Flask, figures: Figures | None, *, trust_ids: bool) -> None:
    """Observe an application."""
    from flask import request

    def remember_route() -> None:
        if request.url_rule is not None:
            request.environ[ROUTE] = request.url_rule.rule

    app.before_request(remember_route)
    app.wsgi_app = app.extensions["glassine.observer"] = Observer(  # type: ignore[method-assign]
        app.wsgi_app, figures, trust_ids=trust_ids
    )
