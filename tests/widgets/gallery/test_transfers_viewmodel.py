"""The queue: two stages, bounded, one failure never stops the rest, nothing lost over a restart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop import errors
from desktop.viewmodels.gallery import GalleryViewModel
from desktop.viewmodels.picture_model import WAITING
from desktop.viewmodels.transfer import Estimate, Outcome
from desktop.viewmodels.transfer_pipeline import Pipeline
from desktop.viewmodels.transfer_silence import Silence
from desktop.viewmodels.transfers import TransfersViewModel


class Clock:
    """A clock the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def transfers(qapp: Any, runner: Any, vault: Any, clock: Clock) -> TransfersViewModel:
    made = TransfersViewModel(runner, clock=clock)
    made.start(vault)
    runner.run_pending()
    return made


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., list[Path]]:
    def make(*names: str) -> list[Path]:
        for name in names:
            (tmp_path / name).write_bytes(name.encode())
        return [tmp_path / name for name in names]

    return make


def counts(transfers: TransfersViewModel) -> dict[str, int]:
    return {outcome.value: transfers.count(outcome) for outcome in Outcome if transfers.count(outcome)}


def test_everything_ends_in_its_section(transfers: TransfersViewModel, runner: Any, vault: Any, files: Any) -> None:
    vault.trouble["big.png"] = errors.TooLarge()
    vault.trouble["twin.png"] = errors.AlreadyStored(picture_id="abc")
    vault.trouble["bad.png"] = errors.Unsupported()
    vault.upload_trouble["odd.png"] = errors.Conflict()
    vault.trouble["gone.png"] = errors.FileUnreadable()
    transfers.add(files("a.png", "big.png", "twin.png", "bad.png", "odd.png", "gone.png", "notes.docx", "z.png"))
    runner.run_pending()
    assert counts(transfers) == {"failed": 2, "already-there": 1, "unsupported": 2, "too-large": 1, "done": 2}
    failed = transfers.transfers(Outcome.FAILED, 10)
    assert {item.name: item.error.code for item in failed if item.error} == {"odd.png": "N-105", "gone.png": "F-104"}
    assert transfers.transfers(Outcome.ALREADY_THERE, 10)[0].picture_id == "abc"
    summary = transfers.summary
    assert (summary.total, summary.finished, summary.failed, summary.active) == (8, 8, 2, False)
    assert summary.fraction == pytest.approx(1.0)


def test_the_first_picture_is_there_while_others_still_wait(
    transfers: TransfersViewModel, runner: Any, files: Any
) -> None:
    seen: list[int] = []
    transfers.picture_added.connect(lambda picture, image: seen.append(transfers.count(Outcome.WAITING)))
    transfers.add(files(*(f"{number}.png" for number in range(6))))
    runner.run_pending()
    assert len(seen) == 6
    assert seen[0] > 0
    assert seen[-1] == 0


def test_no_more_than_the_bounds_are_at_work(transfers: TransfersViewModel, runner: Any, files: Any) -> None:
    most = {"seal": 0, "ahead": 0}

    def look() -> None:
        busy = transfers.transfers(Outcome.IN_PROGRESS, 99)
        sealing = sum(item.stage == "encrypting" for item in busy)
        staged = sum(item.stage == "staged" for item in transfers.transfers(Outcome.WAITING, 99))
        most["seal"] = max(most["seal"], sealing)
        most["ahead"] = max(most["ahead"], staged)
        assert len(busy) - sealing <= Pipeline.SENDING

    transfers.moved.connect(look)
    transfers.picture_waiting.connect(look)
    transfers.add(files(*(f"{number}.png" for number in range(30))))
    runner.run_pending()
    assert most["seal"] == Pipeline.ENCRYPTING
    assert 0 < most["ahead"] <= Pipeline.AHEAD


