"""What the brokers of other clouds have in common: asking for a token, the answer with it, and where it is carried.

Functions keep the sessions that this gateway seals, by which they call other functions; the token goes with the work
session, which ends no later than the token does.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import msgspec

from actas.assume.errors import BrokerRefused
from actas.assume.exchange import Asked, Exchange
from actas.model.secret import Secret
from actas.model.session import Bearer, Sessions

FORM: Final = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
_TOKEN: Final = re.compile(r"[A-Za-z0-9\-._~+/]{1,16384}=*")
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_LONGEST: Final = 86_400


async def asked(
    exchange: Exchange, broker: str, url: str, body: bytes, *, headers: Mapping[str, str] = FORM
) -> Mapping[str, Any]:
    """Ask for a token, with a form unless the *headers* say otherwise, and read the answer."""
    question = Asked(broker=broker, url=url, headers=headers, body=body, code=error_code)
    return answer(await exchange.ask(question), broker=broker)


def answer(content: bytes, *, broker: str) -> Mapping[str, Any]:
    """Read an answer: one JSON object."""
    try:
        found = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise BrokerRefused(broker=broker, found="an answer that is no JSON") from wrong
    if not isinstance(found, dict):
        raise BrokerRefused(broker=broker, found="an answer that is no object")
    return found


def token(found: Mapping[str, Any], name: str, *, broker: str) -> Secret:
    """Give the bearer token called *name* (RFC 6750, section 2.1); raise `BrokerRefused` where there is none."""
    value = found.get(name)
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise BrokerRefused(broker=broker, found="an answer without a token")
    kind = found.get("token_type", "Bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise BrokerRefused(broker=broker, found="a token that is no bearer token")
    return Secret(value)


def end(found: Mapping[str, Any], *, now: datetime, broker: str) -> datetime:
    """Say when a token ends, by ``expires_in`` (RFC 6749, section 5.1)."""
    seconds = found.get("expires_in")
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdigit() and len(seconds) < 7:
        seconds = int(seconds)  # some write the number as a text
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds <= _LONGEST:
        raise BrokerRefused(broker=broker, found="a token without an end")
    return now + timedelta(seconds=seconds)


def error_code(content: bytes) -> str:
    """Give the error's code (RFC 6749, section 5.2, or Google's ``status``), and nothing else of it."""
    try:
        found = answer(content, broker="")
    except BrokerRefused:
        return ""
    code = found.get("error")
    if isinstance(code, dict):
        code = code.get("status")
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def carried(
    sessions: Sessions,
    cloud: Literal["azure", "google"],
    found: Secret,
    ends: datetime,
    *,
    id: str,  # noqa: A002 - as `Sessions` calls it
) -> Sessions:
    """Put a token into the work session, which then ends with it at the latest."""
    work = sessions.work
    assert work is not None
    bearer = Bearer(cloud=cloud, token=found, expires_at=ends)
    return replace(sessions, work=replace(work, bearer=bearer, expires_at=min(work.expires_at, ends)), id=id)
