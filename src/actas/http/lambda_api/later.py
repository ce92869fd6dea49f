"""Events that are run later: kept durably, run by the session that sent them while it stands, told of when over.

Lambda's own manner: run again after a function's error one minute later and then two, and after trouble on our side
ever later, until the event is too old. Each run asks the rules again (design.md, 8.3). What cannot be run any more is
set apart, with its reason; a destination is told if the function has one.
"""

import hashlib
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final, Protocol

import msgspec

from actas.assume.errors import RevocationsUnread
from actas.errors import ActasError
from actas.http.lambda_api import shares
from actas.http.lambda_api.directory import Directory, Known
from actas.http.lambda_api.invoking import gathered
from actas.http.lambda_api.records import About, Condition, Told, record
from actas.http.lambda_api.shares import Room, Waiting
from actas.http.lambda_api.telling import QUEUE as TELLING
from actas.http.lambda_api.telling import Tells
from actas.model.call import Call
from actas.model.facts import Known as KnownFact
from actas.model.facts import Missing
from actas.model.held import Held
from actas.model.ids import RANDOM, call_id
from actas.model.outcome import Answered, Outcome, Refused, Streamed
from actas.store import outbox_shares
from actas.store.outbox import Again, Dead, Done, Job, Outbox, Verdict
from actas.store.stamp import Stamp

log = logging.getLogger("actas")
QUEUE: Final = "functions"
_QUEUES: Final = (QUEUE, TELLING)
PAUSES: Final = (timedelta(minutes=1), timedelta(minutes=2))
"""Before the second and the third run (Lambda Developer Guide, asynchronous invocation)."""
FIRST, LONGEST = 1.0, 300.0
"""Seconds before the next attempt after trouble on our side."""
_KEPT_ERROR: Final = 64 * 1024


class Serves(Protocol):
    """What is needed of the gateway."""

    async def serve_session(self, call: Call, held: Held) -> Outcome:
        """Carry one call of somebody who showed a session."""
        ...


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An event as it lies in the outbox, which seals it."""

    request: str
    """The call that was accepted: what the function is told as its request's name, each time."""
    function: str
    payload: bytes
    accepted_at: datetime
    held: Held
    root: str
    depth: int
    address: str | None = None
    trace: str | None = None
    runs: int = 0
    """How often the function failed."""
    failure: bytes | None = None
    """What it said the last time."""

    def __repr__(self) -> str:
        return f"Kept({self.request}, {self.function})"


