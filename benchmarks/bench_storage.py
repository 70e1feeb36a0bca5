"""What a stored picture costs as the vault grows: ``python -m benchmarks.bench_storage``.

Three embedded storages of different size are measured in turns, so that whatever else the machine does hits all alike.
Storing is the real thing: two blobs synced to the disk and a record committed. The pictures that only make a storage
large are put in without waiting for the disk.
"""

from __future__ import annotations

import argparse
import random
import secrets
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.storage.embedded import open_storage
from backend.storage.protocol import PictureRecord, Storage

if TYPE_CHECKING:
    from backend.storage.embedded_storage import EmbeddedStorage

OWNER = "0123456789abcdef01234567"
CREATED = datetime.fromisoformat("2024-05-17T11:22:33")
ENVELOPE = "e" * 3000
CONTENT, THUMBNAIL = secrets.token_bytes(20_000), secrets.token_bytes(6_000)
PAGE = 100
GOAL = 2.0


def record(storage: Storage, content: str, thumbnail: str) -> PictureRecord:
    name = f"p-{secrets.token_hex(16)}.png"
    return PictureRecord(
        storage.new_id(),
        OWNER,
        name,
        "sealed",
        len(CONTENT),
        CREATED,
        content,
        "ab" * 32,
        "",
        thumbnail,
        ENVELOPE,
        "cd" * 32,
    )


def fill(storage: EmbeddedStorage, folder: Path, count: int) -> None:
    """Put in pictures, a thousand to a commit, with blobs of one byte that are not synced."""
    for start in range(0, count, 1000):
        with storage._engine.lock:
            for _ in range(min(1000, count - start)):
                blob_ids = [secrets.token_hex(16) for _ in range(2)]
                for blob_id in blob_ids:
                    (folder / "blobs" / blob_id[:2] / blob_id).write_bytes(b"x")
                storage.add_picture(record(storage, *blob_ids))


def store(storage: Storage) -> PictureRecord:
    """Store a picture as the services do."""
    blob_ids = []
    for data in (CONTENT, THUMBNAIL):
        with storage.write_blob() as blob:
            blob.write(data)
            blob_ids.append(blob.commit())
    picture = record(storage, *blob_ids)
    storage.add_picture(picture)
    return picture


def timed(work: Callable[[], Any]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


class Candidate:
    """A storage of one size and the times measured on it."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder, self.size = folder, size
        self.storage = open_storage(folder)
        fill(self.storage, folder, size)
        self.pictures = self.storage.pictures(OWNER)
        self.times: dict[str, list[float]] = {}

    def note(self, what: str, milliseconds: float) -> None:
        self.times.setdefault(what, []).append(milliseconds)

    def measure(self, times: int) -> None:
        for _ in range(times):
            self._measure_once(random.choice(self.pictures))

    def _measure_once(self, some: PictureRecord) -> None:
        storage = self.storage
        added: list[PictureRecord] = []
        worked = time.process_time()
        self.note("store a picture", timed(lambda: added.append(store(storage))))
        self.note("  of it, processor", (time.process_time() - worked) * 1000)
        self.note("find one by its name", timed(lambda: storage.picture(OWNER, some.name)))
        self.note(f"a page of {PAGE}", timed(lambda: storage.pictures(OWNER, after=some.id, limit=PAGE)))
        self.note("count them", timed(lambda: storage.count_pictures(OWNER)))
        self.note("remove one", timed(lambda: storage.remove_picture(added[0].id)))
        for blob_id in (added[0].content_blob, added[0].thumbnail_blob):
            storage.remove_blob(blob_id)

    def measure_opening(self) -> None:
        for what, crashed in (("open", False), ("open after a crash", True)):
            self.storage.close()
            if crashed:
                (self.folder / "lock").write_bytes(b"open\n")

            def reopen() -> None:
                self.storage = open_storage(self.folder)

            self.note(what, timed(reopen))

    def median(self, what: str) -> float:
        return statistics.median(self.times[what])


@contextmanager
def candidates(sizes: list[int]) -> Iterator[list[Candidate]]:
    directory = Path(tempfile.mkdtemp(prefix="glassine-bench-"))
    made: list[Candidate] = []
    try:
        for size in sizes:
            made.append(Candidate(directory / str(size), size))
        yield made
    finally:
        for candidate in made:
            candidate.storage.close()
        shutil.rmtree(directory)


def stock_mongita(size: int, times: int) -> float:
    """Milliseconds for inserting one record with mongita's own disk engine, which syncs nothing. It needs an index to
    list an owner's pictures, as ours has."""
    from mongita import MongitaClientDisk

    def document() -> dict[str, Any]:
        return {"_id": secrets.token_hex(12), "owner_id": OWNER, "name": secrets.token_hex(16), "envelope": ENVELOPE}

    with tempfile.TemporaryDirectory(prefix="glassine-bench-") as directory:
        client = MongitaClientDisk(directory)
        collection = client["glassine"]["pictures"]
        collection.create_index("owner_id")
        collection.insert_many([document() for _ in range(size)])
        took = statistics.median(timed(lambda: collection.insert_one(document())) for _ in range(times))
        client.close()
    return took


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_storage", description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 50_000])
    parser.add_argument("--rounds", type=int, default=20, help="of ten operations of each kind for each size")
    arguments = parser.parse_args()
    sizes = sorted(arguments.sizes)
    with candidates(sizes) as made:
        for candidate in made:
            candidate.measure(5)  # warm
            candidate.times.clear()
        for _ in range(arguments.rounds):
            for candidate in made:
                candidate.measure(10)
        for _ in range(3):
            for candidate in made:
                candidate.measure_opening()
        print("milliseconds, median".ljust(24), *(f"{size:>9,}" for size in sizes), f"{'largest : smallest':>20}")
        ratios = {}
        for what in made[0].times:
            medians = [candidate.median(what) for candidate in made]
            ratios[what] = medians[-1] / medians[0]
            print(what.ljust(24), *(f"{m:9.3f}" for m in medians), f"{ratios[what]:19.2f}x")
        cost = [sum(c.median(w) for w in ("store a picture", "find one by its name")) for c in made]
        cost = [total + c.median(f"a page of {PAGE}") / PAGE for total, c in zip(cost, made, strict=True)]
        met = cost[-1] / cost[0] <= GOAL
        print("store + find + list one".ljust(24), *(f"{c:9.3f}" for c in cost), f"{cost[-1] / cost[0]:19.2f}x")
        print(f"cost per stored picture, largest : smallest, at most {GOAL:.0f}x: {'met' if met else 'MISSED'}")
        print("opening after a crash reads every record once, so it grows with them")
        smallest = made[0].storage
        insert = statistics.median(timed(lambda: smallest.add_picture(record(smallest, "", ""))) for _ in range(50))
    print(f"\none record inserted: {insert:.2f} ms, synced. Stock mongita, not synced:")
    for size in (100, 1000, 10_000, 50_000):
        took = stock_mongita(size, 10)
        print(f"  among {size:>6,} records {took:8.2f} ms {took / insert:8.1f}x")
    return 0


if __name__ == "__main__":
    sys.exit(main())
