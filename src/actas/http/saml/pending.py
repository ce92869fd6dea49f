"""What waits for a provider's answer: sealed into a cookie of the browser that asked, so that no gateway remembers it.

A RelayState is one random key and nothing else; whatever else there is to know stands in the cookie that goes with it.
"""

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from actas.http.saml import cookies
from actas.model.evidence import OF_BROWSERS
from actas.secrets import sealed
from actas.secrets.sealed import Ring

LASTS: Final = timedelta(minutes=5)
_PURPOSE: Final = "saml pending"
_NEXT: Final = re.compile(r"/(?![/\\])[A-Za-z0-9._~!$&'()*+,;=:@%/?-]{0,500}")
_LOOPBACK: Final = re.compile(r"http://(?:127\.0\.0\.1|\[::1\]):[1-9][0-9]{0,4}/callback")
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_STATE: Final = re.compile(r"[A-Za-z0-9_-]{16,128}")


class Cli(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A command on the person's own machine that waits for a code (RFC 8252, RFC 7636)."""

    redirect: str
    state: str
    challenge: str


class Pending(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One question to a provider."""

    provider: str
    relay: str
    request: str
    """The id of our request."""
    until: datetime
    what: Literal["sign-in", "sign-out"] = "sign-in"
    next: str | None = None
    cli: Cli | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A question as it begins, and the cookie that goes with it."""

    pending: Pending
    cookie: str


def begin(
    ring: Ring,
    provider: str,
    *,
    now: datetime,
    what: Literal["sign-in", "sign-out"] = "sign-in",
    next_page: str | None = None,
    cli: Cli | None = None,
) -> Begun:
    """Begin a question with fresh random names."""
    one = Pending(
        provider=provider,
        relay=secrets.token_urlsafe(24),
        request=f"{OF_BROWSERS}{secrets.token_hex(16)}",  # no digit first: Entra refuses it, and so does XML
        until=now + LASTS,
        what=what,
        next=next_page,
        cli=cli,
    )
    value = sealed.seal(ring, _PURPOSE, msgspec.json.encode(one))
    return Begun(pending=one, cookie=cookies.pending(one.relay, value, LASTS))


def found(
    ring: Ring, shown: dict[str, str], relay: str | None, *, provider: str, what: str, now: datetime
) -> Pending | None:
    """Find the question that an answer with this RelayState belongs to; None where this browser asked none."""
    value = None if relay is None else shown.get(cookies.pending_name(relay))
    content = None if value is None else sealed.opened(ring, _PURPOSE, value, now=now)
    if content is None or relay is None:
        return None
    try:
        one = msgspec.json.decode(content, type=Pending)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    is_same = hmac.compare_digest(one.relay.encode(), relay.encode())
    return one if is_same and one.provider == provider and one.what == what and now < one.until else None


def is_page(text: str) -> bool:
    """Tell whether *text* is a page of this origin, and can be nothing else."""
    return _NEXT.fullmatch(text) is not None


def cli_of(redirect: str, state: str, challenge: str) -> Cli | None:
    """Read what a command asks for; None where it could send a code anywhere but to this person's machine."""
    port = redirect.rpartition(":")[2].partition("/")[0]
    good = _LOOPBACK.fullmatch(redirect) and int(port) <= 65535
    if not good or not _CHALLENGE.fullmatch(challenge) or not _STATE.fullmatch(state):
        return None
    return Cli(redirect=redirect, state=state, challenge=challenge)
