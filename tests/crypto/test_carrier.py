"""The carrier: an ordinary picture of noise, read back only as it was written."""

from __future__ import annotations

import io
import os
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PySide6.QtGui import QImage

from desktop.crypto.carrier import HELPER_FROM_BYTES, CarrierReader, CarrierWriter
from desktop.crypto.carrier_layout import HEAD_BYTES, MAX_SIDE, Layout, chunk, dimensions
from desktop.crypto.keys import PrivateKey
from desktop.crypto.sizes import MAX_PAYLOAD, ciphertext_size
from desktop.errors import Damaged, NameTaken, TooLarge
from tests.crypto import forge
from tests.crypto.forge import flipped


def stream(data: bytes) -> bytes:
    """The bytes in the pixels of a PNG, as an independent decoder sees them."""
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.mode == "RGB"
        return np.asarray(picture).tobytes()


@settings(deadline=None, max_examples=40)
@given(st.integers(17, 400_000), st.integers(1, 32_768))
def test_any_stream_makes_a_round_trip_and_is_an_ordinary_picture(payload: int, envelope: int) -> None:
    data, text = random.Random(payload).randbytes(payload), "e" * envelope
    made = forge.carrier(data, text)
    layout = Layout(payload, envelope)
    assert len(made) == layout.file_size
    pixels = stream(made)
    assert pixels[: layout.total] == layout.prefix + data + text.encode()
    assert len(pixels) - layout.total == layout.filler
    reader = CarrierReader(io.BytesIO(made), layout)
    out = bytearray(payload)
    reader.read_into(memoryview(out))
    reader.finish(text.encode())
    assert out == data
    assert Layout.from_prefix(layout.prefix) == layout
    at = random.Random(envelope).randrange(layout.total)
    assert made[layout.offset(at)] == pixels[at]


def test_a_carrier_written_with_the_helper_thread(tmp_path: Path) -> None:
    data = os.urandom(HELPER_FROM_BYTES + 12_345)
    made = forge.carrier(data, "envelope")
    assert stream(made)[32 : 32 + len(data)] == data
    (tmp_path / "noise.png").write_bytes(made)
    reader = CarrierReader(io.BytesIO(made), Layout(len(data), 8))
    out = bytearray(len(data))
    reader.read_into(memoryview(out))
    reader.finish(b"envelope")
    assert out == data


