"""Where the keys come from that tokens and cookies are signed with."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.config import Config
    from backend.storage.protocol import Storage


def signing_key(config: Config, storage: Storage, purpose: str) -> bytes:
    """Return 32 bytes for a purpose: derived from the setting ``secret_key``, or made and kept by the storage.

    With the setting a copy of the database alone signs nothing.
    """
    if config.secret_key is None:
        return storage.secret(purpose)
    return hmac.digest(config.secret_key.encode("utf-8"), b"glassine " + purpose.encode("ascii"), "sha256")
