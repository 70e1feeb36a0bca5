"""``glassine --self-test`` works, keeps what it is told to keep, and notices what it is there to notice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from desktop import cli, self_test

ROOT = Path(__file__).resolve().parents[2]


def glassine(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [sys.executable, str(ROOT / "main.py"), *arguments]
    return subprocess.run(
        command, env=kept | environment, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False
    )


def test_it_makes_a_vault_and_another_run_opens_it(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    first = glassine("--self-test", str(folder))
    assert (first.returncode, first.stderr) == (0, ""), first.stdout + first.stderr
    assert "made a vault" in first.stdout
    second = glassine("--self-test", str(folder))
    assert (second.returncode, second.stderr) == (0, ""), second.stdout + second.stderr
    assert "made a vault" not in second.stdout
    assert "each copy is identical to its original" in second.stdout


def test_a_copy_that_differs_is_a_failure(tmp_path: Path) -> None:
    assert glassine("--self-test", str(tmp_path)).returncode == 0
    original = tmp_path / self_test.ORIGINALS / "photo.jpg"
    original.write_bytes(original.read_bytes() + b"one byte more")
    done = glassine("--self-test", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == "the self-test failed: the copy of photo.jpg differs from the original\n"


def test_without_a_display_it_runs_in_memory_and_leaves_nothing(tmp_path: Path) -> None:
    done = glassine("--self-test", QT_QPA_PLATFORM="", TMPDIR=str(tmp_path), HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert " on offscreen\n" in done.stdout
    assert not list(tmp_path.iterdir())


def test_it_is_not_in_the_short_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--help"]) == 0
    assert cli.SELF_TEST not in capsys.readouterr().out
    assert cli.SELF_TEST in (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
