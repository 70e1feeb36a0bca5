"""The lock: nothing of the person is in memory behind it. Also the way in when the key must be brought first."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.viewmodels.lock import LockViewModel
from desktop.viewmodels.passphrases import length_rule
from desktop.widgets.buttons import default_button, link_button, primary_button
from desktop.widgets.fields import ErrorLine, Field
from desktop.widgets.form_page import FormPage
from desktop.widgets.icons import Icons
from desktop.widgets.labels import ElidedLabel, IconLabel, Label
from desktop.widgets.notices import ErrorBox
from desktop.widgets.scroll_page import ScrollPage
from desktop.widgets.sleeve import Sleeve
from desktop.widgets.theme import Space, Theme

FORM_WIDTH: Final = 344


class LockPage(FormPage):
    """Draws a :class:`LockViewModel`.

    Signals:
        sign_out_requested()
        restore_requested(): open the key with the recovery kit.
    """

    sign_out_requested = Signal()
    restore_requested = Signal()

    def __init__(self, theme: Theme, icons: Icons, view_model: LockViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icons, self._vm = icons, view_model
        self._path: Path | None = None
        self._error: ErrorBox | None = None
        self._make_controls()
        self._sleeve = Sleeve(theme, QSize(156, 180), closed=True)
        self._foot = self._make_foot()
        self._scroll = ScrollPage()
        inner = QVBoxLayout(self._scroll.content)
        inner.setContentsMargins(Space.PAGE, Space.PAGE, Space.PAGE, Space.PAGE)
        inner.setSpacing(Space.SMALL)
        inner.addStretch(1)
        inner.addWidget(self._sleeve, 0, Qt.AlignmentFlag.AlignHCenter)
        inner.addWidget(self._make_form(), 0, Qt.AlignmentFlag.AlignHCenter)
        inner.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._scroll, 1)
        layout.addWidget(self._foot)

        view_model.session_changed.connect(self._show_form)
        view_model.busy_changed.connect(self._show_busy)
        view_model.field_failed.connect(self._show_field_error)
        view_model.failed.connect(self.show_error)
        self._show_form()

    def _make_controls(self) -> None:
        icons = self._icons
        self.title = Label("", "display", wrap=True)
        self.account = ElidedLabel("", "secondary", mode=Qt.TextElideMode.ElideMiddle)
        self._explanation = Label(
            self.tr(
                "The server knows your account, but not your key. Use your recovery kit, or bring a copy of the key "
                "file here."
            ),
            "secondary",
            wrap=True,
        )
        for label in (self.title, self.account, self._explanation):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._file_button = default_button(self.tr("Choose the key file"), icons, "folder")
        self._file_button.clicked.connect(self._choose_file)
        self._file_name = ElidedLabel("", "caption")
        self._file_error = ErrorLine(icons)
        self.fields = {
            "passphrase": Field(icons, self.tr("Passphrase of your key"), password=True, large=True),
            "file_passphrase": Field(
                icons,
                self.tr("Passphrase of the file"),
                helper=self.tr("Leave it empty if the file has none."),
                password=True,
                large=True,
            ),
            "new": Field(
                icons,
                self.tr("Passphrase on this computer"),
                helper=" ".join(
                    (length_rule(), self.tr("Left empty, it is that of the file. The server must never see it."))
                ),
                password=True,
                large=True,
            ),
            "repeat": Field(icons, self.tr("The passphrase once more"), password=True, large=True),
        }
        self.fields["repeat"].repeats(self.fields["new"])
        self.button = primary_button(self.tr("Unlock"), large=True)
        self.button.clicked.connect(self._submit)
        for field in self.fields.values():
            field.submitted.connect(self._submit)
        self.sign_out = link_button(self.tr("Sign out"))
        self.sign_out.clicked.connect(self.sign_out_requested)
        self.use_kit = link_button(self.tr("Use the recovery kit"))
        self.use_kit.clicked.connect(self.restore_requested)

    def _make_form(self) -> QWidget:
        form = QWidget()
        form.setFixedWidth(FORM_WIDTH)
        self._layout = QVBoxLayout(form)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(Space.MEDIUM)
        head = QVBoxLayout()
        head.setSpacing(Space.TIGHT)
        for label in (self.title, self.account, self._explanation):
            head.addWidget(label)
        self._layout.addLayout(head)
        self._layout.addSpacing(Space.SMALL)
        file_row = QHBoxLayout()
        file_row.setSpacing(Space.SMALL)
        file_row.addWidget(self._file_button)
        file_row.addWidget(self._file_name, 1)
        self._layout.addLayout(file_row)
        self._layout.addWidget(self._file_error)
        for field in self.fields.values():
            self._layout.addWidget(field)
        self._layout.addSpacing(Space.HAIR)
        self._layout.addWidget(self.button)
        links = QHBoxLayout()
        links.addWidget(self.use_kit)
        links.addStretch(1)
        links.addWidget(self.sign_out)
        self._layout.addLayout(links)
        return form

    def _make_foot(self) -> QWidget:
        foot = QWidget()
        row = QHBoxLayout(foot)
        row.setContentsMargins(0, 0, 0, Space.PAGE)
        row.setSpacing(6)
        row.addStretch(1)
        row.addWidget(IconLabel(self._icons, "transfers", "text2", 16))
        self._foot_text = Label("", "caption")
        row.addWidget(self._foot_text)
        row.addStretch(1)
        foot.hide()
        return foot

    def set_transfers(self, text: str) -> None:
        """Say at the foot what becomes of the transfers; empty says nothing."""
        self._foot_text.setText(text)
        self._foot.setVisible(bool(text))

    def forget_secrets(self) -> None:
        """Empty every field."""
        for field in self.fields.values():
            field.clear()
        self._path = None
        self._file_name.setText("")

    def _show_form(self) -> None:
        missing = self._vm.key_missing
        self.title.setText(self.tr("Your key is not on this computer") if missing else self.tr("Locked"))
        self.title.set_role("heading" if missing else "display")
        self.account.setText(self._vm.account)
        self._explanation.setVisible(missing)
        self._file_button.setVisible(missing)
        self._file_name.setVisible(missing)
        self._file_error.set_text("")
        for name, field in self.fields.items():
            field.setVisible((name == "passphrase") is not missing)
            field.set_error("")
        self._show_button(busy=self._vm.busy)
        self._clear_error()
        self._sleeve.setVisible(not missing)

    def _show_button(self, *, busy: bool) -> None:
        if self._vm.key_missing:
            words = self.tr("Importing…") if busy else self.tr("Import and unlock")
        else:
            words = self.tr("Unlocking…") if busy else self.tr("Unlock")
        self.button.setText(words)
        self.button.setEnabled(not busy)

    def _show_busy(self, busy: bool) -> None:
        self._show_button(busy=busy)
        self._file_button.setEnabled(not busy)
        for field in self.fields.values():
            field.set_busy(busy)
        if busy:
            self._clear_error()

    def _show_field_error(self, name: str, sentence: str) -> None:
        if name == "file":
            self._file_error.set_text(sentence)
            self._file_button.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        if name == "passphrase" and self._vm.key_missing:
            name = "new"
        self.show_error_at(self.fields[name], sentence)

    def _choose_file(self) -> None:
        from desktop.widgets.file_dialogs import open_file

        open_file(self, self.tr("Choose the key file"), self.set_key_path)

    def set_key_path(self, path: Path) -> None:
        """Take this file as the key file."""
        self._path = path
        self._file_name.setText(path.name)
        self._file_error.set_text("")

    def _submit(self) -> None:
        text = {name: field.text for name, field in self.fields.items()}
        if self._vm.key_missing:
            self._vm.import_key(self._path, text["file_passphrase"], text["new"], text["repeat"])
        else:
            self._vm.unlock(text["passphrase"])

    def showEvent(self, event: QShowEvent) -> None:
        """Put the cursor where typing begins."""
        super().showEvent(event)
        target = self._file_button if self._vm.key_missing else self.fields["passphrase"]
        target.setFocus(Qt.FocusReason.OtherFocusReason)
