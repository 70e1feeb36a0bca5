"""The item model of the gallery. Must not import widgets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from desktop.models import Picture, PictureState, Scheme
from desktop.viewmodels.picture_list import PictureList, Section
from desktop.viewmodels.wording import day_text

Index = QModelIndex | QPersistentModelIndex

RUNS_AT_ONCE = 48
"""A batch that falls into more places than this is shown by one reset, which is quicker than so many insertions."""

WAITING = -1.0
"""Sending progress of a picture that is encrypted and waits for its turn."""


class Role(IntEnum):
    """Item data beyond Qt's own roles."""

    PICTURE = Qt.ItemDataRole.UserRole + 1
    SENDING = Qt.ItemDataRole.UserRole + 2
    """None, :data:`WAITING`, or how much of it is sent, 0 to 1."""


def local_today() -> date:
    """The present day where the person is."""
    return datetime.now().astimezone().date()


class PictureModel(QAbstractListModel):
    """Pictures newest first, with date sections, quick from one to 100,000 pictures.

    Signals:
        sections_changed(): rows came or went, so headings may be others.
    """

    sections_changed = Signal()

    def __init__(self, parent: QObject | None = None, *, today: Callable[[], date] = local_today) -> None:
        super().__init__(parent)
        self._list = PictureList()
        self._today = today
        self._sections: list[Section] | None = None
        self._sending: dict[str, float] = {}

    # -- reading ---------------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index | None = None) -> int:
        """Number of pictures."""
        return 0 if parent is not None and parent.isValid() else len(self._list)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name, spoken text, tool tip, and the roles of :class:`Role`."""
        row = index.row()
        if not 0 <= row < len(self._list):
            return None
        picture = self._list[row]
        match role:
            case Role.PICTURE:
                value: Any = picture
            case Role.SENDING:
                value = self._sending.get(picture.id)
            case Qt.ItemDataRole.DisplayRole:
                value = picture.name
            case Qt.ItemDataRole.ToolTipRole:
                value = picture.name if picture.state is PictureState.READY else picture.problem
            case Qt.ItemDataRole.AccessibleTextRole:
                value = self._spoken(picture)
            case _:
                value = None
        return value

    def picture(self, row: int) -> Picture:
        """The picture in a row."""
        return self._list[row]

    def pictures(self) -> PictureList:
        """An independent copy of what is shown, for work in other threads."""
        return self._list.copy()

    def row_of(self, picture_id: str) -> int:
        """The row of a picture, -1 if it is not shown."""
        return self._list.row_of(picture_id)

    def find(self, picture_id: str) -> Picture | None:
        """The shown picture of that id, or None."""
        return self._list.get(picture_id)

    def sending(self, picture_id: str) -> float | None:
        """None, :data:`WAITING`, or how much of it is sent."""
        return self._sending.get(picture_id)

    def sections(self) -> list[Section]:
        """The date sections of all rows, in order."""
        if self._sections is None:
            self._sections = self._list.sections(self._today())
        return self._sections

    # -- changing --------------------------------------------------------------------------------------------------

    def reset(self, pictures: PictureList) -> None:
        """Show these pictures instead. The list is the model's from now on."""
        self.beginResetModel()
        self._list = pictures
        self._sections = None
        self.endResetModel()
        self.sections_changed.emit()

    def clear(self) -> None:
        """Show nothing and remember nothing."""
        self._sending.clear()
        self.reset(PictureList())

    def insert(self, pictures: Iterable[Picture]) -> None:
        """Show more pictures, each in its place; ids that are already shown are left as they are."""
        runs = self._list.runs_for(pictures)
        if not runs:
            return
        if len(runs) > RUNS_AT_ONCE:
            merged = self._list.copy()
            for run in runs:
                merged.apply(run)
            self.reset(merged)
            return
        for run in runs:
            self.beginInsertRows(QModelIndex(), run.row, run.row + len(run.pictures) - 1)
            self._list.apply(run)
            self._sections = None
            self.endInsertRows()
        self.sections_changed.emit()

    def remove(self, picture_ids: Iterable[str]) -> None:
        """Show these pictures no longer."""
        rows = sorted({self._list.row_of(picture_id) for picture_id in picture_ids} - {-1}, reverse=True)
        for row in rows:
            self.beginRemoveRows(QModelIndex(), row, row)
            picture = self._list.remove_row(row)
            self._sending.pop(picture.id, None)
            self._sections = None
            self.endRemoveRows()
        if rows:
            self.sections_changed.emit()

    def replace(self, picture: Picture) -> None:
        """Take over a newer account of a picture that is shown; it moves if its date is another now."""
        if self._list.get(picture.id) is None:
            return
        row = self._list.replace(picture)
        if row >= 0:
            self._touch(row)
            return
        sending = self._sending.get(picture.id)
        self.remove([picture.id])
        self.insert([picture])
        self.set_sending(picture.id, sending)

    def set_sending(self, picture_id: str, progress: float | None) -> None:
        """Say how far a picture is on its way to where it is kept; None when it has arrived."""
        if progress is None:
            if self._sending.pop(picture_id, None) is None:
                return
        else:
            self._sending[picture_id] = progress
        row = self._list.row_of(picture_id)
        if row >= 0:
            self._touch(row)

    def touch(self, picture_ids: Iterable[str]) -> None:
        """Say that something drawn for these pictures (a thumbnail) is new."""
        for picture_id in picture_ids:
            row = self._list.row_of(picture_id)
            if row >= 0:
                self._touch(row)

    def _touch(self, row: int) -> None:
        index = self.index(row)
        self.dataChanged.emit(index, index)

    def _spoken(self, picture: Picture) -> str:
        parts = [picture.name, day_text(picture.when)]
        if picture.scheme is Scheme.CLASSIC:
            parts.append(self.tr("unprotected"))
        parts.append(self._spoken_state(picture))
        progress = self._sending.get(picture.id)
        if progress == WAITING:
            parts.append(self.tr("waiting to be sent"))
        elif progress is not None:
            parts.append(self.tr("being sent, %1 percent").replace("%1", str(round(progress * 100))))
        return ", ".join(part for part in parts if part)

    def _spoken_state(self, picture: Picture) -> str:
        """What the tile shows besides the picture."""
        words: list[str] = []
        match picture.state:
            case PictureState.UNREADABLE:
                words.append(self.tr("cannot be opened"))
            case PictureState.REFUSED:
                words.append(self.tr("not what you stored"))
            case PictureState.MISSING:
                words.append(self.tr("missing on the server"))
            case PictureState.UNDECODED:
                words.append(self.tr("closed until you accept"))
        if picture.owner_name:
            words.append(self.tr("from %1").replace("%1", picture.owner_name))
        if picture.shared_with:
            words.append(self.tr("shared with %n people", "", len(picture.shared_with)))
        if picture.unverified:
            words.append(self.tr("not all of them verified"))
        words += [self.tr("%1 cannot open it yet").replace("%1", name) for name in picture.waiting_for]
        if picture.conflict:
            words.append(self.tr("two versions"))
        if picture.deleted is not None:
            words.append(self.tr("in the bin"))
        return ", ".join(words)
