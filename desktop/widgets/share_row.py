"""One person in the share dialog: who, chip, role, cross; and below, comparing or what a changed key means."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.models import PersonState
from desktop.viewmodels.share import WITHOUT_KEY, ShareRow
from desktop.viewmodels.trust import changed_words
from desktop.viewmodels.wording import number_text, short_day_text, short_text
from desktop.widgets.buttons import Button, danger_quiet_button, ghost_button, link_button
from desktop.widgets.compare_card import CompareCard
from desktop.widgets.icons import Icons
from desktop.widgets.labels import Label
from desktop.widgets.people_marks import PersonLabel
from desktop.widgets.theme import Space

translate = QCoreApplication.translate


def role_words(role: str) -> str:
    """What somebody may do."""
    if role == "write":
        return translate("Share", "Can view and replace")
    return translate("Share", "Can view")


class RoleCombo(QComboBox):
    """Can view, or can view and replace.

    Signals:
        role_chosen(str)
    """

    role_chosen = Signal(str)

    def __init__(self, name: str, role: str = "read", *, quiet: bool = False) -> None:
        super().__init__()
        self.setProperty("quiet", quiet)
        for value in ("read", "write"):
            self.addItem(role_words(value), value)
        self.setAccessibleName(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.set_role(role)
        self.activated.connect(lambda _: self.role_chosen.emit(self.role))
        self.installEventFilter(self)

    @property
    def role(self) -> str:
        """What is chosen."""
        return str(self.currentData())

    def set_role(self, role: str) -> None:
        """Show a role."""
        self.setCurrentIndex(max(0, self.findData(role)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave the wheel to the list around it, unless the combo has the focus."""
        if event.type() == QEvent.Type.Wheel and not self.hasFocus():
            event.ignore()
            return True
        return False


class PersonRow(QWidget):
    """Draws a :class:`ShareRow`.

    Signals:
        role_chosen(str), removed()
        compare_wanted(bool): open or close the comparison.
        matched(str fingerprint), differed(), text_given(str)
    """

    role_chosen = Signal(str)
    removed = Signal()
    compare_wanted = Signal(bool)
    matched = Signal(str)
    differed = Signal()
    text_given = Signal(str)

    def __init__(self, icons: Icons, row: ShareRow, total: int, *, comparing: bool) -> None:
        super().__init__()
        person = row.person
        self.shown = row
        self.card: CompareCard | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, Space.SMALL, 0, Space.SMALL)
        layout.setSpacing(Space.SMALL)
        top = QHBoxLayout()
        top.setSpacing(Space.SMALL)
        label = PersonLabel(icons, person, _caption(row, total), waiting=row.waiting)
        top.addWidget(label, 1)
        if not row.changed:
            if person.state is PersonState.UNVERIFIED and not comparing:
                self.compare = link_button(self.tr("Compare words"))
                self.compare.setAccessibleName(self.tr("Compare words with %1").replace("%1", person.name))
                self.compare.clicked.connect(lambda: self.compare_wanted.emit(True))
                label.add_below(self.compare)
            self.role = RoleCombo(self.tr("What %1 may do").replace("%1", person.name), row.role, quiet=True)
            self.role.role_chosen.connect(self.role_chosen)
            top.addWidget(self.role)
        words = self.tr("Stop sharing with %1") if row.had else self.tr("Take %1 off the list")
        self.cross = ghost_button(icons, "close", words.replace("%1", person.name), row=True)
        self.cross.clicked.connect(self.removed)
        top.addWidget(self.cross)
        layout.addLayout(top)
        if row.changed and not comparing:
            layout.addWidget(self._changed_box(icons))
        elif comparing:
            shown = row.offered if row.offered is not None else person
            self.card = CompareCard(icons, shown)
            self.card.matched.connect(self.matched)
            self.card.differed.connect(self.differed)
            self.card.text_given.connect(self.text_given)
            self.card.put_off.connect(lambda: self.compare_wanted.emit(False))
            layout.addWidget(self.card)

    def _changed_box(self, icons: Icons) -> QWidget:
        """Both explanations of a changed key, and no way round."""
        row = self.shown
        box = QFrame()
        box.setProperty("banner", "danger")
        layout = QVBoxLayout(box)
        layout.setContentsMargins(Space.MEDIUM + 2, Space.MEDIUM, Space.MEDIUM + 2, Space.MEDIUM)
        layout.setSpacing(Space.SMALL)
        title, text = changed_words(row.person)
        layout.addWidget(Label(title, "strong", wrap=True))
        layout.addWidget(Label(text, "secondary", wrap=True))
        buttons = QHBoxLayout()
        buttons.setSpacing(Space.SMALL)
        self.compare = danger_quiet_button(self.tr("Compare words"))
        self.compare.setEnabled(row.offered is not None or row.person.differs)
        self.compare.clicked.connect(lambda: self.compare_wanted.emit(True))
        buttons.addWidget(self.compare)
        if row.had:
            words = self.tr("Stop sharing with %1").replace("%1", short_text(row.person.name, 20))
            self.stop = Button(words, kind="link")
            self.stop.clicked.connect(self.removed)
            buttons.addWidget(self.stop)
        buttons.addStretch(1)
        layout.addLayout(buttons)
        box.setAccessibleName(f"{title}. {text}")
        return box


def heading(role: str) -> Label:
    """The heading of the people of one role."""
    label = Label(role_words(role), "group")
    label.setContentsMargins(0, Space.SMALL, 0, 0)
    return label


def _caption(row: ShareRow, total: int) -> str:
    words = ""
    if row.broken:
        words = translate("Share", "The server lost part of it. Share repairs that.")
    elif row.person.state in WITHOUT_KEY:
        words = translate("Share", "Waiting for %1’s key").replace("%1", short_text(row.person.name, 16))
    elif row.waiting:
        words = translate("Share", "Waits until you have compared the words")
    elif not row.had:
        words = translate("Share", "New")
    elif row.role != row.had and row.had == "write":
        words = translate("Share", "From now on only views; encrypted again")
    elif row.have < total:
        words = translate("Share", "Has %1 of %2")
        words = words.replace("%1", number_text(row.have)).replace("%2", number_text(total))
    elif row.since is not None:
        day = short_day_text(row.since.astimezone().replace(tzinfo=None))
        words = translate("Share", "Since %1").replace("%1", day)
    return words
