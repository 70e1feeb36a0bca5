"""``make fuzz``: every parser of untrusted bytes for some minutes each, two at a time, and a table of what came of it.

``python -m tests.fuzz [--seconds 300] [--at-once 2] [--keep FOLDER] [PARSER…]``. Exit code 1 when anything was found:
another exception than a named one, an input that takes above 10 seconds, or more than 256 MB above what the process
needs before it begins.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import every

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Result:
    """What came of one parser."""

    name: str
    inputs: int
    reached: int
    peak_mb: int
    seconds: int
    found: tuple[Path, ...]
    failed: bool

    @property
    def line(self) -> str:
        """A row of the table."""
        verdict = "FOUND " + " ".join(path.name for path in self.found) if self.failed else "nothing found"
        return (
            f"{self.name:22} {self.seconds:5} s {self.inputs:10} inputs {self.reached:6} edges "
            f"{self.peak_mb:5} MB  {verdict}"
        )


def fuzz(name: str, seconds: int, folder: Path) -> Result:
    """Fuzz one parser in a process of its own."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(every.all_seeds(name)):
        (corpus / f"seed-{number}").write_bytes(seed)
    command = [sys.executable, "-m", "tests.fuzz.one", name, str(folder), str(seconds)]
    began = time.monotonic()
    with (folder / "log").open("wb") as log:
        done = subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, check=False)
    text = (folder / "log").read_text(encoding="utf-8", errors="replace")
    found = tuple(sorted(folder.glob("found-*")))
    return Result(
        name,
        _last(r"number_of_executed_units: (\d+)", text) or _last(r"^#(\d+)", text),
        _last(r"cov: (\d+)", text),
        _last(r"peak_rss_mb: (\d+)|rss: (\d+)Mb", text),
        round(time.monotonic() - began),
        found,
        done.returncode != 0 or bool(found),
    )


def _last(pattern: str, text: str) -> int:
    matches = re.findall(pattern, text, re.MULTILINE)
    if not matches:
        return 0
    last = matches[-1]
    return int("".join(last) if isinstance(last, tuple) else last)


def main() -> int:
    """Fuzz what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz every parser of untrusted bytes.")
    parser.add_argument("parsers", nargs="*", metavar="PARSER", help=", ".join(every.PARSERS))
    parser.add_argument("--seconds", type=int, default=300, help="for each parser (default: 300)")
    parser.add_argument("--at-once", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--keep", type=Path, help="where inputs, logs and findings go (default: build/fuzz)")
    arguments = parser.parse_args()
    names = arguments.parsers or list(every.PARSERS)
    if unknown := set(names) - every.PARSERS.keys():
        parser.error(f"no such parser: {', '.join(sorted(unknown))}")
    keep: Path = arguments.keep or ROOT / "build" / "fuzz"

    def one(name: str) -> Result:
        result = fuzz(name, arguments.seconds, keep.resolve() / name.replace(" ", "-"))
        print(result.line, flush=True)
        return result

    with ThreadPoolExecutor(arguments.at_once) as pool:
        results = list(pool.map(one, names))
    bad = [result.name for result in results if result.failed]
    print(f"{len(results) - len(bad)} of {len(results)} parsers: nothing found. Inputs and logs: {keep}")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
