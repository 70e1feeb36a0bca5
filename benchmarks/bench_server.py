"""Uploads and downloads of pictures of 2 MB over HTTP, against what the machine or the database could do at best.

The server is a process of its own, the clients are threads of this one. Uploads to a folder are compared with writing
the same bytes to files and syncing them; those to MongoDB with raw GridFS through pymongo, in chunks alike.
Downloads are compared with bytes from memory through a bare socket, and with raw GridFS. All of it by as many clients
at once, in turns. Run: ``python -m benchmarks.bench_server``.
"""

from __future__ import annotations

import argparse
import os
import secrets
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from socket import create_connection, create_server, socket
from typing import Any

from benchmarks.server_client import Person, register
from benchmarks.servers import Server, end_in_order, gunicorn, processor_ms, serve
from tests.mongodb import mongo_server, with_database

SIZE = 2_000_000
GOALS = {"folder, upload": 0.15, "folder, download": 0.05, "MongoDB, upload": 0.3, "MongoDB, download": 0.15}
"""At least so large a part of the peer, as the best of the numbers of clients: a computer that has other things to do
holds up an answer, in which processes take turns, more often than a peer that is one."""


def at_once(clients: int, each: int, work: Callable[[int], Callable[[], object]]) -> float:
    """Do ``each`` pieces of work in each of so many threads and return how many a second were done.

    ``work`` prepares a thread, with its number, and returns what is one piece.
    """
    pieces = [work(number) for number in range(clients)]
    ready = threading.Barrier(clients + 1)
    failures: list[BaseException] = []

    def run(piece: Callable[[], object]) -> None:
        ready.wait()
        try:
            for _ in range(each):
                piece()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(piece,), daemon=True) for piece in pieces]
    for thread in threads:
        thread.start()
    ready.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - start
    if failures:
        raise failures[0]
    return clients * each / took


# -- what could be done at best ---------------------------------------------------------------------------------------


