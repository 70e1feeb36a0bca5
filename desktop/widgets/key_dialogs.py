"""Dialogs of the key manager: new key, import, passphrase, name, export of a private key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialogButtonBox, QHBoxLayout, QVBoxLayout, QWidget

from desktop.errors import GlassineError
from desktop.viewmodels.keys import ExportFormat, KeysViewModel
from desktop.viewmodels.passphrases import length_rule, not_the_same
from desktop.viewmodels.wording import short_text
from desktop.widgets.buttons import Button, default_button
from desktop.widgets.dialogs import Dialog
from desktop.widgets.fields import ErrorLine, Field
from desktop.widgets.icons import Icons
from desktop.widgets.labels import ElidedLabel, IconLabel, Label
from desktop.widgets.marks import ProgressBar4
from desktop.widgets.notices import ErrorBox, error_words

if TYPE_CHECKING:
    from desktop.client.key_store import KeyEntry


class KeyDialog(Dialog):
    """Fields and one verb; stays open, with what was typed, until the work is done."""

    def __init__(
        self, icons: Icons, parent: QWidget, view_model: KeysViewModel, title: str, verb: str, sentence: str = ""
    ) -> None:
        super().__init__(icons, parent, title, self.CONFIRM, sentence=sentence)
        self.vm = view_model
        self.fields: dict[str, Field] = {}
        self._error: ErrorBox | None = None
        self.progress = ProgressBar4(icons.theme)
        self.progress.hide()
        self.cancel_button = self.add_button(Button(self.tr("Cancel")), QDialogButtonBox.ButtonRole.RejectRole)
        self.button = self.add_button(Button(verb, kind="primary"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.button.setDefault(True)
        self.button.clicked.connect(self.submit)
        view_model.busy_changed.connect(self._on_busy)
        view_model.progressed.connect(self.progress.set_progress)
        view_model.field_failed.connect(self._on_field_failed)
        view_model.failed.connect(self._on_failed)
        view_model.done.connect(self._on_done)

    def add_field(
        self, name: str, label: str, *, helper: str = "", password: bool = False, text: str = "", repeats: str = ""
    ) -> Field:
        """Add a field; ``name`` is that of the view-model's ``field_failed``, ``repeats`` that of another field."""
        field = Field(self.icons, label, helper=helper, password=password)
        if repeats:
            field.repeats(self.fields[repeats])
        field.set_text(text)
        self.fields[name] = field
        self.body.addWidget(field)
        return field

    def finish_body(self) -> None:
        """Put the bar below the fields and the cursor into the first."""
        self.body.addWidget(self.progress)
        if self.fields:
            next(iter(self.fields.values())).setFocus(Qt.FocusReason.OtherFocusReason)

    def submit(self) -> None:
        """Do the work; each dialog has its own."""
        raise NotImplementedError

    def reject(self) -> None:
        """Give up what is under way, then close."""
        self.vm.cancel()
        super().reject()

    def _on_busy(self, busy: bool) -> None:
        self.button.setEnabled(not busy)
        for field in self.fields.values():
            field.set_busy(busy)
        self.progress.set_progress(0, 0)
        self.progress.setVisible(busy)
        if busy and self._error is not None:
            self._error.hide()
            self._error.deleteLater()
            self._error = None
        self.fit()
        if self._error is not None:  # the work failed before it was said to be over
            self.reveal(self._error)

    def _on_field_failed(self, name: str, sentence: str) -> None:
        field = self.fields.get(name)
        if field is None:
            return
        field.set_error(sentence)
        field.setFocus(Qt.FocusReason.OtherFocusReason)
        self.reveal(field)

    def _on_failed(self, error: GlassineError) -> None:
        title, text, details = error_words(error)
        self._error = ErrorBox(self.icons, title, text, details=details)
        self.body.insertWidget(self.body.count() - 1, self._error)
        self.reveal(self._error)
        self._error.announce()

    def _on_done(self, message: str) -> None:
        for field in self.fields.values():
            field.clear()
        self.accept()


class NewKeyDialog(KeyDialog):
    """Make a key pair."""

    def __init__(self, icons: Icons, parent: QWidget, view_model: KeysViewModel) -> None:
        super().__init__(icons, parent, view_model, self.tr("Make a new key"), self.tr("Make the key"))
        self.add_field("name", self.tr("Name"), text=self.tr("New key"))
        self.add_field(
            "passphrase",
            self.tr("Passphrase of the key"),
            helper=" ".join((length_rule(), self.tr("Nobody can look it up for you."))),
            password=True,
        )
        self.add_field("repeat", self.tr("The passphrase once more"), password=True, repeats="passphrase")
        label = Label(self.tr("Size"), "strong")
        self.bits = QComboBox()
        self.bits.setAccessibleName(label.text())
        self.bits.addItem(self.tr("RSA 3072, the usual size"), 3072)
        self.bits.addItem(self.tr("RSA 4096, slower"), 4096)
        size = QVBoxLayout()
        size.setSpacing(6)
        size.addWidget(label)
        size.addWidget(self.bits)
        self.body.addLayout(size)
        self.finish_body()

    def submit(self) -> None:
        """Make it."""
        text = {name: field.text for name, field in self.fields.items()}
        self.vm.create(text["name"], text["passphrase"], text["repeat"], self.bits.currentData())


