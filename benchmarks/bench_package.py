"""The package against a PyInstaller bundle of a bare PySide6 window that is built in the same run.

Size on the disk and packed as a .deb is; start to first paint of both bundles and of ``python main.py``, warm, and as
root cold too (the system's cache of files is dropped before each start; what lies below the system may still have it).
Processes alternate; medians. Needs what ``make package`` made. Run: ``python -m benchmarks.bench_package [--runs N]``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.bench_start import BARE, LIMIT, ROOT, seconds_to_first_paint

SIZE_LIMIT = 1.6
PACKER = ROOT / ".venv-package" / "bin" / "python"
BUNDLE = ROOT / "dist" / "glassine"
DROP_CACHES = Path("/proc/sys/vm/drop_caches")


def build_bare(folder: Path) -> Path:
    """Bundle the bare window with PyInstaller's own choices and return the bundle's folder."""
    source = folder / "bare.py"
    source.write_text(BARE, encoding="utf-8")
    command = [str(PACKER), "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR", "--name", "bare"]
    command += ["--distpath", str(folder / "dist"), "--workpath", str(folder / "work"), "--specpath", str(folder)]
    subprocess.run([*command, str(source)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder / "dist" / "bare"


def size_of(folder: Path) -> int:
    """Return the bytes of all files, links not counted twice."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def packed_size(folder: Path) -> int:
    """Return the bytes of the folder as an archive packed like the .deb."""
    tar = subprocess.Popen(["tar", "-C", str(folder.parent), "-cf", "-", folder.name], stdout=subprocess.PIPE)
    packed = subprocess.run(["xz", "-6", "--threads=1"], stdin=tar.stdout, capture_output=True, check=True).stdout
    tar.wait()
    return len(packed)


def drop_caches() -> None:
    """Make the next start a cold one."""
    os.sync()
    DROP_CACHES.write_text("3", encoding="ascii")


def medians(commands: dict[str, list[str]], runs: int, before: Callable[[], None] | None) -> dict[str, float]:
    """Return the median seconds to the first paint of each command."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(runs + 1):
            for name, command in commands.items():
                if before is not None:
                    before()
                seconds = seconds_to_first_paint(command, folder, f"{name.replace(' ', '-')}-{number}")
                if number:  # the first round only fills the caches of disk and bytecode
                    taken[name].append(seconds)
    return {name: statistics.median(values) for name, values in taken.items()}


def report_start(words: str, measured: dict[str, float]) -> None:
    """Print one line."""
    bundle, bare, source = measured["bundle"], measured["bare"], measured["main.py"]
    print(
        f"start to first paint, {words}: packaged {bundle * 1000:.0f} ms; {bundle / bare:.2f} times the bare window's "
        f"bundle ({bare * 1000:.0f} ms), wanted: at most {LIMIT}; {bundle / source:.2f} times python main.py "
        f"({source * 1000:.0f} ms)",
        flush=True,
    )


def main() -> int:
    """Print sizes, times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--cold-runs", type=int, default=7)
    options = parser.parse_args()
    packages = sorted((ROOT / "dist").glob("*.deb"))
    if not BUNDLE.is_dir() or not packages or not PACKER.exists():
        print("there is no package to measure; run make package first", file=sys.stderr)
        return 1
    folder = Path(tempfile.mkdtemp(prefix="glassine-bench-"))
    try:
        bare = build_bare(folder)
        ours, theirs = size_of(BUNDLE), size_of(bare)
        print(
            f"bundle: {ours / 1e6:.0f} MB, {ours / theirs:.2f} times the bare window's ({theirs / 1e6:.0f} MB); "
            f"wanted: at most {SIZE_LIMIT}",
            flush=True,
        )
        ours, theirs = packages[-1].stat().st_size, packed_size(bare)
        print(
            f".deb: {ours / 1e6:.0f} MB, {ours / theirs:.2f} times the bare window's bundle packed alike "
            f"({theirs / 1e6:.0f} MB); wanted: at most {SIZE_LIMIT}",
            flush=True,
        )
        commands = {
            "bare": [str(bare / "bare")],
            "bundle": [str(BUNDLE / "glassine")],
            "main.py": [sys.executable, str(ROOT / "main.py")],
        }
        report_start("warm", medians(commands, options.runs, None))
        if not options.cold_runs:
            print("start, cold: not asked for")
        elif os.access(DROP_CACHES, os.W_OK):
            report_start("cold", medians(commands, options.cold_runs, drop_caches))
        else:
            print("start, cold: not measured; dropping the caches needs root")
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
