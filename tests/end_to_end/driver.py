"""Plays a person at the real window: drops files, presses buttons by their words, types, waits for what can be seen.

Used by the end-to-end tests and by ``scripts/demo.py``. Everything behind the window is real: the composition root,
threads, crypto, backend. It looks at the window, never at what is behind it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QEvent, QEventLoop, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QListView,
    QPlainTextEdit,
    QWidget,
)

from desktop.app import Closing, build
from desktop.client.session import Sessions
from desktop.config import Config
from desktop.embedded import start
from desktop.tasks import TaskRunner
from desktop.viewmodels.gallery import GalleryState
from desktop.widgets.kit_words import WordsGrid
from desktop.widgets.main_window import MainWindow
from desktop.widgets.marks import Chip

PATIENCE_S = 60.0
"""How long something may take before the person gives up; generous, because it only matters when a test fails."""

_SPREAD = [(x, y) for x in (-3, -1, 1, 3) for y in (-3, -1, 1, 3)]

Thing = TypeVar("Thing")


class GaveUp(AssertionError):
    """What was waited for did not happen."""


class StallMeter:
    """Measures how long the window's thread does not come round to its events.

    Attributes:
        longest_ms: The longest gap between two ticks of a timer that asks for one each 5 ms.
    """

    def __init__(self) -> None:
        self.longest_ms = 0.0
        self._last: float | None = None
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def begin(self) -> None:
        """Start anew."""
        self.longest_ms, self._last = 0.0, None
        self._timer.start(5)

    def end(self) -> float:
        """Stop and return the longest gap in milliseconds."""
        self._timer.stop()
        return self.longest_ms

    def _tick(self) -> None:
        now = time.perf_counter()
        if self._last is not None:
            self.longest_ms = max(self.longest_ms, 1000 * (now - self._last))
        self._last = now


class Driver:
    """One run of the program, from opening its window to closing it.

    Attributes:
        window: The window.
        stalls: A meter, for whoever wants to know.
    """

    def __init__(self, data_folder: Path, *, width: int = 1280, height: int = 800) -> None:
        self.runner = TaskRunner()
        config = Config(data_folder)
        self.window: MainWindow = build(config, self.runner, Sessions(config, start))
        self._closing = Closing(self.window, self.runner)
        self.window.resize(width, height)
        self.window.show()
        self.stalls = StallMeter()
        self._open = True
        self.until(self.window.isVisible, "the window")
        self.settle()  # what is about to be deleted is not in front
        self._activate()

    # -- waiting and seeing ----------------------------------------------------------------------------------------

    def until(self, condition: Callable[[], Thing], what: str) -> Thing:
        """Let the window live until the condition holds, and return what it answered."""
        end = time.monotonic() + PATIENCE_S
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise GaveUp(f"waited for {what}; on the window: {self.words()}")
            self._live(10)

    def settle(self) -> None:
        """Let what was started in the window's own thread finish."""
        self._live(50)

    @staticmethod
    def _live(milliseconds: int) -> None:
        """Let the window live for a moment. ``QTest.qWait`` would keep Python's lock, and workers would stand still."""
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def _roots(self) -> list[QWidget]:
        """The window and what is open over it, what was opened last first; not the windows of other people."""
        popups: list[tuple[int, QWidget]] = []
        for widget in QApplication.topLevelWidgets():
            # of hidden menus the parent must not be asked for: that lets PySide forget their entries
            if not widget.isVisible() or isinstance(widget, MainWindow):
                continue
            depth, owner = 0, widget
            while (parent := owner.parentWidget()) is not None:
                depth, owner = depth + 1, parent
            if owner is self.window or not isinstance(owner, MainWindow):
                popups.append((depth, widget))
        popups.sort(key=lambda found: -found[0])
        return [*(widget for _, widget in popups), self.window]

    def visible(self, kind: type[Any]) -> Iterable[Any]:
        """All visible widgets of a kind, those of dialogs first."""
        for root in self._roots():
            if isinstance(root, kind):
                yield root
            for widget in root.findChildren(kind):
                if widget.isVisible() and widget.window() is root.window():
                    yield widget

    def words(self) -> list[str]:
        """All words that can be read."""
        labels = [label.text() for label in self.visible(QLabel) if label.text()]
        labels += [chip.text for chip in self.visible(Chip)]
        return labels + [button.text() for button in self.visible(QAbstractButton) if button.text()]

    def reads(self, text: str) -> bool:
        """Whether these words can be read somewhere."""
        return any(text in words for words in self.words())

    def see(self, text: str) -> None:
        """Wait until these words can be read."""
        self.until(lambda: self.reads(text), f"the words {text!r}")

    def grab(self, path: Path) -> None:
        """Save a picture of the window as it is, an open dialog included."""
        self.settle()
        picture = self.window.grab()
        for root in reversed(self._roots()[:-1]):
            painter = QPainter(picture)
            inner = root.grab()
            corner = self.window.rect().center() - root.rect().center()
            painter.drawPixmap(corner, inner)
            painter.end()
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(str(path))

    def _activate(self) -> None:
        """Do what a window manager does, which the offscreen platform has not: the window in front has the keyboard."""

        def active() -> bool:
            front = self._roots()[0].window()  # asked each time: what was in front may be gone
            if not front.isActiveWindow():
                front.activateWindow()
            return front.isActiveWindow()

        self.until(active, "the window in front to be active")

    # -- doing -----------------------------------------------------------------------------------------------------

    def button(self, words: str) -> QAbstractButton:
        """Wait for an enabled button with these words, or this name where it has only an icon."""

        def find() -> QAbstractButton | None:
            for button in self.visible(QAbstractButton):
                named = words in (button.text().replace("&", ""), button.accessibleName())
                if named and button.isEnabled():
                    return button  # type: ignore[no-any-return]
            return None

        found = self.until(find, f"the button {words!r}")
        assert found is not None
        return found

    def press(self, words: str) -> None:
        """Click a button."""
        QTest.mouseClick(self.button(words), Qt.MouseButton.LeftButton)
        self.settle()

    def type(self, label: str, text: str) -> None:
        """Type into the field with this label."""

        def find() -> QLineEdit | None:
            return next((field for field in self.visible(QLineEdit) if field.accessibleName() == label), None)

        field = self.until(find, f"the field {label!r}")
        assert field is not None
        self._activate()
        field.setFocus()
        field.clear()
        QTest.keyClicks(field, text)

    def type_words(self, label: str, text: str) -> None:
        """Type into the large field with this label, in place of what is there."""

        def find() -> QPlainTextEdit | None:
            return next((field for field in self.visible(QPlainTextEdit) if field.accessibleName() == label), None)

        field = self.until(find, f"the field {label!r}")
        assert field is not None
        self._activate()
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, text)
        self.settle()

    def recovery_words(self) -> list[str]:
        """Write down the words of the kit that is shown."""
        grid = next(iter(self.visible(WordsGrid)))
        return grid.accessibleName().split()[1::2]  # type: ignore[no-any-return]

    def is_enabled(self, words: str) -> bool:
        """Whether a button with these words can be pressed."""
        return any(button.text() == words and button.isEnabled() for button in self.visible(QAbstractButton))

    def choose_in(self, label: str, words: str) -> None:
        """Choose an entry of the combo with this label."""

        def find() -> QComboBox | None:
            return next((combo for combo in self.visible(QComboBox) if combo.accessibleName() == label), None)

        combo = self.until(find, f"the combo {label!r}")
        assert combo is not None
        combo.setCurrentText(words)
        combo.activated.emit(combo.currentIndex())
        self.settle()

    def reload(self) -> None:
        """List the pictures again, as opening the vault anew would."""
        self.window.open_vault._models.gallery.reload()

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key wherever the keyboard is."""
        self._activate()
        QTest.keyClick(QApplication.focusWidget() or self.window, key, modifiers)
        self.settle()

    def drop(self, paths: Iterable[Path]) -> None:
        """Drag files over the window and let them go."""
        self._data = QMimeData()  # kept: events hold no reference
        self._data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        target: QWidget = self.window
        centre = target.rect().center()
        none = (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        for event in (
            QDragEnterEvent(centre, Qt.DropAction.CopyAction, self._data, *none),
            QDragMoveEvent(centre + QPoint(4, 4), Qt.DropAction.CopyAction, self._data, *none),
            QDropEvent(QPointF(centre), Qt.DropAction.CopyAction, self._data, *none),
        ):
            QApplication.sendEvent(target, event)
            QApplication.processEvents()
        self.settle()

    def choose_path(self, path: Path) -> None:
        """Answer the open file dialog."""
        dialog = self.until(lambda: next(iter(self.visible(QFileDialog)), None), "a file dialog")
        assert dialog is not None
        dialog.setDirectory(str(path.parent if path.is_file() else path))
        if path.is_file():
            dialog.selectFile(str(path))
        dialog.fileSelected.emit(str(path))
        dialog.close()
        self.settle()

    # -- what people do --------------------------------------------------------------------------------------------

    def create_vault(self, passphrase: str) -> None:
        """Choose "This computer" and create the vault."""
        self.press("This computer")
        self.type("Passphrase of your key", passphrase)
        self.type("The passphrase once more", passphrase)
        self.press("Create the vault")
        self.see("Drop pictures here")

    def open_vault(self, passphrase: str) -> None:
        """Open the vault that is already there."""
        self.type("Passphrase of your key", passphrase)
        self.press("Open")

    def create_account(self, address: str, user_name: str, password: str, passphrase: str) -> None:
        """Choose "A server" and create an account."""
        self.press("A server")
        self.press("Create an account")
        self.type("Server address", address)
        self.type("User name", user_name)
        self.type("Password", password)
        self.type("The password once more", password)
        self.type("Passphrase of your key", passphrase)
        self.type("The passphrase once more", passphrase)
        self.press("Create the account")
        self.see("Drop pictures here")

    def sign_in(self, address: str, user_name: str, password: str, passphrase: str, *, unlock: bool = True) -> None:
        """Sign in to a server and unlock the key, unless that is not to be expected."""
        self.press("A server")
        self.type("Server address", address)
        self.type("User name", user_name)
        self.type("Password", password)
        self.press("Sign in")
        if unlock:
            self.type("Passphrase of your key", passphrase)
            self.press("Unlock")

    def add(self, paths: Iterable[Path]) -> None:
        """Drop files and press Start on the sheet that looks them over."""
        self.drop(paths)
        self.press("Start")

    def share(self, name: str) -> None:
        """Share what is chosen with somebody of this name, in the share dialog, trusting the key that is offered."""
        self.press("Share")
        self.see("Only the people listed here")
        self.type("User name", name)
        self.press("Add")
        self.see(name)
        self.until(lambda: self.reads("New"), f"{name} in the list")
        self.press("Share")

    # -- what can be seen of an open vault --------------------------------------------------------------------------

    @property
    def _grid(self) -> QListView:
        page = self.window.open_vault.shell_page.content.currentWidget()
        view = getattr(page, "view", None)
        return view if isinstance(view, QListView) else self.window.open_vault.gallery_page.view

    def go(self, place: str) -> None:
        """Go to a place by the sidebar."""
        self.press(place)

    def choose_row(self, row: int) -> None:
        """Choose one tile by keyboard."""
        self._activate()
        self._grid.setFocus()
        self._grid.clearSelection()
        self._grid.setCurrentIndex(self._grid.model().index(row, 0))
        if not self._grid.selectionModel().hasSelection():
            self.key(Qt.Key.Key_Space)
        self.settle()

    def shown(self) -> int:
        """How many tiles there are."""
        return self._grid.model().rowCount()

    def name_of(self, row: int) -> str:
        """What the tile is called."""
        return str(self._grid.model().index(row, 0).data(Qt.ItemDataRole.DisplayRole))

    def picture_id(self, row: int) -> str:
        """Which picture the tile is of."""
        return str(self._grid.model().picture(row).id)

    def busy(self) -> bool:
        """Whether pictures are on their way."""
        return self.window.open_vault.waiting > 0

    def stored(self) -> int:
        """How many of the tiles are of pictures that are stored."""
        model = self.window.open_vault.gallery_page.view.model()
        return sum(model.sending(model.picture(row).id) is None for row in range(model.rowCount()))

    def is_open(self) -> bool:
        """Whether a vault is open."""
        return self.window.open_vault.shell_page.isVisible()

    def sign_in_button(self) -> str:
        """What the large button of the first page says."""
        return self.window.sign_in.button.text()

    def wait_for_answer(self) -> None:
        """Wait while signing in is under way, whatever comes of it."""
        page = self.window.sign_in
        self.until(lambda: not page.isVisible() or page.button.isEnabled(), "an answer")

    def listing(self) -> bool:
        """Whether the list of pictures is still being fetched."""
        return self.window.open_vault._models.gallery.state is GalleryState.LOADING

    def saving(self) -> bool:
        """Whether copies are being saved or pictures deleted."""
        return self.window.open_vault.gallery_page.batch.bar.isVisible()

    def thumbnails_painted(self) -> bool:
        """Whether no tile in sight is the plain grey of one that is still to come."""
        shot = self._grid.viewport().grab().toImage()
        skeleton = self.window.theme.tokens.skeleton.rgb()
        for row in range(self.shown()):
            box = self._grid.visualRect(self._grid.model().index(row, 0)).intersected(shot.rect())
            spots = [box.center() + QPoint(box.width() * x // 8, box.height() * y // 8) for x, y in _SPREAD]
            if box.isValid() and all(shot.pixel(spot) == skeleton for spot in spots if shot.rect().contains(spot)):
                return False
        return True

    def select_all(self) -> None:
        """Choose every picture by keyboard."""
        self._activate()
        self._grid.setFocus()
        self.key(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)

    def open_first(self) -> str:
        """Open the first tile by keyboard and return its name."""
        return self.open_row(0)

    def open_row(self, row: int) -> str:
        """Open a tile by keyboard and return its name."""
        name = self.name_of(row)
        self._activate()
        self._grid.setFocus()
        self._grid.setCurrentIndex(self._grid.model().index(row, 0))
        self.key(Qt.Key.Key_Return)
        self.until(self.window.open_vault.viewer_page.isVisible, "the viewer")
        return name

    def choose_in_viewer_menu(self, words: str) -> None:
        """Choose an entry of the viewer's menu. It is not popped up: that would hold the test in a loop of its own."""
        menu = self.window.open_vault.viewer_page.header.more.menu()
        menu.aboutToShow.emit()
        next(action for action in menu.actions() if action.text() == words).trigger()
        self.settle()

    def picture_on_stage(self) -> QImage:
        """What the viewer shows of the picture, once it is sharp; a null image before."""
        stage = self.window.open_vault.viewer_page.stage
        if not stage.has_image:
            return QImage()
        return stage.grab(stage.picture_rect().toAlignedRect()).toImage()

    def save_copies_of_all(self, folder: Path) -> None:
        """Choose all pictures and save copies of them."""
        self.select_all()
        self.press("Save a copy")
        self.choose_path(folder)

    def window_is_open(self) -> bool:
        """Whether the program still runs."""
        return self._open

    def close(self) -> None:
        """Close the window and end what is behind it, as the program does."""
        self.window.close()
        confirm = [button for button in self.visible(QAbstractButton) if button.text() == "Quit"]
        if confirm:
            QTest.mouseClick(confirm[0], Qt.MouseButton.LeftButton)
        self.until(lambda: not self.window.isVisible(), "the window to close")
        self._closing.finish()
        self._open = False
        self.window.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
