"""Work on many pictures at once: saving copies, the bin, deleting. One failure never stops the rest. Qt-free."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from desktop.errors import Cancelled, GlassineError, NotFound, NotSignedIn, StorageFull, StorageReadOnly
from desktop.models import IsCancelled, Picture, Place, Report

if TYPE_CHECKING:
    from desktop.viewmodels.vault_port import PicturesPort

_HOPELESS = (StorageFull, StorageReadOnly, NotSignedIn)
"""After one of these every further picture would fail the same way."""


class NotSentYet(GlassineError):
    """The picture is only here, encrypted, and waits to be sent."""

    code: ClassVar[str] = "F-130"
    title: ClassVar[str] = "Not sent yet"
    default_message: ClassVar[str] = "This picture is still waiting to be sent. Try again once it has been."
    retryable: ClassVar[bool] = True


@dataclass
class BatchOutcome:
    """How a batch ended.

    Attributes:
        kind: ``export``, ``delete`` (for good), ``bin`` (moved there), ``restore`` (from there) or ``purge``
            (deleted for good from there).
        total: How many pictures it was for.
        done: Pictures it is done for; restored ones as they are now.
        paths: Where the copies are, in the order of ``done``.
        failures: Pictures it failed for, each with its reason.
        left: Pictures that were not tried.
        cancelled: Whether the person stopped it.
        stopped_by: The error that made going on pointless, if any.
        folder: Where copies were saved to.
    """

    kind: str
    total: int = 0
    done: list[Picture] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    failures: list[tuple[Picture, GlassineError]] = field(default_factory=list)
    left: list[Picture] = field(default_factory=list)
    cancelled: bool = False
    stopped_by: GlassineError | None = None
    folder: Path | None = None

    @property
    def complete(self) -> bool:
        """Whether every picture was done."""
        return not (self.failures or self.left or self.cancelled or self.stopped_by)

    @property
    def renamed(self) -> int:
        """How many copies are called "name (2)" or the like, because the name was taken."""
        pairs = zip(self.done, self.paths, strict=False)
        return sum(
            path.stem != Path(picture.name).stem and _NUMBERED.search(path.stem) is not None for picture, path in pairs
        )


_NUMBERED = re.compile(r" \(\d+\)$")


@dataclass(frozen=True)
class Interrupted:
    """A batch that locking stopped: figures and places, nothing of the pictures.

    Attributes:
        kind: As :class:`BatchOutcome` has it.
        place: Where the pictures are kept; nobody else is told.
        total: How many pictures it was for.
        done: How many of them it is done for.
        folder: Where copies were saved to.
    """

    kind: str
    place: Place
    total: int
    done: int
    folder: Path | None


@dataclass(frozen=True)
class ExportOrder:
    """What to save: ``pictures`` into ``folder``; those named in ``unsent`` exist nowhere but here, encrypted."""

    pictures: Sequence[Picture]
    unsent: Collection[str]
    folder: Path


def export_pictures(vault: PicturesPort, order: ExportOrder, report: Report, cancelled: IsCancelled) -> BatchOutcome:
    """Save copies in a folder."""
    outcome = BatchOutcome("export", folder=order.folder)

    def one(picture: Picture, report: Report, cancelled: IsCancelled) -> None:
        if picture.id in order.unsent:
            raise NotSentYet
        outcome.paths.append(vault.export(picture.id, order.folder, report, cancelled))

    return _each(outcome, order.pictures, one, report, cancelled)


def delete_pictures(
    vault: PicturesPort, pictures: Sequence[Picture], kind: str, report: Report, cancelled: IsCancelled
) -> BatchOutcome:
    """Move pictures to the bin, or delete them where there is none. One that is gone already counts as deleted."""

    def one(picture: Picture, report: Report, cancelled: IsCancelled) -> None:
        try:
            vault.delete(picture.id)
        except NotFound:
            return

    return _each(BatchOutcome(kind), pictures, one, report, cancelled)


def restore_pictures(
    vault: PicturesPort, pictures: Sequence[Picture], report: Report, cancelled: IsCancelled
) -> BatchOutcome:
    """Take pictures out of the bin."""
    restored: list[Picture] = []

    def one(picture: Picture, report: Report, cancelled: IsCancelled) -> None:
        restored.append(vault.restore(picture.id))

    outcome = _each(BatchOutcome("restore"), pictures, one, report, cancelled)
    outcome.done = restored
    return outcome


class NoLongerInBin(NotFound):
    """A file's picture was in the bin when the file was looked over, and is not when it is to be taken out."""

    title: ClassVar[str] = "No longer in the bin"
    default_message: ClassVar[str] = "The picture has left the bin meanwhile. If it is not in your list, add it again."


def restore_found(
    vault: PicturesPort, picture_ids: Sequence[str], report: Report, cancelled: IsCancelled
) -> BatchOutcome:
    """Take pictures out of the bin whose files were added again. The bin is listed for it: nobody may have yet.

    Raises:
        GlassineError: The bin cannot be listed.
    """
    binned = {picture.id: picture for picture in vault.list_bin(lambda done, total: None, cancelled)}
    there = [binned[picture_id] for picture_id in picture_ids if picture_id in binned]
    outcome = restore_pictures(vault, there, report, cancelled)
    outcome.total = len(picture_ids)
    if len(there) < len(picture_ids) and outcome.stopped_by is None and not outcome.cancelled:
        outcome.stopped_by = NoLongerInBin()
    return outcome


def purge_pictures(
    vault: PicturesPort, pictures: Sequence[Picture], report: Report, cancelled: IsCancelled
) -> BatchOutcome:
    """Delete pictures for good that are in the bin, or that are missing."""

    def one(picture: Picture, report: Report, cancelled: IsCancelled) -> None:
        if not vault.purge([picture.id], report, cancelled):
            raise NotFound

    return _each(BatchOutcome("purge"), pictures, one, report, cancelled)


def _each(
    outcome: BatchOutcome,
    pictures: Sequence[Picture],
    one: Callable[[Picture, Report, IsCancelled], None],
    report: Report,
    cancelled: IsCancelled,
) -> BatchOutcome:
    """Do it for each picture; progress is in thousandths of a picture, so that a large one is seen to move."""
    total = outcome.total = len(pictures)

    for number, picture in enumerate(pictures):

        def within(part: int, whole: int, number: int = number) -> None:
            report(number * 1000 + (part * 1000 // whole if whole else 0), total * 1000)

        within(0, 1)
        try:
            if cancelled():
                raise Cancelled
            one(picture, within, cancelled)
        except Cancelled:
            outcome.cancelled = True
            outcome.left = list(pictures[number:])
            return outcome
        except _HOPELESS as error:
            outcome.stopped_by = error
            outcome.left = list(pictures[number:])
            return outcome
        except GlassineError as error:
            outcome.failures.append((picture, error))
        else:
            outcome.done.append(picture)
    report(total * 1000, total * 1000)
    return outcome
