"""A command line to run in this process, with a key that is made once."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import main
from desktop.crypto import key_file
from desktop.crypto.key_slots import Cost
from desktop.crypto.keys import PrivateKey

PASSPHRASE = "correct horse battery"


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Glassine = Callable[..., Result]


@dataclass(frozen=True)
class Keys:
    """Two key files of different people, with the same passphrase."""

    mine: Path
    theirs: Path
    passphrase: Path
    private: PrivateKey

    @property
    def options(self) -> tuple[str, ...]:
        return ("--key", str(self.mine), "--passphrase-file", str(self.passphrase))


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("keys")
    made = [PrivateKey.generate(2048) for _ in range(2)]
    for name, key in zip(("mine", "theirs"), made, strict=True):
        (folder / name).write_bytes(key_file.create(key, PASSPHRASE, _cost=Cost(19456, 2, 1)))
        (folder / f"{name}.pem").write_text(key.public.pem)
    (folder / "passphrase").write_text(f"{PASSPHRASE}\n")
    (folder / "wrong").write_text("incorrect\n")
    return Keys(folder / "mine", folder / "theirs", folder / "passphrase", made[0])


@pytest.fixture
def glassine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Glassine:
    """Runs a command in ``tmp_path`` and checks what holds for every command."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLASSINE_DEBUG", raising=False)

    def run(*arguments: str | Path) -> Result:
        capsys.readouterr()
        code = main.main([str(argument) for argument in arguments])
        result = Result(code, *capsys.readouterr())
        assert code in {0, 1, 2, 3, 4, 5, 130}
        assert all(line.startswith("glassine: ") for line in result.err.splitlines()), result.err
        assert (code == 0) or result.err, "a failure must say why"
        assert not list(tmp_path.rglob("*.part")), "a temporary file was left behind"
        return result

    return run


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture of noise, 120 x 80."""
    data = io.BytesIO()
    Image.fromarray(np.random.default_rng(5).integers(0, 256, (80, 120, 3), np.uint8)).save(data, "PNG")
    path = tmp_path / "holiday.png"
    path.write_bytes(data.getvalue())
    return path
