"""What the gallery's header holds while pictures are chosen, and while a batch is at work."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.viewmodels.gallery import SelectionSummary
from desktop.viewmodels.wording import number_text, size_text
from desktop.widgets.buttons import GhostButton, default_button, ghost_button
from desktop.widgets.icons import Icons
from desktop.widgets.labels import Label
from desktop.widgets.marks import ProgressBar4
from desktop.widgets.theme import Space, Theme


class SelectionBar(QWidget):
    """How many are chosen, how large they are, and what can be done with them.

    Signals:
        cleared(), export_requested(), delete_requested(), share_requested()
    """

    cleared = Signal()
    export_requested = Signal()
    delete_requested = Signal()
    share_requested = Signal()

    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.close_button = ghost_button(icons, "close", self.tr("Clear the selection"))
        self._count, self._size = Label("", "lead"), Label("", "secondary")
        self.delete = GhostButton(icons, "bin", self.tr("Delete"), labelled=True, token="text")  # noqa: S106
        self.export = GhostButton(icons, "save", self.tr("Save a copy"), labelled=True, token="text")  # noqa: S106
        self.share = default_button(self.tr("Share"), icons, "person-plus")
        self.share.hide()
        self.close_button.clicked.connect(self.cleared)
        self.delete.clicked.connect(self.delete_requested)
        self.export.clicked.connect(self.export_requested)
        row = QHBoxLayout(self)
        row.setContentsMargins(Space.LARGE, 0, Space.LARGE, 0)
        row.setSpacing(Space.MEDIUM)
        row.addWidget(self.close_button)
        row.addWidget(self._count)
        row.addWidget(self._size)
        row.addStretch(1)
        row.addWidget(self.export)
        row.addWidget(self.delete)
        row.addWidget(self.share)
        self.share.clicked.connect(self.share_requested)

    def set_bin(self, there: bool) -> None:
        """Say what the second button does: move to the bin, or delete where there is none."""
        self.delete.set_text(self.tr("Move to bin") if there else self.tr("Delete"))

    def set_sharing(self, possible: bool) -> None:
        """Offer to share where there are other people."""
        self.share.setVisible(possible)

    def set_summary(self, summary: SelectionSummary) -> None:
        """Say what is chosen."""
        self._count.setText(self.tr("%n selected", "", summary.count))
        self._size.setText(size_text(summary.size))

    def set_compact(self, compact: bool) -> None:
        """Turn labels to icons."""
        for button in (self.export, self.delete):
            button.set_labelled(not compact)

    def set_busy(self, busy: bool) -> None:
        """One batch at a time."""
        self.delete.setEnabled(not busy)
        self.share.setEnabled(not busy)
        self.export.setEnabled(not busy)


class BatchBar(QFrame):
    """Progress of saving copies or deleting, with a way to stop.

    Signals:
        cancelled()
    """

    cancelled = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("banner", "info")
        self._kind, self._total = "", 0
        self._label = Label("", "strong")
        self._bar = ProgressBar4(theme)
        self.stop = default_button(self.tr("Stop"))
        self.stop.clicked.connect(self.cancelled)
        words = QVBoxLayout()
        words.setSpacing(6)
        words.addWidget(self._label)
        words.addWidget(self._bar)
        row = QHBoxLayout(self)
        row.setContentsMargins(Space.MEDIUM, Space.SMALL, Space.SMALL, Space.SMALL)
        row.setSpacing(Space.LARGE)
        row.addLayout(words, 1)
        row.addWidget(self.stop)
        self.setMinimumHeight(52)
        self.hide()

    def begin(self, kind: str, total: int) -> None:
        """Show a batch."""
        self._kind, self._total = kind, total
        self.stop.setEnabled(True)
        self.progress(0, total * 1000)
        self.show()

    def progress(self, done: int, total: int) -> None:
        """Show how far it is; the unit is a thousandth of a picture."""
        number = min(self._total, done // 1000 + 1)
        match self._kind:
            case "export":
                words = self.tr("Saving copies")
            case "bin":
                words = self.tr("Moving to the bin")
            case "restore":
                words = self.tr("Restoring")
            case _:
                words = self.tr("Deleting")
        count = self.tr("%1 of %2").replace("%1", number_text(number)).replace("%2", number_text(self._total))
        self._label.setText(f"{words} · {count}")
        self._bar.set_progress(done, total)
        self._bar.setAccessibleName(self._label.text())
