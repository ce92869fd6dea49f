"""Auth0: told by a log stream, asked by the Management API, or both at once.

In the settings::

    events:
      sources:
        auth0-events:
          kind: auth0
          provider: auth0
          secret: {env: AUTH0_STREAM_SECRET}     # told: the stream's Authorization token, letter by letter
          client: {id: x8…, secret: {env: AUTH0_EVENTS_SECRET}}   # asked: a machine-to-machine client with read:logs

A stream is tried a few times and then paused; asking goes on from the last entry. An entry has one ``log_id``
whichever way it comes.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from actas.events.interface import Advice, Batch, Health, Listed, Making, Pushed, Reply
from actas.events.sources.asking import being_told, proof
from actas.events.sources.asking.client import Client
from actas.events.sources.asking.fit import name_of
from actas.events.sources.asking.frame import Both, Frame, Trouble
from actas.events.sources.errors import MalformedDelivery, ProviderRefused, ProviderUnreadable, SourceIncomplete
from actas.events.sources.reading import auth0 as reading
from actas.events.sources.reading import strict
from actas.events.sources.reading.told import ENDS, Told
from actas.identify.lookup import Account, ask_for_token
from actas.settings.schema import Provider
from actas.settings.schema_event_sources import EventClient
from actas.settings.schema_events import EventSource

_TAKE: Final = 100
_MOST_PAGES: Final = 20
_BEGIN: Final = timedelta(hours=24)
_WHAT: Final = "the tenant's log"


class _Cursor(msgspec.Struct, frozen=True):
    since: str
    last: str | None = None
    """The ``log_id`` that was read last."""
    at: str | None = None
    """When that entry was written, for a checkpoint that the tenant does not know any more."""


class Auth0Told:
    """Takes a log stream."""

    def __init__(self, frame: Frame) -> None:
        self.name, self.provider, self._frame = frame.name, frame.fit.provider, frame

    def health(self) -> Health:
        """Know nothing: a stream that fails is paused, and what it loses only asking brings."""
        return Health()

    async def close(self) -> None:
        """Hold nothing."""

    async def receive(self, pushed: Pushed, *, now: datetime) -> Reply:
        """Take a batch."""
        if pushed.method != "POST":
            return Reply(status=405, headers=(("allow", "POST"),))
        settings = self._frame.settings
        proof.shows(pushed, settings.header.lower(), self._frame.secret(settings.secret, "secret"))
        told = reading.stream(pushed.body)
        return Reply(status=204, events=self._frame.fit.pushed(told, now=now, raw=pushed.body))

    async def examine(self, *, now: datetime) -> tuple[Advice, ...]:  # noqa: ARG002 - the socket
        """Say where deliveries come to, and what to switch on."""
        return tuple(being_told.advice(self._frame))


class Auth0Asked:
    """Asks the Management API."""

    def __init__(self, frame: Frame, base: str, client: EventClient) -> None:
        self.name, self.provider, self.every = frame.name, frame.fit.provider, frame.settings.every.time
        self._frame, self._base, self._client = frame, base, client
        self._api = Client(frame.making, self._sign_in, private=frame.provider.private, ca=frame.provider.ca)
        self._trouble = Trouble()
        self._unreadable = 0

    def health(self) -> Health:
        """Tell how it does; how long entries are kept depends on the tenant's plan."""
        notes = (f"entries that could not be read: {self._unreadable}",) if self._unreadable else ()
        return Health(trouble=self._trouble.code, notes=notes)

    async def close(self) -> None:
        """Hold nothing."""

    async def poll(self, cursor: str | None, *, now: datetime) -> Batch:
        """Go on from the last entry."""
        with self._trouble:
            return await self._poll(_read_cursor(cursor, now), now)

    async def _poll(self, cursor: _Cursor, now: datetime) -> Batch:
        told: list[Told] = []
        last, since, rows, spent = cursor.last, strict.instant(cursor.since), 0, self._frame.spent()
        missed = False
        for page in range(_MOST_PAGES):
            try:
                found, read_to, rows = await self._page(last, now=now, since=since - _BEGIN)
            except ProviderRefused as refused:
                if page or last is None or refused.found not in (400, 404, 410):
                    raise
                # A checkpoint that is not known any more: go on by time; what was forgotten before it is lost.
                begin = since - _BEGIN if cursor.at is None else strict.instant(cursor.at)
                found, read_to, rows = await self._page(None, now=now, since=begin - self._frame.settings.overlap.time)
                missed = True
            told += found
            last = read_to or last
            if rows < _TAKE or spent():
                break
        kept = [one for one in told if one.at >= since or one.kind in ENDS]
        at = max((one.at for one in told), default=None)
        reached = _Cursor(since=cursor.since, last=last, at=strict.written(at) if at else cursor.at)
        after = msgspec.json.encode(reached).decode()
        return Batch(events=self._frame.fit.asked(kept, now=now), cursor=after, more=rows >= _TAKE, missed=missed)

    async def _page(self, last: str | None, *, now: datetime, since: datetime) -> tuple[list[Told], str | None, int]:
        """Read the entries after *last*; where there is none, those since *since*, oldest first."""
        if last is not None:
            query: dict[str, Any] = {"from": last, "take": _TAKE}
        else:
            query = {"q": f"date:[{strict.written(since)} TO *]", "sort": "date:1", "per_page": _TAKE, "page": 0}
        rows = await self._api.json(_WHAT, f"{self._base}/api/v2/logs?{urlencode(query)}", now=now)
        if not isinstance(rows, list):
            raise ProviderUnreadable(what=_WHAT, why="is no list")
        told: list[Told] = []
        for row in rows:
            try:
                told += self._frame.fit.with_raw(reading.entry(row), row)
            except MalformedDelivery:  # counted: it must not keep those behind it from us
                self._unreadable += 1
        names = [row.get("log_id") or row.get("_id") for row in rows if isinstance(row, dict)]
        return told, next((strict.name(one) for one in reversed(names) if isinstance(one, str)), None), len(rows)

    def began(self, cursor: str) -> datetime | None:
        """Tell since when everything is brought."""
        return strict.instant(_read_cursor(cursor, self._frame.making.clock()).since)

    async def compare(self, since: datetime, *, until: datetime) -> AsyncIterator[Listed]:
        """Give everything that the log has between the two."""
        last, rows = None, _TAKE
        while rows >= _TAKE:
            told, last, rows = await self._page(last, now=until, since=since)
            for one in told:
                if one.at > until:
                    return
                if one.at >= since:
                    yield Listed(id=name_of(one), happened_at=one.at, kind=one.kind)
            if last is None:
                return

    async def examine(self, *, now: datetime) -> tuple[Advice, ...]:
        """See whether the log can be read."""
        try:
            await self._page(None, now=now, since=now)
        except ProviderRefused as wrong:
            message = f"the tenant's log may not be read (status {wrong.found})"
            hint = (
                "Under Applications > APIs > Auth0 Management API > Machine to Machine Applications, authorize the "
                "client with read:logs."
            )
            return (Advice(code="right-missing", severity="error", message=message, hint=hint),)
        return (Advice(code="log-readable", severity="fine", message="the tenant's log can be read", hint=""),)

    def _sign_in(self, now: datetime) -> Any:
        client, provider = self._client, self._frame.provider
        secret = self._frame.secret(client.secret, "client secret")
        account = Account(id=client.id, secret=secret, issuer=self._base, private=provider.private, ca=provider.ca)
        form = {
            "grant_type": "client_credentials",
            "client_id": client.id,
            "client_secret": secret.reveal(),
            "audience": f"{self._base}/api/v2/",
        }
        return ask_for_token(account, client.token_url or f"{self._base}/oauth/token", form, now)


def _read_cursor(text: str | None, now: datetime) -> _Cursor:
    try:
        return _Cursor(since=strict.written(now)) if text is None else msgspec.json.decode(text, type=_Cursor)
    except msgspec.DecodeError:
        return _Cursor(since=strict.written(now))


def source(settings: EventSource, provider: Provider, making: Making) -> Auth0Asked | Auth0Told | Both:
    """Make the source that *settings* describe."""
    frame = Frame.of(settings, provider, making)
    told = Auth0Told(frame) if settings.secret is not None else None
    if settings.client is None:
        if told is None:
            raise SourceIncomplete(source=making.name, why="has neither a client to ask with nor a secret")
        return told
    base = (settings.client.url or provider.issuer or "").rstrip("/")
    if not base:
        raise SourceIncomplete(source=making.name, why="has a provider without an issuer to ask at")
    asked = Auth0Asked(frame, base, settings.client)
    return asked if told is None else Both(asked, told)
