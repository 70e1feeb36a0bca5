"""The whole window, with the real widgets and a vault in memory: keyboard, names, sizes, direction, stages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QCloseEvent, QFontMetrics
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QScrollArea,
    QWidget,
)

from desktop import errors
from desktop.app import Closing, build
from desktop.client.recovery_kit import KitState
from desktop.config import Config
from desktop.crypto.words import fingerprint_groups
from desktop.models import Place, PlaceKind, Trust
from desktop.tasks import InlineRunner
from desktop.viewmodels.shell import Stage
from desktop.viewmodels.sign_in import Form
from desktop.viewmodels.transfer import Transfer
from desktop.widgets import key_dialogs
from desktop.widgets.dialogs import ConfirmDialog
from desktop.widgets.labels import ElidedLabel, IconLabel, Label
from desktop.widgets.main_window import MainWindow
from desktop.widgets.open_vault import OpenVault, WorkInHand
from desktop.widgets.shortcut_sheet import ShortcutSheet


class EmptyVault:
    """A vault without pictures."""

    place = Place(PlaceKind.THIS_COMPUTER, Path("/place"))
    bin_days = 0

    def trust(self) -> Trust:
        return Trust()

    def list_bin(self, report: Any, cancelled: Any) -> list[Any]:
        return []

    def list_pictures(self, report: Any, cancelled: Any, on_page: Any) -> list[Any]:
        return []

    def staged(self) -> list[Any]:
        return []

    def load_queue(self) -> list[Path]:
        return []

    def save_queue(self, paths: Any) -> None:
        pass


@pytest.fixture
def window(
    qtbot: Any, dressed: Any, config: Config, runner: InlineRunner, sessions: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MainWindow]:
    window = build(config, runner, sessions)  # type: ignore[arg-type]
    qtbot.addWidget(window)
    window.resize(1280, 800)
    with qtbot.waitSignal(window.first_painted):
        window.show()
    yield window
    for dialog in window.findChildren(QDialog):
        dialog.reject()
    window._quitting = True


@pytest.fixture
def opened(window: MainWindow, runner: InlineRunner, make_session: Callable[..., Any]) -> MainWindow:
    """The window with an open vault."""
    session = make_session(locked=False)
    session.vault = EmptyVault
    window._on_signed_in(session)
    runner.run_pending()
    QApplication.processEvents()
    assert window._models.shell.stage is Stage.OPEN
    return window


def controls(root: QWidget) -> list[QWidget]:
    return [widget for widget in root.findChildren(QWidget) if widget.isVisible()]


def check_names(root: QWidget) -> None:
    """Every control says what it is, and one without words says so on hover too."""
    for widget in controls(root):
        described = f"{type(widget).__name__} in {type(widget.parent()).__name__}"
        if isinstance(widget, QAbstractButton):
            words = widget.accessibleName() or widget.text()
            assert words, described
            shown = widget.text() and (isinstance(widget, QPushButton) or widget.width() > 60)
            assert shown or widget.toolTip(), f"{described}: {words} has no tooltip"
        elif isinstance(widget, QLineEdit | QComboBox):
            assert widget.accessibleName(), described


def check_nothing_cut(root: QWidget) -> None:
    """No label or button is smaller than its words."""
    for widget in controls(root):
        if isinstance(widget, ElidedLabel):
            continue
        if isinstance(widget, QLabel) and widget.text():
            needed = widget.heightForWidth(widget.width()) if widget.wordWrap() else widget.sizeHint().height()
            assert widget.height() >= needed - 1, f"{widget.text()!r} is cut: {widget.height()} < {needed}"
            if not widget.wordWrap():
                assert widget.width() >= widget.sizeHint().width() - 1, f"{widget.text()!r} is cut"
        elif isinstance(widget, QPushButton):
            needed = widget.minimumSizeHint()
            assert widget.width() >= needed.width() - 1, f"{widget.text()!r} is cut"
            assert widget.height() >= needed.height() - 1, f"{widget.text()!r} is cut"


def check_inside(root: QWidget) -> None:
    """Nothing sticks out of the window at a side, except what scrolls."""
    for widget in controls(root):
        scrolls = any(isinstance(parent, QScrollArea) for parent in parents(widget))
        if scrolls or widget.window() is not root.window():
            continue
        corner = widget.mapTo(root, QPoint(0, 0))
        assert corner.x() >= -1, type(widget).__name__
        assert corner.x() + widget.width() <= root.width() + 1, type(widget).__name__


def parents(widget: QWidget) -> Iterator[QWidget]:
    parent = widget.parentWidget()
    while parent is not None:
        yield parent
        parent = parent.parentWidget()


class TopLevels(QObject):
    """Notes every widget that opens as a window of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.seen.append(type(watched).__name__)
        return False


# -- signing in ------------------------------------------------------------------------------------------------------