class ImportKeyDialog(KeyDialog):
    """Import a private key of any format Glassine reads."""

    def __init__(self, icons: Icons, parent: QWidget, view_model: KeysViewModel) -> None:
        super().__init__(
            icons,
            parent,
            view_model,
            self.tr("Import a key"),
            self.tr("Import"),
            self.tr("A Glassine key file, PKCS#8, PKCS#1 or OpenSSH. The file itself is not changed."),
        )
        self._path: Path | None = None
        self._suggested = ""
        self.choose = default_button(self.tr("Choose a file"), icons, "folder")
        self.choose.clicked.connect(self._choose)
        self._file = ElidedLabel(self.tr("No file chosen yet"), "caption")
        self.file_error = ErrorLine(icons)
        row = QHBoxLayout()
        row.addWidget(self.choose)
        row.addWidget(self._file, 1)
        self.body.addLayout(row)
        self.body.addWidget(self.file_error)
        self.add_field(
            "file_passphrase",
            self.tr("Passphrase of the file"),
            helper=self.tr("Leave it empty if the file has none."),
            password=True,
        )
        self.add_field("name", self.tr("Name"))
        self.add_field("passphrase", self.tr("Passphrase on this computer"), helper=length_rule(), password=True)
        self.add_field("repeat", self.tr("The passphrase once more"), password=True, repeats="passphrase")
        self.finish_body()
        self.choose.setFocus(Qt.FocusReason.OtherFocusReason)

    def set_path(self, path: Path) -> None:
        """Take this file."""
        self._path = path
        self._file.setText(path.name)
        self.file_error.set_text("")
        name = self.fields["name"]
        if name.text in ("", self._suggested):  # what the person wrote stays
            name.set_text(path.stem)
            self._suggested = path.stem
        self.fit()

    def submit(self) -> None:
        """Import it."""
        if self._path is None:
            self.file_error.set_text(self.tr("Choose the file that holds the key."))
            self.choose.setFocus(Qt.FocusReason.OtherFocusReason)
            self.reveal(self.file_error)
            return
        text = {name: field.text for name, field in self.fields.items()}
        self.vm.import_file(self._path, text["file_passphrase"], text["name"], text["passphrase"], text["repeat"])

    def _choose(self) -> None:
        from desktop.widgets.file_dialogs import open_file

        open_file(self, self.tr("Choose the file that holds the key"), self.set_path)


class ChangePassphraseDialog(KeyDialog):
    """Replace the passphrase of a key."""

    def __init__(self, icons: Icons, parent: QWidget, view_model: KeysViewModel, entry: KeyEntry) -> None:
        title = self.tr("Change the passphrase of %1").replace("%1", short_text(entry.name, 24))
        super().__init__(icons, parent, view_model, title, self.tr("Change the passphrase"))
        self._fingerprint = entry.fingerprint
        self.add_field("old", self.tr("Present passphrase"), password=True)
        self.add_field(
            "passphrase",
            self.tr("New passphrase"),
            helper=" ".join(
                (length_rule(), self.tr("Copies of the key file made before still open with the old one."))
            ),
            password=True,
        )
        self.add_field("repeat", self.tr("The new passphrase once more"), password=True, repeats="passphrase")
        self.finish_body()

    def submit(self) -> None:
        """Change it."""
        text = {name: field.text for name, field in self.fields.items()}
        self.vm.change_passphrase(self._fingerprint, text["old"], text["passphrase"], text["repeat"])


class RenameKeyDialog(KeyDialog):
    """Give a key another name."""

    def __init__(self, icons: Icons, parent: QWidget, view_model: KeysViewModel, entry: KeyEntry) -> None:
        super().__init__(icons, parent, view_model, self.tr("Rename the key"), self.tr("Rename"))
        self._fingerprint = entry.fingerprint
        self.add_field("name", self.tr("Name"), text=entry.name)
        self.finish_body()

    def submit(self) -> None:
        """Rename it."""
        name = self.fields["name"].text
        if name.strip():
            self.vm.rename(self._fingerprint, name)
        else:
            self.fields["name"].set_error(self.tr("Write a name."))