def test_one_stuck_file_does_not_stop_the_rest(
    transfers: TransfersViewModel, runner: Any, vault: Any, clock: Clock, files: Any
) -> None:
    transfers.add(files("a.png", "b.png", "c.png"))
    runner._pending.pop(0).run()  # looked over
    runner._pending = [task for task in runner._pending if task._work.__name__ != "_save"]
    stuck = runner._pending.pop(0)  # encrypting a.png never goes on
    runner.run_pending()
    assert counts(transfers) == {"in-progress": 1, "waiting": 2}
    clock.now += Pipeline.STUCK_S + 1
    transfers.pipeline.look_after()
    runner.run_pending()
    assert counts(transfers) == {"in-progress": 1, "done": 2}
    transfers.cancel(transfers.transfers(Outcome.IN_PROGRESS, 1)[0].number)
    assert counts(transfers) == {"done": 2}
    assert stuck.is_cancelled()


def test_cancelling_one_waiting_and_all(transfers: TransfersViewModel, runner: Any, vault: Any, files: Any) -> None:
    transfers.pause()
    transfers.add(files("a.png", "b.png", "c.png"))
    runner.run_pending()
    transfers.cancel(transfers.transfers(Outcome.WAITING, 9)[1].number)
    assert [item.name for item in transfers.transfers(Outcome.WAITING, 9)] == ["a.png", "c.png"]
    assert transfers.summary.total == 2
    transfers.cancel_all()
    runner.run_pending()
    assert counts(transfers) == {}
    assert vault.pictures == {}
    assert (transfers.summary.total, transfers.summary.bytes_total) == (0, 0)


def test_cancelling_while_sending_throws_the_ciphertext_away(
    transfers: TransfersViewModel, runner: Any, vault: Any, files: Any, qtbot: Any
) -> None:
    gone: list[str] = []
    transfers.picture_withdrawn.connect(gone.append)
    transfers.picture_sending.connect(
        lambda picture_id, share: transfers.cancel_picture(picture_id) if share > 0 else None
    )
    transfers.add(files("a.png"))
    runner.run_pending()
    assert counts(transfers) == {}
    assert vault.discarded == ["a.png"]
    assert vault.pictures == {}
    assert len(gone) == 1


def test_paused_begins_nothing_and_goes_on(transfers: TransfersViewModel, runner: Any, files: Any) -> None:
    transfers.pause()
    transfers.add(files("a.png", "b.png"))
    runner.run_pending()
    assert counts(transfers) == {"waiting": 2}
    assert transfers.summary.paused
    transfers.resume()
    runner.run_pending()
    assert counts(transfers) == {"done": 2}


def test_failed_ones_are_tried_again_one_or_all(
    transfers: TransfersViewModel, runner: Any, vault: Any, files: Any
) -> None:
    for name in ("a.png", "b.png", "c.png"):
        vault.upload_trouble[name] = errors.ServerFailed()
    transfers.add(files("a.png", "b.png", "c.png"))
    runner.run_pending()
    assert counts(transfers) == {"failed": 3}
    vault.upload_trouble.clear()
    sealed_before = vault.made
    transfers.retry(transfers.transfers(Outcome.FAILED, 1)[0].number)
    runner.run_pending()
    assert counts(transfers) == {"failed": 2, "done": 1}
    transfers.retry_failed()
    runner.run_pending()
    assert counts(transfers) == {"done": 3}
    assert vault.made == sealed_before  # only sent again, not encrypted again
    assert transfers.summary.finished == transfers.summary.total


def silence(vault: Any, *names: str) -> None:
    for name in names:
        vault.upload_trouble[name] = errors.ServerSilent()


def test_a_silent_server_is_asked_again_until_it_answers(
    transfers: TransfersViewModel, runner: Any, vault: Any, clock: Clock, files: Any
) -> None:
    silence(vault, "a.png", "b.png")
    transfers.add(files("a.png", "b.png"))
    runner.run_pending()
    seen: list[Any] = []
    transfers.summary_changed.connect(seen.append)
    for wait in (*Silence.RETRY_S, 60, 60):
        transfers.pipeline.advance()
        assert runner._pending == []  # not before its time
        clock.now += wait + 1
        transfers.pipeline.advance()
        assert len(runner._pending) == 1  # one picture is enough to ask with
        transfers.news.tell()
        runner.run_pending()
        transfers.news.tell()
    assert counts(transfers) == {"waiting": 2}
    assert {summary.silent.code for summary in seen} == {"N-204"}  # steady, also while it is asked
    assert {summary.asking for summary in seen} == {True, False}
    vault.upload_trouble.clear()
    transfers.ask_now()
    runner.run_pending()
    assert counts(transfers) == {"done": 2}
    assert transfers.summary.silent is None


