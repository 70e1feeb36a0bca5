"""``make attack-list``: play every attack and print what the server did, what people were told, and what came of it.

``python -m tests.malicious_server [NAME…]``. Exit code 1 if one of them was successful, or was not told properly.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import textwrap
import time
from pathlib import Path

from tests.malicious_server.every import ATTACKS, FAMILIES
from tests.malicious_server.people import running_server
from tests.malicious_server.playing import Result, play

WIDTHS = (28, 46, 62)


def row(*cells: str) -> str:
    """A row of the table, its cells wrapped."""
    columns = [textwrap.wrap(cell, width) or [""] for cell, width in zip(cells[:3], WIDTHS, strict=True)]
    lines = []
    for at in range(max(map(len, columns))):
        parts = [
            (column[at] if at < len(column) else "").ljust(width) for column, width in zip(columns, WIDTHS, strict=True)
        ]
        lines.append(" │ ".join([*parts, cells[3] if at == 0 else ""]).rstrip())
    return "\n".join(lines)


def main() -> int:
    """Play and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.malicious_server", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="attacks to play (default: all)")
    names = parser.parse_args().names
    if unknown := set(names) - {attack.name for attack in ATTACKS}:
        parser.error(f"no such attack: {', '.join(sorted(unknown))}")
    logging.disable(logging.CRITICAL)  # what the program logs of an attack is not part of the table
    results: list[Result] = []
    began = time.monotonic()
    print(row("attack", "what the server did", "what the client said", "result"))
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder)) as running:
        for family in FAMILIES:
            chosen = [attack for attack in ATTACKS if attack.family == family and (not names or attack.name in names)]
            if chosen:
                print(f"── {family} " + "─" * (150 - len(family)))
            for attack in chosen:
                result = play(attack, running)
                results.append(result)
                print(row(attack.name, attack.did, result.said, "FAILED" if result.problem else "held"), flush=True)
                if result.problem:
                    print(textwrap.indent(result.problem, "    ! "), flush=True)
    bad = [result.attack.name for result in results if result.problem]
    print(f"{len(results) - len(bad)} of {len(results)} attacks held off in {time.monotonic() - began:.0f} s.")
    if bad:
        print("Not held off: " + ", ".join(bad), file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
