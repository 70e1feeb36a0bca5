"""Which keys are accepted, and what is done with them."""

from __future__ import annotations

import base64
import math
import pickle
import secrets

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa

from desktop.crypto.keys import LEDGER_INFO, QUEUE_INFO, VAULT_WRAP_INFO, PrivateKey, PublicKey
from desktop.errors import Damaged, KeyRefused, NotAuthentic

SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
PEM = serialization.Encoding.PEM
DER = serialization.Encoding.DER
# Miller-Rabin would take long in Python; the library finds primes
_P = rsa.generate_private_key(65537, 2048).private_numbers()


def spki(n: int, e: int = 65537) -> bytes:
    """SubjectPublicKeyInfo of any numbers, also those that the library refuses."""

    def tlv(tag: int, content: bytes) -> bytes:
        size = len(content)
        length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2)
        return bytes([tag]) + length + content

    def integer(value: int) -> bytes:
        return tlv(2, value.to_bytes(value.bit_length() // 8 + 1))

    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    return tlv(0x30, algorithm + tlv(3, b"\0" + tlv(0x30, integer(n) + integer(e))))


def pem(der: bytes, label: str = "PUBLIC KEY") -> str:
    text = base64.b64encode(der).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def odd(bits: int) -> int:
    """A number of that length without factors below 2^16: good enough where primality is not looked at."""
    while True:
        n = secrets.randbits(bits) | 1 << bits - 1 | 1
        if all(n % p for p in range(3, 1 << 16, 2)):
            return n


def next_prime(number: int) -> int:
    number |= 1
    while any(pow(base, number - 1, number) != 1 for base in (2, 3, 5)):
        number += 2
    return number


def refused_numbers() -> dict[str, tuple[int, int]]:
    p, q = _P.p, _P.q
    good = p * q
    close = next_prime(p + 2)
    return {
        "e1": (good, 1),
        "e3": (good, 3),
        "e17": (good, 17),
        "even e": (good, 65536),
        "even n": (good + 1, 65537),
        "square": (p * p, 65537),
        "close primes": (p * close, 65537),
        "2047 bit": (odd(2047), 65537),
        "8193 bit": (odd(8193), 65537),
        "1024 bit": (odd(1024), 65537),
        "factor 3": (3 * odd(2048), 65537),
        "factor 65521": (65521 * odd(2040), 65537),
    }


REFUSED = refused_numbers()


@pytest.mark.parametrize("numbers", REFUSED.values(), ids=REFUSED.keys())
def test_weak_numbers_are_refused(numbers: tuple[int, int]) -> None:
    with pytest.raises(KeyRefused):
        PublicKey.from_spki(spki(*numbers))
    with pytest.raises(KeyRefused):
        PublicKey.from_pem(pem(spki(*numbers)))
    with pytest.raises(KeyRefused):
        PublicKey(*numbers)


def test_primes_within_fermats_reach_are_refused_and_farther_ones_not() -> None:
    p = _P.p
    far = next_prime(p + (1 << 600))
    assert math.isqrt(p * far) + 100 < (p + far) // 2
    PublicKey(p * far)


def test_other_kinds_of_key_are_refused() -> None:
    keys = [
        ec.generate_private_key(ec.SECP256R1()),
        ed25519.Ed25519PrivateKey.generate(),
        dsa.generate_private_key(2048),
    ]
    for key in keys:
        public = key.public_key()
        with pytest.raises(KeyRefused):
            PublicKey.from_pem(public.public_bytes(PEM, SPKI).decode())
        with pytest.raises(KeyRefused):
            PublicKey.from_spki(public.public_bytes(DER, SPKI))
        with pytest.raises(KeyRefused):
            PrivateKey.from_cryptography(key)
        der = key.private_bytes(DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        with pytest.raises(KeyRefused):
            PrivateKey.from_pkcs8(der)


def test_only_one_block_in_its_usual_form(owner: PrivateKey, friend: PrivateKey) -> None:
    good = owner.public.pem
    wide = good.replace("\n", "", 3).replace("-----BEGIN PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----\n")
    pkcs1 = owner.to_cryptography().public_key().public_bytes(PEM, serialization.PublicFormat.PKCS1).decode()
    private = owner.to_cryptography().private_bytes(
        PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    others = [
        good + friend.public.pem,
        friend.public.pem + good,
        "hello\n" + good,
        good + "hello",
        wide,
        pkcs1,
        private.decode(),
        good.replace("PUBLIC KEY", "RSA PUBLIC KEY"),
        good[:-40],
        "",
        "x" * 100_000,
        good.replace("A", "Ä"),
        pem(owner.public.spki + b"\0"),
    ]
    for text in others:
        with pytest.raises(KeyRefused):
            PublicKey.from_pem(text)


def test_white_space_around_and_crlf_are_forgiven(owner: PrivateKey) -> None:
    good = owner.public.pem
    for text in (good, good.strip(), "\n " + good + "\n\n", good.replace("\n", "\r\n")):
        assert PublicKey.from_pem(text) == owner.public


def test_non_canonical_der_is_refused(owner: PrivateKey) -> None:
    good = owner.public.spki
    # the parameters of the algorithm left out, lengths right
    no_null = b"\x30\x82" + (len(good) - 6).to_bytes(2) + good[4:17].replace(b"\x30\x0d", b"\x30\x0b") + good[19:]
    assert len(no_null) == len(good) - 2
    with pytest.raises(KeyRefused):
        PublicKey.from_spki(no_null)
    for der in (good + b"\0", good[:-1], good[1:], b"", good.replace(b"\x05\x00", b"\x05\x00\x05\x00", 1), b"0" * 5000):
        with pytest.raises(KeyRefused):
            PublicKey.from_spki(der)


def test_encoding_and_fingerprint_are_the_librarys(owner: PrivateKey) -> None:
    public = owner.to_cryptography().public_key()
    assert owner.public.pem.encode() == public.public_bytes(PEM, SPKI)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(public.public_bytes(DER, SPKI))
    assert owner.fingerprint == digest.finalize().hex()
    assert (owner.public.bits, owner.public.e) == (2048, 65537)
    assert hash(PublicKey.from_spki(owner.public.spki)) == hash(owner.public)


def test_private_keys_make_a_round_trip(owner: PrivateKey) -> None:
    der = owner.to_pkcs8()
    for key in (PrivateKey.from_pkcs8(der), PrivateKey.from_pkcs8(der, authenticated=True)):
        assert key.public == owner.public
        assert key.to_pkcs8() == der
        assert key.vault_key(VAULT_WRAP_INFO) == owner.vault_key(VAULT_WRAP_INFO)


def test_inconsistent_private_keys_are_refused(owner: PrivateKey) -> None:
    der = bytearray(owner.to_pkcs8())
    refused = 0
    for at in range(60, len(der), 97):
        der[at] ^= 4
        with pytest.raises(KeyRefused):
            PrivateKey.from_pkcs8(bytes(der))
        refused += 1
        der[at] ^= 4
    assert refused > 5
    with pytest.raises(KeyRefused):
        PrivateKey.from_pkcs8(bytes(100_000))


def test_generated_lengths() -> None:
    for bits in (2047, 1024, 8193):
        with pytest.raises(KeyRefused):
            PrivateKey.generate(bits)


def test_vault_keys_differ_by_purpose_and_not_by_order_of_primes(owner: PrivateKey) -> None:
    keys = {owner.vault_key(info) for info in (VAULT_WRAP_INFO, LEDGER_INFO, QUEUE_INFO)}
    assert len(keys) == 3
    numbers = owner.to_cryptography().private_numbers()
    swapped = rsa.RSAPrivateNumbers(
        p=numbers.q,
        q=numbers.p,
        d=numbers.d,
        dmp1=numbers.dmq1,
        dmq1=numbers.dmp1,
        iqmp=rsa.rsa_crt_iqmp(numbers.q, numbers.p),
        public_numbers=numbers.public_numbers,
    )
    key = PrivateKey.from_cryptography(swapped.private_key())
    assert key.vault_key(VAULT_WRAP_INFO) == owner.vault_key(VAULT_WRAP_INFO)


def test_pss_salt0_and_other_parameters_are_not_authentic(owner: PrivateKey, friend: PrivateKey) -> None:
    key, message = owner.to_cryptography(), b"message"

    def pss(salt: int, mgf: hashes.HashAlgorithm) -> padding.PSS:
        return padding.PSS(padding.MGF1(mgf), salt)

    owner.public.verify(key.sign(message, pss(32, hashes.SHA256()), hashes.SHA256()), message)
    forged = [
        key.sign(message, pss(0, hashes.SHA256()), hashes.SHA256()),
        key.sign(message, pss(31, hashes.SHA256()), hashes.SHA256()),
        key.sign(message, pss(64, hashes.SHA256()), hashes.SHA256()),
        key.sign(message, pss(32, hashes.SHA1()), hashes.SHA256()),
        key.sign(message, pss(32, hashes.SHA256()), hashes.SHA512()),
        key.sign(message, padding.PKCS1v15(), hashes.SHA256()),
        friend.sign(message),
        owner.sign(message + b"!"),
        owner.sign(message)[:-1],
        owner.sign(message) + b"\0",
        b"\0" + owner.sign(message),
        b"",
        bytes(256),
    ]
    for signature in forged:
        with pytest.raises(NotAuthentic):
            owner.public.verify(signature, message)


def test_wraps_open_only_as_they_were_made(owner: PrivateKey, friend: PrivateKey) -> None:
    secret = secrets.token_bytes(32)
    wrapped = owner.public.wrap(b"label", secret)
    assert owner.unwrap(b"label", wrapped) == secret
    assert owner.public.wrap(b"label", secret) != wrapped
    broken = bytearray(wrapped)
    broken[7] ^= 1
    key = owner.to_cryptography().public_key()
    attempts = [
        (owner, b"other", wrapped),
        (friend, b"label", wrapped),
        (owner, b"label", bytes(broken)),
        (owner, b"label", wrapped[:-1]),
        (owner, b"label", b"\0" + wrapped),
        (owner, b"label", b""),
        (owner, b"label", owner.public.wrap(b"label", secret[:31])),
        (owner, b"label", owner.public.wrap(b"label", secret + b"\0")),
        (owner, b"label", key.encrypt(secret, padding.PKCS1v15())),
    ]
    messages = set()
    for private, label, data in attempts:
        with pytest.raises(Damaged) as caught:
            private.unwrap(label, data)
        messages.add((caught.value.message, caught.value.details))
    assert len(messages) == 1, "one error for every failed unwrap"


def test_keys_are_neither_shown_nor_pickled(owner: PrivateKey) -> None:
    assert repr(owner) == f"PrivateKey({owner.fingerprint})"
    with pytest.raises(TypeError):
        pickle.dumps(owner)
