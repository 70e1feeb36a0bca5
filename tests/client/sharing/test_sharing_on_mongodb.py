"""The main promises of sharing once more, with the pictures in MongoDB."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from backend.storage.mongo import open_mongo
from tests.backend.conftest import FAST, serving_storage
from tests.client.sharing.test_sharing import (
    test_a_writer_stores_a_revision_that_counts_under_the_grant_only,
    test_what_somebody_gets_and_loses,
)

__all__ = [
    "test_a_writer_stores_a_revision_that_counts_under_the_grant_only",
    "test_what_somebody_gets_and_loses",
]


@pytest.fixture
def server(mongo_uri: str) -> Iterator[SimpleNamespace]:
    """A server over MongoDB, in the place of the usual one."""
    with serving_storage(open_mongo(mongo_uri), FAST) as running:
        yield SimpleNamespace(address=running.base, app=running.app)