def test_a_person_without_a_mouse_gets_in(window: MainWindow, qtbot: Any, runner: InlineRunner, sessions: Any) -> None:
    page = window.sign_in
    assert QApplication.focusWidget() is page.fields["passphrase"].edit
    # back to the choice, over to the server with an arrow key
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Backtab)
    assert QApplication.focusWidget() is page.computer_card
    qtbot.keyClick(page.computer_card, Qt.Key.Key_Left)
    assert page.server_card.isChecked()
    assert window._models.sign_in.form is Form.SIGN_IN
    for name, text in (("address", "a.org"), ("user_name", "mara"), ("password", "secret")):
        while QApplication.focusWidget() is not page.fields[name].edit:
            qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        qtbot.keyClicks(QApplication.focusWidget(), text)
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    assert not page.button.isEnabled()
    assert page.button.text() == "Signing in…"
    runner.run_pending()
    assert sessions.calls == [("sign-in", "a.org", "mara", "secret")]
    assert window.stack.currentWidget() is window.lock_page
    assert page.fields["password"].text == ""
    assert window.windowTitle() == "Glassine"


def test_every_stop_of_tab_is_reached_and_comes_round(window: MainWindow, qtbot: Any) -> None:
    window._models.sign_in.choose(PlaceKind.SERVER)
    seen = []
    for _ in range(20):
        widget = QApplication.focusWidget()
        assert widget is not None
        if widget in seen:
            break
        seen.append(widget)
        qtbot.keyClick(widget, Qt.Key.Key_Tab)
    page = window.sign_in
    wanted = [page.fields[name].edit for name in ("address", "user_name", "password")]
    wanted += [page.button, page.first_link, page.server_card]
    assert all(widget in seen for widget in wanted)


def test_fields_keep_their_text_when_it_fails(window: MainWindow, runner: InlineRunner, sessions: Any) -> None:
    page = window.sign_in
    window._models.sign_in.choose(PlaceKind.SERVER)
    for name, text in (("address", "a.org"), ("user_name", "mara"), ("password", "secret")):
        page.fields[name].set_text(text)
    sessions.failure = errors.WrongPassword()
    page.button.click()
    runner.run_pending()
    assert page._error is not None
    assert "N-101" in page._error.accessibleName()
    assert [page.fields[name].text for name in ("address", "user_name", "password")] == ["a.org", "mara", "secret"]
    assert page.button.isEnabled()
    assert page.button.text() == "Sign in"


def test_the_keyboard_stays_where_it_is_needed_while_and_after_signing_in(
    window: MainWindow, runner: InlineRunner, sessions: Any
) -> None:
    page = window.sign_in
    window._models.sign_in.choose(PlaceKind.SERVER)
    for name, text in (("address", "a.org"), ("user_name", "mara"), ("password", "secret")):
        page.fields[name].set_text(text)
    for failure, then in ((errors.ServerSilent(), page.button), (errors.WrongPassword(), page.fields["password"].edit)):
        sessions.failure = failure
        page.button.setFocus()
        page.button.click()
        assert QApplication.focusWidget() is page.cancel_link
        runner.run_pending()
        assert QApplication.focusWidget() is then
    assert page.fields["password"].edit.selectedText()


def test_a_field_error_gets_the_cursor(window: MainWindow) -> None:
    page = window.sign_in
    page.fields["passphrase"].set_text("a long passphrase")
    page.fields["repeat"].set_text("something else")
    page.button.click()
    assert page.fields["repeat"].error == "The two are not the same."
    assert QApplication.focusWidget() is page.fields["repeat"].edit


@pytest.mark.parametrize("size", [(1280, 800), (1000, 700), (720, 480)])
@pytest.mark.parametrize("form", ["vault", "server", "register"])
def test_sign_in_fits(window: MainWindow, size: tuple[int, int], form: str) -> None:
    window.resize(*size)
    window._models.sign_in.choose(PlaceKind.THIS_COMPUTER if form == "vault" else PlaceKind.SERVER)
    window._models.sign_in.set_registering(form == "register")
    window.sign_in.fields["passphrase"].set_error("Choose a passphrase that is not your sign-in password.")
    window.sign_in.show_problem("The server did not answer (N-204)", "Your pictures are safe here.", "details")
    QApplication.processEvents()
    check_names(window.sign_in)
    check_nothing_cut(window.sign_in)
    check_inside(window.sign_in)
    assert window.sign_in._side.isVisible() == (size[0] >= 880)


def test_after_signing_out_the_vault_that_was_made_is_offered_to_be_opened(
    window: MainWindow, runner: InlineRunner, sessions: Any, make_session: Callable[..., Any]
) -> None:
    page = window.sign_in
    assert page.title.text() == "A place for your pictures"
    assert page.button.text() == "Create the vault"
    session = make_session(server=False, locked=False)
    session.vault = EmptyVault
    window._on_signed_in(session)
    runner.run_pending()
    sessions.existing.add(window._models.sign_in.folder)
    window._models.shell.lock()
    runner.run_pending()
    window.lock_page.sign_out.click()
    runner.run_pending()
    assert page.isVisible()
    assert (page.title.text(), page.button.text()) == ("Open your pictures", "Open")
    assert not page.fields["repeat"].isVisible()


