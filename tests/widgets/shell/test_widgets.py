"""The components: errors in place, banners by gravity, toasts that wait, the ring where the keyboard is."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt, QTimer
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from desktop.errors import ServerSilent, WrongPassword
from desktop.widgets.components import (
    Banner,
    BannerArea,
    Button,
    Chip,
    ConfirmDialog,
    ElidedLabel,
    EmptyState,
    Field,
    FocusRing,
    GhostButton,
    Label,
    Notice,
    PageHeader,
    ProgressBar4,
    ScrollPage,
    SidePanel,
    Toast,
    initials,
)
from desktop.widgets.icons import Icons
from desktop.widgets.marks import CHIP_STYLES
from desktop.widgets.notices import error_words
from desktop.widgets.regions import step_control
from desktop.widgets.sidebar import SidebarRow


@pytest.fixture
def icons(dressed: Any) -> Icons:
    return Icons(dressed("light"))


@pytest.fixture
def holder(qtbot: Any, icons: Icons) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.resize(700, 500)
    return widget


def show(qtbot: Any, widget: QWidget) -> None:
    with qtbot.waitExposed(widget):
        widget.show()
    widget.activateWindow()


def test_a_field_says_its_error_below_and_forgets_it_at_the_next_key(qtbot: Any, icons: Icons) -> None:
    field = Field(icons, "User name", helper="As on the server")
    qtbot.addWidget(field)
    field.show()
    field.set_error("Write your user name.")
    assert field.error
    assert not field.helper.isVisible()
    assert field.edit.accessibleDescription() == "Write your user name."
    assert field.edit.accessibleName() == "User name"
    qtbot.keyClicks(field.edit, "m")
    assert not field.error
    assert field.helper.isVisible()
    assert field.text == "m"


def test_a_password_shows_itself_only_on_demand(qtbot: Any, icons: Icons) -> None:
    field = Field(icons, "Password", password=True)
    qtbot.addWidget(field)
    assert field.edit.echoMode() == QLineEdit.EchoMode.Password
    field._eye.trigger()
    assert field.edit.echoMode() == QLineEdit.EchoMode.Normal
    field.clear()
    assert field.edit.echoMode() == QLineEdit.EchoMode.Password


def test_the_eye_of_a_password_is_reached_and_pressed_by_keyboard(qtbot: Any, icons: Icons, holder: QWidget) -> None:
    field = Field(icons, "Password", password=True)
    submitted: list[bool] = []
    field.submitted.connect(lambda: submitted.append(True))
    QVBoxLayout(holder).addWidget(field)
    ring = FocusRing(holder, icons.theme)
    show(qtbot, holder)
    field.setFocus()
    qtbot.keyClick(field.edit, Qt.Key.Key_Tab)
    eye = QApplication.focusWidget()
    assert eye is not None
    assert eye.accessibleName() == "Show what is typed"
    assert ring.target is eye
    for key, mode in ((Qt.Key.Key_Space, "Normal"), (Qt.Key.Key_Return, "Password")):
        qtbot.keyClick(eye, key)
        assert field.edit.echoMode() == QLineEdit.EchoMode[mode]
    assert not submitted
    assert QApplication.focusWidget() is eye


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_enter_presses_whatever_button_has_the_focus(qtbot: Any, icons: Icons, holder: QWidget, key: Qt.Key) -> None:
    layout, pressed = QVBoxLayout(holder), []
    buttons = [Button("Save a copy"), GhostButton(icons, "close", "Close"), SidebarRow(icons, "key", "Keys")]
    for button in buttons:
        layout.addWidget(button)
        button.clicked.connect(lambda _=False, button=button: pressed.append(button))
    show(qtbot, holder)
    for button in buttons:
        button.setFocus(Qt.FocusReason.TabFocusReason)
        qtbot.keyClick(button, key)
    assert pressed == buttons


def test_enter_opens_the_menu_of_a_button(qtbot: Any, icons: Icons, holder: QWidget) -> None:
    button, menu = GhostButton(icons, "more", "More", parent=holder), QMenu(holder)
    menu.addAction("Add a folder")
    button.setMenu(menu)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    show(qtbot, holder)
    opened: list[bool] = []

    def look() -> None:
        opened.append(menu.isVisible())
        menu.close()

    QTimer.singleShot(100, look)
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(opened))
    assert opened == [True]


@pytest.mark.parametrize("kind", ["default", "primary", "link", "ghost"])
def test_a_focused_button_has_no_rectangle_of_the_style(qtbot: Any, icons: Icons, holder: QWidget, kind: str) -> None:
    button = GhostButton(icons, "close", "Close") if kind == "ghost" else Button("Share", kind=kind)
    other = QLineEdit()
    layout = QVBoxLayout(holder)
    layout.addWidget(button)
    layout.addWidget(other)
    show(qtbot, holder)
    other.setFocus()
    before = button.grab().toImage()
    button.setFocus(Qt.FocusReason.TabFocusReason)
    holder.setAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)
    assert button.hasFocus()
    assert button.grab().toImage() == before


@pytest.mark.parametrize(("large", "row", "height"), [(False, False, 32), (True, False, 40), (False, True, 26)])
def test_buttons_have_the_heights_of_the_design(qtbot: Any, icons: Icons, large: bool, row: bool, height: int) -> None:
    for kind in ("default", "primary", "danger", "danger-quiet"):
        button = Button("Share", icons, "plus", kind=kind, large=large, row=row)
        qtbot.addWidget(button)
        button.ensurePolished()
        assert button.sizeHint().height() == height, kind


def test_the_gravest_banner_is_shown_and_the_rest_is_one_click_away(qtbot: Any, icons: Icons) -> None:
    area = BannerArea(icons)
    qtbot.addWidget(area)
    assert area.isHidden()
    area.show_notice(Notice("a", "info", "Info", ""))
    area.show_notice(Notice("b", "danger", "Danger", "A sentence."))
    area.show_notice(Notice("c", "warn", "Warning", ""))
    assert [banner.notice.key for banner in area.shown] == ["b"]
    more = next(button for button in area.shown[0].findChildren(QPushButton) if button.property("kind") == "link")
    assert "2" in more.text()
    more.click()
    assert [banner.notice.key for banner in area.shown] == ["b", "c", "a"]
    area.show_notice(Notice("b", "danger", "Danger again", ""))
    assert len(area.notices) == 3
    for key in "abc":
        area.remove(key)
    assert area.isHidden()


def test_a_banner_can_be_read_at_once(holder: QWidget, icons: Icons) -> None:
    """Not one turn of the event loop later, in which neither the old one nor the new one is there."""
    QVBoxLayout(holder).addWidget(area := BannerArea(icons))
    holder.show()
    for kind in ("warn", "danger"):
        area.show_notice(Notice(kind, kind, "Title", ""))
        assert [banner.notice.key for banner in area.findChildren(Banner) if banner.isVisible()] == [kind]


def test_a_banner_calls_back(qtbot: Any, icons: Icons) -> None:
    called: list[str] = []
    area = BannerArea(icons)
    qtbot.addWidget(area)
    area.show_notice(
        Notice(
            "a", "danger", "Title", "Text", action="Try again", on_action=lambda: called.append("yes"), details="N-204"
        )
    )
    banner = area.shown[0]
    next(button for button in banner.findChildren(QPushButton) if button.text() == "Try again").click()
    assert called == ["yes"]
    copy = next(b for b in banner.findChildren(GhostButton) if b.accessibleName() == "Copy details")
    copy.click()
    assert QApplication.clipboard().text() == "N-204"
    next(b for b in banner.findChildren(GhostButton) if b.accessibleName() == "Close").click()
    assert area.notices == []


def test_an_error_is_not_said_twice() -> None:
    title, text, details = error_words(ServerSilent(details="timed out"))
    assert title == "The server did not answer (N-204)"
    assert text == "Your pictures are safe here and are sent later."
    assert "timed out" in details
    assert error_words(WrongPassword())[1] == "The connection itself is fine."


def test_a_toast_waits_while_it_is_looked_at(qtbot: Any, icons: Icons, holder: QWidget) -> None:
    toast = Toast(icons, holder)
    show(qtbot, holder)
    toast.show_message("Moved 3 pictures to the bin")
    assert toast._timer.isActive()
    QApplication.sendEvent(toast, QEnterEvent(QPointF(1, 1), QPointF(1, 1), QPointF(1, 1)))
    assert not toast._timer.isActive()
    QApplication.sendEvent(toast, QEvent(QEvent.Type.Leave))
    assert toast._timer.isActive()
    with qtbot.waitSignals([toast.undone, toast.gone]):
        toast._undo.click()
    assert toast.isHidden()
    bottom = toast.geometry().bottom()
    assert holder.height() - bottom == pytest.approx(Toast._EDGE, abs=2)


def test_the_ring_follows_the_keyboard_only(qtbot: Any, icons: Icons, holder: QWidget) -> None:
    layout = QVBoxLayout(holder)
    first, second, field = QPushButton("One"), QPushButton("Two"), QLineEdit()
    for widget in (first, second, field):
        layout.addWidget(widget)
    ring = FocusRing(holder, icons.theme)
    show(qtbot, holder)
    first.setFocus(Qt.FocusReason.MouseFocusReason)
    assert ring.isHidden()
    qtbot.keyClick(first, Qt.Key.Key_Tab)
    assert ring.target is second
    assert ring.isVisible()
    assert ring.geometry().contains(second.geometry())
    assert ring.geometry().left() == second.x() - 4
    holder.resize(500, 300)
    QApplication.processEvents()
    assert ring.geometry().width() == second.width() + 8
    qtbot.keyClick(second, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is field
    assert ring.isHidden(), "a field shows the focus itself"


def test_the_ring_survives_its_target(qtbot: Any, icons: Icons, holder: QWidget) -> None:
    layout = QVBoxLayout(holder)
    first, second = QPushButton("One"), QPushButton("Two")
    layout.addWidget(first)
    layout.addWidget(second)
    ring = FocusRing(holder, icons.theme)
    show(qtbot, holder)
    second.setFocus(Qt.FocusReason.ShortcutFocusReason)
    assert ring.isVisible()
    second.deleteLater()
    qtbot.waitUntil(lambda: ring.target is not second)
    holder.resize(400, 300)
    QApplication.processEvents()


def test_the_ring_scrolls_along(qtbot: Any, icons: Icons, holder: QWidget) -> None:
    page = ScrollPage()
    column = QVBoxLayout(page.content)
    buttons = [QPushButton(str(number)) for number in range(40)]
    for button in buttons:
        column.addWidget(button)
    QHBoxLayout(holder).addWidget(page)
    ring = FocusRing(holder, icons.theme)
    show(qtbot, holder)
    buttons[3].setFocus(Qt.FocusReason.ShortcutFocusReason)
    before = ring.y()
    page.verticalScrollBar().setValue(20)
    QApplication.processEvents()
    assert ring.y() == before - 20
    assert ring.y() + 4 == buttons[3].mapTo(holder, QPoint(0, 0)).y()


@pytest.mark.parametrize("danger", [True, False])
def test_enter_and_the_first_focus_are_safe(qtbot: Any, icons: Icons, holder: QWidget, danger: bool) -> None:
    show(qtbot, holder)
    dialog = ConfirmDialog(
        icons,
        holder,
        title="Delete 3 pictures for good?",
        text="They cannot be brought back.",
        confirm="Delete for good",
        safe="Cancel",
        icon="bin",
        danger=danger,
    )
    dialog.open()
    qtbot.waitUntil(dialog.isVisible)
    assert dialog.safe.isDefault()
    assert dialog.focusWidget() is dialog.safe
    ring = dialog.findChild(FocusRing)
    qtbot.waitUntil(lambda: ring.target is dialog.safe)
    assert ring.isVisible()
    assert dialog.confirm.property("kind") == ("danger" if danger else "primary")
    outcome: list[str] = []
    dialog.accepted.connect(lambda: outcome.append("accepted"))
    dialog.rejected.connect(lambda: outcome.append("rejected"))
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert outcome == ["rejected"]


def test_ctrl_l_locks_from_a_question_over_a_dialog(qtbot: Any, icons: Icons) -> None:
    class Window(QWidget):
        locked = 0

        def lock(self) -> None:
            self.locked += 1

    window = Window()
    qtbot.addWidget(window)
    show(qtbot, window)
    below = ConfirmDialog(icons, window, title="Share?", text="", confirm="Share", safe="Cancel")
    below.open()
    above = ConfirmDialog(icons, below, title="Stop?", text="", confirm="Stop", safe="Cancel")
    above.open()
    qtbot.waitUntil(above.isActiveWindow)
    qtbot.keyClick(above, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert window.locked == 1


def test_a_dialog_is_as_high_as_its_words_and_darkens_the_window(qtbot: Any, icons: Icons, holder: QWidget) -> None:
    from desktop.widgets.dialogs import Scrim

    show(qtbot, holder)
    words = "Copies other people have saved stay with them. " * 6
    dialog = ConfirmDialog(icons, holder, title="Delete?", text=words, confirm="Delete", safe="Cancel")
    dialog.open()
    qtbot.waitUntil(dialog.isVisible)
    assert dialog.width() == 440
    label = dialog.sentence
    assert label.height() >= label.heightForWidth(label.width()) - 1
    assert len(holder.findChildren(Scrim)) == 1
    dialog.reject()
    qtbot.waitUntil(lambda: not holder.findChildren(Scrim))


def test_words_that_wrap_are_never_cut(qtbot: Any, icons: Icons, holder: QWidget) -> None:
    label = Label("Glassine encrypts each picture on this computer. " * 3, "secondary", wrap=True)
    layout = QVBoxLayout(holder)
    layout.addWidget(label)
    layout.addStretch(1)
    show(qtbot, holder)
    for width in (700, 200, 500):
        holder.resize(width, 500)
        QApplication.processEvents()
        assert label.height() == pytest.approx(label.heightForWidth(label.width()), abs=1)


def test_a_name_is_elided_in_the_middle_with_the_whole_in_the_tooltip(qtbot: Any, icons: Icons) -> None:
    label = ElidedLabel("a very long file name that does not fit.jpeg")
    qtbot.addWidget(label)
    label.resize(80, 20)
    label.grab()
    assert label.toolTip() == label.text()
    label.resize(800, 20)
    label.grab()
    assert label.toolTip() == ""
    assert label.minimumSizeHint().width() < 40


@pytest.mark.parametrize("kind", sorted(CHIP_STYLES))
def test_chips_are_as_wide_as_their_words(qtbot: Any, icons: Icons, kind: str) -> None:
    chip = Chip(icons, kind, "Not verified")
    qtbot.addWidget(chip)
    assert chip.sizeHint().height() >= 22
    longer = Chip(icons, kind, "Not verified by anybody yet")
    qtbot.addWidget(longer)
    assert longer.sizeHint().width() > chip.sizeHint().width()
    assert chip.accessibleName() == "Not verified"
    shapes = [style[0] for name, style in CHIP_STYLES.items() if name in ("verified", "not-verified", "key-changed")]
    assert len(set(shapes)) == 3


def test_progress_without_an_estimate_is_an_empty_track(qtbot: Any, icons: Icons) -> None:
    bar = ProgressBar4(icons.theme)
    qtbot.addWidget(bar)
    bar.set_progress(5, 0)
    assert bar.value() == 0
    bar.set_progress(3 << 31, 4 << 31)
    assert bar.value() == 750
    assert bar.height() == 4


def test_the_search_becomes_an_icon_where_there_is_no_room(qtbot: Any, icons: Icons) -> None:
    header = PageHeader(icons, "All pictures")
    field = header.add_search("Search names")
    header.add_action(Button("Add pictures", icons, "plus", kind="primary"))
    qtbot.addWidget(header)
    header.resize(900, 61)
    header.show()
    assert field.isVisible()
    header.resize(500, 61)
    QApplication.processEvents()
    assert not field.isVisible()
    assert header._search_button is not None
    header._search_button.click()
    assert field.isVisible()
    assert field.width() > 350
    qtbot.keyClicks(field, "lady")
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == ""
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert not field.isVisible()


def test_a_panel_alone_has_a_way_back(qtbot: Any, icons: Icons) -> None:
    panel = SidePanel(icons, "Transfers")
    qtbot.addWidget(panel)
    panel.show()
    assert panel.width() == SidePanel.WIDTH
    panel.set_in_place_of_content(True)
    assert panel._back.isVisible()
    with qtbot.waitSignal(panel.close_requested):
        panel._back.click()


def test_an_empty_place_says_its_words_in_full(qtbot: Any, icons: Icons, holder: QWidget) -> None:
    state = EmptyState(icons, "heart", "No favourites yet", "Press F on a picture to keep it here.")
    QVBoxLayout(holder).addWidget(state)
    show(qtbot, holder)
    for label in state.findChildren(Label):
        assert label.height() >= label.heightForWidth(label.width()) - 1
    assert state.minimumSizeHint().height() < QSize(10, 300).height()


@pytest.mark.parametrize(
    ("name", "letters"), [("Mara Lindqvist", "ML"), ("mara", "MA"), ("", "?"), ("a", "A"), ("j. r. r. tolkien", "JT")]
)
def test_initials(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_what_goes_away_after_a_step_takes_no_entries_of_menus_along(qtbot: Any, holder: QWidget) -> None:
    row, more = QPushButton(holder), QToolButton(holder)
    more.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    menu = QMenu(more)
    entry = menu.addAction("Change")
    show(qtbot, holder)
    row.setFocus()
    assert step_control([holder])
    assert more.hasFocus()
    row.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert isValid(entry)
    assert entry.text() == "Change"
