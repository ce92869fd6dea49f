"""What a logout token says, once its signature and its times hold (OpenID Connect Back-Channel Logout 1.0). Pure."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from actas.events.sources.errors import MalformedDelivery
from actas.events.sources.reading import strict
from actas.events.sources.reading.told import Told
from actas.jose import Claims

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
WITHOUT_END: Final = timedelta(minutes=2)
"""How old a token may be that has no ``exp``, which the specification did not ask for before its errata of 2023."""
TYPES: Final = frozenset({"logout+jwt", "application/logout+jwt", "jwt", "application/jwt"})


def told(claims: Claims) -> Told:
    """Check what section 2.6 asks for, and give the event."""
    _is_a_logout(claims)
    if "nonce" in claims:  # so that no ID token passes as a logout token
        raise MalformedDelivery(why="a logout token has a nonce")
    subject, session = strict.name(_text(claims, "sub")), strict.name(_text(claims, "sid"))
    if subject is None and session is None:
        raise MalformedDelivery(why="a logout token names neither a subject nor a session")
    issued = claims.issued_at
    if issued is None:
        raise MalformedDelivery(why="a logout token has no iat")
    return Told(
        id=strict.required(_text(claims, "jti"), "jti"),
        type=EVENT,
        kind="session-revoked",
        at=issued,
        subject=subject,
        session=session,
    )


def is_typed(header: Mapping[str, Any]) -> bool:
    """Tell whether the header's ``typ`` may stand on a logout token; older providers write none."""
    typ = header.get("typ")
    return typ is None or (isinstance(typ, str) and typ.lower() in TYPES)


def _is_a_logout(claims: Claims) -> None:
    events = claims.get("events")
    event = events.get(EVENT) if isinstance(events, dict) else None
    if not isinstance(event, dict):
        raise MalformedDelivery(why="a logout token has not the event of a logout")


def _text(claims: Claims, name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) else None
