"""The other half of the attacks, in a module of its own so that two processes can play: see ``test_attacks.py``."""

from __future__ import annotations

import pytest

from tests.malicious_server.every import ATTACKS, FAMILIES, SECOND_HALF
from tests.malicious_server.people import Running
from tests.malicious_server.playing import Attack, play


@pytest.mark.parametrize("attack", [one for one in ATTACKS if one.family in SECOND_HALF], ids=lambda one: one.name)
def test_attack(attack: Attack, running: Running) -> None:
    result = play(attack, running)
    assert not result.problem, result.problem
    assert result.said


def test_every_family_is_played() -> None:
    assert {attack.family for attack in ATTACKS} == set(FAMILIES)
