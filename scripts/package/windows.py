"""What Windows shows under "Properties" of the executables. Written from the documentation, not run."""

from __future__ import annotations

from pathlib import Path


def version_file(version: str, name: str, folder: Path) -> str:
    """Write the version resource as PyInstaller reads it and return its path."""
    numbers = (*(int(part) for part in version.split(".")), 0)
    words = {
        "FileDescription": "Glassine: private pictures",
        "FileVersion": version,
        "InternalName": name,
        "LegalCopyright": "MIT licence",
        "OriginalFilename": f"{name}.exe",
        "ProductName": "Glassine",
        "ProductVersion": version,
    }
    strings = ", ".join(f"StringStruct({key!r}, {value!r})" for key, value in words.items())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-version.txt"
    path.write_text(
        f"VSVersionInfo(ffi=FixedFileInfo(filevers={numbers}, prodvers={numbers}), kids=["
        f"StringFileInfo([StringTable('040904B0', [{strings}])]), "
        "VarFileInfo([VarStruct('Translation', [1033, 1200])])])\n",
        encoding="utf-8",
    )
    return str(path)
