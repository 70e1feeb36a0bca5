"""What others share: who waits for a decision, and the pictures, of everybody or of one person."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QComboBox, QMenu, QToolButton

from desktop.errors import GlassineError, KeyChanged
from desktop.models import Person, Picture, PictureState
from desktop.viewmodels.shared import SharedViewModel
from desktop.viewmodels.wording import number_text, short_text
from desktop.widgets.buttons import GhostButton, default_button, ghost_button
from desktop.widgets.dialogs import ConfirmDialog
from desktop.widgets.explanation_dialog import ExplanationDialog
from desktop.widgets.icons import Icons
from desktop.widgets.notices import Notice, error_words
from desktop.widgets.page_parts import EmptyState
from desktop.widgets.place_page import PlacePage
from desktop.widgets.theme import Space, Theme
from desktop.widgets.waiting_box import WaitingBox

translate = QCoreApplication.translate


class SharedPage(PlacePage):
    """Draws a :class:`SharedViewModel`.

    Signals:
        compare_requested(Person)
        export_requested(list[Picture]): save copies.
        replace_requested(Picture): choose a file that takes its place.
    """

    compare_requested = Signal(object)
    export_requested = Signal(list)
    replace_requested = Signal(object)

    def __init__(self, theme: Theme, icons: Icons, shared: SharedViewModel) -> None:
        empty = EmptyState(
            icons,
            "shared-in",
            translate("SharedPage", "Nothing shared with you yet"),
            translate("SharedPage", "When somebody shares a picture, it appears here, with their name."),
        )
        super().__init__(theme, icons, shared, translate("SharedPage", "Shared with me"), empty)
        self.shared = shared
        self.view.setAccessibleName(self.tr("Pictures shared with you"))
        self.waiting = WaitingBox(icons)
        self.waiting.compare_requested.connect(self.compare_requested)
        self.waiting.accepted.connect(shared.accept)
        self.waiting.declined.connect(self.ask_to_decline)
        self.above.addWidget(self.waiting)
        self.waiting.stackUnder(self.content)  # Tab goes through the parts as they are stacked
        self.person = QComboBox()
        self.person.setAccessibleName(self.tr("From whom"))
        self.person.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.person.setMinimumContentsLength(16)
        self.person.activated.connect(lambda _: shared.show_person(str(self.person.currentData())))
        self.person.hide()
        self.header.add_action(self.person)
        self.declined = ghost_button(icons, "people", self.tr("People you declined"))
        self.declined.setMenu(QMenu(self.declined))
        self.declined.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.declined.hide()
        self.header.add_action(self.declined)
        self.give_back_button = GhostButton(
            icons,
            "close",
            self.tr("Give back"),
            labelled=True,
            token="text",  # noqa: S106
        )
        self.give_back_button.clicked.connect(lambda: self.ask_to_give_back(self.selection.pictures))
        self.save_button = default_button(self.tr("Save a copy"), icons, "save")
        self.save_button.clicked.connect(lambda: self.export_requested.emit(self.selection.pictures))
        self.chosen.add(self.give_back_button)
        self.chosen.add(self.save_button)
        self.header.compact_changed.connect(lambda compact: self.give_back_button.set_labelled(not compact))
        self.view.delete_requested.connect(lambda: self.ask_to_give_back(self.selection.meant))
        self.view.open_requested.disconnect(self.open_requested)
        self.view.open_requested.connect(self._open)
        shared.senders_changed.connect(self._on_senders)
        shared.deciding_failed.connect(self._on_deciding_failed)
        self.refresh()

    def _open(self, picture_id: str) -> None:
        picture = self.gallery.find(picture_id)
        if picture is None:
            return
        if picture.state is PictureState.UNDECODED:
            self.waiting.focusNextChild()
            self._say_closed(picture)
        elif picture.state is PictureState.READY:
            self.open_requested.emit(picture_id)
        else:
            dialog = ExplanationDialog(self.icons, self, picture, here=False)
            dialog.again_requested.connect(self.gallery.reload)
            dialog.open()

    def _say_closed(self, picture: Picture) -> None:
        title = self.tr("This picture is still closed")
        text = self.tr("Accept what %1 shares, or compare words first.").replace("%1", picture.owner_name)
        self.banners.show_notice(Notice(self._key("closed"), "info", title, text, icon="noise"))

    def fill_menu(self, menu: QMenu, pictures: list[Picture]) -> None:
        """Open, save, replace, give back."""
        free = not self.gallery.busy
        ready = all(picture.state is PictureState.READY for picture in pictures)
        if len(pictures) == 1:
            menu.addAction(self.tr("Open"), lambda: self._open(pictures[0].id))
        save = menu.addAction(self.tr("Save a copy"), lambda: self.export_requested.emit(pictures))
        save.setIcon(self.icons.icon("save", "text2", 18))
        save.setEnabled(free and ready)
        if len(pictures) == 1 and pictures[0].role == "write":
            replace = menu.addAction(self.tr("Replace with a file…"), lambda: self.replace_requested.emit(pictures[0]))
            replace.setIcon(self.icons.icon("edit", "text2", 18))
            replace.setEnabled(free and ready)
        menu.addSeparator()
        back = menu.addAction(self.tr("Give back"), lambda: self.ask_to_give_back(pictures))
        back.setEnabled(free)

    def ask_to_give_back(self, pictures: list[Picture]) -> None:
        """Ask, then give pictures back to their owners."""
        if not pictures or self.gallery.busy:
            return
        question = ConfirmDialog(
            self.icons,
            self,
            title=self.tr("Give %n pictures back?", "", len(pictures)),
            text=self.tr("You cannot open them any more. Their owners keep them and can share them again."),
            confirm=self.tr("Give back"),
            safe=self.tr("Cancel"),
            icon="shared-in",
        )
        question.accepted.connect(lambda: self.gallery.delete(pictures))
        question.open()

    def ask_to_decline(self, person: Person) -> None:
        """Ask, then list nothing of somebody."""
        question = ConfirmDialog(
            self.icons,
            self,
            title=self.tr("Decline what %1 shares?").replace("%1", short_text(person.name, 24)),
            text=self.tr(
                "Nothing of %1 is shown here any more. %1 is not told. People you declined are listed at the top of "
                "the page; there you can change your mind."
            ).replace("%1", short_text(person.name, 24)),
            confirm=self.tr("Decline"),
            safe=self.tr("Cancel"),
            icon="shared-in",
        )
        question.accepted.connect(lambda: self.shared.decline(person))
        question.open()

    def set_busy(self, busy: bool) -> None:
        """One batch at a time."""
        for button in (self.give_back_button, self.save_button):
            button.setEnabled(not busy)

    def _on_senders(self) -> None:
        shared = self.shared
        self.waiting.show_senders(shared.waiting)
        self.above.setContentsMargins(Space.LARGE, Space.MEDIUM if shared.waiting else 0, Space.LARGE, 0)
        self.person.clear()
        self.person.addItem(self.tr("From everybody"), "")
        for sender in shared.senders:
            if not sender.declined:
                words = self.tr("%1 (%2)").replace("%1", sender.person.name)
                self.person.addItem(words.replace("%2", number_text(sender.count)), sender.person.user_id)
        self.person.setCurrentIndex(max(0, self.person.findData(shared.person)))
        self.person.setVisible(self.person.count() > 2)
        menu = self.declined.menu()
        menu.clear()
        for sender in shared.declined:
            words = self.tr("Accept what %1 shares after all").replace("%1", short_text(sender.person.name))
            self._offer_again(menu, words, sender.person)
        self.declined.setVisible(bool(shared.declined))
        self.banners.remove(self._key("deciding"))
        if not shared.waiting:
            self.banners.remove(self._key("closed"))

    def _offer_again(self, menu: QMenu, words: str, person: Person) -> None:
        menu.addAction(words, lambda: self.shared.accept(person))

    def _on_deciding_failed(self, person: Person, error: GlassineError) -> None:
        title, text, details = error_words(error)
        compare = isinstance(error, KeyChanged)
        self.banners.show_notice(
            Notice(
                self._key("deciding"),
                "danger",
                title,
                text,
                action=self.tr("Compare words") if compare else "",
                on_action=(lambda: self.compare_requested.emit(person)) if compare else None,
                details=details,
            )
        )
