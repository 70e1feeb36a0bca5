"""Servers that describe themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.backend.conftest import FAST, Running, serving
from tests.openapi.people import METRICS

DESCRIBED = replace(FAST, metrics_token=METRICS.removeprefix("Bearer "))
EARLIER = replace(DESCRIBED, api_dialect="2022-01")


@contextmanager
def serving_empty(folder: Path, dialect: str) -> Iterator[Running]:
    """A server of a dialect on which nobody has an account."""
    with serving(folder, EARLIER if dialect else DESCRIBED) as running:
        yield running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server of the present dialect."""
    with serving_empty(tmp_path_factory.mktemp("server"), "") as running:
        yield running


@pytest.fixture(scope="session")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server of the earlier dialect."""
    with serving_empty(tmp_path_factory.mktemp("earlier"), "2022-01") as running:
        yield running
