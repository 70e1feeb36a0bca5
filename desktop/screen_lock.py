"""Hears over the D-Bus when the screen is locked or the computer goes to sleep, where there is such a bus.

Part of the window: the only module that imports QtDBus.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import SLOT, QObject, Slot

SCREEN_SAVERS: Final = (
    ("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver", "org.freedesktop.ScreenSaver"),
    ("org.freedesktop.ScreenSaver", "/ScreenSaver", "org.freedesktop.ScreenSaver"),
    ("org.gnome.ScreenSaver", "/org/gnome/ScreenSaver", "org.gnome.ScreenSaver"),
)
_ACTIVE: Final[Any] = SLOT("active_changed(bool)")  # text, whatever the library's own annotations say
_LOCK: Final[Any] = SLOT("lock_asked()")
LOGIN: Final = "org.freedesktop.login1"


def there_is_a_bus() -> bool:
    """Whether this system has a D-Bus that can be asked; asking one that is not there could start one."""
    return bool(os.environ.get("DBUS_SESSION_BUS_ADDRESS")) or Path("/run/dbus/system_bus_socket").exists()


class DBusScreenLock(QObject):
    """Watches the session's screen savers and the system's login manager."""

    def __init__(self, session: Any = None, system: Any = None, parent: QObject | None = None) -> None:
        """Use these buses, by default those of the person; nothing is asked yet."""
        super().__init__(parent)
        self._session, self._system = session, system
        self._locked: Callable[[], None] = lambda: None

    def watch(self, locked: Callable[[], None]) -> bool:
        """Call ``locked`` from now on; return whether there is a bus that tells."""
        try:
            from PySide6.QtDBus import QDBusConnection
        except ImportError:  # a system whose Qt has no D-Bus
            return False
        self._locked = locked
        session = self._session or QDBusConnection.sessionBus()
        hears = False
        if session.isConnected():
            for service, path, interface in SCREEN_SAVERS:
                hears |= session.connect(service, path, interface, "ActiveChanged", self, _ACTIVE)
        system = self._system or QDBusConnection.systemBus()
        if system.isConnected():
            hears |= system.connect(LOGIN, "", "org.freedesktop.login1.Session", "Lock", self, _LOCK)
            manager = "/org/freedesktop/login1", "org.freedesktop.login1.Manager"
            hears |= system.connect(LOGIN, *manager, "PrepareForSleep", self, _ACTIVE)
        return bool(hears)

    @Slot(bool)
    def active_changed(self, active: bool) -> None:
        """The screen saver begins, or the computer is about to sleep."""
        if active:
            self._locked()

    @Slot()
    def lock_asked(self) -> None:
        """The login manager asks sessions to lock."""
        self._locked()
