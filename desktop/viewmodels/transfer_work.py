"""What transfers do in worker threads. Plain functions of ``report`` and ``cancelled``; must not import widgets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from desktop.errors import GlassineError
from desktop.models import IsCancelled, Picture, Report
from desktop.viewmodels.decoding import decode_tile

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from desktop.client.preflight import Preflight
    from desktop.viewmodels.vault_port import VaultPort

THUMBNAIL: Final = 80
"""Side in pixels of the image in a row: 40, sharp at 200 %."""

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
    staged = vault.seal(source, report, cancelled)
    return staged, _small(staged.thumbnail)


def upload(vault: VaultPort, staged: Any, report: Report, cancelled: IsCancelled) -> Picture:
    """Send a staged picture."""
    return vault.upload(staged, report, cancelled)


def discard(vault: VaultPort, staged: Any, report: Report, cancelled: IsCancelled) -> None:
    """Throw a staged picture away."""
    vault.discard(staged)


def _small(jpeg: bytes) -> QImage | None:
    try:
        return decode_tile(jpeg, THUMBNAIL)
    except GlassineError:
        return None
