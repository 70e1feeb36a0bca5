"""Screenshots of sharing, comparing, the bin and what a listing found, without a display, a server or a vault.

Run as ``python -m scripts.screenshots_sharing [FOLDER]``; the pictures go to FOLDER (default: ``screenshots``).
"""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
from PySide6.QtCore import QEventLoop, QSize, Qt, QTimer
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from sample_vault import SampleVault, sample_files

from desktop.app import build, make_sessions, name_application
from desktop.client.stored_pixels import StoredPixels
from desktop.config import Config
from desktop.models import PersonState, Picture, PictureState, Scheme, Trust
from desktop.tasks import TaskRunner
from desktop.viewmodels.gallery import GalleryState
from tests.widgets.gallery.fake_circle import FakeCircle, make_person

WIDE, LEAST = QSize(1280, 800), QSize(720, 480)


class Vault(SampleVault):
    """The sample vault, with a look at what would be stored."""

    def stored_pixels(self, picture: Picture, columns: int, rows: int, report: Any, cancelled: Any) -> StoredPixels:
        """Noise, the same each time."""
        noise = np.random.default_rng(7).integers(0, 256, columns * rows * 3, dtype=np.uint8)
        return StoredPixels(columns, rows, noise.tobytes(), (2048, 2048))

    def stored_file(self, picture: Picture, report: Any, cancelled: Any) -> bytearray:
        """The picture itself: in the classic scheme outlines show through."""
        return bytearray(self.files[0].read_bytes())


class Session:
    """Somebody signed in."""

    locked = key_missing = False
    user_id, user_name = "1" * 24, "mara"
    key_store = public_key = key_change = classic_key = kit = None

    def __init__(self, vault: SampleVault) -> None:
        self._vault, self.place = vault, vault.place

    def vault(self) -> SampleVault:
        """What is shown."""
        return self._vault

    def close(self) -> None:
        """Nothing to close."""

    def lock(self) -> None:
        """Nothing to lock."""


