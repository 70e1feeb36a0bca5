"""Locks by itself: after idle minutes, with the screen, when the window is minimised. Must not import widgets."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from PySide6.QtCore import QEvent, QObject, QTimer, Signal

if TYPE_CHECKING:
    from desktop.config import Preferences

_SIGNS_OF_LIFE: Final = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseMove,
        QEvent.Type.Wheel,
        QEvent.Type.TouchBegin,
        QEvent.Type.TabletPress,
    }
)


class ScreenLock(Protocol):
    """What tells that the screen was locked, or the computer goes to sleep."""

    def watch(self, locked: Callable[[], None]) -> bool:
        """Call back from now on; return whether this system tells at all."""
        ...


class AutoLock(QObject):
    """Says when to lock.

    Signals:
        lock_requested()

    Attributes:
        hears_of_screen: Whether this system tells when the screen is locked.
    """

    lock_requested = Signal()

    MINUTE_S: Final = 60.0

    def __init__(
        self,
        preferences: Preferences,
        screen: ScreenLock | None = None,
        parent: QObject | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Made by the composition root; watches nothing before :meth:`watch`."""
        super().__init__(parent)
        self._preferences, self._screen, self._clock = preferences, screen, clock
        self._alive = clock()
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.timeout.connect(self.look)
        self._seen: set[QObject] = set()
        self.hears_of_screen = False

    def watch(self) -> None:
        """Begin to count, and to listen to the system."""
        if self._screen is not None:
            self.hears_of_screen = self._screen.watch(self._on_screen_locked)
        self.restart()

    def look_at(self, window: QObject | None) -> None:
        """Take what reaches this system window as signs of life; the one that has the keyboard, dialogs too.

        Not the application: its filter would be asked about every event of every widget.
        """
        if window is not None and window not in self._seen:
            self._seen.add(window)
            window.destroyed.connect(lambda: self._seen.discard(window))
            window.installEventFilter(self)

    def restart(self) -> None:
        """Count the idle minutes anew, as the setting is now."""
        self._alive = self._clock()
        self._wait()

    def _wait(self) -> None:
        minutes = self._preferences.lock_after_minutes
        if not minutes:
            self._idle.stop()
            return
        left = minutes * self.MINUTE_S - (self._clock() - self._alive)
        self._idle.start(max(10, int(left * 1000)))

    def look(self) -> None:
        """Lock when there was no sign of life for so long, else go on waiting."""
        minutes = self._preferences.lock_after_minutes
        if minutes and self._clock() - self._alive >= minutes * self.MINUTE_S:
            self.lock_requested.emit()
            self.restart()
        else:
            self._wait()

    def minimised(self) -> None:
        """The window was minimised."""
        if self._preferences.lock_minimised:
            self.lock_requested.emit()

    def _on_screen_locked(self) -> None:
        if self._preferences.lock_with_screen:
            self.lock_requested.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notice signs of life; never keeps an event back."""
        if event.type() in _SIGNS_OF_LIFE:
            self._alive = self._clock()
        return False
