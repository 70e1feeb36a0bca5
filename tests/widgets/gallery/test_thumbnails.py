"""Thumbnails: what is seen first, no more than fits, nothing after stopping."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from desktop import errors
from desktop.models import PlaceKind
from desktop.viewmodels.decoding import decode_tile
from desktop.viewmodels.thumbnails import Thumbnails


def ids(*numbers: int) -> list[str]:
    return [f"{number:032x}" for number in numbers]


@pytest.fixture
def shown(qapp: Any, runner: Any, vault: Any, pictures: Any) -> Thumbnails:
    vault.put(*(pictures(number) for number in range(300)))
    thumbnails = Thumbnails(runner)
    thumbnails.start(vault)
    return thumbnails


def test_visible_ones_come_before_those_ahead(shown: Thumbnails, runner: Any, vault: Any, qtbot: Any) -> None:
    with qtbot.waitSignal(shown._timer.timeout):
        shown.want(ids(*range(10, 20)), ids(*range(20, 40)), 50)
    runner.run_pending()
    asked = [picture_id for request in vault.thumbnail_requests for picture_id in request]
    assert asked[:10] == ids(*range(10, 20))
    assert set(asked) == set(ids(*range(10, 40)))
    image = shown.image(ids(10)[0])
    assert image is not None
    assert (image.width(), image.height()) == (50, 50)


def test_what_left_the_screen_is_not_fetched(shown: Thumbnails, runner: Any, vault: Any, qtbot: Any) -> None:
    for top in range(0, 200, 10):
        shown.want(ids(*range(top, top + 10)), [], 50)
    with qtbot.waitSignal(shown._timer.timeout):
        pass
    runner.run_pending()
    asked = {picture_id for request in vault.thumbnail_requests for picture_id in request}
    assert asked == set(ids(*range(190, 200)))


def test_at_most_two_batches_are_at_work(shown: Thumbnails, runner: Any, qtbot: Any) -> None:
    with qtbot.waitSignal(shown._timer.timeout):
        shown.want(ids(*range(200)), ids(*range(200, 300)), 50)
    assert len(runner._pending) == Thumbnails.WORKERS
    assert len(shown._queue) == Thumbnails.QUEUE - Thumbnails.WORKERS * Thumbnails.BATCH


def test_no_more_are_kept_than_allowed(
    shown: Thumbnails, runner: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Thumbnails, "CAPACITY", 30)
    for top in range(0, 80, 20):
        with qtbot.waitSignal(shown._timer.timeout):
            shown.want(ids(*range(top, top + 20)), [], 50)
        runner.run_pending()
    assert shown.image(ids(0)[0]) is None
    assert all(shown.image(picture_id) is not None for picture_id in ids(*range(60, 80)))
    assert len(shown._images) == 30
    assert shown._bytes == 30 * 50 * 50 * 4


def test_one_without_thumbnail_is_known_and_not_asked_again(
    shown: Thumbnails, runner: Any, vault: Any, qtbot: Any
) -> None:
    del vault.jpegs[ids(1)[0]]
    vault.jpegs[ids(2)[0]] = b"not a picture"
    with qtbot.waitSignal(shown._timer.timeout):
        shown.want(ids(1, 2, 3), [], 50)
    runner.run_pending()
    assert [shown.is_missing(picture_id) for picture_id in ids(1, 2, 3)] == [True, True, False]
    shown.want(ids(1, 2, 3), [], 50)
    assert not shown._timer.isActive()


def test_a_failure_is_told_and_tried_again(shown: Thumbnails, runner: Any, vault: Any, qtbot: Any) -> None:
    shown._retry.setInterval(1)
    vault.trouble["thumbnails"] = errors.ServerSilent()
    with qtbot.waitSignal(shown._timer.timeout):
        shown.want(ids(1), [], 50)
    with qtbot.waitSignal(shown.failed):
        runner.run_pending()
    vault.trouble.clear()
    with qtbot.waitSignal(shown._timer.timeout):
        pass
    runner.run_pending()
    assert shown.image(ids(1)[0]) is not None


def test_a_server_that_takes_long_is_told_until_it_answers(
    shown: Thumbnails, runner: Any, vault: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Thumbnails, "SLOW_MS", 1)
    said: list[str] = []
    shown.slow.connect(lambda: said.append("slow"))
    shown.answered.connect(lambda: said.append("answered"))
    fetch = vault.thumbnails

    def long(picture_ids: Any) -> Any:
        qtbot.waitUntil(lambda: said == ["slow"])
        return fetch(picture_ids)

    vault.thumbnails = long
    with qtbot.waitSignal(shown._timer.timeout):
        shown.want(ids(1), [], 50)
    runner.run_pending()
    assert said == ["slow", "answered"]


def test_a_vault_on_this_computer_is_no_silent_server(
    shown: Thumbnails, runner: Any, vault: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Thumbnails, "SLOW_MS", 1)
    vault.place = replace(vault.place, kind=PlaceKind.THIS_COMPUTER)
    said: list[str] = []
    shown.slow.connect(lambda: said.append("slow"))
    fetch = vault.thumbnails
    vault.thumbnails = lambda picture_ids: (qtbot.wait(20), fetch(picture_ids))[1]
    with qtbot.waitSignal(shown._timer.timeout):
        shown.want(ids(1), [], 50)
    runner.run_pending()
    assert said == []


def test_it_is_learnt_that_the_server_answers_also_when_nothing_is_wanted(
    shown: Thumbnails, runner: Any, vault: Any, qtbot: Any
) -> None:
    vault.trouble["thumbnails"] = errors.ServerSilent()
    with qtbot.waitSignal(shown._timer.timeout):
        shown.want(ids(1), [], 50)
    runner.run_pending()
    shown.want([], [], 50)
    vault.trouble.clear()
    with qtbot.waitSignal(shown._timer.timeout):
        shown.retry_now()
    with qtbot.waitSignal(shown.answered):
        runner.run_pending()


def test_after_stopping_nothing_is_kept_or_taken(shown: Thumbnails, runner: Any, qtbot: Any) -> None:
    with qtbot.waitSignal(shown._timer.timeout):
        shown.want(ids(1, 2), [], 50)
    shown.stop()
    runner.run_pending()
    assert shown.image(ids(1)[0]) is None
    assert not shown._images


def test_threads_deliver_the_same(qapp: Any, threads: Any, vault: Any, pictures: Any, qtbot: Any) -> None:
    vault.put(*(pictures(number) for number in range(40)))
    thumbnails = Thumbnails(threads)
    thumbnails.start(vault)
    thumbnails.want(ids(*range(40)), [], 32)
    qtbot.waitUntil(lambda: all(thumbnails.image(picture_id) is not None for picture_id in ids(*range(40))))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (512, 3), (2, 512), (512, 512)])
def test_tiles_of_any_shape_are_square(jpeg: Any, width: int, height: int) -> None:
    image = decode_tile(jpeg(width, height), 194)
    assert (image.width(), image.height()) == (194, 194)
