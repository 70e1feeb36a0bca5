"""The share dialog and its view-model: people, roles, comparing, changed keys, taking back, what fails."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QApplication, QLabel

from desktop import errors
from desktop.client.sharing_model import KeySuccession, Strip
from desktop.models import PersonState, Picture
from desktop.viewmodels.share import Outcome, ShareViewModel
from desktop.widgets.compare_card import CompareCard, CompareDialog
from desktop.widgets.dialogs import ConfirmDialog
from desktop.widgets.qr_code import QrCode
from desktop.widgets.share_dialog import ShareDialog, shared_words
from desktop.widgets.share_row import PersonRow
from desktop.widgets.stop_sharing import StopSharingDialog
from tests.widgets.gallery.fake_circle import SINCE, FakeCircle, make_person


@pytest.fixture
def circle() -> FakeCircle:
    made = FakeCircle()
    made.sharing.add(
        make_person("tom"), make_person("ada", PersonState.VERIFIED), make_person("kim", PersonState.NO_KEY)
    )
    return made


@pytest.fixture
def three(pictures: Any) -> list[Picture]:
    return [pictures(number) for number in range(3)]


@pytest.fixture
def model(qapp: Any, runner: Any, circle: FakeCircle, three: list[Picture]) -> ShareViewModel:
    made = ShareViewModel(runner, circle.port, three)
    made.load()
    runner.run_pending()
    return made


def add(model: ShareViewModel, runner: Any, name: str, role: Any = "read") -> str:
    """Add somebody and return what the field says."""
    said: list[str] = [""]
    model.field_failed.connect(said.append)
    model.add(name, role)
    runner.run_pending()
    return said[-1]


def names(model: ShareViewModel) -> list[str]:
    return [row.person.name for row in model.rows]


# -- the view-model --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mara", "That is you. You can always open your own pictures."),
        ("nobody", "Nobody called “nobody” is on this server."),
        ("  ", "Write a user name."),
    ],
)
def test_names_that_cannot_be_added_say_why(model: ShareViewModel, runner: Any, name: str, words: str) -> None:
    assert words in add(model, runner, name)
    assert model.rows == []


def test_adding_somebody_twice_points_to_the_list(
    circle: FakeCircle, runner: Any, three: list[Picture], qapp: Any
) -> None:
    for picture in three:
        circle.sharing.give(picture.id, make_person("lina", PersonState.VERIFIED))
    model = ShareViewModel(runner, circle.port, three)
    model.load()
    runner.run_pending()
    assert add(model, runner, "lina") == "lina can already view these. Change the role in the list."
    assert names(model) == ["lina"]


def test_names_that_differ_by_a_capital_are_two_people(model: ShareViewModel, runner: Any, circle: FakeCircle) -> None:
    circle.sharing.add(make_person("lina"), make_person("Lina"))
    assert add(model, runner, "lina") == ""
    assert add(model, runner, "Lina") == ""
    assert names(model) == ["lina", "Lina"]


def test_the_list_says_who_has_how_many_since_when(
    circle: FakeCircle, runner: Any, three: list[Picture], qapp: Any
) -> None:
    lina = make_person("lina", PersonState.VERIFIED)
    circle.sharing.give(three[0].id, lina, "write")
    circle.sharing.give(three[1].id, lina, "read")
    model = ShareViewModel(runner, circle.port, three)
    model.load()
    runner.run_pending()
    [row] = model.rows
    assert (row.have, row.had, row.role) == (2, "read", "read"), "the lesser role counts for all"
    assert row.since is not None
    assert model.to_do == [row], "the third picture is still to be shared"


def test_sharing_passes_on_the_key_that_was_shown(model: ShareViewModel, runner: Any, circle: FakeCircle) -> None:
    add(model, runner, "ada", "write")
    done: list[Outcome] = []
    model.done.connect(done.append)
    model.share()
    runner.run_pending()
    [(_, ids, user_id, role, options)] = [call for call in circle.sharing.calls if call[0] == "share"]
    assert ids == [picture.id for picture in model.pictures]
    assert role == "write"
    assert options["fingerprint"] == make_person("ada").fingerprint
    assert options["strip"] is None
    assert [person.user_id for person in done[0].shared] == [user_id]


def test_copies_without_metadata_are_announced(model: ShareViewModel, runner: Any, circle: FakeCircle) -> None:
    add(model, runner, "ada")
    done: list[Outcome] = []
    model.done.connect(done.append)
    model.share(strip=True)
    runner.run_pending()
    assert circle.sharing.calls[-1][4]["strip"] is Strip.METADATA
    assert done[0].copied


def test_somebody_without_a_key_waits(model: ShareViewModel, runner: Any) -> None:
    add(model, runner, "kim")
    done: list[Outcome] = []
    model.done.connect(done.append)
    model.share()
    runner.run_pending()
    assert done[0].shared == ()
    assert [person.name for person in done[0].waiting] == ["kim"]
    assert "kim can open them once" in shared_words(done[0], 3)


def test_one_failure_does_not_stop_the_others(model: ShareViewModel, runner: Any, circle: FakeCircle) -> None:
    add(model, runner, "ada")
    add(model, runner, "tom")
    circle.sharing.trouble["ada"] = errors.KeyChanged("Another key.")
    circle.sharing.trouble[model.pictures[1].id] = errors.NotFound()
    done: list[Outcome] = []
    model.done.connect(done.append)
    model.share()
    runner.run_pending()
    assert [(name, error.code) for name, error in done[0].failures] == [("ada", "V-116"), ("Picture 1.jpg", "N-104")]
    assert [person.name for person in done[0].shared] == ["tom"]


def test_a_changed_key_is_shown_and_left_out(model: ShareViewModel, runner: Any, circle: FakeCircle) -> None:
    changed = make_person("lina", PersonState.CHANGED)
    offered = make_person("lina", PersonState.CHANGED, fingerprint="7" * 64)
    circle.sharing.meet(changed)
    circle.sharing.new_keys[changed.user_id] = offered
    circle.sharing.trouble["lina"] = errors.KeyChanged()
    add(model, runner, "lina")
    add(model, runner, "ada")
    assert model.rows[0].offered == offered
    assert [person.name for person in model.left_out] == ["lina"]
    assert [row.person.name for row in model.to_do] == ["ada"]
    model.share()
    runner.run_pending()
    assert [call[2] for call in circle.sharing.calls if call[0] == "share"] == [make_person("ada").user_id]


def test_comparing_names_the_very_key(model: ShareViewModel, runner: Any, circle: FakeCircle) -> None:
    add(model, runner, "tom")
    tom = model.rows[0].person
    assert model.unverified == [tom]
    model.match(tom.user_id, tom.fingerprint)
    runner.run_pending()
    assert circle.sharing.calls[-1] == ("compared", tom.user_id, tom.fingerprint)
    assert model.rows[0].person.state is PersonState.VERIFIED
    assert model.unverified == []


def test_a_comparison_that_fails_stops_sharing(model: ShareViewModel, runner: Any) -> None:
    add(model, runner, "tom")
    model.differ(model.rows[0].person.user_id)
    runner.run_pending()
    assert model.rows[0].changed
    assert model.to_do == []


def test_a_written_comparison_that_fails_is_said(model: ShareViewModel, runner: Any) -> None:
    add(model, runner, "tom")
    failed: list[Any] = []
    model.failed.connect(failed.append)
    model.compare(model.rows[0].person.user_id, "wrong")
    runner.run_pending()
    assert [error.code for error in failed] == ["V-116"]


def test_a_name_typed_while_the_list_is_fetched_is_added_afterwards(
    qapp: Any, runner: Any, circle: FakeCircle, three: list[Picture]
) -> None:
    model = ShareViewModel(runner, circle.port, three)
    model.load()
    model.add("tom", "read")
    runner.run_pending()
    assert names(model) == ["tom"]


# -- the dialog ------------------------------------------------------------------------------------------------


@pytest.fixture
def dialog(qtbot: Any, icons: Any, runner: Any, circle: FakeCircle, three: list[Picture]) -> Any:
    from PySide6.QtWidgets import QMainWindow

    window = QMainWindow()
    qtbot.addWidget(window)
    window.show()
    made = ShareDialog(icons, window, ShareViewModel(runner, circle.port, three), lambda: None)  # type: ignore[arg-type, return-value]
    made.open()
    runner.run_pending()
    yield made
    for opened in window.findChildren(ShareDialog):
        opened.reject()
    QApplication.processEvents()


def words(widget: Any) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def row_of(dialog: ShareDialog, name: str) -> PersonRow:
    return next(row for row in dialog._rows if isinstance(row, PersonRow) and row.shown.person.name == name)


def put(dialog: ShareDialog, runner: Any, name: str) -> PersonRow:
    dialog.name.setText(name)
    dialog.add.click()
    runner.run_pending()
    return row_of(dialog, name)


def test_the_dialog_starts_with_nothing_to_do(dialog: ShareDialog) -> None:
    assert dialog.heading.text() == "Share 3 pictures"
    assert "The server cannot." in dialog.sentence.text()
    assert not dialog.share.isEnabled()
    assert dialog.cancel.text() == "Close"


def test_an_error_stands_below_the_name_until_it_is_changed(dialog: ShareDialog, runner: Any, qtbot: Any) -> None:
    dialog.name.setText("mara")
    dialog.add.click()
    runner.run_pending()
    assert dialog.error.text == "That is you. You can always open your own pictures."
    assert dialog.name.accessibleDescription() == dialog.error.text
    qtbot.keyClicks(dialog.name, "x")
    assert dialog.error.text == ""


def test_sharing_with_somebody_not_compared_asks_once_and_comparing_is_the_default(
    dialog: ShareDialog, runner: Any, circle: FakeCircle, qtbot: Any
) -> None:
    put(dialog, runner, "tom")
    dialog.share.click()
    [question] = dialog.findChildren(ConfirmDialog)
    assert question.heading.text() == "Share with tom before comparing words?"
    assert question.safe.text() == "Compare words"
    assert question.safe.isDefault()
    question.safe.click()
    assert not [call for call in circle.sharing.calls if call[0] == "share"]
    card = row_of(dialog, "tom").card
    assert isinstance(card, CompareCard)
    card.match.click()
    runner.run_pending()
    dialog.share.click()
    runner.run_pending()
    assert [call[0] for call in circle.sharing.calls] == ["compared", "share"]
    qtbot.waitUntil(lambda: not dialog.isVisible())


def test_the_words_and_digits_and_code_are_those_of_the_person(dialog: ShareDialog, runner: Any) -> None:
    put(dialog, runner, "tom").compare.click()
    card = row_of(dialog, "tom").card
    assert card is not None
    tom = make_person("tom")
    for word in tom.words:
        assert word in words(card)
    assert not card.digits_shown
    card.toggle_digits()
    assert tom.groups[0] in words(card)
    [code] = card.findChildren(QrCode)
    import segno

    assert code._matrix == tuple(bytes(row) for row in segno.make(f"glassine:{tom.fingerprint}", error="m").matrix)


@pytest.mark.parametrize("name", ["tom", "wilhelmina-" * 5 + "w", "w" * 64])
@pytest.mark.parametrize("low", [False, True])
def test_comparing_never_scrolls_sideways(
    dialog: ShareDialog, runner: Any, circle: FakeCircle, name: str, low: bool, theme: Any, qapp: Any
) -> None:
    """Neither with a long name and the longest words nor where a window of 720 × 480 leaves room for a scroll bar."""
    person = dataclasses.replace(make_person(name), words=("submarine", "washbasin", "wikipedia", "backwash") * 3)
    circle.sharing.add(person)
    theme.apply(qapp)
    put(dialog, runner, name).compare.click()
    card = row_of(dialog, name).card
    assert card is not None
    body = dialog._scroll

    def fits(when: str) -> None:
        if low:
            dialog.resize(dialog.width(), 400)
        QApplication.processEvents()
        needs, has = body.content.minimumSizeHint().width(), body.viewport().width()
        assert needs <= has <= dialog.WIDE, f"{when}: {needs} of {has}"
        assert body.horizontalScrollBar().maximum() == 0, when

    fits("words")
    card.toggle_digits()
    fits("digits")
    card.field.submitted.emit()
    fits("digits, with an error")
    assert not low or body.verticalScrollBar().maximum() > 0, "the test is of no use"
    for picture in dialog._model.pictures:
        circle.sharing.give(picture.id, make_person(f"{name}-2", PersonState.CHANGED))
    dialog._compare("")
    dialog._model.load()
    runner.run_pending()
    fits("a changed key")


@pytest.mark.parametrize("signed", ["7" * 64, "8" * 64, ""])
def test_that_the_old_key_signed_the_new_one_is_said_and_compared_all_the_same(
    dialog: ShareDialog, runner: Any, circle: FakeCircle, qtbot: Any, icons: Any, signed: str
) -> None:
    changed = make_person("lina", PersonState.CHANGED)
    offered = make_person("lina", PersonState.CHANGED, fingerprint="7" * 64)
    circle.sharing.meet(changed)
    circle.sharing.new_keys[changed.user_id] = offered
    circle.sharing.trouble["lina"] = errors.KeyChanged()
    if signed:
        circle.sharing.vouched[changed.user_id] = KeySuccession(changed.fingerprint, signed, SINCE)
    put(dialog, runner, "lina").compare.click()
    runner.run_pending()
    row = row_of(dialog, "lina")
    alone = CompareDialog(icons, dialog, ShareViewModel(runner, circle.port, []), offered)
    alone.open()
    runner.run_pending()
    assert row.card is not None
    for card in (row.card, alone.card):
        said = "lina’s old key says that this is the new one, since " in words(card)
        assert said is (signed == offered.fingerprint), "of another key than the offered one it says nothing"
    alone.reject()
    assert row.shown.person.state is PersonState.CHANGED
    assert not dialog.share.isEnabled()
    row.card.match.click()
    runner.run_pending()
    assert ("compared", changed.user_id, offered.fingerprint) in circle.sharing.calls


def test_a_code_is_drawn_in_whole_pixels(qtbot: Any) -> None:
    code = QrCode(148)
    qtbot.addWidget(code)
    code.show_text("glassine:" + "0" * 64, "code")
    image = code.grab().toImage()
    colours = {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}
    assert colours == {0xFF000000, 0xFFFFFFFF}, "nothing in between"


def test_a_changed_key_says_both_possibilities_and_offers_no_way_round(
    dialog: ShareDialog, runner: Any, circle: FakeCircle
) -> None:
    changed = make_person("lina", PersonState.CHANGED)
    circle.sharing.meet(changed)
    circle.sharing.new_keys[changed.user_id] = make_person("lina", PersonState.CHANGED, fingerprint="7" * 64)
    circle.sharing.trouble["lina"] = errors.KeyChanged()
    row = put(dialog, runner, "lina")
    assert "Either lina made a new key, or somebody is trying to read what you share." in words(row)
    assert not hasattr(row, "role")
    assert not dialog.share.isEnabled()
    put(dialog, runner, "ada")
    assert dialog.share.text() == "Share without lina"
    row_of(dialog, "lina").compare.click()
    card = row_of(dialog, "lina").card
    assert card is not None
    assert card.person.fingerprint == "7" * 64, "what is compared is the key that is offered now"


@pytest.mark.parametrize(("role", "forced"), [("read", False), ("write", True)])
def test_stopping_asks_and_speaks_honestly_of_copies(
    dialog: ShareDialog, runner: Any, circle: FakeCircle, three: list[Picture], role: str, forced: bool
) -> None:
    tom = make_person("tom", PersonState.VERIFIED)
    for picture in three:
        circle.sharing.give(picture.id, tom, role)
    dialog._model.load()
    runner.run_pending()
    row_of(dialog, "tom").cross.click()
    [question] = dialog.findChildren(StopSharingDialog)
    assert question.heading.text() == "Stop sharing 3 pictures with tom?"
    assert "What tom has already saved cannot be taken back." in question.sentence.text()
    assert question.box.isChecked()
    assert question.box.isEnabled() is not forced
    if not forced:
        question.box.setChecked(False)
    question.confirm.click()
    runner.run_pending()
    assert circle.sharing.calls[-1] == ("stop", [picture.id for picture in three], tom.user_id, forced)
    assert dialog._model.rows == []


def test_what_fails_is_said_in_place(dialog: ShareDialog, runner: Any, circle: FakeCircle) -> None:
    put(dialog, runner, "ada")
    circle.sharing.trouble["ada"] = errors.ServerSilent(details="refused")
    dialog.share.click()
    runner.run_pending()
    assert dialog.isVisible()
    assert "1 could not be shared" in words(dialog)
    assert "N-204" in words(dialog)
    circle.sharing.trouble.clear()
    dialog.share.click()
    runner.run_pending()
    assert not dialog.isVisible()


def test_what_could_not_be_taken_back_is_said(
    dialog: ShareDialog, runner: Any, circle: FakeCircle, three: list[Picture]
) -> None:
    for picture in three:
        circle.sharing.give(picture.id, make_person("tom", PersonState.VERIFIED))
    dialog._model.load()
    runner.run_pending()
    circle.sharing.trouble[three[1].id] = errors.ServerSilent()
    row_of(dialog, "tom").cross.click()
    dialog.findChildren(StopSharingDialog)[0].confirm.click()
    runner.run_pending()
    assert "Not everything was taken back from tom" in words(dialog)
    assert "Still shared: 1 of 3." in words(dialog)
    assert "N-204" in words(dialog)
    assert "Has 1 of 3" in words(row_of(dialog, "tom"))


def test_a_name_that_was_typed_and_not_added_is_not_left_out_unseen(
    dialog: ShareDialog, runner: Any, circle: FakeCircle
) -> None:
    put(dialog, runner, "ada")
    dialog.name.setText("nobody")
    dialog.share.click()
    runner.run_pending()
    assert "Nobody called “nobody”" in dialog.error.text
    dialog.name.setText("kim")
    dialog.share.click()
    runner.run_pending()
    assert names(dialog._model) == ["ada", "kim"]
    assert [call for call in circle.sharing.calls if call[0] == "share"] == []


def test_half_a_comparison_is_said_at_its_field_and_stops_nothing(dialog: ShareDialog, runner: Any) -> None:
    put(dialog, runner, "tom").compare.click()
    card = row_of(dialog, "tom").card
    assert card is not None
    card.toggle_digits()
    card.field.set_text("half")
    card.field.submitted.emit()
    runner.run_pending()
    assert card.field.error == "Give all of it."
    assert row_of(dialog, "tom").shown.person.state is PersonState.UNVERIFIED


def test_words_that_differed_are_named_so_and_compared_again(dialog: ShareDialog, runner: Any) -> None:
    """Somebody may have misread a word; nothing else has happened."""
    put(dialog, runner, "tom").compare.click()
    card = row_of(dialog, "tom").card
    assert card is not None
    card.differ.click()
    runner.run_pending()
    row = row_of(dialog, "tom")
    assert "The words of tom did not match" in words(row)
    assert "new key" not in words(row)
    assert not dialog.share.isEnabled()
    row.compare.click()
    card = row_of(dialog, "tom").card
    assert card is not None
    card.match.click()
    runner.run_pending()
    assert row_of(dialog, "tom").shown.person.state is PersonState.VERIFIED
    assert dialog.share.isEnabled()


def test_no_stray_enter_says_that_the_words_match(
    dialog: ShareDialog, runner: Any, circle: FakeCircle, qtbot: Any
) -> None:
    put(dialog, runner, "tom").compare.click()
    card = row_of(dialog, "tom").card
    assert card is not None
    qtbot.waitUntil(card.later.hasFocus)
    qtbot.keyClick(card.later, Qt.Key.Key_Return)
    runner.run_pending()
    assert circle.sharing.calls == []
    assert row_of(dialog, "tom").card is None


def test_tab_goes_through_the_people_from_the_top_down(dialog: ShareDialog, runner: Any, qtbot: Any) -> None:
    put(dialog, runner, "tom")
    put(dialog, runner, "ada")
    row = row_of(dialog, "tom")
    other = row_of(dialog, "ada")
    order = [dialog.name, dialog.role, dialog.add, row.compare, row.role, row.cross, other.role, other.cross]
    qtbot.waitUntil(dialog.isActiveWindow)
    dialog.name.setFocus()
    for widget in (*order, dialog.strip, dialog.before_after):
        assert widget.hasFocus(), widget.accessibleName()
        qtbot.keyClick(widget, Qt.Key.Key_Tab)


def test_long_names_are_cut_in_the_middle_and_nothing_leaves_the_dialog(
    dialog: ShareDialog, runner: Any, circle: FakeCircle
) -> None:
    name = "Wilhelmina-Charlotte " * 6
    circle.sharing.add(make_person(name.strip()))
    row = put(dialog, runner, name.strip())
    QApplication.processEvents()
    assert row.width() <= 600
    assert row.mapTo(dialog, row.cross.geometry().bottomRight()).x() <= dialog.width()
    assert dialog.width() == 600


@pytest.mark.parametrize("name", ["w" * 64, "名" * 64, "👵" * 40])
def test_a_long_name_is_not_cut_off_in_a_question(
    dialog: ShareDialog, runner: Any, circle: FakeCircle, three: list[Picture], name: str
) -> None:
    person = make_person(name)
    circle.sharing.add(person)
    put(dialog, runner, name)
    dialog.share.click()
    for picture in three:
        circle.sharing.give(picture.id, person)
    dialog._model.load()
    runner.run_pending()
    row_of(dialog, name).cross.click()
    QApplication.processEvents()
    questions = [one for one in dialog.findChildren(ConfirmDialog) if one.isVisible()]
    assert len(questions) == 2
    for question in questions:
        for label in (question.heading, question.sentence):
            widest = max(label.fontMetrics().horizontalAdvance(word) for word in label.text().split())
            assert widest <= label.width(), label.text()


def test_whose_key_is_waited_for_is_said(dialog: ShareDialog, runner: Any) -> None:
    assert "Waiting for kim’s key" in words(put(dialog, runner, "kim"))


@pytest.mark.parametrize("compares", [True, False])
def test_an_answer_that_comes_after_the_dialog_was_closed_is_no_trouble(
    dialog: ShareDialog, runner: Any, circle: FakeCircle, icons: Any, compares: bool
) -> None:
    model = dialog._model
    closed: Any = dialog
    if compares:
        model = ShareViewModel(runner, circle.port, [])
        closed = CompareDialog(icons, dialog, model, make_person("tom"))
        closed.open()
    model.load()
    closed.reject()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    runner.run_pending()
    assert not model.busy
