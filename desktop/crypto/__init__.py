"""Everything cryptographic, free of Qt and of the network. FORMAT.md beside this file is the normative description.

What the rest of the program needs of the sealed scheme is exported here; keys, nonces and salts are made inside. Names
are loaded when they are first used, because the libraries behind them cost start-up time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from desktop.crypto.keys import PrivateKey, PublicKey
    from desktop.crypto.sealed import (
        Envelope,
        Metadata,
        OpenedEnvelope,
        Sealed,
        new_picture_id,
        open_carrier,
        read_carrier_envelope,
        read_envelope,
        seal,
    )

__all__ = [
    "Envelope",
    "Metadata",
    "OpenedEnvelope",
    "PrivateKey",
    "PublicKey",
    "Sealed",
    "new_picture_id",
    "open_carrier",
    "read_carrier_envelope",
    "read_envelope",
    "seal",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from desktop.crypto import keys, sealed

    return getattr(keys if name.endswith("Key") else sealed, name)
