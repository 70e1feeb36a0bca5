"""``glassine --self-test``: plays the main job at the real window, to see whether this installation works.

A vault is made, pictures are dropped on the window, the vault is closed and opened again, copies are saved and
compared. It happens in a temporary folder; with a folder given, the vault stays there, and one that an earlier run (of
an older version, say) left there is opened instead. Ships with the program, so it imports nothing that does not.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from desktop.display import NO_DISPLAY, display_problem, release_display

if TYPE_CHECKING:
    from desktop.widgets.main_window import MainWindow

PATIENCE_S: Final = 60.0
PASSPHRASE: Final = "a self-test needs no secret"  # noqa: S105
ORIGINALS: Final = "originals"


class Failed(Exception):
    """Something did not come out as it must."""


def run(folder: Path | None = None) -> int:
    """Play the main job and return 0 if all of it worked, else 1."""
    problem = display_problem(os.environ, [])
    if problem == NO_DISPLAY:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    elif problem:
        print(problem, file=sys.stderr)
        return 1
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            _play(folder.absolute())
        else:
            with tempfile.TemporaryDirectory(prefix="glassine-self-test-") as temporary:
                _play(Path(temporary))
    except (Failed, OSError) as error:
        print(f"the self-test failed: {error}", file=sys.stderr)
        return 1
    print("all of it works")
    return 0


def _play(folder: Path) -> None:
    from PySide6.QtWidgets import QApplication

    from desktop import __version__
    from desktop.app import name_application, route_qt_messages

    app = QApplication(["glassine", "-style", "Fusion"])
    release_display()
    route_qt_messages()
    name_application(app)
    print(f"glassine {__version__} on {app.platformName()}", flush=True)
    originals = folder / ORIGINALS
    if originals.is_dir():
        print(f"the vault that is there is used: {folder}", flush=True)
    else:
        pictures = draw_pictures(originals)
        _store(folder / "data", pictures)
    _save_and_compare(folder / "data", originals)


def draw_pictures(folder: Path) -> list[Path]:
    """Write one small picture of each kind that Glassine takes."""
    from PIL import Image

    folder.mkdir()
    drawn = Image.radial_gradient("L").resize((240, 160))
    colours = Image.merge("RGBA", (drawn, drawn.rotate(90), drawn.rotate(180), drawn))
    colours.save(folder / "alpha.png")
    drawn.convert("I;16").save(folder / "grey.png")
    for name in ("photo.jpg", "photo.webp", "scan.tif", "plain.bmp", "few colours.gif"):
        colours.convert("RGB").save(folder / name)
    return sorted(folder.iterdir())


def _store(data: Path, pictures: list[Path]) -> None:
    with _window(data) as window:
        _sign_in(window)
        print("made a vault", flush=True)
        vault = window.open_vault
        vault.drop_overlay.dropped.emit(pictures)
        _press_start(window)
        model = vault.gallery_page.view.model()
        _until(lambda: model.rowCount() == len(pictures) and not vault.waiting, "the pictures to be stored")
    print(f"stored {len(pictures)} pictures", flush=True)
    stored = [path.read_bytes() for path in data.rglob("*") if path.is_file()]
    for picture in pictures:
        piece = picture.read_bytes()[-64:]
        if any(piece in content for content in stored):
            raise Failed(f"{picture.name} is stored in the clear")


def _save_and_compare(data: Path, originals: Path) -> None:
    pictures = sorted(originals.iterdir())
    with _window(data) as window, tempfile.TemporaryDirectory(dir=originals.parent) as copies:
        _sign_in(window)
        print("opened the vault", flush=True)
        gallery = window.open_vault.gallery_page
        model = gallery.view.model()
        _until(lambda: model.rowCount() == len(pictures), "the pictures to be listed")
        gallery.view.selectAll()
        gallery.export_pictures(gallery.selection.pictures, Path(copies))
        bar = gallery.batch.bar
        _until(lambda: len([*Path(copies).iterdir()]) >= len(pictures) and not bar.isVisible(), "the copies")
        print(f"saved {len(pictures)} copies", flush=True)
        for picture in pictures:
            if (Path(copies) / picture.name).read_bytes() != picture.read_bytes():
                raise Failed(f"the copy of {picture.name} differs from the original")
    print("each copy is identical to its original", flush=True)


# -- at the window -------------------------------------------------------------------------------------------------


@contextmanager
def _window(data: Path) -> Iterator[MainWindow]:
    from desktop.app import Closing, build, make_sessions
    from desktop.config import Config
    from desktop.tasks import TaskRunner

    config, runner = Config(data), TaskRunner()
    window = build(config, runner, make_sessions(config))
    closing = Closing(window, runner)
    window.show()
    try:
        yield window
    finally:
        window.quit_now()
        closing.finish()
        window.deleteLater()


def _sign_in(window: MainWindow) -> None:
    """Create the vault of this data folder, or open the one that is there."""
    page = window.sign_in
    _until(lambda: window.focus_ring is not None, "the window to be painted")
    page.computer_card.click()
    for name, field in page.fields.items():
        if field.isVisible():
            field.set_text(PASSPHRASE)
            _until(lambda name=name: page.fields[name].text == PASSPHRASE, "the passphrase")  # type: ignore[misc]
    page.button.click()
    _until(lambda: window.stack.currentWidget() is not page, "the vault to open")


def _press_start(window: MainWindow) -> None:
    from desktop.widgets.preflight_dialog import PreflightDialog

    def sheet() -> PreflightDialog | None:
        return next((sheet for sheet in window.findChildren(PreflightDialog) if sheet.start.isEnabled()), None)

    _until(lambda: sheet() is not None, "the files to be looked over")
    found = sheet()
    if found is not None:
        found.start.click()


def _until(condition: Callable[[], bool], what: str) -> None:
    """Let the window live until the condition holds."""
    from PySide6.QtCore import QEventLoop, QTimer

    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise Failed(f"waited {PATIENCE_S:.0f} seconds for {what}")
        loop = QEventLoop()
        QTimer.singleShot(10, loop.quit)
        loop.exec()
