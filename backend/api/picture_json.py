"""Pictures as JSON, the way the API's first clients read them, written while the blobs are read.

``img_content`` is the PNG's bytes as ISO-8859-1 text. Everything is escaped to ASCII: such clients let their HTTP
library guess the encoding of the answer, and no guess goes wrong on ASCII.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO

from flask import Response, request

from backend.errors import ImageNotFound, PictureReplaced

if TYPE_CHECKING:
    from backend.services.pictures import Pictures
    from backend.storage.protocol import PictureRecord

CHUNK = 128 * 1024


class JsonBody:
    """Iterates over JSON made on the way and closes what it opened, whether or not it was read to the end."""

    def __init__(self, parts: Iterator[bytes], opened: ExitStack) -> None:
        self._parts = parts
        self._opened = opened

    def __iter__(self) -> Iterator[bytes]:
        return self._parts

    def close(self) -> None:
        """Close the files; WSGI servers call this in any case."""
        self._opened.close()


def picture_json_response(pictures: Pictures, picture: PictureRecord) -> Response:
    """One picture. Its blobs are opened before the answer begins, so that a missing one is still an error."""
    opened = ExitStack()
    if request.method == "HEAD":
        return _response(iter(()), opened)
    with ExitStack() as opening:
        content, quotient = _open(pictures, picture, opening)
        opened = opening.pop_all()
    return _response(_picture(picture, content, quotient), opened)


def pictures_json_response(pictures: Pictures, owner_id: str) -> Response:
    """All of an owner's pictures in one list."""
    opened = ExitStack()
    if request.method == "HEAD":
        return _response(iter(()), opened)
    return _response(_all(pictures, owner_id, opened), opened)


def _response(parts: Iterator[bytes], opened: ExitStack) -> Response:
    response = Response(JsonBody(parts, opened), mimetype="application/json")
    response.direct_passthrough = True
    return response


def _open(pictures: Pictures, picture: PictureRecord, opened: ExitStack) -> tuple[BinaryIO, BinaryIO | None]:
    content = opened.enter_context(pictures.open_stored(picture))
    quotient = opened.enter_context(pictures.open(picture.quotient_blob)) if picture.quotient_blob else None
    return content, quotient


def _all(pictures: Pictures, owner_id: str, opened: ExitStack) -> Iterator[bytes]:
    separator = b"["
    for listed in pictures.walk(owner_id):
        picture = listed
        try:
            try:
                content, quotient = _open(pictures, picture, opened)
            except PictureReplaced:
                picture = pictures.again(picture)
                content, quotient = _open(pictures, picture, opened)
        except (ImageNotFound, PictureReplaced):
            opened.close()
            continue  # deleted since the list was read, or replaced all the time
        yield separator
        separator = b","
        yield from _picture(picture, content, quotient)
        opened.close()
    yield b"]" if separator == b"," else b"[]"


def _picture(picture: PictureRecord, content: BinaryIO, quotient: BinaryIO | None) -> Iterator[bytes]:
    yield b'{"img_content":"'
    yield from _text(content, "iso-8859-1")
    yield b'","img_name":' + json.dumps(picture.name).encode("ascii") + b',"quotient":"'
    if quotient is not None:
        yield from _text(quotient, "utf-8")
    yield b'"'
    if picture.envelope:
        yield b',"envelope":' + json.dumps(picture.envelope).encode("ascii")
    yield b"}"


def _text(blob: BinaryIO, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    while data := blob.read(CHUNK):
        yield json.dumps(decoder.decode(data))[1:-1].encode("ascii")
    yield json.dumps(decoder.decode(b"", True))[1:-1].encode("ascii")
