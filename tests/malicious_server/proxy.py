"""A layer before the real backend that lies: it alters requests and answers, remembers and replays, and counts."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass
class Request:
    """What a client asked; a lie changes it before the backend sees it."""

    method: str
    path: str
    query: str
    body: bytes
    headers: dict[str, str]

    @property
    def line(self) -> str:
        """What rules are matched against: method, path, question mark, query."""
        return f"{self.method} {self.path}?{self.query}"

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form."""
        return {name: values[0] for name, values in parse_qs(self.body.decode("latin-1")).items()}


@dataclass
class Reply:
    """What the honest backend answers; a lie changes it."""

    status: str
    headers: dict[str, str]
    body: bytes
    pieces: Iterable[bytes] | None = None
    """Sent instead of ``body``, perhaps without end."""

    def set(self, body: bytes) -> None:
        """Answer with another body."""
        self.body = body
        self.headers["Content-Length"] = str(len(body))

    def json(self, change: Callable[[Any], Any]) -> None:
        """Replace the JSON in the body by what ``change`` returns for it."""
        self.set(json.dumps(change(json.loads(self.body))).encode())

    def copy(self) -> Reply:
        """Return the same answer once more."""
        return Reply(self.status, dict(self.headers), self.body, self.pieces)


Lie = Callable[[Request, Reply], object]


@dataclass
class Server:
    """The malicious server: honest until told otherwise.

    Attributes:
        seen: Every request since the last :meth:`repent`, as it came.
    """

    honest: WSGIApplication
    seen: list[Request] = field(default_factory=list)
    _lies: list[tuple[re.Pattern[str], Lie]] = field(default_factory=list)
    _instead: list[tuple[re.Pattern[str], Callable[[], Reply]]] = field(default_factory=list)
    _kept: list[tuple[re.Pattern[str], dict[str, Reply]]] = field(default_factory=list)

    def lie(self, about: str, lie: Callable[[Reply], object]) -> None:
        """Change the answers to requests whose line matches from now on."""
        self.lie_to(about, lambda request, reply: lie(reply))

    def lie_to(self, about: str, lie: Lie) -> None:
        """As :meth:`lie`, seeing the request."""
        self._lies.append((re.compile(about), lie))

    def lie_in_json(self, about: str, change: Callable[[Any], Any]) -> None:
        """Change the JSON of answers."""
        self.lie(about, lambda reply: reply.json(change) if reply.status.startswith("2") else None)

    def remember(self, about: str) -> dict[str, Reply]:
        """Keep answers from now on, by the request's line; :meth:`replay` hands them out again."""
        kept: dict[str, Reply] = {}
        self._kept.append((re.compile(about), kept))
        return kept

    def replay(self, kept: dict[str, Reply]) -> None:
        """Hand out the remembered answers instead of today's from now on."""

        def again(request: Request, reply: Reply) -> None:
            old = kept.get(request.line)
            if old is not None:
                reply.status, reply.headers, reply.body = old.status, dict(old.headers), old.body

        self.lie_to("", again)

    def instead(self, about: str, answer: Callable[[], Reply]) -> None:
        """Answer by itself from now on, without asking the backend."""
        self._instead.append((re.compile(about), answer))

    def repent(self) -> None:
        """Be honest again, and forget what was asked."""
        self._lies.clear()
        self._instead.clear()
        self._kept.clear()
        self.seen.clear()

    def asked(self, about: str) -> list[Request]:
        """Return the requests whose line matches."""
        return [request for request in self.seen if re.search(about, request.line)]

    # -- as a WSGI application ----------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        """The server in front asks its application more than WSGI does."""
        return getattr(self.honest, name)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = _read(environ)
        self.seen.append(request)
        own = next((answer for pattern, answer in self._instead if pattern.search(request.line)), None)
        if own is not None:
            reply = own()
            reply.set(reply.body)
        else:
            reply = self._ask(environ)
        for pattern, kept in self._kept:
            if pattern.search(request.line):
                kept[request.line] = reply.copy()
        for pattern, lie in list(self._lies):
            if pattern.search(request.line):
                lie(request, reply)
        start_response(reply.status, list(reply.headers.items()))
        return [reply.body] if reply.pieces is None else reply.pieces

    def _ask(self, environ: WSGIEnvironment) -> Reply:
        reply = Reply("", {}, b"")

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            reply.status, reply.headers = status, dict(headers)
            return lambda data: None

        pieces = self.honest(environ, start)
        try:
            reply.body = b"".join(pieces)
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
        return reply


def _read(environ: WSGIEnvironment) -> Request:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    headers = {name[5:].replace("_", "-").title(): value for name, value in environ.items() if name.startswith("HTTP_")}
    return Request(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("QUERY_STRING", ""), body, headers)


def endless(piece: bytes) -> Iterator[bytes]:
    """A body without end."""
    while True:
        yield piece
