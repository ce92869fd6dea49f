"""Functions on AWS Lambda, invoked with the invoke session of the caller's own role.

In the settings file::

    functions:
      billing: {lambda: "arn:aws:lambda:eu-west-1:111122223333:function:billing"}

Tried against moto, not in AWS. In AWS the function runs under its execution role: it is *invoked as* the caller's
role, and fetches the caller's work session by `actas.lambda_.session`. The envelope travels in the client context, so
that the function can verify who called.
"""

import asyncio
import base64
import secrets
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import quote

import aiohttp
import anyio
from yarl import URL

from actas import sigv4
from actas.invoke import lambda_answers, route_events
from actas.invoke.client_context import for_lambda
from actas.invoke.in_flight import InFlight
from actas.invoke.interface import Delivery
from actas.invoke.lambda_answers import Tail
from actas.invoke.lambda_errors import (
    LambdaMalformed,
    LambdaRefused,
    LambdaTimedOut,
    LambdaUnreachable,
    NoInvokeSession,
)
from actas.invoke.lambda_streams import Pieces, outcome
from actas.invoke.local.logs import Logs
from actas.model import clock
from actas.model.outcome import Answered, Streamed
from actas.settings.schema import Function

LARGEST: Final = 6 * 1024 * 1024
TRIES: Final = 3
_MARGIN: Final = 2.0
"""Seconds on top of the function's own timeout, for the way there and back."""
_CONNECT_WITHIN: Final = 5.0
_random: Final = secrets.SystemRandom().random


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One invocation, before it is signed."""

    url: str
    headers: list[tuple[str, str]]
    event: bytes
    credentials: sigv4.Credentials


class AwsLambdaBackend:
    """Runs one function by ``Invoke``; asked again only where it is certain that the function did not run."""

    def __init__(
        self, name: str, settings: Function, *, log: Logs = lambda *_line: None, flights: InFlight | None = None
    ) -> None:
        """Take the settings; *log* keeps lines of the function's log, *flights* knows which calls are under way."""
        assert settings.lambda_ is not None
        self._name, self._settings, self._log = name, settings, log
        self._flights = InFlight() if flights is None else flights
        parts = settings.lambda_.split(":")
        self._region, self._qualifier = parts[3], parts[7] if len(parts) > 7 else "$LATEST"
        self._function = ":".join(parts[:7])
        suffix = ".cn" if parts[1] == "aws-cn" else ""
        self._endpoint = (settings.endpoint or f"https://lambda.{self._region}.amazonaws.com{suffix}").rstrip("/")
        path = ("/2021-11-15", "response-streaming-invocations") if settings.stream else ("/2015-03-31", "invocations")
        self._url = f"{self._endpoint}{path[0]}/functions/{quote(self._function, safe='')}/{path[1]}"
        self._url += f"?Qualifier={quote(self._qualifier, safe='')}"
        self._allowed = settings.timeout.seconds + _MARGIN
        self._keys = sigv4.SigningKeys(256)
        self._client: aiohttp.ClientSession | None = None

    async def invoke(self, delivery: Delivery) -> Answered | Streamed:
        """Run the function and give what it gives."""
        asked = self._asked(delivery)
        self._flights.begin(delivery)
        streamed = False
        try:
            with anyio.fail_after(self._allowed):
                answer = await self._send(asked)
                if self._settings.stream:
                    found = await self._streamed(delivery, answer)
                    streamed = isinstance(found, Streamed)
                    return found
                return await self._whole(delivery, answer)
        except TimeoutError as late:
            raise LambdaTimedOut(function=self._name, allowed=self._allowed) from late
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as wrong:
            raise LambdaUnreachable(function=self._name, why=type(wrong).__name__) from wrong
        finally:
            if not streamed:
                self._flights.end(delivery)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _asked(self, delivery: Delivery) -> _Asked:
        session = delivery.sessions.invoke
        if session is None:
            raise NoInvokeSession(function=self._name)
        event, context = self._event(delivery)
        if len(event) > LARGEST:
            raise LambdaRefused(function=self._name, found="RequestTooLargeException")
        credentials = sigv4.Credentials(
            session.access_key_id, session.secret_access_key.reveal(), session.session_token.reveal()
        )
        head = [
            ("Host", self._endpoint.partition("://")[2]),
            ("Content-Type", "application/json"),
            ("X-Amz-Invocation-Type", "RequestResponse"),
            ("X-Amz-Log-Type", "Tail"),
            ("X-Amz-Client-Context", base64.b64encode(context).decode()),
        ]
        return _Asked(url=self._url, headers=head, event=event, credentials=credentials)

    def _event(self, delivery: Delivery) -> tuple[bytes, bytes]:
        """Give the event, and the client context with the envelope for it (design.md, 8.8)."""
        call, now = delivery.call, clock.now()
        if call.route is None:
            event = call.payload or b"{}"
            return event, for_lambda(call, delivery.envelope(event, now))
        event = route_events.event(
            call,
            call.route,
            version=self._settings.format,
            domain_name="localhost",
            account_id=self._function.split(":")[4],
            binary_media_types=self._settings.binary_media_types,
            envelope=delivery.envelope,
            now=now,
        )
        return event, b"{}"

    async def _send(self, asked: _Asked) -> aiohttp.ClientResponse:
        """Send it, again where it is certain that the function did not run; give an answer that is a yes."""
        for turn in range(1, TRIES + 1):
            try:
                answer = await self._once(asked)
            except aiohttp.ClientConnectorError:  # there was no connection, so nothing was sent on it
                if turn == TRIES:
                    raise
            else:
                if answer.status == 200:
                    return answer
                content = await _read(answer, self._name)
                did_not_run = (
                    answer.status == 429 or lambda_answers.error_type(answer.headers) in lambda_answers.NOT_RUN
                )
                if turn == TRIES or not did_not_run:
                    raise lambda_answers.refusal(self._name, answer.status, answer.headers, content)
            await anyio.sleep(_random() * 0.1 * 2**turn)
        raise AssertionError  # pragma: no cover - the last turn returns or raises

    async def _once(self, asked: _Asked) -> aiohttp.ClientResponse:
        """Sign and send; each try has a signature of its own time."""
        signed = sigv4.sign(
            "POST", asked.url, asked.headers, asked.event, asked.credentials,
            region=self._region, service="lambda", now=clock.now(), keys=self._keys,
        )  # fmt: skip
        if self._client is None:
            self._client = aiohttp.ClientSession(
                trust_env=False,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=15),  # as many at once as Lambda takes
                timeout=aiohttp.ClientTimeout(total=self._allowed, sock_connect=_CONNECT_WITHIN),
            )
        return await self._client.post(
            URL(signed.url, encoded=True), data=asked.event, headers=list(signed.headers), allow_redirects=False
        )

    async def _whole(self, delivery: Delivery, answer: aiohttp.ClientResponse) -> Answered:
        content = await _read(answer, self._name)
        tail = lambda_answers.tail(answer.headers.get("X-Amz-Log-Result"))
        if tail is not None:
            self._keep(delivery.call.id, tail)
        answered = Answered(
            payload=content,
            function_error=answer.headers.get("X-Amz-Function-Error"),
            log_hash=tail.hash if tail else None,
            log_tail=tail.text if tail else b"",
        )
        return self._routed(delivery, answered)

    async def _streamed(self, delivery: Delivery, answer: aiohttp.ClientResponse) -> Answered | Streamed:
        pieces = Pieces(
            answer,
            function=self._name,
            allowed=self._allowed,
            kept=partial(self._keep, delivery.call.id),
            over=partial(self._flights.end, delivery),
        )
        kind = answer.headers.get("Content-Type", "")
        speaks_http = delivery.call.is_url or delivery.call.route is not None
        found = await outcome(pieces, kind, function=self._name, routed=speaks_http)
        return self._routed(delivery, found) if isinstance(found, Answered) else found

    def _routed(self, delivery: Delivery, answered: Answered) -> Answered:
        route = delivery.call.route
        if route is None:
            return answered
        media = self._settings.binary_media_types
        return route_events.answer(answered, route, version=self._settings.format, binary_media_types=media)

    def _keep(self, call: str, tail: Tail) -> None:
        """Put the tail of Lambda's log into the function's log here; the trail holds its hash."""
        for line in tail.lines:
            self._log(call, self._name, line)


async def _read(answer: aiohttp.ClientResponse, function: str) -> bytes:
    """Read an answer, at most as large as Lambda's own limit."""
    pieces, size = [], 0
    async for piece in answer.content.iter_chunked(64 * 1024):
        size += len(piece)
        if size > LARGEST + 1024:
            answer.close()
            raise LambdaMalformed(function=function, why=f"it is larger than {LARGEST} bytes")
        pieces.append(piece)
    return b"".join(pieces)
