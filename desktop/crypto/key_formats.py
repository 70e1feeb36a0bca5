"""Private and public keys in the formats of other programs: import, export, and how fingerprints are written.

Read are PKCS#8 (encrypted or not), PKCS#1, OpenSSH (encrypted or not), the classic ``d n`` and Glassine's own key file.
Must not import PySide6, the network or anything of the project but its crypto and ``desktop.errors``.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from desktop.crypto import der, key_costs, key_file
from desktop.crypto.classic_keys import ClassicPrivateKey
from desktop.crypto.keys import PrivateKey, PublicKey
from desktop.errors import KeyFileDamaged, KeyRefused, NotAKey, PassphraseNeeded, TooLarge, WrongKey

ImportFormat = Literal["glassine", "pkcs8", "pkcs1", "openssh", "classic"]
ExportFormat = Literal["pkcs8", "pkcs1", "openssh"]
EXPORT_FORMATS: Final[tuple[ExportFormat, ...]] = ("pkcs8", "pkcs1", "openssh")

MAX_IMPORT: Final = 65536
PBKDF2_ROUNDS: Final = 600_000
"""For encrypted PKCS#8; the library's own choice is 2,048. About a third of a second."""
OPENSSH_ROUNDS: Final = 64
USE_FOR_GLASSINE_ONLY: Final = (
    "Use this key for Glassine only: what signs and decrypts elsewhere can be tricked into it here."
)

_PEM: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----(.*?)-----END \1-----", re.DOTALL)
_NOT_PRIVATE: Final = ("PUBLIC KEY", "RSA PUBLIC KEY", "SSH2 PUBLIC KEY", "CERTIFICATE", "CERTIFICATE REQUEST")
_WRONG = "The passphrase is not right, or this key file is damaged. Check Caps Lock and the keyboard layout."


@dataclass(frozen=True, slots=True)
class ImportedKey:
    """A key read from a file.

    Attributes:
        key: An RSA key for sealed pictures, or a classic key; the two are never turned into each other.
        format: What the file was.
        warnings: What to tell the person.
    """

    key: PrivateKey | ClassicPrivateKey
    format: ImportFormat
    warnings: tuple[str, ...] = ()


def import_private(untrusted: bytes, passphrase: str | None = None) -> ImportedKey:
    """Read a private key of any known format, told apart by content.

    Args:
        untrusted: The file.
        passphrase: Its passphrase; not looked at when the file is not encrypted.

    Raises:
        PassphraseNeeded: The file is encrypted and ``passphrase`` is None.
        WrongKey: The passphrase is not right.
        KeyFileDamaged: It is of a known format, and broken.
        NotAKey: It is something else: a public key, another algorithm, another program's own format.
        KeyRefused: It is an RSA or classic key that must not be used.
        TooLarge: It is too long, or asks for too much memory or time.
    """
    if len(untrusted) > MAX_IMPORT:
        raise TooLarge("This file is too large to be a key.")
    data = untrusted.removeprefix(b"\xef\xbb\xbf").strip()
    if key_file.looks_like_key_file(data):
        if passphrase is None:
            key_file.read_public(data)
            raise PassphraseNeeded
        return ImportedKey(key_file.open_with_passphrase(data, passphrase), "glassine")
    if data[:1].isdigit() and data.isascii():
        return ImportedKey(ClassicPrivateKey.from_text(data.decode("ascii")), "classic")
    if data.startswith(b"\x30"):
        return _import_der(untrusted, passphrase)
    return _import_pem(data, passphrase)


