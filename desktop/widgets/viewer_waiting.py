"""What the viewer shows while a picture takes long to come."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from desktop.widgets.marks import ProgressBar4
from desktop.widgets.theme import Theme

BAR_AFTER_MS: Final = 300
SLOW_AFTER_MS: Final = 3000


class WaitingForPicture(QObject):
    """A bar over the stage after 0.3 s, and word of it when nothing at all has come after 3 s.

    Attributes:
        bar: How much is there.

    Signals:
        slow(): nothing has come yet. moved(): something has come, or nothing is waited for.
    """

    slow = Signal()
    moved = Signal()

    def __init__(self, theme: Theme, stage: QWidget) -> None:
        super().__init__(stage)
        self._stage = stage
        self.bar = ProgressBar4(theme, parent=stage)
        self.bar.setAccessibleName(self.tr("Opening the picture"))
        self.bar.hide()
        self.bar_timer = self._timer(BAR_AFTER_MS)
        self.bar_timer.timeout.connect(self._show_bar)
        self.slow_timer = self._timer(SLOW_AFTER_MS)
        self.slow_timer.timeout.connect(self.slow)

    def _timer(self, milliseconds: int) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        return timer

    def asked(self) -> None:
        """A picture is asked for."""
        self._came()
        self.slow_timer.start()

    def begin(self) -> None:
        """It is not at hand."""
        self.bar.set_progress(0, 0)
        self.bar_timer.start()

    def progress(self, share: float) -> None:
        """So much of it is there."""
        self._came()
        self.bar.set_progress(round(share * 1000), 1000)

    def end(self) -> None:
        """Nothing is waited for."""
        self._came()
        self.bar_timer.stop()
        self.bar.hide()

    def place(self) -> None:
        """Lie along the top of the stage."""
        self.bar.setGeometry(0, 0, self._stage.width(), 4)

    def _came(self) -> None:
        self.slow_timer.stop()
        self.moved.emit()

    def _show_bar(self) -> None:
        self.bar.show()
        self.bar.raise_()
