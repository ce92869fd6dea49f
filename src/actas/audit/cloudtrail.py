"""Read CloudTrail records: who did what to what, and how it ended; and of sessions that were given out, to whom.

Pure: bytes in, events out. Strict about what we rest on, indifferent to what AWS adds (protocols.md, 5.1 and 5.2).
Names of people stay inside: an event is told by principals, actions and resources, as an auditor reads them.
"""

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import msgspec

from actas.audit.errors import CloudTrailUnreadable

LARGEST: Final = 256 * 1024 * 1024
"""Bytes of one file once it is unpacked; CloudTrail's own end at about 50 MB."""
_GZIP: Final = b"\x1f\x8b"
_VERSIONED: Final = re.compile(r"(?<=[a-z])20[0-9]{6}(v[0-9]+)?$")  # CreateFunction20150331v2
_EXPIRES: Final = re.compile(r"([A-Z][a-z]{2}) (\d{1,2}), (\d{4}),? (\d{1,2}):(\d{2}):(\d{2})\s([AP])M")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NAMING: Final = re.compile(r"(?:name|id|identifier|arn|target|ids)$", re.IGNORECASE)
_TAKES: Final = frozenset({"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"})
_USUAL: Final = timedelta(hours=1)
_MOST_RESOURCES: Final = 32
_REFUSED: Final = re.compile(r"AccessDenied|Unauthorized|NotAuthorized|Forbidden")


class _Identity(msgspec.Struct, frozen=True):
    """The part of userIdentity that is read."""

    type: str | None = None
    arn: str | None = None
    principalId: str | None = None  # noqa: N815 - CloudTrail's own names
    accountId: str | None = None  # noqa: N815
    invokedBy: str | None = None  # noqa: N815
    identityProvider: str | None = None  # noqa: N815
    sessionContext: dict[str, Any] | None = None  # noqa: N815


class _Resource(msgspec.Struct, frozen=True):
    ARN: str | None = None
    ARNPrefix: str | None = None


class _Record(msgspec.Struct, frozen=True):
    """The part of a record that is read."""

    eventTime: datetime  # noqa: N815
    eventSource: str  # noqa: N815
    eventName: str  # noqa: N815
    userIdentity: _Identity  # noqa: N815
    eventID: str | None = None  # noqa: N815
    sharedEventID: str | None = None  # noqa: N815
    requestID: str | None = None  # noqa: N815
    recipientAccountId: str | None = None  # noqa: N815
    errorCode: str | None = None  # noqa: N815
    requestParameters: Any = None  # noqa: N815
    responseElements: Any = None  # noqa: N815
    resources: list[_Resource] | None = None


class _Records(msgspec.Struct, frozen=True):
    Records: list[_Record]


