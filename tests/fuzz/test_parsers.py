"""A short run of every parser on bytes near good ones and on any bytes: named errors only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop import errors
from tests.fuzz.every import NAMED, PARSERS, good, seeds
from tests.fuzz.found import FOUND, found
from tests.fuzz.near import near

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", PARSERS)
def test_good_inputs_are_read(name: str) -> None:
    for seed in good(name):
        try:
            result = PARSERS[name](seed)
        except errors.PassphraseNeeded:
            assert name == "private key"
        else:
            assert result or name == "carrier stream"


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_only_named_errors(name: str, data: st.DataObject) -> None:
    untrusted = data.draw(near(seeds()[name]) | st.binary(max_size=300))
    try:
        PARSERS[name](untrusted)
    except NAMED as error:
        if isinstance(error, errors.GlassineError):
            assert error.code
            assert error.message


@pytest.mark.parametrize(
    ("name", "file"), [(name, file) for name in PARSERS for file in found(name)] or [("header", "")]
)
def test_what_was_found_once_is_refused_by_name(name: str, file: str) -> None:
    data = found(name).get(file, b"")
    try:
        PARSERS[name](data)
    except NAMED:
        return


def test_every_parser_has_a_seed_and_every_finding_a_parser() -> None:
    assert seeds().keys() == PARSERS.keys()
    if FOUND.is_dir():
        assert {folder.name for folder in FOUND.iterdir()} <= {name.replace(" ", "-") for name in PARSERS}


def test_the_fuzzer_runs_and_says_what_came_of_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--seconds", "1", "--keep", str(tmp_path), "gone"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing found" in done.stdout
    assert (tmp_path / "gone" / "log").exists()
