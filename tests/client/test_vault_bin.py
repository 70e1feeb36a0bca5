"""The bin of a vault: there and back, for good, over crashes, and what the memory thinks of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from desktop import errors
from desktop.client.memory_model import IntentKind
from desktop.client.preflight import Verdict
from desktop.client.vault_trust import Measure
from desktop.models import PictureState, Scheme, never_cancelled
from tests import sample_pictures
from tests.client.conftest import Somewhere


def ids(place: Somewhere) -> list[str]:
    return [picture.id for picture in place.vault.list_pictures()]


def binned(place: Somewhere) -> list[str]:
    return [picture.id for picture in place.vault.list_bin()]


def test_there_and_back(place: Somewhere) -> None:
    content = sample_pictures.png(200, 150, seed=1)
    stays, moves = place.add(sample_pictures.png(seed=2)), place.add(content, "beach.png")
    jpeg = place.vault.thumbnails([moves])[moves]
    place.vault.delete(moves)
    assert (ids(place), binned(place)) == ([stays], [moves])
    with pytest.raises(errors.NotFound):
        place.vault.open(moves)
    place.restart()

    [picture] = place.vault.list_bin()
    assert (picture.id, picture.name, picture.state) == (moves, "beach.png", PictureState.READY)
    assert picture.deleted is not None
    assert place.vault.thumbnails([moves]) == {moves: jpeg}
    restored = place.vault.restore(moves)

    assert (restored.id, restored.name, restored.deleted) == (moves, "beach.png", None)
    assert bytes(place.vault.open(moves).data) == content
    assert (set(ids(place)), binned(place)) == ({stays, moves}, [])
    assert place.vault.trust().quiet
    with pytest.raises(errors.NotFound):
        place.vault.restore(moves)


def test_undo_right_after_moving(place: Somewhere) -> None:
    picture_id = place.add(sample_pictures.png(seed=3))
    place.vault.delete(picture_id)
    place.vault.restore(picture_id)
    place.vault.delete(picture_id)
    assert place.vault.restore(picture_id).state is PictureState.READY
    assert ids(place) == [picture_id]


def test_what_is_in_the_bin_is_not_stored_twice(place: Somewhere) -> None:
    content = sample_pictures.png(seed=4)
    picture_id = place.add(content)
    place.vault.delete(picture_id)
    place.restart()
    source = place.source(content, "again.png")

    with pytest.raises(errors.AlreadyStored) as found:
        place.vault.seal(source)
    assert (found.value.picture_id, found.value.in_bin) == (picture_id, True)
    [file] = place.vault.inspect_sources([source]).files
    assert (file.verdict, file.picture_id) == (Verdict.IN_BIN, picture_id)

    place.vault.restore(picture_id)
    [file] = place.vault.inspect_sources([source]).files
    assert (file.verdict, file.picture_id) == (Verdict.ALREADY_STORED, picture_id)


def test_for_good(place: Somewhere) -> None:
    first, second, third = (place.add(sample_pictures.png(seed=seed)) for seed in (5, 6, 7))
    for picture_id in (first, second):
        place.vault.delete(picture_id)
    done: list[tuple[int, int]] = []

    assert place.vault.purge([first], lambda *now: done.append(now)) == [first]
    assert done == [(1, 1)]
    assert binned(place) == [second]
    assert place.vault.empty_bin() == [second]

    assert (ids(place), binned(place)) == ([third], [])
    place.restart()
    assert ids(place) == [third]
    assert place.vault.trust().quiet
    memory = place.vault.context().memory
    for picture_id in (first, second):
        entry = memory.entry(place.vault.context().key.fingerprint, picture_id)
        assert entry is not None
        assert entry.gone
        assert memory.note(entry.owner, picture_id) is None  # its name does not stay behind
        assert place.session.api.gone(place.session.user_id, picture_id)
    with pytest.raises(errors.NotFound):
        place.vault.purge([first])


def test_for_good_without_the_bin_in_between(place: Somewhere) -> None:
    picture_id = place.add(sample_pictures.png(seed=8))
    assert place.vault.purge([picture_id]) == [picture_id]
    assert (ids(place), binned(place)) == ([], [])
    assert place.vault.trust().quiet


@pytest.mark.parametrize("step", ["put_gone", "remove_from_bin", "gone"])
def test_an_interrupted_purge_is_finished(place: Somewhere, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """The program dies before the record arrives, before the picture is removed, before the answer is remembered."""
    stays, goes = place.add(sample_pictures.png(seed=9)), place.add(sample_pictures.png(seed=10))
    place.vault.delete(goes)

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(place.vault.context().memory if step == "gone" else place.session.api, step, die)
        with pytest.raises(KeyboardInterrupt):
            place.vault.purge([goes])
    place.restart()

    assert ids(place) == [stays]
    assert place.vault.trust().quiet
    assert binned(place) == []
    context = place.vault.context()
    entry = context.memory.entry(context.key.fingerprint, goes)
    assert entry is not None
    assert entry.gone
    assert context.memory.intents() == []
    assert place.session.api.gone(place.session.user_id, goes)


@pytest.mark.parametrize("arrived", [True, False])
def test_a_deletion_whose_answer_is_lost(place: Somewhere, monkeypatch: pytest.MonkeyPatch, arrived: bool) -> None:
    picture_id = place.add(sample_pictures.png(seed=11))
    delete = place.session.api.delete

    def cut_off(*arguments: Any) -> None:
        if arrived:
            delete(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(place.session.api, "delete", cut_off)
        with pytest.raises(KeyboardInterrupt):
            place.vault.delete(picture_id)
    place.restart()

    assert ids(place) == ([] if arrived else [picture_id])
    assert binned(place) == ([picture_id] if arrived else [])
    assert place.vault.trust().quiet


@pytest.mark.parametrize("arrived", [True, False])
def test_a_restoration_whose_answer_is_lost(place: Somewhere, monkeypatch: pytest.MonkeyPatch, arrived: bool) -> None:
    picture_id = place.add(sample_pictures.png(seed=11))
    place.vault.delete(picture_id)
    restore = place.session.api.restore

    def silent(*arguments: Any) -> None:
        if arrived:
            restore(*arguments)
        raise errors.ServerSilent

    with monkeypatch.context() as lost:
        lost.setattr(place.session.api, "restore", silent)
        with pytest.raises(errors.ServerSilent):
            place.vault.restore(picture_id)
    assert place.vault.restore(picture_id).state is PictureState.READY
    assert (ids(place), binned(place)) == ([picture_id], [])
    assert is_missed_when_it_is_taken_away(place, picture_id)


def is_missed_when_it_is_taken_away(place: Somewhere, picture_id: str) -> bool:
    """Whether a server cannot get rid of a picture by pretending that its time in the bin is over."""
    api, user_id = place.session.api, place.session.user_id
    api.delete(user_id, f"p-{picture_id}")
    for row in api.bin_page(user_id):
        api.remove_from_bin(user_id, row.id)
    place.restart()
    place.vault.list_pictures()
    return place.vault.trust().missing == (picture_id,)


@pytest.mark.parametrize("restart", [True, False])
def test_a_lost_restoration_is_counted_by_the_next_listing(
    place: Somewhere, monkeypatch: pytest.MonkeyPatch, restart: bool
) -> None:
    picture_id = place.add(sample_pictures.png(seed=11))
    place.vault.delete(picture_id)
    restore = place.session.api.restore

    def silent(*arguments: Any) -> None:
        restore(*arguments)
        raise errors.ServerSilent

    with monkeypatch.context() as lost:
        lost.setattr(place.session.api, "restore", silent)
        with pytest.raises(errors.ServerSilent):
            place.vault.restore(picture_id)
    if restart:
        place.restart()
    assert ids(place) == [picture_id]
    assert is_missed_when_it_is_taken_away(place, picture_id)


def test_a_deletion_that_was_refused_is_counted_by_the_next_listing(
    place: Somewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture_id = place.add(sample_pictures.png(seed=11))

    def refuse(*arguments: Any) -> None:
        raise errors.ServerFailed

    with monkeypatch.context() as failing:
        failing.setattr(place.session.api, "delete", refuse)
        with pytest.raises(errors.ServerFailed):
            place.vault.delete(picture_id)
    assert ids(place) == [picture_id]
    assert is_missed_when_it_is_taken_away(place, picture_id)


def test_a_deletion_during_a_listing_is_still_one(place: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page was made up before the deletion arrived, and is read after it was acknowledged."""
    picture_id = place.add(sample_pictures.png(seed=11))
    api, page, delete = place.session.api, place.session.api.page, place.session.api.delete
    pages: list[Any] = []

    def listed_first(*arguments: Any) -> None:
        before = place.vault.context().memory.snapshot()
        pages.append((before, page(place.session.user_id)[0]))
        delete(*arguments)

    with monkeypatch.context() as slow:
        slow.setattr(api, "delete", listed_first)
        place.vault.delete(picture_id)
    [(before, rows)] = pages
    context = place.vault.context()
    Measure(context, never_cancelled).page(rows, before)
    entry = context.memory.entry(context.key.fingerprint, picture_id)
    assert entry is not None
    assert entry.in_bin


