"""Gone, succession, ledger."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from desktop.crypto import canonical, records
from desktop.crypto.canonical import Object, encode_base64
from desktop.crypto.keys import PrivateKey
from desktop.crypto.objects import sign_object
from desktop.crypto.order import Known, accept
from desktop.crypto.records import make_gone, make_succession, open_ledger, read_gone, read_succession, seal_ledger
from desktop.errors import (
    Damaged,
    HistoryMissing,
    KeyRefused,
    NotAuthentic,
    RolledBack,
    TooLarge,
    WrongPicture,
)
from tests.crypto import forge
from tests.crypto.forge import flipped

PIC, PREV = "ab" * 16, "cd" * 32


def text(value: Object) -> str:
    return canonical.encode(value).decode()


def gone_body(owner: PrivateKey) -> Object:
    return {"t": "gone", "pic": PIC, "owner": owner.fingerprint, "prev": PREV, "time": 5}


def test_gone_makes_a_round_trip(owner: PrivateKey) -> None:
    gone = make_gone(owner, PIC, PREV, 1_700_000_000)
    assert read_gone(gone.text, owner=owner.public, picture_id=PIC) == gone
    assert read_gone(gone.text, owner=owner.public) == gone
    assert (gone.picture_id, gone.owner, gone.previous, gone.time) == (PIC, owner.fingerprint, PREV, 1_700_000_000)


def test_gone_is_about_one_picture_of_one_owner(owner: PrivateKey, friend: PrivateKey) -> None:
    gone = make_gone(owner, PIC, PREV, 5).text
    with pytest.raises(WrongPicture):
        read_gone(gone, owner=owner.public, picture_id="00" * 16)
    with pytest.raises(WrongPicture):
        read_gone(gone, owner=friend.public)


def test_gone_signed_by_another_or_as_something_else(owner: PrivateKey, friend: PrivateKey) -> None:
    body = gone_body(owner)
    forged = [sign_object(friend, body)]
    for label in ("sig header", "sig grant", "id gone"):
        signature = owner.sign(f"glassine/1 {label}\0".encode() + canonical.encode(body))
        forged.append({"body": body, "sig": encode_base64(signature)})
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 0)
    message = b"glassine/1 sig gone\0" + canonical.encode(body)
    unsalted = owner.to_cryptography().sign(message, pss, hashes.SHA256())
    forged.append({"body": body, "sig": encode_base64(unsalted)})
    for value in forged:
        with pytest.raises(NotAuthentic):
            read_gone(text(value), owner=owner.public)


@pytest.mark.parametrize(
    "changes",
    [
        {"t": "deed"},
        {"pic": "ab"},
        {"pic": PIC.upper()},
        {"owner": "ab" * 31},
        {"prev": ""},
        {"time": "5"},
        {"time": 1 << 53},
        {"more": 1},
    ],
    ids=str,
)
def test_signed_nonsense_is_damaged(owner: PrivateKey, changes: Object) -> None:
    with pytest.raises(Damaged):
        read_gone(text(sign_object(owner, gone_body(owner) | changes)), owner=owner.public)


def test_other_objects_are_no_record_of_that_kind(owner: PrivateKey, friend: PrivateKey) -> None:
    made = forge.picture(owner)
    succession = make_succession(owner, friend, 5).text
    for other in (made.envelope, text(made.deed), succession, "", "{}", "[]"):
        with pytest.raises(Damaged):
            read_gone(other, owner=owner.public)
    for other in (made.envelope, text(made.deed), make_gone(owner, PIC, PREV, 5).text, "", "{}"):
        with pytest.raises(Damaged):
            read_succession(other, old=owner.public, new=friend.public)


def test_flip_each_byte_of_the_records(owner: PrivateKey, friend: PrivateKey) -> None:
    readers: list[tuple[str, Callable[[str], object]]] = [
        (make_gone(owner, PIC, PREV, 5).text, lambda value: read_gone(value, owner=owner.public, picture_id=PIC)),
        (
            make_succession(owner, friend, 5).text,
            lambda value: read_succession(value, old=owner.public, new=friend.public),
        ),
    ]
    for good, read in readers:
        read(good)
        for at in range(len(good)):
            for mask in (0x01, 0x80):
                with pytest.raises((Damaged, NotAuthentic)):
                    read(flipped(good.encode(), at, mask).decode("latin-1"))
        for other in (good[:-1], good + " ", good * 2):
            with pytest.raises(Damaged):
                read(other)


# -- succession ---------------------------------------------------------------------------------------------------


def test_succession_makes_a_round_trip(owner: PrivateKey, friend: PrivateKey) -> None:
    made = make_succession(owner, friend, 7)
    assert read_succession(made.text, old=owner.public, new=friend.public) == made
    with pytest.raises(WrongPicture):
        read_succession(made.text, old=friend.public, new=owner.public)
    with pytest.raises(KeyRefused):
        make_succession(owner, owner, 7)


def test_succession_needs_both_signatures(owner: PrivateKey, friend: PrivateKey, stranger: PrivateKey) -> None:
    good = canonical.parse(make_succession(owner, friend, 7).text)
    body = good["body"]
    for changes in (
        {"sig": sign_object(stranger, body)["sig"]},
        {"sig2": sign_object(stranger, body)["sig"]},
        {"sig": good["sig2"], "sig2": good["sig"]},
        {"sig2": good["sig"]},
    ):
        with pytest.raises(NotAuthentic):
            read_succession(text(good | changes), old=owner.public, new=friend.public)
    same = {"t": "succ", "old": owner.fingerprint, "new": owner.fingerprint, "time": 7}
    twice = sign_object(owner, same) | {"sig2": sign_object(owner, same)["sig"]}
    with pytest.raises(Damaged):
        read_succession(text(twice), old=owner.public, new=owner.public)


def test_pictures_follow_a_succession_only_as_new_epochs(
    owner: PrivateKey, friend: PrivateKey, stranger: PrivateKey
) -> None:
    first = forge.picture(owner)
    known = accept(None, first.read())
    link = make_succession(owner, friend, 7)

    def under(key: PrivateKey, **more: Any) -> Any:
        given: dict[str, Any] = {"picture_id": first.picture_id, "epoch": 2, "previous": first.hash}
        return forge.picture(key, **(given | more)).read()

    with pytest.raises(WrongPicture):
        accept(known, under(friend))
    with pytest.raises(WrongPicture):
        accept(known, under(stranger), succession=link)
    with pytest.raises(WrongPicture):
        accept(known, under(friend, picture_id=os.urandom(16).hex()), succession=link)
    with pytest.raises(RolledBack):
        accept(known, under(friend, epoch=1, previous=None), succession=link)
    with pytest.raises(HistoryMissing):
        accept(known, under(friend, previous="ab" * 32), succession=link)
    with pytest.raises(HistoryMissing):
        accept(known, under(friend, epoch=3), succession=link)
    offered = under(friend)
    after = accept(known, offered, succession=link)
    assert isinstance(after, Known)
    assert (after.owner, after.epoch, after.accepted) == (
        friend.fingerprint,
        2,
        frozenset({first.hash, offered.header_hash}),
    )
    # the old key's pictures are no way back
    with pytest.raises(WrongPicture):
        accept(after, first.read(), succession=link)


# -- ledger -------------------------------------------------------------------------------------------------------


def test_ledgers_make_a_round_trip(owner: PrivateKey) -> None:
    for document in (b"", b"{}", os.urandom(5000)):
        sealed = seal_ledger(owner, 7, document)
        assert open_ledger(owner, sealed) == (7, document)
        assert open_ledger(owner, sealed, known_serial=7) == (7, document)
    assert seal_ledger(owner, 7, b"{}")[8:] != seal_ledger(owner, 7, b"{}")[8:]


def test_ledger_rollback(owner: PrivateKey) -> None:
    with pytest.raises(RolledBack):
        open_ledger(owner, seal_ledger(owner, 7, b"{}"), known_serial=8)


def test_ledgers_of_another_key_or_changed(owner: PrivateKey, friend: PrivateKey) -> None:
    sealed = seal_ledger(owner, 7, b"{}")
    with pytest.raises(Damaged):
        open_ledger(friend, sealed)
    for at in range(len(sealed)):
        # the serial too: an old ledger cannot be given a new number
        with pytest.raises(Damaged):
            open_ledger(owner, flipped(sealed, at))
    for length in range(len(sealed)):
        with pytest.raises(Damaged):
            open_ledger(owner, sealed[:length])


def test_ledgers_above_the_limit(owner: PrivateKey, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = seal_ledger(owner, 7, b"x" * 101)
    monkeypatch.setattr(records, "MAX_LEDGER", 100)
    with pytest.raises(TooLarge):
        seal_ledger(owner, 7, b"x" * 101)
    with pytest.raises(TooLarge):
        open_ledger(owner, sealed)
