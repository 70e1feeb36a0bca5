"""What others share: the circle opened after the listing, who waits, accepting, and the marks in the gallery."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel

from desktop import errors
from desktop.client.sharing_model import ShareResult
from desktop.models import PersonState, PictureState
from desktop.viewmodels.gallery import GalleryState, GalleryViewModel
from desktop.viewmodels.people import PeopleViewModel
from desktop.viewmodels.shared import SharedViewModel
from desktop.widgets.dialogs import ConfirmDialog
from desktop.widgets.regions import step_control
from desktop.widgets.shared_page import SharedPage
from tests.widgets.gallery.fake_circle import FakeCircle, make_person


class Models:
    """Gallery, people and what is shared, tied as the program ties them."""

    def __init__(self, runner: Any, circle: FakeCircle | None) -> None:
        self.gallery = GalleryViewModel(runner)
        self.people = PeopleViewModel(runner, lambda vault: circle.port if circle is not None else None)
        self.shared = SharedViewModel(runner)
        self.people.follow(self.gallery)
        self.shared.follow_people(self.people, self.gallery)

    def start(self, vault: Any, runner: Any) -> None:
        for part in (self.gallery, self.people, self.shared):
            part.start(vault)
        runner.run_pending()


@pytest.fixture
def circle(jpeg: Any) -> FakeCircle:
    made = FakeCircle()
    made.shared.jpeg = jpeg()
    return made


@pytest.fixture
def models(qapp: Any, runner: Any, circle: FakeCircle) -> Models:
    return Models(runner, circle)


def names(gallery: GalleryViewModel) -> list[str]:
    return [gallery.model.picture(row).name for row in range(gallery.model.rowCount())]


def test_people_are_asked_for_after_the_pictures(models: Models, runner: Any, vault: Any) -> None:
    opened: list[bool] = []
    models.people.opened.connect(opened.append)
    models.gallery.start(vault)
    models.people.start(vault)
    assert opened == [False]
    runner.run_pending()
    assert opened == [False, True]
    models.people.stop()
    assert models.people.circle is None
    assert models.people.known.people == ()


def test_without_people_there_is_nothing_to_share(qapp: Any, runner: Any, vault: Any) -> None:
    models = Models(runner, None)
    models.start(vault, runner)
    assert models.gallery.state is GalleryState.READY
    assert models.people.circle is None
    assert models.shared.state is GalleryState.STOPPED


def test_the_gallery_learns_with_whom_its_pictures_are_shared(
    models: Models, runner: Any, vault: Any, circle: FakeCircle, pictures: Any
) -> None:
    vault.put(pictures(1), pictures(2), pictures(3))
    circle.sharing.give(pictures(1).id, make_person("lina", PersonState.VERIFIED))
    circle.sharing.give(pictures(2).id, make_person("tom"))
    circle.revising.waiting[pictures(3).id] = b""
    models.start(vault, runner)
    marks = {
        picture.name: (picture.shared_with, picture.unverified, picture.conflict)
        for picture in models.gallery.all_pictures()
    }
    assert marks == {
        "Picture 1.jpg": (("lina",), False, False),
        "Picture 2.jpg": (("tom",), True, False),
        "Picture 3.jpg": ((), False, True),
    }
    models.gallery.set_filter("shared-by-me", lambda picture: bool(picture.shared_with))
    runner.run_pending()
    assert names(models.gallery) == ["Picture 1.jpg", "Picture 2.jpg"]
    circle.sharing.shares.clear()
    models.people.refresh()
    runner.run_pending()
    assert names(models.gallery) == []


def test_the_gallery_learns_which_pictures_wait_for_somebodys_key(
    models: Models, runner: Any, vault: Any, circle: FakeCircle, pictures: Any
) -> None:
    vault.put(pictures(1), pictures(2))
    models.start(vault, runner)
    kim = make_person("kim", PersonState.NO_KEY)
    for waits, people in (([(pictures(1).id, kim, "read")], ("kim",)), ([], ())):
        circle.sharing.waits = waits
        models.people.refresh()
        runner.run_pending()
        picture = models.gallery.find(pictures(1).id)
        assert picture is not None
        assert picture.waiting_for == people
        index = models.gallery.model.index(models.gallery.model.row_of(picture.id))
        said = str(index.data(Qt.ItemDataRole.AccessibleTextRole))
        assert ("kim cannot open it yet" in said) is bool(people)
        other = models.gallery.find(pictures(2).id)
        assert other is not None
        assert other.waiting_for == ()


def test_what_waited_is_shared_and_what_was_left_over_is_finished(
    models: Models, runner: Any, vault: Any, circle: FakeCircle, pictures: Any
) -> None:
    circle.sharing.waits = [(pictures(1).id, make_person("kim"), "read")]
    circle.sharing.left_over = [pictures(2).id]
    completed: list[ShareResult] = []
    models.people.completed.connect(completed.append)
    models.start(vault, runner)
    assert [result.shared for result in completed] == [(pictures(1).id,)]
    assert circle.sharing.left_over == []
    assert ("send kept",) in circle.revising.calls


def test_trouble_with_people_leaves_the_gallery_alone(
    models: Models, runner: Any, vault: Any, circle: FakeCircle, pictures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.put(pictures(1))

    def silent(report: Any, cancelled: Any) -> Any:
        raise errors.ServerSilent

    monkeypatch.setattr(circle.shared, "list", silent)
    monkeypatch.setattr(circle.sharing, "complete_waiting", silent)
    circle.sharing.waits = [("x", make_person("kim"), "read")]
    models.start(vault, runner)
    assert models.gallery.state is GalleryState.READY
    assert models.shared.state is GalleryState.FAILED
    assert names(models.gallery) == ["Picture 1.jpg"]


# -- the page --------------------------------------------------------------------------------------------------


@pytest.fixture
def page(models: Models, runner: Any, vault: Any, circle: FakeCircle, pictures: Any, qtbot: Any, icons: Any) -> Any:
    circle.shared.put(make_person("tom"), pictures(1), pictures(2))
    circle.shared.put(make_person("lina", PersonState.VERIFIED), pictures(1), pictures(4), role="write")
    circle.shared.accepted.add(make_person("lina").user_id)
    made = SharedPage(icons.theme, icons, models.shared)
    qtbot.addWidget(made)
    made.resize(900, 700)
    made.show()
    models.start(vault, runner)
    return made


def words(widget: Any) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def button(page: Any, name: str) -> Any:
    from PySide6.QtWidgets import QAbstractButton

    found = [b for b in page.findChildren(QAbstractButton) if b.accessibleName() == name and b.isVisible()]
    assert found, name
    return found[0]


def test_who_is_not_accepted_waits_above_the_grid_and_nothing_of_theirs_is_decoded(
    page: SharedPage, models: Models, circle: FakeCircle, runner: Any
) -> None:
    assert page.waiting.isVisible()
    assert "Shares 2 pictures with you" in words(page.waiting)
    assert "because tom is not verified" in words(page.waiting)
    states = {picture.owner_name: picture.state for picture in models.shared.all_pictures()}
    assert states == {"tom": PictureState.UNDECODED, "lina": PictureState.READY}
    spoken = [models.shared.model.index(row).data(11) for row in range(4)]  # Qt.AccessibleTextRole
    assert any("closed until you accept, from tom" in text for text in spoken)


def test_accepting_opens_what_was_closed(page: SharedPage, models: Models, circle: FakeCircle, runner: Any) -> None:
    button(page, "Accept, tom").click()
    runner.run_pending()
    assert not page.waiting.isVisible()
    assert all(picture.state is PictureState.READY for picture in models.shared.all_pictures())
    assert len(names(models.shared)) == 4


def test_thumbnails_come_once_their_sender_is_accepted(
    page: SharedPage, models: Models, runner: Any, qtbot: Any
) -> None:
    closed = [picture.id for picture in models.shared.all_pictures() if picture.owner_name == "tom"]
    thumbnails = models.shared.thumbnails

    def known(what: Any) -> bool:
        runner.run_pending()
        return all(what(picture_id) for picture_id in closed)

    qtbot.waitUntil(lambda: known(thumbnails.is_missing))
    button(page, "Accept, tom").click()
    qtbot.waitUntil(lambda: known(lambda picture_id: thumbnails.image(picture_id) is not None))


@pytest.mark.parametrize("count", [1, 30])
def test_who_waits_leaves_room_for_the_pictures(
    page: SharedPage, models: Models, circle: FakeCircle, runner: Any, pictures: Any, qtbot: Any, count: int
) -> None:
    for number in range(count - 1):
        circle.shared.put(make_person(f"{number} " + "w" * 60), pictures(5))
    models.shared.reload()
    runner.run_pending()
    page.resize(664, 380)  # what the smallest window and a banner leave
    qtbot.waitUntil(lambda: page.waiting.answers[-1].height() > 0)
    QApplication.processEvents()
    assert page.minimumSizeHint().height() <= 380
    assert page.view.height() >= 60
    last = page.waiting.answers[-1]
    last.setFocus(Qt.FocusReason.TabFocusReason)
    page.waiting._scroll.ensureWidgetVisible(last)
    assert not last.visibleRegion().isEmpty()
    bar = page.waiting._scroll.verticalScrollBar()
    assert (bar.maximum() > 0) is (count > 2)


def test_tab_goes_from_who_waits_to_the_grid(page: SharedPage, models: Models, runner: Any, qtbot: Any) -> None:
    qtbot.waitUntil(page.isActiveWindow)
    models.shared.reload()
    runner.run_pending()  # the answers are made anew
    QApplication.processEvents()
    order = [*page.waiting.answers, page.view]
    order[0].setFocus()
    for widget in order:
        assert widget.hasFocus(), widget.accessibleName()
        step_control([page])


def test_whoever_was_declined_can_be_accepted_after_all(page: SharedPage, models: Models, runner: Any) -> None:
    assert not page.declined.isVisible()
    models.shared.decline(make_person("tom"))
    runner.run_pending()
    assert page.declined.isVisible()
    [action] = page.declined.menu().actions()
    assert action.text() == "Accept what tom shares after all"
    action.trigger()
    runner.run_pending()
    assert {picture.owner_name for picture in models.shared.all_pictures()} == {"lina", "tom"}
    assert not page.declined.isVisible()


def test_declining_asks_and_lists_nothing_of_them(
    page: SharedPage, models: Models, circle: FakeCircle, runner: Any
) -> None:
    button(page, "Decline, tom").click()
    [question] = page.window().findChildren(ConfirmDialog)
    assert question.heading.text() == "Decline what tom shares?"
    question.confirm.click()
    runner.run_pending()
    assert {picture.owner_name for picture in models.shared.all_pictures()} == {"lina"}
    assert not page.waiting.isVisible()


def test_accepting_somebody_whose_key_changed_leads_to_comparing(
    page: SharedPage, models: Models, circle: FakeCircle, runner: Any, qtbot: Any
) -> None:
    tom = make_person("tom")
    circle.shared.trouble[tom.user_id] = errors.KeyChanged()
    button(page, "Accept, tom").click()
    runner.run_pending()
    notice = page.banners.notices[0]
    assert "V-116" in notice.title
    with qtbot.waitSignal(page.compare_requested) as asked:
        notice.on_action()  # type: ignore[misc]
    assert asked.args[0].name == "tom"


def test_one_person_can_be_looked_at(page: SharedPage, models: Models, runner: Any) -> None:
    assert page.person.isVisible()
    at = page.person.findText("lina (2)")
    page.person.setCurrentIndex(at)
    page.person.activated.emit(at)
    runner.run_pending()
    assert {models.shared.model.picture(row).owner_name for row in range(2)} == {"lina"}
    assert models.shared.model.rowCount() == 2


def test_enter_on_a_closed_picture_says_how_to_open_it(page: SharedPage, models: Models, qtbot: Any) -> None:
    closed = next(picture for picture in models.shared.all_pictures() if picture.owner_name == "tom")
    opened: list[str] = []
    page.open_requested.connect(opened.append)
    page.view.open_requested.emit(closed.id)
    assert opened == []
    assert page.banners.notices[0].title == "This picture is still closed"


def test_giving_back_asks(page: SharedPage, models: Models, circle: FakeCircle, runner: Any) -> None:
    mine = [picture for picture in models.shared.all_pictures() if picture.owner_name == "lina"]
    page.ask_to_give_back(mine)
    [question] = page.window().findChildren(ConfirmDialog)
    assert question.heading.text() == "Give 2 pictures back?"
    question.confirm.click()
    runner.run_pending()
    assert {picture.owner_name for picture in circle.shared.pictures.values()} == {"tom"}
    QApplication.processEvents()
