"""New versions and their conflicts: nothing is lost, whoever was faster."""

from __future__ import annotations

from typing import Any

import pytest

from desktop import errors
from desktop.client.current import fetch_own
from tests.client.sharing.friends import Friend
from tests.sample_pictures import png

MINE, THEIRS = png(seed=5), png(seed=6)


def opened(owner: Friend, picture_id: str) -> bytes:
    """The present content of one's own picture."""
    current = fetch_own(owner.context, picture_id)
    with owner.api.content(owner.user_id, current.stored_name) as untrusted:
        return bytes(current.opened.open_payload_to_memory(untrusted))


def revision(owner: Friend, picture_id: str) -> tuple[int, int]:
    envelope = fetch_own(owner.context, picture_id).envelope
    return envelope.epoch, envelope.revision


@pytest.fixture
def two_versions(anna: Friend, ben: Friend) -> str:
    """Anna's picture, of which Ben has a version here and Anna's newer one is stored."""
    picture_id = anna.add(png(), "one.png")
    anna.sharing.share([picture_id], anna.meet(ben), "write")
    ben.meet(anna)
    put = ben.api.put_revision

    def late(*args: Any, **more: Any) -> Any:
        anna.revising.replace(picture_id, anna.file(THEIRS, "theirs.png"))
        return put(*args, **more)

    ben.api.put_revision = late  # type: ignore[method-assign]
    with pytest.raises(errors.ConflictKept):
        ben.revising.replace(ben.theirs(anna, picture_id), ben.file(MINE, "mine.png"))
    ben.api.put_revision = put  # type: ignore[method-assign]
    return picture_id


def test_replacing_ones_own(anna: Friend) -> None:
    picture_id = anna.add(png(), "one.png")
    salts = {fetch_own(anna.context, picture_id).envelope.header.salt}
    for number, content in enumerate((MINE, THEIRS), 2):
        header_hash = anna.revising.replace(picture_id, anna.file(content, f"{number}.png"))
        assert revision(anna, picture_id) == (1, number)
        assert opened(anna, picture_id) == content
        known = anna.context.catalog.get(picture_id)
        assert (known.header_hash, known.picture.name) == (header_hash, f"{number}.png")
        assert (known.picture.epoch, known.picture.revision_number) == (1, number)
        salts.add(fetch_own(anna.context, picture_id).envelope.header.salt)
    assert len(salts) == 3
    assert anna.revising.kept() == []


def test_a_conflict_keeps_both(anna: Friend, ben: Friend, two_versions: str) -> None:
    assert opened(anna, two_versions) == THEIRS
    (kept,) = ben.revising.kept()
    assert (kept.picture_id, kept.name, kept.moved) == (ben.theirs(anna, two_versions), "mine.png", True)
    assert ben.revising.send_kept() == []
    with pytest.raises(errors.ConflictKept):
        ben.revising.replace(kept.picture_id, ben.file(png(seed=9)))
    ben.restart()
    assert [one.picture_id for one in ben.revising.kept()] == [kept.picture_id]


def test_mine(anna: Friend, ben: Friend, two_versions: str) -> None:
    theirs = ben.theirs(anna, two_versions)
    salt = ben.revising._kept.get(ben.revising._kept.target(theirs)).envelope.header.salt
    assert ben.revising.resolve(theirs, "mine") == theirs
    assert ben.revising.kept() == []
    assert opened(anna, two_versions) == MINE
    assert revision(anna, two_versions) == (1, 3)
    assert fetch_own(anna.context, two_versions).envelope.header.salt != salt
    assert ben.content(anna, two_versions) == MINE


def test_theirs(anna: Friend, ben: Friend, two_versions: str) -> None:
    theirs = ben.theirs(anna, two_versions)
    assert ben.revising.resolve(theirs, "theirs") == theirs
    assert ben.revising.kept() == []
    assert opened(anna, two_versions) == THEIRS
    with pytest.raises(errors.NotFound):
        ben.revising.resolve(theirs, "mine")


def test_both(anna: Friend, ben: Friend, two_versions: str) -> None:
    picture_id = ben.revising.resolve(ben.theirs(anna, two_versions), "both")
    assert ben.revising.kept() == []
    assert opened(ben, picture_id) == MINE
    assert opened(anna, two_versions) == THEIRS


