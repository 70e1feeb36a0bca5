"""The bill of materials (CycloneDX 1.5): what uv knows of the lock file, Python, and libraries of the build machine."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import re
import subprocess
import sys
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from scripts.package.libraries import elf_files
from scripts.package.trees import ROOT

Component = dict[str, Any]

NAMESPACE: Final = uuid.UUID("0b4d2f54-5a0c-4f0e-8c55-6f2c1d1b7a11")
BUILD_TOOLS_INSIDE: Final = ("pyinstaller",)
"""Part of it ends up in the bundle: its starter."""


def build(bundle: Path, version: str, uv: Path, *, target: Path, date: int) -> Path:
    """Write the bill in the folder ``target`` and return its path."""
    command = [str(uv), "export", "--quiet", "--frozen", "--no-default-groups", "--extra", "desktop"]
    command += ["--no-emit-project", "--format", "cyclonedx1.5"]
    exported = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    document = compose(json.loads(exported), installed(), extra_components(bundle), version=version, date=date)
    target.mkdir(parents=True, exist_ok=True)
    path = target / f"glassine-{version}.cdx.json"
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return path


def normal_name(name: str) -> str:
    """Return a distribution's name as the lock file writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> dict[str, importlib.metadata.Distribution]:
    """Return what is installed where this runs, which is what PyInstaller took from."""
    return {normal_name(found.name): found for found in importlib.metadata.distributions()}


def compose(
    exported: Mapping[str, Any],
    here: Mapping[str, importlib.metadata.Distribution],
    more: Iterable[Component],
    *,
    version: str,
    date: int,
) -> dict[str, Any]:
    """Return the finished document: only what is installed here, with licences, and the same for the same input."""
    components = []
    for component in exported["components"]:
        found = here.get(component["name"])
        if found is not None and found.version == component["version"]:
            components.append(component | licences(found))
    known = {component["bom-ref"] for component in components}
    dependencies = [
        entry | {"dependsOn": [ref for ref in entry.get("dependsOn", ()) if ref in known]}
        for entry in exported["dependencies"]
        if entry["ref"] in known
    ]
    components += sorted(more, key=lambda component: component["bom-ref"])
    root = {
        "type": "application",
        "bom-ref": f"glassine@{version}",
        "name": "glassine",
        "version": version,
        "licenses": [{"license": {"id": "MIT"}}],
    }
    dependencies.append({"ref": root["bom-ref"], "dependsOn": [component["bom-ref"] for component in components]})
    content = json.dumps([root, components, dependencies], sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, content)}",
        "metadata": {
            "timestamp": datetime.fromtimestamp(date, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tools": exported["metadata"]["tools"],
            "component": root,
        },
        "components": components,
        "dependencies": dependencies,
    }


def licences(found: importlib.metadata.Distribution) -> Component:
    """Return what a distribution says of its licence, if it says it in a line."""
    words = found.metadata.get("License-Expression") or ""
    if words:
        return {"licenses": [{"expression": words}]}
    words = (found.metadata.get("License") or "").strip()
    return {"licenses": [{"license": {"name": words}}]} if words and "\n" not in words else {}


def extra_components(bundle: Path) -> list[Component]:
    """Return what is in the bundle but not in the lock file."""
    python = platform.python_version()
    found = [_component("cpython", python, f"pkg:generic/cpython@{python}")]
    for name in BUILD_TOOLS_INSIDE:
        version = importlib.metadata.version(name)
        found.append(_component(name, version, f"pkg:pypi/{name}@{version}"))
    if sys.platform.startswith("linux"):
        found += debian_components(bundle)
    return found


def debian_components(bundle: Path) -> list[Component]:
    """Return the Debian packages of this machine that libraries in the bundle were taken from."""
    names = [path.name for path in elf_files(bundle) if ".so" in path.name and "python" not in path.name]
    patterns = [f"*/{name}" for name in names if (Path("/usr/lib/x86_64-linux-gnu") / name).exists()]
    if not patterns:
        return []
    # the pattern may find copies that other packages keep elsewhere, so only the usual folders count
    listing = subprocess.run(["dpkg-query", "-S", *patterns], capture_output=True, text=True, check=False).stdout
    packages = {
        line.split(":")[0]
        for line in listing.splitlines()
        if re.search(r": (?:/usr)?/lib/x86_64-linux-gnu/[^/]+$", line)
    }
    command = ["dpkg-query", "-W", "-f", "${Package}\t${Version}\t${Architecture}\n", *sorted(packages)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    rows = sorted({tuple(line.split("\t")) for line in lines})
    return [
        _component(name, version, f"pkg:deb/debian/{name}@{version.replace('+', '%2B')}?arch={architecture}")
        for name, version, architecture in rows
    ]


def _component(name: str, version: str, purl: str) -> Component:
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
