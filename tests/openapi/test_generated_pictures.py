"""Generated requests to all that is about pictures: no failure, and nothing that the document does not say."""

from __future__ import annotations

import pytest

from tests.backend.conftest import Running
from tests.openapi import test_generated_accounts
from tests.openapi.driving import check, document_of

TAGS = ("Pictures", "Revisions", "Permissions", "Bin", "Documents")


@pytest.mark.parametrize("tag", TAGS)
def test_generated_requests(server: Running, tag: str) -> None:
    check(server, (tag,))


def test_nothing_is_left_out(server: Running, earlier: Running) -> None:
    tags = {tag["name"] for running in (server, earlier) for tag in document_of(running.base)["tags"]}
    assert tags == {*TAGS, *test_generated_accounts.TAGS, "Earlier dialect"}
