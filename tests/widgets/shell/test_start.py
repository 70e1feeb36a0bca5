"""The window opens quickly and never without a display; what nobody foresaw is logged and shown."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from desktop.display import NO_DISPLAY, display_problem
from desktop.logs import KEPT, MAX_BYTES, PrivateLogFile, start_log

ROOT = Path(__file__).resolve().parents[3]

HEAVY = (
    "flask",
    "flask_jwt_extended",
    "mongita",
    "pymongo",
    "numpy",
    "requests",
    "keyring",
    "PIL",
    "cryptography",
    "backend",
)

PROBE = """
import os, sys
from desktop import app
names = {names!r}
def report(app, runner):
    loaded = sorted(name for name in names if name in sys.modules)
    print("loaded", loaded, flush=True)
    os._exit(0)
app._after_first_paint = report
from main import main
main([])
"""

PACKAGED = """
import runpy, sys
sys.argv = ["glassine"]
sys.frozen = True
{probe}
"""
"""The entry of the packages: PyInstaller runs its first steps, then main.py as the main program."""


def python(code: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    kept |= {"QT_QPA_PLATFORM": "offscreen", "GLASSINE_DATA_DIR": str(folder)} | environment
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=kept, capture_output=True, text=True, timeout=60, check=False
    )


def test_nothing_heavy_is_imported_before_the_first_paint(tmp_path: Path) -> None:
    done = python(PROBE.format(names=HEAVY), tmp_path)
    assert done.stdout.strip() == "loaded []", done.stdout + done.stderr


def test_nor_when_it_starts_from_a_package(tmp_path: Path) -> None:
    probe = PROBE.format(names=HEAVY)
    first = "runpy.run_path('scripts/package/restore_library_path.py')"
    entry = "runpy.run_path('main.py', run_name='__main__')"
    assert "from main import main\nmain([])" in probe
    code = PACKAGED.format(probe=probe.replace("from main import main\nmain([])", f"{first}\n{entry}"))
    done = python(code, tmp_path)
    assert done.stdout.strip() == "loaded []", done.stdout + done.stderr


def test_without_a_display_one_line_says_so(tmp_path: Path) -> None:
    done = python("from main import main; raise SystemExit(main([]))", tmp_path, QT_QPA_PLATFORM="")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [NO_DISPLAY]
    assert "make demo" in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_unreachable_display_does_not_abort(tmp_path: Path) -> None:
    code = "from main import main; raise SystemExit(main([]))"
    done = python(code, tmp_path, QT_QPA_PLATFORM="xcb", DISPLAY=":93")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("environment", "argv", "fine"),
    [
        ({}, [], False),
        ({"QT_QPA_PLATFORM": "offscreen"}, [], True),
        ({"QT_QPA_PLATFORM": "minimal"}, [], True),
        ({"QT_QPA_PLATFORM": "vnc:size=800x600"}, [], True),
        ({}, ["-platform", "offscreen"], True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, [], True),
        ({"QT_QPA_PLATFORM": "wayland", "WAYLAND_DISPLAY": "wayland-0"}, [], True),
        ({"QT_QPA_PLATFORM": "xcb"}, [], False),
    ],
)
def test_where_a_window_can_be_opened(environment: dict[str, str], argv: list[str], fine: bool) -> None:
    assert (display_problem(environment, argv, platform="linux") == "") is fine


def test_other_systems_always_have_a_display() -> None:
    assert display_problem({}, [], platform="darwin") == ""
    assert display_problem({}, [], platform="win32") == ""


def test_the_log_is_private_and_bounded(tmp_path: Path) -> None:
    path = tmp_path / "glassine.log"
    handler = PrivateLogFile(path)
    record = logging.LogRecord("x", logging.INFO, "f", 1, "%s", ("x" * 1000,), None)
    for _ in range(5 * MAX_BYTES // 1000):
        handler.emit(record)
    handler.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["glassine.log", *(f"glassine.log.{n}" for n in range(1, KEPT + 1))]
    for file in files:
        assert file.stat().st_mode & 0o077 == 0
        assert file.stat().st_size <= MAX_BYTES + 2000


def test_where_no_log_can_be_written_the_program_still_starts(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    assert start_log(blocked / "log") is None


def test_starting_the_log_makes_a_private_file(tmp_path: Path) -> None:
    handler = start_log(tmp_path / "data" / "log")
    assert handler is not None
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0
    try:
        logging.getLogger("glassine.test").info("hello")
        assert "hello" in (tmp_path / "data" / "log" / "glassine.log").read_text(encoding="utf-8")
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


class Window:
    def __init__(self) -> None:
        self.shown: list[str] = []
        self.closed = 0

    def show_unexpected(self, details: str) -> None:
        self.shown.append(details)

    def close(self) -> None:
        self.closed += 1


def test_an_exception_nobody_caught_is_logged_and_shown(caplog: pytest.LogCaptureFixture) -> None:
    from desktop.app import _hooks

    window: Any = Window()
    before = sys.excepthook
    with _hooks(window):
        try:
            raise ValueError("unforeseen")
        except ValueError as error:
            sys.excepthook(ValueError, error, error.__traceback__)
        sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
    assert sys.excepthook is before
    assert len(window.shown) == 1
    assert "ValueError: unforeseen" in window.shown[0]
    assert window.closed == 1
    assert "unforeseen" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_signal_ends_the_program_properly(tmp_path: Path) -> None:
    code = """
import os, signal
from desktop import app
app._after_first_paint = lambda application, runner: os.kill(os.getpid(), signal.SIGTERM)
from main import main
code = main([])
print("ended", code, flush=True)
"""
    done = python(code, tmp_path)
    assert done.stdout.strip() == "ended 0", done.stdout + done.stderr
    assert done.stderr == ""
    assert (tmp_path / "window").stat().st_mode & 0o077 == 0


HELD = """
import ctypes, os, sys
calls = []
class Call:
    def __init__(self, name): self.name = name
    def __call__(self, *arguments):
        calls.append(self.name)
        return 0 if self.name.endswith("has_error") else 7
class Library:
    def __init__(self, file): self.file = file
    def __getattr__(self, name):
        setattr(self, name, Call(self.file.split(".")[0] + " " + name))
        return self.__dict__[name]
ctypes.CDLL = Library
from desktop import app, display
print(display.display_problem({"DISPLAY": ":5"}, [], platform="linux") == "", calls)
calls.clear()
app._run = lambda application, files: print(calls)
os.environ["QT_QPA_PLATFORM"] = "offscreen"
app.run([])
"""


def test_the_checks_connection_is_held_until_qt_has_its_own(tmp_path: Path) -> None:
    done = python(HELD, tmp_path)
    assert done.stdout.splitlines() == [
        "True ['libxcb xcb_connect', 'libxcb xcb_connection_has_error']",
        "['libxcb xcb_disconnect']",
    ], done.stderr
