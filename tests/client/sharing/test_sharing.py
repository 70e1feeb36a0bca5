"""Sharing between real clients over a real server: who can open what, and who cannot any more."""

from __future__ import annotations

import pytest

from desktop import errors
from desktop.client.current import fetch_own
from desktop.crypto.keys import PrivateKey
from desktop.crypto.sealed import parse_grant, read_envelope
from desktop.crypto.words import fingerprint_groups, fingerprint_words, qr_text
from desktop.models import PersonState, PictureState
from tests.client.conftest import RunningServer
from tests.client.sharing.friends import PASSWORD, Friend
from tests.sample_pictures import photograph, png


def kept_grant(friend: Friend, owner: Friend, picture_id: str) -> str:
    """The wrapped key as somebody could have saved it."""
    return friend.api.present(owner.user_id, f"p-{picture_id}").grant


# -- the main thing -------------------------------------------------------------------------------------------------


def test_what_somebody_gets_and_loses(anna: Friend, ben: Friend, cleo: Friend) -> None:
    content = photograph(1, 300, 200)
    picture_id = anna.add(content)
    result = anna.sharing.share([picture_id], anna.meet(ben), "read")
    assert (result.shared, result.waiting, result.failed) == ((picture_id,), (), ())

    ben.meet(anna)
    (picture,) = ben.shared.list()
    assert (picture.name, picture.owner_name, picture.role) == ("ladybird.jpg", anna.name, "read")
    assert picture.state is PictureState.READY
    assert ben.content(anna, picture_id) == content

    cleo.meet(anna)
    assert cleo.shared.list() == []
    with pytest.raises(errors.NotAllowed):
        cleo.api.present(anna.user_id, f"p-{picture_id}")

    saved = kept_grant(ben, anna, picture_id)
    shared = ben.shared
    stopped = anna.sharing.stop([picture_id], ben.user_id, reseal=False)
    assert (stopped.stopped, stopped.resealed, stopped.failed) == ((picture_id,), (), ())
    with pytest.raises(errors.NoLongerShared):
        shared.open(ben.theirs(anna, picture_id))
    assert ben.shared.list() == []

    # what was saved opens this epoch still; that is what sealing anew is for
    before = anna.api.present(anna.user_id, f"p-{picture_id}").row.envelope
    read_envelope(before, owner=anna.key.public).open(ben.key, parse_grant(saved))
    stopped = anna.sharing.stop([picture_id], ben.user_id, reseal=True)
    assert stopped.resealed == (picture_id,)
    after = anna.api.present(anna.user_id, f"p-{picture_id}").row.envelope
    envelope = read_envelope(after, owner=anna.key.public)
    assert (envelope.epoch, envelope.revision) == (2, 1)
    with pytest.raises(errors.NoGrant):
        envelope.open(ben.key, parse_grant(saved))
    with pytest.raises(errors.WrongKey):
        envelope.open(ben.key)
    assert anna.sharing.unfinished() == []


def test_those_who_stay_open_the_new_epoch(anna: Friend, ben: Friend, cleo: Friend) -> None:
    content = png(seed=3)
    picture_id = anna.add(content, "leaf.png")
    for other in (ben, cleo):
        anna.sharing.share([picture_id], anna.meet(other), "read")
        other.meet(anna)
    assert cleo.content(anna, picture_id) == content
    anna.sharing.stop([picture_id], ben.user_id, reseal=True)
    (picture,) = cleo.shared.list()
    assert picture.state is PictureState.READY
    assert cleo.content(anna, picture_id) == content
    assert [share.person.name for share in anna.sharing.shares_of(picture_id)] == [cleo.name]
    found = cleo.shared.thumbnails([cleo.theirs(anna, picture_id)])
    assert found[cleo.theirs(anna, picture_id)].startswith(b"\xff\xd8\xff")
    exported = cleo.shared.export(cleo.theirs(anna, picture_id), cleo.outside)
    assert exported.name == "leaf.png"
    assert exported.read_bytes() == content


