"""The one window: sign-in, the open vault, the viewer, the lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QMainWindow, QStackedWidget

from desktop.errors import GlassineError
from desktop.viewmodels.shell import ShellViewModel, Stage
from desktop.widgets.icons import Icons
from desktop.widgets.leaving import leaving_text, leaving_title, locked_text
from desktop.widgets.sign_in_page import SignInPage
from desktop.widgets.theme import Theme
from desktop.widgets.window_state import load_geometry, save_geometry

if TYPE_CHECKING:
    from desktop.viewmodels.lock import LockViewModel
    from desktop.viewmodels.locked_transfers import LockedTransfers
    from desktop.viewmodels.restore import RestoreViewModel
    from desktop.viewmodels.sign_in import SignInViewModel
    from desktop.widgets.focus_ring import FocusRing
    from desktop.widgets.lock_page import LockPage
    from desktop.widgets.notices import Notice
    from desktop.widgets.open_vault import OpenVault, WorkInHand

MIN_SIZE: Final = QSize(720, 480)
DEFAULT_SIZE: Final = QSize(1280, 800)


class WindowModels:
    """The view-models that the window needs before a vault is open; that of the lock is made when it is needed."""

    def __init__(
        self,
        shell: ShellViewModel,
        sign_in: SignInViewModel,
        make_lock: Callable[[], LockViewModel],
        make_locked_transfers: Callable[[], LockedTransfers],
        make_restore: Callable[..., RestoreViewModel],
    ) -> None:
        self.shell, self.sign_in, self._make_lock = shell, sign_in, make_lock
        self._make_locked_transfers, self.make_restore = make_locked_transfers, make_restore

    @cached_property
    def locked_transfers(self) -> LockedTransfers:
        """What goes on while locked."""
        return self._make_locked_transfers()

    @cached_property
    def lock(self) -> LockViewModel:
        """The lock's view-model."""
        return self._make_lock()


