"""Generated requests to all that is not about pictures: no failure, and nothing that the document does not say."""

from __future__ import annotations

import pytest

from tests.backend.conftest import Running
from tests.openapi.driving import check

TAGS = ("Server", "Accounts", "Watching", "Basic and tokens", "File server", "E-mail and sessions")


@pytest.mark.parametrize("tag", TAGS)
def test_generated_requests(server: Running, tag: str) -> None:
    check(server, (tag,))
