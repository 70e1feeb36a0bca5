"""The import directions of the architecture, checked on the source text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = [
    ROOT / "main.py",
    ROOT / "glassine_version.py",
    *sorted((ROOT / "desktop").rglob("*.py")),
    *sorted((ROOT / "backend").rglob("*.py")),
]

LAYERS = ["crypto", "client", "viewmodels", "widgets"]  # each may import those before it
QT_FREE = (
    "desktop/client",
    "desktop/crypto",
    "desktop/cli",
    "desktop/image_formats.py",
    "desktop/config.py",
    "backend/",
)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line number and dotted name of each import, those inside functions included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def wrong(path: str, name: str) -> str | None:
    """Say what is wrong with a file importing a name, or None."""
    parts = name.split(".")
    top = parts[0]
    if path.startswith("backend/") and top == "desktop":
        return "backend must not import desktop"
    if not path.startswith("backend/") and top == "backend" and path != "desktop/embedded.py":
        return "only desktop/embedded.py may import backend"
    if top == "PySide6" and path.startswith(QT_FREE):
        return "must be free of Qt"
    if top == "requests" and not path.startswith("desktop/client/"):
        return "requests belongs to desktop/client"
    if top == "random":
        return "random is not for shipped code; use secrets or os.urandom"
    if top == "flask" and path.startswith(("backend/services/", "backend/storage/")):
        return "services and storage know no Flask"
    if top in {"socket", "requests", "urllib3", "http"} and path.startswith("desktop/crypto/"):
        return "crypto is free of the network"
    layer = next((layer for layer in LAYERS if path.startswith(f"desktop/{layer}/")), None)
    above = LAYERS[LAYERS.index(layer) + 1 :] if layer else []
    if top == "desktop" and len(parts) > 1 and parts[1] in above:
        return f"{layer} must not import {parts[1]}"
    return None


def test_imports_go_one_way() -> None:
    problems = []
    for path in SHIPPED:
        relative = path.relative_to(ROOT).as_posix()
        for line, name in imports(path):
            problem = wrong(relative, name)
            if problem:
                problems.append(f"{relative}:{line}: imports {name}: {problem}")
    assert not problems, "\n".join(problems)


def test_the_rules_catch_what_they_name() -> None:
    assert wrong("backend/api/x.py", "desktop.errors.Damaged")
    assert wrong("desktop/client/vault.py", "backend.create_app")
    assert wrong("desktop/client/vault.py", "PySide6.QtCore.QObject")
    assert wrong("desktop/crypto/keys.py", "desktop.client.vault.Vault")
    assert wrong("desktop/viewmodels/gallery.py", "desktop.widgets.theme.Theme")
    assert wrong("desktop/widgets/x.py", "requests.get")
    assert wrong("backend/services/x.py", "flask.request")
    assert not wrong("desktop/embedded.py", "backend.create_app")
    assert not wrong("desktop/viewmodels/gallery.py", "desktop.client.vault.Vault")
