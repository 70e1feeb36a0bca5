"""Signing in and creating: rules, errors in their place, one attempt at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop import errors
from desktop.client.keychain import KeychainLocked, KeychainMissing
from desktop.models import Place, PlaceKind
from desktop.tasks import InlineRunner
from desktop.viewmodels.sign_in import Form, SignInViewModel


class Heard:
    def __init__(self, view_model: SignInViewModel) -> None:
        self.sessions: list[Any] = []
        self.fields: list[tuple[str, str]] = []
        self.errors: list[errors.GlassineError] = []
        self.busy: list[bool] = []
        view_model.signed_in.connect(self.sessions.append)
        view_model.field_failed.connect(lambda name, sentence: self.fields.append((name, sentence)))
        view_model.failed.connect(self.errors.append)
        view_model.busy_changed.connect(self.busy.append)


@pytest.fixture
def model(qapp: Any, runner: InlineRunner, sessions: Any, tmp_path: Path) -> SignInViewModel:
    return SignInViewModel(runner, sessions, tmp_path / "vault")


def test_a_new_person_begins_with_a_vault_on_this_computer(model: SignInViewModel) -> None:
    assert model.form is Form.CREATE_VAULT


def test_a_known_vault_is_opened(model: SignInViewModel, sessions: Any) -> None:
    sessions.existing.add(model.folder)
    assert model.form is Form.OPEN_VAULT


def test_the_last_place_is_remembered(qapp: Any, runner: InlineRunner, sessions: Any, tmp_path: Path) -> None:
    sessions.recent = [
        Place(PlaceKind.SERVER, tmp_path, "https://pictures.example.org", "mara"),
        Place(PlaceKind.THIS_COMPUTER, tmp_path / "elsewhere"),
    ]
    model = SignInViewModel(runner, sessions, tmp_path / "vault")
    assert model.form is Form.SIGN_IN
    assert (model.address, model.user_name) == ("https://pictures.example.org", "mara")
    assert model.folder == tmp_path / "elsewhere"


def test_creating_a_vault(model: SignInViewModel, runner: InlineRunner, sessions: Any) -> None:
    heard = Heard(model)
    model.create_vault("a long passphrase", "a long passphrase")
    assert model.busy
    runner.run_pending()
    assert not model.busy
    assert heard.busy == [True, False]
    assert sessions.calls == [("create", model.folder, "a long passphrase")]
    assert len(heard.sessions) == 1


@pytest.mark.parametrize(
    ("passphrase", "repeated", "field"),
    [("short", "short", "passphrase"), ("a long passphrase", "a long passphrasf", "repeat"), ("", "", "passphrase")],
)
def test_a_vault_needs_a_passphrase_twice(
    model: SignInViewModel, sessions: Any, passphrase: str, repeated: str, field: str
) -> None:
    heard = Heard(model)
    model.create_vault(passphrase, repeated)
    assert [name for name, _ in heard.fields] == [field]
    assert not model.busy
    assert not sessions.calls


def test_the_passphrase_must_not_be_the_password(model: SignInViewModel, sessions: Any) -> None:
    heard = Heard(model)
    model.register("pictures.example.org", "mara", *["one secret for all"] * 4)
    assert heard.fields[0][0] == "passphrase"
    assert "server must never see it" in heard.fields[0][1]
    assert not sessions.calls


@pytest.mark.parametrize(
    ("address", "user_name", "password", "field"),
    [("", "mara", "secret", "address"), (" ", "mara", "secret", "address"), ("a.org", "", "secret", "user_name"),
     ("a.org", "mara", "", "password")],
)  # fmt: skip
def test_empty_fields_are_named(
    model: SignInViewModel, address: str, user_name: str, password: str, field: str
) -> None:
    heard = Heard(model)
    model.sign_in(address, user_name, password)
    assert [name for name, _ in heard.fields] == [field]
    assert not model.busy


def test_only_one_attempt_at_a_time(model: SignInViewModel, runner: InlineRunner, sessions: Any) -> None:
    model.sign_in("a.org", "mara", "secret")
    model.sign_in("a.org", "mara", "secret")
    runner.run_pending()
    assert len(sessions.calls) == 1


@pytest.mark.parametrize(
    ("failure", "field"),
    [
        (errors.BadAddress(), "address"),
        (errors.UserNameTaken(), "user_name"),
        (errors.PassphraseRefused(), "passphrase"),
    ],
)
def test_errors_go_to_the_field_at_fault(
    model: SignInViewModel, runner: InlineRunner, sessions: Any, failure: errors.GlassineError, field: str
) -> None:
    heard = Heard(model)
    sessions.failure = failure
    model.register("a.org", "mara", *["a password"] * 2, *["a long passphrase"] * 2)
    runner.run_pending()
    assert heard.fields == [(field, failure.message)]
    assert not heard.errors


def test_a_wrong_passphrase_is_told_from_a_damaged_key_file(
    model: SignInViewModel, runner: InlineRunner, sessions: Any
) -> None:
    heard = Heard(model)
    sessions.existing.add(model.folder)
    for failure in (errors.WrongKey(), errors.KeyFileUnreadable()):
        sessions.failure = failure
        model.open_vault("a long passphrase")
        runner.run_pending()
    assert heard.fields == [("passphrase", "That is not the passphrase of this key. Check Caps Lock.")]
    assert [error.code for error in heard.errors] == ["K-103"]


def test_anything_else_is_said_above_the_button(model: SignInViewModel, runner: InlineRunner, sessions: Any) -> None:
    heard = Heard(model)
    sessions.failure = errors.WrongPassword()
    model.sign_in("a.org", "mara", "secret")
    runner.run_pending()
    assert [error.code for error in heard.errors] == ["N-101"]
    assert not model.busy


def test_an_attempt_can_be_given_up(model: SignInViewModel, runner: InlineRunner, sessions: Any) -> None:
    heard = Heard(model)
    model.sign_in("a.org", "mara", "secret")
    model.cancel()
    runner.run_pending()
    assert not heard.sessions
    assert not heard.errors
    assert heard.busy == [True, False]


def test_choosing_changes_the_form(model: SignInViewModel, qtbot: Any, tmp_path: Path) -> None:
    with qtbot.waitSignal(model.form_changed):
        model.choose(PlaceKind.SERVER)
    assert model.form is Form.SIGN_IN
    with qtbot.waitSignal(model.form_changed):
        model.set_registering(True)
    assert model.form is Form.REGISTER
    model.choose(PlaceKind.THIS_COMPUTER)
    with qtbot.waitSignal(model.form_changed):
        model.choose_folder(tmp_path / "other")
    assert model.folder == tmp_path / "other"


def test_a_vault_gets_a_folder_of_its_own_where_other_things_are(
    model: SignInViewModel, sessions: Any, tmp_path: Path
) -> None:
    pictures = tmp_path / "Pictures"
    pictures.mkdir()
    (pictures / ".hidden").touch()
    model.choose_folder(pictures)
    assert (model.folder, model.in_own_folder) == (pictures, False)
    (pictures / "ladybird.jpg").touch()
    model.choose_folder(pictures)
    assert (model.folder, model.in_own_folder) == (pictures / "Glassine", True)
    (pictures / "Glassine").mkdir()
    (pictures / "Glassine" / "notes.txt").touch()
    model.choose_folder(pictures)
    assert model.folder == pictures / "Glassine 2"
    sessions.existing.add(pictures)
    model.choose_folder(pictures)
    assert (model.folder, model.form, model.in_own_folder) == (pictures, Form.OPEN_VAULT, False)


def test_the_password_of_a_new_account_is_asked_twice(
    model: SignInViewModel, runner: InlineRunner, sessions: Any
) -> None:
    heard = Heard(model)
    model.choose(PlaceKind.SERVER)
    model.set_registering(True)
    model.register("a.org", "mara", "short", "short", *["a long passphrase"] * 2)
    assert heard.fields.pop() == ("password", "Take at least 8 characters.")
    model.register("a.org", "mara", "a password", "a pasword", *["a long passphrase"] * 2)
    assert heard.fields == [("password_repeat", "The two are not the same.")]
    model.register("a.org", "mara", "a password", "a password", *["a long passphrase"] * 2)
    runner.run_pending()
    assert sessions.calls == [("register", "a.org", "mara", "a password", "a long passphrase")]
    assert model.form is Form.SIGN_IN, "there is an account now"


def test_spaces_around_address_and_name_do_not_count(
    model: SignInViewModel, runner: InlineRunner, sessions: Any, make_session: Callable[..., Any]
) -> None:
    model.sign_in(" a.org ", " mara", " secret ")
    runner.run_pending()
    assert sessions.calls == [("sign-in", "a.org", "mara", " secret ")]


# -- the keyring --------------------------------------------------------------------------------------------------


def test_the_keyring_opens_the_vault_at_the_start(model: SignInViewModel, runner: InlineRunner, sessions: Any) -> None:
    heard = Heard(model)
    model.open_from_keychain()
    runner.run_pending()
    assert not sessions.calls, "there is no vault yet"
    sessions.existing.add(model.folder)
    sessions.in_keychain = "a key"
    model.open_from_keychain()
    assert not model.busy  # the passphrase can be typed meanwhile
    runner.run_pending()
    assert sessions.calls == [("open-with", model.folder, "a key")]
    assert len(heard.sessions) == 1
    # who signed out is not let in again without the passphrase
    model.open_from_keychain()
    runner.run_pending()
    assert len(heard.sessions) == 1


@pytest.mark.parametrize("failure", [KeychainLocked(), KeychainMissing()])
def test_a_keyring_that_cannot_be_asked_is_named_and_the_passphrase_works(
    failure: errors.GlassineError, model: SignInViewModel, runner: InlineRunner, sessions: Any
) -> None:
    heard = Heard(model)
    sessions.existing.add(model.folder)
    sessions.in_keychain = failure
    model.open_from_keychain()
    runner.run_pending()
    assert heard.errors == [failure]
    model.open_vault("a long passphrase")
    runner.run_pending()
    assert len(heard.sessions) == 1


def test_the_passphrase_may_be_quicker_than_the_keyring(
    model: SignInViewModel, runner: InlineRunner, sessions: Any
) -> None:
    heard = Heard(model)
    sessions.existing.add(model.folder)
    sessions.in_keychain = "a key"
    model.open_from_keychain()
    model.open_vault("a long passphrase")
    runner.run_pending()
    assert [call[0] for call in sessions.calls] == ["open"]
    assert len(heard.sessions) == 1