def test_an_error_of_the_helper_thread_arrives() -> None:
    written = 0

    def write(data: bytes | bytearray | memoryview) -> None:
        nonlocal written
        written += len(data)
        if written > HELPER_FROM_BYTES // 2:
            raise OSError(28, "No space left on device")

    piece = bytes(1 << 20)
    layout = Layout(2 * HELPER_FROM_BYTES // len(piece) * len(piece), 8)
    with pytest.raises(OSError, match="No space"), CarrierWriter(write, layout) as writer:
        for _ in range(layout.payload // len(piece)):
            writer.write(piece)
        writer.write(b"envelope")
        writer.finish()


def test_it_opens_in_pillow_and_qt_as_an_ordinary_picture(owner: PrivateKey, tmp_path: Path) -> None:
    made = forge.picture(owner, os.urandom(50_000))
    path = tmp_path / "noise.png"
    path.write_bytes(made.carrier)
    with Image.open(path) as picture:
        picture.verify()
    image = QImage(str(path))
    assert not image.isNull()
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = [bytes(image.constScanLine(y))[: 3 * image.width()] for y in range(image.height())]
    assert b"".join(rows) == stream(path.read_bytes())
    with Image.open(path) as picture:
        assert picture.size == (image.width(), image.height()) == made.read().layout.size


def test_the_file_is_whole_by_the_standard(owner: PrivateKey) -> None:
    made = forge.picture(owner, os.urandom(10_000)).carrier
    at, kinds = 8, []
    while at < len(made):
        (length,) = struct.unpack(">I", made[at : at + 4])
        body = made[at + 4 : at + 8 + length]
        assert zlib.crc32(body) == struct.unpack(">I", made[at + 8 + length : at + 12 + length])[0]
        kinds.append(body[:4])
        if body[:4] == b"IDAT":
            raw = zlib.decompress(body[4:])  # checks Adler-32
        at += 12 + length
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]
    width, height = struct.unpack(">II", made[16:24])
    assert len(raw) == height * (1 + 3 * width)
    assert not any(raw[:: 1 + 3 * width])


@given(st.integers(300, 755_000_000))
def test_dimensions_waste_little_and_stay_in_bounds(total: int) -> None:
    width, height = dimensions(total)
    assert max(width, height) <= MAX_SIDE
    assert 0 <= 3 * width * height - total <= max(300, total // 500)
    assert max(width, height) <= 4 * min(width, height)


def test_the_largest_payload_fits() -> None:
    layout = Layout(ciphertext_size(MAX_PAYLOAD), 32_768)
    assert max(layout.size) <= MAX_SIDE
    with pytest.raises(TooLarge):
        dimensions(3 * 16_001 * 16_001)


@pytest.mark.parametrize("size", [1_000_000, 4_000_000])
def test_expansion_is_half_a_percent_at_most(size: int) -> None:
    owner = PrivateKey.generate(3072)
    made = forge.picture(owner, os.urandom(size))
    assert len(made.carrier) <= size * 1.005


def test_filler_is_random_and_never_from_a_buffer() -> None:
    pattern = b"PLAINTEXT-OF-SOMEBODY-"
    layout = next(layout for size in range(60_000, 90_000) if (layout := Layout(size, 22)).filler > 30)
    seen = set()
    for _ in range(3):
        pixels = stream(forge.carrier((pattern * 5000)[: layout.payload], pattern.decode()))
        filler = pixels[layout.total :]
        assert len(filler) == layout.filler
        assert len(set(filler)) > 10
        assert not any(pattern[at : at + 4] in filler for at in range(len(pattern) - 3))
        seen.add(filler)
    assert len(seen) == 3


def test_the_writer_takes_exactly_its_stream() -> None:
    layout = Layout(1000, 10)
    with CarrierWriter(io.BytesIO().write, layout) as writer:
        with pytest.raises(ValueError, match="shorter"):
            writer.finish()
        writer.write(bytes(1010))
        with pytest.raises(ValueError, match="longer"):
            writer.write(bytes(layout.filler + 1))


# -- reading what came from a server ------------------------------------------------------------------------------


def test_flip_every_byte_of_a_carrier_but_nothing_opens(owner: PrivateKey, tmp_path: Path) -> None:
    """Payload, prefix, envelope, filler, checksums and structure: all of it, in memory."""
    made = forge.picture(owner, os.urandom(300))
    opened, good = made.open(), made.carrier
    assert opened.open_payload_to_memory(io.BytesIO(good)) == made.plain
    for at in range(len(good)):
        with pytest.raises(Damaged):
            opened.open_payload_to_memory(io.BytesIO(flipped(good, at, 1 << at % 8)))


def test_flip_sampled_bytes_of_a_large_payload(owner: PrivateKey, tmp_path: Path) -> None:
    made = forge.picture(owner, os.urandom(600_000))
    opened, good = made.open(), made.carrier
    target = tmp_path / "out"
    places = [HEAD_BYTES + 6 + 32, 262_144, 262_200, 524_288, 524_400, 599_999, len(good) - 20]
    for at in [*places, *random.Random(1).sample(range(len(good)), 20)]:
        with pytest.raises(Damaged):
            opened.open_payload(io.BytesIO(flipped(good, at)), target)
        assert list(tmp_path.iterdir()) == []
    opened.open_payload(io.BytesIO(good), target)
    assert target.read_bytes() == made.plain


def test_structure_is_compared_even_when_the_checksum_fits(owner: PrivateKey) -> None:
    made = forge.picture(owner, os.urandom(100_000))
    opened, good, layout = made.open(), made.carrier, made.read().layout
    second_block = HEAD_BYTES + 5 + layout.block_rows * (layout.row + 1)
    structure = {
        "block header": HEAD_BYTES,
        "length of a block": HEAD_BYTES + 2,
        "header of the second block": second_block + 3,
        "filter": HEAD_BYTES + 5,
        "filter of a later row": HEAD_BYTES + 5 + 3 * (layout.row + 1),
        "filter in the second block": second_block + 5,
        "zlib header": HEAD_BYTES - 1,
        "magic": layout.offset(0),
        "length in the prefix": layout.offset(23),
        "rest of the prefix": layout.offset(31),
        "envelope": layout.offset(32 + layout.payload + 100),
    }
    for name, at in structure.items():
        data = flipped(good, at)
        crc = zlib.crc32(data[37:-16]).to_bytes(4)
        with pytest.raises(Damaged):
            opened.open_payload_to_memory(io.BytesIO(data[:-16] + crc + data[-12:]))
            pytest.fail(name)


def forged(made: forge.Made, payload: bytes) -> io.BytesIO:
    """A carrier in perfect shape around another payload: the server's help."""
    return io.BytesIO(forge.carrier(payload, made.envelope))


def test_reader_forges_chunk(owner: PrivateKey, tmp_path: Path) -> None:
    made = forge.picture(owner, os.urandom(600_000))
    key, aad = made.key_and_aad("payload", made.payload_size)
    payload, _ = forge.seal_bytes(key, aad, os.urandom(600_000).ljust(made.payload_size, b"\0"))
    target = tmp_path / "out"
    with pytest.raises(Damaged) as caught:
        made.open().open_payload(forged(made, payload), target)
    assert caught.value.details == "ciphertext hash"  # what the author signed, not only what the metadata says
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Damaged):
        made.open().open_payload_to_memory(forged(made, payload))


def test_stale_png_and_carriers_of_other_pictures(owner: PrivateKey) -> None:
    made = forge.picture(owner, os.urandom(1000))
    again = forge.picture(
        owner,
        os.urandom(1000),
        picture_id=made.picture_id,
        picture_key=made.picture_key,
        deed_object=made.deed,
        revision=2,
        previous=made.hash,
    )
    for carrier in (made.carrier, forge.picture(owner, made.plain).carrier, forged(again, made.payload).getvalue()):
        with pytest.raises(Damaged):
            again.open().open_payload_to_memory(io.BytesIO(carrier))


@pytest.mark.parametrize("change", ["truncate", "reorder", "repeat", "drop_last", "extra_chunk"])
def test_chunks_of_a_carrier(owner: PrivateKey, change: str) -> None:
    made = forge.picture(owner, os.urandom(600_000))
    size = 262_144 + 16
    parts = [made.payload[at : at + size] for at in range(0, len(made.payload), size)]
    payload = {
        "truncate": made.payload[:-1000],
        "reorder": b"".join([parts[1], parts[0], *parts[2:]]),
        "repeat": b"".join([parts[0], parts[0], *parts[2:]]),
        "drop_last": b"".join(parts[:-1]),
        "extra_chunk": made.payload + parts[-1],
    }[change]
    with pytest.raises(Damaged):
        made.open().open_payload_to_memory(forged(made, payload))


def test_every_truncation_and_extension(owner: PrivateKey) -> None:
    made = forge.picture(owner, os.urandom(300))
    opened, good = made.open(), made.carrier
    for length in [*range(0, 120), *range(120, len(good), 37), *range(len(good) - 30, len(good))]:
        with pytest.raises(Damaged):
            opened.open_payload_to_memory(io.BytesIO(good[:length]))
    with pytest.raises(Damaged):
        opened.open_payload_to_memory(io.BytesIO(good + b"\0"))


def test_padding_that_is_not_zero_is_damaged(owner: PrivateKey) -> None:
    made = forge.picture(owner, b"x" * 200, padding=b"\0" * 55 + b"\1")
    with pytest.raises(Damaged):
        made.open().open_payload_to_memory(io.BytesIO(made.carrier))


def test_a_plaintext_hash_that_does_not_fit_is_damaged(owner: PrivateKey, tmp_path: Path) -> None:
    from dataclasses import replace

    made = forge.picture(owner, b"x" * 200, meta=lambda metadata: replace(metadata, b3="00" * 32).encode())
    with pytest.raises(Damaged):
        made.open().open_payload(io.BytesIO(made.carrier), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_vault_and_rsa_wrap_disagree(owner: PrivateKey) -> None:
    key, picture_id = os.urandom(32), os.urandom(16).hex()
    for holds in (os.urandom(32), key[:31]):
        deed = forge.deed(owner, key, picture_id, wrap_holds=holds)
        made = forge.picture(owner, picture_id=picture_id, picture_key=key, deed_object=deed)
        opened = made.open()  # a gallery of thumbnails does without an RSA operation
        with pytest.raises(Damaged):
            opened.open_payload_to_memory(io.BytesIO(made.carrier))


class Endless(io.RawIOBase):
    """A server that lies about the length: it never stops sending."""

    def __init__(self, start: bytes) -> None:
        self._start = io.BytesIO(start)
        self.sent = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        assert 0 <= size <= 1 << 20, "reads are bounded"
        data = self._start.read(size) or bytes(size)
        self.sent += len(data)
        return data


def test_content_length_lie(owner: PrivateKey, peak_growth: Callable[[Callable[[], object]], int]) -> None:
    made = forge.picture(owner, os.urandom(300))

    def open_endless() -> None:
        for start in (b"", made.carrier[:200], made.carrier):
            source = Endless(start)
            with pytest.raises(Damaged):
                made.open().open_payload_to_memory(source)  # type: ignore[arg-type]
            assert source.sent < len(made.carrier) + 2

    assert peak_growth(open_endless) < 8 << 20


def test_short_reads_are_no_problem(owner: PrivateKey) -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 7))

    made = forge.picture(owner, os.urandom(3000))
    assert made.open().open_payload_to_memory(Trickle(made.carrier)) == made.plain


