"""Attacks with time: clocks that go fifty years wrong change no decision."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, tzinfo
from types import SimpleNamespace
from unittest import mock

from desktop import errors
from desktop.models import PictureState
from tests.malicious_server import hands
from tests.malicious_server.playing import Scene, attack, must

FIFTY_YEARS = 50 * 365.25 * 86_400


@contextmanager
def clock(shift_s: float) -> Iterator[None]:
    """Let everything in ``desktop`` tell another time; the server in this process goes on with the right one."""

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(seconds=shift_s)

    others = {name: getattr(time, name) for name in dir(time) if not name.startswith("_")}
    shifted = SimpleNamespace(**others | {"time": lambda: time.time() + shift_s})
    with ExitStack() as patches:
        for name, module in list(sys.modules.items()):
            if name.startswith("desktop.") and getattr(module, "time", None) is time:
                patches.enter_context(mock.patch.object(module, "time", shifted))
            if name.startswith("desktop.") and getattr(module, "datetime", None) is datetime:
                patches.enter_context(mock.patch.object(module, "datetime", Shifted))
        yield


def _decisions(scene: Scene, shift_s: float, seed: int) -> None:
    alice, bob = scene.alice, scene.bob
    with clock(shift_s):
        mine = alice.add(seed)
        old = hands.stored(alice, mine)
        alice.sharing.look_again(bob.user_id)
        result = alice.sharing.share([mine], bob.user_id, "write", accept_unverified=True)
        must(result.shared == (mine,), f"it cannot be shared: {result.failed}")
        theirs = f"{alice.user_id}.{mine}"
        must(bob.listed_shared()[theirs].state is PictureState.READY, "it is not shown to Bob")
        bob.revise(theirs, seed + 1)
        scene.shown(alice, mine)
        alice.vault.sync_ledger()
        hands.in_envelopes(scene.evil, mine, old.envelope.text)
        scene.nothing_shown(alice, mine, errors.RolledBack)
        scene.evil.repent()
        scene.shown(alice, mine)
        other = alice.add(seed + 2)
        alice.delete_for_good(other)
        must(other not in alice.listed() and alice.vault.trust().quiet, "what is deleted is missed")


@attack(
    "clock",
    "clocks",
    "set this computer's clock fifty years ahead and fifty years back, and handed out an older revision each time",
    errors.RolledBack,
)
def _(scene: Scene) -> None:
    scene.alice.sharing.find(scene.bob.name)
    scene.bob.sharing.find(scene.alice.name)
    scene.bob.shared.accept(scene.alice.user_id)
    _decisions(scene, FIFTY_YEARS, 10)
    _decisions(scene, -FIFTY_YEARS, 20)
    _decisions(scene, 0, 30)


@attack(
    "times_of_a_server",
    "clocks",
    "dated pictures to the ends of the calendar, and to no time at all",
    errors.NotAGlassineServer,
)
def _(scene: Scene) -> None:
    mine = scene.alice.add(1)
    scene.alice.listed()
    scene.freeze(scene.alice)
    for created in ("1900-01-01T00:00:00Z", "2476-01-01T00:00:00Z", "8999-12-31T23:59:59Z"):
        scene.evil.repent()
        hands.in_rows(scene.evil, hands.LISTING, lambda rows, created=created: [rows[0] | {"created": created}])
        scene.shown(scene.alice, mine)
    for created in ("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00Z", "now", "", "1" * 41):
        scene.evil.repent()
        hands.in_rows(scene.evil, hands.LISTING, lambda rows, created=created: [rows[0] | {"created": created}])
        scene.refused(errors.NotAGlassineServer, scene.alice.listed)
