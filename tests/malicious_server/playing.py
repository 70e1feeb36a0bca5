"""What an attack is, how it is played, and what must hold at its end, whatever it was.

An attack is a function that is given a :class:`Scene`. It sets things up honestly, lets the server act, lets people use
their programs as they would, and says through the scene what they were told. ``ATTACKS`` is the one list of them: the
tests, the printed table and ``docs/THREATS.md`` are all made of it.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from desktop.errors import GlassineError
from desktop.models import Picture, PictureState
from tests.malicious_server.people import Running, Stage, stage

if TYPE_CHECKING:
    from tests.malicious_server.people import Person


class Held(AssertionError):
    """Something did not hold: the attack was successful, or not told properly."""


def must(condition: object, otherwise: str) -> None:
    """Raise Held unless the condition is true; not an ``assert``, which can be switched off."""
    if not condition:
        raise Held(otherwise)


@dataclass
class Scene:
    """A play while it goes on: people, the server, and what was said."""

    stage: Stage
    said: list[GlassineError] = field(default_factory=list)
    _frozen: list[tuple[Person, str]] = field(default_factory=list)

    # -- who is there -------------------------------------------------------------------------------------------------

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        """People and server of the stage."""
        if name in {"alice", "bob", "carol", "evil", "services", "running", "other_computer_of"}:
            return getattr(self.stage, name)
        raise AttributeError(name)

    # -- what must hold -----------------------------------------------------------------------------------------------

    def refused(self, error: type[GlassineError], call: Callable[[], object]) -> GlassineError:
        """The call must end in exactly this error."""
        try:
            result = call()
        except GlassineError as raised:
            must(type(raised) is error, f"{type(raised).__name__} ({raised.message}) instead of {error.__name__}")
            must(raised.title and raised.message and raised.code, f"{error.__name__} says nothing")
            self.said.append(raised)
            return raised
        raise Held(f"no error, but {str(result)[:200]}")

    def refused_by_any(self, call: Callable[[], object]) -> None:
        """The call must end in some named error."""
        try:
            result = call()
        except GlassineError:
            return
        raise Held(f"no error, but {str(result)[:200]}")

    def nothing_shown(
        self, person: Person, picture_id: str, error: type[GlassineError], *, listed: dict[str, Picture] | None = None
    ) -> Picture:
        """A picture of one's own must be refused everywhere: its tile, its thumbnail, opening and exporting it."""
        pictures = person.listed() if listed is None else listed
        return self._nothing_shown(pictures, person.vault, person, picture_id, error)

    def nothing_shown_of_others(
        self, person: Person, picture_id: str, error: type[GlassineError], *, listed: dict[str, Picture] | None = None
    ) -> Picture:
        """A picture that is shared must be refused everywhere."""
        pictures = person.listed_shared() if listed is None else listed
        return self._nothing_shown(pictures, person.shared, person, picture_id, error)

    def _nothing_shown(  # type: ignore[no-untyped-def]
        self, pictures: dict[str, Picture], source, person: Person, picture_id: str, error: type[GlassineError]
    ) -> Picture:
        must(picture_id in pictures, "the picture is not listed at all")
        picture = pictures[picture_id]
        must(picture.state is not PictureState.READY, "the picture is shown as if nothing were wrong")
        must(picture.problem_code == error.code, f"the tile says {picture.problem_code} ({picture.problem})")
        must(picture.problem.startswith(error.title), f"the tile says {picture.problem!r}")
        person.forget_thumbnails()
        must(not source.thumbnails([picture_id]), "a thumbnail is shown")
        self.refused(error, lambda: source.open(picture_id))
        self.not_written(person, lambda: self.refused(error, lambda: source.export(picture_id, self.target(person))))
        return picture

    def shown(self, person: Person, picture_id: str) -> None:
        """A picture of one's own must be there as before: the attack reached nothing."""
        pictures = person.listed()
        must(picture_id in pictures, "the picture is not listed")
        picture = pictures[picture_id]
        must(picture.state is PictureState.READY, f"the picture is not shown: {picture.problem}")
        must(len(person.vault.open(picture_id).data) == picture.size, "another picture is opened")

    def does_not_open(self, person: Person, picture_id: str, error: type[GlassineError]) -> None:
        """What is listed properly must not be opened or exported."""
        self.refused(error, lambda: person.vault.open(picture_id))
        export = lambda: person.vault.export(picture_id, self.target(person))  # noqa: E731
        self.not_written(person, lambda: self.refused(error, export))

    def shared_does_not_open(self, person: Person, picture_id: str, error: type[GlassineError]) -> None:
        """The same for a picture of somebody else."""
        self.refused(error, lambda: person.shared.open(picture_id))
        export = lambda: person.shared.export(picture_id, self.target(person))  # noqa: E731
        self.not_written(person, lambda: self.refused(error, export))

    def freeze(self, person: Person) -> None:
        """From now on nothing must change in what a person's computer remembers."""
        self._frozen.append((person, person.remembered()))

    @staticmethod
    def target(person: Person) -> Path:
        """Where a person exports to."""
        folder = person.outside / "export"
        folder.mkdir(exist_ok=True)
        return folder

    def not_written(self, person: Person, call: Callable[[], object]) -> None:
        """No file must appear where a person exports to, not even for a moment's remains."""
        call()
        left = sorted(path.name for path in self.target(person).rglob("*"))
        must(not left, f"something was written: {left}")

    def end(self) -> None:
        """What was frozen is as it was."""
        for person, before in self._frozen:
            must(person.remembered() == before, f"what {person.role}'s computer remembers has changed")


