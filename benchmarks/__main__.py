"""Run every benchmark, each in a process of its own: ``python -m benchmarks [name …]``."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

BENCHMARKS = (
    "bench_seal", "bench_classic", "bench_drop", "bench_gallery", "bench_storage", "bench_start", "bench_server",
    "bench_server_size",
)  # fmt: skip


def main(wanted: list[str]) -> int:
    """Run the named benchmarks, or all; return 1 if one failed."""
    unknown = [name for name in wanted if importlib.util.find_spec(f"benchmarks.{name}") is None]
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    failed = []
    for name in wanted or BENCHMARKS:
        print(f"\n== {name}", flush=True)
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], env=environment, check=False).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
