"""Sending one request and reading its answer: tokens, repeating, streams. What ``Api`` and its parts stand on.

Must not import PySide6 or ``backend``.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote

from desktop import errors
from desktop.client import answers
from desktop.client.answers import Login, ServerInfo
from desktop.client.downloads import download
from desktop.client.multipart import Multipart
from desktop.client.tokens import Tokens
from desktop.client.transport import Answer, Transport
from desktop.models import IsCancelled, never_cancelled

PREFIX = "/api/v1"
MAX_THUMBNAIL = 262_144 + 16
"""Sealed thumbnail: one chunk and its tag."""
_ABSENT = 0xFFFFFFFF
_T = TypeVar("_T")


class Calls:
    """Calls of one account at one backend."""

    def __init__(self, transport: Transport, *, wait: Callable[[float], None] = time.sleep) -> None:
        """Prepare; nothing is sent yet.

        Args:
            transport: The way to the backend.
            wait: Sleeps between tries; tests pass their own.
        """
        self._transport = transport
        self._wait = wait
        self._tokens = Tokens()
        self._server: ServerInfo | None = None

    @property
    def address(self) -> str:
        """The backend's base URL."""
        return self._transport.base_url

    @property
    def embedded(self) -> bool:
        """Whether the backend is in this process."""
        return self._transport.embedded

    def use_token(self, token: str) -> None:
        """Sign the following calls with this token."""
        self._tokens.use_access_only(token)

    def close(self) -> None:
        """Forget the tokens and close the connections."""
        self._tokens.forget()
        self._transport.close()

    def server(self) -> ServerInfo:
        """Ask who answers at this address, once per session.

        Raises:
            NotAGlassineServer: Somebody else.
        """
        if self._server is None:
            with self._transport.send("GET", f"{PREFIX}/server") as answer:
                if answer.status == 404:
                    raise errors.NotAGlassineServer
                answers.check(answer, 200)
                self._server = answers.server_info(answer.json(answers.SMALL))
        return self._server

    def _exchange(self, refresh: str, patience_s: float | None = None) -> Login:
        with self._transport.send("POST", f"{PREFIX}/auth/refresh", token=refresh, patience_s=patience_s) as answer:
            answers.check(answer, 200)
            return answers.login(answer.json(answers.SMALL))

    @contextmanager
    def _call(self, method: str, path: str, **more: Any) -> Iterator[Answer]:
        """Send a request; when its token has expired, get the next one and send it again, whole, once."""
        if more.get("body") is not None and self._tokens.stale:
            self._tokens.renew(self._tokens.access, self._exchange)
        with ExitStack() as sent:
            token = self._tokens.access
            answer = sent.enter_context(self._transport.send(method, path, token=token, **more))
            if answer.status == 401 and self._tokens.renewable:
                refusal = answers.failure(answer)
                if not answers.has_expired(refusal):
                    raise refusal
                sent.close()
                self._tokens.renew(token, self._exchange)
                answer = sent.enter_context(self._transport.send(method, path, token=self._tokens.access, **more))
            yield answer

    def _get(
        self,
        path: str,
        read: Callable[[Any], _T],
        limit: int = answers.SMALL,
        cancelled: IsCancelled = never_cancelled,
    ) -> _T:
        def ask() -> _T:
            with self._call("GET", path) as answer:
                answers.check(answer, 200)
                return read(answer.json(limit))

        return self._repeat(ask, cancelled)

    def _download(self, path: str, media_type: str, cancelled: IsCancelled) -> AbstractContextManager[BinaryIO]:
        """Open a large answer; see ``downloads.download``."""

        @contextmanager
        def ask(headers: dict[str, str]) -> Iterator[Answer]:
            with ExitStack() as sent:
                yield self._repeat(lambda: self._opened(sent, path, headers), cancelled)

        return download(ask, media_type, embedded=self.embedded)

    def _opened(self, sent: ExitStack, path: str, headers: dict[str, str]) -> Answer:
        answer = sent.enter_context(self._call("GET", path, headers=headers))
        if answer.status >= 500:  # may be better the next time
            refusal = answers.failure(answer)
            sent.close()
            raise refusal
        return answer

    def _thumbnails(self, path: str, parameter: str, names: Sequence[str], cancelled: IsCancelled) -> dict[str, bytes]:
        """Fetch sealed thumbnails; those the server does not have are left out."""
        if not names:
            return {}

        def ask() -> dict[str, bytes]:
            with self._call("GET", path, params={parameter: ",".join(names)}) as answer:
                answers.check(answer, 200)
                if answer.media_type != "application/vnd.glassine.thumbnails":
                    raise answers.strange(f"content type {answer.media_type!r}")
                return _read_thumbnails(answer.read(len(names) * (4 + MAX_THUMBNAIL)), names)

        return self._repeat(ask, cancelled)

    def _delete(self, path: str) -> None:
        """Delete what may be deleted twice; raises NotFound if it was not there at the first try."""
        lost_answer = False

        def ask() -> None:
            nonlocal lost_answer
            try:
                with self._call("DELETE", path) as answer:
                    if not (answer.status == 404 and lost_answer):
                        answers.check(answer, 204)
            except errors.ServerSilent:
                lost_answer = True  # it may have been deleted all the same
                raise

        self._repeat(ask)

    def _refuse_large(self, body: Multipart) -> None:
        limit = self.server().max_upload_bytes
        if len(body) > limit:
            raise errors.TooLarge(
                f"Sealed, this picture is {len(body) / 1e6:.0f} MB; the server takes at most {limit / 1e6:.0f} MB.",
            )

    def _repeat(self, ask: Callable[[], _T], cancelled: IsCancelled = never_cancelled) -> _T:
        """Do what may be done twice; again after a wait when the server was silent or failed for the moment."""
        for pause in (*self._backoff(), None):
            if cancelled():
                raise errors.Cancelled
            try:
                return ask()
            except (errors.ServerSilent, errors.ServerFailed):
                if pause is None or self.embedded:
                    raise
                self._pause(pause, cancelled)
        raise AssertionError("unreachable")

    def _backoff(self) -> tuple[float, ...]:
        """Return the waits before the second and further tries, in seconds."""
        return ()

    def _pause(self, seconds: float, cancelled: IsCancelled) -> None:
        for _ in range(round(seconds / 0.1)):
            if cancelled():
                raise errors.Cancelled
            self._wait(0.1)


def images(user_id: str) -> str:
    """Return the address of an account's pictures."""
    return f"{PREFIX}/users/{quote(user_id, safe='')}/images"


def segment(name: str) -> str:
    """Return a name as a part of an address; raises NotFound for one that cannot be."""
    if name in {"", ".", ".."} or "/" in name:
        raise errors.NotFound("The server stores this under a name that cannot be asked for.")
    return quote(name, safe="")


def list_of(read: Callable[[Any], _T]) -> Callable[[Any], list[_T]]:
    """Return what reads a list of such things."""

    def read_all(document: Any) -> list[_T]:
        if not isinstance(document, list):
            raise answers.strange("not a list")
        return [read(item) for item in document]

    return read_all


def _read_thumbnails(untrusted: bytes, names: Sequence[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    at = 0
    for name in names:
        if at + 4 > len(untrusted):
            raise answers.strange("thumbnails are missing")
        (length,) = struct.unpack_from(">I", untrusted, at)
        at += 4
        if length == _ABSENT:
            continue
        if length > MAX_THUMBNAIL or at + length > len(untrusted):
            raise answers.strange("a thumbnail is too long")
        found[name] = untrusted[at : at + length]
        at += length
    if at != len(untrusted):
        raise answers.strange("more than the thumbnails asked for")
    return found
