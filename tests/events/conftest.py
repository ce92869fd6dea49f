"""An inbox on a database of its own, with all that stands around it."""

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from actas import store
from actas.events.inbox import Inbox, Places, Told
from actas.events.meaning import Meaning
from actas.events.normal import IdentityEvent, Kind
from actas.model import clock
from actas.secrets.resting import Resting
from actas.settings.schema import Provider, Settings
from actas.settings.schema_events import Events, EventSource, On
from actas.store.outbox import Outbox
from actas.store.person_key import PersonKey
from actas.store.watermarks import Watermarks

AT = datetime(2026, 3, 14, 12, tzinfo=UTC)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@dataclass(frozen=True, kw_only=True)
class Room:
    """Everything of one gateway that hears."""

    store: object
    outbox: Outbox
    marks: Watermarks
    inbox: Inbox

    async def hear(self, *events, cursor=None, missed=False):
        return await self.inbox.take(Told(source="hr", events=events, cursor=cursor, missed=missed))


@pytest.fixture
def event():
    def make(name, kind="role-revoked", **more):
        given = {"subject": "ana", "happened_at": AT, "heard_at": AT + timedelta(seconds=1)} | more
        return IdentityEvent(id=name, source="hr", provider="corp", kind=Kind(kind), **given)

    return make


@pytest.fixture
def settings():
    def make(*on, backlog=1000, address=None, **source):
        return Settings(
            providers={"corp": Provider(preset="oidc", address=address)},
            events=Events(sources={"hr": EventSource(kind="webhook", provider="corp", **source)}, backlog=backlog),
            on=on,
        )

    return make


@pytest.fixture
def on():
    def make(event="role-revoked", run="deprovision", **more):
        return On(event=event, run=run, **more)

    return make


@pytest.fixture
def gateway(tmp_path):
    """Open one gateway's share of the events; several may be open on the same place."""

    @asynccontextmanager
    async def opened(settings, *, url=None, folder=tmp_path):
        one = await store.open(folder, url=url)
        seals = Resting(folder / "resting.json", clock.now)
        outbox = Outbox(one, clock.now, seals=seals, lease=timedelta(seconds=2))
        key = PersonKey(b"k" * 32)
        marks = Watermarks(key, clock.now)
        places = Places(outbox=outbox, marks=marks, key=key, seals=seals, clock=clock.now)
        try:
            yield Room(store=one, outbox=outbox, marks=marks, inbox=Inbox(places, Meaning(settings)))
        finally:
            await one.close()

    return opened
