"""What transfers do in worker threads. Plain functions of ``report`` and ``cancelled``; must not import widgets."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from desktop.errors import FileUnreadable, GlassineError, NotFound
from desktop.models import IsCancelled, Picture, Report
from desktop.viewmodels.decoding import decode_tile

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from desktop.client.preflight import Preflight
    from desktop.viewmodels.vault_port import VaultPort

THUMBNAIL: Final = 80
"""Side in pixels of the image in a row: 40, sharp at 200 %."""


class SourceGone(FileUnreadable):
    """The file is not where it was when it was added."""

    title: ClassVar[str] = "The file is gone"

    def __init__(self, source: Path, *, details: str = "") -> None:
        super().__init__(f"{source.name} is no longer in {source.parent}.", details=details)
        self.folder = source.parent


StagedImage = tuple[Any, "QImage | None"]
Left = tuple[list[StagedImage], list[tuple[Path, int]]]


def resume(vault: VaultPort, report: Report, cancelled: IsCancelled) -> Left:
    """What an earlier run left: staged pictures, and files with their sizes."""
    staged = [(item, _small(item.thumbnail)) for item in vault.staged()]
    sources: list[tuple[Path, int]] = []
    for path in vault.load_queue():
        try:
            sources.append((path, path.stat().st_size))
        except OSError:
            sources.append((path, 0))  # sealing says what is wrong with it
    return staged, sources


def look_over(vault: VaultPort, paths: list[Path], report: Report, cancelled: IsCancelled) -> Preflight:
    """Find out what files and folders hold."""
    return vault.inspect_sources(paths, report, cancelled)


def seal(vault: VaultPort, source: Path, report: Report, cancelled: IsCancelled) -> StagedImage:
    """Encrypt a file, and make the image for its row."""
    try:
        staged = vault.seal(source, report, cancelled)
    except FileUnreadable as error:
        if os.path.lexists(source):
            raise
        raise SourceGone(source, details=error.details) from error
    return staged, _small(staged.thumbnail)


def upload(vault: VaultPort, staged: Any, report: Report, cancelled: IsCancelled) -> Picture:
    """Send a staged picture."""
    return vault.upload(staged, report, cancelled)


def take_back(vault: VaultPort, picture_id: str, report: Report, cancelled: IsCancelled) -> None:
    """Delete a picture that should not have been stored."""
    with suppress(NotFound):
        vault.delete(picture_id)


def measure(files: list[tuple[int, Path]], report: Report, cancelled: IsCancelled) -> list[tuple[int, int]]:
    """The sizes of files, by their numbers; those that are not there are left out."""
    sizes: list[tuple[int, int]] = []
    for number, path in files:
        with suppress(OSError):
            sizes.append((number, path.stat().st_size))
    return sizes


def discard(vault: VaultPort, staged: Any, report: Report, cancelled: IsCancelled) -> None:
    """Throw a staged picture away."""
    vault.discard(staged)


def _small(jpeg: bytes) -> QImage | None:
    try:
        return decode_tile(jpeg, THUMBNAIL)
    except GlassineError:
        return None
