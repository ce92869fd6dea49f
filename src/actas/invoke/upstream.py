"""The edge to the HTTP client library: names become judged addresses, bodies are counted, errors are translated."""

import asyncio
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_address
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.http_exceptions import HttpProcessingError

from actas.invoke.errors import InvokeError
from actas.invoke.proxy_addresses import refused
from actas.invoke.proxy_errors import (
    BodyNotWhole,
    UpstreamAddressRefused,
    UpstreamHungUp,
    UpstreamMalformed,
    UpstreamTimedOut,
    UpstreamUnreachable,
    UpstreamUntrusted,
)
from actas.model.call import Call

_MEANT_WITHOUT: Final = frozenset(("GET", "HEAD", "OPTIONS", "DELETE"))
"""Methods that say nothing of a body they do not have; others say that it is empty (RFC 9110, section 8.6)."""


class Judging(AbstractResolver):
    """Resolves a name and refuses it where one of its addresses may not be asked: what was judged is connected to."""

    def __init__(self, function: str, *, private: bool) -> None:
        self._function, self._private = function, private

    @staticmethod
    def literal(function: str, host: str, *, private: bool) -> None:
        """Judge a host that is an address already; the client does not resolve those."""
        try:
            address = str(ip_address(host))
        except ValueError:
            return
        kind = refused(address, private=private)
        if kind is not None:
            raise UpstreamAddressRefused(function=function, kind=kind)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Ask the system, in its own thread."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        for _, _, _, _, address in found:
            kind = refused(str(address[0]), private=self._private)
            if kind is not None:
                raise UpstreamAddressRefused(function=self._function, kind=kind)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=kind_of_address,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind_of_address, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Hold nothing."""


class Sending:
    """A request's body on its way: its length where it is known, and what went wrong with reading it."""

    def __init__(self, body: AsyncIterator[bytes] | bytes | None, length: int | None) -> None:
        self._body, self.length = body, length
        self.wrong: BaseException | None = None

    @classmethod
    async def of(cls, call: Call) -> "Sending":
        """Take a call's body."""
        if call.body is not None:
            length = _said_length(call)
            if length is not None:
                return cls(call.body, length)
            # A request that says no length has no body more often than not: wait for the first piece.
            first = await anext(aiter(call.body), None)
            if first is not None:
                return cls(_again(first, call.body), None)
        if not call.payload and (call.route is None or call.route.method in _MEANT_WITHOUT):
            return cls(None, None)
        return cls(call.payload, len(call.payload))

    def data(self) -> AsyncIterator[bytes] | bytes | None:
        """Give what the client sends."""
        if self._body is None or isinstance(self._body, bytes):
            return self._body
        return self._counted(self._body)

    async def _counted(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Hand the pieces on; a body that is not as long as was said never looks whole."""
        sent = 0
        try:
            async for piece in body:
                sent += len(piece)
                self._check(sent, whole=False)
                yield piece
            self._check(sent, whole=True)
        except BaseException as wrong:
            self.wrong = wrong
            raise

    def _check(self, sent: int, *, whole: bool) -> None:
        if self.length is not None and (sent > self.length or (whole and sent < self.length)):
            raise BodyNotWhole(said=self.length)


async def _again(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Put a piece that was taken back in front."""
    yield first
    async for piece in rest:
        yield piece


def _said_length(call: Call) -> int | None:
    """Read the length that the caller said; the front door has seen that it is one number."""
    if call.route is None:
        return None
    said = [value for name, value in call.route.headers if name.lower() == "content-length"]
    chunked = any(name.lower() == "transfer-encoding" for name, _ in call.route.headers)
    return int(said[0]) if len(said) == 1 and said[0].isascii() and said[0].isdigit() and not chunked else None


def translated(wrong: Exception, *, function: str, connect_within: float, sending: Sending | None) -> Exception:
    """Give our own error for one of the client's; the caller's own failure comes first."""
    if sending is not None and isinstance(sending.wrong, Exception):
        return sending.wrong
    match wrong:
        case InvokeError():
            return wrong
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return UpstreamUntrusted(function=function)
        case aiohttp.ClientConnectorDNSError():
            return UpstreamUnreachable(function=function, why="its name is not known")
        case aiohttp.ConnectionTimeoutError():
            return UpstreamTimedOut(function=function, phase="take the connection", seconds=connect_within)
        case aiohttp.ClientConnectorError():
            return UpstreamUnreachable(function=function, why=_plainly(wrong.os_error))
        case aiohttp.ClientResponseError() | HttpProcessingError() | ValueError():
            return UpstreamMalformed(function=function, why="its head cannot be read")
        case aiohttp.ClientPayloadError():
            return UpstreamHungUp(function=function, phase="within its answer")
        case _:
            return UpstreamHungUp(function=function, phase="before its answer")


def _plainly(wrong: OSError) -> str:
    """Say why there is no connection, without the address."""
    return "it refuses connections" if isinstance(wrong, ConnectionRefusedError) else "there is no way to it"
