"""How much work an encrypted key file of another program asks for, read before any of it is done.

A hostile file could otherwise ask for hours or for all memory. Must not import anything of the project but
``desktop.errors`` and the DER reader.
"""

from __future__ import annotations

import struct
from typing import Final

from desktop.crypto import der
from desktop.errors import KeyFileDamaged, TooLarge

PBES2: Final = "1.2.840.113549.1.5.13"
PBKDF2: Final = "1.2.840.113549.1.5.12"
SCRYPT: Final = "1.3.6.1.4.1.11591.4.11"
MAX_PBKDF2_ROUNDS: Final = 10_000_000
MAX_SCRYPT_MEMORY: Final = 1 << 30
MAX_SCRYPT_LANES: Final = 16
MAX_BCRYPT_ROUNDS: Final = 1024
_OPENSSH_MAGIC: Final = b"openssh-key-v1\0"


def check_pkcs8(untrusted_der: bytes) -> None:
    """Check an EncryptedPrivateKeyInfo (RFC 5958).

    Raises:
        KeyFileDamaged: It is not one.
        TooLarge: It asks for too much.
    """
    try:
        [(outer, content)] = der.elements(untrusted_der)
        (first, algorithm), (second, _) = der.elements(content)
        if (outer, first, second) != (der.SEQUENCE, der.SEQUENCE, der.OCTET_STRING):
            raise ValueError("not an encrypted key")
        parts = list(der.leaves(algorithm))
    except ValueError:
        raise KeyFileDamaged("This key is damaged and cannot be imported. Use another copy of it.") from None
    numbers = [int.from_bytes(content, signed=True) for tag, content in parts if tag == der.INTEGER]
    scrypt = der.encode_oid(SCRYPT)[2:]
    if (der.OBJECT_IDENTIFIER, scrypt) in parts and len(numbers) >= 3:
        n, r, p = numbers[:3]
        if not 0 < 128 * n * r <= MAX_SCRYPT_MEMORY or not 0 < p <= MAX_SCRYPT_LANES:
            raise _too_much()
    elif any(number > MAX_PBKDF2_ROUNDS for number in numbers):
        raise _too_much()


def check_openssh(untrusted_body: bytes) -> bool:
    """Check the head of an OpenSSH key (its PROTOCOL.key) and return whether it is encrypted.

    Raises:
        KeyFileDamaged: It is not one.
        TooLarge: It asks for too much.
    """
    try:
        if not untrusted_body.startswith(_OPENSSH_MAGIC):
            raise ValueError("no OpenSSH key")
        cipher, rest = _string(untrusted_body[len(_OPENSSH_MAGIC) :])
        _, rest = _string(rest)
        options, _ = _string(rest)
        if options:
            _, tail = _string(options)
            (rounds,) = struct.unpack(">I", tail)
            if rounds > MAX_BCRYPT_ROUNDS:
                raise _too_much()
    except (ValueError, struct.error):
        raise KeyFileDamaged("This key is damaged and cannot be imported. Use another copy of it.") from None
    return cipher != b"none"


def _string(data: bytes) -> tuple[bytes, bytes]:
    (size,) = struct.unpack_from(">I", data)
    if 4 + size > len(data):
        raise ValueError("string longer than its surroundings")
    return data[4 : 4 + size], data[4 + size :]


def _too_much() -> TooLarge:
    return TooLarge("This key file asks for more memory or time than Glassine allows. It was not tried.")
