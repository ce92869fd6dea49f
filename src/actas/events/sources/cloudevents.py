"""CloudEvents 1.0 from anybody who proves where they come from, in binary, structured or batched mode.

In the settings::

    events:
      sources:
        bus:
          kind: cloudevents
          provider: corp
          secret: {env: BUS_SECRET}          # and `signature`, as a webhook has it
          fields:
            subject: subject                 # an attribute, or with a dot a member of the data: data.user.id
            kinds: {com.example.user.disabled: user-disabled}

An event is named by its source and its id together, as CloudEvents says; one that comes again counts once. The
handshake by which a sender asks whether it may send here (OPTIONS, CloudEvents Web Hooks, section 4) is answered.
"""

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Any

from actas.events.interface import Advice, Health, Making, Pushed, Reply
from actas.events.sources.asking import being_told
from actas.events.sources.asking.deliveries import Believed, fields_of, paths
from actas.events.sources.asking.frame import Frame
from actas.events.sources.errors import MalformedDelivery, SourceIncomplete
from actas.events.sources.reading import cloudevents as envelopes
from actas.events.sources.reading import fields as reading
from actas.events.sources.reading import strict
from actas.events.sources.reading.told import Told
from actas.settings.schema import Provider
from actas.settings.schema_events import EventSource


class CloudEvents:
    """Takes deliveries."""

    def __init__(self, frame: Frame, paths: reading.Paths) -> None:
        self.name, self.provider = frame.name, frame.fit.provider
        self._frame, self._paths, self._believed = frame, paths, Believed(frame)

    def health(self) -> Health:
        """Know nothing: what the sender does with what we did not take is its own."""
        return Health()

    async def close(self) -> None:
        """Hold nothing."""

    async def receive(self, pushed: Pushed, *, now: datetime) -> Reply:
        """Take one delivery, or answer the handshake."""
        if pushed.method == "OPTIONS":
            return _allowed(pushed)
        if pushed.method != "POST":
            return Reply(status=405, headers=(("allow", "POST, OPTIONS"),))
        body = await self._believed.body(pushed, now=now)
        told = tuple(self._read(one) for one in envelopes.events(_fields(pushed), body))
        return Reply(status=204, events=self._frame.fit.pushed(told, now=now, raw=pushed.body))

    async def examine(self, *, now: datetime) -> tuple[Advice, ...]:  # noqa: ARG002 - the socket
        """Say where deliveries come to, and what to switch on."""
        return tuple(being_told.advice(self._frame))

    def _read(self, event: dict[str, Any]) -> Told:
        found = reading.event(event, self._paths)
        if self._paths.id != "id":
            return found
        named = f"{event['source']}\n{event['id']}".encode("utf-8", "surrogatepass")
        return replace(found, id=hashlib.sha256(named).hexdigest())


def _fields(pushed: Pushed) -> dict[str, str]:
    """Give the header fields that matter, each of which comes once."""
    kept = [(name, value) for name, value in pushed.headers if name == "content-type" or name.startswith("ce-")]
    if len({name for name, _ in kept}) != len(kept):
        raise MalformedDelivery(why="it has a header field of an event twice")
    return dict(kept)


def _allowed(pushed: Pushed) -> Reply:
    """Say that a sender may send; whether what it sends counts is decided by what it shows."""
    origin = strict.name(pushed.header("webhook-request-origin"))
    if origin is None or not origin.isascii():
        raise MalformedDelivery(why="it asks for leave and names no origin")
    return Reply(status=200, headers=(("allow", "POST"), ("webhook-allowed-origin", origin)))


def source(settings: EventSource, provider: Provider, making: Making) -> CloudEvents:
    """Make the source that *settings* describe."""
    if settings.secret is None and settings.keys is None:
        raise SourceIncomplete(
            source=making.name, why="has neither a secret nor keys that its deliveries are proved by"
        )
    return CloudEvents(Frame.of(settings, provider, making), paths(fields_of(settings)))
