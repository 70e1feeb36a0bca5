"""First paint and scrolling of the gallery at 10,000 and 100,000 pictures, against a plain QListView in icon mode.

The gallery is the real page over the real view-model: thumbnails are fetched, decoded in workers and kept by the real
queue (from a vault that hands out a few JPEGs). The plain view has the settings that make QListView quickest, the
default delegate, no sections, and all its images decoded beforehand; so its scrolling does less. Run: ``python -m
benchmarks.bench_gallery [--frames N]``.

First paint is from the list being handed to the model and the window shown until tiles (not yet thumbnails) are
painted. A frame is one step of the scroll bar with everything that follows in the GUI thread; frames come at 60 a
second, the scrolling is a quick fling of 12,000 pixels a second, to and fro over 4,000 pixels whose thumbnails are at
hand ("decoded"), then over 20,000 pixels where they arrive meanwhile ("while decoding").
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QAbstractListModel, QEvent, QEventLoop, QObject, QPoint, QSize, Qt, QTimer
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QApplication, QListView

from desktop.app import SWITCH_INTERVAL_S
from desktop.models import IsCancelled, Picture, Place, PlaceKind, Report, Scheme, Trust
from desktop.tasks import TaskRunner
from desktop.viewmodels.gallery import GalleryState, GalleryViewModel
from desktop.viewmodels.picture_list import PictureList
from desktop.widgets.gallery_page import GalleryPage
from desktop.widgets.icons import Icons
from desktop.widgets.theme import Theme

COUNTS = (10_000, 100_000)
SIZE = QSize(1063, 800)
SIDE = 194
STEP = 200
FRAME_S = 1 / 60
LAUNCHES = 5
NEWEST = datetime(2026, 3, 14, 18, 0)  # noqa: DTZ001 - cameras write naive local time


def make_jpegs() -> list[bytes]:
    """Sixteen different thumbnails of 512 by 384."""
    from PIL import Image

    jpegs = []
    for number in range(16):
        ramp = Image.linear_gradient("L").resize((512, 384))
        noise = Image.effect_noise((512, 384), 30 + number)
        out = BytesIO()
        Image.merge("RGB", (ramp, noise, ramp.rotate(180))).save(out, "JPEG", quality=80)
        jpegs.append(out.getvalue())
    return jpegs


def make_pictures(count: int) -> list[Picture]:
    """Pictures of the last years, about a hundred a day: as many sections as people have."""
    added = datetime(2026, 3, 14, tzinfo=UTC)
    return [
        Picture(
            id=f"{number:032x}",
            stored_name=f"p-{number:032x}",
            owner_id="0" * 24,
            scheme=Scheme.SEALED,
            name=f"IMG_{number}.JPG",
            media_type="image/jpeg",
            size=4_000_000,
            stored_size=4_010_000,
            width=4000,
            height=3000,
            taken=NEWEST - timedelta(minutes=14 * number),
            added=added,
        )
        for number in range(count)
    ]


class BenchVault:
    """Lists pictures and hands out thumbnails."""

    bin_days = 30
    place = Place(PlaceKind.SERVER, Path("nowhere"), "https://pictures.example.org", "mara")

    def trust(self) -> Trust:
        """Nothing was found."""
        return Trust()

    def __init__(self, pictures: list[Picture], jpegs: list[bytes]) -> None:
        self._pictures, self._jpegs = pictures, jpegs

    def list_pictures(
        self, report: Report, cancelled: IsCancelled, on_page: Callable[[list[Picture]], None]
    ) -> list[Picture]:
        """All of them."""
        for start in range(0, len(self._pictures), 500):
            on_page(self._pictures[start : start + 500])
        return self._pictures

    def thumbnails(self, picture_ids: Sequence[str]) -> dict[str, bytes]:
        """One of the few for each."""
        return {picture_id: self._jpegs[int(picture_id, 16) % len(self._jpegs)] for picture_id in picture_ids}


class PlainModel(QAbstractListModel):
    """Names and ready icons."""

    def __init__(self, count: int, icons: list[QIcon]) -> None:
        super().__init__()
        self._count, self._icons = count, icons

    def rowCount(self, parent: Any = None) -> int:
        """Number of items."""
        return 0 if parent is not None and parent.isValid() else self._count

    def data(self, index: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """An icon."""
        if role == Qt.ItemDataRole.DecorationRole:
            return self._icons[index.row() % len(self._icons)]
        return None


def make_plain() -> QListView:
    """QListView with the settings that make it quickest, in the order that does."""
    view = QListView()
    view.setViewMode(QListView.ViewMode.IconMode)
    view.setMovement(QListView.Movement.Static)
    view.setResizeMode(QListView.ResizeMode.Adjust)
    view.setUniformItemSizes(True)
    view.setIconSize(QSize(SIDE, SIDE))
    view.setGridSize(QSize(SIDE + 8, SIDE + 8))
    view.setLayoutMode(QListView.LayoutMode.Batched)
    view.setBatchSize(500)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.resize(SIZE)
    return view


def run_events(seconds: float = 0.0) -> None:
    """Let events run for a while, or those that wait."""
    if not seconds:
        QApplication.processEvents()
        return
    loop = QEventLoop()
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec()


class PaintWatch(QObject):
    """Notices when the items of a view have been painted."""

    def __init__(self, view: QAbstractItemView) -> None:
        super().__init__()
        self.painted = False
        view.viewport().installEventFilter(self)
        self._view = view

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """See painting go by."""
        if event.type() == QEvent.Type.Paint and self._view.indexAt(QPoint(SIDE // 2 + 24, SIDE)).isValid():
            self.painted = True
        return False

    def wait(self) -> None:
        """Let events run until it happened."""
        while not self.painted:
            QApplication.processEvents()


def first_paint_plain(count: int, icons: list[QIcon]) -> float:
    """Milliseconds to the first paint of the plain view."""
    view, model = make_plain(), PlainModel(count, icons)
    watch = PaintWatch(view)
    run_events()
    started = time.perf_counter()
    view.setModel(model)
    view.show()
    watch.wait()
    elapsed = time.perf_counter() - started
    view.close()
    return elapsed * 1000


def first_paint_gallery(pictures: PictureList, theme: Theme, icons: Icons, runner: TaskRunner) -> float:
    """Milliseconds to the first paint of the gallery page."""
    gallery = GalleryViewModel(runner)
    page = GalleryPage(theme, icons, gallery)
    page.resize(SIZE)
    watch = PaintWatch(page.view)
    run_events()
    mine = pictures.copy()
    started = time.perf_counter()
    gallery.model.reset(mine)
    page.show()
    watch.wait()
    elapsed = time.perf_counter() - started
    page.close()
    page.deleteLater()
    run_events()
    return elapsed * 1000


def fling(view: QAbstractItemView, frames: int, reach: int = 100) -> list[float]:
    """Milliseconds of each frame of a fling to and fro, turning after ``reach`` frames."""
    bar = view.verticalScrollBar()
    bar.setValue(min(bar.maximum() // 3, 400_000))
    run_events(0.5)
    times: list[float] = []
    step = STEP
    for number in range(frames):
        if number and number % reach == 0:
            step = -step
        started = time.perf_counter()
        bar.setValue(bar.value() + step)
        QApplication.processEvents()
        elapsed = time.perf_counter() - started
        times.append(elapsed * 1000)
        if elapsed < FRAME_S:
            time.sleep(FRAME_S - elapsed)
    return times


def visit(view: QAbstractItemView, reach: int) -> None:
    """Scroll over so many pixels from where the fling begins, slowly enough for all thumbnails to come."""
    bar = view.verticalScrollBar()
    start = min(bar.maximum() // 3, 400_000)
    for place in range(start, start + reach + 1, STEP):
        bar.setValue(place)
        run_events(0.25)


def p95(times: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(times, n=20)[-1]


def compare(what: str, ours: float, plain: float, unit: str = "ms") -> None:
    """Print one line."""
    print(
        f"{what:<44} Glassine {ours:8.1f} {unit}   QListView {plain:8.1f} {unit}   ratio {ours / plain:5.2f}",
        flush=True,
    )


def main() -> int:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=400)
    options = parser.parse_args()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    app = QApplication([])
    theme = Theme("light")
    theme.apply(app)
    icons, runner, jpegs = Icons(theme), TaskRunner(), make_jpegs()
    pixmaps = [QPixmap() for _ in jpegs]
    for pixmap, jpeg in zip(pixmaps, jpegs, strict=True):
        pixmap.loadFromData(jpeg)
    ready = [
        QIcon(
            pixmap.scaled(SIDE, SIDE, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
        )
        for pixmap in pixmaps
    ]
    for count in COUNTS:
        pictures = make_pictures(count)
        listed = PictureList(pictures)
        ours, plain = [], []
        for _ in range(LAUNCHES):
            ours.append(first_paint_gallery(listed, theme, icons, runner))
            plain.append(first_paint_plain(count, ready))
        compare(f"first paint, {count:,} pictures", statistics.median(ours), statistics.median(plain))

        view, model = make_plain(), PlainModel(count, ready)
        view.setModel(model)
        view.show()
        while view.verticalScrollBar().maximum() < 12_000:  # laid out in batches
            run_events(0.05)
        run_events(2.0 if count > 50_000 else 0.5)
        plain_frames = fling(view, options.frames)
        view.close()

        gallery = GalleryViewModel(runner)
        page = GalleryPage(theme, icons, gallery)
        page.resize(SIZE)
        page.show()
        idle = load(gallery, None)
        longest = load(gallery, BenchVault(pictures, jpegs))
        visit(page.view, 20 * STEP)
        warm = fling(page.view, options.frames, reach=20)
        cold = fling(page.view, options.frames)
        compare(f"scroll frame p95, {count:,}, decoded", p95(warm), p95(plain_frames))
        compare(f"scroll frame p95, {count:,}, while decoding", p95(cold), p95(plain_frames))
        what = f"longest stall while listing, {count:,}"
        print(f"{what:<44} Glassine {longest:8.1f} ms   idle window {idle:7.1f} ms", flush=True)
        gallery.stop()
        page.close()
        page.deleteLater()
        run_events()
    runner.close()
    return 0


def load(gallery: GalleryViewModel, vault: Any) -> float:
    """List a vault (None: idle for a second); return the longest time in ms for which the event loop stood still."""
    longest, last = 0.0, time.perf_counter()

    def tick() -> None:
        nonlocal longest, last
        now = time.perf_counter()
        longest, last = max(longest, now - last), now

    timer = QTimer()
    timer.timeout.connect(tick)
    timer.start(1)
    if vault is None:
        run_events(1.0)
    else:
        gallery.start(vault)
        while gallery.state is not GalleryState.READY:
            run_events(0.01)
    timer.stop()
    return longest * 1000


if __name__ == "__main__":
    raise SystemExit(main())
