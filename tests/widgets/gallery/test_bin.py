"""The bin: moving there with Undo, restoring, deleting for good; and the old question where there is no bin."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from desktop import errors
from desktop.models import PictureState, Trust
from desktop.viewmodels.bin import BinViewModel
from desktop.viewmodels.gallery import GalleryViewModel
from desktop.widgets.batch_notices import batch_notice
from desktop.widgets.bin_page import BinPage
from desktop.widgets.dialogs import ConfirmDialog
from desktop.widgets.gallery_page import GalleryPage

DELETED = datetime(2026, 3, 15, 9, 30, tzinfo=UTC)


@pytest.fixture
def both(qapp: Any, runner: Any, vault: Any, pictures: Any) -> tuple[GalleryViewModel, BinViewModel]:
    vault.bin_days = 30
    vault.put(*(pictures(number) for number in range(5)))
    gallery, bin_ = GalleryViewModel(runner), BinViewModel(runner)
    bin_.follow_gallery(gallery)
    gallery.start(vault)
    bin_.start(vault)
    settle(runner)
    return gallery, bin_


def settle(runner: Any) -> None:
    from PySide6.QtWidgets import QApplication

    for _ in range(4):
        runner.run_pending()
        QApplication.processEvents()


def names(gallery: GalleryViewModel) -> set[str]:
    return {gallery.model.picture(row).name for row in range(gallery.model.rowCount())}


def test_what_is_moved_to_the_bin_is_listed_there(
    both: tuple[GalleryViewModel, BinViewModel], runner: Any, vault: Any
) -> None:
    gallery, bin_ = both
    outcomes: list[Any] = []
    gallery.batch_finished.connect(outcomes.append)
    gallery.delete([gallery.model.picture(0), gallery.model.picture(1)])
    settle(runner)
    assert [outcome.kind for outcome in outcomes] == ["bin"]
    assert names(gallery) == {"Picture 2.jpg", "Picture 3.jpg", "Picture 4.jpg"}
    assert names(bin_) == {"Picture 0.jpg", "Picture 1.jpg"}
    assert bin_.model.picture(0).when == DELETED.astimezone().replace(tzinfo=None), "sorted by when it was deleted"


def test_undo_brings_back_exactly_what_was_moved(
    both: tuple[GalleryViewModel, BinViewModel], runner: Any, vault: Any
) -> None:
    gallery, bin_ = both
    outcomes: list[Any] = []
    gallery.batch_finished.connect(outcomes.append)
    gallery.delete([gallery.model.picture(3)])
    settle(runner)
    gallery.restore(outcomes[0].done)
    settle(runner)
    assert len(names(gallery)) == 5
    assert names(bin_) == set()
    assert gallery.find(outcomes[0].done[0].id).deleted is None  # type: ignore[union-attr]


def test_restoring_in_the_bin_shows_it_in_the_gallery(
    both: tuple[GalleryViewModel, BinViewModel], runner: Any, vault: Any
) -> None:
    gallery, bin_ = both
    gallery.delete(gallery.all_pictures())
    settle(runner)
    assert gallery.count == 0
    bin_.restore([picture for picture in bin_.all_pictures() if picture.name == "Picture 3.jpg"])
    settle(runner)
    assert names(gallery) == {"Picture 3.jpg"}
    assert len(names(bin_)) == 4


def test_one_that_cannot_be_restored_stays_and_the_others_come_back(
    both: tuple[GalleryViewModel, BinViewModel], runner: Any, vault: Any, pictures: Any
) -> None:
    gallery, bin_ = both
    gallery.delete(gallery.all_pictures())
    settle(runner)
    vault.trouble[pictures(2).id] = errors.DeletedForGood()
    outcomes: list[Any] = []
    bin_.batch_finished.connect(outcomes.append)
    bin_.restore(bin_.all_pictures())
    settle(runner)
    assert len(names(gallery)) == 4
    assert [error.code for _, error in outcomes[-1].failures] == ["N-109"]


def test_deleting_for_good_asks_first_and_empties_the_bin(
    both: tuple[GalleryViewModel, BinViewModel], runner: Any, vault: Any, qtbot: Any, theme: Any, icons: Any
) -> None:
    gallery, bin_ = both
    page = BinPage(theme, icons, bin_)
    qtbot.addWidget(page)
    page.show()
    assert page.empty.isVisible()
    assert "30 days" in page.empty._sentence.text()
    assert page.empty_button.isHidden()
    gallery.delete(gallery.all_pictures()[:3])
    settle(runner)
    assert page.view.isVisible()
    page.empty_button.click()
    [question] = page.window().findChildren(ConfirmDialog)
    assert question.heading.text() == "Delete 3 pictures for good?"
    assert "Copies other people have saved stay with them." in question.sentence.text()
    assert question.safe.isDefault()
    assert len(vault.binned) == 3
    question.confirm.click()
    settle(runner)
    assert vault.binned == {}
    assert page.empty.isVisible()


def test_the_gallery_moves_without_asking_where_there_is_a_bin(
    runner: Any, vault: Any, pictures: Any, qtbot: Any, theme: Any, icons: Any
) -> None:
    page = GalleryPage(theme, icons, GalleryViewModel(runner))
    page._gallery.setParent(page)
    qtbot.addWidget(page)
    page.show()
    vault.put(*(pictures(number) for number in range(3)))
    for days, words in ((0, "Delete"), (30, "Move to bin")):
        vault.bin_days = days
        page._gallery.start(vault)
        runner.run_pending()
        assert page.header.selection_bar.delete.text() == words
        page.ask_to_delete([page._gallery.model.picture(0)])
        questions = page.window().findChildren(ConfirmDialog)
        assert bool(questions) is (days == 0)
        for question in questions:
            question.reject()
            qtbot.waitUntil(lambda: not page.window().findChildren(ConfirmDialog))
        runner.run_pending()
    assert len(vault.binned) == 1


def test_locking_forgets_what_is_in_the_bin(
    both: tuple[GalleryViewModel, BinViewModel], runner: Any, vault: Any
) -> None:
    gallery, bin_ = both
    gallery.delete(gallery.all_pictures())
    settle(runner)
    bin_.stop()
    gallery.stop()
    assert bin_.count == 0
    assert bin_.model.rowCount() == 0
    assert bin_.vault is None


def test_a_missing_picture_can_be_given_up(runner: Any, vault: Any, pictures: Any, qapp: Any) -> None:
    lost = pictures(9, state=PictureState.MISSING, problem_code="V-120")
    vault.put(pictures(1), lost)
    vault.found = Trust(missing=(lost.id,))
    gallery = GalleryViewModel(runner)
    gallery.start(vault)
    runner.run_pending()
    assert gallery.trust.missing == (lost.id,)
    gallery.purge([lost])
    runner.run_pending()
    assert names(gallery) == {"Picture 1.jpg"}
    assert lost.id not in vault.pictures


def test_a_file_whose_picture_is_in_the_bin_is_announced_and_taken_out(
    qapp: Any, runner: Any, vault: Any, pictures: Any, tmp_path: Any
) -> None:
    from desktop.client.preflight import Preflight, SourceFile, Verdict
    from desktop.viewmodels.transfer import Outcome
    from desktop.viewmodels.transfers import TransfersViewModel

    transfers = TransfersViewModel(runner)
    found: list[str] = []
    transfers.found_in_bin.connect(found.append)
    transfers.start(vault)
    path = tmp_path / "again.jpg"
    transfers.add_looked_over(Preflight([SourceFile(path, 9, Verdict.IN_BIN, "In the bin.", pictures(3).id)]))
    runner.run_pending()
    assert found == [pictures(3).id]
    assert transfers.count(Outcome.ALREADY_THERE) == 1
    assert vault.waiting == [], "nothing is stored twice"
    vault.trouble["late.jpg"] = errors.AlreadyStored(picture_id=pictures(4).id, in_bin=True)
    late = tmp_path / "late.jpg"
    late.write_bytes(b"late")
    transfers.add_looked_over(Preflight([SourceFile(late, 4, Verdict.READY)]))
    runner.run_pending()
    assert found == [pictures(3).id, pictures(4).id]
    transfers.stop()


def test_what_was_found_in_the_bin_is_taken_out_although_the_bin_was_never_shown(
    qapp: Any, runner: Any, vault: Any, pictures: Any, qtbot: Any
) -> None:
    vault.bin_days = 30
    vault.binned = {pictures(3).id: pictures(3, deleted=DELETED)}
    gallery = GalleryViewModel(runner)
    gallery.start(vault)
    runner.run_pending()
    with qtbot.waitSignal(gallery.batch_finished) as finished:
        gallery.restore_found([pictures(3).id])
        runner.run_pending()
    assert finished.args[0].complete
    assert names(gallery) == {"Picture 3.jpg"}
    assert vault.binned == {}


@pytest.mark.parametrize("trouble", ["gone", "silent"])
def test_what_cannot_be_taken_out_of_the_bin_is_said(
    qapp: Any, runner: Any, vault: Any, pictures: Any, qtbot: Any, trouble: str
) -> None:
    vault.bin_days = 30
    vault.binned = {pictures(3).id: pictures(3, deleted=DELETED)}
    gallery = GalleryViewModel(runner)
    gallery.start(vault)
    runner.run_pending()
    if trouble == "silent":
        vault.trouble["list-bin"] = errors.ServerSilent()
    with qtbot.waitSignal(gallery.batch_finished) as finished:
        gallery.restore_found([pictures(3).id, pictures(4).id])
        runner.run_pending()
    outcome = finished.args[0]
    notice = batch_notice(outcome, lambda _: None, lambda _: None)
    assert notice is not None
    if trouble == "silent":
        assert (notice.title, len(outcome.done)) == ("The server did not answer (N-204)", 0)
        assert "2 pictures" in notice.text
    else:
        assert (notice.title, len(outcome.done)) == ("No longer in the bin (N-104)", 1)
        assert "1 picture" in notice.text
        assert names(gallery) == {"Picture 3.jpg"}, "the other one is back"
