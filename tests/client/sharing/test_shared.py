"""What others share: nothing is decoded before the sender was accepted, and what is taken back is no alarm."""

from __future__ import annotations

from typing import Any

import pytest

from desktop import errors
from desktop.client.current import fetch_own
from desktop.client.vault_history import record_gone
from desktop.crypto import sealed
from desktop.crypto.keys import PrivateKey
from desktop.crypto.records import make_gone
from desktop.models import PersonState, PictureState
from tests.client.conftest import RunningServer
from tests.client.sharing.friends import PASSWORD, Friend
from tests.sample_pictures import png


@pytest.fixture
def sent(anna: Friend, ben: Friend) -> str:
    """A picture that Anna shares with Ben, who never heard of her."""
    picture_id = anna.add(png(), "one.png")
    anna.sharing.share([picture_id], anna.meet(ben), "read")
    return picture_id


def test_an_unasked_share_is_not_decoded(anna: Friend, ben: Friend, sent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        for name in ("read_envelope", "open_carrier"):
            patch.setattr(sealed, name, lambda *_, **__: pytest.fail("something was decoded"))
        shared = ben.shared
        (picture,) = shared.list()
        assert (picture.state, picture.owner_name, picture.unverified) == (PictureState.UNDECODED, anna.name, True)
        assert "one.png" not in picture.name
        assert shared.thumbnails([picture.id]) == {}
        with pytest.raises(errors.Unverified):
            shared.open(picture.id)
        with pytest.raises(errors.Unverified):
            shared.export(picture.id, ben.outside)
        (sender,) = shared.senders()
    assert (sender.person.name, sender.person.fingerprint) == (anna.name, anna.key.fingerprint)
    assert (sender.count, sender.accepted, sender.declined) == (1, False, False)
    assert sender.person.state is PersonState.UNVERIFIED

    # meeting is not accepting
    ben.meet(anna, compare=False)
    assert shared.list()[0].state is PictureState.UNDECODED
    shared.accept(anna.user_id)
    (picture,) = shared.list()
    assert (picture.state, picture.name, picture.unverified) == (PictureState.READY, "one.png", True)
    assert bytes(shared.open(picture.id).data) == png()
    assert shared.senders()[0].accepted


def test_comparing_accepts_and_differing_does_not(anna: Friend, ben: Friend, sent: str) -> None:
    ben.meet(anna)
    (picture,) = ben.shared.list()
    assert (picture.state, picture.unverified) == (PictureState.READY, False)
    shared = ben.shared
    assert ben.sharing.differ(anna.user_id).differs  # which is said otherwise than that a key has changed
    assert shared.list()[0].state is PictureState.UNDECODED
    with pytest.raises(errors.Unverified):
        shared.open(picture.id)
    with pytest.raises(errors.KeyChanged):
        shared.accept(anna.user_id)


def test_declined_senders_are_not_listed(anna: Friend, ben: Friend, sent: str) -> None:
    shared = ben.shared
    shared.decline(anna.user_id)
    assert shared.list() == []
    (sender,) = shared.senders()
    assert (sender.declined, sender.accepted, sender.count) == (True, False, 1)
    ben.restart()
    assert ben.shared.list() == []
    ben.shared.accept(anna.user_id)
    assert ben.shared.list()[0].state is PictureState.READY


def test_giving_back(anna: Friend, ben: Friend, sent: str) -> None:
    ben.meet(anna)
    shared = ben.shared
    shared.give_back(ben.theirs(anna, sent))
    assert shared.list() == []
    with pytest.raises(errors.NoLongerShared):
        shared.open(ben.theirs(anna, sent))
    (share,) = anna.sharing.shares_of(sent)
    assert not share.opens


def test_taken_back_is_no_alarm_and_rolled_back_is(anna: Friend, ben: Friend, sent: str) -> None:
    ben.meet(anna)
    shared = ben.shared
    first = anna.api.present(anna.user_id, f"p-{sent}")
    assert shared.list()[0].state is PictureState.READY
    anna.revising.replace(sent, anna.file(png(seed=7), "two.png"))
    (picture,) = shared.list()
    assert picture.name == "two.png"
    # the server hands out what was before
    page = ben.api.shared_page
    old = first.row

    def rolled_back(*args: object) -> object:
        from dataclasses import replace

        return [
            replace(row, row=replace(row.row, envelope=old.envelope, header_hash=old.header_hash))
            for row in page(*args)  # type: ignore[arg-type]
        ]

    ben.api.shared_page = rolled_back  # type: ignore[method-assign, assignment]
    (picture,) = shared.list()
    assert (picture.state, picture.problem_code) == (PictureState.REFUSED, errors.RolledBack.code)
    ben.api.shared_page = page  # type: ignore[method-assign]
    assert shared.list()[0].state is PictureState.READY
    anna.sharing.stop([sent], ben.user_id, reseal=False)
    assert shared.list() == []
    with pytest.raises(errors.NoLongerShared):
        shared.export(ben.theirs(anna, sent), ben.outside)
    assert list(ben.outside.iterdir()) == []


def test_a_grant_that_did_not_come_along(anna: Friend, ben: Friend, sent: str) -> None:
    ben.meet(anna)
    anna.api.set_permission(anna.user_id, f"p-{sent}", ben.user_id, "write")
    (picture,) = ben.shared.list()
    assert (picture.state, picture.problem_code) == (PictureState.REFUSED, errors.GrantRefused.code)
    anna.sharing.share([sent], ben.user_id, "read")
    assert ben.shared.list()[0].state is PictureState.READY


def test_what_the_old_key_signed_is_still_believed(
    anna: Friend, ben: Friend, sent: str, server: RunningServer, other_key: PrivateKey
) -> None:
    ben.meet(anna)
    server.app.extensions["glassine"].services.accounts.change_key(anna.user_id, other_key.public.pem, PASSWORD)
    with pytest.raises(errors.KeyChanged):
        ben.sharing.look_again(anna.user_id)
    assert ben.shared.list()[0].state is PictureState.READY
    assert ben.content(anna, sent) == png()


def test_what_was_shared_with_a_former_key_opens_until_it_is_shared_anew(
    anna: Friend, ben: Friend, sent: str, other_key: PrivateKey
) -> None:
    anna.sharing.share([sent], ben.user_id, "write")
    ben.meet(anna)
    # a revision that the key which ends has signed
    ben.revising.replace(ben.theirs(anna, sent), ben.file(png(seed=3), "two.png"))
    assert fetch_own(anna.context, sent).envelope.author == ben.key.fingerprint
    ben.change_key(other_key)
    shared = ben.shared
    (picture,) = shared.list()
    # nobody accepts a revision under a grant to the former key, so none can be made
    assert (picture.state, picture.name, picture.role) == (PictureState.READY, "two.png", "read")
    assert shared.thumbnails([picture.id])[picture.id]
    assert bytes(shared.open(picture.id).data) == png(seed=3)
    assert shared.export(picture.id, ben.outside).read_bytes() == png(seed=3)
    with pytest.raises(errors.NoGrant):
        ben.revising.replace(picture.id, ben.file(png(seed=5)))
    # only where the former key is kept, and for nobody else
    elsewhere = ben.elsewhere()
    elsewhere.meet(anna)
    (picture,) = elsewhere.shared.list()
    assert (picture.state, picture.problem_code) == (PictureState.UNREADABLE, errors.AuthorUnknown.code)
    elsewhere.close()

    with pytest.raises(errors.KeyChanged):
        anna.sharing.look_again(ben.user_id)
    anna.sharing.compared(ben.user_id, other_key.fingerprint)
    # what the former key signed stays what it was, where it was seen while that key was pinned
    assert anna.sharing.share([sent], ben.user_id, "write").failed == ()
    (picture,) = shared.list()
    assert (picture.state, picture.role) == (PictureState.READY, "write")
    ben.revising.replace(picture.id, ben.file(png(seed=5), "three.png"))
    assert ben.content(anna, sent) == png(seed=5)


def test_two_owners_with_one_id(anna: Friend, ben: Friend, cleo: Friend, sent: str) -> None:
    """Ids are drawn by owners; one who copies another's takes nothing away."""
    from desktop import image_formats
    from desktop.client.attempts import attempt
    from desktop.client.resealing import now_stored, own_envelope

    source = cleo.file(png(seed=4), "cuckoo.png")
    info = image_formats.read_info(source)
    with attempt(cleo.folder) as folder:
        made = sealed.seal(
            source,
            folder / "carrier.png",
            cleo.key,
            name="cuckoo.png",
            media_type=info.media_type,
            width=info.width,
            height=info.height,
            taken="",
            thumbnail=image_formats.make_thumbnail(source),
            picture_id=sent,
        )
        row = cleo.api.upload_sealed(
            cleo.user_id, sent, carrier=made.carrier, envelope=made.envelope, thumbnail=made.thumbnail
        )
        now_stored(cleo.context, *own_envelope(cleo.context, made), row, made.thumbnail)
    cleo.sharing.share([sent], cleo.meet(ben), "read")
    ben.meet(anna)
    ben.meet(cleo)
    assert {picture.name for picture in ben.shared.list()} == {"one.png", "cuckoo.png"}
    assert ben.content(anna, sent) == png()
    assert ben.content(cleo, sent) == png(seed=4)
    names = ben.shared.thumbnails([ben.theirs(anna, sent), ben.theirs(cleo, sent)])
    assert len(set(names.values())) == 2


def test_a_list_that_goes_in_circles(ben: Friend, anna: Friend, sent: str) -> None:
    page = ben.api.shared_page(ben.user_id)
    assert len(page) == 1
    shared = ben.shared
    ben.api.shared_page = lambda *_: page  # type: ignore[method-assign]
    with pytest.raises(errors.NotAGlassineServer):
        shared.list()


def test_a_name_that_a_server_claims_is_made_harmless(ben: Friend, anna: Friend, sent: str) -> None:
    from dataclasses import replace

    pages = ben.api.shared_page
    ben.api.shared_page = lambda *asked: [  # type: ignore[method-assign]
        replace(row, owner_name="x\u202e\n" + "y" * 5000) for row in pages(*asked)
    ]
    (picture,) = ben.shared.list()
    assert picture.owner_name == "x" + "y" * 197
    ben.meet(anna)
    assert ben.shared.list()[0].owner_name == anna.name


def delete_for_good(owner: Friend, picture_id: str) -> None:
    record_gone(owner.context, picture_id)
    owner.api.delete(owner.user_id, f"p-{picture_id}")


def test_what_its_owner_deleted_for_good_is_said_to_be_deleted(anna: Friend, ben: Friend, sent: str) -> None:
    ben.meet(anna)
    shared, theirs = ben.shared, ben.theirs(anna, sent)
    delete_for_good(anna, sent)
    with pytest.raises(errors.NoLongerShared, match="deleted this picture for good"):
        shared.open(theirs)


def test_a_server_that_does_not_say_what_was_deleted_is_asked_once(anna: Friend, ben: Friend, sent: str) -> None:
    """However many pictures vanished, nobody waits for each of them."""
    user_id = ben.meet(anna)
    more = anna.add(png(seed=2), "two.png")
    anna.sharing.share([more], ben.user_id, "read")
    shared, asked = ben.shared, []

    def silent(*args: Any) -> str:
        asked.append(args[1])
        raise errors.ServerSilent

    anna.sharing.stop([sent, more], ben.user_id, reseal=False)
    gone, ben.api.gone = ben.api.gone, silent  # type: ignore[method-assign]
    with pytest.raises(errors.NoLongerShared):
        shared.open(f"{user_id}.{sent}")
    asked.clear()
    assert shared.list() == []
    assert len(asked) == 1
    ben.api.gone = gone  # type: ignore[method-assign]


@pytest.mark.parametrize("for_good", [True, False])
def test_a_server_that_hands_out_again_what_is_gone(anna: Friend, ben: Friend, sent: str, for_good: bool) -> None:
    ben.meet(anna)
    shared, theirs = ben.shared, ben.theirs(anna, sent)
    page = ben.api.shared_page(ben.user_id)
    if for_good:
        delete_for_good(anna, sent)
    else:
        anna.sharing.stop([sent], ben.user_id, reseal=False)
    assert shared.list() == []
    with pytest.raises(errors.NoLongerShared, match="not hand"):
        shared.open(theirs)
    ben.restart()
    ben.api.shared_page = lambda user_id, after="", *_: [] if after else page  # type: ignore[method-assign]
    (picture,) = ben.shared.list()
    assert picture.problem_code == (errors.Resurrected.code if for_good else "")


def test_a_record_of_a_deletion_that_is_not_the_owners_is_not_believed(anna: Friend, ben: Friend, sent: str) -> None:
    ben.meet(anna)
    shared, theirs = ben.shared, ben.theirs(anna, sent)
    forged = make_gone(ben.key, sent, "0" * 64, 5).text
    anna.api.delete(anna.user_id, f"p-{sent}")
    ben.api.gone = lambda *_: forged  # type: ignore[method-assign]
    with pytest.raises(errors.NoLongerShared, match="took it back, or moved it to the bin"):
        shared.open(theirs)
    assert shared.list() == []
    entry = ben.memory.entry(anna.key.fingerprint, sent)
    assert entry is not None
    assert not entry.gone
