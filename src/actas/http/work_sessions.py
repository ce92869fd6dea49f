"""Hand a function in AWS the work session of its call: ``POST /work-sessions`` of the control origin (design.md, 8.1).

What it takes: the envelope of a call that is under way here, and a `GetCallerIdentity` that the function's execution
role signed for this gateway and this envelope (`actas.lambda_.proof`). STS says whose signature it is; the settings say
whose it must be. Each proof counts once, and each hand-out is in the trail before it is made.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Protocol

import msgspec

from actas import jose
from actas.assume import sts
from actas.assume.errors import BrokerRefused
from actas.assume.exchange import Asked, Exchange
from actas.audit.records import Entry, Handed
from actas.gateway import Gateway
from actas.http import answers, arrivals, problems
from actas.http.body import Patience, Receive, Send
from actas.http.calls import Front
from actas.http.errors import HttpError, MalformedRequest, TooManyCalls
from actas.invoke import origins
from actas.invoke.in_flight import MOST, Flight, InFlight
from actas.lambda_ import proof
from actas.lambda_.claims import ALGORITHMS, TYPE
from actas.lambda_.proof import Proof
from actas.model import clock
from actas.model.decision import Grant
from actas.model.ids import RANDOM, call_id
from actas.settings.schema import Function

NAME: Final = "sts"
LARGEST: Final = 24 * 1024


class WorkSessionRefused(HttpError):
    """No session is handed out for what was shown."""

    code = "http.work-session-refused"
    hint = "Compare execution_role of the function with the role that it runs under, and the clocks of both sides."
    status = 403

    def __init__(self, *, why: str) -> None:
        """State the first thing that is wrong."""
        super().__init__(f"no work session is handed out: {why}")


class Keeps(Protocol):
    """Keeps a record, durably."""

    async def keep(self, entry: Entry, /) -> None:
        """Return when it is durable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What stands at the moment of a request."""

    front: Front
    gateway: Gateway
    patience: Patience
    flights: InFlight
    exchange: Exchange
    audit: Keeps
    keys: Callable[[], Mapping[str, Any]]
    """Our own public keys, by which envelopes are verified."""
    once: Callable[[str, str, datetime], Awaitable[bool]]
    """Remembers a name of an issuer until then, for all replicas; tells whether it is new."""
    is_over: Callable[[Grant, datetime | None], bool]
    """Whether a grant was revoked after its sessions were made."""
    issuer: str
    functions: Mapping[str, Function]


class WorkSessions:
    """The door."""

    def __init__(self, now: Callable[[], Now]) -> None:
        """Take what tells what stands at the moment."""
        self._now = now

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request."""
        now, at = self._now(), clock.now()
        name = call_id(at, secrets.token_bytes(RANDOM))
        work = self._answer(now, scope, receive, (name, at))
        await answers.tell(send, *await arrivals.answered(name, work, partial(problems.problem, call=name)))

    async def _answer(self, now: Now, scope: Any, receive: Receive, call: tuple[str, datetime]) -> problems.Answer:
        name, at = call
        content = await self._handed(now, scope, receive, at)
        return 200, problems.plain(name, len(content), b"application/json"), content

    async def _handed(self, now: Now, scope: Any, receive: Receive, at: datetime) -> bytes:
        arrived = arrivals.arrive(now.front, now.gateway, scope, origins.of(scope))
        body = await arrivals.whole(now.patience, receive, arrived.head, now.front, most=LARGEST)
        try:
            return await handed(now, body, at)
        except (WorkSessionRefused, MalformedRequest) as stranger:
            now.gateway.stranger(stranger.code, arrived.address)
            raise


async def handed(now: Now, body: bytes, at: datetime) -> bytes:
    """Hand out the session, or raise what stands in the way."""
    shown = _shown(body)
    call, flight = _flight(now, shown.envelope, at)
    function = now.functions.get(flight.function)
    if function is None or function.execution_role is None or function.lambda_ is None:
        raise WorkSessionRefused(why="the settings name no execution_role for this function")
    read = proof.read(shown, gateway=now.issuer, now=at)
    if isinstance(read, str):
        raise WorkSessionRefused(why=f"the proof does not hold: {read}")
    if read.region != function.lambda_.split(":")[3]:
        raise WorkSessionRefused(why="the proof is of another region than the function")
    if flight.fetched >= MOST:
        raise TooManyCalls(whose="call", retry_after=60)
    flight.fetched += 1
    if not await now.once("work-sessions", read.signature, at + 2 * proof.LASTS):
        raise WorkSessionRefused(why="the proof was shown before")
    who = await _signer(now.exchange, read, function)
    if who != _wanted(function.execution_role, function.lambda_):
        raise WorkSessionRefused(why="the proof is not of this function's execution role")
    if now.flights.find(call) is not flight:
        raise WorkSessionRefused(why="the call is over")
    if now.is_over(flight.grant, flight.began):
        raise WorkSessionRefused(why="what the call rests on was revoked")
    await now.audit.keep(Handed(at=clock.now(), call=call, function=flight.function, role=flight.role))
    return _written(flight)


def _shown(body: bytes) -> Proof:
    try:
        return msgspec.json.decode(body, type=Proof)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise MalformedRequest(why="its body is no proof as actas.lambda_ writes it") from wrong


class _Named(msgspec.Struct, frozen=True):
    jti: str


def _flight(now: Now, envelope: str, at: datetime) -> tuple[str, Flight]:
    """Find the call that an envelope of ours is about; it must be under way here."""
    flight = None
    try:
        payload = jose.verify_jws(envelope, jose.KeySet.from_json(now.keys()), algorithms=ALGORITHMS).payload
        call = msgspec.json.decode(payload, type=_Named).jti
        flight = now.flights.find(call)
        if flight is not None:
            jose.verify_jwt(
                envelope,
                jose.KeySet.from_json(now.keys()),
                issuer=now.issuer,
                audience=flight.function_arn,
                now=at,
                algorithms=ALGORITHMS,
                typ=TYPE,
                leeway=timedelta(seconds=60),
            )
    except (jose.JoseError, msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise WorkSessionRefused(why="the envelope does not hold") from wrong
    if flight is None:
        raise WorkSessionRefused(why="its call is not under way here")
    return call, flight


async def _signer(exchange: Exchange, read: proof.Read, function: Function) -> str:
    """Ask STS who signed; the address is ours and the region's, and nothing that was shown."""
    asked = Asked(
        broker=NAME,
        url=function.sts or f"https://{proof.host(read.region)}/",
        headers=dict(read.headers),
        body=proof.BODY,
        code=sts.error_code,
    )
    try:
        return sts.identity(await exchange.ask(asked), broker=NAME)
    except BrokerRefused as wrong:
        raise WorkSessionRefused(why="STS does not take the proof") from wrong


def _wanted(execution_role: str, function: str) -> str:
    """Name the session that Lambda gives a function: of its execution role, called like the function."""
    _, partition, _, _, account, resource = execution_role.split(":", 5)
    name = function.split(":")[6]
    return f"arn:{partition}:sts::{account}:assumed-role/{resource.rpartition('/')[2]}/{name}"


def _written(flight: Flight) -> bytes:
    work = flight.work
    return msgspec.json.encode(
        {
            "AccessKeyId": work.access_key_id,
            "SecretAccessKey": work.secret_access_key.reveal(),
            "SessionToken": work.session_token.reveal(),
            "Expiration": work.expires_at,
        }
    )
