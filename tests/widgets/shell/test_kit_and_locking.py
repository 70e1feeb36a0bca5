"""The recovery kit's dialog and page, locking by itself, and what goes on while locked."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QRectF
from PySide6.QtGui import QImage, QPageSize, QPainter

from desktop import errors
from desktop.client.keychain import KeychainLocked
from desktop.client.kit_page import kit_page
from desktop.client.recovery_kit import KitState, KitStatus, NewKit
from desktop.config import Preferences
from desktop.crypto import kit
from desktop.screen_lock import DBusScreenLock
from desktop.tasks import InlineRunner
from desktop.viewmodels.auto_lock import AutoLock
from desktop.viewmodels.key_work import KeyWorkViewModel
from desktop.viewmodels.lock import LockViewModel
from desktop.viewmodels.locked_transfers import LockedTransfers
from desktop.viewmodels.recovery_kit import KitViewModel, Mark
from desktop.viewmodels.shell import ShellViewModel, Stage

ROOT = bytes(range(32))
FINGERPRINT = "9f2c41b7e08a5d1377c01ae4b9620f5e03d8c4a16e2b97f058bd2c16d07ae349"
PASSPHRASE = "a long passphrase"


class MemoryKit:
    """A kit in memory."""

    has_server = True

    def __init__(self) -> None:
        self.state, self.kept, self.copies = KitState.NONE, 0, list[str]()

    def status(self) -> KitStatus:
        return KitStatus(self.state, datetime(2026, 3, 2, tzinfo=UTC), self.copies[-1] if self.copies else "")

    def draw(self, passphrase: str) -> NewKit:
        if passphrase != PASSPHRASE:
            raise errors.WrongKey
        words = kit.words_of(ROOT)
        page = kit_page(words, FINGERPRINT, key_name="Mara", created=date(2026, 3, 2))
        return NewKit(ROOT, words, page)

    def keep(self, new: NewKit, passphrase: str) -> None:
        self.kept += 1
        self.state = KitState.UNPROVEN

    def prove(self, typed: Any) -> bytes:
        root = kit.read_words(typed)
        if root != ROOT:
            raise errors.WrongKey("These are the words of another kit.")
        self.state = KitState.ONE_COPY
        return root

    def copy_to_server(self, root: bytes) -> None:
        assert root == ROOT
        self.copies.append("server")
        self.state = KitState.PROVEN

    def copy_to_file(self, root: bytes, target: Path) -> None:
        self.copies.append("file")
        self.state = KitState.PROVEN


@pytest.fixture
def memory_kit() -> MemoryKit:
    return MemoryKit()


@pytest.fixture
def view_model(runner: InlineRunner, make_session: Callable[..., Any], memory_kit: MemoryKit) -> KitViewModel:
    made = KitViewModel(runner)
    made.start(make_session(the_kit=memory_kit))
    runner.run_pending()
    return made


@pytest.fixture
def dialog(view_model: KitViewModel, dressed: Any, qtbot: Any, runner: InlineRunner) -> Any:
    from PySide6.QtWidgets import QMainWindow

    from desktop.widgets.icons import Icons
    from desktop.widgets.kit_dialog import KitDialog

    window = QMainWindow()
    qtbot.addWidget(window)
    window.show()
    made = KitDialog(Icons(dressed()), window, view_model)
    made.open()
    yield made
    window.close()


def test_a_kit_from_the_first_step_to_the_last(
    dialog: Any, view_model: KitViewModel, memory_kit: MemoryKit, runner: InlineRunner
) -> None:
    dialog.passphrase.set_text("not it")
    dialog.next.click()
    runner.run_pending()
    assert dialog.passphrase.error
    dialog.passphrase.set_text(PASSPHRASE)
    dialog.next.click()
    runner.run_pending()
    assert dialog.words_grid.isVisible()
    assert dialog.words_grid.accessibleName().startswith("1 abandon 2 amount")
    assert memory_kit.kept == 0  # an older kit holds until the words were shown
    dialog.next.click()
    runner.run_pending()
    assert memory_kit.kept == 1
    assert not dialog.words_grid.isVisible()
    assert dialog.words_grid.accessibleName() == ""
    assert not dialog.next.isEnabled()
    words = list(kit.words_of(ROOT))
    dialog.typed.setPlainText(" ".join([*words[:8], "sadle "]))
    assert dialog.mistake.text == "8 of 24 are right. Word 9 is not what the kit says."
    assert not dialog.next.isEnabled()
    dialog.typed.setPlainText(" ".join(words))
    assert dialog.next.isEnabled()
    dialog.next.click()
    runner.run_pending()
    assert dialog.server_button.isVisible()
    assert view_model.state == "one-copy"
    dialog.server_button.click()
    runner.run_pending()
    assert view_model.state == "proven"
    assert memory_kit.copies == ["server"]
    assert (view_model.new, view_model._root) == (None, None)


def test_put_off_it_is_proven_later(
    view_model: KitViewModel, memory_kit: MemoryKit, runner: InlineRunner, dialog: Any
) -> None:
    dialog.passphrase.set_text(PASSPHRASE)
    dialog.next.click()
    runner.run_pending()
    dialog.next.click()
    runner.run_pending()
    dialog.later.click()
    assert view_model.new is None
    assert view_model.state == "unproven"
    # now without the kit's bytes: only whether words can be right is said
    verdict = view_model.judge("abandon zzzz ")
    assert (verdict.marks[:3], verdict.complete) == ((Mark.RIGHT, Mark.WRONG, Mark.EMPTY), False)
    said: list[tuple[str, str]] = []
    view_model.field_failed.connect(lambda name, text: said.append((name, text)))
    view_model.prove(" ".join(["abandon"] * 24))
    runner.run_pending()
    assert said
    assert view_model.state == "unproven"


def test_four_letters_of_a_word_are_enough_to_come_back_and_a_near_word_is_named() -> None:
    judge = KitViewModel(None).judge  # type: ignore[arg-type]  # judging starts no work
    words = kit.words_of(ROOT)
    assert judge(" ".join(word[:4] for word in words)).complete
    verdict = judge("abandon amuont liar ")
    assert verdict.marks[:3] == (Mark.RIGHT, Mark.WRONG, Mark.RIGHT)
    assert verdict.sentence.endswith("Word 2 is not a word of any kit. Did you mean “amount”?")


@pytest.mark.parametrize("on_server", [True, False])
def test_coming_back_names_the_copies_that_there_can_be(
    on_server: bool, runner: InlineRunner, make_session: Callable[..., Any], dressed: Any, qtbot: Any, tmp_path: Path
) -> None:
    from PySide6.QtWidgets import QMainWindow

    from desktop.viewmodels.restore import RestoreViewModel
    from desktop.widgets.icons import Icons
    from desktop.widgets.restore_dialog import RestoreDialog

    window = QMainWindow()
    qtbot.addWidget(window)
    window.show()
    source: dict[str, Any] = {"session": make_session()} if on_server else {"folder": tmp_path}
    dialog = RestoreDialog(Icons(dressed()), window, RestoreViewModel(runner, **source))
    dialog.open()
    assert ("server" in dialog._file.text()) is on_server
    words = kit.words_of(ROOT)
    dialog.typed.setPlainText(" ".join(word[:4] for word in words))
    assert dialog.next.isEnabled()
    dialog.reject()


def show_words(dialog: Any, runner: InlineRunner) -> None:
    dialog.passphrase.set_text(PASSPHRASE)
    dialog.next.click()
    runner.run_pending()


def open_question(dialog: Any) -> Any:
    from desktop.widgets.dialogs import ConfirmDialog

    return next((one for one in dialog.findChildren(ConfirmDialog) if one.isVisible()), None)


def test_the_words_are_looked_at_again_and_proven_all_the_same(
    dialog: Any, memory_kit: MemoryKit, runner: InlineRunner
) -> None:
    show_words(dialog, runner)
    dialog.next.click()
    runner.run_pending()
    dialog.again.click()
    assert dialog.words_grid.isVisible()
    assert (dialog.cancel_button.isVisible(), dialog.later.isVisible()) == (False, True)  # this kit is in use
    dialog.next.click()
    runner.run_pending()
    assert dialog.typed.isVisible()
    assert memory_kit.kept == 1


def test_words_that_open_nothing_yet_are_not_thrown_away_unasked(
    dialog: Any, view_model: KitViewModel, memory_kit: MemoryKit, runner: InlineRunner
) -> None:
    show_words(dialog, runner)
    dialog.reject()
    question = open_question(dialog)
    assert question is not None
    assert dialog.isVisible()
    question.safe.click()
    assert dialog.words_grid.isVisible()
    dialog.reject()
    open_question(dialog).confirm.click()
    assert not dialog.isVisible()
    assert (view_model.new, memory_kit.kept) == (None, 0)


def test_locking_closes_the_words_unasked(
    dialog: Any, view_model: KitViewModel, runner: InlineRunner, qapp: Any
) -> None:
    show_words(dialog, runner)
    dialog.copy_button.click()
    view_model.stop()
    dialog.reject()  # what the window does with every dialog when it locks
    assert not dialog.isVisible()
    assert qapp.clipboard().text() == ""


def test_words_that_come_after_their_window_was_closed_are_not_kept(
    dialog: Any, view_model: KitViewModel, memory_kit: MemoryKit, runner: InlineRunner
) -> None:
    dialog.passphrase.set_text(PASSPHRASE)
    dialog.next.click()
    dialog.reject()
    runner.run_pending()
    assert view_model.new is None  # else the words of the paper would be measured against these
    view_model.draw(PASSPHRASE)
    runner.run_pending()
    view_model.keep()
    view_model.forget_words()
    runner.run_pending()
    assert (memory_kit.kept, view_model.is_kept) == (1, False)
    assert view_model.state == "unproven"


def test_whoever_lost_the_paper_makes_another_kit(
    view_model: KitViewModel, memory_kit: MemoryKit, runner: InlineRunner, dialog: Any
) -> None:
    from desktop.widgets.kit_dialog import KitDialog

    dialog.reject()
    memory_kit.state = KitState.UNPROVEN
    view_model.reload()
    runner.run_pending()
    later = KitDialog(dialog.icons, dialog.parentWidget(), view_model, prove_only=True)
    later.open()
    assert not later.again.isVisible()  # nobody can show them again
    later.anew.click()
    show_words(later, runner)
    assert later.words_grid.isVisible()
    later.next.click()
    runner.run_pending()
    assert memory_kit.kept == 1


def test_paper_file_and_clipboard_are_confirmed(
    dialog: Any, runner: InlineRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from desktop.widgets import kit_print

    show_words(dialog, runner)
    dialog.write_pdf(tmp_path / "kit.pdf")
    assert dialog.told.text().startswith("Saved as kit.pdf")
    dialog.copy_button.click()
    assert dialog.told.text().startswith("Copied")
    for answer, said in ((True, "Sent to the printer"), (False, "The printer took nothing")):
        monkeypatch.setattr(kit_print, "print_page", lambda page, parent, answer=answer: answer)
        dialog.print_button.click()
        assert dialog.told.text().startswith(said)
    dialog.next.click()
    runner.run_pending()
    assert not dialog.told.isVisible()


def test_closing_takes_the_words_off_the_clipboard(dialog: Any, runner: InlineRunner, qapp: Any) -> None:
    show_words(dialog, runner)
    dialog.copy_button.click()
    assert qapp.clipboard().text().startswith("abandon amount")
    dialog.done(0)
    assert qapp.clipboard().text() == ""


@pytest.mark.parametrize(("size", "paper"), [("A4", (595, 842)), ("Letter", (612, 792))])
def test_the_page_fits_the_paper(size: str, paper: tuple[int, int], qapp: Any, tmp_path: Path) -> None:
    from desktop.widgets import kit_print

    name = "Wilhelmina Featherstonehaugh-Cholmondeley " * 4
    page = kit_page(
        kit.words_of(ROOT),
        FINGERPRINT,
        key_name=name,
        created=date(2026, 3, 2),
        address="https://" + "a-very-long-label." * 12 + "example.org",
        user_name="m" * 200,
    )
    image = QImage(*paper, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFFFF)
    painter = QPainter(image)
    end = kit_print.draw(painter, QRectF(0, 0, *paper), page)
    painter.end()
    assert end <= paper[1] - kit_print.MARGIN_PT
    edges = [image.pixel(x, y) for x in range(paper[0]) for y in (20, paper[1] - 20)]
    edges += [image.pixel(x, y) for x in (20, paper[0] - 20) for y in range(paper[1])]
    assert set(edges) == {0xFFFFFFFF}
    target = tmp_path / "kit.pdf"
    kit_print.save_pdf(page, target, getattr(QPageSize.PageSizeId, size))
    assert target.read_bytes().startswith(b"%PDF")
    with pytest.raises(errors.NameTaken):
        kit_print.save_pdf(page, target)


# -- locking by itself --------------------------------------------------------------------------------------------


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def make_auto(clock: Clock, screen: Any = None, **preferences: Any) -> tuple[AutoLock, list[str]]:
    auto = AutoLock(Preferences(**preferences), screen, clock=clock)
    said: list[str] = []
    auto.lock_requested.connect(lambda: said.append("lock"))
    auto.watch()
    return auto, said


def test_idle_minutes_lock_and_signs_of_life_do_not(clock: Clock, qapp: Any) -> None:
    auto, said = make_auto(clock, lock_after_minutes=5)
    window = QObject()
    auto.look_at(window)
    clock.now = 299
    QCoreApplication.sendEvent(window, QEvent(QEvent.Type.MouseMove))
    clock.now = 598
    auto.look()
    assert said == []
    clock.now = 599
    auto.look()
    assert said == ["lock"]


def test_never_is_never(clock: Clock, qapp: Any) -> None:
    auto, said = make_auto(clock, lock_after_minutes=0)
    clock.now = 1e9
    auto.look()
    assert said == []


class FakeScreen:
    def watch(self, locked: Callable[[], None]) -> bool:
        self.locked = locked
        return True


@pytest.mark.parametrize("wanted", [True, False])
def test_the_screen_and_the_window_lock_as_preferred(wanted: bool, clock: Clock, qapp: Any) -> None:
    screen = FakeScreen()
    auto, said = make_auto(clock, screen, lock_with_screen=wanted, lock_minimised=wanted)
    assert auto.hears_of_screen
    screen.locked()
    auto.minimised()
    assert said == (["lock", "lock"] if wanted else [])


class FakeBus:
    def __init__(self, *, connected: bool = True) -> None:
        self.connected, self.asked = connected, list[tuple[Any, ...]]()

    def isConnected(self) -> bool:
        return self.connected

    def connect(self, *what: Any) -> bool:
        self.asked.append(what)
        return True


def test_the_buses_are_asked_for_the_right_signals(qapp: Any) -> None:
    session, system = FakeBus(), FakeBus()
    lock, said = DBusScreenLock(session, system), list[str]()
    assert lock.watch(lambda: said.append("locked"))
    assert {asked[3] for asked in session.asked} == {"ActiveChanged"}
    assert {asked[3] for asked in system.asked} == {"Lock", "PrepareForSleep"}
    lock.active_changed(False)
    assert said == []
    lock.active_changed(True)
    lock.lock_asked()
    assert said == ["locked", "locked"]
    off = FakeBus(connected=False)
    assert not DBusScreenLock(off, off).watch(lambda: None)


@pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="there is no D-Bus here")
def test_a_real_bus_tells_when_the_screen_is_locked(qtbot: Any, tmp_path: Path) -> None:
    from PySide6.QtDBus import QDBusConnection, QDBusMessage

    command = ["dbus-daemon", "--session", "--nofork", "--print-address", f"--address=unix:path={tmp_path}/bus"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as bus:
        assert bus.stdout is not None
        address = bus.stdout.readline().strip()
        ours, theirs = (QDBusConnection.connectToBus(address, name) for name in ("ours", "theirs"))
        assert theirs.registerService("org.freedesktop.ScreenSaver")
        lock, said = DBusScreenLock(ours, FakeBus(connected=False)), list[str]()
        assert lock.watch(lambda: said.append("locked"))
        interface = "org.freedesktop.ScreenSaver"
        for active in (False, True):
            signal = QDBusMessage.createSignal("/org/freedesktop/ScreenSaver", interface, "ActiveChanged")
            signal.setArguments([active])
            assert theirs.send(signal)
        qtbot.waitUntil(lambda: said == ["locked"])
        for name in ("ours", "theirs"):
            QDBusConnection.disconnectFromBus(name)
        bus.terminate()


# -- while locked -------------------------------------------------------------------------------------------------


class Uploads:
    def __init__(self, *failures: Exception | None) -> None:
        self.items = [object() for _ in failures]
        self.failures = dict(zip(self.items, failures, strict=True))
        self.sent: list[object] = []

    def waiting(self) -> list[object]:
        return list(self.items)

    def send(self, item: object, report: Any, cancelled: Any) -> None:
        if (failure := self.failures[item]) is not None:
            raise failure
        self.sent.append(item)


def test_transfers_go_on_while_locked(runner: InlineRunner, make_session: Callable[..., Any]) -> None:
    uploads = Uploads(None, errors.Damaged(), None)
    transfers = LockedTransfers(runner)
    counts: list[int] = []
    transfers.count_changed.connect(counts.append)
    transfers.start(make_session(uploads=uploads))
    runner.run_pending()
    assert uploads.sent == [uploads.items[0], uploads.items[2]]
    assert counts == [3, 2, 1, 0]


def test_a_silent_server_is_asked_again_later(runner: InlineRunner, make_session: Callable[..., Any]) -> None:
    uploads = Uploads(errors.ServerSilent(), None)
    transfers = LockedTransfers(runner)
    transfers.start(make_session(uploads=uploads))
    runner.run_pending()
    assert (transfers.count, uploads.sent) == (2, [])
    uploads.failures = dict.fromkeys(uploads.items)
    transfers._next()
    runner.run_pending()
    assert (transfers.count, uploads.sent) == (0, uploads.items)


# -- a change of the key ------------------------------------------------------------------------------------------


def test_nothing_is_shown_while_a_key_is_half_changed(runner: InlineRunner, make_session: Callable[..., Any]) -> None:
    shell = ShellViewModel(runner)
    said: list[str] = []
    shell.change_unfinished.connect(lambda: said.append("unfinished"))
    session = make_session(locked=False, key_change=object())
    shell.enter(session)
    assert (said, shell.stage) == (["unfinished"], Stage.SIGN_IN)
    session.key_change = None
    shell.resume()
    assert shell.stage is Stage.OPEN


def test_it_locks_while_it_asks_whether_to_go_on_with_a_change(
    runner: InlineRunner, make_session: Callable[..., Any]
) -> None:
    """The key is in memory then, although nothing is shown."""
    shell = ShellViewModel(runner)
    session = make_session(key_change=object())
    shell.enter(session)
    assert shell.stage is Stage.LOCKED
    session.locked = False
    shell.resume()
    stages: list[Stage] = []
    shell.stage_changed.connect(stages.append)
    shell.lock()
    runner.run_pending()
    assert session.locked
    assert stages == [Stage.LOCKED]  # once more: whoever shows something takes it away
    shell.lock()
    runner.run_pending()
    assert stages == [Stage.LOCKED]


def test_a_new_passphrase_that_is_the_password_makes_no_key(
    runner: InlineRunner, make_session: Callable[..., Any]
) -> None:
    shell = ShellViewModel(runner)
    session = make_session(locked=False, refused="the same as the password")
    shell.enter(session)
    work = KeyWorkViewModel(runner, shell)
    said: list[str] = []
    work.field_failed.connect(lambda name, sentence: said.append(name))
    work.change("name", "the same as the password", "the same as the password", "another password")
    runner.run_pending()
    assert said == ["passphrase"]
    assert session.key_store.calls == []


def test_locking_takes_the_dialog_of_a_change_away(
    runner: InlineRunner, make_session: Callable[..., Any], dressed: Any, qtbot: Any
) -> None:
    from PySide6.QtWidgets import QMainWindow

    from desktop.widgets.icons import Icons
    from desktop.widgets.key_work_dialog import ChangeKeyDialog

    shell = ShellViewModel(runner)
    session = make_session(locked=False)
    shell.enter(session)
    work = KeyWorkViewModel(runner, shell)
    window = QMainWindow()
    qtbot.addWidget(window)
    window.show()
    dialog = ChangeKeyDialog(Icons(dressed()), window, work)
    dialog.open()
    dialog.fields["passphrase"].set_text(PASSPHRASE)
    dialog.fields["repeat"].set_text(PASSPHRASE)
    if "password" in dialog.fields:
        dialog.fields["password"].set_text("another password")
    dialog.button.click()
    assert work.busy
    dialog.reject()
    assert dialog.isVisible()  # it stops after the picture at hand first
    session.locked = True
    dialog.reject()  # what the window does with every dialog when it locks
    assert not dialog.isVisible()
    assert dialog.fields["passphrase"].text == ""
    runner.run_pending()


# -- the keyring --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", ["a secret", None, KeychainLocked()])
def test_the_keyring_opens_the_key_after_signing_in(
    kept: Any, runner: InlineRunner, make_session: Callable[..., Any]
) -> None:
    lock = LockViewModel(runner)
    session = make_session(in_keychain=kept)
    said: list[Any] = []
    lock.unlocked.connect(lambda _: said.append("unlocked"))
    lock.failed.connect(said.append)
    lock.start(session)
    lock.busy_changed.connect(said.append)
    lock.open_from_keychain()
    assert not lock.busy  # the passphrase can be typed meanwhile
    runner.run_pending()
    assert said == ([] if kept is None else ["unlocked"] if kept == "a secret" else [kept])
    assert session.locked is (kept != "a secret")
    assert not lock.busy