def test_what_another_computer_moved_to_the_bin_meanwhile_is_deleted_for_good(place: Somewhere) -> None:
    picture_id = place.add(sample_pictures.png(seed=11))
    place.session.api.delete(place.session.user_id, f"p-{picture_id}")
    assert place.vault.purge([picture_id]) == [picture_id]
    place.restart()
    assert (ids(place), binned(place)) == ([], [])
    assert place.vault.trust().quiet


def test_the_bins_time_runs_out_without_an_alarm(place: Somewhere) -> None:
    kept, moved = place.add(sample_pictures.png(seed=12)), place.add(sample_pictures.png(seed=13))
    place.vault.delete(moved)
    [row] = place.session.api.bin_page(place.session.user_id)
    place.session.api.remove_from_bin(place.session.user_id, row.id)  # as the server does when the days are over
    place.restart()

    assert ids(place) == [kept]
    assert (place.vault.trust().missing, binned(place)) == ((), [])


def test_a_server_that_hides_pictures_in_the_bin_loses_them_visibly(place: Somewhere) -> None:
    """Nobody here put it there: when it goes from there it is missed."""
    picture_id = place.add(sample_pictures.png(seed=14))
    place.session.api.delete(place.session.user_id, f"p-{picture_id}")
    assert ids(place) == []
    assert place.vault.trust().quiet  # another computer may have done it
    [row] = place.session.api.bin_page(place.session.user_id)
    place.session.api.remove_from_bin(place.session.user_id, row.id)

    [missing] = place.vault.list_pictures()
    assert (missing.id, missing.state) == (picture_id, PictureState.MISSING)
    assert place.vault.trust().missing == (picture_id,)


