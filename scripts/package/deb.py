"""The Debian package: the bundle in ``/usr/lib/glassine``, ``glassine`` on the path, and what a desktop wants."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from scripts.package import trees

MAINTAINER: Final = "Glassine maintainers <maintainers@glassine.invalid>"
ARCHITECTURE: Final = "amd64"

CONTROL: Final = """\
Package: glassine
Version: {version}
Architecture: {architecture}
Maintainer: {maintainer}
Installed-Size: {kilobytes}
Depends: {depends}
Recommends: desktop-file-utils, hicolor-icon-theme, xdg-utils
Suggests: gnome-keyring, xdg-desktop-portal
Section: graphics
Priority: optional
Description: private pictures, encrypted on this computer
 Drop pictures on the window: they are encrypted on this computer and stored, as
 pictures of pure noise, in a vault on the same disk or on a server. Only their
 owner can open them, and they come back identical to the byte.
 .
 The server is the same program: glassine serve.
"""

POSTRM: Final = """\
#!/bin/sh
set -e
if [ "$1" = purge ]; then
  echo "Glassine: vaults, keys and settings of the people on this machine were left alone."
  echo "They are in the folder .local/share/glassine of each home, and wherever else vaults were made."
fi
"""

COPYRIGHT: Final = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Glassine
Comment: The folder /usr/lib/glassine also holds Python, Qt, PySide6 and other libraries under licences of
 their own; the bill of materials that is published beside this package names each of them.

Files: *
Copyright: the Glassine authors
License: MIT
"""


def control(version: str, depends: Sequence[str], kilobytes: int) -> str:
    """Return the control file."""
    return CONTROL.format(
        version=version,
        architecture=ARCHITECTURE,
        maintainer=MAINTAINER,
        kilobytes=kilobytes,
        depends=", ".join(depends),
    )


def copyright_text(licence: str) -> str:
    """Return the machine-readable copyright file."""
    lines = (f" {line}" if line.strip() else " ." for line in licence.strip().splitlines())
    return COPYRIGHT + "\n".join(lines) + "\n"


def build(
    bundle: Path,
    version: str,
    depends: Sequence[str],
    manual: str,
    *,
    work: Path,
    target: Path,
    date: int,
    fast: bool = False,
) -> Path:
    """Build the package in the folder ``target`` and return its path; ``fast`` does not make it small."""
    tree = work / "deb"
    shutil.rmtree(tree, ignore_errors=True)
    usr = tree / "usr"
    shutil.copytree(bundle, usr / "lib" / "glassine", symlinks=True)
    (usr / "bin").mkdir()
    (usr / "bin" / "glassine").symlink_to("../lib/glassine/glassine")
    trees.put_desktop_files(usr / "share", manual, date=date)
    documents = usr / "share" / "doc" / "glassine"
    documents.mkdir(parents=True)
    licence = (trees.ROOT / "LICENSE").read_text(encoding="utf-8")
    (documents / "copyright").write_text(copyright_text(licence), encoding="utf-8")

    files = [path for path in sorted(usr.rglob("*")) if path.is_file() and not path.is_symlink()]
    kilobytes = sum(-(-path.stat().st_size // 1024) for path in files)
    meta = tree / "DEBIAN"
    meta.mkdir()
    (meta / "control").write_text(control(version, depends, kilobytes), encoding="utf-8")
    sums = (f"{_md5(path)}  {path.relative_to(tree).as_posix()}\n" for path in files)
    (meta / "md5sums").write_text("".join(sums), encoding="utf-8")
    (meta / "postrm").write_text(POSTRM, encoding="utf-8")
    (meta / "postrm").chmod(0o755)
    trees.settle(tree, date)

    target.mkdir(parents=True, exist_ok=True)
    package = target / f"glassine_{version}_{ARCHITECTURE}.deb"
    # one thread: with several, the result depends on how many there are
    packing = ["-Zgzip", "-z1"] if fast else ["-Zxz", "--threads-max=1"]
    command = ["dpkg-deb", "--root-owner-group", *packing, "--build", str(tree), str(package)]
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(date)}
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return package


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
