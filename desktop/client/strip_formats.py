"""Cutting metadata out of picture files, format by format, without touching the pixels.

What is kept is a short list; everything else goes, also what nobody has heard of and what follows the picture's end.
Must not import PySide6 or anything of the project but ``desktop.errors``.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from desktop import errors


@dataclass
class Parts:
    """What a file consists of.

    Attributes:
        out: The file without its metadata.
        exif: The Exif block, from its byte order mark on; empty for none.
        removed: What was left out besides: what it is, and its bytes.
        kept: What else was kept that tells something: what it is, and how long.
    """

    out: bytearray = field(default_factory=bytearray)
    exif: bytes = b""
    removed: list[tuple[str, bytes]] = field(default_factory=list)
    kept: list[tuple[str, int]] = field(default_factory=list)


def broken(kind: str) -> errors.Unsupported:
    """The error for a file that is not what it begins as."""
    return errors.Unsupported(f"This {kind} file is broken or ends too early; no copy was made of it.")


def orientation_of(exif: bytes) -> int:
    """Return the orientation that an Exif block gives, 1 to 8; 1 for none."""
    try:
        order = {b"II*\0": "<", b"MM\0*": ">"}[exif[:4]]
        (at,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, at)
        for entry in range(min(count, 1000)):
            tag, kind, number, value = struct.unpack_from(f"{order}HHIH", exif, at + 2 + 12 * entry)
            if (tag, kind, number) == (0x0112, 3, 1):
                return value if 1 <= value <= 8 else 1
    except (KeyError, struct.error):
        pass
    return 1


def minimal_exif(orientation: int) -> bytes:
    """Return an Exif block that gives nothing but the orientation."""
    return b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)


def _note_trailer(trailer: bytes, parts: Parts) -> None:
    if trailer.strip(b"\0"):
        parts.removed.append(("Data after the picture", trailer))


# -- JPEG (ITU-T T.81, JFIF 1.02) -----------------------------------------------------------------------------------

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_BARE: Final = {0x01, *range(0xD0, 0xD8)}
_STRUCTURE: Final = {*range(0xC0, 0xD0), 0xDB, 0xDC, 0xDD, 0xDE, 0xDF} - {0xC8}
_XMP: Final = b"http://ns.adobe.com/"


def jpeg(data: bytes) -> Parts:
    """Take a JPEG apart; raises Unsupported when it is broken."""
    parts = Parts()
    kept: list[bytes] = []
    for marker, body, scan in _segments(data):
        if marker == _EOI:
            _note_trailer(body, parts)
            break
        left = body if marker in _STRUCTURE or marker == _SOS else _jpeg_extra(marker, body, parts)
        if left:
            kept.append(_segment(marker, left) + scan)
    head = 1 if kept[:1] and kept[0].startswith(b"\xff\xe0") else 0  # JFIF comes first
    orientation = orientation_of(parts.exif)
    if orientation != 1:
        kept.insert(head, _segment(0xE1, b"Exif\0\0" + minimal_exif(orientation)))
    parts.out += b"".join((b"\xff\xd8", *kept, b"\xff\xd9"))
    return parts


def _segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield marker, body and the entropy-coded data after it; the last one is EOI, with what follows the picture."""
    at, scanned = 2, False
    while True:
        marker, at = _marker(data, at)
        if marker == _EOI:
            if not scanned:
                raise broken("JPEG")
            yield marker, data[at:], b""
            return
        if marker in _BARE:
            continue
        length = int.from_bytes(data[at : at + 2])
        body = data[at + 2 : at + length]
        if length < 2 or len(body) != length - 2:
            raise broken("JPEG")
        at += length
        stop = at
        if marker == _SOS:
            scanned, stop = True, _scan_end(data, at)
        yield marker, body, data[at:stop]
        at = stop


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """Return the marker at a place and where it ends; fill bytes are skipped."""
    if data[at : at + 1] != b"\xff":
        raise broken("JPEG")
    while data[at : at + 1] == b"\xff":
        at += 1
    if at >= len(data) or data[at] == 0:
        raise broken("JPEG")
    return data[at], at + 1


