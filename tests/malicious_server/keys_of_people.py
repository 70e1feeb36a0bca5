"""Attacks on public keys: one's own, and those of the people one shares with."""

from __future__ import annotations

import json
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from desktop import errors
from desktop.crypto import records
from desktop.models import PersonState
from tests.malicious_server import hands
from tests.malicious_server.people import Person, key_of
from tests.malicious_server.playing import Scene, attack, must

PUBLIC_KEYS = "unauthenticated public keys"


def about(scene: Scene, person: Person, **claims: str) -> None:
    """Say something else about an account from now on, whoever asks and however."""

    def in_one(user: Any) -> Any:
        return user | claims if user.get("user_id") == person.user_id else user

    scene.evil.lie_in_json(
        hands.PEOPLE, lambda found: [in_one(user) for user in found] if isinstance(found, list) else in_one(found)
    )


def nothing_given(scene: Scene) -> None:
    """Nobody must have been given anything."""
    must(not scene.evil.asked(hands.GIVING), "somebody was given something")
    must(not scene.evil.asked(r"^PUT .*/images/"), "something was sealed anew")


def met(scene: Scene) -> Person:
    """Alice has a picture, and meets Bob."""
    scene.alice.add(1)
    scene.alice.listed()
    scene.alice.sharing.find(scene.bob.name)
    return scene.bob


def share(scene: Scene, **more: Any) -> Any:
    """Alice shares all she has with Bob."""
    mine = [picture_id for picture_id in scene.alice.listed() if "/" not in picture_id]
    return scene.alice.sharing.share(mine, scene.bob.user_id, "read", **more)


@attack("own_key_at_sign_in", PUBLIC_KEYS, "gave another public key as one's own at sign-in", errors.KeyChanged)
def _(scene: Scene) -> None:
    scene.alice.add(1)
    scene.alice.session.close()
    about(scene, scene.alice, public_key=key_of("server").public.pem)
    scene.refused(errors.KeyChanged, scene.alice.sign_in)


@attack(
    "own_key_for_others",
    PUBLIC_KEYS,
    "gave others another public key as one's own, to read what they would share",
    errors.KeyChanged,
)
def _(scene: Scene) -> None:
    met(scene)
    about(scene, scene.alice, public_key=key_of("server").public.pem)
    scene.refused(errors.KeyChanged, lambda: scene.alice.sharing.find(scene.bob.name))
    scene.refused(errors.KeyChanged, lambda: share(scene, accept_unverified=True))
    nothing_given(scene)


@attack("own_key_as_another", PUBLIC_KEYS, "gave one's own key as somebody else's", errors.KeyRefused)
def _(scene: Scene) -> None:
    scene.alice.add(1)
    about(scene, scene.bob, public_key=scene.alice.key.public.pem)
    scene.refused(errors.KeyRefused, lambda: scene.alice.sharing.find(scene.bob.name))
    must(not scene.alice.sharing.people(), "somebody is known now")


@attack(
    "key_swap_first_contact",
    PUBLIC_KEYS,
    "gave a key of its own when somebody was looked for the first time",
    errors.Unverified,
)
def _(scene: Scene) -> None:
    scene.alice.add(1)
    about(scene, scene.bob, public_key=key_of("server").public.pem)
    person = scene.alice.sharing.find(scene.bob.name)
    must(person.state is PersonState.UNVERIFIED, f"the person is {person.state}")
    scene.freeze(scene.alice)
    scene.refused(errors.Unverified, lambda: share(scene))
    nothing_given(scene)
    scene._frozen.clear()
    words = " ".join(_words(scene.bob))
    scene.refused(errors.KeyChanged, lambda: scene.alice.sharing.compare(scene.bob.user_id, words))
    scene.refused(errors.KeyChanged, lambda: share(scene, accept_unverified=True))
    nothing_given(scene)


def _words(person: Person) -> tuple[str, ...]:
    from desktop.crypto.words import fingerprint_words

    return fingerprint_words(person.key.fingerprint)


