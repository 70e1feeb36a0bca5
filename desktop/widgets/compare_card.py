"""Comparing a person's key: words and digits side by side, and a code for a camera."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import QDialogButtonBox, QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from desktop.errors import GlassineError
from desktop.models import Person
from desktop.viewmodels.share import ShareViewModel
from desktop.viewmodels.wording import short_day_text, short_text
from desktop.widgets.buttons import Button, default_button, link_button, primary_button
from desktop.widgets.dialogs import Dialog
from desktop.widgets.fields import Field
from desktop.widgets.icons import Icons
from desktop.widgets.labels import Label
from desktop.widgets.notices import ErrorBox, error_words
from desktop.widgets.qr_code import QrCode
from desktop.widgets.theme import Space

if TYPE_CHECKING:
    from desktop.client.sharing_model import KeySuccession

translate = QCoreApplication.translate

COLUMNS: Final = 4


class CompareCard(QFrame):
    """What is compared, and the three answers.

    Signals:
        matched(str fingerprint), differed(), put_off()
        text_given(str): digits, or the text of the other side's code.
    """

    matched = Signal(str)
    differed = Signal()
    put_off = Signal()
    text_given = Signal(str)

    def __init__(self, icons: Icons, person: Person, *, framed: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.person = person
        self._icons = icons
        if framed:
            self.setProperty("card", True)
        layout = QVBoxLayout(self)
        edge = Space.MEDIUM + 2 if framed else 0
        layout.setContentsMargins(edge, edge - 2 if framed else 0, edge, edge - 2 if framed else 0)
        layout.setSpacing(Space.SMALL)
        name = short_text(person.name)
        title = self.tr("Do these words match what %1 sees?").replace("%1", name)
        advice = self.tr("Ask in person or on the phone. %1 finds them under Keys.").replace("%1", name)
        self.title = Label(title, "strong", wrap=True)
        layout.addWidget(self.title)
        self.title.setVisible(framed)
        layout.addWidget(Label(advice, "caption", wrap=True))
        self.old_key = Label("", "caption", wrap=True)
        layout.addWidget(self.old_key)
        self.old_key.hide()
        layout.addWidget(self._words_well())
        self.more = link_button(self.tr("Digits and code"))
        self._extra = self._digits_and_code()
        self._extra.hide()
        layout.addWidget(self._extra)
        self.match = primary_button(self.tr("They match"), icons, "check")
        self.differ = default_button(self.tr("They differ"))
        self.later = link_button(self.tr("Compare later"))
        self.match.clicked.connect(lambda: self.matched.emit(person.fingerprint))
        self.differ.clicked.connect(self.differed)
        self.later.clicked.connect(self.put_off)
        self.more.clicked.connect(self.toggle_digits)
        row = QHBoxLayout()
        row.setSpacing(Space.SMALL)
        row.addWidget(self.match)
        row.addWidget(self.differ)
        row.addStretch(1)
        row.addWidget(self.more)
        row.addSpacing(Space.SMALL)
        row.addWidget(self.later)
        layout.addLayout(row)

    @property
    def digits_shown(self) -> bool:
        """Whether digits and code are shown."""
        return not self._extra.isHidden()

    def toggle_digits(self) -> None:
        """Show digits and code, or not."""
        self._extra.setVisible(self._extra.isHidden())
        self.more.setText(self.tr("Words only") if self.digits_shown else self.tr("Digits and code"))
        window = self.window()
        if isinstance(window, Dialog):
            window.reveal(self)

    def refuse_text(self, sentence: str) -> None:
        """Say that what was typed is nothing that could be compared."""
        self.field.set_error(sentence)
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)
        window = self.window()
        if isinstance(window, Dialog):
            window.reveal(self.field)

    def say_old_key(self, succession: KeySuccession) -> None:
        """Say that the old key has signed this one: information, after which comparing is as needed as before."""
        if succession.new != self.person.fingerprint:
            return
        words = self.tr(
            "%1’s old key says that this is the new one, since %2. Whoever got hold of the old key could have it say "
            "that, too: compare the words all the same."
        )
        day = short_day_text(succession.when.astimezone().replace(tzinfo=None))
        self.old_key.setText(words.replace("%1", short_text(self.person.name)).replace("%2", day))
        self.old_key.show()
        window = self.window()
        if isinstance(window, Dialog):
            window.reveal(self)

    def _words_well(self) -> QWidget:
        well = QFrame()
        well.setProperty("well", True)
        grid = QGridLayout(well)
        grid.setContentsMargins(Space.MEDIUM, Space.SMALL, Space.MEDIUM, Space.SMALL)
        grid.setVerticalSpacing(6)
        for number, word in enumerate(self.person.words):
            cell = QHBoxLayout()
            cell.setSpacing(Space.SMALL)
            figure = Label(str(number + 1), "caption")
            figure.setMinimumWidth(18)
            figure.setAlignment(Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter)
            cell.addWidget(figure)
            cell.addWidget(Label(word, "strong"), 1)
            grid.addLayout(cell, number // COLUMNS, number % COLUMNS)
        for column in range(COLUMNS):
            grid.setColumnStretch(column, 1)
        words = " ".join(f"{number + 1} {word}" for number, word in enumerate(self.person.words))
        well.setAccessibleName(self.tr("The words of %1: %2").replace("%1", self.person.name).replace("%2", words))
        return well

    def _digits_and_code(self) -> QWidget:
        extra = QWidget()
        row = QHBoxLayout(extra)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(Space.LARGE)
        code = QrCode()
        if self.person.fingerprint:
            from desktop.crypto.words import qr_text

            spoken = self.tr("Code of %1’s key, for a camera").replace("%1", self.person.name)
            code.show_text(qr_text(self.person.fingerprint), spoken)
        groups = self.person.groups
        lines = [" ".join(groups[start : start + 4]) for start in range(0, len(groups), 4)]
        digits = Label("\n".join(lines))
        digits.setFont(self._icons.theme.mono())
        digits.setAccessibleName(self.tr("The digits of %1").replace("%1", self.person.name))
        digits.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.field = Field(self._icons, self.tr("Digits or code text that they sent you"))
        self.field.submitted.connect(self._give)
        self.field.label.setWordWrap(True)
        check = default_button(self.tr("Compare"))
        check.clicked.connect(self._give)
        line = QHBoxLayout()
        line.setSpacing(Space.SMALL)
        line.addWidget(self.field, 1)
        line.addWidget(check, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(Space.SMALL)
        column.addWidget(Label(self.tr("All digits, or by camera"), "group"))
        column.addWidget(digits)
        # over field and button together: above the field alone it would make the dialog wider than it is
        column.addWidget(self.field.label)
        column.addLayout(line)
        column.addStretch(1)
        row.addLayout(column, 1)
        row.addWidget(code, 0, Qt.AlignmentFlag.AlignTop)
        return extra

    def _give(self) -> None:
        text = self.field.text.strip()
        if text:
            self.text_given.emit(text)
        else:
            self.field.set_error(self.tr("Write or paste what they sent you."))


class CompareDialog(Dialog):
    """Comparing outside the share dialog: from a banner, or before pictures of somebody are accepted.

    Signals:
        decided(): they match, or they differ.
    """

    decided = Signal()

    def __init__(self, icons: Icons, parent: QWidget, model: ShareViewModel, person: Person) -> None:
        title = translate("CompareCard", "Do these words match what %1 sees?").replace("%1", short_text(person.name))
        super().__init__(icons, parent, title, self.WIDE)
        self._model, self._person = model, person
        self.card = CompareCard(icons, person, framed=False)
        self.body.addWidget(self.card)
        self._problem: ErrorBox | None = None
        # the card's own row of answers is the dialog's
        role = QDialogButtonBox.ButtonRole
        for button in (self.card.match, self.card.differ, self.card.later):
            button.hide()
        self.later = self.add_button(Button(self.tr("Compare later")), role.RejectRole, default=True)
        self.differ = self.add_button(Button(self.tr("They differ")), role.ActionRole)
        self.match = self.add_button(Button(self.tr("They match"), icons, "check", kind="primary"), role.AcceptRole)
        self.match.clicked.connect(lambda: self._ask("match"))
        self.differ.clicked.connect(lambda: self._ask("differ"))
        self.card.text_given.connect(lambda text: self._ask("text", text))
        model.people_changed.connect(self._on_decided)
        model.failed.connect(self._on_failed)
        model.busy_changed.connect(self._on_busy)
        model.text_refused.connect(self.card.refuse_text)
        model.vouched.connect(lambda user_id, succession: self.card.say_old_key(succession))
        model.ask_old_key(person.user_id)

    def _ask(self, what: str, text: str = "") -> None:
        if self._problem is not None:
            self._problem.hide()
            self._problem.deleteLater()
            self._problem = None
        if what == "match":
            self._model.match(self._person.user_id, self._person.fingerprint)
        elif what == "differ":
            self._model.differ(self._person.user_id)
        else:
            self._model.compare(self._person.user_id, text)

    def _on_busy(self, busy: bool) -> None:
        for button in (self.match, self.differ):
            button.setEnabled(not busy)

    def _on_decided(self) -> None:
        self.decided.emit()
        if self._problem is None:
            self.accept()

    def _on_failed(self, error: GlassineError) -> None:
        title, text, details = error_words(error)
        if self._problem is not None:
            self._problem.hide()
            self._problem.deleteLater()
        self._problem = ErrorBox(self.icons, title, text, details=details)
        self.body.addWidget(self._problem)
        self.reveal(self._problem)
