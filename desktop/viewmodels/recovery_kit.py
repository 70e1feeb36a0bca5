"""The recovery kit of the account's key: made, shown once, typed back, and its second copy. Must not import widgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, QObject, Signal

from desktop.errors import GlassineError, KitWordsWrong, WrongKey
from desktop.models import IsCancelled, Report
from desktop.viewmodels.wording import day_text

if TYPE_CHECKING:
    from desktop.client.recovery_kit import Kit, KitStatus, NewKit
    from desktop.tasks import Runner, Task
    from desktop.viewmodels.session_port import SessionPort

translate = QCoreApplication.translate

WORDS = 24


class Mark(StrEnum):
    """What is said of one typed word."""

    EMPTY = "empty"
    TYPING = "typing"
    RIGHT = "right"
    WRONG = "wrong"


@dataclass(frozen=True)
class Verdict:
    """What is said of the words typed so far.

    Attributes:
        words: As typed, at most 24.
        marks: One for each of the 24.
        sentence: In words.
        wrong: Whether something cannot be right.
        complete: Whether all 24 can be right.
    """

    words: tuple[str, ...]
    marks: tuple[Mark, ...]
    sentence: str
    wrong: bool
    complete: bool


class KitViewModel(QObject):
    """The kit of one session's own key.

    Signals:
        status_changed(): how far the kit has come.
        drawn(): ``new`` has the words to be shown.
        kept(): the new kit opens the key file, and any older one does not.
        proven(): the words were typed back; only the second copy is missing.
        counts(): the kit is proven and there is a second copy.
        busy_changed(bool)
        field_failed(str field, str sentence): fields are passphrase and words.
        failed(GlassineError)
    """

    status_changed = Signal()
    drawn = Signal()
    kept = Signal()
    proven = Signal()
    counts = Signal()
    busy_changed = Signal(bool)
    field_failed = Signal(str, str)
    failed = Signal(object)

    def __init__(self, runner: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._kit: Kit | None = None
        self._task: Task | None = None
        self._passphrase = ""
        self._forgotten = 0
        self._root: bytes | None = None
        self.new: NewKit | None = None
        self.is_kept = False
        self.status: KitStatus | None = None
        self.address = ""

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self._task is not None

    @property
    def has_server(self) -> bool:
        """Whether a server can keep the second copy."""
        return self._kit is not None and self._kit.has_server

    @property
    def state(self) -> str:
        """``none``, ``unproven``, ``one-copy``, ``proven``, or empty while that is not known."""
        return self.status.state.value if self.status is not None else ""

    def start(self, session: SessionPort) -> None:
        """Look after the kit of this session's key."""
        self.stop()
        if session.public_key is None:
            return
        self._kit = session.kit()
        self.address = session.place.title
        self.reload()

    def stop(self) -> None:
        """Forget everything, the words first."""
        if self._task is not None:
            self._task.cancel()
        self.forget_words()
        self._kit, self.status = None, None
        self.status_changed.emit()

    def forget_words(self) -> None:
        """Drop the words and what was typed with them."""
        self.new, self._root, self._passphrase = None, None, ""
        self.is_kept = False
        self._forgotten += 1

    def reload(self) -> None:
        """Find out how far the kit has come."""
        kit = self._kit
        if kit is None:
            return
        task = self._runner.submit(_status, kit, pool="view")

        def took(status: KitStatus) -> None:
            if self._kit is kit:
                self.status = status
                self.status_changed.emit()

        task.succeeded.connect(took)

    # -- steps -----------------------------------------------------------------------------------------------------

    def draw(self, passphrase: str) -> None:
        """Draw a new kit; the present one holds until :meth:`keep`."""
        if not passphrase:
            self.field_failed.emit("passphrase", translate("Kit", "Write the passphrase of your key."))
            return

        def took(new: NewKit) -> None:
            self.new, self._passphrase, self.is_kept = new, passphrase, False
            self.drawn.emit()

        self._start(lambda kit: kit.draw(passphrase), took, "passphrase")

    def keep(self) -> None:
        """Let the kit that is shown open the key file; an older one does not any more."""
        new, passphrase = self.new, self._passphrase
        if new is None:
            return
        if self.is_kept:  # its words were looked at once more
            self.kept.emit()
            return

        def took(_: object) -> None:
            self._passphrase, self.is_kept = "", True
            self.kept.emit()
            self.reload()

        self._start(lambda kit: kit.keep(new, passphrase), took, "passphrase")

    def judge(self, text: str) -> Verdict:
        """Say of the text typed so far what is right and what cannot be."""
        from desktop.crypto import kit as words_of_kits

        typed = words_of_kits.split_words(text)
        finished = len(typed) if text[-1:].isspace() else len(typed) - 1
        if self.new is not None:
            right = words_of_kits.compare_words(self.new.root, typed[:WORDS])
        else:
            # a word, or so much of one that it can be no other
            right = tuple(bool(words_of_kits.judge_word(word).word) for word in typed[:WORDS])
            right += (False,) * (WORDS - len(typed))
        marks = [Mark.EMPTY] * WORDS
        for at, word in enumerate(typed[:WORDS]):
            if right[at]:
                marks[at] = Mark.RIGHT
            elif at >= finished and words_of_kits.judge_word(word).state in (
                words_of_kits.Typed.PREFIX,
                words_of_kits.Typed.WORD,
            ):
                marks[at] = Mark.TYPING
            else:
                marks[at] = Mark.WRONG
        return self._verdict(typed, marks)

    def _verdict(self, typed: tuple[str, ...], marks: list[Mark]) -> Verdict:
        good = marks.count(Mark.RIGHT)
        wrong = next((at for at, mark in enumerate(marks, 1) if mark is Mark.WRONG), 0)
        if len(typed) > WORDS:
            sentence = translate("Kit", "A kit has 24 words. There are more here.")
        elif wrong and self.new is not None:
            sentence = translate("Kit", "%1 of 24 are right. Word %2 is not what the kit says.")
        elif wrong:
            sentence = translate("Kit", "%1 of 24 can be right. Word %2 is not a word of any kit.")
        elif self.new is not None:
            sentence = translate("Kit", "%1 of 24 are right.")
        else:
            sentence = translate("Kit", "%1 of 24 can be right.")
        sentence = sentence.replace("%1", str(good)).replace("%2", str(wrong))
        if wrong and self.new is None and len(typed) <= WORDS:
            sentence = f"{sentence} {_nearest(typed[wrong - 1])}".strip()
        too_many = len(typed) > WORDS
        return Verdict(
            typed[:WORDS],
            tuple(marks),
            sentence if typed else "",
            bool(wrong) or too_many,
            good == WORDS and not too_many,
        )

    def prove(self, text: str) -> None:
        """Take the words as they were typed back."""
        from desktop.crypto.kit import split_words

        typed = split_words(text)

        def took(root: bytes) -> None:
            self._root = root
            self.proven.emit()
            self.reload()

        self._start(lambda kit: kit.prove(typed), took, "words")

    def copy_to_server(self) -> None:
        """Store the second copy on the server."""
        root = self._root
        if root is not None:
            self._start(lambda kit: kit.copy_to_server(root), self._on_copy, "words")

    def copy_to_file(self, target: Path) -> None:
        """Write the second copy to a file that is not there yet."""
        root = self._root
        if root is not None:
            self._start(lambda kit: kit.copy_to_file(root, target), self._on_copy, "words")

    def _on_copy(self, _: object) -> None:
        self.forget_words()
        self.counts.emit()
        self.reload()

    # -- words -----------------------------------------------------------------------------------------------------

    @property
    def caption(self) -> str:
        """How far the kit has come, as a sentence."""
        status = self.status
        if status is None:
            return ""
        if self.state == "none":
            return translate("Kit", "24 words on paper that open your key when the passphrase is forgotten")
        if self.state == "unproven":
            return translate("Kit", "The words were not typed back yet, so nobody knows whether the paper is right")
        if self.state == "one-copy":
            return translate(
                "Kit", "The words are right, but only this computer has the key file. If it breaks, they open nothing."
            )
        words = translate("Kit", "Typed back on %1, and a second copy of the key exists")
        when = day_text(status.proven.astimezone()) if status.proven is not None else "-"
        return words.replace("%1", when)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _start(self, work: Callable[[Kit], Any], took: Callable[[Any], None], field: str) -> None:
        kit = self._kit
        if kit is None or self.busy:
            return
        task = self._runner.submit(_do, kit, work)
        self._task = task
        done: list[Any] = []
        forgotten = self._forgotten

        def failed(error: GlassineError) -> None:
            if isinstance(error, KitWordsWrong):
                self.field_failed.emit("words", error.message)
            elif isinstance(error, WrongKey) and field == "passphrase":
                sentence = translate("Kit", "That is not the passphrase of this key. Check Caps Lock.")
                self.field_failed.emit(field, sentence)
            elif isinstance(error, WrongKey):
                self.field_failed.emit(field, error.message)
            else:
                self.failed.emit(error)

        def finished() -> None:
            self._task = None
            self.busy_changed.emit(False)
            if not done or self._kit is not kit:
                return
            if forgotten == self._forgotten:
                took(done[0])
            else:  # nobody waits for its words any more, but the kit may be another
                self.reload()

        task.succeeded.connect(done.append)
        task.failed.connect(failed)
        task.finished.connect(finished)
        self.busy_changed.emit(True)


def _status(kit: Kit, report: Report, cancelled: IsCancelled) -> KitStatus:
    return kit.status()


def _do(kit: Kit, work: Callable[[Kit], Any], report: Report, cancelled: IsCancelled) -> Any:
    return work(kit)


def _nearest(typed: str) -> str:
    """Which word may be meant, if any is near."""
    from desktop.crypto.kit import judge_word

    near = judge_word(typed).suggestions
    return translate("Kit", "Did you mean “%1”?").replace("%1", near[0]) if near else ""