def _scan_end(data: bytes, at: int) -> int:
    """Return where the entropy-coded data that begins at a place ends."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise broken("JPEG")
        if data[at + 1] == 0 or 0xD0 <= data[at + 1] <= 0xD7:
            at += 2
        elif data[at + 1] == 0xFF:
            at += 1
        else:
            return at


def _jpeg_extra(marker: int, body: bytes, parts: Parts) -> bytes:
    """Return what is kept of a segment that is not part of the picture's structure; empty for nothing."""
    if marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= 14:
        if body[14:]:
            parts.removed.append(("Embedded preview", body[14:]))
        return body[:12] + b"\0\0"  # without its thumbnail
    if marker == 0xEE and body.startswith(b"Adobe") and len(body) == 12:
        return body  # says how colours are coded
    if marker == 0xE2 and body.startswith(b"ICC_PROFILE\0"):
        parts.kept.append(("Colour profile", len(body) - 14))
        return body
    if marker == 0xE1 and body.startswith(b"Exif\0"):
        if parts.exif:
            parts.removed.append(("Exif", body[6:]))
        else:
            parts.exif = body[6:]
    elif marker == 0xE1 and body.startswith(_XMP):
        parts.removed.append(("XMP", body.partition(b"\0")[2]))
    elif marker == 0xED:
        parts.removed.append(("IPTC and Photoshop data", body.partition(b"\0")[2]))
    elif marker == 0xE2 and body.startswith(b"MPF\0"):
        parts.removed.append(("Index of further pictures", body))
    elif marker == 0xFE:
        parts.removed.append(("Comment", body))
    else:
        parts.removed.append((f"Application data {marker:02X}", body))
    return b""


# -- PNG (W3C PNG, third edition) -----------------------------------------------------------------------------------

_PNG_KEPT: Final = {
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs"),
    *(b"cICP", b"mDCV", b"cLLI", b"acTL", b"fcTL", b"fdAT"),
}
_PNG_NAMES: Final = {b"tIME": "Time of the last change", b"tEXt": "Text", b"zTXt": "Text", b"iTXt": "Text"}


def png(data: bytes) -> Parts:
    """Take a PNG apart; raises Unsupported when it is broken."""
    parts = Parts(out=bytearray(data[:8]))
    at = 8
    while True:
        if at + 12 > len(data):
            raise broken("PNG")
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        after = at + 12 + length
        if after > len(data):
            raise broken("PNG")
        if kind in _PNG_KEPT:
            parts.out += data[at:after]
        elif kind == b"iCCP":
            name, _, profile = body.partition(b"\0")
            parts.out += _chunk(kind, b"icc\0" + profile)
            parts.removed.append(("Name of the colour profile", name))
            parts.kept.append(("Colour profile", len(profile)))
        elif kind == b"eXIf" and not parts.exif:
            parts.exif = body
            if orientation_of(body) != 1:
                parts.out += _chunk(kind, minimal_exif(orientation_of(body)))
        else:
            parts.removed.append((_png_name(kind, body), body))
        at = after
        if kind == b"IEND":
            break
    _note_trailer(data[at:], parts)
    return parts


def _png_name(kind: bytes, body: bytes) -> str:
    keyword = body.partition(b"\0")[0][:79].decode("latin-1")
    if keyword == "XML:com.adobe.xmp":
        return "XMP"
    if kind in (b"tEXt", b"zTXt", b"iTXt"):
        return f"Text “{keyword}”"
    return _PNG_NAMES.get(kind, f"Chunk {kind.decode('latin-1')}")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


# -- WebP (RFC 9649) ------------------------------------------------------------------------------------------------

_WEBP_KEPT: Final = {b"VP8 ", b"VP8L", b"ALPH", b"ANIM"}
_HAS_EXIF, _HAS_XMP = 0x08, 0x04


