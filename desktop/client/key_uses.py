"""Which accounts known to this computer use which key. Must not import PySide6, ``requests`` or ``backend``."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from desktop.models import Place, PlaceKind

PIN: Final = "account.json"
"""In the folder of an account: the key that its owner has opened."""
_MAX_PIN: Final = 4096

log = logging.getLogger(__name__)


def pinned_key(folder: Path) -> str | None:
    """Return the fingerprint of the key that was opened for the account with this folder; None when nobody knows."""
    from desktop.crypto.safe_write import open_own

    try:
        with open_own(folder / PIN) as file:
            document = json.loads(file.read(_MAX_PIN))
        fingerprint = document["fingerprint"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        log.warning("what was known of the account cannot be read")
        return None
    return fingerprint if isinstance(fingerprint, str) else None


def accounts_by_key(places: Iterable[Place]) -> dict[str, list[Place]]:
    """Return the accounts on servers by the fingerprint of their key."""
    found: dict[str, list[Place]] = {}
    for place in places:
        if place.kind is PlaceKind.SERVER and (fingerprint := pinned_key(place.folder)):
            found.setdefault(fingerprint, []).append(place)
    return found
