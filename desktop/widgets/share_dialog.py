"""Sharing: people by role, comparing in place, who has it already, taking back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal, cast

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QCompleter,
    QDialogButtonBox,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from desktop.errors import GlassineError
from desktop.models import Person
from desktop.viewmodels.share import Outcome, ShareRow, ShareViewModel
from desktop.viewmodels.wording import number_text, short_text
from desktop.widgets.buttons import Button, default_button, is_enter, link_button
from desktop.widgets.dialogs import Dialog
from desktop.widgets.fields import ErrorLine
from desktop.widgets.icons import Icons
from desktop.widgets.labels import Hairline, Label
from desktop.widgets.marks import ProgressBar4
from desktop.widgets.notices import ErrorBox, error_words
from desktop.widgets.share_row import PersonRow, RoleCombo, heading
from desktop.widgets.stop_sharing import StopSharingDialog, unverified_question
from desktop.widgets.strip_dialog import StripDialog
from desktop.widgets.theme import Space

if TYPE_CHECKING:
    from desktop.client.sharing_model import KeySuccession, StopResult
    from desktop.viewmodels.strip import StripViewModel

translate = QCoreApplication.translate


class _NameEdit(QLineEdit):
    """The name field: Enter adds, and does not press the dialog's button.

    Signals:
        entered()
    """

    entered = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Add on Enter."""
        if is_enter(event) and self.text().strip():
            self.entered.emit()
        else:
            super().keyPressEvent(event)


