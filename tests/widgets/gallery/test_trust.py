"""What a listing found: banners, the gravest first, tiles, explanations that name the picture and what to do."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QLabel

from desktop.models import PersonState, PictureState, Trust
from desktop.viewmodels.gallery import GalleryViewModel
from desktop.viewmodels.trust import changed_findings, explain, findings
from desktop.widgets.explanation_dialog import ExplanationDialog
from desktop.widgets.gallery_page import GalleryPage
from tests.widgets.gallery.fake_circle import make_person

TWO = ("0" * 32, "1" * 32)


@pytest.fixture
def page(qtbot: Any, theme: Any, icons: Any, runner: Any) -> GalleryPage:
    made = GalleryPage(theme, icons, GalleryViewModel(runner))
    made._gallery.setParent(made)
    qtbot.addWidget(made)
    made.resize(1063, 700)
    made.show()
    return made


def words(widget: Any) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


@pytest.mark.parametrize(
    ("trust", "title", "code"),
    [
        (Trust(rolled_back=TWO), "The server handed out an older revision of 2 pictures", "V-112"),
        (Trust(forked=TWO), "The server handed out an older revision of 2 pictures", "V-113"),
        (Trust(injected=TWO), "2 pictures among yours are not from you", "V-122"),
        (Trust(resurrected=TWO), "2 pictures are back that you deleted for good", "V-121"),
        (Trust(scheme_changed=TWO), "2 pictures are offered in another scheme", "V-117"),
        (Trust(missing=TWO), "2 pictures are missing on the server", "V-120"),
    ],
)
def test_each_finding_is_named_with_its_code(qapp: Any, trust: Trust, title: str, code: str) -> None:
    [finding] = findings(trust, here=False)
    assert (finding.kind, finding.title) == ("danger", title)
    assert code in finding.text
    assert finding.pictures == TWO


def test_nothing_found_is_nothing_said(qapp: Any) -> None:
    assert findings(Trust(), here=False) == []


def test_a_new_computer_says_what_cannot_be_known(qapp: Any) -> None:
    when = datetime(2026, 3, 14, 11, 8, tzinfo=UTC)
    [finding] = findings(Trust(new_device=True, ledger_time=when), here=False)
    assert finding.kind == "info"
    assert "14 March 2026" in finding.text
    assert "nobody could tell" in finding.text
    assert findings(Trust(new_device=True), here=True) == []


def test_the_gravest_is_shown_and_the_rest_counted(
    page: GalleryPage, runner: Any, vault: Any, pictures: Any, refused: Any
) -> None:
    lost = pictures(5, state=PictureState.MISSING, problem_code="V-120")
    vault.put(pictures(1), refused, lost)
    vault.found = Trust(rolled_back=(refused.id, "f" * 32), missing=(lost.id,), new_device=True)
    page._gallery.start(vault)
    runner.run_pending()
    assert [notice.kind for notice in page.banners.notices] == ["danger", "danger", "info"]
    assert page.banners.notices[0].title == "The server handed out an older revision of 2 pictures"
    assert "2 more" in [button.text() for button in page.banners.findChildren(QAbstractButton)]
    page._gallery.stop()
    assert page.banners.notices == []


def test_a_banner_is_not_said_anew_at_each_listing_and_goes_when_it_is_over(
    page: GalleryPage, runner: Any, vault: Any, pictures: Any
) -> None:
    lost = pictures(5, state=PictureState.MISSING)
    vault.put(pictures(1), lost)
    vault.found = Trust(missing=(lost.id,))
    page._gallery.start(vault)
    runner.run_pending()
    before = page.banners.notices
    page._gallery.reload()
    runner.run_pending()
    assert page.banners.notices == before
    vault.found = Trust()
    page._gallery.reload()
    runner.run_pending()
    assert page.banners.notices == []


def test_show_them_shows_the_missing_and_a_cross_shows_all_again(
    page: GalleryPage, runner: Any, vault: Any, pictures: Any
) -> None:
    lost = pictures(5, state=PictureState.MISSING)
    vault.put(pictures(1), pictures(2), lost)
    vault.found = Trust(missing=(lost.id,))
    page._gallery.start(vault)
    runner.run_pending()
    page.banners.notices[0].on_action()  # type: ignore[misc]
    runner.run_pending()
    assert [picture.id for picture in page._gallery.model.pictures()] == [lost.id]
    assert page.filter_bar.isVisible()
    assert page.filter_bar.clear.text() == "Missing on the server"
    page.filter_bar.clear.click()
    runner.run_pending()
    assert page._gallery.model.rowCount() == 3
    assert not page.filter_bar.isVisible()


def test_a_changed_key_leads_to_comparing(page: GalleryPage, qtbot: Any) -> None:
    lina = make_person("lina", PersonState.CHANGED)
    page.show_changed([lina])
    notice = page.banners.notices[0]
    assert "lina’s key is not the one you know since 2 March 2026" in notice.title
    assert "Either lina made a new key, or somebody is trying to read" in notice.text
    with qtbot.waitSignal(page.compare_requested) as asked:
        notice.on_action()  # type: ignore[misc]
    assert asked.args == [lina.user_id]
    page.show_changed([])
    assert page.banners.notices == []
    assert changed_findings([]) == []


@pytest.mark.parametrize(
    ("state", "code", "said", "forget"),
    [
        (PictureState.REFUSED, "V-112", "an old backup", False),
        (PictureState.REFUSED, "V-199", "Ask whoever runs the server", False),
        (PictureState.MISSING, "V-120", "restore it from a backup", True),
        (PictureState.UNREADABLE, "F-120", "Fetch it again", False),
    ],
)
def test_enter_explains_what_is_not_shown(
    page: GalleryPage, runner: Any, vault: Any, pictures: Any, state: PictureState, code: str, said: str, forget: bool
) -> None:
    odd = pictures(5, state=state, problem="What happened.", problem_code=code, name="Ladybird.jpg")
    vault.put(pictures(1), odd)
    page._gallery.start(vault)
    runner.run_pending()
    opened: list[str] = []
    page.open_requested.connect(opened.append)
    page.view.open_requested.emit(odd.id)
    assert opened == [], "it is never opened"
    [dialog] = page.window().findChildren(ExplanationDialog)
    assert code in dialog.heading.text()
    assert "Ladybird.jpg" in words(dialog)
    assert said in words(dialog)
    assert hasattr(dialog, "forget") is forget
    copy = next(button for button in dialog.findChildren(QAbstractButton) if button.text() == "Copy details")
    copy.click()
    assert code in QGuiApplication.clipboard().text()
    dialog.again.click()
    runner.run_pending()


def test_a_picture_that_a_stranger_replaced_sends_one_to_its_owner_first(qapp: Any, pictures: Any) -> None:
    odd = pictures(5, state=PictureState.UNREADABLE, problem_code="V-119", owner_name="lina")
    said = explain(odd, here=False)
    assert said.title == "Changed by somebody you do not know (V-119)"
    assert said.advice.startswith("Ask lina whether somebody else has replaced it.")
    assert not said.danger
    own = explain(dataclasses.replace(odd, state=PictureState.REFUSED, owner_name=""), here=False)
    assert own.advice.startswith("You let somebody change it.")
    assert own.danger


def test_what_was_not_properly_shared_sends_one_to_its_owner(qapp: Any, pictures: Any) -> None:
    odd = pictures(5, state=PictureState.REFUSED, problem_code="V-118", owner_name="lina")
    assert explain(odd, here=False).advice.startswith("Ask its owner to share it with you once more.")


def test_a_picture_of_somebody_else_is_not_called_yours(qapp: Any, pictures: Any) -> None:
    theirs = pictures(5, state=PictureState.REFUSED, problem_code="V-112", owner_name="Lina")
    assert explain(theirs, here=False).title == "Not what Lina stored (V-112)"


def test_tiles_of_every_state_look_different(page: GalleryPage, runner: Any, vault: Any, pictures: Any) -> None:
    """Each state and badge changes what is painted."""
    kinds: list[dict[str, Any]] = [
        {},
        {"state": PictureState.MISSING},
        {"state": PictureState.REFUSED},
        {"state": PictureState.UNREADABLE},
        {"state": PictureState.UNREADABLE, "problem_code": "V-119"},
        {"state": PictureState.UNDECODED, "owner_name": "Tom"},
        {"shared_with": 2},
        {"shared_with": 2, "unverified": True},
        {"conflict": True},
        {"waiting_for": ("kim",)},
    ]
    made = [pictures(number, **kind) for number, kind in enumerate(kinds)]
    vault.put(*made)
    same = vault.jpegs[made[0].id]
    vault.jpegs = {picture.id: same for picture in made}
    page._gallery.start(vault)
    runner.run_pending()
    view = page.view
    view._want_thumbnails()
    from PySide6.QtTest import QTest

    QTest.qWait(20)
    runner.run_pending()
    shot = view.viewport().grab()
    seen = []
    for row in range(len(made)):
        image = shot.copy(view.visualRect(view.model().index(row, 0))).toImage()
        assert all(image != other for other in seen), kinds[row]
        seen.append(image)
