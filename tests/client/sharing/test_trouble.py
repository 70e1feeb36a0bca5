"""Sharing when the server lies, somebody's key changes, the network fails, or the program is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop import errors
from desktop.client.current import fetch_own
from desktop.client.sharing_model import StopResult
from desktop.client.ties import TieKind
from desktop.crypto.keys import PrivateKey
from desktop.crypto.records import make_succession
from desktop.models import PersonState, PictureState
from tests.client.conftest import RunningServer
from tests.client.sharing.friends import PASSWORD, Friend
from tests.sample_pictures import png


def say_key(server: RunningServer, friend: Friend, pem: str) -> None:
    """Let the server say that somebody has another key."""
    server.app.extensions["glassine"].services.accounts.change_key(friend.user_id, pem, PASSWORD)


def permissions(owner: Friend, picture_id: str) -> list[tuple[str, str]]:
    return [(one.user_id, one.role) for one in owner.api.permissions(owner.user_id, f"p-{picture_id}")]


# -- keys -----------------------------------------------------------------------------------------------------------


def test_a_changed_key_gets_nothing(anna: Friend, ben: Friend, server: RunningServer, other_key: PrivateKey) -> None:
    first, second = anna.add(png(seed=1), "1.png"), anna.add(png(seed=2), "2.png")
    user_id = anna.meet(ben)
    anna.sharing.share([first], user_id, "read")
    say_key(server, ben, other_key.public.pem)
    with pytest.raises(errors.KeyChanged):
        anna.sharing.find(ben.name)
    with pytest.raises(errors.KeyChanged):
        anna.sharing.look_again(user_id)
    assert anna.sharing.person(user_id).state is PersonState.CHANGED
    with pytest.raises(errors.KeyChanged):
        anna.sharing.share([second], user_id, "read", accept_unverified=True, wait_for_comparison=True)
    assert permissions(anna, second) == []
    assert anna.sharing.waiting() == []

    offered = anna.sharing.offered(user_id)
    assert offered is not None
    assert (offered.fingerprint, offered.state) == (other_key.fingerprint, PersonState.CHANGED)
    assert anna.sharing.succession(user_id) is None
    record = make_succession(ben.key, other_key, 1_700_000_000)
    path = f"/api/v1/users/{ben.user_id}/successions/{ben.key.fingerprint}"
    with ben.api._call("PUT", path, content=record.text.encode()) as answer:
        assert answer.status == 201
    found = anna.sharing.succession(user_id)
    assert found is not None
    assert (found.old, found.new) == (ben.key.fingerprint, other_key.fingerprint)
    assert anna.sharing.person(user_id).state is PersonState.CHANGED  # for information only

    anna.sharing.compared(user_id, other_key.fingerprint)
    assert anna.sharing.share([second], user_id, "read").shared == (second,)
    (grant,) = [one.grant for one in anna.api.permissions(anna.user_id, f"p-{second}")]
    assert other_key.fingerprint in grant


def test_a_new_epoch_leaves_out_whose_key_changed(
    anna: Friend, ben: Friend, cleo: Friend, server: RunningServer, other_key: PrivateKey
) -> None:
    picture_id = anna.add(png(), "1.png")
    for other in (ben, cleo):
        anna.sharing.share([picture_id], anna.meet(other), "read")
    say_key(server, ben, other_key.public.pem)
    with pytest.raises(errors.KeyChanged):
        anna.sharing.look_again(ben.user_id)
    anna.sharing.stop([picture_id], cleo.user_id, reseal=True)
    assert permissions(anna, picture_id) == []
    assert [(one, person.user_id) for one, person, _ in anna.sharing.waiting()] == [(picture_id, ben.user_id)]
    anna.sharing.compared(ben.user_id, other_key.fingerprint)
    assert anna.sharing.complete_waiting().shared == (picture_id,)
    assert permissions(anna, picture_id) == [(ben.user_id, "read")]


def test_a_key_that_is_swapped_behind_the_dialog_is_not_used(
    anna: Friend, ben: Friend, server: RunningServer, other_key: PrivateKey
) -> None:
    picture_id = anna.add(png(), "1.png")
    person = anna.sharing.find(ben.name)
    say_key(server, ben, other_key.public.pem)
    anna.sharing.share([picture_id], person.user_id, "read", accept_unverified=True, fingerprint=person.fingerprint)
    (given,) = anna.api.permissions(anna.user_id, f"p-{picture_id}")
    assert ben.key.fingerprint in given.grant
    assert other_key.fingerprint not in given.grant


def test_names_that_are_exchanged(anna: Friend, ben: Friend, cleo: Friend, server: RunningServer) -> None:
    anna.meet(ben)
    anna.meet(cleo)
    say_key(server, ben, cleo.key.public.pem)
    with pytest.raises(errors.KeyRefused):
        anna.sharing.find(ben.name)
    say_key(server, ben, anna.key.public.pem)
    with pytest.raises(errors.KeyRefused):
        anna.sharing.find(ben.name)
    say_key(server, ben, "27977 9431")
    with pytest.raises(errors.SchemeChanged):
        anna.sharing.find(ben.name)


def test_ones_own_key_altered_by_the_server(
    anna: Friend, ben: Friend, server: RunningServer, other_key: PrivateKey
) -> None:
    picture_id = anna.add(png(), "1.png")
    user_id = anna.meet(ben)
    say_key(server, anna, other_key.public.pem)
    with pytest.raises(errors.KeyChanged):
        anna.sharing.find(ben.name)
    with pytest.raises(errors.KeyChanged):
        anna.sharing.share([picture_id], user_id, "read")
    assert permissions(anna, picture_id) == []


# -- a server that gives back what was taken ------------------------------------------------------------------------


def test_a_permission_that_the_server_puts_back_is_not_renewed(anna: Friend, ben: Friend, cleo: Friend) -> None:
    picture_id = anna.add(png(), "1.png")
    for other in (ben, cleo):
        anna.sharing.share([picture_id], anna.meet(other), "read")
    saved = anna.api.permission(anna.user_id, f"p-{picture_id}", ben.user_id).grant
    anna.sharing.stop([picture_id], ben.user_id, reseal=False)
    anna.api.add_permission(anna.user_id, f"p-{picture_id}", ben.user_id, "read", saved)
    # the owner sees it: the grant is their own
    assert {share.person.name for share in anna.sharing.shares_of(picture_id)} == {ben.name, cleo.name}
    anna.sharing.stop([picture_id], cleo.user_id, reseal=True)
    assert permissions(anna, picture_id) == []


def test_a_stranger_in_the_list_gets_nothing(anna: Friend, ben: Friend, cleo: Friend) -> None:
    picture_id = anna.add(png(), "1.png")
    anna.sharing.share([picture_id], anna.meet(ben), "read")
    anna.api.add_permission(anna.user_id, f"p-{picture_id}", cleo.user_id, "write")
    by_name = {share.person.name: share for share in anna.sharing.shares_of(picture_id)}
    assert by_name[cleo.name].person.state is PersonState.NO_KEY
    assert (by_name[ben.name].opens, by_name[cleo.name].opens) == (True, False)
    anna.meet(cleo)
    anna.sharing.stop([picture_id], ben.user_id, reseal=True)
    assert permissions(anna, picture_id) == []


def test_a_lost_permission_is_told_and_repaired(anna: Friend, ben: Friend) -> None:
    picture_id = anna.add(png(), "1.png")
    user_id = anna.meet(ben)
    anna.sharing.share([picture_id], user_id, "write")
    anna.api.remove_permission(anna.user_id, f"p-{picture_id}", user_id)
    (share,) = anna.sharing.shares_of(picture_id)
    assert (share.role, share.opens) == ("write", False)
    anna.sharing.share([picture_id], user_id, "write")
    (share,) = anna.sharing.shares_of(picture_id)
    assert (share.role, share.opens) == ("write", True)


def test_at_another_computer_ones_own_grants_count(anna: Friend, ben: Friend, cleo: Friend) -> None:
    picture_id = anna.add(png(), "1.png")
    for other in (ben, cleo):
        anna.sharing.share([picture_id], anna.meet(other), "read")
    there = anna.elsewhere()
    try:
        for other in (ben, cleo):
            there.meet(other)
        there.sharing.stop([picture_id], ben.user_id, reseal=True)
        assert permissions(anna, picture_id) == [(cleo.user_id, "read")]
        # what was decided there is known here by the ledger
        assert fetch_own(anna.context, picture_id).envelope.epoch == 2
        anna.memory.merge(there.memory.export())
        assert anna.sharing.shared_with(ben.user_id) == []
    finally:
        there.close()


# -- without a network, and killed ----------------------------------------------------------------------------------


def cut(friend: Friend, monkeypatch: pytest.MonkeyPatch, method: str, when: Callable[[str], bool]) -> None:
    """Let the requests of this kind reach nobody."""
    transport = friend.api._transport
    send = transport.send

    def broken(verb: str, path: str, **more: Any) -> Any:
        if verb == method and when(path):
            raise errors.ServerSilent
        return send(verb, path, **more)

    monkeypatch.setattr(transport, "send", broken)


def test_without_a_network(anna: Friend, ben: Friend, monkeypatch: pytest.MonkeyPatch) -> None:
    picture_id = anna.add(png(), "1.png")
    user_id = anna.meet(ben)
    with monkeypatch.context() as patch:
        cut(anna, patch, "GET", lambda _: True)
        for ask in (lambda: anna.sharing.find(ben.name), lambda: anna.sharing.shares_of(picture_id)):
            with pytest.raises(errors.ServerSilent):
                ask()
        assert [person.user_id for person in anna.sharing.people()] == [user_id]
    with monkeypatch.context() as patch:
        for method in ("POST", "PUT"):
            cut(anna, patch, method, lambda path: path.endswith("/permissions") or "/permissions/" in path)
        (failure,) = anna.sharing.share([picture_id], user_id, "read").failed
        assert isinstance(failure.error, errors.ServerSilent)
    assert permissions(anna, picture_id) == []
    # whether it arrived was not known, so it is remembered, and told
    (share,) = anna.sharing.shares_of(picture_id)
    assert not share.opens
    assert anna.sharing.share([picture_id], user_id, "write").shared == (picture_id,)
    with monkeypatch.context() as patch:
        cut(anna, patch, "PUT", lambda path: path.endswith(picture_id))
        result = anna.sharing.stop([picture_id], user_id, reseal=False)
        assert [type(one.error) for one in result.failed] == [errors.ServerSilent]
        assert anna.sharing.unfinished() == [picture_id]
    # the person is out already; the new epoch follows
    assert permissions(anna, picture_id) == []
    assert anna.sharing.finish().resealed == (picture_id,)
    assert anna.sharing.unfinished() == []
    assert fetch_own(anna.context, picture_id).envelope.epoch == 2


def test_lowering_a_writer_without_a_network_for_large_requests(
    anna: Friend, ben: Friend, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture_id = anna.add(png(), "1.png")
    anna.sharing.share([picture_id], anna.meet(ben), "write")
    ben.meet(anna)
    with monkeypatch.context() as patch:
        cut(anna, patch, "PUT", lambda path: path.endswith(picture_id))
        with pytest.raises(errors.ServerSilent):
            anna.sharing.set_role(picture_id, ben.user_id, "read")
    assert permissions(anna, picture_id) == [(ben.user_id, "read")]
    with pytest.raises(errors.NoGrant):
        ben.revising.replace(ben.theirs(anna, picture_id), ben.file(png(seed=2)))
    assert ben.content(anna, picture_id) == png()
    assert anna.sharing.finish().resealed == (picture_id,)
    assert ben.content(anna, picture_id) == png()


def test_a_picture_in_the_bin_stays_due(anna: Friend, ben: Friend, monkeypatch: pytest.MonkeyPatch) -> None:
    picture_id = anna.add(png(), "1.png")
    user_id = anna.meet(ben)
    anna.sharing.share([picture_id], user_id, "write")
    with monkeypatch.context() as patch:
        cut(anna, patch, "PUT", lambda path: path.endswith(picture_id))
        assert anna.sharing.stop([picture_id], user_id, reseal=False).failed
    anna.api.delete(anna.user_id, f"p-{picture_id}")
    assert anna.sharing.finish() == StopResult()
    assert anna.sharing.unfinished() == [picture_id]
    (row,) = anna.api.bin_page(anna.user_id)
    anna.api.restore(anna.user_id, row.id)
    assert anna.sharing.finish().resealed == (picture_id,)
    # and one that was deleted for good is due no longer
    anna.memory.ties.set(TieKind.RESEAL, picture_id, "", "due")
    anna.api.delete(anna.user_id, f"p-{picture_id}")
    anna.memory.gone(anna.key.fingerprint, picture_id)
    anna.sharing.finish()
    assert anna.sharing.unfinished() == []


def test_an_owner_who_seals_anew_while_a_writer_writes(
    anna: Friend, ben: Friend, cleo: Friend, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture_id = anna.add(png(seed=1), "1.png")
    anna.sharing.share([picture_id], anna.meet(ben), "write")
    anna.sharing.share([picture_id], anna.meet(cleo), "read")
    ben.meet(anna)
    put = anna.api.put_revision
    calls: list[str] = []

    def later(*args: Any, **more: Any) -> Any:
        calls.append(more["replaces"])
        if len(calls) == 1:
            ben.revising.replace(ben.theirs(anna, picture_id), ben.file(png(seed=2), "2.png"))
        return put(*args, **more)

    monkeypatch.setattr(anna.api, "put_revision", later)
    anna.sharing.stop([picture_id], cleo.user_id, reseal=True)
    assert len(calls) == len(set(calls)) == 2
    current = fetch_own(anna.context, picture_id)
    assert (current.envelope.epoch, current.opened.metadata.name) == (2, "2.png")
    assert ben.content(anna, picture_id) == png(seed=2)


STEPS = ("begin", "stored", "settled")

KILLED = """
import os, signal, sys
from pathlib import Path
from desktop.crypto.keys import PrivateKey
from tests.client.sharing.friends import sign_in
from desktop.client import sharing

