"""install.sh and uninstall.sh of the tarball, with a program that only says its version."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts.package import tarball


@pytest.fixture
def unpacked(bundle: Path, tmp_path: Path) -> Path:
    """The tarball, unpacked."""
    archive = tarball.build(bundle, "1.2.3", ".TH GLASSINE 1\n", work=tmp_path, target=tmp_path, date=1_700_000_000)
    subprocess.run(["tar", "-xf", str(archive), "-C", str(tmp_path)], check=True)  # as people do
    return tmp_path / "glassine-1.2.3"


def run(script: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    home.mkdir(exist_ok=True)
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [str(script), *arguments], env=environment, cwd=home, capture_output=True, text=True, check=False
    )


def everything(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_it_installs_and_removes_everything_it_made(unpacked: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    data = home / ".local" / "share" / "glassine"
    data.mkdir(parents=True)
    (data / "vault").write_text("precious", encoding="utf-8")
    before = everything(home)

    done = run(unpacked / "install.sh", home)
    assert done.returncode == 0, done.stderr
    assert "Installed glassine 1.2.3" in done.stdout
    program = home / ".local" / "bin" / "glassine"
    assert subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout == "glassine 1.2.3\n"
    entry = (home / ".local/share/applications/glassine.desktop").read_text(encoding="utf-8")
    assert f"Exec={program} %F\n" in entry
    assert f"TryExec={program}\n" in entry
    assert (home / ".local/share/icons/hicolor/64x64/apps/glassine.png").is_file()

    done = run(home / ".local/lib/glassine/uninstall.sh", home)
    assert done.returncode == 0, done.stderr
    assert "left alone" in done.stdout
    assert everything(home) == before


def test_over_an_older_one_nothing_old_stays(unpacked: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert run(unpacked / "install.sh", home).returncode == 0
    installed = home / ".local" / "lib" / "glassine"
    (installed / "_internal" / "old-module").write_text("", encoding="utf-8")
    assert run(unpacked / "install.sh", home).returncode == 0
    assert not (installed / "_internal" / "old-module").exists()
    assert [path.name for path in (home / ".local" / "lib").iterdir()] == ["glassine"]
    assert run(installed / "uninstall.sh", home).returncode == 0
    assert everything(home) == set()


def test_folders_that_others_use_by_now_stay(unpacked: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert run(unpacked / "install.sh", home).returncode == 0
    (home / ".local" / "bin" / "other").write_text("", encoding="utf-8")
    assert run(home / ".local/lib/glassine/uninstall.sh", home).returncode == 0
    assert everything(home) == {".local", ".local/bin", ".local/bin/other"}


def test_a_prefix_can_be_given(unpacked: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert run(unpacked / "install.sh", home, "--prefix", "opt").returncode == 0
    assert (home / "opt" / "bin" / "glassine").exists()
    assert run(home / "opt/lib/glassine/uninstall.sh", home).returncode == 0
    assert everything(home) == set()


@pytest.mark.parametrize("prefix", ["with blank", "per%cent", 'quo"te', "a$b", "new\nline"])
def test_a_prefix_that_a_desktop_entry_cannot_hold_is_refused(unpacked: Path, tmp_path: Path, prefix: str) -> None:
    home = tmp_path / "home"
    done = run(unpacked / "install.sh", home, "--prefix", prefix)
    assert done.returncode == 1
    assert "choose a folder" in done.stderr
    assert everything(home) == set()


def test_where_the_program_does_not_run_nothing_is_installed(unpacked: Path, tmp_path: Path) -> None:
    (unpacked / "lib" / "glassine").write_text("#!/bin/sh\necho no such library >&2\nexit 127\n", encoding="utf-8")
    home = tmp_path / "home"
    done = run(unpacked / "install.sh", home)
    assert done.returncode == 1
    assert "does not run here: no such library" in done.stderr
    assert everything(home) == set()


def test_removing_from_the_unpacked_tarball_is_refused(unpacked: Path, tmp_path: Path) -> None:
    done = run(unpacked / "uninstall.sh", tmp_path / "home")
    assert done.returncode == 1
    assert (unpacked / "lib" / "glassine").exists()
