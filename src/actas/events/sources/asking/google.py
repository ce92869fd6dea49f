"""Google's Reports and Directory APIs, as a service account in an administrator's name."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from actas import jose
from actas.events.sources.asking.client import Client
from actas.events.sources.asking.frame import Frame
from actas.events.sources.errors import MalformedDelivery, ProviderRefused, ProviderUnreadable
from actas.events.sources.reading import google as reading
from actas.events.sources.reading import strict
from actas.events.sources.reading.told import ENDS, Told
from actas.identify.lookup import Account, ask_for_token
from actas.identify.lookups.google import service_account_key
from actas.settings.schema_event_sources import EventClient

_API: Final = "https://admin.googleapis.com"
_TOKEN_URL: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 - where tokens are had
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SCOPES: Final = (
    "https://www.googleapis.com/auth/admin.reports.audit.readonly "
    "https://www.googleapis.com/auth/admin.directory.user.readonly"
)
_LASTS: Final = 300
_PAGE: Final = 1000
_MOST_PAGES: Final = 100
_REMEMBERED: Final = 10_000
_WHAT: Final = "the report"
_OF_GROUPS: Final = frozenset({"group-left", "role-revoked"})
"""What can happen to a group inside another one too."""


class _Page(msgspec.Struct, frozen=True):
    items: tuple[Any, ...] = ()
    next_page: str | None = msgspec.field(default=None, name="nextPageToken")


class _Person(msgspec.Struct, frozen=True):
    id: str


class _People(msgspec.Struct, frozen=True):
    users: tuple[_Person, ...] = ()


class Reports:
    """What is asked for."""

    def __init__(self, frame: Frame, client: EventClient) -> None:
        self._frame, self._client = frame, client
        self._base = (client.url or _API).rstrip("/")
        self._api = Client(frame.making, self._sign_in, private=frame.provider.private, ca=frame.provider.ca)
        self._known: OrderedDict[str, str | None] = OrderedDict()
        self.unreadable = 0

    async def between(
        self,
        application: str,
        begin: datetime,
        end: datetime,
        *,
        now: datetime,
        spent: Callable[[], bool] = lambda: False,
    ) -> tuple[list[Told], bool]:
        """Give what one report has between two moments, and whether that is all: the newest come first."""
        query: dict[str, Any] = {
            "startTime": strict.written(begin),
            "endTime": strict.written(end),
            "maxResults": _PAGE,
        }
        url = f"{self._base}/admin/reports/v1/activity/users/all/applications/{application}"
        told: list[Told] = []
        for _ in range(_MOST_PAGES):
            page = _shaped(await self._api.json(_WHAT, f"{url}?{urlencode(query)}", now=now), _Page)
            for item in page.items:
                told += self._read(item)
            if not page.next_page:
                return told, True
            if spent():
                break
            query["pageToken"] = page.next_page
        return told, False

    def _read(self, item: Any) -> tuple[Told, ...]:
        """Read one activity. One that nobody can read is counted: it must not keep those behind it from us."""
        try:
            found = tuple(self._frame.fit.with_raw(reading.activity(item), item))
        except MalformedDelivery:
            self.unreadable += 1
            return ()
        for one in found:
            if one.subject is not None and one.mail is not None:
                self._remember(one.mail, one.subject)
        return found

    async def named(self, one: Told, *, now: datetime) -> Told:
        """Give an event that names somebody by address the identifier that tokens carry, as far as it is known."""
        mail = one.mail
        if one.subject is not None or mail is None:
            return one
        if mail not in self._known and one.kind in ENDS:
            self._remember(mail, await self._look_up(mail, now))
        found = self._known.get(mail)
        if found is None and one.kind in _OF_GROUPS:  # the address of a group, perhaps: then it is about its members
            return replace(one, named=())
        return replace(one, subject=found)

    async def look_at_directory(self, now: datetime) -> None:
        """Look the administrator up, who is always there; raise `ProviderRefused` where that is not let."""
        asked = quote(self._client.admin or "", safe="@")
        await self._api.json("the directory", f"{self._base}/admin/directory/v1/users/{asked}", now=now)

    async def _look_up(self, mail: str, now: datetime) -> str | None:
        """Ask the directory, and for somebody who is deleted those who were."""
        what, url = "the directory", f"{self._base}/admin/directory/v1/users"
        try:
            asked = f"{url}/{quote(mail, safe='@')}"
            return str(_shaped(await self._api.json(what, asked, now=now), _Person).id)
        except ProviderRefused as refused:
            if refused.found != 404:
                raise
        escaped = mail.replace("\\", "").replace("'", "")
        query = urlencode({"customer": "my_customer", "showDeleted": "true", "query": f"email='{escaped}'"})
        found = _shaped(await self._api.json(what, f"{url}?{query}", now=now), _People).users
        return str(found[0].id) if len(found) == 1 else None

    def _remember(self, mail: str, subject: str | None) -> None:
        if len(self._known) >= _REMEMBERED:
            self._known.popitem(last=False)
        self._known[mail] = subject

    def _sign_in(self, now: datetime) -> Any:
        client, provider = self._client, self._frame.provider
        secret = self._frame.secret(client.secret, "client secret")
        url, at = client.token_url or _TOKEN_URL, int(now.timestamp())
        claims = {"iss": client.id, "sub": client.admin, "scope": _SCOPES, "aud": url, "iat": at, "exp": at + _LASTS}
        assertion = jose.sign(claims, service_account_key(secret), algorithm="RS256", header={"typ": "JWT"})
        account = Account(
            id=client.id, secret=secret, issuer="", admin=client.admin, private=provider.private, ca=provider.ca
        )
        return ask_for_token(account, url, {"grant_type": _GRANT, "assertion": assertion}, now)


def _shaped(value: Any, shape: Any) -> Any:
    try:
        return strict.shaped(value, shape)
    except MalformedDelivery as wrong:
        raise ProviderUnreadable(what=_WHAT, why=wrong.why) from wrong
