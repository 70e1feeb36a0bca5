"""What others share with the account: who, what waits for a decision, the gallery of it. Must not import widgets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal

from desktop.errors import GlassineError, KeyChanged
from desktop.models import IsCancelled, Person, PictureState, Report
from desktop.viewmodels.gallery import GalleryState, GalleryViewModel
from desktop.viewmodels.place_vaults import SharedVault

if TYPE_CHECKING:
    from desktop.client.sharing_model import Sender
    from desktop.viewmodels.circle_port import Circle, SharedPort
    from desktop.viewmodels.people import PeopleViewModel
    from desktop.viewmodels.vault_port import PicturesPort


class SharedViewModel(GalleryViewModel):
    """Pictures of others, and the people they are from.

    Attributes:
        senders: Everybody who shares, by name, as of the last listing.
        person: Whose pictures are shown; empty: everybody's.

    Signals:
        senders_changed()
        deciding_failed(Person or None, GlassineError): accepting or declining did not work.
    """

    senders_changed = Signal()
    deciding_failed = Signal(object, object)

    def start(self, vault: PicturesPort) -> None:
        """Belong to a vault; what is shared is listed when its people are known."""
        self.stop()

    def stop(self) -> None:
        """Forget everything."""
        self.senders: list[Sender] = []
        self.person = ""
        self._deciding = False
        super().stop()
        self.senders_changed.emit()

    def follow_people(self, people: PeopleViewModel, gallery: GalleryViewModel) -> None:
        """Begin when there are people around the vault."""
        self._people = people

        def opened(there: bool) -> None:
            if there and people.circle is not None and gallery.vault is not None:
                self._vault = SharedVault(gallery.vault, people.circle.shared)
                self.thumbnails.start(self._vault)
                self.reload()

        people.opened.connect(opened)
        people.changed.connect(self._mark)
        self.state_changed.connect(self._on_listed)

    def _mark(self) -> None:
        self.mark({}, self._people.known.conflicts)

    @property
    def circle(self) -> Circle | None:
        """The people around the vault."""
        return self._people.circle

    @property
    def waiting(self) -> list[Sender]:
        """Who waits for a decision."""
        return [sender for sender in self.senders if not sender.accepted and not sender.declined]

    @property
    def declined(self) -> list[Sender]:
        """Of whom nothing is listed, because the person wanted so."""
        return [sender for sender in self.senders if sender.declined]

    def show_person(self, user_id: str) -> None:
        """Show only what one person shares; an empty id shows all."""
        self.person = user_id
        self.set_filter(user_id, (lambda picture: picture.owner_id == user_id) if user_id else None)

    def _on_listed(self, state: GalleryState) -> None:
        if state is GalleryState.READY and self.circle is not None:
            self._ask_for_opened()
            self._submit(_senders, (self.circle.shared,), self._on_senders, self.load_failed.emit)

    def _ask_for_opened(self) -> None:
        """Ask again for thumbnails that there were none of while their sender waited for a decision."""
        opened = [
            picture.id
            for picture in self.all_pictures()
            if picture.state is not PictureState.UNDECODED and self.thumbnails.is_missing(picture.id)
        ]
        if opened:
            self.thumbnails.forget(opened)
            self.thumbnails.retry_now()

    def _on_senders(self, senders: list[Sender]) -> None:
        self.senders = senders
        self._mark()
        self.senders_changed.emit()

    def accept(self, person: Person) -> None:
        """Accept somebody without having compared: their pictures are decoded from now on."""
        self._decide(_accept, person)

    def decline(self, person: Person) -> None:
        """List nothing of somebody."""
        self._decide(_decline, person)

    def _decide(self, work: Callable[..., Any], person: Person) -> None:
        if self.circle is None or self._deciding:
            return
        self._deciding = True

        def done(_: object) -> None:
            self._deciding = False
            self.reload()
            self._people.refresh()

        def failed(error: GlassineError) -> None:
            self._deciding = False
            if isinstance(error, KeyChanged):
                self._people.refresh()
            self.deciding_failed.emit(person, error)

        self._submit(work, (self.circle.shared, person.user_id), done, failed)

    def _submit(
        self,
        work: Callable[..., Any],
        arguments: tuple[Any, ...],
        then: Callable[[Any], None],
        otherwise: Callable[[GlassineError], None],
    ) -> None:
        vault = self._vault
        task = self._runner.submit(work, *arguments, pool="network")
        task.succeeded.connect(lambda result: then(result) if vault is self._vault else None)
        task.failed.connect(lambda error: otherwise(error) if vault is self._vault else None)


def _senders(shared: SharedPort, report: Report, cancelled: IsCancelled) -> list[Sender]:
    return list(shared.senders())


def _accept(shared: SharedPort, user_id: str, report: Report, cancelled: IsCancelled) -> None:
    shared.accept(user_id)


def _decline(shared: SharedPort, user_id: str, report: Report, cancelled: IsCancelled) -> None:
    shared.decline(user_id)
