"""Everything that reads untrusted bytes outside ``desktop.crypto``: answers of a server, files, and the server's side.

As ``tests.fuzz.parsers``: each entry returns or raises a named error, of ``desktop.errors`` or of the backend.
"""

from __future__ import annotations

import functools
import io
import json
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

from PIL import Image
from werkzeug.exceptions import RequestEntityTooLarge

from backend import backup_records
from backend.api.multipart import read_upload
from backend.backup_format import ArchiveWriter, BackupDamaged, canonical, from_canonical
from backend.backup_read import Verifier, read_backup
from backend.backup_write import Backup
from backend.errors import BackendError
from backend.services import envelope as server_envelope
from backend.services.signed import NotCanonical, parse_object
from backend.storage.embedded import open_storage
from backend.storage.protocol import Document, Permission, PictureRecord, PublishedFile, Revision, User
from desktop import image_formats
from desktop.client import answers, strip
from desktop.client.api_calls import _read_thumbnails, list_of
from desktop.client.transport import Answer
from desktop.crypto.classic_keys import ClassicPrivateKey, ClassicPublicKey
from desktop.crypto.key_formats import export_private, import_private
from desktop.errors import GlassineError
from tests import sample_pictures
from tests.fuzz import parsers as inner

NAMED: Final = (GlassineError, BackendError, BackupDamaged, NotCanonical, RequestEntityTooLarge)
"""What a parser may raise."""

BOUNDARY: Final = "edge"
READERS: Final[tuple[Callable[[Any], object], ...]] = (
    answers.server_info,
    answers.login,
    answers.user_info,
    answers.row,
    answers.present,
    answers.earlier_revision,
    answers.gone_record,
    answers.shared,
    answers.shared_row,
    answers.succession_record,
)
"""They read one document, each its own members; a list is read as a list by each."""


class _Raw(io.BytesIO):
    """A body as ``urllib3`` gives it."""

    def read(self, size: int | None = -1, decode_content: bool = False) -> bytes:
        return super().read(size)


def an_answer(data: bytes) -> object:
    """The JSON of a server, read by everything that reads JSON of servers."""
    head = {"Content-Type": "application/json", "ETag": '"' + "ab" * 32 + '"'}
    response = SimpleNamespace(status_code=409, headers=head, raw=_Raw(data))
    refusal = answers.failure(Answer(cast(Any, response)))
    response.raw.seek(0)
    document = Answer(cast(Any, response)).json(100 * answers.MAX_ROW)
    read = []
    for reader in READERS:
        try:
            read.append((list_of(reader) if isinstance(document, list) else reader)(document))
        except GlassineError:
            continue
    return refusal, read


def frames(data: bytes) -> object:
    """Many thumbnails in one answer."""
    return _read_thumbnails(data, ["a", "b", "c"])


def private_key(data: bytes) -> object:
    """A private key in any format; nothing that takes a passphrase is tried."""
    return import_private(data)


def classic_key(data: bytes) -> object:
    """A key of the classic scheme, taken as either half."""
    found: list[object] = []
    failure: GlassineError | None = None
    for kind in (ClassicPublicKey, ClassicPrivateKey):
        try:
            found.append(kind.from_text(inner.text(data)))
        except GlassineError as error:
            failure = error
    if failure is not None and not found:
        raise failure
    return found


def picture_file(data: bytes) -> object:
    """A picture as it is on the disk, looked at without being decoded."""
    with tempfile.NamedTemporaryFile(dir=_memory_folder()) as file:
        file.write(data)
        file.flush()
        return image_formats.read_info(Path(file.name))


def stripped(data: bytes) -> object:
    """A picture file that is shared without its metadata: the copy must be the same kind of file, and not grow."""
    strip.details(data)
    copy = strip.strip(data)
    kind = image_formats.detect_bytes(copy.data[: image_formats.HEAD_BYTES])
    if not copy.encoded_anew:
        assert kind is image_formats.detect_bytes(data[: image_formats.HEAD_BYTES])
        assert len(copy.data) <= len(data) + 64
    return copy


