"""Pictures in the order of the gallery, newest first, and their date sections. Must not import PySide6."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from desktop.models import Picture

DAYS_BY_DAY = 60
"""Pictures of this many last days get a section a day; older ones a section a month."""

Key = tuple[int, str]

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - Picture.when is naive local time
_MICROSECOND = timedelta(microseconds=1)


def sort_key(picture: Picture) -> Key:
    """Order newest first; pictures of the same moment by id, so that the order is the same every time."""
    return -((picture.when - _EPOCH) // _MICROSECOND), picture.id


@dataclass(frozen=True, slots=True)
class Section:
    """A run of pictures under one date heading.

    Attributes:
        start: Row of its first picture.
        count: Number of pictures, at least 1.
        first_day: The day itself, or the first day of the month.
        whole_month: Whether it stands for a month.
    """

    start: int
    count: int
    first_day: date
    whole_month: bool


@dataclass(frozen=True, slots=True)
class Run:
    """Pictures that go in one after another: ``row`` is where the first one ends up."""

    row: int
    pictures: list[Picture]


class PictureList:
    """A sorted list of pictures with look-up by id.

    Every operation on one picture costs a bisect and a move of pointers, so it is as quick at 100,000 as at 100.
    """

    def __init__(self, pictures: Iterable[Picture] = ()) -> None:
        self._by_id = {picture.id: picture for picture in pictures}
        self._keys = _sorted_in_steps([sort_key(picture) for picture in self._by_id.values()])
        self._pictures = [self._by_id[picture_id] for _, picture_id in self._keys]

    def __len__(self) -> int:
        return len(self._pictures)

    def __iter__(self) -> Iterator[Picture]:
        return iter(self._pictures)

    def __getitem__(self, row: int) -> Picture:
        return self._pictures[row]

    def __contains__(self, picture_id: str) -> bool:
        return picture_id in self._by_id

    def copy(self) -> PictureList:
        """An independent list of the same pictures, without sorting again."""
        twin = PictureList()
        twin._by_id, twin._pictures, twin._keys = dict(self._by_id), list(self._pictures), list(self._keys)
        return twin

    def get(self, picture_id: str) -> Picture | None:
        """The picture of that id, or None."""
        return self._by_id.get(picture_id)

    def row_of(self, picture_id: str) -> int:
        """The row of a picture, -1 if it is not here."""
        picture = self._by_id.get(picture_id)
        return -1 if picture is None else bisect_left(self._keys, sort_key(picture))

    def runs_for(self, pictures: Iterable[Picture]) -> list[Run]:
        """Where new pictures would go, as few contiguous runs in the order they must be applied.

        Pictures whose id is already here are left out. Rows are those at the time each run is applied.
        """
        fresh: dict[str, Picture] = {}
        for picture in pictures:
            if picture.id not in self._by_id:
                fresh.setdefault(picture.id, picture)
        runs: list[Run] = []
        last_gap = -1
        for added, picture in enumerate(sorted(fresh.values(), key=sort_key)):
            gap = bisect_left(self._keys, sort_key(picture))
            if gap == last_gap:
                runs[-1].pictures.append(picture)
            else:
                runs.append(Run(gap + added, [picture]))
            last_gap = gap
        return runs

    def apply(self, run: Run) -> None:
        """Put one run in its place."""
        self._pictures[run.row : run.row] = run.pictures
        self._keys[run.row : run.row] = [sort_key(picture) for picture in run.pictures]
        self._by_id.update((picture.id, picture) for picture in run.pictures)

    def add(self, pictures: Iterable[Picture]) -> None:
        """Put pictures in their places; ids that are already here are left as they are."""
        for run in self.runs_for(pictures):
            self.apply(run)

    def remove_row(self, row: int) -> Picture:
        """Take one picture out."""
        picture = self._pictures.pop(row)
        del self._keys[row]
        del self._by_id[picture.id]
        return picture

    def discard(self, picture_id: str) -> None:
        """Take a picture out if it is here."""
        row = self.row_of(picture_id)
        if row >= 0:
            self.remove_row(row)

    def replace(self, picture: Picture) -> int:
        """Put a newer account of a picture in place of the old one if the order stays the same.

        Returns:
            Its row, or -1 when it is not here or belongs elsewhere now.
        """
        row = self.row_of(picture.id)
        if row < 0 or self._keys[row] != sort_key(picture):
            return -1
        self._pictures[row] = picture
        self._by_id[picture.id] = picture
        return row

    def sections(self, today: date) -> list[Section]:
        """The date sections, found by one bisect a section."""
        by_day_from = today - timedelta(days=DAYS_BY_DAY - 1)
        sections: list[Section] = []
        row = 0
        while row < len(self._pictures):
            day = self._pictures[row].when.date()
            whole_month = day < by_day_from
            first = day.replace(day=1) if whole_month else day
            key = -((datetime(first.year, first.month, first.day) - _EPOCH) // _MICROSECOND)  # noqa: DTZ001
            end = bisect_left(self._keys, (key + 1, ""), lo=row + 1)
            sections.append(Section(row, end - row, first, whole_month))
            row = end
        return sections


_STEP = 4096


def _sorted_in_steps(keys: list[Key]) -> list[Key]:
    """Sort in many short steps: one sort of 100,000 keys in a worker would hold the interpreter for 60 ms."""
    runs = [sorted(keys[start : start + _STEP]) for start in range(0, len(keys), _STEP)]
    while len(runs) > 1:
        # sorting two sorted runs is one merge
        runs = [sorted(runs[at] + runs[at + 1]) if at + 1 < len(runs) else runs[at] for at in range(0, len(runs), 2)]
    return runs[0] if runs else []
