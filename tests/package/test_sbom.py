"""The bill of materials: only what is installed, with licences, complete references, and the same each time."""

from __future__ import annotations

import importlib.metadata
from typing import Any

from scripts.package import sbom

NUMPY = importlib.metadata.distribution("numpy")

EXPORTED: dict[str, Any] = {
    "metadata": {"tools": [{"name": "uv", "version": "1"}], "timestamp": "now"},
    "serialNumber": "urn:uuid:random",
    "components": [
        {"bom-ref": "numpy-1", "name": "numpy", "version": NUMPY.version, "type": "library"},
        {"bom-ref": "numpy-2", "name": "numpy", "version": "0.0.1", "type": "library"},
        {"bom-ref": "pywin32-3", "name": "pywin32-ctypes", "version": "1", "type": "library"},
    ],
    "dependencies": [
        {"ref": "numpy-1", "dependsOn": ["pywin32-3"]},
        {"ref": "pywin32-3"},
    ],
}
MORE = [{"bom-ref": "b", "name": "b", "version": "1"}, {"bom-ref": "a", "name": "a", "version": "1"}]


def compose(more: list[dict[str, Any]]) -> dict[str, Any]:
    return sbom.compose(EXPORTED, {"numpy": NUMPY}, more, version="1.2.3", date=1_700_000_000)


def test_only_what_is_installed_is_listed() -> None:
    document = compose(MORE)
    assert [component["bom-ref"] for component in document["components"]] == ["numpy-1", "a", "b"]
    assert document["components"][0]["licenses"]
    assert document["metadata"]["component"]["version"] == "1.2.3"
    assert document["specVersion"] == "1.5"


def test_references_lead_somewhere() -> None:
    document = compose(MORE)
    known = {component["bom-ref"] for component in document["components"]}
    root = document["metadata"]["component"]["bom-ref"]
    for entry in document["dependencies"]:
        assert entry["ref"] in known | {root}
        assert set(entry["dependsOn"]) <= known
    assert set(document["dependencies"][-1]["dependsOn"]) == known


def test_it_is_the_same_each_time_and_another_for_other_contents() -> None:
    assert compose(MORE) == compose(MORE[::-1])
    assert compose(MORE)["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    assert compose(MORE)["serialNumber"] != compose(MORE[:1])["serialNumber"]


def test_names_are_those_of_the_lock_file() -> None:
    assert sbom.normal_name("PySide6_Essentials") == "pyside6-essentials"
    assert sbom.normal_name("jaraco.classes") == "jaraco-classes"
    assert sbom.installed()["flask-jwt-extended"].version
