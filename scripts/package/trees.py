"""What the .deb and the tarball share: files for the desktop, and archives that come out the same each time."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
ICON_SIDES: Final = (16, 24, 32, 48, 64, 128, 256, 512)


def source_date() -> int:
    """Return the time that everything in the packages bears: ``SOURCE_DATE_EPOCH``, else that of the last commit."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if given:
        return int(given)
    command = ["git", "log", "-1", "--format=%ct"]
    return int(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def put_desktop_files(share: Path, manual: str, *, date: int) -> None:
    """Write desktop entry, icons and manual page under a ``share`` folder."""
    applications = share / "applications"
    applications.mkdir(parents=True)
    shutil.copyfile(ROOT / "resources" / "glassine.desktop", applications / "glassine.desktop")
    for side in ICON_SIDES:
        folder = share / "icons" / "hicolor" / f"{side}x{side}" / "apps"
        folder.mkdir(parents=True)
        shutil.copyfile(ROOT / "resources" / "app" / f"glassine-{side}.png", folder / "glassine.png")
    pages = share / "man" / "man1"
    pages.mkdir(parents=True)
    (pages / "glassine.1.gz").write_bytes(gzip.compress(manual.encode(), 9, mtime=date))


def settle(folder: Path, date: int) -> None:
    """Give everything in the folder, and itself, the usual permissions and one time."""
    for path in [*folder.rglob("*"), folder]:
        if not path.is_symlink():
            runs = path.is_dir() or bool(path.stat().st_mode & 0o100)
            path.chmod(0o755 if runs else 0o644)
        os.utime(path, (date, date), follow_symlinks=False)


def write_tar(target: Path, folder: Path, *, date: int) -> None:
    """Pack a folder under its own name, sorted, owned by root, everything with one time."""

    def neutral(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        member.mtime = date
        return member

    plain = target.with_suffix("")
    with tarfile.open(plain, "w", format=tarfile.GNU_FORMAT) as archive:
        for path in [folder, *sorted(folder.rglob("*"))]:
            name = path.relative_to(folder.parent).as_posix()
            archive.add(path, name, recursive=False, filter=neutral)
    # one thread: with several, the result depends on how many there are
    subprocess.run(["xz", "--force", "--threads=1", "-6", str(plain)], check=True)