def _import_pem(data: bytes, passphrase: str | None) -> ImportedKey:
    blocks = list(_PEM.finditer(data))
    private = [block for block in blocks if block[1].endswith(b"PRIVATE KEY")]
    if not blocks:
        raise _not_a_key(data)
    if len(private) > 1:
        raise NotAKey("This file holds several private keys. Import them one by one.")
    match = (private or blocks)[0]  # a certificate or parameters may stand before the key
    label = match[1].decode("ascii")
    block = match[0] + b"\n"
    if label == "OPENSSH PRIVATE KEY":
        is_encrypted = key_costs.check_openssh(_body(match[2]))
        return _loaded(serialization.load_ssh_private_key, block, passphrase, is_encrypted, "openssh")
    if label == "ENCRYPTED PRIVATE KEY":
        key_costs.check_pkcs8(_body(match[2]))
        return _loaded(serialization.load_pem_private_key, block, passphrase, True, "pkcs8")
    if label == "PRIVATE KEY":
        return _loaded(serialization.load_pem_private_key, block, passphrase, False, "pkcs8")
    if label == "RSA PRIVATE KEY":
        is_encrypted = b"ENCRYPTED" in match[2]
        return _loaded(serialization.load_pem_private_key, block, passphrase, is_encrypted, "pkcs1")
    if label in ("EC PRIVATE KEY", "DSA PRIVATE KEY"):
        raise _other_algorithm(label.removesuffix(" PRIVATE KEY"))
    if label in _NOT_PRIVATE:
        raise NotAKey("This file holds no private key, only a public one. Import the private key's file.")
    raise NotAKey(f"Keys of the kind {label} cannot be imported. Convert it to PKCS#8 first.")


def _import_der(data: bytes, passphrase: str | None) -> ImportedKey:
    try:
        [(_, content)] = der.elements(data)
        tags = [tag for tag, _ in der.elements(content)]
    except ValueError:
        raise KeyFileDamaged from None
    # EncryptedPrivateKeyInfo is algorithm and ciphertext; PrivateKeyInfo and PKCS#1 begin with a version
    if tags == [der.SEQUENCE, der.OCTET_STRING]:
        key_costs.check_pkcs8(data)
        return _loaded(serialization.load_der_private_key, data, passphrase, True, "pkcs8")
    if tags[:2] == [der.INTEGER, der.INTEGER]:
        return _loaded(serialization.load_der_private_key, data, passphrase, False, "pkcs1")
    return _loaded(serialization.load_der_private_key, data, passphrase, False, "pkcs8")


def _body(untrusted_pem_body: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(untrusted_pem_body.split()), validate=True)
    except binascii.Error:
        raise KeyFileDamaged from None


def _loaded(load: Any, data: bytes, passphrase: str | None, is_encrypted: bool, kind: ImportFormat) -> ImportedKey:
    """Call one of the library's loaders and give its failures names."""
    secret = None
    if is_encrypted:
        if passphrase is None:
            raise PassphraseNeeded
        try:
            secret = passphrase.encode("utf-8")
        except UnicodeEncodeError:
            raise WrongKey(_WRONG) from None
        if not secret:
            raise WrongKey(_WRONG)
    try:
        key = load(data, secret)
    except UnsupportedAlgorithm:
        raise NotAKey("This key uses an encryption or algorithm that cannot be imported. Convert it first.") from None
    except Exception:
        # what it says may quote the key; what matters is known: only a wrong secret makes good data fail
        if is_encrypted:
            raise WrongKey(_WRONG) from None
        raise KeyFileDamaged("This key is damaged and cannot be imported. Use another copy of it.") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise _other_algorithm(type(key).__name__.removesuffix("PrivateKey"))
    return ImportedKey(PrivateKey.from_cryptography(key), kind, (USE_FOR_GLASSINE_ONLY,))


def _other_algorithm(name: str) -> NotAKey:
    return NotAKey(f"This is a key of the kind {name}. Glassine uses RSA keys only.")


def _not_a_key(data: bytes) -> Exception:
    if data.startswith(b"PuTTY-User-Key-File-"):
        return NotAKey("PuTTY keys cannot be imported. Export it from PuTTYgen as an OpenSSH key first.")
    if data.startswith((b"ssh-", b"ecdsa-", b"---- BEGIN SSH2 PUBLIC KEY")):
        return NotAKey("This file holds no private key, only a public one. Import the private key's file.")
    if b"-----BEGIN " in data:
        return KeyFileDamaged("This key is damaged and cannot be imported. Use another copy of it.")
    return NotAKey("This file is not a key that Glassine can import.")