def test_a_picture_that_was_changed_too_often_says_so_and_the_new_version_is_kept(
    anna: Friend, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture_id = anna.add(png(), "one.png")
    monkeypatch.setattr("backend.services.revisions.HISTORY_LIMIT", 100)
    with pytest.raises(errors.ConflictKept, match="keeps no more versions") as kept:
        anna.revising.replace(picture_id, anna.file(MINE, "mine.png"))
    assert "N-112" in kept.value.details
    with pytest.raises(errors.ChangedTooOften):
        anna.revising.resolve(picture_id, "mine")
    copy_id = anna.revising.resolve(picture_id, "both")
    assert (opened(anna, picture_id), opened(anna, copy_id)) == (png(), MINE)
    assert anna.revising.kept() == []


def test_both_after_the_right_to_write_was_lost(anna: Friend, ben: Friend, two_versions: str) -> None:
    anna.sharing.set_role(two_versions, ben.user_id, "read")
    theirs = ben.theirs(anna, two_versions)
    with pytest.raises(errors.NoGrant):
        ben.revising.resolve(theirs, "mine")
    assert len(ben.revising.kept()) == 1
    anna.sharing.stop([two_versions], ben.user_id, reseal=True)
    picture_id = ben.revising.resolve(theirs, "both")
    assert opened(ben, picture_id) == MINE


def test_a_copy_is_made_once(anna: Friend, ben: Friend, two_versions: str) -> None:
    theirs = ben.theirs(anna, two_versions)
    upload = ben.api.upload_sealed

    def unheard(*args: Any, **more: Any) -> Any:
        upload(*args, **more)
        raise errors.ServerSilent

    ben.api.upload_sealed = unheard  # type: ignore[method-assign]
    with pytest.raises(errors.ServerSilent):
        ben.revising.resolve(theirs, "both")
    ben.api.upload_sealed = upload  # type: ignore[method-assign]
    picture_id = ben.revising.resolve(theirs, "both")
    assert opened(ben, picture_id) == MINE
    assert ben.api.page(ben.user_id)[1] == 1


def test_two_devices(anna: Friend) -> None:
    picture_id = anna.add(png(), "one.png")
    there = anna.elsewhere()
    try:
        fetch_own(there.context, picture_id)
        put = there.api.put_revision

        def late(*args: Any, **more: Any) -> Any:
            anna.revising.replace(picture_id, anna.file(THEIRS, "theirs.png"))
            return put(*args, **more)

        there.api.put_revision = late  # type: ignore[method-assign]
        with pytest.raises(errors.ConflictKept):
            there.revising.replace(picture_id, there.file(MINE, "mine.png"))
        there.api.put_revision = put  # type: ignore[method-assign]
        there.revising.resolve(picture_id, "mine")
        assert opened(anna, picture_id) == MINE
        assert revision(anna, picture_id) == (1, 3)
    finally:
        there.close()


@pytest.mark.parametrize("arrived", [False, True])
def test_a_server_that_falls_silent(anna: Friend, arrived: bool) -> None:
    picture_id = anna.add(png(), "one.png")
    put = anna.api.put_revision

    def silent(*args: Any, **more: Any) -> Any:
        if arrived:
            put(*args, **more)
        raise errors.ServerSilent

    anna.api.put_revision = silent  # type: ignore[method-assign]
    with pytest.raises(errors.ServerSilent):
        anna.revising.replace(picture_id, anna.file(MINE, "mine.png"))
    anna.restart()
    (kept,) = anna.revising.kept()
    assert (kept.picture_id, kept.moved) == (picture_id, False)
    assert anna.revising.send_kept() == [picture_id]
    assert anna.revising.kept() == []
    assert opened(anna, picture_id) == MINE
    assert revision(anna, picture_id) == (1, 2)


def test_what_arrived_and_was_followed_is_no_conflict(anna: Friend, ben: Friend) -> None:
    picture_id = anna.add(png(), "one.png")
    anna.sharing.share([picture_id], anna.meet(ben), "write")
    ben.meet(anna)
    put = ben.api.put_revision

    def unheard(*args: Any, **more: Any) -> Any:
        put(*args, **more)
        anna.context.catalog.remove(picture_id)  # her list is older than what has just arrived
        anna.revising.replace(picture_id, anna.file(THEIRS, "theirs.png"))
        return put(*args, **more)

    ben.api.put_revision = unheard  # type: ignore[method-assign]
    ben.revising.replace(ben.theirs(anna, picture_id), ben.file(MINE, "mine.png"))
    assert ben.revising.kept() == []
    assert ben.content(anna, picture_id) == THEIRS


def test_who_has_an_older_version_before_them_overwrites_no_newer_one_unseen(anna: Friend, ben: Friend) -> None:
    picture_id = anna.add(png(), "one.png")
    anna.sharing.share([picture_id], anna.meet(ben), "write")
    ben.meet(anna)
    ben.revising.replace(ben.theirs(anna, picture_id), ben.file(THEIRS, "theirs.png"))
    with pytest.raises(errors.ConflictKept):
        anna.revising.replace(picture_id, anna.file(MINE, "mine.png"))
    assert opened(anna, picture_id) == THEIRS
    (kept,) = anna.revising.kept()
    assert (kept.picture_id, kept.moved) == (picture_id, True)
    assert opened(anna, anna.revising.resolve(picture_id, "both")) == MINE
    assert opened(anna, picture_id) == THEIRS


def test_what_cannot_be_taken_leaves_nothing(anna: Friend) -> None:
    picture_id = anna.add(png(), "one.png")
    with pytest.raises(errors.Unsupported):
        anna.revising.replace(picture_id, anna.file(b"no picture", "no.png"))
    assert anna.revising.kept() == []
    assert opened(anna, picture_id) == png()


def shared_for_writing(anna: Friend, ben: Friend) -> str:
    """Anna's picture as Ben's gallery has it, listed."""
    picture_id = anna.add(png(), "one.png")
    anna.sharing.share([picture_id], anna.meet(ben), "write")
    ben.meet(anna)
    (picture,) = ben.shared.list()
    assert picture.revision == fetch_own(anna.context, picture_id).row.header_hash
    assert (picture.epoch, picture.revision_number) == (1, 1)
    return picture_id


def test_a_writer_who_has_an_older_version_before_them_overwrites_no_newer_one_unseen(
    anna: Friend, ben: Friend
) -> None:
    picture_id = shared_for_writing(anna, ben)
    theirs = ben.theirs(anna, picture_id)
    anna.revising.replace(picture_id, anna.file(THEIRS, "theirs.png"))
    ben.sharing.find(anna.name)  # whatever else teaches Ben's program what is stored
    with pytest.raises(errors.ConflictKept):
        ben.revising.replace(theirs, ben.file(MINE, "mine.png"))
    assert opened(anna, picture_id) == THEIRS
    (kept,) = ben.revising.kept()
    assert (kept.picture_id, kept.moved) == (theirs, True)
    assert ben.revising.send_kept() == []
    ben.revising.resolve(theirs, "mine")
    assert opened(anna, picture_id) == MINE
    assert revision(anna, picture_id) == (1, 3)


def test_a_writer_conflicts_with_a_new_epoch_too(anna: Friend, ben: Friend, cleo: Friend) -> None:
    picture_id = shared_for_writing(anna, ben)
    theirs = ben.theirs(anna, picture_id)
    anna.sharing.share([picture_id], anna.meet(cleo), "read")
    anna.sharing.stop([picture_id], cleo.user_id, reseal=True)
    anna.revising.replace(picture_id, anna.file(THEIRS, "theirs.png"))
    with pytest.raises(errors.ConflictKept):
        ben.revising.replace(theirs, ben.file(MINE, "mine.png"))
    assert bytes(ben.revising.open_kept(theirs)) == MINE
    assert opened(ben, ben.revising.resolve(theirs, "both")) == MINE
    assert opened(anna, picture_id) == THEIRS


def test_a_writer_replaces_what_they_have_opened_and_what_they_stored(anna: Friend, ben: Friend) -> None:
    picture_id = shared_for_writing(anna, ben)
    theirs = ben.theirs(anna, picture_id)
    shared = ben.shared
    anna.revising.replace(picture_id, anna.file(THEIRS, "theirs.png"))
    seen = shared.open(theirs)
    assert (bytes(seen.data), seen.picture.name) == (THEIRS, "theirs.png")
    ben.revising.replace(theirs, ben.file(MINE, "mine.png"))
    ben.revising.replace(theirs, ben.file(png(seed=9), "again.png"))
    assert ben.revising.kept() == []
    assert opened(anna, picture_id) == png(seed=9)
    assert revision(anna, picture_id) == (1, 4)


def silent(*_: Any, **__: Any) -> Any:
    raise errors.ServerSilent


def test_a_version_whose_picture_is_gone_holds_up_no_other(anna: Friend, ben: Friend) -> None:
    deleted, stays = anna.add(png(), "one.png"), anna.add(png(seed=2), "two.png")
    put = anna.api.put_revision
    anna.api.put_revision = silent  # type: ignore[method-assign]
    for picture_id in (deleted, stays):
        with pytest.raises(errors.ServerSilent):
            anna.revising.replace(picture_id, anna.file(MINE, "mine.png"))
    anna.api.put_revision = put  # type: ignore[method-assign]
    anna.api.delete(anna.user_id, f"p-{deleted}")
    assert anna.revising.send_kept() == [stays]
    (kept,) = anna.revising.kept()
    assert (kept.picture_id, kept.moved) == (deleted, False)  # it may come back from the bin
    anna.memory.gone(anna.key.fingerprint, deleted)
    (kept,) = anna.revising.kept()
    assert (kept.picture_id, kept.moved) == (deleted, True)
    assert opened(anna, anna.revising.resolve(deleted, "both")) == MINE


def test_mine_is_stored_once_although_its_answer_was_lost(anna: Friend, ben: Friend, two_versions: str) -> None:
    theirs = ben.theirs(anna, two_versions)
    put = ben.api.put_revision

    def unheard(*args: Any, **more: Any) -> Any:
        put(*args, **more)
        raise errors.ServerSilent

    ben.api.put_revision = unheard  # type: ignore[method-assign]
    with pytest.raises(errors.ServerSilent):
        ben.revising.resolve(theirs, "mine")
    ben.api.put_revision = put  # type: ignore[method-assign]
    assert ben.revising.resolve(theirs, "mine") == theirs
    assert ben.revising.kept() == []
    assert opened(anna, two_versions) == MINE
    assert revision(anna, two_versions) == (1, 3)


def test_mine_is_not_done_by_what_somebody_else_says_of_their_file(
    anna: Friend, ben: Friend, two_versions: str
) -> None:
    """Hash and name of a file are its author's word; only one's own counts."""
    (kept,) = ben.revising.kept()
    anna.revising.replace(two_versions, anna.file(MINE, kept.name))
    ben.revising.resolve(ben.theirs(anna, two_versions), "mine")
    assert fetch_own(anna.context, two_versions).envelope.author == ben.key.fingerprint
    assert revision(anna, two_versions) == (1, 4)


def test_what_a_killed_program_left_incomplete_goes(anna: Friend, ben: Friend, two_versions: str) -> None:
    (kept,) = ben.revising.kept()
    folder = next((ben.folder / "revisions").glob("*/*"))
    half = [folder.with_name("ab" * 16), folder.parent.with_name("cd" * 32) / folder.name]  # also of nobody known here
    for one in half:
        one.mkdir(parents=True)
        (one / "carrier.png").write_bytes(b"half of it")
    assert [one.picture_id for one in ben.revising.kept()] == [kept.picture_id]
    assert half[0].exists()  # it may be under way
    ben.restart()
    assert [one.picture_id for one in ben.revising.kept()] == [kept.picture_id]
    assert not any(one.exists() for one in half)


def test_what_is_stored_from_here_while_somebody_looks_is_no_rollback(anna: Friend) -> None:
    picture_id = anna.add(png(), "one.png")
    present = anna.api.present

    def slow(*args: Any) -> Any:
        answer = present(*args)
        anna.api.present = present  # type: ignore[method-assign]
        anna.revising.replace(picture_id, anna.file(MINE, "mine.png"))
        return answer

    anna.api.present = slow  # type: ignore[method-assign]
    assert fetch_own(anna.context, picture_id).envelope.revision == 1
    assert revision(anna, picture_id) == (1, 2)
