"""Sharing copies without metadata: the original stays whole and is shared with nobody."""

from __future__ import annotations

import pytest

from desktop import errors
from desktop.client.current import fetch_own
from desktop.client.sharing import Strip
from tests.client.sharing.friends import Friend
from tests.client.test_strip import SECRETS, jpeg


def test_a_copy_is_shared_and_the_original_stays_whole(anna: Friend, ben: Friend, cleo: Friend) -> None:
    content = jpeg()
    picture_id = anna.add(content, "Anna at Elm Street 12.jpg")
    result = anna.sharing.share([picture_id], anna.meet(ben), "read", strip=Strip.METADATA)
    assert result.shared == (picture_id,)
    copy_id = result.copies[picture_id]
    assert copy_id != picture_id

    ben.meet(anna)
    (picture,) = ben.shared.list()
    assert (picture.id, picture.name, picture.taken) == (ben.theirs(anna, copy_id), "picture.jpg", None)
    assert (picture.width, picture.height) == (80, 120)
    got = ben.content(anna, copy_id)
    assert not any(secret in got for secret in SECRETS)
    with pytest.raises(errors.NotAllowed):
        ben.api.present(anna.user_id, f"p-{picture_id}")
    assert ben.shared.thumbnails([picture.id])

    original = fetch_own(anna.context, picture_id)
    with anna.api.content(anna.user_id, original.stored_name) as untrusted:
        assert bytes(original.opened.open_payload_to_memory(untrusted)) == content
    assert anna.sharing.shares_of(picture_id) == []

    # the same copy again, until the original changes
    again = anna.sharing.share([picture_id], anna.meet(cleo), "read", strip=Strip.METADATA)
    assert again.copies == {picture_id: copy_id}
    anna.revising.replace(picture_id, anna.file(jpeg()))
    third = anna.sharing.share([picture_id], cleo.user_id, "read", strip=Strip.METADATA)
    assert third.copies[picture_id] not in (picture_id, copy_id)


def test_no_plaintext_is_left_on_the_disk(anna: Friend, ben: Friend) -> None:
    picture_id = anna.add(jpeg(), "Anna.jpg")
    anna.sharing.share([picture_id], anna.meet(ben), "read", strip=Strip.METADATA)
    for path in anna.folder.rglob("*"):
        if path.is_file():
            written = path.read_bytes()
            assert not any(secret in written for secret in SECRETS), path
            assert b"JFIF" not in written


def test_a_lost_answer_makes_no_second_copy(anna: Friend, ben: Friend) -> None:
    picture_id = anna.add(jpeg(), "Anna.jpg")
    user_id = anna.meet(ben)
    upload = anna.api.upload_sealed

    def unheard(*args: object, **more: object) -> object:
        upload(*args, **more)  # type: ignore[arg-type]
        raise errors.ServerSilent

    anna.api.upload_sealed = unheard  # type: ignore[method-assign, assignment]
    (failure,) = anna.sharing.share([picture_id], user_id, "read", strip=Strip.METADATA).failed
    assert isinstance(failure.error, errors.ServerSilent)
    anna.api.upload_sealed = upload  # type: ignore[method-assign]
    anna.restart()
    assert anna.sharing.share([picture_id], user_id, "read", strip=Strip.METADATA).shared == (picture_id,)
    assert anna.api.page(anna.user_id)[1] == 2


def test_who_waits_gets_the_copy_too(anna: Friend, ben: Friend) -> None:
    picture_id = anna.add(jpeg(), "Anna.jpg")
    user_id = anna.meet(ben, compare=False)
    result = anna.sharing.share([picture_id], user_id, "read", strip=Strip.METADATA, wait_for_comparison=True)
    assert (result.shared, result.waiting) == ((), (picture_id,))
    copy_id = result.copies[picture_id]
    assert [one for one, _, _ in anna.sharing.waiting()] == [copy_id]
    anna.sharing.compared(user_id, ben.key.fingerprint)
    assert anna.sharing.complete_waiting().shared == (copy_id,)
    with pytest.raises(errors.NotAllowed):
        ben.api.present(anna.user_id, f"p-{picture_id}")
