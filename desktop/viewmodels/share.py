"""Sharing pictures: whom, in which role, who has them already, comparing, taking back. Must not import widgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, QObject, Signal

from desktop.errors import Cancelled, GlassineError, KeyChanged, PersonNotFound, ThatIsYou, Unsupported
from desktop.models import IsCancelled, Person, PersonState, Picture, Report

if TYPE_CHECKING:
    from desktop.client.sharing_model import KeySuccession, Share, ShareResult, StopResult
    from desktop.tasks import Runner, Task
    from desktop.viewmodels.circle_port import Circle, Role, SharingPort

translate = QCoreApplication.translate

WITHOUT_KEY = (PersonState.NO_KEY, PersonState.CLASSIC)


@dataclass(frozen=True, slots=True)
class ShareRow:
    """Somebody in the dialog.

    Attributes:
        person: Who.
        role: What they may do, or are to be allowed: ``read`` or ``write``.
        had: What they may do already; empty for somebody new.
        have: How many of the pictures they have or wait for.
        since: Since when, at the earliest.
        waiting: They cannot open them yet: no key, or not compared.
        broken: What the server keeps for them does not open some picture; sharing once more repairs it.
        offered: With a changed key: the person with the key that is offered instead.
    """

    person: Person
    role: Role
    had: str = ""
    have: int = 0
    since: datetime | None = None
    waiting: bool = False
    broken: bool = False
    offered: Person | None = None

    @property
    def changed(self) -> bool:
        """Whether their key is not the pinned one: nothing is shared with them."""
        return self.person.state is PersonState.CHANGED


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of pressing Share.

    Attributes:
        shared: People who can open the pictures now.
        waiting: People who can as soon as they have a key and it was compared.
        failures: Names of pictures or people, each with the reason.
        copied: Copies without metadata were made: there are new pictures.
        cancelled: The person stopped it; what was shared until then stays shared.
    """

    shared: tuple[Person, ...] = ()
    waiting: tuple[Person, ...] = ()
    failures: tuple[tuple[str, GlassineError], ...] = ()
    copied: bool = False
    cancelled: bool = False


@dataclass
class _Order:
    """What Share is to do for one person."""

    row: ShareRow
    wait: bool
    fresh: list[str] = field(default_factory=list)


