"""A whole session watched on the disk: nothing that was encrypted is ever there in the clear but where it is exported.

Everything the program and its server write is looked through after every step, and all the time by a thread meanwhile.
"""

from __future__ import annotations

import multiprocessing
import os
import secrets
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from desktop import embedded, errors
from desktop.client.session import Sessions
from desktop.config import Config
from tests.client.conftest import PASSPHRASE, Somewhere
from tests.sample_pictures import photograph

PIECE = 64
"""Bytes of a marker: long enough never to come up by chance."""


class Watch:
    """Looks through folders for markers."""

    def __init__(self, folders: list[Path]) -> None:
        self.folders = folders
        self.markers: dict[str, bytes] = {}
        self.found: set[str] = set()
        self.files_seen: set[Path] = set()

    def look(self) -> None:
        """Look through every file there is now."""
        for folder in self.folders:
            for root, _, names in os.walk(folder):
                for name in names:
                    self._look_at(Path(root) / name)

    def _look_at(self, path: Path) -> None:
        try:
            content = path.read_bytes()
        except OSError:  # gone meanwhile
            return
        self.files_seen.add(path)
        for what, marker in list(self.markers.items()):
            if marker in content or marker in str(path).encode():
                self.found.add(f"{what} in {path}")

    @contextmanager
    def all_the_time(self) -> Iterator[None]:
        """Look again and again while the block runs."""
        over = threading.Event()

        def run() -> None:
            while not over.is_set():
                self.look()
                over.wait(0.01)

        thread = threading.Thread(target=run, name="watching the disk")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self.look()


def marked_picture() -> tuple[bytes, str]:
    """A photograph that is like no other, and its name."""
    content = photograph(secrets.randbelow(1 << 30), 300, 200)
    return content, f"Marker-{secrets.token_hex(8)}.jpg"


def add_markers(watch: Watch, content: bytes, name: str) -> None:
    middle = len(content) // 2
    watch.markers[f"{name} content"] = content[middle : middle + PIECE]
    watch.markers[f"{name} name"] = name.removesuffix(".jpg").encode()


def test_a_whole_session_leaves_no_plaintext(place: Somewhere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temp = tmp_path / "temp"
    temp.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temp))
    watch = Watch([place.data, place.store, temp])
    watch.markers["passphrase"] = PASSPHRASE.encode()
    pictures = [marked_picture() for _ in range(3)]
    for content, name in pictures:
        add_markers(watch, content, name)
    exports = place.outside / "exports"
    exports.mkdir()
    with watch.all_the_time():
        vault = place.vault
        sources = [place.source(content, name) for content, name in pictures]
        ids = [vault.upload(vault.seal(source)).id for source in sources[:2]]
        vault.save_queue(sources)
        vault.list_pictures()
        thumbnails = vault.thumbnails(ids)
        for picture_id, jpeg in thumbnails.items():
            middle = len(jpeg) // 2
            watch.markers[f"thumbnail {picture_id}"] = jpeg[middle : middle + PIECE]
        assert bytes(vault.open(ids[0]).data) == pictures[0][0]
        exported = vault.export(ids[1], exports)
        assert exported.read_bytes() == pictures[1][0]
        with suppress(errors.Cancelled):
            vault.export(ids[0], exports, cancelled=lambda: True)
        vault.seal(sources[2])
        place.session.lock()
        uploads = place.session.locked_uploads()
        assert uploads is not None
        for waiting in uploads.waiting():
            uploads.send(waiting)
        place.session.unlock(PASSPHRASE)
        vault = place.vault
        listed = [picture.id for picture in vault.list_pictures()]
        vault.thumbnails(listed)
        vault.delete(listed[0])
        vault.list_bin()
        vault.restore(listed[0])
        vault.sync_ledger()
        place.restart()
        place.vault.list_pictures()
        place.vault.thumbnails(listed)
        assert len(listed) == 3
    assert watch.found == set()
    assert len(watch.files_seen) > 5
    assert {path.name for path in exports.iterdir()} == {pictures[1][1]}


def _export_for_ever(data: Path, folder: Path, picture_id: str, exports: Path, ready: int) -> None:
    session = Sessions(Config(data), embedded.start).open_vault(folder, PASSPHRASE)
    vault = session.vault()
    vault.list_pictures()
    while True:
        vault.open(picture_id)
        vault.thumbnails([picture_id])
        for path in [vault.export(picture_id, exports), *exports.iterdir()]:
            os.write(ready, b".")
            path.unlink(missing_ok=True)


def test_a_killed_program_leaves_none_either(here: Somewhere, tmp_path: Path) -> None:
    content, name = marked_picture()
    picture_id = here.add(content, name)
    watch = Watch([here.data, here.store])
    add_markers(watch, content, name)
    folder = here.session.place.folder
    here.session.close()
    exports = tmp_path / "exports"
    exports.mkdir()
    reading, writing = os.pipe()
    arguments = (here.data, folder, picture_id, exports, writing)
    process = multiprocessing.get_context("fork").Process(target=_export_for_ever, args=arguments)
    process.start()
    os.close(writing)
    assert os.read(reading, 1) == b"."
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(30)
    os.close(reading)
    watch.look()
    assert watch.found == set()
    here.session = here.sign_in()
    here.vault.list_pictures()
    watch.look()
    assert watch.found == set()


def test_the_watch_itself_notices(tmp_path: Path) -> None:
    watch = Watch([tmp_path])
    content, name = marked_picture()
    add_markers(watch, content, name)
    with watch.all_the_time():
        (tmp_path / "leak").write_bytes(b"before" + content + b"after")
        (tmp_path / name).write_bytes(b"")
    assert len(watch.found) == 2
