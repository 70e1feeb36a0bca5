"""The way to a backend: HTTP over a socket, or the same requests answered in this process.

Nothing above this module knows which of the two it is, and no exception of ``requests`` or ``urllib3`` leaves it.
What a server answers is untrusted: sizes are bounded and content types checked before anything is parsed.
``requests`` is imported when first needed. Must not import PySide6 or ``backend``.
"""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import urlsplit

from desktop import errors

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from requests import PreparedRequest, Response, Session

    from desktop.client.multipart import Multipart

CONNECT_TIMEOUT_S = 10
READ_TIMEOUT_S = 60
ANSWER_DEADLINE_S = 120
"""A JSON answer must be complete by then; a server that drips bytes does not hold a worker for ever."""
EMBEDDED_URL = "http://vault.glassine.invalid"
"""Base URL of a backend in this process; the name can never be resolved (RFC 2606), so nothing is sent by accident."""
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_TRUSTED_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PIECE = 1 << 16
_FREE_MEMBERS = 1000
_BYTES_A_MEMBER = 64
"""JSON may hold a value for each so many of the bytes it may have: ours has one in 80, a bomb one in two."""


def normalise_address(address: str) -> str:
    """Turn what a person typed into a base URL without a trailing slash.

    A bare name gets ``https://``, a loopback name ``http://``.

    Raises:
        BadAddress: It is not an address.
    """
    text = address.strip()
    if "://" not in text:
        host = text.split("/")[0].rsplit(":", 1)[0].strip("[]").lower()
        text = ("http://" if host in _LOOPBACK or host.startswith("127.") else "https://") + text
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as error:
        raise errors.BadAddress(details=str(error)) from error
    host = url.hostname or ""
    if (
        url.scheme not in {"http", "https"}
        or not host
        or any(char.isspace() or not char.isprintable() for char in text)
        or "@" in url.netloc
        or url.query
        or url.fragment
        or port == 0
    ):
        raise errors.BadAddress()
    if ":" in host:
        host = f"[{host}]"
    return f"{url.scheme}://{host}{'' if port is None else f':{port}'}{url.path.rstrip('/')}"


class Transport:
    """Sends requests below one base URL. Safe to use from several threads."""

    def __init__(self, base_url: str, app: WSGIApplication | None = None) -> None:
        """Prepare; nothing is sent yet.

        Args:
            base_url: As :func:`normalise_address` returns it, or :data:`EMBEDDED_URL` with ``app``.
            app: Answer every request by calling this application; the network is then out of reach.
        """
        self.base_url = base_url
        self.embedded = app is not None
        self._session = _embedded_session(app) if app is not None else _network_session(base_url)

    @contextmanager
    def send(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        body: Multipart | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        patience_s: float | None = None,
    ) -> Iterator[Answer]:
        """Send one request; within the ``with`` block its answer can be read.

        ``form``, ``body`` and ``content`` are a form, a multipart body and plain bytes; one of them at most.
        Redirects are not followed, so neither token nor password goes anywhere else. ``patience_s`` shortens the usual
        time limits for connecting, for each read and for the whole of a short answer.

        Raises:
            ServerSilent: No answer.
            NotAGlassineServer: Something answered, but not in HTTP, or redirected elsewhere.
            NetworkError: The certificate is not trusted, or another failure on the way.
        """
        all_headers = dict(headers or {})
        data: Any = form
        if body is not None:
            all_headers["Content-Type"] = body.content_type
            data = body
        elif content is not None:
            all_headers["Content-Type"] = "application/octet-stream"
            data = content
        with network_errors():
            response = self._session.request(
                method,
                self.base_url + path,
                params=params,
                data=data,
                headers=all_headers,
                # a callable, because without one requests looks into ~/.netrc and overrides the header
                auth=_bearer(token),
                timeout=(patience_s or CONNECT_TIMEOUT_S, patience_s or READ_TIMEOUT_S),
                allow_redirects=False,
                stream=True,
            )
        try:
            if 300 <= response.status_code < 400 and response.status_code != 304:
                raise errors.NotAGlassineServer(
                    "The server sends requests on to another address. Enter that address instead.",
                    details=f"status {response.status_code}",
                )
            yield Answer(response, embedded=self.embedded, patience_s=patience_s)
        finally:
            response.close()

    def close(self) -> None:
        """Close idle connections."""
        self._session.close()


