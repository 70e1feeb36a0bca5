"""A real drag: pictures from a file manager's window onto Glassine's, under Xvfb and openbox.

Starts its own X server, window manager, file manager and Glassine on a fresh vault; types the passphrase, drags every
picture of a folder with the mouse, waits until all are stored, quits, and compares what the vault opens to with what
was dragged, byte for byte. ``python -m scripts.drag_test [--keep FOLDER]``; exit code 0 when all are identical.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.sample_pictures import good_pictures, write_all

ROOT = Path(__file__).resolve().parent.parent
PASSPHRASE = "correct horse battery staple"
DEADLINE_S = 60.0


class Failed(Exception):
    """The drag did not do what it should; the message says at which step."""


def wait_for(what: str, probe: Callable[[], Any]) -> Any:
    """Poll until the probe answers something true; raise Failed after the deadline."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        value = probe()
        if value:
            return value
        time.sleep(0.1)
    raise Failed(f"waited {DEADLINE_S:.0f} s for {what}")


@contextlib.contextmanager
def process(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program and end it with the block."""
    with log.open("wb") as output:
        started = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT)
        try:
            yield started
        finally:
            if started.poll() is None:
                started.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    started.wait(10)
            if started.poll() is None:
                started.kill()
                started.wait()


@contextlib.contextmanager
def x_server(log: Path) -> Iterator[str]:
    """Start Xvfb on a free display and yield its name."""
    read_end, write_end = os.pipe()
    command = ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1600x900x24", "-nolisten", "tcp"]
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, pass_fds=[write_end])
        os.close(write_end)
        try:
            with os.fdopen(read_end, "rb") as pipe:
                number = pipe.readline().strip().decode()
            if not number:
                raise Failed(f"Xvfb did not start: {log.read_text()}")
            yield f":{number}"
        finally:
            server.terminate()
            server.wait()


class Desktop:
    """Mouse and keyboard of the X display, through xdotool."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment

    def do(self, *words: object) -> str:
        """Run xdotool with these words and return what it printed."""
        command = ["xdotool", *map(str, words)]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def window(self, name: str) -> str:
        """Wait for a visible window whose title has this in it and return its id."""
        found = wait_for(f"the window {name!r}", lambda: self.do("search", "--onlyvisible", "--name", name))
        return str(found).splitlines()[-1]

    def place(self, window: str, x: int, y: int, width: int, height: int) -> None:
        """Put a window somewhere and wait until it is there."""
        self.do("windowsize", "--sync", window, width, height)
        self.do("windowmove", window, x, y)
        time.sleep(0.5)

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Press, move in small steps as a hand does, release."""
        self.do("mousemove", *start)
        time.sleep(0.3)
        self.do("mousedown", 1)
        time.sleep(0.3)
        for step in range(1, 21):
            x = start[0] + (end[0] - start[0]) * step // 20
            y = start[1] + (end[1] - start[1]) * step // 20
            self.do("mousemove", x, y)
            time.sleep(0.04)
        time.sleep(0.5)
        self.do("mouseup", 1)

    def screenshot(self, path: Path) -> None:
        """Save the whole screen as PNG if ImageMagick is there; for people to look at, nothing depends on it."""
        if shutil.which("import"):
            subprocess.run(["import", "-window", "root", str(path)], env=self._environment, check=False)


def make_vault(folder: Path) -> None:
    """Create a vault as the sign-in page does."""
    from desktop.client.session import Sessions
    from desktop.config import Config
    from desktop.embedded import start
    from desktop.models import never_cancelled, no_report

    Sessions(Config(), start).create_vault(folder, PASSPHRASE, no_report, never_cancelled).close()


def stored_pictures(folder: Path) -> dict[str, bytes]:
    """Open every picture of the vault; real name to content."""
    from desktop.client.session import Sessions
    from desktop.config import Config
    from desktop.embedded import start
    from desktop.models import never_cancelled, no_report

    session = Sessions(Config(), start).open_vault(folder, PASSPHRASE, no_report, never_cancelled)
    try:
        vault = session.vault()
        return {
            picture.name: bytes(vault.open(picture.id, no_report, never_cancelled).data)
            for picture in vault.list_pictures(no_report, never_cancelled)
        }
    finally:
        session.close()


def drag_all(work: Path, pictures: dict[str, bytes]) -> None:
    """Do the whole drag in the given empty folder; raise Failed if a picture did not arrive."""
    photos = work / "photos"
    write_all(pictures, photos)
    home = work / "home"
    home.mkdir()
    environment = {
        **os.environ,
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "GLASSINE_DATA_DIR": str(work / "data"),
        "QT_QPA_PLATFORM": "xcb",
    }
    os.environ["GLASSINE_DATA_DIR"] = str(work / "data")
    from desktop.config import default_vault_folder

    vault = default_vault_folder()
    make_vault(vault)
    with contextlib.ExitStack() as stack:
        environment["DISPLAY"] = stack.enter_context(x_server(work / "xvfb.log"))
        desktop = Desktop(environment)
        stack.enter_context(process(["openbox"], environment, work / "openbox.log"))
        glassine = stack.enter_context(process([sys.executable, "main.py"], environment, work / "glassine.log"))
        window = desktop.window("Glassine")
        desktop.place(window, 700, 40, 880, 800)
        desktop.do("windowactivate", "--sync", window)
        time.sleep(2.0)
        desktop.do("type", "--delay", 20, PASSPHRASE)
        desktop.do("key", "Return")
        stack.enter_context(process(["pcmanfm", "--no-desktop", str(photos)], environment, work / "pcmanfm.log"))
        files = desktop.window("photos")
        desktop.place(files, 10, 40, 660, 640)
        desktop.do("windowactivate", "--sync", files)
        time.sleep(1.5)
        desktop.screenshot(work / "before.png")
        desktop.do("key", "ctrl+a")
        time.sleep(0.5)
        desktop.drag((240, 170), (1150, 500))
        time.sleep(2.0)
        desktop.screenshot(work / "dropped.png")
        desktop.do("windowactivate", "--sync", window)
        desktop.do("key", "Return")  # the pre-flight sheet's Start
        blobs = vault / "backend"
        wait_for(
            f"{len(pictures)} stored pictures",
            lambda: sum(path.stat().st_size > 0 for path in blobs.rglob("*") if path.is_file()) >= 2 * len(pictures),
        )
        time.sleep(2.0)
        desktop.screenshot(work / "stored.png")
        desktop.do("key", "ctrl+q")
        try:
            code = glassine.wait(20)
        except subprocess.TimeoutExpired as error:
            raise Failed("Glassine did not quit") from error
        if code:
            raise Failed(f"Glassine ended with {code}: {(work / 'glassine.log').read_text()}")
    stored = stored_pictures(vault)
    missing = [name for name in pictures if name not in stored]
    changed = [name for name in pictures if name in stored and stored[name] != pictures[name]]
    if missing or changed:
        raise Failed(f"missing: {missing}; changed: {changed}")


def main() -> int:
    """Run the drag and say how it went."""
    parser = argparse.ArgumentParser(description="drag pictures from a file manager into Glassine")
    parser.add_argument("--keep", type=Path, help="work in this new folder and keep it, with screenshots")
    arguments = parser.parse_args()
    pictures = good_pictures()
    with contextlib.ExitStack() as stack:
        if arguments.keep:
            arguments.keep.mkdir(parents=True)
            work = arguments.keep.resolve()
        else:
            work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="glassine-drag-")))
        try:
            drag_all(work, pictures)
        except Failed as problem:
            print(f"drag-test failed: {problem}", file=sys.stderr)
            return 1
    print(f"{len(pictures)} pictures dragged from the file manager, all stored, all identical")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
