"""What a picture's file tells, before and after its metadata is taken out. Must not import widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.models import IsCancelled, Picture, Report

if TYPE_CHECKING:
    from desktop.errors import GlassineError
    from desktop.tasks import Runner, Task
    from desktop.viewmodels.vault_port import PicturesPort


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that the file tells: ``name`` and ``value``; ``kept`` in the copy too."""

    name: str
    value: str
    kept: bool


@dataclass(frozen=True, slots=True)
class BeforeAndAfter:
    """A picture's file and its copy.

    Attributes:
        picture: Which one.
        told: What the file tells, its name first.
        size: Bytes of the file.
        new_name: Name of the copy.
        new_size: Bytes of the copy.
        encoded_anew: The pixels are the same but had to be written as another format.
    """

    picture: Picture
    told: tuple[Told, ...]
    size: int
    new_name: str
    new_size: int
    encoded_anew: bool


class StripViewModel(QObject):
    """Looks into one picture after another.

    Signals:
        looked(BeforeAndAfter)
        failed(Picture, GlassineError): it cannot be copied without its metadata, or not be opened.
    """

    looked = Signal(object)
    failed = Signal(object, object)

    def __init__(self, runner: Runner, vault: PicturesPort, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner, self._vault = runner, vault
        self._task: Task | None = None

    def look(self, picture: Picture) -> None:
        """Open a picture and take its metadata out, in memory only."""
        self.cancel()
        task = self._task = self._runner.submit(_look, self._vault, picture, pool="view")

        def succeeded(result: BeforeAndAfter) -> None:
            if task is self._task:
                self.looked.emit(result)

        def failed(error: GlassineError) -> None:
            if task is self._task:
                self.failed.emit(picture, error)

        task.succeeded.connect(succeeded)
        task.failed.connect(failed)

    def cancel(self) -> None:
        """Give up what is under way."""
        if self._task is not None:
            self._task.cancel()
            self._task = None


def _look(vault: PicturesPort, picture: Picture, report: Report, cancelled: IsCancelled) -> BeforeAndAfter:
    from desktop.client.strip import details, strip

    data = bytes(vault.open(picture.id, report, cancelled).data)
    told = tuple(Told(tag.name, tag.value, not tag.removed) for tag in details(data))
    copy = strip(data)
    return BeforeAndAfter(picture, told, len(data), copy.name, len(copy.data), copy.encoded_anew)
