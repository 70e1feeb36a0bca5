"""Key pairs that the crypto tests share, and a way to measure memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.crypto.keys import PrivateKey


@pytest.fixture(scope="session")
def owner() -> PrivateKey:
    """Whose pictures they are."""
    return PrivateKey.generate(2048)


@pytest.fixture(scope="session")
def friend() -> PrivateKey:
    """Whom the owner may have given something."""
    return PrivateKey.generate(2048)


@pytest.fixture(scope="session")
def stranger() -> PrivateKey:
    """Who was given nothing."""
    return PrivateKey.generate(2048)


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {field} in /proc/self/status")


@pytest.fixture
def peak_growth() -> Callable[[Callable[[], object]], int]:
    """Give a function that calls another and returns by how many bytes the process's memory peaked above the start."""

    def measure(action: Callable[[], object]) -> int:
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from now
        before = _status("VmRSS")
        action()
        return _status("VmHWM") - before

    return measure
