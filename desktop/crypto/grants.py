"""Grants: the owner's permission for one person to open, or to replace, one picture (FORMAT.md section 11.1).

A grant is made for the key object that is handed in, never for one looked up by name. It opens every revision of its
epoch. Opening with one is ``Envelope.open``; writing under one is ``plans.next_revision``. Must not import PySide6, the
network or anything of the project but ``desktop.crypto`` and ``desktop.errors``.
"""

from __future__ import annotations

from desktop.crypto import canonical
from desktop.crypto.envelope import Envelope, check_grant, parse_grant
from desktop.crypto.keys import PrivateKey, PublicKey
from desktop.crypto.objects import Deed, Grant, Role, sign_object
from desktop.crypto.opened import OpenedEnvelope
from desktop.crypto.picture_keys import wrap_label
from desktop.errors import KeyRefused, NoGrant, WrongKey

__all__ = ["grant_to", "read_grant"]


def grant_to(opened: OpenedEnvelope, owner: PrivateKey, to: PublicKey, role: Role, time: int) -> str:
    """Make a grant for a picture as it is opened: it holds for all revisions of that epoch.

    Args:
        opened: The picture, opened by its owner.
        owner: The owner's key.
        to: The key of the person, as it was shown and compared.
        role: ``read`` or ``write``.
        time: Seconds since 1970; for display only.

    Returns:
        The canonical text of the grant.

    Raises:
        WrongKey: The key is not the owner's; nobody else can grant anything.
        KeyRefused: The person is the owner.
    """
    deed = opened.header.deed
    if owner.fingerprint != deed.owner:
        raise WrongKey("Only the owner of a picture can share it.")
    if to.fingerprint == deed.owner:
        raise KeyRefused("That is your own key. You can always open your own pictures.")
    label = wrap_label(deed.picture_id, deed.epoch, deed.owner, to.fingerprint)
    body = Grant.body(deed, to.fingerprint, role, time, to.wrap(label, opened.picture_key))
    return canonical.encode(sign_object(owner, body)).decode("ascii")


def read_grant(untrusted_grant: str, picture: Envelope | Deed, owner: PublicKey, to: str) -> Grant:
    """Read and verify a grant; nothing is unwrapped.

    Args:
        untrusted_grant: Its text.
        picture: The verified envelope, or the deed in it, that the grant must be for.
        owner: The owner's own or pinned key.
        to: Fingerprint of the person it must be for.

    Raises:
        Damaged: It is no grant.
        NoGrant: It is not the owner's, or for another picture, epoch or person.
    """
    deed = picture.header.deed if isinstance(picture, Envelope) else picture
    grant = parse_grant(untrusted_grant)
    if deed.owner != owner.fingerprint:
        raise NoGrant
    check_grant(grant, deed, owner, to)
    return grant
