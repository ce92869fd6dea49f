"""Read what Lambda says beside an answer: refusals, the tail of the log, the head of a streamed HTTP answer. Pure."""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from actas.invoke.errors import InvokeError
from actas.invoke.lambda_errors import LambdaMalformed, LambdaRefused, LambdaThrottled
from actas.invoke.proxy_headers import to_caller
from actas.model.call import Headers

HTTP_STREAM: Final = "application/vnd.awslambda.http-integration-response"
"""The type of a streamed answer that begins with its own status and header fields, eight NULs behind them."""
DELIMITER: Final = b"\0" * 8
LARGEST_HEAD: Final = 64 * 1024
NOT_RUN: Final = frozenset(
    {
        *("TooManyRequestsException", "EC2ThrottledException", "ResourceNotReadyException"),
        *("SnapStartNotReadyException", "EFSMountConnectivityException"),
    }
)
"""Codes that say that the function did not run: asking again cannot make it run twice."""
_LARGEST_TAIL: Final = 6 * 1024
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9.]{0,79}")
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,256}")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """The last 4 KB of what a call logged."""

    lines: tuple[bytes, ...] = field(repr=False)
    hash: str
    """Of the lines, each with a line break behind it, as for functions that run here."""
    text: bytes = field(repr=False)


def tail(encoded: str | None) -> Tail | None:
    """Read ``X-Amz-Log-Result``; None where there is none, or it is none."""
    if not encoded or len(encoded) > _LARGEST_TAIL:
        return None
    try:
        text = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    lines = tuple(text.removesuffix(b"\n").split(b"\n"))
    return Tail(lines=lines, hash=hashlib.sha256(b"".join(line + b"\n" for line in lines)).hexdigest(), text=text)


def error_type(headers: Mapping[str, str]) -> str:
    """Give the code of an error, which stands in a header with more behind a colon."""
    code = headers.get("x-amzn-ErrorType", "").partition(":")[0]
    return code if _CODE.fullmatch(code) else ""


def refusal(function: str, status: int, headers: Mapping[str, str], content: bytes) -> InvokeError:
    """Say why Lambda did not run the function; its message may name people, and is left."""
    code = error_type(headers)
    if status == 429 or code == "TooManyRequestsException":
        wait = headers.get("Retry-After", "")
        seconds = int(wait) if wait.isascii() and wait.isdigit() and len(wait) < 4 else 1
        return LambdaThrottled(function=function, reason=_reason(content), retry_after=max(1, seconds))
    return LambdaRefused(function=function, found=code or f"status {status}")


class _Throttle(msgspec.Struct, frozen=True):
    Reason: str = ""


def _reason(content: bytes) -> str:
    try:
        found = msgspec.json.decode(content, type=_Throttle).Reason
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return found if _CODE.fullmatch(found) else ""


class Head(msgspec.Struct, frozen=True, rename={"status": "statusCode"}):
    """What stands in front of a streamed HTTP answer."""

    status: int = 200
    headers: dict[str, str] = {}
    cookies: tuple[str, ...] = ()


def head(octets: bytes, *, function: str) -> tuple[int, Headers]:
    """Read a streamed answer's status and header fields."""
    try:
        found = msgspec.json.decode(octets, type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise LambdaMalformed(function=function, why="the head of its stream is no status and headers") from wrong
    pairs = [*found.headers.items(), *(("set-cookie", cookie) for cookie in found.cookies)]
    if not 200 <= found.status <= 599 or not all(_NAME.fullmatch(k) and _VALUE.fullmatch(v) for k, v in pairs):
        raise LambdaMalformed(function=function, why="the head of its stream has a status or a field that is none")
    passed = to_caller((name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs)
    return found.status, tuple(pair for pair in passed if pair[0].lower() != "content-length")
