"""What the server sees of a picture, beside what the person sees."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QCoreApplication, QLocale, Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from desktop.errors import GlassineError
from desktop.image_facts import ImageFacts
from desktop.models import Picture, PlaceKind, Scheme
from desktop.viewmodels.wording import (
    dimensions_text,
    number_text,
    place_text,
    short_day_text,
    short_moment_text,
    size_text,
)
from desktop.widgets.buttons import link_button
from desktop.widgets.icons import Icons
from desktop.widgets.labels import ElidedLabel, Hairline, IconLabel, Label
from desktop.widgets.page_parts import SidePanel
from desktop.widgets.scroll_page import ScrollPage
from desktop.widgets.stored_pixels_view import StoredPixelsView
from desktop.widgets.theme import Space

ROW_HEIGHT = 30
MOST_NAMES = 3
"""More people are counted, not named."""


class DetailsPanel(SidePanel):
    """The side panel of the viewer: what is stored, drawn, and a table of what is known here and there.

    Signals:
        large_wanted(): put the stored pixels on the stage, or take them off again.
    """

    large_wanted = Signal()

    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(icons, "", parent)
        self._icons = icons
        self._picture: Picture | None = None
        self._facts: ImageFacts | str = ""
        self._kind = PlaceKind.SERVER
        self._page = ScrollPage()
        self._table: QWidget | None = None
        self._large = False
        self.account_name = ""
        self.pixels = StoredPixelsView(icons.theme)
        self._pixels_words = ElidedLabel("", "caption", mode=Qt.TextElideMode.ElideRight)
        self.large = link_button("")
        self.large.clicked.connect(self.large_wanted)
        self._stored = QWidget()
        self._stored.setMaximumWidth(self.pixels.maximumWidth())
        stored = QVBoxLayout(self._stored)
        stored.setContentsMargins(0, Space.SMALL, 0, Space.TIGHT)
        stored.setSpacing(Space.TIGHT)
        stored.addWidget(self.pixels)
        below = QHBoxLayout()
        below.addWidget(self._pixels_words, 1)
        below.addWidget(self.large)
        stored.addLayout(below)
        self._holder = QVBoxLayout(self._page.content)
        self._holder.setContentsMargins(Space.LARGE, Space.SMALL, Space.LARGE, Space.LARGE)
        self._holder.addWidget(self._stored)
        self._holder.addStretch(1)
        self.set_large(False)
        self.body.addWidget(self._page, 1)
        self.set_place(PlaceKind.SERVER)

    @property
    def here(self) -> bool:
        """Whether pictures are kept on this computer."""
        return self._kind is PlaceKind.THIS_COMPUTER

    def set_place(self, kind: PlaceKind) -> None:
        """Say where pictures are kept."""
        self._kind = kind
        title = self.tr("What is on this disk") if self.here else self.tr("What the server sees")
        self.title.setText(title)
        self.setAccessibleName(title)
        self.show_picture(self._picture)

    def show_picture(self, picture: Picture | None) -> None:
        """Fill the table; the stored pixels follow."""
        if picture is None or self._picture is None or picture.id != self._picture.id:
            self.pixels.show_image(None)
            self._pixels_words.setText("")
            self._facts = "…"
        self._picture = picture
        self._fill()

    def show_facts(self, facts: ImageFacts | None) -> None:
        """Say what the opened picture's file says; None when it cannot be opened."""
        if self._picture is not None and self._picture.scheme is not Scheme.CLASSIC:
            self._facts = facts if facts is not None else self.tr("not known")
            self._fill()

    def show_stored_facts(self, picture_id: str, facts: ImageFacts) -> None:
        """Say what the stored file of a classic picture says; whoever keeps it reads the same."""
        if self._picture is not None and self._picture.id == picture_id:
            self._facts = facts
            self._fill()

    def _fill(self) -> None:
        picture = self._picture
        if self._table is not None:
            self._table.hide()
            self._table.deleteLater()
            self._table = None
        if picture is not None:
            self._table = self._make_table(picture)
            self._holder.insertWidget(1, self._table)

    def show_stored(self, picture_id: str, image: QImage, *, whole: bool) -> None:
        """Draw the stored pixels; ``whole`` for a classic picture, whose outlines show through."""
        if self._picture is None or picture_id != self._picture.id:
            return
        self.pixels.show_image(image, whole=whole)
        words = self.tr("The stored file, all of it: outlines show through") if whole else ""
        size = self.pixels.sizeHint()
        if not words and (2 * image.width() < size.width() or 2 * image.height() < size.height()):
            words = self.tr("The stored file, all of it, at 200 %")
        self._pixels_words.setText(words or self.tr("The stored file, part of it, at 200 %"))
        self.pixels.setAccessibleName(self._pixels_words.text())

    def show_stored_error(self, picture_id: str, error: GlassineError) -> None:
        """Say that the stored file cannot be drawn."""
        if self._picture is not None and picture_id == self._picture.id:
            self._pixels_words.setText(f"{error.title} ({error.code})")
            if self._picture.scheme is Scheme.CLASSIC:
                self._facts = self.tr("not known")
                self._fill()

    def set_large(self, large: bool) -> None:
        """Say what the link does."""
        self._large = large
        self.large.setText(self.tr("Show the picture") if large else self.tr("Show it large"))
        self.large.setToolTip(self.tr("S switches between the two"))

    def _make_table(self, picture: Picture) -> QWidget:
        table = QWidget()
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(Space.MEDIUM)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        for column, words in ((1, self.tr("You")), (2, self.tr("This disk") if self.here else self.tr("The server"))):
            heading = Label(words, "strong")
            heading.setMinimumHeight(ROW_HEIGHT)
            grid.addWidget(heading, 0, column)
        line = 1
        for name, mine, theirs in self._rows(picture):
            grid.addWidget(Hairline(), line, 0, 1, 3)
            caption = Label(name, "caption")
            caption.setMinimumHeight(ROW_HEIGHT)
            grid.addWidget(caption, line + 1, 0)
            grid.addWidget(ElidedLabel(mine), line + 1, 1)
            grid.addWidget(self._theirs(theirs), line + 1, 2)
            line += 2
        note = QFrame()
        row = QHBoxLayout(note)
        row.setContentsMargins(0, Space.LARGE, 0, 0)
        row.setSpacing(Space.SMALL)
        row.addWidget(IconLabel(self._icons, "info", "text2", 16), 0, Qt.AlignmentFlag.AlignTop)
        words = (
            self.tr("Whoever can read this disk also sees when files were added and how large they are.")
            if self.here
            else self.tr("The server also notes when and from where you sign in, and which stored files you fetch.")
        )
        row.addWidget(Label(words, "caption", wrap=True), 1)
        grid.addWidget(note, line, 0, 1, 3)
        return table

    def _rows(self, picture: Picture) -> list[tuple[str, str, str]]:
        """Name, what the person sees, what is seen where it is kept (empty: not visible)."""
        classic = picture.scheme is Scheme.CLASSIC
        size = dimensions_text(picture.width, picture.height) if picture.width else self.tr("not known")
        taken, place, camera = self._told(picture)
        added = short_moment_text(picture.added.astimezone().replace(tzinfo=None))
        return [
            (self.tr("Name"), picture.name, f"{picture.stored_name}.png"),
            (self.tr("Picture"), size, size if classic else ""),
            (self.tr("Kind"), picture.media_type, "image/png"),
            (self.tr("Taken"), taken, taken if classic else ""),
            (self.tr("Place"), place, place if classic else ""),
            (self.tr("Camera"), camera, camera if classic else ""),
            (
                self.tr("Size"),
                size_text(picture.size),
                self.tr("about %1").replace("%1", size_text(picture.stored_size)),
            ),
            (self.tr("Stored"), added, added),
            (self.tr("Owner"), picture.owner_name or self.tr("you"), picture.owner_name or self._account()),
            # sharing is no secret from whoever keeps it
            (self.tr("Opened by"), self._openers(picture, self.tr("you")), self._openers(picture, self._account())),
            *([(self.tr("Revision"), revision, revision)] if (revision := _revision(picture)) else []),
        ]

    def _told(self, picture: Picture) -> tuple[str, str, str]:
        """What the file says of the photograph: when, where, with what."""
        facts = self._facts
        taken = short_day_text(picture.taken) if picture.taken is not None else ""
        if isinstance(facts, str):
            return taken or facts, facts, facts
        if not taken and facts.taken:
            taken = short_day_text(datetime.fromisoformat(facts.taken))
        place = place_text(*facts.place) if facts.place is not None else ""
        absent = self.tr("not in the file")
        return taken or absent, place or absent, facts.camera or absent

    def _account(self) -> str:
        return self.account_name or self.tr("you")

    def _openers(self, picture: Picture, you: str) -> str:
        """Who can open it, by name where these are few; ``you`` is what the person is called."""
        if picture.owner_name:
            return self.tr("%1, %2").replace("%1", picture.owner_name).replace("%2", you)
        names = picture.shared_with
        if all(names) and len(names) <= MOST_NAMES:
            return QLocale().createSeparatedList([you, *names])
        return self.tr("%1 and %n others", "", len(picture.shared_with)).replace("%1", you)

    def _theirs(self, words: str) -> QWidget:
        if words:
            label = ElidedLabel(words)
            if words.startswith("p-"):
                label.setFont(self._icons.theme.mono())
            return label
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(IconLabel(self._icons, "eye-off", "text2", 16))
        row.addWidget(Label(self.tr("not visible"), "caption"), 1)
        return holder


def _revision(picture: Picture) -> str:
    """Which revision it is, as everybody sees who keeps it; since when its keys are new is no secret either."""
    if not picture.revision_number:
        return ""
    words, renewed = number_text(picture.revision_number), picture.epoch - 1
    if renewed < 1:
        return words
    return QCoreApplication.translate("DetailsPanel", "%1 (%n new keys)", None, renewed).replace("%1", words)
