"""build.spec names what is imported by name only, leaves out nothing that is used, and can be read for every system."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from swagger_ui_bundle import swagger_ui_path

import glassine_version
from backend.api.swagger import ASSETS
from desktop.app import WARM_UP
from scripts.package import prune, windows

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = [ROOT / "main.py", *sorted((ROOT / "desktop").rglob("*.py")), *sorted((ROOT / "backend").rglob("*.py"))]

BY_A_VARIABLE = {"desktop/app.py": WARM_UP}
"""Files that import what a variable says, and all that it can say."""


def run_spec(folder: Path, platform: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[dict[str, Any]]]:
    """Run build.spec as PyInstaller does, with its classes replaced, and return what they were called with."""
    calls: dict[str, list[dict[str, Any]]] = {}

    def recorder(name: str) -> Any:
        def record(*arguments: Any, **named: Any) -> SimpleNamespace:
            calls.setdefault(name, []).append(named | {"arguments": arguments})
            return SimpleNamespace(pure=[], scripts=[], binaries=[], datas=[])

        return record

    names: dict[str, Any] = {name: recorder(name) for name in ("Analysis", "PYZ", "EXE", "COLLECT", "BUNDLE")}
    names |= {"SPECPATH": str(ROOT), "workpath": str(folder)}
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(prune, "prune", lambda binaries, datas, platform: (binaries, datas))
    source = (ROOT / "build.spec").read_text(encoding="utf-8")
    exec(compile(source, "build.spec", "exec"), names)
    return calls


@pytest.fixture
def analysis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What build.spec tells PyInstaller to look at."""
    return run_spec(tmp_path, sys.platform, monkeypatch)["Analysis"][0]


