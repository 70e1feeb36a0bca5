"""What the tests of packaging share. What makes Debian packages is tested where Debian packages are made."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

collect_ignore = [] if sys.platform.startswith("linux") else ["test_deb.py", "test_install_script.py"]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle with everything but its contents: a program that says its version, a library, a link."""
    folder = tmp_path / "made" / "glassine"
    inside = folder / "_internal"
    inside.mkdir(parents=True)
    program = folder / "glassine"
    program.write_text('#!/bin/sh\necho "glassine 1.2.3"\n', encoding="utf-8")
    program.chmod(0o700)
    (inside / "libx.so.1").write_bytes(b"a library")
    (inside / "libx.so").symlink_to("libx.so.1")
    return folder
