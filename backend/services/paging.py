"""Walking through long lists a page at a time. Must not import Flask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

PAGE = 500
"""Records fetched at once when all of something is walked."""


class _Numbered(Protocol):
    @property
    def id(self) -> str: ...


_T = TypeVar("_T", bound=_Numbered)


def walk(page: Callable[[str], Sequence[_T]]) -> Iterator[_T]:
    """Yield everything of a list of which ``page`` returns the :data:`PAGE` records after an id."""
    after = ""
    while True:
        found = page(after)
        yield from found
        if len(found) < PAGE:
            return
        after = found[-1].id
