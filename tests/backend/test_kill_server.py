"""kill -9 of workers and database while clients store; ``python -m benchmarks.kill_server`` is the long run."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import kill_server
from tests.backend import samples
from tests.backend.conftest import Running


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the workers in /proc")
def test_nothing_acknowledged_is_lost_by_kill_9() -> None:
    kills = [["worker", "database", "gunicorn"]]
    assert kill_server.run(kills, pictures=20, size=60_000, clients=4, say=False) == []


def test_the_check_notices_what_is_lost_damaged_or_never_sent(server: Running) -> None:
    """The check of the kill test can fail: each kind of harm is found."""
    form = {"username": "killed", "password": kill_server.PASSWORD, "publicKey": "27977 9431"}
    assert server.call("POST", "/auth/register", data=form).status_code == 201
    signed_in = server.call("POST", "/auth/login", data=form).json()
    sent, other = samples.sealed(), samples.sealed()
    answer = server.call(
        "POST", f"/users/{signed_in['user_id']}/images", **sent.form(),
        headers={"Authorization": f"Bearer {signed_in['access_token']}"},
    )  # fmt: skip
    assert answer.status_code == 201
    right = hashlib.sha256(sent.image).hexdigest()

    def problems(wanted: dict[str, str], *acknowledged: str) -> list[str]:
        outcome = kill_server.Outcome(wanted, Counter(acknowledged))
        kill_server.check(server.base, "killed", outcome)
        return outcome.problems

    name = sent.picture_id
    assert problems({name: right}, name) == []
    assert problems({name: "0" * 64}, name) == [f"{name} is damaged"]
    assert problems({name: right}, name, other.picture_id) == [f"{other.picture_id} was acknowledged and is lost"]
    assert problems({}) == [f"{name} is listed and was never sent"]
