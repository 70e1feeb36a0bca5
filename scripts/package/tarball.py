"""The archive for other distributions: the bundle, what a desktop wants, and two scripts."""

from __future__ import annotations

import shutil
from pathlib import Path

from scripts.package import trees


def build(bundle: Path, version: str, manual: str, *, work: Path, target: Path, date: int) -> Path:
    """Build the archive in the folder ``target`` and return its path."""
    tree = work / f"glassine-{version}"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(bundle, tree / "lib", symlinks=True)
    trees.put_desktop_files(tree / "share", manual, date=date)
    for name in ("install.sh", "uninstall.sh"):
        shutil.copyfile(Path(__file__).parent / "files" / name, tree / name)
        (tree / name).chmod(0o755)
    shutil.copyfile(trees.ROOT / "LICENSE", tree / "LICENSE")
    trees.settle(tree, date)
    target.mkdir(parents=True, exist_ok=True)
    archive = target / f"glassine-{version}-linux-x86_64.tar.xz"
    trees.write_tar(archive, tree, date=date)
    shutil.rmtree(tree)
    return archive
