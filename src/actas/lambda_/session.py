"""Fetch the work session of a call: credentials of the caller's own role, for the code that runs for them (ADR 12).

In AWS a function runs under its execution role. With the envelope of a call, and a proof that its execution role
signed, it gets from the gateway the session that the caller's grant yields::

    from actas.lambda_ import session

    def handler(event, context):
        with_rights = boto3.Session(**session(event, context))
        return with_rights.client("s3").get_object(Bucket="reports", Key=event["key"])["ContentLength"]

The edge: one HTTPS request of the standard library's. Nothing is kept between calls.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

from actas import jose, sigv4
from actas.lambda_ import proof
from actas.lambda_.caller import envelope_of, verify
from actas.lambda_.errors import GatewayUnreachable, NoExecutionRole, NoGateway, SessionRefused
from actas.model import clock

if TYPE_CHECKING:  # 20 ms, which only functions that fetch a session need
    from http.client import HTTPConnection

OURS: Final = "actas1."
"""The beginning of a session token that the gateway sealed: who has one in the environment has the session already."""
_LARGEST: Final = 64 * 1024
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_NAMES: Final = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkSession(Mapping[str, str]):
    """Credentials of the caller's role, for this call. As a mapping it holds what ``boto3.Session`` takes."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires_at: datetime | None
    """When they end; None where the environment does not say."""

    def __getitem__(self, name: str) -> str:
        values = (self.access_key_id, self.secret_access_key, self.session_token)
        return dict(zip(_NAMES, values, strict=True))[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


class Given(msgspec.Struct, frozen=True):
    """The gateway's answer, in the names of AWS's own credentials."""

    AccessKeyId: str
    SecretAccessKey: str
    SessionToken: str
    Expiration: datetime

    def __repr__(self) -> str:
        return "Given(...)"


def session(
    event: Any,
    context: Any,
    *,
    keys: jose.KeySet | str | bytes | Mapping[str, Any] | None = None,
    issuer: str | None = None,
    gateway: str | None = None,
    patience: float = 5.0,
    now: datetime | None = None,
) -> WorkSession:
    """Give the work session of this call; a handler's two arguments, as for `caller`.

    *gateway* is its control address, where that is not its name as an issuer (``ACTAS_ISSUER``); *patience* is in
    seconds. The envelope is verified before anything is sent. Raises `LambdaError`: then there are no credentials, and
    those of the execution role must not be used in their place.
    """
    token, signed_event, audience = envelope_of(event, context)
    verify(token, audience=audience, event=signed_event, keys=keys, issuer=issuer, now=now)
    region, credentials = _own()
    if (credentials.session_token or "").startswith(OURS):
        return WorkSession(
            access_key_id=credentials.access_key_id,
            secret_access_key=credentials.secret_access_key,
            session_token=credentials.session_token or "",
            expires_at=None,
        )
    name = issuer or os.environ.get("ACTAS_ISSUER") or ""
    address = gateway or os.environ.get("ACTAS_GATEWAY") or name
    try:
        shown = proof.prove(credentials, envelope=token, gateway=name or address, region=region, now=now or clock.now())
    except sigv4.SigV4Error as wrong:  # the rest of what is signed was looked at before
        raise NoGateway(why="its name holds what no header may") from wrong
    given = _post(address, msgspec.json.encode(shown), patience)
    return WorkSession(
        access_key_id=given.AccessKeyId,
        secret_access_key=given.SecretAccessKey,
        session_token=given.SessionToken,
        expires_at=given.Expiration.astimezone(UTC),
    )


def _own() -> tuple[str, sigv4.Credentials]:
    """Give region and credentials that Lambda puts into the environment: those of the execution role."""
    names = ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    found = [os.environ.get(name, "") for name in names]
    if not all(found):
        raise NoExecutionRole(missing=names[found.index("")])
    if not proof.REGION.fullmatch(found[0]):
        raise NoExecutionRole(missing="AWS_REGION")
    try:
        return found[0], sigv4.Credentials(found[1], found[2], found[3])
    except sigv4.SigV4Error as wrong:
        raise NoExecutionRole(missing="AWS_ACCESS_KEY_ID or AWS_SESSION_TOKEN") from wrong


def _post(address: str, body: bytes, patience: float) -> Given:
    """Ask the gateway, once: a function has its own retries, and its own time."""
    from http.client import HTTPException

    connection, path = _connection(address, patience)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read(_LARGEST + 1)
    except UnicodeError as wrong:  # a name or path that HTTP has no form for
        raise NoGateway(why="it is no address") from wrong
    except (OSError, HTTPException) as wrong:
        raise GatewayUnreachable(why=type(wrong).__name__) from wrong
    finally:
        connection.close()
    if answer.status != 200:
        raise SessionRefused(status=answer.status, found=_code(content))
    try:
        return msgspec.json.decode(content[:_LARGEST], type=Given)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise GatewayUnreachable(why="its answer holds no credentials") from wrong


def _connection(address: str, patience: float) -> "tuple[HTTPConnection, str]":
    from http.client import HTTPConnection, HTTPSConnection

    try:
        found = urlsplit(address)
        port, name = found.port, found.hostname or ""
    except ValueError as wrong:
        raise NoGateway(why="it is no address") from wrong
    path = f"{found.path.rstrip('/')}{proof.PATH}"
    if found.scheme == "https" and name:
        import ssl

        context = ssl.create_default_context()
        return HTTPSConnection(name, port, timeout=patience, context=context), path
    if found.scheme == "http" and name in _LOOPBACK:
        return HTTPConnection(name, port, timeout=patience), path
    raise NoGateway(why="ACTAS_ISSUER is not set" if not address else "it is not https")


class _Problem(msgspec.Struct, frozen=True):
    code: str = ""


def _code(content: bytes) -> str:
    """Give the code of a refusal; the gateway's, and nothing that somebody in between wrote."""
    try:
        code = msgspec.json.decode(content[:_LARGEST], type=_Problem).code
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return code if len(code) <= 80 and code.isascii() and code.replace(".", "").replace("-", "").isalnum() else ""
