"""People with real clients at one real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.crypto.keys import PrivateKey
from tests.client.conftest import RunningServer
from tests.client.sharing.friends import PASSWORD, Friend, Make, make_friend


@pytest.fixture(scope="session")
def some_keys() -> list[PrivateKey]:
    """Key pairs for as many people as meet in one test."""
    return [PrivateKey.generate(2048) for _ in range(4)]


@pytest.fixture
def people(server: RunningServer, tmp_path: Path, some_keys: list[PrivateKey]) -> Iterator[Make]:
    """Makes people with an account each."""
    made: list[Friend] = []
    accounts = server.app.extensions["glassine"].services.accounts

    def make() -> Friend:
        key, folder = some_keys[len(made)], tmp_path / f"person {len(made)}"
        friend = make_friend(server.address, lambda name, pem: accounts.register(name, PASSWORD, pem), key, folder)
        made.append(friend)
        return friend

    yield make
    for friend in made:
        friend.close()


@pytest.fixture
def anna(people: Make) -> Friend:
    return people()


@pytest.fixture
def ben(people: Make, anna: Friend) -> Friend:
    return people()


@pytest.fixture
def cleo(people: Make, anna: Friend, ben: Friend) -> Friend:
    return people()
