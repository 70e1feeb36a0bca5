"""The sheet before files are added: how many, how large, how long, and what differs. Nothing is sent before Start."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QDialogButtonBox, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.errors import GlassineError
from desktop.models import PlaceKind
from desktop.viewmodels.wording import number_text, rough_time_text, size_text
from desktop.widgets.buttons import Button
from desktop.widgets.dialogs import Dialog
from desktop.widgets.icons import Icons
from desktop.widgets.labels import ElidedLabel, Hairline, IconLabel, Label
from desktop.widgets.theme import Space, Theme

if TYPE_CHECKING:
    from desktop.client.preflight import Preflight
    from desktop.viewmodels.transfers import TransfersViewModel

SKIP_BELOW: Final = 100
"""With the box ticked, fewer pictures than this are added without asking."""


class PreflightDialog(Dialog):
    """Opens at once and fills in when the files were looked over.

    Signals:
        started(): Start was pressed; the files are in the queue.
        skip_changed(bool): the box was changed when Start was pressed.
    """

    started = Signal()
    skip_changed = Signal(bool)

    def __init__(
        self,
        theme: Theme,
        icons: Icons,
        transfers: TransfersViewModel,
        paths: Sequence[Path],
        parent: QWidget,
        *,
        skip: bool = False,
    ) -> None:
        """Begin to look the files and folders over; ``skip`` is how the box is set."""
        super().__init__(icons, parent, "", self.PREFLIGHT, sentence="")
        self._transfers, self._skip = transfers, skip
        self.heading.setText(self.tr("Looking the files over…"))
        self.sentence.setText(self.tr("Nothing has been sent yet."))
        self.sentence.show()
        self._preflight: Preflight | None = None
        self._count, self._size, self._time = (Label("–", "heading") for _ in range(3))
        self._time.setText(self.tr("Calculating…"))
        self._speed_label = Label(self.tr("at the present speed"), "caption")
        self._count_words = Label(self.tr("pictures"), "caption")
        well = QFrame()
        well.setProperty("well", True)
        row = QHBoxLayout(well)
        row.setContentsMargins(18, Space.MEDIUM, 18, Space.MEDIUM)
        captions = (
            self._count_words,
            Label(self.tr("to store"), "caption"),
            self._speed_label,
        )
        for position, (figure, caption) in enumerate(zip((self._count, self._size, self._time), captions, strict=True)):
            if position:
                row.addStretch(1)
            column = QVBoxLayout()
            column.setSpacing(0)
            column.addWidget(figure)
            column.addWidget(caption)
            row.addLayout(column)
        self.body.addWidget(well)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self.body.addLayout(self._rows)
        self.skip = QCheckBox(self.tr("Do not ask for fewer than %n pictures", "", SKIP_BELOW))
        self.skip.setChecked(skip)
        self.add_foot_widget(self.skip)
        self.cancel = self.add_button(Button(self.tr("Cancel")), QDialogButtonBox.ButtonRole.RejectRole)
        self.start = self.add_button(
            Button(self.tr("Start"), kind="primary"), QDialogButtonBox.ButtonRole.AcceptRole, default=True
        )
        self.start.setEnabled(False)
        self.start.clicked.connect(self._on_start)
        transfers.looked_over.connect(self.show_preflight)
        transfers.failed.connect(self._on_failed)
        self.rejected.connect(transfers.cancel_look_over)
        transfers.look_over(list(paths))

    def show_preflight(self, preflight: Preflight) -> None:
        """Fill in what was found."""
        from desktop.client.preflight import Verdict

        self._preflight = preflight
        ready, total = preflight.ready, preflight.ready_bytes
        title = self.tr("Add %n pictures?", "", len(ready)) if ready else self.tr("Nothing here can be added")
        binned = preflight.of(Verdict.IN_BIN)
        if binned and not ready:
            title = self.tr("Restore %n pictures?", "", len(binned))
        self.heading.setText(title)
        self.setWindowTitle(title)
        self._count.setText(number_text(len(ready)))
        self._count_words.setText(self.tr("picture") if len(ready) == 1 else self.tr("pictures"))
        self._size.setText(size_text(total))
        seconds = self._transfers.expected_seconds(file.size for file in ready)
        self._time.setText(rough_time_text(seconds) if ready and seconds is not None else "–")
        if ready and seconds is None:
            self._speed_label.setText(self.tr("known once it runs"))
        there, large = preflight.of(Verdict.ALREADY_STORED), preflight.of(Verdict.TOO_LARGE)
        odd = [*preflight.of(Verdict.UNSUPPORTED), *preflight.of(Verdict.UNREADABLE)]
        if there:
            skipped = self.tr("It will be skipped.") if len(there) == 1 else self.tr("They will be skipped.")
            self._add_row("pictures", self.tr("%n are already there", "", len(there)), skipped)
        if binned:
            back = (
                self.tr("It will be restored, not stored twice.")
                if len(binned) == 1
                else self.tr("They will be restored, not stored twice.")
            )
            self._add_row("restore", self.tr("%n are in the bin", "", len(binned)), back)
        if odd:
            names = _names([file.path.name for file in odd])
            words = self.tr("Not a picture Glassine can open: %1").replace("%1", names)
            self._add_row("info", self.tr("%n cannot be added", "", len(odd)), words, "warn")
        if large:
            names = _names([file.path.name for file in large])
            self._add_row("info", self.tr("%n are too large", "", len(large)), names, "warn")
        place = self._transfers.place
        if place is not None and ready:
            here = place.kind is PlaceKind.THIS_COMPUTER
            title = self._destination(here=here, one=len(ready) == 1).replace("%1", place.title)
            self._add_row("computer" if here else "server", title, self.tr("Encrypted here first with your key."))
        self.start.setEnabled(bool(ready or binned))
        if ready or binned:
            self.start.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.skip.hide()
            self.cancel.setText(self.tr("Close"))
            self.cancel.setFocus(Qt.FocusReason.OtherFocusReason)
        QTimer.singleShot(0, self, self.fit)  # rows added to an open dialog are shown from the event loop

    def _destination(self, *, here: bool, one: bool) -> str:
        if here:
            return self.tr("It stays on this computer") if one else self.tr("They stay on this computer")
        return self.tr("It goes to %1") if one else self.tr("They go to %1")

    def _add_row(self, icon: str, title: str, text: str, token: str = "text2") -> None:
        if self._rows.count():
            self._rows.addWidget(Hairline())
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, Space.SMALL - 1, 0, Space.SMALL - 1)
        row.setSpacing(Space.MEDIUM)
        row.addWidget(IconLabel(self.icons, icon, token), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(Label(title))
        words.addWidget(ElidedLabel(text, "caption"))
        row.addLayout(words, 1)
        self._rows.addWidget(holder)

    def _on_start(self) -> None:
        if self._preflight is None:
            return
        if self.skip.isChecked() != self._skip:
            self.skip_changed.emit(self.skip.isChecked())
        self._transfers.add_looked_over(self._preflight)
        self.started.emit()
        self.accept()

    def _on_failed(self, error: GlassineError) -> None:
        if self._preflight is None:
            self.heading.setText(f"{error.title} ({error.code})")
            self.sentence.setText(error.message)
            self.fit()


def _names(names: list[str]) -> str:
    """The first few names."""
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
