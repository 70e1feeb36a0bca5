"""``glassine admin``: accounts, quotas, passwords and figures of a server. Must not import Flask at module level."""

from __future__ import annotations

import argparse
import re
import secrets
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from backend.admin_console import (
    DONE,
    FAILED,
    KINDS,
    PAGE,
    USAGE,
    CommandError,
    CommandParser,
    Work,
    add_storage_options,
    config_of,
    counted,
    logged_on_standard_error,
    opened_storage,
    plain,
    say,
    say_json,
)

if TYPE_CHECKING:
    from backend.storage.protocol import Storage, User

_SIZE = re.compile(r"(\d{1,18})\s?([KMGT]?)(i?)B?", re.IGNORECASE | re.ASCII)
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_MOST_BYTES = 1 << 60
_SERVERS_QUOTA, _NO_QUOTA = -1, 0
_STILL_ENCRYPTED = (
    "The pictures stay encrypted by the person's key, which this does not change: who has lost the key cannot open "
    "them with a new password either."
)


def parser() -> CommandParser:
    """The parser of ``glassine admin`` and all its commands."""
    top = CommandParser(
        prog="glassine admin",
        description="Look after a server's accounts. With a folder, stop the server first.",
        allow_abbrev=False,
    )
    commands = top.add_subparsers(metavar="COMMAND", parser_class=CommandParser)

    def add(name: str, work: Work, help_text: str, *, account: bool = False, as_json: bool = False) -> CommandParser:
        command: CommandParser = commands.add_parser(name, help=help_text, description=help_text, allow_abbrev=False)
        if account:
            command.add_argument("name", metavar="NAME", help="the account's name, or a person's e-mail address")
            command.add_argument("--kind", choices=KINDS[1:], default="", help="of the file server; a person without")
        add_storage_options(command)
        if as_json:
            command.add_argument("--json", action="store_true", help="print JSON, one object a line")
        command.set_defaults(work=work)
        return command

    users = add("users", _users, "List the accounts.", as_json=True)
    users.add_argument("--kind", choices=("people", *KINDS[1:]), help="only these; all of them without")
    quota = add("quota", _quota, "Say how much an account may store.", account=True)
    quota.add_argument("size", type=_size, metavar="BYTES|none|default", help="such as 5GB, 5GiB or 5000000000")
    reset = add("reset-password", _reset_password, "Give an account another password.", account=True)
    reset.add_argument("--stdin", action="store_true", help="read it from standard input instead of making one")
    delete = add("delete", _delete, "Delete an account with all its pictures, for good.", account=True)
    delete.add_argument("--yes", action="store_true", help="do not ask for the name once more")
    add("stats", _stats, "Say how much there is of everything.", as_json=True)
    recount = add("recount", _recount, "Count anew what accounts store. Only while nobody uploads.")
    recount.add_argument("name", metavar="NAME", nargs="?", help="the account's name, or a person's e-mail address")
    recount.add_argument("--kind", choices=KINDS[1:], default="", help="of the file server; a person without")
    recount.add_argument("--all", action="store_true", help="every account")
    add("housekeeping", _housekeeping, "Empty expired bins, finish deletions, remove bytes that nothing names.")
    return top


# -- commands ---------------------------------------------------------------------------------------------------------


def _users(arguments: argparse.Namespace) -> None:
    kinds = KINDS if arguments.kind is None else ("" if arguments.kind == "people" else arguments.kind,)
    with opened_storage(config_of(arguments)) as storage:
        for kind in kinds:
            for user in _all(storage, kind):
                record = _about(storage, user)
                if arguments.json:
                    say_json(record)
                    continue
                closing = ", being deleted" if user.closing else ""
                email = f" <{user.email}>" if user.email else ""
                used = f"{counted(record['pictures'], 'picture')}, {user.used_bytes:,} bytes of {_quota_text(user)}"
                say(
                    f"{user.id}  {record['kind']:6}  {user.created:%Y-%m-%d}  {used}, key: {record['key']}{closing}  "
                    f"{user.name}{email}"
                )


def _quota(arguments: argparse.Namespace) -> None:
    with opened_storage(config_of(arguments)) as storage:
        user = _find(storage, arguments)
        if not storage.change_user(user.id, {}, {"quota_bytes": arguments.size}):
            raise CommandError(f"The account {user.name} was deleted meanwhile.")
        changed = storage.user(user.id) or user
        say(f"{user.name} may store {_quota_text(changed)} and stores {changed.used_bytes:,} bytes.")


def _reset_password(arguments: argparse.Namespace) -> None:
    from backend.services.account_rules import check_password
    from backend.services.passwords import Passwords

    config = config_of(arguments)
    with opened_storage(config) as storage:
        user = _find(storage, arguments)
        password = _line_of_input() if arguments.stdin else secrets.token_urlsafe(15)
        password_hash = Passwords(config).hash(check_password(password))
        while True:  # somebody may change the account at the same moment
            changes = {"password_hash": password_hash, "generation": user.generation + 1}
            storage.remove_sessions(user.id)
            if storage.change_user(user.id, {"generation": user.generation, "closing": False}, changes):
                break
            user = _find(storage, arguments)
        storage.remove_sessions(user.id)
    made = "" if arguments.stdin else f" New password: {password}"
    say(f"{user.name} is signed out everywhere and signs in with the new password from now on.{made}")
    say(_STILL_ENCRYPTED)


