"""The people around an open vault: who is known, what waits, who has how much. Must not import widgets."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from desktop.errors import GlassineError
from desktop.models import IsCancelled, Person, PersonState, Report
from desktop.viewmodels.gallery import GalleryState

if TYPE_CHECKING:
    from desktop.client.sharing_model import ShareResult
    from desktop.tasks import Runner
    from desktop.viewmodels.circle_port import Circle, OpenCircle
    from desktop.viewmodels.gallery import GalleryViewModel
    from desktop.viewmodels.vault_port import VaultPort

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """What is known of people at one moment.

    Attributes:
        people: Everybody, by name.
        offered: Of people whose key changed: the person with the key that is offered instead.
        holders: By picture, the names of those with whom it is shared and whether one of them was never compared.
        waiting: By picture, who is to have it later.
        conflicts: Pictures of which two versions wait for a choice.
        to_reseal: Pictures that are still to be encrypted anew because somebody lost them.
    """

    people: tuple[Person, ...] = ()
    offered: dict[str, Person] = field(default_factory=dict)
    holders: dict[str, tuple[tuple[str, ...], bool]] = field(default_factory=dict)
    waiting: dict[str, tuple[Person, ...]] = field(default_factory=dict)
    conflicts: frozenset[str] = frozenset()
    to_reseal: tuple[str, ...] = ()

    @property
    def changed(self) -> list[Person]:
        """People whose key is not the pinned one."""
        return [person for person in self.people if person.state is PersonState.CHANGED]


class PeopleViewModel(QObject):
    """Opens the circle of a vault and keeps what is known of its people.

    Attributes:
        circle: None until it is open, and where there are no other people (this computer, classic accounts).
        known: As asked for last.

    Signals:
        opened(bool): whether there are other people.
        changed(): ``known`` is another.
        completed(ShareResult): what had waited is shared now.
        failed(GlassineError)
    """

    opened = Signal(bool)
    changed = Signal()
    completed = Signal(object)
    failed = Signal(object)

    def __init__(self, runner: Runner, open_circle: OpenCircle, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.runner = runner
        self._open_circle = open_circle
        self._number = 0
        self._gallery: GalleryViewModel | None = None
        self.circle: Circle | None = None
        self.known = Known()

    def follow(self, gallery: GalleryViewModel) -> None:
        """Tell the gallery with whom its pictures are shared; open the circle once its first list is there."""
        self._gallery = gallery
        gallery.state_changed.connect(self._on_gallery_state)

    def start(self, vault: VaultPort) -> None:
        """Belong to a vault. Nothing is asked before its pictures are listed."""
        self.stop()

    def stop(self) -> None:
        """Forget everybody, for locking and signing out."""
        self._number += 1
        self.circle, self.known = None, Known()
        self.opened.emit(False)
        self.changed.emit()

    def _on_gallery_state(self, state: GalleryState) -> None:
        vault = self._gallery.vault if self._gallery is not None else None
        if state is not GalleryState.READY or vault is None:
            return
        if self.circle is not None:
            self.refresh()
        else:
            self._submit(_open, (self._open_circle, vault), self._on_opened)

    def _on_opened(self, circle: Circle | None) -> None:
        self.circle = circle
        self.opened.emit(circle is not None)
        if circle is not None:
            self.refresh()
            self.complete_waiting()

    def refresh(self) -> None:
        """Look again at what is remembered of people; the server is not asked."""
        if self.circle is not None:
            self._submit(_look, (self.circle,), self._on_known)

    def complete_waiting(self) -> None:
        """Share what waits with people who have a key meanwhile, and encrypt anew what a stop has left over."""
        if self.circle is not None:
            self._submit(_complete, (self.circle,), self._on_completed, pool="network")

    def _on_known(self, known: Known) -> None:
        self.known = known
        if self._gallery is not None:
            self._gallery.mark(known.holders, known.conflicts, known.waiting)
        self.changed.emit()

    def _on_completed(self, result: ShareResult | None) -> None:
        if result is not None:
            self.refresh()
            if result.shared:
                self.completed.emit(result)

    def _submit(
        self,
        work: Callable[..., Any],
        arguments: tuple[Any, ...],
        then: Callable[[Any], None],
        *,
        pool: str = "view",
    ) -> None:
        number = self._number
        task = self.runner.submit(work, *arguments, pool=pool)

        def succeeded(result: Any) -> None:
            if number == self._number:
                then(result)

        def failed(error: GlassineError) -> None:
            if number == self._number:
                log.warning("people: %s %s", error.code, error.details)
                self.failed.emit(error)

        task.succeeded.connect(succeeded)
        task.failed.connect(failed)


def _open(open_circle: OpenCircle, vault: VaultPort, report: Report, cancelled: IsCancelled) -> Circle | None:
    return open_circle(vault)


def look(circle: Circle) -> Known:
    """Ask the memory, not the server."""
    sharing = circle.sharing
    people = tuple(sharing.people())
    offered: dict[str, Person] = {}
    for person in people:
        if person.state is PersonState.CHANGED and (other := sharing.offered(person.user_id)) is not None:
            offered[person.user_id] = other
    waiting: dict[str, tuple[Person, ...]] = {}
    for picture_id, person, _ in sharing.waiting():
        waiting[picture_id] = (*waiting.get(picture_id, ()), person)
    conflicts = frozenset(kept.picture_id for kept in circle.revising.kept() if kept.moved)
    names = {person.user_id: person.name for person in people}
    holders = {
        picture_id: (tuple(sorted((names.get(one, "") for one in user_ids), key=str.casefold)), unverified)
        for picture_id, (user_ids, unverified) in sharing.holders().items()
    }
    return Known(people, offered, holders, waiting, conflicts, tuple(sharing.unfinished()))


def _look(circle: Circle, report: Report, cancelled: IsCancelled) -> Known:
    return look(circle)


def _complete(circle: Circle, report: Report, cancelled: IsCancelled) -> ShareResult | None:
    """Do what was left over; each is tried for itself, and silence is no news: it is tried at the next start."""
    sharing = circle.sharing
    result: ShareResult | None = None
    if sharing.waiting():
        result = sharing.complete_waiting(report, cancelled)
    if sharing.unfinished():
        sharing.finish(report, cancelled)
    circle.revising.send_kept(report, cancelled)
    return result
