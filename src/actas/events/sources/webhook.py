"""Anything that posts JSON and proves where it comes from: by an HMAC, by a JWS, or by a secret in a header.

In the settings::

    events:
      sources:
        hr:
          kind: webhook
          provider: corp
          secret: {env: HR_WEBHOOK_SECRET}
          signature:                       # left out: the header (`header`) must be the secret itself
            header: X-Hr-Signature
            prefix: sha256=
            timestamp: X-Hr-Time           # with a time that is signed too, nothing old can be sent again
            signed: "{timestamp}.{body}"
          fields:
            id: event.id
            type: event.name
            at: event.at
            subject: person.id
            kinds: {person.left: user-disabled}

With ``keys`` instead of a secret the body is a JWS in compact form, signed by one of them, whose payload is the JSON.
An event that comes again counts once, by its id.
"""

from datetime import datetime

from actas.events.interface import Advice, Health, Making, Pushed, Reply
from actas.events.sources.asking import being_told
from actas.events.sources.asking.deliveries import Believed, fields_of, paths
from actas.events.sources.asking.frame import Frame
from actas.events.sources.errors import SourceIncomplete
from actas.events.sources.reading import fields as reading
from actas.events.sources.reading import strict
from actas.settings.schema import Provider
from actas.settings.schema_events import EventSource


class Webhook:
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
        """Take one delivery."""
        if pushed.method != "POST":
            return Reply(status=405, headers=(("allow", "POST"),))
        body = await self._believed.body(pushed, now=now)
        told = reading.told(strict.json_of(body), self._paths)
        return Reply(status=204, events=self._frame.fit.pushed(told, now=now, raw=pushed.body))

    async def examine(self, *, now: datetime) -> tuple[Advice, ...]:  # noqa: ARG002 - the socket
        """Say where deliveries come to, and what to switch on."""
        return tuple(being_told.advice(self._frame))


def source(settings: EventSource, provider: Provider, making: Making) -> Webhook:
    """Make the source that *settings* describe."""
    if settings.secret is None and settings.keys is None:
        raise SourceIncomplete(
            source=making.name, why="has neither a secret nor keys that its deliveries are proved by"
        )
    return Webhook(Frame.of(settings, provider, making), paths(fields_of(settings)))
