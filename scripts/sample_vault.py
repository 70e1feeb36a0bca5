"""A vault in memory for screenshots: sample photographs under real-looking names, nothing encrypted, nothing stored.

Uses the photographs of Debian's ``mate-backgrounds`` where they are installed, else draws pictures of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

from desktop import errors
from desktop.client.preflight import Preflight
from desktop.models import IsCancelled, Picture, PictureState, Place, PlaceKind, Report, Scheme, Trust

PHOTOGRAPHS = Path("/usr/share/backgrounds/mate")
ORDER = ("LadyBird", "Storm", "YellowFlower", "RainDrops", "Dune", "TwoWings", "FreshFlower", "Aqua", "Wood", "Garden")


def sample_files(folder: Path) -> list[Path]:
    """The sample photographs; drawn ones are made in ``folder`` when none are installed."""
    found = {path.stem: path for path in sorted(PHOTOGRAPHS.rglob("*.jpg")) if path.stem != "Elephants_5640x3172"}
    if found:
        rest = [name for name in found if name not in ORDER]
        return [found[name] for name in (*ORDER, *rest) if name in found]
    from PIL import Image

    made = []
    for number in range(12):
        path = folder / f"Drawn {number}.jpg"
        ramp = Image.linear_gradient("L").resize((1600, 1000))
        parts = (ramp.rotate(30 * number), ramp.point(lambda v, n=number: (v + 40 * n) % 256), ramp.rotate(90))
        Image.merge("RGB", parts).save(path, quality=85)
        made.append(path)
    return made


@dataclass(frozen=True)
class SampleStaged:
    """A picture as if it were encrypted and waiting."""

    picture: Picture
    thumbnail: bytes
    source: Path


@dataclass(frozen=True)
class SampleOpened:
    """A picture with its file."""

    picture: Picture
    data: bytearray


class SampleVault:
    """Answers like ``desktop.client.vault.Vault``, from a handful of photographs repeated ``count`` times."""

    def __init__(self, files: Sequence[Path], count: int, newest: datetime, *, per_day: int = 9) -> None:
        self.files, self._jpegs = list(files), [_thumbnail(path) for path in files]
        self.pictures: dict[str, Picture] = {}
        self.place = Place(PlaceKind.SERVER, Path("nowhere"), "https://pictures.example.org", "mara")
        self.bin_days = 30
        self.binned: dict[str, Picture] = {}
        self.found = Trust()
        self.trouble: dict[str, errors.GlassineError] = {}
        self.slow_s = 0.0
        for number in range(count):
            when = newest - timedelta(days=number // per_day, minutes=37 * (number % per_day))
            self.add(_picture(number, self.files[number % len(self.files)], when))

    def add(self, picture: Picture) -> None:
        """Put a picture in."""
        self.pictures[picture.id] = picture

    def change(self, number: int, **changes: object) -> None:
        """Change one of the pictures."""
        picture_id = f"{number:032x}"
        self.pictures[picture_id] = replace(self.pictures[picture_id], **changes)

    def make_problems(self) -> None:
        """Let some pictures have every state a tile can show."""
        self.change(2, state=PictureState.UNREADABLE, problem="This picture is damaged", problem_code="F-120")
        self.change(4, state=PictureState.REFUSED, problem="Not what you stored", problem_code="V-112")
        self.change(6, scheme=Scheme.CLASSIC)

    def list_pictures(
        self, report: Report, cancelled: IsCancelled, on_page: Callable[[list[Picture]], None]
    ) -> list[Picture]:
        """All of them."""
        everything = list(self.pictures.values())
        for start in range(0, len(everything), 500):
            on_page(everything[start : start + 500])
        return everything

    def trust(self) -> Trust:
        """What the listing found."""
        return self.found

    def list_bin(self, report: Report, cancelled: IsCancelled) -> list[Picture]:
        """What is in the bin."""
        return list(self.binned.values())

    def restore(self, picture_id: str) -> Picture:
        """Take it out of the bin."""
        picture = replace(self.binned.pop(picture_id), deleted=None)
        self.add(picture)
        return picture

    def purge(self, picture_ids: Sequence[str], report: Report, cancelled: IsCancelled) -> list[str]:
        """Gone."""
        for picture_id in picture_ids:
            self.binned.pop(picture_id, None)
        return list(picture_ids)

    def empty_bin(self, report: Report, cancelled: IsCancelled) -> list[str]:
        """All gone."""
        return self.purge(list(self.binned), report, cancelled)

    def thumbnails(self, picture_ids: Sequence[str]) -> dict[str, bytes]:
        """The same few, over and over."""
        return {picture_id: self._jpegs[int(picture_id, 16) % len(self._jpegs)] for picture_id in picture_ids}

    def seal(self, source: Path, report: Report, cancelled: IsCancelled) -> SampleStaged:
        """Pretend to encrypt."""
        if source.name in self.trouble:
            raise self.trouble[source.name]
        self._work(report, cancelled)
        number = 900_000 + len(self.pictures)
        picture = replace(_picture(number, source, datetime.now()), name=source.name)  # noqa: DTZ005
        self.add(picture)
        return SampleStaged(picture, _thumbnail(source), source)

    def upload(self, staged: SampleStaged, report: Report, cancelled: IsCancelled) -> Picture:
        """Pretend to send."""
        if staged.picture.name in self.trouble:
            raise self.trouble[staged.picture.name]
        self._work(report, cancelled)
        return staged.picture

    def _work(self, report: Report, cancelled: IsCancelled) -> None:
        for step in range(20):
            if cancelled():
                raise errors.Cancelled
            time.sleep(self.slow_s / 20)
            report(step + 1, 20)

    def staged(self) -> list[SampleStaged]:
        """Nothing was left."""
        return []

    def discard(self, staged: SampleStaged) -> None:
        """Nothing to throw away."""

    def open(self, picture_id: str, report: Report, cancelled: IsCancelled) -> SampleOpened:
        """The file itself."""
        if picture_id in self.trouble:
            raise self.trouble[picture_id]
        self._work(report, cancelled)
        path = self.files[int(picture_id, 16) % len(self.files)]
        return SampleOpened(self.pictures[picture_id], bytearray(path.read_bytes()))

    def export(self, picture_id: str, folder: Path, report: Report, cancelled: IsCancelled) -> Path:
        """Pretend to save a copy."""
        if picture_id in self.trouble:
            raise self.trouble[picture_id]
        self._work(report, cancelled)
        return folder / self.pictures[picture_id].name

    def delete(self, picture_id: str) -> None:
        """Move it to the bin."""
        self.binned[picture_id] = replace(self.pictures.pop(picture_id), deleted=datetime.now(UTC))

    def inspect_sources(self, paths: Sequence[Path], report: Report, cancelled: IsCancelled) -> Preflight:
        """The real first look."""
        from desktop.client.preflight import inspect

        return inspect(paths, lambda size: {}, lambda size: {}, report, cancelled)

    def save_queue(self, paths: Sequence[Path]) -> None:
        """Keep nothing."""

    def load_queue(self) -> list[Path]:
        """Nothing was kept."""
        return []


def _picture(number: int, source: Path, when: datetime) -> Picture:
    return Picture(
        id=f"{number:032x}",
        stored_name=f"p-{number:032x}",
        owner_id="0" * 24,
        scheme=Scheme.SEALED,
        name=source.name,
        media_type="image/jpeg",
        size=source.stat().st_size,
        stored_size=source.stat().st_size + 4096,
        width=2560,
        height=1600,
        taken=when,
        added=datetime(2026, 3, 14, 16, 42, tzinfo=UTC),
    )


def _thumbnail(path: Path) -> bytes:
    from PIL import Image

    out = BytesIO()
    with Image.open(path) as image:
        image.draft("RGB", (512, 512))
        image.thumbnail((512, 512))
        image.convert("RGB").save(out, "JPEG", quality=85)
    return out.getvalue()
