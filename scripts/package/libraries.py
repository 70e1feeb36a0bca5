"""Which libraries the bundle expects of the system, and which Debian packages have them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

PACKAGES: Final = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libxcb.so.1": "libxcb1",
}
"""Everything that the bundle may leave to the system, beside the C library."""

C_LIBRARY: Final = frozenset(
    {"ld-linux-x86-64.so.2", "libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1", "libutil.so.1"}
)

DATA_PACKAGES: Final = ("fontconfig-config", "xkb-data")
"""What libraries in the bundle read: the configuration of fonts, which brings a font, and keyboard layouts."""


class UnknownLibrary(Exception):
    """The bundle needs a library that is neither in it nor in :data:`PACKAGES`."""


def elf_files(bundle: Path) -> list[Path]:
    """Return the programs and libraries of the bundle."""
    files = [path for path in sorted(bundle.rglob("*")) if path.is_file() and not path.is_symlink()]
    return [path for path in files if _starts_with(path, b"\x7fELF")]


def _starts_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def depends(bundle: Path) -> list[str]:
    """Return what a Debian package of this bundle depends on."""
    files = elf_files(bundle)
    here = {path.name for path in bundle.rglob("*.so*")}
    needed: set[str] = set()
    versions: set[tuple[int, int]] = set()
    for path in files:
        listing = subprocess.run(["objdump", "-p", str(path)], capture_output=True, text=True, check=True).stdout
        needed |= needed_libraries(listing)
        versions |= glibc_versions(listing)
    return packages_for(needed - here, max(versions))


def needed_libraries(listing: str) -> set[str]:
    """Return the names that ``objdump -p`` says are needed."""
    return set(re.findall(r"^\s*NEEDED\s+(\S+)", listing, re.MULTILINE))


def glibc_versions(listing: str) -> set[tuple[int, int]]:
    """Return the versions of the C library that ``objdump -p`` says are needed."""
    return {(int(major), int(minor)) for major, minor in re.findall(r"\bGLIBC_(\d+)\.(\d+)", listing)}


def packages_for(missing: Iterable[str], glibc: tuple[int, int]) -> list[str]:
    """Return the packages that have these libraries.

    Raises:
        UnknownLibrary: One is not known: the build machine lacks it, or it has to be added to :data:`PACKAGES`.
    """
    libraries = set(missing) - C_LIBRARY
    unknown = sorted(libraries - PACKAGES.keys())
    if unknown:
        raise UnknownLibrary(
            f"the bundle needs libraries that are neither in it nor known: {', '.join(unknown)}; "
            "install them on this machine, or name their package in scripts/package/libraries.py"
        )
    found = {PACKAGES[name] for name in libraries} | set(DATA_PACKAGES)
    return [f"libc6 (>= {glibc[0]}.{glibc[1]})", *sorted(found)]
