"""Answers that are the bytes of a blob: streamed, with a tag to compare and ranges to go on from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO
from urllib.parse import quote

from flask import Response, request
from werkzeug.datastructures import Range
from werkzeug.http import quote_etag

from backend.api.responses import json_response

CHUNK = 256 * 1024


class BlobBody:
    """Iterates over a stretch of an open file and closes it, whether or not it was read to the end."""

    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        self._file = file
        self._length = length
        file.seek(start)

    def __iter__(self) -> Iterator[bytes]:
        remaining = self._length
        while remaining > 0:
            data = self._file.read(min(CHUNK, remaining))
            if not data:
                raise OSError("A stored file is shorter than its record says")
            remaining -= len(data)
            yield data

    def close(self) -> None:
        """Close the file; WSGI servers call this in any case."""
        self._file.close()


def blob_response(open_blob: Callable[[], BinaryIO], *, size: int, etag: str, mimetype: str, filename: str) -> Response:
    """Answer the current GET or HEAD with a blob, or the part of it that was asked for.

    The blob is opened only when its bytes are sent. A range that begins behind the end gets 416 and the size.
    """
    if request.if_none_match.contains_weak(etag):
        return _tagged(Response(status=304), etag)
    wanted = _range(size, etag)
    if wanted == "unsatisfiable":
        response = json_response({"message": "Requested range not satisfiable"}, 416)
        response.headers["Content-Range"] = f"bytes */{size}"
        return _tagged(response, etag)
    start, stop = wanted if isinstance(wanted, tuple) else (0, size)
    response = Response(status=206 if isinstance(wanted, tuple) else 200, mimetype=mimetype)
    if isinstance(wanted, tuple):
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    if request.method != "HEAD":
        response.response = BlobBody(open_blob(), start, stop - start)
        response.direct_passthrough = True
    response.content_length = stop - start
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in filename)
    response.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename)}"
    return _tagged(response, etag)


def _range(size: int, etag: str) -> tuple[int, int] | str | None:
    """The stretch to send; None for all of it: as without a range, or with one that may be ignored (several at once,
    another unit, of another version)."""
    asked: Range | None = request.range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return None
    tag = f'"{etag}"'
    if request.headers.get("If-Range", tag) != tag:
        return None
    start, stop = asked.ranges[0]
    if start < 0:  # so many from the end, or all when there are fewer
        start = max(0, size + start)
    stop = size if stop is None else min(stop, size)
    return (start, stop) if start < stop else "unsatisfiable"


def _tagged(response: Response, etag: str) -> Response:
    if '"' not in etag:  # or the record is damaged, which is for those to notice who open the picture
        response.headers["ETag"] = quote_etag(etag)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = "private, no-cache"
    return response