def other_pngs(width: int, height: int, raw: bytes) -> dict[str, bytes]:
    """The same pixels in shapes that a server must not use."""

    def png(*chunks: bytes) -> bytes:
        return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)

    def header(*rest: int) -> bytes:
        return chunk(b"IHDR", struct.pack(">II5B", width, height, *rest))

    data, end = zlib.compress(raw, 0), chunk(b"IEND", b"")
    stored = zlib.compressobj(0)
    first = stored.compress(raw[:99]) + stored.flush(zlib.Z_FULL_FLUSH)
    rgb = header(8, 2, 0, 0, 0)
    return {
        "compressed again": png(rgb, chunk(b"IDAT", zlib.compress(raw)), end),
        "other stored blocks": png(rgb, chunk(b"IDAT", first + stored.compress(raw[99:]) + stored.flush()), end),
        "two IDAT": png(rgb, chunk(b"IDAT", data[:100]), chunk(b"IDAT", data[100:]), end),
        "text before": png(rgb, chunk(b"tEXt", b"a\0b"), chunk(b"IDAT", data), end),
        "palette": png(header(8, 3, 0, 0, 0), chunk(b"PLTE", bytes(768)), chunk(b"IDAT", data), end),
        "interlaced": png(header(8, 2, 0, 0, 1), chunk(b"IDAT", data), end),
        "16 bit": png(header(16, 2, 0, 0, 0), chunk(b"IDAT", data), end),
        "IDAT flood": png(rgb, *[chunk(b"IDAT", b"")] * 5000, chunk(b"IDAT", data), end),
    }


