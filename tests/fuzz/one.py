"""One parser, fuzzed in a process of its own: ``python -m tests.fuzz.one PARSER FOLDER [options of libFuzzer…]``.

With atheris the inputs are led by what they reach in ``desktop`` and ``backend``; where it is not available hypothesis
draws inputs near good ones for as long. The first thing that is not a named error ends the process, the input beside.
"""

from __future__ import annotations

import hashlib
import resource
import sys
import time
from pathlib import Path
from typing import Any, Final

MEMORY_MB: Final = 256
"""Above what the process takes when it has read every seed once."""
INPUT_SECONDS: Final = 10


def main(arguments: list[str]) -> int:
    """Fuzz until the time is over; 0, or not when something was found."""
    name, folder, seconds, atheris = arguments[0], Path(arguments[1]), int(arguments[2]), _atheris()
    if atheris is None:
        return _with_hypothesis(name, folder, seconds)
    with atheris.instrument_imports(include=["desktop", "backend"]):
        parse, named, seeds = _parser(name)

    def one(data: bytes) -> None:
        try:
            parse(data)
        except named:
            return

    for seed in seeds:
        one(seed)  # what is imported and made once is not counted as anybody's input
    # an input is longer than its seeds only where that can matter
    longest = max(4096, 2 * max(map(len, seeds)))
    limit = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024 + MEMORY_MB
    options = [f"-max_total_time={seconds}", f"-artifact_prefix={folder}/found-", f"-max_len={longest}"]
    options += [f"-rss_limit_mb={limit}", f"-timeout={INPUT_SECONDS}", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], str(folder / "corpus"), *options, *arguments[3:]], one)
    atheris.Fuzz()
    return 0


def _parser(name: str) -> tuple[Any, Any, list[bytes]]:
    """A parser, what it may raise, its seeds; no more is imported than it needs, because instrumenting takes time."""
    from desktop.errors import GlassineError
    from tests.fuzz import parsers
    from tests.fuzz.found import found

    if name in parsers.PARSERS:
        return parsers.PARSERS[name], GlassineError, [parsers.seeds()[name], *found(name).values()]
    from tests.fuzz import every

    return every.PARSERS[name], every.NAMED, every.all_seeds(name)


def _atheris() -> Any:
    try:
        import atheris
    except ImportError:  # no wheel for this interpreter or system
        return None
    return atheris


def _with_hypothesis(name: str, folder: Path, seconds: int) -> int:
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    from tests.fuzz.near import near

    parse, named, seeds = _parser(name)
    until = time.monotonic() + seconds
    last = [b""]

    @settings(
        max_examples=500,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def some(data: st.DataObject) -> None:
        last[0] = data.draw(st.sampled_from(seeds).flatmap(near) | st.binary(max_size=4000))
        try:
            parse(last[0])
        except named:
            return

    try:
        while time.monotonic() < until:
            some()
    except BaseException:
        (folder / f"found-{hashlib.sha256(last[0]).hexdigest()[:16]}").write_bytes(last[0])
        raise
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
