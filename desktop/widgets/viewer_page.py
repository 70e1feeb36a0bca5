"""The viewer: one picture fills the window."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QImage, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from desktop.models import Picture, PictureState, PlaceKind, Scheme
from desktop.viewmodels.batches import BatchOutcome
from desktop.viewmodels.stored import StoredViewModel
from desktop.viewmodels.viewer import ViewerState, ViewerViewModel
from desktop.viewmodels.wording import moment_text, number_text, short_text
from desktop.widgets.batch_notices import FailuresDialog, batch_notice, open_folder
from desktop.widgets.buttons import ghost_button
from desktop.widgets.deleting import delete_question
from desktop.widgets.details_panel import DetailsPanel
from desktop.widgets.file_dialogs import choose_folder, pictures_folder
from desktop.widgets.icons import Icons
from desktop.widgets.labels import ElidedLabel, Hairline
from desktop.widgets.marks import Chip, ChipButton, ProgressBar4
from desktop.widgets.notices import BannerArea, Notice
from desktop.widgets.page_parts import HEADER_HEIGHT
from desktop.widgets.stage import Stage
from desktop.widgets.theme import Space, Theme
from desktop.widgets.viewer_controls import OverlayControls, ViewerFailure

COMPACT_BELOW: Final = 880
BAR_AFTER_MS: Final = 300
SLOW_AFTER_MS: Final = 3000
PAN_STEP: Final = 80


class ViewerPage(QWidget):
    """Shows the picture of a :class:`ViewerViewModel`.

    Signals:
        closed(): the person went back.
        export_requested(Picture, Path folder), delete_requested(Picture): the person has chosen or confirmed it.
        share_requested(Picture), replace_requested(Picture), choose_requested(Picture): of two versions.
    """

    closed = Signal()
    export_requested = Signal(object, object)
    delete_requested = Signal(object)
    share_requested = Signal(object)
    replace_requested = Signal(object)
    choose_requested = Signal(object)

    def __init__(
        self,
        theme: Theme,
        icons: Icons,
        viewer: ViewerViewModel,
        parent: QWidget | None = None,
        *,
        stored: StoredViewModel | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._icons, self._viewer = theme, icons, viewer
        self._stored, self._stored_on_stage = stored, False
        self._sharing, self._bin = False, False
        self.chip_of: Callable[[str], str] = lambda user_id: "plain"
        self._shown_id = ""
        self.export_folder = ""
        self._make_header()
        self.stage = Stage(theme)
        self.controls = OverlayControls(icons, self.stage)
        self.failure = ViewerFailure(icons, self.stage)
        self.bar = ProgressBar4(theme, parent=self.stage)
        self.bar.setAccessibleName(self.tr("Opening the picture"))
        self.bar.hide()
        self._bar_timer = QTimer(self)
        self._bar_timer.setSingleShot(True)
        self._bar_timer.setInterval(BAR_AFTER_MS)
        self._bar_timer.timeout.connect(self._show_bar)
        self._slow_timer = QTimer(self)
        self._slow_timer.setSingleShot(True)
        self._slow_timer.setInterval(SLOW_AFTER_MS)
        self._slow_timer.timeout.connect(self._say_slow)
        self.panel = DetailsPanel(icons)
        self.panel.hide()
        self._panel_line = Hairline(Qt.Orientation.Vertical)
        self._panel_line.hide()
        self._content = QWidget()
        main = QVBoxLayout(self._content)
        main.setContentsMargins(0, 0, 0, 0)
        main.setSpacing(0)
        main.addWidget(self.header)
        main.addWidget(self._header_line)
        self.banners = BannerArea(icons)
        main.addWidget(self.banners)
        main.addWidget(self.stage, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._content, 1)
        layout.addWidget(self._panel_line)
        layout.addWidget(self.panel)
        self.setFocusProxy(self.stage)
        self._connect()

    def _make_header(self) -> None:
        icons = self._icons
        self.header = QWidget()
        self.header.setFixedHeight(HEADER_HEIGHT)
        self._header_line = Hairline()
        self.back = ghost_button(icons, "chevron-left", self.tr("Back to the gallery"))
        self._name, self._when = ElidedLabel("", "strong"), ElidedLabel("", "caption", mode=Qt.TextElideMode.ElideRight)
        self._who = ChipButton(icons, "plain", self.tr("Only you"), icon="person")
        self._who.set_usable(False)
        self._who.pressed.connect(self._on_who)
        self.share = ghost_button(icons, "person-plus", self.tr("Share"))
        self.share.hide()
        self._unprotected = Chip(icons, "unprotected", self.tr("Unprotected"))
        self.save = ghost_button(icons, "save", self.tr("Save a copy"))
        self.delete = ghost_button(icons, "bin", self.tr("Delete"))
        self.info = ghost_button(icons, "eye", self.tr("What the server sees"))
        self.info.setCheckable(True)
        self.more = ghost_button(icons, "more", self.tr("More"))
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.more.setMenu(self._menu)
        words = QVBoxLayout()
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(0)
        words.addStretch(1)
        words.addWidget(self._name)
        words.addWidget(self._when)
        words.addStretch(1)
        row = QHBoxLayout(self.header)
        row.setContentsMargins(Space.MEDIUM, 0, Space.MEDIUM, 0)
        row.setSpacing(Space.TIGHT)
        row.addWidget(self.back)
        row.addLayout(words, 1)
        for chip in (self._unprotected, self._who):
            row.addWidget(chip)
            row.addSpacing(Space.TIGHT)
        for button in (self.share, self.save, self.delete, self.info, self.more):
            row.addWidget(button)

    def _connect(self) -> None:
        viewer, stage, controls = self._viewer, self.stage, self.controls
        viewer.picture_changed.connect(self._on_picture)
        viewer.state_changed.connect(self._on_state)
        viewer.preview_ready.connect(stage.show_preview)
        viewer.image_ready.connect(self._on_image)
        viewer.progressed.connect(self._on_progress)
        viewer.left.connect(self._on_left)
        viewer.batch_finished.connect(self._on_batch_finished)
        stage.zoom_changed.connect(controls.pill.set_scale)
        stage.detail_wanted.connect(viewer.want_detail)
        stage.stirred.connect(controls.stir)
        controls.previous_requested.connect(viewer.previous)
        controls.next_requested.connect(viewer.next)
        controls.pill.zoom_out_requested.connect(stage.zoom_out)
        controls.pill.zoom_in_requested.connect(stage.zoom_in)
        controls.pill.fit_requested.connect(stage.fit)
        self.failure.retry_requested.connect(viewer.retry)
        self.back.clicked.connect(self.go_back)
        self.save.clicked.connect(self.ask_to_save)
        self.delete.clicked.connect(self.ask_to_delete)
        self.share.clicked.connect(self._on_who)
        self.panel.large_wanted.connect(self.toggle_stored)
        if self._stored is not None:
            self._stored.ready.connect(self._on_stored)
            self._stored.failed.connect(self.panel.show_stored_error)
        self.info.clicked.connect(self.set_info_shown)
        self.panel.close_requested.connect(lambda: self.set_info_shown(False))
        self.stage.installEventFilter(self)

    # -- what people do --------------------------------------------------------------------------------------------

    def set_place(self, kind: PlaceKind) -> None:
        """Say where pictures are kept."""
        self.panel.set_place(kind)
        words = self.panel.title.text()
        self.info.set_text(words)

    def set_sharing(self, possible: bool) -> None:
        """Offer to share where there are other people."""
        self._sharing = possible
        if self._viewer.picture is not None:
            self._describe(self._viewer.picture)

    def set_bin(self, there: bool) -> None:
        """Say what deleting does: move to the bin, or delete where there is none."""
        self._bin = there
        words = self.tr("Move to bin") if there else self.tr("Delete")
        self.delete.set_text(words)

    def _on_who(self) -> None:
        picture = self._viewer.picture
        if picture is not None and self._may_share(picture):
            self.share_requested.emit(picture)

    def _on_replace(self) -> None:
        if self._viewer.picture is not None:
            self.replace_requested.emit(self._viewer.picture)

    def _may_share(self, picture: Picture) -> bool:
        own = not picture.owner_name and picture.scheme is Scheme.SEALED
        return self._sharing and own and picture.state is PictureState.READY

    def _may_replace(self, picture: Picture) -> bool:
        return picture.role == "write" or self._may_share(picture)

    def toggle_stored(self) -> None:
        """Put the stored file's own pixels on the stage, or the picture again."""
        picture = self._viewer.picture
        if picture is None or self._stored is None:
            return
        if self._stored_on_stage:
            self._stored_on_stage = False
            self.panel.set_large(False)
            self._shown_id = ""
            self._viewer.show_again()
        else:
            self._stored.want(picture, large=True)

    def _want_stored(self) -> None:
        picture = self._viewer.picture
        if self._stored is not None and picture is not None and self.panel.isVisible():
            self._stored.want(picture)

    def _on_stored(self, picture_id: str, image: QImage, large: bool) -> None:
        picture = self._viewer.picture
        if picture is None or picture.id != picture_id:
            return
        classic = picture.scheme is Scheme.CLASSIC
        if not large:
            self.panel.show_stored(picture_id, image, whole=classic)
            return
        # enlarged here, pixel by pixel, and shown at 100 %: smoothing would turn noise to grey
        shown = image if classic else image.scaled(image.size() * 2)
        self._stored_on_stage = True
        self.panel.set_large(True)
        self.failure.hide()
        self.stage.clear(shown.size())
        self.stage.show_image(shown, shown.size())
        if not classic:
            self.stage.zoom_to(1.0)

    def go_back(self) -> None:
        """Leave full screen, or the viewer."""
        window = self.window()
        if window.isFullScreen():
            self.toggle_full_screen()
            return
        if self._viewer.state is ViewerState.CLOSED:
            self.closed.emit()
        else:
            self._viewer.close()

    def toggle_full_screen(self) -> None:
        """Fill the whole screen with the picture, or not any more."""
        window = self.window()
        full = not window.isFullScreen()
        if full:
            window.showFullScreen()
        else:
            window.showNormal()
        self.header.setVisible(not full)
        self._header_line.setVisible(not full)

    def toggle_info(self) -> None:
        """Open or close the panel."""
        self.set_info_shown(not self.panel.isVisible())

    def set_info_shown(self, shown: bool) -> None:
        """Open or close the panel."""
        self.info.setChecked(shown)
        self.panel.setVisible(shown)
        self._arrange()
        if shown:
            self._want_stored()
        elif self._stored_on_stage:
            self.toggle_stored()
        if not shown:
            self.stage.setFocus(Qt.FocusReason.OtherFocusReason)
        elif self._content.isHidden():
            self.panel.setFocus(Qt.FocusReason.OtherFocusReason)

    def ask_to_save(self) -> None:
        """Ask for a folder and save a copy there."""
        picture = self._viewer.picture
        if picture is None or picture.state is not PictureState.READY:
            return
        start = Path(self.export_folder) if self.export_folder else pictures_folder()
        title = self.tr("Save a copy in…")
        choose_folder(self, title, start, lambda folder: self.export_requested.emit(picture, folder))

    def ask_to_delete(self) -> None:
        """Move the picture to the bin, or ask and delete it where there is none; not one of somebody else."""
        picture = self._viewer.picture
        if picture is None or picture.owner_name:
            return
        if self._bin:
            self.delete_requested.emit(picture)
        else:
            question = delete_question(self._icons, self, 1, here=self.panel.here)
            question.accepted.connect(lambda: self.delete_requested.emit(picture))
            question.open()

    # -- keys ------------------------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Take the viewer's keys before the window's shortcuts do."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._action(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go through pictures, zoom, move, leave."""
        action = self._action(event)
        if action is None:
            super().keyPressEvent(event)
            return
        action()
        event.accept()

    def _action(self, event: QKeyEvent) -> Callable[[], None] | None:
        key, modifiers = Qt.Key(event.key()), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        viewer, stage = self._viewer, self.stage
        mirrored = self.isRightToLeft()
        if modifiers == Qt.KeyboardModifier.ShiftModifier and key in _PANS:
            dx, dy = _PANS[key]
            return lambda: stage.pan(-dx * PAN_STEP, -dy * PAN_STEP)
        if modifiers == Qt.KeyboardModifier.ShiftModifier and key == Qt.Key.Key_Space:
            return viewer.previous
        if modifiers == Qt.KeyboardModifier.ControlModifier and key == Qt.Key.Key_S:
            return self.ask_to_save
        if modifiers & ~Qt.KeyboardModifier.ShiftModifier:
            return None
        plain: dict[Qt.Key, Callable[[], None]] = {
            Qt.Key.Key_Left: viewer.next if mirrored else viewer.previous,
            Qt.Key.Key_Right: viewer.previous if mirrored else viewer.next,
            Qt.Key.Key_PageUp: viewer.previous,
            Qt.Key.Key_PageDown: viewer.next,
            Qt.Key.Key_Backspace: viewer.previous,
            Qt.Key.Key_Home: viewer.first,
            Qt.Key.Key_End: viewer.last,
            Qt.Key.Key_1: stage.fit,
            Qt.Key.Key_2: lambda: stage.zoom_to(1.0),
            Qt.Key.Key_3: lambda: stage.zoom_to(2.0),
            Qt.Key.Key_Plus: stage.zoom_in,
            Qt.Key.Key_Equal: stage.zoom_in,
            Qt.Key.Key_Minus: stage.zoom_out,
            Qt.Key.Key_I: self.toggle_info,
            Qt.Key.Key_S: self.toggle_stored,
            Qt.Key.Key_F11: self.toggle_full_screen,
            Qt.Key.Key_Delete: self.ask_to_delete,
            Qt.Key.Key_Escape: self._escape,
        }
        if key == Qt.Key.Key_Space and not isinstance(self.focusWidget(), QToolButton):
            return viewer.next
        return plain.get(key)

    def _escape(self) -> None:
        if self.panel.isVisible():
            self.set_info_shown(False)
        else:
            self.go_back()

    # -- news ------------------------------------------------------------------------------------------------------

    def _on_picture(self) -> None:
        picture = self._viewer.picture
        if picture is None:
            return
        self._describe(picture)
        if picture.id == self._shown_id and self._viewer.state is ViewerState.READY:
            return
        self._shown_id = picture.id
        self._stored_on_stage = False
        self.panel.set_large(False)
        self._not_slow()
        self._slow_timer.start()
        self.failure.hide()
        self.stage.clear(QSize(picture.width, picture.height))
        self.stage.setAccessibleName(self.tr("Picture: %1").replace("%1", picture.name))
        self.panel.show_picture(picture)
        self._want_stored()

    def _describe(self, picture: Picture) -> None:
        viewer = self._viewer
        place = self.tr("%1 of %2")
        place = place.replace("%1", number_text(viewer.position)).replace("%2", number_text(viewer.count))
        self._name.setText(picture.name)
        self._when.setText(f"{moment_text(picture.when)} · {place}")
        self._unprotected.setVisible(picture.scheme is Scheme.CLASSIC)
        kind, words, icon = self._who_words(picture)
        self._who.set_state(kind, words, icon=icon)
        self._who.set_usable(self._may_share(picture))
        self._who.setToolTip(self.tr("Share, or see who has it") if self._may_share(picture) else "")
        self.delete.setEnabled(not picture.owner_name)
        if picture.conflict:
            self.banners.show_notice(
                Notice(
                    "conflict",
                    "warn",
                    self.tr("There are two versions of this picture"),
                    self.tr("Both are kept until you choose."),
                    icon="copy",
                    action=self.tr("Choose"),
                    on_action=lambda: self.choose_requested.emit(picture),
                )
            )
        else:
            self.banners.remove("conflict")
        self._arrange()
        self.save.setEnabled(picture.state is PictureState.READY)
        self._offer()

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
            return "not-verified", self.tr("Shared with %n, not all verified", "", picture.shared_with), ""
        return "verified", self.tr("Shared with %n, verified", "", picture.shared_with), ""

    def _on_state(self, state: ViewerState) -> None:
        if state is not ViewerState.LOADING:
            self._not_slow()
        if state is ViewerState.LOADING:
            self.failure.hide()
            self.bar.set_progress(0, 0)
            self._bar_timer.start()
        else:
            self._bar_timer.stop()
            self.bar.hide()
        if state is ViewerState.FAILED and self._viewer.error is not None and self._viewer.picture is not None:
            refused = self._viewer.picture.state is PictureState.REFUSED
            self.stage.clear(QSize())
            self.failure.show_error(self._viewer.error, refused=refused, again=not refused)
            self.failure.place(self.stage)
        self._offer()

    def _offer(self) -> None:
        viewer = self._viewer
        self.controls.set_usable(
            previous=viewer.has_previous, following=viewer.has_next, zoom=viewer.state is not ViewerState.FAILED
        )

    def _on_image(self, image: QImage, full: QSize) -> None:
        self.stage.show_image(image, full)

    def _on_progress(self, share: float) -> None:
        self._not_slow()
        self.bar.set_progress(round(share * 1000), 1000)

    def _say_slow(self) -> None:
        """Say why nothing is seen yet."""
        if self._viewer.state is ViewerState.LOADING and not self.panel.here:
            title = self.tr("The server has not answered yet")
            self.banners.show_notice(Notice("slow", "warn", title, self.tr("The picture appears as soon as it does.")))

    def _not_slow(self) -> None:
        self._slow_timer.stop()
        self.banners.remove("slow")

    def _show_bar(self) -> None:
        if self._viewer.state is ViewerState.LOADING:
            self.bar.show()
            self.bar.raise_()

    def _on_batch_finished(self, outcome: BatchOutcome) -> None:
        """Say how saving or deleting went, unless the gallery is seen and says it."""
        if self.isVisible():
            show = partial(FailuresDialog, self._icons, self)
            notice = batch_notice(outcome, lambda failed: show(failed).open(), open_folder)
            if notice is not None:
                self.banners.show_notice(notice)

    def _on_left(self) -> None:
        """Keep no decoded picture."""
        self.banners.clear()
        self._shown_id = ""
        self.stage.clear(QSize())
        self.failure.hide()
        if self._stored is not None:
            self._stored.cancel()
        self._stored_on_stage = False
        self.panel.show_picture(None)
        self._name.setText("")
        self._when.setText("")
        self.closed.emit()

    # -- size ------------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Place what lies over the stage."""
        if watched is self.stage and event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutDirectionChange):
            self.controls.place()
            self.bar.setGeometry(0, 0, self.stage.width(), 4)
            self.failure.place(self.stage)
            self._viewer.set_bounds(self.stage.room())
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Move actions into More where the header is narrow."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        alone = self.width() < COMPACT_BELOW
        self.panel.set_in_place_of_content(alone)
        shown = self.panel.isVisible()
        self._panel_line.setVisible(shown and not alone)
        self._content.setHidden(shown and alone)
        room = self.width() - (DetailsPanel.WIDTH if shown and not alone else 0)
        compact = room < COMPACT_BELOW
        for button in (self.delete, self.info):
            button.setVisible(not compact)
        picture = self._viewer.picture
        self.share.setVisible(not compact and picture is not None and self._may_share(picture))
        self._who.setVisible(room >= 640)

    def _fill_menu(self) -> None:
        """Offer what can be done with the picture; made anew each time, because PySide loses entries that are kept."""
        picture = self._viewer.picture
        self._menu.clear()

        def offer(icon: str, words: str, called: Callable[[], object]) -> QAction:
            return self._menu.addAction(self._icons.icon(icon, "text2", 18), words, called)

        offer("save", self.tr("Save a copy"), self.ask_to_save).setEnabled(self.save.isEnabled())
        if picture is not None and self._may_share(picture):
            offer("person-plus", self.tr("Share"), self._on_who)
        if self._sharing and picture is not None and self._may_replace(picture):
            offer("edit", self.tr("Replace with a file…"), self._on_replace)
        offer("eye", self.panel.title.text(), self.toggle_info)
        offer("fit", self.tr("Full screen"), self.toggle_full_screen)
        if picture is not None and not picture.owner_name:
            self._menu.addSeparator()
            offer("bin", self.delete.text(), self.ask_to_delete)


_PANS: Final = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
