"""The wire form of AWS STS: questions as forms, answers as XML (API version 2011-06-15). Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from actas.assume.errors import BrokerRefused
from actas.model.secret import Secret

HEADERS: Final = {
    "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
    "Accept": "application/xml",
}
SHORTEST: Final = 900
"""Seconds; STS hands out nothing shorter (``DurationSeconds``), so that policies end sessions sooner."""
LONGEST_POLICY: Final = 2048
_NAMESPACE: Final = "{https://sts.amazonaws.com/doc/2011-06-15/}"
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9.]{0,63}")
_FITS: Final = re.compile(r"[!-~]{1,16384}")
_SUFFIXES: Final = {"aws-cn": "amazonaws.com.cn"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """The credentials of an answer."""

    access_key_id: str
    secret_access_key: Secret = field(repr=False)
    session_token: Secret = field(repr=False)
    expires_at: datetime


def endpoint(region: str, partition: str = "aws") -> str:
    """Name the STS of a region."""
    return f"https://sts.{region}.{_SUFFIXES.get(partition, 'amazonaws.com')}/"


def form(action: str, values: Mapping[str, str]) -> bytes:
    """Write a question."""
    return urlencode({"Action": action, "Version": "2011-06-15", **values}).encode()


def credentials(content: bytes, *, broker: str) -> Issued:
    """Read the credentials out of an answer; raise `BrokerRefused` where there are none."""
    found = _tree(content, broker).find(f".//{_NAMESPACE}Credentials")
    values = {} if found is None else {one.tag.removeprefix(_NAMESPACE): one.text or "" for one in found}
    if not all(_FITS.fullmatch(values.get(name, "")) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")):
        raise BrokerRefused(broker=broker, found="an answer without credentials")
    return Issued(
        access_key_id=values["AccessKeyId"],
        secret_access_key=Secret(values["SecretAccessKey"]),
        session_token=Secret(values["SessionToken"]),
        expires_at=_moment(values.get("Expiration", ""), broker),
    )


def identity(content: bytes, *, broker: str) -> str:
    """Read whose credentials signed a ``GetCallerIdentity``: an ARN."""
    found = _tree(content, broker).findtext(f"./{_NAMESPACE}GetCallerIdentityResult/{_NAMESPACE}Arn") or ""
    if not _FITS.fullmatch(found):
        raise BrokerRefused(broker=broker, found="an answer without an identity")
    return found


def error_code(content: bytes) -> str:
    """Give an error's code; nothing where there is none. Its message may name people, and is left."""
    try:
        code = _tree(content, "").findtext(f".//{_NAMESPACE}Code") or ""
    except BrokerRefused:
        return ""
    return code if _CODE.fullmatch(code) else ""


def _moment(text: str, broker: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise BrokerRefused(broker=broker, found="an answer whose credentials have no end") from wrong


def _tree(content: bytes, broker: str) -> ET.Element:
    """Read XML that is UTF-8 and has no document type, and so no entities but the five of XML itself."""
    if b"<!" in content or b"\0" in content or content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise BrokerRefused(broker=broker, found="an answer with a document type")
    try:
        return ET.fromstring(content.decode("utf-8-sig"))  # noqa: S314 - without a document type nothing expands
    except (ET.ParseError, ValueError) as wrong:
        raise BrokerRefused(broker=broker, found="an answer that is no XML") from wrong
