"""The real program on a fresh data folder, and a real server for it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from tests.end_to_end.driver import Driver

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Glassine's data folder, empty."""
    folder = tmp_path / "data"
    monkeypatch.setenv("GLASSINE_DATA_DIR", str(folder))
    return folder


@pytest.fixture
def run_glassine(qapp: QApplication, data_folder: Path) -> Iterator[Callable[[], Driver]]:
    """Start the program, as often as a test likes; what a failed test left open is closed."""
    from desktop.app import name_application

    name_application(qapp)
    started: list[Driver] = []

    def begin() -> Driver:
        driver = Driver(data_folder)
        started.append(driver)
        return driver

    yield begin
    for driver in started:
        if driver.window_is_open():
            driver.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Run ``glassine serve`` as a process of its own and yield its address."""
    command = [
        sys.executable,
        "main.py",
        "serve",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--data",
        str(tmp_path / "server"),
    ]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, f"glassine serve said: {line}{process.stdout.read() if process.poll() is not None else ''}"
        yield found.group()
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
        process.stdout.close()
    assert code == 0