@dataclass(slots=True, kw_only=True)
class Later:
    """Keeps events, and runs them."""

    outbox: Outbox
    gateway: Serves
    directory: Callable[[], Directory]
    tells: Tells
    clock: Callable[[], datetime]
    chance: Callable[[], float]
    """Between 0 and 1, for waits to differ."""
    room: Callable[[], Room]
    """How much may wait."""
    pauses: tuple[timedelta, ...] = PAUSES
    _waiting: Waiting = field(default_factory=Waiting, init=False)
    _dead: int = field(default=0, init=False)
    _forgotten: int = field(default=0, init=False)
    _counted: Stamp | None = field(default=None, init=False)

    def gauges(self) -> dict[str, float]:
        """Give the figures for metrics, as of the last count."""
        return {"later_waiting": self._waiting.events, "later_dead": self._dead, "later_forgotten": self._forgotten}

    async def keep(self, call: Call, held: Held) -> None:
        """Return when the event is durable; raise where too much of this caller's, or of all, waits already."""
        self._waiting.admit(shares.whose(held), len(call.payload), self.room())
        kept = Kept(
            request=call.id,
            function=call.function,
            payload=call.payload,
            accepted_at=call.received_at,
            held=without_secret(held),
            root=call.root or call.id,
            depth=call.depth,
            address=str(call.address.value) if isinstance(call.address, KnownFact) else None,
            trace=call.trace_id,
        )
        await self._put(kept)

    async def count(self) -> None:
        """Learn how many wait; between two counts it is known by what was put, and done."""
        if (stamp := self.outbox.store.stamp()) is not None and stamp == self._counted:
            return
        async with self.outbox.store.read() as connection:
            waiting = await outbox_shares.open_(connection, _QUEUES)
            dead = await outbox_shares.dead(connection, _QUEUES)
        self._waiting.learn(waiting)
        self._dead = sum(count for count, _ in dead.values())
        self._counted = stamp
        await self._make_room(shares.beyond(dead, self.room()))

    async def _make_room(self, beyond: Sequence[tuple[str | None, int, int]]) -> None:
        """Forget the oldest of what is set apart where it is too much, first of whoever has too much."""
        for whose, most, size in beyond:
            async with self.outbox.store.write() as connection:
                gone = await outbox_shares.forget(connection, _QUEUES, whose=whose, most=most, most_bytes=size)
            self._forgotten += gone
            self._dead -= gone
            log.warning("%d events that were set apart are forgotten: more than may be kept", gone)

    async def work(self, job: Job) -> Verdict:
        """Run one event, and say what is to become of it."""
        verdict = await self._verdict(job)
        if not isinstance(verdict, Again):
            self._waiting.add((job.key or "")[: outbox_shares.LETTERS], len(job.body), count=-1)
        return verdict

    async def _verdict(self, job: Job) -> Verdict:
        try:
            kept = msgspec.msgpack.decode(job.body, type=Kept)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Dead("the event was kept by another version of Actas, which this one cannot read")
        known = self.directory().by_name.get(kept.function)
        if known is None:
            return Dead("the settings have no such function any more")
        now = self.clock()
        if now - kept.accepted_at >= known.settings.asynchronous.max_age.time:
            return await self._over(kept, known, "EventAgeExceeded", why="it is too old")
        try:
            outcome = await self.gateway.serve_session(self._call(kept, known, now), kept.held)
        except ActasError as wrong:
            return await self._troubled(job, kept, known, wrong)
        match outcome:
            case Refused(decision=decision):
                why = ", ".join(sorted({reason.code for reason in decision.reasons}))
                return await self._over(kept, known, "AccessEnded", why=f"refused: {why}")
            case Streamed():
                return await self._answered(kept, known, await gathered(outcome))
            case Answered():
                return await self._answered(kept, known, outcome)

    def _call(self, kept: Kept, known: Known, now: datetime) -> Call:
        return Call(
            id=call_id(now, secrets.token_bytes(RANDOM)),
            function=kept.function,
            payload=kept.payload,
            received_at=now,
            qualifier=known.qualifier,
            address=KnownFact(ip_address(kept.address)) if kept.address else Missing.UNKNOWN,
            trace_id=kept.trace,
            door="lambda",
            root=kept.root,
            depth=kept.depth,
            is_detached=True,
            request_id=kept.request,
        )

    async def _answered(self, kept: Kept, known: Known, answer: Answered) -> Verdict:
        """Be done, or run it again after a while, or give up."""
        settings = known.settings.asynchronous
        told = Told(payload=answer.payload, function_error=answer.function_error)
        if answer.function_error is None:
            await self._tell(kept, known, "Success", told, settings.on_success)
            return Done()
        failed = msgspec.structs.replace(kept, runs=kept.runs + 1, failure=answer.payload[:_KEPT_ERROR])
        if kept.runs >= settings.retries:
            return await self._over(failed, known, "RetriesExhausted", why="the function failed", told=told)
        # A job of its own, so that what it is to do is told by what it holds; its key makes it one, however often
        # a crash between these two lines makes us come here.
        await self._put(failed, due=self.clock() + self.pauses[min(kept.runs, len(self.pauses) - 1)])
        return Done()

    async def _troubled(self, job: Job, kept: Kept, known: Known, wrong: ActasError) -> Verdict:
        """Look at what kept us from running it: an end of access is final, and so is what asks wrongly."""
        if wrong.code.startswith("assume.session-"):
            return await self._over(kept, known, "AccessEnded", why=wrong.code)
        if not isinstance(wrong, RevocationsUnread) and 400 <= wrong.status < 500 and wrong.status not in (408, 429):
            return await self._over(kept, known, "RetriesExhausted", why=wrong.code)
        longest = min(LONGEST, FIRST * 2.0 ** min(job.attempt - 1, 16))
        return Again(timedelta(seconds=longest * (0.5 + self.chance() / 2)), wrong.code)

    async def _over(
        self, kept: Kept, known: Known, condition: Condition, *, why: str, told: Told | None = None
    ) -> Verdict:
        if told is None and kept.failure is not None:
            told = Told(payload=kept.failure, function_error="Unhandled")
        await self._tell(kept, known, condition, told, known.settings.asynchronous.on_failure)
        return Dead(why)

    async def _tell(
        self, kept: Kept, known: Known, condition: Condition, told: Told | None, destination: str | None
    ) -> None:
        if destination is None:
            return
        about = About(
            request=kept.request,
            arn=known.arn,
            payload=kept.payload,
            condition=condition,
            attempts=kept.runs + (condition == "Success"),
            told=told,
        )
        await self.tells.tell(
            destination, record(about, at=self.clock()), key=_key(kept), root=kept.root,
            depth=kept.depth,  # no function called it: it is as deep as the event that it is about
        )  # fmt: skip

    async def _put(self, kept: Kept, due: datetime | None = None) -> None:
        body, whose, is_new = msgspec.msgpack.encode(kept), shares.whose(kept.held), False
        self._waiting.add(whose, len(body))
        try:
            is_new = await self.outbox.put(queue=QUEUE, body=body, key=_key(kept), due=due) is not None
        finally:
            if not is_new:
                self._waiting.add(whose, len(body), count=-1)


def _key(kept: Kept) -> str:
    """Name one run of an event; whose it is comes first, so that the database can tell."""
    return f"{shares.whose(kept.held)}:{kept.request}:{kept.runs}"


def without_secret(held: Held) -> Held:
    """Leave out the key that requests are signed with; what stands for it names this session and signs nothing."""
    name = hashlib.sha256(held.secret_access_key.encode()).hexdigest()
    return msgspec.structs.replace(held, secret_access_key=name)


def about(body: bytes) -> tuple[str, str, str]:
    """Say what a job is about: the function, who caused it, what it is."""
    try:
        return msgspec.msgpack.decode(body, type=Kept).function, "lambda-api", "event"
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "?", "lambda-api", "event"
