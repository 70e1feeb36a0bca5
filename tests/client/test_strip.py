"""Copies without metadata: what is removed is not in the file any more, and the pixels are the same."""

from __future__ import annotations

import contextlib
import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from desktop import errors
from desktop.client import strip
from desktop.client.strip_formats import CUTTERS, orientation_of
from tests.sample_pictures import gradient

SERIAL, LENS, MAKER = b"SN-4711-0815-ZULU", b"Lens of a certain person", b"maker note with a secret serial 99887766"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">photographer at home, Elm Street 12</x:xmpmeta>'
COMMENT = b"a comment that says where we live"


def profile() -> bytes:
    """A colour profile."""
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(orientation: int = 6) -> Image.Exif:
    """Everything that a camera tells."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Brand of the camera"
    exif[0x0132] = "2026:05:04 03:02:01"
    details = exif.get_ifd(0x8769)
    details[0x9003] = "2026:05:04 03:02:01"
    details[0xA431] = SERIAL.decode()
    details[0xA434] = LENS.decode()
    details[0x927C] = MAKER
    place = exif.get_ifd(0x8825)
    place[1], place[2] = "N", (52.0, 31.0, 12.0288)
    place[0x1D] = "2026:05:04"
    return exif


SECRETS = (SERIAL, LENS, MAKER, XMP[40:70], COMMENT, b"Brand of the camera", b"2026:05:04")


def jpeg() -> bytes:
    out = io.BytesIO()
    Image.fromarray(gradient(120, 80)).save(
        out, "JPEG", quality=90, exif=exif(), icc_profile=profile(), xmp=XMP, comment=COMMENT, progressive=True
    )
    data = out.getvalue()
    iptc = b"Photoshop 3.0\0" + COMMENT + b" in IPTC"
    segment = b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc
    return data[:2] + segment + data[2:] + b"trailing " + SERIAL


def png() -> bytes:
    out = io.BytesIO()
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", COMMENT.decode())
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    info.add(b"tIME", b"\x07\xea\x05\x04\x03\x02\x01")
    info.add(b"prVt", SERIAL)
    Image.fromarray(gradient(60, 40)).save(out, "PNG", exif=exif(), icc_profile=profile(), pnginfo=info)
    return out.getvalue() + SERIAL


def webp() -> bytes:
    out = io.BytesIO()
    Image.fromarray(gradient(60, 40)).save(
        out, "WEBP", quality=80, exif=exif().tobytes(), icc_profile=profile(), xmp=XMP
    )
    return out.getvalue()


def animated_webp() -> bytes:
    out = io.BytesIO()
    frames = [Image.fromarray(gradient(40, 30, seed)) for seed in range(3)]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], exif=exif().tobytes(), xmp=XMP)
    return out.getvalue()


def gif() -> bytes:
    out = io.BytesIO()
    frames = [Image.fromarray(gradient(40, 30, seed)) for seed in range(3)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], loop=0, comment=COMMENT)
    data = out.getvalue()
    at = data.index(b"\x21\xff")
    return data[:at] + b"\x21\xff\x0bXMP DataXMP" + bytes((len(XMP),)) + XMP + b"\0" + data[at:] + SERIAL


PICTURES: dict[str, Callable[[], bytes]] = {
    "jpeg": jpeg,
    "png": png,
    "webp": webp,
    "animated webp": animated_webp,
    "gif": gif,
}


def frames(data: bytes) -> list[np.ndarray]:
    image = Image.open(io.BytesIO(data))
    found = []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        found.append(np.asarray(image.convert("RGBA")))
    return found


@pytest.mark.parametrize("kind", PICTURES)
def test_nothing_that_was_removed_is_left(kind: str) -> None:
    data = PICTURES[kind]()
    present = [secret for secret in SECRETS if secret in data]
    assert len(present) >= 2, "the test has nothing to find"
    copy = strip.strip(data)
    assert not copy.encoded_anew
    for secret in present:
        assert secret not in copy.data
    for tag in strip.details(data):
        value = tag.value.removesuffix("…").encode()
        if tag.removed and len(value) > 8:
            assert value not in copy.data, tag
    cut = CUTTERS[Image.MIME[Image.open(io.BytesIO(data)).format or ""]](data)
    for name, removed in cut.removed:
        assert len(removed) < 8 or removed not in copy.data, name
    assert len(cut.exif) < 30 or cut.exif not in copy.data


@pytest.mark.parametrize("kind", PICTURES)
def test_the_picture_is_the_same(kind: str) -> None:
    data = PICTURES[kind]()
    copy = strip.strip(data).data
    before, after = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(copy))
    assert (before.format, before.size, before.info.get("loop")) == (after.format, after.size, after.info.get("loop"))
    assert before.info.get("icc_profile") == after.info.get("icc_profile")
    assert before.getexif().get(0x0112, 1) == after.getexif().get(0x0112, 1)
    assert [list(frame.shape) for frame in frames(data)] == [list(frame.shape) for frame in frames(copy)]
    assert all(np.array_equal(one, two) for one, two in zip(frames(data), frames(copy), strict=True))
    # and once more changes nothing
    assert strip.strip(copy).data == copy
    assert [tag for tag in strip.details(copy) if tag.removed and tag.name != "Name of the colour profile"] == []


def test_what_a_person_is_shown() -> None:
    tags = {tag.name: tag for tag in strip.details(jpeg())}
    assert tags["BodySerialNumber"].value == SERIAL.decode()
    assert tags["LensModel"].value == LENS.decode()
    assert tags["DateTimeOriginal"].removed
    assert tags["GPSLatitude"].value.startswith("52.0 31.0 12.0")
    assert tags["MakerNote"].value == f"{len(MAKER)} bytes"
    assert not tags["Orientation"].removed
    assert not tags["Colour profile"].removed
    for name in ("XMP", "IPTC and Photoshop data", "Comment", "Data after the picture"):
        assert tags[name].removed
    assert {"Text “Author”", "XMP", "Chunk prVt"} <= {tag.name for tag in strip.details(png())}
    assert {"XMP", "Comment"} <= {tag.name for tag in strip.details(gif())}


def test_an_embedded_preview_goes() -> None:
    small = io.BytesIO()
    Image.fromarray(gradient(16, 12)).save(small, "JPEG")
    plain = io.BytesIO()
    Image.fromarray(gradient(120, 80)).save(plain, "JPEG")
    data = plain.getvalue()
    # JFIF says: a thumbnail of 1 by 1 pixel, three bytes
    head = b"JFIF\0\x01\x02\0\0\x48\0\x48\x01\x01" + b"abc"
    data = data[:2] + b"\xff\xe0" + struct.pack(">H", len(head) + 2) + head + data[20:]
    tags = {tag.name: tag for tag in strip.details(data)}
    assert tags["Embedded preview"].removed
    copy = strip.strip(data).data
    assert b"abc" not in copy[:64]
    assert np.array_equal(frames(copy)[0], frames(plain.getvalue())[0])


@pytest.mark.parametrize("kind", ["TIFF", "BMP"])
def test_others_become_a_png_of_the_same_pixels(kind: str) -> None:
    out = io.BytesIO()
    pixels = gradient(60, 40)
    options = {"exif": exif(1), "description": COMMENT.decode()} if kind == "TIFF" else {}
    Image.fromarray(pixels).save(out, kind, **options)
    copy = strip.strip(out.getvalue() + (b"" if kind == "TIFF" else SERIAL))
    assert (copy.encoded_anew, copy.name) == (True, "picture.png")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(copy.data))), pixels)
    assert not any(secret in copy.data for secret in SECRETS)
    if kind == "TIFF":
        assert COMMENT.decode() in {tag.value for tag in strip.details(out.getvalue())}


def test_what_cannot_be_copied_without_loss_is_refused() -> None:
    pages, cmyk = io.BytesIO(), io.BytesIO()
    first = Image.fromarray(gradient(20, 10))
    first.save(pages, "TIFF", save_all=True, append_images=[first])
    first.convert("CMYK").save(cmyk, "TIFF")
    for out in (pages, cmyk):
        with pytest.raises(errors.Unsupported, match="without loss"):
            strip.strip(out.getvalue())
    for data in (b"", b"no picture at all", b"\x00\x00\x00\x18ftypheic"):
        with pytest.raises(errors.Unsupported):
            strip.strip(data)


def test_names_say_nothing() -> None:
    assert {strip.strip(PICTURES[kind]()).name for kind in PICTURES} == {
        "picture.jpg",
        "picture.png",
        "picture.webp",
        "picture.gif",
    }


def test_orientation_is_read_as_cameras_write_it() -> None:
    for order, form in ((b"II*\0", "<"), (b"MM\0*", ">")):
        block = order + struct.pack(f"{form}IHHHIHHI", 8, 1, 0x0112, 3, 1, 8, 0, 0)
        assert orientation_of(block) == 8
    for block in (b"", b"II*\0", b"MM\0*" + b"\xff" * 8, b"II*\0" + bytes(40)):
        assert orientation_of(block) == 1


@pytest.mark.parametrize("kind", PICTURES)
def test_broken_files_are_refused(kind: str) -> None:
    data = PICTURES[kind]()
    whole = strip.strip(data).data
    for length in (9, 12, 20, len(whole) // 2, len(whole) - 13):
        with pytest.raises(errors.Unsupported):
            strip.strip(whole[:length])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(PICTURES)), st.integers(0, 4000), st.binary(min_size=1, max_size=6))
def test_any_damage_is_survived(kind: str, at: int, noise: bytes) -> None:
    data = bytearray(_MADE[kind])
    at %= len(data)
    data[at : at + len(noise)] = noise
    for work in (strip.strip, strip.details):
        with contextlib.suppress(errors.Unsupported, errors.TooLarge):
            work(bytes(data))


_MADE = {kind: make() for kind, make in PICTURES.items()}
