"""What the gallery's view-models need of a vault (``desktop.client.vault.Vault`` has it). Must not import PySide6.

All calls block and are made in worker threads only. Errors are those of ``desktop.errors``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from desktop.models import IsCancelled, Picture, Place, Report, Trust

if TYPE_CHECKING:
    from desktop.client.preflight import Preflight


class StagedPicture(Protocol):
    """A picture that is encrypted and waits on the disk to be sent."""

    @property
    def picture(self) -> Picture:
        """The picture as it will be."""
        ...

    @property
    def thumbnail(self) -> bytes:
        """Its thumbnail, JPEG."""
        ...


class PictureData(Protocol):
    """A picture with its content, verified."""

    @property
    def picture(self) -> Picture:
        """The picture as it is now."""
        ...

    @property
    def data(self) -> bytearray:
        """The file, byte for byte."""
        ...


class PicturesPort(Protocol):
    """Pictures of a vault, or of a place in it such as its bin: list, look at, take out and delete them."""

    @property
    def place(self) -> Place:
        """Where the pictures are kept."""
        ...

    def list_pictures(
        self, report: Report, cancelled: IsCancelled, on_page: Callable[[list[Picture]], None]
    ) -> list[Picture]:
        """All pictures; ``on_page`` gets them as they arrive, those that are missing last."""
        ...

    def trust(self) -> Trust:
        """What the last complete listing found; cheap, for the window's thread too."""
        ...

    @property
    def bin_days(self) -> int:
        """How many days the bin keeps pictures, as known since the last listing; 0 without a bin. Cheap."""
        ...

    def list_bin(self, report: Report, cancelled: IsCancelled) -> list[Picture]:
        """What is in the bin, ``deleted`` set; ``thumbnails`` gives theirs too."""
        ...

    def restore(self, picture_id: str) -> Picture:
        """Take a picture out of the bin."""
        ...

    def purge(self, picture_ids: Sequence[str], report: Report, cancelled: IsCancelled) -> list[str]:
        """Delete pictures of the bin for good, or stop missing lost ones; returns those it is done for."""
        ...

    def empty_bin(self, report: Report, cancelled: IsCancelled) -> list[str]:
        """Delete everything in the bin for good."""
        ...

    def thumbnails(self, picture_ids: Sequence[str]) -> dict[str, bytes]:
        """JPEG thumbnails of up to 100 pictures; those without one are left out."""
        ...

    def open(self, picture_id: str, report: Report, cancelled: IsCancelled) -> PictureData:
        """Fetch, decrypt and verify a picture."""
        ...

    def export(self, picture_id: str, folder: Path, report: Report, cancelled: IsCancelled) -> Path:
        """Write a picture to a folder under its real name, never over another file."""
        ...

    def delete(self, picture_id: str) -> None:
        """Move a picture to the bin."""
        ...


class VaultPort(PicturesPort, Protocol):
    """A vault, to which pictures can be added as well."""

    def seal(self, source: Path, report: Report, cancelled: IsCancelled) -> Any:
        """Encrypt a file and stage the ciphertext; returns a :class:`StagedPicture`."""
        ...

    def upload(self, staged: Any, report: Report, cancelled: IsCancelled) -> Picture:
        """Send a staged picture."""
        ...

    def staged(self) -> Sequence[Any]:
        """What earlier runs left staged."""
        ...

    def discard(self, staged: Any) -> None:
        """Throw a staged picture away."""
        ...

    def inspect_sources(self, paths: Sequence[Path], report: Report, cancelled: IsCancelled) -> Preflight:
        """Look files and folders over before they are added."""
        ...

    def save_queue(self, paths: Sequence[Path]) -> None:
        """Keep the list of files still to be encrypted, encrypted itself."""
        ...

    def load_queue(self) -> Sequence[Path]:
        """The kept list."""
        ...
