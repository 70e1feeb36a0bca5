"""The viewer's state: the picture looked at, its neighbours fetched ahead. Must not import widgets."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QImage

from desktop.errors import GlassineError, Missing
from desktop.image_facts import ImageFacts, facts_of
from desktop.models import IsCancelled, Picture, PictureState, Report
from desktop.viewmodels.batches import NotSentYet
from desktop.viewmodels.decoding import decode_picture, decode_preview

if TYPE_CHECKING:
    from desktop.tasks import Runner, Task
    from desktop.viewmodels.gallery import GalleryViewModel
    from desktop.viewmodels.vault_port import PicturesPort


class NotAccepted(GlassineError):
    """A picture of somebody who was not accepted yet: nothing of it is decoded."""

    code: ClassVar[str] = "P-104"
    title: ClassVar[str] = "Still closed"
    default_message: ClassVar[str] = "Accept what this person shares with you, or compare words first."


class ViewerState(StrEnum):
    """What the stage shows."""

    CLOSED = "closed"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


class NotShown(GlassineError):
    """A picture that is not what was stored is never shown."""

    code: ClassVar[str] = "V-110"
    title: ClassVar[str] = "Not what you stored"
    default_message: ClassVar[str] = "The server handed out something else than you stored. It is not shown."


@dataclass
class Opened:
    """A picture in memory.

    Attributes:
        data: Its file.
        image: Decoded for the size of the stage.
        full: Size of the picture itself, upright.
        facts: What its file says of the photograph.
        detail: Decoded with more pixels, while it is looked at closely.
    """

    data: bytearray
    image: QImage
    full: QSize
    facts: ImageFacts
    detail: QImage | None = None

    @property
    def sharpest(self) -> QImage:
        """The image with the most pixels."""
        return self.image if self.detail is None else self.detail


class ViewerViewModel(QObject):
    """Opens pictures one after another; the next and the previous are fetched while one is looked at.

    A picture is decoded at the size of the stage first, which is quick and small; more pixels are decoded only when
    somebody zooms in (:meth:`want_detail`).

    Signals:
        picture_changed(): another picture, or another position among the pictures.
        state_changed(ViewerState)
        preview_ready(QImage): the thumbnail, to be shown scaled up meanwhile.
        image_ready(QImage, QSize full): the picture; further ones of the same picture have more pixels.
        facts_known(ImageFacts or None): what the picture's file says; None when it cannot be opened.
        progressed(float): share that is fetched and opened.
        left(): the viewer is closed.
        batch_finished(BatchOutcome): copies were saved or pictures deleted, as the gallery says.
    """

    picture_changed = Signal()
    state_changed = Signal(object)
    preview_ready = Signal(object)
    image_ready = Signal(object, object)
    facts_known = Signal(object)
    progressed = Signal(float)
    left = Signal()
    batch_finished = Signal(object)

    KEPT: Final = 3
    KEPT_BYTES: Final = 256 * 1024 * 1024
    AHEAD_BYTES: Final = 64 * 1024 * 1024
    """Larger pictures are not fetched ahead."""

    def __init__(self, runner: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._vault: PicturesPort | None = None
        self._gallery: GalleryViewModel | None = None
        self.state = ViewerState.CLOSED
        self.picture: Picture | None = None
        self.error: GlassineError | None = None
        self._row = -1
        self._step = 1
        self._bounds = QSize(1600, 1000)
        self._kept: OrderedDict[str, Opened] = OrderedDict()
        self._numbers = itertools.count()
        self._opening: dict[str, tuple[int, Task]] = {}
        self._detail: tuple[int, Task] | None = None
        self._preview = 0

    # -- life ------------------------------------------------------------------------------------------------------

    def follow(self, gallery: GalleryViewModel) -> None:
        """Go through the pictures that this gallery shows, in its order; the first one is gone through by default."""
        if self._gallery is None:
            self._gallery = gallery
        gallery.model.sections_changed.connect(lambda: self._on_pictures_of(gallery))
        gallery.batch_finished.connect(lambda outcome: self._on_batch(gallery, outcome))

    def _on_pictures_of(self, gallery: GalleryViewModel) -> None:
        if gallery is self._gallery:
            self._on_pictures()

    def _on_batch(self, gallery: GalleryViewModel, outcome: object) -> None:
        if gallery is self._gallery:
            self.batch_finished.emit(outcome)

    def start(self, vault: PicturesPort) -> None:
        """Open pictures of this vault."""
        self.stop()
        self._vault = vault

    def stop(self) -> None:
        """Drop every picture, for locking and signing out."""
        self.close()
        self._vault = None

    def close(self) -> None:
        """Leave the viewer: nothing goes on and no decoded picture stays in memory."""
        if self.picture is not None and self._gallery is not None:
            self._gallery.left_at.emit(self.picture.id)
        self._cancel(set())
        for opened in self._kept.values():
            opened.data.clear()
        self._kept.clear()
        self.picture, self.error, self._row = None, None, -1
        if self.state is not ViewerState.CLOSED:
            self._set_state(ViewerState.CLOSED)
            self.left.emit()

    def set_bounds(self, size: QSize) -> None:
        """Say how many pixels the stage has; the next pictures are decoded for it."""
        self._bounds = QSize(size)

    # -- going through the pictures --------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """Number of pictures to go through."""
        return self._gallery.model.rowCount() if self._gallery is not None else 0

    @property
    def position(self) -> int:
        """Place of the picture among them, from 1; 0 when it is not among them."""
        return self._row + 1

    @property
    def has_next(self) -> bool:
        """Whether one comes after it."""
        return 0 <= self._row < self.count - 1

    @property
    def has_previous(self) -> bool:
        """Whether one comes before it."""
        return self._row > 0

    @property
    def gallery(self) -> GalleryViewModel | None:
        """Whose pictures are gone through."""
        return self._gallery

    @property
    def _source(self) -> PicturesPort | None:
        """Where the pictures that are gone through come from."""
        vault = self._gallery.vault if self._gallery is not None else None
        return vault if vault is not None else self._vault

    def open(self, picture_id: str, gallery: GalleryViewModel | None = None) -> None:
        """Look at a picture, of this gallery if one is given."""
        if gallery is not None:
            self._gallery = gallery
        if self._gallery is not None and (row := self._gallery.model.row_of(picture_id)) >= 0:
            self._go(row)

    def next(self) -> None:
        """Look at the one after."""
        if self.has_next:
            self._step = 1
            self._go(self._row + 1)

    def previous(self) -> None:
        """Look at the one before."""
        if self.has_previous:
            self._step = -1
            self._go(self._row - 1)

    def first(self) -> None:
        """Look at the first."""
        if self.count:
            self._step = 1
            self._go(0)

    def last(self) -> None:
        """Look at the last."""
        if self.count:
            self._step = -1
            self._go(self.count - 1)

    def show_again(self) -> None:
        """Give out the picture once more, after something else was on the stage."""
        if self.picture is not None and self._gallery is not None:
            self._go(self._row)

    def retry(self) -> None:
        """Try a picture again that could not be opened."""
        if self.state is ViewerState.FAILED and self._row >= 0:
            self._go(self._row)

    def _go(self, row: int) -> None:
        if self._vault is None or self._gallery is None:
            return
        picture = self._gallery.model.picture(row)
        for opened in self._kept.values():
            opened.detail = None
        self._row, self.picture, self.error = row, picture, None
        self._cancel({picture.id})
        self.picture_changed.emit()
        problem = self._problem(picture)
        if picture.state is not PictureState.REFUSED:
            self._fetch_preview(picture)
        if problem is not None:
            self._fail(problem)
            return
        kept = self._kept.get(picture.id)
        if kept is not None:
            self._kept.move_to_end(picture.id)
            self._show(kept)
        else:
            self._set_state(ViewerState.LOADING)
            self._open(picture)

    def _problem(self, picture: Picture) -> GlassineError | None:
        if picture.state is PictureState.REFUSED:
            return NotShown(picture.problem or None, details=picture.problem_code)
        if picture.state is PictureState.MISSING:
            return Missing(picture.problem or None)
        if picture.state is PictureState.UNDECODED:
            return NotAccepted()
        if self._gallery is not None and self._gallery.model.sending(picture.id) is not None:
            return NotSentYet()
        return None

    def _on_pictures(self) -> None:
        """Pictures came or went while one is looked at."""
        if self.picture is None or self._gallery is None:
            return
        row = self._gallery.model.row_of(self.picture.id)
        if row < 0 and self.count == 0:
            self.close()
        elif row < 0:  # deleted: the one that took its place
            self._go(min(max(self._row, 0), self.count - 1))
        elif row != self._row or self.state is ViewerState.READY:
            self._row = row
            self.picture_changed.emit()

    # -- fetching and decoding -------------------------------------------------------------------------------------

    def _open(self, picture: Picture) -> None:
        if picture.id in self._opening:
            return
        task = self._runner.submit(_open, self._source, picture.id, self._bounds, pool="view")
        number = next(self._numbers)
        picture_id = picture.id
        self._opening[picture_id] = number, task
        task.progressed.connect(lambda done, total: self._on_progress(picture_id, done, total))
        task.succeeded.connect(lambda opened: self._on_opened(picture_id, number, opened))
        task.failed.connect(lambda error: self._on_failed(picture_id, number, error))

    def _on_progress(self, picture_id: str, done: int, total: int) -> None:
        if self.picture is not None and picture_id == self.picture.id and total > 0:
            self.progressed.emit(done / total)

    def _on_opened(self, picture_id: str, number: int, opened: Opened) -> None:
        if self._opening.get(picture_id, (-1,))[0] != number:
            opened.data.clear()
            return
        del self._opening[picture_id]
        self._keep(picture_id, opened)
        if self.picture is not None and picture_id == self.picture.id:
            self._show(opened)
        else:
            self._fetch_ahead()

    def _on_failed(self, picture_id: str, number: int, error: GlassineError) -> None:
        if self._opening.get(picture_id, (-1,))[0] != number:
            return
        del self._opening[picture_id]
        if self.picture is not None and picture_id == self.picture.id:
            self._fail(error)

    def _show(self, opened: Opened) -> None:
        self._set_state(ViewerState.READY)
        self.image_ready.emit(opened.image, opened.full)
        self.facts_known.emit(opened.facts)
        self._fetch_ahead()

    def _fail(self, error: GlassineError) -> None:
        self.error = error
        self.facts_known.emit(None)
        self._set_state(ViewerState.FAILED)

    def _fetch_ahead(self) -> None:
        if self._gallery is None or self.state is not ViewerState.READY:
            return
        for row in (self._row + self._step, self._row - self._step):
            if not 0 <= row < self.count or len(self._opening) > 0:
                continue
            picture = self._gallery.model.picture(row)
            known = picture.id in self._kept
            if not known and picture.size <= self.AHEAD_BYTES and self._problem(picture) is None:
                self._open(picture)

    def _fetch_preview(self, picture: Picture) -> None:
        self._preview += 1
        number = self._preview
        task = self._runner.submit(_preview, self._source, picture.id, pool="view")
        task.succeeded.connect(lambda image: self._on_preview(number, image))

    def _on_preview(self, number: int, image: QImage | None) -> None:
        if number == self._preview and image is not None and self.state is ViewerState.LOADING:
            self.preview_ready.emit(image)

    def _keep(self, picture_id: str, opened: Opened) -> None:
        self._kept[picture_id] = opened
        current = self.picture.id if self.picture is not None else ""
        while len(self._kept) > self.KEPT or (
            len(self._kept) > 1
            and sum(len(kept.data) + kept.image.sizeInBytes() for kept in self._kept.values()) > self.KEPT_BYTES
        ):
            oldest = next((kept for kept in self._kept if kept not in (current, picture_id)), None)
            if oldest is None:
                break
            self._kept.pop(oldest).data.clear()

    # -- more pixels -----------------------------------------------------------------------------------------------

    def want_detail(self, scale: float) -> None:
        """Decode enough pixels to be sharp at this scale, 1.0 being one pixel of the picture to one of the screen."""
        if self.picture is None or self._detail is not None:
            return
        opened = self._kept.get(self.picture.id)
        if opened is None or not opened.full.width():
            return
        have = opened.sharpest.width() / opened.full.width()
        if have >= min(1.0, scale) * 0.99:
            return
        divisor = 1
        while 1 / (divisor * 2) >= scale:
            divisor *= 2
        bounds = QSize(-(-opened.full.width() // divisor), -(-opened.full.height() // divisor))
        if opened.sharpest.width() >= bounds.width():
            return
        picture_id = self.picture.id
        task = self._runner.submit(_decode, opened.data, bounds, pool="view")
        number = next(self._numbers)
        self._detail = number, task
        task.succeeded.connect(lambda image: self._on_detail(picture_id, image))
        task.finished.connect(lambda: self._on_detail_over(number))

    def _on_detail(self, picture_id: str, image: QImage) -> None:
        opened = self._kept.get(picture_id)
        if opened is None or image.width() <= opened.sharpest.width():
            return
        opened.detail = image
        if self.picture is not None and picture_id == self.picture.id and self.state is ViewerState.READY:
            self.image_ready.emit(image, opened.full)

    def _on_detail_over(self, number: int) -> None:
        if self._detail is not None and self._detail[0] == number:
            self._detail = None

    # -- small helpers ---------------------------------------------------------------------------------------------

    def _cancel(self, but: set[str]) -> None:
        for picture_id in [picture_id for picture_id in self._opening if picture_id not in but]:
            self._opening.pop(picture_id)[1].cancel()
        if self._detail is not None:
            self._detail[1].cancel()
            self._detail = None
        self._preview += 1

    def _set_state(self, state: ViewerState) -> None:
        if state is not self.state or state is ViewerState.FAILED:
            self.state = state
            self.state_changed.emit(state)


def _open(vault: PicturesPort, picture_id: str, bounds: QSize, report: Report, cancelled: IsCancelled) -> Opened:
    opened = vault.open(picture_id, report, cancelled)
    image, full = decode_picture(opened.data, bounds, cancelled)
    return Opened(opened.data, image, full, facts_of(opened.data))


def _decode(data: bytearray, bounds: QSize, report: Report, cancelled: IsCancelled) -> QImage:
    return decode_picture(data, bounds, cancelled)[0]


def _preview(vault: PicturesPort, picture_id: str, report: Report, cancelled: IsCancelled) -> QImage | None:
    jpeg = vault.thumbnails([picture_id]).get(picture_id)
    return decode_preview(jpeg) if jpeg else None
