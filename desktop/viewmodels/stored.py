"""The stored file's own pixels, for the panel that says what the server sees. Must not import widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QImage

from desktop.image_facts import ImageFacts, facts_of
from desktop.models import IsCancelled, Picture, Report, Scheme
from desktop.viewmodels.decoding import decode_picture

if TYPE_CHECKING:
    from desktop.client.stored_pixels import StoredPixels
    from desktop.errors import GlassineError
    from desktop.tasks import Runner, Task

SMALL = QSize(166, 100)
LARGE = QSize(640, 400)
WHOLE = QSize(1200, 900)


class StoredPort(Protocol):
    """Fetches what is stored."""

    def stored_pixels(
        self, picture: Picture, columns: int, rows: int, report: Report, cancelled: IsCancelled
    ) -> StoredPixels:
        """The first pixels of a sealed picture's file."""
        ...

    def stored_file(self, picture: Picture, report: Report, cancelled: IsCancelled) -> bytearray:
        """The whole file of a classic picture."""
        ...


class StoredViewModel(QObject):
    """Fetches the stored pixels of the picture that is looked at.

    Signals:
        ready(str picture_id, QImage, bool large): of a sealed picture its first pixels, never scaled; of a classic one
            all of it, scaled, because its outlines show through and the person should see that.
        told(str picture_id, ImageFacts): what the stored file of a classic picture says in the clear.
        failed(str picture_id, GlassineError)
    """

    ready = Signal(str, object, bool)
    told = Signal(str, object)
    failed = Signal(str, object)

    def __init__(self, runner: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._port: StoredPort | None = None
        self._task: Task | None = None
        self._wanted: tuple[str, bool] = ("", False)

    def start(self, port: StoredPort) -> None:
        """Fetch from a vault from now on."""
        self.stop()
        self._port = port

    def stop(self) -> None:
        """Fetch nothing any more."""
        self.cancel()
        self._port = None

    def cancel(self) -> None:
        """Give up what is under way."""
        self._wanted = ("", False)
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def want(self, picture: Picture, *, large: bool = False) -> None:
        """Fetch the pixels of a picture; what was asked for before is given up."""
        self.cancel()
        if self._port is None:
            return
        self._wanted = picture.id, large
        size = LARGE if large else SMALL
        task = self._task = self._runner.submit(_fetch, self._port, picture, size, pool="view")
        wanted = self._wanted

        def succeeded(fetched: tuple[QImage, ImageFacts | None]) -> None:
            image, facts = fetched
            if wanted == self._wanted and task is self._task:
                self.ready.emit(picture.id, image, large)
                if facts is not None:
                    self.told.emit(picture.id, facts)

        def failed(error: GlassineError) -> None:
            if wanted == self._wanted and task is self._task:
                self.failed.emit(picture.id, error)

        task.succeeded.connect(succeeded)
        task.failed.connect(failed)


def _fetch(
    port: StoredPort, picture: Picture, size: QSize, report: Report, cancelled: IsCancelled
) -> tuple[QImage, ImageFacts | None]:
    if picture.scheme is Scheme.CLASSIC:
        data = port.stored_file(picture, report, cancelled)
        return decode_picture(data, WHOLE, cancelled)[0], facts_of(data)
    stored = port.stored_pixels(picture, size.width(), size.height(), report, cancelled)
    image = QImage(stored.pixels, stored.width, stored.height, 3 * stored.width, QImage.Format.Format_RGB888)
    # a copy: QImage only looks at the bytes it is given
    return image.convertToFormat(QImage.Format.Format_RGB32), None
