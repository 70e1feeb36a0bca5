"""The memory as the text that travels to a person's other devices.

It is encrypted and authenticated by ``desktop.crypto.records``; it is parsed strictly all the same. Must not import
PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from desktop import errors
from desktop.client.memory_model import CLASSIC_OWNER, Entry, Pin, PinState
from desktop.client.ties import Pair, Tie, TieKind, is_value
from desktop.crypto.keys import PublicKey
from desktop.crypto.objects import MAX_COUNTER
from desktop.crypto.order import Known
from desktop.models import Scheme

VERSION = 1
MAX_NAME = 4096
_FINGERPRINT = re.compile(r"[0-9a-f]{64}", re.ASCII)
_PICTURE = re.compile(r"[0-9a-f]{32}", re.ASCII)


def write(entries: Iterable[Entry], pins: Iterable[Pin], time: int | None = None, ties: Iterable[Tie] = ()) -> bytes:
    """Return the ledger's JSON text; the same memory gives the same text, but for the time it is given."""
    pictures: dict[str, dict[str, Any]] = {}
    for entry in entries:
        pictures.setdefault(entry.owner, {})[entry.picture_id] = _picture_fields(entry)
    people = {pin.user_id: _pin_fields(pin) for pin in pins}
    document: dict[str, Any] = {"v": VERSION, "pictures": pictures, "people": people}
    if time is not None:
        document["time"] = time
    decided = sorted([tie.kind.value, tie.about, tie.other, tie.value, tie.count] for tie in ties)
    if decided:
        document["ties"] = decided
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")


def read(document: bytes) -> tuple[list[Entry], list[Pin]]:
    """Read a ledger's JSON text; raises LedgerDamaged, or LedgerTooNew for one of a newer Glassine."""
    try:
        value = json.loads(document.decode("ascii"), parse_float=_refuse, parse_constant=_refuse)
        if _number(value["v"]) > VERSION:
            raise errors.LedgerTooNew
        if value["v"] != VERSION or value.keys() - {"ties", "time"} != {"v", "pictures", "people"}:
            raise ValueError
        _number(value.get("time", 0))
        _ties(value)
        entries = [
            _picture(_matching(owner, _FINGERPRINT, allow_empty=True), pic, fields)
            for owner, pictures in _items(value["pictures"])
            for pic, fields in _items(pictures)
        ]
        pins = [_pin(_text(user_id), fields) for user_id, fields in _items(value["people"])]
    except (ValueError, KeyError, TypeError, RecursionError, errors.KeyRefused) as error:
        raise errors.LedgerDamaged(details=type(error).__name__) from None
    return entries, pins


def time_of(document: bytes) -> int:
    """Return when a ledger that :func:`read` took was written, seconds since 1970; 0 if it does not say."""
    return int(json.loads(document).get("time", 0))


def ties_of(document: bytes) -> list[Tie]:
    """Return what was decided between pictures and people in a ledger that :func:`read` took."""
    return _ties(json.loads(document))


def _ties(value: Any) -> list[Tie]:
    rows = value.get("ties", [])
    if type(rows) is not list:
        raise ValueError
    found: dict[Pair, Tie] = {}
    for row in rows:
        kind, about, other, decided, count = row
        tie = Tie(TieKind(kind), _text(about), _text(other), _text(decided), _counter(count))
        if not is_value(tie.kind, tie.value) or tie.pair in found:
            raise ValueError
        found[tie.pair] = tie
    return list(found.values())


def _picture_fields(entry: Entry) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if entry.scheme is not Scheme.SEALED:
        fields["s"] = entry.scheme.value
    if entry.gone:
        fields["g"] = 1
    if entry.moves:
        fields["m"] = entry.moves
    if entry.known is not None:
        known = entry.known
        # the current header last, the others in a fixed order
        accepted = [*sorted(known.accepted - {known.header_hash}), known.header_hash]
        fields |= {"e": known.epoch, "r": known.revision, "d": _b64(known.deed_hash), "a": _b64("".join(accepted))}
    return fields


def _picture(owner: str, picture_id: str, fields: Any) -> Entry:
    given = dict(_items(fields))
    scheme = Scheme(given.pop("s", Scheme.SEALED.value))
    gone = given.pop("g", 0)
    moves = _number(given.pop("m", 0))
    if (owner == CLASSIC_OWNER) != (scheme is Scheme.CLASSIC) or gone not in (0, 1) or type(gone) is not int:
        raise ValueError
    picture_id = _text(picture_id) if scheme is Scheme.CLASSIC else _matching(picture_id, _PICTURE)
    known = None
    if given:
        if given.keys() != {"a", "d", "e", "r"}:
            raise ValueError
        accepted = _hashes(given["a"])
        (deed,) = _hashes(given["d"])
        epoch, revision = _counter(given["e"]), _counter(given["r"])
        known = Known(owner, picture_id, epoch, revision, accepted[-1], deed, frozenset(accepted))
    return Entry(owner, picture_id, scheme, known, "", bool(gone), moves)


def _pin_fields(pin: Pin) -> dict[str, Any]:
    fields: dict[str, Any] = {"name": pin.name, "state": pin.state.value, "seen": pin.seen, "compared": pin.compared}
    if pin.public is not None:
        fields["key"] = base64.b64encode(pin.public.spki).decode()
    if pin.offered is not None:
        fields |= {"offered": base64.b64encode(pin.offered.spki).decode(), "offered_by": pin.offered_user_id}
    return fields


def _pin(user_id: str, fields: Any) -> Pin:
    given = dict(_items(fields))
    pin = Pin(
        user_id=user_id,
        name=_text(given.pop("name")),
        public=_key(given.pop("key", None)),
        state=PinState(given.pop("state")),
        seen=_number(given.pop("seen")),
        compared=_number(given.pop("compared")),
        offered=_key(given.pop("offered", None)),
        offered_user_id=_text(given.pop("offered_by", "")),
    )
    if given or (pin.offered is not None) != (pin.state is PinState.CHANGED):
        raise ValueError
    return pin


def _b64(digits: str) -> str:
    return base64.b64encode(bytes.fromhex(digits)).decode("ascii")


def _hashes(text: Any) -> Sequence[str]:
    try:
        digits = base64.b64decode(text, validate=True).hex()
    except binascii.Error:
        raise ValueError from None
    if not digits or len(digits) % 64:
        raise ValueError
    return [digits[at : at + 64] for at in range(0, len(digits), 64)]


def _key(text: Any) -> PublicKey | None:
    return PublicKey.from_spki(base64.b64decode(text, validate=True)) if text is not None else None


def _items(value: Any) -> Iterable[tuple[str, Any]]:
    if type(value) is not dict:
        raise ValueError
    return value.items()


def _matching(value: str, pattern: re.Pattern[str], *, allow_empty: bool = False) -> str:
    if not (allow_empty and not value) and not pattern.fullmatch(value):
        raise ValueError
    return value


def _text(value: Any) -> str:
    if type(value) is not str or len(value) > MAX_NAME:
        raise ValueError
    value.encode("utf-8")  # no lone surrogates
    return value


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise ValueError
    return value


def _counter(value: Any) -> int:
    if not 1 <= _number(value) <= MAX_COUNTER:
        raise ValueError
    return int(value)


def _refuse(_: str) -> float:
    raise ValueError
