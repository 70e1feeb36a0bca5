"""What of PyInstaller's findings does not go into the bundle: Qt's plugins that Glassine never loads, Qt's
translations, and then every library that nothing left needs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Final

Entry = tuple[str, str, str]
"""Where it goes, where it is, what it is: one line of PyInstaller's table of contents."""

KEPT_PLUGINS: Final = {
    # offscreen is what `glassine --self-test` runs on where there is no display
    "platforms": "xcb wayland offscreen windows cocoa",
    "platformthemes": "xdgdesktopportal",
    "platforminputcontexts": "composeplatforminputcontextplugin ibusplatforminputcontextplugin",
    "wayland-shell-integration": "xdg-shell",
    "wayland-decoration-client": "adwaita bradient",
    "imageformats": "gif ico jpeg svg tiff webp",
}
"""Names without prefix and ending. Kinds that are not named here are left out: OpenGL, TLS, bare input devices …"""

_PLUGIN: Final = re.compile(r"PySide6/(?:Qt/)?plugins/([^/]+)/(?:lib)?q?([^/]+)\.(?:so|dll|dylib)$")
_TRANSLATIONS: Final = re.compile(r"PySide6/(?:Qt/)?translations/")


def plugin_of(path: str) -> tuple[str, str] | None:
    """Return kind and name if this is one of Qt's plugins."""
    match = _PLUGIN.search(path.replace("\\", "/"))
    return (match[1], match[2]) if match else None


def is_wanted(path: str) -> bool:
    """Whether this file belongs into the bundle, as far as its name can tell."""
    plugin = plugin_of(path)
    if plugin is not None:
        kind, name = plugin
        return name in KEPT_PLUGINS.get(kind, "").split()
    return not _TRANSLATIONS.search(path.replace("\\", "/"))


def prune(binaries: Iterable[Entry], datas: Iterable[Entry], platform: str) -> tuple[list[Entry], list[Entry]]:
    """Return what is left of both tables. Libraries are followed on Linux only, where that has been tested."""
    kept = [entry for entry in binaries if is_wanted(entry[0])]
    rest = [entry for entry in datas if is_wanted(entry[0])]
    if not platform.startswith("linux"):
        return kept, rest
    from PyInstaller.depend import bindepend

    return reachable(kept, rest, lambda path: [name for name, _ in bindepend.get_imports(path)])


def reachable(
    binaries: list[Entry], datas: list[Entry], imports_of: Callable[[str], Iterable[str]]
) -> tuple[list[Entry], list[Entry]]:
    """Return both tables without libraries that no module or plugin needs, however indirectly, and links to them."""
    by_name = {PurePosixPath(entry[0]).name: entry for entry in binaries if entry[2] != "SYMLINK"}
    waiting = [entry for entry in binaries if _is_loaded_by_itself(entry)]
    seen: set[str] = set()
    while waiting:
        entry = waiting.pop()
        if entry[0] not in seen:
            seen.add(entry[0])
            waiting += [by_name[name] for name in imports_of(entry[1]) if name in by_name]

    def stays(entry: Entry) -> bool:
        if entry[2] == "SYMLINK":
            return str(PurePosixPath(entry[0]).parent / entry[1]) in seen
        return entry[2] != "BINARY" or entry[0] in seen

    return [entry for entry in binaries if stays(entry)], [entry for entry in datas if stays(entry)]


def _is_loaded_by_itself(entry: Entry) -> bool:
    name = Path(entry[0]).name
    return entry[2] == "EXTENSION" or plugin_of(entry[0]) is not None or name.startswith("libpython")
