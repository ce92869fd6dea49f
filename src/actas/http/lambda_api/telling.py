"""Tell destinations: functions that hear what became of an event, called by the gateway itself as ``destinations``.

A rule lets it, as for every caller (``who: {provider: destinations, kind: service}``), also where the sender of the
event has no access any more: the record is the operator's to have. A destination has no destinations of its own.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from actas.errors import ActasError
from actas.http.lambda_api.invoking import gathered
from actas.model.call import Call
from actas.model.ids import RANDOM, call_id
from actas.model.outcome import Outcome, Refused, Streamed
from actas.settings.schema_functions import DESTINATIONS
from actas.store.outbox import Again, Dead, Done, Job, Outbox, Verdict

QUEUE: Final = "destinations"
ATTEMPTS: Final = 3
PAUSE: Final = timedelta(minutes=1)


class ServesItself(Protocol):
    """What is needed of the gateway."""

    async def serve_event(self, call: Call, source: str, key: str) -> Outcome:
        """Carry one call of the gateway's own."""
        ...


class Telling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One record for one function, as it lies in the outbox."""

    function: str
    record: bytes
    root: str
    depth: int

    def __repr__(self) -> str:
        return f"Telling({self.function})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tells:
    """Keeps records for destinations, and hands them over."""

    outbox: Outbox
    gateway: ServesItself
    clock: Callable[[], datetime]
    pause: timedelta = PAUSE

    async def tell(self, function: str, record: bytes, *, key: str, root: str, depth: int) -> None:
        """Return when the record is durable; one of the same *key*, which says whose it is, is told once."""
        body = msgspec.msgpack.encode(Telling(function=function, record=record, root=root, depth=depth))
        await self.outbox.put(queue=QUEUE, body=body, key=f"{key}:{function}")

    async def work(self, job: Job) -> Verdict:
        """Hand one record over, and say what is to become of it."""
        try:
            telling = msgspec.msgpack.decode(job.body, type=Telling)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Dead("the record was kept by another version of Actas, which this one cannot read")
        now = self.clock()
        call = Call(
            id=call_id(now, secrets.token_bytes(RANDOM)),
            function=telling.function,
            payload=telling.record,
            received_at=now,
            door="lambda",
            root=telling.root,
            depth=telling.depth,
            is_detached=True,
            request_id=job.id,
        )
        try:
            outcome = await self.gateway.serve_event(call, DESTINATIONS, job.key or job.id)
        except ActasError as wrong:
            return self._after(job, wrong.code, final=400 <= wrong.status < 500 and wrong.status not in (408, 429))
        if isinstance(outcome, Refused):
            return Dead("refused: " + ", ".join(sorted({reason.code for reason in outcome.decision.reasons})))
        if isinstance(outcome, Streamed):
            outcome = await gathered(outcome)
        return Done() if outcome.function_error is None else self._after(job, "the function failed", final=False)

    def _after(self, job: Job, why: str, *, final: bool) -> Verdict:
        if final or job.attempt >= ATTEMPTS:
            return Dead(why)
        return Again(self.pause * job.attempt, why)


def about(body: bytes) -> tuple[str, str, str]:
    """Say what a job is about: the function, who caused it, what it is."""
    try:
        return msgspec.msgpack.decode(body, type=Telling).function, DESTINATIONS, "record"
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "?", DESTINATIONS, "record"
