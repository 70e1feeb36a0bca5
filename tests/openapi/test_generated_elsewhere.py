"""Generated requests to the earlier dialect, and a few to what is stored in MongoDB."""

from __future__ import annotations

from backend.storage.mongo import open_mongo
from tests.backend.conftest import Running, serving_storage
from tests.openapi.conftest import DESCRIBED
from tests.openapi.driving import check


def test_earlier_dialect(earlier: Running) -> None:
    check(earlier, ("Earlier dialect",), dialect="2022-01")


def test_mongodb(mongo_uri: str) -> None:
    with serving_storage(open_mongo(mongo_uri), DESCRIBED) as running:
        check(running, ("Pictures", "Permissions", "Documents", "File server"), examples=1, limits=False)
