"""Well sealed, and not what it should be: pictures by another program with the right key."""

from __future__ import annotations

import hashlib
import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PySide6.QtCore import QSize
from PySide6.QtGui import QImageReader

from desktop import errors
from desktop.crypto import canonical, sealed
from desktop.crypto.metadata import BLOCK, Metadata
from desktop.models import PictureState
from desktop.viewmodels.decoding import decode_picture, decode_preview, decode_tile
from tests import sample_pictures
from tests.attacks.conftest import Victim
from tests.crypto import forge

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9" fill="red"/></svg>'


def image(kind: str, width: int = 40, height: int = 30) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (width, height), (200, 60, 40)).save(target, kind)
    return target.getvalue()


def never(*_: Any, **__: Any) -> None:
    raise AssertionError("a decoder was given it")


def not_cancelled() -> bool:
    return False


STRANGE = {
    "svg": SVG,
    "svg behind blanks": b"\n\n  " + SVG,
    "svg in xml": b'<?xml version="1.0"?>' + SVG,
    "eps": image("EPS"),
    "pdf": image("PDF"),
    "ico": image("ICO"),
    "icns": image("ICNS", 64, 64),
    "tga": image("TGA"),
    "ppm": image("PPM"),
    "pcx": image("PCX"),
    "jpeg 2000": image("JPEG2000"),
    "xpm": b'/* XPM */\nstatic char * a[] = {"1 1 1 1"," c red"," "};',
    "xbm": b"#define a_width 8\n#define a_height 1\nstatic char a_bits[]={0xff};",
    "html": b"<html>",
    "nothing": b"",
}


@pytest.mark.parametrize("content", STRANGE.values(), ids=STRANGE)
def test_no_decoder_but_those_of_the_list(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QImageReader, "read", never)
    monkeypatch.setattr(Image, "open", never)
    with pytest.raises(errors.Unsupported):
        decode_picture(bytearray(content), QSize(), not_cancelled)


@pytest.mark.parametrize(
    "signature", [b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0", b"BM", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP"]
)
def test_a_signature_lets_no_other_decoder_in(signature: bytes) -> None:
    """A decoder that searches for its beginning, or trusts no signature, must not get its turn."""
    for behind in (SVG, image("TGA"), image("PPM"), image("EPS")):
        with pytest.raises(errors.Damaged):
            decode_picture(bytearray(signature + behind), QSize(), not_cancelled)


def test_pictures_of_too_many_pixels() -> None:
    with pytest.raises((errors.TooLarge, errors.Damaged)):
        decode_picture(bytearray(sample_pictures.png_claiming(60_000, 60_000)), QSize(), not_cancelled)


NO_THUMBNAILS = {
    "9000 px png": image("PNG", 9000, 1),
    "9000 px jpeg": image("JPEG", 9000, 9),
    "513 px": image("JPEG", 513, 9),
    "svg": SVG,
    "png": image("PNG"),
    "tga": image("TGA"),
    "three bytes": b"\xff\xd8\xff",
}


@pytest.mark.parametrize("decode", [decode_preview, lambda data: decode_tile(data, 160)])
@pytest.mark.parametrize(
    "thumbnail",
    [
        image("PNG", 9000, 1),
        image("JPEG", 9000, 9),
        SVG,
        image("PNG"),
        image("JPEG", 513, 9),
        image("TGA"),
        b"\xff\xd8\xff",
    ],
    ids=["9000 px png", "9000 px jpeg", "svg", "png", "513 px", "tga", "three bytes"],
)
def test_thumbnails_are_small_jpegs(thumbnail: bytes, decode: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QImageReader, "read", never)
    with pytest.raises(errors.Damaged):
        decode(thumbnail)


# -- on a server ------------------------------------------------------------------------------------------------------