@attack(
    "key_change", PUBLIC_KEYS, "gave a key of its own for somebody whose key was compared before", errors.KeyChanged
)
def _(scene: Scene) -> None:
    bob = met(scene)
    scene.alice.sharing.compare(bob.user_id, " ".join(_words(bob)))
    about(scene, bob, public_key=key_of("server").public.pem)
    scene.refused(errors.KeyChanged, lambda: scene.alice.sharing.find(bob.name))
    scene.refused(errors.KeyChanged, lambda: scene.alice.sharing.look_again(bob.user_id))
    (person,) = scene.alice.sharing.people()
    must(person.state is PersonState.CHANGED, f"the person is {person.state}")
    must(person.fingerprint == bob.key.fingerprint, "the other key is the one that is shown")
    for more in ({}, {"accept_unverified": True}, {"wait_for_comparison": True}, {"fingerprint": person.fingerprint}):
        scene.refused(errors.KeyChanged, lambda more=more: share(scene, **more))
    scene.evil.repent()
    scene.refused(errors.KeyChanged, lambda: share(scene, accept_unverified=True))  # until it was compared again
    nothing_given(scene)


@attack(
    "key_swap_between_dialog_and_wrap",
    PUBLIC_KEYS,
    "gave the right key to the dialog and one of its own when the picture was shared",
    None,
)
def _(scene: Scene) -> str:
    bob = met(scene)
    shown = scene.alice.sharing.look_again(bob.user_id)
    about(scene, bob, public_key=key_of("server").public.pem)
    result = share(scene, accept_unverified=True, fingerprint=shown.fingerprint)
    must(result.shared and not result.failed, "nothing was shared")
    (request,) = scene.evil.asked(hands.GIVING)
    grant = json.loads(request.form["grant"])["body"]
    must(grant["to"] == bob.key.fingerprint, "the picture was shared for another key")
    return "the key that was shown is the key that was used"


@attack("names_exchanged", PUBLIC_KEYS, "exchanged the names of two people", errors.KeyRefused)
def _(scene: Scene) -> None:
    bob = met(scene)
    scene.alice.sharing.find(scene.carol.name)
    scene.freeze(scene.alice)
    names = bob.name, scene.carol.name
    about(scene, bob, user_name=names[1])
    about(scene, scene.carol, user_name=names[0])
    scene.refused(errors.KeyRefused, lambda: scene.alice.sharing.look_again(bob.user_id))
    must({person.name for person in scene.alice.sharing.people()} == set(names), "the names have changed")
    nothing_given(scene)


@attack(
    "accounts_exchanged",
    PUBLIC_KEYS,
    "answered for another account under the name of somebody known",
    errors.KeyRefused,
)
def _(scene: Scene) -> None:
    bob = met(scene)
    carol = scene.alice.sharing.find(scene.carol.name)
    scene.freeze(scene.alice)
    about(scene, bob, user_id=carol.user_id, public_key=scene.carol.key.public.pem)
    scene.refused(errors.KeyRefused, lambda: scene.alice.sharing.find(bob.name))
    nothing_given(scene)


@attack("same_fp_two_people", PUBLIC_KEYS, "gave the key of one person as another's", errors.KeyRefused)
def _(scene: Scene) -> None:
    bob = met(scene)
    scene.freeze(scene.alice)
    about(scene, scene.carol, public_key=bob.key.public.pem)
    scene.refused(errors.KeyRefused, lambda: scene.alice.sharing.find(scene.carol.name))
    must(len(scene.alice.sharing.people()) == 1, "two people have one key")


