"""Another key pair for an account: every picture of one's own goes on under it, as a new epoch.

The order: both keys are kept, the signed record is published, the account gets the new public key, then picture after
picture is sealed anew, those in the bin too. Every step may be done twice, and the server tells what is already under
the new key, so the work goes on wherever it was cut off. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from desktop import errors
from desktop.client import key_change_state
from desktop.client.key_change_state import ChangeState
from desktop.client.memory_model import Intent, IntentKind
from desktop.models import IsCancelled, Report, Scheme, never_cancelled, no_report

if TYPE_CHECKING:
    from desktop.client.answers import Row
    from desktop.client.api_revisions import Permission
    from desktop.client.current import Current
    from desktop.client.vault_context import VaultContext
    from desktop.crypto.keys import PrivateKey
    from desktop.crypto.opened import OpenedEnvelope
    from desktop.crypto.records import Succession

log = logging.getLogger(__name__)

TRIES: Final = 4
"""So often a picture is taken up again when somebody else stored a revision meanwhile."""
MAX_PASSES: Final = 20


@dataclass
class Changed:
    """What a finished change brought.

    Attributes:
        pictures: So many were sealed under the new key.
        failed: Those that could not be opened with the old key either, by their ids, each with the reason.
        without_grant: People who see nothing of the pictures shared with them until their key was compared.
    """

    pictures: int = 0
    failed: dict[str, errors.GlassineError] = field(default_factory=dict)
    without_grant: set[str] = field(default_factory=set)


class KeyChange:
    """One change of an account's key pair, begun or gone on with."""

    def __init__(
        self,
        context: VaultContext,
        old: PrivateKey,
        new: PrivateKey,
        change_account: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare; nothing is changed yet.

        Args:
            context: Of the account, unlocked with either key.
            old: The key that ends.
            new: The key that follows; its key file must be written and proven.
            change_account: Gives the account this public key (PEM); may be called twice.
            clock: For the time in the record, which is for display only.
        """
        self._context = replace(context, key=new)
        self._under_old = replace(context, key=old)
        self._old, self._new = old, new
        self._change_account = change_account
        self._clock = clock
        self._result = Changed()

    def run(self, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> Changed:
        """Begin the change or go on with it; progress is in pictures.

        Raises:
            Cancelled: As asked; the change goes on with the next run.
            KeyRefused: Another change is under way.
            WrongPassword, NetworkError, StorageFull, StorageReadOnly: The change goes on with the next run.
        """
        state = self._begin()
        succession = self._publish(state)
        self._change_account(self._new.public.pem)
        self._context.memory.people.own = self._new.fingerprint
        for _ in range(MAX_PASSES):
            if not self._pass(state, succession, report, cancelled):
                break
        else:
            raise errors.Conflict("Pictures are added under the old key all the time. Close Glassine elsewhere first.")
        self._carry_ledger_over()
        key_change_state.finish(self._context.folder, state)
        return self._result

    # -- before the pictures --------------------------------------------------------------------------------------

    def _begin(self) -> ChangeState:
        from desktop.crypto.records import make_succession

        folder = self._context.folder
        state = key_change_state.load(folder)
        if state is not None:
            if (state.old, state.new) != (self._old.fingerprint, self._new.fingerprint):
                raise errors.KeyRefused("Another change of your key is not finished yet. Finish it first.")
            return state
        record = make_succession(self._old, self._new, int(self._clock())).text
        key_change_state.keep_key(folder, self._old, self._new)
        key_change_state.keep_key(folder, self._new, self._old)
        state = ChangeState(self._old.fingerprint, self._new.fingerprint, record)
        key_change_state.save(folder, state)
        return state

    def _publish(self, state: ChangeState) -> Succession:
        from desktop.crypto.records import read_succession

        succession = read_succession(state.record, old=self._old.public, new=self._new.public)
        try:
            self._context.api.put_succession(self._context.user_id, state.old, state.record)
        except errors.Conflict:
            self._check_published(state)
        return succession

    def _check_published(self, state: ChangeState) -> None:
        """Accept a record that another try of this change has published; raises KeyRefused for any other."""
        from desktop.crypto.records import read_succession

        for record in self._context.api.successions(self._context.user_id):
            if record.about == state.old:
                try:
                    read_succession(record.text, old=self._old.public, new=self._new.public)
                except errors.GlassineError:
                    break
                return
        raise errors.KeyRefused("This key was replaced by another one already. Sign in with that one.")

    # -- the pictures ---------------------------------------------------------------------------------------------

    def _pass(self, state: ChangeState, succession: Succession, report: Report, cancelled: IsCancelled) -> bool:
        """Seal anew what is still under the old key; return whether there was anything."""
        waiting = [row for row in self._rows(cancelled) if self._is_old(row)]
        binned = [row for row in self._bin(cancelled) if self._is_old(row)]
        left_out = [picture_id for picture_id in state.binned if picture_id not in {_id(row) for row in waiting}]
        total = len(waiting) + len(binned)
        done = 0
        report(done, total + self._result.pictures)
        for picture_id in left_out:  # sealed anew before the program was killed, but not put back
            self._put_back(state, picture_id)
        for row in waiting:
            self._change_one(_id(row), succession, cancelled)
            self._put_back(state, _id(row))
            done += 1
            report(done, total)
        for row in binned:
            self._change_binned(state, row, succession, cancelled)
            done += 1
            report(done, total)
        return total > 0

    def _change_binned(self, state: ChangeState, row: Row, succession: Succession, cancelled: IsCancelled) -> None:
        """Seal a picture of the bin anew: out of it, and back again."""
        picture_id = _id(row)
        if picture_id not in state.binned:
            state.binned.append(picture_id)
            key_change_state.save(self._context.folder, state)
        try:
            self._context.api.restore(self._context.user_id, row.id)
        except (errors.NotFound, errors.Conflict) as error:
            # not there any more: another computer took it out, and the next pass has it, or deleted it for good. Or
            # it is recorded as deleted, or stored once more. It is not for this one to put anything back
            state.binned.remove(picture_id)
            key_change_state.save(self._context.folder, state)
            if type(error) is not errors.NotFound:
                log.warning("a picture of the bin stays under the old key: %s", error.code)
                self._result.failed[picture_id] = error
            return
        try:
            self._change_one(picture_id, succession, cancelled)
        except errors.Conflict as error:
            log.warning("a picture of the bin stays under the old key: %s", error.code)
            self._result.failed[picture_id] = error
        self._put_back(state, picture_id)

    def _is_old(self, row: Row) -> bool:
        """Whether a row is still to be done; what the old key did not sign is not its business."""
        from desktop.crypto.sealed import read_envelope

        if row.scheme is not Scheme.SEALED or _id(row) in self._result.failed:
            return False
        entry = self._context.memory.entry(self._new.fingerprint, _id(row))
        verified = entry.text_hash if entry is not None else ""
        try:
            read_envelope(
                row.envelope,
                owner=self._new.public,
                picture_id=_id(row),
                verified=verified,
                author=self._context.memory.people.key_of,
            )
        except errors.GlassineError:
            return True
        return entry is None  # under the new key, but nothing is remembered of it: the answer was lost

    def _change_one(self, picture_id: str, succession: Succession, cancelled: IsCancelled) -> None:
        for _ in range(TRIES):
            if cancelled():
                raise errors.Cancelled
            try:
                if not self._accepted(picture_id, succession, cancelled):
                    self._seal_anew(picture_id, succession, cancelled)
                self._result.pictures += 1
                return
            except errors.MovedOn:  # somebody who may write has just stored another revision
                continue
            except (errors.NotAuthentic, errors.Damaged, errors.WrongKey, errors.NotFound, errors.Unsupported) as error:
                log.warning("a picture stays under the old key: %s %s", error.code, error.details)
                self._result.failed[picture_id] = type(error)(error.message, details=error.details)
                return
        raise errors.MovedOn

    def _accepted(self, picture_id: str, succession: Succession, cancelled: IsCancelled) -> bool:
        """Accept what an earlier run has stored under the new key; False when it is not there."""
        from desktop.client.judging import judge, read_listed

        memory = self._context.memory
        present = self._context.api.present(self._context.user_id, f"p-{picture_id}", cancelled)
        snapshot = memory.snapshot()
        listed = read_listed(present.row.envelope, picture_id, self._new.public, snapshot, memory.people.key_of)
        if listed.envelope is None:
            return False
        judgement = memory.commit(judge([listed], snapshot, own=self._new.fingerprint, succession=succession))
        verdict = judgement.verdicts[listed.key]
        if verdict.error is not None:
            raise verdict.error
        listed.envelope.open(self._new).check_wrap()
        return True

    def _seal_anew(self, picture_id: str, succession: Succession, cancelled: IsCancelled) -> None:
        from desktop.client import attempts
        from desktop.client.current import fetch_own
        from desktop.client.judging import judge, read_listed
        from desktop.crypto.plans import new_epoch
        from desktop.crypto.reseal import reseal
        from desktop.crypto.sealed import read_envelope

        context = self._context
        current = fetch_own(self._under_old, picture_id, cancelled)
        thumbnail = self._thumbnail(current, context, cancelled)
        with attempts.attempt(context.folder) as folder:
            with current.content(context, cancelled) as untrusted:
                made = reseal(
                    current.opened,
                    untrusted,
                    folder / "carrier.png",
                    self._new,
                    new_epoch(current.opened, self._new, successor=True),
                    thumbnail=thumbnail,
                    cancelled=cancelled,
                )
            envelope = read_envelope(made.envelope, owner=self._new.public, picture_id=picture_id)
            opened = envelope.open(self._new)
            opened.check_wrap()
            permissions = self._permissions(current, opened)
            previous = current.envelope.header_hash
            context.memory.begin(
                Intent(self._new.fingerprint, picture_id, IntentKind.HEADER, made.header_hash, previous)
            )
            context.api.put_revision(
                context.user_id,
                picture_id,
                replaces=previous,
                carrier=made.carrier,
                envelope=made.envelope,
                thumbnail=made.thumbnail,
                permissions=permissions,
                cancelled=cancelled,
            )
        snapshot = context.memory.snapshot()
        listed = read_listed(made.envelope, picture_id, self._new.public, snapshot)
        judgement = judge([listed], snapshot, own=self._new.fingerprint, succession=succession)
        error = context.memory.commit(judgement).verdicts[listed.key].error
        if error is not None:
            raise error

    @staticmethod
    def _thumbnail(current: Current, context: VaultContext, cancelled: IsCancelled) -> bytes:
        try:
            return current.thumbnail(context, cancelled)
        except (errors.NotFound, errors.Damaged):
            return b""  # the picture itself is what counts

    def _permissions(self, current: Current, opened: OpenedEnvelope) -> list[Permission]:
        """Return the grants under the new key, for those whom the old key gave one and whose key did not change."""
        from desktop.client.acquaintances import Acquaintances
        from desktop.client.api_revisions import Permission
        from desktop.crypto.grants import grant_to, read_grant

        people = Acquaintances(self._context)
        given: list[Permission] = []
        for shared in self._context.api.permissions(self._context.user_id, current.stored_name):
            decided = self._decided(current.picture_id, shared.user_id)
            if decided == "":
                continue
            try:
                to = people.key_for(shared.user_id)
                old = read_grant(shared.grant, current.envelope, self._old.public, to.fingerprint)
            except errors.GlassineError:
                # the key has changed or was found to differ, or the server made the permission up: nothing is given
                self._result.without_grant.add(shared.user_id)
                continue
            # the server could hand out the grant of before somebody was made a reader
            role: Literal["read", "write"] = "read" if "read" in (decided, old.role) else "write"
            given.append(Permission(shared.user_id, role, grant_to(opened, self._new, to, role, int(self._clock()))))
        return given

    def _decided(self, picture_id: str, user_id: str) -> str | None:
        """Return the role that somebody is to have, empty for none; None when nothing was ever decided here."""
        from desktop.client.ties import TieKind

        ties = self._context.memory.ties
        known = ties.known(TieKind.SHARED, picture_id, user_id)
        return ties.get(TieKind.SHARED, picture_id, user_id) if known else None

    # -- lists ----------------------------------------------------------------------------------------------------

    def _rows(self, cancelled: IsCancelled) -> Iterator[Row]:
        after = ""
        while True:
            rows, _ = self._context.api.page(self._context.user_id, after, cancelled)
            if not rows:
                return
            yield from rows
            if rows[-1].id <= after:
                raise errors.NotAGlassineServer("The server's list of pictures goes in circles.")
            after = rows[-1].id

    def _bin(self, cancelled: IsCancelled) -> Iterator[Row]:
        after = ""
        while rows := self._context.api.bin_page(self._context.user_id, after, cancelled):
            yield from rows
            if rows[-1].id <= after:
                raise errors.NotAGlassineServer("The server's list of pictures goes in circles.")
            after = rows[-1].id

    def _put_back(self, state: ChangeState, picture_id: str) -> None:
        """Put a picture that came from the bin back into it."""
        if picture_id not in state.binned:
            return
        with suppress(errors.NotFound):  # it is there already
            self._context.api.delete(self._context.user_id, f"p-{picture_id}")
        self._context.memory.moved(self._new.fingerprint, picture_id, to_bin=True)
        state.binned.remove(picture_id)
        key_change_state.save(self._context.folder, state)

    # -- after the pictures ---------------------------------------------------------------------------------------

    def _carry_ledger_over(self) -> None:
        """Put the list that this account's programs share under the new key; the old one opened it until now."""
        from desktop.crypto.records import open_ledger, seal_ledger

        context, memory = self._context, self._context.memory
        for _ in range(TRIES):
            kept = context.api.ledger(context.user_id)
            if kept is None:
                return
            try:
                serial, document = open_ledger(self._old, kept.content)
                memory.merge(document)
            except errors.GlassineError as error:
                log.warning("the list of another computer is not carried over: %s", error.code)
                return  # already under the new key, or of nobody
            serial = max(serial, memory.ledger_serial) + 1
            sealed = seal_ledger(self._new, serial, memory.export(int(self._clock())))
            try:
                context.api.put_ledger(context.user_id, sealed, kept.tag)
            except errors.MovedOn:
                continue
            memory.saw_serial(serial)
            return


def _id(row: Row) -> str:
    return row.stored_name.removeprefix("p-")
