"""What size costs a server: memory of a worker during a large upload, and a page of few and of many pictures.

A picture of 500 MB is stored through ``glassine serve`` and through gunicorn, over a folder and over MongoDB, and the
resident memory of the process that takes it in is watched. Then a page of 200 of 50,000 pictures, from the middle, is
asked for in turns with one of 1,000; the pictures are put into the storage directly, without bytes.

The MongoDB of the tests reads everything for every query and is slow to fill: there it is 5,000, and what counts is how
a page grows beside the same two queries asked directly. With GLASSINE_TEST_MONGODB_URI another one is used, and judged
like the folder. Run: ``python -m benchmarks.bench_server_size``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from pymongo import MongoClient

from backend.storage.embedded import open_storage
from backend.storage.mongo import open_mongo
from backend.storage.mongo_pictures import RECORD, _to_document
from backend.storage.mongo_storage import MongoStorage
from backend.storage.protocol import PictureRecord, Storage
from benchmarks.server_client import Person, register
from benchmarks.servers import PeakMemory, Server, end_in_order, gunicorn, serve
from tests.mongodb import ADDRESS, MongoDatabases, mongo_server

MEMORY_GOAL_MB = 80
LIST_GOAL = 2.0
PAGE = 200
BATCH = 100
CREATED = datetime.fromisoformat("2024-05-17T11:22:33")
Opened = Callable[[], AbstractContextManager[Storage]]


def pieces(size: int) -> Iterator[bytes]:
    """So many bytes."""
    piece = bytes(range(256)) * 1024
    for start in range(0, size, len(piece)):
        yield piece[: size - start]


def memory(what: str, server: Server, size: int) -> bool:
    """Store a large picture, print by how much the process grew meanwhile, and return whether that is little."""
    client = register(server.address).client()
    client.upload(2_000_000, lambda: pieces(2_000_000))  # everything is loaded
    start = time.perf_counter()
    with PeakMemory(server.workers) as peak:
        client.upload(size, lambda: pieces(size))
    grown = peak.grown_kib * 1024 / 1e6
    met = grown <= MEMORY_GOAL_MB
    took = time.perf_counter() - start
    goal = f"at most {MEMORY_GOAL_MB}: {'met' if met else 'MISSED'}"
    print(f"{what:28} {size / 1e6:.0f} MB in {took:5.1f} s, {grown:6.1f} MB above idle, {goal}", flush=True)
    return met


def fill(storage: Storage, owner_id: str, count: int) -> None:
    """Put in pictures without bytes."""
    record = PictureRecord(
        "", owner_id, "", "sealed", 2_000_000, CREATED, "c" * 32, "ab" * 32, "", "t" * 32, "e" * 3000, "cd" * 32
    )

    for start in range(0, count, BATCH):
        ids = [storage.new_id() for _ in range(min(BATCH, count - start))]
        made = [replace(record, id=each, name=f"p-{each}.png") for each in ids]
        if isinstance(storage, MongoStorage):  # a round trip for each would take minutes
            storage._pictures.insert_many([{**_to_document(one), "permissions": [], "earlier": []} for one in made])
            continue
        with storage._engine.lock:  # type: ignore[attr-defined]
            for one in made:
                storage.add_picture(one)


def page_ms(person: Person, after: str) -> float:
    """Milliseconds for a page of a list."""
    client = person.client()
    start = time.perf_counter()
    rows = client.json("GET", f"{person.images}?limit={PAGE}" + (f"&after={after}" if after else ""))
    took = (time.perf_counter() - start) * 1000
    if len(rows) != PAGE:
        raise RuntimeError(f"{len(rows)} rows")
    return took


def direct_ms(uri: str, owner_id: str, after: str) -> float:
    """Milliseconds for what a page needs of MongoDB, asked for without Glassine."""
    with MongoClient[dict[str, object]](uri) as client:
        pictures = client.get_default_database()["pictures"]
        wanted = {"owner_id": owner_id, "in_bin": False}
        pictures.find_one({"_id": after})  # connected
        start = time.perf_counter()
        pictures.count_documents(wanted)
        list(pictures.find({**wanted, "_id": {"$gt": after}}, RECORD, sort=[("_id", 1)], limit=PAGE))
        return (time.perf_counter() - start) * 1000


def lists(
    what: str, opened: Opened, running: Callable[[], AbstractContextManager[Server]], sizes: list[int], beside: str = ""
) -> bool:
    """Print what a page of each size takes, and return whether the largest is not much slower; ``beside``: than it is
    by asking that MongoDB directly."""
    with running() as server:
        people = [register(server.address) for _ in sizes]
    middles = []
    with opened() as storage:
        for person, size in zip(people, sizes, strict=True):
            fill(storage, person.user_id, size)
            middles.append(storage.pictures(person.user_id, limit=size // 2)[-1].id)
    ours: list[list[float]] = [[] for _ in sizes]
    direct: list[list[float]] = [[] for _ in sizes]
    with running() as server:
        for turn in range(21):
            for number, (person, middle) in enumerate(zip(people, middles, strict=True)):
                person.address = server.address
                milliseconds = page_ms(person, middle)
                peer = direct_ms(beside, person.user_id, middle) if beside else 1.0
                if turn:
                    ours[number].append(milliseconds)
                    direct[number].append(peer)
    medians, peers = ([statistics.median(taken) for taken in all_taken] for all_taken in (ours, direct))
    ratio = medians[-1] / medians[0] / (peers[-1] / peers[0])
    met = ratio <= LIST_GOAL
    words = ", ".join(f"of {size:,} {median:.1f} ms" for size, median in zip(sizes, medians, strict=True))
    if beside:
        words += f" (directly {', '.join(f'{median:.1f}' for median in peers)}); grows by"
    print(f"{what:28} a page of {PAGE} {words} {ratio:.2f}x, at most {LIST_GOAL:.0f}x: {'met' if met else 'MISSED'}")
    return met


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_server_size", description=__doc__.splitlines()[0])
    parser.add_argument("--upload", type=int, default=500_000_000, help="bytes of the large picture")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 50_000])
    arguments = parser.parse_args()
    end_in_order()
    size, sizes = arguments.upload, sorted(arguments.sizes)
    given = os.environ.get(ADDRESS, "")
    met: list[bool] = []
    with tempfile.TemporaryDirectory(prefix="glassine-bench-") as name:
        folder = Path(name)
        (folder / "mongodb").mkdir()
        with ExitStack() as stack:
            server_uri = given or stack.enter_context(mongo_server(folder / "mongodb")).uri
            databases = MongoDatabases(server_uri)
            stack.callback(databases.close)
            uri = databases.make

            places: list[tuple[str, AbstractContextManager[Server]]] = [
                ("folder, glassine serve", serve(data=folder / "1")),
                ("folder, gunicorn", gunicorn(1, folder, data=folder / "2")),
                ("MongoDB, glassine serve", serve(mongodb=uri())),
                ("MongoDB, gunicorn", gunicorn(1, folder, mongodb=uri())),
            ]
            for what, place in places:
                with place as server:
                    met.append(memory(what, server, size))
            data, address = folder / "lists", uri()
            met.append(
                lists("folder, glassine serve", lambda: closing(open_storage(data)), lambda: serve(data=data), sizes)
            )
            met.append(
                lists(
                    "MongoDB, gunicorn",
                    lambda: closing(open_mongo(address)),
                    lambda: gunicorn(1, folder, mongodb=address),
                    sizes if given else [min(sizes[0], 1000), min(sizes[-1], 5000)],
                    "" if given else address,
                )
            )
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
