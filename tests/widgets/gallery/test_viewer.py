"""The viewer: opening ahead, zooming, keys, failures, and nothing left when it is closed."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow, QWidget

from desktop import errors
from desktop.models import PictureState, PlaceKind
from desktop.viewmodels.decoding import MAX_PIXELS, decode_picture, fit_within
from desktop.viewmodels.gallery import GalleryViewModel
from desktop.viewmodels.viewer import ViewerState, ViewerViewModel
from desktop.widgets.marks import Chip
from desktop.widgets.notices import Notice
from desktop.widgets.stage import Stage
from desktop.widgets.viewer_page import ViewerPage

Key = Qt.Key


@pytest.fixture
def gallery(qapp: Any, runner: Any, vault: Any, pictures: Any) -> GalleryViewModel:
    vault.put(*(pictures(number, width=120, height=80) for number in range(6)))
    made = GalleryViewModel(runner)
    made.start(vault)
    runner.run_pending()
    return made


@pytest.fixture
def viewer(gallery: GalleryViewModel, runner: Any, vault: Any) -> ViewerViewModel:
    made = ViewerViewModel(runner)
    made.follow(gallery)
    made.start(vault)
    return made


@pytest.fixture
def page(qtbot: Any, theme: Any, icons: Any, viewer: ViewerViewModel) -> Iterator[ViewerPage]:
    window = QMainWindow()
    made = ViewerPage(theme, icons, viewer)
    window.setCentralWidget(made)
    qtbot.addWidget(window)
    window.resize(1000, 700)
    window.show()
    yield made


def open_row(viewer: ViewerViewModel, gallery: GalleryViewModel, row: int, runner: Any) -> None:
    viewer.open(gallery.model.picture(row).id)
    runner.run_pending()


# -- the view-model ----------------------------------------------------------------------------------------------------


def test_a_picture_comes_first_as_thumbnail_then_sharp(
    viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any
) -> None:
    events: list[str] = []
    viewer.preview_ready.connect(lambda image: events.append(f"preview {image.width()}"))
    viewer.image_ready.connect(lambda image, full: events.append(f"image {image.width()} of {full.width()}"))
    open_row(viewer, gallery, 0, runner)
    assert events[:2] == ["preview 60", "image 120 of 120"]
    assert viewer.state is ViewerState.READY


def test_the_neighbours_are_fetched_ahead(
    viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any, vault: Any
) -> None:
    open_row(viewer, gallery, 2, runner)
    assert set(viewer._kept) == {gallery.model.picture(row).id for row in (1, 2, 3)}
    vault.trouble = {picture_id: errors.ServerSilent() for picture_id in vault.pictures}
    viewer.next()
    assert viewer.state is ViewerState.READY  # at once, from what was fetched ahead


def test_going_through_all_of_them(viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any) -> None:
    open_row(viewer, gallery, 0, runner)
    assert (viewer.has_previous, viewer.has_next, viewer.position, viewer.count) == (False, True, 1, 6)
    viewer.previous()
    assert viewer.position == 1
    viewer.last()
    runner.run_pending()
    assert (viewer.has_previous, viewer.has_next, viewer.position) == (True, False, 6)
    viewer.first()
    assert viewer.position == 1
    assert len(viewer._kept) <= ViewerViewModel.KEPT


def test_a_failure_can_be_tried_again(
    viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any, vault: Any
) -> None:
    vault.trouble[gallery.model.picture(1).id] = errors.Damaged()
    open_row(viewer, gallery, 1, runner)
    assert viewer.state is ViewerState.FAILED
    assert viewer.error is not None
    assert viewer.error.code == "F-120"
    vault.trouble.clear()
    viewer.retry()
    runner.run_pending()
    assert viewer.state is ViewerState.READY


def test_bytes_that_are_no_picture_are_a_failure_not_a_crash(
    viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any, vault: Any
) -> None:
    vault.contents[gallery.model.picture(0).id] = b"\x89PNG\r\n\x1a\nnothing"
    open_row(viewer, gallery, 0, runner)
    assert viewer.state is ViewerState.FAILED
    assert viewer.error is not None
    assert viewer.error.code == "F-120"


def test_a_refused_picture_is_never_fetched(
    viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any, vault: Any, refused: Any
) -> None:
    gallery.insert(refused)
    vault.put(refused)
    shown: list[Any] = []
    viewer.preview_ready.connect(shown.append)
    viewer.image_ready.connect(shown.append)
    viewer.open(refused.id)
    runner.run_pending()
    assert viewer.state is ViewerState.FAILED
    assert shown == []


def test_an_unsent_picture_says_so(
    viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any, pictures: Any, jpeg: Any
) -> None:
    gallery.insert_waiting(pictures(99), jpeg())
    viewer.open(pictures(99).id)
    runner.run_pending()
    assert viewer.error is not None
    assert viewer.error.code == "F-130"


def test_leaving_cancels_and_keeps_nothing(viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any) -> None:
    open_row(viewer, gallery, 0, runner)
    [data] = [viewer._kept[gallery.model.picture(0).id].data]
    viewer.open(gallery.model.picture(4).id)
    task = viewer._opening[gallery.model.picture(4).id][1]
    viewer.close()
    assert task.is_cancelled()
    runner.run_pending()
    assert viewer._kept == {}
    assert data == bytearray()
    assert viewer.state is ViewerState.CLOSED


def test_deleting_shows_the_one_that_follows(viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any) -> None:
    open_row(viewer, gallery, 2, runner)
    following = gallery.model.picture(3).id
    gallery.remove([gallery.model.picture(2).id])
    runner.run_pending()
    assert viewer.picture is not None
    assert viewer.picture.id == following
    gallery.remove([gallery.model.picture(row).id for row in range(gallery.model.rowCount())])
    assert viewer.state is ViewerState.CLOSED


def test_more_pixels_come_when_they_are_wanted(
    viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any, vault: Any, jpeg: Any
) -> None:
    vault.contents[gallery.model.picture(0).id] = jpeg(1600, 1200)
    viewer.set_bounds(QSize(200, 200))
    widths: list[int] = []
    viewer.image_ready.connect(lambda image, full: widths.append(image.width()))
    open_row(viewer, gallery, 0, runner)
    viewer.want_detail(0.1)
    viewer.want_detail(0.4)
    runner.run_pending()
    viewer.want_detail(3.0)
    runner.run_pending()
    assert widths == [200, 800, 1600]


# -- decoding ----------------------------------------------------------------------------------------------------------


def png(image: Any, **options: Any) -> bytearray:
    out = BytesIO()
    image.save(out, **options)
    return bytearray(out.getvalue())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_upright(orientation: int) -> None:
    from PIL import Image

    upright = Image.new("RGB", (64, 32), (255, 0, 0))
    upright.paste((0, 0, 255), (0, 0, 16, 8))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = png(stored, format="JPEG", exif=exif.tobytes(), quality=95)
    for bounds in (QSize(), QSize(32, 32)):
        image, full = decode_picture(data, bounds, lambda: False)
        assert (full.width(), full.height()) == (64, 32)
        assert image.width() == 2 * image.height()
        assert image.pixelColor(1, 1).blue() > 180
        assert image.pixelColor(image.width() - 2, image.height() - 2).red() > 180


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("RGBA", {"format": "PNG"}),
        ("P", {"format": "PNG"}),
        ("I;16", {"format": "PNG"}),
        ("L", {"format": "TIFF"}),
        ("CMYK", {"format": "TIFF"}),
        ("RGB", {"format": "WEBP"}),
        ("RGB", {"format": "BMP"}),
        ("P", {"format": "GIF"}),
    ],
)
def test_every_kind_of_picture_is_decoded(mode: str, options: dict[str, Any]) -> None:
    from PIL import Image

    source = Image.new(mode, (1200, 900))
    image, full = decode_picture(png(source, **options), QSize(), lambda: False)
    assert (image.width(), image.height(), full.width()) == (1200, 900, 1200)
    assert image.format() in (QImage.Format.Format_RGB32, QImage.Format.Format_ARGB32_Premultiplied)


def test_sizes_are_never_enlarged_and_never_beyond_reason() -> None:
    assert fit_within(QSize(100, 50), QSize(1000, 1000)) == QSize(100, 50)
    assert fit_within(QSize(1000, 10), QSize(100, 100)) == QSize(100, 1)
    huge = fit_within(QSize(20_000, 12_500), QSize())
    assert huge.width() * huge.height() <= MAX_PIXELS


# -- the stage ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def stage(qtbot: Any, theme: Any) -> Stage:
    made = Stage(theme)
    qtbot.addWidget(made)
    made.resize(656, 456)  # 600 by 400 within the margins
    made.show()
    return made


def picture(width: int, height: int) -> QImage:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor(200, 30, 60))
    return image


def test_fitted_pictures_are_centred_and_small_ones_not_enlarged(stage: Stage) -> None:
    stage.show_image(picture(600, 200), QSize(1200, 400))
    rect = stage.picture_rect()
    assert (rect.x(), rect.width(), rect.center().y()) == (28, 600, 228)
    stage.clear(QSize())
    stage.show_image(picture(30, 20), QSize(30, 20))
    assert stage.scale == 1.0


def test_zooming_keeps_what_is_under_the_pointer(stage: Stage) -> None:
    stage.show_image(picture(1200, 800), QSize(1200, 800))
    about = QPointF(200, 150)

    def under() -> tuple[float, float]:
        rect = stage.picture_rect()
        return (about.x() - rect.x()) / rect.width(), (about.y() - rect.y()) / rect.height()

    before = under()
    stage.zoom_to(1.0, about)
    stage.zoom_to(2.0, about)
    assert under() == pytest.approx(before, abs=0.002)


def test_panning_leaves_no_gap(stage: Stage) -> None:
    stage.show_image(picture(1200, 800), QSize(1200, 800))
    stage.zoom_to(1.0)
    stage.pan(10_000, 10_000)
    assert stage.picture_rect().topLeft() == QPointF(0, 0)
    stage.pan(-10_000, -10_000)
    assert stage.picture_rect().bottomRight() == QPointF(656, 456)


def test_the_zoom_has_ends(stage: Stage) -> None:
    stage.show_image(picture(1200, 800), QSize(1200, 800))
    for _ in range(40):
        stage.zoom_in()
    assert stage.scale == 8.0
    for _ in range(40):
        stage.zoom_out()
    assert stage.fitted


def test_more_pixels_are_asked_for_only_when_they_would_be_seen(stage: Stage, qtbot: Any) -> None:
    stage.show_image(picture(600, 400), QSize(2400, 1600))
    with qtbot.waitSignal(stage._detail.timeout):
        pass
    with qtbot.waitSignal(stage.detail_wanted) as wanted:
        stage.zoom_to(1.0)
    assert wanted.args == [1.0]
    stage.show_image(picture(2400, 1600), QSize(2400, 1600))
    with qtbot.assertNotEmitted(stage.detail_wanted), qtbot.waitSignal(stage._detail.timeout):
        pass


def test_dragging_moves_the_picture(stage: Stage) -> None:
    stage.show_image(picture(1200, 800), QSize(1200, 800))
    stage.zoom_to(1.0)
    before = stage.picture_rect().topLeft()
    QTest.mousePress(stage, Qt.MouseButton.LeftButton, pos=QPoint(300, 200))
    QTest.mouseMove(stage, QPoint(320, 190))
    QTest.mouseRelease(stage, Qt.MouseButton.LeftButton, pos=QPoint(320, 190))
    assert stage.picture_rect().topLeft() - before == QPointF(20, -10)


# -- the page ----------------------------------------------------------------------------------------------------------


def test_the_header_says_what_is_seen(
    page: ViewerPage, viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any
) -> None:
    open_row(viewer, gallery, 1, runner)
    assert page.header.name.text() == "Picture 1.jpg"
    assert page.header.when.text() == "Saturday, 14 March 2026, 11:00 · 2 of 6"
    assert page.stage.has_image


def test_keys_go_through_pictures_and_zoom(
    page: ViewerPage, viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any, vault: Any, jpeg: Any
) -> None:
    vault.contents = {picture_id: jpeg(2000, 1500) for picture_id in vault.pictures}
    open_row(viewer, gallery, 0, runner)
    positions = []
    for key in (Key.Key_Right, Key.Key_Space, Key.Key_Left, Key.Key_End, Key.Key_Backspace, Key.Key_Home):
        QTest.keyClick(page.stage, key)
        runner.run_pending()
        positions.append(viewer.position)
    assert positions == [2, 3, 2, 6, 5, 1]
    scales = []
    for key in (Key.Key_2, Key.Key_3, Key.Key_1):
        QTest.keyClick(page.stage, key)
        scales.append(page.stage.scale)
    assert scales == [1.0, 2.0, page.stage.fit_scale]


def test_arrow_keys_are_mirrored(
    page: ViewerPage, viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any
) -> None:
    page.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    open_row(viewer, gallery, 0, runner)
    QTest.keyClick(page.stage, Key.Key_Left)
    assert viewer.position == 2
    assert page.controls.next.x() < page.controls.previous.x()


def test_escape_closes_the_panel_then_the_viewer(
    page: ViewerPage, viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any, qtbot: Any
) -> None:
    open_row(viewer, gallery, 0, runner)
    page.set_place(PlaceKind.THIS_COMPUTER)
    QTest.keyClick(page.stage, Key.Key_I)
    assert page.panel.isVisible()
    assert page.panel.title.text() == "What is on this disk"
    QTest.keyClick(page.stage, Key.Key_Escape)
    assert not page.panel.isVisible()
    with qtbot.waitSignal(page.closed):
        QTest.keyClick(page.stage, Key.Key_Escape)
    assert page.stage.is_empty
    assert viewer.picture is None


@pytest.mark.parametrize("size", [(720, 480), (860, 560)])
def test_the_panel_takes_the_place_of_the_picture_in_a_narrow_window(
    page: ViewerPage, viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any, size: Any, qtbot: Any
) -> None:
    page.window().resize(*size)
    open_row(viewer, gallery, 0, runner)
    QTest.keyClick(page.stage, Key.Key_I)
    qtbot.waitUntil(lambda: page.panel.geometry() == page.rect())  # nothing of header or stage beside it
    assert not page.header.isVisible()
    assert page.panel.hasFocus()
    QTest.keyClick(page.panel, Key.Key_Escape)
    qtbot.waitUntil(lambda: page.stage.width() == size[0])
    assert page.header.mapTo(page, QPoint(0, 0)) == QPoint(0, 0)
    assert page.stage.hasFocus()


def test_a_failure_is_explained_and_retried(
    page: ViewerPage, viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any, vault: Any
) -> None:
    vault.trouble[gallery.model.picture(0).id] = errors.ServerSilent(details="timed out")
    open_row(viewer, gallery, 0, runner)
    assert page.failure.isVisible()
    assert page.failure._title.text() == "The server did not answer"
    assert "timed out" in page.failure._details
    vault.trouble.clear()
    page.failure.retry.click()
    runner.run_pending()
    assert not page.failure.isVisible()
    assert page.stage.has_image


def test_a_server_that_takes_long_is_said(
    page: ViewerPage, viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any, qtbot: Any
) -> None:
    page.set_place(PlaceKind.SERVER)
    page.waiting.slow_timer.setInterval(5)
    viewer.open(gallery.model.picture(0).id)
    qtbot.waitUntil(lambda: bool(page.banners.notices))
    assert page.banners.notices[0].title == "The server has not answered yet"
    runner.run_pending()
    assert page.banners.notices == []
    page.set_place(PlaceKind.THIS_COMPUTER)
    viewer.open(gallery.model.picture(4).id)
    with qtbot.waitSignal(page.waiting.slow_timer.timeout):
        pass
    assert page.banners.notices == []


def test_controls_show_when_stirred_and_go(
    page: ViewerPage, viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any, qtbot: Any
) -> None:
    open_row(viewer, gallery, 1, runner)
    page.controls._timer.setInterval(10)
    QTest.mouseMove(page.stage, QPoint(400, 100))
    QTest.mouseMove(page.stage, QPoint(420, 120))
    assert page.controls.shown
    qtbot.waitUntil(lambda: not page.controls.shown)
    page.controls.next.setFocus(Qt.FocusReason.TabFocusReason)
    assert page.controls.shown


def test_a_bar_only_when_it_takes_long(
    page: ViewerPage, viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any, qtbot: Any
) -> None:
    viewer.open(gallery.model.picture(0).id)
    assert not page.waiting.bar.isVisible()
    with qtbot.waitSignal(page.waiting.bar_timer.timeout):
        pass
    assert page.waiting.bar.isVisible()
    runner.run_pending()
    assert not page.waiting.bar.isVisible()


def test_an_unreadable_picture_cannot_be_saved(
    page: ViewerPage, viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any, pictures: Any
) -> None:
    gallery.insert(pictures(50, state=PictureState.UNREADABLE))
    viewer.open(pictures(50).id)
    runner.run_pending()
    assert not page.header.save.isEnabled()
    assert page.failure.isVisible()


def test_tab_goes_through_header_banner_stage_and_panel_and_round(
    page: ViewerPage, viewer: ViewerViewModel, gallery: GalleryViewModel, runner: Any
) -> None:
    open_row(viewer, gallery, 2, runner)
    page.set_info_shown(True)
    page.banners.show_notice(Notice("two", "warn", "Two versions", "", action="Choose", on_action=lambda: None))
    page.window().activateWindow()
    page.header.back.setFocus()
    names: list[str] = []
    for _ in range(20):
        focused = QApplication.focusWidget()
        names.append(focused.accessibleName() or focused.text())  # type: ignore[attr-defined]
        QTest.keyClick(focused, Key.Key_Tab)
    first = [
        "Back to the gallery", "Save a copy", "More", "Choose", "Close", "Picture: Picture 2.jpg", "Previous picture",
        "Next picture", "Zoom out", "Zoom in", "Fit", "Close", "Show it large",
    ]  # fmt: skip
    assert names[:13] == first
    assert names[13:] == first[:7]
    page.stage.setFocus()
    page.step_region()
    assert page.panel.isAncestorOf(QApplication.focusWidget())
    page.step_region()
    assert QApplication.focusWidget() is page.header.back
    page.step_region()
    assert page.banners.isAncestorOf(QApplication.focusWidget())


def test_full_screen_ends_with_the_picture(
    page: ViewerPage, gallery: GalleryViewModel, runner: Any, vault: Any
) -> None:
    """Locking or deleting the last picture would else leave the window without its frame, and no key to bring it."""
    open_row(page._viewer, gallery, 0, runner)
    page.toggle_full_screen()
    assert page.window().isFullScreen()
    page._viewer.stop()
    assert not page.window().isFullScreen()
    assert page.header.isVisible()
    page._viewer.start(vault)
    open_row(page._viewer, gallery, 0, runner)
    page.toggle_full_screen()
    page.window().hide()
    page._viewer.stop()
    assert page.window().isHidden()  # at the end of the program


def test_a_viewer_that_is_left_says_nothing_of_its_picture(
    page: ViewerPage, gallery: GalleryViewModel, runner: Any, vault: Any, pictures: Any
) -> None:
    """Words of hidden widgets can still be read, also while locked."""
    vault.put(pictures(0, width=120, height=80, name="secret.jpg", owner_name="lina", role="read"))
    gallery.reload()
    runner.run_pending()
    open_row(page._viewer, gallery, 0, runner)
    page.set_info_shown(True)
    assert "lina" in told_by(page)
    assert "secret.jpg" in told_by(page)
    page._viewer.stop()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert "lina" not in told_by(page)
    assert "secret.jpg" not in told_by(page)


def told_by(page: ViewerPage) -> str:
    widgets = [page, *page.findChildren(QWidget)]
    words = [f"{widget.accessibleName()} {widget.toolTip()}" for widget in widgets]
    words += [label.text() for label in page.findChildren(QLabel)]
    words += [chip.text for chip in page.findChildren(Chip)]
    return "\n".join(words)
