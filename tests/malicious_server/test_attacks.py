"""Every attack of the malicious server is held off, and people are told by name."""

from __future__ import annotations

import pytest

from tests.malicious_server.every import ATTACKS, FAMILIES, SECOND_HALF
from tests.malicious_server.people import Running
from tests.malicious_server.playing import Attack, Held, Scene, play


@pytest.mark.parametrize("attack", [one for one in ATTACKS if one.family not in SECOND_HALF], ids=lambda one: one.name)
def test_attack(attack: Attack, running: Running) -> None:
    result = play(attack, running)
    assert not result.problem, result.problem
    assert result.said


def _shows(scene: Scene) -> str:
    """A play in which the server does nothing, so that everything is shown."""
    from desktop import errors

    mine = scene.alice.add()
    scene.nothing_shown(scene.alice, mine, errors.Damaged)
    return ""


def _writes(scene: Scene) -> str:
    mine = scene.alice.add()
    scene.alice.listed()
    scene.not_written(scene.alice, lambda: scene.alice.vault.export(mine, scene.target(scene.alice)))
    return ""


def _learns(scene: Scene) -> str:
    scene.freeze(scene.alice)
    scene.alice.add()
    return ""


def _crashes(scene: Scene) -> str:
    return str(scene.alice.listed()["nothing"])


@pytest.mark.parametrize(
    ("playing", "problem"),
    [
        (_shows, "shown as if nothing were wrong"),
        (_writes, "something was written"),
        (_learns, "remembers has changed"),
        (_crashes, "KeyError"),
    ],
)
def test_a_successful_attack_is_noticed(playing: object, problem: str, running: Running) -> None:
    result = play(Attack("none", FAMILIES[0], "nothing", None, playing), running)  # type: ignore[arg-type]
    assert problem in result.problem


def test_somebody_must_be_told(running: Running) -> None:
    from desktop import errors

    result = play(Attack("none", FAMILIES[0], "nothing", errors.Damaged, lambda scene: ""), running)
    assert result.problem == "nobody was told"
    assert issubclass(Held, AssertionError)
