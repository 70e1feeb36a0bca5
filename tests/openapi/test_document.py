"""The OpenAPI document is complete and its examples work; the page that shows it asks nobody else."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Response

from backend import create_app
from backend.api.openapi import Undescribed, document, routes
from backend.api.openapi_parts import HEADERS, PARAMETERS, SIGN_IN, TAGS, VARIABLES
from backend.storage.embedded import open_storage
from tests.backend import samples
from tests.backend.conftest import Running
from tests.openapi.conftest import DESCRIBED, serving_empty
from tests.openapi.driving import document_of, operations_of

DIALECTS = pytest.mark.parametrize("dialect", ["", "2022-01"], ids=["present", "earlier"])
METHODS = {"get", "post", "put", "delete"}


@pytest.fixture(params=["", "2022-01"], ids=["present", "earlier"])
def either(request: pytest.FixtureRequest) -> Running:
    """A server of each dialect."""
    found: Running = request.getfixturevalue("earlier" if request.param else "server")
    return found


def each_operation(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            yield method, path, operation


def test_every_route_is_in_it(either: Running) -> None:
    walked = {f"{method} {rule.rule}".replace("<", "{").replace(">", "}") for rule, method in routes(either.app)}
    assert len(walked) > 50
    assert operations_of(document_of(either.base)) == walked


def test_a_route_without_description_is_noticed(tmp_path: Path) -> None:
    with closing(open_storage(tmp_path)) as storage:
        app = create_app(DESCRIBED, storage)
        app.add_url_rule("/new", "server.new", lambda: Response(""))
        with pytest.raises(Undescribed, match="GET /new"):
            document(app, DESCRIBED)


def test_every_operation_says_enough(either: Running) -> None:
    described = document_of(either.base)
    tags = {tag["name"] for tag in described["tags"]}
    identifiers = []
    for method, path, operation in each_operation(described):
        assert method in METHODS
        assert operation["summary"], path
        assert set(operation["tags"]) <= tags
        assert {"500", "503"} <= set(operation["responses"])
        variables = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
        assert variables == set(re.findall("{(.+?)}", path))
        identifiers.append(operation["operationId"])
        for one in operation["security"]:
            assert set(one) <= set(described["components"]["securitySchemes"])
        if operation["security"] and path != "/metrics":  # for strangers there is no such address
            assert {"401", "403"} & set(operation["responses"]), f"{method} {path} refuses nobody"
    assert len(identifiers) == len(set(identifiers))


def test_every_reference_leads_somewhere(either: Running) -> None:
    described = document_of(either.base)
    names = set(re.findall(r"#/components/schemas/(\w+)", str(described["paths"])))
    assert names
    assert names <= set(described["components"]["schemas"])


def test_nothing_is_kept_that_no_operation_uses(server: Running, earlier: Running) -> None:
    paths = [document_of(running.base)["paths"] for running in (server, earlier)]
    used = {name for one in paths for name in re.findall(r"#/components/schemas/(\w+)", str(one))}
    schemas = document_of(server.base)["components"]["schemas"]
    used |= {name for schema in schemas.values() for name in re.findall(r"#/components/schemas/(\w+)", str(schema))}
    assert set(schemas) == used
    operations = [operation for each in paths for _, _, operation in each_operation({"paths": each})]
    texts = {one["description"] for operation in operations for one in operation.get("parameters", ())}
    assert {one["description"] for one in (*PARAMETERS.values(), *VARIABLES.values())} == texts
    answers = [answer for operation in operations for answer in operation["responses"].values()]
    assert {name for answer in answers for name in answer.get("headers", ())} == set(HEADERS)
    ways = {way for operation in operations for one in operation["security"] for way in one}
    assert ways == set(SIGN_IN)
    groups = {rule.endpoint.rpartition(".")[0] for each in (server, earlier) for rule in each.app.url_map.iter_rules()}
    assert groups == set(TAGS)


def test_the_library_is_imported_when_somebody_asks() -> None:
    code = "import sys, backend.app; print('apispec' in sys.modules, 'swagger_ui_bundle' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    found = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert found.stdout == "False False\n"


# -- examples ------------------------------------------------------------------------------------------------------


def send_example(base: str, method: str, path: str, kind: str, example: Any, **more: Any) -> requests.Response:
    """Send a documented example as it is printed; where files belong, with files."""
    if kind == "multipart/form-data":
        files = {"imageFile": ("bicycle.png", samples.png(), "image/png")} if "quotient" in example else {}
        plain = {name: (None, value) for name, value in example.items()}
        more |= {"files": files | plain}
    elif kind == "application/json":
        more |= {"json": example}
    else:
        more |= {"data": example}
    return requests.request(method, base + path, timeout=20, **more)


@DIALECTS
def test_examples_as_printed_get_documented_answers(tmp_path: Path, dialect: str) -> None:
    with serving_empty(tmp_path, dialect) as fresh:
        sent = 0
        for method, path, operation in each_operation(document_of(fresh.base)):
            printed = {
                one["name"]: one["schema"].get("example", one["schema"].get("enum", [""])[0])
                for one in operation.get("parameters", ())
                if one["in"] == "path"
            }
            for kind, content in operation.get("requestBody", {"content": {}})["content"].items():
                if "example" in content:
                    answer = send_example(fresh.base, method, path.format(**printed), kind, content["example"])
                    assert str(answer.status_code) in operation["responses"], f"{method} {path}: {answer.status_code}"
                    assert answer.status_code < 500
                    sent += 1
        assert sent > 25


GOOD = {
    # in this order, each for somebody who is signed in and whose id stands in the address
    "POST /api/v1/auth/register": 201,
    "POST /api/v1/auth/login": 200,
    "PUT /api/v1/users/{user_id}/key": 204,
    "POST /api/v1/users/{user_id}/images": 201,
    "POST /api/v1/users/{user_id}/images/{name}/permissions": 404,  # there is nobody of the id
    "PUT /api/v1/users/{user_id}/ledger": 428,  # a header says what is to be replaced
    "PUT /api/v1/users/{user_id}/keyfile": 428,
    "PUT /api/v1/users/{user_id}/gone/{picture_id}": 201,
    "PUT /api/v1/users/{user_id}/successions/{fingerprint}": 201,
    "POST /api/users": 201,
    "POST /ops/signup": 201,
    "POST /ops/login": 200,
    "POST /client/signup": 201,
    "POST /client/login": 200,
    "POST /api/v1/users": 201,
    "POST /api/v1/auth_session/login": 200,
    "PUT /api/v1/users/{user_id}": 200,
    "PUT /api/v1/users/{user_id}/password": 200,
}


def test_examples_work(tmp_path: Path) -> None:
    with serving_empty(tmp_path, "") as fresh:
        described, token, own = document_of(fresh.base), "", ""
        for operation, status in GOOD.items():
            method, path = operation.split()
            found = described["paths"][path][method.lower()]
            kind, content = next(iter(found["requestBody"]["content"].items()))
            printed = {one["name"]: one["schema"].get("example") for one in found.get("parameters", ())}
            address = path.format(**(printed | {"user_id": own}))
            headers = {"Authorization": f"Bearer {token}"} if found["security"] else {}
            answer = send_example(fresh.base, method, address, kind, content["example"], headers=headers)
            assert answer.status_code == status, f"{operation}: {answer.status_code} {answer.text}"
            if operation == "POST /api/v1/auth/login":
                token, own = answer.json()["access_token"], answer.json()["user_id"]


# -- the page ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/api/v1/", "/api/v1"])
def test_the_page_asks_nobody_else(either: Running, address: str) -> None:
    page = requests.get(either.base + address, timeout=20)
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    named = re.findall(r'(?:src|href)="(.*?)"', page.text)
    assert named.pop(0) == "data:,"
    assert len(named) == 3
    assert "<script>" not in page.text
    assert "style=" not in page.text
    for one in named:
        assert one.startswith("/api/v1/swagger-ui/")
        file = requests.get(either.base + one, timeout=20)
        assert file.status_code == 200
        assert file.headers["X-Content-Type-Options"] == "nosniff"
    start = requests.get(f"{either.base}/api/v1/swagger-ui/start.js", timeout=20).text
    assert "//" not in start
    assert "validatorUrl: null" in start
    assert document_of(either.base)["servers"] == [{"url": "/"}]


def test_only_this_page_may_have_scripts_and_only_from_here(server: Running) -> None:
    policy = requests.get(f"{server.base}/api/v1/", timeout=20).headers["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "script-src" not in server.call("GET", "/server").headers["Content-Security-Policy"]


def test_files_are_sent_once(server: Running) -> None:
    address = f"{server.base}/api/v1/swagger-ui/swagger-ui-bundle.js"
    first = requests.get(address, timeout=20)
    again = requests.get(address, headers={"If-None-Match": first.headers["ETag"]}, timeout=20)
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["index.html", "swagger-ui-bundle.js.map", "..%2f__init__.py", "%2e%2e/start.js"])
def test_there_are_no_other_files(server: Running, name: str) -> None:
    assert requests.get(f"{server.base}/api/v1/swagger-ui/{name}", timeout=20).status_code == 404


def test_without_the_files_it_says_so(server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import swagger_ui_bundle

    from backend.api import swagger

    swagger._read.cache_clear()
    monkeypatch.setattr(swagger_ui_bundle, "swagger_ui_path", tmp_path)
    answer = requests.get(f"{server.base}/api/v1/swagger-ui/swagger-ui.css", timeout=20)
    assert (answer.status_code, answer.json()) == (404, {"message": "Swagger UI is not installed"})
