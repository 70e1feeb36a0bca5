"""Runs the example calls of the systems in ``docs/compat.md`` with curl, and shows our answers beside the printed ones.

    .venv/bin/python scripts/example_calls.py [--base http://127.0.0.1:5000]

Without an address a server of its own is started over an empty folder. Ends with 1 when an answer differs. Not
compared: ids, times and tokens, which are never the same twice; ``Date``, ``Server`` and ``Content-Length``; how JSON
is laid out where an address is shared with the API itself, and what its answers have in addition. The headers that
every answer of ours has are not shown.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from backend import create_app  # noqa: E402
from backend.api.gate import HEADERS  # noqa: E402
from backend.config import Config  # noqa: E402
from backend.server import Server, listen  # noqa: E402
from backend.storage.embedded import open_storage  # noqa: E402

JSON = {"Content-Type": "application/json"}
WIDTH = 72
ALWAYS = {name.lower() for name in HEADERS} | {"date", "x-request-id"}


@dataclass(frozen=True)
class Call:
    """One call of a documentation.

    Attributes:
        command: For curl; ``{name}`` stands for what an earlier answer gave.
        status: As printed, reason included where it is.
        headers: As printed; of a cookie what comes behind its value is the least we must send.
        body: As printed; None where the documentation prints none.
        shared: Whether the address is the API's own too: members are compared, not the layout.
        takes: Names of what later calls need, each with the expression that finds it in head and body.
        spoken: Whether the documentation only tells the call in words.
    """

    command: str
    status: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    shared: bool = False
    takes: dict[str, str] = field(default_factory=dict)
    spoken: bool = False


TOKEN_API = (
    Call(
        '-i -X POST -H "Content-Type: application/json" '
        """-d '{{"username":"miguel","password":"python"}}' {base}/api/users""",
        "201 CREATED",
        JSON | {"Location": "http://127.0.0.1:5000/api/users/1"},
        '{\n  "username": "miguel"\n}',
        takes={"location": r"Location: (\S+)"},
    ),
    Call("-u miguel:python -i -X GET {base}/api/resource", "200 OK", JSON, '{\n  "data": "Hello, miguel!"\n}'),
    Call(
        "-u miguel:ruby -i -X GET {base}/api/resource",
        "401 UNAUTHORIZED",
        {
            "Content-Type": "text/html; charset=utf-8",
            "WWW-Authenticate": 'Basic realm="Authentication Required"',
        },
        "Unauthorized Access",
    ),
    Call(
        "-u miguel:python -i -X GET {base}/api/token",
        "200 OK",
        JSON,
        '{\n  "duration": 600,\n  "token": "eyJhbGciOiJIUzI1NiIsImV4cCI6MTM4NTY2OTY1NSwiaWF0IjoxMzg1NjY5MDU1fQ.'
        'eyJpZCI6MX0.XbOEFJkhjHJ5uRINh2JA1BPzXjSohKYDRT472wGOvjc"\n}',
        takes={"token": r'"token": "([^"]+)"'},
    ),
    Call("-u {token}:x -i -X GET {base}/api/resource", "200 OK", JSON, '{\n  "data": "Hello, miguel!"\n}'),
    Call(
        "-u {token}:x -i -X GET {base}/api/token",
        "200",
        takes={"token": r'"token": "([^"]+)"'},
        spoken=True,
    ),
    Call("-u {token}:anything -i {base}/api/resource", "200", body='{\n  "data": "Hello, miguel!"\n}', spoken=True),
    Call("-i {location}", "200", JSON, spoken=True),
    Call("-i {base}/api/users/0", "400", spoken=True),
    Call(
        """-i -H "Content-Type: application/json" -d '{{"username":"miguel","password":"x"}}' {base}/api/usr""",
        "400",
        spoken=True,
    ),
    Call("-i {base}/api/token", "401", body="Unauthorized Access", spoken=True),
)

_JWT = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJFeldvcmtzIiwic3ViIjoic2JldmU3MiIsImF1ZCI6ImNsaWVudCIsInNpZCI6MTcyN"
    "zU1NzMwMSwiZXhwIjoxNzU5MDkzMzAxfQ.tQLvDnKxVqYUGqO9KQ5_yHeX55FXCAs5BEZlBUGYM68"
)
_AS_CLIENT = "--header 'Authorization: Bearer {client}'"
_FILE = "--form 'request_file=@\"{folder}/file.pdf\"'"
FILE_SERVER = (
    Call("-i -X GET -d username=sbeve72 -d password=secret {base}/client/signup", "201", spoken=True),
    Call("-i -X GET -d username=sbeve72 -d password=secret {base}/client/signup", "409", spoken=True),
    Call("-i -X GET -d username=sbeve72 -d password=other {base}/ops/signup", "201", spoken=True),
    Call("-i -X GET -d username=sbeve72 {base}/ops/signup", "400", spoken=True),
    Call("-i -X GET -d username=nobody -d password=secret {base}/client/login", "404", spoken=True),
    Call(
        "-i -X GET -d username=sbeve72 -d password=secret {base}/client/login",
        "200",
        body=_JWT,
        takes={"client": r"(eyJ[\w.-]+)"},
    ),
    Call(
        "-i -d username=sbeve72 -d password=other {base}/ops/login", "200", body=_JWT, takes={"token": r"(eyJ[\w.-]+)"}
    ),
    Call(
        f"-i --location '{{base}}/ops/upload' --header 'Authorization: Bearer {{token}}' {_FILE}",
        "201",
        body="File uploaded",
    ),
    Call(f"-i --location '{{base}}/ops/upload' {_FILE}", "403", spoken=True),
    Call(f"-i {_AS_CLIENT} {{base}}/client/files/sbeve72", "200", JSON, '["file.pdf"]', spoken=True),
    Call(f"-i {_AS_CLIENT} {{base}}/client/files/sbeve72/file.pdf", "200", body="(data)", spoken=True),
    Call(f"-i {_AS_CLIENT} {{base}}/client/files/sbeve72/other.pdf", "404", spoken=True),
    Call("-i --header 'Authorization: Bearer {token}' {base}/logout", "200", spoken=True),
    Call(f"-i '{{base}}/ops/upload' --header 'Authorization: Bearer {{token}}' {_FILE}", "403", spoken=True),
)

_USER = """{{
"created_at": "2017-10-16 04:23:04",
"email": "bob@hbtn.io",
"first_name": null,
"id": "cf3ddee1-ff24-49e4-a40b-2540333fe992",
"last_name": null,
"updated_at": "2017-10-16 04:23:04"
}}""".replace("{{", "{").replace("}}", "}")
_BASIC = "-H 'Authorization: Basic Ym9iQGhidG4uaW86SDBsYmVydG9uU2Nob29sOTgh'"
_NEW = """-H 'Content-Type: application/json' -d '{{"email":"bob@hbtn.io","password":"H0lbertonSchool98!"}}'"""
SESSION_API = (
    Call("-i {base}/api/v1/status", "200", body='{\n"status": "OK"\n}'),
    Call(f"-i {{base}}/api/v1/users {_NEW}", "201", spoken=True),
    Call(f'-i "{{base}}/api/v1/users" {_BASIC}', "200", body=f"[\n{_USER}\n]", shared=True),
    Call(
        '-i "{base}/api/v1/auth_session/login" -XPOST -d "email=bob@hbtn.io" -d "password=H0lbertonSchool98!"',
        "200 OK",
        JSON
        | {
            "Set-Cookie": "_my_session_id=e173cb79-d3fc-4e3a-9e6f-bcd345b24721; Path=/",
            "Access-Control-Allow-Origin": "*",
        },
        _USER,
        takes={"cookie": r"_my_session_id=([^;]+)"},
    ),
    Call('-i "{base}/api/v1/users/me" --cookie "_my_session_id={cookie}"', "200", body=_USER),
    Call('-i "{base}/api/v1/stats" --cookie "_my_session_id={cookie}"', "200", spoken=True),
    Call('-i "{base}/api/v1/auth_session/logout" --cookie "_my_session_id={cookie}" -XDELETE', "200", body="{}"),
    Call('-i "{base}/api/v1/users/me" --cookie "_my_session_id={cookie}"', "401", spoken=True),
    Call("-i {base}/api/v1/unauthorized", "401", body='{\n"error": "Unauthorized"\n}', spoken=True),
    Call("-i {base}/api/v1/forbidden", "403", body='{\n"error": "Forbidden"\n}', spoken=True),
)

SYSTEMS = {
    "Accounts with Basic and tokens": TOKEN_API,
    "File server": FILE_SERVER,
    "E-mail, Basic and sessions": SESSION_API,
}


@dataclass(frozen=True)
class Shown:
    """A call that was made, and in what our answer differs from the printed one."""

    call: Call
    command: str
    head: str
    body: str
    differences: list[str]


def run(base: str, folder: Path) -> Iterator[tuple[str, Shown]]:
    """Make every call; yields the system with each."""
    (folder / "file.pdf").write_bytes(b"(data)\n")
    for system, calls in SYSTEMS.items():
        known = {"base": base, "folder": str(folder)}
        for call in calls:
            yield system, _make(call, known)


def _make(call: Call, known: dict[str, str]) -> Shown:
    command = call.command.format(**known)
    answer = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "20", "--noproxy", "*", *shlex.split(command)],
        capture_output=True,
        check=True,
    )
    head, _, body = answer.stdout.decode("utf-8").replace("\r\n", "\n").partition("\n\n")
    for name, expression in call.takes.items():
        found = re.search(expression, f"{head}\n\n{body}")
        known[name] = found[1] if found else "-"
    return Shown(call, f"curl {command}", head, body, list(differences(call, head, body)))


def differences(call: Call, head: str, body: str) -> Iterator[str]:
    line, *lines = head.split("\n")
    status = line.split(" ", 1)[1].strip()
    if not status.upper().startswith(call.status):
        yield f"status: {status}"
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    for name, printed in call.headers.items():
        ours = headers.get(name.lower(), "")
        if name == "Set-Cookie":
            same = set(_steady(printed).split("; ")) <= set(_steady(ours).split("; "))
        else:
            same = _steady(printed) == _steady(ours)
        if not same:
            yield f"{name}: {ours}"
    if call.body is not None and not (_same_members if call.shared else _same_text)(call.body, body):
        yield f"body: {body.strip()}"


def _same_text(printed: str, ours: str) -> bool:
    """Whether two texts are the same but for indentation (the documentation lost some) and what never is the same."""
    return [line.strip() for line in _steady(printed).split("\n")] == [
        line.strip() for line in _steady(ours).rstrip("\n").split("\n")
    ]


def _same_members(printed: str, ours: str) -> bool:
    """Whether every printed member of each object in a list is there and has the printed value."""
    expected, found = json.loads(_steady(printed)), json.loads(_steady(ours))
    return any(expected[0].items() <= row.items() for row in found) and isinstance(found, list)


def _steady(text: str) -> str:
    """A text without what is different each time."""
    text = re.sub(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "<token>", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "<time>", text)
    text = re.sub(r"http://127\.0\.0\.1:\d+/api/users/\w+", "<user>", text)
    text = re.sub(r"(?<=_my_session_id=)[^;]+", "<session>", text)
    return re.sub(r"\b([0-9a-f]{24}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})\b", "<id>", text)


def show(shown: Shown) -> None:
    """Print a call and both answers side by side."""
    call = shown.call
    print(f"\n$ {shown.command}")
    printed = [f"{call.status}", *(f"{name}: {value}" for name, value in call.headers.items())]
    if call.body is not None:
        printed += ["", *call.body.split("\n")]
    head = [line for line in shown.head.split("\n") if line.split(":")[0].lower() not in ALWAYS]
    ours = [*head, "", *shown.body.rstrip("\n").split("\n")]
    heading = "told in words" if call.spoken else "printed"
    print(f"  {heading:<{WIDTH}} | ours")
    for index in range(max(len(printed), len(ours))):
        left = printed[index] if index < len(printed) else ""
        right = ours[index] if index < len(ours) else ""
        print(f"  {left[:WIDTH]:<{WIDTH}} | {right[:WIDTH]}")
    for difference in shown.differences:
        print(f"  DIFFERS: {difference}")


@contextmanager
def fresh_server(folder: Path) -> Iterator[str]:
    """A server over an empty folder; yields its address."""
    storage = open_storage(folder)
    try:
        config = Config(argon2_memory_kib=8192, argon2_passes=1, login_attempts=0, login_attempts_address=0)
        with listen("127.0.0.1", 0) as listening:
            server = Server(create_app(config, storage), config, listening)
            thread = threading.Thread(target=server.run)
            thread.start()
            try:
                yield server.address
            finally:
                server.stop()
                thread.join()
    finally:
        storage.close()


def main(argv: list[str] | None = None) -> int:
    """Run, print, and return 1 when something differs."""
    parser = argparse.ArgumentParser(description="Example calls of other systems: our answers beside the printed ones.")
    parser.add_argument("--base", help="address of a running server without accounts (default: start one)")
    base = parser.parse_args(argv).base
    differing = total = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if base is None:
            with fresh_server(folder / "data") as address:
                shown = list(run(address, folder))
        else:
            shown = list(run(base.rstrip("/"), folder))
    system = ""
    for of, one in shown:
        if of != system:
            system = of
            print(f"\n== {system} ==")
        show(one)
        total += 1
        differing += bool(one.differences)
    print(f"\n{total} calls, {differing} differ.")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
