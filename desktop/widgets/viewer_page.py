"""The viewer: one picture fills the window."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.models import Picture, PictureState, PlaceKind
from desktop.viewmodels.batches import BatchOutcome
from desktop.viewmodels.stored import StoredViewModel
from desktop.viewmodels.viewer import ViewerState, ViewerViewModel
from desktop.widgets.banner_area import BannerArea
from desktop.widgets.batch_notices import FailuresDialog, batch_notice, open_folder
from desktop.widgets.deleting import delete_question
from desktop.widgets.details_panel import DetailsPanel
from desktop.widgets.file_dialogs import choose_folder, pictures_folder
from desktop.widgets.icons import Icons
from desktop.widgets.labels import Hairline
from desktop.widgets.notices import Notice
from desktop.widgets.regions import step_control, step_region
from desktop.widgets.stage import Stage
from desktop.widgets.theme import Theme
from desktop.widgets.viewer_controls import OverlayControls, ViewerFailure
from desktop.widgets.viewer_header import COMPACT_BELOW, ViewerHeader
from desktop.widgets.viewer_keys import command_of
from desktop.widgets.viewer_stored import StoredOnStage
from desktop.widgets.viewer_waiting import WaitingForPicture


class ViewerPage(QWidget):
    """Shows the picture of a :class:`ViewerViewModel`.

    Attributes:
        header: Which picture it is and what can be done with it.
        stage: Where it lies.
        waiting: What is shown while it takes long.
        stored: The stored file's pixels, in the panel and on the stage.
        panel: What the server sees.

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
        self._icons, self._viewer = icons, viewer
        self._bin = False
        self._shown_id = ""
        self.export_folder = ""
        self.header = ViewerHeader(icons)
        self._header_line = Hairline()
        self.banners = BannerArea(icons)
        self.stage = Stage(theme)
        self.controls = OverlayControls(icons, self.stage)
        self.failure = ViewerFailure(icons, self.stage)
        self.waiting = WaitingForPicture(theme, self.stage)
        self.panel = DetailsPanel(icons)
        self.panel.hide()
        self._panel_line = Hairline(Qt.Orientation.Vertical)
        self._panel_line.hide()
        self.stored = StoredOnStage(viewer, stored, self.stage, self.panel)
        self._content = QWidget()
        main = QVBoxLayout(self._content)
        main.setContentsMargins(0, 0, 0, 0)
        main.setSpacing(0)
        for part in (self.header, self._header_line, self.banners):
            main.addWidget(part)
        main.addWidget(self.stage, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._content, 1)
        layout.addWidget(self._panel_line)
        layout.addWidget(self.panel)
        self.setFocusProxy(self.stage)
        self._connect()

    def _connect(self) -> None:
        viewer, stage, controls, header = self._viewer, self.stage, self.controls, self.header
        viewer.picture_changed.connect(self._on_picture)
        viewer.state_changed.connect(self._on_state)
        viewer.preview_ready.connect(stage.show_preview)
        viewer.image_ready.connect(self._on_image)
        viewer.facts_known.connect(self.panel.show_facts)
        viewer.progressed.connect(self.waiting.progress)
        viewer.left.connect(self._on_left)
        viewer.batch_finished.connect(self._on_batch_finished)
        self.banners.focus_lost.connect(lambda: self.stage.setFocus(Qt.FocusReason.OtherFocusReason))
        self.waiting.slow.connect(self._say_slow)
        self.waiting.moved.connect(lambda: self.banners.remove("slow"))
        stage.zoom_changed.connect(controls.pill.set_scale)
        stage.detail_wanted.connect(viewer.want_detail)
        stage.stirred.connect(controls.stir)
        controls.previous_requested.connect(viewer.previous)
        controls.next_requested.connect(viewer.next)
        controls.pill.zoom_out_requested.connect(stage.zoom_out)
        controls.pill.zoom_in_requested.connect(stage.zoom_in)
        controls.pill.fit_requested.connect(stage.fit)
        self.failure.retry_requested.connect(viewer.retry)
        header.back_requested.connect(self.go_back)
        header.save_requested.connect(self.ask_to_save)
        header.delete_requested.connect(self.ask_to_delete)
        header.share_requested.connect(lambda: self.share_requested.emit(viewer.picture))
        header.replace_requested.connect(lambda: self.replace_requested.emit(viewer.picture))
        header.full_screen_requested.connect(self.toggle_full_screen)
        header.info_requested.connect(self.set_info_shown)
        self.stored.about_to_show.connect(self.failure.hide)
        self.stored.given_back.connect(self._show_again)
        self.panel.close_requested.connect(lambda: self.set_info_shown(False))
        self.stage.installEventFilter(self)

    # -- what people do --------------------------------------------------------------------------------------------

    def set_place(self, kind: PlaceKind) -> None:
        """Say where pictures are kept."""
        self.panel.set_place(kind)
        self.header.info.set_text(self.panel.title.text())

    def set_sharing(self, possible: bool) -> None:
        """Offer to share where there are other people."""
        self.header.set_sharing(possible)
        if self._viewer.picture is not None:
            self._describe(self._viewer.picture)

    def set_bin(self, there: bool) -> None:
        """Say what deleting does: move to the bin, or delete where there is none."""
        self._bin = there
        self.header.set_bin(there)

    def toggle_stored(self) -> None:
        """Put the stored file's own pixels on the stage, or the picture again."""
        self.stored.toggle()

    def _show_again(self) -> None:
        self._shown_id = ""
        self._viewer.show_again()

    def go_back(self) -> None:
        """Leave full screen, or the viewer."""
        if self.window().isFullScreen():
            self.toggle_full_screen()
        elif self._viewer.state is ViewerState.CLOSED:
            self.closed.emit()
        else:
            self._viewer.close()

    def escape(self) -> None:
        """Close the panel, else go back."""
        if self.panel.isVisible():
            self.set_info_shown(False)
        else:
            self.go_back()

    def toggle_full_screen(self) -> None:
        """Fill the whole screen with the picture, or not any more."""
        window = self.window()
        window.setWindowState(window.windowState() ^ Qt.WindowState.WindowFullScreen)  # a maximised one stays so
        full = window.isFullScreen()
        self.header.setVisible(not full)
        self._header_line.setVisible(not full)

    def toggle_info(self) -> None:
        """Open or close the panel."""
        self.set_info_shown(not self.panel.isVisible())

    def set_info_shown(self, shown: bool) -> None:
        """Open or close the panel."""
        self.header.info.setChecked(shown)
        self.panel.setVisible(shown)
        self._arrange()
        if shown:
            self.stored.want_small()
        elif self.stored.large:
            self.stored.toggle()
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

    def regions(self) -> list[QWidget]:
        """The parts that F6 goes through, in the order of Tab."""
        return [part for part in (self.header, self.banners, self._content, self.panel) if part.isVisible()]

    def step_region(self, *, backwards: bool = False) -> None:
        """Take the keyboard to the next part."""
        step_region(self.regions(), backwards=backwards)

    def focusNextPrevChild(self, next: bool) -> bool:
        """Let Tab go through the parts in their order, and from the last one to the first."""
        stepped = step_control(self.regions(), backwards=not next, by_place=(self.banners, self.panel))
        return stepped or super().focusNextPrevChild(next)

    def event(self, event: QEvent) -> bool:
        """Take the viewer's keys before the window's shortcuts do."""
        over = event if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) else None
        if over is not None and command_of(over, self._viewer, self) is not None:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go through pictures, zoom, move, leave."""
        command = command_of(event, self._viewer, self)
        if command is None:
            super().keyPressEvent(event)
            return
        command()
        event.accept()

    # -- news ------------------------------------------------------------------------------------------------------

    def _on_picture(self) -> None:
        picture = self._viewer.picture
        if picture is None:
            return
        self._describe(picture)
        if picture.id == self._shown_id and self._viewer.state is ViewerState.READY:
            return
        self._shown_id = picture.id
        self.stored.forget()
        self.waiting.asked()
        self.failure.hide()
        self.stage.clear(QSize(picture.width, picture.height))
        self.stage.setAccessibleName(self.tr("Picture: %1").replace("%1", picture.name))
        self.panel.show_picture(picture)
        self.stored.want_small()

    def _describe(self, picture: Picture) -> None:
        self.header.show_picture(picture, self._viewer.position, self._viewer.count)
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
        self._offer()

    def _on_state(self, state: ViewerState) -> None:
        if state is ViewerState.LOADING:
            self.failure.hide()
            self.waiting.begin()
        else:
            self.waiting.end()
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

    def _say_slow(self) -> None:
        """Say why nothing is seen yet."""
        if self._viewer.state is ViewerState.LOADING and not self.panel.here:
            title = self.tr("The server has not answered yet")
            self.banners.show_notice(Notice("slow", "warn", title, self.tr("The picture appears as soon as it does.")))

    def _on_batch_finished(self, outcome: BatchOutcome) -> None:
        """Say how saving or deleting went, unless the gallery is seen and says it."""
        if self.isVisible():
            show = partial(FailuresDialog, self._icons, self)
            notice = batch_notice(outcome, lambda failed: show(failed).open(), open_folder)
            if notice is not None:
                self.banners.show_notice(notice)

    def _on_left(self) -> None:
        """Keep no decoded picture, and give the window its frame back."""
        if self.window().isFullScreen():
            self.toggle_full_screen()
        self.banners.clear()
        self._shown_id = ""
        self.stage.clear(QSize())
        self.stage.setAccessibleName("")
        self.failure.hide()
        self.stored.cancel()
        self.panel.show_picture(None)
        self.header.show_picture(None)
        self.closed.emit()

    # -- size ------------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Place what lies over the stage."""
        if watched is self.stage and event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutDirectionChange):
            self.controls.place()
            self.waiting.place()
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
        self.header.set_room(self.width() - (DetailsPanel.WIDTH if shown and not alone else 0))