@attack(
    "weak_keys",
    PUBLIC_KEYS,
    "gave keys that it can break: short, exponent 3, even, a square, of another kind, two in one",
    errors.KeyRefused,
)
def _(scene: Scene) -> None:
    scene.alice.add(1)
    good = key_of("server").public.pem
    numbers = rsa.generate_private_key(65537, 2048).public_key().public_numbers()
    weak = [
        rsa.generate_private_key(65537, 1024).public_key(),
        ec.generate_private_key(ec.SECP256R1()).public_key(),
        rsa.RSAPublicNumbers(3, numbers.n).public_key(),
        rsa.RSAPublicNumbers(65537, numbers.n * 3).public_key(),
    ]
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    texts = [key.public_bytes(serialization.Encoding.PEM, kind).decode() for key in weak]
    for text in [*texts, good + scene.bob.key.public.pem, good.replace("A", "B", 3), "-----BEGIN PUBLIC KEY-----"]:
        scene.evil.repent()
        about(scene, scene.bob, public_key=text)
        scene.refused(errors.KeyRefused, lambda: scene.alice.sharing.find(scene.bob.name))
    must(not scene.alice.sharing.people(), "somebody is known now")


@attack(
    "peer_key_becomes_classic",
    "protocol downgrade",
    "said that somebody has a key of the classic scheme now",
    errors.SchemeChanged,
)
def _(scene: Scene) -> None:
    bob = met(scene)
    scene.freeze(scene.alice)
    about(scene, bob, public_key="27977 9431")
    scene.refused(errors.SchemeChanged, lambda: scene.alice.sharing.find(bob.name))
    scene.refused(errors.SchemeChanged, lambda: scene.alice.sharing.look_again(bob.user_id))
    nothing_given(scene)


@attack(
    "forged_succession",
    PUBLIC_KEYS,
    "vouched for a new key of somebody with records that it had signed itself",
    errors.KeyChanged,
)
def _(scene: Scene) -> None:
    bob = met(scene)
    new = key_of("server")
    about(scene, bob, public_key=new.public.pem)
    scene.refused(errors.KeyChanged, lambda: scene.alice.sharing.look_again(bob.user_id))
    honest = json.loads(records.make_succession(bob.key, new, 5).text)
    for change in ({"sig": honest["sig2"]}, {"sig2": honest["sig"]}):
        text = json.dumps(honest | change, sort_keys=True, separators=(",", ":"))
        row = {"old": bob.key.fingerprint, "record": text, "stored": "2026-01-01T00:00:00Z"}
        scene.evil.lie_in_json(r"/successions\?", lambda rows, row=row: [row])
        must(scene.alice.sharing.succession(bob.user_id) is None, "the record is believed")
    scene.refused(errors.KeyChanged, lambda: share(scene, accept_unverified=True))
    nothing_given(scene)


@attack(
    "rightful_succession",
    PUBLIC_KEYS,
    "showed a record that the old key did sign, stolen with that key",
    errors.KeyChanged,
)
def _(scene: Scene) -> None:
    bob = met(scene)
    new = key_of("server")
    about(scene, bob, public_key=new.public.pem)
    scene.refused(errors.KeyChanged, lambda: scene.alice.sharing.look_again(bob.user_id))
    record = records.make_succession(bob.key, new, 5).text
    row = {"old": bob.key.fingerprint, "record": record, "stored": "2026-01-01T00:00:00Z"}
    scene.evil.lie_in_json(r"/successions\?", lambda rows: [row])
    must(scene.alice.sharing.succession(bob.user_id) is not None, "the record is not shown")
    scene.refused(errors.KeyChanged, lambda: share(scene, accept_unverified=True))  # shown, never accepted by itself
    nothing_given(scene)


@attack(
    "another_users_id", PUBLIC_KEYS, "answered for another account than the one asked for", errors.NotAGlassineServer
)
def _(scene: Scene) -> None:
    bob = met(scene)
    scene.freeze(scene.alice)
    for user_id in ("f" * 24, "../../users", "F" * 24, ""):
        scene.evil.repent()
        about(scene, bob, user_id=user_id)
        scene.refused(errors.NotAGlassineServer, lambda: scene.alice.sharing.look_again(bob.user_id))
    scene.evil.repent()
    about(scene, scene.alice, user_id="f" * 24)
    scene.alice.session.close()
    scene._frozen.clear()
    scene.refused(errors.NotAGlassineServer, scene.alice.sign_in)
