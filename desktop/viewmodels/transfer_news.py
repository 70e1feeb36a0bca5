"""Telling the window of the queue, not more often than it can be seen. Must not import widgets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal

if TYPE_CHECKING:
    from desktop.viewmodels.transfer import TransfersSummary


class TransferNews(QObject):
    """Gathers what happens and tells of it at most ten times a second.

    Signals:
        listed(): files came, went, or moved to another section.
        summary_changed(TransfersSummary)
        not_added(int): so many more files than before are unsupported or too large, now that all are over.
    """

    listed = Signal()
    summary_changed = Signal(object)
    not_added = Signal(int)

    COALESCE_MS: Final = 100

    def __init__(self, summary: Callable[[], TransfersSummary], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._summary = summary
        self._list_is_new = False
        self._not_added = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(self.COALESCE_MS)
        self._timer.timeout.connect(self.tell)

    def note(self, *, moved_only: bool = False) -> None:
        """Something happened; ``moved_only`` when only progress did."""
        if not moved_only:
            self._list_is_new = True
        if not self._timer.isActive():
            self._timer.start()

    def tell(self) -> None:
        """Tell now."""
        if self._list_is_new:
            self._list_is_new = False
            self.listed.emit()
        summary = self._summary()
        self.summary_changed.emit(summary)
        if not summary.active and summary.not_added != self._not_added:
            more, self._not_added = summary.not_added - self._not_added, summary.not_added
            if more > 0:
                self.not_added.emit(more)

    def cleared(self) -> None:
        """Files were taken off the list; those that come later are more again."""
        self._not_added = min(self._not_added, self._summary().not_added)

    def start_over(self) -> None:
        """The queue is empty and another vault's."""
        self._not_added = 0
        self.tell()