class ShareDialog(Dialog):
    """Draws a :class:`ShareViewModel`.

    Signals:
        finished_sharing(Outcome): Share is over and the dialog with it.
    """

    finished_sharing = Signal(object)

    def __init__(
        self, icons: Icons, parent: QWidget, model: ShareViewModel, make_strip: Callable[[], StripViewModel]
    ) -> None:
        count = len(model.pictures)
        title = translate("ShareDialog", "Share %n pictures", None, count)
        if count == 1:
            title = translate("ShareDialog", "Share “%1”").replace("%1", short_text(model.pictures[0].name))
        sentence = (
            translate("ShareDialog", "Only the people listed here can open it. The server cannot.")
            if count == 1
            else translate("ShareDialog", "Only the people listed here can open them. The server cannot.")
        )
        super().__init__(icons, parent, title, self.WIDE, sentence=sentence)
        self._model, self._make_strip = model, make_strip
        self._comparing = ""
        self._rows: list[QWidget] = []
        self._problem: QWidget | None = None
        self._make_name_row()
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self.body.addLayout(self._list)
        self.waiting = Label(self.tr("Asking who has them…"), "secondary")
        self._list.addWidget(self.waiting)
        self._make_strip_row()
        self._make_progress()
        role = QDialogButtonBox.ButtonRole
        self.cancel = self.add_button(Button(self.tr("Cancel")), role.RejectRole)
        self.share = self.add_button(Button(self.tr("Share"), kind="primary"), role.AcceptRole)
        self.share.setEnabled(False)
        self.share.clicked.connect(self._on_share)
        model.rows_changed.connect(self._show_rows)
        model.field_failed.connect(self._on_field_failed)
        model.text_refused.connect(self._on_text_refused)
        model.stopped.connect(self._on_stopped)
        model.failed.connect(self._on_failed)
        model.busy_changed.connect(self._on_busy)
        model.progressed.connect(self._on_progressed)
        model.added.connect(self._on_added)
        model.done.connect(self._on_done)
        model.vouched.connect(self._on_vouched)
        self.name.setFocus(Qt.FocusReason.OtherFocusReason)
        model.load()

    # -- the parts -------------------------------------------------------------------------------------------------

    def _make_name_row(self) -> None:
        self.name = _NameEdit()
        self.name.setAccessibleName(self.tr("User name"))
        self.name.setPlaceholderText(self.tr("User name"))
        icon = QAction(self.icons.icon("person-plus", "text2", 18), "", self.name)
        icon.setEnabled(False)
        self.name.addAction(icon, QLineEdit.ActionPosition.LeadingPosition)
        for button in self.name.findChildren(QWidget):
            button.setAccessibleName(self.tr("User name"))
            button.setToolTip(self.tr("User name"))
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.name.entered.connect(self._on_add)
        self.name.textEdited.connect(lambda _: self._on_field_failed(""))
        self.role = RoleCombo(self.tr("What they may do"))
        self.add = default_button(self.tr("Add"))
        self.add.clicked.connect(self._on_add)
        row = QHBoxLayout()
        row.setSpacing(Space.SMALL)
        row.addWidget(self.name, 1)
        row.addWidget(self.role)
        row.addWidget(self.add)
        self.error = ErrorLine(self.icons)
        column = QVBoxLayout()
        column.setSpacing(6)
        column.addLayout(row)
        column.addWidget(self.error)
        self.body.addLayout(column)

    def _make_strip_row(self) -> None:
        self.body.addWidget(Hairline())
        self.strip = QCheckBox(self.tr("Remove place, camera and file name from the shared copies"))
        self.before_after = link_button(self.tr("Before and after"))
        self.before_after.clicked.connect(self._on_before_after)
        # not beside the box: with a scroll bar and wide letters there is no room for both
        row = QHBoxLayout()
        row.setContentsMargins(Space.PAGE + Space.TIGHT, 0, 0, 0)
        row.addWidget(self.before_after)
        row.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(Space.TIGHT)
        column.addWidget(self.strip)
        column.addLayout(row)
        self.body.addLayout(column)

    def _make_progress(self) -> None:
        self._progress = QWidget()
        self.bar = ProgressBar4(self.theme)
        self.bar.setAccessibleName(self.tr("Sharing"))
        self._doing = Label("", "caption")
        column = QVBoxLayout(self._progress)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(Space.TIGHT)
        column.addWidget(self._doing)
        column.addWidget(self.bar)
        self.body.addWidget(self._progress)
        self._progress.hide()

    # -- the list --------------------------------------------------------------------------------------------------

    def _show_rows(self) -> None:
        self.waiting.hide()
        focused = self.focusWidget()
        spoken = focused.accessibleName() if focused is not None else ""
        for widget in self._rows:
            self._list.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self._rows = []
        for role in ("read", "write"):
            rows = [row for row in self._model.rows if row.role == role]
            if rows:
                self._put(heading(role))
            for number, row in enumerate(rows):
                if number:
                    self._put(Hairline())
                self._put(self._make_row(row))
        names = [person.name for person in self._model.suggestions if self._model.row(person.user_id) is None]
        completer = QCompleter(names, self.name)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.name.setCompleter(completer)
        self._dress()
        self._order_tabs()
        if spoken:
            self._refocus(spoken)
        self.fit()

    def _order_tabs(self) -> None:
        """Let Tab go from the name through the people to the rest, whatever was made when."""
        before: QWidget = self.add
        for row in self._rows:
            for widget in row.findChildren(QWidget):
                takes_tab = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.focusProxy() is None
                if takes_tab and widget.window() is self:  # the list of a combo is a window of its own
                    self.setTabOrder(before, widget)
                    before = widget
        for last in (self.strip, self.before_after, *self.buttons.buttons()):
            self.setTabOrder(before, last)
            before = last

    def _put(self, widget: QWidget) -> None:
        self._rows.append(widget)
        self._list.addWidget(widget)
        widget.show()

    def _make_row(self, row: ShareRow) -> PersonRow:
        user_id, model = row.person.user_id, self._model
        widget = PersonRow(self.icons, row, len(model.pictures), comparing=self._comparing == user_id)
        widget.role_chosen.connect(lambda role: model.set_role(user_id, _role(role)))
        widget.removed.connect(lambda: self._on_removed(user_id))
        widget.compare_wanted.connect(lambda shown: self._compare(user_id if shown else ""))
        widget.matched.connect(partial(self._on_matched, user_id))
        widget.differed.connect(lambda: self._on_differed(user_id))
        widget.text_given.connect(lambda text: model.compare(user_id, text))
        return widget

    def _refocus(self, spoken: str) -> None:
        """Give the keyboard back to the control of the same name, which was made anew."""
        for widget in self.findChildren(QWidget):
            if widget.accessibleName() == spoken and widget.isVisible() and widget.isEnabled():
                widget.setFocus(Qt.FocusReason.OtherFocusReason)
                return
        self.name.setFocus(Qt.FocusReason.OtherFocusReason)

    def _compare(self, user_id: str) -> None:
        self._comparing = user_id
        self._show_rows()
        for widget in self._rows:
            if isinstance(widget, PersonRow) and widget.card is not None:
                self.reveal(widget.card)
                widget.card.later.setFocus(Qt.FocusReason.OtherFocusReason)  # no stray Enter says that they match
                if widget.shown.offered is not None:
                    self._model.ask_old_key(user_id)

    def _on_text_refused(self, sentence: str) -> None:
        for widget in self._rows:
            if isinstance(widget, PersonRow) and widget.card is not None:
                widget.card.refuse_text(sentence)

    def _on_vouched(self, user_id: str, succession: KeySuccession) -> None:
        for widget in self._rows:
            if isinstance(widget, PersonRow) and widget.card is not None and user_id == self._comparing:
                widget.card.say_old_key(succession)

    def _on_matched(self, user_id: str, fingerprint: str) -> None:
        self._comparing = ""
        self._model.match(user_id, fingerprint)

    def _on_differed(self, user_id: str) -> None:
        self._comparing = ""
        self._model.differ(user_id)

    def _on_added(self, user_id: str) -> None:
        self.name.clear()
        self.name.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_add(self) -> None:
        self._model.add(self.name.text(), _role(self.role.role))

    def _on_field_failed(self, sentence: str) -> None:
        self.error.set_text(sentence)
        self.name.setAccessibleDescription(sentence)
        if self.name.property("error") != bool(sentence):
            self.name.setProperty("error", bool(sentence))
            self.name.style().unpolish(self.name)
            self.name.style().polish(self.name)
        self.fit()

    def _on_removed(self, user_id: str) -> None:
        row = self._model.row(user_id)
        if row is None:
            return
        if not row.had:
            self._model.drop(user_id)
            return
        question = StopSharingDialog(self.icons, self, row, row.have)
        question.accepted.connect(lambda: self._model.stop(user_id, reseal=question.reseal))
        question.open()

    # -- sharing ---------------------------------------------------------------------------------------------------

    def _on_share(self) -> None:
        if self.name.text().strip():  # whoever stands there is meant too, and is looked at first
            self._on_add()
            return
        unverified = self._model.unverified
        if not unverified:
            self._go()
            return
        question = unverified_question(self.icons, self, [person.name for person in unverified])
        question.accepted.connect(self._go)
        question.safe.clicked.connect(lambda: self._compare(unverified[0].user_id))
        question.open()

    def _go(self) -> None:
        self._clear_problem()
        self._model.share(strip=self.strip.isChecked())

    def _on_before_after(self) -> None:
        StripDialog(self.icons, self, self._make_strip(), self._model.pictures).open()

    def _on_done(self, outcome: Outcome) -> None:
        if outcome.cancelled or outcome.failures:
            self._say_what_failed(outcome)
            self._model.load()
            return
        self.finished_sharing.emit(outcome)
        self.accept()

    def _say_what_failed(self, outcome: Outcome) -> None:
        if outcome.cancelled:
            title, details = self.tr("Stopped"), ""
            text = self.tr("What was shared until then stays shared. The list says who has what.")
        else:
            failures = outcome.failures
            name, error = failures[0]
            title = self.tr("%n could not be shared", "", len(failures))
            text = self.tr("%1: %2 (%3)").replace("%1", name).replace("%2", error.message).replace("%3", error.code)
            details = "\n".join(f"{error.code} {name}: {error.message} {error.details}" for name, error in failures)
        self._show_problem(ErrorBox(self.icons, title, text, details=details))

    def _on_stopped(self, person: Person, result: StopResult) -> None:
        """Say of which pictures the person still has: nobody is to believe that all was taken back."""
        if not result.failed:
            return
        names = {picture.id: picture.name for picture in self._model.pictures}
        error = result.failed[0].error
        name = short_text(person.name)
        title = self.tr("Not everything was taken back from %1").replace("%1", name)
        details = "\n".join(
            f"{one.error.code} {names.get(one.picture_id, one.picture_id)}: {one.error.message} {one.error.details}"
            for one in result.failed
        )
        text = self.tr("Still shared: %1 of %2. %3 (%4)")
        for mark, value in (
            ("%1", number_text(len(result.failed))),
            ("%2", number_text(len(self._model.pictures))),
            ("%3", error.message),
            ("%4", error.code),
        ):
            text = text.replace(mark, value)
        self._show_problem(ErrorBox(self.icons, title, text, details=details))

    def _on_failed(self, error: GlassineError) -> None:
        self.waiting.hide()
        title, text, details = error_words(error)
        self._show_problem(ErrorBox(self.icons, title, text, details=details))

    def _show_problem(self, box: QWidget) -> None:
        self._clear_problem()
        self._problem = box
        self.body.addWidget(box)
        self.reveal(box)

    def _clear_problem(self) -> None:
        if self._problem is not None:
            self._problem.hide()
            self._problem.deleteLater()
            self._problem = None

    # -- news ------------------------------------------------------------------------------------------------------

    def _on_busy(self, busy: bool) -> None:
        if not busy:
            self._progress.hide()
        for widget in (self.add, self.name, self.role, self.strip, *self._rows):
            widget.setEnabled(not self._model.changing)
        if not busy and self.focusWidget() in (None, self.cancel):
            self.name.setFocus(Qt.FocusReason.OtherFocusReason)
        self._dress()

    def _on_progressed(self, done: int, total: int) -> None:
        if total > 1 and not self.waiting.isVisible():
            self.bar.set_progress(done, total)
            words = self.tr("%1 of %2").replace("%1", number_text(done)).replace("%2", number_text(total))
            self._doing.setText(words)
            if self._progress.isHidden():
                self.reveal(self._progress)

    def _dress(self) -> None:
        """Say what the primary button would do."""
        model = self._model
        left_out = [person.name for person in model.left_out]
        words = self.tr("Share")
        if left_out and model.to_do:
            words = self.tr("Share without %1").replace("%1", short_text(", ".join(left_out)))
        self.share.setText(words)
        self.share.setEnabled(bool(model.to_do) and not model.busy)
        anything = bool(model.to_do) or model.busy
        self.cancel.setText(self.tr("Cancel") if anything else self.tr("Close"))

    def reject(self) -> None:
        """Stop what is under way first; close when nothing is."""
        if self._model.busy and not self._progress.isHidden():
            self._model.cancel()
            return
        self._model.cancel()
        super().reject()


def _role(role: str) -> Literal["read", "write"]:
    return cast("Literal['read', 'write']", role)


def shared_words(outcome: Outcome, count: int) -> str:
    """What the toast says after sharing."""

    def names(people: tuple[Person, ...]) -> str:
        return short_text(", ".join(person.name for person in people))

    if outcome.shared:
        return translate("ShareDialog", "Shared %n pictures with %1", None, count).replace("%1", names(outcome.shared))
    words = translate("ShareDialog", "%1 can open them once there is a key and you have compared the words")
    return words.replace("%1", names(outcome.waiting))
