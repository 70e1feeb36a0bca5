"""Envelopes: what is accepted, and the named error for everything else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from desktop.crypto import canonical
from desktop.crypto.canonical import Object, encode_base64
from desktop.crypto.envelope import parse_grant, read_envelope
from desktop.crypto.keys import PrivateKey
from desktop.crypto.metadata import Metadata
from desktop.crypto.objects import sign_object
from desktop.errors import Damaged, GlassineError, NoGrant, NotAuthentic, Unsupported, WrongKey, WrongPicture
from tests.crypto import forge
from tests.crypto.forge import Made, flipped


def test_an_envelope_opens(owner: PrivateKey) -> None:
    made = forge.picture(owner, b"plain", name="sea.jpg")
    envelope = made.read()
    assert (envelope.picture_id, envelope.epoch, envelope.revision) == (made.picture_id, 1, 1)
    assert envelope.author == owner.fingerprint
    assert envelope.header_hash == made.hash
    assert envelope.previous == "0" * 64
    assert envelope.carrier_size == len(made.carrier)
    opened = envelope.open(owner)
    assert opened.metadata.name == "sea.jpg"
    assert opened.open_thumbnail(made.thumbnail) == forge.JPEG


def test_flip_each_byte_of_the_header(owner: PrivateKey) -> None:
    made = forge.picture(owner)
    text = made.envelope.encode()
    outcomes = set()
    for at in range(len(text)):
        for mask in (0x01, 0x20, 0x80):
            with pytest.raises((Damaged, NotAuthentic)) as caught:
                read_envelope(
                    flipped(text, at, mask).decode("latin-1"), owner=owner.public, picture_id=made.picture_id
                ).open(owner)
            outcomes.add(caught.type)
    assert {Damaged, NotAuthentic, WrongPicture} <= outcomes


def test_truncated_or_longer_envelopes(owner: PrivateKey) -> None:
    made = forge.picture(owner)
    text = made.envelope
    for other in (text[:-1], text[1:], text + "}", text + " ", "", text[: len(text) // 2], text * 2):
        with pytest.raises(Damaged):
            read_envelope(other, owner=owner.public)


@pytest.mark.parametrize(
    "reserialise",
    [
        json.dumps,
        lambda value: json.dumps(value, indent=1),
        lambda value: json.dumps(value, separators=(",", ":")),
        lambda value: json.dumps(dict(reversed(value.items())), separators=(",", ":")),
        lambda value: canonical.encode(value).decode().replace("deed", "\\u0064eed", 1),
    ],
)
def test_reserialise(owner: PrivateKey, reserialise: Callable[[Object], str]) -> None:
    made = forge.picture(owner)
    text = reserialise(made.header)
    if text == made.envelope:
        text = text.replace(":", ": ", 1)
    with pytest.raises(Damaged):
        read_envelope(text, owner=owner.public)


def set_member(path: str, value: object) -> forge.Change:
    """A change of one member of a body, by its dotted path; None deletes it."""

    def change(body: Object) -> None:
        *parents, last = path.split(".")
        for parent in parents:
            body = body[parent]
        if value is None:
            del body[last]
        else:
            body[last] = value

    return change


DAMAGED_FIELDS: dict[str, tuple[str, object]] = {
    "extra_key": ("more", 1),
    "extra key in payload": ("payload.more", 1),
    "no salt": ("salt", None),
    "no thumb": ("thumb", None),
    "another type": ("t", "deed"),
    "salt in capitals": ("salt", "AB" * 32),
    "salt too short": ("salt", "ab" * 16),
    "hash too long": ("payload.b3", "ab" * 33),
    "revision 0": ("rev", 0),
    "revision 2^31": ("rev", 1 << 31),
    "revision as text": ("rev", "1"),
    "revision true": ("rev", True),
    "payload of 0": ("payload.size", 0),
    "payload too large": ("payload.size", 750_000_001),
    "thumb too large": ("thumb.size", 262_145),
    "meta no base64": ("meta", "AAA"),
    "meta empty": ("meta", ""),
    "meta too long": ("meta", encode_base64(bytes(4096 + 17))),
    "predecessor at the first": ("prev", "ab" * 32),
    "author no fingerprint": ("author", "owner"),
    "grant for nothing": ("grant", {"body": {}, "sig": "AAAA"}),
    "deed missing": ("deed", None),
    "deed is text": ("deed", "deed"),
    "deed empty": ("deed", {}),
}


@pytest.mark.parametrize(("path", "value"), DAMAGED_FIELDS.values(), ids=DAMAGED_FIELDS.keys())
def test_signed_nonsense_is_damaged(owner: PrivateKey, path: str, value: object) -> None:
    made = forge.picture(owner, change=set_member(path, value))
    with pytest.raises(Damaged):
        made.read()


def test_a_later_header_needs_a_predecessor(owner: PrivateKey) -> None:
    for epoch, revision in ((1, 2), (2, 1)):
        with pytest.raises(Damaged):
            forge.picture(owner, epoch=epoch, revision=revision, previous="0" * 64).read()
        assert forge.picture(owner, epoch=epoch, revision=revision).read().revision == revision


DAMAGED_DEEDS: dict[str, tuple[str, object]] = {
    "extra_key": ("more", 1),
    "no kc": ("kc", None),
    "picture id too short": ("pic", "ab" * 15),
    "epoch 0": ("epoch", 0),
    "epoch 2^31": ("epoch", 1 << 31),
    "vault too short": ("vault", encode_base64(bytes(59))),
    "wrap no base64": ("wrap", "="),
    "suite as text": ("suite", "1"),
    "no suite": ("suite", None),
    "another type": ("t", "grant"),
}


@pytest.mark.parametrize(("path", "value"), DAMAGED_DEEDS.values(), ids=DAMAGED_DEEDS.keys())
def test_signed_nonsense_in_a_deed_is_damaged(owner: PrivateKey, path: str, value: object) -> None:
    picture_key, picture_id = os.urandom(32), os.urandom(16).hex()
    deed = forge.deed(owner, picture_key, picture_id, change=set_member(path, value))
    made = forge.picture(owner, picture_id=picture_id, picture_key=picture_key, deed_object=deed)
    with pytest.raises(Damaged):
        made.read()


def test_swap_rows(owner: PrivateKey, friend: PrivateKey) -> None:
    a, b = forge.picture(owner), forge.picture(owner)
    with pytest.raises(WrongPicture):
        b.read(picture_id=a.picture_id)
    same_id = forge.picture(friend, picture_id=a.picture_id)
    with pytest.raises(WrongPicture):
        same_id.read(owner=owner.public)


def test_swap_thumbs(owner: PrivateKey) -> None:
    a, b = forge.picture(owner), forge.picture(owner)
    with pytest.raises(Damaged):
        a.open().open_thumbnail(b.thumbnail)


def test_flip_each_byte_of_the_thumbnail(owner: PrivateKey) -> None:
    made = forge.picture(owner)
    opened = made.open()
    for at in range(len(made.thumbnail)):
        with pytest.raises(Damaged):
            opened.open_thumbnail(flipped(made.thumbnail, at))
    for other in (b"", made.thumbnail[:-1], made.thumbnail + b"\0", made.thumbnail * 2):
        with pytest.raises(Damaged):
            opened.open_thumbnail(other)
    assert opened.open_thumbnail(made.thumbnail) == forge.JPEG


@pytest.mark.parametrize("thumbnail", [b"", b"\xff\xd8" + b"x" * 4094, b"\xff\xd8" + b"x" * 4095, b"\xff" * 262_144])
def test_thumbnails_of_every_size(owner: PrivateKey, thumbnail: bytes) -> None:
    made = forge.picture(owner, thumbnail=thumbnail)
    assert made.open().open_thumbnail(made.thumbnail) == thumbnail
    assert (len(made.thumbnail) - 16) % 4096 == 0


def test_a_thumbnail_padded_more_than_needed_is_damaged(owner: PrivateKey) -> None:
    def change(body: Object) -> None:
        body["thumb"]["size"] = 8192

    made = forge.picture(owner, change=change)
    # sealed again under the very keys of the header, as its author could
    key, aad = made.key_and_aad("thumb", 8192)
    data, b3 = forge.seal_bytes(key, aad, forge.JPEG.ljust(8192, b"\0"))
    made.header["body"]["thumb"]["b3"] = b3
    made.header = sign_object(owner, made.header["body"])
    with pytest.raises(Damaged):
        made.open().open_thumbnail(data)


@pytest.mark.parametrize("size", [1, 4095, 5000])
def test_a_thumbnail_of_odd_length_is_damaged(owner: PrivateKey, size: int) -> None:
    made = forge.picture(owner, change=set_member("thumb.size", size))
    envelope = made.read()
    with pytest.raises(Damaged):
        envelope.open(owner)


def test_another_key_is_a_wrong_key(owner: PrivateKey, stranger: PrivateKey) -> None:
    with pytest.raises(WrongKey):
        forge.picture(owner).read().open(stranger)


# -- signatures ---------------------------------------------------------------------------------------------------


def test_pss_salt0_in_a_header_and_a_deed(owner: PrivateKey) -> None:
    def signed_without_salt(value: Object) -> Object:
        message = f"glassine/1 sig {value['body']['t']}\0".encode() + canonical.encode(value["body"])
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 0)
        return value | {"sig": encode_base64(owner.to_cryptography().sign(message, pss, hashes.SHA256()))}

    made = forge.picture(owner)
    made.header = signed_without_salt(made.header)
    with pytest.raises(NotAuthentic):
        made.read()
    made = forge.picture(owner, picture_id=made.picture_id, deed_object=signed_without_salt(made.deed))
    with pytest.raises(NotAuthentic):
        made.read()


def test_a_signature_of_another_type(owner: PrivateKey) -> None:
    made = forge.picture(owner)
    for label in ("sig deed", "sig grant", "sig gone", "id header"):
        message = f"glassine/1 {label}\0".encode() + canonical.encode(made.header["body"])
        made.header = {"body": made.header["body"], "sig": encode_base64(owner.sign(message))}
        with pytest.raises(NotAuthentic):
            made.read()


def test_signed_by_somebody_else(owner: PrivateKey, stranger: PrivateKey) -> None:
    with pytest.raises(NotAuthentic):
        forge.picture(owner, signer=stranger).read()


def test_a_deed_is_no_header(owner: PrivateKey) -> None:
    made = forge.picture(owner)
    with pytest.raises(Damaged):
        read_envelope(canonical.encode(made.deed).decode(), owner=owner.public)


def test_an_unknown_suite_is_unsupported_only_when_the_owner_signed_it(owner: PrivateKey, stranger: PrivateKey) -> None:
    picture_key, picture_id = os.urandom(32), os.urandom(16).hex()

    def newer(body: Object) -> None:
        body["suite"] = 2
        body["lattice"] = "AAAA"

    for signer, error in ((owner, Unsupported), (stranger, NotAuthentic)):
        deed = forge.deed(owner, picture_key, picture_id, change=newer, signer=signer)
        with pytest.raises(error) as caught:
            forge.picture(owner, picture_id=picture_id, deed_object=deed).read()
        assert caught.type is error
    deed = forge.deed(stranger, picture_key, picture_id, change=newer)
    with pytest.raises(WrongPicture):
        forge.picture(owner, picture_id=picture_id, deed_object=deed).read()


# -- what people with a grant could try ---------------------------------------------------------------------------


def shared(owner: PrivateKey, friend: PrivateKey, role: str = "write", **changes: object) -> tuple[Made, Object]:
    """The owner's picture and a grant for the friend."""
    first = forge.picture(owner)
    return first, forge.grant(owner, friend.public, first.deed, first.picture_key, role=role, **changes)