class MainWindow(QMainWindow):
    """Shows what :class:`ShellViewModel` says is open.

    The widgets of an open vault are made when they are first needed (``make_open_vault``), because they cost time that
    the first paint should not wait for.

    Signals:
        first_painted(): something can be seen; what was put off is done now.
        minimised()
        closed(): the window is going away; what is to be stopped is stopped now.
    """

    first_painted = Signal()
    minimised = Signal()
    closed = Signal()

    def __init__(
        self,
        theme: Theme,
        icons: Icons,
        models: WindowModels,
        make_open_vault: Callable[[MainWindow], OpenVault],
        geometry_path: Path,
    ) -> None:
        super().__init__()
        self.theme, self.icons = theme, icons
        self._models, self._make_open_vault, self._geometry_path = models, make_open_vault, geometry_path
        self._open_vault: OpenVault | None = None
        self._quitting = False
        self._sent_while_locked = False
        self._to_add: list[Path] = []
        self.setWindowTitle("Glassine")
        self.setMinimumSize(MIN_SIZE)

        # parents from the beginning: with a style sheet, each change of the parent dresses all children anew
        self.stack = QStackedWidget(self)
        self.setCentralWidget(self.stack)
        self.sign_in = SignInPage(theme, icons, models.sign_in, self.stack)
        self.stack.addWidget(self.sign_in)
        self._lock: LockPage | None = None
        self.focus_ring: FocusRing | None = None

        self.sign_in.first_painted.connect(self._on_first_painted)
        models.sign_in.signed_in.connect(self._on_signed_in)
        models.shell.stage_changed.connect(self._on_stage)
        models.shell.failed.connect(self.show_error)
        models.shell.change_unfinished.connect(self._finish_key_change)
        self.sign_in.restore_requested.connect(self._restore_vault)
        geometry = load_geometry(geometry_path)
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(DEFAULT_SIZE)

    def _on_first_painted(self) -> None:
        """Tell, then add what the first paint need not wait for: keys and the focus ring."""
        self.first_painted.emit()
        from desktop.widgets.focus_ring import FocusRing

        self.focus_ring = FocusRing(self, self.theme)
        self._add_shortcuts()
        self._models.sign_in.open_from_keychain()

    # -- what is open ----------------------------------------------------------------------------------------------

    @property
    def open_vault(self) -> OpenVault:
        """The widgets of an open vault, made on first use."""
        if self._open_vault is None:
            self._open_vault = self._make_open_vault(self)
            vault = self._open_vault
            for page in (vault.shell_page, vault.viewer_page, vault.circle.conflict_page):
                self.stack.addWidget(page)
            self._open_vault.shell_page.lock_requested.connect(self._models.shell.lock)
            self._open_vault.shell_page.sign_out_requested.connect(self.sign_out)
        return self._open_vault

    @property
    def lock_page(self) -> LockPage:
        """The lock, made on first use."""
        from desktop.widgets.lock_page import LockPage

        if self._lock is None:
            self._lock = LockPage(self.theme, self.icons, self._models.lock)
            self._models.lock.unlocked.connect(self._on_unlocked)
            self._lock.sign_out_requested.connect(self._models.shell.sign_out)
            self._lock.restore_requested.connect(self._restore_key)
            self._models.locked_transfers.count_changed.connect(self._show_locked_transfers)
            self.stack.addWidget(self._lock)
        return self._lock

    def _on_signed_in(self, session: Any) -> None:
        self.sign_in.forget_secrets()
        self._prepare(session)
        self._models.shell.enter(session)
        if session.locked:
            self._models.lock.open_from_keychain()

    def _prepare(self, session: Any) -> None:
        """Make what the next stage shows, before view-models begin to send it news."""
        if session.locked:
            self._models.lock.start(session)
            _ = self.lock_page
        else:
            _ = self.open_vault

    def _on_unlocked(self, session: Any) -> None:
        self.lock_page.forget_secrets()
        self._models.locked_transfers.stop()
        _ = self.open_vault
        self._models.shell.resume()

    def _on_stage(self, stage: Stage) -> None:
        if stage is Stage.OPEN:
            shell = self._models.shell
            self.open_vault.shell_page.show_page("pictures")
            self.stack.setCurrentWidget(self.open_vault.shell_page)
            self.setWindowTitle(self.tr("%1 — Glassine").replace("%1", shell.place_title))
            self.open_vault.shell_page.pages["pictures"].setFocus(Qt.FocusReason.OtherFocusReason)
            if self._to_add:
                files, self._to_add = self._to_add, []
                self.open_vault.add_paths(files)
            return
        self.setWindowTitle("Glassine")
        if stage is Stage.LOCKED:
            session = self._models.shell.session
            if session is not None:
                self._models.lock.start(session)
            self.lock_page.set_transfers(self._waiting_while_locked())
            self.stack.setCurrentWidget(self.lock_page)
            self._sent_while_locked = False
            if session is not None:
                self._models.locked_transfers.start(session)
        else:
            if self._lock is not None:
                self._models.lock.stop()
                self._models.locked_transfers.stop()
            self.stack.setCurrentWidget(self.sign_in)
        if self._open_vault is not None:
            self._open_vault.forget()

    def _show_locked_transfers(self, count: int) -> None:
        self._sent_while_locked = True
        self.lock_page.set_transfers(self._waiting_while_locked())

    # -- coming back with the kit ----------------------------------------------------------------------------------

    def _restore_key(self) -> None:
        """Open the account's key with its recovery kit."""
        from desktop.widgets.restore_dialog import RestoreDialog

        session = self._models.shell.session
        if session is None:
            return
        view_model = self._models.make_restore(session=session)
        view_model.restored.connect(lambda _: self._on_unlocked(session))
        view_model.unlocked_too_late.connect(lambda: self._lock_again(session))
        RestoreDialog(self.icons, self, view_model).open()

    def _lock_again(self, unlocked: Any) -> None:
        """Lock what was unlocked behind the lock, unless the passphrase has opened it meanwhile."""
        shell = self._models.shell
        session = shell.session
        if session is not None and session is unlocked and shell.stage is Stage.LOCKED:
            shell.abandon()
            self._models.lock.start(session)  # its key is on this computer now

    def _restore_vault(self, folder: Path) -> None:
        """Open a vault on this computer with its recovery kit."""
        from desktop.widgets.restore_dialog import RestoreDialog

        view_model = self._models.make_restore(folder=folder)
        view_model.restored.connect(self._on_signed_in)
        RestoreDialog(self.icons, self, view_model).open()

    def _finish_key_change(self) -> None:
        """Go on with a change of the key before anything is shown."""
        self.open_vault.finish_key_change()

    def changeEvent(self, event: QEvent) -> None:
        """Tell when the window is minimised."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange and self.isMinimized():
            self.minimised.emit()

    def _waiting_while_locked(self) -> str:
        work = self._open_vault.work_before_stop if self._open_vault is not None else None
        return locked_text(work, self._models.locked_transfers.count, sent_meanwhile=self._sent_while_locked)

    def add_when_open(self, paths: Sequence[Path]) -> None:
        """Add files and folders as soon as a vault is open, as if they were dropped on the window then."""
        self._to_add += paths

    def show_viewer(self) -> None:
        """Fill the window with the viewer."""
        self.stack.setCurrentWidget(self.open_vault.viewer_page)
        self.open_vault.viewer_page.setFocus(Qt.FocusReason.OtherFocusReason)

    def leave_viewer(self) -> None:
        """Go back to the pages."""
        if self.stack.currentWidget() is self.open_vault.viewer_page:
            self.stack.setCurrentWidget(self.open_vault.shell_page)
            page = self.open_vault.shell_page.content.currentWidget()
            if page is not None:
                page.setFocus(Qt.FocusReason.OtherFocusReason)

    # -- trouble ---------------------------------------------------------------------------------------------------

    def show_error(self, error: GlassineError) -> None:
        """Show an error as a banner."""
        from desktop.widgets.notices import error_notice

        self.show_notice(error_notice(error))

    def show_unexpected(self, details: str) -> None:
        """Say that something failed that nobody foresaw; the log has the rest."""
        from desktop.widgets.notices import Notice

        self.show_notice(
            Notice(
                "unexpected",
                "danger",
                self.tr("Something went wrong (G-100)"),
                self.tr("Glassine goes on, and what is stored is safe. The details are in the log."),
                details=details,
            )
        )

    def show_notice(self, notice: Notice) -> None:
        """Show a banner where the person is."""
        if self._open_vault is not None and self._models.shell.stage is Stage.OPEN:
            self._open_vault.shell_page.banners.show_notice(notice)
        elif self._models.shell.stage is Stage.SIGN_IN:
            self.sign_in.show_problem(notice.title, notice.text, notice.details)
        else:
            self.lock_page.show_problem(notice.title, notice.text, notice.details)

    # -- keys ------------------------------------------------------------------------------------------------------

    def _add_shortcuts(self) -> None:
        from PySide6.QtGui import QKeySequence, QShortcut

        for keys, called in (
            ("Ctrl+L", self.lock),
            ("Ctrl+O", lambda: self._in_vault(lambda vault: vault.add_pictures())),
            ("Ctrl+F", lambda: self._in_vault(lambda vault: vault.search())),
            ("F6", lambda: self._step_region(backwards=False)),
            ("Shift+F6", lambda: self._step_region(backwards=True)),
            ("?", self.show_shortcuts),
            ("F1", self.show_shortcuts),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(called)
        quit_keys = QShortcut(QKeySequence(QKeySequence.StandardKey.Quit), self)
        quit_keys.activated.connect(self.close)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        escape.activated.connect(lambda: self._in_vault(lambda vault: vault.escape()))

    def _in_vault(self, called: Callable[[OpenVault], None]) -> None:
        """Do something with the open vault, unless the viewer or the lock lies over it."""
        if self._open_vault is not None and self.stack.currentWidget() is self._open_vault.shell_page:
            called(self._open_vault)

    def _step_region(self, *, backwards: bool) -> None:
        vault, seen = self._open_vault, self.stack.currentWidget()
        for page in (vault.shell_page, vault.viewer_page) if vault is not None else ():
            if page is seen:
                page.step_region(backwards=backwards)

    def lock(self) -> None:
        """Drop keys and pictures."""
        self._models.shell.lock()

    def sign_out(self) -> None:
        """End the session; ask first while there is work in hand."""
        work = self._open_vault.work_in_hand if self._open_vault is not None else None
        if work:
            self._ask_to_leave(work, quitting=False)
        else:
            self._models.shell.sign_out()

    def show_shortcuts(self) -> None:
        """Show the sheet of keys."""
        from desktop.widgets.shortcut_sheet import ShortcutSheet

        if not self.findChildren(ShortcutSheet):
            ShortcutSheet(self.icons, self).open()

    # -- the end ---------------------------------------------------------------------------------------------------

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask first while pictures are on their way, copies are saved or pictures deleted."""
        work = self._open_vault.work_in_hand if self._open_vault is not None else None
        if work and not self._quitting:
            event.ignore()
            self._ask_to_leave(work, quitting=True)
            return
        save_geometry(self._geometry_path, self.saveGeometry())
        self.closed.emit()
        event.accept()

    def _ask_to_leave(self, work: WorkInHand, *, quitting: bool) -> None:
        from desktop.widgets.dialogs import ConfirmDialog

        if self.findChildren(ConfirmDialog):
            return
        question = ConfirmDialog(
            self.icons,
            self,
            title=leaving_title(work, quitting=quitting),
            text=leaving_text(work, quitting=quitting),
            confirm=self.tr("Quit") if quitting else self.tr("Sign out"),
            safe=self.tr("Keep open"),
            icon="transfers",
            safe_is_primary=True,
        )
        question.accepted.connect(self._quit if quitting else self._models.shell.sign_out)
        question.open()

    def _quit(self) -> None:
        self._quitting = True
        self.close()

    def quit_now(self) -> None:
        """Close without asking; what waits is kept and goes on at the next start."""
        self._quit()

    def stop(self) -> Any:
        """Stop everything of the session and return it, to be closed."""
        return self._models.shell.stop()
