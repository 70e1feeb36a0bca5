"""docs/api.md names every route, every setting and every error text."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from backend import errors
from backend.config import Config, variable
from tests.backend.conftest import Running

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def test_every_route_is_documented_and_no_other(server: Running) -> None:
    routes = {
        f"{method} {rule.rule}"
        for rule in server.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert set(re.findall(r"^### `(.+)`$", TEXT, re.MULTILINE)) == routes


def test_every_setting_is_documented_with_its_default() -> None:
    documented = dict(re.findall(r"^\| `(GLASSINE_\w+)` \| ?(?:`(.*?)`)? ?\|", TEXT, re.MULTILINE))
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
    for path in [*(ROOT / "backend" / "services").glob("*.py"), *(ROOT / "backend" / "api").glob("*.py")]:
        source = path.read_text(encoding="utf-8")
        raised = r'(?:Invalid|Conflict|Malformed|UnsupportedContentType|ImageNotFound|append)\("([^"]+)"\)'
        texts += re.findall(raised, source)
    assert len(texts) > 35
    missing = sorted({text for text in texts if f"`{text}`" not in TEXT} - never_as_they_are)
    assert missing == []


def test_the_exit_codes_and_options_are_documented() -> None:
    source = (ROOT / "backend" / "__main__.py").read_text(encoding="utf-8")
    for option in re.findall(r'add_argument\("(--[a-z-]+)"', source):
        assert option in TEXT
