"""What the panel says of a photograph, and what of it the server sees."""

from __future__ import annotations

import builtins
import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QLabel, QMainWindow

from desktop import errors
from desktop.image_facts import ImageFacts, facts_of
from desktop.models import PlaceKind, Scheme
from desktop.viewmodels.gallery import GalleryViewModel
from desktop.viewmodels.stored import StoredViewModel
from desktop.viewmodels.viewer import ViewerViewModel
from desktop.viewmodels.wording import dimensions_text, place_text
from desktop.widgets.details_panel import DetailsPanel
from desktop.widgets.viewer_page import ViewerPage

GPS: dict[int, Any] = {
    1: "N",
    2: (IFDRational(57, 1), IFDRational(38, 1), IFDRational(2412, 100)),
    3: "E",
    4: (IFDRational(18, 1), IFDRational(17, 1), IFDRational(24, 1)),
}


PLACE = place_text(57.64, 18.29)


def photograph(gps: dict[int, Any] | None = None, kind: str = "JPEG", **tags: Any) -> bytes:
    exif = Image.Exif()
    for number, value in ((0x010F, tags.get("make")), (0x0110, tags.get("model"))):
        if value is not None:
            exif[number] = value
    if gps is not None:
        exif.get_ifd(0x8825).update(gps)
    if "taken" in tags:
        exif.get_ifd(0x8769)[0x9003] = tags["taken"]
    out = BytesIO()
    Image.new("RGB", (60, 40), (9, 90, 160)).save(out, kind, exif=exif)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_place_and_camera_are_read(kind: str) -> None:
    facts = facts_of(photograph(GPS, kind, make="FUJIFILM", model="X-T5 \0"))
    assert facts.camera == "X-T5"
    if kind == "TIFF":  # Pillow writes no place into one
        return
    assert facts.place is not None
    assert facts.place == pytest.approx((57.64, 18.29), abs=0.001)


@pytest.mark.parametrize(
    "odd",
    [
        {2: (IFDRational(57, 0),)},
        {2: (IFDRational(91, 1), IFDRational(0, 1), IFDRational(0, 1))},
        {4: (IFDRational(181, 1), IFDRational(0, 1), IFDRational(0, 1))},
        {1: "X"},
        {1: None},
        {4: None},
    ],
)
def test_an_odd_place_is_none(odd: dict[int, Any]) -> None:
    gps = {number: value for number, value in (GPS | odd).items() if value is not None}
    assert facts_of(photograph(gps)).place is None


def test_an_odd_camera_cannot_dress_up() -> None:
    facts = facts_of(photograph(model="X\n\u202etxt" + "y" * 300))
    assert facts.camera.startswith("X")
    assert facts.camera.isprintable()
    assert len(facts.camera) < 70
    assert facts_of(photograph(make="Only maker")).camera == "Only maker"


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff\xe1\x00\x10Exif\0\0", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_says_nothing(data: bytes) -> None:
    assert facts_of(data) == ImageFacts()


def test_a_cut_file_says_what_it_can_and_nothing_is_raised() -> None:
    whole = photograph(GPS, model="X-T5", taken="2026:03:14 11:08:00")
    for end in range(0, len(whole), 7):
        facts_of(bytearray(whole[:end]))


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ((57.64, 18.29), "57.64 N, 18.29 E"),
        ((-33.86, 151.2), "33.86 S, 151.20 E"),
        ((40.7, -74.0), "40.70 N, 74.00 W"),
        ((-22.9, -43.2), "22.90 S, 43.20 W"),
    ],
)
def test_a_place_in_words(place: tuple[float, float], words: str) -> None:
    assert place_text(*place).strip("\u2068\u2069") == words


def test_the_width_comes_first_in_every_reading_direction() -> None:
    assert dimensions_text(4000, 2500) == "\u20664000 × 2500\u2069"


# -- the panel ---------------------------------------------------------------------------------------------------------