def export_private(key: PrivateKey, format: ExportFormat, passphrase: str | None) -> bytes:
    """Return the private key for another program, as PEM.

    Args:
        key: The key.
        format: ``pkcs8``, ``pkcs1`` or ``openssh``.
        passphrase: Encrypts it; None leaves it readable to whoever gets the file.

    Raises:
        NotAKey: PKCS#1 with a passphrase, which protects with MD5 only; an unknown format.
        KeyRefused: The passphrase is empty or cannot be used.
    """
    if format not in EXPORT_FORMATS:
        raise NotAKey(f"Keys cannot be exported as {format}, only as {', '.join(EXPORT_FORMATS)}.")
    secret = _export_secret(passphrase)
    if format == "pkcs8" and secret is not None:
        return _encrypted_pkcs8(key.to_pkcs8(), secret)
    if format == "pkcs1" and secret is not None:
        raise NotAKey("PKCS#1 cannot protect a key with a passphrase well. Choose PKCS#8 or OpenSSH.")
    if format == "openssh":
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if secret is not None:
            builder = serialization.PrivateFormat.OpenSSH.encryption_builder()
            encryption = builder.kdf_rounds(OPENSSH_ROUNDS).build(secret)
        private_format = serialization.PrivateFormat.OpenSSH
        return key.to_cryptography().private_bytes(serialization.Encoding.PEM, private_format, encryption)
    plain = serialization.PrivateFormat.PKCS8 if format == "pkcs8" else serialization.PrivateFormat.TraditionalOpenSSL
    return key.to_cryptography().private_bytes(serialization.Encoding.PEM, plain, serialization.NoEncryption())


def _export_secret(passphrase: str | None) -> bytes | None:
    if passphrase is None:
        return None
    try:
        secret = passphrase.encode("utf-8")
    except UnicodeEncodeError:
        raise KeyRefused("This passphrase cannot be used: it is not proper text.") from None
    if not secret:
        raise KeyRefused("An empty passphrase protects nothing. Give one, or export without.")
    return secret


def _encrypted_pkcs8(plain: bytes, secret: bytes) -> bytes:
    """Encrypt with PBES2 (RFC 8018): PBKDF2-HMAC-SHA-256 and AES-256-CBC, which every program reads."""
    salt, iv = os.urandom(16), os.urandom(16)
    derived = PBKDF2HMAC(algorithm=hashes.SHA256(), length=32, salt=salt, iterations=PBKDF2_ROUNDS).derive(secret)
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES256(derived), modes.CBC(iv)).encryptor()
    sealed = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    seq, octets = der.SEQUENCE, der.OCTET_STRING
    prf = der.encode(seq, der.encode_oid("1.2.840.113549.2.9"), der.encode(der.NULL))
    parameters = der.encode(seq, der.encode(octets, salt), der.encode_integer(PBKDF2_ROUNDS), prf)
    kdf = der.encode(seq, der.encode_oid(key_costs.PBKDF2), parameters)
    cipher = der.encode(seq, der.encode_oid("2.16.840.1.101.3.4.1.42"), der.encode(octets, iv))
    algorithm = der.encode(seq, der.encode_oid(key_costs.PBES2), der.encode(seq, kdf, cipher))
    text = base64.b64encode(der.encode(seq, algorithm, der.encode(octets, sealed)))
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return b"\n".join([b"-----BEGIN ENCRYPTED PRIVATE KEY-----", *lines, b"-----END ENCRYPTED PRIVATE KEY-----", b""])


def export_public(key: PrivateKey | PublicKey) -> str:
    """Return the public key as one PEM block."""
    return (key.public if isinstance(key, PrivateKey) else key).pem


def fingerprint_groups(fingerprint: str) -> str:
    """Write a fingerprint for people to compare: sixteen groups of four hex digits, never fewer."""
    if re.fullmatch(r"[0-9a-f]{64}", fingerprint) is None:
        raise ValueError("a fingerprint is 64 lower-case hex digits")
    return " ".join(fingerprint[at : at + 4] for at in range(0, 64, 4))
