"""The one order of a call: identify, decide, assume, invoke, with the trail around it.

Nothing else in Actas knows this order. The types carry it too: no sessions without a grant, no grant without an
Allow, no Allow without an identity; and nothing takes effect before its decision is kept.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import anyio

from actas.assume.taking import Took
from actas.assume.use import usable
from actas.audit.decided import record
from actas.errors import ActasError
from actas.house import House
from actas.identify.errors import IdentifyError
from actas.identify.inherited import inherited
from actas.identify.of_source import of_source
from actas.invoke.errors import NoSuchFunction, TooDeep
from actas.invoke.interface import Backend, Delivery, Streams
from actas.model.call import Address, Call
from actas.model.decision import Allow, Deny, Grant, Question
from actas.model.evidence import BearerToken, Evidence
from actas.model.facts import Fact
from actas.model.held import Held
from actas.model.identity import Identity
from actas.model.outcome import Answered, Body, Outcome, Refused, Streamed
from actas.model.record import Ended
from actas.model.session import Sessions
from actas.model.wish import Wish

__all__ = ["Gateway", "House", "Instead"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """What an allowed call comes to, where its function is not run: kept for later, or nothing at all."""

    outcome: str
    """How the trail says that it ended."""
    do: Callable[[Call], Awaitable[None]]


_MICROSECOND: Final = timedelta(microseconds=1)
_Act = Callable[[Grant], Awaitable[Outcome]]


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
        identity = house.identify.known(evidence.shown.reveal(), call.received_at)
        if identity is None:
            identity = await self._believe(house, call, evidence)
        self._admit(house, call, identity)
        return await self._carry(house, call, identity, None, partial(self._act, house, call, evidence))

    async def serve_session(self, call: Call, held: Held, instead: Instead | None = None) -> Outcome:
        """Carry one call of somebody who showed a session: what granted that must still stand.

        Where it is allowed and there is an *instead*, that is done, and the function is not run.
        """
        house = self.house
        identity = self._inherits(house, call, held)
        act = partial(self._act, house, call, None) if instead is None else partial(self._put_off, house, call, instead)
        return await self._carry(house, call, identity, held, act)

    async def serve_event(self, call: Call, source: str, key: str) -> Outcome:
        """Carry one call that an event of *source* causes; how many there are at once is limited where they wait."""
        house = self.house
        identity = of_source(source, vouches=house.issuer, key=key, now=call.received_at)
        return await self._carry(house, call, identity, None, partial(self._act, house, call, None))

    def reach(self, call: Call, held: Held, functions: Iterable[str]) -> Iterator[tuple[str, Allow]]:
        """Say which of *functions* whoever showed a session may call now; nothing is called, nor trailed."""
        house = self.house
        identity = self._inherits(house, call, held)
        question = _question(call, identity, at=self._clock())
        for function in functions:
            answer = house.decider.again(replace(question, function=function), held)
            if isinstance(answer, Allow):
                yield function, answer

    def _inherits(self, house: House, call: Call, held: Held) -> Identity:
        usable(held, house.marks, now=self._clock())
        identity = inherited(held, house.issuer)
        self._admit(house, call, identity)
        return identity

    def meet(self, call: Call, held: Held) -> Identity:
        """Say who shows a session, for what needs no rule."""
        return self._inherits(self.house, call, held)

    async def take_role(self, call: Call, shown: Evidence | Held, wish: Wish) -> tuple[Identity, Took] | Refused:
        """Hand out a session for a role, to be used later; whoever gets it is asked anew at each use."""
        house = self.house
        if isinstance(shown, Held):
            held, identity = shown, self._inherits(house, call, shown)
        else:
            held, identity = None, await self._believe(house, call, shown)
            self._admit(house, call, identity)
            wish = wish.told(identity)
        identified_at = self._clock()
        decision = house.decider.take(_question(call, identity, at=identified_at), wish, held)
        await house.audit.decided(await record(call, identity, decision, (identified_at, self._clock()), house.audit))
        if isinstance(decision, Deny):
            self._end(house, call, "refused")
            return Refused(decision=decision)
        try:
            took = await house.seals.take(decision.grant, wish, call=call.id, now=self._clock())
        except BaseException as error:
            self._end(house, call, *_failure(error))
            raise
        self._end(house, call, "answered")
        return identity, took

    async def _believe(self, house: House, call: Call, evidence: Evidence) -> Identity:
        try:
            return await house.identify.verify(evidence, now=call.received_at)
        except IdentifyError as stranger:
            self.stranger(stranger.code, call.address)
            raise

    async def _carry(self, house: House, call: Call, identity: Identity, held: Held | None, act: _Act) -> Outcome:
        identified_at = self._clock()
        question = _question(call, identity, at=identified_at)
        decision = house.decider.decide(question) if held is None else house.decider.again(question, held)
        times = (identified_at, self._clock())
        await house.audit.decided(await record(call, identity, decision, times, house.audit))
        if isinstance(decision, Deny):
            self._end(house, call, "refused")
            return Refused(decision=decision)
        return await act(decision.grant)

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

    async def _put_off(self, house: House, call: Call, instead: Instead, _grant: Grant) -> Outcome:
        try:
            house.origins.need_root(call)
            _see_depth(house, call)
            _backend(house, call)
            await instead.do(call)
        except BaseException as error:
            self._end(house, call, *_failure(error))
            raise
        self._end(house, call, instead.outcome)
        return Answered(payload=b"")

    async def _act(self, house: House, call: Call, evidence: Evidence | None, grant: Grant) -> Outcome:
        """Take the role and run the function; whatever happens, the trail gets its end."""
        try:
            house.origins.begin(call, grant.identity, house.nesting)
            backend = _backend(house, call)
            role = None if grant.role is None else grant.role.name
            if call.body is not None:
                call = await _whole(call, backend)
            taken = await house.takes.take(grant, house.brokers[role], now=self._clock(), evidence=evidence)
            with taken as sessions:
                outcome = await backend.invoke(
                    Delivery(
                        call=call,
                        grant=grant,
                        sessions=sessions,
                        envelope=partial(house.envelope, call, grant),
                        token=evidence.shown if isinstance(evidence, BearerToken) else None,
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
        house.origins.end(call)
        now = self._clock()
        took = (now - call.received_at) // _MICROSECOND
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
            self._finish("answered", None, getattr(self._body, "log_hash", None))
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


def _see_depth(house: House, call: Call) -> None:
    """Refuse what could never be run later, while somebody listens."""
    if call.depth > house.nesting.depth:
        raise TooDeep(function=call.function, depth=call.depth, allowed=house.nesting.depth)


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
        also=call.also,
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
