"""What a change of the key pair leaves on the disk, so that it goes on wherever it was cut off.

The state file holds no secret. Each of the two private keys is kept encrypted under a key of the other one: whichever
the person opens, the other is at hand; afterwards the old one stays under the new one, for history. Must not import
PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from desktop import errors
from desktop.config import make_private_folder

if TYPE_CHECKING:
    from desktop.crypto.keys import PrivateKey

FILE: Final = "key-change.json"
FOLDER: Final = "other-keys"
OTHER_KEY_INFO: Final = b"glassine/1 other-key\0"
MAX_STATE: Final = 16 * 1024 * 1024
_MAX_SEALED: Final = 32 * 1024
_NONCE: Final = 12
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")
_PICTURE_ID: Final = re.compile(r"[0-9a-f]{32}")


@dataclass
class ChangeState:
    """A change of the key pair that is under way.

    Attributes:
        old: Fingerprint of the key that ends.
        new: Fingerprint of the key that follows.
        record: The signed record of that, as it is published.
        binned: Pictures that were taken out of the bin to be encrypted anew, and go back.
    """

    old: str
    new: str
    record: str
    binned: list[str] = field(default_factory=list)


def load(folder: Path) -> ChangeState | None:
    """Return the change that is under way in a place; None without one.

    Raises:
        VaultUnreadable: Its file is there and makes no sense; nothing is done on a guess.
    """
    from desktop.crypto.safe_write import open_own

    try:
        with open_own(folder / FILE) as file:
            document = json.loads(file.read(MAX_STATE))
        state = ChangeState(document["old"], document["new"], document["record"], document["binned"])
        named = all(_FINGERPRINT.fullmatch(name) for name in (state.old, state.new))
        listed = all(_PICTURE_ID.fullmatch(picture_id) for picture_id in state.binned)
        if not (named and listed and isinstance(state.record, str) and document["format"] == 1):
            raise ValueError("not a state")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as problem:
        raise errors.VaultUnreadable(
            f"The note of the change of your key in {folder} cannot be read. The pictures are safe: each opens with "
            "the old key or the new one.",
            details=str(problem),
        ) from problem
    return state


def save(folder: Path, state: ChangeState) -> None:
    """Write the state durably; raises StorageFull, StorageReadOnly or FileUnreadable."""
    from desktop.crypto.safe_write import new_file

    document = {"format": 1, "old": state.old, "new": state.new, "record": state.record, "binned": state.binned}
    make_private_folder(folder)
    with new_file(folder / FILE, replace=True) as file:
        file.write(json.dumps(document).encode("ascii"))


def finish(folder: Path, state: ChangeState) -> None:
    """Forget the change; the old key stays, opened by the new one only."""
    _path(folder, state.new).unlink(missing_ok=True)
    (folder / FILE).unlink(missing_ok=True)


def keep_key(folder: Path, holder: PrivateKey, kept: PrivateKey) -> None:
    """Keep a private key so that the other one opens it; raises StorageFull, StorageReadOnly or FileUnreadable."""
    from desktop.crypto.safe_write import new_file

    nonce = secrets.token_bytes(_NONCE)
    cipher = AESGCM(holder.vault_key(OTHER_KEY_INFO))
    sealed = nonce + cipher.encrypt(nonce, kept.to_pkcs8(), _aad(holder.fingerprint, kept.fingerprint))
    make_private_folder(folder / FOLDER)
    with new_file(_path(folder, kept.fingerprint), replace=True) as file:
        file.write(sealed)


def open_key(folder: Path, holder: PrivateKey, fingerprint: str) -> PrivateKey:
    """Open a private key that was kept so.

    Raises:
        KeyMissing: It is not here.
        KeyFileDamaged: It is not what was written, or not under this key.
    """
    from desktop.crypto.keys import PrivateKey
    from desktop.crypto.safe_write import read_own

    path = _path(folder, fingerprint)
    if not path.exists():
        raise errors.KeyMissing("The other key of this change is not on this computer.")
    untrusted = read_own(path, _MAX_SEALED)
    try:
        cipher = AESGCM(holder.vault_key(OTHER_KEY_INFO))
        der = cipher.decrypt(untrusted[:_NONCE], untrusted[_NONCE:], _aad(holder.fingerprint, fingerprint))
        key = PrivateKey.from_pkcs8(der, authenticated=True)
    except (InvalidTag, ValueError, errors.KeyRefused):
        raise errors.KeyFileDamaged from None
    if key.fingerprint != fingerprint:
        raise errors.KeyFileDamaged
    return key


def former_keys(folder: Path, holder: PrivateKey) -> list[PrivateKey]:
    """Return the keys that this one followed, the last one first; what cannot be opened is left out."""
    found: list[PrivateKey] = []
    seen = {holder.fingerprint}
    while True:
        names = [path.name for path in sorted((folder / FOLDER).glob("*")) if path.name not in seen]
        for name in names:
            try:
                holder = open_key(folder, holder, name)
            except errors.GlassineError:
                continue
            seen.add(name)
            found.append(holder)
            break
        else:
            return found


def _path(folder: Path, fingerprint: str) -> Path:
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise errors.KeyMissing
    return folder / FOLDER / fingerprint


def _aad(holder: str, kept: str) -> bytes:
    return OTHER_KEY_INFO + bytes.fromhex(holder) + bytes.fromhex(kept)
