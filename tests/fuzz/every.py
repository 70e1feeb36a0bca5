"""All parsers of untrusted bytes, with their seeds: the inner ones of ``desktop.crypto`` and the outer ones."""

from __future__ import annotations

from typing import Final

from tests.fuzz import outer_parsers, parsers
from tests.fuzz.found import found

NAMED: Final = outer_parsers.NAMED
PARSERS: Final[dict[str, parsers.Parser]] = parsers.PARSERS | outer_parsers.PARSERS


def seeds() -> dict[str, bytes]:
    """A good input of each parser."""
    return parsers.seeds() | outer_parsers.seeds()


def good(name: str) -> list[bytes]:
    """Good inputs of a parser."""
    return [seeds()[name], *outer_parsers.more_seeds().get(name, ())]


def all_seeds(name: str) -> list[bytes]:
    """Everything to start a parser from: good inputs, and what once found something."""
    return good(name) + list(found(name).values())
