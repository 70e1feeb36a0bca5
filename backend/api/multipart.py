"""Streams a ``multipart/form-data`` body into an upload, part by part, never holding a part in memory.

Werkzeug's own form parser streams parts that have a file name, but keeps fields without one in memory; a classic
quotient is such a field and may be many megabytes (docs/adr/0040).
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Protocol

from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from backend.errors import Malformed

if TYPE_CHECKING:
    from backend.services.uploads import Part

CHUNK = 256 * 1024
_BUFFER = 2 * CHUNK
"""Bounds what the decoder holds back: the headers of one part, or what might be the start of a boundary."""
_PARTS = 50


class Receiver(Protocol):
    """Takes the parts of a form."""

    def begin(self, field: str | None, filename: str | None) -> Part:
        """Begin a part, which has a file name if it is a file."""
        ...


def read_upload(stream: IO[bytes], length: int | None, boundary: str, upload: Receiver) -> None:
    """Read a whole body into an upload.

    Args:
        stream: The body.
        length: Its length; None when it comes in chunks.
        boundary: The boundary that the content type names.
        upload: What takes the parts.

    Raises:
        Malformed: It is not multipart, or ends early.
        RequestEntityTooLarge: More parts or longer part headers than anybody needs.
        Invalid, TooLarge, StorageError: From the upload's parts.
    """
    if not boundary or len(boundary) > 200 or not boundary.isascii():
        raise Malformed("The form data has no usable boundary")
    decoder = MultipartDecoder(boundary.encode("ascii"), _BUFFER, max_parts=_PARTS)
    part: Part | None = None
    remaining = length
    while True:
        # Not a byte behind the end: werkzeug's stream would call a body of just the largest size too large.
        wanted = CHUNK if remaining is None else min(CHUNK, remaining)
        chunk = stream.read(wanted) if wanted else b""
        if remaining is not None:
            remaining -= len(chunk)
        try:
            decoder.receive_data(chunk or None)
            event = decoder.next_event()
        except ValueError:
            raise Malformed("The form data is malformed") from None
        while not isinstance(event, NeedData | Epilogue):
            if isinstance(event, Field | File):
                part = upload.begin(event.name, event.filename if isinstance(event, File) else None)
            elif isinstance(event, Data) and part is not None:
                if event.data:
                    part.write(event.data)
                if not event.more_data:
                    part.finish()
            try:
                event = decoder.next_event()
            except ValueError:
                raise Malformed("The form data is malformed") from None
        if isinstance(event, Epilogue):
            return