def thumbnail(data: bytes) -> object:
    """A decrypted thumbnail, before any decoder gets it."""
    image_formats.check_thumbnail(data)
    return "a thumbnail"


class _Parts:
    """Takes the parts of a form and checks that they are not more than the form."""

    def __init__(self, whole: int) -> None:
        self.left, self.names = whole, 0

    def begin(self, field: str | None, filename: str | None) -> _Parts:
        self.names += 1
        assert field is None or isinstance(field, str)
        assert filename is None or isinstance(filename, str)
        return self

    def write(self, data: bytes) -> None:
        self.left -= len(data)
        assert self.left >= 0

    def finish(self) -> None:
        pass


def form(data: bytes) -> object:
    """A multipart body, as the server reads it."""
    parts = _Parts(len(data))
    read_upload(io.BytesIO(data), len(data), BOUNDARY, cast(Any, parts))
    return parts


def index(data: bytes) -> object:
    """An envelope, as the server indexes it."""
    text = inner.text(data)
    found = server_envelope.index_envelope(text)
    place = server_envelope.place_of(text)
    assert found.picture_id == place.picture_id
    return found


def server_grant(data: bytes) -> object:
    """A grant, as the server checks it."""
    place = server_envelope.place_of(inner.made().envelope)
    return server_envelope.check_grant(inner.text(data), place, "write")


def server_record(data: bytes) -> object:
    """A record of a deletion or of a new key, as the server checks it."""
    text = inner.text(data)
    try:
        return parse_object(text, "gone")
    except NotCanonical:
        return parse_object(text, "succ", second_signature=True)


def backup(data: bytes) -> object:
    """The archive of a backup, checked and not restored."""
    with tempfile.NamedTemporaryFile(dir=_memory_folder()) as file:
        file.write(data)
        file.flush()
        return read_backup(Path(file.name), Verifier(), lambda *_: None)


def backup_record(data: bytes) -> object:
    """A record of a backup, as each of the kinds there are."""
    record = from_canonical(data)
    found: list[object] = []
    failure: BackupDamaged | None = None
    for read in (
        backup_records.user_from,
        backup_records.picture_from,
        backup_records.document_from,
        backup_records.file_from,
    ):
        try:
            found.append(read(record, "a record"))
        except BackupDamaged as error:
            failure = error
    if failure is not None and not found:
        raise failure
    return found


PARSERS: Final[dict[str, inner.Parser]] = {
    "answer": an_answer,
    "thumbnail frames": frames,
    "private key": private_key,
    "classic key": classic_key,
    "picture file": picture_file,
    "stripped": stripped,
    "thumbnail": thumbnail,
    "server form": form,
    "server envelope": index,
    "server grant": server_grant,
    "server record": server_record,
    "server backup": backup,
    "server backup record": backup_record,
}


@functools.cache
def seeds() -> dict[str, bytes]:
    """A good input of each parser."""
    return {
        "answer": json.dumps(_every_member()).encode(),
        "thumbnail frames": b"\0\0\0\x02xy\xff\xff\xff\xff\0\0\0\x01z",
        "private key": export_private(inner.key("owner"), "pkcs8", None),
        "classic key": b"27977 9431",
        "picture file": sample_pictures.jpeg(40, 30),
        "stripped": sample_pictures.jpeg(40, 30),
        "thumbnail": sample_pictures.jpeg(40, 30),
        "server form": _form(),
        "server envelope": inner.made().envelope.encode(),
        "server grant": inner.grant().encode(),
        "server record": inner.seeds()["succession"],
        "server backup": _backup(),
        "server backup record": canonical(backup_records.user_to(_user())),
    }


