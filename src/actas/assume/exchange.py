"""Ask the parties that hand out credentials: one client, one answer read with a limit, backoff where they throttle.

Every answer also tells their time: where it differs from ours so much that what we sign cannot hold, the refusal says
so, because no code of theirs does.
"""

import secrets
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import anyio

from actas.assume.errors import AssumeError, BrokerRefused, BrokerThrottled, BrokerUnreachable, ClockSkewed
from actas.model import clock as clocks

PATIENCE: Final = 10.0
"""Seconds for one trade, its repetitions included."""
TRIES: Final = 3
LARGEST: Final = 64 * 1024
TOLERATED: Final = timedelta(seconds=20)
"""How far the clocks may differ before a refusal is blamed on that; tokens of ours hold for 60 s."""
SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds for which a party that throttles is left alone: doubled each time, until it answers again."""
_RANDOM: Final = secrets.SystemRandom().random
_THROTTLED: Final = frozenset(
    {
        *("Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException"),
        *("TooManyRequestsException", "RequestLimitExceeded", "SlowDown", "EC2ThrottledException", "slow_down"),
        *("RESOURCE_EXHAUSTED", "temporarily_unavailable"),
    }
)
_PASSING: Final = frozenset(
    {"IDPCommunicationError", "InternalFailure", "ServiceUnavailable", "InternalError", "UNAVAILABLE"}
)
"""Codes of trouble that is over in a moment as often as not: asked again at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question to a party that hands out credentials."""

    broker: str
    """Who asks, for errors."""
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    code: Callable[[bytes], str]
    """Reads the error's code out of an answer, and nothing else of it: its message may name people."""


@dataclass(slots=True)
class _Gate:
    """When a party may be asked again, and for how long it is left alone the next time."""

    opens_at: datetime
    pause: float = SHORTEST_PAUSE


class Exchange:
    """The client; made once for all brokers, closed with the gateway."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = clocks.now,
        random: Callable[[], float] = _RANDOM,
        patience: float = PATIENCE,
    ) -> None:
        self._clock, self._random, self._patience = clock, random, patience
        self._client: aiohttp.ClientSession | None = None
        self._gates: dict[str, _Gate] = {}
        self.ahead: dict[str, float] = {}
        """By host: how many seconds our clock is ahead of its, as of its last answer."""

    async def ask(self, asked: Asked) -> bytes:
        """Give the answer's body where it is a yes; raise an `AssumeError` for anything else."""
        host = urlsplit(asked.url).netloc
        self._check_gate(asked, host)
        try:
            with anyio.fail_after(self._patience):
                return await self._repeatedly(asked, host)
        except TimeoutError as late:
            raise BrokerUnreachable(broker=asked.broker, why=f"no answer within {self._patience:g} s") from late

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _repeatedly(self, asked: Asked, host: str) -> bytes:
        for turn in range(1, TRIES + 1):
            try:
                status, code, content, retry_after = await self._once(asked, host)
            except BrokerUnreachable:  # most often a connection that was kept and is gone; asking twice harms nobody
                if turn == TRIES:
                    raise
            else:
                if status == 200:
                    self._gates.pop(host, None)
                    return content
                is_throttled = code in _THROTTLED or status == 429
                if turn == TRIES or not (is_throttled or code in _PASSING or status in {502, 503, 504}):
                    break
            # Full jitter: callers that were turned away together do not come back together.
            await anyio.sleep(self._random() * 0.2 * 2**turn)
        if is_throttled or status == 503:
            raise self._throttled(asked, host, retry_after)
        raise self._refused(asked, host, code or f"status {status}")

    async def _once(self, asked: Asked, host: str) -> tuple[int, str, bytes, float | None]:
        if self._client is None:
            self._client = aiohttp.ClientSession(trust_env=False, cookie_jar=aiohttp.DummyCookieJar())
        try:
            async with self._client.post(
                asked.url, data=asked.body, headers=asked.headers, allow_redirects=False
            ) as answer:
                content = await answer.content.read(LARGEST + 1)
                while len(content) <= LARGEST and (more := await answer.content.read(LARGEST + 1 - len(content))):
                    content += more
        except (aiohttp.ClientError, OSError, ssl.SSLError) as wrong:
            raise BrokerUnreachable(broker=asked.broker, why=type(wrong).__name__) from wrong
        self._note_time(host, answer.headers.get("Date", ""))
        if len(content) > LARGEST:
            raise BrokerRefused(broker=asked.broker, found=f"an answer of more than {LARGEST} bytes")
        code = "" if answer.status == 200 else asked.code(content)
        return answer.status, code, content, _seconds(answer.headers.get("Retry-After", ""))

    def _note_time(self, host: str, text: str) -> None:
        """Find how far our clock is ahead, from an answer's ``Date`` (RFC 9110, section 6.6.1)."""
        try:
            theirs = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return
        if theirs.tzinfo is not None:
            self.ahead[host] = (self._clock() - theirs.astimezone(UTC)).total_seconds()

    def _check_gate(self, asked: Asked, host: str) -> None:
        gate = self._gates.get(host)
        if gate is not None and (left := (gate.opens_at - self._clock()).total_seconds()) > 0:
            raise BrokerThrottled(broker=asked.broker, retry_after=max(1, round(left)))

    def _throttled(self, asked: Asked, host: str, retry_after: float | None) -> BrokerThrottled:
        """Leave the party alone for a while that grows; what it asked for itself comes first."""
        gate = self._gates.setdefault(host, _Gate(self._clock()))
        pause = min(LONGEST_PAUSE, max(gate.pause, retry_after or 0.0))
        gate.opens_at = self._clock() + timedelta(seconds=pause)
        gate.pause = min(LONGEST_PAUSE, gate.pause * 2)
        return BrokerThrottled(broker=asked.broker, retry_after=max(1, round(pause)))

    def _refused(self, asked: Asked, host: str, code: str) -> AssumeError:
        ahead = self.ahead.get(host, 0.0)
        if abs(ahead) > TOLERATED.total_seconds():
            return ClockSkewed(broker=asked.broker, found=code, ahead=ahead)
        return BrokerRefused(broker=asked.broker, found=code)


def _seconds(text: str) -> float | None:
    """Read ``Retry-After`` where it is a number of seconds."""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
