"""Coming back with the recovery kit: the words, the digits on the paper, a new passphrase."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox, QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop.errors import GlassineError
from desktop.viewmodels.passphrases import length_rule
from desktop.viewmodels.restore import RestoreViewModel
from desktop.widgets.buttons import Button, default_button
from desktop.widgets.dialogs import Dialog
from desktop.widgets.fields import ErrorLine, Field
from desktop.widgets.file_dialogs import open_file
from desktop.widgets.icons import Icons
from desktop.widgets.kit_words import WordsField, WordsGrid, say_verdict
from desktop.widgets.labels import ElidedLabel, Label
from desktop.widgets.notices import ErrorBox, error_words
from desktop.widgets.theme import Space


class RestoreDialog(Dialog):
    """Draws a :class:`RestoreViewModel`, step by step."""

    def __init__(self, icons: Icons, parent: QWidget, view_model: RestoreViewModel) -> None:
        super().__init__(icons, parent, self.tr("Use the recovery kit"), self.WIDE, sentence=" ")
        from desktop.viewmodels.recovery_kit import KitViewModel

        self.vm = view_model
        self._judge = KitViewModel(None).judge  # type: ignore[arg-type]  # judging words starts no work
        self._path: Path | None = None
        self._error: ErrorBox | None = None
        self.step = 1
        self.typed = WordsField(self.tr("The words of the kit"))
        self.verdict = Label("", "secondary", wrap=True)
        self.mistake = ErrorLine(icons)
        self.grid = WordsGrid(icons)
        self._file_row = self._make_file_row()
        self.file_error = ErrorLine(icons)
        self._digits = self._make_digits()
        self.passphrase = Field(icons, self.tr("New passphrase of your key"), helper=length_rule(), password=True)
        self.repeat = Field(icons, self.tr("The passphrase once more"), password=True)
        self.repeat.repeats(self.passphrase)
        for widget in (self.typed, self.verdict, self.mistake, self.grid, self._file_row, self.file_error):
            self.body.addWidget(widget)
        for widget in (self._digits, self.passphrase, self.repeat):
            self.body.addWidget(widget)
        self.body.addStretch(1)
        role = QDialogButtonBox.ButtonRole
        self.cancel_button = self.add_button(Button(self.tr("Cancel")), role.RejectRole)
        self.differ = self.add_button(Button(self.tr("They differ"), kind="default"), role.ActionRole)
        self.next = self.add_button(Button(self.tr("Open with these words"), kind="primary"), role.AcceptRole)
        self.next.clicked.connect(self._go_on)
        self.differ.clicked.connect(self._on_differ)
        self.typed.textChanged.connect(self._on_typed)
        view_model.busy_changed.connect(self._on_busy)
        view_model.found.connect(self._show_digits)
        view_model.field_failed.connect(self._on_field_failed)
        view_model.failed.connect(self._on_failed)
        view_model.restored.connect(lambda session: self.accept())
        self._show(1)
        self._on_typed()

    def _make_file_row(self) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.SMALL)
        self.choose = default_button(self.tr("Use an exported key file"), self.icons, "folder")
        self.choose.clicked.connect(lambda: open_file(self, self.tr("Choose the copy of the key file"), self.set_path))
        server, vault = self.tr("Else the copy on the server or here"), self.tr("Else the key file of the vault")
        self._file = ElidedLabel(server if self.vm.asks_server else vault, "caption")
        layout.addWidget(self.choose)
        layout.addWidget(self._file, 1)
        return row

    def _make_digits(self) -> QWidget:
        well = QFrame()
        well.setProperty("well", True)
        well.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        column = QVBoxLayout(well)
        column.setContentsMargins(Space.MEDIUM, Space.MEDIUM, Space.MEDIUM, Space.MEDIUM)
        self.groups = Label("")
        self.groups.setFont(self.theme.mono())
        self.groups.setAccessibleName(self.tr("Digits of the key"))
        column.addWidget(self.groups)
        return well

    def set_path(self, path: Path) -> None:
        """Take this file as the copy."""
        self._path = path
        self._file.setText(path.name)
        self.file_error.set_text("")

    def _show(self, step: int) -> None:
        self.step = step
        sentences = {
            1: self.tr("Type the 24 words from your paper, in their order. Four letters of a word are enough."),
            2: self.tr("Compare these digits with those on your kit. If they differ, the key file is not yours."),
            3: self.tr("Your key is found. Choose a passphrase for it on this computer; the server must never see it."),
        }
        self.sentence.setText(sentences[step])
        first, second, third = step == 1, step == 2, step == 3
        for widget in (self.typed, self.grid, self._file_row):
            widget.setVisible(first)
        self.verdict.setVisible(first)
        self.mistake.set_text("")
        self._digits.setVisible(second)
        self.differ.setVisible(second)
        self.passphrase.setVisible(third)
        self.repeat.setVisible(third)
        verbs = (self.tr("Open with these words"), self.tr("They are the same"), self.tr("Keep the key"))
        self.next.setText(verbs[step - 1])
        self.next.setEnabled(True)
        self.refit()
        target: QWidget = (self.typed, self.differ, self.passphrase)[step - 1]
        target.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_typed(self) -> None:
        if self.step != 1:
            return
        verdict = self._judge(self.typed.toPlainText())
        self.grid.show_verdict(verdict)
        if say_verdict(verdict, self.verdict, self.mistake):
            self.refit()
        self.next.setEnabled(verdict.complete and not self.vm.busy)

    def _go_on(self) -> None:
        if self.step == 1:
            self.vm.find(self.typed.toPlainText(), self._path)
        elif self.step == 2:
            self._show(3)
        else:
            self.vm.keep(self.passphrase.text, self.repeat.text)

    def _show_digits(self) -> None:
        groups = self.vm.groups
        half = len(groups) // 2
        self.groups.setText("\n".join("  ".join(row) for row in (groups[:half], groups[half:])))
        self.typed.clear()
        self.grid.clear()
        self._show(2)

    def _on_differ(self) -> None:
        self.vm.forget()
        self._show(1)
        self._on_typed()
        self.mistake.set_text(
            self.tr("That key file is not the one your kit was made for. Nothing was kept. Use another copy.")
        )

    def _on_busy(self, busy: bool) -> None:
        self.typed.setReadOnly(busy)
        self.choose.setEnabled(not busy)
        self.next.setEnabled(not busy)
        for field in (self.passphrase, self.repeat):
            field.set_busy(busy)
        if busy and self._error is not None:
            self._error.hide()
            self._error.deleteLater()
            self._error = None

    def _on_field_failed(self, name: str, sentence: str) -> None:
        if name in ("passphrase", "repeat"):
            field = self.passphrase if name == "passphrase" else self.repeat
            field.set_error(sentence)
            field.setFocus(Qt.FocusReason.OtherFocusReason)
            self.reveal(field)
            return
        line = self.file_error if name == "file" else self.mistake
        line.set_text(sentence)
        self.reveal(line)

    def _on_failed(self, error: GlassineError) -> None:
        title, text, details = error_words(error)
        self._error = ErrorBox(self.icons, title, text, details=details)
        self.body.addWidget(self._error)
        self.reveal(self._error)
        self._error.announce()

    def done(self, result: int) -> None:
        """Forget the words and what was typed."""
        self.vm.forget()
        self.typed.clear()
        self.grid.clear()
        for field in (self.passphrase, self.repeat):
            field.clear()
        super().done(result)
