"""The stored file's own pixels in the viewer: small in the panel, large on the stage."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from desktop.models import Picture, Scheme
from desktop.viewmodels.stored import StoredViewModel
from desktop.viewmodels.viewer import ViewerViewModel
from desktop.widgets.details_panel import DetailsPanel
from desktop.widgets.stage import Stage


class StoredOnStage(QObject):
    """Fetches what is stored of the picture that is looked at, and puts it where it is wanted.

    Attributes:
        large: Whether it lies on the stage instead of the picture.

    Signals:
        about_to_show(): it takes the place of whatever is on the stage.
        given_back(): the stage is the picture's again, which is to be given out once more.
    """

    about_to_show = Signal()
    given_back = Signal()

    def __init__(
        self, viewer: ViewerViewModel, stored: StoredViewModel | None, stage: Stage, panel: DetailsPanel
    ) -> None:
        super().__init__(stage)
        self._viewer, self._stored, self._stage, self._panel = viewer, stored, stage, panel
        self.large = False
        panel.large_wanted.connect(self.toggle)
        if stored is not None:
            stored.ready.connect(self._on_ready)
            stored.told.connect(panel.show_stored_facts)
            stored.failed.connect(panel.show_stored_error)

    @property
    def _picture(self) -> Picture | None:
        return self._viewer.picture if self._stored is not None else None

    def toggle(self) -> None:
        """Put the stored pixels on the stage, or the picture again."""
        picture = self._picture
        if picture is None or self._stored is None:
            return
        if self.large:
            self.forget()
            self.given_back.emit()
        else:
            self._stored.want(picture, large=True)

    def want_small(self) -> None:
        """Fetch what the panel draws, if it is open."""
        picture = self._picture
        if self._stored is not None and picture is not None and self._panel.isVisible():
            self._stored.want(picture)

    def forget(self) -> None:
        """Another picture is looked at, or the same one again."""
        self.large = False
        self._panel.set_large(False)

    def cancel(self) -> None:
        """Nothing is looked at any more."""
        self.forget()
        if self._stored is not None:
            self._stored.cancel()

    def _on_ready(self, picture_id: str, image: QImage, large: bool) -> None:
        picture = self._picture
        if picture is None or picture.id != picture_id:
            return
        classic = picture.scheme is Scheme.CLASSIC
        if not large:
            self._panel.show_stored(picture_id, image, whole=classic)
            return
        # enlarged here, pixel by pixel, and shown at 100 %: smoothing would turn noise to grey
        shown = image if classic else image.scaled(image.size() * 2)
        self.large = True
        self._panel.set_large(True)
        self.about_to_show.emit()
        self._stage.clear(shown.size())
        self._stage.show_image(shown, shown.size())
        if not classic:
            self._stage.zoom_to(1.0)
