"""Running servers for clients of other systems."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import ModuleType

import pytest

from backend.storage.embedded import open_storage
from tests.backend.conftest import FAST, Running, serving, serving_storage

EARLIER = replace(FAST, api_dialect="2022-01")
CLIENT = Path(__file__).with_name("earlier_client.py")

_numbers = count(1)

OpenServer = Callable[..., AbstractContextManager[Running]]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for all tests that do not break it."""
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server that speaks the earlier dialect."""
    with serving(tmp_path_factory.mktemp("earlier"), EARLIER) as running:
        yield running


@pytest.fixture(params=["embedded", "mongo"])
def open_server(request: pytest.FixtureRequest, tmp_path: Path) -> OpenServer:
    """Starts servers over one storage, empty at first, on each engine."""
    if request.param == "embedded":
        return lambda config=FAST: serving_storage(open_storage(tmp_path / "data"), config)
    from backend.storage.mongo import open_mongo

    uri = request.getfixturevalue("mongo_uri")
    return lambda config=FAST: serving_storage(open_mongo(uri), config)


def new_name(word: str = "account") -> str:
    """A name that nobody has, nor the people that a server is asked for."""
    return f"{word} {next(_numbers)}"


def earlier_client(server: Running) -> ModuleType:
    """The client of the earlier dialect, with nobody signed in."""
    spec = importlib.util.spec_from_file_location("one_earlier_client", CLIENT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.BASE = server.base
    return module