def test_a_writer_stores_a_revision_that_counts_under_the_grant_only(anna: Friend, ben: Friend, cleo: Friend) -> None:
    picture_id = anna.add(png(seed=1), "one.png")
    anna.sharing.share([picture_id], anna.meet(ben), "write")
    anna.sharing.share([picture_id], anna.meet(cleo), "read")
    ben.meet(anna)
    cleo.meet(anna)
    second = png(seed=2)
    ben.revising.replace(ben.theirs(anna, picture_id), ben.file(second, "two.png"))

    assert ben.content(anna, picture_id) == second
    # Cleo never met Ben: his revision is named, not shown
    theirs = cleo.theirs(anna, picture_id)
    (picture,) = cleo.shared.list()
    assert (picture.state, picture.problem_code) == (PictureState.UNREADABLE, errors.AuthorUnknown.code)
    assert cleo.shared.thumbnails([theirs]) == {}
    for look in (cleo.shared.open, lambda one: cleo.shared.export(one, cleo.outside)):
        with pytest.raises(errors.AuthorUnknown):
            look(theirs)
    # and neither is it to Anna herself where nothing is remembered, though it is not called somebody else's
    there = anna.elsewhere()
    with pytest.raises(errors.AuthorUnknown):
        fetch_own(there.context, picture_id)
    there.close()
    cleo.meet(ben)
    assert cleo.content(anna, picture_id) == second
    # the owner has it too, under the writer's signature
    current = fetch_own(anna.context, picture_id)
    assert (current.envelope.author, current.envelope.revision) == (ben.key.fingerprint, 2)
    assert current.opened.metadata.name == "two.png"

    with pytest.raises(errors.NoGrant):
        cleo.revising.replace(cleo.theirs(anna, picture_id), cleo.file(png(seed=9)))

    anna.sharing.set_role(picture_id, ben.user_id, "read")
    assert fetch_own(anna.context, picture_id).envelope.epoch == 2
    with pytest.raises(errors.NoGrant):
        ben.revising.replace(ben.theirs(anna, picture_id), ben.file(png(seed=9)))
    assert ben.content(anna, picture_id) == second
    assert {share.role for share in anna.sharing.shares_of(picture_id)} == {"read"}


def test_taking_back_from_a_writer_always_begins_a_new_epoch(anna: Friend, ben: Friend) -> None:
    picture_id = anna.add(png(), "one.png")
    anna.sharing.share([picture_id], anna.meet(ben), "read")
    anna.sharing.set_role(picture_id, ben.user_id, "write")
    (share,) = anna.sharing.shares_of(picture_id)
    assert (share.role, share.opens, share.waiting) == ("write", True, False)
    result = anna.sharing.stop([picture_id], ben.user_id, reseal=False)
    assert result.resealed == (picture_id,)
    assert anna.sharing.shares_of(picture_id) == []


def test_sharing_again_changes_the_role(anna: Friend, ben: Friend) -> None:
    picture_id = anna.add(png(), "one.png")
    user_id = anna.meet(ben)
    for role in ("read", "write", "write"):
        assert anna.sharing.share([picture_id], user_id, role).shared == (picture_id,)  # type: ignore[arg-type]
        assert [share.role for share in anna.sharing.shares_of(picture_id)] == [role]
    assert anna.sharing.share([picture_id], user_id, "read").shared == (picture_id,)
    assert fetch_own(anna.context, picture_id).envelope.epoch == 2
    assert anna.sharing.shared_with(user_id) == [picture_id]
    assert anna.sharing.holders() == {picture_id: ((user_id,), False)}


def test_forty_pictures_at_once(anna: Friend, ben: Friend) -> None:
    contents = {anna.add(png(40, 30, seed), f"{seed}.png"): png(40, 30, seed) for seed in range(40)}
    ids = [*contents, "0" * 32, "holiday"]
    steps: list[tuple[int, int]] = []
    result = anna.sharing.share(ids, anna.meet(ben), "read", report=lambda *step: steps.append(step))
    assert result.shared == tuple(contents)
    assert [(one.picture_id, type(one.error)) for one in result.failed] == [
        ("0" * 32, errors.NotFound),
        ("holiday", errors.Unsupported),
    ]
    assert steps == [(at, 42) for at in range(1, 43)]
    ben.meet(anna)
    assert {picture.id for picture in ben.shared.list()} == {ben.theirs(anna, one) for one in contents}
    shared = ben.shared
    for picture_id in list(contents)[::13]:
        assert bytes(shared.open(ben.theirs(anna, picture_id)).data) == contents[picture_id]
    with pytest.raises(errors.Cancelled):
        anna.sharing.stop(list(contents), ben.user_id, reseal=False, cancelled=lambda: True)


# -- people ---------------------------------------------------------------------------------------------------------


def test_finding_people(anna: Friend, ben: Friend) -> None:
    person = anna.sharing.find(ben.name)
    assert (person.name, person.fingerprint) == (ben.name, ben.key.fingerprint)
    assert person.state is PersonState.UNVERIFIED
    assert person.words == fingerprint_words(ben.key.fingerprint)
    assert person.groups == fingerprint_groups(ben.key.fingerprint)
    assert anna.sharing.people() == [person]
    for name in (ben.name.upper(), f"{ben.name}x", "", "nobody"):
        with pytest.raises(errors.PersonNotFound):
            anna.sharing.find(name)
    with pytest.raises(errors.ThatIsYou):
        anna.sharing.find(anna.name)