class Answer:
    """An untrusted answer, read within bounds.

    Attributes:
        status: The HTTP status.
        embedded: Whether the backend is in this process, so that people hear of their vault, not of a server.
    """

    def __init__(self, response: Response, *, embedded: bool = False, patience_s: float | None = None) -> None:
        self._response = response
        self._patience_s = patience_s
        self.embedded = embedded
        self.status = response.status_code

    def header(self, name: str) -> str:
        """A header's value, or an empty string."""
        return self._response.headers.get(name, "")

    @property
    def media_type(self) -> str:
        """The content type without parameters, in lower case."""
        return self.header("Content-Type").split(";")[0].strip().lower()

    def read(self, limit: int) -> bytes:
        """Return the whole body.

        Raises:
            NotAGlassineServer: It is longer than ``limit`` bytes.
            ServerSilent: It broke off, or was not complete in time.
        """
        deadline = time.monotonic() + (self._patience_s or ANSWER_DEADLINE_S)
        whole = bytearray()
        stream = self.stream(deadline)
        while piece := stream.read(_PIECE):
            whole += piece
            if len(whole) > limit:
                raise errors.NotAGlassineServer(
                    "The server's answer is far longer than it may be.", details=f"more than {limit} bytes"
                )
            if time.monotonic() > deadline:
                raise errors.ServerSilent("The server answers too slowly.")
        return bytes(whole)

    def json(self, limit: int) -> Any:
        """Return the body parsed as JSON.

        Raises:
            NotAGlassineServer: It is no JSON, or longer than ``limit`` bytes, or would become far larger in memory.
            ServerSilent: It broke off, or was not complete in time.
        """
        if self.media_type != "application/json":
            raise errors.NotAGlassineServer(details=f"status {self.status}, content type {self.media_type!r}")
        text = self.read(limit)
        if sum(map(text.count, (b",", b"[", b"{"))) > _FREE_MEMBERS + limit // _BYTES_A_MEMBER:
            raise errors.NotAGlassineServer(details=f"status {self.status}, JSON of too many members")
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise errors.NotAGlassineServer(details=f"status {self.status}, broken JSON: {error}") from error

    def stream(self, deadline: float | None = None) -> BinaryIO:
        """The body as a binary file to be read once, from start to end, in pieces as they arrive.

        It raises ServerSilent when it breaks off, arrives too slowly or is not complete by ``deadline``.
        """
        return cast(BinaryIO, _Stream(self._response, deadline))


class _Stream(io.RawIOBase):
    """The raw body, never decoded: nobody asked for a content encoding."""

    def __init__(self, response: Response, deadline: float | None = None) -> None:
        super().__init__()
        self._raw = response.raw
        # what came over a socket is watched there; an application in this process needs no watching
        self._pace = getattr(getattr(response.raw, "_original_response", None), "pace", None)
        if self._pace is not None and deadline is not None:
            self._pace.deadline = deadline

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        whole = size is None or size < 0
        with network_errors():
            if self._pace is None or whole:
                data: bytes = self._raw.read(None if whole else size, decode_content=False)
            else:
                # what is there, not what was asked for: else bytes that come one by one are waited for unseen
                data = self._raw.read1(size, decode_content=False)
        if self._pace is not None:
            self._pace.delivered += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def network_errors() -> Iterator[None]:
    """Convert the exceptions of ``requests`` and ``urllib3``; the only place that knows them."""
    import requests
    import urllib3

    try:
        yield
    except requests.exceptions.SSLError as error:
        raise _insecure(error) from error
    except (
        requests.exceptions.InvalidURL,
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidSchema,
    ) as error:
        raise errors.BadAddress(details=str(error)) from error
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        if type(error) is OSError and "TLS CA certificate bundle" in str(error):
            raise errors.NetworkError(
                "The file of trusted certificates that REQUESTS_CA_BUNDLE names is not there, so nothing was sent.",
                details=str(error),
            ) from error
        raise _silent(error) from error


