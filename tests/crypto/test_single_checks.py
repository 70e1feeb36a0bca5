"""What one check alone refuses: everything else about these pictures is in order, and rightly signed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from desktop.crypto import canonical, key_file, records
from desktop.crypto.canonical import Object
from desktop.crypto.envelope import parse_grant
from desktop.crypto.grants import read_grant
from desktop.crypto.key_slots import LEAST_COST, SlotKind
from desktop.crypto.keys import PrivateKey, PublicKey
from desktop.crypto.order import accept
from desktop.crypto.records import make_gone, make_succession, read_gone, read_succession
from desktop.errors import Damaged, Forked, KeyFileDamaged, KeyRefused, NoGrant, NotAuthentic, TooLarge, WrongPicture
from tests.crypto import forge


def revised(first: forge.Made, author: PrivateKey, **changes: Any) -> forge.Made:
    """The next revision of a picture."""
    given: dict[str, Any] = {
        "picture_id": first.picture_id,
        "picture_key": first.picture_key,
        "deed_object": first.deed,
        "author": author,
        "revision": 2,
        "previous": first.hash,
    }
    return forge.picture(first.owner, **(given | changes))


def test_a_pinned_key_signs_for_nobody_else(owner: PrivateKey, friend: PrivateKey, stranger: PrivateKey) -> None:
    first = forge.picture(owner)
    grant = forge.grant(owner, friend.public, first.deed, first.picture_key)
    made = revised(first, friend, grant_object=grant, signer=stranger)
    for author in (stranger.public, lambda fingerprint: stranger.public):
        with pytest.raises(NotAuthentic):
            made.read(author=author)


@pytest.mark.parametrize("member", ["pic", "owner"])
def test_a_grant_that_names_something_else_beside_the_deed(owner: PrivateKey, friend: PrivateKey, member: str) -> None:
    def change(body: Object) -> None:
        body[member] = os.urandom(len(body[member]) // 2).hex()

    first = forge.picture(owner)
    grant = forge.grant(owner, friend.public, first.deed, first.picture_key, change=change)
    with pytest.raises(NoGrant):
        first.read().open(friend, parse_grant(canonical.encode(grant).decode()))


def test_a_key_that_opens_everything_and_is_not_the_one_committed_to(owner: PrivateKey, friend: PrivateKey) -> None:
    """Else two people could be shown two pictures in one."""
    key, other, picture_id = os.urandom(32), os.urandom(32), os.urandom(16).hex()
    deed = forge.deed(owner, key, picture_id, vault_holds=other)
    envelope = forge.picture(owner, picture_id=picture_id, picture_key=other, deed_object=deed).read()
    with pytest.raises(Damaged):
        envelope.open(owner)
    grant = forge.grant(owner, friend.public, deed, other)
    with pytest.raises(Damaged):
        envelope.open(friend, parse_grant(canonical.encode(grant).decode()))


def test_an_unknown_suite_in_what_is_no_deed(owner: PrivateKey) -> None:
    def change(body: Object) -> None:
        body |= {"t": "header", "suite": 2}

    picture_id = os.urandom(16).hex()
    deed = forge.deed(owner, os.urandom(32), picture_id, change=change)
    with pytest.raises(Damaged):
        forge.picture(owner, picture_id=picture_id, deed_object=deed).read()


def test_a_grant_that_is_given_is_the_one_that_is_checked(
    owner: PrivateKey, friend: PrivateKey, stranger: PrivateKey
) -> None:
    """Also where the header has a better one."""
    first = forge.picture(owner)
    good = forge.grant(owner, friend.public, first.deed, first.picture_key)
    bad = forge.grant(owner, friend.public, first.deed, first.picture_key, signer=stranger)
    second = revised(first, friend, grant_object=good).read()
    assert second.open(friend, parse_grant(canonical.encode(good).decode())).picture_key == first.picture_key
    with pytest.raises(NoGrant):
        second.open(friend, parse_grant(canonical.encode(bad).decode()))


def test_the_same_revision_once_more_that_follows_itself(owner: PrivateKey) -> None:
    first = forge.picture(owner)
    second = revised(first, owner)
    known = accept(accept(None, first.read()), second.read())
    with pytest.raises(Forked):
        accept(known, revised(first, owner, previous=second.hash).read())


def test_only_those_pictures_that_were_the_old_keys_follow_a_succession(
    owner: PrivateKey, friend: PrivateKey, stranger: PrivateKey
) -> None:
    first, link = forge.picture(stranger), make_succession(owner, friend, 7)
    known = accept(None, first.read())
    with pytest.raises(WrongPicture):
        accept(
            known,
            forge.picture(friend, picture_id=first.picture_id, epoch=2, previous=first.hash).read(),
            succession=link,
        )


def test_a_picture_that_followed_goes_on_as_any_other(owner: PrivateKey, friend: PrivateKey) -> None:
    first, link = forge.picture(owner), make_succession(owner, friend, 7)
    followed = forge.picture(friend, picture_id=first.picture_id, epoch=2, previous=first.hash)
    known = accept(accept(None, first.read()), followed.read(), succession=link)
    later = revised(followed, friend, epoch=2)
    assert accept(known, later.read(), succession=link).revision == 2


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("epoch", 0),
        ("epoch", 1 << 31),
        ("wrap", ""),
        ("wrap", canonical.encode_base64(bytes(1025))),
        ("vault", canonical.encode_base64(bytes(61))),
    ],
    ids=["epoch 0", "epoch 2^31", "no wrap", "long wrap", "long vault"],
)
def test_members_of_a_deed_are_in_their_bounds(owner: PrivateKey, member: str, value: object) -> None:
    picture_id = os.urandom(16).hex()
    deed = forge.deed(owner, os.urandom(32), picture_id, epoch=2, change=lambda body: body.update({member: value}))
    with pytest.raises(Damaged):
        forge.picture(owner, picture_id=picture_id, deed_object=deed, epoch=2, previous="ab" * 32).read()


@pytest.mark.parametrize("revision", [0, 1 << 31])
def test_the_revision_is_in_its_bounds(owner: PrivateKey, revision: int) -> None:
    first = forge.picture(owner)
    with pytest.raises(Damaged):
        revised(first, owner, change=lambda body: body.update(rev=revision)).read()


@pytest.mark.parametrize("wrap", [b"", bytes(1025)])
def test_members_of_a_grant_are_in_their_bounds(owner: PrivateKey, friend: PrivateKey, wrap: bytes) -> None:
    first = forge.picture(owner)
    change = lambda body: body.update(wrap=canonical.encode_base64(wrap))  # noqa: E731
    grant = forge.grant(owner, friend.public, first.deed, first.picture_key, change=change)
    with pytest.raises(Damaged):
        parse_grant(canonical.encode(grant).decode())


@pytest.mark.parametrize("other", [lambda wrap: b"\0" + wrap, lambda wrap: wrap + b"\0", lambda wrap: wrap[:-1]])
def test_a_wrap_is_as_long_as_the_modulus(
    owner: PrivateKey, friend: PrivateKey, other: Callable[[bytes], bytes]
) -> None:
    def change(body: Object) -> None:
        body["wrap"] = canonical.encode_base64(other(canonical.get_base64(body, "wrap")))

    first = forge.picture(owner)
    grant = forge.grant(owner, friend.public, first.deed, first.picture_key, change=change)
    with pytest.raises(Damaged):
        first.read().open(friend, parse_grant(canonical.encode(grant).decode()))
    deed = forge.deed(owner, first.picture_key, first.picture_id, change=change)
    made = forge.picture(owner, picture_id=first.picture_id, picture_key=first.picture_key, deed_object=deed)
    with pytest.raises(Damaged):
        made.open().check_wrap()


def test_a_grant_is_looked_at_for_its_owner_alone(owner: PrivateKey, friend: PrivateKey, stranger: PrivateKey) -> None:
    first = forge.picture(owner)
    forged = forge.grant(owner, friend.public, first.deed, first.picture_key, signer=stranger)
    with pytest.raises(NoGrant):
        read_grant(canonical.encode(forged).decode(), first.read(), stranger.public, friend.fingerprint)


AROUND = (
    {"sig": ""},
    {"sig": "A"},
    {"sig": canonical.encode_base64(bytes(1025))},
    {"more": "AAAA"},
)


@pytest.mark.parametrize("change", AROUND, ids=["empty", "no base64", "too long", "a member more"])
def test_what_stands_around_a_body_is_damaged(owner: PrivateKey, friend: PrivateKey, change: Object) -> None:
    """Named so before anything is said of signatures."""
    made, link = forge.picture(owner), json.loads(make_succession(owner, friend, 7).text)
    grant = forge.grant(owner, friend.public, made.deed, made.picture_key)
    gone = json.loads(make_gone(owner, made.picture_id, made.hash, 7).text)
    other_deed = forge.picture(owner, picture_id=made.picture_id, deed_object=made.deed | change)
    newer_deed = forge.deed(owner, made.picture_key, made.picture_id, change=lambda body: body.update(suite=2))
    newer = forge.picture(owner, picture_id=made.picture_id, deed_object=newer_deed | {"more": "AAAA"})
    second = change if "more" in change else {"sig2": change["sig"]}
    made.header |= change
    reads: list[Callable[[], object]] = [
        made.read,
        other_deed.read,
        newer.read,
        lambda: parse_grant(canonical.encode(grant | change).decode()),
        lambda: read_gone(canonical.encode(gone | change).decode(), owner=owner.public),
        lambda: read_succession(canonical.encode(link | change).decode(), old=owner.public, new=friend.public),
        lambda: read_succession(canonical.encode(link | second).decode(), old=owner.public, new=friend.public),
    ]
    for read in reads:
        with pytest.raises(Damaged):
            read()


def test_a_ledger_of_the_greatest_length(owner: PrivateKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_LEDGER", 50)
    assert records.open_ledger(owner, records.seal_ledger(owner, 1, bytes(50))) == (1, bytes(50))
    with pytest.raises(TooLarge):
        records.open_ledger(owner, bytes(8 + 12 + 50 + 16 + 1))


def test_a_signature_is_as_long_as_the_modulus(owner: PrivateKey) -> None:
    made = forge.picture(owner)
    signature = canonical.get_base64(made.header, "sig")
    for other in (b"\0" + signature, signature + b"\0", signature[:-1], bytes(len(signature))):
        made.header = {"body": made.header["body"], "sig": canonical.encode_base64(other)}
        with pytest.raises(NotAuthentic):
            made.read()


def test_a_public_key_in_a_long_text(owner: PrivateKey) -> None:
    pem = owner.public.pem
    assert PublicKey.from_pem(pem.ljust(4096)) == owner.public
    for text in (pem.ljust(4097), pem.replace("A", "Ä", 1), pem + "\ud800"):
        with pytest.raises(KeyRefused):
            PublicKey.from_pem(text)
    with pytest.raises(KeyRefused):
        PublicKey.from_spki(owner.public.spki + bytes(5000))
    assert owner.public not in ("a key", None)


def test_a_modulus_of_the_greatest_length() -> None:
    """No product of two primes, which nobody could tell."""
    n = (1 << 8192) - 1
    while True:
        n -= 2
        try:
            assert PublicKey(n).bits == 8192
        except KeyRefused:  # a small factor
            continue
        break
    with pytest.raises(KeyRefused, match="8193 bits"):
        PublicKey(2 * n + 1)


def test_private_keys_of_other_kinds() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    encoding, kind = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
    with pytest.raises(KeyRefused, match="RSA"):
        PrivateKey.from_pkcs8(other.private_bytes(encoding, kind, serialization.NoEncryption()))
    with pytest.raises(KeyRefused, match="RSA"):
        PrivateKey.from_cryptography(other)


@pytest.mark.parametrize(
    ("member", "size"), [("salt", 31), ("salt", 33), ("check", 31), ("check", 33), ("wrap", 59), ("wrap", 61)]
)
def test_members_of_a_slot_have_their_lengths(owner: PrivateKey, member: str, size: int) -> None:
    made = key_file.create(owner, "correct horse", _cost=LEAST_COST)
    document = json.loads(made)
    document["slots"][0][member] = canonical.encode_base64(bytes(size))
    with pytest.raises(KeyFileDamaged):  # before anybody is asked for a passphrase
        key_file.slot_kinds(canonical.encode(document))


@pytest.mark.parametrize("size", [0, 11, 12, 27])
def test_a_private_key_that_is_too_short_to_be_sealed(owner: PrivateKey, size: int) -> None:
    document = json.loads(key_file.create(owner, "correct horse", _cost=LEAST_COST))
    document["key"] = canonical.encode_base64(bytes(size))
    for read in (key_file.read_public, key_file.slot_kinds):  # before anybody is asked for a passphrase
        with pytest.raises(KeyFileDamaged):
            read(canonical.encode(document))


def test_the_greatest_costs_are_accepted(owner: PrivateKey) -> None:
    """None of them is paid here."""
    document = json.loads(key_file.create(owner, "correct horse", _cost=LEAST_COST))
    greatest = {"m": 1048576, "t": 10, "p": 8}
    for name, value in greatest.items():
        document["slots"][0] |= {name: value}
        assert key_file.slot_kinds(canonical.encode(document)) == (SlotKind.PASS,)
        with pytest.raises(TooLarge):
            key_file.slot_kinds(canonical.encode(document | {"slots": [document["slots"][0] | {name: value + 1}]}))


def test_the_longest_passphrase(owner: PrivateKey) -> None:
    assert key_file.create(owner, "x" * 4096, _cost=LEAST_COST)
    with pytest.raises(KeyRefused):
        key_file.create(owner, "x" * 4097, _cost=LEAST_COST)