def revised(first: Made, friend: PrivateKey, **changes: object) -> Made:
    """The friend's next revision of it."""
    arguments: dict[str, object] = {
        "picture_id": first.picture_id,
        "picture_key": first.picture_key,
        "deed_object": first.deed,
        "author": friend,
        "revision": 2,
        "previous": first.hash,
    }
    return forge.picture(first.owner, **(arguments | changes))  # type: ignore[arg-type]


def test_a_writer_stores_a_revision(owner: PrivateKey, friend: PrivateKey, stranger: PrivateKey) -> None:
    first, grant = shared(owner, friend)
    second = revised(first, friend, grant_object=grant)
    envelope = second.read()
    assert envelope.author == friend.fingerprint
    for key in (owner, friend):
        assert envelope.open(key).open_thumbnail(second.thumbnail) == forge.JPEG
    with pytest.raises(WrongKey):
        envelope.open(stranger)


def test_a_writer_whose_key_is_not_pinned_is_not_believed(
    owner: PrivateKey, friend: PrivateKey, stranger: PrivateKey
) -> None:
    first, grant = shared(owner, friend)
    second = revised(first, friend, grant_object=grant)
    for author in (None, stranger.public):
        with pytest.raises(NotAuthentic):
            second.read(author=author)


def test_a_reader_opens_with_a_grant(owner: PrivateKey, friend: PrivateKey, stranger: PrivateKey) -> None:
    first, grant = shared(owner, friend, "read")
    parsed = parse_grant(canonical.encode(grant).decode())
    assert first.read().open(friend, parsed).open_thumbnail(first.thumbnail) == forge.JPEG
    with pytest.raises(WrongKey):
        first.read().open(friend)
    with pytest.raises(NoGrant):
        first.read().open(stranger, parsed)


