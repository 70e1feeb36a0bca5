"""What a person prefers; applied at once and kept. Must not import widgets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

from desktop.models import IsCancelled, Place, Report

if TYPE_CHECKING:
    from desktop.config import Config
    from desktop.tasks import Runner
    from desktop.viewmodels.session_port import SessionPort

TILE_SIZES: Final = (120, 168, 240)
"""Small, medium and large tiles."""


class SettingsViewModel(QObject):
    """The preferences.

    Signals:
        theme_changed(str): system, light or dark.
        tile_size_changed(int), skip_preflight_changed(bool)
        place_changed(): another vault is open.
        locking_changed(): when to lock.
        failed(GlassineError): they could not be kept; they hold until the program ends.
    """

    theme_changed = Signal(str)
    tile_size_changed = Signal(int)
    skip_preflight_changed = Signal(bool)
    place_changed = Signal()
    locking_changed = Signal()
    failed = Signal(object)

    def __init__(self, runner: Runner, config: Config, log_folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner, self._config = runner, config
        self.log_folder = log_folder
        self.place: Place | None = None

    @property
    def theme(self) -> str:
        """``system``, ``light`` or ``dark``."""
        return self._config.preferences.theme

    @property
    def tile_size(self) -> int:
        """Side of a tile: the nearest of the sizes offered."""
        return min(TILE_SIZES, key=lambda size: abs(size - self._config.preferences.tile_size))

    @property
    def skip_preflight(self) -> bool:
        """Whether dropped files are added without looking them over."""
        return self._config.preferences.skip_preflight

    @property
    def lock_after_minutes(self) -> int:
        """Lock after so many idle minutes; 0 never."""
        return self._config.preferences.lock_after_minutes

    @property
    def lock_with_screen(self) -> bool:
        """Whether to lock with the screen."""
        return self._config.preferences.lock_with_screen

    @property
    def lock_minimised(self) -> bool:
        """Whether to lock when the window is minimised."""
        return self._config.preferences.lock_minimised

    def set_lock_after_minutes(self, minutes: int) -> None:
        """Choose after how many idle minutes to lock."""
        self._set_locking("lock_after_minutes", minutes)

    def set_lock_with_screen(self, lock: bool) -> None:
        """Choose whether to lock with the screen."""
        self._set_locking("lock_with_screen", lock)

    def set_lock_minimised(self, lock: bool) -> None:
        """Choose whether to lock when the window is minimised."""
        self._set_locking("lock_minimised", lock)

    def _set_locking(self, name: str, value: int | bool) -> None:
        if getattr(self._config.preferences, name) != value:
            setattr(self._config.preferences, name, value)
            self._save()
            self.locking_changed.emit()

    @property
    def export_folder(self) -> str:
        """Where the last copies were saved, or an empty text."""
        return self._config.preferences.export_folder

    @property
    def add_folder(self) -> str:
        """Where pictures were last added from, or an empty text."""
        return self._config.preferences.add_folder

    @property
    def data_folder(self) -> Path:
        """Where keys, caches and preferences are."""
        return self._config.folder

    def set_theme(self, theme: str) -> None:
        """Choose the colours."""
        if theme != self.theme:
            self._config.preferences.theme = theme
            self._save()
            self.theme_changed.emit(theme)

    def set_tile_size(self, size: int) -> None:
        """Choose the size of the tiles."""
        if size != self._config.preferences.tile_size:
            self._config.preferences.tile_size = size
            self._save()
            self.tile_size_changed.emit(size)

    def set_skip_preflight(self, skip: bool) -> None:
        """Choose whether to look pictures over before they are added."""
        if skip != self.skip_preflight:
            self._config.preferences.skip_preflight = skip
            self._save()
            self.skip_preflight_changed.emit(skip)

    def set_export_folder(self, folder: str) -> None:
        """Remember where copies are saved."""
        if folder != self.export_folder:
            self._config.preferences.export_folder = folder
            self._save()

    def set_add_folder(self, folder: str) -> None:
        """Remember where pictures are added from."""
        if folder != self.add_folder:
            self._config.preferences.add_folder = folder
            self._save()

    def start(self, session: SessionPort) -> None:
        """Say where the pictures of this session are."""
        self.place = session.place
        self.place_changed.emit()

    def stop(self) -> None:
        """Forget the place."""
        self.place = None
        self.place_changed.emit()

    def _save(self) -> None:
        self._runner.submit(_save, self._config, pool="view").failed.connect(self.failed)


def _save(config: Config, report: Report, cancelled: IsCancelled) -> None:
    config.save()
