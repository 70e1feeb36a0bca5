"""What the members of an account may be. Must not import Flask."""

from __future__ import annotations

import base64
import binascii
import re

from backend.errors import BadId, Invalid
from backend.services.names import NAME_LIMIT, has_deceptive_characters
from backend.services.passwords import password_bytes

PUBLIC_KEY_LIMIT = 8192
EMAIL_LIMIT = 254
"""Bytes of an e-mail address: what mail itself takes (RFC 5321)."""

_ID = re.compile(r"[0-9a-f]{24}")
_CLASSIC_KEY = re.compile(r"[1-9][0-9]{0,2499} [1-9][0-9]{0,2499}")
_PEM_KEY = re.compile(r"-----BEGIN PUBLIC KEY-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END PUBLIC KEY-----\r?\n?")


def check_id(untrusted_id: str) -> str:
    """Return an id in the form it is stored in.

    Raises:
        BadId: It is not 24 hex digits.
    """
    lowered = untrusted_id.lower()
    if not _ID.fullmatch(lowered):
        raise BadId
    return lowered


def check_public_key(untrusted_key: str) -> str:
    """Return a public key that has the form of one: ``"<n> <e>"`` or one PEM block.

    Whether it is a good key is for those to judge who encrypt to it; the server only keeps it.

    Raises:
        Invalid: It has neither form.
    """
    pem = _PEM_KEY.fullmatch(untrusted_key) if len(untrusted_key) <= PUBLIC_KEY_LIMIT else None
    if pem is not None:
        try:
            base64.b64decode(pem[1].replace("\r", "").replace("\n", ""), validate=True)
        except binascii.Error:
            pem = None
    if pem is None and not _CLASSIC_KEY.fullmatch(untrusted_key):
        raise Invalid("Public key is invalid")
    return untrusted_key


def check_email(untrusted_email: str) -> str:
    """Return an e-mail address, or the empty text. Nobody is written to: only the form is looked at.

    Raises:
        Invalid: It cannot be one.
    """
    local, _, domain = untrusted_email.rpartition("@")
    if untrusted_email and (
        not local.strip()
        or not domain.strip()
        or len(untrusted_email.encode("utf-8", "surrogatepass")) > EMAIL_LIMIT
        or has_deceptive_characters(untrusted_email)
    ):
        raise Invalid("Email is not allowed")
    return untrusted_email


def check_person_name(untrusted_name: str) -> str:
    """Return a first or last name, which may be empty.

    Raises:
        Invalid: It is longer than 255 bytes or has characters that cannot be seen.
    """
    if len(untrusted_name.encode("utf-8", "surrogatepass")) > NAME_LIMIT or has_deceptive_characters(untrusted_name):
        raise Invalid("Name is not allowed")
    return untrusted_name


def check_password(untrusted_password: str) -> bytes:
    """Return the bytes of a password that an account can have.

    Raises:
        Invalid: It is longer than 1,024 bytes or not a text.
    """
    secret = password_bytes(untrusted_password)
    if secret is None:
        raise Invalid("Password is not allowed")
    return secret


def require(*values: tuple[str, str]) -> None:
    """Refuse values of which nothing was sent.

    Raises:
        Invalid: Naming all that is missing.
    """
    missing = [f"{label} is required" for label, value in values if not value.strip()]
    if missing:
        raise Invalid(", ".join(missing))
