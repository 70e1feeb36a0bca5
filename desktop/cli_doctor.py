"""`glassine doctor`: what works on this machine, and what to do about what does not.

Must not import PySide6: it has to run where Qt cannot even be loaded.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from desktop.cli_console import EXIT_OTHER, Console, add_command, plain
from desktop.cli_keys import add_json

QT_LIBRARIES: Final = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
}
FONT_FOLDERS: Final = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
REQUIRED: Final = ("everything", "the window")
"""What must work; the rest is a comfort."""
LITTLE_SPACE: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: What was looked at.
        works: Whether it works.
        needed_for: What does not work without it.
        says: What was found or what to do, one sentence.
    """

    name: str
    works: bool
    needed_for: str
    says: str


def add_commands(commands: Any) -> None:
    """Add `doctor` to the parser."""
    doctor = add_command(commands, "doctor", "say what works on this machine")
    add_json(doctor)
    doctor.set_defaults(work=_doctor)


def _doctor(arguments: argparse.Namespace, console: Console) -> None:
    missing = []
    for finding in findings():
        mark = "ok     " if finding.works else "missing"
        need = "" if finding.works else f" (needed for {finding.needed_for})"
        console.result(f"{mark} {finding.name}: {finding.says}{need}", asdict(finding))
        if not finding.works and finding.needed_for in REQUIRED:
            missing.append(finding.name)
    if missing:
        console.warn(f"Not everything works here: {', '.join(missing)}.")
        console.worst = EXIT_OTHER


def findings() -> Iterator[Finding]:
    """Look at one thing after the other; a check that fails itself is a finding too."""
    for name, needed_for, check in CHECKS:
        try:
            works, says = check()
        except Exception as error:
            works, says = False, f"the check failed with {plain(type(error).__name__)}"
        yield Finding(name, works, needed_for, says)


def _python() -> tuple[bool, str]:
    return sys.version_info >= (
        3,
        11,
    ), f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"


def _crypto() -> tuple[bool, str]:
    import cryptography
    from blake3 import blake3

    from desktop.crypto.keys import hk

    # known answers: RFC 5869 without salt or info, and BLAKE3 of nothing
    works = hk(b"\x0b" * 22, None, b"", 42).hex().startswith("8da4e775a563c18f") and blake3(b"").hexdigest().startswith(
        "af1349b9f5f9a1a6"
    )
    return works, f"cryptography {cryptography.__version__}" if works else "gives wrong answers; install Glassine again"


def _pictures() -> tuple[bool, str]:
    import PIL
    from PIL import features

    lacking = [name for name in ("jpg", "zlib", "webp", "libtiff") if not features.check(name)]
    return not lacking, f"Pillow {PIL.__version__}" + (f" without {', '.join(lacking)}" if lacking else "")


def _data_folder() -> tuple[bool, str]:
    from desktop.config import data_dir

    folder = data_dir()
    existing = folder
    while not existing.exists():
        existing = existing.parent
    with tempfile.TemporaryFile(dir=existing) as file:
        file.write(b"glassine")
        file.flush()
        os.fsync(file.fileno())
    free = shutil.disk_usage(existing).free
    space = f"{free / 1e9:.1f} GB free"
    return free >= LITTLE_SPACE, f"{plain(str(folder))}, {space}" + (
        "" if free >= LITTLE_SPACE else ", which is little"
    )


def _qt() -> tuple[bool, str]:
    if importlib.util.find_spec("PySide6") is None:
        return False, "PySide6 is not installed"
    if not sys.platform.startswith("linux"):
        return True, "PySide6 is installed"
    packages = []
    for library, package in QT_LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            packages.append(package)
    return not packages, f"apt-get install {' '.join(packages)}" if packages else "all libraries are there"


def _display() -> tuple[bool, str]:
    from desktop.display import display_problem, release_display

    problem = display_problem(os.environ, [])
    release_display()
    return not problem, problem or "a window can be opened"


def _fonts() -> tuple[bool, str]:
    if not sys.platform.startswith("linux"):
        return True, "the system's own"
    for folder in FONT_FOLDERS:
        if next(Path(folder).expanduser().rglob("*.[to]tf"), None) is not None:
            return True, "there are fonts"
    return False, "there are none, letters would be boxes; apt-get install fonts-dejavu-core"


def _keychain() -> tuple[bool, str]:
    import keyring
    from keyring.backends import fail

    chosen = keyring.get_keyring()
    works = not isinstance(chosen, fail.Keyring)
    return works, plain(chosen.name) if works else "there is none; passphrases are asked for each time"


CHECKS: Final[tuple[tuple[str, str, Callable[[], tuple[bool, str]]], ...]] = (
    ("Python", "everything", _python),
    ("Encryption", "everything", _crypto),
    ("Pictures", "everything", _pictures),
    ("Data folder", "everything", _data_folder),
    ("Qt", "the window", _qt),
    ("Display", "the window", _display),
    ("Fonts", "the window", _fonts),
    ("Keychain", "remembering a key", _keychain),
)
"""What is looked at: name, what it is needed for, and the check."""
