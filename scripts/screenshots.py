"""Renders the shell's pages without a display, light and dark, at 1280×800 and 720×480.

Usage: ``python scripts/screenshots.py FOLDER [--photos FOLDER] [--scale 2] [--rtl]``. A vault in a temporary folder
is filled with the pictures of ``--photos`` (none: it stays empty); nothing of the person who runs it is touched.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
SIZES = ((1280, 800), (720, 480))
PASSPHRASE = "only for the screenshots"
PATIENCE_S = 60.0

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication, QWidget

    from desktop.widgets.main_window import MainWindow


class Photographer:
    """Brings a window into a state, takes its picture in both sizes, and names it."""

    def __init__(self, app: QApplication, folder: Path, photos: Path | None) -> None:
        self.app, self.folder, self.photos = app, folder, photos
        self.taken: list[Path] = []

    def settle(self, ready: Callable[[], bool] = lambda: True) -> None:
        """Let the event loop run until it has nothing to do and ``ready`` says so."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            self.app.processEvents()
            if ready():
                break
            time.sleep(0.01)
        else:
            raise SystemExit("a page did not get ready in time")
        for _ in range(5):
            self.app.processEvents()

    def take(self, window: MainWindow, name: str, dialog: Callable[[], QWidget] | None = None) -> None:
        """Take the window, and the dialog over it if there is one."""
        from PySide6.QtGui import QPainter

        for width, height in SIZES:
            window.resize(width, height)
            self.settle()
            shown = dialog() if dialog is not None else None
            self.settle()
            picture = window.grab()
            if shown is not None:
                painter = QPainter(picture)
                spot = shown.rect()
                spot.moveCenter(window.rect().center())
                painter.drawPixmap(spot.topLeft(), shown.grab())
                painter.end()
                shown.close()
                self.settle()
            path = self.folder / f"{name}-{window.theme.scheme}-{width}.png"
            picture.save(str(path))
            self.taken.append(path)


def photograph(photographer: Photographer, scheme: str, data: Path) -> None:
    """Go through every page in one scheme."""
    from desktop import app as composition
    from desktop.config import Config
    from desktop.errors import ServerSilent
    from desktop.models import PlaceKind
    from desktop.tasks import TaskRunner
    from desktop.viewmodels.shell import Stage

    config = Config(data)
    config.preferences.theme = scheme
    runner = TaskRunner()
    window = composition.build(config, runner, composition.make_sessions(config))
    models: Any = window._models
    window.show()

    models.sign_in.choose(PlaceKind.THIS_COMPUTER)
    photographer.take(window, "sign-in-vault")
    models.sign_in.choose(PlaceKind.SERVER)
    photographer.take(window, "sign-in-server")
    window.sign_in.fields["address"].set_text("pictures.example.org")
    window.sign_in.fields["user_name"].set_text("mara")
    models.sign_in.failed.emit(ServerSilent())
    photographer.take(window, "sign-in-failed")
    models.sign_in.set_registering(True)
    photographer.take(window, "register")
    models.sign_in.choose(PlaceKind.THIS_COMPUTER)

    models.sign_in.create_vault(PASSPHRASE, PASSPHRASE)
    photographer.settle(lambda: models.shell.stage is Stage.OPEN)
    vault: Any = window.open_vault
    photographer.settle(lambda: bool(vault._models.keys.entries))
    photographer.take(window, "gallery-empty")
    if photographer.photos is not None:
        fill(photographer, vault, photographer.photos)
        photographer.take(window, "gallery")
        vault.shell_page.set_panel_open(True)
        photographer.settle()
        time.sleep(0.2)
        photographer.take(window, "transfers")
        vault.shell_page.set_panel_open(False)
    vault.shell_page.show_page("keys")
    photographer.take(window, "keys")
    photographer.take(window, "key-new", lambda: open_dialog(vault, "NewKeyDialog"))
    photographer.take(window, "key-import", lambda: open_dialog(vault, "ImportKeyDialog"))
    vault.shell_page.show_page("settings")
    photographer.take(window, "settings")
    photographer.take(window, "shortcuts", lambda: open_sheet(window))
    photographer.take(window, "quit", lambda: open_question(window))
    window.show_unexpected("details")
    photographer.take(window, "banner")
    models.shell.lock()
    photographer.settle(lambda: models.shell.stage is Stage.LOCKED)
    photographer.take(window, "lock")
    models.lock.unlock("not this one")
    photographer.settle(lambda: bool(window.lock_page.fields["passphrase"].error))
    photographer.take(window, "lock-wrong")
    session = models.shell.session
    window.close()
    runner.close()
    session.close()
    photographer.settle()


def fill(photographer: Photographer, vault: Any, photos: Path) -> None:
    """Add the photographs and wait until they are stored and shown."""
    transfers = vault._models.transfers
    paths = sorted(path for path in photos.rglob("*.jpg"))[:24]
    transfers.add(paths)
    photographer.settle(lambda: transfers.summary.total > 0)
    photographer.settle(lambda: not transfers.summary.active)
    photographer.settle(lambda: vault._models.gallery.count >= len(paths) - transfers.summary.failed)
    end = time.monotonic() + 2
    photographer.settle(lambda: time.monotonic() > end)


def open_dialog(vault: Any, name: str) -> QWidget:
    """Open one of the key manager's dialogs."""
    from desktop.widgets import key_dialogs

    page = vault.keys_page
    dialog: QWidget = getattr(key_dialogs, name)(page._icons, page, page._vm)
    dialog.open()  # type: ignore[attr-defined]
    return dialog


def open_sheet(window: MainWindow) -> QWidget:
    """Open the sheet of keys."""
    from desktop.widgets.shortcut_sheet import ShortcutSheet

    window.show_shortcuts()
    return window.findChildren(ShortcutSheet)[-1]


def open_question(window: MainWindow) -> QWidget:
    """Open the question before quitting."""
    from desktop.widgets.dialogs import ConfirmDialog
    from desktop.widgets.open_vault import WorkInHand

    window._ask_to_leave(WorkInHand(encrypted=14, untouched=17), quitting=True)
    return window.findChildren(ConfirmDialog)[-1]


def main() -> int:
    """Take every picture and print where they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rtl", action="store_true")
    parser.add_argument("--scheme", choices=("light", "dark"))
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ["QT_SCALE_FACTOR"] = str(options.scale)
    options.folder.mkdir(parents=True, exist_ok=True)
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QApplication

    from desktop.app import name_application, route_qt_messages

    app = QApplication(["glassine"])
    route_qt_messages()
    name_application(app)
    if options.rtl:
        app.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    photographer = Photographer(app, options.folder, options.photos)
    for scheme in (options.scheme,) if options.scheme else ("light", "dark"):
        with tempfile.TemporaryDirectory() as data:
            photograph(photographer, scheme, Path(data))
    print(f"{len(photographer.taken)} pictures in {options.folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