@pytest.mark.parametrize("how", ["words", "digits", "qr", "hex"])
def test_comparing(anna: Friend, ben: Friend, how: str) -> None:
    user_id = anna.meet(ben, compare=False)
    fingerprint, other = ben.key.fingerprint, anna.key.fingerprint
    texts = {
        "words": lambda one: " ".join(fingerprint_words(one)).title(),
        "digits": lambda one: "\n".join(fingerprint_groups(one)),
        "qr": qr_text,
        "hex": str.upper,
    }
    with pytest.raises(errors.Unsupported):
        anna.sharing.compare(user_id, "something else")
    assert anna.sharing.person(user_id).state is PersonState.UNVERIFIED
    with pytest.raises(errors.KeyChanged):
        anna.sharing.compare(user_id, texts[how](other))
    assert anna.sharing.person(user_id).state is PersonState.CHANGED
    picture_id = anna.add(png(), "one.png")
    with pytest.raises(errors.KeyChanged):
        anna.sharing.share([picture_id], user_id, "read", accept_unverified=True)
    assert anna.api.permissions(anna.user_id, f"p-{picture_id}") == []
    assert anna.sharing.compare(user_id, texts[how](fingerprint)).state is PersonState.VERIFIED
    assert anna.sharing.share([picture_id], user_id, "read").shared == (picture_id,)


def test_somebody_never_compared_asks_first(anna: Friend, ben: Friend) -> None:
    picture_id = anna.add(png(), "one.png")
    user_id = anna.meet(ben, compare=False)
    with pytest.raises(errors.Unverified):
        anna.sharing.share([picture_id], user_id, "read")
    assert anna.api.permissions(anna.user_id, f"p-{picture_id}") == []
    assert anna.sharing.shared_with(user_id) == []
    assert anna.sharing.share([picture_id], user_id, "read", accept_unverified=True).shared == (picture_id,)
    assert anna.sharing.holders() == {picture_id: ((user_id,), True)}
    with pytest.raises(errors.KeyChanged):  # another key than the one that was shown
        anna.sharing.share([picture_id], user_id, "read", accept_unverified=True, fingerprint=anna.key.fingerprint)


def test_waiting_for_a_comparison(anna: Friend, ben: Friend) -> None:
    picture_id = anna.add(png(), "one.png")
    user_id = anna.meet(ben, compare=False)
    result = anna.sharing.share([picture_id], user_id, "read", wait_for_comparison=True)
    assert result.waiting == (picture_id,)
    assert anna.sharing.complete_waiting().waiting == (picture_id,)
    assert anna.api.permissions(anna.user_id, f"p-{picture_id}") == []
    (share,) = anna.sharing.shares_of(picture_id)
    assert (share.waiting, share.opens, share.person.user_id) == (True, False, user_id)
    anna.restart()
    anna.sharing.compared(user_id, ben.key.fingerprint)
    assert anna.sharing.complete_waiting().shared == (picture_id,)
    assert anna.sharing.waiting() == []
    ben.meet(anna)
    assert ben.content(anna, picture_id) == png()


def test_somebody_without_a_key(anna: Friend, server: RunningServer, key: PrivateKey) -> None:
    accounts = server.app.extensions["glassine"].services.accounts
    late = accounts.register("late riser", PASSWORD, "", key_required=False)
    old = accounts.register("old hand", PASSWORD, "27977 9431")
    assert anna.sharing.find("old hand").state is PersonState.CLASSIC
    person = anna.sharing.find("late riser")
    assert person.state is PersonState.NO_KEY
    picture_id = anna.add(png(), "one.png")
    for user in (late, old):
        assert anna.sharing.share([picture_id], user.id, "write", accept_unverified=True).waiting == (picture_id,)
    assert anna.sharing.complete_waiting().waiting == (picture_id, picture_id)
    accounts.change_key(late.id, key.public.pem, PASSWORD)
    # a key alone is not enough: it has to be compared
    assert anna.sharing.complete_waiting().waiting == (picture_id, picture_id)
    assert anna.sharing.person(late.id).state is PersonState.UNVERIFIED
    anna.sharing.compared(late.id, key.fingerprint)
    assert anna.sharing.complete_waiting().shared == (picture_id,)
    (given,) = anna.api.permissions(anna.user_id, f"p-{picture_id}")
    assert (given.user_id, given.role) == (late.id, "write")
    assert [(one, role) for one, _, role in anna.sharing.waiting()] == [(picture_id, "write")]


def test_who_has_a_picture_that_nobody_has_is_one_request(anna: Friend, monkeypatch: pytest.MonkeyPatch) -> None:
    picture_id = anna.add(png(), "one.png")
    monkeypatch.setattr(anna.context.api, "present", None)
    assert anna.sharing.shares_of(picture_id) == []
