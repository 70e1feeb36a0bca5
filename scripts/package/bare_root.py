"""Tries the packages on a machine that has nothing: ``make package-test``, as root, after ``make package``.

A minimal Debian 12 (debootstrap's minbase: no Python, no Qt, no fonts) is made once and kept in ``build/bare-root``;
each run unpacks it anew. There the .deb is installed with what it depends on, plays its self-test as a common person,
is upgraded over an older version, removed and purged; then the tarball is installed, upgraded and removed by that
person; at last the wheel is installed without the window. Everything mounted goes with the process that mounted it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from glassine_version import __version__
from scripts.package import deb, libraries
from scripts.package.__main__ import DIST, UV, manual_page
from scripts.package.trees import ROOT, source_date

WORK: Final = ROOT / "build" / "bare-root"
SUITE: Final = "bookworm"
OLDER: Final = "0.0.9"
INSIDE: Final = Path(__file__).parent / "files" / "inside.sh"


def base_archive(mirror: str) -> Path:
    """Return the archive of the minimal system, made if it is not there."""
    archive = WORK / f"{SUITE}-minbase.tar"
    if archive.exists():
        return archive
    print(f"Making a minimal Debian ({SUITE}); kept for next time", flush=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        command = ["debootstrap", "--variant=minbase", SUITE, folder, *([mirror] if mirror else [])]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"debootstrap failed:\n{done.stdout[-2000:]}")
        partial = archive.with_suffix(".partial")
        subprocess.run(["tar", "--one-file-system", "-C", folder, "-cf", str(partial), "."], check=True)
        partial.rename(archive)
    return archive


def fresh_root(archive: Path) -> Path:
    """Unpack the minimal system and put the packages into it."""
    root = WORK / "root"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    subprocess.run(["tar", "-C", str(root), "-xf", str(archive)], check=True)
    root.chmod(0o755)
    shutil.copyfile("/etc/resolv.conf", root / "etc" / "resolv.conf")
    packages = root / "packages"
    packages.mkdir()
    date = source_date()
    bundle = DIST / "glassine"
    depends = libraries.depends(bundle)
    # the same program under a lower number: what is tested is dpkg's and the person's side of an upgrade
    deb.build(bundle, OLDER, depends, manual_page(OLDER, date=date), work=WORK, target=packages, date=date, fast=True)
    for path in (DIST / f"glassine_{__version__}_amd64.deb", DIST / f"glassine-{__version__}-linux-x86_64.tar.xz"):
        shutil.copyfile(path, packages / path.name)
    shutil.copyfile(INSIDE, packages / "inside.sh")
    return root


def enter(root: Path) -> int:
    """Run ``inside.sh`` in the root, with mounts and processes of its own."""
    mounts = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && mount -t tmpfs tmpfs "$0/tmp"'
    inside = f'{mounts} && exec chroot "$0" /bin/bash /packages/inside.sh {OLDER} {__version__}'
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", inside, str(root)]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root"}
    environment |= {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    return subprocess.run(command, env=environment, check=False).returncode


def try_wheel() -> int:
    """Install the wheel without the window in an environment of its own; return how many of the checks failed."""
    print("\n== the wheel without the window (on this machine's Python)", flush=True)
    folder = WORK / "server-venv"
    shutil.rmtree(folder, ignore_errors=True)
    environment = os.environ | {"UV_PROJECT_ENVIRONMENT": str(folder)}
    environment.pop("VIRTUAL_ENV", None)
    sync = [
        str(UV),
        "sync",
        "--quiet",
        "--frozen",
        "--no-default-groups",
        "--no-install-project",
        "--no-managed-python",
    ]
    subprocess.run([*sync, "--python", sys.executable], cwd=ROOT, env=environment, check=True)
    wheel = DIST / f"glassine-{__version__}-py3-none-any.whl"
    python = folder / "bin" / "python"
    command = [str(UV), "pip", "install", "--quiet", "--no-deps", "--python", str(python), str(wheel)]
    subprocess.run(command, cwd=WORK, env=environment, check=True)
    glassine = str(folder / "bin" / "glassine")
    checks = {
        "has no PySide6": [str(python), "-c", "import importlib.util as u; assert u.find_spec('PySide6') is None"],
        "says its version": [glassine, "--version"],
        "can serve": [glassine, "serve", "--help"],
        "makes a key": [str(python), "-c", KEY_PROBE, glassine],
        "says that the window is missing": [str(python), "-c", WINDOW_PROBE, glassine],
    }
    failed = 0
    for name, command in checks.items():
        done = subprocess.run(command, cwd=WORK, capture_output=True, text=True, check=False)
        failed += done.returncode != 0
        print(f"{'ok    ' if done.returncode == 0 else 'FAILED'} {name}", flush=True)
        if done.returncode:
            print(done.stdout + done.stderr)
    shutil.rmtree(folder)
    return failed


KEY_PROBE: Final = """
import subprocess, sys, tempfile
with tempfile.TemporaryDirectory() as folder:
    command = [sys.argv[1], "keys", "new", folder + "/key", "--passphrase-file", "-"]
    subprocess.run(command, input=b"a long walk by the river", check=True)
"""

WINDOW_PROBE: Final = """
import os, subprocess, sys
done = subprocess.run([sys.argv[1]], env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}, capture_output=True, text=True)
assert done.returncode == 1 and "glassine[desktop]" in done.stderr, done
"""


def main() -> int:
    """Try everything and return 0 if all of it went well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mirror", default="", help="a Debian mirror, if not debootstrap's own choice")
    options = parser.parse_args()
    if os.name != "posix" or os.geteuid() != 0:
        print("make package-test needs root: it makes a Debian of its own and enters it with chroot", file=sys.stderr)
        return 1
    if not (DIST / f"glassine_{__version__}_amd64.deb").exists():
        print("there is no package to try; run make package first", file=sys.stderr)
        return 1
    begin = time.monotonic()
    WORK.mkdir(parents=True, exist_ok=True)
    root = fresh_root(base_archive(options.mirror))
    failed = enter(root)
    failed += try_wheel()
    shutil.rmtree(root)
    print(f"\n{'all went well' if not failed else 'something FAILED'} ({time.monotonic() - begin:.0f} s)")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
