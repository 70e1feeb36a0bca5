"""Small things on the disk: the queue, the thumbnail cache, preferences, exported names, the first look at a drop."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop import errors
from desktop.client import exporting, preflight, queue_file
from desktop.client.preflight import Verdict
from desktop.client.thumbnail_cache import ThumbnailCache
from desktop.config import Config, Preferences, data_dir, default_vault_folder, make_private_folder
from desktop.crypto import safe_write
from desktop.crypto.keys import PrivateKey
from desktop.models import Place, PlaceKind
from tests import sample_pictures
from tests.client.conftest import Somewhere

# -- the queue ----------------------------------------------------------------------------------------------------


def test_the_queue_comes_back(key: PrivateKey, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "queue"
    paths = [Path("/pictures/Größe ☀.jpg"), Path(os.fsdecode(b"/not utf-8/\xff.png")), Path("/with\nline")]
    queue_file.save(path, key, paths)
    assert queue_file.load(path, key) == paths
    content = path.read_bytes()
    for word in (b"pictures", b"line", b"utf"):
        assert word not in content
    assert path.stat().st_mode & 0o777 == 0o600
    queue_file.save(path, key, paths)
    assert path.read_bytes() != content  # never the same nonce
    queue_file.save(path, key, [])
    assert not path.exists()
    queue_file.save(path, key, [])


def test_its_length_tells_little(key: PrivateKey, tmp_path: Path) -> None:
    sizes = set()
    for count in (1, 5, 20):
        queue_file.save(tmp_path / "queue", key, [Path(f"/{number}.jpg") for number in range(count)])
        sizes.add((tmp_path / "queue").stat().st_size)
    assert len(sizes) == 1


def test_a_queue_that_is_not_mine_is_empty(key: PrivateKey, other_key: PrivateKey, tmp_path: Path) -> None:
    path = tmp_path / "queue"
    assert queue_file.load(path, key) == []
    queue_file.save(path, key, [Path("/a")])
    assert queue_file.load(path, other_key) == []
    whole = path.read_bytes()
    for damaged in (b"", whole[:5], whole[:-1], whole[:50] + bytes([whole[50] ^ 1]) + whole[51:]):
        path.write_bytes(damaged)
        assert queue_file.load(path, key) == []


# -- the thumbnail cache ------------------------------------------------------------------------------------------


def test_the_cache_keeps_and_forgets(tmp_path: Path) -> None:
    cache = ThumbnailCache(tmp_path / "cache")
    assert cache.get("aa", "11") is None
    cache.put("aa", "11", b"sealed")
    assert cache.get("aa", "11") == b"sealed"
    assert cache.get("aa", "22") is None  # another revision
    for path in (tmp_path / "cache").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)
    cache.drop("aa", "11")
    assert cache.get("aa", "11") is None


def test_the_cache_is_bounded_and_the_longest_unused_goes(tmp_path: Path) -> None:
    cache = ThumbnailCache(tmp_path / "cache", limit=10_000)
    for number in range(20):
        cache.put(f"{number:032x}", "0" * 64, b"x" * 1000)
        path = next((tmp_path / "cache").rglob(f"{number:032x}-*"))
        os.utime(path, (number, number))
    assert cache.get(f"{0:032x}", "0" * 64) is not None  # used: now the youngest
    cache.trim()

    left = {path.name[:32] for path in (tmp_path / "cache").rglob("*-*")}
    assert sum(path.stat().st_size for path in (tmp_path / "cache").rglob("*-*")) <= 7_500
    assert left == {f"{number:032x}" for number in (0, 14, 15, 16, 17, 18, 19)}


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"in the way")
    cache = ThumbnailCache(tmp_path / "cache")
    cache.put("aa", "11", b"sealed")
    assert cache.get("aa", "11") is None
    cache.drop("aa", "11")


def test_a_bad_cache_entry_is_fetched_again(there: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    picture_id = there.add(sample_pictures.png(300, 200))
    there.vault.list_pictures()
    jpeg = there.vault.thumbnails([picture_id])[picture_id]
    [entry] = (there.data / "places").rglob(f"{picture_id}-*")
    assert jpeg[100:150] not in entry.read_bytes()
    fetched: list[Any] = []
    fetch = there.session.api.thumbnails
    monkeypatch.setattr(there.session.api, "thumbnails", lambda *a: fetched.append(a) or fetch(*a))

    assert there.vault.thumbnails([picture_id]) == {picture_id: jpeg}
    assert len(fetched) == 0
    whole = entry.read_bytes()
    for number, bad in enumerate((b"", whole[:-1], whole[:40] + bytes([whole[40] ^ 1]) + whole[41:]), 1):
        entry.write_bytes(bad)
        assert there.vault.thumbnails([picture_id]) == {picture_id: jpeg}
        assert len(fetched) == number
        assert entry.read_bytes() == whole
    there.vault.delete(picture_id)
    assert there.vault.thumbnails([picture_id]) == {picture_id: jpeg}  # the bin shows it too
    there.vault.purge([picture_id])
    assert not entry.exists()


# -- exported names -----------------------------------------------------------------------------------------------

JPEG, PNG = sample_pictures.jpeg()[:64], sample_pictures.png()[:64]


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("a.jpg", JPEG, "a.jpg"),
        ("a.JPEG", JPEG, "a.JPEG"),
        ("a.png", JPEG, "a.jpg"),
        ("a", PNG, "a.png"),
        ("photo.2024", PNG, "photo.2024.png"),
        ("holiday.exe", JPEG, "holiday.exe.jpg"),
        ("evil.desktop", b"[Desktop Entry]", "evil.desktop.bin"),
        ("script.png", b"#!/bin/sh\n", "script.bin"),
        (".hidden", PNG, ".hidden.png"),
    ],
)
def test_the_extension_says_what_it_is(name: str, head: bytes, expected: str) -> None:
    assert exporting.with_extension(name, head) == expected


@given(st.text(min_size=1, max_size=300), st.sampled_from([JPEG, PNG, b"text"]))
def test_any_name_stays_within_limits(name: str, head: bytes) -> None:
    from itertools import islice

    from desktop.crypto.metadata import safe_name

    safe = safe_name(name)
    whole = exporting.with_extension(safe, head)
    tries = list(islice(exporting.names(whole), 5))
    assert len(set(tries)) == 5
    for candidate in tries:
        assert "/" not in candidate
        assert candidate not in {"", ".", ".."}
        assert len(candidate.encode()) <= 255


# -- preferences --------------------------------------------------------------------------------------------------


def test_preferences_come_back(tmp_path: Path) -> None:
    config = Config(tmp_path / "data")
    assert config.preferences == Preferences()
    local = Place(PlaceKind.THIS_COMPUTER, tmp_path / "vault")
    remote = config.server_place("https://pictures.example.org", "Zoë")
    config.preferences = Preferences("dark", 256, True, "/exports", 15, add_folder="/camera")
    for place in (local, remote, local):
        config.preferences.remember(place)
    config.save()

    again = Config(tmp_path / "data").preferences
    assert again == Preferences("dark", 256, True, "/exports", 15, [local, remote], "/camera")
    assert config.preferences_path.stat().st_mode & 0o777 == 0o600
    assert config.folder.stat().st_mode & 0o777 == 0o700
    again.forget(local)
    assert again.places == [remote]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"[]",
        b"[" * 100_000,
        b'{"theme": "pink", "tile_size": "big", "skip_preflight": 1, "export_folder": 5, "add_folder": 7, "places": 7}',
        b'{"tile_size": 5, "lock_after_minutes": -1, "places": [1, {}]}',
        b'{"places": [{"kind": "moon", "folder": "/", "address": "", "user": ""}]}',
        b'{"tile_size": true, "places": [{"kind": "server", "folder": "/\\u0000", "address": "", "user": ""}]}',
    ],
)  # fmt: skip
def test_nonsense_in_preferences_keeps_the_defaults(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "preferences.json").write_bytes(content)
    assert Config(tmp_path).preferences == Preferences()


def test_recent_places_are_bounded(tmp_path: Path) -> None:
    preferences = Preferences()
    for number in range(40):
        preferences.remember(Place(PlaceKind.THIS_COMPUTER, tmp_path / str(number)))
    assert len(preferences.places) == 12
    assert preferences.places[0].folder.name == "39"


def test_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GLASSINE_DATA_DIR", str(tmp_path / "x"))
    assert data_dir() == tmp_path / "x"
    assert default_vault_folder() == tmp_path / "x" / "vault"
    monkeypatch.delenv("GLASSINE_DATA_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert data_dir() == tmp_path / "share" / "glassine"


def test_a_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(errors.GlassineError):
            make_private_folder(folder)


# -- the first look -----------------------------------------------------------------------------------------------


def test_the_first_look(here: Somewhere) -> None:
    stored = sample_pictures.png(seed=1)
    picture_id = here.add(stored)
    folder = here.outside / "drop"
    inner = folder / "inner"
    inner.mkdir(parents=True)
    (folder / "new.png").write_bytes(sample_pictures.png(seed=2))
    (folder / "same.png").write_bytes(stored)
    (folder / ".hidden.png").write_bytes(stored)
    (folder / "Thumbs.db").write_bytes(b"x")
    (folder / ".git").mkdir()
    (folder / ".git" / "x.png").write_bytes(stored)
    (inner / "letter.txt").write_text("Dear Mara")
    with (inner / "vast.png").open("wb") as file:
        file.truncate(750_000_001)
    (inner / "gone.png").symlink_to(folder / "nowhere")
    (inner / "loop").symlink_to(folder)
    steps: list[tuple[int, int]] = []

    look = here.vault.inspect_sources(
        [folder, folder / "new.png", here.outside / "missing.png"], lambda done, total: steps.append((done, total))
    )

    assert {file.path.name: file.verdict for file in look.files} == {
        "new.png": Verdict.READY,
        "same.png": Verdict.ALREADY_STORED,
        "letter.txt": Verdict.UNSUPPORTED,
        "vast.png": Verdict.TOO_LARGE,
        "gone.png": Verdict.UNREADABLE,
        "missing.png": Verdict.UNREADABLE,
    }
    assert len(look.files) == 6
    assert look.of(Verdict.ALREADY_STORED)[0].picture_id == picture_id
    assert look.ready_bytes == (folder / "new.png").stat().st_size
    assert all(file.reason for file in look.files if file.verdict is not Verdict.READY)
    assert steps[-1] == (6, 0)


def test_looking_can_be_cancelled(here: Somewhere) -> None:
    with pytest.raises(errors.Cancelled):
        here.vault.inspect_sources([here.source(sample_pictures.png())], cancelled=lambda: True)


def test_hashing_has_a_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dropping a whole library again does not read all of it before anything is shown."""
    hashed: list[Path] = []
    monkeypatch.setattr(preflight, "hash_file", lambda path, *_: hashed.append(path) or "0" * 64)
    monkeypatch.setattr(preflight, "HASHING_BUDGET_S", -1.0)
    path = tmp_path / "a.png"
    path.write_bytes(sample_pictures.png())
    look = preflight.inspect([path], lambda size: {"0" * 64: "1" * 32}, lambda size: {})
    assert hashed == []
    assert look.files[0].verdict is Verdict.READY


