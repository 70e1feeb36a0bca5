"""The example calls of other systems, made with curl: every answer is the printed one."""

from __future__ import annotations

from pathlib import Path

from scripts import example_calls
from tests.compat.conftest import OpenServer


def test_our_answers_are_the_printed_ones(open_server: OpenServer, tmp_path: Path) -> None:
    with open_server() as server:
        shown = list(example_calls.run(server.base, tmp_path))
    assert {system for system, _ in shown} == set(example_calls.SYSTEMS)
    assert len(shown) > 30
    assert [(one.command, one.differences) for _, one in shown if one.differences] == []


def test_a_difference_is_noticed() -> None:
    call = example_calls.Call("", "200 OK", {"Location": "/here"}, '{\n"a": 1\n}')
    for head, body, differing in (
        ("HTTP/1.1 200 OK\nlocation: /here", '{\n  "a": 1\n}\n', 0),
        ("HTTP/1.1 201 CREATED\nlocation: /here", '{\n  "a": 1\n}', 1),
        ("HTTP/1.1 200 OK\nlocation: /there", '{\n  "a": 1\n}', 1),
        ("HTTP/1.1 200 OK", '{\n  "a": 2\n}', 2),
    ):
        assert len(list(example_calls.differences(call, head, body))) == differing


def test_it_runs_by_itself(capsys) -> None:
    assert example_calls.main([]) == 0
    assert capsys.readouterr().out.endswith(" calls, 0 differ.\n")
