"""A vault in memory and pictures for the tests of gallery, viewer and transfers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from desktop import errors
from desktop.client.preflight import Preflight, SourceFile, Verdict
from desktop.models import IsCancelled, Picture, PictureState, Place, PlaceKind, Report, Scheme, Trust
from desktop.tasks import InlineRunner, TaskRunner
from desktop.widgets.icons import Icons
from desktop.widgets.theme import Theme

NOON = datetime(2026, 3, 14, 12, 0)


def make_picture(number: int, *, hours_ago: float | None = None, **changes: Any) -> Picture:
    hours = number if hours_ago is None else hours_ago
    values: dict[str, Any] = {
        "id": f"{number:032x}",
        "stored_name": f"p-{number:032x}",
        "owner_id": "0" * 24,
        "scheme": Scheme.SEALED,
        "name": f"Picture {number}.jpg",
        "media_type": "image/jpeg",
        "size": 1000 + number,
        "stored_size": 2000 + number,
        "width": 60,
        "height": 40,
        "taken": NOON - timedelta(hours=hours),
        "added": datetime(2026, 3, 14, 12, 0, tzinfo=UTC),
    }
    return Picture(**(values | changes))


def make_jpeg(width: int = 60, height: int = 40, colour: tuple[int, int, int] = (200, 30, 60)) -> bytes:
    from PIL import Image

    out = BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "JPEG")
    return out.getvalue()


@dataclass(frozen=True)
class FakeStaged:
    picture: Picture
    thumbnail: bytes
    source: Path


@dataclass(frozen=True)
class FakeOpened:
    picture: Picture
    data: bytearray


@dataclass
class FakeVault:
    """Does what a vault does, in memory. ``trouble`` maps a file name or picture id to the error to raise."""

    pictures: dict[str, Picture] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    jpegs: dict[str, bytes] = field(default_factory=dict)
    trouble: dict[str, errors.GlassineError] = field(default_factory=dict)
    upload_trouble: dict[str, errors.GlassineError] = field(default_factory=dict)
    waiting: list[FakeStaged] = field(default_factory=list)
    queue: list[Path] = field(default_factory=list)
    discarded: list[str] = field(default_factory=list)
    thumbnail_requests: list[list[str]] = field(default_factory=list)
    gates: dict[str, threading.Event] = field(default_factory=dict)
    place: Place = field(
        default_factory=lambda: Place(PlaceKind.SERVER, Path("nowhere"), "https://pictures.example.org", "mara")
    )
    page: int = 3
    made: int = 1000
    bin_days: int = 0
    binned: dict[str, Picture] = field(default_factory=dict)
    found: Trust = field(default_factory=Trust)
    changing: threading.Lock = field(default_factory=threading.Lock)

    def put(self, *pictures: Picture) -> FakeVault:
        for number, picture in enumerate(pictures):
            self.pictures[picture.id] = picture
            self.jpegs[picture.id] = make_jpeg(colour=(number * 40 % 256, 90, 160))
            self.contents[picture.id] = make_jpeg(120, 80)
        return self

    def _check(self, troubles: dict[str, errors.GlassineError], key: str) -> None:
        if key in troubles:
            raise troubles[key]

    def _gate(self, key: str, cancelled: IsCancelled) -> None:
        gate = self.gates.get(key)
        while gate is not None and not gate.wait(0.01):
            if cancelled():
                raise errors.Cancelled

    def list_pictures(
        self, report: Report, cancelled: IsCancelled, on_page: Callable[[list[Picture]], None]
    ) -> list[Picture]:
        self._check(self.trouble, "list")
        everything = sorted(self.pictures.values(), key=lambda picture: picture.id)
        for start in range(0, len(everything), self.page):
            on_page(everything[start : start + self.page])
        return everything

    def trust(self) -> Trust:
        return self.found

    def list_bin(self, report: Report, cancelled: IsCancelled) -> list[Picture]:
        self._check(self.trouble, "list-bin")
        return list(self.binned.values())

    def restore(self, picture_id: str) -> Picture:
        self._check(self.trouble, picture_id)
        picture = replace(self.binned.pop(picture_id), deleted=None)
        self.pictures[picture_id] = picture
        return picture

    def purge(self, picture_ids: Sequence[str], report: Report, cancelled: IsCancelled) -> list[str]:
        done = []
        for picture_id in picture_ids:
            self._check(self.trouble, picture_id)
            self.binned.pop(picture_id, None)
            self.pictures.pop(picture_id, None)
            done.append(picture_id)
        return done

    def empty_bin(self, report: Report, cancelled: IsCancelled) -> list[str]:
        return self.purge(list(self.binned), report, cancelled)

    def thumbnails(self, picture_ids: Sequence[str]) -> dict[str, bytes]:
        self.thumbnail_requests.append(list(picture_ids))
        self._check(self.trouble, "thumbnails")
        return {picture_id: self.jpegs[picture_id] for picture_id in picture_ids if picture_id in self.jpegs}

    def seal(self, source: Path, report: Report, cancelled: IsCancelled) -> FakeStaged:
        self._gate(source.name, cancelled)
        self._check(self.trouble, source.name)
        report(1, 2)
        if cancelled():
            raise errors.Cancelled
        report(2, 2)
        with self.changing:
            self.made += 1
            number = self.made
        size = source.stat().st_size if source.exists() else 5
        staged = FakeStaged(make_picture(number, hours_ago=0, name=source.name, size=size), make_jpeg(), source)
        with self.changing:
            self.waiting.append(staged)
        return staged

    def upload(self, staged: FakeStaged, report: Report, cancelled: IsCancelled) -> Picture:
        self._gate(f"upload {staged.picture.name}", cancelled)
        self._check(self.upload_trouble, staged.picture.name)
        report(1, 2)
        if cancelled():
            raise errors.Cancelled
        report(2, 2)
        with self.changing:  # list.remove compares, and others may append or remove meanwhile
            self.waiting.remove(staged)
        self.pictures[staged.picture.id] = staged.picture
        self.jpegs[staged.picture.id] = staged.thumbnail
        return staged.picture

    def staged(self) -> list[FakeStaged]:
        return list(self.waiting)

    def discard(self, staged: FakeStaged) -> None:
        self.discarded.append(staged.picture.name)
        with self.changing:
            if staged in self.waiting:
                self.waiting.remove(staged)

    def open(self, picture_id: str, report: Report, cancelled: IsCancelled) -> FakeOpened:
        self._gate(picture_id, cancelled)
        self._check(self.trouble, picture_id)
        if picture_id not in self.pictures:
            raise errors.NotFound
        report(1, 1)
        return FakeOpened(self.pictures[picture_id], bytearray(self.contents[picture_id]))

    def export(self, picture_id: str, folder: Path, report: Report, cancelled: IsCancelled) -> Path:
        self._gate(picture_id, cancelled)
        self._check(self.trouble, picture_id)
        target = folder / self.pictures[picture_id].name
        number = 2
        while target.exists():
            target = folder / f"{Path(self.pictures[picture_id].name).stem} ({number}).jpg"
            number += 1
        target.write_bytes(self.contents[picture_id])
        report(1, 1)
        return target

    def delete(self, picture_id: str) -> None:
        self._check(self.trouble, picture_id)
        if picture_id not in self.pictures:
            raise errors.NotFound
        picture = self.pictures.pop(picture_id)
        if self.bin_days:
            self.binned[picture_id] = replace(picture, deleted=datetime(2026, 3, 15, 9, 30, tzinfo=UTC))

    def inspect_sources(self, paths: Sequence[Path], report: Report, cancelled: IsCancelled) -> Preflight:
        files: list[SourceFile] = []
        for path in paths:
            for file in sorted(path.iterdir()) if path.is_dir() else [path]:
                if file.suffix == ".docx":
                    files.append(SourceFile(file, 9, Verdict.UNSUPPORTED, "This is not a picture."))
                elif file.name.startswith("there"):
                    files.append(SourceFile(file, 9, Verdict.ALREADY_STORED, "It is there.", next(iter(self.pictures))))
                else:
                    files.append(SourceFile(file, file.stat().st_size if file.exists() else 5, Verdict.READY))
        return Preflight(files)

    def save_queue(self, paths: Sequence[Path]) -> None:
        self.queue = list(paths)

    def load_queue(self) -> list[Path]:
        return list(self.queue)


@pytest.fixture
def vault() -> FakeVault:
    return FakeVault()


@pytest.fixture
def runner() -> InlineRunner:
    return InlineRunner()


@pytest.fixture
def threads(qapp: Any) -> Iterator[TaskRunner]:
    runner = TaskRunner()
    yield runner
    assert runner.close()


@pytest.fixture(scope="session")
def pictures() -> Callable[..., Picture]:
    return make_picture


@pytest.fixture(scope="session")
def jpeg() -> Callable[..., bytes]:
    return make_jpeg


@pytest.fixture
def refused() -> Picture:
    return make_picture(
        77, state=PictureState.REFUSED, problem="Not what you stored: older revision", problem_code="V-112"
    )


@pytest.fixture(scope="session")
def theme(qapp: Any) -> Theme:
    made = Theme("light")
    made.apply(qapp)
    return made


@pytest.fixture(scope="session")
def icons(theme: Theme) -> Icons:
    return Icons(theme)
