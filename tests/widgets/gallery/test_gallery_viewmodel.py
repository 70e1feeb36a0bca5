"""The gallery's state: loading, searching, saving copies, deleting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from desktop import errors
from desktop.models import PictureState
from desktop.viewmodels.batches import BatchOutcome
from desktop.viewmodels.gallery import GalleryState, GalleryViewModel
from desktop.viewmodels.picture_model import WAITING


@pytest.fixture
def gallery(qapp: Any, runner: Any, vault: Any, pictures: Any) -> GalleryViewModel:
    vault.put(*(pictures(number) for number in range(10)))
    return GalleryViewModel(runner)


@pytest.fixture
def loaded(gallery: GalleryViewModel, runner: Any, vault: Any) -> GalleryViewModel:
    gallery.start(vault)
    runner.run_pending()
    return gallery


def names(gallery: GalleryViewModel) -> list[str]:
    return [gallery.model.picture(row).name for row in range(gallery.model.rowCount())]


def test_pictures_show_while_others_are_still_listed(gallery: GalleryViewModel, runner: Any, vault: Any) -> None:
    counts: list[int] = []
    gallery.count_changed.connect(counts.append)
    gallery.start(vault)
    assert gallery.state is GalleryState.LOADING
    runner.run_pending()
    assert gallery.state is GalleryState.READY
    assert counts[1:] == [3, 6, 10]
    assert names(gallery) == [f"Picture {number}.jpg" for number in range(10)]


def test_a_failed_list_can_be_tried_again(gallery: GalleryViewModel, runner: Any, vault: Any, qtbot: Any) -> None:
    vault.trouble["list"] = errors.ServerSilent()
    gallery.start(vault)
    with qtbot.waitSignal(gallery.load_failed) as failed:
        runner.run_pending()
    assert failed.args[0].code == "N-204"
    assert gallery.state is GalleryState.FAILED
    vault.trouble.clear()
    gallery.retry()
    runner.run_pending()
    assert gallery.state is GalleryState.READY
    assert gallery.count == 10


def test_what_comes_and_goes_during_loading_is_right_afterwards(
    gallery: GalleryViewModel, runner: Any, vault: Any, pictures: Any
) -> None:
    gallery.start(vault)
    gallery.insert(pictures(50))
    gallery.remove([pictures(3).id])
    runner.run_pending()
    assert "Picture 50.jpg" in names(gallery)
    assert "Picture 3.jpg" not in names(gallery)
    assert gallery.count == 10


def test_stopping_forgets_everything(loaded: GalleryViewModel, runner: Any) -> None:
    loaded.stop()
    assert (loaded.count, loaded.model.rowCount(), loaded.state) == (0, 0, GalleryState.STOPPED)


def test_a_list_of_before_the_stop_is_not_taken(gallery: GalleryViewModel, runner: Any, vault: Any) -> None:
    gallery.start(vault)
    gallery.stop()
    runner.run_pending()
    assert gallery.model.rowCount() == 0


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("picture 7", ["Picture 7.jpg"]),
        ("PICTURE 7 ", ["Picture 7.jpg"]),
        ("nothing like it", []),
        ("march saturday 4.jpg", ["Picture 4.jpg"]),
        ("2026-03-13", []),
        ("2026-03-14 9", ["Picture 9.jpg"]),
    ],
)
def test_searching_names_and_dates(loaded: GalleryViewModel, runner: Any, query: str, found: list[str]) -> None:
    loaded.search(query)
    runner.run_pending()
    assert names(loaded) == found
    assert loaded.count == 10
    loaded.search("")
    assert loaded.model.rowCount() == 10


def test_the_last_query_wins(loaded: GalleryViewModel, runner: Any) -> None:
    for query in ("p", "pi", "picture 1"):
        loaded.search(query)
    runner.run_pending()
    assert names(loaded) == ["Picture 1.jpg"]


def test_what_is_inserted_during_a_search_shows_only_if_it_matches(
    loaded: GalleryViewModel, runner: Any, pictures: Any
) -> None:
    loaded.search("picture 5")
    runner.run_pending()
    loaded.insert(pictures(51))
    loaded.insert(pictures(60))
    assert names(loaded) == ["Picture 5.jpg", "Picture 51.jpg"]


def test_copies_are_saved_and_failures_named(
    loaded: GalleryViewModel, runner: Any, vault: Any, tmp_path: Path, qtbot: Any
) -> None:
    bad = loaded.model.picture(2)
    vault.trouble[bad.id] = errors.Damaged()
    (tmp_path / "Picture 0.jpg").write_bytes(b"mine")
    loaded.export(loaded.all_pictures(), tmp_path)
    with qtbot.waitSignal(loaded.batch_finished) as finished:
        runner.run_pending()
    outcome: BatchOutcome = finished.args[0]
    assert len(outcome.done) == 9
    assert [(picture.id, error.code) for picture, error in outcome.failures] == [(bad.id, "F-120")]
    assert not outcome.complete
    assert (tmp_path / "Picture 0.jpg").read_bytes() == b"mine"
    assert (tmp_path / "Picture 0 (2).jpg").exists()


def test_a_full_disk_stops_the_saving(
    loaded: GalleryViewModel, runner: Any, vault: Any, tmp_path: Path, qtbot: Any
) -> None:
    vault.trouble[loaded.model.picture(3).id] = errors.StorageFull()
    loaded.export(loaded.all_pictures(), tmp_path)
    with qtbot.waitSignal(loaded.batch_finished) as finished:
        runner.run_pending()
    outcome: BatchOutcome = finished.args[0]
    assert (len(outcome.done), len(outcome.left)) == (3, 7)
    assert isinstance(outcome.stopped_by, errors.StorageFull)


def test_saving_can_be_cancelled_between_pictures(
    loaded: GalleryViewModel, runner: Any, tmp_path: Path, qtbot: Any
) -> None:
    loaded.export(loaded.all_pictures(), tmp_path)
    loaded.batch_progressed.connect(lambda done, total: loaded.cancel_batch())
    with qtbot.waitSignal(loaded.batch_finished) as finished:
        runner.run_pending()
    assert finished.args[0].cancelled
    assert len(finished.args[0].left) == 10 - len(list(tmp_path.iterdir()))


def test_deleting_takes_pictures_out_even_if_gone_already(
    loaded: GalleryViewModel, runner: Any, vault: Any, qtbot: Any
) -> None:
    gone, failing, fine = (loaded.model.picture(row) for row in (0, 1, 2))
    del vault.pictures[gone.id]
    vault.trouble[failing.id] = errors.ServerSilent()
    loaded.delete([gone, failing, fine])
    with qtbot.waitSignal(loaded.batch_finished) as finished:
        runner.run_pending()
    assert [picture.id for picture, _ in finished.args[0].failures] == [failing.id]
    assert loaded.count == 8
    assert loaded.model.row_of(failing.id) >= 0
    assert fine.id not in vault.pictures


def test_an_unsent_picture_is_not_saved_from_anywhere(
    loaded: GalleryViewModel, runner: Any, pictures: Any, jpeg: Any, tmp_path: Path, qtbot: Any
) -> None:
    loaded.insert_waiting(pictures(99), jpeg())
    assert loaded.model.sending(pictures(99).id) == WAITING
    loaded.export([pictures(99)], tmp_path)
    with qtbot.waitSignal(loaded.batch_finished) as finished:
        runner.run_pending()
    assert finished.args[0].failures[0][1].code == "F-130"
    loaded.insert(pictures(99))
    assert loaded.model.sending(pictures(99).id) is None


def test_sums_of_a_selection(loaded: GalleryViewModel) -> None:
    summary = loaded.summary([range(0, 2), range(5, 6)])
    assert (summary.count, summary.size) == (3, 1000 + 1001 + 1005)
    assert [picture.name for picture in loaded.pictures([range(1, 3)])] == ["Picture 1.jpg", "Picture 2.jpg"]


def test_refused_pictures_are_named(gallery: GalleryViewModel, runner: Any, vault: Any, refused: Any) -> None:
    vault.put(refused)
    gallery.start(vault)
    runner.run_pending()
    assert [picture.state for picture in gallery.refused] == [PictureState.REFUSED]
