"""Builds what people download, into ``dist/``: ``python -m scripts.package``, or ``make package``.

Runs in ``.venv-package``, which ``scripts/setup package`` makes from the lock file. On Linux: bundle, .deb, tarball,
wheel, bill of materials, checksums. On Windows and macOS: bundle, zip, wheel, bill, checksums (not tested).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from glassine_version import __version__
from scripts.package import deb, libraries, sbom, tarball
from scripts.package.manual import manual
from scripts.package.trees import ROOT, settle, source_date

DIST = ROOT / "dist"
WORK = ROOT / "build" / "package"
PINNED_UV = ROOT / ".uv" / "bin" / "uv"
UV = PINNED_UV if PINNED_UV.exists() else Path(shutil.which("uv") or "uv")


def build_bundle(target: Path, *, date: int) -> Path:
    """Run PyInstaller and return the bundle's folder."""
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "WARN"]
    command += ["--distpath", str(target), "--workpath", str(WORK / "pyinstaller"), str(ROOT / "build.spec")]
    subprocess.run(command, cwd=ROOT, env=fixed_environment(date), check=True)
    bundle = target / "glassine"
    settle(bundle, date)
    return bundle


def fixed_environment(date: int) -> dict[str, str]:
    """Return this environment without what would make two builds differ."""
    return os.environ | {"SOURCE_DATE_EPOCH": str(date), "PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def build_wheel(*, date: int) -> Path:
    """Build the wheel; with the extra ``desktop`` it installs the window, without it the server and the commands."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(DIST)]
    subprocess.run(command, cwd=ROOT, env=fixed_environment(date), check=True, stdout=subprocess.DEVNULL)
    return DIST / f"glassine-{__version__}-py3-none-any.whl"


def manual_page(version: str, *, date: int) -> str:
    """Return the manual page."""
    return manual((ROOT / "docs" / "command-line.md").read_text(encoding="utf-8"), version, date)


def write_sums(files: list[Path]) -> Path:
    """Write SHA256SUMS as ``sha256sum --check`` reads it."""
    lines = []
    for path in sorted(files):
        with path.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    target = DIST / "SHA256SUMS"
    target.write_text("".join(lines), encoding="utf-8")
    return target


def main() -> int:
    """Build everything anew and list it."""
    if importlib.util.find_spec("PyInstaller") is None or importlib.util.find_spec("pytest") is not None:
        print("run make package: the bundle is built in an environment that has nothing else in it", file=sys.stderr)
        return 1
    date = source_date()
    shutil.rmtree(DIST, ignore_errors=True)
    WORK.mkdir(parents=True, exist_ok=True)
    print("Building the bundle; this takes a minute", flush=True)
    bundle = build_bundle(DIST, date=date)
    print("Packing", flush=True)
    files = [build_wheel(date=date), sbom.build(bundle, __version__, UV, target=DIST, date=date)]
    if sys.platform.startswith("linux"):
        page = manual_page(__version__, date=date)
        try:
            depends = libraries.depends(bundle)
        except libraries.UnknownLibrary as error:
            print(error, file=sys.stderr)
            return 1
        files.append(deb.build(bundle, __version__, depends, page, work=WORK, target=DIST, date=date))
        files.append(tarball.build(bundle, __version__, page, work=WORK, target=DIST, date=date))
    else:
        name = DIST / f"glassine-{__version__}-{sys.platform}"
        folder = "Glassine.app" if sys.platform == "darwin" else "glassine"
        files.append(Path(shutil.make_archive(str(name), "zip", DIST, folder)))
    write_sums(files)
    for path in sorted(files):
        print(f"{path.stat().st_size / 1e6:8.1f} MB  {path.relative_to(ROOT).as_posix()}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