def test_asking_a_silent_server_moves_no_row(
    transfers: TransfersViewModel, runner: Any, vault: Any, files: Any
) -> None:
    silence(vault, "a.png", "b.png")
    transfers.add(files("a.png", "b.png"))
    runner.run_pending()
    names = [item.name for item in transfers.transfers(Outcome.WAITING, 9)]
    transfers.ask_now()
    assert [item.name for item in transfers.transfers(Outcome.WAITING, 9)] == names
    assert transfers.count(Outcome.IN_PROGRESS) == 0


def test_a_picture_that_alone_meets_silence_fails_in_the_end(
    transfers: TransfersViewModel, runner: Any, vault: Any, files: Any
) -> None:
    silence(vault, "bad.png")
    for number in range(8):
        transfers.add(files("bad.png", f"{number}.png"))
        runner.run_pending()
        transfers.ask_now()
        runner.run_pending()
    assert counts(transfers)["done"] == 8
    assert transfers.transfers(Outcome.FAILED, 1)[0].name == "bad.png"


def test_an_answer_of_any_kind_ends_the_silence(
    transfers: TransfersViewModel, runner: Any, vault: Any, files: Any
) -> None:
    silence(vault, "a.png")
    transfers.add(files("a.png"))
    runner.run_pending()
    vault.upload_trouble["a.png"] = errors.Conflict()
    transfers.ask_now()
    runner.run_pending()
    assert counts(transfers) == {"failed": 1}
    transfers.add(files("b.png"))
    runner.run_pending()
    assert counts(transfers) == {"failed": 1, "done": 1}


def test_cancelled_before_the_server_acknowledged_is_not_stored(
    transfers: TransfersViewModel, runner: Any, vault: Any, files: Any
) -> None:
    upload, added = vault.upload, []
    transfers.picture_added.connect(lambda picture, image: added.append(picture.name))

    def too_late(staged: Any, report: Any, cancelled: Any) -> Any:
        picture = upload(staged, report, cancelled)
        transfers.cancel_picture(picture.id)  # all is sent, the answer is on its way
        return picture

    vault.upload = too_late
    transfers.add(files("a.png"))
    runner.run_pending()
    assert counts(transfers) == {}
    assert vault.pictures == {}
    assert added == []


def test_cancelled_and_left_at_once_does_not_come_back(
    transfers: TransfersViewModel, runner: Any, vault: Any, files: Any
) -> None:
    """Else it would be sent while locked, or at the next start."""

    def locked_meanwhile(staged: Any, report: Any, cancelled: Any) -> Any:
        transfers.cancel_picture(staged.picture.id)
        transfers.stop()
        raise errors.Cancelled

    vault.upload = locked_meanwhile
    transfers.add(files("a.png"))
    runner.run_pending()
    assert vault.waiting == []


def test_what_was_cancelled_in_one_vault_is_not_looked_for_in_another(
    transfers: TransfersViewModel, runner: Any, vault: Any, files: Any
) -> None:
    other, upload, asked = type(vault)(), vault.upload, []
    other.delete = other.discard = asked.append

    def too_late(staged: Any, report: Any, cancelled: Any) -> Any:
        picture = upload(staged, report, cancelled)
        transfers.cancel_picture(picture.id)
        transfers.start(other)
        return picture

    vault.upload = too_late
    transfers.add(files("a.png"))
    runner.run_pending()
    assert asked == []