Play = Callable[[Scene], "str | None"]


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        name: Names it everywhere.
        family: One of ``FAMILIES``.
        did: What the server did.
        error: What people must be told; None when it reaches nothing and there is nothing to be told.
        play: Plays it; may return what is to be said instead of an error.
    """

    name: str
    family: str
    did: str
    error: type[GlassineError] | None
    play: Play


@dataclass(frozen=True)
class Result:
    """What came of an attack: ``problem`` is empty when it was held off."""

    attack: Attack
    said: str
    problem: str


FAMILIES: Final = (
    "unauthenticated key material",
    "unauthenticated public keys",
    "protocol downgrade",
    "link sharing",
    "unauthenticated encryption",
    "unauthenticated chunking",
    "tampering with names and places",
    "tampering with metadata",
    "injecting folders",
    "injecting files",
    "older states",
    "grants and writers",
    "answers of any shape",
    "clocks",
)
"""The first ten are those of Hofmann and Truong, "End-to-End Encrypted Cloud Storage in the Wild", CCS 2024."""

ATTACKS: Final[list[Attack]] = []


def attack(name: str, family: str, did: str, error: type[GlassineError] | None) -> Callable[[Play], Play]:
    """Declare an attack; used on the function that plays it."""

    def declare(play: Play) -> Play:
        if family not in FAMILIES or any(other.name == name for other in ATTACKS):
            raise ValueError(name)
        ATTACKS.append(Attack(name, family, did, error, play))
        return play

    return declare


def play(attack: Attack, running: Running) -> Result:
    """Play an attack on an empty stage."""
    said = ""
    try:
        with stage(running) as empty:
            scene = Scene(empty)
            text = attack.play(scene)
            running.evil.repent()
            scene.end()
            told = [error for error in scene.said if type(error) is attack.error]
            must(attack.error is None or told, "nobody was told")
            said = f"{told[0].code} {told[0].title}. {told[0].message}" if told else text or "nothing; all is as before"
    except Held as failure:
        return Result(attack, said, str(failure))
    except Exception:  # a crash is what an attack may not reach either
        return Result(attack, said, "crash:\n" + traceback.format_exc())
    return Result(attack, said, "")
