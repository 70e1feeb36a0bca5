"""Making and proving the recovery kit: why, the words, typing them back, the second copy of the key file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialogButtonBox, QHBoxLayout, QVBoxLayout, QWidget

from desktop.errors import GlassineError
from desktop.viewmodels.recovery_kit import KitViewModel
from desktop.widgets.buttons import Button, default_button, link_button
from desktop.widgets.dialogs import ConfirmDialog, Dialog
from desktop.widgets.fields import ErrorLine, Field
from desktop.widgets.file_dialogs import save_file
from desktop.widgets.icons import Icons
from desktop.widgets.kit_words import WordsField, WordsGrid, say_verdict
from desktop.widgets.labels import Label
from desktop.widgets.notices import ErrorBox, error_words
from desktop.widgets.theme import Space


class KitDialog(Dialog):
    """Draws a :class:`KitViewModel`, step by step."""

    def __init__(self, icons: Icons, parent: QWidget, view_model: KitViewModel, *, prove_only: bool = False) -> None:
        """Make a new kit; with ``prove_only`` type back the one that there is."""
        super().__init__(icons, parent, " ", self.WIDE, sentence=" ")
        self.vm = view_model
        self._error: ErrorBox | None = None
        self._copied = ""
        self._step = Label("", "caption")
        self._head.addWidget(self._step, 0, Qt.AlignmentFlag.AlignTop)
        self.passphrase = Field(icons, self.tr("Passphrase of your key"), password=True)
        self.passphrase.submitted.connect(self._draw)
        self._why = self._make_why()
        self.words_grid = WordsGrid(icons)
        self._tools = self._make_tools()
        self.typed = WordsField(self.tr("The words of the kit"))
        self.verdict = Label("", "secondary", wrap=True)
        self.mistake = ErrorLine(icons)
        self.proof_grid = WordsGrid(icons)
        self._copies = self._make_copies()
        for widget in (
            self._why,
            self.passphrase,
            self.words_grid,
            self._tools,
            self.typed,
            self.verdict,
            self.mistake,
            self.proof_grid,
            self._copies,
        ):
            self.body.addWidget(widget)
        self._make_buttons()
        self.typed.textChanged.connect(self._judge)
        view_model.drawn.connect(self._show_words)
        view_model.kept.connect(self._show_proof)
        view_model.proven.connect(self._show_copies)
        view_model.counts.connect(self.accept)
        view_model.busy_changed.connect(self._on_busy)
        view_model.field_failed.connect(self._on_field_failed)
        view_model.failed.connect(self._on_failed)
        self.prove_only = prove_only
        if prove_only:
            self._show_proof()
        else:
            self._show_why()

    def _make_why(self) -> QWidget:
        why = QWidget()
        column = QVBoxLayout(why)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(Space.SMALL)
        for text in (
            self.tr("The kit is 24 words on paper. With a copy of the key file they open every picture of yours."),
            self.tr("Without it, a forgotten passphrase means these pictures cannot be opened again, by anybody."),
            self.tr(
                "Have paper and pen at hand, or a printer, and nobody behind you. "
                "A new kit makes an earlier one useless."
            ),
        ):
            column.addWidget(Label(text, "body", wrap=True))
        return why

    def _make_tools(self) -> QWidget:
        tools = QWidget()
        column = QVBoxLayout(tools)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(Space.SMALL)
        row = QHBoxLayout()
        row.setSpacing(Space.SMALL)
        self.print_button = default_button(self.tr("Print"), self.icons, "print")
        self.pdf_button = default_button(self.tr("Save as PDF"), self.icons, "save")
        self.copy_button = default_button(self.tr("Copy"), self.icons, "copy")
        self.print_button.clicked.connect(self._print)
        self.pdf_button.clicked.connect(self._save_pdf)
        self.copy_button.clicked.connect(self._copy)
        for button in (self.print_button, self.pdf_button, self.copy_button):
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(
            Label(self.tr("A PDF and the clipboard can be read by other programs; paper cannot."), "caption", wrap=True)
        )
        self.told = Label("", "caption", wrap=True)
        self.told.hide()
        column.addWidget(self.told)
        return tools

    def _tell(self, sentence: str) -> None:
        """Say below the tools what became of paper, file or clipboard; empty says nothing."""
        self.told.setText(sentence)
        self.told.setVisible(bool(sentence))
        self.refit()

    def _make_copies(self) -> QWidget:
        copies = QWidget()
        column = QVBoxLayout(copies)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(Space.MEDIUM)
        column.addWidget(
            Label(
                self.tr(
                    "The words open a copy of the key file; alone they open nothing. Keep one where a broken computer "
                    "does not take it along. Without a second copy the kit does not count."
                ),
                "body",
                wrap=True,
            )
        )
        self.server_button = default_button(self.tr("Keep a copy on the server"), self.icons, "server")
        self.file_button = default_button(self.tr("Save a copy to a file"), self.icons, "save")
        self.server_button.clicked.connect(self.vm.copy_to_server)
        self.file_button.clicked.connect(self._save_copy)
        row = QHBoxLayout()
        row.setSpacing(Space.SMALL)
        row.addWidget(self.server_button)
        row.addWidget(self.file_button)
        row.addStretch(1)
        column.addLayout(row)
        self._server_note = Label(
            self.tr("The server's copy opens with the kit only. Your passphrase never leaves this computer."),
            "caption",
            wrap=True,
        )
        column.addWidget(self._server_note)
        return copies

    def _make_buttons(self) -> None:
        role = QDialogButtonBox.ButtonRole
        self.later = link_button(self.tr("Prove it later"))
        self.later.clicked.connect(self.reject)
        self.add_foot_widget(self.later)
        self.cancel_button = self.add_button(Button(self.tr("Cancel")), role.RejectRole)
        self.again = self.add_button(Button(self.tr("Show the words again")), role.ActionRole)
        self.again.clicked.connect(self._show_words)
        self.anew = self.add_button(Button(self.tr("Make a new kit")), role.ActionRole)
        self.anew.clicked.connect(self._begin_anew)
        self.next = self.add_button(Button(self.tr("Show the words"), kind="primary"), role.AcceptRole)
        self.next.clicked.connect(self._go_on)

    # -- steps -----------------------------------------------------------------------------------------------------

    def _show(self, step: int, title: str, sentence: str, *shown: QWidget, verb: str = "") -> None:
        self.step = step
        self.setWindowTitle(title)
        self.heading.setText(title)
        self.sentence.setText(sentence)
        self.sentence.setVisible(bool(sentence))
        words = self.tr("Step %1 of 3").replace("%1", str(min(step, 3)))
        self._step.setText("" if self.prove_only or step > 3 else words)
        for widget in (
            self._why,
            self.passphrase,
            self.words_grid,
            self._tools,
            self.typed,
            self.verdict,
            self.proof_grid,
            self._copies,
        ):
            widget.setVisible(widget in shown)
        self.mistake.set_text("")
        self.next.setText(verb)
        self.next.setVisible(bool(verb))
        self.later.setVisible(step >= 3 or self.vm.is_kept)
        self.cancel_button.setVisible(step < 3 and not self.vm.is_kept)
        self.again.setVisible(step == 3 and self.vm.new is not None)
        self.anew.setVisible(step == 3 and self.vm.new is None)
        self._tell("")
        self._clear_error()
        self.refit()

    prove_only = False
    step = 0

    def _show_why(self) -> None:
        self._show(1, self.tr("Make a recovery kit"), "", self._why, self.passphrase, verb=self.tr("Show the words"))
        self.next.setEnabled(True)
        self.passphrase.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_words(self) -> None:
        new = self.vm.new
        if new is None:
            return
        self.passphrase.clear()
        self.typed.clear()
        self.words_grid.show_words(new.words)
        sentence = self.tr(
            "Write them down in their order, or print them. Once this window is closed, nobody can show them again."
        )
        verb = self.tr("Hide them and prove")
        self._show(2, self.tr("Your recovery words"), sentence, self.words_grid, self._tools, verb=verb)
        self.next.setEnabled(True)
        self.next.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_proof(self) -> None:
        self.words_grid.clear()
        self._show(
            3,
            self.tr("Prove your recovery kit"),
            self._why_type(),
            self.typed,
            self.verdict,
            self.proof_grid,
            verb=self.tr("Finish"),
        )
        self._judge()
        self.typed.setFocus(Qt.FocusReason.OtherFocusReason)

    def _why_type(self) -> str:
        if self.vm.new is not None:
            return self.tr("The words are hidden now. Type all 24 from your paper; only then the kit counts.")
        if self.vm.state == "one-copy":
            return self.tr(
                "A second copy of the key file is missing. Type all 24 words from your paper once more, then choose "
                "where to keep it."
            )
        return self.tr("Type all 24 words from your paper; only then the kit counts.")

    def _show_copies(self) -> None:
        self.typed.clear()
        self.proof_grid.clear()
        self.server_button.setVisible(self.vm.has_server)
        self._server_note.setVisible(self.vm.has_server)
        self._show(4, self.tr("Keep a second copy of the key file"), "", self._copies)
        self.later.setText(self.tr("Do it later"))
        first = self.server_button if self.vm.has_server else self.file_button
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def _begin_anew(self) -> None:
        """The paper is lost, or wrong: nobody can tell its words, but another kit can be made."""
        self.prove_only = False
        self._show_why()

    def _go_on(self) -> None:
        if self.step == 1:
            self._draw()
        elif self.step == 2:
            self.vm.keep()
        elif self.step == 3:
            self.vm.prove(self.typed.toPlainText())

    def _draw(self) -> None:
        self.vm.draw(self.passphrase.text)

    def _judge(self) -> None:
        if self.step != 3:
            return
        verdict = self.vm.judge(self.typed.toPlainText())
        self.proof_grid.show_verdict(verdict)
        if say_verdict(verdict, self.verdict, self.mistake):
            self.refit()
        self.next.setEnabled(verdict.complete and not self.vm.busy)

    # -- paper -----------------------------------------------------------------------------------------------------

    def _print(self) -> None:
        from desktop.widgets.kit_print import print_page

        if self.vm.new is None:
            return
        printed = print_page(self.vm.new.page, self)
        if printed is not None:
            sent = self.tr("Sent to the printer. Look at the paper before you go on.")
            self._tell(sent if printed else self.tr("The printer took nothing. Write the words down, or save a PDF."))

    def _save_pdf(self) -> None:
        save_file(self, self.tr("Save the kit as PDF"), "glassine-recovery-kit.pdf", self.write_pdf)

    def write_pdf(self, target: Path) -> None:
        """Write the page to a file that is not there yet."""
        from desktop.widgets.kit_print import save_pdf

        if self.vm.new is None:
            return
        self._clear_error()
        try:
            save_pdf(self.vm.new.page, target)
        except GlassineError as error:
            self._on_failed(error)
        else:
            self._tell(self.tr("Saved as %1. Whoever finds that file has the words.").replace("%1", target.name))

    def _copy(self) -> None:
        if self.vm.new is not None:
            self._copied = " ".join(self.vm.new.words)
            QGuiApplication.clipboard().setText(self._copied)
            self._tell(self.tr("Copied. The words leave the clipboard when this window is closed."))

    def _save_copy(self) -> None:
        title = self.tr("Save a copy of the key file")
        save_file(self, title, "second-copy.glassine-key", self.vm.copy_to_file)

    # -- news ------------------------------------------------------------------------------------------------------

    def _on_busy(self, busy: bool) -> None:
        self.passphrase.set_busy(busy)
        self.typed.setReadOnly(busy)
        for button in (self.next, self.again, self.server_button, self.file_button):
            button.setEnabled(not busy)
        if busy:
            self._clear_error()
        elif self.step == 3 and not self.mistake.text:
            self._judge()

    def _on_field_failed(self, name: str, sentence: str) -> None:
        if name == "passphrase":
            self.passphrase.set_error(sentence)
            self.passphrase.setFocus(Qt.FocusReason.OtherFocusReason)
            self.reveal(self.passphrase)
        else:
            self.verdict.hide()
            self.mistake.set_text(sentence)
            self.reveal(self.mistake)

    def _on_failed(self, error: GlassineError) -> None:
        self._clear_error()
        title, text, details = error_words(error)
        self._error = ErrorBox(self.icons, title, text, details=details)
        self.body.addWidget(self._error)
        self.reveal(self._error)
        self._error.announce()

    def _clear_error(self) -> None:
        if self._error is not None:
            self._error.hide()
            self._error.deleteLater()
            self._error = None

    def reject(self) -> None:
        """Ask first while words are shown that open nothing yet: they may be on paper already."""
        if self.step != 2 or self.vm.new is None or self.vm.is_kept or self.vm.busy:
            super().reject()
            return
        question = ConfirmDialog(
            self.icons,
            self,
            title=self.tr("Throw these 24 words away?"),
            text=self.tr("They open nothing before the next step. What you wrote down or printed would be useless."),
            confirm=self.tr("Throw them away"),
            safe=self.tr("Keep the words"),
            icon="kit",
            safe_is_primary=True,
        )
        question.accepted.connect(lambda: self.done(self.DialogCode.Rejected.value))
        question.open()

    def done(self, result: int) -> None:
        """Forget the words, those in the fields and on the clipboard too."""
        clipboard = QGuiApplication.clipboard()
        if self._copied and clipboard.text() == self._copied:  # the view-model has none any more when it was locked
            clipboard.clear()
        self._copied = ""
        self.words_grid.clear()
        self.proof_grid.clear()
        self.typed.clear()
        self.passphrase.clear()
        self.vm.forget_words()
        super().done(result)
