"""The first page: open the pictures on a server or on this computer, or create an account or a vault."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QVBoxLayout, QWidget

from desktop.errors import GlassineError, WrongPassword
from desktop.place_kind import PlaceKind
from desktop.viewmodels.passphrases import length_rule
from desktop.viewmodels.sign_in import Form, SignInViewModel, is_open_to_listeners
from desktop.widgets.buttons import link_button, primary_button
from desktop.widgets.choice_card import ChoiceCard
from desktop.widgets.fields import Field
from desktop.widgets.form_page import FormPage
from desktop.widgets.icons import Icons
from desktop.widgets.labels import ElidedLabel, Hairline, Label
from desktop.widgets.scroll_page import ScrollPage
from desktop.widgets.sleeve_side import SleeveSide
from desktop.widgets.theme import Space, Theme

if TYPE_CHECKING:
    from desktop.widgets.notices import ErrorBox

FORM_WIDTH: Final = 392

_FIELDS: Final = {
    Form.SIGN_IN: ("address", "user_name", "password"),
    Form.REGISTER: ("address", "user_name", "password", "password_repeat", "passphrase", "repeat"),
    Form.OPEN_VAULT: ("passphrase",),
    Form.CREATE_VAULT: ("passphrase", "repeat"),
}

_REPEATS: Final = {"password_repeat": "password", "repeat": "passphrase"}


class _Fields(dict[str, Field]):
    """The fields by name, each made when it is first asked for: the first paint waits for no more than it shows."""

    def __init__(self, make: Callable[[str], Field]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, name: str) -> Field:
        """Make it; the maker keeps it here."""
        return self._make(name)


class SignInPage(FormPage):
    """Draws a :class:`SignInViewModel` and forwards what is typed and pressed.

    Signals:
        restore_requested(Path): open the vault in this folder with its recovery kit.
        first_painted(): it was painted for the first time; sent from the event loop after that.
    """

    first_painted = Signal()
    restore_requested = Signal(object)

    def __init__(self, theme: Theme, icons: Icons, view_model: SignInViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icons, self._vm, self._painted = icons, view_model, False
        self._switched = (view_model.kind, False)
        self._side = SleeveSide(theme, self)
        self._line = Hairline(Qt.Orientation.Vertical)
        self._scroll = ScrollPage(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._side)
        layout.addWidget(self._line)
        layout.addWidget(self._scroll, 1)
        self._form = QWidget(self._scroll.content)
        self._form.setFixedWidth(FORM_WIDTH)
        self._build_form()
        outer = QVBoxLayout(self._scroll.content)
        outer.setContentsMargins(Space.PAGE, Space.PAGE, Space.PAGE, Space.PAGE)
        outer.addStretch(1)
        outer.addWidget(self._form, 0, Qt.AlignmentFlag.AlignHCenter)
        outer.addStretch(1)

        view_model.form_changed.connect(self._show_form)
        view_model.busy_changed.connect(self._show_busy)
        view_model.field_failed.connect(self._show_field_error)
        view_model.failed.connect(self.show_error)
        self._show_form()

    def _build_form(self) -> None:
        icons, vm = self._icons, self._vm
        self.title = Label("", "display", wrap=True)
        self.server_card = ChoiceCard(
            icons, "server", self.tr("A server"), self.tr("Reach them from several computers, and share")
        )
        self.computer_card = ChoiceCard(icons, "computer", self.tr("This computer"), self.tr("No account, no network"))
        group = QButtonGroup(self)
        cards = QHBoxLayout()
        cards.setSpacing(Space.MEDIUM)
        for card in (self.server_card, self.computer_card):
            group.addButton(card)
            cards.addWidget(card)
        self.server_card.clicked.connect(lambda: vm.choose(PlaceKind.SERVER))
        self.computer_card.clicked.connect(lambda: vm.choose(PlaceKind.THIS_COMPUTER))

        self.fields = _Fields(self._make_field)
        self.button = primary_button("", large=True)
        self.button.clicked.connect(self._submit)
        self.first_link = link_button("")
        self.first_link.clicked.connect(self._on_first_link)
        self._folder = ElidedLabel("", "caption")
        self._error: ErrorBox | None = None

        layout = QVBoxLayout(self._form)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.MEDIUM + 2)
        layout.addWidget(self.title)
        where = QVBoxLayout()
        where.setSpacing(6)
        self._where = Label("", "group")
        where.addWidget(self._where)
        where.addLayout(cards)
        layout.addLayout(where)
        layout.addWidget(self._folder)
        self._slots = {name: QVBoxLayout() for name in _FIELDS[Form.REGISTER]}
        for slot in self._slots.values():
            layout.addLayout(slot)
        layout.addSpacing(Space.HAIR)
        layout.addWidget(self.button)
        links = QHBoxLayout()
        links.setContentsMargins(0, 0, 0, 0)
        links.addWidget(self.first_link)
        links.addStretch(1)
        self.kit_link = link_button(self.tr("Use the recovery kit"))
        self.kit_link.clicked.connect(lambda: self.restore_requested.emit(self._vm.folder))
        links.addWidget(self.kit_link)
        self.cancel_link = link_button(self.tr("Cancel"))
        self.cancel_link.clicked.connect(vm.cancel)
        self.cancel_link.hide()
        links.addWidget(self.cancel_link)
        layout.addLayout(links)
        self._layout = layout

    def _make_field(self, name: str) -> Field:
        labels = {
            "address": self.tr("Server address"),
            "user_name": self.tr("User name"),
            "password": self.tr("Password"),
            "password_repeat": self.tr("The password once more"),
            "passphrase": self.tr("Passphrase of your key"),
            "repeat": self.tr("The passphrase once more"),
        }
        secret = name not in ("address", "user_name")
        field = Field(self._icons, labels[name], password=secret, large=True, parent=self._form)
        field.set_text({"address": self._vm.address, "user_name": self._vm.user_name}.get(name, ""))
        field.submitted.connect(self._submit)
        self._slots[name].addWidget(field)
        self.fields[name] = field
        if name == "address":
            self._show_address_helper()
            field.changed.connect(lambda _: self._show_address_helper())
        elif name in _REPEATS:
            field.repeats(self.fields[_REPEATS[name]])
        return field

    def _show_address_helper(self) -> None:
        """Say how an address looks, or that this one is not safe to use."""
        field = self.fields["address"]
        if is_open_to_listeners(field.text):
            field.set_helper(
                self.tr("Others on the way can read your password. Write https:// if the server understands it.")
            )
        else:
            field.set_helper(self.tr("Such as %1").replace("%1", "pictures.example.org"))

    def _words(self, form: Form) -> tuple[str, str, str, str]:
        """Title, button, button while busy, link."""
        return {
            Form.SIGN_IN: (
                self.tr("Open your pictures"),
                self.tr("Sign in"),
                self.tr("Signing in…"),
                self.tr("Create an account"),
            ),
            Form.REGISTER: (
                self.tr("Create an account"),
                self.tr("Create the account"),
                self.tr("Creating the account…"),
                self.tr("Sign in with an account"),
            ),
            Form.OPEN_VAULT: (
                self.tr("Open your pictures"),
                self.tr("Open"),
                self.tr("Opening…"),
                self.tr("Use another folder"),
            ),
            Form.CREATE_VAULT: (
                self.tr("A place for your pictures"),
                self.tr("Create the vault"),
                self.tr("Creating the vault…"),
                self.tr("Use another folder"),
            ),
        }[form]

    def _show_form(self) -> None:
        vm, form = self._vm, self._vm.form
        switched = (vm.kind, form is Form.REGISTER)
        if switched != self._switched:  # a secret typed for one thing must not end up in another, unseen
            self._switched = switched
            self.forget_secrets()
        self._form_shown = form
        new = form in (Form.REGISTER, Form.CREATE_VAULT)
        self._where.setText(self.tr("Where should your pictures be kept?") if new else self.tr("Where are they kept?"))
        title, button, _, link = self._words(form)
        self.title.setText(title)
        self.button.setText(button)
        self.first_link.setText(link)
        self.server_card.setChecked(vm.kind is PlaceKind.SERVER)
        self.computer_card.setChecked(vm.kind is PlaceKind.THIS_COMPUTER)
        for name in _FIELDS[form]:
            self.fields[name].set_error("")
        for name, field in self.fields.items():
            field.setVisible(name in _FIELDS[form])
        self.kit_link.setVisible(form is Form.OPEN_VAULT)
        self._folder.setVisible(vm.kind is PlaceKind.THIS_COMPUTER)
        words = self.tr("In a folder of its own, %1") if vm.in_own_folder else self.tr("In the folder %1")
        self._folder.setText(words.replace("%1", str(vm.folder)))
        if "passphrase" in _FIELDS[form]:
            self.fields["passphrase"].set_helper(self._passphrase_helper(form))
        if "password" in _FIELDS[form]:
            new_account = f"{length_rule()} {self.tr('It lets you in to the server. It opens no picture.')}"
            self.fields["password"].set_helper(new_account if form is Form.REGISTER else "")
        self._clear_error()

    def _passphrase_helper(self, form: Form) -> str:
        if form is Form.REGISTER:
            words = self.tr("Choose a passphrase that is not your sign-in password. The server must never see it.")
            return f"{length_rule()} {words} {self.tr('It opens your pictures, and nobody can look it up for you.')}"
        if form is Form.CREATE_VAULT:
            words = self.tr("It opens your key on this computer. Nobody can look it up for you.")
            return f"{length_rule()} {words}"
        return ""

    def _show_busy(self, busy: bool) -> None:
        _, button, working, _ = self._words(self._form_shown)
        self.button.setText(working if busy else button)
        # whoever presses the button keeps the keyboard beside it: Qt would take it to the first field
        if busy and self.button.hasFocus():
            self.cancel_link.show()
            self.cancel_link.setFocus(Qt.FocusReason.OtherFocusReason)
        self.button.setEnabled(not busy)
        if not busy and self.cancel_link.hasFocus():
            self.button.setFocus(Qt.FocusReason.OtherFocusReason)
        for widget in (self.server_card, self.computer_card, self.first_link, self.kit_link):
            widget.setEnabled(not busy)
        for field in self.fields.values():
            field.set_busy(busy)
        self.cancel_link.setVisible(busy)
        if busy:
            self._clear_error()

    def show_error(self, error: GlassineError) -> None:
        """Say it above the button; a password that is not right is typed again."""
        super().show_error(error)
        if isinstance(error, WrongPassword) and self._form_shown is Form.SIGN_IN:
            password = self.fields["password"]
            password.setFocus(Qt.FocusReason.OtherFocusReason)
            password.edit.selectAll()

    def _show_field_error(self, name: str, sentence: str) -> None:
        self.show_error_at(self.fields[name], sentence)

    def _submit(self) -> None:
        text = {name: self.fields[name].text for name in _FIELDS[self._form_shown]}
        match self._form_shown:
            case Form.SIGN_IN:
                self._vm.sign_in(text["address"], text["user_name"], text["password"])
            case Form.REGISTER:
                self._vm.register(*(text[name] for name in _FIELDS[Form.REGISTER]))
            case Form.OPEN_VAULT:
                self._vm.open_vault(text["passphrase"])
            case Form.CREATE_VAULT:
                self._vm.create_vault(text["passphrase"], text["repeat"])

    def _on_first_link(self) -> None:
        form = self._vm.form
        if form in (Form.SIGN_IN, Form.REGISTER):
            self._vm.set_registering(form is Form.SIGN_IN)
            self.focus_first()
        else:
            self._choose_folder()

    def _choose_folder(self) -> None:
        from desktop.widgets.file_dialogs import choose_folder

        start = self._vm.folder if self._vm.folder.is_dir() else Path.home()
        choose_folder(self, self.tr("Choose a folder for the vault"), start, self._vm.choose_folder)

    def forget_secrets(self) -> None:
        """Empty the secret fields once they were used."""
        for name, field in self.fields.items():
            if name not in ("address", "user_name"):
                field.clear()

    def focus_first(self) -> None:
        """Put the cursor where typing begins."""
        for name in _FIELDS[self._form_shown]:
            if not self.fields[name].text:
                self.fields[name].setFocus(Qt.FocusReason.OtherFocusReason)
                return

    def focusNextPrevChild(self, next: bool) -> bool:
        """Let Tab go through the form from the top down, whatever was made when."""
        stops = [widget for widget in self._form.findChildren(QWidget) if self._is_stop(widget)]
        focused = self.focusWidget()
        if not stops or focused is None:
            return super().focusNextPrevChild(next)
        stops.sort(key=self._place_of)
        after = [stop for stop in stops if self._place_of(stop) > self._place_of(focused)]
        before = [stop for stop in stops if self._place_of(stop) < self._place_of(focused)]
        target = (after or stops)[0] if next else (before or stops)[-1]
        target.setFocus(Qt.FocusReason.TabFocusReason if next else Qt.FocusReason.BacktabFocusReason)
        return True

    def _is_stop(self, widget: QWidget) -> bool:
        if widget in (self.server_card, self.computer_card) and not widget.isChecked():
            return False
        takes_tab = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.focusProxy() is None
        return takes_tab and widget.isVisible() and widget.isEnabled()

    def _place_of(self, widget: QWidget) -> tuple[int, int]:
        corner = widget.mapTo(self._form, QPoint(0, 0))
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        return corner.y(), -corner.x() if mirrored else corner.x()

    def showEvent(self, event: QShowEvent) -> None:
        """Begin with what the view-model knows."""
        super().showEvent(event)
        if self._vm.form is not self._form_shown:  # a vault was made, or an account, since this page was seen
            self._show_form()
        self.focus_first()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Notice the first time."""
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self.first_painted.emit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the drawing less room, or none, in a narrow window."""
        super().resizeEvent(event)
        width = self.width()
        self._side.setVisible(width >= 880)
        self._line.setVisible(width >= 880)
        self._side.set_width(520 if width >= 1100 else 400)
