"""What a function is sent: the event's bytes, and beside them what Lambda calls the client context."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import anyio

from actas.invoke import route_events
from actas.invoke.client_context import client_context
from actas.invoke.interface import Delivery
from actas.invoke.local.errors import EventNotJson, EventTooLarge
from actas.invoke.local.job import Job, is_json
from actas.invoke.local.reports import Report
from actas.invoke.origins import below
from actas.model import clock
from actas.model.call import Call
from actas.settings.schema import Function

T = TypeVar("T")

LARGEST_EVENT: Final = 6 * 1024 * 1024
_LARGE: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """How a route's event names the API that it came through."""

    account: str
    domain_name: str


async def job(delivery: Delivery, settings: Function, api: Api) -> Job:
    """Make of a delivery what a process is given."""
    made, context = await event(delivery, settings, api)
    call, report = delivery.call.request_id or delivery.call.id, None
    if delivery.call.wants_log:
        report = Report(call=call, version=delivery.call.qualifier, memory=settings.memory.bytes)
    return Job(
        call=call,
        report=report,
        event=made,
        head=head(delivery, context),
        timeout=settings.timeout.seconds,
        origin=below(delivery.call),
        done=asyncio.get_running_loop().create_future(),
    )


async def event(delivery: Delivery, settings: Function, api: Api) -> tuple[bytes, bytes]:
    """Give the event's bytes and the client context; the envelope is in one of the two."""
    call, now = delivery.call, clock.now()
    if call.route is None:
        made = call.payload or b"{}"
        _check(call, made)
        envelope = await _aside(partial(delivery.envelope, made, now), len(made))
        return made, client_context(call, envelope)
    make = partial(
        route_events.event,
        call,
        call.route,
        version=settings.format,
        domain_name=api.domain_name,
        account_id=api.account,
        binary_media_types=settings.binary_media_types,
        envelope=delivery.envelope,
        now=now,
    )
    made = await _aside(make, len(call.payload))
    _check(call, made)
    return made, b""


def head(delivery: Delivery, context: bytes) -> bytes:
    """Give the header lines that tell the runtime client of the call."""
    call = delivery.call
    lines = [
        b"Lambda-Runtime-Aws-Request-Id: " + (call.request_id or call.id).encode("ascii"),
        b"Lambda-Runtime-Invoked-Function-Arn: " + delivery.grant.function_arn.encode("ascii"),
    ]
    if context:
        lines.append(b"Lambda-Runtime-Client-Context: " + context)
    if call.trace_id and len(call.trace_id) == 32:
        lines.append(f"Lambda-Runtime-Trace-Id: Root=1-{call.trace_id[:8]}-{call.trace_id[8:]};Sampled=0".encode())
    return b"\r\n".join([*lines, b""])


def _check(call: Call, made: bytes) -> None:
    if len(made) > LARGEST_EVENT:
        raise EventTooLarge(function=call.function, size=len(made), limit=LARGEST_EVENT)
    if not is_json(made):
        raise EventNotJson(function=call.function)


async def _aside(work: Callable[[], T], size: int) -> T:
    """Do *work*, in a thread where there is much of it: digesting megabytes must not hold up other calls."""
    return work() if size < _LARGE else await anyio.to_thread.run_sync(work)
