"""The one order of a call: identify, decide, assume, invoke, with the trail around it.

Nothing else in Actas knows this order. The types carry it too: no sessions without a grant, no grant without an
Allow, no Allow without an identity; and nothing takes effect before its decision is kept.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Protocol

import anyio

from actas.assume.interface import Broker
from actas.decide.interface import Decider
from actas.errors import ActasError
from actas.identify.errors import IdentifyError
from actas.invoke.errors import NoSuchFunction
from actas.invoke.interface import Backend, Delivery, Streams
from actas.invoke.origins import Nesting, Origins
from actas.model.call import Address, Call
from actas.model.decision import Allow, Decision, Deny, Grant, Question
from actas.model.evidence import Evidence
from actas.model.facts import Fact, Known
from actas.model.identity import Identity
from actas.model.outcome import Body, Outcome, Refused, Streamed
from actas.model.record import Decided, Ended
from actas.model.session import Sessions


class Identifies(Protocol):
    """What the gateway needs of `identify`."""

    def known(self, token: str, now: datetime) -> Identity | None:
        """Find the identity of a token that was verified before and still holds; None where it must be verified."""
        ...

    async def verify(self, evidence: Evidence, *, now: datetime) -> Identity:
        """Believe the caller, or raise an `IdentifyError`."""
        ...


class Takes(Protocol):
    """What the gateway needs of `assume`: sessions in use, given back when the block is left."""

    async def take(
        self, grant: Grant, broker: Broker, *, now: datetime, evidence: Evidence | None = None
    ) -> AbstractContextManager[Sessions]:
        """Take the grant's role; *evidence* is for brokers that pass on what the caller showed."""
        ...


class Admits(Protocol):
    """Limits on how often one caller may call."""

    def admit(self, identity: Identity, *, now: datetime) -> None:
        """Let the call pass, or raise an error of status 429."""
        ...


class Keeps(Protocol):
    """What the gateway needs of `audit`."""

    async def of(self, issuer: str, subject: str, /) -> str:
        """Give the pseudonym of a subject."""
        ...

    async def decided(self, record: Decided, /) -> None:
        """Keep *record*; return when it is durable."""
        ...

    def ended(self, record: Ended, /) -> None:
        """Keep *record* soon; the caller does not wait."""
        ...

    def stranger(self, reason: str, address: Fact[Address], /) -> None:
        """Count a call that never became an identity."""
        ...


