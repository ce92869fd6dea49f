"""Keep a copy of the trail in CloudWatch Logs, and figures of it as metrics; the files stay the chain.

In the settings::

    audit:
      cloudwatch:
        group: /actas/trail
        metrics: /actas/metrics
        base: {role: "arn:aws:iam::111122223333:role/actas-trail"}

Each line of the trail is one event, letter by letter, so that the copy can be proved as the files can. What CloudWatch
does not take stays on disk (`actas.audit.following`) and is handed on when it takes it again.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Final

import aiohttp
import anyio
import msgspec

from actas import sigv4
from actas.audit import log_events
from actas.audit.emf import Figures
from actas.audit.errors import FollowerFailed
from actas.audit.interface import Copied
from actas.audit.log_events import Event
from actas.errors import ActasError
from actas.model import clock

Credentials = Callable[[datetime], Awaitable[sigv4.Credentials]]
PATIENCE: Final = 30.0
_LARGEST: Final = 64 * 1024
_THERE: Final = "ResourceAlreadyExistsException"
_ABSENT: Final = "ResourceNotFoundException"
_TAKEN: Final = "DataAlreadyAcceptedException"


class Logs:
    """The four calls of CloudWatch Logs that this needs."""

    def __init__(self, *, credentials: Credentials, region: str, endpoint: str | None = None) -> None:
        self._credentials, self._region = credentials, region
        suffix = ".cn" if region.startswith("cn-") else ""
        self._endpoint = (endpoint or f"https://logs.{region}.amazonaws.com{suffix}").rstrip("/")
        self._keys = sigv4.SigningKeys(4)
        self._client: aiohttp.ClientSession | None = None

    async def put(self, group: str, stream: str, events: Sequence[Event], *, emf: bool = False) -> None:
        """Keep *events*, which are in order; make group and stream where they are not there."""
        for batch in log_events.batches(events):
            await self._put(group, stream, batch, emf=emf)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _put(self, group: str, stream: str, batch: Sequence[Event], *, emf: bool) -> None:
        told = {
            "logGroupName": group,
            "logStreamName": stream,
            "logEvents": [{"timestamp": one.at, "message": one.message.decode()} for one in batch],
        }
        head = (("x-amzn-logs-format", "json/emf"),) if emf else ()
        code, answer = await self._ask("PutLogEvents", told, head)
        if code == _ABSENT:
            await self._make(group, stream)
            code, answer = await self._ask("PutLogEvents", told, head)
        if code not in ("", _TAKEN):
            raise FollowerFailed(follower="CloudWatch Logs", found=code)
        await self._again(group, stream, batch, answer.get("rejectedLogEventsInfo"), emf=emf)

    async def _make(self, group: str, stream: str) -> None:
        for action, more in (("CreateLogGroup", {}), ("CreateLogStream", {"logStreamName": stream})):
            code, _ = await self._ask(action, {"logGroupName": group, **more})
            if code not in ("", _THERE):
                raise FollowerFailed(follower="CloudWatch Logs", found=f"{action}: {code}")

    async def _again(self, group: str, stream: str, batch: Sequence[Event], rejected: Any, *, emf: bool) -> None:
        """Send what was refused for its age once more, as of now: the record says itself when it was."""
        if not isinstance(rejected, dict) or emf:  # a figure of another time would be wrong
            return
        first = rejected.get("tooNewLogEventStartIndex", len(batch))
        last = max(rejected.get("tooOldLogEventEndIndex", 0), rejected.get("expiredLogEventEndIndex", 0))
        if not isinstance(first, int) or not isinstance(last, int):
            raise FollowerFailed(follower="CloudWatch Logs", found="an answer that cannot be read")
        left = [*batch[:last], *batch[max(first, last) :]]
        if not left:
            return
        at = log_events.stamp(clock.now())
        told = {
            "logGroupName": group,
            "logStreamName": stream,
            "logEvents": [{"timestamp": at, "message": one.message.decode()} for one in left],
        }
        code, answer = await self._ask("PutLogEvents", told)
        if code or answer.get("rejectedLogEventsInfo"):
            raise FollowerFailed(follower="CloudWatch Logs", found=code or "it refuses events for their age")

    async def _ask(
        self, action: str, told: dict[str, Any], more: Sequence[tuple[str, str]] = ()
    ) -> tuple[str, dict[str, Any]]:
        """Ask; give the code of a no (nothing where it is a yes) and the answer."""
        now, body = clock.now(), msgspec.json.encode(told)
        try:
            credentials = await self._credentials(now)
        except ActasError as wrong:
            raise FollowerFailed(follower="CloudWatch Logs", found=wrong.code) from wrong
        head = [
            ("Host", self._endpoint.partition("://")[2]),
            ("Content-Type", "application/x-amz-json-1.1"),
            ("X-Amz-Target", f"Logs_20140328.{action}"),
            *more,
        ]
        url = f"{self._endpoint}/"
        signed = sigv4.sign(
            "POST", url, head, body, credentials, region=self._region, service="logs", now=now, keys=self._keys
        )
        if self._client is None:
            self._client = aiohttp.ClientSession(trust_env=False, cookie_jar=aiohttp.DummyCookieJar())
        try:
            with anyio.fail_after(PATIENCE):
                async with self._client.post(
                    url, data=body, headers=dict(signed.headers), allow_redirects=False
                ) as answer:
                    content = await answer.content.read(_LARGEST)
        except TimeoutError as late:
            raise FollowerFailed(follower="CloudWatch Logs", found=f"no answer within {PATIENCE:g} s") from late
        except (aiohttp.ClientError, OSError) as wrong:
            raise FollowerFailed(follower="CloudWatch Logs", found=type(wrong).__name__) from wrong
        return _read(answer.status, content)


class _Answer(msgspec.Struct, frozen=True):
    type: str = msgspec.field(default="", name="__type")


def _read(status: int, content: bytes) -> tuple[str, dict[str, Any]]:
    """Give an error's code, and nothing of its message; or the answer."""
    try:
        if status == 200:
            return "", msgspec.json.decode(content or b"{}", type=dict[str, Any])
        code = msgspec.json.decode(content, type=_Answer).type.rpartition("#")[2]
    except (msgspec.DecodeError, UnicodeDecodeError):
        code = ""
    return (code if code.isalnum() and len(code) <= 80 else f"status {status}"), {}


