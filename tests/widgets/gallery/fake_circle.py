"""People around a vault, in memory, for the tests of sharing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from desktop import errors
from desktop.client.sharing_model import Failure, KeptVersion, KeySuccession, Sender, Share, ShareResult, StopResult
from desktop.crypto.words import fingerprint_groups, fingerprint_words
from desktop.models import Person, PersonState, Picture, PictureState
from desktop.viewmodels.circle_port import Circle

SINCE = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def make_person(name: str, state: PersonState = PersonState.UNVERIFIED, **changes: Any) -> Person:
    fingerprint = name.encode().hex().ljust(64, "5")[:64]
    values: dict[str, Any] = {
        "user_id": name.encode().hex().ljust(24, "0")[:24],
        "name": name,
        "fingerprint": fingerprint,
        "words": fingerprint_words(fingerprint),
        "groups": fingerprint_groups(fingerprint),
        "state": state,
        "since": SINCE,
    }
    return Person(**(values | changes))


@dataclass
class FakeSharing:
    """People known to the server (``there``) and to the person (``met``); who has what in ``shares``."""

    there: dict[str, Person] = field(default_factory=dict)
    met: dict[str, Person] = field(default_factory=dict)
    new_keys: dict[str, Person] = field(default_factory=dict)
    shares: dict[str, dict[str, Share]] = field(default_factory=dict)
    trouble: dict[str, errors.GlassineError] = field(default_factory=dict)
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    waits: list[tuple[str, Person, str]] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    vouched: dict[str, KeySuccession] = field(default_factory=dict)

    def add(self, *people: Person) -> FakeSharing:
        for person in people:
            self.there[person.name] = person
        return self

    def meet(self, *people: Person) -> FakeSharing:
        self.add(*people)
        for person in people:
            self.met[person.user_id] = person
        return self

    def give(self, picture_id: str, person: Person, role: str = "read", **changes: Any) -> None:
        self.meet(person)
        self.shares.setdefault(picture_id, {})[person.user_id] = Share(person, role, SINCE, **changes)

    def find(self, name: str) -> Person:
        if name == "mara":
            raise errors.ThatIsYou
        if name in self.trouble:
            raise self.trouble[name]
        if name not in self.there:
            raise errors.PersonNotFound
        person = self.there[name]
        self.met[person.user_id] = person
        return person

    def look_again(self, user_id: str) -> Person:
        return self.met[user_id]

    def people(self) -> list[Person]:
        return sorted(self.met.values(), key=lambda person: person.name)

    def offered(self, user_id: str) -> Person | None:
        return self.new_keys.get(user_id)

    def succession(self, user_id: str) -> KeySuccession | None:
        return self.vouched.get(user_id)

    def compared(self, user_id: str, fingerprint: str) -> Person:
        self.calls.append(("compared", user_id, fingerprint))
        self.met[user_id] = replace(
            self.met[user_id], state=PersonState.VERIFIED, fingerprint=fingerprint, differs=False
        )
        return self.met[user_id]

    def compare(self, user_id: str, untrusted_text: str) -> Person:
        if untrusted_text == "half":
            raise errors.Unsupported("Give all of it.")
        if untrusted_text != "right":
            raise errors.KeyChanged("This is not the key.")
        return self.compared(user_id, self.met[user_id].fingerprint)

    def differ(self, user_id: str) -> Person:
        self.calls.append(("differ", user_id))
        self.met[user_id] = replace(self.met[user_id], state=PersonState.CHANGED, differs=True)
        return self.met[user_id]

    def share(self, picture_ids: Sequence[str], user_id: str, role: str, **options: Any) -> ShareResult:
        self.calls.append(("share", list(picture_ids), user_id, role, options))
        person = self.met[user_id]
        if person.name in self.trouble:
            raise self.trouble[person.name]
        shared, waiting, failed = [], [], []
        for number, picture_id in enumerate(picture_ids):
            if options["cancelled"]():
                raise errors.Cancelled
            if picture_id in self.trouble:
                failed.append(Failure(picture_id, self.trouble[picture_id]))
                continue
            waits = person.state is PersonState.NO_KEY
            self.shares.setdefault(picture_id, {})[user_id] = Share(person, role, SINCE, waiting=waits)
            (waiting if waits else shared).append(picture_id)
            options["report"](number + 1, len(picture_ids))
        copies = {picture_id: f"copy of {picture_id}" for picture_id in shared if options["strip"] is not None}
        return ShareResult(tuple(shared), tuple(waiting), tuple(failed), copies)

    def complete_waiting(self, report: Any, cancelled: Any) -> ShareResult:
        done = tuple(picture_id for picture_id, _, _ in self.waits)
        self.waits = []
        return ShareResult(shared=done)

    def waiting(self) -> list[tuple[str, Person, str]]:
        return list(self.waits)

    def shares_of(self, picture_id: str) -> list[Share]:
        if picture_id in self.trouble and picture_id not in self.shares:
            raise self.trouble[picture_id]
        return list(self.shares.get(picture_id, {}).values())

    def holders(self) -> dict[str, tuple[tuple[str, ...], bool]]:
        return {
            picture_id: (
                tuple(shares),
                any(share.person.state is not PersonState.VERIFIED for share in shares.values()),
            )
            for picture_id, shares in self.shares.items()
            if shares
        }

    def set_role(self, picture_id: str, user_id: str, role: str, report: Any, cancelled: Any) -> None:
        raise AssertionError("sharing again sets the role")

    def stop(
        self, picture_ids: Sequence[str], user_id: str, *, reseal: bool, report: Any, cancelled: Any
    ) -> StopResult:
        self.calls.append(("stop", list(picture_ids), user_id, reseal))
        failed = tuple(Failure(one, self.trouble[one]) for one in picture_ids if one in self.trouble)
        done = tuple(one for one in picture_ids if one not in self.trouble)
        for picture_id in done:
            self.shares.get(picture_id, {}).pop(user_id, None)
        return StopResult(stopped=done, resealed=done if reseal else (), failed=failed)

    def unfinished(self) -> list[str]:
        return list(self.left_over)

    def finish(self, report: Any, cancelled: Any) -> StopResult:
        done, self.left_over = tuple(self.left_over), []
        return StopResult(resealed=done)


@dataclass
class FakeShared:
    """What others share."""

    pictures: dict[str, Picture] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)
    declined: set[str] = field(default_factory=set)
    trouble: dict[str, errors.GlassineError] = field(default_factory=dict)
    jpeg: bytes = b""
    decoded: list[str] = field(default_factory=list)

    def put(self, person: Person, *pictures: Picture, role: str = "read") -> None:
        self.people[person.user_id] = person
        for picture in pictures:
            gallery_id = f"{person.user_id}.{picture.id}"
            self.pictures[gallery_id] = replace(
                picture, id=gallery_id, owner_id=person.user_id, owner_name=person.name, role=role
            )

    def list(self, report: Any, cancelled: Any) -> Any:
        shown = []
        for picture in self.pictures.values():
            if picture.owner_id in self.declined:
                continue
            closed = replace(picture, state=PictureState.UNDECODED, name="", taken=None)
            shown.append(picture if picture.owner_id in self.accepted else closed)
        return shown

    def senders(self) -> Any:
        return [
            Sender(
                person,
                sum(picture.owner_id == person.user_id for picture in self.pictures.values()),
                person.user_id in self.accepted,
                person.user_id in self.declined,
            )
            for person in self.people.values()
        ]

    def accept(self, user_id: str) -> Person:
        if user_id in self.trouble:
            raise self.trouble[user_id]
        self.accepted.add(user_id)
        self.declined.discard(user_id)
        return self.people[user_id]

    def decline(self, user_id: str) -> None:
        self.declined.add(user_id)

    def give_back(self, picture_id: str) -> None:
        del self.pictures[picture_id]

    def thumbnails(self, picture_ids: Sequence[str]) -> dict[str, bytes]:
        self.decoded += picture_ids
        return {one: self.jpeg for one in picture_ids if self.jpeg and self.pictures[one].owner_id in self.accepted}

    def open(self, picture_id: str, report: Any, cancelled: Any) -> Any:
        raise errors.NoLongerShared

    def export(self, picture_id: str, folder: Path, report: Any, cancelled: Any) -> Path:
        raise errors.NoLongerShared


@dataclass
class FakeRevising:
    """New versions."""

    waiting: dict[str, bytes] = field(default_factory=dict)
    trouble: dict[str, errors.GlassineError] = field(default_factory=dict)
    calls: list[tuple[Any, ...]] = field(default_factory=list)

    def replace(self, picture_id: str, source: Path, report: Any, cancelled: Any) -> str:
        self.calls.append(("replace", picture_id, source))
        if picture_id in self.trouble:
            self.waiting[picture_id] = source.read_bytes()
            raise self.trouble[picture_id]
        return "0" * 64

    def kept(self) -> list[KeptVersion]:
        return [KeptVersion(picture_id, "mine.jpg", SINCE, moved=True) for picture_id in self.waiting]

    def open_kept(self, picture_id: str, report: Any, cancelled: Any) -> bytearray:
        return bytearray(self.waiting[picture_id])

    def send_kept(self, report: Any, cancelled: Any) -> list[str]:
        self.calls.append(("send kept",))
        return []

    def resolve(self, picture_id: str, choice: str, report: Any, cancelled: Any) -> str:
        self.calls.append(("resolve", picture_id, choice))
        if choice in self.trouble:
            raise self.trouble[choice]
        del self.waiting[picture_id]
        return "new" if choice == "both" else picture_id


@dataclass
class FakeCircle:
    """All three."""

    sharing: FakeSharing = field(default_factory=FakeSharing)
    shared: FakeShared = field(default_factory=FakeShared)
    revising: FakeRevising = field(default_factory=FakeRevising)

    @property
    def port(self) -> Circle:
        return Circle(self.sharing, self.shared, self.revising)  # type: ignore[arg-type]