class ExportPrivateDialog(KeyDialog):
    """Write a private key in a format that other programs read."""

    def __init__(
        self,
        icons: Icons,
        parent: QWidget,
        view_model: KeysViewModel,
        entry: KeyEntry,
        choose_target: Callable[[QWidget, str, Callable[[Path], None]], None],
    ) -> None:
        super().__init__(
            icons,
            parent,
            view_model,
            self.tr("Export the private key for other programs"),
            self.tr("Export"),
            self.tr(
                "Whoever has this file and its passphrase can open every picture. Glassine's own key file is safer."
            ),
        )
        self._fingerprint, self._choose_target = entry.fingerprint, choose_target
        label = Label(self.tr("Format"), "strong")
        self.format = QComboBox()
        self.format.setAccessibleName(label.text())
        for text, kind in (
            ("PKCS#8", ExportFormat.PKCS8),
            ("PKCS#1", ExportFormat.PKCS1),
            ("OpenSSH", ExportFormat.OPENSSH),
        ):
            self.format.addItem(text, kind)
        column = QVBoxLayout()
        column.setSpacing(6)
        column.addWidget(label)
        column.addWidget(self.format)
        self.body.addLayout(column)
        self.add_field("old", self.tr("Passphrase of the key"), password=True)
        self.add_field(
            "new",
            self.tr("Passphrase of the new file"),
            helper=self.tr("Left empty, the file is not protected at all."),
            password=True,
        )
        self.add_field("repeat", self.tr("The passphrase once more"), password=True, repeats="new")
        self.finish_body()
        view_model.passphrase_right.connect(self._ask_where_to)

    def submit(self) -> None:
        """Look whether the passphrases are right before anything else is asked."""
        if self.fields["new"].text != self.fields["repeat"].text:
            self._on_field_failed("repeat", not_the_same())
        else:
            self.vm.check_passphrase(self._fingerprint, self.fields["old"].text)

    def _ask_where_to(self) -> None:
        kind = ExportFormat(self.format.currentData())
        suggestion = "glassine-key" if kind is ExportFormat.OPENSSH else "glassine-key.pem"

        def write(target: Path) -> None:
            self.vm.export(
                self._fingerprint,
                kind,
                target,
                passphrase=self.fields["old"].text,
                new_passphrase=self.fields["new"].text,
            )

        self._choose_target(self, suggestion, write)


class StaySignedInDialog(KeyDialog):
    """Let the system's keyring open the key on this computer."""

    def __init__(self, icons: Icons, parent: QWidget, view_model: KeysViewModel) -> None:
        super().__init__(
            icons,
            parent,
            view_model,
            self.tr("Stay signed in on this computer"),
            self.tr("Stay signed in"),
            self.tr(
                "A random secret that opens your key is kept in the system keyring, never in a file. Your passphrase "
                "is not kept. Whoever can use your account on this computer can then open your pictures."
            ),
        )
        self.add_field("old", self.tr("Passphrase of your key"), password=True)
        self.finish_body()

    def submit(self) -> None:
        """Keep the secret."""
        self.vm.remember(self.fields["old"].text)


class ImportClassicDialog(KeyDialog):
    """Import a classic ``rsa.txt``, with a plain warning."""

    def __init__(self, icons: Icons, parent: QWidget, view_model: KeysViewModel) -> None:
        super().__init__(
            icons,
            parent,
            view_model,
            self.tr("Import a classic key"),
            self.tr("Import the classic key"),
            self.tr(
                "A classic rsa.txt opens old pictures and protects nothing: the scheme can be broken in seconds. The "
                "key is kept here without a passphrase, as it was. Nothing new is ever encrypted with it."
            ),
        )
        self._head.insertWidget(0, IconLabel(icons, "warning", "warn", 24), 0, Qt.AlignmentFlag.AlignTop)
        self._path: Path | None = None
        self.choose = default_button(self.tr("Choose a file"), icons, "folder")
        self.choose.clicked.connect(self._choose)
        self._file = ElidedLabel(self.tr("No file chosen yet"), "caption")
        self.file_error = ErrorLine(icons)
        row = QHBoxLayout()
        row.addWidget(self.choose)
        row.addWidget(self._file, 1)
        self.body.addLayout(row)
        self.body.addWidget(self.file_error)
        self.finish_body()
        self.choose.setFocus(Qt.FocusReason.OtherFocusReason)

    def set_path(self, path: Path) -> None:
        """Take this file."""
        self._path = path
        self._file.setText(path.name)
        self.file_error.set_text("")

    def submit(self) -> None:
        """Import it."""
        if self._path is None:
            self.file_error.set_text(self.tr("Choose the rsa.txt of the account."))
            self.reveal(self.file_error)
            return
        self.vm.import_classic(self._path)

    def _choose(self) -> None:
        from desktop.widgets.file_dialogs import open_file

        open_file(self, self.tr("Choose the rsa.txt"), self.set_path)
