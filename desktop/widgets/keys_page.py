"""The key manager: your key, what can be done with it, and the other keys on this computer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QDialogButtonBox, QMenu, QToolButton, QVBoxLayout, QWidget

from desktop.errors import GlassineError
from desktop.viewmodels.keys import ExportFormat, KeysViewModel
from desktop.viewmodels.wording import short_text
from desktop.widgets import key_dialogs
from desktop.widgets.buttons import Button, default_button, ghost_button
from desktop.widgets.cards import Card, CardRow
from desktop.widgets.file_dialogs import save_file
from desktop.widgets.icons import Icons
from desktop.widgets.key_card import KeyCard, kind_text
from desktop.widgets.labels import Label, StyledWidget
from desktop.widgets.marks import Chip
from desktop.widgets.notices import error_notice
from desktop.widgets.page_parts import EmptyState, PageHeader, page_margin
from desktop.widgets.people_keys import WIDTH as PEOPLE_WIDTH
from desktop.widgets.people_keys import PeopleKeys
from desktop.widgets.scroll_page import ScrollPage
from desktop.widgets.theme import Space

if TYPE_CHECKING:
    from desktop.client.key_store import KeyEntry
    from desktop.viewmodels.key_work import KeyWorkViewModel
    from desktop.viewmodels.people import PeopleViewModel
    from desktop.viewmodels.recovery_kit import KitViewModel

CARD_WIDTH: Final = 640
STACKED_BELOW: Final = 960


class KeysPage(StyledWidget):
    """Draws a :class:`KeysViewModel`.

    Signals:
        notice_raised(Notice): something failed while no dialog was open.
        message_raised(str): something is done, in words.
        compare_requested(Person): compare the words of somebody's key.
    """

    compare_requested = Signal(object)
    notice_raised = Signal(object)
    message_raised = Signal(str)

    def __init__(
        self,
        icons: Icons,
        view_model: KeysViewModel,
        parent: QWidget | None = None,
        *,
        kit: KitViewModel | None = None,
        key_work: KeyWorkViewModel | None = None,
        people: PeopleViewModel | None = None,
    ) -> None:
        super().__init__(parent)
        self._people_vm = people
        self._icons, self._vm, self._kit, self._work = icons, view_model, kit, key_work
        self.header = PageHeader(icons, self.tr("Keys"))
        self.banner_slot = QVBoxLayout()
        self._fill_header()
        self._make_columns()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addLayout(self.banner_slot)
        layout.addWidget(self._scroll, 1)
        view_model.keys_changed.connect(self._show_keys)
        view_model.failed.connect(self._on_failed)
        view_model.done.connect(self.message_raised)
        if kit is not None:
            kit.status_changed.connect(self._show_keys)
        if people is not None:
            people.changed.connect(self._show_people)
            people.opened.connect(lambda _: self._show_people())
        self._show_keys()
        self._show_people()

    def _fill_header(self) -> None:
        icons, view_model = self._icons, self._vm
        self.import_button = default_button(self.tr("Import a key"), icons, "shared-in")
        self.import_button.clicked.connect(lambda: key_dialogs.ImportKeyDialog(icons, self, view_model).open())
        self.more = ghost_button(icons, "more", self.tr("More"))
        menu = QMenu(self.more)
        menu.addAction(self.tr("New key"), lambda: key_dialogs.NewKeyDialog(icons, self, view_model).open())
        menu.addAction(
            self.tr("Import a classic key"), lambda: key_dialogs.ImportClassicDialog(icons, self, view_model).open()
        )
        if self._work is not None:
            menu.addSeparator()
            self.change_action = menu.addAction(self.tr("Change your key"), self.open_key_change)
            self.move_action = menu.addAction(self.tr("Store classic pictures again, sealed"), self.open_move_classic)
        self.more.setMenu(menu)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.header.add_action(self.import_button)
        self.header.add_action(self.more)

    def _make_columns(self) -> None:
        icons = self._icons
        self._scroll = ScrollPage()
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight, self._scroll.content)
        self._columns.setContentsMargins(Space.PAGE, Space.PAGE - 4, Space.LARGE, Space.PAGE)
        self._columns.setSpacing(Space.PAGE)
        self._column = QVBoxLayout()
        self._column.setSpacing(Space.MEDIUM)
        self._columns.addLayout(self._column, 1)
        self.card = KeyCard(icons)
        self.own_actions = Card()
        self._others_title = Label(self.tr("Other keys on this computer"), "lead")
        self._others_title.setContentsMargins(0, Space.SMALL, 0, 0)
        self.others = Card()
        self._empty = EmptyState(
            icons,
            "key",
            self.tr("No key on this computer"),
            self.tr("Import the key file of this account, or make a new key."),
        )
        for widget in (self.card, self.own_actions, self._others_title, self.others):
            widget.setMaximumWidth(CARD_WIDTH)
            self._column.addWidget(widget)
        self._column.addWidget(self._empty, 1)
        self._column.addStretch(1)
        self.people = PeopleKeys(icons)
        self.people.compare_requested.connect(self.compare_requested)
        self._columns.addWidget(self.people)

    def _show_keys(self) -> None:
        own = next((entry for entry in self._vm.entries if entry.fingerprint == self._vm.own_fingerprint), None)
        others = [entry for entry in self._vm.entries if entry is not own]
        self.card.setVisible(own is not None)
        self.own_actions.setVisible(own is not None)
        self.own_actions.clear()
        if own is not None:
            self.card.show_key(own)
            self._fill_actions(own)
        self._others_title.setVisible(bool(others))
        self.others.setVisible(bool(others))
        self.others.clear()
        for entry in others:
            self.others.add_row(self._other_row(entry))
        self._empty.setVisible(not self._vm.entries)

    def _show_people(self) -> None:
        """Show whose keys are known; a vault on this computer has no other people."""
        people = self._people_vm
        there = people is not None and people.circle is not None
        self.people.setVisible(there)
        if people is not None and there:
            self.people.show_people(people.known.people, people.known.offered)

    def open_kit(self) -> None:
        """Make a kit, or prove the one that there is."""
        from desktop.widgets.kit_dialog import KitDialog

        if self._kit is not None:
            prove = self._kit.state in ("unproven", "one-copy")
            dialog = KitDialog(self._icons, self, self._kit, prove_only=prove)
            done = self.tr("Your recovery kit counts: the words are proven, and there is a second copy of the key")
            dialog.accepted.connect(lambda: self.message_raised.emit(done))
            dialog.open()

    def open_key_change(self) -> None:
        """Go over to another key."""
        from desktop.widgets.key_work_dialog import ChangeKeyDialog

        if self._work is not None:
            dialog = ChangeKeyDialog(self._icons, self, self._work, going_on=self._work.unfinished == "change")
            dialog.asks_for_kit = self._kit is not None
            dialog.kit_wanted.connect(self.open_kit)
            dialog.open()

    def open_move_classic(self) -> None:
        """Store classic pictures again, sealed."""
        from desktop.widgets.key_work_dialog import MoveClassicDialog

        if self._work is not None:
            MoveClassicDialog(self._icons, self, self._work, going_on=self._work.unfinished == "move").open()

    def _kit_row(self) -> CardRow:
        kit = self._kit
        if kit is None:
            raise ValueError("there is no kit to show")
        chips = {
            "none": ("plain", self.tr("None")),
            "unproven": ("not-proven", self.tr("Not proven yet")),
            "one-copy": ("not-proven", self.tr("Proven, but no second copy of the key")),
            "proven": ("proven", self.tr("Proven")),
        }
        verbs = {
            "none": self.tr("Make the kit"),
            "one-copy": self.tr("Keep a second copy"),
            "proven": self.tr("Make a new kit"),
        }
        state = kit.state or "none"
        button = default_button(verbs.get(state, self.tr("Prove it")))
        button.setAccessibleDescription(self.tr("Recovery kit"))
        button.clicked.connect(self.open_kit)
        row = CardRow(self.tr("Recovery kit"), kit.caption, icons=self._icons, icon="kit", control=button)
        if kit.state:
            row.add_chip(Chip(self._icons, *chips[state]))
        return row

    def _remember_row(self) -> CardRow:
        if self._vm.remembered:
            caption = self.tr("The system keyring opens your key until you lock. It is in no file.")
            button = default_button(self.tr("Ask each time"))
            button.clicked.connect(self._vm.forget)
        else:
            caption = self.tr("Kept in the system keyring, never in a file.")
            button = default_button(self.tr("Stay signed in"))
            button.clicked.connect(lambda: key_dialogs.StaySignedInDialog(self._icons, self, self._vm).open())
        title = self.tr("Stay signed in on this computer")
        button.setAccessibleDescription(title)
        return CardRow(title, caption, icons=self._icons, icon="computer", control=button)

    def _consequences(self, entry: KeyEntry) -> str:
        """What is lost with a key."""
        accounts = self._vm.accounts_of(entry.fingerprint)
        sentences = []
        if accounts:
            words = self.tr("It is the key of %1: every picture there becomes unreadable.")
            sentences.append(words.replace("%1", ", ".join(accounts)))
        sentences.append(
            self.tr(
                "Every picture that was encrypted for this key, and every picture somebody shared with it, cannot be "
                "opened any more unless there is another copy of its key file. Nobody can bring it back. "
                "Digits of the key: %1 …"
            ).replace("%1", " ".join(_digits(entry)[:8]))
        )
        return " ".join(sentences)

    def _ask_to_delete(self, entry: KeyEntry) -> None:
        from desktop.widgets.dialogs import ConfirmDialog

        if self._vm.refusal_to_delete(entry.fingerprint):
            self._vm.delete(entry.fingerprint)  # says why not
            return
        question = ConfirmDialog(
            self._icons,
            self,
            title=self.tr("Delete the key %1 for good?").replace("%1", short_text(entry.name, 24)),
            text=self._consequences(entry),
            confirm=self.tr("Delete for good"),
            safe=self.tr("Cancel"),
            icon="bin",
            danger=True,
        )
        export = question.add_button(Button(self.tr("Export a copy first")), QDialogButtonBox.ButtonRole.ActionRole)
        export.clicked.connect(question.reject)
        export.clicked.connect(lambda: self._export(entry, ExportFormat.KEY_FILE))
        question.accepted.connect(lambda: self._vm.delete(entry.fingerprint))
        question.open()

    def _fill_actions(self, entry: KeyEntry) -> None:
        if self._kit is not None:
            self.own_actions.add_row(self._kit_row())
        rows: tuple[tuple[str, str, str, str, Callable[[], None]], ...] = (
            (
                "edit",
                self.tr("Name"),
                self.tr("Only you see it"),
                self.tr("Rename"),
                lambda: self._open(key_dialogs.RenameKeyDialog, entry),
            ),
            (
                "lock",
                self.tr("Passphrase"),
                self.tr("It opens the key file on this computer. Nobody can look it up for you."),
                self.tr("Change"),
                lambda: self._open(key_dialogs.ChangePassphraseDialog, entry),
            ),
            (
                "save",
                self.tr("Copy of the key file"),
                self.tr("Keep one on another disk. It opens with the same passphrase."),
                self.tr("Export"),
                lambda: self._export(entry, ExportFormat.KEY_FILE),
            ),
            (
                "shared-out",
                self.tr("Public key"),
                self.tr("For people who check who signed a picture. It opens nothing."),
                self.tr("Export"),
                lambda: self._export(entry, ExportFormat.PUBLIC),
            ),
            (
                "key",
                self.tr("Private key for other programs"),
                self.tr("As PKCS#8, PKCS#1 or OpenSSH"),
                self.tr("Export"),
                lambda: self._export_private(entry),
            ),
        )
        for icon, title, caption, verb, called in rows:
            button = default_button(verb)
            button.setAccessibleDescription(title)
            button.clicked.connect(called)
            self.own_actions.add_row(CardRow(title, caption, icons=self._icons, icon=icon, control=button))
            if icon == "lock":
                self.own_actions.add_row(self._remember_row())
        if len(self._vm.entries) > 1:
            self.own_actions.add_row(self._default_row(entry))
        refusal = self._vm.refusal_to_delete(entry.fingerprint)
        self.own_actions.add_row(CardRow(self.tr("Delete the key"), refusal, icons=self._icons, icon="bin"))

    def _default_row(self, entry: KeyEntry) -> CardRow:
        """Whether the account's key is the one that is tried first, with the way to make it so."""
        title = self.tr("Default key")
        caption = self.tr("The passphrase that opens the vault is tried on it first.")
        if entry.is_default:
            row = CardRow(title, caption, icons=self._icons, icon="check")
            row.add_chip(Chip(self._icons, "plain", self.tr("This one")))
            return row
        button = default_button(self.tr("Use by default"))
        button.setAccessibleDescription(title)
        button.clicked.connect(lambda: self._vm.set_default(entry.fingerprint))
        return CardRow(title, caption, icons=self._icons, icon="check", control=button)

    def _other_row(self, entry: KeyEntry) -> CardRow:
        more = ghost_button(self._icons, "more", self.tr("What to do with %1").replace("%1", entry.name))
        menu = QMenu(more)
        for text, called in (
            (self.tr("Rename"), lambda: self._open(key_dialogs.RenameKeyDialog, entry)),
            (self.tr("Change the passphrase"), lambda: self._open(key_dialogs.ChangePassphraseDialog, entry)),
            (self.tr("Copy the digits"), lambda: self._copy_digits(entry)),
            (self.tr("Export the key file"), lambda: self._export(entry, ExportFormat.KEY_FILE)),
            (self.tr("Export the public key"), lambda: self._export(entry, ExportFormat.PUBLIC)),
            (self.tr("Export for other programs"), lambda: self._export_private(entry)),
            (self.tr("Delete for good"), lambda: self._ask_to_delete(entry)),
        ):
            menu.addAction(text, called)
        if not entry.is_default:
            first = menu.actions()[0]
            use = QAction(self.tr("Use by default"), menu)
            use.triggered.connect(lambda: self._vm.set_default(entry.fingerprint))
            menu.insertAction(first, use)
        more.setMenu(menu)
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        caption = f"{kind_text(entry)} · {' '.join(_digits(entry)[:3])} …"
        row = CardRow(entry.name, caption, icons=self._icons, icon="key", control=more, elide_caption=True)
        if entry.is_default:
            row.add_chip(Chip(self._icons, "plain", self.tr("Default")))
        return row

    def _open(self, kind: Callable[..., key_dialogs.KeyDialog], entry: KeyEntry) -> None:
        kind(self._icons, self, self._vm, entry).open()

    def _export(self, entry: KeyEntry, kind: ExportFormat) -> None:
        plain = "".join(char if char.isalnum() or char in "-_" else "-" for char in entry.name) or "key"
        suggestion = f"{plain}.glassine-key" if kind is ExportFormat.KEY_FILE else f"{plain}-public.pem"
        title = self.tr("Export the key file") if kind is ExportFormat.KEY_FILE else self.tr("Export the public key")
        save_file(self, title, suggestion, lambda target: self._vm.export(entry.fingerprint, kind, target))

    def _export_private(self, entry: KeyEntry) -> None:
        def choose(parent: QWidget, suggestion: str, chosen: Callable[[Path], None]) -> None:
            save_file(parent, self.tr("Export the private key"), suggestion, chosen)

        key_dialogs.ExportPrivateDialog(self._icons, self, self._vm, entry, choose).open()

    def _copy_digits(self, entry: KeyEntry) -> None:
        QGuiApplication.clipboard().setText(" ".join(_digits(entry)))
        self.message_raised.emit(self.tr("The digits of the key are on the clipboard"))

    def _on_failed(self, error: GlassineError) -> None:
        if any(dialog.isVisible() for dialog in self.window().findChildren(key_dialogs.KeyDialog)):
            return  # the dialog shows it
        self.notice_raised.emit(error_notice(error, "keys"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the margin that belongs to the width."""
        super().resizeEvent(event)
        self._columns.setContentsMargins(page_margin(self), Space.PAGE - 4, Space.LARGE, Space.PAGE)
        stacked = self.width() < STACKED_BELOW
        directions = QBoxLayout.Direction
        self._columns.setDirection(directions.TopToBottom if stacked else directions.LeftToRight)
        if stacked:
            self.people.setMinimumWidth(0)
            self.people.setMaximumWidth(CARD_WIDTH)
        else:
            self.people.setFixedWidth(PEOPLE_WIDTH)

    def setFocus(self, reason: Qt.FocusReason = Qt.FocusReason.OtherFocusReason) -> None:
        """Begin at the first thing to do."""
        self.import_button.setFocus(reason)


def _digits(entry: KeyEntry) -> tuple[str, ...]:
    """The fingerprint as people compare it: sixteen groups of digits."""
    from desktop.crypto.words import fingerprint_groups

    return fingerprint_groups(entry.fingerprint)
