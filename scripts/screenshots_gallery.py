"""Screenshots of gallery, transfers and viewer, without a display and without a vault.

Run as ``python scripts/screenshots_gallery.py [FOLDER]``; the pictures go to FOLDER (default: ``screenshots``).
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PySide6.QtCore import QEventLoop, QItemSelectionModel, QLocale, QMimeData, QPoint, QPointF, QSize, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QStackedWidget, QWidget
from sample_vault import SampleVault, sample_files

from desktop import errors
from desktop.app import name_application
from desktop.tasks import TaskRunner
from desktop.viewmodels.gallery import GalleryState, GalleryViewModel
from desktop.viewmodels.transfers import TransfersViewModel
from desktop.viewmodels.viewer import ViewerState, ViewerViewModel
from desktop.widgets.deleting import delete_question
from desktop.widgets.drop_overlay import DropOverlay
from desktop.widgets.focus_ring import FocusRing
from desktop.widgets.gallery_page import GalleryPage
from desktop.widgets.icons import Icons
from desktop.widgets.preflight_dialog import PreflightDialog
from desktop.widgets.shell_page import ShellPage
from desktop.widgets.theme import Theme
from desktop.widgets.transfers_panel import TransfersPanel
from desktop.widgets.viewer_page import ViewerPage

WIDE, LEAST = QSize(1280, 800), QSize(720, 480)


def wait_for(condition: Callable[[], bool], limit_ms: int = 8000) -> None:
    """Let events run until the condition holds; an error if it never does."""
    loop, poll, end = QEventLoop(), QTimer(), QTimer()
    poll.timeout.connect(lambda: loop.quit() if condition() else None)
    end.setSingleShot(True)
    end.timeout.connect(loop.quit)
    poll.start(10)
    end.start(limit_ms)
    loop.exec()
    if not condition():
        raise TimeoutError("the window never came to show what the screenshot is of")


def settle(milliseconds: int = 250) -> None:
    """Let events run for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


class Scene:
    """A window over a sample vault."""

    def __init__(self, theme: Theme, icons: Icons, runner: TaskRunner, folder: Path) -> None:
        self.theme, self.icons, self.folder = theme, icons, folder
        self.gallery = GalleryViewModel(runner)
        self.transfers = TransfersViewModel(runner)
        self.viewer = ViewerViewModel(runner)
        self.gallery.follow(self.transfers)
        self.viewer.follow(self.gallery)
        self.window = QMainWindow()
        self.window.setMinimumSize(LEAST)
        self.page = GalleryPage(theme, icons, self.gallery)
        self.panel = TransfersPanel(theme, icons, self.transfers)
        self.shell = ShellPage(icons, {"pictures": self.page, "keys": QWidget(), "settings": QWidget()}, self.panel)
        self.page.use_banners(self.shell.banners)
        self.shell.sidebar.account.set_account("1" * 24, "Mara Lindqvist", "pictures.example.org")
        self.viewer_page = ViewerPage(theme, icons, self.viewer)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.shell)
        self.stack.addWidget(self.viewer_page)
        self.window.setCentralWidget(self.stack)
        self.overlay = DropOverlay(self.window, theme, icons)
        FocusRing(self.window, theme)

    def show(self, vault: SampleVault, size: QSize = WIDE, scheme: str = "light") -> None:
        """Open a vault in a window of that size."""
        self.theme.set_preference(scheme)
        self.window.resize(size)
        self.stack.setCurrentIndex(0)
        self.shell.set_panel_open(False)
        self.shell.banners.clear()
        self.window.show()
        self.viewer.start(vault)
        self.gallery.start(vault)
        self.transfers.start(vault)
        wait_for(lambda: self.gallery.state is GalleryState.READY)
        self.ready()

    def ready(self) -> None:
        """Wait for the thumbnails of what is seen."""
        settle(100)
        view, thumbnails = self.page.view, self.gallery.thumbnails
        if self.gallery.model.rowCount():
            wait_for(
                lambda: all(
                    thumbnails.image(self.gallery.model.picture(row).id) is not None for row in view.visible_rows()
                )
            )
        settle(100)

    def save(self, name: str) -> None:
        """Write what is seen, dialogs included."""
        picture = self.window.grab()
        for dialog in self.window.findChildren(QWidget):
            if dialog.isWindow() and dialog.isVisible():
                from PySide6.QtGui import QPainter

                painter = QPainter(picture)
                painter.drawPixmap(
                    (self.window.width() - dialog.width()) // 2,
                    (self.window.height() - dialog.height()) // 2,
                    dialog.grab(),
                )
                painter.end()
        picture.save(str(self.folder / f"{name}.png"))


