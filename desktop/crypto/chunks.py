"""Chunked AES-256-GCM with reused buffers (FORMAT.md section 6).

Page faults cost more than the cipher, so a stream allocates its buffers once. Must not import PySide6, the network or
anything of the project but ``desktop.crypto`` and ``desktop.errors``.
"""

from __future__ import annotations

from typing import TypeAlias

from blake3 import blake3
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from desktop.crypto.sizes import CHUNK, TAG, chunk_count, ciphertext_size
from desktop.errors import Damaged

Buffer: TypeAlias = bytes | bytearray | memoryview


def _nonce(index: int, last: bool) -> bytes:
    return index.to_bytes(11) + (b"\1" if last else b"\0")


class Sealer:
    """Encrypts one padded plaintext of known length, chunk by chunk.

    Attributes:
        size: Padded length.
    """

    def __init__(self, key: bytes, aad: bytes, size: int) -> None:
        self.size = size
        self._cipher = AESGCM(key)
        self._aad = aad
        self._count = chunk_count(size)
        self._index = 0
        self._hash = blake3()
        self._buffer = memoryview(bytearray(min(size, CHUNK) + TAG))

    def seal(self, chunk: Buffer) -> memoryview:
        """Encrypt the next chunk; the answer is valid until the next call.

        Raises:
            ValueError: The chunk has not the length it must have.
        """
        length = memoryview(chunk).nbytes
        last = self._index == self._count - 1
        if self._index >= self._count or length != (self.size - CHUNK * self._index if last else CHUNK):
            raise ValueError("chunk of a wrong length")
        sealed = self._buffer[: length + TAG]
        self._cipher.encrypt_into(_nonce(self._index, last), chunk, self._aad, sealed)
        self._index += 1
        self._hash.update(sealed)
        return sealed

    def hexdigest(self) -> str:
        """Return BLAKE3 of the whole ciphertext; raises ValueError before the last chunk."""
        if self._index != self._count:
            raise ValueError("not all chunks are encrypted")
        return self._hash.hexdigest()


class Opener:
    """Decrypts chunk by chunk. What it answers must stay private until :meth:`finish` has returned."""

    def __init__(self, key: bytes, aad: bytes, size: int, b3: str) -> None:
        self._cipher = AESGCM(key)
        self._aad = aad
        self._size = size
        self._count = chunk_count(size)
        self._index = 0
        self._hash = blake3()
        self._b3 = b3

    @property
    def remaining(self) -> int:
        """How many chunks are still to come."""
        return self._count - self._index

    @property
    def next_size(self) -> int:
        """Ciphertext length of the next chunk."""
        return min(CHUNK, self._size - CHUNK * self._index) + TAG

    def open_into(self, untrusted_chunk: Buffer, out: memoryview) -> None:
        """Decrypt the next chunk into ``out``, which must be exactly as long as its plaintext; raises Damaged."""
        if memoryview(untrusted_chunk).nbytes != self.next_size or not self.remaining:
            raise Damaged(details="chunk of a wrong length")
        self._hash.update(untrusted_chunk)
        try:
            self._cipher.decrypt_into(_nonce(self._index, self.remaining == 1), untrusted_chunk, self._aad, out)
        except InvalidTag:
            raise Damaged(details=f"chunk {self._index}") from None
        self._index += 1

    def finish(self) -> None:
        """Check that the ciphertext was whole and is the one the author signed; raises Damaged."""
        if self.remaining or self._hash.hexdigest() != self._b3:
            raise Damaged(details="ciphertext hash")


def seal_bytes(key: bytes, aad: bytes, plaintext: bytes) -> tuple[bytes, str]:
    """Encrypt a padded plaintext in memory; return the ciphertext and its BLAKE3 in hex."""
    sealer = Sealer(key, aad, len(plaintext))
    view = memoryview(plaintext)
    parts = [bytes(sealer.seal(view[at : at + CHUNK])) for at in range(0, max(1, len(view)), CHUNK)]
    return b"".join(parts), sealer.hexdigest()


def open_bytes(key: bytes, aad: bytes, untrusted: bytes, size: int, b3: str | None) -> bytes:
    """Decrypt in memory what :func:`seal_bytes` made.

    Args:
        key: AES key.
        aad: Additional data.
        untrusted: Ciphertext.
        size: Padded length of the plaintext.
        b3: Hash that the ciphertext must have; None when it is inside what was signed.

    Raises:
        Damaged: Anything is not as it was.
    """
    if len(untrusted) != ciphertext_size(size):
        raise Damaged(details="ciphertext length")
    opener = Opener(key, aad, size, b3 if b3 is not None else blake3(untrusted).hexdigest())
    plain = bytearray(size)
    source, target = memoryview(untrusted), memoryview(plain)
    at = 0
    while opener.remaining:
        length = opener.next_size
        opener.open_into(source[:length], target[at : at + length - TAG])
        source = source[length:]
        at += length - TAG
    opener.finish()
    return bytes(plain)
