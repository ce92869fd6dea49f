"""Fetch from providers: resolve, judge, connect to the judged address and to no other; follow nothing.

On httpcore, because its network backend is a public socket where the address is chosen while the URL's own host
stays in ``Host``, in SNI and in the certificate check. It reads no proxy from the environment, follows no redirect
and keeps no cookies. Off the hot path: keys are fetched a few times a day.
"""

import ssl
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from socket import SOCK_STREAM
from typing import Any, Final

import anyio
import httpcore

from actas.identify.errors import AddressRefused, UnexpectedAnswer, Unreachable
from actas.identify.flow import Answer, Wish
from actas.identify.guard import check_address, check_url

SLOWEST: Final = 5.0
"""Seconds that one request may take in all."""
_ADDRESSES: Final = 8
_FAILURES: Final = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    OSError,
    UnicodeError,  # a name that has no form for the resolver
)


class Fetcher:
    """Makes wishes come true, within limits."""

    def __init__(self, *, base: Path, slowest: float = SLOWEST) -> None:
        self._base, self._slowest = base, slowest
        self._contexts: dict[tuple[str | None, int], ssl.SSLContext] = {}

    async def __call__(self, wish: Wish) -> Answer:
        """Make one request; raise a `FetchError` where it may not be made or nothing usable comes."""
        parts = check_url(wish.url, private=wish.private)
        host = parts.hostname or ""
        try:
            with anyio.fail_after(self._slowest):
                context = await self._context(wish.ca) if parts.scheme == "https" else None
                backend = _Judging(private=wish.private, encrypted=context is not None)
                async with httpcore.AsyncConnectionPool(ssl_context=context, network_backend=backend) as pool:
                    return await _ask(pool, wish)
        except TimeoutError as late:
            raise Unreachable(host=host, why=f"no answer within {self._slowest:g} s") from late
        except _FAILURES as wrong:
            raise Unreachable(host=host, why=_plainly(wrong)) from wrong

    async def _context(self, ca: str | None) -> ssl.SSLContext:
        path = None if ca is None else self._base / ca
        stamp = 0 if path is None else (await anyio.Path(path).stat()).st_mtime_ns
        if (ca, stamp) not in self._contexts:
            made = await anyio.to_thread.run_sync(lambda: ssl.create_default_context(cafile=path))
            made.minimum_version = ssl.TLSVersion.TLSv1_2
            self._contexts = {key: one for key, one in self._contexts.items() if key[0] != ca} | {(ca, stamp): made}
        return self._contexts[ca, stamp]


class _Judging(httpcore.AsyncNetworkBackend):
    """Connects to the addresses that a name has now, after each of them was judged."""

    def __init__(self, *, private: bool, encrypted: bool) -> None:
        self._private, self._encrypted = private, encrypted
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._judged(host, port)
        for position, address in enumerate(addresses):
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.NetworkError:
                if position == len(addresses) - 1:
                    raise
        raise AddressRefused(host=host, why="no address at all")

    async def _judged(self, host: str, port: int) -> list[str]:
        """Resolve, and judge all that comes: a name with one bad address is not asked at all."""
        found = await anyio.getaddrinfo(host, port, type=SOCK_STREAM)
        addresses = list(dict.fromkeys(str(one[4][0]).partition("%")[0] for one in found))[:_ADDRESSES]
        for address in addresses:
            check_address(ip_address(address), host=host, private=self._private, encrypted=self._encrypted)
        return addresses


async def _ask(pool: httpcore.AsyncConnectionPool, wish: Wish) -> Answer:
    headers = [("Accept", "application/json"), ("Accept-Encoding", "identity"), *wish.headers]
    async with pool.stream(wish.method, wish.url, headers=headers, content=wish.body) as answer:
        if 300 <= answer.status < 400:
            raise UnexpectedAnswer(what="the request", why=f"was redirected (status {answer.status}), which is refused")
        body = bytearray()
        async for chunk in answer.aiter_stream():
            body += chunk
            if len(body) > wish.limit:
                raise UnexpectedAnswer(what="the answer", why=f"has more than {wish.limit} bytes")
        kept = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers)
        return Answer(status=answer.status, headers=kept, body=bytes(body))


def _plainly(wrong: BaseException) -> str:
    """Say what failed without the library's own words, which may hold addresses."""
    if isinstance(wrong.__cause__ or wrong.__context__, ssl.SSLError):
        return "its certificate is not trusted or TLS failed"
    if isinstance(wrong, httpcore.ProtocolError):
        return "it does not speak HTTP"
    return "no connection"