Outcome = Literal["succeeded", "refused", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A role that was taken, or that was asked for."""

    role: str
    """The role's ARN."""
    name: str | None = field(repr=False)
    """The session's name."""
    source_identity: str | None = field(repr=False)
    assertion: str | None = field(default=None, repr=False)
    """The id of the SAML assertion that was shown."""
    issuer: str | None = None
    """Who issued it."""
    until: datetime
    """When the credentials end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One record."""

    id: str | None
    at: datetime
    principal: str = field(repr=False)
    """The caller's ARN; where there is none, the service, provider or principal that stands for it."""
    principal_type: str
    action: str
    """As IAM writes it: ``sts:AssumeRole``."""
    resources: tuple[str, ...]
    """ARNs where the record has them, else the names it gives; ``*`` where it names nothing."""
    outcome: Outcome
    error: str | None
    taken: Taken | None


def read_events(files: Iterable[tuple[str, bytes]]) -> list[Event]:
    """Read files (name and content), each record once, in the order of time."""
    found: dict[str, Event] = {}
    for name, content in files:
        for place, record in enumerate(_records(name, content)):
            # An action across accounts is written into both, under one shared id.
            found.setdefault(record.sharedEventID or record.eventID or f"{name}#{place}", _event(record))
    return sorted(found.values(), key=lambda one: one.at)


def _records(name: str, content: bytes) -> Iterator[_Record]:
    text = _unpacked(name, content).strip()
    try:
        if text.startswith(b"["):
            yield from msgspec.json.decode(text, type=list[_Record])
        elif b'"Records"' in text[:4096]:
            yield from msgspec.json.decode(text, type=_Records).Records
        else:  # one record a line, or one record
            lines = text.splitlines() if text.count(b"\n{") else [text]
            for line in lines:
                if line.strip():
                    yield msgspec.json.decode(line, type=_Record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise CloudTrailUnreadable(name=name, why="it holds something that is no CloudTrail record") from wrong


def _unpacked(name: str, content: bytes) -> bytes:
    if content.startswith(_GZIP):
        content = b"".join(_members(name, content))
    if len(content) > LARGEST:
        raise CloudTrailUnreadable(name=name, why=f"it has more than {LARGEST} bytes")
    return content


def _members(name: str, packed: bytes) -> Iterator[bytes]:
    """Unpack each part of a gzip file: several that were put together are one (RFC 1952, section 2.2)."""
    left = LARGEST + 1
    while packed and left:
        inflating = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            part = inflating.decompress(packed, left)
        except zlib.error as wrong:
            raise CloudTrailUnreadable(name=name, why="it is no gzip file") from wrong
        left -= len(part)
        if not inflating.eof and left:
            raise CloudTrailUnreadable(name=name, why="it ends in the middle")
        yield part
        packed = inflating.unused_data


def _event(record: _Record) -> Event:
    service = record.eventSource.removesuffix(".amazonaws.com")
    action = f"{service}:{_VERSIONED.sub('', record.eventName)}"
    at = record.eventTime if record.eventTime.tzinfo else record.eventTime.replace(tzinfo=UTC)
    return Event(
        id=record.eventID,
        at=at.astimezone(UTC),
        principal=_principal(record),
        principal_type=record.userIdentity.type or "Unknown",
        action=action,
        resources=_resources(record, service),
        outcome=_outcome(record),
        error=record.errorCode,
        taken=_taken(record, at),
    )


def _principal(record: _Record) -> str:
    who = record.userIdentity
    issuer = (who.sessionContext or {}).get("sessionIssuer")
    issued_by = issuer.get("arn") if isinstance(issuer, dict) else None
    said = (who.arn, who.invokedBy, who.identityProvider, issued_by, who.principalId, who.accountId)
    return next((one for one in said if isinstance(one, str) and one), "unknown")


def _outcome(record: _Record) -> Outcome:
    if record.errorCode:
        return "refused" if _REFUSED.search(record.errorCode) else "failed"
    answered = record.responseElements
    if isinstance(answered, dict) and answered.get("ConsoleLogin") == "Failure":
        return "refused"
    return "succeeded"


def _resources(record: _Record, service: str) -> tuple[str, ...]:
    named = [one.ARN or one.ARNPrefix for one in record.resources or ()]
    found = [one for one in named if one] or list(_arns(record.requestParameters))
    if not found and isinstance(record.requestParameters, dict):
        found = [f"{service}:{text}" for text in _names(record.requestParameters)]
    return tuple(dict.fromkeys(found))[:_MOST_RESOURCES] or ("*",)


def _arns(value: object, depth: int = 0) -> Iterator[str]:
    """Find the ARNs among parameters; not those inside policies, which are texts."""
    if isinstance(value, str):
        if value.startswith("arn:") and " " not in value:
            yield value
    elif depth < 6:
        inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for one in inside:
            yield from _arns(one, depth + 1)


def _names(value: object, key: str = "", depth: int = 0) -> Iterator[str]:
    """Find what parameters call things by: an instance's id, a function's name."""
    if isinstance(value, str):
        if key and _NAMING.search(key):
            yield f"{key}/{value}"
    elif isinstance(value, dict) and depth < 6:
        for name, one in value.items():
            yield from _names(one, str(name), depth + 1)
    elif isinstance(value, list) and depth < 6:
        for one in value:
            yield from _names(one, key, depth + 1)


def _taken(record: _Record, at: datetime) -> Taken | None:
    if record.eventSource != "sts.amazonaws.com" or record.eventName not in _TAKES:
        return None
    asked = record.requestParameters if isinstance(record.requestParameters, dict) else {}
    answered = record.responseElements if isinstance(record.responseElements, dict) else {}
    role = _text(asked, "roleArn") or next((one.ARN for one in record.resources or () if one.ARN), None)
    if role is None:
        return None
    user = answered.get("assumedRoleUser")
    arn = user.get("arn") if isinstance(user, dict) else None
    named = arn.rpartition("/")[2] if isinstance(arn, str) else None  # the assertion named it
    return Taken(
        role=role,
        name=_text(asked, "roleSessionName") or named,
        source_identity=_text(asked, "sourceIdentity") or _text(answered, "sourceIdentity"),
        assertion=_text(asked, "sAMLAssertionID"),
        issuer=_text(answered, "issuer"),
        until=_until(asked, answered, at),
    )


def _text(found: dict[Any, Any], name: str) -> str | None:
    value = found.get(name)
    return value if isinstance(value, str) and value else None


def _until(asked: dict[Any, Any], answered: dict[Any, Any], at: datetime) -> datetime:
    credentials = answered.get("credentials")
    said = credentials.get("expiration") if isinstance(credentials, dict) else None
    found = read_expiration(said) if isinstance(said, str) else None
    seconds = asked.get("durationSeconds")
    if found is None and type(seconds) is int and 0 < seconds <= 43_200:
        found = at + timedelta(seconds=seconds)
    return found or at + _USUAL


def read_expiration(text: str) -> datetime | None:
    """Read ``Mar 23, 2016, 2:39:51 AM``, which is how CloudTrail writes when credentials end; in UTC."""
    found = _EXPIRES.fullmatch(text)
    if found is None or found[1] not in _MONTHS:
        return None
    month, day, year, hour, minute, second = found[1], *map(int, found.groups()[1:6])
    if not 1 <= hour <= 12:
        return None
    try:
        return datetime(
            year, _MONTHS.index(month) + 1, day, hour % 12 + (12 if found[7] == "P" else 0), minute, second, tzinfo=UTC
        )
    except ValueError:
        return None
