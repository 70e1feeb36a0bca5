"""``make attack-list``: play every attack and print what the server did, what people were told, and what came of it.

``python -m tests.malicious_server [NAME…]``. Exit code 1 if one of them was successful, or was not told properly.
Without names it also runs the tests of other folders that show what must hold besides (``elsewhere.py``).
``--document`` writes the tables of ``docs/THREATS.md`` instead.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
import tempfile
import textwrap
import time
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path

from tests.malicious_server.document import DOCUMENT, ROOT, with_tables
from tests.malicious_server.elsewhere import ROWS, named_tests
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


def outcomes(nodes: list[str]) -> dict[str, list[bool]]:
    """Run tests of other folders; return for each whether its runs succeeded, nothing for one that did not run."""
    found: dict[str, list[bool]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "--dist", "loadfile", f"--junitxml={report}"]
        subprocess.run(
            [*command, *(f"tests/{node}" for node in nodes)], cwd=ROOT, stdout=subprocess.DEVNULL, check=False
        )
        cases = ElementTree.parse(report).iter("testcase") if report.exists() else ()
        for case in cases:
            file = case.get("classname", "").replace(".", "/").removeprefix("tests/") + ".py"
            failed = any(case.find(kind) is not None for kind in ("failure", "error", "skipped"))
            found[f"{file}::{case.get('name', '').partition('[')[0]}"].append(not failed)
    return found


def besides(results: list[Result]) -> list[str]:
    """Print what must hold besides, and return what does not."""
    print(f"── what must hold besides, and is shown by tests of other folders {'─' * 89}")
    runs = outcomes(named_tests())
    held = {result.attack.name for result in results if not result.problem}
    bad: list[str] = []
    for line in ROWS:
        wrong = [proof for proof in line.proofs if proof not in held and not (runs.get(proof) and all(runs[proof]))]
        proofs = f"{len(line.proofs)} proof{'s' if len(line.proofs) > 1 else ''}"
        print(row(proofs, line.name, line.ends, "FAILED" if wrong else "held"), flush=True)
        for proof in wrong:
            print(f"    ! {proof}")
        bad += wrong
    return bad


def main() -> int:
    """Play and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.malicious_server", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="attacks to play (default: all)")
    parser.add_argument("--document", action="store_true", help="write the tables of docs/THREATS.md, play nothing")
    arguments = parser.parse_args()
    names = arguments.names
    if arguments.document:
        DOCUMENT.write_text(with_tables(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
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
    summary = f"{len(results) - len(bad)} of {len(results)} attacks held off"
    if not names:
        others = besides(results)
        summary += f", {len(ROWS)} lines shown besides by {len(named_tests())} tests"
        bad += [name for name in others if name not in bad]
    print(f"{summary}, in {time.monotonic() - began:.0f} s.")
    if bad:
        print("Not held off: " + ", ".join(bad), file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
