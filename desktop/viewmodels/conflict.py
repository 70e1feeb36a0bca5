"""Two versions of one picture, side by side, and replacing pictures. Must not import widgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QImage

from desktop.errors import ConflictKept, GlassineError
from desktop.models import IsCancelled, Picture, Report
from desktop.viewmodels.decoding import decode_picture

if TYPE_CHECKING:
    from datetime import datetime

    from desktop.tasks import Runner, Task
    from desktop.viewmodels.circle_port import Choice, Circle
    from desktop.viewmodels.vault_port import PicturesPort

BOUNDS = QSize(1200, 900)


@dataclass(frozen=True, slots=True)
class Version:
    """One side of a conflict.

    Attributes:
        image: None when it could not be opened.
        size: Bytes of the file.
        when: When it was sealed or stored.
        problem: Why there is no image.
    """

    image: QImage | None
    size: int
    when: datetime | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Versions:
    """Both sides."""

    picture: Picture
    mine: Version
    theirs: Version


class VersionsViewModel(QObject):
    """Replaces pictures, and settles what two people replaced at once.

    Signals:
        loaded(Versions): both versions of the picture that was asked for.
        settled(str picture_id, str choice, str new_id): a choice is carried out.
        replaced(str picture_id): a new version is stored.
        conflict_kept(str picture_id): somebody was faster; both versions are kept.
        failed(GlassineError)
        busy_changed(bool)
        progressed(int done, int total)
    """

    loaded = Signal(object)
    settled = Signal(str, str, str)
    replaced = Signal(str)
    conflict_kept = Signal(str)
    failed = Signal(object)
    busy_changed = Signal(bool)
    progressed = Signal(object, object)

    def __init__(self, runner: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._task: Task | None = None
        self._next: Callable[[], None] | None = None

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self._task is not None

    def load(self, circle: Circle, vault: PicturesPort, picture: Picture) -> None:
        """Open both versions, after what is under way."""
        if self.busy:
            self._next = partial(self.load, circle, vault, picture)
            return
        self._start(_load, (circle, vault, picture), self.loaded.emit)

    def resolve(self, circle: Circle, picture_id: str, choice: Choice) -> None:
        """Carry out what the person chose."""
        self._start(
            _resolve, (circle, picture_id, choice), lambda new_id: self.settled.emit(picture_id, choice, new_id)
        )

    def replace(self, circle: Circle, picture_id: str, source: Path) -> None:
        """Store a file as the next version of a picture."""

        def failed(error: GlassineError) -> None:
            if isinstance(error, ConflictKept):
                self.conflict_kept.emit(picture_id)
            else:
                self.failed.emit(error)

        self._start(_replace, (circle, picture_id, source), lambda _: self.replaced.emit(picture_id), failed)

    def stop(self) -> None:
        """Give up, for locking and signing out."""
        self._next = None
        if self._task is not None:
            self._task.cancel()
            self._task = None
            self.busy_changed.emit(False)

    def start(self, vault: PicturesPort) -> None:
        """Belong to a vault."""
        self.stop()

    def cancel(self) -> None:
        """Give up what is under way; a version that is sealed stays kept."""
        self._next = None
        if self._task is not None:
            self._task.cancel()

    def _start(
        self,
        work: Callable[..., Any],
        arguments: tuple[Any, ...],
        then: Callable[[Any], None],
        otherwise: Callable[[GlassineError], None] | None = None,
    ) -> None:
        if self._task is not None:
            return
        task = self._task = self._runner.submit(work, *arguments, pool="network")
        fail = otherwise or self.failed.emit
        box: list[Callable[[], None]] = []
        task.progressed.connect(self.progressed)
        task.succeeded.connect(lambda result: box.append(lambda: then(result)))
        task.failed.connect(lambda error: box.append(lambda: fail(error)))

        def finished() -> None:
            if task is not self._task:
                return
            self._task = None
            self.busy_changed.emit(False)
            for step in box:
                step()
            following, self._next = self._next, None
            if following is not None:
                following()

        task.finished.connect(finished)
        self.busy_changed.emit(True)


def _load(circle: Circle, vault: PicturesPort, picture: Picture, report: Report, cancelled: IsCancelled) -> Versions:
    kept = next((version for version in circle.revising.kept() if version.picture_id == picture.id), None)
    mine = _version(
        lambda: circle.revising.open_kept(picture.id, report, cancelled), kept.sealed if kept else None, cancelled
    )
    theirs = _version(lambda: vault.open(picture.id, report, cancelled).data, picture.added, cancelled)
    return Versions(picture, mine, theirs)


def _version(opened: Callable[[], bytearray], when: datetime | None, cancelled: IsCancelled) -> Version:
    try:
        data = opened()
        image, _ = decode_picture(data, BOUNDS, cancelled)
    except GlassineError as error:
        return Version(None, 0, when, f"{error.title} ({error.code})")
    return Version(image, len(data), when)


def _resolve(circle: Circle, picture_id: str, choice: Choice, report: Report, cancelled: IsCancelled) -> str:
    return circle.revising.resolve(picture_id, choice, report, cancelled)


def _replace(circle: Circle, picture_id: str, source: Path, report: Report, cancelled: IsCancelled) -> str:
    return circle.revising.replace(picture_id, source, report, cancelled)
