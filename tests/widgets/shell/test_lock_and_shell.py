"""Locking drops pictures before the key, and the key before the lock shows; unlocking says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from desktop import errors
from desktop.tasks import InlineRunner
from desktop.viewmodels.lock import LockViewModel
from desktop.viewmodels.shell import ShellViewModel, Stage


class Part:
    def __init__(self, session: Any, *, breaks: bool = False) -> None:
        self.session, self.breaks = session, breaks
        self.started_with: list[Any] = []

    def start(self, what: Any) -> None:
        self.started_with.append(what)

    def stop(self) -> None:
        self.session.happened.append("stopped")
        if self.breaks:
            raise RuntimeError("cannot stop")


@pytest.fixture
def shell(qapp: Any, runner: InlineRunner) -> ShellViewModel:
    return ShellViewModel(runner)


@pytest.fixture
def lock(qapp: Any, runner: InlineRunner) -> LockViewModel:
    return LockViewModel(runner)


def test_an_unlocked_session_opens_the_vault(shell: ShellViewModel, make_session: Callable[..., Any]) -> None:
    session = make_session(locked=False)
    of_session, of_vault = Part(session), Part(session)
    shell.add_session_part(of_session)
    shell.add_vault_part(of_vault)
    shell.enter(session)
    assert shell.stage is Stage.OPEN
    assert of_session.started_with == [session]
    assert of_vault.started_with == ["vault"]
    assert (shell.user_name, shell.place_title) == ("mara", "pictures.example.org")


def test_a_locked_session_stops_at_the_lock(shell: ShellViewModel, make_session: Callable[..., Any]) -> None:
    session = make_session()
    shell.enter(session)
    assert shell.stage is Stage.LOCKED
    session.locked = False
    shell.resume()
    assert shell.stage is Stage.OPEN


def test_locking_stops_the_parts_then_drops_the_key_then_shows(
    shell: ShellViewModel, runner: InlineRunner, make_session: Callable[..., Any]
) -> None:
    session = make_session(locked=False)
    shell.add_vault_part(Part(session))
    shell.add_vault_part(Part(session, breaks=True))
    shell.enter(session)
    shell.stage_changed.connect(lambda stage: session.happened.append(stage.value))
    shell.lock()
    shell.lock()  # twice is once
    runner.run_pending()
    assert session.happened == ["stopped", "stopped", "locked", "locked"]  # the last one is the stage
    assert session.asks_again
    assert shell.stage is Stage.LOCKED


def test_signing_out_closes_the_session(
    shell: ShellViewModel, runner: InlineRunner, make_session: Callable[..., Any]
) -> None:
    session = make_session(locked=False)
    shell.add_vault_part(Part(session))
    shell.enter(session)
    shell.sign_out()
    assert shell.stage is Stage.SIGN_IN
    assert shell.session is None
    runner.run_pending()
    assert session.closed


def test_a_vault_that_cannot_be_opened_is_said(
    shell: ShellViewModel, qtbot: Any, make_session: Callable[..., Any]
) -> None:
    class Failing(Part):
        def start(self, what: Any) -> None:
            raise errors.VaultUnreadable

    session = make_session(locked=False)
    shell.add_vault_part(Failing(session))
    with qtbot.waitSignal(shell.failed) as failed:
        shell.enter(session)
    assert failed.args[0].code == "S-104"
    assert shell.stage is Stage.SIGN_IN


def test_unlocking(
    lock: LockViewModel, runner: InlineRunner, make_session: Callable[..., Any], passphrase: str
) -> None:
    session, unlocked = make_session(), []
    lock.start(session)
    lock.unlocked.connect(unlocked.append)
    assert lock.account == "mara on pictures.example.org"
    lock.unlock(passphrase)
    assert lock.busy
    runner.run_pending()
    assert unlocked == [session]
    assert not lock.busy


@pytest.mark.parametrize("typed", ["", "wrong"])
def test_a_wrong_passphrase_is_the_fields_fault(
    lock: LockViewModel, runner: InlineRunner, make_session: Callable[..., Any], typed: str
) -> None:
    said: list[tuple[str, str]] = []
    lock.start(make_session())
    lock.field_failed.connect(lambda name, sentence: said.append((name, sentence)))
    lock.unlock(typed)
    runner.run_pending()
    assert [name for name, _ in said] == ["passphrase"]
    assert ("Caps Lock" in said[0][1]) == bool(typed)


def test_an_answer_for_another_session_is_dropped(
    lock: LockViewModel, runner: InlineRunner, make_session: Callable[..., Any], passphrase: str
) -> None:
    unlocked: list[Any] = []
    lock.unlocked.connect(unlocked.append)
    lock.start(make_session())
    lock.unlock(passphrase)
    lock.start(make_session())
    runner.run_pending()
    assert unlocked == []


def test_in_the_middle_of_a_change_the_lock_says_which_passphrase_holds(
    lock: LockViewModel, runner: InlineRunner, make_session: Callable[..., Any]
) -> None:
    said: list[str] = []
    lock.field_failed.connect(lambda name, sentence: said.append(sentence))
    session = make_session()
    lock.start(session)
    public = session.public_key.fingerprint
    for change in (None, SimpleNamespace(old=public, new="1" * 64), SimpleNamespace(old="1" * 64, new=public)):
        session.key_change = change
        lock.unlock("the passphrase of the old key")
        runner.run_pending()
    assert said == [
        "That is not the passphrase of this key. Check Caps Lock.",
        "That is not the passphrase of this key. Check Caps Lock.",
        "A change of your key is not finished. Type the passphrase of the new key.",
    ]


def test_a_missing_key_is_asked_for(
    lock: LockViewModel, runner: InlineRunner, make_session: Callable[..., Any], tmp_path: Path
) -> None:
    said: list[str] = []
    lock.start(make_session(key_missing=True))
    lock.field_failed.connect(lambda name, sentence: said.append(name))
    assert lock.key_missing
    lock.import_key(None, "", "a long passphrase", "a long passphrase")
    lock.import_key(tmp_path / "key", "", "", "")
    lock.import_key(tmp_path / "key", "", "short", "short")
    lock.import_key(tmp_path / "key", "", "a long passphrase", "another passphrase")
    assert said == ["file", "passphrase", "passphrase", "repeat"]
    assert not lock.busy


def test_the_key_of_the_account_is_imported_and_another_one_is_not(
    lock: LockViewModel, runner: InlineRunner, make_session: Callable[..., Any], tmp_path: Path, small_keys: Any
) -> None:
    own, stranger = small_keys
    session = make_session(key_missing=True, public_key=own.public)
    said: list[str] = []
    unlocked: list[Any] = []
    lock.field_failed.connect(lambda name, sentence: said.append(name))
    lock.unlocked.connect(unlocked.append)
    lock.start(session)
    path = tmp_path / "key.der"

    path.write_bytes(stranger.to_pkcs8())
    lock.import_key(path, "", "a long passphrase", "a long passphrase")
    runner.run_pending()
    assert said == ["file"]
    assert session.key_store.calls == []

    path.write_text("this is not a key", encoding="utf-8")
    lock.import_key(path, "", "a long passphrase", "a long passphrase")
    runner.run_pending()
    assert said == ["file", "file"]

    path.write_bytes(own.to_pkcs8())
    lock.import_key(path, "", "a long passphrase", "a long passphrase")
    runner.run_pending()
    assert session.key_store.calls == [("import", path, None, "mara", "a long passphrase")]
    assert unlocked == [session]


def test_a_key_that_is_brought_does_not_get_the_password_as_its_passphrase(
    lock: LockViewModel, runner: InlineRunner, make_session: Callable[..., Any], tmp_path: Path, small_keys: Any
) -> None:
    own, _ = small_keys
    session = make_session(key_missing=True, public_key=own.public, refused="the sign-in password")
    said: list[str] = []
    lock.field_failed.connect(lambda name, sentence: said.append(name))
    lock.start(session)
    path = tmp_path / "key.der"
    path.write_bytes(own.to_pkcs8())
    lock.import_key(path, "", "the sign-in password", "the sign-in password")
    runner.run_pending()
    assert said == ["passphrase"]
    assert session.key_store.calls == []


def test_a_key_can_keep_the_passphrase_of_its_file(
    lock: LockViewModel, runner: InlineRunner, make_session: Callable[..., Any], tmp_path: Path, small_keys: Any
) -> None:
    from desktop.crypto.key_formats import export_private

    own, _ = small_keys
    session = make_session(key_missing=True, public_key=own.public)
    lock.start(session)
    path = tmp_path / "key.pem"
    path.write_bytes(export_private(own, "pkcs8", "a long passphrase"))
    lock.import_key(path, "a long passphrase", "", "")
    runner.run_pending()
    assert session.key_store.calls == [("import", path, "a long passphrase", "mara", "a long passphrase")]
