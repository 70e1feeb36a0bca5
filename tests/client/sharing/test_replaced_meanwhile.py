"""Pictures that are replaced while somebody fetches them: the new version is what they get, and nothing is damaged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from desktop import errors
from desktop.client.current import fetch_own
from desktop.client.sharing import Strip
from desktop.crypto.keys import PrivateKey
from desktop.models import PictureState
from tests.client.sharing.friends import Friend
from tests.client.sharing.test_revising import opened
from tests.sample_pictures import jpeg, png

OLD, NEW = png(seed=5), png(seed=6)


@pytest.fixture
def sent(anna: Friend, ben: Friend) -> str:
    """A picture of Anna's that Ben may replace."""
    picture_id = anna.add(OLD, "old.png")
    anna.sharing.share([picture_id], anna.meet(ben), "write")
    ben.meet(anna)
    return picture_id


def replaced_before_it_is_read(who: Friend, owner: Friend, picture_id: str, times: int = 1) -> list[int]:
    """Let the owner store new versions after somebody has looked at a picture, before they ask for its file."""
    content, done = who.api.content, [0]

    def late(*args: Any, **more: Any) -> Any:
        if done[0] < times:
            done[0] += 1
            owner.revising.replace(picture_id, owner.file(NEW if done[0] == times else png(seed=20 + done[0])))
        return content(*args, **more)

    who.api.content = late  # type: ignore[method-assign]
    return done


def test_opening_and_exporting_what_is_shared(anna: Friend, ben: Friend, sent: str) -> None:
    shared, theirs = ben.shared, ben.theirs(anna, sent)
    replaced_before_it_is_read(ben, anna, sent)
    assert bytes(shared.open(theirs).data) == NEW
    replaced_before_it_is_read(ben, anna, sent)
    assert shared.export(theirs, ben.outside).read_bytes() == NEW


def test_whoever_stores_version_after_version_is_not_followed_for_ever(anna: Friend, ben: Friend, sent: str) -> None:
    shared, theirs = ben.shared, ben.theirs(anna, sent)
    done = replaced_before_it_is_read(ben, anna, sent, times=100)
    with pytest.raises(errors.MovedOn):
        shared.export(theirs, ben.outside)
    assert done[0] == 4


def test_damage_stays_damage(anna: Friend, ben: Friend, sent: str) -> None:
    shared, theirs = ben.shared, ben.theirs(anna, sent)
    other = anna.add(png(seed=9))
    content, asked = anna.api.content, []

    def another(user_id: str, name: str, *more: Any) -> Any:
        asked.append(name)
        return content(user_id, f"p-{other}", *more)

    ben.api.content = another  # type: ignore[method-assign]
    with pytest.raises(errors.Damaged):
        shared.open(theirs)
    assert len(asked) == 1


def test_damage_stays_damage_whatever_the_server_calls_the_revision(
    anna: Friend, ben: Friend, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, theirs = ben.shared, ben.theirs(anna, sent)
    other = anna.add(png(seed=9))
    present = ben.api.present

    def renamed(*args: Any) -> Any:
        found = present(*args)
        return replace(found, row=replace(found.row, header_hash="ab" * 32))

    monkeypatch.setattr(ben.api, "present", renamed)
    monkeypatch.setattr(ben.api, "content", lambda _, name, *more: anna.api.content(anna.user_id, f"p-{other}", *more))
    for attempt in (shared.open, lambda picture_id: shared.export(picture_id, ben.outside)):
        with pytest.raises(errors.Damaged):
            attempt(theirs)
    assert not list(ben.outside.iterdir())


def test_encrypting_anew(anna: Friend, ben: Friend, sent: str) -> None:
    theirs = ben.theirs(anna, sent)
    there = anna.elsewhere()
    replaced_before_it_is_read(anna, there, sent)
    result = anna.sharing.stop([sent], ben.user_id, reseal=True)
    assert (result.resealed, result.failed) == ((sent,), ())
    assert opened(anna, sent) == NEW
    assert fetch_own(anna.context, sent).envelope.epoch == 2
    assert theirs not in [picture.id for picture in ben.shared.list()]
    there.close()


def test_a_copy_without_metadata(anna: Friend, ben: Friend) -> None:
    picture_id = anna.add(jpeg(), "old.jpg")
    there = anna.elsewhere()
    replaced_before_it_is_read(anna, there, picture_id)
    result = anna.sharing.share([picture_id], anna.meet(ben), "read", strip=Strip.METADATA)
    ben.meet(anna)
    [picture] = ben.shared.list()
    assert picture.state is PictureState.READY
    assert result.failed == ()
    copy = fetch_own(anna.context, result.copies[picture_id])
    assert copy.opened.metadata.type == "image/png"
    there.close()


def test_another_key_pair(anna: Friend, ben: Friend, sent: str, other_key: PrivateKey) -> None:
    there = anna.elsewhere()
    replaced_before_it_is_read(anna, there, sent)
    anna.change_key(other_key)
    assert opened(anna, sent) == NEW
    assert fetch_own(anna.context, sent).envelope.owner == other_key.public
    there.close()
