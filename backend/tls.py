"""TLS before the HTTP server, in the same process: a thread that accepts, shakes hands and passes bytes on.

Each connection gets a pair of sockets: one end goes to the HTTP server, with the address of the real peer, and the
bytes of the other are carried to the peer and back, as fast as both sides take them. There is no port without TLS. Must
not import Flask.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 10.0
FAREWELL_SECONDS = 2.0
"""How long a peer may take to answer the end of a connection."""
LINGER_SECONDS = 6.0
"""How long a refused peer may go on sending; the HTTP server ends it earlier."""
CHUNK = 256 * 1024


class TlsError(Exception):
    """The certificate cannot be used. The text says why and never holds what is in the files."""


class TlsConnection:
    """A connection that has passed the handshake.

    Attributes:
        inner: The socket for the HTTP server, which closes it.
        address: Of the real peer.
        lingers: Set by the HTTP server when it has said everything, but the peer shall be let finish sending.
    """

    def __init__(self, inner: socket.socket, address: Any) -> None:
        self.inner = inner
        self.address = address
        self.lingers = False


class TlsFront:
    """Accepts on a listening socket and hands connections over; see the module."""

    def __init__(
        self,
        listening: socket.socket,
        files: tuple[Path, Path],
        connections: int,
        hand_over: Callable[[TlsConnection], None],
    ) -> None:
        """Take PEM files of certificate chain and key. ``connections``: so many at once, more wait.

        Raises:
            TlsError: The files cannot be used.
        """
        self._context = load(files)
        self._listening = listening
        self._files = files
        self._hand_over = hand_over
        self._loop = asyncio.new_event_loop()
        self._room = asyncio.Semaphore(connections)
        self._greeting: set[asyncio.Task[None]] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._accepting: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="tls")
        listening.listen(1024)  # from now on clients may come; they are answered after start()
        listening.setblocking(False)

    def start(self) -> None:
        """Begin to accept."""
        self._thread.start()

    def reload(self) -> None:
        """Use the files as they are now for new connections, or the earlier ones on if they cannot be used."""
        self._loop.call_soon_threadsafe(self._reload)

    def stop_accepting(self) -> None:
        """Take no more connections, and drop those that are still shaking hands."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._stop_accepting(), self._loop).result()

    def close(self, seconds: float) -> None:
        """Let the connections finish for so long, then end the thread. Idempotent."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._finish(seconds), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        if not self._loop.is_closed():
            self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._accepting = self._loop.create_task(self._accept())
        self._loop.run_forever()

    def _reload(self) -> None:
        try:
            self._context = load(self._files)
        except TlsError as error:
            logger.error("%s; the certificate that was loaded before stays in use", error)
        else:
            logger.info("The certificate was loaded anew")

    async def _accept(self) -> None:
        while True:
            await self._room.acquire()
            try:
                accepted, address = await self._loop.sock_accept(self._listening)
            except OSError as error:  # out of descriptors, or the peer is gone already
                self._room.release()
                logger.warning("Accepting a connection failed: %s", error.strerror)
                await asyncio.sleep(0.1)
                continue
            task = self._loop.create_task(self._serve(accepted, address))
            self._greeting.add(task)
            task.add_done_callback(self._served)

    def _served(self, task: asyncio.Task[None]) -> None:
        self._greeting.discard(task)
        self._serving.discard(task)
        self._room.release()
        if not task.cancelled() and task.exception() is not None:
            logger.error("A connection failed", exc_info=task.exception())

    async def _serve(self, accepted: socket.socket, address: Any) -> None:
        try:
            reader, writer = await self._shake_hands(accepted)
        except OSError as error:
            accepted.close()
            logger.debug("No TLS connection came about: %s", error)
            return
        except BaseException:
            accepted.close()
            raise
        try:
            outer, inner = socket.socketpair()
        except OSError as error:  # out of descriptors
            writer.transport.abort()
            logger.warning("A connection was dropped: %s", error.strerror)
            return
        outer.setblocking(False)
        connection = TlsConnection(inner, address)
        if (task := asyncio.current_task()) is not None:
            self._greeting.discard(task)
            self._serving.add(task)
        self._hand_over(connection)
        incoming = self._loop.create_task(self._carry_in(reader, outer))
        try:
            await self._carry_out(outer, writer)
            if connection.lingers:
                await asyncio.wait({incoming}, timeout=LINGER_SECONDS)
        except OSError:
            pass  # the peer is gone
        finally:
            incoming.cancel()
            await asyncio.gather(incoming, return_exceptions=True)
            outer.close()
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    async def _shake_hands(self, accepted: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = asyncio.StreamReader(CHUNK, self._loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=self._loop)
        transport, _ = await self._loop.connect_accepted_socket(
            lambda: protocol,
            accepted,
            ssl=self._context,
            ssl_handshake_timeout=HANDSHAKE_SECONDS,
            ssl_shutdown_timeout=FAREWELL_SECONDS,
        )
        transport.set_write_buffer_limits(CHUNK)
        return reader, asyncio.StreamWriter(transport, protocol, reader, self._loop)

    async def _carry_in(self, reader: asyncio.StreamReader, outer: socket.socket) -> None:
        try:
            while data := await reader.read(CHUNK):
                await self._loop.sock_sendall(outer, data)
        finally:
            with suppress(OSError):
                outer.shutdown(socket.SHUT_WR)  # closing at once would take what is unread away from the server

    async def _carry_out(self, outer: socket.socket, writer: asyncio.StreamWriter) -> None:
        while data := await self._loop.sock_recv(outer, CHUNK):
            writer.write(data)
            await writer.drain()

    async def _stop_accepting(self) -> None:
        ending = [*self._greeting, *([self._accepting] if self._accepting else [])]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    async def _finish(self, seconds: float) -> None:
        await self._stop_accepting()
        if self._serving:
            await asyncio.wait(self._serving, timeout=seconds)
        left = list(self._serving)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def load(files: tuple[Path, Path]) -> ssl.SSLContext:
    """Return what TLS needs, from PEM files of certificate chain and key; raises TlsError."""
    certificate, key = files
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    for path in files:
        try:
            path.open("rb").close()
        except OSError as error:
            raise TlsError(f"cannot read {path}: {error.strerror or error}") from None
    try:
        context.load_cert_chain(certificate, key, password=lambda: b"")  # else it is asked for on the terminal
    except (ssl.SSLError, OSError, ValueError):
        raise TlsError(f"{certificate} and {key} are not a PEM certificate and its unencrypted key") from None
    return context
