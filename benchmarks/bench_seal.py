"""Sealing and opening against age (pyrage), file to file, in one run: ``python -m benchmarks.bench_seal [FOLDER]``.

Rounds alternate between the two, so that what else the machine does meets both; medians are printed. Glassine puts what
it writes on the disk before it says it is done and age does not; the time for that is in Glassine's figures. At 1 MB
Glassine's two RSA signatures are most of the time.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyrage

from desktop.crypto import PrivateKey, Sealed, read_envelope, seal

ROUNDS = {1_000_000: 15, 10_000_000: 15, 100_000_000: 7}
KEY_BITS = 3072


def timed(action: Callable[[], object]) -> float:
    """Milliseconds that the action takes."""
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1e3


class Round:
    """One source file and the four pieces of work on it."""

    def __init__(self, folder: Path, size: int, key: PrivateKey, identity: pyrage.x25519.Identity) -> None:
        self.key, self.identity = key, identity
        self.source, self.carrier, self.age = folder / "source", folder / "noise.png", folder / "source.age"
        self.target = folder / "target"
        with self.source.open("wb") as file:
            for _ in range(size // 1_000_000):
                file.write(os.urandom(1_000_000))
            os.fsync(file.fileno())
        self.sealed: Sealed | None = None

    def seal(self) -> None:
        """Ours, to the carrier."""
        self.sealed = seal(
            self.source,
            self.carrier,
            self.key,
            name="sea.jpg",
            media_type="image/jpeg",
            width=4000,
            height=3000,
            taken="2024-05-06T07:08:09",
            thumbnail=bytes(range(1, 256)) * 60,
        )

    def open(self) -> None:
        """Ours, from the carrier: signatures, metadata, payload."""
        assert self.sealed is not None
        opened = read_envelope(self.sealed.envelope, owner=self.key.public).open(self.key)
        with self.carrier.open("rb") as file:
            opened.open_payload(file, self.target)

    def encrypt(self) -> None:
        """The peer's."""
        pyrage.encrypt_file(str(self.source), str(self.age), [self.identity.to_public()])

    def decrypt(self) -> None:
        """The peer's."""
        pyrage.decrypt_file(str(self.age), str(self.target), [self.identity])

    def run(self) -> dict[str, float]:
        """Do all four on fresh files; return milliseconds by name."""
        times = {}
        for name, action, used in (
            ("seal", self.seal, [self.carrier]),
            ("encrypt", self.encrypt, [self.age]),
            ("open", self.open, [self.target]),
            ("decrypt", self.decrypt, [self.target]),
        ):
            for path in used:
                path.unlink(missing_ok=True)
            os.sync()  # or the fsync of one would wait for what another left behind
            times[name] = timed(action)
        return times


def main(folder: str | None = None) -> None:
    """Print a line per measure: name, ours, peer's, ratio; and the carrier's expansion."""
    key = PrivateKey.generate(KEY_BITS)
    identity = pyrage.x25519.Identity.generate()
    print(f"{'':24}{'ours':>12}{'age':>12}{'ratio':>8}")
    for size, rounds in ROUNDS.items():
        with tempfile.TemporaryDirectory(dir=folder) as name:
            work = Round(Path(name), size, key, identity)
            work.run()
            results = [work.run() for _ in range(rounds)]
            median = {name: statistics.median(result[name] for result in results) for name in results[0]}
            for ours, peer in (("seal", "encrypt"), ("open", "decrypt")):
                what = f"{ours} {size // 1_000_000} MB"
                ratio = median[ours] / median[peer]
                print(f"{what:24}{median[ours]:>9.1f} ms{median[peer]:>9.1f} ms{ratio:>8.2f}", flush=True)
            assert work.sealed is not None
            expansion = work.sealed.carrier_size / size - 1
            print(f"{f'expansion {size // 1_000_000} MB':24}{expansion:>11.3%}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:2])
