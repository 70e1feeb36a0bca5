"""Where Glassine keeps things on this computer, and what people prefer. No secrets here.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from desktop.place_kind import PlaceKind

if TYPE_CHECKING:
    from desktop.models import Place

log = logging.getLogger(__name__)

DATA_DIR_VARIABLE = "GLASSINE_DATA_DIR"
KEYS = "keys"
BACKEND = "backend"
"""What a vault's folder holds: key files, and the data of the backend."""
MAX_PREFERENCES_BYTES = 1 << 18
MAX_PLACES = 12
"""Recent places that are remembered."""


def data_dir() -> Path:
    """Return the folder for keys, caches and preferences: ``GLASSINE_DATA_DIR`` or the platform's usual one."""
    given = os.environ.get(DATA_DIR_VARIABLE, "")
    if given:
        return Path(given).expanduser().absolute()
    import platformdirs

    return platformdirs.user_data_path("glassine", appauthor=False)


def default_vault_folder() -> Path:
    """Return the folder offered for the first vault on this computer."""
    return data_dir() / "vault"


def vault_exists(folder: Path) -> bool:
    """Whether there is a vault, or what is left of one, in this folder."""
    try:
        names = os.listdir(folder / KEYS)  # noqa: PTH208 - a glob costs a millisecond of the start
    except OSError:
        names = []
    return any(name.endswith(".glassine-key") for name in names) or (folder / BACKEND).is_dir()


class Preferences:
    """What a person prefers; kept in a JSON file that only they can read.

    Attributes:
        theme: ``system``, ``light`` or ``dark``.
        tile_size: Side of a gallery tile in pixels.
        skip_preflight: Whether dropped files are added without asking.
        export_folder: Where the last export went, or empty.
        add_folder: Where pictures were last added from, or empty.
        lock_after_minutes: Lock after so many idle minutes; 0 never.
        lock_with_screen: Lock when the screen is locked or the computer goes to sleep.
        lock_minimised: Lock when the window is minimised.
        places: Places used before, the latest first.
    """

    THEMES: ClassVar[tuple[str, ...]] = ("system", "light", "dark")
    MIN_TILE: ClassVar[int] = 96
    MAX_TILE: ClassVar[int] = 512

    def __init__(
        self,
        theme: str = "system",
        tile_size: int = 168,
        skip_preflight: bool = False,
        export_folder: str = "",
        lock_after_minutes: int = 0,
        places: list[Place] | None = None,
        add_folder: str = "",
        lock_with_screen: bool = True,
        lock_minimised: bool = False,
    ) -> None:
        # by hand: the module dataclasses would cost two milliseconds of the start
        self.theme = theme
        self.tile_size = tile_size
        self.skip_preflight = skip_preflight
        self.export_folder = export_folder
        self.add_folder = add_folder
        self.lock_after_minutes = lock_after_minutes
        self.places: list[Place] = places or []
        self.lock_with_screen = lock_with_screen
        self.lock_minimised = lock_minimised

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Preferences) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Preferences({vars(self)})"

    def remember(self, place: Place) -> None:
        """Put a place first among the recent ones."""
        self.places = [place, *(other for other in self.places if other != place)][:MAX_PLACES]

    def forget(self, place: Place) -> None:
        """Drop a place from the recent ones; nothing of it is deleted."""
        self.places = [other for other in self.places if other != place]

    @classmethod
    def load(cls, path: Path) -> Preferences:
        """Read preferences; what is missing or makes no sense keeps its default."""
        if not path.exists():
            return cls()
        import json

        try:
            with path.open("rb") as file:
                document = json.loads(file.read(MAX_PREFERENCES_BYTES))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, RecursionError):
            log.warning("the preferences cannot be read; the defaults are used")
            return cls()
        known = cls()
        if not isinstance(document, dict):
            return known
        if document.get("theme") in cls.THEMES:
            known.theme = document["theme"]
        known.tile_size = _whole(document.get("tile_size"), cls.MIN_TILE, cls.MAX_TILE, known.tile_size)
        known.lock_after_minutes = _whole(document.get("lock_after_minutes"), 0, 24 * 60, known.lock_after_minutes)
        known.skip_preflight = document.get("skip_preflight") is True
        known.lock_with_screen = document.get("lock_with_screen") is not False
        known.lock_minimised = document.get("lock_minimised") is True
        for name in ("export_folder", "add_folder"):
            folder = document.get(name)
            setattr(known, name, folder if isinstance(folder, str) else "")
        places = document.get("places")
        if isinstance(places, list):
            known.places = [place for item in places[:MAX_PLACES] if (place := _read_place(item)) is not None]
        return known

    def save(self, path: Path) -> None:
        """Write the preferences: complete or not at all, readable by this person only.

        Raises:
            StorageFull, StorageReadOnly, FileUnreadable: They cannot be written; the old ones stay.
        """
        import json

        from desktop.crypto.safe_write import new_file

        document = {
            "theme": self.theme,
            "tile_size": self.tile_size,
            "skip_preflight": self.skip_preflight,
            "export_folder": self.export_folder,
            "add_folder": self.add_folder,
            "lock_after_minutes": self.lock_after_minutes,
            "lock_with_screen": self.lock_with_screen,
            "lock_minimised": self.lock_minimised,
            "places": [
                {
                    "kind": place.kind.value,
                    "folder": str(place.folder),
                    "address": place.address,
                    "user": place.user_name,
                }
                for place in self.places
            ],
        }
        make_private_folder(path.parent)
        with new_file(path, replace=True) as file:
            file.write(json.dumps(document, indent=1).encode())