def _insecure(error: Exception) -> errors.NetworkError:
    """What went wrong with the encrypted connection: nobody to be trusted, nobody who speaks it, or it broke."""
    import ssl

    causes = [cause for cause in _causes(error) if isinstance(cause, ssl.SSLError)]
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return errors.NetworkError(
            "The server's certificate is not trusted, so nothing was sent. Check the address, or ask who runs it.",
            details=str(error),
        )
    if any(cause.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST"} for cause in causes):
        return errors.NotAGlassineServer(
            "What answers at this address does not encrypt the connection (https), so nothing was sent. Check the "
            "address.",
            details=str(error),
        )
    return errors.ServerSilent("The encrypted connection to the server broke off.", details=str(error))


def _silent(error: Exception) -> errors.NetworkError:
    from http.client import BadStatusLine, HTTPException, LineTooLong, RemoteDisconnected

    import requests

    from desktop.client.paced_http import TooSlow

    details = f"{type(error).__name__}: {error}"
    causes = list(_causes(error))
    if any(isinstance(cause, TooSlow) for cause in causes):
        return errors.ServerSilent("The server answers too slowly.", details=details)
    if any(isinstance(cause, HTTPException) for cause in causes):
        broken = [cause for cause in causes if isinstance(cause, BadStatusLine | LineTooLong)]
        if any(not isinstance(cause, RemoteDisconnected) for cause in broken):
            return errors.NotAGlassineServer(details=details)
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return errors.ServerSilent("Nothing answers at this address. Check the address and that the server runs.")
    if "NameResolution" in details or "getaddrinfo" in details:
        return errors.ServerSilent("There is no server of this name, or this computer is offline.", details=details)
    if isinstance(error, requests.exceptions.Timeout):
        return errors.ServerSilent("The server did not answer in time.", details=details)
    return errors.ServerSilent(details=details)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps; urllib3 hands causes on as arguments, reasons and contexts."""
    pending: list[object] = [error]
    seen: set[int] = set()
    while pending:
        item = pending.pop()
        if isinstance(item, BaseException) and id(item) not in seen:
            seen.add(id(item))
            yield item
            pending += [*item.args, getattr(item, "reason", None), item.__cause__, item.__context__]


def _bearer(token: str) -> Any:
    def sign(request: PreparedRequest) -> PreparedRequest:
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        return request

    return sign


def _bare_session() -> Session:
    from http.cookiejar import DefaultCookiePolicy

    import requests

    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update({"User-Agent": "Glassine", "Accept": "*/*", "Accept-Encoding": "identity"})
    return session


def _network_session(base_url: str) -> Session:
    from desktop.client.paced_http import PacedAdapter

    session = _bare_session()
    session.mount("http://", PacedAdapter())
    session.mount("https://", PacedAdapter())
    host = (urlsplit(base_url).hostname or "").lower()
    if host in _LOOPBACK or host.startswith("127."):
        # proxies from the environment are for the network, not for this computer; certificates to trust are for both
        session.trust_env = False
        session.verify = next(filter(None, map(os.environ.get, _TRUSTED_CERTIFICATES)), True)
    return session


def _embedded_session(app: WSGIApplication) -> Session:
    from desktop.client.wsgi_adapter import WsgiAdapter

    session = _bare_session()
    session.trust_env = False
    session.adapters.clear()  # without the usual adapters no request of this session can reach the network
    session.mount(EMBEDDED_URL + "/", WsgiAdapter(app))
    return session
