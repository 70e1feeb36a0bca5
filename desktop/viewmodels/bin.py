"""The bin's gallery: what is in it, restoring, deleting for good. Must not import widgets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal

from desktop.models import Picture
from desktop.viewmodels.gallery import GalleryState, GalleryViewModel
from desktop.viewmodels.place_vaults import BinVault

if TYPE_CHECKING:
    from desktop.viewmodels.batches import BatchOutcome
    from desktop.viewmodels.vault_port import PicturesPort


class BinViewModel(GalleryViewModel):
    """What was moved to the bin, the latest first. It is listed after the gallery, which somebody waits for.

    Signals:
        restored(list[Picture]): these are back where they were.
    """

    restored = Signal(list)

    def start(self, vault: PicturesPort) -> None:
        """Belong to a vault; the bin is listed when the gallery is."""
        self.stop()
        self._vault = BinVault(vault)
        self.thumbnails.start(self._vault)

    def follow_gallery(self, gallery: GalleryViewModel) -> None:
        """List the bin after the gallery, and again when something was moved there; give back what is restored."""
        gallery.state_changed.connect(self._on_gallery_state)
        gallery.batch_finished.connect(self._on_gallery_batch)
        self.restored.connect(gallery.take_back)

    def _on_gallery_state(self, state: GalleryState) -> None:
        if state is GalleryState.READY:
            self.reload()

    def _on_gallery_batch(self, outcome: BatchOutcome) -> None:
        if outcome.kind in ("bin", "restore", "purge"):
            QTimer.singleShot(0, self, self.reload)

    def _on_restored(self, pictures: Sequence[Picture]) -> None:
        self.remove([picture.id for picture in pictures])
        self.restored.emit(list(pictures))
