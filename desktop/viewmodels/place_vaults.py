"""The bin, and what others share, as vaults that a gallery and the viewer can show. Must not import PySide6."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.models import IsCancelled, Picture, Place, Report, Trust

if TYPE_CHECKING:
    from desktop.viewmodels.circle_port import SharedPort
    from desktop.viewmodels.vault_port import PictureData, PicturesPort


class _Place:
    """What the two have in common."""

    def __init__(self, vault: PicturesPort) -> None:
        self._vault = vault

    @property
    def place(self) -> Place:
        """Where the pictures are kept."""
        return self._vault.place

    @property
    def bin_days(self) -> int:
        """How long the bin keeps pictures."""
        return self._vault.bin_days

    def trust(self) -> Trust:
        """Nothing: that is said of the vault itself."""
        return Trust()

    def list_bin(self, report: Report, cancelled: IsCancelled) -> list[Picture]:
        """What is in the bin."""
        return self._vault.list_bin(report, cancelled)

    def restore(self, picture_id: str) -> Picture:
        """Take a picture out of the bin."""
        return self._vault.restore(picture_id)

    def purge(self, picture_ids: Sequence[str], report: Report, cancelled: IsCancelled) -> list[str]:
        """Delete pictures of the bin for good."""
        return self._vault.purge(picture_ids, report, cancelled)

    def empty_bin(self, report: Report, cancelled: IsCancelled) -> list[str]:
        """Delete everything in the bin for good."""
        return self._vault.empty_bin(report, cancelled)


class BinVault(_Place):
    """The bin of a vault."""

    def list_pictures(
        self, report: Report, cancelled: IsCancelled, on_page: Callable[[list[Picture]], None]
    ) -> list[Picture]:
        """What is in the bin, at once: it is seldom much."""
        return self._vault.list_bin(report, cancelled)

    def thumbnails(self, picture_ids: Sequence[str]) -> dict[str, bytes]:
        """As the vault has them."""
        return self._vault.thumbnails(picture_ids)

    def open(self, picture_id: str, report: Report, cancelled: IsCancelled) -> PictureData:
        """A picture in the bin is restored before it is opened."""
        return self._vault.open(picture_id, report, cancelled)

    def export(self, picture_id: str, folder: Path, report: Report, cancelled: IsCancelled) -> Path:
        """A picture in the bin is restored before it is saved."""
        return self._vault.export(picture_id, folder, report, cancelled)

    def delete(self, picture_id: str) -> None:
        """It is in the bin already."""


class SharedVault(_Place):
    """What others share with the account."""

    def __init__(self, vault: PicturesPort, shared: SharedPort) -> None:
        super().__init__(vault)
        self._shared = shared

    @property
    def bin_days(self) -> int:
        """Pictures of others go into nobody's bin: they are given back."""
        return 0

    def list_pictures(
        self, report: Report, cancelled: IsCancelled, on_page: Callable[[list[Picture]], None]
    ) -> list[Picture]:
        """What is shared."""
        return self._shared.list(report, cancelled)

    def thumbnails(self, picture_ids: Sequence[str]) -> dict[str, bytes]:
        """Of pictures that may be decoded."""
        return self._shared.thumbnails(picture_ids)

    def open(self, picture_id: str, report: Report, cancelled: IsCancelled) -> PictureData:
        """Fetch, decrypt and verify a picture."""
        return self._shared.open(picture_id, report, cancelled)

    def export(self, picture_id: str, folder: Path, report: Report, cancelled: IsCancelled) -> Path:
        """Write a picture to a folder."""
        return self._shared.export(picture_id, folder, report, cancelled)

    def delete(self, picture_id: str) -> None:
        """Give a picture back."""
        self._shared.give_back(picture_id)
