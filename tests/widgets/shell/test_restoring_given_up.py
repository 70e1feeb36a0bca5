"""Coming back with the recovery kit, given up while its last step is under way: nothing opens afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtTest import QSignalSpy

from desktop.crypto import kit
from desktop.tasks import InlineRunner
from desktop.viewmodels.restore import RestoreViewModel
from desktop.viewmodels.shell import Stage
from desktop.widgets.main_window import MainWindow
from desktop.widgets.restore_dialog import RestoreDialog
from tests.widgets.shell.test_window import window  # noqa: F401 (fixture)

WORDS = " ".join(kit.words_of(bytes(range(32))))
FOUND = SimpleNamespace(groups=["9f2c", "41b7"], fingerprint="9f2c41b7")


@pytest.mark.parametrize("given_up", [True, False])
def test_a_vault_that_was_opened_too_late_is_closed_again(
    given_up: bool, runner: InlineRunner, make_session: Callable[..., Any], passphrase: str, tmp_path: Path
) -> None:
    session = make_session(server=False, locked=False)

    def recover(*arguments: Any) -> Any:
        if given_up:
            view_model.forget()
        return session

    sessions: Any = SimpleNamespace(find_vault_key=lambda *arguments: FOUND, recover_vault=recover)
    view_model = RestoreViewModel(runner, sessions=sessions, folder=tmp_path)
    restored = QSignalSpy(view_model.restored)
    view_model.find(WORDS, None)
    runner.run_pending()
    view_model.keep(passphrase, passphrase)
    runner.run_pending()
    assert (restored.count(), session.closed) == ((0, True) if given_up else (1, False))


def test_what_was_found_too_late_is_not_kept(
    runner: InlineRunner, make_session: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_session()
    view_model = RestoreViewModel(runner, session=session)

    def find(*arguments: Any) -> Any:
        view_model.forget()
        return FOUND

    monkeypatch.setattr(session, "find_key", find, raising=False)
    view_model.find(WORDS, None)
    runner.run_pending()
    assert view_model.groups == ()


@pytest.mark.parametrize("given_up", [True, False])
def test_the_lock_stays_shut_when_the_dialog_was_closed(
    given_up: bool,
    window: MainWindow,  # noqa: F811
    runner: InlineRunner,
    make_session: Callable[..., Any],
    passphrase: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = make_session(key_missing=True)

    def keep(*arguments: Any) -> None:
        if given_up:
            dialog.reject()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        session.unlock(passphrase)
        session.key_missing = False

    monkeypatch.setattr(session, "find_key", lambda *arguments: FOUND, raising=False)
    monkeypatch.setattr(session, "keep_key", keep, raising=False)
    window._models.sign_in.signed_in.emit(session)
    runner.run_pending()
    window._restore_key()
    [dialog] = window.findChildren(RestoreDialog)
    dialog.vm.find(WORDS, None)
    runner.run_pending()
    dialog.vm.keep(passphrase, passphrase)
    runner.run_pending()
    assert session.locked is given_up
    assert window._models.shell.stage is (Stage.LOCKED if given_up else Stage.OPEN)
