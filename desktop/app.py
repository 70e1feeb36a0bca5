"""The composition root of the window: builds every object and hands it on through constructors.

What the first paint does not need is imported in a worker right after it.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from desktop.display import NO_LIBRARY, NO_WINDOW, QT_PACKAGES, display_problem, release_display

if TYPE_CHECKING:
    from types import TracebackType

    from PySide6.QtWidgets import QApplication

    from desktop.client.session import Sessions
    from desktop.config import Config
    from desktop.models import IsCancelled, Place, Report
    from desktop.tasks import TaskRunner
    from desktop.viewmodels.circle_port import Circle
    from desktop.viewmodels.lock import LockViewModel
    from desktop.viewmodels.locked_transfers import LockedTransfers
    from desktop.viewmodels.restore import RestoreViewModel
    from desktop.viewmodels.session_port import SessionPort, SessionsPort
    from desktop.widgets.main_window import MainWindow
    from desktop.widgets.open_vault import OpenVault

log = logging.getLogger(__name__)

FIRST_PAINT_VARIABLE: Final = "GLASSINE_REPORT_FIRST_PAINT"
"""When set, the moment of the first paint is printed (for ``benchmarks/bench_start.py``)."""

SWITCH_INTERVAL_S: Final = 0.001
"""Python's default of 5 ms lets a busy worker hold the window up for longer than a frame."""

DRAIN_MS: Final = 3000
CLOSE_MS: Final = 5000

WARM_UP: Final = (
    "desktop.widgets.lock_page",
    "desktop.client.session",
    "desktop.client.vault",
    "desktop.crypto.keys",
    "desktop.crypto.key_file",
    "desktop.widgets.open_vault",
    "requests",
    "flask",
    "flask_jwt_extended",
    "mongita",
    "PIL.Image",
)
"""Imported in a worker right after the first paint, in the order of need."""


def run(argv: list[str], files: Sequence[Path] = ()) -> int:
    """Open the window and return the exit code when it is closed.

    Args:
        argv: Arguments for Qt.
        files: Files and folders to add once a vault is open; the sheet that looks them over asks first.
    """
    # nothing made while starting is garbage; collecting costs a tenth of the time
    gc.disable()
    problem = display_problem(os.environ, argv)
    if problem:
        print(problem, file=sys.stderr)
        return 1
    try:
        from PySide6.QtWidgets import QApplication
    except ModuleNotFoundError:
        print(NO_WINDOW, file=sys.stderr)
        return 1
    except ImportError as error:
        print(NO_LIBRARY % (error, QT_PACKAGES), file=sys.stderr)
        return 1
    # Qt looks for the style itself: asking for it from Python costs 10 ms, because all of QStyle is wrapped
    app = QApplication(["glassine", "-style", "Fusion", *argv])
    app.setProperty("style_given", True)
    release_display()
    return _run(app, files)


def _run(app: QApplication, files: Sequence[Path]) -> int:
    from desktop.config import Config
    from desktop.logs import start_log
    from desktop.tasks import TaskRunner

    sys.setswitchinterval(SWITCH_INTERVAL_S)
    config = Config()
    start_log(config.folder / "log")
    route_qt_messages()
    name_application(app)
    runner = TaskRunner()
    window = build(config, runner, make_sessions(config))
    window.add_when_open(files)
    closing = Closing(window, runner)
    signals = Signals(window)
    window.first_painted.connect(signals.watch)
    window.first_painted.connect(lambda: _after_first_paint(app, runner))
    with _hooks(window):
        window.show()
        code = app.exec()
    signals.ignore()
    closing.finish()
    return code


