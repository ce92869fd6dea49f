"""Okta: told by event hooks, asked by the System Log API, or both at once.

In the settings::

    events:
      sources:
        okta-events:
          kind: okta
          provider: okta
          secret: {env: OKTA_HOOK_SECRET}       # told: what the hook's Authorization header is
          token: {env: OKTA_API_TOKEN}          # asked: an API token of a read-only administrator, or
          client: {id: 0oa1…, secret: {file: okta-key.json}}   # a service app with okta.logs.read and its key (JWK)

Hooks are tried twice and come in no order; the System Log has everything for 90 days. An entry has one ``uuid``
whichever way it comes.
"""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import msgspec

from actas.events.interface import Advice, Batch, Health, Listed, Making, Pushed, Reply
from actas.events.sources.asking import being_told, okta_sign_in, proof
from actas.events.sources.asking.client import Client, read
from actas.events.sources.asking.fit import name_of
from actas.events.sources.asking.frame import Both, Frame, Trouble
from actas.events.sources.errors import MalformedDelivery, ProviderRefused, ProviderUnreadable, SourceIncomplete
from actas.events.sources.reading import okta as reading
from actas.events.sources.reading import strict
from actas.events.sources.reading.told import ENDS, Told
from actas.settings.schema import Provider
from actas.settings.schema_events import EventSource

_KEPT: Final = timedelta(days=90)
_BEGIN: Final = timedelta(hours=24)
_LIMIT: Final = 1000
_MOST_PAGES: Final = 20
_WHAT: Final = "the System Log"
_NEXT: Final = re.compile(r'<([^<>"\s]{1,4096})>\s*;\s*rel="?next"?')


class _Cursor(msgspec.Struct, frozen=True):
    since: str
    """When we began to listen: of what was before, only what ends access counts."""
    link: str | None = None
    """The page to go on with, as Okta gave it."""
    at: str | None = None
    """When the last entry was published, for a link that Okta does not know any more."""


class OktaTold:
    """Takes event hooks."""

    def __init__(self, frame: Frame) -> None:
        self.name, self.provider, self._frame = frame.name, frame.fit.provider, frame

    def health(self) -> Health:
        """Know nothing: hooks are tried twice, and what they lose only asking brings."""
        return Health()

    async def close(self) -> None:
        """Hold nothing."""

    async def receive(self, pushed: Pushed, *, now: datetime) -> Reply:
        """Take a delivery, or answer the one challenge by which Okta verifies the address."""
        if pushed.method == "GET":
            challenge = strict.name(pushed.header("x-okta-verification-challenge"))
            if challenge is None:
                raise MalformedDelivery(why="it has no challenge")
            body = msgspec.json.encode({"verification": challenge})
            headers = (("content-type", "application/json"), ("x-content-type-options", "nosniff"))
            return Reply(status=200, headers=headers, body=body)
        if pushed.method != "POST":
            return Reply(status=405, headers=(("allow", "GET, POST"),))
        settings = self._frame.settings
        proof.shows(pushed, settings.header.lower(), self._frame.secret(settings.secret, "secret"))
        told = reading.hook(strict.json_of(pushed.body))
        return Reply(status=204, events=self._frame.fit.pushed(told, now=now, raw=pushed.body))

    async def examine(self, *, now: datetime) -> tuple[Advice, ...]:  # noqa: ARG002 - the socket
        """Say where deliveries come to, and what to switch on."""
        return tuple(being_told.advice(self._frame))


