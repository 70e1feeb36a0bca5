"""Fetching the list of pictures of a vault, page by page. Must not import widgets."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.collector import many_lasting_objects
from desktop.errors import Cancelled, GlassineError
from desktop.models import IsCancelled, Picture, Report
from desktop.viewmodels.picture_list import PictureList

if TYPE_CHECKING:
    from desktop.tasks import Runner, Task
    from desktop.viewmodels.vault_port import PicturesPort


class PictureListing(QObject):
    """One listing at a time, off the GUI thread.

    Pictures that come and go meanwhile (``note_there``, ``note_gone``) are not in what a server has begun to list, so
    they are worked into what arrives.

    Signals:
        arrived(PictureList): what is known so far; the first page at once, then each time there is twice as much.
        completed(PictureList): all of it.
        failed(GlassineError)
    """

    arrived = Signal(object)
    completed = Signal(object)
    failed = Signal(object)
    _page_arrived = Signal(int, object)

    def __init__(self, runner: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._task: Task | None = None
        self._number = 0
        self._late: dict[str, Picture] = {}
        self._gone: set[str] = set()
        self._page_arrived.connect(self._on_page)

    @property
    def running(self) -> bool:
        """Whether one is under way."""
        return self._task is not None

    def start(self, vault: PicturesPort) -> None:
        """List everything."""
        self._late.clear()
        self._gone.clear()
        self._number += 1
        hand_over = partial(self._page_arrived.emit, self._number)
        task = self._task = self._runner.submit(_list, vault, hand_over, pool="view")
        task.succeeded.connect(self._on_completed)
        task.failed.connect(self._on_failed)

    def stop(self) -> None:
        """Give up what is under way; nothing of it arrives any more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._late.clear()
        self._gone.clear()

    def note_there(self, picture: Picture) -> None:
        """A picture is there, whatever the listing under way says."""
        if self.running:
            self._late[picture.id] = picture
            self._gone.discard(picture.id)

    def note_gone(self, picture_id: str) -> None:
        """A picture is not there any more, whatever the listing under way says."""
        if self.running:
            self._late.pop(picture_id, None)
            self._gone.add(picture_id)

    def _on_page(self, number: int, pictures: PictureList) -> None:
        if number == self._number and self._task is not None:
            self.arrived.emit(self._with_changes(pictures))

    def _on_completed(self, pictures: PictureList) -> None:
        if self.sender() is self._task:
            self._task = None
            self.completed.emit(self._with_changes(pictures))

    def _with_changes(self, pictures: PictureList) -> PictureList:
        for picture_id in self._gone:
            pictures.discard(picture_id)
        pictures.add(self._late.values())
        return pictures

    def _on_failed(self, error: GlassineError) -> None:
        if self.sender() is self._task:
            self._task = None
            self.failed.emit(error)


def _list(
    vault: PicturesPort, hand_over: Callable[[PictureList], object], report: Report, cancelled: IsCancelled
) -> PictureList:
    so_far: list[Picture] = []
    handed_over = 0

    def on_page(page: list[Picture]) -> None:
        nonlocal handed_over
        if cancelled():
            raise Cancelled
        so_far.extend(page)
        if len(so_far) >= max(1, 2 * handed_over):
            handed_over = len(so_far)
            hand_over(PictureList(so_far))

    with many_lasting_objects():
        return PictureList(vault.list_pictures(report, cancelled, on_page))