Envelope = Callable[[Call, Grant, bytes, datetime], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The rooms as the settings of one moment furnish them; swapped whole when the settings change."""

    identify: Identifies
    decider: Decider
    admits: Admits
    takes: Takes
    brokers: Mapping[str | None, Broker]
    """By role name; None for calls that need no role."""
    backends: Mapping[str, Backend]
    audit: Keeps
    envelope: Envelope


    origins: Origins = field(default_factory=Origins)
    nesting: Nesting = field(default_factory=Nesting)
class Gateway:
    """Carries calls through the house, each to its end in the house it began in."""

    def __init__(self, house: House, clock: Callable[[], datetime]) -> None:
        self.house = house
        self.ended: Counter[tuple[str, str]] = Counter()
        """Calls that ended, by outcome and function."""
        self.strangers: Counter[str] = Counter()
        """Calls that never became an identity, by the code of why."""
        self._clock = clock

    async def serve(self, call: Call, evidence: Evidence) -> Outcome:
        """Carry one call through the stages, leaving a trail."""
        house = self.house
        try:
            identity = house.identify.known(evidence.shown.reveal(), call.received_at)
            if identity is None:
                identity = await house.identify.verify(evidence, now=call.received_at)
        except IdentifyError as stranger:
            self.stranger(stranger.code, call.address)
            raise
        self._admit(house, call, identity)
        identified_at = self._clock()
        decision = house.decider.decide(_question(call, identity, at=identified_at))
        times = (identified_at, self._clock())
        await house.audit.decided(await _decided(call, identity, decision, times, house.audit))
        if isinstance(decision, Deny):
            self._end(house, call, "refused")
            return Refused(decision=decision)
        return await self._act(house, call, decision.grant, evidence)

    def stranger(self, reason: str, address: Fact[Address]) -> None:
        """Count a call that never became an identity; also one that a door turned away before it asked who calls."""
        self.strangers[reason] += 1
        self.house.audit.stranger(reason, address)

    def _admit(self, house: House, call: Call, identity: Identity) -> None:
        """Let the caller pass, or count that they come too often; a trail of that could be filled at will."""
        try:
            house.admits.admit(house.origins.payer(call, identity), now=call.received_at)
        except ActasError:
            self.ended["limited", call.function if call.function in house.backends else ""] += 1
            raise

    async def _act(self, house: House, call: Call, grant: Grant, evidence: Evidence) -> Outcome:
        """Take the role and run the function; whatever happens, the trail gets its end."""
        try:
            backend = _backend(house, call)
            role = None if grant.role is None else grant.role.name
            house.origins.begin(call, grant.identity, house.nesting)
            call = await _whole(call, backend)
            taken = await house.takes.take(grant, house.brokers[role], now=self._clock(), evidence=evidence)
            with taken as sessions:
                outcome = await backend.invoke(
                    Delivery(
                        call=call,
                        grant=grant,
                        sessions=sessions,
                        envelope=partial(house.envelope, call, grant),
                        token=evidence.shown,
                    )
                )
        except BaseException as error:
            self._end(house, call, *_failure(error))
            raise
        if isinstance(outcome, Streamed):
            return replace(outcome, body=_Stream(outcome.body, taken, partial(self._end, house, call)))
        self._end(house, call, "function-error" if outcome.function_error else "answered", None, outcome.log_hash)
        return outcome

    def _end(
        self, house: House, call: Call, outcome: str, error: str | None = None, log_hash: str | None = None
    ) -> None:
        # A function that is not there is called whatever its caller likes: figures by it would have no end.
        self.ended[outcome, call.function if call.function in house.backends else ""] += 1
        now = self._clock()
        took = round((now - call.received_at).total_seconds() * 1_000_000)
        house.origins.end(call)
        house.audit.ended(Ended(call=call.id, at=now, outcome=outcome, error=error, took_us=took, log_hash=log_hash))


class _Stream:
    """A body on its way: the call ends, and its sessions are given back, when the body does, however it does."""

    def __init__(self, body: Body, taken: AbstractContextManager[Sessions], end: Callable[..., None]) -> None:
        self._body, self._taken, self._end = body, taken, end
        self._over = False
        taken.__enter__()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await self._body.__anext__()
        except StopAsyncIteration:
            self._finish("answered")
            raise
        except BaseException as error:
            self._finish(*_failure(error))
            raise

    async def aclose(self) -> None:
        """End it early; a no-op where it has ended."""
        self._finish("hung-up")
        await self._body.aclose()

    def _finish(self, *how: str | None) -> None:
        if not self._over:
            self._over = True
            self._taken.__exit__(None, None, None)
            self._end(*how)


def _backend(house: House, call: Call) -> Backend:
    if (found := house.backends.get(call.function)) is None:
        raise NoSuchFunction(function=call.function)
    return found


async def _whole(call: Call, backend: Backend) -> Call:
    """Read a body that is still under way, unless the backend takes it as it comes."""
    if call.body is None or isinstance(backend, Streams):
        return call
    return replace(call, body=None, payload=b"".join([piece async for piece in call.body]))


def _question(call: Call, identity: Identity, *, at: datetime) -> Question:
    return Question(
        identity=identity,
        function=call.function,
        at=at,
        qualifier=call.qualifier,
        route=_template(call),
        address=call.address,
        requested_role=call.requested_role,
    )


def _template(call: Call) -> str | None:
    return None if call.route is None else call.route.template


def _failure(error: BaseException) -> tuple[str, str | None]:
    """Say how a call ended that raised *error*, and the error's code."""
    if isinstance(error, ActasError):
        return "failed", error.code
    if isinstance(error, anyio.get_cancelled_exc_class() | GeneratorExit):
        return "hung-up", None
    return "failed", "actas.unexpected"


async def _decided(
    call: Call, identity: Identity, decision: Decision, times: tuple[datetime, datetime], audit: Keeps
) -> Decided:
    """Write down what was decided, with pseudonyms for people."""
    identified_at, decided_at = times
    match decision:
        case Allow(grant=grant):
            role, rules, generation = grant.role, tuple(rule.id for rule in grant.rules), grant.generation
        case Deny(generation=generation):
            role, rules = None, ()
    return Decided(
        call=call.id,
        at=decided_at,
        received_at=call.received_at,
        identified_us=round((identified_at - call.received_at).total_seconds() * 1_000_000),
        decided_us=round((decided_at - call.received_at).total_seconds() * 1_000_000),
        door=call.door,
        provider=identity.provider,
        subject=await audit.of(identity.issuer, identity.subject),
        actors=tuple([await audit.of(actor.issuer, actor.subject) for actor in identity.actors]),
        kind=identity.kind.value.value if isinstance(identity.kind, Known) else identity.kind.value,
        evidence=identity.evidence,
        evidence_id=identity.evidence_id,
        function=call.function,
        qualifier=call.qualifier,
        route=_template(call),
        verdict=_verdict(decision),
        role=None if role is None else role.name,
        rules=rules,
        reasons=tuple(reason.code for reason in decision.reasons),
        generation=generation,
        trace=call.trace_id,
        root=call.root,
        depth=call.depth,
    )


def _verdict(decision: Decision) -> str:
    if isinstance(decision, Deny):
        return "deny"
    return "observe" if decision.observed else "allow"
