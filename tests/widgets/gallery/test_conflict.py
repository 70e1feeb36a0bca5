"""Two versions of a picture, replacing, and the stored file's own pixels."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QImage, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QMainWindow

from desktop import errors
from desktop.client.stored_pixels import StoredPixels, read_corner
from desktop.crypto.carrier_layout import END, SIGNATURE, chunk
from desktop.models import Scheme
from desktop.viewmodels.conflict import Versions, VersionsViewModel
from desktop.viewmodels.stored import StoredViewModel
from desktop.widgets.conflict_page import ConflictPage
from desktop.widgets.dialogs import ConfirmDialog
from desktop.widgets.stored_pixels_view import drawn_pixels
from tests.widgets.gallery.fake_circle import FakeCircle


@pytest.fixture
def circle(jpeg: Any, pictures: Any) -> FakeCircle:
    made = FakeCircle()
    made.revising.waiting[pictures(1).id] = jpeg(50, 40)
    return made


@pytest.fixture
def versions(qapp: Any, runner: Any) -> VersionsViewModel:
    return VersionsViewModel(runner)


def test_both_versions_are_opened_side_by_side(
    versions: VersionsViewModel, runner: Any, vault: Any, circle: FakeCircle, pictures: Any, qtbot: Any, icons: Any
) -> None:
    vault.put(pictures(1))
    page = ConflictPage(icons.theme, icons)
    qtbot.addWidget(page)
    page.show()
    page.show_picture(pictures(1, owner_name="Lina"))
    assert page.banners.notices[0].title == "Lina replaced this picture while you did"
    loaded: list[Versions] = []
    versions.loaded.connect(loaded.append)
    versions.loaded.connect(page.show_versions)
    versions.load(circle.port, vault, pictures(1))
    runner.run_pending()
    assert loaded[0].mine.image is not None
    assert loaded[0].mine.image.width() == 50
    assert loaded[0].theirs.image is not None
    assert loaded[0].theirs.image.width() == 120
    assert "2026" in page.mine.facts.text()
    chosen: list[str] = []
    page.chosen.connect(lambda picture, choice: chosen.append(choice))
    for button in (page.mine.keep, page.theirs.keep, page.both):
        assert not button.isDefault(), "nothing is chosen for the person"
        button.click()
        for question in page.findChildren(ConfirmDialog):  # whatever throws a version away asks
            assert question.safe.isDefault()
            assert chosen == [] or chosen == ["mine"]
            question.confirm.click()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert chosen == ["mine", "theirs", "both"]


def test_escape_leaves_both_as_they_are(pictures: Any, qtbot: Any, icons: Any) -> None:
    """Although the window has a shortcut of its own for Escape."""
    window = QMainWindow()
    qtbot.addWidget(window)
    QShortcut(QKeySequence(Qt.Key.Key_Escape), window)
    page = ConflictPage(icons.theme, icons)
    window.setCentralWidget(page)
    window.show()
    page.show_picture(pictures(1, owner_name="Lina"))
    qtbot.waitUntil(window.isActiveWindow)
    page.setFocus()
    with qtbot.waitSignal(page.closed):
        qtbot.keyClick(page.back, Qt.Key.Key_Escape)


def test_a_version_that_cannot_be_opened_says_why_and_the_other_is_shown(
    versions: VersionsViewModel, runner: Any, vault: Any, circle: FakeCircle, pictures: Any
) -> None:
    vault.put(pictures(1))
    vault.trouble[pictures(1).id] = errors.Damaged()
    loaded: list[Versions] = []
    versions.loaded.connect(loaded.append)
    versions.load(circle.port, vault, pictures(1))
    runner.run_pending()
    assert loaded[0].theirs.image is None
    assert "F-120" in loaded[0].theirs.problem
    assert loaded[0].mine.image is not None


def test_one_that_is_opened_while_another_is_given_up_is_not_forgotten(
    versions: VersionsViewModel, runner: Any, vault: Any, circle: FakeCircle, pictures: Any, jpeg: Any
) -> None:
    vault.put(pictures(1), pictures(2))
    circle.revising.waiting[pictures(2).id] = jpeg(50, 40)
    loaded: list[Versions] = []
    versions.loaded.connect(loaded.append)
    versions.load(circle.port, vault, pictures(1))
    versions.cancel()
    versions.load(circle.port, vault, pictures(2))
    runner.run_pending()
    assert [one.picture.id for one in loaded] == [pictures(2).id]
    versions.load(circle.port, vault, pictures(1))
    versions.load(circle.port, vault, pictures(2))
    versions.stop()
    runner.run_pending()
    assert len(loaded) == 1


@pytest.mark.parametrize(("choice", "new_id"), [("mine", None), ("theirs", None), ("both", "new")])
def test_a_choice_is_carried_out(
    versions: VersionsViewModel, runner: Any, circle: FakeCircle, pictures: Any, choice: Any, new_id: str | None
) -> None:
    settled: list[tuple[str, str, str]] = []
    versions.settled.connect(lambda *what: settled.append(what))
    versions.resolve(circle.port, pictures(1).id, choice)
    runner.run_pending()
    assert settled == [(pictures(1).id, choice, new_id or pictures(1).id)]
    assert circle.revising.waiting == {}


def test_a_choice_that_fails_keeps_both(
    versions: VersionsViewModel, runner: Any, circle: FakeCircle, pictures: Any
) -> None:
    circle.revising.trouble["mine"] = errors.NoGrant()
    failed: list[Any] = []
    versions.failed.connect(failed.append)
    versions.resolve(circle.port, pictures(1).id, "mine")
    runner.run_pending()
    assert [error.code for error in failed] == ["V-111"]
    assert pictures(1).id in circle.revising.waiting


def test_replacing_where_somebody_was_faster_leads_to_the_conflict(
    versions: VersionsViewModel, runner: Any, circle: FakeCircle, tmp_path: Path
) -> None:
    source = tmp_path / "new.jpg"
    source.write_bytes(b"new")
    kept: list[str] = []
    failed: list[Any] = []
    replaced: list[str] = []
    versions.conflict_kept.connect(kept.append)
    versions.failed.connect(failed.append)
    versions.replaced.connect(replaced.append)
    circle.revising.trouble["a"] = errors.ConflictKept()
    for picture_id in ("a", "b"):
        versions.replace(circle.port, picture_id, source)
        runner.run_pending()
    assert (kept, failed, replaced) == (["a"], [], ["b"])


# -- stored pixels ---------------------------------------------------------------------------------------------


def decoded(data: bytes) -> Any:
    from PIL import Image

    return Image.open(io.BytesIO(data)).convert("RGB")


def noise_png(width: int = 200, height: int = 150) -> bytes:
    rows = b"".join(b"\0" + os.urandom(3 * width) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 0)) + END


def test_the_corner_is_what_a_decoder_sees() -> None:
    data = noise_png()
    stored = read_corner(io.BytesIO(data), 166, 100)
    assert (stored.width, stored.height, stored.full) == (166, 100, (200, 150))
    assert stored.pixels == decoded(data).crop((0, 0, 166, 100)).tobytes()


def test_a_small_picture_is_shown_whole() -> None:
    data = noise_png(20, 10)
    stored = read_corner(io.BytesIO(data), 166, 100)
    assert (stored.width, stored.height) == (20, 10)
    assert stored.pixels == decoded(data).tobytes()


def test_no_more_is_read_than_is_needed() -> None:
    data = noise_png(200, 5000)
    reader = io.BytesIO(data)
    read_corner(reader, 166, 100)
    assert reader.tell() < len(data) // 10


@pytest.mark.parametrize("cut", [0, 7, 20, 33, 500])
def test_what_is_no_such_png_is_damaged(cut: int) -> None:
    data = noise_png()
    with pytest.raises(errors.Damaged):
        read_corner(io.BytesIO(data[:cut]), 166, 100)
    with pytest.raises(errors.Damaged):
        read_corner(io.BytesIO(b"x" + data[1:]), 166, 100)


def test_pixels_are_multiplied_whole() -> None:
    image = QImage(640, 400, QImage.Format.Format_RGB32)
    for dpr, step in ((1.0, 2), (1.5, 3), (2.0, 4)):
        part, times = drawn_pixels(image, round(332 * dpr), round(200 * dpr), dpr)
        assert times == step
        assert part.width() * times >= 332 * dpr


class FakeStored:
    """Gives pixels."""

    def __init__(self, jpeg: bytes) -> None:
        self.jpeg, self.asked = jpeg, [(0, 0)]

    def stored_pixels(self, picture: Any, columns: int, rows: int, report: Any, cancelled: Any) -> StoredPixels:
        self.asked.append((columns, rows))
        return StoredPixels(2, 1, bytes((255, 0, 0, 0, 255, 0)), (2, 1))

    def stored_file(self, picture: Any, report: Any, cancelled: Any) -> bytearray:
        return bytearray(self.jpeg)


def test_the_panel_gets_the_pixels_of_the_picture_looked_at(qapp: Any, runner: Any, pictures: Any, jpeg: Any) -> None:
    model = StoredViewModel(runner)
    model.start(FakeStored(jpeg()))
    got: list[tuple[str, QImage, bool]] = []
    model.ready.connect(lambda *what: got.append(what))
    model.want(pictures(1))
    model.want(pictures(2), large=True)
    runner.run_pending()
    assert [(picture_id, large) for picture_id, _, large in got] == [(pictures(2).id, True)]
    assert [got[0][1].pixelColor(x, 0).name() for x in (0, 1)] == ["#ff0000", "#00ff00"]
    model.want(pictures(3, scheme=Scheme.CLASSIC))
    runner.run_pending()
    assert got[-1][1].width() == 60, "a classic picture is shown whole"
    model.stop()
    model.want(pictures(1))
    runner.run_pending()
    assert len(got) == 2
