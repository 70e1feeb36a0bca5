"""What the server sees of a picture, beside what the person sees."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from desktop.models import Picture, PlaceKind, Scheme
from desktop.viewmodels.wording import short_day_text, short_moment_text, size_text
from desktop.widgets.icons import Icons
from desktop.widgets.labels import ElidedLabel, Hairline, IconLabel, Label
from desktop.widgets.page_parts import SidePanel
from desktop.widgets.scroll_page import ScrollPage
from desktop.widgets.theme import Space

ROW_HEIGHT = 30


class DetailsPanel(SidePanel):
    """The side panel of the viewer: a table of what is known here and what is known where the picture is kept."""

    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(icons, "", parent)
        self._icons = icons
        self._picture: Picture | None = None
        self._kind = PlaceKind.SERVER
        self._page = ScrollPage()
        self._table: QWidget | None = None
        self._holder = QVBoxLayout(self._page.content)
        self._holder.setContentsMargins(Space.LARGE, Space.SMALL, Space.LARGE, Space.LARGE)
        self._holder.addStretch(1)
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
        """Fill the table."""
        self._picture = picture
        if self._table is not None:
            self._table.hide()
            self._table.deleteLater()
            self._table = None
        if picture is not None:
            self._table = self._make_table(picture)
            self._holder.insertWidget(0, self._table)

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
        size = f"{picture.width} × {picture.height}" if picture.width else self.tr("not known")
        taken = short_day_text(picture.taken) if picture.taken is not None else self.tr("not known")
        added = short_moment_text(picture.added.astimezone().replace(tzinfo=None))
        return [
            (self.tr("Name"), picture.name, f"{picture.stored_name}.png"),
            (self.tr("Picture"), size, size if classic else ""),
            (self.tr("Kind"), picture.media_type, "image/png"),
            (self.tr("Taken"), taken, ""),
            (
                self.tr("Size"),
                size_text(picture.size),
                self.tr("about %1").replace("%1", size_text(picture.stored_size)),
            ),
            (self.tr("Stored"), added, added),
            (self.tr("Opened by"), self.tr("you"), self.tr("you")),
        ]

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
