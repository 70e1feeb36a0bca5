"""Files given as arguments, by hand or by the desktop, open the window and are offered for adding."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

import desktop.app
from desktop import cli
from desktop.config import Config
from desktop.tasks import TaskRunner
from desktop.widgets.preflight_dialog import PreflightDialog


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[list[Path]]:
    """What windows were opened with."""
    calls: list[list[Path]] = []

    def run(argv: list[str], files: list[Path]) -> int:
        assert argv == []
        calls.append(files)
        return 0

    monkeypatch.setattr(desktop.app, "run", run)
    return calls


def test_files_and_folders_open_the_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[list[Path]]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "holiday").mkdir()
    assert cli.run(["a.jpg", str(tmp_path / "holiday")]) == 0
    assert opened == [[tmp_path / "a.jpg", tmp_path / "holiday"]]


@pytest.mark.parametrize("arguments", [["gone.jpg"], ["a.jpg", "gone.jpg"], ["doctor", "a.jpg"]])
def test_what_is_not_there_is_a_wrong_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[list[Path]], arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jpg").write_bytes(b"")
    assert cli.run(arguments) == 2
    assert not opened


def test_a_command_goes_before_a_file_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[list[Path]]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "keys").mkdir()
    assert cli.run(["keys"]) == 2
    assert cli.run(["./keys"]) == 0
    assert opened == [[tmp_path / "keys"]]


def test_the_commands_are_those_of_the_parser() -> None:
    parser = cli.build_parser()
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    assert sorted(commands.choices) == sorted(cli.COMMANDS)


def test_they_wait_for_the_vault_and_are_looked_over_once(qtbot: Any, tmp_path: Path) -> None:
    picture = tmp_path / "a.txt"
    picture.write_text("not a picture, which the sheet says too", encoding="utf-8")
    config, runner = Config(tmp_path / "data"), TaskRunner()
    window = desktop.app.build(config, runner, desktop.app.make_sessions(config))
    qtbot.addWidget(window)
    closing = desktop.app.Closing(window, runner)
    window.add_when_open([picture])
    window.show()
    qtbot.wait(50)
    assert not window.findChildren(PreflightDialog)
    for name in ("passphrase", "repeat"):
        window.sign_in.fields[name].set_text("a walk along the river")
    window.sign_in.button.click()
    qtbot.waitUntil(lambda: bool(window.findChildren(PreflightDialog)), timeout=30000)
    sheet = window.findChildren(PreflightDialog)[0]
    qtbot.waitUntil(lambda: sheet.heading.text() == "Nothing here can be added", timeout=30000)
    sheet.reject()
    window.lock()
    window.lock_page  # noqa: B018 - made on first use
    qtbot.wait(50)
    assert not [dialog for dialog in window.findChildren(PreflightDialog) if dialog.isVisible()]
    window.quit_now()
    closing.finish()
