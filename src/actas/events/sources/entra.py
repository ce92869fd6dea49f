"""Entra: Microsoft Graph asked by delta queries, and rung for by change notifications.

In the settings::

    events:
      sources:
        entra-events:
          kind: entra
          provider: azure
          client: {id: 6e74172b-…, secret: {env: GRAPH_EVENTS_SECRET}}
          secret: {env: GRAPH_CLIENT_STATE}        # notifications: the clientState that each of them shows
          logs: [sign-ins, audits]                 # read too; AuditLog.Read.All, and for sign-ins a licence

The client has the application permissions User.Read.All, GroupMember.Read.All and RoleManagement.Read.Directory.
A notification says that something changed, not what: it rings, and the delta query that follows at once says what.
Without ``secret`` the delta queries alone go on. Subscriptions are made, renewed long before they end, and made anew
when Graph says that one is gone. Graph gives changes no time: they happened when they were heard.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

from actas.events.interface import Advice, Batch, Health, Listed, Making, Pushed, Reply
from actas.events.normal import IdentityEvent
from actas.events.sources.asking import graph, graph_logs
from actas.events.sources.asking.frame import Frame, Trouble
from actas.events.sources.asking.graph import RESOURCES, Cursor, Graph
from actas.events.sources.asking.graph_logs import Logs
from actas.events.sources.errors import MalformedDelivery, NotAuthentic, ProviderRefused, SourceIncomplete
from actas.events.sources.reading import entra as reading
from actas.events.sources.reading import strict
from actas.events.sources.reading.told import Told
from actas.model.secret import Secret
from actas.settings.schema import Provider
from actas.settings.schema_event_sources import EventClient
from actas.settings.schema_events import EventSource

_BELL: Final = timedelta(seconds=1)
"""How soon a notification is followed up, by the gateway that it reaches."""
_MOST_PAGES: Final = 20
_LONGEST_TOKEN: Final = 4096
_LONGEST_STATE: Final = 128


class EntraAsked:
    """Asks by delta queries."""

    def __init__(self, frame: Frame, client: EventClient) -> None:
        self.name, self.provider = frame.name, frame.fit.provider
        self._frame = frame
        self.graph = Graph(frame, client)
        self.logs = Logs(frame, self.graph)
        self._trouble = Trouble()
        self._notes: tuple[str, ...] = ()
        self._unreadable = 0

    @property
    def every(self) -> timedelta:
        """How long to wait between two questions."""
        return self._frame.settings.every.time

    def health(self) -> Health:
        """Tell how it does; a delta link is good for some days."""
        trouble = self._trouble.code or self.logs.trouble
        odd = (f"changes that could not be read: {self._unreadable}",) if self._unreadable else ()
        notes = (*self._notes, *odd, *self.logs.notes)
        return Health(trouble=trouble, reaches_back=timedelta(days=7), notes=notes)

    async def close(self) -> None:
        """Leave the subscriptions, which end by themselves: another gateway may live by them."""

    async def poll(self, cursor: str | None, *, now: datetime) -> Batch:
        """Ask for what changed."""
        with self._trouble:
            return await self._poll(graph.read_cursor(cursor), now)

    async def _poll(self, cursor: Cursor, now: datetime) -> Batch:
        events: list[IdentityEvent] = []
        links, more, missed = dict(cursor.links), False, False
        for resource in RESOURCES:
            try:
                unfinished = await self._changes(resource, links, events, now)
            except ProviderRefused as refused:
                if refused.found not in (400, 410):
                    raise
                # The link is too old, or the directory was moved: what changed since is lost, and is said to be.
                links[resource], missed, unfinished = await self.graph.begin(resource, now=now), True, False
            more = more or unfinished
        subscriptions = cursor.subscriptions
        if self._frame.settings.secret is not None:
            subscriptions, self._notes = await self.graph.subscribe(subscriptions, now=now)
        told, logs, behind = await self.logs.poll(cursor.logs, now=now)
        events += self._frame.fit.asked(told, now=now)
        missed = missed or any(strict.instant(one.to) < now - graph_logs.KEPT for one in cursor.logs.values())
        more, after = more or behind, Cursor(links=links, subscriptions=subscriptions, logs=logs)
        return Batch(events=tuple(events), cursor=msgspec.json.encode(after).decode(), more=more, missed=missed)

    async def _changes(self, resource: str, links: dict[str, str], events: list[IdentityEvent], now: datetime) -> bool:
        """Follow the pages of one delta query; tell whether there are more than are read at once."""
        if resource not in links:
            links[resource] = await self.graph.begin(resource, now=now)
            return False
        spent = self._frame.spent()
        for _ in range(_MOST_PAGES):
            page = await self.graph.page(links[resource], now=now)
            for row in page.value:
                events += self._frame.fit.asked(self._read(row, links[resource], resource, now), now=now)
            links[resource] = page.delta_link or page.next_link or links[resource]
            if page.next_link is None:
                return False
            if spent():
                break
        return True

    def _read(self, row: Any, link: str, resource: str, now: datetime) -> list[Told]:
        """Read one object. One that nobody can read is counted: it must not keep those behind it from us."""
        try:
            return self._frame.fit.with_raw(reading.change(row, link=link, of=resource, heard=now), row)
        except MalformedDelivery:
            self._unreadable += 1
            return []

    async def examine(self, *, now: datetime) -> tuple[Advice, ...]:
        """See whether the directory can be read."""
        found = []
        for resource, right in RESOURCES.items():
            try:
                await self.graph.begin(resource, now=now)
            except ProviderRefused as wrong:
                message = f"changes of {resource} may not be read (status {wrong.found})"
                hint = (
                    f"Under App registrations > the app > API permissions > Microsoft Graph > Application permissions, "
                    f"add {right}; then Grant admin consent."
                )
                found.append(Advice(code="right-missing", severity="error", message=message, hint=hint))
            else:
                message = f"changes of {resource} can be read"
                found.append(Advice(code=f"{resource}-readable".lower(), severity="fine", message=message, hint=""))
        return (*found, *self._state(), *await self.logs.examine(now=now))

    def _state(self) -> tuple[Advice, ...]:
        """See that notifications can show the secret."""
        reference = self._frame.settings.secret
        if reference is None or len(self._frame.secret(reference, "secret").reveal()) <= _LONGEST_STATE:
            return ()
        message = f"the secret is longer than Graph keeps: {_LONGEST_STATE} characters"
        return (Advice(code="client-state-too-long", severity="error", message=message, hint="Take a shorter one."),)


class EntraRung(EntraAsked):
    """Asks, and is rung for: it looks every second whether it was, and asks when it was or it is time."""

    def __init__(self, frame: Frame, client: EventClient) -> None:
        super().__init__(frame, client)
        self._gave: tuple[str, datetime] | None = None
        self._rung = False

    @property
    def every(self) -> timedelta:
        """How soon to look whether it is time, or the bell rang."""
        return min(_BELL, self._frame.settings.every.time)

    def ring(self) -> None:
        """Take note that something changed."""
        self._rung = True

    async def poll(self, cursor: str | None, *, now: datetime) -> Batch:
        """Ask, unless nobody rang, it is not time, and we stopped right here."""
        idle = not self._rung and self._gave is not None and self._gave[0] == cursor
        if cursor is not None and idle and self._gave and now < self._gave[1] + self._frame.settings.every.time:
            return Batch(events=(), cursor=cursor)
        self._rung = False
        found = await super().poll(cursor, now=now)
        self._gave = None if found.more else (found.cursor, now)
        return found

    async def receive(self, pushed: Pushed, *, now: datetime) -> Reply:  # noqa: ARG002 - the socket
        """Take notifications: each must show the secret, or none of the delivery counts."""
        if pushed.method != "POST":
            return Reply(status=405, headers=(("allow", "POST"),))
        if (token := _validation(pushed.query)) is not None:
            # Section "notificationUrl validation": the decoded token as plain text, never as anything that is shown.
            headers = (("content-type", "text/plain; charset=utf-8"), ("x-content-type-options", "nosniff"))
            return Reply(status=200, headers=headers, body=token.encode())
        secret = self._frame.secret(self._frame.settings.secret, "secret")
        notified = reading.notifications(strict.json_of(pushed.body))
        if not all([_is_known(one, secret) for one in notified]):  # noqa: C419 - each, so that time says nothing
            raise NotAuthentic(why="a notification shows another clientState")
        self.ring()
        if any(one.lifecycle for one in notified):
            self.graph.renew_soon()
        return Reply(status=202)


class EntraListed(EntraAsked):
    """Reads logs too, and so can tell what they list; delta queries list nothing again."""

    def began(self, cursor: str) -> datetime | None:
        """Tell since when everything of every log is brought."""
        logs = graph.read_cursor(cursor).logs
        begun = [strict.instant(logs[name].since) for name in self._frame.settings.logs if name in logs]
        return max(begun) if len(begun) == len(self._frame.settings.logs) else self._frame.making.clock()

    def compare(self, since: datetime, *, until: datetime) -> AsyncIterator[Listed]:
        """Give everything that the logs have between the two."""
        return self.logs.compare(since, until=until)


class EntraRungListed(EntraListed, EntraRung):
    """Reads logs, and is rung for."""


def _is_known(one: reading.Notification, secret: Secret) -> bool:
    return secret.matches(one.secret)


def _validation(query: str) -> str | None:
    """Give the token by which Graph sees that the address is ours."""
    try:
        found: Any = parse_qs(query, strict_parsing=True, max_num_fields=10) if query else {}
    except ValueError as wrong:
        raise MalformedDelivery(why="its query cannot be read") from wrong
    tokens = found.get("validationToken")
    if tokens is None:
        return None
    if len(tokens) != 1 or len(tokens[0]) > _LONGEST_TOKEN or not tokens[0].isprintable():
        raise MalformedDelivery(why="its validation token is none")
    return str(tokens[0])


def source(settings: EventSource, provider: Provider, making: Making) -> EntraAsked:
    """Make the source that *settings* describe."""
    frame = Frame.of(settings, provider, making)
    if settings.client is None:
        raise SourceIncomplete(source=making.name, why="has no client to ask with")
    if provider.tenants is not None:
        raise SourceIncomplete(source=making.name, why="has a provider of several tenants: each needs one of its own")
    if provider.tenant is None:
        raise SourceIncomplete(source=making.name, why="has a provider without a tenant")
    if settings.logs:
        return (
            EntraListed(frame, settings.client) if settings.secret is None else EntraRungListed(frame, settings.client)
        )
    return EntraAsked(frame, settings.client) if settings.secret is None else EntraRung(frame, settings.client)