def test_a_vault_made_meanwhile_is_offered_to_be_opened(
    window: MainWindow, runner: InlineRunner, sessions: Any, passphrase: str
) -> None:
    page = window.sign_in
    for name in ("passphrase", "repeat"):
        page.fields[name].set_text(passphrase)
    sessions.existing.add(window._models.sign_in.folder)
    sessions.failure = errors.NameTaken()
    page.button.click()
    runner.run_pending()
    assert page.button.text() == "Open"
    assert page._error is not None
    sessions.failure = None
    page.button.click()
    runner.run_pending()
    assert [call[0] for call in sessions.calls] == ["open"]


def test_a_secret_does_not_turn_up_in_another_form(window: MainWindow, passphrase: str) -> None:
    page = window.sign_in
    page.fields["passphrase"].set_text(passphrase)
    page.server_card.click()
    page.fields["address"].set_text("a.org")
    page.fields["password"].set_text("a password")
    page.first_link.click()
    assert [page.fields[name].text for name in ("address", "password", "passphrase")] == ["a.org", "", ""]
    assert QApplication.focusWidget() is page.fields["user_name"].edit
    assert "At least 8 characters" in page.fields["passphrase"].helper.text()


@pytest.mark.parametrize(
    ("address", "warned"),
    [
        ("pictures.example.org", False),
        ("https://pictures.example.org", False),
        ("http://localhost:5000", False),
        ("http://127.0.0.1:5000", False),
        ("http://pictures.example.org", True),
        (" HTTP://10.0.0.5:5000", True),
        ("http://[", False),
    ],
)
def test_a_server_without_tls_is_warned_of(window: MainWindow, address: str, warned: bool) -> None:
    page = window.sign_in
    page.server_card.click()
    page.fields["address"].set_text(address)
    assert ("can read your password" in page.fields["address"].helper.text()) is warned


def test_putting_either_of_two_right_takes_the_error_away(window: MainWindow, passphrase: str) -> None:
    page = window.sign_in
    page.fields["passphrase"].set_text("something else")
    page.fields["repeat"].set_text(passphrase)
    page.button.click()
    assert page.fields["repeat"].error
    page.fields["passphrase"].set_text(passphrase)
    assert not page.fields["repeat"].error


# -- the open vault --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["pictures", "shared-with-me", "shared-by-me", "bin", "keys", "settings"])
@pytest.mark.parametrize("size", [(1280, 800), (720, 480)])
def test_pages_have_names_and_nothing_is_cut(opened: MainWindow, page: str, size: tuple[int, int]) -> None:
    opened.resize(*size)
    shell = opened.open_vault.shell_page
    shell.show_page(page)
    opened.show_error(errors.StorageFull())
    QApplication.processEvents()
    check_names(opened)
    check_nothing_cut(shell.sidebar)
    check_nothing_cut(shell.content.currentWidget())
    check_inside(opened)


@pytest.mark.parametrize(
    ("width", "panel", "rail", "alone"),
    [(1280, False, False, False), (1280, True, False, False), (1200, True, True, False), (860, False, True, False),
     (860, True, True, True), (720, True, True, True), (880, False, False, False)],
)  # fmt: skip
def test_the_window_gives_way_in_the_order_of_the_design(
    opened: MainWindow, width: int, panel: bool, rail: bool, alone: bool
) -> None:
    opened.resize(width, 600)
    shell = opened.open_vault.shell_page
    shell.set_panel_open(panel)
    QApplication.processEvents()
    assert shell.sidebar.rail is rail
    assert shell.content.isVisible() is not (panel and alone)
    assert shell.panel.isVisible() is panel


def test_f6_goes_round_the_parts(opened: MainWindow, qtbot: Any) -> None:
    shell = opened.open_vault.shell_page
    shell.show_page("settings")
    shell.sidebar.focus_first()
    visited = []
    for _ in range(8):
        shell.step_region()
        focused = QApplication.focusWidget()
        assert focused is not None
        visited.append(next(region for region in reversed(shell.regions()) if region.isAncestorOf(focused)))
    assert shell.sidebar in visited
    assert shell.content.currentWidget() in visited
    shell.set_panel_open(True)
    QApplication.processEvents()
    for _ in range(8):
        shell.step_region()
        if shell.panel.isAncestorOf(QApplication.focusWidget()):
            break
    else:
        pytest.fail("the panel was never reached")
    assert opened.focus_ring is not None
    assert opened.focus_ring.target is QApplication.focusWidget()
    before = QApplication.focusWidget()
    shell.step_region(backwards=True)
    assert not shell.panel.isAncestorOf(QApplication.focusWidget())
    shell.step_region()
    assert QApplication.focusWidget() is before


