"""What waits on the disk: complete or gone, also when the disk is full, read-only or damaged."""

from __future__ import annotations

import errno
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from desktop import errors
from desktop.client.staging import CARRIER, MANIFEST, THUMBNAIL
from tests import sample_pictures
from tests.client.conftest import PASSPHRASE, Somewhere


def staging(somewhere: Somewhere) -> Path:
    return somewhere.session.place.folder / "staging"


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """The kernel refuses to let any file grow above ``size`` bytes, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 1000, 100_000], ids=["none", "a-little", "half"])
def test_a_full_disk_leaves_nothing_half_written(place: Somewhere, room: int) -> None:
    kept = place.add(sample_pictures.png(seed=1))
    place.vault.list_pictures()
    source = place.source(sample_pictures.png(1000, 700, seed=2))

    with no_file_above(room), pytest.raises(errors.StorageFull):
        place.vault.seal(source)

    assert list(staging(place).iterdir()) == []
    assert place.vault.staged() == []
    assert [picture.id for picture in place.vault.list_pictures()] == [kept]
    place.vault.upload(place.vault.seal(source))  # and with room it works


def test_an_export_to_a_full_disk_leaves_nothing(here: Somewhere) -> None:
    picture_id = here.add(sample_pictures.png(1000, 700, seed=2))
    target = here.outside / "target"
    target.mkdir()
    with no_file_above(50_000), pytest.raises(errors.StorageFull):
        here.vault.export(picture_id, target)
    assert list(target.iterdir()) == []


def test_a_full_backend_keeps_the_staged_copy(here: Somewhere) -> None:
    staged = here.vault.seal(here.source(sample_pictures.png(1000, 700, seed=2)))
    with no_file_above(100_000), pytest.raises(errors.StorageFull):
        here.vault.upload(staged)
    assert [item.picture.id for item in here.vault.staged()] == [staged.picture.id]
    here.vault.upload(staged)
    assert [picture.id for picture in here.vault.list_pictures()] == [staged.picture.id]


def test_a_staging_folder_that_may_not_be_written(here: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    source = here.source(sample_pictures.png(seed=2))
    here.vault.list_pictures()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(errors.StorageReadOnly):
        here.vault.seal(source)
    monkeypatch.undo()
    here.vault.seal(source)


@pytest.mark.parametrize("missing", [MANIFEST, CARRIER, THUMBNAIL])
def test_incomplete_ones_are_removed_or_left_alone(here: Somewhere, missing: str) -> None:
    whole = here.vault.seal(here.source(sample_pictures.png(seed=1)))
    broken = here.vault.seal(here.source(sample_pictures.png(seed=2)))
    (broken.folder / missing).unlink()
    here.restart()

    assert [item.picture.id for item in here.vault.staged()] == [whole.picture.id]
    # without a manifest it never counted; with one, nobody knows what happened, so nothing is deleted
    assert broken.folder.exists() is (missing != MANIFEST)


@pytest.mark.parametrize("name", [MANIFEST, CARRIER, THUMBNAIL])
@pytest.mark.parametrize("how", ["empty", "longer", "noise"])
def test_damaged_ones_are_never_shown(here: Somewhere, name: str, how: str) -> None:
    whole = here.vault.seal(here.source(sample_pictures.png(seed=1)))
    broken = here.vault.seal(here.source(sample_pictures.png(seed=2)))
    path = broken.folder / name
    content = path.read_bytes()
    damaged = {"empty": b"", "longer": content + b"x", "noise": os.urandom(len(content))}[how]
    path.write_bytes(damaged)
    here.restart()

    ids = [item.picture.id for item in here.vault.staged()]
    if name == CARRIER and how == "noise":
        # large, and therefore only read when it is sent
        assert ids == [whole.picture.id, broken.picture.id]
        with pytest.raises(errors.Damaged, match="Add the picture again"):
            here.vault.upload(here.vault.staged()[1])
        assert here.vault.list_pictures() == []
        assert not broken.folder.exists()
        here.add(sample_pictures.png(seed=2))
    else:
        assert ids == [whole.picture.id]


def test_anothers_staged_picture_is_left_alone(here: Somewhere, tmp_path: Path) -> None:
    """A folder copied in under another id, or from another person, is not taken for one's own."""
    staged = here.vault.seal(here.source(sample_pictures.png(seed=1)))
    shutil.copytree(staged.folder, staging(here) / ("0" * 32))
    here.restart()
    assert [item.picture.id for item in here.vault.staged()] == [staged.picture.id]