def test_reader_signs_header(owner: PrivateKey, friend: PrivateKey) -> None:
    first, grant = shared(owner, friend, "read")
    for attempt in (None, grant):
        with pytest.raises(NoGrant):
            revised(first, friend, grant_object=attempt).read()


def test_read_grant_used_to_write(owner: PrivateKey, friend: PrivateKey) -> None:
    first, grant = shared(owner, friend, "read")
    with pytest.raises(NoGrant):
        revised(first, friend, grant_object=grant).read()


def test_grant_of_other_picture(owner: PrivateKey, friend: PrivateKey) -> None:
    first, _ = shared(owner, friend)
    _, other = shared(owner, friend)
    with pytest.raises(NoGrant):
        revised(first, friend, grant_object=other).read()


def test_grant_of_old_deed_and_writer_after_revoke(owner: PrivateKey, friend: PrivateKey) -> None:
    first, grant = shared(owner, friend)
    key = os.urandom(32)
    deed = forge.deed(owner, key, first.picture_id, epoch=2)
    again = forge.picture(
        owner, picture_id=first.picture_id, picture_key=key, deed_object=deed, epoch=2, previous=first.hash
    )
    assert again.read().epoch == 2
    late = revised(again, friend, epoch=2, revision=2, grant_object=grant)
    with pytest.raises(NoGrant):
        late.read()


