"""Which RSA moduli are refused (FORMAT.md section 4.1).

Must not import PySide6, the network or anything of the project but ``desktop.errors``.
"""

from __future__ import annotations

import functools
import math
from typing import Final

from desktop.errors import KeyRefused

MIN_BITS: Final = 2048
MAX_BITS: Final = 8192
PUBLIC_EXPONENT: Final = 65537
SMALL_FACTOR_LIMIT: Final = 1 << 16
FERMAT_STEPS: Final = 100


@functools.cache
def _small_primes_product() -> int:
    sieve = bytearray([1]) * SMALL_FACTOR_LIMIT
    sieve[0:2] = b"\0\0"
    for number in range(2, math.isqrt(SMALL_FACTOR_LIMIT) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, SMALL_FACTOR_LIMIT, number)))
    return math.prod(number for number in range(SMALL_FACTOR_LIMIT) if sieve[number])


def _is_square(number: int) -> bool:
    # squares end in 0, 1, 4 or 9 modulo 16: spares three of four square roots
    return number & 15 in (0, 1, 4, 9) and math.isqrt(number) ** 2 == number


def refuse_weak(n: int, e: int) -> None:
    """Apply the rules that a modulus alone can break; raises KeyRefused naming the one broken."""
    bits = n.bit_length()
    if not MIN_BITS <= bits <= MAX_BITS:
        raise KeyRefused(f"The key has {bits} bits. Glassine uses RSA keys of {MIN_BITS} to {MAX_BITS} bits.")
    if e != PUBLIC_EXPONENT:
        raise KeyRefused(f"The key's public exponent is not {PUBLIC_EXPONENT}. Create a new key.")
    if math.gcd(_small_primes_product() % n, n) != 1:
        raise KeyRefused("The key's modulus has a small factor, so it protects nothing. Create a new key.")
    # Fermat: primes close to each other are found within a few steps above the square root
    root = math.isqrt(n)
    if root * root == n:
        raise KeyRefused("The key's modulus is a square, so it protects nothing. Create a new key.")
    for candidate in range(root + 1, root + 1 + FERMAT_STEPS):
        if _is_square(candidate * candidate - n):
            raise KeyRefused("The key's two primes are too close, so it protects nothing. Create a new key.")
