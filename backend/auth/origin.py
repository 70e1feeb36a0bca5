"""Whether it was a page of another site that had a browser send a request.

Asked by schemes whose credentials browsers send by themselves, whoever makes them send the request: cookies, and names
and passwords of HTTP Basic that were typed into the browser's own window.
"""

from __future__ import annotations

from flask import request

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def is_foreign_change(trusted: frozenset[str] = frozenset()) -> bool:
    """Whether the current request changes something and comes from a page of another site that is not ``trusted``.

    Old browsers and programs do not tell. A page of this host that came without TLS is foreign to a request that came
    with it: anybody on the way may have written it. Not the other way round: a proxy that ends TLS may not say so.
    """
    origin = request.headers.get("Origin")
    if origin is None or request.method in _SAFE:
        return False
    own = {f"{request.scheme}://{request.host}", f"https://{request.host}"}
    return origin not in own | trusted