def test_a_file_that_is_gone_is_said_to_be_and_counts_again_when_it_is_back(
    qapp: Any, transfers: TransfersViewModel, runner: Any, vault: Any, files: Any
) -> None:
    paths = files("a.png", "b.png", "c.png")
    transfers.stop()
    vault.queue = list(paths)
    contents = [path.read_bytes() for path in paths]
    for path in paths:
        path.unlink()
    vault.trouble = {path.name: errors.FileUnreadable() for path in paths}
    transfers.start(vault)
    runner.run_pending()
    error = transfers.transfers(Outcome.FAILED, 1)[0].error
    assert error is not None
    assert error.message == f"a.png is no longer in {paths[0].parent}."
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    vault.trouble.clear()
    transfers.pause()
    transfers.retry_failed()
    transfers.resume()
    transfers.pause()
    runner.run_pending()
    assert transfers.summary.bytes_total == sum(map(len, contents))
    transfers.resume()
    runner.run_pending()
    assert counts(transfers) == {"done": 3}
    assert transfers.summary.bytes_done == transfers.summary.bytes_total == sum(map(len, contents))


def test_what_was_not_added_is_told_once_all_are_over(
    transfers: TransfersViewModel, runner: Any, vault: Any, files: Any
) -> None:
    told: list[int] = []
    transfers.not_added.connect(told.append)
    vault.trouble["cut.jpg"] = errors.Unsupported()
    transfers.add(files("notes.docx", "cut.jpg", "a.png"))
    runner.run_pending()
    transfers.news.tell()
    assert told == [2]
    transfers.add(files("b.png"))
    runner.run_pending()
    transfers.news.tell()
    assert told == [2]
    transfers.clear(Outcome.UNSUPPORTED)
    transfers.add(files("more.docx"))
    runner.run_pending()
    transfers.news.tell()
    assert told == [2, 1]


def test_a_full_disk_halts_the_queue_and_keeps_the_rest(
    transfers: TransfersViewModel, runner: Any, vault: Any, files: Any
) -> None:
    vault.trouble["b.png"] = errors.StorageFull()
    transfers.add(files("a.png", "b.png", "c.png", "d.png"))
    runner.run_pending()
    assert transfers.count(Outcome.FAILED) == 1
    assert transfers.count(Outcome.WAITING) >= 2
    assert isinstance(transfers.summary.halted_by, errors.StorageFull)
    vault.trouble.clear()
    transfers.retry_failed()
    runner.run_pending()
    assert counts(transfers) == {"done": 4}


def test_the_queue_goes_on_after_a_restart(
    qapp: Any, transfers: TransfersViewModel, runner: Any, vault: Any, files: Any
) -> None:
    vault.upload_trouble["a.png"] = errors.ServerFailed()
    transfers.add(files("a.png", "b.png"))
    runner.run_pending()
    transfers.pause()
    transfers.add(files("c.png", "d.png"))
    runner.run_pending()
    transfers.stop()
    runner.run_pending()
    assert [path.name for path in vault.queue] == ["c.png", "d.png"]
    assert [staged.picture.name for staged in vault.waiting] == ["a.png"]
    vault.upload_trouble.clear()
    again = TransfersViewModel(runner)
    waiting: list[str] = []
    again.picture_waiting.connect(lambda picture, thumbnail: waiting.append(picture.name))
    again.start(vault)
    runner.run_pending()
    assert waiting[0] == "a.png"
    assert counts(again) == {"done": 3}
    again._keeper._write()
    runner.run_pending()
    assert vault.queue == []


def test_after_stopping_nothing_is_known(transfers: TransfersViewModel, runner: Any, files: Any) -> None:
    transfers.add(files("a.png", "b.png"))
    transfers.stop()
    runner.run_pending()
    assert counts(transfers) == {}
    assert transfers.summary.total == 0


def test_the_same_file_is_not_queued_twice(transfers: TransfersViewModel, runner: Any, files: Any) -> None:
    transfers.pause()
    for _ in range(2):
        transfers.add(files("a.png", "b.png"))
        runner.run_pending()
    assert counts(transfers) == {"waiting": 2}