def build(config: Config, runner: TaskRunner, sessions: SessionsPort) -> MainWindow:
    """Build the window and everything behind it; nothing is shown yet."""
    from PySide6.QtWidgets import QApplication

    from desktop.viewmodels.shell import ShellViewModel
    from desktop.viewmodels.sign_in import SignInViewModel
    from desktop.widgets.icons import Icons
    from desktop.widgets.main_window import MainWindow, WindowModels
    from desktop.widgets.theme import Theme

    app = QApplication.instance()
    if not isinstance(app, QApplication):
        raise RuntimeError("there must be a QApplication")
    theme = Theme(config.preferences.theme)
    theme.apply(app)
    icons = Icons(theme)

    def make_lock() -> LockViewModel:
        from desktop.viewmodels.lock import LockViewModel

        return LockViewModel(runner)

    def make_locked_transfers() -> LockedTransfers:
        from desktop.viewmodels.locked_transfers import LockedTransfers

        return LockedTransfers(runner)

    def make_restore(*, session: SessionPort | None = None, folder: Path | None = None) -> RestoreViewModel:
        from desktop.viewmodels.restore import RestoreViewModel

        return RestoreViewModel(runner, session=session, sessions=sessions, folder=folder)

    models = WindowModels(
        shell=ShellViewModel(runner),
        sign_in=SignInViewModel(runner, sessions, config.default_vault_folder),
        make_lock=make_lock,
        make_locked_transfers=make_locked_transfers,
        make_restore=make_restore,
    )

    def make_open_vault(window: MainWindow) -> OpenVault:
        return _build_open_vault(window, models.shell, config, runner)

    return MainWindow(theme, icons, models, make_open_vault, config.folder / "window")


def _build_open_vault(window: MainWindow, shell: Any, config: Config, runner: TaskRunner) -> OpenVault:
    from desktop.viewmodels.bin import BinViewModel
    from desktop.viewmodels.conflict import VersionsViewModel
    from desktop.viewmodels.gallery import GalleryViewModel
    from desktop.viewmodels.key_work import KeyWorkViewModel
    from desktop.viewmodels.keys import KeysViewModel
    from desktop.viewmodels.people import PeopleViewModel
    from desktop.viewmodels.recovery_kit import KitViewModel
    from desktop.viewmodels.settings import SettingsViewModel
    from desktop.viewmodels.shared import SharedViewModel
    from desktop.viewmodels.stored import StoredViewModel
    from desktop.viewmodels.transfers import TransfersViewModel
    from desktop.viewmodels.viewer import ViewerViewModel
    from desktop.widgets.open_vault import OpenVault, VaultModels

    models = VaultModels(
        shell=shell,
        gallery=GalleryViewModel(runner),
        transfers=TransfersViewModel(runner),
        viewer=ViewerViewModel(runner),
        keys=KeysViewModel(runner, places=lambda: list(config.preferences.places)),
        settings=SettingsViewModel(runner, config, config.folder / "log"),
        people=PeopleViewModel(runner, _open_circle),
        bin=BinViewModel(runner),
        shared=SharedViewModel(runner),
        versions=VersionsViewModel(runner),
        stored=StoredViewModel(runner),
        kit=KitViewModel(runner),
        key_work=KeyWorkViewModel(runner, shell),
    )
    models.gallery.follow(models.transfers)
    models.people.follow(models.gallery)
    models.bin.follow_gallery(models.gallery)
    models.shared.follow_people(models.people, models.gallery)
    for gallery in (models.gallery, models.shared):
        models.viewer.follow(gallery)
    shell.add_session_part(models.keys)
    shell.add_session_part(models.kit)
    shell.add_session_part(models.settings)
    circle = (models.people, models.bin, models.shared, models.versions, models.stored)
    for part in (models.gallery, models.viewer, models.transfers, *circle):
        shell.add_vault_part(part)
    models.settings.theme_changed.connect(window.theme.set_preference)
    _lock_by_itself(window, models.settings, config)
    return OpenVault(window, models)


def _lock_by_itself(window: MainWindow, settings: Any, config: Config) -> None:
    """Lock after idle minutes, with the screen, and when the window is minimised, as the person prefers."""
    from PySide6.QtGui import QGuiApplication

    from desktop.screen_lock import DBusScreenLock, there_is_a_bus
    from desktop.viewmodels.auto_lock import AutoLock

    auto = AutoLock(config.preferences, DBusScreenLock() if there_is_a_bus() else None, window)
    auto.lock_requested.connect(window.lock)
    auto.look_at(window.windowHandle())
    QGuiApplication.instance().focusWindowChanged.connect(auto.look_at)  # type: ignore[union-attr]
    window.minimised.connect(auto.minimised)
    settings.locking_changed.connect(auto.restart)
    auto.watch()