def test_a_purged_picture_does_not_come_back(place: Somewhere, tmp_path: Path) -> None:
    staged = place.vault.seal(place.source(sample_pictures.png(seed=15)))
    kept = tmp_path / "kept"
    shutil.copytree(staged.folder, kept)
    picture_id = place.vault.upload(staged).id
    place.vault.purge([picture_id])
    shutil.copytree(kept, staged.folder)
    place.restart()

    [again] = place.vault.staged()
    with pytest.raises(errors.DeletedForGood):
        place.vault.upload(again)
    assert place.vault.context().memory.intents() == []
    place.vault.discard(again)
    assert (ids(place), place.vault.staged()) == ([], [])


def test_another_record_of_the_same_deletion_is_as_good(place: Somewhere) -> None:
    from desktop.crypto.records import make_gone

    picture_id = place.add(sample_pictures.png(seed=16))
    key = place.vault.context().key
    record = make_gone(key, picture_id, "0" * 64, 5)
    place.session.api.put_gone(place.session.user_id, picture_id, record.text)
    assert place.vault.purge([picture_id]) == [picture_id]
    assert ids(place) == []


def test_classic_pictures_go_through_the_bin_too(place: Somewhere, tmp_path: Path) -> None:
    (tmp_path / "quotient.txt").write_text("1 2 3 ")
    picture = tmp_path / "bicycle.png"
    picture.write_bytes(sample_pictures.png(seed=17))
    api, user = place.session.api, place.session.user_id
    api.upload_classic(user, "bicycle.png", picture=picture, quotient=tmp_path / "quotient.txt")
    assert ids(place) == ["bicycle"]

    place.vault.delete("bicycle")
    [classic] = place.vault.list_bin()
    assert (classic.id, classic.scheme) == ("bicycle", Scheme.CLASSIC)
    assert ids(place) == []
    assert place.vault.restore("bicycle").id == "bicycle"
    place.vault.delete("bicycle")
    assert place.vault.empty_bin() == ["bicycle"]
    place.restart()
    assert ids(place) == []
    assert place.vault.trust().quiet


def test_an_upload_is_written_down_before_it_is_sent(place: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    staged = place.vault.seal(place.source(sample_pictures.png(seed=18)))
    memory = place.vault.context().memory
    seen: list[IntentKind] = []
    upload = place.session.api.upload_sealed

    def watch(*arguments: Any, **more: Any) -> Any:
        seen.extend(intent.kind for intent in memory.intents() if intent.picture_id == staged.picture.id)
        return upload(*arguments, **more)

    monkeypatch.setattr(place.session.api, "upload_sealed", watch)
    place.vault.upload(staged)
    assert (seen, memory.intents()) == ([IntentKind.HEADER], [])