def test_tab_goes_through_sidebar_header_banner_content_and_panel(opened: MainWindow, qtbot: Any) -> None:
    shell = opened.open_vault.shell_page
    shell.set_panel_open(True)
    opened.show_error(errors.StorageFull())
    QApplication.processEvents()
    header, page = opened.open_vault.gallery_page.header, opened.open_vault.gallery_page
    parts = {"sidebar": shell.sidebar, "header": header, "banner": shell.banners, "content": page, "panel": shell.panel}
    page.header.add_button.show()  # hidden while there is no picture; the header has nothing else
    shell.sidebar.pages["pictures"].setFocus(Qt.FocusReason.TabFocusReason)
    stops: list[QWidget] = []
    visited: list[str] = []
    while (focused := QApplication.focusWidget()) not in stops:
        assert focused is not None
        stops.append(focused)
        name = next(name for name, part in parts.items() if part.isAncestorOf(focused))
        if not visited or visited[-1] != name:
            visited.append(name)
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    assert visited == list(parts)
    assert page.header.add_button in stops
    assert page.content.first_run.add_files in stops
    for stop in reversed(stops):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Backtab)
        assert QApplication.focusWidget() is stop


def test_escape_closes_the_panel_and_gives_the_focus_back(opened: MainWindow, qtbot: Any) -> None:
    shell = opened.open_vault.shell_page
    row = shell.sidebar.transfers
    row.setFocus(Qt.FocusReason.TabFocusReason)
    row.click()
    assert shell.panel_open
    shell.panel._close.setFocus(Qt.FocusReason.TabFocusReason)
    opened.open_vault.escape()
    assert not shell.panel_open
    assert QApplication.focusWidget() is row


def test_the_sidebar_goes_with_the_arrow_keys(opened: MainWindow, qtbot: Any) -> None:
    sidebar = opened.open_vault.shell_page.sidebar
    sidebar.focus_first()
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Down)
    assert QApplication.focusWidget() is sidebar.pages["keys"]
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    assert opened.open_vault.shell_page.page_name == "keys"
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Up)
    assert QApplication.focusWidget() is sidebar.pages["pictures"]


def test_the_account_row_leads_out(opened: MainWindow, runner: InlineRunner, qtbot: Any) -> None:
    account, session = opened.open_vault.shell_page.sidebar.account, opened._models.shell.session
    qtbot.keyClick(account.button, Qt.Key.Key_Return)
    menu = account.findChildren(QMenu)[-1]
    assert menu.isVisible()
    assert [action.text() for action in menu.actions()] == ["Lock", "Sign out"]
    menu.actions()[1].trigger()
    menu.close()
    runner.run_pending()
    assert opened.stack.currentWidget() is opened.sign_in
    assert session.closed


def test_signing_out_with_work_in_hand_asks(opened: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OpenVault, "work_in_hand", property(lambda self: WorkInHand(encrypted=3)))
    opened.open_vault.shell_page.sidebar.account.sign_out_requested.emit()
    question = opened.findChildren(ConfirmDialog)[-1]
    assert question.windowTitle() == "Sign out while 3 pictures are waiting?"
    assert opened._models.shell.stage is Stage.OPEN
    question.confirm.click()
    assert opened._models.shell.stage is Stage.SIGN_IN


def test_while_the_transfers_are_open_only_they_look_chosen(opened: MainWindow) -> None:
    sidebar = opened.open_vault.shell_page.sidebar
    sidebar.transfers.click()
    assert [row for row in sidebar.rows() if row.isChecked()] == [sidebar.transfers]
    sidebar.pages["keys"].click()
    assert [row for row in sidebar.rows() if row.isChecked()] == [sidebar.transfers]
    sidebar.transfers.click()
    assert [row for row in sidebar.rows() if row.isChecked()] == [sidebar.pages["keys"]]


def test_what_is_only_information_stays_on_its_page(opened: MainWindow) -> None:
    shell = opened.open_vault.shell_page
    shell.sidebar.pages["keys"].click()
    opened.open_vault.keys_page.message_raised.emit("The key has a new name")
    opened.show_error(errors.StorageFull())
    shell.sidebar.pages["keys"].click()
    assert [notice.kind for notice in shell.banners.notices] == ["danger", "info"]
    shell.sidebar.pages["settings"].click()
    assert [notice.kind for notice in shell.banners.notices] == ["danger"]


