"""RSA key pairs: which are accepted, what they are called, and the few things done with them.

FORMAT.md section 4 is the normative text. Must not import PySide6, the network or anything of the project but
``desktop.errors`` and ``desktop.crypto.key_rules``.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from desktop.crypto.key_rules import MAX_BITS, MIN_BITS, PUBLIC_EXPONENT, refuse_weak
from desktop.errors import Damaged, KeyRefused, NotAuthentic

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

DEFAULT_BITS: Final = 3072
SALT_BYTES: Final = 32
SECRET_BYTES: Final = 32
MAX_PUBLIC_PEM: Final = 4096
"""Characters; an 8192-bit key takes 1,491."""

VAULT_WRAP_INFO: Final = b"glassine/1 vault-wrap\0"
LEDGER_INFO: Final = b"glassine/1 ledger\0"
QUEUE_INFO: Final = b"glassine/1 queue\0"
_VAULT_INFO: Final = b"glassine/1 vault\0"

_PSS: Final = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=SALT_BYTES)


def hk(ikm: bytes, salt: bytes | None, info: bytes, length: int = 32) -> bytes:
    """Derive key bytes with HKDF-SHA256 (RFC 5869); ``None`` means no salt."""
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(ikm)


def _oaep(label: bytes) -> padding.OAEP:
    return padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=label)


class PublicKey:
    """An accepted RSA public key; equal and hashed by its fingerprint.

    Attributes:
        n: Modulus.
        e: Public exponent, always 65537.
        bits: Length of the modulus.
        spki: SubjectPublicKeyInfo, DER (RFC 5280).
        fingerprint: SHA-256 of ``spki``, 64 lower-case hex digits.
        pem: ``spki`` as one PEM block with a final newline.
    """

    __slots__ = ("_key", "bits", "e", "fingerprint", "n", "pem", "spki")

    def __init__(self, n: int, e: int = PUBLIC_EXPONENT, *, authenticated: bool = False) -> None:
        """Accept (n, e) or raise KeyRefused; ``authenticated`` skips the slower checks for our own keys."""
        if not authenticated:
            refuse_weak(n, e)
        try:
            key = rsa.RSAPublicNumbers(e, n).public_key()
        except ValueError:
            raise KeyRefused from None
        self._key = key
        self.n = n
        self.e = e
        self.bits = n.bit_length()
        self.spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.fingerprint = hashlib.sha256(self.spki).hexdigest()
        body = base64.b64encode(self.spki).decode("ascii")
        lines = [body[at : at + 64] for at in range(0, len(body), 64)]
        self.pem = "\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""])

    @classmethod
    def from_pem(cls, untrusted_pem: str) -> PublicKey:
        """Read exactly one ``PUBLIC KEY`` block.

        Only CRLF line ends and white space around the block may differ from the canonical encoding.

        Raises:
            KeyRefused: Anything else: other kinds of key, further blocks, odd encodings, weak keys.
        """
        if len(untrusted_pem) > MAX_PUBLIC_PEM:
            raise KeyRefused("This is not a public key in PEM form.")
        text = untrusted_pem.replace("\r\n", "\n").strip(" \t\n") + "\n"
        try:
            key = serialization.load_pem_public_key(text.encode("ascii"))
        except Exception:
            raise KeyRefused("This is not a public key in PEM form.") from None
        public = cls._from_loaded(key)
        if public.pem != text:
            raise KeyRefused("The public key is not one PEM block in its usual form. Export it again.")
        return public

    @classmethod
    def from_spki(cls, untrusted_der: bytes) -> PublicKey:
        """Read a DER SubjectPublicKeyInfo equal to its own re-encoding; raises KeyRefused."""
        try:
            key = serialization.load_der_public_key(untrusted_der)
        except Exception:
            raise KeyRefused from None
        public = cls._from_loaded(key)
        if public.spki != untrusted_der:
            raise KeyRefused
        return public

    @classmethod
    def _from_loaded(cls, key: object) -> PublicKey:
        if not isinstance(key, rsa.RSAPublicKey):
            raise KeyRefused("This is not an RSA key. Glassine uses RSA keys only.")
        numbers = key.public_numbers()
        return cls(numbers.n, numbers.e)

    @property
    def fingerprint_bytes(self) -> bytes:
        """The fingerprint as the 32 raw bytes used in labels."""
        return bytes.fromhex(self.fingerprint)

    @property
    def modulus_bytes(self) -> int:
        """Length of signatures and wraps in bytes."""
        return (self.bits + 7) // 8

    def verify(self, signature: bytes, message: bytes) -> None:
        """Check an RSASSA-PSS signature (SHA-256, salt of exactly 32 bytes); raises NotAuthentic."""
        try:
            self._key.verify(signature, message, _PSS, hashes.SHA256())
        except InvalidSignature:
            raise NotAuthentic from None

    def wrap(self, label: bytes, secret: bytes) -> bytes:
        """Encrypt a 32-byte secret with RSA-OAEP (SHA-256) under a label."""
        return self._key.encrypt(secret, _oaep(label))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        return f"PublicKey({self.fingerprint})"


class PrivateKey:
    """An RSA private key whose public half obeys the rules of :class:`PublicKey`.

    Attributes:
        public: Its public key, always derived from the private one.
    """

    __slots__ = ("_key", "_vault", "public")

    def __init__(self, key: rsa.RSAPrivateKey, public: PublicKey) -> None:
        """Use the classmethods."""
        self._key = key
        self._vault: bytes | None = None
        self.public = public

    @property
    def fingerprint(self) -> str:
        """The public key's fingerprint."""
        return self.public.fingerprint

    @classmethod
    def generate(cls, bits: int = DEFAULT_BITS) -> PrivateKey:
        """Make a new key pair (releases the GIL); raises KeyRefused for a length that is not allowed."""
        if not MIN_BITS <= bits <= MAX_BITS:
            raise KeyRefused(f"Glassine uses RSA keys of {MIN_BITS} to {MAX_BITS} bits.")
        return cls.from_cryptography(rsa.generate_private_key(PUBLIC_EXPONENT, bits))

    @classmethod
    def from_pkcs8(cls, der: bytes, *, authenticated: bool = False) -> PrivateKey:
        """Read an unencrypted PKCS#8 key, DER.

        Args:
            der: The key.
            authenticated: It comes out of our own key file, where it was checked before: skips a check that takes 0.1 s
                or more.

        Raises:
            KeyRefused: Not such a key, inconsistent, or weak.
        """
        try:
            key = serialization.load_der_private_key(der, None, unsafe_skip_rsa_key_validation=authenticated)
        except Exception:
            # the library's text may quote the key; say only that it was no key
            raise KeyRefused("This is not a valid private key.") from None
        return cls._from_loaded(key, authenticated=authenticated)

    @classmethod
    def from_cryptography(cls, key: PrivateKeyTypes) -> PrivateKey:
        """Accept a key object of pyca/cryptography; raises KeyRefused."""
        return cls._from_loaded(key, authenticated=False)

    @classmethod
    def _from_loaded(cls, key: object, *, authenticated: bool) -> PrivateKey:
        if not isinstance(key, rsa.RSAPrivateKey):
            raise KeyRefused("This is not an RSA key. Glassine uses RSA keys only.")
        numbers = key.public_key().public_numbers()
        return cls(key, PublicKey(numbers.n, numbers.e, authenticated=authenticated))

    def to_pkcs8(self) -> bytes:
        """Return the key as unencrypted PKCS#8, DER: only for encrypting it at once."""
        return self._key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def to_cryptography(self) -> rsa.RSAPrivateKey:
        """Return the library's key object, for exports."""
        return self._key

    def sign(self, message: bytes) -> bytes:
        """Sign with RSASSA-PSS (SHA-256, salt of 32 bytes)."""
        return self._key.sign(message, _PSS, hashes.SHA256())

    def unwrap(self, label: bytes, wrapped: bytes) -> bytes:
        """Open what :meth:`PublicKey.wrap` made: exactly 32 bytes.

        Raises:
            Damaged: The one error for whatever is wrong with it.
        """
        try:
            secret = self._key.decrypt(wrapped, _oaep(label))
        except ValueError:
            raise Damaged from None
        if len(secret) != SECRET_BYTES:
            raise Damaged
        return secret

    def vault_key(self, info: bytes) -> bytes:
        """Derive a symmetric key of the key pair; the same after every import and export (FORMAT.md 4.3)."""
        if self._vault is None:
            numbers = self._key.private_numbers()
            size = self.public.modulus_bytes
            low, high = sorted((numbers.p, numbers.q))
            self._vault = hk(low.to_bytes(size) + high.to_bytes(size), self.public.fingerprint_bytes, _VAULT_INFO)
        return hk(self._vault, None, info)

    def __repr__(self) -> str:
        return f"PrivateKey({self.fingerprint})"

    def __reduce__(self) -> str:
        raise TypeError("private keys are not pickled")
