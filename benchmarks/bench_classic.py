"""The classic scheme: 1 megapixel against the straightforward loop, 12 megapixels as a whole process.

``python -m benchmarks.bench_classic``
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from desktop.crypto import classic
from desktop.crypto.classic_keys import ClassicPrivateKey, ClassicPublicKey, save_key_pair

PUBLIC, PRIVATE = ClassicPublicKey(148039, 96569), ClassicPrivateKey(16641, 148039)
ROOT = Path(__file__).resolve().parents[1]
SECONDS_LIMIT = 3.0
MEGABYTES_LIMIT = 250


def make_picture(path: Path, width: int, height: int) -> None:
    """Write something like a photograph: smooth colours and noise."""
    y, x = np.mgrid[0:height, 0:width]
    smooth = np.stack([(x / 16) % 256, (y / 12) % 256, ((x + y) / 30) % 256], -1)
    noise = np.random.default_rng(1).normal(0, 6, smooth.shape)
    Image.fromarray((smooth + noise).clip(0, 255).astype(np.uint8)).save(path, compress_level=1)


def loop_encrypt(source: Path, picture: Path, quotient: Path) -> None:
    """Encrypt pixel by pixel, on plain lists: several times as fast as the original, which indexes arrays."""
    with Image.open(source) as image:
        planes = [list(image.getchannel(name).tobytes()) for name in "BGR"]
        size = image.size
    text = []
    for plane in planes:
        for at, m in enumerate(plane):
            c = pow(m, PUBLIC.e, PUBLIC.n)
            plane[at] = c % 256
            text.append(f"{c // 256} ")
    quotient.write_text("".join(text))
    Image.merge("RGB", [Image.frombytes("L", size, bytes(plane)) for plane in reversed(planes)]).save(picture)


def loop_decrypt(picture: Path, quotient: Path, target: Path) -> None:
    """Decrypt pixel by pixel."""
    with Image.open(picture) as image:
        planes = [list(image.getchannel(name).tobytes()) for name in "BGR"]
        size = image.size
    quotients = iter(quotient.read_text().split())
    for plane in planes:
        for at, low in enumerate(plane):
            plane[at] = pow(low + 256 * int(next(quotients)), PRIVATE.d, PRIVATE.n)
    Image.merge("RGB", [Image.frombytes("L", size, bytes(plane)) for plane in reversed(planes)]).save(target)


def seconds(work: Callable[..., object], *arguments: object) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def best(work: Callable[[int], object], rounds: int = 3) -> float:
    """Return the shortest of several calls, each with its number."""
    return min(seconds(work, number) for number in range(rounds))


def same(first: Path, second: Path) -> bool:
    """Whether two pictures have equal pixels."""
    with Image.open(first) as one, Image.open(second) as two:
        return np.array_equal(np.asarray(one), np.asarray(two))


def compare_with_loop(folder: Path) -> None:
    """Print the ratios at 1 megapixel, file to file, and check that the results are equal."""
    source = folder / "1mp.png"
    make_picture(source, 1250, 800)
    slow = seconds(loop_encrypt, source, folder / "loop.png", folder / "loop.txt")
    fast = best(lambda i: classic.encrypt_file(source, PUBLIC, folder / f"e{i}.png", folder / f"e{i}.txt"))
    if not same(folder / "loop.png", folder / "e0.png"):
        raise SystemExit("the encrypted pictures differ")
    if (folder / "loop.txt").read_bytes() != (folder / "e0.txt").read_bytes():
        raise SystemExit("the quotient texts differ")
    print(f"1 MP encrypt: {fast:.3f} s, per-pixel loop {slow:.2f} s: {slow / fast:.0f} times as fast, same bytes")

    slow = seconds(loop_decrypt, folder / "e0.png", folder / "e0.txt", folder / "loop-back.png")
    fast = best(lambda i: classic.decrypt_file(folder / "e0.png", folder / "e0.txt", PRIVATE, folder / f"back{i}.png"))
    if not (same(folder / "loop-back.png", folder / "back0.png") and same(source, folder / "back0.png")):
        raise SystemExit("the decrypted pictures differ")
    print(f"1 MP decrypt: {fast:.3f} s, per-pixel loop {slow:.2f} s: {slow / fast:.0f} times as fast, same pixels")


def process(*arguments: object) -> tuple[float, float]:
    """Run the command line and return seconds and peak megabytes of the whole process."""
    # the kernel's own high-water mark of the new process; what wait4 tells includes the one it was forked from
    code = (
        "import sys, main; code = main.main(sys.argv[1:]);"
        "print([line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0]); sys.exit(code)"
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{arguments} failed with {done.returncode}: {done.stderr}")
    return took, int(done.stdout.split()[-1]) / 1024


def whole_process(folder: Path) -> bool:
    """Print seconds and memory at 12 megapixels; return whether both stay below their limits."""
    source, encrypted, back = (folder / name for name in ("12mp.png", "12mp-e.png", "12mp-back.png"))
    make_picture(source, 4000, 3000)
    private, public = save_key_pair(folder, PUBLIC, PRIVATE)
    fits = True
    for name, arguments in (
        ("encrypt", ("classic", "encrypt", source, "--key", public, "--out", encrypted)),
        ("decrypt", ("classic", "decrypt", encrypted, "--key", private, "--out", back)),
    ):
        took, memory = process(*arguments)
        print(
            f"12 MP {name}, whole process: {took:.2f} s (limit {SECONDS_LIMIT:.0f}), "
            f"peak {memory:.0f} MB (limit {MEGABYTES_LIMIT})"
        )
        fits = fits and took <= SECONDS_LIMIT and memory <= MEGABYTES_LIMIT
    if not same(source, back):
        raise SystemExit("the picture did not come back")
    return fits


def main() -> int:
    """Run both; return 1 if a limit is broken."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compare_with_loop(folder)
        return 0 if whole_process(folder) else 1


if __name__ == "__main__":
    raise SystemExit(main())
