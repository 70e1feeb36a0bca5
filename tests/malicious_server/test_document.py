"""``docs/THREATS.md``: its tables are those of the tests, and every test that is named anywhere exists."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.malicious_server.document import DOCUMENT, ROOT, with_tables
from tests.malicious_server.elsewhere import ROWS, named_attacks, named_tests
from tests.malicious_server.every import ATTACKS

NAMES = {attack.name for attack in ATTACKS}


@cache
def functions(file: str) -> set[str]:
    """The tests in a file below ``tests``."""
    path = ROOT / "tests" / file
    if not path.is_file():
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_the_tables_are_those_of_the_tests() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert with_tables(text) == text, "run: python -m tests.malicious_server --document"


@pytest.mark.parametrize("name", named_tests())
def test_every_proof_exists(name: str) -> None:
    file, _, function = name.partition("::")
    assert function in functions(file)


def test_every_attack_that_is_named_is_played() -> None:
    assert named_attacks() <= NAMES
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_every_protected_line_names_its_proof() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    protected = text.split("## What is protected")[1].split("\n## ")[0]
    lines = re.split(r"^- ", protected, flags=re.MULTILINE)[1:]
    assert len(lines) >= 12
    for line in lines:
        proofs = re.findall(r"`([^`]+)`", line.rpartition("Shown by")[2])
        assert proofs, f"no proof: {line}"
        for proof in proofs:
            file, _, function = proof.partition("::")
            assert proof in NAMES or function in functions(file), f"{proof} is neither an attack nor a test"
