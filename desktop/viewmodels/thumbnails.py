"""The thumbnails of the gallery: what is seen is fetched and decoded first. Must not import widgets."""

from __future__ import annotations

import itertools
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from desktop.errors import Cancelled, GlassineError
from desktop.models import IsCancelled, PlaceKind, Report
from desktop.viewmodels.decoding import decode_tile

if TYPE_CHECKING:
    from desktop.tasks import Runner, Task
    from desktop.viewmodels.vault_port import PicturesPort

Decoded = list[tuple[str, QImage | None]]

_Order = tuple[list[str], dict[str, bytes], int]


class Thumbnails(QObject):
    """Keeps the square images that tiles show.

    The view says what it shows and what comes next; each call replaces the queue, so what left the screen before its
    turn is never decoded (last in, first out). During a fling nothing is begun until it pauses. Two batches are at work
    at a time. The least recently drawn images go when there are more than ``CAPACITY`` or they take more than
    ``BUDGET`` bytes.

    Signals:
        loaded(list[str] picture_ids): these have an image now, or are known to have none.
        slow(): a server has had a batch for long and has not answered.
        failed(GlassineError): a batch could not be fetched; it is tried again after a while.
        answered(): what was slow or had failed is there now.
    """

    loaded = Signal(list)
    slow = Signal()
    failed = Signal(object)
    answered = Signal()

    WORKERS: Final = 2
    BATCH: Final = 8
    QUEUE: Final = 120
    CAPACITY: Final = 1000
    BUDGET: Final = 128 * 1024 * 1024
    DEBOUNCE_MS: Final = 60
    LONGEST_WAIT_S: Final = 0.24
    LOOK_BACK_S: Final = 0.1
    RETRY_MS: Final = 5000
    SLOW_MS: Final = 4000

    def __init__(self, runner: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._vault: PicturesPort | None = None
        self._images: OrderedDict[str, QImage] = OrderedDict()
        self._bytes = 0
        self._without: set[str] = set()
        self._seeds: dict[str, bytes] = {}
        self._queue: list[str] = []
        self._numbers = itertools.count()
        self._tasks: dict[int, tuple[Task, list[str]]] = {}
        self._asked: tuple[Sequence[str], Sequence[str]] = ((), ())
        self._side = 0
        self._asked_at = 0.0
        self._seen: tuple[float, frozenset[str]] = (0.0, frozenset())
        self._flung = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._pump)
        self._retry = QTimer(self)
        self._retry.setSingleShot(True)
        self._retry.setInterval(self.RETRY_MS)
        self._retry.timeout.connect(self.retry_now)
        self._stalled: set[str] = set()

    def start(self, vault: PicturesPort) -> None:
        """Fetch from this vault from now on."""
        self.stop()
        self._vault = vault

    def stop(self) -> None:
        """Drop every decoded image and stop fetching."""
        self._vault = None
        self._timer.stop()
        self._retry.stop()
        for task, _ in self._tasks.values():
            task.cancel()
        self._tasks.clear()
        self._queue.clear()
        self._images.clear()
        self._without.clear()
        self._seeds.clear()
        self._stalled.clear()
        self._bytes = 0

    # -- what the view asks ----------------------------------------------------------------------------------------

    def image(self, picture_id: str) -> QImage | None:
        """The image to draw, perhaps of another side than asked for last; None if there is none yet."""
        image = self._images.get(picture_id)
        if image is not None:
            self._images.move_to_end(picture_id)
        return image

    def is_missing(self, picture_id: str) -> bool:
        """Whether it is known that there is no thumbnail for this picture."""
        return picture_id in self._without

    def want(self, visible: Sequence[str], ahead: Sequence[str], side: int) -> None:
        """Say what is on the screen, in reading order, and what will be next; ``side`` in physical pixels."""
        self._asked, self._side = (visible, ahead), side
        self._queue = [picture_id for picture_id in (*visible, *ahead) if self._needs(picture_id)][: self.QUEUE]
        self._notice_fling(visible)
        if not self._queue:
            self._timer.stop()
            return
        if not self._flung:
            self._timer.start(0)
            return
        now = time.monotonic()
        if not self._timer.isActive():
            self._asked_at = now
        if now - self._asked_at < self.LONGEST_WAIT_S:
            self._timer.start(self.DEBOUNCE_MS)

    def retry_now(self) -> None:
        """Ask again for what is on the screen, or else for what had failed, to learn whether it can be had."""
        self._retry.stop()
        self.want(*self._asked, self._side)
        if not self._queue and self._stalled and not self._tasks:
            self._queue = list(self._stalled)
            self._timer.start(0)

    def _notice_fling(self, visible: Sequence[str]) -> None:
        """Scrolling is a fling when most of what was seen a tenth of a second ago is gone."""
        now = time.monotonic()
        then, seen = self._seen
        if now - then >= self.LOOK_BACK_S:
            still = sum(picture_id in seen for picture_id in visible)
            self._flung = now - then < 5 * self.LOOK_BACK_S and 2 * still < len(visible)
            self._seen = now, frozenset(visible)

    def seed(self, picture_id: str, jpeg: bytes) -> None:
        """Take the thumbnail of a picture that is not stored yet."""
        self._seeds[picture_id] = jpeg
        self._without.discard(picture_id)

    def forget(self, picture_ids: Iterable[str]) -> None:
        """Drop what is known of these pictures."""
        for picture_id in picture_ids:
            self._seeds.pop(picture_id, None)
            self._without.discard(picture_id)
            self._drop(picture_id)
            self._stalled.discard(picture_id)

    # -- fetching --------------------------------------------------------------------------------------------------

    def _needs(self, picture_id: str) -> bool:
        image = self._images.get(picture_id)
        return (image is None or image.width() != self._side) and picture_id not in self._without

    def _pump(self) -> None:
        if self._vault is None:
            return
        under_way = {picture_id for _, batch in self._tasks.values() for picture_id in batch}
        waiting = [picture_id for picture_id in self._queue if picture_id not in under_way]
        while waiting and len(self._tasks) < self.WORKERS:
            batch, waiting = waiting[: self.BATCH], waiting[self.BATCH :]
            seeds = {picture_id: self._seeds[picture_id] for picture_id in batch if picture_id in self._seeds}
            task = self._runner.submit(_fetch, self._vault, (batch, seeds, self._side), pool="view")
            number = next(self._numbers)
            self._tasks[number] = task, batch
            task.progressed.connect(lambda done, total, number=number: self._on_progress(number, done))
            task.succeeded.connect(lambda decoded, number=number: self._take(number, decoded))
            task.failed.connect(lambda error, number=number: self._on_failed(number, error))
            task.finished.connect(lambda number=number: self._on_finished(number))
        self._queue = waiting

    def _on_progress(self, number: int, done: int) -> None:
        if not done:  # its turn in the pool has come
            QTimer.singleShot(self.SLOW_MS, self, lambda: self._on_slow(number))

    def _on_slow(self, number: int) -> None:
        if self._vault is not None and number in self._tasks and self._vault.place.kind is PlaceKind.SERVER:
            self._stalled.update(self._tasks[number][1])
            self.slow.emit()

    def _take(self, number: int, decoded: Decoded) -> None:
        if number not in self._tasks:  # of before a stop
            return
        for picture_id, image in decoded:
            if image is None:
                self._without.add(picture_id)
                continue
            self._drop(picture_id)
            self._images[picture_id] = image
            self._bytes += image.sizeInBytes()
        while len(self._images) > self.CAPACITY or self._bytes > self.BUDGET:
            self._drop(next(iter(self._images)))
        taken = [picture_id for picture_id, _ in decoded]
        self.loaded.emit(taken)
        if self._stalled:  # all of them: some may be at hand without the server
            self._stalled.difference_update(taken)
            if not self._stalled:
                self.answered.emit()

    def _on_failed(self, number: int, error: GlassineError) -> None:
        if number not in self._tasks:
            return
        self._queue.clear()
        self._stalled.update(self._tasks[number][1])
        self._retry.start()
        self.failed.emit(error)

    def _on_finished(self, number: int) -> None:
        if self._tasks.pop(number, None) and self._queue and not (self._flung and self._timer.isActive()):
            self._pump()
        elif self._stalled and not self._tasks and not self._retry.isActive():
            self._retry.start()

    def _drop(self, picture_id: str) -> None:
        image = self._images.pop(picture_id, None)
        if image is not None:
            self._bytes -= image.sizeInBytes()


def _fetch(vault: PicturesPort, order: _Order, report: Report, cancelled: IsCancelled) -> Decoded:
    picture_ids, seeds, side = order
    report(0, len(picture_ids))
    wanted = [picture_id for picture_id in picture_ids if picture_id not in seeds]
    jpegs = {**(vault.thumbnails(wanted) if wanted else {}), **seeds}
    decoded: Decoded = []
    for done, picture_id in enumerate(picture_ids):
        if cancelled():
            raise Cancelled
        jpeg = jpegs.get(picture_id)
        try:
            decoded.append((picture_id, decode_tile(jpeg, side) if jpeg else None))
        except GlassineError:
            decoded.append((picture_id, None))
        report(done + 1, len(picture_ids))
    return decoded
