"""The tour without a display: plays the main job at the real window and leaves screenshots and a summary.

``python -m scripts.demo [FOLDER]`` (default ``demo-output``). The photographs are those of Debian's mate-backgrounds if
it is installed, else drawn ones. Everything is real: keys, encryption, storage, the server; only the screen is not.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QApplication

from desktop.app import name_application
from tests.end_to_end.driver import Driver
from tests.sample_pictures import bad_files, good_pictures, photograph, write_all

ROOT = Path(__file__).resolve().parent.parent
BACKGROUNDS = Path("/usr/share/backgrounds/mate")
PASSPHRASE = "a long walk by the river"
PASSWORD = "and back over the bridge"


COUNT = 40


def installed_photographs() -> list[Path]:
    """The photographs of mate-backgrounds; none if it is not installed."""
    return sorted(path for kind in ("*.jpg", "*.png") for path in BACKGROUNDS.rglob(kind))


def collect_photographs(folder: Path, found: list[Path]) -> list[Path]:
    """Forty in a new folder: those found, kinds of files that cameras seldom make, and drawn landscapes."""
    folder.mkdir()
    for path in found:
        shutil.copyfile(path, folder / path.name)
    rare = good_pictures()
    for number in range(COUNT - len(rare) - len(found)):
        taken = f"2026:11:{26 - number // 5:02} {17 - number % 5:02}:{(number * 17) % 60:02}:00"
        (folder / f"IMG_{4400 + number}.jpg").write_bytes(photograph(number, taken=taken))
    write_all(rare, folder)
    return sorted(folder.iterdir())


class Tour:
    """Goes through the program and writes down what it saw.

    Attributes:
        lines: The summary so far.
    """

    def __init__(self, output: Path, work: Path, *, drawn: bool) -> None:
        self.output, self.work = output, work
        self.lines: list[str] = []
        self._shots = 0
        self.photographs = collect_photographs(work / "photographs", [] if drawn else installed_photographs())

    def say(self, line: str) -> None:
        """Write a line of the summary, and print it."""
        self.lines.append(line)
        print(line, flush=True)

    def shot(self, glassine: Driver, name: str) -> None:
        """Save a screenshot."""
        self._shots += 1
        glassine.grab(self.output / f"{self._shots:02}-{name}.png")

    def first_day(self) -> None:
        """Create a vault on this computer and drop everything at once."""
        glassine = Driver(self.work / "data")
        self.shot(glassine, "sign-in")
        glassine.create_vault(PASSPHRASE)
        self.shot(glassine, "empty")
        odd = write_all(bad_files(), self.work / "odd")
        size = sum(path.stat().st_size for path in self.photographs)
        self.say(
            f"Dropped {len(self.photographs)} photographs ({size / 1e6:.0f} MB) and {len(odd)} unusable files at once."
        )
        glassine.stalls.begin()
        begun = time.perf_counter()
        glassine.drop([*self.photographs, *odd])
        glassine.see("cannot be added")
        self.shot(glassine, "pre-flight")
        glassine.press("Start")
        glassine.until(lambda: glassine.shown() > 0, "the first tile")
        first = time.perf_counter() - begun
        glassine.press("Transfers")
        glassine.until(lambda: glassine.shown() >= 8, "some pictures to be encrypted")
        self.shot(glassine, "transfers")
        glassine.until(lambda: glassine.shown() == len(self.photographs) and not glassine.busy(), "all tiles")
        whole = time.perf_counter() - begun
        stall = glassine.stalls.end()
        self.say(f"First tile after {first:.1f} s, all stored after {whole:.1f} s, longest stall {stall:.0f} ms")
        self.shot(glassine, "transfers-done")
        glassine.key(Qt.Key.Key_Escape)
        glassine.until(glassine.thumbnails_painted, "the thumbnails")
        self.shot(glassine, "gallery")
        glassine.close()

    def next_day(self) -> None:
        """Come back, look, save copies, compare."""
        glassine = Driver(self.work / "data")
        glassine.open_vault(PASSPHRASE)
        glassine.until(lambda: glassine.shown() == len(self.photographs), "all tiles after coming back")
        glassine.until(glassine.thumbnails_painted, "the thumbnails")
        glassine.open_first()
        glassine.until(lambda: not glassine.picture_on_stage().isNull(), "the picture on the stage")
        self.shot(glassine, "viewer")
        glassine.key(Qt.Key.Key_Escape)
        glassine.select_all()
        self.shot(glassine, "selection")
        copies = self.work / "copies"
        copies.mkdir()
        glassine.press("Save a copy")
        glassine.choose_path(copies)
        glassine.until(lambda: len(list(copies.iterdir())) == len(self.photographs) and not glassine.saving(), "copies")
        self.shot(glassine, "copies-saved")
        self.compare(copies, "this computer")
        glassine.key(Qt.Key.Key_Escape)
        for page in ("Keys", "Settings"):
            glassine.press(page)
            self.shot(glassine, page.lower())
        glassine.press("All pictures")
        glassine.key(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
        glassine.see("Locked")
        self.shot(glassine, "locked")
        glassine.close()

    def in_the_dark(self) -> None:
        """The same in the dark scheme, and in a small window."""
        glassine = Driver(self.work / "data")
        glassine.window.theme.set_preference("dark")
        glassine.open_vault(PASSPHRASE)
        glassine.until(lambda: glassine.shown() == len(self.photographs), "all tiles")
        glassine.until(glassine.thumbnails_painted, "the thumbnails")
        self.shot(glassine, "gallery-dark")
        glassine.open_first()
        glassine.until(lambda: not glassine.picture_on_stage().isNull(), "the picture on the stage")
        self.shot(glassine, "viewer-dark")
        glassine.key(Qt.Key.Key_Escape)
        glassine.window.resize(QSize(720, 480))
        glassine.until(glassine.thumbnails_painted, "the thumbnails")
        self.shot(glassine, "small-dark")
        glassine.window.theme.set_preference("light")
        self.shot(glassine, "small")
        glassine.close()

    def with_a_server(self) -> None:
        """The same job over HTTP."""
        command = [sys.executable, "main.py", "serve", "--port", "0", "--data", str(self.work / "server")]
        server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            assert server.stdout is not None
            found = re.search(r"http://\S+:\d+", server.stdout.readline())
            assert found, "glassine serve did not start"
            photographs = self.photographs[:12]
            glassine = Driver(self.work / "data-2")
            glassine.create_account(found.group(), "mara", PASSWORD, PASSPHRASE)
            glassine.add(photographs)
            glassine.until(lambda: glassine.shown() == len(photographs) and not glassine.busy(), "all tiles")
            glassine.close()
            glassine = Driver(self.work / "data-2")
            glassine.sign_in(found.group(), "mara", PASSWORD, PASSPHRASE)
            glassine.until(lambda: glassine.shown() == len(photographs), "all tiles after coming back")
            glassine.until(glassine.thumbnails_painted, "the thumbnails")
            self.shot(glassine, "server")
            copies = self.work / "copies from the server"
            copies.mkdir()
            glassine.save_copies_of_all(copies)
            glassine.until(lambda: len(list(copies.iterdir())) == len(photographs) and not glassine.saving(), "copies")
            self.compare(copies, "a server over HTTP", photographs)
            glassine.close()
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
            if server.stdout:
                server.stdout.close()

    def two_people(self) -> None:
        """Share, compare, accept, look at what the server sees, take back, and the bin, with two windows over HTTP."""
        command = [sys.executable, "main.py", "serve", "--port", "0", "--data", str(self.work / "server-2")]
        server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            assert server.stdout is not None
            found = re.search(r"http://\S+:\d+", server.stdout.readline())
            assert found, "glassine serve did not start"
            mara, tom = Driver(self.work / "mara"), Driver(self.work / "tom")
            for person, name in ((mara, "mara"), (tom, "tom")):
                person.create_account(found.group(), name, PASSWORD, PASSPHRASE)
                person.settle()
                if person.reads("You have no recovery kit yet"):
                    person.press("Close")
            mara.add(self.photographs[:12])
            mara.until(lambda: mara.stored() == 12 and not mara.busy(), "twelve stored pictures")
            self.share(mara)
            self.accept(tom)
            self.take_back(mara, tom)
            self.bin(mara)
            mara.close()
            tom.close()
            self.say("Two people shared a picture, compared words, and parted; the bin gave back what was moved there.")
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
            if server.stdout:
                server.stdout.close()

    def share(self, mara: Driver) -> None:
        """Share one picture after comparing."""
        mara.until(mara.thumbnails_painted, "the thumbnails")
        mara.choose_row(0)
        mara.press("Share")
        mara.type("User name", "tom")
        mara.press("Add")
        mara.press("Compare words with tom")
        self.shot(mara, "compare")
        mara.press("Digits and code")
        self.shot(mara, "digits")
        mara.press("They match")
        mara.see("Verified")
        self.shot(mara, "share")
        mara.press("Before and after")
        mara.see("The shared copy")
        self.shot(mara, "before-and-after")
        mara.key(Qt.Key.Key_Escape)
        mara.press("Share")
        mara.see("Shared 1 picture with tom")
        self.shot(mara, "shared")
        mara.open_row(0)
        mara.until(lambda: not mara.picture_on_stage().isNull(), "the picture on the stage")
        mara.key(Qt.Key.Key_I)
        mara.see("The stored file, ")
        self.shot(mara, "what-the-server-sees")
        mara.key(Qt.Key.Key_Escape)
        mara.key(Qt.Key.Key_Escape)

    def accept(self, tom: Driver) -> None:
        """See what waits, accept it, look at it."""
        tom.go("Shared with me")
        tom.see("Waiting for you")
        self.shot(tom, "waiting")
        tom.press("Accept, mara")
        tom.until(lambda: not tom.reads("Waiting for you") and bool(tom.name_of(0)), "the picture, decoded")
        tom.until(tom.thumbnails_painted, "the thumbnail")
        self.shot(tom, "shared-with-me")
        tom.open_row(0)
        tom.until(lambda: not tom.picture_on_stage().isNull(), "the picture on the stage")
        self.shot(tom, "shared-picture")
        tom.key(Qt.Key.Key_Escape)

    def take_back(self, mara: Driver, tom: Driver) -> None:
        """Take the picture back, encrypted again."""
        mara.choose_row(0)
        mara.press("Share")
        mara.press("Stop sharing with tom")
        mara.see("Stop sharing 1 picture with tom?")
        self.shot(mara, "stop-sharing")
        mara.press("Stop sharing")
        mara.until(lambda: not mara.reads("Since"), "nobody in the list")
        mara.press("Close")
        tom.go("All pictures")
        tom.go("Shared with me")
        tom.see("Nothing shared with you yet")

    def bin(self, mara: Driver) -> None:
        """Move pictures to the bin and take one back."""
        mara.select_all()
        mara.press("Move to bin")
        mara.see("Moved 12 pictures to the bin")
        self.shot(mara, "moved-to-bin")
        mara.go("Bin")
        mara.until(lambda: mara.shown() == 12, "the bin")
        mara.until(mara.thumbnails_painted, "the thumbnails of the bin")
        self.shot(mara, "bin")
        mara.select_all()
        mara.press("Restore")
        mara.until(lambda: mara.shown() == 0, "an empty bin")

    def compare(self, copies: Path, place: str, originals: list[Path] | None = None) -> None:
        """Compare saved copies with the originals by SHA-256."""
        originals = self.photographs if originals is None else originals
        same = sum(sha256(copies / path.name) == sha256(path) for path in originals)
        self.say(f"Saved copies from {place}: {same} of {len(originals)} identical by SHA-256.")
        if same != len(originals):
            raise SystemExit("the tour failed: saved copies differ")


def sha256(path: Path) -> str:
    """Hash a file; empty if it is not there."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def main() -> int:
    """Play the tour."""
    parser = argparse.ArgumentParser(description="play the tour without a display")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("demo-output"), help="where screenshots go")
    parser.add_argument("--drawn", action="store_true", help="use drawn pictures only")
    arguments = parser.parse_args()
    output: Path = arguments.folder
    if output.exists():
        shutil.rmtree(output)
    output.mkdir(parents=True)
    application = QApplication(["glassine"])
    name_application(application)
    with tempfile.TemporaryDirectory(prefix="glassine-demo-") as work:
        os.environ["GLASSINE_DATA_DIR"] = str(Path(work) / "data")
        tour = Tour(output, Path(work), drawn=arguments.drawn)
        tour.first_day()
        tour.next_day()
        tour.in_the_dark()
        tour.with_a_server()
        tour.two_people()
    summary = output / "summary.txt"
    summary.write_text("\n".join(tour.lines) + "\n", encoding="utf-8")
    print(f"{len(list(output.glob('*.png')))} screenshots and {summary.name} are in {output}/")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
