"""What the server does by itself."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.services.clock import utc_now
from backend.services.housekeeping import EVERY_SECONDS, FIRST_AFTER_SECONDS, Housekeeping
from backend.storage.protocol import StorageError
from tests.backend import samples
from tests.backend.conftest import FAST, serving


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Recorder(Housekeeping):
    """Housekeeping that only notes that it ran."""

    def __init__(self, clock: Clock) -> None:
        self.ran = threading.Semaphore(0)
        self.may_end = threading.Event()
        super().__init__(None, None, clock=clock)  # type: ignore[arg-type]

    def run(self) -> dict[str, int]:
        self.ran.release()
        assert self.may_end.wait(20)
        return {}


def test_it_runs_once_an_hour_and_not_at_once() -> None:
    clock = Clock()
    keeper = Recorder(clock)
    keeper.may_end.set()
    keeper.run_if_due()
    assert not keeper.ran.acquire(blocking=False)
    clock.seconds += FIRST_AFTER_SECONDS
    for _ in range(3):
        keeper.run_if_due()
    assert keeper.ran.acquire(timeout=20)
    keeper.run_if_due()
    clock.seconds += EVERY_SECONDS
    _join(keeper)
    keeper.run_if_due()
    assert keeper.ran.acquire(timeout=20)
    _join(keeper)
    assert not keeper.ran.acquire(blocking=False)
    keeper.stop()
    clock.seconds += EVERY_SECONDS
    keeper.run_if_due()
    assert not keeper.ran.acquire(blocking=False)


def test_never_two_at_the_same_time_and_stopping_waits() -> None:
    clock = Clock()
    keeper = Recorder(clock)
    clock.seconds += FIRST_AFTER_SECONDS
    keeper.run_if_due()
    assert keeper.ran.acquire(timeout=20)
    clock.seconds += EVERY_SECONDS
    keeper.run_if_due()
    assert not keeper.ran.acquire(blocking=False)
    keeper.may_end.set()
    keeper.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "housekeeping"]


def _join(keeper: Recorder) -> None:
    assert keeper._thread is not None
    keeper._thread.join(20)


def test_everything_that_is_over_goes(tmp_path: Path) -> None:
    with serving(tmp_path, replace(FAST, bin_days=1)) as server:
        services, storage = server.app.extensions["glassine"].services, server.storage
        leaving, staying = server.person(), server.person()
        for person in (leaving, staying):
            person.call("POST", person.images, **samples.sealed().form())
        old, kept = samples.sealed(), samples.sealed()
        for sent in (old, kept):
            staying.call("POST", staying.images, **sent.form())
        storage.move_to_bin(staying.user_id, f"{old.stem}.png", utc_now() - timedelta(days=2))
        assert storage.change_user(leaving.user_id, {}, {"closing": True})
        removed = services.housekeeping.run()
        assert removed == {"pictures from bins": 1, "accounts": 1, "stored files without a record": 0}
        assert storage.user(leaving.user_id) is None
        assert len(set(storage.blob_ids())) == 4
        assert services.housekeeping.run() == dict.fromkeys(removed, 0)


def test_orphans_go_when_they_are_old(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        services, storage = server.app.extensions["glassine"].services, server.storage
        with storage.write_blob() as writer:
            writer.write(b"nobody's")
            writer.commit()
        later: dict[str, Any] = {"now": lambda: utc_now() + timedelta(days=1, minutes=1)}
        keeper = Housekeeping(storage, services.pictures)
        assert keeper.run()["stored files without a record"] == 0
        keeper = Housekeeping(storage, services.pictures, **later)
        assert keeper.run()["stored files without a record"] == 1
        assert set(storage.blob_ids()) == set()


def test_one_failure_stops_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tmp_path) as server:
        services = server.app.extensions["glassine"].services
        person, sent = server.person(), samples.sealed()
        person.call("POST", person.images, **sent.form())
        assert server.storage.change_user(person.user_id, {}, {"closing": True})

        def fail(_: str) -> None:
            raise StorageError("other", "not today")

        keeper = Housekeeping(server.storage, services.pictures)
        with caplog.at_level(logging.WARNING), monkeypatch.context() as broken:
            broken.setattr(server.storage, "remove_user", fail)
            assert keeper.run() == {"pictures from bins": 0, "stored files without a record": 0}
        assert "not today" in caplog.text
        assert services.housekeeping.run()["accounts"] == 1


def test_accounts_that_another_worker_finishes_do_not_stop_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with serving(tmp_path) as server:
        services, storage = server.app.extensions["glassine"].services, server.storage
        people = [server.person() for _ in range(3)]
        for person in people:
            assert storage.change_user(person.user_id, {}, {"closing": True})
        listed = storage.closing_users()
        assert storage.remove_user(people[0].user_id)
        with pytest.MonkeyPatch.context() as behind:
            behind.setattr(storage, "closing_users", lambda: listed)
            assert services.housekeeping.run()["accounts"] == 2
        assert storage.closing_users() == [] and caplog.text.count("Housekeeping failed") == 0


def test_what_is_taken_out_of_the_bin_while_it_is_emptied_stays(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        services, storage = server.app.extensions["glassine"].services, server.storage
        person, kept, gone = server.person(), samples.sealed(), samples.sealed()
        for sent in (kept, gone):
            person.call("POST", person.images, **sent.form())
            person.call("DELETE", f"{person.images}/{sent.stem}")
        remove = storage.remove_picture

        def late(picture_id: str, **more: Any) -> Any:
            binned = storage.binned(person.user_id, f"{kept.stem}.png")
            if binned is not None and binned.id == picture_id:  # at the last moment, by another worker
                assert storage.restore_picture(picture_id, binned.name)
            return remove(picture_id, **more)

        with pytest.MonkeyPatch.context() as racing:
            racing.setattr(storage, "remove_picture", late)
            services.pictures.bin.empty(person.user_id)
        answer = person.call("GET", f"{person.images}/{kept.stem}/content")
        assert (answer.status_code, answer.content) == (200, kept.image)
        assert storage.bin(person.user_id) == []


def test_a_request_sets_it_going(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.services.housekeeping.FIRST_AFTER_SECONDS", 0.0)
    with serving(tmp_path) as server:
        keeper = server.app.extensions["glassine"].services.housekeeping
        server.call("GET", "/server")
        assert keeper._thread is not None
        keeper.stop()
        assert not keeper._thread.is_alive()
