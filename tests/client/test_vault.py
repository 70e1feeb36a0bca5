"""The vault's main job, over both transports, with real storage and real cryptography."""

from __future__ import annotations

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from desktop import errors
from desktop.client import exporting
from desktop.models import PictureState, Scheme
from tests import sample_pictures
from tests.client.conftest import Somewhere

MARKER = b"MARKER-of-plaintext-that-must-not-be-found"


def marked_jpeg(seed: int = 5) -> bytes:
    """A JPEG that ends in bytes that are easy to find."""
    return sample_pictures.jpeg(seed=seed) + MARKER


def test_every_kind_of_picture_comes_back_to_the_byte(place: Somewhere) -> None:
    sources = sample_pictures.good_pictures()
    ids = {name: place.add(content, name) for name, content in sources.items()}
    place.restart()

    pictures = {picture.id: picture for picture in place.vault.list_pictures()}

    assert [pictures[ids[name]].name for name in sources] == list(sources)
    target = place.outside / "exported"
    target.mkdir()
    for name, content in sources.items():
        opened = place.vault.open(ids[name])
        assert bytes(opened.data) == content
        assert opened.picture == pictures[ids[name]]
        assert opened.picture.state is PictureState.READY
        assert opened.picture.scheme is Scheme.SEALED
        exported = place.vault.export(ids[name], target)
        assert exported == target / name
        assert exported.read_bytes() == content
    assert sorted(path.name for path in target.iterdir()) == sorted(sources)
    turned = pictures[ids["turned.jpg"]]
    assert (turned.width, turned.height, turned.media_type) == (300, 400, "image/jpeg")
    assert turned.taken is not None
    assert turned.taken.isoformat() == "2026-03-14T09:26:53"


def test_thumbnails_of_many_come_in_few_requests(place: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [place.add(sample_pictures.png(40, 30, seed=seed), f"{seed}.png") for seed in range(5)]
    place.restart()
    place.vault.list_pictures()
    asked: list[int] = []
    fetch = place.session.api.thumbnails

    def count(user_id: str, names: list[str], *more: object) -> dict[str, bytes]:
        asked.append(len(names))
        return fetch(user_id, names, *more)

    monkeypatch.setattr(place.session.api, "thumbnails", count)

    thumbnails = place.vault.thumbnails([*ids, "0" * 32])

    assert list(thumbnails) == ids or set(thumbnails) == set(ids)
    assert all(jpeg.startswith(b"\xff\xd8\xff") for jpeg in thumbnails.values())
    assert sum(asked) in ({5} if place.kind == "embedded" else {0, 5})
    assert len(asked) <= 1


def test_the_same_content_is_stored_once(place: Somewhere) -> None:
    content = sample_pictures.png(seed=11)
    picture_id = place.add(content, "first name.png")

    with pytest.raises(errors.AlreadyStored) as again:
        place.vault.seal(place.source(content, "another name.png"))
    assert again.value.picture_id == picture_id

    place.restart()  # known again without listing first
    with pytest.raises(errors.AlreadyStored) as later:
        place.vault.seal(place.source(content, "third name.png"))
    assert later.value.picture_id == picture_id
    place.vault.delete(picture_id)
    with pytest.raises(errors.AlreadyStored) as binned:
        place.vault.seal(place.source(content, "after deleting.png"))
    assert (binned.value.picture_id, binned.value.in_bin) == (picture_id, True)
    place.vault.purge([picture_id])
    assert place.add(content, "after purging.png") != picture_id


def test_the_same_content_dropped_twice_at_once_is_sealed_once(here: Somewhere) -> None:
    content = sample_pictures.png(seed=12)
    start = threading.Barrier(4)

    def seal(number: int) -> str:
        source = here.outside / f"copy {number}.png"
        source.write_bytes(content)
        start.wait()
        try:
            return "sealed " + here.vault.seal(source).picture.id
        except errors.AlreadyStored as error:
            return "stored " + error.picture_id

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(seal, range(4)))

    assert [outcome[:6] for outcome in sorted(outcomes)] == ["sealed", "stored", "stored", "stored"]
    assert len({outcome[7:] for outcome in outcomes}) == 1


