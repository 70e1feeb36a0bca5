"""The Debian package and the tarball: what is in them, what they depend on, and that they come out the same twice."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import subprocess
import tarfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

from desktop import cli
from scripts.package import deb, libraries, tarball
from scripts.package.manual import manual
from scripts.package.trees import ROOT

DATE = 1_700_000_000
MANUAL = manual((ROOT / "docs" / "command-line.md").read_text(encoding="utf-8"), "1.2.3", DATE)


def ask(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make(bundle: Path, folder: Path) -> Path:
    return deb.build(bundle, "1.2.3", ["libc6 (>= 2.36)", "libxcb1"], MANUAL, work=folder, target=folder, date=DATE)


def test_the_control_file_says_what_dpkg_wants_to_know() -> None:
    fields = HeaderParser().parsestr(deb.control("1.2.3", ["libc6 (>= 2.36)", "libxcb1"], 77))
    assert fields["Package"] == "glassine"
    assert fields["Version"] == "1.2.3"
    assert fields["Architecture"] == "amd64"
    assert fields["Installed-Size"] == "77"
    assert fields["Depends"] == "libc6 (>= 2.36), libxcb1"
    assert fields["Description"].splitlines()[0].islower()


def test_what_is_in_the_package(bundle: Path, tmp_path: Path) -> None:
    package = make(bundle, tmp_path)
    assert package.name == "glassine_1.2.3_amd64.deb"
    listing = ask("dpkg-deb", "--contents", str(package))
    for line in listing.splitlines():
        assert " root/root " in line
    for wanted in (
        "./usr/bin/glassine -> ../lib/glassine/glassine",
        "./usr/lib/glassine/_internal/libx.so -> libx.so.1",
        "./usr/share/applications/glassine.desktop",
        "./usr/share/icons/hicolor/48x48/apps/glassine.png",
        "./usr/share/icons/hicolor/512x512/apps/glassine.png",
        "./usr/share/man/man1/glassine.1.gz",
        "./usr/share/doc/glassine/copyright",
    ):
        assert any(line.endswith(wanted) for line in listing.splitlines()), wanted
    assert "-rwxr-xr-x" in next(line for line in listing.splitlines() if line.endswith("lib/glassine/glassine"))
    assert not [folder for folder in tmp_path.iterdir() if folder.name == "deb"]


def test_purging_says_that_vaults_stay(bundle: Path, tmp_path: Path) -> None:
    ask("dpkg-deb", "--control", str(make(bundle, tmp_path)), str(tmp_path / "control"))
    script = tmp_path / "control" / "postrm"
    assert os.access(script, os.X_OK)
    assert "left alone" in ask("sh", str(script), "purge")
    assert ask("sh", str(script), "remove") == ""


def test_the_checksums_in_it_are_right(bundle: Path, tmp_path: Path) -> None:
    package = make(bundle, tmp_path)
    ask("dpkg-deb", "--raw-extract", str(package), str(tmp_path / "out"))
    sums = (tmp_path / "out" / "DEBIAN" / "md5sums").read_text(encoding="utf-8")
    assert "usr/lib/glassine/glassine\n" in sums
    subprocess.run(["md5sum", "--check", "--quiet"], input=sums, text=True, cwd=tmp_path / "out", check=True)


@pytest.mark.parametrize("kind", ["deb", "tarball"])
def test_two_builds_are_identical(bundle: Path, tmp_path: Path, kind: str) -> None:
    made = []
    for name in ("a", "b"):
        os.utime(bundle / "glassine", (DATE + len(made), DATE + len(made)))
        if kind == "deb":
            made.append(make(bundle, tmp_path / name))
        else:
            folder = tmp_path / name
            folder.mkdir()
            made.append(tarball.build(bundle, "1.2.3", MANUAL, work=folder, target=folder, date=DATE))
    assert digest(made[0]) == digest(made[1])


def test_the_tarball_unpacks_into_one_folder(bundle: Path, tmp_path: Path) -> None:
    archive = tarball.build(bundle, "1.2.3", MANUAL, work=tmp_path, target=tmp_path, date=DATE)
    with tarfile.open(archive) as file:
        members = file.getmembers()
    assert {member.name.split("/")[0] for member in members} == {"glassine-1.2.3"}
    assert {member.mtime for member in members} == {DATE}
    assert [member.name for member in members if member.mode & 0o100 and member.isfile()] == [
        "glassine-1.2.3/install.sh",
        "glassine-1.2.3/lib/glassine",
        "glassine-1.2.3/uninstall.sh",
    ]


# -- what it depends on ----------------------------------------------------------------------------------------------

LISTING = """
Dynamic Section:
  NEEDED               libEGL.so.1
  NEEDED               libc.so.6
  SONAME               libx.so.1

Version References:
  required from libc.so.6:
    0x069691b4 0x00 05 GLIBC_2.34
    0x09691a75 0x00 04 GLIBC_2.2.5
"""


def test_objdump_is_understood() -> None:
    assert libraries.needed_libraries(LISTING) == {"libEGL.so.1", "libc.so.6"}
    assert max(libraries.glibc_versions(LISTING)) == (2, 34)


def test_libraries_become_packages() -> None:
    found = libraries.packages_for({"libEGL.so.1", "libc.so.6", "libm.so.6"}, (2, 36))
    assert found == ["libc6 (>= 2.36)", "fontconfig-config", "libegl1", "xkb-data"]


def test_a_library_nobody_knows_stops_the_build() -> None:
    with pytest.raises(libraries.UnknownLibrary, match="libxcb-cursor"):
        libraries.packages_for({"libxcb-cursor.so.0"}, (2, 36))


# -- manual page and desktop entry -----------------------------------------------------------------------------------


def test_the_manual_describes_every_command_and_option() -> None:
    page = MANUAL.replace("\\-", "-")
    for command in cli.COMMANDS:
        assert f"glassine {command}" in page
    markdown = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    options = set(re.findall(r"--[a-z][a-z-]+", markdown))
    assert len(options) > 10
    assert {option for option in options if option not in page} == set()
    assert not [line for line in MANUAL.splitlines() if "`" in line or "**" in line or "](" in line]


def test_the_manual_page_is_compressed_the_same_each_time(bundle: Path, tmp_path: Path) -> None:
    ask("dpkg-deb", "--raw-extract", str(make(bundle, tmp_path)), str(tmp_path / "out"))
    packed = (tmp_path / "out" / "usr/share/man/man1/glassine.1.gz").read_bytes()
    assert gzip.decompress(packed).decode() == MANUAL
    assert int.from_bytes(packed[4:8], "little") == DATE


def test_pictures_can_be_dropped_on_the_icon() -> None:
    entry = (ROOT / "resources" / "glassine.desktop").read_text(encoding="utf-8")
    fields = dict(line.split("=", 1) for line in entry.splitlines() if "=" in line)
    assert fields["Exec"] == "glassine %F"
    assert {"image/png", "image/jpeg", "image/webp"} <= set(fields["MimeType"].split(";"))