def drag_over(window: QWidget, names: list[str]) -> QMimeData:
    """Send the first event of a drag; the data must be kept alive."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(f"/somewhere/{name}") for name in names])
    enter = QDragEnterEvent(
        QPoint(600, 400), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(window, enter)
    return data


def galleries(scene: Scene, files: list[Path], now: datetime) -> None:
    """The grid in its states."""
    plenty = SampleVault(files, 1284, now)
    scene.show(SampleVault(files, 0, now))
    scene.save("empty-light")
    scene.show(SampleVault(files, 0, now), LEAST, "dark")
    scene.save("empty-least-dark")
    for scheme in ("light", "dark"):
        scene.show(plenty, scheme=scheme)
        scene.save(f"gallery-{scheme}")
    view, select = scene.page.view, QItemSelectionModel.SelectionFlag
    view.choose([range(2, 4), range(6, 7)], select.Select)
    view.setFocus(Qt.FocusReason.TabFocusReason)
    view.selectionModel().setCurrentIndex(scene.gallery.model.index(6), select.NoUpdate)
    settle()
    scene.save("selection-dark")
    question = delete_question(scene.icons, scene.window, 3, here=False)
    question.open()
    settle()
    scene.save("delete-dark")
    question.reject()
    view.clearSelection()
    data = drag_over(scene.window, [f"IMG_{number}.JPG" for number in range(12)])
    settle()
    scene.save("drop-dark")
    scene.overlay.set_active(False)
    scene.overlay.set_active(True)
    scene.theme.set_preference("light")
    data = drag_over(scene.window, [f"IMG_{number}.JPG" for number in range(12)])
    settle()
    scene.save("drop-light")
    scene.overlay.set_active(False)
    scene.overlay.set_active(True)
    data = drag_over(scene.window, ["letter.pdf"])
    settle()
    scene.save("drop-unusable-light")
    scene.overlay.set_active(False)
    scene.overlay.set_active(True)
    del data
    scene.show(plenty, LEAST)
    scene.save("gallery-least")
    scene.show(SampleVault(files, 10_000, now, per_day=40))
    scene.page.view.verticalScrollBar().setValue(scene.page.view.verticalScrollBar().maximum() // 2)
    scene.ready()
    scene.save("gallery-10000")
    troubled = SampleVault(files, 60, now)
    troubled.make_problems()
    scene.show(troubled)
    scene.save("tiles-light")
    scene.show(troubled, scheme="dark")
    scene.save("tiles-dark")
    scene.page.header.search.setText("nothing like this")
    wait_for(lambda: scene.gallery.model.rowCount() == 0)
    settle()
    scene.save("search-nothing-dark")


def mirrored(scene: Scene, files: list[Path], now: datetime) -> None:
    """Right to left."""
    app = QApplication.instance()
    app.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    QLocale.setDefault(QLocale(QLocale.Language.Hebrew))
    scene.show(SampleVault(files, 400, now), QSize(880, 520), "dark")
    view, select = scene.page.view, QItemSelectionModel.SelectionFlag
    view.choose([range(1, 2)], select.Select)
    settle()
    scene.save("gallery-rtl")
    view.clearSelection()
    scene.viewer.open(scene.gallery.model.picture(2).id)
    scene.stack.setCurrentIndex(1)
    wait_for(lambda: scene.viewer.state is ViewerState.READY)
    scene.viewer_page.controls.stir()
    settle()
    scene.save("viewer-rtl")
    scene.viewer.close()
    app.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom))


def adding(scene: Scene, files: list[Path], now: datetime, scratch: Path) -> None:
    """Pre-flight and transfers."""
    scene.show(SampleVault(files, 300, now))
    bad = scratch / "notes.docx"
    bad.write_text("not a picture")
    dialog = PreflightDialog(scene.theme, scene.icons, scene.transfers, [*files, bad], scene.window)
    dialog.open()
    wait_for(dialog.start.isEnabled)
    settle()
    scene.save("preflight-light")
    dialog.reject()
    scene.theme.set_preference("dark")
    dialog = PreflightDialog(scene.theme, scene.icons, scene.transfers, [bad], scene.window)
    dialog.open()
    settle(400)
    scene.save("preflight-nothing-dark")
    dialog.reject()
    vault = SampleVault(files, 300, now)
    scene.show(vault)
    long_names = []
    for number, path in enumerate(files * 2):
        name = (
            f"IMG_{4400 + number}.JPG"
            if number % 5
            else f"A very long name that somebody gave {'so ' * 12}{number}.JPG"
        )
        copy = scratch / name
        copy.write_bytes(path.read_bytes())
        long_names.append(copy)
    vault.trouble[long_names[1].name] = errors.ServerFailed()
    vault.trouble[long_names[2].name] = errors.AlreadyStored(picture_id=f"{5:032x}")
    scene.shell.set_panel_open(True)
    scene.transfers.add([*long_names[:4], bad])
    wait_for(lambda: not scene.transfers.summary.active and scene.transfers.summary.finished == 5)
    vault.slow_s = 1.5
    scene.transfers.add(long_names[4:])
    wait_for(lambda: scene.transfers.summary.seconds_left is not None, 20_000)
    settle(900)
    scene.ready()
    scene.save("transfers-light")
    scene.window.resize(LEAST)
    settle()
    scene.save("transfers-least")
    scene.transfers.stop()
    settle()
    scene.window.resize(WIDE)
    settle()
    scene.save("transfers-empty")


def viewing(scene: Scene, files: list[Path], now: datetime) -> None:
    """The viewer."""
    vault = SampleVault(files, 300, now)
    scene.show(vault, scheme="dark")
    scene.viewer.open(scene.gallery.model.picture(0).id)
    scene.stack.setCurrentIndex(1)
    scene.viewer_page.stage.setFocus(Qt.FocusReason.OtherFocusReason)
    wait_for(lambda: scene.viewer.state is ViewerState.READY)
    scene.viewer_page.controls.stir()
    settle()
    scene.save("viewer-dark")
    scene.viewer_page.set_info_shown(True)
    scene.viewer_page.controls.stir()
    settle()
    scene.save("viewer-info-dark")
    scene.viewer_page.set_info_shown(False)
    scene.theme.set_preference("light")
    scene.viewer.next()
    wait_for(lambda: scene.viewer.state is ViewerState.READY)
    scene.viewer_page.stage.zoom_to(1.0, QPointF(500, 300))
    settle(600)
    scene.viewer_page.controls.stir()
    settle(50)
    scene.save("viewer-zoomed-light")
    third = scene.gallery.model.picture(5)
    vault.trouble[third.id] = errors.Damaged()
    scene.viewer.open(third.id)
    wait_for(lambda: scene.viewer.state is ViewerState.FAILED)
    settle()
    scene.save("viewer-failure-light")
    scene.window.resize(LEAST)
    scene.viewer.first()
    wait_for(lambda: scene.viewer.state is ViewerState.READY)
    scene.viewer_page.controls.stir()
    settle()
    scene.save("viewer-least-light")
    vault.slow_s = 3.0
    scene.viewer.open(scene.gallery.model.picture(9).id)
    settle(900)
    scene.save("viewer-loading-light")
    scene.viewer.close()


def main() -> int:
    """Make all of them."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    app = QApplication([])
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom))
    name_application(app)
    theme = Theme("light")
    theme.apply(app)
    runner = TaskRunner()
    now = datetime.now().replace(hour=18, minute=8)  # noqa: DTZ005
    with tempfile.TemporaryDirectory() as scratch:
        files = sample_files(Path(scratch))
        scene = Scene(theme, Icons(theme), runner, folder)
        galleries(scene, files, now)
        adding(scene, files, now, Path(scratch))
        viewing(scene, files, now)
        mirrored(scene, files, now)
        for part in (scene.transfers, scene.viewer, scene.gallery):
            part.stop()
        scene.window.close()
        runner.close()
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
