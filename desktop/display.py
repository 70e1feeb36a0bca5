"""Whether a window can be opened here at all. Qt aborts the process if not, so this is asked before it is started.

Must not import PySide6.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

NEEDS_NO_DISPLAY: Final = ("offscreen", "minimal", "minimalegl", "vnc", "linuxfb", "eglfs", "directfb", "vkkhrdisplay")

_WITHOUT: Final = (
    "Commands work without one: glassine --help"
    if getattr(sys, "frozen", False)  # installed from a package: there is no Makefile
    else "To see Glassine without one, run: make demo"
)
NO_DISPLAY: Final = f"There is no display to open a window on. {_WITHOUT}"
UNREACHABLE: Final = f"The display %s cannot be reached. {_WITHOUT}"
NO_LIBRARY: Final = "A system library is missing (%s). On Debian: apt-get install --no-install-recommends %s"
NO_WINDOW: Final = "The window is not installed, only the server and the command line: pip install 'glassine[desktop]'"

_X11_LIBRARIES: Final = {
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
_connections: list[Callable[[], object]] = []
QT_PACKAGES: Final = "libglib2.0-0 libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1"


def display_problem(environment: Mapping[str, str], argv: Sequence[str], *, platform: str = sys.platform) -> str:
    """Say in one line why no window can be opened, or return an empty text."""
    if not platform.startswith("linux"):
        return ""
    wanted = _wanted_platform(environment, argv)
    if wanted in NEEDS_NO_DISPLAY:
        return ""
    x11, wayland = environment.get("DISPLAY", ""), environment.get("WAYLAND_DISPLAY", "")
    if not x11 and not wayland:
        return NO_DISPLAY
    if wanted == "wayland" or (wayland and not x11):
        return ""
    if wanted in ("", "xcb") and x11 and not wayland:
        return _x11_problem(x11)
    return ""


def _wanted_platform(environment: Mapping[str, str], argv: Sequence[str]) -> str:
    wanted = environment.get("QT_QPA_PLATFORM", "")
    for index, argument in enumerate(argv):
        if argument in ("-platform", "--platform") and index + 1 < len(argv):
            wanted = argv[index + 1]
    return wanted.split(";")[0].split(":")[0].strip()


def _x11_problem(display: str) -> str:
    import ctypes

    for library, package in _X11_LIBRARIES.items():
        try:
            loaded = ctypes.CDLL(library)
        except OSError:
            return NO_LIBRARY % (library, package)
        if library == "libxcb.so.1":
            loaded.xcb_connect.restype = ctypes.c_void_p
            loaded.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
            loaded.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
            loaded.xcb_disconnect.argtypes = [ctypes.c_void_p]
            connection = loaded.xcb_connect(os.fsencode(display), None)
            _connections.append(partial(loaded.xcb_disconnect, connection))
            if loaded.xcb_connection_has_error(connection):
                release_display()
                return UNREACHABLE % display
    return ""


def release_display() -> None:
    """Close the connection of the check, once Qt has its own.

    A display without a window manager, such as Xvfb, begins anew when its last client leaves: Qt would be slow to
    connect then, and now and then be refused.
    """
    while _connections:
        _connections.pop()()