def _open_circle(vault: Any) -> Circle | None:
    """Give the people around a vault; None where there are none."""
    from desktop.client.circle import open_circle
    from desktop.viewmodels.circle_port import Circle

    found = open_circle(vault)
    return None if found is None else Circle(*found)


class LateSessions:
    """:class:`desktop.client.session.Sessions`, imported when a session is opened; that happens in a worker."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def places(self) -> list[Place]:
        """Places used before, the latest first."""
        return list(self._config.preferences.places)

    def vault_exists(self, folder: Path) -> bool:
        """Whether there is a vault in this folder."""
        from desktop.config import vault_exists

        return vault_exists(folder)

    def create_vault(self, folder: Path, passphrase: str, report: Report, cancelled: IsCancelled) -> SessionPort:
        """Make a vault on this computer."""
        return self._sessions().create_vault(folder, passphrase, report, cancelled)

    def open_vault(self, folder: Path, passphrase: str, report: Report, cancelled: IsCancelled) -> SessionPort:
        """Open a vault on this computer."""
        return self._sessions().open_vault(folder, passphrase, report, cancelled)

    def remembered_key(self, folder: Path, keychain: Any) -> Any:
        """Ask the keyring for the key of a vault on this computer."""
        return self._sessions().remembered_key(folder, keychain)

    def open_vault_with(self, folder: Path, key: Any, report: Report, cancelled: IsCancelled) -> SessionPort:
        """Open a vault on this computer with its key."""
        return self._sessions().open_vault_with(folder, key, report, cancelled)

    def find_vault_key(self, folder: Path, words: Any, path: Path | None) -> Any:
        """Open a copy of the key file of a vault on this computer with its recovery kit."""
        return self._sessions().find_vault_key(folder, words, path)

    def recover_vault(self, *arguments: Any) -> SessionPort:
        """Open a vault on this computer with its recovery kit."""
        return self._sessions().recover_vault(*arguments)

    def register(
        self, address: str, user_name: str, password: str, passphrase: str, report: Report, cancelled: IsCancelled
    ) -> SessionPort:
        """Make an account on a server."""
        return self._sessions().register(address, user_name, password, passphrase, report, cancelled)

    def sign_in(
        self, address: str, user_name: str, password: str, report: Report, cancelled: IsCancelled
    ) -> SessionPort:
        """Sign in to a server."""
        return self._sessions().sign_in(address, user_name, password, report, cancelled)

    def _sessions(self) -> Sessions:
        from desktop.client.session import Sessions

        return Sessions(self._config, _start_embedded)


def make_sessions(config: Config | None = None) -> SessionsPort:
    """Make what opens sessions, for this installation unless another is given."""
    from desktop.config import Config

    return LateSessions(config or Config())


def _start_embedded(folder: Path) -> Any:
    from desktop.embedded import start

    return start(folder)


# -- after the first paint -----------------------------------------------------------------------------------------


def _after_first_paint(app: QApplication, runner: TaskRunner) -> None:
    if os.environ.get(FIRST_PAINT_VARIABLE):
        print(f"first paint {time.monotonic_ns()}", flush=True)
    set_window_icon(app)
    gc.freeze()
    runner.submit(warm_up, pool="crypto")


def warm_up(report: Report, cancelled: IsCancelled) -> None:
    """Import what is needed next; runs in a worker, so that nobody waits for it."""
    import importlib

    for number, name in enumerate(WARM_UP):
        if cancelled():
            return
        report(number, len(WARM_UP))
        try:
            importlib.import_module(name)
        except ImportError:
            log.exception("%s cannot be imported", name)


# -- names and messages --------------------------------------------------------------------------------------------


def name_application(app: QApplication) -> None:
    """Give the application its name and language."""
    app.setApplicationName("glassine")
    app.setApplicationDisplayName("Glassine")
    app.setDesktopFileName("glassine")
    _translate(app)


def set_window_icon(app: QApplication) -> None:
    """Give the windows their icon; reading it loads Qt's image plugins, so the first paint does not wait for it."""
    from PySide6.QtGui import QIcon

    from desktop.widgets.theme import RESOURCES

    icon = QIcon()
    for side in (16, 32, 48, 128, 256):
        icon.addFile(str(RESOURCES / "app" / f"glassine-{side}.png"))
    app.setWindowIcon(icon)