def _delete(arguments: argparse.Namespace) -> None:
    from backend.services.closing import close_account

    with opened_storage(config_of(arguments)) as storage:
        user = _find(storage, arguments, closing=True)
        pictures = storage.count_pictures(user.id)
        if not arguments.yes:
            if not sys.stdin.isatty():
                raise CommandError("There is no terminal to ask on. Use --yes to delete without a question.", USAGE)
            print(f"{plain(user.name)} has {counted(pictures, 'picture')}. All of it goes, and cannot be brought back.")
            if _answer("Type the name of the account to delete it: ") != user.name:
                raise CommandError("That is another name. Nothing was deleted.")
        storage.change_user(user.id, {"closing": False}, {"closing": True})
        close_account(storage, user.id)
    say(f"Deleted: {user.name} with {counted(pictures, 'picture')}.")


def _stats(arguments: argparse.Namespace) -> None:
    with opened_storage(config_of(arguments)) as storage:
        accounts = {kind: list(_all(storage, kind)) for kind in KINDS}
        everybody = [user for users in accounts.values() for user in users]
        figures: dict[str, Any] = {
            **storage.totals(),
            "ops": len(accounts["ops"]),
            "clients": len(accounts["client"]),
            "used_bytes": sum(user.used_bytes for user in everybody),
            "without_key": sum(not user.public_key for user in accounts[""]),
            "being_deleted": sum(user.closing for user in everybody),
        }
    if arguments.json:
        say_json(figures)
        return
    for name, figure in figures.items():
        say(f"{name.replace('_', ' ')}: {figure:,}")


def _recount(arguments: argparse.Namespace) -> None:
    if arguments.all == (arguments.name is not None):
        raise CommandError("Name one account, or say --all. See glassine admin recount --help.", USAGE)
    with opened_storage(config_of(arguments)) as storage:
        if arguments.all:
            users = [user for kind in KINDS for user in _all(storage, kind)]
        else:
            users = [_find(storage, arguments)]
        for user in users:
            now = storage.recount_bytes(user.id)
            say(f"{user.name}: {now:,} bytes" + ("" if now == user.used_bytes else f", not {user.used_bytes:,}"))


def _housekeeping(arguments: argparse.Namespace) -> int:
    from backend.services.housekeeping import Housekeeping
    from backend.services.pictures import Pictures

    config = config_of(arguments)
    with logged_on_standard_error() as log, opened_storage(config) as storage:
        pictures = Pictures(storage, config)
        removed = Housekeeping(storage, pictures).run()
    say("Removed: " + ", ".join(f"{count:,} {what}" for what, count in removed.items()))
    return FAILED if log.said else DONE


# -- helpers ----------------------------------------------------------------------------------------------------------


def _all(storage: Storage, kind: str) -> Iterator[User]:
    after = ""
    while page := storage.users(kind=kind, after=after, limit=PAGE):
        yield from page
        after = page[-1].id


def _find(storage: Storage, arguments: argparse.Namespace, *, closing: bool = False) -> User:
    """The account that a command names; one that is being deleted only where that is of use."""
    user = storage.user_by_name(arguments.name, arguments.kind)
    if user is None and arguments.kind == "":
        user = storage.user_by_email(arguments.name)
    if user is None or (user.closing and not closing):
        kind = f" of the kind {arguments.kind}" if arguments.kind else ""
        raise CommandError(f"There is no account {arguments.name}{kind}.")
    return user


def _about(storage: Storage, user: User) -> dict[str, Any]:
    key = "none" if not user.public_key else "sealed" if user.public_key.startswith("-----") else "classic"
    return {
        "id": user.id,
        "kind": user.kind or "person",
        "name": user.name,
        "email": user.email,
        "created": user.created.isoformat(timespec="seconds") + "Z",
        "pictures": storage.count_pictures(user.id),
        "used_bytes": user.used_bytes,
        "quota_bytes": {_SERVERS_QUOTA: "default", _NO_QUOTA: "none"}.get(user.quota_bytes, user.quota_bytes),
        "key": key,
        "closing": user.closing,
    }


def _quota_text(user: User) -> str:
    if user.quota_bytes == _SERVERS_QUOTA:
        return "what the server allows"
    return "any number" if user.quota_bytes == _NO_QUOTA else f"{user.quota_bytes:,} bytes"


def _size(text: str) -> int:
    """What is kept of a quota: -1 for the server's, 0 for none, else bytes."""
    words = {"none": _NO_QUOTA, "default": _SERVERS_QUOTA}
    if text.lower() in words:
        return words[text.lower()]
    found = _SIZE.fullmatch(text.strip())
    size = int(found[1]) * (1024 if found[3] else 1000) ** _POWERS[found[2].upper()] if found else 0
    if not 0 < size <= _MOST_BYTES:
        raise argparse.ArgumentTypeError(f"must be a size such as 5GB or 500MiB, none or default, not {text!r}")
    return size


def _answer(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        return ""


def _line_of_input() -> str:
    try:
        line = sys.stdin.readline(4096)
    except UnicodeDecodeError:
        raise CommandError("Standard input is not UTF-8 text.", USAGE) from None
    password = line.removesuffix("\n").removesuffix("\r")
    if not password:
        raise CommandError("Standard input holds no password.", USAGE)
    return password
