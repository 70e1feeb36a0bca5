"""Sharing, further revisions and new epochs, made by Glassine itself."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from desktop.crypto import canonical
from desktop.crypto.envelope import Envelope, parse_grant, read_envelope
from desktop.crypto.grants import grant_to, read_grant
from desktop.crypto.keys import PrivateKey
from desktop.crypto.objects import MAX_COUNTER, Grant
from desktop.crypto.opened import OpenedEnvelope
from desktop.crypto.order import accept
from desktop.crypto.plans import Plan, new_epoch, next_revision
from desktop.crypto.reseal import reseal
from desktop.crypto.sealed import Sealed, seal
from desktop.errors import Damaged, KeyRefused, NoGrant, NotAuthentic, TooLarge, Unsupported, WrongKey, WrongPicture
from tests.crypto import forge
from tests.crypto.forge import flipped

PLAIN = os.urandom(700)
NOW = 1_700_000_000


class Shelf:
    """Seals into a folder, and opens what it sealed."""

    def __init__(self, folder: Path, owner: PrivateKey) -> None:
        self.folder, self.owner = folder, owner
        self.count = 0

    def next_path(self) -> Path:
        self.count += 1
        return self.folder / f"{self.count}.png"

    def seal(self, key: PrivateKey, plain: bytes = PLAIN, plan: Plan | None = None) -> Sealed:
        return seal(
            plain,
            self.next_path(),
            key,
            name="sea.jpg",
            media_type="image/jpeg",
            width=3,
            height=2,
            taken="",
            thumbnail=forge.JPEG,
            plan=plan,
        )

    def reseal(self, current: OpenedEnvelope, carrier: bytes, key: PrivateKey, plan: Plan, **more: Any) -> Sealed:
        return reseal(current, io.BytesIO(carrier), self.next_path(), key, plan, thumbnail=forge.JPEG, **more)

    def read(self, made: Sealed, author: PrivateKey | None = None) -> Envelope:
        return read_envelope(
            made.envelope,
            owner=self.owner.public,
            picture_id=made.picture_id,
            author=author.public if author else None,
        )

    def content(self, made: Sealed, opened: OpenedEnvelope) -> bytes:
        assert opened.open_thumbnail(made.thumbnail) == forge.JPEG
        return bytes(opened.open_payload_to_memory(io.BytesIO(made.carrier.read_bytes())))


@pytest.fixture
def shelf(tmp_path: Path, owner: PrivateKey) -> Shelf:
    return Shelf(tmp_path, owner)


def granted(shelf: Shelf, made: Sealed, to: PrivateKey, role: Any = "read", author: PrivateKey | None = None) -> Grant:
    envelope = shelf.read(made, author)
    text = grant_to(envelope.open(shelf.owner), shelf.owner, to.public, role, NOW)
    return read_grant(text, envelope, shelf.owner.public, to.fingerprint)


def test_a_reader_opens_every_revision_of_the_epoch(shelf: Shelf, owner: PrivateKey, friend: PrivateKey) -> None:
    first = shelf.seal(owner)
    grant = granted(shelf, first, friend)
    assert (grant.role, grant.time, grant.to, grant.picture_id) == ("read", NOW, friend.fingerprint, first.picture_id)
    assert shelf.content(first, shelf.read(first).open(friend, grant)) == PLAIN
    second = shelf.seal(owner, b"edited", next_revision(shelf.read(first).open(owner), owner, owner=owner.public))
    envelope = shelf.read(second)
    assert (envelope.epoch, envelope.revision, envelope.previous) == (1, 2, first.header_hash)
    assert envelope.deed_hash == shelf.read(first).deed_hash
    assert shelf.content(second, envelope.open(friend, grant)) == b"edited"
    assert accept(accept(None, shelf.read(first)), envelope).revision == 2


def test_a_writer_stores_revisions_under_the_owners_deed(
    shelf: Shelf, owner: PrivateKey, friend: PrivateKey, stranger: PrivateKey
) -> None:
    first = shelf.seal(owner)
    grant = granted(shelf, first, friend, "write")
    as_friend = shelf.read(first).open(friend, grant)
    plan = next_revision(as_friend, friend, owner=owner.public, grant=grant)
    second = shelf.seal(friend, b"by the friend", plan)
    envelope = shelf.read(second, friend)
    assert (envelope.author, envelope.revision) == (friend.fingerprint, 2)
    assert envelope.header.deed.source == shelf.read(first).header.deed.source
    for key in (owner, friend):
        assert shelf.content(second, envelope.open(key)) == b"by the friend"
    # the owner goes on after the writer, and shares what the writer made
    third = shelf.seal(owner, b"again", next_revision(envelope.open(owner), owner, owner=owner.public))
    known = accept(accept(accept(None, shelf.read(first)), envelope), shelf.read(third))
    assert (known.revision, known.epoch) == (3, 1)
    reader = granted(shelf, second, stranger, author=friend)
    assert shelf.content(third, shelf.read(third).open(stranger, reader)) == b"again"


def test_each_attempt_has_its_own_salt(shelf: Shelf, owner: PrivateKey) -> None:
    first = shelf.seal(owner)
    plan = next_revision(shelf.read(first).open(owner), owner, owner=owner.public)
    salts = {shelf.read(shelf.seal(owner, PLAIN, plan)).header.salt for _ in range(3)}
    assert len(salts) == 3


def test_a_new_epoch_shuts_out_old_grants(shelf: Shelf, owner: PrivateKey, friend: PrivateKey) -> None:
    first = shelf.seal(owner)
    grant = granted(shelf, first, friend, "write")
    opened = shelf.read(first).open(owner)
    second = shelf.reseal(opened, first.carrier.read_bytes(), owner, new_epoch(opened, owner))
    envelope = shelf.read(second)
    assert (envelope.epoch, envelope.revision, envelope.previous) == (2, 1, first.header_hash)
    again = envelope.open(owner)
    assert shelf.content(second, again) == PLAIN
    assert again.metadata == opened.metadata
    assert again.picture_key != opened.picture_key
    with pytest.raises(NoGrant):
        envelope.open(friend, grant)
    with pytest.raises(NoGrant):
        next_revision(again, friend, owner=owner.public, grant=grant)
    with pytest.raises(NoGrant):
        read_grant(canonical.encode(grant.source).decode(), envelope, owner.public, friend.fingerprint)
    # those who stay get a new one
    assert shelf.content(second, envelope.open(friend, granted(shelf, second, friend))) == PLAIN
    assert accept(accept(None, shelf.read(first)), envelope).epoch == 2


def test_a_saved_picture_key_opens_no_later_epoch(shelf: Shelf, owner: PrivateKey) -> None:
    first = shelf.seal(owner)
    opened = shelf.read(first).open(owner)
    second = shelf.reseal(opened, first.carrier.read_bytes(), owner, new_epoch(opened, owner))
    later = shelf.read(second).open(owner)
    later._picture_key = opened.picture_key
    with pytest.raises(Damaged):
        later.open_thumbnail(second.thumbnail)


def test_renaming_seals_everything_anew(shelf: Shelf, owner: PrivateKey) -> None:
    first = shelf.seal(owner)
    opened = shelf.read(first).open(owner)
    plan = next_revision(opened, owner, owner=owner.public)
    second = shelf.reseal(opened, first.carrier.read_bytes(), owner, plan, name="../beach.jpg")
    renamed = shelf.read(second).open(owner)
    assert renamed.metadata == replace(opened.metadata, name="beach.jpg")
    assert renamed.header.salt != opened.header.salt
    assert shelf.content(second, renamed) == PLAIN


@pytest.mark.parametrize("size", [0, 1, 262_144, 262_145, 600_001])
def test_resealing_any_size(shelf: Shelf, owner: PrivateKey, size: int) -> None:
    plain = bytes(at * 7 % 251 for at in range(size))
    first = shelf.seal(owner, plain)
    opened = shelf.read(first).open(owner)
    seen: list[tuple[int, int]] = []
    second = shelf.reseal(
        opened,
        first.carrier.read_bytes(),
        owner,
        new_epoch(opened, owner),
        report=lambda done, total: seen.append((done, total)),
    )
    assert shelf.content(second, shelf.read(second).open(owner)) == plain
    assert seen[-1] == (size, size)


def test_a_carrier_that_is_not_the_old_one_is_never_signed_anew(shelf: Shelf, owner: PrivateKey) -> None:
    first, other = shelf.seal(owner), shelf.seal(owner)
    opened = shelf.read(first).open(owner)
    good = first.carrier.read_bytes()
    before = sorted(shelf.folder.iterdir())
    for bad in (flipped(good, 200), good[:-1], good + b"\0", other.carrier.read_bytes(), b""):
        with pytest.raises(Damaged):
            shelf.reseal(opened, bad, owner, new_epoch(opened, owner))
        assert sorted(shelf.folder.iterdir()) == before


def test_a_reader_with_the_real_key_cannot_have_its_chunks_signed_by_the_owner(
    shelf: Shelf, owner: PrivateKey, friend: PrivateKey
) -> None:
    made = forge.picture(owner, PLAIN)
    key, aad = made.key_and_aad("payload", made.payload_size)
    forged, _ = forge.seal_bytes(key, aad, b"forged by a reader".ljust(made.payload_size, b"\0"))
    opened = made.open()
    with pytest.raises(Damaged):
        shelf.reseal(opened, forge.carrier(forged, made.envelope), owner, new_epoch(opened, owner))
    assert list(shelf.folder.iterdir()) == []


def test_the_wrap_for_others_is_proved_before_resealing(shelf: Shelf, owner: PrivateKey) -> None:
    key, picture_id = os.urandom(32), os.urandom(16).hex()
    deed = forge.deed(owner, key, picture_id, wrap_holds=os.urandom(32))
    made = forge.picture(owner, PLAIN, picture_id=picture_id, picture_key=key, deed_object=deed)
    opened = made.open()
    with pytest.raises(Damaged):
        shelf.reseal(opened, made.carrier, owner, next_revision(opened, owner, owner=owner.public))


# -- who may not --------------------------------------------------------------------------------------------------


def test_only_the_owner_grants_and_starts_epochs(shelf: Shelf, owner: PrivateKey, friend: PrivateKey) -> None:
    first = shelf.seal(owner)
    opened = shelf.read(first).open(friend, granted(shelf, first, friend, "write"))
    with pytest.raises(WrongKey):
        grant_to(opened, friend, friend.public, "write", NOW)
    with pytest.raises(WrongKey):
        new_epoch(opened, friend)
    with pytest.raises(KeyRefused):
        grant_to(shelf.read(first).open(owner), owner, owner.public, "read", NOW)


def test_read_grant_used_to_write_and_others_grants(
    shelf: Shelf, owner: PrivateKey, friend: PrivateKey, stranger: PrivateKey
) -> None:
    first, other = shelf.seal(owner), shelf.seal(owner)
    read = granted(shelf, first, friend)
    opened = shelf.read(first).open(friend, read)
    write = granted(shelf, first, friend, "write")
    elsewhere = granted(shelf, other, friend, "write")
    edited = replace(read, role="write", source={"body": read.source["body"] | {"role": "write"}, "sig": "AAAA"})
    for grant in (None, read, elsewhere, edited):
        with pytest.raises(NoGrant):
            next_revision(opened, friend, owner=owner.public, grant=grant)
    with pytest.raises(NoGrant):
        next_revision(opened, stranger, owner=owner.public, grant=write)
    with pytest.raises(NoGrant):
        next_revision(opened, friend, owner=stranger.public, grant=write)
    plan = next_revision(opened, friend, owner=owner.public, grant=write)
    for thief in (owner, stranger):
        with pytest.raises(NoGrant):
            shelf.seal(thief, b"x", plan)


def test_a_grant_is_verified_before_it_is_unwrapped(
    shelf: Shelf, owner: PrivateKey, friend: PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = shelf.seal(owner)
    grant = granted(shelf, first, friend)
    unwrapped: list[bytes] = []
    real = PrivateKey.unwrap
    monkeypatch.setattr(PrivateKey, "unwrap", lambda *given: unwrapped.append(given[1]) or real(*given))
    text = canonical.encode(grant.source)
    envelope = shelf.read(first)
    refused = 0
    for at in range(len(text)):
        with pytest.raises((Damaged, NoGrant)):
            envelope.open(friend, read_grant(flipped(text, at).decode("latin-1"), envelope, owner.public, grant.to))
        refused += 1
    assert (refused, unwrapped) == (len(text), [])
    envelope.open(friend, grant)
    assert len(unwrapped) == 1


def test_a_grant_is_the_owners_for_that_person(
    shelf: Shelf, owner: PrivateKey, friend: PrivateKey, stranger: PrivateKey
) -> None:
    first, other = shelf.seal(owner), shelf.seal(owner)
    text = canonical.encode(granted(shelf, first, friend).source).decode()
    envelope = shelf.read(first)
    for arguments in (
        (envelope, owner.public, stranger.fingerprint),
        (envelope, stranger.public, friend.fingerprint),
        (shelf.read(other), owner.public, friend.fingerprint),
    ):
        with pytest.raises(NoGrant):
            read_grant(text, *arguments)
    assert read_grant(text, envelope.header.deed, owner.public, friend.fingerprint).role == "read"
    for nonsense in ("", "{}", text[:-1], first.envelope):
        with pytest.raises(Damaged):
            read_grant(nonsense, envelope, owner.public, friend.fingerprint)


def test_grants_signed_without_salt_or_as_something_else(shelf: Shelf, owner: PrivateKey, friend: PrivateKey) -> None:
    first = shelf.seal(owner)
    envelope = shelf.read(first)
    body = granted(shelf, first, friend).source["body"]
    message = b"glassine/1 sig grant\0" + canonical.encode(body)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 0)
    signatures = [owner.to_cryptography().sign(message, pss, hashes.SHA256())]
    for label in (b"sig deed", b"sig header", b"sig gone", b"id grant"):
        signatures.append(owner.sign(b"glassine/1 " + label + b"\0" + canonical.encode(body)))
    for signature in signatures:
        text = canonical.encode({"body": body, "sig": canonical.encode_base64(signature)}).decode()
        with pytest.raises(NoGrant):
            read_grant(text, envelope, owner.public, friend.fingerprint)
    right = canonical.encode({"body": body, "sig": canonical.encode_base64(owner.sign(message))}).decode()
    assert read_grant(right, envelope, owner.public, friend.fingerprint).role == "read"


def test_counters_end(owner: PrivateKey) -> None:
    last = forge.picture(owner, revision=MAX_COUNTER, previous="ab" * 32).open()
    with pytest.raises(Unsupported):
        next_revision(last, owner, owner=owner.public)
    assert new_epoch(last, owner).epoch == 2
    with pytest.raises(Unsupported):
        new_epoch(forge.picture(owner, epoch=MAX_COUNTER, previous="ab" * 32).open(), owner)


def test_a_picture_goes_on_under_the_next_key(shelf: Shelf, owner: PrivateKey, friend: PrivateKey) -> None:
    first = shelf.seal(owner)
    opened = shelf.read(first).open(owner)
    plan = new_epoch(opened, friend, successor=True)
    second = shelf.reseal(opened, first.carrier.read_bytes(), friend, plan)
    envelope = read_envelope(second.envelope, owner=friend.public, picture_id=first.picture_id)
    assert (envelope.epoch, envelope.revision, envelope.previous) == (2, 1, first.header_hash)
    assert shelf.content(second, envelope.open(friend)) == PLAIN
    with pytest.raises(WrongKey):
        envelope.open(owner)
    with pytest.raises(WrongPicture):
        shelf.read(second)


def test_content_that_is_not_a_file(shelf: Shelf, owner: PrivateKey) -> None:
    made = shelf.seal(owner, bytearray(b"from memory"))  # type: ignore[arg-type]
    assert shelf.content(made, shelf.read(made).open(owner)) == b"from memory"
    opened = shelf.read(made).open(owner)
    with pytest.raises(TooLarge):
        reseal(opened, io.BytesIO(), shelf.next_path(), owner, new_epoch(opened, owner), thumbnail=b"\xff" * 262_145)


# -- envelopes seen before ----------------------------------------------------------------------------------------


@pytest.fixture
def verified_calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    calls: list[int] = []
    from desktop.crypto.keys import PublicKey

    real: Callable[..., None] = PublicKey.verify
    monkeypatch.setattr(PublicKey, "verify", lambda *given: calls.append(1) or real(*given))
    return calls


def test_the_same_text_is_not_verified_twice_and_any_other_is(
    owner: PrivateKey, friend: PrivateKey, verified_calls: list[int]
) -> None:
    from desktop.crypto.envelope import text_hash

    first = forge.picture(owner)
    write = forge.grant(owner, friend.public, first.deed, first.picture_key)
    second = forge.picture(
        owner,
        picture_id=first.picture_id,
        picture_key=first.picture_key,
        deed_object=first.deed,
        author=friend,
        grant_object=write,
        revision=2,
        previous=first.hash,
    )
    for made in (first, second):
        known = text_hash(made.envelope)
        made.read()
        assert verified_calls
        verified_calls.clear()
        assert made.read(verified=known).header_hash == made.hash
        assert verified_calls == []
        unsigned = made.header | {"sig": canonical.encode_base64(bytes(256))}
        made.header = unsigned
        with pytest.raises(NotAuthentic):
            made.read(verified=known)
        # what the keys have nothing to do with is checked as always
        with pytest.raises(WrongPicture):
            read_envelope(made.envelope, owner=friend.public, verified=text_hash(made.envelope))
        with pytest.raises(WrongPicture):
            made.read(picture_id="ff" * 16, verified=text_hash(made.envelope))
        verified_calls.clear()
    assert parse_grant(canonical.encode(write).decode()).role == "write"
