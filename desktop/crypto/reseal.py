"""Sealing what is stored already once more, straight from carrier to carrier, without plaintext on the disk.

For a new epoch (somebody lost the right to open, or the owner has a new key) and for new metadata (another name).
Must not import PySide6, the network or anything of the project but ``desktop.crypto``, ``desktop.errors`` and
``desktop.models``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from desktop.crypto.carrier import CarrierWriter
from desktop.crypto.draft import Draft
from desktop.crypto.keys import PrivateKey
from desktop.crypto.metadata import safe_name
from desktop.crypto.opened import OpenedEnvelope
from desktop.crypto.plans import Plan
from desktop.crypto.safe_write import new_file
from desktop.crypto.sealed import Sealed, check_thumbnail, finish
from desktop.crypto.sizes import CHUNK
from desktop.crypto.writeback import WritebackFile
from desktop.models import IsCancelled, Report, never_cancelled, no_report


def reseal(
    current: OpenedEnvelope,
    untrusted_carrier: BinaryIO,
    carrier: Path,
    key: PrivateKey,
    plan: Plan,
    *,
    thumbnail: bytes,
    name: str | None = None,
    report: Report = no_report,
    cancelled: IsCancelled = never_cancelled,
) -> Sealed:
    """Seal a stored picture again, as planned: other keys, same content, constant memory.

    Args:
        current: The revision to take the content from.
        untrusted_carrier: Binary stream of exactly its carrier.
        carrier: The new one; gets its name only when the old one proved authentic to its last byte.
        key: The author's key.
        plan: Where the new revision stands, from ``desktop.crypto.plans``.
        thumbnail: The decrypted thumbnail, or empty.
        name: Another file name; None keeps it.
        report: Bytes of plaintext done and in all.
        cancelled: Asked before every chunk.

    Raises:
        Damaged: The old carrier is not what its author sealed; nothing is left behind.
        NoGrant: The plan is another author's.
        NameTaken, StorageFull, StorageReadOnly, FileUnreadable: The new carrier cannot be written.
        Cancelled: As asked.
    """
    check_thumbnail(thumbnail)
    metadata = current.metadata if name is None else replace(current.metadata, name=safe_name(name))
    draft = Draft(key, plan, metadata, thumbnail)
    sealer = draft.sealer()
    left = draft.payload_size
    buffer = memoryview(bytearray(min(CHUNK, left)))

    with new_file(carrier) as out, CarrierWriter(WritebackFile(out).write, draft.layout()) as writer:

        def emit(plain: memoryview) -> None:
            # same content, so same padded size and the same cuts; only the padding is to be put back
            nonlocal left
            length = min(CHUNK, left)
            buffer[: len(plain)] = plain
            buffer[len(plain) : length] = bytes(length - len(plain))
            writer.write(sealer.seal(buffer[:length]))
            left -= length

        current.decrypt(untrusted_carrier, emit, report, cancelled)
        # nothing was signed before the old picture proved authentic
        return finish(draft, metadata, sealer.hexdigest(), writer, carrier)
