"""One call on its way through a process, and what two calls must share to be served by the same one."""

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from actas.invoke.errors import InvokeError
from actas.invoke.lambda_answers import HTTP_STREAM
from actas.invoke.local import faults
from actas.invoke.local.reports import Report
from actas.invoke.origins import Origin
from actas.model.call import Headers
from actas.model.outcome import Answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What two calls must share to be served by one process."""

    function: str
    version: str
    session: str


@dataclass(slots=True, kw_only=True)
class Job:
    """One call on its way through a process. Not frozen: it is the ledger of what has happened."""

    call: str
    event: bytes
    head: bytes
    """The header lines of the event that do not depend on when it is delivered."""
    timeout: float
    origin: Origin
    """What the function calls while it runs belongs to this."""
    done: asyncio.Future[Answered | InvokeError]
    delivered: bool = False
    headers: Headers | None = None
    """What is said of an answer that begins with its own status and header fields, as functions that stream write it.
    """
    started: float | None = None
    """When a process was started for it, by the loop's clock; None where there was one."""
    report: Report | None = None
    """What is told of the call beside its log; None where nobody asks for that."""

    def hear(self, headers: Mapping[str, str]) -> None:
        """Take note of how the function's answer is written."""
        if headers.get("content-type", "").lower() == HTTP_STREAM:
            self.headers = (("Content-Type", HTTP_STREAM),)

    def headed(self, outcome: Answered | InvokeError) -> Answered | InvokeError:
        """Say of the function's answer how it is written."""
        return replace(outcome, headers=self.headers or ()) if isinstance(outcome, Answered) else outcome

    def deliver(self, now: float) -> None:
        """Take note that the function gets it."""
        self.delivered = True
        if self.report is not None:
            self.report.begin(now, self.started)

    def settle(self, outcome: Answered | InvokeError) -> None:
        """End the call, unless it has ended."""
        if not self.done.done():
            self.done.set_result(outcome)


def is_json(body: bytes) -> bool:
    """Tell whether *body* is one JSON document."""
    try:
        body.decode()  # msgspec does not look into the strings that it skips
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def decoded_error(error: str) -> bytes:
    """Read the error in a streamed answer's trailer, which is base64."""
    try:
        found = base64.b64decode(error, validate=True)
    except ValueError:
        return faults.unreadable()
    return found if is_json(found) else faults.unreadable()
