"""What a door does with every request before anybody is believed: its head, its turn, its place, its body.

The same discipline as `actas.http.calls`, for doors whose callers sign and whose bodies are read whole.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from actas.errors import ActasError
from actas.gateway import Gateway
from actas.http import body, heads
from actas.http.calls import Front, unexpected
from actas.http.errors import Overloaded, RequestTooLarge, Stopping, TooManyCalls
from actas.invoke.origins import Origin
from actas.model.call import Address
from actas.model.facts import Fact

log = logging.getLogger("actas.http")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A request that may be looked at."""

    head: heads.Head
    origin: Origin
    address: Fact[Address]


async def answered(name: str, work: Awaitable[T], tell: Callable[[ActasError], T]) -> T:
    """Give the answer that *work* makes of the request *name*, or word with *tell* what went wrong."""
    try:
        return await work
    except ActasError as error:
        if error.status >= 500:
            log.warning("call %s: %s: %s; %s", name, error.code, error, error.hint)
        return tell(error)
    except Exception as error:  # noqa: BLE001 - the outermost door
        return tell(unexpected(name, error))


def arrive(front: Front, gateway: Gateway, scope: Any, origin: Origin) -> Arrived:
    """Read the head strictly, see that there is room, and count the network; a nested call has its root's place."""
    limits = front.settings.limits
    head = heads.read_head(scope, limits)
    if front.is_stopping and origin.root is None:  # what calls in flight need may still begin
        raise Stopping
    if front.flights.now > limits.connections:
        raise Overloaded(allowed=limits.connections)
    peer = scope["client"][0] if scope["client"] else ""  # of a nested call the relay says its root's name
    address, network = (origin.address, peer) if origin.root else front.peers.place(peer, scope["headers"])
    if wait := front.networks.take(network, time.monotonic()):
        gateway.stranger(TooManyCalls.code, address)
        raise TooManyCalls(whose="network", retry_after=wait)
    return Arrived(head=head, origin=origin, address=address)


async def whole(patience: body.Patience, receive: body.Receive, head: heads.Head, front: Front, *, most: int) -> bytes:
    """Read the body, *most* bytes of it and no more."""
    limits = front.settings.limits
    if head.content_length is not None and head.content_length > most:
        raise RequestTooLarge(what="body", allowed=most)
    small = await patience.small(receive, head, limits)
    if small is not None:
        return small
    pieces, size = [], 0
    async for piece in body.Incoming(receive, limits):
        size += len(piece)
        if size > most:
            raise RequestTooLarge(what="body", allowed=most)
        pieces.append(piece)
    return b"".join(pieces)


def is_signed(head: heads.Head, query: bytes) -> bool:
    """Tell whether it looks signed: only then is a body worth reading before it is known whose it is."""
    return (head.authorization or b"").startswith(b"AWS4-") or b"X-Amz-Signature=" in query or b"X-Amz-Alg" in query
