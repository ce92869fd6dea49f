"""Microsoft Graph: delta queries from now on, and subscriptions that are made and renewed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from actas.errors import ActasError
from actas.events.sources.asking import windows
from actas.events.sources.asking.client import Client
from actas.events.sources.asking.frame import Frame
from actas.events.sources.errors import MalformedDelivery, ProviderRefused, ProviderUnreadable
from actas.events.sources.reading import strict
from actas.events.sources.reading.entra import Page
from actas.identify.lookup import Account
from actas.identify.lookups import graph as lookup
from actas.settings.schema_event_sources import EventClient

RESOURCES: Final[Mapping[str, str]] = {
    "users": "User.Read.All",
    "groups": "GroupMember.Read.All",
    "directoryRoles": "RoleManagement.Read.Directory",
}
"""What is followed, and the application permission that lets us."""
_SELECT: Final = {
    "users": "id,accountEnabled,signInSessionsValidFromDateTime,lastPasswordChangeDateTime",
    "groups": "id,members",
    "directoryRoles": "id,members",
}
_SUBSCRIBED: Final = ("users", "groups")
"""What Graph notifies of; directory roles are asked for only."""
_LONGEST: Final = timedelta(minutes=41_000)
"""How long a subscription lasts: a little under the most that Graph grants for users and groups."""
_RENEW: Final = timedelta(days=10)
"""How long before its end a subscription is renewed: long enough to notice that it cannot be."""
_MINIMAL: Final = (("Prefer", "return=minimal"),)
"""Of what changed, what changed; else everything that is selected comes again, with the times of long ago."""
_RENEW_EVERY: Final = timedelta(hours=1)
_BASES: Final = {
    "global": "https://graph.microsoft.com",
    "us-government": "https://graph.microsoft.us",
    "china": "https://microsoftgraph.chinacloudapi.cn",
}


class Subscribed(msgspec.Struct, frozen=True):
    """A subscription that is ours."""

    id: str
    expires: str = msgspec.field(name="expirationDateTime")


class Cursor(msgspec.Struct, frozen=True):
    """Where each delta query and each log goes on, and what we are subscribed to."""

    links: dict[str, str] = msgspec.field(default_factory=dict)
    subscriptions: dict[str, Subscribed] = msgspec.field(default_factory=dict)
    logs: dict[str, windows.Cursor] = msgspec.field(default_factory=dict)


def read_cursor(text: str | None) -> Cursor:
    """Read our own cursor; one that is none begins anew."""
    try:
        return Cursor() if text is None else msgspec.json.decode(text, type=Cursor)
    except msgspec.DecodeError:
        return Cursor()


class Graph:
    """The API, as one client sees it."""

    def __init__(self, frame: Frame, client: EventClient) -> None:
        self._frame, self._client = frame, client
        self.base = (client.url or _BASES[frame.provider.cloud or "global"]).rstrip("/")
        self.api = Client(frame.making, self._sign_in, private=frame.provider.private, ca=frame.provider.ca)
        self._renewed_at: datetime | None = None

    def renew_soon(self) -> None:
        """Renew every subscription the next time, whatever its end."""
        self._renewed_at = None

    async def begin(self, resource: str, *, now: datetime) -> str:
        """Give the link by which changes from now on are read."""
        url = f"{self.base}/v1.0/{resource}/delta?$select={_SELECT[resource]}&$deltatoken=latest"
        page = await self._page(url, now)
        if page.delta_link is None:
            raise ProviderUnreadable(what="the delta query", why="gave no link to go on with")
        return page.delta_link

    async def page(self, link: str, *, now: datetime) -> Page:
        """Read the page that *link* leads to."""
        return await self._page(link, now)

    async def _page(self, url: str, now: datetime) -> Page:
        what = "the delta query"
        try:
            found = strict.shaped(await self.api.json(what, url, now=now, headers=_MINIMAL), Page)
        except MalformedDelivery as wrong:
            raise ProviderUnreadable(what=what, why=wrong.why) from wrong
        for link in (found.next_link, found.delta_link):
            if link is not None and not link.startswith(f"{self.base}/"):
                raise ProviderUnreadable(what=what, why="links to another place")
        return found

    async def subscribe(
        self, held: Mapping[str, Subscribed], *, now: datetime
    ) -> tuple[dict[str, Subscribed], tuple[str, ...]]:
        """Make and renew subscriptions; what cannot be had is told, and asking goes on without it.

        Renewing authorizes anew too, and shows that a subscription is still there. So it is done often: what Graph
        says of a subscription's life may have reached another gateway than the one that asks.
        """
        found, notes = dict(held), []
        renew = self._renewed_at is None or now >= self._renewed_at + _RENEW_EVERY
        if renew:
            self._renewed_at = now
        for resource in _SUBSCRIBED:
            one = found.get(resource)
            try:
                if one is not None and (renew or strict.instant(one.expires) < now + _RENEW):
                    one = await self._renewed(one, now)
                found[resource] = one or await self._subscribed(resource, now)
            except ActasError as wrong:
                notes.append(f"no notifications of {resource}: {wrong.code}")
        return found, tuple(notes)

    async def _subscribed(self, resource: str, now: datetime) -> Subscribed:
        address = f"{self._frame.making.public_url}/events/{self._frame.name}"
        body = {
            "changeType": "updated,deleted",
            "notificationUrl": address,
            "lifecycleNotificationUrl": address,
            "resource": resource,
            "expirationDateTime": strict.written(now + _LONGEST),
            "clientState": self._frame.secret(self._frame.settings.secret, "secret").reveal(),
        }
        return await self._change("the subscription", "POST", f"{self.base}/v1.0/subscriptions", body, now)

    async def _renewed(self, one: Subscribed, now: datetime) -> Subscribed | None:
        """Renew a subscription; None where Graph does not know it any more."""
        url = f"{self.base}/v1.0/subscriptions/{one.id}"
        try:
            return await self._change(
                "the renewal", "PATCH", url, {"expirationDateTime": strict.written(now + _LONGEST)}, now
            )
        except ProviderRefused as refused:
            if refused.found != 404:
                raise
            return None

    async def _change(self, what: str, method: str, url: str, body: dict[str, str], now: datetime) -> Subscribed:
        answer = await self.api.json(what, url, now=now, method=method, body=msgspec.json.encode(body))
        try:
            return strict.shaped(answer, Subscribed)
        except MalformedDelivery as wrong:
            raise ProviderUnreadable(what=what, why=wrong.why) from wrong

    def _sign_in(self, now: datetime) -> Any:
        client, provider = self._client, self._frame.provider
        account = Account(
            id=client.id,
            secret=self._frame.secret(client.secret, "client secret"),
            issuer="",
            tenant=provider.tenant,
            cloud=provider.cloud or "global",
            token_url=client.token_url,
            private=provider.private,
            ca=provider.ca,
        )
        return lookup.sign_in(account, now)
