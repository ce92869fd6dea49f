"""What admin actions do: each is a backend like a function's, reached only through a rule."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Protocol

import anyio.to_thread

from actas.audit import read as trail
from actas.audit.render import entry_data
from actas.decide.explain import explain
from actas.decide.ruleset import RuleSet
from actas.http.admin import BadBody, NoSuchCall
from actas.http.metrics import Figures, exposition
from actas.http.openapi import Asked, Encoded, Revocation
from actas.http.sts import denials
from actas.identify.errors import IdentifyError
from actas.invoke.interface import Backend, Delivery
from actas.model.decision import Allow, Question
from actas.model.facts import Known, Missing
from actas.model.outcome import Answered
from actas.store.watermarks import EVERYBODY
from actas.wiring.acting import Does, address, as_json, body, moment
from actas.wiring.event_admin import EventActions
from actas.wiring.parts import Parts

REASON = 64
"""Characters of a reason that the table of revocations has room for."""


class Standing(Protocol):
    """What stands at the moment."""

    @property
    def rules(self) -> RuleSet:
        """The rules in use."""
        ...

    def ready(self) -> Mapping[str, Any]:
        """Tell the state of each part."""
        ...


class Actions:
    """The admin actions of one gateway."""

    def __init__(self, parts: Parts, standing: Standing, figures: Figures) -> None:
        self._parts, self._standing, self._figures = parts, standing, figures

    def backends(self) -> dict[str, Backend]:
        """Give each action as a backend, by the name that rules use."""
        return {
            "admin:status.read": Does(self.status),
            "admin:metrics.read": Does(self.metrics),
            "admin:explain": Does(self.explain),
            "admin:audit.read": Does(self.calls),
            "admin:denials.decode": Does(self.decode),
            "admin:sessions.revoke": Does(self.revoke),
            **EventActions(self._parts).backends(),
        }

    async def status(self, _delivery: Delivery) -> Answered:
        """Tell the state of each part."""
        return as_json(self._standing.ready())

    async def metrics(self, _delivery: Delivery) -> Answered:
        """Give the figures."""
        return Answered(payload=exposition(self._figures))

    async def explain(self, delivery: Delivery) -> Answered:
        """Say what the rules would say of a supposed caller."""
        asked = body(delivery, Asked)
        now = delivery.call.received_at
        try:
            identity = self._parts.identify.suppose(asked.claims, now=now)
        except IdentifyError as wrong:
            raise BadBody(why=f"its claims are not a caller's: {wrong}") from wrong
        function, colon, route = asked.function.partition(":")
        question = Question(
            identity=identity,
            function=asked.function if function == "admin" else function,
            route=route if colon and function != "admin" else None,
            at=now if asked.at is None else moment(asked.at),
            address=Missing.UNKNOWN if asked.address is None else Known(address(asked.address)),
            requested_role=asked.role,
        )
        found = explain(self._standing.rules, question)
        decision = found.decision
        return as_json(
            {
                "verdict": "allow" if isinstance(decision, Allow) else "deny",
                "role": decision.grant.role.name if isinstance(decision, Allow) and decision.grant.role else None,
                "reasons": [dataclasses.asdict(one) for one in decision.reasons],
                "rules": [dataclasses.asdict(one) for one in found.weighed],
                "helps": list(found.helps),
            }
        )

    async def calls(self, delivery: Delivery) -> Answered:
        """Give the trail of one call."""
        call = str(json.loads(delivery.call.payload).get("call", ""))
        found = await anyio.to_thread.run_sync(trail.show, self._parts.audit.folder, call)
        if not found:
            raise NoSuchCall
        return as_json({"call": call, "records": [entry_data(one) for one in found]})

    async def decode(self, delivery: Delivery) -> Answered:
        """Open the encoded message of a refusal."""
        asked = body(delivery, Encoded)
        opened = denials.decoded(asked.message, self._parts.sealing.find, now=delivery.call.received_at)
        return Answered(payload=opened.encode())

    async def revoke(self, delivery: Delivery) -> Answered:
        """Refuse what was issued before, and end what rests on it."""
        asked = body(delivery, Revocation)
        if not 0 < len(asked.reason) <= REASON:
            raise BadBody(why=f"it gives no reason of at most {REASON} characters")
        provider, role_arn = self._whose(asked)
        before = delivery.call.received_at if asked.before is None else moment(asked.before)
        live = len(self._parts.sessions)
        sequence = await self._parts.marks.append(
            await self._parts.audit.store(),
            provider=provider,
            at=before,
            reason=asked.reason,
            subject=asked.subject,
            session=asked.session,
            role_arn=role_arn,
        )
        if asked.provider is not None:  # what rests on it is made anew, if at all; the rest ends as it is heard of
            self._parts.sessions.end(provider=asked.provider, subject=asked.subject)
        ended = max(0, live - len(self._parts.sessions))
        return as_json({"sequence": sequence, "before": before.isoformat(), "sessions_ended": ended})

    def _whose(self, asked: Revocation) -> tuple[str, str | None]:
        """Say whose watermark it is: a provider's or everybody's, and of which role."""
        if (asked.provider is not None) + (asked.role is not None) + asked.everybody != 1:
            raise BadBody(why="it names not exactly one of provider, role and everybody")
        settings = self._standing.rules.settings
        if asked.provider is not None:
            if asked.provider not in settings.providers:
                raise BadBody(why="it names no provider of the settings")
            return asked.provider, None
        if asked.subject is not None or asked.session is not None:
            raise BadBody(why="it names a subject or a session without its provider")
        if asked.role is None:
            return EVERYBODY, None
        arns = {role.arn for name, role in settings.roles.items() if asked.role in (name, role.arn)}
        if not arns:
            raise BadBody(why="it names no role of the settings")
        return EVERYBODY, arns.pop()
