"""Every text with a number has both English forms, and the compiled file holds them."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QTranslator

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "resources" / "translations"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("translations", ROOT / "scripts" / "translations.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_text_with_a_number_has_english_forms(script: ModuleType) -> None:
    known = script.read(FOLDER / "glassine_en.ts")
    missing = [key for key in script.strings_of_the_sources() if "%n" in key[1] and not all(known.get(key, [""]))]
    assert missing == [], "run scripts/translations.py and write the two forms"


def test_no_text_with_a_number_is_passed_over(script: ModuleType) -> None:
    """lupdate does not see a call whose number is an attribute, as in ``translate("A", "%n pictures", None, a.b)``."""
    known = {source for _, source in script.read(FOLDER / "glassine_en.ts")}
    for path in sorted((ROOT / "desktop").rglob("*.py")):
        calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
        for call in calls:
            if (getattr(call.func, "attr", "") or getattr(call.func, "id", "")) not in ("tr", "translate"):
                continue
            texts = [node.value for node in call.args if isinstance(node, ast.Constant) and isinstance(node.value, str)]
            assert {text for text in texts if "%n" in text} <= known, path


def test_the_compiled_file_knows_one_from_many(script: ModuleType, qapp: Any) -> None:
    translator = QTranslator()
    assert translator.load("glassine_en", str(FOLDER))
    for (context, source), forms in script.read(FOLDER / "glassine_en.ts").items():
        assert translator.translate(context, source, "", 1) == forms[0], source
        assert translator.translate(context, source, "", 5) == forms[1], source


def test_a_window_says_one_picture(qapp: Any) -> None:
    translator = QTranslator()
    assert translator.load("glassine_en", str(FOLDER))
    qapp.installTranslator(translator)
    try:
        translate = QCoreApplication.translate
        assert translate("GalleryView", "%n pictures", "", 1) == "1 picture"
        assert translate("GalleryView", "%n pictures", "", 2) == "2 pictures"
    finally:
        qapp.removeTranslator(translator)
