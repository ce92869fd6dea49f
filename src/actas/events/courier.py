"""Take one delivery to its function: a call like any other, asked again until it is answered or set apart.

What the function does with a delivery that comes twice is its own: the idempotency key says that it is the same one.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from actas.errors import ActasError
from actas.events.envelopes import Outside, wrap
from actas.events.jobs import Delivered
from actas.model.call import Call
from actas.model.ids import RANDOM, call_id
from actas.model.outcome import Answered, Outcome, Refused, Streamed
from actas.store.outbox import Again, Dead, Done, Job, Verdict

FIRST, LONGEST = 1.0, 300.0
"""Seconds before the second attempt, and before any."""


KEY: Final = "idempotency_key"
"""Where the client context has it; the event has it as its id."""


class Serves(Protocol):
    """What the courier needs of the gateway."""

    async def serve_event(self, call: Call, source: str, key: str) -> Outcome:
        """Carry one call that an event of *source* causes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How deliveries are made by the settings of this moment."""

    attempts: int
    account: str
    region: str


class Courier:
    """Works on the queue of deliveries."""

    def __init__(
        self,
        gateway: Serves,
        manner: Callable[[], Manner],
        clock: Callable[[], datetime],
        chance: Callable[[], float],
    ) -> None:
        """Take the gateway, and *chance* between 0 and 1 for the waits to differ."""
        self._gateway, self._manner, self._clock, self._chance = gateway, manner, clock, chance
        self.delivered = self.again = self.dead = 0
        """Deliveries since the start, by how they ended; of those tried again, each time."""

    async def work(self, job: Job) -> Verdict:
        """Call the function, and say what is to become of the delivery."""
        verdict = await self._verdict(job)
        match verdict:
            case Done():
                self.delivered += 1
            case Again():
                self.again += 1
            case Dead():
                self.dead += 1
        return verdict

    async def _verdict(self, job: Job) -> Verdict:
        try:
            wanted = msgspec.json.decode(job.body, type=Delivered)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Dead("the delivery was kept by another version of Actas, which this one cannot read")
        try:
            outcome = await self._gateway.serve_event(self._call(job, wanted), wanted.source, job.key or job.id)
        except ActasError as wrong:
            return self._after(job, wrong.code, final=_is_final(wrong))
        match outcome:
            case Refused(decision=decision):
                why = ", ".join(sorted({reason.code for reason in decision.reasons})) or "no rule allows it"
                return Dead(f"refused: {why}")
            case Answered(function_error=None):
                return Done()
            case Answered():
                return self._after(job, f"function error: {_kind_of_error(outcome.payload)}", final=False)
            case Streamed(body=body, status=status):
                async for _ in body:
                    pass
                return Done() if status < 400 else self._after(job, f"status {status}", final=False)

    def _call(self, job: Job, wanted: Delivered) -> Call:
        now, manner = self._clock(), self._manner()
        outside = Outside(
            key=job.key or job.id,
            source=wanted.source,
            kind=wanted.kind,
            at=wanted.heard_at,
            account=manner.account,
            region=manner.region,
        )
        return Call(
            id=call_id(now, secrets.token_bytes(RANDOM)),
            function=wanted.function,
            payload=wrap(wanted.format, outside, wanted.data),
            received_at=now,
            requested_role=wanted.role,
            door="events",
            client_context={"custom": {KEY: outside.key}},
        )

    def _after(self, job: Job, why: str, *, final: bool) -> Verdict:
        """Try again, ever later and never all at once, until it has been tried often enough."""
        if final or job.attempt >= self._manner().attempts:
            return Dead(why)
        longest = min(LONGEST, FIRST * 2.0 ** min(job.attempt - 1, 16))
        return Again(timedelta(seconds=longest * (0.5 + self._chance() / 2)), why)


def _is_final(wrong: ActasError) -> bool:
    """Tell whether trying again can change nothing: what asks wrongly asks wrongly the next time too."""
    return 400 <= wrong.status < 500 and wrong.status not in (408, 425, 429)


class _Failed(msgspec.Struct):
    kind: str = msgspec.field(default="", name="errorType")


def _kind_of_error(payload: bytes) -> str:
    """Give the name of the function's error, and nothing of its message: that may hold whatever it was told."""
    try:
        kind = msgspec.json.decode(payload, type=_Failed).kind
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "unknown"
    return kind[:100] if kind.isascii() and kind.isprintable() and kind else "unknown"
