"""The admin actions about identity events: what was heard, what is set apart, what is missing."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from actas.http.admin import BadBody
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


class NoSuchSource(HttpError):
    """No source of events has this name."""

    code = "http.no-such-source"
    hint = "Name one of events.sources in the settings file."
    status = 404

    def __init__(self) -> None:
        """Repeat nothing of what was sent."""
        super().__init__("the settings have no source of events of this name")


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
        from actas.events.desk import SETTLES

        asked, now, desk = body(delivery, EventAudit), clock.now(), self._desk()
        if (since := moment(asked.since)) >= now - SETTLES:
            raise BadBody(why="its since is too late: what happened since then may still be under way")
        broken = self._broken(asked.source)
        if asked.source is not None and asked.source not in {*desk.sources, *broken}:
            raise NoSuchSource
        found = await desk.compare(since, now=now, only=asked.source)
        return as_json({"sources": [*(telling.compared_data(one) for one in found), *_troubled(broken)]})

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
        return as_json({"sources": [*sources, *_troubled(self._broken(None))]})

    def _broken(self, only: str | None) -> dict[str, str]:
        """Give the sources that are asked about and cannot be made, with the codes of why."""
        assert self._parts.ears is not None
        return {name: code for name, code in self._parts.ears.broken.items() if only in (None, name)}

    def _desk(self) -> "Desk":
        if self._parts.ears is None:
            raise NotYet
        return self._parts.ears.desk()


def _troubled(broken: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"source": name, "trouble": code} for name, code in sorted(broken.items())]
