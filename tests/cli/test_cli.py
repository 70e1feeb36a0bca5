"""The parser, the exit codes, and what belongs to no single command."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

import backend
import desktop
import main
from backend.commands import COMMANDS, parser_of
from desktop import cli, cli_doctor, embedded

ROOT = Path(__file__).parents[2]


def test_version_is_the_packages(glassine) -> None:
    source = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["version"]["path"]
    written = re.search(r'^__version__ = "(\d+\.\d+\.\d+)"$', (ROOT / source).read_text(), re.MULTILINE)
    assert written is not None
    result = glassine("--version")
    assert (result.code, result.out) == (0, f"glassine {written[1]}\n")
    assert desktop.__version__ == backend.__version__ == written[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("--nonsense",),
        ("keys",),
        ("keys", "nonsense"),
        ("keys", "new"),
        ("keys", "new", "a", "b"),
        ("seal",),
        ("seal", "p.png"),
        ("seal", "--key", "k"),
        ("open", "--key"),
        ("open", "--ke", "k", "p.png"),
        ("classic",),
        ("classic", "encrypt", "p.png"),
        ("classic", "keys"),
        ("seal", "p\nq.png", "--key", "k", "--bogus\nline"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_two(glassine, arguments) -> None:
    result = glassine(*arguments)
    assert result.code == 2
    assert len(result.err.splitlines()) == 1


def test_a_file_that_is_missing_is_named(glassine, photo) -> None:
    typo = glassine("hoilday.png")
    assert typo.err == "glassine: There is neither a command nor a file called hoilday.png. See glassine --help.\n"
    one_of_two = glassine(photo, "gone.png")
    assert one_of_two.err.startswith("glassine: gone.png is not there. Check the name;")
    assert (typo.code, one_of_two.code) == (2, 2)


def test_every_help_says_what_the_command_does() -> None:
    for name, parser in commands(cli.build_parser(), "glassine"):
        if name.split()[1] not in cli.SERVER_COMMANDS:  # they are the backend's
            assert parser.description, name


@pytest.mark.parametrize("arguments", [("--help",), ("keys", "--help"), ("keys", "new", "--help"), ("seal", "-h")])
def test_help_goes_to_standard_output(glassine, arguments) -> None:
    result = glassine(*arguments)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("usage: glassine")


def test_no_passphrase_can_be_an_argument() -> None:
    for _, parser in commands(cli.build_parser(), "glassine"):
        for action in parser._actions:
            for option in action.option_strings:
                assert "passphrase" not in option or option.endswith("-file")


def test_serve_gets_the_rest_untouched(monkeypatch) -> None:
    seen = []
    monkeypatch.setattr(embedded, "serve", lambda argv: seen.append(argv) or 7)
    assert main.main(["serve", "--port", "1", "--help"]) == 7
    assert seen == [["--port", "1", "--help"]]


def test_no_argument_opens_the_window(monkeypatch) -> None:
    # the real one would need the window system
    monkeypatch.setitem(sys.modules, "desktop.app", SimpleNamespace(run=lambda argv: 9 + len(argv)))
    assert main.main([]) == 9


def test_debugging_shows_the_traceback(glassine, monkeypatch) -> None:
    def break_down() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli_doctor, "findings", break_down)
    assert glassine("doctor").code == 1
    monkeypatch.setenv("GLASSINE_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main.main(["doctor"])


# -- doctor -----------------------------------------------------------------------------------------------------------


def test_doctor_says_what_to_do_and_changes_nothing(glassine, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("GLASSINE_DATA_DIR", str(tmp_path / "data"))
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(cli_doctor, "QT_LIBRARIES", {"libnonsense.so.1": "libnonsense1"})
    result = glassine("doctor")
    assert result.code == 1
    assert "Qt, Display" in result.err
    assert "apt-get install libnonsense1" in result.out
    assert str(tmp_path / "data") in result.out
    assert list(tmp_path.iterdir()) == []


def test_doctor_lists_every_check(glassine) -> None:
    lines = [json.loads(line) for line in glassine("doctor", "--json").out.splitlines()]
    assert [line["name"] for line in lines] == [name for name, _, _ in cli_doctor.CHECKS]
    working = {line["name"] for line in lines if line["works"]}
    assert working >= {"Python", "Encryption", "Pictures", "Qt"}, "the tests run where the window runs"


def test_a_check_that_fails_is_a_finding(monkeypatch) -> None:
    def broken() -> tuple[bool, str]:
        raise ZeroDivisionError

    monkeypatch.setattr(cli_doctor, "CHECKS", (("X", "everything", broken),))
    (finding,) = cli_doctor.findings()
    assert not finding.works
    assert "ZeroDivisionError" in finding.says


# -- documentation ----------------------------------------------------------------------------------------------------


def commands(parser, name):
    """Walk all commands of a parser: name and parser of each."""
    for action in parser._actions:
        for command, sub in (action.choices or {}).items() if hasattr(action, "_name_parser_map") else ():
            yield f"{name} {command}", sub
            yield from commands(sub, f"{name} {command}")


def sections() -> dict[str, str]:
    text = (ROOT / "docs" / "command-line.md").read_text()
    parts = text.split("\n### ")[1:]
    return {part.splitlines()[0].strip("`"): part for part in parts}


def test_every_command_option_and_argument_is_documented() -> None:
    documented = sections()
    parsers = {f"glassine {name}": parser_of(name) for name in COMMANDS}  # the backend has its own
    found = [*commands(cli.build_parser(), "glassine"), *parsers.items()]
    found += [one for name, parser in parsers.items() for one in commands(parser, name)]
    leaves = {name: parser for name, parser in found if parser.get_default("work") is not None}
    assert documented.keys() == leaves.keys() | {"glassine serve"}
    for name, parser in leaves.items():
        section = documented[name]
        for action in parser._actions:
            for word in action.option_strings or [action.metavar]:
                if word not in {"-h", "--help"}:
                    assert word in section, f"{word} of {name} is not in docs/command-line.md"
        known = {option for action in parser._actions for option in action.option_strings}
        for word in section.replace("`", " ").replace("[", " ").replace("]", " ").replace("|", " ").split():
            if word.startswith("--") and word != "--":
                assert word.rstrip(".,;:)") in known, f"{word} is documented for {name} and does not exist"


def test_every_exit_code_is_documented() -> None:
    from desktop import cli_console, errors

    text = (ROOT / "docs" / "command-line.md").read_text()
    table = text.split("\n## Exit codes")[1].split("\n## ")[0]
    codes = {value for name, value in vars(cli_console).items() if name.startswith("EXIT_")}
    codes |= {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit_code")}
    for code in codes | {143}:
        assert f"| {code} |" in table
