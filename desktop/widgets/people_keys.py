"""The keys of the people one shares with: how far each is known to be theirs, and comparing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop.models import Person, PersonState
from desktop.viewmodels.wording import short_day_text
from desktop.widgets.buttons import Button, danger_quiet_button, link_button
from desktop.widgets.cards import Card
from desktop.widgets.icons import Icons
from desktop.widgets.labels import IconLabel, Label
from desktop.widgets.people_marks import PersonLabel
from desktop.widgets.theme import Space

WIDTH: Final = 380


class PeopleKeys(QWidget):
    """One row per person: name, chip, since when, and comparing where it is called for.

    Attributes:
        answers: The buttons, from the top down.

    Signals:
        compare_requested(Person)
    """

    compare_requested = Signal(object)

    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icons = icons
        self.answers: list[QWidget] = []
        self.title = Label(self.tr("People’s keys"), "lead")
        self.card = Card()
        self._nobody = Label(
            self.tr("Whoever you share with, or who shares with you, is listed here."), "caption", wrap=True
        )
        note = QWidget()
        row = QHBoxLayout(note)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(Space.SMALL)
        row.addWidget(IconLabel(icons, "info", "text2", 16), 0, Qt.AlignmentFlag.AlignTop)
        words = self.tr(
            "Not verified means that nobody has compared the words yet. Sharing works; it is only as safe as the "
            "server is honest."
        )
        row.addWidget(Label(words, "caption", wrap=True), 1)
        self._note = note
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(Space.MEDIUM)
        for widget in (self.title, self.card, self._nobody, note):
            column.addWidget(widget)
        column.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    def show_people(self, people: Sequence[Person], offered: Mapping[str, Person]) -> None:
        """Show everybody known; ``offered`` are those whose changed key can be compared."""
        self.card.clear()
        self.answers = []
        for person in people:
            self.card.add_row(self._row(person, comparable=person.user_id in offered))
        self.card.setVisible(bool(people))
        self._nobody.setVisible(not people)
        self._note.setVisible(any(person.state is PersonState.UNVERIFIED for person in people))

    def _row(self, person: Person, *, comparable: bool) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(Space.LARGE, Space.SMALL, Space.MEDIUM, Space.SMALL)
        label = PersonLabel(self._icons, person, self._caption(person))
        row.addWidget(label, 1)
        button = self._button(person, comparable=comparable)
        if button is not None:
            button.setAccessibleName(self.tr("Compare words with %1").replace("%1", person.name))
            button.clicked.connect(lambda: self.compare_requested.emit(person))
            label.add_below(button)
            self.answers.append(button)
        return holder

    def _button(self, person: Person, *, comparable: bool) -> Button | None:
        if person.state is PersonState.UNVERIFIED:
            return link_button(self.tr("Compare words"))
        if person.state is PersonState.CHANGED and (comparable or person.differs):
            return danger_quiet_button(self.tr("Compare words"))
        return None

    def _caption(self, person: Person) -> str:
        if person.differs:
            return self.tr("They did not match")
        if person.since is None:
            return ""
        templates = {
            PersonState.VERIFIED: self.tr("Compared on %1"),
            PersonState.CHANGED: self.tr("Differs from the key of %1"),
        }
        day = short_day_text(person.since.astimezone().replace(tzinfo=None))
        return templates.get(person.state, self.tr("First seen %1")).replace("%1", day)