class ShareViewModel(QObject):
    """One open share dialog.

    Attributes:
        pictures: What is shared.
        rows: The people, as they are shown.
        changing: Pictures are being shared or taken back; nobody can be added meanwhile.

    Signals:
        rows_changed()
        field_failed(str sentence): what is wrong with the name that was typed; empty: nothing.
        text_refused(str sentence): digits or a code that were typed are no such thing; nothing was compared.
        failed(GlassineError)
        busy_changed(bool): nothing else can be begun meanwhile.
        progressed(int done, int total)
        added(str user_id): a row is new, or was asked for again.
        done(Outcome): Share is over.
        stopped(Person, StopResult): sharing with somebody has ended.
        people_changed(): somebody was compared or met; whoever shows people looks again.
        vouched(str user_id, KeySuccession): a changed key is signed by the old one. For information only.
    """

    rows_changed = Signal()
    field_failed = Signal(str)
    text_refused = Signal(str)
    failed = Signal(object)
    busy_changed = Signal(bool)
    progressed = Signal(object, object)
    added = Signal(str)
    done = Signal(object)
    stopped = Signal(object, object)
    people_changed = Signal()
    vouched = Signal(str, object)

    def __init__(
        self, runner: Runner, circle: Circle, pictures: Sequence[Picture], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._runner, self._circle = runner, circle
        self.pictures = list(pictures)
        self.rows: list[ShareRow] = []
        self.suggestions: list[Person] = []
        self._task: Task | None = None
        self._next: Callable[[], None] | None = None
        self.changing = False

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self._task is not None

    @property
    def circle(self) -> Circle:
        """The people around the vault."""
        return self._circle

    def load(self) -> None:
        """Ask who has these pictures already."""
        self._start(_load, (self._circle.sharing, self._ids), self._on_loaded)

    def _on_loaded(self, loaded: tuple[list[ShareRow], list[Person]]) -> None:
        fresh = [row for row in self.rows if not row.had]
        rows, self.suggestions = loaded
        there = {row.person.user_id for row in rows}
        self.rows = [*rows, *(row for row in fresh if row.person.user_id not in there)]
        self.rows_changed.emit()

    # -- the list --------------------------------------------------------------------------------------------------

    def row(self, user_id: str) -> ShareRow | None:
        """The row of a person."""
        return next((row for row in self.rows if row.person.user_id == user_id), None)

    def add(self, name: str, role: Role) -> None:
        """Put somebody on the list by exact name."""
        name = name.strip()
        if not name:
            self.field_failed.emit(translate("Share", "Write a user name."))
            return
        there = next((row for row in self.rows if row.person.name == name), None)
        if there is not None:
            self._say_twice(there)
            return

        def failed(error: GlassineError) -> None:
            if isinstance(error, KeyChanged):
                self._add_changed(name, role)
            else:
                self.field_failed.emit(_field_words(error, name))

        if self.busy:  # somebody types more quickly than the server says who has them
            self._next = lambda: self.add(name, role)
            return
        self.field_failed.emit("")
        self._start(_find, (self._circle.sharing, name), lambda person: self._on_found(person, role), failed)

    def _say_twice(self, row: ShareRow) -> None:
        words = translate("Share", "%1 is already in the list. Change the role there.")
        if row.had == "read":
            words = translate("Share", "%1 can already view these. Change the role in the list.")
        elif row.had == "write":
            words = translate("Share", "%1 can already view and replace these. Change the role in the list.")
        self.field_failed.emit(words.replace("%1", row.person.name))

    def _add_changed(self, name: str, role: Role) -> None:
        """Somebody known whose key is another: shown, not shared with."""

        def found(people: list[tuple[Person, Person | None]]) -> None:
            for person, offered in people:
                if person.name == name:
                    self._put(ShareRow(person, role, offered=offered))
                    return
            self.field_failed.emit(_field_words(KeyChanged(), name))

        self._start(_changed_people, (self._circle.sharing,), found)

    def _on_found(self, person: Person, role: Role) -> None:
        there = self.row(person.user_id)
        if there is not None:
            self._say_twice(there)
            return
        self._put(ShareRow(person, role))
        self.people_changed.emit()

    def _put(self, row: ShareRow) -> None:
        at = next((n for n, other in enumerate(self.rows) if other.person.user_id == row.person.user_id), -1)
        if at < 0:
            self.rows.append(row)
        else:
            self.rows[at] = row
        self.rows_changed.emit()
        self.added.emit(row.person.user_id)

    def set_role(self, user_id: str, role: Role) -> None:
        """Choose what somebody may do; it holds once Share is pressed."""
        row = self.row(user_id)
        if row is not None and row.role != role:
            self.rows[self.rows.index(row)] = replace(row, role=role)
            self.rows_changed.emit()

    def drop(self, user_id: str) -> None:
        """Take somebody off the list who has nothing yet."""
        row = self.row(user_id)
        if row is not None and not row.had:
            self.rows.remove(row)
            self.rows_changed.emit()

    # -- comparing -------------------------------------------------------------------------------------------------

    def match(self, user_id: str, fingerprint: str) -> None:
        """The words of this very key were compared and are the same."""
        self._start(_compared, (self._circle.sharing, user_id, fingerprint), self._on_compared)

    def compare(self, user_id: str, text: str) -> None:
        """Compare the digits or the text of a code that the other side shows."""
        self._start(_compare_text, (self._circle.sharing, user_id, text), self._on_compared, self._on_not_same)

    def differ(self, user_id: str) -> None:
        """The words are different: nothing is shared with this person until they are the same."""
        self._start(_differ, (self._circle.sharing, user_id), self._on_compared)

    def ask_old_key(self, user_id: str) -> None:
        """Look whether a changed key is signed by the old one; ``vouched`` says so, and silence that it is not."""
        task = self._runner.submit(_old_key, self._circle.sharing, user_id, pool="network")
        task.succeeded.connect(self._on_old_key)

    def _on_old_key(self, found: tuple[str, KeySuccession | None]) -> None:
        user_id, succession = found
        if succession is not None:
            self.vouched.emit(user_id, succession)

    def _on_compared(self, person: Person) -> None:
        row = self.row(person.user_id)
        if row is not None:
            self.rows[self.rows.index(row)] = replace(row, person=person, offered=None)
        self.rows_changed.emit()
        self.people_changed.emit()

    def _on_not_same(self, error: GlassineError) -> None:
        if isinstance(error, Unsupported):
            self.text_refused.emit(error.message)
            return
        self.failed.emit(error)
        if isinstance(error, KeyChanged):
            self.people_changed.emit()

    # -- sharing ---------------------------------------------------------------------------------------------------

    @property
    def to_do(self) -> list[ShareRow]:
        """Rows for which Share would do something."""
        total = len(self.pictures)
        return [
            row
            for row in self.rows
            if not row.changed and (not row.had or row.role != row.had or row.have < total or row.broken)
        ]

    @property
    def unverified(self) -> list[Person]:
        """People of :attr:`to_do` with a key that was never compared."""
        return [row.person for row in self.to_do if row.person.state is PersonState.UNVERIFIED]

    @property
    def left_out(self) -> list[Person]:
        """People nothing is shared with because their key has changed."""
        return [row.person for row in self.rows if row.changed]

    def share(self, *, strip: bool = False, wait_for_comparison: bool = False) -> None:
        """Share with everybody on the list.

        Args:
            strip: Share copies without metadata.
            wait_for_comparison: Let people who were not compared wait, instead of trusting their key.
        """
        orders = [_Order(row, wait_for_comparison) for row in self.to_do]
        if orders:
            names = {picture.id: picture.name for picture in self.pictures}
            self._start(_share, (self._circle.sharing, orders, names, strip), self._on_shared, pool="network")

    def _on_shared(self, outcome: Outcome) -> None:
        self.people_changed.emit()
        self.done.emit(outcome)

    def stop(self, user_id: str, *, reseal: bool) -> None:
        """Take the pictures back from somebody; the person has confirmed it."""
        row = self.row(user_id)
        if row is None:
            return
        person = row.person

        def over(result: StopResult) -> None:
            self.people_changed.emit()
            self.stopped.emit(person, result)
            self.rows = [row for row in self.rows if row.person.user_id != user_id]
            self.rows_changed.emit()
            if result.failed:
                self.load()

        self._start(_stop, (self._circle.sharing, self._ids, user_id, reseal), over, pool="network")

    def cancel(self) -> None:
        """Give up what is under way; what is done stays done."""
        self._next = None
        if self._task is not None:
            self._task.cancel()

    # -- small helpers ---------------------------------------------------------------------------------------------

    @property
    def _ids(self) -> list[str]:
        return [picture.id for picture in self.pictures]

    def _start(
        self,
        work: Callable[..., Any],
        arguments: tuple[Any, ...],
        then: Callable[[Any], None],
        otherwise: Callable[[GlassineError], None] | None = None,
        *,
        pool: str = "view",
    ) -> None:
        if self._task is not None:
            return
        self.changing = work in (_share, _stop)
        task = self._task = self._runner.submit(work, *arguments, pool=pool)
        box: list[Callable[[], None]] = []
        fail = otherwise or self.failed.emit
        task.progressed.connect(self.progressed)
        task.succeeded.connect(lambda result: box.append(lambda: then(result)))
        task.failed.connect(lambda error: box.append(lambda: fail(error)))

        def finished() -> None:
            self._task, self.changing = None, False
            self.busy_changed.emit(False)
            for step in box:
                step()
            following, self._next = self._next, None
            if following is not None:
                following()

        task.finished.connect(finished)
        self.busy_changed.emit(True)


def _field_words(error: GlassineError, name: str) -> str:
    if isinstance(error, ThatIsYou):
        return translate("Share", "That is you. You can always open your own pictures.")
    if isinstance(error, PersonNotFound):
        words = translate(
            "Share",
            "Nobody called “%1” is on this server. Check the spelling, or ask them to create an account first.",
        )
        return words.replace("%1", name)
    return f"{error.message} ({error.code})"


# -- in worker threads -------------------------------------------------------------------------------------------------


def _load(
    sharing: SharingPort, picture_ids: Sequence[str], report: Report, cancelled: IsCancelled
) -> tuple[list[ShareRow], list[Person]]:
    rows: dict[str, ShareRow] = {}
    for number, picture_id in enumerate(picture_ids):
        if cancelled():
            raise Cancelled
        for share in sharing.shares_of(picture_id):
            rows[share.person.user_id] = _with(rows.get(share.person.user_id), share)
        report(number + 1, len(picture_ids))
    for user_id, row in rows.items():
        if row.changed:
            rows[user_id] = replace(row, offered=sharing.offered(user_id))
    return sorted(rows.values(), key=lambda row: row.person.name.casefold()), sharing.people()


def _with(row: ShareRow | None, share: Share) -> ShareRow:
    role: Role = "write" if share.role == "write" else "read"
    broken = not share.waiting and not share.opens
    if row is None:
        return ShareRow(share.person, role, role, 1, share.since, share.waiting, broken)
    lesser: Role = "write" if (row.role, role) == ("write", "write") else "read"
    times = [time for time in (row.since, share.since) if time is not None]
    return replace(
        row,
        role=lesser,
        had=lesser,
        have=row.have + 1,
        since=min(times) if times else None,
        waiting=row.waiting or share.waiting,
        broken=row.broken or broken,
    )


def _find(sharing: SharingPort, name: str, report: Report, cancelled: IsCancelled) -> Person:
    return sharing.find(name)


def _changed_people(sharing: SharingPort, report: Report, cancelled: IsCancelled) -> list[tuple[Person, Person | None]]:
    return [
        (person, sharing.offered(person.user_id)) for person in sharing.people() if person.state is PersonState.CHANGED
    ]


def _compared(sharing: SharingPort, user_id: str, fingerprint: str, report: Report, cancelled: IsCancelled) -> Person:
    return sharing.compared(user_id, fingerprint)


def _compare_text(sharing: SharingPort, user_id: str, text: str, report: Report, cancelled: IsCancelled) -> Person:
    return sharing.compare(user_id, text)


def _old_key(
    sharing: SharingPort, user_id: str, report: Report, cancelled: IsCancelled
) -> tuple[str, KeySuccession | None]:
    return user_id, sharing.succession(user_id)


def _differ(sharing: SharingPort, user_id: str, report: Report, cancelled: IsCancelled) -> Person:
    return sharing.differ(user_id)


def _share(
    sharing: SharingPort,
    orders: list[_Order],
    names: dict[str, str],
    strip: bool,
    report: Report,
    cancelled: IsCancelled,
) -> Outcome:
    from desktop.client.sharing_model import Strip

    shared: list[Person] = []
    waiting: list[Person] = []
    failures: list[tuple[str, GlassineError]] = []
    copied = False
    total = len(orders) * len(names)
    for number, order in enumerate(orders):
        person, row = order.row.person, order.row

        def part(done: int, whole: int, number: int = number) -> None:
            report(number * len(names) + (len(names) * done // whole if whole else 0), total)

        part(0, 1)
        try:
            result: ShareResult = sharing.share(
                list(names),
                person.user_id,
                row.role,
                fingerprint=person.fingerprint,
                accept_unverified=not order.wait,
                wait_for_comparison=order.wait,
                strip=Strip.METADATA if strip and not row.had else None,
                report=part,
                cancelled=cancelled,
            )
        except Cancelled:
            return Outcome(tuple(shared), tuple(waiting), tuple(failures), copied, cancelled=True)
        except GlassineError as error:
            failures.append((person.name, error))
            continue
        if result.shared:
            shared.append(person)
        if result.waiting:
            waiting.append(person)
        copied = copied or bool(result.copies)
        failures += [(names.get(failure.picture_id, person.name), failure.error) for failure in result.failed]
    report(total, total)
    return Outcome(tuple(shared), tuple(waiting), tuple(failures), copied)


def _stop(
    sharing: SharingPort,
    picture_ids: Sequence[str],
    user_id: str,
    reseal: bool,
    report: Report,
    cancelled: IsCancelled,
) -> StopResult:
    return sharing.stop(picture_ids, user_id, reseal=reseal, report=report, cancelled=cancelled)
