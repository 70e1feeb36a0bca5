"""Dialogs of what goes through all pictures for a key: another key pair, and away from the classic scheme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialogButtonBox, QWidget

from desktop.errors import GlassineError
from desktop.viewmodels.key_work import KeyWorkViewModel
from desktop.viewmodels.passphrases import length_rule
from desktop.viewmodels.wording import number_text
from desktop.widgets.buttons import Button
from desktop.widgets.dialogs import Dialog
from desktop.widgets.fields import Field
from desktop.widgets.icons import Icons
from desktop.widgets.labels import Label
from desktop.widgets.marks import ProgressBar4
from desktop.widgets.notices import ErrorBox, error_words

if TYPE_CHECKING:
    from desktop.client.key_change import Changed
    from desktop.client.moving_classic import Moved


class KeyWorkDialog(Dialog):
    """Asks for what is needed, shows the progress, and tells the outcome. Subclasses have the words.

    Signals:
        kit_wanted(): the person wants to make the recovery kit of the new key.
    """

    kit_wanted = Signal()

    def __init__(self, icons: Icons, parent: QWidget, view_model: KeyWorkViewModel, *, going_on: bool = False) -> None:
        """Begin something new; with ``going_on`` go on with what was begun."""
        super().__init__(icons, parent, self.words_title(going_on), self.PREFLIGHT)
        self.vm, self.going_on = view_model, going_on
        self._error: ErrorBox | None = None
        self._over = False
        self._started = False
        self._before = [Label(text, "body", wrap=True) for text in self.words_before(going_on)]
        for label in self._before:
            self.body.addWidget(label)
        self.fields: dict[str, Field] = {}
        if self.asks_for_key:
            self._add("name", self.tr("Name of the new key"), text=self.tr("My key"))
            helper = " ".join((length_rule(), self.tr("It may not be the password you sign in with.")))
            self._add("passphrase", self.tr("Passphrase of the new key"), helper=helper, password=True)
            self._add("repeat", self.tr("The passphrase once more"), password=True)
            self.fields["repeat"].repeats(self.fields["passphrase"])
        if view_model.needs_password and (self.asks_for_key or going_on):
            self._add("password", self.tr("Password you sign in with"), password=True)
        self.caption = Label("", "secondary", wrap=True)
        self.progress = ProgressBar4(icons.theme)
        self.body.addWidget(self.caption)
        self.body.addWidget(self.progress)
        self.caption.hide()
        self.progress.hide()
        role = QDialogButtonBox.ButtonRole
        self.cancel_button = self.add_button(Button(self.tr("Cancel")), role.RejectRole)
        self.kit_button = self.add_button(Button(self.tr("Make the recovery kit")), role.ActionRole)
        self.kit_button.hide()
        self.kit_button.clicked.connect(self.accept)
        self.kit_button.clicked.connect(self.kit_wanted)
        self.button = self.add_button(Button(self.words_verb(going_on), kind="primary"), role.AcceptRole)
        self.button.clicked.connect(self._go)
        view_model.busy_changed.connect(self._on_busy)
        view_model.progressed.connect(self._on_progress)
        view_model.field_failed.connect(self._on_field_failed)
        view_model.failed.connect(self._on_failed)
        view_model.finished.connect(self._on_finished)
        view_model.stopped.connect(self._on_stopped)
        first = next(iter(self.fields.values()), None)
        (first or self.button).setFocus(Qt.FocusReason.OtherFocusReason)

    def _add(self, name: str, label: str, *, helper: str = "", password: bool = False, text: str = "") -> None:
        field = Field(self.icons, label, helper=helper, password=password)
        field.set_text(text)
        self.fields[name] = field
        self.body.addWidget(field)

    asks_for_kit = False
    """Whether the new key needs a recovery kit, and there is a way to it."""

    # -- words of each ---------------------------------------------------------------------------------------------

    @property
    def asks_for_key(self) -> bool:
        """Whether a new key is made."""
        return not self.going_on

    def words_title(self, going_on: bool) -> str:
        """The title."""
        raise NotImplementedError

    def words_before(self, going_on: bool) -> tuple[str, ...]:
        """Paragraphs before it begins."""
        raise NotImplementedError

    def words_verb(self, going_on: bool) -> str:
        """The button."""
        raise NotImplementedError

    def words_stopped(self) -> str:
        """What it means that it was stopped."""
        return self.tr("Stopped. What is done stays done; it goes on whenever you want.")

    def words_done(self) -> str:
        """The title once it is over."""
        raise NotImplementedError

    def words_after(self, result: Any) -> str:
        """What came of it."""
        raise NotImplementedError

    def begin(self, text: dict[str, str]) -> None:
        """Begin something new."""
        raise NotImplementedError

    # -- doing -----------------------------------------------------------------------------------------------------

    def _go(self) -> None:
        if self._over:
            self.accept()
            return
        text = {name: field.text for name, field in self.fields.items()}
        self._started = True
        if self.going_on or self.vm.unfinished:
            self.vm.go_on(text.get("password", ""))
        else:
            self.begin(text)

    def reject(self) -> None:
        """Stop what is under way after the picture at hand; close when nothing is."""
        busy, locked = self.vm.busy, self.vm.locked
        if busy:
            self.cancel_button.setEnabled(False)
            self.vm.cancel()
        if busy and not locked:
            return
        # nothing of the person stays over the lock; what is half done goes on after unlocking
        if (self._started or self.going_on) and not self._over and not locked:
            self.vm.leave()
        self._forget()
        super().reject()

    def done(self, result: int) -> None:
        """Forget what was typed."""
        self._forget()
        super().done(result)

    def _forget(self) -> None:
        for name, field in self.fields.items():
            if name != "name":
                field.clear()

    # -- news ------------------------------------------------------------------------------------------------------

    def _on_busy(self, busy: bool) -> None:
        self.button.setEnabled(not busy)
        self.cancel_button.setEnabled(True)
        self.cancel_button.setText(
            self.tr("Stop") if busy else self.tr("Close") if self._started else self.tr("Cancel")
        )
        for field in self.fields.values():
            field.set_busy(busy)
        if busy:
            self._clear_error()
            self.progress.set_progress(0, 0)
            self.caption.setText(self.tr("Calculating…"))
        self.progress.setVisible(busy)
        self.caption.setVisible(busy)
        self.fit()

    def _on_progress(self, done: int, total: int) -> None:
        self.progress.set_progress(done, total)
        words = self.tr("%1 of %2 pictures").replace("%1", number_text(done)).replace("%2", number_text(total))
        self.caption.setText(words if total else self.tr("Calculating…"))

    def _on_field_failed(self, name: str, sentence: str) -> None:
        field = self.fields.get(name)
        if field is not None:
            field.set_error(sentence)
            field.setFocus(Qt.FocusReason.OtherFocusReason)
            self.reveal(field)

    def _on_failed(self, error: GlassineError) -> None:
        self._clear_error()
        title, text, details = error_words(error)
        self._error = ErrorBox(self.icons, title, text, details=details)
        self.body.addWidget(self._error)
        self.button.setText(self.tr("Try again"))
        self.reveal(self._error)
        self._error.announce()

    def _on_stopped(self) -> None:
        self.caption.setText(self.words_stopped())
        self.caption.show()
        self.button.setText(self.tr("Go on"))
        self.going_on = bool(self.vm.unfinished)
        if self.going_on:  # the key is made; only the password may be asked for again
            for name, field in self.fields.items():
                field.setVisible(name == "password" and self.vm.needs_password)
        self.button.setFocus(Qt.FocusReason.OtherFocusReason)
        self.refit()

    def _on_finished(self, result: Any) -> None:
        self._over = True
        for widget in (*self.fields.values(), *self._before):
            widget.hide()
        self.heading.setText(self.words_done())
        self.setWindowTitle(self.words_done())
        self.caption.setText(self.words_after(result))
        self.caption.show()
        self.cancel_button.hide()
        self.button.setText(self.tr("Close"))
        self.button.setFocus(Qt.FocusReason.OtherFocusReason)
        self.kit_button.setVisible(self.asks_for_kit)
        self.refit()

    def _clear_error(self) -> None:
        if self._error is not None:
            self._error.hide()
            self._error.deleteLater()
            self._error = None


class ChangeKeyDialog(KeyWorkDialog):
    """Go over to another key pair."""

    def words_title(self, going_on: bool) -> str:
        """The title."""
        return self.tr("Finish changing your key?") if going_on else self.tr("Change your key?")

    def words_before(self, going_on: bool) -> tuple[str, ...]:
        """Paragraphs before it begins."""
        if going_on:
            return (
                self.tr(
                    "The change was cut off. Some pictures are encrypted for your new key, the others still for "
                    "the old one. Both keys are here, and nothing is lost."
                ),
                self.tr("The pictures are shown again when all of them are done."),
            )
        return (
            self.tr(
                "Glassine makes a new key and encrypts every picture of yours anew for it, those in the bin too. "
                "Do this when somebody may have got hold of your key file and its passphrase."
            ),
            self.tr(
                "People you share with have to compare words with you again. Your recovery kit is for the old key: "
                "make a new one afterwards. What somebody has copied already still opens with the old key."
            ),
        )

    def words_verb(self, going_on: bool) -> str:
        """The button."""
        return self.tr("Go on") if going_on else self.tr("Change the key")

    def words_stopped(self) -> str:
        """What it means that it was stopped: which passphrase holds is not to be guessed at the lock."""
        if self.vm.unfinished != "change" or self.vm.needs_password:
            return super().words_stopped()
        return self.tr(
            "Stopped. What is done stays done. The passphrase of the new key holds from now on, and the pictures are "
            "shown again when the change is finished."
        )

    def words_done(self) -> str:
        """The title once it is over."""
        return self.tr("Your key is changed")

    def words_after(self, result: Changed) -> str:
        """What came of it."""
        sentences = [self.tr("%n pictures are encrypted for your new key.", "", result.pictures)]
        if result.failed:
            sentences.append(
                self.tr("%n could not be opened with the old key either and stay as they were.", "", len(result.failed))
            )
        if result.without_grant:
            sentences.append(
                self.tr(
                    "%n people see nothing of what you shared until you have compared words with them.",
                    "",
                    len(result.without_grant),
                )
            )
        sentences.append(self.tr("Make a recovery kit now: one for the old key does not open the new one."))
        return " ".join(sentences)

    def begin(self, text: dict[str, str]) -> None:
        """Begin."""
        self.vm.change(text["name"], text["passphrase"], text["repeat"], text.get("password", ""))


class MoveClassicDialog(KeyWorkDialog):
    """Store classic pictures again, sealed."""

    @property
    def asks_for_key(self) -> bool:
        """Whether the account has no sealed key yet."""
        return self.vm.is_classic

    def words_title(self, going_on: bool) -> str:
        """The title."""
        return self.tr("Store the classic pictures again, sealed?")

    def words_before(self, going_on: bool) -> tuple[str, ...]:
        """Paragraphs before it begins."""
        return (
            self.tr(
                "The classic scheme protects nothing: outlines show through. Each picture is decrypted on this "
                "computer, encrypted properly, stored, fetched back and compared. Only then the old one is deleted."
            ),
            self.tr(
                "People the classic pictures were shared with do not see the sealed ones until you share them anew."
            ),
        )

    def words_verb(self, going_on: bool) -> str:
        """The button."""
        return self.tr("Go on") if going_on else self.tr("Store them again")

    def words_done(self) -> str:
        """The title once it is over."""
        return self.tr("The classic pictures are stored again")

    def words_after(self, result: Moved) -> str:
        """What came of it."""
        sentences = [self.tr("%n pictures are sealed now.", "", result.pictures)]
        if result.failed:
            names = ", ".join(sorted(result.failed)[:5])
            more = self.tr("%n could not be decrypted and stay as they were: %1", "", len(result.failed))
            sentences.append(more.replace("%1", names))
        return " ".join(sentences)

    def begin(self, text: dict[str, str]) -> None:
        """Begin."""
        if self.asks_for_key:
            self.vm.move(text["name"], text["passphrase"], text["repeat"], text.get("password", ""))
        else:
            self.vm.go_on("")
