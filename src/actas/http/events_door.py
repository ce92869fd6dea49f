"""The door for pushed identity events: ``/events/{source}`` of the public origin.

Whoever comes is a stranger until the source says that the delivery is the provider's. Before that stand the strict
head, the network's rate and the size; after it what was told is durable before anything but a no is answered.
"""

import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol

import anyio

from actas.errors import ActasError
from actas.gateway import Gateway
from actas.http import answers, arrivals, problems
from actas.http.body import Patience, Receive, Send
from actas.http.calls import Front
from actas.http.errors import HttpError, NoSuchPath
from actas.invoke import origins
from actas.model import clock
from actas.model.ids import RANDOM, call_id
from actas.model.paths import canonical_path

LARGEST: Final = 1024 * 1024
"""Bytes of one delivery, however large requests may be elsewhere."""
SLOWEST: Final = 8.0
"""Seconds in which a delivery is durable, or its sender is told to come again: some give up after ten."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_OURS: Final = frozenset({b"content-length", b"actas-call-id", b"transfer-encoding", b"connection"})


class NotDurable(HttpError):
    """It could not be kept in time, so it was not taken."""

    code = "http.event-not-kept"
    hint = "Look at the state database: it did not take what was pushed in time."
    status = 503

    def __init__(self, *, allowed: float) -> None:
        """State how long it had."""
        super().__init__(f"the delivery could not be kept within {allowed:g} s")


class NotHearing(HttpError):
    """The gateway has only begun."""

    code = "http.not-hearing-yet"
    hint = "Try again in a moment: the state database is being opened."
    status = 503

    def __init__(self) -> None:
        """State it."""
        super().__init__("events are not heard yet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """A delivery within its limits, which nobody has looked into."""

    source: str
    method: str
    query: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(repr=False)
    received_at: datetime


class Said(Protocol):
    """What a source answers, once what it was told is durable."""

    @property
    def status(self) -> int:
        """The HTTP status that the provider expects."""
        ...

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Header fields."""
        ...

    @property
    def body(self) -> bytes:
        """The body."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What stands at the moment of a request."""

    front: Front
    gateway: Gateway
    patience: Patience
    take: Callable[[Came], Awaitable[Said]] | None
    """Gives a delivery to its source; None until events are heard."""


class EventsDoor:
    """Takes what providers push."""

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
        return _written(await self._said(now, scope, receive, at), name)

    async def _said(self, now: Now, scope: Any, receive: Receive, at: datetime) -> Said:
        arrived = arrivals.arrive(now.front, now.gateway, scope, origins.of(scope))
        try:
            source = _source(scope)
            if now.take is None:
                raise NotHearing
            most = min(LARGEST, now.front.settings.limits.body.bytes)
            body = await arrivals.whole(now.patience, receive, arrived.head, now.front, most=most)
            said = await _taken(now.take, _came(scope, source, body, at))
        except ActasError as error:
            if error.status < 500:
                now.gateway.stranger(error.code, arrived.address)
            raise
        if said.status >= 400:  # a refusal in the provider's own words
            now.gateway.stranger("events.refused", arrived.address)
        return said


async def _taken(take: Callable[[Came], Awaitable[Said]], came: Came) -> Said:
    try:
        with anyio.fail_after(SLOWEST):
            return await take(came)
    except TimeoutError as late:
        raise NotDurable(allowed=SLOWEST) from late


def _source(scope: Any) -> str:
    """Read the source's name out of ``/events/NAME``, which has one spelling."""
    raw: bytes = scope["raw_path"]
    segments = canonical_path(raw).segments
    if len(segments) != 2 or raw != f"/events/{segments[1]}".encode() or not _NAME.fullmatch(segments[1]):
        raise NoSuchPath
    return segments[1]


def _came(scope: Any, source: str, body: bytes, at: datetime) -> Came:
    return Came(
        source=source,
        method=scope["method"],
        query=scope["query_string"].decode("latin-1"),
        headers=tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]),
        body=body,
        received_at=at,
    )


def _written(said: Said, name: str) -> problems.Answer:
    """Write a source's answer; what belongs to every answer of ours is ours to say."""
    head: problems.Head = [
        (key.lower().encode("latin-1"), value.encode("latin-1", "replace"))
        for key, value in said.headers
        if key.lower().encode("latin-1") not in _OURS
    ]
    named: Mapping[bytes, bytes] = dict(head)
    if said.status != 204:
        head.append((b"content-length", str(len(said.body)).encode()))
    head.append((b"actas-call-id", name.encode()))
    for key, value in ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")):
        if key not in named:
            head.append((key, value))
    return said.status, head, said.body