@pytest.mark.parametrize("name", sample_pictures.bad_files())
def test_bad_files_are_named_and_leave_nothing(here: Somewhere, name: str) -> None:
    source = here.source(sample_pictures.bad_files()[name], name)

    with pytest.raises((errors.Unsupported, errors.TooLarge)) as refused:
        here.vault.seal(source)

    words = {"cut off.png": "too early", "a letter.png": "text", "nothing.png": "empty", "huge.png": "megapixels"}
    assert words[name] in refused.value.message
    assert here.vault.staged() == []
    assert not list((here.data / "vault" / "staging").glob("*"))


def test_deleting(place: Somewhere) -> None:
    stays, goes = place.add(sample_pictures.png(seed=1)), place.add(sample_pictures.png(seed=2))

    place.vault.delete(goes)

    assert [picture.id for picture in place.vault.list_pictures()] == [stays]
    with pytest.raises(errors.NotFound):
        place.vault.open(goes)
    with pytest.raises(errors.NotFound):
        place.vault.delete(goes)


def test_pages_arrive_while_listing_goes_on(place: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop.client.api.FIRST_PAGE_ROWS", 2)
    monkeypatch.setattr("desktop.client.api.PAGE_ROWS", 3)
    ids = [place.add(sample_pictures.png(20, 20, seed=seed)) for seed in range(7)]
    pages: list[list[str]] = []
    reports: list[tuple[int, int]] = []

    pictures = place.vault.list_pictures(
        lambda done, total: reports.append((done, total)),
        lambda: False,
        lambda page: pages.append([picture.id for picture in page]),
    )

    assert pages == [ids[:2], ids[2:5], ids[5:]]
    assert [picture.id for picture in pictures] == ids
    assert reports == [(2, 7), (5, 7), (7, 7)]


def test_two_seal_and_two_upload_at_the_same_time(place: Somewhere) -> None:
    contents = [sample_pictures.png(90, 70, seed=seed) for seed in range(12)]
    sources = [place.source(content, f"{number}.png") for number, content in enumerate(contents)]
    with ThreadPoolExecutor(2) as sealers, ThreadPoolExecutor(2) as uploaders:
        staged = [sealers.submit(place.vault.seal, source) for source in sources]
        stored = [uploaders.submit(lambda item: place.vault.upload(item.result()), item) for item in staged]
        ids = [item.result().id for item in stored]

    assert {picture.id for picture in place.vault.list_pictures()} == set(ids)
    for picture_id, content in zip(ids, contents, strict=True):
        assert bytes(place.vault.open(picture_id).data) == content
    assert place.vault.staged() == []


def test_exporting_never_overwrites(place: Somewhere) -> None:
    content = sample_pictures.png(seed=3)
    picture_id = place.add(content, "wedding.png")
    (place.outside / "wedding.png").write_bytes(b"somebody's own")

    exported = [place.vault.export(picture_id, place.outside).name for _ in range(2)]

    assert exported == ["wedding (2).png", "wedding (3).png"]
    assert (place.outside / "wedding.png").read_bytes() == b"somebody's own"


def test_an_exported_picture_is_as_old_as_it_says(place: Somewhere) -> None:
    taken = sample_pictures.photograph(1, taken="2019:07:04 18:30:05")
    copy = place.vault.export(place.add(taken, "summer.jpg"), place.outside)
    assert datetime.fromtimestamp(copy.stat().st_mtime) == datetime(2019, 7, 4, 18, 30, 5)  # noqa: DTZ006

    before = time.time()
    copy = place.vault.export(place.add(sample_pictures.png(seed=4), "undated.png"), place.outside)
    assert copy.stat().st_mtime >= before - 2


@pytest.mark.parametrize("taken", ["", "0001-01-01T00:00:00", "9999-12-31T23:59:59"])
def test_a_time_that_no_file_can_have_harms_nothing(tmp_path: Path, taken: str) -> None:
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(b"picture")
    exporting.set_time(copy, taken)
    assert copy.read_bytes() == b"picture"


def test_an_export_that_fails_leaves_no_file(here: Somewhere) -> None:
    picture_id = here.add(sample_pictures.png(seed=3))
    blobs = [path for path in (here.store / "blobs").rglob("*") if path.is_file() and path.stat().st_size > 10_000]
    assert len(blobs) == 1
    damaged = bytearray(blobs[0].read_bytes())
    damaged[len(damaged) // 2] ^= 1
    blobs[0].write_bytes(damaged)
    target = here.outside / "target"
    target.mkdir()

    with pytest.raises(errors.Damaged):
        here.vault.export(picture_id, target)
    with pytest.raises(errors.Damaged):
        here.vault.open(picture_id)

    assert list(target.iterdir()) == []


def test_exporting_to_a_folder_that_is_not_there(here: Somewhere) -> None:
    picture_id = here.add(sample_pictures.png(seed=3))
    with pytest.raises(errors.FileUnreadable, match="no folder"):
        here.vault.export(picture_id, here.outside / "nowhere")


def test_the_extension_follows_the_content(here: Somewhere) -> None:
    content = sample_pictures.jpeg(seed=4)
    picture_id = here.add(content, "really a jpeg.png")

    exported = here.vault.export(picture_id, here.outside)

    assert exported.name == "really a jpeg.jpg"
    assert exported.read_bytes() == content


def test_cancelling_a_seal_leaves_nothing(here: Somewhere) -> None:
    source = here.source(sample_pictures.png(1200, 900, seed=7))
    seen: list[int] = []

    with pytest.raises(errors.Cancelled):
        here.vault.seal(
            source, lambda done, total: seen.append(done * 100 // total), lambda: bool(seen) and seen[-1] > 50
        )

    assert seen[-1] > 50  # it was being encrypted
    assert here.vault.staged() == []
    assert list((here.data / "vault" / "staging").iterdir()) == []
    assert here.vault.seal(source).picture.name == "picture.png"  # and can be tried again


def test_cancelling_an_upload_keeps_the_staged_copy(place: Somewhere) -> None:
    staged = place.vault.seal(place.source(sample_pictures.png(1200, 900, seed=8)))
    sent: list[int] = []

    with pytest.raises(errors.Cancelled):
        place.vault.upload(staged, lambda done, _: sent.append(done), lambda: bool(sent) and sent[-1] > 200_000)

    assert 200_000 < sent[-1] < staged.size
    assert place.vault.list_pictures() == []
    assert [item.picture.id for item in place.vault.staged()] == [staged.picture.id]
    assert place.vault.upload(staged).id == staged.picture.id
    place.vault.discard(staged)
    assert len(place.vault.list_pictures()) == 1


def test_progress_ends_at_the_whole(place: Somewhere) -> None:
    source = place.source(sample_pictures.png(700, 500, seed=9))
    seals: list[tuple[int, int]] = []
    uploads: list[tuple[int, int]] = []
    staged = place.vault.seal(source, lambda done, total: seals.append((done, total)))
    place.vault.upload(staged, lambda done, total: uploads.append((done, total)))

    size = source.stat().st_size
    assert seals[-1] == (2 * size, 2 * size)
    assert seals == sorted(seals)
    assert uploads[-1][0] == uploads[-1][1] >= staged.size
    assert uploads == sorted(uploads)


def test_what_was_staged_before_a_restart_is_uploaded_after_it(place: Somewhere) -> None:
    content = marked_jpeg()
    before = place.vault.seal(place.source(content, "left over.jpg"))
    place.restart()

    [staged] = place.vault.staged()
    assert (staged.picture.id, staged.picture.name, staged.thumbnail) == (
        before.picture.id,
        "left over.jpg",
        before.thumbnail,
    )
    with pytest.raises(errors.AlreadyStored):
        place.vault.seal(place.source(content))
    place.vault.upload(staged)

    assert bytes(place.vault.open(staged.picture.id).data) == content
    assert place.vault.staged() == []


def test_an_upload_whose_answer_was_lost_makes_no_duplicate(place: Somewhere, tmp_path: Path) -> None:
    import shutil

    staged = place.vault.seal(place.source(sample_pictures.png(seed=21)))
    kept = tmp_path / "kept"
    shutil.copytree(staged.folder, kept)
    place.vault.upload(staged)
    shutil.copytree(kept, staged.folder)  # as if the program had died right after the server's answer
    place.restart()

    [again] = place.vault.staged()
    assert place.vault.upload(again).id == staged.picture.id
    assert [picture.id for picture in place.vault.list_pictures()] == [staged.picture.id]
    assert place.vault.staged() == []


def test_no_plaintext_is_left_on_the_disk(place: Somewhere) -> None:
    """Neither contents nor names, after a whole session with uploads, thumbnails, opening and a waiting queue."""
    name = "Confidential wedding of Mara.jpg"
    content = marked_jpeg(seed=31)
    picture_id = place.add(content, name)
    left = place.vault.seal(place.source(marked_jpeg(seed=32), "Secret staged one.jpg"))
    place.vault.list_pictures()
    jpegs = [*place.vault.thumbnails([picture_id]).values(), left.thumbnail]
    place.vault.open(picture_id)
    place.vault.save_queue([place.outside / "Hidden waiting.jpg"])
    place.session.close()

    secrets = [
        MARKER,
        b"Confidential",
        b"Secret staged",
        b"Hidden waiting",
        content[100:160],
        *[j[200:260] for j in jpegs],
    ]
    searched = 0
    for root in (place.data, place.store):
        for path in root.rglob("*"):
            if path.is_file():
                searched += 1
                found = [secret for secret in secrets if secret in path.read_bytes()]
                assert not found, f"{path}: {found}"
    assert searched > 5
    place.session = place.sign_in()
    assert place.vault.load_queue() == [place.outside / "Hidden waiting.jpg"]


def test_everything_local_is_private(place: Somewhere) -> None:
    place.vault.seal(place.source(sample_pictures.png(seed=41)))
    place.add(sample_pictures.png(seed=42))
    place.vault.save_queue([Path("/x")])
    for path in place.data.rglob("*"):
        expected = 0o700 if path.is_dir() else 0o600
        if path.name.endswith(".glassine-key") or path in (place.data / "vault", place.data / "keys"):
            continue  # put there by the fixture
        assert path.stat().st_mode & 0o777 == expected, path


def test_a_locked_vault_forgets(place: Somewhere) -> None:
    picture_id = place.add(sample_pictures.png(seed=43))
    vault = place.vault
    place.session.lock()

    assert place.session.locked
    assert place.session.key is None
    for use in (lambda: vault.open(picture_id), lambda: vault.thumbnails([picture_id]), vault.staged):
        with pytest.raises((errors.KeyMissing, errors.NotFound)):
            use()
    with pytest.raises(errors.KeyMissing):
        place.session.vault()


def test_what_is_stored_is_a_picture_of_noise(place: Somewhere) -> None:
    from PIL import Image

    content = sample_pictures.png(400, 300, seed=44)
    staged = place.vault.seal(place.source(content))
    with Image.open(staged.carrier) as image:
        image.load()
        assert image.mode == "RGB"
        histogram = image.histogram()
    assert min(histogram) > 0
    assert max(histogram) < 3 * sum(histogram) / len(histogram)
    assert hashlib.sha256(staged.carrier.read_bytes()).digest() != hashlib.sha256(content).digest()


def test_classic_pictures_are_listed_and_say_why_they_do_not_open(place: Somewhere, tmp_path: Path) -> None:
    quotient = tmp_path / "quotient.txt"
    quotient.write_text("1 2 3 ")
    picture = tmp_path / "bicycle.png"
    picture.write_bytes(sample_pictures.png(seed=45))
    place.session.api.upload_classic(place.session.user_id, "bicycle.png", picture=picture, quotient=quotient)

    [listed] = place.vault.list_pictures()

    assert (listed.id, listed.name, listed.scheme) == ("bicycle", "bicycle.png", Scheme.CLASSIC)
    with pytest.raises(errors.KeyMissing, match="classic"):
        place.vault.open("bicycle")
