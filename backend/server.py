"""The HTTP server: waitress, with refusals in the API's own words and an orderly end (docs/adr/0043).

Waitress takes a whole request in before the application sees it, so that slow clients hold no thread. What is larger
than ``SPOOL`` goes to an unnamed temporary file, never whole to memory. Here is added: a body that cannot be taken is
refused at its headers (``backend/channel.py``), connections may come through TLS (``backend/tls.py``), and stopping
finishes what has begun.
"""

from __future__ import annotations

import logging
import socket
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher
from werkzeug.middleware.proxy_fix import ProxyFix

from backend.api.cors import answer_headers
from backend.api.failures import error_text
from backend.api.gate import refuse_body, refuse_stranger
from backend.channel import Channel
from backend.config import listed

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from flask import Flask

    from backend.config import Config
    from backend.tls import TlsConnection

R = TypeVar("R")

logger = logging.getLogger(__name__)

SPOOL = 1 << 20


class _Listener(TcpWSGIServer):  # type: ignore[misc]
    channel_class = Channel

    def maintenance(self, now: float) -> None:
        """Close connections on which nothing moves; waitress calls this every ``cleanup_interval`` seconds.

        Waitress's own leaves those alone that have a request under way: whoever asks for a large picture and reads
        nothing would hold a thread for good, and a handful of them the whole server.
        """
        super().maintenance(now)
        for channel in list(self.active_channels.values()):
            if channel.stalled(now):
                channel.handle_close()  # wakes the thread that waits for room


class _Hatch(_Listener):
    """Takes no connections itself: they are handed in by the TLS front, from its own thread."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        self._waiting: deque[TlsConnection] = deque()
        super().__init__(*arguments, **more)

    def accept_connections(self) -> None:
        """Leave the listening socket to the front."""

    def hand_in(self, connection: TlsConnection) -> None:
        """Serve a connection; called from the front's thread."""
        self._waiting.append(connection)
        self.pull_trigger()

    def take_in(self) -> None:
        """Begin with those that were handed in; called from the thread of the server."""
        while self._waiting:
            connection = self._waiting.popleft()
            channel = self.channel_class(self, connection.inner, connection.address, self.adj, map=self._map)
            channel.tls = connection


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
            url_scheme="http" if config.tls_certificate is None else "https",
            # waitress takes them out by default; the application believes them exactly as often as it is told to
            clear_untrusted_proxy_headers=config.trusted_proxies == 0,
        )
        adjustments.refuse_body = partial(refuse_body, app)
        adjustments.error_text = partial(error_text, app)
        adjustments.refuse_stranger = _believing(config.trusted_proxies, partial(refuse_stranger, app))
        adjustments.site_headers = partial(answer_headers, frozenset(listed(config.cors_origins)))
        adjustments.observer = app.extensions["glassine.observer"]
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a full queue is no news
        self._sockets: dict[int, Any] = {}
        self._dispatcher = ThreadedTaskDispatcher()
        self._dispatcher.set_thread_count(adjustments.threads)
        self._listener = (_Listener if config.tls_certificate is None else _Hatch)(
            app,
            self._sockets,
            True,
            listening,
            dispatcher=self._dispatcher,
            adj=adjustments,
            sockinfo=(listening.family, listening.type, listening.proto, listening.getsockname()),
            bind_socket=False,
        )
        self._housekeeping = app.extensions["glassine"].services.housekeeping
        self._drain_seconds = config.drain_seconds
        self._stops = 0
        self._front = None
        if config.tls_certificate is not None and config.tls_key is not None:
            from backend.tls import TlsFront

            files = config.tls_certificate, config.tls_key
            self._front = TlsFront(listening, files, config.connections, self._listener.hand_in)
        host, port = listening.getsockname()[:2]
        self.address = f"{adjustments.url_scheme}://" + (f"[{host}]:{port}" if ":" in host else f"{host}:{port}")

    def run(self) -> None:
        """Serve until :meth:`stop` is called, then finish what has begun and release everything but the storage."""
        if self._front is not None:
            self._front.start()
        try:
            while not self._stops:
                self._turn(1.0)
                self._housekeeping.run_if_due()  # also where nobody asks for anything
            self._drain()
        finally:
            if self._front is not None:
                self._front.close(0)
            self._dispatcher.shutdown(cancel_pending=True, timeout=5)
            wasyncore.close_all(self._sockets)

    def stop(self) -> None:
        """Stop serving; may be called from a signal handler and from any thread. A second call stops at once."""
        self._stops += 1
        self._listener.pull_trigger()

    def reload_certificates(self) -> None:
        """Use the files of the certificate as they are now for new connections; may be called from a signal handler."""
        if self._front is not None:
            self._front.reload()
        else:
            logger.info("There is no certificate to load anew")

    def _drain(self) -> None:
        if self._front is not None:
            self._front.stop_accepting()
            self._listener.take_in()
        wasyncore.dispatcher.close(self._listener)  # its trigger lives on: threads that finish need it
        deadline = time.monotonic() + self._drain_seconds
        while self._listener.active_channels and time.monotonic() < deadline and self._stops < 2:
            for channel in list(self._listener.active_channels.values()):
                if channel.idle:
                    channel.handle_close()
            self._turn(0.1)
        if self._listener.active_channels:
            logger.warning("%d connections were cut off", len(self._listener.active_channels))
        elif self._front is not None:
            self._front.close(max(0.0, deadline - time.monotonic()))

    def _turn(self, seconds: float) -> None:
        if self._front is not None:
            self._listener.take_in()
        wasyncore.loop(timeout=seconds, use_poll=True, map=self._sockets, count=1)


def _believing(proxies: int, ask: Callable[[WSGIEnvironment], R]) -> Callable[[WSGIEnvironment], R]:
    """Ask about a request that comes from where so many proxies say, as the application is asked."""

    def asked(environ: WSGIEnvironment) -> R:
        ProxyFix(lambda *_: (), x_for=proxies, x_proto=proxies)(environ, lambda *_: lambda _: None)
        return ask(environ)

    return asked


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