def test_adding_begins_with_the_pictures_and_then_where_it_ended(
    opened: MainWindow, config: Config, runner: InlineRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pictures, holiday = tmp_path / "Pictures", tmp_path / "holiday"
    for folder in (pictures, holiday):
        folder.mkdir()
    monkeypatch.setattr("desktop.widgets.open_vault.pictures_folder", lambda: pictures)
    opened.open_vault.add_pictures()
    dialog = opened.findChildren(QFileDialog)[-1]
    assert Path(dialog.directory().path()) == pictures
    assert dialog.nameFilters()[0].startswith("Pictures (*.jpg *.JPG")
    assert dialog.nameFilters()[1] == "All files (*)"
    dialog.filesSelected.emit([str(holiday / "a.jpg")])
    dialog.reject()
    runner.run_pending()
    assert Config(config.folder).preferences.add_folder == str(holiday)
    opened.open_vault.add_folder()
    assert Path(opened.findChildren(QFileDialog)[-1].directory().path()) == holiday


def test_the_transfers_row_says_how_it_goes(opened: MainWindow) -> None:
    from desktop.viewmodels.transfer import TransfersSummary

    vault = opened.open_vault
    row = vault.shell_page.sidebar.transfers
    vault._show_summary(TransfersSummary(total=48, finished=17, active=True, fraction=0.35, seconds_left=125.0))
    assert row._second == "17 of 48 · 2 min left"
    assert row.sizeHint().height() == 48
    vault._show_summary(TransfersSummary(total=48, finished=17, active=True, fraction=0.35))
    assert "calculating" in row._second
    assert row._share == 0, "no bar before an estimate exists"
    waiting = TransfersSummary(total=2000, finished=1484, active=True, fraction=0.7, silent=errors.ServerSilent())
    vault._show_summary(waiting)
    assert row._second == "1484 of 2000 · no answer yet"
    assert row._share == 0.7
    room = row.width() - row._TEXT_X - row._ICON_X
    needed = QFontMetrics(opened.theme.font("caption")).horizontalAdvance(row._second)
    assert needed > room
    assert row.second_line_for(room) == "no answer yet", "rather than a part of all"
    assert row.second_line_for(needed) == row._second
    vault._show_summary(TransfersSummary(total=48, finished=48, failed=3))
    assert (row._second, row._failed) == ("3 failed", True)
    vault.shell_page.set_panel_open(True)
    assert row._second == ""
    vault.shell_page.set_panel_open(False)
    vault._show_summary(TransfersSummary(total=48, finished=48, failed=3))
    assert row._second == "", "what was looked at is not said again"


def test_a_trouble_of_all_transfers_is_a_banner_until_it_is_over(opened: MainWindow) -> None:
    from desktop.viewmodels.transfer import TransfersSummary

    banners = opened.open_vault.shell_page.banners
    opened.open_vault._show_summary(TransfersSummary(waiting=3, halted_by=errors.StorageFull()))
    assert [notice.title for notice in banners.notices] == ["The disk is full (S-101)"]
    opened.open_vault._show_summary(TransfersSummary(waiting=3, active=True))
    assert banners.notices == []


def test_locking_leaves_nothing_of_the_person(opened: MainWindow, runner: InlineRunner, qtbot: Any) -> None:
    session = opened._models.shell.session
    assert opened.windowTitle() == "pictures.example.org — Glassine", "with the dash that Qt puts in titles of dialogs"
    opened.show_shortcuts()
    sheet = opened.findChildren(ShortcutSheet)[-1]
    qtbot.waitUntil(lambda: QApplication.activeWindow() is sheet)
    qtbot.keyClick(sheet, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    runner.run_pending()
    QApplication.processEvents()
    assert opened.stack.currentWidget() is opened.lock_page
    assert opened.windowTitle() == "Glassine"
    assert session.locked
    assert opened.open_vault.gallery_page.view.model().rowCount() == 0
    assert not any(sheet.isVisible() for sheet in opened.findChildren(ShortcutSheet))
    check_names(opened.lock_page)
    check_nothing_cut(opened.lock_page)


def test_unlocking_after_a_wrong_try(opened: MainWindow, runner: InlineRunner, passphrase: str, qtbot: Any) -> None:
    opened._models.shell.lock()
    runner.run_pending()
    field = opened.lock_page.fields["passphrase"]
    assert QApplication.focusWidget() is field.edit
    qtbot.keyClicks(field.edit, "wrong")
    qtbot.keyClick(field.edit, Qt.Key.Key_Return)
    runner.run_pending()
    assert "Caps Lock" in field.error
    assert field.text == "wrong", "what was typed stays"
    field.set_text(passphrase)
    qtbot.keyClick(field.edit, Qt.Key.Key_Return)
    runner.run_pending()
    assert opened._models.shell.stage is Stage.OPEN
    assert field.text == ""


def test_signing_out_from_the_lock(opened: MainWindow, runner: InlineRunner) -> None:
    session = opened._models.shell.session
    opened._models.shell.lock()
    runner.run_pending()
    opened.lock_page.sign_out.click()
    runner.run_pending()
    assert opened.stack.currentWidget() is opened.sign_in
    assert session.closed


def test_a_missing_key_is_asked_for_in_place(
    window: MainWindow, make_session: Callable[..., Any], runner: InlineRunner, tmp_path: Path
) -> None:
    window._on_signed_in(make_session(key_missing=True))
    QApplication.processEvents()
    page = window.lock_page
    assert window.stack.currentWidget() is page
    assert page.title.text() == "Your key is not on this computer"
    assert page._file_button.isVisible()
    page.button.click()
    assert page._file_error.isVisible()
    assert page._file_error.findChild(IconLabel).isVisible()
    page.set_key_path(tmp_path / "mara.glassine-key")
    assert page._file_name.text() == "mara.glassine-key"
    assert not page._file_error.isVisible()
    window.resize(720, 480)
    QApplication.processEvents()
    check_names(page)
    check_nothing_cut(page)


def test_a_long_title_of_a_failure_is_not_cut(window: MainWindow) -> None:
    window.sign_in.show_problem("User name or password is not right, whichever it may be (N-101)", "", "details")
    QApplication.processEvents()
    check_nothing_cut(window.sign_in)
    title = window.sign_in._error.findChild(Label)
    assert title.height() > 1.5 * title.fontMetrics().height()


def test_what_is_wrong_with_a_form_is_scrolled_to(window: MainWindow) -> None:
    def in_sight(widget: QWidget) -> bool:
        return widget.visibleRegion().boundingRect() == widget.rect()

    window.resize(720, 480)
    page = window.sign_in
    page.server_card.click()
    page.first_link.click()
    QApplication.processEvents()
    page._scroll.ensureWidgetVisible(page.first_link)
    assert not in_sight(page.fields["address"])
    page.button.click()
    assert in_sight(page.fields["address"])
    window.show_error(errors.ServerSilent())
    QApplication.processEvents()
    assert page._error is not None
    assert in_sight(page._error)


def test_a_failed_import_is_seen_without_scrolling(opened: MainWindow, runner: InlineRunner, tmp_path: Path) -> None:
    page = opened.open_vault.keys_page
    dialog = key_dialogs.ImportKeyDialog(page._icons, page, page._vm)
    dialog.open()
    dialog.button.click()
    assert dialog.file_error.isVisible()
    assert dialog.file_error.findChild(IconLabel).isVisible()
    dialog.set_path(tmp_path / "first.pem")
    dialog.set_path(tmp_path / "second.pem")
    assert dialog.fields["name"].text == "second"
    dialog.fields["name"].set_text("My own")
    dialog.set_path(tmp_path / "third.pem")
    assert dialog.fields["name"].text == "My own"
    for name in ("passphrase", "repeat"):
        dialog.fields[name].set_text("a long passphrase")
    height = dialog.height()
    page._vm._store.failure = errors.AlreadyStored()
    dialog.button.click()
    runner.run_pending()
    QApplication.processEvents()
    assert dialog._error is not None
    assert dialog.height() > height
    assert not dialog._error.visibleRegion().isEmpty()
    assert dialog._error.visibleRegion().boundingRect() == dialog._error.rect()


def test_a_private_key_is_exported_only_after_its_passphrase_was_right(
    opened: MainWindow, runner: InlineRunner, passphrase: str, tmp_path: Path
) -> None:
    page = opened.open_vault.keys_page
    asked: list[Callable[[Path], None]] = []
    dialog = key_dialogs.ExportPrivateDialog(
        page._icons, page, page._vm, page._vm.entries[0], lambda parent, suggestion, chosen: asked.append(chosen)
    )
    dialog.open()
    fields = dialog.fields
    fields["old"].set_text("wrong")
    fields["new"].set_text("for the file")
    fields["repeat"].set_text("for the fil")
    dialog.button.click()
    assert fields["repeat"].error == "The two are not the same."
    fields["repeat"].set_text("for the file")
    dialog.button.click()
    runner.run_pending()
    assert "Caps Lock" in fields["old"].error
    assert not asked
    fields["old"].set_text(passphrase)
    dialog.button.click()
    runner.run_pending()
    assert len(asked) == 1
    assert dialog.isVisible()
    assert fields["new"].text == "for the file", "kept, should no file be chosen"
    asked[0](tmp_path / "key.pem")
    runner.run_pending()
    assert page._vm._store.calls[-1][0] == "private"
    assert page._vm._store.calls[-1][3:] == ("for the file", tmp_path / "key.pem")
    assert not dialog.isVisible()


def test_the_sheet_of_keys_opens_once(opened: MainWindow, qtbot: Any) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_F1)
    opened.show_shortcuts()
    sheets = opened.findChildren(ShortcutSheet)
    assert len(sheets) == 1
    check_nothing_cut(sheets[0])


def test_the_key_manager_shows_the_key_and_its_dialogs_have_names(opened: MainWindow, qtbot: Any) -> None:
    page = opened.open_vault.keys_page
    opened.open_vault.shell_page.show_page("keys")
    QApplication.processEvents()
    assert page.card.isVisible()
    page.card.copy.click()
    copied = QApplication.clipboard().text()
    entry = page._vm.entries[0]
    assert copied.split() == list(fingerprint_groups(entry.fingerprint)), "as others are shown them for comparing"
    page.card.show_code.click()
    assert page.card.code.isVisible()
    for make in (
        lambda: key_dialogs.NewKeyDialog(page._icons, page, page._vm),
        lambda: key_dialogs.ImportKeyDialog(page._icons, page, page._vm),
        lambda: key_dialogs.ChangePassphraseDialog(page._icons, page, page._vm, entry),
        lambda: key_dialogs.RenameKeyDialog(page._icons, page, page._vm, entry),
        lambda: key_dialogs.ExportPrivateDialog(page._icons, page, page._vm, entry, lambda *_: None),
    ):
        dialog = make()
        dialog.open()
        qtbot.waitUntil(dialog.isVisible)
        check_names(dialog)
        check_nothing_cut(dialog)
        dialog.reject()


def test_a_new_key_by_its_dialog(opened: MainWindow, runner: InlineRunner, qtbot: Any) -> None:
    from desktop.widgets.key_dialogs import NewKeyDialog

    page = opened.open_vault.keys_page
    dialog = NewKeyDialog(page._icons, page, page._vm)
    dialog.open()
    dialog.fields["passphrase"].set_text("a long passphrase")
    dialog.button.click()
    assert dialog.fields["repeat"].error
    dialog.fields["repeat"].set_text("a long passphrase")
    dialog.button.click()
    assert not dialog.button.isEnabled()
    assert dialog.progress.isVisible()
    with qtbot.waitSignal(dialog.accepted):
        runner.run_pending()
    assert len(page._vm.entries) == 2


def test_settings_take_effect_at_once(opened: MainWindow, runner: InlineRunner, config: Config) -> None:
    page = opened.open_vault.settings_page
    page.theme_combo.setCurrentIndex(page.theme_combo.findData("dark"))
    assert opened.theme.is_dark
    page.tile_combo.setCurrentIndex(page.tile_combo.findData(240))
    page.preflight.setCurrentIndex(page.preflight.findData(True))
    runner.run_pending()
    assert Config(config.folder).preferences.theme == "dark"
    assert config.preferences.tile_size == 240
    assert config.preferences.skip_preflight is True
    page._vm.set_tile_size(120)
    assert page.tile_combo.currentData() == 120


def test_quitting_with_work_in_hand_asks_and_keeps_open_by_default(
    opened: MainWindow, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    work = WorkInHand(encrypted=30, untouched=2)
    monkeypatch.setattr(OpenVault, "work_in_hand", property(lambda self: work))
    event = QCloseEvent()
    opened.closeEvent(event)
    assert not event.isAccepted()
    question = opened.findChildren(ConfirmDialog)[-1]
    assert question.windowTitle().startswith("Quit while 32 picture")
    assert question.sentence.text() == (
        "30 are kept here, encrypted, and go on when Glassine is opened again. "
        "2 are not encrypted yet and are only where they came from. Leave them there; they go on too."
    )
    assert question.safe.text() == "Keep open"
    opened.closeEvent(QCloseEvent())
    assert len(opened.findChildren(ConfirmDialog)) == 1
    qtbot.keyClick(question, Qt.Key.Key_Return)
    assert opened.isVisible()
    opened._ask_to_leave(work, quitting=True)
    with qtbot.waitSignal(opened.closed):
        opened.findChildren(ConfirmDialog)[-1].confirm.click()


def test_only_what_is_encrypted_is_said_to_be_kept(opened: MainWindow, runner: InlineRunner) -> None:
    for number, staged in enumerate((object(), object(), None, None)):
        transfer = Transfer(number, f"{number}.jpg", 10, Path(f"{number}.jpg"), staged=staged)  # type: ignore[arg-type]
        opened.open_vault._models.transfers._board.enlist(transfer)
    assert opened.open_vault.work_in_hand == WorkInHand(encrypted=2, untouched=2)
    opened.lock()
    runner.run_pending()
    assert opened.lock_page._foot_text.text() == (
        "2 pictures wait here, encrypted, and go on when you unlock. "
        "2 are not encrypted yet and are only where they came from. Leave them there; they go on too."
    )


@pytest.mark.parametrize(
    ("kind", "title", "rest"),
    [("export", "Quit while copies are being saved?", "not saved"),
     ("delete", "Quit while pictures are being deleted?", "stay in the vault"),
     ("bin", "Quit while pictures are being moved to the bin?", "stay where they are"),
     ("restore", "Quit while pictures are being restored?", "stay in the bin"),
     ("purge", "Quit while pictures are being deleted?", "stay in the vault")],
)  # fmt: skip
def test_quitting_while_copies_are_saved_or_pictures_deleted_asks(
    opened: MainWindow, runner: InlineRunner, kind: str, title: str, rest: str, tmp_path: Path
) -> None:
    gallery = opened.open_vault._models.gallery
    chosen = [SimpleNamespace(id="1")]
    gallery.bin_days = 30 if kind == "bin" else 0
    begin = {"export": lambda: gallery.export(chosen, tmp_path), "restore": lambda: gallery.restore(chosen),  # type: ignore[arg-type]
             "purge": lambda: gallery.purge(chosen)}  # type: ignore[arg-type]  # fmt: skip
    begin.get(kind, lambda: gallery.delete(chosen))()  # type: ignore[arg-type]
    assert not opened.close()
    question = opened.findChildren(ConfirmDialog)[-1]
    assert question.windowTitle() == title
    assert rest in question.sentence.text()
    assert question.safe.isDefault()
    question.reject()
    assert gallery.busy
    opened.close()
    opened.findChildren(ConfirmDialog)[-1].confirm.click()
    assert not opened.isVisible()
    opened.stop()
    assert not gallery.busy


@pytest.mark.parametrize(
    ("place", "kind", "title"),
    [("bin", "restore", "Quit while pictures are being restored?"),
     ("bin", "purge", "Quit while pictures are being deleted?"),
     ("shared", "delete", "Quit while pictures are being given back?"),
     ("shared", "export", "Quit while copies are being saved?")],
)  # fmt: skip
def test_quitting_asks_for_what_is_under_way_in_other_places_too(
    opened: MainWindow, place: str, kind: str, title: str
) -> None:
    model = getattr(opened.open_vault._models, place)
    model._batch.start(kind, 1, lambda report, cancelled: None)
    assert not opened.close()
    question = opened.findChildren(ConfirmDialog)[-1]
    assert question.windowTitle() == title
    question.reject()
    opened.stop()


def test_the_end_drops_the_key_and_closes_the_session(
    opened: MainWindow, runner: InlineRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Runner:
        def drain(self, deadline: int) -> bool:
            return True

        def close(self, deadline: int) -> bool:
            return True

    session = opened._models.shell.session
    closing = Closing(opened, Runner())  # type: ignore[arg-type]
    opened.close()
    closing.finish()
    assert session.happened == ["locked", "closed"]


def test_nothing_flashes_up_as_a_window_of_its_own(
    qapp: QApplication, window: MainWindow, runner: InlineRunner, make_session: Callable[..., Any]
) -> None:
    """A widget that is shown before it has a parent opens as a window for a moment, and takes the keyboard away."""
    watch = TopLevels()
    qapp.installEventFilter(watch)
    try:
        window._on_signed_in(make_session(key_missing=True))
        window.show_unexpected("details")
        session = make_session(locked=False)
        session.vault = EmptyVault
        window._on_signed_in(session)
        runner.run_pending()
        shell = window.open_vault.shell_page
        window.show_error(errors.StorageFull())
        for page in ("keys", "settings", "pictures"):
            shell.show_page(page)
            QApplication.processEvents()
        shell.set_panel_open(True)
        QApplication.processEvents()
        assert watch.seen == []
        window.show_shortcuts()
        assert watch.seen == ["ShortcutSheet"]
        assert QApplication.activeWindow() is not None
    finally:
        qapp.removeEventFilter(watch)


def test_the_window_comes_back_where_it_was(
    window: MainWindow, config: Config, runner: InlineRunner, sessions: Any, qtbot: Any
) -> None:
    window.resize(780, 600)  # the offscreen screen is 800 wide
    window.close()
    again = build(config, runner, sessions)  # type: ignore[arg-type]
    qtbot.addWidget(again)
    assert (again.width(), again.height()) == (780, 600)
    (config.folder / "window").write_bytes(b"nonsense")
    third = build(config, runner, sessions)  # type: ignore[arg-type]
    qtbot.addWidget(third)
    assert (third.width(), third.height()) == (1280, 800)
    assert (third.minimumWidth(), third.minimumHeight()) == (720, 480)


def test_right_to_left_mirrors_the_window(
    qapp: QApplication, dressed: Any, config: Config, runner: InlineRunner, sessions: Any, qtbot: Any,
    make_session: Callable[..., Any],
) -> None:  # fmt: skip
    qapp.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    window = build(config, runner, sessions)  # type: ignore[arg-type]
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    QApplication.processEvents()
    side = window.sign_in._side
    assert side.mapTo(window, QPoint(0, 0)).x() + side.width() == window.width()
    check_inside(window.sign_in)
    assert window.sign_in.title.alignment() & Qt.AlignmentFlag.AlignRight
    session = make_session(locked=False)
    session.vault = EmptyVault
    window._on_signed_in(session)
    runner.run_pending()
    shell = window.open_vault.shell_page
    QApplication.processEvents()
    assert shell.sidebar.x() + shell.sidebar.width() == window.width()
    shell.set_panel_open(True)
    QApplication.processEvents()
    assert shell.panel.x() == 0
    for page in ("pictures", "keys", "settings"):
        shell.show_page(page)
        QApplication.processEvents()
        check_inside(window)
    window._quitting = True


def test_an_unforeseen_error_is_said_on_every_stage(
    window: MainWindow, runner: InlineRunner, make_session: Callable[..., Any]
) -> None:
    window.show_unexpected("details")
    assert window.sign_in._error is not None
    window._on_signed_in(make_session())
    window.show_unexpected("details")
    assert window.lock_page._error is not None
    session = make_session(locked=False)
    session.vault = EmptyVault
    window._on_signed_in(session)
    runner.run_pending()
    window.show_unexpected("details")
    assert [notice.key for notice in window.open_vault.shell_page.banners.notices] == ["unexpected"]


def test_a_kit_without_a_second_copy_is_asked_for_that_copy(opened: MainWindow, runner: InlineRunner) -> None:
    session = opened._models.shell.session
    session.the_kit.state = KitState.ONE_COPY  # type: ignore[union-attr]
    opened.open_vault._models.kit.reload()
    runner.run_pending()
    [notice] = [one for one in opened.open_vault.shell_page.banners.notices if one.key == "no-kit"]
    assert notice.action == "Keep a second copy"
    assert "Only this computer has the key file." in notice.text