class OktaAsked:
    """Asks the System Log API."""

    def __init__(self, frame: Frame, base: str) -> None:
        self.name, self.provider, self.every = frame.name, frame.fit.provider, frame.settings.every.time
        self._frame, self._base = frame, base
        sign_in, self._scheme = okta_sign_in.way(frame, base)
        self._api = Client(frame.making, sign_in, private=frame.provider.private, ca=frame.provider.ca)
        self._trouble = Trouble()
        self._unreadable = 0

    def health(self) -> Health:
        """Tell how it does."""
        notes = (f"entries that could not be read: {self._unreadable}",) if self._unreadable else ()
        return Health(trouble=self._trouble.code, reaches_back=_KEPT, notes=notes)

    async def close(self) -> None:
        """Hold nothing."""

    async def poll(self, cursor: str | None, *, now: datetime) -> Batch:
        """Ask for what is new; without an end, Okta lists by when an entry became visible, so none is passed over."""
        with self._trouble:
            return await self._poll(_read_cursor(cursor, now), now)

    async def _poll(self, cursor: _Cursor, now: datetime) -> Batch:
        url, missed = self._first(cursor, now), False
        told: list[Told] = []
        full, spent = True, self._frame.spent()
        for page in range(_MOST_PAGES):
            try:
                rows, link = await self._page(url, now)
            except ProviderRefused as refused:
                if page or cursor.link is None or refused.found not in (400, 404, 410):
                    raise
                # A link that is not known any more: go on by time, with much overlap.
                since = strict.instant(cursor.at or cursor.since) - self._frame.settings.overlap.time
                rows, link = await self._page(self._list(since=max(since, now - _KEPT)), now)
                missed = since < now - _KEPT
            told += rows
            full, url = len(rows) >= _LIMIT, link or url
            if not full or spent():
                break
        at = max((one.at for one in told), default=None)
        after = _Cursor(since=cursor.since, link=url, at=strict.written(at) if at else cursor.at)
        since_at = strict.instant(cursor.since)
        kept = [one for one in told if one.at >= since_at or one.kind in ENDS]
        return Batch(
            events=self._frame.fit.asked(kept, now=now),
            cursor=msgspec.json.encode(after).decode(),
            more=full,
            missed=missed,
        )

    def _first(self, cursor: _Cursor, now: datetime) -> str:
        if cursor.link is not None and cursor.link.startswith(f"{self._base}/api/v1/logs?"):
            return cursor.link
        return self._list(since=min(now, strict.instant(cursor.since)) - _BEGIN)

    def _list(self, *, since: datetime, until: datetime | None = None) -> str:
        query: dict[str, Any] = {"since": strict.written(since), "sortOrder": "ASCENDING", "limit": _LIMIT}
        if until is not None:
            query["until"] = strict.written(until)
        return f"{self._base}/api/v1/logs?{urlencode(query)}"

    async def _page(self, url: str, now: datetime) -> tuple[list[Told], str | None]:
        """Read a page and the link to the next, which leads nowhere but to this API."""
        answer = await self._api.ask(_WHAT, url, now=now, scheme=self._scheme)
        rows = read(_WHAT, answer)
        if not isinstance(rows, list):
            raise ProviderUnreadable(what=_WHAT, why="is no list")
        told: list[Told] = []
        for row in rows:
            try:
                told += self._frame.fit.with_raw([reading.log_event(row)], row)
            except MalformedDelivery:  # counted: it must not keep those behind it from us
                self._unreadable += 1
        links = [value for name, value in answer.headers if name.lower() == "link"]
        found = next((match[1] for value in links for match in _NEXT.finditer(value)), None)
        if found is not None and not found.startswith(f"{self._base}/api/v1/logs?"):
            raise ProviderUnreadable(what=_WHAT, why="links to another place")
        return told, found

    def began(self, cursor: str) -> datetime | None:
        """Tell since when everything is brought."""
        return strict.instant(_read_cursor(cursor, self._frame.making.clock()).since)

    async def compare(self, since: datetime, *, until: datetime) -> AsyncIterator[Listed]:
        """Give everything that the log has between the two."""
        url: str | None = self._list(since=since, until=until + timedelta(milliseconds=1))
        while url is not None:
            rows, link = await self._page(url, until)
            for one in (each for each in rows if each.at <= until):
                yield Listed(id=name_of(one), happened_at=one.at, kind=one.kind)
            url = link if rows else None

    async def examine(self, *, now: datetime) -> tuple[Advice, ...]:
        """See whether the log can be read."""
        try:
            await self._page(self._list(since=now - timedelta(minutes=1)), now)
        except ProviderRefused as wrong:
            hint = (
                "Under Applications > the service app, grant okta.logs.read in Okta API Scopes and Read-only "
                "Administrator in Admin roles; or give the token's user that role under Security > Administrators."
            )
            message = f"the System Log may not be read (status {wrong.found})"
            return (Advice(code="right-missing", severity="error", message=message, hint=hint),)
        return (Advice(code="log-readable", severity="fine", message="the System Log can be read", hint=""),)


def _read_cursor(text: str | None, now: datetime) -> _Cursor:
    try:
        return _Cursor(since=strict.written(now)) if text is None else msgspec.json.decode(text, type=_Cursor)
    except msgspec.DecodeError:
        return _Cursor(since=strict.written(now))


def base_of(issuer: str | None, url: str | None) -> str | None:
    """Find the organisation's base: an authorization server's issuer is a path below it."""
    parts = urlsplit(url or issuer or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else None


def source(settings: EventSource, provider: Provider, making: Making) -> OktaAsked | OktaTold | Both:
    """Make the source that *settings* describe."""
    frame = Frame.of(settings, provider, making)
    base = base_of(provider.issuer, settings.client.url if settings.client else None)
    told = OktaTold(frame) if settings.secret is not None else None
    if settings.token is None and settings.client is None:
        if told is None:
            raise SourceIncomplete(source=making.name, why="has neither a token or client to ask with nor a secret")
        return told
    if base is None:
        raise SourceIncomplete(source=making.name, why="has a provider without an issuer to ask at")
    asked = OktaAsked(frame, base)
    return asked if told is None else Both(asked, told)