class CloudWatch:
    """Copies the trail: one event a line."""

    name = "cloudwatch"

    def __init__(self, logs: Logs, *, group: str, stream: str) -> None:
        self._logs, self._group, self._stream = logs, group, stream

    async def take(self, lines: Sequence[Copied]) -> None:
        """Keep *lines*; an `AuditError` where CloudWatch does not."""
        await self._logs.put(self._group, self._stream, list(log_events.of_lines(lines, now=clock.now())))

    async def close(self) -> None:
        """Close the connections."""
        await self._logs.close()


class CloudWatchMetrics:
    """Figures of the trail, in the embedded metric format."""

    name = "cloudwatch-metrics"

    def __init__(self, logs: Logs, *, group: str, stream: str, namespace: str) -> None:
        self._logs, self._group, self._stream = logs, group, stream
        self._figures = Figures(namespace)

    async def take(self, lines: Sequence[Copied]) -> None:
        """Count *lines* and hand the figures in; late ones beyond two weeks are nobody's figures any more."""
        oldest = log_events.stamp(clock.now() - log_events.OLDEST)
        made = self._figures.documents(line.entry for line in lines)
        events = [Event(at=at, message=text) for at, text in made if at >= oldest]
        await self._logs.put(self._group, self._stream, events, emf=True)

    async def close(self) -> None:
        """Close the connections."""
        await self._logs.close()