def test_regrant_to_other_fp(owner: PrivateKey, friend: PrivateKey, stranger: PrivateKey) -> None:
    first, grant = shared(owner, friend)
    with pytest.raises(NoGrant):
        revised(first, stranger, grant_object=grant).read()
    edited = {"body": grant["body"] | {"to": stranger.fingerprint}, "sig": grant["sig"]}
    with pytest.raises(NoGrant):
        revised(first, stranger, grant_object=edited).read()
    own = forge.grant(owner, stranger.public, first.deed, first.picture_key, signer=friend)
    with pytest.raises(NoGrant):
        revised(first, stranger, grant_object=own).read()


def test_role_edited(owner: PrivateKey, friend: PrivateKey) -> None:
    first, grant = shared(owner, friend, "read")
    edited = {"body": grant["body"] | {"role": "write"}, "sig": grant["sig"]}
    with pytest.raises(NoGrant):
        revised(first, friend, grant_object=edited).read()
    with pytest.raises(Damaged):
        parse_grant(canonical.encode({"body": grant["body"] | {"role": "admin"}, "sig": grant["sig"]}).decode())


def test_flip_each_byte_of_the_grant(owner: PrivateKey, friend: PrivateKey) -> None:
    first, grant = shared(owner, friend)
    text = canonical.encode(grant)
    envelope = first.read()
    for at in range(len(text)):
        with pytest.raises((Damaged, NoGrant)):
            envelope.open(friend, parse_grant(flipped(text, at).decode("latin-1")))


