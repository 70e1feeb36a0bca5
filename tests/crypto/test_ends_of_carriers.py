"""Where carriers end: the greatest ones, the shortest files, and what claims to go on."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from desktop.crypto.carrier import CarrierReader
from desktop.crypto.carrier_layout import BLOCK_HEADER, END, SIGNATURE, Layout, dimensions
from desktop.crypto.keys import PrivateKey
from desktop.crypto.local_carrier import open_carrier
from desktop.crypto.sizes import MAX_PAYLOAD, ciphertext_size
from desktop.errors import Damaged, TooLarge, Unsupported
from tests.crypto import forge


def test_the_greatest_picture() -> None:
    assert dimensions(3 * 16_000 * 16_000) == (16_000, 16_000)
    with pytest.raises(TooLarge):
        dimensions(3 * 16_000 * 16_000 + 1)


def test_nothing_is_read_behind_the_last_row() -> None:
    """Not even where the checksums look like one more block, of no rows."""
    layout = Layout(300, 100)
    whole = bytearray(forge.carrier(bytes(300), "x" * 100))
    at = len(whole) - len(END) - 8
    whole[at : at + BLOCK_HEADER] = struct.pack("<BHH", 1, 0, 0xFFFF)
    reader = CarrierReader(io.BytesIO(whole), layout)
    reader.read_into(memoryview(bytearray(400 + layout.filler)))
    with pytest.raises(Damaged):
        reader.read_into(memoryview(bytearray(1)))


@pytest.mark.parametrize("length", [0, 7, 8, 9, 31, 32, 33, 60, 79, 80])
def test_files_that_end_early(owner: PrivateKey, tmp_path: Path, length: int) -> None:
    path, out = tmp_path / "short.png", tmp_path / "out"
    out.mkdir()
    path.write_bytes(forge.picture(owner).carrier[:length])
    with pytest.raises(Damaged if length >= len(SIGNATURE) else Unsupported):
        open_carrier(path, owner, out)
    assert list(out.iterdir()) == []


def test_a_prefix_that_says_less_than_the_header(owner: PrivateKey, tmp_path: Path) -> None:
    made = forge.picture(owner)
    path, out = tmp_path / "less.png", tmp_path / "out"
    out.mkdir()
    for payload in (made.payload[:-1], made.payload[:17], made.payload + b"\0", made.payload * 2):
        path.write_bytes(forge.carrier(payload, made.envelope))
        with pytest.raises(Damaged):
            open_carrier(path, owner, out)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    ("payload", "envelope", "believed"),
    [
        (17, 1, True),
        (300, 32_768, True),
        (ciphertext_size(MAX_PAYLOAD), 1, True),
        (16, 1, False),
        (300, 0, False),
        (300, 32_769, False),
        (ciphertext_size(MAX_PAYLOAD) + 1, 1, False),
    ],
)
def test_lengths_that_a_prefix_may_say(payload: int, envelope: int, believed: bool) -> None:
    layout = Layout(payload, envelope)
    if believed:
        assert Layout.from_prefix(layout.prefix) == layout
        return
    with pytest.raises(Damaged):
        Layout.from_prefix(layout.prefix)


@pytest.mark.parametrize("at", range(32))
def test_every_byte_of_a_prefix_counts(at: int) -> None:
    """Another length is another prefix; everything else is none."""
    layout = Layout(300, 100)
    try:
        found = Layout.from_prefix(forge.flipped(layout.prefix, at))
    except Damaged:
        return
    assert found != layout
    assert 12 <= at < 24


def packed(carrier: bytes) -> bytes:
    """The same picture, compressed by another program."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(carrier)) as picture:
        picture.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("other", [bytes, packed], ids=["as it is", "compressed again"])
def test_a_header_that_wants_more_than_there_is(
    owner: PrivateKey, tmp_path: Path, other: Callable[[bytes], bytes]
) -> None:
    made = forge.picture(owner, bytes(300_000))
    path, out = tmp_path / "less.png", tmp_path / "out"
    out.mkdir()
    path.write_bytes(other(forge.carrier(made.payload[:17], made.envelope)))
    with pytest.raises(Damaged):
        open_carrier(path, owner, out)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("missing", [1, 4, 8, 11, 12, 13, 16])
def test_a_picture_compressed_again_that_ends_early(owner: PrivateKey, tmp_path: Path, missing: int) -> None:
    path, out = tmp_path / "short.png", tmp_path / "out"
    out.mkdir()
    path.write_bytes(packed(forge.picture(owner).carrier)[:-missing])
    with pytest.raises(Damaged):
        open_carrier(path, owner, out)
    path.write_bytes(packed(forge.picture(owner).carrier))
    open_carrier(path, owner, out)


def test_a_file_larger_than_any(owner: PrivateKey, tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(forge.picture(owner).carrier)
    for size, error in ((820_000_000, Damaged), (820_000_001, TooLarge)):
        os.truncate(path, size)  # of holes: nothing is written
        with pytest.raises(error):
            open_carrier(path, owner, tmp_path)
