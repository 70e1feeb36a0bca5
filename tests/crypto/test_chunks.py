"""Chunked encryption: round trips at every border, and nothing but the whole ciphertext in order opens."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from blake3 import blake3
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.crypto.chunks import Opener, Sealer, open_bytes, seal_bytes
from desktop.crypto.sizes import (
    CHUNK,
    MAX_PAYLOAD,
    TAG,
    chunk_count,
    ciphertext_size,
    padded_payload,
    padded_thumbnail,
)
from desktop.errors import Damaged
from tests.crypto.forge import flipped

KEY, AAD = bytes(range(32)), b"aad"
BORDERS = [0, 1, 255, 256, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1, 3 * CHUNK]


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(BORDERS) | st.integers(0, 600_000))
def test_round_trip(size: int) -> None:
    plain = os.urandom(size)
    sealed, b3 = seal_bytes(KEY, AAD, plain)
    assert len(sealed) == ciphertext_size(size)
    assert b3 == blake3(sealed).hexdigest()
    assert open_bytes(KEY, AAD, sealed, size, b3) == plain


def test_the_chunks_are_those_of_the_format() -> None:
    plain = os.urandom(CHUNK + 10)
    cipher = AESGCM(KEY)
    first = cipher.encrypt(bytes(11) + b"\0", plain[:CHUNK], AAD)
    last = cipher.encrypt(bytes(10) + b"\1\1", plain[CHUNK:], AAD)
    assert seal_bytes(KEY, AAD, plain)[0] == first + last
    assert seal_bytes(KEY, AAD, b"")[0] == cipher.encrypt(bytes(11) + b"\1", b"", AAD)


PLAIN = os.urandom(3 * CHUNK + 1000)
SEALED, _ = seal_bytes(KEY, AAD, PLAIN)
PARTS = [SEALED[at : at + CHUNK + TAG] for at in range(0, len(SEALED), CHUNK + TAG)]
OTHER, _ = seal_bytes(bytes(32), AAD, PLAIN)  # as another revision has another key

FORGERIES: dict[str, Callable[[], bytes]] = {
    "truncate": lambda: SEALED[:-1],
    "truncated to chunks": lambda: b"".join(PARTS[:3]),
    "truncate to nothing": lambda: b"",
    "reorder": lambda: b"".join([PARTS[1], PARTS[0], *PARTS[2:]]),
    "repeat": lambda: b"".join([PARTS[0], PARTS[0], *PARTS[2:]]),
    "drop_first": lambda: b"".join(PARTS[1:]),
    "drop_last": lambda: b"".join(PARTS[:-1]),
    "extra_chunk": lambda: SEALED + PARTS[-1],
    "last chunk first": lambda: b"".join([PARTS[-1], *PARTS[:-1]]),
    "chunk_from_other_revision": lambda: b"".join([PARTS[0], OTHER[CHUNK + TAG : 2 * (CHUNK + TAG)], *PARTS[2:]]),
    "tag cut": lambda: b"".join([PARTS[0][:-1], *PARTS[1:], b"\0"]),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_other_sequences_are_damaged_even_with_their_own_hash(forge: Callable[[], bytes]) -> None:
    data = forge()
    for size in {len(PLAIN), max(0, len(data) - TAG * len(PARTS)), 2 * CHUNK + 1000, 3 * CHUNK}:
        with pytest.raises(Damaged):
            open_bytes(KEY, AAD, data, size, blake3(data).hexdigest())


def test_other_key_other_aad_other_hash() -> None:
    b3 = blake3(SEALED).hexdigest()
    assert open_bytes(KEY, AAD, SEALED, len(PLAIN), b3) == PLAIN
    for key, aad, expected in ((bytes(32), AAD, b3), (KEY, b"aae", b3), (KEY, AAD, "00" * 32), (KEY, AAD, "")):
        with pytest.raises(Damaged):
            open_bytes(key, aad, SEALED, len(PLAIN), expected)


def test_flip_bytes() -> None:
    plain = os.urandom(700)
    sealed, b3 = seal_bytes(KEY, AAD, plain)
    for at in range(len(sealed)):
        for hashed in (b3, blake3(flipped(sealed, at)).hexdigest()):
            with pytest.raises(Damaged):
                open_bytes(KEY, AAD, flipped(sealed, at), len(plain), hashed)


def test_an_opener_is_not_finished_early() -> None:
    opener = Opener(KEY, AAD, len(PLAIN), blake3(PARTS[0]).hexdigest())
    out = memoryview(bytearray(CHUNK))
    opener.open_into(PARTS[0], out)
    with pytest.raises(Damaged):
        opener.finish()
    for other in (PARTS[0][:-1], PARTS[0], b"", PARTS[2]):
        with pytest.raises(Damaged):
            opener.open_into(other, out)


def test_nothing_follows_the_last_chunk() -> None:
    """Not even what is properly encrypted, and as long as a chunk may be."""
    sealed, b3 = seal_bytes(KEY, AAD, bytes(CHUNK))
    opener = Opener(KEY, AAD, CHUNK, b3)
    opener.open_into(sealed, memoryview(bytearray(CHUNK)))
    more = AESGCM(KEY).encrypt((1).to_bytes(11) + b"\0", b"", AAD)
    with pytest.raises(Damaged):
        opener.open_into(more, memoryview(bytearray()))
    opener.finish()
    sealer = Sealer(KEY, AAD, CHUNK)
    sealer.seal(bytes(CHUNK))
    with pytest.raises(ValueError, match="wrong length"):
        sealer.seal(bytes(CHUNK))


def test_a_sealer_takes_exactly_its_chunks() -> None:
    sealer = Sealer(KEY, AAD, CHUNK + 5)
    for wrong in (b"", b"x" * (CHUNK - 1), b"x" * (CHUNK + 1)):
        with pytest.raises(ValueError, match="wrong length"):
            sealer.seal(wrong)
    sealer.seal(bytes(CHUNK))
    with pytest.raises(ValueError, match="not all"):
        sealer.hexdigest()
    sealer.seal(bytes(5))
    with pytest.raises(ValueError, match="wrong length"):
        sealer.seal(b"")


@given(st.integers(0, MAX_PAYLOAD))
def test_padding_hides_the_size_and_costs_little(size: int) -> None:
    padded = padded_payload(size)
    assert padded >= max(size, 1)
    assert padded % 256 == 0
    assert padded - size <= max(256, size / 1024)
    # at most 4,096 lengths between a power of two and the next
    assert size < 1 << 19 or padded % (1 << size.bit_length() - 12) == 0
    assert chunk_count(padded) == -(-padded // CHUNK)


def test_padding_of_small_things() -> None:
    assert [padded_payload(size) for size in (0, 1, 256, 257)] == [256, 256, 256, 512]
    assert [padded_thumbnail(size) for size in (0, 1, 4096, 4097)] == [4096, 4096, 4096, 8192]
    assert padded_payload(749_993_984) == 749_993_984
    assert padded_payload(749_993_985) > MAX_PAYLOAD