def test_flip_bytes_of_the_grant_in_a_header(owner: PrivateKey, friend: PrivateKey) -> None:
    first, grant = shared(owner, friend)
    for name, value in grant["body"].items():
        other = value + 1 if isinstance(value, int) else flipped(value.encode(), 0).decode()
        edited = {"body": grant["body"] | {name: other}, "sig": grant["sig"]}
        with pytest.raises((Damaged, NoGrant)):
            revised(first, friend, grant_object=edited).read()


def test_flip_each_byte_of_the_deed_in_a_header_that_a_writer_signs(owner: PrivateKey, friend: PrivateKey) -> None:
    first, grant = shared(owner, friend)
    text = canonical.encode(first.deed)
    tried = 0
    for at in range(0, len(text)):
        try:
            deed = canonical.parse(flipped(text, at).decode("latin-1"))
        except Damaged:
            continue
        tried += 1
        with pytest.raises((Damaged, NotAuthentic)):
            revised(first, friend, grant_object=grant, deed_object=deed).read()
    assert tried > 500


@pytest.mark.parametrize("member", ["wrap", "vault"])
def test_writer_new_wraps(owner: PrivateKey, friend: PrivateKey, member: str) -> None:
    first, grant = shared(owner, friend)
    fresh = forge.deed(owner, first.picture_key, first.picture_id)["body"][member]
    deed = {"body": first.deed["body"] | {member: fresh}, "sig": first.deed["sig"]}
    with pytest.raises(NotAuthentic):
        revised(first, friend, grant_object=grant, deed_object=deed).read()


def test_writer_new_epoch(owner: PrivateKey, friend: PrivateKey) -> None:
    first, grant = shared(owner, friend)
    edited = {"body": first.deed["body"] | {"epoch": 2}, "sig": first.deed["sig"]}
    with pytest.raises(NotAuthentic):
        revised(first, friend, grant_object=grant, deed_object=edited, epoch=2, revision=1).read()
    signed = forge.deed(owner, first.picture_key, first.picture_id, epoch=2, signer=friend)
    with pytest.raises(NotAuthentic):
        revised(first, friend, grant_object=grant, deed_object=signed, epoch=2, revision=1).read()


def test_a_writer_cannot_make_the_first_revision_of_an_epoch(owner: PrivateKey, friend: PrivateKey) -> None:
    key, picture_id = os.urandom(32), os.urandom(16).hex()
    deed = forge.deed(owner, key, picture_id, epoch=2)
    grant = forge.grant(owner, friend.public, deed, key)
    made = forge.picture(
        owner,
        picture_id=picture_id,
        picture_key=key,
        deed_object=deed,
        epoch=2,
        author=friend,
        grant_object=grant,
        revision=1,
        previous="ab" * 32,
    )
    with pytest.raises(NotAuthentic):
        made.read()


def test_writer_lower_suite(owner: PrivateKey, friend: PrivateKey) -> None:
    first, grant = shared(owner, friend)
    for suite in (0, 2):
        deed = {"body": first.deed["body"] | {"suite": suite}, "sig": first.deed["sig"]}
        with pytest.raises(NotAuthentic):
            revised(first, friend, grant_object=grant, deed_object=deed).read()


