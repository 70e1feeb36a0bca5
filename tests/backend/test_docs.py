"""docs/api.md and docs/compat.md name every route and error text, README.md every setting, docs/server.md the rest."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path

from flask import Flask

from backend import create_app, errors
from backend.api import gate
from backend.config import Config, variable
from backend.metrics import Metrics
from backend.storage.embedded import open_storage
from tests.backend.conftest import FAST, Running

ROOT = Path(__file__).resolve().parents[2]
COMPAT = (ROOT / "docs" / "compat.md").read_text(encoding="utf-8")
TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8") + COMPAT
README = (ROOT / "README.md").read_text(encoding="utf-8")
SERVER = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")


def routes_of(app: Flask) -> set[tuple[str, str]]:
    """Endpoint, and method with address, of every route."""
    return {
        (rule.endpoint, f"{method} {rule.rule}")
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_every_route_is_documented_and_no_other(server: Running) -> None:
    documented = re.findall(r"^### `(.+)`$", TEXT, re.MULTILINE)
    assert len(documented) == len(set(documented))
    assert set(documented) == {route for _, route in routes_of(server.app)}


def test_every_route_of_the_earlier_dialect_is_documented_and_no_other(tmp_path: Path) -> None:
    with closing(open_storage(tmp_path)) as storage:
        routes = routes_of(create_app(replace(FAST, api_dialect="2022-01"), storage))
    earlier = {route for endpoint, route in routes if endpoint.startswith("earlier_api.")}
    assert set(re.findall(r"^\| `([A-Z]+ /.+?)` \|", COMPAT, re.MULTILINE)) == earlier
    others = {route for _, route in routes} - earlier
    assert others <= set(re.findall(r"^### `(.+)`$", TEXT, re.MULTILINE))


def test_every_setting_is_documented_with_its_default() -> None:
    documented = dict(re.findall(r"^\| `(GLASSINE_\w+)` \| ?(?:`(.*?)`)? ?\|", README, re.MULTILINE))
    expected = {
        variable(knob.name): "" if knob.default is None else str(knob.default).replace("True", "true")
        for knob in fields(Config)
    }
    assert documented == expected


def test_every_error_text_is_documented() -> None:
    texts = [text for _, text in errors.STORAGE_ANSWERS.values()]
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.BackendError)]
    texts += [kind.default_message for kind in kinds if not kind.__subclasses__() or kind is errors.NotFound]
    never_as_they_are = {errors.Conflict.default_message, errors.UnsupportedContentType.default_message}
    for path in [
        path for part in ("services", "api", "auth", "compat") for path in (ROOT / "backend" / part).glob("*.py")
    ]:
        source = path.read_text(encoding="utf-8")
        raised = r'(?:Invalid|Conflict|Malformed|UnsupportedContentType|ImageNotFound|append)\("([^"]+)"\)'
        texts += re.findall(raised, source)
    assert len(texts) > 35
    missing = sorted({text for text in texts if f"`{text}`" not in TEXT} - never_as_they_are)
    assert missing == []


def test_a_running_server_is_documented() -> None:
    for header in (*gate.HEADERS, *gate.OVER_TLS, "X-Request-ID"):
        assert f"`{header}" in SERVER, header
    for code in ("0 ended in order", "1 could not start", "2 usage", "4 damaged storage"):
        assert code in SERVER
    figures = {family.name for family in Metrics().families()}
    documented = set(re.findall(r"`(glassine_\w+)`", SERVER))
    assert {name.removesuffix("_total") for name in documented} == figures


def test_every_option_is_explained() -> None:
    source = (ROOT / "backend" / "__main__.py").read_text(encoding="utf-8")
    options = set(re.findall(r'add_argument\(\s*"(--[a-z-]+)"', source)) | {"--mongodb"}
    assert len(options) == 8
    assert {option for option in options if f"`{option}" not in SERVER} == set()
