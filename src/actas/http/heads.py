"""A request's head, read strictly: what two servers could read in two ways is refused. Pure.

Granian hands on what it parsed; what it lets pass and must not be (two Hosts, no Host, a length beside a transfer
coding, two Authorizations) is refused here, on every path.
"""

import re
from dataclasses import dataclass
from typing import Any

from actas.http.errors import HeadTooLarge, MalformedRequest, TargetTooLong
from actas.model.secret import Secret
from actas.settings.schema import Limits

Pairs = list[tuple[bytes, bytes]]

_SINGLE = frozenset(
    {b"authorization", b"host", b"content-length", b"content-type", b"transfer-encoding", b"actas-role", b"traceparent"}
)
_BEARER = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] ([A-Za-z0-9\-._~+/]+=*)")  # RFC 6750, section 2.1
_LENGTH = re.compile(rb"[0-9]{1,15}")
_VALUE = re.compile(rb"[\t\x20-\x7e]*")
_TRACE = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")  # W3C Trace Context, section 3.2


@dataclass(slots=True)
class Head:
    """What the doors look at; not frozen, because one is made for every request."""

    authorization: bytes | None = None
    content_length: int | None = None
    role: str | None = None
    trace: str | None = None


def read_head(scope: Any, limits: Limits) -> Head:
    """Read the head of an ASGI *scope*, or raise an `HttpError`."""
    headers: Pairs = scope["headers"]
    if len(headers) > limits.header_count:
        raise HeadTooLarge(what="header fields", allowed=limits.header_count)
    if len(scope["raw_path"]) + len(scope["query_string"]) > limits.target.bytes:
        raise TargetTooLong(allowed=limits.target.bytes)
    size = 0
    single: dict[bytes, bytes] = {}
    for name, value in headers:
        size += len(name) + len(value)
        if name in _SINGLE:
            if name in single:
                raise MalformedRequest(why=f"it has two {name.decode()} fields")
            single[name] = value
    if size > limits.headers.bytes:
        raise HeadTooLarge(what="bytes of header fields", allowed=limits.headers.bytes)
    return _checked(single, scope)


def _checked(single: dict[bytes, bytes], scope: Any) -> Head:
    host = single.get(b"host") or _authority(scope)
    if not host or not _VALUE.fullmatch(host) or b"," in host or b" " in host:
        raise MalformedRequest(why="it has no single plain host")
    length = single.get(b"content-length")
    if length is not None:
        if b"transfer-encoding" in single:  # RFC 9112, section 6.1: a sign of smuggling
            raise MalformedRequest(why="it has a content-length beside a transfer-encoding")
        if not _LENGTH.fullmatch(length):
            raise MalformedRequest(why="its content-length is no number")
    role = single.get(b"actas-role")
    trace = _TRACE.fullmatch(single.get(b"traceparent", b""))
    return Head(
        authorization=single.get(b"authorization"),
        content_length=None if length is None else int(length),
        role=None if role is None else role.decode("latin-1"),
        trace=None if trace is None else trace[1].decode(),
    )


def _authority(scope: Any) -> bytes:
    """HTTP/2 has ``:authority`` where HTTP/1.1 has Host; Granian gives it as the server."""
    server = scope.get("server")
    return str(server[0]).encode() if scope.get("http_version") == "2" and server else b""


def bearer(head: Head) -> Secret | None:
    """Give the bearer token; None where there is no Authorization at all."""
    if head.authorization is None:
        return None
    if not (found := _BEARER.fullmatch(head.authorization)):
        raise MalformedRequest(why="its Authorization is no bearer token")
    return Secret(found[1].decode("ascii"))
