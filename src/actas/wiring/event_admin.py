"""The admin actions about identity events: what was heard, what is set apart, what is missing."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from actas.http.errors import HttpError
from actas.http.openapi import EventAudit, Replay
from actas.invoke.interface import Backend, Delivery
from actas.model import clock
from actas.model.outcome import Answered
from actas.wiring.acting import Does, as_json, body, moment
from actas.wiring.parts import Parts

if TYPE_CHECKING:
    from actas.events.desk import Desk

_SHOWN = 100


class NotYet(HttpError):
    """The gateway has only begun."""

    code = "http.events-not-ready"
    hint = "Try again in a moment: the state database is being opened."
    status = 503

    def __init__(self) -> None:
        """State it."""
        super().__init__("events are not ready yet")


class EventActions:
    """The actions of one gateway."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def backends(self) -> Mapping[str, Backend]:
        """Give each action as a backend, by the name that rules use."""
        return {
            "admin:events.read": Does(self.read),
            "admin:events.replay": Does(self.replay),
            "admin:events.audit": Does(self.audit),
            "admin:events.examine": Does(self.examine),
        }

    async def read(self, _delivery: Delivery) -> Answered:
        """Tell what was heard last, and what is set apart."""
        from actas.events import telling

        desk = self._desk()
        events = [telling.heard_data(one) for one in await desk.latest(most=_SHOWN)]
        return as_json({"events": events, "dead": [telling.letter_data(one) for one in await desk.dead(most=_SHOWN)]})

    async def replay(self, delivery: Delivery) -> Answered:
        """Try deliveries again."""
        asked = body(delivery, Replay)
        return as_json({"replayed": await self._desk().replay(asked.deliveries[:1000])})

    async def audit(self, delivery: Delivery) -> Answered:
        """Compare what the providers list with what was heard."""
        from actas.events import telling

        asked = body(delivery, EventAudit)
        found = await self._desk().compare(moment(asked.since), now=clock.now(), only=asked.source)
        return as_json({"sources": [telling.compared_data(one) for one in found]})

    async def examine(self, _delivery: Delivery) -> Answered:
        """Say what stands between providers and sources."""
        found = await self._desk().examine(now=clock.now())
        sources = [
            {
                "source": one.source,
                "trouble": one.trouble,
                "advice": [
                    {"code": each.code, "severity": each.severity, "message": each.message, "hint": each.hint}
                    for each in one.advice
                ],
            }
            for one in found
        ]
        return as_json({"sources": sources})

    def _desk(self) -> "Desk":
        if self._parts.ears is None:
            raise NotYet
        return self._parts.ears.desk()
