"""When a server that does not answer is asked again. Qt-free."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from desktop.errors import ServerSilent
    from desktop.viewmodels.transfer import Transfer


class Silence:
    """The server's silence, from the first picture that meets it until one is taken again.

    Attributes:
        error: What the last picture met; None while the server answers.
        probe: The picture that is sent just now to see whether it answers again.
    """

    RETRY_S: ClassVar[tuple[float, ...]] = (5.0, 20.0, 60.0)
    """The server is asked again by itself after these times, the last one over and over.

    One picture is sent to ask; a picture that meets silence so often while the server takes others has failed.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until, self._times = 0.0, 0
        self.error: ServerSilent | None = None
        self.probe: Transfer | None = None

    @property
    def wait(self) -> float:
        """Seconds until the server is asked again."""
        return max(0.0, self._until - self._clock())

    def bears(self, transfer: Transfer) -> bool:
        """Whether this picture waits for the server once more; else it has failed."""
        return self.error is not None or transfer.tries < len(self.RETRY_S)

    def met(self, error: ServerSilent) -> None:
        """Ask again later, each time a little later; two pictures that meet the same silence count once."""
        now = self._clock()
        if self.error is None or now >= self._until:
            self._until = now + self.RETRY_S[min(self._times, len(self.RETRY_S) - 1)]
            self._times += 1
        self.error = error

    def ask_now(self) -> None:
        """Ask now, not later."""
        self._until = 0.0

    def forget_probe(self, transfer: Transfer) -> None:
        """This picture asks no more, if it did."""
        if self.probe is transfer:
            self.probe = None

    def end(self) -> None:
        """The server is not silent, or that is forgotten."""
        self.error, self.probe = None, None
        self._until, self._times = 0.0, 0