@functools.cache
def more_seeds() -> dict[str, tuple[bytes, ...]]:
    """Further good inputs of those parsers that read several kinds of thing."""
    key = inner.key("owner")
    document = _every_member()
    makers = (sample_pictures.png, sample_pictures.png_palette, sample_pictures.png_interlaced, sample_pictures.webp)
    others = (*(make(20, 10) for make in makers), _gif())
    return {
        "answer": (json.dumps([document]).encode(), b'{"message":"Not found"}', b'""'),
        "private key": (
            *(export_private(key, kind, None) for kind in ("pkcs1", "openssh")),
            inner.seeds()["key file"],
            b"9431 27977",
        ),
        "picture file": others,
        "stripped": others,
        "server record": (inner.seeds()["gone"],),
        "server backup record": tuple(canonical(record) for record in _records()),
    }


def _memory_folder() -> str | None:
    """A folder that is no disk, where there is one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def _every_member() -> dict[str, object]:
    """A document that is a good answer to every question."""
    return {
        "name": "glassine",
        "version": "1",
        "max_upload_bytes": 1 << 30,
        "registration": True,
        "user_id": "a" * 24,
        "userId": "a" * 24,
        "owner_id": "b" * 24,
        "owner_name": "anna",
        "user_name": "anna",
        "public_key": inner.key("owner").public.pem,
        "access_token": "a.b.c",
        "refresh_token": "d.e.f",
        "id": "c" * 24,
        "img_name": f"p-{inner.PICTURE}.png",
        "scheme": "sealed",
        "size": 7,
        "created": "2026-11-27T03:41:09.120Z",
        "deleted": "2026-11-27T03:41:09.120Z",
        "envelope": inner.made().envelope,
        "header_hash": inner.made().hash,
        "role": "read",
        "grant": inner.grant(),
        "picture_id": inner.PICTURE,
        "record": inner.seeds()["gone"].decode(),
        "old": "ab" * 32,
        "message": "Not found",
    }


def _gif() -> bytes:
    """Two frames with a comment."""
    frames = [Image.fromarray(sample_pictures.gradient(12, 8, seed)).convert("P") for seed in (1, 2)]
    target = io.BytesIO()
    frames[0].save(target, "GIF", save_all=True, append_images=frames[1:], comment=b"a comment", loop=0)
    return target.getvalue()


def _form() -> bytes:
    parts = [("envelope", "", b"{}"), ("thumbnail", "thumbnail", b"t" * 40), ("imageFile", "p-1.png", b"\x89PNG" * 30)]
    body = b""
    for name, file_name, data in parts:
        more = f'; filename="{file_name}"' if file_name else ""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
        body += head.encode() + data + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()


def _records() -> list[dict[str, Any]]:
    owner, now = "a" * 24, datetime(2026, 1, 1)
    picture = PictureRecord(
        "b" * 24, owner, f"p-{inner.PICTURE}.png", "sealed", 9, now, "", "0" * 64, envelope="{}", header_hash="1" * 64
    )
    readers = [Permission(picture.id, "c" * 24, "read")]
    entry = backup_records.PictureEntry(picture, [Revision(picture.id, "2" * 64, "{}", now)], readers, {"content": 9})
    return [
        backup_records.picture_to(entry),
        backup_records.document_to(Document(owner, "gone", inner.PICTURE, 1, b"{}", now)),
        backup_records.file_to(PublishedFile("d" * 24, owner, "a.png", 9, now, blob="e")),
    ]


def _user() -> User:
    return User("a" * 24, "anna", "", "27977 9431", datetime(2026, 1, 1))


@functools.cache
def _backup() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        storage = open_storage(Path(folder))
        try:
            storage.add_user(_user())
            whole, sums = io.BytesIO(), io.BytesIO()
            Backup(storage, ArchiveWriter(whole, sums), lambda *_: None).write(datetime(2026, 1, 1))
        finally:
            storage.close()
    return whole.getvalue()