class Config:
    """The folders of one installation, and its preferences."""

    def __init__(self, folder: Path | None = None) -> None:
        """Read the preferences; nothing is created yet.

        Args:
            folder: The data folder; :func:`data_dir` by default.
        """
        self.folder = data_dir() if folder is None else folder
        self.preferences = Preferences.load(self.preferences_path)

    @property
    def preferences_path(self) -> Path:
        """The file with the preferences."""
        return self.folder / "preferences.json"

    @property
    def keys_folder(self) -> Path:
        """Key files of accounts on servers."""
        return self.folder / "keys"

    @property
    def default_vault_folder(self) -> Path:
        """The folder offered for the first vault."""
        return self.folder / "vault"

    def server_place(self, address: str, user_name: str) -> Place:
        """Return the place of an account on a server; its folder holds staged and cached ciphertext."""
        import hashlib

        from desktop.models import Place

        name = hashlib.sha256(f"{address}\n{user_name}".encode()).hexdigest()[:32]
        return Place(PlaceKind.SERVER, self.folder / "places" / name, address, user_name)

    def save(self) -> None:
        """Write the preferences; errors as :meth:`Preferences.save`."""
        self.preferences.save(self.preferences_path)


def make_private_folder(folder: Path) -> None:
    """Create a folder, and what is missing above it, readable by this person only.

    Raises:
        StorageFull, StorageReadOnly, FileUnreadable: It cannot be made.
    """
    from desktop.crypto.safe_write import sync_folder, writing_error

    try:
        missing = [part for part in (folder, *folder.parents) if not part.exists()]
        for part in reversed(missing):
            part.mkdir(mode=0o700, exist_ok=True)
            sync_folder(part.parent)  # what is synced in it later must not go with its name
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder} is not a folder")
    except OSError as problem:
        raise writing_error(problem, folder) from problem


def _whole(value: Any, low: int, high: int, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high else default


def _read_place(item: Any) -> Place | None:
    from desktop.models import Place

    try:
        kind, folder, address, user = (item[name] for name in ("kind", "folder", "address", "user"))
        if not all(isinstance(text, str) for text in (folder, address, user)) or "\0" in folder:
            return None
        return Place(PlaceKind(kind), Path(folder), address, user)
    except (TypeError, KeyError, ValueError):
        return None
