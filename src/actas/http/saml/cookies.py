"""The cookies of these doors: who set them is sure (``__Host-``), no script reads them, and one name means one value.

Pure. A browser takes ``Secure`` cookies on https only, and on http at a loopback address, which browsers trust like
https; so a gateway on this machine works without certificates, and nowhere else does one in clear.
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256
from typing import Final

SIGN_IN: Final = "__Host-actas-sign-in"
"""Survives a visit from another site's link, and is not sent with another site's form."""
PENDING: Final = "__Host-actas-saml-"
"""The beginning of the names of those that wait for a provider's answer: it comes with another site's form."""
MOST_PENDING: Final = 4
"""Sign-ins that one browser may have open at once; the oldest is forgotten for the next."""
_ONE: Final = re.compile(rb"[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=([!#-+\--:<-\[\]-~]*)[ \t]*")

Headers = Iterable[tuple[bytes, bytes]]


def read(headers: Headers) -> dict[str, str]:
    """Read the cookies of ours that came; one that came twice is none."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for name, value in headers:
        if name != b"cookie":
            continue
        for part in value.split(b";"):
            if (one := _ONE.fullmatch(part)) is None or not one[1].startswith(b"__Host-actas-"):
                continue
            key = one[1].decode()
            if key in found:
                twice.add(key)
            found[key] = one[2].decode()
    return {key: value for key, value in found.items() if key not in twice}


def pending_name(relay: str) -> str:
    """Name the cookie that belongs to a relay state."""
    return PENDING + sha256(relay.encode()).hexdigest()[:16]


def pending(relay: str, value: str, lasts: timedelta) -> str:
    """Set the cookie that a provider's answer has to come with."""
    return _set(pending_name(relay), value, int(lasts.total_seconds()), same_site="None")


def sign_in(value: str, lasts: timedelta) -> str:
    """Set the sign-in."""
    return _set(SIGN_IN, value, int(lasts.total_seconds()), same_site="Lax")


def gone(name: str) -> str:
    """Take a cookie away."""
    return _set(name, "", 0, same_site="Lax" if name == SIGN_IN else "None")


def too_many(cookies: Iterable[str]) -> list[str]:
    """Name the pending cookies that make way for another."""
    waiting = [name for name in cookies if name.startswith(PENDING)]
    return waiting[: max(0, len(waiting) - MOST_PENDING + 1)]


def _set(name: str, value: str, seconds: int, *, same_site: str) -> str:
    return f"{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite={same_site}"