def put(victim: Victim, content: bytes, name: str = "a.png", thumbnail: bytes = b"") -> str:
    """Seal and store anything, with the victim's own key."""
    source = victim.outside / "made"
    source.write_bytes(content)
    carrier = victim.outside / f"carrier {hashlib.sha256(content + thumbnail).hexdigest()}.png"
    made = sealed.seal(
        source, carrier, victim.key, name=name, media_type="image/png", width=0, height=0, taken="", thumbnail=thumbnail
    )
    api = victim.session.api
    api.upload_sealed(
        victim.session.user_id, made.picture_id, carrier=carrier, envelope=made.envelope, thumbnail=made.thumbnail
    )
    carrier.unlink()
    source.unlink()
    return made.picture_id


@pytest.mark.parametrize("thumbnail", [image("PNG", 9000, 1), image("JPEG", 9000, 9), SVG, b"x"])
def test_sealed_thumbnails_are_looked_at_before_they_are_handed_on(victim: Victim, thumbnail: bytes) -> None:
    picture_id = put(victim, sample_pictures.png(40, 30), thumbnail=thumbnail)
    assert [picture.state for picture in victim.vault.list_pictures()] == [PictureState.READY]
    assert victim.vault.thumbnails([picture_id]) == {}


def with_name(name: str) -> Any:
    """Metadata that no careful program would write."""

    def encode(metadata: Metadata) -> bytes:
        text = canonical.encode(asdict(metadata) | {"name": name})
        return text.ljust(-(-len(text) // BLOCK) * BLOCK)

    return encode


@pytest.mark.parametrize(
    "name",
    [
        "../../../x.png",
        "/etc/passwd",
        "..\\..\\x",
        "\u202egnp.exe",
        "a\0b.png",
        "CON",
        "con.png",
        "n" * 3000,
        "..",
        "",
        ". .",
    ],
)
def test_sealed_names_lead_nowhere(victim: Victim, name: str, tmp_path: Path) -> None:
    made = forge.picture(victim.key, sample_pictures.png(8, 8), meta=with_name(name))
    carrier = victim.outside / "carrier.png"
    carrier.write_bytes(made.carrier)
    api = victim.session.api
    api.upload_sealed(
        victim.session.user_id, made.picture_id, carrier=carrier, envelope=made.envelope, thumbnail=made.thumbnail
    )
    victim.vault.list_pictures()
    folder = tmp_path / "export" / "inner"
    folder.mkdir(parents=True)
    path = victim.vault.export(made.picture_id, folder)
    assert path.parent == folder
    assert path.suffix == ".png"
    assert list((tmp_path / "export").rglob("*")) == [folder, path]
    assert not any(char in path.name for char in "/\\\0\u202e:")
    assert path.stem.lower() not in {"con", "", ".", ".."}


@pytest.mark.parametrize(
    ("name", "content", "exported"),
    [
        (".bashrc", b"touch /tmp/x", ".bashrc.bin"),
        ("run.desktop", b"[Desktop Entry]", "run.desktop.bin"),
        ("a.png", SVG, "a.bin"),
        ("a.svg", sample_pictures.png(8, 8), "a.svg.png"),
    ],
)
def test_nothing_but_a_picture_comes_out_as_what_it_is(
    victim: Victim, name: str, content: bytes, exported: str
) -> None:
    """The same rule in the window and on the command line."""
    from desktop.client.exporting import with_extension

    picture_id = put(victim, content, name)
    victim.vault.list_pictures()
    folder = victim.outside / "export"
    folder.mkdir()
    assert victim.vault.export(picture_id, folder).name == exported

    made = sealed.seal(
        folder / exported, folder / "loose.png", victim.key, name=name, media_type="image/png", width=0, height=0,
        taken="", thumbnail=b"",
    )  # fmt: skip
    out = victim.outside / "opened"
    out.mkdir()
    opened = sealed.open_carrier(made.carrier, victim.key, out, name_for=with_extension)
    assert [path.name for path in out.iterdir()] == [exported] == [opened.path.name]


def test_an_export_follows_no_link(victim: Victim) -> None:
    picture_id = victim.add(sample_pictures.png(40, 30), "a.png")
    folder, target = victim.outside / "export", victim.outside / "precious"
    folder.mkdir()
    (folder / "a.png").symlink_to(target)
    assert victim.vault.export(picture_id, folder).name == "a (2).png"
    assert not target.exists()
