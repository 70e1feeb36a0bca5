"""Generated requests to the earlier dialect, a few to what is stored in MongoDB, and some to what is broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Response

from backend.api.operation import ATTRIBUTE
from backend.storage.mongo import open_mongo
from tests.backend.conftest import Running, serving_storage
from tests.openapi.conftest import DESCRIBED, serving_empty
from tests.openapi.driving import check, run


def test_earlier_dialect(earlier: Running) -> None:
    check(earlier, ("Earlier dialect",), dialect="2022-01")


def test_mongodb(mongo_uri: str) -> None:
    with serving_storage(open_mongo(mongo_uri), DESCRIBED) as running:
        check(running, ("Pictures", "Permissions", "Documents"), examples=1, limits=False)


@pytest.mark.parametrize(
    ("answer", "noticed"),
    [
        (Response('{"message":"?"}', 500, mimetype="application/json"), "not_a_server_error"),
        (Response("{}", 418, mimetype="application/json"), "status_code_conformance"),
        (Response("{}", mimetype="text/plain"), "content_type_conformance"),
        (Response('{"name":"glassine"}', mimetype="application/json"), "response_schema_conformance"),
        (
            Response(
                '{"name":"glassine","version":"1","max_upload_bytes":1,"registration":true,"bin_days":1,"more":1}',
                mimetype="application/json",
            ),
            "response_schema_conformance",
        ),
    ],
    ids=["failure", "status", "content-type", "schema", "more than it says"],
)
def test_what_is_wrong_is_noticed(tmp_path: Path, answer: Response, noticed: str) -> None:
    with serving_empty(tmp_path, "") as running:

        def broken() -> Response:
            """Something else than is described."""
            return answer

        setattr(broken, ATTRIBUTE, getattr(running.app.view_functions["server.info"], ATTRIBUTE))
        running.app.view_functions["server.info"] = broken
        outcome = run(running.base, tags=("Server",), examples=1, limits=False)
        assert {problem.partition(": ")[2].partition(":")[0] for problem in outcome.problems} == {noticed}
        assert all(problem.startswith("GET /api/v1/server: ") for problem in outcome.problems)