def test_a_server_may_not_use_another_shape(owner: PrivateKey) -> None:
    made = forge.picture(owner, os.urandom(3000))
    width, height = made.read().layout.size
    pixels = stream(made.carrier)
    raw = b"".join(b"\0" + pixels[at : at + 3 * width] for at in range(0, len(pixels), 3 * width))
    for name, data in other_pngs(width, height, raw).items():
        with pytest.raises(Damaged):
            made.open().open_payload_to_memory(io.BytesIO(data))
            pytest.fail(name)


def test_too_large_for_memory_is_said_before_anything_is_read(owner: PrivateKey) -> None:
    made = forge.picture(owner, os.urandom(3000))
    with pytest.raises(TooLarge):
        made.open().open_payload_to_memory(io.BytesIO(), limit=2999)
    assert made.open().open_payload_to_memory(io.BytesIO(made.carrier), limit=3000) == made.plain


def test_nothing_is_overwritten(owner: PrivateKey, tmp_path: Path) -> None:
    made = forge.picture(owner)
    target = tmp_path / "sea.jpg"
    target.write_bytes(b"mine")
    with pytest.raises(NameTaken):
        made.open().open_payload(io.BytesIO(made.carrier), target)
    assert target.read_bytes() == b"mine"
    assert list(tmp_path.iterdir()) == [target]
