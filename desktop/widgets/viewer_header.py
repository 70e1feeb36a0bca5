"""The viewer's header: which picture it is, who can open it, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from desktop.models import Picture, PictureState, Scheme
from desktop.viewmodels.wording import moment_text, number_text, short_text
from desktop.widgets.buttons import ghost_button
from desktop.widgets.icons import Icons
from desktop.widgets.labels import ElidedLabel
from desktop.widgets.marks import Chip, ChipButton
from desktop.widgets.page_parts import HEADER_HEIGHT
from desktop.widgets.theme import Space

COMPACT_BELOW: Final = 880
CHIP_FROM: Final = 640


class ViewerHeader(QWidget):
    """60 high. Where it is narrow, actions from the end move into More.

    Attributes:
        chip_of: The kind of chip for a person by their id.

    Signals:
        back_requested(), save_requested(), delete_requested(), share_requested(), replace_requested(),
            full_screen_requested()
        info_requested(bool shown): the panel is to be opened or closed.
    """

    back_requested = Signal()
    save_requested = Signal()
    delete_requested = Signal()
    share_requested = Signal()
    replace_requested = Signal()
    full_screen_requested = Signal()
    info_requested = Signal(bool)

    def __init__(self, icons: Icons) -> None:
        super().__init__()
        self._icons = icons
        self._picture: Picture | None = None
        self._sharing, self._compact = False, False
        self.chip_of: Callable[[str], str] = lambda user_id: "plain"
        self.setFixedHeight(HEADER_HEIGHT)
        self.back = ghost_button(icons, "chevron-left", self.tr("Back to the gallery"))
        self.name, self.when = ElidedLabel("", "strong"), ElidedLabel("", "caption", mode=Qt.TextElideMode.ElideRight)
        self._unprotected = Chip(icons, "unprotected", self.tr("Unprotected"))
        self._who = ChipButton(icons, "plain", self.tr("Only you"), icon="person")
        self._who.set_usable(False)
        self.share = ghost_button(icons, "person-plus", self.tr("Share"))
        self.share.hide()
        self.save = ghost_button(icons, "save", self.tr("Save a copy"))
        self.delete = ghost_button(icons, "bin", self.tr("Delete"))
        self.info = ghost_button(icons, "eye", self.tr("What the server sees"))
        self.info.setCheckable(True)
        self.more = ghost_button(icons, "more", self.tr("More"))
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.more.setMenu(self._menu)
        self._who.pressed.connect(self._ask_to_share)
        self.share.clicked.connect(self._ask_to_share)
        self.back.clicked.connect(self.back_requested)
        self.save.clicked.connect(self.save_requested)
        self.delete.clicked.connect(self.delete_requested)
        self.info.clicked.connect(self.info_requested)
        self._lay_out()

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(0)
        words.addStretch(1)
        words.addWidget(self.name)
        words.addWidget(self.when)
        words.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(Space.MEDIUM, 0, Space.MEDIUM, 0)
        row.setSpacing(Space.TIGHT)
        row.addWidget(self.back)
        row.addLayout(words, 1)
        for chip in (self._unprotected, self._who):
            row.addWidget(chip)
            row.addSpacing(Space.TIGHT)
        for button in (self.share, self.save, self.delete, self.info, self.more):
            row.addWidget(button)

    # -- what the page says ----------------------------------------------------------------------------------------

    def set_sharing(self, possible: bool) -> None:
        """Offer to share where there are other people."""
        self._sharing = possible

    def set_bin(self, there: bool) -> None:
        """Say what deleting does: move to the bin, or delete where there is none."""
        self.delete.set_text(self.tr("Move to bin") if there else self.tr("Delete"))

    def show_picture(self, picture: Picture | None, position: int = 0, count: int = 0) -> None:
        """Say which picture it is; it is the ``position``-th of ``count``."""
        self._picture = picture
        if picture is None:
            self.name.setText("")
            self.when.setText("")
            self._who.set_state("plain", "")
            return
        place = self.tr("%1 of %2").replace("%1", number_text(position)).replace("%2", number_text(count))
        self.name.setText(picture.name)
        self.when.setText(f"{moment_text(picture.when)} · {place}")
        self._unprotected.setVisible(picture.scheme is Scheme.CLASSIC)
        kind, words, icon = self._who_words(picture)
        self._who.set_state(kind, words, icon=icon)
        self._who.set_usable(self._may_share)
        self._who.setToolTip(self.tr("Share, or see who has it") if self._may_share else "")
        self.delete.setEnabled(not picture.owner_name)
        self.save.setEnabled(picture.state is PictureState.READY)
        self._arrange()

    def set_room(self, room: int) -> None:
        """Fit the actions into so much width."""
        self._compact = room < COMPACT_BELOW
        self._who.setVisible(room >= CHIP_FROM)
        self._arrange()

    # -- who and what ----------------------------------------------------------------------------------------------

    @property
    def _may_share(self) -> bool:
        picture = self._picture
        if picture is None or picture.owner_name or picture.scheme is not Scheme.SEALED:
            return False
        return self._sharing and picture.state is PictureState.READY

    @property
    def _may_replace(self) -> bool:
        return self._sharing and ((self._picture is not None and self._picture.role == "write") or self._may_share)

    def _arrange(self) -> None:
        for button in (self.delete, self.info):
            button.setVisible(not self._compact)
        self.share.setVisible(not self._compact and self._may_share)

    def _ask_to_share(self) -> None:
        if self._may_share:
            self.share_requested.emit()

    def _who_words(self, picture: Picture) -> tuple[str, str, str]:
        """Kind, words and icon of the chip that says who can open it."""
        if picture.owner_name:
            words = self.tr("From %1 · can view")
            if picture.role == "write":
                words = self.tr("From %1 · can view and replace")
            name = picture.owner_name if len(picture.owner_name) <= 24 else f"{picture.owner_name[:23]}…"
            kind = self.chip_of(picture.owner_id)
            return kind, words.replace("%1", name), "shared-in" if kind == "plain" else ""
        if not picture.shared_with and picture.waiting_for:
            words = self.tr("%1 cannot open it yet").replace("%1", short_text(picture.waiting_for[0], 24))
            return "plain", words, "waiting"
        if not picture.shared_with:
            return "plain", self.tr("Only you"), "person"
        if picture.unverified:
            return "not-verified", self.tr("Shared with %n, not all verified", "", len(picture.shared_with)), ""
        return "verified", self.tr("Shared with %n, verified", "", len(picture.shared_with)), ""

    def _fill_menu(self) -> None:
        """Offer what can be done with the picture; made anew each time, because PySide loses entries that are kept."""
        self._menu.clear()

        def offer(icon: str, words: str, called: Callable[[], object]) -> QAction:
            return self._menu.addAction(self._icons.icon(icon, "text2", 18), words, called)

        offer("save", self.tr("Save a copy"), self.save_requested.emit).setEnabled(self.save.isEnabled())
        if self._may_share:
            offer("person-plus", self.tr("Share"), self.share_requested.emit)
        if self._may_replace:
            offer("edit", self.tr("Replace with a file…"), self.replace_requested.emit)
        offer("eye", self.info.text(), lambda: self.info_requested.emit(not self.info.isChecked()))
        offer("fit", self.tr("Full screen"), self.full_screen_requested.emit)
        if self._picture is not None and not self._picture.owner_name:
            self._menu.addSeparator()
            offer("bin", self.delete.text(), self.delete_requested.emit)
