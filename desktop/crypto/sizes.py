"""Padded and encrypted lengths (FORMAT.md sections 6, 7 and 13). Must not import anything of the project."""

from __future__ import annotations

from typing import Final

CHUNK: Final = 262_144
TAG: Final = 16
MAX_PAYLOAD: Final = 750_000_000
MAX_THUMBNAIL: Final = 262_144
THUMBNAIL_BLOCK: Final = 4096


def chunk_count(size: int) -> int:
    """Return how many chunks a padded plaintext has."""
    return max(1, -(-size // CHUNK))


def ciphertext_size(size: int) -> int:
    """Return how long the ciphertext of a padded plaintext is."""
    return size + TAG * chunk_count(size)


def padded_payload(size: int) -> int:
    """Return the padded length of a payload: at most 0.1 % more from 0.5 MB up."""
    quantum = 1 << max(8, size.bit_length() - 1 - 11)
    return max(1, -(-size // quantum)) * quantum


def padded_thumbnail(size: int) -> int:
    """Return the padded length of a thumbnail."""
    return max(1, -(-size // THUMBNAIL_BLOCK)) * THUMBNAIL_BLOCK
