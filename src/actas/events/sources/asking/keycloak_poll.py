"""Ask Keycloak: poll by poll, page by page, for the gap detector, and for the doctor."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Final

import msgspec

from actas.events.interface import Advice, Batch, Health, Listed
from actas.events.sources.asking import keycloak as realms
from actas.events.sources.asking import keycloak_mend
from actas.events.sources.asking.client import Client, check, read
from actas.events.sources.asking.fit import AHEAD, name_of
from actas.events.sources.asking.frame import Frame, Trouble
from actas.events.sources.asking.keycloak import FEEDS, LEAST_PAGE, MOST, PAGE, Config, Cursor, Realm
from actas.events.sources.errors import MalformedDelivery, ProviderRefused, ProviderUnreadable
from actas.events.sources.reading import keycloak as reading
from actas.events.sources.reading import strict
from actas.events.sources.reading.told import Told
from actas.identify.errors import Unreachable
from actas.identify.flow import Answer
from actas.identify.lookup import Account
from actas.identify.lookups import keycloak_admin
from actas.model.secret import Secret
from actas.settings.schema_event_sources import EventClient

_READ: Final = {"events": reading.user_event, "admin-events": reading.admin_event}
_WHAT: Final = {"events": "the list of events", "admin-events": "the list of admin events"}
_CONFIG_EVERY: Final = timedelta(minutes=10)
_LATEST: Final = 7_258_118_400_000
_SKEWED: Final = timedelta(seconds=10)


class KeycloakAsked:
    """Asks the admin REST API."""

    def __init__(self, frame: Frame, realm: Realm, client: EventClient) -> None:
        self.name, self.provider, self.every = frame.name, frame.fit.provider, frame.settings.every.time
        self._frame, self._realm, self._client = frame, realm, client
        self.api = Client(frame.making, self._sign_in, private=frame.provider.private, ca=frame.provider.ca)
        self._overlap = frame.settings.overlap.time // timedelta(milliseconds=1)
        self._config: Config | None = None
        self._looked_at: datetime | None = None
        self._trouble = Trouble()
        self._skew: timedelta | None = None
        self._unreadable = 0
        self._size = PAGE

    def health(self) -> Health:
        """Tell how it does."""
        notes = []
        if abs(self.skew) > _SKEWED:
            notes.append(f"the provider's clock is {self.skew.total_seconds():+.0f} s from ours")
        if self._unreadable:
            notes.append(f"events that could not be read: {self._unreadable}")
        kept = None if self._config is None else self._config.kept or timedelta(days=36500)
        return Health(trouble=self._trouble.code, reaches_back=kept, notes=tuple(notes))

    async def close(self) -> None:
        """Hold nothing."""

    async def poll(self, cursor: str | None, *, now: datetime) -> Batch:
        """Ask for what is new in both feeds."""
        with self._trouble:
            return await self._poll(realms.read_cursor(cursor, now), now)

    async def _poll(self, cursor: Cursor, now: datetime) -> Batch:
        await self._look(now)
        told: list[Told] = []
        reached, more = {}, False
        for feed in FEEDS:
            found, last, unfinished = await self._feed(feed, cursor, now)
            told += found
            reached[feed], more = last, more or unfinished
        self._size = min(PAGE, self._size + LEAST_PAGE)
        told.sort(key=lambda one: one.at)
        kept = self._config.kept if self._config else None
        reached_now = Cursor(
            events=reached["events"], admin=reached["admin-events"], since=cursor.since, asked=realms.milliseconds(now)
        )
        return Batch(
            events=self._frame.fit.asked(await self._owned(told, now), now=now),
            cursor=msgspec.json.encode(reached_now).decode(),
            more=more,
            missed=kept is not None and realms.milliseconds(now - kept) > cursor.asked,
        )

    async def _feed(self, feed: str, cursor: Cursor, now: datetime) -> tuple[list[Told], int, bool]:
        """Read pages until one is not full, or enough was read; but never stop before there was something new."""
        begin, told, first, spent = cursor.of(feed), [], 0, self._frame.spent()
        last, size = begin, self._size
        while True:
            rows = await self._page(feed, since=begin - self._overlap, first=first, size=size, now=now)
            for row in rows:
                last = max(last, _time(row))
                told += self._read(feed, row)
            first += len(rows)
            if len(rows) < size:
                # All that is there was read: what was long ago need not be read again and again.
                return [one for one in told if realms.wanted(one, cursor)], max(last, self._behind(now)), False
            if (first >= MOST or spent()) and last > begin + self._overlap:
                return [one for one in told if realms.wanted(one, cursor)], last, True

    async def _page(
        self, feed: str, *, since: int, first: int, size: int, now: datetime, until: int | None = None
    ) -> list[dict[str, Any]]:
        url = self._realm.page(feed, since=since, first=first, size=size, until=until)
        answer = await self._answered(_WHAT[feed], url, now)
        self._skew = _skew(answer.header("date"), now)
        rows = read(_WHAT[feed], answer)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ProviderUnreadable(what=_WHAT[feed], why="is no list")
        return rows

    async def _answered(self, what: str, url: str, now: datetime) -> Answer:
        """Ask; where no answer comes in time, ask for fewer the next time, and for more again after good polls."""
        try:
            return await self.api.ask(what, url, now=now)
        except Unreachable:
            self._size = max(LEAST_PAGE, self._size // 2)
            raise

    def _behind(self, now: datetime) -> int:
        """Give a moment that is past by every clock: ours, and whichever wrote the answer's date, perhaps a proxy's."""
        return 0 if self._skew is None else realms.milliseconds(min(now, now + self._skew) - AHEAD)

    def _read(self, feed: str, row: dict[str, Any]) -> list[Told]:
        """Read one event. One that nobody can read is counted: it must not keep those behind it from us."""
        try:
            return self._frame.fit.with_raw([_READ[feed](row)], row)
        except MalformedDelivery:
            self._unreadable += 1
            return []

    async def _owned(self, told: list[Told], now: datetime) -> list[Told]:
        """Call what our own client did by its name: admin events know it by two internal ids only."""
        me = keycloak_mend.said_by(await self.api.token(now=now)).sub
        mine = self._client.id
        return [replace(one, client=mine) if me and one.actor == me else one for one in told]

    async def _look(self, now: datetime) -> None:
        """Read now and then what the realm keeps, and for how long; without the right to, nothing is known of it."""
        if self._looked_at is not None and now < self._looked_at + _CONFIG_EVERY:
            return
        try:
            self._config = await self.config(now)
        except ProviderRefused:
            self._config = None
        self._looked_at = now

    async def config(self, now: datetime) -> Config:
        """Read the realm's settings of events."""
        what = "the realm's settings of events"
        try:
            return strict.shaped(await self.api.json(what, f"{self._realm.admin}/events/config", now=now), Config)
        except MalformedDelivery as wrong:
            raise ProviderUnreadable(what=what, why=wrong.why) from wrong

    def began(self, cursor: str) -> datetime | None:
        """Tell since when everything is brought."""
        return strict.EPOCH + timedelta(milliseconds=realms.read_cursor(cursor, self._frame.making.clock()).since)

    async def compare(self, since: datetime, *, until: datetime) -> AsyncIterator[Listed]:
        """Give everything that the realm lists between the two."""
        await self._look(until)  # for `health` to say how far back it can be
        low, high = realms.milliseconds(since), realms.milliseconds(until)
        for feed in FEEDS:
            first, size = 0, self._size
            while True:
                rows = await self._page(feed, since=low, until=high, first=first, size=size, now=until)
                for row in rows:
                    for one in self._read(feed, row):
                        yield Listed(id=name_of(one), happened_at=one.at, kind=one.kind)
                first += len(rows)
                if len(rows) < size:
                    break

    async def examine(self, *, now: datetime) -> tuple[Advice, ...]:
        """Look at the client, at the realm's settings and at the clock."""
        return await keycloak_mend.examine(
            self, pushes=self._frame.settings.secret is not None or self._frame.settings.audience is not None, now=now
        )

    async def mend(self, administrator: Secret, *, now: datetime) -> tuple[Advice, ...]:  # noqa: ARG002 - the socket
        """Switch on what is needed, in the administrator's name."""
        ask = partial(self._as_administrator, administrator)
        done = await keycloak_mend.mend(self._realm, self._client.id, ask)
        self._looked_at = None
        return done

    async def _as_administrator(self, shown: Secret, what: str, method: str, path: str, body: Any = None) -> Any:
        content = None if body is None else msgspec.json.encode(body)
        answer = await self.api.once(f"{self._realm.admin}{path}", shown, method=method, body=content)
        check(what, answer)
        return read(what, answer) if answer.body else None

    def _sign_in(self, now: datetime) -> Any:
        client, provider = self._client, self._frame.provider
        account = Account(
            id=client.id,
            secret=self._frame.secret(client.secret, "client secret"),
            issuer=provider.issuer or "",
            token_url=client.token_url,
            url=client.url,
            private=provider.private,
            ca=provider.ca,
        )
        return keycloak_admin.sign_in(account, now)

    @property
    def skew(self) -> timedelta:
        """How far the provider's clock was from ours when it answered last."""
        return self._skew or timedelta()


def _time(row: dict[str, Any]) -> int:
    """Read where a row stands in its feed, also of a row that says nothing else that can be read."""
    found = row.get("time")
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < _LATEST else 0


def _skew(date: str | None, now: datetime) -> timedelta | None:
    try:
        found = parsedate_to_datetime(date or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return found - now if found.tzinfo is not None else None
