"""What the view-models of sharing need of people, of what is shared, and of new versions. Must not import PySide6.

``desktop.client.sharing``, ``shared`` and ``revising`` have it. All calls block and are made in worker threads only.
Errors are those of ``desktop.errors``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from desktop.models import IsCancelled, Person, Picture, Report

if TYPE_CHECKING:
    from desktop.client.sharing_model import KeptVersion, KeySuccession, Sender, Share, ShareResult, StopResult, Strip
    from desktop.viewmodels.vault_port import PictureData, VaultPort

Role = Literal["read", "write"]
Choice = Literal["mine", "theirs", "both"]


class SharingPort(Protocol):
    """People, and sharing one's own pictures with them."""

    def find(self, name: str) -> Person: ...

    def look_again(self, user_id: str) -> Person: ...

    def people(self) -> list[Person]: ...

    def offered(self, user_id: str) -> Person | None: ...

    def succession(self, user_id: str) -> KeySuccession | None: ...

    def compared(self, user_id: str, fingerprint: str) -> Person: ...

    def compare(self, user_id: str, untrusted_text: str) -> Person: ...

    def differ(self, user_id: str) -> Person: ...

    def share(
        self,
        picture_ids: Sequence[str],
        user_id: str,
        role: Role,
        *,
        fingerprint: str,
        accept_unverified: bool,
        wait_for_comparison: bool,
        strip: Strip | None,
        report: Report,
        cancelled: IsCancelled,
    ) -> ShareResult: ...

    def complete_waiting(self, report: Report, cancelled: IsCancelled) -> ShareResult: ...

    def waiting(self) -> list[tuple[str, Person, str]]: ...

    def shares_of(self, picture_id: str) -> list[Share]: ...

    def holders(self) -> dict[str, tuple[tuple[str, ...], bool]]: ...

    def set_role(self, picture_id: str, user_id: str, role: Role, report: Report, cancelled: IsCancelled) -> None: ...

    def stop(
        self, picture_ids: Sequence[str], user_id: str, *, reseal: bool, report: Report, cancelled: IsCancelled
    ) -> StopResult: ...

    def unfinished(self) -> list[str]: ...

    def finish(self, report: Report, cancelled: IsCancelled) -> StopResult: ...


class SharedPort(Protocol):
    """What others share with the account."""

    def list(self, report: Report, cancelled: IsCancelled) -> list[Picture]: ...

    def senders(self) -> Sequence[Sender]: ...

    def accept(self, user_id: str) -> Person: ...

    def decline(self, user_id: str) -> None: ...

    def give_back(self, picture_id: str) -> None: ...

    def thumbnails(self, picture_ids: Sequence[str]) -> dict[str, bytes]: ...

    def open(self, picture_id: str, report: Report, cancelled: IsCancelled) -> PictureData: ...

    def export(self, picture_id: str, folder: Path, report: Report, cancelled: IsCancelled) -> Path: ...


class RevisingPort(Protocol):
    """New versions in the place of pictures."""

    def replace(self, picture_id: str, source: Path, report: Report, cancelled: IsCancelled) -> str: ...

    def kept(self) -> Sequence[KeptVersion]: ...

    def open_kept(self, picture_id: str, report: Report, cancelled: IsCancelled) -> bytearray: ...

    def send_kept(self, report: Report, cancelled: IsCancelled) -> list[str]: ...

    def resolve(self, picture_id: str, choice: Choice, report: Report, cancelled: IsCancelled) -> str: ...


@dataclass(frozen=True, slots=True)
class Circle:
    """The people around a vault, and what goes between them and it.

    Attributes:
        sharing: People and one's own pictures.
        shared: What others share.
        revising: New versions of either.
    """

    sharing: SharingPort
    shared: SharedPort
    revising: RevisingPort


OpenCircle = Callable[["VaultPort"], "Circle | None"]
"""Gives the people around a vault; None where there are none: on this computer, and in the classic scheme. Blocks."""
