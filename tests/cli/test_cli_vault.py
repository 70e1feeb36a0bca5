"""`glassine upload`, `list` and `download`, with a vault on this computer and with a server."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop import embedded
from desktop.client.session import Sessions
from desktop.config import Config
from tests.cli.conftest import PASSPHRASE, Glassine, Keys
from tests.client.conftest import PASSWORD, run_server


@dataclass(frozen=True)
class Place:
    """Options that name a vault, and where its key file is."""

    options: tuple[str, ...]


@pytest.fixture(params=["vault", "server"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    """A vault on this computer, or an account on a server that runs meanwhile."""
    data = tmp_path / "data"
    monkeypatch.setenv("GLASSINE_DATA_DIR", str(data))
    passphrase = ("--passphrase-file", str(keys.passphrase))
    if request.param == "vault":
        folder = tmp_path / "vault"
        put_key(folder / "keys", keys)
        Sessions(Config(data), embedded.start).open_vault(folder, PASSPHRASE).close()
        yield Place(("--vault", str(folder), *passphrase))
        return
    server = run_server(tmp_path / "server")
    server.app.extensions["glassine"].services.accounts.register("mara", PASSWORD, keys.private.public.pem)
    put_key(data / "keys", keys)
    password = tmp_path / "password"
    password.write_text(PASSWORD + "\n")
    yield Place(("--server", server.address, "--user", "mara", "--password-file", str(password), *passphrase))
    server.stop()


def put_key(folder: Path, keys: Keys) -> None:
    folder.mkdir(parents=True, mode=0o700)
    (folder / f"{keys.private.fingerprint}.glassine-key").write_bytes(keys.mine.read_bytes())


def other(tmp_path: Path, name: str, seed: int) -> Path:
    data = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (30, 40, 3), np.uint8)).save(data, "PNG")
    folder = tmp_path / f"more {seed}"
    folder.mkdir()
    (folder / name).write_bytes(data.getvalue())
    return folder / name


def lines(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def test_there_and_back(glassine: Glassine, place: Place, photo: Path, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("no picture")

    sent = glassine("upload", letter, photo, *place.options, "--json")
    refused, stored = lines(sent.out)
    assert (sent.code, refused["file"], stored["status"]) == (5, str(letter), "stored")
    folder = glassine("upload", ".", tmp_path, *place.options)
    assert folder.code == 1
    assert folder.err.startswith("glassine: . is a folder. Give the pictures in it, one by one or as *.\n")
    assert f"glassine: {tmp_path.name} is a folder. Give" in folder.err
    again = glassine("upload", photo, *place.options)
    assert (again.code, again.out) == (0, f"holiday.png is there already as {stored['picture_id']}\n")

    [listed] = lines(glassine("list", *place.options, "--json").out)
    assert (listed["id"], listed["name"], listed["state"]) == (stored["picture_id"], "holiday.png", "ready")
    assert (listed["width"], listed["height"], listed["size"]) == (120, 80, photo.stat().st_size)
    plain = glassine("list", *place.options)
    assert (plain.code, plain.err) == (0, "")
    assert plain.out.startswith(f"{stored['picture_id']}  ")
    assert plain.out.endswith("  holiday.png\n")

    target = tmp_path / "target"
    target.mkdir()
    for wanted, name in (("holiday.png", "holiday.png"), (str(stored["picture_id"]), "holiday (2).png")):
        fetched = glassine("download", wanted, "--to", target, *place.options)
        assert (fetched.code, (target / name).read_bytes()) == (0, photo.read_bytes())


def test_names_that_do_not_tell(glassine: Glassine, place: Place, tmp_path: Path) -> None:
    paths = [other(tmp_path, "same.png", seed) for seed in (1, 2)]
    first, second = lines(glassine("upload", *paths, *place.options, "--json").out)
    target = tmp_path / "target"
    target.mkdir()

    result = glassine("download", "same.png", "nobody.png", str(second["picture_id"]), "--to", target, *place.options)
    assert result.code == 2
    assert str(first["picture_id"]) in result.err
    assert "nobody.png: There is no picture" in result.err
    assert [path.read_bytes() for path in target.iterdir()] == [paths[1].read_bytes()]


def test_the_bin(glassine: Glassine, place: Place, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import argparse

    from desktop import cli_vault

    [stored] = lines(glassine("upload", photo, *place.options, "--json").out)
    parser = argparse.ArgumentParser()
    cli_vault.add_commands(parser.add_subparsers())
    with cli_vault._opened(parser.parse_args(["list", *place.options])) as vault:
        vault.list_pictures()
        vault.delete(str(stored["picture_id"]))

    assert glassine("list", *place.options).out == ""
    [binned] = lines(glassine("list", "--bin", *place.options, "--json").out)
    assert (binned["id"], binned["state"]) == (stored["picture_id"], "ready")
    assert binned["deleted"]
    [restored] = lines(glassine("upload", photo, *place.options, "--json").out)
    assert (restored["picture_id"], restored["status"]) == (stored["picture_id"], "restored")
    assert glassine("list", "--bin", *place.options).out == ""


def test_missing_pictures_are_named(
    glassine: Glassine, place: Place, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from desktop import errors
    from desktop.client.api import Api

    [stored] = lines(glassine("upload", photo, *place.options, "--json").out)

    def nothing(*_: object) -> None:
        raise errors.NotFound

    monkeypatch.setattr(Api, "page", lambda *_: ([], 0))
    monkeypatch.setattr(Api, "present", nothing)
    result = glassine("list", *place.options)
    assert result.code == 4
    assert "[missing]" in result.out
    assert f"holiday.png ({stored['picture_id']}): Missing on the server." in result.err
    assert "(V-120)" in result.err


def test_wrong_passphrase(glassine: Glassine, place: Place, keys: Keys) -> None:
    options = [*place.options[:-1], str(keys.passphrase.with_name("wrong"))]
    assert glassine("list", *options).code == 3


def test_options_that_do_not_fit(glassine: Glassine, tmp_path: Path, keys: Keys) -> None:
    both = glassine("list", "--vault", tmp_path, "--server", "localhost", "--user", "x")
    assert (both.code, "either" in both.err) == (2, True)
    assert glassine("list", "--vault", tmp_path / "nowhere").code == 2
    assert glassine("list", "--vault", tmp_path, "--passphrase-file", keys.passphrase).code == 1


def test_a_picture_of_an_earlier_run_that_is_not_taken_is_in_nobodys_way(
    glassine: Glassine, place: Place, photo: Path, tmp_path: Path
) -> None:
    import argparse
    import shutil

    from desktop import cli_vault

    parser = argparse.ArgumentParser()
    cli_vault.add_commands(parser.add_subparsers())
    with cli_vault._opened(parser.parse_args(["list", *place.options])) as vault:
        staged = vault.seal(other(tmp_path, "gone.png", 5))
        shutil.copytree(staged.folder, tmp_path / "kept")
        vault.purge([vault.upload(staged).id])
        shutil.copytree(tmp_path / "kept", staged.folder)

    result = glassine("upload", photo, *place.options)
    assert result.code == 1
    assert "gone.png: This picture was deleted for good" in result.err
    assert "holiday.png is stored as" in result.out