def test_the_hash_is_blake3(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"")
    assert preflight.hash_file(path) == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
    with pytest.raises(errors.FileUnreadable):
        preflight.hash_file(tmp_path / "gone")


def test_preferences_hold_no_secrets(there: Somewhere) -> None:
    content = (there.data / "preferences.json").read_text()
    document = json.loads(content)
    assert set(document) == {
        "theme",
        "tile_size",
        "skip_preflight",
        "export_folder",
        "add_folder",
        "lock_after_minutes",
        "lock_with_screen",
        "lock_minimised",
        "places",
    }
    assert "password" not in content


def test_new_names_are_on_the_disk_before_anything_relies_on_them(
    place: Somewhere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[Path, set[str]]] = []

    def note(folder: Path) -> None:
        synced.append((folder, {entry.name for entry in folder.iterdir()}))

    picture_id = place.add(sample_pictures.png(seed=77), "beach.png")
    monkeypatch.setattr(safe_write, "sync_folder", note)
    make_private_folder(tmp_path / "new" / "newer" / "newest")
    assert [(folder.name, "newest" in names or "newer" in names) for folder, names in synced[-2:]] == [
        ("new", True),
        ("newer", True),
    ]
    synced.clear()
    path = place.vault.export(picture_id, place.outside)
    assert (path.parent, True) in [(folder, path.name in names) for folder, names in synced]