def test_writer_own_deed(owner: PrivateKey, friend: PrivateKey) -> None:
    first, grant = shared(owner, friend)
    signed_by_writer = forge.deed(owner, first.picture_key, first.picture_id, signer=friend)
    with pytest.raises(NotAuthentic):
        revised(first, friend, grant_object=grant, deed_object=signed_by_writer).read()
    owned_by_writer = forge.deed(friend, first.picture_key, first.picture_id)
    with pytest.raises(NotAuthentic):
        revised(first, friend, grant_object=grant, deed_object=owned_by_writer).read()


def test_the_owner_has_no_grant(owner: PrivateKey) -> None:
    first = forge.picture(owner)
    grant = forge.grant(owner, owner.public, first.deed, first.picture_key)
    with pytest.raises(Damaged):
        revised(first, owner, grant_object=grant).read()


# -- keys that do not fit -----------------------------------------------------------------------------------------


def test_wrong_key_in_grant(owner: PrivateKey, friend: PrivateKey) -> None:
    first = forge.picture(owner)
    grant = forge.grant(owner, friend.public, first.deed, os.urandom(32))
    with pytest.raises(Damaged):
        first.read().open(friend, parse_grant(canonical.encode(grant).decode()))


def test_a_grant_that_does_not_open_and_one_of_31_bytes(owner: PrivateKey, friend: PrivateKey) -> None:
    first = forge.picture(owner)
    for secret in (first.picture_key[:31], first.picture_key + b"\0"):
        grant = forge.grant(owner, friend.public, first.deed, secret)
        with pytest.raises(Damaged):
            first.read().open(friend, parse_grant(canonical.encode(grant).decode()))
    other_label = forge.grant(owner, friend.public, forge.picture(owner).deed, first.picture_key)["body"]["wrap"]
    grant = forge.grant(owner, friend.public, first.deed, first.picture_key, change=set_member("wrap", other_label))
    with pytest.raises(Damaged):
        first.read().open(friend, parse_grant(canonical.encode(grant).decode()))


def test_vault_wrap_with_another_key(owner: PrivateKey) -> None:
    key, picture_id = os.urandom(32), os.urandom(16).hex()
    deed = forge.deed(owner, key, picture_id, vault_holds=os.urandom(32))
    with pytest.raises(Damaged):
        forge.picture(owner, picture_id=picture_id, picture_key=key, deed_object=deed).open()


def test_vault_wrap_of_another_picture(owner: PrivateKey) -> None:
    other = forge.picture(owner)
    key, picture_id = other.picture_key, os.urandom(16).hex()
    vault = other.deed["body"]["vault"]
    deed = forge.deed(owner, key, picture_id, change=set_member("vault", vault))
    with pytest.raises(Damaged):
        forge.picture(owner, picture_id=picture_id, picture_key=key, deed_object=deed).open()


# -- metadata -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "meta",
    [
        lambda metadata: b" " * 256,
        lambda metadata: replace(metadata, size=1000).encode(),
        lambda metadata: metadata.encode() + b" " * 256,
        lambda metadata: metadata.encode().replace(b"image/jpeg", b"image/JPEG"),
    ],
    ids=["nothing", "another size", "more padding", "odd type"],
)
def test_metadata_that_does_not_fit_is_damaged(owner: PrivateKey, meta: Callable[[Metadata], bytes]) -> None:
    made = forge.picture(owner, meta=meta)
    envelope = made.read()
    with pytest.raises(Damaged):
        envelope.open(owner)


def test_a_hostile_name_is_made_safe(owner: PrivateKey) -> None:
    def meta(metadata: Metadata) -> bytes:
        return canonical.encode(metadata.__dict__ | {"name": "../\u202egpj.exe"}).ljust(256)

    assert forge.picture(owner, meta=meta).open().metadata.name == "gpj.exe"


def test_every_error_has_words_for_people(owner: PrivateKey) -> None:
    with pytest.raises(GlassineError) as caught:
        read_envelope("no envelope", owner=owner.public)
    assert caught.value.title
    assert caught.value.message.endswith(".")