def _translate(app: QApplication) -> None:
    """Load the language of the person, else English, whose plural forms are translations too."""
    from PySide6.QtCore import QTranslator

    from desktop.widgets.theme import RESOURCES

    folder = RESOURCES / "translations"
    translator = QTranslator(app)
    if any(path.name != "glassine_en.qm" for path in folder.glob("*.qm")):
        from PySide6.QtCore import QLocale  # costs 4 ms of the start, so only where there is a choice

        if translator.load(QLocale(), "glassine", "_", str(folder)):
            app.installTranslator(translator)
            return
    if translator.load("glassine_en", str(folder)):
        app.installTranslator(translator)


def route_qt_messages() -> None:
    """Write Qt's own messages to the log instead of the terminal."""
    from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

    levels = {
        QtMsgType.QtDebugMsg: logging.DEBUG,
        QtMsgType.QtInfoMsg: logging.INFO,
        QtMsgType.QtWarningMsg: logging.INFO,
        QtMsgType.QtCriticalMsg: logging.ERROR,
        QtMsgType.QtFatalMsg: logging.CRITICAL,
    }
    qt_log = logging.getLogger("qt")

    def handle(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        qt_log.log(levels.get(kind, logging.INFO), "%s", message)

    qInstallMessageHandler(handle)


# -- what nobody foresaw -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _hooks(window: MainWindow) -> Iterator[None]:
    """Log exceptions that nobody caught and show a banner; never end without a word."""
    before, threads_before = sys.excepthook, threading.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            window.close()
            return
        import traceback

        details = "".join(traceback.format_exception(kind, error, trace))
        log.critical("unexpected error\n%s", details)
        if threading.current_thread() is threading.main_thread():
            try:
                window.show_unexpected(details)
            except Exception:
                log.exception("the error could not be shown")

    def thread_hook(args: threading.ExceptHookArgs) -> None:
        log.critical("unexpected error in a thread", exc_info=args.exc_value)

    sys.excepthook, threading.excepthook = hook, thread_hook
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook = before, threads_before


def _leave_to_wakeup(number: int, frame: object) -> None:
    """Do nothing: the number has been written to the wake-up pipe, which is what counts."""


class Signals:
    """Ends the program properly on SIGTERM, SIGINT and SIGHUP, as if the window were closed, but without asking."""

    NAMES: Final = ("SIGTERM", "SIGINT", "SIGHUP")

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._undo: list[Callable[[], object]] = []

    def watch(self) -> None:
        """Begin. Python's own handlers run only between bytecodes, and there are none while Qt waits for events."""
        import signal

        from PySide6.QtCore import QSocketNotifier

        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        notifier = QSocketNotifier(reading, QSocketNotifier.Type.Read)

        def arrived() -> None:
            os.read(reading, 64)
            notifier.setEnabled(False)
            self._window.quit_now()

        notifier.activated.connect(arrived)
        before = signal.set_wakeup_fd(writing)
        self._undo = [
            lambda: notifier.setEnabled(False),
            lambda: signal.set_wakeup_fd(before),
            lambda: os.close(reading),
            lambda: os.close(writing),
        ]
        for name in self.NAMES:
            number = getattr(signal, name, None)
            if number is not None:
                handler = signal.signal(number, _leave_to_wakeup)
                self._undo.append(partial(signal.signal, number, handler))

    def ignore(self) -> None:
        """End."""
        for undo in self._undo:
            undo()
        self._undo = []


class Closing:
    """Ends what is behind the window: last writes, workers, keys, session; each within a deadline."""

    def __init__(self, window: MainWindow, runner: TaskRunner) -> None:
        self._window, self._runner = window, runner
        self._session: Any = None
        window.closed.connect(self._stop)

    def _stop(self) -> None:
        self._session = self._window.stop() or self._session

    def finish(self) -> None:
        """Wait for the last writes, then cancel the rest, then drop the key and release the folder."""
        self._stop()
        self._runner.drain(DRAIN_MS)
        if not self._runner.close(CLOSE_MS):
            log.warning("some work did not end in time")
        session = self._session
        if session is None:
            return
        session.lock()
        closer = threading.Thread(target=session.close, name="close-session", daemon=True)
        closer.start()
        closer.join(CLOSE_MS / 1000)
        if closer.is_alive():
            log.warning("the session did not close in time")
