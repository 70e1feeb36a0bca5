"""The server of all plays of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.malicious_server.people import Running, running_server


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The real backend behind the malicious layer."""
    with running_server(tmp_path_factory.mktemp("server")) as server:
        yield server