def synced_files(folder: Path, data: bytes) -> Callable[[int], Callable[[], None]]:
    """Write the bytes to a new file, sync it, give it its name and sync that."""
    folder.mkdir(exist_ok=True)

    def write() -> None:
        path = folder / secrets.token_hex(8)
        with path.with_suffix(".part").open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        path.with_suffix(".part").rename(path)
        descriptor = os.open(folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    return lambda _number: write


def raw_gridfs(uri: str, data: bytes) -> tuple[Callable[[int], Callable[[], None]], Callable[[int], Callable[[], int]]]:
    """Put the bytes into GridFS, and get them from there."""
    from gridfs import GridFSBucket
    from pymongo import MongoClient

    client: MongoClient[dict[str, Any]] = MongoClient(uri, w="majority", journal=True)
    bucket = GridFSBucket(client.get_default_database(), bucket_name="peer", chunk_size_bytes=1 << 20)  # as here
    known = bucket.upload_from_stream("x", data)
    return (
        lambda _number: lambda: bucket.upload_from_stream("x", data) and None,
        lambda _number: lambda: len(bucket.open_download_stream(known).read()),
    )


def _send_forever(listening: socket, data: bytes) -> None:
    def answer(connection: socket) -> None:
        with connection:
            while connection.recv(1):
                connection.sendall(data)

    while True:
        threading.Thread(target=answer, args=(listening.accept()[0],), daemon=True).start()


@contextmanager
def bare_socket(data: bytes) -> Iterator[Callable[[int], Callable[[], None]]]:
    """Get the bytes from the memory of another process."""
    with create_server(("127.0.0.1", 0)) as listening:
        process = get_context("fork").Process(target=_send_forever, args=(listening, data), daemon=True)
        process.start()
        address = listening.getsockname()

        def prepare(_number: int) -> Callable[[], None]:
            connection, buffer = create_connection(address), bytearray(1 << 18)

            def get() -> None:
                connection.sendall(b"x")
                left = len(data)
                while left:
                    left -= connection.recv_into(buffer, min(left, len(buffer)))

            return get

        try:
            yield prepare
        finally:
            process.kill()
            process.join()


# -- Glassine ---------------------------------------------------------------------------------------------------------


def uploads(person: Person) -> Callable[[int], Callable[[], None]]:
    """Store another picture each time."""
    return lambda _number: person.client().upload_one


def downloads(person: Person) -> Callable[[int], Callable[[], None]]:
    """Get a picture that was stored before."""
    name = person.client().upload_one()

    def prepare(_number: int) -> Callable[[], None]:
        client = person.client()
        return lambda: client.download(name)

    return prepare


class Table:
    """Compares, prints, and remembers the best ratio of each kind."""

    def __init__(self, rounds: int, each: int) -> None:
        self.best: dict[str, float] = {}
        self._rounds, self._each = rounds, each
        print(f"{'2 MB each':40}{'clients':>8}{'Glassine':>15}{'processor':>12}{'peer':>15}{'ratio':>8}")

    def compare(
        self, server: Server, kind: str, what: str, clients: int, ours: Callable[[int], Callable[[], object]],
        peer: Callable[[int], Callable[[], object]],
    ) -> None:  # fmt: skip
        """Measure both in turns, and the server's processor time for one."""
        each = max(2, self._each // clients)
        at_once(clients, 1, ours)  # warm
        measured, worked = [], 0.0
        for _ in range(self._rounds):
            before = processor_ms(server.workers)
            rate = at_once(clients, each, ours)
            worked += (processor_ms(server.workers) - before) / (clients * each * self._rounds)
            measured.append((rate, at_once(clients, each, peer)))
        mine, best = (statistics.median(pair[n] for pair in measured) for n in (0, 1))
        ratio = statistics.median(pair[0] / pair[1] for pair in measured)
        self.best[kind] = max(ratio, self.best.get(kind, 0.0))
        unit = "/s" if "upload" in kind else " MB/s"
        factor = 1 if "upload" in kind else SIZE / 1e6
        rates = [f"{rate * factor:10.1f}{unit:5}" for rate in (mine, best)]
        print(f"{what:40}{clients:8}{rates[0]}{worked:9.1f} ms{rates[1]}{ratio:8.2f}", flush=True)


def measure(table: Table, place: str, what: str, server: Server, clients: list[int], peers: tuple[Any, Any]) -> None:
    """Uploads and downloads of one server."""
    person = register(server.address, SIZE)
    for kind, ours, peer in (("upload", uploads(person), peers[0]), ("download", downloads(person), peers[1])):
        for count in clients:
            table.compare(server, f"{place}, {kind}", f"{what}: {kind}", count, ours, peer)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_server", description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--each", type=int, default=16, help="pictures of a round, by all clients together")
    arguments = parser.parse_args()
    end_in_order()
    data = secrets.token_bytes(SIZE)
    table = Table(arguments.rounds, arguments.each)
    with tempfile.TemporaryDirectory(prefix="glassine-bench-") as name, bare_socket(data) as from_memory:
        folder = Path(name)
        with serve(data=folder / "data") as server:
            peers = synced_files(folder / "peer", data), from_memory
            measure(table, "folder", "folder, glassine serve", server, arguments.clients, peers)
        (folder / "mongodb").mkdir()
        with mongo_server(folder / "mongodb") as database:
            for workers in (1, 2):
                uri = with_database(database.uri, f"bench{workers}")
                with gunicorn(workers, folder, mongodb=uri) as running:
                    what = f"MongoDB, gunicorn, {workers} worker" + "s" * (workers > 1)
                    measure(table, "MongoDB", what, running, arguments.clients, raw_gridfs(uri, data))
    missed = 0
    print("\npeers: files written and synced, bytes through a bare socket; with MongoDB raw GridFS through pymongo")
    for kind, goal in GOALS.items():
        met = table.best[kind] >= goal
        missed += not met
        print(f"{kind}: best {table.best[kind]:.2f} of the peer, at least {goal:.2f}: {'met' if met else 'MISSED'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
