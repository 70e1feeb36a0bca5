"""What the parts of a vault share: the account's calls, key and memory, and what is known of its pictures.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.client.shared_catalog import SharedCatalog

if TYPE_CHECKING:
    from desktop.client.api import Api
    from desktop.client.memory import Memory
    from desktop.client.staging import Staging
    from desktop.client.vault_listing import Catalog
    from desktop.client.vault_thumbnails import VaultThumbnails
    from desktop.crypto.keys import PrivateKey


@dataclass(frozen=True, slots=True)
class VaultContext:
    """One account of the sealed scheme, unlocked. Made by ``Vault.context``; not to be kept over locking.

    Attributes:
        api: Signed in.
        user_id: The account.
        key: The person's key.
        memory: What is remembered here; durable.
        folder: The place's folder, used by this process only.
        catalog: One's own pictures as listed last.
        thumbnails: Fetches, keeps and opens sealed thumbnails.
        staging: Sealed pictures that wait to be sent.
        shared: What others share, as listed or opened last.
    """

    api: Api
    user_id: str
    key: PrivateKey
    memory: Memory
    folder: Path
    catalog: Catalog
    thumbnails: VaultThumbnails
    staging: Staging
    shared: SharedCatalog = field(default_factory=SharedCatalog)