def webp(data: bytes) -> Parts:
    """Take a WebP apart; raises Unsupported when it is broken."""
    parts = Parts()
    (length,) = struct.unpack_from("<I", data, 4) if len(data) >= 12 else (0,)
    end = 8 + length
    if length < 4 or end > len(data):
        raise broken("WebP")
    chunks: list[tuple[bytes, bytes]] = []
    for kind, body in _riff(data, 12, end):
        if kind in _WEBP_KEPT or kind == b"VP8X":
            chunks.append((kind, body))
        elif kind == b"ICCP":
            parts.kept.append(("Colour profile", len(body)))
            chunks.append((kind, body))
        elif kind == b"ANMF":
            inner = [(name, part) for name, part in _riff(body, 16, len(body)) if name in _WEBP_KEPT]
            chunks.append((kind, body[:16] + b"".join(_riff_chunk(*one) for one in inner)))
        elif kind == b"EXIF" and not parts.exif:
            parts.exif = body.removeprefix(b"Exif\0\0")
        else:
            parts.removed.append(("XMP" if kind == b"XMP " else f"Chunk {kind.decode('latin-1').strip()}", body))
    _note_trailer(data[end:], parts)
    if not any(kind in (b"VP8 ", b"VP8L", b"ANMF") for kind, _ in chunks):
        raise broken("WebP")
    orientation = orientation_of(parts.exif)
    inside = b"WEBP" + b"".join(
        _riff_chunk(kind, _webp_header(body, orientation) if kind == b"VP8X" else body) for kind, body in chunks
    )
    if orientation != 1:
        inside += _riff_chunk(b"EXIF", minimal_exif(orientation))
    parts.out += b"RIFF" + struct.pack("<I", len(inside)) + inside
    return parts


def _webp_header(body: bytes, orientation: int) -> bytes:
    """Return the extended header, saying what is still there."""
    if len(body) < 10:
        raise broken("WebP")
    flags = body[0] & ~(_HAS_EXIF | _HAS_XMP) | (_HAS_EXIF if orientation != 1 else 0)
    return bytes((flags, 0, 0, 0)) + body[4:10]


def _riff(data: bytes, at: int, end: int) -> list[tuple[bytes, bytes]]:
    found = []
    while at < end:
        if at + 8 > end:
            raise broken("WebP")
        (length,) = struct.unpack_from("<I", data, at + 4)
        if at + 8 + length > end:
            raise broken("WebP")
        found.append((data[at : at + 4], data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    return found


def _riff_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


# -- GIF (GIF89a) ---------------------------------------------------------------------------------------------------

_GIF_LOOPS: Final = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def gif(data: bytes) -> Parts:
    """Take a GIF apart; raises Unsupported when it is broken."""
    parts = Parts()
    try:
        at = 13 + _table(data[10])
        parts.out += data[:at]
        while True:
            start, kind = at, data[at]
            if kind == 0x3B:
                break
            if kind == 0x2C:
                at = _blocks_end(data, at + 11 + _table(data[at + 9]))
                parts.out += data[start:at]
            elif kind == 0x21:
                at = _blocks_end(data, at + 2)
                _gif_extension(data[start:at], parts)
            else:
                raise broken("GIF")
    except IndexError:
        raise broken("GIF") from None
    parts.out += b"\x3b"
    _note_trailer(data[at + 1 :], parts)
    return parts


def _gif_extension(extension: bytes, parts: Parts) -> None:
    label, name = extension[1], extension[3:14]
    if label == 0xF9 or (label == 0xFF and extension[2] == 11 and name in _GIF_LOOPS and len(extension) <= 19):
        parts.out += extension
    elif label == 0xFF and name == b"XMP DataXMP":
        parts.removed.append(("XMP", extension[14:]))
    else:
        parts.removed.append(("Comment" if label == 0xFE else f"Extension {label:02X}", extension[3:]))


def _table(flags: int) -> int:
    """Return the length of a colour table."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _blocks_end(data: bytes, at: int) -> int:
    """Return where a row of sub-blocks ends; raises IndexError."""
    while data[at]:
        at += 1 + data[at]
    return at + 1


CUTTERS: dict[str, Callable[[bytes], Parts]] = {
    "image/jpeg": jpeg,
    "image/png": png,
    "image/webp": webp,
    "image/gif": gif,
}
"""By media type; what is not here is encoded anew without loss, or refused."""
