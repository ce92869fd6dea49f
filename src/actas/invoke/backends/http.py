"""Functions that are HTTP services: a reverse proxy on the routes named, streaming both ways.

In the settings file::

    functions:
      orders: {http: "https://orders.example.com/api", routes: ["GET /orders/{id}", "ANY /carts/{proxy+}"]}
      inside: {http: "http://10.1.2.3:8080", private: true, routes: ["GET /stock"], timeout: 10s}

The path that was decided on is the path that is sent; the caller's token and cookies stay here unless the function
says ``pass_token: true``; who called stands in ``Actas-Caller``, signed.
"""

import re
from collections.abc import AsyncIterator
from typing import Final, Literal, NoReturn

import aiohttp
from yarl import URL

from actas.invoke.interface import Delivery
from actas.invoke.local.gate import Gate
from actas.invoke.proxy_errors import NotProxied, UpstreamMalformed, UpstreamTimedOut
from actas.invoke.proxy_headers import to_backend, to_caller
from actas.invoke.proxy_target import read_base, target
from actas.invoke.upstream import Judging, Sending, translated
from actas.model import clock
from actas.model.call import Call
from actas.model.facts import Known
from actas.model.outcome import Streamed
from actas.settings.schema import Function

CONNECT_WITHIN: Final = 5.0
"""Seconds to get a connection; less where the function's timeout is less."""
PATIENCE: Final = 30.0
LARGEST_FIELD: Final = 16_384
MOST_FIELDS: Final = 256
_METHOD: Final = re.compile(r"[A-Z][A-Z_-]{0,31}")
_NEVER: Final = frozenset(("CONNECT", "TRACE"))  # RFC 9110, sections 9.3.6 and 9.3.8: a tunnel, and an echo of secrets
_OURS_ALONE: Final = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")
"""What the client library would add to a request that does not have it."""


class HttpBackend:
    """Hands requests on to one HTTP service."""

    streams: Literal[True] = True

    def __init__(self, name: str, settings: Function) -> None:
        """Take the settings; nothing is connected yet."""
        assert settings.http is not None
        self._name, self._settings = name, settings
        self._base = read_base(settings.http)
        self._timeout = settings.timeout.seconds
        schedule = settings.schedule
        self._gate = Gate(name, at_once=schedule.at_once, waiting=schedule.waiting, patience=PATIENCE)
        self._session: aiohttp.ClientSession | None = None

    async def invoke(self, delivery: Delivery) -> Streamed:
        """Hand the request on; the answer's head comes back as soon as it is there."""
        method, url = self._asked(delivery.call)
        sending = await Sending.of(delivery.call)
        headers = self._headers(delivery, sending)
        await self._gate.enter()
        try:
            answer = await self._send(method, url, headers, sending)
        except BaseException:
            self._gate.leave()
            raise
        body = _AnswerBody(self, answer)
        if answer.status < 200:
            await body.aclose()
            raise UpstreamMalformed(function=self._name, why="another protocol was begun that nobody asked for")
        return Streamed(status=answer.status, headers=to_caller(answer.raw_headers), body=body)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def leave(self) -> None:
        """Give the call's place to the next one."""
        self._gate.leave()

    def failed(self, wrong: Exception, sending: Sending | None = None) -> NoReturn:
        """Say what went wrong in our own words."""
        raise translated(wrong, function=self._name, connect_within=self._connect_within(), sending=sending) from wrong

    def late(self, wrong: TimeoutError) -> NoReturn:
        """Say that the answer was not whole in time."""
        raise UpstreamTimedOut(function=self._name, phase="finish its answer", seconds=self._timeout) from wrong

    def _asked(self, call: Call) -> tuple[str, str]:
        """Give the method and the URL; a call without a route is a POST to the base."""
        route = call.route
        if route is None:
            return "POST", target(self._base, "/", "") if not self._base.path else self._base.geturl()
        if not _METHOD.fullmatch(route.method) or route.method in _NEVER:
            raise NotProxied(function=self._name)
        return route.method, target(self._base, route.path, route.query)

    def _headers(self, delivery: Delivery, sending: Sending) -> list[tuple[str, str]]:
        """Give the header fields that go on."""
        call = delivery.call
        envelope = delivery.envelope(call.payload, clock.now())
        ours = [("Actas-Caller", envelope), ("Actas-Call-Id", call.id)]
        if isinstance(call.address, Known):
            ours.append(("X-Forwarded-For", str(call.address.value)))
        if self._settings.pass_token and delivery.token is not None:
            ours.append(("Authorization", f"Bearer {delivery.token.reveal()}"))
        if self._settings.pass_bearer and (work := delivery.sessions.work) and work.bearer:
            ours.append(("Authorization", f"Bearer {work.bearer.token.reveal()}"))
        if sending.length is not None:
            ours.append(("Content-Length", str(sending.length)))
        if call.route is None:
            return [("Content-Type", "application/json"), *ours]
        return to_backend(call.route.headers, ours)

    async def _send(
        self, method: str, url: str, headers: list[tuple[str, str]], sending: Sending
    ) -> aiohttp.ClientResponse:
        session = self._session or self._open()
        try:
            return await session.request(
                method, URL(url, encoded=True), headers=headers, data=sending.data(), allow_redirects=False
            )
        except (aiohttp.ClientError, ConnectionError, ValueError) as wrong:
            self.failed(wrong, sending)
        except TimeoutError as wrong:
            raise UpstreamTimedOut(function=self._name, phase="answer", seconds=self._timeout) from wrong

    def _open(self) -> aiohttp.ClientSession:
        """Make the connections' pool, on the loop that runs now."""
        connector = aiohttp.TCPConnector(
            limit=0,  # the gate counts
            resolver=Judging(self._name, private=self._settings.private),
            keepalive_timeout=30,
        )
        Judging.literal(self._name, self._base.hostname or "", private=self._settings.private)
        self._session = aiohttp.ClientSession(
            connector=connector,
            # One timer for the whole of a call, its answer's body included; a scope for each wait costs a third more.
            timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=self._connect_within()),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_OURS_ALONE,
            trust_env=False,
            requote_redirect_url=False,
            max_line_size=LARGEST_FIELD,
            max_field_size=LARGEST_FIELD,
            max_headers=MOST_FIELDS,
        )
        return self._session

    def _connect_within(self) -> float:
        return min(CONNECT_WITHIN, self._timeout)


class _AnswerBody:
    """An answer's body as it comes; the call's place is given back when it ends, however it ends."""

    def __init__(self, backend: HttpBackend, answer: aiohttp.ClientResponse) -> None:
        self._backend, self._answer = backend, answer
        self._over = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._over:
            raise StopAsyncIteration
        try:
            piece = await self._answer.content.readany()
        except BaseException as wrong:
            await self.aclose()
            if isinstance(wrong, aiohttp.ClientError | ConnectionError):
                self._backend.failed(wrong)
            if isinstance(wrong, TimeoutError):
                self._backend.late(wrong)
            raise
        if not piece:
            self._answer.release()
            self._finish()
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Stop: the connection is not used again where the body was not read to its end."""
        if not self._over:
            self._answer.close()
            self._finish()

    def _finish(self) -> None:
        if not self._over:
            self._over = True
            self._backend.leave()
