"""The tables of ``docs/THREATS.md``, made of the attacks and of what is shown elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.malicious_server.elsewhere import ROWS
from tests.malicious_server.every import ATTACKS, FAMILIES

ROOT: Final = Path(__file__).resolve().parents[2]
DOCUMENT: Final = ROOT / "docs" / "THREATS.md"
BEGIN: Final = "<!-- made by: python -m tests.malicious_server --document -->"
END: Final = "<!-- end of what is made -->"


def tables() -> str:
    """Return both tables as Markdown."""
    lines = ["", "### What the malicious server does", "", "| Attack | The server | People are told |", "|---|---|---|"]
    for family in FAMILIES:
        lines.append(f"| **{family}** | | |")
        for attack in ATTACKS:
            if attack.family == family:
                told = f"{attack.error.__name__} ({attack.error.code})" if attack.error else "nothing is reached"
                lines.append(f"| `{attack.name}` | {attack.did} | {told} |")
    lines += [
        "",
        "### What must hold, and where it is shown",
        "",
        "| What is done | How it ends | Shown by |",
        "|---|---|---|",
    ]
    for row in ROWS:
        proofs = ", ".join(f"`{proof}`" for proof in row.proofs)
        lines.append(f"| {row.name} | {row.ends} | {proofs} |")
    return "\n".join([*lines, ""])


def with_tables(text: str) -> str:
    """Return the document with its tables as they are now."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + "\n" + tables() + "\n" + END + rest.split(END)[1]
