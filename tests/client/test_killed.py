"""The program killed while it stores: a few rounds of ``python -m benchmarks.kill_vault``, which does hundreds."""

from __future__ import annotations

import pytest

from benchmarks import kill_key_change, kill_vault


@pytest.mark.parametrize(("uploads", "rounds"), [("embedded", 2), ("server", 1)])
def test_nothing_acknowledged_is_lost(uploads: str, rounds: int) -> None:
    ledger = kill_vault.run(rounds, uploads)
    assert ledger.rounds == rounds


def test_a_broken_promise_is_noticed() -> None:
    """The examination itself can fail: a picture that was never stored is missed."""
    with kill_vault.prepared("embedded") as (folder, address):
        ledger = kill_vault.Ledger(stored={"0" * 32})
        with pytest.raises(AssertionError, match="1 acknowledged pictures are gone"):
            kill_vault.examine(folder, address, ledger)


def test_a_change_of_the_key_survives_being_killed() -> None:
    """A small round of ``python -m benchmarks.kill_key_change``, which does it with 2,000 pictures."""
    assert kill_key_change.run(20, 1, 2048) == 1
