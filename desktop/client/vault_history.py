"""What stands beside the pictures on the server, fetched and verified: earlier revisions, records of deletions.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from desktop import errors
from desktop.models import IsCancelled

if TYPE_CHECKING:
    from desktop.client.vault_context import VaultContext
    from desktop.crypto.keys import PublicKey
    from desktop.crypto.order import Known
    from desktop.crypto.records import Gone
    from desktop.crypto.sealed import Envelope

log = logging.getLogger(__name__)

MAX_STEPS = 2000
"""Revisions that are walked between two; a server that offers more is not followed."""
MAX_GONE = 1_000_000


def fetch_steps(
    context: VaultContext,
    owner_id: str,
    offered: Envelope,
    known: Known,
    author: Callable[[str], PublicKey | None],
    cancelled: IsCancelled,
) -> Sequence[Envelope]:
    """Return the verified revisions between a known and an offered one, oldest first; none if the server has none.

    Args:
        context: Of the account.
        owner_id: The account of the picture's owner.
        offered: Verified, under the owner's own or pinned key.
        known: What was accepted last.
        author: Gives the key of who may have written a step.
        cancelled: Asked between tries.

    Raises:
        GlassineError: One of them is not what it must be, or the server failed.
    """
    from desktop.crypto.sealed import read_envelope

    steps: list[Envelope] = []
    after = known.header_hash
    name = f"p-{known.picture_id}"
    while len(steps) < MAX_STEPS:
        try:
            page = context.api.history(owner_id, name, after, cancelled)
        except (errors.ServerSilent, errors.ServerFailed, errors.NotSignedIn):
            raise
        except errors.NetworkError as error:
            log.info("a picture has no history on the server: %s", error.code)
            return ()
        for step in page:
            envelope = read_envelope(step.envelope, owner=offered.owner, picture_id=known.picture_id, author=author)
            if envelope.header_hash != step.header_hash:
                raise errors.HistoryMissing(details="a step under another name")
            steps.append(envelope)
        if not page or page[-1].header_hash == after:
            return steps
        after = page[-1].header_hash
    raise errors.HistoryMissing(details="too many steps")


def fetch_gone(context: VaultContext, picture_ids: Collection[str], cancelled: IsCancelled) -> list[Gone]:
    """Return the verified records that these pictures of one's own were deleted for good.

    A record that does not verify is as good as none.
    """
    from desktop.crypto.records import read_gone

    wanted, after, looked = set(picture_ids), "", 0
    found: list[Gone] = []
    while wanted and looked < MAX_GONE:
        try:
            page = context.api.gone_page(context.user_id, after, cancelled)
        except errors.NotFound:  # a server that knows no such thing
            break
        for record in page:
            if record.about <= after:
                raise errors.NotAGlassineServer("The server's list of deleted pictures goes in circles.")
            after = record.about
            if record.about not in wanted:
                continue
            wanted.discard(record.about)
            try:
                found.append(read_gone(record.text, owner=context.key.public, picture_id=record.about))
            except errors.GlassineError as error:
                log.warning("a record of a deletion is not believed: %s", error.code)
        looked += len(page)
        if not page:
            break
    return found


def learn_gone(context: VaultContext, owner_id: str, owner: PublicKey, picture_id: str, cancelled: IsCancelled) -> bool:
    """Whether somebody else's record says that their picture was deleted for good; if so that is remembered, as final.

    A record that does not verify is as good as none.

    Raises:
        NetworkError: Nobody knows.
    """
    from desktop.crypto.records import read_gone

    try:
        untrusted_record = context.api.gone(owner_id, picture_id, cancelled)
    except (errors.NotFound, errors.NotAllowed):
        return False
    try:
        read_gone(untrusted_record, owner=owner, picture_id=picture_id)
    except errors.GlassineError as error:
        log.warning("a record of a deletion is not believed: %s", error.code)
        return False
    context.memory.gone(owner.fingerprint, picture_id)
    return True


def record_gone(context: VaultContext, picture_id: str) -> None:
    """Put the owner's word that a picture is deleted for good on the server, unless it is there already.

    Raises:
        NetworkError: It could not be put there, and the picture must not be deleted yet.
    """
    from desktop.crypto.draft import NO_HASH
    from desktop.crypto.records import make_gone, read_gone

    entry = context.memory.entry(context.key.fingerprint, picture_id)
    previous = entry.known.header_hash if entry is not None and entry.known is not None else NO_HASH
    record = make_gone(context.key, picture_id, previous, int(time.time()))
    try:
        context.api.put_gone(context.user_id, picture_id, record.text)
    except errors.Conflict:
        # an earlier try, or another computer, was first
        read_gone(context.api.gone(context.user_id, picture_id), owner=context.key.public, picture_id=picture_id)
