"""What a look-up of groups is: two conversations, one to sign in and one to ask.

Pure. The edge that has them, caches what they give and says *unknown* where they fail is `members`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

import msgspec

from actas.identify.errors import UnexpectedAnswer
from actas.identify.flow import Flow, Wish, read
from actas.identify.profile import Issuer
from actas.model.secret import Secret
from actas.settings.schema import LookupClient, Provider

MOST_PAGES: Final = 50
"""How many pages of groups are read; a longer list is no list."""
_SOONER: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The client by which we ask, and where."""

    id: str
    secret: Secret
    issuer: str
    tenant: str | None = None
    cloud: str = "global"
    token_url: str | None = None
    url: str | None = None
    admin: str | None = None
    private: bool = False
    ca: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A token of our own for the provider's API, and until when we use it."""

    token: Secret = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """One way of asking."""

    sign_in: Callable[[Account, datetime], Flow[Lease]]
    groups: Callable[[Account, Lease, str], Flow[frozenset[str]]]
    """Give the names of all groups of the subject, or fail: never a part of them."""


class _TokenAnswer(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float = 60.0


def account_of(client: LookupClient, provider: Provider, issuer: Issuer, secret: Secret) -> Account:
    """Read the account from the settings of *provider*."""
    return Account(
        id=client.id,
        secret=secret,
        issuer=issuer.iss,
        tenant=issuer.tenant,
        cloud=provider.cloud or "global",
        token_url=client.token_url,
        url=client.url,
        admin=client.admin,
        private=provider.private,
        ca=provider.ca,
    )


def ask_for_token(account: Account, url: str, form: Mapping[str, str], now: datetime) -> Flow[Lease]:
    """Get a token at the token endpoint *url* (RFC 6749, sections 4.4 and 5.1)."""
    answer = yield Wish(
        url=url,
        method="POST",
        headers=(("Content-Type", "application/x-www-form-urlencoded"),),
        body=urlencode(form).encode(),
        private=account.private,
        ca=account.ca,
    )
    found = read(answer, _TokenAnswer, "the token endpoint")
    if not found.access_token.isascii() or not found.access_token.isprintable():
        raise UnexpectedAnswer(what="the token endpoint", why="gave a token that cannot stand in a header")
    span = timedelta(seconds=min(max(found.expires_in, 0.0), 3600.0))
    return Lease(token=Secret(found.access_token), until=now + max(span - _SOONER, timedelta()))


def wish(account: Account, lease: Lease, url: str, *, body: bytes | None = None) -> Wish:
    """Make a request of the API at *url*."""
    headers: tuple[tuple[str, str], ...] = (("Authorization", f"Bearer {lease.token.reveal()}"),)
    if body is not None:
        headers = (*headers, ("Content-Type", "application/json"))
    return Wish(
        url=url,
        method="GET" if body is None else "POST",
        headers=headers,
        body=body,
        private=account.private,
        ca=account.ca,
    )
