"""The threads in which things die: what belongs to Qt may do so only in the GUI thread."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from desktop import collector
from desktop.tasks import TaskRunner


class Knot(QObject):
    """A QObject with a running timer, in a cycle with itself."""

    def __init__(self) -> None:
        super().__init__()
        self.itself = self
        self.timer = QTimer(self, interval=1)
        self.timer.start()


def watched(died_in: list[int]) -> Knot:
    knot = Knot()
    weakref.finalize(knot, lambda: died_in.append(threading.get_ident()))
    return knot


def make_garbage(report: Callable[..., None], cancelled: Callable[[], bool]) -> None:
    """Allocate so much that the collector, left alone, would run several times."""
    kept = []
    for _ in range(200_000):
        cycle: list[Any] = []
        cycle.append(cycle)
        kept.append(cycle)


def test_cycles_are_collected_in_the_gui_thread_only(qapp: QApplication, qtbot: Any) -> None:
    died_in: list[int] = []
    runner = TaskRunner()
    watched(died_in)
    task = runner.submit(make_garbage)
    with qtbot.waitSignal(task.finished, timeout=30_000):
        pass
    qtbot.waitUntil(lambda: bool(died_in), timeout=30_000)
    assert died_in == [threading.get_ident()]
    assert runner.close()


def test_what_was_left_out_with_the_pictures_dies_when_they_are_dropped(qapp: QApplication) -> None:
    died_in: list[int] = []
    collector.hold()
    try:
        watched(died_in)
        with collector.many_lasting_objects():
            pass
        gc.collect()
        assert not died_in
        collector.let_go()
        collector.collect_due()
        assert died_in
    finally:
        collector.release()


def test_the_collector_is_its_own_again_when_the_last_runner_is_closed(qapp: QApplication) -> None:
    before = gc.isenabled()
    first, second = TaskRunner(), TaskRunner()
    assert not gc.isenabled()
    assert first.close()
    assert first.close()
    assert not gc.isenabled()
    assert second.close()
    assert gc.isenabled() == before


def test_what_a_task_is_connected_to_dies_in_the_gui_thread(qapp: QApplication, qtbot: Any) -> None:
    died_in: list[int] = []
    runner = TaskRunner()
    for _ in range(300):
        target = watched(died_in)
        target.itself = None  # type: ignore[assignment]
        runner.submit(lambda report, cancelled: None).succeeded.connect(lambda _, target=target: None)
        del target
    qtbot.waitUntil(lambda: not runner.busy, timeout=30_000)
    qtbot.waitUntil(lambda: len(died_in) == 300, timeout=30_000)
    assert set(died_in) == {threading.get_ident()}
    assert runner.close()
