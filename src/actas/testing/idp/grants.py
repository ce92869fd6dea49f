"""What the provider has granted: the code, device and refresh handles that stand for a person's consent.

Holds state, opens nothing. The time is an argument.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from actas.testing.idp.authorize import Asked
from actas.testing.idp.facts import Shape
from actas.testing.idp.people import Client, Person
from actas.testing.idp.shelf import Shelf

SIGN_IN_LIFE = timedelta(minutes=10)
CODE_LIFE = timedelta(seconds=60)
DEVICE_LIFE = timedelta(minutes=10)
REFRESH_LIFE = timedelta(hours=8)
TRIES = 5
"""Wrong passwords until a sign-in has to be started again."""


@dataclass(slots=True, kw_only=True)
class SignIn:
    """A sign-in page that was shown and not yet answered; bound to the browser that got it."""

    asked: Asked
    shape: Shape
    browser: bytes
    """The hash of the browser's cookie."""
    tries: int = 0


@dataclass(slots=True, kw_only=True)
class Grant:
    """One sign-in and all tokens that came of it."""

    shape: Shape
    client: Client
    person: Person
    scopes: tuple[str, ...]
    resource: str | None
    authenticated: datetime
    nonce: str | None = None
    session: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    revoked: bool = False


@dataclass(slots=True, kw_only=True)
class Code:
    """An authorization code: once, soon, for who holds the verifier."""

    grant: Grant
    redirect: str
    challenge: str
    used: bool = False


@dataclass(slots=True, kw_only=True)
class Refresh:
    """A refresh token; it is replaced at each use, and its second use ends the grant (RFC 9700, section 4.14.2)."""

    grant: Grant
    used: bool = False


@dataclass(slots=True, kw_only=True)
class Device:
    """A device that waits for a person (RFC 8628)."""

    client: Client
    shape: Shape
    scopes: tuple[str, ...]
    resource: str | None
    user_code: str
    interval: timedelta
    challenge: str | None = None
    """PKCE for devices is in no standard, but a device that begins with it is held to it."""
    tries: int = 0
    polled: datetime | None = None
    state: Literal["pending", "denied", "used"] | Grant = "pending"


@dataclass(slots=True, kw_only=True)
class Shelves:
    """Everything the provider remembers."""

    sign_ins: Shelf[SignIn] = field(default_factory=Shelf)
    codes: Shelf[Code] = field(default_factory=Shelf)
    refreshes: Shelf[Refresh] = field(default_factory=Shelf)
    devices: Shelf[Device] = field(default_factory=Shelf)
    user_codes: Shelf[Device] = field(default_factory=Shelf)
    access: Shelf[Grant] = field(default_factory=Shelf)
    """The access tokens that are out, for userinfo and revocation."""
    forms: Shelf[bytes] = field(default_factory=Shelf)
    """The device forms that were shown, each with the hash of the browser's cookie."""