def imported_by_name(path: Path) -> set[str]:
    """What a file imports by a name in a text, which PyInstaller cannot follow."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called not in {"import_module", "__import__", "run_module", "resolve_name", "locate"}:
            continue
        argument = node.args[0] if node.args else None
        if isinstance(argument, ast.Constant):
            found.add(str(argument.value))
        else:
            relative = path.relative_to(ROOT).as_posix()
            assert relative in BY_A_VARIABLE, f"{relative}:{node.lineno} imports what a variable says: list it here"
            found |= set(BY_A_VARIABLE[relative])
    return found


def test_everything_imported_by_name_is_named(analysis: dict[str, Any]) -> None:
    wanted = set().union(*(imported_by_name(path) for path in SHIPPED))
    assert wanted >= set(WARM_UP)
    assert wanted <= set(analysis["hiddenimports"])


def test_every_name_exists(analysis: dict[str, Any]) -> None:
    assert [name for name in analysis["hiddenimports"] if importlib.util.find_spec(name) is None] == []


def test_nothing_that_is_left_out_is_imported(analysis: dict[str, Any]) -> None:
    imported: set[str] = set()
    for path in SHIPPED:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported |= {f"{node.module}", *(f"{node.module}.{alias.name}" for alias in node.names)}
    wrong = [name for name in imported if any(f"{name}.".startswith(f"{left}.") for left in analysis["excludes"])]
    assert wrong == []


def test_the_bundle_is_one_folder_with_resources_and_licence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = run_spec(tmp_path, "linux", monkeypatch)
    swagger_ui = f"swagger_ui_bundle/vendor/{swagger_ui_path.name}"
    assert {target for _, target in calls["Analysis"][0]["datas"]} == {"resources", ".", swagger_ui}
    assert all(Path(source).exists() for source, _ in calls["Analysis"][0]["datas"])
    assert all(Path(hook).exists() for hook in calls["Analysis"][0]["runtime_hooks"])
    assert [call["name"] for call in calls["EXE"]] == ["glassine"]
    assert calls["EXE"][0]["exclude_binaries"]
    assert not any(call["strip"] or call["upx"] for call in calls["EXE"] + calls["COLLECT"])
    assert "BUNDLE" not in calls


def test_the_bundle_has_every_file_of_the_page_and_no_other(analysis: dict[str, Any]) -> None:
    files = [Path(source).name for source, target in analysis["datas"] if "swagger" in target]
    assert sorted(files) == sorted(set(ASSETS) - {"start.js"})  # which is in the module itself


def test_windows_gets_two_programs_with_icon_and_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = run_spec(tmp_path, "win32", monkeypatch)
    assert [(call["name"], call["console"]) for call in calls["EXE"]] == [
        ("glassine", True),
        ("glassine-desktop", False),
    ]
    with Image.open(calls["EXE"][0]["icon"]) as icon:
        assert icon.format == "ICO"
        assert {(16, 16), (32, 32), (48, 48), (256, 256)} <= icon.info["sizes"]
    assert glassine_version.__version__ in Path(calls["EXE"][0]["version"]).read_text(encoding="utf-8")


def test_macos_gets_an_application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = run_spec(tmp_path, "darwin", monkeypatch)
    (bundle,) = calls["BUNDLE"]
    assert bundle["version"] == bundle["info_plist"]["CFBundleShortVersionString"] == glassine_version.__version__
    assert re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+){2,}", bundle["bundle_identifier"])
    (documents,) = bundle["info_plist"]["CFBundleDocumentTypes"]
    assert {"png", "jpg", "webp"} <= set(documents["CFBundleTypeExtensions"])
    with Image.open(bundle["icon"]) as icon:
        assert icon.format == "ICNS"


def test_the_version_resource_is_an_expression(tmp_path: Path) -> None:
    text = Path(windows.version_file("1.2.3", "glassine", tmp_path)).read_text(encoding="utf-8")
    tree = ast.parse(text, mode="eval")
    assert isinstance(tree.body, ast.Call)
    assert "(1, 2, 3, 0)" in text


# -- what is left out ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("PySide6/Qt/plugins/platforms/libqxcb.so", True),
        ("PySide6/Qt/plugins/platforms/libqoffscreen.so", True),
        ("PySide6/Qt/plugins/platforms/libqeglfs.so", False),
        ("PySide6/Qt/plugins/platformthemes/libqgtk3.so", False),
        ("PySide6/Qt/plugins/tls/libqopensslbackend.so", False),
        ("PySide6/Qt/plugins/imageformats/libqsvg.so", True),
        ("PySide6\\plugins\\platforms\\qwindows.dll", True),
        ("PySide6\\plugins\\tls\\qschannelbackend.dll", False),
        ("PySide6/Qt/plugins/platforms/libqcocoa.dylib", True),
        ("PySide6/Qt/translations/qt_de.qm", False),
        ("PySide6\\translations\\qt_de.qm", False),
        ("resources/translations/glassine_en.qm", True),
        ("libicudata.so.73", True),
    ],
)
def test_what_is_wanted(path: str, wanted: bool) -> None:
    assert prune.is_wanted(path) is wanted


def test_a_library_stays_only_where_something_needs_it() -> None:
    imports = {
        "/b/a.so": ["liba.so.1"],
        "/b/liba.so.1": ["libdeep.so.2", "libc.so.6"],
        "/b/libqxcb.so": ["libxcb-cursor.so.0"],
    }
    binaries = [
        ("a.so", "/b/a.so", "EXTENSION"),
        ("liba.so.1", "/b/liba.so.1", "BINARY"),
        ("x/libdeep.so.2", "/b/libdeep.so.2", "BINARY"),
        ("libdeep.so.2", "x/libdeep.so.2", "SYMLINK"),
        ("PySide6/Qt/plugins/platforms/libqxcb.so", "/b/libqxcb.so", "BINARY"),
        ("libxcb-cursor.so.0", "/b/libxcb-cursor.so.0", "BINARY"),
        ("libgtk-3.so.0", "/b/libgtk-3.so.0", "BINARY"),
    ]
    datas = [("libgtk.so", "libgtk-3.so.0", "SYMLINK"), ("resources/a.png", "/r/a.png", "DATA")]
    kept, rest = prune.reachable(binaries, datas, lambda path: imports.get(path, []))
    assert kept == binaries[:-1]
    assert rest == datas[1:]


@pytest.mark.parametrize("before", [None, "/opt/lib"])
def test_programs_started_from_the_bundle_do_not_get_its_libraries(
    monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/usr/lib/glassine/_internal")
    monkeypatch.delenv("LD_LIBRARY_PATH_ORIG", raising=False)
    if before is not None:
        monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", before)
    runpy.run_path(str(ROOT / "scripts" / "package" / "restore_library_path.py"))
    assert os.environ.get("LD_LIBRARY_PATH") == before
    assert "LD_LIBRARY_PATH_ORIG" not in os.environ
