"""What a token of this server says. Must not import Flask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SignIn:
    """What all tokens of one sign-in have in common.

    Attributes:
        user_id: Who signed in.
        generation: ``User.generation`` at that moment; another one ends the sign-in.
        family: A random id of the sign-in.
        ends: Unix time in seconds from when on it cannot be renewed any more.
    """

    user_id: str
    generation: int
    family: str
    ends: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a client holds: ``access`` to send with every request, ``refresh`` to get both anew with, once."""

    access: str
    refresh: str


class TokenIssuer(Protocol):
    """Makes the tokens of a sign-in; provided by the authentication scheme."""

    def __call__(self, sign_in: SignIn) -> Tokens: ...
