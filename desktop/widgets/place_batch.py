"""The strip below the header of a page of pictures while copies are saved or pictures moved."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.viewmodels.gallery import GalleryState, GalleryViewModel
from desktop.widgets.selection_bar import BatchBar
from desktop.widgets.theme import Space, Theme


class BatchStrip(QWidget):
    """Follows the batches of a gallery; hidden while there is none.

    Attributes:
        bar: Progress and a way to stop.

    Signals:
        busy_changed(bool): one began or ended; there is only one at a time.
    """

    busy_changed = Signal(bool)

    def __init__(self, theme: Theme, gallery: GalleryViewModel) -> None:
        super().__init__()
        self._gallery = gallery
        self.bar = BatchBar(theme)
        self.bar.cancelled.connect(self._stop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.LARGE, Space.MEDIUM, Space.LARGE, 0)
        layout.addWidget(self.bar)
        self.hide()
        gallery.batch_started.connect(self._begin)
        gallery.batch_progressed.connect(self.bar.progress)
        gallery.batch_finished.connect(lambda outcome: self._end())
        gallery.state_changed.connect(self._on_state)

    def _begin(self, kind: str, count: int) -> None:
        self.show()
        self.bar.begin(kind, count)
        self.busy_changed.emit(True)

    def _stop(self) -> None:
        self.bar.stop.setEnabled(False)
        self._gallery.cancel_batch()

    def _on_state(self, state: GalleryState) -> None:
        if state is GalleryState.STOPPED:
            self._end()

    def _end(self) -> None:
        self.bar.hide()
        self.hide()
        self.busy_changed.emit(False)
