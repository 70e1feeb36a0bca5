"""Who shares something and waits for a decision; nothing of it is decoded before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.models import Person, PersonState
from desktop.viewmodels.wording import short_text
from desktop.widgets.buttons import danger_quiet_button, default_button, link_button
from desktop.widgets.icons import Icons
from desktop.widgets.labels import Hairline, Label
from desktop.widgets.people_marks import PersonLabel
from desktop.widgets.scroll_page import ScrollPage
from desktop.widgets.theme import Space

if TYPE_CHECKING:
    from desktop.client.sharing_model import Sender


LOWEST_LIMIT: Final = 160
"""Two rows, in the smallest window; more are scrolled to."""


class WaitingBox(QFrame):
    """One row per person: how many pictures, chip, compare, accept, decline.

    Attributes:
        answers: The buttons, from the top down.

    Signals:
        compare_requested(Person), accepted(Person), declined(Person)
    """

    compare_requested = Signal(object)
    accepted = Signal(object)
    declined = Signal(object)

    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icons = icons
        self.setProperty("card", True)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(Space.LARGE, Space.MEDIUM, Space.LARGE, Space.SMALL)
        self._layout.setSpacing(Space.SMALL)
        self._layout.addWidget(Label(self.tr("Waiting for you"), "strong"))
        self._scroll = ScrollPage()
        self._column = QVBoxLayout(self._scroll.content)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(Space.SMALL)
        self._layout.addWidget(self._scroll)
        self._rows: list[QWidget] = []
        self.answers: list[QWidget] = []
        self.setAccessibleName(self.tr("Waiting for you"))
        self.hide()

    def show_senders(self, senders: Sequence[Sender]) -> None:
        """Show who waits; hidden when nobody does."""
        for widget in self._rows:
            self._column.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self._rows, self.answers = [], []
        for number, sender in enumerate(senders):
            if number:
                self._add(Hairline())
            self._add(self._row(sender))
        self.setVisible(bool(senders))
        self._fit()

    def _fit(self) -> None:
        """As high as the rows, lower with a scroll bar where there are many: the pictures keep their room."""
        needed = self._column.totalHeightForWidth(self._scroll.viewport().width())
        self._scroll.setFixedHeight(max(0, min(needed, max(LOWEST_LIMIT, self.window().height() // 3))))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit again: sentences wrap otherwise."""
        super().resizeEvent(event)
        self._fit()

    def _add(self, widget: QWidget) -> None:
        self._rows.append(widget)
        self._column.addWidget(widget)
        widget.show()

    def _row(self, sender: Sender) -> QWidget:
        person = sender.person
        caption = self.tr("Shares %n pictures with you", "", sender.count)
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, Space.TIGHT, 0, Space.TIGHT)
        column.setSpacing(Space.TIGHT)
        top = QHBoxLayout()
        top.setSpacing(Space.SMALL)
        top.addWidget(PersonLabel(self._icons, person, caption), 1)
        named = {}
        if person.state is PersonState.CHANGED:
            named[self.tr("Compare words")] = (danger_quiet_button(self.tr("Compare words")), self.compare_requested)
        elif person.fingerprint:
            named[self.tr("Compare words")] = (link_button(self.tr("Compare words")), self.compare_requested)
            named[self.tr("Accept")] = (default_button(self.tr("Accept")), self.accepted)
        named[self.tr("Decline")] = (default_button(self.tr("Decline")), self.declined)
        for words, (button, signal) in named.items():
            button.setAccessibleName(f"{words}, {person.name}")
            button.clicked.connect(lambda _=False, signal=signal: signal.emit(person))
            top.addWidget(button)
            self.answers.append(button)
        column.addLayout(top)
        column.addWidget(Label(self._why(person), "caption", wrap=True))
        return holder

    def _why(self, person: Person) -> str:
        if person.differs:
            words = self.tr("They stay closed: the words of %1 did not match. Compare them again.")
        elif person.state is PersonState.CHANGED:
            words = self.tr("They stay closed: %1’s key is not the one you know. Compare the words again.")
        elif person.fingerprint:
            words = self.tr("They stay closed until you accept, because %1 is not verified.")
        else:
            words = self.tr("They stay closed: the server gives no key of %1 that could be compared.")
        return words.replace("%1", short_text(person.name))
