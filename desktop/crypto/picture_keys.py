"""What is derived from a picture key: commitment, wrap labels, file keys (FORMAT.md sections 5 and 6).

Must not import PySide6, the network or anything of the project but ``desktop.crypto`` and ``desktop.errors``.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final, Literal

from desktop.crypto.keys import hk
from desktop.errors import Damaged

SUITE: Final = 1

PartName = Literal["payload", "thumb", "meta"]


def commitment(picture_key: bytes, picture_id: str, epoch: int, owner: str) -> str:
    """Return the deed's ``kc`` for a picture key, as hex."""
    info = b"glassine/1 commit\0" + bytes.fromhex(picture_id) + epoch.to_bytes(4) + bytes.fromhex(owner)
    return hk(picture_key, None, info).hex()


def check_commitment(picture_key: bytes, kc: str, picture_id: str, epoch: int, owner: str) -> None:
    """Check an unwrapped picture key, 32 bytes, against its deed; raises Damaged."""
    if not hmac.compare_digest(commitment(picture_key, picture_id, epoch, owner), kc):
        raise Damaged(details="key commitment")


def wrap_label(picture_id: str, epoch: int, owner: str, to: str) -> bytes:
    """Return L(to), the OAEP label and GCM aad of wraps."""
    return b"glassine/1 wrap\0" + bytes.fromhex(picture_id) + epoch.to_bytes(4) + bytes.fromhex(owner + to)


@dataclass(frozen=True)
class Revision:
    """What the keys of one revision depend on besides the picture key.

    Attributes:
        picture_id: 32 hex digits.
        owner: Owner's fingerprint.
        epoch: Epoch of the deed.
        revision: Revision within the epoch.
        author: Author's fingerprint.
        salt: 32 random bytes of this attempt to seal.
    """

    picture_id: str
    owner: str
    epoch: int
    revision: int
    author: str
    salt: bytes

    @property
    def _context(self) -> bytes:
        return b"".join(
            (
                SUITE.to_bytes(1),
                bytes.fromhex(self.picture_id),
                bytes.fromhex(self.owner),
                self.epoch.to_bytes(4),
                self.revision.to_bytes(4),
                bytes.fromhex(self.author),
            )
        )

    def key(self, picture_key: bytes, part: PartName) -> bytes:
        """Return K_x, the AES-256 key of a part."""
        return hk(picture_key, self.salt, b"glassine/1 key " + part.encode() + b"\0" + self._context)

    def aad(self, part: PartName, size: int) -> bytes:
        """Return AAD_x of a part whose padded plaintext has ``size`` bytes."""
        return b"glassine/1 aad " + part.encode() + b"\0" + self._context + size.to_bytes(8)
