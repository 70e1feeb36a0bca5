"""The transfers panel: what is going on, and a section for each outcome in the order of need."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from desktop.viewmodels.transfer import Outcome, TransfersSummary
from desktop.viewmodels.transfer_board import OPEN
from desktop.viewmodels.transfers import TransfersViewModel
from desktop.viewmodels.wording import number_text, size_text, time_left_text
from desktop.widgets.buttons import ghost_button, link_button
from desktop.widgets.icons import Icons
from desktop.widgets.labels import Hairline, Label
from desktop.widgets.marks import ProgressBar4
from desktop.widgets.page_parts import EmptyState, SidePanel
from desktop.widgets.scroll_page import ScrollPage
from desktop.widgets.theme import Space, Theme
from desktop.widgets.transfer_rows import SectionHeading, TransferRow

ROWS: Final = 20
"""Rows shown of a section until "Show more" is pressed."""


class _Section(QWidget):
    """A heading and its rows."""

    def __init__(self, heading: SectionHeading) -> None:
        super().__init__()
        self.heading = heading
        self.limit = ROWS
        self.rows: dict[int, TransferRow] = {}
        self.body = QWidget()
        self.list = QVBoxLayout(self.body)
        self.list.setContentsMargins(0, 0, 0, Space.TIGHT)
        self.list.setSpacing(0)
        self.more = link_button("")
        more_row = QHBoxLayout()
        more_row.setContentsMargins(66, 0, 0, 0)
        more_row.addWidget(self.more)
        more_row.addStretch(1)
        self.list.addLayout(more_row)
        self.list.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(heading)
        layout.addWidget(self.body)


class TransfersPanel(SidePanel):
    """Shows a :class:`TransfersViewModel`.

    Signals:
        show_requested(str picture_id): the picture that is already there is to be shown in the gallery.
    """

    show_requested = Signal(str)

    def __init__(
        self, theme: Theme, icons: Icons, transfers: TransfersViewModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(icons, "", parent)
        self.title.setText(self.tr("Transfers"))
        self.setAccessibleName(self.tr("Transfers"))
        self._icons, self._transfers = icons, transfers
        self.pause = ghost_button(icons, "pause", self.tr("Pause"))
        self.pause.clicked.connect(self._toggle_pause)
        self.add_action(self.pause)
        self._make_box(theme)
        self._sections: dict[Outcome, _Section] = {}
        page = ScrollPage()
        column = QVBoxLayout(page.content)
        column.setContentsMargins(0, Space.SMALL - 2, 0, Space.LARGE)
        column.setSpacing(0)
        for outcome in Outcome:
            self._sections[outcome] = self._make_section(outcome)
            column.addWidget(self._sections[outcome])
        column.addStretch(1)
        empty = EmptyState(
            icons,
            "transfers",
            self.tr("Nothing under way"),
            self.tr("Pictures you add are listed here until you clear them."),
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(page)
        self.body.addWidget(self._box)
        self.body.addWidget(self._box_line)
        self.body.addWidget(self._stack, 1)
        transfers.listed.connect(self._refresh)
        transfers.moved.connect(self._on_moved)
        transfers.summary_changed.connect(self._on_summary)
        self._on_summary(transfers.summary)
        self._refresh()

    def _make_box(self, theme: Theme) -> None:
        self._box = QWidget()
        self._what, self._of = Label("", "strong"), Label("", "secondary")
        self._left, self._bytes = Label("", "caption"), Label("", "caption")
        self._why = Label("", "danger-caption", wrap=True)
        self._bar = ProgressBar4(theme)
        column = QVBoxLayout(self._box)
        column.setContentsMargins(Space.LARGE, Space.MEDIUM, Space.LARGE, Space.SMALL)
        column.setSpacing(6)
        for leading, trailing in ((self._what, self._of), (None, None), (self._left, self._bytes)):
            if leading is None or trailing is None:
                column.addWidget(self._bar)
                continue
            row = QHBoxLayout()
            row.addWidget(leading, 1)
            row.addWidget(trailing)
            column.addLayout(row)
        column.addWidget(self._why)
        self.ask_now, self.cancel_all = link_button(self.tr("Try now")), link_button(self.tr("Cancel all"))
        self.ask_now.clicked.connect(self._transfers.ask_now)
        self.cancel_all.clicked.connect(self._transfers.cancel_all)
        row = QHBoxLayout()
        row.addWidget(self.ask_now)
        row.addStretch(1)
        row.addWidget(self.cancel_all)
        column.addLayout(row)
        self._box_line = Hairline()

    def _make_section(self, outcome: Outcome) -> _Section:
        titles = {
            Outcome.IN_PROGRESS: self.tr("In progress"),
            Outcome.FAILED: self.tr("Failed"),
            Outcome.WAITING: self.tr("Waiting"),
            Outcome.ALREADY_THERE: self.tr("Already there"),
            Outcome.UNSUPPORTED: self.tr("Unsupported"),
            Outcome.TOO_LARGE: self.tr("Too large"),
            Outcome.DONE: self.tr("Done"),
        }
        transfers = self._transfers
        actions = {
            Outcome.FAILED: (self.tr("Retry failed"), transfers.retry_failed),
        }
        clear = (self.tr("Clear"), lambda: transfers.clear(outcome))
        words, called = actions.get(outcome, clear if outcome not in OPEN else ("", None))
        heading = SectionHeading(self._icons, outcome, titles[outcome], words)
        heading.action.setAccessibleName(f"{words}: {titles[outcome]}")
        if called is not None:
            heading.action_requested.connect(called)
        section = _Section(heading)
        heading.fold.setChecked(outcome not in (Outcome.WAITING, Outcome.DONE))
        if outcome is Outcome.IN_PROGRESS:  # always as high as when all are at work, so that nothing below jumps
            at_once = transfers.pipeline.ENCRYPTING + transfers.pipeline.SENDING
            section.body.setMinimumHeight(TransferRow.HEIGHT * at_once)
        heading.folded.connect(lambda open_: self._refresh_section(outcome))
        section.more.clicked.connect(lambda: self._show_more(outcome))
        return section

    # -- what people do --------------------------------------------------------------------------------------------

    def _toggle_pause(self) -> None:
        if self._transfers.summary.paused:
            self._transfers.resume()
        else:
            self._transfers.pause()

    def _show_more(self, outcome: Outcome) -> None:
        self._sections[outcome].limit += ROWS
        self._refresh_section(outcome)

    # -- news ------------------------------------------------------------------------------------------------------

    def _on_summary(self, summary: TransfersSummary) -> None:
        self._box.setVisible(summary.active)
        self._box_line.setVisible(summary.active)
        self.pause.setVisible(summary.active)
        if summary.paused:
            self.pause.set_icon("play")
            self.pause.set_text(self.tr("Go on"))
        else:
            self.pause.set_icon("pause")
            self.pause.set_text(self.tr("Pause"))
        if not summary.active:
            return
        if summary.paused:
            what = self.tr("Paused")
        elif summary.waiting_for_server:
            what = self.tr("Waiting for the server")
        else:
            what = self.tr("Encrypting and sending")
        of = self.tr("%1 of %2")
        self._what.setText(what)
        self._of.setText(of.replace("%1", number_text(summary.finished)).replace("%2", number_text(summary.total)))
        self._bytes.setText(
            of.replace("%1", size_text(summary.bytes_done)).replace("%2", size_text(summary.bytes_total))
        )
        trouble = summary.halted_by or (None if summary.paused else summary.silent)
        if trouble is not None:
            # what exactly was silent changes from try to try
            words = trouble.default_message if trouble is summary.silent else trouble.message
            self._why.setText(f"{words} ({trouble.code})")
        self._why.setVisible(trouble is not None)
        self._why.set_role("caption" if trouble is summary.silent else "danger-caption")
        self.ask_now.setVisible(summary.waiting_for_server and not summary.paused)
        self.ask_now.setEnabled(not summary.asking)
        if summary.paused or summary.waiting_for_server:
            self._left.setText(self.tr("Asking again…") if summary.asking and not summary.paused else "")
        elif summary.seconds_left is None:
            self._left.setText(self.tr("Calculating…"))
        else:
            self._left.setText(time_left_text(summary.seconds_left))
        known = summary.seconds_left is not None or summary.paused or summary.waiting_for_server
        self._bar.set_progress(round(summary.fraction * 1000) if known else 0, 1000)
        self._bar.setAccessibleName(f"{what}, {self._of.text()}")

    def _refresh(self) -> None:
        for outcome in Outcome:
            self._refresh_section(outcome)
        self._stack.setCurrentIndex(1 if any(self._transfers.count(outcome) for outcome in Outcome) else 0)

    def _refresh_section(self, outcome: Outcome) -> None:
        section, count = self._sections[outcome], self._transfers.count(outcome)
        summary = self._transfers.summary
        at_work = summary.active and not summary.paused and not summary.waiting_for_server
        listed = count > 0 or (outcome is Outcome.IN_PROGRESS and at_work)
        section.setVisible(listed)
        section.heading.set_count(count)
        shown = listed and section.heading.fold.isChecked()
        section.body.setVisible(shown)
        wanted = self._transfers.transfers(outcome, section.limit) if shown else []
        numbers = {transfer.number for transfer in wanted}
        for number in [number for number in section.rows if number not in numbers]:
            row = section.rows.pop(number)
            section.list.removeWidget(row)
            row.hide()
            row.deleteLater()
        for place, transfer in enumerate(wanted):
            known = section.rows.get(transfer.number)
            if known is None:
                known = section.rows[transfer.number] = self._make_row(transfer.number)
            if section.list.indexOf(known) != place:
                section.list.insertWidget(place, known)
                known.show()
            there = outcome is Outcome.ALREADY_THERE and bool(transfer.picture_id)
            name = self._transfers.name_of(transfer.picture_id) if there else ""
            known.show_transfer(transfer, name, self._transfers.image_of(transfer.picture_id) if there else None)
        rest = count - len(wanted)
        section.more.setText(self.tr("Show %n more", "", rest))
        section.more.setVisible(shown and rest > 0)

    def _make_row(self, number: int) -> TransferRow:
        transfer = self._transfers.transfer(number)
        assert transfer is not None  # it was listed a moment ago, in the same thread  # noqa: S101
        row = TransferRow(self._icons, transfer)
        row.cancel_requested.connect(self._transfers.cancel)
        row.retry_requested.connect(self._transfers.retry)
        row.show_requested.connect(self.show_requested)
        return row

    def _on_moved(self, number: int) -> None:
        transfer = self._transfers.transfer(number)
        row = self._sections[transfer.outcome].rows.get(number) if transfer is not None else None
        if row is not None and transfer is not None:
            row.show_transfer(transfer, "")
