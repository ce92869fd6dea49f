"""Ask the gateway's STS for a role's credentials, as any AWS client would (AssumeRoleWithWebIdentity)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from actas.cli.aws.errors import NotBelieved, RoleRefused, StsFailed
from actas.cli.errors import NotReachable
from actas.cli.output import plain
from actas.model.secret import Secret

if TYPE_CHECKING:
    from lxml.etree import _Element

LARGEST: Final = 128 * 1024
"""Bytes of one answer; a session token has a few thousand."""
PATIENCE: Final = 30.0
SESSION_NAME: Final = "actas"
_NAMESPACE: Final = "{https://sts.amazonaws.com/doc/2011-06-15/}"
_FITS: Final = re.compile(r"[!-~]{1,16384}")
"""What stands in a line that a shell evaluates, in a header and in an environment."""
_NOT_BELIEVED: Final = frozenset({"InvalidIdentityToken", "ExpiredTokenException", "ExpiredToken", "IDPRejectedClaim"})


class Taken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Credentials of one role, and when they began and end."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    taken_at: datetime
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Taken(until {self.expires_at:%H:%M:%S})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose credentials, for which role, from which gateway."""

    control: str
    """The gateway's control origin."""
    who: str | None
    """The sign-in's name; the only one there is where it is None."""
    role: str
    """The role's ARN."""
    seconds: int | None = None
    """How long they shall live; the role's own time where it is None."""


async def assume(wanted: Wanted, token: Secret, *, now: datetime) -> Taken:
    """Trade *token* for credentials."""
    import httpx

    form = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": wanted.role,
        "RoleSessionName": SESSION_NAME,
        "WebIdentityToken": token.reveal(),
    }
    if wanted.seconds is not None:
        form["DurationSeconds"] = str(wanted.seconds)
    url = wanted.control.rstrip("/") + "/"
    body = bytearray()
    try:  # no proxy and no netrc of the environment: a token goes to the gateway and to nobody else
        async with (
            httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=PATIENCE) as client,
            client.stream("POST", url, data=form) as answer,
        ):
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > LARGEST:
                    raise StsFailed(url=url, why=f"its answer is longer than {LARGEST} bytes")
    except (httpx.HTTPError, httpx.InvalidURL) as wrong:
        raise NotReachable(url=url, why=str(wrong) or "it took too long") from wrong
    return read(bytes(body), answer.status_code, wanted=wanted, url=url, now=now)


def read(body: bytes, status: int, *, wanted: Wanted, url: str, now: datetime) -> Taken:
    """Read an answer of STS; what is not one raises `StsFailed`."""
    root = _parsed(body)
    if root is None:
        raise StsFailed(url=url, why=f"status {status} and no answer of STS's; is it a gateway's control address?")
    if status != 200:
        code = _text(root, "Error/{0}Code") or "an error without a code"
        told = plain(_text(root, "Error/{0}Message") or code)
        if code == "AccessDenied":
            raise RoleRefused(role=wanted.role, told=told)
        if code in _NOT_BELIEVED:
            raise NotBelieved(told=told)
        raise StsFailed(url=url, why=f"{plain(code)}: {told}")
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
    values = [_text(root, f"AssumeRoleWithWebIdentityResult/{{0}}Credentials/{{0}}{name}") for name in names]
    key, secret, session, end = values
    if not (key and secret and session and end) or not all(_FITS.fullmatch(one) for one in (key, secret, session)):
        raise StsFailed(url=url, why="its answer has no credentials")
    try:
        expires_at = datetime.fromisoformat(end)
        expires_at = (expires_at if expires_at.tzinfo else expires_at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise StsFailed(url=url, why="its answer has no time that can be read") from wrong
    return Taken(
        access_key_id=key, secret_access_key=secret, session_token=session, taken_at=now, expires_at=expires_at
    )


def _parsed(body: bytes) -> "_Element | None":
    from lxml import etree

    if b"<!" in body:  # a document type; no answer of STS has one
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _text(root: "_Element", path: str) -> str | None:
    return root.findtext(_NAMESPACE + path.format(_NAMESPACE))