class Stored:
    """Gives the stored file of a classic picture."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def stored_file(self, picture: Any, report: Any, cancelled: Any) -> bytearray:
        if not self.data:
            raise errors.ServerSilent
        return bytearray(self.data)

    def stored_pixels(self, *arguments: Any) -> Any:
        raise errors.NotFound


@pytest.fixture
def gallery(qapp: Any, runner: Any, vault: Any, pictures: Any) -> GalleryViewModel:
    vault.put(pictures(1, revision_number=2, epoch=1), pictures(2, scheme=Scheme.CLASSIC, taken=None))
    for picture_id in vault.contents:
        vault.contents[picture_id] = photograph(GPS, model="X-T5")
    made = GalleryViewModel(runner)
    made.start(vault)
    runner.run_pending()
    return made


@pytest.fixture
def stored(runner: Any) -> StoredViewModel:
    return StoredViewModel(runner)


@pytest.fixture
def page(
    qtbot: Any, theme: Any, icons: Any, runner: Any, vault: Any, gallery: Any, stored: Any
) -> Iterator[ViewerPage]:
    viewer = ViewerViewModel(runner)
    viewer.follow(gallery)
    viewer.start(vault)
    window = QMainWindow()
    made = ViewerPage(theme, icons, viewer, stored=stored)
    window.setCentralWidget(made)
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    made.set_info_shown(True)
    yield made


def rows(panel: DetailsPanel) -> dict[str, tuple[str, str]]:
    """What stands in the table: name → you, the server."""
    assert panel._table is not None
    grid: Any = panel._table.layout()
    found: dict[str, tuple[str, str]] = {}
    for line in range(2, grid.rowCount(), 2):
        cells = [grid.itemAtPosition(line, column) for column in range(3)]
        if all(cells):
            name, mine, theirs = (cell.widget() for cell in cells)
            label = theirs if isinstance(theirs, QLabel) else theirs.findChild(QLabel)
            found[name.text()] = mine.text(), label.text()
    return found


def look_at(page: ViewerPage, runner: Any, picture_id: str) -> dict[str, tuple[str, str]]:
    page._viewer.open(picture_id)
    runner.run_pending()
    return rows(page.panel)


def test_place_camera_and_revision(page: ViewerPage, runner: Any, pictures: Any) -> None:
    seen = look_at(page, runner, pictures(1).id)
    assert seen["Place"] == (PLACE, "not visible")
    assert seen["Camera"] == ("X-T5", "not visible")
    assert seen["Taken"][1] == "not visible"
    assert seen["Revision"] == ("2", "2")
    assert list(seen) == [
        "Name", "Picture", "Kind", "Taken", "Place", "Camera", "Size", "Stored", "Owner", "Opened by", "Revision",
    ]  # fmt: skip


@pytest.fixture
def in_britain() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale("en_GB"))
    yield
    QLocale.setDefault(before)


@pytest.mark.usefixtures("in_britain")
@pytest.mark.parametrize(
    ("others", "you", "server"),
    [
        ((), "you", "mara"),
        (("Bert",), "you and Bert", "mara and Bert"),
        (("Ada", "Bert", "Lina"), "you, Ada, Bert and Lina", "mara, Ada, Bert and Lina"),
        (("Ada", "Bert", "Lina", "Tom"), "you and 4 others", "mara and 4 others"),
        (("", "Bert"), "you and 2 others", "mara and 2 others"),  # a name that is not known
    ],
)
def test_who_opens_it_is_named_where_these_are_few(
    page: ViewerPage, runner: Any, pictures: Any, others: tuple[str, ...], you: str, server: str
) -> None:
    page.panel.account_name = "mara"
    look_at(page, runner, pictures(1).id)
    page.panel.show_picture(pictures(1, shared_with=others))
    assert rows(page.panel)["Opened by"] == (you, server)


def test_the_next_picture_does_not_inherit(page: ViewerPage, runner: Any, vault: Any, pictures: Any) -> None:
    look_at(page, runner, pictures(1).id)
    vault.put(pictures(3, hours_ago=50, revision_number=1, epoch=3))
    page._viewer.gallery.insert(vault.pictures[pictures(3).id])  # type: ignore[union-attr]
    vault.trouble = {pictures(3).id: errors.ServerSilent()}
    page._viewer.open(pictures(3).id)
    assert rows(page.panel)["Place"] == ("…", "not visible")
    runner.run_pending()
    assert rows(page.panel)["Place"] == ("not known", "not visible")
    assert rows(page.panel)["Revision"] == ("1 (2 new keys)", "1 (2 new keys)")
    vault.trouble = {}
    page._viewer.retry()
    runner.run_pending()
    assert rows(page.panel)["Camera"] == ("not in the file", "not visible")


def test_of_a_classic_picture_the_server_sees_what_the_stored_file_says(
    page: ViewerPage, runner: Any, pictures: Any, stored: StoredViewModel
) -> None:
    stored.start(Stored(photograph(GPS, "PNG", make="Maker", taken="2026:03:14 11:08:00")))  # type: ignore[arg-type]
    seen = look_at(page, runner, pictures(2).id)
    assert seen["Place"] == (PLACE, PLACE)
    assert seen["Camera"] == ("Maker", "Maker")
    assert seen["Taken"] == ("14 Mar 2026", "14 Mar 2026")
    assert "not visible" not in {theirs for _, theirs in seen.values()}
    assert "Revision" not in seen


def test_of_a_classic_picture_that_cannot_be_fetched_nothing_is_claimed(
    page: ViewerPage, runner: Any, pictures: Any, stored: StoredViewModel
) -> None:
    stored.start(Stored(b""))  # type: ignore[arg-type]
    seen = look_at(page, runner, pictures(2).id)
    assert seen["Place"] == ("not known", "not known")


def test_in_a_vault_on_this_computer_it_is_the_disk_that_sees(page: ViewerPage, runner: Any, pictures: Any) -> None:
    look_at(page, runner, pictures(1).id)
    page.set_place(PlaceKind.THIS_COMPUTER)
    assert rows(page.panel)["Place"] == (PLACE, "not visible")


def test_nothing_is_written_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    data = photograph(GPS, model="X-T5", taken="2026:03:14 11:08:00")
    facts_of(data)  # modules are loaded

    def refuse(*arguments: Any, **options: Any) -> Any:
        raise AssertionError(arguments)

    for module, name in ((builtins, "open"), (os, "open"), (Path, "open")):
        monkeypatch.setattr(module, name, refuse)
    facts = facts_of(data)
    monkeypatch.undo()
    assert facts.place is not None
