"""Which pictures are shown: words of names and dates, and a filter. Must not import widgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.errors import Cancelled
from desktop.models import IsCancelled, Picture, Report
from desktop.viewmodels.picture_list import PictureList
from desktop.viewmodels.wording import search_text

if TYPE_CHECKING:
    from desktop.tasks import Runner, Task

Keep = Callable[[Picture], bool]
"""Whether a picture is to be shown."""

_Days = dict[date, frozenset[str]]


def _anything(picture: Picture) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Sought:
    """What is to be shown.

    Attributes:
        query: Words that name and date must contain; empty for all.
        filter: Name of a filter; empty without one.
        keep: What the filter keeps.
    """

    query: str = ""
    filter: str = ""
    keep: Keep = _anything

    @property
    def narrows(self) -> bool:
        """Whether not all pictures are meant."""
        return bool(self.query or self.filter)

    def shows(self, picture: Picture) -> bool:
        """Whether this picture is among what is sought."""
        return self.keep(picture) and _matches(picture, self.query.split(), {})


class PictureSearch(QObject):
    """Looks through all pictures off the GUI thread, one search at a time.

    Attributes:
        sought: What is looked for.

    Signals:
        found(PictureList): the pictures that are sought now.
    """

    found = Signal(object)

    def __init__(self, runner: Runner, pictures: Callable[[], PictureList], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner, self._pictures = runner, pictures
        self.sought = Sought()
        self._task: Task | None = None
        self._again = False

    def start(self) -> None:
        """Look; a search that is under way is given up and done again."""
        if self._task is not None:
            self._task.cancel()
            self._again = True
            return
        task = self._task = self._runner.submit(_find, self._pictures().copy(), self.sought, pool="view")
        task.succeeded.connect(self._on_found)
        task.finished.connect(self._on_over)

    def stop(self) -> None:
        """Look for nothing any more."""
        if self._task is not None:
            self._task.cancel()
        self._task, self._again = None, False
        self.sought = Sought()

    def _on_found(self, result: tuple[Sought, PictureList]) -> None:
        sought, pictures = result
        if self.sender() is self._task and sought is self.sought and not self._again:
            self.found.emit(pictures)

    def _on_over(self) -> None:
        if self.sender() is not self._task:
            return
        self._task = None
        if self._again:
            self._again = False
            if self.sought.narrows:
                self.start()


def _find(pictures: PictureList, sought: Sought, report: Report, cancelled: IsCancelled) -> tuple[Sought, PictureList]:
    words = sought.query.split()
    days: _Days = {}
    found: list[Picture] = []
    for number, picture in enumerate(pictures):
        if number % 512 == 0 and cancelled():
            raise Cancelled
        if sought.keep(picture) and _matches(picture, words, days):
            found.append(picture)
    return sought, PictureList(found)


def _matches(picture: Picture, words: Sequence[str], days: _Days) -> bool:
    name = picture.name.casefold()
    rest = [word for word in words if word not in name]
    if not rest:
        return True
    day = picture.when.date()
    if day not in days:
        days[day] = frozenset(search_text(day).split())
    return all(_in_date(word, days[day]) for word in rest)


def _in_date(word: str, day: frozenset[str]) -> bool:
    """Whether a word is one of the date's, or the beginning of one; a bare number must be the whole number."""
    return word in day or (not word.isdigit() and any(part.startswith(word) for part in day))