def test_files_that_do_not_belong_there_are_not_touched(here: Somewhere) -> None:
    here.vault.seal(here.source(sample_pictures.png(seed=1)))
    stranger = staging(here) / "notes.txt"
    stranger.write_text("mine")
    outside = here.outside / "precious"
    outside.mkdir()
    (outside / "picture.png").write_bytes(b"x")
    (staging(here) / ("f" * 32)).symlink_to(outside)
    here.restart()
    assert stranger.read_text() == "mine"
    assert (outside / "picture.png").exists()


def test_discarding(here: Somewhere) -> None:
    content = sample_pictures.png(seed=1)
    staged = here.vault.seal(here.source(content))
    here.vault.discard(staged)
    assert not staged.folder.exists()
    here.vault.discard(staged)
    here.vault.seal(here.source(content))  # its content is free again


def test_a_source_that_changes_is_refused(here: Somewhere) -> None:
    source = here.source(sample_pictures.png(900, 700, seed=1))
    size = source.stat().st_size
    changed = False

    def change(done: int, total: int) -> None:
        nonlocal changed
        if done > size and not changed:
            changed = True
            source.write_bytes(sample_pictures.png(900, 700, seed=2))

    with pytest.raises(errors.SourceChanged):
        here.vault.seal(source, change)
    assert changed
    assert list(staging(here).iterdir()) == []


def test_a_source_that_is_no_file(here: Somewhere) -> None:
    pipe = here.outside / "pipe.png"
    os.mkfifo(pipe)
    for source in (pipe, here.outside, here.outside / "gone.png"):
        with pytest.raises(errors.FileUnreadable):
            here.vault.seal(source)


def test_a_file_that_is_too_large(here: Somewhere) -> None:
    source = here.outside / "sparse.png"
    with source.open("wb") as file:
        file.write(sample_pictures.png())
        file.truncate(750_000_001)
    with pytest.raises(errors.TooLarge, match="750 MB"):
        here.vault.seal(source)


def test_a_server_that_has_lost_its_copy_costs_no_waiting_picture(
    place: Somewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged = place.vault.seal(place.source(sample_pictures.png(seed=60)))

    def lost(*_: Any, **__: Any) -> None:
        raise errors.Damaged  # what the answer "The stored data cannot be read" becomes

    with monkeypatch.context() as failing:
        failing.setattr(place.session.api, "upload_sealed", lost)
        with pytest.raises(errors.Damaged):
            place.vault.upload(staged)
    [again] = place.vault.staged()
    assert place.vault.upload(again).id == staged.picture.id


def test_what_is_refused_while_locked_is_not_noted_as_sent(there: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    staged = there.vault.seal(there.source(sample_pictures.png(seed=61)))
    there.session.lock()
    uploads = there.session.locked_uploads()
    assert uploads is not None

    def full(*_: Any, **__: Any) -> None:
        raise errors.StorageFull

    with monkeypatch.context() as failing:
        failing.setattr(there.session.api, "upload_sealed", full)
        with pytest.raises(errors.StorageFull):
            uploads.send(uploads.waiting()[0])
    there.session.unlock(PASSPHRASE)
    assert there.vault.context().memory.intents() == []
    assert there.vault.upload(there.vault.staged()[0]).id == staged.picture.id


def test_what_a_killed_program_left_half_sealed_elsewhere_goes_too(place: Somewhere) -> None:
    """A change of the key, a new epoch, a copy or a new version, cut off; also where nobody else is ever met."""
    folder = place.session.place.folder
    left = [folder / "attempts" / "1-0123456789abcdef", folder / "revisions" / ("cd" * 32) / ("ab" * 16)]
    for half in left:
        half.mkdir(parents=True)
        (half / CARRIER).write_bytes(b"half of it")
    place.restart()
    assert place.vault.list_pictures() == []
    assert not any(half.exists() for half in left)