def settle(milliseconds: int = 200) -> None:
    """Let events run for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


class Studio:
    """One window, photographed over and over."""

    def __init__(self, folder: Path, files: list[Path], data: Path) -> None:
        self.folder, self.files = folder, files
        self.runner, config = TaskRunner(), Config(data)
        self.window = build(config, self.runner, make_sessions(config))
        self.window.show()
        self.window._on_first_painted()

    def open(self, vault: SampleVault, circle: FakeCircle | None, size: QSize = WIDE, scheme: str = "light") -> None:
        """Enter a vault."""
        window = self.window
        window.theme.set_preference(scheme)
        window.resize(size)
        models = window.open_vault._models
        models.people._open_circle = lambda _: circle.port if circle is not None else None
        models.shell.stop()
        models.shell.stage = type(models.shell.stage).SIGN_IN
        window.open_vault.forget()
        models.shell.enter(Session(vault))  # type: ignore[arg-type]
        for _ in range(100):
            settle(20)
            if models.gallery.state is GalleryState.READY and not self.runner.busy:
                break
        settle(300)

    @property
    def vault_widgets(self) -> Any:
        """The open vault."""
        return self.window.open_vault

    def go(self, page: str) -> None:
        """Go to a page."""
        self.vault_widgets.shell_page.sidebar.pages[page].click()
        settle(500)

    def save(self, name: str) -> None:
        """Write what is seen, dialogs included."""
        settle(250)
        picture = self.window.grab()
        dialogs = [dialog for dialog in self.window.findChildren(QDialog) if dialog.isVisible()]
        for dialog in sorted(dialogs, key=_depth):
            painter = QPainter(picture)
            corner = self.window.rect().center() - dialog.rect().center()
            painter.drawPixmap(corner, dialog.grab())
            painter.end()
        picture.save(str(self.folder / f"{name}.png"))

    def close_dialogs(self) -> None:
        """Put dialogs away."""
        for dialog in self.window.findChildren(QDialog):
            dialog.done(0)
        settle(100)


def _depth(widget: QWidget) -> int:
    depth, owner = 0, widget
    while (parent := owner.parentWidget()) is not None:
        depth, owner = depth + 1, parent
    return depth


def sample_circle(vault: SampleVault) -> FakeCircle:
    """Four people."""
    lina, tom = make_person("Lina Okafor", PersonState.VERIFIED), make_person("Tom Reyes")
    ada, kim = make_person("Ada Brandt", PersonState.VERIFIED), make_person("Kim", PersonState.NO_KEY)
    circle = FakeCircle()
    circle.sharing.meet(lina, tom, ada, kim)
    pictures = list(vault.pictures)
    for number, person, role in ((1, lina, "read"), (3, tom, "read"), (3, ada, "write"), (5, lina, "read")):
        circle.sharing.give(pictures[number], person, role)
    circle.shared.put(tom, *(vault.pictures[picture_id] for picture_id in pictures[:3]))
    circle.shared.put(lina, *(vault.pictures[picture_id] for picture_id in pictures[4:11]), role="write")
    circle.shared.accepted.add(lina.user_id)
    circle.shared.jpeg = vault.thumbnails(pictures[6:7])[pictures[6]]
    return circle


def sharing(studio: Studio, now: datetime) -> None:
    """The share dialog and the places."""
    for scheme, size, tag in (("light", WIDE, "light"), ("dark", WIDE, "dark"), ("light", LEAST, "least")):
        vault = Vault(studio.files, 60, now)
        circle = sample_circle(vault)
        studio.open(vault, circle, size, scheme)
        pages = studio.vault_widgets.circle
        studio.save(f"places-{tag}")
        pages.share([vault.pictures[picture_id] for picture_id in list(vault.pictures)[3:4]])
        settle(400)
        [dialog] = [one for one in studio.window.findChildren(QDialog) if one.isVisible()]
        studio.save(f"share-{tag}")
        dialog._compare(make_person("Tom Reyes").user_id)
        studio.save(f"share-compare-{tag}")
        for row in dialog._rows:
            if getattr(row, "card", None) is not None:
                row.card.toggle_digits()
        studio.save(f"share-digits-{tag}")
        dialog.name.setText("mara")
        dialog.add.click()
        settle(200)
        studio.save(f"share-yourself-{tag}")
        dialog._on_removed(make_person("Tom Reyes").user_id)
        studio.save(f"stop-{tag}")
        studio.close_dialogs()
        pages.compare(make_person("Tom Reyes"))
        studio.save(f"compare-{tag}")
        studio.close_dialogs()
        changed = make_person("Lina Okafor", PersonState.CHANGED)
        circle.sharing.meet(changed)
        circle.sharing.new_keys[changed.user_id] = replace(changed, fingerprint="7" * 64)
        circle.sharing.give(list(vault.pictures)[1], changed)
        pages.share([vault.pictures[list(vault.pictures)[1]]])
        settle(400)
        studio.save(f"key-changed-{tag}")
        studio.close_dialogs()
        studio.vault_widgets._models.people.refresh()
        settle(300)
        studio.save(f"key-changed-banner-{tag}")
        studio.go("shared-with-me")
        studio.save(f"shared-with-me-{tag}")
        studio.go("shared-by-me")
        studio.save(f"shared-by-me-{tag}")
        shared = next(iter(circle.shared.pictures.values()))
        circle.revising.waiting[shared.id] = studio.files[1].read_bytes()
        pages.show_conflict(replace(shared, owner_name="Lina Okafor"))
        settle(500)
        studio.save(f"conflict-{tag}")
        pages.leave_conflict()


def bin_and_trust(studio: Studio, now: datetime) -> None:
    """The bin, banners, tiles, explanations, what the server sees."""
    for scheme, size, tag in (("light", WIDE, "light"), ("dark", WIDE, "dark"), ("dark", LEAST, "least-dark")):
        vault = Vault(studio.files, 60, now)
        ids = list(vault.pictures)
        for number in range(20, 26):
            picture = vault.pictures.pop(ids[number])
            vault.binned[picture.id] = replace(picture, deleted=datetime.now(UTC) - timedelta(days=number - 20))
        problems = {"problem": "What the server handed out is older than what you stored.", "problem_code": "V-112"}
        for number, changes in (
            (0, {"state": PictureState.REFUSED, **problems}),
            (1, {"state": PictureState.MISSING, "problem_code": "V-120"}),
            (2, {"state": PictureState.UNREADABLE, "problem": "The stored file has changed.", "problem_code": "F-120"}),
            (3, {"scheme": Scheme.CLASSIC}),
            (4, {"conflict": True}),
        ):
            vault.change(number, **changes)
        vault.found = Trust(rolled_back=(ids[0],), missing=(ids[1],), new_device=True, ledger_time=now.astimezone(UTC))
        circle = sample_circle(vault)
        circle.revising.waiting[ids[4]] = b""
        circle.sharing.give(ids[6], make_person("Tom Reyes"))
        circle.sharing.give(ids[7], make_person("Lina Okafor", PersonState.VERIFIED))
        studio.open(vault, circle, size, scheme)
        widgets = studio.vault_widgets
        studio.save(f"trust-{tag}")
        widgets.gallery_page.explain(ids[0])
        studio.save(f"explanation-{tag}")
        studio.close_dialogs()
        widgets.gallery_page.set_filter("missing")
        settle(300)
        studio.save(f"missing-{tag}")
        widgets.gallery_page.explain(ids[1])
        studio.save(f"explanation-missing-{tag}")
        studio.close_dialogs()
        widgets.gallery_page.set_filter("")
        settle(200)
        widgets.gallery_page.ask_to_delete([vault.pictures[ids[8]]])
        settle(400)
        studio.save(f"toast-{tag}")
        studio.go("bin")
        studio.save(f"bin-{tag}")
        widgets.circle.bin_page.ask_to_empty()
        studio.save(f"bin-empty-question-{tag}")
        studio.close_dialogs()
        studio.go("pictures")
        widgets.open_picture(ids[7])
        settle(800)
        widgets.viewer_page.set_info_shown(True)
        settle(500)
        studio.save(f"server-sees-{tag}")
        widgets.viewer_page.toggle_stored()
        settle(500)
        studio.save(f"server-sees-large-{tag}")
        widgets.viewer_page.set_info_shown(False)
        widgets.viewer_page.go_back()
        settle(100)
    studio.open(Vault(studio.files, 3, now), FakeCircle())
    for page in ("bin", "shared-with-me", "shared-by-me"):
        studio.go(page)
        studio.save(f"empty-{page}")


def mirrored(studio: Studio, now: datetime) -> None:
    """Right to left."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    application.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    vault = Vault(studio.files, 60, now)
    circle = sample_circle(vault)
    studio.open(vault, circle)
    studio.vault_widgets.circle.share([vault.pictures[picture_id] for picture_id in list(vault.pictures)[3:4]])
    settle(400)
    studio.save("share-rtl")
    studio.close_dialogs()
    studio.go("shared-with-me")
    studio.save("shared-with-me-rtl")
    application.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


def main() -> None:
    """Take all of them."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    application = QApplication([])
    name_application(application)
    with tempfile.TemporaryDirectory() as data:
        files = sample_files(Path(data))
        studio = Studio(folder, files, Path(data) / "config")
        now = datetime.now()  # noqa: DTZ005
        sharing(studio, now)
        bin_and_trust(studio, now)
        mirrored(studio, now)
        studio.window.stop()
        studio.runner.close()


if __name__ == "__main__":
    main()