def test_the_gallery_follows(qapp: Any, transfers: TransfersViewModel, runner: Any, vault: Any, files: Any) -> None:
    gallery = GalleryViewModel(runner)
    gallery.follow(transfers)
    gallery.start(vault)
    states: list[float | None] = []
    transfers.picture_waiting.connect(lambda picture, thumbnail: states.append(gallery.model.sending(picture.id)))
    transfers.picture_sending.connect(lambda picture_id, share: states.append(gallery.model.sending(picture_id)))
    transfers.picture_added.connect(lambda picture, image: states.append(gallery.model.sending(picture.id)))
    transfers.add(files("a.png"))
    runner.run_pending()
    assert states == [WAITING, 0.0, 0.5, 1.0, None]
    assert gallery.count == 1
    assert transfers.name_of(gallery.model.picture(0).id) == "a.png"


def test_deleting_a_waiting_picture_cancels_it(
    qapp: Any, transfers: TransfersViewModel, runner: Any, vault: Any, files: Any
) -> None:
    gallery = GalleryViewModel(runner)
    gallery.follow(transfers)
    gallery.start(vault)
    vault.upload_trouble["a.png"] = errors.ServerFailed()
    transfers.add(files("a.png"))
    runner.run_pending()
    assert gallery.count == 1
    gallery.delete([gallery.model.picture(0)])
    runner.run_pending()
    assert gallery.count == 0
    assert counts(transfers) == {}
    assert vault.discarded == ["a.png"]


def test_what_is_added_before_an_earlier_queue_is_read_neither_replaces_nor_doubles_it(
    qapp: Any, runner: Any, vault: Any, files: Any
) -> None:
    [earlier, new] = files("earlier.png", "new.png")
    vault.save_queue([earlier])
    transfers = TransfersViewModel(runner)
    transfers.start(vault)
    transfers.add([earlier, new])
    reading, looking = runner._pending
    runner._pending.clear()
    looking.run()  # in another thread, and faster
    runner.run_pending()
    assert vault.queue == [earlier]
    reading.run()
    runner.run_pending()
    assert sorted(picture.name for picture in vault.pictures.values()) == ["earlier.png", "new.png"]
    assert counts(transfers) == {Outcome.DONE: 2}


def test_files_are_added_although_an_earlier_queue_cannot_be_read(
    qapp: Any, runner: Any, vault: Any, files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable() -> list[Any]:
        raise errors.VaultUnreadable

    monkeypatch.setattr(vault, "load_queue", unreadable)
    transfers, failures = TransfersViewModel(runner), []
    transfers.failed.connect(failures.append)
    transfers.start(vault)
    transfers.add(files("new.png"))
    runner.run_pending()
    assert [type(failure) for failure in failures] == [errors.VaultUnreadable]
    assert counts(transfers) == {Outcome.DONE: 1}


def test_real_threads_store_everything(qapp: Any, threads: Any, vault: Any, files: Any, qtbot: Any) -> None:
    transfers = TransfersViewModel(threads)
    transfers.start(vault)
    added: list[str] = []
    transfers.picture_added.connect(lambda picture, image: added.append(picture.name))
    transfers.add(files(*(f"{number}.png" for number in range(25))))

    def all_are_added() -> None:
        assert len(added) == 25, (len(added), len(vault.pictures), len(vault.waiting), threads.busy, transfers.summary)

    qtbot.waitUntil(all_are_added)
    qtbot.waitUntil(lambda: not transfers.summary.active)
    assert len(vault.pictures) == 25
    transfers.stop()


def test_no_estimate_at_first_then_a_fair_one() -> None:
    clock = Clock()
    estimate = Estimate(clock)
    estimate.note(0)
    assert estimate.seconds_left(0, 100) is None
    for second in range(1, 11):
        clock.now += 1
        estimate.note(second * 2)
    assert estimate.seconds_left(20, 100) == pytest.approx(40)
    clock.now += 1
    assert estimate.seconds_left(100, 100) == 0