address, name, key, folder, picture_id, user_id, step = sys.argv[1:]
context = sign_in(address, name, PrivateKey.from_pkcs8(Path(key).read_bytes()), Path(folder))

def die_after(owner, name):
    work = getattr(owner, name)
    def dying(*args, **more):
        work(*args, **more)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(owner, name, dying)

if step == "begin":
    die_after(context.memory, "begin")
elif step == "stored":
    die_after(context.api, "put_revision")
else:
    die_after(context.memory, "stored")
sharing.Sharing(context).stop([picture_id], user_id, reseal=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
@pytest.mark.parametrize("step", STEPS)
def test_killed_while_sealing_anew(anna: Friend, ben: Friend, cleo: Friend, tmp_path: Path, step: str) -> None:
    picture_id = anna.add(png(), "1.png")
    for other in (ben, cleo):
        anna.sharing.share([picture_id], anna.meet(other), "read")
        other.meet(anna)
    key_path = tmp_path / "key"
    key_path.write_bytes(anna.key.to_pkcs8())
    anna.close()
    arguments = [anna.address, anna.name, str(key_path), str(anna.folder), picture_id, ben.user_id, step]
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": "."},
        check=False,
        timeout=60,
    )
    assert ended.returncode == -signal.SIGKILL
    anna.restart()
    stored = step in ("stored", "settled")
    assert fetch_own(anna.context, picture_id).envelope.epoch == (2 if stored else 1)
    assert anna.sharing.unfinished() == [picture_id]
    assert anna.sharing.finish().failed == ()
    assert anna.sharing.unfinished() == []
    assert [one.kind for one in anna.memory.intents()] == []
    assert permissions(anna, picture_id) == [(cleo.user_id, "read")]
    assert cleo.content(anna, picture_id) == png()
    assert list((anna.folder / "attempts").iterdir()) == []


@pytest.mark.parametrize("failure", [errors.ServerFailed, errors.ServerSilent, errors.NotSignedIn])
def test_a_server_that_fails_over_the_steps_in_between_is_not_said_to_hide_them(
    anna: Friend, ben: Friend, failure: type[errors.GlassineError]
) -> None:
    picture_id = anna.add(png())
    anna.sharing.share([picture_id], anna.meet(ben), "read")
    ben.meet(anna)
    shared, theirs = ben.shared, ben.theirs(anna, picture_id)
    for seed in (2, 3):
        anna.revising.replace(picture_id, anna.file(png(seed=seed)))
    history = ben.api.history

    def fail(*_: Any) -> Any:
        raise failure

    ben.api.history = fail  # type: ignore[method-assign]
    (picture,) = shared.list()
    assert (picture.state, picture.problem_code) == (PictureState.UNREADABLE, failure.code)
    with pytest.raises(failure):
        shared.open(theirs)
    ben.api.history = history  # type: ignore[method-assign]
    assert shared.list()[0].state is PictureState.READY
