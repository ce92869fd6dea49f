"""Functions on AWS Lambda, invoked with the invoke session of the caller's own role.

In the settings file::

    functions:
      billing: {lambda: "arn:aws:lambda:eu-west-1:111122223333:function:billing"}

Tried against moto, not in AWS. In AWS the function runs under its own execution role: it is *invoked as* the caller's
role. The envelope travels in the client context, so that the function can verify who called.
"""

import asyncio
import base64
import json
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import anyio
from yarl import URL

from actas import sigv4
from actas.invoke import route_events
from actas.invoke.errors import InvokeError
from actas.invoke.interface import Delivery
from actas.model import clock
from actas.model.outcome import Answered
from actas.settings.schema import Function

LARGEST: Final = 6 * 1024 * 1024
_MARGIN: Final = 2.0
"""Seconds on top of the function's own timeout, for the way there and back."""


class NoInvokeSession(InvokeError):
    """A function in AWS is only ever invoked as a role."""

    code = "invoke.no-invoke-session"
    hint = "Name a role with as: in the rules that allow this function; its broker must be aws-web-identity."
    status = 502

    def __init__(self, *, function: str) -> None:
        """State which function."""
        super().__init__(f"the rules allow {function} without a role, and Lambda is never invoked as the gateway")


class LambdaRefused(InvokeError):
    """Lambda did not take the call."""

    code = "invoke.lambda-refused"
    hint = "Read the code it gave: AccessDeniedException means that the role may not invoke this function."

    def __init__(self, *, function: str, found: str) -> None:
        """State what Lambda answered."""
        super().__init__(f"Lambda refused to run {function}: {found}")


class LambdaThrottled(InvokeError):
    """Lambda has no place for the call now."""

    code = "invoke.lambda-throttled"
    hint = "Call again in a moment, or raise the function's concurrency in AWS."
    status = 429

    def __init__(self, *, function: str) -> None:
        """State which function."""
        super().__init__(f"Lambda has no place for {function} now")


class LambdaUnreachable(InvokeError):
    """Lambda did not answer."""

    code = "invoke.lambda-unreachable"
    hint = "Check the network between the gateway and Lambda; the function may have run, so look before calling again."
    status = 503

    def __init__(self, *, function: str, why: str) -> None:
        """State how it did not."""
        super().__init__(f"Lambda did not answer for {function}: {why}")


class LambdaTimedOut(InvokeError):
    """Lambda did not answer in time."""

    code = "invoke.lambda-timed-out"
    hint = "Give the function a longer timeout here and in AWS; it may have run, so look before calling again."
    status = 504

    def __init__(self, *, function: str, allowed: float) -> None:
        """State how long was waited, in seconds."""
        super().__init__(f"Lambda did not answer for {function} within {allowed:g} s")


class AwsLambdaBackend:
    """Runs one function by ``Invoke``; never twice for one call."""

    def __init__(self, name: str, settings: Function) -> None:
        assert settings.lambda_ is not None
        self._name, self._settings = name, settings
        parts = settings.lambda_.split(":")
        self._region, self._qualifier = parts[3], parts[7] if len(parts) > 7 else "$LATEST"
        self._function = ":".join(parts[:7])
        self._endpoint = (settings.endpoint or f"https://lambda.{self._region}.amazonaws.com").rstrip("/")
        self._keys = sigv4.SigningKeys(256)
        self._client: aiohttp.ClientSession | None = None

    async def invoke(self, delivery: Delivery) -> Answered:
        """Run the function and give what it gives."""
        session = delivery.sessions.invoke
        if session is None:
            raise NoInvokeSession(function=self._name)
        event, context = self._event(delivery)
        if len(event) > LARGEST:
            raise LambdaRefused(function=self._name, found="RequestTooLargeException")
        url = f"{self._endpoint}/2015-03-31/functions/{quote(self._function, safe='')}/invocations"
        url += f"?Qualifier={quote(self._qualifier, safe='')}"
        head = [
            ("Host", self._endpoint.partition("://")[2]),
            ("Content-Type", "application/json"),
            ("X-Amz-Invocation-Type", "RequestResponse"),
            ("X-Amz-Log-Type", "None"),
            ("X-Amz-Client-Context", base64.b64encode(context).decode()),
        ]
        credentials = sigv4.Credentials(
            session.access_key_id, session.secret_access_key.reveal(), session.session_token.reveal()
        )
        signed = sigv4.sign(
            "POST", url, head, event, credentials,
            region=self._region, service="lambda", now=clock.now(), keys=self._keys,
        )  # fmt: skip
        answered = await self._post(signed.url, signed.headers, event)
        route = delivery.call.route
        if route is None:
            return answered
        media = self._settings.binary_media_types
        return route_events.answer(answered, route, version=self._settings.format, binary_media_types=media)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _event(self, delivery: Delivery) -> tuple[bytes, bytes]:
        """Give the event, and the client context with the envelope for it (design.md, 8.8)."""
        call, now = delivery.call, clock.now()
        if call.route is None:
            event = call.payload or b"{}"
            context: dict[str, Any] = {"custom": {"actas": delivery.envelope(event, now)}}
            return event, json.dumps(context, separators=(",", ":")).encode()
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

    async def _post(self, url: str, headers: Any, event: bytes) -> Answered:
        if self._client is None:
            self._client = aiohttp.ClientSession(trust_env=False, auto_decompress=False)
        allowed = self._settings.timeout.seconds + _MARGIN
        try:
            with anyio.fail_after(allowed):
                async with self._client.post(
                    URL(url, encoded=True), data=event, headers=list(headers), allow_redirects=False
                ) as answer:
                    content = await _read(answer.content)
        except TimeoutError as late:
            raise LambdaTimedOut(function=self._name, allowed=allowed) from late
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as wrong:
            raise LambdaUnreachable(function=self._name, why=type(wrong).__name__) from wrong
        if answer.status == 429:
            raise LambdaThrottled(function=self._name)
        if answer.status != 200:
            code = answer.headers.get("x-amzn-ErrorType", "").partition(":")[0] or f"status {answer.status}"
            raise LambdaRefused(function=self._name, found=code[:80])
        return Answered(payload=content, function_error=answer.headers.get("X-Amz-Function-Error"))


async def _read(stream: aiohttp.StreamReader) -> bytes:
    """Read an answer, at most as large as Lambda's own limit."""
    pieces, size = [], 0
    async for piece in stream.iter_chunked(64 * 1024):
        size += len(piece)
        if size > LARGEST + 1024:
            raise aiohttp.ClientPayloadError("the answer is too large")
        pieces.append(piece)
    return b"".join(pieces)
