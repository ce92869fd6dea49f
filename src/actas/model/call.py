"""One call of one function, as a front door heard it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from actas.model.facts import Fact, Missing

Address = IPv4Address | IPv6Address
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What an HTTP route adds to a call.

    ``template`` is the route as it stands in the settings (``GET /orders/{id}``); ``path`` is the canonical
    path that was decided upon and is sent on; ``raw_path`` is the target as it came.
    """

    template: str
    method: str
    path: str
    raw_path: str
    query: str
    headers: Headers = field(repr=False)
    parameters: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(slots=True, kw_only=True)  # not frozen: made for every call, and freezing doubles that
class Call:
    """Which function is called, with what, from where, and when it came in."""

    id: str
    """26 characters of Crockford base32: time-ordered, unique, unguessable; W3C trace ids travel beside it."""
    function: str
    payload: bytes = field(repr=False)
    """The event or the request's body; empty where ``body`` has it."""
    received_at: datetime
    body: AsyncIterator[bytes] | None = field(default=None, repr=False)
    """A body that is not read yet, because it is large or of unknown length; read once, by whoever needs it."""
    qualifier: str = "$LATEST"
    route: Route | None = None
    address: Fact[Address] = field(default=Missing.UNKNOWN, repr=False)
    """The client's address; unknown when the peer is private and no proxy is declared (design.md, 8.9)."""
    requested_role: str | None = None
    trace_id: str | None = None
    door: str = "http"
    root: str | None = None
    """The call at the root of the chain this one belongs to; None where it is the root itself."""
    depth: int = 0
    is_detached: bool = False
    """Whether it runs by itself below its root, which may be over: an event that was queued from inside a function."""
    client_context: Mapping[str, Any] | None = field(default=None, repr=False)
    """What the caller says of its client, for the function (``X-Amz-Client-Context``); ``custom`` is an object."""
    is_url: bool = False
    """Whether it came to the function's own URL: its answer goes out as HTTP, in pieces where it comes in pieces."""
    wants_log: bool = False
    """Whether the caller asks for the end of the function's log (``X-Amz-Log-Type``)."""
    request_id: str | None = None
    """What the function is told as its request's name where that is not the call's: the same for each delivery."""
    also: tuple[str, ...] = ()
    """Actions that the policies of a session must allow besides that of calling the function."""
