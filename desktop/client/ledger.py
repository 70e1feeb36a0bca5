"""How two memories of one person become one, entry by entry. Pure functions.

The text that travels is ``desktop.client.ledger_text``'s. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from desktop import errors
from desktop.client.memory_model import Entry, Key, Pin, PinState


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two devices remember different revisions where there can be only one.

    Attributes:
        here: What is remembered here, and stays.
        there: What the other device remembers.
        error: Forked or SchemeChanged.
    """

    here: Entry
    there: Entry
    error: errors.GlassineError


@dataclass(frozen=True, slots=True)
class PersonContradiction:
    """Two devices pinned different keys, or names, for one person.

    Attributes:
        here: The pin here; marked as changed when the keys differ.
        there: The pin of the other device.
        error: KeyChanged, KeyRefused or SchemeChanged.
    """

    here: Pin
    there: Pin
    error: errors.GlassineError


@dataclass(frozen=True, slots=True)
class Merged:
    """What merging brought.

    Attributes:
        entries: Pictures that are remembered differently now.
        pins: People who are remembered differently now.
        pictures: What contradicts.
        people: Who contradicts.
    """

    entries: tuple[Entry, ...]
    pins: tuple[Pin, ...]
    pictures: tuple[Contradiction, ...]
    people: tuple[PersonContradiction, ...]


def merge(
    entries: Mapping[Key, Entry],
    pins: Iterable[Pin],
    other_entries: Iterable[Entry],
    other_pins: Iterable[Pin],
    *,
    own: str = "",
) -> Merged:
    """Merge what another device remembers into what is remembered here; a pure function.

    Pictures: the higher (epoch, revision) wins if it continues the lower one, else that is a contradiction; gone is
    final; of the moves to the bin and back the greater number counts. People: verified wins over not verified for the
    same key; another key is a contradiction to be shown.
    """
    changed: list[Entry] = []
    contradictions: list[Contradiction] = []
    for there in other_entries:
        here = entries.get(there.key)
        if here is None:
            changed.append(there)
            continue
        try:
            merged = _merged_entry(here, there)
        except errors.GlassineError as error:
            contradictions.append(Contradiction(here, there, error))
            continue
        if merged != here:
            changed.append(merged)
    new_pins, people = _merged_people(list(pins), other_pins, own)
    return Merged(tuple(changed), tuple(new_pins), tuple(contradictions), tuple(people))


def _merged_entry(here: Entry, there: Entry) -> Entry:
    merged = _merged_order(here, there)
    moves = max(here.moves, there.moves)
    return merged if merged.moves == moves else replace(merged, moves=moves)


def _merged_order(here: Entry, there: Entry) -> Entry:
    if here.scheme is not there.scheme:
        raise errors.SchemeChanged
    if here.gone or there.gone:
        # what was accepted no longer matters, and never will
        return here if here.gone else replace(here, gone=True)
    if here.known is None or there.known is None:
        return here if here.known is not None or there.known is None else there
    low, high = sorted((here.known, there.known), key=lambda known: (known.epoch, known.revision))
    # a new epoch may follow any accepted header, not only the last one: it is enough that the two have met
    continues = low.header_hash in high.accepted or (low.epoch < high.epoch and bool(low.accepted & high.accepted))
    if not continues:
        raise errors.Forked
    if low.epoch == high.epoch and low.deed_hash != high.deed_hash:
        raise errors.Forked
    known = replace(high, accepted=low.accepted | high.accepted)
    if known == here.known:
        return here
    # text that was verified there was not verified here
    return replace(here, known=known, text_hash=here.text_hash if known.header_hash == here.known.header_hash else "")


def _merged_people(pins: list[Pin], others: Iterable[Pin], own: str) -> tuple[list[Pin], list[PersonContradiction]]:
    known = {pin.user_id: pin for pin in pins}
    changed: dict[str, Pin] = {}
    contradictions: list[PersonContradiction] = []
    for there in others:
        here = known.get(there.user_id)
        taken = next((pin for pin in known.values() if pin.fingerprint and pin.fingerprint == there.fingerprint), None)
        same_name = next((pin for pin in known.values() if pin.name == there.name), None)
        error: errors.GlassineError | None = None
        if here is None:
            other = taken or same_name
            if there.fingerprint and there.fingerprint == own:
                continue
            if other is not None:
                contradictions.append(PersonContradiction(other, there, errors.KeyRefused()))
                continue
            merged = there
        else:
            merged, error = _merged_pin(here, there)
        if merged != here:
            changed[merged.user_id] = known[merged.user_id] = merged
        if error is not None:
            contradictions.append(PersonContradiction(merged, there, error))
    return list(changed.values()), contradictions


def _merged_pin(here: Pin, there: Pin) -> tuple[Pin, errors.GlassineError | None]:
    if here.name != there.name:
        return here, errors.KeyRefused()
    if here.public is None or there.public is None:
        # whoever met the person last knows the proper key
        return (here if there.public is None else there), None
    if here.public != there.public:
        # verified there or not: somebody has to compare again
        offered = replace(here, state=PinState.CHANGED, offered=there.public, offered_user_id=there.user_id)
        return (here if here.state is PinState.CHANGED else offered), errors.KeyChanged()
    if PinState.CHANGED in (here.state, there.state):
        return (here if here.state is PinState.CHANGED else there), None
    if there.state is PinState.VERIFIED and here.state is not PinState.VERIFIED:
        return there, None
    return here, None
