"""`glassine share` and `glassine people`: the pictures of an account on a server, and other people.

Must not import PySide6; network and crypto are imported when a command runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from desktop.cli_account import add_account, opened_vault
from desktop.cli_console import Console, UsageError, add_command
from desktop.cli_keys import add_json
from desktop.errors import GlassineError, KeyChanged, NotFound, PersonNotFound

if TYPE_CHECKING:
    from desktop.client.sharing import Role, Sharing
    from desktop.client.sharing_model import Failure
    from desktop.models import Person, Picture


def add_commands(commands: Any) -> None:
    """Add `share` and `people` to the parser."""
    share = add_command(commands, "share", "share pictures on a server, and take them back")
    share.add_argument("pictures", metavar="PICTURE", nargs="*", help="a picture's id, or its name")
    what = share.add_mutually_exclusive_group(required=True)
    what.add_argument("--with", metavar="NAME", dest="person", help="share with the person of exactly this name")
    what.add_argument("--stop", metavar="NAME", help="take back from this person; without PICTURE everything")
    what.add_argument("--list", action="store_true", help="say who has the pictures; without PICTURE all shared ones")
    share.add_argument("--role", choices=("read", "write"), default="read", help="what they may do (default read)")
    share.add_argument(
        "--accept-unverified", action="store_true", help="share although the person's key was never compared"
    )
    share.add_argument("--strip", action="store_true", help="share copies without place, times, camera and file name")
    share.add_argument("--reseal", action="store_true", help="with --stop: encrypt anew what was taken back")
    share.set_defaults(work=_share)

    people = add_command(commands, "people", "list the people one shares with, compare keys")
    people.add_argument("--compare", metavar="NAME", help="compare the key of the person of exactly this name")
    people.add_argument(
        "words", metavar="WORDS", nargs="*", help="with --compare: the twelve words, digits or QR text they told you"
    )
    people.set_defaults(work=_people)

    for parser in (share, people):
        add_account(parser)
        add_json(parser)


# -- share ----------------------------------------------------------------------------------------------------------


def _share(arguments: argparse.Namespace, console: Console) -> None:
    if arguments.person and not arguments.pictures:
        raise UsageError("Say which pictures to share.")
    if arguments.reseal and not arguments.stop:
        raise UsageError("--reseal belongs to --stop.")
    if not arguments.person and (arguments.strip or arguments.accept_unverified):
        raise UsageError("--strip and --accept-unverified belong to --with.")
    from desktop.client.sharing import Sharing

    with opened_vault(arguments) as vault:
        pictures = vault.list_pictures()
        sharing = Sharing(vault.context())
        named = {picture.id: picture for picture in pictures}
        chosen = list(_chosen(arguments.pictures, pictures, console))
        if arguments.person:
            _give(arguments, sharing, chosen, named, console)
        elif arguments.stop:
            _take(arguments, sharing, chosen, named, console)
        else:
            _list(sharing, chosen if arguments.pictures else list(sharing.holders()), named, console)


def _chosen(wanted: Iterable[str], pictures: list[Picture], console: Console) -> Iterable[str]:
    """Return the ids of pictures given by id or name; what is not there is said."""
    by_name: dict[str, list[str]] = {}
    for picture in pictures:
        by_name.setdefault(picture.name, []).append(picture.id)
    ids = {picture.id for picture in pictures}
    for one in wanted:
        found = [one] if one in ids else by_name.get(one, [])
        if len(found) == 1:
            yield found[0]
        elif found:
            console.fail(NotFound(f"{len(found)} pictures are called {one}. Give their ids: {', '.join(found)}."))
        else:
            console.fail(NotFound(f"There is no picture {one} in this account."))


def _give(
    arguments: argparse.Namespace,
    sharing: Sharing,
    chosen: list[str],
    named: dict[str, Picture],
    console: Console,
) -> None:
    from desktop.client.sharing import Strip

    if not chosen:
        return
    person = sharing.find(arguments.person)
    result = sharing.share(
        chosen,
        person.user_id,
        cast("Role", arguments.role),
        fingerprint=person.fingerprint,
        accept_unverified=arguments.accept_unverified,
        strip=Strip.METADATA if arguments.strip else None,
    )
    for picture_id in result.shared:
        record = _record(picture_id, person) | {"role": arguments.role, "outcome": "shared"}
        copy = f", as the copy {result.copies[picture_id]}" if picture_id in result.copies else ""
        record |= {"copy": result.copies[picture_id]} if picture_id in result.copies else {}
        console.result(f"{_name(picture_id, named)}: shared with {person.name}, to {arguments.role}{copy}", record)
    for picture_id in result.waiting:
        record = _record(picture_id, person) | {"role": arguments.role, "outcome": "waiting"}
        console.result(f"{_name(picture_id, named)}: waits until {person.name} has a key that was compared", record)
    _fail(result.failed, named, console)


def _take(
    arguments: argparse.Namespace,
    sharing: Sharing,
    chosen: list[str],
    named: dict[str, Picture],
    console: Console,
) -> None:
    person = _known(sharing, arguments.stop)
    waiting = [picture_id for picture_id, who, _ in sharing.waiting() if who.user_id == person.user_id]
    if not arguments.pictures:
        chosen = list(dict.fromkeys([*sharing.shared_with(person.user_id), *waiting]))
        if not chosen:
            console.warn(f"Nothing is shared with {person.name}, as far as this computer remembers.")
    else:
        chosen = [picture_id for picture_id in chosen if _has(sharing, picture_id, person, named, console)]
    result = sharing.stop(chosen, person.user_id, reseal=arguments.reseal)
    for picture_id in result.stopped:
        resealed = picture_id in result.resealed
        how = " and encrypted anew" if resealed else ""
        record = _record(picture_id, person) | {"outcome": "stopped", "resealed": resealed}
        console.result(f"{_name(picture_id, named)}: taken back from {person.name}{how}", record)
    _fail(result.failed, named, console)
    if result.stopped:
        console.warn(f"What {person.name} has opened may have been kept; that cannot be taken back.")


def _has(sharing: Sharing, picture_id: str, person: Person, named: dict[str, Picture], console: Console) -> bool:
    """Whether somebody has a picture; if not, it is said, lest anybody takes a copy of it for taken back."""
    try:
        if any(share.person.user_id == person.user_id for share in sharing.shares_of(picture_id)):
            return True
    except GlassineError:
        return True  # taking it back says what is wrong
    reason = (
        f"This picture is not shared with {person.name}. A copy made with --strip is another one: see share --list."
    )
    console.fail(NotFound(reason), Path(_name(picture_id, named)))
    return False


def _list(sharing: Sharing, picture_ids: list[str], named: dict[str, Picture], console: Console) -> None:
    for picture_id in picture_ids:
        try:
            shares = sharing.shares_of(picture_id)
        except GlassineError as error:
            console.fail(error)
            continue
        for share in shares:
            state = "waiting" if share.waiting else "open" if share.opens else "lost"
            said = {"waiting": "waits", "open": f"may {share.role}", "lost": "cannot open it; share it again"}[state]
            record = _record(picture_id, share.person) | {
                "role": share.role,
                "state": state,
                "key": share.person.state.value,
                "since": share.since.isoformat() if share.since else "",
            }
            console.result(f"{_name(picture_id, named)}: {share.person.name} ({_said(share.person)}) {said}", record)


def _fail(failed: Iterable[Failure], named: dict[str, Picture], console: Console) -> None:
    for failure in failed:
        console.fail(failure.error, Path(_name(failure.picture_id, named)))


def _record(picture_id: str, person: Person) -> dict[str, Any]:
    return {"picture_id": picture_id, "person": person.name}


def _name(picture_id: str, named: dict[str, Picture]) -> str:
    return named[picture_id].name if picture_id in named else picture_id


# -- people ---------------------------------------------------------------------------------------------------------


def _people(arguments: argparse.Namespace, console: Console) -> None:
    if arguments.words and not arguments.compare:
        raise UsageError("Words belong to --compare NAME.")
    from desktop.client.sharing import Sharing

    with opened_vault(arguments) as vault:
        sharing = Sharing(vault.context())
        if arguments.compare is None:
            for person in sharing.people():
                _say(person, console)
            return
        try:
            person = sharing.find(arguments.compare)
        except KeyChanged as error:
            # the new key, or the known one, is what is to be compared
            person = _known(sharing, arguments.compare)
            console.warn(error.message)
            person = sharing.offered(person.user_id) or person
        if arguments.words:
            person = sharing.compare(person.user_id, " ".join(arguments.words))
        _say(person, console)


def _known(sharing: Sharing, name: str) -> Person:
    for person in sharing.people():
        if person.name == name:
            return person
    raise PersonNotFound(f"Nobody called {name} is known in this account.")


def _say(person: Person, console: Console) -> None:
    words = f": {' '.join(person.words)}" if person.words else ""
    record = {
        "person": person.name,
        "state": person.state.value,
        "fingerprint": person.fingerprint,
        "words": " ".join(person.words),
        "digits": " ".join(person.groups),
    }
    console.result(f"{person.name} ({_said(person)}){words}", record)


def _said(person: Person) -> str:
    return {
        "verified": "compared",
        "unverified": "never compared",
        "changed": "the key has changed",
        "no-key": "no key yet",
        "classic": "a key that protects nothing",
    }[person.state.value]
