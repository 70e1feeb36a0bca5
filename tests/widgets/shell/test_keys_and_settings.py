"""The key manager's and the settings' view-models."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QAbstractButton, QCheckBox

from desktop import errors
from desktop.config import Config, Preferences
from desktop.tasks import InlineRunner
from desktop.viewmodels.keys import ExportFormat, KeysViewModel
from desktop.viewmodels.settings import TILE_SIZES, SettingsViewModel


@pytest.fixture
def keys(qapp: Any, runner: InlineRunner, make_session: Callable[..., Any]) -> KeysViewModel:
    model = KeysViewModel(runner)
    session = make_session(locked=False)
    model.start(session)
    runner.run_pending()
    model.store = session.key_store  # type: ignore[attr-defined]
    return model


def test_the_own_key_comes_first(
    qapp: Any, runner: InlineRunner, make_session: Callable[..., Any], make_key: Callable[..., Any]
) -> None:
    session = make_session(locked=False)
    session.key_store.entries.insert(0, make_key("0" * 64, "Other"))
    model = KeysViewModel(runner)
    model.start(session)
    runner.run_pending()
    assert [entry.name for entry in model.entries] == ["Mara Lindqvist", "Other"]
    model.stop()
    assert model.entries == []
    assert model.own_fingerprint == ""


def test_another_key_is_used_by_default(
    keys: KeysViewModel, runner: InlineRunner, make_key: Callable[..., Any]
) -> None:
    store: Any = keys.store  # type: ignore[attr-defined]
    store.entries.append(make_key("0" * 64, "Other", is_default=False))
    keys.set_default("0" * 64)
    runner.run_pending()
    assert {entry.name: entry.is_default for entry in keys.entries} == {"Mara Lindqvist": False, "Other": True}


def test_a_key_that_is_needed_is_not_deleted_and_says_why(
    keys: KeysViewModel, runner: InlineRunner, make_session: Callable[..., Any], make_key: Callable[..., Any]
) -> None:
    said: list[errors.GlassineError] = []
    keys.failed.connect(said.append)
    keys.delete(keys.own_fingerprint)
    session = make_session(locked=False, key_change=SimpleNamespace(old="1" * 64, new=keys.own_fingerprint))
    keys.start(session)
    keys.delete("1" * 64)
    runner.run_pending()
    assert ["Change your key first" in said[0].message, "not finished" in said[1].message] == [True, True]
    assert session.key_store.calls == []
    session.key_change = None
    keys.delete("1" * 64)
    runner.run_pending()
    assert session.key_store.calls == [("delete", "1" * 64)]


def test_it_is_said_whose_pictures_a_key_opens(
    qapp: Any, runner: InlineRunner, make_session: Callable[..., Any], config: Config
) -> None:
    place = config.server_place("https://pictures.example.org", "tom")
    place.folder.mkdir(parents=True)
    (place.folder / "account.json").write_text(json.dumps({"fingerprint": "1" * 64}))
    broken = config.server_place("https://pictures.example.org", "nobody")
    broken.folder.mkdir(parents=True)
    (broken.folder / "account.json").write_text("[]")
    model = KeysViewModel(runner, places=lambda: [place, broken])
    model.start(make_session(locked=False))
    runner.run_pending()
    assert model.accounts_of("1" * 64) == ["tom on pictures.example.org"]
    assert model.accounts_of("2" * 64) == []


def test_a_new_key_is_made_and_listed(keys: KeysViewModel, runner: InlineRunner) -> None:
    done: list[str] = []
    steps: list[tuple[int, int]] = []
    keys.done.connect(done.append)
    keys.progressed.connect(lambda step, total: steps.append((step, total)))
    keys.create(" Second ", "a long passphrase", "a long passphrase", 4096)
    assert keys.busy
    runner.run_pending()
    assert keys.store.calls == [("create", "Second", "a long passphrase", 4096)]  # type: ignore[attr-defined]
    assert done == ["The new key is made"]
    assert steps
    assert len(keys.entries) == 2


def test_making_a_key_can_be_given_up(keys: KeysViewModel, runner: InlineRunner) -> None:
    done: list[str] = []
    keys.done.connect(done.append)
    keys.create("Second", "a long passphrase", "a long passphrase")
    keys.cancel()
    runner.run_pending()
    assert done == []
    assert len(keys.entries) == 1
    assert not keys.busy


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda model: model.create("n", "short", "short"), "passphrase"),
        (lambda model: model.create("n", "a long passphrase", "another one here"), "repeat"),
        (lambda model: model.import_file(Path("k"), "", "n", "short", "short"), "passphrase"),
        (lambda model: model.change_passphrase("f", "", "a long passphrase", "a long passphrase"), "old"),
        (lambda model: model.change_passphrase("f", "wrong", "a long passphrase", "a long passphrase"), "old"),
        (lambda model: model.change_passphrase("f", "x", "a long passphrase", "different words"), "repeat"),
        (lambda model: model.export("f", ExportFormat.PKCS8, Path("t")), "old"),
        (lambda model: model.export("f", ExportFormat.PKCS8, Path("t"), passphrase="wrong"), "old"),
    ],
)
def test_errors_name_the_field(
    keys: KeysViewModel, runner: InlineRunner, call: Callable[[KeysViewModel], None], field: str
) -> None:
    said: list[str] = []
    keys.field_failed.connect(lambda name, sentence: said.append(name))
    call(keys)
    runner.run_pending()
    assert said == [field]
    assert keys.store.calls == []  # type: ignore[attr-defined]


def test_a_passphrase_of_an_imported_file_is_another_field(keys: KeysViewModel, runner: InlineRunner) -> None:
    said: list[str] = []
    keys.field_failed.connect(lambda name, sentence: said.append(name))
    keys.store.failure = errors.WrongKey()  # type: ignore[attr-defined]
    keys.import_file(Path("k"), "", "n", "a long passphrase", "a long passphrase")
    runner.run_pending()
    assert said == ["file_passphrase"]


@pytest.mark.parametrize(
    ("kind", "passphrases", "call"),
    [
        (ExportFormat.KEY_FILE, {}, ("key-file", "f", Path("t"))),
        (ExportFormat.PUBLIC, {}, ("public", "f", Path("t"))),
        (ExportFormat.OPENSSH, {"new_passphrase": "n"}, ("private", "f", "openssh", "n", Path("t"))),
        (ExportFormat.PKCS1, {"new_passphrase": ""}, ("private", "f", "pkcs1", None, Path("t"))),
    ],
)
def test_exporting(
    keys: KeysViewModel,
    runner: InlineRunner,
    passphrase: str,
    kind: ExportFormat,
    passphrases: dict[str, str],
    call: tuple[Any, ...],
) -> None:
    keys.export("f", kind, Path("t"), passphrase=passphrase, **passphrases)
    runner.run_pending()
    assert keys.store.calls == [call]  # type: ignore[attr-defined]


def test_other_failures_are_said_as_they_are(keys: KeysViewModel, runner: InlineRunner, qtbot: Any) -> None:
    keys.store.failure = errors.NameTaken()  # type: ignore[attr-defined]
    keys.export("f", ExportFormat.PUBLIC, Path("t"))
    with qtbot.waitSignal(keys.failed) as failed:
        runner.run_pending()
    assert failed.args[0].code == "F-105"


@pytest.fixture
def settings(qapp: Any, runner: InlineRunner, config: Config, tmp_path: Path) -> SettingsViewModel:
    return SettingsViewModel(runner, config, tmp_path / "log")


def test_a_setting_holds_at_once_and_is_kept(
    settings: SettingsViewModel, runner: InlineRunner, config: Config, qtbot: Any
) -> None:
    with qtbot.waitSignal(settings.theme_changed) as changed:
        settings.set_theme("dark")
    assert changed.args == ["dark"]
    with qtbot.waitSignal(settings.tile_size_changed):
        settings.set_tile_size(240)
    settings.set_skip_preflight(True)
    runner.run_pending()
    kept = Preferences.load(config.preferences_path)
    assert (kept.theme, kept.tile_size, kept.skip_preflight) == ("dark", 240, True)


def test_the_same_again_writes_nothing(settings: SettingsViewModel, runner: InlineRunner, config: Config) -> None:
    settings.set_theme(settings.theme)
    settings.set_skip_preflight(settings.skip_preflight)
    runner.run_pending()
    assert not config.preferences_path.exists()


def test_a_size_that_is_not_offered_shows_as_the_nearest(settings: SettingsViewModel, config: Config) -> None:
    config.preferences.tile_size = 200
    assert settings.tile_size in TILE_SIZES
    assert settings.tile_size == 168


def test_preferences_that_cannot_be_kept_still_hold(
    settings: SettingsViewModel, runner: InlineRunner, config: Config, qtbot: Any
) -> None:
    config.folder.parent.mkdir(exist_ok=True)
    config.folder.write_text("a file where the folder should be", encoding="utf-8")
    settings.set_theme("light")
    with qtbot.waitSignal(settings.failed):
        runner.run_pending()
    assert settings.theme == "light"


def test_where_the_pictures_are(settings: SettingsViewModel, make_session: Callable[..., Any]) -> None:
    session = make_session()
    settings.start(session)
    assert settings.place == session.place
    settings.stop()
    assert settings.place is None


def test_when_to_lock_is_chosen_with_check_boxes(
    settings: SettingsViewModel, config: Config, dressed: Any, qtbot: Any
) -> None:
    from desktop.widgets.icons import Icons
    from desktop.widgets.settings_page import SettingsPage

    page = SettingsPage(Icons(dressed()), settings)
    qtbot.addWidget(page)
    page.show()
    boxes = {
        "Lock with the screen": (page.lock_with_screen, "lock_with_screen"),
        "Lock when the window is minimised": (page.lock_minimised, "lock_minimised"),
    }
    for name, (box, preference) in boxes.items():
        before = getattr(config.preferences, preference)
        assert isinstance(box, QCheckBox)
        assert (box.accessibleName(), box.isChecked()) == (name, before)
        qtbot.keyClick(box, Qt.Key.Key_Space)
        assert getattr(config.preferences, preference) is not before


def test_deleting_a_key_names_whose_pictures_are_lost_and_offers_a_copy(
    dressed: Callable[..., Any],
    runner: InlineRunner,
    make_session: Callable[..., Any],
    make_key: Callable[..., Any],
    config: Config,
) -> None:
    from desktop.widgets.dialogs import ConfirmDialog
    from desktop.widgets.icons import Icons
    from desktop.widgets.keys_page import KeysPage

    place = config.server_place("https://pictures.example.org", "tom")
    place.folder.mkdir(parents=True)
    (place.folder / "account.json").write_text(json.dumps({"fingerprint": "1" * 64}))
    session = make_session(locked=False)
    other = make_key("1" * 64, "Other", is_default=False)
    session.key_store.entries.append(other)
    model = KeysViewModel(runner, places=lambda: [place])
    page = KeysPage(Icons(dressed()), model)
    model.start(session)
    runner.run_pending()
    page._ask_to_delete(other)
    (question,) = page.findChildren(ConfirmDialog)
    assert "tom on pictures.example.org" in question.sentence.text()
    assert "Export a copy first" in [button.text() for button in question.findChildren(QAbstractButton)]
    assert session.key_store.calls == []
    question.accept()
    runner.run_pending()
    assert session.key_store.calls == [("delete", "1" * 64)]
    page.deleteLater()


# -- the people's keys ---------------------------------------------------------------------------------------------


def test_people_are_compared_from_the_keys_page(
    keys: KeysViewModel, runner: InlineRunner, dressed: Any, qtbot: Any
) -> None:
    """Whoever accepted pictures, or shares none, has no other place to compare in."""
    from desktop.models import PersonState
    from desktop.viewmodels.people import Known
    from desktop.widgets.icons import Icons
    from desktop.widgets.keys_page import KeysPage
    from tests.widgets.gallery.fake_circle import make_person

    class People(QObject):
        changed = Signal()
        opened = Signal(bool)
        circle: Any = None
        known = Known()

    people = People()
    page = KeysPage(Icons(dressed()), keys, people=people)  # type: ignore[arg-type]
    qtbot.addWidget(page)
    page.resize(1100, 800)
    page.show()
    assert not page.people.isVisible()  # a vault on this computer has no other people
    people.circle = object()
    people.opened.emit(True)
    assert page.people.isVisible()
    tom, lina = make_person("tom"), make_person("lina", PersonState.CHANGED)
    people.known = Known((make_person("ada", PersonState.VERIFIED), lina, tom), {lina.user_id: lina})
    people.changed.emit()
    assert [button.accessibleName() for button in page.people.answers] == [
        "Compare words with lina",
        "Compare words with tom",
    ]
    with qtbot.waitSignal(page.compare_requested) as asked:
        page.people.answers[1].click()
    assert asked.args == [tom]
    beside = page.people.y()
    page.resize(700, 800)
    qtbot.waitUntil(lambda: page.people.y() > beside)  # below the keys where there is no room beside


@pytest.mark.parametrize("what", ["create", "import", "change"])
def test_no_key_gets_the_password_as_its_passphrase(
    qapp: Any, runner: InlineRunner, make_session: Callable[..., Any], what: str, tmp_path: Path
) -> None:
    """The server sees that one, and could try it on a copy of the key file."""
    session = make_session(locked=False, refused="the sign-in password")
    model = KeysViewModel(runner)
    model.start(session)
    said: list[str] = []
    model.field_failed.connect(lambda name, text: said.append(name))
    twice = ("the sign-in password", "the sign-in password")
    if what == "create":
        model.create("New", *twice)
    elif what == "import":
        model.import_file(tmp_path / "key", "", "New", *twice)
    else:
        model.change_passphrase(model.own_fingerprint, "a long passphrase", *twice)
    runner.run_pending()
    assert said == ["passphrase"]
    assert session.key_store.calls == []
